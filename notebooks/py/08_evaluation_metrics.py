# ---
# jupyter:
#   course:
#     datasets: [digits, breast_cancer, diabetes]
#     covers: "Confusion matrix, precision, recall, F1, ROC and precision–recall curves, calibration, confidence intervals."
#     prerequisites: [preparing_data, loss_functions]
#     ledger: [D2-2-g, D2-4.3.1-a, D2-4.3.1-b, D2-4.3.2-a, D2-4.3.2-b,
#       D2-4.3.3-a, D2-4.3.3-b, D2-4.3.4-a, D2-4.3.4-b, D2-5.4-b, D2-9-c]
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
# # Evaluation metrics
#
# What does "96 % accurate" tell you, and how far can you trust it? Here you build the metrics from four counts, the curves by sorting once, and an interval around each,
# all equal to scikit-learn's numbers; and you learn which question each of them answers.
#
# **The digit reader so far** trains, and ends in one number, its accuracy. That number hides which digits it confuses, what a mistake costs, and how much of it is luck. This notebook adds the numbers that tell.
#
# **You will be able to**
# - compute precision, recall, $F_\beta$, macro and micro averages from counts, and say when accuracy lies;
# - draw ROC and precision–recall curves by hand, ties included, and explain the area under the first as a probability;
# - check whether scores are probabilities, and turn costs into a threshold;
# - put an interval around any metric, and compare two models on the same test set;
# - show with a pencil that a printed result is impossible.
#
# **Letters**: $y$ is the truth and $\hat y$ an answer, $s$ a score, $f$ a forecast (a probability that a model states), $\pi$ the prevalence, $p$ a true proportion and $\hat p$ the share observed.

# %% tags=["setup"]
import math
import time
from statistics import NormalDist

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import binom, binomtest

from course_utils import (
    by_profile, check, claim, data, devices, plotting, profile, solved,
)

plotting.use_style()
rng = np.random.default_rng(0)

# %% [markdown]
# ## 8.1 Ninety-one percent right, and useless
#
# A sorting machine looks for the digit 8. A linear model (*logistic regression*: the sigmoid of a weighted sum, trained with the cross-entropy of notebook [[loss_functions]]) learns from 1,297 scanned digits; 500 others test it. Its rival is a machine that always says "no 8".

# %%
from sklearn.linear_model import LogisticRegression

digits = data.digits()
X, X_test = (x.reshape(-1, 64) / 16 for x in (digits.x_train, digits.x_test))
eight, eight_test = digits.y_train == 8, digits.y_test == 8  # bool: is it an 8?

detector = LogisticRegression(max_iter=1000).fit(X, eight)
score = detector.predict_proba(X_test)[:, 1]  # (500,) between 0 and 1
answers = {"never says 8": np.zeros(500, bool), "the model": score > 0.5}

fig, ax = plt.subplots(figsize=(6, 2.8))
for shift, (name, named) in zip((-0.2, 0.2), answers.items()):
    shares = [np.mean(named == eight_test), np.mean(named[eight_test])]
    bars = ax.bar(np.arange(2) + shift, shares, 0.4, label=name)
    ax.bar_label(bars, [f"{share:.1%}" for share in shares])
ax.set(title="Accuracy hardly tells them apart", ylabel="share", ylim=(0, 1.35),
       xticks=range(2), xticklabels=["right answers\n(accuracy)", "8s that are found"])
ax.legend(ncols=2, loc="upper center")
plt.show()

# %% [markdown]
# A machine that does nothing is right for 91.4 % of the images, because 91.4 % are no 8. The model's 96.4 % look like five points more; in truth it finds two thirds of the 8s, the other none. These are the 8s it misses, with its scores:

# %%
missed = eight_test & ~answers["the model"]
plotting.image_grid(digits.x_test[missed], [f"{s:.2f}" for s in score[missed]])
plt.show()


# %% [markdown]
# **Baseline first.** An accuracy means nothing without the share of the most common class beside it.

# %% [markdown]
# ## 8.2 Four counts
#
# Call the class we look for *positive*. Each example has a truth $y$ and an answer $\hat y$, so there are four kinds:
#
# | | answer: positive | answer: negative |
# |---|---|---|
# | **truth: positive** | TP, true positive (真正例) | FN, false negative (假负例): missed |
# | **truth: negative** | FP, false positive (假正例): false alarm | TN, true negative (真负例) |
#
# This table is the *confusion matrix* (混淆矩阵). Write $n_+ = TP + FN$ for the number of positives, $n_- = FP + TN$ for the negatives, $n = n_+ + n_-$. Everything in this section is a ratio of these counts:
#
# $$\text{accuracy (准确率)} = \frac{TP + TN}{n}, \qquad
# \text{precision (精确率)} = \frac{TP}{TP + FP}, \qquad
# \text{recall (召回率)} = \frac{TP}{TP + FN}.$$
#
# Precision asks: *of the alarms, how many are right?* Recall asks: *of the positives, how many are found?* Either is easily made perfect alone: flag everything (recall 1), or only the surest case (precision 1, if it is right).
# So they are joined by the harmonic mean, which stays close to the smaller of the two. (Document 2's concept map, section 2 (titles in notebook [[start_here]]), lists accuracy, recall and $F_1$ for evaluation and leaves precision out; without it there is no $F_1$.)
#
# $$F_1 = \frac{2}{\frac1{\text{precision}} + \frac1{\text{recall}}}
# = \frac{2}{\frac{TP + FP}{TP} + \frac{TP + FN}{TP}} = \frac{2\,TP}{2\,TP + FP + FN}.$$

# %%
def four_counts(y, named):
    """TP, FP, FN, TN. y, named: (n,) truth and answer, bool or 0 and 1."""
    y, named = np.asarray(y, bool), np.asarray(named, bool)
    tp, fp = np.sum(y & named), np.sum(~y & named)
    return tp, fp, np.sum(y) - tp, np.sum(~y) - fp


def ratio(part, whole):
    """part / whole, and 0 where whole is 0."""
    return part / whole if whole else 0.0


def basic_metrics(y, named):
    """Accuracy, precision, recall, F1. y, named: (n,) bool or 0 and 1 -> (4,)"""
    tp, fp, fn, tn = four_counts(y, named)
    return np.array([(tp + tn) / len(y), ratio(tp, tp + fp), ratio(tp, tp + fn),
                     ratio(2 * tp, 2 * tp + fp + fn)])


# %% [markdown]
# Document 2 (4.3) prints these four formulas correctly and gives one example, $y = \hat y = (1, 0, 1, 0)$. There all four are 1, and nobody learns which is which. Beside it, two examples that tell them apart:

# %% tags=["nbval-check-output"]
examples = {
    "Document 2's": ([1, 0, 1, 0], [1, 0, 1, 0]),
    "ten cases": ([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [1, 1, 0, 1, 1, 0, 0, 0, 0, 0]),
    "a rare class": ([1] * 10 + [0] * 990, [1] + [0] * 999),
}
print("                accuracy  precision  recall     F1")
for name, (y, named) in examples.items():
    row = basic_metrics(y, named)
    print(f"{name:15}" + "{:9.3f}  {:9.3f} {:7.3f} {:6.3f}".format(*row))

# %% [markdown]
# The third row is the machine that is right 99.1 % of the time, never gives a false alarm, and misses nine of ten. Now scikit-learn as the witness, on our detector and on 50 random answers:

# %%
from sklearn import metrics as sk


def sklearn_metrics(y, named):
    """The same four from scikit-learn."""
    rest = [f(y, named, zero_division=0)
            for f in (sk.precision_score, sk.recall_score, sk.f1_score)]
    return np.array([sk.accuracy_score(y, named), *rest])


cases = [(eight_test, answers["the model"]), *examples.values()]
cases += [(rng.random(30) < 0.2, rng.random(30) < 0.2) for _ in range(50)]
largest = max(np.abs(basic_metrics(*c) - sklearn_metrics(*c)).max() for c in cases)
print("model:", dict(zip(["TP", "FP", "FN", "TN"], map(int, four_counts(*cases[0])))),
      "precision, recall, F1 =", basic_metrics(*cases[0])[1:].round(3))
claim("four metrics against scikit-learn, largest difference", largest, at_most=1e-15)

# %% [markdown]
# **When the denominator is 0.** With no positives in the test set, recall is 0/0: undefined, not 0 and not 1. Precision is undefined when nothing is flagged. We return 0 as scikit-learn does by default (it warns); remember it when a small
# subgroup's recall is reported.
#
# Why the *harmonic* mean? Compare it with the ordinary one.

# %%
always = basic_metrics(eight_test, np.ones(500, bool))
print(f"flag everything: ordinary mean {always[1:3].mean():.2f}, F1 {always[3]:.2f}")

# %% tags=["figure"]
#@title Figure: Flagging everything (red) fools the ordinary mean
side = np.linspace(0.001, 1, 200)
precision, recall = np.meshgrid(side, side)
means = {"(precision + recall) / 2": (precision + recall) / 2,
         "$F_1$": 2 * precision * recall / (precision + recall)}
fig, axes = plt.subplots(1, 2, figsize=(7, 3.2), sharey=True)
for ax, (name, mean) in zip(axes, means.items()):
    lines = ax.contour(precision, recall, mean, np.arange(0.1, 1, 0.1), cmap="viridis")
    ax.clabel(lines, fontsize=8)
    ax.plot(43 / 500, 1, "o", color=plotting.RED, clip_on=False)
    ax.set(title=name, xlabel="precision", aspect="equal")
    ax.grid(False)
axes[0].set_ylabel("recall")
fig.suptitle("Flagging everything (red) fools the ordinary mean", fontweight="bold")
plt.show()


# %% [markdown]
# A machine that calls everything an 8 gets 0.54 from the ordinary mean and 0.16 from $F_1$, whose contour lines bend: no recall, however high, makes up for a tiny precision.

# %% [markdown]
# ### Exercise 8.2 · when a miss costs more (8 min)
# $F_\beta$ weighs recall $\beta^2$ times as much as precision:
# $\;F_\beta = (1 + \beta^2) \Big/ \left(\frac{1}{\text{precision}} + \frac{\beta^2}{\text{recall}}\right)$. Write it in counts, as was done for $F_1$, and then as code. Return 0 where $TP = 0$.

# %% tags=["exercise"]
def f_beta(y, named, beta):
    """F-beta. y, named: (n,) truth and answer, bool or 0 and 1. 0 where TP = 0."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.2", "F-beta"):
    for seed_t in range(30):
        draw_t, kind_t = np.random.default_rng(seed_t), (bool, int)[seed_t % 2]
        y_t, named_t = (draw_t.random((2, 25)) < [[0.3], [0.5]]).astype(kind_t)
        for beta_t in (0.5, 1, 2, 3.0):
            right_t = sk.fbeta_score(y_t, named_t, beta=beta_t, zero_division=0)
            np.testing.assert_allclose(
                f_beta(y_t.copy(), named_t.copy(), beta_t), right_t, rtol=1e-5,
                err_msg=f"beta = {beta_t}, y = {y_t}, answers = {named_t}")
    none_t, some_t = np.zeros(4, bool), np.array([True, False, False, True])
    for pair_t in ((none_t, none_t), (none_t, some_t), (some_t, none_t),
                   (some_t, ~some_t)):
        got_t = f_beta(*pair_t, 2)
        assert got_t == 0, f"TP = 0: {got_t} instead of 0"
    got_t = f_beta(np.array([True]), np.array([True]), 2)
    np.testing.assert_allclose(got_t, 1, err_msg="one case")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\frac1{\text{precision}} = \frac{TP + FP}{TP}$. Multiply numerator and denominator of $F_\beta$ by $TP$.
# </details>

# %% tags=["solution"]
#@title Solution 8.2 · runs only while yours does not pass
if not solved("8.2"):
    def f_beta(y, named, beta):
        tp, fp, fn, _ = four_counts(y, named)
        return ratio((1 + beta**2) * tp, (1 + beta**2) * tp + fp + beta**2 * fn)


# %% [markdown]
# <details><summary>About the solution</summary>
#
# $F_\beta = (1 + \beta^2)\,TP \,/\, \left((1 + \beta^2)\,TP + FP + \beta^2 FN\right)$: a miss counts $\beta^2$ times a false alarm.
# </details>

# %% [markdown]
# ## 8.3 Why accuracy lies: it depends on who comes
#
# Split every rate by the truth. The *true positive rate* $\text{TPR} = TP/n_+$ is recall; the *false positive rate* $\text{FPR} = FP/n_-$ is the share of negatives that raise an alarm. Each looks at one class only, so neither
# changes when that class becomes rarer. The *prevalence* (患病率) $\pi = n_+/n$ mixes the two. Divide $TP = n_+ \text{TPR}$ and $FP = n_-\text{FPR}$ by $n$:
#
# $$\text{accuracy} = \pi\,\text{TPR} + (1 - \pi)(1 - \text{FPR}), \qquad
# \text{precision} = \frac{\pi\,\text{TPR}}{\pi\,\text{TPR} + (1-\pi)\,\text{FPR}} .$$
#
# The second is Bayes' rule: the probability of an 8, given an alarm. Two more metrics give the smaller class its say.
#
# - **Balanced accuracy** is the mean of the two classes' accuracies, $\frac12(\text{TPR} + 1 - \text{FPR})$: accuracy as if $\pi = \frac12$.
# - **Matthews' correlation** (MCC) is the usual correlation coefficient of the two columns $y$ and $\hat y$ of zeros and ones: 1 if they agree everywhere, 0 for answers that know nothing of $y$, −1 if they always disagree.
#
# $$\text{MCC} = \frac{TP\cdot TN - FP\cdot FN}{\sqrt{(TP+FP)(TP+FN)(TN+FP)(TN+FN)}} .$$
#
# <details><summary>Where the formula comes from</summary>
#
# A correlation is the covariance over both standard deviations. With bars for means over the test set, the covariance is
# $\overline{y\hat y} - \bar y\,\bar{\hat y} = \frac{TP}{n} - \frac{(TP + FN)(TP + FP)}{n^2} = \frac{TP\cdot TN - FP\cdot FN}{n^2}$ (put $n = TP + FP + FN + TN$ and multiply out).
# A column of zeros and ones equals its square, so with mean $a$ its variance is $a - a^2 = a(1 - a)$. Here $a = \frac{TP + FN}{n}$ for $y$ and $\frac{TP + FP}{n}$ for $\hat y$, and the $n^2$ cancels.
# </details>

# %%
def rates(y, named):
    """TPR and FPR. y, named: (n,) bool."""
    tp, fp, fn, tn = four_counts(y, named)
    return tp / (tp + fn), fp / (fp + tn)


def from_rates(tpr, fpr, pi):
    """Accuracy, precision, F1, balanced accuracy, MCC. pi: prevalence, any shape."""
    flagged = pi * tpr + (1 - pi) * fpr  # share of all cases
    both_vary = np.sqrt(pi * (1 - pi) * flagged * (1 - flagged))
    return {"accuracy": pi * tpr + (1 - pi) * (1 - fpr),
            "precision": pi * tpr / flagged, "$F_1$": 2 * pi * tpr / (pi + flagged),
            "balanced accuracy": (tpr + 1 - fpr) / 2 + 0 * pi,
            "MCC": (pi * tpr - pi * flagged) / both_vary}


alarms = answers["the model"]
model_rates = rates(eight_test, alarms)  # TPR and FPR
ours = np.array(list(from_rates(*model_rates, eight_test.mean()).values()))
theirs = [f(eight_test, alarms) for f in (
    sk.accuracy_score, sk.precision_score, sk.f1_score, sk.balanced_accuracy_score,
    sk.matthews_corrcoef)]
print("TPR {:.3f}, FPR {:.4f};".format(*model_rates), "accuracy … MCC:", ours.round(3))
claim("five formulas against scikit-learn, largest difference",
      np.abs(ours - theirs).max(), at_most=1e-12)
claim("MCC against NumPy's correlation coefficient, difference",
      abs(ours[4] - np.corrcoef(eight_test, alarms)[0, 1]), at_most=1e-12)

# %% [markdown]
# Now the same model in other places: send it mail in which 8s are rarer or more common. Lines: the formulas, with this model's two rates. Dots: counted on 20,000 digits drawn from our 500 (with repetition) at that prevalence.

# %%
for p in (0.5, 0.086, 0.01, 0.001):
    row = from_rates(*model_rates, p)
    print(f"π = {p:5}: accuracy {row['accuracy']:.3f},"
          f" precision {row['precision']:.3f}")

# %% tags=["figure"]
#@title Figure: The same model, with other customers
pi = np.linspace(0.0005, 0.9995, 800)
fig, ax = plt.subplots(figsize=(6.6, 3.8))
for (name, curve), color in zip(from_rates(*model_rates, pi).items(), plotting.PALETTE):
    ax.plot(pi, curve, color=color, label=name)
ax.plot(pi, 1 - pi, "--", color=plotting.GRAY, label="accuracy of “never”")
for p in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9):
    n_pos = round(20_000 * p)
    rows = np.r_[rng.choice(np.flatnonzero(eight_test), n_pos),
                 rng.choice(np.flatnonzero(~eight_test), 20_000 - n_pos)]
    accuracy, precision, _, f1 = basic_metrics(eight_test[rows], alarms[rows])
    ax.plot([p] * 3, [accuracy, precision, f1], "k.", ms=5)
ax.set(title="The same model, with other customers", ylabel="metric",
       xlabel="prevalence π: share of 8s in the mail", ylim=(0, 1.02))
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()


# %% [markdown]
# Nothing about the model changes along this axis, and each class keeps its kind of images. (In life it may not: a screening meets milder cases than a clinic, and then TPR moves, too.) Yet its accuracy runs from 0.99 (no 8s) to 0.67 (only 8s); at one in a hundred it is 0.988, *less* than the 0.990 of "never". Precision falls from 0.99 at one half to 0.07 at one in a thousand, where thirteen alarms in fourteen are false. Only balanced accuracy stays,
# because it contains no $\pi$. $F_1$ ignores TN and so depends on which class you *call* positive: it rises to the right. MCC treats both classes alike, but it drops at both ends.
#
# Use balanced accuracy (or TPR and FPR themselves) when the test set's mixture is an accident; MCC only between models on the *same* test set; precision and recall, at the *real* prevalence, when someone acts on the alarms.

# %% [markdown]
# ### Exercise 8.3 · how rare may it become? (8 min)
# A team accepts the model only while at least a given share of its alarms is right. Solve the formula for precision for $\pi$: which is the smallest prevalence that reaches it?

# %% tags=["exercise"]
def lowest_prevalence(precision, tpr, fpr):
    """Prevalence at which a model with these rates has exactly this precision.

    precision, tpr, fpr: numbers between 0 and 1, none of them 0, precision not 1.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.3", "the lowest prevalence"):
    for seed_t in range(20):
        wanted_t, tpr_t, fpr_t = np.random.default_rng(seed_t).uniform(0.05, 0.95, 3)
        pi_t = lowest_prevalence(wanted_t, tpr_t, fpr_t)
        assert 0 < pi_t < 1, f"a prevalence of {pi_t}"
        np.testing.assert_allclose(
            from_rates(tpr_t, fpr_t, pi_t)["precision"], wanted_t, rtol=1e-5,
            err_msg=f"precision at the prevalence {pi_t:.4f}, TPR {tpr_t:.3f}, FPR "
                    f"{fpr_t:.3f}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Turn both sides into odds: $\frac{\text{precision}}{1 - \text{precision}} = \frac{\pi}{1 - \pi} \cdot \frac{\text{TPR}}{\text{FPR}}$. Solve for the odds of $\pi$; a probability is odds / (1 + odds).
# </details>

# %% tags=["solution"]
#@title Solution 8.3 · runs only while yours does not pass
if not solved("8.3"):
    def lowest_prevalence(precision, tpr, fpr):
        odds = precision / (1 - precision) * fpr / tpr
        return odds / (1 + odds)


# %% [markdown]
# ## 8.4 More than two classes: macro, micro, weighted
#
# Let the machine tell 8s from 9s from the rest. The confusion matrix $C$ $(k, k)$ now has one row per true class and one column per answer: $C_{ij}$ counts the examples of class $i$ that were named $j$.
# The row sums $n_i = \sum_j C_{ij}$ are the class sizes, the column sums $m_j = \sum_i C_{ij}$ how often each name was given. Accuracy is the sum of the diagonal, the *trace* $\operatorname{tr} C = \sum_i C_{ii}$, over the total $n$. Document 2 (4.3.1) calls accuracy a metric "for binary classification"; it is one for any number of classes.

# %%
def confusion(y, named, k):
    """C[i, j]: examples of class i named j. y, named: (n,) indices -> (k, k) int."""
    matrix = np.zeros((k, k), dtype=int)
    np.add.at(matrix, (y, named), 1)
    return matrix


classes = ["other", "8", "9"]
three, three_test = (np.where(y >= 8, y - 7, 0)
                     for y in (digits.y_train, digits.y_test))
sorter = LogisticRegression(max_iter=1000).fit(X, three)
matrix = confusion(three_test, sorter.predict(X_test), 3)
plotting.confusion_matrix(matrix, classes, "One 8 in four is lost")
plt.show()


# %% [markdown]
# For class $i$ against all others: $TP_i = C_{ii}$, $FN_i = n_i - C_{ii}$, $FP_i = m_i - C_{ii}$, so precision is $C_{ii}/m_i$, recall $C_{ii}/n_i$, and $F_1$ is $2\,C_{ii}/(n_i + m_i)$. Three ways to make one number of $k$:
#
# - **macro**: the plain mean over the classes. Every *class* counts the same.
# - **weighted**: the mean with weights $n_i/n$. Every class counts by its size.
# - **micro**: add up the counts of all classes first, then divide once. Every *example* counts the same.
#
# Two of them you know already. Each error is one false negative (for its true class) and one false positive (for the class it was named), so $\sum FP_i = \sum FN_i = n - \operatorname{tr} C$, and
#
# $$\text{micro precision} = \text{micro recall} = \text{micro } F_1 = \frac{\operatorname{tr} C}{n} = \text{accuracy}, \qquad
# \text{weighted recall} = \sum_i \frac{n_i}{n}\cdot\frac{C_{ii}}{n_i} = \text{accuracy} .$$
#
# And macro recall is the balanced accuracy of 8.3. (Where an example may carry several labels at once, micro is a metric of its own.)

# %%
def per_class(matrix):
    """Precision, recall, F1 of each class. matrix: (k, k), no empty row or column."""
    hits, n, m = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return np.array([hits / m, hits / n, 2 * hits / (n + m)])  # (3, k)


def averages(matrix):
    """Macro, weighted and micro mean of precision, recall, F1 -> name -> (3,)"""
    scores, shares = per_class(matrix), matrix.sum(axis=1) / matrix.sum()
    micro = np.trace(matrix) / matrix.sum()
    return {"macro": scores.mean(axis=1), "weighted": scores @ shares,
            "micro": np.full(3, micro)}


sorted_as = sorter.predict(X_test)
largest = max(
    np.abs(np.array(sk.precision_recall_fscore_support(three_test, sorted_as,
                                                       average=name)[:3])
           - ours).max() for name, ours in averages(matrix).items())
claim("macro, weighted, micro against scikit-learn, largest difference", largest,
      at_most=1e-12)
print("matrix equal to scikit-learn's:",
      np.array_equal(matrix, sk.confusion_matrix(three_test, sorted_as)))

# %% tags=["figure"]
#@title Figure: Weighted and micro listen to the largest class
fig, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True)
styles = {"macro": dict(ls="-", color="black", lw=1.5),
          "weighted": dict(ls="--", color=plotting.RED, lw=1.5),  # drawn over micro
          "micro": dict(ls="-", color=plotting.SKY, lw=5, alpha=0.6, zorder=0)}
for i, (ax, name) in enumerate(zip(axes, ("precision", "recall", "$F_1$"))):
    ax.plot(classes, per_class(matrix)[i], "s", ms=9, color=plotting.BLUE)
    for kind, values in averages(matrix).items():
        ax.axhline(values[i], **styles[kind], label=f"{kind} {values[i]:.3f}")
    ax.set(title=name, ylim=(0.7, 1.14), yticks=np.arange(0.7, 1.01, 0.1),
           xlim=(-0.5, 2.5), xlabel="class")
    ax.legend(fontsize=8, loc="upper right", ncols=2)
fig.suptitle("Weighted and micro listen to the largest class", fontweight="bold")
plt.show()

# %% [markdown]
# Squares are the classes. The 8s' recall is 0.77. Macro recall, 0.89, shows it; micro and weighted recall, one and the same number as derived above, are 0.96, dominated by 406 other digits. Always say which one you report. And "macro $F_1$" has a second meaning in papers, the harmonic mean of macro precision and macro recall:

# %%
macro_precision, macro_recall, mean_of_f1 = averages(matrix)["macro"]
f1_of_means = 2 * macro_precision * macro_recall / (macro_precision + macro_recall)
print(f"mean of the F1s (scikit-learn): {mean_of_f1:.4f};"
      f" F1 of the means: {f1_of_means:.4f}")
skewed = np.array([[1, 0], [99, 100]])  # the two can be far apart
p, r, f1 = averages(skewed)["macro"]
print(f"for {skewed.tolist()}: {f1:.2f} and {2 * p * r / (p + r):.2f}")


# %% [markdown]
# ### Exercise 8.4 · macro $F_1$ from a matrix, empty classes included (7 min)
# Compute macro $F_1$ (the mean of the $F_1$s over all $k$ classes) from a confusion matrix alone. A class that neither occurs nor is ever named has $F_1 = 0$ here.

# %% tags=["exercise"]
def macro_f1(matrix):
    """Mean over the classes of F1. matrix: (k, k) counts, rows are true classes."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.4", "macro F1"):
    for seed_t, (k_t, n_t) in enumerate([(3, 40), (4, 7), (6, 9), (2, 30), (5, 1),
                                         (1, 4)]):
        y_t, named_t = np.random.default_rng(seed_t).integers(0, k_t, (2, n_t))
        right_t = sk.f1_score(y_t, named_t, labels=range(k_t), average="macro",
                              zero_division=0)
        got_t = macro_f1(confusion(y_t, named_t, k_t))
        np.testing.assert_allclose(got_t, right_t, rtol=1e-5, atol=1e-9,
                                   err_msg=f"{k_t} classes, {n_t} examples")
    empty_t = np.array([[5, 2, 0], [1, 4, 0], [0, 0, 0]])
    np.testing.assert_allclose(macro_f1(empty_t), (10 / 13 + 8 / 11) / 3, rtol=1e-5,
                               err_msg="the third class never occurs")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $2\,C_{ii}/(n_i + m_i)$ for each class. Where $n_i + m_i = 0$ the numerator is 0, too: dividing by `np.maximum(n + m, 1)` changes nothing else.
# </details>

# %% tags=["solution"]
#@title Solution 8.4 · runs only while yours does not pass
if not solved("8.4"):
    def macro_f1(matrix):
        both = matrix.sum(axis=0) + matrix.sum(axis=1)
        return np.mean(2 * np.diag(matrix) / np.maximum(both, 1))

# %% [markdown]
# ## 8.5 Spot the bug: a matrix that cannot be
#
# Document 2 (5.4) prints a 10 × 10 confusion matrix for MNIST, 10,000 handwritten digits, and says of it: accuracy 98.24 %. (Notebook [[project_mnist]] audits its whole program.) No run needed; three laws hold for *every* model and *every* test set:
#
# 1. **Rows.** Row $i$ sums to $n_i$, the number of test examples of class $i$. The model moves examples within a row, never between rows. So $C_{ii} \le n_i$.
# 2. **Trace.** Accuracy is $\operatorname{tr} C / n$; all off-diagonal entries together are $(1 - \text{accuracy})\, n$.
# 3. **Margins** (the row and column sums). No model can have more hits in a class than either the class or its name allows: $\operatorname{tr} C \le \sum_i \min(n_i, m_i)$.
#
# Law 2 needs nothing but the matrix itself; law 1 also the class sizes, which everybody can count.

# %%
printed = np.array([
    [960, 36, 12, 18, 15, 8, 16, 7, 11, 13], [10, 960, 20, 17, 14, 6, 18, 11, 9, 15],
    [18, 19, 960, 13, 19, 7, 16, 9, 10, 17], [10, 15, 14, 95, 16, 9, 18, 11, 8, 12],
    [17, 13, 15, 14, 960, 6, 19, 11, 8, 12], [11, 8, 17, 16, 14, 960, 15, 10, 13, 19],
    [12, 18, 16, 17, 17, 16, 960, 11, 9, 13], [7, 11, 9, 11, 11, 10, 11, 960, 17, 14],
    [9, 9, 10, 12, 11, 13, 13, 14, 960, 16], [15, 15, 17, 12, 19, 19, 16, 14, 17, 960],
])
stated = 0.9824
# MNIST's test images of each digit, as published
sizes = np.array([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])

# %% tags=["nbval-check-output"]
hits, n_classes, total = np.diag(printed), printed.sum(axis=1), printed.sum()
print("rows that sum to their class:", np.sum(n_classes == sizes), "of 10")
print("classes with more hits than examples:", np.flatnonzero(hits > sizes))
print(f"errors printed {total - hits.sum():,}; "
      f"errors that {stated} of {total:,} allows {(1 - stated) * total:.0f}")
print(f"accuracy stated {stated}, of the matrix itself {hits.sum() / total:.4f}")
for name, best in (("as printed", hits), ("if 95 is a misprint for 960", 960)):
    most = np.minimum(best, sizes).sum() / sizes.sum()
    print(f"these hits on MNIST, {name}: at most {most:.4f}")


# %% [markdown]
# The matrix contradicts the line above it (0.8778 against 0.9824, 1,216 errors where 175 are allowed), and it contradicts the test set: no row fits, and two classes have more hits than members. On MNIST such hits are worth at most 0.8665, less than the matrix's own 0.8778; even with 960 in place of the odd 95 it would be 0.953. No run printed it.

# %% [markdown]
# ### Exercise 8.5a · the best that the margins allow (4 min)
# Law 3 as a function: given class sizes $n_i$ and how often each name was given, $m_i$ (both published more often than the matrix), what is the highest accuracy possible?

# %% tags=["exercise"]
def highest_accuracy(sizes, named):
    """Largest accuracy that any confusion matrix with these margins can have.

    sizes, named: (k,) row sums and column sums, with the same total.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.5a", "the best that the margins allow"):
    # two classes: a matrix is fixed by its margins and C[0, 0]; try them all
    for n0_t, m0_t, n_t in [(5, 2, 9), (1, 8, 12), (10, 7, 11), (0, 4, 6), (5, 5, 8)]:
        tries_t = [(c + n_t - n0_t - m0_t + c) / n_t for c in range(min(n0_t, m0_t) + 1)
                   if n_t - n0_t - m0_t + c >= 0]
        sizes_t, given_t = np.array([n0_t, n_t - n0_t]), np.array([m0_t, n_t - m0_t])
        np.testing.assert_allclose(
            highest_accuracy(sizes_t, given_t), max(tries_t), rtol=1e-5,
            err_msg=f"class sizes {sizes_t}, names given {given_t}")
    got_t = highest_accuracy(np.array([7, 2, 4]), np.array([1, 6, 6]))
    np.testing.assert_allclose(got_t, 7 / 13, rtol=1e-5, err_msg="three classes")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Class $i$ can have at most $\min(n_i, m_i)$ hits, and all classes can reach it at once: what is left over in the rows fills what is left over in the columns.
# </details>

# %% tags=["solution"]
#@title Solution 8.5a · runs only while yours does not pass
if not solved("8.5a"):
    def highest_accuracy(sizes, named):
        return np.minimum(sizes, named).sum() / sizes.sum()


# %% [markdown]
# Reports round. For the next exercise, a function that says whether a value could have been rounded to the one stated, whichever way a half is rounded:

# %%
def fits(value, stated, decimals):
    """True if value, rounded to so many decimals, may print as stated."""
    return abs(value - stated) <= 0.5 * 10**-decimals + 1e-9


# %% [markdown]
# ### Exercise 8.5b · which counts can be behind a report? (10 min)
# "200 patients, 40 of them ill: precision 0.85, recall 0.80." Counts are integers, so a report with two decimals leaves few possibilities, sometimes none. Return all pairs $(TP, FP)$ that fit.

# %% tags=["exercise"]
def possible_counts(n_pos, n_neg, precision, recall, decimals):
    """All (TP, FP) with TP > 0 that agree with a report -> list of pairs of int.

    n_pos, n_neg: positives and negatives in the test set. precision, recall: as
    printed, with so many decimals.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.5b", "which counts can be behind a report?"):
    as_set_t = lambda pairs: {(int(tp), int(fp)) for tp, fp in pairs}
    got_t = possible_counts(40, 160, 0.85, 0.80, 2)
    assert as_set_t(got_t) == set(), f"the report above is impossible, not {got_t}"
    for report_t, right_t in {
        (43, 457, 0.879, 0.674, 3): {(29, 4)}, (3, 5, 1.0, 1.0, 2): {(3, 0)},
        (16, 12, 0.25, 0.25, 2): {(4, 12)}, (7, 2, 0.88, 1.0, 2): {(7, 1)},
        (12, 6, 0.7, 0.5, 1): {(6, 2), (6, 3)}, (12, 2, 0.7, 0.5, 1): {(6, 2)},
        (30, 1, 0.5, 0.0, 1): {(1, 1)}, (8, 4, 0.6, 0.4, 1): {(3, 2)},
        (30, 1, 1.0, 1.0, 1): {(29, 0), (30, 0), (29, 1), (30, 1)},
    }.items():
        got_t = possible_counts(*report_t)
        assert as_set_t(got_t) == right_t, f"{report_t}: {got_t}, not {right_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Two loops: $TP$ from 1 to $n_+$, $FP$ from 0 to $n_-$. Keep the pair if `fits` says yes to both ratios.
# </details>

# %% tags=["solution"]
#@title Solution 8.5b · runs only while yours does not pass
if not solved("8.5b"):
    def possible_counts(n_pos, n_neg, precision, recall, decimals):
        return [(tp, fp)
                for tp in range(1, n_pos + 1)
                for fp in range(n_neg + 1)
                if fits(tp / n_pos, recall, decimals)
                and fits(tp / (tp + fp), precision, decimals)]

# %% [markdown]
# <details><summary>About the solution</summary>
#
# (Recall 0.80 means 32 found; 32 of 37 alarms are 0.86, 32 of 38 are 0.84. Nothing gives 0.85.)
# </details>

# %% [markdown]
# ## 8.6 Every threshold at once: the ROC curve
#
# A model gives a *score* $s$ (得分); a threshold $t$ makes it an answer: flag if $s \ge t$. So far the threshold was 0.5 because nobody asked. Take 569 breast tumors, positive = malignant, and three scorers: logistic regression on two measures of the cell images (texture, smoothness), on all thirty, and Gaussian *naive
# Bayes* on all thirty, which multiplies the thirty measures' evidence as if they were independent. As score we take log-odds, $\log\frac{p}{1-p}$: positive where $p > \frac12$.
#
# Every tumor is scored by a model that has not seen it (ten-fold cross-validation, notebook [[preparing_data]]). So behind each of our scorers stand *ten* models. We put their scores into one list and treat them as one model's, as is usually done. That asks for ten models with the same scale; below the first curves you see what it costs.

# %%
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

tumors = load_breast_cancer()
malignant = tumors.target == 0  # scikit-learn codes malignant as 0


def log_odds(model, columns):
    """Log-odds of "malignant" by models that have not seen the case, (569,)."""
    measures, s = tumors.data[:, columns], np.empty(569)
    for seen, unseen in StratifiedKFold(10).split(measures, malignant):
        model.fit(measures[seen], malignant[seen])
        if isinstance(model, GaussianNB):
            joint = model.predict_joint_log_proba(measures[unseen])
            s[unseen] = joint[:, 1] - joint[:, 0]
        else:
            s[unseen] = model.decision_function(measures[unseen])
    return s


logistic = make_pipeline(StandardScaler(), LogisticRegression())
scores = {"two measures": log_odds(logistic, [1, 4]),  # texture, smoothness
          "logistic, 30 measures": log_odds(logistic, range(30)),
          "naive Bayes, 30 measures": log_odds(GaussianNB(), range(30))}
weak = scores["two measures"]
print(f"{malignant.sum()} malignant, {(~malignant).sum()} benign; two measures, "
      "threshold 0: TPR {:.2f}, FPR {:.2f}".format(*rates(malignant, weak >= 0)))

# %% tags=["figure"]
#@title Figure: A threshold cuts both classes; moving it trades one rate for the other
fig, axes = plt.subplots(1, 2, figsize=(8, 3.4))
bins = np.linspace(-4, 4, 41)
for mask, name, color in ((~malignant, "benign", plotting.SKY),
                          (malignant, "malignant", plotting.RED)):
    axes[0].hist(weak[mask], bins, color=color, alpha=0.6, label=name)
axes[0].axvline(0, color="black", ls="--")
axes[0].set(xlabel="score", ylabel="tumors")
axes[0].legend()
thresholds = np.linspace(-4, 4, 200)
share = lambda mask: [np.mean(weak[mask] >= t) for t in thresholds]
axes[1].plot(thresholds, share(malignant), color=plotting.RED, label="TPR (found)")
axes[1].plot(thresholds, share(~malignant), color=plotting.SKY,
             label="FPR (false alarms)")
axes[1].axvline(0, color="black", ls="--")
axes[1].set(xlabel="threshold", ylabel="share flagged")
axes[1].legend()
fig.suptitle("A threshold cuts both classes; moving it trades one rate for the other",
             fontweight="bold")
plt.show()


# %% [markdown]
# At threshold 0 the two measures find 60 % of the malignant tumors and alarm for 16 % of the benign. Move the dashed line left and both rates rise. The **ROC curve** (受试者工作特征曲线) draws TPR against FPR over *all* thresholds.
#
# To get it exactly, sort by score, highest first, and lower the threshold past one example after another: a positive moves the curve up by $1/n_+$, a negative right by $1/n_-$. Examples with **equal** scores (*ties*) are passed by one and the same threshold, so they make one step, diagonal if both classes are among them.

# %%
def threshold_counts(y, s):
    """TP and FP at every threshold, from "flag nothing" down to "flag all".

    y: (n,) bool, s: (n,) scores. -> thresholds (m + 1,) falling, first inf;
    TP, FP (m + 1,); m is the number of different scores.
    """
    y, s = np.asarray(y, bool), np.asarray(s)
    order = np.argsort(-s, kind="stable")
    ends = np.append(np.diff(s[order]) != 0, True)  # last of each group of equals
    tp, fp = np.cumsum(y[order])[ends], np.cumsum(~y[order])[ends]
    return np.r_[np.inf, s[order][ends]], np.r_[0, tp], np.r_[0, fp]


def roc(y, s):
    """FPR (m + 1,), TPR (m + 1,): the corners of the ROC curve."""
    _, tp, fp = threshold_counts(y, s)
    return fp / fp[-1], tp / tp[-1]


def area(x, y):
    """Area under the broken line through (x, y), x rising. x, y: (m,)"""
    return np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)


# %% tags=["figure"]
#@title Figure: Three scorers, every threshold
fig, ax = plt.subplots(figsize=(4.6, 4.2))
for name, s in scores.items():
    fpr, tpr = roc(malignant, s)
    ax.plot(fpr, tpr, label=f"{name}: {area(fpr, tpr):.3f}")
ax.plot([0, 1], [0, 1], "--", color=plotting.GRAY, label="coin: 0.5")
ax.set(title="Three scorers, every threshold", xlabel="FPR", ylabel="TPR (recall)",
       aspect="equal")
ax.legend(title="area under the curve", loc="lower right", fontsize=8)
plt.show()

# %% [markdown]
# Up and to the left is better. A score that ignores the tumor climbs the dashed diagonal. scikit-learn is the witness; `drop_intermediate=False` keeps its curve from leaving out corners on straight lines. Then the price of putting ten models' scores into one list: the mean of their ten separate areas.

# %%
for name, s in scores.items():
    folds = [unseen for _, unseen in StratifiedKFold(10).split(s[:, None], malignant)]
    apart = [area(*roc(malignant[fold], s[fold])) for fold in folds]
    print(f"{name:25} one list {area(*roc(malignant, s)):.3f}, mean of ten lists "
          f"{np.mean(apart):.3f} (s.d. {np.std(apart, ddof=1):.3f})")

# %% tags=["evidence"]
#@title Evidence: ROC curves and areas equal scikit-learn's
worst_roc = worst_area = 0
tied = {"two measures, rounded": weak.round()}
for s in (scores | tied).values():
    thresholds = threshold_counts(malignant, s)[0]
    theirs = sk.roc_curve(malignant, s, drop_intermediate=False)
    for a, b in zip((*roc(malignant, s), thresholds), theirs):
        worst_roc = max(worst_roc, np.abs(a[1:] - b[1:]).max(), a[0] != b[0])
    difference = abs(area(*roc(malignant, s)) - sk.roc_auc_score(malignant, s))
    worst_area = max(worst_area, difference)
claim("ROC corners and thresholds against scikit-learn, largest difference", worst_roc,
      at_most=0)
claim("area against scikit-learn, largest difference", worst_area, at_most=1e-12)

# %% [markdown]
# The areas in one list and in ten differ by less than their spread over the folds.
#
# ### What the area means
#
# Put ten positives and ten negatives into the list, and the area is made of 100 small cells, one for each pair of a positive and a negative. Walk along the curve. Each negative moves it to the right by one cell, and the column below that step is as high as the number of positives that were passed before: those with a *higher* score. So the area counts the pairs in which the positive is above the negative, as a share of all pairs.
# Equal scores are passed in one diagonal step, which cuts their cells in half. With $s_+$ for the score of a positive, $s_-$ for that of a negative, and $[\dots]$ for 1 if the statement inside is true, else 0:
#
# $$\text{AUC} = \frac{1}{n_+ n_-} \sum_{\text{positives}}\ \sum_{\text{negatives}} \Big( [s_+ > s_-] + \tfrac12\, [s_+ = s_-] \Big).$$
#
# **AUC is the probability that a random positive is scored above a random negative**, a tie counting half. You can see it: draw every pair as a cell, positives upward and negatives to the right, each sorted from the highest score down. Blue: the pair is ranked right.

# %%
high_first = lambda s: np.sort(s)[::-1]
positives, negatives = high_first(weak[malignant]), high_first(weak[~malignant])
wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)

# %% tags=["figure"]
#@title Figure: The ROC curve bounds the pairs ranked right
fig, ax = plt.subplots(figsize=(5, 4.4))
ax.imshow(wins, origin="lower", extent=(0, 1, 0, 1), cmap="Blues", vmax=1.6)
ax.plot(*roc(malignant, weak), color=plotting.RED, label="ROC curve")
ax.set(title="The ROC curve bounds the pairs ranked right",
       xlabel="negatives, highest score first", ylabel="positives, highest score first")
ax.legend(loc="lower right")
ax.grid(False)
plt.show()

# %%
draws = by_profile(quick=20_000, standard=1_000_000, full=1_000_000)
pick = lambda s: rng.choice(s, draws)
up, down = pick(positives), pick(negatives)
drawn = np.mean((up > down) + 0.5 * (up == down))
auc = area(*roc(malignant, weak))
print(f"area {auc:.6f}; share of {wins.size:,} pairs {wins.mean():.6f}; "
      f"of {draws:,} random pairs {drawn:.3f}")
claim("area against counted pairs, difference", abs(auc - wins.mean()), at_most=1e-12)
claim("area against random pairs, difference", abs(auc - drawn),
      at_most=0.002, applies=profile() != "quick")

# %% [markdown]
# So AUC judges the *ranking* only: any strictly rising function of the score (log-odds to probability, say) leaves it unchanged, as long as rounding ties no scores (8.14 meets a case). And it is blind to everything that decides a product: the threshold, the costs, the prevalence, and whether a 0.9 means 90 %.
#
# **Why ties matter.** Round the scores of the two measures to whole numbers, as a model with coarse output would. Whoever forgets ties and steps through the sorted list gets whatever order the list happened to have:

# %%
coarse = weak.round()
listed = {"ties: one diagonal step": coarse,
          "positives listed first": coarse + 1e-6 * malignant,
          "negatives listed first": coarse - 1e-6 * malignant}
fig, ax = plt.subplots(figsize=(4.6, 4.2))
for (name, s), style in zip(listed.items(), ("o-", "--", "--")):
    fpr, tpr = roc(malignant, s)
    ax.plot(fpr, tpr, style, ms=4, label=f"{name}: {area(fpr, tpr):.3f}")
ax.set(title="The order inside a tie is not the model's merit", xlabel="FPR",
       ylabel="TPR", aspect="equal")
ax.legend(loc="lower right", fontsize=8)
plt.show()


# %% [markdown]
# The same scores, 0.882 or 0.753 by the order of the rows alone; the diagonal, 0.818, lies halfway.

# %% [markdown]
# ### Exercise 8.6 · AUC from ranks (12 min)
# Counting all pairs takes $n_+ n_-$ comparisons; a million each is too many. Sort once instead: give each example its *rank* (1 for the lowest score), equal scores their mean rank. Without ties, the $k$-th lowest positive, of rank $r_k$, has $r_k - 1$ examples below it, $k - 1$ of them positive, so it beats $r_k - k$ negatives. (A tie with a negative lifts its mean rank by one half, as it should.) Sum over $k = 1, \dots, n_+$; with $R$ the sum of the positives' ranks
#
# $$\text{AUC} = \frac{R - n_+(n_+ + 1)/2}{n_+\, n_-} .$$
#
# (The numerator is the statistic $U$ of Mann and Whitney's test, 1947.)

# %% tags=["exercise"]
def rank_auc(y, s):
    """AUC from mean ranks, O(n log n). y: (n,) bool, both classes, s: (n,) scores."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.6", "AUC from ranks"):
    for seed_t, (n_t, levels_t) in enumerate([(30, 1000), (40, 4), (7, 2), (25, 1),
                                              (2, 9)]):
        draw_t = np.random.default_rng(seed_t)
        y_t = np.append(draw_t.random(n_t - 2) < 0.4, [True, False])
        s_t = draw_t.integers(0, levels_t, n_t) / 3 + (0.5 if levels_t > 4 else 0) * y_t
        np.testing.assert_allclose(
            rank_auc(y_t.copy(), s_t.copy()), sk.roc_auc_score(y_t, s_t), rtol=1e-5,
            err_msg=f"{n_t} scores on {levels_t} levels")
    y_t, s_t = np.arange(40_000) % 2 == 0, np.arange(40_000) // 3
    right_t, took_t = sk.roc_auc_score(y_t, s_t), []
    for _ in range(3):
        start_t = time.perf_counter()
        np.testing.assert_allclose(rank_auc(y_t, s_t.copy()), right_t, rtol=1e-5)
        took_t.append(time.perf_counter() - start_t)
    assert min(took_t) < 0.3, "right, but too slow for 40,000 scores: sort instead"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `values, group, size = np.unique(s, return_inverse=True, return_counts=True)`: group $g$ holds the ranks up to `size.cumsum()[g]`; their mean is that number minus $(\text{size} - 1)/2$.
# </details>

# %% tags=["solution"]
#@title Solution 8.6 · runs only while yours does not pass
if not solved("8.6"):
    def rank_auc(y, s):
        _, group, size = np.unique(s, return_inverse=True, return_counts=True)
        rank = (np.cumsum(size) - (size - 1) / 2)[group]
        n_pos, n_neg = np.sum(y), np.sum(~y)
        return (rank[y].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)


# %% [markdown]
# ## 8.7 When positives are rare: the precision–recall curve
#
# The same counts give a second curve: precision against recall. Its area is usually summarized by **average precision** (平均精度), which weighs the precision at each threshold by the recall won there:
#
# $$\text{AP} = \sum_j (\text{recall}_j - \text{recall}_{j-1})\; \text{precision}_j ,$$
#
# thresholds falling with $j$. What do rare positives do to the two curves? Take the 8-detector and let every image that is no 8 come ten times.

# %%
def precision_recall(y, s):
    """Precision and recall (m,), one pair per different score, highest first."""
    _, tp, fp = threshold_counts(y, s)
    return tp[1:] / (tp + fp)[1:], tp[1:] / tp[-1]


def average_precision(y, s):
    """Sum over the thresholds of recall won times precision there."""
    precision, recall = precision_recall(y, s)
    return np.sum(np.diff(recall, prepend=0) * precision)


flood = np.r_[np.flatnonzero(eight_test), np.repeat(np.flatnonzero(~eight_test), 10)]
fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.6))
for rows, style, name in ((np.arange(500), "-", "test set"),
                          (flood, "--", "others × 10")):
    y, s = eight_test[rows], score[rows]
    axes[0].plot(*roc(y, s), style, label=f"{name}: AUC {area(*roc(y, s)):.3f}")
    precision, recall = precision_recall(y, s)
    axes[1].step(np.r_[0, recall], np.r_[precision[0], precision], style, where="pre",
                 label=f"{name}: AP {average_precision(y, s):.3f}")
    axes[1].axhline(y.mean(), ls=":", color=plotting.GRAY, lw=1)
axes[0].set(title="ROC: nothing happened", xlabel="FPR", ylabel="TPR (recall)")
axes[1].set(title="Precision–recall: ten times the false alarms", xlabel="recall",
            ylabel="precision", ylim=(0, 1.05))
for ax, place in zip(axes, ("lower right", "lower left")):
    ax.legend(loc=place, fontsize=9)
plt.show()

# %%
worst = 0
for y, s in ((eight_test, score), (eight_test[flood], score[flood]),
             (malignant, weak), (malignant, coarse)):
    precision, recall = precision_recall(y, s)
    theirs = sk.precision_recall_curve(y, s)  # low first, one end point more
    worst = max(worst, np.abs(precision[::-1] - theirs[0][:-1]).max(),
                np.abs(recall[::-1] - theirs[1][:-1]).max(),
                abs(average_precision(y, s) - sk.average_precision_score(y, s)))
claim("precision, recall, AP against scikit-learn, largest difference", worst,
      at_most=1e-12)


# %% [markdown]
# TPR and FPR look at one class each, so the ROC curve and its area stay as they were. Average precision drops from 0.908 to 0.748. The dotted lines are what a coin reaches: precision = prevalence, 0.086 and 0.009; so an AP has to be read against its prevalence, an AUC against 0.5.
#
# The curve is drawn in steps, and AP is a sum, not the trapezoids of ROC, for a reason. Say there are two positives; threshold 1 flags one of them and nothing else (recall 0.5, precision 1), threshold 2 flags both and eight negatives (recall 1, precision 2/10). Now a coin chooses one of the two each time:
# on average that makes 1.5 hits and 4 false alarms, recall 0.75, halfway. ROC lies halfway, too: TPR and FPR are counts divided by constants. But these alarms are right in $1.5/5.5 = 27$ % of the cases, far below the 60 % halfway on a straight line, because precision has a count in its denominator. Wherever precision falls, the true curve hangs below the straight line like this, and trapezoids promise too much there.

# %% [markdown]
# ### Exercise 8.7 · precision you can promise (8 min)
# "At least 90 % of the alarms must be right; find as many as you can." Return the highest recall among all thresholds whose precision reaches a target, and 0 if none does.

# %% tags=["exercise"]
def recall_at_precision(y, s, target):
    """Highest recall over the thresholds with precision >= target; 0 if there is none.

    y: (n,) bool, at least one True, s: (n,) scores.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.7", "recall at a promised precision"):
    y_t = np.array([1, 0, 1, 1, 0, 1, 0, 0], bool)
    s_t = np.array([9, 8, 7, 6, 5, 4, 3, 2.0])
    tied_t = np.array([2, 2, 2, 2, 1, 1, 1, 1.0])  # no threshold parts equal scores
    for scores_t, target_t, right_t in (
            (s_t, 0.75, 0.75), (s_t, 0.76, 0.25), (s_t, 1, 0.25), (s_t, 0.6, 1),
            (s_t, 0, 1), (tied_t, 0.75, 0.75), (tied_t, 0.8, 0)):
        got_t = recall_at_precision(y_t.copy(), scores_t.copy(), target_t)
        np.testing.assert_allclose(got_t, right_t, rtol=1e-5,
                                   err_msg=f"scores {scores_t}, target {target_t}")
    got_t = recall_at_precision(~y_t, s_t.copy(), 0.9)
    assert got_t == 0, f"no threshold reaches the target: {got_t} instead of 0"
    got_t = recall_at_precision(np.array([True]), np.array([0.5]), 0.9)
    assert got_t == 1, f"a single example, a positive one: {got_t} instead of 1"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `precision_recall` gives both for every threshold. Keep `recall[precision >= target]`; its maximum fails if nothing is left: `max(..., default=0)`, or append a 0.
# </details>

# %% tags=["solution"]
#@title Solution 8.7 · runs only while yours does not pass
if not solved("8.7"):
    def recall_at_precision(y, s, target):
        precision, recall = precision_recall(y, s)
        return max(recall[precision >= target], default=0.0)

# %% [markdown]
# <details><summary>About the solution</summary>
#
# (Precision is not monotone in the threshold, so "stop at the first failure" would be wrong.)
# </details>

# %% [markdown]
# ## 8.8 Is a 0.9 ninety percent? Calibration
#
# Let the forecast $f$ be a model's probability for "malignant". It is *calibrated* (校准) if among all cases with $f = 0.9$, 90 % are malignant, and so for every value. Group the forecasts by value (or, if all differ, in bins), and compare each group's mean forecast with the share of positives in it: the **reliability curve**.

# %%
probability = {name: 1 / (1 + np.exp(-np.clip(s, -500, 500)))
               for name, s in scores.items()}


def reliability(y, f, bins=10):
    """Group forecasts in bins of equal width, (0, 1/bins], ...; empty ones left out.

    y: (n,) bool, f: (n,) in [0, 1]
    -> size, mean forecast, share of positives of each bin in use, (k,)
    """
    group = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], f)
    size = np.bincount(group, minlength=bins)
    used = size > 0
    mean = lambda v: np.bincount(group, v, minlength=bins)[used] / size[used]
    return size[used], mean(f), mean(1.0 * y)


from sklearn.calibration import calibration_curve

worst = 0
for f in probability.values():
    _, forecast, observed = reliability(malignant, f)
    for a, b in zip((observed, forecast), calibration_curve(malignant, f, n_bins=10)):
        worst = max(worst, np.abs(a - b).max())
claim("reliability curve against scikit-learn, largest difference", worst,
      at_most=1e-12)

for name, f in probability.items():
    low = f < 0.01
    print(f"{name:25} below 1 %: {low.sum():3} tumors, {f[low].sum():.1f} cancers "
          f"expected, {malignant[low].sum()} found")

# %% tags=["figure"]
#@title Figure: Naive Bayes is surer than it is right
fig, axes = plt.subplots(1, 3, figsize=(8.6, 3.2), sharey=True)
for ax, (name, f) in zip(axes, probability.items()):
    size, forecast, observed = reliability(malignant, f)
    twins = []  # what the same forecasts show if they are exactly right
    for _ in range(by_profile(quick=100, standard=1000, full=1000)):
        twins.append(reliability(rng.random(569) < f, f)[2])
    low, high = np.quantile(twins, [0.025, 0.975], axis=0)
    ax.vlines(forecast, low, high, color=plotting.GRAY, alpha=0.35, lw=7)
    ax.plot([0, 1], [0, 1], "--", color=plotting.GRAY, lw=1)
    ax.plot(forecast, observed, "o-", color=plotting.RED, ms=4)
    ax.set(title=name, xlabel="mean forecast of the bin")
    for x, o, n_bin in zip(forecast, observed, size):
        ax.text(x, -0.14, str(n_bin), fontsize=7, ha="center", color=plotting.GRAY)
axes[0].set(ylabel="share malignant", ylim=(-0.18, 1.05))
fig.suptitle("Naive Bayes is surer than it is right", fontweight="bold")
plt.show()

# %% [markdown]
# Small numbers: tumors in each bin. Gray bars: the range (95 %) that chance gives to a *perfectly calibrated twin*, which has the same forecasts while its outcomes are drawn with exactly these probabilities. (Again the ten models of the cross-validation count as one: what you see is the calibration of the procedure, not of one model.) The two logistic regressions stay within the bars, except perhaps for a bin. Naive Bayes
# puts nearly all tumors in the outermost bins, and there it is wrong: below 1 % it expects 0.1 cancers, and there are 15. Thirty measures of one tumor repeat each other (radius, perimeter, area); does it count each as new evidence? Give it one measure, then the same one ten times:

# %%
for copies in (1, 10):
    s = log_odds(GaussianNB(), [0] * copies)
    f = 1 / (1 + np.exp(-s))
    auc, brier = area(*roc(malignant, s)), np.mean((f - malignant) ** 2)
    print(f"mean radius × {copies:2}: AUC {auc:.3f}, median |log-odds| "
          f"{np.median(np.abs(s)):4.1f}, mean squared error of f {brier:.3f}")


# %% [markdown]
# It does: nothing was learned from the copies, yet it is many times surer, and its forecasts got worse.
#
# **One number: the Brier score**, the mean squared error of the forecasts, $\text{BS} = \frac1n\sum_i (f_i - y_i)^2$ with $y_i \in \{0, 1\}$. Suppose the forecasts take $K$ values; $f_k$ is given $n_k$ times, with a share $o_k$ of positives, and $\bar o$ is the share overall. Inside group $k$, because $y^2 = y$,
#
# $$\frac{1}{n_k}\sum (f_k - y)^2 = f_k^2 - 2 f_k o_k + o_k = (f_k - o_k)^2 + o_k (1 - o_k),$$
#
# and $\sum_k \frac{n_k}{n}\, o_k(1 - o_k) = \bar o - \sum_k \frac{n_k}{n} o_k^2 = \bar o(1 - \bar o) - \sum_k \frac{n_k}{n} (o_k - \bar o)^2$. Together (Murphy 1973):
#
# $$\text{BS} = \underbrace{\sum_k \frac{n_k}{n}(f_k - o_k)^2}_{\text{reliability: 0 is best}}
# \;-\; \underbrace{\sum_k \frac{n_k}{n}(o_k - \bar o)^2}_{\text{resolution: more is better}}
# \;+\; \underbrace{\bar o(1 - \bar o)}_{\text{uncertainty: not the model's}} .$$
#
# That is exact where all forecasts of a group are equal. In a bin they differ a little, and a small rest remains. (With $f_k$ the mean forecast of the bin and $f = f_k + e$: of $(f_k + e - y)^2 = (f_k - y)^2 + 2 f_k e + e^2 - 2 e y$ the second term averages to 0, and the rest is $\overline{e^2} - 2\,\overline{e\,y}$.)

# %%
def brier_parts(y, f, bins=10):
    """Reliability, resolution, uncertainty, within-bin rest; BS = a - b + c + d."""
    size, forecast, observed = reliability(y, f, bins)
    share, base = size / len(y), y.mean()
    group = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], f)
    used = np.unique(group, return_inverse=True)[1]
    e = f - forecast[used]
    return (share @ (forecast - observed) ** 2, share @ (observed - base) ** 2,
            base * (1 - base), np.mean(e**2) - 2 * np.mean(e * y))


worst = worst_exact = 0
print("Brier score of                  = reliability - resolution + uncertainty + rest")
for name, f in probability.items():
    brier, parts = np.mean((f - malignant) ** 2), brier_parts(malignant, f)
    print(f"{name:25} {brier:.4f} = {parts[0]:.4f} - {parts[1]:.4f}"
          f" + {parts[2]:.4f} {parts[3]:+.4f}")
    worst = max(worst, abs(brier - (parts[0] - parts[1] + parts[2] + parts[3])),
                abs(brier - sk.brier_score_loss(malignant, f)))
    parts = brier_parts(malignant, f.round(1), 100)  # eleven values: each its own bin
    exact = np.mean((f.round(1) - malignant) ** 2)
    worst_exact = max(worst_exact, abs(exact - (parts[0] - parts[1] + parts[2])))
claim("decomposition and scikit-learn, largest difference", worst, at_most=1e-12)
claim("three terms for forecasts with eleven values, largest difference", worst_exact,
      at_most=1e-12)

# %% [markdown]
# Uncertainty, 0.234, is the Brier score of always forecasting the base rate. Naive Bayes is 0.036 worse than logistic regression, and nearly all of it is resolution: 0.182 against 0.217. Its lack of reliability costs only 0.005, because squared error forgives: forecasting 0 where 4 % is right (15 of 355) costs $0.04^2 = 0.0016$.
# Is its *ranking* so much poorer, or only its use of the scale? 556 of its 569 forecasts share the two outermost bins, doubtful tumors beside clear ones, and resolution sees nothing inside a bin. Test it: spread the forecasts without changing their order. Divide the log-odds by a constant, the *temperature* (as in notebook [[neurons_and_layers]]), chosen on one half of the patients and judged on the other.
#
# One constant is only one way to change the scale. So let the other half itself choose the best of *all* rising functions, with its answers in view: *isotonic regression* (保序回归) finds the one with the lowest Brier score. No honest change of scale can do better on these patients.

# %%
from sklearn.isotonic import IsotonicRegression

overconfident = scores["naive Bayes, 30 measures"]
half = np.random.default_rng(8).permutation(569) < 284
soften = lambda temperature: 1 / (1 + np.exp(-overconfident / temperature))
temperatures = np.geomspace(1, 50, 60)
brier = lambda f, rows: np.mean((f - malignant)[rows] ** 2)
best = min(temperatures, key=lambda T: brier(soften(T), half))
for T in (1, best):
    f = soften(T)
    auc = area(*roc(malignant[~half], (overconfident / T)[~half]))
    extreme = np.mean((f < 0.1) | (f > 0.9))
    unreliable, resolved = brier_parts(malignant[~half], f[~half])[:2]
    print(f"T = {T:4.1f}, other half: Brier {brier(f, ~half):.4f}, reliability "
          f"{unreliable:.4f}, resolution {resolved:.4f}, AUC {auc:.4f}; "
          f"in the two outermost bins: {extreme:.0%}")
truth = malignant[~half].astype(float)
rising = IsotonicRegression().fit_transform(overconfident[~half], truth)
lowest = np.mean((rising - truth) ** 2)
f = probability["logistic, 30 measures"]
print(f"best rising function, chosen by these answers: Brier {lowest:.4f}\n"
      f"logistic, other half, as it is: Brier {brier(f, ~half):.4f}, resolution "
      f"{brier_parts(malignant[~half], f[~half])[1]:.4f}")
claim("naive Bayes on its best scale minus logistic regression as it is, Brier score",
      lowest - brier(f, ~half), at_least=0.01)


# %% [markdown]
# Dividing by a constant changes no order, so AUC stays the same to the last digit. The Brier score drops, and both parts improve. But 85 % of the forecasts still share two bins, so this alone proves little. The best rising function does: even chosen by the very answers it is judged on, it leaves naive Bayes far behind logistic regression. No change of scale can repair the ranking.
#
# **ECE**, the *expected calibration error*, is the number most often quoted: $\text{ECE} = \sum_k \frac{n_k}{n}\,|f_k - o_k|$ over bins. **Two quantities have this name.** Here $f_k$ is the forecast of "positive" and $o_k$ the share of positives. In notebook [[loss_functions]] it was the *confidence*, the probability of the class that is answered, against the share of right answers, as is usual for many classes.
# They can differ a lot: forecast 0.8 where 0.7 is right and 0.2 where 0.1 is right, and the confidence is 0.8 in both cases, while the answers are right in 70 % and 90 %: in one bin the errors cancel.

# %%
def expected_calibration_error(y, f, bins):
    """Mean distance of forecast and observed share over bins of equal width."""
    size, forecast, observed = reliability(y, f, bins)
    return size @ np.abs(forecast - observed) / len(y)


def confidence_error(y, f, bins):
    """The other ECE: confidence in the class answered, against the share right."""
    return expected_calibration_error((f > 0.5) == y, np.maximum(f, 1 - f), bins)


f, y = np.repeat([0.8, 0.2], 500), np.r_[np.arange(500) < 350, np.arange(500) < 50]
cases = {"0.8 for 0.7, 0.2 for 0.1": (y, f),
         **{name: (malignant, f) for name, f in probability.items()}}
for name, case in cases.items():
    print(f"{name:25} ECE of the forecast {expected_calibration_error(*case, 10):.3f}, "
          f"of the confidence {confidence_error(*case, 10):.3f}")

# %% [markdown]
# Either kind has two habits to know before you quote it. It depends on the number of bins, and it is **not 0 for a perfect model**: in each bin chance leaves a distance, and absolute values don't cancel. Draw both, with the range that 95 % of all perfect twins stay in.

# %%
bin_counts = [2, 3, 5, 8, 10, 15, 20, 30, 50, 100]
repeats = by_profile(quick=40, standard=400, full=1000)
ece, twins = {}, {}
for name, f in probability.items():
    ece[name] = [expected_calibration_error(malignant, f, k) for k in bin_counts]
    drawn = [[expected_calibration_error(rng.random(569) < f, f, k)
              for _ in range(repeats)] for k in bin_counts]
    twins[name] = np.mean(drawn, axis=1), *np.quantile(drawn, [0.025, 0.975], axis=1)
    for i in (4, 9):
        middle, low, high = (values[i] for values in twins[name])
        print(f"{name:25} {bin_counts[i]:3} bins: ECE {ece[name][i]:.3f}; perfect twin "
              f"{middle:.3f}, 95 % from {low:.3f} to {high:.3f}")

# %% tags=["figure"]
#@title Figure: ECE grows with the bins, even for perfect forecasts
fig, ax = plt.subplots(figsize=(6.6, 3.8))
for (name, (middle, low, high)), color in zip(twins.items(), plotting.PALETTE):
    ax.plot(bin_counts, ece[name], "o-", color=color, ms=4, label=name)
    ax.plot(bin_counts, middle, "--", color=color, lw=1.2)
    ax.fill_between(bin_counts, low, high, color=color, alpha=0.15)
ax.set(title="ECE grows with the bins, even for perfect forecasts", xscale="log",
       xlabel="number of bins (dashed: perfectly calibrated twin, band: 95 %)",
       ylabel="ECE", xticks=bin_counts, xticklabels=bin_counts)
ax.minorticks_off()
ax.legend(fontsize=8)
plt.show()


# %% [markdown]
# The two measures have the *largest* ECE at 100 bins, but it lies inside their twin's band: chance can explain it. Naive Bayes is far above its band at every number of bins. An ECE needs its bins, its $n$ and its twin beside it; the Brier score needs no bins.

# %% [markdown]
# ### Exercise 8.8 · bins of equal size (10 min)
# Equal-width bins leave some nearly empty. Sort the forecasts, cut the sorted list into `bins` parts of (nearly) equal size with `np.array_split`, and compute the ECE over these. Forecasts may be equal; keep `np.argsort(f, kind="stable")` as the order.

# %% tags=["exercise"]
def equal_size_ece(y, f, bins):
    """ECE over bins with (nearly) the same number of forecasts each.

    y: (n,) bool, f: (n,) in [0, 1], bins <= n.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.8", "ECE with bins of equal size"):
    y_t, f_t = np.array([1, 0, 1, 0, 1], bool), np.array([0.9, 0.2, 0.6, 0.4, 0.5])
    for bins_t, right_t in ((1, abs(2.6 - 3) / 5), (2, (0.1 + 0.5) / 5),
                            (5, (0.1 + 0.2 + 0.4 + 0.4 + 0.5) / 5)):
        got_t = equal_size_ece(y_t.copy(), f_t.copy(), bins_t)
        np.testing.assert_allclose(got_t, right_t, rtol=1e-5, err_msg=f"{bins_t} bins")
    got_t = equal_size_ece(y_t[:1], f_t[:1].copy(), 1)
    np.testing.assert_allclose(got_t, 0.1, rtol=1e-5, err_msg="a single forecast")
    f_t = (np.random.default_rng(88).random(1200) ** 3).round(2)  # mostly small
    y_t = np.random.default_rng(89).random(1200) < 0.3
    order_t = np.argsort(f_t, kind="stable")
    gaps_t = (f_t[order_t] - y_t[order_t]).reshape(8, 150).mean(axis=1)
    got_t = equal_size_ece(y_t.copy(), f_t.copy(), 8)
    np.testing.assert_allclose(got_t, np.abs(gaps_t).mean(), rtol=1e-5,
                               err_msg="1,200 forecasts, many of them equal, 8 bins")

# %% [markdown]
# <details><summary>Hint</summary>
#
# For one part with indices `rows`: its weight `len(rows) / len(f)` times $|\overline f - \overline y|$ is $|\sum (f - y)|/n$.
# </details>

# %% tags=["solution"]
#@title Solution 8.8 · runs only while yours does not pass
if not solved("8.8"):
    def equal_size_ece(y, f, bins):
        parts = np.array_split(np.argsort(f, kind="stable"), bins)
        return sum(abs(np.sum(f[rows] - y[rows])) for rows in parts) / len(f)


# %% [markdown]
# ## 8.9 From costs to a threshold
#
# A false alarm costs $c_{FP}$ (a biopsy), a miss $c_{FN}$ (an untreated cancer). If the probability $p$ of "malignant" is right, flagging this case costs $(1 - p)\, c_{FP}$ on average, not flagging $p\, c_{FN}$. So flag when $p\, c_{FN} > (1 - p)\, c_{FP}$, that is when
#
# $$p > t^* = \frac{c_{FP}}{c_{FP} + c_{FN}} .$$
#
# The famous 0.5 is right exactly when both mistakes cost the same. On a test set, the mean cost per case is
#
# $$\frac{c_{FP}\,FP + c_{FN}\,FN}{n} = (1 - \pi)\, c_{FP}\,\text{FPR} + \pi\, c_{FN} (1 - \text{TPR}),$$
#
# so all points of equal cost lie on a straight line of slope $\frac{(1 - \pi)\, c_{FP}}{\pi\, c_{FN}}$ in the ROC plot; the best threshold is where the highest such line still touches the curve.

# %%
def mean_cost(y, s, cost_miss):
    """Cost per case at every threshold; a false alarm costs 1. -> thresholds, costs"""
    thresholds, tp, fp = threshold_counts(y, s)
    return thresholds, (fp + cost_miss * (tp[-1] - tp)) / len(y)


fig, axes = plt.subplots(1, 2, figsize=(8.6, 3.5))
f, pi = probability["two measures"], malignant.mean()
fpr, tpr = roc(malignant, f)
axes[1].plot(fpr, tpr, color=plotting.GRAY)
for cost_miss, color in ((1, plotting.BLUE), (3, plotting.ORANGE), (10, plotting.RED)):
    thresholds, cost = mean_cost(malignant, f, cost_miss)
    name = f"a miss costs {cost_miss}"
    axes[0].plot(thresholds[1:], cost[1:], color=color, label=name)
    axes[0].axvline(1 / (1 + cost_miss), color=color, ls="--", lw=1)
    best, slope = cost.argmin(), (1 - pi) / (pi * cost_miss)
    line = tpr[best] + slope * (np.array([-0.1, 1]) - fpr[best])
    axes[1].plot([-0.1, 1], line, color=color, lw=1)
    axes[1].plot(fpr[best], tpr[best], "o", color=color)
    print(f"a miss costs {cost_miss:2}: t* = {1 / (1 + cost_miss):.3f}, cheapest on"
          f" these tumors {thresholds[best]:.3f}, cost {cost[best]:.3f}")
axes[0].set(title="Cheapest near t* (dashed)", xlabel="threshold",
            ylabel="cost per case (false alarm = 1)", ylim=(0, 1.6))
axes[0].legend(fontsize=8)
axes[1].set(title="Costs are slopes in the ROC plot", xlabel="FPR", ylabel="TPR",
            xlim=(-0.02, 1), ylim=(0, 1.05))
plt.show()


# %% [markdown]
# The more a miss costs, the lower the threshold and the flatter the line. For these calibrated forecasts the lowest point is near $t^*$, though not at it: the curve is jagged, and where exactly it is lowest is partly luck. What happens on *other* patients? Choose the threshold on one random half, pay on the other, 300 times, a miss costing 10:

# %%
def paid(f, chosen, other):
    """Cost with the threshold chosen: there, elsewhere; elsewhere with t* and 0.5."""
    thresholds, cost = mean_cost(malignant[chosen], f[chosen], 10)
    at = lambda t: np.mean(np.where(malignant, 10 * (f < t), f >= t)[other])
    return cost.min(), at(thresholds[cost.argmin()]), at(1 / 11), at(0.5)


print("mean cost ± s.d.          chosen here    elsewhere      t* = 1/11      t = 0.5")
for name, f in probability.items():
    halves = [rng.permutation(569) < 284
              for _ in range(by_profile(quick=20, standard=300, full=1000))]
    costs = np.array([paid(f, chosen, ~chosen) for chosen in halves])
    table = zip(costs.mean(axis=0), costs.std(axis=0, ddof=1))
    print(f"{name:25}", "  ".join(f"{mean:.3f} ± {sd:.3f}" for mean, sd in table))
for name, f in probability.items():
    between = (f >= 1 / 11) & (f < 0.5)
    print(f"{name:25} between t* and 0.5: {between.sum():3} tumors, "
          f"{malignant[between].sum()} malignant")


# %% [markdown]
# First column against second: the cost on the patients that chose the threshold looks better than it is; the honest number is the second. So choose thresholds on validation data, report on test data (notebook [[preparing_data]]). Third: $t^*$ needs no choosing; with the two calibrated models it costs no more than choosing does. With naive Bayes, $t^*$ costs more than choosing does: a formula that assumes
# probabilities must be given probabilities. The last column is the price of never having asked: high for the two measures, where 84 of the 293 tumors between $t^*$ and 0.5 are malignant and each miss costs 10; nearly nothing for logistic regression, where it is 4 of 40: flagging these would have cost 36, missing the four costs 40.

# %% [markdown]
# ### Exercise 8.9 · the cheapest threshold (10 min)
# A calibrated score isn't always at hand. Return the cheapest threshold on given data: among "flag nothing" (`np.inf`) and every score that occurs; of equally cheap ones, the highest.

# %% tags=["exercise"]
def cheapest_threshold(y, s, cost_false_alarm, cost_miss):
    """Threshold t with the lowest total cost of flagging s >= t; the highest of equals.

    y: (n,) bool, s: (n,) scores. -> one of s, or np.inf
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.9", "the cheapest threshold"):
    for seed_t in range(42):
        draw_t = np.random.default_rng(seed_t)
        y_t = draw_t.random(14) < 0.5
        y_t |= seed_t == 40                            # once all positive,
        y_t &= seed_t != 41                            # once all negative
        s_t = draw_t.integers(0, 6, 14) + 2.0 * y_t    # with ties between the classes
        c_fp_t, c_fn_t = draw_t.choice([0.5, 1, 2, 7], 2)
        total_t = lambda t: (c_fp_t * np.sum(~y_t & (s_t >= t))
                             + c_fn_t * np.sum(y_t & (s_t < t)))
        right_t = max([np.inf, *s_t], key=lambda t: (-total_t(t), t))
        got_t = cheapest_threshold(y_t.copy(), s_t.copy(), c_fp_t, c_fn_t)
        assert got_t == right_t, (
            f"{np.sum(y_t)} of 14 positive, costs {c_fp_t}, {c_fn_t}: threshold "
            f"{got_t} costs {total_t(got_t)}; {right_t} costs {total_t(right_t)}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `threshold_counts(y, s)` has the thresholds in falling order, with TP and FP; misses are `tp[-1] - tp`. `argmin` returns the first of equals.
# </details>

# %% tags=["solution"]
#@title Solution 8.9 · runs only while yours does not pass
if not solved("8.9"):
    def cheapest_threshold(y, s, cost_false_alarm, cost_miss):
        thresholds, tp, fp = threshold_counts(y, s)
        cost = cost_false_alarm * fp + cost_miss * (tp[-1] - tp)
        return thresholds[np.argmin(cost)]

# %% [markdown]
# ## 8.10 How sure is an accuracy? Wald and Wilson
#
# The detector got 482 of 500 right. Five hundred *other* digits would have given another number. Model the test as $n$ independent tries with an unknown probability $p$ of success, and $\hat p$ the share observed. One try has variance $p(1-p)$ (8.3), the mean of $n$ an $n$-th of it. And the mean of many independent draws follows nearly the bell curve, the *normal* distribution (the *central limit theorem*), which has 95 % of its mass within $z = 1.96$ standard deviations of its middle. So
#
# $$|\hat p - p| \le z \sqrt{\frac{p(1 - p)}{n}} \quad \text{in about 95 \% of all tests.}$$
#
# A 95 % *confidence interval* (置信区间) is a recipe that turns each test's $\hat p$ into an interval such that 95 % of all tests give one that contains $p$. (The 95 % belong to the recipe: this one interval contains $p$ or doesn't.) The bound gives two recipes:
#
# - **Wald**: put $\hat p$ for $p$ under the root: $\;\hat p \pm z\sqrt{\hat p(1 - \hat p)/n}$. Short, in every textbook, and wrong when it matters: at $\hat p = 1$ it has length 0.
# - **Wilson** (1927): take all $p$ that satisfy the inequality as it stands. Squared, it is a quadratic,
#   $\left(1 + \frac{z^2}{n}\right) p^2 - \left(2 \hat p + \frac{z^2}{n}\right) p + \hat p^2 \le 0$, and the interval lies between its roots:
#
# $$\boxed{\; \frac{1}{1 + z^2/n} \left( \hat p + \frac{z^2}{2n} \;\pm\; z \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4 n^2}} \right) \;}$$

# %% tags=["keep"] lesson="evaluation"
Z = NormalDist().inv_cdf(0.975)  # 1.96


def wilson(hits: int | np.ndarray, n: int,
           z: float = Z) -> tuple[np.ndarray, np.ndarray]:
    """Wilson interval for a proportion: hits of n tries, n >= 1; 95 % with this z.

    hits: any shape -> low and high, each of that shape
    """
    p = np.asarray(hits) / n
    middle = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


# %%
def wald(hits, n, z=Z):
    """Wald interval for a proportion, low and high. hits: any shape."""
    p = np.asarray(hits) / n
    half = z * np.sqrt(p * (1 - p) / n)
    return p - half, p + half


for hits, n in ((482, 500), (500, 500), (24, 25)):
    print("{:3} of {}: Wald [{:.4f}, {:.4f}], Wilson [{:.4f}, {:.4f}]".format(
        hits, n, *wald(hits, n), *wilson(hits, n)))
print("recall, 29 of 43:    Wilson [{:.4f}, {:.4f}]".format(*wilson(29, 43)))
print("precision, 29 of 33: Wilson [{:.4f}, {:.4f}]".format(*wilson(29, 33)))

# %% tags=["evidence"]
#@title Evidence: Wilson's ends solve the inequality and equal SciPy's
hits, n = np.arange(501), 500
low, high = wilson(hits, n)
residual = max(np.abs(np.abs(hits / n - p) - Z * np.sqrt(p * (1 - p) / n)).max()
               for p in (np.clip(low, 0, 1), np.clip(high, 0, 1)))
theirs = [binomtest(int(h), n).proportion_ci(method="wilson") for h in hits]
claim("Wilson's ends in the inequality, largest difference", residual, at_most=1e-9)
claim("Wilson against SciPy, largest difference",
      np.abs(np.array(theirs) - np.stack([low, high], axis=1)).max(), at_most=1e-12)

# %% tags=["figure"]
#@title Figure: Wilson reads the band sideways (24 of 25 right)
p, n, seen = np.linspace(0, 1, 400), 25, 24 / 25
bound = Z * np.sqrt(p * (1 - p) / n)
fig, ax = plt.subplots(figsize=(5, 4.2))
ax.fill_between(p, p - bound, p + bound, color=plotting.SKY, alpha=0.4,
                label="95 % of the observations")
ax.plot(p, p, color=plotting.GRAY, lw=1)
for (low, high), y, color, name in ((wilson(24, n), seen, plotting.BLUE, "Wilson"),
                                    (wald(24, n), seen - 0.035, plotting.RED, "Wald")):
    ax.plot([low, high], [y, y], "|-", color=color, ms=12, label=f"{name} interval")
ax.axvline(1, color="black", ls=":", lw=1)
ax.set(title="Wilson reads the band sideways (24 of 25 right)", xlim=(0.6, 1.06),
       ylim=(0.6, 1.06), xlabel="true $p$", ylabel=r"observed $\hat p$")
ax.legend(loc="upper left", fontsize=8)
plt.show()


# %% [markdown]
# For each true $p$ the blue band holds 95 % of the observations. We saw 0.96: read along that height and you get all $p$ whose band contains it, from 0.80 to 0.99. Wald (drawn a little lower) takes the band's width at $p = 0.96$ and promises $p$ up to 1.04.
#
# **Coverage.** An interval is good if it does what it says: contain the true $p$ in 95 % of all tests. For a proportion the coverage can be computed exactly: for each number of hits $h$, does the interval contain $p$? Add the *binomial* probabilities $\binom{n}{h} p^h (1 - p)^{n - h}$ of those that do (the code adds logarithms, because $\binom{n}{h}$ gets huge). And simulated, to check the computation.

# %%
def binomial(n, p):
    """Probabilities of 0 … n hits. -> (n + 1,)"""
    h = np.arange(1, n + 1)
    log_choose = np.r_[0, np.cumsum(np.log((n - h + 1) / h))]
    return np.exp(log_choose + np.arange(n + 1) * np.log(p)
                  + np.arange(n, -1, -1) * np.log(1 - p))


def coverage(interval, n, p):
    """Exact probability that interval(hits, n) contains p."""
    low, high = interval(np.arange(n + 1), n)
    return binomial(n, p) @ ((low <= p) & (p <= high))


truths = np.linspace(0.5, 0.999, 800)

# %% tags=["figure"]
#@title Figure: Wald fails just where good models live
fig, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True)
for ax, n in zip(axes, (50, 500)):
    for interval, color in ((wald, plotting.RED), (wilson, plotting.BLUE)):
        exact = [coverage(interval, n, p) for p in truths]
        ax.plot(truths, exact, color=color, lw=1, label=interval.__name__)
        for p in (0.6, 0.7, 0.8, 0.9, 0.95, 0.98):
            hits = rng.binomial(n, p, 20_000)
            low, high = interval(hits, n)
            ax.plot(p, np.mean((low <= p) & (p <= high)), "k.", ms=5)
    ax.axhline(0.95, color="black", ls="--", lw=1)
    ax.set(title=f"n = {n}", xlabel="true accuracy", ylim=(0.6, 1.01))
axes[0].set_ylabel("coverage (dots: simulated)")
axes[0].legend(loc="lower left")
fig.suptitle("Wald fails just where good models live", fontweight="bold")
plt.show()

# %%
spans = {interval.__name__: [coverage(interval, 50, p) for p in truths]
         for interval in (wald, wilson)}
for name, values in spans.items():
    print(f"n = 50, {name:6} mean coverage {np.mean(values):.3f}, "
          f"lowest {np.min(values):.3f}")
simulated = [np.mean([low <= p <= high for low, high in np.transpose(
    wilson(rng.binomial(50, p, 20_000), 50))]) for p in (0.7, 0.9, 0.98)]
exact = [coverage(wilson, 50, p) for p in (0.7, 0.9, 0.98)]
claim("coverage computed against simulated, largest difference",
      np.abs(np.subtract(simulated, exact)).max(), at_most=0.01)
claim("Wilson's mean coverage at n = 50", np.mean(spans["wilson"]), at_least=0.94)
for n in (50, 500):
    edge = wilson(n - 1, n)[1]  # upper end for a single miss
    print(f"n = {n}: just above p = {edge:.4f}, or {n * (1 - edge):.3f}/n below 1, "
          f"Wilson's coverage is {coverage(wilson, n, edge + 1e-9):.3f}; "
          f"Wald's at 0.98 {coverage(wald, n, 0.98):.3f}, at 0.99 "
          f"{coverage(wald, n, 0.99):.3f}")


# %% [markdown]
# The teeth come from counting whole hits; no interval of this kind is exactly 95 % everywhere. Wald sinks further the better the model: to 5 % at an accuracy of 0.999 with 50 examples (below the frame). With 500 examples it still fails above 0.98. Wilson stays around 95 %, with one notch of its own at the far right: 84 % just above the $p$ that is printed,
# where $p$ has passed Wilson's upper end for a single miss. (For any $n$ the notch begins about $0.18/n$ below 1. If you work there, take the exact interval of Clopper and Pearson, SciPy's default: longer, and never below 95 %.)
#
# **All right is not perfect.** With $n$ of $n$ right, every $p$ with $p^n \ge 0.05$ is still plausible. That is $n \ln p \ge \ln 0.05 \approx -3$, and near 1, $\ln p \approx -(1 - p)$: the error $1 - p$ may still be $3/n$ (the *rule of three*). Wilson, which leaves 2.5 % on each side, not 5 % on one, lets the error be up to $z^2/(n + z^2) \approx 3.84/n$.

# %% [markdown]
# ### Exercise 8.10 · how many test examples? (8 min)
# Before you collect data: how many examples make the Wilson interval at an expected accuracy $\hat p$ no wider than $\pm w$ (half its length)? Return the smallest such integer $n$. (Take $\hat p$ as given, $\hat p n$ needn't be an integer.)

# %% tags=["exercise"]
def examples_needed(p, w):
    """Smallest n for which half the Wilson interval's length (z = Z) is at most w.

    p: expected accuracy. w: half length, for example 0.01.
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.10", "how many test examples"):
    half_t = lambda p, n: np.subtract(*wilson(p * n, n)[::-1]) / 2
    for p_t, w_t in ((0.9, 0.05), (0.5, 0.1), (0.99, 0.02), (1.0, 0.05), (0.8, 0.03),
                     (0.5, 0.45)):
        n_t = examples_needed(p_t, w_t)
        assert n_t == int(n_t) >= 1, f"{n_t} is no number of examples"
        got_t = half_t(p_t, n_t)
        assert got_t <= w_t, f"{n_t} examples at {p_t}: ± {got_t:.4f}, not ± {w_t}"
        enough_t = n_t > 1 and half_t(p_t, n_t - 1) <= w_t
        assert not enough_t, f"{n_t - 1} examples would do for ± {w_t} at {p_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# The length falls as $n$ grows. Start from $n = 1$ and count up; `wilson(p * n, n)` gives both ends.
# </details>

# %% tags=["solution"]
#@title Solution 8.10 · runs only while yours does not pass
if not solved("8.10"):
    def examples_needed(p, w):
        n = 1
        while np.subtract(*wilson(p * n, n)[::-1]) / 2 > w:
            n += 1
        return n


# %% [markdown]
# <details><summary>About the solution</summary>
#
# (As a rule of thumb, $n \approx p(1 - p)\, z^2 / w^2$: half the length costs four times the examples.)
# </details>

# %% [markdown]
# ## 8.11 The bootstrap: an interval for any metric
#
# Recall and precision are proportions, too: Wilson fits them, with their own denominators (recall: 29 of 43, so anything from 0.53 to 0.80). $F_1$ is no proportion of independent tries, and AUC's formula (DeLong 1988) is long. What we'd like is other test sets. The **bootstrap** (自助法, Efron 1979) makes them from the one we have: draw $n$ examples *with replacement*, compute the metric, repeat a few thousand times. The spread of these values stands in for the spread over new test sets; the 2.5 % and 97.5 % quantiles are the *percentile interval*.

# %%
def bootstrap(metric, y, s, draws, rng):
    """The metric on resampled test sets -> (draws,). metric(y, s) -> float"""
    rows = rng.integers(0, len(y), (draws, len(y)))
    return np.array([metric(y[r], s[r]) for r in rows])


metrics = {"accuracy": lambda y, s: np.mean((s > 0.5) == y),
           "$F_1$": lambda y, s: basic_metrics(y, s > 0.5)[3],
           "AUC": lambda y, s: area(*roc(y, s)),
           "average precision": average_precision}
draws = by_profile(quick=300, standard=4000, full=10_000)
resampled = {name: bootstrap(metric, eight_test, score, draws, rng)
             for name, metric in metrics.items()}
percentiles = {name: np.quantile(values, [0.025, 0.975])
               for name, values in resampled.items()}


def bootstrap_accuracy(hits, n):
    """Percentile interval of an accuracy after endless draws. hits: any shape."""
    p = np.asarray(hits) / n  # the hits of a resampled test set are binomial, with p
    return binom.ppf(0.025, n, p) / n, binom.ppf(0.975, n, p) / n


print("accuracy, 482 of 500: resampled  [{:.4f}, {:.4f}]".format(
    *percentiles["accuracy"]))
for interval in (bootstrap_accuracy, wald, wilson):
    print(f"{interval.__name__:>31}", "[{:.4f}, {:.4f}]; ".format(*interval(482, 500)),
          "500 of 500: [{:.4f}, {:.4f}]".format(*interval(500, 500)))
claim("bootstrap's ends of the accuracy against Wald's, largest difference",
      np.abs(percentiles["accuracy"] - wald(482, 500)).max(), at_most=0.005)

# %% tags=["figure"]
#@title Figure: 43 eights leave a wide margin
fig, axes = plt.subplots(1, 4, figsize=(10, 2.6))
for ax, (name, values) in zip(axes, resampled.items()):
    low, high = percentiles[name]
    ax.hist(values, 15, color=plotting.SKY)
    ax.axvline(metrics[name](eight_test, score), color="black")
    ax.axvspan(low, high, color=plotting.ORANGE, alpha=0.25)
    ax.set(title=f"{name}\n{low:.3f} to {high:.3f}", yticks=[])
    ax.grid(False)
fig.suptitle("43 eights leave a wide margin", fontweight="bold")
plt.show()


# %% [markdown]
# $F_1$, with two decimals in most reports, is anywhere in an interval 0.2 wide (orange: 95 %): it rests on 43 positives, not on 500 images.
#
# **A warning.** For accuracy the bootstrap gives *Wald's* interval, the one that 8.10 has just rejected. That is no accident: a resampled test set has a binomial number of hits with $p = \hat p$, so its quantiles are $\hat p \pm z\sqrt{\hat p(1 - \hat p)/n}$ again, up to whole hits. At 500 of 500 every resample is perfect, and the interval has length 0. The bootstrap is a general method, not a safe one; where a proportion will do, take Wilson.
#
# **Does it cover?** Only a simulation with a known truth can say. For $F_1$: the four counts of a test set are drawn from the *multinomial* distribution: each of $n$ examples falls into TP, FP, FN or TN with our detector's four shares as probabilities. The true $F_1$ is that of these shares; resampling examples is drawing again, with the shares just *observed*. For AUC: normal scores, positives shifted by $\delta$; then
# $s_+ - s_-$ is normal with mean $\delta$ and variance 2, so the true AUC is $\Phi(\delta/\sqrt2)$, with $\Phi$ the standard normal distribution function. (The accuracy needs no simulation: `coverage` is exact.)

# %%
def covered_f1(n, trials, draws, rng):
    """Share of percentile intervals that contain the true F1; 8.6 % positives."""
    f1 = lambda c: 2 * c[..., 0] / np.maximum(2 * c[..., 0] + c[..., 1] + c[..., 2], 1)
    shares = np.array(four_counts(eight_test, score > 0.5)) / 500
    true = f1(shares * 1e9)
    tests = rng.multinomial(n, shares, trials)              # (trials, 4)
    again = rng.multinomial(n, tests / n, (draws, trials))  # (draws, trials, 4)
    low, high = np.quantile(f1(again), [0.025, 0.975], axis=0)
    return np.mean((low <= true) & (true <= high))


def covered_auc(n, trials, draws, rng, delta=2.0, share=0.086):
    """The same for AUC, a fixed share positive; weights: how often each was drawn."""
    true, inside = NormalDist().cdf(delta / 2**0.5), 0
    k, offset = round(share * n), n * np.arange(draws)[:, None]  # k positives
    for _ in range(trials):
        s = np.r_[rng.normal(delta, 1, k), rng.normal(0, 1, n - k)]
        rows = rng.integers(0, n, (draws, n)) + offset
        weights = np.bincount(rows.ravel(), minlength=draws * n).reshape(draws, n)
        weights = weights[weights[:, :k].any(axis=1)]  # AUC needs a positive
        pos, neg = np.split(weights.astype("float32"), [k], axis=1)
        ranked = pos @ (s[:k, None] > s[k:]).astype("float32")  # (draws, n - k)
        auc = (ranked * neg).sum(axis=1) / (pos.sum(axis=1) * neg.sum(axis=1))
        low, high = np.quantile(auc, [0.025, 0.975])
        inside += low <= true <= high
    return inside / trials


# %%
trials = by_profile(quick=60, standard=2000, full=4000)
draws = by_profile(quick=100, standard=400, full=1000)
ns, simulation = [50, 100, 200, 500, 1000], np.random.default_rng(11)
covered = {"accuracy, Wilson": [coverage(wilson, n, 0.964) for n in ns],
           "accuracy, Wald": [coverage(wald, n, 0.964) for n in ns],
           "accuracy, bootstrap": [coverage(bootstrap_accuracy, n, 0.964) for n in ns],
           "$F_1$, bootstrap": [covered_f1(n, trials, draws, simulation) for n in ns],
           "AUC, bootstrap": [covered_auc(n, trials, draws, simulation) for n in ns]}
control = covered_auc(50, trials, draws, simulation, share=0.5)


def standard_error(share, trials=trials):
    """Of a share of so many simulated tests. share: any shape."""
    return np.sqrt(np.asarray(share) * (1 - np.asarray(share)) / trials)


for name, values in covered.items():
    exact = name.startswith("accuracy")
    print(f"{name:19}", *(f"{v:.3f}" for v in values),
          "exact" if exact else f"± {standard_error(values).max():.3f}")
print(f"AUC, bootstrap, 50 examples, half of them positive: {control:.3f} "
      f"± {standard_error(control):.3f} (standard error)")
claim("coverage of the bootstrap interval for F1 at 1,000 examples",
      covered["$F_1$, bootstrap"][-1], at_least=0.92, applies=profile() != "quick")
claim("coverage of the bootstrap interval for AUC at 1,000 examples",
      covered["AUC, bootstrap"][-1], at_least=0.92, applies=profile() != "quick")
claim("coverage at 50 examples: Wilson's minus the bootstrap's, accuracy",
      covered["accuracy, Wilson"][0] - covered["accuracy, bootstrap"][0], at_least=0.1)

# %% tags=["figure"]
#@title Figure: At 8.6 % positives the bootstrap needs many examples
fig, ax = plt.subplots(figsize=(6.6, 3.6))
for (name, values), style in zip(covered.items(), ("o-", "o:", "x--", "s-", "^-")):
    bars = None if name.startswith("accuracy") else 2 * standard_error(values)
    ax.errorbar(ns, values, bars, fmt=style, capsize=2, label=name)
ax.axhline(0.95, color="black", ls="--", lw=1)
ax.set(title="At 8.6 % positives the bootstrap needs many examples", xscale="log",
       xticks=ns, xticklabels=ns, xlabel="test examples", ylim=(0.7, 1.01),
       ylabel="coverage (± 2 standard errors)")
ax.minorticks_off()
ax.legend(fontsize=8, loc="lower right")
plt.show()

# %% [markdown]
# Fifty examples contain four positives, and the bootstrap interval for AUC misses the truth in about one test of five. Is it the fifty, or the four? With 25 positives among the fifty it misses in about one of eleven: four positives are far too few, and fifty examples are still somewhat too few. Resampling can't show what the sample doesn't contain: if none of four positives is a hard one, no resample has a hard one. At 1,000 examples, 86 positives, the bootstrap intervals for $F_1$ and AUC come close to 95 %.

# %% [markdown]
# ## 8.12 Is B better than A? Same test set, paired answers
#
# Two classifiers read the ten digits: logistic regression, and *nearest neighbor*, which answers with the label of the most similar training image. Each gets its Wilson interval.

# %%
from sklearn.neighbors import KNeighborsClassifier

linear = LogisticRegression(max_iter=1000).fit(X, digits.y_train)
neighbor = KNeighborsClassifier(1).fit(X, digits.y_train)
right_a, right_b = (m.predict(X_test) == digits.y_test for m in (linear, neighbor))
for name, right in (("A, logistic", right_a), ("B, neighbor", right_b)):
    low, high = wilson(right.sum(), 500)
    print(f"{name}: {right.sum()} of 500 right, {low:.3f} to {high:.3f}")
only_a, only_b = np.sum(right_a & ~right_b), np.sum(right_b & ~right_a)
print(f"right: both {np.sum(right_a & right_b)}, only A {only_a}, only B {only_b}, "
      f"neither {np.sum(~right_a & ~right_b)}")


# %% [markdown]
# The intervals overlap. "No significant difference", you might write, and it would be wrong: the two took the *same* test, and most digits are easy for both or hard for both. All the evidence is in the nine images where they differ.
#
# Per image, the difference $D = [\text{B right}] - [\text{A right}]$ is $+1$ for $c$ images (only B right), $-1$ for $b$ images (only A right), else 0. Its mean is the difference in accuracy, and its variance follows from $D^2 = |D|$:
#
# $$\hat d = \frac{c - b}{n}, \qquad \operatorname{Var}(D) = \frac{b + c}{n} - \hat d^2, \qquad
# \hat d \pm z \sqrt{\operatorname{Var}(D)/n} .$$
#
# Treat the two as independent instead, and the variance is the sum $p_A(1 - p_A) + p_B(1 - p_B)$; it lacks the covariance, $\operatorname{Var}(D) = \operatorname{Var}_A + \operatorname{Var}_B - 2 \operatorname{Cov}$.

# %% tags=["keep"] lesson="evaluation"
def paired_interval(b: int | np.ndarray, c: int | np.ndarray,
                    n: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval for the accuracy of B minus A on the same n examples.

    b, c: how many only A, only B gets right, any shape -> low and high, of that shape
    """
    d = (c - b) / n
    half = Z * np.sqrt(((b + c) / n - d**2) / n)
    return d - half, d + half


# %%
def unpaired_interval(right_a, right_b, n):
    """The same, wrongly taking the answers as independent. right_a, right_b: counts."""
    p_a, p_b = right_a / n, right_b / n
    half = Z * np.sqrt((p_a * (1 - p_a) + p_b * (1 - p_b)) / n)
    return p_b - p_a - half, p_b - p_a + half


D = right_b.astype(float) - right_a
by_formula = (only_a + only_b) / 500 - D.mean() ** 2
covariance = np.cov(right_a, right_b, ddof=0)
pieces = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
claim("variance of D: formula, NumPy, three pieces; largest difference",
      np.ptp([by_formula, D.var(), pieces]), at_most=1e-12)
draws = by_profile(quick=500, standard=5000, full=20_000)
again = rng.choice(D, (draws, 500)).mean(axis=1)
print("B - A, unpaired         [{:+.4f}, {:+.4f}]".format(
    *unpaired_interval(right_a.sum(), right_b.sum(), 500)))
print("B - A, paired           [{:+.4f}, {:+.4f}]".format(
    *paired_interval(only_a, only_b, 500)))
print("B - A, paired bootstrap [{:+.4f}, {:+.4f}]".format(
    *np.quantile(again, [0.025, 0.975])))

# %% [markdown]
# Unpaired, 0 is inside; paired, it is not. The bootstrap draws *images*, each with both answers, so it is paired by itself.
#
# The paired interval is of Wald's kind: it puts the *observed* variance under the root, and nine images are few. **McNemar's test** (1947, then with a normal approximation) can be made exact. If both are equally good, each image that separates them is a fair coin: given $b + c$ such images, $b$ is binomial with $p = \frac12$. The p-value (p 值) is the probability of a split at least as uneven.

# %%
heads = np.arange(only_a + only_b + 1)
chance = binomial(only_a + only_b, 0.5)
uneven = chance <= chance[only_a] * (1 + 1e-9)
p_value = binomtest(int(only_a), int(only_a + only_b), 0.5).pvalue
claim("McNemar's p-value against SciPy's binomial test, difference",
      abs(chance[uneven].sum() - p_value), at_most=1e-12)
print("0 : 5 of 500: paired interval [{:+.4f}, {:+.4f}], McNemar's p = {:.3f}".format(
    *paired_interval(0, 5, 500), binomtest(0, 5, 0.5).pvalue))

# %% tags=["figure"]
#@title Figure: Splits at least as uneven as the one observed (red) are rare
fig, ax = plt.subplots(figsize=(5.6, 3))
ax.bar(heads, chance, color=np.where(uneven, plotting.RED, plotting.SKY))
ax.text(len(heads) - 1, chance.max(), f"red: {chance[uneven].sum():.3f}", ha="right",
        va="top")
ax.set(title="Splits at least as uneven as the one observed (red) are rare",
       xlabel=f"images that only A gets right, of {only_a + only_b}",
       ylabel="probability", xticks=heads)
plt.show()


# %% [markdown]
# Nine tosses of a fair coin split that unevenly about once in 26 times. At 0 : 5 interval and test disagree: the interval says "differ", the exact test doesn't. With few differing images trust the test. Now the promise of each method, by simulation: draw the four outcomes per image (both right, only A, only B, neither) at known probabilities, 1.8 % of the images with only one model right, as here; first with equal models, then with B better by 1.4 points.

# %%
def trial_outcomes(n, gap, trials, rng):
    """Only A right, only B right, A right, B right; each (trials,)."""
    only_a, only_b = 0.009 - gap / 2, 0.009 + gap / 2
    shares = [0.972, only_a, only_b, 1 - 0.972 - only_a - only_b]
    both, b, c, _ = rng.multinomial(n, shares, trials).T
    return b, c, both + b, both + c


def mcnemar_values(most):
    """Table of exact two-sided p-values for all b + c <= most. -> (most, most)"""
    table = np.ones((most + 1, most + 1))
    for m in range(1, most + 1):
        tail = np.minimum(1, 2 * np.cumsum(binomial(m, 0.5)))
        b = np.arange(m + 1)
        table[b, m - b] = tail[np.minimum(b, m - b)]
    return table


# %%
test_sizes = [100, 200, 500, 1000, 2000, 5000]
studies = by_profile(quick=300, standard=4000, full=20_000)
p_values = mcnemar_values(200)
methods = ("unpaired interval", "paired interval", "McNemar, exact")
said = {gap: [] for gap in (0, 0.014)}  # difference -> shares that say "differ"
for gap, row in said.items():
    for n in test_sizes:
        b, c, a_right, b_right = trial_outcomes(n, gap, studies, rng)
        ends = unpaired_interval(a_right, b_right, n), paired_interval(b, c, n)
        differ = [np.mean(low * high > 0) for low, high in ends]  # 0 lies outside
        row.append([*differ, np.mean(p_values[b, c] < 0.05)])

for gap, row in said.items():
    for n, shares in list(zip(test_sizes, row))[2:4]:
        print(f"n = {n:4}, difference {gap:.1%}:",
              ", ".join(f"{name} {share:.1%}" for name, share in zip(methods, shares)))
print(f"standard error of these shares: {0.5 / studies**0.5:.1%} at most")
claim("false alarms of the paired interval, 1,000 examples and more",
      max(paired for _, paired, _ in said[0][3:]), at_most=0.065,
      applies=profile() != "quick")
claim("false alarms of McNemar's exact test, any size",
      max(exact for _, _, exact in said[0]), at_most=0.055,
      applies=profile() != "quick")

# %% tags=["figure"]
#@title Figure: For this difference, ignoring the pairs costs half of the data
fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.3))
for ax, (gap, row) in zip(axes, said.items()):
    for name, values, color in zip(methods, np.transpose(row), plotting.PALETTE):
        ax.plot(test_sizes, values, "o-", ms=4, color=color, label=name)
    ax.set(xscale="log", xticks=test_sizes, xticklabels=test_sizes,
           xlabel="test examples")
    ax.minorticks_off()
axes[0].axhline(0.05, color="black", ls="--", lw=1)
axes[0].set(title="Equal models: false alarms", ylim=(0, 0.2),
            ylabel="share of tests that say “differ”")
axes[1].set(title="B better by 1.4 points: found", ylim=(0, 1.02))
axes[1].legend(fontsize=9)
fig.suptitle("For this difference, ignoring the pairs costs half of the data",
             fontweight="bold")
plt.show()

# %% [markdown]
# Left: with equal models the paired interval says "differ" in about 5 % of the tests from 500 images on, as it should: it covers the true difference, 0, in the other 95 %. McNemar's exact test stays below, because whole counts allow only a few p-values. The unpaired interval hardly ever raises a false alarm, and pays for it on the right: to find the better model as often as the paired interval does with 500 images, it needs 1,000.

# %% [markdown]
# ### Exercise 8.12 · McNemar's exact test (10 min)
# Write the two-sided p-value: twice the probability that $\min(b, c)$ or fewer of $b + c$ fair coins show heads, at most 1; with $b + c = 0$ there is nothing to tell, so 1. `math.comb(m, k)` counts the ways.

# %% tags=["exercise"]
def mcnemar(b, c):
    """Exact two-sided p-value. b, c: examples that only A, only B gets right (int)."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("8.12", "McNemar's exact test"):
    got_t = mcnemar(0, 0)
    assert got_t == 1, f"no image separates them: {got_t} instead of 1"
    counts_t = [(1, 8), (8, 1), (0, 5), (1, 0), (3, 3), (2, 3), (10, 25), (40, 61)]
    for b_t, c_t in [*counts_t, (np.int64(30), np.int64(90))]:  # as np.sum counts them
        right_t = binomtest(int(b_t), int(b_t + c_t), 0.5).pvalue
        np.testing.assert_allclose(mcnemar(b_t, c_t), right_t, rtol=1e-5,
                                   err_msg=f"b = {b_t}, c = {c_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $P(X \le k) = \sum_{i=0}^{k} \binom{m}{i} / 2^m$ with $m = b + c$, $k = \min(b, c)$. With $b = c$ twice this exceeds 1.
# </details>

# %% tags=["solution", "keep"] lesson="evaluation"
#@title Solution 8.12 · runs only while yours does not pass
if not solved("8.12"):
    def mcnemar(b: int, c: int) -> float:
        """Exact two-sided p-value. b, c: examples that only A, only B gets right."""
        b, c = int(b), int(c)  # counted with NumPy, 2**m would overflow
        m, k = b + c, min(b, c)
        tail = sum(math.comb(m, i) for i in range(k + 1)) / 2**m
        return min(1.0, 2 * tail)


# %% [markdown]
# ## 8.13 When the answer is a number: MSE, MAE, R²
#
# For regression Document 2 (4.1.1) has the mean squared error, with an example that is right: predictions (2.5, 3.0, 2.7) for (3.0, 2.8, 2.6). Its companions:
#
# $$\text{MSE} = \frac1n\sum_i (\hat y_i - y_i)^2, \quad \text{RMSE} = \sqrt{\text{MSE}}, \quad
# \text{MAE} = \frac1n\sum_i |\hat y_i - y_i|, \quad
# R^2 = 1 - \frac{\sum_i (\hat y_i - y_i)^2}{\sum_i (y_i - \bar y)^2} .$$
#
# RMSE and MAE have the unit of $y$. $R^2$ has its baseline built in: it is 0 for always answering the test set's mean $\bar y$, 1 for perfection, and negative for worse than the mean.

# %%
def regression_metrics(y, predicted):
    """MSE, MAE, R². y, predicted: (n,) -> (3,)"""
    error, spread = predicted - y, y - y.mean()
    return np.array([np.mean(error**2), np.mean(np.abs(error)),
                     1 - np.sum(error**2) / np.sum(spread**2)])


from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

patients, progress = load_diabetes(return_X_y=True)
fitted = LinearRegression().fit(patients[:300], progress[:300])
tests = [(np.array([3.0, 2.8, 2.6]), np.array([2.5, 3.0, 2.7])),
         (progress[300:], fitted.predict(patients[300:]))]
worst = 0
for name, pair in zip(("Document 2's three", "142 diabetes patients"), tests):
    ours = regression_metrics(*pair)
    theirs = [f(*pair) for f in (sk.mean_squared_error, sk.mean_absolute_error,
                                 sk.r2_score)]
    worst = max(worst, np.abs(ours / theirs - 1).max())
    print(f"{name:22} MSE {ours[0]:9.4f}, RMSE {ours[0] ** 0.5:.4f}, "
          f"MAE {ours[1]:.4f}, R² {ours[2]:.3f}")
claim("three metrics against scikit-learn, largest relative difference", worst,
      at_most=1e-12)

# %% [markdown]
# Document 2's three predictions have an MSE of 0.1, as printed. It sounds small; $R^2$ says they are far worse than answering 2.8 each time. Without a baseline no error is small or large.
#
# **Which errors matter** is a choice, too: notebook [[loss_functions]] showed that squared error asks for the mean, absolute error for the median, and what one outlier does to each. If large errors are what hurts, report RMSE; if they are bad data, MAE.
#
# **And where there is no single right answer?** Document 2 (section 9) answers the question "how is a large model evaluated?" with the four metrics of 8.2. They serve classification. A language model is scored by *perplexity* (困惑度), the exponential of its mean cross-entropy per token (notebooks [[loss_functions]] and [[project_gpt]]), by task benchmarks with intervals as in 8.10,
# by people or models who compare two answers (paired, as in 8.12), and by safety tests, always on data that it has not seen.

# %% [markdown]
# ## 8.14 The same from Keras, and where it only approximates
#
# During training Keras can't sort all scores: it sees one batch after another. It keeps counts. For Precision and Recall that is exact:

# %%
tf = devices.setup(seed=0)
import keras


def from_keras(metric, y, s, batch=128):
    """The metric's value after seeing the data in batches."""
    for start in range(0, len(y), batch):
        rows = slice(start, start + batch)
        metric.update_state(y[rows].astype("float32"), s[rows].astype("float32"))
    return float(metric.result())


ours = basic_metrics(eight_test, score > 0.5)[1:3]
theirs = [from_keras(m(), eight_test, score)
          for m in (keras.metrics.Precision, keras.metrics.Recall)]
claim("precision and recall against Keras, largest difference",
      np.abs(ours - theirs).max(), at_most=1e-6)
batches = [slice(i, i + 64) for i in range(0, 500, 64)]
per_batch = [basic_metrics(eight_test[b], score[b] > 0.5)[1:3] for b in batches]
print("on all 500:", ours.round(3),
      " mean over batches:", np.mean(per_batch, axis=0).round(3))


# %% [markdown]
# (“Mean over batches” is what you get by averaging per-batch precision and recall, a common mistake in hand-written loops: ratios don't average. Add counts, divide once.)
#
# AUC needs every threshold. Keras' `AUC` keeps counts at **200 fixed thresholds**, 0, 1/199, …, 1 (the two ends moved out by $10^{-7}$), and joins the points by trapezoids. Scores that fall between two thresholds can't be told apart: to Keras they are *ties*. So its result should be exactly our AUC of the scores rounded up to the next of 199 cells:

# %%
def on_grid(f, thresholds=200):
    """Scores in [0, 1] as Keras' AUC sees them: the number of their cell."""
    cells = thresholds - 1
    return np.maximum(np.ceil(f.astype("float32") * np.float32(cells)), 1)


streams = {"digit 8": (eight_test, score),
           **{name: (malignant, f) for name, f in probability.items()}}
worst = 0
for name, (y, f) in streams.items():
    exact, seen = sk.roc_auc_score(y, f), from_keras(keras.metrics.AUC(), y, f)
    cell = on_grid(f)
    gridded, ends = area(*roc(y, cell)), np.mean((cell == 1) | (cell == 199))
    worst = max(worst, abs(seen - gridded))
    print(f"{name:25} exact {exact:.5f}, Keras {seen:.5f}, ours on the grid "
          f"{gridded:.5f}; in the two end cells {ends:.0%}")
claim("Keras' AUC against ours on its grid, largest difference", worst, at_most=1e-5)
f = probability["naive Bayes, 30 measures"]
print(f"naive Bayes: {np.sum(f == 1)} probabilities are exactly 1; AUC of its log-odds "
      f"{sk.roc_auc_score(malignant, scores['naive Bayes, 30 measures']):.5f}")

# %% [markdown]
# What gets lost is the order of pairs that share a cell. (Some was lost before Keras: in 64 bits many of naive Bayes' probabilities are exactly 1, tied; from the log-odds its AUC is 0.98742.) Naive Bayes has 94 % of its probabilities in the two end cells, malignant and benign together, and loses 0.028. The more scores crowd at 0 and 1, the more is lost. The exact value needs one sort. Use Keras' AUC to watch a training; use a sort for the report.

# %% [markdown]
# ## 8.15 Where it breaks
#
# - **The test set is a sample of something.** Intervals here assume independent draws from the world the model will meet. Ten images of one patient are not ten examples: resample patients, not images. And next year's world is another (notebook [[finance_risk]]).
# - **Training depends on chance, too.** An interval over test examples doesn't contain the seed. Report both (mean ± s.d. over seeds, as in notebook [[optimizers]]).
# - **Twenty comparisons on one test set** of models that are all equally good find one "significant" winner on average, at 5 % each. Choose on validation data; test once.
# - **A metric that becomes a target** is gamed: recall by flagging everything, ECE by forecasting the base rate.
# - **An average hides groups.** Compute every metric per group that matters, with its interval; small groups have wide ones (notebook [[interpretability_and_fairness]]).
#
# **What a product team should ask.** What does each kind of error cost, and who pays? What is the prevalence where it will run? Who chose the threshold, on which data? Is the score a probability? How many *positives* were in the test set? What does the baseline score, and is the difference paired?

# %% [markdown]
# ## Summary
#
# 1. Everything is four counts; precision looks along the alarms, recall along the positives, accuracy at whatever is common.
# 2. TPR and FPR belong to the model, its threshold and the kind of cases in each class; accuracy, precision, $F_1$ and MCC also to the prevalence.
# 3. AUC is the share of (positive, negative) pairs ranked right, a tie counting half; it knows nothing of costs, prevalence or calibration.
# 4. Calibrated probabilities turn costs into a threshold, $c_{FP}/(c_{FP} + c_{FN})$; the Brier score splits into reliability, resolution and uncertainty.
# 5. No number without an interval: Wilson for proportions (recall's $n$ is the positives), bootstrap for the rest (for a proportion it is only Wald's), paired for comparisons; the rarer class decides how wide it is.
#
# | key formula | |
# |---|---|
# | $F_\beta$ | $(1 + \beta^2)\,TP / \left((1+\beta^2)\,TP + FP + \beta^2 FN\right)$ |
# | precision at prevalence $\pi$ | $\pi\,\text{TPR} / \left(\pi\,\text{TPR} + (1 - \pi)\,\text{FPR}\right)$ |
# | MCC | $(TP \cdot TN - FP \cdot FN)/\sqrt{(TP+FP)(TP+FN)(TN+FP)(TN+FN)}$ |
# | AUC | $P(s_+ > s_-) + \frac12 P(s_+ = s_-)$ |
# | Brier score | $\sum \frac{n_k}{n}(f_k - o_k)^2 - \sum\frac{n_k}{n}(o_k - \bar o)^2 + \bar o(1 - \bar o)$ |
# | Wilson | $\left(\hat p + \frac{z^2}{2n} \pm z\sqrt{\hat p(1-\hat p)/n + z^2/4n^2}\right) / (1 + z^2/n)$ |
# | paired difference | $\frac{c - b}{n} \pm z\sqrt{\left(\frac{b + c}{n} - \frac{(c-b)^2}{n^2}\right)/n}$ |
#
# **Further reading**
#
# - E. B. Wilson (1927). Probable inference, the law of succession, and statistical inference. *Journal of the American Statistical Association* 22, 209–212.
# - Q. McNemar (1947). Note on the sampling error of the difference between correlated proportions or percentages. *Psychometrika* 12, 153–157.
# - A. H. Murphy (1973). A new vector partition of the probability score. *Journal of Applied Meteorology* 12, 595–600.
# - E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson (1988). Comparing the areas under two or more correlated receiver operating characteristic curves. *Biometrics* 44, 837–845.
# - B. Efron, R. J. Tibshirani (1993). *An Introduction to the Bootstrap*. Chapman & Hall.
# - L. D. Brown, T. T. Cai, A. DasGupta (2001). Interval estimation for a binomial proportion. *Statistical Science* 16, 101–133.
# - T. Fawcett (2006). An introduction to ROC analysis. *Pattern Recognition Letters* 27, 861–874.
# - J. Davis, M. Goadrich (2006). The relationship between precision-recall and ROC curves. ICML, 233–240.
# - J. Bröcker, L. A. Smith (2007). Increasing the reliability of reliability diagrams. *Weather and Forecasting* 22, 651–661. The twins of 8.8.
# - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger (2017). On calibration of modern neural networks. ICML, arXiv:1706.04599. Temperature scaling, ECE.
# - J. Opitz, S. Burst (2019). Macro F1 and macro F1. arXiv:1911.03347. The two meanings.
