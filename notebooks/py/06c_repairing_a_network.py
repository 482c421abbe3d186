# ---
# jupyter:
#   course:
#     datasets: []
#     covers: "A widely copied training script repaired bug by bug: three that stop it, one that lies first, two that no error message shows; then it learns XOR."
#     prerequisites: [backpropagation]
#     ledger: [D3-4.3-a, D3-4.3-b, D3-4.3-c, D3-4.3-d, D3-4.3-e, D3-4.3-f,
#       D3-4.3-g, D3-4.3-h, D3-4.3-i, D3-4.3-j]
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
# # Repairing a network
#
# Your digit reader learns, by your backward pass ([[backpropagation]]) and by the machine's ([[automatic_differentiation]]). What fails: neither tells you when the code *around* it is wrong.
#
# Here a training script that has been copied many times stops with an error. You repair it, and it stops with the next one. When it stops complaining, is it right?
# We leave the digits for one notebook, because this script has only two inputs, and you can see every number.
#
# **You will be able to**
# - predict which error a wrong shape causes, and where it shows;
# - make a loss refuse what NumPy would silently broadcast;
# - find with a gradient check what no error message tells;
# - say what is still missing when every line is right;
# - write the repaired training step and judge it by baselines.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from course_utils import by_profile, check, claim, plotting, profile, solved
from course_utils.lessons.backpropagation import numerical_gradient, sigmoid

plotting.use_style()

# %% [markdown]
# ## 6c.1 What stops it first?
#
# Two questions from notebook [[backpropagation]]:
#
# <details><summary>For Z = X W + b with δ = ∂L/∂Z of shape (100, 3): what is ∂L/∂b, and its shape?</summary>
#
# The sum of δ over the rows, shape (3,): every example uses the bias, and uses add.
# </details>
#
# <details><summary>What is the gradient of the mean cross-entropy at the scores?</summary>
#
# Probabilities minus truth, divided by the number of rows. For one sigmoid output: (p − y)/n.
# </details>
#
# The script (from a widely copied article, Document 3, 4.3; titles in notebook [[start_here]]) trains a network with two inputs, three hidden sigmoid units and one sigmoid output: $2\cdot3 + 3 + 3\cdot1 + 1 = 13$ parameters. It has 100 points with labels 0 or 1, 1,000 steps at rate 0.01, and a plot. Here it is in our own lines, same sizes, same mistakes; only the seed is ours.

# %%
def script_start():
    """Parameters and data as in the script: everything uniform between 0 and 1."""
    rng = np.random.default_rng(10)
    params = [rng.random(shape) for shape in ((2, 3), (3,), (3, 1), (1,))]
    return params, rng.random((100, 2)), rng.integers(0, 2, 100)


(W1, b1, W2, b2), points, labels = script_start()


# %%
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


# %%
def script():
    for step in range(1000):
        y_pred = predict(points)
        loss = loss_of(labels, y_pred)
        for param, grad in zip((W1, b1, W2, b2), gradients_of(points, labels, y_pred)):
            param -= 0.01 * grad
    plt.scatter(y_pred[y_pred == 0, 0], y_pred[y_pred == 0, 1])
    plt.scatter(y_pred[y_pred == 1, 0], y_pred[y_pred == 1, 1])


# %% tags=["plumbing"]
#@title Plumbing: print an error instead of stopping, and compare arrays in the checks
def attempt(action):
    """Call action(); print the error that stops it, if any, and go on."""
    try:
        return action()
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


def assert_same(names, got, expected):
    """Assert equal shapes and values, and name the one that differs."""
    assert isinstance(got, list | tuple), f"return {len(expected)} arrays: {names}"
    assert len(got) == len(expected), f"{len(got)} results, {len(expected)} expected"
    for name, ours, right in zip(names.split(), got, expected):
        shape = np.shape(ours)
        assert shape == right.shape, f"{name} has shape {shape}, not {right.shape}"
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-6, err_msg=name)


# %% [markdown]
# Read it once. There are six bugs, and the first ones hide the others.
#
# **Predict.** Which comes first: (a) a `NameError`, (b) a `ValueError` about shapes, or (c) a plot?

# %% tags=["nbval-check-output"]
attempt(script)

# %% [markdown]
# **Bug 1.** `a1` lives inside `predict` and is gone when it returns. The backward pass needs what the forward pass computed, so the forward pass must hand it over.
#
# ### Exercise 6c.1 · keep what the backward pass needs (3 min)
# Write a forward pass that takes its parameters as arguments and returns both activations.

# %% tags=["exercise"]
def forward_keeping(x, W1, b1, W2, b2):
    """x: (n, 2) -> hidden activations (n, 3), predictions (n, 1)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6c.1", "keep what the backward pass needs"):
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
#@title Solution 6c.1 · runs only while yours does not pass
if not solved("6c.1"):
    def forward_keeping(x, W1, b1, W2, b2):
        hidden = sigmoid(x @ W1 + b1)          # (n, 3)
        return hidden, sigmoid(hidden @ W2 + b2)


# %% [markdown]
# ## 6c.2 What does the next run say?
#
# The same gradients, with everything passed as arguments. One step again, with your forward pass in it:

# %%
def gradients_2(params, x, y, hidden, y_pred):
    d_z2 = y_pred - y
    d_z1 = (d_z2 @ params[2].T) * hidden * (1 - hidden)
    return x.T @ d_z1, d_z1, hidden.T @ d_z2, d_z2


# %% [markdown]
# **Predict.** (a) The loss prints and the gradients work. (b) The loss prints and the gradients fail. (c) The loss fails already.

# %% tags=["nbval-check-output"]
params, points, labels = script_start()
hidden, y_pred = forward_keeping(points, *params)
print(f"loss {loss_of(labels, y_pred):.5f}")
attempt(lambda: gradients_2(params, points, labels, hidden, y_pred))

# %% [markdown]
# (b). A loss appears, so it looks fine; then a matrix product fails. **The error names the victim, not the culprit.** Look at the shapes one line earlier.
#
# **Predict.** Predictions have shape (100, 1), labels (100,). Their difference has shape (100,), (100, 1) or (100, 100)?

# %% tags=["nbval-check-output"]
print("difference", (y_pred - labels).shape)
print(f"loss over all pairs {loss_of(labels, y_pred):.5f},"
      f" over examples {loss_of(labels.reshape(-1, 1), y_pred):.5f}")

# %% [markdown]
# **Bug 2.** NumPy broadcasts to (100, 100): every prediction against every label, ten thousand pairs, *without an error*. The printed loss is plausible, and wrong in the fourth decimal. Here a later product happens to fail. An accuracy computed in the same way raises no error at all.
#
# ### Exercise 6c.2 · a column, and a loss that refuses (6 min)
# Turn the labels into a float column. And write the half mean squared error so that it raises `ValueError` unless both shapes are equal.

# %% tags=["exercise"]
def as_column(labels):
    """labels: (n,) integers -> (n, 1) float64"""
    raise NotImplementedError("your turn")


def strict_loss(y, y_pred):
    """Half mean squared error. y, y_pred: arrays of equal shapes, else ValueError"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6c.2", "a column, and a loss that refuses"):
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
#@title Solution 6c.2 · runs only while yours does not pass
if not solved("6c.2"):
    def as_column(labels):
        return labels.reshape(-1, 1).astype(np.float64)


    def strict_loss(y, y_pred):
        if y.shape != y_pred.shape:
            raise ValueError(f"labels {y.shape} and predictions {y_pred.shape} differ")
        return 0.5 * np.mean((y - y_pred) ** 2)


# %% [markdown]
# ## 6c.3 Where does the update stop?
#
# With your column the gradients are computed. The update is next:

# %%
def descend(params, grads, rate=0.01):
    for param, grad in zip(params, grads):
        param -= rate * grad


# %% [markdown]
# **Predict.** Four updates: $W_1$ (2, 3), $b_1$ (3,), $W_2$ (3, 1), $b_2$ (1,). At which of them does it stop, if at all?

# %% tags=["nbval-check-output"]
params, points, labels = script_start()
y = as_column(labels)
hidden, y_pred = forward_keeping(points, *params)
attempt(lambda: descend(params, gradients_2(params, points, y, hidden, y_pred)))
print("W1 is still as it was:", np.array_equal(params[0], script_start()[0][0]))

# %% [markdown]
# **Bug 3.** At $b_1$: its gradient has one row per example. And $W_1$ was changed before the error: after a step that failed halfway, start again from the beginning, or you debug another network.
#
# ### Exercise 6c.3 · gradients with the shapes of their parameters (3 min)
# Write the gradients so that each has its parameter's shape. Leave everything else as it is: `d_z2 = y_pred - y`, sums, no means.

# %% tags=["exercise"]
def backward_shaped(params, x, y, hidden, y_pred):
    """params: [W1, b1, W2, b2] -> their gradients, same shapes, batch sums"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6c.3", "gradients with the shapes of their parameters"):
    for n_t in (6, 1):
        rng_t = np.random.default_rng(63)
        theta_t = [rng_t.normal(size=shape) for shape in ((2, 3), (3,), (3, 1), (1,))]
        x_t, y_t = rng_t.normal(size=(n_t, 2)), rng_t.random((n_t, 1))
        h_t = sigmoid(x_t @ theta_t[0] + theta_t[1])
        p_t = sigmoid(h_t @ theta_t[2] + theta_t[3])
        each_t = [gradients_2(theta_t, *(a[i:i + 1] for a in (x_t, y_t, h_t, p_t)))
                  for i in range(n_t)]
        wanted_t = [sum(g).reshape(p.shape) for g, p in zip(zip(*each_t), theta_t)]
        got_t = backward_shaped([p.copy() for p in theta_t], x_t.copy(), y_t.copy(),
                                h_t.copy(), p_t.copy())
        assert_same("d_W1 d_b1 d_W2 d_b2", got_t, wanted_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `gradients_2`, with `.sum(axis=0)` on the second and fourth result.
# </details>

# %% tags=["solution"]
#@title Solution 6c.3 · runs only while yours does not pass
if not solved("6c.3"):
    def backward_shaped(params, x, y, hidden, y_pred):
        d_z2 = y_pred - y                                      # (n, 1)
        d_z1 = (d_z2 @ params[2].T) * hidden * (1 - hidden)    # (n, 3)
        return x.T @ d_z1, d_z1.sum(axis=0), hidden.T @ d_z2, d_z2.sum(axis=0)


# %% [markdown]
# ## 6c.4 It trains. What does it answer?
#
# All 1,000 steps run now. The plot picks the points that were predicted 0, with `y_pred[y_pred == 0, 0]`.
#
# **Predict.** How many of the 100 predictions are exactly 0 or exactly 1: all, some, or none?

# %% tags=["nbval-check-output"]
params, points, labels = script_start()
for _ in range(1000):
    hidden, y_pred = forward_keeping(points, *params)
    descend(params, backward_shaped(params, points, y, hidden, y_pred))
attempt(lambda: y_pred[y_pred == 0, 0])
print(f"predictions from {y_pred.min():.3f} to {y_pred.max():.3f},"
      f" exactly 0 or 1: {np.sum((y_pred == 0) | (y_pred == 1))}")

# %% [markdown]
# **Bug 4.** None: a sigmoid is exactly 1 only by rounding, from $z \approx 37$ on, and exactly 0 only below about −745. Three mistakes share this line. `y_pred == 0` has two axes and already stands for both indices; the `, 0` asks for a third. It compares a probability with a class. And it would draw *predictions* as coordinates instead of the points. (All predictions lie below one half. Remember that for 6c.6.)
#
# ### Exercise 6c.4 · from probabilities to classes (3 min)
# Exactly 0.5 counts as class 0.

# %% tags=["exercise"]
def predicted_class(y_pred):
    """1 where the probability is above 0.5, else 0. y_pred: (n, 1) -> (n,) integers"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6c.4", "from probabilities to classes"):
    got_t = np.asarray(predicted_class(np.array([[0.1], [0.5], [0.500001], [1.0]])))
    assert got_t.shape == (4,), f"shape {got_t.shape}, not (4,)"
    assert np.issubdtype(got_t.dtype, np.integer), f"dtype {got_t.dtype}, not integer"
    np.testing.assert_array_equal(got_t, [0, 0, 1, 1])
    one_t = np.asarray(predicted_class(np.array([[0.97]])))
    assert one_t.shape == (1,) and one_t[0] == 1, f"one row: {one_t}, not [1]"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Compare with 0.5, turn truth values into integers, and flatten with `ravel()`.
# </details>

# %% tags=["solution"]
#@title Solution 6c.4 · runs only while yours does not pass
if not solved("6c.4"):
    def predicted_class(y_pred):
        above = y_pred.ravel() > 0.5           # (n,)
        return above.astype(int)


# %% [markdown]
# Nothing raises an error any more. Most people would stop here.

# %% [markdown]
# ## 6c.5 Does it descend the loss that it prints?
#
# A script that runs is not a script that is right. Thirteen parameters: nudge every one, where the training has ended, and compare the script's gradient with two losses.

# %% tags=["plumbing"]
#@title Plumbing: unpack(theta), 13 numbers as four arrays
def unpack(theta):
    """theta: (13,) -> [W1 (2, 3), b1 (3,), W2 (3, 1), b2 (1,)]"""
    return [theta[:6].reshape(2, 3), theta[6:9], theta[9:12].reshape(3, 1), theta[12:]]


# %%
def half_mse(theta):                           # the loss that the script prints
    return strict_loss(y, forward_keeping(points, *unpack(theta))[1])


def mean_bce(theta):                           # mean binary cross-entropy
    p = forward_keeping(points, *unpack(theta))[1]
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


# %% [markdown]
# **Predict.** Script's gradient divided by the nudged gradient of the printed loss: (a) 1 everywhere, (b) one other number everywhere, or (c) a different number for each parameter, perhaps with another sign?

# %% tags=["nbval-check-output"]
theta = np.concatenate([param.ravel() for param in params])            # (13,)
activations = forward_keeping(points, *unpack(theta))
grads = backward_shaped(unpack(theta), points, y, *activations)
script_gradient = np.concatenate([g.ravel() for g in grads])
for name, loss in (("half squared error", half_mse), ("mean cross-entropy", mean_bce)):
    ratio = script_gradient / numerical_gradient(loss, theta)
    print(f"{name}: script / nudged from {ratio.min():.1f} to {ratio.max():.1f}")

# %% tags=["figure"]
#@title Figure: The script descends a loss that it never prints
fig, ax = plt.subplots(figsize=(6.4, 3))
for name, loss in (("half squared error (printed)", half_mse),
                   ("mean cross-entropy", mean_bce)):
    ratio = script_gradient / numerical_gradient(loss, theta)
    ax.plot(range(1, 14), ratio, "o", label=name)
ax.set(title="The script descends a loss that it never prints", xlabel="parameter",
       ylabel="script's gradient / nudged", xticks=range(1, 14))
ax.axhline(0, color=plotting.GRAY, lw=1)
ax.legend(loc="lower left")
plt.show()

# %% [markdown]
# **Bug 5.** (c): it doesn't descend the printed loss; for one parameter even the sign is wrong. Against cross-entropy all thirteen ratios are 100.0: the script descends the *sum* of the cross-entropy over 100 examples. So it trains on a loss that nobody watches, at a hundred times the rate it states.
#
# ### Exercise 6c.5 · a loss and the gradient that belongs to it (9 min)
# Per row the binary cross-entropy is $\log(1 + e^z) - y z$ with the score $z$: for $y = 0$ that is $-\log(1 - \sigma(z))$, for $y = 1$ it is $-\log\sigma(z)$. Return its *mean*, and δ, the gradient of the mean, $(n, 1)$. Scores of ±800 must work: `np.logaddexp(0, z)` is $\log(1 + e^z)$ without overflow.

# %% tags=["exercise"]
def bce_and_delta(z, y):
    """z, y: (n, 1), y 0 or 1 -> mean cross-entropy (a number), its gradient (n, 1)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6c.5", "a loss and the gradient that belongs to it"):
    for n_t in (4, 9, 1):
        rng_t = np.random.default_rng(n_t)
        z_t, y_t = rng_t.normal(size=(n_t, 1)), 1.0 * rng_t.integers(0, 2, (n_t, 1))
        mean_t = lambda z: -np.mean(np.log(np.where(
            y_t == 1, 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(z)))))
        loss_t, delta_t = bce_and_delta(z_t.copy(), y_t.copy())
        assert np.shape(loss_t) == (), f"loss of shape {np.shape(loss_t)}, not a number"
        np.testing.assert_allclose(loss_t, mean_t(z_t), rtol=1e-5, err_msg="loss")
        assert_same("delta", [delta_t], [numerical_gradient(mean_t, z_t)])
    far_t = bce_and_delta(np.array([[800.0], [-800.0]]), np.array([[0.0], [1.0]]))
    np.testing.assert_allclose(far_t[0], 800, rtol=1e-5, err_msg="large scores")
    np.testing.assert_allclose(far_t[1], [[0.5], [-0.5]], err_msg="large scores")

# %% [markdown]
# <details><summary>Hint</summary>
#
# The slope of $\log(1 + e^z)$ is $\sigma(z)$, that of $yz$ is $y$; then think of what the mean does.
# </details>

# %% tags=["solution"]
#@title Solution 6c.5 · runs only while yours does not pass
if not solved("6c.5"):
    def bce_and_delta(z, y):
        loss = np.mean(np.logaddexp(0, z) - y * z)
        delta = (sigmoid(z) - y) / len(z)      # (n, 1)
        return loss, delta


# %% [markdown]
# ## 6c.6 Every line is right. Does it learn?
#
# Now assemble the repaired script. It is all of notebook [[backpropagation]] in eight lines.
#
# ### Exercise 6c.6a · the repaired step (8 min)
# Forward, loss, backward, update, for any number $h$ of hidden units. `bce_and_delta` wants the scores, `hidden @ W2 + b2`, and its δ is already divided by $n$. Change the four arrays in place.

# %% tags=["exercise"]
def train_step(params, X, y, rate):
    """One step of descent on the mean cross-entropy; changes params in place.

    params: [W1 (2, h), b1 (h,), W2 (h, 1), b2 (1,)], X: (n, 2), y: (n, 1)
    -> the loss before the step
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6c.6a", "the repaired step"):
    for n_t, h_t, rate_t in ((6, 3, 0.5), (1, 4, 2.0)):
        rng_t = np.random.default_rng(n_t)
        shapes_t = (2, h_t), (h_t,), (h_t, 1), (1,)
        theta_t = [rng_t.normal(size=shape) for shape in shapes_t]
        x_t, y_t = rng_t.normal(size=(n_t, 2)), 1.0 * rng_t.integers(0, 2, (n_t, 1))

        def loss_t(W1, b1, W2, b2):
            z = sigmoid(x_t @ W1 + b1) @ W2 + b2
            return np.mean(np.logaddexp(0, z) - y_t * z)

        nudged_t = [numerical_gradient(
            lambda p: loss_t(*theta_t[:i], p, *theta_t[i + 1:]), theta_t[i])
            for i in range(4)]
        stepped_t = [p.copy() for p in theta_t]
        before_t = train_step(stepped_t, x_t.copy(), y_t.copy(), rate_t)
        np.testing.assert_allclose(before_t, loss_t(*theta_t), rtol=1e-5,
                                   err_msg="the loss before the step")
        moved_t = [(p - q) / rate_t for p, q in zip(theta_t, stepped_t)]
        moves_t = [np.abs(move).max() > 0 for move in moved_t]
        assert any(moves_t), "no array has changed: W1 -= …, in place"
        assert_same("step-of-W1 step-of-b1 step-of-W2 step-of-b2", moved_t, nudged_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `bce_and_delta(hidden @ W2 + b2, y)` gives the loss and δ at the output. Below: `(delta @ W2.T) * hidden * (1 - hidden)`. Compute all four gradients before you change anything.
# </details>

# %% tags=["solution"]
#@title Solution 6c.6a · runs only while yours does not pass
if not solved("6c.6a"):
    def train_step(params, X, y, rate):
        W1, b1, W2, b2 = params
        hidden = sigmoid(X @ W1 + b1)                          # (n, h)
        loss, delta = bce_and_delta(hidden @ W2 + b2, y)       # (n, 1)
        delta_1 = (delta @ W2.T) * hidden * (1 - hidden)       # (n, h)
        slopes = X.T @ delta_1, delta_1.sum(axis=0), hidden.T @ delta, delta.sum(axis=0)
        for param, slope in zip(params, slopes):
            param -= rate * slope
        return loss


# %% [markdown]
# Train it on its own data and test it on fresh points, drawn in the same way:

# %% tags=["plumbing"]
#@title Plumbing: the script's data, and a zero-mean start for h hidden units
def random_labels(n, rng):
    """The script's data: n points, n labels."""
    return rng.random((n, 2)), rng.integers(0, 2, (n, 1)).astype(float)


def start(h, rng):
    """Zero-mean weights, zero biases: [W1 (2, h), b1, W2 (h, 1), b2]"""
    return [rng.normal(0, 2**-0.5, (2, h)), np.zeros(h),
            rng.normal(0, h**-0.5, (h, 1)), np.zeros(1)]


# %% tags=["plumbing"]
#@title Plumbing: train(make_data, h, seed): your step 3,000 times, then 2,000 fresh points
def train(make_data, h, seed, steps=3000, start=start, rate=3.0):
    """-> accuracy on 2,000 fresh points, trained parameters"""
    rng = np.random.default_rng(seed)
    X, y = make_data(400, rng)
    params = start(h, rng)
    for _ in range(steps):
        train_step(params, X, y, rate)
    X_new, y_new = make_data(2000, rng)
    answers = predicted_class(forward_keeping(X_new, *params)[1])
    return np.mean(answers == y_new[:, 0]), params


# %% [markdown]
# **Predict.** Its accuracy on fresh points: about 0.5, about 0.75, or about 0.95?

# %%
seeds = range(by_profile(quick=3, standard=10, full=20))
coin = [train(random_labels, 3, seed, steps=1000)[0] for seed in seeds]
print(f"{len(coin)} seeds: {np.mean(coin):.3f} ± {np.std(coin, ddof=1):.3f}")

# %% [markdown]
# **Bug 6.** A coin. Look at `script_start`: the labels are drawn without looking at the points, so there is nothing to learn, for any network. (Hence the predictions that never left one side of one half.) Without a seed, the original even shows another figure on every run. Before you ask why a model does not learn, ask whether it *could*.
#
# ### Exercise 6c.6b · data with something to learn (4 min)
# The classic that one layer can't solve is XOR (异或): points uniform in the square $[-1, 1)^2$, label 1 where the two coordinates have different signs, else 0.

# %% tags=["exercise"]
def xor_data(n, rng):
    """n points from a NumPy Generator -> X (n, 2), y (n, 1) float64, 0 or 1"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("6c.6b", "data with something to learn"):
    X_t, y_t = xor_data(4000, np.random.default_rng(1))
    assert X_t.shape == (4000, 2), f"X has shape {X_t.shape}"
    assert y_t.shape == (4000, 1), f"y has shape {y_t.shape}, not (4000, 1)"
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
    other_t = xor_data(4000, np.random.default_rng(3))[0]
    assert (X_t != other_t).any(), "another generator, other points: use rng"
    X_t, y_t = xor_data(1, np.random.default_rng(2))
    assert X_t.shape == (1, 2) and y_t.shape == (1, 1), "one point is a row, too"

# %% [markdown]
# <details><summary>Hint</summary>
#
# The signs differ exactly where the product is negative; `X[:, :1]` keeps the column.
# </details>

# %% tags=["solution"]
#@title Solution 6c.6b · runs only while yours does not pass
if not solved("6c.6b"):
    def xor_data(n, rng):
        X = rng.uniform(-1, 1, (n, 2))
        y = X[:, :1] * X[:, 1:] < 0            # (n, 1)
        return X, y.astype(float)


# %% [markdown]
# ## 6c.7 Does the repaired network learn?
#
# A baseline first, or no accuracy means anything. The simplest classifier is one straight cut. Four quarters change color like a chessboard; a cut can give away one of them. Searched over 60 directions and 101 places, the best is right on two thirds of the square.

# %% tags=["evidence"]
#@title Evidence: the best straight cut
grid = np.stack(np.meshgrid(*[np.linspace(-0.99, 0.99, 100)] * 2), axis=-1)
is_one = grid[..., 0] * grid[..., 1] < 0
best_cut = 0.0
for angle in np.pi * np.arange(60) / 60:
    along = grid @ [np.cos(angle), np.sin(angle)]
    for place in np.linspace(-1.4, 1.4, 101):
        right = np.mean((along > place) == is_one)
        best_cut = max(best_cut, right, 1 - right)
print(f"best straight cut: {best_cut:.3f}")

# %% [markdown]
# **Predict.** Three hidden units, 3,000 steps: about 0.67, 0.87 or 0.98? And eight?

# %%
STEPS = by_profile(quick=1000, standard=3000, full=3000)
few = range(by_profile(quick=2, standard=5, full=20))
xor_results = {f"2-{h}-1": [train(xor_data, h, seed, STEPS)[0] for seed in few]
               for h in (1, 3, 8)}
for name, values in xor_results.items():
    print(f"{name}: {np.mean(values):.3f} ± {np.std(values, ddof=1):.3f},"
          f" worst seed {min(values):.3f}")

# %% tags=["evidence"]
#@title Evidence: eight units solve it, and every three beat the best cut
claim("XOR accuracy, 2-8-1, mean over the seeds", np.mean(xor_results["2-8-1"]),
      at_least=0.94, applies=profile() != "quick")
claim("worst seed of 2-3-1 minus the best straight cut",
      min(xor_results["2-3-1"]) - best_cut, at_least=0.05, applies=profile() != "quick")

# %% [markdown]
# One unit is one straight cut: 0.666, the cut's own limit. Three units pass it with every seed (0.87 on average), and eight reach 0.98. (400 training points, 3,000 steps at rate 3, five seeds.)

# %% tags=["figure"]
#@title Figure: The boundary bends around the classes
def boundary(steps, hidden_units):
    share, trained = train(xor_data, hidden_units, 1, steps)
    X_shown, y_shown = xor_data(150, np.random.default_rng(0))
    ax = plotting.decision_regions(
        lambda places: predicted_class(forward_keeping(places, *trained)[1]),
        X_shown, y_shown[:, 0].astype(int), points=100,
        title="The boundary bends around the classes")
    ax.set_xlabel(f"$x_1$\n{hidden_units} units, step {steps:,}: {share:.1%} right")
    return ax


plotting.explore(boundary, steps=(0, 3000, STEPS, 20), hidden_units=[8, 3, 2, 1])
plt.show()

# %% [markdown]
# Slide `steps` from 0 with eight units. At first one class fills the square. Around step 40 a corner is cut off, by 100 two corners have joined in a band, then the boundary bends around the classes. One unit never gets past a straight cut.
#
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
# Only 1, 3 and 4 raise an error where they are. 2 gives a wrong number first; 5 and 6 never say anything.

# %% [markdown]
# ## 6c.8 When does an all-positive start do harm? ◇
#
# One weakness is left: the script draws all weights from $[0, 1)$, all positive.
#
# **Predict.** Does the repaired network, with eight units, learn XOR from such a start: (a) as well, only later, (b) half as well, or (c) not at all?

# %%
def positive_start(h, rng):
    return [rng.random(shape) for shape in ((2, h), (h,), (h, 1), (1,))]


for steps in (STEPS // 10, STEPS // 3, STEPS):
    for begin in (start, positive_start):
        values = [train(xor_data, 8, seed, steps, begin)[0] for seed in few]
        print(f"{steps:,} steps from {begin.__name__}: {np.mean(values):.3f}"
              f" ± {np.std(values, ddof=1):.3f}")

# %% [markdown]
# (a), only later: 0.86 against 0.94 after 300 steps, no difference beyond the seeds' spread after 3,000. At two inputs the all-positive start costs time. And at more?
#
# **Predict.** Inputs between 0 and 1, weights between 0 and 1. A hidden unit adds $d$ products, each ¼ on average. What is $z$ for a 28×28 image's 784 inputs: about 2, 20 or 200?

# %% tags=["nbval-check-output"]
for d in (2, 64, 784):
    wide_rng = np.random.default_rng(8)
    z_wide = wide_rng.random((100, d)) @ wide_rng.random((d, 3))       # (100, 3)
    a_wide = sigmoid(z_wide)
    print(f"{d:3} inputs: z about {z_wide.mean():.1f}, slope a(1 - a) at most"
          f" {(a_wide * (1 - a_wide)).max():.0e}")

# %% [markdown]
# About 200. With two inputs a unit has its full slope; with 64 it has lost nearly all of it; with 784 it is exactly 1 in double precision, its slope is 0, and no gradient ever passes. Weights of mean 0 and variance $1/d$ keep $z$ between about −2 and 2 for any $d$ (notebook [[neurons_and_layers]]).
#
# The script's `1 / (1 + np.exp(-x))` is the right function, but `exp` overflows, with a warning, for $x$ below −709. The course's form, `np.exp(-np.logaddexp(0, -x))`, is right at both ends.

# %% [markdown]
# ## Open task: a data set of your own
#
# Write a third `make_data(n, rng)`, for instance a disk in a square, stripes, or two spirals. Say first what the best straight cut gets, and how many hidden units you expect to need. Then call `train`, and draw the boundary.

# %%
# Your code.

# %% [markdown]
# ## Recall
#
# <details><summary>1. (100, 1) minus (100,): which shape, and which error?</summary>
#
# (100, 100), and no error at all.
# </details>
#
# <details><summary>2. An error is raised in a matrix product. Where do you look?</summary>
#
# At the shapes one line earlier, and the line before that: the error names the victim, not the culprit.
# </details>
#
# <details><summary>3. Gradient check: all ratios are 100.0. What does that tell you?</summary>
#
# The direction is right and the size is not: a sum where the loss has a mean, over 100 examples.
# </details>
#
# <details><summary>4. A correct model reaches 50 % on two balanced classes. Name two possible reasons.</summary>
#
# The labels have nothing to do with the inputs; or it has hardly been trained (rate, steps). The accuracy on its training data tells more, and so does a baseline.
# </details>
#
# <details><summary>5. Which two habits catch what no error message shows?</summary>
#
# The gradient check, and a baseline.
# </details>

# %% [markdown]
# ## Summary
#
# 1. Pass state explicitly; compare shapes in the loss; a gradient has its parameter's shape.
# 2. After an error halfway through a step, start again: some arrays have changed.
# 3. A script that runs is not a script that is right: check the gradient against the loss that you print.
# 4. Before you ask why a model doesn't learn, ask whether it could: learnable, seeded data and a baseline.
# 5. A network of 33 parameters, repaired, gets right what no straight cut can.
#
# **Read this next:** M. Nielsen (2015), *Neural Networks and Deep Learning*, chapter 1, holds a small network in full.
#
# **Next:** notebook [[optimizers]]: you have the direction; how far should you go?
