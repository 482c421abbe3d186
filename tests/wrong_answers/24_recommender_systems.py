# Wrong answers that the checks of 24_recommender_systems must refuse: each cell replaces an exercise cell.

# %% 24.1 ties are torn, by the order of the rows
def is_late(times, share):
    late = np.zeros(len(times), bool)
    late[np.argsort(times, kind="stable")[len(times) - int(share * len(times)):]] = True
    return late

# %% 24.1 ties go into the test: > → >=

# %% 24.1 the last rows as they come, not the latest
def is_late(times, share):
    late = np.zeros(len(times), bool)
    late[len(times) - int(share * len(times)):] = True
    return late

# %% 24.1 not sorted: np.sort(times) → times

# %% 24.1 a number more in the test: int(share * len(times)) → int(share * len(times)) - 1

# %% 24.1 one place too far: n_train - 1 → n_train - 2

# %% 24.1 the first ones: times > np.sort(times)[n_train - 1] → times < np.sort(times)[n_train - 1]

# %% 24.1 rounded up: int(share * len(times)) → int(np.ceil(share * len(times)))

# %% 24.1 row numbers instead of bools: return times > np.sort(times)[n_train - 1] → return np.flatnonzero(times > np.sort(times)[n_train - 1])

# %% 24.1 sorts what was given
def is_late(times, share):
    n_train = len(times) - int(share * len(times))
    times.sort()
    return times > times[n_train - 1]

# %% 24.1 a share of the time, not of the ratings
def is_late(times, share):
    times = np.asarray(times)
    return times > times.max() - share * np.ptp(times)

# %% 24.2a precision: / len(relevant) → / k

# %% 24.2a of the smaller of both: / len(relevant) → / min(k, len(relevant))

# %% 24.2a the whole list: ranked[:k] → ranked

# %% 24.2a one too many: ranked[:k] → ranked[: k + 1]

# %% 24.2a nothing relevant counts as nothing found: np.nan → 0.0

# %% 24.2a the number of hits:  / len(relevant) → 

# %% 24.2a divides by zero
def recall_at_k(ranked, relevant, k):
    return len(set(ranked[:k]) & relevant) / max(1, len(relevant))

# %% 24.2a of the list's length: / len(relevant) → / len(ranked)

# %% 24.2b the logarithm of the place: np.arange(1, k + 1) + 1) → np.arange(1, k + 1) + 2)

# %% 24.2b natural logarithm and place from 1: 1 / np.log2(np.arange(1, k + 1) + 1) → 1 / np.arange(1, k + 1)

# %% 24.2b the best list has hits everywhere: gains[: len(relevant)].sum() → gains.sum()

# %% 24.2b divided by the number relevant: gains[: len(relevant)].sum() → len(relevant)

# %% 24.2b not divided:  / gains[: len(relevant)].sum() → 

# %% 24.2b nothing relevant is 0: np.nan → 0.0

# %% 24.2b the best order of the hits that are there
def ndcg_at_k(ranked, relevant, k):
    if not relevant:
        return np.nan
    gains = 1 / np.log2(np.arange(1, k + 1) + 1)
    hits = np.array([film in relevant for film in ranked[:k]])
    return gains[: len(hits)] @ hits / max(gains[: hits.sum()].sum(), 1e-9)

# %% 24.2b the best list ignores k
def ndcg_at_k(ranked, relevant, k):
    if not relevant:
        return np.nan
    gains = 1 / np.log2(np.arange(1, len(relevant) + k + 1) + 1)
    hits = np.array([film in relevant for film in ranked[:k]])
    return gains[: len(hits)] @ hits / gains[: len(relevant)].sum()

# %% 24.2b stumbles over a short list: gains[: len(hits)] → gains

# %% 24.2b the whole list
def ndcg_at_k(ranked, relevant, k):
    if not relevant:
        return np.nan
    gains = 1 / np.log2(np.arange(1, len(ranked) + 1) + 1)
    hits = np.array([film in relevant for film in ranked])
    return gains @ hits / gains[: min(k, len(relevant))].sum()

# %% 24.3 between users: unit.T @ unit → unit @ unit.T

# %% 24.3 its own neighbor: np.fill_diagonal(cosines, 0) → np.fill_diagonal(cosines, 1)

# %% 24.3 no root: np.sqrt(np.maximum(n, 1)) → np.maximum(n, 1)

# %% 24.3 counts, not cosines:  / np.sqrt(np.maximum(n, 1)) → 

# %% 24.3 likes of a user, not of a film: likes.sum(axis=0) → likes.sum(axis=1)[:, None]

# %% 24.3 not a number where nobody likes: np.maximum(n, 1) → n

# %% 24.3 divided once only: unit.T @ unit → unit.T @ likes

# %% 24.3 the diagonal is cleared too early
def film_cosines(likes):
    both = likes.T @ likes
    np.fill_diagonal(both, 0)
    n = np.diag(both)
    return both / np.sqrt(np.maximum(n[:, None] * n, 1))

# %% 24.3 the Jaccard index
def film_cosines(likes):
    both = likes.T @ likes
    n = np.diag(both).copy()
    found = both / np.maximum(n[:, None] + n - both, 1)
    np.fill_diagonal(found, 0)
    return found

# %% 24.3 correlation: the mean is taken away
def film_cosines(likes):
    centered = likes - likes.mean(axis=0)
    length = np.maximum(np.linalg.norm(centered, axis=0), 1e-9)
    found = centered.T @ centered / (length[:, None] * length)
    np.fill_diagonal(found, 0)
    return found

# %% 24.4 without the penalty:  + reg * np.eye(V.shape[1]) → 

# %% 24.4 the penalty on every entry: reg * np.eye(V.shape[1]) → reg

# %% 24.4 without the films not liked: V.T @ V + reg → reg

# %% 24.4 the right side without alpha: (1 + alpha) * own.sum(axis=0) → own.sum(axis=0)

# %% 24.4 alpha instead of 1 + alpha on the right: (1 + alpha) * own → alpha * own

# %% 24.4 a like weighs 2 + alpha on the left: alpha * own.T @ own → (1 + alpha) * own.T @ own

# %% 24.4 alpha is left out on the left: alpha * own.T @ own → own.T @ own

# %% 24.4 all films on the right: own.sum(axis=0) → V.sum(axis=0)

# %% 24.4 the mean on the right: own.sum(axis=0) → own.mean(axis=0)

# %% 24.4 the films not liked: V[row > 0] → V[row == 0]

# %% 24.4 the penalty twice: reg * np.eye → 2 * reg * np.eye

# %% 24.4 adds up over the users: A = shared + → A = shared = shared +

# %% 24.4 multiplies instead of solving: np.linalg.solve(A, → np.dot(A,

# %% 24.4 only the first row: return X → return X[:1]

# %% 24.5 as the colleague does: film_neighbors(history, k) → film_neighbors(all_likes, k)

# %% 24.5 the history holds the test
def honest_scores(all_likes, late, k):
    history = all_likes * (1 - late)
    return neighbor_scores(all_likes, film_neighbors(history, k))

# %% 24.5 hides the scores instead: return neighbor_scores(history, film_neighbors(history, k)) → return neighbor_scores(history, film_neighbors(all_likes, k)) * (1 - late)

# %% 24.5 learns from the test alone: all_likes * (1 - late) → all_likes * late

# %% 24.5 late cells become likes: all_likes * (1 - late) → np.maximum(all_likes, late)

# %% 24.5 one neighbor fewer: film_neighbors(history, k) → film_neighbors(history, k - 1)

# %% 24.5 users with a test are left out
def honest_scores(all_likes, late, k):
    history = all_likes * (1 - late.max(axis=1, keepdims=True))
    return neighbor_scores(history, film_neighbors(history, k))

# %% 24.7 not sorted: np.sort(counts) → np.asarray(counts)

# %% 24.7 sorted downward: np.sort(counts) → np.sort(counts)[::-1]

# %% 24.7 counted from 0: np.arange(1, n + 1) → np.arange(n)

# %% 24.7 the films shown only
def gini(counts):
    counts = np.sort(np.asarray(counts)[np.asarray(counts) > 0])
    n = len(counts)
    return (2 * np.arange(1, n + 1) - n - 1) @ counts / (n * counts.sum())

# %% 24.7 without n below: (n * np.sum(counts)) → np.sum(counts)

# %% 24.7 n instead of n + 1: - n - 1 → - n

# %% 24.7 scaled to reach 1: (n * np.sum(counts)) → (max(1, n - 1) * np.sum(counts))

# %% 24.7 sorts what was given
def gini(counts):
    counts.sort()
    n = len(counts)
    return (2 * np.arange(1, n + 1) - n - 1) @ counts / (n * counts.sum())
