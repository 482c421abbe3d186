# Right answers in another style than the solutions: the checks must accept them.

# %% 13.4a a model class, its output layer first
def repaired_network():
    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = layers.Dense(10)
            self.hidden = layers.Dense(128)

        def call(self, x):
            return keras.ops.softmax(self.last(keras.ops.relu(self.hidden(x))))

    return Reader()

# %% 13.4a functional, activations as layers
def repaired_network():
    x = keras.Input(shape=(784,))
    y = layers.ReLU()(layers.Dense(128)(x))
    return keras.Model(x, layers.Softmax()(layers.Dense(10)(y)))

# %% 13.4a built at the first call, compiled
def repaired_network():
    model = keras.Sequential()
    model.add(layers.Dense(128, "relu"))
    model.add(layers.Dense(10, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

# %% 13.4b image by image
def as_rows(images):
    return np.array([image.flatten() / np.float32(255) for image in images], dtype=np.float32)

# %% 13.4b a product of the sides
def as_rows(images):
    n, height, width = images.shape
    rows = images.reshape(n, height * width).astype(np.float32)
    rows *= 1 / 255
    return rows

# %% 13.6a numbered cells, counted
def count_confusions(y, predicted, classes):
    return np.bincount(y * classes + predicted, minlength=classes**2).reshape(classes, classes)

# %% 13.6a add.at, 32 bits
def count_confusions(y, predicted, classes):
    matrix = np.zeros((classes, classes), np.int32)
    np.add.at(matrix, (y, predicted), 1)
    return matrix

# %% 13.6a nested lists
def count_confusions(y, predicted, classes):
    return [[int(np.sum((y == i) & (predicted == j))) for j in range(classes)] for i in range(classes)]

# %% 13.6b stops at the first contradiction
def could_be_real(matrix, images, stated):
    for row, n in zip(matrix, images):
        if sum(row) != n or min(row) < 0:
            return False
    hits = sum(matrix[i][i] for i in range(len(matrix)))
    return f"{hits / sum(images):.4f}" == f"{stated:.4f}"

# %% 13.6b within half of the last digit
def could_be_real(matrix, images, stated):
    exact = np.diag(matrix).sum() / matrix.sum()
    return np.all(matrix.sum(1) == images) & np.all(matrix >= 0) & (abs(exact - stated) <= 5e-5)

# %% 13.7 whole numbers, one image at a time
def steps_per_epoch(examples, validation_split, batch_size):
    kept = int(examples * (1 - validation_split))
    return -(-kept // batch_size)


def loss_floor(a, top=1.0):
    rightly, wrongly = -math.log(top), -math.log(0.5)
    return a * rightly + (1 - a) * wrongly

# %% 13.7 counts batches
def steps_per_epoch(examples, validation_split, batch_size):
    return len(range(0, math.floor(examples * (1 - validation_split)), batch_size))


def loss_floor(a, top=1.0):
    return np.float32(np.log(2) - a * np.log(2 * top))

# %% 13.12 a loop that remembers the last success
def share_answered(sure, right, target):
    most, hits = 0, 0
    pairs = sorted(zip(sure, right), reverse=True)
    for k, (_, hit) in enumerate(pairs, 1):
        hits += hit
        if hits >= target * k - 1e-12:
            most = k
    return most / len(sure)

# %% 13.12 from the largest share down, in place
def share_answered(sure, right, target):
    sure *= -1
    ranked = right[sure.argsort()].astype(float)
    for k in range(len(ranked), 0, -1):
        if ranked[:k].mean() >= target:
            return np.float32(k / len(ranked))
    return 0.0
