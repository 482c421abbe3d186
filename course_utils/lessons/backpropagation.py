"""Backpropagation: taught in notebooks/06_backpropagation.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numpy.typing import ArrayLike
import numpy as np


def numerical_gradient(f: Callable[[np.ndarray], float], z: ArrayLike,
                       h: float = 1e-5) -> np.ndarray:
    """Central differences (f(z+h) - f(z-h)) / 2h of a scalar f, entry by entry.

    z: any shape; it stays as it was -> float64 gradient of that shape.
    """
    z = np.asarray(z, dtype=np.float64)
    grad = np.empty_like(z)
    for i in np.ndindex(z.shape):
        up, down = z.copy(), z.copy()
        up[i] += h
        down[i] -= h
        grad[i] = (f(up) - f(down)) / (2 * h)
    return grad


def softmax(z: np.ndarray) -> np.ndarray:
    """Each row of z (..., k) to probabilities; a logit of -inf gets probability 0."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))  # so that exp can't overflow
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(z: np.ndarray, y: np.ndarray) -> np.floating:
    """Mean cross-entropy in nats. z: (B, k) logits, y: (B,) class indices -> scalar"""
    z = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y])


def loss_gradient(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient of the mean cross-entropy. z: (B, k) logits, y: (B,) -> (B, k)."""
    p = softmax(z)                         # (B, k)
    p[np.arange(len(y)), y] -= 1           # the truth, one per row
    return p / len(y)                      # mean over the batch


def output_delta(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """loss_gradient(z, y). z: (B, k) logits, y: (B,) class indices -> (B, k)"""
    return loss_gradient(z, y)


def dense_backward(X: np.ndarray, W: np.ndarray, delta: np.ndarray
                   ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of Z = X W + b from delta = dL/dZ.

    X: (B, d_in), W: (d_in, d_out), delta: (B, d_out)
    -> dL/dX (B, d_in), dL/dW (d_in, d_out), dL/db (d_out,)
    """
    grad_X = delta @ W.T                   # (B, d_in)
    grad_W = X.T @ delta                   # (d_in, d_out), summed over the batch
    grad_b = delta.sum(axis=0)             # (d_out,)
    return grad_X, grad_W, grad_b


Layers = list[tuple[np.ndarray, np.ndarray]]  # each layer's W (d_in, d_out), b (d_out,)


def init_layers(sizes: Sequence[int], rng: np.random.Generator,
                dtype: type = np.float64) -> Layers:
    """He-scaled weights, zero biases. sizes: d_in, hidden ..., k."""
    layers: Layers = []
    for d_in, d_out in zip(sizes[:-1], sizes[1:]):
        W = rng.normal(size=(d_in, d_out)) * np.sqrt(2 / d_in)
        layers.append((W.astype(dtype), np.zeros(d_out, dtype)))
    return layers


def relu_backward(grad_a: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Gradient before a ReLU from the one after it, same shapes; 0 where z is 0."""
    return grad_a * (z > 0)


def forward(layers: Layers, X: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """ReLU network. X: (B, d_in) -> list of every layer's input, logits (B, k)."""
    inputs = [X]
    for W, b in layers[:-1]:
        inputs.append(np.maximum(inputs[-1] @ W + b, 0))   # (B, hidden)
    W, b = layers[-1]
    return inputs, inputs[-1] @ W + b                      # (B, k)


def backward(layers: Layers, inputs: Sequence[np.ndarray], delta: np.ndarray
             ) -> Layers:
    """Gradients (dL/dW, dL/db) of every layer from delta (B, k) at the logits.

    inputs: what each layer read, from forward()
    """
    gradients = []
    for i in reversed(range(len(layers))):
        gradients.append((inputs[i].T @ delta, delta.sum(axis=0)))
        if i > 0:                                      # nobody asks for dL/dX
            delta = (delta @ layers[i][0].T) * (inputs[i] > 0)
    return gradients[::-1]


def sigmoid(z: ArrayLike) -> np.ndarray:
    """1 / (1 + e^-z) for any shape, in the precision of z and right at both ends."""
    # logaddexp(0, u) is log(1 + e^u); exp(-z) itself would overflow
    return np.exp(-np.logaddexp(0, -np.asarray(z)))
