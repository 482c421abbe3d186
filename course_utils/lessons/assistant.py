"""Assistant: taught in notebooks/19_from_model_to_assistant.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import numpy as np
import platform
import zlib

from course_utils import profile


import keras
from keras import ops

from course_utils.lessons.generation import sampler, writer
from course_utils.lessons.gpt import GPT, Characters, compiled


T = 32  # tokens that the model sees
END, ASK, SAY = "<end>", "<ask>", "<say>"
TOKENS = Characters("0123456789+-=:# abcdefghijklmnopqrstuvwxyz", (END, ASK, SAY))


def is_held_out(a: int, b: int) -> bool:
    """A tenth of all sums, never learned from. 47+85 and 85+47 share a side."""
    low, high = sorted((int(a), int(b)))
    return zlib.crc32(f"{low}+{high}".encode()) % 10 == 0


PAIRS = np.array([(a, b) for a in range(10, 100) for b in range(10, 100)])  # (8100, 2)
HELD = np.array([is_held_out(a, b) for a, b in PAIRS])  # (8100,)


def working(a: int, b: int) -> str:
    """The answer digit by digit: 7+5=12 4+8+1=13 #132"""
    ones = a % 10 + b % 10
    tens = a // 10 + b // 10 + ones // 10
    carry = "+1" if ones > 9 else ""
    return f"{a % 10}+{b % 10}={ones} {a // 10}+{b // 10}{carry}={tens} #{a + b}"


def documents(n: int, rng: np.random.Generator) -> list[str]:
    """One-digit facts, workings, statements. Of the longer sums a fifth is wrong, and
    none is held out."""
    pool, texts = PAIRS[~HELD], []
    for _ in range(n):
        kind = rng.random()
        if kind < 0.25:
            a, b = rng.integers(0, 10, 2)
            texts.append(f"{a}+{b}+1={a + b + 1}" if rng.random() < 0.5
                         else f"{a}+{b}={a + b}")
            continue
        a, b = pool[rng.integers(len(pool))]
        said = a + b + (rng.integers(1, 20) if rng.random() < 0.2 else 0)
        if kind < 0.6:
            texts.append(f"{a}+{b}: {working(a, b).partition('#')[0]}#{said}")
        else:
            texts.append(f"{a}+{b}={said}" if kind < 0.8
                         else f"the sum of {a} and {b} is {said}")
    return texts


def document_rows(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Documents -> token numbers (n, T + 1), counts (n, T): every character counts."""
    ids = np.full((len(texts), T + 1), TOKENS.special[END], np.int32)
    counts = np.zeros((len(texts), T), np.float32)
    for i, text in enumerate(texts):
        ids[i, 1 : len(text) + 1] = TOKENS.encode(text)
        counts[i, : len(text) + 1] = 1  # the mark at the end, too
    return ids, counts


def new_model(seed: int) -> keras.Model:
    """Two blocks of width 128: 0.4 million weights."""
    keras.utils.set_random_seed(seed)
    width = 32 if profile() == "quick" else 128
    model = GPT(TOKENS.size, T, depth=2, width=width, heads=4)
    model(np.zeros((1, T), np.int32))  # makes the weights
    return model


def ready(model: keras.Model, loss: Callable | None = None, decay: float = 0.1) -> None:
    """Compile the model once, for all the trainings with this loss."""
    loss = loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=decay, beta_2=0.99,
                                       global_clipnorm=1.0)
    quick = profile() == "quick"  # too few steps to compile for
    fast = platform.system() == "Linux" and not quick  # XLA: thrice as fast here
    model.compile(optimizer, loss, jit_compile=fast, run_eagerly=quick)
    optimizer.build(model.trainable_variables)


class RiseAndFall(keras.callbacks.Callback):
    """The rate of step i of n: up to the peak in the first tenth, then down to 0."""

    def __init__(self, peak: float, steps: int) -> None:
        super().__init__()
        self.peak, self.n, self.i = peak, steps, 0

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        part = self.i / self.n
        self.model.optimizer.learning_rate = self.peak * min(
            (self.i + 1) / (0.1 * self.n), 0.5 + 0.5 * np.cos(np.pi * part))
        self.i += 1


def restart(model: keras.Model) -> None:
    """The optimizer forgets what it saw: another training begins."""
    for variable in model.optimizer.variables:
        if variable is not model.optimizer.learning_rate:
            variable.assign(ops.zeros_like(variable))


def train_on_rows(model: keras.Model, ids: np.ndarray, counts: np.ndarray, steps: int,
                  *, peak: float, B: int = 64, seed: int = 0, epochs: int = 1,
                  callbacks: tuple | list = ()) -> None:
    """fit() on rows in random order, again and again, for so many steps of B rows."""
    rng = np.random.default_rng(seed)

    def batches() -> Iterator:
        while True:
            order = rng.permutation(len(ids))
            for start in range(0, len(ids) - B + 1, B):
                rows = order[start : start + B]
                weights = counts[rows] / counts[rows].mean()  # a mean over what counts
                yield ids[rows, :-1], ids[rows, 1:], weights

    restart(model)
    model.fit(batches(), steps_per_epoch=steps // epochs, epochs=epochs, verbose=0,
              shuffle=False, callbacks=[RiseAndFall(peak, steps), *callbacks])


def prompt(question: str) -> list[int]:
    """What stands before an answer (19.2)."""
    special = TOKENS.special
    return [special[END], special[ASK], *TOKENS.encode(question), special[SAY]]


def answerer(model: keras.Model, temperature: float = 1.0, B: int = 256) -> Callable:
    """A function (questions of equal length, rng) -> answers, each up to its end mark.

    It answers B at a time, so that one program is compiled. ASK and SAY are ours to
    write: the model never draws them. before: what stands before an answer.
    """
    ours = np.zeros(TOKENS.size, np.float32)
    ours[[TOKENS.special[ASK], TOKENS.special[SAY]]] = -1e9
    choose = sampler(temperature)
    write = writer(model, lambda logits, u: choose(logits + ours, u))

    def answer(questions: list[str], rng: np.random.Generator,
               before: Callable[[str], list[int]] = prompt) -> list[str]:
        texts: list[str] = []
        for start in range(0, len(questions), B):
            part = questions[start : start + B]
            ids = np.array([before(question) for question in part])
            ids = np.pad(ids, ((0, B - len(part)), (0, 0)), mode="edge")
            for row in write(ids, T - ids.shape[1], rng)[: len(part)]:
                ends = np.flatnonzero(row == TOKENS.special[END])
                texts.append(TOKENS.decode(row[: ends[0]] if len(ends) else row))
        return texts

    return answer


def padded(tokens: list[int], first: int) -> tuple[np.ndarray, np.ndarray]:
    """One text as a row: token numbers (T + 1,), and which of the T guesses count.

    first: the first token that the model has to guess. Padded with the end mark.
    """
    ids = np.full(T + 1, TOKENS.special[END], np.int32)
    ids[: len(tokens)] = tokens
    counts = np.zeros(T, np.float32)
    counts[first - 1 : len(tokens) - 1] = 1
    return ids, counts


def chat_rows(chats: list[tuple[str, str]]) -> tuple[np.ndarray, np.ndarray]:
    """(question, answer) -> ids (n, T + 1), counts (n, T): answer and end count."""
    rows = []
    for question, answer in chats:
        before = prompt(question)
        tokens = [*before, *TOKENS.encode(answer), TOKENS.special[END]]
        rows.append(padded(tokens, len(before)))
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def chats(n: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """n different sums that are not held out, with their answers: half with working."""
    pool = PAIRS[~HELD]
    chosen = pool[rng.choice(len(pool), n, replace=False)]
    return [(f"{a}+{b}", working(a, b) if i % 2 else f"#{a + b}")
            for i, (a, b) in enumerate(chosen)]


def sums(n: int, rng: np.random.Generator) -> list[str]:
    """n questions to learn from, drawn with repetition."""
    pool = PAIRS[~HELD]
    return [f"{a}+{b}" for a, b in pool[rng.integers(0, len(pool), n)]]


def right(question: str, answer: str) -> bool:
    """Is the number behind the last # the sum that was asked for?"""
    a, b = question.split("+")
    return "#" in answer and answer.rpartition("#")[2] == str(int(a) + int(b))


def log_probabilities_of(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """A function: rows (n, T + 1) -> log p of each token but the first, (n, T)."""
    def came(ids):
        log_p = ops.log_softmax(model(ids[:, :-1], training=False))  # (n, T, V)
        places = ops.expand_dims(ids[:, 1:], 2)  # (n, T, 1)
        return ops.take_along_axis(log_p, places, axis=2)[..., 0]

    fast = compiled(came, model)
    return lambda ids: ops.convert_to_numpy(fast(ids))
