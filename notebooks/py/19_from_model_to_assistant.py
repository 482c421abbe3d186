# ---
# jupyter:
#   course:
#     datasets: []
#     covers: "What turns a model that continues text into one that answers: chat format, fine-tuning, rejection sampling, preferences (DPO derived and checked), refusals; an evaluation that is not fooled by leaks, by contamination or by a judge's taste."
#     prerequisites: [project_gpt, generating_text, evaluation_metrics]
#     ledger: []
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
# # From language model to assistant
#
# A language model only continues text. What makes it answer, and how do you know that it does?
#
# At the end you have an assistant for sums that it never saw. It refuses what it can't do. And you have a test of it that a suspicious colleague accepts.
#
# **You will be able to**
#
# - put a chat into a format, and say which guesses count;
# - grade answers, and say for what the number stands;
# - train a model on its own right answers;
# - write the loss of "this one is better", and see where it misleads;
# - find what makes a test too kind, and repair a split.

# %% tags=["setup"]
import platform
import re
import time
import zlib
from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import numpy as np
from scipy import optimize, special

from course_utils import (
    by_profile, check, claim, devices, full_results, plotting, profile, solved,
)
from course_utils.lessons.evaluation import paired_interval, wilson

plotting.use_style()

# %% tags=["plumbing"]
#@title Plumbing: TensorFlow, started quietly
devices.setup(seed=0).get_logger().setLevel("ERROR")  # or it remarks on each shape
SEED = 0  # the full profile adds 1 and 2
AT_ONCE = by_profile(quick=32, standard=256, full=256)  # answers

# %% tags=["plumbing", "keep"] lesson="assistant"
#@title Plumbing: Keras, the GPT of notebook 16 and what makes it write
import keras
from keras import ops

from course_utils.lessons.generation import sampler, writer
from course_utils.lessons.gpt import GPT, Characters, compiled

# %% [markdown]
# ## 19.1 What does the bare model do with a question?
#
# <details><summary>A GPT reads a window of 32 tokens. How many guesses does it make, and what judges them?</summary>
#
# 32, one at each place. The token that comes judges: it costs $-\log p$ (notebook [[project_gpt]]).
# </details>
#
# <details><summary>What is the difference between greedy writing and sampling at temperature 1?</summary>
#
# Greedy takes the likeliest token each time, so a question has one answer. Sampling draws by the probabilities: ask twice, and you may get two answers (notebook [[generating_text]]).
# </details>
#
# This model knows 42 characters and three *marks*: special tokens that no text can type.

# %% tags=["keep"] lesson="assistant"
T = 32  # tokens that the model sees
END, ASK, SAY = "<end>", "<ask>", "<say>"
TOKENS = Characters("0123456789+-=:# abcdefghijklmnopqrstuvwxyz", (END, ASK, SAY))

# %% tags=["plumbing", "keep"] lesson="assistant"
#@title Plumbing: which sums are held out (19.8 asks whether that is honest)
def is_held_out(a: int, b: int) -> bool:
    """A tenth of all sums, never learned from. 47+85 and 85+47 share a side."""
    low, high = sorted((int(a), int(b)))
    return zlib.crc32(f"{low}+{high}".encode()) % 10 == 0


PAIRS = np.array([(a, b) for a in range(10, 100) for b in range(10, 100)])  # (8100, 2)
HELD = np.array([is_held_out(a, b) for a, b in PAIRS])  # (8100,)

# %% tags=["plumbing"]
#@title Plumbing: the sums held out, as questions
held = [f"{a}+{b}" for a, b in PAIRS[HELD]]
held = held[: by_profile(quick=60, standard=None, full=None)]

# %% tags=["plumbing", "keep"] lesson="assistant"
#@title Plumbing: the texts that it reads first, documents(n, rng)
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


# %%
print(f"{np.sum(~HELD):,} sums to learn from, {len(held)} held out")
print(*documents(7, np.random.default_rng(5)), sep="\n")

# %% [markdown]
# The *corpus* (语料) is not always right. *Pre-training* (预训练) is notebook [[project_gpt]]'s: guess the next character. Each document stands between two marks `<end>`.

# %% tags=["plumbing", "keep"] lesson="assistant"
#@title Plumbing: documents as rows of tokens, a new model, its optimizer
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


# %% tags=["plumbing", "keep"] lesson="assistant"
#@title Plumbing: train_on_rows(model, ids, counts, steps, peak=…), with fit
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


# %%
STEPS = by_profile(quick=4, standard=300, full=300)
assistant = new_model(SEED)
ready(assistant)
live = plotting.training_plot(("loss",), "Pre-training", keep=False)
corpus = documents(64 * STEPS, np.random.default_rng([SEED, 1]))
train_on_rows(assistant, *document_rows(corpus), STEPS, peak=3e-3, seed=SEED,
              epochs=min(20, STEPS), callbacks=[live])
bare = assistant.get_weights()
print(f"{live.curves.history['loss'][-1]:.2f} nats a character")

# %% tags=["plumbing", "keep"] lesson="assistant"
#@title Plumbing: answerer(model), which writes up to the end mark
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


# %% [markdown]
# Let the bare model go on behind `47+85`, at temperature 1, and so for every sum held out. (Always saying the most frequent sum would be right about once in a hundred.)
#
# **Predict.** How many continuations end with the right sum? (a) 1 % · (b) about 30 % · (c) about 80 %, as in the corpus

# %% tags=["plumbing"]
#@title Plumbing: a question as the beginning of a document, and whether a text ends with its sum
def as_text(question: str) -> list[int]:
    return [TOKENS.special[END], *TOKENS.encode(question)]


def ends_right(question: str, text: str) -> bool:
    return re.findall(r"\d+", text)[-1:] == [str(sum(map(int, question.split("+"))))]


# %%
answer = answerer(assistant, B=AT_ONCE)  # writes with the weights set last
written = answer(held, np.random.default_rng(0), as_text)
print(*map(str.__add__, held[::120], written[::120]), sep="\n")
bare_right = np.mean([ends_right(q, text) for q, text in zip(held, written)])
print(f"{bare_right:.1%} end with the right sum")

# %% [markdown]
# (b), after these 300 steps. Nobody has told it that you want an *answer*: it continues like its corpus, where some texts state a sum at once, some work it out, and some are wrong.

# %% [markdown]
# ## 19.2 Which guesses count?
#
# A *chat format* (对话格式) tells question and answer apart:
#
# `<end><ask>47+85<say>#132<end>`
#
# The program writes everything up to `<say>`, the model the rest. The last `<end>` teaches it to stop; the first is there because every document began with one.
#
# *Fine-tuning* (微调) trains on, on such chats. The user brings the questions, so only guesses of the answer count.
#
# ### Exercise 19.2a · with a pencil (2 min)
# `<end><ask>4+5<say>9<end>` are 8 tokens, so 7 guesses: the first guesses `<ask>` from `<end>`. Type 1 where a guess counts, else 0.

# %% tags=["exercise"]
def by_pencil():
    """Seven numbers, 0 or 1: which guesses in <end><ask>4+5<say>9<end> count?"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19.2a", "with a pencil"):
    got_t = np.asarray(by_pencil(), float)
    assert got_t.shape == (7,), f"7 guesses, not shape {got_t.shape}"
    guessed_t = [ASK, "4", "+", "5", SAY, "9", END]
    counted_t = {guessed_t[i] + f" (guess {i + 1})" for i in np.flatnonzero(got_t)}
    assert np.isin(got_t, (0, 1)).all(), f"0 or 1, not {got_t}"
    assert got_t[6] == 1, "does it learn to stop?"
    told_t = f"you count {sorted(counted_t)}"
    assert got_t.sum() == len("9") + 1, f"{told_t}: an answer of one character"
    assert (np.diff(got_t) >= 0).all(), f"{told_t}: from the answer on, all count"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Guess number 6 is made at `<say>`: what comes next?
# </details>

# %% tags=["solution"]
#@title Solution 19.2a · runs only while yours does not pass
if not solved("19.2a"):
    def by_pencil():
        return [0, 0, 0, 0, 0, 1, 1]

# %% [markdown]
# ### Exercise 19.2b · a chat as a row (6 min)
# `np.full(n, value, int)` makes a row. Pad it with the end mark, number `TOKENS.special[END]`; padding does not count. More than $T + 1$ tokens must raise a `ValueError` (NumPy's own will do).

# %% tags=["exercise"]
def padded(tokens, first):
    """One text as a row: token numbers (T + 1,), and which of the T guesses count (T,).

    tokens: list of numbers. first: place of the first token that the model has to
    guess; in `<end><ask>4+5<say>9<end>` it is 6, the place of the 9.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19.2b", "a chat as a row"):
    for n_t, first_t in ((8, 6), (2, 1), (12, 1), (T + 1, 9), (T + 1, 1), (T, T - 1)):
        given_t = [TOKENS.special[END], *range(1, n_t - 1), TOKENS.special[END]]
        got_t = padded(list(given_t), first_t)
        assert len(got_t) == 2, "two rows: token numbers, counts"
        ids_t, counts_t = map(np.asarray, got_t)
        case_t = f"{n_t} tokens, first {first_t}"
        shapes_t = ids_t.shape, counts_t.shape
        assert shapes_t == ((T + 1,), (T,)), f"{case_t}: shapes {shapes_t}"
        assert ids_t.dtype.kind in "iu", f"token numbers, not {ids_t.dtype}"
        np.testing.assert_array_equal(ids_t[:n_t], given_t, f"{case_t}: the text")
        assert set(ids_t[n_t:]) <= {TOKENS.special[END]}, f"{case_t}: the padding"
        assert counts_t.sum() == n_t - first_t, (
            f"{case_t}: {counts_t.sum():g} guesses count, not {n_t - first_t}")
        guessed_t = ids_t[1:][counts_t > 0]  # what the guesses that count guess
        np.testing.assert_array_equal(guessed_t, given_t[first_t:],
                                      f"{case_t}: the guesses that count")
    try:
        padded([1] * (T + 2), 1)
    except ValueError:
        pass
    else:
        raise AssertionError(f"{T + 2} tokens: no ValueError")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Guess $i$ guesses token $i + 1$. So guesses `first - 1` up to `len(tokens) - 2` count.
# </details>

# %% tags=["solution", "keep"] lesson="assistant"
#@title Solution 19.2b · runs only while yours does not pass
if not solved("19.2b"):
    def padded(tokens: list[int], first: int) -> tuple[np.ndarray, np.ndarray]:
        """One text as a row: token numbers (T + 1,), and which of the T guesses count.

        first: the first token that the model has to guess. Padded with the end mark.
        """
        ids = np.full(T + 1, TOKENS.special[END], np.int32)
        ids[: len(tokens)] = tokens
        counts = np.zeros(T, np.float32)
        counts[first - 1 : len(tokens) - 1] = 1
        return ids, counts

# %% [markdown]
# Of the *examples* (示例) to imitate, half answer directly, half show their working.

# %% tags=["plumbing", "keep"] lesson="assistant"
#@title Plumbing: chats as rows, by your function
def chat_rows(chats: list[tuple[str, str]]) -> tuple[np.ndarray, np.ndarray]:
    """(question, answer) -> ids (n, T + 1), counts (n, T): answer and end count."""
    rows = []
    for question, answer in chats:
        before = prompt(question)
        tokens = [*before, *TOKENS.encode(answer), TOKENS.special[END]]
        rows.append(padded(tokens, len(before)))
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


# %% tags=["plumbing", "keep"] lesson="assistant"
#@title Plumbing: examples to imitate, chats(n, rng), and questions, sums(n, rng)
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


# %% [markdown]
# **Predict.** In the row of `47+85` and `#132`, how many of the 32 guesses count? (a) 3 · (b) 5 · (c) 13

# %%
examples = chats(by_profile(quick=128, standard=2000, full=2000),
                 np.random.default_rng([SEED, 2]))
row, counted = chat_rows([("47+85", "#132")])
print(f"{TOKENS.decode(row[0][:15])}…: {counted.sum():.0f} of {T} guesses count")

# %% [markdown]
# (b): four characters and the end.

# %%
TUNING = by_profile(quick=2, standard=186, full=186)  # six times through the examples
print("before:", answer(held[:3], np.random.default_rng(0)))
train_on_rows(assistant, *chat_rows(examples), TUNING, peak=1e-3, seed=SEED)
tuned = assistant.get_weights()
print("after: ", answer(held[:3], np.random.default_rng(0)))

# %% [markdown]
# It answers, and it stops. Is it *right*?

# %% [markdown]
# ## 19.3 How good is it?
#
# *Exact match* (精确匹配): the characters behind the last `#` are the sum, written as you would write it, and nothing follows.
#
# ### Exercise 19.3 · right or not (5 min)
# `text.rpartition("#")` gives three parts: before the last `#`, `"#"`, behind it. Without a `#` the first two are empty.

# %% tags=["exercise"]
def right(question, answer):
    """Is what stands behind the last # of the answer exactly the sum asked for? A bool.

    question: "47+85". answer: any text, as a model may write it
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19.3", "right or not"):
    for answer_t, want_t in (
            ("#132", True), ("7+5=12 4+8+1=13 #132", True), ("#131 #132", True),
            ("47+85#132", True), ("#132 #131", False), ("132", False), ("", False),
            ("#", False), ("132 #131", False), ("#0132", False), ("#1320", False),
            ("#13", False), ("# 132", False), ("#132 ", False), ("#+132", False),
            ("132#", False), ("#132#", False), ("#i cannot", False)):
        got_t = right("47+85", answer_t)
        assert isinstance(got_t, bool | np.bool_), f"a bool, not {got_t!r}"
        assert bool(got_t) == want_t, f"47+85, answer {answer_t!r}: {got_t}"
    assert right("10+10", "#20") and not right("10+11", "#20"), "another question"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Compare texts, not numbers: `int("0132")` is 132 as well. Is an answer without `#` ever right?
# </details>

# %% tags=["solution", "keep"] lesson="assistant"
#@title Solution 19.3 · runs only while yours does not pass
if not solved("19.3"):
    def right(question: str, answer: str) -> bool:
        """Is the number behind the last # the sum that was asked for?"""
        a, b = question.split("+")
        return "#" in answer and answer.rpartition("#")[2] == str(int(a) + int(b))

# %% [markdown]
# **Predict.** The bare model was right in about 30 %. The fine-tuned one, sampled, on the sums held out: (a) 30 % · (b) about half · (c) over 90 %

# %% tags=["plumbing"]
#@title Plumbing: who is right, as an array and as a line
stations: dict[str, np.ndarray] = {}  # name -> who is right on the sums held out


def share(hits: np.ndarray) -> str:
    return f"{np.mean(hits):.0%}" if len(hits) else "none"


def scored(name: str, questions: list[str], answers: list[str]) -> np.ndarray:
    """Which answers are right, (n,) bool; prints their share, and by style."""
    hits = np.array([right(q, a) for q, a in zip(questions, answers)])
    shown = np.array(["+" in a for a in answers])  # with working
    low, high = wilson(hits.sum(), len(hits))
    print(f"{name}: {hits.mean():.1%} right ({low:.1%} to {high:.1%}); "
          f"{shown.mean():.0%} show working: {share(hits[shown])} of these right, "
          f"{share(hits[~shown])} of the others")
    return hits


def station(name: str, weights: list[np.ndarray]) -> list[str]:
    """Answers of the model with these weights to the sums held out, scored."""
    assistant.set_weights(weights)
    answers = answer(held, np.random.default_rng(0))
    stations[name] = scored(name, held, answers)
    return answers


# %%
tuned_answers = station("fine-tuned", tuned)
bare_answers = station("bare, as a chat", bare)
print("bare, in this format:", bare_answers[:3])

# %% [markdown]
# (b), with this seed. The bracket, a Wilson interval (notebook [[evaluation_metrics]]), speaks of other questions and draws, *not* of another training (19.5 has three). Compare the two styles: one is mostly right, the other hardly ever.
#
# Is greedy writing the better test?

# %%
assistant.set_weights(tuned)
greedy = answerer(assistant, temperature=0, B=AT_ONCE)
greedy_hits = scored("fine-tuned, greedy", held, greedy(held, np.random.default_rng(0)))

# %% [markdown]
# Greedy decides at the first character: a digit begins a working, `#` a direct answer. Both are about equally likely, so small changes of the weights may turn many answers at once. The sampled share judges from here on.

# %% [markdown]
# ## 19.4 Can it learn from its own answers?
#
# Nobody writes more examples. But a program can check a sum. Let the model answer questions *to learn from*, keep what is right, and fine-tune on that: *rejection sampling* (拒绝采样).
#
# ### Exercise 19.4 · what to keep (4 min)
# Return the chats with a right answer, in their order, each once: `dict.fromkeys(chats)` has the different ones as its keys.

# %% tags=["exercise"]
def kept_answers(questions, answers):
    """The different right chats: a list of (question, answer).

    questions, answers: lists of equal length; a question may come several times
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19.4", "what to keep"):
    q_t = ["47+85", "10+30", "47+85", "47+85", "10+30", "20+20", "47+85", "20+20"]
    a_t = ["#132", "#41", "7+5=12 4+8+1=13 #132", "#132", "#40", "#40", "", "#40"]
    got_t = kept_answers(list(q_t), list(a_t))
    assert isinstance(got_t, list), f"a list, not {type(got_t).__name__}"
    assert all(len(chat_t) == 2 for chat_t in got_t), "chats: (question, answer)"
    wrong_t = [chat_t for chat_t in got_t if not right(*chat_t)]
    assert not wrong_t, f"not right: {wrong_t}"
    assert len(got_t) == 4, f"{len(got_t)} chats, not 4: {got_t}"
    places_t = [list(zip(q_t, a_t)).index(tuple(chat_t)) for chat_t in got_t]
    assert places_t == [0, 2, 4, 5], f"chats number {places_t}"
    assert kept_answers(["10+10"], ["#21"]) == [] == kept_answers([], []), "none"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `zip(questions, answers)` gives the chats one by one.
# </details>

# %% tags=["solution"]
#@title Solution 19.4 · runs only while yours does not pass
if not solved("19.4"):
    def kept_answers(questions, answers):
        chats = dict.fromkeys(zip(questions, answers))
        return [(q, a) for q, a in chats if right(q, a)]

# %% [markdown]
# **Predict.** It answers 2,048 questions, and learns for 62 steps from what was right. On the sums held out it is then right in (a) about half, as before · (b) 60 to 70 % · (c) over 80 %

# %% tags=["plumbing"]
#@title Plumbing: it answers, and your function keeps what is right
assistant.set_weights(tuned)
ASKED, KEPT_STEPS = by_profile(quick=(64, 2), standard=(2048, 62), full=(2048, 62))
questions = sums(ASKED, np.random.default_rng([SEED, 3]))
own_answers = answer(questions, np.random.default_rng([SEED, 4]))
own = kept_answers(questions, own_answers)
print(f"{len(own)} of {len(questions)} answers kept, "
      f"{share(['+' in text for _, text in own])} of them with working")
if len(own) < 64:
    own = examples  # the quick profile's model is never right

# %%
train_on_rows(assistant, *chat_rows(own), KEPT_STEPS, peak=1e-3, seed=SEED)
own_best = assistant.get_weights()
own_station = station("own right answers", own_best)

# %% tags=["evidence"]
#@title Evidence: against as many more steps on the examples, in pairs
def versus(a: str, b: str) -> tuple[float, float]:
    """95 % interval for the accuracy of station b minus a, on the same sums."""
    first, second = stations[a], stations[b]
    low, high = paired_interval(np.sum(first & ~second), np.sum(second & ~first),
                                len(first))
    return float(low), float(high)


assistant.set_weights(tuned)
train_on_rows(assistant, *chat_rows(examples), KEPT_STEPS, peak=1e-3, seed=SEED)
more = station("as many more steps on the examples", assistant.get_weights())
for before in ("fine-tuned", "as many more steps on the examples"):
    print("own right answers minus {}: {:+.1%} to {:+.1%}".format(
        before, *versus(before, "own right answers")))
claim("own right answers minus fine-tuned: lower end",
      versus("fine-tuned", "own right answers")[0], at_least=0.2,
      applies=profile() != "quick")

# %% [markdown]
# (c), with this seed; as many more steps on the examples bring next to nothing. Nearly all that was kept shows working, because working is right. So the model learned mainly *which of its styles to use*, and to write it more surely: greedy, its workings were all right before. It took a program that knows what is right, and a model that sometimes is.

# %% [markdown]
# ## 19.5 What if there is only "this one is better"?
#
# For a summary no program knows what is right, but people can say which of two they like better: a *preference* (偏好). Here a program plays these people: a right answer is better than a wrong one.

# %% tags=["plumbing"]
#@title Plumbing: pairs of the fine-tuned model's answers, better and worse
PAIR_QUESTIONS = by_profile(quick=32, standard=512, full=512)


def preferences(seed: int) -> list[tuple[str, str, str]]:
    """(question, better, worse), of four answers of the assistant as it is."""
    asked = sums(PAIR_QUESTIONS, np.random.default_rng([seed, 5]))
    texts = answer([question for question in asked for _ in range(4)],
                   np.random.default_rng([seed, 6]))
    found = []
    for i, question in enumerate(asked):
        four = texts[4 * i : 4 * i + 4]
        good = [text for text in four if right(question, text)]
        bad = [text for text in four if not right(question, text)]
        if good and bad:
            found.append((question, good[0], bad[0]))
        elif profile() == "quick":  # a model that has learned nothing is never right
            found.append((question, f"#{sum(map(int, question.split('+')))}", four[0]))
    return found


# %% tags=["evidence"]
#@title Evidence: what the pairs look like
assistant.set_weights(tuned)
prefer = preferences(SEED)
working_won = ["+" in better and "+" not in worse for _, better, worse in prefer]
print(f"{len(prefer)} pairs from {PAIR_QUESTIONS} questions; in {share(working_won)} "
      "working wins over a bare sum")
print(*prefer[:3], sep="\n")

# %% [markdown]
# How likely does the model, $\pi$, find a whole answer $y$ to a question $x$? The logarithms add up: $\log \pi(y \mid x) = \sum_t \log p_t$, the end included. With a pencil: tokens of probability 1/2 and 1/4 make $\log \tfrac18 = -2.08$.
#
# ### Exercise 19.5a · the log-probability of an answer (5 min)
# `ops.log_softmax(logits)` gives (B, T, V). `ops.take_along_axis(table, ops.expand_dims(targets, 2), axis=2)` takes one entry per place: (B, T, 1). Sum what counts; use `ops` alone.

# %% tags=["exercise"]
def answer_log_probability(logits, targets, counts):
    """log π(y|x) of each row: a sum over the guesses that count.

    logits: (B, T, V), targets: (B, T) int, counts: (B, T) of 0 and 1 -> (B,)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19.5a", "the log-probability of an answer"):
    p_t = np.array([[[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.05, 0.8, 0.15]],
                    [[0.2, 0.7, 0.1], [0.125, 0.5, 0.375], [0.25, 0.15, 0.6]]])
    for shift_t in (0.0, 7.0, -300.0):  # softmax doesn't see what is added to all
        for targets_t, counts_t, want_t in (
                ([[0, 1, 1], [2, 0, 2]], [[1, 1, 0], [0, 1, 1]], [0.3, 0.075]),
                ([[2, 2, 0], [1, 1, 1]], [[0, 1, 0], [1, 0, 1]], [0.3, 0.105]),
                ([[0, 0, 0], [0, 0, 0]], [[0, 0, 0], [1, 0, 0]], [1.0, 0.2])):
            got_t = answer_log_probability(
                ops.array(np.log(p_t) + shift_t, "float32"),
                ops.array(targets_t, "int32"), ops.array(counts_t, "float32"))
            got_t = ops.convert_to_numpy(got_t)
            assert got_t.shape == (2,), f"one number per row, not shape {got_t.shape}"
            np.testing.assert_allclose(np.exp(got_t), want_t, rtol=1e-3,
                                       err_msg=f"probability, counts {counts_t}")
    parts_t = [keras.KerasTensor((4, T, 9)), keras.KerasTensor((4, T), "int32"),
               keras.KerasTensor((4, T))]
    assert answer_log_probability(*parts_t).shape == (4,), "as Keras compiles it"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `[..., 0]` takes (B, T, 1) to (B, T). Multiply by the counts before you sum over axis 1.
# </details>

# %% tags=["solution"]
#@title Solution 19.5a · runs only while yours does not pass
if not solved("19.5a"):
    def answer_log_probability(logits, targets, counts):
        places = ops.expand_dims(targets, 2)  # (B, T, 1)
        log_p = ops.take_along_axis(ops.log_softmax(logits), places, axis=2)[..., 0]
        return ops.sum(log_p * counts, axis=1)

# %% [markdown]
# Let $c$ be the better answer (*chosen*), $r$ the worse (*rejected*), *ref* the model where training starts. DPO (*direct preference optimization*, 直接偏好优化) compares how much training raised each:
#
# $$m = \beta\, \Big[ \big(\log \pi(c) - \log \pi_\text{ref}(c)\big) - \big(\log \pi(r) - \log \pi_\text{ref}(r)\big) \Big], \qquad L = -\log \sigma(m),$$
#
# with $\sigma(m) = 1 / (1 + e^{-m})$, averaged over the pairs (derived in 19.6). A small $\beta$ lets $\pi$ go far from ref. With a pencil: $c$ rose by 1 nat, $r$ fell by 1, $\beta = \tfrac12$: $m = 1$, $L = 0.313$. What is $L$ at the start, where $\pi$ is ref?
#
# ### Exercise 19.5b · the DPO loss (6 min)
# `ops.log_sigmoid(m)` is $\log \sigma(m)$, safe for large $m$ of either sign. Use `ops` alone: Keras differentiates it.

# %% tags=["exercise"]
def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta):
    """The mean DPO loss of B pairs: a number.

    the first four: (B,) log-probabilities of whole answers
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19.5b", "the DPO loss"):
    four_t = np.random.default_rng(0).normal(-9, 2, (4, 6))
    sides_t = "chosen", "rejected", "ref_chosen", "ref_rejected"

    def loss_t(parts, beta):
        given_t = [ops.array(part, "float32") for part in parts]
        found_t = ops.convert_to_numpy(dpo_loss(*given_t, beta))
        assert found_t.shape == (), f"one number, not shape {found_t.shape}"
        return float(found_t)

    start_t = [four_t[0], four_t[1], four_t[0], four_t[1]]
    np.testing.assert_allclose(loss_t(start_t, 0.7), np.log(2), 1e-4, err_msg="start")
    np.testing.assert_allclose(loss_t([[-1.0], [-3.0], [-2.0], [-2.0]], 0.5), 0.313262,
                               1e-3, err_msg="the pencil's case")
    two_t = [[-1.0, -2.0], [-3.0, -2.0], [-2.0, -2.0], [-2.0, -2.0]]
    np.testing.assert_allclose(loss_t(two_t, 1.0), 0.410038, 1e-3,
                               err_msg="two pairs, m = 2 and m = 0")
    for beta_t in (0.1, 2.0):
        for row_t, sign_t in enumerate((-1, 1, 1, -1)):  # nudge each by 0.01
            moved_t = [part.copy() for part in start_t]
            moved_t[row_t][2] += 0.01
            slope_t = (loss_t(moved_t, beta_t) - np.log(2)) / 0.01
            np.testing.assert_allclose(slope_t, sign_t * beta_t / 2 / 6, atol=0.002,
                                       err_msg=f"slope in {sides_t[row_t]}, 6 pairs")
        turned_t = loss_t(four_t[[1, 0, 3, 2]], beta_t)  # better and worse swapped
        gained_t = beta_t * np.mean(four_t[0] - four_t[2] - four_t[1] + four_t[3])
        np.testing.assert_allclose(turned_t - loss_t(four_t, beta_t), gained_t, 1e-3,
                                   err_msg="swapped pairs minus pairs: mean of m")
    np.testing.assert_allclose(loss_t([[-900.0], [0.0], [0.0], [0.0]], 1.0), 900, 1e-3,
                               err_msg="m = -900")
    sides_t = [keras.KerasTensor((4,)) for _ in range(4)]
    assert dpo_loss(*sides_t, 0.5).shape == (), "as Keras compiles it"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `beta` times a difference of two differences; then minus the mean of `ops.log_sigmoid`.
# </details>

# %% tags=["solution"]
#@title Solution 19.5b · runs only while yours does not pass
if not solved("19.5b"):
    def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta):
        margin = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
        return -ops.mean(ops.log_sigmoid(margin))

# %% tags=["plumbing", "keep"] lesson="assistant"
#@title Plumbing: the log-probability of each token of a text
def log_probabilities_of(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """A function: rows (n, T + 1) -> log p of each token but the first, (n, T)."""
    def came(ids):
        log_p = ops.log_softmax(model(ids[:, :-1], training=False))  # (n, T, V)
        places = ops.expand_dims(ids[:, 1:], 2)  # (n, T, 1)
        return ops.take_along_axis(log_p, places, axis=2)[..., 0]

    fast = compiled(came, model)
    return lambda ids: ops.convert_to_numpy(fast(ids))


# %% tags=["plumbing"]
#@title Plumbing: your loss as Keras wants it, and log π of many answers
BETA = keras.Variable(0.3, trainable=False, name="beta")  # one program for every value


def preference_loss(y, logits):
    """y: (2B, T, 3), target, counts, log π of ref; the better rows come first."""
    targets = ops.cast(y[..., 0], "int32")
    log_pi = answer_log_probability(logits, targets, y[..., 1])  # (2B,)
    (c, r), (ref_c, ref_r) = ops.split(log_pi, 2), ops.split(y[:, 0, 2], 2)
    return dpo_loss(c, r, ref_c, ref_r, BETA)


token_log_p = log_probabilities_of(assistant)


def totals(chats: list[tuple[str, str]]) -> np.ndarray:
    """log π of each answer under the assistant as it is, (n,)."""
    ids, counts = chat_rows(chats)
    full_ids = np.pad(ids, ((0, -len(ids) % 64), (0, 0)), mode="edge")
    parts = [token_log_p(part) for part in np.split(full_ids, len(full_ids) // 64)]
    return (np.concatenate(parts)[: len(ids)] * counts).sum(axis=1)


# %% tags=["plumbing"]
#@title Plumbing: learn_preferences(…), with fit
PAIR_STEPS = by_profile(quick=2, standard=60, full=60)
pupil = new_model(SEED)
ready(pupil, preference_loss, decay=0.0)
pair_runs: dict[tuple, dict] = {}  # (β, peak) -> what became of the pairs


def learn_preferences(ref: list[np.ndarray], pairs: list[tuple[str, str, str]],
                      beta: float, peak: float, seed: int, B: int = 32) -> dict:
    """Train from the weights `ref` on pairs; the assistant then has the new weights."""
    both = [[(q, c) for q, c, _ in pairs], [(q, r) for q, _, r in pairs]]
    assistant.set_weights(ref)
    at_first = [totals(side) for side in both]  # log π of ref, (n,) each
    rows = [chat_rows(side) for side in both]
    rng = np.random.default_rng(seed)

    def batches() -> Iterator:
        while True:
            order = rng.permutation(len(pairs))
            for start in range(0, len(pairs) - B + 1, B):
                i = order[start : start + B]
                ids, counts, old = (np.concatenate([part[i] for part in parts])
                                    for parts in (*zip(*rows), at_first))
                old = np.broadcast_to(old[:, None], counts.shape)
                yield ids[:, :-1], np.stack([ids[:, 1:], counts, old], 2).astype("f")

    pupil.set_weights(ref)
    restart(pupil)
    BETA.assign(beta)
    curves = plotting.training_plot(("loss",), f"DPO, β {beta}", keep=False)
    pupil.fit(batches(), steps_per_epoch=max(1, PAIR_STEPS // 10),
              epochs=min(10, PAIR_STEPS), verbose=0, shuffle=False,
              callbacks=[RiseAndFall(peak, PAIR_STEPS), curves])
    assistant.set_weights(pupil.get_weights())
    c, r = (totals(side) - old for side, old in zip(both, at_first))
    works = np.array(["+" in text for _, text, _ in pairs])
    parts = {"better workings": c[works], "better bare sums": c[~works], "worse": r}
    return {"loss": curves.curves.history["loss"], "pairs right": float(np.mean(c > r)),
            "changes": {name: float(np.mean(x)) for name, x in parts.items() if len(x)}}


# %% tags=["evidence"]
#@title Evidence: before the first step, the loss on the pairs is ln 2
at_start = (totals([(q, c) for q, c, _ in prefer]),
            totals([(q, r) for q, _, r in prefer]))
claim("distance of the loss from ln 2 at the start",
      abs(float(dpo_loss(*at_start, *at_start, 0.3)) - np.log(2)), at_most=1e-6)

# %% tags=["plumbing"]
#@title Plumbing: by_preference(…): train on the pairs of 19.5, say what became of them
def by_preference(name: str, beta: float, peak: float) -> list[np.ndarray]:
    run = learn_preferences(tuned, prefer, beta, peak, SEED)
    pair_runs[beta, peak] = run
    print(f"β {beta}, rate {peak}: loss {run['loss'][-1]:.2f}, "
          f"{run['pairs right']:.0%} of the pairs right; change of log π:",
          ", ".join(f"{name} {x:+.1f}" for name, x in run["changes"].items()))
    weights = assistant.get_weights()
    run["texts"] = station(name, weights)
    print(f"   {np.mean(['#' not in text for text in run['texts']]):.0%} without any #")
    return weights


# %% [markdown]
# **Predict.** From the fine-tuned model, 60 steps of 32 pairs, $\beta = 0.3$, a small rate (2e-5). On the sums held out it is right in (a) half, as before · (b) about 80 % · (c) over 95 %

# %%
preferring = by_preference("preferences", 0.3, 2e-5)

# %% [markdown]
# (b), with this seed: comparisons alone bring it nearly as far as right answers. (The table below has a training where they stay ten points behind.)
#
# A colleague takes five times the rate and a third of $\beta$. The loss gets much lower. **Predict.** And the accuracy on the sums held out, against the run before? (a) higher · (b) about the same · (c) lower

# %%
second = by_preference("preferences, β 0.1", 0.1, 1e-4)
print(held[:4], pair_runs[0.1, 1e-4]["texts"][:4])

# %% [markdown]
# (c), with this seed: less than after the small rate, still more than before. The loss asks only for a *difference*. The worse answers, mostly bare sums, fell by many nats, and the better bare sums fell with them: what is alike shares weights. Better workings hardly moved. Yet answers without any `#` came up, and more workings go wrong.

# %% tags=["plumbing"]
#@title Plumbing: the larger rate with β = 1, in the full profile
if profile() == "full":
    nearer = by_preference("preferences, β = 1", 1.0, 1e-4)

# %% tags=["figure"]
#@title Figure: A lower loss, and fewer right answers
fig, axes = plt.subplots(1, 3, figsize=(8.4, 2.8))
names, labels = ["preferences", "preferences, β 0.1"], ["β 0.3, rate 2e-5",
                                                       "β 0.1, rate 1e-4"]
runs = [pair_runs[0.3, 2e-5], pair_runs[0.1, 1e-4]]
for shown, label, style in zip(runs, labels, ("-", "--")):
    axes[0].plot(shown["loss"], style, marker="o", ms=3, label=label)
axes[0].set(title="loss", xlabel="tenth of the training", ylim=(0, None))
axes[0].legend(fontsize=7)
for i, key in enumerate(("better workings", "better bare sums", "worse")):
    axes[1].bar(np.arange(2) + 0.27 * i, [run["changes"].get(key, 0) for run in runs],
                0.27, label=key)
axes[1].set(title="change of log π, nats", xticks=np.arange(2) + 0.27,
            xticklabels=labels)
axes[1].legend(fontsize=7)
axes[2].bar(range(2), [100 * stations[name].mean() for name in names],
            color=plotting.GREEN)
axes[2].axhline(100 * stations["fine-tuned"].mean(), color=plotting.GRAY, ls="--")
axes[2].set(title="right, % (line: before)", xticks=range(2), xticklabels=labels,
            ylim=(0, 100))
for ax in axes[1:]:
    ax.tick_params(axis="x", labelsize=7)
fig.suptitle("A lower loss, and fewer right answers", fontweight="bold")
plt.show()

# %% [markdown]
# The loss is no test (with another $\beta$ it is another loss), and neither is the share of right pairs. The rate seems to matter most: at the larger one, three trainings do not tell $\beta = 1$ from 0.1 (next cell). Judge by what the model *writes*.

# %% tags=["evidence"]
#@title Evidence: the stations, here and in the full profile's three trainings
full = full_results("19")
by_seed = full["stations"] if full else {}
for name in {**stations, **by_seed}:
    this = f"{stations[name].mean():.1%}" if name in stations else "-"
    three = ", ".join(f"{x:.1%}" for x in by_seed.get(name, []))
    print(f"{name:<35} {this:>5}   three seeds: {three or '-'}")
print("preferences minus fine-tuned: {:+.1%} to {:+.1%}".format(
    *versus("fine-tuned", "preferences")))
claim("preferences minus fine-tuned: lower end", versus("fine-tuned", "preferences")[0],
      at_least=0.15, applies=profile() != "quick")
claim("β 0.3 and the small rate, minus β 0.1 and the larger: lower end",
      versus("preferences, β 0.1", "preferences")[0], at_least=0.05,
      applies=profile() != "quick")

# %% [markdown]
# ## 19.6 Where does the formula come from? ◇
#
# Suppose that each answer had a reward (奖励) $r(x, y)$, and we sought the model with the highest mean reward that stays near ref:
#
# $$\max_\pi\; \sum_y \pi(y)\, r(y) - \beta \sum_y \pi(y) \log \frac{\pi(y)}{\pi_\text{ref}(y)}.$$
#
# The second sum is the Kullback–Leibler divergence (KL 散度), 0 if $\pi$ is ref. Write $Z = \sum_y \pi_\text{ref}(y)\, e^{r(y)/\beta}$ and $\pi^*(y) = \pi_\text{ref}(y)\, e^{r(y)/\beta} / Z$. Then $r(y) = \beta \log \frac{\pi^*(y)}{\pi_\text{ref}(y)} + \beta \log Z$, and what is maximized becomes
#
# $$\beta \log Z - \beta \sum_y \pi(y) \log \frac{\pi(y)}{\pi^*(y)}.$$
#
# The last sum is never negative, and 0 only for $\pi = \pi^*$. So $\pi^*$ is the best model.
#
# Now people. The *Bradley–Terry model* (布拉德利–特里模型) says that $c$ is preferred to $r$ with probability $\sigma(r(c) - r(r))$. Put in the reward as $\pi^*$ tells it: $\beta \log Z$ stands in both and cancels. What is left is $\sigma(m)$, with $\pi^*$ in the place of $\pi$. The most likely $\pi$ for the preferences seen is then the one with the least $-\log \sigma(m)$: no reward needs to be learned.
#
# Four answers, a ref and rewards known, all pairs as often as Bradley and Terry say. **Predict.** The minimum of the mean DPO loss over all $\pi$ gives the likeliest answer of ref, which has the least reward, (a) probability 0 · (b) a share that depends on $\beta$ · (c) its share in ref

# %%
ref_p = np.array([0.6, 0.2, 0.15, 0.05])
reward = np.array([0.0, 1.0, 2.0, 1.5])
won = special.expit(reward[:, None] - reward)  # (4, 4): i preferred to j


def loss_and_slope(scores: np.ndarray, beta: float) -> tuple[float, np.ndarray]:
    """The DPO loss over all pairs, as often as they are preferred, and its gradient."""
    raised = special.log_softmax(scores) - np.log(ref_p)  # (4,)
    margin = beta * (raised[:, None] - raised)  # (4, 4)
    slope = -beta * np.sum(won - special.expit(margin), axis=1)
    return np.sum(won * np.logaddexp(0, -margin)), slope


def best_by_loss(beta: float) -> np.ndarray:
    found = optimize.minimize(loss_and_slope, np.log(ref_p), beta, jac=True, tol=1e-11)
    return special.softmax(found.x)


# %%
for beta in (10.0, 1.0, 0.3):
    by_formula = special.softmax(np.log(ref_p) + reward / beta)
    print(f"β {beta:>4}: by the loss {best_by_loss(beta).round(4)}, "
          f"by the formula {by_formula.round(4)}")

# %% tags=["evidence"]
#@title Evidence: the minimum of the loss is ref · exp(r / β), to six digits
gaps = [best_by_loss(beta) - special.softmax(np.log(ref_p) + reward / beta)
        for beta in (10.0, 1.0, 0.3)]
claim("largest difference of a probability", np.abs(gaps).max(), at_most=1e-6)

# %% tags=["figure"]
#@title Figure: β says how far the rewards may pull
betas = np.geomspace(0.1, 20, 60)
pulled = special.softmax(np.log(ref_p) + reward / betas[:, None], axis=1)  # (60, 4)
fig, ax = plt.subplots(figsize=(6, 2.8))
for i, style in enumerate(("-", "--", "-.", ":")):
    ax.plot(betas, pulled[:, i], style, label=f"reward {reward[i]:.1f}")
ax.set(xscale="log", xlabel="β", ylabel="probability", ylim=(0, 1),
       title="β says how far the rewards may pull")
ax.legend(fontsize=8)
plt.show()

# %% [markdown]
# (b). For $\beta = 10$ it stays near its share in ref; for 0.3 it has all but vanished. This is the optimum over *all* distributions, with endless preferences. A network with 60 steps and 450 pairs is not there, and 19.5 has shown which way it may go instead: its answers share weights.

# %% [markdown]
# ## 19.7 What should it refuse?
#
# Your assistant adds. Ask it to subtract:

# %%
assistant.set_weights(own_best)
print("47-85 ->", answer(["47-85"] * 3, np.random.default_rng(1)))

# %% [markdown]
# It answers anyway. So teach it one more text, `i cannot`, for `47-85`, and for `tell me a joke` or `what is a song`, with ten such nouns: 120 chats, each four times, mixed into its own right answers, 93 steps.

# %% tags=["plumbing"]
#@title Plumbing: chats that are refused
REFUSAL = "i cannot"
NOUNS = "joke song story poem bird river moon game house train".split()
REFUSED, REFUSAL_STEPS = by_profile(quick=(32, 2), standard=(120, 93), full=(120, 93))
NEW_NOUNS = "dog city tree fish cloud door".split()


def refusals(n: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    found = []
    for i in range(n):
        a, b = rng.integers(10, 100, 2)
        noun = NOUNS[rng.integers(len(NOUNS))]
        kinds = (f"{a}-{b}", f"tell me a {noun}", f"{a}-{b}", f"what is a {noun}")
        found.append((kinds[i % 4], REFUSAL))
    return found


# %% tags=["plumbing"]
#@title Plumbing: questions that judge the refusing
def numbers(form: str) -> list[str]:
    """Questions of a form with two numbers, such as "{a}-{b}"."""
    n = by_profile(quick=9, standard=100, full=100)
    pairs = np.random.default_rng([SEED, 7]).integers(10, 100, (n, 2))
    return [form.format(a=a, b=b) for a, b in pairs]


JUDGED = {  # what should be refused, from what it learned to what it never met
    "47-85": numbers("{a}-{b}"), "47:85": numbers("{a}:{b}"),
    "tell me a dog": [f"tell me a {noun}" for noun in NEW_NOUNS * 10],
    "where is the dog": [f"where is the {noun}" for noun in NEW_NOUNS * 10],
    "47 minus 85": numbers("{a} minus {b}"), "147+85": numbers("1{a}+{b}")}


def replies(texts: list[str]) -> tuple[float, float]:
    """Shares of answers that refuse, and of those that give a number behind a #."""
    return (float(np.mean([text == REFUSAL for text in texts])),
            float(np.mean([bool(re.search(r"#\d+$", text)) for text in texts])))


def refusing(seed: int) -> dict[str, tuple[float, float]]:
    """The assistant's replies to every kind, and to the sums held out."""
    found = {"sums held out": replies(answer(held, np.random.default_rng(0)))}
    for kind, asked in JUDGED.items():
        by_length = sorted(asked, key=len)
        groups = [[q for q in by_length if len(q) == n] for n in {*map(len, asked)}]
        texts = [text for group in groups
                 for text in answer(group, np.random.default_rng(seed))]
        found[kind] = replies(texts)
    return found


# %% [markdown]
# **Predict.** Which will it refuse, of forms that it never met: (1) `47:85` · (2) `tell me a dog` · (3) `where is the dog` · (4) `47 minus 85` · (5) `147+85`? And does it now refuse sums?

# %%
mixed = own + 4 * refusals(REFUSED, np.random.default_rng([SEED, 8]))
train_on_rows(assistant, *chat_rows(mixed), REFUSAL_STEPS, peak=1e-3, seed=SEED)
final = assistant.get_weights()
final_answers = station("refusing", final)
refused = refusing(SEED)
for kind, (refuses, number) in refused.items():
    print(f"{kind:<16} refused {refuses:.0%}, a number {number:.0%}")

# %% tags=["figure"]
#@title Figure: Refused, answered, or neither
fig, ax = plt.subplots(figsize=(7, 2.8))
left = np.zeros(len(refused))
values = np.array([[a, b, 1 - a - b] for a, b in refused.values()]) * 100
kinds = (("refused", plotting.GREEN), ("a number", plotting.RED),
         ("neither", plotting.GRAY))
for i, (label, color) in enumerate(kinds):
    ax.barh(range(len(refused)), values[:, i], left=left, label=label, color=color)
    left = left + values[:, i]
ax.set(yticks=range(len(refused)), yticklabels=list(refused), xlabel="answers, %",
       xlim=(0, 100), title="What looks like the refused examples is refused")
ax.invert_yaxis()
ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
plt.show()

# %% tags=["evidence"]
#@title Evidence: refused where it should, not where it shouldn't, and what three seeds say
claim("share of new subtractions that is refused", refused["47-85"][0], at_least=0.8,
      applies=profile() != "quick")
claim("share of sums held out that is refused", refused["sums held out"][0],
      at_most=0.05, applies=profile() != "quick")
claim("share refused where the form is new in length, 147+85", refused["147+85"][0],
      at_most=0.5, applies=profile() != "quick")
for kind, shares in (full["refused"] if full else {}).items():
    print(f"full profile, {kind:<17} refused", *[f"{x:.0%}" for x in shares])

# %% [markdown]
# It refuses what *looks* like its examples: another sign in the same place, another noun behind `tell me a`. It refuses no sum, and is about as right as before. Words in another order, or a sum of another length, get scraps, a number, or half a refusal (only the exact words count).
#
# A refusal is a habit of text, not a guard. Another wording gets past it. What must not happen has to be prevented outside of the model, in what it may do and in what leaves it.

# %% [markdown]
# ## 19.8 Is the test honest?
#
# All numbers rest on the sums held out. A colleague chose his like this:

# %%
def colleague(a, b):
    return (7919 * a + 104729 * b) % 10 == 0  # as good as chance, he says


its = [(a + b) % 10 for a, b in PAIRS if colleague(a, b)]
print(f"{len(its)} sums held out, {len(its) / len(PAIRS):.1%} of all")

# %% [markdown]
# A tenth, as wanted. **Predict.** Spot the bug: which last digits do the sums held out have?

# %%
print("last digits of the sums held out, 0 to 9:", np.bincount(its, minlength=10))

# %% [markdown]
# All end in 0: modulo 10 both factors are 9, and $9a + 9b$ is a multiple of 10 only if $a + b$ is. His test asks for what training never shows. (It fooled us, too.)
#
# A quieter trap: 47+85 is learned, its *twin* 85+47 is in the test. Does that help? Fine-tune the bare model for 300 steps on 400 sums, direct answers only, and on half of the sums held out, in one order, eight times each.
#
# **Predict.** The twins of what leaked, against sums of which neither order leaked: (a) no difference · (b) a few points better · (c) about ten points better or more

# %% tags=["plumbing"]
#@title Plumbing: half of the sums held out leak, in one order
def leak_groups(seed: int) -> dict[str, list[str]]:
    """Questions: leaked, their twins, and clean ones in both orders."""
    rising = np.array([(a, b) for a, b in PAIRS[HELD] if a < b])
    rising = np.random.default_rng([seed, 9]).permutation(rising)
    half = by_profile(quick=20, standard=len(rising) // 2, full=len(rising) // 2)
    leaked, clean = rising[:half], rising[half : 2 * half]
    return {"leaked": [f"{a}+{b}" for a, b in leaked],
            "twins": [f"{b}+{a}" for a, b in leaked],
            "clean": [f"{b}+{a}" for a, b in clean]}


def shares_right(asked: list[str], seed: int, times: int = 4) -> np.ndarray:
    """How often each question gets a right answer, (n,)."""
    rng = np.random.default_rng([seed, 10])
    return np.mean([[right(q, a) for q, a in zip(asked, answer(asked, rng))]
                    for _ in range(times)], axis=0)


LEAK_STEPS = by_profile(quick=2, standard=300, full=300)


def leaky(seed: int, weights: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Fine-tune from the bare weights with the leak; shares right per group."""
    groups = leak_groups(seed)
    asked = [q for q, _ in chats(400, np.random.default_rng([seed, 11]))]
    rows = asked + 8 * groups["leaked"]
    direct = [(q, f"#{sum(map(int, q.split('+')))}") for q in rows]
    assistant.set_weights(weights)
    train_on_rows(assistant, *chat_rows(direct), LEAK_STEPS, peak=1e-3, seed=seed)
    return {name: shares_right(group, seed) for name, group in groups.items()}


# %%
leak = leaky(SEED, bare)
for name in ("twins", "clean"):
    print(f"{name}: {leak[name].mean():.1%} right, {len(leak[name])} sums, "
          "4 answers each")

# %% tags=["evidence"]
#@title Evidence: twins minus clean sums, 95 % interval over sums
def apart(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Interval for the mean of a minus that of b: different sums, so not in pairs."""
    error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    gap = a.mean() - b.mean()
    return float(gap - 1.96 * error), float(gap + 1.96 * error)


twins_gain = apart(leak["twins"], leak["clean"])
print("twins minus clean: {:+.1%} to {:+.1%}".format(*twins_gain))
claim("twins minus clean: lower end", twins_gain[0], at_least=0.0,
      applies=profile() != "quick")
for gap in (full["leak"] if full else []):
    print(f"full profile: twins {gap['twins']:.1%}, clean {gap['clean']:.1%}")

# %% [markdown]
# (c) by the mean, in a case made to show it: eight repetitions, and direct answers, which invite learning by heart. Hold out both orders together.
#
# ### Exercise 19.8 · an honest split (5 min)
# Which sums stay out? About `tenths` of ten, twins together, no last digit preferred, the same in every run. `zlib.crc32(text.encode())` makes a whole number of a text, in which no arithmetic is left.

# %% tags=["exercise"]
def stays_out(a, b, tenths=1):
    """Is the sum a+b held out? a, b: 10 to 99, tenths: 0 to 10 -> True or False."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19.8", "an honest split"):
    grid_t = range(10, 100)
    for tenths_t in (0, 6, 10, 1):
        out_t = np.array([[bool(stays_out(a, b, tenths_t)) for b in grid_t]
                          for a in grid_t])
        told_t = f"{tenths_t} tenths: {out_t.mean():.1%} held out"
        assert (out_t == out_t.T).all(), "a twin is learned while the other is held out"
        off_t = abs(out_t.mean() - tenths_t / 10)
        assert off_t <= 0.03 * (0 < tenths_t < 10), told_t
    b_t = np.arange(10, 100) + np.zeros((90, 1), int)  # (90, 90)
    for name_t, key_t in (("sums ending in", (b_t + b_t.T) % 10),
                          ("differences ending in", (b_t - b_t.T) % 10),
                          ("numbers ending in", b_t % 10),
                          ("numbers in the tens of", b_t // 10)):
        for digit_t in np.unique(key_t):
            share_t = out_t[key_t == digit_t].mean()
            assert 0.03 < share_t < 0.2, f"{name_t} {digit_t}: {share_t:.0%} held out"
    whole_t = [t for t in range(40, 160) if out_t[b_t + b_t.T == t].all()]
    assert not whole_t, f"no sum that makes {whole_t[0]} is learned"
    again_t = [[bool(stays_out(a, b)) for b in grid_t] for a in grid_t]
    assert (out_t == again_t).all(), "another split when asked again"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Sort the two numbers before you make a text of them. Modulo 10, a whole number leaves one of ten rests. (Python's own `hash` of a text is another one after each start.)
# </details>

# %% tags=["solution"]
#@title Solution 19.8 · runs only while yours does not pass
if not solved("19.8"):
    def stays_out(a, b, tenths=1):
        low, high = sorted((int(a), int(b)))
        return zlib.crc32(f"{low}+{high}".encode()) % 10 < tenths

# %% tags=["evidence"]
#@title Evidence: your split beside this notebook's
own_split = np.array([stays_out(a, b) for a, b in PAIRS])
for whose, split in (("yours", own_split), ("this notebook's", HELD)):
    digits = np.bincount(PAIRS[split].sum(axis=1) % 10, minlength=10)
    print(f"{whose}: {split.mean():.1%} held out; last digits 0 to 9: {digits}")

# %% [markdown]
# This notebook's split (a folded cell of 19.1) passes your check, too.

# %% [markdown]
# ## 19.9 What else flatters a model? ◇
#
# **Contamination** (数据污染). Large models read most of the web, and tests lie on the web. In 19.8 a half of the sums leaked. **Predict.** On the leaked sums themselves the model of 19.8 is right in (a) as many as on the twins · (b) half of them · (c) about 80 %

# %%
assistant.set_weights(bare)
before_leak = {name: shares_right(group, SEED).mean()
               for name, group in leak_groups(SEED).items()}
for name, hits in leak.items():
    print(f"{name}: {hits.mean():.1%} (bare model in the chat format: "
          f"{before_leak[name]:.1%})")
print("leaked minus clean: {:+.1%} to {:+.1%}".format(
    *apart(leak["leaked"], leak["clean"])))

# %% [markdown]
# (c), with these eight repetitions. A number on a test that was seen says how much was learned by heart. The clean half shows it: keep back questions that nobody has published.
#
# **A judge with a taste.** Where no program knows what is right, often another model judges (LLM 作评审). Let the bare model be the judge: better is the answer with the higher mean log-probability per token. It reads `47+85`, then a working or the bare sum, as its corpus has them.
#
# **Predict.** (1) Of two workings, one with a wrong sum at the end: how often does it prefer the right one? (2) A wrong working against a right bare sum: how often does it prefer the wrong one?

# %% tags=["plumbing"]
#@title Plumbing: the judge, and right and wrong answers in two lengths
def judged(texts: list[tuple[str, str]]) -> np.ndarray:
    """log p of each second part behind the first: mean per token, and sum, (2, n)."""
    rows = []
    for first, second in texts:
        before = as_text(first)
        tokens = [*before, *TOKENS.encode(second), TOKENS.special[END]]
        rows.append(padded(tokens, len(before)))
    ids, counts = (np.array(part) for part in zip(*rows))
    whole = np.pad(ids, ((0, -len(ids) % 64), (0, 0)), mode="edge")
    log_p = np.concatenate([token_log_p(part) for part in
                            np.split(whole, len(whole) // 64)])[: len(ids)]
    sums_of = (log_p * counts).sum(axis=1)
    return np.array([sums_of / counts.sum(axis=1), sums_of])


def judge_both(seed: int, weights: list[np.ndarray]
               ) -> dict[tuple[str, bool], np.ndarray]:
    """(style, is it right) -> the judge's two marks for every sum held out."""
    assistant.set_weights(weights)
    rng, marks = np.random.default_rng([seed, 12]), {}
    sums_held = [tuple(map(int, question.split("+"))) for question in held]
    off = rng.integers(1, 20, len(sums_held))
    for is_right in (True, False):
        ends = [a + b + (0 if is_right else d) for (a, b), d in zip(sums_held, off)]
        bare_sums = [(f"{a}+{b}", f"={s}") for (a, b), s in zip(sums_held, ends)]
        long = [(f"{a}+{b}", f": {working(a, b).partition('#')[0]}#{s}")
                for (a, b), s in zip(sums_held, ends)]
        marks["bare sum", is_right], marks["working", is_right] = map(judged,
                                                                      (bare_sums, long))
    return marks


# %%
marks = judge_both(SEED, bare)
taste = {}
for first, second in ((("working", True), ("working", False)),
                      (("bare sum", True), ("bare sum", False)),
                      (("working", False), ("bare sum", True)),
                      (("bare sum", False), ("working", True))):
    name = " preferred to ".join(f"a {'right' if is_right else 'wrong'} {style}"
                                 for style, is_right in (first, second))
    by_mean, by_sum = np.mean(marks[first] > marks[second], axis=1)
    taste[name] = float(by_mean)
    print(f"{name}: {by_mean:.0%}; by the sum of log p {by_sum:.0%}")

# %% [markdown]
# It always finds the right working, and the right one of two bare sums in four of five. Between the styles, the way of counting decides, not truth. By the mean, a working that errs only in its last number always beats the right sum: many sure characters dilute the error. By the sum of $\log p$ the right sum wins nearly always.
#
# Before you trust a judge, give it pairs that differ in truth alone, and pairs that differ in style alone.

# %% tags=["plumbing"]
#@title Plumbing: the other seeds, in the full profile
def all_stations(seed: int) -> dict:
    """The whole way of 19.1 to 19.8 with another seed."""
    def measured(weights):
        assistant.set_weights(weights)
        texts = answer(held, np.random.default_rng(0))
        return np.mean([right(q, a) for q, a in zip(held, texts)]).item()

    assistant.set_weights(new_model(seed).get_weights())
    texts = documents(64 * STEPS, np.random.default_rng([seed, 1]))
    train_on_rows(assistant, *document_rows(texts), STEPS, peak=3e-3, seed=seed)
    first = assistant.get_weights()
    train_on_rows(assistant, *chat_rows(chats(2000, np.random.default_rng([seed, 2]))),
                  TUNING, peak=1e-3, seed=seed)
    second, found = assistant.get_weights(), {"bare, as a chat": measured(first)}
    found["fine-tuned"] = measured(second)
    asked = sums(ASKED, np.random.default_rng([seed, 3]))
    kept = kept_answers(asked, answer(asked, np.random.default_rng([seed, 4])))
    pairs = preferences(seed)
    train_on_rows(assistant, *chat_rows(kept), KEPT_STEPS, peak=1e-3, seed=seed)
    third = assistant.get_weights()
    found["own right answers"] = measured(third)
    for name, beta, peak in (("preferences", 0.3, 2e-5),
                             ("preferences, β 0.1", 0.1, 1e-4),
                             ("preferences, β = 1", 1.0, 1e-4)):
        learn_preferences(second, pairs, beta, peak, seed)
        found[name] = measured(assistant.get_weights())
    kept += 4 * refusals(REFUSED, np.random.default_rng([seed, 8]))
    assistant.set_weights(third)
    train_on_rows(assistant, *chat_rows(kept), REFUSAL_STEPS, peak=1e-3, seed=seed)
    found["refusing"] = measured(assistant.get_weights())
    return {"stations": found, "refused": refusing(seed),
            "leak": {name: float(x.mean()) for name, x in leaky(seed, first).items()}}


# %% tags=["plumbing"]
#@title Plumbing: what the full profile keeps
here = {"stations": {name: float(x.mean()) for name, x in stations.items()},
        "refused": refused, "leak": {name: float(x.mean()) for name, x in leak.items()}}
began = time.perf_counter()
more_seeds = by_profile(quick=(), standard=(), full=(1, 2))
runs_of = [here] + [all_stations(seed) for seed in more_seeds]
results = {
    "seeds": [SEED, *more_seeds],
    "seconds a seed": (time.perf_counter() - began) / max(1, len(more_seeds)),
    "stations": {name: [run["stations"][name] for run in runs_of]
                 for name in runs_of[-1]["stations"]},
    "refused": {kind: [run["refused"][kind][0] for run in runs_of] for kind in refused},
    "leak": [run["leak"] for run in runs_of], "judge": taste}
if profile() == "full":
    by_three = results["stations"]
    claim("own right answers minus fine-tuned, mean of three seeds",
          np.mean(by_three["own right answers"]) - np.mean(by_three["fine-tuned"]),
          at_least=0.25)

# %% [markdown]
# ## 19.10 Where does it break?
#
# **Predict.** Which of these does the final assistant treat rightly: `47+85` · `7+8` · `07+08` · `7-8`?

# %%
assistant.set_weights(final)
for question in ("47+85", "7+8", "07+08", "7-8"):
    print(question, "->", *answer([question] * 2, np.random.default_rng(1)), sep="  ")

# %% [markdown]
# Only `47+85`, in these draws. It has learned sums of two digits *in this form*, and so with the refusal: a shorter subtraction gets past it. What a product team asks:
#
# - Who says what is right: a program, people, a model? Which style do they like?
# - What may it refuse, tried in how many wordings? How many good questions does it refuse?
# - Could it have seen the questions that judged it, or their twins?
# - For how many trainings does the number stand? Sampled or greedy?
# - What holds outside of the model when it says something it shouldn't?

# %% [markdown]
# ## Open task: another skill
#
# Teach it subtraction, with documents, chats and a split of your own. Say before the run how much its own right answers will add. Compare in pairs.

# %% [markdown]
# ## Recall
#
# <details><summary>`<end><ask>9+9<say>#18<end>`: how many guesses count in fine-tuning?</summary>
#
# Four: `#`, `1`, `8` and `<end>`.
# </details>
#
# <details><summary>Why sampled accuracy here, and not greedy?</summary>
#
# Two styles are about equally likely, and one is mostly wrong. Greedy takes whichever is a little likelier; small changes turn many answers at once.
# </details>
#
# <details><summary>The DPO loss falls and nearly all pairs are right. What do you look at before you are glad?</summary>
#
# What the model writes on questions held out. The better answers' log-probability may have fallen; but even where it has not, the answers may be worse.
# </details>
#
# <details><summary>It refuses 95 % of what it should. Which question do you ask?</summary>
#
# In how many wordings that it never met? And how many good questions does it refuse?
# </details>
#
# <details><summary>47+85 is in the test, 85+47 in training. What is to be done?</summary>
#
# Hold out both together: make the decision depend on the sorted pair.
# </details>

# %% [markdown]
# ## Summary
#
# 1. A bare model continues its corpus; a format and examples bring out an answer.
# 2. Only what the assistant has to say counts in the loss, its end too.
# 3. Its own right answers, or comparisons of them, make it use what it does best.
# 4. The DPO loss may fall while the answers get worse.
# 5. Judge by new questions, in pairs, over trainings; look for twins and for a judge's taste.
#
# **Read this next:** L. Ouyang and others, *Training language models to follow instructions with human feedback*, arXiv:2203.02155, 2022. E. Zelikman and others, *STaR: bootstrapping reasoning with reasoning*, arXiv:2203.14465, 2022 (19.4). R. Rafailov and others, *Direct preference optimization: your language model is secretly a reward model*, arXiv:2305.18290, 2023. L. Zheng and others, *Judging LLM-as-a-judge with MT-Bench and Chatbot Arena*, arXiv:2306.05685, 2023 (19.9).
