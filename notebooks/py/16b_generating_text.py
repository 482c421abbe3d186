# ---
# jupyter:
#   course:
#     datasets: [tiny_shakespeare, tang_poems]
#     covers: "How a GPT writes: greedy, temperature, top-k, top-p, five different texts, a key-value cache that changes only the time; Tang poems, grouped queries, speculative decoding, a race with KerasHub."
#     prerequisites: [project_gpt]
#     ledger: [D5-5.2-a, D5-5.2-c]
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
# # Project: generating text, fast
#
# Your GPT of notebook [[project_gpt]] gives each next character a probability. That is not yet a text. How does it choose, and why is the plain way so slow?
#
# At the end you have built what stands between a model and its user: the sampler that decides what becomes of the probabilities, and the key-value cache, which changes nothing but the time.
#
# **You will be able to**
#
# - say what greedy search, temperature, top-k and top-p do, and write top-p;
# - find out why a widely copied program can't write five texts, and repair it;
# - write a key-value cache, and show that it changes nothing but the time;
# - say what such a model does with what it never met.

# %% tags=["setup"]
import json
import math
import os
import platform
import re
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from course_utils import (
    by_profile, check, claim, data, devices, full_results, plotting, profile, solved,
)

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

# %% tags=["plumbing", "keep"] lesson="generation"
#@title Plumbing: Keras, and the GPT of notebook 16
import keras
from keras import layers, ops

from course_utils.lessons.gpt import (
    GPT, Characters, Counts, all_logits, attend_groups, batch, compiled, hold_back,
    next_logits_of, prepare, scorer, train_on_text,
)

# %% tags=["plumbing"]
#@title Plumbing: a function as the checks compile it
def as_compiled(function, *inputs) -> np.ndarray:
    """function(*inputs) compiled, its inputs known late, as in the loop of 16b.5."""
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


# %% [markdown]
# ## 16b.1 What does it write if it never takes a chance?
#
# Two questions first.
#
# <details><summary>The model gives the character that came the probability 1/4. What does it pay, in bits?</summary>
#
# $-\log_2 1/4 = 2$ bits (notebook [[project_gpt]], 16.1).
# </details>
#
# <details><summary>A window of 64 characters goes into the model. What comes out, and from which place do you read the next character?</summary>
#
# A row of logits at each of the 64 places; the last row (notebook [[project_gpt]], 16.4).
# </details>
#
# The model first: the same text, sizes and steps as in notebook [[project_gpt]]. It takes a minute or two.

# %%
book = data.tiny_shakespeare()
text, REAL = book.text, book.source == "real"
tokens = Characters(text)
ids, V = tokens.encode(text), tokens.size  # (n,)
cut = len(ids) * 9 // 10
train_ids, val_ids = hold_back(ids[:cut], 4_000 if REAL else 500)
SIZES = by_profile(
    quick=dict(context=32, depth=1, width=32, heads=2),
    standard=dict(context=64, depth=2, width=96, heads=3),
    full=FULL["sizes"])
T = SIZES["context"]

# %% tags=["plumbing"]
#@title Plumbing: train it; the full profile goes on from the file that notebook 16 left
EPOCHS, FILE = by_profile(quick=4, standard=10, full=40), None
if profile() == "full":
    FILE = data.cache_folder() / "trained" / f"16_gpt_{SIZES['width']}.keras"
    FILE.parent.mkdir(parents=True, exist_ok=True)
STEPS, B = by_profile(quick=(20, 16), standard=(3000, 16), full=FULL["run"])
keras.utils.set_random_seed(0)
gpt = GPT(V, **SIZES)
with plotting.LiveCurves(EPOCHS, title="The GPT", keep=False) as live:
    show = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: live.update(epoch + 1, logs))
    train_on_text(gpt, train_ids, STEPS, B, epochs=EPOCHS, file=FILE, callbacks=[show])
score = scorer(gpt)
print(f"{gpt.count_params():,} weights, {score(val_ids).mean():.2f} nats per character "
      "on the text held back")

# %% [markdown]
# The model answers with logits; something must choose. A random number $u$ between 0 and 1 does: add up the probabilities, and take the token where the sum passes $u$. With a pencil: probabilities 0.5, 0.3, 0.2 and $u = 0.6$ give the second token.

# %% tags=["keep"] lesson="generation"
def pick(logits, u):
    """The token where the sum of probabilities passes u. (B, V) and (B,) -> (B,)"""
    sums = ops.cumsum(ops.softmax(logits), axis=-1)  # (B, V), rising to 1
    u = ops.minimum(ops.cast(u, "float32"), 1 - 1e-6)  # 1 would pass no sum
    passed = sums <= ops.expand_dims(u, -1) * sums[:, -1:]
    return ops.sum(ops.cast(passed, "int32"), axis=-1)


# %% [markdown]
# *Greedy* (贪心) takes the most probable token. *Temperature* (温度) $\tau$ divides the logits first: below 1 the probable gets more so, above 1 the rare gets its chance.
#
# **Predict.** The model writes 200 characters greedily. Is that (a) the same words again and again · (b) its best verse · (c) noise?

# %% tags=["plumbing"]
#@title Plumbing: continue a text, slowly: the whole window again for each character
next_logits = next_logits_of(gpt)
PROMPT = "KING RICHARD II:\n" if REAL else "KING ALDRED:\n"
LENGTH = by_profile(quick=30, standard=200, full=200)


def continue_text(prompt: str, new: int, choose: Callable, seed: int = 0) -> str:
    """The prompt and so many characters. choose: logits (1, V), u (1,) -> token (1,)"""
    row, rng = tokens.encode(prompt)[None], np.random.default_rng(seed)  # (1, S)
    for _ in range(new):
        choice = ops.convert_to_numpy(choose(next_logits(row), rng.random(1)))
        row = np.concatenate([row, choice[:, None]], axis=1)
    return tokens.decode(row[0])


# %%
print(continue_text(PROMPT, LENGTH, lambda logits, u: logits.argmax(axis=-1)))

# %% [markdown]
# (a), with this model: after a few words repeated, the most probable word is the next of them. So one lets chance choose.

# %% [markdown]
# ## 16b.2 Which characters may be drawn?
#
# Of a hundred draws some fall on a character that hardly fits, and the model goes on from there. Two filters cut the tail off:
#
# - *top-k* keeps the $k$ most probable tokens;
# - *top-p* keeps as few as possible, most probable first, whose probabilities sum to $p$ or more.
#
# **Predict.** In the middle of a word, after `"QUEE"`, the model is nearly sure; before a new word, after `"the "`, it is not. Of 65 characters, top-p 0.9 keeps (a) 9 and 9 · (b) about 9 and 30 · (c) 1 and about 20

# %% [markdown]
# Both look for the smallest logit that stays, a limit for each row: a column (B, 1).

# %% tags=["keep"] lesson="generation"
def keep_top_k(logits, k: int):
    """-inf for all but the k largest of each row. logits: (B, V) -> (B, V)"""
    ordered = ops.flip(ops.sort(logits, axis=-1), axis=-1)  # largest first
    limit = ordered[:, k - 1 : k]  # (B, 1)
    return ops.where(logits >= limit, logits, -np.inf)


# %% [markdown]
# ### Exercise 16b.2 · top-p (10 min)
# With a pencil: of the probabilities 0.1, 0.4, 0.3, 0.2, top-p with $p = 0.6$ keeps 0.4 and 0.3. Write it like `keep_top_k`:
#
# - sort, largest first; `ops.softmax` and `ops.cumsum` give each token the sum up to it;
# - a token stays if the sum *before* it is still below $p$;
# - the limit is the smallest of those that stay: `ops.min(…, axis=-1, keepdims=True)`.
#
# Use `ops` alone: it will be compiled. Equal logits at the limit may all stay.

# %% tags=["exercise"]
def keep_top_p(logits, p):
    """-inf for all but the smallest set that sums to p. logits: (B, V) -> (B, V)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("16b.2", "top-p"):
    p_t = np.array([[0.1, 0.4, 0.3, 0.2], [0.02, 0.03, 0.05, 0.9]], np.float32)
    logits_t = np.log(p_t) + np.array([[3.0], [-40.0]], np.float32)
    for sum_t, least_t in {0.3: (0.4, 0.9), 0.6: (0.3, 0.9), 0.75: (0.2, 0.9),
                           0.96: (0.1, 0.03), 1.0: (0, 0)}.items():
        kept_t = p_t >= np.array(least_t, np.float32)[:, None]
        got_t = np.asarray(keep_top_p(logits_t.copy(), sum_t))
        assert got_t.shape == (2, 4), f"p = {sum_t}: shape {got_t.shape}"
        np.testing.assert_array_equal(got_t > -1e8, kept_t, f"kept with p = {sum_t}")
        np.testing.assert_allclose(got_t[kept_t], logits_t[kept_t], rtol=1e-6,
                                   err_msg=f"p = {sum_t} changes what it keeps")
    fast_t = as_compiled(lambda z: keep_top_p(z, 0.6), logits_t)
    np.testing.assert_array_equal(fast_t, keep_top_p(logits_t.copy(), 0.6), "compiled")

# %% [markdown]
# <details><summary>Hint</summary>
#
# The sum before a token is `ops.cumsum(q, axis=-1) - q`. Replace what does not stay by `np.inf` before you take the minimum.
# </details>

# %% tags=["solution", "keep"] lesson="generation"
#@title Solution 16b.2 · runs only while yours does not pass
if not solved("16b.2"):
    def keep_top_p(logits, p: float):
        """-inf for all but the smallest set that sums to p. logits: (B, V) -> (B, V)"""
        ordered = ops.flip(ops.sort(logits, axis=-1), axis=-1)
        q = ops.softmax(ordered)
        stays = ops.cumsum(q, axis=-1) - q < p  # the sum before it
        least = ops.min(ops.where(stays, ordered, np.inf), axis=-1, keepdims=True)
        return ops.where(logits >= least, logits, -np.inf)

# %% tags=["plumbing", "keep"] lesson="generation"
#@title Plumbing: temperature, top-k, top-p and pick, joined
def sampler(temperature: float = 1.0, top_k: int | None = None,
            top_p: float = 1.0) -> Callable:
    """A function (logits (B, V), u (B,)) -> tokens (B,). Temperature 0 is greedy."""
    def choose(logits, u):
        if temperature == 0:
            return ops.cast(ops.argmax(logits, axis=-1), "int32")
        logits = ops.convert_to_tensor(logits) / temperature
        if top_k:
            logits = keep_top_k(logits, top_k)
        return pick(keep_top_p(logits, top_p) if top_p < 1 else logits, u)
    return choose


# %%
for begun in ("QUEE", "the "):
    filtered = keep_top_p(next_logits(tokens.encode(begun)[None]), 0.9)
    print(f"after {begun!r}, top-p 0.9 keeps {np.isfinite(filtered).sum()} of {V}")

# %% [markdown]
# (c). Top-k keeps as many where the model is sure as where it is not.

# %%
for name, choose in (("temperature 0.5", sampler(0.5)),
                     ("temperature 1.5", sampler(1.5)),
                     ("top-p 0.9", sampler(top_p=0.9))):  # the temperature goes first
    print(f"{name:<15} {continue_text(PROMPT, LENGTH // 2, choose)[len(PROMPT):]!r}")

# %% tags=["figure"]
#@title Figure: Temperature tilts the bars, top-k and top-p cut them off
shown = next_logits(tokens.encode(PROMPT)[None])


def draw_choice(temperature, top_k, top_p):
    logits = keep_top_p(keep_top_k(shown / temperature, top_k), top_p)
    before = ops.convert_to_numpy(ops.softmax(shown))[0]
    after = ops.convert_to_numpy(ops.softmax(logits))[0]
    order = np.argsort(-before)[:16]
    fig, ax = plt.subplots(figsize=(6, 2.8))
    ax.bar(np.arange(len(order)) - 0.2, before[order], 0.4, color=plotting.GRAY,
           label="the model's")
    ax.bar(np.arange(len(order)) + 0.2, after[order], 0.4, color=plotting.BLUE,
           label="drawn from")
    ax.set(title="Temperature tilts the bars, top-k and top-p cut them off",
           xticks=range(len(order)), ylabel="probability", xlabel="next character",
           xticklabels=[repr(tokens.tokens[i])[1:-1] for i in order])
    ax.legend()
    return fig


plotting.explore(draw_choice, temperature=(0.2, 2.0, 0.7, 0.1),
                 top_k=(1, min(30, V), min(12, V)), top_p=(0.1, 1.0, 0.9, 0.05))
plt.show()

# %% [markdown]
# Move the sliders. The filters take bars away and scale the rest alike; only the temperature tilts them.

# %% [markdown]
# ## 16b.3 Does it write five texts?
#
# A widely copied program (Document 5, 5.2; titles in notebook [[start_here]]) asks for five texts: `model.generate(input_ids, max_length=50, num_return_sequences=5)`. Its idea in our words:

# %%
def five_texts(next_logits, prompt, max_length):
    """prompt: (S,) -> (5, max_length)"""
    rows = np.repeat(prompt[None], 5, axis=0)  # (5, S)
    while rows.shape[1] < max_length:
        best = np.argmax(next_logits(rows), axis=-1)  # (5,)
        rows = np.concatenate([rows, best[:, None]], axis=1)
    return rows


# %% [markdown]
# **Predict.** How many different texts come out: 5, 2 or 1? And how many new characters does a prompt of 50 get?

# %%
for row in five_texts(next_logits, tokens.encode(PROMPT), max_length=28):
    print(repr(tokens.decode(row)))

# %% [markdown]
# One text, five times: nothing in it draws by chance. (The library refuses greedy search for five texts: it raises an error.) And `max_length` counts the prompt, so a prompt of 50 tokens gets no answer at all.
#
# ### Exercise 16b.3 · five different texts (7 min)
# Repair it: `new` characters after the prompt, each drawn by `pick` with a number of its own from `rng.random(5)`.

# %% tags=["exercise"]
def different_texts(next_logits, prompt, new, rng):
    """prompt: (S,) int -> (5, S + new) int.  next_logits: rows (5, S) -> (5, V)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("16b.3", "five different texts"):
    def after_t(rows):  # the next token is one or two more than the last, modulo 4
        p = np.zeros((len(rows), 4), np.float32)
        p[np.arange(len(rows)), (rows[:, -1] + 1) % 4] = 0.75
        p[np.arange(len(rows)), (rows[:, -1] + 2) % 4] = 0.25
        return np.log(p + 1e-12)

    start_t = np.array([3, 1, 2], np.int32)
    got_t = np.asarray(different_texts(after_t, start_t, 150, np.random.default_rng(0)))
    assert got_t.shape == (5, 153), f"shape {got_t.shape}, not (5, 153)"
    np.testing.assert_array_equal(got_t[:, :3], [[3, 1, 2]] * 5, "the prompt stays")
    steps_t = np.diff(got_t[:, 2:]) % 4  # how far each token is from the one before
    assert set(steps_t.ravel()) == {1, 2}, "a token that has no probability"
    share_t = np.mean(steps_t == 1)
    assert 0.69 < share_t < 0.81, f"a probability of 0.75 gave {share_t:.0%}"
    assert len({row.tobytes() for row in got_t}) == 5, "two of the five are the same"
    again_t = different_texts(after_t, start_t, 150, np.random.default_rng(0))
    np.testing.assert_array_equal(again_t, got_t, "same rng, same texts")
    long_t = np.repeat(start_t, 30)
    short_t = different_texts(after_t, long_t, 2, np.random.default_rng(0))
    assert np.shape(short_t) == (5, 92), "a long prompt gets its new characters, too"

# %% [markdown]
# <details><summary>Hint</summary>
#
# A loop over `range(new)`; `np.asarray(pick(logits, u))` is (5,), and `[:, None]` makes a column of it.
# </details>

# %% tags=["solution"]
#@title Solution 16b.3 · runs only while yours does not pass
if not solved("16b.3"):
    def different_texts(next_logits, prompt, new, rng):
        rows = np.repeat(prompt[None], 5, axis=0)  # (5, S)
        for _ in range(new):
            drawn = np.asarray(pick(next_logits(rows), rng.random(5)))  # (5,)
            rows = np.concatenate([rows, drawn[:, None]], axis=1)
        return rows

# %%
for row in different_texts(next_logits, tokens.encode(PROMPT), 30,
                           np.random.default_rng(1)):
    print(repr(tokens.decode(row)))

# %% [markdown]
# ## 16b.4 Why is it slow, and what may it keep?
#
# Take a context of 512. To write character 500, the model computes all places before it again. But no place looks ahead, so as long as the text fits the context, those 499 come out as they did for the characters before. And of them the new place needs only the *keys and values*, in each block. Keep those: the *key-value cache* (键值缓存).
# For 512 characters the model then computes 512 places instead of $1 + 2 + … + 512 = 131{,}328$.

# %% tags=["figure"]
#@title Figure: Without a cache the work grows with the square of the length
length = np.arange(1, 513)
fig, ax = plt.subplots(figsize=(6, 2.6))
ax.loglog(length, np.cumsum(length), "-", label="without a cache")
ax.loglog(length, length, "--", label="with it")
ax.set(title="Without a cache the work grows with the square of the length",
       xlabel="characters written", ylabel="places computed in all")
ax.legend()
plt.show()

# %% [markdown]
# **Predict.** Why keep keys and values, but no queries? they would be too large, each is used only once, or they equal the keys?
#
# <details><summary>The answer</summary>
#
# Each is used once, when its own place is computed. A later place asks with a query of its own, and asks the old keys.
# </details>

# %% tags=["plumbing", "keep"] lesson="generation"
#@title Plumbing: put(old, new, position), along the third axis
def put(old, new, position):
    """old (B, g, T, d_head) with new (B, g, S, d_head) at place position and after it.
    What does not fit at the end is moved to the left, silently."""
    return ops.slice_update(old, (0, 0, position, 0), new)


# %% [markdown]
# What `call` does in a block of notebook [[project_gpt]], step by step:
#
# | step | gives |
# |---|---|
# | `q, k, v = block.attention.project(block.norm1(x))` | `q` (B, h, S, d_head), `k`, `v` (B, g, S, d_head) of S tokens |
# | `attend_groups(q, keys, values, places)` | (B, h, S, d_head): the query at place t sees keys 0 … t; `places` (S,) |
# | `x = x + block.attention.join(…)` | (B, S, width) |
# | `x + block.feed_forward(block.norm2(x))` | (B, S, width) |
#
# There are g pairs of keys and values for h heads; here as many.
#
# The cache of a block is a pair of arrays with room for T places, (B, g, T, d_head). `put(old, new, 3)` returns `old` with `new` written from place 3 on.
#
# ### Exercise 16b.4 · keys that stay (20 min)
# `remember` puts the keys and values of S new tokens into the pair, from `position` on. `cached_block` is the table above, with one step more: first remember, then let the queries see all that is remembered. `position` may be a tensor, so write the places as `position + ops.arange(S)`: XLA can't compile a range that begins at a tensor.

# %% tags=["exercise"]
def remember(pair, k, v, position):
    """pair: keys, values (B, g, T, d_head). k, v: (B, g, S, d_head) -> the new pair"""
    raise NotImplementedError("your turn")


def cached_block(block, x, pair, position):
    """x (B, S, width), of the tokens from `position` on -> what the block makes of
    them (B, S, width), and the new pair"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("16b.4", "keys that stay"):
    rng_t = np.random.default_rng(0)
    pair_t = tuple(rng_t.normal(size=(2, 1, 6, 3)).astype("f") for _ in "kv")
    new_t = tuple(rng_t.normal(size=(2, 1, 2, 3)).astype("f") for _ in "kv")
    got_t = remember(tuple(a.copy() for a in pair_t), *new_t, 3)
    assert len(got_t) == 2, "a pair: keys, values"
    for a_t, old_t, put_t, name_t in zip(got_t, pair_t, new_t, ("keys", "values")):
        np.testing.assert_array_equal(np.asarray(a_t)[:, :, 3:5], put_t, name_t)
        np.testing.assert_array_equal(np.delete(a_t, (3, 4), axis=2),
                                      np.delete(old_t, (3, 4), axis=2), name_t)

    tiny_t = GPT(7, context=8, depth=1, width=8, heads=4, groups=2)  # two share a pair
    tiny_t(np.zeros((1, 8), "i"))
    block_t = tiny_t.blocks[0]
    for w_t in block_t.weights:
        w_t.assign(rng_t.normal(0, 0.5, w_t.shape))
    x_t = rng_t.normal(size=(2, 6, 8)).astype("f")
    whole_t = np.asarray(block_t(x_t))  # without a cache
    cache_t = tuple(np.zeros((2, 2, 8, 2), "f") for _ in "kv")
    for at_t, end_t in ((0, 3), (3, 4), (4, 6)):
        y_t, cache_t = cached_block(block_t, x_t[:, at_t:end_t], cache_t, at_t)
        assert np.shape(y_t) == (2, end_t - at_t, 8), f"shape {np.shape(y_t)}"
        told_t = ("the first tokens, as without a cache" if at_t == 0 else
                  f"tokens from {at_t} on: do they see the old keys, from their place?")
        np.testing.assert_allclose(y_t, whole_t[:, at_t:end_t], 0, 1e-4, err_msg=told_t)
    full_t = tuple(ops.where(np.arange(8)[:, None] < 6, c, 9.0) for c in cache_t)
    again_t, _ = cached_block(block_t, x_t[:, 5:], full_t, 5)
    np.testing.assert_allclose(np.asarray(again_t), whole_t[:, 5:], atol=1e-4,
                               err_msg="what lies behind the last token must not count")
    step_t = lambda at, x: (at + 1, cached_block(block_t, x_t[:, 5:], full_t, at)[0])
    fast_t = as_compiled(lambda at: ops.while_loop(  # as in the loop of `writer`
        lambda at, x: at < 6, step_t, (at, ops.zeros((2, 1, 8))))[1], 5)
    np.testing.assert_allclose(fast_t, whole_t[:, 5:], atol=1e-4, err_msg="compiled")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `remember` is two calls of `put`: keys `pair[0]`, values `pair[1]`. In `cached_block`, `keys` and `values` are the new pair: the old tokens and the new ones.
# </details>

# %% tags=["solution", "keep"] lesson="generation"
#@title Solution 16b.4 · runs only while yours does not pass
if not solved("16b.4"):
    def remember(pair: tuple, k, v, position) -> tuple:
        """pair: keys and values (B, g, T, d_head), with those of S new tokens."""
        return put(pair[0], k, position), put(pair[1], v, position)

    def cached_block(block: layers.Layer, x, pair: tuple, position) -> tuple:
        """x (B, S, width), from `position` on -> the same shape, the new pair"""
        q, k, v = block.attention.project(block.norm1(x))
        pair = keys, values = remember(pair, k, v, position)
        places = position + ops.arange(x.shape[1])  # (S,)
        x = x + block.attention.join(attend_groups(q, keys, values, places))
        return x + block.feed_forward(block.norm2(x)), pair

# %% [markdown]
# The whole model is its blocks, with one pair each: `cached_logits(model, ids, cache, position)`. It may change nothing but the time. Does it?

# %% tags=["plumbing", "keep"] lesson="generation"
#@title Plumbing: the blocks joined, with a pair for each; room for T tokens
def cached_logits(model, ids, cache, position):
    """ids: (B, S), cache: a pair per block -> logits (B, S, V), the new pairs"""
    here = position + ops.arange(ids.shape[1])  # (S,)
    x, pairs = model.tokens(ids) + model.places(here), []  # (B, S, width)
    for block, pair in zip(model.blocks, cache):
        x, pair = cached_block(block, x, pair, position)
        pairs.append(pair)
    return ops.matmul(model.norm(x), ops.transpose(model.tokens.embeddings)), pairs


def new_cache(model, B: int, T: int | None = None) -> list[tuple]:
    """Room for T tokens (the context, if not said): a pair of zeros per block."""
    s = model.sizes
    shape = B, s["groups"], T or s["context"], s["width"] // s["heads"]
    return [(ops.zeros(shape), ops.zeros(shape)) for _ in model.blocks]


# %%
some = train_ids[None, :T]  # (1, T)
whole = ops.convert_to_numpy(gpt(some))
cache, parts, at = new_cache(gpt, 1), [], 0
for S in (5, 1, 1, T - 7):  # tokens come in any portions
    logits, cache = cached_logits(gpt, some[:, at : at + S], cache, at)
    parts.append(ops.convert_to_numpy(logits))
    at += S
print("largest difference of a logit:", np.abs(np.concatenate(parts, 1) - whole).max())

# %% [markdown]
# A few millionths: rounding, since sums are taken in another order.

# %% [markdown]
# ## 16b.5 How much faster is it?
#
# With so small a model, a loop in Python takes longer than the model. So the whole loop becomes one program, `writer`. It takes many prompts at once. When the context is full, it reads the last half again: those tokens have new places, so their keys are new.

# %% tags=["plumbing", "keep"] lesson="generation"
#@title Plumbing: a writer: the loop over the tokens, with the cache, inside one program
def writer(model: keras.Model, choose: Callable | None = None) -> Callable:
    """A function (prompts (B, P), new, rng) -> tokens (B, new). One program per B.

    The prompt goes in token by token, too. When the context is full, its last half is
    read again as a prompt: each token was read at its place, so none can move.
    """
    choose, T = choose or sampler(), model.sizes["context"]

    def loop(tokens, u, P, end):
        """tokens, u: (T, B); places up to P are given, those up to end are written."""
        def step(i, tokens, cache):
            ids = ops.expand_dims(ops.take(tokens, i, axis=0), 1)  # (B, 1)
            logits, cache = cached_logits(model, ids, cache, i)
            drawn = ops.cast(choose(logits[:, 0], ops.take(u, i, axis=0)), "int32")
            token = ops.where(i + 1 < P, ops.take(tokens, i + 1, axis=0), drawn)  # (B,)
            tokens = ops.slice_update(tokens, (i + 1, 0), ops.expand_dims(token, 0))
            return i + 1, tokens, cache

        start = 0, tokens, new_cache(model, tokens.shape[1])
        return ops.while_loop(lambda i, *_: i < end - 1, step, start)[1]

    program = compiled(loop, model)

    def write(prompts: np.ndarray, new: int, rng: np.random.Generator) -> np.ndarray:
        ids, given = np.asarray(prompts, np.int32), np.shape(prompts)[1]
        numbers = rng.random((new, len(ids)), np.float32)
        while (done := ids.shape[1] - given) < new:
            read = ids if ids.shape[1] < T else ids[:, -(T // 2):]
            P = read.shape[1]
            n = min(T - P, new - done)
            tokens, u = np.zeros((T, len(ids)), np.int32), np.zeros((T, len(ids)), "f")
            tokens[:P], u[P - 1 : P - 1 + n] = read.T, numbers[done : done + n]
            places = (ops.convert_to_tensor(at, "int32") for at in (P, P + n))
            tokens = ops.convert_to_numpy(program(tokens, u, *places))
            ids = np.concatenate([ids, tokens[P : P + n].T], axis=1)
        return ids[:, given:]

    return write


# %% [markdown]
# **Predict.** At 512 characters, one more costs how many times as much without the cache? (a) twice · (b) between twenty and two hundred times · (c) 512 times

# %% tags=["plumbing"]
#@title Plumbing: a model with room for 512 characters, with and without the cache
LONG = by_profile(quick=64, standard=512, full=512)
long_gpt = GPT(V, **{**SIZES, "context": LONG})  # untrained: it takes the same time
read = train_ids[None, :LONG]
long_write = writer(long_gpt)
read_all = compiled(lambda ids: long_gpt(ids, training=False)[:, -1], long_gpt)
calls = {
    "with": lambda: long_write(read[:, :8], LONG - 8, np.random.default_rng(0)),
    "without": lambda: read_all(read)}

# %% tags=["plumbing", "keep"] lesson="generation"
#@title Plumbing: a clock for programs that are compiled in their first call
def seconds_of(calls: dict[str, Callable], rounds: int = 5) -> dict[str, float]:
    """Seconds of each call's fastest round, after a first one: what disturbs a program
    only adds. The calls take turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            ops.convert_to_numpy(call())
            times[name].append(time.perf_counter() - start)
    return {name: min(values[1:]) for name, values in times.items()}


# %%
per_token = seconds_of(calls)  # without: one character, from the whole text
per_token["with"] /= LONG - 1  # with: as many as the loop reads and writes
for name, took in per_token.items():
    print(f"{name:<7} the cache: {1000 * took:.2f} ms for one more character")

# %% tags=["evidence"]
#@title Evidence: the compiled loop writes what the slow one writes; the cache is at least ten times as fast
write = writer(gpt, sampler(0.8))
beginning, n = tokens.encode(PROMPT)[None], T - len(PROMPT)
fast_text = write(beginning, n, np.random.default_rng(3))[0]
row = beginning
for u in np.random.default_rng(3).random((n, 1), np.float32):
    chosen = np.asarray(sampler(0.8)(next_logits(row), u))  # (1,)
    row = np.append(row, chosen[:, None], axis=1)
claim("characters that differ between the cached program and the slow loop",
      np.sum(row[0, len(PROMPT):] != fast_text), at_most=0)
claim("time without the cache over time with it, at that length",
      per_token["without"] / per_token["with"], at_least=10,
      applies=profile() != "quick" and not GPU)

# %% [markdown]
# (b), not (c): 512 places in one large product cost less than 512 times one place, and each turn of the loop has costs of its own.

# %%
rng = np.random.default_rng(7)
print(PROMPT + tokens.decode(write(tokens.encode(PROMPT)[None], 2 * LENGTH, rng)[0]))

# %% [markdown]
# ## 16b.6 What does it do with what it never met?
#
# **Predict.** Three users type: a question in modern English, a year, a line of Chinese. Which inputs does the program refuse?

# %% tags=["plumbing"]
#@title Plumbing: an answer to whatever is typed
def respond(prompt: str) -> str:
    try:
        row = tokens.encode(prompt)[None]
    except KeyError as error:
        return f"refused: no token for {error}"
    return repr(tokens.decode(write(row, 40, np.random.default_rng(0))[0]))


# %%
for prompt in ("What is the capital of France?", "The year is 2026.", "床前明月光，"):
    print(f"{prompt:<32} {respond(prompt)}")

# %% [markdown]
# What stands nowhere in its text, as the digit 2, has no number; with bytes as tokens (notebook [[embeddings_and_attention]]) nothing is refused. The question is not answered but *continued*, because that is all that was trained. An assistant needs another step (notebook [[from_model_to_assistant]]).

# %% [markdown]
# ## 16b.7 Which writer writes best? ◇
#
# **Predict.** At which temperature do most words of the sample stand in the training text: 0.5, 1 or 1.5? Does that make it the best writer?

# %% tags=["plumbing"]
#@title Plumbing: which words of a sample stand in the training text, and how many differ
dictionary = set(re.findall(r"[a-z]+", tokens.decode(train_ids).lower()))


def words_of(written: str) -> tuple[float, float]:
    """Share of its words that the training text has; share that differ among them."""
    words = re.findall(r"[a-z]+", written.lower())[:-1]  # the last may be cut
    known = [word in dictionary for word in words]
    return float(np.mean(known)), len(set(words)) / len(words)


# %%
SAMPLERS = {"temperature 0.5": sampler(0.5), "temperature 1": sampler(1.0),
            "temperature 1.5": sampler(1.5), "top-k 5": sampler(top_k=5),
            "top-p 0.9": sampler(top_p=0.9)}
for name, choose in SAMPLERS.items():
    written = continue_text(PROMPT, 2 * LENGTH, choose)[len(PROMPT):]
    known, differ = words_of(written)
    print(f"{name:<15} {known:>4.0%} known, {differ:>4.0%} differ  {written[:50]!r}")

# %% [markdown]
# Compare the two columns: a colder sampler takes fewer risks with its words. Judge by what you need; the loss does not depend on the sampler.

# %% [markdown]
# A table of counts with $n = 8$ can repeat the text, for its counts *are* the text. Who judges by samples alone, or by this test, may prefer the thief. The loss on text held back doesn't.
#
# And how foreign is a text to the model?
#
# **Predict.** Order by price: lines of a play that it never read, a modern letter, the same lines with their letters shuffled.

# %%
test_text = text[cut:]
# The Tempest: it begins in the last tenth, so nothing of it was learned
play = test_text.index("Master:\nBoatswain!") if REAL else len(test_text) // 2
modern = ("We regret to inform you that the meeting was moved to Tuesday afternoon, "
          "because the train from London was late again and the office is closed. ")
lines, n = test_text[play:], len(modern)
letters = "".join(np.random.default_rng(0).permutation(list(lines[:2000])))
for name, sample in (("the play", lines), ("its letters, shuffled", letters),
                     ("the letter", modern * 2)):
    losses = score(tokens.encode("".join(c for c in sample if c in tokens.number)))
    prices = [losses[i : i + n].mean() for i in range(0, len(losses) - n + 1, n)]
    low, high = np.quantile(prices, (0.05, 0.95))
    print(f"{name:<22} {low:.2f} to {high:.2f} nats: nine of ten of {len(prices)} "
          f"pieces of {n} characters")

# %% [markdown]
# The shuffled letters stand far out. The letter lies among the play's own pieces: to this model, English is letters in a row, and so few characters say little. A product would watch this number over many of a user's texts, and know what it can't see.

# %% [markdown]
# ## 16b.8 Can it learn a form that nobody told it? ◇
#
# Poems of the Tang dynasty (唐诗) mostly have lines of five or seven characters. Take the regular ones: four or eight lines, all of one length: the outer form of 絕句 and 律詩 (tones and rhyme are not checked). A poem begins with a special token that names the length, `<5>` or `<7>`, and ends with `<end>`. A character that occurs fewer than five times becomes □, the sign that Chinese books print for a lost character.

# %% tags=["plumbing"]
#@title Plumbing: regular poems, and their tokens
def form_of(poem: str) -> int:
    """5 or 7 for a regular poem of four or eight lines, else 0."""
    lines = re.split("[，。]", poem)[:-1]
    sizes = {len(line) for line in lines}
    regular = len(lines) in (4, 8) and re.fullmatch("[\u4e00-\u9fff，。]+", poem)
    return sizes.pop() if regular and sizes in ({5}, {7}) else 0


def encode_poem(poem: str) -> list[int]:
    """(ROW,) its form, its characters, its end; a short poem ends several times."""
    inside = [signs.number.get(c, MARK["□"]) for c in poem]
    row = [MARK[f"<{form_of(poem)}>"], *inside]
    return row + [MARK["<end>"]] * (ROW - len(row))


every_poem = ["".join(poem.lines) for poem in data.tang_poems().poems]
regular = sorted({poem for poem in every_poem if form_of(poem)})
regular = [regular[i] for i in np.random.default_rng(0).permutation(len(regular))]
learned, judged_poems = regular[len(regular) // 10:], regular[: len(regular) // 10]
found, times = np.unique(list("".join(learned)), return_counts=True)
signs = Characters("".join(found[times >= 5]), special=("<5>", "<7>", "<end>", "□"))
MARK, ROW = signs.special, 8 * (7 + 1) + 2
poem_rows, poem_test = (np.array([encode_poem(poem) for poem in part], np.int32)
                        for part in (learned, judged_poems))  # (poems, ROW)


def poem_batches(B: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    while True:
        rows = poem_rows[rng.integers(0, len(poem_rows), B)]
        yield rows[:, :-1], rows[:, 1:]


# %%
print(f"{len(regular):,} regular poems of {len(every_poem):,}, "
      f"{len(judged_poems):,} of them for the test; {signs.size:,} tokens")
print(signs.decode(poem_rows[0]))

# %% [markdown]
# Poems are short, so each gets a row of its own, filled up with `<end>`. Nothing else says how long a line is.
#
# **Predict.** After less than a minute of training, which share of the lines that it writes has the right number of characters: a third, two thirds, or nearly all?

# %%
POET = by_profile(
    quick=dict(depth=1, width=32, heads=2), standard=dict(depth=2, width=64, heads=4),
    full=dict(depth=2, width=128, heads=4, dropout=0.1))
POET_STEPS, POET_B = by_profile(quick=(10, 8), standard=(500, 16), full=(1500, 32))
keras.utils.set_random_seed(0)
poet = GPT(signs.size, context=ROW, **POET)
prepare(poet, POET_STEPS)
with plotting.LiveCurves(5, title="The poet", keep=False) as live:
    show = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: live.update(epoch + 1, logs))
    poet.fit(poem_batches(POET_B), steps_per_epoch=POET_STEPS // 5, epochs=5,
             verbose=0, shuffle=False, callbacks=[show])

# %%
x, y = poem_test[:, :-1], poem_test[:, 1:]
counted = np.cumsum(y == MARK["<end>"], axis=1) <= 1  # up to the first <end>
poet_nats = poet.evaluate(x, y, sample_weight=counted.astype("float32"), verbose=0)
poet_nats *= counted.size / counted.sum()  # fit's mean is over all places
print(f"{poet_nats:.2f} nats per sign of test poems; "
      f"all alike would be {math.log(signs.size):.2f}")

# %%
choose, never = sampler(0.9, top_p=0.95), np.zeros(signs.size, np.float32)
never[MARK["□"]] = -1e9  # what it must not write
write_signs = writer(poet, lambda logits, u: choose(logits + never, u))
POEMS = by_profile(quick=4, standard=64, full=256)
made = {}  # form -> poems
for form in (5, 7):
    prompts = np.full((POEMS, 1), MARK[f"<{form}>"], np.int32)
    rows = write_signs(prompts, ROW - 1, np.random.default_rng(form))
    made[form] = [signs.decode(row).split("<end>")[0] for row in rows]
    print(f"<{form}>", *made[form][:2], sep="\n  ")

# %%
lines = [(form, line) for form, group in made.items() for poem in group
         for line in re.split("[，。]", poem) if line]
right = np.mean([len(line) == form for form, line in lines])
in_books = {line for poem in learned for line in re.split("[，。]", poem)}
copied = np.mean([line in in_books for _, line in lines])
print(f"{right:.1%} of {len(lines)} lines have the right number of characters; "
      f"{copied:.1%} of the lines stand in the training poems")

# %% tags=["evidence"]
#@title Evidence: the form is learned
claim("share of lines with the right number of characters", right, at_least=0.95,
      applies=profile() != "quick")

# %% [markdown]
# Nearly all, on the real poems. So it counts to five and seven?
#
# **Predict.** Give it `<5>`, a first line of only *three* characters, and the comma. How many characters has the second line that it writes: 5, since it counts from the comma, or 1, since it goes by the place?

# %%
firsts = [poem[:3] + "，" for poem in judged_poems if form_of(poem) == 5][:POEMS]
prompts = np.array([[MARK["<5>"], *[signs.number.get(c, MARK["□"]) for c in first]]
                    for first in firsts], np.int32)  # (poems, 5)
rows = write_signs(prompts, 12, np.random.default_rng(1))
second = [len(re.split("，|。|<end>", signs.decode(row))[0]) for row in rows]
for size in sorted(set(second)):
    print(f"second line of {size} characters: {second.count(size)} of {len(second)}")
if full := full_results("16b"):
    print(f"the full profile's poet: one character in {full['poems']['by place']:.0%}")

# %% [markdown]
# 1, with this training: it does not count. In each `<5>` that it has read, a sign stands at place 6, so the place and the first token are all it needs. It is right for a reason that fails as soon as something is new. (A wider poet, trained longer with dropout in the full profile, doesn't go by the place alone.) Cut the poems into windows that begin anywhere, as notebook [[project_gpt]] does with plays (16.3), and the place tells nothing: turn that knob.
#
# What the lines mean together is another matter. Ask someone who reads them.

# %% [markdown]
# ## 16b.9 How small can the cache be? ◇
#
# For a long text, or many users at once, the cache outgrows the weights (notebook [[what_is_a_large_model]], exercise 1.6), and all of it is read for every new token. *Grouped-query attention* (分组查询注意力) lets several heads share one pair of keys and values; the heads still ask their own questions. (J. Ainslie and others, *GQA: training generalized multi-query Transformer models from multi-head checkpoints*, EMNLP 2023.)
#
# **Predict.** Four heads, one shared pair. By which factor does the cache shrink, and does the number of weights fall as much?

# %%
GQA = {**SIZES, "context": LONG, "heads": 4}
grouped, multi = (GPT(V, **{**GQA, "groups": g}) for g in (1, 4))
for name, model in (("four pairs", multi), ("one pair", grouped)):
    model(read[:, :4])
    room = sum(4 * math.prod(x.shape) for pair in new_cache(model, 1) for x in pair)
    print(f"{name:<10} {model.count_params():>9,} weights, "
          f"cache {room / 1e6:.2f} MB for a text of {LONG}")

# %% tags=["evidence"]
#@title Evidence: a shared pair is multi-head attention whose pairs are equal
def repeated(w: np.ndarray, shape: tuple) -> np.ndarray:
    """Keys' and values' columns four times, where the shape asks for it."""
    if w.shape == tuple(shape):
        return w
    width = GQA["width"]
    q, k, v = np.split(w, [width, width + width // 4], axis=-1)
    return np.concatenate([q, *[k] * 4, *[v] * 4], axis=-1)


multi.set_weights([repeated(w, other.shape)
                   for w, other in zip(grouped.get_weights(), multi.weights)])
both = [ops.convert_to_numpy(model(read)) for model in (grouped, multi)]
claim("largest difference of a logit", np.abs(both[0] - both[1]).max(), at_most=1e-4)

# %%
writers = {"four pairs": writer(multi), "one pair": writer(grouped)}
for rows in by_profile(quick=(2,), standard=(1, 32), full=(1, 32)):  # texts at once
    many = np.repeat(read[:, :8], rows, axis=0)
    calls = {name: lambda w=w: w(many, LONG - 8, np.random.default_rng(0))
             for name, w in writers.items()}
    for name, took in seconds_of(calls, rounds=3).items():
        rate = LONG * rows / took
        print(f"{rows:>2} at once, {name:<10} {rate:>8,.0f} characters a second")

# %% [markdown]
# The cache shrinks by four, the weights by less: only the columns of $K$ and $V$ go. (One pair for *all* heads is the extreme case, *multi-query* attention.) The time on this processor does not follow the bytes: compare one text with many. Where the cache of many long texts no longer fits beside the weights, its size decides. What it costs in quality only training tells.

# %% [markdown]
# ## 16b.10 Can a worse model make a better one faster? ◇
#
# Reading one token or four takes nearly the same time, as long as the weights' way from memory is what counts. So let something cheap *guess* three characters, and let the model judge all three in one call: *speculative decoding* (推测解码; Y. Leviathan, M. Kalman, Y. Matias, *Fast inference from Transformers via speculative decoding*, ICML 2023). The guesser here is the table that counts (notebook [[project_gpt]], 16.2).
#
# A guess $x$ was drawn with probability $q(x)$; the model gives it $p(x)$. Accept it with probability $\min(1, p(x) / q(x))$. If it is refused, draw from what is lacking, $\max(0, p - q)$, scaled to sum 1, and forget the later guesses.
#
# **Predict.** What is the distribution of the character that results: (a) $q$ · (b) something between · (c) exactly $p$

# %%
def judge(x: int, p: np.ndarray, q: np.ndarray, rng) -> tuple[int, bool]:
    """A guess x drawn from q (V,), judged by p (V,): the character, was it accepted?"""
    if rng.random() * q[x] < p[x]:
        return x, True
    lacking = np.maximum(p - q, 0)
    return int(rng.choice(len(p), p=lacking / lacking.sum())), False


p, q = np.array([0.6, 0.3, 0.1, 0.0]), np.array([0.2, 0.3, 0.1, 0.4])
rng = np.random.default_rng(0)
DRAWS = by_profile(quick=4_000, standard=40_000, full=40_000)
drawn = [judge(rng.choice(4, p=q), p, q, rng) for _ in range(DRAWS)]
print("drawn", np.bincount([x for x, _ in drawn], minlength=4) / DRAWS, "  p", p)
print(f"accepted {np.mean([yes for _, yes in drawn]):.3f}, "
      f"sum of min(p, q) {np.minimum(p, q).sum():.3f}")

# %% [markdown]
# (c). Why? The character is $x$ either as an accepted guess, with probability $q(x) \min(1, p(x)/q(x)) = \min(p(x), q(x))$, or after a refusal. A guess is refused with probability $1 - \sum_y \min(p(y), q(y)) = \sum_y \max(0, p(y) - q(y))$, which is just the number that scales the rest. So
#
# $$P(x) = \min(p(x), q(x)) + \max(0, p(x) - q(x)) = p(x).$$

# %% tags=["plumbing"]
#@title Plumbing: the table's next character
counts = Counts(train_ids, 4, V)


def table_next(context: np.ndarray, n: int) -> np.ndarray:
    """(V,) probabilities of the next character by the counts after the last n."""
    p = np.full(V, 1 / V)
    for m in range(n + 1):
        code = 0
        for c in context[len(context) - m:]:
            code = code * V + int(c)
        before = counts.seen(np.array([code]), m)[0] if m else counts.total
        p = (counts.seen(code * V + np.arange(V), m + 1) + 5 * p) / (before + 5)
    return p / p.sum()


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits.astype(float) - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# %% tags=["plumbing"]
#@title Plumbing: a loop in which the table guesses and the model judges
def read_on(ids, cache, position):
    return cached_logits(gpt, ids, cache, position)


cached_step = compiled(read_on, gpt)


def step(ids: list[int], cache: list, at: int) -> tuple[np.ndarray, list]:
    """Probabilities (S, V) after each of S tokens, the first at `at`; new cache."""
    row, place = np.array([ids], np.int32), ops.convert_to_tensor(at, "int32")
    logits, cache = cached_step(row, cache, place)
    return softmax(ops.convert_to_numpy(logits)[0]), cache


def speculate(prompt: np.ndarray, cache: list, new: int, k: int,
              rng: np.random.Generator, n: int = 4) -> tuple[list, int]:
    """`new` characters, k guessed at a time, and how many calls of the model it took.

    cache: that of the prompt without its last token. n: of the table that guesses.
    """
    if len(prompt) + new + k > T:
        raise ValueError("the context is too short for so many characters and guesses")
    ids, calls, done = list(prompt), 0, len(prompt) - 1
    while len(ids) < len(prompt) + new:
        q, guess = [], []
        for _ in range(k):
            q.append(table_next(np.array(ids + guess), n))
            guess.append(int(rng.choice(V, p=q[-1])))
        p, cache = step([ids[-1], *guess], cache, done)
        calls += 1
        for i, x in enumerate(guess):
            x, accepted = judge(x, p[i], q[i], rng)
            ids.append(x)
            if not accepted:
                break
        else:  # all accepted: the last row is one more character for nothing
            ids.append(int(rng.choice(V, p=p[k])))
        done = len(ids) - 1  # what stands in the cache beyond is written over
    return ids[len(prompt): len(prompt) + new], calls


# %%
start_ids = tokens.encode(PROMPT)
kept_cache = new_cache(gpt, 1)
for at, token in enumerate(start_ids[:-1]):
    _, kept_cache = step([token], kept_cache, at)
NEW = T - len(PROMPT) - 5  # as many as the context holds
for k, n in ((0, 4), (3, 4), (3, 0)):  # how many guesses, by which table
    speculate(start_ids, kept_cache, 5, k, np.random.default_rng(0), n)  # compiles
    begin, calls = time.perf_counter(), 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        calls += speculate(start_ids, kept_cache, NEW, k, rng, n)[1]
    took = time.perf_counter() - begin
    print(f"{k} guesses, n = {n}: {5 * NEW / calls:.2f} characters a call, "
          f"{5 * NEW / took:,.0f} a second")

# %% tags=["evidence"]
#@title Evidence: pairs of characters come as often as the model alone says (chi-squared)
from scipy.stats import chi2

first, _ = step([int(start_ids[-1])], kept_cache, len(start_ids) - 1)  # (1, V)
rows = np.concatenate([np.repeat(start_ids[None], V, 0), np.arange(V)[:, None]], axis=1)
second = softmax(next_logits(rows.astype(np.int32)))  # (V, V)
expected = (first[0][:, None] * second).ravel()  # of each pair
RUNS = by_profile(quick=300, standard=1500, full=3000)
pairs = [speculate(start_ids, kept_cache, 2, 3, np.random.default_rng([9, i]))[0]
         for i in range(RUNS)]
seen = np.bincount([a * V + b for a, b in pairs], minlength=V * V)
big = expected * RUNS >= 5  # the rare pairs together are one cell more
e = np.append(expected[big], expected[~big].sum()) * RUNS
o = np.append(seen[big], seen[~big].sum())
value = chi2.sf(np.sum((o - e) ** 2 / e), len(e) - 1)
claim(f"p-value of {RUNS:,} pairs in {len(e)} cells", value, at_least=0.001,
      applies=profile() != "quick")

# %% [markdown]
# The text is distributed as if nobody had guessed. Fewer calls are not yet less time. It pays where a call for four tokens costs hardly more than one for a single token, and the guesser almost nothing. With $n = 0$ the table knows no context, and more of its guesses are refused.


# %% [markdown]
# ## 16b.11 Is it fast, beside a library? ◇
#
# KerasHub has a GPT-2. Take it at the same sizes, without dropout, on one machine, both compiled by XLA, in turns. Ours computes less: one product for queries, keys and values, no padding mask, and 64 queries at a time, each time with the keys that they may see. Half of a causal attention's scores are thrown away by the mask; here most of that half is never computed.
#
# **Predict.** How many times as many characters a second does each of the two train and write: the same, 1.2 to 3 times, or 10 times?

# %% tags=["plumbing"]
#@title Plumbing: both models at the same sizes, as calls for the clock
RACE = by_profile(quick=dict(context=32, depth=1, width=32, heads=2),
                  standard=dict(context=256, depth=4, width=128, heads=4),
                  full=dict(context=512, depth=6, width=192, heads=6))
HUB = keras.backend.backend() == "tensorflow" and find_spec("keras_hub") is not None


def racers() -> dict[str, Callable]:
    """name -> a call that trains five steps of 8 rows, or writes one text."""
    import keras_hub

    n = RACE["context"]
    ours = GPT(V, **RACE)
    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=V, num_layers=RACE["depth"], num_heads=RACE["heads"],
        hidden_dim=RACE["width"], intermediate_dim=4 * RACE["width"],
        max_sequence_length=n, dropout=0.0)
    theirs = keras_hub.models.GPT2CausalLM(backbone, preprocessor=None)
    x, y = batch(train_ids, 8, n, np.random.default_rng(0))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    mask = np.ones_like(x)
    ours.compile("adam", loss, jit_compile=True)
    theirs.compile(optimizer="adam", loss=loss, jit_compile=True,
                   sampler=keras_hub.samplers.RandomSampler())
    our_writer = writer(ours)
    ids, known = np.zeros((1, n), np.int32), np.zeros((1, n), np.int32)
    ids[:, :8], known[:, :8] = x[:1, :8], 1
    prompt = {"token_ids": ids, "padding_mask": known}
    steps = dict(batch_size=8, verbose=0, shuffle=False)
    five = np.tile(x, (5, 1)), np.tile(y, (5, 1)), np.tile(mask, (5, 1))
    return {
        "ours, training": lambda: ours.fit(five[0], five[1], **steps).history["loss"],
        "KerasHub, training": lambda: theirs.fit(
            {"token_ids": five[0], "padding_mask": five[2]}, five[1],
            **steps).history["loss"],
        "ours, writing": lambda: our_writer(x[:1, :8], n - 8,
                                            np.random.default_rng(0)),
        "KerasHub, writing": lambda: theirs.generate(prompt, stop_token_ids=None)[
            "token_ids"]}


# %%
RACING = by_profile(quick=False, standard=False, full=True)  # yours to turn: a minute
race = full["race"] if full else {}
if RACING and HUB:
    took = seconds_of(racers(), rounds=by_profile(quick=1, standard=3, full=8))
    work = {"training": 5 * 8 * RACE["context"], "writing": RACE["context"] - 8}
    race = {name: work[name.split(", ")[1]] / s for name, s in took.items()}
for name, rate in race.items():
    print(f"{name:<19} {rate:>9,.0f} characters a second")

# %% tags=["evidence"]
#@title Evidence: at least 1.2 times as fast, in training and in writing
if race:
    for what in ("training", "writing"):
        claim(f"{what}: our speed over KerasHub's",
              race[f"ours, {what}"] / race[f"KerasHub, {what}"], at_least=1.2,
              applies=profile() == "full")

# %% [markdown]
# 1.2 to 3 times, in the full profile's run. The library serves every tokenizer, padding and sampler; ours serves this course. A fair race needs the same sizes, the same compiler, and turns: whoever runs second on a busy machine may lose for that alone.

# %% tags=["plumbing"]
#@title Plumbing: the figures of this run
results = {
    "parameters": gpt.count_params(), "validation": float(score(val_ids).mean()),
    "times faster with cache": per_token["without"] / per_token["with"],
    "race": race, "poems": {"lines right": float(right), "nats": float(poet_nats),
                           "by place": float(np.mean(np.equal(second, 1)))}}

# %% [markdown]
# ## Open task: a writer for a purpose
#
# Choose a purpose: names for a game, lines for a chat partner in a play, variations of one sentence. Which temperature and which filter serve it, by which measure of your own? Count on a hundred texts, and say what the measure does not see.

# %% [markdown]
# ## Recall
#
# <details><summary>Temperature 0.5 with top-p 0.9: which is applied first, and does the order matter?</summary>
#
# Temperature here. It matters: a sharper distribution reaches 0.9 with fewer tokens.
# </details>
#
# <details><summary>Greedy search is asked for five texts. How many different ones, and what must be added?</summary>
#
# One; a random number of its own for each text and character.
# </details>
#
# <details><summary>What is in a key-value cache, and why are the queries not in it?</summary>
#
# Keys and values of every place, per block. Only the newest place asks; the answers to the old queries are not needed again.
# </details>
#
# <details><summary>What does the model do with a question?</summary>
#
# It continues it, as it continues any text. Only guessing the next character was trained.
# </details>
#
# <details><summary>When is the cache no longer valid?</summary>
#
# When a token changes its place: here, when the text outgrows the context and the window moves.
# </details>

# %% [markdown]
# ## Summary
#
# 1. The model gives probabilities; temperature, top-k and top-p decide what becomes of them.
# 2. Greedy search repeats itself, and can't give two texts.
# 3. Within a context, old keys and values never change: the cache changes only the time.
# 4. The model continues; it does not answer, and what has no token it can't read.
#
# **Read this next:** A. Holtzman and others, *The curious case of neural text degeneration*, ICLR 2020 (top-p).
#
# Notebook [[project_pretrained_gpt2]] lets OpenAI's GPT-2 write with the same sampler and cache.
