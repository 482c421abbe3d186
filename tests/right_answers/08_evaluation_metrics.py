"""Right answers to the exercises of notebook 08 in another style: each must pass its check."""

# %% 8.2 counts in a loop
def f_beta(y, named, beta):
    tp = fp = fn = 0
    for truth, answer in zip(y, named):
        tp += bool(truth) and bool(answer)
        fp += not truth and bool(answer)
        fn += bool(truth) and not answer
    if tp == 0:
        return 0
    return (1 + beta**2) * tp / ((1 + beta**2) * tp + fp + beta**2 * fn)

# %% 8.2 from precision and recall
def f_beta(y, named, beta):
    _, precision, recall, _ = basic_metrics(y, named)
    if precision == 0:
        return np.float32(0)
    return np.float32((1 + beta**2) / (1 / precision + beta**2 / recall))

# %% 8.3 solved for the prevalence directly
def lowest_prevalence(precision, tpr, fpr):
    return precision * fpr / (tpr * (1 - precision) + precision * fpr)

# %% 8.3 by bisection
def lowest_prevalence(precision, tpr, fpr):
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if middle * tpr < precision * (middle * tpr + (1 - middle) * fpr):
            low = middle
        else:
            high = middle
    return low

# %% 8.4 class by class
def macro_f1(matrix):
    total = 0.0
    for i in range(len(matrix)):
        both = sum(matrix[i]) + sum(row[i] for row in matrix)
        total += 2 * matrix[i][i] / both if both else 0
    return total / len(matrix)

# %% 8.4 where the denominator allows it, in float32
def macro_f1(matrix):
    both = (matrix + matrix.T).sum(axis=0)
    hits = 2 * matrix.diagonal().astype("float32")
    return np.divide(hits, both, out=np.zeros_like(hits), where=both > 0).mean()

# %% 8.5a adds up
def highest_accuracy(sizes, named):
    return sum(min(n, m) for n, m in zip(sizes, named)) / sum(sizes)

# %% 8.5a from what is left over
def highest_accuracy(sizes, named):
    return np.float32(1 - np.abs(sizes - named).sum() / (2 * named.sum()))

# %% 8.5b one loop and a set
def possible_counts(n_pos, n_neg, precision, recall, decimals):
    found = set()
    for tp in range(1, n_pos + 1):
        if fits(tp / n_pos, recall, decimals):
            found |= {(tp, fp) for fp in range(n_neg + 1) if fits(tp / (tp + fp), precision, decimals)}
    return found

# %% 8.5b all at once
def possible_counts(n_pos, n_neg, precision, recall, decimals):
    tp, fp = np.meshgrid(np.arange(1, n_pos + 1), np.arange(n_neg + 1), indexing="ij")
    good = fits(tp / n_pos, recall, decimals) & fits(tp / (tp + fp), precision, decimals)
    return np.stack([tp[good], fp[good]], axis=1)

# %% 8.6 by binary search among the negatives
def rank_auc(y, s):
    negatives = np.sort(s[~y])
    below = np.searchsorted(negatives, s[y], side="left")
    not_above = np.searchsorted(negatives, s[y], side="right")
    return np.mean(below + not_above) / 2 / len(negatives)

# %% 8.6 mean ranks from SciPy
def rank_auc(y, s):
    from scipy.stats import rankdata
    n_pos = y.sum()
    rank_sum = rankdata(s)[y].sum()
    return float((rank_sum - n_pos * (n_pos + 1) / 2) / (n_pos * (len(y) - n_pos)))

# %% 8.7 threshold by threshold
def recall_at_precision(y, s, target):
    best = 0
    for threshold in set(s.tolist()):
        flagged = s >= threshold
        hits = np.sum(flagged & y)
        if hits / np.sum(flagged) >= target:
            best = max(best, hits / np.sum(y))
    return best

# %% 8.7 with a 0 appended
def recall_at_precision(y, s, target):
    precision, recall = precision_recall(y, s)
    return np.append(recall[precision >= target], 0.0).max()

# %% 8.8 bin by bin
def equal_size_ece(y, f, bins):
    order, total = np.argsort(f, kind="stable"), 0.0
    for rows in np.array_split(order, bins):
        total += len(rows) / len(f) * abs(f[rows].mean() - y[rows].mean())
    return total

# %% 8.8 sorts first, cuts then, in place
def equal_size_ece(y, f, bins):
    order = np.argsort(f, kind="stable")
    f -= y
    return np.float32(sum(abs(part.sum()) for part in np.array_split(f[order], bins)) / len(f))

# %% 8.9 tries every threshold
def cheapest_threshold(y, s, cost_false_alarm, cost_miss):
    best, lowest = np.inf, cost_miss * np.sum(y)
    for threshold in sorted(set(s), reverse=True):
        cost = cost_false_alarm * np.sum(~y & (s >= threshold)) + cost_miss * np.sum(y & (s < threshold))
        if cost < lowest:
            best, lowest = threshold, cost
    return best

# %% 8.9 a table of all thresholds, highest first
def cheapest_threshold(y, s, cost_false_alarm, cost_miss):
    thresholds = np.append(np.inf, np.unique(s)[::-1])
    flagged = s >= thresholds[:, None]
    cost = cost_false_alarm * (flagged & ~y).sum(axis=1) + cost_miss * (~flagged & y).sum(axis=1)
    return float(thresholds[cost.argmin()])

# %% 8.10 doubles, then bisects
def examples_needed(p, w):
    def wide(n):
        low, high = wilson(p * n, n)
        return (high - low) / 2 > w
    high = 1
    while wide(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if wide(middle) else (low, middle)
    return high

# %% 8.10 all sizes at once
def examples_needed(p, w):
    n = np.arange(1, 20_000)
    half = Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return n[half <= w][0]

# %% 8.12 with SciPy's binomial
def mcnemar(b, c):
    from scipy.stats import binom
    return min(1.0, 2 * binom.cdf(min(b, c), b + c, 0.5))

# %% 8.12 both tails, and the middle once
def mcnemar(b, c):
    b, c = int(b), int(c)
    m = b + c
    ways = [math.comb(m, i) for i in range(m + 1)]
    return np.float32(sum(way for i, way in enumerate(ways) if abs(2 * i - m) >= abs(b - c)) / 2**m)
