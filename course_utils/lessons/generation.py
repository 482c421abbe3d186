"""Generation: taught in notebooks/16b_generating_text.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections.abc import Callable
import numpy as np
import time


import keras
from keras import layers, ops

from course_utils.lessons.gpt import (
    GPT, Characters, Counts, all_logits, attend_groups, batch, compiled, hold_back,
    next_logits_of, prepare, scorer, train_on_text,
)


def pick(logits, u):
    """The token where the sum of probabilities passes u. (B, V) and (B,) -> (B,)"""
    sums = ops.cumsum(ops.softmax(logits), axis=-1)  # (B, V), rising to 1
    u = ops.minimum(ops.cast(u, "float32"), 1 - 1e-6)  # 1 would pass no sum
    passed = sums <= ops.expand_dims(u, -1) * sums[:, -1:]
    return ops.sum(ops.cast(passed, "int32"), axis=-1)


def keep_top_k(logits, k: int):
    """-inf for all but the k largest of each row. logits: (B, V) -> (B, V)"""
    ordered = ops.flip(ops.sort(logits, axis=-1), axis=-1)  # largest first
    limit = ordered[:, k - 1 : k]  # (B, 1)
    return ops.where(logits >= limit, logits, -np.inf)


def keep_top_p(logits, p: float):
    """-inf for all but the smallest set that sums to p. logits: (B, V) -> (B, V)"""
    ordered = ops.flip(ops.sort(logits, axis=-1), axis=-1)
    q = ops.softmax(ordered)
    stays = ops.cumsum(q, axis=-1) - q < p  # the sum before it
    least = ops.min(ops.where(stays, ordered, np.inf), axis=-1, keepdims=True)
    return ops.where(logits >= least, logits, -np.inf)


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


def put(old, new, position):
    """old (B, g, T, d_head) with new (B, g, S, d_head) at place position and after it.
    What does not fit at the end is moved to the left, silently."""
    return ops.slice_update(old, (0, 0, position, 0), new)


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
