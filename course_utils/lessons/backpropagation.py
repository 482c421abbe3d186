"""Backpropagation: taught in notebooks/06_backpropagation.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from numpy.typing import ArrayLike
import numpy as np


def sigmoid(z: ArrayLike) -> np.ndarray:
    """1 / (1 + e^-z) for any shape, in the precision of z and right at both ends."""
    # logaddexp(0, u) is log(1 + e^u); exp(-z) itself would overflow
    return np.exp(-np.logaddexp(0, -np.asarray(z)))


def numerical_gradient(f: Callable[[np.ndarray], float], z: ArrayLike,
                       h: float = 1e-5) -> np.ndarray:
    """Central differences (f(z+h) - f(z-h)) / 2h of a scalar function, entry by entry.

    z: any shape, () too; it stays as it was -> float64 gradient of that shape.
    Calls f twice per entry, each time with a float64 array of its own.
    """
    z = np.asarray(z, dtype=np.float64)
    grad = np.empty_like(z)
    for i in np.ndindex(z.shape):
        up, down = z.copy(), z.copy()
        up[i] += h
        down[i] -= h
        grad[i] = (f(up) - f(down)) / (2 * h)
    return grad


def dense_backward(X: np.ndarray, W: np.ndarray, delta: np.ndarray
                   ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of Z = X W + b from delta = dL/dZ.

    X: (B, d_in), W: (d_in, d_out), delta: (B, d_out)
    -> dL/dX (B, d_in), dL/dW (d_in, d_out), dL/db (d_out,)
    """
    return delta @ W.T, X.T @ delta, delta.sum(axis=0)


def softmax(z: np.ndarray) -> np.ndarray:
    """Softmax of each row, along the last axis; a logit of -inf gets probability 0.

    z: (..., k) logits -> (..., k) probabilities
    """
    # subtracting the row maximum keeps exp from overflowing
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(z: np.ndarray, y: np.ndarray) -> np.floating:
    """Mean cross-entropy in nats. z: (B, k) logits, y: (B,) class indices -> scalar"""
    z = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y])


def output_delta(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient of the mean cross-entropy. z: (B, k) logits, y: (B,) -> (B, k)."""
    return (softmax(z) - np.eye(z.shape[1], dtype=z.dtype)[y]) / len(y)


Layers = list[tuple[np.ndarray, np.ndarray]]  # each layer's W (d_in, d_out), b (d_out,)


def init_layers(sizes: Sequence[int], rng: np.random.Generator,
                dtype: type = np.float64) -> Layers:
    """He-scaled weights, zero biases. sizes: d_in, hidden ..., k."""
    layers: Layers = []
    for d_in, d_out in pairwise(sizes):
        W = rng.normal(size=(d_in, d_out)) * np.sqrt(2 / d_in)
        layers.append((W.astype(dtype), np.zeros(d_out, dtype)))
    return layers


def forward(layers: Layers, X: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """ReLU network. X: (B, d_in) -> list of every layer's input, logits (B, k)."""
    inputs = [X]
    for W, b in layers[:-1]:
        inputs.append(np.maximum(inputs[-1] @ W + b, 0))
    W, b = layers[-1]
    return inputs, inputs[-1] @ W + b


def backward(layers: Layers, inputs: Sequence[np.ndarray], delta: np.ndarray) -> Layers:
    """Gradients (dL/dW, dL/db) of every layer from delta (B, k) at the logits.

    inputs: what each layer reads, from forward()
    """
    gradients = []
    for i in reversed(range(len(layers))):
        gradients.append((inputs[i].T @ delta, delta.sum(axis=0)))
        if i > 0:  # [a > 0] = [z > 0]
            delta = (delta @ layers[i][0].T) * (inputs[i] > 0)
    return gradients[::-1]


Vjp = Callable[[np.ndarray], np.ndarray]


class Node:
    """An array that remembers how it was made.

    value: float64 array. grad: same shape, filled by backward().
    parents: pairs (node, vjp); vjp takes the gradient at this node and returns that
    parent's share, in the parent's shape.
    """

    def __init__(self, value: ArrayLike, parents: Sequence[tuple["Node", Vjp]] = (),
                 name: str = "") -> None:
        self.value = np.asarray(value, dtype=float)
        self.parents, self.name = parents, name
        self.grad = np.zeros_like(self.value)

    def backward(self) -> None:
        """Fill grad of every node on which this node, a single number, depends."""
        if self.value.size != 1:
            raise ValueError(f"backward() starts at one number, not {self.value.shape}")
        order = topological_order(self)
        for node in order:
            node.grad = np.zeros_like(node.value)
        self.grad = np.ones_like(self.value)
        for node in reversed(order):
            for parent, vjp in node.parents:
                parent.grad = parent.grad + vjp(node.grad)  # paths add


def topological_order(root: Node) -> list[Node]:
    """All nodes that root depends on, each after its own parents."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:  # recursion would be shorter, and end at 1,000 operations
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack += [(parent, False) for parent, _ in node.parents]
    return order


def unbroadcast(grad: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum grad over the axes along which an array of this shape was repeated."""
    # axes that NumPy put in front: (3,) -> (5, 3); then axes stretched from length 1
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    return grad.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


class Tensor(Node):
    """A node with operations; on either side of one a plain number or array will do."""

    __array_ufunc__ = None  # so that NumPy leaves `array * tensor` to the tensor

    def __add__(self, other: "Tensor | ArrayLike") -> "Tensor":
        right = as_tensor(other)
        return Tensor(self.value + right.value, [
            (self, lambda g: unbroadcast(g, self.value.shape)),
            (right, lambda g: unbroadcast(g, right.value.shape))], "+")

    def __mul__(self, other: "Tensor | ArrayLike") -> "Tensor":
        right = as_tensor(other)
        return Tensor(self.value * right.value, [
            (self, lambda g: unbroadcast(g * right.value, self.value.shape)),
            (right, lambda g: unbroadcast(g * self.value, right.value.shape))], "×")

    def __matmul__(self, other: "Tensor | ArrayLike") -> "Tensor":
        right = as_tensor(other)  # both with two axes
        return Tensor(self.value @ right.value, [
            (self, lambda g: g @ right.value.T),
            (right, lambda g: self.value.T @ g)], "@")

    __radd__, __rmul__ = __add__, __mul__  # number + tensor, number * tensor

    def __rmatmul__(self, other: ArrayLike) -> "Tensor":
        return as_tensor(other) @ self

    def relu(self) -> "Tensor":
        a = np.maximum(self.value, 0)
        return Tensor(a, [(self, lambda g: g * (self.value > 0))], "relu")

    def sigmoid(self) -> "Tensor":
        a = sigmoid(self.value)
        return Tensor(a, [(self, lambda g: g * a * (1 - a))], "σ")

    def sum(self) -> "Tensor":
        ones = np.ones_like(self.value)
        return Tensor(self.value.sum(), [(self, lambda g: g * ones)], "sum")


def as_tensor(value: Tensor | ArrayLike) -> Tensor:
    """A tensor as it is; a number or an array as a tensor without parents."""
    return value if isinstance(value, Tensor) else Tensor(value)


def softmax_cross_entropy(logits: Tensor, y: np.ndarray) -> Tensor:
    """Mean cross-entropy as one operation. logits: (B, k), y: (B,) class indices."""
    delta = output_delta(logits.value, y)
    return Tensor(cross_entropy(logits.value, y), [(logits, lambda g: g * delta)], "CE")
