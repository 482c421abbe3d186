# Right answers in another style, which the checks of 23_question_answering must accept.

# %% 23.1 a loop
def rank_of_right(scores, right):
    ranks = []
    for row, place in zip(scores, right):
        before = 0
        for i, score in enumerate(row):
            if i != place and score >= row[place]:
                before += 1
        ranks.append(1 + before)
    return ranks

# %% 23.1 those that are lower, taken away
def rank_of_right(scores, right):
    own = np.take_along_axis(np.asarray(scores), np.asarray(right)[:, None], axis=1)
    return scores.shape[1] - (scores < own).sum(axis=1)

# %% 23.3 loops
def bm25_weights(counts, k1=1.5, b=0.75):
    n, words_ = len(counts), len(counts[0])
    lengths = [sum(row) for row in counts]
    mean = sum(lengths) / n
    weights = np.zeros((n, words_))
    for j in range(words_):
        having = sum(1 for i in range(n) if counts[i][j] > 0)
        for i in range(n):
            c = counts[i][j]
            if c:
                saturated = c * (k1 + 1) / (c + k1 * (1 - b + b * lengths[i] / mean))
                weights[i, j] = rarity(having, n) * saturated
    return weights

# %% 23.3 float32
def bm25_weights(counts, k1=1.5, b=0.75):
    counts = np.asarray(counts, np.float32)
    n = counts.shape[0]
    having = np.count_nonzero(counts, axis=0)
    idf = np.log((n + 1) / (having + 0.5)).astype(np.float32)
    relative = counts.sum(1)[:, None] / counts.sum(1).mean()
    bottom = counts + k1 * (1 - b) + k1 * b * relative
    return np.divide(counts * (k1 + 1) * idf, bottom, out=np.zeros_like(counts), where=counts > 0)

# %% 23.4 keras' cross-entropy
def contrastive_loss(u, v, temperature):
    s = u @ ops.transpose(v) / temperature
    targets = ops.arange(ops.shape(u)[0])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return (loss(targets, s) + loss(targets, ops.transpose(s))) / 2

# %% 23.4 logsumexp
def contrastive_loss(u, v, temperature):
    s = ops.einsum("id,jd->ij", u, v) / temperature
    own = ops.sum(u * v, axis=1) / temperature
    return ops.mean(0.5 * ops.logsumexp(s, axis=0) + 0.5 * ops.logsumexp(s, axis=1) - own)

# %% 23.5a a loop
def coverage(asked, passage, rarity_of):
    whole = shared = 0.0
    for word in dict.fromkeys(asked):
        whole += rarity_of(word)
        if word in passage:
            shared += rarity_of(word)
    if whole == 0:
        return 0
    return shared / whole

# %% 23.5a what is missing, from 1
def coverage(asked, passage, rarity_of):
    asked = set(asked)
    if not asked:
        return 0.0
    whole = np.sum([rarity_of(word) for word in asked])
    return 1 - np.sum([rarity_of(word) for word in asked - set(passage)]) / whole

# %% 23.5b tried one by one
def threshold(values, wrongly):
    values = np.asarray(values)
    fit = [value for value in values if np.sum(values < value) <= wrongly * len(values) + 1e-9]
    return max(fit)

# %% 23.5b a quantile of the sorted values
def threshold(values, wrongly):
    ordered = sorted(values)
    return ordered[int(np.floor(wrongly * len(ordered) + 1e-9))]
