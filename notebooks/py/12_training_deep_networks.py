# ---
# jupyter:
#   course:
#     datasets: [digits]
#     covers: "Over- and underfitting, bias and variance, regularization, normalization, residual connections, search; a clinic for training that fails."
#     prerequisites: [backpropagation, optimizers]
#     ledger: [D1-3.2-d, D1-3.3-a, D2-3.3.7-a, D3-3.3-a, D3-3.3-c, D3-A.2-c, D4-2.2-b]
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
# # Training deep networks
#
# A network scores 100 % on the digits that it has seen and gets one in twelve of the next ones wrong. Another has fifty layers and learns nothing. A third
# just doesn't train, without any error message. You learn here to tell from measurements which of these you have in front of you, and what to do.
#
# **The digit reader so far** has everything: layers, loss, gradient, optimizer, metrics. On few images it still learns them by heart, and deeper it may not learn at all. This notebook adds what makes large networks train, and the habit of finding out why one doesn't.
#
# **You will be able to**
#
# - tell underfitting from overfitting by learning curves, and measure bias and variance;
# - derive what weight decay, dropout and early stopping do to a weight, and compare them fairly;
# - say what normalization and residual connections change, and measure it through fifty layers;
# - search hyper-parameters without fooling yourself, and put a number on the winner's curse;
# - diagnose eight broken trainings from their curves and run a checklist that finds them.
#
# ("Document 4, 2.2" and the like are the articles that this course checks; notebook [[start_here]] names them.)

# %% tags=["setup"]
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from course_utils import (
    by_profile, check, claim, data, devices, plotting, profile, solved,
)
from course_utils.lessons.backpropagation import numerical_gradient
from course_utils.lessons.optimizers import Adam, AdamW

plotting.use_style()
rng = np.random.default_rng(0)


# %% [markdown]
# ## 12.1 A network that knows its homework by heart
#
# The whole notebook uses one small trainer: the ReLU network of notebook [[backpropagation]] with its backward pass, and AdamW as you built it in notebook [[optimizers]]. One addition: each hidden unit has a *gate*, 1 where $z > 0$ and 0 elsewhere, so that ReLU is $a = z \odot \text{gate}$ and its backward pass $\delta \odot \text{gate}$. Section 12.5 will put dropout into the same gate, with a probability $p$ of closing it; until then $p = 0$.
#
# All weights and biases lie one after the other in *one* vector $w$ of $P$ numbers: so a step is one line, a training is a list of such vectors, and two of them can be compared. `views` cuts $w$ into the layers' matrices and biases. They are windows on the same numbers, not copies: what you write into one is in $w$.

# %%
def views(w, sizes):
    """Cut flat w (P,) into [(W, b), ...] without copying. sizes: d_in ... k"""
    layers, at = [], 0
    for d_in, d_out in itertools.pairwise(sizes):
        end = at + d_in * d_out
        layers.append((w[at:end].reshape(d_in, d_out), w[end:end + d_out]))
        at = end + d_out
    return layers


def start(sizes, rng):
    """He-scaled weights, zero biases. -> (P,)"""
    parts = [(rng.normal(0, (2 / m) ** 0.5, m * n), np.zeros(n))
             for m, n in itertools.pairwise(sizes)]
    return np.concatenate([array for part in parts for array in part])


# %% tags=["nbval-check-output"]
nine = np.arange(9)                                # a network 2-2-1: P = 4 + 2 + 2 + 1
for number, (W, b) in enumerate(views(nine, (2, 2, 1)), 1):
    print(f"layer {number}: W = {W.tolist()}, b = {b.tolist()}")


# %%
def gated_forward(layers, X, p=0.0, rng=None):
    """X: (B, d_in) -> what each layer reads, gates per hidden layer, logits (B, k)."""
    inputs, gates = [X], []
    for W, b in layers[:-1]:
        z = inputs[-1] @ W + b
        gates.append((z > 0).astype(float))
        if p > 0:
            gates[-1] *= (rng.random(z.shape) >= p) / (1 - p)  # section 12.5
        inputs.append(z * gates[-1])
    W, b = layers[-1]
    return inputs, gates, inputs[-1] @ W + b


def row_losses(z, y):
    """Cross-entropy of each row in nats, and its gradient. z: (B, k) -> (B,), (B, k)"""
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y], np.exp(log_p) - np.eye(z.shape[1])[y]


# %%
def loss_and_gradient(w, sizes, X, y, p=0.0, rng=None):
    """Mean loss in nats and its gradient. -> float, (P,)"""
    layers = views(w, sizes)
    inputs, gates, z = gated_forward(layers, X, p, rng)
    losses, delta = row_losses(z, y)
    delta, parts = delta / len(y), []
    for l in reversed(range(len(layers))):
        parts += [delta.sum(axis=0), (inputs[l].T @ delta).ravel()]
        if l > 0:
            delta = (delta @ layers[l][0].T) * gates[l - 1]
    return losses.mean(), np.concatenate(parts[::-1])


# %%
def endless_batches(n, size, rng):
    """Row numbers of one mini-batch after the other, without end."""
    while True:
        order = rng.permutation(n)
        yield from (order[at:at + size] for at in range(0, n, size))


def fit(sizes, X, y, steps=600, every=20, eta=0.003, gamma=0.0, p=0.0, seed=0):
    """Train with batches of 32. -> weights after 0, every, 2 every ... steps (T, P)"""
    rng = np.random.default_rng(seed)
    w, optimizer = start(sizes, rng), AdamW(eta, gamma)
    path, queue = [w], endless_batches(len(y), 32, rng)
    for t in range(1, steps + 1):
        rows = next(queue)
        g = loss_and_gradient(w, sizes, X[rows], y[rows], p, rng)[1]
        w = optimizer.step(w, g)
        if t % every == 0:
            path.append(w)
    return np.array(path)


def score(w, sizes, X, y):
    """Mean loss and accuracy, nothing dropped."""
    z = gated_forward(views(w, sizes), X)[2]
    return row_losses(z, y)[0].mean(), np.mean(z.argmax(axis=1) == y)


# %% [markdown]
# The data: 1,797 digits of 8×8 pixels. 1,037 form the *pool* we draw training sets from, 260 validate (验证集: they may decide things), 500 test (测试集: each question asks them once, at its end).

# %%
threadpool_limits(1)  # for matrices this small a second core is in the way
digits = data.digits()
images = digits.x_train.reshape(-1, 64) / 16
X_pool, y_pool = images[:1037], digits.y_train[:1037]
X_val, y_val = images[1037:], digits.y_train[1037:]
X_test, y_test = digits.x_test.reshape(-1, 64) / 16, digits.y_test

sizes = (64, 64, 10)
fitted = fit(sizes, X_pool[:100], y_pool[:100])
on_train = np.array([score(w, sizes, X_pool[:100], y_pool[:100]) for w in fitted])
on_val = np.array([score(w, sizes, X_val, y_val) for w in fitted])
MORE = by_profile(quick=1200, standard=6000, full=6000)
longer = fit(sizes, X_pool[:100], y_pool[:100], steps=MORE, every=MORE)[-1]
for steps, at_train, at_val in (
        (600, on_train[-1], on_val[-1]),
        (MORE, score(longer, sizes, X_pool[:100], y_pool[:100]),
         score(longer, sizes, X_val, y_val))):
    print(f"after {steps:4} steps: training loss {at_train[0]:.5f}, accuracy "
          f"{at_train[1]:.1%}; validation loss {at_val[0]:.3f}, "
          f"accuracy {at_val[1]:.1%}")

# %% tags=["figure"]
#@title Figure: Perfect on what it has seen, not on what it hasn't
shown = 20 * np.arange(len(fitted))
fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.3))
for ax, column, label in zip(axes, (0, 1), ("loss in nats", "accuracy")):
    ax.plot(shown, on_train[:, column], label="the 100 training digits")
    ax.plot(shown, on_val[:, column], label="260 digits not seen")
    ax.set(xlabel="step", ylabel=label)
axes[0].set_yscale("log")
axes[0].legend()
fig.suptitle("Perfect on what it has seen, not on what it hasn't", fontweight="bold")
plt.show()


# %% [markdown]
# In 600 steps the training loss falls all the way; the validation loss falls, then stalls. Ten times the steps bring the training loss to nearly 0 and the validation loss *up* again, at about the same accuracy: the network becomes surer of its mistakes. The difference between the two losses is the *generalization gap* (泛化差距). **Overfitting** (过拟合): the gap is large. **Underfitting** (欠拟合): both losses are high.
# Nobody sees either in the training loss alone.
#
# Before building on the trainer, try to break it. The test is the directional check of notebook [[optimizers]]: a slope along 20 random directions, with and without dropout. The same random numbers on both sides keep the masks the same.

# %% tags=["evidence"]
#@title Evidence: backprop's slope along 20 random directions, with and without dropout
def slope_error(p):
    """Largest difference of backprop and central differences along 20 directions."""
    tiny, h, worst = (64, 12, 8, 10), 1e-7, 0.0
    w = start(tiny, np.random.default_rng(1))
    w += 0.1 * np.random.default_rng(4).normal(size=len(w))  # biases off ReLU's kink
    loss = lambda w: loss_and_gradient(
        w, tiny, X_pool[:50], y_pool[:50], p, np.random.default_rng(2))
    for d in np.random.default_rng(3).normal(size=(20, len(w))):
        slope = (loss(w + h * d)[0] - loss(w - h * d)[0]) / (2 * h)
        worst = max(worst, abs(slope - loss(w)[1] @ d))
    return worst


claim("gradient against central differences, largest difference",
      max(slope_error(0.0), slope_error(0.5)), at_most=1e-6)

# %% [markdown]
# ## 12.2 More data or more capacity?
#
# Document 4, 2.2 says that "more capacity and more data raise expressive power". Turn the two knobs one at a time: the number $n$ of training digits at 64 hidden units, then the number of hidden units at 200 digits. More digits need more steps to be learned, so all trainings take $600 + 6n$ steps. Three seeds; each seed draws its own training set.

# %%
SEEDS = range(by_profile(quick=2, standard=3, full=10))
COUNTS = by_profile(quick=[30, 100], standard=[20, 50, 100, 200, 400, 1000],
                    full=[20, 50, 100, 200, 400, 1000])
WIDTHS = by_profile(quick=[1, 16], standard=[1, 2, 4, 8, 16, 64, 256],
                    full=[1, 2, 4, 8, 16, 64, 256, 1024])


def final_losses(units, n, seed, steps):
    """Training and validation loss after so many steps on n random digits."""
    rows = np.random.default_rng(seed).permutation(len(X_pool))[:n]
    X, y = X_pool[rows], y_pool[rows]
    w = fit((64, units, 10), X, y, steps, every=steps, seed=seed)[-1]
    return [score(w, (64, units, 10), *pair)[0] for pair in ((X, y), (X_val, y_val))]


def of_all_seeds(units, n, steps):
    """-> (seeds, 2): training and validation loss"""
    return np.array([final_losses(units, n, seed, steps) for seed in SEEDS])


def tell(label, losses):
    train, val = losses.mean(axis=0)
    print(f"{label:32} training {train:.4f}, validation {val:.3f}, "
          f"gap {val - train:.3f}")


# %%
by_count = np.array([of_all_seeds(64, n, 600 + 6 * n) for n in COUNTS])
by_width = np.array([of_all_seeds(units, 200, 600 + 6 * 200) for units in WIDTHS])
for n, losses in zip(COUNTS, by_count):
    tell(f"{n} digits", losses)
for units, losses in zip(WIDTHS, by_width):
    tell(f"200 digits, {units} hidden units", losses)

# %% tags=["figure"]
#@title Figure: More data closes the gap; more capacity lowers both losses
fig, axes = plt.subplots(1, 2, figsize=(9, 3.7), sharey=True)
for ax, x, losses in ((axes[0], COUNTS, by_count), (axes[1], WIDTHS, by_width)):
    ax.fill_between(x, *losses.mean(axis=1).T, color=plotting.GRAY, alpha=0.2,
                    label="gap")
    for column, label in enumerate(("training", "validation")):
        ax.errorbar(x, losses[..., column].mean(axis=1),
                    losses[..., column].std(axis=1, ddof=1), marker="o", capsize=3,
                    label=label)
    ax.set(xscale="log", ylim=(-0.05, 2.9))
axes[0].set(ylabel="loss in nats", xlabel="training digits (64 hidden units)")
axes[1].set(xlabel="hidden units (200 training digits)")
axes[0].legend()
fig.suptitle("More data closes the gap; more capacity lowers both losses",
             fontweight="bold")
plt.show()

# %% [markdown]
# And if you turn the clock? **Predict.** What does the training loss of 1,000 digits look like if they get 600 steps, as few as 20 digits would need? Which network has the larger gap after 3,000 steps, one of 2 units or one of 256?

# %%
for units, n, steps in by_profile(
        quick=[(64, 300, 100)],
        standard=[(64, 1000, 600), (64, 1000, 6600), (2, 200, 600), (2, 200, 3000),
                  (256, 200, 600), (256, 200, 3000)],
        full=[(64, 1000, 600), (64, 1000, 6600), (2, 200, 600), (2, 200, 3000),
              (256, 200, 600), (256, 200, 3000)]):
    tell(f"{units} units, {n} digits, {steps} steps", of_all_seeds(units, n, steps))


# %% [markdown]
# Left: every set is learned by heart, and with more digits the validation loss falls, and with it the gap. Right: one hidden unit underfits, both losses are high and close together. More units bring both down, the training loss to nearly 0; from two units on the gap lies between 0.2 and 0.4 nats.
#
# The clock is the third knob. 1,000 digits after 600 steps have a training loss of 0.05, as if more data made it *rise*: they are only unfinished, each has been seen an eleventh as often. And after 3,000 steps the narrow network has the larger gap, because a few units that go on training can only lower the training loss by extreme weights. So a gap belongs to a model, its data *and its steps*.
#
# The widest network has nearly no training loss *and* the best validation loss: the gap tells what limits a model, the validation loss which model to take. So Document 4's sentence joins two different things: **capacity raises expressive power; data does not: it reduces the error of estimating** which function to express.
#
# The same figure settles a contradiction. Document 1, 3.3 and Document 3, 3.3 praise the "strong generalization" of large models, and Document 3 lists "easily overfits" a few lines below. Neither is a property of the model: at 20 digits this network overfits, at 1,000 it generalizes. Language models pre-trained for about one pass over a huge text hardly overfit it; those before 2022 had
# the opposite trouble, too *little* training for their size (Hoffmann et al. 2022; many later ones train far longer than that paper's optimum, to be cheap in use). And any model can fail on data of another kind than it was trained on (notebooks [[privacy_and_security]], [[automl_and_continual_learning]]).
#
# A working rule from these curves: **training loss high → more capacity, longer training, better optimization (12.9, 12.10). Training loss low, validation loss high → more data, augmentation (notebook [[preparing_data]]), or regularization (12.4–12.8).**

# %% [markdown]
# ## 12.3 Bias and variance, measured
#
# Suppose the world makes $y = f(x) + \varepsilon$ with noise of mean 0 and variance $\sigma^2$, and a training set $D$ gives the prediction $\hat g_D(x)$. Another training set would give another $\hat g_D$. Write $\bar g(x) = \mathbb E_D[\hat g_D(x)]$ for the mean over all training sets. For a fresh $y$ at $x$,
#
# $$y - \hat g_D = \underbrace{\varepsilon}_{\text{noise}} + \underbrace{(f - \bar g)}_{\text{fixed}} + \underbrace{(\bar g - \hat g_D)}_{\text{depends on } D}.$$
#
# Square and take the mean over $D$ and $\varepsilon$. The three mixed terms vanish: $\mathbb E[\varepsilon] = 0$, $\mathbb E_D[\bar g - \hat g_D] = 0$, and the fresh $\varepsilon$ is independent of $D$. What is left:
#
# $$\boxed{\;\mathbb E\,(y - \hat g_D)^2 = \underbrace{\sigma^2}_{\text{noise}} + \underbrace{(f - \bar g)^2}_{\text{bias}^2\ (\text{偏差})} + \underbrace{\mathbb E_D(\hat g_D - \bar g)^2}_{\text{variance } (\text{方差})}\;}$$
#
# Textbooks sketch this. You can measure it: choose $f$, draw many training sets, fit each. Here polynomials of degree $d$ by least squares to 24 points of $f(x) = \sin 2\pi x + \tfrac12 x$; each training set has the same $x$ and new noise, $\sigma = 0.4$.

# %%
def truth(x):
    return np.sin(2 * np.pi * x) + x / 2


SIGMA, SETS = 0.4, by_profile(quick=200, standard=2000, full=10_000)
x_points, noise_rng = np.linspace(0, 1, 24), np.random.default_rng(3)
y_sets = truth(x_points) + SIGMA * noise_rng.normal(size=(SETS, 24))


def polynomial_fits(degree, x):
    """Every training set's fitted polynomial at the points x (m,). -> (SETS, m)"""
    # Legendre polynomials: the same fit as with 1, x, x² ..., with far less rounding
    basis = np.polynomial.legendre.legvander(2 * x_points - 1, degree)   # (24, d + 1)
    coefficients = np.linalg.lstsq(basis, y_sets.T)[0]                   # (d + 1, SETS)
    return (np.polynomial.legendre.legvander(2 * x - 1, degree) @ coefficients).T


# %% tags=["figure"]
#@title Figure: Straight lines err together, degree 15 errs each time in another way
x_fine = np.linspace(0, 1, 200)
fig, axes = plt.subplots(1, 3, figsize=(7.8, 3.1), sharey=True)
for ax, degree, verdict in zip(axes, (1, 3, 15), ("bias", "balance", "variance")):
    fits = polynomial_fits(degree, x_fine)
    ax.plot(x_fine, fits[:25].T, color=plotting.SKY, lw=0.7)
    ax.plot(x_points, y_sets[0], ".", color=plotting.GRAY)
    ax.plot(x_fine, truth(x_fine), color="black", lw=2, label="truth $f$")
    ax.plot(x_fine, fits.mean(axis=0), "--", color=plotting.RED, lw=2,
            label=r"mean $\bar g$")
    ax.set(title=f"degree {degree}: {verdict}", xlabel="$x$", ylim=(-2, 2.4))
axes[0].set_ylabel("$y$ (thin: 25 training sets)")
axes[0].legend(fontsize=8)
fig.suptitle("Straight lines err together, degree 15 errs each time in another way",
             fontweight="bold")
plt.show()


# %% [markdown]
# Straight lines agree with each other and are all wrong in the same way: bias. Degree 15 is right on average (the dashed mean lies on the truth) and wrong each time in another way: variance. Now the sum, averaged over the 24 points, and beside it the error measured on fresh noisy labels, which knows nothing of the formula.
# For least squares with $d + 1$ coefficients the variance is known exactly, too: the fit lets the noise of $d + 1$ of the $n$ directions through, $\sigma^2$ each, so the average over the $n$ training points is $\sigma^2 (d + 1)/n$.

# %%
def measured_parts(fits, f):
    """Averages over points: bias², variance. fits: (R, m), f: (m,)"""
    center = fits.mean(axis=0)
    return np.mean((f - center) ** 2), np.mean((fits - center) ** 2)


degrees = np.arange(0, 16)
f, fresh = truth(x_points), np.random.default_rng(4)
fits_by_degree = [polynomial_fits(d, x_points) for d in degrees]
parts = np.array([measured_parts(fits, f) for fits in fits_by_degree])
y_fresh = f + SIGMA * fresh.normal(size=(SETS, 24))
errors = np.array([np.mean((y_fresh - fits) ** 2) for fits in fits_by_degree])
on_training = np.array([np.mean((y_sets - fits) ** 2) for fits in fits_by_degree])
without_noise = np.array([np.mean((f - fits) ** 2) for fits in fits_by_degree])

claim("bias² + variance against the error without noise, largest difference",
      np.abs(parts.sum(axis=1) - without_noise).max(), at_most=1e-12)
off = parts.sum(axis=1) + SIGMA**2 - errors
claim("bias² + variance + noise against fresh labels, largest difference",
      np.abs(off).max(), at_most=0.01, applies=profile() != "quick")
formula = SIGMA**2 * (degrees + 1) / 24
worst = np.abs(parts[:, 1] / formula - 1).max()
print(f"variance against σ²(d+1)/n: off by {worst:.1%}")

# %% tags=["figure"]
#@title Figure: Three parts add up to the measured error
fig, ax = plt.subplots(figsize=(7, 3.6))
ax.stackplot(degrees, np.full(16, SIGMA**2), parts[:, 0], parts[:, 1],
             labels=["noise σ²", "bias²", "variance"],
             colors=[plotting.GRAY, plotting.ORANGE, plotting.SKY], alpha=0.75)
ax.plot(degrees, errors, "o", color="black", label="error on fresh labels, measured")
ax.plot(degrees, on_training, "x--", color=plotting.RED,
        label="error on training labels")
ax.set(title="Three parts add up to the measured error", ylim=(0, 0.8),
       xlabel="degree of the polynomial", ylabel="mean squared error")
ax.legend(fontsize=8)
plt.show()
print(f"smallest error {errors.min():.3f} at degree {errors.argmin()}; noise alone "
      f"{SIGMA**2:.3f}; at degree 15: training {on_training[-1]:.3f}, "
      f"fresh {errors[-1]:.3f}")


# %% [markdown]
# The black dots sit on top of the stack. The training error (crosses) keeps falling, below the noise: beyond the best degree it measures how much noise was learned by heart. With real data $f$ and $\sigma$ are unknown and only the dots can be measured, on validation data.

# %% [markdown]
# ### Very wide models
#
# The stack suggests that beyond some size everything gets worse. For very wide models this is false, and you can watch it turn. Take 200 digits and a network whose hidden layer is *random and never trained*: $N$ ReLU features. Only the last layer is fitted, by least squares to the one-hot labels. From $N = 200$ on, it can reproduce every training label;
# among the many solutions `lstsq` returns the one with the smallest weights. Repeat with many training sets and features, and split the squared error as above (labels without known $f$: the noise stays inside the bias² part). A mean of only $R$ runs is itself off by variance$/R$; that share is moved from bias² to the variance.

# %%
def random_features(N, seed):
    """N random ReLU features, seen from 200 random digits.

    -> features of images (n, 64) -> (n, N); the 200 digits' (200, N), labels (200, 10)
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(X_pool))[:200]
    V, c = rng.normal(0, 64**-0.5, (64, N)), rng.normal(0, 0.1, N)
    features = lambda X: np.maximum((X - X_pool.mean(axis=0)) @ V + c, 0)
    return features, features(X_pool[rows]), np.eye(10)[y_pool[rows]]


def fitted_outputs(N, seed):
    """Outputs on the test digits (500, 10); the largest error on a training label"""
    features, A, labels = random_features(N, seed)
    last = np.linalg.lstsq(A, labels)[0]                            # (N, 10)
    return features(X_test) @ last, np.abs(A @ last - labels).max()


# %%
MANY = [10, 20, 40, 80, 120, 160, 190, 200, 210, 250, 320, 500, 1000, 2500]
FEATURES = by_profile(quick=[20, 200, 800], standard=MANY, full=[*MANY, 6000])
RUNS = by_profile(quick=4, standard=48, full=96)
test_labels = np.eye(10)[y_test]
wide, misses = [], []
for N in FEATURES:
    runs = [fitted_outputs(N, seed) for seed in range(RUNS)]
    outputs = np.array([output for output, _ in runs])              # (R, 500, 10)
    misses.append(max(miss for _, miss in runs))
    errors_of_runs = np.sum((outputs - test_labels) ** 2, axis=-1).mean(axis=1)
    off_center = np.sum((outputs.mean(axis=0) - test_labels) ** 2, axis=-1).mean()
    spread = np.sum(outputs.var(axis=0, ddof=1), axis=-1).mean()
    bias2 = off_center - spread / RUNS
    wide.append((bias2, spread, np.median(errors_of_runs)))
    if N in (40, 80, 190, 200, 210, 250, FEATURES[-1]):
        shown = f"{bias2:.3f}" if spread / RUNS < bias2 else "?"
        print(f"N = {N:4}: bias² {shown:5}, variance {spread:7.3g}; squared error of a"
              f" run: median {wide[-1][2]:.3g}, largest {errors_of_runs.max():.3g}")
wide = np.array(wide)
claim("from N = 200 on, largest error on a training label",
      max(miss for N, miss in zip(FEATURES, misses) if N >= 200), at_most=1e-6)

# %% tags=["figure"]
#@title Figure: The variance peaks where the fit becomes just possible, then falls again
fig, ax = plt.subplots(figsize=(7, 3.5))
readable = np.where(wide[:, 1] / RUNS < wide[:, 0], wide[:, 0], np.nan)
ax.loglog(FEATURES, wide[:, :2].sum(axis=1), "o-", color="black", label="squared error")
ax.loglog(FEATURES, readable, "s--", ms=4, color=plotting.ORANGE,
          label="bias² (with noise)")
ax.loglog(FEATURES, wide[:, 1], "--", color=plotting.BLUE, label="variance")
ax.axvline(200, color=plotting.GRAY, ls=":")
ax.set(title="The variance peaks where the fit becomes just possible, then falls again",
       xlabel="random features $N$ (dotted: 200 training digits)",
       ylabel="per test digit")
ax.legend(fontsize=8)
plt.show()

# %% [markdown]
# Left of 200 the familiar shape. At $N = 200$ exactly one solution fits, however wild it has to be, and the error explodes. How high the peak is, these 48 runs can't say: the median run has an error of about 100, the worst one of 200,000, and a mean of such numbers has no digit to trust. Nor has bias² there, from which variance$/R$ is taken away; it is left out. To the right there is a choice, the smallest solution is tame, and the widest model is the best of all. This is *double descent* (双下降; Belkin et al. 2019, Nakkiran et al. 2020).
# The decomposition remains exact; what fails is the belief that variance must grow with the number of parameters. The bias has no peak.
#
# Is it the width that helps? Take the widest model and *another* of its exact solutions: add random weights to the last layer, but take away from them whatever the 200 training digits can feel. What remains changes no training output.

# %%
def other_solution(N, seed, size=0.2):
    """Squared error on the test digits, and the largest error on a training label."""
    features, A, labels = random_features(N, seed)
    smallest = np.linalg.lstsq(A, labels)[0]                        # (N, 10)
    random = size * np.random.default_rng(seed).normal(size=smallest.shape)
    felt = np.linalg.lstsq(A, A @ random)[0]    # smallest weights with the same A @ ...
    other = smallest + random - felt
    squared = np.sum((features(X_test) @ other - test_labels) ** 2, axis=-1).mean()
    return squared, np.abs(A @ other - labels).max()


others = np.array([other_solution(FEATURES[-1], seed) for seed in range(3)])
print(f"N = {FEATURES[-1]}, squared error: the smallest solutions {wide[-1, 2]:.3f}, "
      f"other exact ones {others[:, 0].mean():.3f}")
claim("largest error of these on a training label", others[:, 1].max(), at_most=1e-6)

# %% [markdown]
# The same perfect fit, and a far larger error. It is the choice of the *small* solution that makes the wide model good; the next sections make that choice on purpose.

# %% [markdown]
# ## 12.4 Weight decay: shrink what the data barely support
#
# Add a price for large weights to the loss: $L_\gamma(w) = L(w) + \tfrac\gamma2 |w|^2$, *weight decay* (权重衰减) with strength $\gamma$. What does it do to the solution? Near its minimum $w^*$ the loss is a quadratic with Hessian $H$ (notebook [[optimizers]]): gradient $H(w - w^*)$. Set the new gradient to zero:
#
# $$H(w - w^*) + \gamma w = 0 \;\Rightarrow\; (H + \gamma I)\, w = H w^* \;\Rightarrow\; \boxed{\;q_i^\top w = \frac{\lambda_i}{\lambda_i + \gamma}\; q_i^\top w^*\;}$$
#
# with $H q_i = \lambda_i q_i$. Along every eigendirection $q_i$ the solution shrinks by its own factor: where the data speak loudly ($\lambda_i \gg \gamma$) hardly at all, where they are nearly silent ($\lambda_i \ll \gamma$) to nothing.
#
# **As a prior.** Before seeing data, you believe the weights are normal with variance $\tau^2$: the prior (先验). The labels have normal noise of variance $\sigma^2$. Bayes' rule says how probable weights are *after* seeing $n$ examples, the posterior (后验):
#
# $$\underbrace{p(w \mid \text{data})}_{\text{posterior}} \;\propto\; \underbrace{\prod_i e^{-(y_i - x_i^\top w)^2 / 2\sigma^2}}_{\text{likelihood}} \;\cdot\; \underbrace{e^{-|w|^2 / 2\tau^2}}_{\text{prior}} .$$
#
# The likelihood is that of notebook [[loss_functions]]. The best weights maximize the posterior, so they minimize minus its logarithm, in which products become sums:
#
# $$\sum_i \frac{(y_i - x_i^\top w)^2}{2\sigma^2} + \frac{|w|^2}{2\tau^2} .$$
#
# Multiply by $\sigma^2/n$, which moves no minimum. The first term becomes the mean loss, the second the price:
#
# $$\underbrace{\tfrac1{2n}|Xw - y|^2}_{L(w)} + \tfrac12\,\underbrace{\tfrac{\sigma^2}{n\tau^2}}_{\gamma}\,|w|^2 .$$
#
# So decay is a prior of width $\tau$, and it should weaken as $1/n$. Least squares with it is *ridge regression* (岭回归). Test on images: predict $y = +1$ for an odd digit and $−1$ for an even one from 64 centered pixels, $X$ of shape (100, 64).

# %%
X_ridge = X_pool[:100] - X_pool[:100].mean(axis=0)
y_ridge = 1.0 - 2 * (y_pool[:100] % 2 == 0)
H = X_ridge.T @ X_ridge / 100
lams, Q = np.linalg.eigh(H)                        # ascending; eigenvectors are columns
w_star = np.linalg.lstsq(X_ridge, y_ridge)[0]      # the smallest of the exact solutions


def ridge(X, y, gamma):
    """Minimum of |Xw - y|²/2n + gamma |w|²/2. X: (n, d), y: (n,) -> (d,)"""
    H = X.T @ X / len(y)
    return np.linalg.solve(H + gamma * np.eye(len(H)), X.T @ y / len(y))


# %% tags=["evidence"]
#@title Evidence: each direction shrinks as derived; equal to scikit-learn's ridge
formula = Q @ (lams / (lams + 0.01) * (Q.T @ w_star))
witness = Ridge(alpha=100 * 0.01, fit_intercept=False).fit(X_ridge, y_ridge).coef_
claim("shrinkage formula against ridge, largest difference",
      np.abs(formula - ridge(X_ridge, y_ridge, 0.01)).max(), at_most=1e-9)
claim("ridge against scikit-learn, largest difference",
      np.abs(ridge(X_ridge, y_ridge, 0.01) - witness).max(), at_most=1e-9)

# %%
X_far, y_far = X_val - X_pool[:100].mean(axis=0), 1.0 - 2 * (y_val % 2 == 0)
gammas = np.logspace(-5, 1, 40)
val_error = [np.mean((X_far @ ridge(X_ridge, y_ridge, g) - y_far) ** 2) for g in gammas]
best_gamma = gammas[np.argmin(val_error)]
print(f"validation error: {np.mean((X_far @ w_star - y_far)**2):.2f} without decay, "
      f"{min(val_error):.2f} at γ = {best_gamma:.2g}")

# %% tags=["figure"]
#@title Figure: Each direction shrinks by λ/(λ+γ), and a little shrinking pays
fig, axes = plt.subplots(1, 2, figsize=(7.8, 3.3))
line = np.logspace(-5, 0.5, 200)
for g, color in zip((0.001, best_gamma, 1.0), plotting.PALETTE):
    axes[0].semilogx(line, line / (line + g), color=color, label=f"γ = {g:.2g}")
    kept = (Q.T @ ridge(X_ridge, y_ridge, g))[lams > 1e-5] / (Q.T @ w_star)[lams > 1e-5]
    axes[0].plot(lams[lams > 1e-5], kept, ".", color=color)
axes[0].set(xlabel="eigenvalue λ of H",
            ylabel="share of $w^*$ that is kept")
axes[0].legend(fontsize=8)
axes[1].semilogx(gammas, val_error)
axes[1].axhline(np.mean((X_far @ w_star - y_far) ** 2), color=plotting.GRAY, ls="--")
axes[1].text(2e-4, np.mean((X_far @ w_star - y_far) ** 2) * 0.96, "γ = 0", va="top")
axes[1].set(xlabel="decay γ", ylabel="squared error, validation")
fig.suptitle("Each direction shrinks by λ/(λ+γ), and a little shrinking pays",
             fontweight="bold")
plt.show()

# %% [markdown]
# Dots are the solved weights, lines the formula. What does shrinking look like? The 64 weights make an image of 8×8 (each with its own color scale, up to the largest weight in its title):

# %%
top = np.argsort(-np.abs(w_star))[:3]
print("pixels with the three largest weights at γ = 0: variance",
      np.diag(H)[top].round(4), f"; median of all pixels {np.median(np.diag(H)):.3f}")

# %% tags=["figure"]
#@title Figure: Decay removes the wild pixels first: blue says odd, red says even
shown = [w_star, *[ridge(X_ridge, y_ridge, g) for g in (1e-3, best_gamma, 1.0)]]
fig, axes = plt.subplots(1, 4, figsize=(8.6, 2.5))
for ax, weights, name in zip(axes, shown, ("γ = 0", "γ = 0.001", "best γ", "γ = 1")):
    limit = np.abs(weights).max()
    ax.imshow(weights.reshape(8, 8), cmap="RdBu", vmin=-limit, vmax=limit)
    ax.set(title=f"{name}\nlargest {limit:.2g}", xticks=[], yticks=[])
    ax.grid(False)
fig.suptitle("Decay removes the wild pixels first: blue says odd, red says even",
             fontweight="bold")
plt.show()


# %% [markdown]
# Without decay the largest weights sit on pixels in which the hundred digits hardly differ (printed above): in such a direction $|Xw|^2/n$ is tiny, so it is made of eigenvectors with small $\lambda$. Decay takes these weights away first and leaves the strokes.
#
# In a deep network $H$ changes with $w$ and the formula holds only near a minimum. And with Adam, a price in the loss and a decay of the weights are different things: AdamW is the second (notebook [[optimizers]]). Biases, gains and shifts are usually not decayed; our short trainer decays everything.

# %% [markdown]
# ### Exercise 12.4 · how many weights are really in use? (15 min)
# Summed over directions, the kept shares count the *effective parameters* (有效参数): $\text{df}(\gamma) = \sum_i \lambda_i/(\lambda_i + \gamma)$, between 0 and the number $d$ of weights. Return it for $L = \tfrac1{2n}|Xw - y|^2$, and then the $\gamma > 0$ that leaves $k$ effective parameters, to three digits (halve an interval of $\log\gamma$ from $10^{-9}$ to $10^{9}$; df falls as $\gamma$ grows). There may be fewer examples than columns.

# %% tags=["exercise"]
def effective_parameters(X, gamma):
    """Sum of the kept shares for the columns of X (n, d) as they are. -> float"""
    raise NotImplementedError("your turn")


def gamma_for(X, k):
    """The decay that leaves k effective parameters, 0 < k < rank of X. -> float"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("12.4", "effective parameters"):
    def back_t(X, gamma):
        """How much of a nudge of each label comes back in its own prediction."""
        n, d = X.shape
        return np.trace(X @ np.linalg.solve(X.T @ X / n + gamma * np.eye(d), X.T / n))

    # (6, 9) has fewer examples than columns: at most 6 parameters can be in use
    for n_t, d_t, k_t in [(30, 5, 2.5), (12, 7, 6.0), (40, 3, 0.2), (6, 9, 4.0)]:
        X_t = np.random.default_rng(n_t).normal(size=(n_t, d_t))
        X_t *= np.arange(1, d_t + 1)
        for gamma_t in (0.01, 2.0):
            np.testing.assert_allclose(
                effective_parameters(X_t.copy(), gamma_t), back_t(X_t, gamma_t),
                rtol=1e-4,
                err_msg=f"df of {n_t} examples, {d_t} columns, γ = {gamma_t}")
        left_t = back_t(X_t, gamma_for(X_t.copy(), k_t))
        np.testing.assert_allclose(left_t, k_t, rtol=1e-3, err_msg=f"left of k = {k_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.linalg.eigvalsh(X.T @ X / n)` gives all $\lambda_i$. For the second, keep `low` and `high` (logarithms); where the middle leaves more than $k$, the decay must grow: move `low` up.
# </details>

# %% tags=["solution"]
#@title Solution 12.4 · runs only while yours does not pass
if not solved("12.4"):
    def effective_parameters(X, gamma):
        lams = np.linalg.eigvalsh(X.T @ X / len(X))
        return np.sum(lams / (lams + gamma))


    def gamma_for(X, k):
        low, high = np.log(1e-9), np.log(1e9)
        for _ in range(100):
            middle = (low + high) / 2
            if effective_parameters(X, np.exp(middle)) > k:
                low = middle
            else:
                high = middle
        return np.exp(middle)

# %% [markdown]
# ## 12.5 Dropout: train many networks at once
#
# *Dropout* (随机失活) switches each hidden unit off with probability $p$, anew for each example and step. A unit must not rely on one particular other unit. Multiply the activation $a_j$ by a random $m_j$, independent of the others, that is 0 with probability $p$ and $1/(1-p)$ otherwise (*inverted* scaling). Mean and variance:
#
# $$\mathbb E[m_j] = (1-p)\,\frac1{1-p} = 1, \qquad \operatorname{Var}[m_j] = (1-p)\,\frac1{(1-p)^2} - 1 = \frac{p}{1-p}.$$
#
# So what the next layer reads, $z = \sum_j w_j m_j a_j$, keeps its mean and gains noise, and for evaluation you simply leave $m$ out:
#
# $$\mathbb E[z] = \sum_j w_j a_j, \qquad \operatorname{Var}[z] = \frac{p}{1-p}\sum_j w_j^2 a_j^2 .$$

# %% tags=["nbval-check-output"]
multipliers, chances = np.array([0, 1 / 0.7]), np.array([0.3, 0.7])      # p = 0.3
mean = multipliers @ chances
print(f"p = 0.3: mean {mean:.3f}, variance {(multipliers - mean)**2 @ chances:.4f},"
      f" p/(1-p) = {0.3 / 0.7:.4f}")

# %% [markdown]
# **What does the noise do to the solution?** For a linear model it can be worked out. Inputs $x$ with dropout, half squared error; write $\hat y = \sum_j w_j x_j$. Then $y - z$ has mean $y - \hat y$ and the variance above, and $\mathbb E[u^2] = (\mathbb E u)^2 + \operatorname{Var} u$:
#
# $$\mathbb E_m\Big[\tfrac12 (y - z)^2\Big] = \tfrac12 (y - \hat y)^2 + \tfrac12\,\frac{p}{1-p} \sum_j w_j^2 x_j^2 .$$
#
# Averaged over the examples: the plain loss plus $\tfrac12\sum_j \gamma_j w_j^2$ with $\gamma_j = \frac{p}{1-p}\,\overline{x_j^2}$, where the bar is the mean over examples. **In expectation dropout is weight decay, with a price for each weight that grows with the size of its input.** No sampling is needed to check: eight inputs have only $2^8$ masks; add them all up with their probabilities.

# %%
X_small, y_small = X_ridge[:, [26, 27, 28, 29, 34, 35, 36, 37]], y_ridge  # 8 pixels
p_drop = 0.3
# row i: the eight binary digits of i, so all rows together are all masks
keeps = (np.arange(256)[:, None] >> np.arange(8)) & 1                    # (256, 8)
chance = np.prod(np.where(keeps, 1 - p_drop, p_drop), axis=1)            # sums to 1
w_try = np.random.default_rng(6).normal(size=8)


def exact_dropout_loss(w):
    """Mean loss over every mask, weighted with its probability."""
    z = X_small @ (keeps / (1 - p_drop) * w).T                           # (100, 256)
    return np.mean((z - y_small[:, None]) ** 2, axis=0) @ chance / 2


price = p_drop / (1 - p_drop) * np.mean(X_small**2, axis=0)
penalized = lambda w: np.mean((X_small @ w - y_small) ** 2) / 2 + price @ w**2 / 2
claim("dropout loss over all masks against the penalty, difference",
      abs(exact_dropout_loss(w_try) - penalized(w_try)), at_most=1e-12)
w_drop = np.linalg.solve(X_small.T @ X_small / 100 + np.diag(price),
                         X_small.T @ y_small / 100)
claim("gradient of the dropout loss at the ridge solution, largest",
      np.abs(numerical_gradient(exact_dropout_loss, w_drop)).max(), at_most=1e-8)


# %% [markdown]
# Equal, and so are the minima. In a deep network the equality is lost: the noise also passes through nonlinearities, and the many thinned networks share their weights, which is why dropout is also read as training an ensemble. Section 12.8 measures what it buys.

# %% [markdown]
# ### Exercise 12.5 · a dropout layer, forward and backward (8 min)
# Given uniform random numbers $u$ of the activations' shape, drop a unit where $u < p$ (and only there). Return the output and the gradient with respect to $a$. With `training=False` nothing is dropped and nothing is scaled.

# %% tags=["exercise"]
def dropout(a, grad_out, p, u, training=True):
    """Inverted dropout. a, grad_out (gradient at the output), u: all (B, d).

    -> output (B, d), gradient of the loss at a (B, d)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("12.5", "dropout forward and backward"):
    for seed_t, (shape_t, p_t) in enumerate(
            [((5, 3), 0.25), ((2, 6), 0.7), ((1, 1), 0.5)]):
        draw_t = np.random.default_rng(seed_t)
        a_t, up_t = draw_t.normal(size=(2, *shape_t))
        u_t = draw_t.random(shape_t)
        u_t[0, 0] = p_t                         # not below p: kept
        factor_t = {True: np.where(u_t < p_t, 0, 1 / (1 - p_t)), False: 1.0}
        for training_t in (True, False):
            out_t, grad_t = dropout(a_t.copy(), up_t.copy(), p_t, u_t.copy(),
                                    training=training_t)
            for name_t, got_t, right_t in (
                    ("output", out_t, a_t * factor_t[training_t]),
                    ("gradient", grad_t, up_t * factor_t[training_t])):
                np.testing.assert_allclose(
                    got_t, right_t, rtol=1e-5, atol=1e-7,
                    err_msg=f"{name_t}, p = {p_t}, training={training_t}")
    kept_t, _ = dropout(a_t.copy(), up_t.copy(), p_t, u_t.copy())
    np.testing.assert_allclose(kept_t, a_t * factor_t[True], rtol=1e-5,
                               err_msg="training is the default")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Both ways multiply by the same array, the gate of 12.1.
# </details>

# %% tags=["solution"]
#@title Solution 12.5 · runs only while yours does not pass
if not solved("12.5"):
    def dropout(a, grad_out, p, u, training=True):
        gate = (u >= p) / (1 - p) if training else np.ones(a.shape)
        return a * gate, grad_out * gate

# %% [markdown]
# ## 12.6 Early stopping: weight decay by the clock
#
# Decay pulls weights towards zero. Training *starts* near zero, so stopping early (早停) should do something similar. For descent on the quadratic from $w = 0$, notebook [[optimizers]] showed that the error along $q_i$ shrinks by $1 - \eta\lambda_i$ per step. After $t$ steps
#
# $$q_i^\top w_t = \big(1 - (1 - \eta\lambda_i)^t\big)\, q_i^\top w^*.$$
#
# Compare with $\lambda_i/(\lambda_i + \gamma)$. For a weak direction, $\eta\lambda_i t \ll 1$, the first is about $\eta\lambda_i t$ and the second about $\lambda_i/\gamma$; for a strong one both are about 1. They match at
#
# $$\boxed{\;\gamma \approx \frac{1}{\eta\, t}\;}$$
#
# **Stopping at step $t$ is like weight decay of strength $1/(\eta t)$.** How good is "like"? The pixels of 12.4 again.

# %%
eta_gd, times = 1.0, np.unique(np.logspace(0, 4, 60).astype(int))
w, stops = np.zeros(64), {}
for t in range(1, times[-1] + 1):
    w = w - eta_gd * X_ridge.T @ (X_ridge @ w - y_ridge) / 100
    if t in times:
        stops[t] = w
kept = np.array([Q @ ((1 - (1 - eta_gd * lams) ** t) * (Q.T @ w_star)) for t in times])
claim("descent against the formula, largest difference of a weight",
      np.abs(kept - np.array(list(stops.values()))).max(), at_most=1e-8)

error_of = lambda w: np.mean((X_far @ w - y_far) ** 2)
stopped = np.array([error_of(w) for w in stops.values()])
decayed = np.array([error_of(ridge(X_ridge, y_ridge, 1 / (eta_gd * t))) for t in times])
u = np.linspace(0.01, 20, 2000)
apart = np.max(1 - np.exp(-u) - u / (1 + u))          # with u = ηλt
here = max(np.abs(1 - (1 - eta_gd * lams) ** t - lams / (lams + 1 / (eta_gd * t))).max()
           for t in times)
print(f"largest difference of the shares: {apart:.2f} at small η, {here:.2f} here")
print(f"validation error at the same t, stopped against decayed: "
      f"{(stopped / decayed - 1).min():+.0%} to {(stopped / decayed - 1).max():+.0%}")
print(f"best: {stopped.min():.3f} stopped at t = {times[stopped.argmin()]}, "
      f"{decayed.min():.3f} with the decay of t = {times[decayed.argmin()]}")

# %% tags=["figure"]
#@title Figure: Stopping and decay shrink alike, and their best errors agree
fig, axes = plt.subplots(1, 2, figsize=(7.8, 3.3))
for t, color in zip((10, 100, 1000), plotting.PALETTE):
    share = np.logspace(-4, 0, 200)                    # eigenvalues
    axes[0].semilogx(share, 1 - (1 - eta_gd * share) ** t, color=color,
                     label=f"$t$ = {t}")
    axes[0].semilogx(share, share / (share + 1 / (eta_gd * t)), "--", color=color)
axes[0].set(xlabel="eigenvalue λ", ylabel="share of $w^*$ (dashed: decay 1/ηt)")
axes[0].legend(fontsize=8)
axes[1].semilogx(times, stopped, label="stopped at $t$")
axes[1].semilogx(times, decayed, "--", label="decay γ = 1/ηt")
axes[1].set(xlabel="$t$", ylabel="squared error, validation")
axes[1].legend(fontsize=8)
fig.suptitle("Stopping and decay shrink alike, and their best errors agree",
             fontweight="bold")
plt.show()


# %% [markdown]
# At small $\eta\lambda$ the shares never differ by more than 0.20, here by 0.30. At the same $t$ the errors differ by up to 14 %, and the best stop comes at half the time that $\gamma = 1/\eta t$ says: the rule is right to a factor of 2 here, no better. Yet the two *best* errors agree: early stopping is decay without a search, since one run passes through all strengths (it does need validation data). It is *not* the same for Adam or a deep network, where the clock runs at another speed for every weight.

# %% [markdown]
# ## 12.7 Spot the bug: "repeat until the model converges"
#
# Document 1, 3.2 ends its list of training steps with: repeat until the model converges. Taken at its word, the rule watches the training loss and stops when it no longer changes by more than some tolerance. Give it 200 digits of which every fifth label is wrong (validation and test labels stay right). That is more than in curated data: in ten well-known test sets 3.3 % of the labels are wrong on average (Northcutt et al. 2021).

# %%
def noisy_set(seed, n=200, share=0.2):
    """n random digits of the pool; a share of them gets a random wrong label."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(X_pool))[:n]
    y = y_pool[rows].copy()
    wrong = np.arange(int(share * n))
    y[wrong] = (y[wrong] + rng.integers(1, 10, len(wrong))) % 10
    return X_pool[rows], y


def until_converged(losses, tolerance):
    """The rule taken at its word: first epoch whose loss is nearly the one before."""
    small = np.abs(np.diff(losses)) < tolerance
    return int(np.argmax(small)) + 1 if small.any() else len(losses) - 1


X_noisy, y_noisy = noisy_set(0)
epochs = fit(sizes, X_noisy, y_noisy, steps=1400, every=7)   # 7 batches: about an epoch
train_losses = np.array([score(w, sizes, X_noisy, y_noisy)[0] for w in epochs])
val_losses = np.array([score(w, sizes, X_val, y_val)[0] for w in epochs])

best_epoch = val_losses.argmin()
for tolerance in (1e-2, 1e-3, 1e-5):
    stop = until_converged(train_losses, tolerance)
    print(f"tolerance {tolerance:g}: stops after epoch {stop}, "
          f"validation loss {val_losses[stop]:.2f}")
print(f"best: epoch {best_epoch}, validation loss {val_losses.min():.2f}; "
      f"accuracy {score(epochs[best_epoch], sizes, X_val, y_val)[1]:.1%}, "
      f"at the end {score(epochs[-1], sizes, X_val, y_val)[1]:.1%}")

# %% tags=["figure"]
#@title Figure: Converged is not the same as good
fig, ax = plt.subplots(figsize=(8, 3.5))
ax.semilogy(train_losses, label="training (20 % wrong labels)")
ax.semilogy(val_losses, label="validation")
for tolerance, color in ((1e-2, plotting.PURPLE), (1e-3, plotting.RED),
                         (1e-5, "black")):
    ax.axvline(until_converged(train_losses, tolerance), color=color, ls=":",
               label=f"converged to {tolerance:g}")
ax.axvline(best_epoch, color=plotting.GREEN, ls="--", label="best validation")
ax.set(title="Converged is not the same as good", xlabel="epoch", ylabel="loss in nats",
       ylim=(0.01, 5))
ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %%
print("seven other draws of digits, wrong labels and start:")
for seed in by_profile(quick=range(1, 3), standard=range(1, 8), full=range(1, 8)):
    noisy = noisy_set(seed)
    path = fit(sizes, *noisy, steps=1400, every=7, seed=seed)
    of_train = np.array([score(w, sizes, *noisy)[0] for w in path])
    of_val = np.array([score(w, sizes, X_val, y_val) for w in path])
    best = of_val[:, 0].argmin()
    print(f"best epoch {best:2}; tolerance 0.01 stops after "
          f"{until_converged(of_train, 0.01)}, 0.001 after "
          f"{until_converged(of_train, 0.001)}, 0.00001 after "
          f"{until_converged(of_train, 1e-5)}; accuracy {of_val[best, 1]:.1%}, "
          f"at the end {of_val[-1, 1]:.1%}")


# %% [markdown]
# Two defects. The rule asks the wrong curve: while the training loss goes on falling, the wrong labels are learned by heart, the validation loss climbs and ten points of accuracy are lost (4 to 16 in the other draws). And the result hangs on the tolerance and on luck: 0.01 mostly stops too early; 0.001 stops anywhere between epoch 39 and 89, wherever two noisy losses happen to be close; 0.00001 is often not met in 200 epochs. In practice training ends by a *budget* (large models: a number of tokens fixed in advance, Hoffmann et al. 2022) or by early stopping with *patience*:
# go on while the validation loss sets new records, stop after `patience` epochs without one, and **return to the weights of the best epoch**.

# %% [markdown]
# ### Exercise 12.7 · the repair (10 min)
# Walk through the validation losses as if they came one epoch at a time. A record is a loss strictly below all before it (the first is one). Stop at the first epoch at which `patience` epochs in a row have set no record; if that never happens, run to the end.

# %% tags=["exercise"]
def early_stop(losses, patience):
    """losses: validation loss of epochs 0, 1, 2 ... -> (last epoch run, best epoch)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("12.7", "early stopping with patience"):
    turns_t = [3, 2, 2, 1.5, 1.6, 1.7, 1.4]
    for losses_t, patience_t, right_t in [
            (turns_t, 2, (5, 3)), (turns_t, 3, (6, 6)), (turns_t, 9, (6, 6)),
            ([1, 1, 1, 1], 2, (2, 0)), ([5, 4, 3], 1, (2, 2)), ([2, 3, 1], 1, (1, 0)),
            ([1, 3, 2, 2.5, 1.5], 3, (3, 0)), ([4, 5, 3, 6, 7, 8, 1], 3, (5, 2)),
            ([0.5], 1, (0, 0))]:
        got_t = tuple(early_stop(np.array(losses_t, float), patience_t))
        assert got_t == right_t, (
            f"{losses_t}, patience {patience_t}: {got_t}, not {right_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Keep only the best epoch so far; the epochs without a record are `epoch - best`.
# </details>

# %% tags=["solution"]
#@title Solution 12.7 · runs only while yours does not pass
if not solved("12.7"):
    def early_stop(losses, patience):
        best = 0
        for epoch in range(len(losses)):
            if losses[epoch] < losses[best]:
                best = epoch
            if epoch - best >= patience:
                break
        return epoch, best

# %% [markdown]
# ## 12.8 Decay, dropout, early stopping: a fair comparison
#
# (AdamW's $\gamma$ is not on the scale of 12.4: each step multiplies the weights by $1 - \eta\gamma$, at $\gamma = 1$ by 0.997, whatever the curvature.) The rules: same 200 digits with 20 % wrong labels for all methods, five draws of them; same network (128 hidden units), same optimizer and steps; each method's strength is chosen by the *validation* loss, averaged over the draws; then the test set is asked, once. Early stopping chooses its epoch in each run.

# %%
DRAWS = range(by_profile(quick=2, standard=5, full=20))
STEPS = by_profile(quick=100, standard=800, full=2000)
big = (64, 128, 10)
options = {"nothing": [{}],
           "decay": [{"gamma": g} for g in by_profile(
               quick=[0.3], standard=[0.3, 1, 3], full=[0.03, 0.1, 0.3, 1, 3, 10])],
           "dropout": [{"p": p} for p in by_profile(
               quick=[0.5], standard=[0.3, 0.6, 0.8],
               full=[0.1, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9])]}


def regularized_runs(settings):
    """Validation losses (draws, T), and the path of weights of each run."""
    paths = [fit(big, *noisy_set(seed), STEPS, 25, seed=seed, **settings)
             for seed in DRAWS]
    losses = [[score(w, big, X_val, y_val)[0] for w in path] for path in paths]
    return np.array(losses), paths


chosen = {}
for name, candidates in options.items():
    results = [regularized_runs(settings) for settings in candidates]
    best = int(np.argmin([losses[:, -1].mean() for losses, _ in results]))
    chosen[name] = (candidates[best], *results[best])

# %%
curves = {f"{name} {next(iter(settings.values()), '')}".strip(): losses
          for name, (settings, losses, _) in chosen.items()}
finals = {label: [path[-1] for path in paths]
          for label, (_, _, paths) in zip(curves, chosen.values())}
_, losses_plain, paths_plain = chosen["nothing"]
finals["early stopping"] = [p[l.argmin()] for p, l in zip(paths_plain, losses_plain)]
tests = {name: np.array([score(w, big, X_test, y_test) for w in ws])
         for name, ws in finals.items()}
for name, values in tests.items():
    mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
    print(f"{name:15} test loss {mean[0]:.3f} ± {spread[0]:.3f}, "
          f"accuracy {mean[1]:.1%} ± {spread[1]:.1%}")

# %% tags=["figure"]
#@title Figure: Left alone the network gets worse with time; each remedy helps
fig, axes = plt.subplots(1, 2, figsize=(8, 3.4))
for (label, losses), color in zip(curves.items(), plotting.PALETTE):
    axes[0].plot(25 * np.arange(losses.shape[1]), losses.mean(axis=0), color=color,
                 label=label)
axes[0].plot(25 * losses_plain.argmin(axis=1), losses_plain.min(axis=1), "v",
             color=plotting.PALETTE[3], label="nothing: best step of each draw")
axes[0].set(xlabel="step", ylim=(0.3, 2), ylabel="validation loss in nats")
axes[0].legend(fontsize=8)
for row, (name, values) in enumerate(tests.items()):
    axes[1].plot(100 * values[:, 1], np.full(len(values), row), "o", alpha=0.6,
                 color=plotting.PALETTE[row])
    axes[1].plot(100 * values[:, 1].mean(), row, "|", ms=22, color="black")
axes[1].set_yticks(range(len(tests)), tests)
axes[1].set(xlabel="test accuracy, % (bar: mean)", ylim=(3.6, -0.6))
fig.suptitle("Left alone the network gets worse with time; each remedy helps",
             fontweight="bold")
plt.show()

# %%
for name in tests:
    if name != "nothing":
        gain = 100 * (tests[name][:, 1] - tests["nothing"][:, 1])
        print(f"{name:15} against nothing, draw by draw: {gain.mean():+.1f} points"
              f" ± {gain.std(ddof=1) / len(gain)**0.5:.1f} (standard error)")


def rescaled(w):
    """Factor on the logits with the least validation loss; the test loss with it."""
    factors = np.logspace(-1, 1, 41)
    z_val, z_test = (gated_forward(views(w, big), X)[2] for X in (X_val, X_test))
    losses = [row_losses(c * z_val, y_val)[0].mean() for c in factors]
    best = factors[np.argmin(losses)]
    return best, row_losses(best * z_test, y_test)[0].mean()


for name, ws in finals.items():
    factor, loss = np.mean([rescaled(w) for w in ws], axis=0)
    print(f"{name:15} logits × {factor:.2f} (mean): test loss {loss:.3f}")


# %% [markdown]
# Each of the three buys seven or eight points of accuracy over the same network left alone, several standard errors in paired comparison: on these noisy labels regularization is no detail. Among each other they are within a point or so, less than the draws differ. The test *loss* seems to order them, dropout before early stopping before decay. But multiply the logits by one number, chosen on the validation digits (the last lines): decay and early stopping want a factor well above 1, they were too *un*sure, and the order is gone; the plain network stays far behind.
#
# Two unfair things remain, and you should say so in any report: decay and dropout had three strengths to choose from, early stopping more than thirty moments in every run; and the strengths were chosen by a loss that also punishes being too sure or too unsure, then compared by accuracy. The three can also be combined; that is another search (12.11).

# %% [markdown]
# ## 12.9 Normalization: a wider range of rates
#
# Document 3, FAQ 9.2 answers "how do I train faster?" with batch normalization. Notebook [[convolution]] derives it and notebook [[embeddings_and_attention]] derives layer normalization; here they are used. Both subtract a mean and divide by a standard deviation: batch norm (批归一化) over the batch for each unit (axis 0), layer norm (层归一化) over the units for each example (axis 1). Convolutional networks use the first, Transformers the second or its simpler cousin RMSNorm.
#
# For deep stacks we need a second small network, used again in 12.10. With $h_0 = X W_{in}$ and width $d$, block $l$ reads $h_{l-1}$ of shape $(B, d)$ and writes
#
# $$h_l = \text{skip}\cdot h_{l-1} + s\cdot \mathrm{relu}(N(h_{l-1}))\, W_l, \qquad \text{logits} = \mathrm{relu}(N(h_L))\, W_{out},$$
#
# where $N$ is a normalization or nothing, skip is 0 or 1, and $s$ a number. No biases; gain and shift of the normalization are left out. The pixels are centered, `X_deep`.

# %%
def norm(h, axis):
    """(h - mean) / deviation along the axis, and the deviation. h: (B, d)

    axis 0: batch norm, 1: layer norm, None: h itself
    """
    if axis is None:
        return h, 1.0
    deviation = np.sqrt(h.var(axis=axis, keepdims=True) + 1e-5)
    return (h - h.mean(axis=axis, keepdims=True)) / deviation, deviation


def norm_backward(delta, n, deviation, axis):
    """Gradient at h from the gradient at n = norm(h); (B, d) like both.

    Derived in the notebooks on convolution and attention. If you haven't read those,
    take it on trust: a claim below checks it.
    """
    if axis is None:
        return delta
    inner = delta.mean(axis=axis, keepdims=True)
    along = (delta * n).mean(axis=axis, keepdims=True)
    return (delta - inner - n * along) / deviation


# %%
def deep_views(w, depth, d):
    """Flat w -> W_in (64, d), W (depth, d, d), W_out (d, 10), without copying."""
    a, b = 64 * d, 64 * d + depth * d * d
    return w[:a].reshape(64, d), w[a:b].reshape(depth, d, d), w[b:].reshape(d, 10)


def deep_start(depth, d, gain2, rng):
    """Normal weights of variance gain2 / fan-in: 2 is He's. -> (P,)"""
    return np.concatenate([rng.normal(0, (1 / 64) ** 0.5, 64 * d),
                           rng.normal(0, (gain2 / d) ** 0.5, depth * d * d),
                           rng.normal(0, (1 / d) ** 0.5, d * 10)])


# %%
def deep_forward(w, depth, d, X, axis=None, skip=0, s=1.0):
    """-> logits (B, 10); N(h_l), its deviation and relu(N(h_l)) for each l; h_L (B, d)

    axis: which normalization (see norm); skip: 1 with a bypass; s: size of the branch
    """
    W_in, W, W_out = deep_views(w, depth, d)
    h, kept = X @ W_in, []                                 # h_0 (B, d)
    for l in range(depth + 1):
        n, deviation = norm(h, axis)
        kept.append((n, deviation, np.maximum(n, 0)))
        if l < depth:
            h = skip * h + s * (kept[-1][2] @ W[l])        # W[l] is W_{l+1} of the text
    return kept[-1][2] @ W_out, kept, h


def deep_loss_and_gradient(w, depth, d, X, y, axis=None, skip=0, s=1.0):
    """-> mean loss, gradient (P,), and dL/dh_l for l = 0 ... depth: list of (B, d)"""
    _, W, W_out = deep_views(w, depth, d)
    logits, kept, _ = deep_forward(w, depth, d, X, axis, skip, s)
    losses, delta = row_losses(logits, y)
    delta = delta / len(y)                                 # (B, 10)
    g = np.empty_like(w)
    g_in, g_W, g_out = deep_views(g, depth, d)             # to fill these is to fill g
    g_out[:] = kept[-1][2].T @ delta
    back, of_h = delta @ W_out.T, []                       # at relu(N(h_L)), (B, d)
    for l in reversed(range(depth + 1)):
        n, deviation, _ = kept[l]
        at_h = norm_backward(back * (n > 0), n, deviation, axis)
        if l < depth:
            at_h = at_h + skip * of_h[-1]                  # what comes by the bypass
        of_h.append(at_h)
        if l > 0:
            g_W[l - 1] = s * kept[l - 1][2].T @ at_h
            back = s * (at_h @ W[l - 1].T)
    g_in[:] = X.T @ of_h[-1]
    return losses.mean(), g, of_h[::-1]


# %%
X_deep = X_pool[:300] - X_pool[:300].mean(axis=0)

# %% tags=["evidence"]
#@title Evidence: the deep gradient equals central differences, in four kinds of stack
worst = 0.0
for axis, skip, s in ((None, 0, 1.0), (0, 1, 0.5), (1, 0, 1.0), (1, 1, 0.3)):
    w = deep_start(3, 5, 2.0, np.random.default_rng(9))
    deep_loss = lambda w: deep_loss_and_gradient(
        w, 3, 5, X_deep[:20], y_pool[:20], axis, skip, s)
    nudged = numerical_gradient(lambda w: deep_loss(w)[0], w)
    worst = max(worst, np.abs(nudged - deep_loss(w)[1]).max())
claim("deep gradient against central differences, largest difference", worst,
      at_most=1e-6)

# %% [markdown]
# **Why should it help?** Without the small $10^{-5}$, $N(cz) = N(z)$ for every $c > 0$: multiplying a block's weights by $c$ changes nothing that follows, as long as skip = 0 (with a bypass, $c$ changes the branch's share of the sum). So a start that is too large or too small is forgiven. And differentiating $L(cW) = L(W)$ gives $c\,\nabla L(cW) = \nabla L(W)$: **weights $c$ times larger get gradients $c$ times smaller**; too large a step makes the weights grow, which shrinks the next steps. Check on the first matrix, then measure: five blocks of 32 units without bypass, plain SGD, 100 steps at each rate, two seeds, from a He start and from one with all five $W_l$ three times too large.

# %%
BLOCKS = 5
base = deep_start(BLOCKS, 32, 2.0, np.random.default_rng(1))
scaled = base.copy()
scaled[:64 * 32] *= 3                                    # W_in three times larger
for axis, name in ((None, "plain"), (0, "batch norm"), (1, "layer norm")):
    first, third = (deep_loss_and_gradient(w, BLOCKS, 32, X_deep, y_pool[:300], axis)
                    for w in (base, scaled))
    ratio = np.linalg.norm(third[1][:2048]) / np.linalg.norm(first[1][:2048])
    print(f"{name:10} loss {first[0]:.4f} -> {third[0]:.4f},  |∂L/∂W_in| × {ratio:.3f}")

# %%
RATES = 10.0 ** by_profile(quick=np.arange(-2, 1.1, 1.5),
                           standard=np.arange(-3, 1.6, 0.5),
                           full=np.arange(-4, 2.1, 0.25))
SGD_STEPS = by_profile(quick=10, standard=100, full=300)


def loss_after_sgd(rate, axis, gain2, seed):
    """Training loss on 300 digits after SGD with batches of 64; capped at 10 nats."""
    rng = np.random.default_rng(seed)
    w, queue = deep_start(BLOCKS, 32, gain2, rng), endless_batches(300, 64, rng)
    with np.errstate(all="ignore"):                             # divergence is a result
        for _ in range(SGD_STEPS):
            rows = next(queue)
            w = w - rate * deep_loss_and_gradient(
                w, BLOCKS, 32, X_deep[rows], y_pool[rows], axis)[1]
        loss = deep_loss_and_gradient(w, BLOCKS, 32, X_deep, y_pool[:300], axis)[0]
    return min(loss, 10.0) if np.isfinite(loss) else 10.0


# %%
STARTS = {"He start": 2.0, "start 3 times too large": 18.0}   # variance 9 times: 2 · 3²
NORMS = {"plain": None, "batch norm": 0, "layer norm": 1}     # axis
reached_by = {(begin, name): np.array([[
                  loss_after_sgd(rate, axis, gain2, seed)
                  for seed in (0, 1)] for rate in RATES]).mean(axis=1)
              for begin, gain2 in STARTS.items() for name, axis in NORMS.items()}
for (begin, name), reached in reached_by.items():
    good = RATES[reached < 1.0]
    span = f"{good[0]:.2g} to {good[-1]:.2g}" if len(good) else "none"
    print(f"{begin:24} {name:10} below 1 nat at rates {span:14}"
          f" lowest {reached.min():.3f}")

# %% tags=["figure"]
#@title Figure: Normalization widens the range of rates that train
fig, axes = plt.subplots(1, 2, figsize=(9, 3.7), sharey=True)
for ax, begin in zip(axes, STARTS):
    for name in NORMS:
        ax.loglog(RATES, reached_by[begin, name], "o-", ms=4, label=name)
    ax.axhline(np.log(10), color=plotting.GRAY, ls=":")
    ax.set(title=begin, xlabel="learning rate")
axes[0].set_ylabel("training loss after SGD")
axes[0].legend(fontsize=8)
fig.suptitle("Normalization widens the range of rates that train", fontweight="bold")
plt.show()

# %% [markdown]
# The first table is the derivation: with a normalization, $W_{in}$ three times larger leaves the loss as it is to four decimals and divides the gradient by 3; in the plain stack both change. The chart is the consequence. The plain network trains in a narrow window of rates, and that window moves down by more than a factor of ten when the start is three times too large. Both normalizations widen it, batch norm most, and with them its ends move by about a factor of three only.
# At its best rate the plain network with a good start reaches as low a loss as the others (last column). The condition: this network, 100 steps, rates a factor of $\sqrt{10}$ apart, two seeds; twice as many rates and five seeds say the same. So "batch normalization accelerates training" is half the story: here it does not make the best run faster, **it makes many more runs good**.

# %% [markdown]
# ## 12.10 Residual connections: fifty layers that train
#
# For one example let $F_l(h) = \mathrm{relu}(N(h))\,W_l$ be what block $l$ computes and $J_l = \partial F_l/\partial h_{l-1}$ its table of derivatives, shape $(d, d)$, one row per output; gradients are rows. Without a bypass, $h_l = F_l(h_{l-1})$ and the gradient passes through a product of these Jacobians, $\frac{\partial L}{\partial h_{l-1}} = \frac{\partial L}{\partial h_l} J_l$, one factor per layer: it vanishes or explodes unless each factor is close to 1 (notebooks [[backpropagation]], [[recurrent_networks]]). With a *residual connection* (残差连接) $h_l = h_{l-1} + s F_l(h_{l-1})$ the factor becomes
#
# $$\boxed{\;\frac{\partial L}{\partial h_0} = \frac{\partial L}{\partial h_L}\,\prod_{l=L}^{1} (I + s J_l) = \frac{\partial L}{\partial h_L}\Big(I + s\sum_l J_l + s^2 \sum_{l > m} J_l J_m + \dots\Big)\;}$$
#
# The identity in front: whatever the blocks do, one undamped path leads from the loss to every layer. For the path to be undamped, nothing may stand after the sum. (The first ResNet had a ReLU there, and trained 152 layers all the same; a second paper by He et al. moved it into the branch, with this argument.) How fast does the rest grow? With He's variance a block's output has, on average, the squared length of its input (notebook [[neurons_and_layers]]). At the start it is uncorrelated with $h_{l-1}$, so squared lengths add: $|h_l|^2 \approx (1 + s^2)\,|h_{l-1}|^2$, and the same backward for the gradient. After $L$ blocks
#
# $$(1 + s^2)^L: \quad s = 1 \text{ gives } 2^L; \qquad s = \tfrac1{\sqrt L} \text{ gives } (1 + \tfrac1L)^L < e .$$
#
# Measure through fifty blocks. Lengths are square roots of these, so for $s = 1$ we expect $2^{L/2} = 2^{25}$. "Glorot" is the variance $1/d$, the default of Keras' Dense layer for square matrices: half of He's, so in a plain stack each block halves the squared length, $2^{-25}$ in all; with He a plain stack should keep it.

# %%
DEPTH = 50
kinds = {"plain, Glorot": dict(gain2=1.0), "plain, He": dict(gain2=2.0),
         "residual, s = 1": dict(gain2=2.0, skip=1),
         "residual, s = 1/√L": dict(gain2=2.0, skip=1, s=DEPTH**-0.5),
         "residual, layer norm": dict(gain2=2.0, skip=1, axis=1)}


def gradient_lengths(gain2, seed, d=32, **block):
    """Length of dL/dh_l, l = 0 ... DEPTH, for 100 digits. -> (DEPTH + 1,)"""
    w = deep_start(DEPTH, d, gain2, np.random.default_rng(seed))
    of_h = deep_loss_and_gradient(w, DEPTH, d, X_deep[:100], y_pool[:100], **block)[2]
    return np.array([np.linalg.norm(g) for g in of_h])


lengths_of = {name: np.exp(np.mean([np.log(gradient_lengths(seed=seed, **kind))
                                    for seed in range(10)], axis=0))
              for name, kind in kinds.items()}
for name, lengths in lengths_of.items():
    print(f"{name:21} |∂L/∂h_0| / |∂L/∂h_50| = {lengths[0] / lengths[-1]:.2g}")
print(f"predicted: 2^(-25) = {2**-25:.2g}, 1, 2^25 = {2**25:.2g}, "
      f"(1 + 1/50)^25 = {1.02**25:.2g}")

# %% tags=["figure"]
#@title Figure: A bypass with scaled branches keeps the gradient level
fig, ax = plt.subplots(figsize=(7, 3.8))
for (name, lengths), color in zip(lengths_of.items(), plotting.PALETTE):
    ax.semilogy(lengths / lengths[-1], color=color, label=name)
ax.set(title="A bypass with scaled branches keeps the gradient level",
       xlabel="block $l$ (0 is next to the input)",
       ylabel=r"$|\partial L/\partial h_l|$ relative to the last")
ax.legend(fontsize=8)
plt.show()

# %% [markdown]
# The predictions are right within a factor of four over fifteen orders of magnitude. Glorot's variance is half of what ReLU needs: its gradient is lost on the way. $s = 1$ explodes. He's plain stack, $s = 1/\sqrt L$ and layer norm inside the branch keep the ratio between 0.3 and 31 (with layer norm a branch's length does not depend on $h$'s, so $h$ cannot grow exponentially).
#
# Are level gradients enough? Train 100 steps with Adam at depths 2 to 50, each kind at the better of two rates (chosen by the mean training loss over two seeds).

# %%
DEPTHS = by_profile(quick=[2, 10], standard=[2, 10, 50], full=[2, 5, 10, 20, 50, 100])


def train_deep(depth, eta, gain2, seed, d=32,
               steps=by_profile(quick=10, standard=100, full=400), **block):
    """Training loss on 300 digits after some steps of Adam."""
    rng = np.random.default_rng(seed)
    w, optimizer = deep_start(depth, d, gain2, rng), Adam(eta)
    queue = endless_batches(300, 64, rng)
    for _ in range(steps):
        rows = next(queue)
        w = optimizer.step(w, deep_loss_and_gradient(
            w, depth, d, X_deep[rows], y_pool[rows], **block)[1])
    return deep_loss_and_gradient(w, depth, d, X_deep, y_pool[:300], **block)[0]


# %%
DEEP_RATES = by_profile(quick=[0.003], standard=[0.001, 0.005],
                        full=[0.0003, 0.001, 0.003, 0.01])
ends = {}
for name, kind in kinds.items():
    ends[name] = []
    for depth in DEPTHS:
        block = {**kind, "s": depth**-0.5} if "√" in name else kind
        tried = [[train_deep(depth, eta, seed=seed, **block) for seed in range(2)]
                 for eta in DEEP_RATES]
        ends[name].append(np.min(np.mean(tried, axis=1)))
    print(f"{name:21}", "  ".join(f"{d} blocks {v:.3f}"
                                  for d, v in zip(DEPTHS, ends[name])))

# %% tags=["figure"]
#@title Figure: Depth hurts plain stacks, not well-scaled residual ones
fig, ax = plt.subplots(figsize=(7.6, 3.6))
for (name, losses), color in zip(ends.items(), plotting.PALETTE):
    ax.loglog(DEPTHS, losses, "o-", color=color, label=name)
ax.axhline(np.log(10), color=plotting.GRAY, ls=":")
ax.set_xticks(DEPTHS, DEPTHS)
ax.minorticks_off()
ax.set(title="Depth hurts plain stacks, not well-scaled residual ones",
       xlabel="blocks (dotted: guessing)", ylabel="training loss in nats")
ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()


# %%
def mean_cosine(gain2, skip=0, s=1.0, d=32):
    """Mean cosine between h_L of different digits after DEPTH blocks, at the start."""
    w = deep_start(DEPTH, d, gain2, np.random.default_rng(0))
    h = deep_forward(w, DEPTH, d, X_deep[:100], skip=skip, s=s)[2]
    h = h / np.linalg.norm(h, axis=1, keepdims=True)
    return (np.sum(h @ h.T) - 100) / 9900


print(f"mean cosine of two digits: before the blocks {mean_cosine(2.0, 1, 0.0):.3f};"
      f" after 50 blocks: plain {mean_cosine(2.0):.3f},"
      f" s = 1/√L {mean_cosine(2.0, 1, 0.02**0.5):.3f}")
w = deep_start(DEPTH, 32, 2.0, np.random.default_rng(0))
first = deep_loss_and_gradient(w, DEPTH, 32, X_deep, y_pool[:300], skip=1)[0]
LATER = by_profile(quick=10, standard=400, full=400)  # steps
later = [train_deep(50, 0.005, seed=seed, steps=LATER, **kinds["residual, s = 1"])
         for seed in range(2)]
print(f"residual, s = 1, 50 blocks: loss before the first step {first:.2g}, "
      f"after 400 steps {later[0]:.1f} and {later[1]:.1f} (two seeds)")

# %% [markdown]
# Two blocks train well in every kind. At fifty, the plain stacks end at guessing or not far below (1.6 nats). $s = 1$ comes down from an exploded loss (last line) by five orders of magnitude, but is still worse than guessing after 100 steps, and at 1.7 nats after 400. The two well-scaled residual networks get below 0.1 in the 100. Look at "plain, He": its gradients were level, and still it hardly trains, so level gradients don't suffice. A likely reason is printed above: after fifty random layers all digits point in nearly the same direction (cosine 0.99), and little is left to tell them apart by; the bypass carries the differences through.

# %% [markdown]
# ## 12.11 Hyper-parameter search, and the winner's curse
#
# What gradients cannot set (rate, decay, width …) is a *hyper-parameter* (超参数). Two habits decide most of a search (超参数搜索).
#
# **Search on a log scale.** What matters is the rate's factor: 0.001 → 0.002 does about as much as 0.1 → 0.2. Drawn uniformly between 0 and 1, nine rates in ten lie above 0.1.
#
# **Random beats a grid when some dimensions are idle** (Bergstra & Bengio 2012). Nine trials on a 3×3 grid try *three* rates, three times each; nine random ones try nine. If the other dimension hardly matters, the grid wasted six. Here is a true case: the rate, and a decay so weak that it does nothing.

# %%
log_rates = np.linspace(-4.5, 0, by_profile(quick=7, standard=28, full=55))
log_gammas = np.array([-8.0, -6.0, -4.0])
small = (64, 32, 10)


def val_loss_at(r, g, seed):
    """Validation loss after 100 steps on 200 digits; r, g: log10 of rate and decay."""
    path = fit(small, X_pool[:200], y_pool[:200], 100, 100, 10.0**r, 10.0**g, seed=seed)
    return score(path[-1], small, X_val, y_val)[0]


surface = np.array([[np.mean([val_loss_at(r, g, seed) for seed in SEEDS])
                     for r in log_rates] for g in log_gammas])   # (gammas, rates)
of_rate = surface.mean(axis=0)
idle = np.ptp(surface, axis=0)                                   # max - min
print(f"along the decay the loss varies by {idle.max():.2g} nats at most, and by"
      f" {idle[of_rate < 1].max():.2g} where it is below 1; along the rate by"
      f" {np.ptp(of_rate):.1f}")

# %%
def best_found(rates):
    """Best validation loss of each row of log rates (searches, k), averaged.

    The decay does nothing (idle), so a trial counts by its rate alone.
    """
    return np.interp(rates, log_rates, of_rate).min(axis=1).mean()


search_rng = np.random.default_rng(11)
searches = by_profile(quick=200, standard=4000, full=40_000)
sides = np.arange(1, 8)
found = {"grid, log scale": [], "random, log scale": [], "random, linear scale": []}
for side in sides:
    # a grid has only `side` different rates; each search shifts its grid at random
    cells = (np.arange(side) + search_rng.random((searches, 1))) / side
    found["grid, log scale"].append(best_found(-4.5 + 4.5 * cells))
    free = search_rng.random((searches, side**2))
    found["random, log scale"].append(best_found(-4.5 + 4.5 * free))
    found["random, linear scale"].append(best_found(np.log10(10**-4.5 + free)))

# %% tags=["figure"]
#@title Figure: A linear scale is worst; random search tries nine rates, the grid three
fig, axes = plt.subplots(1, 2, figsize=(8, 3.4))
axes[0].pcolormesh(log_rates, log_gammas, np.log(surface), cmap="Blues",
                   shading="gouraud")
thirds, dots = (np.arange(3) + 0.5) / 3, np.random.default_rng(2).random((9, 2))
grid = np.stack(np.meshgrid(thirds, thirds), axis=-1).reshape(9, 2)
for points, mark, color, name in ((grid, "s", plotting.ORANGE, "grid"),
                                  (dots, "o", plotting.RED, "random")):
    axes[0].plot(*(points * [4.5, 4] + [-4.5, -8]).T, mark, color=color, label=name,
                 mec="white", ms=8)
axes[0].set(title="Nine trials each (dark is bad)",
            xlabel="log₁₀ learning rate", ylabel="log₁₀ decay (idle)")
axes[0].legend(fontsize=8, loc="upper right", frameon=True)
axes[0].grid(False)
for name, values in found.items():
    axes[1].plot(sides**2, values, "o-", label=name)
    print(f"{name:21} best of 9: {values[2]:.3f}, best of 25: {values[4]:.3f} nats")
axes[1].axhline(of_rate.min(), color=plotting.GRAY, ls=":")
axes[1].set(title="Expected best of a search", xlabel="trials", yscale="log",
            ylabel="validation loss")
axes[1].legend(fontsize=8)
fig.suptitle("A linear scale is worst; random search tries nine rates, the grid three",
             fontweight="bold")
plt.show()
print(f"chance that 60 random trials hit the best 5 %: {1 - 0.95**60:.1%}")

# %% [markdown]
# Along the decay nothing happens wherever the training works; the rate is everything. With nine trials random search ends lower than the grid, and a linear scale is by far the worst: most of its trials lie in the dark on the right. (Where both dimensions matter, the advantage shrinks.) The last line needs no experiment: if a share $v$ of the box is good, $k$ random trials all miss it with probability $(1-v)^k$, in any number of dimensions. *Successive halving* gives every trial a short run, drops the worse half, doubles the budget of the rest and repeats (notebook [[automl_and_continual_learning]]).

# %% [markdown]
# **The winner's curse.** The best validation score is a maximum over noisy numbers, so it is too good, *even if nothing leaked*. Take the extreme case: 50 networks that differ only in their random seed. Judge them on $n$ random digits, declare a winner, and look at its accuracy on all other digits. Repeat with 2,000 random validation sets out of the 760 digits that none of the networks has seen.

# %%
MODELS = by_profile(quick=10, standard=50, full=200)
X_new, y_new = np.concatenate([X_val, X_test]), np.concatenate([y_val, y_test])
trained = [fit(small, X_pool[:150], y_pool[:150], 150, 150, seed=seed)[-1]
           for seed in range(MODELS)]
right = np.array([gated_forward(views(w, small), X_new)[2].argmax(axis=1) == y_new
                  for w in trained]).astype(float)                     # (models, 760)


def optimism(models, n, repeats=by_profile(quick=100, standard=2000, full=10_000)):
    """Mean of (winner's validation accuracy - its accuracy on all other digits)."""
    rng, total = np.random.default_rng(n), 0.0
    for _ in range(repeats):
        group = right[rng.choice(MODELS, models, replace=False)]
        val = rng.choice(group.shape[1], n, replace=False)
        hits = group[:, val].sum(axis=1)
        winner = hits.argmax()
        others = (group[winner].sum() - hits[winner]) / (group.shape[1] - n)
        total += (hits[winner] / n - others) / repeats
    return total


# %%
counts = [m for m in (1, 2, 5, 10, 20, 50) if m <= MODELS]
p_mean = right.mean()
normals = np.random.default_rng(0).normal(size=(4000, 50))
fig, ax = plt.subplots(figsize=(6.8, 3.6))
for n, color in zip((50, 100, 250), plotting.PALETTE):
    cursed = [100 * optimism(m, n) for m in counts]
    spread = 100 * np.sqrt(p_mean * (1 - p_mean) / n)
    alone = [spread * normals[:, :m].max(axis=1).mean() for m in counts]
    ax.semilogx(counts, cursed, "o-", color=color, label=f"{n} validation digits")
    ax.semilogx(counts, alone, ":", color=color)
    print(f"{n:3} digits: best of {counts[-1]} looks {cursed[-1]:+.1f} points better"
          f" than it is (one model: {cursed[0]:+.1f})")
ax.set(title="The best of many looks better than it is", xlabel="models compared",
       ylabel="points of accuracy too good")
ax.legend(title="dotted: independent models", fontsize=8)
plt.show()
print(f"accuracy of the {MODELS}: {p_mean:.1%}, from {right.mean(axis=1).min():.1%}"
      f" to {right.mean(axis=1).max():.1%} on all 760; correlation of two models' hits"
      f" {(np.corrcoef(right).sum() / MODELS - 1) / (MODELS - 1):.2f}")

# %% [markdown]
# Nobody cheated, and still the winner of 50, judged on 100 digits, looks almost four points better than it is; with 250 digits still more than two. Independent models of the same accuracy would be cursed twice as much (dotted: maximum of $m$ normal numbers, times $\sqrt{p(1-p)/n}$ with the mean accuracy $p$); ours fail on the same digits (their hits are correlated), and a hard validation set is hard for all of them. So the advice in Document 2, 3.3.7 to tune "according to the evaluation result" needs two additions: tune on *validation* data, and report the winner's score on a *test* set that chose nothing. A leaderboard with 500 entries is a validation set.

# %% [markdown]
# ### Exercise 12.11 · what would $k$ trials have found? (12 min)
# You ran $N$ random trials and kept all validation scores (higher is better). Before comparing with a method that had only $k$ trials, compute the mean of the *best of $k$*, over all $\binom Nk$ ways to pick $k$ of your $N$ scores. Exactly, without random draws; $N = 200$ must take no time. `math.comb(n, k)` counts $\binom nk$.

# %% tags=["exercise"]
def expected_best(scores, k):
    """Mean maximum of k of the scores (N,) picked without replacement. -> float"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("12.11", "the expected best of k"):
    draw_t = np.random.default_rng(0)
    for N_t, k_t in [(6, 1), (6, 2), (7, 4), (5, 5), (1, 1)]:
        scores_t = draw_t.normal(size=N_t).round(1)
        every_t = [max(pick) for pick in itertools.combinations(scores_t, k_t)]
        got_t = expected_best(scores_t.copy(), k_t)
        np.testing.assert_allclose(got_t, np.mean(every_t), rtol=1e-5, atol=1e-6,
                                   err_msg=f"best of {k_t} of {N_t}")
    got_t = expected_best(np.full(4, 0.9), 2)
    np.testing.assert_allclose(got_t, 0.9, rtol=1e-6, err_msg="four equal scores")
    # uniform ranks: the best of k of 0 ... N-1 is k(N+1)/(k+1) - 1
    got_t = expected_best(np.arange(200.0), 20)
    np.testing.assert_allclose(got_t, 20 * 201 / 21 - 1, rtol=1e-5, err_msg="20 of 200")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Sort ascending. The $i$-th score ($i = 1 \ldots N$) is the maximum of a pick if it is in it and the other $k - 1$ come from the $i - 1$ before it.
# </details>

# %% tags=["solution"]
#@title Solution 12.11 · runs only while yours does not pass
if not solved("12.11"):
    def expected_best(scores, k):
        ways = [math.comb(i, k - 1) for i in range(len(scores))]
        return np.sort(scores) @ np.array(ways, dtype=float) / math.comb(len(scores), k)


# %% [markdown]
# ## 12.12 The clinic: why doesn't it train?
#
# Nine trainings of the same network, 64-64-64-10, on 300 digits with plain SGD. One is healthy. Each of the others has exactly one of these faults; none raises an error:
#
# | | cause | in the code below |
# |---|---|---|
# | 1 | learning rate far too high | `rate=2` |
# | 2 | learning rate far too low | `rate=0.001` |
# | 3 | biases started at −6: dead ReLUs | `bias=-6` |
# | 4 | images and labels shuffled separately | `mixed=True` |
# | 5 | gradients never reset: each step uses the sum of all so far | `accumulate=True` |
# | 6 | inputs not scaled: 0 to 16 instead of 0 to 1 | `unit=1` |
# | 7 | softmax applied twice: once in the model, once in the loss | `twice=True` |
# | 8 | validation rows that are training rows | `shared=True` |

# %%
def double_softmax(z, y):
    """Fault 7: probabilities taken for logits. z: (B, k) -> (B,), (B, k)"""
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    losses, delta = row_losses(p, y)
    return losses, p * (delta - np.sum(p * delta, axis=1, keepdims=True))


class Training:
    """One training of a 64-64-64-10 network on 300 digits, with at most one fault."""

    def __init__(self, seed, rate=0.25, bias=0, unit=16, mixed=False, accumulate=False,
                 twice=False, shared=False):
        self.sizes, self.rng = (64, 64, 64, 10), np.random.default_rng(seed)
        self.rate, self.accumulate = rate, accumulate
        self.losses = double_softmax if twice else row_losses
        rows = self.rng.permutation(len(X_pool))[:300]
        self.X, self.y = X_pool[rows] * 16 / unit, y_pool[rows]
        self.X_val, self.y_val = X_val * 16 / unit, y_val
        if mixed:
            self.y = self.rng.permutation(self.y)
        if shared:
            self.X_val, self.y_val = self.X[:260], self.y[:260]
        self.w, self.g = start(self.sizes, self.rng), 0.0
        for _, b in views(self.w, self.sizes)[:-1]:
            b += bias

    def gradient(self, X, y):
        """Gradient of the mean loss; with fault 5, plus all before it. -> (P,)"""
        layers, parts = views(self.w, self.sizes), []
        inputs, gates, z = gated_forward(layers, X)
        delta = self.losses(z, y)[1] / len(y)
        for l in reversed(range(len(layers))):
            parts += [delta.sum(axis=0), (inputs[l].T @ delta).ravel()]
            delta = (delta @ layers[l][0].T) * gates[l - 1] if l else delta
        new = np.concatenate(parts[::-1])
        self.g = self.g + new if self.accumulate else new
        return self.g


# %%
def evaluate(t, X, y):
    """Mean loss and accuracy of a Training on X, y."""
    z = gated_forward(views(t.w, t.sizes), X)[2]
    return t.losses(z, y)[0].mean(), np.mean(z.argmax(axis=1) == y)


def run(t, steps=by_profile(quick=60, standard=600, full=600), every=10):
    """Train; -> (T, 4): training loss, accuracy, validation loss, accuracy."""
    queue, curve = endless_batches(300, 32, t.rng), []
    with np.errstate(all="ignore"):             # some patients explode
        for step in range(steps + 1):
            if step % every == 0:
                curve.append([*evaluate(t, t.X, t.y), *evaluate(t, t.X_val, t.y_val)])
            rows = next(queue)
            t.w = t.w - t.rate * t.gradient(t.X[rows], t.y[rows])
    return np.array(curve)


# %%
FAULTS = [dict(rate=2), dict(rate=0.001), dict(bias=-6), dict(mixed=True),
          dict(accumulate=True), dict(unit=1), dict(twice=True), dict(shared=True)]
order = np.random.RandomState(3).permutation(8)   # don't print it: it is the answer
histories = {letter: run(Training(seed, **FAULTS[fault]))
             for seed, (letter, fault) in enumerate(zip("ABCDEFGH", order))}
histories["healthy"] = run(Training(8))


# %%
def draw_curves(ax, curve, title):
    """Training and validation loss of one patient, with its last accuracies."""
    steps, curve = 10 * np.arange(len(curve)), np.nan_to_num(curve, nan=1e3, posinf=1e3)
    ax.semilogy(steps, curve[:, 0], label="training")
    ax.semilogy(steps, curve[:, 2], label="validation")
    ax.axhline(np.log(10), color=plotting.GRAY, ls=":", label="ln 10: guessing")
    ax.set(title=title, ylim=(0.006, 100))
    ax.text(0.97, 0.93, f"start {curve[0, 0]:.3g}, lowest {curve[:, 0].min():.2g}, "
            f"end {curve[-1, 0]:.2g}\n"
            f"accuracy {curve[-1, 1]:.0%}, val. {curve[-1, 3]:.0%}",
            transform=ax.transAxes, ha="right", va="top", fontsize=7.5)


fig, axes = plt.subplots(3, 3, figsize=(8.6, 6.4), sharex=True, sharey=True)
for ax, (name, curve) in zip(axes.flat, histories.items()):
    draw_curves(ax, curve, name)
fig.legend(*axes[0, 0].get_legend_handles_labels(), ncols=3, fontsize=8,
           loc="outside lower right")
fig.supxlabel("step")
fig.supylabel("loss in nats")
fig.suptitle("Eight patients and a healthy training", fontweight="bold")
plt.show()


# %% [markdown]
# ### Exercise 12.12 · diagnose (10 min)
# Give each patient the number of its cause, before you scroll on: the titles of the figure after the solution tell the answers. (Where only orange shows, both curves coincide.) Look at the loss *before the first step* (in the panel: start), at whether and when it moves, at where it ends, at the accuracy beside the loss, and at validation against training.

# %% tags=["exercise"]
def diagnoses():
    """-> dict: letter "A" ... "H" -> number of the cause, 1 ... 8, each used once"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("12.12", "eight diagnoses"):
    given_t = dict(diagnoses())
    assert sorted(given_t) == list("ABCDEFGH"), "one entry for each letter A ... H"
    assert sorted(given_t.values()) == list(range(1, 9)), "each cause 1 ... 8 once"
    hits_t = sum(given_t[letter] == fault + 1
                 for letter, fault in zip("ABCDEFGH", order))
    assert hits_t == 8, f"{hits_t} of 8 are right"

# %% [markdown]
# <details><summary>Hint</summary>
#
# One begins far above $\ln 10$; one begins at $\ln 10$ exactly and hardly leaves it. Then the one that is too good. Two lose their way: one in the very first steps, one after a good beginning. Of the last three, one has a training loss that parts from the validation loss, one has a high accuracy at a high loss, one is on the way, very smoothly, and far from done.
# </details>

# %% tags=["solution"]
#@title Solution 12.12 · runs only while yours does not pass
if not solved("12.12"):
    def diagnoses():
        return {"A": 6, "B": 8, "C": 5, "D": 7, "E": 4, "F": 2, "G": 1, "H": 3}

# %% [markdown]
# <details><summary>About the solution</summary>
#
# A loss of $\ln 10$ to all digits at the start and little less ever after: every hidden unit is silent, only the output biases learn how frequent each class is (3). A start far above $\ln 10$: logits of size 16 (6). Validation as good as training, to the last digit: shared rows (8). Out of control from the first step: rate too high (1); after a good beginning, when the sum of gradients has grown: not reset (5).
# Training falls, validation rises above guessing: the labels carry no information about the images (4). High accuracy, but a loss that stays above $\ln(1 + 9/e) = 1.46$: softmax twice (7), because probabilities used as logits differ by at most 1. Smooth and slow, both losses together: rate too low (2).
# </details>

# %% [markdown]
# The answers are in the next figure. Each patient once more from the same seed, its one fault repaired.

# %%
NAMES = ["rate too high", "rate too low", "dead ReLUs", "labels mixed up",
         "gradients not reset", "inputs not scaled", "softmax twice", "shared rows"]
fixed = {letter: run(Training(seed)) for seed, letter in enumerate("ABCDEFGH")}
repaired = np.array([curve[-1] for curve in fixed.values()])
claim("lowest validation accuracy after the repair", repaired[:, 3].min(),
      at_least=0.85, applies=profile() != "quick")
leak = histories["ABCDEFGH"[list(order).index(7)]][-1, 3]
honest = repaired[list(order).index(7), 3]
print(f"shared rows: validation accuracy {leak:.1%}; on rows of its own {honest:.1%}")

# %% tags=["figure"]
#@title Figure: Repaired, all eight train (black: training loss before)
fig, axes = plt.subplots(2, 4, figsize=(9.2, 4.5), sharex=True, sharey=True)
for ax, letter, fault in zip(axes.flat, "ABCDEFGH", order):
    draw_curves(ax, fixed[letter], f"{letter}: {NAMES[fault]}")
    broken = np.nan_to_num(histories[letter][:, 0], nan=1e3)
    ax.semilogy(10 * np.arange(len(broken)), broken, color="black", lw=1,
                label="before")
fig.legend(*axes[0, 0].get_legend_handles_labels(), ncols=4, fontsize=8,
           loc="outside lower right")
fig.supxlabel("step")
fig.supylabel("loss in nats")
fig.suptitle("Repaired, all eight train (black: training loss before)",
             fontweight="bold")
plt.show()


# %% [markdown]
# All eight now train like the healthy one; nothing else was changed. Note which broken curve looked *best*: shared rows gave 100 % validation accuracy and hid a true 95 %. A fault that makes numbers better is never looked for.

# %% [markdown]
# ## 12.13 The checklist, as code
#
# Curves come late. Most faults can be found in seconds, before any long training, by asking for numbers whose right value is known. Each check below returns one number; beside it stands the interval that a healthy training keeps.

# %%
def nearest_agree(t):
    """Share of training digits whose nearest other digit has the same label."""
    squares = np.sum(t.X**2, axis=1)
    distance = squares[:, None] + squares - 2 * t.X @ t.X.T
    np.fill_diagonal(distance, np.inf)                   # not itself
    return np.mean(t.y[distance.argmin(axis=1)] == t.y)


def silent(t):
    """Share of hidden units that are off for every training digit."""
    gates = gated_forward(views(t.w, t.sizes), t.X)[1]
    return np.mean([gate.max(axis=0) == 0 for gate in gates])


def perfect(t):
    """Loss of model outputs that are as right and as sure as can be."""
    return t.losses(40.0 * np.eye(10)[t.y], t.y)[0].mean()


def shared_rows(t):
    return len({x.tobytes() for x in t.X} & {x.tobytes() for x in t.X_val})


def same_gradient_twice(t):
    """Relative change when the same gradient is asked for again, w untouched."""
    first = t.gradient(t.X[:32], t.y[:32])
    second = t.gradient(t.X[:32], t.y[:32])
    return np.linalg.norm(second - first) / np.linalg.norm(first)


# %%
def first_step(t):
    return np.linalg.norm(t.rate * t.gradient(t.X[:32], t.y[:32])) / np.linalg.norm(t.w)


def ten_by_heart(t):
    """Training loss after 200 steps on ten digits, all settings as they are."""
    t.X, t.y = t.X[:10], t.y[:10]
    with np.errstate(all="ignore"):
        for _ in range(200):
            t.w = t.w - t.rate * t.gradient(t.X, t.y)
        return np.nan_to_num(evaluate(t, t.X, t.y)[0], nan=np.inf)


# %%
CHECKS = {  # name: number, smallest and largest healthy value
    "largest |input|": (lambda t: np.abs(t.X).max(), 0.5, 5),
    "nearest digit has same label": (nearest_agree, 0.5, 1),
    "rows in training and validation": (shared_rows, 0, 0),
    "loss at start (ln 10 = 2.30)": (lambda t: evaluate(t, t.X, t.y)[0], 1.8, 3.0),
    "loss of perfect outputs": (perfect, 0, 0.01),
    "silent hidden units": (silent, 0, 0.3),
    "same gradient twice: change": (same_gradient_twice, 0, 1e-9),
    "first step |Δw| / |w|": (first_step, 0.001, 0.1),
    "loss on ten digits, by heart": (ten_by_heart, 0, 0.1),
}
people = {"healthy": (8, {})} | {letter: (seed, FAULTS[fault]) for seed, (letter, fault)
                                in enumerate(zip("ABCDEFGH", order))}
found_by = np.array([[number(Training(seed, **fault))
                      for seed, fault in people.values()]
                     for number, _, _ in CHECKS.values()])
low, high = np.array([limits for _, *limits in CHECKS.values()]).T[:, :, None]
passed = (found_by >= low) & (found_by <= high)                      # (checks, people)
claim("faults that at least one check finds", np.sum(~passed[:, 1:].all(axis=0)),
      at_least=8)
claim("false alarms on the healthy training", np.sum(~passed[:, 0]), at_most=0)

# %% tags=["figure"]
#@title Figure: Nine quick checks find all eight faults (orange: alarm)
fig, ax = plt.subplots(figsize=(9.2, 4.2))
shades = np.array([[0.96, 0.72, 0.42], [0.86, 0.92, 0.97]])      # orange: alarm
ax.imshow(shades[passed.astype(int)], aspect="auto")
for (i, j), value in np.ndenumerate(found_by):
    ax.text(j, i, f"{value:.3g}" if value < 1e3 else "huge", ha="center", va="center",
            fontsize=9, fontweight="normal" if passed[i, j] else "bold")
ax.set_xticks(range(9), ["healthy", *(f"{letter}\n{NAMES[fault]}".replace(" ", "\n")
                                      for letter, fault in zip("ABCDEFGH", order))])
ax.set_yticks(range(len(CHECKS)), CHECKS)
ax.set(title="Nine quick checks find all eight faults (orange: alarm)")
ax.grid(False)
plt.show()


# %% [markdown]
# Read by columns: every patient has an orange cell, the healthy one none. Read by rows: most checks point at one fault; "ten digits by heart" raises the alarm for six of eight without saying why, and misses two: mixed-up labels can be learned by heart, and shared rows are no obstacle to it. The limits are rules of thumb for networks like this one. In the order in which to work:
#
# 1. Look at ten inputs *with their labels*, after all preprocessing, as the model gets them.
# 2. Loss at the start: $\ln k$ for $k$ balanced classes. Perfect outputs: loss 0.
# 3. Ten examples by heart, regularization and augmentation off. A training that cannot do this has a bug or a wrong rate; more data won't help.
# 4. The length of the first step; then a range test (notebook [[optimizers]]).
# 5. Dead or saturated units, gradient lengths per layer (12.10, notebook [[backpropagation]]).
# 6. Only now the full data set, next to a baseline; change *one* thing at a time, with a fixed seed.
# 7. Training loss fine, validation not: 12.2 to 12.8. Validation too good: look for a leak.

# %% [markdown]
# ### Exercise 12.13 · three more checks (8 min)
# Three frequent faults are missing above: dropout left on during evaluation, a gradient that is a *sum* over the batch instead of a mean, and a wrong sign. You get two functions of somebody else's code and may only call them. Return three truth values: is the evaluation repeatable (same input, same loss, exactly)? is the gradient a mean (every example given twice: the same gradient)? does a step of $10^{-4}$ times the gradient, downhill, lower the loss (a loss that stays is not lowered)?

# %% tags=["exercise"]
def three_checks(loss, gradient, w, X, y):
    """loss(w, X, y) -> float, as used for evaluation; gradient(w, X, y) -> (P,).

    w: (P,), X: (B, d), y: (B,) -> (repeatable, is_mean, downhill), each True or False
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("12.13", "three more checks"):
    for trial_t in [*range(9), 10]:
        noisy_t, summed_t, uphill_t = trial_t & 1, trial_t & 2, trial_t & 4
        zero_t, near_t = trial_t == 8, trial_t == 10    # no gradient; near the minimum
        draw_t = np.random.default_rng(130 + trial_t)
        X_t, best_t = 10 * draw_t.normal(size=(6, 3)), draw_t.normal(size=3)
        w_t = best_t + (1e-4 if near_t else 1) * draw_t.normal(size=3)
        y_t = X_t @ best_t + (0 if near_t else draw_t.normal(size=6))

        def loss_t(w, X, y):
            return np.mean((X @ w - y) ** 2) / 2 + noisy_t * draw_t.random()

        def gradient_t(w, X, y):
            sign = 0 if zero_t else -1 if uphill_t else 1
            return sign * X.T @ (X @ w - y) / (1 if summed_t else len(y))

        said_t = [bool(truth) for truth in three_checks(
            loss_t, gradient_t, w_t.copy(), X_t.copy(), y_t.copy())]
        code_t = (f"evaluation {'with dropout' if noisy_t else 'repeatable'}, gradient "
                  f"{'0' if zero_t else 'a sum' if summed_t else 'a mean'}"
                  f"{', wrong sign' if uphill_t else ''}")
        repeatable_t, mean_t, downhill_t = said_t
        assert repeatable_t == (not noisy_t), f"{code_t}: repeatable {repeatable_t}"
        assert zero_t or mean_t == (not summed_t), f"{code_t}: is_mean {mean_t}"
        assert noisy_t or downhill_t == (not uphill_t and not zero_t), (
            f"{code_t}: downhill {downhill_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.concatenate([X, X])` gives every example twice. Compare gradients with `np.allclose`, repeated losses with `==`.
# </details>

# %% tags=["solution"]
#@title Solution 12.13 · runs only while yours does not pass
if not solved("12.13"):
    def three_checks(loss, gradient, w, X, y):
        before, g = loss(w, X, y), gradient(w, X, y)
        doubled = gradient(w, np.concatenate([X, X]), np.concatenate([y, y]))
        lower = loss(w - 1e-4 * g, X, y) < before
        return loss(w, X, y) == before, np.allclose(doubled, g), lower

# %% [markdown]
# ## 12.14 The same from Keras
#
# Our network with our weights in Keras, every layer in float64: a price on the weights, dropout, early stopping. One convention to know: Keras' `L2(c)` adds $c\,|W|^2$, *without* the ½, so its gradient is $2cW$ and our $\gamma$ is $2c$.

# %%
tf = devices.setup(seed=0)
import keras

w0 = start(small, np.random.default_rng(0))
X_k, y_k = X_pool[:200], y_pool[:200]


def keras_copy(w, c=0.0, rate=0.0):
    """64-32-10 in Keras from the flat weights w, with L2(c) on kernels and dropout."""
    price = keras.regularizers.L2(c) if c else None
    model = keras.Sequential([
        keras.Input((64,), dtype="float64"),
        keras.layers.Dense(32, "relu", kernel_regularizer=price, dtype="float64"),
        keras.layers.Dropout(rate, seed=1, dtype="float64"),
        keras.layers.Dense(10, kernel_regularizer=price, dtype="float64")])
    model.set_weights([array for layer in views(w, small) for array in layer])
    return model


def flat(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


# %% tags=["evidence"]
#@title Evidence: the loss with its price and its gradient equal Keras'
gamma = 0.02
model = keras_copy(w0, c=gamma / 2)
cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")
with tf.GradientTape() as tape:
    theirs = cross(y_k, model(X_k)) + sum(model.losses)
kernels = flat([array for W, b in views(w0, small) for array in (W, 0 * b)])
loss_k, g_k = loss_and_gradient(w0, small, X_k, y_k)
claim("loss with decay price against Keras, difference",
      abs(float(theirs) - (loss_k + gamma / 2 * kernels @ kernels)), at_most=1e-5)
their_gradient = flat(tape.gradient(theirs, model.trainable_weights))
claim("its gradient, largest difference",
      np.abs(their_gradient - (g_k + gamma * kernels)).max(), at_most=1e-5)

# %% [markdown]
# Dropout draws its own random numbers, so read the mask off the output: Keras' layer on ones returns the gate itself. Then our forward pass with that gate must give Keras' output, and with `training=False` nothing may happen.

# %% tags=["evidence"]
#@title Evidence: with Keras' own mask, our dropout gives Keras' output
layer = keras.layers.Dropout(0.3, seed=5, dtype="float64")
gate = layer(np.ones((1000, 64)), training=True).numpy()
print("values of the gate:", np.unique(gate.round(6)), f" mean {gate.mean():.3f},"
      f" variance {gate.var():.3f} (derived {0.3 / 0.7:.3f})")
a_k = rng.normal(size=(1000, 64))
same_seed = keras.layers.Dropout(0.3, seed=5, dtype="float64")   # the same mask again
claim("dropout output with Keras' mask, largest difference",
      np.abs(same_seed(a_k, training=True).numpy() - a_k * gate).max(), at_most=1e-12)
claim("dropout switched off, largest difference",
      np.abs(layer(a_k, training=False).numpy() - a_k).max(), at_most=0)
claim("Keras' global float type is untouched",
      keras.config.floatx() == keras.config.dtype_policy().name, at_least=1)


# %% [markdown]
# Early stopping, step for step: full-batch descent with $\eta = 1$ on the noisy digits, patience 3, back to the best weights. Both sides run their own training.

# %%
def stop_by_hand(patience, eta=1.0, most=by_profile(quick=60, standard=300, full=300)):
    """-> validation losses of the epochs run, weights of the best epoch"""
    w, losses, best = w0, [], w0
    for epoch in range(most):
        w = w - eta * loss_and_gradient(w, small, X_noisy, y_noisy)[1]
        losses.append(score(w, small, X_val, y_val)[0])
        if np.argmin(losses) == epoch:
            best = w
        if epoch - np.argmin(losses) >= patience:
            break
    return np.array(losses), best


ours, ours_best = stop_by_hand(3)
model = keras_copy(w0)
model.compile(keras.optimizers.SGD(1.0), cross)
stopper = keras.callbacks.EarlyStopping("val_loss", patience=3,
                                        restore_best_weights=True)
history = model.fit(X_noisy, y_noisy, batch_size=200, shuffle=False, verbose=0,
                    epochs=300, validation_data=(X_val, y_val),
                    validation_batch_size=260, callbacks=[stopper]).history["val_loss"]
print(f"Keras ran {len(history)} epochs, we {len(ours)}; best epochs"
      f" {stopper.best_epoch} and {ours.argmin()}")
claim("validation losses, largest difference", np.abs(np.array(history[:len(ours)])
      - ours[:len(history)]).max(), at_most=1e-5)
claim("restored weights, largest difference", np.abs(flat(model.get_weights())
      - ours_best).max(), at_most=1e-5)

# %% [markdown]
# Without `restore_best_weights=True`, off by default, Keras stops at the last epoch's weights: `patience` epochs past the best. A sibling of the clinic's faults, and it raises no error either.

# %% [markdown]
# ## 12.15 Where it breaks
#
# - **The decomposition is about an average over training sets.** You have one. Bias and variance explain a learner; for *your* model you have only its validation error, with its interval (notebook [[evaluation_metrics]]).
# - **$\lambda/(\lambda + \gamma)$ and $1/\eta t$ are quadratic truths**, exact for linear models and local for networks. With Adam they don't hold as they stand.
# - **Everything here ran on a few hundred 8×8 digits.** Which regularizer wins depends on data, noise and budget; in 12.8 labels were wrong on purpose. Models trained for one pass over a huge corpus hardly use dropout.
# - **Batch norm couples the examples of a batch** and behaves differently in evaluation; small or unmixed batches break it (notebook [[convolution]]).
# - **Residual connections do not make depth free**: every block still costs time and memory (notebook [[what_is_a_large_model]]), and $s = 1$ without normalization explodes (12.10).
# - **A validation set wears out.** Every decision spends some of it (12.11).
#
# **What a product team should ask.** How many configurations were tried before this score, on which data? Is the test set untouched, and by whom? How much do seeds alone move the result? Which wrong labels does the data contain? Does the training learn ten examples by heart?

# %% [markdown]
# ## Summary
#
# 1. Both losses high: underfitting, more capacity, more steps or better optimization. A large gap: overfitting, more data or regularization. Capacity adds expressive power, data reduces estimation error.
# 2. Expected error = noise + bias² + variance, and the three add up when measured; the variance peaks where the fit becomes just possible and can fall again in wider models.
# 3. Decay keeps $\lambda/(\lambda + \gamma)$ of each direction; early stopping at $t$ acts like $\gamma = 1/\eta t$; dropout in a linear model is decay with the price $\frac{p}{1-p}\overline{x_j^2}$.
# 4. Normalization widens the range of rates that train; a bypass puts $I$ in front of every Jacobian; branches scaled by $1/\sqrt L$ keep fifty blocks level.
# 5. Search at random on log scales, report the winner on a test set; when training fails, run the checks before touching the model.
#
# | key formula | |
# |---|---|
# | decomposition | $\mathbb E(y - \hat g)^2 = \sigma^2 + (f - \bar g)^2 + \mathbb E(\hat g - \bar g)^2$ |
# | weight decay | $q_i^\top w = \frac{\lambda_i}{\lambda_i + \gamma}\, q_i^\top w^*$; prior of variance $\tau^2$: $\gamma = \sigma^2/(n\tau^2)$ |
# | dropout | $\mathbb E[m] = 1$, $\operatorname{Var}[m] = \frac{p}{1-p}$; linear model: $\gamma_j = \frac{p}{1-p}\,\overline{x_j^2}$ |
# | early stopping | share $1 - (1 - \eta\lambda)^t$, like $\gamma = 1/(\eta t)$ |
# | normalization | $N(cz) = N(z)$, so $\nabla L(cW) = \nabla L(W)/c$ |
# | residual block | $\partial h_l/\partial h_{l-1} = I + sJ_l$; squared length $\times\,(1 + s^2)$ per block |
# | random search | all $k$ trials miss a share $v$: $(1 - v)^k$ |
#
# **Further reading** (read Karpathy's recipe, the last one, next)
#
# - S. Geman, E. Bienenstock, R. Doursat (1992). Neural networks and the bias/variance dilemma. *Neural Computation* 4, 1–58.
# - M. Belkin, D. Hsu, S. Ma, S. Mandal (2019). Reconciling modern machine-learning practice and the classical bias–variance trade-off. *PNAS* 116, 15849–15854. arXiv:1812.11118.
# - P. Nakkiran et al. (2020). Deep double descent. ICLR, arXiv:1912.02292.
# - N. Srivastava et al. (2014). Dropout: a simple way to prevent neural networks from overfitting. *JMLR* 15, 1929–1958.
# - S. Wager, S. Wang, P. Liang (2013). Dropout training as adaptive regularization. NIPS, arXiv:1307.1493.
# - C. M. Bishop (1995). Regularization and complexity control in feed-forward networks. ICANN. Early stopping and decay.
# - S. Ioffe, C. Szegedy (2015). Batch normalization. ICML, arXiv:1502.03167. J. L. Ba, J. R. Kiros, G. E. Hinton (2016). Layer normalization. arXiv:1607.06450. B. Zhang, R. Sennrich (2019). Root mean square layer normalization. NeurIPS, arXiv:1910.07467.
# - K. He, X. Zhang, S. Ren, J. Sun (2016). Deep residual learning for image recognition. CVPR, arXiv:1512.03385; and: Identity mappings in deep residual networks. ECCV, arXiv:1603.05027.
# - J. Bergstra, Y. Bengio (2012). Random search for hyper-parameter optimization. *JMLR* 13, 281–305.
# - J. Dodge et al. (2019). Show your work: improved reporting of experimental results. EMNLP, arXiv:1909.03004. The expected best of $k$, drawn with replacement. R. Tang et al. (2020). Showing your work doesn't always work. ACL, arXiv:2004.13705. Without: exercise 12.11.
# - C. G. Northcutt, A. Athalye, J. Mueller (2021). Pervasive label errors in test sets destabilize machine learning benchmarks. NeurIPS Datasets and Benchmarks, arXiv:2103.14749.
# - J. Hoffmann et al. (2022). Training compute-optimal large language models. arXiv:2203.15556.
# - A. Karpathy (2019). A recipe for training neural networks. Blog, karpathy.github.io.
