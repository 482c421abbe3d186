# ---
# jupyter:
#   course:
#     datasets: [cifar10, fashion_mnist, mnist]
#     covers: "What a network knows about images it was not trained for: a fair comparison of from scratch, frozen and fine-tuned on nested labeled subsets, rates chosen on validation, five seeds with intervals; distribution shift, and averages renewed without labels; when transfer hurts; contrastive pre-training ◇."
#     prerequisites: [evaluation_metrics, training_deep_networks, project_cifar10]
#     ledger: [D1-8.4-a, D2-8.1-e, D3-3.3-d, D3-A.2-e, D4-6-c, D4-7.1-f, D4-8-f]
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
# # Transfer learning
#
# A client's program tells five kinds of photographs apart. Now she mounts night cameras, and pays for 100 labels of night images. Is that enough, or do you ask for 500?
#
# At the end you have a classifier that learned from 100 labels, a comparison that survives a suspicious colleague, and a way to help the old program that needs no label. In a deeper section, a network learns without labels, by a loss that you write.
#
# **You will be able to**
#
# - draw labeled subsets that can be compared;
# - freeze a network or fine-tune it, without damage to the original;
# - compare two ways of training fairly, over seeds, with an interval;
# - say when an old network is a good start, and when not;
# - adapt a network without labels, and pre-train one by a contrastive loss ◇.

# %% tags=["setup"]
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from course_utils import (
    by_profile, check, claim, data, devices, full_results, plotting, profile, solved,
)
from course_utils.lessons.evaluation import paired_interval
from course_utils.lessons.photographs import one_cycle

plotting.use_style()

# %% tags=["plumbing"]
#@title Plumbing: TensorFlow, started quietly
tf = devices.setup(seed=0)
import keras
from keras import layers, ops

tf.get_logger().setLevel("ERROR")  # it would remark that a new model is traced anew

# %% [markdown]
# ## 18.1 What do a hundred labels buy?
#
# <details><summary>Two models are counted on the same images. Why compare them in pairs?</summary>
#
# Images that both get right or both get wrong say nothing about the difference. Only the others count, so the interval is narrower (notebook [[evaluation_metrics]]).
# </details>
#
# <details><summary>Batch normalization uses other numbers in training than in use. Which?</summary>
#
# In training, mean and variance of the batch. In use, running averages, which training leaves behind (notebook [[training_deep_networks]]).
# </details>
#
# The photographs are five of CIFAR-10's ten kinds (*classes*, 类别), in gray. By day, in the *source* (源域), thousands have labels. The *target* (目标域) is a simulated night camera: other photographs of the same kinds, a quarter as bright, with noise.

# %% tags=["plumbing"]
#@title Plumbing: gray images of 32×32, and the parts of a task
@dataclass
class Task:
    """Gray images (n, 32, 32) uint8 and labels 0, 1, …: to label from, and to judge."""

    names: list[str]
    x_pool: np.ndarray
    y_pool: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    mirror: bool  # does a mirror image show the same?


def gray(images: np.ndarray) -> np.ndarray:
    """Colors (n, 32, 32, 3) -> (n, 32, 32). Gray images get a border where needed."""
    if images.ndim == 3:
        border = (32 - images.shape[1]) // 2
        sides = ((0, 0), (border, border), (border, border))
        return np.pad(images, sides, mode="edge")
    parts = np.array_split(images, max(1, len(images) // 1000))
    light = np.array([0.299, 0.587, 0.114], np.float32)
    return np.concatenate([(part @ light).astype(np.uint8) for part in parts])


def make_task(source, kinds, mirror: bool, held: int) -> Task:
    """The images of some kinds; the first `held` training images validate."""
    parts = []
    for x, y in ((source.x_train, source.y_train), (source.x_test, source.y_test)):
        rows = np.isin(y, kinds)
        parts.append((gray(x[rows]), np.searchsorted(kinds, y[rows])))
    (x, y), test = parts
    names = [source.class_names[kind] for kind in kinds]
    return Task(names, x[held:], y[held:], x[:held], y[:held], *test, mirror)


# %% tags=["plumbing"]
#@title Plumbing: the night camera, and how many images serve what
def at_night(images: np.ndarray, light: float = 0.25, noise: float = 5.0
             ) -> np.ndarray:
    """Gray images as the night camera gives them, uint8."""
    rng = np.random.default_rng(0)
    grain = noise * rng.standard_normal(images.shape, np.float32)
    return np.clip(images * np.float32(light) + grain, 0, 255).astype(np.uint8)


HELD = by_profile(quick=500, standard=2500, full=2500)
POOL = by_profile(quick=800, standard=5000, full=5000)
cifar = data.cifar10()
REAL = cifar.source == "real"
cifar = replace(cifar, x_train=gray(cifar.x_train), x_test=gray(cifar.x_test))
photos = make_task(cifar, (0, 1, 3, 4, 6), mirror=True, held=HELD)
night = replace(photos, x_pool=at_night(photos.x_pool[:POOL]),
                y_pool=photos.y_pool[:POOL], x_val=at_night(photos.x_val),
                x_test=at_night(photos.x_test))
day = replace(photos, x_pool=photos.x_pool[POOL:], y_pool=photos.y_pool[POOL:])
print(f"{cifar.source} data: {len(day.y_pool):,} labeled by day; at night "
      f"{len(night.y_pool):,} to label from, {len(night.y_val):,} to validate, "
      f"{len(night.y_test):,} to test")

# %% tags=["figure"]
#@title Figure: By day and at night
fig, axes = plt.subplots(1, 3, figsize=(7.4, 2.2))
shown = (("source: day", day, 255), ("target: night", night, 255),
         ("night, made lighter", night, 70))
for ax, (title, task, white) in zip(axes, shown):
    rows = [np.flatnonzero(task.y_pool == kind)[:6] for kind in range(5)]
    lines = [np.concatenate(list(task.x_pool[row]), axis=1) for row in rows]
    ax.imshow(np.concatenate(lines), cmap="gray", vmin=0, vmax=white)
    ax.grid(False)
    ax.set(title=title, xticks=[], yticks=[])
axes[0].set(yticks=np.arange(5) * 32 + 16, yticklabels=day.names)
fig.suptitle("The same five kinds, by day and at night", fontweight="bold")
plt.show()

# %% [markdown]
# Which 100 images get a label? If 500 are drawn anew, a comparison of 100 with 500 also compares two draws. So the subsets are *nested*: the 100 are among the 500, with as many of each kind.
#
# ### Exercise 18.1 · nested subsets (7 min)
# Return row numbers in rounds: each round holds one row of every kind that occurs in `y`, and there are `each` rounds. A smaller `each` gives the first of the same rounds. With our five kinds, the first $5k$ rows then hold $k$ of each, and `order[:100]` and `order[:500]` are nested. With a pencil: labels `[0, 0, 0, 1, 1, 1]` and `each=2` may give rows `[2, 4, 0, 3]`. `rng.permutation` decides which rows of a kind come first.

# %% tags=["exercise"]
def balanced_order(y, each, rng):
    """Row numbers, int (kinds * each,): rounds with one row of every kind.

    y: (n,) labels in any order, each kind `each` times or more. rng: a NumPy generator;
    from an equal one, a smaller `each` gives the first rows of the same order.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("18.1", "nested subsets"):
    for labels_t, each_t in [([0, 1, 2], 4), ([0, 1, 2, 7], 7), ([3], 2), ([1, 0], 9)]:
        y_t = np.repeat(labels_t, np.arange(9, 9 + len(labels_t)))
        y_t = np.random.default_rng(1).permutation(y_t)
        kinds_t, seen_t = len(labels_t), np.zeros(len(y_t))
        for seed_t in range(40):
            got_t = balanced_order(y_t.copy(), each_t, np.random.default_rng(seed_t))
            got_t = np.asarray(got_t)
            want_t = (kinds_t * each_t,)
            assert got_t.shape == want_t, f"shape {got_t.shape}, not {want_t}"
            assert got_t.dtype.kind in "iu", f"row numbers, not {got_t.dtype}"
            assert len(set(got_t.tolist())) == len(got_t), "a row comes twice"
            for round_t in got_t.reshape(each_t, kinds_t):
                had_t = sorted(y_t[round_t].tolist())
                assert had_t == sorted(labels_t), f"one round holds the kinds {had_t}"
            seen_t[got_t[:kinds_t]] += 1
        assert seen_t.max() < 18, "the first rounds of 40 generators are too much alike"
    again_t = balanced_order(y_t, each_t, np.random.default_rng(39))
    np.testing.assert_array_equal(again_t, got_t, "the same rng, another order")
    few_t = balanced_order(y_t, 2, np.random.default_rng(39))
    assert list(few_t) == list(got_t[:4]), "each=2 gives other rounds than each=9"

# %% [markdown]
# <details><summary>Hint</summary>
#
# For each kind, `rng.permutation(np.flatnonzero(y == kind))[:each]`: a row of a table `(kinds, each)`. Read the table column by column: transpose, then `ravel`.
# </details>

# %% tags=["solution"]
#@title Solution 18.1 · runs only while yours does not pass
if not solved("18.1"):
    def balanced_order(y, each, rng):
        table = [rng.permutation(np.flatnonzero(y == kind))[:each]
                 for kind in np.unique(y)]  # (kinds, each)
        return np.stack(table).T.ravel()

# %% [markdown]
# Baselines first, on the pixels: the nearest *average image*, the nearest labeled image, a linear model.
#
# **Predict.** Guessing is right in 20 %. With 100 labels, the best of the three is right in (a) 25 % · (b) 35 % · (c) 60 %. And with 500?

# %% tags=["plumbing"]
#@title Plumbing: three baselines
def baselines(features_of: Callable, task: Task, rows: np.ndarray) -> str:
    """How often each is right on 1,000 validation images, after labels for `rows`."""
    X, y = features_of(task.x_pool[rows]), task.y_pool[rows]  # (n, d), (n,)
    X_val, y_val = features_of(task.x_val[:1000]), task.y_val[:1000]
    means = np.stack([X[y == kind].mean(axis=0) for kind in np.unique(y)])
    squares = [((X_val - mean) ** 2).sum(axis=1) for mean in means]  # kinds of (m,)
    linear = LogisticRegression(C=1 / X.shape[1], max_iter=500).fit(X, y)
    named = {"nearest average": np.argmin(squares, axis=0),
             "nearest image": KNeighborsClassifier(1).fit(X, y).predict(X_val),
             "linear": linear.predict(X_val)}
    return ", ".join(f"{n} {np.mean(found == y_val):.0%}" for n, found in named.items())


def center(images: np.ndarray) -> np.ndarray:
    """(n, 32, 32) -> the middle, (n, 28, 28)."""
    return images[:, 2:30, 2:30]


def pixels(images: np.ndarray) -> np.ndarray:
    """(n, 32, 32) -> (n, 784), between -2 and 2."""
    return center(images).reshape(len(images), -1).astype(np.float32) / 64 - 2


# %%
order = balanced_order(night.y_pool, 100, np.random.default_rng(0))  # seed 0
for n in (100, 500):
    print(f"{n} labels:", baselines(pixels, night, order[:n]))

# %% [markdown]
# (b), on real photographs. With this draw, five times the labels bring three points at most: taken pixel by pixel, an image hardly shows its kind.

# %% [markdown]
# ## 18.2 Does the old program still see?
#
# An *encoder* (编码器) turns an image into a few numbers, its *features* (特征); a last layer, the *head* (分类头), turns features into scores. Notebook [[project_cifar10]] built such a network; here is a smaller one, trained by day.
#
# **Predict.** By day it is right in over 80 %. At night, without a night label: (a) nearly as often · (b) about 65 % · (c) below 50 %

# %% tags=["plumbing"]
#@title Plumbing: the encoder, a crop that varies images, and the training loop
WIDTHS = by_profile(quick=(4, 8), standard=(16, 32, 64), full=(16, 32, 64))


def build_encoder() -> keras.Model:
    """Gray images (B, 28, 28, 1) -> features (B, WIDTHS[-1])."""
    images = keras.Input((28, 28, 1))
    own_light = layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False)
    x = own_light(images)  # each image: mean 0, deviation 1
    x = layers.Conv2D(WIDTHS[0], 3, strides=2, padding="same", activation="gelu")(x)
    for channels in WIDTHS[1:]:  # 14×14, 7×7, 3×3
        x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(layers.MaxPooling2D()(x))
        x = layers.Activation("gelu")(x)
        y = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
        y = layers.BatchNormalization(momentum=0.9)(y)
        x = layers.add([x, layers.Activation("gelu")(y)])  # the shortcut
    return keras.Model(images, layers.GlobalAveragePooling2D()(x))


def crop(images: np.ndarray, rng: np.random.Generator, mirror: bool) -> np.ndarray:
    """Cut (n, 28, 28) out of (n, 32, 32) at random places; mirror about half."""
    n, steps = len(images), np.arange(28)
    top, left = rng.integers(0, 5, (2, n, 1))
    cut = images[np.arange(n)[:, None, None], (top + steps)[:, :, None],
                 (left + steps)[:, None, :]]
    if mirror:
        turned = rng.random(n) < 0.5
        cut[turned] = cut[turned][:, :, ::-1]
    return cut


# %% tags=["plumbing"]
#@title Plumbing: train(model, …), the loop for everything with labels
def train(model: keras.Model, x: np.ndarray, y: np.ndarray, *, steps: int, peak: float,
          seed: int, mirror: bool, batch: int = 50, title: str = "") -> float:
    """AdamW with a one-cycle rate on crops that are new in every batch -> seconds.

    x: (n, 32, 32) uint8, y: (n,) from 0. A model may be trained again from new weights.
    """
    start, rng = time.perf_counter(), np.random.default_rng(seed)
    if not model.compiled:
        model.compile(keras.optimizers.AdamW(peak, weight_decay=0.01),
                      keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for memory in model.optimizer.variables:
        memory.assign(np.zeros(memory.shape, memory.dtype))
    order, losses = np.empty(0, int), []
    with plotting.LiveCurves(steps, ("loss",), title, keep=False) as curves:
        for step in range(steps):
            while len(order) < batch:
                order = np.concatenate([order, rng.permutation(len(x))])
            rows, order = order[:batch], order[batch:]
            model.optimizer.learning_rate = peak * one_cycle(step, steps)
            images = crop(x[rows], rng, mirror)[..., None]
            losses.append(float(model.train_on_batch(images, y[rows])))
            if title and (step + 1) % max(1, steps // 20) == 0:
                curves.update(step + 1, {"loss": np.mean(losses[-steps // 20 :])})
    return time.perf_counter() - start


# %% tags=["plumbing"]
#@title Plumbing: answers, and who is right
def answer(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """What a model says about the middle of images (n, 32, 32): (n, its outputs)."""
    parts = np.split(images, range(1000, len(images), 1000))
    return np.concatenate([model.predict_on_batch(center(part)[..., None])
                           for part in parts])


def hits(model: keras.Model, images: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which images it names rightly, (n,) bool."""
    return answer(model, images).argmax(axis=1) == y


SEEDS = by_profile(quick=(0, 1), standard=(0, 1, 2, 3, 4), full=(0, 1, 2, 3, 4))
FEW_SEEDS = by_profile(quick=(0,), standard=(0,), full=SEEDS)  # beside the main result
SOURCE_STEPS = by_profile(quick=15, standard=500, full=1500)

# %%
keras.utils.set_random_seed(0)
source = build_encoder()
day_model = keras.Sequential([source, layers.Dense(5)])
source_seconds = train(day_model, day.x_pool, day.y_pool, steps=SOURCE_STEPS, seed=0,
                       peak=4e-3, mirror=True, batch=256, title="By day, steps")
print(f"{source.count_params():,} parameters in the encoder, {source_seconds:.0f} s")
for name, task in (("day", day), ("night", night)):
    print(f"{name}: {np.mean(hits(day_model, task.x_val, task.y_val)):.1%} right")

# %% [markdown]
# (c), after these 500 steps. This is *distribution shift* (分布偏移): the same kinds, other images. Is it the light or the noise? Turn them:

# %% tags=["figure"]
#@title Figure: It fails long before you do
def draw_camera(light, noise):
    x, y = at_night(photos.x_val[:400], light, noise), photos.y_val[:400]
    named = answer(day_model, x).argmax(axis=1)
    fig, axes = plt.subplots(1, 5, figsize=(7.4, 2), width_ratios=[1, 1, 1, 1, 1.6])
    for i, ax in enumerate(axes[:4]):
        ax.imshow(x[i], cmap="gray", vmin=0, vmax=max(60, x[:4].max()))
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{day.names[named[i]]}?", fontsize=9)
    counts = [np.bincount(which, minlength=5) for which in (named, y)]
    for place, (values, label) in enumerate(zip(counts, ("named", "true"))):
        axes[4].barh(np.arange(5) + 0.4 * place, values, 0.4, label=label)
    axes[4].set(yticks=np.arange(5) + 0.2, yticklabels=day.names, xlabel="images")
    axes[4].legend(fontsize=7)
    axes[0].set_ylabel("shown brighter", fontsize=8)
    right = np.mean(named == y)
    fig.suptitle(f"light {light:.2f}, noise {noise:.0f}: {right:.0%} right")
    return fig


plotting.explore(draw_camera, light=(0.05, 1.0, 0.25, 0.05), noise=(0, 20, 5))
plt.show()

# %% tags=["evidence"]
#@title Evidence: one change at a time, then both; all validation images
for light, noise in ((1.0, 0), (0.25, 0), (1.0, 5), (0.25, 5), (1.0, 20)):
    share = np.mean(hits(day_model, at_night(photos.x_val, light, noise), photos.y_val))
    print(f"light {light:.2f}, noise {noise:>2.0f}: {share:.1%} right")

# %% [markdown]
# Neither alone: it is the noise *relative to the light*. The encoder begins by giving each image mean 0 and spread 1; so to it, a quarter of the light with noise 5 is full light with noise 20.
#
# So keep the encoder and put a new head on it. *Freeze* the encoder (冻结): only the head learns. Or *fine-tune* (微调): everything learns on. In Keras, `encoder.trainable = False` freezes all layers inside.
#
# ### Exercise 18.2 · a head on a copy (9 min)
# Return a model: a *copy* of the encoder, then `layers.Dense(kinds, kernel_initializer="zeros")`. The given encoder serves many trials, so none may change it. `keras.models.clone_model(encoder)` copies the layers with *new* weights; `get_weights` and `set_weights` carry them over.

# %% tags=["exercise"]
def with_head(encoder, kinds, frozen):
    """A model: images -> a copy of the encoder -> scores (B, kinds).

    frozen: only the head learns
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("18.2", "a head on a copy"):
    keras.utils.set_random_seed(0)
    in_t = keras.Input((6, 6, 1))
    x_t = layers.BatchNormalization()(layers.Conv2D(3, 3)(in_t))
    tiny_t = keras.Model(in_t, layers.GlobalAveragePooling2D()(x_t))
    old_t = [w + 0.1 for w in tiny_t.get_weights()]
    tiny_t.set_weights(old_t)
    images_t = np.random.default_rng(0).normal(3, 2, (8, 6, 6, 1)).astype(np.float32)
    features_t = np.asarray(tiny_t(images_t))
    flags_t = [layer.trainable for layer in tiny_t.layers]
    for kinds_t, frozen_t in ((4, True), (3, False), (2, True)):
        model_t = with_head(tiny_t, kinds_t, frozen_t)
        case_t = "frozen" if frozen_t else "fine-tuned"
        count_t = sum(int(np.prod(w.shape)) for w in model_t.trainable_weights)
        wanted_t = 4 * kinds_t + (0 if frozen_t else 36)
        assert count_t == wanted_t, f"{case_t}: {count_t} numbers learn, not {wanted_t}"
        np.testing.assert_allclose(model_t(images_t), np.zeros((8, kinds_t)), atol=1e-6,
                                   err_msg="a head of zeros gives scores of zero")
        kernel_t = next(w for w in model_t.trainable_weights if w.shape == (3, kinds_t))
        kernel_t.assign(np.arange(3.0 * kinds_t).reshape(3, kinds_t))
        np.testing.assert_allclose(model_t(images_t), features_t @ kernel_t.numpy(),
                                   rtol=1e-3, atol=1e-3, err_msg="the same features")
        kept_t = [w.numpy().copy() for w in model_t.non_trainable_weights]
        model_t.compile(keras.optimizers.SGD(0.01), "mse")
        for _ in range(3):
            model_t.train_on_batch(images_t, np.ones((8, kinds_t)))
        moved_t = [bool(np.any(w.numpy() != k)) for w, k in
                   zip(model_t.non_trainable_weights, kept_t)]
        told_t = f"{case_t}: did the averages move? {moved_t}"
        assert moved_t == [not frozen_t] * len(moved_t), told_t
        for now_t, before_t in zip(tiny_t.get_weights(), old_t):
            assert np.array_equal(now_t, before_t), "the encoder given changed"
        now_t = [layer.trainable for layer in tiny_t.layers]
        assert now_t == flags_t, "the encoder given was frozen, not only its copy"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `copy.trainable = not frozen`, before the model around it is compiled. `keras.Sequential([copy, head])` joins the two.
# </details>

# %% tags=["solution"]
#@title Solution 18.2 · runs only while yours does not pass
if not solved("18.2"):
    def with_head(encoder, kinds, frozen):
        copy = keras.models.clone_model(encoder)
        copy.set_weights(encoder.get_weights())
        copy.trainable = not frozen
        head = layers.Dense(kinds, kernel_initializer="zeros")
        return keras.Sequential([copy, head])

# %% [markdown]
# In Keras a frozen batch normalization keeps its averages unchanged, too, as the check has seen; in other libraries they may drift on. 18.8 moves them on purpose.

# %% [markdown]
# ## 18.3 Would you show this slide?
#
# A colleague compares. To be fair, he says, he gives both the *same* of everything: 500 labels, 40 steps, one learning rate. One starts from the source network, one from random weights.

# %% tags=["plumbing"]
#@title Plumbing: learn(task, arm, …), with one compiled model per arm
compiled: dict[tuple, keras.Model] = {}  # compiling costs more than many a training
SOURCES = {"frozen": source, "fine-tuned": source}
STEPS = dict(zip(
    ("from scratch", "from scratch, few", "fine-tuned", "frozen"),
    by_profile(quick=(20, 10, 8, 8), standard=(250, 125, 100, 80),
               full=(600, 300, 200, 100))))


def learn(task: Task, arm: str, n: int, peak: float, seed: int,
          steps: int | None = None) -> tuple[keras.Model, float]:
    """A model trained on the n labels of a seed, and seconds. The next call reuses it.

    arm: "from scratch", or a name in SOURCES, which begins with frozen or fine-tuned
    """
    keras.utils.set_random_seed(seed)
    way, kinds = arm.partition(",")[0], len(task.names)
    frozen = way == "frozen"
    if arm == "from scratch":  # its head starts at random, which suits it better
        fresh = keras.Sequential([build_encoder(), layers.Dense(kinds)])
    else:
        fresh = with_head(SOURCES[arm], kinds, frozen)
    model = compiled.setdefault((frozen, kinds), fresh)
    model.set_weights(fresh.get_weights())
    order = balanced_order(task.y_pool, n // kinds, np.random.default_rng(seed))
    if way == "from scratch" and n <= 100:
        way = "from scratch, few"
    seconds = train(model, task.x_pool[order], task.y_pool[order], peak=peak,
                    steps=steps or STEPS[way], seed=seed, mirror=task.mirror)
    return model, seconds


# %%
same = dict(n=500, peak=1e-3, seed=0, steps=40)
slide = {arm: np.mean(hits(learn(night, arm, **same)[0], night.x_val, night.y_val))
         for arm in ("fine-tuned", "from scratch")}
print(", ".join(f"{arm} {right:.1%}" for arm, right in slide.items()))

# %% [markdown]
# A lead of 20 points, on real photographs. But 40 small steps may be few, most of all for a network that starts at nothing.
#
# **Predict.** Give the scratch arm six times the steps and twenty times the rate. How much of the slide's lead is left? (a) nearly all · (b) about a half · (c) less than a quarter

# %%
patient, _ = learn(night, "from scratch", n=500, peak=2e-2, seed=0)
patient_right = np.mean(hits(patient, night.x_val, night.y_val))
print(f"from scratch, with patience: {patient_right:.1%}; the lead was "
      f"{100 * (slide['fine-tuned'] - slide['from scratch']):.0f} points and is now "
      f"{100 * (slide['fine-tuned'] - patient_right):.0f}")

# %% [markdown]
# (c), with this seed. Has transfer nothing to give, then? Look again: the scratch arm now has what it needs, the other one still has the slide's 40 small steps.

# %%
settled, _ = learn(night, "fine-tuned", n=500, peak=2e-3, seed=0)
settled_right = np.mean(hits(settled, night.x_val, night.y_val))
print(f"fine-tuned, with steps and rate of its own: {settled_right:.1%}, "
      f"a lead of {100 * (settled_right - patient_right):.0f} points")

# %% [markdown]
# Less than half of the slide's lead was real. The same settings for both are not the same chance for both: each arm must get what *it* needs.

# %% [markdown]
# ## 18.4 What is a fair comparison?
#
# 1. The labeled subsets are nested, and every arm gets the same.
# 2. Each arm gets steps enough: from scratch many, a new head few (18.10 looks again).
# 3. Each arm chooses its own learning rate, on validation images.
# 4. The test images are opened once, when all is chosen.
# 5. Five seeds: other labels and crops each, and from scratch another start. Differences are taken seed by seed.
#
# ### Exercise 18.4a · a rate of its own (5 min)
# `trial(rate, seed)` trains once and returns the validation accuracy. Call it once for each pair, and return the rate with the best *mean* over the seeds; of equal ones the smaller.

# %% tags=["exercise"]
def best_rate(trial: Callable[[float, int], float], rates, seeds) -> float:
    """The rate whose mean of trial(rate, seed) over the seeds is highest."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("18.4a", "a rate of its own"):
    for table_t, best_t in [
            ({0.1: [0.2, 0.9], 0.3: [0.6, 0.7], 1.0: [0.1, 0.2]}, 0.3),
            ({3.0: [0.5, 0.5], 0.2: [0.5, 0.5], 0.7: [0.4, 0.55]}, 0.2),  # equal ones
            ({5.0: [0.0, 0.0]}, 5.0),
            ({0.5: [0.3, 0.3], 0.1: [0.1, 0.2], 2.0: [0.3, 0.31]}, 2.0),
            ({0.4: [0.1, 0.8, 0.8], 0.2: [0.7, 0.7, 0.6]}, 0.2)]:
        seeds_t, asked_t = (4, 5, 6)[: len(table_t[max(table_t)])], []

        def trial_t(rate, seed):
            asked_t.append((rate, seed))
            return table_t[rate][seed - 4]

        got_t = best_rate(trial_t, list(table_t), seeds_t)
        assert got_t == best_t, f"of {table_t} it takes {got_t}"
        wanted_t = sorted((rate, seed) for rate in table_t for seed in seeds_t)
        assert sorted(asked_t) == wanted_t, f"trials {sorted(asked_t)}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Make a dictionary from rate to mean. `max(sorted(means), key=means.get)` takes the first of equal ones.
# </details>

# %% tags=["solution"]
#@title Solution 18.4a · runs only while yours does not pass
if not solved("18.4a"):
    def best_rate(trial: Callable[[float, int], float], rates, seeds) -> float:
        means = {rate: np.mean([trial(rate, seed) for seed in seeds]) for rate in rates}
        return max(sorted(means), key=means.get)

# %% [markdown]
# A difference over five seeds has a spread $s$ too. With a pencil: leads of 2, 4, 6 points have mean 4 and $s = 2$. The mean $\bar d$ of the leads $d_i$ of $m$ seeds is off by about $s/\sqrt m$. With few seeds $s$ itself is uncertain, so the 95 % interval is wider than 1.96 of these: it takes the factor $t$ of *Student's* distribution (t 分布) for $m$ seeds, 4.30 for three and 2.78 for five:
#
# $$\bar d \pm t\, \frac{s}{\sqrt m}, \qquad s^2 = \frac{1}{m-1} \sum_i (d_i - \bar d)^2 .$$
#
# ### Exercise 18.4b · paired over seeds (6 min)
# `stats.t.ppf(0.975, m - 1)` is the factor, and `ddof=1` makes `std` divide by $m - 1$. The pencil's case gives $4 \pm 4.97$: three seeds prove little.

# %% tags=["exercise"]
def seed_interval(a, b):
    """95 % interval for b minus a, paired by seed: (low, high).

    a, b: accuracies of two arms, one per seed, in the same order; at least two seeds
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("18.4b", "paired over seeds"):
    for a_t, b_t, low_t, high_t in [
            ([1.0, 1.0, 1.0], [3.0, 5.0, 7.0], -0.968275, 8.968275),
            ([0.5, 0.6, 0.7, 0.8, 0.9], [0.51, 0.62, 0.73, 0.84, 0.95],
             0.010368, 0.049632),
            ([0.9, 0.2], [0.1, 0.3], -6.067793, 5.367793)]:
        for kind_t in (np.array, list):
            got_t = seed_interval(kind_t(a_t), kind_t(b_t))
            np.testing.assert_allclose(got_t, (low_t, high_t), atol=1e-5,
                                       err_msg=f"{b_t} minus {a_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `d = np.subtract(b, a)`. `d.std(ddof=1)` divides by $m - 1$.
# </details>

# %% tags=["solution"]
#@title Solution 18.4b · runs only while yours does not pass
if not solved("18.4b"):
    def seed_interval(a, b):
        d = np.subtract(b, a)  # (seeds,)
        half = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
        return d.mean() - half, d.mean() + half

# %% [markdown]
# Now choose the rates: in this profile from few, with one seed. The 2,500 labeled images that validate them are a luxury: a client with 100 labels takes rates from an older project, or holds back 20 of her 100.

# %% tags=["plumbing"]
#@title Plumbing: the rates to choose from, and one trial on validation images
RATES = dict(zip(
    ("from scratch", "fine-tuned", "frozen"),
    by_profile(quick=((4e-3,), (2e-3,), (4e-3,)),
               standard=((5e-3, 2e-2), (1e-3, 2e-3), (4e-3, 16e-3, 64e-3)),
               full=((5e-3, 1e-2, 2e-2), (5e-4, 1e-3, 2e-3),
                     (4e-3, 16e-3, 64e-3, 0.25)))))
TUNING_SEEDS = by_profile(quick=(0,), standard=(0,), full=(0, 1))


def validated(task: Task, arm: str, n: int) -> Callable[[float, int], float]:
    """trial(rate, seed): the validation accuracy of an arm with n labels."""
    def trial(rate, seed):
        model, _ = learn(task, arm, n, rate, seed)
        return float(np.mean(hits(model, task.x_val, task.y_val)))
    return trial


def own_rate(task: Task, arm: str, n: int) -> float:
    """The rate that the arm chooses, by your best_rate."""
    rates_to_try = RATES[arm.partition(",")[0]]
    return best_rate(validated(task, arm, n), rates_to_try, TUNING_SEEDS)


# %%
ARMS = {"scratch, 500": ("from scratch", 500), "scratch, 100": ("from scratch", 100),
        "fine-tuned, 100": ("fine-tuned", 100), "frozen, 100": ("frozen", 100)}
rates = {name: own_rate(night, *arm) for name, arm in ARMS.items()}
print("steps:", STEPS, "\nrates chosen:", rates)

# %% [markdown]
# ## 18.5 Who wins, over five seeds?
#
# All is chosen: arms, steps, rates. Open the test images, once.
#
# **Predict.** Write down an order of the four arms. Then: 500 labels from scratch against 100 on the frozen source network. Who wins? (a) the 500 · (b) the 100 · (c) zero lies in the interval

# %% tags=["plumbing"]
#@title Plumbing: every arm, every seed, on the test images
def tested(task: Task, arms: dict, rates: dict, seeds: tuple = SEEDS,
           steps: int | None = None) -> dict[str, dict]:
    """For each arm: who is right on the test images, (seeds, n), and mean seconds."""
    found = {}
    for name, (arm, n) in arms.items():
        rights, seconds = [], []
        for seed in seeds:
            model, took = learn(task, arm, n, rates[name], seed, steps)
            rights.append(hits(model, task.x_test, task.y_test))
            seconds.append(took)
        found[name] = {"right": np.array(rights), "seconds": np.mean(seconds)}
    return found


def by_seed(found: dict, name: str) -> np.ndarray:
    """Test accuracies of an arm, (seeds,)."""
    return found[name]["right"].mean(axis=1)


def summary(found: dict, against: str = "scratch, 500") -> str:
    """A line per arm: seeds, mean, and the interval of what it is better by."""
    lines = []
    for name, arm in found.items():
        values = by_seed(found, name)
        line = [f"{name:<16}", *[f"{value:.1%}" for value in values],
                f" mean {values.mean():.1%}, {arm['seconds']:.0f} s each"]
        if name != against and len(values) == len(by_seed(found, against)) > 1:
            ends = seed_interval(by_seed(found, against), values)
            line.append(f"; minus {against}: {ends[0]:+.1%} to {ends[1]:+.1%}")
        lines.append(" ".join(line))
    return "\n".join(lines)


# %%
verdict = tested(night, ARMS, rates)
print(summary(verdict))

# %% tags=["plumbing"]
#@title Plumbing: 10 to 1,000 labels, trained in the full profile and read back here
full = full_results("18")


LABELS = (10, 20, 50, 100, 200, 500, 1000)


def curve(task: Task, arm: str, few: float, many: float, labels: tuple = LABELS
          ) -> dict[str, list[float]]:
    """Test accuracies (seeds,) by number of labels; rates for up to 100, and beyond."""
    found = tested(task, {str(n): (arm, n) for n in labels},
                   {str(n): few if n <= 100 else many for n in labels})
    return {n: by_seed(found, n).tolist() for n in found}


def draw_curves(ax, by_arm: dict) -> None:
    """Means over the seeds, and their 95 % intervals."""
    for (arm, found), style in zip(by_arm.items(), ("o-", "s--", "D-.", "^:")):
        values = [np.array(v) for v in found.values()]  # for each number, (seeds,)
        ends = [seed_interval(np.zeros(len(v)), v) for v in values]
        means = np.array([v.mean() for v in values])
        ax.errorbar([int(n) for n in found], means, abs(np.transpose(ends) - means),
                    fmt=style, ms=4, capsize=3, label=arm)
    ax.set(xscale="log", xticks=LABELS, xticklabels=LABELS, xlabel="labels",
           ylabel="test accuracy")
    ax.minorticks_off()


curves = full["curves"] if full else {}
if profile() == "full":
    two_rates = {"from scratch": (rates["scratch, 100"], rates["scratch, 500"])}
    for arm in ("fine-tuned", "frozen"):
        two_rates[arm] = rates[f"{arm}, 100"], own_rate(night, arm, 500)
    curves["night"] = {arm: curve(night, arm, *two) for arm, two in two_rates.items()}

# %% tags=["figure"]
#@title Figure: Accuracy against the number of labels (bars: 95 % intervals)
fig, ax = plt.subplots(figsize=(6.6, 3.2))
of_this_run: dict = {}
for name, (arm, n) in ARMS.items():
    of_this_run.setdefault(arm, {})[n] = by_seed(verdict, name)
    ax.plot(np.full(len(SEEDS), n), by_seed(verdict, name), ".", color=plotting.GRAY)
draw_curves(ax, curves.get("night", of_this_run))
ax.plot([], [], ".", color=plotting.GRAY, label="a seed of this run")
ax.legend(fontsize=8)
fig.suptitle("Accuracy against the number of labels (bars: 95 % intervals)",
             fontweight="bold", fontsize=10)
plt.show()

# %% tags=["evidence"]
#@title Evidence: what this notebook promises
judged = REAL and profile() != "quick"
low, high = seed_interval(by_seed(verdict, "scratch, 500"),
                          by_seed(verdict, "frozen, 100"))
claim("frozen with 100 labels minus scratch with 500: lower end, five seeds", low,
      at_least=0.0, applies=judged)
for arm, found in curves.get("night", {}).items():
    print(f"full profile, {arm:<13}",
          *[f"{n}: {np.mean(values):.1%}" for n, values in found.items()])
first, second = (verdict[n]["right"][0] for n in ("scratch, 500", "frozen, 100"))
low_0, high_0 = paired_interval(np.sum(first & ~second), np.sum(second & ~first),
                                len(first))
print(f"seed 0 alone, paired over {len(first):,} images: {low_0:+.1%} to {high_0:+.1%}")

# %% [markdown]
# (b), over these five seeds. The lines in the picture are the full profile's (this run's, where its file is missing). Read two things off them. How many labels does from scratch need to reach what the frozen network has with 100? And what do 400 more labels bring on the old network? Frozen gains two points, fine-tuned eight: a head alone has soon learned what it can. For a target as near as this night: with dozens of labels freeze, with hundreds fine-tune.
#
# The evidence's last line compares two trained networks on new images. The interval over seeds compares two *ways of training*: it speaks of other labels, crops and random starts. Neither speaks of another source network.

# %% [markdown]
# ## 18.6 And for clothes?
#
# Now clothes: Fashion-MNIST, ten kinds, gray and centered. The baselines on the pixels of 100 labeled images:

# %% tags=["plumbing"]
#@title Plumbing: clothes in the same form, and the three baselines
clothes = make_task(data.fashion_mnist(), range(10), mirror=True, held=HELD)
print("100 labels:", baselines(pixels, clothes, balanced_order(
    clothes.y_pool, 10, np.random.default_rng(0))))

# %% [markdown]
# **Predict.** The frozen source network against from scratch, both with the same 100 labels, is (a) 15 points ahead, as at night · (b) a few points ahead · (c) behind

# %%
c_arms = {name: ARMS[name] for name in ("scratch, 100", "frozen, 100")}
c_rates = {name: own_rate(clothes, *arm) for name, arm in c_arms.items()}
c_verdict = tested(clothes, c_arms, c_rates)
print(summary(c_verdict, against="scratch, 100"))

# %% [markdown]
# (c), over these five seeds: here frozen features *hurt* (负迁移). They are behind even the linear model on pixels: what tells cars from cats does not tell shirts from coats. (Fine-tuned, they hurt no more: 18.11.)

# %% [markdown]
# ## 18.7 What do you hand over?
#
# One model for the client: frozen, 100 labels, seed 0. Its mistakes are read on the test images, since nothing more is chosen.
#
# **Predict.** Which two of airplane, automobile, cat, deer, frog does it confuse most?

# %% tags=["plumbing"]
#@title Plumbing: a model of its own for the client, and its answers
def for_client() -> keras.Model:
    """The frozen model of seed 0, which no later training changes."""
    name = "frozen, 100"
    model, _ = learn(night, *ARMS[name], rates[name], seed=0)
    own = keras.models.clone_model(model)
    own.set_weights(model.get_weights())
    return own


client = for_client()
scores = answer(client, night.x_test)  # (n, 5)
named, sure = scores.argmax(axis=1), np.asarray(ops.max(ops.softmax(scores), axis=1))
right = named == night.y_test

# %% tags=["evidence"]
#@title Evidence: the pair that it confuses most
confused = np.zeros((5, 5), int)
np.add.at(confused, (night.y_test, named), 1)  # [true, named]
pairs = np.triu(confused + confused.T, 1)
kind_a, kind_b = np.unravel_index(pairs.argmax(), (5, 5))
print(f"{right.mean():.1%} right; {night.names[kind_a]} and {night.names[kind_b]}: "
      f"{pairs.max() / np.sum(~right):.0%} of the mistakes")

# %% tags=["figure"]
#@title Figure: The surest of its mistakes
worst = np.flatnonzero(~right)[np.argsort(-sure[~right])][:10]
titles = [f"{night.names[named[i]]}?\n{night.names[night.y_test[i]]}" for i in worst]
plotting.image_grid(night.x_test[worst], titles, columns=5, size=1.1)
plt.suptitle("The surest of its mistakes (named first, the label below)", fontsize=10)
plt.show()

# %% [markdown]
# The day cameras stay in use. **Predict.** By day, the client's model is right in (a) over 80 %, as before · (b) about 65 % · (c) about 45 %

# %%
for name, task in (("night", night), ("day", day)):
    print(f"{name}: {np.mean(hits(client, task.x_test, task.y_test)):.1%} right")

# %% [markdown]
# (b). The encoder is as it was, but this head has met the night only, and knows the day less well than the head that it replaced. Ask the client which images will come, and test on all of them. Then save, load and time it.

# %% tags=["evidence"]
#@title Evidence: the loaded model gives the same scores, and its milliseconds
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "client.keras"
    client.save(path)
    loaded = keras.models.load_model(path, compile=False)
    print(f"{path.stat().st_size / 1e6:.2f} MB")
claim("largest change of a score by saving and loading",
      np.abs(answer(loaded, night.x_val) - answer(client, night.x_val)).max(),
      at_most=1e-5)
begun = time.perf_counter()
for _ in range(50):
    loaded.predict_on_batch(center(night.x_test[:1])[..., None])
print(f"{(time.perf_counter() - begun) / 50 * 1e3:.1f} ms an image, one at a time")

# %% [markdown]
# ## 18.8 And without any label?
#
# Batch normalization holds averages of the day's images. Night images have others. They have no labels, but averages need none: run the network in *training* mode over them, and learn nothing else.
#
# **Predict.** The day's model with averages of the night, no label used, is right in (a) as many as before · (b) about 55 % · (c) more than any arm of 18.5
#
# ### Exercise 18.8 · new averages (8 min)
# Return a copy of the model whose batch-normalization averages come from `images`, with all learned weights as they were. Calling a model with `training=True` moves the averages by a tenth of the way (the layer's `momentum`, 0.9, is the share that stays): run over the batches `rounds` times.

# %% tags=["exercise"]
def with_new_averages(model, images, rounds=5, batch=250):
    """A copy of the model, its averages from images. images: (n, height, width, 1)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("18.8", "new averages"):
    keras.utils.set_random_seed(0)
    in_t = keras.Input((2, 2, 1))
    norm_t = layers.BatchNormalization(momentum=0.9)
    x_t = layers.GlobalAveragePooling2D()(norm_t(layers.Conv2D(2, 1)(in_t)))
    tiny_t = keras.Sequential([keras.Model(in_t, x_t), layers.Dense(3)])
    old_t = [w.copy() for w in tiny_t.get_weights()]
    lighter_t = np.linspace(1, 4, 261).reshape(-1, 1, 1, 1)  # from image to image
    noise_t = np.random.default_rng(0).normal(2, 1, (261, 2, 2, 1))
    images_t = (lighter_t * noise_t).astype(np.float32)
    for given_t in ({"rounds": 1, "batch": 20}, {"rounds": 3, "batch": 100}, {}):
        model_t = with_new_averages(tiny_t, images_t.copy(), **given_t)
        batch_t, wanted_t = given_t.get("batch", 250), np.array(old_t[4:6])
        for i_t in [*range(0, 261, batch_t)] * given_t.get("rounds", 5):
            part_t = images_t[i_t : i_t + batch_t].reshape(-1, 1)
            z_t = part_t @ old_t[0].reshape(1, 2) + old_t[1]
            seen_t = np.array([z_t.mean(axis=0), z_t.var(axis=0)])
            wanted_t = 0.9 * wanted_t + 0.1 * seen_t
        new_t = model_t.get_weights()
        assert len(new_t) == len(old_t), "the copy has other weights"
        np.testing.assert_allclose(np.array(new_t[4:6]), wanted_t, rtol=1e-3, atol=1e-3,
                                   err_msg=f"means, variances, {given_t}")
        for i_t in (0, 1, 2, 3, 6, 7):
            assert np.array_equal(new_t[i_t], old_t[i_t]), "a weight moved"
        for now_t, before_t in zip(tiny_t.get_weights(), old_t):
            assert np.array_equal(now_t, before_t), "the model given changed"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Copy as in 18.2, then `copy(part, training=True)` for each part of the images.
# </details>

# %% tags=["solution"]
#@title Solution 18.8 · runs only while yours does not pass
if not solved("18.8"):
    def with_new_averages(model, images, rounds=5, batch=250):
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        for _ in range(rounds):
            for start in range(0, len(images), batch):
                copy(images[start : start + batch], training=True)
        return copy

# %%
moved = with_new_averages(day_model, center(night.x_pool)[..., None].astype(np.float32))
for name, model in (("as it was", day_model), ("with the night's averages", moved)):
    at, by = (np.mean(hits(model, task.x_val, task.y_val)) for task in (night, day))
    print(f"{name}: {at:.1%} right at night, {by:.1%} by day")

# %% tags=["evidence"]
#@title Evidence: a new head on 100 labels, with the day's averages and with the night's
SOURCES["frozen, night's averages"] = moved.layers[0]
for arm in ("frozen", "frozen, night's averages"):
    trial = validated(night, arm, 100)
    found = [trial(rates["frozen, 100"], seed) for seed in SEEDS[:3]]
    print(f"{arm}, validation:", *[f"{value:.1%}" for value in found],
          f" mean {np.mean(found):.1%}")

# %% [markdown]
# (c), on the validation images, with one source network. The old head learned these kinds from thousands of labels, and much of the damage was in the averages alone. A new head on 100 labels gains from the night's averages too, and does no better than the old one. By day the moved model is worse: keep a set of averages for each camera. (Not so with the client's model of 18.7. Its layers are frozen, so its averages don't move; and its head belongs to the day's.)
#
# So this client needs no label first, but the night's averages. With labels: 100 on the frozen network do more than 500 from scratch, and 500 are worth their price if everything is fine-tuned. For new kinds there is no old head.

# %% [markdown]
# ## 18.9 What do images without labels teach? ◇
#
# Back to the clothes of 18.6: most of their images have no label. *Self-supervised learning* (自监督学习) makes a task of the images alone. Cut two views from each of $B$ images. For each of the $2B$ views, one of the other $2B - 1$ shows the same image. Which? To answer, the network must see past place and size.
#
# The *contrastive loss* (对比损失) is the cross-entropy of this guess. With unit vectors $z$ and a *temperature* $\tau$, view $i$ gives each other view $j$ the score $z_i \cdot z_j / \tau$. With a pencil: of one image's two views, only the partner is left to guess, so the loss is $\log 1 = 0$.
#
# **Predict.** If all vectors point the same way, what is the loss for 128 images? (a) $\log 2$ · (b) $\log 128$ · (c) $\log 255$
#
# ### Exercise 18.9 · the contrastive loss (15 min)
# Use `ops`, so that Keras can differentiate it: `ops.concatenate([first, second])`, `ops.normalize(z, axis=-1)`, `ops.matmul`, `ops.transpose`. Nobody may guess itself: subtract $10^9$ on the diagonal (`ops.eye`). Partners are $B$ rows apart. `ops.sparse_categorical_crossentropy(target, scores, from_logits=True)` gives one loss per row.

# %% tags=["exercise"]
def contrastive_loss(first, second, temperature):
    """Mean loss of guessing each view's partner among all other views.

    first, second: (B, d), row i of both shows image i; any length -> a number
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("18.9", "the contrastive loss"):
    rng_t = np.random.default_rng(0)
    for B_t, d_t, tau_t in ((1, 2, 0.5), (2, 3, 1.0), (5, 4, 0.2), (3, 2, 0.05)):
        long_t = rng_t.uniform(0.1, 9, (2 * B_t, 1))
        views_t = rng_t.normal(size=(2 * B_t, d_t)) * long_t
        losses_t = []
        for i_t in range(2 * B_t):  # slow: one view after the other
            cos_t = [a @ views_t[i_t] / np.linalg.norm(a) / np.linalg.norm(views_t[i_t])
                     for a in views_t]
            power_t = np.exp(np.array(cos_t) / tau_t)
            others_t = power_t.sum() - power_t[i_t]
            losses_t.append(-np.log(power_t[(i_t + B_t) % (2 * B_t)] / others_t))
        parts_t = [ops.array(part, "float32") for part in np.split(views_t, 2)]
        got_t = ops.convert_to_numpy(contrastive_loss(*parts_t, tau_t))
        assert got_t.shape == (), f"one number, not shape {got_t.shape}"
        np.testing.assert_allclose(got_t, np.mean(losses_t), rtol=1e-3, atol=1e-4,
                                   err_msg=f"{B_t} images, temperature {tau_t}")
    both_t = [keras.KerasTensor((4, 3)) for _ in range(2)]
    out_t = keras.ops.shape(contrastive_loss(*both_t, 0.5))  # must work on symbols too
    assert tuple(out_t) == (), f"symbolic shape {out_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# The target of row $i$ is $i + B$, and of row $i + B$ it is $i$: `np.roll(np.arange(2 * B), B)`, with `B = first.shape[0]`.
# </details>

# %% tags=["solution"]
#@title Solution 18.9 · runs only while yours does not pass
if not solved("18.9"):
    def contrastive_loss(first, second, temperature):
        B = first.shape[0]
        z = ops.normalize(ops.concatenate([first, second]), axis=-1)  # (2B, d)
        scores = ops.matmul(z, ops.transpose(z)) / temperature  # (2B, 2B)
        scores = scores - 1e9 * ops.eye(2 * B)
        partner = np.roll(np.arange(2 * B), B)
        return ops.mean(ops.sparse_categorical_crossentropy(partner, scores,
                                                            from_logits=True))

# %% [markdown]
# (c): all $2B - 1 = 255$ guesses are equally good. A view here is a crop of 40 to 100 % of the area, enlarged, in half of the cases mirrored.

# %% tags=["plumbing"]
#@title Plumbing: two views of an image
def view(images: np.ndarray, rng: np.random.Generator, mirror: bool) -> np.ndarray:
    """A random part of each image (n, 32, 32), enlarged to (n, 28, 28) float32."""
    n, grid = len(images), (np.arange(28) + 0.5) / 28
    side = 28 * np.sqrt(rng.uniform(0.4, 1, (n, 1)))
    top, left = rng.uniform(0, 1, (2, n, 1)) * (28 - side)
    y, x = (np.clip(at + grid * side - 0.5, 0, 26.99) for at in (top, left))  # (n, 28)
    y0, x0 = y.astype(int), x.astype(int)
    dy, dx = ((a - a0).astype(np.float32) for a, a0 in ((y, y0), (x, x0)))
    gray_of, every = center(images).astype(np.float32), np.arange(n)[:, None]
    up, down = gray_of[every, y0], gray_of[every, y0 + 1]  # (n, 28, 28)
    rows = (up + dy[..., None] * (down - up)).transpose(0, 2, 1)
    left, right = rows[every, x0], rows[every, x0 + 1]  # the same for the columns
    cut = (left + dx[..., None] * (right - left)).transpose(0, 2, 1)
    if mirror:
        turned = rng.random(n) < 0.5
        cut[turned] = cut[turned][:, :, ::-1]
    return cut


# %% tags=["plumbing"]
#@title Plumbing: pre-training without labels, pretrain(x, …)
VIEW_STEPS = by_profile(quick=8, standard=300, full=2000)


def pretrain(x: np.ndarray, *, steps: int, mirror: bool, images: int = 128,
             temperature: float = 0.5, peak: float = 4e-3, title: str = ""
             ) -> tuple[keras.Model, list[float], float]:
    """An encoder that has seen x (n, 32, 32) and no label; its losses; seconds."""
    keras.utils.set_random_seed(0)
    start, rng, losses = time.perf_counter(), np.random.default_rng(0), []
    encoder = build_encoder()
    model = keras.Sequential([encoder, layers.Dense(64, activation="relu"),
                              layers.Dense(32)])  # used here only, then thrown away
    model.compile(keras.optimizers.AdamW(peak, weight_decay=0.01), loss=lambda _, z:
                  contrastive_loss(z[:images], z[images:], temperature))
    with plotting.LiveCurves(steps, ("loss",), title, keep=False) as curves:
        for step in range(steps):
            model.optimizer.learning_rate = peak * one_cycle(step, steps)
            rows = rng.integers(0, len(x), images)
            views = np.concatenate([view(x[rows], rng, mirror) for _ in range(2)])
            losses.append(float(model.train_on_batch(views[..., None],
                                                     np.zeros((2 * images, 1)))))
            if (step + 1) % max(1, steps // 20) == 0:
                curves.update(step + 1, {"loss": np.mean(losses[-steps // 20 :])})
    return encoder, losses, time.perf_counter() - start


# %%
own, losses, view_seconds = pretrain(clothes.x_pool, steps=VIEW_STEPS, mirror=True,
                                     title="Without labels")
print(f"{VIEW_STEPS} steps, {view_seconds:.0f} s; loss {losses[0]:.2f} at first, "
      f"{np.mean(losses[-20:]):.2f} at the end; log 255 = {np.log(255):.2f}")

# %% [markdown]
# Without any clue, the loss would be near $\log 255$. The first one is already below: two views of one image look alike even to random weights. So now there are two encoders to freeze: the source has seen 17,500 photographs with labels, this one clothes and no label.
#
# **Predict.** Each gets a head from the same 100 labels. Whose is more often right? (a) the one with labels, by five points · (b) level · (c) the one without labels

# %%
SOURCES["frozen, no labels"] = own
own_arm = {"own images, 100": ("frozen, no labels", 100)}
c_rates["own images, 100"] = own_rate(clothes, "frozen, no labels", 100)
c_verdict |= tested(clothes, own_arm, c_rates)
print(summary(c_verdict, against="frozen, 100"))

# %% [markdown]
# (c), over these five seeds, by a few points: here, near images without labels serve better than far ones with labels. Yet from scratch, with its own rate, is no worse than either. In these 300 steps pre-training is no free gain, with labels or without. (More steps: 18.11.)

# %% [markdown]
# ## 18.10 Did scratch get its chance? ◇
#
# A suspicious colleague takes scratch's side. He turns steps and rate as he likes, on validation images; his best choice may answer the test images once. The full profile tried three more choices, up to 1,600 steps.
#
# **Predict.** Against his best choice, does the frozen network with 100 labels still lead? (a) no, zero lies in the interval · (b) yes

# %%
TRIES = by_profile(quick=[(20, 8e-3)], standard=[],
                   full=[(800, 1e-2), (1600, 5e-3), (1600, 1e-2)])
tries = {}
for steps, peak in TRIES:
    models = (learn(night, "from scratch", 500, peak, seed, steps)[0]
              for seed in TUNING_SEEDS)
    tries[f"{steps} steps, rate {peak}"] = [
        float(np.mean(hits(model, night.x_val, night.y_val))) for model in models]
if tries:
    print("this run, validation:", tries)

# %% tags=["plumbing"]
#@title Plumbing: his best choice on the test images, in the full profile
if profile() == "full":
    means = [np.mean(values) for values in tries.values()]
    his_steps, his_peak = TRIES[int(np.argmax(means))]
    his_best = by_seed(tested(night, {"his": ("from scratch", 500)}, {"his": his_peak},
                              steps=his_steps), "his").tolist()
    chance = {"tries": tries, "best": his_best,
              "frozen": by_seed(verdict, "frozen, 100").tolist()}
else:
    chance = full["chance"] if full else {}

# %% tags=["evidence"]
#@title Evidence: what the full profile found for him
for name, values in chance.get("tries", {}).items():
    print(f"{name}, validation:", *[f"{value:.1%}" for value in values])
if chance:
    his_low, his_high = seed_interval(chance["best"], chance["frozen"])
    print("his best, test:", *[f"{value:.1%}" for value in chance["best"]])
    print("frozen, 100:   ", *[f"{value:.1%}" for value in chance["frozen"]])
    print(f"frozen, 100 minus his best: {his_low:+.1%} to {his_high:+.1%}")
    claim("frozen with 100 labels minus the best of scratch with 500: lower end",
          his_low, at_least=0.0)

# %% [markdown]
# (b), over five seeds: the longer runs gained less than a point on the test images. The full profile's source network has learned for more steps too, so compare within one profile only.

# %% [markdown]
# ## 18.11 And for other kinds, by day? ◇
#
# The same camera, five kinds that the source never saw: bird, dog, horse, ship, truck.
#
# **Predict.** 100 labels on the frozen source network, against from scratch with 500: (a) ahead again · (b) level · (c) behind

# %%
other = make_task(cifar, (2, 5, 7, 8, 9), mirror=True, held=HELD)
o_arms = {name: ARMS[name] for name in ("scratch, 500", "scratch, 100", "frozen, 100")}
o_verdict = {}
if full is None:  # else the figures of five seeds are read back, below
    o_verdict = tested(other, o_arms, rates, FEW_SEEDS)  # with the rates of the night
    print(summary(o_verdict))

# %% tags=["plumbing"]
#@title Plumbing: curves for clothes, in the full profile
if profile() == "full":
    c_rates["fine-tuned, 100"] = own_rate(clothes, "fine-tuned", 100)
    c_verdict |= tested(clothes, {"fine-tuned, 100": ("fine-tuned", 100)}, c_rates)
    like = {"from scratch": "scratch, 100", "fine-tuned": "fine-tuned, 100",
            "frozen": "frozen, 100", "frozen, no labels": "own images, 100"}
    curves["clothes"] = {arm: curve(clothes, arm, c_rates[name], c_rates[name],
                                    (10, 100, 1000)) for arm, name in like.items()}

# %% tags=["figure"]
#@title Figure: Clothes with 10, 100 and 1,000 labels (bars: 95 % intervals)
if "clothes" in curves:
    fig, ax = plt.subplots(figsize=(6.6, 3.2))
    draw_curves(ax, curves["clothes"])
    ax.legend(fontsize=8)
    fig.suptitle("Clothes with 10, 100 and 1,000 labels (bars: 95 % intervals)",
                 fontweight="bold", fontsize=10)
    plt.show()

# %% tags=["evidence"]
#@title Evidence: the full profile's clothes and other kinds, test images
for title in ("clothes", "other kinds") if full else ():
    base = full[title]["scratch, 100"]
    for name, values in full[title].items():
        ends = seed_interval(base, values)
        print(f"full profile, {title}, {name:<16} mean {np.mean(values):.1%}; minus "
              f"scratch, 100: {ends[0]:+.1%} to {ends[1]:+.1%}")

# %% [markdown]
# (c), over the full profile's five seeds, yet far ahead of from scratch with the same 100: transfer saves labels here too, but not four of five. And the clothes in the picture: fine-tuned from the photographs, they are level with from scratch at 100 labels, and behind at 1,000 (with a third of its steps, and the rate chosen for 100).

# %% [markdown]
# ## 18.12 When does it hurt most? ◇
#
# Handwritten digits: gray strokes, ten kinds. And what if half of the training images are mirrored, as the photographs were? A mirrored cat is a cat.
#
# **Predict.** From scratch with 100 labels against the frozen source network with 100: (a) from scratch leads by ten points or more · (b) it leads by a few · (c) frozen leads. And whom do mirrored digits hurt more?

# %%
digits = make_task(data.mnist(), range(10), mirror=False,
                   held=by_profile(quick=300, standard=HELD, full=HELD))
habits = {"digits": digits, "digits, mirrored too": replace(digits, mirror=True)}
d_right = {}
for name, task in habits.items():
    for arm, like in (("from scratch", "scratch, 100"), ("frozen", "frozen, 100")):
        models = (learn(task, arm, 100, c_rates[like], seed)[0] for seed in FEW_SEEDS)
        d_right[f"{name}, {arm}"] = [float(np.mean(hits(model, task.x_val, task.y_val)))
                                     for model in models]
for name, values in d_right.items():
    print(f"{name:<34}", *[f"{value:.1%}" for value in values])

# %% [markdown]
# (a), with one seed and the rates of the clothes: digits are pen strokes. The mirror images hurt both, and about equally: a mirrored 2 is no digit. What is harmless for one task need not be for the next.

# %% [markdown]
# ## 18.13 Spot the bug: which cost? ◇
#
# A widely copied version (Document 3, 3.3; titles in notebook [[start_here]]) lists as a disadvantage of large models that they need many labeled data (需要大量标注数据). Its FAQ (A) advises transfer learning "to reduce training cost" (减少训练成本). Two costs, labels and seconds: which sentence holds for which?
#
# **Predict.** A head on the frozen network with 100 labels trains faster than a network from scratch with 500, but the source had to be trained first. After how many new tasks has it paid for itself, in seconds? (a) the first · (b) about ten · (c) hundreds

# %%
took = {name: found["seconds"] for name, found in verdict.items()}
for name in ("scratch, 500", "scratch, 100"):
    saved = took[name] - took["frozen, 100"]
    print(f"source network {source_seconds:.0f} s; against {name}, a task saves "
          f"{saved:.1f} s: paid back after {source_seconds / saved:.1f} tasks")

# %% [markdown]
# (b), on two cores; against the same 100 labels it takes longer. So the sentences need a repair. Pre-training needs many *images*, and in 18.9 it used no label; a task then needs few. Seconds are saved by whoever reuses the network, often one that somebody else has paid for.
#
# Three other sentences meet here, in small: labels are dear (Document 4, 8), self-supervision needs fewer of them (Document 2, 8.1; 18.9 shows it against a far source only), and models will be fitted to more special fields (Document 1, 8.4). A network such as Inception, which Document 4 (6) names for images, is what others start from.

# %% tags=["plumbing"]
#@title Plumbing: what the full profile keeps
results = {
    "steps": STEPS | {"source": SOURCE_STEPS, "no labels": VIEW_STEPS},
    "rates": {"night": rates, "clothes": c_rates},
    "seeds": list(SEEDS),
    "seconds": {"source": round(source_seconds), "no labels": round(view_seconds)},
    "night": {name: by_seed(verdict, name).tolist() for name in verdict},
    "frozen 100 minus scratch 500": [float(low), float(high)],
    "clothes": {name: by_seed(c_verdict, name).tolist() for name in c_verdict},
    "other kinds": {name: by_seed(o_verdict, name).tolist() for name in o_verdict},
    "digits, validation": d_right, "chance": chance, "curves": curves,
}

# %% [markdown]
# ## Open task: your own few labels
#
# Build another camera in `at_night`: images upside down, negatives, or twice the noise. Say before the run by how many points 100 labels on the source network lead over 500 from scratch, and why. Does the interval over seeds agree? Then train the source on day images that `at_night` has darkened: what is left for labels to do?

# %% [markdown]
# ## Recall
#
# <details><summary>Why must the 100 labeled images be among the 500?</summary>
#
# Otherwise the comparison of 100 with 500 also compares two draws of images.
# </details>
#
# <details><summary>Both arms got the same rate and the same 40 steps. What is unfair about that?</summary>
#
# Random weights need more and larger steps than a network that is fine-tuned. Each arm chooses for itself, on validation images.
# </details>
#
# <details><summary>What happens to a batch normalization's averages when its layer isn't trainable?</summary>
#
# In Keras nothing: it uses them in training too. Elsewhere they may move although the weights are frozen.
# </details>
#
# <details><summary>Five seeds, leads of mean 4 points and spread 2. Which interval?</summary>
#
# $4 \pm 2.78 \cdot 2 / \sqrt 5$, about $4 \pm 2.5$. It speaks of new labels, crops and starts, not of another source network.
# </details>
#
# <details><summary>The camera changes and nobody has labeled a new image yet. What can you do for a network with batch normalization?</summary>
#
# Run it in training mode over the new images: its averages become theirs, and no weight moves. (In Keras not if it is frozen.)
# </details>

# %% [markdown]
# ## Summary
#
# 1. A network that knows similar things saves labels: compare with nested subsets, a rate for each arm, seeds, and an interval over them.
# 2. The same settings for both arms favor the one they suit: few small steps the one that is nearly there.
# 3. Frozen means the averages too. In a network that isn't, they can be renewed without a label (18.8). Work on a copy.
# 4. Transfer can hurt: from scratch, well tuned, belongs in every comparison.
# 5. Images without labels can pre-train: two views of one image belong together (18.9).
#
# **Read this next:** S. Kornblith, J. Shlens, Q. Le, *Do better ImageNet models transfer better?*, CVPR 2019. T. Chen, S. Kornblith, M. Norouzi, G. Hinton, *A simple framework for contrastive learning of visual representations*, arXiv:2002.05709, 2020. Y. Li, N. Wang, J. Shi, J. Liu, X. Hou, *Revisiting batch normalization for practical domain adaptation*, arXiv:1603.04779, 2016 (18.8). M. Noroozi, P. Favaro, *Unsupervised learning of visual representations by solving jigsaw puzzles*, ECCV 2016 (Document 4, 7.1, names other authors).
