# Right answers in another style than the solutions; the checks must accept them.

# %% 11.2 recursion on what is left
def wordpiece(word, vocabulary, mark=""):
    if not word:
        return []
    for end in reversed(range(1, len(word) + 1)):
        if mark + word[:end] in vocabulary:
            rest = wordpiece(word[end:], vocabulary, "##")
            return ["[UNK]"] if rest == ["[UNK]"] else [mark + word[:end], *rest]
    return ["[UNK]"]

# %% 11.2 while loops, a tuple
def wordpiece(word, vocabulary):
    done, left = (), word
    while left:
        prefix = "##" if done else ""
        end = len(left)
        while end > 0 and prefix + left[:end] not in vocabulary:
            end -= 1
        if end == 0:
            return ("[UNK]",)
        done, left = (*done, prefix + left[:end]), left[end:]
    return done

# %% 11.4 one-hot rows and a product
def embedding_gradient(ids, G, vocabulary):
    onehot = np.eye(vocabulary)[ids.ravel()]
    return onehot.T @ G.reshape(len(onehot), -1)

# %% 11.4 loops, in float32, nested lists
def embedding_gradient(ids, G, vocabulary):
    table = np.zeros((vocabulary, G.shape[2]), np.float32)
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1]):
            table[ids[b, t]] = table[ids[b, t]] + G[b, t].astype(np.float32)
    return table.tolist()

# %% 11.8 three loops
def packed_mask(documents, w):
    B, T = documents.shape
    mask = np.zeros((B, T, T), dtype=bool)
    for b in range(B):
        for t in range(T):
            for s in range(max(0, t - w + 1), t + 1):
                mask[b, t, s] = documents[b, t] == documents[b, s]
    return mask

# %% 11.8 a list of lists
def packed_mask(documents, w):
    return [[[bool(row[t] == row[s]) and t - w < s <= t for s in range(len(row))]
             for t in range(len(row))] for row in documents]

# %% 11.8 from two triangles
def packed_mask(documents, w):
    T = documents.shape[1]
    window = np.tri(T, dtype=bool) & ~np.tri(T, k=-w, dtype=bool)
    return np.array([np.equal.outer(row, row) & window for row in documents])

# %% 11.11 in place
def rms_norm_backward(G, X, gamma, epsilon=1e-5):
    r = np.sqrt((X**2).mean(axis=-1, keepdims=True) + epsilon)
    X /= r
    dgamma = (G * X).sum(axis=(0, 1))
    G *= gamma
    G -= X * (G * X).mean(axis=-1, keepdims=True)
    G /= r
    return G, dgamma

# %% 11.11 token by token, with the table of derivatives
def rms_norm_backward(G, X, gamma, epsilon=1e-5):
    dX, dgamma, d = np.zeros(X.shape), np.zeros(len(gamma)), X.shape[2]
    for b, t in np.ndindex(X.shape[:2]):
        x = X[b, t]
        r = np.sqrt(x @ x / d + epsilon)
        table = np.eye(d) / r - np.outer(x, x) / (d * r**3)
        dX[b, t] = table @ (G[b, t] * gamma)
        dgamma += G[b, t] * x / r
    return dX, dgamma

# %% 11.11 in float32
def rms_norm_backward(G, X, gamma, epsilon=1e-5):
    G, X, gamma = (array.astype(np.float32) for array in (G, X, gamma))
    mean_square = np.mean(X * X, axis=2, keepdims=True) + np.float32(epsilon)
    g = G * gamma
    dX = g / np.sqrt(mean_square) - X * np.mean(g * X, axis=2, keepdims=True) / mean_square**1.5
    return dX, np.sum(G * X / np.sqrt(mean_square), axis=(0, 1))

# %% 11.12 in place, one sequence after the other
def encode(ids, E, P, layers, h, gamma, beta, mask=None):
    rows = []
    for sequence in ids:
        X = E[sequence][None].copy()
        for t in range(len(sequence)):
            X[0, t] += P[t]
        for p in layers:
            X, _ = block(X, p, h, mask)
        rows.append(layer_norm(X, gamma, beta)[0][0])
    return np.array(rows)

# %% 11.12 by recursion over the layers, as a list
def encode(ids, E, P, layers, h, gamma, beta, mask=None):
    T = np.shape(ids)[1]

    def through(X, layers):
        return through(block(X, layers[0], h, mask)[0], layers[1:]) if layers else X

    X = np.take(E, ids, axis=0) + P[None, :T]
    return layer_norm(through(X, layers), gamma, beta)[0].tolist()
