# ---
# jupyter:
#   course:
#     datasets: [sample_images, digits]
#     covers: "Convolution, pooling, transposed convolution and batch normalization, forward and backward; im2col."
#     prerequisites: [neurons_and_layers, backpropagation]
#     ledger: [D2-2-c, D2-3.1.2-a, D2-3.1.2-b, D5-3.2-a, D5-4.2-a, D5-4.2-b]
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
# # Convolution
#
# Convolution, pooling, transposed convolution and batch normalization: derived forward and backward, made fast, and equal to Keras' layers.
# How few weights does it take to see an edge, and what does a network gain by looking at every place in the same way?
#
# **The digit reader so far** has a weight for every pixel: when its camera slipped by one pixel, it lost more than half of its right answers (notebook [[life_of_a_model]]). This notebook adds a layer that uses the same few weights at every place.
#
# **You will be able to**
# - say which of two operations called *convolution* a layer computes, and port a kernel without mirroring it;
# - predict output size, parameters, multiplications and receptive field of any convolutional network;
# - turn seven nested loops into one matrix product, and read the backward pass off that product;
# - explain what pooling and transposed convolution keep, what they lose, and where checkerboards come from;
# - derive batch normalization's gradient, and know what the layer does differently in training and in use.

# %% tags=["setup"]
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image
from threadpoolctl import threadpool_limits

from course_utils import (
    by_profile, check, claim, data, devices, plotting, profile, solved,
)
from course_utils.lessons.backpropagation import numerical_gradient

plotting.use_style()

# %% [markdown]
# ## 9.1 What does it take to see an edge?
#
# Subtract from each pixel's right neighbor its left neighbor. That is all.

# %%
china = load_sample_image("china.jpg") / 255  # (427, 640, 3), from 0 to 1
gray = china.mean(axis=2)  # (427, 640)
edges = gray[:, 2:] - gray[:, :-2]  # (427, 638)

# %% tags=["figure"]
#@title Figure: Two weights, −1 and +1, find edges
fig, axes = plt.subplots(1, 2, figsize=(5, 2.6))
part = np.s_[70:260, 190:420]
axes[0].imshow(gray[part], cmap="gray", interpolation="nearest")
axes[1].imshow(edges[part], cmap="gray", vmin=-0.5, vmax=0.5, interpolation="nearest")
for ax, title in zip(axes, ("image", "right minus left neighbor")):
    ax.set_title(title)
    ax.axis("off")
fig.suptitle("Two weights, −1 and +1, find edges", fontweight="bold")
plt.show()

# %% tags=["nbval-check-output"]
print(f"{gray.size:,} pixels in, {edges.size:,} out:"
      f" a dense layer has {gray.size * edges.size:,} weights for that")

# %% [markdown]
# Pillars, window frames and slanting roof edges stand out: white where the image gets brighter to the right, black where it gets darker. Horizontal edges vanish; they need a kernel of their own (9.5). A dense layer needs 74 billion weights to be *able* to do this,
# and would have to learn the same two numbers 272,426 times. Which property makes two weights enough?
#
# Ask one thing of a linear layer $z_u = \sum_m A_{um}\, x_m$ on a row of pixels $x_m$ (so long that its ends don't matter): **if the image moves by one place, the answer moves by one place** (*translation equivariance*, 平移等变性).
# Feed the moved image, $x'_m = x_{m-1}$, and demand $z'_{u} = z_{u-1}$:
#
# $$\sum_m A_{um}\, x_{m-1} = \sum_m A_{u-1,m}\, x_m \;\text{ for every } x
# \qquad\Rightarrow\qquad A_{u,m+1} = A_{u-1,m}
# \qquad\Rightarrow\qquad A_{um} = k_{m-u} .$$
#
# First arrow: write the left sum as $\sum_m A_{u,m+1}\, x_m$; two sums that agree for *every* $x$ have the same factors. Second arrow: a step down and a step to the right together change nothing, so only $m - u$ counts.
#
# The matrix is constant along its diagonals: one list of weights $k$, *shared* by all places. Demand secondly that an answer depends on a small neighborhood only: all but a few $k_i$ are 0. That is the
# "small local receptive field" (局部感受野) by which Document 2, 3.1.2, describes the convolutional network (卷积神经网络). The sharing is the other half, which it doesn't mention. (What the documents are is said in notebook [[start_here]].)

# %%
row_rng = np.random.default_rng(0)
row_size, row_taps = 12, np.array([-1.0, 2.0, -0.5])
lag = np.arange(row_size) - np.arange(row_size)[:, None]  # m − u, (12, 12)
anything = row_rng.normal(size=(row_size, row_size))
shared = row_rng.normal(size=2 * row_size - 1)[lag + row_size - 1]
local = np.where((lag >= 0) & (lag < 3), row_taps[np.clip(lag, 0, 2)], 0.0)

# %% tags=["figure"]
#@title Figure: Two demands leave 3 of 144 weights
fig, axes = plt.subplots(1, 3, figsize=(7.6, 3.2))
panels = {"any linear layer\n12² = 144 weights": anything,
          "+ moves with its input\n2·12 − 1 = 23 weights": shared,
          "+ local: a convolution\n3 weights": local}
for ax, (title, matrix) in zip(axes, panels.items()):
    ax.imshow(matrix, cmap="RdBu_r", vmin=-2.5, vmax=2.5)
    ax.set(title=title, xlabel="pixel $m$", ylabel="output $u$", xticks=[], yticks=[])
    ax.grid(False)
fig.suptitle("Two demands leave 3 of 144 weights", fontweight="bold")
plt.show()

# %% tags=["nbval-check-output"]
row = np.arange(row_size) ** 2 % 7.0
by_matrix = (local @ row)[: row_size - 2]  # the last two windows leave the row
print("matrix      ", by_matrix)
print("np.correlate", np.correlate(row, row_taps, mode="valid"))

# %% [markdown]
# From left to right the layer loses freedom: 144, 23, 3 weights. So a convolution is no new kind of layer. It is a dense layer under two constraints, and what is known about dense layers,
# backpropagation included, carries over.

# %% [markdown]
# ## 9.2 Convolution or cross-correlation?
#
# Document 5, 4.2, prints the formula of the operation (卷积):
#
# $$(f * g)(x, y) = \sum_i \sum_j f(i, j)\; g(x - i,\, y - j) .$$
#
# Here $f$ is the kernel, $g$ the image, and $(x, y)$ a place, row first. That is the mathematicians' convolution, and for them it is right: the sums run over all integers, and both functions are zero outside their arrays. **It is not what a convolutional layer computes.**
# A layer slides the kernel (卷积核), now called $k$, over the image, now called $x$, without mirroring it, over a finite window, and adds a bias; $(u, v)$ is the place (Goodfellow et al., chapter 9):
#
# $$z(u, v) = b + \sum_{i=0}^{k_h - 1} \sum_{j=0}^{k_w - 1} x(u + i,\, v + j)\; k(i, j) .$$
#
# This is *cross-correlation* (互相关). Note the plus signs. Put $i \to -i$, $j \to -j$ in the first sum and it reads $\sum_{ij} f(-i, -j)\, g(x + i,\, y + j)$, a correlation with the mirrored $f$: **correlating with a kernel is convolving with the kernel turned by 180°.**

# %% tags=["nbval-check-output"]
sequence, k_123 = np.array([0, 0, 1, 0, 0, 4, 5, 6]), np.array([1, 2, 3])
print("convolution           ", np.convolve(sequence, k_123, mode="valid"))
print("correlation           ", np.correlate(sequence, k_123, mode="valid"))
print("correlation, k turned ", np.correlate(sequence, k_123[::-1], mode="valid"))

# %% [markdown]
# Look at what a single 1 becomes: convolution stamps the kernel as it stands (1 2 3), correlation stamps it mirrored (3 2 1).
#
# Why do two exist? With the mirror image, $f * g = g * f$ (substitute $i' = x - i$) and $(f * g) * h = f * (g * h)$: in a chain of filters neither order nor brackets matter. A network *learns* its kernel and would learn the mirrored one as easily,
# so layers leave the mirroring out. It matters when you set a kernel by hand, port weights, or compute gradients: in 9.6 the mirror returns by itself.

# %%
def cross_correlate(x, k):
    """One channel, no bias. x: (H, W), k: (kh, kw) -> (H - kh + 1, W - kw + 1)."""
    kh, kw = k.shape
    z = np.zeros((x.shape[0] - kh + 1, x.shape[1] - kw + 1))
    for u, v in np.ndindex(z.shape):
        z[u, v] = np.sum(x[u:u + kh, v:v + kw] * k)
    return z


# %% [markdown]
# ### Exercise 9.2 · spot the bug (10 min)
# Here is Document 5's formula (4.2) typed in as it stands. It runs without complaint. Take a kernel that looks for horizontal edges, bright above minus dark below:

# %%
def formula_as_printed(f, g):
    """(f * g)(x, y) on the pixels of g. f: (kh, kw), g: (H, W) -> (H, W)."""
    out = np.zeros(g.shape)
    for x, y in np.ndindex(g.shape):
        for i, j in np.ndindex(f.shape):
            out[x, y] += f[i, j] * g[x - i, y - j]
    return out


digits = data.digits()
digit = digits.x_train[4] / 16  # (8, 8)
horizontal = np.array([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]])

# %% tags=["figure"]
#@title Figure: The formula, typed in, is not what a layer sees
panels = {"a digit": digit, "a layer": cross_correlate(digit, horizontal),
          "the formula, typed in": formula_as_printed(horizontal, digit)}
fig, axes = plt.subplots(1, 3, figsize=(7.2, 3), width_ratios=[8, 6, 8])
for ax, (title, values), top in zip(axes, panels.items(), (1, 4, 4)):
    ax.imshow(values, cmap="RdBu_r", vmin=-top, vmax=top)
    ax.set(title=title, xticks=[], yticks=[])
    ax.grid(False)
axes[2].add_patch(plt.Rectangle((-0.5, -0.5), 8, 2, fill=False, ec="black", lw=2))
fig.suptitle("The formula, typed in, is not what a layer sees", fontweight="bold")
plt.show()

# %% [markdown]
# Three things differ. Red and blue are exchanged, because the kernel is turned by 180°. Everything sits two pixels lower and further right. And the two top rows (framed) show a *ghost*: for $i = 2$ the code reads `g[-2]` at $x = 0$ and `g[-1]` at $x = 1$,
# which in Python are the two *bottom* rows. (In the two left columns, fainter, it reads those at the right.) The formula means zero there. And it is defined at every $(x, y)$ where a term is left, not on the pixels of $g$ only.
#
# Repair it: write the whole convolution of $f$ $(k_h, k_w)$ with $g$ $(H, W)$, of size $(H + k_h - 1,\; W + k_w - 1)$.

# %% tags=["exercise"]
def convolve_full(f, g):
    """(f * g)(x, y) wherever it can be non-zero; f and g are zero outside.

    f: (kh, kw), g: (H, W) -> (H + kh - 1, W + kw - 1)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("9.2", "the mathematicians' convolution"):
    sizes_t = [((3, 2), (5, 6)), ((4, 4), (2, 3)), ((1, 1), (3, 2)), ((1, 4), (5, 1))]
    for seed_t, (small_t, large_t) in enumerate(sizes_t):
        rng_t = np.random.default_rng(seed_t)
        f_t, g_t = rng_t.normal(size=small_t), rng_t.normal(size=large_t)
        full_t = tuple(np.add(small_t, large_t) - 1)
        # an independent witness: convolution is a product of Fourier transforms
        spectrum_t = np.fft.rfft2(f_t, full_t) * np.fft.rfft2(g_t, full_t)
        expected_t = np.fft.irfft2(spectrum_t, full_t)
        got_t = convolve_full(f_t.copy(), g_t.copy())
        assert np.shape(got_t) == full_t, f"shape {np.shape(got_t)}, not {full_t}"
        np.testing.assert_allclose(got_t, expected_t, 1e-5, 1e-5)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Turn the loops around: one term $f(i, j)$ adds a copy of the whole image $g$, times $f(i, j)$, moved by $(i, j)$. No index can become negative.
# </details>

# %% tags=["solution"]
#@title Solution 9.2 · runs only while yours does not pass
if not solved("9.2"):
    def convolve_full(f, g):
        out = np.zeros((g.shape[0] + f.shape[0] - 1, g.shape[1] + f.shape[1] - 1))
        for i, j in np.ndindex(f.shape):
            out[i:i + g.shape[0], j:j + g.shape[1]] += f[i, j] * g
        return out


# %% [markdown]
# ## 9.3 A layer: windows, channels, kernels, bias
#
# In everything that follows "convolution" means what layers compute. A kernel slides (滑动) over the image; at each stop it multiplies the window under it, entry by entry, and adds up.

# %% tags=["plumbing"]
#@title Plumbing: draw small matrices with their numbers
def numbers(ax, matrix, title="", marks=(), fontsize=9, top=None):
    """Draw a small matrix with its numbers; nan stays blank.

    marks: frames as (row, column, height, width, color). top: the largest size of an
    entry; give panels that are compared the same one, so that equal numbers look equal.
    """
    top = 2 * (np.nanmax(np.abs(matrix)) if top is None else top)
    ax.imshow(matrix, cmap="RdBu_r", vmin=-top, vmax=top)
    for (i, j), value in np.ndenumerate(matrix):
        text = "" if np.isnan(value) else f"{value:.3g}"
        ax.text(j, i, text, ha="center", va="center", fontsize=fontsize)
    for row, column, height, width, color in marks:
        ax.add_patch(plt.Rectangle((column - 0.5, row - 0.5), width, height, fill=False,
                                   ec=color, lw=2.2, clip_on=False))
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="#BBBBBB")
    ax.grid(False)


# %%
tiny = np.array([[0., 1, 2, 1, 0], [0, 2, 4, 1, 0], [1, 3, 1, 0, 0],
                 [0, 4, 2, 0, 1], [0, 3, 0, 0, 2]])
vertical = np.array([[-1., 0, 1], [-2, 0, 2], [-1, 0, 1]])
answers = cross_correlate(tiny, vertical)  # (3, 3)

# %% tags=["figure"]
#@title Figure: A 3×3 kernel slides over a 5×5 image and leaves 3×3 answers
fig, axes = plt.subplots(2, 4, figsize=(8.4, 4.4), height_ratios=[5, 3.6])
for ax_x, ax_z, (u, v) in zip(*axes, [(0, 0), (0, 1), (0, 2), (2, 2)]):
    numbers(ax_x, tiny, f"window at ({u}, {v})", [(u, v, 3, 3, plotting.ORANGE)])
    seen = np.where(np.arange(9).reshape(3, 3) <= 3 * u + v, answers, np.nan)
    numbers(ax_z, seen, "", [(u, v, 1, 1, plotting.ORANGE)], top=np.abs(answers).max())
axes[1, 0].set_ylabel("output")
axes[0, 0].set_ylabel("input")
fig.suptitle("A 3×3 kernel slides over a 5×5 image and leaves 3×3 answers",
             fontweight="bold")
plt.show()

# %% tags=["nbval-check-output"]
window = tiny[0:3, 0:3]
print("kernel\n", vertical.astype(int))
products = (window * vertical).ravel() + 0.0  # turns -0.0 into 0.0
print("first answer:", " ".join(f"{value:+g}" for value in products),
      "=", f"{np.sum(window * vertical):g}")

# %% [markdown]
# A real layer does this for a batch of images with several *channels* (通道: red, green, blue, or the features of the layer before), with many kernels at once:
#
# | symbol | shape | meaning |
# |---|---|---|
# | $X$ | $(B, H, W, C)$ | images, one example first, channels last |
# | $K$ | $(k_h, k_w, C, O)$ | $O$ kernels, each as deep as the input |
# | $b$ | $(O,)$ | one bias per kernel |
# | $Z$ | $(B, H', W', O)$ | one *feature map* (特征图) per kernel |
#
# $$\boxed{\;z_{n u v o} = b_o + \sum_{i j c} x_{n,\, su + i,\, sv + j,\, c}\; k_{i j c o}\;}
# \qquad s = \text{stride, how far the window moves}$$
#
# Small letters are entries: $n$ counts the images of the batch, $(u, v)$ the places of the map, $o$ the kernels, $(i, j)$ the places in the window, $c$ the channels. (In 9.4 $n$ is a length.)
#
# Parameters: $(k_h\, k_w\, C + 1)\, O$, whatever the size of the image. Multiplications: $B\,H'\,W' \cdot k_h\, k_w\, C\, O$. As a program, seven loops:

# %%
def conv_loops(X, K, b, stride=1):
    """A convolutional layer, every sum written out. Shapes as in the table."""
    (B, H, W, C), (kh, kw, _, O) = X.shape, K.shape
    Z = np.zeros((B, (H - kh) // stride + 1, (W - kw) // stride + 1, O))
    for n in range(B):
        for u in range(Z.shape[1]):
            for v in range(Z.shape[2]):
                for o in range(O):
                    total = b[o]
                    for i in range(kh):
                        for j in range(kw):
                            for c in range(C):
                                pixel = X[n, stride * u + i, stride * v + j, c]
                                total += pixel * K[i, j, c, o]
                    Z[n, u, v, o] = total
    return Z


# %% tags=["nbval-check-output"]
layer_rng = np.random.default_rng(3)
X_layer = layer_rng.normal(size=(2, 7, 6, 3))
K_layer, b_layer = layer_rng.normal(size=(3, 2, 3, 4)), layer_rng.normal(size=4)
Z_layer = conv_loops(X_layer, K_layer, b_layer)
by_channel = b_layer[2] + sum(
    cross_correlate(X_layer[1, :, :, c], K_layer[:, :, c, 2]) for c in range(3))
print("X", X_layer.shape, " K", K_layer.shape, " Z", Z_layer.shape,
      f" parameters: {K_layer.size + b_layer.size}")
print("one map equals its channels' sum to 1e-12:",
      np.abs(Z_layer[1, :, :, 2] - by_channel).max() < 1e-12)
print(f"sixteen 3×3 kernels on the whole image in color: {(27 + 1) * 16} parameters,"
      f" {425 * 638 * 27 * 16:,} multiplications")

# %% [markdown]
# A kernel is *local in space and complete in depth*: it sees $3 \times 2$ pixels but all channels. With $k_h = k_w = 1$ only the mixing of channels is left, a dense layer applied to each pixel.

# %% [markdown]
# ## 9.4 Padding and stride
#
# How many windows fit? Along one side, an image of $n$ pixels gets $p$ zeros at each end (*padding*, 填充). Windows of $k$ start at $0, s, 2s, \ldots$ (*stride*, 步幅), and the last one must start at or before $n + 2p - k$. Count the starts:
#
# $$\boxed{\;m = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1\;}$$

# %% tags=["plumbing"]
#@title Plumbing: draw windows along a row of pixels
def draw_windows(ax, n, k, s, before=0, after=0):
    """Windows of width k and stride s over n pixels with zeros around them."""
    starts = range(-before, n + after - k + 1, s)
    for cell in range(-before, n + after):
        inside = 0 <= cell < n
        read = any(start <= cell < start + k for start in starts)
        face = ("#BBD9EC" if read else "white") if inside else "#EEEEEE"
        ax.add_patch(plt.Rectangle((cell, 0), 1, 1, fc=face, ec=plotting.GRAY))
        ax.text(cell + 0.5, 0.5, "" if inside else "0", ha="center", va="center")
    for row, start in enumerate(starts):
        ax.plot([start + 0.12, start + k - 0.12], [-0.35 - 0.3 * (row % 3)] * 2,
                color=plotting.ORANGE, lw=4, solid_capstyle="butt")
    ax.set(xlim=(-2.2, 9.2), ylim=(-1.2, 1.1), aspect="equal")
    ax.set_title(f"n = {n}, k = {k}, s = {s}, zeros {before} + {after}:"
                 f" m = {len(starts)}", fontsize=9)
    ax.axis("off")


# %% tags=["figure"]
#@title Figure: Padding adds windows, stride skips them, and may skip a pixel
fig, axes = plt.subplots(3, 2, figsize=(8, 4.2))
drawn = [(7, 3, 1, 0, 0), (7, 3, 1, 1, 1), (7, 3, 2, 0, 0), (8, 3, 2, 0, 0),
         (8, 3, 2, 0, 1), (8, 3, 2, 1, 1)]
for ax, case in zip(axes.flat, drawn):
    draw_windows(ax, *case)
fig.suptitle("Padding adds windows, stride skips them, and may skip a pixel",
             fontweight="bold")
plt.show()

# %% [markdown]
# Top: without padding each layer takes away $k - 1$ pixels; with $p = (k - 1)/2$ the size stays. Middle: at stride 2, seven and eight pixels both give three windows, and the eighth pixel (white) is **never read**.
# Bottom: two ways to give eight pixels four windows of stride 2. Keras' `padding="same"` promises $m = \lceil n/s \rceil$ outputs. It adds the zeros that are missing, $P$ in total, the odd one *last*:
#
# $$P = \max\big((m - 1)\,s + k - n,\; 0\big), \qquad \lfloor P/2 \rfloor \text{ before}, \quad P - \lfloor P/2 \rfloor \text{ after.}$$
#
# Many PyTorch models pad one zero on *both* sides instead (bottom right): the same shapes, every window one pixel further left. Port such weights and nothing complains, but the features move.

# %% tags=["keep"] lesson="convolution"
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


# %% tags=["evidence", "nbval-check-output"]
#@title Evidence: windows counted one by one, as many as the formulas say
cases = [(n, k, s, p) for n in range(1, 20) for k in range(1, 6)
         for s in range(1, 5) for p in range(3) if n + 2 * p >= k]
counted = [len(range(0, n + 2 * p - k + 1, s)) for n, k, s, p in cases]
formula = [(n + 2 * p - k) // s + 1 for n, k, s, p in cases]
ceiling = [(n + sum(same_padding(n, k, s)) - k) // s + 1 == -(-n // s)
           for n, k, s, p in cases]
print(f"{len(cases)} cases; windows as predicted: {counted == formula};"
      f" 'same' gives n/s rounded up: {all(ceiling)}")

# %% [markdown]
# ### Exercise 9.4 · backward through a size (5 min)
# Because of the floor, several input sizes give the same output size. Without padding: which? You will need the answer in 9.9, where a layer has to *undo* a size.

# %% tags=["exercise"]
def inputs_of(m, k, s):
    """Every n whose windows of width k and stride s number exactly m, ascending.

    m, k, s: positive integers, no padding -> list of int
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("9.4", "input sizes of an output size"):
    for m_t, k_t, s_t in [(3, 3, 2), (5, 2, 1), (1, 4, 3), (4, 1, 5), (2, 5, 2),
                          (6, 3, 4), (1, 1, 1)]:
        right_t = [n for n in range(k_t, 99) if len(range(0, n - k_t + 1, s_t)) == m_t]
        got_t = list(inputs_of(m_t, k_t, s_t))
        asked_t = f"m = {m_t}, k = {k_t}, s = {s_t}"
        assert got_t == right_t, f"{asked_t}: {got_t}, not {right_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\lfloor (n - k)/s \rfloor = m - 1$ means $s(m - 1) \le n - k < s\,m$.
# </details>

# %% tags=["solution"]
#@title Solution 9.4 · runs only while yours does not pass
if not solved("9.4"):
    def inputs_of(m, k, s):
        return list(range(s * (m - 1) + k, s * m + k))


# %% [markdown]
# ## 9.5 From seven loops to one matrix product
#
# The loops are right and far too slow: all those multiplications pass through the interpreter one by one. Two ideas make them fast.
#
# **Idea 1, stride tricks.** An array is a block of memory plus *strides*: how many bytes to step per index. A window is the same memory, entered elsewhere. So an array of *all* windows, with six indices, needs no copy: give it the strides of $X$ twice.

# %% tags=["keep"] lesson="convolution"
def windows(X: np.ndarray, size: tuple[int, int], stride: int = 1) -> np.ndarray:
    """Every window of every image, as a view: nothing is copied.

    X: (B, H, W, C), size: (kh, kw) -> (B, H', W', kh, kw, C)
    """
    view = np.lib.stride_tricks.sliding_window_view(X, size, axis=(1, 2))
    return view[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)


# %%
def conv_strides(X, K, b, stride=1):
    """A convolution as one sum over a view of all windows.

    einsum multiplies entries with equal letters, and sums over the letters that are
    missing behind the arrow: i, j and c, as in the formula.
    """
    return np.einsum("nuvijc,ijco->nuvo", windows(X, K.shape[:2], stride), K) + b


# %% tags=["nbval-check-output"]
window_view = windows(X_layer, (3, 2))
print(f"X       shape {X_layer.shape}  strides {X_layer.strides} bytes")
print(f"windows shape {window_view.shape}  strides {window_view.strides} bytes")
print(f"{window_view.size / X_layer.size:.1f} times as many entries;"
      f" copied: {not np.shares_memory(X_layer, window_view)}")

# %% [markdown]
# Row strides 144 and column strides 24 appear twice each: once for where the window *is*, once for where you are *in* it.
#
# **Idea 2, im2col.** Processors are best at one thing: products of large matrices. So do copy the windows after all, each into a row of length $k_h k_w C$; write the kernels as columns; then the whole layer is **one** matrix product.

# %% tags=["keep"] lesson="convolution"
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


# %%
four_by_four = np.arange(16.0).reshape(4, 4)
window_rows = im2col(four_by_four[None, :, :, None], (3, 3))  # (4, 9)

# %% tags=["figure"]
#@title Figure: im2col writes each window into a row
fig, axes = plt.subplots(1, 3, figsize=(8.8, 3), width_ratios=[4, 9, 2.6])
numbers(axes[0], four_by_four, "image", [(0, 0, 3, 3, plotting.ORANGE),
                                         (1, 1, 3, 3, plotting.GREEN)], top=15)
numbers(axes[1], window_rows, "four windows, nine entries each",
        [(0, 0, 1, 9, plotting.ORANGE), (3, 0, 1, 9, plotting.GREEN)], top=15)
numbers(axes[2], vertical.reshape(9, 1), "× kernel", fontsize=8)
fig.suptitle("im2col writes each window into a row", fontweight="bold")
plt.show()

# %% tags=["nbval-check-output"]
product = (window_rows @ vertical.ravel()).reshape(2, 2)
print(product, "equals 9.2's:",
      np.allclose(product, cross_correlate(four_by_four, vertical)))
for stride in (1, 2, 3):
    looped = conv_loops(X_layer, K_layer, b_layer, stride)
    apart = [np.abs(way(X_layer, K_layer, b_layer, stride) - looped).max()
             for way in (conv_strides, conv)]
    print(f"stride {stride}: both equal the loops to 1e-12: {max(apart) < 1e-12}")

# %% [markdown]
# The price: pixel 5 stands in the matrix four times, an inner pixel of a large image $k_h k_w$ times. That is a ninefold copy for a 3×3 layer. It pays nevertheless:

# %% tags=["plumbing"]
#@title Plumbing: timing, on one core
# matrices this small gain little from a second core and lose much on a busy machine
one_thread = threadpool_limits.wrap(limits=1, user_api="blas")


@one_thread
def seconds(f, repeats):
    """Shortest of several timings: whatever else the machine does only adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)


def timing_case(side, channels=8, kernels=16, batch=4):
    """A batch of random images, 3×3 kernels and a bias, float32."""
    case_rng = np.random.default_rng(5)
    shapes = (batch, side, side, channels), (3, 3, channels, kernels), (kernels,)
    return [case_rng.normal(size=shape).astype(np.float32) for shape in shapes]


# %%
SIDE = by_profile(quick=6, standard=14, full=26)  # of the images; try 8
timed = timing_case(SIDE)
looped_s = seconds(lambda: conv_loops(*timed), 2)
print(f"loops {1e3 * looped_s:.0f} ms; times faster:"
      f" stride tricks {looped_s / seconds(lambda: conv_strides(*timed), 20):.0f},"
      f" im2col {looped_s / seconds(lambda: conv(*timed), 50):.0f}")

# %% [markdown]
# The whole chart, with Keras in it, comes in 9.13. What do hand-made kernels see in an image?

# %%
def filtered(image, kernel):
    """One kernel with odd sides over a gray image whose edge pixels are repeated."""
    reach = [(0, 0), *((side // 2,) * 2 for side in kernel.shape), (0, 0)]
    X = np.pad(image[None, :, :, None], reach, mode="edge")
    return conv(X, kernel[:, :, None, None], 0.0)[0, :, :, 0]


bell = np.exp(-np.linspace(-2, 2, 13) ** 2 / 2)
bell /= bell.sum()
blur = np.outer(bell, bell)
sharpen = np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]])
corner = gray[160:260, 250:400]
across, down = filtered(corner, vertical), filtered(corner, horizontal)

# %% tags=["figure"]
#@title Figure: Four kernels, five views of one roof
looks = {"original": (corner, 0, 1), "blur (13×13)": (filtered(corner, blur), 0, 1),
         "sharpen": (filtered(corner, sharpen), 0, 1),
         "vertical edges": (across, -2, 2), "horizontal edges": (down, -2, 2),
         "edge strength": (np.hypot(across, down), 0, 2)}
fig, axes = plt.subplots(2, 3, figsize=(5.2, 3.2))
for ax, (title, (view, low, high)) in zip(axes.flat, looks.items()):
    ax.imshow(view, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    ax.set_title(title)
    ax.axis("off")
fig.suptitle("Four kernels, five views of one roof", fontweight="bold")
plt.show()

# %% [markdown]
# The blur averages a bell-shaped neighborhood; sharpening adds what a blur would remove. The two edge kernels answer to columns and to roof lines, and the length $\sqrt{z_1^2 + z_2^2}$ of their two answers to both. People designed such features by hand for decades.
# A convolutional network "extracts image features by convolution" (Document 5, 3.2), and *learns* its kernels: 9.12 looks at eight that were learned.

# %% [markdown]
# ### Exercise 9.5 · fast without the ninefold copy (15 min)
# Exchange the loops once more. Fix *one* kernel entry $(i, j)$: it multiplies a moved copy of the whole batch, and mixes its channels by the matrix $K_{ij}$ of shape $(C, O)$. So a 3×3 convolution is nine matrix products on shifted views, with no im2col at all. Write it, with stride.

# %% tags=["exercise"]
def conv_shifted(X, K, b, stride=1):
    """A convolution as kh·kw shifted matrix products.

    X: (B, H, W, C), K: (kh, kw, C, O), b: (O,) -> (B, H', W', O)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("9.5", "convolution as shifted products"):
    cases_t = [((6, 5), (3, 2), ()), ((9, 8), (2, 3), (2,)), ((7, 9), (1, 4), (3,)),
               ((3, 4), (3, 4), ()), ((5, 4), (1, 1), (2,))]
    for seed_t, (side_t, size_t, stride_t) in enumerate(cases_t):
        rng_t = np.random.default_rng(seed_t)
        X_t = rng_t.normal(size=(2 - seed_t % 2, *side_t, 3))
        K_t, b_t = rng_t.normal(size=(*size_t, 3, 4)), rng_t.normal(size=4)
        expected_t = conv(X_t, K_t, b_t, *stride_t)
        got_t = conv_shifted(X_t.copy(), K_t.copy(), b_t.copy(), *stride_t)
        shape_t = np.shape(got_t)
        assert shape_t == expected_t.shape, f"shape {shape_t}, not {expected_t.shape}"
        np.testing.assert_allclose(got_t, expected_t, 1e-5, 1e-5)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Entry $(i, j)$ meets the pixels `X[:, i : i + stride*H' : stride, j : j + stride*W' : stride]`, and `@` multiplies the last axis.
# </details>

# %% tags=["solution"]
#@title Solution 9.5 · runs only while yours does not pass
if not solved("9.5"):
    def conv_shifted(X, K, b, stride=1):
        (B, H, W, _), (kh, kw, _, O) = X.shape, K.shape
        h, w = (H - kh) // stride + 1, (W - kw) // stride + 1
        Z = np.zeros((B, h, w, O)) + b
        for i, j in np.ndindex(kh, kw):
            moved = X[:, i:i + stride * h:stride, j:j + stride * w:stride]
            Z += moved @ K[i, j]
        return Z


# %% [markdown]
# ## 9.6 Backward: gradients of input, kernel and bias
#
# First the smallest example, with a pencil. One image $x$, one kernel $k$, stride 1; at two of the four places a gradient $\delta = \partial L/\partial z$ arrives:
#
# $$x = \begin{pmatrix} 1 & 2 & 0 \\ 0 & 1 & 3 \\ 2 & 0 & 1 \end{pmatrix}, \qquad
# k = \begin{pmatrix} 1 & 2 \\ 0 & -1 \end{pmatrix}, \qquad
# \delta = \begin{pmatrix} 1 & 0 \\ 0 & 2 \end{pmatrix} .$$
#
# Only two windows matter, the one at the upper left (its $\delta$ is 1) and the one at the lower right (its $\delta$ is 2). Who uses what?
#
# - **The kernel** multiplied both windows, so its gradient is the windows' sum, each times its $\delta$; **the bias** was added at every place, so its gradient is $1 + 0 + 0 + 2 = 3$:
#
# $$\frac{\partial L}{\partial k} = 1 \begin{pmatrix} 1 & 2 \\ 0 & 1 \end{pmatrix} + 2 \begin{pmatrix} 1 & 3 \\ 0 & 1 \end{pmatrix} = \begin{pmatrix} 3 & 8 \\ 0 & 3 \end{pmatrix} .$$
#
# - **The image**: each window's pixels were multiplied by the kernel. So put a copy of the kernel, times its $\delta$, where each window lies, and add:
#
# $$\frac{\partial L}{\partial x} = \begin{pmatrix} 1 & 2 & 0 \\ 0 & -1 & 0 \\ 0 & 0 & 0 \end{pmatrix} + \begin{pmatrix} 0 & 0 & 0 \\ 0 & 2 & 4 \\ 0 & 0 & -2 \end{pmatrix} = \begin{pmatrix} 1 & 2 & 0 \\ 0 & 1 & 4 \\ 0 & 0 & -2 \end{pmatrix} .$$
#
# The middle pixel was read by both windows, once with the factor $-1$ and once with the factor 1, and collects $-1 \cdot 1 + 1 \cdot 2 = 1$. Used several times means **gradients add**.
#
# **In general.** im2col turned the layer into a dense layer. Let $M$ be its matrix of windows, $(BH'W',\; k_h k_w C)$, and $\tilde K$ the kernels as a matrix $(k_h k_w C,\; O)$. Then $Z = M \tilde K + b$ with one row per window, and notebook [[backpropagation]] has all three gradients, with $\delta$ of the shape of $Z$:
#
# $$\frac{\partial L}{\partial \tilde K} = M^\top \delta, \qquad \frac{\partial L}{\partial b} = \sum_{nuv} \delta_{nuv}, \qquad \frac{\partial L}{\partial M} = \delta\, \tilde K^\top .$$
#
# One step is left: from the windows back to the pixels. im2col copied each pixel into several rows. So put every entry of $\partial L/\partial M$ back where its pixel came from, and add. That is *col2im*.
#
# In indices, with $r$ and $q$ for row and column of a pixel:
#
# $$\frac{\partial L}{\partial k_{ijco}} = \sum_{nuv} x_{n,\,su+i,\,sv+j,\,c}\;\delta_{nuvo}
# \qquad
# \frac{\partial L}{\partial x_{n\,r\,q\,c}} = \sum_{\substack{u, i:\; su + i = r \\ v, j:\; sv + j = q}} \;\sum_o \delta_{nuvo}\; k_{ijco}$$
#
# The condition $su + i = r$ reads: entry $i$ of the window at place $u$ fell on row $r$. In the example the middle row, $r = 1$, has two such pairs: $(u, i) = (0, 1)$ and $(1, 0)$.

# %% tags=["keep"] lesson="convolution"
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


# %% tags=["keep"] lesson="convolution"
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


# %% tags=["nbval-check-output"]
x_pencil = np.array([[1.0, 2, 0], [0, 1, 3], [2, 0, 1]])[None, :, :, None]
k_pencil = np.array([[1.0, 2], [0, -1]])[:, :, None, None]
delta_pencil = np.array([[1.0, 0], [0, 2]])[None, :, :, None]
to_x, to_k, to_b = conv_backward(x_pencil, k_pencil, delta_pencil)
print("dL/dx\n", to_x[0, :, :, 0])
print("dL/dk\n", to_k[:, :, 0, 0])
print("dL/db", to_b)

# %% [markdown]
# The judge is central differences (notebook [[backpropagation]]), which know nothing of windows. As loss take $L = \sum \delta\, z$ with fixed random numbers $\delta$: its gradient at $Z$ is $\delta$.

# %% tags=["plumbing"]
#@title Plumbing: central differences for several arrays
def nudged(score, *arrays):
    """Central differences of the number score(*arrays), one result per array."""
    def alone(i):
        return lambda array: score(*arrays[:i], array, *arrays[i + 1:])
    return [numerical_gradient(alone(i), array) for i, array in enumerate(arrays)]


def differences(ours, theirs):
    """Largest difference of each pair of arrays, as text."""
    return ", ".join(f"{np.abs(a - b).max():.1e}" for a, b in zip(ours, theirs))


# %% tags=["evidence"]
#@title Evidence: the convolution's gradients equal central differences
backward_rng = np.random.default_rng(6)
for stride in (1, 2, 3):
    delta = backward_rng.normal(size=conv(X_layer, K_layer, b_layer, stride).shape)
    score = lambda X, K, b: np.sum(delta * conv(X, K, b, stride))
    print(f"stride {stride}: largest difference of dL/dX, dL/dK, dL/db: "
          + differences(conv_backward(X_layer, K_layer, delta, stride),
                        nudged(score, X_layer, K_layer, b_layer)))

# %% [markdown]
# Stride 1 has a surprise. There $u = r - i$, $v = q - j$, so the gradient of the input reads $\sum_{ij} \delta(r - i,\, q - j)\, k(i, j)$: with its minus signs, that is Document 5's formula (9.2), kernel mirrored, zero outside.
# **The backward pass of a layer's cross-correlation is a true convolution.** As a layer: surround $\delta$ with $k - 1$ zeros, turn the kernels by 180°, let input and output channels change places.

# %% tags=["nbval-check-output"]
delta_1 = np.random.default_rng(61).normal(size=conv(X_layer, K_layer, b_layer).shape)
turned = K_layer[::-1, ::-1].swapaxes(2, 3)  # (kh, kw, O, C)
by_convolution = conv(pad(delta_1, (2, 2), (1, 1)), turned, 0.0)
by_col2im = conv_backward(X_layer, K_layer, delta_1)[0]
print("gradient of the input is a convolution, to 1e-12:",
      np.abs(by_convolution - by_col2im).max() < 1e-12)

# %% [markdown]
# How much gradient can a pixel collect? As much as there are windows that read it. Send back ones:

# %% tags=["figure"]
#@title Figure: How many 3×3 windows read each pixel: at stride 2 it is 1, 2 or 4
fig, axes = plt.subplots(1, 3, figsize=(8.2, 3.1))
for ax, stride in zip(axes, (1, 2, 3)):
    shape = (1, 9, 9, 1)
    ones = np.ones_like(im2col(np.zeros(shape), (3, 3), stride))
    reads = col2im(ones, shape, (3, 3), stride)[0, :, :, 0]
    numbers(ax, reads, f"stride {stride}", top=9)
fig.suptitle("How many 3×3 windows read each pixel: at stride 2 it is 1, 2 or 4",
             fontweight="bold")
plt.show()

# %% [markdown]
# At stride 1 the border counts less, a corner one ninth of an inner pixel: one more reason to pad. At stride 2 the counts alternate between 1, 2 and 4 in a checkerboard, which 9.10 comes back to. At stride 3 every pixel is read once.

# %% [markdown]
# ### Exercise 9.6 · a depthwise convolution (15 min)
# MobileNet is built on an idea from L. Sifre's thesis (2014): give every channel its *own* $k \times k$ kernel and mix channels afterwards by a 1×1 layer. For $C$ channels in and out that is $k^2 C + C^2$ weights instead of $k^2 C^2$. The first half, stride 1:
# $\;z_{nuvc} = b_c + \sum_{ij} x_{n,u+i,v+j,c}\, k_{ijc}$. Derive its three gradients: who uses what?

# %% tags=["exercise"]
def depthwise_backward(X, K, delta):
    """Gradients of a depthwise convolution of stride 1, from delta = dL/dZ.

    X: (B, H, W, C), K: (kh, kw, C), delta: (B, H', W', C)
    -> dL/dX (B, H, W, C), dL/dK (kh, kw, C), dL/db (C,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
def depthwise_t(X, K, b):
    return np.einsum("nuvijc,ijc->nuvc", windows(X, K.shape[:2]), K) + b


with check("9.6", "backward through a depthwise convolution"):
    cases_t = [((2, 4, 5, 3), (2, 3)), ((2, 4, 5, 3), (3, 1)), ((1, 2, 3, 1), (2, 3)),
               ((1, 3, 2, 2), (1, 1))]
    for seed_t, (shape_t, size_t) in enumerate(cases_t):
        rng_t = np.random.default_rng(seed_t)
        X_t, b_t = rng_t.normal(size=shape_t), rng_t.normal(size=shape_t[3])
        K_t = rng_t.normal(size=(*size_t, shape_t[3]))
        up_t = rng_t.normal(size=depthwise_t(X_t, K_t, b_t).shape)
        score_t = lambda X, K, b: np.sum(up_t * depthwise_t(X, K, b))
        expected_t = nudged(score_t, X_t, K_t, b_t)
        got_t = depthwise_backward(X_t.copy(), K_t.copy(), up_t.copy())
        assert len(got_t) == 3, f"{len(got_t)} results, 3 expected"
        for name_t, ours_t, right_t in zip("XKb", got_t, expected_t):
            what_t = f"dL/d{name_t}, X of shape {X_t.shape}, K of shape {K_t.shape}"
            got_shape_t = np.shape(ours_t)
            assert got_shape_t == right_t.shape, f"{what_t}: has shape {got_shape_t}"
            np.testing.assert_allclose(ours_t, right_t, 1e-5, 1e-5, err_msg=what_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Loop over $(i, j)$. With `moved = X[:, i:i+h, j:j+w]` the forward pass adds `moved * K[i, j]`. So `K[i, j]` collects `moved * delta` over batch and places, and the same slice of `dX` collects `delta * K[i, j]`.
# </details>

# %% tags=["solution"]
#@title Solution 9.6 · runs only while yours does not pass
if not solved("9.6"):
    def depthwise_backward(X, K, delta):
        h, w = delta.shape[1:3]
        grad_X, grad_K = np.zeros_like(X), np.empty_like(K)
        for i, j in np.ndindex(K.shape[:2]):
            grad_K[i, j] = (X[:, i:i + h, j:j + w] * delta).sum(axis=(0, 1, 2))
            grad_X[:, i:i + h, j:j + w] += delta * K[i, j]
        return grad_X, grad_K, delta.sum(axis=(0, 1, 2))


# %% [markdown]
# ## 9.7 Pooling, and what it does to a shift
#
# *Pooling* (池化) slides a window too, but asks it a fixed question, per channel: the largest value (max pooling, 最大池化) or the mean (average pooling, 平均池化). There is nothing to learn. Backward:
#
# - **Average**: each of the $k^2$ entries had factor $1/k^2$, so each gets $\delta / k^2$.
# - **Max**: only the winner was used. It gets all of $\delta$, the others nothing. (Where two tie there is no derivative. We let the first win, as TensorFlow does on a CPU; 9.13 shows it.)
#
# Then col2im adds up, as for the convolution.

# %% tags=["keep"] lesson="convolution"
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


# %% tags=["keep"] lesson="convolution"
def average_pool(X: np.ndarray, k: int, stride: int) -> np.ndarray:
    """Mean of each k×k window. X: (B, H, W, C) -> (B, H', W', C)."""
    return windows(X, (k, k), stride).mean(axis=(3, 4))


def average_pool_backward(
    delta: np.ndarray, shape: tuple[int, ...], k: int, stride: int
) -> np.ndarray:
    """dL/dX from delta = dL/dZ (B, H', W', C), shape: of X -> (B, H, W, C)."""
    shares = np.repeat(delta[:, :, :, None] / k**2, k * k, axis=3)
    return col2im(shares, shape, (k, k), stride)


# %%
map_in = np.array([[1.0, 3, 2, 0], [5, 2, 1, 1], [0, 1, 4, 6], [2, 1, 0, 3]])
map_in = map_in[None, :, :, None]  # (1, 4, 4, 1)
map_delta = np.array([[10.0, -4], [2, 8]])[None, :, :, None]
map_out, map_winners = max_pool(map_in, 2, 2)
to_max = max_pool_backward(map_delta, map_winners, map_in.shape, 2, 2)
to_mean = average_pool_backward(map_delta, map_in.shape, 2, 2)

# %% tags=["figure"]
#@title Figure: δ goes back to the winners, or to all alike
fig, axes = plt.subplots(1, 5, figsize=(9.4, 2.8), width_ratios=[4, 2.6, 2.6, 4, 4])
frames = [(row, column, 2, 2, plotting.GRAY) for row in (0, 2) for column in (0, 2)]
panels = {"input": (map_in, frames, 6), "max, 2×2": (map_out, (), 6),
          "δ arrives": (map_delta, (), 10), "δ to the winners": (to_max, frames, 10),
          "average: δ / 4": (to_mean, frames, 10)}
for ax, (title, (values, marks, top)) in zip(axes, panels.items()):
    numbers(ax, values[0, :, :, 0], title, marks, top=top)
fig.suptitle("δ goes back to the winners, or to all alike", fontweight="bold")
plt.show()

# %% tags=["evidence"]
#@title Evidence: the gradients of pooling equal central differences
pool_rng = np.random.default_rng(7)
X_pool = pool_rng.normal(size=(2, 7, 6, 3))
for k, stride in ((2, 2), (3, 2), (3, 1)):
    maxima, winners = max_pool(X_pool, k, stride)
    delta = pool_rng.normal(size=maxima.shape)
    ours = (max_pool_backward(delta, winners, X_pool.shape, k, stride),
            average_pool_backward(delta, X_pool.shape, k, stride))
    by_nudge = [*nudged(lambda X: np.sum(delta * max_pool(X, k, stride)[0]), X_pool),
                *nudged(lambda X: np.sum(delta * average_pool(X, k, stride)), X_pool)]
    print(f"window {k}, stride {stride}: largest difference max, average: "
          + differences(ours, by_nudge))

# %% [markdown]
# **What pooling saves.** Document 2, 3.1.2, says that it reduces "the number of parameters", Document 5, 4.2, that it speeds up training. Count the CIFAR-10 network of Document 1, 5.2 (convolution 3×3 to 32 maps, pooling, dense 64, dense 10), with and without its pooling layer:

# %% tags=["nbval-check-output"]
def count(pool):
    """(parameters, multiplications) of each layer, for one 32×32 color image."""
    side = 30 // pool
    flat = side * side * 32
    return {"convolution": ((3 * 3 * 3 + 1) * 32, 30 * 30 * 27 * 32), "pooling": (0, 0),
            "dense 64": ((flat + 1) * 64, flat * 64), "dense 10": (65 * 10, 640)}


print(f"{'':12}{'parameters':>12}{'without':>11}{'multiplications':>17}{'without':>11}")
for (part_name, pooled), plain in zip(count(2).items(), count(1).values()):
    print(f"{part_name:12}{pooled[0]:12,}{plain[0]:11,}{pooled[1]:17,}{plain[1]:11,}")

# %% [markdown]
# Put precisely: pooling has no parameters and changes none in any convolution, before or after. It shrinks the map. A *convolution* behind it has a quarter of the places to compute, the *first dense* layer a quarter of the weights (and so of the multiplications). What comes after that dense layer stays as it is: dense 10 is the same.
#
# **What pooling tolerates.** A convolution is equivariant: move the input, and the map moves along. That is not yet *invariance* (不变性), an answer that stays the same. Pooling brings some. Measure it: 50 real digits on a wide canvas, sixteen random kernels with ReLU, then pools of growing size. How much do the features change when the digit moves by $d$ pixels?
# That depends on where the pools' windows happen to lie, so start at eight places in a row and take the mean.

# %%
def on_canvas(images, side, down=0, right=0):
    """8×8 digits amid an empty side×side canvas, moved. -> (n, side, side, 1)"""
    canvas = np.zeros((len(images), side, side, 1), np.float32)
    top, left = (side - 8) // 2 + down, (side - 8) // 2 + right
    canvas[:, top:top + 8, left:left + 8, 0] = images / 16
    return canvas


kernel_rng = np.random.default_rng(70)
random_kernels = kernel_rng.normal(size=(3, 3, 1, 16)).astype(np.float32) / 3
on_16_places = [on_canvas(digits.x_test[:50], 34, right=d) for d in range(-8, 8)]
maps = [np.maximum(conv(X, random_kernels, 0.0), 0) for X in on_16_places]

# %%
def changes(pool):
    """Relative change of max-pooled features. -> (8 starts, 9), moved by 0 ... 8"""
    features = [max_pool(Z, pool, pool)[0].ravel() for Z in maps]
    return np.array([[np.linalg.norm(features[start + d] - features[start])
                      / np.linalg.norm(features[start]) for d in range(9)]
                     for start in range(8)])


shift_changes = {name: changes(pool) for name, pool in
                 {"none": 1, "2×2": 2, "4×4": 4, "8×8": 8, "global": 32}.items()}
for name, change in shift_changes.items():
    print(f"pool {name:6} change after 1 pixel {change[:, 1].mean():.2f}"
          f" ({change[:, 1].min():.2f} to {change[:, 1].max():.2f}),"
          f" after 8 {change[:, 8].mean():.2f}")
print("without pooling the map moves with the digit, to 1e-6:",
      np.abs(maps[0][:, :, :-3] - maps[3][:, :, 3:]).max() < 1e-6)
claim("8×8 pool, mean change after one pixel", shift_changes["8×8"][:, 1].mean(),
      at_least=0.25)

# %% tags=["figure"]
#@title Figure: Pooling tolerates shifts that are small beside its window
fig, ax = plt.subplots(figsize=(6.2, 3.4))
for name, change in shift_changes.items():
    ax.plot(range(9), change.mean(axis=0), "o-", ms=4, label=name)
ax.set(title="Pooling tolerates shifts that are small beside its window",
       xlabel="digit moved by, pixels", ylabel="relative change of the features")
ax.legend(title="max pooling", loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# One pixel changes the unpooled features by 0.8 of their own length, those of 2×2, 4×4 and 8×8 pools by less and less (0.6, 0.4 and 0.3 on average; the range shows how much the starting place matters for the large pool), and a global maximum not at all: as long as the digit stays inside, the largest answer
# is the largest answer. Without pooling, and with small pools, the curve ends near $\sqrt 2$: two equally long feature vectors with nothing in common stand at right angles, and their difference is, by Pythagoras, $\sqrt 2$ times as long. After eight pixels an 8×8 pool is still below that, because old and new place may share a window. So a 2×2 pool tolerates little, an 8×8 pool more, and only a global pool is invariant.
#
# The price: position is lost, and whoever asks *where* (detection and segmentation, notebooks [[object_detection]] and [[image_segmentation]]) needs it. And any stride $s > 1$ keeps every $s$-th place only: behind it, equivariance is exact for shifts by multiples of $s$, and broken for others. 9.12 measures that.

# %% [markdown]
# ## 9.8 The receptive field grows
#
# One 3×3 layer sees three pixels across. What does a *unit*, one entry of a feature map, five layers up see? Let $r_l$ be the width of input that a unit of layer $l$ can see, and $j_l$ the *jump*: the distance, in input pixels, between two neighboring units. One unit of the input sees itself: $r_0 = j_0 = 1$. A unit of layer $l$ reads $k_l$ neighbors, spread over $(k_l - 1)$ jumps:
#
# $$\boxed{\; r_l = r_{l-1} + (k_l - 1)\, j_{l-1}, \qquad j_l = j_{l-1}\, s_l \;}$$
#
# Stacked 3×3 layers add two pixels each; behind every stride of 2 each further layer adds twice as many. *Dilation* $d$ (空洞卷积) widens a kernel without new weights, by $d - 1$ zeros between its entries. Instead of trusting the recurrence, *measure*: which input pixels have a gradient?
#
# Send a 1 back from one unit, layer by layer, through random kernels without ReLU: each layer stamps its kernel once for every entry of the gradient that arrives (col2im).

# %%
def widened(kernel, dilation):
    """A (k, k) kernel with dilation - 1 zeros between its entries."""
    wide = np.zeros(((len(kernel) - 1) * dilation + 1,) * 2)
    wide[::dilation, ::dilation] = kernel
    return wide


def gradient_of_one_unit(layers, rng):
    """Its gradient at all the pixels that it sees, through one random linear network.

    layers: (kernel size, stride, dilation), first layer first -> (r, r)
    """
    gradient = np.ones((1, 1, 1, 1))  # of the one unit, for itself
    for size, stride, dilation in reversed(layers):
        K = widened(rng.normal(size=(size, size)), dilation)
        side = stride * (gradient.shape[1] - 1) + len(K)  # of this layer's input
        stamps = gradient.reshape(-1, 1) @ K.reshape(1, -1)  # one row per entry
        gradient = col2im(stamps, (1, side, side, 1), K.shape, stride)
    return gradient[0, :, :, 0]


# %% [markdown]
# Average the size of the gradient over a hundred random networks, so that no single kernel decides. And ask for the smallest share of the area that holds 90 % of it.

# %%
def seen_by_one_unit(layers, rng, networks=100):
    """Mean size of the gradient over random networks, the largest entry 1. -> (r, r)"""
    sizes = [np.abs(gradient_of_one_unit(layers, rng)) for _ in range(networks)]
    mean = np.mean([size / size.max() for size in sizes], axis=0)
    return mean / mean.max()


stacks = {"two 3×3": [(3, 1, 1)] * 2, "five 3×3": [(3, 1, 1)] * 5,
          "twelve 3×3": [(3, 1, 1)] * 12,
          "dilated 1 2 4 8": [(3, 1, 2**i) for i in range(4)],
          "dilated 2 2 2": [(3, 1, 2)] * 3,
          "five, stride 2": [(3, 2, 1)] * 5}
field_rng = np.random.default_rng(8)
fields = {name: seen_by_one_unit(layers, field_rng) for name, layers in stacks.items()}
for name, seen in fields.items():
    share = np.sort(seen.ravel())[::-1].cumsum() / seen.sum()
    core = (1 + np.searchsorted(share, 0.9)) / seen.size
    print(f"{name:16} sees {len(seen):2}×{len(seen):2}, 90 % of the gradient in"
          f" {core:4.0%} of it, none in {np.sum(seen == 0):3} of {seen.size:,} pixels")
claim("dilated 2 2 2: pixels without gradient", np.sum(fields["dilated 2 2 2"] == 0),
      at_least=120)

# %% tags=["figure"]
#@title Figure: Twelve layers see mostly the middle; dilation and stride see a grid
fig, axes = plt.subplots(2, 3, figsize=(7.4, 5.4))
for ax, (name, seen) in zip(axes.flat, fields.items()):
    width, margin = len(seen), (65 - len(seen)) // 2
    ax.imshow(np.pad(seen, margin), cmap="viridis", vmax=0.8, interpolation="nearest")
    ax.add_patch(plt.Rectangle((margin - 0.5, margin - 0.5), width, width, fill=False,
                               ec=plotting.ORANGE, lw=1.5))
    ax.set_title(f"{name}: {width}×{width}", fontsize=10)
    ax.axis("off")
fig.suptitle("Twelve layers see mostly the middle; dilation and stride see a grid",
             fontweight="bold")
plt.show()

# %%
# VGG-16: five blocks of two or three 3×3 convolutions, each closed by a 2×2 pool
vgg = [[(3, 1, 1)] * depth + [(2, 2, 1)] for depth in (2, 2, 3, 3, 3)]
vgg_widths = [len(gradient_of_one_unit(sum(vgg[:depth], []), np.random.default_rng(0)))
              for depth in range(1, 6)]
print("pixels across, after each block:", vgg_widths)

# %% tags=["figure"]
#@title Figure: What one unit of VGG-16 sees
fig, ax = plt.subplots(figsize=(3.6, 3.3))
halved = average_pool(gray[None, 120:360, 190:430, None], 2, 2)[0, :, :, 0]
ax.imshow(halved, cmap="gray", extent=(0, 240, 240, 0))
for depth, width in enumerate(vgg_widths, 1):
    ax.add_patch(plt.Rectangle((120 - width / 2,) * 2, width, width, fill=False, lw=2,
                               ec=plotting.PALETTE[depth], label=f"{depth}: {width}"))
ax.set_title("What one unit of VGG-16 sees")
ax.axis("off")
ax.legend(title="blocks: pixels", loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# The frames are where the recurrence says that a unit can look: 5, 11, 25, 31, 13 and 63 pixels, and outside them the gradient is zero. But look inside (yellow means much gradient). After twelve layers 90 % of the gradient lies in about a third of the area: a great many paths lead to the middle,
# one to each corner. The *effective* receptive field is smaller than the formula's, and grows with the square root of the depth only (Luo et al., 2016).
# Dilation 1 2 4 8 and stride 2 reach far with few layers. They leave no pixel out, but weigh them unevenly, in a grid. Dilation 2 2 2 does leave pixels out: it reads every second row and column, and 120 of its 169 pixels have no gradient at all.
#
# VGG-16 (Simonyan and Zisserman, 2015) reads images of 224×224 pixels through five blocks of 3×3 convolutions and a 2×2 pool. A unit at the end of the fifth sees 212 of the 224: only there can one number know about the whole building. "Small local receptive fields", Document 2's phrase (3.1.2), is true of one layer and false of the network.

# %% [markdown]
# ### Exercise 9.8 · the recurrence (6 min)
# Write it with one more letter, the dilation $d_l$ of each layer. WaveNet, which Document 2, 6.3, names, hears far back with few layers that way.

# %% tags=["exercise"]
def receptive_field(layers):
    """Width seen by one unit, and jump between units, after all layers.

    layers: list of (kernel size, stride, dilation), first layer first -> (r, j)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("9.8", "receptive field and jump"):
    for layers_t, expected_t in [
        ([], (1, 1)), ([(5, 3, 1)], (5, 3)), ([(3, 1, 1)] * 4, (9, 1)),
        ([(7, 2, 1), (3, 2, 1), (3, 1, 1)], (19, 4)),
        ([(3, 1, 1), (3, 1, 2), (3, 2, 4), (2, 1, 3)], (21, 2)),
    ]:
        got_t = tuple(receptive_field(list(layers_t)))
        assert got_t == expected_t, f"{layers_t}: {got_t}, not {expected_t}"
    # VGG-16 up to its last pooling layer: 212 pixels, as in Araujo et al. (2019)
    vgg_t = [[(3, 1, 1)] * depth + [(2, 2, 1)] for depth in (2, 2, 3, 3, 3)]
    got_t = tuple(receptive_field(sum(vgg_t, [])))
    assert got_t == (212, 32), f"VGG-16 sees 212, jump 32; not {got_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Dilation only spreads the $k$ entries over $(k - 1)\,d$ jumps. Update $r$ before $j$.
# </details>

# %% tags=["solution"]
#@title Solution 9.8 · runs only while yours does not pass
if not solved("9.8"):
    def receptive_field(layers):
        size, jump = 1, 1
        for kernel, stride, dilation in layers:
            size += (kernel - 1) * dilation * jump
            jump *= stride
        return size, jump


# %% [markdown]
# ## 9.9 Transposed convolution
#
# Document 2, section 2, counts a "deconvolution layer" (反卷积层) among the parts of a convolutional network. The name promises an inverse. What Keras has is `Conv2DTranspose`, the *transposed* convolution (转置卷积). Let us see which it is.
#
# A convolution is linear, so for a fixed image size it *is* a matrix $A$: $\;z = A x$, with image and map unrolled. Build it column by column: column $m$ is the answer to an image that is 1 at pixel $m$ and 0 elsewhere.

# %%
def as_matrix(K, side, stride=1):
    """The matrix of a one-channel convolution. K: (kh, kw) -> (outputs, side²)."""
    pixels = np.eye(side * side).reshape(-1, side, side, 1)
    return conv(pixels, K[:, :, None, None], 0.0, stride).reshape(side * side, -1).T


# %% tags=["figure"]
#@title Figure: A convolution as a matrix: nine numbers, repeated
nine = np.arange(1.0, 10).reshape(3, 3)
panels = {"$A$: 6×6 image to 4×4": as_matrix(nine, 6),
          "$A^\\top$: back to 6×6": as_matrix(nine, 6).T,
          "stride 2: 7×7 to 3×3": as_matrix(nine, 7, 2)}
fig, axes = plt.subplots(1, 3, figsize=(9.6, 3.5), width_ratios=[36, 16, 49])
for ax, (title, matrix) in zip(axes, panels.items()):
    ax.imshow(np.where(matrix == 0, np.nan, matrix), cmap="viridis", vmin=0, vmax=9,
              interpolation="nearest")
    ax.set_title(f"{title}\n{matrix.shape[0]} × {matrix.shape[1]}")
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
fig.suptitle("A convolution as a matrix: nine numbers, repeated", fontweight="bold")
plt.show()

# %% [markdown]
# Nine numbers (nine colors) are repeated in every row, moved by one place (on the right by two, the stride), with a jump where a window goes to the next row of the image. All else is zero.
#
# Now the input's gradient of 9.6, col2im included, is one line. Forward $z = A x$; so backward $\partial L/\partial x = A^\top \delta$. And the **transposed convolution is that backward pass used as a forward pass**:
#
# $$\text{convolution: } z = A x \qquad\qquad \text{transposed convolution: } y = A^\top z$$
#
# It takes a small map to the size of the large one: up-sampling with learnable weights, for segmentation and generators, not a part of every network. We own the code already: the line of `conv_backward` for the input, plus a bias.

# %%
def conv_transpose(Z, K, b, stride=1):
    """The transpose of conv as a layer: every entry of Z stamps the kernels; plus b.

    Z: (B, h, w, O), K: (kh, kw, C, O), b: (C,) -> (B, s(h-1) + kh, s(w-1) + kw, C)
    """
    (kh, kw, C, O), (B, h, w, _) = K.shape, Z.shape
    rows = Z.reshape(-1, O) @ K.reshape(-1, O).T
    shape = (B, stride * (h - 1) + kh, stride * (w - 1) + kw, C)
    return col2im(rows, shape, (kh, kw), stride) + b


def conv_transpose_backward(Z, K, grad_Y, stride=1):
    """Gradients dL/dZ, dL/dK, dL/db: the transpose's transpose is conv again."""
    rows = im2col(grad_Y, K.shape[:2], stride)
    grad_Z = (rows @ K.reshape(-1, K.shape[3])).reshape(Z.shape)
    grad_K = (rows.T @ Z.reshape(-1, K.shape[3])).reshape(K.shape)
    return grad_Z, grad_K, grad_Y.sum(axis=(0, 1, 2))


# %% tags=["evidence", "nbval-check-output"]
#@title Evidence: the layer equals the transposed matrix
matrix_rng = np.random.default_rng(9)
for side, stride in ((6, 1), (7, 2), (9, 3)):
    K = matrix_rng.normal(size=(3, 3))
    A = as_matrix(K, side, stride)
    m = (side - 3) // stride + 1
    z = matrix_rng.normal(size=(m, m))
    layer = conv_transpose(z[None, :, :, None], K[:, :, None, None], 0.0, stride)
    difference = np.abs(layer.ravel() - A.T @ z.ravel()).max()
    print(f"stride {stride}: A {A.shape!s:8} transposed, times z, equals the layer"
          f" to 1e-12: {difference < 1e-12}")

# %% tags=["evidence"]
#@title Evidence: the transposed convolution's gradients equal central differences
up_rng = np.random.default_rng(90)
Z = up_rng.normal(size=(2, 3, 2, 4))
K, b = up_rng.normal(size=(3, 2, 3, 4)), up_rng.normal(size=3)
up = up_rng.normal(size=conv_transpose(Z, K, b, 2).shape)
score = lambda Z, K, b: np.sum(up * conv_transpose(Z, K, b, 2))
print("largest difference of dL/dZ, dL/dK, dL/db: " + differences(
    conv_transpose_backward(Z, K, up, 2), nudged(score, Z, K, b)))

# %% [markdown]
# Keras stores this layer's kernel as $(k_h, k_w, C_\text{out}, C_\text{in})$, the other way round than in `Conv2D`. Now you know why: it is the kernel $(k_h, k_w, C, O)$ of the convolution that the layer transposes, and here $O$ goes in and $C$ comes out.
#
# **To see it**, *stamp*: each entry of the small map multiplies the whole kernel, stamps it into the large one, $s$ pixels apart, and overlaps add.

# %%
small_map = np.array([[1.0, 2], [3, 0]])
stamp = np.array([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])
stamped = conv_transpose(small_map[None, :, :, None], stamp[:, :, None, None], 0.0, 2)
stamped = stamped[0, :, :, 0]  # (5, 5)

# %% tags=["figure"]
#@title Figure: Each entry stamps the kernel, and overlaps add
fig, axes = plt.subplots(1, 3, figsize=(6, 3.2), width_ratios=[2, 3, 5])
numbers(axes[0], small_map, "small map", top=12)
numbers(axes[1], stamp, "kernel", top=12)
numbers(axes[2], stamped, "stamped at stride 2",
        [(0, 0, 3, 3, plotting.ORANGE), (0, 2, 3, 3, plotting.GREEN)], top=12)
fig.suptitle("Each entry stamps the kernel, and overlaps add", fontweight="bold")
plt.show()

# %% [markdown]
# The stamp of the 1 (orange frame) and that of the 2 (green frame) share a column. There the large map holds their sums, 1·1 + 2·1 = 3 on top.
#
# **An inverse it is not.** $A^\top A \ne I$: the shape comes back, the values don't. Below, a convolution leaves 25 numbers of an 11×11 image, 121 numbers. Very many images lead to the same 25, and no matrix can bring back each of them. Compare three matrices that go from $z$ to an image:
#
# - the transpose $A^\top$, times 4 (at stride 2 each pixel collects only a quarter of this kernel's weight);
# - the *pseudo-inverse* $A^+$ (`np.linalg.pinv`): of all images with this $z$ it picks the one whose pixels have the smallest sum of squares, the choice of someone who knows nothing about images;
# - a matrix fitted by least squares to other digits, from their $z$ to their pixels: it knows what digits look like.

# %%
binomial = np.outer([0.25, 0.5, 0.25], [0.25, 0.5, 0.25])
wide, *others = np.pad(np.stack([digits.x_test[3], *digits.x_train]) / 16,
                       ((0, 0), (1, 2), (1, 2)))  # 11×11
shrink = as_matrix(binomial, 11, 2)  # (25, 121)
shrunk = shrink @ wide.ravel()  # (25,)
others = np.reshape(others, (-1, 121))
fitted = np.linalg.lstsq(others @ shrink.T, others)[0].T  # (121, 25), from z to x
brought_back = {"transpose": 4 * shrink.T @ shrunk,
                "pseudo-inverse": np.linalg.pinv(shrink) @ shrunk,
                "fitted": fitted @ shrunk}
for name, pixels in brought_back.items():
    error = np.linalg.norm(pixels - wide.ravel()) / np.linalg.norm(wide)
    print(f"{name}: relative error {error:.2f};"
          f" gives the same z again: {np.allclose(shrink @ pixels, shrunk)}")

# %% tags=["figure"]
#@title Figure: The shape comes back, the values do not
panels = {"$x$": wide, "$z = Ax$": shrunk.reshape(5, 5),
          **{name: pixels.reshape(11, 11) for name, pixels in brought_back.items()}}
fig, axes = plt.subplots(1, 5, figsize=(9.6, 2.6))
for ax, (title, view) in zip(axes, panels.items()):
    ax.imshow(view, vmin=0, vmax=1)
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="#BBBBBB")
    ax.grid(False)
fig.suptitle("The shape comes back, the values do not", fontweight="bold")
plt.show()

# %% [markdown]
# The transpose is a blur of the blur. The pseudo-inverse comes somewhat closer and gives the same $z$ again. The fitted matrix does so too, with half the error: what the convolution threw away can only come from knowledge of the images. That is why up-sampling layers *learn* their kernels.
# Even the size is a guess: by exercise 9.4 several inputs lead to the same $m$. The transposed layer takes the smallest, $s(m - 1) + k$ (Keras never less than $s\,m$); frameworks have an `output_padding` for the others.

# %% [markdown]
# ## 9.10 Checkerboard artifacts
#
# Generated images often carry a fine grid. Where does it come from? Give a transposed convolution the simplest input there is, a constant 1. Output pixel $r$ (in one dimension) collects the kernel entries $k_i$ that some stamp brings there, $s u + i = r$: all $i$ with the same remainder as $r$. So a constant comes out as
#
# $$y_r = \sum_{i \,\equiv\, r \;(\mathrm{mod}\; s)} k_i ,$$
#
# one sum per *phase* $r \bmod s$, and the pattern of the phases repeats over the whole image. A kernel of 3 at stride 2, say $(a, b, c)$: even pixels collect $a + c$, odd ones $b$ alone. In two dimensions the four phases have 4, 2, 2 and 1 entries, the counts of 9.6.

# %%
def enlarge(k, kind, kernel_rng, times=2, side=6):
    """A constant image, enlarged `times` times by 2 with random positive kernels."""
    Y = np.ones((1, side, side, 1))
    for _ in range(times):
        K = kernel_rng.uniform(0.5, 1.5, size=(k, k, 1, 1))
        if kind == "transposed":
            Y = conv_transpose(Y, K, 0.0, 2)[:, 2:-2, 2:-2]  # without the border
        else:  # repeat every pixel, then an ordinary convolution
            Y = conv(Y.repeat(2, axis=1).repeat(2, axis=2), K, 0.0)
        Y /= Y.mean()
    return Y[0, :, :, 0]


def unevenness(image):
    """Spread of the four phases' means, relative to the mean."""
    phases = [image[i::2, j::2].mean() for i in (0, 1) for j in (0, 1)]
    return np.std(phases) / np.mean(phases)


# %%
KERNELS = 200
ways = {"transposed, 3×3": (3, "transposed"), "transposed, 4×4": (4, "transposed"),
        "repeat pixels, then 3×3": (3, "resize")}
uneven = {name: [unevenness(enlarge(k, kind, np.random.default_rng(seed), 1)[:8, :8])
                 for seed in range(KERNELS)] for name, (k, kind) in ways.items()}
for name, values in uneven.items():
    print(f"{name:24} unevenness {min(values):.2f} to {max(values):.2f}"
          f" with {KERNELS} random kernels")
linear = np.outer([0.5, 1, 0.5], [0.5, 1, 0.5])
print("linear interpolation, sums of the four phases:",
      [float(linear[i::2, j::2].sum()) for i in (0, 1) for j in (0, 1)])

# %% tags=["figure"]
#@title Figure: A constant image, enlarged: transposed convolutions leave a grid
fig, axes = plt.subplots(1, 4, figsize=(9.8, 2.7), width_ratios=[1, 1, 1, 1.5])
short_names = ("3×3", "4×4", "repeated")
for ax, (name, (k, kind)), short_name in zip(axes, ways.items(), short_names):
    enlarged = enlarge(k, kind, np.random.default_rng(1))
    ax.imshow(enlarged, cmap="gray", vmin=0.4, vmax=1.6)
    ax.set_title(name, fontsize=10)
    ax.axis("off")
    axes[3].plot(np.sort(uneven[name]), np.linspace(0, 1, KERNELS), label=short_name)
axes[3].set(title=f"{KERNELS} random kernels", xlabel="unevenness of the phases",
            ylabel="share below", ylim=(0, 1.02))
axes[3].legend(fontsize=8, loc="lower right")
fig.suptitle("A constant image, enlarged: transposed convolutions leave a grid",
             fontweight="bold")
plt.show()

# %% [markdown]
# With 3×3 kernels there is a grid at two scales, because the image was enlarged twice. With 4×4 each phase has four entries and the grid is fainter, but there: 200 random kernels, enlarged once, scatter between 0.02 and 0.27, against 0.25 to 0.78 for 3×3. Repeating pixels before an ordinary convolution gives exactly 0, since every window of a constant is the same.
#
# So a size divisible by the stride evens out the *counts*, not the sums: those depend on the weights. No checkerboard on constants means equal phase sums. They can be built in: the 3×3 kernel of linear interpolation, entries $h_i h_j$ with $h = (\tfrac12, 1, \tfrac12)$, has four phase sums of 1, though 3 is odd. The backward pass of a convolution with stride 2 is the same $A^\top$, so the gradient that reaches its input carries the pattern too.

# %% [markdown]
# ## 9.11 Batch normalization
#
# *Batch normalization* (批量归一化; Ioffe and Szegedy, 2015) standardizes each channel *inside* the network. Why it helps training is debated (Santurkar et al., 2018); what it computes is not. Take one channel and collect its $m = B\,H\,W$ values $x_i$ over all images and places of the batch:
#
# $$\mu = \frac1m \sum_i x_i, \qquad v = \frac1m \sum_i (x_i - \mu)^2, \qquad \sigma = \sqrt{v + \varepsilon}, \qquad
# \hat x_i = \frac{x_i - \mu}{\sigma}, \qquad y_i = \gamma\, \hat x_i + \beta .$$
#
# $\gamma$ and $\beta$ (one each per channel) are learned, so the layer can still choose any scale and offset; $\varepsilon$ keeps a channel that has the same value everywhere from dividing zero by zero.
#
# **Backward.** Let $g_i = \gamma\,\delta_i$ be the gradient at $\hat x_i$. For the two parameters, $\;\partial L/\partial\gamma = \sum_i \delta_i \hat x_i$ and $\;\partial L/\partial\beta = \sum_i \delta_i$.
# For $x_i$ count the paths: directly, through $\mu$, and through $v$, which *every* $\hat x_j$ uses. Needed are $x_j - \mu = \sigma \hat x_j$ and the derivative of $1/\sigma = (v + \varepsilon)^{-1/2}$ by $v$, which is $-\tfrac12 \sigma^{-3}$.
#
# $$\frac{\partial L}{\partial v} = \sum_j g_j\,(x_j - \mu)\cdot\left(-\tfrac12\right)\sigma^{-3} = -\frac{1}{2\sigma^2}\sum_j g_j \hat x_j,
# \qquad
# \frac{\partial L}{\partial \mu} = -\frac1\sigma \sum_j g_j$$
#
# The path from $\mu$ through $v$ contributes nothing, since $\partial v/\partial\mu = -\tfrac2m\sum_j (x_j - \mu) = 0$. With $\partial v/\partial x_i = \tfrac2m (x_i - \mu) = \tfrac2m\, \sigma \hat x_i$ and $\partial\mu/\partial x_i = \tfrac1m$ the three paths are
#
# $$\frac{\partial L}{\partial x_i} = \underbrace{\frac{g_i}{\sigma}}_{\text{directly}} \;\underbrace{-\;\frac1\sigma \sum_j g_j \cdot \frac1m}_{\text{through } \mu} \;\underbrace{-\;\frac{1}{2\sigma^2} \sum_j g_j \hat x_j \cdot \frac2m\, \sigma \hat x_i}_{\text{through } v} ,$$
#
# and that is
#
# $$\boxed{\;\frac{\partial L}{\partial x_i} = \frac{1}{\sigma}\left( g_i \;-\; \overline{g} \;-\; \hat x_i\; \overline{g\,\hat x} \right)\;}
# \qquad \text{bars: means over the } m \text{ values.}$$

# %% tags=["keep"] lesson="convolution"
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


# %% tags=["evidence"]
#@title Evidence: batch normalization's gradients equal central differences
norm_rng = np.random.default_rng(11)
X_norm = norm_rng.normal(3, 2, size=(4, 3, 2, 3))
gamma_norm, beta_norm = norm_rng.normal(size=3), norm_rng.normal(size=3)
up = norm_rng.normal(size=X_norm.shape)
_, (x_hat, _, var) = batch_norm(X_norm, gamma_norm, beta_norm)
score = lambda X, gamma, beta: np.sum(up * batch_norm(X, gamma, beta)[0])
print("largest difference of dL/dX, dL/dγ, dL/dβ: " + differences(
    batch_norm_backward(up, gamma_norm, x_hat, var),
    nudged(score, X_norm, gamma_norm, beta_norm)))

# %% [markdown]
# Read the box as geometry, for $\varepsilon \ll v$: from $g$ the backward pass subtracts its mean, and its component along $\hat x$. What is left is what the layer cannot undo itself: shifting or scaling all $x_i$ changes nothing in $\hat x$, so no gradient may point that way.

# %% tags=["figure"]
#@title Figure: Batch normalization removes mean and slope from the gradient
dot_rng = np.random.default_rng(105)
values_in = dot_rng.normal(size=(400, 1))
_, (x_hat, _, var) = batch_norm(values_in, np.ones(1), np.zeros(1))
arrives = 0.8 + 0.6 * x_hat + 0.5 * dot_rng.normal(size=x_hat.shape)
leaves = batch_norm_backward(arrives, np.ones(1), x_hat, var)[0]
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3), sharey=True)
for ax, values, title in zip(axes, (arrives, leaves), ("arrives", "is passed on")):
    slope, level = np.polyfit(x_hat[:, 0], values[:, 0], 1)
    ax.plot(x_hat, values, "o", ms=2.5, alpha=0.5)
    ax.plot(x_hat[:, 0], slope * x_hat[:, 0] + level, color=plotting.RED,
            label=f"mean {abs(values.mean()):.2f}, slope {abs(slope):.2f}")
    ax.set(title=title, xlabel=r"$\hat x$")
    ax.legend(loc="upper left")
axes[0].set_ylabel("gradient, one dot per value")
fig.suptitle("Batch normalization removes mean and slope from the gradient",
             fontweight="bold")
plt.show()

# %% [markdown]
# Two consequences. A bias in front of batch normalization gets gradient 0, since $\sum_i \partial L/\partial x_i = 0$: leave it out (`use_bias=False`). And kernels $K$ and $10K$ give the same output (but for $\varepsilon$), while the gradient of $10K$ is a tenth: large weights slow *themselves* down.

# %% tags=["nbval-check-output"]
scale_rng = np.random.default_rng(111)
X_scale = scale_rng.normal(size=(4, 6, 5, 2))
K_scale, gamma_scale = scale_rng.normal(size=(3, 3, 2, 3)), scale_rng.normal(size=3)
up_scale = scale_rng.normal(size=(4, 4, 3, 3))


def normalized_conv(K):
    """Output of convolution + batch normalization, and gradients of kernel and bias."""
    Z = conv(X_scale, K, 0.0)
    Y, (x_hat, _, var) = batch_norm(Z, gamma_scale, np.zeros(3), eps=0.0)
    delta = batch_norm_backward(up_scale, gamma_scale, x_hat, var, eps=0.0)[0]
    return Y, *conv_backward(X_scale, K, delta)[1:]


Y_1, grad_K_1, grad_b_1 = normalized_conv(K_scale)
Y_10, grad_K_10, _ = normalized_conv(10 * K_scale)
print("gradient of a bias is 0 to 1e-12:", np.abs(grad_b_1).max() < 1e-12)
print("ten times the kernel: same output to 1e-12:", np.abs(Y_1 - Y_10).max() < 1e-12)
print("and a tenth of the gradient:", np.allclose(grad_K_10, grad_K_1 / 10))

# %% [markdown]
# **Training and use differ.** In use there may be one image, no batch. So during training the layer also keeps running averages, and uses them afterwards in place of $\mu$ and $v$:
#
# $$\mu_\text{run} \leftarrow \alpha\,\mu_\text{run} + (1 - \alpha)\,\mu, \qquad v_\text{run} \leftarrow \alpha\,v_\text{run} + (1 - \alpha)\,v, \qquad \alpha = 0.99 \text{ in Keras.}$$
#
# They start at 0 and 1. From 0, after $t$ steps, the average has come $(1 - \alpha^t)$ of the way. The same bias as in Adam (notebook [[optimizers]]), but here nobody corrects it.

# %%
ALPHA = 0.99  # try 0.9 and 0.999
print(f"α = {ALPHA}, share of the way:",
      ", ".join(f"{1 - ALPHA**t:.0%} after {t} steps" for t in (20, 100, 460)))

# %% tags=["figure"]
#@title Figure: The running mean starts at 0 and is late
run_rng, train_steps, true_mean = np.random.default_rng(113), np.arange(1.0, 501), 3.0
batch_means = run_rng.normal(true_mean, 2, size=(500, 64)).mean(axis=1)
fig, ax = plt.subplots(figsize=(6, 3.1))
ax.plot(train_steps, batch_means, ".", ms=2, color=plotting.GRAY, label="batch means")
for alpha, color in ((0.9, plotting.GREEN), (0.99, plotting.BLUE)):
    # the recurrence written as a sum: a mean that is t - i steps old counts α^(t - i)
    weighted = batch_means * (1 - alpha) * alpha ** -train_steps
    running = np.cumsum(weighted) * alpha ** train_steps
    ax.plot(train_steps, running, color=color, label=f"running, α = {alpha}")
    expected = true_mean * (1 - alpha ** train_steps)
    ax.plot(train_steps, expected, ":", color="black", lw=1,
            label=None if alpha == 0.9 else r"expected: $3\,(1 - \alpha^t)$")
ax.set(title="The running mean starts at 0 and is late", xlabel="training step",
       ylabel="mean", ylim=(0, 4.2))
ax.legend(fontsize=8, loc="lower right")
plt.show()

# %% [markdown]
# With $\alpha = 0.99$ the average has come 63 % of the way after 100 steps, a whole short training. Until then the layer in use subtracts a wrong mean; 9.14 shows what that does to a network. Take $\alpha = 0.9$ for short trainings, as 9.12 does. (PyTorch calls $1 - \alpha$ the momentum, and averages the variance with $m - 1$ in place of $m$; Keras uses $v$ as above.)
#
# The gray dots show a second trouble, noise. The mean of $m$ *independent* values scatters by $\sigma/\sqrt m$, here by $2/\sqrt{64} = 0.25$. In a convolution there are $m = BHW$ values, but those of one image are not independent. So ask how many independent values one image is worth: the variance of all values, divided by the variance of the images' means.
# It is never less than 1, so the number of images $B$ is a safe lower bound. How far above it the truth lies depends on the data and on the layer; 9.14 measures it. With a handful of images (or of rows, behind a dense layer)
# each example's output depends strongly on the others in its batch. Layer normalization (notebook [[embeddings_and_attention]]) has neither problem.

# %% [markdown]
# ### Exercise 9.11 · fold it away (8 min)
# In use, batch normalization is only a fixed scale and offset per channel, right behind a convolution that has weights and a bias anyway. Deployment tools therefore merge the two: return the kernel and bias of *one* convolution that does both.

# %% tags=["exercise"]
def fold(K, b, gamma, beta, mean, var, eps=1e-3):
    """Kernel and bias of one convolution equal to conv(X, K, b) + normalization in use.

    K: (kh, kw, C, O); all others: (O,), mean and var are the running averages
    -> kernel (kh, kw, C, O), bias (O,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("9.11", "convolution and batch normalization in one"):
    for seed_t, eps_t in enumerate(((), (0.3,))):  # () leaves eps at its default, 1e-3
        rng_t = np.random.default_rng(seed_t)
        X_t, K_t = rng_t.normal(size=(2, 5, 6, 3)), rng_t.normal(size=(3, 2, 3, 4))
        b_t, gamma_t, beta_t, mean_t = rng_t.normal(size=(4, 4))
        var_t = np.array([0.0, 0.01, 0.5, 2.0])  # the first channel never changed
        spread_t = np.sqrt(var_t + (eps_t or (1e-3,))[0])
        apart_t = gamma_t * (conv(X_t, K_t, b_t) - mean_t) / spread_t + beta_t
        given_t = [a.copy() for a in (K_t, b_t, gamma_t, beta_t, mean_t, var_t)]
        K_one_t, b_one_t = map(np.asarray, fold(*given_t, *eps_t))
        assert K_one_t.shape == K_t.shape, f"kernel: {K_one_t.shape}, not {K_t.shape}"
        assert b_one_t.shape == b_t.shape, f"bias: {b_one_t.shape}, not {b_t.shape}"
        with_t = f"output with eps = {eps_t[0] if eps_t else 'its default, 1e-3'}"
        at_once_t = conv(X_t, K_one_t, b_one_t)
        np.testing.assert_allclose(at_once_t, apart_t, 1e-4, 1e-4, err_msg=with_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\gamma\,(XK + b - \mu)/\sigma + \beta = X\,(K \cdot \tfrac{\gamma}{\sigma}) + (b - \mu)\,\tfrac{\gamma}{\sigma} + \beta$. The kernels are the last axis of $K$.
# </details>

# %% tags=["solution"]
#@title Solution 9.11 · runs only while yours does not pass
if not solved("9.11"):
    def fold(K, b, gamma, beta, mean, var, eps=1e-3):
        scale = gamma / np.sqrt(var + eps)
        return K * scale, (b - mean) * scale + beta


# %% [markdown]
# ## 9.12 Does it pay? A convnet and an MLP meet a shifted digit
#
# All parts are ready; now test what the first section promised. Each part of a network gets the same three things: `params`, `forward` and `backward`, which stores the gradients of `params` in `grads` and returns that of the input. Two of them in full; the others do the same with the functions of 9.7 and 9.11.

# %%
class Conv3:
    """3×3 convolution, stride 1, padded to keep the size, without bias."""

    def __init__(self, channels, kernels, rng):
        K = rng.normal(size=(3, 3, channels, kernels)) * np.sqrt(2 / (9 * channels))
        self.params = [K.astype(np.float32)]

    def forward(self, X, training):
        self.X = pad(X, (1, 1), (1, 1))
        return conv(self.X, self.params[0], np.float32(0))

    def backward(self, delta):
        grad_X, grad_K, _ = conv_backward(self.X, self.params[0], delta)
        self.grads = [grad_K]
        return grad_X[:, 1:-1, 1:-1]


class Dense:
    """Z = X W + b; images are unrolled first."""

    def __init__(self, d_in, d_out, rng):
        W = rng.normal(size=(d_in, d_out)) * np.sqrt(2 / d_in)
        self.params = [W.astype(np.float32), np.zeros(d_out, np.float32)]

    def forward(self, X, training):
        self.shape, self.X = X.shape, X.reshape(len(X), -1)
        return self.X @ self.params[0] + self.params[1]

    def backward(self, delta):
        self.grads = [self.X.T @ delta, delta.sum(axis=0)]
        return (delta @ self.params[0].T).reshape(self.shape)


# %% tags=["plumbing"]
#@title Plumbing: batch normalization as such a part
class BatchNorm:
    """Batch normalization with running averages."""

    def __init__(self, channels, alpha=0.9):
        self.params = [np.ones(channels, np.float32), np.zeros(channels, np.float32)]
        self.mean, self.v = np.zeros(channels), np.ones(channels)  # the running ones
        self.alpha = alpha

    def forward(self, X, training):
        gamma, beta = self.params
        if not training:
            scale = gamma / np.sqrt(self.v + 1e-3)
            return (X * scale + (beta - self.mean * scale)).astype(X.dtype)
        Y, (self.x_hat, mean, self.var) = batch_norm(X, gamma, beta)
        self.mean = self.alpha * self.mean + (1 - self.alpha) * mean
        self.v = self.alpha * self.v + (1 - self.alpha) * self.var
        return Y

    def backward(self, delta):
        gamma = self.params[0]
        grad_X, *self.grads = batch_norm_backward(delta, gamma, self.x_hat, self.var)
        return grad_X


# %% tags=["plumbing"]
#@title Plumbing: ReLU, pooling and the global mean as such parts
class ReLU:
    """max(z, 0)."""
    params = grads = ()

    def forward(self, X, training):
        self.on = X > 0
        return X * self.on

    def backward(self, delta):
        return delta * self.on


class MaxPool:
    """2×2, stride 2."""
    params = grads = ()

    def forward(self, X, training):
        self.shape = X.shape
        Z, self.winners = max_pool(X, 2, 2)
        return Z

    def backward(self, delta):
        return max_pool_backward(delta, self.winners, self.shape, 2, 2)


class GlobalMean:
    """Mean over all places: (B, H, W, C) -> (B, C)."""
    params = grads = ()

    def forward(self, X, training):
        self.shape = X.shape
        return X.mean(axis=(1, 2))

    def backward(self, delta):
        share = delta[:, None, None] / (self.shape[1] * self.shape[2])
        return np.broadcast_to(share, self.shape)


# %% [markdown]
# The contestants read 8×8 digits on a 12×12 canvas, always *centered* in training: an MLP, and three networks of three convolutions each. One flattens its last maps for the dense layer, one takes their global mean, one does without pooling before it.

# %%
def body(rng, pool, alpha=0.9):
    """Three convolutions, 8, 16 and 16 maps; with one pooling layer, or none."""
    layers = []
    for channels, kernels in ((1, 8), (8, 16), (16, 16)):
        layers += [Conv3(channels, kernels, rng), BatchNorm(kernels, alpha), ReLU()]
        layers += [MaxPool()] if pool and channels == 1 else []
    return layers


BUILDERS = {
    "MLP": lambda rng: [Dense(144, 64, rng), ReLU(), Dense(64, 10, rng)],
    "pool, flatten": lambda rng: [*body(rng, True), Dense(6 * 6 * 16, 10, rng)],
    "pool, global mean": lambda rng: [
        *body(rng, True), GlobalMean(), Dense(16, 10, rng)],
    "global mean, no pool": lambda rng: [
        *body(rng, False), GlobalMean(), Dense(16, 10, rng)],
}


def predict(net, X, training=False):
    """Logits of a list of layers. X: (B, H, W, 1) -> (B, 10)"""
    for layer in net:
        X = layer.forward(X, training)
    return X


def backward(net, delta):
    """Fill the gradients of all layers from delta = dL/d(logits)."""
    for layer in reversed(net):
        delta = layer.backward(delta)


# %% tags=["evidence"]
#@title Evidence: the gradient through the whole chain equals central differences
chain_rng = np.random.default_rng(12)
chain = BUILDERS["pool, global mean"](chain_rng)
for layer in chain:
    layer.params = [p.astype(np.float64) for p in layer.params]
X_chain, up = chain_rng.normal(size=(3, 12, 12, 1)), chain_rng.normal(size=(3, 10))
first_kernel = chain[0].params[0]


def score_with(K):
    """Score of the batch with another first kernel."""
    chain[0].params = [K]
    return np.sum(up * predict(chain, X_chain, training=True))


by_nudge = numerical_gradient(score_with, first_kernel)
score_with(first_kernel)
backward(chain, up)
error = np.abs(by_nudge - chain[0].grads[0]).max() / np.abs(by_nudge).max()
print(f"first kernel, through {len(chain)} layers: relative error {error:.1e}")


# %%
def train(net, X, y, epochs, rng, batch=64):
    """Gradient descent; yields each epoch's mean loss.

    Momentum, from the notebook on optimizers: the step is a running sum, 0.9 of it
    kept each time. The rate falls from 0.2 to 0 along a cosine.
    """
    speeds = [[np.zeros_like(p) for p in layer.params] for layer in net]
    steps, eye = len(X) // batch, np.eye(10, dtype=np.float32)
    for epoch in range(epochs):
        losses = []
        order = rng.permutation(len(X))[:steps * batch].reshape(steps, batch)
        for step, rows in enumerate(order):
            z = predict(net, X[rows], training=True)
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            losses.append(-np.log(p[np.arange(batch), y[rows]] + 1e-12).mean())
            backward(net, (p - eye[y[rows]]) / batch)
            rate = 0.1 * (1 + np.cos(np.pi * (epoch + step / steps) / epochs))
            for layer, layer_speeds in zip(net, speeds):
                for param, grad, speed in zip(layer.params, layer.grads, layer_speeds):
                    speed *= 0.9
                    speed -= rate * grad
                    param += speed
        yield np.mean(losses)


# %%
EPOCHS = by_profile(quick=1, standard=10, full=30)
SEEDS = by_profile(quick=2, standard=3, full=5)
SHOWN = by_profile(quick=192, standard=1297, full=1297)  # training images
TESTED = by_profile(quick=60, standard=250, full=500)  # test images
MOVES = range(-2, 3)  # down, and to the right
centered, labels = on_canvas(digits.x_train[:SHOWN], 12), digits.y_train[:SHOWN]
moved_tests = {(d, r): on_canvas(digits.x_test[:TESTED], 12, d, r)
               for d in MOVES for r in MOVES}


@one_thread
def hit_rate(net, X, training=False):
    """Share of the first test digits, drawn as X, that a network reads right."""
    z = predict(net, X, training)
    return np.mean(z.argmax(axis=1) == digits.y_test[:TESTED])


nets = {(name, seed): build(np.random.default_rng(seed))
        for name, build in BUILDERS.items() for seed in range(SEEDS)}
trainings = [train(net, centered, labels, EPOCHS, np.random.default_rng(seed))
             for (_, seed), net in nets.items()]
with (threadpool_limits(1, user_api="blas"),
      plotting.LiveCurves(EPOCHS, ("loss",), "Mean of all networks") as live):
    for epoch, losses in enumerate(zip(*trainings), 1):
        live.update(epoch, {"loss": np.mean(losses)})

# %%
accuracies = {name: np.array([[hit_rate(nets[name, seed], X)
                               for X in moved_tests.values()] for seed in range(SEEDS)])
              for name in BUILDERS}  # each (SEEDS, 25)
unmoved = list(moved_tests).index((0, 0))
for name, each in accuracies.items():
    size = sum(p.size for layer in nets[name, 0] for p in layer.params)
    still, shifted = each[:, unmoved], np.delete(each, unmoved, axis=1).mean(axis=1)
    print(f"{name:20} {size:5,} parameters, centered {still.mean():.3f}"
          f" ± {still.std(ddof=1):.3f}, shifted {shifted.mean():.3f}"
          f" ± {shifted.std(ddof=1):.3f}")
claim("global mean, no pool: accuracy on shifted digits",
      np.delete(accuracies["global mean, no pool"], unmoved, axis=1).mean(),
      at_least=0.9, applies=profile() != "quick")

# %% tags=["figure"]
#@title Figure: Test accuracy in % when the digit moves
fig, axes = plt.subplots(1, 4, figsize=(9.6, 2.9))
for ax, (name, each) in zip(axes, accuracies.items()):
    percent = 100 * each.mean(axis=0).reshape(5, 5)
    ax.imshow(percent, cmap="Blues", vmin=0, vmax=140)
    for (i, j), value in np.ndenumerate(percent):
        ax.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=9)
    ax.set(xticks=range(5), xticklabels=MOVES, yticks=range(5), yticklabels=MOVES,
           title=name, xlabel="right, pixels")
    ax.grid(False)
axes[0].set_ylabel("down, pixels")
fig.suptitle("Test accuracy in % when the digit moves", fontweight="bold")
plt.show()

# %% [markdown]
# Four lessons (three seeds, ten epochs, 250 test digits; ± is the spread over the seeds):
#
# 1. **The MLP** reads centered digits as well as the others: where everything is in its place, place is information. One pixel off it loses half of them, two pixels off it guesses.
# 2. **Convolution alone helps little here.** Behind the flattening, a dense layer expects each feature at its old place. Equivariance only moves the problem to the end of the network.
# 3. **A global mean at the end** forgets the place: a network with a fraction of the parameters reads about three quarters of the shifted digits instead of a sixth. But look along its middle row: one pixel to the side is *worse* than two. Its pooling has stride 2, and its equivariance is exact for even shifts only,
#    and only away from the frame: two pixels up or down the digit touches the zeros of the padding, and there the even shift loses as well.
# 4. **Without that stride** the middle row is even. What is left to lose lies two pixels up and down, where the digit touches the frame. The price is computing all layers at full size.
#
# And what has it *learned*? **Predict.** People's edge detectors (9.5) subtract one side of a window from the other. Will the eight 3×3 kernels of the first layer look like that after training: (a) most of them, (b) a few, no more than random ones, (c) none?

# %%
def edge_share(kernels):
    """Share of a kernel's squared length that the two edge kernels explain.

    kernels: (3, 3, 1, O) -> (O,); 2/9 on average for random numbers
    """
    two = np.stack([vertical, horizontal]).reshape(2, 9) / np.linalg.norm(vertical)
    flat = kernels.reshape(9, -1)
    return ((two @ flat) ** 2).sum(axis=0) / (flat**2).sum(axis=0)


WATCHED = "global mean, no pool"  # try "pool, flatten"
starts, trained = (np.concatenate([net[0].params[0] for net in several], axis=3)
                   for several in ([BUILDERS[WATCHED](np.random.default_rng(seed))
                                    for seed in range(SEEDS)],
                                   [nets[WATCHED, seed] for seed in range(SEEDS)]))
alike = [np.corrcoef(a, b)[0, 1]
         for a, b in zip(starts.reshape(9, -1).T, trained.reshape(9, -1).T)]
print(f"{trained.shape[3]} kernels: edge share {edge_share(starts).mean():.2f} before,"
      f" {edge_share(trained).mean():.2f} after training;"
      f" correlation of before and after {np.mean(alike):.2f}")
claim("edge share of the trained kernels", edge_share(trained).mean(), at_most=0.4,
      applies=profile() != "quick")

# %% tags=["figure"]
#@title Figure: Training changes the kernels, but not into edge detectors
fig, axes = plt.subplots(2, 8, figsize=(8.8, 2.9))
top = np.abs(trained[..., :8]).max()
for row, kernels, label in zip(axes, (starts, trained), ("random start", "trained")):
    for ax, kernel in zip(row, np.moveaxis(kernels[:, :, 0, :8], 2, 0)):
        ax.imshow(kernel, cmap="RdBu_r", vmin=-top, vmax=top)
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
    row[0].set_ylabel(label)
fig.suptitle("Training changes the kernels, but not into edge detectors",
             fontweight="bold")
plt.show()

# %% [markdown]
# (b). A few look like edges, as a few did by chance before training. The kernels have grown, and each still resembles its random start: random features, a little changed, are good enough for 1,297 digits of 8×8 pixels when the layers behind them learn as well.
# The tidy edge detectors that textbooks print come from larger kernels and many more images. "It learns its kernels" is true, and says nothing about what they look like: draw them.

# %% [markdown]
# ## 9.13 The same numbers from Keras, and how fast
#
# Only now TensorFlow is imported: same inputs, same weights, outputs and gradients side by side, in float64.

# %%
print(f"memory before TensorFlow: {devices.memory_mb():.0f} MB")
tf = devices.setup(seed=0)
import keras

# %% tags=["plumbing"]
#@title Plumbing: outputs and gradients of a Keras layer
def keras_pass(layer, X, up, **call):
    """Output of a Keras layer; gradients of sum(up · output) for X and its weights."""
    x = tf.Variable(X)
    with tf.GradientTape() as tape:
        z = layer(x, **call)
        score = tf.reduce_sum(z * up(z.shape))
    gradients = tape.gradient(score, [x, *layer.trainable_weights])
    return [z.numpy(), *(g.numpy() for g in gradients)]


def apart(ours, theirs):
    """Largest difference between two lists of arrays of the same shapes."""
    assert [a.shape for a in ours] == [b.shape for b in theirs]
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs))


def upstream(shape):
    """The same numbers every time for one shape, to play dL/dZ."""
    return np.random.default_rng(sum(shape)).normal(size=tuple(shape))


X_keras = np.random.default_rng(13).normal(size=(3, 9, 8, 4))

# %% tags=["evidence"]
#@title Evidence: Conv2D, strides 1 to 3, valid and same
worst = 0.0
for stride in (1, 2, 3):
    for padding in ("valid", "same"):
        layer = keras.layers.Conv2D(5, (3, 2), stride, padding, dtype="float64",
                                    bias_initializer="random_normal")
        layer.build(X_keras.shape)
        theirs = keras_pass(layer, X_keras, upstream)
        K, b = (w.numpy() for w in layer.weights)
        rows = same_padding(9, 3, stride) if padding == "same" else (0, 0)
        columns = same_padding(8, 2, stride) if padding == "same" else (0, 0)
        padded = pad(X_keras, rows, columns)
        Z = conv(padded, K, b, stride)
        grad_X, grad_K, grad_b = conv_backward(padded, K, upstream(Z.shape), stride)
        grad_X = grad_X[:, rows[0]:rows[0] + 9, columns[0]:columns[0] + 8]
        worst = max(worst, apart([Z, grad_X, grad_K, grad_b], theirs))
claim("Conv2D, largest difference of outputs and gradients", worst, at_most=1e-10)

# %% tags=["evidence"]
#@title Evidence: MaxPooling2D and AveragePooling2D
worst_max = worst_mean = 0.0
for k, stride in ((2, 2), (3, 2), (3, 1)):
    layer = keras.layers.MaxPooling2D(k, stride, dtype="float64")
    Z, winners = max_pool(X_keras, k, stride)
    grad_X = max_pool_backward(upstream(Z.shape), winners, X_keras.shape, k, stride)
    theirs = keras_pass(layer, X_keras, upstream)
    worst_max = max(worst_max, apart([Z, grad_X], theirs))
    layer = keras.layers.AveragePooling2D(k, stride, dtype="float64")
    Z = average_pool(X_keras, k, stride)
    grad_X = average_pool_backward(upstream(Z.shape), X_keras.shape, k, stride)
    theirs = keras_pass(layer, X_keras, upstream)
    worst_mean = max(worst_mean, apart([Z, grad_X], theirs))
claim("MaxPooling2D, largest difference", worst_max, at_most=1e-10)
claim("AveragePooling2D, largest difference", worst_mean, at_most=1e-10)

ties = np.round(X_keras)  # full of equal entries
Z, winners = max_pool(ties, 2, 2)
ours = max_pool_backward(upstream(Z.shape), winners, ties.shape, 2, 2)
theirs = keras_pass(keras.layers.MaxPooling2D(2, dtype="float64"), ties, upstream)[1]
print("ties: TensorFlow, too, lets the first win:", np.allclose(ours, theirs))

# %% tags=["evidence"]
#@title Evidence: Conv2DTranspose, strides 1 to 3, valid and same
worst = 0.0
for size, stride in (((3, 2), 1), ((3, 3), 2), ((4, 3), 3)):
    for padding in ("valid", "same"):
        layer = keras.layers.Conv2DTranspose(5, size, stride, padding, dtype="float64",
                                             bias_initializer="random_normal")
        layer.build(X_keras.shape)
        theirs = keras_pass(layer, X_keras, upstream)
        K, b = (w.numpy() for w in layer.weights)
        whole = conv_transpose(X_keras, K, b, stride)
        cut = [slice(None)] * 2  # "same" cuts off what "same" adds to a convolution
        if padding == "same":
            sides = [(same_padding(stride * n, k, stride)[0], stride * n)
                     for n, k in zip((9, 8), size)]
            cut = [slice(start, start + side) for start, side in sides]
        kept = whole[:, cut[0], cut[1]]
        up = np.zeros_like(whole)
        up[:, cut[0], cut[1]] = upstream(kept.shape)
        ours = [kept, *conv_transpose_backward(X_keras, K, up, stride)]
        worst = max(worst, apart(ours, theirs))
claim("Conv2DTranspose, largest difference of outputs and gradients", worst,
      at_most=1e-10)

# %% tags=["evidence"]
#@title Evidence: BatchNormalization, in training, its running averages, in use
layer = keras.layers.BatchNormalization(
    dtype="float64", gamma_initializer="random_normal",
    beta_initializer="random_normal")
layer.build(X_keras.shape)
theirs = keras_pass(layer, X_keras, upstream, training=True)
gamma, beta = (w.numpy() for w in layer.trainable_weights)
Y, (x_hat, mean, var) = batch_norm(X_keras, gamma, beta)
grads = batch_norm_backward(upstream(Y.shape), gamma, x_hat, var)
claim("BatchNormalization in training, largest difference", apart([Y, *grads], theirs),
      at_most=1e-10)

run_mean, run_var = 0.01 * mean, 0.99 + 0.01 * var  # the pass above was the first step
step_rng = np.random.default_rng(132)
for step in range(99):
    batch = step_rng.normal(step / 10, 2, size=X_keras.shape)
    layer(batch, training=True)
    run_mean = 0.99 * run_mean + 0.01 * batch.mean(axis=(0, 1, 2))
    run_var = 0.99 * run_var + 0.01 * batch.var(axis=(0, 1, 2))
stored = [w.numpy() for w in layer.non_trainable_weights]
claim("its running averages after 100 steps", apart([run_mean, run_var], stored),
      at_most=1e-10)
in_use = gamma * (X_keras - run_mean) / np.sqrt(run_var + 1e-3) + beta
claim("BatchNormalization in use", at_most=1e-10,
      value=apart([in_use], [layer(X_keras, training=False).numpy()]))

# %% [markdown]
# **How fast?** The same forward pass by loops, by stride tricks, by im2col and by Keras (compiled by `tf.function`), for images of growing size: float32, 4 images, 8 channels to 16, 3×3.

# %% tags=["plumbing"]
#@title Plumbing: time four ways to convolve, for growing images
SIDES = [4, 6, 10, 18, 34, 66, 130, 258][:by_profile(quick=2, standard=7, full=8)]
LARGEST_LOOPED = by_profile(quick=4, standard=18, full=34)
REPEATS = by_profile(quick=2, standard=15, full=40)
keras_conv = keras.layers.Conv2D(16, 3)
keras_conv.build((None, None, None, 8))
compiled = tf.function(keras_conv, reduce_retracing=True)

speed = {"loops": {}, "stride tricks": {}, "im2col": {}, "Keras": {}}
for side in SIDES:
    case = timing_case(side)
    keras_conv.set_weights(case[1:])
    tensor = tf.constant(case[0])
    np.testing.assert_allclose(compiled(tensor).numpy(), conv(*case), atol=1e-4)
    ways_to_time = {"loops": (lambda: conv_loops(*case), 2),
                    "stride tricks": (lambda: conv_strides(*case), REPEATS),
                    "im2col": (lambda: conv(*case), REPEATS),
                    "Keras": (lambda: compiled(tensor).numpy(), REPEATS)}
    for name, (way, repeats) in ways_to_time.items():
        if name != "loops" or side <= LARGEST_LOOPED:
            speed[name][4 * (side - 2) ** 2 * 9 * 8 * 16] = seconds(way, repeats)
copying = seconds(lambda: im2col(case[0], (3, 3)), REPEATS)

# %%
looped = list(speed["loops"])[-1]
for name in ("stride tricks", "im2col", "Keras"):
    print(f"{name:14} {speed['loops'][looped] / speed[name][looped]:7.0f} × the loops"
          f" at {looped:,} multiplications")
most = list(speed["Keras"])[-1]
print(f"{'im2col':14} {speed['im2col'][most] / speed['Keras'][most]:7.1f} × Keras' time"
      f" at {most:,}; {copying / speed['im2col'][most]:.0%} of it is copying windows")
claim("im2col, times faster than the loops",
      speed["loops"][looped] / speed["im2col"][looped],
      at_least=50, applies=profile() != "quick")

# %% tags=["figure"]
#@title Figure: The same convolution, four ways
fig, ax = plt.subplots(figsize=(6.6, 4))
colors = (plotting.RED, plotting.ORANGE, plotting.BLUE, plotting.GREEN)
for (name, times), color in zip(speed.items(), colors):
    ax.loglog(list(times), list(times.values()), "o-", ms=4, color=color, label=name)
ax.set(title="The same convolution, four ways", xlabel="multiplications",
       ylabel="seconds per forward pass")
ax.legend()
plt.show()

# %% [markdown]
# The loops are slower by a factor of hundreds to thousands. Stride tricks win most of that back: the sum runs in C. im2col hands the work to a matrix product. On small images it is *faster* than Keras, whose time hardly changes at first: every call has a fixed cost.
# On large ones it falls behind, by a factor of a few, and a good part of its time goes into copying windows. (Keras may use every core; the matrix product was kept to one. Timings differ from machine to machine.)

# %% [markdown]
# ## 9.14 Where it breaks
#
# Three limits, measured on the networks of 9.12: a digit turned by 90°; batch normalization in use, after a short training; and how many independent values it has to average.

# %%
upright_digits, true_digits = moved_tests[0, 0], digits.y_test[:TESTED]
for name in ("MLP", "global mean, no pool"):
    upright = hit_rate(nets[name, 0], upright_digits)
    turned_90 = hit_rate(nets[name, 0], np.rot90(upright_digits, axes=(1, 2)))
    print(f"{name:20} upright {upright:.3f}, turned by 90° {turned_90:.3f}")

# %%
SHORT = 2  # epochs; try 10
for alpha in (0.9, 0.99):
    short_rng = np.random.default_rng(0)
    short_net = [*body(short_rng, True, alpha), GlobalMean(), Dense(16, 10, short_rng)]
    with threadpool_limits(1, user_api="blas"):
        list(train(short_net, centered, labels, SHORT, short_rng))
    in_use = hit_rate(short_net, upright_digits)
    own = hit_rate(short_net, upright_digits, training=True)
    one_class = [upright_digits[true_digits == c] for c in range(10)]
    sorted_hits = [predict(short_net, X, True).argmax(1) == c
                   for c, X in enumerate(one_class)]
    print(f"{SHORT} epochs, α = {alpha}: running averages {in_use:.3f}, the batch's own"
          f" {own:.3f}, batches of one class {np.concatenate(sorted_hits).mean():.3f}")

# %%
def independent_values(Z):
    """What one image is worth, per channel. Z: (B, H, W, C) -> (C,)"""
    return Z.var(axis=(0, 1, 2)) / Z.mean(axis=(1, 2)).var(axis=0)


worth = {}  # convolution 1, 2, 3 -> values of all channels and seeds
for seed in range(SEEDS):
    X = centered
    for place, part in enumerate(nets["global mean, no pool", seed]):
        X = part.forward(X, training=False)
        if isinstance(part, Conv3):
            worth.setdefault(1 + place // 3, []).extend(independent_values(X))
for layer_number, values in worth.items():
    low, middle, high = np.percentile(values, [10, 50, 90])
    print(f"convolution {layer_number}: an image is worth {middle:,.0f} values"
          f" (median channel; 10 % are below {low:,.0f}, 10 % above {high:,.0f})")
claim("least that an image is worth, all layers and channels",
      min(map(min, worth.values())), at_least=1)

# %% [markdown]
# - **Only shifts come free.** Turned digits are lost on both: a convolution knows nothing of rotation, size or lighting; those must be in the training images (notebook [[preparing_data]]).
# - **Training and use differ.** After two epochs and with $\alpha = 0.99$ the network that has learned seems to know little: its running averages are still near their start. Wait, or take a smaller $\alpha$, before you look for a bug elsewhere. And with the batch's own statistics every example depends on its neighbors: sort the same digits into batches of one class each, and most are misread.
# - **A batch is worth more than its number of images, but not always $BHW$ values.** Nearly every digit has the same amount of ink, so the means of the first layer scatter less than those of independent pixels would. In the last layer, whose maps answer to whole shapes, an image is worth about ten values of 144: with eight images per batch that is a mean of about eighty. (After ten epochs, three seeds. Untrained networks give other numbers, and so do other data.)
# - **Far apart is far away.** A convolutional network relates two distant places only where both lie in one receptive field (9.8). Attention (notebook [[embeddings_and_attention]]) has no such limit, and no such help.
# - **Strides alias.** They keep every second value without blurring first, so fine detail comes out differently at even and at odd places; an image moved by one pixel may change its class (Zhang, 2019).
# - **Multiplications are not seconds.** In the chart of 9.13 equal work takes times that differ by thousands. Count, then measure on the device that will run it (notebook [[training_at_scale]]).
#
# **What a product team should ask.** Which shifts, sizes and rotations occur in use, and were they in the test set? Is an image resized, padded and channel-ordered by the same code in training and serving? How large are the objects beside the receptive field? Were the normalization layers in their right mode, and folded, when latency was measured?

# %% [markdown]
# ## Summary
#
# 1. A convolution is a dense layer that must treat all places alike and look at few neighbors; layers compute cross-correlation, and their backward pass is the true convolution.
# 2. Output size $\lfloor (n + 2p - k)/s \rfloor + 1$; parameters $(k^2 C + 1)\,O$; each layer widens the receptive field by $k - 1$ jumps.
# 3. im2col makes it one matrix product, $Z = M\tilde K + b$; gradients are those of a dense layer, and col2im adds them back to the pixels.
# 4. Convolution is equivariant, global pooling makes it invariant; strides break both, and so do the zeros at the frame. The transposed convolution multiplies by $A^\top$: the shape comes back, the values do not, and uneven phases leave a checkerboard.
# 5. Batch normalization passes on what remains of a gradient without its mean and its component along $\hat x$; it trains with the batch's statistics and works with running averages.
#
# | key formula | |
# |---|---|
# | layer | $z_{nuvo} = b_o + \sum_{ijc} x_{n,su+i,sv+j,c}\, k_{ijco}$ |
# | backward | $\partial L/\partial \tilde K = M^\top\delta$, $\;\partial L/\partial b = \sum \delta$, $\;\partial L/\partial X = \text{col2im}(\delta \tilde K^\top)$ |
# | Keras' "same" | $m = \lceil n/s \rceil$, $\;P = \max((m-1)s + k - n, 0)$, the odd zero last |
# | receptive field | $r_l = r_{l-1} + (k_l - 1)\,d_l\, j_{l-1}$, $\;j_l = j_{l-1} s_l$ |
# | transposed | $y = A^\top z$, size $s(m - 1) + k$; on a constant $y_r = \sum_{i \equiv r} k_i$ |
# | batch normalization | $\partial L/\partial x = \frac{1}{\sigma}\big(g - \overline{g} - \hat x\,\overline{g \hat x}\big)$, $\;g = \gamma\delta$ |
#
# ### Further reading
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to document recognition. *Proceedings of the IEEE* 86(11), 2278–2324.
# - I. Goodfellow, Y. Bengio, A. Courville (2016). *Deep Learning*, chapter 9. MIT Press.
# - V. Dumoulin, F. Visin (2016). A guide to convolution arithmetic for deep learning. arXiv:1603.07285. All sizes, with drawings.
# - K. Chellapilla, S. Puri, P. Simard (2006). High performance convolutional neural networks for document processing. *10th International Workshop on Frontiers in Handwriting Recognition*. The trick of 9.5.
# - S. Ioffe, C. Szegedy (2015). Batch normalization: accelerating deep network training by reducing internal covariate shift. ICML, arXiv:1502.03167.
# - S. Santurkar, D. Tsipras, A. Ilyas, A. Madry (2018). How does batch normalization help optimization? NeurIPS, arXiv:1805.11604.
# - A. Odena, V. Dumoulin, C. Olah (2016). Deconvolution and checkerboard artifacts. *Distill*, doi:10.23915/distill.00003.
# - W. Luo, Y. Li, R. Urtasun, R. Zemel (2016). Understanding the effective receptive field in deep convolutional neural networks. NeurIPS, arXiv:1701.04128.
# - A. Araujo, W. Norris, J. Sim (2019). Computing receptive fields of convolutional neural networks. *Distill*, doi:10.23915/distill.00021.
# - R. Zhang (2019). Making convolutional networks shift-invariant again. ICML, arXiv:1904.11486.
# - K. Simonyan, A. Zisserman (2015). Very deep convolutional networks for large-scale image recognition. ICLR, arXiv:1409.1556. VGG-16.
# - A. G. Howard et al. (2017). MobileNets: efficient convolutional neural networks for mobile vision applications. arXiv:1704.04861.
#
# **Next:** notebook [[recurrent_networks]], recurrent networks. Convolution shares weights across space; what happens when they are shared across time?
