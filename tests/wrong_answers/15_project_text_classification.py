# Wrong answers that the checks of 15_project_text_classification must refuse: each cell replaces an exercise cell.

# %% 15.2 keeps capitals: text.lower() → text

# %% 15.2 joins pairs with an underscore: {left} {right} → {left}_{right}

# %% 15.2 pairs without the words: words + pairs → pairs

# %% 15.2 splits at spaces, so that punctuation sticks to words: WORD.findall(text.lower()) → text.lower().split()

# %% 15.2 each term once
def terms(text):
    words = WORD.findall(text.lower())
    found = words + [f"{left} {right}" for left, right in zip(words, words[1:])]
    return list(dict.fromkeys(found))

# %% 15.2 every second pair only
def terms(text):
    words = WORD.findall(text.lower())
    return words + [f"{left} {right}" for left, right in zip(words[::2], words[1::2])]

# %% 15.2 each pair once
def terms(text):
    words = WORD.findall(text.lower())
    return words + list(dict.fromkeys(f"{left} {right}" for left, right in zip(words, words[1:])))

# %% 15.3 complaints over praise: for label in (1, 0) → for label in (0, 1)

# %% 15.3 forgets the two added reviews below: rows.shape[0] + 2 → rows.shape[0]

# %% 15.3 decimal logarithm: np.log( → np.log10(

# %% 15.3 counts instead of shares
def log_ratio(X, y):
    praise, complaints = (np.asarray(X[y == label].sum(axis=0)).ravel() + 1 for label in (1, 0))
    return np.log(praise / complaints)

# %% 15.3 shares among all reviews
def log_ratio(X, y):
    praise, complaints = (np.asarray(X[y == label].sum(axis=0)).ravel() + 1 for label in (1, 0))
    return np.log(praise / (len(y) + 2)) - np.log(complaints / (len(y) + 2))

# %% 15.3 a matrix with one row
def log_ratio(X, y):
    a, b = X[y == 1], X[y == 0]
    return np.log((a.sum(axis=0) + 1) / (a.shape[0] + 2)) - np.log((b.sum(axis=0) + 1) / (b.shape[0] + 2))

# %% 15.3 counts in the table's own small type
def log_ratio(X, y):
    with1, n1 = X.T @ (y == 1), np.sum(y == 1)
    with0, n0 = X.T @ (y == 0), np.sum(y == 0)
    return np.log((with1 + 1) / (n1 + 2)) - np.log((with0 + 1) / (n0 + 2))

# %% 15.4 returns the factors without r: return r * model.coef_.ravel() → return model.coef_.ravel()

# %% 15.4 fits the plain table: model.fit(X @ sparse.diags(r), y) → model.fit(X, y)

# %% 15.4 a fixed C: LogisticRegression(C=C, → LogisticRegression(C=1.0,

# %% 15.4 forgets the bias: model.intercept_.item() → 0.0

# %% 15.4 naive Bayes alone
def fit_linear(X, y, C):
    return log_ratio(X, y), 0.0

# %% 15.4 learns no bias
def fit_linear(X, y, C):
    r = log_ratio(X, y)
    model = LogisticRegression(C=C, solver="liblinear", dual=True, tol=0.1, random_state=0, fit_intercept=False)
    model.fit(X @ sparse.diags(r), y)
    return r * model.coef_.ravel(), 0.0

# %% 15.4 peeks at rows outside
def fit_linear(X, y, C):
    r = log_ratio(X_all, y_all)[: X.shape[1]]
    model = LogisticRegression(C=C, solver="liblinear", dual=True, tol=0.1, random_state=0)
    model.fit(X @ sparse.diags(r), y)
    return r * model.coef_[0], model.intercept_[0]

# %% 15.5 averages padding too
def masked_mean(x, mask):
    return ops.mean(x, axis=1)

# %% 15.5 divides by all places: ops.maximum(ops.sum(keep, axis=1), 1) → x.shape[1]

# %% 15.5 divides 0 by 0 for an empty review: ops.maximum(ops.sum(keep, axis=1), 1) → ops.sum(keep, axis=1)

# %% 15.5 one mean over the batch and its places
def masked_mean(x, mask):
    keep = ops.cast(mask, x.dtype)[..., None]
    return ops.sum(x * keep, axis=1) / ops.maximum(ops.sum(keep), 1)

# %% 15.5 takes the mask the wrong way round
def masked_mean(x, mask):
    keep = 1 - ops.cast(mask, x.dtype)[..., None]
    return ops.sum(x * keep, axis=1) / ops.maximum(ops.sum(keep, axis=1), 1)

# %% 15.5 NumPy, which Keras cannot differentiate
def masked_mean(x, mask):
    keep = np.asarray(mask, dtype="float32")[..., None]
    return np.sum(np.asarray(x) * keep, axis=1) / np.maximum(keep.sum(axis=1), 1)

# %% 15.6 attention without the mask: attend(n, n, attention_mask=mask[:, None, :]) → attend(n, n)

# %% 15.6 each head as wide as the block: layers.MultiHeadAttention(heads, d // heads) → layers.MultiHeadAttention(heads, d)

# %% 15.6 nothing added after attention: x = x + attend( → x = attend(

# %% 15.6 nothing added at the end: return x + layers.Dense(d)(hidden) → return layers.Dense(d)(hidden)

# %% 15.6 no ReLU: layers.Dense(4 * d, activation="relu") → layers.Dense(4 * d)

# %% 15.6 masks the queries instead: mask[:, None, :] → mask[:, :, None]

# %% 15.6 norms after the sums
def encoder_block(x, mask, heads):
    d = x.shape[-1]
    attend = layers.MultiHeadAttention(heads, d // heads)
    x = layers.LayerNormalization(epsilon=1e-5)(x + attend(x, x, attention_mask=mask[:, None, :]))
    hidden = layers.Dense(4 * d, activation="relu")(x)
    return layers.LayerNormalization(epsilon=1e-5)(x + layers.Dense(d)(hidden))

# %% 15.6 one norm for both steps
def encoder_block(x, mask, heads):
    d, norm = x.shape[-1], layers.LayerNormalization(epsilon=1e-5)
    x = x + layers.MultiHeadAttention(heads, d // heads)(norm(x), norm(x), attention_mask=mask[:, None, :])
    return x + layers.Dense(d)(layers.Dense(4 * d, activation="relu")(norm(x)))

# %% 15.8 counts a repeated term twice: set(terms(text)) → terms(text)

# %% 15.8 forgets the bias: return bias + sum( → return sum(

# %% 15.8 stumbles over unknown terms: weight.get(term, 0) → weight[term]

# %% 15.8 words only: set(terms(text)) → set(WORD.findall(text.lower()))

# %% 15.8 looks for terms inside other words
def score_text(text, weight, bias):
    return bias + sum(value for term, value in weight.items() if term in text.lower())

# %% 15.8 splits at spaces
def score_text(text, weight, bias):
    words = text.lower().split()
    found = {*words, *(" ".join(pair) for pair in zip(words, words[1:]))}
    return bias + sum(weight.get(term, 0) for term in found)
