"""Gpt: taught in notebooks/16_project_gpt.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
import numpy as np
import os
import platform

from course_utils import profile


import keras
from keras import layers, ops


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


def hold_back(ids: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A text (n,) -> (to learn from, held back: every twentieth block)."""
    stays_out = np.arange(len(ids)) // size % 20 == 10
    return ids[~stays_out], ids[stays_out]


def batch(ids: np.ndarray, B: int, T: int,
          rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """B windows of a text (n,): inputs and targets, both (B, T)."""
    starts = rng.integers(0, len(ids) - T, B)
    windows = ids[starts[:, None] + np.arange(T + 1)]  # (B, T + 1)
    return windows[:, :-1], windows[:, 1:]


def attend(q, k, v, places):
    """Causal attention: the query at place t looks at the keys 0 … t.

    q: (B, h, S, d_head), k, v: (B, h, T, d_head), places: (S,) int -> (B, h, S, d_head)
    """
    scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2)))  # (B, h, S, T)
    allowed = ops.arange(k.shape[2]) <= ops.expand_dims(places, 1)  # (S, T)
    scores = ops.where(allowed, scores * q.shape[-1] ** -0.5, -1e9)
    return ops.matmul(ops.softmax(scores), v)


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


def all_logits(model: keras.Model, ids):
    """Token numbers (B, S), S up to the context -> logits (B, S, vocabulary)."""
    x = model.tokens(ids) + model.places(ops.arange(ids.shape[1]))  # (B, S, width)
    x = model.drop(x)
    for block in model.blocks:
        x = block(x)
    return ops.matmul(model.norm(x), ops.transpose(model.tokens.embeddings))


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
