# ---
# jupyter:
#   course:
#     datasets: [diabetes, digits]
#     covers: "Gradient descent, momentum, AdaGrad, RMSProp, Adam and AdamW; learning-rate schedules; conditioning."
#     prerequisites: [neurons_and_layers, backpropagation]
#     ledger: [D1-3.1-b, D2-2-f,
#       D2-3.2.1-a, D2-3.2.1-b, D2-3.2.1-c, D2-3.2.1-d,
#       D2-3.2.2-a, D2-3.2.2-b, D2-3.2.2-c, D2-3.3.4-b, D2-3.3.5-a, D2-3.3.7-a,
#       D2-4.2.1-a, D2-4.2.1-b, D2-4.2.2-a, D2-4.2.2-b, D2-4.2.2-c, D2-4.2.2-d,
#       D3-4.2-f, D3-A.2-a, D3-A.2-b, D4-3.2-c]
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
# # Optimizers
#
# The gradient says which way is down. How far do you go, and is straight down even the best way? One number, the learning rate,
# decides whether a network learns, crawls or explodes. You derive here which rate works, and then what each of the common
# optimizers (优化器) knows that plain descent does not.
#
# **The digit reader so far** has a hidden layer, and notebook [[backpropagation]] found the gradient of all its weights. It still moves by the plainest rule there is, with a rate found by trying. This notebook adds the rules that choose how far.
#
# **You will be able to**
# - predict from the Hessian's eigenvalues when gradient descent converges, how fast, and why it zigzags;
# - say what a larger batch buys, and measure the batch size beyond which it buys little;
# - say what momentum, Nesterov, AdaGrad, RMSProp and Adam each add to plain descent;
# - repair a widely copied Adam, and write one step of Adam and of AdamW yourself;
# - find a learning rate by a range test and choose a schedule with warm-up;
# - compare optimizers fairly, and reproduce Keras' steps to the last digits.

# %% tags=["setup"]
import math

import matplotlib.pyplot as plt
import numpy as np

from course_utils import by_profile, check, claim, data, devices, plotting, solved

plotting.use_style()
rng = np.random.default_rng(0)


# %% [markdown]
# ## 7.1 One step downhill
#
# Here is a loss with two weights, $L(w) = \tfrac12\, w^\top H w$ with a fixed symmetric matrix $H$, shape (2, 2): a long valley with its lowest point at 0. Gradient descent (梯度下降)
# repeats one line,
#
# $$w \leftarrow w - \eta\, g, \qquad g = \nabla L(w),$$
#
# with the *learning rate* (学习率) $\eta$. $\nabla L$ is the gradient of notebook [[backpropagation]], all $\partial L/\partial w_i$ in one vector; here $g = Hw$, as $\tfrac12 h w^2$ has the derivative $hw$. Same valley, same start; only $\eta$ differs.

# %%
class GradientDescent:
    """w <- w - eta g. As all optimizers here: step(w, g) -> new w, for any shape."""

    def __init__(self, eta):
        self.eta = eta

    def step(self, w, g):
        return w - self.eta * g


def walk(optimizer, gradient, w, steps):
    """So many steps from w (p,); gradient(w) -> (p,). -> positions (steps + 1, p)"""
    path = [w]
    for _ in range(steps):
        w = optimizer.step(w, gradient(w))
        path.append(w)
    return np.array(path)


# %%
valley, start = np.array([[1.0, 0.9], [0.9, 1.0]]), np.array([-0.4, 2.2])
descents = {eta: walk(GradientDescent(eta), lambda w: valley @ w, start, 40)
            for eta in (0.1, 1.0, 1.07)}
for eta, path in descents.items():
    away = np.linalg.norm(path, axis=1)
    print(f"η = {eta:4}: distance after 0, 10, 20, 40 steps:",
          *away[[0, 10, 20, 40]].round(2))
claim("largest weight in these 40 steps at η = 1.07 (the frame below ends at 2.6)",
      np.abs(descents[1.07]).max(), at_least=2.6)


# %% tags=["plumbing"]
#@title Plumbing: the surface as a map
def draw_surface(ax, H, center=(0, 0), half_width=2.6):
    """Color by the root of L = (w - center) H (w - center) / 2: dark is high."""
    offset = np.linspace(-half_width, half_width, 121)
    e = np.stack(np.meshgrid(offset, offset), axis=-1)  # (121, 121, 2)
    root = np.sqrt(np.einsum("abi,ij,abj->ab", e, H, e) / 2)
    ax.contourf(offset + center[0], offset + center[1], root, 12, cmap="Blues",
                vmax=1.8 * root.max(), antialiased=False)
    ax.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
    ax.grid(False)


# %% tags=["figure"]
#@title Figure: Forty steps from one start: only η differs
fig, axes = plt.subplots(1, 3, figsize=(9.6, 3.7))
for ax, (eta, path), verdict in zip(axes, descents.items(),
                                    ("crawls", "zigzags", "explodes")):
    draw_surface(ax, valley)
    ax.plot(path[:, 0], path[:, 1], "o-", color=plotting.RED, ms=3, lw=1.2)
    ax.plot(0, 0, "*", color="black", ms=10)
    ax.set(title=f"η = {eta}: {verdict}", xlim=(-2.6, 2.6), ylim=(-2.6, 2.6))
fig.suptitle("Forty steps from one start: only η differs", fontweight="bold")
plt.show()

# %% [markdown]
# Darker is higher; the star is the lowest point. At $\eta = 0.1$ descent drops into the valley and then creeps along its floor; at 1.0 it bounces from wall to wall and arrives;
# at 1.07, seven percent more, it swings wider and wider and is outside the frame before step 40. Section 7.2 computes these limits beforehand.
#
# **Why minus the gradient?** For a short step $d$, Taylor gives $L(w + d) \approx L(w) + g^\top d$. Among all $d$ of one length, $g^\top d = |g||d|\cos\angle(g, d)$
# is smallest where the cosine is −1: straight against $g$. Try directions all around:

# %% tags=["nbval-check-output"]
angles = np.radians(np.arange(0, 360, 0.1))
tips = start + 1e-4 * np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (3600, 2)
best = angles[np.argmin(np.einsum("ai,ij,aj->a", tips, valley, tips))]
g = valley @ start
against = np.arctan2(-g[1], -g[0]) % (2 * np.pi)
print(f"lowest after a short step at {np.degrees(best):.1f}°; "
      f"minus the gradient points to {np.degrees(against):.1f}°")

# %% [markdown]
# Document 2 (4.2.1; titles in notebook [[start_here]]) prints this rule correctly, weights ← weights − α · gradient with $\alpha$ for our $\eta$. Its worked example has
# weights [1, 2], α = 0.1, gradient [0.5, −0.3], and the result [0.6, 2.3]. Compute it:

# %% tags=["nbval-check-output"]
w, g, eta = np.array([1.0, 2.0]), np.array([0.5, -0.3]), 0.1
print("one step:", GradientDescent(eta).step(w, g).round(4))
print("gradient that would lead to [0.6, 2.3]:", ((w - [0.6, 2.3]) / eta).round(4))

# %% [markdown]
# The step ends at **[0.95, 2.03]**; the printed vector needs the gradient [4, −3]. A slip that you can see without computing: the step is $\eta\,|g|$ long, here 0.06, and the printed one 0.5.

# %% [markdown]
# ## 7.2 Why it zigzags: the eigenvalues of the Hessian
#
# Real data have such valleys. Take 442 diabetes patients, two blood values, total cholesterol and LDL, and predict how the disease proceeds with
# a linear model, $\hat y = Xw$, all columns standardized (notebook [[preparing_data]]). The loss is half the mean squared error, $L = \frac1{2n}|Xw - y|^2$.

# %%
from sklearn.datasets import load_diabetes

patients = load_diabetes(scaled=False)


def standardize(columns):
    """Mean 0 and variance 1 for each column."""
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


X, y = standardize(patients.data[:, 4:6]), standardize(patients.target)  # (n, 2), (n,)
n = len(X)
H = X.T @ X / n                                 # (2, 2)
optimum = np.linalg.solve(H, X.T @ y / n)       # where the gradient is 0
eigenvalues, directions = np.linalg.eigh(H)     # ascending; directions are columns
print("H =", H.round(3).tolist(), "  eigenvalues", eigenvalues.round(3))


# %% [markdown]
# The gradient is $g = \frac1n X^\top(Xw - y)$, its derivative the *Hessian* (海森矩阵), the matrix of all second derivatives $\partial^2 L/\partial w_i\,\partial w_j$: here $H = \frac1n X^\top X$, shape $(p, p)$ for $p$ weights. Cholesterol and LDL rise together (correlation 0.9), so
# $H$ is nearly the valley above: standardizing made the columns equally *wide* and left them *aligned*.
#
# Let $w^*$ be the lowest point, $L^*$ the loss there, and $e = w - w^*$ the error. For a quadratic loss exactly, and for a smooth loss close to a minimum approximately,
#
# $$L = L^* + \tfrac12\, e^\top H e, \qquad g = H e, \qquad e \leftarrow e - \eta H e = (I - \eta H)\, e .$$
#
# An *eigenvector* (特征向量) is a direction that $H$ only stretches, by its *eigenvalue* $\lambda_i$, the curvature in that direction; here one points along the valley and one across. A symmetric $H$ has $p$ of them at right angles, $q_1, …, q_p$ of length 1 (the columns of `directions`). Split the error, $e = \sum_i c_i q_i$ with $c_i = q_i^\top e$; then $He = \sum_i \lambda_i c_i q_i$, and each component lives alone:
#
# $$\boxed{\;c_i \leftarrow (1 - \eta\lambda_i)\, c_i\;}$$

# %%
def gradient(w):
    """Gradient of half the mean squared error over all patients. w: (2,) -> (2,)"""
    return X.T @ (X @ w - y) / n


def gap(a, b):
    """Largest absolute difference of two arrays."""
    return np.abs(np.asarray(a) - np.asarray(b)).max()


begin, times = optimum + [-0.4, 2.2], np.arange(26)[:, None]
c = (walk(GradientDescent(0.8), gradient, begin, 25) - optimum) @ directions   # (26, 2)
claim("25 steps against (1 - ηλ)^t, largest difference",
      gap(c, c[0] * (1 - 0.8 * eigenvalues) ** times), at_most=1e-12)


# %% [markdown]
# That one factor says three things.
#
# - **Stable** only if every $|1 - \eta\lambda_i| < 1$, that is $\eta < 2/\lambda_{\max}$. Our first valley has the eigenvalues $1 \pm 0.9$, so $2/1.9 = 1.05$: hence 1.07 exploded.
# - **Zigzag**: where $\eta\lambda_i > 1$ the factor is negative, and the component changes side at each step. Where $\eta\lambda_i \ll 1$ it hardly moves. A valley has both at once.
# - **Best rate**: the slowest component decides, so balance the two ends, $1 - \eta\lambda_{\min} = -(1 - \eta\lambda_{\max})$:
#
# $$\eta^* = \frac{2}{\lambda_{\min} + \lambda_{\max}}, \qquad \text{error per step}\;\times\;\frac{\kappa - 1}{\kappa + 1}, \qquad \kappa = \frac{\lambda_{\max}}{\lambda_{\min}} .$$
#
# $\kappa$ is the *condition number* (条件数). Measure the factor at many rates:

# %%
def measured_factor(eta, steps=400):
    """Factor by which the error shrinks per step, late in a run."""
    # the error itself walks: added to w*, it would stop at rounding, 1e-16
    error = walk(GradientDescent(eta), lambda e: H @ e, begin - optimum, steps)
    return np.linalg.norm(error[-1]) / np.linalg.norm(error[-2])


etas, fine = np.linspace(0.12, 1.12, 11), np.linspace(0, 1.15, 300)
factors = [measured_factor(eta) for eta in etas]
fig, ax = plt.subplots(figsize=(6.4, 3.5))
for lam, color, way in zip(eigenvalues, plotting.PALETTE, ("along", "across")):
    ax.plot(fine, abs(1 - fine * lam), color=color,
            label=f"|1 − ηλ|, λ = {lam:.2f}, {way} the valley")
ax.plot(etas, factors, "o", color="black", label="measured")
ax.axhline(1, color=plotting.GRAY, ls=":")
ax.axvline(2 / eigenvalues.sum(), color=plotting.GREEN, ls="--", label="η*")
ax.set(title="The worse of two directions sets the pace", xlabel="learning rate η",
       ylabel="error after / error before", ylim=(0, 1.25))
ax.legend(loc="upper center", fontsize=8, bbox_to_anchor=(0.46, 0.72))
plt.show()
claim("measured against predicted factor, largest difference",
      gap(factors, np.abs(1 - np.outer(etas, eigenvalues)).max(axis=1)), at_most=1e-5)
print(f"best rate {2 / eigenvalues.sum():.2f}, its factor "
      f"{np.diff(eigenvalues)[0] / eigenvalues.sum():.3f}, correlation {H[0, 1]:.3f}")

# %% [markdown]
# The dots lie on the upper envelope of the two lines. Left of $\eta^*$ the valley's length is the bottleneck, right of it the walls, and beyond 1.05 the walls throw you out.
# For two standardized columns with correlation $r > 0$ the eigenvalues are $1 \pm r$, so the best factor is $r$ itself: **the more two inputs say the same, the slower you learn what tells them apart.**

# %%
for name, columns in {"two blood values": X, "all ten, raw units": patients.data,
                      "all ten, standardized": standardize(patients.data)}.items():
    spectrum = np.linalg.eigvalsh(columns.T @ columns)
    print(f"{name:22} condition number {spectrum[-1] / spectrum[0]:12,.0f}")

# %% tags=["figure"]
#@title Figure: Shrinking the error a thousandfold at the best rate
fig, axes = plt.subplots(1, 3, figsize=(9.6, 3.7))
for ax, kappa in zip(axes, (1, eigenvalues[1] / eigenvalues[0], 200)):
    spectrum = np.array([2, 2 * kappa]) / (1 + kappa)   # sums to 2: the best rate is 1
    shape = directions @ np.diag(spectrum) @ directions.T
    path = walk(GradientDescent(1.0), lambda w: shape @ w, start, 1000)
    distance = np.linalg.norm(path, axis=1)
    draw_surface(ax, shape)
    ax.plot(path[:60, 0], path[:60, 1], "o-", color=plotting.RED, ms=3, lw=1)
    needed = np.argmax(distance < distance[0] / 1000)
    ax.set_title(f"κ = {kappa:.0f}: steps needed {needed}")
fig.suptitle("Shrinking the error a thousandfold at the best rate", fontweight="bold")
plt.show()


# %% [markdown]
# On a round surface one step suffices; after that the number of steps grows in proportion to $\kappa$, about $\tfrac12\kappa\ln 1000$, since the factor is about $1 - 2/\kappa \approx e^{-2/\kappa}$. Real tables are far from round: all ten columns of this one have a $\kappa$ of a million
# in raw units, 470 when standardized. So prepare the inputs well before you look for a better optimizer. Batch and layer normalization ([[convolution]], [[embeddings_and_attention]], [[training_deep_networks]]) rescale inside a network; whether they help for this reason is disputed.

# %% [markdown]
# ### Exercise 7.2 · the best rate for any quadratic (10 min)
# Given a symmetric $H$ with positive eigenvalues, return the best learning rate, the factor per step that it reaches, and the smallest number of steps that is sure to shrink any error at least a thousandfold. Mind the round surface: there one step is enough.

# %% tags=["exercise"]
def best_descent(H):
    """Best rate, factor per step, and steps for a factor of 1000.

    H: (p, p) symmetric positive definite, p >= 1 -> float, float, int
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("7.2", "the best rate for any quadratic"):
    surfaces_t = {"round": np.diag([4.0, 4.0, 4.0]), "one weight": np.array([[2.5]]),
                  "nearly round": np.diag([1.0, 1.001])}
    for p_t in (2, 5, 7):
        A_t = np.random.default_rng(p_t).normal(size=(p_t + 3, p_t))
        surfaces_t[f"{p_t} weights"] = A_t.T @ A_t / 4
    for name_t, H_t in surfaces_t.items():
        eta_t, factor_t, steps_t = best_descent(H_t.copy())
        near_t = np.outer([1, 0.999, 1.001], np.linalg.eigvalsh(H_t))
        here_t, *close_t = np.abs(1 - eta_t * near_t).max(axis=1)
        assert here_t < min(close_t), f"{name_t}: a rate close by is better"
        np.testing.assert_allclose(factor_t, here_t, rtol=1e-6, atol=1e-12,
                                   err_msg=f"{name_t}: the factor")
        assert int(steps_t) == steps_t, f"{name_t}: {steps_t} is no whole number"
        left_t = here_t**steps_t, here_t ** (steps_t - 1)
        assert left_t[0] <= 1e-3 < left_t[1], (
            f"{name_t}: {steps_t} steps leave {left_t[0]:.2g} of the error, one less "
            f"{left_t[1]:.2g}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.linalg.eigvalsh` returns the eigenvalues in ascending order. For the steps solve $\text{factor}^t \le 1/1000$ and round up; a factor of 0 has no logarithm.
# </details>

# %% tags=["solution"]
#@title Solution 7.2 · runs only while yours does not pass
if not solved("7.2"):
    def best_descent(H):
        spectrum = np.linalg.eigvalsh(H)
        smallest, largest = spectrum[0], spectrum[-1]
        factor = (largest - smallest) / (largest + smallest)
        steps = 1 if factor < 1e-3 else np.ceil(np.log(1e-3) / np.log(factor))
        return 2 / (smallest + largest), factor, int(steps)


# %% [markdown]
# ## 7.3 Batch, mini-batch, one example
#
# The exact gradient reads all $n$ examples for a single step. Take the mean over $B$ random ones instead:
#
# | name | examples per step | steps per epoch |
# |---|---|---|
# | batch gradient descent (批量梯度下降) | all $n$ | 1 |
# | stochastic gradient descent, SGD (随机梯度下降), in the strict sense | 1 | $n$ |
# | mini-batch gradient descent (小批量梯度下降) | $B$ | $\lceil n/B\rceil$ |
#
# Frameworks call all three SGD; `batch_size` decides. Let $g_i$ be the gradient of example $i$ alone, $g$ the mean of all of them and $g_B$ the mean over a batch. $\Sigma$, shape $(p, p)$, is the covariance of the $g_i$: on its diagonal the variance of each entry, beside it how two entries vary together. $\mathbb E$ is the mean over all possible draws. For $B$ independent ones
#
# $$\mathbb E[g_B] = g, \qquad \operatorname{Cov}[g_B] = \Sigma / B .$$
#
# Right on average; the noise shrinks only with $\sqrt B$. Draw batches and see:

# %%
def example_gradients(w):
    """Gradient of each patient's own loss. -> (n, 2)"""
    return X * (X @ w - y)[:, None]


G = example_gradients(begin)
covariance = np.cov(G.T, bias=True)
for B in (1, 4, 16):
    drawn = G[rng.integers(0, n, (100_000, B))].mean(axis=1)    # (100000, 2)
    off = gap(drawn.mean(axis=0), G.mean(axis=0))
    ratio = np.trace(np.cov(drawn.T)) / (np.trace(covariance) / B)
    print(f"B = {B:2}: mean off by {off:.3f}, variance / predicted = {ratio:.3f}")


# %% [markdown]
# A step from 16 examples costs a 28th of an exact one. Is the noise worth it? Read the patients ten times, each once per epoch in a new random order, in three ways:

# %%
def batches(count, size, shuffle):
    """Row numbers in random order, cut into batches; the last may be smaller."""
    order = shuffle.permutation(count)
    return [order[first:first + size] for first in range(0, count, size)]


fig, axes = plt.subplots(1, 3, figsize=(9.6, 3.8))
settings = ("batch", n, 1.0), ("mini-batch", 32, 0.2), ("one example", 1, 0.02)
for ax, (name, B, eta) in zip(axes, settings):
    w, path, shuffle = begin, [begin], np.random.default_rng(0)
    for rows in [rows for _ in range(10) for rows in batches(n, B, shuffle)]:
        w = w - eta * X[rows].T @ (X[rows] @ w - y[rows]) / len(rows)
        path.append(w)
    draw_surface(ax, H, optimum)
    ax.plot(*np.transpose(path), color=plotting.RED, lw=0.8)
    ax.plot(*optimum, "*", color="black", ms=10)
    ax.set_title(f"{name}: {len(path) - 1:,} steps, η = {eta}")
fig.suptitle("Ten times through the same 442 patients", fontweight="bold")
plt.show()


# %% [markdown]
# Ten exact steps are still on their way; 140 mini-batch steps have arrived and tremble a little; 4,420 single-example steps have arrived too and keep wandering in a cloud.
#
# **How large is the cloud?** Take *independent* draws again, as in the formula above. Near the optimum one component obeys $c \leftarrow (1 - \eta\lambda)\,c - \eta\,\xi$ with noise $\xi$ of variance $\sigma^2/B$, where $\sigma^2$ is the variance of the single examples' gradients in that direction. In the long run the variance $V$ of $c$ no longer changes:
#
# $$V = (1 - \eta\lambda)^2\, V + \frac{\eta^2\sigma^2}{B} \;\Rightarrow\; V = \frac{\eta\,\sigma^2}{B\,\lambda\,(2 - \eta\lambda)}, \qquad
# \text{excess loss} = \sum_i \tfrac12\lambda_i V_i = \frac{\eta}{B} \sum_i \frac{\sigma_i^2}{2\,(2 - \eta\lambda_i)} .$$

# %%
def excess(w):
    """Loss above the optimum's. w: (..., 2)"""
    e = w - optimum
    return np.einsum("...i,ij,...j->...", e, H, e) / 2


def independent_draws(B, chains, pick):
    """Row numbers (chains, B) of one batch after the other, drawn with replacement."""
    while True:
        yield pick.integers(0, n, (chains, B))


def epoch_draws(B, chains, pick):
    """The same, but an epoch reads each row once, in a new order (n % B left out)."""
    while True:
        order = np.argsort(pick.random((chains, n)), axis=1)
        yield from (order[:, at:at + B] for at in range(0, n - B + 1, B))


def measured_floor(eta, B, draws=independent_draws,
                   chains=by_profile(quick=20, standard=100, full=400)):
    """Mean excess loss long after the start, over so many runs at once."""
    settle, total = int(6 / (eta * eigenvalues[0])), 0.0
    w, queue = np.tile(optimum, (chains, 1)), draws(B, chains, np.random.default_rng(B))
    for t in range(2 * settle):
        rows = next(queue)
        residual = np.einsum("cbi,ci->cb", X[rows], w) - y[rows]
        w = w - eta * np.einsum("cb,cbi->ci", residual, X[rows]) / B
        total += (t >= settle) * excess(w).mean() / settle
    return total


# %%
spread = (example_gradients(optimum) @ directions).var(axis=0)  # σ² in each direction


def predicted_floor(eta, B):
    """The formula's excess loss."""
    return eta / B * np.sum(spread / (2 * (2 - eta * eigenvalues)))


floor_rates = np.array(by_profile(quick=[0.2, 0.4], standard=[0.05, 0.1, 0.2, 0.4],
                                  full=[0.02, 0.05, 0.1, 0.2, 0.4]))
floors = {B: [measured_floor(eta, B) for eta in floor_rates] for B in (4, 16, 64)}
off = [measured / predicted_floor(eta, B) - 1 for B, row in floors.items()
       for eta, measured in zip(floor_rates, row)]
print(f"measured against formula: off by {np.median(np.abs(off)):.0%} (median), "
      f"{np.max(np.abs(off)):.0%} at most (η = 0.4, B = 4)")
for B in (4, 16, 64):
    eta = floor_rates[0]
    share = measured_floor(eta, B, epoch_draws) / predicted_floor(eta, B)
    print(f"each patient once per epoch, η = {eta}, B = {B:2}: {share:.2f} of it")
claim("floor with each patient once per epoch, B = 64, as a share of the formula's",
      share, at_most=0.8)

# %% tags=["figure"]
#@title Figure: For these rates the floor depends on η/B, nearly alone
fig, ax = plt.subplots(figsize=(6, 3.4))
for (B, measured), marker, color in zip(floors.items(), "os^", plotting.PALETTE):
    formula = [predicted_floor(eta, B) for eta in floor_rates]
    ax.loglog(floor_rates / B, measured, marker, color=color, label=f"B = {B}")
    ax.loglog(floor_rates / B, formula, color=color, lw=1)
ax.set(title="For these rates the floor depends on η/B, nearly alone", xlabel="η / B",
       ylabel="excess loss in the long run")
ax.legend()
plt.show()

# %% [markdown]
# Lines are the formula. While $\eta\lambda \ll 1$, halving the rate or doubling the batch lowers the floor equally. The formula takes the noise as equal everywhere; in a wide cloud (top right) it grows with the distance, and the floor is higher.
# And it assumes independent draws. Training usually reads each example once per epoch: what one batch has too much of, the others of the epoch have too little of, part of the noise cancels, and the floor is lower, the more so the larger the batch (last lines of the output).
#
# Two rules of practice follow, for plain descent. When you multiply the batch, multiply the rate too, until 7.2's limit or the noise scale below stops you (for Adam the argument does not hold as it stands). And to settle, *lower the rate* at the end (7.9).

# %% [markdown]
# **When does a larger batch stop paying?** Put a step along $g_B = g + \xi$ into the quadratic and take the mean. What is linear in $\xi$ averages to 0, and $\mathbb E[\xi^\top H\xi] = \sum_{ij} H_{ij}\Sigma_{ij}/B = \operatorname{tr}(H\Sigma)/B$, where $\operatorname{tr}$ adds up the diagonal:
#
# $$\mathbb E\,[L(w - \eta g_B)] = L - \eta |g|^2 + \tfrac12\eta^2\Big(g^\top H g + \tfrac1B \operatorname{tr}(H\Sigma)\Big).$$
#
# Minimize over $\eta$: the best rate is $\eta_\infty\big/(1 + B_\text{noise}/B)$, with $\eta_\infty$ the best for the exact gradient, and the gain shrinks by the same factor. The *noise scale* (噪声尺度) is
#
# $$B_\text{noise} = \frac{\operatorname{tr}(H\Sigma)}{g^\top H g} \;\approx\; B_\text{simple} = \frac{\operatorname{tr}\Sigma}{|g|^2}.$$
#
# ($\operatorname{tr}\Sigma$ is the sum of all variances. The two are equal when $H$ curves alike in all directions; otherwise $B_\text{simple}$ gives the order of magnitude.) Far below $B_\text{noise}$, doubling the batch nearly doubles the gain of a step; at $B = B_\text{noise}$ a step gains half of what the exact gradient would; far above, doubling buys nothing. The formula is exact: average over all 442 batches of size 1.

# %%
mean_loss = lambda w: np.mean((X @ w - y) ** 2) / 2
g, eta = G.mean(axis=0), 0.3
every_step = np.mean([mean_loss(begin - eta * gi) for gi in G])
curvature = g @ H @ g + np.trace(H @ covariance)
formula = mean_loss(begin) - eta * g @ g + eta**2 / 2 * curvature
claim("expected loss after a one-example step, difference from the formula",
      gap(every_step, formula), at_most=1e-12)

# %% [markdown]
# Now a real network, which stays with us: 64-32-10 on the 8×8 digits, with tanh (smooth, so second derivatives exist) and cross-entropy. All 2,410 weights and biases live in one flat vector $w$; then every optimizer is
# a formula on vectors. The backward pass is that of notebook [[backpropagation]], the start that of notebook [[neurons_and_layers]]: weights of variance $1/d_\text{in}$. 1,037 digits train, 260 validate (they decide about rates), 500 are kept for one final test.

# %%
WIDTHS = (64, 32, 10)


def layers(w, widths=WIDTHS):
    """Cut the flat vector w (p,) into [(W, b), ...], without copying."""
    stack, at = [], 0
    for d_in, d_out in zip(widths, widths[1:]):
        end = at + d_in * d_out
        stack.append((w[at:end].reshape(d_in, d_out), w[end:end + d_out]))
        at = end + d_out
    return stack


def start_weights(seed, widths=WIDTHS):
    """Weights of variance 1/d_in, biases 0. -> (p,)"""
    draw, parts = np.random.default_rng(seed), []
    for d_in, d_out in zip(widths, widths[1:]):
        parts += [draw.normal(0, d_in**-0.5, d_in * d_out), np.zeros(d_out)]
    return np.concatenate(parts)


# %%
def forward(w, images, labels, widths=WIDTHS):
    """Mean cross-entropy in nats; what each layer reads; probabilities (B, 10)."""
    *hidden, (W, b) = layers(w, widths)
    inputs = [images]
    for W_l, b_l in hidden:
        inputs.append(np.tanh(inputs[-1] @ W_l + b_l))
    z = inputs[-1] @ W + b
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(labels)), labels].mean(), inputs, np.exp(log_p)


def deltas(w, inputs, p, labels, widths=WIDTHS):
    """From the last layer to the first: (what it reads, dL/dz of each example)."""
    delta = p.copy()
    delta[np.arange(len(labels)), labels] -= 1
    for (W, _), a in zip(reversed(layers(w, widths)), reversed(inputs)):
        yield a, delta
        delta = (delta @ W.T) * (1 - a**2)


def loss_and_gradient(w, images, labels, widths=WIDTHS):
    """Mean cross-entropy and its gradient. -> float, (p,)"""
    value, inputs, p = forward(w, images, labels, widths)
    parts = []
    for a, delta in deltas(w, inputs, p, labels, widths):
        parts += [delta.sum(axis=0), (a.T @ delta).ravel()]
    return value, np.concatenate(parts[::-1]) / len(labels)


# %%
from threadpoolctl import threadpool_limits

threadpool_limits(1)  # for matrices this small a second core is in the way
digits = data.digits()
images = digits.x_train.reshape(-1, 64) / 16
train_set = images[:1037], digits.y_train[:1037]
val_set = images[1037:], digits.y_train[1037:]              # decides about rates
test_set = digits.x_test.reshape(-1, 64) / 16, digits.y_test
examples = len(train_set[0])


def full_gradient(w):
    """Gradient over all training digits. w: (2410,) -> (2410,)"""
    return loss_and_gradient(w, *train_set)[1]


def batch_gradient(w, rows, widths=WIDTHS):
    """Gradient over these rows of the training digits. -> (p,)"""
    return loss_and_gradient(w, train_set[0][rows], train_set[1][rows], widths)[1]


w, h, nudges = start_weights(0), 1e-5, rng.normal(size=(20, 2410))
ups, downs = ([forward(w + s * h * d, *train_set)[0] for d in nudges] for s in (1, -1))
slopes = nudges @ loss_and_gradient(w, *train_set)[1]
claim("gradient against central differences in 20 directions, largest difference",
      gap(np.subtract(ups, downs) / (2 * h), slopes), at_most=1e-7)


# %% [markdown]
# How large is the noise scale, and does it stay? It needs the squared norm of every single example's gradient. One backward pass gives them all: for a layer, an example's gradient is an outer product of what it reads and its
# $\delta$, so its squared norm is the product of theirs. Then $\operatorname{tr}\Sigma = \operatorname{mean}_i |g_i|^2 - |g|^2$, hence $B_\text{simple} = \operatorname{mean}_i |g_i|^2 / |g|^2 - 1$.

# %%
def squared_norms(w, images, labels):
    """|gradient|² of every single example. -> (B,)"""
    _, inputs, p = forward(w, images, labels)
    return sum(np.sum(delta**2, axis=1) * (np.sum(a**2, axis=1) + 1)   # + 1: the bias
               for a, delta in deltas(w, inputs, p, labels))


def simple_noise_scale(w):
    """tr(covariance) / |gradient|² over the training digits."""
    g2 = np.sum(loss_and_gradient(w, *train_set)[1] ** 2)
    return squared_norms(w, *train_set).mean() / g2 - 1


w = start_weights(0)
singly = [np.sum(batch_gradient(w, [i]) ** 2) for i in range(9)]
claim("squared norms at once against one by one, largest difference",
      gap(singly, squared_norms(w, *train_set)[:9]), at_most=1e-12)

# %%
EPOCHS = by_profile(quick=3, standard=20, full=40)
tracks = []
for seed in range(by_profile(quick=1, standard=5, full=20)):
    w, shuffle = start_weights(seed), np.random.default_rng(seed)
    track = [simple_noise_scale(w)]
    for epoch in range(EPOCHS):
        for rows in batches(examples, 32, shuffle):
            w = w - 0.1 * batch_gradient(w, rows)
        track.append(simple_noise_scale(w))
    tracks.append(track)
typical = np.exp(np.log(tracks).mean(axis=0))
print(f"noise scale {typical[0]:.0f} at the start, {typical[-1]:.0f} after "
      f"{EPOCHS} epochs of {-(-examples // 32)} steps (geometric mean over the seeds)")

# %% tags=["figure"]
#@title Figure: On the digits the noise scale grows while the network learns
fig, ax = plt.subplots(figsize=(6, 3.2))
ax.semilogy(np.transpose(tracks), color=plotting.SKY, lw=0.8)
ax.semilogy(typical, "o-", ms=4, color=plotting.BLUE)
ax.axhline(32, color=plotting.GRAY, ls="--")
ax.text(EPOCHS, 34, "the batch used: 32", color=plotting.GRAY, fontsize=8, ha="right")
ax.set(title="On the digits the noise scale grows while the network learns",
       xlabel="epoch", ylabel="noise scale in examples",
       xticks=range(0, EPOCHS + 1, 2))
plt.show()


# %% [markdown]
# Thin lines are seeds. At the start, signal and noise have the same size in a batch of some forty images. Do the images agree, then? Look at every single gradient of the untrained network:

# %%
def each_gradient(w, images, labels):
    """The gradient of every single example. -> (B, p)"""
    _, inputs, p = forward(w, images, labels)
    parts = []
    for a, delta in deltas(w, inputs, p, labels):
        outer = np.einsum("bi,bj->bij", a, delta).reshape(len(a), -1)
        parts.append(np.concatenate([outer, delta], axis=1))
    return np.concatenate(parts[::-1], axis=1)


single = each_gradient(start_weights(0), *train_set)                    # (1037, 2410)
length, mean = np.linalg.norm(single, axis=1), single.mean(axis=0)
cosine_with_mean = single @ mean / (length * np.linalg.norm(mean))
alike = train_set[1][:, None] == train_set[1]                           # same digit?
pairs = np.triu(np.ones_like(alike), k=1)                               # each pair once
opposed = single @ single.T < 0
longer = np.sqrt(np.mean(length**2)) / np.linalg.norm(mean)
print(f"one image's gradient is {longer:.1f} times as long as the mean of all; "
      f"{np.mean(cosine_with_mean < 0):.0%} of the images pull against it\n"
      f"pairs that pull against each other: {np.mean(opposed[pairs]):.0%}; "
      f"of the same digit {np.mean(opposed[pairs & alike]):.0%}")
claim("single gradients, mean against the batch's, largest difference",
      gap(mean, full_gradient(start_weights(0))), at_most=1e-12)
claim("share of the pairs that pull against each other", np.mean(opposed[pairs]),
      at_least=0.5)

# %% [markdown]
# They mostly disagree, even here: a step that raises the score of one digit lowers the others', so images of one digit pull together and two of different digits usually don't. Yet the mean of some forty is as long as its noise. Twenty epochs later (rate 0.1) the gradients almost cancel in the mean, and the same balance takes more than ten times as many images.
# (How much of the full gain such a batch reaches depends on the curvature too: $B_\text{noise}$ can be several times $B_\text{simple}$.) The growth is one argument for the huge batches of language models, and for raising the batch during a run.

# %% [markdown]
# ### Exercise 7.3 · the noise scale without single gradients (8 min)
# A framework hands you batch gradients only. Measure the mean of $|g_B|^2$ at two batch sizes and use $\mathbb E|g_B|^2 = |g|^2 + \operatorname{tr}\Sigma / B$: return $\operatorname{tr}\Sigma$ and $B_\text{simple}$.

# %% tags=["exercise"]
def noise_scale_from_norms(small, norm2_small, large, norm2_large):
    """Trace of the gradient covariance, and noise scale, from two batch sizes.

    small, large: batch sizes; norm2_*: mean of |g_B|² at that size -> float, float
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("7.3", "the noise scale without single gradients"):
    for g2_t, trace_t, small_t, large_t in ((0.5, 12, 1, 8), (2, 3, 16, 64),
                                            (0.1, 7, 32, 99), (1.5, 0, 4, 6)):
        norms_t = g2_t + trace_t / small_t, g2_t + trace_t / large_t
        got_t = noise_scale_from_norms(small_t, norms_t[0], large_t, norms_t[1])
        np.testing.assert_allclose(got_t, (trace_t, trace_t / g2_t), rtol=1e-6,
                                   atol=1e-9, err_msg="trace, then noise scale")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Subtract the two equations: $|g|^2$ drops out and leaves $\operatorname{tr}\Sigma$. Then put it back.
# </details>

# %% tags=["solution"]
#@title Solution 7.3 · runs only while yours does not pass
if not solved("7.3"):
    def noise_scale_from_norms(small, norm2_small, large, norm2_large):
        trace = (norm2_small - norm2_large) / (1 / small - 1 / large)
        g2 = norm2_large - trace / large
        return trace, trace / g2


# %% [markdown]
# ## 7.4 Momentum: remember where you were going
#
# Across the valley gradients alternate; along it they agree. Average them, and the zigzag cancels while the drift adds up. *Momentum* (动量) keeps a velocity $v$, of $w$'s shape, starting at 0:
#
# $$v \leftarrow \beta v - \eta\, g, \qquad w \leftarrow w + v .$$
#
# Unrolled, $v = -\eta\,(g_t + \beta g_{t-1} + \beta^2 g_{t-2} + \dots)$. Under a constant gradient it settles at $-\frac{\eta}{1-\beta}\,g$: with the usual $\beta = 0.9$, steps ten times as long.
#
# How much faster is it? Think of a door with a spring and a damper. Too much damping, and it creeps shut. Too little, and it swings to and fro for a long time. In between it shuts fastest. Here $1 - \beta$ is the damping, and each eigendirection is a door with a spring of its own stiffness $\lambda$. One step multiplies the pair $(v, c)$ by a 2×2 matrix:
#
# $$\begin{pmatrix} v \\ c \end{pmatrix} \leftarrow \begin{pmatrix} \beta & -\eta\lambda \\ \beta & 1 - \eta\lambda \end{pmatrix}\begin{pmatrix} v \\ c \end{pmatrix}.$$
#
# Three facts about such a matrix (from any course on linear algebra) are enough.
#
# - Its eigenvalues $r$ solve $r^2 - (1 + \beta - \eta\lambda)\, r + \beta = 0$: trace and determinant are the two coefficients. After many steps each multiplication changes the length by the larger $|r|$.
# - Two real solutions: the door creeps, and the larger of them decides. Two complex solutions: it swings. Then both have the same absolute value, and since their product is $\beta$, $|r| = \sqrt\beta$, *whatever $\lambda$ is*: all directions that swing shrink equally fast.
# - They are complex where $(1 + \beta - \eta\lambda)^2 < 4\beta$, that is for $(1 - \sqrt\beta)^2 < \eta\lambda < (1 + \sqrt\beta)^2$.
#
# So choose $\eta$ and $\beta$ such that this window just holds the whole spectrum, from $1 - \sqrt\beta = \sqrt{\eta\lambda_{\min}}$ to $1 + \sqrt\beta = \sqrt{\eta\lambda_{\max}}$. Solved for the two:
#
# $$\sqrt{\beta^*} = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} = \text{error per step}, \qquad \eta^* = \frac{4}{(\sqrt{\lambda_{\max}} + \sqrt{\lambda_{\min}})^2} .$$
#
# $\sqrt\kappa$ instead of $\kappa$: at $\kappa = 400$, twenty times fewer steps.

# %%
class Momentum:
    """Velocity and step; nesterov=True is derived below."""

    def __init__(self, eta, beta=0.9, nesterov=False):
        self.eta, self.beta, self.nesterov = eta, beta, nesterov
        self.v = 0.0

    def step(self, w, g):
        self.v = self.beta * self.v - self.eta * g
        if self.nesterov:
            return w + self.beta * self.v - self.eta * g
        return w + self.v


def momentum_matrix(eta, beta, lam):
    """One step of (velocity, error) in a direction of curvature lam. -> (2, 2)"""
    return np.array([[beta, -eta * lam], [beta, 1 - eta * lam]])


c = (walk(Momentum(0.5, 0.8), gradient, begin, 40) - optimum) @ directions
predicted = [np.linalg.matrix_power(momentum_matrix(0.5, 0.8, lam), 40)[1, 1] * c0
             for lam, c0 in zip(eigenvalues, c[0])]
claim("40 steps of momentum against the matrix power, largest difference",
      gap(c[-1], predicted), at_most=1e-12)

# %%
low, high = np.sqrt(eigenvalues)
best_beta, best_eta = ((high - low) / (high + low)) ** 2, 4 / (high + low) ** 2
eta_axis, beta_axis = np.linspace(0.02, 2.2, 90), np.linspace(0, 0.98, 60)
matrices = [[[momentum_matrix(eta, beta, lam) for lam in eigenvalues]
             for eta in eta_axis] for beta in beta_axis]
per_step = np.abs(np.linalg.eigvals(matrices)).max(axis=(2, 3))        # (60, 90)

fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.6))
levels = np.arange(0.5, 1.01, 0.05)
shown = axes[0].contourf(eta_axis, beta_axis, per_step, levels, cmap="viridis")
fig.colorbar(shown, label="error per step", ax=axes[0])
axes[0].plot(best_eta, best_beta, "*", color="white", mec="black", ms=14)
axes[0].plot(2 / eigenvalues.sum(), 0, "o", color="white", mec="black", clip_on=False)
axes[0].set(title="Error per step; where it is white, it grows",
            xlabel="learning rate η", ylabel="momentum β")
axes[0].grid(False)
for name, optimizer in {"descent, best η": GradientDescent(2 / eigenvalues.sum()),
                        "momentum 0.9, η = 0.1": Momentum(0.1),
                        "momentum, best pair": Momentum(best_eta, best_beta)}.items():
    path = walk(optimizer, gradient, begin, 80)
    axes[1].semilogy(np.linalg.norm(path - optimum, axis=1), label=name)
axes[1].set(title="√κ instead of κ", xlabel="step",
            ylabel="distance to the optimum", ylim=(1e-9, 9))
axes[1].legend(fontsize=8, loc="lower left")
plt.show()
print(f"best pair: η = {best_eta:.2f}, β = {best_beta:.2f}, "
      f"error per step {np.sqrt(best_beta):.3f}")

# %% [markdown]
# The bottom edge of the map is plain descent, the dot its best rate. With exact gradients momentum widens the range of stable rates, to $\eta < 2(1 + \beta)/\lambda_{\max}$ (7.9 shows what noise makes of that). At the star the error falls by a factor of 0.62 per step, where descent reaches 0.90:
# on the right, fewer than 60 steps to $10^{-9}$ against 80 steps to less than a thousandth. Too much momentum costs: at $\beta = 0.9$ the factor can't be better than $\sqrt{0.9} = 0.95$, and the curve swings.
#
# **Nesterov momentum** takes the gradient where the velocity is about to carry you: $v \leftarrow \beta v - \eta\,\nabla L(w + \beta v),\; w \leftarrow w + v$. Frameworks avoid the second position
# by storing $u = w + \beta v$ in place of $w$. Then $u_{new} = w_{new} + \beta v_{new} = u - \beta v + (1 + \beta)\, v_{new}$, and with $\beta v = v_{new} + \eta g$,
#
# $$v \leftarrow \beta v - \eta\, g(u), \qquad u \leftarrow u + \beta v - \eta\, g(u),$$
#
# which is the `nesterov` branch above. The two forms store different points and are the same method:

# %% tags=["evidence"]
#@title Evidence: Nesterov's form against the frameworks', largest difference
w, v, ahead = begin, np.zeros(2), []
for _ in range(50):
    ahead.append(w + 0.9 * v)
    v = 0.9 * v - 0.1 * gradient(ahead[-1])
    w = w + v
stored = walk(Momentum(0.1, nesterov=True), gradient, begin, 49)
claim("Nesterov's form against the frameworks', largest difference",
      gap(ahead, stored), at_most=1e-12)


# %% [markdown]
# ### Exercise 7.4 · how fast is Nesterov? (15 min)
# In one eigendirection $\nabla L(w + \beta v)$ becomes $\lambda(c + \beta v)$. Write the 2×2 matrix of $(v, c)$, and return the factor per step for a whole spectrum.

# %% tags=["exercise"]
def nesterov_factor(eta, beta, spectrum):
    """Factor per step of Nesterov momentum: largest |eigenvalue| over all curvatures.

    eta, beta: floats, spectrum: (p,) array of positive curvatures -> float
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("7.4", "how fast is Nesterov?"):
    def simulated_t(eta, beta, lam, steps=4000):
        v, c, growth = 0.0, 1.0, 0.0
        for _ in range(steps):
            v = beta * v - eta * lam * (c + beta * v)
            c = c + v
            size = np.hypot(v, c)  # rescale at each step: only the growth counts
            v, c, growth = v / size, c / size, growth + np.log(size) / steps
        return np.exp(growth)

    for eta_t, beta_t, curved_t in (
            (0.1, 0.9, [0.1, 1.9]), (0.5, 0.6, [0.02, 0.4, 1.0]),
            (1.2, 0.3, [1.4, 0.5]), (0.05, 0.2, [0.3]), (1.0, 0.8, [0.1, 2.2])):
        got_t = nesterov_factor(eta_t, beta_t, np.array(curved_t))
        expected_t = max(simulated_t(eta_t, beta_t, lam) for lam in curved_t)
        np.testing.assert_allclose(
            got_t, expected_t, rtol=2e-3,
            err_msg=f"η = {eta_t}, β = {beta_t}, curvatures {curved_t}, "
                    "against 4,000 simulated steps")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $v_{new} = \beta(1 - \eta\lambda)\, v - \eta\lambda\, c$ and $c_{new} = c + v_{new}$. The determinant is $\beta(1 - \eta\lambda)$: smaller than momentum's $\beta$, so steep directions are damped more.
# </details>

# %% tags=["solution"]
#@title Solution 7.4 · runs only while yours does not pass
if not solved("7.4"):
    def nesterov_factor(eta, beta, spectrum):
        factors = []
        for lam in spectrum:
            keep = beta * (1 - eta * lam)
            matrix = np.array([[keep, -eta * lam], [keep, 1 - eta * lam]])
            factors.append(np.abs(np.linalg.eigvals(matrix)).max())
        return max(factors)

# %% [markdown]
# ## 7.5 A rate for every weight: AdaGrad and RMSProp
#
# One rate for all weights is odd if their gradients differ in size. Do they? The root mean square of each weight's gradient over two hundred mini-batches of the digits:

# %%
w, shuffle = start_weights(0), np.random.default_rng(0)
queue = [rows for _ in range(6) for rows in batches(examples, 32, shuffle)]
mean_square = np.mean([batch_gradient(w, rows) ** 2 for rows in queue], axis=0)
size = np.sqrt(mean_square)                             # (2410,)
print(f"{np.mean(size == 0):.0%} of the weights never get a gradient; of the others,")
for q in (1, 50, 99):
    print(f"  {q:2} % have less than {np.percentile(size[size > 0], q):.1e}")

# %% [markdown]
# A factor of three thousand from the first percentile to the last: border pixels are rarely inked, so their weights rarely get a gradient. For the words of a vocabulary the factor is larger still. A rate that suits the busy weights is too small for the rare ones.
#
# **AdaGrad** asks for each weight: which fixed rate would have been best so far? Too small a rate never arrives, too large a one overshoots at every step; the best balances the two. For one weight with steps $w_{t+1} = w_t - \eta g_t$, expand $(w_{t+1} - w^*)^2$ for any target $w^*$ and sum over $t = 1…T$; all middle terms cancel:
#
# $$\sum_t g_t\,(w_t - w^*) = \frac{(w_1 - w^*)^2 - (w_{T+1} - w^*)^2}{2\eta} + \frac{\eta}{2}\sum_t g_t^2 \;\le\; \frac{D^2}{2\eta} + \frac\eta2\sum_t g_t^2,$$
#
# with $D$ the largest distance of any $w_t$ from $w^*$. For convex losses (curves that lie above their tangents) the left side bounds the loss paid beyond $w^*$'s (the *regret*). The right side is smallest at $\eta = D\big/\!\sqrt{\sum g_t^2}$. Not knowing the future, use the sum so far; not knowing $D$, tune it: it takes the name $\eta$. A tiny $\varepsilon$ prevents division by 0:
#
# $$s \leftarrow s + g^2, \qquad w \leftarrow w - \eta\,\frac{g}{\sqrt{s + \varepsilon}} \qquad\text{(entry by entry).}$$

# %%
eta, aim, seen = 0.05, 0.2, rng.normal(size=200)
trail = [3.0]
for target in seen:                                     # losses |w - target|, convex
    trail.append(trail[-1] - eta * np.sign(trail[-1] - target))
slopes = np.sign(np.array(trail[:-1]) - seen)
sum_g2, ends = slopes @ slopes, (trail[0] - aim) ** 2 - (trail[-1] - aim) ** 2
claim("the sum against its closed form, difference",
      gap(slopes @ (np.array(trail[:-1]) - aim), ends / (2 * eta) + eta / 2 * sum_g2),
      at_most=1e-9)

grid, D = np.geomspace(1e-3, 10, 100_001), 2.0
cheapest = grid[np.argmin(D**2 / (2 * grid) + grid / 2 * sum_g2)]
claim("best fixed rate by search against D/√(sum of squares), difference",
      gap(cheapest, D / np.sqrt(sum_g2)), at_most=1e-4)


# %% [markdown]
# The sum only grows, so AdaGrad's rates only shrink, like $1/\sqrt t$ as long as the gradients keep their size. That suits a convex problem; it hinders a network that leaves a steep region for a flat one. **RMSProp** forgets: it replaces the sum by an *exponential moving average* (指数移动平均),
#
# $$s \leftarrow \rho s + (1 - \rho)\, g^2 = (1-\rho)\sum_{k\ge 0} \rho^k\, g_{t-k}^2, \qquad w \leftarrow w - \eta\,\frac{g}{\sqrt{s + \varepsilon}},$$
#
# which remembers about $1/(1-\rho)$ steps.

# %%
class AdaGrad:
    """Rate divided by the root of the sum of all g² (s starts at 0.1, as in Keras)."""

    def __init__(self, eta, start=0.1, eps=1e-7):
        self.eta, self.eps = eta, eps
        self.s = start

    def step(self, w, g):
        self.s = self.s + g**2
        return w - self.eta * g / np.sqrt(self.s + self.eps)


class RMSProp:
    """Rate divided by the root of the recent mean of g²."""

    def __init__(self, eta, rho=0.9, eps=1e-7):
        self.eta, self.rho, self.eps = eta, rho, eps
        self.s = 0.0

    def step(self, w, g):
        self.s = self.rho * self.s + (1 - self.rho) * g**2
        return w - self.eta * g / np.sqrt(self.s + self.eps)


stream = np.where(np.arange(600) < 200, 1.0, 0.01)
fig, ax = plt.subplots(figsize=(6.4, 3.3))
for name, optimizer in {"descent": GradientDescent(1.0), "AdaGrad": AdaGrad(1.0),
                        "RMSProp": RMSProp(1.0)}.items():
    lengths = np.array([-optimizer.step(0.0, g) for g in stream])
    ax.semilogy(range(1, 601), lengths, label=name)
ax.set(title="Gradients shrink a hundredfold at step 200: who adapts?", xlabel="step",
       ylabel="step length / η", ylim=(2e-4, 8))
ax.legend()
plt.show()
back = np.argmax(lengths[200:] > 0.5) + 1
nearly = np.argmax(lengths[200:] > 0.99) + 1
print(f"RMSProp's steps are back at half their length {back} steps later, "
      f"at 99 % after {nearly}")


# %% [markdown]
# Descent takes a hundredth of its steps from then on. AdaGrad had already slowed down, and falls by the same factor on top. RMSProp forgets the steep past: half its length is back after 77 steps, nearly all of it after 125. (Its very first steps are too long because $s$ starts at 0; 7.6 repairs that.) In the long run
# **its step length hardly depends on the gradient's scale**, only on how a gradient compares with the recent ones.
#
# Is dividing by $\sqrt s$ the cure for bad conditioning, then? Only if the valley lies along the axes. Same ellipse and same start, $\kappa = 100$, once straight and once both turned by 45°:

# %%
def steps_needed(make, H, goal=1e-3, most=400):
    """Fewest steps after which the loss stays below `goal`, from 1, over many rates."""
    values, vectors = np.linalg.eigh(H)
    begin, best = vectors @ values**-0.5, most      # loss 1, half in each direction
    for eta in np.geomspace(0.01, 10, by_profile(quick=7, standard=61, full=121)):
        with np.errstate(over="ignore", invalid="ignore"):
            path = walk(make(eta), lambda w: H @ w, begin, most)
            low = np.einsum("ti,ij,tj->t", path, H, path) / 2 < goal  # NaN: False
        best = min(best, np.flatnonzero(~low)[-1] + 1)
    return best


turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
straight = np.diag([0.02, 2.0])
makers = {"descent": GradientDescent, "momentum 0.9": Momentum,
          "AdaGrad": lambda eta: AdaGrad(eta, start=0), "RMSProp": RMSProp}
fig, ax = plt.subplots(figsize=(6.4, 3.2))
turned = turn @ straight @ turn.T
for name, shape, shift, color in (("along an axis", straight, -0.19, plotting.SKY),
                                  ("at 45°", turned, 0.19, plotting.BLUE)):
    needed = [steps_needed(make, shape) for make in makers.values()]
    at = np.arange(4) + shift
    bars = ax.bar(at, needed, 0.36, color=color, label=f"valley {name}")
    ax.bar_label(bars, fontsize=8)
ax.set_xticks(range(4), makers)
ax.set(title="AdaGrad's rate per weight helps only along the axes", ylim=(0, 480),
       ylabel="steps, best rate of each")
ax.legend(ncols=2, loc="upper left")
plt.show()

# %% [markdown]
# Descent and momentum take the same steps however the axes lie. AdaGrad needs four steps when each weight has its own scale, and more than plain descent when the valley runs across: there both weights see gradients of one size, and dividing both by it changes
# nothing. Rates per weight fix *scales*, not *correlations*. (RMSProp has another handicap: its steps don't shrink at the goal, so only a small rate *stays* there. 7.9 cures that.)

# %% [markdown]
# ## 7.6 Adam: momentum and RMSProp, started correctly
#
# **Adam** (自适应矩估计) keeps both averages: of the gradient (first moment, 一阶矩) and of its square (second moment, 二阶矩). Document 2 (3.2.2, 4.2.2) calls it a union of SGD and AdaGrad, and its moments those of an "average gradient". Its authors name AdaGrad and **RMSProp** as the parents, and the moments are averages of $g$ and of $g^2$. The family is this:

# %% tags=["figure"]
#@title Figure: Momentum smooths the gradient, RMSProp scales it; Adam does both
descent, momentum, adagrad = "gradient\ndescent", "momentum\n1964", "AdaGrad\n2011"
rmsprop, adam, adamw = "RMSProp\n2012", "Adam\n2014", "AdamW\n2017"
plotting.flow(
    {descent: (0, 0.5), momentum: (1.5, 0), adagrad: (1, 1), rmsprop: (2, 1),
     adam: (3, 0.5), adamw: (4, 0.5)},
    [(descent, momentum), (descent, adagrad), (adagrad, rmsprop), (momentum, adam),
     (rmsprop, adam), (adam, adamw)],
    highlight=[adam], box_width=1.15,
    title="Momentum smooths the gradient, RMSProp scales it; Adam does both",
)
plt.show()

# %% [markdown]
# With $m = v = 0$ at the start and $t = 1, 2, …$ (all entry by entry). **Mind the letter**: from here on $v$ is the mean square, as in the paper, no longer momentum's velocity.
#
# $$\begin{aligned}
# m &\leftarrow \beta_1 m + (1 - \beta_1)\, g & \hat m &= m / (1 - \beta_1^t) \\
# v &\leftarrow \beta_2 v + (1 - \beta_2)\, g^2 & \hat v &= v / (1 - \beta_2^t)
# \end{aligned} \qquad\qquad w \leftarrow w - \eta\,\frac{\hat m}{\sqrt{\hat v} + \varepsilon}$$
#
# $\beta_1 = 0.9$ and $\beta_2 = 0.999$ are the decay rates of the two averages; $\eta = 0.001$ and $\varepsilon = 10^{-8}$ (Keras: $10^{-7}$). "Weights ← weights − α · gradient", which Document 2 (3.3.5) offers for Adam too, is descent only: Adam never uses the bare gradient.
# That it does well on sparse data and with many weights, as Document 2 (3.2.2) says, is what its authors report; 7.5 shows the mechanism, a rate for each weight's scale.
#
# **Why divide by $1 - \beta^t$?** Unroll the average from $m = 0$ and take the mean over gradients with expectation $\mathbb E[g]$:
#
# $$m_t = (1 - \beta)\sum_{k=1}^{t} \beta^{\,t-k} g_k, \qquad \mathbb E[m_t] = \mathbb E[g]\,(1 - \beta)\sum_{k=1}^t \beta^{\,t-k} = \mathbb E[g]\,(1 - \beta^t).$$
#
# The weights sum to $1 - \beta^t$ instead of 1: early averages are too small, $v$ for a thousand steps, since $\beta_2$ remembers that long. Both can be checked on random streams:

# %%
m = v = np.zeros(400_000)                               # so many streams of gradients
first, second, early = [], [], np.arange(1, 21)
for _ in early:
    g = rng.normal(1.0, 0.5, len(m))                    # E[g] = 1, E[g²] = 1.25
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    first.append(m.mean())
    second.append(v.mean())
claim("mean of m / (1 - 0.9^t) against E[g], largest difference",
      gap(first / (1 - 0.9**early), 1), at_most=0.01)
claim("mean of v / (1 - 0.999^t) against E[g²], largest difference",
      gap(second / (1 - 0.999**early), 1.25), at_most=0.01)


# %% [markdown]
# What happens without? Three variants: as derived, without any correction, and with only $m$ corrected. First a constant gradient, where a right step has length $\eta$; then the digits.

# %%
def adam_steps(gradient, w, steps, eta, correct_m=True, correct_v=True):
    """Adam with either correction left out at will. -> positions (steps + 1, p)"""
    m, v, path = np.zeros_like(w), np.zeros_like(w), [w]
    for t in range(1, steps + 1):
        g = gradient(w)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        m_hat = m / (1 - 0.9**t) if correct_m else m
        v_hat = v / (1 - 0.999**t) if correct_v else v
        w = w - eta * m_hat / (np.sqrt(v_hat) + 1e-7)
        path.append(w)
    return np.array(path)


variants = {"both corrected": (True, True), "none": (False, False),
            "only m": (True, False)}
lengths, first_losses = {}, {}
for name, kept in variants.items():
    line = adam_steps(lambda w: np.ones(1), np.zeros(1), 20, 1.0, *kept)
    lengths[name] = -np.diff(line[:, 0])
    path = adam_steps(full_gradient, start_weights(0), 20, 0.06, *kept)
    first_losses[name] = [forward(w, *train_set)[0] for w in path]
    before, *_, after = first_losses[name]
    print(f"{name:14} constant gradient: first step {lengths[name][0]:4.1f} η; digits, "
          f"η = 0.06: loss {before:.1f}, highest {max(first_losses[name]):.1f}, "
          f"after 20 steps {after:.2f}")

# %% tags=["figure"]
#@title Figure: The first 20 steps: uncorrected, they are too long
fig, axes = plt.subplots(1, 3, figsize=(10, 3.4))
for values, name in ((first, "m"), (first / (1 - 0.9**early), "m̂"), (second, "v"),
                     (second / (1 - 0.999**early), "v̂")):
    axes[0].plot(early, values, "o-", ms=3, label=f"mean of {name}")
for name in variants:
    axes[1].semilogy(early, lengths[name], "o-", ms=3, label=name)
    axes[2].plot(range(21), first_losses[name], "o-", ms=3)
axes[0].set(title="Averages that start at 0", ylabel="estimate", ylim=(-0.05, 1.8))
axes[1].set(title="Constant gradient", ylabel="step length / η", ylim=(0.5, 50))
axes[2].set(title="The same three on digits", ylabel="training loss", ylim=(0, 12))
for ax in axes:
    ax.set_xlabel("step")
axes[0].legend(fontsize=8, ncols=2, loc="upper center")
axes[1].legend(fontsize=8)
fig.suptitle("The first 20 steps: uncorrected, they are too long", fontweight="bold")
plt.show()

# %%
for name, kept in (("both corrected", (True, True)), ("none", (False, False))):
    last = adam_steps(full_gradient, start_weights(0), 20, 0.01, *kept)[-1]
    after = forward(last, *train_set)[0]
    print(f"{name:14} at η = 0.01: loss {after:.2f} after 20 steps")

# %% tags=["nbval-check-output"]
numbers = np.arange(1, 10_001)                          # of the steps
for beta2 in (0.999, 0.95):
    stride = (1 - 0.9**numbers) / np.sqrt(1 - beta2**numbers)
    print(f"uncorrected, β2 = {beta2}: step 1 is {stride[0]:.2f} η long, the longest "
          f"{stride.max():.2f} η (step {numbers[stride.argmax()]})")
    if beta2 == 0.999:
        print(f"below 1.1 η only from step {numbers[stride > 1.1][-1] + 1} on")

# %% [markdown]
# It is often said that the uncorrected start is too slow. With the usual $\beta_2 = 0.999$ it is the opposite: at the first step $m$ is 0.1 times what it should be, but $\sqrt v$ only $\sqrt{0.001} = 0.03$ times, so the step is three times too long, the twelfth over six times, and the effect lasts for well over a thousand steps. (With $\beta_2 = 0.95$, common for language models, the first step is indeed too short.)
# On the digits, at $\eta = 0.06$, which suits the corrected Adam, the uncorrected one's loss doubles before it falls; with only $m$ corrected the first step is 32 times too long, and the loss leaves the frame. At a rate six times smaller the uncorrected one is even the faster of the two, as printed:
# its mistake is a hidden learning rate that changes as you train.
#
# Two properties to remember. A weight's step is about $\eta$ at most while its gradients keep their size; a gradient after a long silence gets several times that, since $m$ notices it a hundred times faster than $v$. And the scale of the loss drops out: multiply the loss by 1000, and $\hat m/\sqrt{\hat v}$ stays, as long as gradients are large beside $\varepsilon$.

# %%
plain = adam_steps(full_gradient, start_weights(0), 20, 0.01)
scaled = adam_steps(lambda w: 1000 * full_gradient(w), start_weights(0), 20, 0.01)
shift, longest = np.abs(plain - scaled)[-1], gap(plain[1:], plain[:-1]) / 0.01
most = np.ceil(1000 * shift.max()) / 1000
signal = iter(np.repeat([0.0, 1.0], [5000, 20]))
late = -np.diff(adam_steps(lambda w: np.full(1, next(signal)), np.zeros(1), 5020,
                           1.0)[5000:, 0])
print(f"digits: longest step {longest:.2f} η; after 5,000 steps of silence: "
      f"{late[0]:.2f} η, then up to {late.max():.2f} η\n"
      f"loss × 1000, after 20 steps: half of the weights differ by less than "
      f"{np.median(shift):.0e}, all by at most {most:.3f}")


# %% [markdown]
# ## 7.7 Spot the bug: a widely copied Adam
#
# Document 2 (4.2.2) prints Adam as
#
# $$w \leftarrow w - \alpha\,\frac{\beta_1 m + (1 - \beta_1)\, g}{\beta_2 v + (1 - \beta_2)} .$$
#
# Compare with 7.6 before you read on. Then let it run, on the digits' loss and on a thousand times that loss:

# %%
class CopiedAdam:
    """The printed formula; numerator and denominator are kept as m and v."""

    def __init__(self, eta, beta1=0.9, beta2=0.999):
        self.eta, self.beta1, self.beta2 = eta, beta1, beta2
        self.m = self.v = 0.0

    def step(self, w, g):
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2)
        return w - self.eta * self.m / self.v


for scale in (1, 1000):
    copied = CopiedAdam(0.01)
    path = walk(copied, lambda w: scale * full_gradient(w), start_weights(0), 10)
    before, after = (forward(w, *train_set)[0] for w in path[[0, -1]])
    print(f"loss × {scale:4}: longest step {gap(path[1:], path[:-1]) / 0.01:8.1f} η,"
          f" loss {before:.2f} → {after:.2f}")

# %% [markdown]
# Four things are lost: **the square root, the square of $g$, the bias correction, and $\varepsilon$**. Without $g^2$ the denominator is the same number for every weight, $1 - \beta_2^t$: no rates per weight remain, only momentum whose first
# step is $\frac{1 - \beta_1}{1 - \beta_2} = 100$ times too long. That happens to work where gradients are small; and it explodes with the scale of the loss.
#
# The same section has a worked example: $w = [1, 2]$, $\alpha = 0.1$, $\beta_1 = 0.9$, $\beta_2 = 0.99$, $m = [0.6, 1.8]$, $v = [0.25, 0.81]$, and, without saying so, the gradient [0.5, −0.3] of 4.2.1 (our 7.1). Its substitution turns the last $(1 - \beta_2)$ into $(1 - \beta_2)\,v$,
# and its result is [0.95, 2.05]. Compute every reading:

# %% tags=["nbval-check-output"]
w, g, eta, beta1, beta2 = np.array([1.0, 2.0]), np.array([0.5, -0.3]), 0.1, 0.9, 0.99
m, v = np.array([0.6, 1.8]), np.array([0.25, 0.81])
m_new, v_new = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
m_1, v_1 = (1 - beta1) * g, (1 - beta2) * g**2
m_1_hat, v_1_hat = m_1 / (1 - beta1), v_1 / (1 - beta2)
print(f"m becomes {m_new.round(4)}, v becomes {v_new.round(4)}")
for name, step in {
    "formula as printed": m_new / (beta2 * v + (1 - beta2)),
    "substitution as printed": m_new / (beta2 * v + (1 - beta2) * v),
    "Adam, t large (nothing to correct)": m_new / (np.sqrt(v_new) + 1e-8),
    "Adam, t = 1, from m = v = 0": m_1_hat / (np.sqrt(v_1_hat) + 1e-8),
}.items():
    print(f"{name:36}{(w - eta * step).round(6)}")


# %% [markdown]
# No reading gives [0.95, 2.05]. Signs alone show why: $m$ becomes positive in both entries, so both weights must fall, and the printed second one rises. Nor could anyone compute Adam's step from these data, since $t$ is missing:
# with $t$ large it is [0.882, 1.8225]; the very first step from $m = v = 0$ ends at [0.9, 2.1], exactly $\eta$ away in each entry, against the sign of $g$.

# %% [markdown]
# ### Exercise 7.7 · repair it (10 min)
# Write one correct step. `m` and `v` are the averages before the step, `t` counts from 1. Return the new `w`, `m`, `v`; leave the arrays you were given unchanged, and float32 arrays in float32.

# %% tags=["exercise"]
def adam_step(w, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps=1e-7):
    """One step of Adam. w, g, m, v: same shape -> new w, new m, new v"""
    # widely copied: w - eta * (beta1 * m + (1 - beta1) * g) / (beta2 * v + (1 - beta2))
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("7.7", "repair Adam"):
    def step_t(t, *rates, start=1, kind=float, **named):
        given = np.array([[1.0, 2.0], [0.5, -0.3], [0.6, 1.8], [0.25, 0.81]], kind)
        given[2:] *= start                              # 0: the averages are new
        w, g, m, v = given.copy()
        got = adam_step(w, g, m, v, t, *rates, **named)
        np.testing.assert_array_equal([w, g, m, v], given,
                                      "the arrays given must stay as they were")
        return got

    same_t = np.testing.assert_allclose
    same_t(step_t(10**6, eta=0.1, beta2=0.99, eps=1e-8)[0], [0.882, 1.82254288],
           atol=1e-7, err_msg="many steps in")
    same_t(step_t(1, eta=0.1, beta2=0.99, start=0)[0], [0.9, 2.1], atol=1e-6,
           err_msg="the first step is η long")
    same_t(step_t(3)[0], [0.99976163, 1.99964296], atol=1e-8, err_msg="the third step")
    same_t(step_t(3)[1:], [[0.59, 1.59], [0.25, 0.80928]], atol=1e-12,
           err_msg="m and v, to be kept as they are before the correction")
    same_t(step_t(2, 0.1, 0.8, 0.9, eps=0.5)[0], [0.9021837, 1.8448571], atol=1e-6,
           err_msg="a large eps")
    kinds_t = [np.asarray(a).dtype.name for a in step_t(3, kind="float32")]
    assert kinds_t == ["float32"] * 3, f"float32 came back as {kinds_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Five lines: $m$, $v$ with $g^2$, $\hat m$, $\hat v$, the update. $\varepsilon$ stands outside the root.
# </details>

# %% tags=["solution", "keep"] lesson="optimizers"
#@title Solution 7.7 · runs only while yours does not pass
if not solved("7.7"):
    def adam_step(w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, t: int,
                  eta: float = 0.001, beta1: float = 0.9, beta2: float = 0.999,
                  eps: float = 1e-7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One step of Adam, t = 1, 2, ... w, g, m, v: same shape -> new w, m, v"""
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        return w - eta * m_hat / (np.sqrt(v_hat) + eps), m, v


# %% [markdown]
# ## 7.8 AdamW: decay the weights, not the gradient
#
# *Weight decay* (权重衰减) pulls all weights toward 0; what that does for generalization is notebook [[training_deep_networks]]'s subject. There are two ways to write it, with strength $\gamma$:
#
# - **L2 in the loss**: $L + \frac\gamma2|w|^2$. The gradient becomes $g + \gamma w$.
# - **Decoupled**: shrink $w$ directly, $w \leftarrow w - \eta\gamma w$, beside the optimizer's step.
#
# For gradient descent they are the same: $w - \eta(g + \gamma w) = (1 - \eta\gamma)w - \eta g$. For Adam they are not. There $\gamma w$ would enter $m$ and $v$ and be divided with the rest (in brackets: what enters the averages):
#
# $$\text{Adam + L2:}\quad w \leftarrow w - \eta\,\frac{\hat m(g + \gamma w)}{\sqrt{\hat v(g + \gamma w)} + \varepsilon}
# \qquad\qquad \text{AdamW:}\quad w \leftarrow w - \eta\gamma w - \eta\,\frac{\hat m(g)}{\sqrt{\hat v(g)} + \varepsilon} .$$
#
# If a weight's gradients average to 0 and have root mean square $r \gg \gamma|w|$, L2 shrinks it by $\eta\gamma w / r$ per step: busy weights hardly decay, idle ones collapse.
# (With a mean $\mu$, the gradient also grows *under the root*: $\frac{\mu + \gamma w}{\sqrt{r^2 + 2\mu\gamma w}} \approx \frac{\mu}{r} + \frac{\gamma w}{r}\cdot\frac{r^2 - \mu^2}{r^2}$. The decay is then $\frac{\eta\gamma w}{r}$ times the share of the variance in the mean square, and under a constant gradient L2 does nothing at all.)
# In AdamW all decay alike; a weight without gradient keeps $(1 - \eta\gamma)^T \approx e^{-\eta\gamma T}$ after $T$ steps.

# %% [markdown]
# ### Exercise 7.8 · AdamW that spares the biases (10 min)
# In practice only matrices decay; biases and normalization gains don't. Write one AdamW step for a flat vector, with a mask of what decays. What comes in as float32 goes out as float32.

# %% tags=["exercise"]
def adamw_step(w, g, m, v, t, eta, gamma, decays, beta1=0.9, beta2=0.999, eps=1e-7):
    """One AdamW step. w, g, m, v: (p,), decays: (p,) bool, t from 1 -> new w, m, v"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("7.8", "AdamW that spares the biases"):
    draw_t, same_t = np.random.default_rng(78), np.testing.assert_allclose
    given_t = draw_t.normal(size=(4, 6))                # w, g, m, v
    given_t[3] = given_t[3] ** 2 + 0.1
    w_t, g_t, m_t, v_t = given_t
    decays_t = np.array([1, 0, 1, 1, 0, 0], bool)
    for t_t, eta_t, gamma_t in ((1, 0.1, 0.0), (4, 0.05, 0.7), (300, 0.2, 0.3)):
        m1_t, v1_t = 0.9 * m_t + 0.1 * g_t, 0.999 * v_t + 0.001 * g_t**2
        pull_t = m1_t / (1 - 0.9**t_t) / (np.sqrt(v1_t / (1 - 0.999**t_t)) + 1e-7)
        shrunk_t = np.where(decays_t, w_t * (1 - eta_t * gamma_t), w_t)
        got_t = adamw_step(*given_t.copy(), t_t, eta_t, gamma_t, decays_t.copy())
        rights_t = {"w": shrunk_t - eta_t * pull_t, "m": m1_t, "v": v1_t}
        for ours_t, (name_t, right_t) in zip(got_t, rights_t.items(), strict=True):
            same_t(ours_t, right_t, rtol=1e-9, err_msg=f"new {name_t} at t = {t_t}")
    small_t = np.array([[1, 1], [2e-3, 1], [0, 0], [0, 0]], float)
    got_t = adamw_step(*small_t, 1, 0.1, 0.5, decays_t[:2], 0.5, 0.8, eps=1e-3)
    same_t(got_t[0], [0.8833333, 0.9000999], atol=1e-6, err_msg="other β, a large ε")
    same_t(got_t[1:], [[1e-3, 0.5], [8e-7, 0.2]], rtol=1e-9, err_msg="m, v, other β")
    got_t = adamw_step(*given_t.astype("float32"), 4, 0.05, 0.7, decays_t)
    kinds_t = [np.asarray(a).dtype.name for a in got_t]
    assert kinds_t == ["float32"] * 3, f"float32 came back as {kinds_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# A boolean mask multiplies like 0 and 1: but a mask times a Python number is float64, a mask times a float32 array is float32. The gradient that enters $m$ and $v$ knows nothing of $\gamma$.
# </details>

# %% tags=["solution"]
#@title Solution 7.8 · runs only while yours does not pass
if not solved("7.8"):
    def adamw_step(w, g, m, v, t, eta, gamma, decays, beta1=0.9, beta2=0.999, eps=1e-7):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        update = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        return w - eta * update - eta * gamma * (decays * w), m, v


# %% [markdown]
# Now both as classes around your `adam_step` of 7.7, and the predicted decay put to the test: weights that start at 1 and receive pure noise of size $r$, so that on average only the decay moves them.

# %% tags=["keep"] lesson="optimizers"
class Adam:
    """Adam. `l2` adds l2·w to the gradient, `gamma` decays the weights (AdamW).

    step(w, g) -> new w; all arrays of one shape, the same in every call.
    """

    def __init__(self, eta: float = 0.001, beta1: float = 0.9, beta2: float = 0.999,
                 eps: float = 1e-7, l2: float = 0.0, gamma: float = 0.0) -> None:
        self.eta, self.beta1, self.beta2, self.eps = eta, beta1, beta2, eps
        self.l2, self.gamma = l2, gamma
        self.t = 0

    def step(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        if self.t == 0:
            self.m, self.v = np.zeros_like(w), np.zeros_like(w)
        self.t += 1
        new, self.m, self.v = adam_step(w, g + self.l2 * w, self.m, self.v, self.t,
                                        self.eta, self.beta1, self.beta2, self.eps)
        return new - self.eta * self.gamma * w


class AdamW(Adam):
    """Adam with decoupled weight decay, 0.004 unless said (Keras' default)."""

    def __init__(self, eta: float = 0.001, gamma: float = 0.004) -> None:
        super().__init__(eta, gamma=gamma)


# %% tags=["evidence"]
#@title Evidence: under L2, the mean of the gradients decides what is left of the decay
held, few = np.ones(4000), by_profile(quick=1000, standard=3000, full=3000)
for mu, sd in ((0.0, 1.0), (0.6, 0.8), (1.0, 0.0)):     # mean square 1: so r = 1
    extra, source = 0.0, np.random.default_rng(7)
    pair = Adam(0.01, l2=0.03), Adam(0.01)
    for t in range(few):                                # the weights are held at 1
        g = mu + sd * source.normal(size=len(held))
        with_l2, without = (held - optimizer.step(held, g) for optimizer in pair)
        extra += (t >= few // 2) * (with_l2 - without).mean() / (few - few // 2)
    print(f"gradients {mu:.1f} ± {sd:.1f}: decay / ηγw = {extra / 0.0003:.3f}, "
          f"variance / mean square = {sd**2:.3f}")
claim("decay by L2 under a constant gradient, as a share of ηγw", abs(extra / 0.0003),
      at_most=1e-3)


# %%
STEPS, eta, gamma = by_profile(quick=300, standard=2000, full=2000), 0.01, 0.03
r, sources = np.array([[1.0], [0.3], [0.1]]), np.random.default_rng(8)
fig, axes = plt.subplots(1, 2, figsize=(9, 3.3), sharey=True)
for ax, name, optimizer, pace in ((axes[0], "Adam + L2", Adam(eta, l2=gamma), 1 / r),
                                  (axes[1], "AdamW", Adam(eta, gamma=gamma), r / r)):
    w, means = np.ones((3, 2000)), []                   # 2,000 copies of three weights
    for _ in range(STEPS):
        half = r * sources.normal(size=(3, 1000))       # ± pairs: random walks cancel
        w = optimizer.step(w, np.concatenate([half, -half], axis=1))
        means.append(w.mean(axis=1))
    theory = np.exp(-eta * gamma * pace * np.arange(1, STEPS + 1))
    for i, color in enumerate((plotting.BLUE, plotting.ORANGE, plotting.RED)):
        line = np.array(means)[:, i]
        ax.plot(line, color=color, label=f"gradients of size {r[i, 0]}")
        ax.plot(theory[i], ":", color="black", lw=1)
    ax.set(title=name, xlabel="step", ylim=(0, 1.05))
    print(f"{name:9} in the end {means[-1].round(3)}, theory {theory[:, -1].round(3)}")
axes[0].set_ylabel("mean weight")
axes[1].legend()
fig.suptitle("With L2, gradients decide how fast a weight decays; in AdamW they don't",
             fontweight="bold")
plt.show()

# %% [markdown]
# Dotted is the theory. Ten times smaller gradients, ten times faster decay: with L2 the strength $\gamma$ means something else for each weight, and changes when the loss is rescaled. In AdamW it has one meaning for all, a half-life of $\ln 2/(\eta\gamma)$ steps (right: three curves in one). That makes $\gamma$ tunable, and AdamW the usual choice for Transformers.
#
# Keras and PyTorch decay by $\eta\gamma w$, as we do, so a new $\eta$ needs a new $\gamma$. In the paper the decay is $\gamma w$ times the schedule, without $\eta$: there $\gamma$ may stay when you tune the rate. For plain descent, without momentum, L2 and decoupled decay are indeed one:

# %% tags=["evidence"]
#@title Evidence: descent: L2 in the loss against decoupled decay, largest difference
with_l2 = walk(GradientDescent(0.1), lambda w: gradient(w) + 0.5 * w, begin, 50)
decoupled = [begin]
for _ in range(50):
    decoupled.append((1 - 0.1 * 0.5) * decoupled[-1] - 0.1 * gradient(decoupled[-1]))
claim("descent: L2 in the loss against decoupled decay, largest difference",
      gap(with_l2, decoupled), at_most=1e-12)


# %% [markdown]
# ## 7.9 The learning rate: find it, then change it
#
# For a network nobody knows $\lambda_{\max}$ beforehand. The **range test** finds the usable rates in seconds: train with a rate that grows a little at every step, and watch where the loss falls and where it bursts.
#
# Beside it we draw the theory of 7.2, $2/\lambda_{\max}$ of the network's own Hessian. That has 5.8 million entries; we never build it. Its product with a direction $d$ is a difference of two gradients, $Hd \approx \frac{g(w + hd) - g(w - hd)}{2h}$,
# and multiplying again and again turns any $d$ into the top eigenvector (*power iteration*, 幂迭代).

# %%
def range_test(optimizer, exact=False, low=1e-4, high=10.0, steps=200):
    """Losses while the rate grows, on batches of 32 or on all digits (exact).

    -> rates (steps - 8,), losses averaged over nine steps (steps - 8,)
    """
    w, shuffle, losses = start_weights(0), np.random.default_rng(0), []
    queue = [rows for _ in range(7) for rows in batches(examples, 32, shuffle)]
    rates = np.geomspace(low, high, steps)
    for eta, rows in zip(rates, queue):
        optimizer.eta = eta
        rows = np.arange(examples) if exact else rows
        value, g = loss_and_gradient(w, train_set[0][rows], train_set[1][rows])
        w = optimizer.step(w, g)
        losses.append(value)
    return rates[4:-4], np.convolve(losses, np.ones(9) / 9, mode="valid")


def burst(rates, losses):
    """First rate after the lowest loss at which the loss is twice the first; or inf."""
    late = np.arange(len(losses)) > losses.argmin()
    return min(rates[late & (losses > 2 * losses[0])], default=np.inf)


# %%
def sharpness(w, iterations=30, widths=WIDTHS):
    """λmax of the loss on the training digits, by power iteration."""
    d, h = np.random.default_rng(0).normal(size=len(w)), 1e-4
    for _ in range(iterations):
        d = d / np.linalg.norm(d)
        ahead = loss_and_gradient(w + h * d, *train_set, widths)[1]
        behind = loss_and_gradient(w - h * d, *train_set, widths)[1]
        product = (ahead - behind) / (2 * h)
        value, d = d @ product, product
    return value


# %%
limit = 2 / sharpness(start_weights(0))
ranges, exact_burst = {}, {}
for name, make in {"SGD": GradientDescent, "momentum": Momentum, "Adam": Adam}.items():
    ranges[name] = rates, losses = range_test(make(1.0))
    exact_burst[name] = burst(*range_test(make(1.0), exact=True))
    print(f"{name:9} lowest loss at η = {rates[losses.argmin()]:.2g}, bursts at "
          f"{burst(rates, losses):.2g}; with exact gradients at "
          f"{exact_burst[name]:.2g}")
claim("with exact gradients, momentum's burst over SGD's",
      exact_burst["momentum"] / exact_burst["SGD"], at_least=1.9)

# %% tags=["figure"]
#@title Figure: One short run shows the usable rates
fig, ax = plt.subplots(figsize=(6.8, 3.5))
colors = (plotting.BLUE, plotting.GREEN, plotting.RED)
for (name, (rates, losses)), color in zip(ranges.items(), colors):
    lowest = rates[losses.argmin()]
    ax.semilogx(rates, losses, color=color, label=f"{name}, lowest at {lowest:.2g}")
ax.axvline(limit, color="black", ls="--", lw=1)
ax.text(limit * 1.1, 0.1, f"2/λmax = {limit:.2f}", fontsize=8)
ax.set(title="One short run shows the usable rates", xlabel="learning rate η",
       ylabel="mini-batch loss", ylim=(0, 4))
ax.legend(loc="lower left", fontsize=8)
plt.show()


# %% [markdown]
# Each curve is flat while the rate is too small to matter, falls, and bursts ("inf": not up to 10). SGD turns close to $2/\lambda_{\max}$ of the untrained network. Momentum starts to fall about ten times earlier, since its steps are up to ten times longer. Adam does everything earlier still, because
# its step is $\eta$ however small the gradient. Take a rate well below the burst: the test is over before a slow explosion can show. (The best rates that 7.10 finds are 6 to 14 times smaller.)
#
# Didn't 7.4 promise that momentum allows *larger* rates? It does with exact gradients (last column): there momentum outlasts SGD. On mini-batches it bursts earlier here. The velocity adds up the noise of some ten batches, so the cloud of 7.3 is that of a rate ten times as large, and the noise throws the run out before the curvature does.

# %% [markdown]
# **Schedules.** A constant rate has a conflict. 7.3's floor is proportional to $\eta$: to end low, $\eta$ must be small. But an error along the valley shrinks by $1 - \eta_t\lambda$ per step, in all by $\prod_t (1 - \eta_t\lambda) \approx e^{-\lambda\sum\eta_t}$: to get anywhere, $\sum_t\eta_t$ must be large.
# (Robbins and Monro's classical conditions say both: $\sum\eta_t = \infty$, $\sum\eta_t^2 < \infty$.) Hence: **large first, small at the end**. With peak $\eta_0$, $T$ steps and warm-up $T_w$:
#
# $$\text{step: } \eta_0\, 0.1^{\,k} \text{ after } k \text{ drops}, \qquad
# \text{cosine: } \tfrac{\eta_0}{2}\Big(1 + \cos\frac{\pi t}{T}\Big), \qquad
# \text{warm-up + cosine: } \begin{cases}\eta_0\, t/T_w & t < T_w \\ \tfrac{\eta_0}{2}\big(1 + \cos\pi\frac{t - T_w}{T - T_w}\big) & t \ge T_w\end{cases}$$
#
# Why a cosine? By convention: half a wave leaves $\eta_0$ and reaches 0 with slope 0. Its mean is $\eta_0/2$, like that of a straight line, which you may put in its place below. After its last step the rate must *stay* at 0 (`min` below): a cosine goes up again.

# %% tags=["keep"] lesson="optimizers"
def constant(t: int, peak: float, total: int) -> float:
    """Rate at step t = 0, 1, ... of so many; all schedules have these arguments."""
    return peak


def drops(t: int, peak: float, total: int) -> float:
    """A tenth of the peak from the middle on, a hundredth in the last quarter."""
    return peak * (1.0 if t < total / 2 else 0.1 if t < 3 * total / 4 else 0.01)


def cosine(t: int, peak: float, total: int) -> float:
    """Half a wave from the peak at step 0 to 0 at step total, and 0 from there on."""
    return peak / 2 * (1 + math.cos(math.pi * min(t / total, 1.0)))


def warm_cosine(t: int, peak: float, total: int) -> float:
    """In a line from 0 to the peak in the first 15 % of the steps, then the cosine."""
    warm = int(0.15 * total)
    return peak * t / warm if t < warm else cosine(t - warm, peak, total - warm)


# %%
SCHEDULES = {"constant": constant, "step": drops, "cosine": cosine,
             "warm-up + cosine": warm_cosine}
mean_rate = np.mean([cosine(t, 1.0, 10_000) for t in range(10_000)])
print(f"mean of the cosine schedule: {mean_rate:.4f} of its peak")
without_min = (1 + math.cos(math.pi * (1.5 - 0.15) / 0.85)) / 2
print("warm-up + cosine at 1.5 times its length: "
      f"{warm_cosine(495, 1.0, 330):.2f} of the peak, without `min` {without_min:.2f}")

# %% tags=["figure"]
#@title Figure: Large first, small at the end
fig, ax = plt.subplots(figsize=(6, 2.8))
for name, schedule in SCHEDULES.items():
    ax.plot([schedule(t, 1.0, 330) for t in range(331)], label=name)
ax.set(title="Large first, small at the end", xlabel="step", ylabel="rate / peak")
ax.legend(fontsize=8)
plt.show()

# %% [markdown]
# **Why warm up** (预热) from 0? Look at a deeper network with four hidden layers of 32. Adam's first step is $\eta\,\mathrm{sign}(g)$ for *every* weight, even where the sign of one mini-batch is a matter of chance. And many weights moved by $\eta$ together move a unit far: its tanh saturates, and almost no gradient comes back ([[backpropagation]]).

# %%
DEEP = (64, 32, 32, 32, 32, 10)
w, queue = start_weights(0, DEEP), batches(examples, 32, np.random.default_rng(0))
exact = loss_and_gradient(w, *train_set, DEEP)[1]
signs = np.sign([batch_gradient(w, rows, DEEP) for rows in queue[:32]])     # (32, p)
wrong = np.mean(signs != np.sign(exact), axis=0)[exact != 0]
print(f"first step: {wrong.mean():.0%} of the weights move against the full gradient")
for name, schedule in (("constant", constant), ("warm-up", warm_cosine)):
    w, optimizer = start_weights(0, DEEP), Adam(0.1)
    for t, rows in enumerate(queue[:10]):
        optimizer.eta = schedule(t, 0.1, 330)
        w = optimizer.step(w, batch_gradient(w, rows, DEEP))
    value, inputs, _ = forward(w, *train_set, DEEP)
    stuck = np.mean(np.abs(inputs[1:]) > 0.99)
    print(f"{name:8} to a peak of 0.1, after 10 steps: {stuck:.0%} of the tanh outputs "
          f"beyond ±0.99, loss {value:.2f}")


# %% [markdown]
# Three in ten weights move the wrong way, and as far as the others; ten such steps saturate nine in ten outputs, ten steps of a warm-up none. Does it matter in the end? Train the deep network at many peak rates with each schedule, ten epochs each. Only the validation digits judge.

# %%
def train(optimizer, seed, epochs, widths=WIDTHS, schedule=constant):
    """Train on mini-batches of 32. -> weights, mean training loss of each epoch"""
    w, shuffle, losses = start_weights(seed, widths), np.random.default_rng(seed), []
    peak, total, t = optimizer.eta, epochs * -(-examples // 32), 0
    for _ in range(epochs):
        values = []
        for rows in batches(examples, 32, shuffle):
            optimizer.eta = schedule(t, peak, total)
            batch = train_set[0][rows], train_set[1][rows]
            value, g = loss_and_gradient(w, *batch, widths)
            w, t = optimizer.step(w, g), t + 1
            values.append(value)
        losses.append(np.mean(values))
    return w, losses


def accuracy(w, images, labels, widths=WIDTHS):
    """Share of images recognized."""
    return np.mean(forward(w, images, labels, widths)[2].argmax(axis=1) == labels)


SEEDS = range(by_profile(quick=2, standard=3, full=10))
PEAKS = by_profile(quick=[0.03], standard=[0.001, 0.003, 0.01, 0.03, 0.06, 0.1],
                   full=[0.001, 0.003, 0.01, 0.03, 0.06, 0.1])
scheduled = {}
for name, schedule in SCHEDULES.items():
    runs = [[train(Adam(peak), seed, 10, DEEP, schedule)[0] for seed in SEEDS]
            for peak in PEAKS]
    scheduled[name] = np.array([[forward(w, *val_set, DEEP)[0] for w in ws]
                                for ws in runs])        # (peaks, seeds)
    right = [np.mean([accuracy(w, *val_set, DEEP) for w in ws]) for ws in runs]
    print(f"{name:17}", *(f"{p}: {share:4.0%} " for p, share in zip(PEAKS, right)))

# %% tags=["figure"]
#@title Figure: On this network, schedules widen the range of rates that work
fig, ax = plt.subplots(figsize=(6.6, 3.5))
for (name, losses), color in zip(scheduled.items(), plotting.PALETTE):
    middle, sd = losses.mean(axis=1), losses.std(axis=1, ddof=1)
    ax.loglog(PEAKS, middle, "o-", color=color, label=name)
    ax.fill_between(PEAKS, np.maximum(middle - sd, 0.05), middle + sd, color=color,
                    alpha=0.15)
ax.set(title="On this network, schedules widen the range of rates that work",
       xlabel="peak learning rate (Adam)", ylabel="validation loss")
ax.legend(fontsize=8, loc="upper left")
plt.show()


# %% [markdown]
# Printed are validation accuracies per peak rate; shaded is ± one standard deviation over the three seeds. At small rates a decaying schedule only loses time. A constant rate has one good spot, near 0.003; with decay the loss falls lower and stays low over a tenfold range. With a warm-up even a peak of 0.1
# learns, at which all the others fail. So the main gain of a schedule, in these ten epochs, is **tolerance**: the peak rate needs to be hit less exactly.

# %% [markdown]
# ### Exercise 7.9 · warm-up, stable, decay (8 min)
# The cosine needs $T$ beforehand. Some recent language models keep the rate constant in between, so that a run can be prolonged. Here with three straight pieces: from `peak / warm` at step 0 up to `peak` at step `warm - 1`; constant; then down in a line over the last `decay` steps, to 0 at step `total` (one after the last) and 0 at every step after that. Write it for an array of steps.

# %% tags=["exercise"]
def warm_stable_decay(t, peak, total, warm, decay):
    """Learning rate at steps t. t: (k,) integers from 0 on -> (k,) floats"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("7.9", "warm-up, stable, decay"):
    for steps_t, sizes_t, right_t in (
            (range(10), (0.8, 10, 4, 4),
             [0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.8, 0.6, 0.4, 0.2]),
            ([0, 24, 49, 50, 500, 800, 801, 900, 999], (3.0, 1000, 50, 200),
             [0.06, 1.5, 3, 3, 3, 3, 2.985, 1.5, 0.015]),
            ([7, 0], (1.0, 8, 1, 2), [0.5, 1.0]),
            ([7, 8, 9, 40], (1.0, 8, 1, 2), [0.5, 0, 0, 0])):
        got_t = warm_stable_decay(np.array(steps_t), *sizes_t)
        np.testing.assert_allclose(
            got_t, right_t, rtol=1e-5, atol=1e-9,
            err_msg=f"steps {list(steps_t)} with peak, total, warm, decay = {sizes_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Rising piece $(t + 1)/\text{warm}$, falling piece $(\text{total} - t)/\text{decay}$, ceiling 1: take the smallest of the three, but not less than 0.
# </details>

# %% tags=["solution"]
#@title Solution 7.9 · runs only while yours does not pass
if not solved("7.9"):
    def warm_stable_decay(t, peak, total, warm, decay):
        rising, falling = (t + 1) / warm, (total - t) / decay
        return peak * np.clip(np.minimum(rising, falling), 0, 1)


# %% [markdown]
# ## 7.10 All of them, on one surface and on a real network
#
# Back to the patients. Each optimizer gets 40 steps and the best of many rates. "Stochastic" reads one patient per step, "mini-batch" 32, all others read everybody.

# %%
def nesterov(eta):
    return Momentum(eta, nesterov=True)


def tuned_path(make, B, steps=40):
    """The path with the lowest end among many rates. -> rate, (steps + 1, 2)"""
    tried = []
    for eta in np.geomspace(0.003, 3, by_profile(quick=10, standard=40, full=40)):
        pick = np.random.default_rng(1)

        def estimate(w):
            rows = np.arange(n) if B == n else pick.integers(0, n, B)
            return X[rows].T @ (X[rows] @ w - y[rows]) / B

        path = walk(make(eta), estimate, begin, steps)
        tried.append((excess(path[-10:]).mean(), eta, path))
    return min(tried, key=lambda one: one[0])[1:]


FAMILY = {
    "batch": (GradientDescent, n), "stochastic": (GradientDescent, 1),
    "mini-batch": (GradientDescent, 32), "momentum": (Momentum, n),
    "Nesterov": (nesterov, n), "AdaGrad": (AdaGrad, n), "RMSProp": (RMSProp, n),
    "Adam": (Adam, n), "AdamW": (AdamW, n),
}
fig, axes = plt.subplots(3, 3, figsize=(7.8, 8), sharex=True, sharey=True)
for ax, (name, (make, B)) in zip(axes.flat, FAMILY.items()):
    eta, path = tuned_path(make, B)
    draw_surface(ax, H, optimum)
    ax.plot(path[:, 0], path[:, 1], "o-", color=plotting.RED, ms=2.5, lw=1)
    ax.plot(*optimum, "*", color="black", ms=9)
    ax.set_title(f"{name}, η = {eta:.2g}: {excess(path[-1]):.0e}", fontsize=10)
    ax.label_outer()
fig.suptitle("One surface, 40 steps, nine optimizers: best rate and last excess loss",
             fontweight="bold")
plt.show()
best_pair = walk(Momentum(best_eta, best_beta), gradient, begin, 40)
print(f"momentum with 7.4's best pair instead of 0.9: {excess(best_pair[-1]):.0e}")

# %% [markdown]
# The top row is 7.3 again. The momentum methods swing across the valley and past the goal. AdaGrad bounces to the floor and then creeps like descent; RMSProp jumps to the floor and marches along it, with steps that shrink much later than the gradient; Adam swings like momentum. Their $\beta = 0.9$ is too much for this valley: with 7.4's pair momentum beats all nine. The winner among them
# owes much to a rate chosen for exactly this start and these 40 steps. So don't conclude from two weights; go to 2,410. Each optimizer trains the digits for five epochs at nine rates, three seeds each.

# %%
DIGITS = {  # how to make it, line style, color
    "SGD": (GradientDescent, "-", plotting.BLUE),
    "momentum": (Momentum, "-", plotting.GREEN),
    "Nesterov": (nesterov, "--", plotting.GREEN),
    "AdaGrad": (AdaGrad, "-", plotting.ORANGE),
    "RMSProp": (RMSProp, "-", plotting.PURPLE), "Adam": (Adam, "-", plotting.RED),
    "AdamW": (AdamW, "--", plotting.RED),
}
RATES = 10.0 ** by_profile(quick=np.arange(-2, 0), standard=np.arange(-3.5, 0.6, 0.5),
                           full=np.arange(-4, 0.6, 0.25))
swept, best_rate = {}, {}
for name, (make, _, _) in DIGITS.items():
    final = np.array([[forward(train(make(eta), seed, 5)[0], *val_set)[0]
                       for seed in SEEDS] for eta in RATES])        # (rates, seeds)
    swept[name], best = final.mean(axis=1), final.mean(axis=1).argmin()
    best_rate[name] = RATES[best]
    at_001 = swept[name][np.isclose(RATES, 0.01)][0]
    print(f"{name:9} best η {RATES[best]:.3f}: validation loss {swept[name][best]:.3f}"
          f" ± {final[best].std(ddof=1):.3f}; at η = 0.01: {at_001:.3f}")

# %% tags=["figure"]
#@title Figure: Each of the seven needs its own rate; tuned, they come close
fig, ax = plt.subplots(figsize=(7.4, 3.6))
for name, (_, line, color) in DIGITS.items():
    ax.loglog(RATES, swept[name], line, marker="o", color=color, ms=4, label=name)
ax.set(title="Each of the seven needs its own rate; tuned, they come close",
       xlabel="learning rate η", ylabel="validation loss after 5 epochs",
       ylim=(0.1, 5))
ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown]
# At $\eta = 0.01$ Adam and RMSProp are at or near their best and SGD has hardly begun; at 0.3 SGD is at its best and RMSProp has exploded. Whoever compares two optimizers at *one* rate can prove anything: **such comparisons measure the rate**. Each at its own rate, the best and the worst are
# less than a factor of two apart, while every single one spans more than a factor of ten over the rates. What adaptive methods buy is a default that works over many networks, and more where gradients differ in scale (sparse words, embeddings, Transformers). On some vision tasks tuned SGD with momentum generalizes better than Adam (Wilson et al.).
#
# Document 2 (3.3.7) says to tune "according to the evaluation result": that must be the *validation* result, as here. Now, once, the test: each at its best rate, with the warm-up and cosine of 7.9.

# %%
FINAL = by_profile(quick=2, standard=15, full=40)
curves, correct = {}, {}
for name, (make, _, _) in DIGITS.items():
    runs = [train(make(best_rate[name]), seed, FINAL, schedule=warm_cosine)
            for seed in SEEDS]
    curves[name] = np.mean([losses for _, losses in runs], axis=0)
    correct[name] = np.array([forward(w, *test_set)[2].argmax(axis=1) == test_set[1]
                              for w, _ in runs])                    # (seeds, 500)
    tests = correct[name].mean(axis=1)
    print(f"{name:9} training loss {curves[name][-1]:.3f}, test accuracy "
          f"{tests.mean():.1%} ± {tests.std(ddof=1):.1%}")

# %% tags=["figure"]
#@title Figure: Adam and AdamW end with the lowest training loss
fig, ax = plt.subplots(figsize=(6.8, 3.6))
for name, (_, line, color) in DIGITS.items():
    ax.semilogy(range(1, FINAL + 1), curves[name], line, color=color, label=name)
ax.set(title="Adam and AdamW end with the lowest training loss", xlabel="epoch",
       ylabel=f"training loss, mean of {len(SEEDS)} seeds")
ax.legend(fontsize=8, ncols=2)
plt.show()

# %% [markdown]
# Adam's training loss ends ten times lower than SGD's; of the 500 test digits it gets six or seven more. Is that chance? All optimizers took the same test, so compare them digit by digit: only where one is right and the other wrong is there evidence. (Notebook [[evaluation_metrics]] derives these paired intervals.)

# %% tags=["evidence"]
#@title Evidence: which differences between optimizers are more than chance?
def paired_difference(a, b, z=1.96):
    """Accuracy of b minus a, mean over the seeds, and half its interval's length."""
    d = (correct[b].astype(float) - correct[a]).mean(axis=0)            # (500,)
    return d.mean(), z * d.std(ddof=1) / len(d) ** 0.5


for a, b in (("SGD", "Adam"), ("SGD", "Nesterov"), ("AdaGrad", "Nesterov")):
    split = [f"{np.sum(one & ~two)} : {np.sum(two & ~one)}"
             for one, two in zip(correct[a], correct[b])]
    shift, half = paired_difference(a, b)
    print(f"right only with {a:7} : only with {b:8}, seed by seed {', '.join(split)}; "
          f"difference {shift:+.3f} ± {half:.3f}")
couples = [(a, b) for a in correct for b in correct if a < b]
for z, kind in ((1.96, "95 %"), (3.04, "99.76 %")):
    outside = sum(abs(shift) > half
                  for shift, half in (paired_difference(*c, z) for c in couples))
    print(f"{kind} intervals without 0: {outside} of {len(couples)} pairs")

# %% [markdown]
# Between SGD and Adam the interval just leaves out 0, and seed by seed the split is clear in two of three. In all, nine of the 21 intervals leave it out. But even among equals one interval in twenty does, and as the pairs share optimizers, several do so at once. Widen them until at least one of the 21 is wrong in at most 5 % of all such studies (99.76 % each), and none leaves out 0:
# a hint that SGD and AdaGrad are a little behind, no proof for any pair. And a rate that was best for five epochs needn't be best for fifteen. What stands: on these digits, tuned, all seven work.

# %% [markdown]
# ## 7.11 The same steps from Keras
#
# Now TensorFlow as the witness. First its gradient of our network; then each Keras optimizer beside ours for 100 mini-batch steps, *each following its own path* with its own gradients, so that any difference would grow. The weights are float64, but Keras keeps the learning rate in float32; so all rates here are powers of two, which float32 holds exactly.

# %%
tf = devices.setup(seed=0)
import keras


@tf.function
def tf_loss_and_gradient(w, images, labels):
    """The same network from one flat vector, differentiated by TensorFlow."""
    with tf.GradientTape() as tape:
        tape.watch(w)
        W1, b1, W2, b2 = tf.split(w, [64 * 32, 32, 32 * 10, 10])
        a = tf.tanh(images @ tf.reshape(W1, (64, 32)) + b1)
        z = a @ tf.reshape(W2, (32, 10)) + b2
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, z)
        value = tf.reduce_mean(losses)
    return value, tape.gradient(value, w)


theirs = tf_loss_and_gradient(tf.constant(start_weights(0)), *train_set)
ours = loss_and_gradient(start_weights(0), *train_set)
claim("loss against TensorFlow, difference", gap(theirs[0], ours[0]), at_most=1e-12)
claim("gradient against TensorFlow, largest difference", gap(theirs[1], ours[1]),
      at_most=1e-12)


# %% [markdown]
# Keras has conventions of its own. AdaGrad and RMSProp have $\varepsilon$ *inside* the root, as we wrote them, and AdaGrad's $s$ starts at 0.1. Adam takes the shortcut that the paper gives beside its algorithm (there the constant is called $\hat\varepsilon$): it folds both corrections into the rate and divides by $\sqrt v + \varepsilon$ with the *uncorrected* $v$:
#
# $$\eta\,\frac{\sqrt{1-\beta_2^t}}{1-\beta_1^t}\cdot\frac{m}{\sqrt{v} + \varepsilon} = \eta\,\frac{\hat m}{\sqrt{\hat v} + \varepsilon\big/\sqrt{1 - \beta_2^t}} .$$
#
# So its $\varepsilon$ acts as if it were $1/\sqrt{0.001} = 32$ times larger at the first step. And even with float64 weights each $\beta$ passes through float32 on its way into $\beta^t$; at first $1 - \beta_2^t$ is then off by a hundred-thousandth.

# %%
class KerasAdam(Adam):
    """Adam in Keras' arrangement, with its rounding of the betas."""

    def step(self, w, g):
        if self.t == 0:
            self.m, self.v = np.zeros_like(w), np.zeros_like(w)
        self.t += 1
        self.m = self.m + (1 - self.beta1) * (g - self.m)
        self.v = self.v + (1 - self.beta2) * (g**2 - self.v)
        beta1, beta2 = float(np.float32(self.beta1)), float(np.float32(self.beta2))
        rate = self.eta * np.sqrt(1 - beta2**self.t) / (1 - beta1**self.t)
        update = rate * self.m / (np.sqrt(self.v) + self.eps)
        return w - update - self.eta * self.gamma * w


def side_by_side(ours, theirs, steps=by_profile(quick=20, standard=100, full=100)):
    """Largest difference of any weight after each step. -> (steps,)"""
    w, shuffle, apart = start_weights(0), np.random.default_rng(0), []
    variable = keras.Variable(w, dtype="float64")
    queue = [rows for _ in range(4) for rows in batches(examples, 32, shuffle)]
    for rows in queue[:steps]:
        w = ours.step(w, batch_gradient(w, rows))
        batch = train_set[0][rows], train_set[1][rows]
        g = tf_loss_and_gradient(variable.value, *batch)[1]
        theirs.apply([g], [variable])
        apart.append(gap(w, variable.numpy()))
    return np.array(apart)


# %%
ko = keras.optimizers
pairs = {
    "SGD": (GradientDescent(1 / 4), ko.SGD(1 / 4)),
    "momentum": (Momentum(1 / 16), ko.SGD(1 / 16, momentum=0.9)),
    "Nesterov": (nesterov(1 / 16), ko.SGD(1 / 16, momentum=0.9, nesterov=True)),
    "AdaGrad": (AdaGrad(1 / 8), ko.Adagrad(1 / 8)),
    "RMSProp": (RMSProp(1 / 256), ko.RMSprop(1 / 256)),
    "Adam": (KerasAdam(1 / 128), ko.Adam(1 / 128)),
    "AdamW": (KerasAdam(1 / 128, gamma=0.004), ko.AdamW(1 / 128, weight_decay=0.004)),
    "Adam, ε as in 7.6": (Adam(1 / 128), ko.Adam(1 / 128)),
}
apart = {name: side_by_side(*pair) for name, pair in pairs.items()}
for name, difference in apart.items():
    if "7.6" in name:
        print(f"{name}: largest difference {difference.max():.2g}")
    else:
        claim(f"{name}: {len(difference)} steps beside Keras, largest difference",
              difference.max(), at_most=1e-6)

# %% tags=["figure"]
#@title Figure: Our steps are Keras' steps; with ε placed elsewhere they are not
fig, ax = plt.subplots(figsize=(8, 3.6))
colors = [*plotting.PALETTE[:6], plotting.GRAY, "black"]
for (name, difference), color in zip(apart.items(), colors):
    ax.semilogy(np.maximum(difference, 1e-17), color=color, label=name)
ax.axhline(1e-6, color="black", ls="--", lw=1)
ax.text(0, 1.6e-6, "promised", fontsize=8)
ax.set(title="Our steps are Keras' steps; with ε placed elsewhere they are not",
       xlabel="step",
       ylabel="largest difference of a weight")
ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown]
# SGD, RMSProp and Adam agree to rounding; the others differ by about $10^{-7}$ at most, because a constant of theirs (momentum 0.9, AdaGrad's 0.1, the decay) passes through float32 in Keras. With $\varepsilon$ placed as in 7.6 some weight is soon off by 0.02. Neither is wrong, but whoever ports a training must know. Last, the schedules:

# %% tags=["evidence"]
#@title Evidence: the schedules are Keras' too, also after the last step
keras_cosine = ko.schedules.CosineDecay(0.0, 280, warmup_target=0.7, warmup_steps=49)
keras_drops = ko.schedules.PiecewiseConstantDecay([164, 246], [0.7, 0.07, 0.007])
shown = range(0, 500, 3)                                # 329 steps, and what follows
ours = [(warm_cosine(t, 0.7, 329), drops(t, 0.7, 329)) for t in shown]
theirs = [(float(keras_cosine(t)), float(keras_drops(t))) for t in shown]
claim("schedules against Keras, during and after the run, largest difference",
      gap(ours, theirs), at_most=1e-6)

# %% [markdown]
# ## 7.12 Where it breaks
#
# - **The quadratic is local.** 7.2 predicts where a step diverges *here*; the curvature moves while you train. Full-batch descent on large networks even drives its own $\lambda_{\max}$ up to $2/\eta$ and hovers there (the *edge of stability*).
# - **A stationary point is not a global minimum.** Descent promises only that the gradient vanishes. It may be a saddle, downhill in some direction.
# - **A lower training loss is not a better product.** Optimizers also differ in *which* solution they find; judge on validation data ([[evaluation_metrics]], [[training_deep_networks]]).
# - **State costs memory.** Momentum stores one extra number per weight, Adam two: in 32 bits 8 bytes per weight, beside the weights themselves ([[what_is_a_large_model]], [[training_at_scale]]).
# - **One bad batch** can hurt Adam for long: a gradient a thousand times too large fills $v$ for thousands of steps. Clip gradients ([[recurrent_networks]]).
#
# **What a product team should ask.** Was the rate tuned for *each* optimizer compared, on validation data, with several seeds? Are schedule and warm-up given in steps or in epochs, and what happens to them when the batch changes? Which weights decay? Is
# the optimizer's state saved with the checkpoint? Which framework's $\varepsilon$?

# %% [markdown]
# ## Summary
#
# 1. On a quadratic each eigendirection of the error is multiplied by $1 - \eta\lambda$: stable below $2/\lambda_{\max}$, slow in proportion to $\kappa$.
# 2. A mini-batch gradient is right on average with variance $\Sigma/B$; at small rates the floor it leaves is proportional to $\eta/B$; beyond the noise scale a larger batch buys little.
# 3. Momentum turns $\kappa$ into $\sqrt\kappa$; dividing by $\sqrt{s}$ gives each weight its own rate and cures scales, not correlations.
# 4. Adam is both, with averages corrected by $1 - \beta^t$, because with the usual $\beta$ uncorrected first steps are several times too long; AdamW decays weights outside the division.
# 5. Find the rate by a range test, warm up, decay to zero, and never compare optimizers at one rate.
#
# | key formula | |
# |---|---|
# | descent | $\eta < 2/\lambda_{\max}$; best $2/(\lambda_{\min} + \lambda_{\max})$, factor $\frac{\kappa - 1}{\kappa + 1}$ |
# | momentum ($v$: velocity) | $v \leftarrow \beta v - \eta g,\; w \leftarrow w + v$; best factor $\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}$ |
# | noise | $\operatorname{Cov}[g_B] = \Sigma/B$; $\;B_\text{simple} = \operatorname{tr}\Sigma/\lvert g\rvert^2$ |
# | AdaGrad, RMSProp | $w \leftarrow w - \eta\, g/\sqrt{s + \varepsilon}$; $\;s \leftarrow s + g^2$ or $s \leftarrow \rho s + (1 - \rho) g^2$ |
# | Adam ($v$: mean square) | $w \leftarrow w - \eta\, \hat m/(\sqrt{\hat v} + \varepsilon)$; $\;\hat m = m/(1 - \beta_1^t)$, $\;\hat v = v/(1 - \beta_2^t)$ |
# | AdamW | the same, and $-\,\eta\gamma w$ |
# | cosine | $\eta_t = \frac{\eta_0}{2}(1 + \cos \pi t/T)$ |
#
# **Further reading**
#
# - H. Robbins, S. Monro (1951). A stochastic approximation method. *Annals of Mathematical Statistics* 22, 400–407.
# - B. T. Polyak (1964). Some methods of speeding up the convergence of iteration methods. *USSR Computational Mathematics and Mathematical Physics* 4(5), 1–17.
# - Y. Nesterov (1983). A method for solving the convex programming problem with convergence rate O(1/k²). *Soviet Mathematics Doklady* 27, 372–376.
# - J. Duchi, E. Hazan, Y. Singer (2011). Adaptive subgradient methods for online learning and stochastic optimization. *Journal of Machine Learning Research* 12, 2121–2159.
# - T. Tieleman, G. Hinton (2012). Lecture 6.5: RMSProp. *Neural Networks for Machine Learning*, Coursera. Never published as a paper.
# - D. P. Kingma, J. Ba (2015). Adam: a method for stochastic optimization. ICLR, arXiv:1412.6980.
# - I. Loshchilov, F. Hutter (2019). Decoupled weight decay regularization. ICLR, arXiv:1711.05101. By the same authors (2017): SGDR, arXiv:1608.03983, the cosine.
# - S. Hu et al. (2024). MiniCPM. arXiv:2404.06395. Warm-up, stable, decay.
# - P. Goyal et al. (2017). Accurate, large minibatch SGD: training ImageNet in 1 hour. arXiv:1706.02677. Warm-up, and the rate that grows with the batch.
# - S. McCandlish, J. Kaplan, D. Amodei et al. (2018). An empirical model of large-batch training. arXiv:1812.06162. The noise scale.
# - L. N. Smith (2017). Cyclical learning rates for training neural networks. WACV, arXiv:1506.01186. The range test.
# - A. C. Wilson et al. (2017). The marginal value of adaptive gradient methods in machine learning. NeurIPS, arXiv:1705.08292.
# - J. M. Cohen et al. (2021). Gradient descent on neural networks typically occurs at the edge of stability. ICLR, arXiv:2103.00065.
# - G. Goh (2017). Why momentum really works. *Distill*, doi:10.23915/distill.00006. The map of 7.4, with sliders.
# - B. Efron, T. Hastie, I. Johnstone, R. Tibshirani (2004). Least angle regression. *Annals of Statistics* 32, 407–499. The patients' data.
