# ---
# jupyter:
#   course:
#     datasets: [mnist]
#     covers: "From the chain rule to backpropagation in matrix form; the gradient check; automatic differentiation in 60 lines; the articles' classifier repaired."
#     prerequisites: [neurons_and_layers]
#     ledger: [D1-4.2-d, D2-3.3.4-a, D3-3.1-b, D3-3.2-e,
#       D3-4.1-a, D3-4.1-b, D3-4.1-c, D3-4.1-d,
#       D3-4.2-a, D3-4.2-b, D3-4.2-c, D3-4.2-d, D3-4.2-e, D3-4.2-f,
#       D3-4.3-a, D3-4.3-b, D3-4.3-c, D3-4.3-d, D3-4.3-e, D3-4.3-f,
#       D3-4.3-g, D3-4.3-h, D3-4.3-i, D3-4.3-j,
#       D4-3.1-a, D4-4.2-a, D4-4.2-b, D5-3.1-c]
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
# # Backpropagation
#
# A network misreads a digit. Which of its hundred thousand weights are to blame, in which direction, and how much?
# Backpropagation (反向传播) answers for all of them at once, at about the price of two more predictions.
# You derive it here from one neuron up, and every formula meets a cell that tries to break it.
#
# **You will be able to**
# - derive the gradient of a multilayer network in matrix form and state every shape;
# - check any gradient numerically, and say how exact such a check can be;
# - write reverse-mode automatic differentiation in about sixty lines and add operations to it;
# - find the six mistakes of a widely copied training script and repair them;
# - recognize vanishing gradients, dead units and saturated units in a figure.

# %% tags=["setup"]
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike

from course_utils import (
    by_profile, check, claim, data, devices, plotting, profile, solved,
)

plotting.use_style()
rng = np.random.default_rng(0)

# %% [markdown]
# ## 6.1 The question: what does each weight do to the loss?
#
# Start with the smallest network there is: one neuron (神经元), two inputs, one example.
# It computes $\hat y = \sigma(x \cdot w + b)$ and pays the loss $L = \tfrac12(\hat y - y)^2$.
# Turn one weight and watch the loss.

# %%
x, y = np.array([1.0, 2.0]), 1.0  # one example and its label
w, b = np.array([0.8, -0.4]), 0.1  # the neuron's weights and bias

# %% tags=["keep"] lesson="backpropagation"
def sigmoid(z: ArrayLike) -> np.ndarray:
    """1 / (1 + e^-z) for any shape, in the precision of z and right at both ends."""
    # logaddexp(0, u) is log(1 + e^u); exp(-z) itself would overflow
    return np.exp(-np.logaddexp(0, -np.asarray(z)))


# %%
def neuron_loss(w, b):
    """Half squared error of the neuron on the example above. w: (2,), b: scalar."""
    return 0.5 * (sigmoid(x @ w + b) - y) ** 2


# %% tags=["figure"]
#@title Figure: The slope says which way to turn a weight, and what it buys
turned = np.linspace(-4, 6, 101)
curve = [neuron_loss(np.array([w1, w[1]]), b) for w1 in turned]
here, nudge = neuron_loss(w, b), 1e-5
slope = (neuron_loss(w + [nudge, 0], b) - neuron_loss(w - [nudge, 0], b)) / (2 * nudge)

fig, ax = plt.subplots(figsize=(6, 3.2))
ax.plot(turned, curve, label="loss")
near = w[0] + np.array([-2, 2])
ax.plot(near, here + slope * (near - w[0]), "--", label=f"slope {slope:.3f}")
ax.plot(w[0], here, "o", color=plotting.RED, label="the neuron now")
ax.set(title="The slope says which way to turn a weight, and what it buys",
       xlabel="weight $w_1$", ylabel="loss $L$")
ax.legend()
plt.show()

# %% [markdown]
# At $w_1 = 0.8$ the slope is −0.118: raise $w_1$ by 0.1 and the loss falls by about 0.012.
# That slope is the partial derivative $\partial L / \partial w_1$, the other weights held still; all of them together are the *gradient* (梯度).
#
# We got it by *nudging*: two evaluations of the loss for one weight. Count what that costs for the digit reader of section 6.12,
# with 784 inputs, 128 hidden units and 10 classes.

# %% tags=["nbval-check-output"]
weights = (784 * 128 + 128) + (128 * 10 + 10)
print(f"{weights:,} weights and biases:"
      f" {2 * weights:,} forward passes for one gradient")

# %% [markdown]
# One gradient is one step of training, and training takes thousands. Backpropagation gets the same numbers from
# *one* forward and *one* backward pass. Where it sits in training:

# %% tags=["figure"]
#@title Figure: Backpropagation computes gradients; the optimizer moves the weights
plotting.flow(
    {"batch\nX, y": (0, 0), "forward pass\nŷ and loss L": (1, 0),
     "backward pass\nall ∂L/∂w": (2, 0), "update\nw ← w − η ∂L/∂w": (3, 0)},
    [("batch\nX, y", "forward pass\nŷ and loss L"),
     ("forward pass\nŷ and loss L", "backward pass\nall ∂L/∂w"),
     ("backward pass\nall ∂L/∂w", "update\nw ← w − η ∂L/∂w"),
     ("update\nw ← w − η ∂L/∂w", "batch\nX, y", "next batch")],
    highlight=["backward pass\nall ∂L/∂w"],
    title="Backpropagation computes gradients; the optimizer moves the weights",
)
plt.show()

# %% [markdown]
# Document 3, 3.1 and 3.2, lets backpropagation "update" the parameters, Document 4, 3.1, lets it "optimize" them (notebook [[start_here]] says what the documents are). It changes nothing: it ends with the gradients,
# of biases as well as weights. The update is a separate step (here gradient descent, $\eta$ the learning rate), and notebook [[optimizers]]
# replaces it several times without touching the backward pass. Nor does following gradients promise the *global* minimum.

# %% [markdown]
# ## 6.2 One neuron: the chain rule, read backward
#
# Split the neuron into steps, each easy to differentiate:
#
# $$z = x \cdot w + b, \qquad a = \sigma(z), \qquad L = \tfrac12 (a - y)^2 .$$
#
# $z$ is the *pre-activation* (净输入), $a$ the *activation* (激活值); Document 3, 4.1, and Document 4, 4.2, call $z$ the activation, which hides where
# $\sigma$ acts. The chain rule (链式法则) multiplies the steps' own derivatives, from the loss back:
#
# $$\frac{\partial L}{\partial a} = a - y, \qquad
# \delta := \frac{\partial L}{\partial z} = \frac{\partial L}{\partial a}\,\sigma'(z), \qquad
# \frac{\partial L}{\partial w} = \delta\, x, \qquad
# \frac{\partial L}{\partial b} = \delta .$$
#
# For the sigmoid $\sigma'(z) = e^{-z}/(1 + e^{-z})^2 = a(1-a)$: the backward pass reuses what the forward pass computed.

# %% tags=["nbval-check-output"]
z = x @ w + b
a = sigmoid(z)
loss = 0.5 * (a - y) ** 2
print(f"forward   z = {z:.3f}   a = {a:.3f}   L = {loss:.3f}")

grad_a = a - y
delta = grad_a * a * (1 - a)
grad_w, grad_b = delta * x, delta
print(f"backward  dL/da = {grad_a:.3f}   delta = {delta:.3f}")
print(f"          dL/dw = ({grad_w[0]:.3f}, {grad_w[1]:.3f})   dL/db = {grad_b:.3f}")

# %% tags=["figure"]
#@title Figure: Forward fills the top row; backward multiplies from right to left
start, pre, end, seed = "x, w, b", f"z = {z:.3f}", f"L = {loss:.3f}", "∂L/∂L = 1"
act, back_a = f"a = σ(z)\n= {a:.3f}", f"∂L/∂a\n= {grad_a:.3f}"
back_z = f"δ = ∂L/∂z\n= {delta:.3f}"
back_w = f"∂L/∂w =\n({grad_w[0]:.3f}, {grad_w[1]:.3f})"
plotting.flow(
    {start: (0, 0), pre: (1, 0), act: (2, 0), end: (3, 0),
     back_w: (0, 1), back_z: (1, 1), back_a: (2, 1), seed: (3, 1)},
    [(start, pre), (pre, act), (act, end), (end, seed),
     (seed, back_a, "× (a−y)"), (back_a, back_z, "× σ′(z)"), (back_z, back_w, "× x")],
    highlight=[back_w, back_z, back_a, seed],
    title="Forward fills the top row; backward multiplies from right to left",
)
plt.show()


# %% [markdown]
# Each backward arrow multiplies by one *local* derivative, known at that step alone. Nothing in the bottom row needs to know the
# whole network: that is why the method scales.
#
# Is −0.118 right? It is the slope we measured in 6.1. Make that measurement a tool, and use it on everything from here on.

# %% tags=["keep"] lesson="backpropagation"
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


# %% tags=["plumbing"]
#@title Plumbing: how the checks below compare gradients
def assert_same(names, got, expected):
    """Assert equal shapes and values, and name the gradient that differs."""
    assert len(got) == len(expected), f"{len(got)} results, {len(expected)} expected"
    for name, ours, right in zip(names.split(), got, expected):
        shape = np.shape(ours)
        assert shape == right.shape, f"{name} has shape {shape}, not {right.shape}"
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-6, err_msg=name)


# %% tags=["nbval-check-output"]
nudged = numerical_gradient(lambda w: neuron_loss(w, b), w)
print(f"nudged  dL/dw = ({nudged[0]:.3f}, {nudged[1]:.3f})")
difference = np.abs(nudged - grad_w).max()
print("differs from the chain rule by less than 1e-10:", difference < 1e-10)

# %% [markdown]
# One more rule completes the chain rule: **where a value is used twice, its gradients add.** Take $f(x) = x\,\sigma(x)$, the SiLU activation of
# several recent language models. $x$ reaches $f$ by two paths, and $f'(x) = \sigma(x) + x\,\sigma'(x)$ has one term for each.

# %% tags=["nbval-check-output"]
v = np.array([-2.0, 0.5, 3.0])
s = sigmoid(v)
both_paths, one_path = s + v * s * (1 - s), s
by_nudging = numerical_gradient(lambda v: np.sum(v * sigmoid(v)), v)
print("both paths ", both_paths.round(4))
print("one path   ", one_path.round(4))
print("nudged     ", by_nudging.round(4))


# %% [markdown]
# With one path forgotten, even the sign can be wrong, as at $x = -2$.

# %% [markdown]
# ### Exercise 6.2 · backward through ReLU (4 min)
# ReLU is $\phi(z) = \max(z, 0)$, entry by entry. Given the gradient that arrives from above, $\partial L/\partial a$, return $\partial L/\partial z$.
# At $z = 0$ there is no derivative; take 0, as TensorFlow does.

# %% tags=["exercise"]
def relu_backward(grad_a, z):
    """Gradient before a ReLU, from the gradient after it.

    grad_a, z: same shape -> that shape
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.2", "backward through ReLU"):
    for shape_t in ((5, 4), (1, 3), (6,)):
        up_t, z_t = np.random.default_rng(62).normal(size=(2, *shape_t))
        nudged_t = numerical_gradient(lambda z: np.sum(up_t * np.maximum(z, 0)), z_t)
        assert_same("dL/dz", [relu_backward(up_t.copy(), z_t.copy())], [nudged_t])
    kink_t = relu_backward(np.array([3.0]), np.array([0.0]))
    np.testing.assert_array_equal(kink_t, [0.0], "at z = 0 the gradient is 0")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\phi'(z)$ is 1 where $z > 0$ and 0 elsewhere. One multiplication.
# </details>

# %% tags=["solution"]
#@title Solution 6.2 · runs only while yours does not pass
if not solved("6.2"):
    def relu_backward(grad_a, z):
        return grad_a * (z > 0)


# %% [markdown]
# ## 6.3 Backward through a layer
#
# A layer is many neurons reading many examples. With $B$ examples as rows:
#
# | symbol | shape | meaning |
# |---|---|---|
# | $X$ | $(B, d_{in})$ | inputs, one example per row |
# | $W,\ b$ | $(d_{in}, d_{out}),\ (d_{out},)$ | weights, biases |
# | $Z = XW + b$ | $(B, d_{out})$ | pre-activations; $b$ is added to every row |
# | $\delta = \partial L/\partial Z$ | $(B, d_{out})$ | arrives from above |
#
# What are $\partial L/\partial W$, $\partial L/\partial b$ and $\partial L/\partial X$? Write one entry, $z_{nj} = \sum_i x_{ni}\, w_{ij} + b_j$, and ask who uses what:
#
# - $w_{ij}$ is used by every example $n$, for output $j$ only, with factor $x_{ni}$. Paths add: $\;\partial L/\partial w_{ij} = \sum_n x_{ni}\,\delta_{nj}$
# - $b_j$ is used by every example $n$, with factor 1: $\;\partial L/\partial b_j = \sum_n \delta_{nj}$
# - $x_{ni}$ is used by every output $j$, with factor $w_{ij}$: $\;\partial L/\partial x_{ni} = \sum_j \delta_{nj}\, w_{ij}$
#
# The three sums are matrix products: the first, say, is column $i$ of $X$ times column $j$ of $\delta$, entry $(i, j)$ of $X^\top\delta$. With $\delta_n$ for row $n$:
#
# $$\boxed{\;\frac{\partial L}{\partial W} = X^\top \delta
# \qquad \frac{\partial L}{\partial b} = \sum_n \delta_n
# \qquad \frac{\partial L}{\partial X} = \delta\, W^\top\;}$$
#
# A gradient has the shape of what it belongs to. Since $B$, $d_{in}$ and $d_{out}$ usually differ, only one arrangement of transposes fits:
# a wrong one mostly fails at once.

# %% tags=["keep"] lesson="backpropagation"
def dense_backward(X: np.ndarray, W: np.ndarray, delta: np.ndarray
                   ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of Z = X W + b from delta = dL/dZ.

    X: (B, d_in), W: (d_in, d_out), delta: (B, d_out)
    -> dL/dX (B, d_in), dL/dW (d_in, d_out), dL/db (d_out,)
    """
    return delta @ W.T, X.T @ delta, delta.sum(axis=0)


# %% [markdown]
# To test it, let any fixed numbers play $\delta$: the loss $\sum \delta \odot Z$ has exactly that gradient at $Z$ ($\odot$ multiplies entry by entry).

# %% tags=["nbval-check-output"]
layer_rng = np.random.default_rng(3)
X_in, W_in = layer_rng.normal(size=(5, 4)), layer_rng.normal(size=(4, 3))
b_in = layer_rng.normal(size=3)
delta_in = layer_rng.normal(size=(5, 3))
by_rule = dense_backward(X_in, W_in, delta_in)
by_nudge = [numerical_gradient(lambda X: np.sum(delta_in * (X @ W_in + b_in)), X_in),
            numerical_gradient(lambda W: np.sum(delta_in * (X_in @ W + b_in)), W_in),
            numerical_gradient(lambda b: np.sum(delta_in * (X_in @ W_in + b)), b_in)]
for name, rule, nudge in zip(["dL/dX", "dL/dW", "dL/db"], by_rule, by_nudge):
    difference = np.abs(rule - nudge).max()
    print(f"{name} {rule.shape!s:7} agrees to 1e-9: {difference < 1e-9}")


# %% [markdown]
# ### Exercise 6.3 · a layer that scales each feature (8 min)
# Layer normalization in GPT-2 ends with $Z = X \odot g + b$: each column of $X$ $(B, d)$ times its own *gain* $g$ $(d,)$, plus its own bias $b$ $(d,)$.
# Ask who uses what, then write the three gradients.

# %% tags=["exercise"]
def scale_backward(X, g, delta):
    """Gradients of Z = X * g + b from delta = dL/dZ.

    X, delta: (B, d), g: (d,) -> dL/dX (B, d), dL/dg (d,), dL/db (d,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.3", "backward through a scaling layer"):
    for shape_t in ((5, 3), (2, 6), (1, 4)):
        rng_t = np.random.default_rng(shape_t[0])
        X_t, up_t = rng_t.normal(size=(2, *shape_t))
        g_t, b_t = rng_t.normal(size=(2, shape_t[1]))
        score_t = lambda X, g, b: np.sum(up_t * (X * g + b))
        nudged_t = (numerical_gradient(lambda X: score_t(X, g_t, b_t), X_t),
                    numerical_gradient(lambda g: score_t(X_t, g, b_t), g_t),
                    numerical_gradient(lambda b: score_t(X_t, g_t, b), b_t))
        got_t = scale_backward(X_t.copy(), g_t.copy(), up_t.copy())
        assert_same("dL/dX dL/dg dL/db", got_t, nudged_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# $z_{nj} = x_{nj}\, g_j + b_j$. The gain $g_j$ is used by every example $n$; $x_{nj}$ is used once.
# </details>

# %% tags=["solution"]
#@title Solution 6.3 · runs only while yours does not pass
if not solved("6.3"):
    def scale_backward(X, g, delta):
        return delta * g, (delta * X).sum(axis=0), delta.sum(axis=0)


# %% [markdown]
# ## 6.4 The gradient at the output: softmax and cross-entropy
#
# A classifier ends with two steps: softmax turns a row of *logits* (未归一化的得分) into probabilities, and
# cross-entropy (交叉熵) scores them against the label. Backward, the two collapse into one subtraction. Where does it come from?
#
# Take one example. Logits $z \in \mathbb{R}^k$, probabilities $p_j = e^{z_j} / \sum_m e^{z_m}$, true class $c$, loss $L = -\log p_c$:
#
# With $S = \sum_m e^{z_m}$ the loss is $L = -z_c + \log S$. By the chain rule $\partial \log S / \partial z_j = \frac1S\, e^{z_j} = p_j$, and $-z_c$ contributes $-1$ if $j$ is the true class, else 0.
# Write $[j = c]$ for 1 if $j = c$, else 0:
#
# $$\frac{\partial L}{\partial z_j} = p_j - [j = c].$$
#
# For a batch of $B$ rows, with one-hot labels $Y$ of shape $(B, k)$ and the *mean* loss:
# $\;\delta = (P - Y)/B$, shape $(B, k)$.

# %% tags=["keep"] lesson="backpropagation"
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


# %% tags=["figure"]
#@title Figure: Belief minus truth is the gradient
four, columns, true_class = np.array([[2.0, 0.5, 1.5, -1.0]]), np.arange(4), 2
fig, axes = plt.subplots(1, 2, figsize=(7, 3.1), sharey=True)
axes[0].bar(columns - 0.2, softmax(four)[0], 0.4, label="belief $p$")
axes[0].bar(columns + 0.2, np.eye(4)[true_class], 0.4, label="truth",
            color=plotting.GRAY)
axes[0].set(title="belief and truth", xlabel="class", xticks=columns)
axes[0].legend()
pull = output_delta(four, np.array([true_class]))[0]
axes[1].bar(columns, pull, color=np.where(pull > 0, plotting.RED, plotting.GREEN))
axes[1].set(title="their difference", xlabel="class",
            ylabel=r"$\partial L / \partial z$", xticks=columns)
fig.suptitle("Belief minus truth is the gradient", fontweight="bold")
plt.show()
print("gradient:", pull.round(3), " sum below 1e-12:", abs(pull.sum()) < 1e-12)

# %% [markdown]
# The true class, 2, is believed at 0.32, so its gradient is −0.68: raising that logit lowers the loss. The three others are pushed down, each
# by exactly the probability wrongly spent on it. The gradients of a row always sum to zero.
#
# Don't take the subtraction on trust. Central differences know nothing about our algebra:

# %% tags=["nbval-check-output"]
check_rng = np.random.default_rng(4)
scores, classes = check_rng.normal(size=(4, 3)), np.array([0, 2, 1, 2])
difference = output_delta(scores, classes) - numerical_gradient(
    lambda z: cross_entropy(z, classes), scores)
print("agrees to 1e-10:", np.abs(difference).max() < 1e-10)


# %% [markdown]
# ### Exercise 6.4 · the same for sigmoid and binary cross-entropy (8 min)
# One logit per row, $p = \sigma(z)$, $L = -y \log p - (1-y)\log(1-p)$, mean over the batch. Derive $\partial L / \partial z$ on paper
# (it is as short), then write it.

# %% tags=["exercise"]
def binary_delta(z, y):
    """Gradient of the mean binary cross-entropy.

    z: (B,) logits, y: (B,) labels 0 or 1 -> (B,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.4", "gradient of sigmoid + binary cross-entropy"):
    for size_t in (7, 3, 1):
        rng_t = np.random.default_rng(size_t)
        z_t, y_t = rng_t.normal(size=size_t), rng_t.integers(0, 2, size_t)
        nudged_t = numerical_gradient(
            lambda z: np.mean(np.logaddexp(0, z) - y_t * z), z_t)
        assert_same("dL/dz", [binary_delta(z_t.copy(), y_t.copy())], [nudged_t])

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\log(1 + e^{z}) - yz$ is the same loss; differentiate that.
# </details>

# %% tags=["solution"]
#@title Solution 6.4 · runs only while yours does not pass
if not solved("6.4"):
    def binary_delta(z, y):
        return (sigmoid(z) - y) / len(y)


# %% [markdown]
# ## 6.5 How far can a gradient check be trusted?
#
# The checks above agreed to nine or ten decimals. Why not to sixteen, and why the step $h = 10^{-5}$? Try every $h$, in double and in single precision.

# %%
def check_errors(dtype, hs):
    """Largest error of the central difference for each h; the loss is in dtype."""
    exact = output_delta(scores, classes)
    loss = lambda z: cross_entropy(z.astype(dtype), classes)
    return [np.abs(exact - numerical_gradient(loss, scores, h)).max() for h in hs]


hs = np.logspace(-13, 0, 66)
errors64, errors32 = check_errors(np.float64, hs), check_errors(np.float32, hs)

# %% [markdown]
# Two errors compete. Taylor's series says $f(z\pm h) = f \pm h f' + \tfrac12 h^2 f'' \pm \tfrac16 h^3 f''' + \dots$; subtract, divide by $2h$, and the formula is off by $\tfrac16 |f'''|\, h^2$ (*truncation*).
# And a computer stores $f$ only to a relative precision $\varepsilon$ (`np.finfo(dtype).eps`: 2·10⁻¹⁶ in float64, 1·10⁻⁷ in float32); the difference of two nearly equal numbers keeps that error while $2h$ in the denominator
# blows it up to about $\varepsilon |f| / h$ (*rounding*). With numbers: for $f = 1$, $h = 10^{-10}$ and $\varepsilon = 2\cdot10^{-16}$ the slope is off by about $2\cdot10^{-6}$:
#
# $$E(h) \approx \frac{|f'''|}{6}\, h^2 + \frac{\varepsilon\, |f|}{h},
# \qquad E'(h) = 0 \;\Rightarrow\; h^\ast = \left(\frac{3\,\varepsilon\,|f|}{|f'''|}\right)^{1/3} \sim \varepsilon^{1/3},
# \qquad E(h^\ast) \sim \varepsilon^{2/3}.$$
#
# ($\sim$ means: up to a constant factor.) Nothing in it needs fitting: for softmax with cross-entropy $f''' = p(1-p)(1-2p)/B$, which is $p_j - [j = c]$ differentiated twice more. Lay it over the measurement.

# %%
belief = softmax(scores)
third = np.abs(belief * (1 - belief) * (1 - 2 * belief)).max() / len(classes)
fig, ax = plt.subplots(figsize=(6.4, 3.8))
for errors, dtype, color in ((errors32, np.float32, plotting.ORANGE),
                             (errors64, np.float64, plotting.BLUE)):
    eps = np.finfo(dtype).eps
    predicted = third / 6 * hs**2 + eps * cross_entropy(scores, classes) / hs
    ax.loglog(hs, errors, "o", ms=3, color=color, label=dtype.__name__)
    ax.loglog(hs, predicted, color=color, lw=1)
    ax.axvline(eps ** (1 / 3), color=color, ls=":", lw=1.2)
    ax.text(eps ** (1 / 3), 1.6e-14, r" $\varepsilon^{1/3}$", color=color)
ax.set(title="Too small a step is as bad as too large a one", ylim=(1e-14, 1e3),
       xlabel="step $h$ (lines: the formula, nothing fitted)", ylabel="largest error")
ax.legend()
plt.show()

for errors, dtype in ((errors64, np.float64), (errors32, np.float32)):
    best, root = np.argmin(errors), np.finfo(dtype).eps ** (1 / 3)
    print(f"{dtype.__name__}: smallest error {errors[best]:.0e}"
          f" at h = {hs[best]:.0e}; the cube root of ε is {root:.0e}")


# %% [markdown]
# From the right, the error falls a hundredfold for every tenfold smaller $h$: slope 2, truncation. Further left it rises tenfold: slope −1, rounding.
# The bottom lies where the two meet, within a factor of ten of $\varepsilon^{1/3}$ in both precisions (the constant $(3|f|/|f'''|)^{1/3}$ moves it to the right). In float32 the best possible check
# is about a million times worse; and once $h$ is too small to change $z$ at all, the measured slope is 0 and the error stays flat.
#
# **A working rule.** Check in float64 with $h = 10^{-5}$; for each parameter array, divide the largest difference by its largest gradient. Below $10^{-6}$ the gradient is almost surely *right*.
# Above $10^{-3}$, first rule out a kink between $z - h$ and $z + h$, such as ReLU's at 0 (move the point, or change $h$); then it is *a bug*.

# %% [markdown]
# ### Exercise 6.5 · half the price, at what cost? (12 min)
# The one-sided difference $(f(z + h) - f(z))/h$ needs $f(z)$ only once, so $n + 1$ evaluations instead of $2n$. Write it.
# Its truncation error is $\tfrac12|f''|\,h$: redo the minimization above and return the best step in float64, to within a factor of ten (a number such as `1e-5`).

# %% tags=["exercise"]
def one_sided_gradient(f, z, h):
    """(f(z + h) - f(z)) / h, entry by entry. Calls f z.size + 1 times.

    z: any shape, stays as it was -> the same shape
    """
    raise NotImplementedError("your turn")


def best_one_sided_step():
    """The step with the smallest error in float64, to within a factor of ten."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.5", "one-sided differences"):
    for shape_t in ((2, 3), (1,), ()):
        weights_t, point_t = np.random.default_rng(5).normal(size=(2, *shape_t))
        calls_t, given_t = [], np.array(point_t)

        def parabola_t(z):
            calls_t.append(1)
            return np.sum(weights_t * z**2)

        got_t = one_sided_gradient(parabola_t, given_t, 1e-3)
        np.testing.assert_array_equal(given_t, point_t, "z must stay as it was")
        # for a parabola the one-sided difference is known exactly: 2wz + wh
        exact_t = weights_t * (2 * point_t + 1e-3)
        np.testing.assert_allclose(got_t, exact_t, rtol=1e-7, atol=1e-8,
                                   err_msg=f"gradient of shape {shape_t}")
        assert len(calls_t) == given_t.size + 1, (
            f"f was called {len(calls_t)} times for {given_t.size} entries")
    best_t = best_one_sided_step()
    assert 1.4e-9 < best_t < 1.6e-7, f"got {best_t}; minimize h + ε/h with ε = 2e-16"

# %% [markdown]
# <details><summary>Hint</summary>
#
# $E(h) \approx c_1 h + c_2\,\varepsilon/h$ is smallest where $h^2 \sim \varepsilon$; `np.finfo(float).eps` is $\varepsilon$.
# </details>

# %% tags=["solution"]
#@title Solution 6.5 · runs only while yours does not pass
if not solved("6.5"):
    def one_sided_gradient(f, z, h):
        base, grad = f(z), np.empty_like(z)
        for i in np.ndindex(z.shape):
            up = z.copy()
            up[i] += h
            grad[i] = (f(up) - base) / h
        return grad


    def best_one_sided_step():
        return np.finfo(float).eps ** 0.5

# %% [markdown]
# ## 6.6 A whole network in matrix form
#
# Stack layers $l = 1 \ldots N$. Layer 0 is the input, $a^{(0)} = X$. Forward:
#
# $$z^{(l)} = a^{(l-1)} W^{(l)} + b^{(l)}, \qquad a^{(l)} = \phi(z^{(l)}) \;\text{ for } l < N,$$
#
# and the last layer's $z^{(N)}$ are the logits. Backward, start at the output with 6.4, and go down layer by layer with 6.3 and 6.2:
#
# $$\boxed{\;
# \delta^{(N)} = \frac{P - Y}{B}, \qquad
# \delta^{(l)} = \left(\delta^{(l+1)}\, W^{(l+1)\top}\right) \odot \phi'(z^{(l)}), \qquad
# \frac{\partial L}{\partial W^{(l)}} = a^{(l-1)\top} \delta^{(l)}, \qquad
# \frac{\partial L}{\partial b^{(l)}} = \sum_n \delta^{(l)}_n
# \;}$$
#
# The middle formula is the heart of it: *blame flows back through the same weights the signal came through*.

# %% tags=["figure"]
#@title Figure: Every gradient has the shape of what it belongs to (784-128-10)
top = ["X\n(B, 784)", "z¹\n(B, 128)", "a¹ = φ(z¹)\n(B, 128)", "z²\n(B, 10)", "L\n()"]
low = ["no need\nof ∂L/∂X", "δ¹\n(B, 128)", "∂L/∂a¹\n(B, 128)", "δ²\n(B, 10)", "1"]
box_W1, box_W2 = "∂L/∂W¹ = Xᵀδ¹\n(784, 128)", "∂L/∂W² = a¹ᵀδ²\n(128, 10)"
boxes = {name: (i, 0) for i, name in enumerate(top)}
boxes |= {name: (i, 1) for i, name in enumerate(low)}
boxes |= {box_W1: (1, 2), box_W2: (3, 2)}
arrows = [(top[0], top[1], "W¹, b¹"), (top[1], top[2], "φ"), (top[2], top[3], "W², b²"),
          (top[3], top[4], "CE"), (top[4], low[4]), (low[4], low[3], "(P−Y)/B"),
          (low[3], low[2], "W²ᵀ"), (low[2], low[1], "⊙ φ′"), (low[1], low[0]),
          (low[1], box_W1), (low[3], box_W2)]
plotting.flow(boxes, arrows, highlight=[*low, box_W1, box_W2], box_width=1.4,
              title="Every gradient has the shape of what it belongs to (784-128-10)")
plt.show()


# %% [markdown]
# The figure as code, for any number of layers. The forward pass keeps each layer's input, because the backward pass needs it. Python counts from 0: `layers[i]` holds $W^{(i+1)}, b^{(i+1)}$,
# and `inputs[i]` is $a^{(i)}$. For ReLU $\phi'(z) = [z > 0] = [a > 0]$, so $z$ need not be kept.

# %% tags=["keep"] lesson="backpropagation"
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


# %% tags=["nbval-check-output"]
net_rng = np.random.default_rng(6)
small_net = init_layers([4, 6, 5, 3], net_rng)
X_small, y_small = net_rng.normal(size=(8, 4)), net_rng.integers(0, 3, 8)
small_inputs, small_logits = forward(small_net, X_small)
small_gradients = backward(small_net, small_inputs,
                           output_delta(small_logits, y_small))


def loss_with(i, W):
    """Loss of the small network with W as the weights of layer i, counted from 0."""
    changed = [*small_net[:i], (W, small_net[i][1]), *small_net[i + 1:]]
    return cross_entropy(forward(changed, X_small)[1], y_small)


for i, (grad_W, _) in enumerate(small_gradients):
    by_nudging = numerical_gradient(lambda W: loss_with(i, W), small_net[i][0])
    off = np.abs(by_nudging - grad_W).max() / np.abs(by_nudging).max()
    print(f"layer {i + 1}: dL/dW {grad_W.shape}, relative error below 1e-7:"
          f" {off < 1e-7}")


# %% [markdown]
# Three layers, three shapes, all weights right (6.14 checks the biases, too). These three functions train the digit reader in 6.12.

# %% [markdown]
# ### Exercise 6.6 · a residual layer (8 min)
# Deep networks, GPT included, are built from layers with a bypass: $H = X + \phi(XW + b)$ with $\phi$ = ReLU, all of $X, H$ shape $(B, d)$, $W$ $(d, d)$.
# Given $\partial L/\partial H$, return the gradients of $X$, $W$ and $b$. How many paths lead from $X$ to $H$?

# %% tags=["exercise"]
def residual_backward(X, W, b, grad_H):
    """Gradients of H = X + relu(X W + b).

    X, grad_H: (B, d), W: (d, d), b: (d,) -> dL/dX (B, d), dL/dW (d, d), dL/db (d,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.6", "backward through a residual layer"):
    for B_t, d_t in ((5, 3), (2, 4), (1, 2)):
        rng_t = np.random.default_rng(B_t)
        X_t, up_t = rng_t.normal(size=(2, B_t, d_t))
        W_t, b_t = rng_t.normal(size=(d_t, d_t)), rng_t.normal(size=d_t)
        score_t = lambda X, W, b: np.sum(up_t * (X + np.maximum(X @ W + b, 0)))
        nudged_t = (numerical_gradient(lambda X: score_t(X, W_t, b_t), X_t),
                    numerical_gradient(lambda W: score_t(X_t, W, b_t), W_t),
                    numerical_gradient(lambda b: score_t(X_t, W_t, b), b_t))
        got_t = residual_backward(X_t.copy(), W_t.copy(), b_t.copy(), up_t.copy())
        assert_same("dL/dX dL/dW dL/db", got_t, nudged_t)
    off_t = residual_backward(np.zeros((1, 2)), np.eye(2), np.zeros(2), np.ones((1, 2)))
    np.testing.assert_allclose(off_t[0], [[1, 1]], err_msg="at z = 0 ReLU's slope is 0")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Two paths: through the layer and around it. Gradients add, so $\partial L/\partial X = \partial L/\partial H + \delta W^\top$ with the right $\delta$.
# </details>

# %% tags=["solution"]
#@title Solution 6.6 · runs only while yours does not pass
if not solved("6.6"):
    def residual_backward(X, W, b, grad_H):
        delta = grad_H * (X @ W + b > 0)
        return grad_H + delta @ W.T, X.T @ delta, delta.sum(axis=0)

# %% [markdown]
# ## 6.7 What does it cost?
#
# Nudging needs two forward passes *per weight*. The backward pass has two matrix products per layer where the forward pass has one, and only one in
# the first layer. Count multiplications: a gradient should cost about two forward passes for one hidden layer, and up to three for a deep network, *whatever the number of weights*.
# Measure both as the network $w$-$w$-10 grows.

# %% tags=["plumbing"]
#@title Plumbing: how a forward pass, a gradient and nudging are timed
from threadpoolctl import threadpool_limits

# products this small gain little from more threads and lose much on a busy machine
threadpool_limits(1, user_api="blas")


def seconds(f, repeats):
    """Shortest of several timings: whatever else the machine does only adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)


def cost_of_gradient(width, nudge, batch=64):
    """Weights; seconds of a forward pass, a backprop gradient, a nudged gradient."""
    layers = init_layers([width, width, 10], rng)
    X, y = rng.normal(size=(batch, width)), rng.integers(0, 10, batch)
    loss = lambda: cross_entropy(forward(layers, X)[1], y)

    def backprop():
        inputs, logits = forward(layers, X)
        return backward(layers, inputs, output_delta(logits, y))

    arrays = [array for layer in layers for array in layer]
    # one array is nudged in place of all, each entry at the same cost
    nudging = lambda: [loss() for array in arrays for _ in range(2 * array.size)]
    repeats = 30 if width < 300 else 5
    count = sum(array.size for array in arrays)
    nudged = seconds(nudging, 1) if nudge else np.nan
    return count, seconds(loss, repeats), seconds(backprop, repeats), nudged


# %%
widths = 2 ** np.arange(2, by_profile(quick=6, standard=11, full=12))
largest_nudged = by_profile(quick=16, standard=64, full=128)
costs = np.array([cost_of_gradient(width, width <= largest_nudged) for width in widths])
count, forward_time, backprop_time, nudging_time = costs.T

fig, ax = plt.subplots(figsize=(6.4, 3.8))
ax.loglog(count, nudging_time, "o-", color=plotting.RED, label="nudging, measured")
ax.loglog(count, 2 * count * forward_time, ":", color=plotting.RED,
          label="2 × weights × forward pass")
ax.loglog(count, backprop_time, "o-", color=plotting.BLUE, label="backpropagation")
ax.loglog(count, forward_time, "--", color=plotting.GRAY, label="one forward pass")
ax.set(title="The gap grows in proportion to the network",
       xlabel="weights and biases", ylabel="seconds per gradient")
ax.legend()
plt.show()

# %%
known = ~np.isnan(nudging_time)
speedup = nudging_time[known][-1] / backprop_time[known][-1]
print("backprop gradient / forward pass, median over the sizes:"
      f" {np.median(backprop_time / forward_time):.1f}")
claim(f"times faster than nudging at {count[known][-1]:,.0f} weights", speedup,
      at_least=500, applies=profile() != "quick")
slow = 2 * weights * np.interp(weights, count, forward_time)
fast_way = np.interp(weights, count, backprop_time)
print(f"one gradient of {weights:,} weights: {slow:.0f} s by nudging,"
      f" {1e3 * fast_way:.2g} ms by backpropagation")


# %% [markdown]
# Read the slopes on the log–log chart. Nudging makes $2P$ forward passes for $P$ weights: slope 1 while a pass costs only Python's overhead (left), and towards
# slope 2 once each pass costs time in proportion to $P$ as well (right). Backpropagation follows the forward pass, slope 0 and then 1, a constant factor above it.
# The median ratio printed above can fall below two: at small sizes Python's overhead counts for more than the products. So the advantage is proportional to $P$: thousands at the last point
# that was measured by nudging (which is timed once, so a busy machine makes it look worse), and of the order of a billion for a model of a billion weights. That a gradient costs at most a small multiple of its
# function, however many inputs there are, is called the *cheap gradient principle* (Griewank & Walther, 2008).

# %% [markdown]
# ## 6.8 Let the machine apply the chain rule: autodiff in about sixty lines
#
# Deriving by hand ends when the network changes every week. But look at what the backward pass used: for each operation, its *local* rule; and an order,
# outputs before inputs. So record every operation during the forward pass, then walk the record backward. That is reverse-mode
# *automatic differentiation* (自动微分), which Document 2, 3.3.4, names as the source of gradients, and the core of TensorFlow and PyTorch.
#
# First the engine. Each node keeps its value, its parents, and for each parent a function that turns the gradient at the node into the parent's share:
# a *vector–Jacobian product*, or vjp (the Jacobian is the table of all ∂output/∂input; nobody ever builds it).

# %% tags=["keep"] lesson="backpropagation"
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


# %% tags=["keep"] lesson="backpropagation"
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


# %% [markdown]
# Then the operations: one line forward, one line per parent backward. You know every rule already; `unbroadcast` is the sum over the batch that $b$ needed in 6.3.

# %% tags=["keep"] lesson="backpropagation"
def unbroadcast(grad: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum grad over the axes along which an array of this shape was repeated."""
    # axes that NumPy put in front: (3,) -> (5, 3); then axes stretched from length 1
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    return grad.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


# %% tags=["keep"] lesson="backpropagation"
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


# %% tags=["keep"] lesson="backpropagation"
def as_tensor(value: Tensor | ArrayLike) -> Tensor:
    """A tensor as it is; a number or an array as a tensor without parents."""
    return value if isinstance(value, Tensor) else Tensor(value)


# %% [markdown]
# The neuron of 6.1 again. This time nobody tells the machine a derivative of the neuron.

# %%
x_node = Tensor([[1.0, 2.0]], name="x")
w_node = Tensor([[0.8], [-0.4]], name="w")
b_node = Tensor(0.1, name="b")
miss_node = (x_node @ w_node + b_node).sigmoid() + -1.0  # a − y
(0.5 * miss_node * miss_node).sum().backward()
print("dL/dw =", w_node.grad.ravel().round(3), " dL/db =", b_node.grad.round(3))

# %% tags=["evidence"]
#@title Evidence: numbers and arrays on either side, and a chain of 5,000 operations
array = np.array([[1.0, -2.0]])
left_and_right = {
    "2 + t": (2 + w_node, w_node + 2), "2 * t": (2 * w_node, w_node * 2),
    "array * t": (array * w_node, w_node * array),
    "array @ t": (array @ w_node, Tensor(array) @ w_node)}
for name, pair in left_and_right.items():
    reached = []
    for result in pair:
        result.sum().backward()
        reached += [result.value, w_node.grad]
    same = all(map(np.array_equal, reached[:2], reached[2:]))
    print(f"{name:10} equal to the other order, forward and backward: {same}")


def gradient_through(additions):
    """Gradient that reaches a number to which 1 is added again and again."""
    start = end = Tensor(0.1)
    for _ in range(additions):
        end = end + 1
    end.backward()
    return float(start.grad)


print("after 5,000 additions the gradient is", gradient_through(5000))


# %% [markdown]
# The numbers of 6.2. Now the record itself, for a neuron with the SiLU activation $z\,\sigma(z)$, which uses $z$ twice. The figure is drawn from the nodes; only
# the places of the boxes are ours.

# %%
def draw_graph(root, places, title):
    """Draw the record behind a node. places: a node's name -> (column, row)."""
    nodes = topological_order(root)
    show = lambda array: "  ".join(f"{v:.3g}" for v in array.flat)
    text = {id(node): f"{node.name} :  {show(node.value)}\ngrad  {show(node.grad)}"
            for node in nodes}
    boxes = {text[id(node)]: places[node.name] for node in nodes}
    arrows = [(text[id(p)], text[id(node)]) for node in nodes for p, _ in node.parents]
    inputs = [text[id(node)] for node in nodes if not node.parents]
    return plotting.flow(boxes, arrows, highlight=inputs, title=title)


z_node = x_node @ w_node + b_node
silu = z_node * z_node.sigmoid()
silu.backward()
places = {"x": (0, 0), "w": (0, 1), "@": (1, 0), "b": (1, 1), "+": (2, 0),
          "σ": (3, 1), "×": (4, 0)}
draw_graph(silu, places, "What backward() walks, from right to left")
plt.show()


# %% [markdown]
# Orange boxes are inputs. Two paths lead from $z$ (the box `+`) to the output: directly, with share $\sigma(z) = 0.525$, and through `σ`, with share
# $z\,\sigma'(z) = 0.025$. Its `grad` is their sum, 0.55, and it must be complete before $z$ passes anything on: that is what the topological order is for.

# %% [markdown]
# A classifier needs one more operation. We add softmax with cross-entropy as *one* node, with the backward rule derived in 6.4, and run the network of 6.6 through it.

# %% tags=["keep"] lesson="backpropagation"
def softmax_cross_entropy(logits: Tensor, y: np.ndarray) -> Tensor:
    """Mean cross-entropy as one operation. logits: (B, k), y: (B,) class indices."""
    delta = output_delta(logits.value, y)
    return Tensor(cross_entropy(logits.value, y), [(logits, lambda g: g * delta)], "CE")


# %%
parameters = [(Tensor(W), Tensor(b)) for W, b in small_net]
h = Tensor(X_small)
for W_l, b_l in parameters[:-1]:
    h = (h @ W_l + b_l).relu()
W_l, b_l = parameters[-1]
softmax_cross_entropy(h @ W_l + b_l, y_small).backward()

# %% tags=["nbval-check-output"]
difference = max(np.abs(tensor.grad - by_hand).max()
                 for pair, hand in zip(parameters, small_gradients)
                 for tensor, by_hand in zip(pair, hand))
print("autodiff and the hand-derived backward pass agree to 1e-14:", difference < 1e-14)


# %% [markdown]
# Why *reverse*? One backward sweep gives the gradient of **one output with respect to every input**. The forward mode (carry derivatives along with values)
# gives one input's effect on every output per sweep. A loss is one number and a network has millions of inputs to it, so reverse wins; the price is memory, because the whole
# record must be kept until the sweep (6.15).

# %% [markdown]
# ### Exercise 6.8a · add an operation: tanh (6 min)
# Write $\tanh$ as an operation on tensors. Its derivative is $1 - \tanh^2(z)$. Model it on `sigmoid` above.

# %% tags=["exercise"]
def tanh(z):
    """Hyperbolic tangent, entry by entry. z: Tensor -> Tensor of the same shape."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.8a", "tanh in the autodiff"):
    for shape_t in ((3, 4), (1, 1)):
        start_t, factor_t = np.random.default_rng(81).normal(size=(2, *shape_t))
        z_t = Tensor(start_t.copy())
        out_t = tanh(z_t)
        np.testing.assert_allclose(out_t.value, np.tanh(start_t), rtol=1e-6,
                                   err_msg="forward values")
        # z_t is used twice: by tanh and directly
        (out_t * factor_t + z_t * factor_t).sum().backward()
        nudged_t = numerical_gradient(
            lambda v: np.sum(factor_t * (np.tanh(v) + v)), start_t)
        assert_same("dL/dz", [z_t.grad], [nudged_t])

# %% [markdown]
# <details><summary>Hint</summary>
#
# Compute the value once, then give the one parent the vjp `lambda g: g * (local derivative)`.
# </details>

# %% tags=["solution"]
#@title Solution 6.8a · runs only while yours does not pass
if not solved("6.8a"):
    def tanh(z):
        a = np.tanh(z.value)
        return Tensor(a, [(z, lambda g: g * (1 - a**2))], "tanh")


# %% [markdown]
# ### Exercise 6.8b · add a layer type: layer normalization (18 min)
# The hardest one here, and a layer that the Transformer has twice in every block. For each row $x$ of length $d$:
#
# $$u = \frac{x - \mu}{s}, \qquad \mu = \frac1d \sum_i x_i, \qquad s = \sqrt{\frac1d \sum_i (x_i - \mu)^2 + \epsilon}, \qquad \epsilon = 10^{-5}.$$
#
# Write it as one operation; as in 6.8a, return `Tensor(value, [(x, vjp)], name)`. Three paths lead from $x_i$ to the outputs: directly, through $\mu$ ($\partial\mu/\partial x_i = 1/d$) and through $s$
# ($\partial s/\partial x_i = u_i/d$). On paper they collapse to
#
# $$\frac{\partial L}{\partial x} = \frac1s \left( g - \overline{g} - u \; \overline{g \odot u} \right),$$
#
# with $g = \partial L/\partial u$ and the bar for the mean over the row. Derive it if you can; check it in any case.

# %% tags=["exercise"]
def layer_norm(x):
    """Every row to mean 0 and variance 1. x: Tensor (B, d) -> Tensor (B, d)."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.8b", "layer normalization in the autodiff"):
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
#@title Solution 6.8b · runs only while yours does not pass
if not solved("6.8b"):
    def layer_norm(x):
        def row_mean(v):
            return v.mean(axis=1, keepdims=True)

        centered = x.value - row_mean(x.value)
        s = np.sqrt(row_mean(centered**2) + 1e-5)
        u = centered / s
        return Tensor(u, [
            (x, lambda g: (g - row_mean(g) - u * row_mean(g * u)) / s)], "layer_norm")

# %% [markdown]
# ## 6.9 Spot the bug: a widely copied derivation
#
# Now you can judge what circulates. Document 1, 4.2, promises a derivation of the multilayer network and gives three definitions. Document 3, 4.1 and 4.2, has a widely copied version;
# in its notation, with $W$ of shape $(d_{out}, d_{in})$ and one example:
#
# | | as copied | as derived above |
# |---|---|---|
# | 1 | $z^{(l)} = \sigma(W^{(l)}x^{(l-1)} + b^{(l)})$, then $a^{(l)} = \sigma(z^{(l)})$ | $z^{(l)} = W^{(l)}a^{(l-1)} + b^{(l)}$: $\sigma$ acts once, and layer $l$ reads *activations* |
# | 2 | $y^{(l)} = W^{(l+1)} a^{(l)} + b^{(l+1)}$ | that is $z^{(l+1)}$; the name $y$ is taken by the label |
# | 3 | $L = \frac12 \sum_i (\hat y^{(l)}_i - y^{(l)}_i)^2$ for a layer $l$ | right at the output only; hidden layers have no labels |
# | 4 | $\partial L/\partial z_i = 2(\hat y_i - y_i)$ | $\delta_i = (\hat y_i - y_i)\,\sigma'(z_i)$: the ½ cancels the 2, and $\sigma'$ is missing |
# | 5 | $\partial L/\partial W_{ij} = a^{(l-1)}_i (\hat y_i - y_i)$ | $\delta_i\, a^{(l-1)}_j$: wrong index, and $\delta$ is not $\hat y - y$ |
# | 6 | $\partial L/\partial b_i = \hat y_i - y_i$ | $\delta_i$ |
# | 7 | nothing for earlier layers | $\delta^{(l)} = (W^{(l+1)\top}\delta^{(l+1)}) \odot \sigma'(z^{(l)})$ |
#
# Opinions differ; numbers don't. A 3-2-2 sigmoid network (the last layer square, or formula 5 could not even be evaluated), one example, and nudging as the judge.

# %%
copy_rng = np.random.default_rng(9)
# W of shape (d_out, d_in), as in the copied version
V1, c1 = copy_rng.normal(size=(2, 3)), copy_rng.normal(size=2)
V2, c2 = copy_rng.normal(size=(2, 2)), copy_rng.normal(size=2)
example, target = copy_rng.normal(size=3), np.array([1.0, 0.0])
inner = sigmoid(V1 @ example + c1)
output = sigmoid(V2 @ inner + c2)


def half_square(logits):
    """The loss as a function of the last pre-activation. logits: (2,) -> scalar."""
    return 0.5 * np.sum((sigmoid(logits) - target) ** 2)


miss = output - target
delta_out = miss * output * (1 - output)
copied = {"dL/dz": 2 * miss, "dL/dW": np.outer(inner * miss, [1, 1]), "dL/db": miss}
derived = {"dL/dz": delta_out, "dL/dW": np.outer(delta_out, inner), "dL/db": delta_out}
measured = {"dL/dz": numerical_gradient(half_square, V2 @ inner + c2),
            "dL/dW": numerical_gradient(lambda V: half_square(V @ inner + c2), V2),
            "dL/db": numerical_gradient(lambda c: half_square(V2 @ inner + c), c2)}

# %% tags=["nbval-check-output"]
print(f"1  sigma twice: outputs confined to ({sigmoid(0.0):.3f}, {sigmoid(1.0):.3f});"
      f" for y = 0 the loss cannot fall below {0.5 * sigmoid(0.0) ** 2:.3f}")
for number, key in zip((4, 5, 6), measured):
    size = np.abs(measured[key]).max()
    off_copied = np.abs(copied[key] - measured[key]).max() / size
    off_derived = np.abs(derived[key] - measured[key]).max() / size
    print(f"{number}  {key}: copied is off by {off_copied:.1f} times the true size;"
          f" derived agrees to 1e-8: {off_derived < 1e-8}")
missing = 784 * 128 + 128
print(f"7  digit reader: {missing:,} of {weights:,} weights ({missing / weights:.1%})"
      " get no gradient")

# %% tags=["figure"]
#@title Figure: Copied formulas miss the measured gradient
flat = lambda grads: np.concatenate([g.ravel() for g in grads.values()])
entries = [f"${name}$" for name in (
    "z_1", "z_2", "W_{11}", "W_{12}", "W_{21}", "W_{22}", "b_1", "b_2")]
fig, ax = plt.subplots(figsize=(6, 3.4))
ax.axhline(1, color=plotting.GRAY, lw=1)
ax.plot(entries, flat(copied) / flat(measured), "X", color=plotting.RED, ms=9,
        label="as copied")
ax.plot(entries, flat(derived) / flat(measured), "o", color=plotting.BLUE,
        label="as derived")
ax.set(title="Copied formulas miss the measured gradient", ylim=(0, None),
       xlabel="derivative with respect to", ylabel="formula / measured")
ax.legend()
plt.show()


# %% [markdown]
# The derived values are the measured ones; the copied values are between 4 and 23 times as large. Formula 4 is always too large by $2/\sigma'(z) \ge 8$, since $\sigma' \le \tfrac14$. In formula 5 every column of the
# matrix is the same. Formula 1 keeps a classifier from ever answering "no". And without formula 7 there is no *back*-propagation at all: 98.7 % of the digit reader
# would never learn; 6.11 shows what that can cost. The update rule printed beneath, $W \leftarrow W - \alpha\, \partial L/\partial W$, is right.

# %% [markdown]
# ### Exercise 6.9 · put the derivation right (12 min)
# A network with one hidden layer, both layers with a sigmoid: $a = \sigma(XW_1 + b_1)$, $\hat y = \sigma(aW_2 + b_2)$, $L = \frac{1}{B}\sum_n \frac12 \sum_i (\hat y_{ni} - y_{ni})^2$. Return all four gradients, in this course's notation: $W$ $(d_{in}, d_{out})$,
# rows are examples.

# %% tags=["exercise"]
def half_square_gradients(X, Y, W1, b1, W2, b2):
    """Gradients of a d-h-k sigmoid network under half squared error, batch mean.

    X: (B, d), Y: (B, k), W1: (d, h), b1: (h,), W2: (h, k), b2: (k,)
    -> dL/dW1, dL/db1, dL/dW2, dL/db2
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.9", "the derivation put right"):
    for B_t in (5, 1):
        rng_t = np.random.default_rng(69)
        X_t, Y_t = rng_t.normal(size=(B_t, 4)), rng_t.random((B_t, 2))
        theta_t = [rng_t.normal(size=shape) for shape in ((4, 3), (3,), (3, 2), (2,))]

        def mean_loss_t(W1, b1, W2, b2):
            out = sigmoid(sigmoid(X_t @ W1 + b1) @ W2 + b2)
            return 0.5 * np.sum((out - Y_t) ** 2) / len(X_t)

        nudged_t = [numerical_gradient(
            lambda p: mean_loss_t(*theta_t[:i], p, *theta_t[i + 1:]), theta_t[i])
            for i in range(4)]
        got_t = half_square_gradients(
            X_t.copy(), Y_t.copy(), *(p.copy() for p in theta_t))
        assert_same("dL/dW1 dL/db1 dL/dW2 dL/db2", got_t, nudged_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\delta^{(2)} = (\hat y - y) \odot \hat y \odot (1 - \hat y) / B$, then the boxed formulas of 6.6 with $\phi' = a(1-a)$.
# </details>

# %% tags=["solution"]
#@title Solution 6.9 · runs only while yours does not pass
if not solved("6.9"):
    def half_square_gradients(X, Y, W1, b1, W2, b2):
        hidden = sigmoid(X @ W1 + b1)
        out = sigmoid(hidden @ W2 + b2)
        delta2 = (out - Y) * out * (1 - out) / len(X)
        delta1 = (delta2 @ W2.T) * hidden * (1 - hidden)
        return X.T @ delta1, delta1.sum(axis=0), hidden.T @ delta2, delta2.sum(axis=0)


# %% [markdown]
# ## 6.10 Spot the bug: a widely copied training script
#
# The same chapter (Document 3, 4.3) ends with a script: a 2-3-1 sigmoid network (2·3 + 3 + 3·1 + 1 = 13 parameters), 100 random points with random labels, 1,000 steps at rate 0.01, a plot.
# It has six mistakes, and each hides the next. Here it is in our own lines, same sizes, same mistakes. Read it before you run on: how many do you find? After each exercise the next cell brings a repaired version, so try first.

# %%
def script_start():
    """The script's parameters and data: everything uniform between 0 and 1."""
    script_rng = np.random.default_rng(10)
    params = [script_rng.random(shape) for shape in ((2, 3), (3,), (3, 1), (1,))]
    return params, script_rng.random((100, 2)), script_rng.integers(0, 2, 100)


(W1, b1, W2, b2), points, labels = script_start()


def predict(x):
    a1 = sigmoid(x @ W1 + b1)
    return sigmoid(a1 @ W2 + b2)


def loss_of(y, y_pred):
    return 0.5 * ((y - y_pred) ** 2).mean()


def gradients_of(x, y, y_pred):
    d_z2 = y_pred - y
    d_W2 = a1.T @ d_z2
    d_z1 = (d_z2 @ W2.T) * a1 * (1 - a1)
    return x.T @ d_z1, d_z1, d_W2, d_z2


# %% [markdown]
# A small helper prints the error that stops a step, so that this notebook goes on. Then the first training step:

# %%
def attempt(step):
    """Call step(); print the error that stops it, if any, instead of raising it."""
    try:
        return step()
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


attempt(lambda: gradients_of(points, labels, predict(points)))


# %% [markdown]
# **Bug 1.** `a1` lives inside `predict` and is gone when it returns. The backward pass needs what the forward pass computed, so the forward pass must hand it over.

# %% [markdown]
# ### Exercise 6.10a · keep what the backward pass needs (4 min)
# Write a forward pass that takes its parameters as arguments and returns both activations.

# %% tags=["exercise"]
def forward_keeping(x, W1, b1, W2, b2):
    """x: (n, 2) -> hidden activations (n, 3), predictions (n, 1)."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.10a", "keep what the backward pass needs"):
    for n_t in (7, 1):
        rng_t = np.random.default_rng(610)
        theta_t = [rng_t.normal(size=shape) for shape in ((2, 3), (3,), (3, 1), (1,))]
        x_t = rng_t.normal(size=(n_t, 2))
        hidden_t = sigmoid(x_t @ theta_t[0] + theta_t[1])
        pred_t = sigmoid(hidden_t @ theta_t[2] + theta_t[3])
        got_t = forward_keeping(x_t.copy(), *(p.copy() for p in theta_t))
        assert_same("hidden predictions", got_t, [hidden_t, pred_t])

# %% [markdown]
# <details><summary>Hint</summary>
#
# The two lines of `predict`, with both results returned.
# </details>

# %% tags=["solution"]
#@title Solution 6.10a · runs only while yours does not pass
if not solved("6.10a"):
    def forward_keeping(x, W1, b1, W2, b2):
        hidden = sigmoid(x @ W1 + b1)
        return hidden, sigmoid(hidden @ W2 + b2)


# %% [markdown]
# Repaired, and run again:

# %%
def run_forward(params, x):
    """x: (n, 2) -> hidden activations (n, 3), predictions (n, 1)."""
    W1, b1, W2, b2 = params
    hidden = sigmoid(x @ W1 + b1)
    return hidden, sigmoid(hidden @ W2 + b2)


def run_backward(params, x, y, hidden, y_pred):
    d_z2 = y_pred - y
    d_z1 = (d_z2 @ params[2].T) * hidden * (1 - hidden)
    return x.T @ d_z1, d_z1, hidden.T @ d_z2, d_z2


params, points, labels = script_start()
hidden, y_pred = run_forward(params, points)
print(f"loss {loss_of(labels, y_pred):.5f}")
attempt(lambda: run_backward(params, points, labels, hidden, y_pred))

# %% [markdown]
# **Bug 2.** A loss appears, so it looks fine; then a matrix product fails. The error names the line that fails, not the cause. Look at the shapes one line earlier:

# %%
print("labels", labels.shape, " predictions", y_pred.shape,
      " difference", (y_pred - labels).shape)
column = labels.reshape(-1, 1)
print(f"loss over all pairs {loss_of(labels, y_pred):.5f},"
      f" over examples {loss_of(column, y_pred):.5f}")


# %% [markdown]
# NumPy broadcasts $(100, 1) - (100,)$ to $(100, 100)$: every prediction against every label, ten thousand pairs, *without an error*. The loss it printed
# is plausible and wrong in the fourth decimal. Silent broadcasting is the costliest bug of this list: here a later product happens to fail; an accuracy computed in the same way would simply be wrong.

# %% [markdown]
# ### Exercise 6.10b · labels as a column, and a loss that refuses (8 min)
# Turn the labels into a float column; and write the half mean squared error so that it raises `ValueError` unless both shapes are equal.

# %% tags=["exercise"]
def as_column(labels):
    """labels: (n,) integers -> (n, 1) float64."""
    raise NotImplementedError("your turn")


def strict_loss(y, y_pred):
    """Half mean squared error. y, y_pred: equal shapes, else ValueError."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.10b", "labels as a column, and a loss that refuses"):
    column_t = np.asarray(as_column(np.array([0, 1, 1])))
    assert column_t.shape == (3, 1), f"shape {column_t.shape}, not (3, 1)"
    assert column_t.dtype == np.float64, f"dtype {column_t.dtype}, not float64"
    np.testing.assert_array_equal(column_t, [[0], [1], [1]])
    loss_t = strict_loss(np.array([[0.0], [1], [1]]), np.array([[0.2], [0.9], [0.4]]))
    np.testing.assert_allclose(loss_t, (0.04 + 0.01 + 0.36) / 6, rtol=1e-6)
    np.testing.assert_allclose(strict_loss(np.ones((1, 1)), np.zeros((1, 1))), 0.5)
    for shape_t in ((3,), (1, 1), (3, 2), (1, 3)):
        try:
            strict_loss(np.zeros(shape_t), np.zeros((3, 1)))
        except ValueError:
            continue
        except AssertionError:
            raise AssertionError("raise ValueError, not assert") from None
        raise AssertionError(f"labels {shape_t} and predictions (3, 1) must raise"
                             " ValueError")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `reshape(-1, 1)` makes a column; compare `y.shape` with `y_pred.shape`.
# </details>

# %% tags=["solution"]
#@title Solution 6.10b · runs only while yours does not pass
if not solved("6.10b"):
    def as_column(labels):
        return labels.reshape(-1, 1).astype(np.float64)


    def strict_loss(y, y_pred):
        if y.shape != y_pred.shape:
            raise ValueError(f"labels {y.shape} and predictions {y_pred.shape} differ")
        return 0.5 * np.mean((y - y_pred) ** 2)


# %% [markdown]
# With the column, the backward pass runs. The update is next:

# %%
def descend(params, grads, rate=0.01):
    """One step of gradient descent, in place. params, grads: arrays in one order."""
    for param, grad in zip(params, grads):
        param -= rate * grad


y_column = labels.reshape(-1, 1).astype(float)
grads = run_backward(params, points, y_column, hidden, y_pred)
attempt(lambda: descend(params, grads))


# %% [markdown]
# **Bug 3.** The bias gradients still have one row per example. A bias is used by every example, so its gradients add over the batch (6.3).

# %% [markdown]
# ### Exercise 6.10c · gradients with the shapes of their parameters (5 min)
# Write the backward pass so that each of the four gradients has its parameter's shape. Leave everything else as it is: `d_z2 = y_pred - y`, sums, no means.

# %% tags=["exercise"]
def backward_shaped(params, x, y, hidden, y_pred):
    """params: [W1, b1, W2, b2] -> their gradients, same shapes, batch sums."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.10c", "gradients with the shapes of their parameters"):
    for n_t in (6, 1):
        rng_t = np.random.default_rng(63)
        theta_t = [rng_t.normal(size=shape) for shape in ((2, 3), (3,), (3, 1), (1,))]
        x_t, y_t = rng_t.normal(size=(n_t, 2)), rng_t.random((n_t, 1))
        h_t, p_t = run_forward(theta_t, x_t)
        each_t = [run_backward(theta_t, *(a[i:i + 1] for a in (x_t, y_t, h_t, p_t)))
                  for i in range(n_t)]
        wanted_t = [sum(g).reshape(p.shape) for g, p in zip(zip(*each_t), theta_t)]
        got_t = backward_shaped([p.copy() for p in theta_t], x_t.copy(), y_t.copy(),
                                h_t.copy(), p_t.copy())
        assert_same("d_W1 d_b1 d_W2 d_b2", got_t, wanted_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `run_backward`, with `.sum(axis=0)` on the second and fourth result.
# </details>

# %% tags=["solution"]
#@title Solution 6.10c · runs only while yours does not pass
if not solved("6.10c"):
    def backward_shaped(params, x, y, hidden, y_pred):
        d_z2 = y_pred - y
        d_z1 = (d_z2 @ params[2].T) * hidden * (1 - hidden)
        return x.T @ d_z1, d_z1.sum(axis=0), hidden.T @ d_z2, d_z2.sum(axis=0)


# %% [markdown]
# Repaired, the script trains its 1,000 steps and arrives at its plot, which picks the points predicted 0:

# %%
def summed_backward(params, x, y, hidden, y_pred):
    """As run_backward, with the bias gradients summed over the batch."""
    d_W1, d_z1, d_W2, d_z2 = run_backward(params, x, y, hidden, y_pred)
    return d_W1, d_z1.sum(axis=0), d_W2, d_z2.sum(axis=0)


trained = script_start()[0]
for _ in range(1000):
    hidden_now, pred_now = run_forward(trained, points)
    descend(trained, summed_backward(trained, points, y_column, hidden_now, pred_now))

attempt(lambda: plt.scatter(pred_now[pred_now == 0, 0], pred_now[pred_now == 0, 1]))
print(f"predictions from {pred_now.min():.3f} to {pred_now.max():.3f};"
      f" exactly 0 or 1: {np.sum((pred_now == 0) | (pred_now == 1))}")


# %% [markdown]
# **Bug 4.** Three mistakes in one line (here `pred_now` for the script's `y_pred`): `y_pred == 0` is $(100, 1)$, so with another index it counts as two; a sigmoid is exactly 1 only by rounding, from $z \approx 37$ on, and exactly 0 only below about −700, where the numbers end; and it would plot
# *predictions* as coordinates instead of the points. A probability becomes a class by a threshold.

# %% [markdown]
# ### Exercise 6.10d · from probabilities to classes (4 min)
# Turn probabilities into class numbers; exactly 0.5 counts as class 0.

# %% tags=["exercise"]
def predicted_class(y_pred):
    """1 where the probability is above 0.5, else 0. y_pred: (n, 1) -> (n,) integers."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.10d", "from probabilities to classes"):
    got_t = np.asarray(predicted_class(np.array([[0.1], [0.5], [0.500001], [1.0]])))
    assert got_t.shape == (4,), f"shape {got_t.shape}, not (4,)"
    assert np.issubdtype(got_t.dtype, np.integer), f"dtype {got_t.dtype}, not integer"
    np.testing.assert_array_equal(got_t, [0, 0, 1, 1])
    np.testing.assert_array_equal(predicted_class(np.array([[0.97]])), [1], "one row")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Compare with 0.5, turn truth values into integers, and flatten with `ravel()`.
# </details>

# %% tags=["solution"]
#@title Solution 6.10d · runs only while yours does not pass
if not solved("6.10d"):
    def predicted_class(y_pred):
        return (y_pred > 0.5).astype(int).ravel()


# %% [markdown]
# Nothing raises an error any more. Most people would stop here. But a script that runs is not a script that is right: does its gradient belong to its loss?
# Thirteen parameters, so nudge every one, at a random point, for the script's half squared error and for binary cross-entropy.

# %%
def unpack(theta):
    """13 numbers -> [W1 (2, 3), b1 (3,), W2 (3, 1), b2 (1,)]."""
    return [theta[:6].reshape(2, 3), theta[6:9], theta[9:12].reshape(3, 1), theta[12:]]


def half_mse(theta):
    return loss_of(y_column, run_forward(unpack(theta), points)[1])


def mean_bce(theta):
    p = run_forward(unpack(theta), points)[1]
    return -np.mean(y_column * np.log(p) + (1 - y_column) * np.log(1 - p))


theta = 3 * np.random.default_rng(11).normal(size=13)
at_theta = run_forward(unpack(theta), points)
script = summed_backward(unpack(theta), points, y_column, *at_theta)
script = np.concatenate([g.ravel() for g in script])

# %% tags=["figure"]
#@title Figure: The script descends a loss that it never prints
fig, ax = plt.subplots(figsize=(6.4, 3.2))
losses = {"half squared error (printed)": half_mse, "mean cross-entropy": mean_bce}
for name, f in losses.items():
    ratio = script / numerical_gradient(f, theta)
    print(f"{name}: script / measured from {ratio.min():.1f} to {ratio.max():.1f}")
    ax.plot(range(1, 14), ratio, "o", label=name)
ax.set(title="The script descends a loss that it never prints", xlabel="parameter",
       ylabel="script's gradient / measured", ylim=(0, None), xticks=range(1, 14))
ax.legend(loc="center", bbox_to_anchor=(0.5, 0.36))
plt.show()


# %% [markdown]
# **Bug 5.** Against the loss it prints (blue), the ratio differs from parameter to parameter: the gradient even points in another direction. Against binary cross-entropy (orange)
# all thirteen ratios are 100.0: the script descends the *sum* of the cross-entropy over 100 examples. So it trains, at a hundred times the rate it states, on a loss nobody watches.

# %% [markdown]
# ### Exercise 6.10e · a loss and the gradient that belongs to it (8 min)
# Take the *mean* binary cross-entropy, from the logits $z$ $(n, 1)$, and return it with its $\delta = \partial L/\partial z$. Logits of ±800 must work.

# %% tags=["exercise"]
def bce_and_delta(z, y):
    """z, y: (n, 1) -> mean binary cross-entropy (scalar), its gradient at z (n, 1)."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.10e", "a loss and the gradient that belongs to it"):
    for n_t in (4, 9, 1):
        rng_t = np.random.default_rng(n_t)
        z_t, y_t = rng_t.normal(size=(n_t, 1)), 1.0 * rng_t.integers(0, 2, (n_t, 1))
        mean_t = lambda z: -np.mean(np.log(np.where(
            y_t == 1, 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(z)))))
        loss_t, delta_t = bce_and_delta(z_t.copy(), y_t.copy())
        np.testing.assert_allclose(loss_t, mean_t(z_t), rtol=1e-5, err_msg="loss")
        assert_same("delta", [delta_t], [numerical_gradient(mean_t, z_t)])
    far_t = bce_and_delta(np.array([[800.0], [-800.0]]), np.array([[0.0], [1.0]]))
    np.testing.assert_allclose(far_t[0], 800, rtol=1e-5, err_msg="large logits")
    np.testing.assert_allclose(far_t[1], [[0.5], [-0.5]], err_msg="large logits")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $L = \log(1 + e^z) - yz$; `np.logaddexp(0, z)` computes the first term without overflow. The gradient is exercise 6.4's.
# </details>

# %% tags=["solution"]
#@title Solution 6.10e · runs only while yours does not pass
if not solved("6.10e"):
    def bce_and_delta(z, y):
        loss = np.mean(np.logaddexp(0, z) - y * z)
        return loss, (sigmoid(z) - y) / len(z)


# %% [markdown]
# One mistake is left, and no gradient check can find it. Train the repaired script on its own data, with several seeds, and test on fresh points:

# %%
def random_labels(n, rng):
    """The script's data: points and labels that know nothing of each other."""
    return rng.random((n, 2)), rng.integers(0, 2, (n, 1)).astype(float)


def train(make_data, hidden_units, seed, steps=3000, learn_hidden=True, bias=0.0,
          watch=()):
    """The repaired script: 2-h-1 sigmoid network, mean cross-entropy, zero-mean start.

    make_data(n, rng) -> X (n, 2), y (n, 1). learn_hidden=False: W1, b1 never change.
    bias: standard deviation of b1 at the start.
    -> accuracy on 2,000 fresh points; parameters after the steps named in watch
    """
    rng = np.random.default_rng(seed)
    X, y = make_data(400, rng)
    params = [rng.normal(0, 2**-0.5, (2, hidden_units)),
              bias * rng.normal(size=hidden_units),
              rng.normal(0, hidden_units**-0.5, (hidden_units, 1)), np.zeros(1)]
    first, snapshots = (0 if learn_hidden else 2), {}
    for step in range(steps + 1):
        if step in watch:
            snapshots[step] = [p.copy() for p in params]
        if step == steps:
            break
        hidden, y_pred = run_forward(params, X)
        grads = summed_backward(params, X, y, hidden, y_pred)
        descend(params[first:], grads[first:], rate=3 / len(X))
    X_test, y_test = make_data(2000, rng)
    return np.mean((run_forward(params, X_test)[1] > 0.5) == y_test), snapshots


# %%
coin_seeds = by_profile(quick=3, standard=20, full=20)
coin = [train(random_labels, 3, seed, steps=1000)[0] for seed in range(coin_seeds)]
print(f"accuracy on fresh points, {coin_seeds} seeds:"
      f" {np.mean(coin):.3f} ± {np.std(coin, ddof=1):.3f}")


# %% [markdown]
# **Bug 6.** Half right, as by tossing a coin. The labels are drawn without looking at the points, so there is nothing to learn, whatever the network. Without a seed the script
# even shows another figure on every run. Before you ask why a model does not learn, ask whether it *could*.

# %% [markdown]
# ### Exercise 6.10f · data with something to learn (6 min)
# The classic that one layer can't solve is XOR (异或): points uniform in the square $[-1, 1)^2$, label 1 where the two coordinates have different signs, else 0.

# %% tags=["exercise"]
def xor_data(n, rng):
    """n points from a NumPy Generator -> X (n, 2), y (n, 1) float64, 0 or 1."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.10f", "data with something to learn"):
    X_t, y_t = xor_data(4000, np.random.default_rng(1))
    assert X_t.shape == (4000, 2), f"X has shape {X_t.shape}"
    assert y_t.shape == (4000, 1), f"y has shape {y_t.shape}"
    assert y_t.dtype == np.float64, f"labels are {y_t.dtype}, not float64"
    low_t, high_t = X_t.min(axis=0), X_t.max(axis=0)
    assert (-1 <= low_t).all() and (low_t < -0.99).all(), f"X starts at {low_t}, not -1"
    assert (high_t < 1).all() and (high_t > 0.99).all(), f"X ends at {high_t}, not 1"
    square_t = np.mean(X_t**2, axis=0)
    assert np.abs(square_t - 1 / 3).max() < 0.03, "uniform means a mean square of 1/3"
    assert abs(np.corrcoef(X_t.T)[0, 1]) < 0.1, "the coordinates must be independent"
    right_t = (X_t[:, 0] * X_t[:, 1] < 0).astype(float)
    np.testing.assert_array_equal(y_t[:, 0], right_t, "labels: 1 where signs differ")
    again_t = xor_data(4000, np.random.default_rng(1))[0]
    np.testing.assert_array_equal(X_t, again_t, "same seed, same points")
    X_t, y_t = xor_data(1, np.random.default_rng(2))
    assert X_t.shape == (1, 2) and y_t.shape == (1, 1), "one point is a row, too"

# %% [markdown]
# <details><summary>Hint</summary>
#
# The signs differ exactly where their product is −1; `keepdims=True` keeps the column.
# </details>

# %% tags=["solution"]
#@title Solution 6.10f · runs only while yours does not pass
if not solved("6.10f"):
    def xor_data(n, rng):
        X = rng.uniform(-1, 1, (n, 2))
        return X, (np.sign(X).prod(axis=1, keepdims=True) == -1).astype(float)


# %% [markdown]
# The six, side by side:
#
# | bug | how it shows | repair | habit |
# |---|---|---|---|
# | 1 backward uses the forward pass's locals | `NameError` | return them | pass state explicitly |
# | 2 labels $(n,)$, predictions $(n,1)$ | wrong loss, then `ValueError` elsewhere | a column | compare shapes in the loss |
# | 3 bias gradients keep the batch axis | `ValueError` | sum over the batch | gradient shape = parameter shape |
# | 4 classes read from raw probabilities | `IndexError` | threshold | look at the range of values |
# | 5 gradient of another loss | nothing | derive δ from the printed loss | gradient check |
# | 6 labels unrelated to inputs | nothing | learnable, seeded data | a baseline |
#
# Three raise errors at once; 2 lies first; 5 and 6 never speak. Two habits from this notebook catch those: the gradient check and the baseline.
#
# Two weaknesses cost nothing at this size, and `train` has neither: the script draws all weights from $[0, 1)$, all positive (6.13 shows what that does), and writes the sigmoid as
# `1 / (1 + np.exp(-x))`, which overflows for large negative `x` (6.1 has a form that is right at both ends).

# %% [markdown]
# ## 6.11 The repaired network learns
#
# Baselines first. On XOR, a *linear* model (no hidden layer), and a network whose hidden layer stays as it was drawn, which is all that the derivation without formula 7 could train:
# once with zero biases, once with random ones. Then the 2-3-1 network, and one with eight hidden units.

# %%
def xor(n, rng):
    """Label 1 where the coordinates' signs differ. -> X (n, 2), y (n, 1)."""
    X = rng.uniform(-1, 1, (n, 2))
    return X, (X[:, :1] * X[:, 1:] < 0).astype(float)


def train_linear(make_data, seed, steps=1000, rate=1.0):
    """Logistic regression by gradient descent. -> accuracy on 2,000 fresh points."""
    rng = np.random.default_rng(seed)
    X, y = make_data(400, rng)
    W, b = np.zeros((2, 1)), np.zeros(1)
    for _ in range(steps):
        delta = (sigmoid(X @ W + b) - y) / len(X)
        descend([W, b], [X.T @ delta, delta.sum(axis=0)], rate)
    X_test, y_test = make_data(2000, rng)
    return np.mean((sigmoid(X_test @ W + b) > 0.5) == y_test)


# %%
seeds = range(by_profile(quick=2, standard=5, full=20))
xor_steps = by_profile(quick=500, standard=3000, full=3000)
results = {
    "linear": [train_linear(xor, seed) for seed in seeds],
    "8 hidden, frozen, b = 0": [
        train(xor, 8, seed, xor_steps, learn_hidden=False)[0] for seed in seeds],
    "8 hidden, frozen, random b": [
        train(xor, 8, seed, xor_steps, learn_hidden=False, bias=1.0)[0]
        for seed in seeds],
    "2-3-1": [train(xor, 3, seed, xor_steps)[0] for seed in seeds],
    "2-8-1": [train(xor, 8, seed, xor_steps)[0] for seed in seeds],
}
# the best straight cut there is, searched over 60 directions and 101 places
grid = np.stack(np.meshgrid(*[np.linspace(-0.99, 0.99, 100)] * 2), axis=-1)
is_one = grid[..., 0] * grid[..., 1] < 0
best_cut = 0.0
for angle in np.pi * np.arange(60) / 60:
    along = grid @ [np.cos(angle), np.sin(angle)]
    for place in np.linspace(-1.4, 1.4, 101):
        right = np.mean((along > place) == is_one)
        best_cut = max(best_cut, right, 1 - right)
print(f"{'best straight cut':27} {best_cut:.3f}")

fig, ax = plt.subplots(figsize=(6, 2.8))
for row, (name, values) in enumerate(results.items()):
    ax.plot(values, [row] * len(values), "o", alpha=0.7)
    print(f"{name:27} {np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}")
ax.axvline(best_cut, color=plotting.GRAY, ls=":")
ax.text(best_cut + 0.01, 0, "best straight cut", va="center", fontsize=8)
ax.set(title="XOR: trained hidden units do best", xlim=(0.4, 1.02),
       xlabel="accuracy on fresh points (one dot per seed)",
       yticks=range(len(results)), yticklabels=results)
ax.set_ylim(len(results) - 0.5, -0.5)
plt.show()
claim("XOR accuracy, 2-8-1, mean over the seeds", np.mean(results["2-8-1"]),
      at_least=0.94, applies=profile() != "quick")
claim("worst seed of 2-3-1 minus the best straight cut",
      min(results["2-3-1"]) - best_cut, at_least=0.05, applies=profile() != "quick")


# %% [markdown]
# One straight cut can't follow a cross. The best of all cuts one corner off and is right on 2/3 of the points (dotted). Training does not find even that cut: the linear model's lowest cross-entropy is at $p = \tfrac12$ for
# every point, so where its cut ends up is luck, and the dots scatter. Both numbers are baselines, and every 2-3-1 network passes them. A frozen hidden layer is a set of random features. With zero biases each of them is ½ plus an odd
# function of $x$, while XOR is even, so no mixture of them can express it: half right again. With random biases, eight random features get most of the way. Training
# goes further with less: three trained units beat eight frozen ones on average, and eight trained units solve nearly all of it. Watch them, on XOR and on two interleaved half-moons:

# %%
def two_moons(n, rng):
    """Two interleaved half circles with noise. -> X (n, 2), y (n, 1)."""
    y, angle = rng.integers(0, 2, (n, 1)), rng.uniform(0, np.pi, (n, 1))
    upper = np.hstack([np.cos(angle), np.sin(angle)])
    lower = np.hstack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    return np.where(y == 0, upper, lower) + rng.normal(0, 0.12, (n, 2)), y.astype(float)


watch = (0, xor_steps // 60, xor_steps // 15, xor_steps // 3, xor_steps)
fig, axes = plt.subplots(2, len(watch), figsize=(11, 4.6))
for row, make_data in zip(axes, (xor, two_moons)):
    share, snapshots = train(make_data, 8, seed=1, steps=xor_steps, watch=watch)
    X_shown, y_shown = make_data(150, np.random.default_rng(0))
    for ax, step in zip(row, snapshots):
        classify = lambda places: run_forward(snapshots[step], places)[1][:, 0] > 0.5
        plotting.decision_regions(
            classify, X_shown, y_shown[:, 0], ax, f"step {step:,}", 120)
        ax.set(xlabel="", ylabel="")
    row[-1].set_title(f"step {step:,}: {share:.1%}")
fig.suptitle("The boundary bends where the mistakes are", fontweight="bold")
plt.show()

# %% [markdown]
# On the moons the cut is nearly straight at first. On XOR there is none at the start; then one corner is cut off, and the two corners of that class join in a band before the
# boundary bends around the classes. The percentages on the right are accuracies on 2,000 fresh points after the last step.

# %% [markdown]
# ## 6.12 Real data: handwritten digits
#
# The three functions of 6.6 have not met real data yet. `data.mnist()` brings 60,000 handwritten digits of 28×28 pixels, or a small stand-in when there is no network, and says so.
# Pixels become numbers from 0 to 1; the first tenth of the shuffled training images is kept for validation.

# %%
mnist = data.mnist()
order = rng.permutation(len(mnist.x_train))
order = order[: by_profile(quick=1500, standard=len(order), full=len(order))]


def flatten(images):
    """(n, 28, 28) uint8 -> (n, 784) float32 between 0 and 1."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


held = len(order) // 10
X_train, y_train = flatten(mnist.x_train[order[held:]]), mnist.y_train[order[held:]]
X_valid, y_valid = flatten(mnist.x_train[order[:held]]), mnist.y_train[order[:held]]
X_test, y_test = flatten(mnist.x_test), mnist.y_test
print(f"{mnist.name} ({mnist.source}): {len(X_train):,} training,"
      f" {held:,} validation, {len(X_test):,} test images")


# %%
def accuracy(layers, X, y):
    """Share of rows whose largest logit is at the label."""
    return np.mean(forward(layers, X)[1].argmax(axis=1) == y)


def sgd_epoch(layers, X, y, rate, rng, batch=128):
    """One epoch of stochastic gradient descent; changes layers. -> mean loss."""
    order, losses = rng.permutation(len(X)), []
    for start in range(0, len(X), batch):
        rows = order[start:start + batch]
        inputs, logits = forward(layers, X[rows])
        gradients = backward(layers, inputs, output_delta(logits, y[rows]))
        for layer, gradient in zip(layers, gradients):
            descend(layer, gradient, rate)
        losses.append(cross_entropy(logits, y[rows]))
    return np.mean(losses)


# %% [markdown]
# The baseline is the same code with no hidden layer. Learning rate 0.3 and batch 128; notebook [[optimizers]] is about choosing them.

# %%
EPOCHS, RATE = by_profile(quick=2, standard=10, full=20), 0.3
batch_rng = np.random.default_rng(12)
linear = init_layers([784, 10], np.random.default_rng(0), np.float32)
for epoch in range(1, EPOCHS + 1):
    sgd_epoch(linear, X_train, y_train, RATE, batch_rng)
    if epoch in (EPOCHS // 2, EPOCHS):
        print(f"linear model after {epoch} epochs, validation accuracy"
              f" {accuracy(linear, X_valid, y_valid):.4f}")

# %%
batch_rng = np.random.default_rng(12)
reader = init_layers([784, 128, 10], np.random.default_rng(0), np.float32)
val_losses = []
with plotting.LiveCurves(EPOCHS, ("loss", "accuracy"), "784-128-10, NumPy") as live:
    for epoch in range(1, EPOCHS + 1):
        train_loss = sgd_epoch(reader, X_train, y_train, RATE, batch_rng)
        val_losses.append(cross_entropy(forward(reader, X_valid)[1], y_valid))
        live.update(epoch, {
            "loss": train_loss,
            "val_loss": val_losses[-1],
            "accuracy": accuracy(reader, X_train[:5000], y_train[:5000]),
            "val_accuracy": accuracy(reader, X_valid, y_valid)})
print(f"lowest validation loss: epoch {np.argmin(val_losses) + 1} of {EPOCHS}")

# %% tags=["evidence"]
#@title Evidence: test accuracy of the NumPy network
baseline, deep = (accuracy(net, X_test, y_test) for net in (linear, reader))
print(f"test accuracy: linear {baseline:.4f}, with a hidden layer {deep:.4f};"
      f" {1 - (1 - deep) / (1 - baseline):.0%} of the baseline's errors are gone")
claim("test accuracy of the NumPy network", deep,
      at_least=0.97, applies=mnist.source == "real" and profile() != "quick")

# %% [markdown]
# On real MNIST one hidden layer, and nothing but the boxed formulas, removes about seven in ten of the baseline's errors. Training accuracy runs ahead of validation accuracy. That gap alone is no overfitting: the validation loss is still at its lowest after these ten epochs.
# When it begins to rise is the subject of notebook [[training_deep_networks]]. Notebook [[project_mnist]] takes the same data past 99 %.
#
# Is the gradient still right inside a trained network, with real images? Check the code you ship: thirty randomly chosen weights of the first layer, in float64.

# %% tags=["evidence"]
#@title Evidence: the gradient inside a trained network agrees with nudging
double = [(W_l.astype(np.float64), b_l.astype(np.float64)) for W_l, b_l in reader]
some, some_labels = X_test[:64].astype(np.float64), y_test[:64]
inputs, logits = forward(double, some)
first_gradient = backward(double, inputs, output_delta(logits, some_labels))[0][0]

inked = np.flatnonzero(some.any(axis=0))  # a pixel that is never inked has gradient 0
first = double[0][0]
apart = []
for i, j in zip(rng.choice(inked, 30), rng.integers(0, 128, 30)):
    before, sides = first[i, j], []
    for step in (1e-5, -1e-5):
        first[i, j] = before + step
        sides.append(cross_entropy(forward(double, some)[1], some_labels))
    first[i, j] = before
    apart.append(abs((sides[0] - sides[1]) / 2e-5 - first_gradient[i, j]))
claim("largest error of 30 checked weights, relative to the largest gradient",
      max(apart) / np.abs(first_gradient).max(), at_most=1e-6)

# %% [markdown]
# ### The same sweep, one step further
#
# Training stops the sweep at layer 1. Let it take one more step, $\partial L/\partial X = \delta^{(1)} W^{(1)\top}$, and it says of every *pixel* how ink there would change the loss.

# %% tags=["figure"]
#@title Figure: Which ink would help? purple: more, orange: less
logits = forward(reader, X_test)[1]
wrong = np.flatnonzero(logits.argmax(axis=1) != y_test)[:6]
inputs, logits = forward(reader, X_test[wrong])
delta_2 = output_delta(logits, y_test[wrong])
delta_1 = (delta_2 @ reader[1][0].T) * (inputs[1] > 0)
blame = delta_1 @ reader[0][0].T  # (6, 784)

fig, axes = plt.subplots(2, len(wrong), figsize=(1.35 * len(wrong), 3.2))
for (top, bottom), i, row, pixels in zip(axes.T, wrong, logits, blame):
    top.imshow(X_test[i].reshape(28, 28))
    top.set_title(f"{y_test[i]}, read as {row.argmax()}", fontsize=9)
    limit = np.abs(pixels).max()
    bottom.imshow(-pixels.reshape(28, 28), cmap="PuOr", vmin=-limit, vmax=limit)
for ax in axes.flat:
    ax.axis("off")
fig.suptitle("Which ink would help? purple: more, orange: less", fontweight="bold")
plt.show()


# %% [markdown]
# Top, six misread test digits with their true class; bottom, the negative gradient at the pixels. Purple marks where ink lowers the loss. Notebook [[privacy_and_security]] follows such a gradient to fool a
# network on purpose, notebook [[interpretability_and_fairness]] asks whether it *explains* anything.

# %% [markdown]
# ## 6.13 When gradients die
#
# The recursion $\delta^{(l)} = (\delta^{(l+1)} W^\top) \odot \phi'(z^{(l)})$ is a product with one factor per layer. Products of many factors vanish or explode unless each is near 1.
# Ten hidden layers of 64 units, one batch of digits, four ways to start:

# %%
def gradient_per_layer(activation, gain, depth=10, width=64):
    """Root mean square of dL/dW in every layer at the start. gain: std of W × √d_in."""
    rng = np.random.default_rng(0)
    sizes = [X_train.shape[1], *[width] * depth, 10]
    Ws = [rng.normal(0, gain / n**0.5, (n, m)) for n, m in zip(sizes[:-1], sizes[1:])]
    inputs, slopes = [(X_train[:256] - X_train[:256].mean()) / X_train[:256].std()], []
    for W in Ws[:-1]:
        z = inputs[-1] @ W
        a = sigmoid(z) if activation == "sigmoid" else np.maximum(z, 0)
        slopes.append(a * (1 - a) if activation == "sigmoid" else z > 0)
        inputs.append(a)
    delta, result = output_delta(inputs[-1] @ Ws[-1], y_train[:256]), []
    for l in reversed(range(len(Ws))):
        result.append(np.sqrt(np.mean((inputs[l].T @ delta) ** 2)))
        if l > 0:
            delta = (delta @ Ws[l].T) * slopes[l - 1]
    return np.array(result[::-1])


# %% tags=["figure"]
#@title Figure: Sigmoid gradients vanish on the way down; He-scaled ReLU keeps them
starts = {"sigmoid, gain 1": ("sigmoid", 1.0), "ReLU, gain 0.7": ("relu", 0.7),
          "ReLU, gain √2 (He)": ("relu", np.sqrt(2)), "ReLU, gain 2.8": ("relu", 2.8)}
fig, ax = plt.subplots(figsize=(6.4, 3.6))
for name, (activation, gain) in starts.items():
    sizes = gradient_per_layer(activation, gain)
    ax.semilogy(range(1, len(sizes) + 1), sizes, "o-", label=name)
    factor = (sizes[0] / sizes[9]) ** (1 / 9)
    print(f"{name:20} from layer 10 down to 1: × {factor:.2f} per layer")
ax.set(title="Sigmoid gradients vanish on the way down; He-scaled ReLU keeps them",
       xlabel="layer (1 is next to the input)", ylabel="size of ∂L/∂W",
       xticks=range(1, 12))
ax.legend(ncols=2, loc="lower right")
plt.show()

# %% [markdown]
# With sigmoids each layer passes on about a quarter of the gradient, the largest that $\sigma' \le \tfrac14$ allows at this gain, and nine such factors leave layer 1 with a few millionths of what layer 10 gets:
# it hardly learns at all. With ReLU and variance $2/d_{in}$ (notebook [[neurons_and_layers]] derives it) the sizes stay level. The other two gains are level as well, at far smaller and far larger sizes:
# $\partial L/\partial W$ multiplies the signal from below by $\delta$ from above, and a gain $g$ scales both by about $g/\sqrt2$ per layer, so every layer sees the same product.
#
# Single units can die too. A sigmoid unit is **saturated** (饱和) when $a < 0.01$ or $a > 0.99$: $\sigma' < 0.01$ then. A ReLU unit is **dead** when $z \le 0$ for *every* example:
# its gradient is exactly 0, so gradient descent cannot move its weights; in the first layer, whose inputs never change, it stays dead. What does the start have to do with it?
# (We look at 2,000 images. A unit that is off for all of them may still wake for a rare one, so the shares below are upper estimates.)

# %%
STEPS = by_profile(quick=40, standard=200, full=200)


def train_first_layer(scale, rate, seed=0):
    """784-128-10 ReLU network, weights `scale` times He's, STEPS steps of descent.

    -> pre-activations of the hidden layer on 2,000 images, before and after (2000, 128)
    """
    rng = np.random.default_rng(seed)
    layers = init_layers([784, 128, 10], rng, np.float32)
    layers = [(W * np.float32(scale), b) for W, b in layers]
    before = X_train[:2000] @ layers[0][0]
    for _ in range(STEPS):
        rows = rng.integers(0, len(X_train), 128)
        inputs, logits = forward(layers, X_train[rows])
        gradients = backward(layers, inputs, output_delta(logits, y_train[rows]))
        for layer, gradient in zip(layers, gradients):
            descend(layer, gradient, rate)
    return before, X_train[:2000] @ layers[0][0] + layers[0][1]


def dead(z):
    """Share of units (columns) that are off for every example (row)."""
    return np.mean((z <= 0).all(axis=0))


def saturated(z):
    """Share of (example, unit) pairs where a sigmoid is below 0.01 or above 0.99."""
    return np.mean(np.abs(sigmoid(z) - 0.5) > 0.49)


# %%
scales = by_profile(quick=[0.3, 3.0], standard=[0.1, 0.3, 1, 3, 10, 30],
                    full=[0.1, 0.3, 1, 3, 10, 30])
unit_scale = np.random.default_rng(13).normal(size=(784, 128)) / 28  # std 1 / √784
sigmoids = [saturated(X_train[:2000] @ unit_scale * scale) for scale in scales]
DEAD_SEEDS = by_profile(quick=1, standard=3, full=5)
deaths = {}  # rate -> (scales, seeds, 2) shares of dead units at the start and after
for rate in (0.1, 0.5, 1.0):
    deaths[rate] = np.array([[[dead(z) for z in train_first_layer(scale, rate, seed)]
                              for seed in range(DEAD_SEEDS)] for scale in scales])
    print(f"rate {rate}, share dead after {STEPS} steps, lowest and highest seed:", *(
        f"{shares.min():.2f}–{shares.max():.2f} (scale {scale})"
        for scale, shares in zip(scales, deaths[rate][:, :, 1])))

# %% tags=["figure"]
#@title Figure: Sigmoid units saturate at a large start, ReLU units die by steps
fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
left.semilogx(scales, sigmoids, "o-")
left.set(ylim=(-0.03, 1.03), xlabel="std of the weights × √784",
         ylabel="share saturated")
for rate, color in zip(deaths, (plotting.BLUE, plotting.GREEN, plotting.RED)):
    right.semilogx(scales, deaths[rate][:, :, 1], "o", color=color, ms=3)
    right.semilogx(scales, deaths[rate][:, :, 1].mean(axis=1), color=color,
                   label=f"after, rate {rate}")
right.semilogx(scales, deaths[1.0][:, :, 0].mean(axis=1), "--", color=plotting.GRAY,
               lw=4, alpha=0.5, zorder=0, label="at the start")
right.set(ylim=(-0.03, 1.03), xlabel="std of the weights / He's",
          ylabel=f"share dead ({STEPS} steps)")
right.legend()
fig.suptitle("Sigmoid units saturate at a large start, ReLU units die by steps",
             fontweight="bold")
plt.show()

# %%
all_positive = rng.random((784, 128))
print("start uniform in [0, 1), as in the script of 6.10:"
      f" {saturated(X_train[:2000] @ all_positive):.1%} saturated")

# %% [markdown]
# Left: with unit-scale weights no sigmoid is saturated; at thirty times that most are. The script's all-positive start saturates **every** unit on real images: its hidden layer would hardly learn.
# Right: at the start the share is the same at every scale, because scaling $W$ keeps the sign of $z$ (with $b = 0$), and here it is 0. Units die in *training*, when updates push a unit's weights so far that
# no image reaches it any more. A large learning rate kills, and above He's scale larger starts kill more; below it the scales differ no more than the seeds (dots) do. At rate 0.1 all survive, whatever the seed.
#
# The three states, seen: one row per image, one column per unit.

# %% tags=["figure"]
#@title Figure: Where a gradient passes (dark) and where not (white)
healthy = train_first_layer(1.0, 0.1)[1]
wounded = train_first_layer(3.0, 1.0)[1]
stuck = X_train[:2000] @ unit_scale * 30
masks = {
    f"ReLU, rate 0.1: {dead(healthy):.0%} dead": healthy > 0,
    f"ReLU, rate 1.0: {dead(wounded):.0%} dead": wounded > 0,
    f"sigmoid: {saturated(stuck):.0%} saturated": np.abs(sigmoid(stuck) - 0.5) < 0.49,
}
fig, axes = plt.subplots(1, 3, figsize=(9, 3.4))
for ax, (title, alive) in zip(axes, masks.items()):
    ranked = alive[:150, np.argsort(alive.mean(axis=0))]
    ax.imshow(ranked, aspect="auto", interpolation="nearest")
    ax.set(title=title, xlabel="hidden unit, least open first", ylabel="image")
    ax.grid(False)
fig.suptitle("Where a gradient passes (dark) and where not (white)", fontweight="bold")
plt.show()

# %% [markdown]
# White columns in the middle are dead or nearly so: of the 150 images drawn none wakes them. On the right, white covers most of the area but no whole column: a saturated unit is stuck for
# many images, not for all.
#
# Remedies, in the order to try: a smaller learning rate or a warm-up, He or Glorot scaling, normalization layers ([[training_deep_networks]]), an activation with a slope on both sides (leaky ReLU, GELU; [[neurons_and_layers]]), residual paths (6.6).

# %% [markdown]
# ## 6.14 The same numbers from TensorFlow
#
# Only now TensorFlow is imported. Its `GradientTape` is what we built in 6.8: a record of operations, walked backward. Same network, same weights, three ways to the gradient:

# %%
tf = devices.setup(seed=0)
import keras

# %%
compare_rng = np.random.default_rng(14)
reference = init_layers([20, 16, 12, 5], compare_rng)
X_tape, y_tape = compare_rng.normal(size=(32, 20)), compare_rng.integers(0, 5, 32)

variables = [tf.Variable(array) for layer in reference for array in layer]
with tf.GradientTape() as tape:
    h_tape = tf.constant(X_tape)
    for W_l, b_l in zip(variables[:-2:2], variables[1:-2:2]):
        h_tape = tf.nn.relu(h_tape @ W_l + b_l)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(
        y_tape, h_tape @ variables[-2] + variables[-1])
    tf_loss = tf.reduce_mean(each)
from_tape = [gradient.numpy() for gradient in tape.gradient(tf_loss, variables)]

# %% tags=["evidence"]
#@title Evidence: three ways to one gradient
ours = [Tensor(array) for layer in reference for array in layer]
h = Tensor(X_tape)
for W_l, b_l in zip(ours[:-2:2], ours[1:-2:2]):
    h = (h @ W_l + b_l).relu()
softmax_cross_entropy(h @ ours[-2] + ours[-1], y_tape).backward()
inputs, logits = forward(reference, X_tape)
pairs = backward(reference, inputs, output_delta(logits, y_tape))
by_hand = [gradient for pair in pairs for gradient in pair]

claim("autodiff against GradientTape, largest difference",
      max(np.abs(t.grad - g).max() for t, g in zip(ours, from_tape)), at_most=1e-12)
claim("hand-derived against GradientTape, largest difference",
      max(np.abs(a - g).max() for a, g in zip(by_hand, from_tape)), at_most=1e-12)

# %% [markdown]
# The remaining operations of our autodiff, one by one against the tape, on values that include the kink at 0:

# %% tags=["evidence"]
#@title Evidence: each operation equals TensorFlow's
probe = np.array([[-1.5, 0.0, 2.0], [0.3, -0.2, 4.0]])
factor, one_row = compare_rng.normal(size=(2, 3)), compare_rng.normal(size=3)
operations = {
    "relu": (lambda t: t.relu(), tf.nn.relu),
    "sigmoid": (lambda t: t.sigmoid(), tf.sigmoid),
    "broadcast +": (lambda t: t + one_row, lambda t: t + one_row),
    "broadcast ×, used twice": (lambda t: t * t * one_row, lambda t: t * t * one_row),
}
for name, (mine, theirs) in operations.items():
    tensor, variable = Tensor(probe), tf.Variable(probe)
    (mine(tensor) * factor).sum().backward()
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(theirs(variable) * factor)
    difference = np.abs(tensor.grad - tape.gradient(value, variable).numpy()).max()
    print(f"{name:24} agrees to 1e-14: {difference < 1e-14}")


# %% [markdown]
# ### Is our NumPy network only a toy?
#
# Time one epoch of the digit reader's size (60,000 rows, 784-128-10, batch 128) against Keras `fit`, in the same run, on random numbers: speed does not depend on what they mean.
# Equal conditions: float32, plain SGD, shuffling and the mean loss for both; the first epoch, in which Keras builds its graph, counts for neither. Keras may use every core, ours stays on one (6.7).
# `FastMLP` is not the code of 6.6 but its mathematics written for speed: one hidden layer only, and the large arrays are allocated once and reused.

# %% tags=["plumbing"]
#@title Plumbing: the mathematics of 6.6 written for speed
class FastMLP:
    """d-h-k ReLU network, softmax cross-entropy, plain SGD; float32, reused arrays."""

    def __init__(self, layers, batch):
        (self.W1, self.b1), (self.W2, self.b2) = (map(np.copy, pair) for pair in layers)
        (d, h), k = self.W1.shape, self.W2.shape[1]
        shapes = (batch, d), (batch, h), (batch, h), (batch, k), (d, h), (h, k)
        self.arrays = [np.empty(shape, np.float32) for shape in shapes]

    def step(self, X, y, rows, rate):
        """One step on the rows of X (n, d) and y (n,) that are named. -> mean loss."""
        B, y = len(rows), y[rows]
        x, a, grad_a, z = (array[:B] for array in self.arrays[:4])
        grad_W1, grad_W2 = self.arrays[4:]
        np.take(X, rows, axis=0, out=x, mode="clip")
        np.maximum(np.add(np.matmul(x, self.W1, out=a), self.b1, out=a), 0, out=a)
        np.add(np.matmul(a, self.W2, out=z), self.b2, out=z)
        z -= z.max(axis=1, keepdims=True)
        right = z[np.arange(B), y]
        total = np.exp(z, out=z).sum(axis=1, keepdims=True)
        loss = np.mean(np.log(total[:, 0]) - right)
        z /= total  # z is now P,
        z[np.arange(B), y] -= 1  # now P − Y,
        z /= B  # now delta
        np.multiply(np.matmul(z, self.W2.T, out=grad_a), a > 0, out=grad_a)
        np.matmul(a.T, z, out=grad_W2)
        np.matmul(x.T, grad_a, out=grad_W1)
        grads = grad_W1, grad_a.sum(axis=0), grad_W2, z.sum(axis=0)
        for param, grad in zip((self.W1, self.b1, self.W2, self.b2), grads):
            param -= np.multiply(grad, rate, out=grad)
        return loss


# %%
ROWS = by_profile(quick=2_000, standard=60_000, full=60_000)
TIMED = by_profile(quick=1, standard=4, full=8)
X_timed = rng.random((ROWS, 784), dtype=np.float32)
y_timed = rng.integers(0, 10, ROWS)
shared = init_layers([784, 128, 10], rng, np.float32)

model = keras.Sequential([
    keras.Input((784,)), keras.layers.Dense(128, "relu"), keras.layers.Dense(10)])
model.compile(optimizer=keras.optimizers.SGD(0.1),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))

# %% [markdown]
# First, do they compute the same? Ten steps from the same weights on the same batches:

# %% tags=["evidence"]
#@title Evidence: ten steps of each end at the same weights
model.set_weights([array for layer in shared for array in layer])
fast = FastMLP(shared, batch=128)
for start in range(0, 1280, 128):
    fast.step(X_timed, y_timed, np.arange(start, start + 128), 0.1)
model.fit(X_timed[:1280], y_timed[:1280], batch_size=128, shuffle=False, verbose=0)
claim("largest difference of a weight after ten steps",
      max(np.abs(a - b).max() for a, b in zip(
          (fast.W1, fast.b1, fast.W2, fast.b2), model.get_weights())), at_most=1e-5)


# %% tags=["plumbing"]
#@title Plumbing: how an epoch of each is timed
def numpy_epoch():
    """One epoch in random order. -> seconds"""
    start = time.perf_counter()
    order = rng.permutation(ROWS)
    losses = []
    for i in range(0, ROWS, 128):
        losses.append(fast.step(X_timed, y_timed, order[i:i + 128], 0.1))
    np.mean(losses)
    return time.perf_counter() - start


class EpochTimes(keras.callbacks.Callback):
    """Seconds of every epoch."""

    def on_train_begin(self, logs=None):
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


timer = EpochTimes()
numpy_epoch()
numpy_times = [numpy_epoch() for _ in range(TIMED)]
model.fit(X_timed, y_timed, batch_size=128, epochs=1 + TIMED, verbose=0,
          callbacks=[timer])
keras_times = timer.seconds[1:]
# again, in case the machine was busier during one of the two
numpy_times += [numpy_epoch() for _ in range(TIMED)]

# %% tags=["figure"]
#@title Figure: One epoch of a small network, NumPy against Keras
fig, ax = plt.subplots(figsize=(6, 2.2))
for row, times in enumerate((numpy_times, keras_times)):
    ax.barh(row, min(times), color=plotting.PALETTE[row], height=0.6)
    ax.plot(times, [row] * len(times), "o", color="black", ms=3)
ax.set(title="One epoch of a small network, NumPy against Keras", yticks=[0, 1],
       yticklabels=["NumPy", "Keras fit"], xlabel="seconds (bar: best; dots: all)")
plt.show()

# %% tags=["evidence"]
#@title Evidence: how many times longer an epoch of Keras takes
claim("Keras seconds / NumPy seconds, best epochs", min(keras_times) / min(numpy_times),
      at_least=1.0, applies=profile() != "quick" and not devices.gpu_names())

# %% [markdown]
# On a processor, for a network this small and in batches of 128, NumPy written for speed is faster than `fit`, by the factor printed above: matrix products of this size take little, and what a framework does around each step counts.
# That says nothing about wider layers, convolutions or a GPU, none of which was measured here. What Keras offers at this size is not speed; it is that nobody had to derive a backward pass.

# %% [markdown]
# ## 6.15 Where it breaks
#
# Four limits, the first three measured in a line or two:

# %%
batch = rng.random((128, 784), dtype=np.float32)
hidden_bytes = sum(a.nbytes for a in forward(shared, batch)[0][1:])
print(f"memory for batch 128: {batch.nbytes / 1e3:.0f} kB of input,"
      f" {hidden_bytes / 1e3:.0f} kB of hidden activations,"
      f" {sum(W_l.nbytes + b_l.nbytes for W_l, b_l in shared) / 1e3:.0f} kB of weights")

one_score = np.array([[0.3, 1.2, -0.5]])  # true class 1
right_answers = lambda z: np.mean(z.argmax(axis=1) == 1)
print("gradient of the accuracy:", numerical_gradient(right_answers, one_score)[0])

tiny = np.float32(2e-8)
print(f"a gradient of {tiny:.0e} in half precision: {np.float16(tiny)};"
      f" scaled by 1024: {np.float16(tiny * 1024):.1e}")

# %% [markdown]
# - **Memory.** The record must live until the backward pass. With the input it already weighs more than the weights; the hidden part is small here, but it grows with batch, depth and sequence length until it dominates. Large models recompute part of it instead
#   (*gradient checkpointing*, notebook [[training_at_scale]]).
# - **No slope, no learning.** Accuracy, argmax, rounding and the choice of a token are flat almost everywhere: gradient 0. One trains a smooth stand-in (cross-entropy) and *reports* accuracy.
# - **Precision.** Small gradients vanish in float16 unless the loss is scaled up first; bfloat16 keeps float32's range and gives up digits instead (notebook [[training_at_scale]]).
# - **A right gradient is only a direction.** It says nothing of step size ([[optimizers]]), of the data (6.10, bug 6), or of how well the result generalizes ([[evaluation_metrics]], [[training_deep_networks]]).
#
# **What a product team should ask.** Does every hand-written operation have a gradient check in the test suite, in float64? Is there a baseline that a broken model could not beat? Do we watch gradient sizes per
# layer and the share of dead units, or only the loss? How much of our accelerator memory holds activations, and would recomputing them be cheaper than a larger machine?

# %% [markdown]
# ## 6.16 Summary
#
# 1. The backward pass multiplies local derivatives from the loss back; where a value is used twice, its gradients add.
# 2. For a layer $Z = XW + b$: $\;\partial L/\partial W = X^\top\delta$, $\;\partial L/\partial b = \sum_n \delta_n$, $\;\partial L/\partial X = \delta W^\top$.
# 3. One gradient costs the matrix products of two to three forward passes, whatever the number of weights. Backpropagation ends there; the optimizer moves the weights.
# 4. Check gradients in float64 with central differences at $h \approx \varepsilon^{1/3}$: relative errors below $10^{-6}$ are fine, above $10^{-3}$ there is a kink or a bug.
# 5. Code that runs can still be wrong: gradient check and baseline find what no error message tells.
#
# | key formula | shape |
# |---|---|
# | $\delta^{(N)} = (P - Y)/B$ (softmax + cross-entropy) | $(B, k)$ |
# | $\delta^{(l)} = (\delta^{(l+1)} W^{(l+1)\top}) \odot \phi'(z^{(l)})$ | $(B, d_l)$ |
# | $\partial L/\partial W^{(l)} = a^{(l-1)\top}\delta^{(l)}$ | $(d_{l-1}, d_l)$ |
# | $\sigma'(z) = a(1 - a)$; $\;$ ReLU$'(z) = [z > 0]$; $\;\tanh'(z) = 1 - a^2$ | as $z$ |
# | $E(h) \approx \tfrac16\lvert f'''\rvert h^2 + \varepsilon \lvert f\rvert / h$ | scalar |
#
# ### Further reading
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986). Learning representations by back-propagating errors. *Nature* 323, 533–536.
# - S. Linnainmaa (1976). Taylor expansion of the accumulated rounding error. *BIT* 16, 146–160. The reverse mode, before neural networks used it.
# - A. Griewank, A. Walther (2008). *Evaluating Derivatives*, 2nd edition. SIAM.
# - A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind (2018). Automatic differentiation in machine learning: a survey. *Journal of Machine Learning Research* 18(153), 1–43.
# - X. Glorot, Y. Bengio (2010). Understanding the difficulty of training deep feedforward neural networks. *Proceedings of Machine Learning Research* 9, 249–256.
# - M. Nielsen (2015). *Neural Networks and Deep Learning*, chapter 2. A gentler walk over the same ground.
#
# **Next:** notebook [[optimizers]], optimizers. You have the direction; how far should you go, and is downhill even the best way down?
