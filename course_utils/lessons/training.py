"""Training: taught in notebooks/02_life_of_a_model.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

import numpy as np


def batches(n: int, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Row numbers of one epoch in random order, cut into batches.

    -> int arrays (size,); the last may be shorter
    """
    order = rng.permutation(n)
    return [order[start:start + size] for start in range(0, n, size)]


print(*batches(10, 4, np.random.default_rng(0)))
