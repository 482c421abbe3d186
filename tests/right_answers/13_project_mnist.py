# Right answers in another style, which the checks of 13_project_mnist must accept.

# %% 13.2 scikit-learn's tool, with a seed from the generator
def split_rows(y, share, rng):
    from sklearn.model_selection import train_test_split

    seed = int(rng.integers(2**31))
    return train_test_split(np.arange(len(y)), test_size=share, stratify=y, random_state=seed)

# %% 13.2 rng.choice without replacement, a mask, lists
def split_rows(y, share, rng):
    held = np.zeros(len(y), dtype=bool)
    for label in sorted(set(y.tolist())):
        rows = np.where(y == label)[0]
        held[rng.choice(rows, size=round(share * len(rows)), replace=False)] = True
    return list(np.where(~held)[0]), list(np.where(held)[0])

# %% 13.4 functional
def build_mlp(width):
    images = keras.Input((28, 28))
    a = layers.Flatten()(layers.Rescaling(1 / 255)(images))
    for _ in range(2):
        a = layers.ReLU()(layers.Dense(width)(a))
    return keras.Model(images, layers.Softmax()(layers.Dense(10)(a)))

# %% 13.4 a subclass that declares its last layer first
def build_mlp(width):
    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = layers.Dense(10, activation="softmax")
            self.first, self.second = (layers.Dense(width, activation="relu") for _ in range(2))
            self.flatten = layers.Flatten()

        def call(self, images):
            a = self.flatten(keras.ops.cast(images, "float32") / 255)
            return self.last(self.second(self.first(a)))

    return Reader()

# %% 13.4 flattens before it rescales
def build_mlp(width):
    model = keras.Sequential()
    model.add(layers.Input((28, 28)))
    model.add(layers.Flatten())
    model.add(layers.Rescaling(1 / 255))
    for units, activation in ((width, "relu"), (width, "relu"), (10, "softmax")):
        model.add(layers.Dense(units, activation))
    return model

# %% 13.6 functional, in a loop
def build_convnet(width, dropout=0.1):
    images = keras.Input((28, 28))
    a = layers.Rescaling(1 / 255)(layers.Reshape((28, 28, 1))(images))
    for factor in (1, 2, 4):
        a = layers.ReLU()(layers.Conv2D(factor * width, (3, 3))(a))
        if factor < 4:
            a = layers.MaxPool2D((2, 2))(a)
    a = layers.Dropout(dropout)(layers.Flatten()(a))
    return keras.Model(images, layers.Dense(10, activation="softmax")(a))

# %% 13.6 pooling before ReLU, which is the same
def build_convnet(width, dropout=0.1):
    stack = [layers.Input((28, 28)), layers.Reshape((28, 28, 1)), layers.Rescaling(1 / 255)]
    for channels in (width, 2 * width):
        stack += [layers.Conv2D(channels, 3), layers.MaxPooling2D(), layers.ReLU()]
    stack += [layers.Conv2D(4 * width, 3, activation="relu"), layers.Dropout(dropout), layers.Flatten()]
    return keras.Sequential([*stack, layers.Dense(10, activation="softmax")])

# %% 13.7 in one formula, as an array
def predicted_range(accuracy, n, m):
    half = 1.96 * np.sqrt(accuracy * (1 - accuracy) * (1 / n + 1 / m))
    return np.array([accuracy - half, accuracy + half])

# %% 13.8 cumulative sums, ties kept together
def threshold_for(sure, right, target):
    values, first = np.unique(sure, return_index=True)
    order = np.argsort(sure, kind="stable")
    answered = len(sure) - np.searchsorted(sure[order], values)
    hits = np.array([np.sum(right[order][len(sure) - k:]) for k in answered])
    fine = np.flatnonzero(hits >= target * answered - 1e-12)
    return values[fine[0]] if len(fine) else float("inf")

# %% 13.8 a list, from the top down
def threshold_for(sure, right, target):
    best = np.inf
    for t in sorted(set(sure.tolist()), reverse=True):
        answered = [r for s, r in zip(sure, right) if s >= t]
        if sum(answered) / len(answered) >= target:
            best = t
    return best

# %% 13.11 whole numbers, and a mean over two kinds of images
def steps_per_epoch(examples, validation_split, batch_size):
    n = int(examples * (1 - validation_split))
    return n // batch_size + (n % batch_size > 0)


def loss_floor(a, top=1.0):
    return -(a * math.log(top) + (1 - a) * math.log(0.5))
