# Right answers in another style than the solutions: the checks must accept them.

# %% 3.1 all pairs at once
def repeats(rows, tolerance):
    gap = np.abs(rows[:, None] - rows)
    near = ~(gap > tolerance).any(axis=2)
    return np.tril(near, -1).any(axis=1)

# %% 3.1 loops that return a list
def repeats(rows, tolerance):
    def close(a, b):
        return np.isnan(a) or np.isnan(b) or abs(a - b) <= tolerance

    return [any(all(map(close, row, earlier)) for earlier in rows[:i]) for i, row in enumerate(rows)]

# %% 3.1 compares with each earlier row, in place
def repeats(rows, tolerance):
    answer = np.zeros(len(rows), int)
    for i in range(len(rows)):
        gap = rows[:i] - rows[i]
        np.abs(gap, out=gap)
        gap[np.isnan(gap)] = 0
        answer[i] = (gap.max(axis=1) <= tolerance).any()
    rows[:] = 0
    return answer

# %% 3.2 column by column
def fill_with_flags(X_train, X_test):
    columns, flags = [], []
    for j in range(X_test.shape[1]):
        known = X_train[~np.isnan(X_train[:, j]), j]
        missing = np.isnan(X_test[:, j])
        column = X_test[:, j].copy()
        column[missing] = np.median(known)
        columns.append(column)
        if len(known) < len(X_train):
            flags.append(missing.astype(int))
    return np.column_stack(columns + flags)

# %% 3.2 nested lists
def fill_with_flags(X_train, X_test):
    medians = np.nanmedian(X_train, axis=0)
    flagged = [j for j, column in enumerate(X_train.T) if any(np.isnan(column))]
    return [[m if np.isnan(x) else x for x, m in zip(row, medians)]
            + [float(np.isnan(row[j])) for j in flagged] for row in X_test]

# %% 3.2 in float32
def fill_with_flags(X_train, X_test):
    X_train, X_test = X_train.astype("float32"), X_test.astype("float32")
    holes = np.isnan(X_test)
    filled = np.where(holes, np.nanmedian(X_train, axis=0), X_test)
    return np.concatenate([filled, holes[:, np.isnan(X_train).any(axis=0)].astype("float32")], axis=1)

# %% 3.4 a loop over the columns, the exact factor
def robust_z(X):
    result = np.empty(X.shape)
    for j, column in enumerate(X.T):
        away = column - np.nanmedian(column)
        mad = np.nanmedian(np.abs(away))
        if mad > 0:
            result[:, j] = away / (mad / 0.6744897501960817)
        else:
            result[:, j] = [a if a == 0 or np.isnan(a) else np.sign(a) * np.inf for a in away]
    return result

# %% 3.4 in place
def robust_z(X):
    X -= np.nanmedian(X, axis=0)
    mad = np.nanmedian(np.abs(X), axis=0)
    equal = X == 0
    with np.errstate(all="ignore"):
        X *= 0.6745 / mad
        X[equal] = 0
    return X

# %% 3.5 scikit-learn's rule for constant columns
class Standardizer:
    def fit(self, X):
        n = len(X)
        self.mean_, variance = np.mean(X, axis=0), np.var(X, axis=0)
        rounding = np.finfo(float).eps
        constant = variance <= n * rounding * variance + (n * self.mean_ * rounding) ** 2
        self.scale_ = np.sqrt(variance)
        self.scale_[constant] = 1.0
        return self

    def transform(self, X):
        return np.divide(np.subtract(X, self.mean_), self.scale_)

    def inverse_transform(self, Z):
        return np.multiply(Z, self.scale_) + self.mean_

# %% 3.5 loops and a relative bound
class Standardizer:
    def fit(self, X):
        self.columns = []
        for column in X.T:
            mean = sum(column) / len(column)
            s = (sum((x - mean) ** 2 for x in column) / len(column)) ** 0.5
            self.columns.append((mean, s if s > 1e-9 * abs(mean) else 1.0))
        return self

    def transform(self, X):
        return np.array([[(x - m) / s for x, (m, s) in zip(row, self.columns)] for row in X])

    def inverse_transform(self, Z):
        return np.array([[z * s + m for z, (m, s) in zip(row, self.columns)] for row in Z])

# %% 3.5 in place
class Standardizer:
    def fit(self, X):
        self.mean = X.mean(axis=0)
        X -= X[0]  # constant columns are exactly 0 now
        self.scale = np.where((X == 0).all(axis=0), 1, X.std(axis=0))
        return self

    def transform(self, X):
        X -= self.mean
        X /= self.scale
        return X

    def inverse_transform(self, Z):
        Z *= self.scale
        Z += self.mean
        return Z

# %% 3.6a shuffles the fold numbers instead of the rows
def stratified_folds(y, k, rng):
    folds = np.zeros(len(y), dtype=int)
    for c in set(y):
        mine = y == c
        folds[mine] = rng.permutation(np.resize(np.arange(k), mine.sum()))
    return folds

# %% 3.6a sorts shuffled rows by class and deals on
def stratified_folds(y, k, rng):
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    folds = np.empty(len(y), int)
    folds[order] = np.arange(len(y)) % k
    return folds

# %% 3.6a a list
def stratified_folds(y, k, rng):
    y = list(y)
    folds = [None] * len(y)
    for c in sorted(set(y)):
        rows = [i for i in range(len(y)) if y[i] == c]
        rng.shuffle(rows)
        for turn, i in enumerate(rows):
            folds[i] = turn % k
    return folds

# %% 3.6b a loop that keeps the best
def tune(models, train, validation, test):
    best, best_score = None, -1.0
    for i, model in enumerate(models):
        model.fit(train[0], train[1])
        score = model.score(validation[0], validation[1])
        if score > best_score:
            best, best_score = i, score
    return best, models[best].score(test[0], test[1])

# %% 3.6b fits the winner once more
def tune(models, train, validation, test):
    X, y = train
    scores = np.array([model.fit(X, y).score(*validation) for model in models])
    winner = scores.argmax()
    return winner, np.float32(models[winner].fit(X, y).score(*test))

# %% 3.7 a loop, shuffling a copy in place
def shuffled_scores(score, X, y, repeats, rng):
    scores, labels = np.zeros(repeats), np.array(y)
    for i in range(repeats):
        rng.shuffle(labels)
        scores[i] = score(X, labels.copy())
    return scores

# %% 3.7 an index, a list
def shuffled_scores(score, X, y, repeats, rng):
    return [score(X, y[rng.permutation(len(y))]) for _ in range(repeats)]

# %% 3.8 a dictionary of places
def one_hot(train_names, names):
    place = {name: j for j, name in enumerate(sorted(set(train_names)))}
    columns = np.zeros((len(names), len(place)), dtype="float32")
    for i, name in enumerate(names):
        if name in place:
            columns[i, place[name]] = 1
    return columns

# %% 3.8 nested lists of whether they agree
def one_hot(train_names, names):
    known = sorted(set(map(str, train_names)))
    return [[str(name) == other for other in known] for name in names]

# %% 3.9 one draw for both, all windows numbered
def random_crop(image, height, width, rng):
    across = image.shape[1] - width + 1
    place = rng.integers((image.shape[0] - height + 1) * across)
    top, left = place // across, place % across
    return image[top:top + height, left:left + width].copy()

# %% 3.9 among all windows
def random_crop(image, height, width, rng):
    windows = np.lib.stride_tricks.sliding_window_view(image, (height, width), axis=(0, 1))
    chosen = windows[rng.choice(windows.shape[0]), rng.choice(windows.shape[1])]
    return chosen if image.ndim == 2 else np.moveaxis(chosen, 0, -1)
