"""Recurrent: taught in notebooks/10_recurrent_networks.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

import numpy as np

from course_utils.lessons.backpropagation import sigmoid


def rnn_forward(
    X: np.ndarray, params: list[np.ndarray]
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """h_t = tanh(x_t W + h_{t-1} U + b) for t = 1 ... T, from h_0 = 0.

    X: (B, T, d), params: W (d, m), U (m, m), b (m,)
    -> H (B, T, m), and what rnn_backward needs: X and the states h_0 ... h_T
    """
    W, U, b = params
    Z = X @ W + b  # the inputs' share, for all steps at once
    B, T, m = Z.shape
    H = np.zeros((B, T + 1, m), Z.dtype)  # H[:, 0] is the start
    for t in range(T):
        H[:, t + 1] = np.tanh(Z[:, t] + H[:, t] @ U)
    return H[:, 1:], (X, H)


def sum_outer(A: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Sum of a^T d over batch and time. A: (B, T, p), D: (B, T, q) -> (p, q)"""
    return np.tensordot(A, D, axes=([0, 1], [0, 1]))


def rnn_backward(
    G: np.ndarray, params: list[np.ndarray], kept: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Backpropagation through time.

    G: (B, T, m) gradient that reaches each h_t directly, kept: from rnn_forward
    -> dL/dX (B, T, d), [dL/dW (d, m), dL/dU (m, m), dL/db (m,)]
    """
    W, U, _ = params
    X, H = kept
    delta, carried = np.empty_like(G), np.zeros_like(G[:, 0])
    for t in reversed(range(G.shape[1])):
        delta[:, t] = (G[:, t] + carried) * (1 - H[:, t + 1] ** 2)
        carried = delta[:, t] @ U.T
    grads = [sum_outer(X, delta), sum_outer(H[:, :-1], delta), delta.sum(axis=(0, 1))]
    return delta @ W.T, grads


def lstm_forward(
    X: np.ndarray, params: list[np.ndarray]
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """An LSTM over whole sequences, from h_0 = c_0 = 0. Gates in Keras' order, i f g o.

    X: (B, T, d), params: W (d, 4m), U (m, 4m), b (4m,)
    -> H (B, T, m), and what lstm_backward needs: X, h_0 ... h_T, c_0 ... c_T, gates
    """
    W, U, b = params
    Z, m = X @ W + b, len(U)
    B, T, _ = Z.shape
    H, C = np.zeros((2, B, T + 1, m), Z.dtype)  # [:, 0] is the start
    gates = np.empty((4, B, T, m), Z.dtype)
    for t in range(T):
        z = Z[:, t] + H[:, t] @ U  # (B, 4m)
        a = sigmoid(z)  # one call for three gates; the candidate's block is not used
        i, f, o = a[:, :m], a[:, m:2 * m], a[:, 3 * m:]
        g = np.tanh(z[:, 2 * m:3 * m])
        C[:, t + 1] = f * C[:, t] + i * g
        H[:, t + 1] = o * np.tanh(C[:, t + 1])
        gates[:, :, t] = i, f, g, o
    return H[:, 1:], (X, H, C, gates)


def lstm_backward(
    G: np.ndarray, params: list[np.ndarray],
    kept: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Gradients of an LSTM over whole sequences.

    G: (B, T, m) gradient that reaches each h_t directly, kept: from lstm_forward
    -> dL/dX (B, T, d), [dL/dW (d, 4m), dL/dU (m, 4m), dL/db (4m,)]
    """
    W, U, _ = params
    X, H, C, (i, f, g, o) = kept
    tanh_C = np.tanh(C[:, 1:])
    # what does not depend on the recursion, for all steps at once
    to_i, to_f = g * i * (1 - i), C[:, :-1] * f * (1 - f)
    to_g, to_o, to_c = i * (1 - g**2), tanh_C * o * (1 - o), o * (1 - tanh_C**2)
    delta = np.empty((*G.shape[:2], U.shape[1]), G.dtype)
    from_h = from_c = np.zeros_like(G[:, 0])
    for t in reversed(range(G.shape[1])):
        grad_h = G[:, t] + from_h
        grad_c = grad_h * to_c[:, t] + from_c
        delta[:, t] = np.concatenate([grad_c * to_i[:, t], grad_c * to_f[:, t],
                                      grad_c * to_g[:, t], grad_h * to_o[:, t]], axis=1)
        from_h, from_c = delta[:, t] @ U.T, grad_c * f[:, t]
    grads = [sum_outer(X, delta), sum_outer(H[:, :-1], delta), delta.sum(axis=(0, 1))]
    return delta @ W.T, grads


def gru_forward(
    X: np.ndarray, params: list[np.ndarray]
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """A GRU (Keras' reset_after=True) from h_0 = 0. Gates in Keras' order, z r g.

    X: (B, T, d), params: W (d, 3m), U (m, 3m), b (2, 3m)
    -> H (B, T, m), and what gru_backward needs: X, h_0 ... h_T, gates
    """
    W, U, (b_x, b_h) = params
    A, m = X @ W + b_x, len(U)
    B, T, _ = A.shape
    H, gates = np.zeros((B, T + 1, m), A.dtype), np.empty((4, B, T, m), A.dtype)
    for t in range(T):
        a_x, a_h = A[:, t], H[:, t] @ U + b_h
        z_r = sigmoid(a_x[:, :2 * m] + a_h[:, :2 * m])
        z, r = z_r[:, :m], z_r[:, m:]
        g = np.tanh(a_x[:, 2 * m:] + r * a_h[:, 2 * m:])
        H[:, t + 1] = z * H[:, t] + (1 - z) * g
        gates[:, :, t] = z, r, g, a_h[:, 2 * m:]
    return H[:, 1:], (X, H, gates)


def gru_backward(
    G: np.ndarray, params: list[np.ndarray],
    kept: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Gradients of a GRU over whole sequences.

    G: (B, T, m) gradient that reaches each h_t directly, kept: from gru_forward
    -> dL/dX (B, T, d), [dL/dW (d, 3m), dL/dU (m, 3m), dL/db (2, 3m)]
    """
    W, U, _ = params
    X, H, (z, r, g, a_hg) = kept
    # what does not depend on the recursion, for all steps at once
    to_g, to_z = (1 - z) * (1 - g**2), (H[:, :-1] - g) * z * (1 - z)
    to_r = to_g * a_hg * r * (1 - r)
    grad_ax = np.empty((*G.shape[:2], U.shape[1]), G.dtype)
    grad_ah, carried = np.empty_like(grad_ax), np.zeros_like(G[:, 0])
    for t in reversed(range(G.shape[1])):
        grad_h = G[:, t] + carried
        d_z, d_r, d_g = grad_h * to_z[:, t], grad_h * to_r[:, t], grad_h * to_g[:, t]
        grad_ax[:, t] = np.concatenate([d_z, d_r, d_g], axis=1)
        grad_ah[:, t] = np.concatenate([d_z, d_r, d_g * r[:, t]], axis=1)
        carried = grad_h * z[:, t] + grad_ah[:, t] @ U.T
    grad_b = np.stack([grad_ax.sum(axis=(0, 1)), grad_ah.sum(axis=(0, 1))])
    return grad_ax @ W.T, [sum_outer(X, grad_ax), sum_outer(H[:, :-1], grad_ah), grad_b]
