# ---
# jupyter:
#   course:
#     datasets: [digits]
#     covers: "The machine writes the backward pass: a reverse-mode automatic differentiation of about sixty lines, on which a digit reader trains, equal to the derivation by hand and to GradientTape."
#     prerequisites: [backpropagation]
#     ledger: [D2-3.3.4-a]
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Automatic differentiation
#
# Your digit reader of notebook [[backpropagation]] learns, with a backward pass that you derived and wrote. What fails: it fits that one network. Lay a bypass around a layer, and you derive, write and check again.
#
# Can the machine write the backward pass itself? You build the program that does, about sixty lines (operator signs aside), and write its heart. A new digit reader trains on it, and its numbers equal TensorFlow's.
#
# **You will be able to**
# - draw the record of a computation, and pass gradients back along it with a pencil;
# - write the order, the sweep and the rules of an automatic differentiation;
# - give a repeated bias the sum of its uses;
# - train a network whose backward pass nobody wrote;
# - say when TensorFlow's tape answers `None`.

# %% tags=["setup"]
import itertools
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from course_utils import by_profile, check, claim, data, devices, plotting, solved
from course_utils.lessons.backpropagation import (
    backward, cross_entropy, dense_backward, forward, init_layers, loss_gradient,
    numerical_gradient,
)

plotting.use_style()

# %% [markdown]
# ## 6b.1 What must the machine write down?
#
# Two questions from notebook [[backpropagation]]:
#
# <details><summary>Z = X W, and δ = ∂L/∂Z arrives. What are ∂L/∂W and ∂L/∂X?</summary>
#
# $X^\top\delta$, input times δ, summed over the batch; and $\delta W^\top$, back through the weights.
# </details>
#
# <details><summary>A value is used twice. What happens to its two gradients?</summary>
#
# They add.
# </details>
#
# A backward pass needs a rule for each operation, and an order: results before inputs. So let each operation write into a *record* (计算图) on the way forward, and walk it backward.
#
# Take $f = (3u)(u + 1)$ in three steps: $p = 3u$, $q = u + 1$, $f = p\,q$. A node of the record keeps its value, its *parents* (what it was made from), and for each parent a function.
# That function turns the gradient at the node into the parent's *share* (its name in the field: vector–Jacobian product, *vjp*).

# %% tags=["keep"] lesson="autodiff"
Share = Callable[[np.ndarray], np.ndarray]  # gradient at a node -> a parent's share
births = itertools.count()  # numbers the nodes; 6b.2 says what for


class Node:
    """An array that remembers how it was made. parents: pairs (node, share)."""

    def __init__(self, value: ArrayLike,
                 parents: Sequence[tuple["Node", Share]] = ()) -> None:
        self.value = np.asarray(value, dtype=float)
        self.grad = np.zeros_like(self.value)  # filled by sweep()
        self.parents, self.born = parents, next(births)


# %% [markdown]
# **Predict.** At $u = 2$ is $p = 6$, $q = 3$ and $f = 18$. A gradient of 1 starts at $f$. Which share does $p$ get: 1, 3 or 6?

# %%
def record_of(at):
    """f = (3u)(u + 1) at a number, recorded by hand -> nodes u, p, q, f"""
    u = Node(at)
    p = Node(3 * u.value, [(u, lambda g: 3 * g)])
    q = Node(u.value + 1, [(u, lambda g: g)])
    f = Node(p.value * q.value, [
        (p, lambda g: g * q.value), (q, lambda g: g * p.value)])
    return u, p, q, f


# %% tags=["nbval-check-output"]
u, p, q, f = record_of(2.0)
for name, (parent, share) in zip("pq", f.parents):
    print(f"{name} = {parent.value:g} gets the share {share(1.0):g}")

# %% [markdown]
# 3, the *other* factor: a step in $p$ counts $q$ times.
#
# ### Exercise 6b.1 · a record with a pencil (3 min)
# Draw the four nodes for $u = 4$ instead, pass the 1 back from $f$, and add what arrives at $u$.

# %% tags=["exercise"]
def by_hand():
    """-> the gradients at p, q and u, for u = 4"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6b.1", "a record with a pencil"):
    grads_t = by_hand()
    assert len(grads_t) == 3, f"three gradients, not {len(grads_t)}"
    *_, f_t = record_of(4.0)
    at_p_t, at_q_t = (share(1.0) for _, share in f_t.parents)
    at_u_t = numerical_gradient(lambda u: 3 * u * (u + 1), 4.0)
    for name_t, grad_t, wanted_t in zip("pqu", grads_t, (at_p_t, at_q_t, at_u_t)):
        np.testing.assert_allclose(grad_t, wanted_t, 1e-6, err_msg=f"at {name_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $p = 12$ and $q = 5$. Each gets the other factor. Then $u$ gets 3 times $p$'s gradient and 1 times $q$'s.
# </details>

# %% tags=["solution"]
#@title Solution 6b.1 · runs only while yours does not pass
if not solved("6b.1"):
    def by_hand():
        at_p = 4 + 1                           # q
        at_q = 3 * 4                           # p
        return at_p, at_q, 3 * at_p + at_q


# %% [markdown]
# So that nobody has to write `record_of`, each *operation* writes its own node. A `Tensor` is a `Node` with the signs `+`, `*` and `@`, which call such operations. Plain numbers and arrays beside a sign become tensors, and `.backward()` will call your sweep. The pattern for an operation is addition:

# %% tags=["plumbing", "keep"] lesson="autodiff"
#@title Plumbing: Tensor, a node with the signs + * @ that call add, mul and matmul
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


# %% tags=["plumbing", "keep"] lesson="autodiff"
#@title Plumbing: numbers and arrays become tensors, and both sides get one shape
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


# %% tags=["keep"] lesson="autodiff"
def add(left: Tensor, right: Tensor) -> Tensor:
    """left + right, equal shapes: each gets the gradient as it is."""
    return Tensor(left.value + right.value, [(left, lambda g: g), (right, lambda g: g)])


# %% [markdown]
# ## 6b.2 Whose turn is it to pass on?
#
# The smallest record in which order matters: *two* = one + one, *four* = two + two, *six* = four + two. A gradient of 1 starts at *six*, which passes 1 to *four* and 1 to *two*.
#
# **Predict.** Who passes on next: (a) *two*, (b) *four*, or (c) either, the order doesn't matter?

# %% tags=["nbval-check-output"]
one = Tensor(1.0)
two = add(one, one)
four = add(two, two)
six = add(four, two)
print("births after one:", [n.born - one.born for n in (two, four, six)])

# %% [markdown]
# (b). *four* has 2 more for *two*, which then holds 3 and passes 6 to *one*: six is six times one. If *two* went first, it would pass on only 1, and *one* would get 2.
# A node may pass on only when *all* its uses have reported. And uses are born later, as printed. So list the nodes by birth, a *topological order* (拓扑排序), and walk it backward.
#
# ### Exercise 6b.2 · the order (9 min)
# Collect the root and all that it was made from: each once, parents first.

# %% tags=["exercise"]
def topological_order(root):
    """All nodes that root depends on, and root: a list, each after its own parents.

    node.parents: pairs (parent, share); node.born: number of its birth. Nodes stay as
    they are.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6b.2", "the order"):
    made_t = {"x": Node(1.0), "w": Node(2.0)}
    for name_t, parents_t in (("y", "xx"), ("z", "ywx"), ("v", "zyx"), ("u", "yxz")):
        made_t[name_t] = Node(1.0, [(made_t[parent], abs) for parent in parents_t])
    names_t = {id(node): name for name, node in made_t.items()}
    for root_t, wanted_t in (("u", "uzywx"), ("v", "vzywx"), ("z", "zywx"), ("x", "x")):
        found_t = topological_order(made_t[root_t])
        order_t = [names_t.get(id(node), "?") for node in found_t]
        said_t = f"order {order_t} from root {root_t}"
        assert len(set(order_t)) == len(order_t), f"{said_t}: each node once"
        assert set(order_t) == set(wanted_t), f"{said_t}: the root and what it needs"
        for parent_t, child_t in ("xy", "yz", "wz", "xz", "zv", "yv", "xv", "zu", "yu"):
            if child_t in order_t:
                early_t = order_t.index(parent_t) < order_t.index(child_t)
                assert early_t, f"{said_t}: {parent_t} is a parent of {child_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Keep a list of nodes to visit, `[root]` at first, and a set of those found. Take one from the list; if it is new, put it into the set and its parents on the list. At the end sort by `born`.
# </details>

# %% tags=["solution", "keep"] lesson="autodiff"
#@title Solution 6b.2 · runs only while yours does not pass
if not solved("6b.2"):
    def topological_order(root: Node) -> list[Node]:
        """All nodes that root depends on, and root: each after its own parents."""
        found, waiting = set(), [root]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += [parent for parent, _ in node.parents]
        return sorted(found, key=lambda node: node.born)


# %% [markdown]
# ## 6b.3 What does a sweep leave at each node?
#
# Back to $f = (3u)(u + 1)$ at $u = 2$. First $q$ passes 6 to $u$, then $p$ passes 9.
#
# **Predict.** The easiest mistake is to *set* the parent's gradient instead of adding to it. What does $u$ hold then: 6, 9 or 15?
#
# ### Exercise 6b.3 · the sweep (7 min)
# Ones at the root, zeros everywhere else, so that a second call gives the same. Then let each node pass on.

# %% tags=["exercise"]
def sweep(root):
    """Fill grad of root (with ones) and of every node on which it depends.

    grad: array of the shape of value. Begins at 0 in every call; several uses add.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6b.3", "the sweep"):
    for at_t in (2.0, -0.25):
        u_t, p_t, q_t, f_t = record_of(at_t)
        for call_t in ("first", "second"):
            sweep(f_t)
            for name_t, node_t, wanted_t in (
                    ("f", f_t, 1), ("q", q_t, 3 * at_t), ("p", p_t, at_t + 1),
                    ("u", u_t, 6 * at_t + 3)):
                what_t = f"at {name_t}, u = {at_t}, {call_t} call"
                np.testing.assert_allclose(node_t.grad, wanted_t, err_msg=what_t)
    one_t = Tensor([[1.0, 2.0, 3.0]])
    two_t = add(one_t, one_t)
    four_t = add(two_t, two_t)
    six_t = add(four_t, two_t), add(two_t, four_t)
    for made_t, wanted_t in ((six_t[0], 6), (six_t[1], 6), (two_t, 2)):
        sweep(made_t)
        for node_t, times_t in ((made_t, 1), (one_t, wanted_t)):
            assert np.shape(node_t.grad) == (1, 3), f"shape {np.shape(node_t.grad)}"
            np.testing.assert_allclose(node_t.grad, times_t * np.ones((1, 3)),
                                       err_msg="one + one, doubled, plus one + one")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Two loops over `topological_order(root)`. First set each `grad` to `np.zeros_like(node.value)`, then the root's to ones. Then in `reversed` order, for each `(parent, share)` of a node, add `share(node.grad)` to `parent.grad`.
# </details>

# %% tags=["solution", "keep"] lesson="autodiff"
#@title Solution 6b.3 · runs only while yours does not pass
if not solved("6b.3"):
    def sweep(root: Node) -> None:
        """Fill grad of root (with ones) and of every node on which it depends."""
        order = topological_order(root)
        for node in order:
            node.grad = np.zeros_like(node.value)
        root.grad = np.ones_like(root.value)
        for node in reversed(order):
            for parent, share in node.parents:
                parent.grad = parent.grad + share(node.grad)  # uses add


# %% tags=["nbval-check-output"]
sweep(f)
print("f =", f.value, "  slope at u =", u.grad)

# %% tags=["evidence"]
#@title Evidence: the same sweep, setting instead of adding
u_set, p_set, q_set, f_set = record_of(2.0)
f_set.grad = np.ones_like(f_set.value)
for node in reversed(topological_order(f_set)):
    for parent, share in node.parents:
        parent.grad = share(node.grad)
print("set instead of added: slope at u =", u_set.grad)

# %% [markdown]
# 15, and 9 with the mistake: the last share wins. Without double uses the mistake shows nowhere, so it survives small tests. The shares for other $u$:

# %% tags=["figure"]
#@title Figure: Two shares arrive at u, and they add
def shares_at(at):
    made = record_of(at)
    sweep(made[-1])
    u_box, p_box, q_box, f_box = (
        f"{name} = {node.value + 0:g}\ngradient {node.grad:g}"
        for name, node in zip(("u", "p = 3u", "q = u + 1", "f = p q"), made))
    places = {u_box: (0, 0.5), p_box: (1, 0), q_box: (1, 1), f_box: (2, 0.5)}
    _, p_made, q_made, _ = made
    to_p, to_q = p_made.grad, q_made.grad
    arrows = [(f_box, p_box, f"{to_p:g}"), (f_box, q_box, f"{to_q:g}"),
              (p_box, u_box, f"{3 * to_p:g}"), (q_box, u_box, f"{to_q:g}")]
    return plotting.flow(places, arrows, highlight=[u_box], box_width=1.6,
                         title="Two shares arrive at u, and they add")


plotting.explore(shares_at, at=(-3.0, 3.0, 2.0, 0.25))
plt.show()

# %% [markdown]
# Move the slider to $u = -0.5$: the shares 1.5 and −1.5 cancel, the slope is 0. There $f$ has its minimum.

# %% [markdown]
# ## 6b.4 Which rule does each operation bring?
#
# Order and sweep know no mathematics. All of it sits in the operations, one line per parent.
#
# ### Exercise 6b.4 · three operations (9 min)
# Write them after the pattern of `add`. You know all three rules from notebook [[backpropagation]].

# %% tags=["exercise"]
def mul(left, right):
    """left * right, entry by entry, Tensors of equal shapes -> Tensor"""
    raise NotImplementedError("your turn")


def matmul(left, right):
    """left @ right, Tensors (n, m) and (m, k) -> Tensor (n, k)"""
    raise NotImplementedError("your turn")


def relu(x):
    """max(x, 0), entry by entry -> Tensor. Where x is 0 its slope counts as 0."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6b.4", "three operations"):
    for n_t, m_t, k_t in ((2, 3, 4), (1, 1, 1), (3, 3, 3)):
        rng_t = np.random.default_rng(n_t)
        A_t, C_t, up_t = rng_t.normal(size=(3, n_t, m_t))
        B_t, high_t = rng_t.normal(size=(m_t, k_t)), rng_t.normal(size=(n_t, k_t))
        zero_t = np.where(C_t == C_t.max(), 0, C_t)    # with a 0 among its entries
        cases_t = (
            ("mul", mul, (A_t, C_t), up_t, A_t * C_t, (up_t * C_t, up_t * A_t)),
            ("matmul", matmul, (A_t, B_t), high_t, A_t @ B_t,
             dense_backward(A_t, B_t, high_t)[:2]),
            ("relu", relu, (zero_t,), up_t, zero_t.clip(0), (up_t * (zero_t > 0),)))
        for name_t, made_t, values_t, g_t, value_t, wanted_t in cases_t:
            given_t = [Tensor(value.copy()) for value in values_t]
            out_t = made_t(*given_t)
            assert isinstance(out_t, Tensor), f"{name_t} must return a Tensor"
            np.testing.assert_allclose(out_t.value, value_t, 1e-5, 1e-6, err_msg=name_t)
            for i_t, parent_t in enumerate(given_t):   # every parent gets its share
                what_t = f"{name_t}: share of parent {i_t + 1} of {len(given_t)}"
                shares_t = [s for node, s in out_t.parents if node is parent_t]
                assert len(shares_t) == 1, f"{what_t}: {len(shares_t)} in `parents`"
                try:
                    got_t, again_t = shares_t[0](g_t), shares_t[0](g_t)
                except ValueError as error_t:  # two shapes that don't fit
                    raise AssertionError(f"{what_t}: {error_t}") from error_t
                shape_t = np.shape(got_t)
                assert shape_t == wanted_t[i_t].shape, f"{what_t} has shape {shape_t}"
                np.testing.assert_allclose(got_t, wanted_t[i_t], 1e-5, 1e-6,
                                           err_msg=what_t)
                np.testing.assert_allclose(again_t, wanted_t[i_t], 1e-5, 1e-6,
                                           err_msg=f"{what_t}: g must stay as it was")
                np.testing.assert_array_equal(parent_t.value, values_t[i_t],
                                              "values must stay as they were")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `Tensor(value, [(left, lambda g: …), (right, lambda g: …)])`. A factor's share is the gradient times the other factor. For `matmul` it is $\delta W^\top$ and $X^\top\delta$; for `relu` the gradient where $x > 0$.
# </details>

# %% tags=["solution", "keep"] lesson="autodiff"
#@title Solution 6b.4 · runs only while yours does not pass
if not solved("6b.4"):
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


# %% [markdown]
# `*` and `@` now call your functions.
#
# **Predict.** Your `mul` knows nothing of squares. You write `x * x` at $x = 3$. Is its slope 3, 6, or an error, since one node is both parents?

# %% tags=["nbval-check-output"]
x = Tensor(3.0)
(x * x).backward()
print("slope of x * x at 3:", x.grad)

x = Tensor(2.0)
((3 * x) * (x + 1)).backward()
print("slope of (3x)(x + 1) at 2:", x.grad)

# %% [markdown]
# 6: two shares of 3. And 15 again.

# %% [markdown]
# ## 6b.5 Who used a repeated bias?
#
# A layer adds a bias of shape (3,) to a batch of shape (4, 3). NumPy repeats it silently (*broadcasting*, 广播). That is a use, too.
#
# **Predict.** Every entry of the sum has gradient 1. The gradient of the bias: three times 1, three times 4, or one 12?

# %% tags=["nbval-check-output"]
grad_sum = np.ones((4, 3))                     # one row per example
grad_bias = np.zeros(3)
for row in grad_sum:                           # each example used the bias once
    grad_bias += row
print("slow:", grad_bias, "  fast:", grad_sum.sum(axis=0))

# %% [markdown]
# Three times 4: it has the bias's shape, and four uses add. `+` and `*` call the next function wherever a shape was repeated.
#
# ### Exercise 6b.5 · take the repeats back (8 min)
# Sum a gradient over every axis along which an array of the given shape was repeated: axes that NumPy put in front, and axes of length 1 that it stretched. (`keepdims=True` in `sum` leaves a length of 1 behind.)

# %% tags=["exercise"]
def unbroadcast(grad, shape):
    """The gradient of what was repeated. grad: array -> array of this shape

    (4, 3) for shape (3,): summed over the rows; for (4, 1): over the columns, kept.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6b.5", "take the repeats back"):
    for wide_t, shape_t in (
            ((4, 3), (3,)), ((4, 3), (4, 1)), ((4, 3), (1, 3)), ((4, 3), (4, 3)),
            ((4, 3), ()), ((2, 4, 3), (4, 1)), ((2, 4, 3), (1,)), ((1, 3), (3,)),
            ((4, 1), (1, 1)), ((), ())):
        g_t = np.random.default_rng(5).normal(size=wide_t)
        # slow: each entry of the gradient goes to the place where its value came from
        places_t = np.arange(np.prod(shape_t, dtype=int)).reshape(shape_t)
        wanted_t = np.zeros(places_t.size)
        came_from_t = np.broadcast_to(places_t, wide_t)
        for at_t in np.ndindex(wide_t):
            wanted_t[came_from_t[at_t]] += g_t[at_t]
        wanted_t = wanted_t.reshape(shape_t)
        got_t = unbroadcast(g_t.copy(), shape_t)
        said_t = f"gradient {wide_t} for an array of shape {shape_t}"
        assert np.shape(got_t) == shape_t, f"{said_t}: shape {np.shape(got_t)}"
        np.testing.assert_allclose(got_t, wanted_t, 1e-5, 1e-6, err_msg=said_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# While `grad.ndim > len(shape)`, sum over `axis=0`. Then, for each axis of length 1 in `shape`, sum with `keepdims=True`.
# </details>

# %% tags=["solution", "keep"] lesson="autodiff"
#@title Solution 6b.5 · runs only while yours does not pass
if not solved("6b.5"):
    def unbroadcast(grad: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Sum grad over the axes along which an array of this shape was repeated."""
        while grad.ndim > len(shape):          # an axis that NumPy put in front
            grad = grad.sum(axis=0)
        for axis, length in enumerate(shape):
            if length == 1:                    # perhaps stretched
                grad = grad.sum(axis=axis, keepdims=True)
        return grad


# %% tags=["evidence"]
#@title Evidence: a layer as one line, against the three formulas of the notebook on backpropagation
layer_rng = np.random.default_rng(5)
batch, up = layer_rng.normal(size=(4, 5)), layer_rng.normal(size=(4, 3))
X_in, W_in, b_in = (Tensor(layer_rng.normal(size=s)) for s in ((4, 5), (5, 3), (3,)))
((X_in @ W_in + b_in) * up).sum().backward()
formulas = dense_backward(X_in.value, W_in.value, up)
claim("dL/dX, dL/dW, dL/db of X @ W + b, largest difference",
      max(np.abs(tensor.grad - formula).max()
          for tensor, formula in zip((X_in, W_in, b_in), formulas)), at_most=1e-12)

# %% [markdown]
# ## 6b.6 Does it teach a network to read?
#
# A classifier adds one more operation, softmax with cross-entropy, whose gradient you derived.

# %% tags=["plumbing", "keep"] lesson="autodiff"
#@title Plumbing: softmax_cross_entropy(scores, y), after the pattern of add
def softmax_cross_entropy(logits: Tensor, y: np.ndarray) -> Tensor:
    """Mean cross-entropy as one operation. logits: (B, k), y: (B,) class indices."""
    delta = loss_gradient(logits.value, y)
    return Tensor(cross_entropy(logits.value, y), [(logits, lambda g: g * delta)])


# %% tags=["plumbing"]
#@title Plumbing: small digits, as rows of 64 numbers from 0 to 1
threadpool_limits(1, user_api="blas")  # these products are too small for two
digits = data.digits()
X_train, y_train = digits.x_train.reshape(-1, 64) / 16, digits.y_train
X_test, y_test = digits.x_test.reshape(-1, 64) / 16, digits.y_test
print(f"{digits.name}: {len(X_train):,} training, {len(X_test)} test images of 8 × 8")

# %% [markdown]
# ### Exercise 6b.6 · a reader with a bypass (3 min)
# Its second hidden layer gets a bypass (残差连接), so that a gradient can go around it:
#
# $$h = \mathrm{ReLU}(X W_1 + b_1), \qquad k = h + \mathrm{ReLU}(h W_2 + b_2), \qquad \text{scores} = k W_3 + b_3 .$$

# %% tags=["exercise"]
def with_bypass(theta, X):
    """theta: [W1, b1, W2, b2, W3, b3], Tensors; X: (B, 64) array, which stays as it is

    -> scores, a Tensor (B, 10)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6b.6", "a reader with a bypass"):
    for B_t in (3, 1):
        rng_t = np.random.default_rng(66)
        shapes_t = (6, 4), (4,), (4, 4), (4,), (4, 3), (3,)
        theta_t = [rng_t.normal(size=shape) for shape in shapes_t]
        X_t, up_t = rng_t.normal(size=(B_t, 6)), rng_t.normal(size=(B_t, 3))

        def scores_t(W1, b1, W2, b2, W3, b3):
            h = np.maximum(X_t @ W1 + b1, 0)
            return (h + np.maximum(h @ W2 + b2, 0)) @ W3 + b3

        tensors_t = [Tensor(value.copy()) for value in theta_t]
        out_t = with_bypass(tensors_t, X_t.copy())
        assert isinstance(out_t, Tensor), "compute with Tensors, and return one"
        assert out_t.value.shape == (B_t, 3), f"scores of shape {out_t.value.shape}"
        np.testing.assert_allclose(out_t.value, scores_t(*theta_t), 1e-5, 1e-6,
                                   err_msg="scores")
        (out_t * up_t).sum().backward()
        for i_t, name_t in enumerate(("W1", "b1", "W2", "b2", "W3", "b3")):
            nudged_t = numerical_gradient(lambda v: np.sum(up_t * scores_t(
                *theta_t[:i_t], v, *theta_t[i_t + 1:])), theta_t[i_t])
            np.testing.assert_allclose(
                tensors_t[i_t].grad, nudged_t, 1e-5, 1e-6,
                err_msg=f"gradient of {name_t}: does its record lead to the scores?")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Three lines, as in the formula, with `@`, `+` and `relu`. No `.value`, no NumPy function: they leave the record.
# </details>

# %% tags=["solution"]
#@title Solution 6b.6 · runs only while yours does not pass
if not solved("6b.6"):
    def with_bypass(theta, X):
        W1, b1, W2, b2, W3, b3 = theta
        h = relu(X @ W1 + b1)                  # (B, hidden)
        k = h + relu(h @ W2 + b2)              # (B, hidden)
        return k @ W3 + b3                     # (B, 10)


# %% [markdown]
# Now train it, and simpler networks beside it:

# %%
RATE, BATCH, EPOCHS = 0.1, 32, 40


def train(network, sizes, seed):
    """Descent from a random start. -> the trained tensors"""
    rng = np.random.default_rng(seed)
    theta = [Tensor(array) for layer in init_layers(sizes, rng) for array in layer]
    for _ in range(EPOCHS):
        shuffled = rng.permutation(len(X_train))
        for rows in np.split(shuffled, range(BATCH, len(shuffled), BATCH)):
            scores = network(theta, X_train[rows])
            softmax_cross_entropy(scores, y_train[rows]).backward()
            for tensor in theta:
                tensor.value -= RATE * tensor.grad
    return theta


# %% tags=["plumbing"]
#@title Plumbing: two simpler networks, and compare(network, sizes) over several starts
def no_hidden(theta, X):
    W, b = theta
    return X @ W + b                           # (B, 10)


def one_hidden(theta, X):
    W1, b1, W2, b2 = theta
    return relu(X @ W1 + b1) @ W2 + b2         # (B, 10)


def answers(network, theta, X):
    """The class with the largest score, for every row of X."""
    return network(theta, X).value.argmax(axis=1)


def compare(network, sizes, seeds=by_profile(quick=2, standard=5, full=20)):
    """Train from several starts, print the test accuracy. -> the first one's tensors"""
    trained = [train(network, sizes, seed) for seed in range(seeds)]
    right = [np.mean(answers(network, theta, X_test) == y_test) for theta in trained]
    print(f"{network.__name__}, {seeds} starts:"
          f" {np.mean(right):.3f} ± {np.std(right, ddof=1):.3f} of the test images")
    return trained[0]


# %% [markdown]
# **Predict.** The baseline without a hidden layer reads 95 % of the test images. And your network: 95 %, 97 % or 99.5 %?

# %%
compare(no_hidden, [64, 10])
theta_one = compare(one_hidden, [64, 32, 10])
theta_bypass = compare(with_bypass, [64, 32, 32, 10])

# %% tags=["figure"]
#@title Figure: What your network still misreads
read = answers(with_bypass, theta_bypass, X_test)
missed = np.flatnonzero(read != y_test)[:10]
plotting.image_grid(X_test[missed].reshape(-1, 8, 8), [
    f"{truth}, read {said}" for truth, said in zip(y_test[missed], read[missed])])
plt.suptitle("What your network still misreads", fontweight="bold")
plt.show()

# %% [markdown]
# Half of these ten are eights. On the whole it reads about 97 %, two points above the baseline (40 epochs at rate 0.1, five starts, standard deviation 0.7 points), and no better than one hidden layer here. What counts is the price of the bypass: three lines, and no derivation.

# %% tags=["evidence"]
#@title Evidence: one sweep equals the backward pass of the notebook on backpropagation
scores_one = one_hidden(theta_one, X_test[:64])
softmax_cross_entropy(scores_one, y_test[:64]).backward()
layers_one = [(W.value, b.value) for W, b in zip(theta_one[::2], theta_one[1::2])]
inputs_one, logits_one = forward(layers_one, X_test[:64])
derived = backward(layers_one, inputs_one, loss_gradient(logits_one, y_test[:64]))
claim("test accuracy with a bypass, first start",
      np.mean(answers(with_bypass, theta_bypass, X_test) == y_test), at_least=0.95)
claim("one hidden layer: sweep against derivation, largest difference",
      max(np.abs(tensor.grad - ours).max()
          for tensor, ours in zip(theta_one, itertools.chain(*derived))), at_most=1e-12)

# %% [markdown]
# ## 6b.7 When does TensorFlow answer `None`?
#
# TensorFlow's `GradientTape` is your record as a list in order of execution, which is the order of birth. Your trained network on it:

# %% tags=["plumbing"]
#@title Plumbing: TensorFlow, imported only now
tf = devices.setup(seed=0)

# %%
weights = [tf.Variable(tensor.value) for tensor in theta_bypass]
with tf.GradientTape() as tape:
    W1, b1, W2, b2, W3, b3 = weights
    h = tf.nn.relu(tf.constant(X_test[:64]) @ W1 + b1)
    k = h + tf.nn.relu(h @ W2 + b2)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(y_test[:64], k @ W3 + b3)
    loss = tf.reduce_mean(each)
from_tape = tape.gradient(loss, weights)

# %% tags=["evidence"]
#@title Evidence: your sixty lines and GradientTape give the same numbers
softmax_cross_entropy(with_bypass(theta_bypass, X_test[:64]), y_test[:64]).backward()
claim("with a bypass: sweep against GradientTape, largest difference",
      max(np.abs(tensor.grad - theirs.numpy()).max()
          for tensor, theirs in zip(theta_bypass, from_tape)), at_most=1e-10)

# %% [markdown]
# A tape *watches* variables: only from them does it record a path. Five sources, and a result made from each:
#
# 1. a variable, squared · 2. a constant, squared · 3. a variable, taken out by `.numpy()` and squared · 4. a variable, rounded · 5. a variable that the result doesn't use
#
# **Predict.** How many of the five get a number: one, three or five?

# %% tags=["plumbing"]
#@title Plumbing: tape_slope(source, formula), what the tape says of one number
def tape_slope(source, formula):
    with tf.GradientTape() as tape:
        result = formula(source)
    return tape.gradient(result, source)


# %%
variable = tf.Variable(3.0)
print("a variable  ", tape_slope(variable, lambda v: v * v))
print("a constant  ", tape_slope(tf.constant(3.0), lambda v: v * v))
print("via NumPy   ", tape_slope(variable, lambda v: tf.square(v.numpy())))
print("rounded     ", tape_slope(variable, lambda v: tf.round(v)))
print("not used    ", tape_slope(variable, lambda v: tf.constant(1.0)))

# %% [markdown]
# One. `None` is no zero. It says that no differentiable path of the record leads from the result to the source: a constant isn't watched, `.numpy()` leaves the record, rounding has no useful slope, the last formula ignores its source.
#
# **In Keras** `fit` keeps such a tape for every batch.
#
# <details><summary>The tape's switches</summary>
#
# - `tape.watch(x)` records a constant too.
# - A `tf.Variable` made with `trainable=False` isn't watched by itself: `None`. (A Keras layer that is frozen later still gets numbers; `fit` merely doesn't update it.)
# - A tape answers once; a second question raises `RuntimeError`. With `persistent=True` it answers as often as you ask.
# - `unconnected_gradients="zero"` turns `None` into 0, and hides the mistake.
# </details>

# %% tags=["evidence"]
#@title Evidence: the four switches do what the list says
frozen, constant = tf.Variable(3.0, trainable=False), tf.constant(3.0)
with tf.GradientTape() as tape:
    tape.watch(constant)
    result = constant * constant * frozen
print("watched:", tape.gradient(result, constant).numpy(),
      " frozen:", tape_slope(frozen, lambda v: v * v))
try:
    tape.gradient(result, constant)
except RuntimeError as error:
    print("asked twice:", str(error)[:40], "…")
with tf.GradientTape(persistent=True) as tape:
    result = variable * variable
as_zero = tape.gradient(result, frozen, unconnected_gradients="zero")
print("persistent:", *(tape.gradient(result, variable).numpy() for _ in range(2)),
      " unconnected:", as_zero.numpy())

# %% [markdown]
# ## 6b.8 What else has a gradient? ◇
#
# The images are nodes of the record, too. So you may leave the weights alone and turn the *pixels*, down the loss of a wrong class. Take eight handwritten threes.
#
# **Predict.** In small steps of descent (rate 0.01), until your network reads an 8: how far have the 64 pixels moved on average (0 is white, 1 black): 0.06, 0.2 or 0.5?

# %%
def turned_into(image, target, rate=0.01):
    """image: (64,) -> the first image on the way that is read as target"""
    pixels = Tensor(image[None])
    for _ in range(1000):
        scores = with_bypass(theta_bypass, pixels)
        if scores.value.argmax() == target:
            break
        softmax_cross_entropy(scores, np.array([target])).backward()
        pixels.value = np.clip(pixels.value - rate * pixels.grad, 0, 1)
    return pixels.value[0]


# %%
threes = X_test[y_test == 3][:8]
eights = np.array([turned_into(image, 8) for image in threes])
change = np.abs(eights - threes).mean(axis=1)  # per image
print(f"mean change of a pixel: {change.min():.2f} to {change.max():.2f}")

# %% tags=["figure"]
#@title Figure: A small change of the pixels makes the network read eights
both = np.concatenate([threes, eights])
plotting.image_grid(both.reshape(-1, 8, 8), answers(with_bypass, theta_bypass, both),
                    columns=8)
plt.suptitle("A small change of the pixels makes the network read eights",
             fontweight="bold")
plt.show()

# %% [markdown]
# 0.04 to 0.09: you still see threes. (Longer steps move them further; it is no minimum.) A gradient finds the network's weak spots as readily as its strong ones (notebook [[privacy_and_security]]).

# %% [markdown]
# ## 6b.9 Why is the sweep right for every network? ◇
#
# Let the nodes be $v_1, \ldots, v_m$ in order of birth, $v_m = L$, each computed from earlier ones. Nudge $v_i$ by $\mathrm{d}v_i$. The change reaches $L$ along every path of arrows, multiplied by the local slope of each arrow, and paths add:
#
# $$\frac{\partial L}{\partial v_i} = \sum_{\text{paths } i \to m} \;\prod_{\text{arrows}} \text{local slope}
# = \sum_{k \text{ uses } i} \frac{\partial L}{\partial v_k}\, \frac{\partial v_k}{\partial v_i}.$$
#
# The second form groups the paths by their first arrow, $i \to k$. Induction from the end: it holds for $v_m$, where the only path is empty and the product is 1. If it holds for all $k > i$, it holds for $v_i$, because every child of $v_i$ is born later. That sum is what `sweep` accumulates, and when it reaches $v_i$ all children have contributed.
#
# **Predict.** `t = t + t`, twenty times. How many paths lead from the last node to the first, and how many arrows does the sweep walk?

# %% tags=["nbval-check-output"]
first = t = Tensor(1.0)
for _ in range(20):
    t = t + t
t.backward()
arrows_walked = sum(len(node.parents) for node in topological_order(t))
print(f"gradient {first.grad:,.0f} = number of paths; arrows walked: {arrows_walked}")

# %% [markdown]
# A million paths, forty arrows. Sharing the work of all paths with a common end is the whole economy of backpropagation. An order that lists a node once for every path, or a recursion without memory, would lose it.

# %% [markdown]
# ## 6b.10 How do a residual layer and layer normalization go backward? ◇
#
# A Transformer block is built from these two, dense layers and attention (notebook [[embeddings_and_attention]]). Frameworks write some pieces as *one* operation: fewer nodes, less memory. Then somebody has to derive its shares after all.
#
# ### Exercise 6b.10a · a residual layer as one operation (8 min)
# $H = X + \mathrm{ReLU}(XW + b)$, with $X, H$ $(B, d)$, $W$ $(d, d)$, $b$ $(d,)$. How many paths lead from $X$ to $H$?

# %% tags=["exercise"]
def residual(X, W, b):
    """X + relu(X W + b) as one node with three parents. Tensors -> Tensor (B, d)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6b.10a", "a residual layer as one operation"):
    for B_t, d_t in ((5, 3), (2, 4), (1, 2)):
        rng_t = np.random.default_rng(B_t)
        values_t = [rng_t.normal(size=s) for s in ((B_t, d_t), (d_t, d_t), (d_t,))]
        up_t = rng_t.normal(size=(B_t, d_t))
        whole_t = lambda X, W, b: X + np.maximum(X @ W + b, 0)
        tensors_t = [Tensor(value.copy()) for value in values_t]
        out_t = residual(*tensors_t)
        np.testing.assert_allclose(out_t.value, whole_t(*values_t), 1e-5, 1e-6,
                                   err_msg="forward values")
        found_t = [node for node, _ in out_t.parents]
        assert len(found_t) == 3, f"{len(found_t)} parents, not three: X, W and b"
        assert set(found_t) == set(tensors_t), "the parents are X, W and b"
        (out_t * up_t).sum().backward()
        for i_t, name_t in enumerate("XWb"):
            nudged_t = numerical_gradient(lambda v: np.sum(up_t * whole_t(
                *values_t[:i_t], v, *values_t[i_t + 1:])), values_t[i_t])
            np.testing.assert_allclose(tensors_t[i_t].grad, nudged_t, 1e-5, 1e-6,
                                       err_msg=f"gradient of {name_t}")
    off_t = Tensor(np.zeros((1, 2))), Tensor(np.eye(2)), Tensor(np.zeros(2))
    residual(*off_t).sum().backward()
    np.testing.assert_allclose(off_t[0].grad, [[1, 1]], err_msg="ReLU's slope at 0: 0")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Two paths: through the layer and around it. With $\delta = g$ where $XW + b > 0$, else 0, $X$ gets $g + \delta W^\top$. `W` and `b` get what a dense layer's would.
# </details>

# %% tags=["solution"]
#@title Solution 6b.10a · runs only while yours does not pass
if not solved("6b.10a"):
    def residual(X, W, b):
        z = X.value @ W.value + b.value        # (B, d)
        return Tensor(X.value + np.maximum(z, 0), [
            (X, lambda g: g + (g * (z > 0)) @ W.value.T),
            (W, lambda g: X.value.T @ (g * (z > 0))),
            (b, lambda g: (g * (z > 0)).sum(axis=0))])


# %% [markdown]
# ### Exercise 6b.10b · layer normalization as one operation (18 min)
# The hardest one here. For each row $x$ of length $d$:
#
# $$u = \frac{x - \mu}{s}, \qquad \mu = \frac1d \sum_i x_i, \qquad s = \sqrt{\frac1d \sum_i (x_i - \mu)^2 + \epsilon}, \qquad \epsilon = 10^{-5}.$$
#
# Three paths lead from $x_i$ to the outputs: directly, through $\mu$ ($\partial\mu/\partial x_i = 1/d$) and through $s$
# ($\partial s/\partial x_i = u_i/d$). On paper they collapse to
#
# $$\frac{\partial L}{\partial x} = \frac1s \left( g - \overline{g} - u \; \overline{g \odot u} \right),$$
#
# with $g = \partial L/\partial u$ and the bar for the mean over the row. Derive it if you can; check it in any case.

# %% tags=["exercise"]
def layer_norm(x):
    """Rows to mean 0, variance 1 (less where ε counts). x: Tensor -> Tensor (B, d)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6b.10b", "layer normalization as one operation"):
    def normalized_t(v):
        spread = v - v.mean(axis=1, keepdims=True)
        return spread / np.sqrt((spread**2).mean(axis=1, keepdims=True) + 1e-5)

    # 0.01: ε matters; then one row, and rows that are 0.1 everywhere
    cases_t = ((1.0, (3, 5)), (0.01, (3, 5)), (1.0, (1, 4)), (0.0, (2, 3)))
    for spread_t, shape_t in cases_t:
        start_t, factor_t = np.random.default_rng(5).normal(size=(2, *shape_t))
        start_t = 0.1 + spread_t * start_t
        x_t = Tensor(start_t.copy())
        out_t = layer_norm(x_t)
        np.testing.assert_allclose(out_t.value, normalized_t(start_t), 1e-5, 1e-6,
                                   err_msg="forward values: ε in the root? row means?")
        (out_t * factor_t + x_t).sum().backward()
        nudged_t = numerical_gradient(
            lambda v: np.sum(factor_t * normalized_t(v) + v), start_t, 1e-6)
        np.testing.assert_allclose(x_t.grad, nudged_t, 1e-5, 1e-4, err_msg="dL/dx")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Keep `u` and `s` of the forward pass; every mean is over `axis=1` with `keepdims=True`.
# For the derivation: $\partial u_j/\partial x_i = \frac1s\left([i=j] - \frac1d - \frac1d\, u_i u_j\right)$.
# </details>

# %% tags=["solution"]
#@title Solution 6b.10b · runs only while yours does not pass
if not solved("6b.10b"):
    def layer_norm(x):
        def row_mean(v):
            return v.mean(axis=1, keepdims=True)

        centered = x.value - row_mean(x.value)
        s = np.sqrt(row_mean(centered**2) + 1e-5)
        u = centered / s
        return Tensor(u, [
            (x, lambda g: (g - row_mean(g) - u * row_mean(g * u)) / s)])


# %% [markdown]
# ## 6b.11 Why in reverse? ◇
#
# The chain rule also works forward: carry, beside each value, its slope along one input. No record, no second pass.
#
# **Predict.** Your network with the bypass has one loss. How many forward passes does its whole gradient take: 1, 64 (the pixels), or as many as it has parameters?

# %%
class Dual:
    """A value, and its slope along one input."""

    def __init__(self, value, slope=0.0):
        self.value, self.slope = value, slope

    def __add__(self, other):
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        return Dual(self.value * other.value,
                    self.slope * other.value + self.value * other.slope)


# %% tags=["nbval-check-output"]
along_u = Dual(2.0, 1.0)                       # u changes by 1 per unit of u
f_along_u = (Dual(3.0) * along_u) * (along_u + Dual(1.0))
print("f =", f_along_u.value, "  slope along u =", f_along_u.slope)
count = sum(tensor.value.size for tensor in theta_bypass)
print(f"{count:,} parameters: {count:,} passes forward, or one sweep backward")

# %% [markdown]
# One pass per *input* of the derivative, against one sweep per *output*. A loss is one number with thousands to billions of inputs: reverse. The other way round, with one knob and many outputs, forward mode wins, and it keeps no record. Brightness is such a knob: how do the ten scores change with it?

# %% tags=["evidence"]
#@title Evidence: ten slopes along brightness, by one pass forward or by ten sweeps
W1, b1, W2, b2, W3, b3 = (tensor.value for tensor in theta_bypass)
image = X_test[:1]                                         # (1, 64)
z1 = image @ W1 + b1
h_value, h_slope = np.maximum(z1, 0), (image @ W1) * (z1 > 0)
z2 = h_value @ W2 + b2
forward_slopes = (h_slope + (h_slope @ W2) * (z2 > 0)) @ W3      # (1, 10)
reverse_slopes = np.empty((1, 10))
for j in range(10):
    brightness = Tensor(1.0)
    (with_bypass(theta_bypass, brightness * image) * np.eye(10)[j]).sum().backward()
    reverse_slopes[0, j] = brightness.grad
claim("forward against reverse, largest difference",
      np.abs(forward_slopes - reverse_slopes).max(), at_most=1e-12)

# %% [markdown]
# ## 6b.12 Where does it break? ◇
#
# In TensorFlow, a loop that is quickly written: two steps of descent on $w^2$, from $w = 2$.
#
# **Predict.** Which slope does step 2 print: 3.2, 4.0 or `None`?

# %%
weight = tf.Variable(2.0)
for step in (1, 2):
    with tf.GradientTape() as tape:
        square = weight * weight
    print("step", step, "slope:", tape.gradient(square, weight))
    weight = weight - 0.1 * 4.0

# %% [markdown]
# `None`. The minus made a plain tensor, and `weight` now stands for it. Change a variable in place: `weight.assign_sub(0.4)`.
#
# And in your own record:
#
# **Predict.** You record `w * w` at $w = 3$, set `w.value` to 10, and only then sweep. Which slope do you get: 6, 20, or an error?

# %%
w = Tensor(3.0)
w_squared = w * w
w.value = np.asarray(10.0)                     # between forward and backward
w_squared.backward()
print("slope of w * w at 3:", w.grad)

# %%
record = topological_order(softmax_cross_entropy(
    with_bypass(theta_bypass, X_train[:128]), y_train[:128]))
# a repeated bias is a view (stride 0) and takes no memory of its own
kept = sum(n.value.nbytes for n in record if n.parents and 0 not in n.value.strides)
print(f"the record of 128 images: {len(record)} nodes, {kept / 1e3:.0f} kB of results,"
      f" {sum(t.value.nbytes for t in theta_bypass) / 1e3:.0f} kB of parameters")

low = tf.Variable(-200.0)
print("slope of log σ(z) at -200, composed:", tape_slope(
    low, lambda z: tf.math.log(tf.sigmoid(z))).numpy(), " as one operation:",
    tape_slope(low, tf.math.log_sigmoid).numpy())

# %% [markdown]
# - **Values that change.** 20, and no error: the solution's `mul` reads the factor when the sweep comes. Update parameters only after the sweep.
# - **Memory.** The record lives at least until the sweep is over: every intermediate result of every layer (notebook [[training_at_scale]]).
# - **A right rule for a bad formula.** The composed log σ is right on paper and `nan` in float32; one operation with its own rule is right in both. That is why softmax and cross-entropy are one operation.
# - **Only what ran is recorded.** An `if` leaves the branch that was taken, and the choice itself has no slope.
#
# **What a product team should ask.** Which of our operations have a hand-written gradient, and does a test nudge them? Does our training loop stop when a variable gets `None`? How much of our memory is the record?

# %% [markdown]
# ## Open task: an operation of your own
#
# Write one more operation: `tanh`, a maximum over rows, or another loss. It takes one line per parent. Judge it by nudging, put it into a network, and train. What did you have to derive, and what not?

# %%
# Your code.

# %% [markdown]
# ## Recall
#
# <details><summary>1. What does a node of the record keep?</summary>
#
# Its value, its parents, and for each parent a function that turns the gradient at the node into the parent's share.
# </details>
#
# <details><summary>2. Why must the sweep walk against the order of birth?</summary>
#
# A node may pass on only when all its uses have reported, and each use is born later than what it uses.
# </details>
#
# <details><summary>3. A bias (10,) is added to 32 rows. What becomes of the gradient (32, 10) on its way to the bias?</summary>
#
# It is summed over the 32 rows: (10,). Every row was a use, and uses add.
# </details>
#
# <details><summary>4. `tape.gradient` returns `None`. Name three possible reasons.</summary>
#
# The source is a constant that isn't watched; the computation left the record through NumPy; the result doesn't depend on the source. (Or it was rounded.)
# </details>
#
# <details><summary>5. A network has a million weights and one loss. How many sweeps does its gradient take?</summary>
#
# One: it starts at the loss and passes every node once.
# </details>

# %% [markdown]
# ## Summary
#
# 1. The forward pass writes a record: value, parents, and a share function per parent.
# 2. Backward is an order and a sum: latest birth first, and the shares of several uses add.
# 3. All mathematics sits in the operations, one line per parent. A repeat is a use.
# 4. A new network costs a new forward pass, and no derivation.
# 5. `None` says that no path of the record leads there.
#
# **Read this next:** A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind (2018), *Automatic differentiation in machine learning: a survey*.
#
# <details><summary>References</summary>
#
# - A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind (2018). Automatic differentiation in machine learning: a survey. *Journal of Machine Learning Research* 18(153), 1–43.
# - S. Linnainmaa (1976). Taylor expansion of the accumulated rounding error. *BIT* 16, 146–160. The reverse mode, before neural networks used it.
# - A. Griewank, A. Walther (2008). *Evaluating Derivatives*, 2nd edition. SIAM.
# - K. He, X. Zhang, S. Ren, J. Sun (2016). Deep residual learning for image recognition. *CVPR*, 770–778. The bypass.
# - J. L. Ba, J. R. Kiros, G. E. Hinton (2016). Layer normalization. arXiv:1607.06450.
# </details>
#
# **Next:** notebook [[repairing_a_network]], a script whose mistakes no framework finds for you. Then [[optimizers]]: how far to step?
