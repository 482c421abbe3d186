# Right answers in another style, which the checks of 24_recommender_systems must accept.

# %% 24.1 a loop over the candidates
def is_late(times, share):
    order = sorted(range(len(times)), key=lambda i: times[i])
    n_late = int(share * len(times))
    training = {int(times[i]) for i in order[: len(times) - n_late]}
    return np.array([bool(int(t) > max(training)) for t in times])

# %% 24.1 partition
def is_late(times, share):
    times = np.asarray(times)
    last = len(times) - int(share * len(times)) - 1
    return times > np.partition(times, last)[last]

# %% 24.2a a loop
def recall_at_k(ranked, relevant, k):
    if len(relevant) == 0:
        return float("nan")
    hits = 0
    for film in ranked[:k]:
        if film in relevant:
            hits += 1
    return hits / len(relevant)

# %% 24.2a isin
def recall_at_k(ranked, relevant, k):
    return np.isin(list(relevant), ranked[:k]).mean() if relevant else np.nan

# %% 24.2b a loop and natural logarithms
def ndcg_at_k(ranked, relevant, k):
    if not relevant:
        return float("nan")
    found = top = 0.0
    for i in range(k):
        gain = np.log(2) / np.log(i + 2)
        if i < len(ranked) and ranked[i] in relevant:
            found += gain
        if i < len(relevant):
            top += gain
    return found / top

# %% 24.2b sums of generators
def ndcg_at_k(ranked, relevant, k):
    if len(relevant) == 0:
        return np.nan
    dcg = sum(1 / np.log2(place + 1) for place, film in enumerate(ranked[:k], start=1) if film in relevant)
    return dcg / sum(1 / np.log2(place + 1) for place in range(1, min(k, len(relevant)) + 1))

# %% 24.3 columns of length one, in float64
def film_cosines(likes):
    length = np.linalg.norm(likes.astype(float), axis=0)
    unit = likes / np.where(length > 0, length, 1)
    found = unit.T @ unit
    np.fill_diagonal(found, 0)
    return found

# %% 24.3 film by film
def film_cosines(likes):
    n = likes.sum(axis=0)
    found = np.zeros((likes.shape[1], likes.shape[1]), np.float32)
    for i in range(likes.shape[1]):
        both = likes[:, i] @ likes
        product = np.sqrt(n[i] * n)
        found[i] = np.divide(both, product, out=np.zeros_like(product), where=product > 0)
        found[i, i] = 0
    return found

# %% 24.4 with all the weights
def als_step(likes, V, alpha, reg):
    X = []
    for row in np.asarray(likes, float):
        w = 1 + alpha * row
        A = (V * w[:, None]).T @ V + reg * np.eye(V.shape[1])
        X.append(np.linalg.solve(A, V.T @ (w * row)))
    return np.array(X)

# %% 24.4 all rows at once
def als_step(likes, V, alpha, reg):
    d = V.shape[1]
    outer = (V[:, :, None] * V[:, None, :]).reshape(len(V), d * d)
    A = V.T @ V + alpha * (likes @ outer).reshape(-1, d, d) + reg * np.eye(d)
    b = (1 + alpha) * (likes @ V)
    return np.linalg.solve(A, b[:, :, None])[:, :, 0]

# %% 24.5 where
def honest_scores(all_likes, late, k):
    known = np.where(late == 1, 0, all_likes).astype(np.float32)
    near = film_neighbors(known, k)
    return neighbor_scores(known, near)

# %% 24.5 a copy with holes
def honest_scores(all_likes, late, k):
    history = all_likes.copy()
    history[late > 0] = 0
    return neighbor_scores(history, film_neighbors(history, k))

# %% 24.7 half the mean gap
def gini(counts):
    counts = np.asarray(counts, float)
    n = len(counts)
    gaps = sum(abs(a - b) for a in counts for b in counts) if n < 100 else None
    if gaps is None:
        x = np.sort(counts)
        gaps = 2 * sum((2 * i - n + 1) * x[i] for i in range(n))
    return gaps / (2 * n * counts.sum())

# %% 24.7 the area under the curve of shares
def gini(counts):
    x = np.sort(np.asarray(counts, float))
    share = np.cumsum(x) / x.sum()
    return (len(x) + 1 - 2 * share.sum()) / len(x)
