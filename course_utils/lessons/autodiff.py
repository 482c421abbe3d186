"""Autodiff: taught in notebooks/06b_automatic_differentiation.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numpy.typing import ArrayLike
import itertools
import numpy as np

from course_utils.lessons.backpropagation import cross_entropy, loss_gradient


Share = Callable[[np.ndarray], np.ndarray]  # gradient at a node -> a parent's share
births = itertools.count()  # numbers the nodes; 6b.2 says what for


class Node:
    """An array that remembers how it was made. parents: pairs (node, share)."""

    def __init__(self, value: ArrayLike,
                 parents: Sequence[tuple["Node", Share]] = ()) -> None:
        self.value = np.asarray(value, dtype=float)
        self.grad = np.zeros_like(self.value)  # filled by sweep()
        self.parents, self.born = parents, next(births)


class Tensor(Node):
    """A node with operations; a number or an array will do on the other side."""

    __array_ufunc__ = None  # so that NumPy leaves `array * tensor` to the tensor

    def __add__(self, other: "Tensor | ArrayLike") -> "Tensor":
        return add(*alike(self, other))

    def __mul__(self, other: "Tensor | ArrayLike") -> "Tensor":
        return mul(*alike(self, other))

    __radd__, __rmul__ = __add__, __mul__  # number + tensor, number * tensor

    def __matmul__(self, other: "Tensor | ArrayLike") -> "Tensor":
        return matmul(self, as_tensor(other))

    def __rmatmul__(self, other: ArrayLike) -> "Tensor":
        return matmul(as_tensor(other), self)

    def sum(self) -> "Tensor":
        ones = np.ones_like(self.value)
        return Tensor(self.value.sum(), [(self, lambda g: g * ones)])

    def backward(self) -> None:
        """Fill grad of every node on which this one, a single number, depends."""
        if self.value.size != 1:
            raise ValueError(f"backward() starts at one number, not {self.value.shape}")
        sweep(self)


def as_tensor(value: Tensor | ArrayLike) -> Tensor:
    """A tensor as it is; a number or an array as a tensor without parents."""
    return value if isinstance(value, Tensor) else Tensor(value)


def stretch(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """x repeated to a larger shape, as NumPy would; its gradient: unbroadcast()."""
    if x.value.shape == shape:
        return x
    repeated = np.broadcast_to(x.value, shape)
    return Tensor(repeated, [(x, lambda g: unbroadcast(g, x.value.shape))])


def alike(left: Tensor | ArrayLike, right: Tensor | ArrayLike) -> tuple[Tensor, Tensor]:
    """Both as tensors of one shape."""
    left, right = as_tensor(left), as_tensor(right)
    shape = np.broadcast_shapes(left.value.shape, right.value.shape)
    return stretch(left, shape), stretch(right, shape)


def add(left: Tensor, right: Tensor) -> Tensor:
    """left + right, equal shapes: each gets the gradient as it is."""
    return Tensor(left.value + right.value, [(left, lambda g: g), (right, lambda g: g)])


def topological_order(root: Node) -> list[Node]:
    """All nodes that root depends on, and root: each after its own parents."""
    found, waiting = set(), [root]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [parent for parent, _ in node.parents]
    return sorted(found, key=lambda node: node.born)


def sweep(root: Node) -> None:
    """Fill grad of root (with ones) and of every node on which it depends."""
    order = topological_order(root)
    for node in order:
        node.grad = np.zeros_like(node.value)
    root.grad = np.ones_like(root.value)
    for node in reversed(order):
        for parent, share in node.parents:
            parent.grad = parent.grad + share(node.grad)  # uses add


def mul(left: Tensor, right: Tensor) -> Tensor:
    """left * right, entry by entry, equal shapes."""
    return Tensor(left.value * right.value, [
        (left, lambda g: g * right.value),
        (right, lambda g: g * left.value)])


def matmul(left: Tensor, right: Tensor) -> Tensor:
    """left @ right, (n, m) and (m, k) -> (n, k)."""
    return Tensor(left.value @ right.value, [
        (left, lambda g: g @ right.value.T),
        (right, lambda g: left.value.T @ g)])


def relu(x: Tensor) -> Tensor:
    """max(x, 0), entry by entry."""
    a = np.maximum(x.value, 0)
    return Tensor(a, [(x, lambda g: g * (a > 0))])


def unbroadcast(grad: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum grad over the axes along which an array of this shape was repeated."""
    while grad.ndim > len(shape):          # an axis that NumPy put in front
        grad = grad.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:                    # perhaps stretched
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


def softmax_cross_entropy(logits: Tensor, y: np.ndarray) -> Tensor:
    """Mean cross-entropy as one operation. logits: (B, k), y: (B,) class indices."""
    delta = loss_gradient(logits.value, y)
    return Tensor(cross_entropy(logits.value, y), [(logits, lambda g: g * delta)])
