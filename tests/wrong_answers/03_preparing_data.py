# %% 3.1 a missing value disagrees with everything
def repeats(rows, tolerance):
    return np.array([np.any(np.all(np.abs(rows[:i] - row) <= tolerance, axis=1))
                     for i, row in enumerate(rows)])

# %% 3.1 compares with the row before only
def repeats(rows, tolerance):
    gap = np.abs(np.diff(rows, axis=0))
    return np.r_[False, np.all((gap <= tolerance) | np.isnan(gap), axis=1)]

# %% 3.1 marks the first of the pair too
def repeats(rows, tolerance):
    answer = []
    for i, row in enumerate(rows):
        gap = np.abs(np.delete(rows, i, axis=0) - row)
        answer.append(np.any(np.all((gap <= tolerance) | np.isnan(gap), axis=1)))
    return np.array(answer)

# %% 3.1 one column that agrees is enough
def repeats(rows, tolerance):
    return np.array([np.any(np.abs(rows[:i] - row) <= tolerance) for i, row in enumerate(rows)])

# %% 3.2 takes the medians of the test rows
def fill_with_flags(X_train, X_test):
    holes = np.isnan(X_test)
    filled = np.where(holes, np.nanmedian(X_test, axis=0), X_test)
    return np.hstack([filled, holes[:, np.isnan(X_train).any(axis=0)]])

# %% 3.2 flags the columns that have holes in the test rows
def fill_with_flags(X_train, X_test):
    holes = np.isnan(X_test)
    filled = np.where(holes, np.nanmedian(X_train, axis=0), X_test)
    return np.hstack([filled, holes[:, holes.any(axis=0)]])

# %% 3.2 means instead of medians
def fill_with_flags(X_train, X_test):
    holes = np.isnan(X_test)
    filled = np.where(holes, np.nanmean(X_train, axis=0), X_test)
    return np.hstack([filled, holes[:, np.isnan(X_train).any(axis=0)]])

# %% 3.2 fills in place
def fill_with_flags(X_train, X_test):
    holes = np.isnan(X_test)
    medians = np.nanmedian(X_train, axis=0)
    for i, j in np.argwhere(holes):
        X_test[i, j] = medians[j]
    return np.hstack([X_test, holes[:, np.isnan(X_train).any(axis=0)]])

# %% 3.4 holes make the whole column missing
def robust_z(X):
    away = X - np.median(X, axis=0)
    mad = np.median(np.abs(away), axis=0)
    return np.where(away == 0, 0.0, away / (1.4826 * mad))

# %% 3.4 the mean as the center: X - np.nanmedian(X, axis=0) → X - np.nanmean(X, axis=0)

# %% 3.4 every column without spread becomes 0: away == 0, 0.0 → mad == 0, 0.0

# %% 3.4 forgets the factor
def robust_z(X):
    away = X - np.nanmedian(X, axis=0)
    mad = np.nanmedian(np.abs(away), axis=0)
    return np.where(away == 0, 0.0, away / mad)

# %% 3.4 mean absolute deviation
def robust_z(X):
    away = X - np.nanmedian(X, axis=0)
    mad = np.nanmean(np.abs(away), axis=0)
    return np.where(away == 0, 0.0, away / (1.4826 * mad))

# %% 3.4 0/0 stays undefined
def robust_z(X):
    away = X - np.nanmedian(X, axis=0)
    return away / (1.4826 * np.nanmedian(np.abs(away), axis=0))

# %% 3.5 fits again on what it transforms
class Standardizer:
    def fit(self, X):
        return self

    def transform(self, X):
        self.mean, s = X.mean(axis=0), X.std(axis=0)
        self.scale = np.where(X.min(axis=0) == X.max(axis=0), 1, s)
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        return Z * self.scale + self.mean

# %% 3.5 a computed spread of 1e-17 is a spread: constant, 1, X.std(axis=0) → X.std(axis=0) == 0, 1, X.std(axis=0)

# %% 3.5 takes small units for constant columns: X.min(axis=0) == X.max(axis=0) → X.std(axis=0) < 1e-9

# %% 3.5 rounds small units to nothing: X.min(axis=0) == X.max(axis=0) → np.isclose(X.std(axis=0), 0)

# %% 3.5 no way back yet
class Standardizer:
    def fit(self, X):
        self.mean = X.mean(axis=0)
        constant = X.min(axis=0) == X.max(axis=0)
        self.scale = np.where(constant, 1, X.std(axis=0))
        return self

    def transform(self, X):
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        raise NotImplementedError("your turn")

# %% 3.5 divides by zero in constant columns
class Standardizer:
    def fit(self, X):
        self.mean, self.scale = X.mean(axis=0), X.std(axis=0)
        return self

    def transform(self, X):
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        return Z * self.scale + self.mean

# %% 3.5 adds the mean before multiplying
class Standardizer:
    def fit(self, X):
        s = X.std(axis=0)
        self.mean, self.scale = X.mean(axis=0), np.where(np.ptp(X, axis=0) == 0, 1, s)
        return self

    def transform(self, X):
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        return (Z + self.mean) * self.scale

# %% 3.5 n - 1 in the denominator
class Standardizer:
    def fit(self, X):
        s = X.std(axis=0, ddof=1)
        self.mean, self.scale = X.mean(axis=0), np.where(np.ptp(X, axis=0) == 0, 1, s)
        return self

    def transform(self, X):
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        return Z * self.scale + self.mean

# %% 3.5 fit returns nothing
class Standardizer:
    def fit(self, X):
        s = X.std(axis=0)
        self.mean, self.scale = X.mean(axis=0), np.where(np.ptp(X, axis=0) == 0, 1, s)

    def transform(self, X):
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z):
        return Z * self.scale + self.mean

# %% 3.6a random numbers without regard to class
def stratified_folds(y, k, rng):
    return rng.permutation(np.arange(len(y)) % k)

# %% 3.6a deals sorted rows in turn, not at random
def stratified_folds(y, k, rng):
    folds = np.empty(len(y), int)
    for c in np.unique(y):
        rows = np.flatnonzero(y == c)
        folds[rows] = np.arange(len(rows)) % k
    return folds

# %% 3.6a draws each row's fold independently
def stratified_folds(y, k, rng):
    return rng.integers(0, k, len(y))

# %% 3.6a numbers the folds from 1: np.arange(len(rows)) % k → np.arange(len(rows)) % k + 1

# %% 3.6a runs of rows instead of turns
def stratified_folds(y, k, rng):
    folds = np.empty(len(y), int)
    for c in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == c))
        folds[rows] = np.arange(len(rows)) // k
    return folds

# %% 3.6b still chooses on the test set
def tune(models, train, validation, test):
    scores = [model.fit(*train).score(*test) for model in models]
    return int(np.argmax(scores)), max(scores)

# %% 3.6b reports the validation score
def tune(models, train, validation, test):
    scores = [model.fit(*train).score(*validation) for model in models]
    return int(np.argmax(scores)), max(scores)

# %% 3.6b chooses on the training set
def tune(models, train, validation, test):
    scores = [model.fit(*train).score(*train) for model in models]
    winner = int(np.argmax(scores))
    return winner, models[winner].score(*test)

# %% 3.6b trains on the validation rows as well
def tune(models, train, validation, test):
    X, y = (np.concatenate(pair) for pair in zip(train, validation))
    scores = [model.fit(X, y).score(*validation) for model in models]
    winner = int(np.argmax(scores))
    return winner, models[winner].score(*test)

# %% 3.7 shuffles in place
def shuffled_scores(score, X, y, repeats, rng):
    scores = []
    for _ in range(repeats):
        rng.shuffle(y)
        scores.append(score(X, y))
    return np.array(scores)

# %% 3.7 shuffles rows and labels together
def shuffled_scores(score, X, y, repeats, rng):
    orders = [rng.permutation(len(y)) for _ in range(repeats)]
    return np.array([score(X[order], y[order]) for order in orders])

# %% 3.7 draws labels with repetition
def shuffled_scores(score, X, y, repeats, rng):
    return np.array([score(X, rng.choice(y, len(y))) for _ in range(repeats)])

# %% 3.7 the same order every time
def shuffled_scores(score, X, y, repeats, rng):
    shuffled = rng.permutation(y)
    return np.array([score(X, shuffled) for _ in range(repeats)])

# %% 3.7 does not shuffle
def shuffled_scores(score, X, y, repeats, rng):
    return np.array([score(X, y.copy()) for _ in range(repeats)])

# %% 3.8 columns for the names to encode
def one_hot(train_names, names):
    return (names[:, None] == np.unique(names)).astype(float)

# %% 3.8 in order of appearance
def one_hot(train_names, names):
    return (names[:, None] == np.array(list(dict.fromkeys(train_names)))).astype(float)

# %% 3.8 unknown names become the nearest known one in the alphabet
def one_hot(train_names, names):
    known = np.unique(train_names)
    return np.eye(len(known))[np.minimum(np.searchsorted(known, names), len(known) - 1)]

# %% 3.9 never reaches the last row and column
def random_crop(image, height, width, rng):
    top = rng.integers(0, max(image.shape[0] - height, 1))
    left = rng.integers(0, max(image.shape[1] - width, 1))
    return image[top:top + height, left:left + width]

# %% 3.9 one draw for both
def random_crop(image, height, width, rng):
    at = rng.integers(0, min(image.shape[0] - height, image.shape[1] - width) + 1)
    return image[at:at + height, at:at + width]

# %% 3.9 the middle
def random_crop(image, height, width, rng):
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top:top + height, left:left + width]

# %% 3.9 swaps height and width
def random_crop(image, height, width, rng):
    top = rng.integers(0, image.shape[0] - width + 1)
    left = rng.integers(0, image.shape[1] - height + 1)
    return image[top:top + width, left:left + height]
