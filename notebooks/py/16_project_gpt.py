# ---
# jupyter:
#   course:
#     datasets: [tiny_shakespeare, gpt2_bpe]
#     covers: "A GPT from 11's block: counting as baseline, held-back text that leaks, next characters as batches, training, one number that can be defended; runs that are killed, streams of documents, RMSNorm and SwiGLU."
#     prerequisites: [recurrent_networks, embeddings_and_attention, training_deep_networks, project_mnist]
#     ledger: [D5-2.3-a]
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
# # Project: a GPT that writes
#
# A program reads a million characters of Shakespeare. All it ever does is guess the next character. Which number tells how well it guesses, and for which texts does that number speak?
#
# At the end you have built a GPT from notebook [[embeddings_and_attention]]'s block, trained it, and defended one number. Notebook [[generating_text]] then makes it write well, and fast.
#
# **You will be able to**
#
# - read a model's loss in nats, bits and perplexity, against a model that only counts;
# - hold back text that really judges, and find a way of holding back that leaks;
# - cut a text into batches, assemble a GPT, and train it on next characters;
# - give one number for a model's quality, with its interval and the texts for which it speaks.

# %% tags=["setup"]
import json
import math
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np

from course_utils import (
    by_profile, check, claim, data, devices, full_results, plotting, profile, solved,
)
from course_utils.lessons import attention as by_hand
from course_utils.lessons.tokens import gpt2_encoder

plotting.use_style()

# %% tags=["plumbing"]
#@title Plumbing: TensorFlow, started quietly, or JAX where KERAS_BACKEND=jax is set
if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
    devices.setup(seed=0).get_logger().setLevel("ERROR")  # or it remarks on each shape
    GPU = bool(devices.gpu_names())
else:
    import jax

    GPU = jax.default_backend() == "gpu"
    print("JAX on", jax.default_backend())
# what the full profile trains on two cores, or on a GPU
FULL = dict(sizes=dict(context=128, depth=3, width=160, heads=5, dropout=0.1),
            run=(5_000, 16))
if GPU:
    FULL = dict(sizes=dict(context=256, depth=6, width=384, heads=6, dropout=0.2),
                run=(5_000, 64))

# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: Keras, of which layers and operations run on either
import keras
from keras import layers, ops

# %% [markdown]
# ## 16.1 What does one character cost?
#
# Two questions first.
#
# <details><summary>A causal mask, five tokens: at which tokens may the third one look, and why must training have it?</summary>
#
# At the first three. Without the mask the third would see the fourth, which it is to guess (notebook [[embeddings_and_attention]]).
# </details>
#
# <details><summary>Training loss falls, validation loss rises. What is it called, and which text decides when to stop?</summary>
#
# Overfitting; the validation text, never the test text (notebook [[training_deep_networks]]).
# </details>
#
# GPT means *Generative Pre-trained Transformer* (生成式预训练变换器): blocks of attention that learn to guess the next token of a text, and write by guessing again and again. (A widely copied text, Document 5, 2.3, says that "semantic understanding" is trained as well. Only guessing is.)

# %%
book = data.tiny_shakespeare()
text = book.text
REAL = book.source == "real"
print(f"{book.source} text: {len(text):,} characters, {len(set(text))} different ones")
print(text[:136])

# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: a tokenizer of single characters
class Characters:
    """Text -> token numbers -> text: the characters of a text, then special marks.

    size: how many tokens there are. special: mark -> its number.
    """

    def __init__(self, text: str, special: tuple[str, ...] = ()) -> None:
        characters = sorted(set(text))
        self.tokens = [*characters, *special]
        self.size = len(self.tokens)
        self.number = {token: i for i, token in enumerate(characters)}
        self.special = {mark: len(characters) + i for i, mark in enumerate(special)}

    def encode(self, text: str) -> np.ndarray:
        """-> (n,) int32. KeyError for a character that it has never seen."""
        return np.array([self.number[c] for c in text], np.int32)

    def decode(self, ids: np.ndarray) -> str:
        return "".join(self.tokens[i] for i in ids)


# %%
tokens = Characters(text)
ids = tokens.encode(text)  # (n,)
V = tokens.size
print(text[:8], "->", *ids[:8], "->", tokens.decode(ids[:8]))

# %% [markdown]
# A model gives each possible next character a probability $p$. The one that comes costs $-\log p$: nothing if the model was sure. The mean over a text is the loss in *nats*; with the logarithm to base 2 it is
# *bits per character* (每字符比特数); $e^{\text{nats}}$ is the *perplexity* (困惑度): among how many equally likely characters it seems to choose.
#
# ### Exercise 16.1 · one loss, three names (5 min)
# With a pencil: a model gave the three characters that came 1/2, 1/4 and 1/8. They cost 1, 2 and 3 bits, on average 2. The perplexity is $2^2 = 4$.

# %% tags=["exercise"]
def price(p):
    """What a text costs: (nats, bits, perplexity), each per character.

    p: (n,) the probability that the model gave to each character that came
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("16.1", "one loss, three names"):
    for p_t, nats_t in (([0.5, 0.25, 0.125], 2 * np.log(2)), ([1.0, 1.0], 0.0),
                        ([0.1], np.log(10)), ([1e-200, 1e-200], 200 * np.log(10))):
        got_t = price(np.array(p_t))
        np.testing.assert_allclose(got_t[0], nats_t, atol=1e-9, err_msg="nats")
        np.testing.assert_allclose(2.0 ** got_t[1], np.exp(nats_t), err_msg="bits")
        np.testing.assert_allclose(got_t[2], np.exp(nats_t), err_msg="perplexity")

# %% [markdown]
# <details><summary>Hint</summary>
#
# One bit is $\log 2 \approx 0.693$ nats.
# </details>

# %% tags=["solution"]
#@title Solution 16.1 · runs only while yours does not pass
if not solved("16.1"):
    def price(p):
        nats = -np.log(p).mean()
        return nats, nats / np.log(2), np.exp(nats)

# %%
frequency = np.bincount(ids, minlength=V) / len(ids)  # (V,)
alike = np.full(len(ids), 1 / V)
for name, p in (("all alike", alike), ("by frequency", frequency[ids])):
    print("{}: {:.2f} nats = {:.2f} bits, perplexity {:.1f}".format(name, *price(p)))

# %% [markdown]
# ## 16.2 How far does counting get?
#
# The last tenth of the text is the test, and stays shut until 16.6. From the other nine tenths you learn, and hold a part back as validation text. A way of holding back that is quickly written: cut windows out of the text, one at every third place, shuffle them, and keep a tenth for validation.

# %%
cut = len(ids) * 9 // 10


def shuffled_windows(ids, T, rng):
    """Where windows of T characters begin: (to learn from, held back)"""
    starts = rng.permutation(np.arange(0, len(ids) - T, 3))
    tenth = len(starts) // 10
    return starts[tenth:], starts[:tenth]


learned, held = shuffled_windows(ids[:cut], 64, np.random.default_rng(0))
print(f"{len(learned):,} windows to learn from, {len(held):,} held back")

# %% [markdown]
# The model to beat only counts. Notebook [[recurrent_networks]] (10.10) counted what follows each $n$ characters, and mixed in the counts for shorter contexts, so many times $s$:
#
# $$p_n = \frac{\text{times seen} + s\, p_{n-1}}{\text{times its context was seen} + s}.$$
#
# Both $n$ and $s$ are to be chosen on the text held back.

# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: a model that counts, as in notebook 10
class Counts:
    """How often each character followed each context of up to `longest` characters."""

    def __init__(self, ids: np.ndarray, longest: int, V: int) -> None:
        if V ** (longest + 1) > 2**63:
            raise ValueError(f"contexts of {longest} of {V} tokens do not fit 64 bits")
        self.longest, self.V, self.total = longest, V, len(ids)
        self.tables = [np.unique(self.codes(ids, n + 1), return_counts=True)
                       for n in range(longest + 1)]

    def codes(self, ids: np.ndarray, n: int) -> np.ndarray:
        """One number for each n characters in a row: (len(ids) - n + 1,)"""
        code = np.zeros(len(ids) - n + 1, np.int64)
        for j in range(n):
            code = code * self.V + ids[j : len(code) + j]
        return code

    def seen(self, codes: np.ndarray, n: int) -> np.ndarray:
        """How often the n characters with these codes occurred, any shape."""
        keys, times = self.tables[n - 1]
        i = np.minimum(np.searchsorted(keys, codes), len(keys) - 1)
        return np.where(keys[i] == codes, times[i], 0)

    def probabilities(self, ids: np.ndarray, n: int, s: float = 5.0) -> np.ndarray:
        """Of each character but the first `longest`, given the n before it; s as in the
        formula of 16.2."""
        p = np.full(len(ids) - self.longest, 1 / self.V)
        for m in range(n + 1):
            whole = self.codes(ids, m + 1)[-len(p):]
            context = whole // self.V
            before = self.seen(context, m) if m else self.total
            p = (self.seen(whole, m + 1) + s * p) / (before + s)
        return p


# %% [markdown]
# **Predict.** Which is best on the windows held back? (a) $n = 8$, $s = 1$: long contexts, trusted at once · (b) $n = 4$, $s = 5$ · (c) $n = 8$, $s = 30$: long contexts, seldom trusted

# %% tags=["plumbing"]
#@title Plumbing: count the windows to learn from, and price those held back
inside = np.zeros(cut, bool)  # of each place: does it stand in a window to learn from?
for j in range(64):
    inside[learned + j] = True
counts = Counts(ids[:cut][inside], 8, V)
windows = [ids[start : start + 64] for start in held[:1000]]
TRUST = (1, 5, 30)  # s
by_windows = {s: [price(np.concatenate([counts.probabilities(w, n, s)
                                        for w in windows]))[0] for n in range(9)]
              for s in TRUST}

# %%
for s, nats in by_windows.items():
    print(f"s = {s:>2}, n = 0 to 8:", *[f"{x:.2f}" for x in nats])

# %% [markdown]
# (a), by far, on the real text: less than half a nat, for a program that only counts.
#
# That is too good. Spot the bug in `shuffled_windows` before you go on: which of the characters held back stand in a window to learn from, too?

# %%
places = held[:, None] + np.arange(64)  # (windows, 64)
print(f"{np.mean(inside[places]):.1%} of the characters in windows held back")

# %% [markdown]
# All of them. The next window holds the same characters, but for three, and nine of ten of these neighbors are to learn from. So nothing was held back. Cut the *text* first: whole blocks stay out.
#
# ### Exercise 16.2 · blocks that stay out (7 min)
# Cut the text into blocks of `size` characters in a row; the last may be shorter. Hold back blocks number 10, 30, 50, … (the first is number 0). With a pencil: 100 characters and `size` 4 make blocks 0 to 24. Held back is block 10 alone: the characters at places 40 to 43.

# %% tags=["exercise"]
def hold_back(ids, size):
    """A text (n,) -> (to learn from, held back): every twentieth block stays out."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("16.2", "blocks that stay out"):
    for n_t, size_t, held_t in (
            (100, 4, [*range(40, 44)]), (33, 1, [10, 30]),
            (100, 3, [*range(30, 33), *range(90, 93)]),
            (93, 3, [*range(30, 33), *range(90, 93)]),
            (92, 3, [30, 31, 32, 90, 91]), (41, 4, [40]),
            (75, 1, [10, 30, 50, 70])):
        text_t = np.arange(n_t, dtype=np.int32) % 91 + 7  # not each number is its place
        stays_t = np.isin(np.arange(n_t), held_t)
        parts_t = hold_back(text_t.copy(), size_t)
        assert len(parts_t) == 2, "two texts: to learn from, held back"
        for part_t, want_t, name_t in ((parts_t[1], text_t[stays_t], "held back"),
                                       (parts_t[0], text_t[~stays_t], "to learn from")):
            np.testing.assert_array_equal(
                np.ravel(part_t), want_t, f"{name_t}: {n_t} characters, size {size_t}")
            assert np.shape(part_t) == want_t.shape, f"{name_t}: one text, not blocks"

# %% [markdown]
# <details><summary>Hint</summary>
#
# The number of a character's block is `np.arange(len(ids)) // size`. A boolean array picks characters: `ids[mask]` and `ids[~mask]`.
# </details>

# %% tags=["solution", "keep"] lesson="gpt"
#@title Solution 16.2 · runs only while yours does not pass
if not solved("16.2"):
    def hold_back(ids: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        """A text (n,) -> (to learn from, held back: every twentieth block)."""
        stays_out = np.arange(len(ids)) // size % 20 == 10
        return ids[~stays_out], ids[stays_out]

# %% [markdown]
# The tables again, on blocks that they never counted:

# %% tags=["evidence"]
#@title Evidence: the best table on blocks that stay out, and what the leak chose
BLOCK = 4_000 if REAL else 500
train_ids, val_ids = map(np.asarray, hold_back(ids[:cut], BLOCK))
counts = Counts(train_ids, 8, V)
by_blocks = {s: [price(counts.probabilities(val_ids, n, s))[0] for n in range(9)]
             for s in TRUST}
table, best, trust = min((nats[n], n, s) for s, nats in by_blocks.items()
                         for n in range(9))
stored = sum(len(keys) for keys, _ in counts.tables[: best + 1])
print(f"best: n = {best}, s = {trust}, {table:.2f} nats from {stored:,} counts; "
      f"what the leak chose: {by_blocks[1][8]:.2f}")

# %% tags=["figure"]
#@title Figure: A leak rewards learning by heart
fig, axes = plt.subplots(1, 2, figsize=(7, 2.8), sharey=True)
for ax, name, found in ((axes[0], "shuffled windows", by_windows),
                        (axes[1], "blocks that stay out", by_blocks)):
    for (s, nats), style in zip(found.items(), ("-", "--", ":")):
        ax.plot(range(9), nats, style, marker="o", ms=3, label=f"s = {s}")
    ax.set(title=name, xlabel="characters of context, n", ylim=(0, None))
axes[0].set(ylabel="nats per character")
axes[0].legend()
fig.suptitle("A leak rewards learning by heart", fontweight="bold")
plt.show()

# %% [markdown]
# On text that is new, what the leak chose is worse than two characters of context. A table that trusts long contexts seldom is the model to beat; it knows nothing but letters in a row.

# %% [markdown]
# ## 16.3 How does a text become a batch?
#
# **Predict.** A batch has 32 windows of 64 characters. From how many guesses does the model learn at once: 32, 64 or 2,048?
#
# <details><summary>The answer</summary>
#
# 2,048: it predicts a next character at *each* place, because the mask lets no place look ahead.
# </details>
#
# The targets are the same window, moved by one.
#
# ### Exercise 16.3 · a batch (8 min)
# Draw $B$ starts by chance, each possible one equally likely. Return inputs and targets.

# %% tags=["exercise"]
def batch(ids, B, T, rng):
    """B windows of a text: inputs (B, T) and targets (B, T), the character after each.

    ids: (n,) int. rng: a NumPy generator. The last target is the text's last.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("16.3", "a batch"):
    text_t = np.arange(100, 110)  # each number tells its place
    firsts_t = []
    for seed_t in range(400):
        x_t, y_t = batch(text_t.copy(), 4, 7, np.random.default_rng(seed_t))
        x_t, y_t = np.asarray(x_t), np.asarray(y_t)
        assert x_t.shape == y_t.shape == (4, 7), f"shapes {x_t.shape}, {y_t.shape}"
        np.testing.assert_array_equal(y_t, x_t + 1, "a target is the next character")
        np.testing.assert_array_equal(np.diff(x_t), 1, "a window is one piece")
        firsts_t.append(x_t[:, 0] - 100)
    assert set(np.ravel(firsts_t)) == {0, 1, 2}, "each start that fits, and no other"
    share_t = np.bincount(np.ravel(firsts_t)) / 1600
    assert abs(share_t - 1 / 3).max() < 0.06, "not equally likely"
    assert np.ptp(firsts_t, axis=1).max() > 0, "all rows of a batch begin alike"
    a_t, b_t = (batch(text_t.copy(), 5, 4, np.random.default_rng(1))[0] for _ in "ab")
    np.testing.assert_array_equal(a_t, b_t, "the same rng must give the same batch")

# %% [markdown]
# <details><summary>Hint</summary>
#
# A window needs $T + 1$ characters. `ids[starts[:, None] + np.arange(T + 1)]` cuts all of them: (B, T + 1).
# </details>

# %% tags=["solution", "keep"] lesson="gpt"
#@title Solution 16.3 · runs only while yours does not pass
if not solved("16.3"):
    def batch(ids: np.ndarray, B: int, T: int,
              rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """B windows of a text (n,): inputs and targets, both (B, T)."""
        starts = rng.integers(0, len(ids) - T, B)
        windows = ids[starts[:, None] + np.arange(T + 1)]  # (B, T + 1)
        return windows[:, :-1], windows[:, 1:]

# %%
x, y = batch(train_ids, 2, 24, np.random.default_rng(2))
print("reads   ", repr(tokens.decode(x[0])))
print("guesses ", repr(tokens.decode(y[0])))

# %% [markdown]
# The first place guesses from one character, the last from all.

# %% [markdown]
# ## 16.4 How does one block become a GPT?
#
# Attention as in notebook [[embeddings_and_attention]], in Keras' operations, which run on TensorFlow and on JAX. Each query brings the number of its place. Here these are $0, 1, …, T - 1$; in notebook [[generating_text]] one query will come alone.

# %% tags=["keep"] lesson="gpt"
def attend(q, k, v, places):
    """Causal attention: the query at place t looks at the keys 0 … t.

    q: (B, h, S, d_head), k, v: (B, h, T, d_head), places: (S,) int -> (B, h, S, d_head)
    """
    scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2)))  # (B, h, S, T)
    allowed = ops.arange(k.shape[2]) <= ops.expand_dims(places, 1)  # (S, T)
    scores = ops.where(allowed, scores * q.shape[-1] ** -0.5, -1e9)
    return ops.matmul(ops.softmax(scores), v)


# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: how weights begin, and a dropout that can be saved; attention, 64 queries at a time
def normal(spread: float) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=spread)


class Dropout(layers.Dropout):
    """It saves where its random numbers stand, which Keras' own does not (16.7)."""

    def save_own_variables(self, store: dict) -> None:
        if self.rate > 0:
            store["state"] = self.seed_generator.state

    def load_own_variables(self, store: dict) -> None:
        if self.rate > 0:
            self.seed_generator.state.assign(store["state"])

def attend_groups(q, k, v, places):
    """For heads that share keys: q (B, h, S, d_head), k, v (B, g, T, d_head)."""
    (h, S, d), g = q.shape[1:], k.shape[1]
    rows = ops.reshape(q, (-1, g, h // g * S, d))  # one group's, stacked
    return ops.reshape(attend(rows, k, v, ops.tile(places, h // g)), (-1, h, S, d))


def attend_all(q, k, v):
    """The same for a whole window, 64 queries at a time, each with the keys up to its
    own: much of what the mask throws away is not even computed."""
    parts = []
    for start in range(0, q.shape[2], 64):
        end = min(start + 64, q.shape[2])
        parts.append(attend_groups(q[:, :, start:end], k[:, :, :end], v[:, :, :end],
                                   ops.arange(start, end)))
    return ops.concatenate(parts, axis=2)


# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: attention of several heads, as a Keras layer
class Attention(layers.Layer):
    """Causal self-attention: (B, S, width) -> the same shape.

    `groups` pairs of keys and values serve `heads` queries (here as many: multi-head).
    """

    def __init__(self, width: int, heads: int, groups: int, bias: bool, dropout: float,
                 spreads: tuple[float, float]) -> None:
        super().__init__()
        self.h, self.g, self.d = heads, groups, width // heads
        self.into = layers.Dense((heads + 2 * groups) * self.d, use_bias=bias,
                                 kernel_initializer=normal(spreads[0]))  # Q, K, V
        self.out = layers.Dense(width, use_bias=bias,
                                kernel_initializer=normal(spreads[1]))
        self.drop = Dropout(dropout)

    def split(self, x, heads):
        """(B, S, heads · d_head) -> (B, heads, S, d_head)"""
        x = ops.reshape(x, (-1, x.shape[1], heads, self.d))
        return ops.transpose(x, (0, 2, 1, 3))

    def project(self, x):
        """(B, S, width) -> Q (B, h, S, d_head), K and V (B, g, S, d_head)"""
        h, g, d = self.h, self.g, self.d
        q, k, v = ops.split(self.into(x), [h * d, (h + g) * d], axis=-1)
        return self.split(q, h), self.split(k, g), self.split(v, g)

    def join(self, y):
        """What the heads found, (B, h, S, d_head) -> (B, S, width)"""
        y = ops.transpose(y, (0, 2, 1, 3))  # (B, S, h, d_head)
        return self.drop(self.out(ops.reshape(y, (-1, y.shape[1], self.h * self.d))))

    def call(self, x):
        return self.join(attend_all(*self.project(x)))


# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: the block of notebook 11, as a Keras layer
class Block(layers.Layer):
    """Norm, attention, add; norm, feed-forward, add. (B, S, width) -> the same shape.

    norm: "layer" or "rms". activation: "gelu" (GPT-2's), "relu", or "swiglu", which has
    a second matrix for a gate.
    """

    def __init__(self, width: int, heads: int, groups: int, hidden: int, norm: str,
                 activation: str, bias: bool, dropout: float,
                 spreads: tuple[float, float]) -> None:
        super().__init__()
        self.norm1, self.norm2 = new_norm(norm), new_norm(norm)
        self.attention = Attention(width, heads, groups, bias, dropout, spreads)
        self.activation = activation
        self.up = layers.Dense(hidden * (1 + (activation == "swiglu")), use_bias=bias,
                               kernel_initializer=normal(spreads[0]))
        self.down = layers.Dense(width, use_bias=bias,
                                 kernel_initializer=normal(spreads[1]))
        self.drop = Dropout(dropout)

    def feed_forward(self, x):
        y = self.up(x)  # (B, S, hidden), for swiglu twice as wide
        if self.activation == "swiglu":
            y, gate = ops.split(y, 2, axis=-1)
            y = y * ops.silu(gate)
        else:
            y = ops.relu(y) if self.activation == "relu" else ops.gelu(y)
        return self.drop(self.down(y))

    def call(self, x, training=None):
        x = x + self.attention(self.norm1(x))
        return x + self.feed_forward(self.norm2(x))


def new_norm(kind: str) -> layers.Layer:
    if kind == "rms":
        return layers.RMSNormalization(epsilon=1e-6)
    return layers.LayerNormalization(epsilon=1e-5)


# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: the parts of a GPT; how they are joined, `all_logits`, is yours
def told(model: keras.Model, training: bool | None) -> SimpleNamespace:
    """fit() says it only to a `call` that names it, and on JAX to no layer inside."""
    def tell(part: layers.Layer) -> Callable:
        return partial(part, training=training)

    blocks = [tell(block) for block in model.blocks]
    return SimpleNamespace(tokens=model.tokens, places=model.places, norm=model.norm,
                           drop=tell(model.drop), blocks=blocks)

@keras.saving.register_keras_serializable(package="course")
class GPT(keras.Model):
    """Token numbers (B, S) -> logits (B, S, vocabulary). Shaped like GPT-2 unless told.

    groups: pairs of keys and values (None: a pair a head). spread: of new weights."""

    def __init__(self, vocabulary: int, context: int, depth: int, width: int,
                 heads: int, groups: int | None = None, hidden: int | None = None,
                 norm: str = "layer", activation: str = "gelu", bias: bool = True,
                 dropout: float = 0.0, spread: float | None = None, **options) -> None:
        super().__init__(**options)
        spread = 0.7 * width**-0.5 if spread is None else spread
        groups, hidden = groups or heads, hidden or 4 * width
        self.sizes: dict = dict(
            vocabulary=vocabulary, context=context, depth=depth, width=width,
            heads=heads, groups=groups, hidden=hidden, norm=norm, activation=activation,
            bias=bias, dropout=dropout, spread=spread)
        self.tokens = layers.Embedding(vocabulary, width, normal(spread))
        self.places = layers.Embedding(context, width, normal(spread))
        self.drop = Dropout(dropout)
        parts = (width, heads, groups, hidden, norm, activation, bias, dropout,
                 (spread, spread * (2 * depth) ** -0.5))  # the second: of what is added
        self.blocks = [Block(*parts) for _ in range(depth)]
        self.norm = new_norm(norm)

    def call(self, ids, training=None):
        return all_logits(told(self, training), ids)  # yours, below

    def get_config(self) -> dict:
        return {**super().get_config(), **self.sizes}


# %% tags=["plumbing"]
#@title Plumbing: a toy with a pencil's numbers in place of a GPT's parts
class Rows:
    """Like an Embedding: number -> row of a table."""

    def __init__(self, table):
        self.embeddings = ops.convert_to_tensor(np.array(table, np.float32))

    def __call__(self, numbers):
        return ops.take(self.embeddings, ops.cast(numbers, "int32"), axis=0)


def as_compiled(function, *inputs) -> np.ndarray:
    """function(*inputs) as `fit` will run it: compiled, inputs known late."""
    if keras.backend.backend() == "jax":
        import jax

        fast = jax.jit(function)
    else:
        import tensorflow as tf

        xla = platform.system() == "Linux"
        fast = tf.function(function, autograph=False, jit_compile=xla)
        inputs = [tf.constant(x) for x in inputs]
    try:
        return ops.convert_to_numpy(fast(*inputs))
    except Exception as error:
        short = str(error).strip().splitlines()[0][:90]
        raise AssertionError(f"right, but it can't be compiled: {short}") from None


class Toy:
    """Blocks that double and add 1, a norm that halves, a dropout that takes tens."""

    def __init__(self, tokens, places):
        self.tokens, self.places = Rows(tokens), Rows(places)
        self.blocks = [lambda x: 2 * x, lambda x: x + 1]
        self.norm, self.drop = lambda x: x / 2, lambda x: x * 10


# %% [markdown]
# The folded cells above make Keras layers of that notebook's block. A GPT has these parts:
#
# | part | gives |
# |---|---|
# | `model.tokens(ids)` | the row of each token, (B, S, width) |
# | `model.places(numbers)` | the row of each place: numbers (S,) → (S, width) |
# | `model.drop(x)` | some entries of the sum of the two set to 0, in training only |
# | `block(x)`, for each of `model.blocks` | (B, S, width) |
# | `model.norm(x)`, once, after the blocks | (B, S, width) |
#
# A logit says how well a vector fits a token: the scalar product with that token's row. So the table of rows, `model.tokens.embeddings` (V, width), is used once more at the end (*tied* weights, 权重共享).
#
# ### Exercise 16.4 · join the parts (10 min)
# `ops.arange`, `ops.matmul` and `ops.transpose` are NumPy's by name. Use `ops` alone, and `ids.shape`: Keras will compile the function.

# %% tags=["exercise"]
def all_logits(model, ids):
    """Token numbers (B, S), S up to the context -> logits (B, S, vocabulary)."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("16.4", "join the parts"):
    toy_t = Toy(tokens=[[1, 0], [0, 1], [3, 1]], places=[[0, 0], [5, 0], [0, 7]])
    got_t = np.asarray(all_logits(toy_t, np.array([[2, 0]])))  # token 2, then token 0
    assert got_t.shape == (1, 2, 3), f"shape {got_t.shape}, not (1, 2, 3)"
    # token 2: (3, 1) + (0, 0), times 10, doubled, plus 1, halved: (30.5, 10.5)
    np.testing.assert_allclose(got_t[0, 0], [30.5, 10.5, 102.0], 
                               err_msg="first place: rows of both, drop, blocks, norm")
    # token 0: (1, 0) + (5, 0), times 10, …: (60.5, 0.5)
    np.testing.assert_allclose(got_t[0, 1], [60.5, 0.5, 182.0], err_msg="second place")
    rows_t = np.asarray(all_logits(toy_t, np.array([[2, 0, 1], [1, 1, 2]])))
    np.testing.assert_allclose(rows_t[0, :2], got_t[0], err_msg="a batch of two")
    np.testing.assert_allclose(rows_t[1, 2], [30.5, 80.5, 172.0], err_msg="third place")
    fast_t = as_compiled(lambda ids: all_logits(toy_t, ids), np.array([[2, 0]]))
    np.testing.assert_allclose(fast_t, got_t, err_msg="compiled")

# %% [markdown]
# <details><summary>Hint</summary>
#
# The places are `ops.arange(ids.shape[1])`; their rows are added to every row of the batch. $X E^\top$ has shape (B, S, V).
# </details>

# %% tags=["solution", "keep"] lesson="gpt"
#@title Solution 16.4 · runs only while yours does not pass
if not solved("16.4"):
    def all_logits(model: keras.Model, ids):
        """Token numbers (B, S), S up to the context -> logits (B, S, vocabulary)."""
        x = model.tokens(ids) + model.places(ops.arange(ids.shape[1]))  # (B, S, width)
        x = model.drop(x)
        for block in model.blocks:
            x = block(x)
        return ops.matmul(model.norm(x), ops.transpose(model.tokens.embeddings))

# %% [markdown]
# **Predict.** A new model knows nothing. What does it pay per character, in nats: 0, 2, 4 or 8?

# %%
SIZES = by_profile(
    quick=dict(context=32, depth=1, width=32, heads=2),
    standard=dict(context=64, depth=2, width=96, heads=3),
    full=FULL["sizes"])
keras.utils.set_random_seed(0)
gpt = GPT(V, **SIZES)
T = SIZES["context"]
x, y = batch(val_ids, 32, T, np.random.default_rng(0))
p = ops.convert_to_numpy(ops.softmax(gpt(x)))  # (32, T, V)
print(f"{gpt.count_params():,} parameters")
came = np.take_along_axis(p, y[:, :, None], axis=2).ravel()  # (32 T,)
print(f"{price(came)[0]:.2f} nats at the start")

# %% [markdown]
# A little more than $\log 65 \approx 4.2$, the price if all characters were alike: by chance it has favorites already.

# %% tags=["evidence"]
#@title Evidence: the logits equal those of notebook 11's NumPy block, and no place looks ahead
small = GPT(11, context=6, depth=2, width=8, heads=2, activation="relu")
small_ids = np.random.default_rng(0).integers(0, 11, (3, 6))
small(small_ids)  # the first call makes the weights; now none of them stays 0 or 1
small.set_weights([np.random.default_rng(i).normal(0, 0.5, w.shape)
                   for i, w in enumerate(small.get_weights())])


def numpy_logits(model: GPT, ids: np.ndarray) -> np.ndarray:
    """The same with 11's functions. ids (B, T) -> (B, T, vocabulary)"""
    value = lambda w: np.asarray(ops.convert_to_numpy(w), float)
    X = value(model.tokens.embeddings)[ids]
    X = X + value(model.places.embeddings)[: ids.shape[1]]
    for b in model.blocks:
        p = {"gamma1": b.norm1.gamma, "beta1": b.norm1.beta, "gamma2": b.norm2.gamma,
             "beta2": b.norm2.beta, "W1": b.up.kernel, "b1": b.up.bias,
             "W2": b.down.kernel, "b2": b.down.bias, "WO": b.attention.out.kernel,
             "bO": b.attention.out.bias}
        p = {name: value(w) for name, w in p.items()}
        into = b.attention.into
        for name, W, bias in zip("QKV", np.split(value(into.kernel), 3, axis=1),
                                 np.split(value(into.bias), 3)):
            p |= {"W" + name: W, "b" + name: bias}
        X, _ = by_hand.block(X, p, 2, by_hand.causal_mask(ids.shape[1]))
    normed, _ = by_hand.layer_norm(X, value(model.norm.gamma), value(model.norm.beta))
    return normed @ value(model.tokens.embeddings).T


small_logits = ops.convert_to_numpy(small(small_ids))
claim("largest difference from notebook 11's block, in logits of size "
      f"{np.abs(small_logits).max():.0f}",
      np.abs(small_logits - numpy_logits(small, small_ids)).max(), at_most=1e-4)
changed_ids = small_ids.copy()
changed_ids[:, 4] = (changed_ids[:, 4] + 1) % 11
change = np.abs(ops.convert_to_numpy(small(changed_ids)) - small_logits)
change = change.max(axis=(0, 2))  # per place
print("token 4 changed; the logits of places 0 to 5 change by", change.round(3))
claim("change of a logit before that place", change[:4].max(), at_most=0)

# %% [markdown]
# ## 16.5 What do two minutes of training buy?
#
# Training is notebook [[training_deep_networks]]'s: AdamW, a rate that rises and falls as a cosine, gradients clipped. The folded cells hold the optimizer, a `fit` that saves, and what judges a text. Keras' loss expects probabilities unless it is told that it gets logits: `from_logits=True`.

# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: the optimizer and the loss; a model saved after each epoch
def prepare(model: keras.Model, steps: int, peak: float | None = None) -> None:
    """Compile the model for so many steps; the rate rises to its peak, falls to 0."""
    peak = peak or 0.4 / model.sizes["width"]  # 0.003 for a width of 128
    warm = max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        peak / 20, max(1, steps - warm), warmup_target=peak, warmup_steps=warm)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.1, beta_2=0.99,
                                       global_clipnorm=1.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    few = profile() == "quick" and keras.backend.backend() == "tensorflow"
    model.compile(optimizer, loss, run_eagerly=few)  # too few steps to compile for

class Saving(keras.callbacks.Callback):
    """After each epoch the whole model goes to a file, first under another name: a kill
    never leaves half a file."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        half_written = self.file.with_suffix(".new.keras")
        self.model.save(half_written)
        os.replace(half_written, self.file)


# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: train_on_text(model, …) with fit, and go on where a killed run stopped
def stream(ids: np.ndarray, B: int, T: int, start: int = 0,
           seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches start, start + 1, … of one endless list, the same at each call."""
    for i in range(start, 2**31):
        yield batch(ids, B, T, np.random.default_rng([seed, i]))


def train_on_text(model: keras.Model, ids: np.ndarray, steps: int, B: int, *,
                  peak: float | None = None, epochs: int = 10, seed: int = 0,
                  file: Path | None = None, callbacks: tuple | list = ()) -> None:
    """fit() the model on batches of a text (n,), in so many epochs.

    file: a .keras file that holds, after each epoch, all that a killed run needs; if it
    is there already, the run goes on from it.
    """
    each, done = steps // epochs, 0
    T = model.sizes["context"]
    prepare(model, steps, peak)
    if file and file.exists():
        kept = keras.models.load_model(file)
        model(ids[None, :T])  # makes the weights
        model.optimizer.build(model.trainable_variables)
        for own, saved in zip([*model.variables, *model.optimizer.variables],
                              [*kept.variables, *kept.optimizer.variables]):
            own.assign(saved)
        done = int(model.optimizer.iterations) // each

    saving = [Saving(file)] if file else []
    if done < epochs:
        model.fit(stream(ids, B, T, done * each, seed), steps_per_epoch=each,
                  epochs=epochs, initial_epoch=done, verbose=0, shuffle=False,
                  callbacks=[*callbacks, *saving])


# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: a function as one compiled program
def compiled(function: Callable, model: keras.Model) -> Callable:
    """A function of arrays as one compiled program, on TensorFlow or JAX.

    It reads the model's weights anew in each call. Each new shape is compiled anew.
    """
    if not model.built:
        model(np.zeros((1, 2), np.int32))  # makes the weights, outside of the program
    if keras.backend.backend() == "jax":
        import jax

        def pure(values, *inputs):
            state = list(zip(model.variables, values))
            with keras.StatelessScope(state_mapping=state):
                return function(*inputs)

        fast = jax.jit(pure)
        return lambda *inputs: fast([v.value for v in model.variables], *inputs)
    import tensorflow as tf

    # XLA makes it fast; not every system has it, and it compiles for seconds
    xla = platform.system() == "Linux" and profile() != "quick"
    return tf.function(function, autograph=False, jit_compile=xla)


# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: what each character of a text costs
def scorer(model: keras.Model, rows: int = 16) -> Callable[[np.ndarray], np.ndarray]:
    """A function: text (n,) -> -log p of each character after the first half context.

    Windows overlap by half, so each character is guessed from at least half a context.
    """
    T = model.sizes["context"]
    half = T // 2
    if T % 2:
        raise ValueError(f"an even context, please, not {T}")

    def costs(x, y):
        log_p = ops.log_softmax(model(x, training=False)[:, half:])  # (rows, half, V)
        return -ops.take_along_axis(log_p, ops.expand_dims(y[:, half:], 2), axis=2)

    fast = compiled(costs, model)

    def score(ids: np.ndarray) -> np.ndarray:
        m = -(-max(1, len(ids) - 1 - half) // half)  # windows
        m += -m % rows
        padded = np.zeros(half * (m + 1) + 1, np.int32)
        padded[: len(ids)] = ids
        windows = padded[half * np.arange(m)[:, None] + np.arange(T + 1)]  # (m, T + 1)
        parts = [ops.convert_to_numpy(fast(w[:, :-1], w[:, 1:]))
                 for w in np.split(windows, m // rows)]
        return np.concatenate(parts).ravel()[: max(0, len(ids) - 1 - half)]

    return score


# %% tags=["plumbing", "keep"] lesson="gpt"
#@title Plumbing: the logits of the next token
def next_logits_of(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """A function: token numbers (B, S) -> logits (B, V) of what comes next.

    It fills the window with zeros on the right, where no token looks, and reads the
    last T tokens of a longer text.
    """
    T = model.sizes["context"]
    fast = compiled(
        lambda ids, last: ops.take(model(ids, training=False), last, axis=1), model)

    def next_logits(ids: np.ndarray) -> np.ndarray:
        ids = ids[:, -T:]
        window = np.zeros((len(ids), T), np.int32)
        window[:, : ids.shape[1]] = ids
        last = ops.convert_to_tensor(ids.shape[1] - 1, "int32")
        return ops.convert_to_numpy(fast(window, last))

    return next_logits


# %% tags=["plumbing"]
#@title Plumbing: watch a training run: curves, and what the model writes meanwhile
class Watch(keras.callbacks.Callback):
    """After each epoch: the loss of two texts, a point in the curves, a line of text.

    seen: epoch -> loss, val_loss, text, seconds. notes: a file that keeps them.
    """

    def __init__(self, model: GPT, train: np.ndarray, val: np.ndarray, epochs: int,
                 prompt: str, notes: Path | None = None) -> None:
        super().__init__()
        self.score, self.next_logits = scorer(model), next_logits_of(model)
        self.texts = {"loss": train, "val_loss": val}
        self.prompt, self.notes = prompt, notes
        self.curves = plotting.LiveCurves(epochs, title="Training", keep=False)
        kept = json.loads(notes.read_text()) if notes and notes.exists() else {}
        self.seen = {int(epoch): facts for epoch, facts in kept.items()}

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        seconds = time.perf_counter() - self.start
        values = {key: float(self.score(ids).mean()) for key, ids in self.texts.items()}
        self.curves.update(epoch + 1, values)
        row, rng = tokens.encode(self.prompt)[None], np.random.default_rng(1)  # (1, S)
        for _ in range(50):
            logits = self.next_logits(row)[0].astype(float)
            p = np.exp(logits - logits.max())
            row = np.append(row, [[rng.choice(V, p=p / p.sum())]], axis=1)
        self.seen[epoch + 1] = {**values, "text": tokens.decode(row[0]),
                                 "seconds": seconds}
        if self.notes:
            half_written = self.notes.with_suffix(".new.json")
            half_written.write_text(json.dumps(self.seen))
            os.replace(half_written, self.notes)

    def on_train_end(self, logs: dict | None = None) -> None:
        self.curves.finish()


# %% [markdown]
# **Predict.** On the text held back the table pays 1.40 nats. After one or two minutes of training, the model pays (a) less than 1.2 · (b) 1.3 to 1.5 · (c) 1.6 or more

# %% tags=["plumbing"]
#@title Plumbing: where the full profile keeps what a killed run needs (16.7)
EPOCHS, FILE, NOTES = by_profile(quick=4, standard=10, full=40), None, None
if profile() == "full":
    trained = data.cache_folder() / "trained"
    trained.mkdir(parents=True, exist_ok=True)
    stem = f"16_gpt_{SIZES['width']}"
    FILE, NOTES = trained / f"{stem}.keras", trained / f"{stem}.json"

# %%
STEPS, B = by_profile(quick=(20, 16), standard=(3000, 16), full=FULL["run"])
watch = Watch(gpt, train_ids[:8000], val_ids[:8000], EPOCHS, "KING ", notes=NOTES)
train_on_text(gpt, train_ids, STEPS, B, epochs=EPOCHS, file=FILE, callbacks=[watch])
seconds = sum(facts["seconds"] for facts in watch.seen.values())
print(f"{STEPS * B * T / seconds:,.0f} characters a second")

# %% tags=["figure"]
#@title Figure: Does it pass the best table?
fig, ax = plt.subplots(figsize=(6, 2.8))
for key, style, label in (("loss", "-", "learned"), ("val_loss", "--", "held back")):
    values = [facts[key] for facts in watch.seen.values()]
    ax.plot(list(watch.seen), values, style, marker="o", ms=3, label=label)
# on the same characters as the model
by_table = price(counts.probabilities(val_ids[:8000], best, trust))[0]
ax.axhline(by_table, color=plotting.GRAY, linestyle=":", label="best table")
beaten = watch.seen[EPOCHS]["val_loss"] < by_table
ax.set(title=f"It {'passes' if beaten else 'comes near'} the best table",
       xlabel=f"epoch, {STEPS // EPOCHS} steps each",
       ylabel="nats, 8,000 characters")
ax.legend()
plt.show()

# %%
val_nats = watch.score(val_ids)  # one number per character
for epoch in (1, EPOCHS // 2, EPOCHS):
    print(f"after {epoch * STEPS // EPOCHS:>5} steps: {watch.seen[epoch]['text']!r}")
print(f"on all that was held back: model {val_nats.mean():.3f}, best table "
      f"{table:.3f} nats")

# %% [markdown]
# (b), on the real text, and a little more than the table pays (one seed, a run of this length). It has met each character about three times. A GPT needs more steps before it is worth more than counting: hold on until 16.6.

# %% tags=["evidence"]
#@title Evidence: saved and loaded, it gives the same logits to the last bit
folder = tempfile.TemporaryDirectory()  # vanishes with the kernel
path = Path(folder.name) / "gpt.keras"
gpt.save(path)
some = train_ids[None, :T]  # (1, T)
change = np.abs(np.subtract(keras.models.load_model(path)(some), gpt(some))).max()
claim("largest change of a logit", change, at_most=0)
print(f"weights {gpt.count_params() * 4 / 1e6:.1f} MB, "
      f"file {path.stat().st_size / 1e6:.1f} MB (why more: 16.7)")

# %% [markdown]
# ## 16.6 Which number will the test give?
#
# Both means are off by chance, as in notebook [[project_mnist]] (13.7): with a standard deviation $\sigma$ per character, $n$ characters held back and $m$ in the test,
#
# $$\text{test} = \text{validation} \pm 1.96\, \sigma \sqrt{1/n + 1/m}.$$
#
# **Predict.** The test falls (a) inside this range · (b) just outside · (c) far outside

# %%
test_ids = ids[cut:]
off = 1.96 * val_nats.std() * math.sqrt(1 / len(val_nats) + 1 / len(test_ids))
print(f"validation {val_nats.mean():.3f}, so the test should say "
      f"{val_nats.mean() - off:.3f} to {val_nats.mean() + off:.3f}")

# %%
test_nats = watch.score(test_ids)  # opened once
print(f"test {test_nats.mean():.3f}")

# %% [markdown]
# (c), far above. The formula takes each *character* for a draw of its own from one pot. Look where the losses lie, piece by piece. The test holds the rest of *The Taming of the Shrew*, whose beginning the model has read (the known play), and the first scenes of *The Tempest* (the new play).

# %% tags=["plumbing"]
#@title Plumbing: speakers' names, and where the last play begins
def of_names(text: str) -> np.ndarray:
    """(n,) bool: True on the lines that name a speaker."""
    marked = np.zeros(len(text), bool)
    for found in re.finditer(r"(?:^|\n\n)([A-Z][\w' ]*:)\n", text):
        marked[found.start(1) : found.end(1)] = True
    return marked


test_text = text[cut:]
# the rest of The Taming of the Shrew, then the first scenes of The Tempest
play = test_text.index("Master:\nBoatswain!") if REAL else len(test_text) // 2
place = np.arange(len(test_text) - len(test_nats), len(test_text))  # of each loss
in_names = of_names(test_text)[place]
PARTS = {  # name -> losses, and whether the character stands in a speaker's name
    "held back": (val_nats, of_names(tokens.decode(val_ids))[-len(val_nats):]),
    "known play": (test_nats[place < play], in_names[place < play]),
    "new play": (test_nats[place >= play], in_names[place >= play])}

# %% tags=["figure"]
#@title Figure: The blocks held back are cheap, the new play is expensive
fig, ax = plt.subplots(figsize=(6.4, 2.8))
colors, first = (plotting.GRAY, plotting.BLUE, plotting.ORANGE), 0
for (name, (losses, _)), color in zip(PARTS.items(), colors):
    size = 2000 if REAL else 500
    means = losses[: len(losses) // size * size].reshape(-1, size).mean(axis=1)
    ax.plot(first + np.arange(len(means)), means, "o", ms=5, color=color, label=name)
    first += len(means)
said = val_nats.mean() + np.array([-off, off])
ax.axhspan(*said, color=plotting.GRAY, alpha=0.4)
ax.set(title="The blocks held back are cheap" + ", the new play is expensive" * REAL,
       xlabel="piece of 2,000 characters (band: where the test should fall)",
       ylabel="nats per character")
ax.legend(loc="upper left", ncols=3)
ax.margins(y=0.25)
plt.show()

# %% tags=["evidence"]
#@title Evidence: what the characters of names cost, and whom the model has met
for name, (losses, names) in PARTS.items():
    print(f"{name:<10} {losses.mean():.2f} nats; {names.mean():.0%} are speakers' "
          f"names at {losses[names].mean():.2f}, the rest {losses[~names].mean():.2f}")
for who in ("PETRUCHIO:", "PROSPERO:"):  # of the known play, of the new one
    print(f"{who} {text[:cut].count(who)} times before the test, "
          f"{text[cut:].count(who)} times in it")

# %% [markdown]
# That is how you are fooled. The blocks held back come from plays that the model has read, with the same people: it knows their names. In the new play each name must be guessed letter by letter. But the rest costs more as well: a text is like its neighbors. Hold back whole *plays*. And for the question how the model does on *another* play, these hundred thousand characters are two examples.

# %% [markdown]
# For these two plays you can still say how surely the model beats the table. Neighboring characters are no independent draws; the means of long pieces come nearer to that.
#
# ### Exercise 16.6 · an interval over pieces (7 min)
# Two models pay `a` and `b` for the same characters. Cut the differences $a - b$ into pieces of `size` in a row (a shorter rest is left out) and take each piece's mean. Return the mean of these means, and 1.96 times its standard error: their standard deviation (`ddof=1`) over the root of their number.
# With a pencil: differences 1, 3, 5, 7 and `size` 2 have the means 2 and 6. Together 4 ± 1.96 · 2.83 / √2 = 4 ± 3.92.

# %% tags=["exercise"]
def over_pieces(a, b, size):
    """a, b: (n,) nats of two models for the same characters -> (mean of a - b, ±)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("16.6", "an interval over pieces"):
    rng_t = np.random.default_rng(0)
    for n_t, size_t in ((4, 2), (41, 5), (90, 10), (99, 10)):
        b_t = rng_t.normal(1.0, 1.0, n_t)
        plus_t = np.array([1.0, 3, 5, 7]) if n_t == 4 else rng_t.normal(0.1, 1, n_t)
        a_t = b_t + plus_t
        pieces_t = [np.mean((a_t - b_t)[i : i + size_t])
                    for i in range(0, n_t - size_t + 1, size_t)]
        got_t = over_pieces(a_t.copy(), b_t.copy(), size_t)
        np.testing.assert_allclose(got_t[0], np.mean(pieces_t), rtol=1e-5, atol=1e-9,
                                   err_msg=f"mean, {n_t} characters, size {size_t}")
        want_t = 1.96 * np.std(pieces_t, ddof=1) / len(pieces_t) ** 0.5
        np.testing.assert_allclose(got_t[1], want_t, rtol=1e-5,
                                   err_msg=f"±, {n_t} characters, size {size_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `n // size * size` characters make whole pieces; `.reshape(-1, size).mean(axis=1)` are their means.
# </details>

# %% tags=["solution"]
#@title Solution 16.6 · runs only while yours does not pass
if not solved("16.6"):
    def over_pieces(a, b, size):
        difference = a - b
        whole = difference[: len(difference) // size * size]
        means = whole.reshape(-1, size).mean(axis=1)
        return means.mean(), 1.96 * means.std(ddof=1) / np.sqrt(len(means))

# %% [markdown]
# **Predict.** Where is the model of two minutes better than the table? (a) on both plays · (b) on the known play · (c) at most on the new one

# %% tags=["evidence"]
#@title Evidence: both models on both plays, and what this notebook promises
table_nats = -np.log(counts.probabilities(test_ids, best, trust))[-len(test_nats):]
gains = {}  # play -> (nats by which the model is better, ±)
for name, here in (("known play", place < play), ("new play", place >= play)):
    gains[name] = over_pieces(table_nats[here], test_nats[here], 2000 if REAL else 500)
    bits = test_nats[here].mean() / math.log(2)
    print(f"{name}: table {table_nats[here].mean():.2f}, model "
          f"{test_nats[here].mean():.2f} nats = {bits:.2f} bits per character; "
          "better by {:.3f} ± {:.3f}".format(*gains[name]))
judged = REAL and profile() != "quick"
claim("nats per character on the last tenth", test_nats.mean(),
      at_most=by_profile(quick=4.5, standard=1.65, full=1.47 if GPU else 1.60),
      applies=judged)
claim("lower end of the gain over the best table, on the play where it is less",
      min(gain - half for gain, half in gains.values()),
      at_least=by_profile(quick=-9, standard=-0.2, full=0.0), applies=judged)
if full := full_results("16"):
    for name, (gain, half) in full["gain over the table"].items():
        print(f"the longer run of the full profile, {name}: better by "
              f"{gain:.3f} ± {half:.3f}")

# %% [markdown]
# (c): on the known play two minutes of training lose to a table that has learned phrases and names by heart. Forty minutes, of a model four times as large, win on both. Longer pieces make the interval wider: take it as the least doubt.
#
# So say the whole sentence when you report such a number: so many nats per character *on these plays, of which the model had read a part of one*, so much better than a table *on each*, with the interval over pieces.

# %% [markdown]
# ## 16.7 May a run be killed? ◇
#
# The file of 16.5 is three times as large as the weights: AdamW keeps two more numbers per weight (notebook [[optimizers]]). A model in use can do without. And a run that is to go on?
#
# A long run will be killed: by the cloud's price, by a colleague, by you. `train_on_text` saves the whole model after each epoch, under another name first: the file under its own name is always whole. Batch number $i$ is drawn from a generator seeded with $i$, so the order of the batches is known as well.
#
# **Predict.** A run is killed after half of its steps and goes on from (1) the `.keras` file, (2) its weights alone. Which of them ends with exactly the weights of a run that was never killed?

# %% tags=["plumbing"]
#@title Plumbing: a small run, with a copy of what a kill after two epochs would leave
file, half_way = (Path(folder.name) / name for name in ("run.keras", "half.keras"))
RUN = dict(ids=train_ids, steps=by_profile(quick=4, standard=40, full=40), B=8,
           epochs=4)
HALF = RUN["steps"] // 2


def new_small() -> GPT:
    keras.utils.set_random_seed(1)
    return GPT(V, context=16, depth=1, width=16, heads=2, dropout=0.1)


def copy(epoch: int, logs: dict | None = None) -> None:
    if epoch == 2:
        shutil.copy(file, half_way)


def largest_difference(a: keras.Model, weights: list[np.ndarray]) -> float:
    return max(np.abs(x - y).max() for x, y in zip(a.get_weights(), weights))


# %%
file.unlink(missing_ok=True)
never_killed = new_small()
train_on_text(never_killed, **RUN, file=file,
      callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=copy)])
resumed = new_small()
train_on_text(resumed, **RUN, file=half_way)
by_file = largest_difference(never_killed, resumed.get_weights())
print(f"from the whole file: {by_file}")

# %%
stopped = keras.models.load_model(half_way)  # and now only its weights
resumed.set_weights(stopped.get_weights())
for memory in resumed.optimizer.variables:
    memory.assign(ops.zeros(memory.shape, memory.dtype))
resumed.fit(stream(train_ids, 8, 16, start=HALF), steps_per_epoch=HALF, verbose=0,
            shuffle=False)
print("from the weights:", largest_difference(never_killed, resumed.get_weights()))

# %% tags=["evidence"]
#@title Evidence: killed and resumed is never killed, bit for bit on this processor
claim("largest difference of a weight, dropout included", by_file, at_most=0)

# %% [markdown]
# (1), bit for bit. The file holds the weights, both of AdamW's averages, the number of steps (on which the rate depends), and where dropout's random numbers stand: Keras does not save the last, so the plumbing of 16.4 has a `Dropout` that does. The weights alone begin anew with the warm-up and with empty averages.

# %% [markdown]
# ## 16.8 How does a text larger than the memory become numbers? ◇
#
# Real corpora are streams of documents. Between two of them stands a *special token* (特殊标记), as GPT-2's `<|endoftext|>`, so that the model learns where something ends. It has a number of its own, which a user who types those thirteen characters must not get.
#
# **Predict.** GPT-2's tokenizer (notebook [[embeddings_and_attention]]) reads a user's text that contains `<|endoftext|>`. How often does the special number occur in what it returns?

# %%
bpe = gpt2_encoder(data.gpt2_bpe().merges)
END = bpe.special["<|endoftext|>"]
typed = "Stop here.<|endoftext|>Now obey me."
print("as a user's text:", bpe.encode(typed).count(END), "times")
print("as our own:      ", bpe.encode(typed, allow_special=True).count(END), "time")

# %% [markdown]
# A stream is encoded document by document into a file of 16-bit numbers (50,257 of them fit). However long the stream, only a few copies of `most` numbers and one document lie in memory.

# %%
def encode_stream(documents, encode, end: int, path: Path, most: int = 1 << 16) -> int:
    """Write all documents' token numbers, `end` after each, to a file; how many."""
    waiting, total = [], 0
    with open(path, "wb") as out:
        for document in documents:
            waiting += [*encode(document), end]
            if len(waiting) >= most:
                total += out.write(np.array(waiting, np.uint16).tobytes()) // 2
                waiting.clear()
        return total + out.write(np.array(waiting, np.uint16).tobytes()) // 2


# %%
corpus = Path(folder.name) / "corpus.bin"
speeches = text[:200_000].split("\n\n")
encoded = encode_stream(iter(speeches), bpe.encode, END, corpus, most=4096)
letters_inside = sum(map(len, speeches))
print(f"{encoded:,} tokens for {letters_inside:,} characters, "
      f"{len(speeches):,} speeches")

# %% tags=["evidence"]
#@title Evidence: the file holds what encoding at once gives, and batches are cut from the disk
on_disk = np.memmap(corpus, np.uint16, mode="r")  # reads only what is asked for
at_once = [i for speech in speeches for i in [*bpe.encode(speech), END]]
claim("token numbers that differ", np.sum(on_disk != at_once), at_most=0)
x, y = batch(on_disk, 2, 12, np.random.default_rng(0))
print("a batch from the file begins:", repr(bpe.decode(x[0])))

# %% [markdown]
# Cut at documents, never in the middle of a word: the halves would get other tokens. `np.memmap` looks like an array and reads only the windows that your `batch` asks for, so the file may have any size.
#
# One token now stands for several characters. **Predict.** A model pays 1.5 nats per character. What is its perplexity per *token* on the real text: 4.5, 15, or about 160?

# %%
length = letters_inside / (encoded - len(speeches))
print(f"{length:.2f} characters a token: perplexity {np.exp(1.5):.1f} a character is "
      f"{np.exp(1.5 * length):.0f} a token")

# %% [markdown]
# About 160, for the same model and the same text. Compare perplexities only where the tokens are the same. Bits per character can be compared whatever the tokens, on the same text.

# %% [markdown]
# ## 16.9 Are RMSNorm and SwiGLU better, or only newer? ◇
#
# Two changes that most later models share. *RMSNorm* divides by the root mean square and leaves the mean alone (notebook [[embeddings_and_attention]], exercise 11.11): one vector of parameters less per norm. *SwiGLU* multiplies two hidden vectors, one of them through $\text{silu}(z) = z\,\sigma(z)$:
#
# $$\text{FF}(x) = \big((x W_1) \odot \text{silu}(x W_3)\big)\, W_2 .$$
#
# It needs a third matrix, so its hidden width is cut to two thirds, $\tfrac83 d$: about the same number of parameters. Biases usually go as well. (N. Shazeer, *GLU variants improve Transformer*, 2020.)
#
# **Predict.** Same data, batches, rates and number of steps, several seeds. The newer block is (a) worse · (b) no different beyond the spread of the seeds · (c) better beyond it

# %% tags=["plumbing"]
#@title Plumbing: one compiled model per variant, begun anew for every seed
def train_variant(sizes: dict) -> list[float]:
    """Nats on the text held back, per seed."""
    model, losses = GPT(V, **sizes), []
    score = scorer(model)
    prepare(model, VARIANT_STEPS)
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        fresh = GPT(V, **sizes)
        for new in (fresh, model):
            new(train_ids[None, :8])  # makes the weights
        model.set_weights(fresh.get_weights())
        model.optimizer.build(model.trainable_variables)
        for memory in model.optimizer.variables:
            memory.assign(ops.zeros(memory.shape, memory.dtype))
        model.fit(stream(train_ids, 16, 64, seed=seed), steps_per_epoch=VARIANT_STEPS,
                  verbose=0, shuffle=False)
        losses.append(float(score(val_ids).mean()))
    print(f"{model.count_params():,} parameters")
    return losses


# %%
SEEDS = by_profile(quick=(0, 1), standard=(0, 1, 2), full=(0, 1, 2, 3, 4))
WIDTH, DEPTH = by_profile(quick=(16, 1), standard=(64, 2), full=(128, 2))
VARIANT_STEPS = by_profile(quick=2, standard=200, full=1000)
OLD = dict(context=64, depth=DEPTH, width=WIDTH, heads=2)
NEW = {**OLD, "norm": "rms", "activation": "swiglu", "bias": False,
       "hidden": 8 * WIDTH // 3}
finals = {name: train_variant(sizes) for name, sizes in (("old", OLD), ("new", NEW))}
for name, losses in finals.items():
    print(name, *[f"{loss:.3f}" for loss in losses], "nats held back, one per seed")

# %%
block_gains = np.subtract(finals["old"], finals["new"])  # in pairs: the same batches
T_975 = {2: 12.71, 3: 4.30, 5: 2.78}[len(SEEDS)]  # Student's t, for so many seeds
half = T_975 * np.std(block_gains, ddof=1) / math.sqrt(len(SEEDS))
print(f"the newer block gains {np.mean(block_gains):.3f} nats, 95 % interval over "
      f"seeds {np.mean(block_gains) - half:.3f} to {np.mean(block_gains) + half:.3f}")
if full:
    print("full profile, five seeds, 1,000 steps at width 128:",
          *[f"{gain:+.3f}" for gain in full["newer block gains"]])

# %% [markdown]
# In the standard run the interval holds 0: these seeds and steps do not tell (b) from the others. In the longer run of the full profile all five seeds gain a little: (c), at that size, that number of steps, and one rate for both.

# %% [markdown]
# ## 16.10 What does a longer run buy? ◇
#
# In the *full* profile the same cells train a larger model for longer, with a longer context, and with dropout against learning by heart.
#
# **Predict.** What becomes of the loss on the known play, and on the new one: which falls more?

# %% tags=["plumbing"]
#@title Plumbing: the figures of this run
results = {
    "parameters": gpt.count_params(), "characters read": STEPS * B * T,
    "training minutes": seconds / 60, "validation": float(val_nats.mean()),
    "test": float(test_nats.mean()), "table": float(table_nats.mean()),
    "known play": float(PARTS["known play"][0].mean()),
    "new play": float(PARTS["new play"][0].mean()),
    "gain over the table": {play: list(map(float, g)) for play, g in gains.items()},
    "newer block gains": [float(gain) for gain in block_gains]}

# %%
runs = {"this run": results} | ({"full": full} if full else {})
for name, run_facts in runs.items():
    print(f"{name:<9} {run_facts['parameters']:>9,} weights: known play "
          f"{run_facts['known play']:.2f}, new play {run_facts['new play']:.2f}, "
          f"whole test {run_facts['test']:.2f} nats")

# %% [markdown]
# ## Open task: a text of your own
#
# Take any text that you may use: your own notes, source code, songs of your language. Hold back *whole documents*, train, and defend one number: bits per character, on what, beside which table?

# %% [markdown]
# ## Recall
#
# <details><summary>One window of 64 characters: how many examples is it, and what makes that allowed?</summary>
#
# 64. The causal mask: no place sees what it is to guess.
# </details>
#
# <details><summary>A model pays 1.4 nats per character. Bits, perplexity?</summary>
#
# $1.4 / 0.693 \approx 2.0$ bits; $e^{1.4} \approx 4.1$.
# </details>
#
# <details><summary>Windows are cut, shuffled, and a tenth is held back. What is wrong, and what would it choose?</summary>
#
# Neighbors overlap: what is held back was learned. It chooses whatever learns by heart best.
# </details>
#
# <details><summary>The validation text was cut from the same plays. In which direction does its number err for a new play, and why?</summary>
#
# It is too good: the names, and what these people talk about, are known. Hold back whole plays.
# </details>
#
# <details><summary>Why is an interval over single characters too narrow?</summary>
#
# Neighbors stand in the same scene: they are cheap or dear together. Pieces of 2,000 characters come nearer to independent draws.
# </details>

# %% [markdown]
# ## Summary
#
# 1. A text is its own teacher: each place guesses the next, all at once.
# 2. Count first, and tune what counts: a table of contexts is a strong model.
# 3. Cut the text before you cut windows; hold back whole works.
# 4. A loss speaks for texts like those it was measured on.
# 5. Neighboring characters are no independent draws: take pieces, and know that two plays are two examples.
#
# **Read this next:** A. Radford and others, *Language models are unsupervised multitask learners*, OpenAI, 2019. A. Karpathy's *nanoGPT* trains the same text, with another split.
#
# Notebook [[generating_text]] makes this model write well and fast; notebook [[project_pretrained_gpt2]] reads OpenAI's weights into it.
