"""Attention: taught in notebooks/11_embeddings_and_attention.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

import numpy as np


def masked_softmax(scores: np.ndarray) -> np.ndarray:
    """Softmax over the last axis. A score of -inf gets weight 0; a row of nothing else
    has nothing to choose from and gets zeros, not 0/0."""
    highest = scores.max(axis=-1, keepdims=True)
    e = np.exp(scores - np.where(highest == -np.inf, 0, highest))
    total = e.sum(axis=-1, keepdims=True)
    return e / np.where(total == 0, 1, total)


def attention(Q: np.ndarray, K: np.ndarray, V: np.ndarray,
              mask: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Scaled dot-product attention; leading axes (batch, heads) go along.

    Q: (..., T, d_head), K: (..., S, d_head), V: (..., S, d_v)
    mask: (T, S) or (..., T, S), True where token t may look at s
    -> output (..., T, d_v), weights (..., T, S); zeros where t may look at nothing
    """
    scores = Q @ K.swapaxes(-1, -2) * Q.shape[-1] ** -0.5
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    A = masked_softmax(scores)
    return A @ V, A


def attention_backward(
    G: np.ndarray, Q: np.ndarray, K: np.ndarray, V: np.ndarray, A: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """G: gradient of the output, A: the weights -> gradients of Q, K, V"""
    dV = A.swapaxes(-1, -2) @ G
    dA = G @ V.swapaxes(-1, -2)
    dS = A * (dA - (dA * A).sum(axis=-1, keepdims=True)) * Q.shape[-1] ** -0.5
    return dS @ K, dS.swapaxes(-1, -2) @ Q, dV


def causal_mask(T: int) -> np.ndarray:
    """(T, T) bool, True where token t may look at s: at itself and what came before."""
    return np.tril(np.ones((T, T), dtype=bool))


def packed_mask(documents: np.ndarray, w: int) -> np.ndarray:
    """Causal masks for rows that hold several documents, with a window.

    documents: (B, T) integers; tokens of one document have the same number
    w: how many tokens one sees at most, itself included -> (B, T, T) bool
    """
    T = documents.shape[1]
    t, s = np.arange(T)[:, None], np.arange(T)
    same = documents[:, :, None] == documents[:, None, :]
    return same & (s <= t) & (t - s < w)


def split_heads(X: np.ndarray, h: int) -> np.ndarray:
    """(B, T, d_model) -> (B, h, T, d_head)"""
    B, T, d = X.shape
    return X.reshape(B, T, h, d // h).swapaxes(1, 2)


def join_heads(X: np.ndarray) -> np.ndarray:
    """(B, h, T, d_head) -> (B, T, d_model)"""
    B, h, T, d = X.shape
    return X.swapaxes(1, 2).reshape(B, T, h * d)


Parameters = dict[str, np.ndarray]


def linear_backward(G: np.ndarray, X: np.ndarray, p: Parameters,
                    name: str) -> tuple[np.ndarray, Parameters]:
    """Gradients of X @ W + b, where W is p["W" + name], b is p["b" + name].

    G: (..., d_out), X: (..., d_in) -> gradient of X, dict of the gradients of W, b
    """
    rows, G_rows = (x.reshape(-1, x.shape[-1]) for x in (X, G))  # B · T examples
    gradients = {"W" + name: rows.T @ G_rows, "b" + name: G_rows.sum(axis=0)}
    return G @ p["W" + name].T, gradients


def multi_head(X: np.ndarray, p: Parameters, h: int,
               mask: np.ndarray | None = None) -> tuple[np.ndarray, tuple]:
    """Multi-head self-attention with h heads.

    X: (B, T, d_model); mask: (T, T) or (B, 1, T, T), True where t may look at s
    p: WQ, WK, WV, WO (d_model, d_model), bQ, bK, bV, bO (d_model,)
    -> (B, T, d_model), what the backward pass needs
    """
    Q, K, V = (split_heads(X @ p["W" + n] + p["b" + n], h) for n in "QKV")
    O, A = attention(Q, K, V, mask)                         # A: (B, h, T, T)
    joined = join_heads(O)
    return joined @ p["WO"] + p["bO"], (X, Q, K, V, A, joined)


def multi_head_backward(G: np.ndarray, p: Parameters, h: int,
                        cache: tuple) -> tuple[np.ndarray, Parameters]:
    """G: gradient of the output (B, T, d_model) -> gradient of X, of the parameters"""
    X, Q, K, V, A, joined = cache
    d_joined, gradients = linear_backward(G, joined, p, "O")
    upstream, dX = split_heads(d_joined, h), np.zeros_like(X)
    for name, dY in zip("QKV", attention_backward(upstream, Q, K, V, A)):
        d_input, more = linear_backward(join_heads(dY), X, p, name)
        dX += d_input
        gradients |= more
    return dX, gradients


def angles(positions: np.ndarray, d: int, base: float = 10_000) -> np.ndarray:
    """(T,) positions -> (T, d/2) angles"""
    return positions[:, None] * base ** (-np.arange(0, d, 2) / d)


def sinusoidal(T: int, d: int) -> np.ndarray:
    """Sine in even, cosine in odd columns, (T, d)"""
    P, angle = np.empty((T, d)), angles(np.arange(T), d)
    P[:, 0::2], P[:, 1::2] = np.sin(angle), np.cos(angle)
    return P


def rotary(X: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Turn the pairs (0, 1), (2, 3), … of the last axis; floats keep their type.

    X: (..., T, d_head), positions: (T,) -> (..., T, d_head)
    """
    turned = np.empty(X.shape, X.dtype if X.dtype.kind == "f" else float)
    angle, even, odd = angles(positions, X.shape[-1]), X[..., 0::2], X[..., 1::2]
    turned[..., 0::2] = even * np.cos(angle) - odd * np.sin(angle)
    turned[..., 1::2] = even * np.sin(angle) + odd * np.cos(angle)
    return turned


def layer_norm(X: np.ndarray, gamma: np.ndarray, beta: np.ndarray,
               epsilon: float = 1e-5) -> tuple[np.ndarray, tuple]:
    """Over the last axis. X: (..., d), gamma, beta: (d,) -> same shape as X, cache"""
    centered = X - X.mean(axis=-1, keepdims=True)
    s = np.sqrt((centered**2).mean(axis=-1, keepdims=True) + epsilon)
    X_hat = centered / s
    return gamma * X_hat + beta, (X_hat, s)


def layer_norm_backward(G: np.ndarray, gamma: np.ndarray,
                        cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """G: gradient of the output (..., d) -> gradients of X, gamma (d,), beta (d,)"""
    X_hat, s = cache
    g, rows = G * gamma, tuple(range(G.ndim - 1))
    stretch = (g * X_hat).mean(axis=-1, keepdims=True)
    dX = (g - g.mean(axis=-1, keepdims=True) - X_hat * stretch) / s
    return dX, (G * X_hat).sum(axis=rows), G.sum(axis=rows)


def new_block(d: int, rng: np.random.Generator) -> Parameters:
    """Parameters of one block of width d, all of them random to test all gradients:
    WQ, WK, WV, WO (d, d), W1 (d, 4d), W2 (4d, d), a bias each, gamma1, beta1, gamma2,
    beta2 (d,)."""
    shapes = {"W" + n: (d, d) for n in "QKVO"} | {"W1": (d, 4 * d), "W2": (4 * d, d)}
    p = {name: rng.normal(0, shape[0] ** -0.5, shape) for name, shape in shapes.items()}
    p |= {"b" + name[1:]: rng.normal(0, shape[1] ** -0.5, shape[1])
          for name, shape in shapes.items()}
    for n in "12":
        p |= {"gamma" + n: rng.normal(1, 0.2, d), "beta" + n: rng.normal(0, 0.2, d)}
    return p


def block(X: np.ndarray, p: Parameters, h: int,
          mask: np.ndarray | None = None) -> tuple[np.ndarray, tuple]:
    """One Transformer block with h heads, norm first.

    X: (B, T, d), mask as for multi_head -> same shape, what the backward pass needs
    """
    N1, cache1 = layer_norm(X, p["gamma1"], p["beta1"])
    fetched, cache_heads = multi_head(N1, p, h, mask)
    X1 = X + fetched
    N2, cache2 = layer_norm(X1, p["gamma2"], p["beta2"])
    H = np.maximum(N2 @ p["W1"] + p["b1"], 0)               # (B, T, 4d)
    return X1 + H @ p["W2"] + p["b2"], (cache1, cache_heads, cache2, N2, H)


def block_backward(G: np.ndarray, p: Parameters, h: int,
                   cache: tuple) -> tuple[np.ndarray, Parameters]:
    """G: gradient of the output (B, T, d) -> gradient of X, of the parameters"""
    cache1, cache_heads, cache2, N2, H = cache
    dH, gradients = linear_backward(G, H, p, "2")
    dN2, more = linear_backward(dH * (H > 0), N2, p, "1")
    gradients |= more
    dX1, dgamma, dbeta = layer_norm_backward(dN2, p["gamma2"], cache2)
    gradients |= {"gamma2": dgamma, "beta2": dbeta}
    dX1 = dX1 + G  # a sum passes the gradient on to both of its terms
    dN1, more = multi_head_backward(dX1, p, h, cache_heads)
    dX, dgamma, dbeta = layer_norm_backward(dN1, p["gamma1"], cache1)
    gradients |= more | {"gamma1": dgamma, "beta1": dbeta}
    return dX + dX1, gradients
