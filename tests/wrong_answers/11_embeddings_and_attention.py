# %% 11.2 takes the shortest match
def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        for end in range(start + 1, len(word) + 1):
            piece = "##" + word[start:end] if start else word[:end]
            if piece in vocabulary:
                pieces.append(piece)
                start = end
                break
        else:
            return ["[UNK]"]
    return pieces

# %% 11.2 keeps the pieces found before the unknown one
def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = "##" + word[start:end] if start else word[:end]
            if piece in vocabulary:
                pieces.append(piece)
                start = end
                break
        else:
            return pieces + ["[UNK]"]
    return pieces

# %% 11.2 forgets the ## marks
def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            if word[start:end] in vocabulary:
                pieces.append(word[start:end])
                start = end
                break
        else:
            return ["[UNK]"]
    return pieces

# %% 11.4 equal ids overwrite each other
def embedding_gradient(ids, G, vocabulary):
    gradient = np.zeros((vocabulary, G.shape[-1]))
    gradient[ids] += G
    return gradient

# %% 11.4 averages over equal ids
def embedding_gradient(ids, G, vocabulary):
    gradient = np.zeros((vocabulary, G.shape[-1]))
    np.add.at(gradient, ids, G)
    times = np.bincount(ids.ravel(), minlength=vocabulary)
    return gradient / np.maximum(times, 1)[:, None]

# %% 11.4 makes the table only as long as the largest id
def embedding_gradient(ids, G, vocabulary):
    gradient = np.zeros((ids.max() + 1, G.shape[-1]))
    np.add.at(gradient, ids, G)
    return gradient

# %% 11.8 forgets the future
def packed_mask(documents, w):
    t, s = np.arange(documents.shape[1])[:, None], np.arange(documents.shape[1])
    same = documents[:, :, None] == documents[:, None, :]
    return same & (np.abs(t - s) < w)

# %% 11.8 window one too wide
def packed_mask(documents, w):
    t, s = np.arange(documents.shape[1])[:, None], np.arange(documents.shape[1])
    same = documents[:, :, None] == documents[:, None, :]
    return same & (s <= t) & (t - s <= w)

# %% 11.8 forgets the documents
def packed_mask(documents, w):
    t, s = np.arange(documents.shape[1])[:, None], np.arange(documents.shape[1])
    return np.broadcast_to((s <= t) & (t - s < w), (len(documents), len(t), len(t)))

# %% 11.8 takes every document number as larger than the one before
def packed_mask(documents, w):
    t, s = np.arange(documents.shape[1])[:, None], np.arange(documents.shape[1])
    same = documents[:, :, None] <= documents[:, None, :]
    return same & (s <= t) & (t - s < w)

# %% 11.8 queries and keys exchanged
def packed_mask(documents, w):
    t, s = np.arange(documents.shape[1]), np.arange(documents.shape[1])[:, None]
    same = documents[:, :, None] == documents[:, None, :]
    return same & (s <= t) & (t - s < w)

# %% 11.8 returns numbers, not booleans
def packed_mask(documents, w):
    t, s = np.arange(documents.shape[1])[:, None], np.arange(documents.shape[1])
    same = documents[:, :, None] == documents[:, None, :]
    return (same & (s <= t) & (t - s < w)).astype(float)

# %% 11.11 treats r as a constant
def rms_norm_backward(G, X, gamma, epsilon=1e-5):
    r = np.sqrt((X**2).mean(axis=-1, keepdims=True) + epsilon)
    return G * gamma / r, (G * X / r).sum(axis=(0, 1))

# %% 11.11 takes the mean away, as for layer norm
def rms_norm_backward(G, X, gamma, epsilon=1e-5):
    r = np.sqrt((X**2).mean(axis=-1, keepdims=True) + epsilon)
    X_hat, g = X / r, G * gamma
    stretch = (g * X_hat).mean(axis=-1, keepdims=True)
    dX = (g - g.mean(axis=-1, keepdims=True) - X_hat * stretch) / r
    return dX, (G * X_hat).sum(axis=(0, 1))

# %% 11.11 forgets gamma in the gradient of X
def rms_norm_backward(G, X, gamma, epsilon=1e-5):
    r = np.sqrt((X**2).mean(axis=-1, keepdims=True) + epsilon)
    X_hat = X / r
    dX = (G - X_hat * (G * X_hat).mean(axis=-1, keepdims=True)) / r
    return dX, (G * X_hat).sum(axis=(0, 1))

# %% 11.12 still without positions
def encode(ids, E, P, layers, h, gamma, beta, mask=None):
    X = E[ids]
    for p in layers:
        X, _ = block(X, p, h, mask)
    return layer_norm(X, gamma, beta)[0]

# %% 11.12 the same weights in every layer
def encode(ids, E, P, layers, h, gamma, beta, mask=None):
    X = E[ids] + P[: ids.shape[1]]
    for _ in layers:
        X, _ = block(X, layers[0], h, mask)
    return layer_norm(X, gamma, beta)[0]

# %% 11.12 forgets the mask
def encode(ids, E, P, layers, h, gamma, beta, mask=None):
    X = E[ids] + P[: ids.shape[1]]
    for p in layers:
        X, _ = block(X, p, h)
    return layer_norm(X, gamma, beta)[0]

# %% 11.12 no norm at the end
def encode(ids, E, P, layers, h, gamma, beta, mask=None):
    X = E[ids] + P[: ids.shape[1]]
    for p in layers:
        X, _ = block(X, p, h, mask)
    return X

# %% 11.12 positions by token number
def encode(ids, E, P, layers, h, gamma, beta, mask=None):
    X = E[ids] + P[ids]
    for p in layers:
        X, _ = block(X, p, h, mask)
    return layer_norm(X, gamma, beta)[0]
