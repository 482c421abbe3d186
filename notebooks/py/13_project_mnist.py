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
# Three widely copied programs read handwritten digits, and two come with proud figures: 98.24 % and 98.39 %. Can you
# believe them? Two of the programs stop with an error before they learn anything. You repair all three, find out what
# they really reach, and then beat both figures with models whose every number you can defend.
#
# **You will be able to**
#
# - keep training, validation and test data apart, and say what each is for;
# - repair a shape error from the one line of its message that matters;
# - tell by arithmetic that a published confusion matrix or training log cannot be right;
# - train a multilayer perceptron and a convolutional network, and state their accuracy with an interval;
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
import json
import math
import pickle
import platform
import re
import tempfile
import time
import zipfile
from pathlib import Path

tf = devices.setup(seed=0)
import keras
from keras import layers

# %% [markdown]
# ## 13.1 Look at the data first
#
# MNIST: digits written by census workers and high-school students, scanned, 28×28 gray values from 0 (paper) to 255 (ink).

# %%
mnist = data.mnist()
REAL = mnist.source == "real"
print(f"{mnist.source} data: {len(mnist.x_train):,} images to learn from, "
      f"{len(mnist.x_test):,} to be judged on, {mnist.x_train.shape[1:]}, {mnist.x_train.dtype}")

chosen = [np.flatnonzero(mnist.y_train == digit)[:18] for digit in range(10)]
sheet = np.block([list(mnist.x_train[row]) for row in chosen])
fig, ax = plt.subplots(figsize=(7.4, 4.3))
ax.imshow(sheet)
ax.set(title="Ten digits, many hands", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Read along the rows: sevens with and without a bar, open and closed fours, ones that lean. A rule written by hand would
# drown in cases. Two more questions before any model: are the classes equally frequent, and where is the ink?

# %%
some = mnist.x_train[:1000].astype(float)
rows, columns = np.indices((28, 28))
mass = some.sum(axis=(1, 2))
center_row = (some * rows).sum(axis=(1, 2)) / mass
center_column = (some * columns).sum(axis=(1, 2)) / mass
share = np.bincount(mnist.y_train, minlength=10) / len(mnist.y_train)

fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3), width_ratios=[1.6, 1])
left.bar(range(10), share, color=plotting.SKY)
left.axhline(0.1, color=plotting.GRAY, linestyle=":")
left.set(title="Classes: nearly, not quite, balanced", xlabel="digit",
         ylabel="share of the images", xticks=range(10))
right.imshow(some.mean(axis=0))
right.plot(center_column, center_row, ".", ms=2, color=plotting.RED)
right.set(title="Every digit is centered", xticks=[], yticks=[])
plt.show()
print(f"largest class {share.max():.1%}, smallest {share.min():.1%}; center of mass: "
      f"row {center_row.mean():.1f} ± {center_row.std():.1f}, "
      f"column {center_column.mean():.1f} ± {center_column.std():.1f}")

# %% [markdown]
# Gray is the average image; each red dot is one digit's center of mass. Whoever made MNIST scaled every digit to
# 20×20 pixels and moved its center of mass to the middle. No pixel says so, and every model below will rely on it:
# section 13.13 shows what happens to digits that were not treated that way.

# %% [markdown]
# ## 13.2 Three heaps: train, validate, test
#
# *Training* images (训练集) move the weights. *Validation* images (验证集) decide everything else: how long, how wide, which of two
# models. *Test* images (测试集) answer one question, once: how good is what we decided? Use them to decide anything, and they
# have become validation images; nothing is left to tell you the truth.

# %%
plotting.flow(
    {"data,\nmodel, settings": (0, 0), "train": (1, 0), "validate": (2, 0),
     "test,\nonce": (3, 0), "use": (4, 0)},
    [("data,\nmodel, settings", "train"), ("train", "validate"), ("validate", "test,\nonce"),
     ("test,\nonce", "use"), ("validate", "data,\nmodel, settings", "not good enough")],
    highlight=["test,\nonce"], box_width=1.3,
    title="Decisions loop through validation, never through the test",
)
plt.show()

# %% [markdown]
# Document 2 evaluates on "validation or test" data; Document 3 tunes on the test set, and its program hands it to `fit` as
# validation data. Document 4 alone validates on validation data, and its program then never tests.
#
# Document 2's program imports `train_test_split` and doesn't use it. It is the right tool: it shuffles, and with
# `stratify` every class keeps its share.

# %%
from sklearn.model_selection import train_test_split

x_train, x_val, y_train, y_val = train_test_split(
    mnist.x_train, mnist.y_train, test_size=min(5000, len(mnist.y_train) // 5),
    stratify=mnist.y_train, random_state=0)
difference = np.bincount(y_train) / len(y_train) - np.bincount(y_val) / len(y_val)
print(f"{len(x_train):,} train, {len(x_val):,} validate, {len(mnist.x_test):,} test; "
      f"class shares differ by at most {np.abs(difference).max():.2%}")

# %% [markdown]
# Why not `fit(..., validation_split=0.2)`, as two of the programs do? It takes the **last** rows, unshuffled. Rows often
# arrive sorted: one folder per class, one file per day.

# %%
tf.get_logger().setLevel("ERROR")  # it would remark that every new model is traced anew


def dense_network(*hidden: int, **options) -> keras.Model:
    """Images (B, 28, 28) -> ReLU layers of these widths -> 10 probabilities; compiled."""
    model = keras.Sequential([
        layers.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten(),
        *[layers.Dense(width, activation="relu") for width in hidden],
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"], **options)
    return model


# %%
by_class = np.argsort(y_train[:2000], kind="stable")  # as read from ten folders
run = dense_network(32).fit(x_train[by_class], y_train[by_class], epochs=3, verbose=0,
                            validation_split=0.2)
print(f"training accuracy {run.history['accuracy'][-1]:.0%}, "
      f"validation accuracy {run.history['val_accuracy'][-1]:.0%}; "
      f"digits held back: {np.unique(y_train[by_class][-len(by_class) // 5:])}")

# %% [markdown]
# The held-back fifth is made of digits that the network never saw. MNIST's own order happens to be mixed, so the copied
# programs get away with it.

# %% [markdown]
# ## 13.3 What must be beaten: baselines
#
# Before any network, the simplest things that could work: always name the most frequent digit; name the digit whose
# average image is nearest; use a linear model, that is, a network without hidden layers.

# %%
def accuracy(predicted: np.ndarray, y: np.ndarray) -> float:
    """Share of predictions that equal the label. predicted, y: (n,) class indices."""
    return float(np.mean(predicted == y))


def predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Probabilities (n, 10) for images (n, 28, 28), 500 at a time."""
    return np.concatenate([model(images[i : i + 500]).numpy()
                           for i in range(0, len(images), 500)])


# %%
means = np.stack([x_train[y_train == d].mean(axis=0).ravel() for d in range(10)])
flat = x_val.reshape(len(x_val), -1).astype(float)
# |x - m|² without |x|², which is the same for every class
nearest = ((means**2).sum(axis=1) - 2 * flat @ means.T).argmin(axis=1)

linear = dense_network()
linear.fit(x_train, y_train, epochs=by_profile(quick=2, standard=5, full=5), batch_size=128,
           verbose=0)

baselines = {"most frequent digit": accuracy(np.bincount(y_train).argmax(), y_val),
             "nearest average": accuracy(nearest, y_val),
             "linear model": accuracy(predict(linear, x_val).argmax(axis=1), y_val)}
for name, value in baselines.items():
    print(f"{name:<20} {value:.1%} of the validation images")

# %%
weights = linear.get_weights()[0].T.reshape(10, 28, 28)
limit = np.abs(weights).max() / 2
fig, axes = plt.subplots(1, 10, figsize=(8.2, 1.3))
for digit, ax in enumerate(axes):
    ax.imshow(weights[digit], cmap="RdBu", vmin=-limit, vmax=limit)
    ax.set(xticks=[], yticks=[])
    ax.set_title(str(digit), fontsize=9)
fig.suptitle("A linear model is ten templates: blue ink speaks for the digit, red against",
             fontsize=10)
plt.show()

# %% [markdown]
# One template per digit, and nine in ten real digits are right. Every further point has to be earned against *this*, not
# against zero. What remains are digits that people write in two ways: one template can't cover both, hidden layers can.

# %% [markdown]
# ## 13.4 Spot the bug: two programs that stop
#
# Document 2's network begins with `Flatten(input_shape=(28, 28))`, but its data have been flattened before. Document 4's
# network expects rows of 784, but its data have not been flattened at all. Both mistakes in a few lines of our own:

# %%
def telling_line(action) -> str:
    """Run action(); return its error's type and the part that names the cause."""
    try:
        action()
    except Exception as error:
        text = re.sub(r"\x1b\[\d+m", "", str(error))  # Keras colors its messages
        found = re.search(r"Expected shape.*", text)
        return f"{type(error).__name__}: {found[0] if found else text.split('. ')[0]}"
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
rows = images.reshape(-1, 784)
print("Document 2:", telling_line(lambda: document_2.fit(rows, labels, verbose=0)))

document_4 = network(layers.Input((784,)))
print("Document 4:", telling_line(lambda: document_4.fit(images, labels, verbose=0)))

# %% [markdown]
# Of the dozen lines that Keras prints, this half line is the diagnosis. *Expected* is what the first layer was built for,
# *input has* is what you passed; the first number, `None` or 32, is the batch. Either side can give way. Repair
# Document 2 in the network, Document 4 in the data.
#
# ### Exercise 13.4a · a network for rows
#
# Build Document 2's network so that it takes the flattened rows, shape $(B, 784)$: 128 ReLU units, then ten softmax
# outputs. No need to compile it.

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
# Document 4 says that its preprocessing makes the data fit for training; the flattening is missing. Turn gray
# images of any size into `float32` rows between 0 and 1.

# %% tags=["exercise"]
def as_rows(images: np.ndarray) -> np.ndarray:
    """(n, height, width) uint8 -> (n, height * width) float32 in [0, 1]."""
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("13.4b", "rows for a network"):
    small = np.random.default_rng(1).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    got = as_rows(small)
    assert got.shape == (3, 20), f"shape {got.shape}, expected (3, 20)"
    assert got.dtype == np.float32, f"dtype {got.dtype}, expected float32"
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
# One more trap, new in Keras 3. The third *positional* argument of `compile` is not `metrics`:

# %%
trap = keras.Sequential([layers.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
trap.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])  # no complaint yet
print(telling_line(lambda: trap.fit(images, labels, verbose=0)))

# %% [markdown]
# The complaint comes later and names neither: `["accuracy"]` arrived as `loss_weights`. Write `metrics=[...]`, always.

# %% [markdown]
# ## 13.5 What the repaired programs really reach
#
# Now run the documents' networks with the documents' settings, three seeds (随机种子) each. Three small networks side by side in one
# model cost little more than one: each has its own weights and its own loss, Adam moves every weight by itself, so
# none notices the others (they do share the order of the batches). Two more liberties that leave the mathematics alone: scaling and
# flattening are layers, so the images stay small in memory; and TensorFlow runs 50 compiled batches per call, because
# 1,500 calls an epoch would cost more than the arithmetic.

# %%
PROGRAMS = {  # hidden layers and settings as printed
    "Document 2": dict(hidden=[128], epochs=10, batch_size=32, validation_split=0.2),
    "Document 3": dict(hidden=[128], epochs=5, batch_size=32, validation_data="test"),
    "Document 4": dict(hidden=[64, 64], epochs=10, batch_size=128, validation_split=0.1),
}
SEEDS = by_profile(quick=(0, 1), standard=(0, 1, 2), full=(0, 1, 2))
XLA = platform.system() == "Linux" and profile() != "quick"  # elsewhere it may be missing


def side_by_side(hidden: list[int]) -> keras.Model:
    """One independent network per seed, all reading the same images (B, 28, 28)."""
    image, outputs = layers.Input((28, 28)), []
    pixels = layers.Flatten()(layers.Rescaling(1 / 255)(image))
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        h = pixels
        for width in hidden:
            h = layers.Dense(width, activation="relu")(h)
        outputs.append(layers.Dense(10, activation="softmax", name=f"seed_{seed}")(h))
    model = keras.Model(image, outputs)
    each = len(SEEDS)
    model.compile(optimizer="adam", loss=["sparse_categorical_crossentropy"] * each,
                  metrics=[["accuracy"]] * each, steps_per_execution=50, jit_compile=XLA)
    return model


# %%
copies = len(SEEDS)
trained, histories = {}, {}
for name, settings in PROGRAMS.items():
    settings = dict(settings)
    model = trained[name] = side_by_side(settings.pop("hidden"))
    if settings.get("validation_data"):
        settings["validation_data"] = (mnist.x_test, [mnist.y_test] * copies)
    settings["epochs"] = by_profile(quick=2, standard=settings["epochs"], full=settings["epochs"])
    live = plotting.training_plot(["seed_0_loss", "seed_0_accuracy"], name)
    histories[name] = model.fit(mnist.x_train, [mnist.y_train] * copies, verbose=0,
                                callbacks=[live], **settings).history
    print(f"{name}: {model.count_params() // copies:,} parameters")

# %% [markdown]
# (FILL) "Large-model training", two of the documents call this. Fifty-five thousand and 102 thousand parameters are some six orders of magnitude
# short of it, and Document 3's "input layer and output layer" have a hidden layer between them. Now the question itself. (Is
# it not deciding on the test set to look there now? No: the settings are the documents', nothing is chosen by what comes out.)

# %%
test_accuracy = {}
for name, model in trained.items():
    answers = model.predict(mnist.x_test, batch_size=500, verbose=0)  # one (n, 10) per seed
    answers = np.reshape(answers, (copies, -1, 10))
    test_accuracy[name] = [accuracy(a.argmax(axis=1), mnist.y_test) for a in answers]
val_accuracy = {name: [float(history[f"val_seed_{seed}_accuracy"][-1]) for seed in SEEDS]
                for name, history in histories.items()}

measured = {  # measured, claimed
    "Document 2, test": (test_accuracy["Document 2"], 0.9824),
    "Document 3, test": (test_accuracy["Document 3"], None),
    "Document 4, validation": (val_accuracy["Document 4"], 0.9839),
    "Document 4, test": (test_accuracy["Document 4"], None),
}
for name, (values, claimed) in measured.items():
    print(f"{name:<23} {np.mean(values):.2%} ± {np.std(values, ddof=1):.2%}   "
          f"claimed: {claimed or 'nothing'}")

# %%
fig, ax = plt.subplots(figsize=(7, 2.6))
for place, (values, claimed) in enumerate(measured.values()):
    ax.plot(values, [place] * copies, "o", color=plotting.BLUE, alpha=0.5)
    ax.errorbar(np.mean(values), place + 0.25, xerr=np.std(values, ddof=1),
                color=plotting.BLUE, capsize=4)
    if claimed:
        ax.plot(claimed, place, "X", ms=10, color=plotting.RED)
ax.set(title="Measured (blue: seeds, mean ± s.d.) and claimed (red cross)", xlabel="accuracy",
       yticks=range(len(measured)), yticklabels=list(measured))
ax.invert_yaxis()
plt.show()

# %% [markdown]
# (FILL)
#
# One more habit to unlearn: with the test set as validation data, it is tempting to report the best epoch.

# %%
per_epoch = np.array([histories["Document 3"][f"val_seed_{seed}_accuracy"] for seed in SEEDS])
print(f"Document 3, last epoch {per_epoch[:, -1].mean():.2%}; "
      f"best epoch by the test set {per_epoch.max(axis=1).mean():.2%}")

# %% [markdown]
# The difference was not learned but picked, and it grows with every choice made that way.
#
# ### GPU memory growth: what it does, and what it doesn't
#
# Document 3 turns on *memory growth* (显存按需增长) "to raise training speed". By default TensorFlow reserves nearly all memory of a GPU
# as soon as it uses it. With growth it takes what it needs when it needs it: two programs can share the GPU, and you see
# how much yours uses. No multiplication gets faster. It must be set before the GPU's first use, and alike for all GPUs, not
# for `gpus[0]` alone. `devices.setup` did so at the top.

# %%
gpus = tf.config.list_physical_devices("GPU")
for gpu in gpus:
    print(gpu.name, "memory growth:", tf.config.experimental.get_memory_growth(gpu))
print(f"{len(gpus)} GPUs" if gpus else "no GPU here: nothing to set, and nothing is missing")

# %% [markdown]
# ## 13.6 A confusion matrix that cannot be
#
# Under its 98.24 %, Document 2 prints a *confusion matrix* (混淆矩阵): one row per true digit, one column per answer, each entry a
# number of test images. You can audit it without running anything.

# %%
# NBVAL_CHECK_OUTPUT
claimed_matrix = np.array([
    [960, 36, 12, 18, 15, 8, 16, 7, 11, 13], [10, 960, 20, 17, 14, 6, 18, 11, 9, 15],
    [18, 19, 960, 13, 19, 7, 16, 9, 10, 17], [10, 15, 14, 95, 16, 9, 18, 11, 8, 12],
    [17, 13, 15, 14, 960, 6, 19, 11, 8, 12], [11, 8, 17, 16, 14, 960, 15, 10, 13, 19],
    [12, 18, 16, 17, 17, 16, 960, 11, 9, 13], [7, 11, 9, 11, 11, 10, 11, 960, 17, 14],
    [9, 9, 10, 12, 11, 13, 13, 14, 960, 16], [15, 15, 17, 12, 19, 19, 16, 14, 17, 960],
])
# test images of each digit, as published
MNIST_TEST = np.array([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
total, right = claimed_matrix.sum(), np.trace(claimed_matrix)
best = np.minimum(960, MNIST_TEST).sum()
print(f"images           {total:,} instead of {MNIST_TEST.sum():,}")
print(f"diagonal / total {right:,} / {total:,} = {right / total:.4f} instead of 0.9824")
print(f"errors           {total - right:,}; 98.24 % of 10,000 leaves {10_000 - 9824}")
print(f"with at most 960 hits per class, at best {best:,} of 10,000")

# %%
digits = np.arange(10)
row_sums, hits = claimed_matrix.sum(axis=1), np.diag(claimed_matrix)
fig, ax = plt.subplots(figsize=(7.2, 3.3))
ax.bar(digits - 0.2, MNIST_TEST, 0.4, color=plotting.GRAY, label="test images there are")
ax.bar(digits + 0.2, row_sums, 0.4, color=plotting.ORANGE, label="row sum printed")
ax.plot(digits, hits, "D", color=plotting.RED, label="hits printed (diagonal)")
ax.set(title="No row adds up, and two digits have more hits than images", xlabel="digit",
       ylabel="images", xticks=digits, ylim=(0, 1500))
ax.legend(ncols=3, loc="upper center")
plt.show()
print("more hits than images:", digits[hits > MNIST_TEST])
if REAL:
    print("gray bars = test set:", np.array_equal(np.bincount(mnist.y_test), MNIST_TEST))

# %% [markdown]
# A row sums to the number of test images of its digit, whatever the model. Not one of the ten does; the row of the 3 holds
# 208 images instead of 1,010. For 5 and 6 the matrix counts 960 hits where 892 and 958 images exist. Its own accuracy is
# 0.8778, and no matrix with hits like these could reach more than 0.953. No model printed this.
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
# Make the audit a function. A published matrix passes if every row sums to its class's number of images, no entry is
# negative, and its trace over its total, rounded to four decimals, is the accuracy stated with it.

# %% tags=["exercise"]
def could_be_real(matrix: np.ndarray, images: np.ndarray, stated: float) -> bool:
    """True if a confusion matrix fits the test set and the accuracy stated with it.

    matrix: (k, k) counts, rows are true classes. images: (k,) per class. stated: accuracy.
    """
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("13.6b", "could this matrix be real?"):
    honest = np.array([[4000, 25, 0], [31, 5000, 7], [0, 2, 1011]])
    counts = honest.sum(axis=1)
    assert could_be_real(honest, counts, 0.9935), "10,011 of 10,076 is 0.9935"
    assert not could_be_real(honest, counts, 0.9936), "another accuracy than the matrix's"
    assert not could_be_real(honest, counts, 0.99355), "the accuracy has four decimals"
    assert not could_be_real(honest.T, counts, 0.9935), "rows, not columns, are classes"
    negative = honest + [[0, 1, -1], [0, 0, 0], [0, 0, 0]]
    assert not could_be_real(negative, counts, 0.9935), "an entry is negative"
    one_less = honest - [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert not could_be_real(one_less, counts, 0.9935), "a row misses an image"
    assert not could_be_real(claimed_matrix, MNIST_TEST, 0.9824)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `matrix.sum(axis=1)`, `(matrix >= 0).all()`, `round(np.trace(matrix) / matrix.sum(), 4)`.
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def could_be_real(matrix, images, stated):
#     rows_fit = np.array_equal(matrix.sum(axis=1), images)
#     counts = (matrix >= 0).all()
#     accuracy_fits = round(np.trace(matrix) / matrix.sum(), 4) == stated
#     return bool(rows_fit and counts and accuracy_fits)
# ```
# </details>

# %% [markdown]
# ## 13.7 A training log that does not add up
#
# Document 4 prints a training log: `128/128` steps per epoch, and after the first a loss of 0.0631 beside an accuracy of
# 0.9555. The steps first. The program trains on 90 % of 60,000 images in batches of 128:

# %%
# NBVAL_CHECK_OUTPUT
examples = math.floor(60_000 * (1 - 0.1))
print(f"{examples:,} / 128 = {examples / 128:.3f}, so {math.ceil(examples / 128)} steps, not 128")

# %% [markdown]
# 128 is the batch size. Now the losses. A network that names a wrong digit gave it at least the probability of the true
# one, so the true one has $p \le \tfrac12$ and costs $-\log p \ge \log 2$. At accuracy $a$, a share $1 - a$ of the images
# pays at least that:
#
# $$L \;\ge\; (1 - a)\,\log 2 .$$
#
# That is the floor. What do real trainings do? Each blue point is one epoch of one seed of the same network.

# %%
log = {"": ("training", [0.9555, 0.9722, 0.9884], [0.0631, 0.0506, 0.0365]),
       "val_": ("validation", [0.9474, 0.9674, 0.9839], [0.0681, 0.0554, 0.0389])}
history = histories["Document 4"]
fig, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharex=True, sharey=True)
for ax, (prefix, (kind, accuracies, losses)) in zip(axes, log.items()):
    for seed in SEEDS:
        ax.semilogy(history[f"{prefix}seed_{seed}_accuracy"],
                    history[f"{prefix}seed_{seed}_loss"], "o", color=plotting.BLUE, alpha=0.5)
    ax.semilogy(accuracies, losses, "X", ms=9, color=plotting.RED)
    a = np.linspace(*ax.get_xlim(), 100)
    ax.semilogy(a, (1 - a) * np.log(2), "--", color=plotting.GRAY)
    ax.set(title=kind, xlabel="accuracy", ylim=(0.005, None))
axes[0].set_ylabel("loss in nats")
axes[1].text(0.05, 0.1, "dashed: floor $(1-a)\\,\\log 2$", transform=axes[1].transAxes)
fig.suptitle("The log (red) lies where no training (blue) has been", fontweight="bold")
plt.show()

# %%
first = [[history[f"{prefix}seed_{seed}_{metric}"][0] for seed in SEEDS]
         for prefix in ("", "val_") for metric in ("loss", "accuracy")]
print("after epoch 1   loss  accuracy  val_loss  val_accuracy")
print("claimed       0.0631    0.9555    0.0681        0.9474")
print("measured      {:.4f}    {:.4f}    {:.4f}        {:.4f}".format(*np.mean(first, axis=1)))

# %% [markdown]
# (FILL)
#
# ### Exercise 13.7 · two tests for any training log
#
# How many steps must the progress bar show, and how low can the loss be? Sharpen the floor, too: if the network never
# gives more than `top` to any class, the images that it names rightly cost something as well.

# %% tags=["exercise"]
def steps_per_epoch(examples: int, validation_split: float, batch_size: int) -> int:
    """Batches that Keras trains on in one epoch; the last one may be smaller."""
    raise NotImplementedError("your turn")


def loss_floor(a: float, top: float = 1.0) -> float:
    """Smallest possible mean cross-entropy (nats) at accuracy a.

    top: the largest probability that the network ever gives to a class, at least 0.5
    """
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("13.7", "two tests for any training log"):
    for n, split, batch, steps in [(60_000, 0.1, 128, 422), (60_000, 0.2, 32, 1500),
                                   (1000, 0.25, 10, 75), (1000, 0.25, 7, 108), (11, 0.1, 3, 3)]:
        got = steps_per_epoch(n, split, batch)
        assert got == steps, f"{n} images, split {split}, batch {batch}: {steps}, not {got}"
    for top, a in ((1.0, 0.9555), (0.9, 0.75), (0.99, 0.0)):
        named_rightly = np.arange(400) < 400 * a
        p = np.where(named_rightly, top, 0.5)  # the cheapest that a network can do
        floor = loss_floor(np.mean(named_rightly), top)
        np.testing.assert_allclose(floor, -np.log(p).mean(), rtol=1e-9)
    np.testing.assert_allclose(loss_floor(0.9), 0.1 * np.log(2), rtol=1e-9)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Keras trains on the first `floor(examples * (1 - validation_split))` rows. For the floor, add up the two groups of
# images, each with its share.
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def steps_per_epoch(examples, validation_split, batch_size):
#     return math.ceil(math.floor(examples * (1 - validation_split)) / batch_size)
#
#
# def loss_floor(a, top=1.0):
#     return (1 - a) * np.log(2) - a * np.log(top)
# ```
# </details>

# %% [markdown]
# ## 13.8 Save it, load it, show what it answers
#
# Document 3 saves its model as `.h5`; a second program loads it and draws predictions. Take the first of the three
# networks of Document 4 out of their common model, and save it in today's format.

# %%
together = trained["Document 4"]
program = keras.Model(together.inputs, together.outputs[0])
folder = tempfile.TemporaryDirectory()  # vanishes with the kernel
path = Path(folder.name)
program.save(path / "digits.keras")

before = predict(program, x_val)
after = predict(keras.models.load_model(path / "digits.keras"), x_val)
claim("largest change of a probability by saving and loading", np.abs(before - after).max(),
      at_most=0)
for item in zipfile.ZipFile(path / "digits.keras").infolist():
    print(f"{item.filename:<18} {item.file_size:>8,} bytes")

# %% [markdown]
# Identical to the last bit. The file is a zip archive: the architecture as JSON text, the weights as numbers. Now the
# old way, and one that is gone:

# %%
program.save(path / "digits.h5")
legacy = keras.models.load_model(path / "digits.h5", compile=False)
print("the same from .h5:", np.array_equal(predict(legacy, x_val), before))
print("a folder:", telling_line(lambda: program.save(path / "digits")))

# %% [markdown]
# `.h5` works, and says itself that it is *legacy*. A name without ending raises; Keras 2 made it a SavedModel folder, which is
# `model.export` now. The third old habit is worse: a *pickle* is no data but a program that builds data, and loading it
# runs that program.

# %%
class Surprise:
    def __reduce__(self):  # tells pickle how to rebuild this object
        return print, ("this line was printed by a file that somebody only opened",)


pickle.loads(pickle.dumps(Surprise()))

with_code = keras.Sequential([layers.Input((2,)), layers.Lambda(lambda x: 2 * x)])
with_code.save(path / "with_code.keras")
load_code = lambda: keras.models.load_model(path / "with_code.keras")
print(".keras with code in it:", telling_line(load_code))

# %% [markdown]
# It could have been any command. `.keras` refuses code unless you insist (`safe_mode`). For `.h5`, Keras before 3.11.3 ignored that switch without a
# word (CVE-2025-9905), and holes in the check of `.keras` were found and closed as well (CVE-2025-1550). So: `.keras`, a
# current Keras, and files only from people you trust.
#
# ### The second program: three errors, then noise
#
# Document 3's second program is meant to run on its own. Run its idea in an empty namespace, as a fresh kernel would:

# %%
keras.models.clone_model(document_4).save(path / "rows.keras")  # expects rows of 784
show = """
model = tf.keras.models.load_model(path)
pictures = np.random.rand(10, 784).reshape(-1, 28, 28, 1)
model.predict(pictures, verbose=0)
"""
added = ""
for line in ("", "import tensorflow as tf", "import numpy as np"):
    added += line + "\n"
    fresh_kernel = {"path": path / "rows.keras"}
    message = telling_line(lambda: exec(added + show, fresh_kernel))
    print(f"{line or 'as printed':<24} {message}")

# %% [markdown]
# Each error hid the next one; the last is the shape again. But look at what the program would show once it runs: random
# pixels, with random "true" labels. Judge a trained and an untrained network that way.

# %%
noise = rng.integers(0, 256, (2000, 28, 28), dtype=np.uint8)
drawn = rng.integers(0, 10, 2000)  # "labels"
for name, model in (("trained", program), ("never trained", dense_network(64, 64))):
    named = predict(model, noise).argmax(axis=1)
    real = accuracy(predict(model, x_val).argmax(axis=1), y_val)
    print(f"{name:<14} noise: {accuracy(named, drawn):.1%} “correct”; real digits: {real:.1%}")

sure = predict(program, noise[:10])
titles = [f"{p.argmax()} ({p.max():.0%}), “{t}”" for p, t in zip(sure, drawn)]
plotting.image_grid(noise[:10], titles)
plt.suptitle("Such a figure looks the same whatever the network knows", fontsize=10)
plt.show()

# %% [markdown]
# (FILL) A tenth is "correct" either way, since the labels were drawn from a hat. A prediction figure needs real images with
# their own labels, and some of its mistakes:

# %%
named = predict(program, x_val[:2000]).argmax(axis=1)
mistakes = np.flatnonzero(named != y_val[:2000])[:10]
shown = np.concatenate([np.arange(20), mistakes])
titles = [f"{p}, not {t}" if p != t else p for p, t in zip(named[shown], y_val[shown])]
plotting.image_grid(x_val[shown], titles, wrong=named[shown] != y_val[shown])
plt.suptitle("Two rows as they come, then a row of mistakes (red)", fontsize=10)
plt.show()
