"""Training: taught in notebooks/02_life_of_a_model.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

import numpy as np


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-z), any shape -> same shape; exact for very small and large z."""
    return np.exp(-np.logaddexp(0, -z))  # logaddexp(0, -z) is log(e^0 + e^-z)


def softmax(Z: np.ndarray) -> np.ndarray:
    """Softmax along the last axis. Z: (..., k) scores -> (..., k), adding up to 1."""
    e = np.exp(Z - Z.max(axis=-1, keepdims=True))  # largest 1: e cannot overflow
    return e / e.sum(axis=-1, keepdims=True)


def batches(n: int, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Row numbers of one epoch in random order, cut into batches.

    -> int arrays (size,); the last may be shorter
    """
    order = rng.permutation(n)
    return [order[start:start + size] for start in range(0, n, size)]
