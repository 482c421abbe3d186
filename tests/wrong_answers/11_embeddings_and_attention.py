# Plausible mistakes for each exercise; the checks must reject them.

# %% 11.2 takes the shortest match: range(len(word), start, -1) → range(start + 1, len(word) + 1)
# %% 11.2 keeps the pieces found before the unknown one: return ["[UNK]"] → return found + ["[UNK]"]
# %% 11.2 forgets the ## marks: "##" + word[start:end] → word[start:end]

# %% 11.2 replaces only the rest by the unknown mark, and goes back for a shorter piece
def wordpiece(word, vocabulary, mark=""):
    if not word:
        return []
    for end in range(len(word), 0, -1):
        if mark + word[:end] in vocabulary:
            rest = wordpiece(word[end:], vocabulary, "##")
            if "[UNK]" not in rest:
                return [mark + word[:end], *rest]
    return ["[UNK]"]

# %% 11.4 equal ids overwrite each other: np.add.at(gradient, ids, G) → gradient[ids] += G
# %% 11.4 makes the table only as long as the largest id: np.zeros((vocabulary → np.zeros((ids.max() + 1
# %% 11.4 leaves out the last token of each row: (gradient, ids, G) → (gradient, ids[:, :-1], G[:, :-1])

# %% 11.4 averages over equal ids
def embedding_gradient(ids, G, vocabulary):
    gradient = np.zeros((vocabulary, G.shape[-1]))
    np.add.at(gradient, ids, G)
    times = np.bincount(ids.ravel(), minlength=vocabulary)
    return gradient / np.maximum(times, 1)[:, None]

# %% 11.8 forgets the future: (s <= t) & (t - s < w) → (np.abs(t - s) < w)
# %% 11.8 window one too wide: t - s < w → t - s <= w
# %% 11.8 may not look at itself: s <= t → s < t
# %% 11.8 takes every document number as larger than the one before: [:, :, None] == documents → [:, :, None] <= documents
# %% 11.8 queries and keys exchanged: t, s = np.arange(T)[:, None], np.arange(T) → s, t = np.arange(T)[:, None], np.arange(T)
# %% 11.8 returns numbers, not booleans: same & (s <= t) & (t - s < w) → (same & (s <= t) & (t - s < w)) * 1.0

# %% 11.8 forgets the documents
def packed_mask(documents, w):
    t, s = np.arange(documents.shape[1])[:, None], np.arange(documents.shape[1])
    return np.broadcast_to((s <= t) & (t - s < w), (len(documents), len(t), len(t)))

# %% 11.11 treats r as a constant: dX = (g - X_hat * (g * X_hat).mean(axis=-1, keepdims=True)) / r → dX = g / r
# %% 11.11 takes the mean away, as for layer norm: dX = (g - X_hat → dX = (g - g.mean(axis=-1, keepdims=True) - X_hat
# %% 11.11 forgets gamma in the gradient of X: X / r, G * gamma → X / r, G
# %% 11.11 a sum over the features where the mean is meant: (g * X_hat).mean( → (g * X_hat).sum(
# %% 11.11 one gradient of gamma for each row: .sum(axis=(0, 1)) → .sum(axis=1)

# %% 11.12 still without positions: E[ids] + P[: ids.shape[1]] → E[ids]
# %% 11.12 the same weights in every layer: block(X, p, h, mask) → block(X, layers[0], h, mask)
# %% 11.12 only the first layer: for p in layers → for p in layers[:1]
# %% 11.12 forgets the mask: block(X, p, h, mask) → block(X, p, h)
# %% 11.12 no norm at the end: return layer_norm(X, gamma, beta)[0] → return X
# %% 11.12 positions by token number: P[: ids.shape[1]] → P[ids]
# %% 11.12 positions from the end of the table: P[: ids.shape[1]] → P[-ids.shape[1]:]
