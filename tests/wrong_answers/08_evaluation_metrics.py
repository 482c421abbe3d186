"""Wrong answers to the exercises of notebook 08: each must fail its check."""

# %% 8.2 weighs false alarms instead of misses: + fp + beta**2 * fn → + beta**2 * fp + fn

# %% 8.2 forgets the square
def f_beta(y, named, beta):
    tp, fp, fn, _ = four_counts(y, named)
    return ratio((1 + beta) * tp, (1 + beta) * tp + fp + beta * fn)

# %% 8.2 takes a weighted arithmetic mean
def f_beta(y, named, beta):
    tp, fp, fn, _ = four_counts(y, named)
    return (ratio(tp, tp + fp) + beta**2 * ratio(tp, tp + fn)) / (1 + beta**2)

# %% 8.2 divides by zero where nothing is found
def f_beta(y, named, beta):
    tp, fp, fn, _ = map(int, four_counts(y, named))
    return (1 + beta**2) / ((tp + fp) / tp + beta**2 * (tp + fn) / tp)

# %% 8.3 confuses the two rates: * fpr / tpr → * tpr / fpr

# %% 8.3 returns odds instead of a probability: return odds / (1 + odds) → return odds

# %% 8.3 takes the precision for the prevalence
def lowest_prevalence(precision, tpr, fpr):
    return precision

# %% 8.4 takes the F1 of the mean precision and mean recall
def macro_f1(matrix):
    hits, n, m = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    precision = np.mean(hits / np.maximum(m, 1))
    recall = np.mean(hits / np.maximum(n, 1))
    return 2 * precision * recall / (precision + recall)

# %% 8.4 calls an empty class perfect: 2 * np.diag(matrix) / np.maximum(both, 1) → np.where(both, 2 * np.diag(matrix) / np.maximum(both, 1), 1)

# %% 8.4 leaves empty classes out of the mean
def macro_f1(matrix):
    both = matrix.sum(axis=0) + matrix.sum(axis=1)
    used = both > 0
    return np.mean(2 * np.diag(matrix)[used] / both[used])

# %% 8.4 returns the micro mean
def macro_f1(matrix):
    return np.trace(matrix) / matrix.sum()

# %% 8.4 weighs by class size
def macro_f1(matrix):
    n, m = matrix.sum(axis=1), matrix.sum(axis=0)
    return np.sum(n * 2 * np.diag(matrix) / np.maximum(n + m, 1)) / n.sum()

# %% 8.4 divides zero by zero in an empty class
def macro_f1(matrix):
    with np.errstate(invalid="ignore"):
        return np.mean(2 * np.diag(matrix) / (matrix.sum(axis=0) + matrix.sum(axis=1)))

# %% 8.5a only looks at the rows
def highest_accuracy(sizes, named):
    return np.max(sizes) / sizes.sum()

# %% 8.5a takes the worst class's share
def highest_accuracy(sizes, named):
    return np.min(np.minimum(sizes, named) / np.maximum(sizes, 1))

# %% 8.5a averages over classes instead of examples
def highest_accuracy(sizes, named):
    return np.mean(np.minimum(sizes, named) / np.maximum(sizes, 1))

# %% 8.5a counts every surplus twice
def highest_accuracy(sizes, named):
    return 1 - np.abs(sizes - named).sum() / sizes.sum()

# %% 8.5b swaps precision and recall
def possible_counts(n_pos, n_neg, precision, recall, decimals):
    return [(tp, fp) for tp in range(1, n_pos + 1) for fp in range(n_neg + 1)
            if fits(tp / n_pos, precision, decimals)
            and fits(tp / (tp + fp), recall, decimals)]

# %% 8.5b rounds the one count that recall suggests
def possible_counts(n_pos, n_neg, precision, recall, decimals):
    tp = round(recall * n_pos)
    return [(tp, round(tp / precision) - tp)]

# %% 8.5b forgets that all positives may be found and all negatives flagged
def possible_counts(n_pos, n_neg, precision, recall, decimals):
    return [(tp, fp) for tp in range(1, n_pos) for fp in range(n_neg)
            if fits(tp / n_pos, recall, decimals)
            and fits(tp / (tp + fp), precision, decimals)]

# %% 8.5b asks for the exact value
def possible_counts(n_pos, n_neg, precision, recall, decimals):
    return [(tp, fp) for tp in range(1, n_pos + 1) for fp in range(n_neg + 1)
            if abs(tp / n_pos - recall) < 1e-9 and abs(tp / (tp + fp) - precision) < 1e-9]

# %% 8.6 gives equal scores different ranks
def rank_auc(y, s):
    rank = np.empty(len(s))
    rank[np.argsort(s, kind="stable")] = np.arange(1, len(s) + 1)
    n_pos, n_neg = np.sum(y), np.sum(~y)
    return (rank[y].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)

# %% 8.6 counts ties as lost
def rank_auc(y, s):
    return np.mean(s[y][:, None] > s[~y])

# %% 8.6 ranks the different values, not the examples
def rank_auc(y, s):
    rank = np.unique(s, return_inverse=True)[1] + 1
    n_pos, n_neg = np.sum(y), np.sum(~y)
    return (rank[y].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)

# %% 8.6 ranks from the highest score
def rank_auc(y, s):
    _, group, size = np.unique(-s, return_inverse=True, return_counts=True)
    rank = (np.cumsum(size) - (size - 1) / 2)[group]
    n_pos, n_neg = np.sum(y), np.sum(~y)
    return (rank[y].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)

# %% 8.7 stops at the first threshold that fails
def recall_at_precision(y, s, target):
    precision, recall = precision_recall(y, s)
    best = 0.0
    for p, r in zip(precision, recall):
        if p < target:
            break
        best = r
    return best

# %% 8.7 returns the precision: max(recall[ → max(precision[

# %% 8.7 cuts through equal scores
def recall_at_precision(y, s, target):
    order = np.argsort(-s, kind="stable")
    tp = np.cumsum(y[order])
    precision = tp / np.arange(1, len(y) + 1)
    return max((tp / tp[-1])[precision >= target], default=0.0)

# %% 8.7 demands more than the target: precision >= target → precision > target

# %% 8.7 fails where no threshold is good enough: max(recall[precision >= target], default=0.0) → recall[precision >= target].max()

# %% 8.8 bins of equal width
def equal_size_ece(y, f, bins):
    return expected_calibration_error(y, f, bins)

# %% 8.8 every bin counts the same, whatever its size
def equal_size_ece(y, f, bins):
    parts = np.array_split(np.argsort(f, kind="stable"), bins)
    return np.mean([abs(np.mean(f[rows]) - np.mean(y[rows])) for rows in parts])

# %% 8.8 distances of single forecasts
def equal_size_ece(y, f, bins):
    return np.mean(np.abs(f - y))

# %% 8.8 lets the bins cancel: sum(abs(np.sum(f[rows] - y[rows])) for rows in parts) → abs(sum(np.sum(f[rows] - y[rows]) for rows in parts))

# %% 8.8 forgets to sort: np.argsort(f, kind="stable") → np.arange(len(f))

# %% 8.9 swaps the costs: cost_false_alarm * fp + cost_miss * (tp[-1] - tp) → cost_miss * fp + cost_false_alarm * (tp[-1] - tp)

# %% 8.9 applies the formula for probabilities to scores
def cheapest_threshold(y, s, cost_false_alarm, cost_miss):
    return cost_false_alarm / (cost_false_alarm + cost_miss)

# %% 8.9 takes the lowest of equals
def cheapest_threshold(y, s, cost_false_alarm, cost_miss):
    thresholds, tp, fp = threshold_counts(y, s)
    cost = cost_false_alarm * fp + cost_miss * (tp[-1] - tp)
    return thresholds[::-1][np.argmin(cost[::-1])]

# %% 8.9 never considers flagging nothing
def cheapest_threshold(y, s, cost_false_alarm, cost_miss):
    thresholds, tp, fp = threshold_counts(y, s)
    cost = cost_false_alarm * fp + cost_miss * (tp[-1] - tp)
    return thresholds[1:][np.argmin(cost[1:])]

# %% 8.9 weighs rates instead of counts
def cheapest_threshold(y, s, cost_false_alarm, cost_miss):
    thresholds, tp, fp = threshold_counts(y, s)
    cost = cost_false_alarm * fp / fp[-1] + cost_miss * (1 - tp / tp[-1])
    return thresholds[np.argmin(cost)]

# %% 8.10 uses Wald's formula
def examples_needed(p, w):
    return max(1, int(np.ceil(p * (1 - p) * Z**2 / w**2)))

# %% 8.10 takes the whole length for half of it: [::-1]) / 2 > w → [::-1]) > w

# %% 8.10 never thinks of a single example: n = 1 → n = 2

# %% 8.10 plans for the worst case
def examples_needed(p, w):
    return int(np.ceil(Z**2 * 0.25 / w**2))

# %% 8.10 goes up in steps of ten
def examples_needed(p, w):
    n = 10
    while np.subtract(*wilson(p * n, n)[::-1]) / 2 > w:
        n += 10
    return n

# %% 8.12 one-sided: min(1.0, 2 * tail) → tail

# %% 8.12 may exceed one: min(1.0, 2 * tail) → 2 * tail

# %% 8.12 forgets the observed split itself: range(k + 1) → range(k)

# %% 8.12 only looks at one direction: b + c, min(b, c) → b + c, b

# %% 8.12 uses the normal approximation
def mcnemar(b, c):
    if b + c == 0:
        return 1.0
    z = abs(b - c) / math.sqrt(b + c)
    return 2 * (1 - NormalDist().cdf(z))

# %% 8.12 overflows for counts of NumPy: b, c = int(b), int(c) → b, c = b, c
