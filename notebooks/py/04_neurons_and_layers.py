# ---
# jupyter:
#   course:
#     datasets: [digits, breast_cancer]
#     covers: "From neuron to layer to MLP in matrix form; activations and their derivatives; initialization derived from variance."
#     prerequisites: [life_of_a_model]
#     ledger: [D1-3.1-a, D1-3.2-c, D1-4.2-a, D1-4.2-b, D1-4.2-c, D1-4.2-e, D2-2-b,
#       D2-3.1-a, D2-3.1.1-a, D2-3.1.1-b, D2-3.3.1-a, D3-2.1-a, D3-2.1-b, D3-3.2-b,
#       D3-3.2-c, D3-4.1-a, D3-4.1-b, D3-4.1-c, D3-4.1-d, D3-4.3-h, D3-4.3-i,
#       D4-2.2-a, D4-3.2-b, D4-4.1-a, D4-4.2-a, D4-4.2-b, D4-4.3-a, D4-4.3-b,
#       D4-4.3-c, D5-3.1-a, D5-3.1-b]
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
# # Neurons and layers
#
# What can one neuron decide, what can it never decide, and how should a hundred layers of them begin?
# You build every part of a feed-forward network (前馈网络) here, before any of it learns, and predict on paper what the measurement will show.
#
# **The digit reader so far** (notebook [[life_of_a_model]]) is one layer: 650 numbers, ten weighted sums. Some things no weighted sum can decide, however long it trains. This notebook adds layers, what stands between them, and the right start; learning comes after.
#
# **You will be able to**
# - read a neuron as a vote and as a line, and prove what it cannot do;
# - write a multilayer network in matrix form, state every shape and count its parameters;
# - put three printed network formulas right, and show by numbers what was wrong;
# - derive the common activations' slopes and the softmax Jacobian, and check them;
# - choose the variance of a layer's weights from its size and activation, and predict a signal 50 layers deep.

# %% tags=["setup"]
import math
import tracemalloc

import matplotlib.pyplot as plt
import numpy as np

from course_utils import by_profile, check, claim, data, devices, plotting, solved
from course_utils.lessons.backpropagation import numerical_gradient

plotting.use_style()

# %% [markdown]
# ## 4.1 The question: how does a neuron decide?
#
# Is this image a 3 or an 8? Let its 64 pixels vote. Each pixel $x_i$ (0 is paper, 1 is ink) has a *weight* (权重) $w_i$: positive if ink there speaks for an 8, negative if it speaks for a 3.
# Add the votes and a *bias* (偏置) $b$; a positive sum says 8. That is a neuron (神经元):
#
# $$z = \sum_{i=1}^{d} w_i x_i + b = x \cdot w + b .$$
#
# Finding good weights step by step is for later notebooks. Here two averages over labeled training images do: the weights are the average 8 minus the average 3.

# %%
digits = data.digits()
X_train = digits.x_train.reshape(-1, 64) / 16  # published values are 0 to 16
X_test = digits.x_test.reshape(-1, 64) / 16
y_train, y_test = digits.y_train, digits.y_test


def midpoint_neuron(X0, X1):
    """A neuron whose z is 0 halfway between two class means and positive near X1's.

    X0: (n0, d), X1: (n1, d) -> w (d,), b scalar
    """
    mean0, mean1 = X0.mean(axis=0), X1.mean(axis=0)
    w = mean1 - mean0
    return w, -w @ (mean0 + mean1) / 2


w_38, b_38 = midpoint_neuron(X_train[y_train == 3], X_train[y_train == 8])
pair = np.isin(y_test, [3, 8])
is_8, says_8 = y_test[pair] == 8, X_test[pair] @ w_38 + b_38 > 0
frequent = max(is_8.mean(), 1 - is_8.mean())
print(f"test images of 3 and 8: {np.mean(says_8 == is_8):.1%} right;"
      f" always the more frequent one: {frequent:.1%}")
an_8 = X_test[y_test == 8][0]
print(f"one image: votes {an_8 @ w_38:+.2f}, bias {b_38:+.2f},"
      f" z = {an_8 @ w_38 + b_38:+.2f}")

# %% tags=["figure"]
#@title Figure: More votes for an 8 than for a 3
fig, axes = plt.subplots(1, 3, figsize=(8, 2.9))
axes[0].imshow(an_8.reshape(8, 8))
axes[0].set_title("image $x$")
maps = {"weights $w$": w_38, "votes $x_i w_i$": an_8 * w_38}
for ax, (name, map64) in zip(axes[1:], maps.items()):
    shown = ax.imshow(map64.reshape(8, 8), cmap="PuOr_r", vmin=-0.6, vmax=0.6)
    ax.set_title(name)
fig.colorbar(shown, ax=axes, label="for a 3 (below 0) or an 8 (above)")
for ax in axes:
    ax.axis("off")
fig.suptitle("More votes for an 8 than for a 3", fontweight="bold")
plt.show()

# %% [markdown]
# The weights can be read like an image: ink on the left, where an 8 closes its loops and a 3 is open, votes for 8. Addition and one threshold already tell most threes from eights.
# "Weights and bias determine the output", says Document 5 (3.1; notebook [[start_here]] lists the five documents). More exactly, they determine which output each *input* gets, once the function that turns $z$ into an answer is fixed.
#
# The name is borrowed from biology, and little more than the name: a unit is a formula whose weights are fitted by derivatives. Document 2 (3.1) has networks imitate the brain's structure and function;
# take that as a comparison, not as a description.

# %% [markdown]
# ## 4.2 One neuron is a line
#
# With two inputs the whole neuron can be drawn. The points with $z = 0$ form a line (with $d$ inputs: a hyperplane), the *decision boundary* (决策边界).
# For two points $u, v$ on it $(u - v)\cdot w = 0$: the weights stand at a right angle to it. Walk from it a distance $s$ along the unit vector $w/\lVert w\rVert$ and $z$ grows by $s\,\lVert w\rVert$. So
#
# $$\text{signed distance of } x \text{ from the boundary} = \frac{z}{\lVert w\rVert} = \frac{x \cdot w + b}{\lVert w \rVert}, \qquad
# \lVert w\rVert = \sqrt{\textstyle\sum_i w_i^2} .$$
#
# Real data: two measurements of cell nuclei from 569 tumors, each put on one scale (mean 0, standard deviation 1). ("Worst" is the mean of the three largest values of a tumor.) Rows 0, 2, 4, … place the neuron, rows 1, 3, 5, … test it.
#
# And so that $z$ becomes an opinion between 0 and 1, apply an *activation function* (激活函数) $a = \phi(z)$, here the sigmoid $\sigma(z) = 1/(1+e^{-z})$.

# %%
from sklearn.datasets import load_breast_cancer

tumors = load_breast_cancer()
names = ["worst radius", "worst concave points"]
T = tumors.data[:, [list(tumors.feature_names).index(name) for name in names]]
T = (T - T[::2].mean(axis=0)) / T[::2].std(axis=0)
malignant = 1 - tumors.target
w2, b2 = midpoint_neuron(*(T[::2][malignant[::2] == k] for k in (0, 1)))
share_right = np.mean((T[1::2] @ w2 + b2 > 0) == malignant[1::2])
most = max(malignant[1::2].mean(), 1 - malignant[1::2].mean())
print(f"right on the test rows: {share_right:.1%};"
      f" always the more frequent class: {most:.1%}")


def sigmoid(z):
    """1 / (1 + e^-z) for any shape, in a form that cannot overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


# %% tags=["figure"]
#@title Figure: One neuron, one straight cut
fig, axes = plt.subplots(1, 2, figsize=(9.2, 3.9))
plotting.decision_regions(lambda P: (P @ w2 + b2 > 0).astype(int), T[1::2],
                          malignant[1::2], axes[0], "One neuron, one straight cut")
unit = w2 / np.linalg.norm(w2)
foot = -b2 / np.linalg.norm(w2) * unit
axes[0].annotate("", foot + 1.5 * unit, foot, arrowprops={"arrowstyle": "-|>", "lw": 2})
axes[0].text(*(foot + 1.6 * unit), "$w$", fontsize=13)
axes[0].set(xlabel=f"{names[0]} (std)", ylabel=f"{names[1]} (std)", aspect="equal")
walk = np.linspace(-3, 3, 201)
for factor in (0.3, 1, 5):
    z = (foot + walk[:, None] * unit) @ (factor * w2) + factor * b2
    axes[1].plot(walk, sigmoid(z), label=f"{factor}·w, {factor}·b")
axes[1].set(title="Longer w, same line, sharper opinion",
            xlabel="signed distance from the line", ylabel="$a = \\sigma(z)$")
axes[1].legend()
plt.show()


# %% [markdown]
# Most orange points (malignant) lie on the arrow's side, most blue ones (benign) on the other. Multiply $w$ and $b$ by any positive factor and the line stays; only the opinion gets sharper.
#
# Keep the two names apart. $z$ is the **pre-activation** (净输入), $a = \phi(z)$ the **activation** (激活值). Document 4 (4.2) prints $z = \sum_i w_i x_i + b$ correctly and then calls it the activation, as Document 3 (4.1) does with its $z^{(l)}$. Document 4's network (4.3)
# has no $\phi$ anywhere; sections 4.5 and 4.7 show what that costs.

# %% [markdown]
# ### Exercise 4.2 · how far from the line? (3 min)
# Return the signed distance of every row from the neuron's boundary (positive where $z > 0$).

# %% tags=["exercise"]
def signed_distance(X, w, b):
    """Signed distances from the boundary. X: (n, d), w: (d,), b: scalar -> (n,)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("4.2", "signed distance from the boundary"):
    for seed_t, (n_t, d_t) in enumerate([(5, 2), (4, 7), (1, 3)]):
        rng_t = np.random.default_rng(seed_t)
        w_t, b_t = rng_t.normal(size=d_t), rng_t.normal()
        # start on the boundary, then walk known distances straight away from it
        walked_t = rng_t.normal(size=n_t) * 3
        points_t = rng_t.normal(size=(n_t, d_t))
        points_t -= ((points_t @ w_t + b_t) / (w_t @ w_t))[:, None] * w_t
        points_t += walked_t[:, None] * w_t / np.linalg.norm(w_t)
        got_t = signed_distance(points_t, w_t.copy(), b_t)
        np.testing.assert_allclose(got_t, walked_t, rtol=1e-5, atol=1e-5)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.linalg.norm(w)` is $\lVert w\rVert$; the formula stands above.
# </details>

# %% tags=["solution"]
#@title Solution 4.2 · runs only while yours does not pass
if not solved("4.2"):
    def signed_distance(X, w, b):
        return (X @ w + b) / np.linalg.norm(w)

# %% [markdown]
# ## 4.3 What one neuron cannot do, and two can
#
# Two inputs that are 0 or 1 give four corners, and a function answers each with yes or no: $2^4 = 16$ functions. For how many of them is there a line? Try a hundred thousand random neurons and write down which functions appear.

# %%
corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
logic_rng = np.random.default_rng(3)
tried = logic_rng.uniform(-1, 1, size=(100_000, 3))  # rows: w1, w2, b
answers = tried[:, :2] @ corners.T + tried[:, 2:] > 0  # (100000, 4)
codes = answers @ [8, 4, 2, 1]  # each truth table as a number from 0 to 15

fig, axes = plt.subplots(2, 8, figsize=(9.6, 2.9))
for code, ax in enumerate(axes.flat):
    table = np.array(list(f"{code:04b}"), int)
    found = np.flatnonzero(codes == code)
    ax.set(xlim=(-0.5, 1.5), ylim=(-0.5, 1.5), xticks=[], yticks=[], aspect="equal")
    if len(found):
        # of the neurons found, the one whose line keeps farthest from the corners
        margins = np.abs(tried[found, :2] @ corners.T + tried[found, 2:]).min(axis=1)
        v1, v2, c = tried[found[np.argmax(margins)]]
        side = np.linspace(-0.5, 1.5, 100)
        plane = v1 * side + v2 * side[:, None] + c > 0
        ax.imshow(plane, extent=(-0.5, 1.5, -0.5, 1.5), origin="lower", alpha=0.25,
                  vmin=0, vmax=1)
    else:
        ax.set_title("none", color=plotting.RED)
    ax.scatter(*corners.T, c=np.where(table, "black", "white"), edgecolor="black", s=40)
    ax.grid(False)
able = len(np.unique(codes))
fig.suptitle(f"One neuron can do {able} of the 16 functions of two bits",
             fontweight="bold")
plt.show()


# %% [markdown]
# Black dots mean yes; gray is where a neuron found says yes. The two that never appear are the same two for everybody: "exactly one of them" (XOR, 异或) and its opposite. More trials won't help, and the proof takes a line. At the corners (0,0), (1,0), (0,1), (1,1), in this order, XOR asks for
#
# $$b \le 0, \qquad w_1 + b > 0, \qquad w_2 + b > 0, \qquad w_1 + w_2 + b \le 0 .$$
#
# Add the middle two: $w_1 + w_2 + 2b > 0$. Add the outer two: $w_1 + w_2 + 2b \le 0$. Contradiction.
#
# A **hidden layer** (隐藏层) helps by moving the points before the line is drawn. Two neurons with $\mathrm{ReLU}(z) = \max(z, 0)$ suffice:
#
# $$h_1 = \mathrm{ReLU}(x_1 + x_2), \qquad h_2 = \mathrm{ReLU}(x_1 + x_2 - 1), \qquad \text{XOR} = h_1 - 2 h_2 .$$

# %% tags=["nbval-check-output"]
def relu(z):
    """max(z, 0), entry by entry."""
    return np.maximum(z, 0)


W_hidden, b_hidden = np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([0.0, -1.0])
hidden = relu(corners @ W_hidden + b_hidden)
for corner, h in zip(corners, hidden):
    print(f"x = {corner}   h = {h}   h1 - 2 h2 = {h[0] - 2 * h[1]:.0f}")
is_xor = corners[:, 0] ^ corners[:, 1]  # (4,)

# %% tags=["figure"]
#@title Figure: Before: no line separates
ticks = np.linspace(-0.2, 1.2, 15)
square = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
moved = relu(square @ W_hidden + b_hidden)
fig, axes = plt.subplots(1, 2, figsize=(8, 3.5))
for ax, grid, points in ((axes[0], square, corners), (axes[1], moved, hidden)):
    ax.scatter(*grid.T, s=6, color=plotting.GRAY, alpha=0.5)
    for value, color in ((0, plotting.BLUE), (1, plotting.ORANGE)):
        ax.scatter(*points[is_xor == value].T, s=110, color=color, edgecolor="black",
                   label=f"XOR = {value}", zorder=3)
plain = {"facecolor": "white", "edgecolor": "none", "pad": 1}
for x1, x2 in corners:
    axes[0].text(x1 + 0.07, x2 + 0.07, f"({x1}, {x2})", bbox=plain)
for place, name in (((0.03, 0.07), "(0, 0)"), ((1.1, -0.05), "(0, 1), (1, 0)"),
                    ((1.55, 1.02), "(1, 1)")):
    axes[1].text(*place, name)
axes[0].set(title="Before: no line separates", xlabel="$x_1$", ylabel="$x_2$")
axes[1].axline((0.5, 0), slope=0.5, color="black", ls="--", label="$h_1 - 2h_2 = ½$")
axes[1].set(title="After the hidden layer: one does", xlabel="$h_1$", ylabel="$h_2$",
            ylim=(-0.2, 1.5))
axes[1].legend(loc="upper left")
plt.show()


# %% [markdown]
# Both units see only the sum $x_1 + x_2$, so the whole square (gray grid) lands on one line with a bend where the second unit switches on: (0,1) and (1,0) share a spot, and $(1,1)$ is carried past them. In the new coordinates a line is enough. This is what "hidden layers transform features, the output layer
# predicts" means (Document 3, 2.1).

# %% [markdown]
# ### Exercise 4.3 · parity of three bits (8 min)
# Is the number of ones among three bits odd? Build a network by hand: $f(x) = \mathrm{ReLU}(x W_1 + b_1)\, W_2 + b_2$ must be 1 for odd and 0 for even, with at most three hidden units.

# %% tags=["exercise"]
def parity_network():
    """-> W1 (3, h), b1 (h,), W2 (h, 1), b2 (1,) with h at most 3, as arrays"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("4.3", "a network for parity"):
    W1_t, b1_t, W2_t, b2_t = (np.asarray(part, float) for part in parity_network())
    h_t = W1_t.shape[-1]
    shapes_t = [part.shape for part in (W1_t, b1_t, W2_t, b2_t)]
    assert shapes_t == [(3, h_t), (h_t,), (h_t, 1), (1,)], f"the shapes are {shapes_t}"
    assert h_t <= 3, f"{h_t} hidden units; three suffice"
    bits_t = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)])
    got_t = np.maximum(bits_t @ W1_t + b1_t, 0) @ W2_t + b2_t
    odd_t = bits_t.sum(axis=1, keepdims=True) % 2
    np.testing.assert_allclose(got_t, odd_t, atol=1e-5, err_msg="rows 000, 001, … 111")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Only the sum $s = x_1 + x_2 + x_3$ matters. Draw the zigzag through (0, 0), (1, 1), (2, 0), (3, 1): each ReLU bends it once. $\mathrm{ReLU}(s)$ starts it with slope 1; by how much must the slope change at 1, and at 2?
# </details>

# %% tags=["solution"]
#@title Solution 4.3 · runs only while yours does not pass
if not solved("4.3"):
    def parity_network():
        W1 = np.ones((3, 3))
        b1 = np.array([0.0, -1.0, -2.0])
        W2 = np.array([[1.0], [-2.0], [2.0]])
        return W1, b1, W2, np.zeros(1)

# %% [markdown]
# <details><summary>About the solution</summary>
#
# The slope goes $1, -1, 1$, so it changes by $-2$ at $s = 1$ and by $+2$ at $s = 2$.
# </details>

# %% [markdown]
# ## 4.4 A layer in matrix form
#
# A *dense* layer (全连接层) is $d_{out}$ neurons that read the same $d_{in}$ inputs. One column of $W$ per neuron, one row of $X$ per example:
#
# | symbol | shape | meaning |
# |---|---|---|
# | $X$ | $(n, d_{in})$ | inputs, one example per row |
# | $W$ | $(d_{in}, d_{out})$ | column $j$ holds the weights of neuron $j$ |
# | $b$ | $(d_{out},)$ | one bias per neuron, added to every row |
# | $Z = XW + b$ | $(n, d_{out})$ | pre-activations: $z_{rj} = \sum_i x_{ri} w_{ij} + b_j$ for row $r$ |
# | $A = \phi(Z)$ | $(n, d_{out})$ | activations, entry by entry |
#
# Three ways to compute it; the first is the definition, the last is the one to use.

# %% tags=["nbval-check-output"]
layer_rng = np.random.default_rng(4)
X_5 = layer_rng.normal(size=(5, 4))  # 5 examples, 4 inputs
W_43, b_3 = layer_rng.normal(size=(4, 3)), layer_rng.normal(size=3)  # 3 neurons

by_entry = np.array([[sum(X_5[r, i] * W_43[i, j] for i in range(4)) + b_3[j]
                      for j in range(3)] for r in range(5)])
by_neuron = np.column_stack([X_5 @ W_43[:, j] + b_3[j] for j in range(3)])
Z_53 = X_5 @ W_43 + b_3  # (5, 3)
differences = [np.abs(Z_53 - other).max() for other in (by_entry, by_neuron)]
print("shape", Z_53.shape, "  the three agree to 1e-14:", max(differences) < 1e-14)

# %% [markdown]
# Document 3 (4.1) and the hidden layer of Document 1 (4.2) write the other convention, one example as a *column* $x$ $(d_{in},)$ and weights $V$ of shape $(d_{out}, d_{in})$: $z = Vx + c$. It is the same layer with $V = W^\top$. This course keeps
# examples in rows, as Keras does. Mixing the two is harmless where the shapes refuse, and dangerous where they don't:

# %% tags=["nbval-check-output"]
W_44 = np.random.default_rng(44).normal(size=(4, 4))
print("transposed by mistake, square layer: runs, shape", (X_5 @ W_44.T).shape)
for name, bias in {"(3,)": b_3, "(3, 1)": b_3[:, None],
                   "(5, 1)": np.ones((5, 1))}.items():
    try:
        print(f"bias {name:6} -> shape {(X_5 @ W_43 + bias).shape}")
    except ValueError:
        print(f"bias {name:6} -> ValueError")

# %% [markdown]
# A square matrix hides a wrong transpose. A bias of shape $(n, 1)$ gives every *example* its own bias instead of every neuron, and the result still has the right shape.
# Test layers with $n$, $d_{in}$ and $d_{out}$ all different.
#
# Document 2's neuron (3.1.1), which receives *all* outputs of the previous layer, is a dense one (and has a bias, which the sentence omits).
# Keep two words apart. *Feed-forward* is any network without loops: dense ones, but also convolutional ones (notebook [[convolution]]), where a neuron sees only a patch, and Transformers ([[embeddings_and_attention]]).
# *Multilayer perceptron* (多层感知机, MLP) and *fully connected network* are two names for the same thing, a stack of dense layers, not two kinds, as the concept map of Document 2 (2) has it.

# %% [markdown]
# ## 4.5 Two linear layers are one
#
# Leave $\phi$ out and stack two layers:
#
# $$(X W_1 + b_1)\, W_2 + b_2 \;=\; X\, \underbrace{(W_1 W_2)}_{W} \;+\; \underbrace{(b_1 W_2 + b_2)}_{b} .$$
#
# That is one layer. By induction so are a hundred: without a non-linear $\phi$ between them, depth adds no new function. (It can take functions away: through a middle of $r$ units $W_1 W_2$ has rank $r$ at most and needs fewer numbers. LoRA, notebook [[project_pretrained_gpt2]], uses exactly that.) Why the random weights below have variance $2/d_{in}$: 4.13.

# %%
deep_rng = np.random.default_rng(5)
sizes = [2, *[16] * 6, 1]  # seven layers
stack = [(deep_rng.normal(size=(i, o)) * np.sqrt(2 / i), deep_rng.normal(size=o) * 0.3)
         for i, o in zip(sizes[:-1], sizes[1:])]


def run_stack(X, phi):
    """The stack with phi after every layer but the last. X: (n, 2) -> (n,)"""
    for W, b in stack[:-1]:
        X = phi(X @ W + b)
    return (X @ stack[-1][0] + stack[-1][1])[:, 0]


line = np.linspace(-3, 3, 6001)[:, None] * np.array([1.0, 0.5])  # a walk in the plane
fig, axes = plt.subplots(1, 2, figsize=(8.4, 3), sharex=True)
choices = {"without φ": lambda z: z, "with ReLU": relu}
for ax, (name, phi) in zip(axes, choices.items()):
    outputs = run_stack(line, phi)
    bent = np.abs(np.diff(outputs, 2)) > 1e-6  # a bend shows at one or two points
    bends = np.flatnonzero(bent & ~np.r_[False, bent[:-1]])  # count each once
    ax.plot(line[:, 0], outputs)
    ax.plot(line[bends + 1, 0], outputs[bends + 1], ".", color=plotting.RED)
    ax.set(title=f"Seven layers {name}", xlabel="$x_1$, with $x_2 = x_1/2$",
           ylabel="output")
    print(f"{name}: bends seen on this walk: {len(bends)}")
plt.show()


# %% [markdown]
# Left a straight line without a bend, for all its seven layers. Right the same weights with ReLU: a broken line that bends (red) where some unit switches on or off.
# Document 4's model of a network (4.1) omits the activation, so its layers collapse like the left one.

# %% [markdown]
# ### Exercise 4.5 · collapse a linear network (6 min)
# Given any number of layers $(W, b)$ to be applied one after the other *without* activations, return the one layer that does the same.

# %% tags=["exercise"]
def collapse(layers):
    """One (W, b) equal to all of them. layers: list of (W, b), first one first.

    W: (d_in, d_out), b: (d_out,) -> W (first d_in, last d_out), b (last d_out,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("4.5", "collapse linear layers"):
    for seed_t, sizes_t in enumerate([(4, 3, 2), (2, 5, 3, 4), (3,) * 5, (4, 2)]):
        rng_t = np.random.default_rng(seed_t)
        layers_t = [(rng_t.normal(size=(i, o)), rng_t.normal(size=o))
                    for i, o in zip(sizes_t[:-1], sizes_t[1:])]
        X_t = through_t = rng_t.normal(size=(6, sizes_t[0]))
        for W_t, b_t in layers_t:
            through_t = through_t @ W_t + b_t
        W_one_t, b_one_t = collapse([(W_t.copy(), b_t.copy()) for W_t, b_t in layers_t])
        for part_t, shape_t in ((W_one_t, (sizes_t[0], sizes_t[-1])),
                                (b_one_t, (sizes_t[-1],))):
            assert np.shape(part_t) == shape_t, f"{np.shape(part_t)}, not {shape_t}"
        np.testing.assert_allclose(X_t @ W_one_t + b_one_t, through_t, rtol=1e-4,
                                   atol=1e-4, err_msg=f"sizes {sizes_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Start with the first layer as $(W, b)$ and merge the next one into it with the formula above, again and again.
# </details>

# %% tags=["solution"]
#@title Solution 4.5 · runs only while yours does not pass
if not solved("4.5"):
    def collapse(layers):
        W, b = layers[0]
        for W_next, b_next in layers[1:]:
            W, b = W @ W_next, b @ W_next + b_next
        return W, b


# %% [markdown]
# ## 4.6 A multilayer perceptron reads real digits
#
# Count layers from 0, the input: $a^{(0)} = X$. For $l = 1 \ldots N$
#
# $$z^{(l)} = a^{(l-1)} W^{(l)} + b^{(l)}, \qquad a^{(l)} = \phi(z^{(l)}) \text{ for } l < N ,$$
#
# (Document 1, 3.1, speaks of "several non-linear layers". Said exactly: maps $XW + b$ (*affine*, 仿射) and entry-wise functions in turn.) The last $z^{(N)}$ are the *logits* (未归一化的得分), one score per class, handed to whatever the task needs: nothing for a real number, a sigmoid for yes/no, softmax (4.10) for one class of many.

# %%
def random_layers(sizes, rng, gain=2.0):
    """A list of (W, b): normal weights of variance gain / d_in, zero biases."""
    return [(rng.normal(size=(i, o)) * np.sqrt(gain / i), np.zeros(o))
            for i, o in zip(sizes[:-1], sizes[1:])]


def forward(layers, X, phi=relu):
    """Every layer's activations. X: (n, d) -> [X, a1, …, logits (n, k)]."""
    values = [X]
    for W, b in layers[:-1]:
        values.append(phi(values[-1] @ W + b))
    W, b = layers[-1]
    return [*values, values[-1] @ W + b]


# %% tags=["nbval-check-output"]
reader = random_layers([64, 32, 16, 10], np.random.default_rng(6))
values = forward(reader, X_test)
print("l   W         b      a or logits  parameters")
for l, ((W_l, b_l), a_l) in enumerate(zip(reader, values[1:]), 1):
    print(f"{l}   {W_l.shape!s:9} {b_l.shape!s:6} {a_l.shape!s:12}"
          f" {W_l.size + b_l.size:6,}")
total = sum(W_l.size + b_l.size for W_l, b_l in reader)
print(f"total{total:38,}")
print(f"right before any training: {np.mean(values[-1].argmax(axis=1) == y_test):.0%}")


# %% [markdown]
# $64\cdot 32 + 32 = 2{,}080$, and so on: each layer costs $d_{in} d_{out} + d_{out}$ parameters. Before training, the network is as good as a guess among ten.
# Here the representation also gets *narrower* at each layer, 64 → 32 → 16; Document 4 (2.2) calls what deep layers extract high-dimensional, but width is a choice. And the
# chart of three hidden layers in Document 3 (2.1) is such an MLP; what makes up a large language model (embeddings, attention, residual paths) is missing from it (notebook [[embeddings_and_attention]]).
#
# Training all layers needs gradients ([[backpropagation]]). One layer can be fitted without: keep the hidden layer *random*, give every image ten targets, 1 for its class and 0 for the others (*one-hot*, 独热), and choose the last layer so that the sum of the squared errors is least (*least squares*).
# With the hidden activations as $F$ (and a column of ones for the bias) and the targets as $Y$, the slopes of that sum are 0 where $F^\top F\, W = F^\top Y$: linear equations.
# That isolates what $\phi$ contributes.

# %%
def readout_accuracy(F_train, F_test):
    """Test accuracy of a linear layer fitted by least squares to features (n, w)."""
    F_train, F_test = (np.column_stack([F, np.ones(len(F))]) for F in (F_train, F_test))
    # a little is added to the diagonal, so that the equations always have one solution
    normal = F_train.T @ F_train + 1e-3 * np.eye(F_train.shape[1])
    W = np.linalg.solve(normal, F_train.T @ np.eye(10)[y_train])  # rows of eye: one-hot
    return np.mean((F_test @ W).argmax(axis=1) == y_test)


def random_feature_accuracy(width, phi, seed):
    """The same behind a random, untrained hidden layer."""
    rng = np.random.default_rng(seed)
    W, b = rng.normal(size=(64, width)) * np.sqrt(2 / 64), rng.normal(size=width) * 0.5
    return readout_accuracy(phi(X_train @ W + b), phi(X_test @ W + b))


print(f"no hidden layer: {readout_accuracy(X_train, X_test):.1%}")

# %%
widths = by_profile(quick=[16, 64, 128], standard=[8, 16, 32, 64, 128, 256, 512],
                    full=[8, 16, 32, 64, 128, 256, 512])
fig, ax = plt.subplots(figsize=(6.4, 3.5))
for name, phi in {"identity": lambda z: z, "ReLU": relu, "tanh": np.tanh}.items():
    runs = np.array([[random_feature_accuracy(width, phi, seed) for seed in range(5)]
                     for width in widths])
    spreads = runs.std(axis=1, ddof=1)
    ax.errorbar(widths, runs.mean(axis=1), spreads, fmt="o-", capsize=3,
                label=f"φ = {name}")
    print(f"{name:8}", *(f"width {width}: {mean:.1%} ± {spread:.1%};" for width, mean,
                        spread in zip(widths, runs.mean(axis=1), spreads)))
ax.set(title="Without φ, width stops helping at 64 units", xscale="log", xticks=widths,
       xticklabels=widths, xlabel="hidden units (random, untrained)",
       ylabel="test accuracy (5 seeds, ± s.d.)")
ax.minorticks_off()
ax.legend()
plt.show()

# %% [markdown]
# With the identity the curve stops at 64 units, the number of pixels, and at the accuracy of no hidden layer at all: the network *is* the linear classifier. With ReLU or tanh the
# same random weights go on to new features and leave it behind. Narrow layers gain nothing from $\phi$: up to 32 units ReLU stays far below the identity, and tanh comes no higher than it.

# %% [markdown]
# ## 4.7 Spot the bug: three printed networks
#
# Two rows for each document. On the right, $V^{(l)}$ and $c^{(l)}$ are the weights and biases of layer $l$ in column form (4.4), and $g$ is the output function that the task needs (4.6). In the first two rows $n$ is the number of inputs, $m$ of hidden units.
#
# | as printed | where it breaks | put right (one example, column form) |
# |---|---|---|
# | $a_{ij} = \sigma(\sum_k w_{ik} x_k + b_i)$ (Document 1, 4.2) | the right side has no $j$ | $a_i = \sigma(\sum_{k=1}^{n} V^{(1)}_{ik} x_k + c^{(1)}_i)$ |
# | $y = \sigma(\sum_i w_{ij} a_{ij} + b_j)$ | the left side lacks $j$; $w, b$ used a second time; ReLU allowed as an output | $y_j = g(\sum_{i=1}^{m} V^{(2)}_{ji} a_i + c^{(2)}_j)$, $g$ by task |
# | $z^{(l)} = \sigma(W^{(l)}x^{(l-1)} + b^{(l)}),\; a^{(l)} = \sigma(z^{(l)})$ (Document 3, 4.1) | $\sigma$ twice; layer $l$ should read $a^{(l-1)}$ | $z^{(l)} = V^{(l)} a^{(l-1)} + c^{(l)},\; a^{(l)} = \sigma(z^{(l)})$ |
# | $y^{(l)} = W^{(l+1)} a^{(l)} + b^{(l+1)}$ | $y$ is the label's name | this is $z^{(l+1)}$ |
# | "two hidden layers", $z_j = \sum_{i=1}^3 w_{ij} x_i + b_j$ (Document 4, 4.3) | $z_1, z_2$ are two *units* of one layer; no $\sigma$ | $a^{(1)} = \sigma(V^{(1)}x + c^{(1)}),\; a^{(2)} = \sigma(V^{(2)}a^{(1)} + c^{(2)})$ |
# | $y_1 = \sum_{i=1}^{2} w_{i1} z_i + b_1$, $y_2$ alike | the hidden layer's $w_{i1}$ and $b_1$ once more | $y = g(V^{(3)} a^{(2)} + c^{(3)})$ |
#
# Does Document 4's example have a hidden layer at all? A single layer computes $f(x) = xM + c$, and then $f(u + v) - f(u) - f(v) + f(0) = 0$ for all $u, v$: what is multiplied by $M$ cancels, and so does $c$, twice plus and twice minus.
# Test that on the example as printed, on four pairs of inputs $u, v$:

# %% tags=["nbval-check-output"]
printed_rng = np.random.default_rng(7)
W_printed, b_printed = printed_rng.normal(size=(3, 2)), printed_rng.normal(size=2)


def printed_network(X):
    """Document 4's 3-2-2 example as printed. X: (n, 3) -> (n, 2)"""
    z = X @ W_printed + b_printed
    return z @ W_printed[:2] + b_printed  # the same w_i1, w_i2, b_1, b_2 again


first, second = printed_rng.normal(size=(2, 4, 3))  # u and v, four of each
cancels = (printed_network(first + second) - printed_network(first)
           - printed_network(second) + printed_network(np.zeros((4, 3))))
print("Document 4: f(u+v) - f(u) - f(v) + f(0) is 0, so no hidden layer:",
      np.abs(cancels).max() < 1e-12)

# %% [markdown]
# So count its parameters, against those of real hidden layers of two units, and look at the range of Document 3's double sigmoid:

# %% tags=["nbval-check-output"]
counts = {"as printed, shared": W_printed.size + b_printed.size}
for name, units in {"one hidden layer": [3, 2, 2],
                    "two hidden layers": [3, 2, 2, 2]}.items():
    counts[name] = sum(i * o + o for i, o in zip(units[:-1], units[1:]))
for name, count in counts.items():
    print(f"parameters {name:20} {count:3}")
twice = sigmoid(sigmoid(np.linspace(-20, 20, 9)))
print(f"Document 3: sigma(sigma(z)) runs from {twice.min():.3f} to {twice.max():.3f}")

# %% [markdown]
# As printed, the network has 8 parameters and is one layer, a straight line on every walk as in 4.5; with two hidden layers of two units it has $8 + 6 + 6 = 20$. The double sigmoid can never answer "no": its outputs lie between
# $\sigma(0) = 0.5$ and $\sigma(1) = 0.731$. Stack it, and less and less gets through:

# %% tags=["figure"]
#@title Figure: Squash twice per layer and all digits look alike
depth_rng = np.random.default_rng(8)
draws4 = [depth_rng.normal(size=(64, 64)) / 8 for _ in range(4)]  # variance 1 / d_in
spread = {}
for name, phi, factor in (("σ once", sigmoid, 1),
                          ("σ twice", lambda z: sigmoid(sigmoid(z)), 1),
                          ("σ once, weights × 8", sigmoid, 8)):
    a, spread[name] = X_test, [1.0]
    for V in draws4:
        a = phi(a @ (factor * V))
        spread[name].append(a.std(axis=0).mean() / X_test.std(axis=0).mean())
fig, ax = plt.subplots(figsize=(6, 3))
for name, values_by_layer in spread.items():
    ax.semilogy(values_by_layer, "o-", label=name)
    print(f"{name}: after four layers {values_by_layer[-1]:.1e} of the input's spread")
ax.set(title="Squash twice per layer and all digits look alike", xlabel="layer",
       ylabel="std over images\n(input = 1)", xticks=range(5))
ax.legend()
plt.show()


# %% [markdown]
# The standard deviation over images is what tells one digit from another. With weights of this size even the single sigmoid loses about three quarters of it at every layer: its slope is never above ¼ (4.9), and the double one multiplies two such slopes.
# Eight times larger weights win much of it back. Slope and weight size act together; which size is right is the question of 4.12.

# %% [markdown]
# ### Exercise 4.7 · repair it (10 min)
# Write the network right, in Document 3's convention, so that you have translated once: *one* example $x$ $(d,)$ as a column, weights $V$ $(d_{out}, d_{in})$. Sigmoid on every hidden layer,
# softmax at the output: $p_j = e^{z_j} / \sum_m e^{z_m}$. And count its parameters from its sizes.

# %% tags=["exercise"]
def repaired_network(x, layers):
    """Probabilities of an MLP with sigmoid hidden layers and softmax output.

    x: (d,), layers: list of (V, c), V: (d_out, d_in), c: (d_out,) -> (k,)
    """
    raise NotImplementedError("your turn")


def parameter_count(sizes):
    """Weights and biases of an MLP. sizes: [d, hidden …, k] -> int"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("4.7", "the printed network repaired"):
    for seed_t, sizes_t in enumerate([(3, 2, 2, 2), (4, 3, 5), (2, 2), (3, 6, 4, 2)]):
        rng_t = np.random.default_rng(seed_t)
        layers_t = [(rng_t.normal(size=(o, i)) * 2, rng_t.normal(size=o))
                    for i, o in zip(sizes_t[:-1], sizes_t[1:])]
        x_t = a_t = rng_t.normal(size=sizes_t[0])
        for V_t, c_t in layers_t[:-1]:
            a_t = np.array([1 / (1 + math.exp(-(row @ a_t + bias)))
                            for row, bias in zip(V_t, c_t)])
        scores_t = [math.exp(row @ a_t + bias) for row, bias in zip(*layers_t[-1])]
        expected_t = np.array(scores_t) / sum(scores_t)
        given_t = [(V_t.copy(), c_t.copy()) for V_t, c_t in layers_t]
        got_t = repaired_network(x_t.copy(), given_t)
        assert np.shape(got_t) == expected_t.shape, f"shape {np.shape(got_t)}"
        np.testing.assert_allclose(got_t, expected_t, rtol=1e-4, atol=1e-6,
                                   err_msg=f"sizes {sizes_t}")
    for sizes_t, count_t in (([3, 2, 2, 2], 20), ([4, 3, 5], 35), ([2, 2], 6),
                             ([784, 128, 10], 101_770)):
        got_t = parameter_count(list(sizes_t))
        assert got_t == count_t, f"sizes {sizes_t}: {count_t} parameters, not {got_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Loop over `layers[:-1]` with `a = sigmoid(V @ a + c)`; the last layer gives logits. `zip(sizes[:-1], sizes[1:])` yields each layer's $(d_{in}, d_{out})$.
# </details>

# %% tags=["solution"]
#@title Solution 4.7 · runs only while yours does not pass
if not solved("4.7"):
    def repaired_network(x, layers):
        a = x
        for V, c in layers[:-1]:
            a = sigmoid(V @ a + c)
        V, c = layers[-1]
        e = np.exp(V @ a + c)
        return e / e.sum()


    def parameter_count(sizes):
        return sum((i + 1) * o for i, o in zip(sizes[:-1], sizes[1:]))


# %% [markdown]
# ## 4.8 One hidden layer can draw any curve
#
# How much can a *single* hidden layer do? Three ReLUs make a bump of height 1 at $c$, of half-width $s$:
#
# $$\mathrm{hat}(x) = \frac{\mathrm{ReLU}(x - c + s) - 2\,\mathrm{ReLU}(x - c) + \mathrm{ReLU}(x - c - s)}{s} .$$
#
# The slopes add up: 0, then $1/s$, then $1/s - 2/s = -1/s$, then 0. Put a bump on each of many places, each as high as the curve there, and add.

# %%
def hat(x, c, s):
    """A triangle of height 1 at c that is 0 beyond c ± s, from three ReLUs."""
    return (relu(x - c + s) - 2 * relu(x - c) + relu(x - c - s)) / s


curve = lambda x: np.sin(2 * np.pi * x) + 0.5 * np.cos(5 * np.pi * x)
bend = (2 * np.pi) ** 2 + 0.5 * (5 * np.pi) ** 2  # |f''| is nowhere larger
fine = np.linspace(0, 1, 4001)


def bumps(x, pieces):
    """The sum of hats at pieces + 1 places, each as high as the curve there."""
    places = np.linspace(0, 1, pieces + 1)
    return sum(curve(c) * hat(x, c, 1 / pieces) for c in places)


# %% tags=["figure"]
#@title Figure: Bumps add up to a curve
fig, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.5))
left.plot(fine, curve(fine), color=plotting.GRAY, lw=4, alpha=0.5, label="curve")
for c in np.linspace(0, 1, 9):
    left.plot(fine, curve(c) * hat(fine, c, 1 / 8), color=plotting.SKY, lw=1)
left.plot(fine, bumps(fine, 8), color=plotting.BLUE, label="sum of 9 bumps")
left.set(title="Bumps add up to a curve", xlabel="$x$", ylabel="$f(x)$")
left.legend()
pieces = np.array([4, 8, 16, 32, 64, 128])
errors = [np.abs(bumps(fine, n) - curve(fine)).max() for n in pieces]
right.loglog(3 * (pieces + 1), errors, "o-", label="measured")
right.loglog(3 * (pieces + 1), bend / 8 / pieces**2, "--", color=plotting.GRAY,
             label=r"bound $\max|f''|\, s^2/8$")
right.set(title="Twice the width, a quarter of the error", xlabel="hidden units",
          ylabel="largest error", xticks=3 * (pieces + 1), xticklabels=3 * (pieces + 1))
right.minorticks_off()
right.legend()
plt.show()
print("error with 32 and 64 pieces:", *(f"{error:.4f}" for error in errors[3:5]),
      f" ratio {errors[3] / errors[4]:.2f}")

# %% [markdown]
# Between two places the sum is the straight line through the curve's values, and a straight line over a length $s$ misses a curve by at most $\max|f''|\, s^2/8$ (their difference is 0 at both ends and has second derivative $f''$. If $|f''| \le M$, it stays, at distance $t$ from the left end, below the parabola $\tfrac M2\, t(s - t)$, which is also 0 at both ends and bends by $M$ everywhere; that is highest in the middle, $M s^2/8$). So the error falls with the square of the
# width; the dashed bound holds at every point. That one hidden layer can come as close as you like to any continuous function on a closed box is the *universal approximation theorem* (通用近似定理; Cybenko 1989 for sigmoids, Leshno and others 1993 for every common $\phi$ that is not a polynomial).
#
# It promises less than it seems to. It says such weights *exist*, not that training finds them. And the theorem covers several inputs, our construction does not: a ReLU of two inputs bends along a whole line, so a bump that is 0 all around needs a second hidden layer.
# Bumps would be expensive anyway: a grid with 33 places per axis needs $33^d$ of them for $d$ inputs.

# %% tags=["nbval-check-output"]
for d in (1, 2, 3, 64):
    print(f"{d:2} inputs: {33.0**d:.3g} bumps")


# %% [markdown]
# ### Exercise 4.8 · the same curve with a third of the units (8 min)
# Neighboring bumps use the same ReLUs. Build a network with *one* ReLU per gap that passes through all given points: $f(x) = \mathrm{ReLU}(x W_1 + b_1) W_2 + b_2$, straight between
# the points, for $x$ from the first to the last knot.

# %% tags=["exercise"]
def interpolating_network(knots, heights):
    """A ReLU network through the points (knots[i], heights[i]), straight in between.

    knots: (m + 1,) increasing, not evenly spaced, heights: (m + 1,)
    -> W1 (1, m), b1 (m,), W2 (m, 1), b2 (1,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("4.8", "a network through given points"):
    for seed_t, m_t in enumerate([1, 4, 9]):
        rng_t = np.random.default_rng(seed_t)
        knots_t = np.cumsum(rng_t.uniform(0.2, 1, m_t + 1)) - 2
        heights_t = rng_t.normal(size=m_t + 1) + 1
        parts_t = [np.asarray(part) for part in
                   interpolating_network(knots_t.copy(), heights_t.copy())]
        shapes_t = [part.shape for part in parts_t]
        wanted_t = [(1, m_t), (m_t,), (m_t, 1), (1,)]
        assert shapes_t == wanted_t, f"the shapes are {shapes_t}, not {wanted_t}"
        x_t = np.linspace(knots_t[0], knots_t[-1], 203)
        hidden_t = np.maximum(x_t[:, None] @ parts_t[0] + parts_t[1], 0)
        np.testing.assert_allclose((hidden_t @ parts_t[2] + parts_t[3])[:, 0],
                                   np.interp(x_t, knots_t, heights_t), atol=1e-4,
                                   err_msg=f"{m_t + 1} points")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Unit $k$ switches on at knot $k$: weight 1, bias $-\text{knot}_k$. Its output weight is the *change* of slope there; the first one's is the first slope. `np.diff(slopes, prepend=0)` gives all changes. Where does the curve start?
# </details>

# %% tags=["solution"]
#@title Solution 4.8 · runs only while yours does not pass
if not solved("4.8"):
    def interpolating_network(knots, heights):
        slopes = np.diff(heights) / np.diff(knots)
        changes = np.diff(slopes, prepend=0)
        return np.ones((1, len(slopes))), -knots[:-1], changes[:, None], heights[:1]


# %% [markdown]
# ## 4.9 Activations and their slopes
#
# Training will multiply by $\phi'(z)$ once per layer ([[backpropagation]]), so an activation is chosen as much for its slope as for its value. Derive the common ones.
#
# - **sigmoid** $a = (1 + e^{-z})^{-1}$: $\;a' = e^{-z}(1 + e^{-z})^{-2} = a \cdot \frac{e^{-z}}{1 + e^{-z}} = a(1 - a)$. Largest at $a = \tfrac12$: never above $\tfrac14$.
# - **tanh** $= 2\sigma(2z) - 1$: $\;a' = 4\,\sigma(2z)(1 - \sigma(2z)) = (1 + a)(1 - a) = 1 - a^2$, because $\sigma(2z) = (1 + a)/2$. At most 1.
# - **ReLU** $\max(z, 0)$: $\;a' = [z > 0]$, that is 1 where $z > 0$ and 0 elsewhere (at $z = 0$ there is none; 0 by convention).
# - **leaky ReLU** $\max(z, \alpha z)$, $0 < \alpha < 1$: $\;a' = 1$ where $z > 0$, else $\alpha$.
# - **GELU** $z\,\Phi(z)$, with $\Phi$ the distribution function of a standard normal variable and $\Phi' = e^{-z^2/2}/\sqrt{2\pi}$ its density: $\;a' = \Phi(z) + z\,\Phi'(z)$ by the product rule.
# - **SiLU** (Swish) $z\,\sigma(z)$: $\;a' = \sigma + z\,\sigma(1 - \sigma)$, likewise.

# %%
def Phi(z):
    """Standard normal distribution function, any shape."""
    return 0.5 * (1 + np.vectorize(math.erf)(z / math.sqrt(2)))


def density(z):
    """Standard normal density, the derivative of Phi."""
    return np.exp(-z**2 / 2) / math.sqrt(2 * math.pi)


ALPHA = 0.1
activations = {  # name: (value, slope)
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "ReLU": (relu, lambda z: (z > 0).astype(float)),
    "leaky ReLU": (lambda z: np.maximum(z, ALPHA * z),
                   lambda z: np.where(z > 0, 1, ALPHA)),
    "GELU": (lambda z: z * Phi(z), lambda z: Phi(z) + z * density(z)),
    "SiLU": (lambda z: z * sigmoid(z),
             lambda z: sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z))),
}

# %% [markdown]
# The judge is the central difference (`numerical_gradient`, explained in notebook [[backpropagation]]): move $z$ a little both ways, divide the change by the way. It knows nothing of our algebra. It needs a function with one number as its value, so give it the sum over all entries: moving one entry changes only that entry's term.

# %%
z = np.linspace(-4.95, 4.95, 34)  # not 0, where ReLU has a kink
for name, (phi, slope) in activations.items():
    nudged = numerical_gradient(lambda z: np.sum(phi(z)), z)
    print(f"{name:11} largest difference {np.abs(slope(z) - nudged).max():.1e}")

# %% tags=["figure"]
#@title Figure: Sigmoid and tanh go flat on both sides, the others on one at most
grid = np.linspace(-5, 5, 401)
fig, axes = plt.subplots(2, 6, figsize=(11, 3.6), sharex=True, sharey="row")
for column, (name, (phi, slope)) in zip(axes.T, activations.items()):
    column[0].plot(grid, phi(grid))
    column[0].set_title(name)
    column[1].plot(grid, slope(grid), color=plotting.ORANGE)
    column[1].fill_between(grid, slope(grid), color=plotting.ORANGE, alpha=0.2)
    column[1].set(xlabel="$z$")
axes[0, 0].set(ylabel="value", ylim=(-1.3, 3))
axes[1, 0].set(ylabel="slope")
fig.suptitle("Sigmoid and tanh go flat on both sides, the others on one at most",
             fontweight="bold")
plt.show()
for name in ("GELU", "SiLU"):
    phi, slope = activations[name]
    lowest = grid[phi(grid).argmin()]
    print(f"{name}: lowest value {phi(grid).min():.3f} at z = {lowest:.2f};"
          f" slopes from {slope(grid).min():.2f} to {slope(grid).max():.2f}")


# %% [markdown]
# GELU and SiLU are ReLUs without the corner; they dip below zero before they vanish, and their slope exceeds 1 for a stretch.
# Document 1 (4.2) names sigmoid and ReLU as the usual $\sigma$; today's hidden layers mostly use ReLU, GELU or SiLU, and the sigmoid has kept two places: a yes/no output and gates (notebook [[recurrent_networks]]).

# %% [markdown]
# ### The GELU that runs is not always the GELU that is written
#
# GPT-2 uses an approximation, $\tfrac12 z\,\bigl(1 + \tanh(\sqrt{2/\pi}\,(z + c z^3))\bigr)$ with $c = 0.044715$. Where does it come from? GELU is $\tfrac12 z\,(1 + (2\Phi - 1))$, and $2\Phi(z) - 1$ looks like a tanh.
# Its series is $\sqrt{2/\pi}\,(z - z^3/6 + \dots)$, that of $\tanh u$ is $u - u^3/3 + \dots$; with $u = k(z + cz^3)$, $k = \sqrt{2/\pi}$, the cubic terms $k c - k^3/3$ and $-k/6$ agree if $c = \frac{k^2}{3} - \frac16 = \frac{2}{3\pi} - \frac16 = 0.04554$. The published
# constant is a bit smaller:

# %%
def gelu_tanh(z, c=0.044715):
    """The tanh approximation of GELU, any shape."""
    return 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + c * z**3)))


# %% tags=["figure"]
#@title Figure: The published constant lowers the largest error by a third
wide = np.linspace(-6, 6, 2401)
exact = wide * Phi(wide)
constants = {"from the series": 2 / (3 * math.pi) - 1 / 6, "published": 0.044715}
fig, ax = plt.subplots(figsize=(6.4, 3.2))
for name, c in constants.items():
    error = gelu_tanh(wide, c) - exact
    ax.plot(wide, 1e4 * error, label=f"c = {c:.6f}, {name}")
    print(f"c = {c:.6f}: largest difference {np.abs(error).max():.1e}"
          f" at |z| = {abs(wide[np.abs(error).argmax()]):.2f}")
ax.set(title="The published constant lowers the largest error by a third", xlabel="$z$",
       ylabel="approximation − GELU\n(× 10⁻⁴)", ylim=(-2.5, 11.5))
ax.legend(loc="upper center", ncols=2, fontsize=8)
plt.show()

# %% [markdown]
# The series is better near 0; the published constant spreads the error and makes the largest one smaller. Half a thousandth is nothing for a value and too much where two programs must agree: to reproduce GPT-2's logits to 1e-4
# (notebook [[project_pretrained_gpt2]]), use the formula it was trained with.
#
# ### Saturation
#
# Far from 0 a sigmoid or tanh is *saturated* (饱和): the output hardly moves and the slope is almost nothing. In a computer "almost" soon becomes "exactly":

# %% tags=["figure"]
#@title Figure: A saturated unit's slope falls exponentially, then to nothing
reach = np.linspace(0, 40, 801)
fig, ax = plt.subplots(figsize=(6.4, 3.4))
looks = {np.float64: {"lw": 1.3}, np.float32: {"lw": 6, "alpha": 0.35}}
for dtype, look in looks.items():
    a = 1 / (1 + np.exp(-reach.astype(dtype)))
    # rounded from float64: some libraries' own float32 tanh is off in the last digit
    t = np.tanh(reach).astype(dtype)
    for name, slope, color in (("sigmoid", a * (1 - a), plotting.BLUE),
                               ("tanh", 1 - t**2, plotting.RED)):
        alive = slope > 0
        ax.semilogy(reach[alive], slope[alive], color=color, **look,
                    label=f"{name}, {dtype.__name__}")
        print(f"{name:7} in {dtype.__name__}:"
              f" slope exactly 0 from about z = {reach[~alive][0]:.0f}")
ax.set(title="A saturated unit's slope falls exponentially, then to nothing",
       xlabel="$z$", ylabel="slope computed as $a(1-a)$, $1-a^2$")
ax.legend()
plt.show()

# %% [markdown]
# The slope falls tenfold for every 2.3 in $z$ (for tanh, 1.15), until $1 - a$ rounds to zero. A float32 keeps about 7 digits, a float64 about 16: the wide, pale curves follow the thin ones and end early, in small steps near $10^{-7}$. ReLU keeps slope 1 for every positive $z$ and pays with slope 0 on the other side: a unit whose $z$ is negative for *every* example gets no slope from any and is called *dead*.
#
# The plain formula has another trap on the *negative* side. $1/(1+e^{-z})$, as the listing of Document 3 (4.3) has it, is right and overflows:

# %% tags=["nbval-check-output"]
with np.errstate(over="raise"):
    for z in (-80.0, -800.0):
        for name, f in {"1/(1+exp(-z))": lambda z: 1 / (1 + np.exp(-z)),
                        "ours": sigmoid}.items():
            try:
                print(f"z = {z:.0f}, {name:13}: {f(np.array(z)):.0e}")
            except FloatingPointError:
                print(f"z = {z:.0f}, {name:13}: overflow")


# %% [markdown]
# Ours, $\tfrac12(1 + \tanh\tfrac z2)$, never overflows; the price is that very small values round to 0 (the true one at −80 is 2·10⁻³⁵). Losses avoid both by working with $z$ itself (notebook [[loss_functions]]).

# %% [markdown]
# ### Exercise 4.9 · ELU (5 min)
# ELU is $z$ for $z > 0$ and $\alpha(e^z - 1)$ otherwise. Return value and slope (at $z = 0$ take the left slope, $\alpha$). It must not overflow at $z = 1000$, not even in a branch that `np.where` throws away.

# %% tags=["exercise"]
def elu(z, alpha):
    """ELU and its slope. z: any shape, alpha > 0 -> value, slope, both like z"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("4.9", "ELU and its slope"):
    rng_t = np.random.default_rng(49)
    for alpha_t, shape_t in ((1.0, (6,)), (0.3, (4, 5)), (2.5, (3, 2, 4))):
        z_t = rng_t.normal(size=shape_t) * 3

        def elu_t(z, alpha=alpha_t):
            return np.reshape([v if v > 0 else alpha * math.expm1(v)
                               for v in z.ravel()], z.shape)

        value_t, slope_t = elu(z_t.copy(), alpha_t)
        np.testing.assert_allclose(value_t, elu_t(z_t), rtol=1e-5, atol=1e-6,
                                   err_msg=f"value, alpha {alpha_t}")
        nudged_t = numerical_gradient(lambda z: elu_t(z).sum(), z_t)
        np.testing.assert_allclose(slope_t, nudged_t, rtol=1e-5, atol=1e-6,
                                   err_msg=f"slope, alpha {alpha_t}")
    with np.errstate(over="raise", invalid="raise"):
        value_t, slope_t = elu(np.array([-1000.0, 0.0, 1000.0]), 0.7)
    np.testing.assert_allclose(value_t, [-0.7, 0, 1000], rtol=1e-6, atol=1e-6,
                               err_msg="values at -1000, 0, 1000")
    np.testing.assert_allclose(slope_t, [0, 0.7, 1], rtol=1e-6, atol=1e-6,
                               err_msg="slopes at -1000, 0, 1000")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.where` computes both branches. Give the exponential only `np.minimum(z, 0)`.
# </details>

# %% tags=["solution"]
#@title Solution 4.9 · runs only while yours does not pass
if not solved("4.9"):
    def elu(z, alpha):
        decay = alpha * np.exp(np.minimum(z, 0))
        return np.where(z > 0, z, decay - alpha), np.where(z > 0, 1, decay)


# %% [markdown]
# ## 4.10 Softmax and its Jacobian
#
# Softmax turns $k$ logits into a distribution, so one output depends on *all* inputs: $p_i = e^{z_i} / S$ with $S = \sum_m e^{z_m}$.
#
# **A shift changes nothing**: $e^{z_i + t} / \sum_m e^{z_m + t} = e^{z_i}/S$, as $e^t$ cancels. So subtract the largest logit first, and `exp` cannot overflow.
#
# **Derivative.** Every $p_i$ has a slope for every $z_j$; the table of them all, $p_i$ in row $i$, $z_j$ in column $j$, is the *Jacobian* (雅可比矩阵) $J$. With $[i = j]$ for 1 if $i = j$ and 0 otherwise, $\partial e^{z_i}/\partial z_j = e^{z_i}[i = j]$ and $\partial S/\partial z_j = e^{z_j}$; by the quotient rule
#
# $$\frac{\partial p_i}{\partial z_j} = \frac{e^{z_i}[i=j]\,S - e^{z_i} e^{z_j}}{S^2} = p_i\,([i = j] - p_j), \qquad
# J = \mathrm{diag}(p) - p\,p^\top \quad (k, k) .$$
#
# Every row of $J$ sums to $p_i(1 - \sum_j p_j) = 0$: that is the shift again.

# %%
def softmax(z):
    """Row-wise softmax. z: (n, k) or (k,) -> same shape."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_jacobian(p):
    """dp_i/dz_j from the probabilities. p: (k,) -> (k, k)"""
    return np.diag(p) - np.outer(p, p)


logits = np.array([2.0, 1.0, 0.5, -1.0])
J = softmax_jacobian(softmax(logits))
by_nudging = np.array([numerical_gradient(lambda z: softmax(z)[i], logits)
                       for i in range(4)])
print(f"Jacobian: largest difference from nudging {np.abs(J - by_nudging).max():.1e}")
shifted = softmax(logits + 1000) - softmax(logits)
print(f"rows of J sum to 0 within {np.abs(J.sum(axis=1)).max():.1e};"
      f" logits + 1000 move p by {np.abs(shifted).max():.1e}")

# %% tags=["figure"]
#@title Figure: Dividing the logits by more flattens
fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.2), width_ratios=[1.7, 1])
for offset, temperature in zip((-0.27, 0, 0.27), (0.3, 1, 5)):
    left.bar(np.arange(4) + offset, softmax(logits / temperature), 0.25,
             label=f"softmax(z / {temperature})")
left.set(title="Dividing the logits by more flattens", ylabel="probability",
         xticks=range(4), xticklabels=[f"z = {v:g}" for v in logits])
left.legend()
right.imshow(J, cmap="PuOr_r", vmin=-0.4, vmax=0.4)
for (i, j), entry in np.ndenumerate(J):
    right.text(j, i, f"{entry:.2f}", ha="center", va="center", fontsize=9)
right.set(title="Jacobian: one up, all others down", xlabel="nudged logit $j$",
          ylabel="probability $i$", xticks=range(4), yticks=range(4))
right.grid(False)
plt.show()

# %% [markdown]
# Left, dividing all logits by a number (a *temperature*, 温度) above 1 evens the probabilities out, by one below 1 sharpens them. Right, the Jacobian's diagonal is $p(1-p)$, the sigmoid's slope; everything else is $-p_i p_j$, so negative: raise one logit, and every other class loses in proportion to its own probability. Together they lose what the one gains, because the total stays 1. With two classes softmax *is* a sigmoid: $p_1 = e^{z_1}/(e^{z_1} + e^{z_2}) = \sigma(z_1 - z_2)$.
#
# Can the output layer use ReLU instead, as Document 1's $\sigma$ (4.2) allows? On the untrained digit reader's logits:

# %%
logits_test = values[-1]  # (500, 10)
outputs = {"softmax": softmax(logits_test), "ReLU": relu(logits_test),
           "sigmoid": sigmoid(logits_test)}
for name, out in outputs.items():
    sums, true = out.sum(axis=1), out[np.arange(500), y_test]
    print(f"{name:7} sums of the rows: {sums.min():.2f} to {sums.max():.2f};"
          f" true class gets exactly 0: {np.mean(true == 0):.0%}")


# %% [markdown]
# ReLU's outputs are no probabilities, and where the true class gets exactly 0, ReLU has no slope to lift it. Softmax is for one class of many; several sigmoids are right where several labels may hold at once.

# %% [markdown]
# ### Exercise 4.10 · backward through softmax, without the Jacobian (6 min)
# Let $g_i = \partial L/\partial p_i$ be known for some loss $L$. Then $\partial L/\partial z_j = \sum_i g_i\, \partial p_i/\partial z_j$. For $n$ rows of $k$ classes, the Jacobians would hold $n k^2$ numbers, and for a vocabulary of 50,000 tokens that does not fit.
# Insert the formula for $\partial p_i/\partial z_j$, simplify, and write it with arrays no larger than $(n, k)$.

# %% tags=["exercise"]
def softmax_backward(p, grad_p):
    """dL/dz from dL/dp, row by row.

    p: (n, k) softmax outputs, grad_p: (n, k) -> (n, k)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("4.10", "backward through softmax"):
    for seed_t, shape_t in enumerate([(5, 3), (2, 7), (4, 4), (1, 2), (3, 1)]):
        rng_t = np.random.default_rng(seed_t)
        z_t, g_t = rng_t.normal(size=shape_t) * 2, rng_t.normal(size=shape_t)
        expected_t = numerical_gradient(lambda z: np.sum(g_t * softmax(z)), z_t)
        got_t = softmax_backward(softmax(z_t), g_t.copy())
        assert np.shape(got_t) == shape_t, f"shape {np.shape(got_t)}, not {shape_t}"
        np.testing.assert_allclose(got_t, expected_t, rtol=1e-4, atol=1e-6)
    many_t = softmax(np.random.default_rng(3).normal(size=(2, 1500)))
    given_t = many_t.copy(), many_t.copy()
    tracemalloc.start()
    softmax_backward(*given_t)
    times_t = tracemalloc.get_traced_memory()[1] / many_t.nbytes
    tracemalloc.stop()
    assert times_t < 20, f"arrays of {times_t:.0f} times the size of p; at most (n, k)"

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\sum_i g_i\, p_i([i = j] - p_j) = p_j g_j - p_j \sum_i g_i p_i$. The sum is one number per row: `keepdims=True`.
# </details>

# %% tags=["solution"]
#@title Solution 4.10 · runs only while yours does not pass
if not solved("4.10"):
    def softmax_backward(p, grad_p):
        return p * (grad_p - (grad_p * p).sum(axis=1, keepdims=True))

# %% [markdown]
# ## 4.11 Initialization: why not zero, why not all positive?
#
# Where should the weights begin? Two units with the same incoming and the same outgoing weights compute the same, influence the output in the same way, and so get the same update, for ever. They must start different (*symmetry breaking*), and
# random numbers are the simplest way. Watch it on XOR: two tanh units, one linear output, targets ±1, squared error, and plain descent against the slope. Nine parameters are few enough to nudge; many starts descend at once, one per row.

# %%
targets = 2.0 * is_xor - 1  # (4,)
NUDGE = 1e-5


def xor_loss(theta):
    """Mean squared error of 2-2-1 networks, one per row.

    theta (..., 9): W1 (2, 2), b1 (2,), w2 (2,), b2 -> (...)
    """
    W1 = theta[..., :4].reshape(*theta.shape[:-1], 2, 2)
    hidden = np.tanh(corners @ W1 + theta[..., None, 4:6])  # (..., 4, 2)
    out = np.sum(hidden * theta[..., None, 6:8], axis=-1) + theta[..., 8:]  # (..., 4)
    return np.mean((out - targets) ** 2, axis=-1)


def descend(theta, steps, rate=0.2):
    """Follow the negative slopes. theta (s, 9): s starts -> path (steps + 1, s, 9)"""
    path, nudges = [theta], NUDGE * np.eye(9)
    for _ in range(steps):
        around = path[-1][:, None]  # (s, 1, 9), each of the nine moved both ways
        slopes = (xor_loss(around + nudges) - xor_loss(around - nudges)) / (2 * NUDGE)
        path.append(path[-1] - rate * slopes)
    return np.array(path)


def random_start(seed):
    """Random weights, zero biases. -> theta (9,)"""
    return np.random.default_rng(seed).normal(size=9) * [1, 1, 1, 1, 0, 0, 1, 1, 0]


# %%
starts = {"all 0": np.zeros(9), "all 0.5": np.full(9, 0.5), "random": random_start(1)}
paths = descend(np.array([*starts.values()]), steps=1500)  # (1501, 3, 9)
for name, path in zip(starts, paths.transpose(1, 0, 2)):
    apart = np.abs(np.diff(path[-1, :4].reshape(2, 2), axis=1)).max()
    print(f"{name:8} loss {xor_loss(path[0]):.3f} -> {xor_loss(path[-1]):.3f};"
          f" the units' incoming weights differ by {apart:.1e}")

LONG = by_profile(quick=2000, standard=20_000, full=100_000)
eight = descend(np.array([random_start(seed) for seed in range(8)]), LONG)
for step in (400, LONG):
    print(f"eight random starts, loss after {step:6,} steps:",
          *(f"{loss:.2f}" for loss in xor_loss(eight[step])))

# %% tags=["figure"]
#@title Figure: Equal units cannot do XOR
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3))
colors = (plotting.GRAY, plotting.RED, plotting.BLUE)
for name, path, color in zip(starts, paths.transpose(1, 0, 2), colors):
    left.plot(xor_loss(path[:401]), color=color, label=name)
    for unit, style in ((0, "-"), (1, "--")):
        # W1 is stored row by row: entries unit and unit + 2 belong to one unit
        right.plot(path[:, unit], path[:, unit + 2], style, color=color)
        right.plot(*path[-1, [unit, unit + 2]], "o", color=color)
left.set(title="Equal units cannot do XOR", xlabel="step", ylabel="loss",
         ylim=(-0.05, 2.6))
left.legend()
right.set(title="Paths of the two units: equal stays equal", xlabel="weight from $x_1$",
          ylabel="weight from $x_2$")
plt.show()

# %% [markdown]
# From all zeros nothing moves: the hidden activations are 0, so the output weights have slope 0, and the output weights are 0, so the hidden ones have too. (The output bias could move; it is already right, since the targets average 0.) From all 0.5 both units (solid, dashed) walk the same way, equal to rounding,
# and act as one, which by 4.3 is too few: the loss stops far from 0. From the random start they go separate ways and solve it, with biases that began at 0: random weights are enough to tell units apart. To be apart is necessary, not sufficient: after 400 steps three of the eight starts stand at a loss of about ½, and after 20,000 two still do. (The third got away in between: "stuck" always means "so far".)
#
# The script of Document 3 (4.3) draws weights uniformly from $[0, 1)$. Random, yes; but write $w_{ij} = \tfrac12 + u_{ij}$ with $u_{ij}$ of mean 0, and $z_j = \tfrac12\sum_i x_i + \sum_i x_i u_{ij}$: the first part is the same
# for every unit, and on images, where no $x_i$ is negative, it is large.

# %%
init_rng = np.random.default_rng(11)
draws = {"uniform [0, 1)": init_rng.random((64, 128)),
         "uniform [-1, 1)": init_rng.uniform(-1, 1, (64, 128)),  # same mean square
         "normal, variance 1/64": init_rng.normal(size=(64, 128)) / 8}
for name, drawn in draws.items():
    z_drawn = X_test @ drawn  # (500, 128)
    between = np.corrcoef(z_drawn.T)[np.triu_indices(128, 1)]  # units, over images
    far = np.abs(sigmoid(z_drawn) - 0.5) > 0.49
    print(f"{name:22} mean z {z_drawn.mean():5.2f}, saturated (a < 0.01 or > 0.99)"
          f" {far.mean():4.0%}, mean correlation of two units {between.mean():+.2f}")

# %% [markdown]
# All-positive weights make nearly every sigmoid saturated and the units resemble each other. The second row has the same mean square but mean 0: the resemblance goes, and most of the saturation. The rest goes with the size (third row). "Random" (Document 1, 3.2, and Document 4, 3.2) or "Gaussian" (Document 3, 3.2) is not enough: **what is the right
# size?** (Large models often start from weights somebody has already trained; whoever trained those had to answer the same question. Notebook [[transfer_learning]].)

# %% [markdown]
# ## 4.12 Too small, too large: the variance of a sum
#
# One unit, $z_j = \sum_{i=1}^{d_{in}} x_i w_{ij}$ with bias 0; weights independent, of mean 0 and variance $\sigma_w^2$. $\mathrm{E}$ is the average over all draws of the weights, with $x$ fixed. Then $\mathrm{E}[z_j] = 0$, so $\mathrm{Var}(z_j) = \mathrm{E}[z_j^2]$. Multiply the square of the sum out: the mixed terms vanish, because $\mathrm{E}[w_{ij} w_{i'j}] = \mathrm{E}[w_{ij}]\,\mathrm{E}[w_{i'j}] = 0$ for $i \neq i'$, and
#
# $$\mathrm{Var}(z_j) = \sum_i x_i^2\, \mathrm{E}[w_{ij}^2] = d_{in}\,\sigma_w^2\;\overline{x^2},
# \qquad \overline{x^2} = \tfrac{1}{d_{in}} \textstyle\sum_i x_i^2 .$$
#
# Notice: the *mean square* of the inputs counts, not their variance. Each layer multiplies the signal by $d_{in}\sigma_w^2$, then $\phi$ does its part. Ten layers of 256 tanh units on real digits, with $d_{in}\sigma_w^2$ 0.1, 1 and 25:

# %%
scaled = X_test / np.sqrt(np.mean(X_test**2))  # mean square 1


def propagate(X, gain2, phi, depth, width, rng):
    """Activations of `depth` layers with weights of variance gain2 / d_in, biases 0.

    X: (n, d) -> list of (n, width)
    """
    values = []
    for _ in range(depth):
        W = rng.normal(size=(X.shape[1], width)) * np.sqrt(gain2 / X.shape[1])
        X = phi(X @ W)
        values.append(X)
    return values


# %% tags=["figure"]
#@title Figure: Too small: the signal dies. Too large: most units saturate
shown = (1, 3, 5, 7, 10)
fig, axes = plt.subplots(3, 5, figsize=(10, 5), sharex=True)
for row, gain2 in zip(axes, (0.1, 1, 25)):
    a = propagate(scaled, gain2, np.tanh, 10, 256, np.random.default_rng(12))
    for ax, l in zip(row, shown):
        ax.hist(a[l - 1].ravel(), bins=np.linspace(-1, 1, 61), color=plotting.BLUE)
        ax.set(yticks=[], title=f"layer {l}" if gain2 == 0.1 else "")
    row[0].set_ylabel(f"$d_{{in}}\\sigma_w^2 = {gain2}$")
    print(f"{gain2:4}: layer 10 has standard deviation {a[-1].std():.1e},"
          f" saturated (|a| > 0.99): {np.mean(np.abs(a[-1]) > 0.99):.0%}")
for ax in axes[-1]:
    ax.set_xlabel("activation")
fig.suptitle("Too small: the signal dies. Too large: most units saturate",
             fontweight="bold")
plt.show()

# %% [markdown]
# Top: the factor 0.1 per layer in the variance leaves almost nothing after ten. Bottom: most units sit at ±1, where the slope is gone. In the middle the histogram stays broad and narrows slowly.
# The formula itself, tried on the first layer:

# %% tags=["evidence"]
#@title Evidence: measured over predicted variance of z
many = np.random.default_rng(13).normal(size=(64, 20_000)) * np.sqrt(0.5 / 64)
ratio = np.var(scaled[:200] @ many, axis=1) / (0.5 * np.mean(scaled[:200] ** 2, axis=1))
print(f"measured / predicted variance for 200 images, 20,000 units each:"
      f" {ratio.min():.3f} to {ratio.max():.3f}")
claim("largest deviation of the ratio from 1", np.abs(ratio - 1).max(), at_most=0.06)

# %% [markdown]
# ## 4.13 Xavier and He, derived
#
# **Forward.** Keep the signal: while $\phi$ is nearly the identity, as tanh is near 0, the factor is $d_{in}\sigma_w^2$. It is 1 for $\sigma_w^2 = 1/d_{in}$.
#
# **Backward.** Let $\delta_j = \partial L/\partial z_j$ be the slopes that arrive from above. Input $x_i$ acts on the loss through every $z_j$, with factor $w_{ij}$: $\;\partial L/\partial x_i = \sum_{j=1}^{d_{out}} w_{ij}\delta_j$.
# The same kind of sum, with $d_{out}$ terms, so its factor is $d_{out}\sigma_w^2$ (taking the weights as independent of $\delta$, which holds approximately). It is 1 for $\sigma_w^2 = 1/d_{out}$.
#
# Both hold only if the layer is square. **Xavier (Glorot)** divides by the mean of the two:
#
# $$\sigma_w^2 = \frac{2}{d_{in} + d_{out}} .$$
#
# As a uniform distribution on $[-r, r]$, whose variance is $\frac{1}{2r}\int_{-r}^{r} u^2\,du = r^2/3$, that is $r = \sqrt{6/(d_{in} + d_{out})}$.
#
# **He**, for ReLU. The weights are symmetric around 0, so is $z$, and ReLU keeps exactly half of its mean square:
#
# $$\mathrm{E}[\mathrm{ReLU}(z)^2] = \int_0^\infty z^2 f(z)\,dz = \tfrac12 \mathrm{E}[z^2] = \tfrac12\, d_{in}\,\sigma_w^2\;\overline{x^2}
# \quad\Rightarrow\quad \sigma_w^2 = \frac{2}{d_{in}} ,$$
#
# with $f$ the density of $z$. No bell curve is needed, only symmetry. Test both factors and the half:

# %%
var_rng = np.random.default_rng(14)
d_in, d_out = 784, 128
coming = var_rng.normal(size=(300, d_in))  # the x of 300 examples
arriving = var_rng.normal(size=(300, d_out))  # and their δ
print("784 -> 128           forward  backward   (factor of the mean square)")
for name, variance in {"1 / d_in": 1 / d_in, "1 / d_out": 1 / d_out,
                       "2 / (d_in + d_out)": 2 / (d_in + d_out)}.items():
    W_wide = var_rng.normal(size=(d_in, d_out)) * np.sqrt(variance)
    ahead, back = np.mean((coming @ W_wide) ** 2), np.mean((arriving @ W_wide.T) ** 2)
    print(f"σ² = {name:18} {ahead:6.2f}  {back:8.2f}")
print("\nmean of ReLU(z)² / mean of z²   (standard error below 0.003)")
for name, symmetric in {"normal": var_rng.normal(size=10**6),
                        "uniform": var_rng.uniform(-2, 2, 10**6),
                        "Laplace": var_rng.laplace(size=10**6)}.items():
    print(f"{name:8} {np.mean(relu(symmetric) ** 2) / np.mean(symmetric**2):.4f}")

# %% [markdown]
# For this narrowing layer Glorot is a compromise: forward the signal grows, backward it shrinks, each by less than the sixfold that the others cost on one side. And the half is a half for three different symmetric distributions.
#
# ### A forecast for fifty layers (harder: on a first reading go on to the exercise)
#
# With $d_{in}\sigma_w^2 = g^2$ in every layer (`gain2` in the code), a ReLU network's mean square after $l$ layers should be $(g^2/2)^l$ times the input's. For tanh no power law holds, but for wide layers $z$ is nearly normal, with variance $g^2 q_{l-1}$ by 4.12; so the activations' mean square $q_l$
# follows $q_{l} = \mathrm{E}[\tanh(g\sqrt{q_{l-1}}\,u)^2]$ with $u$ standard normal, an integral to be done by summation. Fifty layers of 256 units, digits as input, five seeds; nothing is fitted:

# %%
DEPTH, SEEDS = 50, by_profile(quick=2, standard=5, full=5)
normal_u = np.linspace(-8, 8, 2001)
share_of_u = density(normal_u) / density(normal_u).sum()


def measured_squares(gain2, phi, seed):
    """Mean square of the activations per layer, input = 1. -> (DEPTH,)"""
    run = propagate(scaled[:100], gain2, phi, DEPTH, 256, np.random.default_rng(seed))
    return np.array([np.mean(a**2) for a in run])


def tanh_forecast(gain2):
    """The same, by iterating the integral over a normal u. -> (DEPTH,)"""
    q, result = 1.0, []
    for _ in range(DEPTH):
        q = np.sum(share_of_u * np.tanh(np.sqrt(gain2 * q) * normal_u) ** 2)
        result.append(q)
    return np.array(result)


depths = np.arange(1, DEPTH + 1)
relu_runs = {g2: [measured_squares(g2, relu, s) for s in range(SEEDS)]
             for g2 in (1, 2, 3)}
tanh_runs = {g2: [measured_squares(g2, np.tanh, s) for s in range(SEEDS)]
             for g2 in (0.5, 1.0, 25 / 9)}

# %% tags=["figure"]
#@title Figure: Fifty layers, measured (colored) and forecast (dashed)
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8))
for ax, runs, forecast in ((axes[0], relu_runs, lambda g2: (g2 / 2) ** depths),
                           (axes[1], tanh_runs, tanh_forecast)):
    for (g2, curves), color in zip(runs.items(), plotting.PALETTE):
        for seed, curve_of_seed in enumerate(curves):
            ax.semilogy(depths, curve_of_seed, color=color, lw=0.9,
                        label=f"$g^2 = {g2:.3g}$" if seed == 0 else None)
        ax.semilogy(depths, forecast(g2), "--", color="black", lw=1)
    ax.set(xlabel="layer", ylabel="mean square of a (input = 1)")
    ax.legend()
axes[0].set_title("ReLU: forecast $(g^2/2)^l$")
axes[1].set_title("tanh: forecast by the integral")
fig.suptitle("Fifty layers, measured (colored) and forecast (dashed)",
             fontweight="bold")
plt.show()

# %% tags=["evidence"]
#@title Evidence: forecast and measurement, factor per layer and size at layer 50
relative_errors = []
for g2, curves in relu_runs.items():
    per_layer = np.mean([curve_of_seed[-1] ** (1 / DEPTH) for curve_of_seed in curves])
    relative_errors.append(abs(per_layer / (g2 / 2) - 1))
    print(f"ReLU, g² = {g2}: factor per layer {per_layer:.3f}, forecast {g2 / 2}")
claim("ReLU, largest relative error of the factor", max(relative_errors), at_most=0.05)
for g2, curves in tanh_runs.items():
    ends_50 = [curve_of_seed[-1] for curve_of_seed in curves]
    print(f"tanh, g² = {g2:.2f}: layer 50 {np.mean(ends_50):.2e} ±"
          f" {np.std(ends_50, ddof=1):.0e}, forecast {tanh_forecast(g2)[-1]:.2e}")

# %% [markdown]
# Only $g^2 = 2$ keeps ReLU's signal level; $g^2 = 1$, right for tanh near 0, halves it fifty times. (The three bundles wobble alike: the seeds are the same, and ReLU passes a factor on unchanged.) For tanh with $g^2 = 1$ the signal shrinks ever more slowly, because a small tanh is nearly linear:
# $\tanh^2 x \approx x^2 - \tfrac23 x^4$, and $\mathrm{E}[u^4] = 3$, so $q_l \approx q_{l-1} - \tfrac23\cdot 3\,q_{l-1}^2$. Then $1/q_l$ grows by about 2 per layer, and $q_l$ falls like $1/(2l)$: 0.01 at layer 50. With $g = 5/3$ (PyTorch's gain for tanh) it settles at a fixed size.
#
# The forecast is an average over all possible weights. A single network wanders from it, and the wider it is the less:

# %%
WANDERERS = by_profile(quick=6, standard=30, full=60)
fig, ax = plt.subplots(figsize=(6.4, 3.2))
for width, color in ((64, plotting.ORANGE), (256, plotting.BLUE)):
    logs = []
    for seed in range(WANDERERS):
        rng50 = np.random.default_rng(100 + seed)
        a = propagate(scaled[:20], 2.0, relu, DEPTH, width, rng50)
        logs.append(np.log([np.mean(layer**2) for layer in a]))
    spread = np.std(logs, axis=0, ddof=1)
    ax.plot(depths, spread, color=color, label=f"width {width}, {WANDERERS} networks")
    ax.plot(depths, np.sqrt(5 * depths / width), "--", color=color,
            label=r"$\sqrt{5\,l/\mathrm{width}}$")
    print(f"width {width}: spread of log(mean square) at layer 50:"
          f" {spread[-1]:.2f}, formula {np.sqrt(5 * DEPTH / width):.2f}")
ax.set(title="He keeps the average; single networks wander with depth", xlabel="layer",
       ylabel="std of log(mean square)")
ax.legend(fontsize=8)
plt.show()


# %% [markdown]
# Each layer averages about "width" squares $\mathrm{ReLU}(z)^2$, whose variance for normal $z$ is 5 times their squared mean ($\mathrm{E}[z^4]/2 = 1.5$ against $0.5^2$: $1.5/0.25 - 1 = 5$). So each layer adds about $5/\text{width}$ to the variance of the logarithm:
# depth over width decides how reliable a start is (Hanin and Nica 2020). Normalization layers ([[convolution]], [[embeddings_and_attention]]) set the size anew at every layer and residual paths ([[training_deep_networks]]) carry the input past it, so that less depends on the draw.

# %% [markdown]
# ### Exercise 4.13 · spot the bug, then derive your own (10 min)
# The script of 4.11 (Document 3, 4.3) draws every layer's weights by `rand(d_in, d_out)`, uniform in $[0, 1)$. Replace that, for a network whose hidden activation is leaky ReLU, with slope $\alpha \ge 0$ where $z < 0$. Derive $\mathrm{E}[\phi(z)^2]$ for symmetric $z$ as above, choose $\sigma_w^2$
# so that the forward signal keeps its mean square, and draw *every* layer this way. $\alpha = 0$ must give He.

# %% tags=["exercise"]
def leaky_layers(sizes, alpha, rng):
    """Layers for leaky ReLU: zero biases, zero-mean weights that keep the mean square.

    sizes: [d, hidden …, k] -> list of (W (d_in, d_out), b (d_out,))
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("4.13", "initialization for leaky ReLU"):
    sizes_t = [300, 500, 400, 600]
    for seed_t, alpha_t in enumerate([0.0, 0.6, 1.0]):
        made_t = leaky_layers(list(sizes_t), alpha_t, np.random.default_rng(seed_t))
        assert len(made_t) == 3, f"{len(made_t)} layers, not 3"
        for (W_t, b_t), i_t, o_t in zip(made_t, sizes_t[:-1], sizes_t[1:]):
            W_t, shape_t = np.asarray(W_t), (i_t, o_t)
            assert W_t.shape == shape_t, f"W has shape {W_t.shape}, not {shape_t}"
            np.testing.assert_array_equal(b_t, np.zeros(o_t), "biases start at 0")
            off_t = np.mean(W_t) / np.std(W_t)
            assert abs(off_t) < 0.02, f"the weights' mean is {off_t:.2f} s.d., not 0"
            assert np.ptp(W_t[:, :2], axis=1).max() > 0, "two units start equal"
            signal_t = np.random.default_rng(i_t).normal(size=(500, i_t))
            z_t = signal_t @ W_t
            passed_t = np.where(z_t > 0, z_t, alpha_t * z_t)
            kept_t = np.mean(passed_t**2) / np.mean(signal_t**2)
            assert 0.96 < kept_t < 1.04, f"alpha {alpha_t}: mean square × {kept_t:.2f}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# The positive half contributes $\tfrac12 \mathrm{E}[z^2]$, the negative half $\tfrac12 \alpha^2\, \mathrm{E}[z^2]$.
# </details>

# %% tags=["solution"]
#@title Solution 4.13 · runs only while yours does not pass
if not solved("4.13"):
    def leaky_layers(sizes, alpha, rng):
        layers = []
        for d_in, d_out in zip(sizes[:-1], sizes[1:]):
            std = np.sqrt(2 / ((1 + alpha**2) * d_in))
            layers.append((rng.normal(0, std, (d_in, d_out)), np.zeros(d_out)))
        return layers

# %% [markdown]
# <details><summary>About the solution</summary>
#
# $\mathrm{E}[\phi(z)^2] = \tfrac12(1 + \alpha^2)\,d_{in}\,\sigma_w^2\,\overline{x^2}$, so $\sigma_w^2 = 2 / ((1 + \alpha^2)\, d_{in})$; $\alpha = 1$, a linear layer, gives $1/d_{in}$.
# </details>

# %% [markdown]
# ## 4.14 The same numbers from Keras
#
# Only now TensorFlow is imported. First the digit reader of 4.6 with copied weights, in float64:

# %%
tf = devices.setup(seed=0)
import keras

# %% tags=["evidence"]
#@title Evidence: the digit reader of 4.6 in Keras
model = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(32, "relu", dtype="float64"),
     keras.layers.Dense(16, "relu", dtype="float64"),
     keras.layers.Dense(10, "softmax", dtype="float64")])
model.set_weights([array for layer in reader for array in layer])
theirs = model(tf.constant(X_test)).numpy()
claim("digit reader, largest difference of a probability",
      np.abs(theirs - softmax(forward(reader, X_test)[-1])).max(), at_most=1e-12)
print(f"parameters: Keras {model.count_params():,}, counted in 4.6: {total:,}")

# %% [markdown]
# Then every activation and its slope, by Keras and by `GradientTape`, at points that include 0:

# %% tags=["evidence"]
#@title Evidence: six activations and their slopes against Keras
names_there = {
    "sigmoid": keras.activations.sigmoid, "tanh": keras.activations.tanh,
    "ReLU": keras.activations.relu, "SiLU": keras.activations.silu,
    "leaky ReLU": lambda z: keras.activations.leaky_relu(z, negative_slope=ALPHA),
    "GELU": lambda z: keras.activations.gelu(z, approximate=False)}
probe = tf.Variable(np.append(np.linspace(-8, 8, 65), 0.0))
worst_value = worst_slope = 0.0
for name, activation in names_there.items():
    with tf.GradientTape() as tape:
        there = activation(probe)
    slope_there = tape.gradient(there, probe).numpy()
    phi, slope = activations[name]
    worst_value = max(worst_value, np.abs(phi(probe.numpy()) - there.numpy()).max())
    off = np.abs(slope(probe.numpy()) - slope_there)
    print(f"{name:11} slope differs by {off.max():.1e}")
    worst_slope = max(worst_slope, off[probe.numpy() != 0].max())
claim("activations, largest difference", worst_value, at_most=1e-7)
claim("slopes, largest difference away from 0", worst_slope, at_most=1e-7)
print(f"0.1 in float32 is off by {abs(float(np.float32(0.1)) - 0.1):.1e}")

# %% [markdown]
# Four agree to the last digits. Leaky ReLU and GELU stop at eight: TensorFlow, which does the arithmetic under Keras here, keeps the constants of these two in float32 even when $z$ is float64, and the rounding error of 0.1 is just what leaky ReLU's slope is off by.

# %% tags=["evidence"]
#@title Evidence: tanh GELU and the softmax Jacobian against Keras
approximate = keras.activations.gelu(probe, approximate=True).numpy()
claim("tanh GELU, largest difference",
      np.abs(gelu_tanh(probe.numpy()) - approximate).max(), at_most=1e-7)
point = tf.Variable(logits)
with tf.GradientTape() as tape:
    p_there = keras.activations.softmax(point[None])[0]
claim("softmax Jacobian, largest difference",
      np.abs(tape.jacobian(p_there, point).numpy() - J).max(), at_most=1e-12)

# %% [markdown]
# Last the initializers: do they have the variances derived above? A sample of $m$ weights misses the variance by about $\sigma_w^2\sqrt{(\kappa - 1)/m}$, where $\kappa$ is the mean of $w^4$ over the squared variance. The deviation is counted in such standard errors.

# %% tags=["evidence"]
#@title Evidence: Keras' initializers have the derived variances
i, o = 500, 300
make = keras.initializers
initializers = {make.GlorotUniform: 2 / (i + o), make.GlorotNormal: 2 / (i + o),
                make.HeUniform: 2 / i, make.HeNormal: 2 / i, make.LecunNormal: 1 / i}
deviations = []
for kind, variance in initializers.items():
    sample = np.asarray(kind(seed=1 + len(deviations))((i, o)), float)  # (500, 300)
    square = np.mean(sample**2)
    kappa = np.mean(sample**4) / square**2
    deviations.append((square / variance - 1) / np.sqrt((kappa - 1) / sample.size))
    print(f"{kind.__name__:13} variance × d_in {square * i:.4f},"
          f" derived {variance * i:.4f}, {deviations[-1]:+.1f} standard errors;"
          f" largest |w| {np.abs(sample).max() / np.sqrt(variance):.2f} σ")
claim("largest deviation in standard errors", np.abs(deviations).max(), at_most=4)
dense = keras.layers.Dense(4)
print("a Dense layer's own choice:", type(dense.kernel_initializer).__name__, "and",
      type(dense.bias_initializer).__name__)

# %% [markdown]
# The normal ones stop at a little over two standard deviations: Keras redraws what lies beyond twice the drawn standard deviation, and enlarges that one so that the variance comes out right.
# A `Dense` layer starts with Glorot's variance *whatever its activation*. Fifty ReLU layers of 256 units (all but the first square) with Keras' default and with He:

# %%
for kind in (keras.initializers.GlorotUniform, keras.initializers.HeNormal):
    a = scaled[:50]
    for layer in range(DEPTH):
        a = relu(a @ np.asarray(kind(seed=layer)((a.shape[1], 256)), float))
    print(f"{kind.__name__:13} mean square after 50 ReLU layers: {np.mean(a**2):.1e}")

# %% [markdown]
# `Dense(256, activation="relu", kernel_initializer="he_normal")` is all it takes. In three square layers the default costs a factor of eight in the mean square and nobody notices; in fifty, it costs the signal.

# %% [markdown]
# ## 4.15 Where it breaks
#
# - **Existence is not learning.** 4.3 and 4.8 built networks by hand. That a network *can* represent a function does not say that training finds it, nor how many examples it takes ([[training_deep_networks]]).
# - **The start is not the run.** The variances hold for random weights. After some updates weights and activations are no longer independent; normalization keeps the scale in check then ([[convolution]], [[embeddings_and_attention]]).
# - **Dense layers ignore structure.** Shuffle the 64 pixels the same way in every image and a dense network learns just as well: it doesn't know that pixels have neighbors. Convolutions ([[convolution]]) and attention ([[embeddings_and_attention]]) build that in.
# - **Dead and saturated units** make no error message. Look at activation histograms as in 4.12 before blaming the data.
#
# **What a product team should ask.** Would a linear model do? (4.1 and 4.2 are baselines of a few lines.) Which GELU does the exported model run? Does the code's initializer fit its activation, or is it the default? Does a test compare our layers
# with a reference at shapes that are all different?

# %% [markdown]
# ## 4.16 Summary
#
# 1. A neuron is a weighted vote and a hyperplane: $z = x\cdot w + b$, then $a = \phi(z)$. One line cannot do XOR; a hidden layer moves the points so that a line can.
# 2. A layer is $Z = XW + b$, with $d_{in} d_{out} + d_{out}$ parameters. Without $\phi$ in between, any stack of layers is one layer.
# 3. Enough ReLUs approximate any continuous curve. For one input and a bounded second derivative the error falls with the square of the width; a grid of bumps grows exponentially with the number of inputs.
# 4. $\sigma' = a(1-a) \le \tfrac14$, $\tanh' = 1 - a^2$, ReLU$' = [z > 0]$; sigmoid and tanh saturate. Softmax ignores shifts, and its Jacobian is $\mathrm{diag}(p) - pp^\top$.
# 5. Start with random weights of mean 0 and variance $2/d_{in}$ for ReLU, $2/(d_{in} + d_{out})$ for tanh, and with zero biases. Equal units stay equal; too small a variance kills the signal as a power of the depth, and too large a one makes ReLU explode likewise and tanh saturate.
#
# | key formula | shape |
# |---|---|
# | $z^{(l)} = a^{(l-1)} W^{(l)} + b^{(l)},\; a^{(l)} = \phi(z^{(l)})$ | $(n, d_l)$ |
# | GELU $= z\Phi(z)$, slope $\Phi(z) + z\Phi'(z)$; SiLU $= z\sigma(z)$ | as $z$ |
# | $\partial L/\partial z = p \odot (g - \sum_i g_i p_i)$ through softmax | $(n, k)$ |
# | $\mathrm{Var}(z) = d_{in}\,\sigma_w^2\,\overline{x^2}$; ReLU halves the mean square | scalar |
#
# ### Further reading
# - G. Cybenko (1989). Approximation by superpositions of a sigmoidal function. *Mathematics of Control, Signals and Systems* 2, 303–314.
# - M. Leshno, V. Lin, A. Pinkus, S. Schocken (1993). Multilayer feedforward networks with a nonpolynomial activation function can approximate any function. *Neural Networks* 6, 861–867.
# - X. Glorot, Y. Bengio (2010). Understanding the difficulty of training deep feedforward neural networks. *Proceedings of Machine Learning Research* 9, 249–256.
# - K. He, X. Zhang, S. Ren, J. Sun (2015). Delving deep into rectifiers. *ICCV*. arXiv:1502.01852.
# - D. Hendrycks, K. Gimpel (2016). Gaussian error linear units (GELUs). arXiv:1606.08415.
# - B. Poole, S. Lahiri, M. Raghu, J. Sohl-Dickstein, S. Ganguli (2016). Exponential expressivity in deep neural networks through transient chaos. *NeurIPS*. arXiv:1606.05340. The integral of 4.13.
# - B. Hanin, M. Nica (2020). Products of many large random matrices and gradients in deep neural networks. *Communications in Mathematical Physics* 376, 287–322. arXiv:1812.05994. The wandering of 4.13.
# - M. Minsky, S. Papert (1969). *Perceptrons*. MIT Press. What one layer cannot do.
#
# **Next:** notebook [[loss_functions]], loss functions: what should a network be punished for? Then [[backpropagation]] lets all these layers learn.
