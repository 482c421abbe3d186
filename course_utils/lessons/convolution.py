"""Convolution: taught in notebooks/09_convolution.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

import numpy as np


def same_padding(n: int, k: int, s: int) -> tuple[int, int]:
    """Zeros (before, after) along one side that Keras' padding="same" adds.

    n: pixels, k: width of the kernel, s: stride
    """
    m = -(-n // s)  # n / s rounded up
    total = max((m - 1) * s + k - n, 0)
    return total // 2, total - total // 2


def pad(X: np.ndarray, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    """Zeros around images. X: (B, H, W, C); rows, columns: how many (before, after)."""
    return np.pad(X, ((0, 0), rows, columns, (0, 0)))


def windows(X: np.ndarray, size: tuple[int, int], stride: int = 1) -> np.ndarray:
    """Every window of every image, as a view: nothing is copied.

    X: (B, H, W, C), size: (kh, kw) -> (B, H', W', kh, kw, C)
    """
    view = np.lib.stride_tricks.sliding_window_view(X, size, axis=(1, 2))
    return view[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)


def im2col(X: np.ndarray, size: tuple[int, int], stride: int = 1) -> np.ndarray:
    """One window per row. X: (B, H, W, C), size: (kh, kw) -> (B·H'·W', kh·kw·C)."""
    view = windows(X, size, stride)
    return view.reshape(np.prod(view.shape[:3]), -1)


def conv(
    X: np.ndarray, K: np.ndarray, b: np.ndarray | float, stride: int = 1
) -> np.ndarray:
    """A convolutional layer without padding, as one matrix product.

    X: (B, H, W, C), K: (kh, kw, C, O), b: (O,) or a number -> (B, H', W', O)
    """
    (B, H, W, _), (kh, kw, _, kernels) = X.shape, K.shape
    Z = im2col(X, (kh, kw), stride) @ K.reshape(-1, kernels) + b
    return Z.reshape(B, (H - kh) // stride + 1, (W - kw) // stride + 1, kernels)


def col2im(
    rows: np.ndarray, shape: tuple[int, ...], size: tuple[int, int], stride: int = 1
) -> np.ndarray:
    """Add every window's entries back to their pixels: the transpose of im2col.

    rows: (B·H'·W', kh·kw·C), shape: (B, H, W, C) of the images, size: (kh, kw)
    -> (B, H, W, C)
    """
    (B, H, W, C), (kh, kw) = shape, size
    h, w = (H - kh) // stride + 1, (W - kw) // stride + 1
    rows = rows.reshape(B, h, w, kh, kw, C)
    X = np.zeros(shape, rows.dtype)
    for i, j in np.ndindex(kh, kw):
        X[:, i:i + stride * h:stride, j:j + stride * w:stride] += rows[:, :, :, i, j]
    return X


def conv_backward(
    X: np.ndarray, K: np.ndarray, delta: np.ndarray, stride: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of conv(X, K, b, stride) from delta = dL/dZ.

    X: (B, H, W, C), K: (kh, kw, C, O), delta: (B, H', W', O)
    -> dL/dX, dL/dK, dL/db, shaped like X, K and b (O,)
    """
    kh, kw, _, kernels = K.shape
    delta = delta.reshape(-1, kernels)  # (B·H'·W', O)
    grad_K = (im2col(X, (kh, kw), stride).T @ delta).reshape(K.shape)
    grad_rows = delta @ K.reshape(-1, kernels).T  # (B·H'·W', kh·kw·C)
    return col2im(grad_rows, X.shape, (kh, kw), stride), grad_K, delta.sum(axis=0)


def max_pool(X: np.ndarray, k: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest entry of each k×k window, and its place in it; of equals the first.

    X: (B, H, W, C) -> Z (B, H', W', C), winners (B, H', W', C) from 0 to k·k - 1
    """
    view = windows(X, (k, k), stride)
    flat = view.reshape(*view.shape[:3], k * k, -1)
    return flat.max(axis=3), flat.argmax(axis=3)


def max_pool_backward(
    delta: np.ndarray, winners: np.ndarray, shape: tuple[int, ...], k: int, stride: int
) -> np.ndarray:
    """dL/dX from delta = dL/dZ and the winners that max_pool returned.

    delta, winners: (B, H', W', C), shape: (B, H, W, C) of X -> (B, H, W, C)
    """
    won = np.arange(k * k)[:, None] == winners[:, :, :, None]
    return col2im(won * delta[:, :, :, None], shape, (k, k), stride)


def average_pool(X: np.ndarray, k: int, stride: int) -> np.ndarray:
    """Mean of each k×k window. X: (B, H, W, C) -> (B, H', W', C)."""
    return windows(X, (k, k), stride).mean(axis=(3, 4))


def average_pool_backward(
    delta: np.ndarray, shape: tuple[int, ...], k: int, stride: int
) -> np.ndarray:
    """dL/dX from delta = dL/dZ (B, H', W', C), shape: of X -> (B, H, W, C)."""
    shares = np.repeat(delta[:, :, :, None] / k**2, k * k, axis=3)
    return col2im(shares, shape, (k, k), stride)


def channel_mean(X: np.ndarray) -> np.ndarray:
    """Mean over everything but the last axis. X: (..., C) -> (C,)"""
    flat = X.reshape(-1, X.shape[-1])
    return np.einsum("mc->c", flat) / len(flat)


def batch_norm(
    X: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-3
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Batch normalization in training mode: with the batch's own mean and variance.

    X: (..., C); gamma, beta: (C,)
    -> Y (..., C), and x_hat (..., C), mean (C,), var (C,)
    """
    mean = channel_mean(X)
    var = channel_mean((X - mean) ** 2)
    x_hat = (X - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x_hat, mean, var)


def batch_norm_backward(
    delta: np.ndarray, gamma: np.ndarray, x_hat: np.ndarray, var: np.ndarray,
    eps: float = 1e-3,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dL/dX (..., C), dL/dgamma (C,), dL/dbeta (C,), training mode.

    delta: (..., C), dL/dY; gamma: (C,); x_hat (..., C) and var (C,) from batch_norm
    """
    m = delta.size // delta.shape[-1]
    mean_g, mean_gx = channel_mean(delta), channel_mean(delta * x_hat)
    grad_X = gamma / np.sqrt(var + eps) * (delta - mean_g - x_hat * mean_gx)
    return grad_X, m * mean_gx, m * mean_g
