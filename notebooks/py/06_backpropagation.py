# ---
# jupyter:
#   course:
#     datasets: [mnist]
#     covers: "Which weights are to blame, and how much: the backward pass of a classifier, written layer by layer, judged by nudging, and trained on digits."
#     prerequisites: [neurons_and_layers, loss_functions]
#     ledger: [D1-4.2-d, D2-3.3.4-a, D3-3.1-b, D3-3.2-e,
#       D3-4.1-a, D3-4.1-b, D3-4.1-c, D3-4.1-d,
#       D3-4.2-a, D3-4.2-b, D3-4.2-c, D3-4.2-d, D3-4.2-e, D3-4.2-f,
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
# You have a digit reader of one layer, with a formula for its gradient (notebook [[life_of_a_model]]), and hidden layers to put in front ([[neurons_and_layers]]).
# What fails: the formula doesn't reach a hidden weight. When the network misreads a digit, which of its hundred thousand weights are to blame, in which direction, and how much?
#
# Backpropagation (反向传播) answers for all at once, at a price that is worth a guess. You build it, and it teaches a network to read.
#
# **You will be able to**
# - compute a small network's gradient with a pencil;
# - write a classifier's backward pass, layer by layer, and train with it;
# - check any gradient by nudging;
# - find what a copied derivation lost.

# %% tags=["setup"]
import itertools
import time
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from course_utils import (
    by_profile, check, claim, data, devices, plotting, profile, solved,
)

plotting.use_style()
rng = np.random.default_rng(0)

# %% [markdown]
# ## 6.1 What does one weight do to the loss?
#
# Two questions from before:
#
# <details><summary>X has shape (64, 784) and W has shape (784, 128). What shape has X W + b, and what shape has b?</summary>
#
# (64, 128): a row per example, a column per unit. b has shape (128,) and is added to every row.
# </details>
#
# <details><summary>A classifier gives the true class probability 0.25. What is the cross-entropy?</summary>
#
# −log 0.25 = 1.39 nats. The other classes' probabilities don't enter.
# </details>
#
# A network small enough for a pencil: input $x = 2$, one hidden unit with weight $w$ and ReLU, an output with weight $v$; the answer should be $y = 4$.
#
# $$z = w\,x, \qquad h = \max(z, 0), \qquad \hat y = v\,h, \qquad L = \tfrac12(\hat y - y)^2 .$$
#
# With $w = 1.5$ and $v = 2$ it computes $z = 3$, $h = 3$, $\hat y = 6$ and pays $L = 2$.
#
# **Predict.** You turn $w$ from 1.50 up to 1.51. Does the loss change by about (a) +0.01, (b) +0.08 or (c) −0.08?

# %%
STEP = 0.01                                    # try 0.1, 0.00001, -0.01


def pencil_loss(w, v, x=2.0, y=4.0):
    return 0.5 * (v * np.maximum(w * x, 0) - y) ** 2


change = pencil_loss(1.5 + STEP, 2.0) - pencil_loss(1.5, 2.0)
print(f"loss {change:+.4f}; per unit of w {change / STEP:+.2f}")

# %% [markdown]
# (b). With smaller steps the second number settles at 8: the *slope*, $\partial L/\partial w$.
#
# ### Exercise 6.1 · nudging (4 min)
# From both sides the slope comes out more exactly. Write it: the loss at $w + h$ minus the loss at $w - h$, divided by the distance.

# %% tags=["exercise"]
def nudged_slope(f, w, h=1e-5):
    """Slope of a function of one number at w, from f at w + h and at w - h."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.1", "nudging"):
    np.testing.assert_allclose(nudged_slope(lambda w: w**2, 3.0), 6, rtol=1e-6)
    np.testing.assert_allclose(nudged_slope(np.sin, 0.0), 1, rtol=1e-6)
    # of a cube it is known exactly, whatever the step: 3 w² + h²
    for w_t, h_t in ((2.0, 0.1), (-1.0, 0.5)):
        got_t = nudged_slope(lambda w: w**3, w_t, h_t)
        np.testing.assert_allclose(got_t, 3 * w_t**2 + h_t**2, err_msg=f"h = {h_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# The distance from $w - h$ to $w + h$ is $2h$.
# </details>

# %% tags=["solution"]
#@title Solution 6.1 · runs only while yours does not pass
if not solved("6.1"):
    def nudged_slope(f, w, h=1e-5):
        return (f(w + h) - f(w - h)) / (2 * h)


# %% tags=["figure"]
#@title Figure: The slope says which way to turn a weight, and what it buys
def turned(w):
    fig, ax = plt.subplots(figsize=(6, 3.2))
    places = np.linspace(-1, 2.2, 161)
    ax.plot(places, pencil_loss(places, 2.0), label="loss")
    here = pencil_loss(w, 2.0)
    slope = nudged_slope(lambda w: pencil_loss(w, 2.0), w)
    near = w + np.array([-0.35, 0.35])
    ax.plot(near, here + slope * (near - w), "--", label=f"slope {slope:+.2f}")
    ax.plot(w, here, "o", color=plotting.RED, label=f"w = {w:.2f}, loss {here:.2f}")
    ax.set(title="The slope says which way to turn a weight, and what it buys",
           xlabel="weight $w$", ylabel="loss $L$", ylim=(-1.5, 13))
    ax.legend(loc="upper center")
    return fig


plotting.explore(turned, w=(-1.0, 2.2, 1.5, 0.05))
plt.show()

# %% [markdown]
# Move the slider. Right of 1 the slope is positive: turn $w$ down. At 1 it is 0. Left of 0 the unit is off: the loss is 8, and the slope, 0, doesn't say where to go. (Nudge in float64, and not across a kink such as the one at $w = 0$: 6.8.)
#
# All slopes together are the *gradient* (梯度). Nudging finds each of them without any algebra, so it will judge everything below. For every entry of an array:

# %% tags=["plumbing", "keep"] lesson="backpropagation"
#@title Plumbing: numerical_gradient(f, z), nudging as a tool
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


# %% tags=["plumbing"]
#@title Plumbing: how the checks compare gradients
def assert_same(names, got, expected):
    """Assert equal shapes and values, and name the gradient that differs."""
    assert len(got) == len(expected), f"{len(got)} results, {len(expected)} expected"
    for name, ours, right in zip(names.split(), got, expected):
        shape = np.shape(ours)
        assert shape == right.shape, f"{name} has shape {shape}, not {right.shape}"
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-6, err_msg=name)


# %% [markdown]
# But it costs two predictions per weight. For a digit reader with 784 inputs, 128 hidden units and 10 classes:

# %% tags=["nbval-check-output"]
weights = (784 * 128 + 128) + (128 * 10 + 10)
print(f"{weights:,} weights and biases: {2 * weights:,} predictions for one gradient")

# %% [markdown]
# And training takes thousands of gradients.

# %% [markdown]
# ## 6.2 How does the blame travel back?
#
# The chain rule (链式法则) multiplies the steps' own slopes, beginning at the loss. Read the forward columns from the bottom up, the backward ones from the top down. Each backward line needs only the one above it and a number from the forward pass:
#
# | forward | value | backward | value |
# |---|---|---|---|
# | $L = \tfrac12(\hat y - y)^2$ | 2 | $\partial L/\partial \hat y = \hat y - y$ | 2 |
# | $\hat y = v\,h$ | 6 | $\partial L/\partial v = \partial L/\partial\hat y \cdot h$ | **?** |
# | | | $\partial L/\partial h = \partial L/\partial\hat y \cdot v$ | 4 |
# | $h = \max(z, 0)$ | 3 | $\delta := \partial L/\partial z = \partial L/\partial h$ where $z > 0$, else 0 | 4 |
# | $z = w\,x$ | 3 | $\partial L/\partial w = \delta \cdot x$ | 8 |
#
# $z$ is the *pre-activation* (净输入), $h$ the *activation* (激活值). The 8 is what you measured.
#
# **Predict.** What stands in place of the question mark: 2, 4 or 6?

# %% tags=["nbval-check-output"]
w, v, x, y = 1.5, 2.0, 2.0, 4.0
z = w * x                                      # forward
h = max(z, 0)
y_hat = v * h
grad_y = y_hat - y                             # backward
grad_v, grad_h = grad_y * h, grad_y * v
delta = grad_h * (z > 0)
print(f"dL/dv = {grad_v:.0f}   dL/dh = {grad_h:.0f}   dL/dw = {delta * x:.0f}")

# %% [markdown]
# 6: $v$ is blamed in proportion to $h$, the number that it multiplied.
#
# And **where a value is used twice, its gradients add.** Let $p = 3u$, $q = u + 1$ and $f = p\,q$, at $u = 2$. Through $p$ flows $q \cdot 3 = 9$, through $q$ flows $p \cdot 1 = 6$: together 15.

# %% tags=["evidence"]
#@title Evidence: nudging agrees with 8, 6 and 15
by_nudging = [numerical_gradient(lambda w: pencil_loss(w, 2.0), 1.5),
              numerical_gradient(lambda v: pencil_loss(1.5, v), 2.0),
              numerical_gradient(lambda u: 3 * u * (u + 1), 2.0)]
claim("largest difference from 8, 6 and 15",
      np.abs(np.array(by_nudging) - [8, 6, 15]).max(), at_most=1e-8)

# %% [markdown]
# ### Exercise 6.2 · a network by hand (4 min)
# The same network with other numbers: $x = 3$, $v = 0.5$, $y = 1$. Give $\partial L/\partial v$ and $\partial L/\partial w$, first for $w = 2$, then for $w = -2$. Use a pencil.

# %% tags=["exercise"]
def by_hand():
    """-> two pairs: (dL/dv, dL/dw) for w = 2, then the same for w = -2"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.2", "a network by hand"):
    pairs_t = by_hand()
    assert len(pairs_t) == 2, f"two pairs, not {len(pairs_t)}"
    for pair_t, wanted_t, w_t in zip(pairs_t, ((12, 3), (0, 0)), (2, -2)):
        what_t = f"dL/dv, dL/dw at w = {w_t}"
        np.testing.assert_allclose(pair_t, wanted_t, atol=1e-9, err_msg=what_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# For $w = 2$: $z = 6$, $h = 6$, $\hat y = 3$, so $\partial L/\partial\hat y = 2$. For $w = -2$ ask first what $h$ is.
# </details>

# %% tags=["solution"]
#@title Solution 6.2 · runs only while yours does not pass
if not solved("6.2"):
    def by_hand():
        for_2 = 2 * 6, 2 * 0.5 * 3
        for_minus_2 = -1 * 0, 0
        return for_2, for_minus_2


# %% [markdown]
# At $w = -2$ the unit is off: a wrong answer, and no gradient (6.10).

# %% [markdown]
# ## 6.3 Which way should each score move?
#
# A classifier ends with *scores* (logits, 未归一化的得分), one per class. Softmax turns them into probabilities; cross-entropy (交叉熵) charges
# $-\log$ of the true one. Take scores $(2, 1, 0)$, true class 1 (counted from 0). With a pencil: $e^2, e^1, e^0 \approx 7.4,\ 2.7,\ 1$, so the probabilities are about $0.67,\ 0.24,\ 0.09$.

# %% tags=["plumbing", "keep"] lesson="backpropagation"
#@title Plumbing: softmax(z) and cross_entropy(z, y), as in the notebook on loss functions
def softmax(z: np.ndarray) -> np.ndarray:
    """Each row of z (..., k) to probabilities; a logit of -inf gets probability 0."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))  # so that exp can't overflow
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(z: np.ndarray, y: np.ndarray) -> np.floating:
    """Mean cross-entropy in nats. z: (B, k) logits, y: (B,) class indices -> scalar"""
    z = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y])


# %% [markdown]
# **Predict.** You may raise one score a little. Raising which one lowers the loss, and how fast?
# (a) only the true one, at rate 0.24 · (b) only the true one, at rate 0.76 · (c) all three

# %%
TRUE = 1                                       # try 0 and 2
scores = np.array([[2.0, 1.0, 0.0]])           # (1, 3)
slopes = numerical_gradient(lambda z: cross_entropy(z, np.array([TRUE])), scores)
for j, p in enumerate(softmax(scores)[0]):
    print(f"score {j}: probability {p:.3f}, slope {slopes[0, j]:+.3f}")

# %% [markdown]
# (b). The slope at the true class is $0.245 - 1 = -0.755$; at each other class it is that class's probability. Probabilities minus truth, nothing else. Many guess (a), the number they see; the loss feels the *missing* 0.76. For true class $c$
#
# $$L = -\log \frac{e^{z_c}}{\sum_m e^{z_m}} = -z_c + \log \sum_m e^{z_m}
# \qquad\Rightarrow\qquad
# \frac{\partial L}{\partial z_j} = p_j - [j = c],$$
#
# with $[j = c]$ for 1 if $j = c$, else 0.
#
# ### Exercise 6.3 · the gradient for a batch (7 min)
# A batch has $B$ rows, and the loss is the **mean** over them.

# %% tags=["exercise"]
def loss_gradient(z, y):
    """Gradient of the mean cross-entropy with respect to the logits.

    z: (B, k) logits, y: (B,) class indices -> (B, k)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.3", "the gradient for a batch"):
    rng_t = np.random.default_rng(63)
    for z_t, y_t in [(rng_t.normal(size=(4, 3)), np.array([0, 2, 1, 2])),
                     (rng_t.normal(size=(3, 2)), np.array([1, 1, 1])),    # one class
                     (rng_t.normal(size=(2, 4)), np.array([0, 1])),       # no 2, no 3
                     (rng_t.normal(size=(1, 5)), np.array([4])),          # one example
                     (np.array([[900.0, -900.0]]), np.array([1]))]:       # surely wrong
        nudged_t = numerical_gradient(lambda z: cross_entropy(z, y_t), z_t)
        given_t = z_t.copy()
        got_t = loss_gradient(given_t, y_t.copy())
        assert isinstance(got_t, np.ndarray), "return an array, (B, k)"
        assert_same("dL/dz", [got_t], [nudged_t])
        np.testing.assert_array_equal(given_t, z_t, "z must stay as it was")

# %% [markdown]
# <details><summary>Hint</summary>
#
# For one row: the probabilities, with 1 taken away at the true class. `p[np.arange(len(y)), y]` is every row's true entry. What does a mean over $B$ rows do to each row's gradient?
# </details>

# %% tags=["solution", "keep"] lesson="backpropagation"
#@title Solution 6.3 · runs only while yours does not pass
if not solved("6.3"):
    def loss_gradient(z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Gradient of the mean cross-entropy. z: (B, k) logits, y: (B,) -> (B, k)."""
        p = softmax(z)                         # (B, k)
        p[np.arange(len(y)), y] -= 1           # the truth, one per row
        return p / len(y)                      # mean over the batch


# %% tags=["plumbing", "keep"] lesson="backpropagation"
#@title Plumbing: its name where it is the δ at the output of a network
def output_delta(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """loss_gradient(z, y). z: (B, k) logits, y: (B,) class indices -> (B, k)"""
    return loss_gradient(z, y)


# %% tags=["figure"]
#@title Figure: A wrong answer is never pushed harder than 1
margins = np.linspace(-8, 8, 200)
rows = np.stack([np.zeros_like(margins), margins], axis=1)
pushes = [loss_gradient(row[None], np.array([1]))[0, 1] for row in rows]
fig, ax = plt.subplots(figsize=(6, 2.8))
ax.plot(margins, pushes)
ax.set(title="A wrong answer is never pushed harder than 1",
       xlabel="true score minus the other", ylabel="slope at the true score")
plt.show()

# %% [markdown]
# The slope climbs from −1 to 0: a confident mistake is corrected at full strength, a confident hit is left alone.
#
# **In Keras** write `from_logits=True`, and a last layer *without* softmax. With both, Keras on TensorFlow warns and goes back to the scores. A softmax that you wrote yourself acts twice, without an error, and pushes far too weakly.

# %% [markdown]
# ## 6.4 Who used this weight?
#
# A layer: $Z = XW + b$, with $X$ $(B, d_{in})$, $W$ $(d_{in}, d_{out})$, $b$ $(d_{out},)$. From above arrives $\delta = \partial L/\partial Z$, shape $(B, d_{out})$. Two examples, two inputs, one output:
#
# $$X = \begin{pmatrix} 1 & 2 \\ 3 & 0 \end{pmatrix}, \qquad W = \begin{pmatrix} 2 \\ -1 \end{pmatrix}, \qquad \delta = \begin{pmatrix} 1 \\ 2 \end{pmatrix}.$$
#
# **Predict.** Both examples use the first weight, with inputs 1 and 3. Its gradient is (a) 3.5, (b) 4 or (c) 7?

# %% tags=["nbval-check-output"]
X_two = np.array([[1.0, 2.0], [3.0, 0.0]])     # (B, d_in)
delta_two = np.array([[1.0], [2.0]])           # (B, d_out)
grad_W_two = np.zeros((2, 1))                  # (d_in, d_out)
for x_n, delta_n in zip(X_two, delta_two):     # one example at a time
    grad_W_two += x_n[:, None] * delta_n       # input times delta
    print("share", (x_n[:, None] * delta_n).ravel(), " sum so far", grad_W_two.ravel())

# %% [markdown]
# (c): $1 \cdot 1 + 3 \cdot 2$. Every use is blamed by *input times δ*, and uses add. For the others, too, ask: *who uses it, and with which factor?* One entry is $z_{nj} = \sum_i x_{ni}\, w_{ij} + b_j$:
#
# - $w_{ij}$ is used by every example $n$, for output $j$, with factor $x_{ni}$: $\;\partial L/\partial w_{ij} = \sum_n x_{ni}\,\delta_{nj}$
# - $b_j$ is used by every example $n$, with factor 1: $\;\partial L/\partial b_j = \sum_n \delta_{nj}$
# - $x_{ni}$ is used by every output $j$, with factor $w_{ij}$: $\;\partial L/\partial x_{ni} = \sum_j \delta_{nj}\, w_{ij}$
#
# ### Exercise 6.4 · backward through a layer (9 min)
# Write the three sums as matrix products. A gradient has the shape of what it belongs to: where all sizes differ, only one arrangement of transposes fits. (In the example above $X\delta$ fits as well, and is wrong.)

# %% tags=["exercise"]
def dense_backward(X, W, delta):
    """Gradients of Z = X W + b from delta = dL/dZ.

    X: (B, d_in), W: (d_in, d_out), delta: (B, d_out)
    -> dL/dX (B, d_in), dL/dW (d_in, d_out), dL/db (d_out,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.4", "backward through a layer"):
    for B_t, in_t, out_t in ((5, 4, 3), (2, 3, 3), (1, 2, 1)):
        rng_t = np.random.default_rng(B_t)
        X_t, W_t = rng_t.normal(size=(B_t, in_t)), rng_t.normal(size=(in_t, out_t))
        b_t, up_t = rng_t.normal(size=out_t), rng_t.normal(size=(B_t, out_t))
        # the loss sum(up * Z) has the gradient `up` at Z
        score_t = lambda X, W, b: np.sum(up_t * (X @ W + b))
        nudged_t = [numerical_gradient(lambda X: score_t(X, W_t, b_t), X_t),
                    numerical_gradient(lambda W: score_t(X_t, W, b_t), W_t),
                    numerical_gradient(lambda b: score_t(X_t, W_t, b), b_t)]
        got_t = dense_backward(X_t.copy(), W_t.copy(), up_t.copy())
        assert_same("dL/dX dL/dW dL/db", got_t, nudged_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\sum_n x_{ni}\,\delta_{nj}$ is column $i$ of $X$ times column $j$ of $\delta$: entry $(i, j)$ of $X^\top\delta$. The bias sums over the rows, `axis=0`.
# </details>

# %% tags=["solution", "keep"] lesson="backpropagation"
#@title Solution 6.4 · runs only while yours does not pass
if not solved("6.4"):
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


# %% [markdown]
# $$\frac{\partial L}{\partial W} = X^\top \delta
# \qquad \frac{\partial L}{\partial b} = \sum_n \delta_n
# \qquad \frac{\partial L}{\partial X} = \delta\, W^\top$$
#
# The third makes it *back*propagation: **blame flows back through the weights through which the signal came.**

# %% [markdown]
# ## 6.5 Can blame cross a whole network?
#
# Stack layers, with ReLU between. The forward pass keeps what each layer reads. `layers[0]` holds $W^1, b^1$: raised numbers count layers.

# %% tags=["plumbing", "keep"] lesson="backpropagation"
#@title Plumbing: how the layers start, and ReLU's step back
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


# %% tags=["keep"] lesson="backpropagation"
def forward(layers: Layers, X: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """ReLU network. X: (B, d_in) -> list of every layer's input, logits (B, k)."""
    inputs = [X]
    for W, b in layers[:-1]:
        inputs.append(np.maximum(inputs[-1] @ W + b, 0))   # (B, hidden)
    W, b = layers[-1]
    return inputs, inputs[-1] @ W + b                      # (B, k)


# %% tags=["figure"]
#@title Figure: Every gradient has the shape of what it belongs to (784-128-10)
top = ["X\n(B, 784)", "z¹\n(B, 128)", "h = ReLU(z¹)\n(B, 128)", "z²\n(B, 10)", "L\n()"]
low = ["no need\nof ∂L/∂X", "δ¹\n(B, 128)", "∂L/∂h\n(B, 128)", "δ²\n(B, 10)", "1"]
box_W1, box_W2 = "∂L/∂W¹ = Xᵀδ¹\n(784, 128)", "∂L/∂W² = hᵀδ²\n(128, 10)"
boxes = {name: (i, 0) for i, name in enumerate(top)}
boxes |= {name: (i, 1) for i, name in enumerate(low)}
boxes |= {box_W1: (1, 2), box_W2: (3, 2)}
arrows = [*zip(top, top[1:], ("W¹, b¹", "ReLU", "W², b²", "CE")), (top[4], low[4]),
          (low[4], low[3], "(p−y)/B"), (low[3], low[2], "W²ᵀ"),
          (low[2], low[1], "[h > 0]"), (low[1], low[0]), (low[1], box_W1),
          (low[3], box_W2)]
plotting.flow(boxes, arrows, highlight=[*low, box_W1, box_W2], box_width=1.4,
              title="Every gradient has the shape of what it belongs to (784-128-10)")
plt.show()

# %% [markdown]
# The figure is the program: start at the logits with 6.3, go down with 6.4, and at each ReLU let pass what belongs to a positive $h$.
#
# **Predict.** Forward is one matrix product per layer. Counting multiplications, forward *and* backward together cost about how many predictions: 2, 20 or 200?

# %% tags=["evidence"]
#@title Evidence: one gradient has the multiplications of two predictions
forward_products = 784 * 128 + 128 * 10
backward_products = 784 * 128 + 128 * 10 + 10 * 128      # ∂L/∂W¹, ∂L/∂W², ∂L/∂h
claim("multiplications, forward and backward / forward alone",
      (forward_products + backward_products) / forward_products, at_most=2.1)

# %% [markdown]
# Two; nudging wanted two hundred thousand. (Deeper networks: up to three, 6.9.)
#
# ### Exercise 6.5 · the backward pass (12 min)
# For any number of layers. $z > 0$ exactly where $h > 0$, so `inputs` is all you need: `relu_backward(gradient, inputs[i])` steps back through the ReLU that made `inputs[i]`.

# %% tags=["exercise"]
def backward(layers, inputs, delta):
    """Gradients of every layer's W and b, first layer first.

    inputs: what each layer read, from forward(); delta: (B, k), dL/d logits
    -> list of (dL/dW, dL/db), shapes as in layers
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.5", "the backward pass"):
    for sizes_t, B_t in (([4, 6, 5, 3], 8), ([3, 4, 2], 1), ([2, 3], 5)):
        rng_t = np.random.default_rng(len(sizes_t))
        net_t = [(W, b + 0.1 * rng_t.normal(size=b.shape))
                 for W, b in init_layers(sizes_t, rng_t)]
        X_t = rng_t.normal(size=(B_t, sizes_t[0]))
        y_t = rng_t.integers(0, sizes_t[-1], B_t)
        read_t, logits_t = forward(net_t, X_t)
        got_t = backward([(W.copy(), b.copy()) for W, b in net_t],
                         [a.copy() for a in read_t], loss_gradient(logits_t, y_t))
        assert len(got_t) == len(net_t), f"{len(got_t)} pairs for {len(net_t)} layers"
        for i_t, pair_t in enumerate(net_t):
            rest_t = lambda pair: [*net_t[:i_t], pair, *net_t[i_t + 1:]]
            loss_t = lambda W, b: cross_entropy(forward(rest_t((W, b)), X_t)[1], y_t)
            W_t, b_t = pair_t
            nudged_t = [numerical_gradient(lambda W: loss_t(W, b_t), W_t),
                        numerical_gradient(lambda b: loss_t(W_t, b), b_t)]
            assert_same(f"dL/dW{i_t + 1} dL/db{i_t + 1}", got_t[i_t], nudged_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Loop over `reversed(range(len(layers)))`. In each turn take the layer's two gradients from `inputs[i]` and `delta`; then, unless it was the first layer, replace `delta` by the one below: through $W^\top$, and through ReLU. You collect from last to first: turn the list around.
# </details>

# %% tags=["solution", "keep"] lesson="backpropagation"
#@title Solution 6.5 · runs only while yours does not pass
if not solved("6.5"):
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


# %% [markdown]
# This is only the gradient. The *update* $w \leftarrow w - \eta\, \partial L/\partial w$, with learning rate (学习率) $\eta$, is a separate step, which notebook [[optimizers]] replaces.

# %% [markdown]
# ## 6.6 Does it learn to read?
#
# Real digits, and your functions.

# %% tags=["plumbing"]
#@title Plumbing: digits as rows of 784 numbers from 0 to 1, a tenth held out for validation
threadpool_limits(1, user_api="blas")  # a second thread would cost more than it gains
mnist = data.mnist()
order = np.random.default_rng(6).permutation(len(mnist.x_train))
order = order[: by_profile(quick=1500, standard=len(order), full=len(order))]


def flatten(images):
    """(n, 28, 28) uint8 -> (n, 784) float32 between 0 and 1."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


held = len(order) // 10
X_train, y_train = flatten(mnist.x_train[order[held:]]), mnist.y_train[order[held:]]
X_valid, y_valid = flatten(mnist.x_train[order[:held]]), mnist.y_train[order[:held]]
X_test, y_test = flatten(mnist.x_test), mnist.y_test
real = mnist.source == "real" and profile() != "quick"
print(f"{mnist.name} ({mnist.source}): {len(X_train):,} training,"
      f" {held:,} validation, {len(X_test):,} test images")

# %%
RATE, BATCH = 0.1, 32                          # try the rates 0.01 and 3


def sgd_epoch(layers, X, y, rng, learn_from=0):
    """One epoch of descent on layers[learn_from:], in place. -> mean loss"""
    losses, shuffled = [], rng.permutation(len(X))
    for start in range(0, len(X), BATCH):
        rows = shuffled[start:start + BATCH]
        inputs, logits = forward(layers, X[rows])
        gradients = backward(layers, inputs, loss_gradient(logits, y[rows]))
        for layer, gradient in zip(layers[learn_from:], gradients[learn_from:]):
            for array, slope in zip(layer, gradient):
                array -= RATE * slope          # against the slope
        losses.append(cross_entropy(logits, y[rows]))
    return np.mean(losses)


# %% tags=["plumbing"]
#@title Plumbing: accuracy(layers, X, y), and train(sizes): ten epochs, a dot for each
EPOCHS = 10


def accuracy(layers, X, y):
    """Share of rows whose largest score is at the label."""
    return np.mean(forward(layers, X)[1].argmax(axis=1) == y)


def train(sizes, learn_from=0, seed=0):
    """-> trained layers, (training loss, validation loss) of every epoch"""
    layers = init_layers(sizes, np.random.default_rng(seed), np.float32)
    batch_rng, history = np.random.default_rng(seed + 100), []
    for _ in range(EPOCHS):
        loss = sgd_epoch(layers, X_train, y_train, batch_rng, learn_from)
        history.append((loss, cross_entropy(forward(layers, X_valid)[1], y_valid)))
        print(".", end="", flush=True)
    print(f" {sizes}: test accuracy {accuracy(layers, X_test, y_test):.4f}")
    return layers, history


# %% [markdown]
# **Predict.** The baseline, the same code without a hidden layer, gets about 92 % of MNIST's test images right. What will 128 hidden units add: nothing, about two points, or about five?

# %%
linear, _ = train([784, 10])
reader, curves = train([784, 128, 10])

# %% tags=["evidence"]
#@title Evidence: what the hidden layer is worth
baseline, deep = (accuracy(net, X_test, y_test) for net in (linear, reader))
print(f"misread images: {(1 - baseline) * len(y_test):.0f} without the hidden layer,"
      f" {(1 - deep) * len(y_test):.0f} with it")
claim("test accuracy of your network", deep, at_least=0.97, applies=real)

# %% tags=["figure"]
#@title Figure: Both losses fall
fig, ax = plt.subplots(figsize=(6, 2.8))
ax.plot(range(1, EPOCHS + 1), [t for t, _ in curves], "o-", label="training")
ax.plot(range(1, EPOCHS + 1), [v for _, v in curves], "o--", label="validation")
ax.set(title="Both losses fall", xlabel="epoch",
       ylabel="mean cross-entropy", ylim=(0, None))
ax.legend()
plt.show()

# %% [markdown]
# About five: 782 misread images of 10,000 become 235 (real MNIST, ten epochs, rate 0.1, one seed).
#
# Each hidden unit has one weight per pixel. What did training write into them?

# %% tags=["figure"]
#@title Figure: What training wrote into sixteen hidden units
started = init_layers([784, 128, 10], np.random.default_rng(0), np.float32)[0][0]
written = (reader[0][0] - started).T.reshape(-1, 28, 28)[:16]
limit = np.abs(written).max()
fig, axes = plt.subplots(2, 8, figsize=(8, 2.4))
for ax, image in zip(axes.flat, written):
    ax.imshow(image, cmap="PuOr", vmin=-limit, vmax=limit)
    ax.axis("off")
fig.suptitle("What training wrote into sixteen hidden units", fontweight="bold")
plt.show()

# %% [markdown]
# Purple weights were raised, orange ones lowered: strokes appear. The margin stays white: hardly ever ink there, and blame is input times δ.
#
# Now the question from the top. Take one misread test image. Most of its pixels are white paper, 0.
#
# **Predict.** What share of the first layer's 100,352 weights has a gradient of *exactly* 0 on it: none, about half, or about nine in ten?

# %%
misread = np.flatnonzero(forward(reader, X_test)[1].argmax(axis=1) != y_test)
PICK = 0                                       # try 1, 2, 3
row, truth = X_test[misread[PICK]][None], y_test[misread[PICK]][None]
row_inputs, row_logits = forward(reader, row)
blame = backward(reader, row_inputs, loss_gradient(row_logits, truth))
print(f"no blame at all: {np.mean(blame[0][0] == 0):.0%} of the first layer's weights")
mended = [(W - 0.01 * grad_W, b - 0.01 * grad_b)
          for (W, b), (grad_W, grad_b) in zip(reader, blame)]
for name, net in (("before", reader), ("after one step", mended)):
    p_true = softmax(forward(net, row)[1])[0, truth[0]]
    print(f"{name}: digit {truth[0]} with probability {p_true:.2f};"
          f" test accuracy {accuracy(net, X_test, y_test):.4f}")

# %% tags=["figure"]
#@title Figure: Ten images that it misreads
shown = misread[:10]
plotting.image_grid(X_test[shown].reshape(-1, 28, 28), [
    f"{t}, read {r}" for t, r in zip(
        y_test[shown], forward(reader, X_test[shown])[1].argmax(axis=1))])
plt.suptitle("Ten images that it misreads", fontweight="bold")
plt.show()

# %% [markdown]
# Nine in ten: weights of white pixels, and of units that are off, get none. So the answer to the question at the top: to blame are the weights that saw ink; the size of the slope says how much, its sign in which direction. One small step against it, and this image is read correctly. But the test accuracy falls: other images pay. So a training step looks at a whole batch.
#
# Last: what if blame stopped at the output layer? $W^1$ stays random, and only $W^2$ learns.
#
# **Predict.** Test accuracy on real MNIST: (a) 10 %, (b) 88 %, (c) 92 %, like the linear model, or (d) 98 %?

# %%
frozen, _ = train([784, 128, 10], learn_from=1)

# %% [markdown]
# (b): *worse* than no hidden layer, for 128 random units and ten epochs. With blame, 128 units are enough.

# %% [markdown]
# ## 6.7 Spot the bug: what did a widely copied derivation lose? ◇
#
# A widely copied article (Document 3, 4.2; titles in notebook [[start_here]]) derives the gradients of a sigmoid layer $z = aW + b$, $\hat y = \sigma(z)$ under $L = \tfrac12\sum_i(\hat y_i - y_i)^2$. Its three formulas for one example, in our notation:

# %% tags=["plumbing", "keep"] lesson="backpropagation"
#@title Plumbing: sigmoid(z), as in the notebook on loss functions
def sigmoid(z: ArrayLike) -> np.ndarray:
    """1 / (1 + e^-z) for any shape, in the precision of z and right at both ends."""
    # logaddexp(0, u) is log(1 + e^u); exp(-z) itself would overflow
    return np.exp(-np.logaddexp(0, -np.asarray(z)))


# %%
def copied_gradients(a, y_hat, y):
    """a: (d,), y_hat, y: (d,) -> dL/dz (d,), dL/dW (d, d), dL/db (d,)"""
    grad_z = 2 * (y_hat - y)
    grad_W = np.outer(np.ones(len(y)), a * (y_hat - y))
    grad_b = y_hat - y
    return grad_z, grad_W, grad_b


# %% [markdown]
# **Predict.** How many of the three lines are wrong: one, two or three? One hint: $\sigma'(z) = \hat y(1 - \hat y)$.

# %% tags=["evidence"]
#@title Evidence: nudging judges the three lines
bug_rng = np.random.default_rng(9)
a_bug, W_bug, b_bug = (bug_rng.normal(size=shape) for shape in ((2,), (2, 2), (2,)))
y_bug = np.array([1.0, 0.0])
half_square = lambda z: 0.5 * np.sum((sigmoid(z) - y_bug) ** 2)
measured = [numerical_gradient(half_square, a_bug @ W_bug + b_bug),
            numerical_gradient(lambda W: half_square(a_bug @ W + b_bug), W_bug),
            numerical_gradient(lambda b: half_square(a_bug @ W_bug + b), b_bug)]
copied = copied_gradients(a_bug, sigmoid(a_bug @ W_bug + b_bug), y_bug)
for name, theirs, nudged in zip(("dL/dz", "dL/dW", "dL/db"), copied, measured):
    print(f"{name}: copied / measured", (theirs / nudged).round(1).tolist())

# %% [markdown]
# All three: each ratio should be 1.
#
# ### Exercise 6.7 · put it right (6 min)
# For any number of inputs and outputs.

# %% tags=["exercise"]
def mended_gradients(a, y_hat, y):
    """a: (d,), y_hat, y: (k,) -> dL/dz (k,), dL/dW (d, k), dL/db (k,)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6.7", "put it right"):
    for d_t, k_t in ((3, 2), (2, 2), (1, 1)):
        rng_t = np.random.default_rng(d_t)
        a_t, W_t = rng_t.normal(size=d_t), rng_t.normal(size=(d_t, k_t))
        b_t, y_t = rng_t.normal(size=k_t), rng_t.random(k_t)
        loss_t = lambda z: 0.5 * np.sum((sigmoid(z) - y_t) ** 2)
        nudged_t = [numerical_gradient(loss_t, a_t @ W_t + b_t),
                    numerical_gradient(lambda W: loss_t(a_t @ W + b_t), W_t),
                    numerical_gradient(lambda b: loss_t(a_t @ W_t + b), b_t)]
        got_t = mended_gradients(a_t.copy(), sigmoid(a_t @ W_t + b_t), y_t.copy())
        assert_same("dL/dz dL/dW dL/db", got_t, nudged_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# The ½ cancels the 2. Then one more factor, from ŷ back to z. For W and b ask who uses them: input times δ.
# </details>

# %% tags=["solution"]
#@title Solution 6.7 · runs only while yours does not pass
if not solved("6.7"):
    def mended_gradients(a, y_hat, y):
        delta = (y_hat - y) * y_hat * (1 - y_hat)          # (k,)
        grad_W = a[:, None] * delta                        # (d, k)
        return delta, grad_W, delta


# %% [markdown]
# $\sigma'$ is lost, the 2 is not canceled, and $W$ gets the wrong index. The step to earlier layers is missing altogether: 6.6 showed what that costs.
#
# <details><summary>What else the documents say on this subject</summary>
#
# Document 1, 4.2, promises the derivation of a multilayer network and gives three definitions. Document 3, 4.1, applies σ twice (in z and again in a), and calls $z^{(l+1)}$ y. Document 3, 4.1, and Document 4, 4.2, call z the activation.
# Document 3, 3.1 and 3.2, and Document 5, 3.1, let backpropagation change the weights, Document 4, 3.1, lets it optimize them: it ends with gradients, of biases too, and following them promises no *global* minimum. Document 2, 3.3.4, rightly names automatic differentiation as the source of gradients. The update rule of Document 3, 4.2, is right. Its squared error for *each* layer is not: hidden layers have no labels.
# </details>
#
# The script of Document 3, 4.3, hides six more bugs: notebook [[repairing_a_network]].

# %% [markdown]
# ## 6.8 How small may the step $h$ be? ◇
#
# Nudging agrees with your formulas to nine to eleven decimals. Why not to sixteen?
#
# **Predict.** In double precision, where is the best $h$: near $10^{-2}$, $10^{-5}$ or $10^{-9}$?

# %%
h_rng = np.random.default_rng(4)
four_rows, four_classes = h_rng.normal(size=(4, 3)), np.array([0, 2, 1, 2])


def check_errors(dtype, hs):
    """Largest error of the central difference for each h; the loss is in dtype."""
    exact = loss_gradient(four_rows, four_classes)
    loss = lambda z: cross_entropy(z.astype(dtype), four_classes)
    return [np.abs(exact - numerical_gradient(loss, four_rows, h)).max() for h in hs]


hs = np.logspace(-13, 0, 66)
errors64, errors32 = check_errors(np.float64, hs), check_errors(np.float32, hs)

# %% [markdown]
# Two errors compete. Taylor's series says $f(z\pm h) = f \pm h f' + \tfrac12 h^2 f'' \pm \tfrac16 h^3 f''' + \dots$; subtract, divide by $2h$, and the formula is off by $\tfrac16 |f'''|\, h^2$ (*truncation*).
# And a computer stores $f$ only to a relative precision $\varepsilon$ (2·10⁻¹⁶ in float64, 1·10⁻⁷ in float32). The difference of two nearly equal numbers keeps that error, and $2h$ in the denominator blows it up to about $\varepsilon |f| / h$ (*rounding*). With numbers: for $f = 1$, $h = 10^{-10}$ and $\varepsilon = 2\cdot10^{-16}$ the slope is off by about $2\cdot10^{-6}$.
#
# $$E(h) \approx \frac{|f'''|}{6}\, h^2 + \frac{\varepsilon\, |f|}{h},
# \qquad E'(h) = 0 \;\Rightarrow\; h^\ast = \left(\frac{3\,\varepsilon\,|f|}{|f'''|}\right)^{1/3} \sim \varepsilon^{1/3}.$$
#
# ($\sim$: up to a constant factor.) Nothing needs fitting: here $f''' = p(1-p)(1-2p)/B$. Lay it over the measurement.

# %% tags=["figure"]
#@title Figure: Too small a step is as bad as too large a one
belief = softmax(four_rows)
third = np.abs(belief * (1 - belief) * (1 - 2 * belief)).max() / len(four_classes)
fig, ax = plt.subplots(figsize=(6.4, 3.8))
for errors, dtype, color in ((errors32, np.float32, plotting.ORANGE),
                             (errors64, np.float64, plotting.BLUE)):
    eps = np.finfo(dtype).eps
    predicted = third / 6 * hs**2 + eps * cross_entropy(four_rows, four_classes) / hs
    ax.loglog(hs, errors, "o", ms=3, color=color, label=dtype.__name__)
    ax.loglog(hs, predicted, color=color, lw=1)
    ax.axvline(eps ** (1 / 3), color=color, ls=":", lw=1.2)
    ax.text(eps ** (1 / 3), 1.6e-14, r" $\varepsilon^{1/3}$", color=color)
    best = np.argmin(errors)
    print(f"{dtype.__name__}: smallest error {errors[best]:.0e} at h = {hs[best]:.0e};"
          f" the cube root of ε is {eps ** (1 / 3):.0e}")
ax.set(title="Too small a step is as bad as too large a one", ylim=(1e-14, 1e3),
       xlabel="step $h$ (lines: the formula, nothing fitted)", ylabel="largest error")
ax.legend()
plt.show()

# %% [markdown]
# From the right, the error falls a hundredfold for every tenfold smaller $h$; further left it rises tenfold (in float32 only down to $10^{-8}$: there $z \pm h$ rounds to $z$, and the measured slope to 0). The bottom lies where the two meet, within a factor of ten of $\varepsilon^{1/3}$ in both precisions. In float32 the best possible check is about a million times worse.
#
# **A working rule.** Check in float64 with $h = 10^{-5}$; for each parameter array, divide the largest difference by its largest gradient. Below $10^{-6}$ the gradient is almost surely right.
# Above $10^{-3}$, first rule out a kink between $z - h$ and $z + h$, such as ReLU's at 0 (move the point, or change $h$), and gradients so small that rounding, about $\varepsilon|L|/h$, is a good part of them (take $h = 10^{-3}$). Then it is a bug.
#
# ### Exercise 6.8 · half the price, at what cost? (12 min)
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
with check("6.8", "one-sided differences"):
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
#@title Solution 6.8 · runs only while yours does not pass
if not solved("6.8"):
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
# ## 6.9 What does a gradient cost, in seconds? ◇
#
# Nudging needs two forward passes *per weight*. The backward pass has two matrix products per layer where the forward pass has one, and only one in the first layer. Measure both as the network $w$-$w$-10 grows.
#
# **Predict.** At 5,000 weights, how many times faster than nudging is the backward pass: 50, 500 or 5,000 times?

# %% tags=["plumbing"]
#@title Plumbing: a stopwatch for a forward pass, a backward pass, and nudging
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
    cost_rng = np.random.default_rng(width)
    layers = init_layers([width, width, 10], cost_rng)
    X, y = cost_rng.normal(size=(batch, width)), cost_rng.integers(0, 10, batch)
    loss = lambda: cross_entropy(forward(layers, X)[1], y)

    def backprop():
        inputs, logits = forward(layers, X)
        return backward(layers, inputs, loss_gradient(logits, y))

    count = sum(array.size for layer in layers for array in layer)
    # one array is nudged in place of all, each entry at the same cost
    nudging = lambda: [loss() for _ in range(2 * count)]
    repeats = 30 if width < 300 else 5
    nudged = seconds(nudging, 1) if nudge else np.nan
    return count, seconds(loss, repeats), seconds(backprop, repeats), nudged


# %%
widths = 2 ** np.arange(2, by_profile(quick=6, standard=11, full=12))
largest_nudged = by_profile(quick=16, standard=64, full=128)
costs = np.array([cost_of_gradient(width, width <= largest_nudged) for width in widths])
count, forward_time, backprop_time, nudging_time = costs.T
known = ~np.isnan(nudging_time)
speedup = nudging_time[known][-1] / backprop_time[known][-1]
print("gradient / forward pass, median over the sizes:"
      f" {np.median(backprop_time / forward_time):.1f}")
claim(f"times faster than nudging at {count[known][-1]:,.0f} weights", speedup,
      at_least=500, applies=profile() != "quick")
slow = 2 * weights * np.interp(weights, count, forward_time)
fast_way = np.interp(weights, count, backprop_time)
print(f"one gradient of {weights:,} weights: {slow:.0f} s by nudging,"
      f" {1e3 * fast_way:.2g} ms by backpropagation")

# %% tags=["figure"]
#@title Figure: The gap grows in proportion to the network
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

# %% [markdown]
# Nudging makes $2P$ forward passes for $P$ weights: slope 1 on the log–log chart while a pass costs only Python's overhead (left), towards slope 2 once each pass costs time in proportion to $P$ as well (right). Backpropagation follows the forward pass, a constant factor above it.
# So the advantage is proportional to $P$: thousands at the last point that was measured by nudging, and of the order of a billion for a model of a billion weights. That a gradient costs at most a small multiple of its function, however many inputs there are, is called the *cheap gradient principle* (Griewank & Walther, 2008).

# %% [markdown]
# ## 6.10 When do gradients die? ◇
#
# On the way down, $\delta$ is multiplied by one factor per layer: $W^\top$, and the slope of the activation. Products of many factors vanish or explode unless each is near 1.
#
# **Predict.** Ten hidden layers with sigmoid, weights of variance $1/d_{in}$. By which factor does the gradient shrink per layer: 0.9, 0.5 or 0.25?

# %%
def gradient_per_layer(activation, gain, depth=10, width=64):
    """Root mean square of dL/dW in every layer at the start. gain: std of W × √d_in."""
    start_rng, sizes = np.random.default_rng(0), [784, *[width] * depth, 10]
    Ws = [start_rng.normal(0, gain / n**0.5, (n, m)) for n, m in zip(sizes, sizes[1:])]
    a, slopes = (X_train[:256] - X_train[:256].mean()) / X_train[:256].std(), []
    inputs = [a]
    for W in Ws[:-1]:
        z = a @ W                                          # (256, width)
        a = sigmoid(z) if activation == "sigmoid" else np.maximum(z, 0)
        slopes.append(a * (1 - a) if activation == "sigmoid" else z > 0)
        inputs.append(a)
    return rms_per_layer(Ws, inputs, slopes)


# %%
def rms_per_layer(Ws, inputs, slopes):
    """The backward pass, keeping the size of each layer's dL/dW, first layer first."""
    delta, sizes = loss_gradient(inputs[-1] @ Ws[-1], y_train[:256]), []
    for i in reversed(range(len(Ws))):
        sizes.append(np.sqrt(np.mean((inputs[i].T @ delta) ** 2)))
        if i > 0:
            delta = (delta @ Ws[i].T) * slopes[i - 1]
    return np.array(sizes[::-1])


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
# With sigmoids each layer passes on about a quarter: $\sigma'$ is at most $\tfrac14$, and $W$ keeps sizes, on average, at this gain. Nine such factors leave layer 1 with a few millionths of what layer 10 gets. With ReLU and variance $2/d_{in}$ (notebook [[neurons_and_layers]] derives it) the sizes stay level. The other two gains are level as well, at far smaller and far larger sizes:
# $\partial L/\partial W$ multiplies the signal from below by $\delta$ from above, and a gain $g$ scales both by about $g/\sqrt2$ per layer, so every layer sees the same product.
#
# Single units can die too. A sigmoid unit is **saturated** (饱和) when $a < 0.01$ or $a > 0.99$: $\sigma' < 0.01$ then. A ReLU unit is **dead** when $z \le 0$ for *every* example:
# its gradient is exactly 0, and in the first layer, whose inputs never change, it stays dead under plain descent. What kills? (On 2,000 images; a unit may still wake for a rare one, so these shares are upper estimates.)

# %%
STEPS, SEEDS = by_profile(quick=40, standard=200, full=200), by_profile(
    quick=2, standard=3, full=5)


def share_dead(scale, rate, seed):
    """784-128-10, weights `scale` times He's, after STEPS steps of descent."""
    dead_rng = np.random.default_rng(seed)
    layers = init_layers([784, 128, 10], dead_rng, np.float32)
    layers = [(W * np.float32(scale), b) for W, b in layers]
    for _ in range(STEPS):
        rows = dead_rng.integers(0, len(X_train), 128)
        inputs, logits = forward(layers, X_train[rows])
        gradients = backward(layers, inputs, loss_gradient(logits, y_train[rows]))
        for array, slope in zip(itertools.chain(*layers), itertools.chain(*gradients)):
            array -= np.float32(rate) * slope
    return np.mean((forward(layers, X_train[:2000])[0][1] == 0).all(axis=0))


# %%
scales = by_profile(quick=[0.3, 3.0], standard=[0.1, 0.3, 1, 3, 10],
                    full=[0.1, 0.3, 1, 3, 10, 30])
deaths = {rate: np.array([[share_dead(scale, rate, seed) for seed in range(SEEDS)]
                          for scale in scales]) for rate in (0.1, 0.5, 1.0)}
for rate, shares in deaths.items():
    print(f"rate {rate}, share dead, lowest and highest of {SEEDS} seeds:", *(
        f"{of_scale.min():.2f}–{of_scale.max():.2f} (scale {scale})"
        for scale, of_scale in zip(scales, shares)))

# %% tags=["figure"]
#@title Figure: Large steps kill ReLU units, a large start adds to it
fig, ax = plt.subplots(figsize=(6, 3.4))
for (rate, shares), color in zip(deaths.items(),
                                 (plotting.BLUE, plotting.GREEN, plotting.RED)):
    ax.semilogx(scales, shares, "o", color=color, ms=3)
    ax.semilogx(scales, shares.mean(axis=1), color=color, label=f"rate {rate}")
ax.set(ylim=(-0.03, 1.03), xlabel="standard deviation of the weights / He's",
       ylabel=f"share dead after {STEPS} steps",
       title="Large steps kill ReLU units, a large start adds to it")
ax.legend()
plt.show()

# %% [markdown]
# At rate 0.1 all survive, whatever the scale and the seed. At rate 1.0 about a quarter of the units are silent on all 2,000 images at He's scale and below, where the scales differ no more than the seeds (dots) do; three and ten times He's scale cost more. A unit dies when a step pushes its weights so far that no image reaches it any more.
#
# Remedies, in the order to try: a smaller learning rate or a warm-up, He or Glorot scaling, normalization layers ([[training_deep_networks]]), an activation with a slope on both sides (leaky ReLU, GELU; [[neurons_and_layers]]), residual paths ([[automatic_differentiation]]).

# %% [markdown]
# ## 6.11 Is Keras faster? ◇
#
# Is your NumPy network only a toy? Time one epoch of your `sgd_epoch` against Keras' `fit`: the same 784-128-10, plain descent, the same batch, float32, shuffled. The first epoch, in which Keras builds its graph, counts for neither. Keras may use every core; yours stays on one.
#
# **Predict.** Keras takes (a) a tenth, (b) about the same, or (c) more than twice the time of your code?

# %% tags=["plumbing"]
#@title Plumbing: TensorFlow, imported only now, and epochs of both, timed in turns
devices.setup(seed=0)
import keras

ROWS = by_profile(quick=2_000, standard=30_000, full=60_000)
X_timed = np.random.default_rng(15).random((ROWS, 784), dtype=np.float32)
y_timed = np.random.default_rng(16).integers(0, 10, ROWS)
model = keras.Sequential([
    keras.Input((784,)), keras.layers.Dense(128, "relu"), keras.layers.Dense(10)])
model.compile(optimizer=keras.optimizers.SGD(RATE),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
timed_net = init_layers([784, 128, 10], np.random.default_rng(0), np.float32)
timed = {
    "NumPy": lambda: sgd_epoch(timed_net, X_timed, y_timed, np.random.default_rng(0)),
    "Keras fit": lambda: model.fit(X_timed, y_timed, batch_size=BATCH, verbose=0)}
epoch_seconds = {name: [] for name in timed}
for turn in range(by_profile(quick=2, standard=4, full=6)):
    for name, epoch in timed.items():
        start = time.perf_counter()
        epoch()
        epoch_seconds[name].append(time.perf_counter() - start)

# %% tags=["evidence"]
#@title Evidence: seconds of an epoch
for name, times in epoch_seconds.items():
    print(f"{name:9} {ROWS:,} rows, batch {BATCH}: {min(times[1:]):.2f} s")
claim("Keras seconds / NumPy seconds, best epochs",
      min(epoch_seconds["Keras fit"][1:]) / min(epoch_seconds["NumPy"][1:]),
      at_least=1.0, applies=profile() != "quick" and not devices.gpu_names())

# %% [markdown]
# On a processor, for a network this small in batches of 32, NumPy is not slower than `fit`, by the factor printed above: the products take little, and what a framework does around each step counts. That says nothing about wider layers, convolutions or a GPU, none of which was measured here. What Keras offers at this size is not speed; it is that nobody had to derive a backward pass.

# %% [markdown]
# ## 6.12 Where does it break? ◇
#
# Four limits, the first three measured in a line or two:

# %%
batch_inputs, _ = forward(reader, X_test[:128])
hidden_bytes = sum(a.nbytes for a in batch_inputs[1:])
weight_bytes = sum(array.nbytes for layer in reader for array in layer)
print(f"batch of 128: {batch_inputs[0].nbytes / 1e3:.0f} kB of input,"
      f" {hidden_bytes / 1e3:.0f} kB of hidden activations,"
      f" {weight_bytes / 1e3:.0f} kB of weights")

one_score = np.array([[0.3, 1.2, -0.5]])       # true class 1
is_right = lambda z: np.mean(z.argmax(axis=1) == 1)
print("gradient of the accuracy:", numerical_gradient(is_right, one_score)[0])

tiny = np.float32(2e-8)
print(f"a gradient of {tiny:.0e} in half precision: {np.float16(tiny)};"
      f" scaled by 1024: {np.float16(tiny * 1024):.1e}")

# %% [markdown]
# - **Memory.** The record must live until the backward pass. The hidden part is small here; it grows with batch, depth and sequence length until it dominates. Large models recompute part of it instead (*gradient checkpointing*, notebook [[training_at_scale]]).
# - **No slope, no learning.** Accuracy, argmax, rounding and the choice of a token are flat almost everywhere: gradient 0. One trains a smooth stand-in (cross-entropy) and *reports* accuracy.
# - **Precision.** Small gradients vanish in float16 unless the loss is scaled up first; bfloat16 keeps float32's range and gives up digits instead (notebook [[training_at_scale]]).
# - **A right gradient is only a direction.** It says nothing of step size ([[optimizers]]), of the data ([[repairing_a_network]]), or of how well the result generalizes ([[evaluation_metrics]], [[training_deep_networks]]).
#
# **What a product team should ask.** Does every hand-written operation have a gradient check in the test suite, in float64? Do we watch gradient sizes per layer and the share of dead units, or only the loss? How much of our accelerator memory holds activations, and would recomputing them be cheaper than a larger machine?

# %% [markdown]
# ## Open task: blame the pixels
#
# One more step of the sweep, $\partial L/\partial X = \delta^1 W^{1\top}$, says of every *pixel* how ink there would change the loss. Draw it for a misread digit (`row`, `truth`). Change the image a little in the direction that helps: is it read correctly now? And can you *see* the change?

# %%
# Your code. `dense_backward` and `relu_backward` are all you need.

# %% [markdown]
# ## Recall
#
# <details><summary>1. Scores (0, 0), true class 0. What is the gradient at the two scores?</summary>
#
# Probabilities ½ and ½, minus the truth: (−½, ½).
# </details>
#
# <details><summary>2. A weight is used by 32 examples. What is its gradient?</summary>
#
# The sum over the examples of input times δ. (The mean of the loss has put 1/32 into each δ already.)
# </details>
#
# <details><summary>3. Why does the backward pass need the forward pass's activations?</summary>
#
# A weight's gradient is δ times what the weight multiplied; and a ReLU passes a gradient only where its output was positive.
# </details>
#
# <details><summary>4. A network has a billion weights. What does one gradient cost, in predictions?</summary>
#
# Two to three, whatever the number of weights. By nudging, two billion.
# </details>
#
# <details><summary>5. Your gradient check is off by 10⁻² relative to the largest entry. A bug?</summary>
#
# Probably. First rule out float32, a kink such as ReLU's at 0 between the two nudges, and gradients so tiny that rounding counts.
# </details>

# %% [markdown]
# ## Summary
#
# 1. Backward multiplies local slopes from the loss back; where a value is used twice, its gradients add.
# 2. At the scores: $\delta = (P - Y)/B$, probabilities minus truth.
# 3. For a layer: $\;\partial L/\partial W = X^\top\delta$, $\;\partial L/\partial b = \sum_n \delta_n$, $\;\partial L/\partial X = \delta W^\top$; through ReLU where the output is positive.
# 4. One gradient costs two to three predictions. The optimizer moves the weights.
# 5. Nudging costs two predictions per weight, and in float64 judges every gradient.
#
# **Read this next:** M. Nielsen (2015), *Neural Networks and Deep Learning*, chapter 2.
#
# <details><summary>References</summary>
#
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986). Learning representations by back-propagating errors. *Nature* 323, 533–536.
# - A. Griewank, A. Walther (2008). *Evaluating Derivatives*, 2nd edition. SIAM.
# - X. Glorot, Y. Bengio (2010). Understanding the difficulty of training deep feedforward neural networks. *Proceedings of Machine Learning Research* 9, 249–256.
# </details>
#
# **Next:** notebook [[automatic_differentiation]]: another network, another derivation? The machine can write it.
