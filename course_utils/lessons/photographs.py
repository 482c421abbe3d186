"""Photographs: taught in notebooks/14_project_cifar10.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections.abc import Callable
import numpy as np


def crop_and_flip(images: np.ndarray, rng: np.random.Generator,
                  pad: int = 2) -> np.ndarray:
    """Each image moved by up to pad pixels each way, and half of them mirrored.

    images: (n, height, width, 3) -> same shape and type, new
    """
    n, height, width, _ = images.shape
    sides = ((0, 0), (pad, pad), (pad, pad), (0, 0))
    padded = np.pad(images, sides, mode="reflect")
    changed = np.empty_like(images)
    for i, (top, left) in enumerate(rng.integers(0, 2 * pad + 1, (n, 2))):
        changed[i] = padded[i, top : top + height, left : left + width]
    mirrored = rng.random(n) < 0.5
    changed[mirrored] = changed[mirrored][:, :, ::-1]
    return changed


def one_cycle(step: int, steps: int) -> float:
    """Share of the peak rate at a step, counted from 0, of `steps` steps."""
    return float(np.interp(step / steps, [0, 0.25, 1], [0.2, 1, 0.05]))


def flip_average(answer: Callable, images: np.ndarray) -> np.ndarray:
    """Mean of answer(images) (n, k) and of what it says about the mirror images."""
    return (answer(images) + answer(images[:, :, ::-1])) / 2
