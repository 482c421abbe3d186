"""Optimizers: taught in notebooks/07_optimizers.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

import math
import numpy as np


def adam_step(w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, t: int,
              eta: float = 0.001, beta1: float = 0.9, beta2: float = 0.999,
              eps: float = 1e-7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One step of Adam, t = 1, 2, ... w, g, m, v: same shape -> new w, m, v"""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return w - eta * m_hat / (np.sqrt(v_hat) + eps), m, v


class Adam:
    """Adam. `l2` adds l2·w to the gradient, `gamma` decays the weights (AdamW).

    step(w, g) -> new w; all arrays of one shape, the same in every call.
    """

    def __init__(self, eta: float = 0.001, beta1: float = 0.9, beta2: float = 0.999,
                 eps: float = 1e-7, l2: float = 0.0, gamma: float = 0.0) -> None:
        self.eta, self.beta1, self.beta2, self.eps = eta, beta1, beta2, eps
        self.l2, self.gamma = l2, gamma
        self.t = 0

    def step(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        if self.t == 0:
            self.m, self.v = np.zeros_like(w), np.zeros_like(w)
        self.t += 1
        new, self.m, self.v = adam_step(w, g + self.l2 * w, self.m, self.v, self.t,
                                        self.eta, self.beta1, self.beta2, self.eps)
        return new - self.eta * self.gamma * w


class AdamW(Adam):
    """Adam with decoupled weight decay, 0.004 unless said (Keras' default)."""

    def __init__(self, eta: float = 0.001, gamma: float = 0.004) -> None:
        super().__init__(eta, gamma=gamma)


def constant(t: int, peak: float, total: int) -> float:
    """Rate at step t = 0, 1, ... of so many; all schedules have these arguments."""
    return peak


def drops(t: int, peak: float, total: int) -> float:
    """A tenth of the peak from the middle on, a hundredth in the last quarter."""
    return peak * (1.0 if t < total / 2 else 0.1 if t < 3 * total / 4 else 0.01)


def cosine(t: int, peak: float, total: int) -> float:
    """Half a wave from the peak at step 0 to 0 at step total, and 0 from there on."""
    return peak / 2 * (1 + math.cos(math.pi * min(t / total, 1.0)))


def warm_cosine(t: int, peak: float, total: int) -> float:
    """In a line from 0 to the peak in the first 15 % of the steps, then the cosine."""
    warm = int(0.15 * total)
    return peak * t / warm if t < warm else cosine(t - warm, peak, total - warm)
