"""What the notebooks teach and later ones use, taken from the notebooks' own cells. Never edited here."""
