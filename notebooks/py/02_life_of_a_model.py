# ---
# jupyter:
#   course:
#     datasets: [digits]
#     covers: "Data, network, loss, gradient, update, evaluation, deployment and back: each box opened on four examples, then on real digits, by hand and in Keras."
#     prerequisites: [start_here]
#     ledger: [D1-3.2-a, D1-4.1-a, D2-2-a, D2-9-b, D3-2.2-a, D3-3.1-a, D4-2.3-a]
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
# # The life of a model
#
# How do a thousand images become a program that reads digits, and what happens to that program on the day the camera slips?
# You open every box between the two: first on four examples whose numbers you can follow in your head, then on real digits.
#
# **You will be able to**
# - draw the life of a model from memory, with its three loops, and say what each box takes and gives;
# - write the training loop in NumPy, check its gradient, and get the same numbers from Keras;
# - choose a learning rate from a curve, and say how sure an accuracy is;
# - save, load and serve a model that refuses bad input, and notice when its world changes;
# - find what is missing in three widely copied charts of training.

# %% tags=["setup"]
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from course_utils import (
    by_profile, check, claim, data, devices, plotting, profile, solved,
)
from course_utils.lessons.backpropagation import numerical_gradient

plotting.use_style()
rng = np.random.default_rng(0)

# %% [markdown]
# ## 2.1 The map
#
# Where does a model spend its life? In eight boxes, joined by three loops.

# %%
boxes = {
    "data": (0, 0), "preprocessing": (1, 0), "network": (2, 0), "loss": (3, 0),
    "deployment": (0, 1), "evaluation": (1, 1), "update": (2, 1), "gradient": (3, 1),
}
arrows = [
    ("data", "preprocessing"), ("preprocessing", "network"), ("network", "loss"),
    ("loss", "gradient"), ("gradient", "update"), ("update", "network", "next batch"),
    ("update", "evaluation"), ("evaluation", "deployment", "good"),
    ("evaluation", "preprocessing", "not yet"),
    ("deployment", "data", "the world changes"),
]
plotting.flow(boxes, arrows, highlight=["network", "loss", "gradient", "update"],
              title="The life of a model: eight boxes, three loops")
plt.show()

# %% [markdown]
# The orange boxes turn thousands of times: that loop is *training* (训练). The middle loop turns whenever the evaluation says *not yet*; what it leads back to may be any box above.
# The outer loop turns for as long as the model is in use. Using it, without changing it, is *inference* (推理).
#
# | box | takes | gives | more in |
# |---|---|---|---|
# | data (数据) | the world | examples, each with its right answer, the *label* (标签) | [[preparing_data]], [[privacy_and_security]] |
# | preprocessing (预处理) | examples | numbers on one scale, split into parts | [[preparing_data]] |
# | network (网络) | numbers | a prediction, made with adjustable numbers: the *parameters* (参数) | [[neurons_and_layers]], [[convolution]]–[[embeddings_and_attention]] |
# | loss (损失) | prediction, label | one number: how bad | [[loss_functions]] |
# | gradient (梯度) | the loss | for each parameter: how the loss changes if it is turned | [[backpropagation]] |
# | update (更新) | parameters, gradient | slightly better parameters | [[optimizers]] |
# | evaluation (评估) | examples never trained on | how good, how surely | [[evaluation_metrics]], [[training_deep_networks]] |
# | deployment (部署) | the trained model | answers for users; a watch over them | [[project_mnist]], [[deployment_and_monitoring]] |
#
# Document 1 (4.1) names three ingredients of a learning method: a network, a loss and an *optimizer* (优化器), the rule in the update box. That is right, and it is the orange loop. What makes a
# result good or bad often lies outside it.
#
# A program in which these parameters are *learned* from examples, rather than written as rules, is machine learning (机器学习); with networks of many layers it is deep learning (深度学习); at very large
# scale, a large model (notebook [[what_is_a_large_model]]). The map is the same for all three.

# %% [markdown]
# ## 2.2 Every box on four examples
#
# Will a customer come back next month? Six made-up customers, with what they did this month. Four are to learn from; two are laid aside.

# %% tags=["nbval-check-output"]
visits_yuan = np.array([[1, 20], [1, 100], [3, 80], [3, 160], [2, 40], [1, 170]], float)
came_back = np.array([0, 0, 1, 1, 0, 1])  # the labels
X_raw, y = visits_yuan[:4], came_back[:4]
X_aside, y_aside = visits_yuan[4:], came_back[4:]
for row, label in zip(X_raw, y):
    print(f"{row[0]:.0f} visits, {row[1]:3.0f} yuan → {label}")

# %% [markdown]
# **Data.** The examples are the rows of $X$, shape $(n, d)$: here $n = 4$ customers with $d = 2$ *features* (特征). The labels are $y$, shape $(n,)$: 1 for *came back*.
#
# **Preprocessing.** Visits are ones, yuan are hundreds. *Standardizing* (标准化) brings both to one scale: subtract each feature's mean, divide by its standard deviation. Both come from the four training
# rows alone, because in real use the customers laid aside are not there yet.

# %% tags=["nbval-check-output"]
mean, std = X_raw.mean(axis=0), X_raw.std(axis=0)
X = (X_raw - mean) / std  # (4, 2)
print("mean", mean, " std", std)
print(X)


# %% [markdown]
# ### Exercise 2.2a · one scale for everybody (8 min)
# Write the preprocessing box: standardize `train` and `new` with the mean and standard deviation of `train`. A feature that is the same in every training row has no spread to divide by:
# divide it by 1 instead. (On paper its standard deviation is 0; computed, seven times 0.1 gives about $10^{-17}$.)

# %% tags=["exercise"]
def standardize(train, new):
    """Both arrays on the scale of the training rows.

    train: (n, d), new: (m, d) -> (n, d), (m, d)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("2.2a", "one scale for everybody"):
    for n_t in (7, 15, 1):  # with one row every feature is constant
        rng_t = np.random.default_rng(n_t)
        old_t, new_t = rng_t.normal(5, 3, (n_t, 3)), rng_t.normal(-2, 1, (4, 3))
        old_t[:, 1] = 0.1  # the same in every row; its computed std is not quite 0
        given_t = old_t.copy(), new_t.copy()
        got_old_t, got_new_t = map(np.asarray, standardize(*given_t))
        np.testing.assert_array_equal(given_t[0], old_t, "train must stay as it was")
        np.testing.assert_array_equal(given_t[1], new_t, "new must stay as it was")
        np.testing.assert_allclose(got_old_t.mean(axis=0), 0, atol=1e-5,
                                   err_msg="means. Is a std of 1e-17 a spread?")
        spread_t = np.sqrt(((old_t - old_t.mean(axis=0)) ** 2).sum(axis=0) / n_t)
        spread_t[old_t.min(axis=0) == old_t.max(axis=0)] = 1
        for name_t, got_t, rows_t in (("train", got_old_t, old_t),
                                      ("new", got_new_t, new_t)):
            wanted_t = (rows_t - old_t.mean(axis=0)) / spread_t
            np.testing.assert_allclose(got_t, wanted_t, atol=1e-5, err_msg=name_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `train.min(axis=0) == train.max(axis=0)` finds the constant features, `np.where(constant, 1, std)` replaces their std. Use the same mean and std twice.
# </details>

# %% tags=["solution"]
#@title Solution 2.2a · runs only while yours does not pass
if not solved("2.2a"):
    def standardize(train, new):
        mean, std = train.mean(axis=0), train.std(axis=0)
        std = np.where(train.min(axis=0) == train.max(axis=0), 1, std)
        return (train - mean) / std, (new - mean) / std


# %% [markdown]
# **Network.** The smallest there is, one neuron (神经元). It has one *weight* (权重) per feature, $w$ of shape $(2,)$, and a *bias* (偏置) $b$, and computes for each row $(x_1, x_2)$
#
# $$z = w_1 x_1 + w_2 x_2 + b, \qquad p = \sigma(z) = \frac{1}{1 + e^{-z}} .$$
#
# The score $z$ may be any number; the sigmoid $\sigma$ squeezes it into a probability $p$ between 0 and 1. In NumPy `X @ w` does the weighted sum for all rows at once. Weights and bias are the parameters. Start them at 0.
#
# **Loss.** How surprised is the model by what happened? It gave the true label the probability $p$ (if $y = 1$) or $1 - p$ (if $y = 0$). The loss is $-\log$ of that, averaged over the rows: 0 for a certain right
# answer, 0.69 for one half, 4.6 for one in a hundred. This is the *cross-entropy* (交叉熵), with the natural logarithm.

# %%
def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-z), any shape -> same shape; exact for very small and large z."""
    return np.exp(-np.logaddexp(0, -z))  # logaddexp(0, -z) is log(e^0 + e^-z)


# %% tags=["nbval-check-output"]
def neuron_loss(X, y, w, b):
    """Mean cross-entropy of one neuron. X: (n, d), y: (n,) 0 or 1, w: (d,)."""
    z = X @ w + b
    # -log(1 - p) = log(1 + e^z), and -log p = log(1 + e^z) - z: y chooses.
    return np.mean(np.logaddexp(0, z) - y * z)


w_zero, b_zero = np.zeros(2), 0.0
p_zero = sigmoid(X @ w_zero + b_zero)
print("p", p_zero, f" loss {neuron_loss(X, y, w_zero, b_zero):.4f} = log 2")

# %% [markdown]
# **Gradient.** Call the loss $L$ and think of each parameter as a knob. Turn $w_1$ up a little and hold everything else still: change of $L$ divided by change of $w_1$ is the slope, the *partial derivative* $\partial L/\partial w_1$. All slopes together are the gradient. For this neuron they have a short form,
# which notebook [[backpropagation]] derives ($x_{ij}$ is feature $j$ of row $i$; $\delta$ has one entry $\delta_i$ per row):
#
# $$\delta = \frac{p - y}{n}, \qquad \frac{\partial L}{\partial w_j} = \sum_{i=1}^{n} x_{ij}\,\delta_i, \qquad \frac{\partial L}{\partial b} = \sum_{i=1}^{n} \delta_i .$$
#
# Read it: the error $p - y$ of each row, weighted by the feature. In NumPy the first sum is `X.T @ delta` (`X.T` is $X$ with rows and columns swapped). Don't believe a formula that you have not derived: turn each weight by a tiny amount both ways and compare (`numerical_gradient`).

# %% tags=["nbval-check-output"]
delta = (p_zero - y) / len(y)
slope_w, slope_b = X.T @ delta, delta.sum()
print("delta ", delta)
print("dL/dw ", slope_w.round(6), " dL/db", slope_b)
by_turning = numerical_gradient(lambda w: neuron_loss(X, y, w, b_zero), w_zero)
print("turned", by_turning.round(6))
print("w is still", w_zero)

# %% [markdown]
# Both slopes are negative: raising either weight lowers the loss. You can redo $\partial L/\partial w_1$ in your head: $-1 \cdot 0.125$ twice and $1 \cdot (-0.125)$ twice.
#
# The last line matters. **Computing a gradient changes nothing.** The step lists of Document 1 (3.2), Document 2 (FAQ, question 2) and Document 3 (3.1) let backpropagation (反向传播), the method that computes gradients in deep networks, "update the parameters".
# It ends with the gradient; what is done with it is a separate choice. (Document 1, FAQ, question 1, keeps the two apart.)
#
# **Update.** The simplest choice, *gradient descent* (梯度下降): step against the slope, $w \leftarrow w - \eta\, \partial L/\partial w$. The *learning rate* (学习率) $\eta$ says how far; you choose it, it is not learned (a *hyperparameter*, 超参数). Take $\eta = 1$.

# %% tags=["nbval-check-output"]
path = [(w_zero, b_zero)]  # weights and bias after 0, 1, 2, … steps
for step in range(50):
    w_now, b_now = path[-1]
    error = (sigmoid(X @ w_now + b_now) - y) / len(y)
    path.append((w_now - 1.0 * (X.T @ error), b_now - 1.0 * error.sum()))

for step in (0, 1, 2, 3, 50):
    w_now, b_now = path[step]
    print(f"step {step:2}   w = ({w_now[0]:.3f}, {w_now[1]:.3f})"
          f"   loss {neuron_loss(X, y, w_now, b_now):.3f}")


# %% [markdown]
# Step 1 is the update you can do by hand: $0 - 1 \cdot (-0.5) = 0.5$ and $0 - 1 \cdot (-0.3) = 0.3$. The bias is not listed: standardized, these four customers are two mirror pairs, $x$ and $-x$ with opposite labels, so that their pulls on the bias cancel in every step.

# %%
def draw_neuron(ax, w, b, title):
    """Probability over the standardized plane, with the six customers on it."""
    side = np.linspace(-2.2, 2.2, 101)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    ax.imshow(sigmoid(grid @ w + b), origin="lower", extent=(-2.2, 2.2, -2.2, 2.2),
              cmap="RdBu", vmin=-0.6, vmax=1.6, aspect="auto")  # pale colors
    aside = (X_aside - mean) / std
    for points, labels, marker in ((X, y, "o"), (aside, y_aside, "s")):
        for label, color in ((0, plotting.RED), (1, plotting.BLUE)):
            ax.scatter(*points[labels == label].T, marker=marker, s=60, color=color,
                       edgecolor="white")
    ax.set(title=title, xlabel="visits, standardized", ylabel="yuan, standardized")
    ax.grid(False)


fig, axes = plt.subplots(1, 3, figsize=(9, 3.5), sharey=True)
for ax, step in zip(axes, (0, 1, 50)):
    title = f"step {step}: loss {neuron_loss(X, y, *path[step]):.3f}"
    draw_neuron(ax, *path[step], title)
    ax.label_outer()
fig.suptitle("Training turns and sharpens one line (circles: training, squares: aside)",
             fontweight="bold")
plt.show()

# %% [markdown]
# Blue is *came back*, points as well as ground. At step 0 the neuron knows nothing: everything is one half, so there is no color. From step 1 on, white marks where $p$ is one half ($z = 0$): a straight line. One step already separates the four circles; the other 49 turn the line and make the neuron surer. Look at
# the blue square: after one step it lies almost on the line, just on the wrong side ($p = 0.495$); after fifty, deep in red ground ($p = 0.12$). Training longer has made the neuron surer, of its mistake about this customer too.
#
# **Evaluation.** Now the two customers laid aside, with the *training* mean and std:

# %% tags=["nbval-check-output"]
w_end, b_end = path[50]
aside = (X_aside - mean) / std
for name, rows, labels in (("training", X, y), ("aside", aside, y_aside)):
    p_end = sigmoid(rows @ w_end + b_end)
    print(f"{name:9} p = {p_end.round(2)}  labels {labels}"
          f"  right: {np.sum((p_end > 0.5) == labels)} of {len(labels)}")


# %% [markdown]
# Four of four on what it learned from, one of two on what it did not. The first says that training worked; only the second says anything about new customers (and two of them say very little).
#
# **Deployment.** A user knows visits and yuan, not standard deviations. What goes into service is the *whole* way from raw input to answer:

# %% tags=["nbval-check-output"]
def will_return(visits: float, yuan: float) -> float:
    """Probability that a customer comes back."""
    features = (np.array([visits, yuan]) - mean) / std
    return float(sigmoid(features @ w_end + b_end))


print(f"3 visits, 120 yuan: {will_return(3, 120):.2f}")
print(f"nonsense gets an answer too: {will_return(-40, 9e9):.2f}")


# %% [markdown]
# That is the whole life, once. Section 2.13 cures the nonsense.

# %% [markdown]
# ### Exercise 2.2b · one turn of the loop (10 min)
# Write one update of the neuron by gradient descent with learning rate `rate`. Return the new parameters **and the loss before the step**; leave the given arrays as they were.

# %% tags=["exercise"]
def one_step(X, y, w, b, rate):
    """One step of gradient descent on the mean cross-entropy of a neuron.

    X: (n, d), y: (n,) 0 or 1, w: (d,), b: number -> new w (d,), new b, loss before
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("2.2b", "one turn of the loop"):
    def loss_t(X, y, w, b):  # written out: nothing above is needed
        z = X @ w + b
        return np.mean(np.log(1 + np.exp(z)) - y * z)

    for seed_t, (n_t, d_t) in enumerate([(5, 3), (8, 2), (1, 4)]):
        rng_t = np.random.default_rng(seed_t)
        X_t, y_t = rng_t.normal(size=(n_t, d_t)), rng_t.integers(0, 2, n_t)
        w_t, b_t, rate_t = rng_t.normal(size=d_t), rng_t.normal(), 0.3 + seed_t
        given_t = X_t.copy(), y_t.copy(), w_t.copy()
        new_w_t, new_b_t, before_t = one_step(*given_t, b_t, rate_t)
        for name_t, now_t, was_t in zip("Xyw", given_t, (X_t, y_t, w_t)):
            np.testing.assert_array_equal(now_t, was_t, f"{name_t} must stay as it was")
        np.testing.assert_allclose(before_t, loss_t(X_t, y_t, w_t, b_t), rtol=1e-5,
                                   err_msg="the loss before the step")
        slope_t = numerical_gradient(lambda w: loss_t(X_t, y_t, w, b_t), w_t)
        np.testing.assert_allclose(new_w_t, w_t - rate_t * slope_t, rtol=1e-4,
                                   atol=1e-5, err_msg="new w")
        slope_t = numerical_gradient(lambda b: loss_t(X_t, y_t, w_t, b), np.array(b_t))
        np.testing.assert_allclose(new_b_t, b_t - rate_t * slope_t, rtol=1e-4,
                                   atol=1e-5, err_msg="new b")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `neuron_loss` gives the loss. Then δ, the two gradients, two subtractions. `w -= …` would change the caller's array.
# </details>

# %% tags=["solution"]
#@title Solution 2.2b · runs only while yours does not pass
if not solved("2.2b"):
    def one_step(X, y, w, b, rate):
        before = neuron_loss(X, y, w, b)
        delta = (sigmoid(X @ w + b) - y) / len(y)
        return w - rate * (X.T @ delta), b - rate * delta.sum(), before


# %% [markdown]
# ## 2.3 Why scale? One rate must suit every weight
#
# What if we had left visits and yuan as they are? Try every learning rate from a millionth to ten, fifty steps each.

# %%
def loss_after(X, rate, steps=50):
    """Training loss of the neuron after gradient descent from zero."""
    w, b = np.zeros(2), 0.0
    for _ in range(steps):
        delta = (sigmoid(X @ w + b) - y) / len(y)
        w, b = w - rate * (X.T @ delta), b - rate * delta.sum()
    return neuron_loss(X, y, w, b)


rates = np.logspace(-6, 1, 71)
fig, ax = plt.subplots(figsize=(6.2, 3.4))
for label, rows, color in (("raw", X_raw, plotting.ORANGE),
                           ("only divided", X_raw / std, plotting.SKY),
                           ("standardized", X, plotting.BLUE)):
    losses_of = [loss_after(rows, rate) for rate in rates]
    ax.loglog(rates, losses_of, color=color, label=label)
    best = rates[np.argmin(losses_of)]
    print(f"{label:12} at η = 0.5: {loss_after(rows, 0.5):7.3f}, at 1: "
          f"{loss_after(rows, 1):7.3f}; best {min(losses_of):.3f} at {best:.2g};"
          f" first slopes {rows.T @ (0.5 - y) / len(y)}")
ax.axhline(np.log(2), color=plotting.GRAY, linestyle=":", label="start: log 2")
ax.set(title="On raw units no rate gets far",
       xlabel="learning rate η", ylabel="loss after 50 steps")
claim("loss at η = 0.5, divided only / standardized",
      loss_after(X_raw / std, 0.5) / loss_after(X, 0.5), at_least=4)
ax.legend()
plt.show()

# %% [markdown]
# Standardized, the loss falls well below 0.1 for every rate from about one half on. On raw units the best rate hardly gets below the start, and beyond it the loss explodes. At the start the slope for yuan is thirty times that for visits,
# and one rate must serve both: a rate that the weight of yuan can bear hardly moves the weight of visits. Dividing by the standard deviations, without subtracting the means, cures the explosion. Subtracting the means as well still buys a factor of five at ordinary rates (after 50 steps). (The best rates of both lie at the edge of our search: these four customers can be separated, so larger rates go on
# lowering the loss. They are no optimum.) What scaling does to the shape of the loss is in notebooks [[preparing_data]] and [[optimizers]].

# %% [markdown]
# ## 2.4 Spot the bug: three charts of training
#
# Charts like ours stand in the documents too. Written as arrows, a chart can be checked by a program. These are the edges of three widely copied ones (Document 2, chapter 2; Document 3, 2.2; Document 4, 2.3):

# %% tags=["plumbing"]
#@title Plumbing: the arrows of the three charts
chart_3 = {
    "preprocess": ["initialize"], "initialize": ["forward"], "forward": ["backward"],
    "backward": ["update"], "update": ["evaluate"], "evaluate": [],
}
chart_4 = {
    "raw data": ["preprocess"], "preprocess": ["large enough?"],
    "large enough?": ["train", "add data or features"], "train": ["evaluate"],
    "evaluate": ["deploy", "add data or features"], "add data or features": [],
    "deploy": [],
}
# Its 25 topics, shortened to letters (A has arrows to B, C, D and E, and so on);
# Z is "application scenarios". Only the shape of the chart matters here.
letters = "ABCDEFGHIJKLMNOPQRSTUVWXY"
chart_2 = {
    **dict(zip("ABCDEFGH", ["BCDE", "FGH", "IJK", "LMN", "OPQ", "RS", "TUV", "WXY"])),
    **{leaf: "" for leaf in letters[8:]}, "Z": letters + "Z",
}

# %% [markdown]
# A box lies on a loop if arrows lead from it back to itself:

# %%
def reachable(edges, start):
    """All boxes that can be reached from `start` along one arrow or more."""
    found, to_visit = set(), list(edges[start])
    while to_visit:
        box = to_visit.pop()
        if box not in found:
            found.add(box)
            to_visit += edges[box]
    return found


# %% tags=["nbval-check-output"]
ours = {box: [b for a, b, *_ in arrows if a == box] for box in boxes}
for name, chart in (("ours", ours), ("Document 2", chart_2), ("Document 3", chart_3),
                    ("Document 4", chart_4)):
    looped = [box for box in chart if box in reachable(chart, box)]
    print(f"{name:11} {len(chart):2} boxes, on a loop: {', '.join(looped) or 'none'}")
print("arrows out of Z:", len(chart_2["Z"]), "of", sum(map(len, chart_2.values())))


# %% [markdown]
# - **Document 3's chart has no loop.** Forward, backward, update happen once, then the model is evaluated. It has no loss either, so "backward" has nothing to differentiate. (Its list in 3.1 does have a loss, and says *repeat until a
#   stop criterion is met*: that is right.) Section 2.8 runs the chart as drawn.
# - **Document 4's chart has no loop either**, though it means to: a model that fails, or data that are too few, lead to *add data or features*, and from there no arrow leaves. Also, "large enough?" is asked before anything is trained, when nobody can know (2.10).
#   And more data is only one remedy of many (2.9, 2.15).
# - **Document 2's map** is a table of contents drawn as a graph. Its only loop is the box *application scenarios* pointing to itself; with arrows from that box to all 25 others, half of all arrows say nothing.
# - **All three, like the step lists in Document 1 (3.2) and Document 2 (FAQ, question 2), miss** the split into training and held-out data, and what comes after deployment. (*Until the model converges*, as the lists in Documents 1 and 2 put it, is a poor place to stop: notebook [[training_deep_networks]].)

# %% [markdown]
# ### Exercise 2.4 · find the dead ends (6 min)
# A working process must be able to reach its goal from wherever it stands. Return the boxes from which `goal` cannot be reached, as a sorted list. The goal itself is no dead end. You may use `reachable`.

# %% tags=["exercise"]
def dead_ends(edges, goal):
    """Boxes from which no path of arrows leads to the goal.

    edges: box -> list of the boxes its arrows point to -> sorted list of boxes
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("2.4", "find the dead ends"):
    for chart_t, goal_t, wanted_t in (
            ({"train": ["test"], "test": ["ship", "more data"], "more data": [],
              "ship": []}, "ship", ["more data"]),
            ({"train": ["test"], "test": ["ship", "more data"], "more data": ["train"],
              "ship": []}, "ship", []),  # one arrow repairs it
            ({"e": ["c"], "a": ["b"], "b": [], "c": ["c"]}, "b", ["c", "e"]),
            ({"z": [], "y": [], "x": ["y", "z"]}, "z", ["y"]), ({"a": []}, "a", [])):
        got_t = dead_ends({box: list(to) for box, to in chart_t.items()}, goal_t)
        assert list(got_t) == wanted_t, f"{chart_t}, {goal_t}: {wanted_t}, not {got_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `goal in reachable(edges, box)` says whether a box leads to the goal. Leave the goal out.
# </details>
# Then try `dead_ends(chart_4, "deploy")`. Which one arrow repairs Document 4's chart?

# %% tags=["solution"]
#@title Solution 2.4 · runs only while yours does not pass
if not solved("2.4"):
    def dead_ends(edges, goal):
        return sorted(box for box in edges
                      if box != goal and goal not in reachable(edges, box))

# %% [markdown]
# ## 2.5 The real problem: data and split
#
# From here on each box is opened again, at the size of a real problem: name the digit in an image of 8×8 pixels. The model sees no digit: it gets 64 numbers.

# %%
digits = data.digits()
fig, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.3), width_ratios=[1, 1.3])
left.imshow(digits.x_train[4])
for (row, column), value in np.ndenumerate(digits.x_train[4]):
    left.text(column, row, value, ha="center", va="center", fontsize=8,
              color="white" if value > 8 else "black")
left.set(title=f"A {digits.y_train[4]} is 64 numbers, 0 to 16", xticks=[], yticks=[])
left.grid(False)
counts = np.bincount(digits.y_train, minlength=10)
right.bar(np.arange(10), counts)
right.set(title="The ten digits are about equally common", xlabel="digit",
          ylabel="images", xticks=range(10))
plt.show()
print(f"{len(digits.y_train)} images and {len(digits.y_test)} test images; "
      f"of a digit there are {counts.min()} to {counts.max()}")

# %% [markdown]
# Balanced classes, so accuracy (准确率), the share of right answers, is a fair measure here. (Where they are not balanced, it lies: notebook [[evaluation_metrics]].)
#
# **Why split?** Because the perfect student of the training data can be useless. Here is one that learns everything by heart:

# %%
memory = dict(zip(map(np.ndarray.tobytes, digits.x_train), digits.y_train))


def by_heart(images):
    """Labels from memory; -1 for an image never seen."""
    return np.array([memory.get(image.tobytes(), -1) for image in images])


for name, images, labels in (("training", digits.x_train, digits.y_train),
                               ("test", digits.x_test, digits.y_test)):
    print(f"{name} images: {np.mean(by_heart(images) == labels):.1%} right")


# %% [markdown]
# The dictionary is right on every image it learned and knows none of the others. To *generalize* (泛化) is to be right on new examples, and only examples kept apart can show it. Keep four parts:
#
# | part | for | looked at |
# |---|---|---|
# | training (训练集), 896 | learning the parameters | at every step |
# | validation (验证集), 200 | choosing rate, network, when to stop | at every choice |
# | later, 201 | playing the images that are newly labeled after deployment | in 2.15 (and once in 2.9, together with validation) |
# | test (测试集), 500 | the final judgment | in 2.11, once. After that it only illustrates: nothing may be chosen by it any more |

# %%
def flat(images):
    """(n, 8, 8) gray values 0 to 16 -> (n, 64) values 0 to 1: the preprocessing box."""
    return images.reshape(len(images), 64) / 16


train, validation, later = slice(0, 896), slice(896, 1096), slice(1096, 1297)
X_train, y_train = flat(digits.x_train[train]), digits.y_train[train]
X_val, y_val = flat(digits.x_train[validation]), digits.y_train[validation]
x_later, y_later = digits.x_train[later], digits.y_train[later]
X_test, y_test = flat(digits.x_test), digits.y_test
print([part.shape for part in (X_train, X_val, flat(x_later), X_test)])

# %% [markdown]
# The loader has shuffled, so each of the thirteen people who wrote these digits is in all four parts: every accuracy below is for new images by *the same* people. For strangers one would cut by person (notebook [[preparing_data]]). All pixels share one unit, so one division by 16 is enough.
#
# **A baseline first.** Two competitors that cost nothing, from notebook [[start_here]]: always the same digit, and the digit whose average image is nearest.

# %%
averages = np.stack([X_train[y_train == k].mean(axis=0) for k in range(10)])  # (10, 64)


def nearest_average(X):
    """Digit whose average training image is nearest. X: (n, 64) -> (n,)"""
    return ((X[:, None] - averages) ** 2).sum(axis=2).argmin(axis=1)


always = np.bincount(y_train).argmax()
print(f"validation: always {always}: {np.mean(y_val == always):.1%}, "
      f"nearest average: {np.mean(nearest_average(X_val) == y_val):.1%}")

# %% [markdown]
# ## 2.6 Where do the right answers come from?
#
# Somebody had to write a label beside each of these images. That is *supervised learning* (监督学习). The other kinds of learning that articles list differ first of all in where $y$ comes from:
#
# | kind | the right answer | in this course |
# |---|---|---|
# | supervised | a person or a measurement wrote it down | most notebooks |
# | self-supervised (自监督) | part of the example itself, hidden from the input | [[embeddings_and_attention]], [[project_gpt]]–[[transfer_learning]], [[multimodal]] |
# | unsupervised (无监督) | there is none: find groups or structure | [[market_analysis]] |
# | reinforcement (强化学习) | only a reward, after acting | [[robotics_and_control]] |
#
# Large language models are *pre-trained* (预训练) the second way: the text is its own label, moved by one place. Then they are *fine-tuned* (微调) on fewer examples with labels: the same loop again, started from the weights of the first. Document 2's
# answer to "how is a large model trained" (FAQ, question 2) knows a pre-trained model only as a possible start and says of neither stage what it is.

# %% tags=["nbval-check-output"]
text = "床前明月光"
for i in range(1, len(text)):
    print(f"input {text[:i]:　<5} label {text[i]}")


# %% [markdown]
# Can the digits teach without labels? Hide the lower half of every image and predict it from the upper one. The best weighted sums come from `lstsq` (least squares): they make the *mean squared error* (均方误差), the average squared difference, smallest. No label of ours is used.

# %%
def upper_lower(X):
    """Split (n, 64) into the input, upper half and a 1, and the target, lower half."""
    return np.column_stack([X[:, :32], np.ones(len(X))]), X[:, 32:]


upper, lower = upper_lower(X_train)
half_weights = np.linalg.lstsq(upper, lower)[0]  # (33, 32)
upper, lower = upper_lower(X_val)
completed = np.clip(upper @ half_weights, 0, 1)
of_sums = np.mean((completed - lower) ** 2)
of_mean = np.mean((X_train[:, 32:].mean(axis=0) - lower) ** 2)
print(f"mean squared error {of_sums:.4f}; always the average lower half: {of_mean:.4f}")

guessed = np.column_stack([X_val[:, :32], completed]).reshape(-1, 8, 8)
shown = np.concatenate([guessed[:10], X_val[:10].reshape(-1, 8, 8)])
titles = ["completed"] * 10 + [f"true: {label}" for label in y_val[:10]]
fig = plotting.image_grid(shown, titles)
fig.suptitle("The lower half, guessed from the upper", fontweight="bold")
plt.show()


# %% [markdown]
# Top: real upper half, predicted lower half. Blurred, but with an error well below that of the average lower half: something about how digits are written has been learned, from images alone.

# %% [markdown]
# ## 2.7 Network, loss, gradient: ten classes
#
# Ten answers need ten scores. Each digit gets its own 64 weights and a bias, the columns of $W$ and the entries of $b$:
#
# | symbol | shape | meaning |
# |---|---|---|
# | $X$ | $(B, 64)$ | a *batch* (批) of $B$ images, one per row |
# | $W,\ b$ | $(64, 10),\ (10,)$ | weights and biases: 650 parameters |
# | $Z = XW + b$ | $(B, 10)$ | scores, called *logits* |
# | $P$ | $(B, 10)$ | probabilities: in each row $p_k = e^{z_k} / (e^{z_0} + \dots + e^{z_9})$, the *softmax* |
# | $Y$ | $(B, 10)$ | labels *one-hot* (独热): 1 in the column of the true digit, else 0 |
#
# The softmax makes all scores positive and lets each row add up to 1. The loss is what it was: $-\log$ of the probability given to the true digit, averaged over the batch. And the gradient keeps its form:
#
# $$\delta = \frac{P - Y}{B}, \qquad \frac{\partial L}{\partial W} = X^\top \delta, \qquad \frac{\partial L}{\partial b} = \text{sum of the rows of } \delta .$$

# %%
def softmax(Z: np.ndarray) -> np.ndarray:
    """Softmax along the last axis. Z: (..., k) scores -> (..., k), adding up to 1."""
    e = np.exp(Z - Z.max(axis=-1, keepdims=True))  # largest 1: e cannot overflow
    return e / e.sum(axis=-1, keepdims=True)


# %%
def cross_entropy(X, y, W, b):
    """Mean -log(probability of the true class). X: (B, d), y: (B,) class indices."""
    Z = X @ W + b
    Z = Z - Z.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(Z).sum(axis=1))
    true = Z[np.arange(len(y)), y]  # from each row the score of its true class
    return np.mean(log_total - true)  # -log(e^true / total), without a log of 0


def gradient(X, y, W, b):
    """Gradients of the cross-entropy: dL/dW (d, k), dL/db (k,)."""
    delta = softmax(X @ W + b)
    delta[np.arange(len(y)), y] -= 1  # P - Y: in each row, 1 off the true class
    delta /= len(y)
    return X.T @ delta, delta.sum(axis=0)


# %% [markdown]
# Two checks before any training. The loss of a model that knows nothing must be $\log 10$, the surprise of one in ten. And the formula must agree with 650 turned parameters:

# %%
W_start, b_start = np.random.default_rng(0).normal(0, 0.01, (64, 10)), np.zeros(10)
print(f"loss at the start {cross_entropy(X_train, y_train, W_start, b_start):.3f}, "
      f"log 10 = {np.log(10):.3f}")
grad_W, grad_b = gradient(X_train, y_train, W_start, b_start)
turned_W = numerical_gradient(
    lambda W: cross_entropy(X_train, y_train, W, b_start), W_start)
turned_b = numerical_gradient(
    lambda b: cross_entropy(X_train, y_train, W_start, b), b_start)
apart = max(np.abs(grad_W - turned_W).max(), np.abs(grad_b - turned_b).max())
claim("gradient: largest difference from turning each parameter", apart, at_most=1e-8)

# %% [markdown]
# The start is small and random; why not all zeros, and why not large, becomes serious with hidden layers (notebook [[neurons_and_layers]]). What is the gradient good for? It is the *steepest* direction. Test that against chance: take many random directions, go one step of the same length along
# each, and see what the loss does.

# %%
STEP_LENGTH = 0.5  # root of the sum of the squares of all 650 changes
here = cross_entropy(X_train, y_train, W_start, b_start)


def change(direction_W, direction_b):
    """Change of the loss after a step of STEP_LENGTH along a direction.

    direction_W: (64, 10), direction_b: (10,)
    """
    scale = STEP_LENGTH / np.sqrt((direction_W**2).sum() + (direction_b**2).sum())
    return cross_entropy(X_train, y_train, W_start + scale * direction_W,
                         b_start + scale * direction_b) - here


TRIES = by_profile(quick=100, standard=1000, full=1000)
chance = np.random.default_rng(7)
by_chance = [change(chance.normal(size=(64, 10)), chance.normal(size=10))
             for _ in range(TRIES)]
downhill = change(-grad_W, -grad_b)
fig, ax = plt.subplots(figsize=(6.2, 3))
ax.hist(by_chance, bins=30, label=f"{TRIES:,} random directions")
ax.axvline(downhill, color=plotting.RED, label="against the gradient")
ax.axvline(0, color=plotting.GRAY, linestyle=":")
ax.set(title=f"None of {TRIES:,} random steps comes near the gradient's",
       xlabel="change of the loss", ylabel="directions")
ax.legend(loc="upper center")
plt.show()
print(f"gradient {downhill:.3f}, best of {TRIES:,} random ones {min(by_chance):.3f}")


# %% [markdown]
# Many random steps lower the loss, by very little; the gradient's step lowers it several times more than the best of them.

# %% [markdown]
# ## 2.8 The loop, by hand
#
# Most training uses not all images for a step, but a batch of 32: a rougher gradient, many more steps for the same work. One pass over all training images is an *epoch* (轮), in a new random order each time. The whole training loop:

# %%
def train_by_hand(X, y, W, b, rate, orders, batch=32, after_epoch=None):
    """Mini-batch gradient descent. X: (n, d), y: (n,), W: (d, k), b: (k,).

    orders: for each epoch the order of the rows. after_epoch(epoch, W, b) may watch.
    -> W, b (new arrays), mean batch loss of each epoch
    """
    W, b, losses = W.copy(), b.copy(), []
    for epoch, order in enumerate(orders, 1):
        total = 0.0
        for start in range(0, len(order), batch):
            rows = order[start:start + batch]
            total += cross_entropy(X[rows], y[rows], W, b) * len(rows)
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
            W -= rate * grad_W
            b -= rate * grad_b
        losses.append(total / len(order))
        if after_epoch:
            after_epoch(epoch, W, b)
    return W, b, losses


def accuracy(X, y, W, b):
    """Share of right answers."""
    return np.mean((X @ W + b).argmax(axis=1) == y)


# %%
EPOCHS, RATE = by_profile(quick=10, standard=30, full=30), 0.5
order_rng = np.random.default_rng(8)
orders = [order_rng.permutation(len(X_train)) for _ in range(EPOCHS)]
with plotting.LiveCurves(EPOCHS, ("loss", "accuracy"), "By hand") as live:
    def show(epoch, W, b):
        live.update(epoch, {
            "loss": cross_entropy(X_train, y_train, W, b),
            "val_loss": cross_entropy(X_val, y_val, W, b),
            "accuracy": accuracy(X_train, y_train, W, b),
            "val_accuracy": accuracy(X_val, y_val, W, b)})

    W, b, losses = train_by_hand(X_train, y_train, W_start, b_start, RATE, orders,
                                 after_epoch=show)
print(f"validation accuracy {accuracy(X_val, y_val, W, b):.1%}, "
      f"nearest average {np.mean(nearest_average(X_val) == y_val):.1%}")

# %% [markdown]
# The loss falls fast, then slowly; the validation curves stay close to the training curves. Now **Document 3's chart, run as drawn**, each box once: one step on the whole training set.

# %%
grad_W, grad_b = gradient(X_train, y_train, W_start, b_start)
once = W_start - RATE * grad_W, b_start - RATE * grad_b
claim("the loop's loss as a share of the loss of the chart as drawn",
      cross_entropy(X_train, y_train, W, b) / cross_entropy(X_train, y_train, *once),
      at_most=0.1, applies=profile() != "quick")
for name, parameters in (("once", once), ("looped", (W, b))):
    print(f"{name:6} training loss {cross_entropy(X_train, y_train, *parameters):.3f}, "
          f"validation accuracy {accuracy(X_val, y_val, *parameters):.1%}")

# %% [markdown]
# One step is no nonsense, but it leaves most of the loss where it was. What did the loop put into the 650 numbers? Each column of $W$ is an image again:

# %% tags=["figure"]
#@title Figure: What speaks for each digit (blue) and against it (red)
limit = np.abs(W).max()
fig, axes = plt.subplots(1, 10, figsize=(9, 1.5))
for k, ax in enumerate(axes):
    ax.imshow(W[:, k].reshape(8, 8), cmap="RdBu", vmin=-limit, vmax=limit)
    ax.set_title(k, fontsize=10)
    ax.axis("off")
fig.suptitle("What speaks for each digit (blue) and against it (red)",
             fontweight="bold")
plt.show()

# %% [markdown]
# Look at the 0: ink in the middle speaks strongly against it. Nobody wrote that rule; it came out of the loop. (How far such images may be trusted as explanations: notebook [[interpretability_and_fairness]].)
#
# **A trap in the loop.** Why 896 training images? It is 28 · 32. With one more, every epoch ends with a batch of a single image, which gets a full step all for itself. Watch what that does:

# %%
rows = slice(0, 897)  # one image more than `train`
X_more, y_more = flat(digits.x_train[rows]), digits.y_train[rows]
fig, ax = plt.subplots(figsize=(6.2, 3.2))
for used, color, name in ((897, plotting.RED, "last batch of 1"),
                          (896, plotting.BLUE, "same order, last batch left out")):
    trap_rng, each = np.random.default_rng(5), []
    train_by_hand(X_more, y_more, W_start, b_start, RATE,
                  [trap_rng.permutation(897)[:used] for _ in range(EPOCHS)],
                  after_epoch=lambda e, W, b: each.append(accuracy(X_val, y_val, W, b)))
    print(f"{name}: validation accuracy {min(each[2:]):.0%} to {max(each[2:]):.0%} "
          "from the third epoch on")
    ax.plot(range(1, EPOCHS + 1), each, "o-", ms=3, color=color, label=name)
ax.set(title="897 images: after a batch of one, some epochs end badly",
       xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1.02))
ax.legend(loc="lower right")
plt.show()


# %% [markdown]
# One image more, and how good the model is depends on the epoch in which you stop: most end well, some far below, and no error message tells. The blue run has the same orders and leaves the last batch out (another image in every epoch, so none is lost for good).

# %% [markdown]
# ### Exercise 2.8 · deal the batches (7 min)
# Write the part of the loop that decides who is in which batch. Shuffle the row numbers 0 … n−1 with the generator `rng`, then cut them into batches of `size`; the last may be smaller. Every row must come exactly once.

# %% tags=["exercise"]
def batches(n, size, rng):
    """Row numbers of one epoch in random order, cut into batches.

    -> list of int arrays, each of length `size` but perhaps the last
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("2.8", "deal the batches"):
    for n_t, size_t in ((10, 4), (12, 4), (9, 4), (3, 5), (1, 1)):
        dealt_t = list(batches(n_t, size_t, np.random.default_rng(n_t)))
        lengths_t, (full_t, rest_t) = list(map(len, dealt_t)), divmod(n_t, size_t)
        wanted_t = [size_t] * full_t + [rest_t] * (rest_t > 0)
        assert lengths_t == wanted_t, f"{n_t} rows: lengths {lengths_t}, not {wanted_t}"
        everyone_t = sorted(int(row) for rows in dealt_t for row in rows)
        assert everyone_t == list(range(n_t)), f"each row once, not {everyone_t}"
    first_t, again_t, other_t = (
        np.concatenate(list(batches(50, 8, np.random.default_rng(seed)))).astype(int)
        for seed in (1, 1, 2))
    assert (first_t == again_t).all(), "draw every random number from `rng`"
    assert (first_t != other_t).any(), "another generator, another order"
    for order_t in (first_t, other_t):  # a row's number minus that of the row before
        most_t = np.bincount(np.diff(order_t) % 50).max()
        assert most_t < 15, f"{most_t} of 49 rows follow an old neighbor: not shuffled"
    epoch_rng_t = np.random.default_rng(3)
    company_t = [{frozenset(map(int, rows)) for rows in batches(50, 8, epoch_rng_t)}
                 for _ in range(2)]
    assert company_t[0] != company_t[1], "new batches in every epoch: shuffle, then cut"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `rng.permutation(n)` shuffles; `range(0, n, size)` gives the starts.
# </details>

# %% tags=["solution", "keep"] lesson="training"
#@title Solution 2.8 · runs only while yours does not pass
if not solved("2.8"):
    def batches(n: int, size: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Row numbers of one epoch in random order, cut into batches.

        -> int arrays (size,); the last may be shorter
        """
        order = rng.permutation(n)
        return [order[start:start + size] for start in range(0, n, size)]

# %% [markdown]
# ## 2.9 Too small, right, too large
#
# The learning rate is the first hyperparameter to look at when training disappoints. Same start, same batches, different rates; judged on the validation set, never on the test set.

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
for rate, name, color in ((0.005, "too small", plotting.SKY),
                          (0.5, "right", plotting.GREEN),
                          (20, "too large", plotting.RED)):
    each = []
    train_by_hand(
        X_train, y_train, W_start, b_start, rate, orders,
        after_epoch=lambda e, W, b: each.append(cross_entropy(X_val, y_val, W, b)))
    left.semilogy(range(1, EPOCHS + 1), each, color=color, label=f"η = {rate}: {name}")
left.axhline(np.log(10), color=plotting.GRAY, linestyle=":")
left.set(title="Three rates, three courses", xlabel="epoch", ylabel="validation loss",
         ylim=(0.1, 20))
left.legend(fontsize=8, loc="upper right")

sweep = np.logspace(-3, 2, by_profile(quick=11, standard=21, full=21))
final = [train_by_hand(X_train, y_train, W_start, b_start, rate, orders)[:2]
         for rate in sweep]
at_end = [cross_entropy(X_val, y_val, *parameters) for parameters in final]
right.loglog(sweep, at_end, "o-")
right.axhline(np.log(10), color=plotting.GRAY, linestyle=":", label="start: log 10")
right.set(title=f"After {EPOCHS} epochs: a valley of good rates",
          xlabel="learning rate η", ylabel="validation loss at the end")
right.legend(fontsize=8)
plt.show()
P = softmax(X_val @ final[-1][0] + final[-1][1])  # of the largest rate
missed = P.argmax(axis=1) != y_val
print(f"lowest at η = {sweep[np.argmin(at_end)]:.2g}; at η = {sweep[-1]:.0f}: "
      f"loss {at_end[-1]:.1f}, "
      f"mean probability of the wrong answers {P[missed].max(axis=1).mean():.3f}")

# %%
# 401 images that no training has seen; the test set stays closed
X_unseen = np.concatenate([X_val, flat(x_later)])
y_unseen = np.concatenate([y_val, y_later])
errors = {}
for rate in (0.5, 100):
    shuffles = [np.random.default_rng(seed) for seed in range(by_profile(
        quick=2, standard=30, full=30))]
    errors[rate] = np.array([1 - accuracy(X_unseen, y_unseen, *train_by_hand(
        X_train, y_train, W_start, b_start, rate,
        [chance.permutation(len(X_train)) for _ in range(EPOCHS)])[:2])
        for chance in shuffles])
    print(f"η = {rate:>3}: errors {errors[rate].mean():.1%} "
          f"± {errors[rate].std(ddof=1):.1%} ({len(shuffles)} orders of the images)")
claim("errors at η = 100 / at 0.5", errors[100].mean() / errors[0.5].mean(),
      at_least=1.2, applies=profile() != "quick")

# %% [markdown]
# A small rate creeps. A large one jumps about. Any rate in the valley will do; 0.5 lies in it. At the largest rate the *loss* suffers most, because even wrong answers are given with near certainty. The *accuracy* looks better than that, because only the order of the ten scores counts for it; but look at the errors, as notebook [[start_here]] advised: half as many again, averaged over thirty orders. Search rates in factors, not in differences, and look at the curve, not
# only at its end. Notebook [[optimizers]] lets the rate change while training.
#
# Is dividing by 16 as important as standardizing was in 2.3? All pixels have the same unit, so it merely renames the rate. Raw pixels are 16 times larger, so the slopes and with them the step on $W$ are 16 times larger; and in the scores this step is multiplied by the pixels, 16 times larger again: 256 times in all.

# %%
renamed = train_by_hand(
    16 * X_train, y_train, W_start / 16, b_start, RATE / 256, orders)[2]
print(f"raw pixels at η = 0.5/256: loss of the last epoch {renamed[-1]:.4f}, "
      f"scaled pixels at 0.5: {losses[-1]:.4f}")

# %% [markdown]
# Nearly the same; what differs is the bias, whose slope did not grow. (The start was divided by 16 as well, so that both begin with the same scores.)

# %% [markdown]
# ## 2.10 "Is it large enough?" can only be asked afterwards
#
# Document 4's chart (2.3) decides before training whether the data are large enough, and sends every failure to *add data*. Train on 10, 20, … images for equally many steps, once with a good rate and once with the small one:

# %%
sizes = np.array([10, 20, 50, 100, 200, 400, 896])
STEPS = by_profile(quick=100, standard=400, full=400)
REPEATS = by_profile(quick=2, standard=5, full=5)


def learning_curve(rate, sizes=sizes, steps=STEPS, repeats=REPEATS):
    """Validation accuracy for every size, (repeats, sizes), on random subsets."""
    table = np.empty((repeats, len(sizes)))
    for i, j in np.ndindex(table.shape):
        chance = np.random.default_rng(i)
        rows = chance.permutation(len(X_train))[:sizes[j]]
        # one long "epoch" of batches, each of 32 images drawn with repetition
        draws = chance.integers(0, sizes[j], (1, 32 * steps))
        table[i, j] = accuracy(X_val, y_val, *train_by_hand(
            X_train[rows], y_train[rows], W_start, b_start, rate, draws)[:2])
    return table


fig, ax = plt.subplots(figsize=(6.2, 3.4))
for rate, color in ((0.5, plotting.GREEN), (0.005, plotting.SKY)):
    table = learning_curve(rate)
    average = table.mean(axis=0)
    ax.errorbar(sizes, average, table.std(axis=0, ddof=1), fmt="o-", color=color,
                capsize=3, label=f"η = {rate}")
    print(f"η = {rate}: ", *(f"{n}: {a:.0%}" for n, a in zip(sizes, average)), sep="  ")
patient = learning_curve(0.005, (100, 896), 100 * STEPS, repeats=1)[0]
print(f"η = 0.005, 100 times the steps:  100: {patient[0]:.0%}  896: {patient[1]:.0%}")
ax.set(title=f"After {STEPS} steps 100 images at a good rate beat 896 at a small one",
       xlabel="training images", ylabel="validation accuracy", xscale="log")
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# The bars are ± 1 standard deviation over random subsets and batches (at the right end the subset is everything, so only the batches vary). With the good rate the curve flattens: whether data are enough is read off the *slope* at the right end of such a curve, after training, and against the accuracy that you need. With the small rate, *add data* helps too, but
# nine times the data do not make up for it. What it lacks are steps: a hundred times as many bring it to about where the good rate was after 400 (last line: one run each). First find out which box is to blame.

# %% [markdown]
# ## 2.11 Evaluation: once, and with a margin
#
# The choices are made: rate 0.5, 30 epochs. Now the test set is opened. (Later sections look at it again to *show* things. Nothing is chosen by it: whoever chooses by a test set needs a new one.)

# %%
right_or_wrong = (X_test @ W + b).argmax(axis=1) == y_test  # (500,) booleans
share, n = right_or_wrong.mean(), len(y_test)
margin = 1.96 * np.sqrt(share * (1 - share) / n)
print(f"test accuracy {share:.1%} ± {margin:.1%} (95 % interval), "
      f"nearest average {np.mean(nearest_average(X_test) == y_test):.1%}")
claim("test accuracy by hand", share, at_least=0.94, applies=profile() != "quick")

# %% [markdown]
# Where does the margin come from? Each test image is a draw: right with probability $p$, else wrong. The share of right ones among $n$ then has the standard deviation $\sqrt{p(1-p)/n}$, and in 95 of 100 test sets it lies within 1.96 of them around $p$. It is a rule of thumb for a $p$ not too near to 0 or 1; notebook [[evaluation_metrics]] derives it
# and a better one. Check it with draws:

# %% tags=["nbval-check-output"]
shares = np.random.default_rng(2).binomial(500, 0.96, 100_000) / 500
formula = np.sqrt(0.96 * 0.04 / 500)
print(f"spread of 100,000 test sets {shares.std():.4f}, formula {formula:.4f};"
      f" within 1.96 of it {np.mean(np.abs(shares - 0.96) <= 1.96 * formula):.0%}")


# %% [markdown]
# That is the luck of *which* images are in the test set. Another kind of luck is the random start with the order of the batches. Compare the two by experiment: new starts on the same images, and new cuts with the same start (a new cut draws the training images afresh too, so its spread holds both).

# %%
def test_accuracy(X_fit, y_fit, X_new, y_new, seed):
    """Train from a random start, judge on new images."""
    chance = np.random.default_rng(seed)
    start = chance.normal(0, 0.01, (64, 10))
    shuffles = [chance.permutation(len(y_fit)) for _ in range(EPOCHS)]
    return accuracy(X_new, y_new, *train_by_hand(
        X_fit, y_fit, start, np.zeros(10), RATE, shuffles)[:2])


# %% [markdown]
# And does it depend on the model? Ask a second one as well, with a *hidden layer* of 32 units between the pixels and the ten scores. (Its gradient is the subject of notebook [[backpropagation]]; section 2.12 builds the same network in one line.)

# %% tags=["plumbing"]
#@title Plumbing: the loop of 2.8 for a network with a hidden layer
def hidden_accuracy(X_fit, y_fit, X_new, y_new, seed):
    """As test_accuracy, with 32 hidden units max(0, ·) before the ten scores."""
    chance = np.random.default_rng(seed)
    V, c = chance.normal(0, np.sqrt(2 / 64), (64, 32)), np.zeros(32)
    U, d = chance.normal(0, np.sqrt(2 / 32), (32, 10)), np.zeros(10)
    for _ in range(EPOCHS):
        order = chance.permutation(len(y_fit))
        for at in range(0, len(order), 32):
            rows = order[at:at + 32]
            hidden = np.maximum(0, X_fit[rows] @ V + c)  # (32, 32)
            delta = softmax(hidden @ U + d)
            delta[np.arange(len(rows)), y_fit[rows]] -= 1
            delta /= len(rows)
            inner = delta @ U.T * (hidden > 0)
            U -= RATE * hidden.T @ delta
            d -= RATE * delta.sum(axis=0)
            V -= RATE * X_fit[rows].T @ inner
            c -= RATE * inner.sum(axis=0)
    return accuracy(np.maximum(0, X_new @ V + c), y_new, U, d)


# %%
SEEDS = by_profile(quick=3, standard=20, full=20)
X_all, y_all = np.concatenate([X_train, X_test]), np.concatenate([y_train, y_test])
luck = {}  # name -> 20 accuracies
for name, judged in (("one layer", test_accuracy), ("hidden layer", hidden_accuracy)):
    luck[f"{name}, new start"] = [judged(X_train, y_train, X_test, y_test, seed)
                                  for seed in range(SEEDS)]
    luck[f"{name}, new cut"] = []
    for seed in range(SEEDS):
        order = np.random.default_rng(100 + seed).permutation(len(y_all))
        fit, new = order[:-500], order[-500:]
        luck[f"{name}, new cut"].append(
            judged(X_all[fit], y_all[fit], X_all[new], y_all[new], seed=0))

fig, ax = plt.subplots(figsize=(7.6, 3.2))
ax.axvspan(share - margin, share + margin, color=plotting.YELLOW, alpha=0.35,
           label="95 % interval of the test accuracy above")
jitter = np.random.default_rng(0).uniform(-0.15, 0.15, SEEDS)
colors = (plotting.BLUE, plotting.BLUE, plotting.ORANGE, plotting.ORANGE)
for height, (values, color) in enumerate(zip(luck.values(), colors)):
    ax.plot(values, height + jitter, "o", alpha=0.6, color=color)
ax.set(title="With one layer the start hardly matters; with a hidden layer it does",
       xlabel="accuracy on 500 images", ylim=(3.5, -1.4), yticks=range(4),
       yticklabels=list(luck))
ax.legend(loc="upper left")
plt.show()
spread = {name: np.std(values, ddof=1) for name, values in luck.items()}
for name, value in spread.items():
    print(f"{name:24} standard deviation {value:.2%}")
claim("one layer: spread over cuts / over starts",
      spread["one layer, new cut"] / spread["one layer, new start"], at_least=3,
      applies=profile() != "quick")
claim("hidden layer: spread over cuts / over starts",
      spread["hidden layer, new cut"] / spread["hidden layer, new start"], at_most=3,
      applies=profile() != "quick")

# %% [markdown]
# Two different uncertainties; report both. With one layer new starts (*seeds*, 随机种子) hardly matter, *here*: its loss has a single valley, and every start ends at nearly the same place in it. With a hidden layer there are many valleys, and the start matters about as much as the images. In neither case is the spread over starts the uncertainty of the accuracy on *new images*:
# that is what the yellow band estimates. A difference between two models that is smaller than the band needs a better comparison (notebook [[evaluation_metrics]]) or more test images.
#
# And the mistakes? Always look:

# %% tags=["figure"]
#@title Figure: The ten surest mistakes
wrong = np.flatnonzero(~right_or_wrong)
P = softmax(X_test[wrong] @ W + b)
surest = wrong[np.argsort(-P.max(axis=1))][:10]
P = softmax(X_test[surest] @ W + b)
titles = [f"{row.argmax()} ({row.max():.0%}), is {label}"
          for row, label in zip(P, y_test[surest])]
fig = plotting.image_grid(digits.x_test[surest], titles, columns=5, size=1.4)
fig.suptitle("The ten surest mistakes", fontweight="bold")
plt.show()


# %% [markdown]
# Above each: the answer with the probability that the model gave it, then the label. A high probability is no guarantee; section 2.14 uses it nevertheless, for what it can show.

# %% [markdown]
# ### Exercise 2.11 · how many test images? (6 min)
# Your customer wants the accuracy to within `margin` (0.01 for ± 1 point, 95 % interval). You expect an accuracy near `p`. Return the smallest whole number of test images that suffices, by the rule above. Try it with your guess for the digits: is 500 enough for ± 1 point?

# %% tags=["exercise"]
def images_needed(p, margin):
    """Test set size n at which 1.96 · sqrt(p (1 - p) / n) first is <= margin.

    p, margin: numbers between 0 and 1 -> int
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("2.11", "how many test images?"):
    for p_t, margin_t in ((0.96, 0.01), (0.5, 0.03), (0.9, 0.1), (0.99, 0.002)):
        n_t = images_needed(p_t, margin_t)
        assert isinstance(n_t, int | np.integer), f"a whole number, as int, not {n_t!r}"
        spread_t = np.sqrt(p_t * (1 - p_t))
        of_n_t, of_less_t = 1.96 * spread_t / np.sqrt([n_t, n_t - 1])
        case_t = f"p = {p_t}, margin {margin_t}"
        assert of_n_t <= margin_t, f"{case_t}: {n_t} images give ± {of_n_t:.4f}"
        assert of_less_t > margin_t, f"{case_t}: {n_t - 1} images would do"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Square both sides and solve for $n$; `math.ceil` or `np.ceil` rounds up.
# </details>

# %% tags=["solution"]
#@title Solution 2.11 · runs only while yours does not pass
if not solved("2.11"):
    def images_needed(p, margin):
        return int(np.ceil(1.96**2 * p * (1 - p) / margin**2))

# %% [markdown]
# ## 2.12 The same loop in Keras
#
# Only now TensorFlow is imported. The map says what Keras must be told: a network, a loss, an update rule. The gradient it finds by itself.

# %%
tf = devices.setup(seed=0)
import keras

model = keras.Sequential([keras.layers.Input((64,)), keras.layers.Dense(10)])
print(f"{model.count_params()} parameters")

# %% [markdown]
# `Dense(10)` is $XW + b$; `from_logits=True` puts the softmax into the loss; `SGD`, *stochastic gradient descent* (随机梯度下降), is our update with random batches. Same start, and the same batches: we hand over the rows of all epochs in our order, and forbid shuffling.

# %%
model.compile(optimizer=keras.optimizers.SGD(RATE),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=["accuracy"])
model.set_weights([W_start, b_start])  # `fit` goes on from where the weights are
everything = np.concatenate(orders)  # epoch after epoch
history = model.fit(X_train[everything], y_train[everything], batch_size=32, verbose=0,
                    shuffle=False, epochs=EPOCHS, steps_per_epoch=len(X_train) // 32)
keras_losses = history.history["loss"]
W_keras, b_keras = model.get_weights()
keras_test_loss = model.evaluate(X_test, y_test, verbose=0)[0]
print(f"updates: {model.optimizer.iterations.numpy()}")

claim("loss of an epoch, largest difference by hand − Keras",
      np.abs(np.array(losses) - keras_losses).max(), at_most=1e-5)
claim("test loss, difference",
      abs(keras_test_loss - cross_entropy(X_test, y_test, W, b)), at_most=1e-5)
claim("weights and biases, largest difference",
      max(np.abs(W - W_keras).max(), np.abs(b - b_keras).max()), at_most=1e-5)

# %% tags=["figure"]
#@title Figure: Two loops, one curve
fig, ax = plt.subplots(figsize=(6, 3.2))
ax.plot(range(1, EPOCHS + 1), losses, lw=5, alpha=0.4, label="by hand")
ax.plot(range(1, EPOCHS + 1), keras_losses, "--", color="black", label="Keras")
ax.set(title="Two loops, one curve", xlabel="epoch", ylabel="training loss")
ax.legend()
plt.show()

# %% [markdown]
# After all updates (840 in 30 epochs) the parameters agree to five decimals or better. Ours counts in 64 bits, Keras in 32, so the last digits must differ. Nothing is hidden in `fit`: it *is* the loop of 2.8. What Keras buys is the next step. To swap the network box for one with a hidden layer, we would have to derive a
# new gradient (notebook [[backpropagation]]); here it is one more line:

# %%
keras.utils.set_random_seed(0)  # the same start whenever this cell runs
net = keras.Sequential([
    keras.layers.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10)])
net.compile(optimizer=keras.optimizers.SGD(RATE), metrics=["accuracy"],
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
net.fit(X_train, y_train, validation_data=(X_val, y_val), epochs=EPOCHS // 2,
        batch_size=32, verbose=0,
        callbacks=[plotting.training_plot(title="A hidden layer")]);

# %%
for name, candidate in (("one layer", model), ("two layers", net)):
    loss, share_right = candidate.evaluate(X_val, y_val, verbose=0)
    margin_val = 1.96 * np.sqrt(share_right * (1 - share_right) / len(y_val))
    print(f"{name:11} validation loss {loss:.3f}, accuracy {share_right:.1%}"
          f" ± {margin_val:.1%}")

# %% [markdown]
# Two hundred validation images cannot tell such accuracies apart. The loss, which also counts *how* sure each answer is, favors the two layers, after half the epochs. For this notebook we still ship the one that we can follow number by number: the 650 parameters.

# %% [markdown]
# ## 2.13 Deployment: save, load, refuse, answer
#
# **Save** everything that an answer needs: the parameters, but also the scale and the shape of the input and which version this is. A file with only the weights is half a model.

# %%
temporary = tempfile.TemporaryDirectory()  # removed when the kernel ends
folder = Path(temporary.name)
np.savez(folder / "reader.npz", W=W, b=b, scale=16.0, shape=(8, 8), version="digits-1")
model.save(folder / "reader.keras")


class DigitReader:
    """A saved digit reader: call it with one image."""

    def __init__(self, path):
        # arrays only: a file with pickled objects could run code
        stored = np.load(path, allow_pickle=False)
        self.W, self.b, self.scale = stored["W"], stored["b"], float(stored["scale"])
        self.shape = tuple(stored["shape"].tolist())
        self.version = str(stored["version"])

    def checked(self, image):
        """The image as floats, or ValueError that says what is wrong with it."""
        try:
            pixels = np.asarray(image, dtype=float)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError("an image must be an array of numbers") from error
        if pixels.shape != self.shape:
            raise ValueError(f"shape {pixels.shape}, expected {self.shape}")
        if not np.isfinite(pixels).all():
            raise ValueError("some pixels are not finite")
        if pixels.min() < 0 or pixels.max() > self.scale:
            raise ValueError(f"pixels must lie between 0 and {self.scale:g}")
        if not pixels.any():
            raise ValueError("the image is blank")
        return pixels

    def __call__(self, image):
        """-> digit, its probability (rounded)"""
        x = self.checked(image).reshape(1, -1) / self.scale
        P = softmax(x @ self.W + self.b)[0]
        return int(P.argmax()), round(float(P.max()), 3)


# %% [markdown]
# **Load** in what could be another process, and compare with the model in memory; the same for Keras' own format. A model that answers differently after loading is a classic accident.

# %%
reader = DigitReader(folder / "reader.npz")
loaded = keras.saving.load_model(folder / "reader.keras")
answers = np.array([reader(image)[0] for image in digits.x_test])
claim("answers that differ after loading, by hand",
      np.sum(answers != (X_test @ W + b).argmax(axis=1)), at_most=0)
before, after = (m.predict(X_test, verbose=0) for m in (model, loaded))
claim("logits, largest difference after loading, Keras",
      np.abs(before - after).max(), at_most=1e-6)
print(f"version {reader.version}: {reader(digits.x_test[0])}, label {y_test[0]}; "
      f"{(folder / 'reader.npz').stat().st_size / 1e3:.1f} kB")

# %% [markdown]
# **Refuse.** Mathematics answers anything. Users send anything. Which of these should get an answer?

# %%
good = digits.x_test[0].astype(float)
hole = good.copy()
hole[3, 3] = np.nan
requests = {
    "a digit": good, "a list of lists": good.astype(int).tolist(), "text": "seven",
    "too small": good[:4], "a batch": digits.x_test[:2], "with a hole": hole,
    "a number of 401 digits": [[10**400] * 8] * 8, "0 to 255": good * 255 / 16,
    "blank": good * 0, "already divided by 16": good / 16,
}
for name, image in requests.items():
    try:
        print(f"{name:22} → {reader(image)}")
    except ValueError as error:
        print(f"{name:22} refused: {error}")

# %% [markdown]
# The last one passes every check: legal numbers, right shape. A client that divides by 16 because the training code did makes the server divide twice. How bad is it?

# %% tags=["evidence"]
#@title Evidence: accuracy lost by dividing twice
twice = softmax(X_test / 16 @ W + b)
of_twice = np.mean(twice.argmax(axis=1) == y_test)
print(f"divided twice: accuracy {of_twice:.1%} instead of {share:.1%}, "
      f"mean probability of its answers {twice.max(axis=1).mean():.2f}")
claim("accuracy lost by dividing twice", share - of_twice, at_least=0.1,
      applies=profile() != "quick")


# %% [markdown]
# No error, no warning, and a large part of the accuracy is gone. Preprocessing belongs *inside* the deployed model, in one place, and what reaches it has to be watched (2.14).
#
# **Answer in time.** One user waits for one image, so measure single calls, and not their mean: users remember the slow ones.

# %%
def milliseconds(call, times):
    """Duration of single calls after one warm-up call. -> (times,) in ms"""
    call()
    measured = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        measured.append(1e3 * (time.perf_counter() - start))
    return np.array(measured)


one = X_test[:1].astype(np.float32)
CALLS = by_profile(quick=20, standard=100, full=100)
latency = {
    "x @ W + b alone": milliseconds(lambda: one @ W_keras + b_keras, 20 * CALLS),
    "reader(image)": milliseconds(lambda: reader(digits.x_test[0]), 20 * CALLS),
    "model(x)": milliseconds(lambda: model(one), CALLS),
    "model.predict(x)": milliseconds(lambda: model.predict(one, verbose=0), CALLS // 7),
}
fig, ax = plt.subplots(figsize=(6.4, 2.6))
ax.boxplot(list(latency.values()), orientation="horizontal", whis=(0, 100),
           showfliers=False, tick_labels=list(latency))
ax.set(title="One image, four ways to call, four durations",
       xlabel="milliseconds for one image (line: median; whiskers: all calls)",
       xscale="log")
plt.show()
for name, times in latency.items():
    slow = (f"99 % below {np.percentile(times, 99):7.3f}" if len(times) >= 100
            else f"slowest {times.max():7.3f}")  # too few calls for a 99 %
    print(f"{name:17} median {np.median(times):7.3f} ms, {slow} ms "
          f"({len(times):,} calls)")
claim("predict on one row / our reader, medians",
      np.median(latency["model.predict(x)"]) / np.median(latency["reader(image)"]),
      at_least=5, applies=profile() != "quick")


# %% [markdown]
# `predict` is made for thousands of rows and prepares accordingly; for single rows call the model, or export it (notebook [[deployment_and_monitoring]]). Of our reader's time, too, the matrix product is the smaller part; checks, softmax and bookkeeping are the rest.

# %% [markdown]
# ### Exercise 2.13 · a form that refuses nonsense (15 min)
# The neuron of 2.2 told a customer with −40 visits something. Write the check in front of it. `form` is a dictionary. Return the array `[visits, yuan]` (float) if both keys are there, both values are numbers (`int` or `float`, but not `bool`) and finite as floats, neither is negative, and visits is a whole number. Otherwise
# raise `ValueError`, and no other error. Keys beyond these two are ignored.

# %% tags=["exercise"]
def read_form(form):
    """[visits, yuan] as floats from a user's form, or ValueError.

    form: dict, e.g. {"visits": 2, "yuan": 49.5} -> (2,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("2.13", "a form that refuses nonsense"):
    for form_t, wanted_t in (({"visits": 2, "yuan": 49.5}, [2, 49.5]),
                             ({"yuan": 5, "visits": 0}, [0, 5]),
                             ({"visits": 3.0, "yuan": 0, "name": "Li"}, [3, 0]),
                             ({"visits": 1, "yuan": 1e300}, [1, 1e300])):
        answer_t = read_form(dict(form_t))
        assert isinstance(answer_t, np.ndarray), f"return an array, not {answer_t!r}"
        assert answer_t.dtype.kind == "f", f"of floats, not of {answer_t.dtype}"
        np.testing.assert_array_equal(answer_t, wanted_t, f"{form_t}")
    nan_t, inf_t, huge_t = float("nan"), float("inf"), 10**400  # too large for a float
    bad_t = [(-1, 5), (1, -5), (1.5, 5), (0.5, 5), ("2", 5), (2, None), (True, 5),
             (1, False), (nan_t, 1.0), (1, nan_t), (inf_t, 1.0), (1, inf_t), (1, [5]),
             (1, "5"), (1, -0.5), (huge_t, 1), (1, huge_t)]
    bad_t = [{"visits": visits, "yuan": yuan} for visits, yuan in bad_t]
    for form_t in ({}, {"visits": 2}, {"yuan": 2.0}, *bad_t):
        said_t = f"{form_t}"[:60]
        try:
            answer_t = read_form(dict(form_t))
        except ValueError:
            continue
        except Exception as error_t:
            kind_t = type(error_t).__name__
            raise AssertionError(f"{said_t}: ValueError, not {kind_t}") from error_t
        raise AssertionError(f"{said_t} must be refused, not read as {answer_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Go through the two keys in a loop. `isinstance(True, int)` is true in Python: ask for `bool` first. `0 <= float(value) < float("inf")` is false for negative numbers, infinity and nan; for an integer that no float can hold, such as `10**400`, `float` raises an OverflowError. `visits % 1` is 0 for a whole number.
# </details>

# %% tags=["solution"]
#@title Solution 2.13 · runs only while yours does not pass
if not solved("2.13"):
    def read_form(form):
        for key in ("visits", "yuan"):
            value = form.get(key)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ValueError(f"{key} must be a number")
            try:
                fine = 0 <= float(value) < float("inf")  # nan fails every comparison
            except OverflowError:  # an integer that no float can hold
                fine = False
            if not fine:
                raise ValueError(f"{key} must be finite and not negative")
        if form["visits"] % 1 != 0:
            raise ValueError("visits must be a whole number")
        return np.array([form["visits"], form["yuan"]], dtype=float)


# %% [markdown]
# ## 2.14 Drift: the world moves, the model stays
#
# The reader is in service. Thirty days, sixty images a day, played by test images (nothing is chosen by them here; *later* is saved for 2.15). On day 11 the camera slips by one pixel, an eighth of the width. On day 21 it is put right, but the office buys faint pens. Nobody tells us, and nobody labels the images. What can we *see*?
# Two numbers need no labels: the mean *ink* of a day's images, and the mean *confidence*, the probability that the reader gives its own answers.

# %%
def slipped(images):
    """Images (n, 8, 8) moved right by one pixel; the first column becomes 0."""
    moved = np.zeros_like(images)
    moved[:, :, 1:] = images[:, :, :-1]
    return moved


def ink_and_confidence(X):
    """Per image: mean gray value, probability of the answer. X: (n, 64) -> (n, 2)"""
    return np.column_stack([X.mean(axis=1), softmax(X @ W + b).max(axis=1)])


PER_DAY, days = 60, np.arange(1, 31)
stream_rng = np.random.default_rng(14)
watched, daily_accuracy = np.empty((30, 2)), np.empty(30)
for day in days:
    rows = stream_rng.choice(len(y_test), PER_DAY, replace=False)
    images = digits.x_test[rows].astype(float)
    if 11 <= day <= 20:
        images = slipped(images)
    elif day > 20:
        images = images * 0.25
    watched[day - 1] = ink_and_confidence(flat(images)).mean(axis=0)
    daily_accuracy[day - 1] = accuracy(flat(images), y_test[rows], W, b)

# %% [markdown]
# When is a day unusual? Take the validation images, which the model did not learn from, and ask how far the mean of sixty of them strays: three standard deviations, $3 s / \sqrt{60}$ with $s$ the standard deviation of single images.

# %%
usual = ink_and_confidence(X_val)
center, width = usual.mean(axis=0), 3 * usual.std(axis=0, ddof=1) / np.sqrt(PER_DAY)
alarm = np.abs(watched - center) > width  # (30, 2)

fig, axes = plt.subplots(3, 1, figsize=(7, 5.6), sharex=True)
for ax, column, name in zip(axes, (0, 1), ("mean ink", "confidence")):
    ax.axhspan(center[column] - width[column], center[column] + width[column],
               color=plotting.GREEN, alpha=0.2, label="usual (± 3 s.d.)")
    ax.plot(days, watched[:, column], "o-", ms=4)
    loud = alarm[:, column]
    ax.plot(days[loud], watched[loud, column], "o", color=plotting.RED, label="alarm")
    ax.set(ylabel=name, ylim=(0, None))
    ax.legend(loc="lower left", fontsize=8)
axes[2].plot(days, daily_accuracy, "o-", ms=4, color="black")
axes[2].set(ylabel="accuracy\n(unseen)", xlabel="day", ylim=(0, 1.05))
for ax in axes:
    ax.axvline(10.5, color=plotting.GRAY, linestyle=":")
    ax.axvline(20.5, color=plotting.GRAY, linestyle=":")
fig.suptitle("A monitor shows that the input changed, not what it costs",
             fontweight="bold")
plt.show()

# %%
for name, span in (("as trained", slice(0, 10)), ("slipped", slice(10, 20)),
                   ("faint", slice(20, 30))):
    ink, confidence = alarm[span].sum(axis=0)
    print(f"{name:10} alarms of 10 days: {ink:2} by ink, {confidence:2} by confidence; "
          f"accuracy {daily_accuracy[span].mean():.0%}")


# %% [markdown]
# From day 11 the ink stays in its band or at its edge, and accuracy is more than halved: only the confidence notices. From day 21 both monitors give alarms, and accuracy is as good as before: paler ink shrinks all of $XW$ alike, and only the bias can change which of the ten scores is largest. (At a quarter of the ink it seldom does; at a sixteenth, in 2.13, it often did.) So a monitor without labels says *look here*. What it costs only labels can say: have a
# few dozen images labeled whenever an alarm sounds. (*Drift*, 漂移; more in notebooks [[finance_risk]] and [[deployment_and_monitoring]].)

# %% [markdown]
# ### Exercise 2.14 · no alarm for a single odd day (10 min)
# A single day outside the band may be chance. Return the number of the first day (counted from 1) on which the daily value has been outside `center ± width` for `wait` days in a row, that day included; `None` if that never happens. Exactly on the edge is still inside.

# %% tags=["exercise"]
def first_alarm(values, center, width, wait):
    """Day of the first alarm, or None.

    values: (days,) daily means; center, width: numbers; wait: days in a row
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("2.14", "no alarm for a single odd day"):
    week_t = [5.0, 8.0, 5.0, 8.0, 2.0, 9.0, 5.0]
    for values_t, center_t, width_t, wait_t, wanted_t in (
            (week_t, 5, 2, 1, 2), (week_t, 5, 2, 2, 5),  # too low counts like too high
            (week_t, 5, 2, 3, 6), (week_t, 5, 2, 4, None),
            (week_t, 5, 3, 1, 6),  # exactly on the edge is inside
            ([9.0], 5, 2, 1, 1), ([9.0], 5, 2, 2, None), ([], 5, 2, 1, None),
            ([9.0, 9.0, 5.0, 9.0, 9.0, 9.0], 5, 2, 3, 6),  # the last day of all
            ([1.0, 2.0, 3.0, 3.0], 3, 0.5, 1, 1)):
        got_t = first_alarm(np.array(values_t), center_t, width_t, wait_t)
        case_t = f"{values_t}, {center_t} ± {width_t}, wait {wait_t}"
        assert got_t == wanted_t, f"{case_t}: {wanted_t}, not {got_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Count the days in a row: add 1 when outside, go back to 0 when inside. `enumerate(values, 1)` counts from 1.
# </details>
# Try it on `watched[:, 1]` with `center[1]` and `width[1]`: on which day does it sound with `wait=1`, with 3?

# %% tags=["solution"]
#@title Solution 2.14 · runs only while yours does not pass
if not solved("2.14"):
    def first_alarm(values, center, width, wait):
        in_a_row = 0
        for day, value in enumerate(values, 1):
            in_a_row = in_a_row + 1 if abs(value - center) > width else 0
            if in_a_row == wait:
                return day
        return None

# %% [markdown]
# ## 2.15 Back to the start: what to do when it is wrong
#
# Suppose that the slipped camera cannot be put right. The images called *later* arrive slipped, and we pay somebody to label up to 200 of them. Start from the weights in service and train on: fine-tuning, in miniature. On the new images alone, or on old and new together? And would it do to slip copies of our own training images, which
# costs no labels at all?

# %%
UPDATES = by_profile(quick=600, standard=2500, full=2500)


def fine_tuned(X_new, y_new):
    """The weights in service, trained on with random batches of the given images."""
    draws = np.random.default_rng(0).integers(0, len(y_new), (1, 32 * UPDATES))
    return train_by_hand(X_new, y_new, W, b, RATE, draws)[:2]


X_slip, X_slip_test = flat(slipped(x_later)), flat(slipped(digits.x_test))
labeled = (0, 10, 25, 50, 100, 200)
results = {"new images only": [], "old and new, half and half": []}
for bought in labeled:
    if bought == 0:
        models = (W, b), (W, b)
    else:
        copies = -(-len(y_train) // bought)  # repeat the new ones until as many
        new_X = np.tile(X_slip[:bought], (copies, 1))
        new_y = np.tile(y_later[:bought], copies)
        models = (fine_tuned(new_X, new_y),
                  fine_tuned(np.concatenate([X_train, new_X]),
                             np.concatenate([y_train, new_y])))
    for scores, parameters in zip(results.values(), models):
        scores.append([accuracy(X_slip_test, y_test, *parameters),
                       accuracy(X_test, y_test, *parameters)])
X_both = np.concatenate([X_train, flat(slipped(digits.x_train[train]))])
y_both = np.tile(y_train, 2)
augmented = fine_tuned(X_both, y_both)

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
for ax, column, title, X_judge in ((axes[0], 0, "on slipped images", X_slip_test),
                                   (axes[1], 1, "on images as before", X_test)):
    for (name, scores), color in zip(results.items(), (plotting.ORANGE, plotting.BLUE)):
        ax.plot(labeled, np.array(scores)[:, column], "o-", color=color, label=name)
    ax.axhline(accuracy(X_judge, y_test, *augmented), color=plotting.GREEN,
               linestyle="--", label="old and slipped copies of old")
    ax.set(title=title, xlabel="newly labeled images", ylabel="test accuracy",
           ylim=(0, 1.02))
    ax.label_outer()
axes[1].legend(loc="lower right", fontsize=8)
fig.suptitle("New images alone cost the old position; a mixture keeps most of both",
             fontweight="bold")
plt.show()
regained = [accuracy(X_judge, y_test, *augmented) for X_judge in (X_slip_test, X_test)]
table = {"in service, unchanged": results["new images only"][0],
         **{f"{name}, 200": scores[-1] for name, scores in results.items()},
         "old and slipped copies of old": regained}
for name, (on_slipped, as_before) in table.items():
    print(f"{name:32} slipped {on_slipped:.1%}, as before {as_before:.1%}")
longer = fine_tuned(X_train, y_train)  # as many updates, one position only
print(f"training accuracy of the last {accuracy(X_both, y_both, *augmented):.1%}; "
      f"after as many updates on old alone {accuracy(X_train, y_train, *longer):.1%}")
claim("accuracy on slipped images regained without a new label",
      regained[0] - results["new images only"][0][0], at_least=0.3)

# %% [markdown]
# Trained on new images only, the model learns the new position and loses the old one (*forgetting*, 遗忘: notebook [[automl_and_continual_learning]]). Old and new together keep most of the old. And where you can *describe* the change, slipped copies (*augmentation*, 数据增强: notebook [[preparing_data]]) do it without one new label. Still, the images as before lose a little, and the last model fits even its training images less well than
# one trained equally long on one position: its 64 weights per digit now have to serve two. The next box to open would be the network (notebook [[convolution]]). This uses the test set several times, to show you the comparison; to *choose* between the remedies you would take a fresh validation set.
#
# That was the outer loop: a new model, a new version number, and the evaluation box before it goes into service.
#
# Not every failure leads back to the data. Where to look:

# %% [markdown]
# | what you see | box to open | first thing to try |
# |---|---|---|
# | the loss does not start near $\log k$ for $k$ classes | network, loss | start too large? a sum where a mean should be? softmax forgotten? (Wrong labels don't show here: at the start any label is as surprising as any other.) |
# | the training loss does not fall, or jumps | gradient, update | gradient check; rate times or divided by 10 (2.9); do labels belong to their rows? softmax twice? |
# | training loss fine, validation poor | data, network | more data if the curve still rises (2.10); notebook [[training_deep_networks]] |
# | validation fine, test poor | evaluation | a leak, or the validation set asked too often (notebook [[preparing_data]]) |
# | test fine, users complain | deployment | is preprocessing the same? (2.13) Has the input changed? (2.14) |
# | everything fine, and it helps nobody | none of them | the wrong question: parts 4 and 6 |

# %% [markdown]
# ## 2.16 Where it breaks
#
# - **The map leaves people out.** Who chose the question, who labeled, who is harmed by a mistake? Notebooks [[privacy_and_security]], [[interpretability_and_fairness]] and [[product_innovation]] ask.
# - **Held-out is not the world.** Training and test images come from one collection and the same thirteen hands; the margin of 2.11 knows nothing of other hands. The slipped camera showed what such a test accuracy promises, and what it doesn't.
# - **650 parameters are not 650 million.** At that size the loop is the same, but one step needs many machines ([[training_at_scale]]), data cannot be looked at one by one, evaluation becomes the harder half ([[evaluation_metrics]], [[project_gpt]]), and you seldom start at zero ([[project_pretrained_gpt2]], [[transfer_learning]]).
# - **Labels may be wrong or late.** In fraud or medicine the truth comes after months: drift is then all you can see.
#
# **What a product team should ask.** What is the baseline, and the margin of the accuracy? Which inputs are refused? Is preprocessing in one place? Who gets the alarm, who labels the sample, how fast can we go back to the version of last week?

# %% [markdown]
# ## Summary
#
# 1. Data, preprocessing, network, loss, gradient, update: the last four repeat for every batch; then evaluation and deployment, and from both a way back.
# 2. The gradient says in which direction the loss rises fastest; computing it changes nothing. The update moves the parameters, by the learning rate.
# 3. Before training: a split, a baseline, a loss of $\log k$ at the start, a gradient check. After it: one look at the test set, with a margin.
# 4. Preprocessing is part of the model: save it, load it, apply it once. Refuse what you cannot read.
# 5. A monitor sees that inputs change, labels see what it costs; when it costs, go back to the box that is to blame.
#
# | key formula | shape |
# |---|---|
# | $P = \mathrm{softmax}(XW + b)$ | $(B, k)$ |
# | $L = -\frac1B \sum_i \log P_{i, y_i}$; at the start $\log k$ | number |
# | $\delta = (P - Y)/B,\quad \partial L/\partial W = X^\top\delta,\quad \partial L/\partial b = \sum_i \delta_i$ | $(B, k),\ (d, k),\ (k,)$ |
# | $W \leftarrow W - \eta\,\partial L/\partial W$ | $(d, k)$ |
# | margin of an accuracy: $\pm 1.96\sqrt{p(1-p)/n}$ | number |
#
# **Further reading**
#
# - A. Zhang, Z. C. Lipton, M. Li, A. J. Smola, *Dive into Deep Learning*, Cambridge University Press, 2023, chapters 3 and 4: the same loop in four frameworks.
# - D. Sculley and others, "Hidden technical debt in machine learning systems", *Advances in Neural Information Processing Systems* 28, 2015: how small the orange boxes are in a real system.
# - M. Zinkevich, *Rules of Machine Learning: Best Practices for ML Engineering*, Google, online: forty-three rules, most of them about the boxes outside the loop.
# - J. Quiñonero-Candela, M. Sugiyama, A. Schwaighofer, N. D. Lawrence (eds.), *Dataset Shift in Machine Learning*, MIT Press, 2009.
