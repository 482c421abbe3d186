# ---
# jupyter:
#   course:
#     part: 3
#     minutes: 120
#     data: "MNIST (bundled: 8×8 digits)"
#     prerequisites: [06_backpropagation]
#     ledger: [D2-3.3.6-a, D2-5.2-a, D2-5.2-b, D2-5.2-c, D2-5.2-d, D2-5.2-e, D2-5.3-a, D2-5.4-a, D2-5.4-b, D2-5.4-c,
#       D3-3.2-f, D3-5.2-a, D3-5.2-b, D3-5.2-c, D3-5.2-d, D3-5.2-e, D3-5.3-a, D3-5.3-b, D3-5.3-c, D3-5.4-a, D3-5.4-b,
#       D4-3.2-d, D4-5.2-a, D4-5.2-b, D4-5.2-c, D4-5.3-a, D4-5.3-b,
#       D4-5.4-a, D4-5.4-b, D4-5.4-c, D4-5.4-d, D4-5.4-e]
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
# # Project: handwritten digits
#
# Three widely copied programs read handwritten digits, and two of them print figures: 98.24 % and 98.39 %. Can you believe
# them? Two of the programs stop with an error before they learn anything. You repair all three, find out what they
# really reach, and then beat both figures with models whose every number you can defend.
#
# **You will be able to**
#
# - keep training, validation and test data apart, and say what each is for;
# - repair a shape error from the one line of its message that matters;
# - tell by arithmetic that a published confusion matrix or training log cannot be real;
# - train a multilayer perceptron and a convolutional network, and give their accuracy with an interval;
# - save and load a model safely, and measure where it breaks.

# %% tags=["setup"]
try:
    import course_utils
except ModuleNotFoundError:  # Colab, Kaggle: add the companion package, leave TensorFlow as it is
    get_ipython().run_line_magic("pip", "install -q git+https://github.com/your_org/large-models-course")

import matplotlib.pyplot as plt
import numpy as np

from course_utils import by_profile, check, claim, data, devices, plotting, profile

plotting.use_style()
rng = np.random.default_rng(0)

# %%
import contextlib
import json
import math
import platform
import re
import tempfile
import time
from pathlib import Path

tf = devices.setup(seed=0)
import keras
from keras import layers

# %% [markdown]
# ## 13.1 Look at the data first
#
# MNIST: digits written by census workers and by high-school students, scanned, 28×28 gray values from 0 (paper)
# to 255 (ink).

# %%
mnist = data.mnist()
REAL = mnist.source == "real"
print(f"{mnist.source} data: {len(mnist.x_train):,} images to learn from, {len(mnist.x_test):,} "
      f"to be judged on, {mnist.x_train.dtype}, shape {mnist.x_train.shape[1:]}")

chosen = [np.flatnonzero(mnist.y_train == digit)[:18] for digit in range(10)]
sheet = np.block([list(mnist.x_train[row]) for row in chosen])
fig, ax = plt.subplots(figsize=(7.4, 4.3))
ax.imshow(sheet)
ax.set(title="Ten digits, many hands", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Read along the rows: sevens with and without a bar, open and closed fours, ones that lean. A rule written by hand would drown in
# cases. Two more questions before any model: are the classes equally frequent, and where is the ink?

# %%
some = mnist.x_train[:1000].astype(float)
rows, columns = np.indices((28, 28))
mass = some.sum(axis=(1, 2))
center_row = (some * rows).sum(axis=(1, 2)) / mass
center_column = (some * columns).sum(axis=(1, 2)) / mass
ink = some.mean(axis=0)

share = np.bincount(mnist.y_train, minlength=10) / len(mnist.y_train)
fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3), width_ratios=[1.6, 1])
left.bar(range(10), share, color=plotting.SKY)
left.axhline(0.1, color=plotting.GRAY, linestyle=":")
left.set(title="Classes: nearly, not quite, balanced", xlabel="digit",
         ylabel="share of the images", xticks=range(10))
right.imshow(ink)
right.plot(center_column, center_row, ".", ms=2, color=plotting.RED)
right.set(title="Every digit is centered", xticks=[], yticks=[])
plt.show()
print(f"largest class {share.max():.2%}, smallest {share.min():.2%}; center of mass: row "
      f"{center_row.mean():.1f} ± {center_row.std():.1f}, column "
      f"{center_column.mean():.1f} ± {center_column.std():.1f}")

# %% [markdown]
# Gray is the average image, each red dot one digit's center of mass. Whoever made MNIST scaled each digit to 20×20
# pixels and moved its center of mass to the middle: that is part of the data, though no pixel says so. Section 13.13 shows what happens when your
# users' digits are not treated that way.

# %% [markdown]
# ## 13.2 Three heaps: train, validate, test
#
# *Training* images move the weights. *Validation* (验证) images decide everything else: how long, how wide, which of two models.
# *Test* images answer one question, once, at the end: how good is what we decided? Use the test images to decide anything, and they
# become validation images; nothing is left to tell you the truth.

# %%
plotting.flow(
    {"train": (0, 0), "validate": (1, 0), "test, once": (2, 0), "use": (3, 0),
     "change data,\nmodel, settings": (0.5, 1)},
    [("train", "validate"), ("validate", "test, once", "good enough"), ("test, once", "use"),
     ("validate", "change data,\nmodel, settings", "not yet"),
     ("change data,\nmodel, settings", "train")],
    highlight=["test, once"], title="Decisions loop through validation, never through the test",
)
plt.show()

# %% [markdown]
# Document 2 evaluates "on the validation or test set", Document 3 tunes on "training and test set", and its program hands the test set to
# `fit` as validation data. Document 4 alone validates on validation data; its program then never tests.
#
# `train_test_split` is imported by Document 2's program and never used. It is the right tool: it shuffles, and with `stratify` each
# class keeps its share.

# %%
from sklearn.model_selection import train_test_split

x_train, x_val, y_train, y_val = train_test_split(
    mnist.x_train, mnist.y_train, test_size=min(5000, len(mnist.y_train) // 5),
    stratify=mnist.y_train, random_state=0)
difference = np.bincount(y_train) / len(y_train) - np.bincount(y_val) / len(y_val)
print(f"{len(x_train):,} train, {len(x_val):,} validate, {len(mnist.x_test):,} test; "
      f"class shares differ by at most {np.abs(difference).max():.2%}")

# %% [markdown]
# Why not `fit(..., validation_split=0.2)`, as two of the programs do? It takes the **last** rows, unshuffled. Rows often arrive sorted: a folder
# per class, a file per day.

# %%
def dense_network(*hidden: int, **options) -> keras.Model:
    """Images (B, 28, 28) -> ReLU layers of these widths -> ten probabilities; compiled."""
    model = keras.Sequential([
        layers.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten(),
        *[layers.Dense(width, activation="relu") for width in hidden],
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"],
                  **options)
    return model


by_class = np.argsort(y_train[:2000], kind="stable")  # as read from ten folders
run = dense_network(32).fit(x_train[by_class], y_train[by_class], epochs=3, verbose=0,
                            validation_split=0.2)
print(f"training accuracy {run.history['accuracy'][-1]:.0%}, "
      f"validation accuracy {run.history['val_accuracy'][-1]:.0%}; "
      f"digits held back: {np.unique(y_train[by_class][-len(by_class) // 5:])}")

# %% [markdown]
# The held-back fifth holds two digits that the network never saw. MNIST's own order happens to be mixed, so the copied programs get away with it.

# %% [markdown]
# ## 13.3 What must be beaten: baselines
#
# Before any network, the simplest things that could work: always name the most frequent digit; name the digit whose average image is nearest;
# a linear model, which is a network without a hidden layer.

# %%
def accuracy(predicted: np.ndarray, y: np.ndarray) -> float:
    """Share of predictions that equal the label. predicted, y: (n,) class indices."""
    return float(np.mean(predicted == y))


def predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Probabilities (n, 10) for images (n, 28, 28)."""
    return model.predict(images, batch_size=500, verbose=0)


# %%
majority = np.bincount(y_train).argmax()
means = np.stack([x_train[y_train == digit].mean(axis=0).ravel() for digit in range(10)])
flat = x_val.reshape(len(x_val), -1).astype(float)
# |x - m|² without |x|², which is the same for every class
nearest = ((means**2).sum(axis=1) - 2 * flat @ means.T).argmin(axis=1)

linear = dense_network()  # no hidden layer
epochs = by_profile(quick=2, standard=5, full=5)
linear.fit(x_train, y_train, epochs=epochs, batch_size=128, verbose=0)

baselines = {"most frequent digit": accuracy(majority, y_val),
             "nearest average": accuracy(nearest, y_val),
             "linear model": accuracy(predict(linear, x_val).argmax(axis=1), y_val)}
for name, value in baselines.items():
    print(f"{name:<20} {value:.1%} of the validation images")

# %%
weights = linear.get_weights()[0].T.reshape(10, 28, 28)
fig, axes = plt.subplots(1, 10, figsize=(8.2, 1.3))
limit = np.abs(weights).max() / 2
for digit, ax in enumerate(axes):
    ax.imshow(weights[digit], cmap="RdBu", vmin=-limit, vmax=limit)
    ax.set(xticks=[], yticks=[])
    ax.set_title(str(digit), fontsize=9)
fig.suptitle("A linear model is ten templates: blue ink speaks for the digit, red against", fontsize=10)
plt.show()

# %% [markdown]
# One template per digit, and already nine in ten are right on real MNIST. Every further point has to be earned against *this*, not against
# zero. The remaining errors come from digits written in two ways, which one template can't cover; that is what hidden layers are for.

# %% [markdown]
# ## 13.4 Spot the bug: two programs that stop
#
# Document 2's network begins with `Flatten(input_shape=(28, 28))`, and its data have been flattened before. Document 4's network expects rows of 784, and its
# data have not been flattened at all. Here are both mistakes in a few lines of our own.

# %%
def telling_line(action) -> str:
    """Run action() and return the type of its error with the part that names the cause."""
    try:
        action()
    except Exception as error:
        text = re.sub(r"\x1b\[\d+m", "", str(error))  # Keras colors its messages
        found = re.search(r"Expected shape.*", text)
        return f"{type(error).__name__}: {found[0] if found else re.split(r'[.] ', text)[0]}"
    return "no error"


def network(*first: layers.Layer) -> keras.Model:
    """The layers given, then 128 ReLU units and a softmax over ten classes."""
    model = keras.Sequential([*first, layers.Dense(128, activation="relu"),
                              layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model


# %%
images, labels = mnist.x_train[:256] / 255, mnist.y_train[:256]
document_2 = network(layers.Input((28, 28)), layers.Flatten())
print("Document 2:", telling_line(lambda: document_2.fit(images.reshape(-1, 784), labels, verbose=0)))
document_4 = network(layers.Input((784,)))
print("Document 4:", telling_line(lambda: document_4.fit(images, labels, verbose=0)))

# %% [markdown]
# Keras prints fifteen lines; this half line is the whole diagnosis. *Expected* is what the first layer was built for, *but input has* is what you passed, and `None` or 32
# in front is the batch. Two places can give way: the data or the first layer. Repair Document 2 in the network, Document 4 in the data.

# %% [markdown]
# ### Exercise 13.4a · a network for rows
#
# Build Document 2's network so that it takes the flattened rows, shape $(B, 784)$: 128 ReLU units, ten softmax outputs. No need to compile it.

# %% tags=["exercise"]
def repaired_network() -> keras.Model:
    """784-128-10, ReLU then softmax. Takes (B, 784), gives (B, 10)."""
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("13.4a", "a network for rows"):
    answer = repaired_network()
    test_rows = np.random.default_rng(0).random((3, 784), dtype=np.float32)
    got = answer(test_rows).numpy()
    assert got.shape == (3, 10), f"gives {got.shape} for three rows"
    assert answer.count_params() == 101_770, f"{answer.count_params():,} parameters"
    W1, b1, W2, b2 = answer.get_weights()
    z = np.maximum(test_rows @ W1 + b1, 0) @ W2 + b2
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(got, expected, rtol=1e-4, err_msg="ReLU, then softmax")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `layers.Input((784,))` in front; rows need no `Flatten`.
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def repaired_network():
#     return keras.Sequential([
#         layers.Input((784,)),
#         layers.Dense(128, activation="relu"),
#         layers.Dense(10, activation="softmax"),
#     ])
# ```
# </details>

# %% [markdown]
# ### Exercise 13.4b · rows for a network
#
# Document 4 says that its preprocessing makes the data fit for training; the flattening is missing. Turn gray images of any size into `float32` rows between 0 and 1.

# %% tags=["exercise"]
def as_rows(images: np.ndarray) -> np.ndarray:
    """(n, height, width) uint8 -> (n, height * width) float32 in [0, 1]."""
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("13.4b", "rows for a network"):
    small = np.random.default_rng(1).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    got = as_rows(small)
    assert got.shape == (3, 20), f"shape {got.shape}, expected (3, 20)"
    assert got.dtype == np.float32, f"dtype {got.dtype}: twice the memory that is needed"
    for image, row in zip(small, got):
        np.testing.assert_allclose(row * 255, image.ravel(), rtol=1e-5)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `reshape(len(images), -1)` keeps one row per image.
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def as_rows(images):
#     return images.reshape(len(images), -1).astype("float32") / 255
# ```
# </details>

# %% [markdown]
# One more trap on the way, in Keras 3. The third *positional* argument of `compile` is not `metrics`:

# %%
trap = keras.Sequential([layers.Input((28, 28)), layers.Flatten(),
                         layers.Dense(10, activation="softmax")])
trap.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])  # no complaint yet
print(telling_line(lambda: trap.fit(images, labels, verbose=0)))

# %% [markdown]
# The message comes later, from elsewhere, and names neither: `["accuracy"]` arrived as `loss_weights`. Write `metrics=[...]`, always.

# %% [markdown]
# ## 13.5 What the repaired programs really reach
#
# Now run the three networks with exactly the documents' settings, three seeds (随机种子) each. Two things are ours, and neither changes the mathematics:
# the division by 255 and the flattening are layers, so the images stay small in memory; and `steps_per_execution` with XLA compilation lets
# TensorFlow run 50 batches per call, because 1,500 calls an epoch would cost more than the arithmetic.

# %%
PROGRAMS = {  # hidden layers and settings as printed
    "Document 2": dict(hidden=[128], epochs=10, batch_size=32, validation_split=0.2),
    "Document 3": dict(hidden=[128], epochs=5, batch_size=32,
                       validation_data=(mnist.x_test, mnist.y_test)),
    "Document 4": dict(hidden=[64, 64], epochs=10, batch_size=128, validation_split=0.1),
}
SEEDS = by_profile(quick=(0,), standard=(0, 1, 2), full=(0, 1, 2))
XLA = platform.system() == "Linux" and profile() != "quick"  # elsewhere it may be missing


def run_program(seed: int, hidden: list[int], epochs: int, **settings):
    """Train one of the documents' networks; returns the model and its history."""
    keras.utils.set_random_seed(seed)
    model = dense_network(*hidden, steps_per_execution=50, jit_compile=XLA)
    epochs = by_profile(quick=2, standard=epochs, full=epochs)
    history = model.fit(mnist.x_train, mnist.y_train, epochs=epochs, verbose=0, **settings)
    return model, history.history


# %%
histories = {name: [] for name in PROGRAMS}
test_accuracy = {name: [] for name in PROGRAMS}
for name, settings in PROGRAMS.items():
    print(name, end=": ")
    for seed in SEEDS:
        program, history = run_program(seed, **settings)
        score = accuracy(predict(program, mnist.x_test).argmax(axis=1), mnist.y_test)
        histories[name].append(history)
        test_accuracy[name].append(score)
        print(f"{score:.2%}", end="  ", flush=True)
    print(f"of the test images, {program.count_params():,} parameters")

# %% [markdown]
# (Is this not deciding on the test set? No: the settings are the documents', and nothing here is chosen by what comes out.)
#
# "Large-model training", two of the documents call it. Between 55 and 102 thousand parameters are six orders of magnitude short of that, and Document 3's
# "input layer and output layer" have a hidden layer in between. Now the question itself:

# %%
def spread(values: list[float]) -> str:
    """Mean ± sample standard deviation, in percent."""
    deviation = np.std(values, ddof=1) if len(values) > 1 else math.nan
    return f"{np.mean(values):.2%} ± {deviation:.2%}"


last = {name: [history["val_accuracy"][-1] for history in runs]
        for name, runs in histories.items() if "val_accuracy" in runs[0]}
rows = [  # label, measured, claimed
    ("Document 2, test", test_accuracy["Document 2"], 0.9824),
    ("Document 3, test", test_accuracy["Document 3"], None),
    ("Document 4, validation", last["Document 4"], 0.9839),
    ("Document 4, test", test_accuracy["Document 4"], None),
]
fig, ax = plt.subplots(figsize=(7, 2.8))
for place, (label, measured, claimed) in enumerate(rows):
    ax.plot(measured, [place] * len(measured), "o", color=plotting.BLUE, alpha=0.6)
    ax.errorbar(np.mean(measured), place + 0.22, xerr=np.std(measured), color=plotting.BLUE, capsize=4)
    if claimed:
        ax.plot(claimed, place, "X", ms=10, color=plotting.RED)
    print(f"{label:<23} {spread(measured)}   claimed: {claimed or 'nothing'}")
ax.set(title="Measured (blue, three seeds) and claimed (red cross)", xlabel="accuracy",
       yticks=range(len(rows)), yticklabels=[label for label, *_ in rows])
ax.invert_yaxis()
plt.show()

# %% [markdown]
# (numbers to be filled)
#
# One more habit to unlearn: Document 3 gives `fit` the test set as validation data. Whoever then keeps the best epoch reports this:

# %%
per_epoch = np.array([history["val_accuracy"] for history in histories["Document 3"]])
print(f"last epoch {np.mean(per_epoch[:, -1]):.2%}, best epoch by the test set "
      f"{np.mean(per_epoch.max(axis=1)):.2%}")

# %% [markdown]
# The difference was not learned, it was picked. It grows with every choice made that way.
#
# ### GPU memory growth: what it does
#
# Document 3 switches on *memory growth* (显存按需增长) "to raise training speed". By default TensorFlow reserves nearly all memory of a GPU at its first use.
# With memory growth it takes only what it needs, when it needs it: that lets two programs share the GPU and shows what yours really uses. It makes no
# multiplication faster. It must be set before the GPU is used, and for all of them, not only `gpus[0]`: `devices.setup` did so at the top.

# %%
gpus = tf.config.list_physical_devices("GPU")
for gpu in gpus:
    print(gpu.name, "memory growth:", tf.config.experimental.get_memory_growth(gpu))
print(f"{len(gpus)} GPUs" if gpus else "no GPU here: nothing to set, and the program runs all the same")

# %% [markdown]
# ## 13.6 A confusion matrix that cannot be
#
# Under its 98.24 %, Document 2 prints a *confusion matrix* (混淆矩阵): row = true digit, column = answer, entry = number of test images. You can
# audit it without running anything.

# %%
# NBVAL_CHECK_OUTPUT
claimed_matrix = np.array([
    [960, 36, 12, 18, 15, 8, 16, 7, 11, 13], [10, 960, 20, 17, 14, 6, 18, 11, 9, 15],
    [18, 19, 960, 13, 19, 7, 16, 9, 10, 17], [10, 15, 14, 95, 16, 9, 18, 11, 8, 12],
    [17, 13, 15, 14, 960, 6, 19, 11, 8, 12], [11, 8, 17, 16, 14, 960, 15, 10, 13, 19],
    [12, 18, 16, 17, 17, 16, 960, 11, 9, 13], [7, 11, 9, 11, 11, 10, 11, 960, 17, 14],
    [9, 9, 10, 12, 11, 13, 13, 14, 960, 16], [15, 15, 17, 12, 19, 19, 16, 14, 17, 960],
])
MNIST_TEST = np.array([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])  # images per class
total, right = claimed_matrix.sum(), np.trace(claimed_matrix)
print(f"images {total:,} instead of {MNIST_TEST.sum():,}")
print(f"diagonal / images = {right:,} / {total:,} = {right / total:.4f} instead of 0.9824")
print(f"errors {total - right:,}; 98.24 % of 10,000 leaves {10_000 - 9824}")
best = np.minimum(960, MNIST_TEST).sum()
print(f"with at most 960 right per class, at best {best:,} of 10,000 = {best / 10_000:.2%}")

# %%
fig, ax = plt.subplots(figsize=(7.2, 3.3))
digits = np.arange(10)
ax.bar(digits - 0.2, MNIST_TEST, 0.4, color=plotting.GRAY, label="test images there are")
ax.bar(digits + 0.2, claimed_matrix.sum(axis=1), 0.4, color=plotting.ORANGE, label="row sum printed")
ax.plot(digits, np.diag(claimed_matrix), "D", color=plotting.RED, label="“correct” printed")
ax.set(title="No row adds up, and two digits have more hits than images", xlabel="digit",
       ylabel="images", xticks=digits, ylim=(0, 1600))
ax.legend(ncols=3, loc="upper center")
plt.show()
print("more right than there are:", digits[np.diag(claimed_matrix) > MNIST_TEST])
if REAL:
    print("the gray bars are the test set's:", np.array_equal(np.bincount(mnist.y_test), MNIST_TEST))

# %% [markdown]
# Each row of a confusion matrix sums to the number of test images of that digit, whatever the model. Not one row does; the row of the 3 has 208 images instead of 1,010. For 5 and 6
# the matrix counts 960 hits where 892 and 958 images exist. And its own accuracy is 0.8778. No model printed this.
#
# ### Exercise 13.6a · count a confusion matrix
#
# Write it yourself, without scikit-learn.

# %% tags=["exercise"]
def count_confusions(y: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Confusion matrix: entry [i, j] counts the images of class i that were named j.

    y, predicted: (n,) class indices -> (classes, classes) int
    """
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("13.6a", "count a confusion matrix"):
    from sklearn.metrics import confusion_matrix

    for seed, classes in ((0, 4), (1, 7)):
        test_rng = np.random.default_rng(seed)
        truth = test_rng.integers(0, classes - 1, 50)  # the last class has no image
        named = test_rng.integers(0, classes, 50)
        got = count_confusions(truth, named, classes)
        assert np.shape(got) == (classes, classes), f"shape {np.shape(got)}"
        expected = confusion_matrix(truth, named, labels=range(classes))
        np.testing.assert_array_equal(got, expected)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Start from zeros and add 1 at `[y[i], predicted[i]]` for every image.
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def count_confusions(y, predicted, classes):
#     matrix = np.zeros((classes, classes), dtype=int)
#     for true, named in zip(y, predicted):
#         matrix[true, named] += 1
#     return matrix
# ```
# </details>

# %% [markdown]
# ### Exercise 13.6b · could this matrix be real?
#
# Make the audit a function. A published matrix passes if every row sums to its class's number of images, no entry is negative, and diagonal / total,
# rounded to four decimals, is the accuracy stated.

# %% tags=["exercise"]
def could_be_real(matrix: np.ndarray, class_counts: np.ndarray, accuracy: float) -> bool:
    """True if a confusion matrix fits the test set and the accuracy stated with it.

    matrix: (k, k) counts, rows are true classes. class_counts: (k,). accuracy: four decimals.
    """
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("13.6b", "could this matrix be real?"):
    honest = np.array([[4000, 25, 0], [31, 5000, 7], [0, 2, 1011]])
    images = honest.sum(axis=1)
    assert could_be_real(honest, images, 0.9935), "10,011 of 10,076 is 0.9935"
    assert not could_be_real(honest, images, 0.9936), "the accuracy is not the matrix's"
    assert not could_be_real(honest, images, 0.99355), "the accuracy has four decimals"
    assert not could_be_real(honest.T, images, 0.9935), "rows are true classes"
    moved = honest + [[0, 0, 0], [1, 0, -1], [0, 0, 0]]
    assert could_be_real(moved, images, 0.9935), "the same rows, the same diagonal"
    assert not could_be_real(moved - 8 * np.eye(3, k=1) + 8 * np.eye(3, k=2), images, 0.9935)
    negative = honest + [[0, 1, -1], [0, 0, 0], [0, 0, 0]]
    assert not could_be_real(negative, images, 0.9935), "an entry is negative"
    one_short = honest - [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert not could_be_real(one_short, images, 0.9935), "a row does not sum to its class"
    assert not could_be_real(claimed_matrix, MNIST_TEST, 0.9824)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `matrix.sum(axis=1)`, `(matrix >= 0).all()`, `round(np.trace(matrix) / matrix.sum(), 4)`.
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def could_be_real(matrix, class_counts, accuracy):
#     rows_fit = np.array_equal(matrix.sum(axis=1), class_counts)
#     counts = (matrix >= 0).all()
#     accuracy_fits = round(np.trace(matrix) / matrix.sum(), 4) == accuracy
#     return bool(rows_fit and counts and accuracy_fits)
# ```
# </details>

# %% [markdown]
# ## 13.7 A training log that does not add up
#
# Document 4 prints a log, too: `128/128` steps per epoch, then a loss of 0.0631 beside an accuracy of 0.9555. The steps first. Its program trains on
# 90 % of 60,000 images in batches of 128:

# %%
# NBVAL_CHECK_OUTPUT
trained_on = math.floor(60_000 * (1 - 0.1))
print(f"{trained_on:,} images / 128 = {trained_on / 128:.3f}, so {math.ceil(trained_on / 128)} steps, not 128")

# %% [markdown]
# 128 is the batch size. Now the losses. A network that names the wrong digit gave that digit at least the probability of the true one, so the true one has
# $p \le \tfrac12$ and costs $-\log p \ge \log 2$. With accuracy $a$, a share $1-a$ of the images pays at least that:
#
# $$L \;\ge\; (1 - a)\,\log 2 .$$
#
# That is the floor. What do real runs do? Each blue point below is one epoch of one seed of the same network.

# %%
log = {"training": ([0.9555, 0.9722, 0.9884], [0.0631, 0.0506, 0.0365]),
       "validation": ([0.9474, 0.9674, 0.9839], [0.0681, 0.0554, 0.0389])}
fig, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True)
for ax, (kind, (accuracies, losses)), prefix in zip(axes, log.items(), ("", "val_")):
    for history in histories["Document 4"]:
        ax.semilogy(history[f"{prefix}accuracy"], history[f"{prefix}loss"], "o", color=plotting.BLUE,
                    alpha=0.6)
    ax.semilogy(accuracies, losses, "X", ms=9, color=plotting.RED)
    a = np.linspace(0.86, 0.995)
    ax.semilogy(a, (1 - a) * np.log(2), "--", color=plotting.GRAY)
    ax.set(title=kind, xlabel="accuracy")
axes[0].set_ylabel("loss in nats")
axes[0].text(0.875, 0.05, "floor $(1-a)\\,\\log 2$", color=plotting.GRAY)
fig.suptitle("The log's epochs (red) lie where no training (blue) has been", fontweight="bold")
plt.show()

# %%
first = [(h["loss"][0], h["accuracy"][0], h["val_loss"][0], h["val_accuracy"][0])
         for h in histories["Document 4"]]
print("epoch 1          loss    accuracy  val_loss  val_accuracy")
print("claimed        0.0631      0.9555    0.0681        0.9474")
print("measured     {:8.4f}{:12.4f}{:10.4f}{:14.4f}".format(*np.mean(first, axis=0)))

# %% [markdown]
# The log is not below the floor, so it is not impossible, as the matrix was. It is merely unlike any training: in its first epoch, which begins with guessing, a
# loss of 0.06 is a sixth of what the network has. (fill)
#
# ### Exercise 13.7 · two tests for any training log
#
# Write both: how many steps must the progress bar show, and how low can the loss be? Then use them on the next log you are shown.

# %% tags=["exercise"]
def steps_per_epoch(examples: int, validation_split: float, batch_size: int) -> int:
    """Batches that Keras trains on in one epoch; the last one may be smaller."""
    raise NotImplementedError("your turn")


def loss_floor(accuracy: float, top: float = 1.0) -> float:
    """Smallest mean cross-entropy (nats) at this accuracy.

    top: the largest probability that the network ever gives to a class. The images named
    rightly then cost at least -log(top) each, the others at least log(2).
    """
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("13.7", "two tests for any training log"):
    for examples, split, batch, steps in [(60_000, 0.1, 128, 422), (60_000, 0.2, 32, 1500),
                                          (1000, 0.25, 10, 75), (1000, 0.25, 7, 108), (11, 0.1, 3, 3)]:
        got = steps_per_epoch(examples, split, batch)
        assert got == steps, f"{examples} examples, split {split}, batch {batch}: {steps}, not {got}"
    test_rng = np.random.default_rng(2)
    for top, a in ((1.0, 0.9555), (0.9, 0.75), (0.99, 0.0)):
        right = np.arange(400) < 400 * a
        p = np.where(right, top, 0.5)  # the best that a network can do
        np.testing.assert_allclose(loss_floor(np.mean(right), top), -np.log(p).mean(), rtol=1e-9)
    np.testing.assert_allclose(loss_floor(0.9), 0.1 * np.log(2), rtol=1e-9)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Keras trains on the first `floor(examples * (1 - validation_split))` rows. For the floor, add up the two groups, each with its share.
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def steps_per_epoch(examples, validation_split, batch_size):
#     return math.ceil(math.floor(examples * (1 - validation_split)) / batch_size)
#
#
# def loss_floor(accuracy, top=1.0):
#     return (1 - accuracy) * np.log(2) - accuracy * np.log(top)
# ```
# </details>

# %% [markdown]
# ## 13.8 Save it, load it, look at its answers
#
# Document 3 saves its model as `.h5`, then a second program loads it and shows predictions. Save the last network of 13.5 in today's format and in that one, load both, compare.

# %%
folder = tempfile.TemporaryDirectory()  # vanishes with the kernel
path = Path(folder.name) / "digits.keras"
program.save(path)
loaded = keras.models.load_model(path)
before, after = predict(program, x_val), predict(loaded, x_val)
claim("largest difference of a prediction after saving and loading",
      np.abs(before - after).max(), at_most=0)

# %% [markdown]
# Identical to the last bit. What is in the file?

# %%
import zipfile

for item in zipfile.ZipFile(path).infolist():
    print(f"{item.filename:<18} {item.file_size:>9,} bytes")

# %% [markdown]
# A zip archive: the architecture as JSON text, the weights as numbers. The two older ways, and one that is gone:

# %%
program.save(Path(folder.name) / "digits.h5")
same = np.array_equal(predict(keras.models.load_model(Path(folder.name) / "digits.h5"), x_val), before)
print("same predictions from .h5:", same)
print("a plain folder name gives", telling_line(lambda: program.save(Path(folder.name) / "digits")))

# %% [markdown]
# `.h5` still works and says itself that it is *legacy*. A name without ending raises (in Keras 2 it wrote a SavedModel folder); for serving, `model.export` makes one. The third
# old habit is worse. A *pickle* is not data but a program that builds data, and loading it runs that program:

# %%
import pickle


class Surprise:
    def __reduce__(self):
        return print, ("this line was printed by a file that somebody only opened",)


pickle.loads(pickle.dumps(Surprise()))

with_code = keras.Sequential([layers.Input((2,)), layers.Lambda(lambda x: 2 * x)])
with_code.save(Path(folder.name) / "with_code.keras")
print(".keras:", telling_line(lambda: keras.models.load_model(Path(folder.name) / "with_code.keras")))

# %% [markdown]
# It could have been any command. `.keras` refuses code by default (`safe_mode`); for `.h5`, Keras versions before 3.11.3 silently ignored that switch (CVE-2025-9905), and holes in the
# `.keras` check have been found and closed as well (CVE-2025-1550). So: `.keras`, a current Keras, and files only from people you trust.
#
# ### The second program: three errors, then noise
#
# Document 3's second program loads the model and draws ten predictions. It runs on its own, so run its idea in an empty namespace, as a fresh kernel would:

# %%
network(layers.Input((784,))).save(Path(folder.name) / "rows.keras")
show = """
model = tf.keras.models.load_model(path)
pictures = np.random.rand(10, 784).reshape(-1, 28, 28, 1)
model.predict(pictures, verbose=0)
"""
imports = ""
for added in ("", "import tensorflow as tf", "import numpy as np"):
    imports += added + "\n"
    fresh_kernel = {"path": Path(folder.name) / "rows.keras"}
    print(f"{added or 'as printed':<25} {telling_line(lambda: exec(imports + show, fresh_kernel))}")

# %% [markdown]
# Each error hid the next; the last is the shape again, and leaving out that `reshape` mends it. But look at what it would show: random pixels with random
# "true" labels. Judge a trained and an untrained network that way:

# %%
noise = rng.integers(0, 256, (2000, 28, 28), dtype=np.uint8)
random_labels = rng.integers(0, 10, 2000)
for name, model in (("trained", program), ("never trained", dense_network(32))):
    answers = predict(model, noise)
    print(f"{name:<14} {accuracy(answers.argmax(axis=1), random_labels):.1%} “correct”, mean confidence "
          f"{answers.max(axis=1).mean():.0%}; on real digits "
          f"{accuracy(predict(model, x_val).argmax(axis=1), y_val):.1%}")

named = predict(program, noise[:10]).argmax(axis=1)
plotting.image_grid(noise[:10], [f"{p}, “{t}”" for p, t in zip(named, random_labels)])
plt.suptitle("This figure would look the same whatever the network knows", fontsize=10)
plt.show()

# %% [markdown]
# A tenth is right either way, because ten labels were drawn from a hat; and the trained network is sure of itself on pure noise. A prediction figure needs real images
# with their own labels, some of them wrong:

# %%
named = predict(program, x_val[:2000]).argmax(axis=1)
wrong = np.flatnonzero(named != y_val[:2000])[:10]
shown = np.concatenate([np.arange(20), wrong])
titles = [str(p) if p == t else f"{p}, not {t}" for p, t in zip(named[shown], y_val[shown])]
plotting.image_grid(x_val[shown], titles, wrong=named[shown] != y_val[shown])
plt.suptitle("Two rows as they come, one row of mistakes (red)", fontsize=10)
plt.show()

# %% [markdown]
# ## 13.9 Beat it honestly: a better MLP
#
# The documents' networks memorize: in Document 4's runs training accuracy ends far above validation accuracy. Keep the idea (dense layers, no convolution), and add what part 2 taught:
#
# | ingredient | from | what it does here |
# |---|---|---|
# | 512 + 512 units | notebook 04 | room for more templates |
# | dropout (随机失活) | notebook 12 | no unit may rely on another one |
# | batch normalization | notebook 09 | lets a high learning rate work |
# | AdamW, warm-up, cosine decay | notebook 07 | large steps first, ever smaller ones at the end |
#
# All of it was chosen on validation images.

# %%
BATCH = 128
MODEL_SEEDS = by_profile(quick=(0,), standard=(0,), full=(0, 1, 2))


def compile_to_train(model: keras.Model, epochs: int, peak: float, **options) -> None:
    """Compile with AdamW, its rate rising to `peak` in the first epoch, then falling to zero."""
    steps = math.ceil(len(x_train) / BATCH)
    rate = keras.optimizers.schedules.CosineDecay(
        peak / 20, max(1, steps * (epochs - 1)), warmup_target=peak, warmup_steps=steps)
    model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=0.01),
                  loss="sparse_categorical_crossentropy", metrics=["accuracy"], **options)


def build_mlp(width: int = 512) -> keras.Model:
    """Images (B, 28, 28) -> probabilities (B, 10), through two dense hidden layers."""
    stack = [layers.Input((28, 28)), layers.Rescaling(1 / 255),
              layers.Flatten(), layers.Dropout(0.1)]
    for _ in range(2):
        stack += [layers.Dense(width, use_bias=False), layers.BatchNormalization(),
                   layers.ReLU(), layers.Dropout(0.3)]
    return keras.Sequential([*stack, layers.Dense(10, activation="softmax")])


# %%
MLP_EPOCHS = by_profile(quick=2, standard=12, full=30)
mlps, mlp_seconds = [], []
for seed in MODEL_SEEDS:
    keras.utils.set_random_seed(seed)
    mlp, start = build_mlp(), time.perf_counter()
    compile_to_train(mlp, MLP_EPOCHS, peak=3e-3, steps_per_execution=50, jit_compile=XLA)
    mlp.fit(x_train, y_train, batch_size=BATCH, epochs=MLP_EPOCHS, verbose=0,
            validation_data=(x_val, y_val), callbacks=[plotting.training_plot(title=f"MLP, seed {seed}")])
    mlps.append(mlp)
    mlp_seconds.append(time.perf_counter() - start)
mlp = mlps[0]
print(f"{mlp.count_params():,} parameters, "
      f"validation accuracy {accuracy(predict(mlp, x_val).argmax(axis=1), y_val):.2%}")

# %% [markdown]
# Validation above training: (fill)

# %% [markdown]
# ## 13.10 Use the picture: a convolutional network
#
# `Flatten` throws away which pixels are neighbors. Shuffle all pixels, the same way in every image, and an MLP learns just as well; a person would not. A *convolution* (卷积) looks at 3×3 neighborhoods with the
# same weights everywhere (notebook 09). It also lets us say what does not matter: a digit turned by some degrees, scaled or moved a little is the same digit. So every image is
# distorted anew in each epoch.

# %%
def distort(images, labels):
    """Turn, scale and move every image a little, by one affine map each.

    images: (B, 28, 28) -> the same shape, float32. Labels pass through.
    """
    n, middle = tf.shape(images)[0], 13.5
    angle = tf.random.uniform([n], -10, 10) * math.pi / 180
    scale = tf.random.uniform([n], 0.9, 1.1)
    move_x, move_y = tf.unstack(tf.random.uniform([2, n], -2.0, 2.0))
    cos, sin, zero = scale * tf.cos(angle), scale * tf.sin(angle), tf.zeros([n])
    # pixel (x, y) of the result is read at A(x, y) + t of the image; t keeps the middle in place
    t_x = middle - cos * middle + sin * middle + move_x
    t_y = middle - sin * middle - cos * middle + move_y
    maps = tf.stack([cos, -sin, t_x, sin, cos, t_y, zero, zero], axis=1)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32)[..., None], transforms=maps, output_shape=[28, 28],
        fill_value=0.0, interpolation="BILINEAR", fill_mode="CONSTANT")
    return moved[..., 0], labels


example = np.repeat(x_train[:2], 10, axis=0)
distorted = distort(example, None)[0].numpy()
distorted[::10] = example[::10]
plotting.image_grid(distorted, ["as it is", *[""] * 9] * 2)
plt.suptitle("Nine variants a person would not argue about", fontsize=10)
plt.show()

# %% [markdown]
# Each training image now comes in a new variant every time: the network never sees the same picture twice. (Flips, which notebook 14 uses for photographs, would be wrong here: no digit may be mirrored.)

# %%
WIDTH = by_profile(quick=8, standard=16, full=32)


def build_convnet(width: int) -> keras.Model:
    """Images (B, 28, 28) -> probabilities (B, 10), through three convolutions."""
    stack = [layers.Input((28, 28)), layers.Rescaling(1 / 255),
              layers.Reshape((28, 28, 1))]
    for channels in (width, 2 * width):
        stack += [layers.Conv2D(channels, 3, padding="same", activation="relu"),
                   layers.MaxPooling2D()]  # halves height and width
    stack += [layers.Conv2D(4 * width, 3, padding="same", activation="relu"),
               layers.Flatten(), layers.Dropout(0.25)]
    return keras.Sequential([*stack, layers.Dense(10, activation="softmax")])


w = WIDTH
plotting.flow(
    {"image\n28×28": (0, 0), f"conv, pool\n14×14×{w}": (1, 0), f"conv, pool\n7×7×{2 * w}": (2, 0),
     f"conv\n7×7×{4 * w}": (3, 0), "dense\n10": (4, 0)},
    [("image\n28×28", f"conv, pool\n14×14×{w}"), (f"conv, pool\n14×14×{w}", f"conv, pool\n7×7×{2 * w}"),
     (f"conv, pool\n7×7×{2 * w}", f"conv\n7×7×{4 * w}"), (f"conv\n7×7×{4 * w}", "dense\n10")],
    highlight=["dense\n10"], box_width=1.2, title="The picture shrinks, the number of features grows")
plt.show()
print(f"convnet {build_convnet(WIDTH).count_params():,} parameters, MLP {mlp.count_params():,}")

# %%
CONV_EPOCHS = by_profile(quick=2, standard=6, full=20)
convnets, conv_seconds = [], []
for seed in MODEL_SEEDS:
    keras.utils.set_random_seed(seed)
    batches = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train))
    batches = batches.batch(BATCH).map(distort).prefetch(2)
    convnet, start = build_convnet(WIDTH), time.perf_counter()
    compile_to_train(convnet, CONV_EPOCHS, peak=2e-3)
    convnet.fit(batches, epochs=CONV_EPOCHS, verbose=0, validation_data=(x_val, y_val),
                callbacks=[plotting.training_plot(title=f"Convnet, seed {seed}")])
    convnets.append(convnet)
    conv_seconds.append(time.perf_counter() - start)
convnet = convnets[0]
print(f"validation accuracy {accuracy(predict(convnet, x_val).argmax(axis=1), y_val):.2%}")

# %% [markdown]
# The dashed curve lies above the solid one, because training images are distorted and validation images are not.

# %% [markdown]
# ## 13.11 Open the test set, once, and say how sure you are
#
# All decisions are made. Now, and only now:

# %%
mlp_answers = [predict(model, mnist.x_test) for model in mlps]  # each (n, 10)
conv_answers = [predict(model, mnist.x_test) for model in convnets]
mlp_test = [accuracy(answers.argmax(axis=1), mnist.y_test) for answers in mlp_answers]
conv_test = [accuracy(answers.argmax(axis=1), mnist.y_test) for answers in conv_answers]
judged = REAL and profile() != "quick"
claim("MLP, test accuracy, mean over seeds", np.mean(mlp_test), applies=judged,
      at_least=by_profile(quick=0.984, standard=0.984, full=0.986))
claim("convnet, test accuracy, mean over seeds", np.mean(conv_test), applies=judged,
      at_least=by_profile(quick=0.992, standard=0.992, full=0.995))

# %% [markdown]
# Both documents' figures are beaten, by networks that ran. But these are counts on a *sample* of $n$ test images; other writers would have given another count. How far could the true accuracy $p$ lie from the
# measured $\hat p$? Counts of right answers vary with standard deviation $\sqrt{p(1-p)/n}$. Keep every $p$ that is at most $z = 1.96$ such deviations away (95 %):
#
# $$(\hat p - p)^2 \;\le\; z^2\, \frac{p(1-p)}{n} .$$
#
# This is a quadratic inequality in $p$. Sorted by powers, $(1 + \tfrac{z^2}{n})\,p^2 - (2\hat p + \tfrac{z^2}{n})\,p + \hat p^2 \le 0$, and $p$ lies between its two roots: the *Wilson interval*
#
# $$p \;=\; \frac{1}{1 + z^2/n}\left(\hat p + \frac{z^2}{2n} \;\pm\; z \sqrt{\frac{\hat p(1-\hat p)}{n} + \frac{z^2}{4n^2}}\right).$$

# %%
def interval(right: int, n: int, z: float = 1.96) -> np.ndarray:
    """Wilson interval: the two roots of the quadratic, found by NumPy."""
    p_hat = right / n
    return np.sort(np.roots([1 + z**2 / n, -(2 * p_hat + z**2 / n), p_hat**2]).real)


def plot_wilson(ax, right: int, n: int) -> None:
    """Draw both sides of Wilson's inequality over p."""
    p = np.linspace(0.85, 1, 400)
    distance, allowed = np.abs(right / n - p), 1.96 * np.sqrt(p * (1 - p) / n)
    ax.plot(p, distance, label=r"distance $|\hat p - p|$")
    ax.plot(p, allowed, label=r"allowed $z\sqrt{p(1-p)/n}$")
    ax.fill_between(p, 0, distance.max(), where=distance <= allowed, color=plotting.YELLOW, alpha=0.5)
    ax.set(title=f"{right} of {n:,} right", xlabel="true accuracy p")


fig, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True)
plot_wilson(axes[0], 49, 50)
plot_wilson(axes[1], 490, 500)
axes[0].set_ylabel("distance")
axes[0].legend()
fig.suptitle("98 % of 50 says little, 98 % of 500 more: the interval is where orange is on top",
             fontweight="bold")
plt.show()

# %% [markdown]
# The allowed distance shrinks toward $p = 1$, so the interval is not symmetric: after 49 of 50, far lower accuracies remain possible, but hardly higher ones. (The textbook's $\hat p \pm z\sqrt{\hat p(1-\hat p)/n}$ would reach beyond 100 %.)
#
# ### Exercise 13.11 · the Wilson interval

# %% tags=["exercise"]
def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Lower and upper end of the Wilson interval for `right` successes in n trials."""
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("13.11", "the Wilson interval"):
    for right, n, z in ((49, 50, 1.96), (9824, 10_000, 1.96), (3, 7, 1.0), (1, 3, 2.58), (0, 5, 1.96)):
        np.testing.assert_allclose(wilson(right, n, z), interval(right, n, z), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(wilson(45, 50), wilson(45, 50, 1.96), rtol=1e-9)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Compute the middle, $\hat p + z^2/2n$, and the root, then divide both by $1 + z^2/n$.
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def wilson(right, n, z=1.96):
#     p = right / n
#     middle = p + z**2 / (2 * n)
#     half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
#     return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
# ```
# </details>

# %% [markdown]
# Now every figure with its interval: ours, the repaired programs' (first seed), and what the documents claim for $n = 10{,}000$.

# %%
n_test = len(mnist.y_test)
compared = {f"{name}, repaired": (test_accuracy[name][0], n_test) for name in PROGRAMS} | {
    "Document 2, claimed": (0.9824, 10_000),
    "Document 4, claimed (validation)": (0.9839, 6_000),
    "our MLP": (mlp_test[0], n_test),
    "our convnet": (conv_test[0], n_test),
}
fig, ax = plt.subplots(figsize=(7.2, 3.2))
for place, (label, (value, n)) in enumerate(compared.items()):
    color = plotting.RED if "claimed" in label else plotting.BLUE
    low, high = interval(round(value * n), n)
    ax.plot([low, high], [place, place], color=color, lw=5, alpha=0.4, solid_capstyle="butt")
    ax.plot(value, place, "o", color=color)
    ax.text(high + 0.0005, place, f"{value:.2%}  [{low:.2%}, {high:.2%}]", va="center", fontsize=8)
ax.set(title="95 % intervals: ours lie clear of what was claimed", xlabel="accuracy",
       yticks=range(len(compared)), yticklabels=list(compared))
ax.set_xlim(right=ax.get_xlim()[1] + 0.012)
ax.invert_yaxis()
plt.show()

# %% [markdown]
# (fill)
#
# **Is the convnet better than the MLP, or luckier?** Both answered the *same* images, so compare pairs, not intervals. Images that both get right, or both wrong, say nothing about the difference. Count the rest:
# $b$ images that only the MLP gets right, $c$ that only the convnet does. If neither were better, each of these $b + c$ would fall to either side like a fair coin. *McNemar's test* asks how often a coin is at least as lopsided:
#
# $$p\text{-value} = \min\Big(1,\; 2 \sum_{k=0}^{\min(b,c)} \binom{b+c}{k}\, 2^{-(b+c)}\Big).$$

# %%
def mcnemar(b: int, c: int) -> float:
    """Two-sided exact p-value for b against c images that only one of two models gets right."""
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1))
    return min(1.0, 2 * tail / 2 ** (b + c))


flips = np.random.default_rng(0).binomial(21, 0.5, 200_000)  # 21 coins, 200,000 times
print(f"b = 6, c = 15: p = {mcnemar(6, 15):.4f}; "
      f"coins at least as lopsided: {np.mean(np.abs(flips - 10.5) >= 4.5):.4f}")

mlp_right = mlp_answers[0].argmax(axis=1) == mnist.y_test
conv_right = conv_answers[0].argmax(axis=1) == mnist.y_test
only_mlp, only_conv = int(np.sum(mlp_right & ~conv_right)), int(np.sum(conv_right & ~mlp_right))
print(f"only the MLP right: {only_mlp}, only the convnet right: {only_conv}, "
      f"both wrong: {np.sum(~mlp_right & ~conv_right)}; p = {mcnemar(only_mlp, only_conv):.1e}")

# %% [markdown]
# The formula agrees with the coins. (fill) A small $p$ says that this test set didn't decide by luck; how much better the convnet is, the counts say.

# %% [markdown]
# ## 13.12 Look at the mistakes

# %%
conv_named, conv_sure = conv_answers[0].argmax(axis=1), conv_answers[0].max(axis=1)
matrix = np.zeros((10, 10), dtype=int)
np.add.at(matrix, (mnist.y_test, conv_named), 1)
plotting.confusion_matrix(matrix, mnist.class_names, title="Convnet, test images: few confusions left")
plt.show()
print("row sums", matrix.sum(axis=1), "  trace / total", f"{np.trace(matrix) / matrix.sum():.4f}")

# %% [markdown]
# This one passes the audit: rows sum to the class counts, and trace over total is the accuracy that the claim above printed. (To hand TensorFlow tensors to NumPy or scikit-learn, as Document 2 does with `tf.argmax`, works; `argmax` of
# what `predict` returns is already an array.)

# %%
wrong = np.flatnonzero(~conv_right)
worst = wrong[np.argsort(-conv_sure[wrong])][:20]
titles = [f"{p}, not {t}\n{s:.0%} sure" for p, t, s in
          zip(conv_named[worst], mnist.y_test[worst], conv_sure[worst])]
plotting.image_grid(mnist.x_test[worst], titles, size=0.95)
plt.suptitle(f"The surest of {len(wrong)} mistakes", fontsize=10)
plt.show()

# %% [markdown]
# Look for yourself: some are clearly the network's fault; others would divide a room of people, and a few labels look wrong. An accuracy of 100 % here would mean that a network had learned the labelers' slips.
#
# **May it say "I don't know"?** Sort the images by how sure the network is, answer only the surest, hand the rest to a person. The threshold is a decision, so it is taken on validation images:

# %%
val_answers = predict(convnet, x_val)
val_sure, val_right = val_answers.max(axis=1), val_answers.argmax(axis=1) == y_val
order = np.argsort(-val_sure)
answered = np.arange(1, len(order) + 1)
errors = np.cumsum(~val_right[order]) / answered  # among the surest k

fig, ax = plt.subplots(figsize=(6, 3))
ax.plot(answered / len(order), errors)
ax.set(title="Most mistakes hide among the images it is least sure of",
       xlabel="share of the images answered", ylabel="errors among them")
plt.show()
threshold = np.quantile(val_sure, 0.02)
kept = conv_sure >= threshold
print(f"asking a person when it is less than {threshold:.0%} sure: {1 - kept.mean():.1%} of the test images; "
      f"the rest {conv_right[kept].mean():.2%} right instead of {conv_right.mean():.2%}")

# %% [markdown]
# ### Exercise 13.12 · how much can be answered alone?
#
# A customer accepts at most one error in a thousand answers. Return the largest share of the images that can be answered, surest first, so that at least `target` of the answered ones are right.

# %% tags=["exercise"]
def share_answered(sure: np.ndarray, right: np.ndarray, target: float) -> float:
    """Largest share k/n such that of the k surest images at least `target` are right.

    sure: (n,) confidences, all different. right: (n,) bool. Returns 0.0 if no k will do.
    """
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("13.12", "how much can be answered alone?"):
    sure = np.array([0.61, 0.99, 0.70, 0.95, 0.80, 0.90, 0.50, 0.97])
    right = np.array([True, True, True, False, True, True, False, True])
    # surest first: right right wrong right right right right wrong
    for target, expected in [(1.0, 2 / 8), (0.85, 7 / 8), (6 / 7, 7 / 8), (0.87, 2 / 8), (0.75, 1.0)]:
        got = share_answered(sure, right, target)
        assert np.isclose(got, expected), f"target {target:.2f}: {got:.3f}, expected {expected:.3f}"
    assert share_answered(sure, ~right, 0.9) == 0.0, "nothing reaches the target"
    test_rng = np.random.default_rng(5)
    sure, right = test_rng.permutation(300) / 300, test_rng.random(300) < 0.9
    ranked = right[np.argsort(-sure)]
    expected = max(k for k in range(1, 301) if ranked[:k].mean() >= 0.91) / 300
    assert np.isclose(share_answered(sure, right, 0.91), expected)

# %% [markdown]
# <details><summary>Hint</summary>
#
# After `right[np.argsort(-sure)]`, the accuracy among the first $k$ is a cumulative sum over $1 \dots n$. It can fall below the target and recover, so look for the *last* $k$ that reaches it.
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def share_answered(sure, right, target):
#     ranked = right[np.argsort(-sure)]
#     reached = np.cumsum(ranked) / np.arange(1, len(ranked) + 1) >= target
#     if not reached.any():
#         return 0.0
#     return (np.flatnonzero(reached).max() + 1) / len(ranked)
# ```
# </details>
#
# Then try `share_answered(val_sure, val_right, 0.999)`. With so few errors left, how wide is the Wilson interval of that 0.999?

# %% [markdown]
# ## 13.13 Where it breaks
#
# Accuracy on the test set speaks for images *like* the test set. Change what a user's camera or scanner might change, and measure (on 2,000 validation images):

# %%
def shift(images: np.ndarray, pixels: int) -> np.ndarray:
    """Move images (n, 28, 28) to the right; paper comes in from the left."""
    moved = np.zeros_like(images)
    moved[:, :, pixels:] = images[:, :, : images.shape[2] - pixels]
    return moved


def noisy(images: np.ndarray, deviation: float) -> np.ndarray:
    """Add Gaussian noise (standard deviation in gray values) and stay within 0 to 255."""
    added = images + np.random.default_rng(0).normal(0, deviation, images.shape)
    return np.clip(added, 0, 255).astype(np.uint8)


few, few_labels = x_val[:2000], y_val[:2000]
CHANGES = {
    "as it is": few,
    "moved 4 px": shift(few, 4),
    "noise 80": noisy(few, 80),
    "half the ink": few // 2,
    "quarter turn": np.rot90(few, axes=(1, 2)),
    "upside down": few[:, ::-1],
    "white on black": 255 - few,
}
scores = {name: [accuracy(predict(model, images).argmax(axis=1), few_labels)
                 for model in (mlp, convnet)] for name, images in CHANGES.items()}

# %%
fig = plt.figure(figsize=(8, 3.6))
grid = fig.add_gridspec(2, len(CHANGES), height_ratios=[1, 2.2])
for column, images in enumerate(CHANGES.values()):
    ax = fig.add_subplot(grid[0, column])
    ax.imshow(images[1], vmin=0, vmax=255)
    ax.axis("off")
ax = fig.add_subplot(grid[1, :])
places = np.arange(len(CHANGES))
for offset, values, label, color in ((-0.2, [s[0] for s in scores.values()], "MLP", plotting.SKY),
                                     (0.2, [s[1] for s in scores.values()], "convnet", plotting.BLUE)):
    bars = ax.bar(places + offset, values, 0.4, label=label, color=color)
    ax.bar_label(bars, [f"{v:.0%}" for v in values], fontsize=8)
ax.axhline(0.1, color=plotting.GRAY, linestyle=":")
ax.set(ylabel="accuracy", ylim=(0, 1.25), xticks=places, xticklabels=list(CHANGES))
ax.legend(ncols=2, loc="upper right")
fig.suptitle("A person reads most of these; the networks do not", fontweight="bold")
plt.show()

# %%
pixels = np.arange(9)
moved = np.array([[accuracy(predict(model, shift(few, int(p))).argmax(axis=1), few_labels)
                   for model in (mlp, convnet)] for p in pixels])
fig, ax = plt.subplots(figsize=(6, 3))
ax.plot(pixels, moved[:, 0], marker="o", color=plotting.SKY, label="MLP, trained on centered digits")
ax.plot(pixels, moved[:, 1], marker="o", color=plotting.BLUE, label="convnet, trained on moved ones")
ax.axvspan(0, 2, color=plotting.YELLOW, alpha=0.3, lw=0)
ax.set(title="Robust as far as it was trained to be, and little further",
       xlabel="moved to the right by (pixels)", ylabel="accuracy", ylim=(0, 1.03))
ax.legend()
plt.show()
print("pixels ", *[f"{p:>5}" for p in pixels])
print("MLP    ", *[f"{v:>5.0%}" for v in moved[:, 0]])
print("convnet", *[f"{v:>5.0%}" for v in moved[:, 1]])

# %% [markdown]
# (fill)
#
# ### The stand-in is not MNIST
#
# Without network this notebook runs on scikit-learn's 8×8 digits, enlarged. What can be learned from them about MNIST?

# %%
small = data.digits()
enlarged = np.rint(small.x_train * (255 / 16)).astype(np.uint8).repeat(3, axis=1).repeat(3, axis=2)
enlarged = np.pad(enlarged, ((0, 0), (2, 2), (2, 2)))  # 8×8 -> 24×24 -> 28×28

pairs = np.stack([np.concatenate([mnist.x_train[mnist.y_train == d][:1], enlarged[small.y_train == d][:1]])
                  for d in range(10)], axis=1).reshape(20, 28, 28)
plotting.image_grid(pairs, size=0.75)
plt.suptitle("MNIST above, the stand-in below: 16 gray levels, no slant of the pen", fontsize=10)
plt.show()

# %%
def quick_study(images: np.ndarray, labels: np.ndarray) -> keras.Model:
    """Document 2's network on at most 1,000 images."""
    keras.utils.set_random_seed(0)
    model = dense_network(128)
    model.fit(images[:1000], labels[:1000], epochs=by_profile(quick=5, standard=20, full=20), verbose=0)
    return model


judges = {"MNIST": (few, few_labels), "stand-in": (enlarged[1000:], small.y_train[1000:])}
students = {"1,000 MNIST images": quick_study(x_train, y_train),
            "1,000 stand-in images": quick_study(enlarged, small.y_train),
            f"{len(x_train):,} MNIST images (our convnet)": convnet}
for student, model in students.items():
    on = [f"{name} {accuracy(predict(model, x).argmax(axis=1), y):.1%}" for name, (x, y) in judges.items()]
    print(f"{student:<38} judged on {', on '.join(on)}")

# %% [markdown]
# (fill)

# %% [markdown]
# ## 13.14 The long run
#
# The *full* profile (`make full NN=13`) trains a wider convnet longer, and both models with three seeds. Its figures are kept beside the notebook; here they are next to what this run has found.

# %%
results = {
    "seeds": list(MODEL_SEEDS),
    "programs": {name: {"test": test_accuracy[name], "validation": last.get(name)} for name in PROGRAMS},
    "mlp": {"parameters": mlp.count_params(), "epochs": MLP_EPOCHS, "test": mlp_test,
            "validation": [accuracy(predict(m, x_val).argmax(axis=1), y_val) for m in mlps],
            "seconds": [round(s) for s in mlp_seconds]},
    "convnet": {"parameters": convnet.count_params(), "epochs": CONV_EPOCHS, "test": conv_test,
                "validation": [accuracy(predict(m, x_val).argmax(axis=1), y_val) for m in convnets],
                "seconds": [round(s) for s in conv_seconds]},
    "only_mlp_right": only_mlp, "only_convnet_right": only_conv,
}
kept = [p for p in (Path("results/13.json"), Path("notebooks/results/13.json")) if p.exists()]
committed = json.loads(kept[0].read_text(encoding="utf8")) if kept else None
if committed:
    print(f"kept: {committed['command']}, {committed['seconds'] / 60:.0f} minutes on {committed['machine']}")
else:
    print("no kept results beside this notebook")

# %%
lines = {}
for name, run in (("this run", results), ("full, kept", committed and committed["results"])):
    for model in ("mlp", "convnet") if run else ():
        lines[f"{model}, {name}"] = run[model]
fig, ax = plt.subplots(figsize=(7, 2.6))
for place, (name, run) in enumerate(lines.items()):
    ax.plot(run["test"], [place] * len(run["test"]), "o", color=plotting.BLUE, alpha=0.6)
    print(f"{name:<20} {np.mean(run['test']):.2%}, {len(run['test'])} seed(s), {run['parameters']:,} parameters, "
          f"{run['epochs']} epochs, {np.mean(run['seconds']):.0f} s each")
for claimed in (0.9824, 0.9839):
    ax.axvline(claimed, color=plotting.RED, linestyle="--")
ax.set(title="Our seeds (blue) and the documents' two claims (red)", xlabel="test accuracy",
       yticks=range(len(lines)), yticklabels=list(lines))
ax.invert_yaxis()
plt.show()

# %% [markdown]
# (fill)

# %% [markdown]
# ## Summary
#
# 1. Training images move weights, validation images decide, test images are opened once.
# 2. Of a shape error read *expected* and *but input has*; repair the data or the first layer.
# 3. Rows of a confusion matrix sum to the class counts, and its trace over its total is the accuracy; a published one that breaks this is made up.
# 4. An accuracy without baseline, seeds and interval is an anecdote; two models on the same images are compared in pairs.
# 5. A network is robust to what it was trained on, and little more: measure what your users will send.
#
# **Key formulas** · Wilson: $\big(\hat p + \tfrac{z^2}{2n} \pm z\sqrt{\hat p(1-\hat p)/n + z^2/4n^2}\,\big) / (1 + z^2/n)$ ·
# loss floor: $L \ge (1-a)\log 2$ · McNemar: $b$ against $c$ as $b + c$ fair coins · steps: $\lceil n\,(1-\text{split})/B \rceil$
#
# **Further reading**
#
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, *Gradient-based learning applied to document recognition*, Proceedings of the IEEE 86(11), 1998: MNIST and the first convnets on it.
# - E. B. Wilson, *Probable inference, the law of succession, and statistical inference*, Journal of the American Statistical Association 22(158), 1927.
# - Q. McNemar, *Note on the sampling error of the difference between correlated proportions or percentages*, Psychometrika 12(2), 1947.
# - P. Y. Simard, D. Steinkraus, J. C. Platt, *Best practices for convolutional neural networks applied to visual document analysis*, ICDAR 2003: distortions for digits.
# - Keras documentation, *Save, serialize, and export models*: keras.io/guides.
#
# Next: notebook 14 does the same for photographs, where a multilayer perceptron no longer gets anywhere near.
