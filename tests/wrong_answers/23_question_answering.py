# Wrong answers that the checks of 23_question_answering must refuse: each cell replaces an exercise cell.

# %% 23.1 the ties come after: >= → >

# %% 23.1 ranks from 0, ties not counted
def rank_of_right(scores, right):
    own = scores[np.arange(len(right)), right]
    return (scores > own[:, None]).sum(axis=1)

# %% 23.1 the tie counts the right one twice
def rank_of_right(scores, right):
    own = scores[np.arange(len(right)), right]
    return 1 + np.sum(scores >= own[:, None], axis=1)

# %% 23.1 the mean of the places of a tie
def rank_of_right(scores, right):
    own = scores[np.arange(len(right)), right][:, None]
    return 1 + np.sum(scores > own, axis=1) + (np.sum(scores == own, axis=1) - 1) / 2

# %% 23.1 the smallest score first: >= → <=

# %% 23.1 place after sorting, ties in any order
def rank_of_right(scores, right):
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.argmax(order == np.asarray(right)[:, None], axis=1) + 1

# %% 23.1 one number for all: , axis=1) → )

# %% 23.3 without the rarity: rarity(having, len(counts)) * counts → counts

# %% 23.3 how often a word comes, not in how many passages: np.sum(counts > 0, axis=0) → np.sum(counts, axis=0)

# %% 23.3 no saturation
def bm25_weights(counts, k1=1.5, b=0.75):
    having = np.sum(counts > 0, axis=0)
    return rarity(having, len(counts)) * counts

# %% 23.3 length without the mean: length / length.mean() → length

# %% 23.3 the length of the column: keepdims=True) → keepdims=True).mean()

# %% 23.3 different words as length: np.sum(counts, axis=1, keepdims=True) → np.sum(counts > 0, axis=1, keepdims=True)

# %% 23.3 1 - b forgotten: (1 - b + b * length → (b * length

# %% 23.3 without k1 + 1: counts * (k1 + 1) / → counts /

# %% 23.3 number of words, not of passages: rarity(having, len(counts)) → rarity(having, counts.shape[1])

# %% 23.3 k1 and b as constants: k1 * (1 - b + b * length → 1.5 * (0.25 + 0.75 * length

# %% 23.4 one direction only: -(ops.mean(rows) + ops.mean(columns)) / 2 → -ops.mean(rows)

# %% 23.4 the sum of both: + ops.mean(columns)) / 2 → + ops.mean(columns))

# %% 23.4 multiplied by the temperature: / temperature → * temperature

# %% 23.4 without temperature: / temperature → / 1.0

# %% 23.4 the sign: return -(ops → return (ops

# %% 23.4 a sum over the batch: ops.mean(rows) + ops.mean(columns) → ops.sum(rows) + ops.sum(columns)

# %% 23.4 both along rows: ops.log_softmax(ops.transpose(s), axis=1) → ops.log_softmax(s, axis=1)

# %% 23.4 softmax of softmax, unsafe for small temperatures
def contrastive_loss(u, v, temperature):
    p = ops.exp(ops.matmul(u, ops.transpose(v)) / temperature)
    rows = ops.log(ops.diagonal(p) / ops.sum(p, axis=1))
    columns = ops.log(ops.diagonal(p) / ops.sum(p, axis=0))
    return -(ops.mean(rows) + ops.mean(columns)) / 2

# %% 23.5a the passage's rarity below: for word in set(asked)) → for word in set(passage))

# %% 23.5a counts, not rarities
def coverage(asked, passage, rarity_of):
    return len(set(asked) & set(passage)) / len(set(asked)) if asked else 0.0

# %% 23.5a repeated words count again
def coverage(asked, passage, rarity_of):
    whole = sum(rarity_of(word) for word in asked)
    return sum(rarity_of(word) for word in asked if word in passage) / whole if asked else 0.0

# %% 23.5a fails without words: / whole if whole else 0.0 → / whole

# %% 23.5a what is missing: set(asked) & set(passage) → set(asked) - set(passage)

# %% 23.5a 1 for a question without words: else 0.0 → else 1.0

# %% 23.5b sorted in place
def threshold(values, wrongly):
    values.sort()
    return float(values[int(wrongly * len(values) + 1e-9)])

# %% 23.5b the largest first: np.sort(values) → np.sort(values)[::-1]

# %% 23.5b one too low: + 1e-9)] → + 1e-9) - 1]

# %% 23.5b not sorted: np.sort(values) → np.asarray(values)

# %% 23.5b NumPy's quantile, between two values
def threshold(values, wrongly):
    return float(np.quantile(values, wrongly))

# %% 23.5b that many are given, not refused: int(wrongly * → int((1 - wrongly) *

# %% 23.5b rounded: int(wrongly * len(values) + 1e-9) → round(wrongly * len(values))

# %% 23.5a a part of a word counts
def coverage(asked, passage, rarity_of):
    whole = sum(rarity_of(word) for word in set(asked))
    text = " ".join(passage)
    shared = sum(rarity_of(word) for word in set(asked) if word in text)
    return shared / whole if whole else 0.0

# %% 23.5b each value counted once: np.sort(values) → np.unique(values)
