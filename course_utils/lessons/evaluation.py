"""Evaluation: taught in notebooks/08_evaluation_metrics.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from statistics import NormalDist
import math
import numpy as np


Z = NormalDist().inv_cdf(0.975)  # 1.96


def wilson(hits: int | np.ndarray, n: int,
           z: float = Z) -> tuple[np.ndarray, np.ndarray]:
    """Wilson interval for a proportion: hits of n tries, n >= 1; 95 % with this z.

    hits: any shape -> low and high, each of that shape
    """
    p = np.asarray(hits) / n
    middle = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def paired_interval(b: int | np.ndarray, c: int | np.ndarray,
                    n: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval for the accuracy of B minus A on the same n examples.

    b, c: how many only A, only B gets right, any shape -> low and high, of that shape
    """
    d = (c - b) / n
    half = Z * np.sqrt(((b + c) / n - d**2) / n)
    return d - half, d + half


def mcnemar(b: int, c: int) -> float:
    """Exact two-sided p-value. b, c: examples that only A, only B gets right."""
    b, c = int(b), int(c)  # counted with NumPy, 2**m would overflow
    m, k = b + c, min(b, c)
    tail = sum(math.comb(m, i) for i in range(k + 1)) / 2**m
    return min(1.0, 2 * tail)
