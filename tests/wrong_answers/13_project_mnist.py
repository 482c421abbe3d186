# Wrong answers that the checks of 13_project_mnist must refuse: each cell replaces an exercise cell.

# %% 13.2 takes the last rows, as Keras does
def split_rows(y, share, rng):
    held = round(share * len(y))
    return np.arange(len(y) - held), np.arange(len(y) - held, len(y))

# %% 13.2 shuffles, but looks at no class
def split_rows(y, share, rng):
    rows = rng.permutation(len(y))
    held = round(share * len(y))
    return rows[held:], rows[:held]

# %% 13.2 takes the first rows of every class: rng.permutation(np.flatnonzero(y == label)) → np.flatnonzero(y == label)

# %% 13.2 draws rows with replacement
def split_rows(y, share, rng):
    held = []
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        held.append(rng.choice(rows, round(share * len(rows))))
    val = np.concatenate(held)
    return np.setdiff1d(np.arange(len(y)), val), val

# %% 13.2 uses a generator of its own
def split_rows(y, share, rng):
    rng = np.random.default_rng(0)
    held = []
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        held.append(rows[: round(share * len(rows))])
    val = np.concatenate(held)
    return np.setdiff1d(np.arange(len(y)), val), val

# %% 13.2 expects the classes 0 to 9
def split_rows(y, share, rng):
    val = np.concatenate([rng.choice(np.flatnonzero(y == d), round(share * np.sum(y == d)),
                                     replace=False) for d in range(3)])
    return np.setdiff1d(np.arange(len(y)), val), val

# %% 13.2 returns the labels
def split_rows(y, share, rng):
    held = []
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        held.append(rows[: round(share * len(rows))])
    val = np.concatenate(held)
    return np.delete(y, val), y[val]

# %% 13.2 rounds down: round(share * len(rows)) → int(share * len(rows))

# %% 13.4 forgets to divide by 255: layers.Rescaling(1 / 255) → layers.Rescaling(1.0)

# %% 13.4 a single hidden layer
def build_mlp(width):
    return keras.Sequential([
        layers.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten(),
        layers.Dense(width, activation="relu"), layers.Dense(10, activation="softmax")])

# %% 13.4 forgets the activations of the hidden layers
def build_mlp(width):
    return keras.Sequential([
        layers.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten(),
        layers.Dense(width), layers.Dense(width), layers.Dense(10, activation="softmax")])

# %% 13.4 ends with a sigmoid: activation="softmax" → activation="sigmoid"

# %% 13.4 expects rows of 784
def build_mlp(width):
    return keras.Sequential([
        layers.Input((784,)), layers.Rescaling(1 / 255),
        layers.Dense(width, activation="relu"), layers.Dense(width, activation="relu"),
        layers.Dense(10, activation="softmax")])

# %% 13.4 a model class with PyTorch's `forward`
def build_mlp(width):
    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.stack = [layers.Dense(width, activation="relu") for _ in range(2)]
            self.last = layers.Dense(10, activation="softmax")

        def forward(self, images):
            a = keras.ops.reshape(images, (-1, 784)) / 255
            for layer in self.stack:
                a = layer(a)
            return self.last(a)

    return Reader()

# %% 13.6 pads, so that nothing shrinks
def build_convnet(width, dropout=0.1):
    return keras.Sequential([
        layers.Input((28, 28)), layers.Rescaling(1 / 255), layers.Reshape((28, 28, 1)),
        layers.Conv2D(width, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(2 * width, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(4 * width, 3, padding="same", activation="relu"),
        layers.Flatten(), layers.Dropout(dropout), layers.Dense(10, activation="softmax")])

# %% 13.6 forgets the ReLU of the last convolution: layers.Conv2D(4 * width, 3, activation="relu") → layers.Conv2D(4 * width, 3)

# %% 13.6 averages instead of taking the largest: layers.MaxPooling2D() → layers.AveragePooling2D()

# %% 13.6 the same width everywhere: 4 * width → 2 * width

# %% 13.6 forgets dropout: layers.Dropout(dropout) → layers.Dropout(0.0)

# %% 13.6 drops a fixed share: layers.Dropout(dropout) → layers.Dropout(0.1)

# %% 13.6 forgets to divide by 255: layers.Rescaling(1 / 255) → layers.Rescaling(1.0)

# %% 13.6 half the dropout: layers.Dropout(dropout) → layers.Dropout(dropout / 2)

# %% 13.7 looks at the validation images only: math.hypot(standard_error(accuracy, n), standard_error(accuracy, m)) → standard_error(accuracy, n)

# %% 13.7 adds the errors, not their squares: math.hypot(standard_error(accuracy, n), standard_error(accuracy, m)) → standard_error(accuracy, n) + standard_error(accuracy, m)

# %% 13.7 counts both sets as one: math.hypot(standard_error(accuracy, n), standard_error(accuracy, m)) → standard_error(accuracy, n + m)

# %% 13.8 answers where the confidence reaches the target
def threshold_for(sure, right, target):
    return target

# %% 13.8 stops at the first image that falls below the target
def threshold_for(sure, right, target):
    best = np.inf
    for t in np.unique(sure)[::-1]:
        if right[sure >= t].mean() < target:
            break
        best = t
    return best

# %% 13.8 leaves the image at the threshold out
def threshold_for(sure, right, target):
    for t in np.unique(sure)[:-1]:
        if right[sure > t].mean() >= target:
            return t
    return np.inf

# %% 13.8 wants more than the target: >= target → > target

# %% 13.8 returns None where nothing keeps the promise
def threshold_for(sure, right, target):
    for t in np.unique(sure):
        if right[sure >= t].mean() >= target:
            return t

# %% 13.8 takes one image after the other, ties too
def threshold_for(sure, right, target):
    order = np.argsort(-sure, kind="stable")
    reached = np.cumsum(right[order]) / np.arange(1, len(sure) + 1) >= target
    return sure[order][np.flatnonzero(reached).max()] if reached.any() else np.inf

# %% 13.11 forgets the smaller last batch: math.ceil(math.floor(examples * (1 - validation_split)) / batch_size) → math.floor(examples * (1 - validation_split)) // batch_size

# %% 13.11 counts the validation images: math.floor(examples * (1 - validation_split)) → examples

# %% 13.11 lets the images named rightly cost nothing: - a * np.log(top) → 

# %% 13.11 takes logarithms to base 2
def steps_per_epoch(examples, validation_split, batch_size):
    return math.ceil(math.floor(examples * (1 - validation_split)) / batch_size)


def loss_floor(a, top=1.0):
    return (1 - a) - a * np.log2(top)

# %% 13.11 the steps only, so far
def steps_per_epoch(examples, validation_split, batch_size):
    return math.ceil(math.floor(examples * (1 - validation_split)) / batch_size)


def loss_floor(a, top=1.0):
    raise NotImplementedError("your turn")
