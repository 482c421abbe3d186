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
# - write an answer to an exercise and have it checked;
# - train a small network, compare it with a baseline, and find where it fails.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from course_utils import by_profile, check, claim, data, devices, plotting, solved

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
    "1 Concepts\n00 – 02": (0, 0),
    "2 Mathematics\n03 – 12": (1, 0),
    "3 Keras projects\n13 – 18": (2, 0),
    "4 Scenarios\n19 – 30": (2, 1),
    "5 In practice\n31 – 36": (1, 1),
    "6 Product\n37 – 40": (0, 1),
}
order = list(parts)
plotting.flow(parts, list(zip(order, order[1:])), highlight=order[:1],
              title="Six parts, from concept to product")
plt.show()

# %% [markdown]
# The top row runs left to right: concepts, then the mathematics in plain NumPy, then projects in Keras. The
# bottom row comes back: application scenarios, what it takes to make models practical, and the product. You
# can enter at any part; the line under each title names what it builds on. Numbers that have no notebook
# yet are still being written: the table in the README lists those that exist.
#
# The course follows five widely read Chinese articles, which it calls *the documents*. Where they are wrong,
# it shows the wrong version, runs it, and puts it right.

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
print(f"profile {course_utils.profile()}: train for {EPOCHS} epochs")


# %% [markdown]
# *standard* is what you get and what the text describes: at most four minutes a notebook on a laptop with
# two cores. *quick* is for the automatic tests. *full* takes a GPU or patience and gives the best
# numbers. To change it for one notebook, run `%env COURSE_PROFILE=full` in a new first cell; for all of them, on
# macOS and Linux, start with `COURSE_PROFILE=full make lab`.

# %% [markdown]
# ## 0.4 How an exercise is checked
#
# Here is an exercise, solved in front of you. *Write a function that returns the share of correct
# predictions.* You always find a stub, whose body is one line:

# %%
def accuracy(predicted: np.ndarray, y: np.ndarray) -> float:
    """Share of predictions that equal the label.

    predicted, y: (n,) class indices -> a number between 0 and 1
    """
    raise NotImplementedError("your turn")


def check_accuracy() -> None:
    """The check of this example, in a function because we need it three times."""
    with check("0.4 (solved)", "accuracy"):
        three_of_four = accuracy(np.array([3, 1, 2, 2]), np.array([3, 1, 2, 0]))
        np.testing.assert_allclose(three_of_four, 0.75)


check_accuracy()


# %% [markdown]
# *Not attempted yet*: the stub is untouched. Nothing broke, and *Run All* goes on. Now a first attempt, with a
# mistake that happens to everyone:

# %%
def accuracy(predicted: np.ndarray, y: np.ndarray) -> float:
    """Share of predictions that equal the label."""
    return np.sum(predicted == y)


check_accuracy()


# %% [markdown]
# The check says what differs; the last two lines matter. It wanted 0.75 and got 3, the *number* of correct ones. The
# share is the mean:

# %%
def accuracy(predicted: np.ndarray, y: np.ndarray) -> float:
    """Share of predictions that equal the label."""
    return float(np.mean(predicted == y))


check_accuracy()


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
    assert count_parameters([3, 2]) == 8, "3 → 2 has 6 weights and 2 biases"
    assert count_parameters([64, 32, 10]) == 2_410
    assert count_parameters([784, 128, 64, 10]) == 109_386
    assert count_parameters([5]) == 0, "an input alone has no parameters"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `zip(widths, widths[1:])` walks over the pairs (width before, width after).
# </details>
# Stuck? Open the hint, then the solution, then close it and write it from memory: that is where the learning
# happens. The checks try several cases, so an answer that passes is an answer that works.

# %% tags=["solution"]
#@title Solution 0.4 · runs only while yours does not pass
if not solved("0.4"):
    def count_parameters(widths):
        pairs = zip(widths, widths[1:])
        return sum(d_in * d_out + d_out for d_in, d_out in pairs)

# %% [markdown]
# ## 0.5 A first model in under a minute
#
# What is the task? Each picture below is 8×8 pixels; the model gets the 64 gray values and must name the digit.

# %%
digits = data.digits()
print(f"{len(digits.x_train)} to learn from, {len(digits.x_test)} to be judged on, "
      f"gray values {digits.x_train.min()} to {digits.x_train.max()}")
plotting.image_grid(digits.x_train[:20], digits.y_train[:20])
plt.show()

# %% [markdown]
# Coarse, but you can read most of them. Before any network comes a *baseline* (基线), the simplest thing that could work.
# Average all training pictures of each digit; a new picture gets the digit whose average is nearest.

# %%
X_train = digits.x_train.reshape(-1, 64) / 16  # (1297, 64), values 0 to 1
X_test = digits.x_test.reshape(-1, 64) / 16
y_train, y_test = digits.y_train, digits.y_test

averages = np.stack([X_train[y_train == k].mean(axis=0) for k in range(10)])  # (10, 64)
distances = ((X_test[:, None] - averages) ** 2).sum(axis=2)  # (500, 10)
baseline = accuracy(distances.argmin(axis=1), y_test)
print(f"always the same digit: {np.bincount(y_test).max() / len(y_test):.1%} at best")
print(f"nearest average:       {baseline:.1%}")

# %% [markdown]
# Ten comparisons per picture already do most of the work: whatever the network reaches has to be measured against *that*, not
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


model = build_model()
print(f"{model.count_params():,} parameters")

# %% [markdown]
# Is that what your `count_parameters([64, 32, 10])` says? Training shows itself while it runs: the picture below
# grows epoch by epoch (one *epoch* (轮) is one pass over the training pictures) and says how long it will take.

# %% tags=["figure"]
#@title Figure: A first network
history = model.fit(
    X_train, y_train, epochs=EPOCHS, batch_size=32, validation_split=0.15,
    verbose=0, callbacks=[plotting.training_plot(title="A first network")],
)

# %% [markdown]
# Solid is what the network scores on the pictures it learns from, dashed on the 15 % of them that were held back. Both losses
# fall steeply and then flatten; the two curves stay close, so the network has not just learned its pictures by
# heart. (Why is dashed even the better one at first? A training figure is the average over an epoch in which the
# network was still improving; the validation figure is taken at its end.)

# %%
predicted = model.predict(X_test, verbose=0).argmax(axis=1)
claim("test accuracy of the first network", accuracy(predicted, y_test), at_least=0.95,
      applies=course_utils.profile() != "quick")

# %% [markdown]
# A *claim* compares a number that the text promises with the one that your machine just measured. Where a promise was
# made for other data or another profile, the line says that nobody judges it.

# %% [markdown]
# ## 0.6 Three questions for any result
#
# **Compared with what, and how surely?** One run is one throw of the dice: another random start gives another
# accuracy. Train three times, now on all training pictures, and draw the result beside the baselines.

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
# Against guessing, the network looks like magic. Against the nearest average it gains a few points of accuracy; in errors
# that is well over half of them. Look at both before you call a gain large or small. The black bar is the luck of the start.
# The luck of *which* 500 pictures were drawn comes on top (section 0.9). Keep this
# picture in mind when an article gives one number.
#
# **What does it get wrong?** Look at the pictures, not only at the percentage.

# %%
wrong = np.flatnonzero(predicted != y_test)[:10]
labels = [f"{p}, not {t}" for p, t in zip(predicted[wrong], y_test[wrong])]
plotting.image_grid(digits.x_test[wrong], labels, columns=5, size=1.3)
plt.show()

# %% [markdown]
# The titles give the network's answer, then the label. Which of them could you have read? A few are the pictures' fault.
# Is the rest the model's? Ask another one, scikit-learn's support vector machine, in three lines:

# %%
from sklearn.svm import SVC

machine = SVC(C=10).fit(X_train, y_train)
missed = predicted != y_test
reads = np.mean(machine.predict(X_test[missed]) == y_test[missed])
print(f"it reads {reads:.0%} of the {missed.sum()} pictures that the network misread, "
      f"and {machine.score(X_test, y_test):.1%} of all")


# %% [markdown]
# Most mistakes were the network's, then. "The data are bad" is a claim like any other: test it.
#
# **When does it stop working?** Slide each test picture sideways. By one pixel a person hardly notices; by three, a good part
# of the ink has left the picture.

# %%
def slide(x: np.ndarray, shift: int) -> np.ndarray:
    """Move pictures (n, height, width) right by `shift` pixels; what gets free is 0."""
    columns = np.arange(x.shape[2]) - shift  # where each new column comes from
    inside = (columns >= 0) & (columns < x.shape[2])
    return np.where(inside, x[:, :, columns % x.shape[2]], 0)


shifts, of_network, of_baseline = np.arange(-3, 4), [], []
for shift in shifts:
    X = slide(digits.x_test, shift).reshape(-1, 64) / 16
    of_network.append(accuracy(model.predict(X, verbose=0).argmax(axis=1), y_test))
    nearest = ((X[:, None] - averages) ** 2).sum(axis=2).argmin(axis=1)
    of_baseline.append(accuracy(nearest, y_test))

fig, ax = plt.subplots(figsize=(5.6, 3.2))
ax.plot(shifts, of_network, marker="o", label="network")
ax.plot(shifts, of_baseline, marker="s", color=plotting.SKY, label="nearest average")
ax.legend()
ax.axhline(0.1, color=plotting.GRAY, linestyle=":")
ax.text(1.1, 0.03, "guessing", color=plotting.GRAY)
ax.set(title="One pixel sideways is enough to break it", xlabel="shift in pixels",
       ylabel="test accuracy", ylim=(0, 1.05))
plt.show()
print("network ", "  ".join(f"{s:+d}: {a:.0%}" for s, a in zip(shifts, of_network)))


# %% [markdown]
# The accuracy of a product is the accuracy on what its users send. Both models learned which *positions* are dark;
# move the digit by one pixel and half of their accuracy or more is gone. Convolutions (卷积) with pooling, in notebook [[convolution]],
# are one answer; exercise 0.6b is another.

# %% [markdown]
# ### Exercise 0.6a · which digit is hardest? (3 min)
# Return the accuracy of each class separately: entry $k$ is the share of the pictures with label $k$ that were
# recognized.

# %% tags=["exercise"]
def accuracy_by_class(predicted: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """Accuracy within each true class.

    predicted, y: (n,) class indices -> (classes,) numbers between 0 and 1
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("0.6a", "accuracy by class"):
    y1, p1 = np.array([0, 0, 0, 0, 1, 2, 2]), np.array([0, 1, 1, 2, 1, 0, 2])
    np.testing.assert_allclose(accuracy_by_class(p1, y1, 3), [0.25, 1.0, 0.5])
    np.testing.assert_allclose(accuracy_by_class(y1, y1, 3), [1, 1, 1])
    np.testing.assert_allclose(accuracy_by_class(p1[:5], y1[:5], 2), [0.25, 1.0])

# %% [markdown]
# <details><summary>Hint</summary>
#
# `y == k` picks the pictures of class `k`; the mean of a boolean array is a share.
# </details>
# Then try it: `accuracy_by_class(predicted, y_test, 10)`. Which digit would you look at first?

# %% tags=["solution"]
#@title Solution 0.6a · runs only while yours does not pass
if not solved("0.6a"):
    def accuracy_by_class(predicted, y, classes):
        return np.array([np.mean(predicted[y == k] == k) for k in range(classes)])


# %% [markdown]
# ### Exercise 0.6b · move the training pictures too (7 min)
# If users' digits are shifted, train on shifted ones. Return the given pictures three times: as they are, one pixel
# to the left, one pixel to the right, with their labels. Where a picture moves, the free column is 0 (`np.roll` would
# bring the other edge's pixels in).

# %% tags=["exercise"]
def with_shifts(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pictures as given, then moved left by one pixel, then right by one.

    x: (n, height, width), y: (n,) -> (3n, height, width), (3n,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("0.6b", "move the training pictures"):
    x1 = np.random.default_rng(1).integers(1, 17, (4, 3, 5))
    moved_x, moved_y = with_shifts(x1, np.array([7, 1, 2, 9]))
    assert moved_x.shape == (12, 3, 5), f"pictures have shape {moved_x.shape}"
    assert list(moved_y) == [7, 1, 2, 9] * 3, "labels: y three times, in that order"
    same = np.testing.assert_array_equal
    same(moved_x[:4], x1, "first come the pictures as they are")
    same(moved_x[4:8, :, :-1], x1[:, :, 1:], "then each one pixel to the left")
    same(moved_x[8:, :, 1:], x1[:, :, :-1], "then each one pixel to the right")
    free = np.concatenate([moved_x[4:8, :, -1], moved_x[8:, :, 0]])
    assert not free.any(), "the column that gets free must be 0"
    assert (x1 > 0).all(), "the given pictures must not be changed"

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
# | Document 2 | Document 3 | Document 4 |
# |---|---|---|
# | Python 3.7 or newer, `pip install tensorflow` | Python 3.8, `conda install tensorflow pytorch` | Python 3.6 or newer |
#
# Which of these can still work? Every package carries the range that it accepts, so nobody has to believe anyone:

# %%
from importlib.metadata import metadata, packages_distributions

from packaging.specifiers import SpecifierSet

needs = {}
for package in ("tensorflow", "keras", "sklearn", "matplotlib"):
    needs[package] = metadata(packages_distributions()[package][0])["Requires-Python"]
    old = [v for v in ("3.6", "3.7", "3.8") if f"{v}.0" in SpecifierSet(needs[package])]
    print(f"{package:<11} needs Python {needs[package]:<8} "
          f"of 3.6, 3.7 and 3.8 it accepts {old or 'none'}")

# %% [markdown]
# None accepts any of them: on Python 3.8, `pip` quietly picks a TensorFlow that is years old, and the reader then meets errors that
# nobody has any more. More that has changed since those instructions were written:
#
# | a widely copied statement | today |
# |---|---|
# | Keras runs on TensorFlow and Theano | Keras 3 runs on TensorFlow, JAX or PyTorch; Keras 2.3 (2019) was the last with Theano |
# | PyTorch is Facebook's, TensorFlow is static | PyTorch belongs to a foundation since 2022; TensorFlow 2 runs eagerly since 2019 |
# | MXNet is one of the main frameworks | retired to the Apache Attic in 2023 |
# | `conda install tensorflow pytorch` | TensorFlow recommends `pip`; PyTorch's own conda channel was discontinued |
# | on Windows, install TensorFlow and use the GPU | TensorFlow 2.10 was the last with GPU support on native Windows: use WSL2; the CPU build works |
# | Git, GitHub and GitLab are version-control tools | Git is the tool; the other two host it |
#
# This course pins every version with a checksum in `requirements.lock`, so what you run tonight is what was tested (on
# Colab it takes Colab's versions).

# %% [markdown]
# ## 0.8 When something goes wrong
#
# | you see | do this |
# |---|---|
# | a red error box | read its last line first; then **Kernel → Restart Kernel and Run All Cells** (Colab: *Runtime*) |
# | no module named `keras`, or a `pip` error in the first cell | not the course's environment: close Jupyter, start it with `make lab` (Windows: see the README) |
# | "could not be fetched", "bundled stand-in" | no network: fine, the lesson goes on; later `%run -m course_utils data fetch` |
# | "… is damaged and not used" | the file arrived broken: delete it, or fetch it again |
# | the kernel dies without a word | memory: close other notebooks (**Kernel → Shut Down All Kernels**) |
# | the picture of a training stands still | the kernel is busy elsewhere: the circle at the top right is filled while it is |
# | anything else | `%run -m course_utils doctor` in a new cell, and send its report with your question |
#
# `check?` in a cell shows what a function is for; `Shift+Tab` after its name does the same.
#
# **JupyterLab** on your machine keeps your work. **Colab** has TensorFlow already, and a GPU if you ask for one (**Runtime → Change
# runtime type**); the setup cell adds only the companion package, and *File → Save a copy in Drive* keeps your answers. **Binder**
# needs no account, has 2 GB of memory, and forgets everything when you leave: download your notebook first.

# %% [markdown]
# ## 0.9 Where it breaks
#
# - Five hundred test pictures are few. At an accuracy $p$ the luck of the draw alone is $\pm\sqrt{p(1-p)/500}$, nearly one percent here. Notebook
#   [[evaluation_metrics]] turns that into an interval.
# - The split is random, so the same people may have written training and test pictures: the accuracy is for known hands.
# - A product team should ask of any accuracy: on whose data, against which baseline, with what spread, and what does a
#   mistake cost? Parts 4 and 6 take these up.

# %% [markdown]
# ## Summary
#
# 1. The machine report says what runs here; a stand-in replaces data that are missing, and says so.
# 2. A notebook runs from top to bottom in a fresh kernel; when in doubt, restart it.
# 3. A check says *not attempted*, *correct* or what differs; write your answer before you open the solution.
# 4. A result needs a baseline, a spread over seeds and a look at the mistakes.
# 5. A network knows only what its data show: one pixel sideways can be news to it.
#
# **Further reading**
#
# - E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository, 1998: the data.
# - The JupyterLab documentation, chapter *Notebooks*: jupyterlab.readthedocs.io.
# - F. Chollet and M. Watson, *Deep Learning with Python*, 3rd edition, Manning, 2025: Keras by its author.
