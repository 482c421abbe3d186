"""What authors use: build the notebooks, the lock, the links, handouts. No learner needs it."""
