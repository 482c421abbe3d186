# ---
# jupyter:
#   course:
#     datasets: [digits]
#     covers: "Losses as likelihoods: squared error, cross-entropy, KL divergence; numerical stability; label smoothing and calibration."
#     prerequisites: [neurons_and_layers]
#     ledger: [D1-4.3-b, D1-5.2-c, D2-3.3.3-a, D2-4.1.1-a, D2-4.1.1-b,
#       D2-4.1.2-a, D2-4.1.2-b, D3-3.2-d, D3-4.2-a, D5-4.1-a]
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
# # Loss functions
#
# Training makes one number small. Which number? A poor choice teaches nothing, teaches the wrong thing, or turns into `nan`.
# You derive the common losses (损失函数) from one idea, the likelihood, and find out what each of them is really asking for.
#
# **The digit reader so far** was trained on cross-entropy because notebook [[life_of_a_model]] said so, and notebook [[neurons_and_layers]] gave it layers that don't learn yet. This notebook asks where a loss comes from, what each one wants, and when it breaks.
#
# **You will be able to**
# - derive squared error, absolute error and both cross-entropies from a distribution, and a new loss from a new one;
# - say what prediction a loss wants: a mean, a median, a quantile, a probability;
# - tell entropy, cross-entropy and KL divergence apart, and forward KL from reverse;
# - compute a cross-entropy that survives logits of ±1000, and say where the naive one breaks;
# - predict what label smoothing, class weights and focal loss do to probabilities, and measure it.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from course_utils import (
    by_profile, check, claim, data, devices, plotting, profile, solved,
)
from course_utils.lessons.backpropagation import numerical_gradient

plotting.use_style()
rng = np.random.default_rng(0)

# %% [markdown]
# ## 5.1 The question: why not train on accuracy?
#
# A product wants few wrong answers. So why does nobody train on the number of wrong answers? Take a reader that tells 8 from 3 by one number $x$,
# the ink in a 2×2 patch on the left, where an 8 has a stroke and a 3 has none. It answers with a probability
# $p = \sigma(12\,(x - t))$ of "8", where $\sigma(z) = 1/(1 + e^{-z})$ is the sigmoid and the threshold $t$ is its only weight (12, how steeply it makes up its mind, is fixed by hand). The figure shows the patch as a box, on a 3 above and on an 8 below.

# %%
digits = data.digits()
pair = np.isin(digits.y_train, (3, 8))
images = digits.x_train[pair] / 16  # (n, 8, 8), ink between 0 and 1
is_eight = (digits.y_train[pair] == 8).astype(float)  # (n,) label 1 or 0
ink = images[:, 4:6, 2:4].mean(axis=(1, 2))  # (n,)


def sigmoid(z):
    """1 / (1 + e^-z) for any shape, right at both ends."""
    # logaddexp(0, u) is log(1 + e^u); exp(-z) itself would overflow
    return np.exp(-np.logaddexp(0, -z))


def wrong_answers(t):
    """Share of wrong answers of the reader with threshold t."""
    return np.mean((sigmoid(12 * (ink - t)) > 0.5) != is_eight)


def surprise(t):
    """Mean of -log2 of the probability given to the true answer, in bits."""
    p = sigmoid(12 * (ink - t))
    return -np.mean(np.log2(np.where(is_eight == 1, p, 1 - p)))


# %% tags=["figure"]
#@title Figure: A staircase, and a slope to walk down
fig = plt.figure(figsize=(9, 3.2))
grid = fig.add_gridspec(2, 3, width_ratios=(0.6, 1.6, 2.2))
for row, label in enumerate((0, 1)):
    ax = fig.add_subplot(grid[row, 0])
    ax.imshow(images[is_eight == label][1])
    ax.add_patch(plt.Rectangle((1.5, 3.5), 2, 2, fill=False, ec=plotting.RED, lw=2))
    ax.axis("off")
left, right = fig.add_subplot(grid[:, 1]), fig.add_subplot(grid[:, 2])
left.hist([ink[is_eight == 0], ink[is_eight == 1]], 12, label=["3", "8"])
left.set(title="Ink in the patch", xlabel="$x$", ylabel="images")
left.legend()
thresholds = np.linspace(0, 1, 401)
for loss, name in ((wrong_answers, "share wrong"), (surprise, "surprise (bits)")):
    right.plot(thresholds, [loss(t) for t in thresholds], label=name)
right.set(title="A staircase, and a slope to walk down", xlabel="threshold $t$")
right.legend()
plt.show()

# %%
for t in (0.1, 0.7):
    slopes = [numerical_gradient(loss, np.array(t))
              for loss in (wrong_answers, surprise)]
    print(f"t = {t}: {wrong_answers(t):.1%} wrong, slope {slopes[0]:.1f};"
          f" surprise {surprise(t):.2f} bits, slope {slopes[1]:.2f}")

# %% [markdown]
# The share of wrong answers is a staircase: its slope is 0 almost everywhere, so *gradient descent*, which again and again subtracts $\eta$ times the slope from the weight ($\eta$ is the learning rate), never takes a step. The orange curve scores the
# *probability* given to the truth, by its *surprise*, minus the logarithm to base 2: 0 bits for probability 1, 1 bit for ½, 2 bits for ¼. The sign of its slope, −4.61 at $t = 0.1$ and 5.17 at $t = 0.7$, tells from both sides where the valley lies.
# It also watches over the staircase: a wrong answer gives the truth at most ½ and costs at least 1 bit, so **the share wrong is never larger than the surprise in bits.**
#
# A loss is that smooth stand-in. It is what the *optimizer* sees; what you *report* stays accuracy on held-out data (notebook [[evaluation_metrics]]). Document 1, 4.3 (titles in notebook [[start_here]]), lets cross-entropy
# "evaluate performance": the training objective is not the report.

# %% [markdown]
# ## 5.2 A loss is a distribution in disguise: squared error
#
# Where do losses come from? From saying how the target is distributed. A model that reads $x_i$ and answers $\hat y_i$ is given a distribution $p(y \mid \hat y_i)$, and $n$ independent
# examples have the *likelihood* (似然) $\prod_i p(y_i \mid \hat y_i)$. Choose the weights that make the data most likely. The logarithm turns the product, which would underflow, into a sum without moving the best weights:
#
# $$\boxed{\;L = -\frac1n \sum_{i=1}^{n} \log p(y_i \mid \hat y_i)\;}\qquad\text{the mean } \textit{negative log-likelihood}\ (负对数似然).$$
#
# Logarithms are natural from here on and losses come in *nats*; one bit is $\log 2 = 0.693$ nats. The losses up to 5.6 are this line with another $p$ (except two that 5.4 puts beside it for comparison). First, the Gaussian with mean $\hat y_i$ and standard deviation $\sigma$ (a number; $\sigma(z)$, with an argument, stays the sigmoid):
#
# $$p(y \mid \hat y) = \frac{1}{\sigma\sqrt{2\pi}}\, e^{-(y - \hat y)^2 / 2\sigma^2}
# \qquad\Rightarrow\qquad
# L = \frac{1}{2\sigma^2}\underbrace{\frac1n\sum_i (\hat y_i - y_i)^2}_{\text{MSE}} + \log \sigma + \tfrac12\log 2\pi .$$
#
# Whatever the fixed $\sigma$, the best weights are those of the mean squared error (均方误差). Read as a likelihood, MSE assumes Gaussian noise of one size; what it *wants*, the mean (5.3), it wants under any noise.

# %% tags=["nbval-check-output"]
def gaussian_density(y, mean, sigma):
    """Density of the normal distribution; any shapes that broadcast."""
    return np.exp(-0.5 * ((y - mean) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


nll_rng = np.random.default_rng(2)
y = nll_rng.normal(size=50)
for sigma in (0.5, 1.0, 3.0):
    worst = 0.0
    for _ in range(20):
        y_hat = nll_rng.normal(size=50)
        nll = -np.mean(np.log(gaussian_density(y, y_hat, sigma)))
        mse = np.mean((y_hat - y) ** 2)
        formula = mse / (2 * sigma**2) + np.log(sigma) + 0.5 * np.log(2 * np.pi)
        worst = max(worst, abs(nll - formula))
    print(f"σ = {sigma}: NLL is the formula to 1e-12: {worst < 1e-12}")
print("the likelihood itself, 1,100 coin tosses:", 0.5**1100)

# %% [markdown]
# The worked example of Document 2, 4.1.1 (three predictions, three targets), with the slope that training would use. For $L = \frac1n \sum (\hat y_i - y_i)^2$ it is $\partial L/\partial \hat y_i = \frac2n (\hat y_i - y_i)$.

# %% tags=["nbval-check-output"]
y_hat, y = np.array([2.5, 3.0, 2.7]), np.array([3.0, 2.8, 2.6])
mse, mae = np.mean((y_hat - y) ** 2), np.mean(np.abs(y_hat - y))
print(f"MSE {mse:.6f}   RMSE {np.sqrt(mse):.6f}   MAE {mae:.6f}")

grad = 2 / len(y) * (y_hat - y)
nudged = numerical_gradient(lambda y_hat: np.mean((y_hat - y) ** 2), y_hat)
agrees = np.abs(grad - nudged).max() < 1e-10
print("gradient", grad.round(5), " agrees to 1e-10:", agrees)
half = numerical_gradient(lambda y_hat: 0.5 * np.sum((y_hat - y) ** 2), y_hat)
print("of ½ Σ  ", half.round(5))


# %% [markdown]
# The 0.1 printed there is right. MSE carries the *square* of the target's unit; its root, RMSE, has the unit itself. Document 3, 4.2, writes $\frac12\sum_i(\hat y_i - y_i)^2$: the same loss times $n/2$, so that the gradient is plainly $\hat y - y$.
# The price is that it grows with the batch, and the learning rate has to know. (It also hangs a layer index $l$ on $\hat y$ and $y$. Only the last layer has targets.)

# %% [markdown]
# ### Exercise 5.2 · let the model say how sure it is (12 min)
# Give every prediction its own $\sigma_i = e^{s_i}$: the model answers with two numbers, $\hat y_i$ and $s_i$, and no constraint is needed to keep $\sigma_i$ positive.
# Write the mean negative log-likelihood, its constant $\tfrac12\log 2\pi$ included, and its two gradients. What does $\partial L/\partial s_i = 0$ say about the best $\sigma_i$?

# %% tags=["exercise"]
def gaussian_nll(y, y_hat, s):
    """Mean Gaussian negative log-likelihood, standard deviations exp(s).

    The constant, half the log of 2 pi, is part of it.
    y, y_hat, s: (n,) -> loss (scalar), dL/dy_hat (n,), dL/ds (n,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("5.2", "Gaussian negative log-likelihood"):
    for n_t in (1, 4, 7):
        y_t, mean_t, s_t = np.random.default_rng(n_t).normal(size=(3, n_t))
        nll_t = lambda mean, s: -np.mean(
            np.log(gaussian_density(y_t, mean, np.exp(s))))
        wanted_t = {
            "loss": nll_t(mean_t, s_t),
            "dL/dy_hat": numerical_gradient(lambda mean: nll_t(mean, s_t), mean_t),
            "dL/ds": numerical_gradient(lambda s: nll_t(mean_t, s), s_t),
        }
        got_t = gaussian_nll(y_t.copy(), mean_t.copy(), s_t.copy())
        assert np.ndim(got_t[0]) == 0, "the loss is one number"
        for (name_t, value_t), ours_t in zip(wanted_t.items(), got_t, strict=True):
            np.testing.assert_allclose(ours_t, value_t, rtol=1e-5, atol=1e-6,
                                       err_msg=f"{name_t}, n = {n_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $-\log p = \tfrac12 (y - \hat y)^2 e^{-2s} + s + \tfrac12\log 2\pi$. Differentiate, then divide by $n$.
# </details>

# %% tags=["solution"]
#@title Solution 5.2 · runs only while yours does not pass
if not solved("5.2"):
    def gaussian_nll(y, y_hat, s):
        squares = (y_hat - y) ** 2 * np.exp(-2 * s)
        loss = np.mean(0.5 * squares + s) + 0.5 * np.log(2 * np.pi)
        grad_y_hat = (y_hat - y) * np.exp(-2 * s) / len(y)
        return loss, grad_y_hat, (1 - squares) / len(y)


# %% [markdown]
# <details><summary>About the solution</summary>
#
# $\partial L/\partial s_i = 0$ where $\sigma_i^2 = (y_i - \hat y_i)^2$: each example asks for the size of its own error. With one $s$ for all, $\sigma^2$ = MSE; a model that computes $s$ from $x$ settles on the mean square of the errors near $x$.
# Beware: the loss has no floor. Where a flexible model hits $y_i$ exactly, $s_i \to -\infty$ takes $L$ to $-\infty$, so bound $s$ from below.
# </details>

# %% [markdown]
# ## 5.3 What may one outlier do? Absolute error and Huber
#
# A Gaussian finds large errors almost impossible, so MSE moves the model far to avoid one. The Laplace distribution has heavier tails. With scale $b$:
#
# $$p(y \mid \hat y) = \frac{1}{2b}\, e^{-|y - \hat y|/b}
# \qquad\Rightarrow\qquad
# L = \frac1b\,\underbrace{\frac1n\sum_i |\hat y_i - y_i|}_{\text{MAE}} + \log 2b .$$
#
# The slope of $|\hat y - y|$ (mean absolute error, 平均绝对误差) is the *sign* of the error: every example pulls with the same force, however far away. For one constant $\hat y$ the pulls balance when as many targets lie above as below: at the **median**.
# For MSE they balance when $\sum (\hat y - y_i) = 0$: at the **mean**.
#
# The Huber loss takes something of both, with $e = \hat y - y$ and a border $\delta$: quadratic within, linear beyond, with equal values and slopes at $|e| = \delta$:
#
# $$H_\delta(e) = \begin{cases} \tfrac12 e^2 & |e| \le \delta \\ \delta|e| - \tfrac12\delta^2 & |e| > \delta \end{cases}
# \qquad H_\delta'(e) = \text{clip}(e, -\delta, \delta).$$

# %%
def huber(e, delta=1.0):
    """Huber loss of each error. e: any shape -> that shape."""
    size = np.abs(e)
    return np.where(size <= delta, 0.5 * e**2, delta * size - 0.5 * delta**2)


error = np.linspace(-5, 5, 401)
losses = {"½ e² (Gaussian)": 0.5 * error**2, "|e| (Laplace)": np.abs(error),
          "Huber, δ = 1": huber(error)}
slopes = {"½ e² (Gaussian)": error, "|e| (Laplace)": np.sign(error),
          "Huber, δ = 1": np.clip(error, -1, 1)}
fig, axes = plt.subplots(1, 3, figsize=(9.4, 3))
for name, loss in losses.items():
    density = np.exp(-loss) / (np.exp(-loss).sum() * (error[1] - error[0]))
    axes[0].plot(error, density)
    axes[1].plot(error, loss, label=name)
    axes[2].plot(error, slopes[name])
axes[0].set(title="The noise assumed", xlabel="error $e$", ylabel="density",
            yscale="log", ylim=(1e-6, 1))
axes[1].set(title="its −log: the loss", xlabel="error $e$", ylim=(-0.2, 6))
axes[2].set(title="its slope: the pull", xlabel="error $e$", ylim=(-5.2, 5.2))
axes[1].legend(loc="upper center", fontsize=8)
plt.show()

# %% [markdown]
# An error of 5 has density about $10^{-6}$ under the Gaussian and above $10^{-3}$ under the other two; its pull is 5 against 1. Now drag one of nine measurements away and let each loss choose the best constant, by trying a fine grid of them.

# %% tags=["figure"]
#@title Figure: The mean follows one outlier, the median does not
fixed = np.array([1.2, 2.0, 2.3, 2.9, 3.1, 3.4, 4.1, 4.6])
outliers = np.linspace(2, 20, 73)
constants = np.linspace(0, 8, 4001)
best = {"MSE": [], "MAE": [], "Huber, δ = 1": []}
for outlier in outliers:
    e = constants[:, None] - np.append(fixed, outlier)  # (constants, n)
    for name, loss in (("MSE", e**2), ("MAE", np.abs(e)), ("Huber, δ = 1", huber(e))):
        best[name].append(constants[loss.mean(axis=1).argmin()])
moved = [np.append(fixed, outlier) for outlier in outliers]

fig, ax = plt.subplots(figsize=(6.4, 3.4))
for name, color in zip(best, (plotting.BLUE, plotting.ORANGE, plotting.GREEN)):
    ax.plot(outliers, best[name], color=color, label=name)
ax.hlines(fixed, outliers[0], outliers[-1], color=plotting.GRAY, lw=0.7, ls=":",
          label="the other eight")
ax.set(title="The mean follows one outlier, the median does not",
       xlabel="ninth measurement", ylabel="best single prediction", ylim=(0, None))
ax.legend(loc="lower right", ncols=2)
plt.show()
for name, wanted in (("MSE", np.mean), ("MAE", np.median)):
    differs = np.abs(np.array(best[name]) - [wanted(values) for values in moved]).max()
    print(f"{name}'s best is the {wanted.__name__}: differs by at most {differs:.3f}"
          f" (grid {constants[1] - constants[0]:.3f});"
          f" outlier at 20: {best[name][-1]:.2f}")
print(f"Huber's best, outlier at 20: {best['Huber, δ = 1'][-1]:.2f}")


# %% [markdown]
# MSE's answer climbs by 1/9 for every unit the outlier moves, without end. MAE's stops at 3.1, the median, as soon as the outlier has passed it; Huber's stops soon after, when the outlier's pull is capped. So: MSE if large errors are real and cost as much as their square,
# MAE or Huber if they are broken sensors. MAE's slope keeps its size up to the target, so steps of a fixed rate jump over it; Huber's shrinks.

# %% [markdown]
# ### Exercise 5.3 · a loss that wants the 90 % quantile (10 min)
# A shop prefers stock left over to empty shelves: each unit too few costs $\tau$, each unit too many costs $1 - \tau$ (with $0 < \tau < 1$). That is the *quantile* or *pinball* loss. Write its mean and its gradient with respect to $\hat y$;
# take slope 0 where $\hat y_i = y_i$. Then count pulls, as above: which constant is best?

# %% tags=["exercise"]
def pinball(y, y_hat, tau):
    """Mean pinball loss: tau per unit too low, 1 - tau per unit too high.

    y, y_hat: (n,), tau: scalar -> loss (scalar), dL/dy_hat (n,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("5.3", "the pinball loss"):
    for n_t, tau_t in ((1, 0.5), (5, 0.9), (8, 0.3)):
        y_t, pred_t = np.random.default_rng(n_t).normal(size=(2, n_t))
        cost_t = lambda pred: sum(tau_t * (a - b) if b < a else (1 - tau_t) * (b - a)
                                  for a, b in zip(y_t, pred)) / n_t
        slope_t = numerical_gradient(cost_t, pred_t)
        got_t, grad_t = pinball(y_t.copy(), pred_t.copy(), tau_t)
        assert np.ndim(got_t) == 0, "the loss is one number"
        np.testing.assert_allclose(got_t, cost_t(pred_t), rtol=1e-5, err_msg="loss")
        np.testing.assert_allclose(grad_t, slope_t, rtol=1e-5, atol=1e-8,
                                   err_msg="gradient")
    kink_t = pinball(np.array([1.0, 2.0]), np.array([1.0, 3.0]), 0.9)[1]
    np.testing.assert_allclose(kink_t, [0, 0.05], rtol=1e-5,
                               err_msg="slope 0 where y_hat = y")
    # the best constant is the quantile: below it the pull is up, above it down
    for constant_t, sign_t in ((9.5, -1), (10.5, 1)):
        pull_t = np.sum(pinball(np.arange(1.0, 12.0), np.full(11, constant_t), 0.9)[1])
        assert np.sign(pull_t) == sign_t, "of 1 … 11 the best for τ = 0.9 is 10"

# %% [markdown]
# <details><summary>Hint</summary>
#
# With $d = y - \hat y$ the cost is $\tau d$ for $d > 0$ and $(\tau - 1)d$ for $d < 0$: the larger of the two. Slopes with respect to $\hat y$: $-\tau$ and $1 - \tau$.
# </details>

# %% tags=["solution"]
#@title Solution 5.3 · runs only while yours does not pass
if not solved("5.3"):
    def pinball(y, y_hat, tau):
        d = y - y_hat
        loss = np.mean(np.maximum(tau * d, (tau - 1) * d))
        return loss, ((1 - tau) * (d < 0) - tau * (d > 0)) / len(y)

# %% [markdown]
# <details><summary>About the solution</summary>
#
# The pulls balance when a share $\tau$ of the targets lies below $\hat y$: the $\tau$ quantile. $\tau = \tfrac12$ is half the MAE.
# </details>

# %% [markdown]
# ## 5.4 Yes or no: binary cross-entropy
#
# A label $y$ is 0 or 1 and the model answers with $p$, the probability of 1. That is a Bernoulli distribution, and its two cases fit in one line ($p(y \mid \cdot)$ is the distribution, $p$ alone the number):
#
# $$p(y \mid p) = p^{\,y} (1 - p)^{1 - y}
# \qquad\Rightarrow\qquad
# L = -\frac1n \sum_i \big[\, y_i \log p_i + (1 - y_i) \log (1 - p_i) \,\big],$$
#
# the *binary cross-entropy* (二元交叉熵). What answer does it want? Let a share $q$ of many equal cases be yes. Their mean loss, and its slope:
#
# $$\ell(p) = -q \log p - (1 - q)\log(1 - p), \qquad \ell'(p) = -\frac qp + \frac{1 - q}{1 - p} = \frac{p - q}{p\,(1 - p)},$$
#
# negative below $p = q$, zero there, positive above: the loss is lowest when the model says the truth about its own doubt. Such a loss is called *proper*. Not every plausible loss is.

# %%
q, p = 0.3, np.linspace(0.002, 0.998, 499)
candidates = {
    "cross-entropy": -q * np.log(p) - (1 - q) * np.log(1 - p),
    "squared error of p": q * (1 - p) ** 2 + (1 - q) * p**2,
    "absolute error of p": q * (1 - p) + (1 - q) * p,
}
fig, ax = plt.subplots(figsize=(6, 3.4))
for name, loss in candidates.items():
    line, = ax.plot(p, loss, label=name)
    ax.plot(p[loss.argmin()], loss.min(), "o", color=line.get_color())
    print(f"{name:20} is lowest at p = {p[loss.argmin()]:.2f}")
ax.axvline(q, color=plotting.GRAY, lw=1, ls="--")
ax.set(title=f"Asked about {q:.0%} yes: two losses want the truth", ylim=(0, 2),
       xlabel="answer $p$", ylabel="mean loss")
ax.legend()
plt.show()

# %% [markdown]
# Cross-entropy and the squared error of $p$ (the Brier score) are proper: dots at 0.3. The absolute error is lowest at $p = 0$ (on this grid 0.002): it wants the *median* of zeros and ones, that is, doubt rounded away. Cross-entropy alone goes to infinity at both ends: being sure and wrong may cost everything.

# %% [markdown]
# ## 5.5 Spot the bug: a widely copied cross-entropy
#
# Document 2, 4.1.2, prints
#
# $$\text{Cross Entropy} = -\frac{1}{n} \sum_{i=1}^{n} y_i \log \hat y_i$$
#
# and a two-class example: labels $y = (1, 0)$, predicted probabilities $\hat y = (0.8, 0.2)$, result "$-\frac12 \log 0.8 \approx 0.176$". Two things are wrong. Compute before you read on.

# %% tags=["nbval-check-output"]
y, p = np.array([1, 0]), np.array([0.8, 0.2])
for name, log in (("natural", np.log), ("base 2", np.log2), ("base 10", np.log10)):
    print(f"as printed, {name:8}log: {-np.mean(y * log(p)):.6f}")
binary = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
print(f"binary cross-entropy      : {binary:.6f} nats")
print(f"as printed, for the answer (1, 1): {np.mean(-y * np.log([1.0, 1.0])) + 0:.1f}")


# %% [markdown]
# None of the usual bases gives 0.176: the number is wrong. Worse is the formula: where $y_i = 0$ it adds nothing, so the second example never counts, and **answering yes to everything is a perfect score**. If $y_i$ and $\hat y_i$ are the entries of *one* example's distribution (5.6), the one sum is right but the $\frac1n$ is not: the loss is $-\log 0.8$, here again 0.223. With one
# number per example it loses half of 5.4. Let the reader of 5.1 learn from both, $p = \sigma(wx + b)$ with $w = b = 0$ at the start and plain gradient descent. The slope at $z_i = wx_i + b$ is the one at $p_i$ times $\sigma'(z_i) = p_i(1 - p_i)$ (notebook [[neurons_and_layers]]). For the two losses, without the $\frac1n$:
#
# $$\text{5.4 with } q = y: \quad \frac{p - y}{p\,(1 - p)} \cdot p\,(1 - p) = p - y,
# \qquad\qquad
# \text{as printed:} \quad -\frac{y}{p} \cdot p\,(1 - p) = y\,(p - 1).$$

# %%
def fit_reader(slope, x, y, steps=600, eta=10.0):
    """Gradient descent for p = σ(w x + b) from w = b = 0.

    slope(p, y): n dL/dz (n,), x, y: (n,) -> p before each step (steps, n)
    """
    w = b = 0.0
    path = []
    for _ in range(steps):
        p = sigmoid(w * x + b)
        path.append(p)
        delta = slope(p, y) / len(y)
        w, b = w - eta * np.sum(delta * x), b - eta * np.sum(delta)
    return np.array(path)


paths = {"binary cross-entropy": fit_reader(lambda p, y: p - y, ink, is_eight),
         "as printed": fit_reader(lambda p, y: y * (p - 1), ink, is_eight)}
printed_loss = -np.mean(is_eight * np.log(paths["as printed"]), axis=1)
# |1 - y - p| is the probability of the truth: p for y = 1, 1 - p for y = 0
of_truth = np.abs(1 - is_eight - paths["binary cross-entropy"])
proper_loss = -np.mean(np.log(of_truth), axis=1)

fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.1))
for name, loss in zip(paths, (proper_loss, printed_loss)):
    accuracy = np.mean((paths[name] > 0.5) == is_eight, axis=1)
    axes[0].semilogy(loss, label=name)
    axes[1].plot(accuracy, label=name)
    print(f"{name:20} final loss {loss[-1]:.4f}, accuracy {accuracy[-1]:.1%}")
axes[0].set(title="The printed loss looks better …", xlabel="step",
            ylabel="its own loss")
axes[1].set(title="… and learns to say yes", xlabel="step", ylabel="accuracy",
            ylim=(0, 1))
axes[0].legend()
plt.show()
print(f"always 8: {is_eight.mean():.1%}")


# %% [markdown]
# The printed loss sinks towards 0 and the reader ends where "always 8" is. Nothing crashes: only a baseline shows it.

# %% [markdown]
# ### Exercise 5.5 · repair it (4 min)
# Write the mean binary cross-entropy of $n$ examples.

# %% tags=["exercise"]
def binary_cross_entropy(y, p):
    """Mean binary cross-entropy in nats.

    y: (n,) labels 0 or 1, p: (n,) probabilities of 1, 0 < p < 1 -> scalar
    """
    # widely copied: -np.mean(y * np.log(p))
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("5.5", "binary cross-entropy"):
    got_t = binary_cross_entropy(np.array([1, 0]), np.array([0.8, 0.2]))
    assert np.ndim(got_t) == 0, "the loss is one number"
    np.testing.assert_allclose(got_t, 0.2231435513, rtol=1e-5,
                               err_msg="the worked example")
    rng_t = np.random.default_rng(55)
    for n_t in (1, 6, 9):
        y_t, p_t = rng_t.integers(0, 2, n_t), rng_t.uniform(0.05, 0.95, n_t)
        likelihood_t = np.prod([p if y else 1 - p for y, p in zip(y_t, p_t)])
        got_t = binary_cross_entropy(y_t.copy(), p_t.copy())
        np.testing.assert_allclose(np.exp(-n_t * got_t), likelihood_t, rtol=1e-4,
                                   err_msg="exp(-n L) is the likelihood of the labels")
    for label_t, wanted_t in ((0, -np.log(0.001)), (1, -np.log(0.999))):
        got_t = binary_cross_entropy(np.full(4, label_t), np.full(4, 0.999))
        np.testing.assert_allclose(got_t, wanted_t, rtol=1e-3,
                                   err_msg=f"0.999 for four labels {label_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# An example with $y_i = 0$ pays $-\log(1 - p_i)$.
# </details>

# %% tags=["solution"]
#@title Solution 5.5 · runs only while yours does not pass
if not solved("5.5"):
    def binary_cross_entropy(y, p):
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


# %% [markdown]
# ## 5.6 One of many: categorical cross-entropy
#
# With $k$ classes the model answers with a row of probabilities $p_i = (p_{i1}, \dots, p_{ik})$ that sum to 1, mostly the *softmax* of logits $z_i$ (未归一化的得分): $p_{ij} = e^{z_{ij}} / \sum_m e^{z_{im}}$.
# The categorical distribution gives the true class $c_i$ the probability $p_{i c_i}$, or, with the *one-hot* (独热) row $y_i$ that is 1 at $c_i$ and 0 elsewhere, $\prod_j p_{ij}^{\,y_{ij}}$. So
#
# $$L = -\frac1n \sum_{i=1}^{n} \sum_{j=1}^{k} y_{ij} \log p_{ij} = -\frac1n \sum_{i=1}^{n} \log p_{i c_i},$$
#
# *two* sums: over examples and over classes. The second form needs only the index $c_i$ (Keras' `SparseCategoricalCrossentropy`); the first also takes soft targets. With index labels or one-hot rows, the number is the same.

# %% tags=["nbval-check-output"]
def softmax(z):
    """Softmax along the last axis. z: (..., k) logits -> (..., k) probabilities."""
    # subtracting the row maximum keeps exp from overflowing (5.8)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class_rng = np.random.default_rng(5)
z, c = class_rng.normal(size=(6, 4)), class_rng.integers(0, 4, 6)
one_hot = np.eye(4)[c]  # (6, 4)
dense = -np.sum(one_hot * np.log(softmax(z))) / len(z)
sparse = -np.mean(np.log(softmax(z)[np.arange(len(z)), c]))
print(f"dense {dense:.6f}, sparse {sparse:.6f}")

column = np.zeros((50_000, 1), int)  # labels as some data sets deliver them
print("one-hot of a column of labels:", np.eye(10)[column].shape,
      " of a flat one:", np.eye(10)[column[:, 0]].shape)
tokens = 8 * 1024  # eight texts
print(f"{tokens:,} targets out of 50,257 tokens: one-hot, float32,"
      f" {tokens * 50_257 * 4 / 1e9:.1f} GB; indices, int32, {tokens * 4 / 1e3:.0f} kB")

# %% [markdown]
# Document 1, 5.2, trains on CIFAR-10 with one-hot rows and `categorical_crossentropy`: right, and integer labels with the sparse form are the same. Its labels come as a column (50000, 1): flatten them first, or `eye` makes a third axis of it (`to_categorical` flattens by itself).
# For a language model one-hot targets are out of the question.
#
# **Two classes: the same as 5.4.** Divide numerator and denominator of a two-class softmax by $e^{z_1}$: $\;p_1 = 1/(1 + e^{z_0 - z_1}) = \sigma(z_1 - z_0)$. One logit through a sigmoid is a softmax over $(0, z)$.

# %% tags=["nbval-check-output"]
pair_rng = np.random.default_rng(56)
z = pair_rng.normal(size=8) * 3
c = pair_rng.integers(0, 2, 8)
# 1 - σ(z) = σ(-z): the other class' probability, without a subtraction
by_sigmoid = -np.mean(c * np.log(sigmoid(z)) + (1 - c) * np.log(sigmoid(-z)))
pair_logits = np.stack([np.zeros(8), z], axis=1)  # (8, 2)
by_softmax = -np.mean(np.log(softmax(pair_logits)[np.arange(8), c]))
print(f"binary {by_sigmoid:.6f}, categorical {by_softmax:.6f};"
      f" equal to 1e-12: {abs(by_sigmoid - by_softmax) < 1e-12}")

# %% [markdown]
# **Several classes at once: not the same.** An image may show a beach *and* a dog. *Multi-class* (exactly one is true) takes a softmax; *multi-label* (any number is true) takes a sigmoid per label and the sum of $k$ binary cross-entropies, as for $k$ independent labels. (Keras takes their mean: every slope is then smaller by the factor $k$.)

# %% tags=["figure"]
#@title Figure: A softmax must share its 1, sigmoids need not
labels, in_image = ["beach", "dog", "sunset", "car"], np.array([1, 1, 0, 0])
scores = np.array([4.0, 4.0, -1.0, -3.0])
fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.1), sharey=True)
for ax, name, answer in zip(axes, ("softmax", "sigmoids"), (softmax, sigmoid)):
    shares = answer(scores)
    ax.bar(labels, shares, color=np.where(in_image, plotting.GREEN, plotting.GRAY))
    for i, value in enumerate(shares):
        ax.text(i, value + 0.02, f"{value:.2f}", ha="center", fontsize=9)
    ax.set(title=f"{name}: sum {shares.sum():.2f}", ylim=(0, 1.1))
    ax.grid(axis="x")
axes[0].set_ylabel("probability")
fig.suptitle("A softmax must share its 1, sigmoids need not", fontweight="bold")
plt.show()

# %% [markdown]
# The same four logits; green labels are true. The softmax must split its 1 between beach and dog and can never be surer than ½ of both; each sigmoid decides alone.
#
# **Choosing a loss.** Document 2, 3.3.3, Document 3, 3.2, and Document 5, 4.1, name MSE and cross-entropy and leave it there. The choice is the distribution of the target, and the last layer follows from it:
#
# | the target is | distribution | last layer | loss | slope at $z$ |
# |---|---|---|---|---|
# | a number, noise of one size | Gaussian | $\hat y = z$ | ½ MSE | $(\hat y - y)/n$ |
# | a number, with outliers | Laplace | $\hat y = z$ | MAE (or Huber) | its sign (or clipped) $/n$ |
# | yes or no; several labels | Bernoulli | $p = \sigma(z)$ | binary cross-entropy | $(p - y)/n$ |
# | one of $k$ classes | categorical | $p = \text{softmax}(z)$ | categorical cross-entropy | $(p - y)/n$ |
# | a count 0, 1, 2, … | Poisson | $\lambda = e^z$ | exercise 5.6 | exercise 5.6 |
#
# Laplace apart, the right column is no accident: each last layer fits its distribution so that the slope is simply *answer minus truth*. Notebook [[backpropagation]] derives the softmax one; here is the check.

# %% tags=["nbval-check-output"]
z, y = class_rng.normal(size=6), class_rng.normal(size=6)
yes = class_rng.integers(0, 2, 6)
Z, Y = class_rng.normal(size=(6, 4)), np.eye(4)[class_rng.integers(0, 4, 6)]
with_z = {
    "½ MSE": (z - y, lambda z: 0.5 * np.mean((z - y) ** 2), z),
    "binary": (sigmoid(z) - yes, lambda z: -np.mean(
        yes * np.log(sigmoid(z)) + (1 - yes) * np.log(sigmoid(-z))), z),
    "categorical": (softmax(Z) - Y, lambda Z: -np.sum(Y * np.log(softmax(Z))) / 6, Z),
}
for name, (difference, loss, at) in with_z.items():
    error = np.abs(difference / 6 - numerical_gradient(loss, at)).max()
    print(f"{name:12} slope is (answer - truth)/n to 1e-9: {error < 1e-9}")


# %% [markdown]
# ### Exercise 5.6 · your own loss: counts (8 min)
# Calls per hour, defects per wafer: a count $y = 0, 1, 2, \dots$ follows the Poisson distribution $p(y \mid \lambda) = \lambda^y e^{-\lambda} / y!$ with mean $\lambda > 0$. The network answers $\lambda = e^z$.
# Derive the mean negative log-likelihood in terms of $z$ and its slope. You may leave out what does not depend on $z$.

# %% tags=["exercise"]
def poisson_loss(y, z):
    """Mean Poisson negative log-likelihood, up to a constant, for mean exp(z).

    y: (n,) counts, z: (n,) -> loss (scalar), dL/dz (n,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("5.6", "a loss for counts"):
    for n_t in (1, 5, 8):
        rng_t = np.random.default_rng(n_t)
        y_t, (z_t, other_t) = rng_t.poisson(2, n_t), rng_t.normal(size=(2, n_t))
        factorials_t = np.array([np.prod(np.arange(1, count + 1)) for count in y_t])
        density_t = lambda z: np.exp(z) ** y_t * np.exp(-np.exp(z)) / factorials_t
        nll_t = lambda z: -np.mean(np.log(density_t(z)))
        got_t, grad_t = poisson_loss(y_t.copy(), z_t.copy())
        assert np.ndim(got_t) == 0, "the loss is one number"
        np.testing.assert_allclose(
            got_t - poisson_loss(y_t.copy(), other_t.copy())[0],
            nll_t(z_t) - nll_t(other_t), rtol=1e-5, atol=1e-6,
            err_msg="the loss, as a difference between two answers")
        np.testing.assert_allclose(grad_t, numerical_gradient(nll_t, z_t), rtol=1e-5,
                                   atol=1e-6, err_msg="dL/dz")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $-\log p = \lambda - y\log\lambda + \log y!$, and $\log \lambda = z$.
# </details>

# %% tags=["solution"]
#@title Solution 5.6 · runs only while yours does not pass
if not solved("5.6"):
    def poisson_loss(y, z):
        return np.mean(np.exp(z) - y * z), (np.exp(z) - y) / len(y)


# %% [markdown]
# <details><summary>About the solution</summary>
#
# $L = \frac1n\sum (e^{z_i} - y_i z_i) + \text{const}$, slope $(e^{z_i} - y_i)/n$: answer minus truth again.
# </details>

# %% [markdown]
# ## 5.7 Entropy, cross-entropy, KL divergence
#
# Why "entropy"? An event to which you gave the probability $r$ carries the *surprise* $-\log r$ (5.1, now in nats). Let $q$ be the true distribution of a symbol, $p$ the model's (many books name them the other way round), and take means over symbols drawn from $q$:
#
# $$\underbrace{H(q) = -\sum_j q_j \log q_j}_{\text{entropy (熵): mean surprise if you know } q}
# \qquad
# \underbrace{H(q, p) = -\sum_j q_j \log p_j}_{\text{cross-entropy: if you believe } p}
# \qquad
# \underbrace{D(q \,\|\, p) = \sum_j q_j \log \frac{q_j}{p_j} = H(q, p) - H(q)}_{\text{KL divergence (KL散度): the price of the wrong belief}}$$
#
# (with $0 \log 0 = 0$). **The price is never negative.** The curve $\log x$ lies below its tangent at 1, $\log x \le x - 1$, equal only at $x = 1$. Put in $x = p_j/q_j$ and sum where $q_j > 0$:
#
# $$-D(q \,\|\, p) = \sum_j q_j \log\frac{p_j}{q_j} \;\le\; \sum_j q_j \Big(\frac{p_j}{q_j} - 1\Big) = \sum_{j:\,q_j>0} p_j - 1 \;\le\; 0 .$$
#
# So $H(q, p) \ge H(q)$, with equality only for $p = q$: cross-entropy is proper for any number of classes. Training cannot touch $H(q)$, hence **minimizing cross-entropy is minimizing $D(\text{data} \,\|\, \text{model})$.**

# %%
def kl(q, p):
    """KL divergence D(q || p) in nats. q, p: (..., k) distributions -> (...)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(q > 0, q * np.log(q / p), 0).sum(axis=-1)


# %% tags=["nbval-check-output"]
kl_rng = np.random.default_rng(7)
q, p = kl_rng.dirichlet(np.ones(5), size=(2, 10_000))  # each (10,000, 5)
entropy, crossed = -np.sum(q * np.log(q), axis=1), -np.sum(q * np.log(p), axis=1)
print("10,000 pairs: smallest D(q||p) > 0:", kl(q, p).min() > 0)
apart = np.abs(crossed - entropy - kl(q, p)).max()
print("D = H(q, p) - H(q) to 1e-11:", apart < 1e-11)
print("D(q||p) ≠ D(p||q) in", np.sum(np.abs(kl(q, p) - kl(p, q)) > 1e-9), "pairs")
q, p = np.array([0.5, 0.5, 0.0]), np.array([0.9, 0.05, 0.05])
print(f"D(q||p) = {kl(q, p):.3f}, D(p||q) = {kl(p, q):.3f}")
for k in (2, 10, 50_257):
    print(f"knowing nothing about {k:6,} classes costs log k = {np.log(k):.3f} nats"
          f" = {np.log2(k):.3f} bits")

# %% tags=["figure"]
#@title Figure: The log lies below its tangent
x = np.linspace(0.05, 3, 200)
p = np.linspace(0.005, 0.995, 199)
models = np.stack([p, 1 - p], axis=1)
fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.2))
left.plot(x, x - 1, color=plotting.GRAY, label="$x - 1$")
left.plot(x, np.log(x), label=r"$\log x$")
left.set(title="The log lies below its tangent", xlabel="$x = p_j / q_j$")
truth = np.array([0.1, 0.9])
right.plot(p, kl(truth, models), label=r"forward $D$(truth‖model)")
right.plot(p, kl(models, truth), label=r"reverse $D$(model‖truth)")
right.axvline(0.1, color=plotting.GRAY, lw=1, ls="--")
right.set(title="KL is not symmetric", xlabel="model's $p_1$ (truth 0.1)",
          ylabel="nats")
for ax in (left, right):
    ax.legend()
plt.show()
print("at p = 0.005:", kl(truth, models)[0].round(3), kl(models, truth)[0].round(3),
      "  at p = 0.995:", kl(truth, models)[-1].round(3), kl(models, truth)[-1].round(3))

# %% [markdown]
# Both curves touch 0 at the truth and nowhere else. Towards $p_1 = 1$ the blue one, $D(\text{truth} \,\|\, \text{model})$, grows without bound: the model excludes the other class, which happens nine times in ten. The orange one stays finite.
# Where the *first* distribution puts mass and the second none, KL is infinite, as in the printed `inf` above; the reverse direction does not mind.
#
# Keep $\log k$ in mind: a fresh classifier's loss should start near it, 2.303 for ten classes. One-hot labels have $H(q) = 0$; if the labels themselves are uncertain, the loss on new data cannot fall below $H(q)$ on average, whatever the model.
#
# **What the direction does to a fit.** Let the truth have two bumps and the model be one Gaussian. Try all means and widths on a grid and keep the best of each direction.

# %% tags=["figure"]
#@title Figure: Forward covers both bumps, reverse picks one
x = np.linspace(-8, 8, 321)
step = x[1] - x[0]
bumps = 0.6 * gaussian_density(x, -2, 0.7) + 0.4 * gaussian_density(x, 2, 0.7)
truth = bumps * step  # (321,) sums to 1
centers, widths = np.meshgrid(np.linspace(-4, 4, 81), np.linspace(0.4, 4, 73))
models = gaussian_density(x, centers.reshape(-1, 1), widths.reshape(-1, 1)) * step
models += 1e-300  # keeps the log finite
forward, reverse = kl(truth, models), kl(models, truth)

fig, ax = plt.subplots(figsize=(6.6, 3.3))
ax.fill_between(x, bumps, color=plotting.GRAY, alpha=0.3, label="truth")
for name, score in ((r"forward $D$(truth‖model)", forward),
                    (r"reverse $D$(model‖truth)", reverse)):
    best = score.argmin()
    ax.plot(x, models[best] / step, label=name)
    print(f"{name[:7]}: mean {centers.flat[best]:.2f}, width {widths.flat[best]:.2f},"
          f" D = {score[best]:.3f} nats")
ax.set(title="Forward covers both bumps, reverse picks one", xlabel="$x$",
       ylabel="density", ylim=(0, 0.62))
ax.legend(loc="upper right")
plt.show()
mean = np.sum(truth * x)
print(f"mean and standard deviation of the truth: {mean:.2f},"
      f" {np.sqrt(np.sum(truth * (x - mean) ** 2)):.2f}")


# %% [markdown]
# Forward KL, which maximum likelihood minimizes, must not give any real example probability near zero. It ends on the truth's own mean and standard deviation (to the grid's 0.1 and 0.05) and puts its peak where hardly anything happens.
# Reverse KL only asks that what the model produces be plausible: it takes the larger bump and forgets the other. Averages that look like nothing (blurred images) against missing variety: you meet both again in generative models (notebook [[generative_models]]).

# %% [markdown]
# ## 5.8 Numbers that break: log-sum-exp
#
# The formula is $-\log\big(e^{z_c} / \sum_m e^{z_m}\big)$. Type it in just so and feed it logits of 1000, 0, −1000:

# %% tags=["nbval-check-output"]
def naive_loss(z, c):
    """-log softmax(z)[c], as written on paper. z: (k,) logits, c: class index."""
    e = np.exp(z)
    return -np.log(e[c] / e.sum())


def shifted_loss(z, c):
    """Softmax made safe by subtracting the maximum; then the log."""
    return -np.log(softmax(z)[c])


def log_sum_exp(z):
    """log of the sum of exp(z) along the last axis. z: (..., k) -> (...)."""
    m = z.max(axis=-1)
    terms = np.sort(np.exp(z - m[..., None]), axis=-1)  # the last, the largest, is 1
    return m + np.log1p(terms[..., :-1].sum(axis=-1))  # log1p(u) is log(1 + u)


def stable_loss(z, c):
    """log-sum-exp(z) - z[c], right for huge losses and for tiny ones."""
    if z[c] == -np.inf:
        return np.inf  # the true class is masked: its probability is 0
    return log_sum_exp(z - z[c])  # the same, without a difference of large numbers


with np.errstate(all="ignore"):
    for dtype in (np.float32, np.float64):
        z = np.array([1000, 0, -1000], dtype)
        for loss in (naive_loss, shifted_loss, stable_loss):
            values = [f"{loss(z, c) + 0:6.0f}" for c in range(3)]
            print(f"{dtype.__name__} {loss.__name__:13}", *values)

# %% [markdown]
# The true losses are 0, 1000, 2000. In the machine $e^{1000}$ is infinite and $\infty/\infty$ is `nan`. Subtracting the maximum first, as every softmax does, repairs class 0 only: the other probabilities round to 0 *before* the log sees them. Double precision helps neither. Algebra does. For any $m$
#
# $$\log \sum_j e^{z_j} = \log\Big(e^{m} \sum_j e^{z_j - m}\Big) = m + \log \sum_j e^{z_j - m}.$$
#
# Call this LSE$(z)$ and take $m = \max_j z_j$: the largest exponent is 0, so no term exceeds 1, the sum lies between 1 and $k$, and its log between 0 and $\log k$. With the true class $c$:
#
# $$\boxed{\; -\log p_c = \text{LSE}(z) - z_c \;}$$
#
# So much for huge losses. A *tiny* one needs care twice, and the code takes it:
#
# - One term of the sum, the maximum's own, is exactly 1, and $1 + 10^{-17}$ rounds to 1: the log would be 0. So the 1 stays out of the sum, and `np.log1p`, which is exact for tiny arguments, takes the rest.
# - $\text{LSE}(z) - z_c$ is a difference of two large numbers and loses the digits of a small one. $\text{LSE}(z - z_c)$ is the same number without that difference.
#
# The next cell checks large logits against NumPy's own two-term `logaddexp`, folded over the row. For the tiny losses it lets the true class lead by a growing gap.

# %% tags=["nbval-check-output"]
lse_rng = np.random.default_rng(8)
for scale in (1, 100, 10_000):
    z = lse_rng.normal(size=(200, 10)) * scale
    witness = np.logaddexp.reduce(z, axis=1)
    relative = np.abs(log_sum_exp(z) / witness - 1).max()
    print(f"logits of size {scale:6,}: agrees to 1e-12: {relative < 1e-12}")
print("\nfloat32, true loss    log of the whole sum   LSE(z) - z_c   LSE(z - z_c)")
for gap in (8, 15, 17, 40):
    z = np.array([10_000, 10_000 - gap], np.float32)
    whole = np.log(np.sum(np.exp(z - z[0])))
    difference = log_sum_exp(z) - z[0]
    print(f"gap {gap:2}   {np.log1p(np.exp(-gap)):10.3e} {whole:22.3e}"
          f" {difference:14.3e} {stable_loss(z, 0):14.3e}")

# %% tags=["evidence"]
#@title Evidence: the stable loss keeps its digits up to the smallest losses there are
for dtype, largest, bound in ((np.float32, 87, 1e-6), (np.float64, 700, 1e-12)):
    sure = np.linspace(1, largest, 1000).astype(dtype)
    tiny = np.array([stable_loss(np.array([gap, 0], dtype), 0) for gap in sure])
    exact = np.log1p(np.exp(-sure.astype(np.float64)))
    claim(f"{dtype.__name__}, largest relative error for gaps from 1 to {largest}",
          np.abs(tiny / exact - 1).max(), at_most=bound)


# %% [markdown]
# The plain logarithm of the whole sum loses its digits at a gap of 15 and is 0 from 17 on; the plain difference is 0 already at 8. Where does each naive step break in general? Found by bisection, and predicted:

# %%
def breaks_at(fine, dtype):
    """Largest z in [0, 1000] for which fine(z) still holds, by bisection."""
    low, high = dtype(0), dtype(1000)
    for _ in range(70):
        middle = dtype(low + (high - low) / 2)
        low, high = (middle, high) if fine(middle) else (low, middle)
    return low


def plain_sigmoid(z):
    return 1 / (1 + np.exp(-z))


for dtype in (np.float32, np.float64):
    info = np.finfo(dtype)
    # half the smallest number, in logs (in float64 it is not representable itself)
    tiniest = np.log(2) - np.log(float(info.smallest_subnormal))
    with np.errstate(all="ignore"):
        found = [breaks_at(lambda z: np.isfinite(np.exp(z)), dtype),
                 breaks_at(lambda z: np.exp(-z) > 0, dtype),
                 breaks_at(lambda z: np.isfinite(np.log(1 - plain_sigmoid(z))), dtype)]
    predicted = [np.log(float(info.max)), tiniest, np.log(2) - np.log(float(info.eps))]
    for what, at, formula in zip(("exp(z) overflows", "exp(-z) becomes 0",
                                  "log(1 - σ(z)) is -inf"), found, predicted):
        print(f"{dtype.__name__}  {what:22} beyond {at:8.3f}  predicted {formula:8.3f}")


# %% [markdown]
# Three limits, three causes. $e^z$ leaves the range at $\log(\text{largest number})$: 88.7 in float32. $e^{-z}$ becomes 0 below half the smallest number. And $\sigma(z)$ *rounds to exactly 1* as soon as $e^{-z} < \varepsilon/2$, with $\varepsilon$ the spacing of numbers at 1: **a logit of 17 is enough to break
# the binary formula in float32, 37 in float64.** No ±1000 is needed. (It is the rounding that made the whole sum above lose its tiny term.) Libraries that receive probabilities therefore need a guard: PyTorch cuts each logarithm off at −100, Keras clips the probabilities to $[10^{-7}, 1 - 10^{-7}]$. See what the clipping costs:

# %%
def clipped_loss(z):
    """-log(1 - p) in float32 with p clipped as Keras does for probabilities."""
    lowest, highest = np.float32(1e-7), np.float32(1 - 1e-7)
    p = np.clip(plain_sigmoid(z.astype(np.float32)), lowest, highest)
    return -np.log(1 - p)


at_100 = clipped_loss(np.array([100.0]))[0]
print(f"clipped at z = 100: loss {at_100:.2f} instead of 100")

# %% tags=["figure"]
#@title Figure: Clipped: no slope, no correction
sure = np.logspace(0, 3, 400)
sure32 = sure.astype(np.float32)
with np.errstate(all="ignore"):
    curves = {  # drawn from wide to narrow, so that none hides another
        "naive, float32": (-np.log(1 - plain_sigmoid(sure32)), plotting.PURPLE, 7),
        "naive, float64": (-np.log(1 - plain_sigmoid(sure)), plotting.GREEN, 4),
        "clipped, float32": (clipped_loss(sure), plotting.ORANGE, 2),
        "log-sum-exp, float32": (np.logaddexp(0, sure32), plotting.BLUE, 1.5),
    }
fig, axes = plt.subplots(1, 2, figsize=(9, 3.3))
for name, (loss, color, width) in curves.items():
    finite = np.isfinite(loss)
    axes[0].loglog(sure[finite], loss[finite], color=color, lw=width, label=name)
    if not finite.all():
        last = np.flatnonzero(finite)[-1]
        axes[0].plot(sure[last], loss[last], "X", color=color, ms=10, mec="white",
                     zorder=9)
# the slope of -log(1 - p) at z is p, and 0 where clipping holds p fixed
with np.errstate(over="ignore"):
    belief = plain_sigmoid(sure)
axes[1].semilogx(sure, np.where(belief < 1 - 1e-7, belief, 0), color=plotting.ORANGE)
axes[1].semilogx(sure, belief, color=plotting.BLUE, lw=1.5)
axes[0].set(title="Where each loss ends (cross: infinite from here)",
            xlabel="logit $z$, true answer no", ylabel="loss")
axes[1].set(title="Clipped: no slope, no correction", ylim=(-0.1, 1.2),
            xlabel="logit $z$, true answer no", ylabel="slope")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# A model that is sure and wrong should be pulled hardest. Naive code ends in `inf` at the crosses; clipped code goes flat near 16 with slope 0, so the worst mistakes stop teaching. Log-sum-exp follows the line to 1000 and beyond with slope 1.
# This is why Keras' losses have `from_logits=True`: **let the last layer be linear and hand the loss its logits** (5.13 shows the difference there).

# %% [markdown]
# ### Exercise 5.8 · binary cross-entropy from logits (10 min)
# Per example, from the logit: right to ten digits everywhere, both for losses of 1000 and for tiny ones. (For $y = 1$, $z = 40$ the loss is $4\cdot10^{-18}$, not 0.) No `inf`, no `nan`, no overflow warning. `np.log1p(u)` is $\log(1 + u)$, exact for tiny $u$.

# %% tags=["exercise"]
def bce_from_logits(y, z):
    """Binary cross-entropy of each example, from logits.

    y: (n,) labels 0 or 1, z: (n,) logits, float64 -> (n,) losses
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("5.8", "binary cross-entropy from logits"):
    z_t = np.array([-1000.0, -40, -3, -0.5, 0, 0.5, 3, 40, 1000])
    # log(1 + e^u): the loss for label 0 at u = z, and for label 1 at u = -z
    loss_t = np.array([
        0, 4.248354255291589e-18, 0.04858735157374206, 0.4740769841801067,
        0.6931471805599453, 0.9740769841801067, 3.048587351573742, 40, 1000])
    cases_t = {"label 0": (np.full(9, 0), z_t, loss_t),
               "label 1": (np.full(9, 1), z_t, loss_t[::-1]),
               "mixed labels": (np.array([0, 1, 0]), z_t[[6, 6, 3]], loss_t[[6, 2, 3]]),
               "one example": (np.array([1]), z_t[[1]], loss_t[[7]])}
    for name_t, (y_t, logits_t, wanted_t) in cases_t.items():
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            got_t = bce_from_logits(y_t.copy(), logits_t.copy())
        np.testing.assert_allclose(got_t, wanted_t, rtol=1e-10, err_msg=name_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# The loss is $\log(1 + e^{u})$ with $u = z$ for "no" and $u = -z$ for "yes". For $u > 0$ factor out the larger term: $\log(1 + e^u) = u + \log(1 + e^{-u})$. `np.where` computes both branches for every entry, so the unused one must not overflow either: in both cases the exponent is $-|u|$.
# </details>

# %% tags=["solution"]
#@title Solution 5.8 · runs only while yours does not pass
if not solved("5.8"):
    def bce_from_logits(y, z):
        u = np.where(y == 1, -z, z)
        return np.maximum(u, 0) + np.log1p(np.exp(-np.abs(u)))


# %% [markdown]
# <details><summary>About the solution</summary>
#
# It is the log-sum-exp of $(0, u)$: `log_sum_exp(np.stack([np.zeros(len(u)), u], axis=1))` with the function above, or `np.logaddexp(0, u)`, is the same.
# </details>

# %% [markdown]
# ## 5.9 Why the squared error learns slowly on probabilities
#
# The squared error of $p = \sigma(z)$ is proper (5.4). Why is it hardly used for training classifiers? Compare slopes at the logit. By the chain rule, with $\sigma'(z) = p(1 - p)$:
#
# $$\frac{\partial}{\partial z}(p - y)^2 = 2\,(p - y)\;p\,(1 - p),
# \qquad\text{cross-entropy:}\qquad p - y .$$
#
# For the label 1 and $z \to -\infty$ we have $p \approx e^z$, so the first is about $-2e^{z}$: the more wrong, the *weaker* the pull. With cross-entropy the logit moves at a speed of about 1 whatever its place, so it takes about 8 steps of size 1 to come back from $z = -8$. With the squared error it takes about $\tfrac12 e^8 \approx 1500$ of them.
#
# <details><summary>Where the ½ e⁸ comes from</summary>
#
# In small steps of size $\eta$ the logit moves at the speed $2e^z$ per unit of $\eta$, so a stretch $dz$ takes $\tfrac12 e^{-z}\,dz$ such units, and leaving $z_0 = -8$ takes $\int_{-8}^{\infty} \tfrac12 e^{-z}\,dz = \tfrac12 e^{8}$.
# </details>
# To be fair, the squared error gets a learning rate larger by the ratio of the largest slopes. They are 1 and $2\,(1 - p)^2 p$ at its highest point $p = \frac13$, that is 8/27: so $\eta = 1$ against 27/8.

# %%
def steps_to_learn(slope, start, eta):
    """Steps of size eta until an example with label 1 is believed at 0.9."""
    z, steps = start, 0
    while sigmoid(z) < 0.9:
        z, steps = z - eta * slope(z), steps + 1
    return steps


square_slope = lambda z: 2 * (sigmoid(z) - 1) * sigmoid(z) * (1 - sigmoid(z))
cross_slope = lambda z: sigmoid(z) - 1
grid = np.linspace(-8, 4, 241)
nudged = numerical_gradient(lambda z: np.mean((sigmoid(z) - 1) ** 2), grid) * len(grid)
starts = np.arange(-8.0, 2.0)
fig, axes = plt.subplots(1, 2, figsize=(8.6, 3.2))
for name, slope, eta in (("cross-entropy", cross_slope, 1.0),
                         ("squared error", square_slope, 27 / 8)):
    needed = [steps_to_learn(slope, start, eta) for start in starts]
    axes[0].plot(grid, slope(grid), label=name)
    axes[1].semilogy(starts, needed, "o-", label=f"{name}, η = {eta:.2f}")
    print(f"{name}: largest slope {np.abs(slope(grid)).max():.3f},"
          f" at z = -8 {slope(-8.0):.5f}")
    print(f"   steps from 0: {needed[8]}, from -7: {needed[1]}, from -8: {needed[0]}")
axes[0].set(title="Surely wrong: no pull", xlabel="logit $z$, label 1", ylabel="slope")
axes[1].set(title="Steps until it is right", xlabel="starting logit", ylabel="steps")
for ax in axes:
    ax.legend()
plt.show()
print(f"   η × steps from -8: {needed[0] * eta:.0f}, predicted ½ exp(8) ="
      f" {np.exp(8) / 2:.0f}")
difference = np.abs(square_slope(grid) - nudged).max()
print(f"slope of the squared error agrees with nudging to 1e-7: {difference < 1e-7}")


# %% [markdown]
# Near $z = 0$, where a fresh model starts, the two need the same number of steps; they differ where the model is surely wrong. From $z = -8$ cross-entropy needs 19 steps and the squared error 458, although its rate is over three times as large; one unit further out costs cross-entropy one more step and the squared error 2.6 times as many. Use the squared error of probabilities to *score* a classifier, and cross-entropy to train it.
# Its boundedness has one use: an example with a wrong label pulls only weakly. All this is about *probabilities*: the squared error between raw outputs $z$ and one-hot rows has no flat end, and has trained many deep classifiers about as well as cross-entropy (Hui and Belkin, below).

# %% [markdown]
# ## 5.10 Label smoothing: finite logits
#
# With one-hot labels the best logits are infinite whenever the model can get all training examples right: every step that widens the gaps between the true logits and the rest lowers the loss. (The ink reader of 5.5 cannot, so its loss came to rest.) *Label smoothing* (标签平滑) takes the share $\varepsilon$ away from the label and spreads it evenly over the $k$ classes:
#
# $$q_j = (1 - \varepsilon)\,[j = c] + \frac{\varepsilon}{k},$$
#
# where $[j = c]$ is 1 if $j$ is the true class $c$, else 0. The loss is $H(q, p) = H(q) + D(q\,\|\,p)$, so by 5.7 the best answer is $p = q$, and since $\log p_c - \log p_j = z_c - z_j$, the best gap is *finite*:
#
# $$z_c - z_j = \log \frac{1 - \varepsilon + \varepsilon/k}{\varepsilon/k} = \log\Big(1 + \frac{k(1 - \varepsilon)}{\varepsilon}\Big).$$
#
# Left, the loss of ten logits that are 0 except for $z_c$. Right, real training: a softmax regression (one layer, $Z = XW$, gradient $X^\top(P - Q)/n$) on 300 digits. Its gap is $\log p_c$ less the log of the other classes' mean probability, averaged over the images. Its steps carry momentum (notebook [[optimizers]]), only to save time.

# %%
def smooth(c, k, epsilon):
    """Smoothed targets. c: (n,) class indices -> (n, k)"""
    return (1 - epsilon) * np.eye(k)[c] + epsilon / k


def descend(X, Q, steps, eta=0.5, momentum=0.9):
    """Softmax regression by gradient descent, r runs side by side: W after each step.

    X: (r, n, d) inputs, Q: (r, n, k) target distributions, W: (r, d, k)
    """
    W = velocity = np.zeros((len(X), X.shape[2], Q.shape[2]))
    X_t = X.transpose(0, 2, 1).copy()
    for _ in range(steps):
        velocity = momentum * velocity - eta * X_t @ (softmax(X @ W) - Q) / X.shape[1]
        W = W + velocity
        yield W


def flatten(images):
    """(n, 8, 8) images -> (n, 65): pixels between 0 and 1, and a 1 for the bias."""
    pixels = images.reshape(len(images), -1) / 16
    return np.hstack([pixels, np.ones((len(images), 1))])


X_train, X_test = flatten(digits.x_train), flatten(digits.x_test)
y_train, y_test = digits.y_train, digits.y_test

# %%
GAP_STEPS = by_profile(quick=300, standard=3000, full=10_000)
gaps = np.linspace(0, 12, 241)
logits = np.zeros((len(gaps), 10))
logits[:, 0] = gaps
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
few, c = X_train[None, :300], y_train[:300]
watched = np.unique(np.logspace(0, np.log10(GAP_STEPS), 60).astype(int))
shown = {0: plotting.BLUE, 0.02: plotting.GREEN, 0.1: plotting.ORANGE}
for epsilon, color in shown.items():
    loss = log_sum_exp(logits) - logits @ smooth(np.array([0]), 10, epsilon)[0]
    left.plot(gaps, loss, color=color, label=f"ε = {epsilon}")
    measured = []
    for step, W in enumerate(descend(few, smooth(c, 10, epsilon)[None], GAP_STEPS), 1):
        if step in watched:
            p = softmax(few @ W)[0, np.arange(300), c]  # of the truth
            measured.append(np.mean(np.log(p) - np.log((1 - p) / 9)))
    right.semilogx(watched, measured, color=color)
    line = f"ε = {epsilon}: mean gap after {GAP_STEPS} steps {measured[-1]:.2f}"
    if epsilon:
        best = np.log(1 + 10 * (1 - epsilon) / epsilon)
        left.plot(best, np.interp(best, gaps, loss), "o", color=color)
        right.axhline(best, color=color, ls=":")
        line += f", best {best:.2f}; found on the grid {gaps[loss.argmin()]:.2f}"
    print(line)
left.set(title="A minimum at a finite gap", xlabel="gap $z_c - z_j$", ylabel="loss")
right.set(title="Training digits: where the gap goes", xlabel="step", ylabel="mean gap")
left.legend()
plt.show()


# %% [markdown]
# Without smoothing (blue) there is no end: the loss falls for ever and the gap on the training digits is still growing after the last step. With smoothing it levels off close to the dotted value.
# Note the floor: the smoothed loss cannot fall below $H(q)$. Never compare training losses of different $\varepsilon$.

# %% [markdown]
# ### Exercise 5.10 · smoothing inside the loss (10 min)
# Write the mean smoothed cross-entropy and its gradient with respect to the logits. They must survive logits of ±1000: use `log_sum_exp` and `softmax` from above, and no log of a probability. For $\varepsilon = 0$ it is the ordinary loss.
# A class may be *masked* by a logit of −∞ (a token that is not allowed, say). Where its target is 0 it costs nothing; with $\varepsilon > 0$ its target is $\varepsilon/k$, and the loss is infinite.

# %% tags=["exercise"]
def smoothed_cross_entropy(z, c, epsilon):
    """Mean cross-entropy against smoothed labels.

    z: (n, k) logits, -inf for a masked class, c: (n,) class indices,
    0 <= epsilon < 1
    -> loss (scalar), dL/dz (n, k)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("5.10", "smoothed cross-entropy"):
    for n_t, k_t, eps_t in ((5, 3, 0.1), (4, 6, 0.3), (3, 2, 0.0), (1, 4, 0.2)):
        rng_t = np.random.default_rng(k_t)
        z_t, c_t = rng_t.normal(size=(n_t, k_t)) * 2, rng_t.integers(0, k_t, n_t)
        mean_t = lambda z: -np.mean([
            (1 - eps_t) * row[label] + eps_t * row.mean()
            for row, label in zip(np.log(softmax(z)), c_t)])
        got_t, grad_t = smoothed_cross_entropy(z_t.copy(), c_t.copy(), eps_t)
        np.testing.assert_allclose(got_t, mean_t(z_t), rtol=1e-5,
                                   err_msg=f"loss, epsilon = {eps_t}")
        np.testing.assert_allclose(grad_t, numerical_gradient(mean_t, z_t), rtol=1e-5,
                                   atol=1e-6, err_msg=f"dL/dz, epsilon = {eps_t}")
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        got_t = smoothed_cross_entropy(
            np.array([[1000.0, 0, -1000, 0]]), np.array([2]), 0.2)[0]
    np.testing.assert_allclose(got_t, 1800, rtol=1e-5, err_msg="logits of ±1000")
    with np.errstate(invalid="ignore"):
        for eps_t, wanted_t in ((0, np.log(2)), (0.1, np.inf)):
            masked_t = np.array([[0, 0, -np.inf]])
            got_t, grad_t = smoothed_cross_entropy(masked_t, np.array([0]), eps_t)
            np.testing.assert_allclose(got_t, wanted_t, rtol=1e-5, err_msg=(
                f"loss with a masked class, epsilon = {eps_t} (0 × ∞ is nan)"))
            q_t = (1 - eps_t) * np.eye(3)[[0]] + eps_t / 3
            np.testing.assert_allclose(grad_t, [[0.5, 0.5, 0]] - q_t, rtol=1e-5,
                                       atol=1e-6, err_msg="dL/dz with a masked class")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $-\sum_j q_j \log p_j = \text{LSE}(z) - \sum_j q_j z_j$, because the $q_j$ sum to 1. (The plain difference, against which 5.8 warns, is good enough here: with $\varepsilon > 0$ the loss is at least $H(q)$, never tiny.) The slope is "answer minus truth", and the truth is now $q$.
#
# For a masked class `q * z` is `0 * -inf`, which is `nan`: leave out the terms with $q_j = 0$, for instance with `np.where`.
# </details>

# %% tags=["solution"]
#@title Solution 5.10 · runs only while yours does not pass
if not solved("5.10"):
    def smoothed_cross_entropy(z, c, epsilon):
        q = (1 - epsilon) * np.eye(z.shape[1])[c] + epsilon / z.shape[1]
        wanted = np.where(q > 0, z, 0)  # 0 * -inf would be nan
        loss = np.mean(log_sum_exp(z) - np.sum(q * wanted, axis=1))
        return loss, (softmax(z) - q) / len(z)


# %% [markdown]
# ## 5.11 Does smoothing make a model honest? Measure it
#
# A classifier is *calibrated* (校准) when of all answers given with confidence 0.8, 80 % are right. Smoothing is often said to calibrate. What it does by construction is lower confidence, and that should help exactly where confidence is too high. So test it in two places: 200 digits with their own labels, and the same with every fifth label
# replaced by a wrong one, as careless annotators would. Test labels stay right. And look at every length of training, for a model grows surer from step to step.
#
# One number sums it up. The *expected calibration error* (ECE) sorts the answers into ten bins by confidence, takes the distance between mean confidence and share right in each, and averages these distances, weighted by the bins' sizes; 0 is best, and notebook [[evaluation_metrics]] says what is wrong with it.

# %%
def reliability(p, c, bins=10):
    """Per bin of confidence: share of answers, mean confidence, share right.

    p: (n, k) probabilities, c: (n,) class indices -> (bins used, 3)
    """
    confidence, right = p.max(axis=1), p.argmax(axis=1) == c
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    members = [bin_of == b for b in np.unique(bin_of)]
    return np.array([(m.mean(), confidence[m].mean(), right[m].mean())
                     for m in members])


def ece(p, c):
    """Expected calibration error, ten bins."""
    share, confidence, right = reliability(p, c).T
    return np.sum(share * np.abs(confidence - right))


def draw(seed, wrong):
    """200 digits to train on and 200 held out; a share `wrong` has a wrong label.

    -> X (200, 65), c (200,), the same for those held out
    """
    draw_rng = np.random.default_rng(seed)
    chosen = draw_rng.permutation(len(y_train))[:400]
    c, flip = y_train[chosen].copy(), draw_rng.random(400) < wrong
    c[flip] = (c[flip] + draw_rng.integers(1, 10, flip.sum())) % 10
    return X_train[chosen[:200]], c[:200], X_train[chosen[200:]], c[200:]


# %%
SEEDS = by_profile(quick=3, standard=8, full=20)
STEPS = by_profile(quick=1000, standard=1000, full=3000)
WATCHED = [10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000, 3000]
EPSILONS = (0, 0.1, 0.3)
answers = {}  # (share wrong, epsilon, step) -> (seeds, n_test, 10) probabilities
held_out = {}  # the same -> (seeds,) mean loss on the other 200 digits
for wrong in (0.0, 0.2):
    X, c, X_held, c_held = map(np.array, zip(*(draw(s, wrong) for s in range(SEEDS))))
    for epsilon in EPSILONS:
        for step, W in enumerate(descend(X, smooth(c, 10, epsilon), STEPS), 1):
            if step in WATCHED:
                p = softmax(X_held @ W)
                right = np.take_along_axis(p, c_held[..., None], axis=-1)
                held_out[wrong, epsilon, step] = -np.log(right).mean(axis=(1, 2))
                answers[wrong, epsilon, step] = softmax(X_test @ W)
        learned = np.mean((X @ W).argmax(axis=-1) == c)
        print(f"{wrong:.0%} wrong labels, ε = {epsilon}: after {STEPS:,} steps"
              f" {learned:.1%} of the labels given are learned")

# %% tags=["figure"]
#@title Figure: After 1,000 steps ε = 0.1 suits wrong labels, not right ones
fig, axes = plt.subplots(1, 2, figsize=(8.8, 3.9), sharey=True)
for ax, wrong in zip(axes, (0.0, 0.2)):
    ax.plot([0, 1], [0, 1], color=plotting.GRAY, ls="--", lw=1, label="calibrated")
    for epsilon, color in zip(EPSILONS, plotting.PALETTE):
        pooled = np.concatenate(answers[wrong, epsilon, 1000])
        table = reliability(pooled, np.tile(y_test, SEEDS))
        table = table[table[:, 0] * len(pooled) >= 20]  # bins with 20 answers or more
        ax.plot(table[:, 1], table[:, 2], "o-", color=color, ms=4,
                label=f"ε = {epsilon}")
    ax.set(title=f"{wrong:.0%} of the training labels wrong", xlabel="confidence",
           xlim=(0, 1), ylim=(0, 1.02))
axes[0].set_ylabel("share right (test)")
axes[0].legend(loc="lower right")
fig.suptitle("After 1,000 steps ε = 0.1 suits wrong labels, not right ones",
             fontweight="bold")
plt.show()

# %%
for wrong in (0.0, 0.2):
    pooled = np.concatenate(answers[wrong, 0, 1000])
    share, confidence, right = reliability(pooled, np.tile(y_test, SEEDS))[-1]
    print(f"{wrong:.0%} wrong labels, ε = 0, step 1,000: the last bin holds"
          f" {share:.0%} of the answers, confidence {confidence:.3f},"
          f" right {right:.3f}")

# %% [markdown]
# Below the dashed diagonal a model is too sure of itself, above it too modest. With right labels the unsmoothed model (blue) is below it in the middle, but few answers are there: most are in the last bin, on the diagonal. Smoothing lifts the curve far above: too modest. With wrong labels the unsmoothed model, which has learned nearly all the labels it was given, wrong ones too, lies far below; $\varepsilon = 0.1$ lies near the diagonal and 0.3 far above it.
#
# So smoothing helps where labels are wrong? All this is the state after 1,000 steps. Smoothing cures overconfidence, and overconfidence takes time: the model has to learn the wrong labels first.
#
# **Predict.** One in five labels is wrong and training stops after 100 steps instead of 1,000. Does $\varepsilon = 0.1$ bring the calibration error down, or up?

# %%
def means(score, wrong, epsilon):
    """Mean over the draws of score(p, y_test) at the watched steps. -> steps, values"""
    steps = [step for step in WATCHED if step <= STEPS]
    return steps, [np.mean([score(p, y_test) for p in answers[wrong, epsilon, step]])
                   for step in steps]


def share_right(p, c):
    return np.mean(p.argmax(axis=1) == c)


def too_sure(p, c):
    """Mean confidence minus the share right: negative for a too modest model."""
    return p.max(axis=1).mean() - share_right(p, c)


for wrong in (0.0, 0.2):
    for epsilon in EPSILONS:
        steps, errors = means(ece, wrong, epsilon)
        _, excess = means(too_sure, wrong, epsilon)
        print(f"{wrong:3.0%} wrong, ε = {epsilon:3}, ECE (too sure by):", *(
            f"step {step} {errors[i]:.3f} ({excess[i]:+.2f}) "
            for i, step in enumerate(steps) if step in (20, 100, 300, 1000)))

# %% tags=["figure"]
#@title Figure: Smoothing helps only once wrong labels have been learned
fig, axes = plt.subplots(1, 2, figsize=(9, 3.9))
for wrong, style in ((0.0, "-"), (0.2, "--")):
    for epsilon, color in ((0, plotting.BLUE), (0.1, plotting.ORANGE)):
        name = f"{wrong:.0%} wrong, ε = {epsilon}"
        axes[0].semilogx(*means(ece, wrong, epsilon), style, marker="o", ms=3,
                         color=color, label=name)
        axes[1].semilogx(*means(share_right, wrong, epsilon), style, marker="o", ms=3,
                         color=color)
axes[0].set(xlabel="step at which training stops", ylabel="calibration error (ECE)",
            ylim=(0, None))
axes[1].set(xlabel="step at which training stops", ylabel="accuracy (test)")
axes[0].legend(fontsize=8)
fig.suptitle("Smoothing helps only once wrong labels have been learned",
             fontweight="bold")
plt.show()

# %%
steps = [step for step in WATCHED if step <= STEPS]
stopped = {}  # share of wrong labels -> accuracy of the models stopped early
for wrong in (0.0, 0.2):
    judged = np.array([held_out[wrong, 0, step] for step in steps])  # (steps, seeds)
    stops = [steps[i] for i in judged.argmin(axis=0)]
    early = [answers[wrong, 0, stop][seed] for seed, stop in enumerate(stops)]
    stopped[wrong] = np.mean([share_right(p, y_test) for p in early])
    print(f"{wrong:.0%} wrong, ε = 0, stopped at step {min(stops)} to {max(stops)}:"
          f" accuracy {stopped[wrong]:.3f},"
          f" ECE {np.mean([ece(p, y_test) for p in early]):.3f}")
    late = [answers[wrong, epsilon, 1000] for epsilon in (0, 0.3)]
    gain = np.array([share_right(b, y_test) - share_right(a, y_test)
                     for a, b in zip(*late)])
    print(f"   step 1,000, accuracy at ε = 0.3 minus at ε = 0, draw by draw:"
          f" {gain.mean():+.3f} ± {gain.std(ddof=1):.3f}")

# %% tags=["evidence"]
#@title Evidence: the sign of what smoothing does turns with the length of training
change = {(wrong, step): np.mean([
    ece(b, y_test) - ece(a, y_test)
    for a, b in zip(answers[wrong, 0, step], answers[wrong, 0.1, step])])
    for wrong in (0.0, 0.2) for step in steps}
claim("ECE at ε = 0.1 minus ECE at 0, 20% wrong labels, 100 steps",
      change[0.2, 100], at_least=0.03)
claim("ECE at ε = 0.1 minus ECE at 0, 20% wrong labels, 1,000 steps",
      change[0.2, 1000], at_most=-0.03)
claim("ECE at ε = 0.1 minus ECE at 0, right labels, smallest over the lengths",
      min(change[0.0, step] for step in steps), at_least=0.01)
best_late = max(means(share_right, 0.2, e)[1][steps.index(1000)] for e in EPSILONS)
claim("20% wrong labels: accuracy when stopped minus the best ε's at 1,000 steps",
      stopped[0.2] - best_late, at_least=0.05)

# %% [markdown]
# Up. After 100 steps with wrong labels the model is too modest even without smoothing: it has not learned the wrong labels yet. There $\varepsilon = 0.1$ makes the calibration *worse*, and it does so up to 300 steps; only from 500 steps on it makes it better. With right labels it makes the calibration worse at every length, for this model never grows much too sure.
#
# The accuracy says what to do first. With wrong labels it is highest after some 20 steps and falls from then on. Stop at the step with the lowest loss on 200 further digits, whose labels are as careless, and the unsmoothed model keeps an accuracy that no $\varepsilon$ has after 1,000 steps: *early stopping* is the baseline that smoothing has to beat (notebook [[training_deep_networks]]). It gives no calibrated model, though: after so few steps it is too modest, with right labels and with wrong ones.
#
# After 1,000 steps $\varepsilon = 0.3$ costs some points of accuracy with right labels and gains some with wrong ones (printed above). Every $\varepsilon$ got the same draws of 200 images, so the differences are taken draw by draw; draws differ more from each other than that.
# This is one small model on 200 images; on large networks, trained long, smoothing often helps both accuracy and calibration (Müller and others, below).
# So measure first: smoothing lowers confidence, and that is a cure only for overconfidence. Where you need probabilities you can bet on, check them on held-out data afterwards.

# %% [markdown]
# ## 5.12 Rare classes: weights and focal loss
#
# When one image in a hundred is positive, two changes to the loss are popular. *Class weights* count a positive $w$ times. *Focal loss* multiplies the cross-entropy by $(1 - p_c)^\gamma$, where $p_c$ is the probability of the truth, so that easy examples fade out. Both aim at learning; but they change what the loss *wants*. Where a share $q$ of cases is yes, the weighted loss is
#
# $$\ell(p) = -w\,q \log p - (1 - q) \log(1 - p)
# \qquad\Rightarrow\qquad
# p^\ast = \frac{wq}{wq + 1 - q},
# \qquad
# q = \frac{p^\ast}{p^\ast + w\,(1 - p^\ast)} .$$
#
# The formula on the right undoes it: from the answer $p^\ast$ it gives back the share $q$. For focal loss the minimum has to be searched on a grid, but there is a way back too:
#
# $$q = \frac{A(1 - p^\ast)}{A(p^\ast) + A(1 - p^\ast)}
# \qquad\text{with}\qquad
# A(p) = \frac{(1 - p)^\gamma}{p} - \gamma\,(1 - p)^{\gamma - 1} \log p .$$
#
# <details><summary>Where it comes from</summary>
#
# A yes costs $-(1 - p)^\gamma \log p$; call its slope $-A(p)$. A no costs the same with $1 - p$ for $p$, which turns the sign. So the mean loss has the slope $-q\,A(p) + (1 - q)\,A(1 - p)$, and that is 0 at $p^\ast$. Solve for $q$.
# </details>

# %%
shares, p = np.linspace(0.01, 0.99, 99), np.linspace(0.0005, 0.9995, 1000)
q = shares[:, None]
focal = -q * (1 - p) ** 2 * np.log(p) - (1 - q) * p**2 * np.log(1 - p)
weighted = -9 * q * np.log(p) - (1 - q) * np.log(1 - p)
wanted = {"cross-entropy": shares, "positives × 9": p[weighted.argmin(axis=1)],
          "focal, γ = 2": p[focal.argmin(axis=1)]}
fig, ax = plt.subplots(figsize=(5.4, 3.6))
for name, best in wanted.items():
    ax.plot(shares, best, label=name)
    print(f"{name:14} answers {best[9]:.2f} where 10 % are yes,"
          f" {best[89]:.2f} where 90 %")
ax.set(title="Weights and focal loss bend the probabilities",
       xlabel="true share of yes", ylabel="best answer $p^*$")
ax.legend()
plt.show()
formula = 9 * shares / (9 * shares + 1 - shares)
print(f"formula against grid: {np.abs(formula - wanted['positives × 9']).max():.4f}"
      f" (grid {p[1] - p[0]:.3f})")
pull = lambda p: (1 - p) ** 2 / p - 2 * (1 - p) * np.log(p)  # A(p), γ = 2
best = wanted["focal, γ = 2"]
undone = pull(1 - best) / (pull(best) + pull(1 - best))
print(f"focal loss undone: off by at most {np.abs(undone - shares).max():.4f}")

# %% [markdown]
# With weight 9 the loss *wants* the answer ½ where 10 % are yes; focal loss pulls every answer towards ½. Neither number is a probability until it is undone. On the ink reader of 5.1, with nine of ten eights removed:

# %%
keep = (is_eight == 0) | (np.cumsum(is_eight) % 10 == 0)
x, y = ink[keep], is_eight[keep]
plain = fit_reader(lambda p, y: p - y, x, y, steps=3000)[-1]
weight = np.where(y == 1, 9, 1)
heavy = fit_reader(lambda p, y: weight * (p - y), x, y, steps=3000, eta=5.0)[-1]
undone = heavy / (heavy + 9 * (1 - heavy))
for name, p in (("plain", plain), ("weight 9", heavy), ("weight 9, undone", undone)):
    print(f"{name:17} mean probability of 8: {p.mean():.3f}"
          f"   (share of 8s {y.mean():.3f})")
print(f"plain answers below 0.1: {np.mean(plain < 0.1):.0%}")


# %% [markdown]
# Unweighted, the mean probability equals the share (the bias's slope, $\sum (p - y)$, is 0 at the minimum). Weighted, it is half as large again, and the formula brings it back. (It is not ½, because the weight acts on each image's own $q$, and most images are clearly threes: from $q = 0.01$ it makes 0.08.) Weights change *which* mistakes the model prefers. A threshold other than ½ does that too, without touching the probabilities (notebook [[evaluation_metrics]]).

# %% [markdown]
# ### Exercise 5.12 · focal loss from logits (8 min)
# Write the focal loss of each example, $-(1 - p_c)^\gamma \log p_c$, from logits: finite and without an overflow warning at ±1000, and for $\gamma = 0$ the plain cross-entropy. `sigmoid` of 5.1 may help.

# %% tags=["exercise"]
def focal_loss(y, z, gamma):
    """Binary focal loss of each example, from logits.

    y: (n,) labels 0 or 1, z: (n,) logits, gamma >= 0 -> (n,) losses
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("5.12", "focal loss from logits"):
    z_t, y_t = np.array([-3.0, -0.5, 0.2, 2.0, 4.0]), np.array([1, 0, 1, 0, 1])
    p_t = np.where(y_t == 1, 1 / (1 + np.exp(-z_t)), 1 / (1 + np.exp(z_t)))
    for gamma_t in (0, 0.5, 2, 3):
        for some_t in (slice(None), slice(1)):  # all five, then one example
            np.testing.assert_allclose(
                focal_loss(y_t[some_t].copy(), z_t[some_t].copy(), gamma_t),
                (-((1 - p_t) ** gamma_t) * np.log(p_t))[some_t],
                rtol=1e-5, err_msg=f"gamma = {gamma_t}")
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        got_t = focal_loss(np.array([0, 0, 1, 1]),
                           np.array([-1000.0, 1000, -1000, 1000]), 2)
    np.testing.assert_allclose(got_t, [0, 1000, 1000, 0], rtol=1e-5, atol=1e-12,
                               err_msg="logits of ±1000")

# %% [markdown]
# <details><summary>Hint</summary>
#
# With $u = -z$ for $y = 1$ and $u = z$ for $y = 0$: $\;1 - p_c = \sigma(u)$ and $-\log p_c = \log(1 + e^u)$, which `np.logaddexp(0, u)` computes.
# </details>

# %% tags=["solution"]
#@title Solution 5.12 · runs only while yours does not pass
if not solved("5.12"):
    def focal_loss(y, z, gamma):
        u = np.where(y == 1, -z, z)
        return sigmoid(u) ** gamma * np.logaddexp(0, u)

# %% [markdown]
# ## 5.13 The same numbers from Keras
#
# Only now TensorFlow is imported. Each loss of this notebook and its slope, in float64, against Keras' own and `GradientTape`:

# %%
tf = devices.setup(seed=0)
import keras

# %% tags=["plumbing"]
#@title Plumbing: Keras' losses, each with our value and our slope
k_rng = np.random.default_rng(13)
n, k = 40, 6
y, y_hat = k_rng.normal(size=(2, n, 1)) * 2
e = y_hat - y
yes, z = k_rng.integers(0, 2, (n, 1)).astype(float), k_rng.normal(size=(n, 1)) * 4
c, Z = k_rng.integers(0, k, n), k_rng.normal(size=(n, k)) * 4
q, p = k_rng.dirichlet(np.ones(k), size=(2, n))
Q, P = smooth(c, k, 0.1), softmax(Z)
counts = k_rng.poisson(3, (n, 1)).astype(float)
lam = np.exp(k_rng.normal(size=(n, 1)))
yes_loss = np.logaddexp(0, np.where(yes == 1, -z, z))


def focal_mean(z):
    """Mean focal loss, gamma = 2, for the labels `yes`."""
    u = np.where(yes == 1, -z, z)
    return np.mean(sigmoid(u) ** 2 * np.logaddexp(0, u))


cases = [  # Keras' loss, its options, target, answer, our value, our slope
    (keras.losses.MeanSquaredError, {}, y, y_hat, np.mean(e**2), 2 * e / n),
    (keras.losses.MeanAbsoluteError, {}, y, y_hat, np.mean(np.abs(e)), np.sign(e) / n),
    (keras.losses.Huber, {}, y, y_hat, huber(e).mean(), np.clip(e, -1, 1) / n),
    (keras.losses.Poisson, {}, counts, lam, np.mean(lam - counts * np.log(lam)),
     (1 - counts / lam) / n),
    (keras.losses.KLDivergence, {}, q, p, kl(q, p).mean(), -q / p / n),
    (keras.losses.BinaryCrossentropy, {"from_logits": True}, yes, z, yes_loss.mean(),
     (sigmoid(z) - yes) / n),
    (keras.losses.CategoricalCrossentropy, {"from_logits": True}, np.eye(k)[c], Z,
     np.mean(log_sum_exp(Z) - Z[np.arange(n), c]), (P - np.eye(k)[c]) / n),
    (keras.losses.SparseCategoricalCrossentropy, {"from_logits": True}, c, Z,
     np.mean(log_sum_exp(Z) - Z[np.arange(n), c]), (P - np.eye(k)[c]) / n),
    (keras.losses.CategoricalCrossentropy,
     {"from_logits": True, "label_smoothing": 0.1}, np.eye(k)[c], Z,
     np.mean(log_sum_exp(Z) - np.sum(Q * Z, axis=1)), (P - Q) / n),
    (keras.losses.BinaryFocalCrossentropy, {"from_logits": True}, yes, z,
     focal_mean(z), numerical_gradient(focal_mean, z)),
]

# %% tags=["evidence"]
#@title Evidence: largest difference of a loss from Keras
differences = []
for make, options, target, answer, ours, slope in cases:
    variable = tf.Variable(answer)
    with tf.GradientTape() as tape:
        value = make(dtype="float64", **options)(target, variable)
    gradient = tape.gradient(value, variable).numpy()
    differences.append((abs(value.numpy() - ours), np.abs(gradient - slope).max()))
    smoothed = ", smoothed" if "label_smoothing" in options else ""
    print(f"{make.__name__ + smoothed:40} differ by less than 1e-5:"
          f" {max(differences[-1]) < 1e-5}")
worst = np.array(differences).max(axis=0)
claim("largest difference of a loss from Keras", worst[0], at_most=1e-5)
claim("largest difference of a slope from Keras", worst[1], at_most=1e-5)

# %% [markdown]
# And 5.8 in Keras: three sure and wrong answers in float32, as probabilities and as logits. The true losses are the logits (to 0.00005), the true slopes 1.

# %%
sure = tf.Variable(np.array([[10.0], [20.0], [1000.0]], np.float32))
no = np.zeros((3, 1), np.float32)
squash = keras.activations.sigmoid
ways = {"probabilities": (False, squash),
        "probabilities, times 1": (False, lambda z: squash(z) * 1),
        "logits": (True, lambda z: z)}
for name, (from_logits, last_layer) in ways.items():
    each = keras.losses.BinaryCrossentropy(from_logits=from_logits, reduction="none")
    with tf.GradientTape() as tape:
        value = each(no, last_layer(sure))
    slopes = tape.gradient(value, sure).numpy()[:, 0]
    print(f"{name:22} loss {value.numpy().round(2)}  slope {slopes.round(2)}")

# %% [markdown]
# Probabilities straight from Keras' own sigmoid do well, because Keras, with TensorFlow as its backend, goes back to the logits they were made from (its JAX and PyTorch backends don't). A mere "times 1" in between ends that: the loss stops near 16 and the slope is 0 from a logit of 20 on. Rely on `from_logits=True`.

# %% [markdown]
# ## 5.14 Where it breaks
#
# - **A likelihood is an assumption.** Examples that depend on each other (frames of one video) are counted as if independent; noise of varying size, forced into one $\sigma$, lets the noisy region dominate (exercise 5.2 is the way out).
# - **Cross-entropy trusts every label.** One wrong label may cost any amount, and a model that is trained to the end learns it by heart, even one with 650 weights (5.11); then its training loss is small and it hides. Look for labeling errors among the examples of highest loss under a model that was *not* trained on them.
# - **Losses are not comparable** between targets: between $\varepsilon$'s, weights, units, vocabularies, a mean over the batch and a sum. Report a metric instead.
# - **The loss is not the goal.** A false alarm and a missed tumor cost the same in cross-entropy; prices enter by weights, by a threshold, or by a pinball loss.
#
# **What a product team should ask.** Which statistic of the future do we need: mean, median, a high quantile, a probability? What does a mistake in each direction cost, in money? Do our probabilities mean what they say on held-out data, *after* weights, focal loss or smoothing?
# Does training take logits? What would "always the most frequent answer" score on the same loss?

# %% [markdown]
# ## Summary
#
# 1. The common losses are mean negative log-likelihoods: Gaussian gives MSE (wants the mean), Laplace MAE (the median), Bernoulli and categorical give cross-entropy (the probability).
# 2. With the last layer that fits, the slope at $z$ is answer minus truth, divided by $n$.
# 3. Cross-entropy = entropy + KL; KL is never negative, zero only for equal distributions, and not symmetric: maximum likelihood minimizes the forward one, which covers everything.
# 4. Compute from logits: $-\log p_c = \text{LSE}(z) - z_c$. Probabilities break at a logit of 17 in float32.
# 5. Smoothing makes the best logits finite and lowers confidence, which helps only where the model was trained into overconfidence; weights and focal loss bend probabilities. Measure calibration after each.
#
# | key formula | |
# |---|---|
# | $L = -\frac1n\sum_i \log p(y_i \mid \hat y_i)$ | squared and absolute error, both cross-entropies, counts |
# | $-\frac1n\sum_i [y_i\log p_i + (1 - y_i)\log(1 - p_i)]$ | binary: $y, p$ $(n,)$ |
# | $-\frac1n\sum_i\sum_j y_{ij}\log p_{ij}$ | categorical: $Y, P$ $(n, k)$ |
# | $D(q\,\|\,p) = H(q, p) - H(q) \ge 0$ | price of a wrong belief |
# | $\text{LSE}(z) = m + \log\sum_j e^{z_j - m}$, $\;m = \max_j z_j$ | never overflows |
# | $z_c - z_j = \log(1 + k(1 - \varepsilon)/\varepsilon)$ | best gap under smoothing |
#
# ### Further reading
# - C. M. Bishop (2006). *Pattern Recognition and Machine Learning*, sections 1.6, 4.3 and 10.1. Springer. Likelihoods, fitting last layers, forward and reverse KL.
# - I. Goodfellow, Y. Bengio, A. Courville (2016). *Deep Learning*, sections 3.13, 4.1 and 6.2. MIT Press.
# - P. J. Huber (1964). Robust estimation of a location parameter. *Annals of Mathematical Statistics* 35, 73–101.
# - C. E. Shannon (1948). A mathematical theory of communication. *Bell System Technical Journal* 27, 379–423 and 623–656.
# - S. Kullback, R. A. Leibler (1951). On information and sufficiency. *Annals of Mathematical Statistics* 22, 79–86.
# - C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna (2016). Rethinking the Inception architecture for computer vision. *CVPR*. Section 7 introduces label smoothing.
# - R. Müller, S. Kornblith, G. Hinton (2019). When does label smoothing help? *NeurIPS*.
# - T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár (2017). Focal loss for dense object detection. *ICCV*.
# - L. Hui, M. Belkin (2021). Evaluation of neural architectures trained with square loss vs cross-entropy in classification tasks. *ICLR*.
#
# **Next:** notebook [[backpropagation]], backpropagation. The slope at the last layer is answer minus truth; how does it reach the weights of the first?
