# ---
# jupyter:
#   course:
#     datasets: [wine, breast_cancer, digits, sample_images]
#     covers: "Cleaning, missing values, outliers, scaling, splits and leakage, augmentation."
#     prerequisites: [life_of_a_model]
#     ledger: [D1-3.2-b, D1-5.2-d, D2-2-e, D2-3.3.2-a, D2-3.3.2-b, D2-3.3.2-c, D2-3.3.6-a,
#       D2-6.2-c, D2-6.5-d, D3-3.2-a, D3-3.2-f, D3-A.2-d, D4-3.2-a, D4-3.2-d, D4-7.2-d]
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
# # Preparing data
#
# Can you reach 95 % accuracy on coin flips? You will, in section 3.7, with one line in the wrong place. Between a raw table and an honest score lie a dozen such lines:
# here you write each of them, measure what it does, and learn to catch the ones that lie.
#
# **The digit reader so far** was fed a clean pile, cut once by chance (notebook [[life_of_a_model]]). What if the pile has holes and slips, or the cut lets the answers in? First on tables, where each defect can be seen by itself, then on the digits again (3.6, 3.10, 3.11), this notebook adds everything between the raw pile and the first row of $X$.
#
# **You will be able to**
# - find defects in a table by looking, and repair them by rules that leave a record;
# - say why a value is missing, choose a filling, and compare choices by cross-validation with its spread;
# - detect outliers that hide from the mean, and derive why they can;
# - scale, split and encode without letting the test set in, and catch a leak that somebody else built;
# - augment images by hand, and measure where an augmentation starts to lie about the label.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from course_utils import by_profile, check, claim, data, devices, plotting, solved

plotting.use_style()

# %% [markdown]
# ## 3.1 Look first: a table with something wrong
#
# scikit-learn ships a real table: 178 Italian wines, chemically analyzed (Forina and others, 1986), of three kinds, Barolo, Grignolino and Barbera (the table calls them cultivars; Barolo's grape is Nebbiolo). It states no units; those below fit the sizes. We keep five measurements and the name, and plant the kinds of damage that tables pick up in
# spreadsheets and exports. The code that plants it is folded: first find the defects in the figure.

# %% tags=["plumbing"]
#@title Plumbing: read the table, plant defects, draw a table
from importlib.util import find_spec
from pathlib import Path

COLUMNS = ["alcohol", "malic_acid", "color_intensity", "hue", "proline"]
UNITS = ["% vol", "g/L", "", "", "mg/L"]
KNOWN = ["Barolo", "Grignolino", "Barbera"]
# reading the file spares the seconds that importing scikit-learn takes
folder = Path(find_spec("sklearn").origin).parent / "datasets" / "data"
numbers = np.loadtxt(folder / "wine_data.csv", delimiter=",", skiprows=1)
original = numbers[:, [0, 1, 9, 10, 12]]
cultivars = np.array(KNOWN)[numbers[:, 13].astype(int)]


def plant_defects(table, names, rng):
    """A damaged copy of table (n, 5) and names (n,), some rows repeated at the end."""
    table, names = table.copy(), names.astype("U12")
    rows = iter(rng.permutation(len(table)))
    take = lambda count: [next(rows) for _ in range(count)]
    table[take(9), 0] /= 100
    table[take(7), 4] /= 1000
    table[take(4), 1] *= -1
    table[take(6), 2] = 999
    table[take(10), 3] = np.nan
    for row in take(12):
        spell = [str.lower, str.upper, lambda name: name + " ",
                 lambda name: name[:3] + name[4:]][row % 4]
        names[row] = spell(str(names[row]))
    again = take(6)
    names_again = [name.upper() for name in names[again]]
    return np.vstack([table, table[again]]), np.concatenate([names, names_again])


received, received_names = plant_defects(original, cultivars, np.random.default_rng(3))

# %% tags=["plumbing"]
#@title Plumbing: draw a table
def draw_table(table, names, title):
    """One strip per column, one bar per spelling. table: (n, 5), names: (n,) str."""
    fig, axes = plt.subplots(2, 3, figsize=(9, 4.4))
    jitter = np.random.default_rng(0).random(len(table))
    for ax, name, unit, column in zip(axes.flat, COLUMNS, UNITS, table.T):
        ax.plot(column, jitter, ".", ms=4, alpha=0.6)
        missing = np.isnan(column).sum()
        ax.set(title=f"{name}: {missing} missing", xlabel=unit, yticks=[])
    spellings, counts = np.unique(names, return_counts=True)
    axes[1, 2].barh([repr(str(name)) for name in spellings], counts)
    axes[1, 2].set(title=f"cultivar: {len(spellings)} spellings", xlabel="rows")
    axes[1, 2].tick_params(axis="y", labelsize=7)
    fig.suptitle(f"{title}: {len(table)} rows", fontweight="bold")
    plt.show()



# %% tags=["figure"]
#@title Figure: As received: 184 rows
draw_table(received, received_names, "As received")

# %% [markdown]
# Each strip holds one dot per wine (its height is random, so that dots don't cover each other). Five things stand out:
#
# - **alcohol**: a group far left of the rest. A wine of 0.13 % does not exist, but 0.13 is 13 % written as a fraction.
# - **malic_acid**: some values are below 0. No concentration is negative.
# - **color_intensity**: a group at 999, the old way to write "not measured"; it flattens everything else to a line.
# - **proline**: a group near 0: grams where the others are milligrams.
# - **cultivar**: too many spellings, for three kinds.
#
# One defect doesn't show: repeated rows, so far protected by their spelling. The order of repairs matters: first names, then repeats.
#
# A repair needs a *reason*. For the units there is one: move the group by the factor and it must land on the others. The negative acids may be sign slips or something else; we can't know, so they become *missing*, as does 999. Nothing is typed over by
# hand: rules can be read, questioned and run again on next month's file. And each writes down what it did.

# %%
mended, log = received.copy(), {}

for column, factor in ((0, 100), (4, 1000)):
    typical = np.nanmedian(mended[:, column])
    wrong_unit = mended[:, column] < typical / 10
    mended[wrong_unit, column] *= factor
    log[f"{COLUMNS[column]}: times {factor}"] = wrong_unit.sum()
for column, impossible in ((1, mended[:, 1] < 0), (2, mended[:, 2] == 999)):
    mended[impossible, column] = np.nan
    log[f"{COLUMNS[column]}: set missing"] = impossible.sum()

# %% [markdown]
# Misspelled names go to the most similar right one, if it is similar enough.

# %%
from difflib import get_close_matches

tidy = np.char.capitalize(np.char.strip(received_names))
# below 0.8 no match comes back and [0] fails: a question for a person, not for a rule
respelled = np.array([get_close_matches(name, KNOWN, n=1, cutoff=0.8)[0]
                      for name in tidy])
log["cultivar: respelled"] = np.sum(respelled != received_names)

keys = [(*map(str, row), name) for row, name in zip(mended, respelled)]
first = np.array([keys.index(key) == i for i, key in enumerate(keys)])
log["rows: repeated, dropped"] = np.sum(~first)
wines, wine_names = mended[first], respelled[first]
known = ~np.isnan(wines)  # (178, 5)

for rule, count in log.items():
    print(f"{rule:30} {count:3}")
draw_table(wines, wine_names, "After the repairs")

# %% [markdown]
# Now each strip is one cloud, there are three names, and 178 rows. Because we planted the damage we can do what is impossible in real life, and compare with the truth:

# %% tags=["evidence"]
#@title Evidence: the repaired table against the original
claim("repaired table against the original, largest relative difference",
      np.max(np.abs(wines / original - 1)[known]), at_most=1e-12)
claim("names that differ from the original", np.sum(wine_names != cultivars), at_most=0)
print(f"left missing: {np.sum(~known)} of {wines.size} values,",
      f"in {np.sum(~known.all(axis=1))} of {len(wines)} rows")


# %% [markdown]
# Document 2 (3.3.2; notebook [[start_here]] lists the five documents) defines cleaning as "removing noise and missing values". Removing *rows* with a hole would cost us the 20 wines just counted; sections 3.2 and 3.3 show what else it would cost. And noise can't be removed by a rule that doesn't know the truth: what we
# corrected are *errors*, each with a reason.

# %% [markdown]
# ### Exercise 3.1 · repeats that are not quite equal (10 min)
# The same bottle measured twice gives nearly the same row. Mark every row for which some *earlier* row differs by at most `tolerance` in every column; a column where either value is missing (NaN) doesn't speak against it.

# %% tags=["exercise"]
def repeats(rows, tolerance):
    """Which rows repeat an earlier one?

    rows: (n, d) float, NaN where missing; tolerance: largest allowed difference
    -> (n,) bool
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("3.1", "near repeats"):
    hole_t = np.nan
    rows_t = np.array([[1, 5, 2], [1, 5.5, 2], [1, 5, hole_t], [4, 4, 4], [2, 5, 2],
                       [4, hole_t, 4.5], [9, 4, 4], [1.5, 5.5, 2.5], [9, 5, 4],
                       [2, 6, 3]])  # near a row that is itself a repeat
    for given_t, tolerance_t, expected_t in (
            (rows_t, 0.5, [0, 1, 1, 0, 0, 1, 0, 1, 0, 1]),
            (rows_t, 0.25, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
            (rows_t, 1, [0, 1, 1, 0, 1, 1, 0, 1, 1, 1]),
            (rows_t, 0, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
            (rows_t[:1], 0.5, [0]),  # one row
            # rows without any value speak against nothing
            (np.array([[hole_t] * 2, [1, 2], [5, 5], [hole_t] * 2]), 0, [0, 1, 1, 1])):
        np.testing.assert_array_equal(
            np.asarray(repeats(given_t.copy(), tolerance_t)).astype(int), expected_t,
            f"{len(given_t)} rows, tolerance {tolerance_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# For row $i$: `gap = np.abs(rows[:i] - rows[i])`, shape $(i, d)$. A comparison with NaN is False, so ask for `np.isnan(gap)` separately. *All* columns must agree, with *any* earlier row.
# </details>

# %% tags=["solution"]
#@title Solution 3.1 · runs only while yours does not pass
if not solved("3.1"):
    def repeats(rows, tolerance):
        answer = []
        for i, row in enumerate(rows):
            gap = np.abs(rows[:i] - row)
            agree = np.all((gap <= tolerance) | np.isnan(gap), axis=1)
            answer.append(agree.any())
        return np.array(answer)

# %% [markdown]
# ## 3.2 Why is it missing?
#
# What a hole does depends on *why* it is there. Rubin's three cases, with the radius of a tumor's cell nuclei as the value that may be missing:
#
# - **MCAR**, missing completely at random (完全随机缺失): a die decides. A sheet got wet.
# - **MAR**, missing at random (随机缺失): it depends only on values we *do* see. Nuclei with a dented outline (which is recorded) are measured less often.
# - **MNAR**, missing not at random (非随机缺失): it depends on the missing value itself. Large nuclei don't fit the microscope's frame.
#
# No test on the observed numbers alone can tell MAR from MNAR; you must ask whoever collected them. Here we make all three, in scikit-learn's breast-cancer table (569 tumors), and compare the mean radius that is left with the true one.

# %%
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

wine, cancer = load_wine(), load_breast_cancer()
places = [wine.feature_names.index(name) for name in COLUMNS]
assert np.array_equal(original, wine.data[:, places])  # the file read in 3.1
radius, outline = cancer.data[:, 0], cancer.data[:, 7]  # outline: "mean concave points"


def standard(x):
    """Mean 0, standard deviation 1. x: (n,) or (n, d), by column."""
    return (x - x.mean(axis=0)) / x.std(axis=0)


def chance_missing(mechanism, own, seen, share=0.3):
    """Probability of a hole. own, seen: standardized values -> shape of own."""
    driver = {"MCAR": 0 * own, "MAR": seen + 0 * own, "MNAR": own}[mechanism]
    p = 1 / (1 + np.exp(-2 * driver))
    return np.clip(p * share / p.mean(), 0, 0.98)


mask_rng = np.random.default_rng(32)
fig, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True)
for ax, mechanism in zip(axes, ("MCAR", "MAR", "MNAR")):
    p = chance_missing(mechanism, standard(radius), standard(outline))
    left = radius[mask_rng.random(len(radius)) >= p]
    ax.hist(radius, np.arange(6, 30), color=plotting.GRAY, alpha=0.4, label="all")
    ax.hist(left, np.arange(6, 30), histtype="step", lw=2, label="left")
    ax.axvline(radius.mean(), color=plotting.GRAY)
    ax.axvline(left.mean(), color=plotting.BLUE, ls="--")
    ax.set(title=f"{mechanism}: mean of the rest {left.mean():.2f}",
           xlabel="mean radius (length units)")
axes[0].set_ylabel("tumors")
axes[0].legend()
fig.suptitle("The same share is missing; only the reason differs", fontweight="bold")
plt.show()


# %% [markdown]
# MCAR thins the histogram evenly. The other two eat its right side, and the mean of what is left (dashed) slides away from the truth (solid). One mask could be luck: take 300, and try two repairs. *Fill with the mean* can't move the mean.
# *Fill by regression* predicts the radius from the outline, by the straight line through the complete rows.

# %%
def three_means(mechanism, rng):
    """Error of the mean radius: rows dropped, holes filled with the mean, by a line."""
    p = chance_missing(mechanism, standard(radius), standard(outline))
    hole = rng.random(len(radius)) < p
    slope, start = np.polyfit(outline[~hole], radius[~hole], 1)
    with_mean = np.where(hole, radius[~hole].mean(), radius)
    with_line = np.where(hole, start + slope * outline, radius)
    values = radius[~hole].mean(), with_mean.mean(), with_line.mean()
    return np.array(values) - radius.mean()


REPAIRS = ["rows dropped", "filled with the mean", "filled by regression"]
mask_rng = np.random.default_rng(320)
fig, ax = plt.subplots(figsize=(6.6, 3))
for i, mechanism in enumerate(("MCAR", "MAR", "MNAR")):
    errors = np.array([three_means(mechanism, mask_rng) for _ in range(300)])
    spread = errors.std(axis=0, ddof=1)
    for k, color in enumerate((plotting.GRAY, plotting.ORANGE, plotting.BLUE)):
        ax.errorbar(i + 0.15 * (k - 1), errors[:, k].mean(), spread[k],
                    fmt="o", color=color, capsize=4, label=REPAIRS[k] if i == 0 else "")
    print(f"{mechanism:5}", *(f"{name} {mean:+.2f} ± {s:.2f}  " for name, mean, s
                             in zip(REPAIRS, errors.mean(axis=0), spread)))
ax.axhline(0, color="black", lw=0.8)
ax.set(title="A line through what we see mends MAR, not MNAR", xticks=range(3),
       xticklabels=["MCAR", "MAR", "MNAR"], ylabel="error of the mean (± s.d.)")
ax.legend(fontsize=8)
plt.show()

# %% [markdown]
# Under MCAR all three are right on average. Under MAR dropping rows is biased by many times its spread, and regression takes the bias away: what decided about the hole is *in* the regression. Under MNAR a third of it stays, because what decided is not recorded.
#
# ### What filling with the mean destroys
#
# The mean survives; the spread does not. Let $m$ of $n$ values be missing, $q = m/n$. The filled values deviate from the mean by 0, so the sum of squares is that of the observed alone, now divided by $n$ instead of $n - m$:
#
# $$s^2_{\text{filled}} = \frac{1}{n}\sum_{\text{observed}} (x_i - \bar x)^2 = (1 - q)\, s^2_{\text{observed}} .$$
#
# The correlation with another, complete column $z$ is $r = s_{xz}/(s_x s_z)$, with the covariance $s_{xz} = \frac1n\sum (x_i - \bar x)(z_i - \bar z)$. In that sum, too, the filled rows contribute 0, so $s_{xz}$ shrinks by $1-q$; $s_x$ shrinks by $\sqrt{1-q}$, and $s_z$ stays. So $r$ is multiplied by $(1-q)/\sqrt{1-q} = \sqrt{1-q}$ (times $s_z$ among the observed over $s_z$ of all, which is near 1 under MCAR).

# %% tags=["nbval-check-output"]
hole = np.random.default_rng(1).random(len(radius)) < 0.3  # (569,)
q, seen = hole.mean(), ~hole
filled = np.where(hole, radius[seen].mean(), radius)
shrunk = np.sqrt(1 - q) * outline[seen].std() / outline.std()
r_seen, r_filled = (np.corrcoef(a, b)[0, 1] for a, b in (
    (radius[seen], outline[seen]), (filled, outline)))
print(f"share missing q = {q:.3f}")
print(f"variance: observed {radius[seen].var():.3f}, filled {filled.var():.3f}")
print(f"correlation with the outline: observed {r_seen:.3f}, filled {r_filled:.3f}")
difference = max(abs(filled.var() - (1 - q) * radius[seen].var()),
                 abs(r_filled - shrunk * r_seen))
print("both formulas hold to 1e-12:", difference < 1e-12)

# %% [markdown]
# ### Neighbors instead of means
#
# A better guess asks similar rows. *k-nearest neighbors* fills a hole with the mean of that column over the $k$ rows that are closest *and have the column*. Distance between two rows with holes: use the $p$ columns that both have, of $d$, and scale up,
# $\;\text{dist}^2 = \frac{d}{p} \sum_{\text{both}} (x_j - x'_j)^2$.

# %%
from sklearn.impute import KNNImputer


def knn_fill(X_train, X, k=5):
    """X with its holes filled from the k nearest training rows. (n, d) -> (n, d)"""
    result = X.copy()
    for i, j in np.argwhere(np.isnan(X)):
        squares = (X_train - X[i]) ** 2  # NaN where either row has a hole
        distance = np.nanmean(squares, axis=1) * X.shape[1]
        has = ~np.isnan(X_train[:, j])
        nearest = np.argsort(distance[has], kind="stable")[:k]
        result[i, j] = X_train[has, j][nearest].mean()
    return result


center, width = np.nanmean(wines, axis=0), np.nanstd(wines, axis=0)
scaled_wines = (wines - center) / width  # one scale for all columns: see 3.5
claim("k-NN filling against scikit-learn, largest difference",
      np.abs(knn_fill(scaled_wines[:120], scaled_wines)
             - KNNImputer().fit(scaled_wines[:120]).transform(scaled_wines)).max(),
      at_most=1e-12)
for name, result in {
        "neighbors": knn_fill(scaled_wines, scaled_wines) * width + center,
        "the mean": np.where(known, wines, center)}.items():
    malic, shade, hue = (np.abs(result - original)[~known[:, j], j].mean()
                         for j in (1, 2, 3))
    print(f"filled with {name:9}: mean error malic acid {malic:.2f} g/L,"
          f" color {shade:.2f}, hue {hue:.3f}")


# %% [markdown]
# *Iterative* imputation goes one further: it regresses each column on all others, fills, and repeats with the filled table until it settles (multiple imputation, as statisticians use it, adds noise and does it several times so that the spread is honest, too).

# %% [markdown]
# ### Exercise 3.2 · an imputer that remembers (8 min)
# "It was missing" can be information: a test that nobody ordered says what the doctor thought. So fill each column with its *training* median, and append one column of 0 and 1 ("was missing") for each column that has a hole **in the training rows**. The test rows get exactly the same columns. Both tables stay as they were: return a new one.

# %% tags=["exercise"]
def fill_with_flags(X_train, X_test):
    """Medians and missing-value flags, learned from the training rows only.

    X_train: (n, d), X_test: (m, d), NaN where missing
    -> (m, d + f) filled test rows and their flags; f: columns with holes in training
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
from sklearn.impute import SimpleImputer

with check("3.2", "median and flags from the training rows"):
    for seed_t, n_t in enumerate((21, 20, 3, 1, 21)):  # training rows
        rng_t = np.random.default_rng(seed_t)
        train_t = rng_t.gamma(1.0, size=(n_t, 4))
        test_t = rng_t.gamma(1.0, size=(8, 4)) + 1
        if n_t > 3:
            train_t[rng_t.random((n_t, 4)) < [0.3, 0, 0.2, 0]] = np.nan
            train_t[0, 0] = train_t[0, 2] = np.nan
        test_t[rng_t.random((8, 4)) < [0.3, 0.3, 0.2, 0]] = np.nan
        test_t[0, 1] = test_t[0, 2] = np.nan
        imputer_t = SimpleImputer(strategy="median", add_indicator=True).fit(train_t)
        # scikit-learn refuses holes it has not seen in training unless told otherwise
        imputer_t.indicator_.set_params(error_on_new=False)
        expected_t = imputer_t.transform(test_t)
        for rows_t in (test_t, test_t[:1]):  # many rows, one row
            given_t = train_t.copy(), rows_t.copy()
            got_t = fill_with_flags(*given_t)
            for table_t, before_t in zip(given_t, (train_t, rows_t)):
                np.testing.assert_array_equal(table_t, before_t,
                                              "the given tables must stay as they were")
            np.testing.assert_allclose(got_t, expected_t[:len(rows_t)], rtol=1e-6,
                                       err_msg=f"{n_t} training, {len(rows_t)} new")

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.nanmedian`, `np.where`, then `np.isnan(X_train).any(axis=0)` says which columns get a flag; `np.hstack` joins.
# </details>

# %% tags=["solution"]
#@title Solution 3.2 · runs only while yours does not pass
if not solved("3.2"):
    def fill_with_flags(X_train, X_test):
        holes = np.isnan(X_test)
        filled = np.where(holes, np.nanmedian(X_train, axis=0), X_test)
        flagged = np.isnan(X_train).any(axis=0)
        return np.hstack([filled, holes[:, flagged]])

# %% [markdown]
# ## 3.3 Which filling is best? Ask by cross-validation
#
# The question that matters for a model is not how well the holes are filled but how well the *predictions* turn out. So: six columns of the tumor table, 30 % holes by each mechanism (MAR: driven by the first column, which stays complete), six strategies. Each is fitted on the training part of
# every fold and judged on the rest by 5-fold cross-validation (section 3.6 builds it). The judge is AUC, the share of malignant–benign pairs that the model ranks right (notebook [[evaluation_metrics]]). All strategies see the same holes and the same folds, and new ones for each seed, so that there is a spread.

# %%
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  switches it on
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

tumors = cancer.data[:, [0, 1, 4, 5, 6, 7]]
malignant = (cancer.target == 0).astype(int)
FILLINGS = {
    "drop rows": SimpleImputer(),  # fitted on the complete training rows only
    "median": SimpleImputer(strategy="median"),
    "mean": SimpleImputer(),
    "mean + flags": SimpleImputer(add_indicator=True),
    "5 neighbors": make_pipeline(StandardScaler(), KNNImputer()),
    "iterative": IterativeImputer(LinearRegression(), max_iter=10, tol=0.1),
}


def filling_scores(mechanism, seed):
    """AUC of each filling, mean over five folds; and the share of complete rows."""
    Z = standard(tumors)
    p = chance_missing(mechanism, Z, Z[:, :1])
    p[:, 0] *= mechanism != "MAR"
    X = np.where(np.random.default_rng(seed).random(Z.shape) < p, np.nan, tumors)
    scores = {name: [] for name in FILLINGS}
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    for train, test in folds.split(X, malignant):
        for name, filling in FILLINGS.items():
            complete = ~np.isnan(X[train]).any(axis=1)
            rows = train[complete] if name == "drop rows" else train
            model = make_pipeline(filling, StandardScaler(),
                                  LogisticRegression(solver="newton-cholesky"))
            ranks = model.fit(X[rows], malignant[rows]).decision_function(X[test])
            scores[name].append(roc_auc_score(malignant[test], ranks))
    return [np.mean(s) for s in scores.values()], 1 - np.isnan(X).any(axis=1).mean()


# %%
FILLING_SEEDS = by_profile(quick=2, standard=10, full=40)
fig, axes = plt.subplots(1, 3, figsize=(9, 3.3), sharey=True)
filling_runs = {}
for ax, mechanism in zip(axes, ("MCAR", "MAR", "MNAR")):
    runs, complete = zip(*(filling_scores(mechanism, seed)
                           for seed in range(FILLING_SEEDS)))
    runs = np.array(runs)
    filling_runs[mechanism] = runs
    ax.plot(runs.T, range(len(FILLINGS)), ".", color=plotting.GRAY)
    ax.errorbar(runs.mean(axis=0), range(len(FILLINGS)), xerr=runs.std(axis=0, ddof=1),
                fmt="o", capsize=4)
    ax.set(title=f"{mechanism} ({np.mean(complete):.0%} rows complete)", xlabel="AUC")
axes[0].set_yticks(range(len(FILLINGS)), list(FILLINGS))
fig.suptitle("Flags pay under MNAR; dropping rows pays nowhere", fontweight="bold")
plt.show()
print("paired differences of AUC (same holes, same folds), mean ± standard error")
for mechanism, runs in filling_runs.items():
    gains = {f"{one} − {other}": runs[:, list(FILLINGS).index(one)]
             - runs[:, list(FILLINGS).index(other)]
             for one, other in (("drop rows", "mean"), ("drop rows", "median"),
                                ("mean + flags", "mean"), ("iterative", "mean"),
                                ("iterative", "mean + flags"))}
    print(mechanism)
    for name, g in gains.items():
        error = g.std(ddof=1) / np.sqrt(len(g))
        print(f"   {name:24} {g.mean():+.4f} ± {error:.4f}")

# %% [markdown]
# Gray dots are single seeds, bars their s.d. Compare within a panel, not across (MAR has holes in five columns only), and pairwise, as printed. Dropping rows trains on the complete rows of the panel's title, and the incomplete test rows must be filled all the same. Under MAR and MNAR it costs 0.01 and 0.05 or more against mean and median; under MCAR 0.007 against the mean, and against the median (0.003, two standard errors) hardly more than ten seeds can tell.
# Flags cost a little under MCAR and MAR and gain 0.016 under MNAR. Iterative imputation leads the mean for every reason, by 0.005, 0.002 and 0.014, without flags; only under MNAR, where the holes mean something, are flags still a little better. All this on one table, with one model.
#
# So: **add flags when the hole may carry meaning; drop rows only when few are incomplete and you know why.** Document 2's advice for financial data (application scenarios, 5), "complete and fill in", is right with two additions: flags, and fitting on the training part only. (Flags have a price:
# the model may learn a habit of the clinic that changes next year.)

# %% [markdown]
# ## 3.4 Outliers, and why the mean hides them
#
# An *outlier* (异常值) is a value that doesn't look like the rest. The usual test is the *z-score*, $z_i = (x_i - \bar x)/s$, with an alarm at $|z| > 3$. Try it on ten readings of a thermometer, one of them absurd:

# %% tags=["nbval-check-output"]
readings = np.array([20.1, 19.8, 20.4, 20.0, 19.9, 20.2, 20.3, 19.7, 20.1, 2000.0])
z = (readings - readings.mean()) / readings.std(ddof=1)
print("z of 2000 °C:", z[-1].round(4), " z of 20.1 °C:", z[0].round(4))

# %% [markdown]
# 2000 °C passes. And it would pass at a million degrees: the outlier drags the mean toward itself and inflates $s$, and the two keep pace. How large can $z$ get at all? Let $d_i = x_i - \bar x$, so $\sum d_i = 0$, and $d_1$ the largest. The other $n - 1$ deviations sum to $-d_1$; their mean is $-d_1/(n-1)$, and since a mean of squares is never less than the square of the mean,
# $\sum_{i \ge 2} d_i^2 \ge (n-1)\,\bigl(\tfrac{d_1}{n-1}\bigr)^2 = d_1^2/(n-1)$. Hence
#
# $$(n-1)\,s^2 = d_1^2 + \sum_{i\ge2} d_i^2 \;\ge\; d_1^2\,\frac{n}{n-1}
# \qquad\Rightarrow\qquad |z| \le \frac{n-1}{\sqrt n} .$$
#
# For $n = 10$ that is 2.846: **with ten values or fewer, the rule "three standard deviations" can never fire.** ($s$ has $n-1$ in its denominator here; with $n$ the bound is $\sqrt{n-1}$: exactly 3 for ten.)
#
# Several outliers hide one another. Let a share $p$ of all values lie at distance $t$ from the rest, which sit in one place. Measured from that place the mean is $pt$, the variance (over $n$) $\;p\,(t - pt)^2 + (1-p)(pt)^2 = p(1-p)t^2$, so each outlier has
#
# $$z = \frac{t - pt}{t\sqrt{p(1-p)}} = \sqrt{\frac{1-p}{p}}, \qquad \text{at most 3 as soon as } p \ge \tfrac1{10},$$
#
# however large $t$. This is *masking* (掩蔽效应). The cure is to measure center and spread by what the majority says: the **median**, and the *median absolute deviation* $\text{MAD} = \text{median}_i\,|x_i - \text{median}|$. For a normal distribution half of all values lie within $0.6745\,\sigma$ of the center,
# so $\text{MAD} = 0.6745\,\sigma$, and $1.4826 \cdot \text{MAD}$ estimates $\sigma$:
#
# $$z^{\text{robust}}_i = \frac{x_i - \text{median}}{1.4826\;\text{MAD}} .$$
#
# A third rule is the box plot's: a quarter of the values lie below the quartile $Q_1$, a quarter above $Q_3$. With $\text{IQR} = Q_3 - Q_1$, flag what lies outside the *fences* $[Q_1 - 1.5\,\text{IQR},\ Q_3 + 1.5\,\text{IQR}]$.

# %% tags=["nbval-check-output"]
from statistics import NormalDist

three_quarters = NormalDist().inv_cdf(0.75)  # half of all values within ± this
print(f"MAD of a standard normal {three_quarters:.4f}, factor {1 / three_quarters:.4f}")
mad = np.median(np.abs(readings - np.median(readings)))
print("robust z of 2000 °C:", round((2000 - np.median(readings)) / (1.4826 * mad)))
low, high = np.percentile(readings, [25, 75])
print(f"quartile fences: {low - 1.5 * (high - low):.2f} to"
      f" {high + 1.5 * (high - low):.2f} °C")
fence = three_quarters + 1.5 * 2 * three_quarters
print(f"normal values outside the fences: {2 * (1 - NormalDist().cdf(fence)):.1%}")
bound = [(n - 1) / np.sqrt(n) for n in (5, 10, 11, 100)]
print("largest possible z for n = 5, 10, 11, 100:", np.round(bound, 3))


# %% [markdown]
# Median and fences see the 2000 °C at once; on normal data the fences flag 0.7 % of good values. Now push an outlier away, and then add more of them:

# %%
def robust_scores(x):
    """Robust z of x (n,)."""
    center = np.median(x)
    return (x - center) / (1.4826 * np.median(np.abs(x - center)))


far = np.logspace(0, 3, 60)
good = np.random.default_rng(4).normal(size=9)
z_one = [(t - np.mean([*good, t])) / np.std([*good, t], ddof=1) for t in far]
robust_one = [robust_scores(np.array([*good, t]))[-1] for t in far]
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
left.semilogx(far, z_one, label="z")
left.semilogx(far, robust_one, color=plotting.GREEN, label="robust z")
left.axhline(bound[1], ls=":", color="black", label="bound $9/\\sqrt{10}$")
left.axhline(3, ls="--", color=plotting.RED, label="alarm")
left.set(title="One outlier among ten", xlabel="its distance (s.d. of the good)",
         ylabel="score of the outlier", ylim=(0, 8))

shares, crowd = np.arange(0.01, 0.6, 0.01), np.random.default_rng(5).normal(size=1000)
for score, color in (("z", plotting.BLUE), ("robust z", plotting.GREEN)):
    curve = []
    for p in shares:
        x = np.where(np.arange(1000) < 1000 * p, 50 + crowd / 10, crowd)
        curve.append(standard(x)[0] if score == "z" else robust_scores(x)[0])
    right.semilogy(shares, np.maximum(curve, 1e-2), color=color, label=score)
right.semilogy(shares, np.sqrt((1 - shares) / shares), ":", color="black",
               label="$\\sqrt{(1-p)/p}$")
right.axhline(3, ls="--", color=plotting.RED, label="alarm")
right.set(title="Many outliers, all at 50 s.d.", xlabel="share p of outliers",
          ylabel="score of an outlier", ylim=(0.3, 100))
left.legend(fontsize=8)
right.legend(fontsize=8)
plt.show()

# %% [markdown]
# Left: $z$ approaches its bound 2.85 and stays below the alarm for ever; the robust score crosses it within the first few s.d. and goes on growing. Right: from 10 % outliers on $z$ stays below the alarm, and it follows its formula. The median holds until half of the values are bad; beyond that, "the rest" is the outliers, and no method can know better.
#
# ### When not to delete
#
# A flagged value is a question, not an error. Flag the tumors whose "area error" (the standard error of its nuclei's areas) is unusual by the quartile fences, and look who they are:

# %%
area_error = cancer.data[:, cancer.feature_names.tolist().index("area error")]
q1, q3 = np.percentile(area_error, [25, 75])
flagged = area_error > q3 + 1.5 * (q3 - q1)
skew = np.log(area_error)
l1, l3 = np.percentile(skew, [25, 75])
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
for ax, values, cut in ((left, area_error, q3 + 1.5 * (q3 - q1)),
                        (right, skew, l3 + 1.5 * (l3 - l1))):
    ax.hist([values[malignant == 0], values[malignant == 1]], 40, stacked=True,
            color=[plotting.BLUE, plotting.RED], label=["benign", "malignant"])
    ax.axvline(cut, ls="--", color="black", label="upper fence")
left.set(title=f"{flagged.sum()} flagged, {malignant[flagged].mean():.0%} malignant",
         xlabel="area error", ylabel="tumors")
right.set(title="On a log scale: hardly any", xlabel="log(area error)")
left.legend(fontsize=8)
plt.show()
print(f"malignant in the whole table: {malignant.mean():.0%}; among the flagged:",
      f"{malignant[flagged].mean():.0%}")
print(f"flagged: {flagged[malignant == 1].mean():.0%} of the malignant,",
      f"{flagged[malignant == 0].mean():.0%} of the benign; on the log scale",
      np.sum(skew > l3 + 1.5 * (l3 - l1)), "tumors")


# %% [markdown]
# All 65 flagged tumors are malignant. Deleting "outliers" would delete 31 % of the very cases the model exists for. The column is simply skewed; on a log scale five values stick out instead of 65.
# Delete when you know it is an error (2000 °C); set missing when it is impossible; transform when the distribution is skewed; keep and use a robust method when it is rare but true.

# %% [markdown]
# ### Exercise 3.4 · robust z, column by column (8 min)
# Write the robust z for a table with holes: ignore NaN when computing medians (NaN stays NaN in the result). Where a column's MAD is 0 (more than half of its values are equal), return 0 for values equal to the median and $+\infty$ or $-\infty$ for larger and smaller ones.

# %% tags=["exercise"]
def robust_z(X):
    """Robust z-scores by column. X: (n, d), NaN where missing -> (n, d)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("3.4", "robust z-scores of a table"):
    table_t = np.array([[1, 5, 0.0, 0], [2, 5, 10, 1], [3, 5, 20, 3], [4, 5, np.nan, 6],
                        [100, 9, 40, 10], [np.nan, -1, 50, 15]])
    inf_t, hole_t = np.inf, np.nan
    expected_t = np.array([[-2, 0, -20, -4.5], [-1, 0, -10, -3.5], [0, 0, 0, -1.5],
                           [1, 0, hole_t, 1.5], [97, inf_t, 20, 5.5],
                           [hole_t, -inf_t, 30, 10.5]])
    expected_t[:, [0, 2, 3]] /= 1.4826 * np.array([1, 20, 4])  # their MADs
    tenth_t = np.array([[0.1], [0.1], [0.1], [0.3], [0.1]])  # a constant with a slip
    with np.errstate(all="ignore"):
        for given_t, wanted_t, what_t in (
                (table_t, expected_t, "table with holes"),
                (-3 * table_t, -expected_t, "must not depend on units"),
                (tenth_t, [[0], [0], [0], [inf_t], [0]], "a column of 0.1 and one 0.3"),
                (np.array([[0.1, 3.0]]), [[0, 0]], "one row")):
            # wide enough for 1.4826, 1 / 0.6745 and the exact factor
            np.testing.assert_allclose(robust_z(given_t.copy()), wanted_t, rtol=1e-4,
                                       atol=1e-6, err_msg=what_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.nanmedian(X, axis=0)` twice. NumPy's division does the rest: a positive number divided by 0 is `inf` (with a warning, silence it with `np.errstate`); only 0/0 needs care.
# </details>

# %% tags=["solution"]
#@title Solution 3.4 · runs only while yours does not pass
if not solved("3.4"):
    def robust_z(X):
        away = X - np.nanmedian(X, axis=0)
        mad = np.nanmedian(np.abs(away), axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(away == 0, 0.0, away / (1.4826 * mad))

# %% [markdown]
# ## 3.5 Scaling: two conditions, two unknowns
#
# Proline is counted in hundreds of mg/L, hue in tenths. A model that adds or compares columns lets the large numbers rule. *Scaling* replaces each column $x$ by $x' = ax + c$ with $a > 0$: two unknowns, so two conditions fix it.
#
# - **Normalization** (归一化, min-max): $x'_{\min} = 0$ and $x'_{\max} = 1$. Subtract the two equations: $a\,(x_{\max} - x_{\min}) = 1$. So $\displaystyle x' = \frac{x - x_{\min}}{x_{\max} - x_{\min}}$.
# - **Standardization** (标准化): mean 0 and variance 1. The mean of $ax + c$ is $a\bar x + c$ and its variance $a^2 s^2$, so $a = 1/s$ and $\displaystyle x' = \frac{x - \bar x}{s}$.
# - **Robust scaling**: median 0 and IQR 1, $\displaystyle x' = \frac{x - \text{median}}{Q_3 - Q_1}$.
#
# The statistics come from the **training rows**; the same $a$ and $c$ are then applied to every row that comes later. Test rows may land outside $[0, 1]$: that is right, not a bug.

# %%
from sklearn.preprocessing import MinMaxScaler, RobustScaler

SCALERS = {
    "min-max": lambda X: (X.min(axis=0), X.max(axis=0) - X.min(axis=0)),
    "standard": lambda X: (X.mean(axis=0), X.std(axis=0)),
    "robust": lambda X: (np.median(X, axis=0),
                         np.subtract(*np.percentile(X, [75, 25], axis=0))),
}  # training rows (n, d) -> what to subtract (d,), what to divide by (d,)


def scale(kind, X_train, X):
    """X (m, d), scaled with the statistics of X_train (n, d)."""
    start, width = SCALERS[kind](X_train)
    # a constant column becomes 0, as in scikit-learn; its computed width may be 1e-17
    constant = (X_train.min(axis=0) == X_train.max(axis=0)) | (width == 0)
    return (X - start) / np.where(constant, 1, width)


fit_rows, new_rows = np.split(np.random.default_rng(35).permutation(178), [120])

# %% tags=["evidence"]
#@title Evidence: the three scalings against scikit-learn, with constant columns
with_constants = np.column_stack([wine.data, np.full(178, 7.0), np.full(178, 0.1)])
theirs = {"min-max": MinMaxScaler(), "standard": StandardScaler(),
          "robust": RobustScaler()}
for kind, scaler in theirs.items():
    scaler.fit(with_constants[fit_rows])
    ours = scale(kind, with_constants[fit_rows], with_constants[new_rows])
    off = np.abs(ours - scaler.transform(with_constants[new_rows])).max()
    changed = with_constants[new_rows] + [*[0] * 14, 0.1]  # tomorrow the 0.1 is a 0.2
    new = scale(kind, with_constants[fit_rows], changed)
    off = max(off, np.abs(new - scaler.transform(changed)).max())
    claim(f"{kind:8} against scikit-learn, largest difference", off, at_most=1e-12)
    print(f"   test rows from {ours.min():.2f} to {ours.max():.2f}")
print(f"computed s of 120 times 0.1: {np.full(120, 0.1).std():.1e}")

# %% [markdown]
# A constant column needs care: on paper its $s$ is 0, computed it may be $10^{-17}$ (last line), and whoever divides by that turns rounding errors into ±1 and tomorrow's 0.2 into about $10^{16}$. Ask the values, not $s$: smallest = largest.
#
# ($s$ divides by $n$ here, as in scikit-learn and Keras. The choice between $n$ and $n-1$ changes the scale of all rows by the same factor.)
#
# What does one wrong unit do to each? Take 177 wines' proline in mg/L and one in µg/L:

# %%
damaged = wine.data[:, 12].copy()
damaged[0] *= 1000
spans = {}  # scaling -> width of the good wines' middle half, without and with outlier
for kind in SCALERS:
    for fit_on in (damaged[1:], damaged):
        good = scale(kind, fit_on[:, None], damaged[1:, None])
        width = np.subtract(*np.percentile(good, [75, 25]))
        spans[kind] = (*spans.get(kind, ()), width)

fig, ax = plt.subplots(figsize=(6.2, 2.8))
for shift, k, name in ((-0.2, 0, "177 good wines"), (0.2, 1, "and one in µg/L")):
    widths = [pair[k] for pair in spans.values()]
    bars = ax.bar(np.arange(3) + shift, widths, 0.38, label=name)
    ax.bar_label(bars, [f"{w:.2g}" for w in widths])
ax.set(title="One outlier squeezes all others, unless the scale is robust",
       xticks=range(3), xticklabels=list(spans), yscale="log", ylim=(1e-4, 20),
       ylabel="width of the middle half, scaled")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# The bars show how much room the middle half of the good wines gets. Min-max gives the range to the outlier and leaves them 0.0005 of it instead of 0.35; standardization squeezes them from 1.5 to 0.006. Robust scaling doesn't notice.
#
# ### What scaling can't do
#
# Document 3 (3.2) cleans and normalizes "to remove noise and differences in the data". Write a column as signal plus noise, $x = u + e$. Scaled, $x' = au + ae + c$: both are multiplied by the same $a$. The ratio of their variances, and the correlation with any other column, stay what they were.

# %% tags=["nbval-check-output"]
noise_rng = np.random.default_rng(351)
signal = wine.data[:, 12]
noisy = signal + noise_rng.normal(size=178) * signal.std()
for name, x in {"raw": noisy, **{kind: scale(kind, noisy[:, None], noisy[:, None])[:, 0]
                                 for kind in SCALERS}}.items():
    print(f"{name:8} correlation with the clean column"
          f" {np.corrcoef(x, signal)[0, 1]:.6f}")

# %% [markdown]
# Identical to all six digits: the noise is still there. What scaling removes is the arbitrary *unit*. (Document 2, 3.3.2, scales "data to the same range, such as [0, 1]". For pixels that has a merit: the limits 0 and 255 are known, so $x/255$ needs no statistics and can leak nothing.)
#
# ### Which models care?

# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.model_selection import cross_val_score

MODELS = {"5 nearest neighbors": KNeighborsClassifier(), "SVM (RBF)": SVC(),
          "logistic regression": LogisticRegression(solver="newton-cholesky"),
          "decision tree": DecisionTreeClassifier(random_state=0),
          "random forest": RandomForestClassifier(
              by_profile(quick=10, standard=30, full=30), random_state=0)}
KINDS = {"raw": FunctionTransformer(), "min-max": MinMaxScaler(),
         "standard": StandardScaler()}
REPEATS = by_profile(quick=2, standard=3, full=20)
accuracy = {}  # (model, scaling) -> (REPEATS,) accuracies, each a mean over five folds
for name, model in MODELS.items():
    for kind, scaler in KINDS.items():
        accuracy[name, kind] = np.array([cross_val_score(
            make_pipeline(scaler, model), wine.data, wine.target,
            cv=StratifiedKFold(5, shuffle=True, random_state=seed)).mean()
            for seed in range(REPEATS)])

# %%
fig, ax = plt.subplots(figsize=(7, 3.2))
for shift, kind in zip((0.25, 0, -0.25), KINDS):
    runs = [accuracy[name, kind] for name in MODELS]
    bars = ax.barh(np.arange(len(MODELS)) + shift, [r.mean() for r in runs], 0.24,
                   xerr=[r.std(ddof=1) for r in runs], label=kind)
    ax.bar_label(bars, [f"{r.mean():.1%}" for r in runs], padding=4, fontsize=8)
ax.set(title="Neighbors and the SVM feel the unit, trees don't", xlim=(0.6, 1.08),
       xlabel="accuracy on wines (± s.d. over seeds)", yticks=range(len(MODELS)),
       yticklabels=list(MODELS))
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
powers = 2.0 ** np.random.default_rng(352).integers(-9, 10, 13)  # exact in floats
tree_said = [DecisionTreeClassifier(random_state=0)
             .fit(table[fit_rows], wine.target[fit_rows]).predict(table[new_rows])
             for table in (wine.data, wine.data * powers)]
claim("decision tree, columns rescaled: answers that change",
      np.sum(tree_said[0] != tree_said[1]), at_most=0)

# %% [markdown]
# Nearest neighbors gain about 27 points, the SVM 31 (RBF: a row's vote counts less the farther away it is): unscaled, "near" means "similar proline". Logistic regression could undo any scaling by its weights ($w\,x = \frac{w}{a}\cdot ax$), but scikit-learn adds a penalty on large weights, and a column of small numbers needs large ones. A tree asks *is $x_j$ larger than a threshold?* and $ax_j + c$ with $a > 0$ keeps the order, so the same splits are found: multiplied by powers of 2, no answer changes. (The bars may differ in the last digit, since other factors round, and a value that ties with a threshold can fall on its other side.)
# Networks belong to those that care: scale decides how fast each weight learns (notebook [[optimizers]], conditioning).

# %% tags=["figure"]
#@title Figure: 1 nearest neighbor: raw units see only proline
pair = wine.data[:, [0, 12]]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4))
for ax, (kind, scaler) in zip(axes, {"raw": FunctionTransformer(),
                                     "standardized": StandardScaler()}.items()):
    nearest_one = make_pipeline(scaler, KNeighborsClassifier(1)).fit(pair, wine.target)
    plotting.decision_regions(nearest_one.predict, pair, wine.target, ax, kind)
    ax.set(xlabel="alcohol (% vol)", ylabel="proline (mg/L)")
fig.suptitle("1 nearest neighbor: raw units see only proline", fontweight="bold")
plt.show()


# %% [markdown]
# Left, the regions are horizontal stripes: two wines that differ by 1 % of alcohol are as near as two that differ by 1 mg/L of proline, so alcohol hardly counts. Right, both columns count.

# %% [markdown]
# ### Exercise 3.5 · fit once, apply often (12 min)
# Write standardization as a small class that learns from the training rows, divides a column that is constant there by 1 (it becomes 0 on the training rows, up to rounding), and can go back.

# %% tags=["exercise"]
class Standardizer:
    """Columns of mean 0 and standard deviation 1 on the rows it was fitted to."""

    def fit(self, X):
        """Learn from X (n, d). -> self"""
        raise NotImplementedError("your turn")

    def transform(self, X):
        """X (m, d), scaled with what was learned -> (m, d)"""
        raise NotImplementedError("your turn")

    def inverse_transform(self, Z):
        """Z (m, d), scaled rows, back in their units -> (m, d)"""
        raise NotImplementedError("your turn")


# %% tags=["check"]
from sklearn.preprocessing import StandardScaler

with check("3.5", "a standardizer that remembers"):
    for n_t in (15, 7, 120, 1):  # one training row: every column is constant
        rng_t = np.random.default_rng(n_t)
        train_t = rng_t.normal([5, -2, 7, 0], [2, 0.1, 0, 30], size=(n_t, 4))
        # 0.1 has a computed std of 1e-17, nanograms in kilograms a real one of 1e-12
        train_t = np.column_stack([train_t, np.full(n_t, 0.1), 1e-12 * train_t[:, 0]])
        test_t = rng_t.normal(1, 3, size=(6, 6)) * [1, 1, 1, 1, 1, 1e-12]
        mine_t, right_t = Standardizer(), StandardScaler().fit(train_t)
        assert isinstance(mine_t.fit(train_t.copy()), Standardizer), "fit returns self"
        for rows_t, what_t in ((train_t, "training rows"), (test_t, "new rows")):
            np.testing.assert_allclose(
                mine_t.transform(rows_t.copy()), right_t.transform(rows_t), rtol=1e-5,
                atol=1e-5, err_msg=f"{what_t}, {n_t} to learn from (columns 2 and 4 are"
                " constant there, column 5 is small)")
        scaled_t = rng_t.normal(size=(6, 6))
        np.testing.assert_allclose(
            mine_t.inverse_transform(scaled_t.copy()) / right_t.scale_,
            right_t.inverse_transform(scaled_t) / right_t.scale_, rtol=1e-5, atol=1e-5,
            err_msg="back in their units")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Keep `self.mean` and `self.scale`, the latter with 1 for constant columns: those where `X.min(axis=0) == X.max(axis=0)`. `transform` must not compute any mean of its own.
# </details>

# %% tags=["solution"]
#@title Solution 3.5 · runs only while yours does not pass
if not solved("3.5"):
    class Standardizer:
        def fit(self, X):
            self.mean = X.mean(axis=0)
            constant = X.min(axis=0) == X.max(axis=0)
            self.scale = np.where(constant, 1, X.std(axis=0))
            return self

        def transform(self, X):
            return (X - self.mean) / self.scale

        def inverse_transform(self, Z):
            return Z * self.scale + self.mean

# %% [markdown]
# ## 3.6 Splits: who may see what
#
# Three parts, three jobs. The **training** set fits weights, means, medians, vocabularies. The **validation** set (验证集) makes decisions: which model, which $k$, when to stop. The **test** set (测试集) is opened once, at the end, and only measures.
# Anything that was chosen by its score on a set is flattered by that set.

# %% tags=["figure"]
#@title Figure: The loop runs between training and validation; the test set is outside it
plotting.flow(
    {"all rows": (0, 1), "training": (1, 0), "validation": (1, 1), "test": (1, 2),
     "fit scaler,\nfiller, model": (2, 0), "choose": (2, 1), "measure once": (2, 2)},
    [("all rows", "training"), ("all rows", "validation"), ("all rows", "test"),
     ("training", "fit scaler,\nfiller, model"), ("validation", "choose"),
     ("test", "measure once"), ("choose", "fit scaler,\nfiller, model", "again")],
    highlight=["test", "measure once"],
    title="The loop runs between training and validation; the test set is outside it",
)
plt.show()


# %% [markdown]
# With few rows, one validation set is a lottery. *k-fold cross-validation* (交叉验证) lets every row be validated once: cut the rows into $k$ folds, train $k$ times on all but one, score the one left out, average. $n$ rows don't always divide: the first $n \bmod k$ folds get one more.

# %%
def k_folds(n, k):
    """Cut rows 0 … n-1 into k runs. -> list of (training rows, validation rows)"""
    sizes = [n // k + (i < n % k) for i in range(k)]
    ends = np.cumsum(sizes)
    rows = np.arange(n)
    parts = [rows[end - size:end] for size, end in zip(sizes, ends)]
    return [(np.setdiff1d(rows, part), part) for part in parts]


shuffled = np.random.default_rng(36).permutation(178)
X_wine, y_wine = wine.data[shuffled], wine.target[shuffled]
wine_reader = make_pipeline(StandardScaler(), KNeighborsClassifier())
by_hand = []
for fit_part, left_out in k_folds(178, 5):
    wine_reader.fit(X_wine[fit_part], y_wine[fit_part])
    by_hand.append(wine_reader.score(X_wine[left_out], y_wine[left_out]))
print("five folds:", np.round(by_hand, 3), "mean", np.mean(by_hand).round(3))

# %% tags=["evidence"]
#@title Evidence: the same folds and the same scores as scikit-learn's
from sklearn.model_selection import KFold

differ = 0
for n, k in ((178, 5), (10, 3), (7, 7), (100, 10)):
    for our_fold, their_fold in zip(k_folds(n, k), KFold(k).split(range(n))):
        differ += not all(map(np.array_equal, our_fold, their_fold))
claim("folds that differ from scikit-learn's", differ, at_most=0)
claim("cross-validation by hand against cross_val_score, largest difference",
      np.abs(by_hand - cross_val_score(wine_reader, X_wine, y_wine, cv=KFold(5))).max(),
      at_most=0)

# %% [markdown]
# We shuffled first, and had to. This table is sorted by cultivar, and so are many. Keras' `validation_split`, which the listings of Document 2 (5.2, with 0.2) and Document 4 (5.2, with 0.1) use, takes the **last** rows as they lie:

# %%
last = wine.target[int(np.floor(178 * (1 - 0.2))):]  # Keras' own rule
print("rows of each cultivar in the last 20 %:", np.bincount(last, minlength=3))
for name, table, kinds in (("without shuffling", wine.data, wine.target),
                           ("shuffled", X_wine, y_wine)):
    score = cross_val_score(wine_reader, table, kinds, cv=KFold(3)).mean()
    print(f"3 folds {name}: accuracy {score:.3f}")

# %% [markdown]
# ### Stratified, for rare classes
#
# A random test set of $m$ rows holds a rare class only on average in the right share. *Stratified* splitting (分层) draws from each class separately. Take 5 % positives and test sets of 60, drawn two thousand times:

# %%
from math import comb

rare = np.arange(600) < 30
rare_rng = np.random.default_rng(361)
draws = np.array([rare[rare_rng.permutation(600)[:60]].sum() for _ in range(2000)])
print(f"stratified: always 3; random: {draws.mean():.2f} ± {draws.std():.2f} "
      f"positives, from {draws.min()} to {draws.max()}; "
      f"none at all in {np.mean(draws == 0):.1%} of the splits")
# all 60 test rows from the 570 negatives, as a share of all ways to draw 60 rows
print(f"exact chance of none: {comb(570, 60) / comb(600, 60):.1%}")


# %% [markdown]
# Random splitting leaves some test sets without a single positive: recall, the share of positives found (notebook [[evaluation_metrics]]), can't even be computed there. Stratifying costs nothing.

# %% [markdown]
# ### Exercise 3.6a · deal the cards (8 min)
# Give every row a fold number $0 \dots k-1$ such that in each class any two folds differ by at most one row. Rows must be dealt at random (use `rng`), because the table may be sorted.

# %% tags=["exercise"]
def stratified_folds(y, k, rng):
    """Fold numbers, balanced within each class.

    y: (n,) class labels, any integers; rng: np.random.Generator -> (n,) int
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("3.6a", "stratified folds"):
    many_t = np.repeat([7, 0, 3], [23, 11, 6])
    for y_t in (many_t, np.repeat([1], 10), np.array([5, 2])):  # one class, two rows
        deals_t = [np.asarray(stratified_folds(y_t.copy(), 4, np.random.default_rng(s)))
                   for s in (*range(40), 0)]
        for folds_t in deals_t:
            assert folds_t.shape == y_t.shape, f"shape {folds_t.shape}, not {y_t.shape}"
            assert set(folds_t) <= {0, 1, 2, 3}, f"{set(folds_t)}: folds are 0 … k-1"
            for c_t in set(y_t):
                counts_t = np.bincount(folds_t[y_t == c_t].astype(int), minlength=4)
                assert np.ptp(counts_t) <= 1, f"class {c_t} is spread {counts_t}"
        np.testing.assert_array_equal(deals_t[0], deals_t[-1], "same rng, same folds")
        if len(y_t) > 2:
            together_t = np.mean([folds_t[0] == folds_t[1] for folds_t in deals_t[:-1]])
            places_t = [len({folds_t[i] for folds_t in deals_t}) for i in (0, 1)]
            assert min(places_t) > 2, \
                "the first rows always land in the same folds: deal at random"
            assert 0 < together_t < 1, "rows of a class must not be tied to one another"

# %% [markdown]
# <details><summary>Hint</summary>
#
# For each class: its rows, shuffled by `rng.permutation`, get $0, 1, \dots, k-1, 0, 1, \dots$ in turn: `np.arange(len(rows)) % k`.
# </details>

# %% tags=["solution"]
#@title Solution 3.6a · runs only while yours does not pass
if not solved("3.6a"):
    def stratified_folds(y, k, rng):
        folds = np.empty(len(y), int)
        for c in np.unique(y):
            rows = rng.permutation(np.flatnonzero(y == c))
            folds[rows] = np.arange(len(rows)) % k
        return folds

# %% [markdown]
# ### Grouped: the same hand on both sides
#
# scikit-learn's 1,797 digits were written by 13 people, and lie in the table roughly writer after writer (the names were not kept, only the order). So neighbors in the table are neighbors in style. What does a shuffled split make of that? Compare it with 13 unshuffled blocks, each about one writer:

# %%
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

all_digits = load_digits()
pages, page_labels = all_digits.data, all_digits.target
page_readers = {"1 nearest neighbor": KNeighborsClassifier(1),
                "linear discriminant": LinearDiscriminantAnalysis(),
                "decision tree": DecisionTreeClassifier(random_state=0)}
fig, ax = plt.subplots(figsize=(6.6, 2.8))
for i, (name, classifier) in enumerate(page_readers.items()):
    mixed = [cross_val_score(classifier, pages, page_labels,
                             cv=KFold(13, shuffle=True, random_state=s))
             for s in range(by_profile(quick=1, standard=3, full=10))]
    blocks = cross_val_score(classifier, pages, page_labels, cv=KFold(13))
    ax.plot(blocks, [i - 0.12] * 13, ".", color=plotting.ORANGE, alpha=0.5)
    ax.plot(np.mean(mixed), i + 0.12, "o", color=plotting.BLUE)
    ax.plot(blocks.mean(), i - 0.12, "D", color=plotting.ORANGE)
    print(f"{name:20} rows shuffled {np.mean(mixed):.3f}, whole blocks"
          f" {blocks.mean():.3f} (single blocks from {blocks.min():.3f})")
ax.plot([], [], "o", color=plotting.BLUE, label="rows shuffled")
ax.plot([], [], "D", color=plotting.ORANGE, label="whole blocks (dots: each)")
ax.set(title="Whole blocks, each about one writer, are harder than shuffled rows",
       xlabel="accuracy", yticks=range(3), yticklabels=list(page_readers))
ax.legend(fontsize=8, loc="lower left")
plt.show()
# the nearest but one: the nearest is the image itself
nearest = KNeighborsClassifier(2).fit(pages, page_labels).kneighbors(pages)[1][:, 1]
near = np.mean(np.abs(nearest - np.arange(1797)) < 138)
print(f"nearest neighbor lies within 138 rows: {near:.0%};",
      f"by chance {2 * 138 / 1797:.0%}")

# %% [markdown]
# Every model does worse on whole blocks, and the spread between blocks is larger still than the difference: some writers are much harder than the average. The last line agrees with the explanation: most images have their nearest relative close by in the table (within $138 = 1797/13$ rows, about one writer), four times as often as by chance.
# If the product will meet new patients, writers, shops or speakers, split by patient, writer, shop or speaker (`GroupKFold`).
#
# ### By time: the past may not know the future
#
# Take 100 random walks of 365 days, one random step a day, and predict a day's value from its two nearest known days:

# %%
walks = np.random.default_rng(36).normal(size=(100, 365)).cumsum(axis=1)
days = np.arange(365)
picked = np.random.default_rng(37).permutation(365)[:73]
for name, later in {"73 random days": picked, "the last 73 days": days[-73:]}.items():
    past = np.setdiff1d(days, later)
    gap = np.abs(days[later][:, None] - past)
    said = walks[:, past[np.argsort(gap, axis=1, kind="stable")[:, :2]]].mean(axis=2)
    print(f"{name}: mean error {np.abs(said - walks[:, later]).mean():.1f} steps")


# %% [markdown]
# A random split asks to *fill gaps*, between a yesterday and a tomorrow that are both known. The real task is to *go on*, and there the error is several times larger. Split the way the model will be used (`TimeSeriesSplit`).

# %% [markdown]
# ### Exercise 3.6b · spot the bug: tuned on the test set (6 min)
# Document 3 (3.2) evaluates "on the training and test sets" and adjusts the parameters to the result; Document 2 (3.3.6) evaluates "on the validation set or the test set", as if they were the same. In code, with our own few lines:

# %%
def tune_copied(models, train, validation, test):
    """As described there: pick what does best on the test set, report that score."""
    scores = [model.fit(*train).score(*test) for model in models]
    return int(np.argmax(scores)), max(scores)


def coin_flips(seed):
    """Rows and labels without any connection: 100 training, 500 unseen, 50 test."""
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(n, 10)), rng.integers(0, 2, n)) for n in (100, 500, 50)]


candidates = [DecisionTreeClassifier(max_features=1, random_state=s) for s in range(20)]
promised, fresh = [], []
for seed in range(by_profile(quick=10, standard=100, full=500)):
    flips, unseen, judged_on = coin_flips(seed)
    winner, score = tune_copied(candidates, flips, unseen, judged_on)
    promised.append(score)
    fresh.append(candidates[winner].fit(*flips).score(*unseen))
for name, accuracies in (("reported", promised),
                         ("the same models on rows never looked at", fresh)):
    error = np.std(accuracies, ddof=1) / np.sqrt(len(accuracies))
    print(f"{name}: {np.mean(accuracies):.3f} ± {error:.3f} (standard error)")


# %% [markdown]
# The labels are coin flips, and the report says 63 %: the best of twenty lucky draws. No weight was ever trained on the test rows; *choosing* was enough. Document 4 (3.2) has it right: evaluate on the validation set. Repair it:
# choose by validation score (on a tie the first), report the test score of that one model. Use each model's `fit(X, y)` and `score(X, y)`; train on `train` only.

# %% tags=["exercise"]
def tune(models, train, validation, test):
    """Choose on validation, measure once on test.

    models: list of scikit-learn models; train, validation, test: pairs (X, y)
    -> index of the chosen model, its test accuracy
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
from sklearn.neighbors import KNeighborsClassifier

with check("3.6b", "chosen on validation, measured on test"):
    models_t = [KNeighborsClassifier(k) for k in (1, 3, 5, 9, 15, 31)]
    for seed_t in range(12):
        rng_t = np.random.default_rng(seed_t)
        parts_t = [(rng_t.normal(size=(n, 10)), rng_t.integers(0, 2, n))
                   for n in (100, 50, 50)]
        given_t = [tuple(map(np.copy, part)) for part in parts_t]
        scores_t = [m.fit(*parts_t[0]).score(*parts_t[1]) for m in models_t]
        best_t = int(np.argmax(scores_t))
        expected_t = models_t[best_t].fit(*parts_t[0]).score(*parts_t[2])
        index_t, accuracy_t = tune(models_t, *given_t)
        assert index_t == best_t, f"chose {index_t}; best on validation is {best_t}"
        np.testing.assert_allclose(accuracy_t, expected_t, err_msg="test accuracy")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Two lines: validation scores of all, then the test score of one. `score` on a model that was fitted stays valid until it is fitted again.
# </details>

# %% tags=["solution"]
#@title Solution 3.6b · runs only while yours does not pass
if not solved("3.6b"):
    def tune(models, train, validation, test):
        scores = [model.fit(*train).score(*validation) for model in models]
        winner = int(np.argmax(scores))
        return winner, models[winner].score(*test)


# %% [markdown]
# ## 3.7 Leakage, built on purpose
#
# *Leakage* (数据泄漏): something about the validation rows reaches the model before it is scored on them. Here is the promise of the first paragraph. Sixty patients, thousands of gene-like columns, and labels: **all pure noise**. Keep the 20 columns that correlate best with the label, then cross-validate.

# %%
def best_columns(X, y, keep=20):
    """The columns most correlated with y, by absolute value. X: (n, d) -> (keep,)"""
    correlation = standard(X).T @ standard(y.astype(float)) / len(y)
    return np.argsort(-np.abs(correlation))[:keep]


def score_folds(X, y, select_inside):
    """Accuracy over 5 folds of the nearest of two means, on the 20 best columns."""
    if not select_inside:
        columns = best_columns(X, y)  # the leak: y of all rows, validation included
    scores = []
    for train, test in k_folds(len(y), 5):
        if select_inside:
            columns = best_columns(X[train], y[train])
        model = NearestCentroid().fit(X[np.ix_(train, columns)], y[train])
        scores.append(model.score(X[np.ix_(test, columns)], y[test]))
    return np.mean(scores)


def leaky(X, y):
    return score_folds(X, y, select_inside=False)


def honest(X, y):
    return score_folds(X, y, select_inside=True)


def noise_table(d, seed, n=60):
    """n rows of d noise columns, and n coin flips for labels. -> (n, d), (n,)"""
    rng = np.random.default_rng(seed)
    # flips, not n/2 ones and n/2 zeros: with fixed totals a class that has more rows
    # in a fold has fewer outside it, and even an honest score falls below chance
    return rng.normal(size=(n, d)), rng.integers(0, 2, n)


noise_columns = [20, 100, 500, 5000]
RUNS = by_profile(quick=4, standard=50, full=200)
leak_runs = {f.__name__: np.array([[f(*noise_table(d, seed)) for seed in range(RUNS)]
                                   for d in noise_columns]) for f in (leaky, honest)}

# %%
fig, ax = plt.subplots(figsize=(6.6, 3.4))
for (name, runs), color, text in zip(
        leak_runs.items(), (plotting.RED, plotting.GREEN),
        ("columns chosen on all rows", "columns chosen inside each fold")):
    error = runs.std(axis=1, ddof=1) / np.sqrt(RUNS)
    ax.errorbar(noise_columns, runs.mean(axis=1), error, fmt="o-", capsize=4,
                color=color, label=text)
    print(f"{name:6}", *(f"{d:,} columns {mean:.3f} ± {e:.3f};" for d, mean, e in
                        zip(noise_columns, runs.mean(axis=1), error)))
ax.axhline(0.5, color="black", lw=0.8)
ax.set(title="The more noise columns to choose from, the better they “predict”",
       xscale="log", xlabel="noise columns to choose from",
       ylabel=f"accuracy\n(mean of {RUNS} runs ± s.e.)", ylim=(0.3, 1.03))
ax.legend()
plt.show()
claim("leaky accuracy on coin flips", leak_runs["leaky"][-1].mean(), at_least=0.9)
claim("honest accuracy on coin flips, largest distance from 0.5",
      np.abs(leak_runs["honest"].mean(axis=1) - 0.5).max(), at_most=0.04,
      applies=RUNS >= 50)


# %% [markdown]
# Same rows, same folds, same classifier; one line stands outside the loop instead of inside. With 20 columns there is nothing to choose and the two are one procedure; with 5,000 the leaky score is 96 %, and the honest one stays at chance for every number of columns. Among thousands of noise columns some agree with these sixty labels by chance. That is no help on new rows; but the leaky procedure's validation rows took part in the choice.
#
# This very mistake is in print, in studies with thousands of genes and few patients (Ambroise and McLachlan, 2002). The rule: **everything that learns from data, selection and scaling and filling included, belongs inside the fold**; a scikit-learn `Pipeline` does it for you.
#
# Are all leaks so large? Fit the *scaler* on all rows instead of the training half, many times, at several sizes, let three nearest neighbors vote, and look at the paired difference in accuracy. And to see where a difference comes from, fit it on the test half *alone* (if the leak helps, that should help most), and on as many rows that are in neither half.

# %%
def vote_of_three(X, y, X_new):
    """Majority of the three nearest rows. X: (n, d), y: (n,) 0 or 1, X_new: (m, d)"""
    gap = ((X_new[:, None] - X) ** 2).sum(axis=2)  # (m, n)
    nearest = np.argpartition(gap, 2, axis=1)[:, :3]
    return y[nearest].sum(axis=1) >= 2


def scaling_leaks(n, seed):
    """Accuracy with the scaler fitted on four sets of rows, minus the first. -> (3,)"""
    rows = np.random.default_rng(seed).permutation(569)[:n + n // 2]
    X, y, half = cancer.data[rows], malignant[rows], n // 2
    scores = []
    for fit_on in (X[:half], X[:n], X[half:n], X[n:]):
        Z = scale("standard", fit_on, X)
        said = vote_of_three(Z[:half], y[:half], Z[half:n])
        scores.append(np.mean(said == y[half:n]))
    return np.array(scores[1:]) - scores[0]


SPLITS = by_profile(quick=20, standard=1000, full=5000)
print("scaler fitted on …, minus fitted on the training half: mean ± standard error")
for n in (20, 50, 200):
    gains = np.array([scaling_leaks(n, seed) for seed in range(SPLITS)])  # (SPLITS, 3)
    errors = gains.std(axis=0, ddof=1) / np.sqrt(SPLITS)
    print(f"n = {n:3}:", *(f"{name} {gain:+.4f} ± {error:.4f};" for name, gain, error in
                          zip(("all rows", "test half", "others"), gains.mean(axis=0),
                              errors)))


# %% [markdown]
# In these thousand splits the leak *helps* nowhere, and with 20 rows it even costs a little more than half a point. The last column says why: ten rows that nobody is tested on cost as much as the ten test rows. The neighbors are training rows, and their own statistics make *their* columns most comparable; any other rows in the scaler disturb that.
# So don't expect every leak to show in the score. This one is wrong all the same, and inside a pipeline it costs nothing to do right; but when you audit a project, look first for leaks that carry **labels**, then for copies.
#
# ### Twins
#
# The other large leak is *duplicates*. Take 300 distinct rows with coin-flip labels, repeat a share $f$ of them, shuffle, and let 1-nearest-neighbor be cross-validated in 5 folds. Of the $300\,(1+f)$ rows, $2 \cdot 300 f$ belong to a pair, so a row has a twin with probability $\frac{2f}{1+f}$; the twin is in the training part with probability about $\frac45$, and
# then the answer is simply copied. Otherwise it's a coin: $\text{accuracy} = \frac12 + \frac12\cdot\frac45\cdot\frac{2f}{1+f}$.

# %%
def twin_score(share, seed):
    """1-NN accuracy over 5 folds when a share of 300 noise rows occurs twice."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(300, 5)), rng.integers(0, 2, 300)
    rows = rng.permutation(np.r_[np.arange(300), np.arange(int(300 * share))])
    model = KNeighborsClassifier(1)
    return cross_val_score(model, X[rows], y[rows], cv=KFold(5)).mean()


shares = np.linspace(0, 1, 6)
forecast = 0.5 + 0.4 * 2 * shares / (1 + shares)
TWIN_SEEDS = by_profile(quick=3, standard=6, full=30)
twins = np.array([[twin_score(f, seed) for seed in range(TWIN_SEEDS)] for f in shares])
fig, ax = plt.subplots(figsize=(6, 3))
ax.errorbar(shares, twins.mean(axis=1), twins.std(axis=1, ddof=1), fmt="o", capsize=4,
            label="measured")
ax.plot(shares, forecast, "--", color=plotting.GRAY, label="formula")
ax.set(title="All rows twice: coin flips predicted at 90 %", xlabel="share f repeated",
       ylabel="accuracy (± s.d.)", ylim=(0.4, 1))
ax.legend()
plt.show()
claim("twins: measured against the formula, largest difference of the means",
      np.abs(twins.mean(axis=1) - forecast).max(), at_most=0.06)


# %% [markdown]
# Crops of one photograph, frames of one video, a text scraped twice, an augmented copy (3.11): all are twins. Remove repeats *before* splitting, and split by origin.

# %% [markdown]
# ### Exercise 3.7 · an alarm for label leaks (5 min)
# A procedure that can't cheat must score at chance when the labels are shuffled. So take the *whole* procedure as a function `score(X, y)`, selection and all, and feed it shuffled labels. Return the scores; the caller's `X` and `y` must stay as they were.

# %% tags=["exercise"]
def shuffled_scores(score, X, y, repeats, rng):
    """What a procedure scores on labels in random order.

    score: function of X (n, d) and y (n,) -> number; rng: np.random.Generator
    -> (repeats,) scores
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("3.7", "the alarm rings for the leak, and only for it"):
    X_t, y_t = noise_table(1500, 370)
    seen_t, given_t = [], (X_t.copy(), y_t.copy())

    def remember_t(X, y):
        np.testing.assert_array_equal(X, X_t, "X must stay as it is")
        seen_t.append(np.array(y))
        return len(seen_t)

    scores_t = shuffled_scores(remember_t, *given_t, 9, np.random.default_rng(1))
    np.testing.assert_array_equal(scores_t, np.arange(1, 10), "the scores, in order")
    np.testing.assert_array_equal(given_t[1], y_t, "the caller's y must stay as it was")
    for labels_t in seen_t:
        assert sorted(labels_t) == sorted(y_t), "shuffle: the same labels, reordered"
    assert len({tuple(labels_t) for labels_t in (*seen_t, y_t)}) == 10, \
        "a new order each time"
    alarm_t = {f.__name__: np.mean(shuffled_scores(f, X_t.copy(), y_t.copy(), 5,
                                                   np.random.default_rng(2)))
               for f in (leaky, honest)}
    assert alarm_t["leaky"] > 0.8 and abs(alarm_t["honest"] - 0.5) < 0.15, alarm_t
    print("labels shuffled:", {name: f"{s:.2f}" for name, s in alarm_t.items()})

# %% [markdown]
# <details><summary>Hint</summary>
#
# `rng.permutation(y)` returns a shuffled copy; `rng.shuffle(y)` works in place.
# </details>

# %% tags=["solution"]
#@title Solution 3.7 · runs only while yours does not pass
if not solved("3.7"):
    def shuffled_scores(score, X, y, repeats, rng):
        return np.array([score(X, rng.permutation(y)) for _ in range(repeats)])


# %% [markdown]
# Once your function works, the check's last line shows the alarm: loud for the leaky procedure, silent for the honest one. Know its blind spot: shuffling gives twins *different* labels, so it doesn't ring for duplicates. They need their own check, a count of rows that occur on both sides:

# %%
def on_both_sides(X_train, X_test):
    """Share of test rows that occur, exactly, among the training rows."""
    known_rows = set(map(tuple, X_train))
    return np.mean([tuple(row) in known_rows for row in X_test])


double_rng = np.random.default_rng(371)
doubled = np.tile(double_rng.normal(size=(100, 5)), (2, 1))[double_rng.permutation(200)]
print(f"doubled table: {on_both_sides(doubled[:100], doubled[100:]):.0%};",
      f"wines: {on_both_sides(wine.data[::2], wine.data[1::2]):.0%};",
      f"digits: {on_both_sides(all_digits.data[::2], all_digits.data[1::2]):.0%}")

# %% [markdown]
# ## 3.8 Categories are not numbers
#
# A model wants numbers, a cultivar is a name. Numbering the names alphabetically, 0, 1, 2, is called *ordinal encoding*, and it tells a linear model that Barolo lies halfway between Barbera and Grignolino. *One-hot encoding* (独热编码) gives each name its own column of 0 and 1.
# What least squares makes of them: let $O$ $(n, k)$ be the one-hot table, $y$ $(n,)$ the proline, and $w$ $(k,)$ one coefficient per column. A row of class $c$ has its only 1 in column $c$, so its prediction $(Ow)_i$ is $w_c$, and the squared error splits into one sum per class. Each is smallest where its derivative is 0:
#
# $$\sum_i (y_i - (Ow)_i)^2 = \sum_c \sum_{i \in c} (y_i - w_c)^2, \qquad -2\sum_{i \in c} (y_i - w_c) = 0 \;\Rightarrow\; w_c = \frac{1}{n_c}\sum_{i \in c} y_i :$$
#
# each class gets its own mean ($n_c$ is its number of rows).
#
# With one ordinal column the three predictions are forced onto a straight line.

# %%
proline = original[:, 4]
sorted_names = sorted(KNOWN)
codes = np.array([sorted_names.index(name) for name in cultivars])
O = np.eye(3)[codes]  # (178, 3)
w = np.linalg.lstsq(O, proline)[0]  # (3,)
means = np.array([proline[codes == c].mean() for c in range(3)])
slope, start = np.polyfit(codes, proline, 1)
claim("one-hot coefficients against class means, largest difference",
      np.abs(w - means).max(), at_most=1e-10)

fig, ax = plt.subplots(figsize=(6, 3.2))
jitter = np.random.default_rng(38).uniform(-0.12, 0.12, 178)
ax.plot(codes + jitter, proline, ".", color=plotting.GRAY)
ax.plot([0, 2], [start, start + 2 * slope], "s-", color=plotting.RED,
        label="ordinal: one slope")
ax.plot(range(3), w, "D", color=plotting.BLUE, ms=9, label="one-hot: the means")
ax.set(title="An invented order forces an invented line", xticks=range(3),
       xticklabels=sorted_names, ylabel="proline (mg/L)")
ax.legend()
plt.show()
for name, predicted in (("ordinal", start + slope * codes), ("one-hot", O @ w)):
    explained = 1 - np.var(proline - predicted) / np.var(proline)
    print(f"{name}: explains {explained:.0%} of the variance of proline")
intercept = np.column_stack([np.ones(178), O])
print("columns with an intercept:", intercept.shape[1],
      " rank:", np.linalg.matrix_rank(intercept))


# %% [markdown]
# The line misses all three means. The last line is the *dummy trap*: the one-hot columns sum to the intercept's column of ones, so one of the four columns is redundant (the *rank*, the number of independent columns, is 3) and unpenalized coefficients are not unique; drop one column, or the intercept, or use a penalty. Ordinal codes are right for true orders (small, medium, large) and harmless for trees,
# which can cut twice. For thousands of names (words, customers) one-hot becomes an *embedding*, notebook [[embeddings_and_attention]].

# %% [markdown]
# ### Exercise 3.8 · names nobody has seen (5 min)
# The vocabulary is learned from the training rows; a new name in production must not crash: it gets a row of zeros. Columns in sorted order.

# %% tags=["exercise"]
def one_hot(train_names, names):
    """One-hot columns for the names in training, sorted; unknown names are all zeros.

    train_names: (n,) str, names: (m,) str -> (m, number of different training names)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
from sklearn.preprocessing import OneHotEncoder

with check("3.8", "one-hot with unknown names"):
    fruit_t = np.array(["plum", "fig", "plum", "apple", "fig", "kiwi"])
    for train_t, names_t in ((fruit_t, fruit_t), (fruit_t, fruit_t[:1]),
                             (fruit_t, np.array(["fig", "mango", "apple", "Fig", "z"])),
                             (fruit_t[:1], np.array(["fig", "plum"]))):  # one known
        encoder_t = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        expected_t = encoder_t.fit(train_t[:, None]).transform(names_t[:, None])
        got_t = np.asarray(one_hot(train_t.copy(), names_t.copy())).astype(float)
        np.testing.assert_array_equal(got_t, expected_t, f"{names_t} after {train_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Compare every name with every known one: `names[:, None] == np.unique(train_names)` has shape (m, k).
# </details>

# %% tags=["solution"]
#@title Solution 3.8 · runs only while yours does not pass
if not solved("3.8"):
    def one_hot(train_names, names):
        known = np.unique(train_names)
        return (names[:, None] == known).astype(float)


# %% [markdown]
# ## 3.9 Augmentation: new images from old
#
# *Augmentation* (数据增强) shows the model variants of a training image that deserve the same label. Two of them are pure indexing: a flip reads the columns backward, a crop reads a window. Rotating and scaling need values *between* pixels, so ask the question backward: for each pixel of the **new** image,
# where in the **old** one did it come from?
#
# Let $A$ $(2, 2)$ move offsets (row, column) from the center, and $t$ $(2,)$ shift them. New $= A \cdot$ old $+\, t$, so old $= A^{-1}(\text{new} - t)$. To rotate counterclockwise by $\theta$ and enlarge by $s$ (rows count downward):
#
# $$A = s \begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta \end{pmatrix}.$$
#
# (A test: at $\theta = 90°$, $s = 1$, the pixel right of the center, offset $(0, 1)$, goes to $(-1, 0)$: one row up, which is counterclockwise.)
#
# The place found is rarely a whole pixel. With $u, v \in [0, 1)$ the remainders past pixel $(i, j)$, *bilinear interpolation* (双线性插值) mixes the four around it:
# $\;(1-u)(1-v)\,x_{i,j} + (1-u)v\,x_{i,j+1} + u(1-v)\,x_{i+1,j} + uv\,x_{i+1,j+1}$. Outside the image there is 0.

# %%
def turn_and_zoom(degrees, zoom=1.0):
    """The matrix A: counterclockwise turn, then enlargement. -> (2, 2)"""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return zoom * np.array([[c, -s], [s, c]])


def warp(image, A, shift=(0, 0)):
    """Move an image by new = A old + shift, about its center; 0 comes in from outside.

    image: (height, width) or (height, width, channels); A: (2, 2); shift: rows, columns
    -> float, shape of image
    """
    size = np.array(image.shape[:2])
    center = (size - 1) / 2
    new = np.moveaxis(np.indices(size), 0, -1) - center - shift  # (height, width, 2)
    old = new @ np.linalg.inv(A).T + center + 1  # + 1: a frame of zeros is added
    framed = np.pad(image, [(1, 1), (1, 1)] + [(0, 0)] * (image.ndim - 2))
    old = np.clip(old, 0, size + 1 - 1e-9)
    i, j = np.moveaxis(old.astype(int), -1, 0)
    u, v = np.moveaxis(old - old.astype(int), -1, 0)
    if image.ndim == 3:
        u, v = u[..., None], v[..., None]
    return ((1 - u) * ((1 - v) * framed[i, j] + v * framed[i, j + 1])
            + u * ((1 - v) * framed[i + 1, j] + v * framed[i + 1, j + 1]))


# %% tags=["evidence"]
#@title Evidence: warp against np.rot90 and SciPy
from scipy.ndimage import affine_transform

small_image = np.random.default_rng(39).random((9, 7))
square = np.arange(36.0).reshape(6, 6)
claim("turned by 90° against np.rot90, largest difference", np.abs(
    warp(square, turn_and_zoom(90)) - np.rot90(square)).max(), at_most=1e-6)
A, shift, middle = turn_and_zoom(25, 1.3), np.array([0.7, -1.2]), np.array([4, 3])
back = np.linalg.inv(A)
scipy_says = affine_transform(small_image, back, middle - back @ (middle + shift),
                              order=1, mode="grid-constant")
claim("turned, enlarged and shifted against SciPy, largest difference",
      np.abs(warp(small_image, A, shift) - scipy_says).max(), at_most=1e-6)

# %% [markdown]
# Two more need no geometry. **Cutout** blanks a square, so that no single spot can carry the decision. **Mixup** (Zhang and others, 2018) blends two images *and their labels*, $\tilde x = \lambda x_1 + (1-\lambda)x_2$, $\tilde y = \lambda y_1 + (1-\lambda)y_2$, with $\lambda$ drawn from a Beta distribution: where the image is 70 % flower, so is the label.

# %%
from sklearn.datasets import load_sample_images

temple, flower = (image[::3, ::3] / 255 for image in load_sample_images().images)


def cutout(image, top, left, size):
    """A copy with a gray square."""
    image = image.copy()
    image[top:top + size, left:left + size] = 0.5
    return image


def mixup(x1, y1, x2, y2, share):
    """Blend two examples and their one-hot labels; share of the first in [0, 1]."""
    return share * x1 + (1 - share) * x2, share * y1 + (1 - share) * y2


blend, label = mixup(flower, np.array([1, 0]), temple, np.array([0, 1]), 0.7)
variants = {
    "original": flower, "flip": flower[:, ::-1],
    "turn by 20°": warp(flower, turn_and_zoom(20)),
    "enlarge by 1.5": warp(flower, turn_and_zoom(0, 1.5)),
    "shrink to 0.7": warp(flower, turn_and_zoom(0, 0.7)),
    "crop": flower[30:110, 60:180], "cutout": cutout(flower, 60, 90, 45),
    f"mixup: {label[0]:.1f} flower, {label[1]:.1f} temple": blend}
fig, axes = plt.subplots(2, 4, figsize=(6.4, 2.9))
for ax, (name, variant) in zip(axes.flat, variants.items()):
    ax.imshow(np.clip(variant, 0, 1))
    ax.set_title(name, fontsize=7.5)
    ax.axis("off")
fig.suptitle("Eight images from one photograph (and a temple)", fontweight="bold")
plt.show()


# %% [markdown]
# All but the last are still a flower, at these amounts. At others they are not: a larger cutout would hide the blossom, and a crop of the upper left corner would show leaves labeled "flower". Each has its limit:
#
# | augmentation | the label survives if … | fails for |
# |---|---|---|
# | flip | a mirrored one could be real | digits, text, traffic signs, left and right hands |
# | turn | the camera could have been held so | 6 and 9, arrows; small angles are safe |
# | crop, shift | the object stays inside | small objects, whole-scene labels |
# | enlarge, shrink | size is not the label | cells measured by size, distances |
# | cutout | what identifies it stays visible | a defect of a few pixels |
# | mixup | labels may be fractions | labels that can't be averaged: a sentence, an outline |

# %% [markdown]
# ### Exercise 3.9 · random crop (5 min)
# Cut a random window out of an image. Every position inside must be possible, the last row and column included, and all equally likely.

# %% tags=["exercise"]
def random_crop(image, height, width, rng):
    """A window of the image at a random place.

    image: (h, w) or (h, w, channels); rng: np.random.Generator
    -> (height, width) or (height, width, channels)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("3.9", "random crops"):
    for shape_t in ((5, 8), (5, 8, 3)):
        image_t = np.arange(np.prod(shape_t)).reshape(shape_t)
        seen_t, rng_t = [], np.random.default_rng(39)
        for _ in range(1200):
            crop_t = np.asarray(random_crop(image_t.copy(), 3, 6, rng_t))
            assert crop_t.shape == (3, 6, *shape_t[2:]), f"shape {crop_t.shape}"
            corner_t = crop_t.reshape(-1)[0] // (1 if len(shape_t) == 2 else 3)
            top_t, left_t = divmod(int(corner_t), 8)
            np.testing.assert_array_equal(
                crop_t, image_t[top_t:top_t + 3, left_t:left_t + 6], "not a window")
            seen_t.append((top_t, left_t))
        counts_t = [seen_t.count((i, j)) for i in range(3) for j in range(3)]
        assert min(counts_t) > 80, f"places seen (3 × 3, expected 133 each): {counts_t}"
    whole_t = random_crop(image_t.copy(), 5, 8, rng_t)
    np.testing.assert_array_equal(whole_t, image_t, "full size: the whole image")

# %% [markdown]
# <details><summary>Hint</summary>
#
# A window of height 3 in an image of height 5 can start at 0, 1 or 2: `rng.integers(0, 5 - 3 + 1)`, whose upper end is exclusive.
# </details>

# %% tags=["solution"]
#@title Solution 3.9 · runs only while yours does not pass
if not solved("3.9"):
    def random_crop(image, height, width, rng):
        top = rng.integers(0, image.shape[0] - height + 1)
        left = rng.integers(0, image.shape[1] - width + 1)
        return image[top:top + height, left:left + width]

# %% [markdown]
# ## 3.10 Where the label breaks: a flipped 2
#
# Document 2 (3.3.2) recommends flips, rotation and scaling and names no limit. Test it: train a good digit reader (an SVM) on upright digits, and show it the 500 test digits mirrored, upside down and turned by 180°. What can that show? How far a variant lies from the *training images*, and as what it is mistaken.
# It can't show whether the label survives: the reader may fail on a digit that you read easily, and find its digit in one that is none. Look for both.

# %%
digits = data.digits()
X_train, X_test = digits.x_train / 16, digits.x_test / 16  # (n, 8, 8) in [0, 1]
y_train, y_test = digits.y_train, digits.y_test
flat = lambda images: images.reshape(len(images), -1)
reader = SVC(gamma=0.05, C=10).fit(flat(X_train), y_train)
TURNS = {"upright": X_test, "mirrored": X_test[:, :, ::-1],
         "upside down": X_test[:, ::-1], "turned 180°": X_test[:, ::-1, ::-1]}
said = {name: reader.predict(flat(images)) for name, images in TURNS.items()}
kept = np.array([[np.mean(said[name][y_test == c] == c) for c in range(10)]
                 for name in TURNS])

fig, ax = plt.subplots(figsize=(8, 2.8))
ax.imshow(kept, cmap="viridis", vmin=0, vmax=1, aspect="auto")
for i, name in enumerate(TURNS):
    for c in range(10):
        other = np.bincount(said[name][y_test == c], minlength=10).argmax()
        text = f"{kept[i, c]:.0%}" + (f"\n→ {other}" if other != c else "")
        ax.text(c, i, text, ha="center", va="center", fontsize=8,
                color="black" if kept[i, c] > 0.6 else "white")
ax.set(title="Share read as the digit before the transform (→ what most become)",
       xticks=range(10), yticks=range(4), yticklabels=list(TURNS), xlabel="digit")
ax.grid(False)
plt.show()
turned = said["turned 180°"]
print(f"6 turned, read as 9: {np.mean(turned[y_test == 6] == 9):.0%};",
      f"9 turned, read as 6: {np.mean(turned[y_test == 9] == 6):.0%};",
      f"2 mirrored, still a 2: {np.mean(said['mirrored'][y_test == 2] == 2):.0%}")

# %% tags=["figure"]
#@title Figure: Above: upright. Below: 2s mirrored, 6s turned
shown = np.r_[np.flatnonzero(y_test == 2)[:5], np.flatnonzero(y_test == 6)[:5]]
rows = np.concatenate([X_test[shown], np.r_[X_test[shown[:5], :, ::-1],
                                            X_test[shown[5:], ::-1, ::-1]]])
answers = reader.predict(flat(rows))
figure = plotting.image_grid(rows, [f"read: {a}" for a in answers],
                             wrong=answers != np.tile(y_test[shown], 2))
figure.suptitle("Above: upright. Below: 2s mirrored, 6s turned", fontsize=10)
plt.show()

# %% [markdown]
# 0 is symmetric and is read after all three. So is 8, but there the table flatters: several mirrored digits become 8s, too. A turned 6 *is* a 9 (92 % are read so): a training set augmented that way contains 9s labeled 6. A mirrored 2 is no digit at all; what teaching it costs, the next section measures.
# And most 4s are "still a 4", mirrored or upside down, though you would write none that way: a high share is no proof that the label survives. Rotation is a matter of degree:

# %%
for angle in (10, 20, 30, 90):
    tilted = flat(np.array([warp(image, turn_and_zoom(angle)) for image in X_test]))
    answers = reader.predict(tilted)
    most = np.bincount(answers).argmax()
    print(f"turned by {angle}°: {np.mean(answers == y_test):.0%} still read correctly;",
          f"most frequent answer {most} ({np.mean(answers == most):.0%})")


# %% [markdown]
# A 2 turned by 30° is still a 2, yet this reader, trained upright, gets only half of the digits right, and at 90° it gives the same answer to everything. Whether the label survives, a person must say. So keep turns as small as those of real writers, and look at the results.

# %% [markdown]
# ## 3.11 Does it help? Few digits, many variants
#
# Train 1-nearest-neighbor on $n$ digits; add ten variants of each, with small random turns (±8°), zooms (±5 %) and shifts (±0.35 pixel); or, against better knowledge, mirrored copies. Test on the same 500 untouched digits. **Validation and test rows are never augmented**: they must look like what will come.

# %%
def jiggle(image, rng):
    """A small random turn, zoom and shift."""
    A = turn_and_zoom(rng.uniform(-8, 8), rng.uniform(0.95, 1.05))
    return warp(image, A, rng.uniform(-0.35, 0.35, 2))


def few_digits(n, seed, copies=10):
    """Test accuracy of 1-NN: plain, with jiggled copies, with mirrored copies."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(X_train))[:n]
    X, y = X_train[rows], y_train[rows]
    jiggled = np.array([jiggle(image, rng) for _ in range(copies) for image in X])
    sets = [(X, y), (np.concatenate([X, jiggled]), np.tile(y, 1 + copies)),
            (np.concatenate([X, X[:, :, ::-1]]), np.tile(y, 2))]
    return [KNeighborsClassifier(1).fit(flat(X), y).score(flat(X_test), y_test)
            for X, y in sets]


SIZES = by_profile(quick=[50, 200], standard=[30, 50, 100, 200],
                   full=[30, 50, 100, 200, 500, 1000])
FEW_SEEDS = by_profile(quick=2, standard=5, full=20)
few = np.array([[few_digits(n, seed) for seed in range(FEW_SEEDS)] for n in SIZES])
gain = 100 * (few[:, :, 1:] - few[:, :, :1])  # in points; paired: the same digits

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
styles = ((plotting.GRAY, "plain"), (plotting.BLUE, "small turns, zooms, shifts"),
          (plotting.RED, "mirrored"))
for k, (hue, name) in enumerate(styles):
    left.errorbar(SIZES, few[:, :, k].mean(axis=1), few[:, :, k].std(axis=1, ddof=1),
                  fmt="o-", color=hue, capsize=3, label=name)
for k, (hue, name) in enumerate(styles[1:]):
    right.errorbar(SIZES, gain[:, :, k].mean(axis=1), gain[:, :, k].std(axis=1, ddof=1),
                   fmt="o-", color=hue, capsize=3)
left.set(title="Accuracy on 500 test digits", ylabel="accuracy (± s.d.)")
right.axhline(0, color="black", lw=0.8)
right.set(title="Gain over plain, same digits", ylabel="points (± s.d.)")
for ax in (left, right):
    ax.set(xscale="log", xlabel="training digits")
    ax.minorticks_off()
    ax.set_xticks(SIZES, SIZES)
left.legend(fontsize=8)
plt.show()
for n, mean, s in zip(SIZES, gain.mean(axis=1), gain.std(axis=1, ddof=1)):
    print(f"n = {n:4}: small variants {mean[0]:+.1f} ± {s[0]:.1f} points,"
          f" mirrored {mean[1]:+.1f} ± {s[1]:.1f}")
claim("mean gain of small variants at 50 training digits, in points",
      gain[SIZES.index(50), :, 0].mean(), at_least=1.0)


# %% [markdown]
# The small variants gain about three points at 30 and 50 digits and one at 200. Mirroring costs about two points at 30; from 50 on its loss is no larger than its spread over the five seeds. Augmentation states what should *not* matter (an invariance); it adds no new content. Ten variants of each of 50 digits are 550 images, but worth far less than 550 digits: in the left panel the blue point at 50 lies below the gray one at 100.
# That is why two sentences need a limit: augmentation does improve generalization (Document 3, appendix, 9.2), if the label survives; but it is no answer to a lack of labeled or *diverse* data (Document 2, 6.2). Transfer and self-supervision do better there (notebook [[transfer_learning]]).
#
# And the order matters. Augment first and split afterward, and the variants become twins (3.7):

# %%
def augmented_first(seed, n=100):
    """Score of 1-NN on coin-flip labels, validated on variants; and split first."""
    rng = np.random.default_rng(seed)
    X, y = X_train[rng.permutation(len(X_train))[:n]], rng.integers(0, 2, n)
    variants = np.array([jiggle(image, rng) for _ in range(4) for image in X])
    X_all, y_all, origin = flat(variants), np.tile(y, 4), np.tile(np.arange(n), 4)
    mixed = KFold(5, shuffle=True, random_state=seed).split(X_all)
    parts = [(origin[:, None] != part).all(axis=1) for _, part in k_folds(n, 5)]
    apart = [(np.flatnonzero(keep), np.flatnonzero(~keep)) for keep in parts]
    return [np.mean([KNeighborsClassifier(1).fit(X_all[train], y_all[train])
                     .score(X_all[test], y_all[test]) for train, test in folds])
            for folds in (mixed, apart)]


pairs = np.array([augmented_first(seed)
                  for seed in range(by_profile(quick=2, standard=10, full=40))])
means, errors = pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))
print(f"digits with coin-flip labels; augmented, then split: {means[0]:.3f} ±"
      f" {errors[0]:.3f}; split by origin: {means[1]:.3f} ± {errors[1]:.3f}",
      "(standard error)")

# %% [markdown]
# ## 3.12 The same numbers from Keras
#
# Document 4 (7.2) names Pandas, NumPy and SciPy as the tools for preparing data (SciPy is a library for scientific computing in general; its `ndimage` was our witness in 3.9). In the TensorFlow stack the work is done by `tf.data` (notebook [[training_at_scale]]) and by *preprocessing layers*, which travel with the saved model, so that production can't
# scale differently from training. Compare them with ours:

# %%
tf = devices.setup(seed=0)
import keras

normalization = keras.layers.Normalization(dtype="float64")
normalization.adapt(wine.data[fit_rows])
ours = scale("standard", wine.data[fit_rows], wine.data[new_rows])
claim("Normalization against ours, largest difference", np.abs(
    normalization(wine.data[new_rows]).numpy() - ours).max(), at_most=1e-5)
rescaled = keras.layers.Rescaling(1 / 16)(digits.x_test).numpy()
claim("Rescaling against x / 16, largest difference",
      np.abs(rescaled - X_test).max(), at_most=1e-7)
lookup = keras.layers.StringLookup(vocabulary=sorted_names, output_mode="one_hot")
encoded = np.array(lookup(tf.constant(["Barolo", "Merlot"])))
print("one-hot, first column for unknown names:", *encoded.astype(int))

# %% tags=["evidence"]
#@title Evidence: Keras' random layers against ours
batch = X_test[:100, :, :, None].astype("float32")  # (100, 8, 8, 1)
flipped = tf.image.flip_left_right(batch).numpy()
claim("tf.image.flip_left_right, largest difference",
      np.abs(flipped - batch[:, :, ::-1]).max(), at_most=0)
either = keras.layers.RandomFlip("horizontal", seed=0)
outcome = either(batch, training=True).numpy()
mirrored, same = (np.all(outcome == b, axis=(1, 2, 3)) for b in (flipped, batch))
print(f"RandomFlip on 100 digits: {np.sum(same)} as they were,",
      f"{np.sum(mirrored & ~same)} mirrored, {np.sum(~mirrored & ~same)} anything else")

turn = keras.layers.RandomRotation((20 / 360, 20 / 360), fill_mode="constant")
zoom = keras.layers.RandomZoom((-1 / 3, -1 / 3), fill_mode="constant")
for name, layer, A in (("turn", turn, turn_and_zoom(20)),
                       ("enlarge", zoom, turn_and_zoom(0, 1.5))):
    ours = np.array([warp(image, A) for image in batch])
    difference = np.abs(layer(batch, training=True).numpy() - ours)
    claim(f"{name} against warp, largest difference", difference.max(), at_most=1e-5)
still = [layer(batch, training=False).numpy() for layer in (either, turn, zoom)]
claim("at prediction time they change nothing, largest difference",
      max(np.abs(s - batch).max() for s in still), at_most=0)

# %% [markdown]
# A degenerate range (from 20° to 20°) makes a random layer deterministic, so that it can be tested. And the random layers switch themselves off at prediction: "never augment validation data" is built in.
#
# One costly line fits here: Document 2's listing (5.2) divides MNIST's bytes by 255.0 and converts to float32 *afterward*; Document 3's (5.2) doesn't convert at all.

# %% tags=["nbval-check-output"]
pixels = np.zeros((600, 28, 28), np.uint8)
for name, made in {"x / 255.0": pixels / 255.0,
                   "x.astype('float32') / 255": pixels.astype("float32") / 255}.items():
    print(f"{name:26} {made.dtype!s:8} {made.nbytes / 1e4:6.1f} MB for 60,000 digits")

# %% [markdown]
# The first makes a float64 copy of twice the size, to throw it away (Document 2) or to keep it (Document 3).

# %% [markdown]
# ## 3.13 Where it breaks
#
# - **Tomorrow's table.** Rules and statistics are frozen at training. If the unit, the camera or the customers change, a frozen scaler turns it into silent nonsense: check ranges and missing shares on every incoming batch (notebook [[deployment_and_monitoring]]).
# - **A column from the future.** "Date of discharge" predicts the diagnosis because it is written after it. No shuffling finds that; ask for each column *when* it is known.
# - **Cleaning as bias.** Rows with holes, outliers and odd spellings come more often from some people than others. Count what every rule drops, per group (notebook [[interpretability_and_fairness]]).
# - **Cross-validation reuses rows.** Its folds share training data, so the spread over folds is not a standard error of independent trials, and a score that decided something needs a fresh test set.
#
# **What a product team should ask.** Which rule changed or dropped how many rows, and where is the log? Why are values missing? Was anything fitted before the split? What was chosen on which set, and how often was the test set opened? Does the split mimic the launch: new users, new months, new sites? Could a person still name the label of our
# augmented images?

# %% [markdown]
# ## Summary
#
# 1. Look, then repair by rules with a reason and a log; what is impossible becomes missing, what is rare but true stays.
# 2. Ask why a value is missing: dropping rows biases the mean under MAR and MNAR, filling with it shrinks the spread, flags keep the information.
# 3. Mean and s.d. hide outliers ($|z| \le (n-1)/\sqrt n$); median and MAD hold until half of the values are bad.
# 4. Everything that learns, learns on training rows; validation decides, test measures once; split as the model will be used.
# 5. Augmentation teaches what should not matter: only with labels that survive, only on training rows, only after the split.
#
# | key formula | |
# |---|---|
# | filling with the mean | $s^2_{\text{filled}} = (1-q)\,s^2_{\text{observed}}$ |
# | masking | $\lvert z\rvert \le (n-1)/\sqrt n$; a share $p$ in one place: $z = \sqrt{(1-p)/p}$ |
# | robust z | $(x - \text{median}) / (1.4826\,\text{MAD})$ |
# | min-max, standard | $(x - x_{\min})/(x_{\max} - x_{\min})$, $\;(x - \bar x)/s$ |
# | warp | old $= A^{-1}(\text{new} - t)$ |
# | mixup | $\tilde x = \lambda x_1 + (1-\lambda)x_2$, $\tilde y = \lambda y_1 + (1-\lambda) y_2$ |
#
# ### Further reading
# - D. B. Rubin (1976). Inference and missing data. *Biometrika* 63(3), 581–592.
# - R. J. A. Little, D. B. Rubin (2019). *Statistical Analysis with Missing Data*, 3rd edition. Wiley.
# - P. J. Rousseeuw, M. Hubert (2011). Robust statistics for outlier detection. *WIREs Data Mining and Knowledge Discovery* 1(1), 73–79.
# - C. Ambroise, G. J. McLachlan (2002). Selection bias in gene extraction on the basis of microarray gene-expression data. *PNAS* 99(10), 6562–6566.
# - S. Kaufman, S. Rosset, C. Perlich, O. Stitelman (2012). Leakage in data mining: formulation, detection, and avoidance. *ACM Transactions on Knowledge Discovery from Data* 6(4), 15.
# - T. DeVries, G. W. Taylor (2017). Improved regularization of convolutional neural networks with cutout. arXiv:1708.04552.
# - H. Zhang, M. Cissé, Y. N. Dauphin, D. Lopez-Paz (2018). mixup: Beyond empirical risk minimization. *ICLR*.
#
# **Next:** notebook [[neurons_and_layers]], neurons and layers. The table is ready; now build what reads it.
