# ---
# jupyter:
#   course:
#     datasets: [digits]
#     covers: "Check the machine, learn how the course works, train a first model and question it."
#     prerequisites: []
#     ledger: [D1-5.1-a, D1-7.2-a, D1-7.2-b, D2-5.1-a, D2-7.2-a, D2-7.2-b, D2-7.2-c, D2-10.4-a, D3-5.1-a, D3-5.1-b,
#       D3-8.2-a, D4-5.1-a, D4-7.2-a, D4-7.2-b, D4-7.2-c, D4-7.2-e, D4-7.2-f, D5-5.1-a, D5-7.2-a]
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
# # Start here
#
# Check your machine, learn how the course works, train a first model and put three questions to it that any
# result must answer. It takes half an hour.
#
# **You will be able to**
#
# - read the machine report and mend what it complains about;
# - run, restart and reset a notebook, and choose how long it may take;
# - write an answer to an exercise, have it checked, and know where it is kept;
# - train a small network, compare it with a baseline, and find where it fails.

# %% tags=["setup"]
from contextlib import suppress

import matplotlib.pyplot as plt
import numpy as np

from course_utils import (
    by_profile, check, claim, data, devices, plotting, profile, solved,
)

plotting.use_style()
rng = np.random.default_rng(0)

# %% [markdown]
# ## 0.1 Is this machine ready?
#
# Click on the cell below and press **Shift+Enter**. It looks at Python, the packages, memory, disk,
# data and hardware, and ends with a training of three steps. The first run takes about ten seconds, most of
# them for loading TensorFlow.

# %%
from course_utils import doctor

ready = doctor.report()

# %% [markdown]
# Read it from the left. **✓** is fine. **·** works, but is worth knowing: a dataset that is not on
# this machine yet, say, is no obstacle, because each lesson falls back to a small stand-in that comes with the
# course and tells you so. **✗** must be mended first; the line says how.
#
# No GPU (图形处理器) in the report? Nothing in this course needs one. This report is the thing to send when you ask
# somebody for help. `%run -m course_utils doctor` in any cell prints it too.

# %% [markdown]
# ## 0.2 Where the course leads
#
# A *large model* (大模型) is a neural network with very many parameters, trained on very much data. The course
# takes it apart in the order in which one is made.

# %% tags=["figure"]
#@title Figure: Six parts, from concept to product
parts = {
    "1 Concepts": (0, 0),
    "2 Mathematics": (1, 0),
    "3 Keras projects": (2, 0),
    "4 Scenarios": (2, 1),
    "5 In practice": (1, 1),
    "6 Product": (0, 1),
}
order = list(parts)
plotting.flow(parts, list(zip(order, order[1:])), highlight=order[:1],
              title="Six parts, from concept to product")
plt.show()

# %% [markdown]
# The top row runs left to right: concepts, then the mathematics in plain NumPy (from notebook [[preparing_data]] on), then projects
# in Keras (from [[project_mnist]] on). The bottom row comes back: application scenarios (from [[object_detection]] on), what it takes to
# make models practical (from [[training_at_scale]] on), and the product (from [[choosing_and_costing]] on). You can enter at any part; the
# line under each title names what it builds on. Numbers without a link are notebooks that are still being written.
#
# The course follows five Chinese articles, which it calls *the documents*: section 0.10 names them. Where they are wrong,
# it says where ("Document 2, 4.3"), shows the wrong version, runs it, and puts it right.

# %% [markdown]
# ## 0.3 How a notebook runs
#
# A notebook is a text with *cells* of code. A separate process, the *kernel* (内核), runs them and remembers
# every variable. Run the next cell three times with **Ctrl+Enter** (which stays on the cell), and watch the
# number.

# %%
runs = globals().get("runs", 0) + 1
print(f"this cell has run {runs} time(s) since the kernel started")

# %% [markdown]
# The kernel remembers; that is its use and its trap. If results look odd, choose **Kernel → Restart Kernel and Run
# All Cells**. Every notebook here is written to run from top to bottom in a fresh kernel, and is tested that
# way.
#
# How long may a cell compute? That is decided once, by the *profile* (运行档位), and a notebook picks its
# budget in one visible line:

# %%
EPOCHS = by_profile(quick=3, standard=30, full=60)
print(f"profile {profile()}: train for {EPOCHS} epochs")

# %% [markdown]
# *standard* is what you get and what the text describes: at most four minutes a notebook on a laptop with
# two cores. *quick* is for the automatic tests. *full* takes a GPU or patience and gives the best
# numbers. To change it for one notebook, run `%env COURSE_PROFILE=full` in a new first cell; for all of them, on
# macOS and Linux, start with `COURSE_PROFILE=full make lab`.
#
# **What is folded.** You have met a folded cell already: the line *Figure: Six parts, from concept to product* above the drawing (JupyterLab
# writes `#@title` before it). Click on such a line and the code behind it opens. *Run All* runs folded cells like all others; the lesson can be read without them:
#
# | the line begins with | behind it is |
# |---|---|
# | *Figure* | code that only draws |
# | *Evidence* | a comparison with an independent library, a closed form or a promised number |
# | *Plumbing* | file formats, time measurements and the like, which are not the lesson |
# | *Solution* | the course's answer to an exercise: open it last |
#
# A section whose heading ends in ◇ goes deeper: a proof, a second variant, a cost. It is folded as a whole and opens with the arrow beside its
# heading. What is not folded is the *core path*. No part of it needs a section with ◇, and the line under each notebook's title
# tells the minutes for both.

# %% [markdown]
# ## 0.4 How an exercise is checked
#
# Here is an exercise, solved in front of you. *Write a function that returns the share of correct
# predictions.* You always find a stub, whose body is one line:

# %%
def share_correct(predicted: np.ndarray, y: np.ndarray) -> float:
    """Share of predictions that equal the label.

    predicted, y: (n,) class indices -> a number between 0 and 1
    """
    raise NotImplementedError("your turn")


# %% [markdown]
# Below it stands a check, which you can read. (Here it is in a function because we need it three times.)

# %%
def check_it() -> None:
    # suppress: when the course itself is tested, a check that fails raises as well
    with suppress(AssertionError), check("0.4 (solved)", "share of correct answers"):
        three_of_four = share_correct(np.array([3, 1, 2, 2]), np.array([3, 1, 2, 0]))
        np.testing.assert_allclose(three_of_four, 0.75)


check_it()


# %% [markdown]
# **○ not attempted yet**: the stub is untouched. Nothing broke, and *Run All* goes on. Now a first attempt, with a
# mistake that happens to everyone:

# %%
def share_correct(predicted: np.ndarray, y: np.ndarray) -> float:
    """Share of predictions that equal the label."""
    return np.sum(predicted == y)


check_it()


# %% [markdown]
# **✗ not yet**, and what differs: ACTUAL is what your function returned, DESIRED what the check wanted. It wanted 0.75 and got 3, the *number* of correct
# predictions. The share is the mean:

# %%
def share_correct(predicted: np.ndarray, y: np.ndarray) -> float:
    """Share of predictions that equal the label."""
    return float(np.mean(predicted == y))


check_it()

# %% [markdown]
# **✓ correct**. There are five verdicts in all:
#
# | verdict | meaning | what to do |
# |---|---|---|
# | ○ not attempted yet | the stub is as it was | write your answer over the line with `raise`, run the cell, then the check |
# | ◐ partly done | one function of several is still a stub | write the one that is named |
# | ✗ not yet | an answer is wrong, or stops with an error | read what differs, mend it, run both cells again |
# | ✓ correct | the check found no mistake | go on |
# | ○ … is not defined here | the kernel was restarted and lacks what the cells above define | run the cells above (**Run → Run All Above Selected Cell**), and your answer too |
#
# Below each check is a hint, and below that the course's solution. Both are folded. The solution's cell runs *only while your answer does not pass*: so **the whole
# notebook works from the start, on the course's functions, and once yours passes, everything after it runs on your own code**.
# After *Run All* the names stand for the solution. If you then run a check alone, it says *this was the course's
# solution; run the cell with your own first*.
#
# **Where your answers are kept.** In this file, `notebooks/00_start_here.ipynb`: save it (**Ctrl+S**) like any document. When the course has changed, `make update` brings the new
# version and carries your answers over; the README says more. `git pull` alone would stop at a notebook that you have changed.

# %% [markdown]
# ### Exercise 0.4 · count the parameters (5 min)
# Your turn. The network of the next section has *dense layers* (全连接层): every unit is joined to every value
# of the layer before. A layer from $d_\text{in}$ to $d_\text{out}$ values holds a weight for each pair and one bias for each output,
#
# $$d_\text{in}\, d_\text{out} + d_\text{out} \quad\text{parameters (参数).}$$
#
# Given the widths of all layers, input first, return the total. Write your answer over the `raise` line, run the
# cell, then run the check.

# %% tags=["exercise"]
def count_parameters(widths: list[int]) -> int:
    """Number of weights and biases in a stack of dense layers.

    widths: values per layer, input first, e.g. [64, 32, 10]
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("0.4", "count the parameters"):
    for widths_t, wanted_t in (([3, 2], 8), ([64, 32, 10], 2_410), ([5], 0),
                               ([784, 128, 64, 10], 109_386)):
        given_t = list(widths_t)
        got_t = count_parameters(given_t)
        assert got_t == wanted_t, f"{widths_t} has {wanted_t:,} parameters, not {got_t}"
        assert given_t == widths_t, f"the list must stay as it was, {widths_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `zip(widths, widths[1:])` walks over the pairs (width before, width after).
# </details>
# Stuck? Open the hint, then the solution, then close it and write it from memory: that is where the learning
# happens. A check tries several cases, among them those that go wrong most often. It is a test, not a proof: a mistake that nobody thought of can pass.

# %% tags=["solution"]
#@title Solution 0.4 · runs only while yours does not pass
if not solved("0.4"):
    def count_parameters(widths):
        pairs = zip(widths, widths[1:])
        return sum(d_in * d_out + d_out for d_in, d_out in pairs)

# %% [markdown]
# ## 0.5 A first model in under a minute
#
# What is the task? Each image below has 8×8 pixels; the model gets the 64 gray values and must name the digit.

# %%
digits = data.digits()
print(f"{len(digits.x_train)} to learn from, {len(digits.x_test)} to be judged on, "
      f"gray values {digits.x_train.min()} to {digits.x_train.max()}")
plotting.image_grid(digits.x_train[:20], digits.y_train[:20])
plt.show()

# %% [markdown]
# Coarse, but you can read most of them. Before any network comes a *baseline* (基线), the simplest thing that could work.
# Average all training images of each digit; a new image gets the digit whose average is nearest.

# %%
def accuracy(predicted: np.ndarray, y: np.ndarray) -> float:
    """Share of predictions that equal the label (the function of 0.4)."""
    return float(np.mean(predicted == y))


X_train = digits.x_train.reshape(-1, 64) / 16  # (1297, 64), values 0 to 1
X_test = digits.x_test.reshape(-1, 64) / 16
y_train, y_test = digits.y_train, digits.y_test

averages = np.stack([X_train[y_train == k].mean(axis=0) for k in range(10)])  # (10, 64)
distances = ((X_test[:, None] - averages) ** 2).sum(axis=2)  # (500, 10)
baseline = accuracy(distances.argmin(axis=1), y_test)
print(f"always the same digit: {np.bincount(y_test).max() / len(y_test):.1%} at best")
print(f"nearest average:       {baseline:.1%}")

# %% [markdown]
# Ten comparisons per image already do most of the work: whatever the network reaches has to be measured against *that*, not
# against zero. Now the network, with one hidden layer of 32 units. How it learns is the subject of notebooks
# [[neurons_and_layers]] to [[optimizers]]; here we only use it.

# %%
tf = devices.setup(seed=0)
import keras


def build_model() -> keras.Model:
    """A 64-32-10 classifier for the digits, ready to train."""
    model = keras.Sequential([
        keras.layers.Input((64,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


print(f"{build_model().count_params():,} parameters, "
      f"counted by hand: {count_parameters([64, 32, 10]):,}")

# %% [markdown]
# Training shows itself while it runs: the figure below grows epoch by epoch (one *epoch* (轮) is one pass over
# the training images) and says how long it will take.

# %%
keras.utils.set_random_seed(0)  # the same start whenever this cell runs
model = build_model()
model.fit(
    X_train, y_train, epochs=EPOCHS, batch_size=32, validation_split=0.15,
    verbose=0, callbacks=[plotting.training_plot(title="A first network")],
);

# %% [markdown]
# Solid is what the network scores on the images it learns from, dashed on the 15 % of them that were held back. Both losses
# fall steeply and then flatten; the two curves stay close, so the network has not just learned its images by
# heart. (Why is dashed even the better one at first? A training figure is the average over an epoch in which the
# network was still improving; the validation figure is taken at its end.)

# %%
predicted = model.predict(X_test, verbose=0).argmax(axis=1)
claim("test accuracy of the first network", accuracy(predicted, y_test), at_least=0.95,
      applies=profile() != "quick")

# %% [markdown]
# A *claim* compares a number that the text promises with the one that your machine just measured: **✓** where it holds, **✗** and *FAILS* where it
# doesn't. **·** stands before a number that is not judged, because the promise was made for other data or another profile.

# %% [markdown]
# ## 0.6 Three questions for any result
#
# **Compared with what, and how surely?** One run is partly luck: another random start gives another
# accuracy. Train three times, now on all training images, and draw the result beside the baselines.

# %%
scores = []
for seed in (0, 1, 2):
    keras.utils.set_random_seed(seed)
    trial = build_model()
    trial.fit(X_train, y_train, epochs=EPOCHS, batch_size=32, verbose=0)
    scores.append(accuracy(trial.predict(X_test, verbose=0).argmax(axis=1), y_test))
print(f"network: {np.mean(scores):.1%} ± {np.std(scores, ddof=1):.1%} (three seeds)")

# %% tags=["figure"]
#@title Figure: An accuracy says little without a baseline beside it
names = ["same digit\nalways", "nearest\naverage", "network,\nthree seeds"]
means = [np.bincount(y_test).max() / len(y_test), baseline, np.mean(scores)]
fig, ax = plt.subplots(figsize=(5.2, 3.2))
bars = ax.bar(names, means, color=[plotting.GRAY, plotting.SKY, plotting.BLUE])
ax.errorbar(2, means[2], yerr=np.std(scores, ddof=1), color="black", capsize=5,
            label="± 1 standard deviation")
ax.legend(loc="upper left")
ax.bar_label(bars, [f"{m:.1%}" for m in means], padding=4)
ax.set(title="An accuracy says little without a baseline beside it",
       ylabel="test accuracy", ylim=(0, 1.12))
plt.show()

# %% [markdown]
# Against guessing, the network looks excellent. Against the nearest average it gains a few points of accuracy; in errors
# that is well over half of them. Look at both before you call a gain large or small. The black bar is the luck of the start.
# The luck of *which* 500 images were drawn comes on top (section 0.9). Remember this
# figure when an article gives one number.
#
# **What does it get wrong?** Look at the images, not only at the percentage.

# %%
wrong = np.flatnonzero(predicted != y_test)[:10]
labels = [f"{p}, not {t}" for p, t in zip(predicted[wrong], y_test[wrong])]
plotting.image_grid(digits.x_test[wrong], labels, columns=5, size=1.3)
plt.show()

# %% [markdown]
# The titles give the network's answer, then the label. Which of them could you have read? A few are the images' fault.
# Is the rest the model's? Ask another one, scikit-learn's support vector machine, in three lines:

# %%
from sklearn.svm import SVC

machine = SVC(C=10).fit(X_train, y_train)
missed = predicted != y_test
reads = np.mean(machine.predict(X_test[missed]) == y_test[missed])
print(f"it reads {reads:.0%} of the {missed.sum()} images that the network misread, "
      f"and {machine.score(X_test, y_test):.1%} of all")


# %% [markdown]
# Most mistakes of this network were its own, then. "The data are bad" is a claim like any other: test it.
#
# **When does it stop working?** Slide each test image sideways. One pixel is an eighth of the width here (3.5 pixels of a 28×28 image), and a person still reads the
# digit. By three pixels, a good part of the ink has left the image.

# %%
def slide(x: np.ndarray, shift: int) -> np.ndarray:
    """Move images (n, height, width) right by `shift` pixels; what gets free is 0."""
    columns = np.arange(x.shape[2]) - shift  # where each new column comes from
    inside = (columns >= 0) & (columns < x.shape[2])
    return np.where(inside, x[:, :, columns % x.shape[2]], 0)


shifts, of_network, of_baseline = np.arange(-3, 4), [], []
for shift in shifts:
    X_moved = slide(digits.x_test, shift).reshape(-1, 64) / 16
    answers = model.predict(X_moved, verbose=0).argmax(axis=1)
    of_network.append(accuracy(answers, y_test))
    nearest = ((X_moved[:, None] - averages) ** 2).sum(axis=2).argmin(axis=1)
    of_baseline.append(accuracy(nearest, y_test))

fig, ax = plt.subplots(figsize=(5.6, 3.2))
ax.plot(shifts, of_network, marker="o", label="network")
ax.plot(shifts, of_baseline, marker="s", color=plotting.SKY, label="nearest average")
ax.legend()
ax.axhline(0.1, color=plotting.GRAY, linestyle=":")
ax.text(1.1, 0.03, "guessing", color=plotting.GRAY)
ax.set(title="An eighth of the width sideways: half or more are misread",
       xlabel="shift in pixels, of 8", ylabel="test accuracy", ylim=(0, 1.05))
plt.show()
for name, row in (("network", of_network), ("nearest average", of_baseline)):
    print(f"{name:15} ", "  ".join(f"{s:+d}: {a:.0%}" for s, a in zip(shifts, row)))
claim("the better accuracy of the network one pixel to the side",
      max(of_network[2], of_network[4]), at_most=0.6, applies=profile() != "quick")


# %% [markdown]
# The accuracy of a product is the accuracy on what its users send. Both models learned which *positions* are dark;
# move the digit by an eighth of the width and half of their accuracy or more is gone. (At the same *relative* shift larger images fare no better: notebook
# [[project_mnist]] moves 28×28 digits by three and four pixels.) Convolutions (卷积) with pooling, in notebook [[convolution]],
# are one answer; exercise 0.6b is another.

# %% [markdown]
# ### Exercise 0.6a · which digit is hardest? (5 min)
# Return the accuracy of each class separately: entry $k$ is the share of the images with label $k$ that were
# recognized. Every class occurs.

# %% tags=["exercise"]
def accuracy_by_class(predicted: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """Accuracy within each true class.

    predicted, y: (n,) class indices -> (classes,) numbers between 0 and 1
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("0.6a", "accuracy by class"):
    for p_t, y_t, wanted_t in (
            ([0, 1, 1, 2, 1, 0, 2], [0, 0, 0, 0, 1, 2, 2], [0.25, 1, 0.5]),
            ([1, 0, 0, 1, 1], [0, 0, 0, 0, 1], [0.5, 1]),
            ([2, 0, 1], [0, 1, 2], [0, 0, 0]), ([0], [0], [1])):
        got_t = accuracy_by_class(np.array(p_t), np.array(y_t), len(wanted_t))
        np.testing.assert_allclose(got_t, wanted_t, rtol=1e-6,
                                   err_msg=f"predicted {p_t}, labels {y_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `y == k` picks the images of class `k`; the mean of a boolean array is a share.
# </details>
# Then try it: `accuracy_by_class(predicted, y_test, 10)`. Which digit would you look at first?

# %% tags=["solution"]
#@title Solution 0.6a · runs only while yours does not pass
if not solved("0.6a"):
    def accuracy_by_class(predicted, y, classes):
        return np.array([np.mean(predicted[y == k] == k) for k in range(classes)])


# %% [markdown]
# ### Exercise 0.6b · move the training images too (8 min)
# If users' digits are shifted, train on shifted ones. Return the given images three times: as they are, one pixel
# to the left, one pixel to the right, with their labels. Where an image moves, the free column is 0 (`np.roll` would
# bring the other edge's pixels in).

# %% tags=["exercise"]
def with_shifts(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images as given, then moved left by one pixel, then right by one.

    x: (n, height, width), y: (n,) -> (3n, height, width), (3n,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("0.6b", "move the training images"):
    whole_t = np.random.default_rng(1).integers(1, 17, (4, 3, 5))
    for x_t, y_t in ((whole_t, [7, 1, 2, 9]), (whole_t[:1] / 16, [3])):  # int, float
        n_t, given_t = len(x_t), x_t.copy()
        moved_t, labels_t = map(np.asarray, with_shifts(given_t, np.array(y_t)))
        assert moved_t.shape == (3 * n_t, 3, 5), f"images have shape {moved_t.shape}"
        assert labels_t.tolist() == y_t * 3, "labels: y three times, in that order"
        as_is_t, left_t, right_t = moved_t.reshape(3, n_t, 3, 5)
        same_t = np.testing.assert_array_equal
        same_t(as_is_t, x_t, "first come the images as they are")
        same_t(left_t[:, :, :-1], x_t[:, :, 1:], "then each one pixel to the left")
        same_t(right_t[:, :, 1:], x_t[:, :, :-1], "then each one pixel to the right")
        free_t = np.stack([left_t[:, :, -1], right_t[:, :, 0]])
        assert not free_t.any(), "the column that gets free must be 0"
        same_t(given_t, x_t, "the given images must stay as they were")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Make `left = np.zeros_like(x)` and fill all its columns but the last: `left[:, :, :-1] = x[:, :, 1:]`.
# </details>
# To explore: train `build_model()` on the result and draw the shift curve again. How far does the plateau reach now,
# and what did it cost at shift 0?

# %% tags=["solution"]
#@title Solution 0.6b · runs only while yours does not pass
if not solved("0.6b"):
    def with_shifts(x, y):
        left, right = np.zeros_like(x), np.zeros_like(x)
        left[:, :, :-1] = x[:, :, 1:]
        right[:, :, 1:] = x[:, :, :-1]
        return np.concatenate([x, left, right]), np.concatenate([y, y, y])

# %% [markdown]
# ## 0.7 Spot the bug: a widely copied set-up, checked
#
# Versions age fastest. Three of the documents ask for these, before anything else:
#
# | Document 2, 5.1 | Document 3, 5.1 | Document 4, 5.1 |
# |---|---|---|
# | Python 3.7 or newer, `pip install tensorflow` | Python 3.8, `conda install tensorflow pytorch` | Python 3.6 or newer |
#
# Which of these can still work with the TensorFlow of today? Every package carries the range of Python that it accepts, so nobody has to believe anyone:

# %%
from importlib.metadata import metadata, packages_distributions

from packaging.specifiers import SpecifierSet

needs = {}
for package in ("tensorflow", "keras", "sklearn", "matplotlib"):
    needs[package] = metadata(packages_distributions()[package][0])["Requires-Python"]
    print(f"{package:<11} needs Python {needs[package]}")

asked = {"Document 2": ">=3.7", "Document 3": "==3.8.*", "Document 4": ">=3.6"}
for document, wish in asked.items():
    allowed = [f"3.{minor}" for minor in range(6, 14)
               if f"3.{minor}.0" in SpecifierSet(wish)]
    accepted = [v for v in allowed
                if all(f"{v}.0" in SpecifierSet(need) for need in needs.values())]
    print(f"{document}: of Python {', '.join(allowed)}\n"
          f"            all four packages accept {', '.join(accepted) or 'none'}")

# %% [markdown]
# Document 3's instruction can't work any more: it names one version, 3.8, and the newest TensorFlow that installs there is 2.13, of 2023. The other two say *or newer*: with
# a new Python they still work, at the minimum that they state they don't. Who follows them with an old Python gets old packages without a word, and then meets errors that
# nobody has any more. More that has changed since those instructions were written:
#
# | a widely copied statement | where | today |
# |---|---|---|
# | Keras runs on TensorFlow and Theano | Document 2, 7.2 and 10.4 | Keras 3 runs on TensorFlow, JAX or PyTorch; Keras 2.3 (2019) was the last with Theano |
# | PyTorch is Facebook's and stands out by its dynamic graph | Document 1, 7.2; Document 2, 7.2 | PyTorch belongs to a foundation since 2022; TensorFlow 2 runs dynamically too, since 2019 |
# | MXNet is one of three frameworks to use | Document 5, 7.2 | retired to the Apache Attic in 2023 |
# | `conda install tensorflow pytorch` | Document 3, 5.1 | TensorFlow recommends `pip`; PyTorch's own conda channel was discontinued |
# | Python 3.8 or newer is enough for `transformers` | Document 5, 5.1 | version 5.23 asks for 3.11 |
# | set up Python and TensorFlow on Windows | Document 1, 5.1 | works on the CPU; TensorFlow 2.10 was the last with GPU support on native Windows: use WSL2 |
# | Git, GitHub and GitLab are version-control tools | Document 4, 7.2 | Git is the tool; the other two host it |
#
# This course pins every version with a checksum in `requirements.lock`, so what you run tonight is what was tested (on
# Colab it takes Colab's versions).

# %% [markdown]
# ## 0.8 When something goes wrong
#
# | you see | do this |
# |---|---|
# | a red error box | read its last line first; then **Kernel → Restart Kernel and Run All Cells** (Colab: *Runtime*) |
# | *no module named* …, or *This Python lacks what the course needs* | not the course's environment: close Jupyter, start it with `make lab` (Windows: see the README) |
# | "… is not defined" after a restart of the kernel | **Run → Run All Above Selected Cell** |
# | "could not be fetched", "bundled stand-in" | no network: fine, the lesson goes on; later `%run -m course_utils data fetch` |
# | "… is damaged and not used" | the file arrived broken: delete it, or fetch it again |
# | the kernel dies without a word | memory: close other notebooks (**Kernel → Shut Down All Kernels**) |
# | the figure of a training stands still | the kernel is busy elsewhere: the circle at the top right is filled while it is |
# | anything else | `%run -m course_utils doctor` in a new cell, and send its report with your question |
#
# `check?` in a cell shows what a function is for; `Shift+Tab` after its name does the same.
#
# **JupyterLab** on your machine keeps your work. **Colab** has TensorFlow already, and a GPU if you ask for one (**Runtime → Change
# runtime type**); the first cell adds only the companion package, and *File → Save a copy in Drive* keeps your answers. **Binder**
# needs no account, has 2 GB of memory, and forgets everything when you leave: download your notebook first.

# %% [markdown]
# ## 0.9 Where it breaks
#
# - Five hundred test images are few. At an accuracy $p$ the luck of the draw alone is $\pm\sqrt{p(1-p)/500}$, nearly one percent here. Notebook
#   [[evaluation_metrics]] turns that into an interval.
# - The split is random, so the same people may have written training and test images: the accuracy is for known hands.
# - A product team should ask of any accuracy: on whose data, against which baseline, with what spread, and what does a
#   mistake cost? Parts 4 and 6 take these up.

# %% [markdown]
# ## 0.10 Which articles are "the documents"? ◇
#
# Five Chinese articles on large models. Whenever a notebook says "Document 2, 4.3" it means the second of them, section 4.3, so that you can look. We have their texts only: no address,
# no date of publication. So we give neither, and where our copy prints no title, the words with which it names its own subject stand in brackets. To find an article, search for the
# words with which it begins.
#
# | | title | in English | signed | begins |
# |---|---|---|---|---|
# | Document 1 | none printed (人工智能（AI）大模型在创业产品开发中的潜在应用) | (Possible uses of large AI models in the development of start-up products) | 禅与计算机程序设计艺术 / Zen and the Art of Computer Programming | 本文将深入探讨人工智能（AI）大模型在创业产品开发中的潜在应用，包括技术背景、… |
# | Document 2 | none printed (大模型创业中的产品创新与市场分析) | (Product innovation and market analysis for large-model start-ups) | the same | 在过去的几年中，人工智能（AI）技术取得了飞速的发展，其中大模型（Large Models）技术成为… |
# | Document 3 | none printed (大模型时代的创业机会，为AI产品经理) | (Opportunities for new companies in the age of large models, for AI product managers) | the same | 随着大模型技术的飞速发展，AI产品经理面临着前所未有的创业机会。… |
# | Document 4 | AI大模型应用的技术博客与分享 | Technical blog and notes on applications of large AI models | not signed; our copy breaks off in its list of references | 本文将深入探讨AI大模型的技术应用，从背景介绍、核心概念、… |
# | Document 5 | AI大模型创业战：挑战与机遇并存的探讨 | The battle of large-model start-ups: a discussion of challenges and opportunities | AI天才研究员 / AI Genius Institute & 禅与计算机程序设计艺术 / Zen And The Art of Computer Programming | 本文将深入探讨人工智能领域的大模型创业战，从技术架构、算法原理、实战案例… |
#
# The signatures are quoted as they stand; they look like pen names. Documents 1 to 3 date at least a part of the works that they cite: the newest are of 2019, 2019 and 2020.
#
# Section numbers are the printed ones, with two exceptions. Document 2 numbers few of its chapters, so they are counted: 1 background, 2 concepts, 3 algorithms, 4 mathematics, 5 project, 6 scenarios,
# 7 resources, 8 summary, 9 FAQ, 10 further reading; its "4.2.1" is the chapter on mathematics, part 2, item 2.1. Document 3 uses 9.1 and 9.2 twice: "FAQ" marks those of its appendix. In
# all of them "FAQ, question 2" counts the questions at the end, and "abstract" is the paragraph before chapter 1. Appendix
# [[documents_checked]] goes through all of their statements, right and wrong.

# %% [markdown]
# ## Summary
#
# 1. The machine report says what runs here; a stand-in replaces data that are missing, and says so.
# 2. A notebook runs from top to bottom in a fresh kernel; when in doubt, restart it.
# 3. A check says ○, ◐, ✗ or ✓ and what differs; write your answer before you open the solution. The rest runs on your code once it passes.
# 4. A result needs a baseline, a spread over seeds and a look at the mistakes.
# 5. A network knows only what its data show: here, digits moved by an eighth of the width are foreign to it.
#
# **Further reading**
#
# - E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository, 1998: the data.
# - The JupyterLab documentation, chapter *Notebooks*: jupyterlab.readthedocs.io.
# - F. Chollet and M. Watson, *Deep Learning with Python*, 3rd edition, Manning, 2025: Keras by its author.
