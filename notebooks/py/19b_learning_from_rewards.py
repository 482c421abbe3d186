# ---
# jupyter:
#   course:
#     datasets: []
#     covers: "Learning from a grade alone: policy gradient, group advantages, clipping and a KL penalty (GRPO) by hand; a sloppy grade that is hacked, and mended; more fine-tuning and rejection sampling on the same budget as controls."
#     prerequisites: [optimizers, generating_text, from_model_to_assistant]
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
# # Learning from rewards
#
# The assistant of notebook [[from_model_to_assistant]] has read 2,000 written answers, and is right in half of the sums. Nobody writes more. There is only a program that grades: right, or not. Can the assistant learn from grades alone? And what does it learn if the grade is sloppy?
#
# At the end you have built *GRPO* (group relative policy optimization, 组相对策略优化) by hand, measured what it gains, seen a sloppy grade at work, and mended it. Two controls keep your claim honest.
#
# **You will be able to**
#
# - turn grades into a gradient, and check it by hand;
# - compare answers within a group, and limit a step by clipping and by a distance;
# - see a sloppy grade fail, and write one that does not fail in this way;
# - say what learning from rewards (强化学习) brought, against cheaper ways.

# %% tags=["setup"]
import re
import time
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np

from course_utils import (
    by_profile, check, claim, devices, full_results, plotting, profile, solved,
)
from course_utils.lessons.evaluation import paired_interval

plotting.use_style()

# %% tags=["plumbing"]
#@title Plumbing: TensorFlow, started quietly; the assistant's parts
devices.setup(seed=0).get_logger().setLevel("ERROR")
import keras
from keras import ops

from course_utils.lessons.assistant import (
    HELD, PAIRS, T, answerer, chat_rows, chats, document_rows, documents,
    log_probabilities_of, new_model, ready, restart, right, sums, train_on_rows,
    working,
)

# %% [markdown]
# ## 19b.1 What is left when nobody writes answers?
#
# <details><summary>In a chat, which guesses count in the loss, and which don't?</summary>
#
# Those of the answer and its end mark. The question is given (notebook [[from_model_to_assistant]]).
# </details>
#
# <details><summary>What does temperature 1 mean when a model writes?</summary>
#
# Each token is drawn with exactly the probability that the model gives it (notebook [[generating_text]]).
# </details>
#
# First make the assistant again: 300 steps of *pre-training* (预训练) on documents, 186 of *fine-tuning* (微调) on chats. It is judged as before: one answer at temperature 1 to each held-out sum.

# %% tags=["plumbing"]
#@title Plumbing: two copies of one model, and the loss while it is trained
PROMPTS, G = by_profile(quick=(4, 4), standard=(32, 8), full=(32, 8))
STEPS = by_profile(quick=(3, 2), standard=(300, 186), full=(300, 186))
HELD_OUT = [f"{a}+{b}" for a, b in PAIRS[HELD]][: by_profile(
    quick=32, standard=None, full=None)]
carries = np.array([int(q[1]) + int(q[4]) >= 10 for q in HELD_OUT])  # 47+85: 7 + 5
reference, learner = new_model(0), new_model(0)
ready(reference)
answer, log_p_of = answerer(learner, B=PROMPTS * G), log_probabilities_of(learner)


class Shown(keras.callbacks.Callback):
    """The loss, now and then, in LiveCurves."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.curves = plotting.LiveCurves(10, title=title, keep=False)

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        self.curves.update(epoch + 1, {"loss": logs["loss"]})

    def on_train_end(self, logs: dict | None = None) -> None:
        self.curves.finish()


# %% tags=["plumbing"]
#@title Plumbing: station(seed), the weights of the assistant; judged(weights) on held-out sums
bare: dict[int, list[np.ndarray]] = {}  # seed -> weights after pre-training


def station(seed: int, written: int = 2000) -> list[np.ndarray]:
    """The weights of the assistant after fine-tuning on so many written chats."""
    epochs = min(10, *STEPS)
    if seed not in bare:
        reference.set_weights(new_model(seed).get_weights())
        texts = documents(64 * STEPS[0], np.random.default_rng([seed, 1]))
        train_on_rows(reference, *document_rows(texts), STEPS[0], peak=3e-3, seed=seed,
                      epochs=epochs, callbacks=[Shown("Pre-training, tenths")])
        bare[seed] = reference.get_weights()
    reference.set_weights(bare[seed])
    talks = chats(written, np.random.default_rng([seed, 2]))
    train_on_rows(reference, *chat_rows(talks), STEPS[1], peak=1e-3, seed=seed,
                  epochs=epochs, callbacks=[Shown("Fine-tuning, tenths")])
    return reference.get_weights()


def judged(weights: list[np.ndarray]) -> tuple[np.ndarray, list[str]]:
    """Which held-out sums are right (n,), and the answers."""
    learner.set_weights(weights)
    answers = answer(HELD_OUT, np.random.default_rng(0))
    return np.array([right(q, a) for q, a in zip(HELD_OUT, answers)]), answers


def ways(answers: list[str], hits: np.ndarray) -> dict[str, float]:
    """The share of answers with a working, and how many are right with and without."""
    works = np.array(["+" in text for text in answers])
    shares = [hits[rows].mean() if rows.any() else np.nan for rows in (works, ~works)]
    return {"working": works.mean(), "with": shares[0], "without": shares[1]}


# %%
tuned = station(0)  # seed 0
before, before_answers = judged(tuned)
print(f"{before.mean():.1%} of {len(before)} held-out sums are right")
question = "68+57"  # one that nobody held out
eight = answer([question] * 8, np.random.default_rng(4))
for text in eight:
    print(f"grade {right(question, text):d}   {text}")

# %% [markdown]
# All that is left is the grade: 1 if the number behind the last `#` is right, else 0. But training means descending a slope.
#
# **Predict.** Change all weights by a hundred-thousandth, and draw with the same random numbers. The eight grades change (a) by about as little · (b) not at all · (c) all of them, wildly

# %% tags=["evidence"]
#@title Evidence: the same eight draws from weights that are a hundred-thousandth larger
ids, counts = chat_rows([(question, text) for text in eight])
first = (log_p_of(ids) * counts).sum(axis=1)  # log p of each answer, (8,)
learner.set_weights([w * (1 + 1e-5) for w in tuned])
again = answer([question] * 8, np.random.default_rng(4))
moved = (log_p_of(ids) * counts).sum(axis=1) - first
print("grades changed:", sum(right(question, a) != right(question, b)
                             for a, b in zip(eight, again)))
print("log-probabilities changed by", np.array2string(moved, precision=1))

# %% [markdown]
# (b). A grade is a step: flat nearly everywhere, so its slope says nothing. Yet something did move: how *probable* each answer is.

# %% [markdown]
# ## 19b.2 Which way does a grade push?
#
# A model with three answers and no text: scores $z$ give probabilities $p = (\frac12, \frac14, \frac14)$, and the grades are $r = (0, 1, 0)$. You want a large *expected grade* $J = \sum_i p_i r_i = \frac14$. Nobody can sum over all texts, but a model can draw. With $\nabla p_i = p_i \nabla \log p_i$,
#
# $$\nabla J = \sum_i r_i \nabla p_i = \sum_i p_i\, r_i \nabla \log p_i = \mathbb{E}\left[ r \,\nabla \log p \right].$$
#
# So: draw answers, push the log-probability of each up by its grade, and take the mean. This is the *policy gradient* (策略梯度); a *policy* (策略) is a model that chooses. Nobody differentiates the grade.
#
# For scores you know the rest (notebook [[loss_functions]]): $\nabla_z \log p_c = (\text{one-hot of } c) - p$.
#
# **Predict.** The second answer was drawn, its grade is 1. With a pencil: the push on the three scores is (a) $(0, 1, 0)$ · (b) $(-\frac14, \frac12, -\frac14)$ · (c) $(-\frac12, \frac34, -\frac14)$. And if the first was drawn, with grade 0?
#
# <details><summary>The answer</summary>
#
# (c): $(0, 1, 0) - p$. With grade 0 the push is zero: nothing is learned from that draw.
# </details>
#
# ### Exercise 19b.2 · the mean push (7 min)
# Answers were drawn, and graded. Return the mean of grade times $\nabla_z \log p$ of the answer drawn. `softmax(z)` is given; `np.eye(k)[choices]` has a one-hot row per draw; `grades[:, None]` multiplies rows.

# %% tags=["plumbing"]
#@title Plumbing: softmax of some scores, and a slope by nudging
def softmax(z: np.ndarray) -> np.ndarray:
    """(k,) scores -> (k,) probabilities"""
    power = np.exp(z - np.max(z))
    return power / power.sum()


def slope_of(function: Callable, z: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences: how function(z) changes with each entry of z (k,)."""
    nudges = np.eye(len(z)) * h
    return np.array([function(z + n) - function(z - n) for n in nudges]) / (2 * h)


# %% tags=["exercise"]
def sampled_gradient(z, choices, grades):
    """Mean over n draws of grade times the gradient of log p with respect to z: (k,)

    z: (k,) scores. choices: (n,) int, which answer was drawn. grades: (n,) of any size
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19b.2", "the mean push"):
    rng_t = np.random.default_rng(0)
    z_t = np.log([0.5, 0.25, 0.25])
    got_t = sampled_gradient(z_t.copy(), np.array([1]), np.array([1.0]))
    np.testing.assert_allclose(got_t, [-0.5, 0.75, -0.25], err_msg="the pencil's case")
    r_t = np.array([0.3, -2.0, 5.0])
    drawn_t = np.array([2, 0, 1, 0])  # each answer as often as its probability says
    got_t = sampled_gradient(z_t.copy(), drawn_t, r_t[drawn_t])
    np.testing.assert_allclose(got_t, slope_of(lambda z: softmax(z) @ r_t, z_t),
                               atol=1e-7, err_msg="slope of the expected grade")
    for k_t, n_t in ((2, 1), (4, 9), (6, 3)):
        z_t, choices_t = rng_t.normal(0, 2, k_t), rng_t.integers(0, k_t, n_t)
        grades_t = rng_t.normal(1, 2, n_t)
        want_t = slope_of(lambda z: np.mean(
            grades_t * np.log(softmax(z)[choices_t])), z_t)
        got_t = sampled_gradient(z_t.copy(), choices_t.copy(), grades_t.copy())
        np.testing.assert_allclose(got_t, want_t, atol=1e-6,
                                   err_msg=f"gradient, {n_t} draws of {k_t} answers")

# %% [markdown]
# <details><summary>Hint</summary>
#
# One row per draw, one column per answer: (n, k). At last, a mean over the draws.
# </details>

# %% tags=["solution"]
#@title Solution 19b.2 · runs only while yours does not pass
if not solved("19b.2"):
    def sampled_gradient(z, choices, grades):
        pushes = np.eye(len(z))[choices] - softmax(z)  # (n, k)
        return np.mean(grades[:, None] * pushes, axis=0)

# %%
z, r = np.log([0.5, 0.25, 0.25]), np.array([0.0, 1.0, 0.0])
rng = np.random.default_rng(0)
print("exact        ", slope_of(lambda z: softmax(z) @ r, z).round(4))
for n in (8, 1000, 100_000):
    drawn = rng.choice(3, n, p=softmax(z))
    print(f"{n:>7} draws", sampled_gradient(z, drawn, r[drawn]).round(4))

# %% [markdown]
# Right on average, and rough with few draws. For texts nothing changes: $\log p$ of an answer is the sum over its tokens, and Keras differentiates it.

# %% [markdown]
# ## 19b.3 Compared with what?
#
# A grade of 1 pushes up, a grade of 0 does nothing. So where all answers are right, all are pushed up, in vain. Ask instead: was this answer better than *others to the same question*? Let the model answer each question $G$ times, a *group*. Each answer's *advantage* (优势) is
#
# $$A_i = \frac{r_i - \text{mean of its group}}{\text{standard deviation of its group} + 10^{-4}}.$$
#
# With a pencil: grades $1, 0, 0, 0$ have mean 0.25 and standard deviation $0.433$, so $A \approx 1.73, -0.58, -0.58, -0.58$.
#
# ### Exercise 19b.3 · advantages (5 min)
# The grades stand group after group. Reshape to `(groups, -1)`; `keepdims=True` lets a mean per row be subtracted from its row. `np.std` divides by $G$, as is wanted here.

# %% tags=["exercise"]
def advantages(grades, groups):
    """Each grade compared with its group: (n,)

    grades: (n,) array, the first n / groups of them are the first group
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19b.3", "advantages"):
    got_t = advantages(np.array([1.0, 0, 0, 0]), 1)
    want_t = np.array([0.75, -0.25, -0.25, -0.25]) / (0.1875**0.5 + 1e-4)
    np.testing.assert_allclose(got_t, want_t, rtol=1e-5, err_msg="1, 0, 0, 0")
    rows_t = [[0, 1], [5, 5], [7, 3], [-1, 9]]
    got_t = advantages(np.array(rows_t, float).ravel(), 4)
    assert np.shape(got_t) == (8,), f"shape {np.shape(got_t)}, not (8,)"
    np.testing.assert_allclose(
        got_t, [-0.9998, 0.9998, 0, 0, 0.99995, -0.99995, -0.99998, 0.99998],
        atol=1e-5, err_msg="groups of two: 0 1, 5 5, 7 3, -1 9")
    for value_t in (0.0, 1.0, 3.0):
        np.testing.assert_array_equal(advantages(np.full(6, value_t), 2), np.zeros(6),
                                      "a group of equal grades teaches nothing")
    np.testing.assert_array_equal(advantages(np.array([2.0, 4.0]), 2), [0, 0],
                                  "one answer has nothing to be compared with")
    r_t = np.random.default_rng(0).normal(2, 3, 30)
    got_t = np.asarray(advantages(r_t.copy(), 5)).reshape(5, 6)
    np.testing.assert_allclose(got_t.sum(axis=1), np.zeros(5), atol=1e-5,
                               err_msg="sum of a group")
    np.testing.assert_allclose((got_t**2).mean(axis=1), np.ones(5), atol=1e-3,
                               err_msg="mean square of a group")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `table.mean(axis=1, keepdims=True)` has shape (groups, 1). `ravel()` makes one row of the table again.
# </details>

# %% tags=["solution"]
#@title Solution 19b.3 · runs only while yours does not pass
if not solved("19b.3"):
    def advantages(grades, groups):
        table = grades.reshape(groups, -1)  # (groups, G)
        centered = table - table.mean(axis=1, keepdims=True)
        return (centered / (table.std(axis=1, keepdims=True) + 1e-4)).ravel()

# %% [markdown]
# **Predict.** Of eight answers, $k$ are right. For which $k$ is *one* right answer pushed up hardest, and one wrong answer pushed down hardest? (a) $k = 4$ for both · (b) $k = 1$ and $k = 7$ · (c) $k = 7$ and $k = 1$

# %%
for k in (0, 1, 4, 7, 8):
    grades = np.array([1.0] * k + [0.0] * (8 - k))
    A = advantages(grades, 1)
    print(f"{k} of 8 right: a right answer {A[0]:+.2f}, a wrong one {A[-1]:+.2f}"
          if 0 < k < 8 else f"{k} of 8 right: all {A[0]:+.2f}")

# %% [markdown]
# (b): what is rare in its group counts most. And where all eight have the same grade, nothing is left to learn from.

# %% [markdown]
# ## 19b.4 How far may one step go?
#
# Writing costs time, so each answer serves *two* steps. In the second, the model is no longer the one that wrote. For each token, let $\rho = p_\text{now} / p_\text{when written}$. At $\rho = 1$ the gradient of $\rho A$ is that of $A \log p$. Far from 1 it isn't to be trusted, so *clipping* (裁剪) takes the lower of two gains:
#
# $$\text{gain} = \min\left( \rho A,\ \text{clip}(\rho,\, 1 - \varepsilon,\, 1 + \varepsilon)\, A \right), \qquad \varepsilon = 0.2 .$$
#
# **Predict.** Four tokens: $\rho = 1.5$ and $\rho = 0.5$, with $A = 1$ and with $A = -1$. For which is the gain flat, so that the token pushes no more? (a) for all four · (b) $\rho = 1.5$ with $A = 1$, and $\rho = 0.5$ with $A = -1$ · (c) the two others
#
# <details><summary>The answer, with a pencil</summary>
#
# (b). The gains are $1.2$ (flat), $0.5$, $-1.5$, $-0.8$ (flat). What has gone far in the wanted direction stops; what went the wrong way may come back.
# </details>
#
# A second limit: stay near the *reference* (参考模型), the model before this training. From a token drawn by the learner, with $d = \log p_\text{reference} - \log p$, their distance (*KL divergence*, KL 散度) is estimated by
#
# $$e^{d} - d - 1 .$$
#
# It is 0 at $d = 0$ and positive elsewhere. (Why not simply $-d$: 19b.8. In *nats*, the unit of natural logarithms.)
#
# ### Exercise 19b.4 · the loss (11 min)
# From each token's gain subtract `kl_weight` times its distance. The loss is *minus* the mean over the tokens that count: the sum of what counts, over the sum of `counts`. Use Keras' operations, which are NumPy's by name: `ops.exp`, `ops.minimum`, `ops.clip(x, low, high)`, `ops.sum`.

# %% tags=["exercise"]
def policy_loss(log_p, old, reference, A, counts, kl_weight, clip=0.2):
    """What to minimize, a number. All arrays are (B, T), a number for each token.

    log_p: now; old: when written; reference: by the reference. A: the advantage.
    counts: 1 for a token that the model wrote, else 0
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19b.4", "the loss"):
    def loss_t(rho, A, d=0.0, counts=None, kl_weight=0.0, **more):
        rho, A, d = np.broadcast_arrays(*map(np.atleast_2d, (rho, A, d)))
        counts = np.ones(rho.shape) if counts is None else np.atleast_2d(counts)
        parts = [np.log(rho) - 2, np.full(rho.shape, -2.0), np.log(rho) - 2 + d, A]
        arrays = [ops.array(x, "float32") for x in [*parts, counts]]
        got = ops.convert_to_numpy(policy_loss(*arrays, kl_weight, **more))
        assert np.shape(got) == (), f"one number, not shape {np.shape(got)}"
        return float(got)

    close_t = dict(atol=2e-5, rtol=1e-4)
    for rho_t, A_t, gain_t in [(1.5, 1, 1.2), (0.5, 1, 0.5), (1.5, -1, -1.5),
                               (0.5, -1, -0.8), (1.1, 2, 2.2), (0.9, -3, -2.7)]:
        np.testing.assert_allclose(loss_t(rho_t, A_t), -gain_t, **close_t,
                                   err_msg=f"minus the gain, ρ = {rho_t}, A = {A_t}")
    for rho_t, A_t, gain_t in ((1.5, 1, 1.4), (0.5, -1, -0.6)):
        np.testing.assert_allclose(
            loss_t(rho_t, A_t, clip=0.4), -gain_t, **close_t,
            err_msg=f"minus the gain, ρ = {rho_t}, A = {A_t}, clip = 0.4")
    for d_t, far_t in ((0, 0), (1, np.e - 2), (-1, 1 / np.e), (0.5, 0.148721)):
        np.testing.assert_allclose(loss_t(1, 0, d_t, kl_weight=3), 3 * far_t, **close_t,
                                   err_msg=f"three times the distance, d = {d_t}")
    np.testing.assert_allclose(  # gains 1, 1.2 and 0.5 count
        loss_t([[1, 1.5, 9], [0.5, 9, 9]], [[1, 1, 5], [1, 5, 5]], 0,
               [[1, 1, 0], [1, 0, 0]]), -0.9, **close_t, err_msg="three tokens count")
    np.testing.assert_allclose(
        loss_t([[1, 1]], [[2, 0]], [[0, 1]], [[1, 1]], 0.5), -1 + (np.e - 2) / 4,
        **close_t, err_msg="gain and distance together")
    np.testing.assert_allclose(loss_t(1.5, 0, 1, kl_weight=1), np.e - 2, **close_t,
                               err_msg="distance from now, ρ = 1.5, d = 1")
    np.testing.assert_allclose(loss_t(1, 0, [[1, 2]], [[0, 1]], 1), np.e**2 - 3,
                               **close_t, err_msg="only the distance of d = 2 counts")
    out_t = policy_loss(*[keras.KerasTensor((2, 3))] * 5, 0.5)  # as Keras calls it
    assert tuple(ops.shape(out_t)) == (), "with Keras' operations only, please"

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\rho = e^{\log p - \text{old}}$. The distance uses `log_p`, not `old`: it must have a slope.
# </details>

# %% tags=["solution"]
#@title Solution 19b.4 · runs only while yours does not pass
if not solved("19b.4"):
    def policy_loss(log_p, old, reference, A, counts, kl_weight, clip=0.2):
        ratio = ops.exp(log_p - old)  # (B, T)
        gain = ops.minimum(ratio * A, ops.clip(ratio, 1 - clip, 1 + clip) * A)
        d = reference - log_p
        distance = ops.exp(d) - d - 1
        return -ops.sum(counts * (gain - kl_weight * distance)) / ops.sum(counts)

# %% tags=["plumbing"]
#@title Plumbing: Keras hands one array to a loss, so five are packed into one; what was written, as rows
KL_WEIGHT = keras.Variable(0.0, trainable=False)


def packed_loss(y, logits):
    """y (B, T, 5): the tokens, then counts, A, old and reference of `policy_loss`."""
    tokens = ops.cast(y[..., :1], "int32")
    log_p = ops.take_along_axis(ops.log_softmax(logits), tokens, axis=2)[..., 0]
    counts, A, old, before = (y[..., i] for i in range(1, 5))
    return policy_loss(log_p, old, before, A, counts, ops.convert_to_tensor(KL_WEIGHT))


def rows_of(questions: list[str], answers: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Like chat_rows; the end mark of an answer that filled the line does not count."""
    ids, counts = chat_rows(list(zip(questions, answers)))
    for row, (q, a) in enumerate(zip(questions, answers)):
        if 3 + len(q) + len(a) >= T:
            counts[row, -1] = 0
    return ids, counts


def log_p_before(ids: np.ndarray) -> np.ndarray:
    """What the reference gives, (n, T), by the learner's program: compiled once."""
    now = learner.get_weights()
    learner.set_weights(reference.get_weights())
    found = log_p_of(ids)
    learner.set_weights(now)
    return found


ready(learner, packed_loss, decay=0.0)

# %% [markdown]
# Now the whole turn, in a dozen lines. (The first one takes half a minute: the loss is compiled.)

# %%
def one_turn(grade, rng, compare=advantages):
    """Write, grade, compare, learn twice. Returns grades, truth, and two distances."""
    questions = list(np.repeat(sums(PROMPTS, rng), G))  # (PROMPTS * G,)
    answers = answer(questions, rng)
    grades = np.array([grade(q, a) for q, a in zip(questions, answers)], float)
    A = compare(grades.copy(), PROMPTS)
    ids, counts = rows_of(questions, answers)  # (n, T + 1), (n, T)
    old, before = log_p_of(ids), log_p_before(ids)
    A_rows = np.broadcast_to(np.asarray(A)[:, None], counts.shape)
    y = np.stack([ids[:, 1:], counts, A_rows, old, before], axis=2)
    for _ in range(2):
        learner.train_on_batch(ids[:, :-1], y.astype(np.float32))
    truth = [right(q, a) for q, a in zip(questions, answers)]
    d = (before - old) * counts
    return grades, truth, np.sum(np.exp(d) - d - 1, axis=1), -d.sum(axis=1)


# %% tags=["plumbing"]
#@title Plumbing: reinforce(grade, …): so many turns from the assistant's weights, with live curves
QUICK = profile() == "quick"


def reinforce(grade: Callable, turns: int, peak: float, kl_weight: float, *,
              start: list[np.ndarray] | None = None, seed: int = 0, title: str = "",
              compare: Callable = advantages) -> dict:
    """Its curves (a number per turn), its weights, answers to held-out sums, seconds.

    The rate rises for ten turns and falls to zero. start: the first weights, and the
    reference's
    """
    begun, rng = time.perf_counter(), np.random.default_rng([seed, 3])
    turns = 2 if QUICK else turns
    for model in (learner, reference):
        model.set_weights(tuned if start is None else start)
    restart(learner)
    KL_WEIGHT.assign(kl_weight)
    curves: dict[str, list[float]] = {"grade": [], "truth": [], "k3": [], "k1": []}
    panels = ("grade", "distance")
    with plotting.LiveCurves(turns, panels, title or "Turns", keep=False) as live:
        for turn in range(turns):
            learner.optimizer.learning_rate = peak * min(
                (turn + 1) / 10, 0.5 + 0.5 * np.cos(np.pi * turn / turns))
            for name, values in zip(curves, one_turn(grade, rng, compare)):
                curves[name].append(float(np.mean(values)))
            now = {"grade": curves["grade"][-1], "distance": curves["k1"][-1]}
            if title and (turn % 2 or turn == turns - 1):
                live.update(turn + 1, now)
    seconds, weights = time.perf_counter() - begun, learner.get_weights()
    hits, answers = judged(weights)
    return {"curves": curves, "weights": weights, "hits": hits, "answers": answers,
            "seconds": seconds}


# %% [markdown]
# **Predict.** Forty turns of 32 questions with 8 answers each, 10,240 grades. The assistant was right in about half of the held-out sums. After them it is right in (a) 55 to 65 % · (b) 65 to 75 % · (c) over 75 %

# %%
def right_number(question, text):
    return float(right(question, text))


rewarded = reinforce(right_number, turns=40, peak=6e-4, kl_weight=0.02, title="Turns")
after, after_answers = rewarded["hits"], rewarded["answers"]
print(f"held-out sums: {before.mean():.1%} before, {after.mean():.1%} after")

# %% tags=["evidence"]
#@title Evidence: the gain on held-out sums, paired, and where it comes from
full = full_results("19b")
judging = not QUICK
low, high = paired_interval(np.sum(before & ~after), np.sum(after & ~before),
                            len(after))
print(f"seed 0: {low:+.1%} to {high:+.1%} (95 %, paired over {len(after)} sums)")
claim("points gained on held-out sums, seed 0", 100 * (after.mean() - before.mean()),
      at_least=25, applies=judging)
for name, texts, hits in (("before", before_answers, before),
                          ("after", after_answers, after)):
    print("{}: {working:.0%} have a working; right with it {with:.0%}, "
          "without {without:.0%}".format(name, **ways(texts, hits)))

# %% [markdown]
# (c), in these 40 turns and with all three seeds of the full profile (19b.7), from grades alone. See the evidence: half of the answers came without working, nearly all of them wrong. Most of the gain is a *choice*: now the working is always there. It also has fewer mistakes.

# %% tags=["figure"]
#@title Figure: The grades rise; the distance peaks with the rate
fig, axes = plt.subplots(1, 2, figsize=(7, 2.7))
turns = np.arange(1, len(rewarded["curves"]["grade"]) + 1)
for ax, name, color in zip(axes, ("grade", "k1"), (plotting.BLUE, plotting.ORANGE)):
    ax.plot(turns, rewarded["curves"][name], color=color)
    ax.set(xlabel="turn (256 answers each)")
axes[0].set(ylabel="mean grade", ylim=(0, 1.02))
axes[1].set(ylabel="mean of −d (nats)")
fig.suptitle("The grades rise; the distance peaks with the rate", fontweight="bold")
plt.show()

# %% [markdown]
# ## 19b.5 What does a sloppy grade teach?
#
# A client wants to *see* the working. A colleague writes a grade: one point for each true equation of one-digit numbers. It passes the colleague's tests:

# %%
EQUATION = re.compile(r"(?<!\d)(\d)\+(\d)=(\d+)")


def sloppy(question, text):
    """How many true equations are written, such as 7+5=12."""
    return float(sum(int(a) + int(b) == int(result)
                     for a, b, result in EQUATION.findall(text)))


for text in ("3+1=4 2+4=6 #64", "3+1=4 2+4=7 #74", "#64"):
    print(f"{sloppy('23+41', text):.0f} points: {text}")

# %% [markdown]
# ### Exercise 19b.5 · attack the grade (3 min)
# Try to cheat it before the model does. An answer has room for 24 characters: digits, `+`, `=`, `#` and spaces. Return one that gets four points whatever the question is, and is wrong.

# %% tags=["exercise"]
def cheat(question):
    """A wrong answer of up to 24 characters with four true equations: a string."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19b.5", "attack the grade"):
    for question_t in ("47+85", "10+11", "99+98", "20+30"):
        text_t = cheat(question_t)
        assert isinstance(text_t, str), f"a string, not {type(text_t).__name__}"
        assert len(text_t) <= 24, f"{len(text_t)} characters, more than 24"
        assert set(text_t) <= set("0123456789+=# "), f"other characters in {text_t!r}"
        points_t = sloppy(question_t, text_t)
        assert points_t >= 4, f"{points_t:.0f} points for {text_t!r}, not 4"
        assert not right(question_t, text_t), f"{text_t!r} is right, so no cheat"

# %% [markdown]
# <details><summary>Hint</summary>
#
# The shortest true equation has five characters, and nobody asks whether it belongs to the question.
# </details>

# %% tags=["solution"]
#@title Solution 19b.5 · runs only while yours does not pass
if not solved("19b.5"):
    def cheat(question):
        return "0+0=0 1+1=2 2+2=4 3+3=6"

# %% [markdown]
# Now the assistant learns from the sloppy grade: turns and rate as in 19b.4 (60 turns in the full profile), and no weight on the distance.
#
# **Predict.** Which sums are right at the end, compared with the start? (a) more of all, since the working is always there · (b) more without a carry, as many with one · (c) hardly any with a carry

# %%
TURNS = by_profile(quick=2, standard=40, full=60)
fooled = reinforce(sloppy, TURNS, peak=6e-4, kl_weight=0.0, title="Turns, sloppy")
for i in range(0, len(HELD_OUT), max(1, len(HELD_OUT) // 9)):
    print(f"{HELD_OUT[i]}: {fooled['answers'][i]!r}")
points = np.array([sloppy(q, a) for q, a in zip(HELD_OUT, fooled["answers"])])
print(f"{points.mean():.2f} points, {np.mean(points > 2):.1%} of the answers have over "
      f"two; {fooled['hits'].mean():.1%} are right")
for word, rows in (("with", carries), ("without", ~carries)):
    print(f"{word:>7} a carry: {before[rows].mean():.1%} right before, "
          f"{fooled['hits'][rows].mean():.1%} now")

# %% tags=["figure"]
#@title Figure: What the points and the truth do over the turns
fig, ax = plt.subplots(figsize=(6.4, 2.9))
for name, label, style in (("grade", "points (sloppy grade)", "-"),
                           ("truth", "share of right answers", "--")):
    values = fooled["curves"][name]
    ax.plot(np.arange(1, len(values) + 1), values, style, label=label)
best, last = max(fooled["curves"]["truth"]), fooled["curves"]["truth"][-1]
ax.set(title="The points go up, the truth goes down" if last < best - 0.15 else
       "The points go up, and this time the truth holds", ylim=(0, None),
       xlabel="turn (256 answers each)", ylabel="mean of a turn")
ax.legend()
plt.show()

# %% tags=["evidence"]
#@title Evidence: the truth against its own best
def falls(truth: list[float], window: int = 5) -> float:
    """The best mean of five turns in a row, minus that of the last five."""
    means = np.convolve(truth, np.ones(window) / window, "valid")
    return float(means.max() - means[-1]) if len(truth) >= window else np.nan


print(f"this run: by {falls(fooled['curves']['truth']):.2f}")
fallen = {name: [falls(run["curves"]["truth"]) for run in full["runs"][name]]
          for name in ("sloppy", "sloppy, KL 1")} if full else {}
for i, run in enumerate(full["runs"]["sloppy"] if full else []):
    first, fell = full["runs"]["2000, start"][i], fallen["sloppy"][i]
    print(f"full profile, seed {i}: by {fell:.2f}; right with a carry "
          f"{first['carry']:.0%} before, {run['carry']:.0%} now; without "
          f"{first['plain']:.0%} before, {run['plain']:.0%} now; to 55+69:",
          repr(run["examples"][6]))
if full:
    print("a coin for a grade, right at the end:",
          *[f"{run['right']:.0%}" for run in full["runs"]["coin"]])
    claim("smallest fall, weight 0, three seeds", min(fallen["sloppy"]), at_least=0.15)
    claim("smallest loss on sums with a carry, three seeds", min(
        a["carry"] - b["carry"] for a, b in zip(full["runs"]["2000, start"],
                                                full["runs"]["sloppy"])), at_least=0.15)
claim("the truth falls below its own best, seed 0, this run",
      falls(fooled["curves"]["truth"]), at_least=0.15, applies=judging)

# %% [markdown]
# (c), with all three seeds. At first the truth rises, as the working becomes frequent. Then it falls: the colleague's pattern does not know `4+8+1=13`, and the colleague's tests had no carry. On 47+85 the right working earns one point. Two points go to `7+5=12 4+8=12`, and to any two easy equations: nobody asks whether they belong to the question, or reads the number behind them.
#
# The rest changes with the seed and the turns. In 60 turns of the full profile, seed 0 ends at easy equations, often three in a row, much like a cheat; with seed 1, sums without a carry even gain. This is *reward hacking* (奖励作弊): the grade goes up, and what it stood for goes down.
#
# The fall alone proves nothing. A coin for a grade, which says nothing, destroys the answers as well (last line of the evidence). That the points rise meanwhile does.

# %% [markdown]
# ## 19b.6 What would a better grade be?
#
# A weight on the distance limits such damage (19b.8), but holds back good changes, too. Better: mend the grade. A pattern that knows the carry is not enough: nobody reads the number. Nor is the right number alone: in 19b.4 the working became frequent because it helps, but `#132` was paid as much. So pay both.
#
# ### Exercise 19b.6 · a careful grade (6 min)
# Return 0 if the number isn't right (`right` tells). If it is, return ½, and ¼ more for each of the two columns whose equation is a word of the answer. `working(47, 85)`, of two whole numbers, is the text `7+5=12 4+8+1=13 #132`; a question is a text like `"47+85"`. `split()` cuts a text at spaces, `split("+")` at plus signs. (In 11+22 both columns are the same equation: either one serves for both.)

# %% tags=["exercise"]
def careful(question, text):
    """0 for a wrong number; else 0.5, 0.75 or 1, by how many columns are shown."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("19b.6", "a careful grade"):
    for question_t, text_t, grade_t in [
            ("47+85", "7+5=12 4+8+1=13 #132", 1), ("47+85", "#132", 0.5),
            ("47+85", "4+8+1=13 7+5=12 #132", 1), ("47+85", "7+5=12 #132", 0.75),
            ("47+85", "7+5=12 4+8=12 #132", 0.75), ("12+34", "1+3=4 #46", 0.75),
            ("47+85", "4+8+1=13 #132", 0.75), ("12+34", "2+4=6 1+3=4 #46", 1),
            ("47+85", "7+5=12 7+5=12 #132", 0.75), ("47+85", "1+1=2 2+2=4 #132", 0.5),
            ("47+85", "17+5=12 4+8+1=135 #132", 0.5), ("47+85", "5+7=12 #132", 0.5),
            ("47+85", "7+5=12 4+8+1=13 #123", 0), ("47+85", "7+5=12 4+8+1=13", 0),
            ("47+85", "7+5=12 4+8+1=13 =132", 0), ("47+85", "", 0),
            ("47+85", "#132 #5", 0), ("47+85", "7+5=12 #1324", 0),
            ("11+11", "1+1=2 1+1=2 #22", 1), ("11+22", "1+2=3 #33", 1),
            ("47+85", "7+5=12 4+8+1=13#132", 0.75),
            ("12+34", "0+0=0 2+4=6 1+3=4 #46", 1),
            ("47+85", cheat("47+85"), 0), ("50+50", "0+0=0 5+5=10 #100", 1)]:
        got_t = careful(question_t, text_t)
        np.testing.assert_allclose(got_t, grade_t, atol=1e-9,
                                   err_msg=f"grade of {text_t!r} for {question_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `text.split()` gives the words of the answer. `word in text` would also find `7+5=12` inside `17+5=12`.
# </details>

# %% tags=["solution"]
#@title Solution 19b.6 · runs only while yours does not pass
if not solved("19b.6"):
    def careful(question, text):
        if not right(question, text):
            return 0.0
        a, b = map(int, question.split("+"))
        steps, words = working(a, b).split()[:2], text.split()
        return 0.5 + 0.25 * sum(step in words for step in steps)

# %% [markdown]
# Now your grade, from the same start and again with no weight on the distance, for 20 turns.
#
# **Predict.** After them (a) nearly all answers have the working, and about half are right: the number is only half of the grade · (b) nearly all have it, and over 80 % are right · (c) over 80 % are right, half of them without working, as at first

# %%
mended = reinforce(careful, turns=20, peak=6e-4, kl_weight=0.0, title="Turns, careful")
print("your grade pays the answers of 19b.5 {:.2f}, these {:.2f}".format(
    *[np.mean([careful(q, a) for q, a in zip(HELD_OUT, run["answers"])])
      for run in (fooled, mended)]))
print("{right:.1%} right, {working:.0%} with working".format(
    right=mended["hits"].mean(), **ways(mended["answers"], mended["hits"])))

# %% tags=["evidence"]
#@title Evidence: the careful grade for 60 turns, in the full profile
for i, run in enumerate(full["runs"]["careful"] if full else []):
    fell = falls(run["curves"]["truth"])
    print(f"full profile, seed {i}: {run['right']:.1%} right, {run['working']:.0%} "
          f"with working; the truth fell below its best by {fell:.2f}")

# %% [markdown]
# (b), with seed 0; nor does the truth fall far in the full profile's three seeds of 60 turns, with our solution. There turns, rate and weight 0 are those of the sloppy grade: it was the grade. But this one is safe only against what you thought of.

# %% [markdown]
# ## 19b.7 Was it worth it?
#
# Before you report the gain of 19b.4, ask what the same effort brings otherwise. Two *controls* (对照), each from the same start:
#
# - **more rounds**: 500 steps of 64 rows more over the same written chats. (The grades took 80 steps of 256 rows, as many rows as 320 of these, and time to write.)
# - **own right answers** (*rejection sampling*, 拒绝采样, as in notebook [[from_model_to_assistant]]): draw 10,240 answers at once, keep the right ones, and fine-tune on them for 320 steps.
#
# Both with the rate and the weight decay of the fine-tuning.
#
# And two starts: fine-tuned on 2,000 written chats, as above, or on 200 only, with as many steps. The full profile ran all of it with three seeds.
#
# **Predict.** Write down an order of the three for 2,000 chats, then for 200: grades · more rounds · own right answers. Where does "more rounds" end, in percent?

# %% tags=["plumbing"]
#@title Plumbing: the two controls
def more_rounds(start: list[np.ndarray], seed: int, written: int, steps: int = 500
                ) -> dict:
    """So many steps more on the chats that the start has seen."""
    begun = time.perf_counter()
    reference.set_weights(start)
    talks = chats(written, np.random.default_rng([seed, 2]))
    train_on_rows(reference, *chat_rows(talks), steps, peak=1e-3, seed=seed + 10)
    seconds = time.perf_counter() - begun
    hits, answers = judged(reference.get_weights())
    return {"hits": hits, "answers": answers, "seconds": seconds}


def own_right_answers(start: list[np.ndarray], seed: int, turns: int = 40) -> dict:
    """As many answers as in so many turns, drawn at once; it learns the right ones."""
    begun, rng = time.perf_counter(), np.random.default_rng([seed, 4])
    learner.set_weights(start)
    questions = list(np.repeat(sums(turns * PROMPTS, rng), G))
    kept = [(q, a) for q, a in zip(questions, answer(questions, rng)) if right(q, a)]
    reference.set_weights(start)
    train_on_rows(reference, *rows_of(*zip(*kept)), turns * PROMPTS * G // 32,
                  peak=1e-3, seed=seed + 20)
    seconds = time.perf_counter() - begun
    hits, answers = judged(reference.get_weights())
    return {"hits": hits, "answers": answers, "seconds": seconds, "kept": len(kept)}


# %% tags=["plumbing"]
#@title Plumbing: all that the full profile runs, for one seed
def everything(seed: int) -> dict[str, dict]:
    """All runs of one seed, by name. Those of seed 0 above are taken over."""
    done = {"2000, grades": rewarded, "sloppy": fooled} if seed == 0 else {}
    runs, truth = {}, dict(turns=40, peak=6e-4, kl_weight=0.02, seed=seed)
    for written in (2000, 200):
        w, begun = f"{written}, ", time.perf_counter()
        start = station(seed, written)
        seconds, (hits, answers) = time.perf_counter() - begun, judged(start)
        runs[w + "start"] = {"hits": hits, "answers": answers, "seconds": seconds}
        runs[w + "grades"] = done.get(w + "grades") or reinforce(
            right_number, start=start, **truth)
        runs[w + "more rounds"] = more_rounds(start, seed, written)
        runs[w + "own right answers"] = own_right_answers(start, seed)
    truth["start"] = start = station(seed)
    runs["plain"] = reinforce(right_number, compare=lambda g, groups: g, **truth)
    other = dict(turns=60, peak=6e-4, seed=seed, start=start)
    toss = np.random.default_rng(seed)
    runs["sloppy"] = done.get("sloppy") or reinforce(sloppy, kl_weight=0.0, **other)
    runs["sloppy, KL 1"] = reinforce(sloppy, kl_weight=1.0, **other)
    runs["careful"] = reinforce(careful, kl_weight=0.0, **other)
    runs["coin"] = reinforce(lambda q, a: toss.integers(2), kl_weight=0.0, **other)
    return runs


# %% tags=["plumbing"]
#@title Plumbing: what the full profile keeps of them
def kept_of(run: dict) -> dict:
    """What of a run goes into the results: plain numbers."""
    curves = {name: np.round(values, 3).tolist()
              for name, values in run.get("curves", {}).items()}
    shares = {name: float(value) for name, value in
              ways(run["answers"], run["hits"]).items()}
    return {"right": float(run["hits"].mean()), "seconds": round(run["seconds"]),
            "carry": float(run["hits"][carries].mean()),
            "plain": float(run["hits"][~carries].mean()),
            "kept": run.get("kept"), "curves": curves,
            "examples": run["answers"][:: max(1, len(HELD_OUT) // 12)], **shares}


results: dict = {"runs": {}, "only grades, only control": {}}
for seed in (0, 1, 2) if profile() == "full" else ():
    found = everything(seed)
    for name, run in found.items():
        results["runs"].setdefault(name, []).append(kept_of(run))
        written, _, arm = name.partition(", ")
        if arm in ("more rounds", "own right answers"):  # for paired intervals
            ours, theirs = found[f"{written}, grades"]["hits"], run["hits"]
            results["only grades, only control"].setdefault(name, []).append(
                [int(np.sum(ours & ~theirs)), int(np.sum(theirs & ~ours))])
shown = results if profile() == "full" else full

# %% tags=["evidence"]
#@title Evidence: held-out sums that are right, seeds 0, 1, 2, and of answers without working
for written in (2000, 200) if shown else ():
    for arm in ("start", "grades", "more rounds", "own right answers"):
        runs = shown["runs"][f"{written}, {arm}"]
        print(f"{written:>4} chats, {arm:<17}", *[f"{x['right']:.1%}" for x in runs],
              " without working:", *[f"{x['without']:.0%}" for x in runs])

# %% tags=["evidence"]
#@title Evidence: grades minus each control, paired, seed by seed
pairs, lows = shown["only grades, only control"] if shown else {}, {"": 0.0}
for name, counted in pairs.items():
    ends = [paired_interval(a, b, int(HELD.sum())) for b, a in counted]
    lows[name] = min(float(low) for low, _ in ends)
    print(f"grades minus {name:<23}",
          *[f"{low:+.1%} to {high:+.1%};" for low, high in ends])
gains = [100 * (b["right"] - a["right"]) for a, b in zip(
    shown["runs"]["2000, start"], shown["runs"]["2000, grades"])] if shown else [0.0]
claim("points gained by grades, mean of three seeds", np.mean(gains), at_least=25,
      applies=shown is not None)
for name in ("200, more rounds", "200, own right answers") if shown else ():
    claim(f"grades minus {name}: lowest lower end", lows[name], at_least=0.0)

# %% [markdown]
# With 2,000 written chats the three end within a point of each other, in the mean of three seeds, and grades lead in none. (Two of the six intervals exclude 0, in opposite directions; they count held-out sums, not new trainings.) The start had not learned all that its chats teach. More rounds even made it right *without* working, as no grade did. So "44 points gained by rewards" is true, and says little about rewards.
#
# With 200, more rounds hardly help. Grades are over 40 points ahead of them, and over five ahead of own right answers, in each seed; a second round of own right answers was not measured. Here is the place of grades: few written answers, many questions, and a program that can grade.

# %% [markdown]
# ## 19b.8 Distance, clipping and the mean: do they matter? ◇
#
# **Predict.** The sloppy grade once more, now with weight 1 on the distance to the reference. After 60 turns the share of right answers is (a) far below the start · (b) near it · (c) 20 points or more above it

# %% tags=["figure"]
#@title Figure: Right answers with weight 0 and with weight 1 (full profile, three seeds)
if full:
    fig, axes = plt.subplots(1, 2, figsize=(7, 2.7), sharey=True)
    for ax, name, title in zip(axes, ("sloppy", "sloppy, KL 1"),
                               ("weight 0", "weight 1")):
        for seed, run in enumerate(full["runs"][name]):
            smooth = np.convolve(run["curves"]["truth"], np.ones(5) / 5, "valid")
            at, first = np.arange(5, 5 + len(smooth)), full["runs"]["2000, start"][seed]
            ax.plot([0, *at], [first["right"], *smooth], ("-", "--", ":")[seed],
                    label=f"seed {seed}")
        ax.set(title=title, xlabel="turn", ylim=(0, 1))
    axes[0].set(ylabel="right, mean of five turns")
    axes[1].legend()
    fig.suptitle("Right answers, from the start on", fontweight="bold")
    plt.show()

# %% tags=["evidence"]
#@title Evidence: right at the start and at the end, weight 1
for i, run in enumerate(full["runs"]["sloppy, KL 1"] if full else []):
    first = full["runs"]["2000, start"][i]["right"]
    print(f"full profile, seed {i}: {first:.1%} right at the start, "
          f"{run['right']:.1%} at the end, {run['working']:.0%} with working")
if full:
    claim("largest fall with weight 1", max(fallen["sloppy, KL 1"]), at_most=0.1)

# %% [markdown]
# (c), with these three seeds and this rate. The weight keeps the carry and the number, while the working, familiar to the reference, becomes more frequent.
#
# How many tokens does the clip stop? That depends on how far the first of the two steps goes.
#
# **Predict.** After one step from the start at rate $6 \cdot 10^{-5}$ (the first turn's) and at ten times this rate, the share of tokens whose gain the clip makes flat is (a) below 1 % at both · (b) about 5 % and 15 % · (c) over 50 % at both

# %% tags=["plumbing"]
#@title Plumbing: the share of tokens that a first step has carried to a flat gain
def flat_share(rate: float) -> tuple[float, float]:
    """Among tokens written: the share of flat gains, of ratios outside 0.8 to 1.2."""
    learner.set_weights(tuned)
    restart(learner)
    learner.optimizer.learning_rate = rate
    rng = np.random.default_rng(5)
    questions = list(np.repeat(sums(PROMPTS, rng), G))
    answers = answer(questions, rng)
    A = np.asarray(advantages(np.array(
        [float(right(*qa)) for qa in zip(questions, answers)]), PROMPTS))[:, None]
    ids, counts = rows_of(questions, answers)
    old = log_p_of(ids)
    y = np.stack([ids[:, 1:], counts, np.broadcast_to(A, old.shape), old, old], axis=2)
    learner.train_on_batch(ids[:, :-1], y.astype(np.float32))
    ratio, written = np.exp(log_p_of(ids) - old), counts > 0
    flat = ((ratio > 1.2) & (A > 0)) | ((ratio < 0.8) & (A < 0))
    return flat[written].mean(), (abs(ratio - 1) > 0.2)[written].mean()


# %%
for rate in (6e-6, 6e-5, 6e-4):
    flat, outside = flat_share(rate)
    print(f"rate {rate:.0e}: {flat:.1%} flat, {outside:.1%} outside 0.8 to 1.2")

# %% [markdown]
# (b), from this start. Most tokens move little in one step, and the clip stops the few that moved far. The larger the rate, the more of them; at a tenth of the first turn's rate, nearly none.
#
# Now the distance. Drawn from $p$, both $-d$ and $e^d - d - 1$ have the mean $\text{KL}(p \,\|\, p_\text{reference})$, since the mean of $e^d$ is $\sum_i p_i \cdot p_{\text{reference}, i} / p_i = 1$. But a loss is followed down its *slope*, and there the draws stay as they are.
#
# **Predict.** Which has, on average, the slope of the divergence? (a) both · (b) only $-d$ · (c) neither, exactly

# %%
z, far = np.log([0.55, 0.25, 0.20]), np.array([0.50, 0.25, 0.25])  # far: the reference
p = softmax(z)


def mean_slope(term):
    """Draws keep their probabilities p; only what each contributes has a slope."""
    return slope_of(lambda z: p @ term(np.log(far / softmax(z))), z).round(4)


print("-d             ", mean_slope(lambda d: -d))
print("exp(d) - d - 1 ", mean_slope(lambda d: np.exp(d) - d - 1))
print("KL(p, ref)     ", slope_of(
    lambda z: softmax(z) @ np.log(softmax(z) / far), z).round(4))
print("KL(ref, p)     ", slope_of(lambda z: far @ np.log(far / softmax(z)), z).round(4))

# %% tags=["evidence"]
#@title Evidence: both means are the divergence; the turn with the largest mean of exp(d) - d - 1
d = np.log(far / p)
exact = np.sum(p * np.log(p / far))
claim("largest difference of the two means from the divergence",
      max(abs(p @ -d - exact), abs(p @ (np.exp(d) - d - 1) - exact)), at_most=1e-12)
for i, run in enumerate(shown["runs"]["2000, grades"] if shown else []):
    turn = int(np.argmax(run["curves"]["k3"]))
    k3, k1 = (run["curves"][name][turn] for name in ("k3", "k1"))
    print(f"seed {i}, turn {turn + 1}: exp(d) - d - 1 is {k3:.1f}, -d is {k1:.1f} nats "
          "per answer")

# %% [markdown]
# (c). While the draws are the model's own, as in the first of the two steps, the slope of $-d$ is zero on average: as a loss it does nothing but add noise. The other's is the slope of $\text{KL}(p_\text{reference} \,\|\, p)$, which is close while the two are near. Far apart, a rare draw that the reference likes gives a huge $e^d$; the evidence shows the turn with the largest mean of each run.
#
# And what 19b.3 does to the grades? Without the mean and the division, a grade of 0 or 1 pushes alone. (Published GRPO also takes a mean within each answer first, so that long ones count no more.)
#
# **Predict.** Forty turns with the plain grades end (a) as high, within the spread of the seeds · (b) ten points lower · (c) near the start

# %%
for name in ("2000, grades", "plain") if shown else ():
    print(f"{name:<13}", *[f"{run['right']:.1%}" for run in shown["runs"][name]])

# %% tags=["evidence"]
#@title Evidence: the spread of the gradient of eight draws of three answers, with the mean subtracted or not
rng = np.random.default_rng(0)
z, r = np.log([0.5, 0.25, 0.25]), np.array([1.0, 1.0, 0.0])
for name, base in (("plain grades", 0.0), ("minus their mean", softmax(z) @ r)):
    tries = []
    for _ in range(2000):
        drawn = rng.choice(3, 8, p=softmax(z))
        tries.append(sampled_gradient(z, drawn, r[drawn] - base))
    print(f"{name:<16} mean {np.mean(tries, axis=0).round(3)}, spread of all three "
          f"together {np.sqrt(np.var(tries, axis=0).sum()):.3f}")

# %% [markdown]
# (a), or higher: all three seeds end a few points higher, too few seeds for a difference. In the three-answer case of the evidence, subtracting the mean halves the spread of the gradient. (With probabilities .9, .05, .05 and grades 1, 0, 0 it raises it.) With grades of 0 and 1, Adam and 256 answers a turn, nothing of that shows.

# %% [markdown]
# ## Where it breaks
#
# - *Only what is drawn is graded.* Where no answer of a group is ever right, nothing is learned: the start must be right sometimes.
# - *Every grade is a stand-in* (替代指标) for what you want. A learned judge has holes that nobody has listed, and most work has no program that grades.
# - Rates, turns and weights were chosen on these three seeds. On new ones expect a little less.
#
# Ask before such a project: who tries to cheat the grade? What do you care about that it does not read? What would the same effort bring, spent on written answers?

# %% [markdown]
# ## Open task: a grade of your own
#
# Write a grade that pays a right number, and takes away a little for each character. Say before the run: which answers will win, and what becomes of the truth? Run `reinforce` for 20 turns. Then let a colleague attack your grade.

# %% [markdown]
# ## Recall
#
# <details><summary>The grade has no slope. How can it train a network?</summary>
#
# It weighs the slope of the log-probability of what was drawn: $\nabla \mathbb{E}[r] = \mathbb{E}[r \nabla \log p]$.
# </details>
#
# <details><summary>All eight answers of a group are right. What does the group teach?</summary>
#
# Nothing: every advantage is 0.
# </details>
#
# <details><summary>$\rho = 1.5$, $A = -1$, $\varepsilon = 0.2$. What is the gain, and does this token still push?</summary>
#
# $\min(-1.5, -1.2) = -1.5$. It does: the move went the wrong way.
# </details>
#
# <details><summary>The grade rises and the truth falls. Name two remedies, and which comes first.</summary>
#
# Mend the grade, so that it reads what you want. A weight on the distance to the reference limits the damage of what you overlooked.
# </details>
#
# <details><summary>A report says: 40 points gained by rewards. Which two runs do you ask for?</summary>
#
# The same effort spent on more rounds over the written answers, and on fine-tuning with the model's own right answers.
# </details>

# %% [markdown]
# ## Summary
#
# 1. A grade has no slope. The log-probability of what was drawn has one; weighted by grades it is, on average, the slope of the expected grade.
# 2. Compare an answer with others to the same question. Limit each step by the clip, and the whole way by the distance to a reference.
# 3. Grades strengthen what is sometimes drawn: here mostly the habit of writing the working.
# 4. What a grade misreads is taught, and what it does not read is not safe. Mend the grade first, then add a weight on the distance.
# 5. The controls decide: with 2,000 written chats more rounds did as well, with 200 only grades came above 80 %.
#
# **Read this next:** R. J. Williams, *Simple statistical gradient-following algorithms for connectionist reinforcement learning*, Machine Learning 8, 1992. J. Schulman, F. Wolski, P. Dhariwal, A. Radford, O. Klimov, *Proximal policy optimization algorithms*, arXiv:1707.06347, 2017 (clipping). Z. Shao et al., *DeepSeekMath: pushing the limits of mathematical reasoning in open language models*, arXiv:2402.03300, 2024 (GRPO). J. Skalse, N. Howe, D. Krasheninnikov, D. Krueger, *Defining and characterizing reward gaming*, NeurIPS 2022 (*reward hacking* on arXiv). L. Gao, J. Schulman, J. Hilton, *Scaling laws for reward model overoptimization*, ICML 2023.
