# Wrong answers that the checks of 13_project_mnist must refuse: each cell replaces an exercise cell.

# %% 13.4a keeps the layers that expect images
def repaired_network():
    return keras.Sequential([
        layers.Input((28, 28)),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])

# %% 13.4a forgets the activation of the hidden layer
def repaired_network():
    return keras.Sequential([
        layers.Input((784,)),
        layers.Dense(128),
        layers.Dense(10, activation="softmax"),
    ])

# %% 13.4a ends with a sigmoid
def repaired_network():
    return keras.Sequential([
        layers.Input((784,)),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="sigmoid"),
    ])

# %% 13.4a swaps the widths
def repaired_network():
    return keras.Sequential([
        layers.Input((784,)),
        layers.Dense(10, activation="relu"),
        layers.Dense(128, activation="softmax"),
    ])

# %% 13.4a a model class with PyTorch's `forward`
def repaired_network():
    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(128, activation="relu")
            self.last = layers.Dense(10, activation="softmax")

        def forward(self, x):
            return self.last(self.hidden(x))

    return Reader()

# %% 13.4b is written for 28 by 28 images only
def as_rows(images):
    return images.reshape(-1, 784).astype("float32") / 255

# %% 13.4b divides by 256
def as_rows(images):
    return images.reshape(len(images), -1).astype("float32") / 256

# %% 13.4b leaves double precision
def as_rows(images):
    return images.reshape(len(images), -1) / 255

# %% 13.4b puts pixels of different images into one row
def as_rows(images):
    return images.reshape(-1, len(images)).T.astype("float32") / 255

# %% 13.6a exchanges rows and columns
def count_confusions(y, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    for true, named in zip(y, predicted):
        matrix[named, true] += 1
    return matrix

# %% 13.6a counts each pair once
def count_confusions(y, predicted, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    matrix[y, predicted] += 1
    return matrix

# %% 13.6a counts in floats: dtype=int → dtype=float

# %% 13.6a makes room only for the classes that occur
def count_confusions(y, predicted, classes):
    found = np.unique(y)
    return np.array([[np.sum((y == i) & (predicted == j)) for j in found] for i in found])

# %% 13.6b looks at the columns
def could_be_real(matrix, images, stated):
    fits = np.array_equal(matrix.sum(axis=0), images) and (matrix >= 0).all()
    return bool(fits and round(np.trace(matrix) / matrix.sum(), 4) == stated)

# %% 13.6b checks only the total
def could_be_real(matrix, images, stated):
    fits = matrix.sum() == images.sum() and (matrix >= 0).all()
    return bool(fits and round(np.trace(matrix) / matrix.sum(), 4) == stated)

# %% 13.6b is content with an accuracy nearby
def could_be_real(matrix, images, stated):
    fits = np.array_equal(matrix.sum(axis=1), images) and (matrix >= 0).all()
    return bool(fits and abs(np.trace(matrix) / matrix.sum() - stated) < 0.001)

# %% 13.6b lets negative entries pass
def could_be_real(matrix, images, stated):
    fits = np.array_equal(matrix.sum(axis=1), images)
    return bool(fits and round(np.trace(matrix) / matrix.sum(), 4) == stated)

# %% 13.7 forgets the smaller last batch
def steps_per_epoch(examples, validation_split, batch_size):
    return math.floor(examples * (1 - validation_split)) // batch_size


def loss_floor(a, top=1.0):
    return (1 - a) * np.log(2) - a * np.log(top)

# %% 13.7 counts the validation images
def steps_per_epoch(examples, validation_split, batch_size):
    return math.ceil(examples / batch_size)


def loss_floor(a, top=1.0):
    return (1 - a) * np.log(2) - a * np.log(top)

# %% 13.7 lets the images named rightly cost nothing
def steps_per_epoch(examples, validation_split, batch_size):
    return math.ceil(math.floor(examples * (1 - validation_split)) / batch_size)


def loss_floor(a, top=1.0):
    return (1 - a) * np.log(2)

# %% 13.7 the steps only, so far
def steps_per_epoch(examples, validation_split, batch_size):
    return math.ceil(math.floor(examples * (1 - validation_split)) / batch_size)


def loss_floor(a, top=1.0):
    raise NotImplementedError("your turn")

# %% 13.7 takes logarithms to base 2
def steps_per_epoch(examples, validation_split, batch_size):
    return math.ceil(math.floor(examples * (1 - validation_split)) / batch_size)


def loss_floor(a, top=1.0):
    return (1 - a) - a * np.log2(top)

# %% 13.12 stops at the first image that falls below the target
def share_answered(sure, right, target):
    ranked = right[np.argsort(-sure)]
    reached = np.cumsum(ranked) / np.arange(1, len(ranked) + 1) >= target
    return np.argmin(reached) / len(ranked) if not reached.all() else 1.0

# %% 13.12 answers the least sure first
def share_answered(sure, right, target):
    ranked = right[np.argsort(sure)]
    reached = np.cumsum(ranked) / np.arange(1, len(ranked) + 1) >= target
    if not reached.any():
        return 0.0
    return (np.flatnonzero(reached).max() + 1) / len(ranked)

# %% 13.12 counts places instead of images
def share_answered(sure, right, target):
    ranked = right[np.argsort(-sure)]
    reached = np.cumsum(ranked) / np.arange(1, len(ranked) + 1) >= target
    if not reached.any():
        return 0.0
    return np.flatnonzero(reached).max() / len(ranked)

# %% 13.12 answers where the confidence reaches the target
def share_answered(sure, right, target):
    return float(np.mean(sure >= target))

# %% 13.4b divides by the largest value there is
def as_rows(images):
    return images.reshape(len(images), -1).astype("float32") / images.max()

# %% 13.6b truncates the accuracy instead of rounding it
def could_be_real(matrix, images, stated):
    rows_fit = np.array_equal(matrix.sum(axis=1), images)
    counts = (matrix >= 0).all()
    accuracy_fits = math.floor(1e4 * np.trace(matrix) / matrix.sum()) / 1e4 == stated
    return bool(rows_fit and counts and accuracy_fits)
