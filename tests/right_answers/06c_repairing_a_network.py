# Right answers in another style than the solutions'; the exercise's check must accept them.

# %% 6c.1 row by row, as lists
def forward_keeping(x, W1, b1, W2, b2):
    hidden = [[1 / (1 + np.exp(-(row @ W1[:, j] + b1[j]))) for j in range(len(b1))] for row in x]
    return hidden, [[sigmoid(np.dot(h, W2[:, 0]) + b2[0])] for h in hidden]

# %% 6c.1 float32
def forward_keeping(x, W1, b1, W2, b2):
    hidden = sigmoid((x @ W1 + b1).astype(np.float32))
    return [hidden, sigmoid(hidden @ W2.astype(np.float32) + b2.astype(np.float32))]

# %% 6c.2 new axis; a sum
def as_column(labels):
    return 1.0 * labels[:, np.newaxis]


def strict_loss(y, y_pred):
    if np.shape(y) == np.shape(y_pred):
        return ((y_pred - y) ** 2).sum() / (2 * y.size)
    raise ValueError("shapes differ")

# %% 6c.2 loops
def as_column(labels):
    return np.array([[float(label)] for label in labels])


def strict_loss(y, y_pred):
    if y.ndim != y_pred.ndim or any(a != b for a, b in zip(y.shape, y_pred.shape)):
        raise ValueError(f"{y.shape} is not {y_pred.shape}")
    return sum(float(a - b) ** 2 for a, b in zip(y.ravel(), y_pred.ravel())) / y.size / 2

# %% 6c.3 with the one before, in a list
def backward_shaped(params, x, y, hidden, y_pred):
    d_W1, d_z1, d_W2, d_z2 = gradients_2(params, x, y, hidden, y_pred)
    return [d_W1, np.sum(d_z1, 0), d_W2, np.sum(d_z2, 0)]

# %% 6c.3 a loop over the examples
def backward_shaped(params, x, y, hidden, y_pred):
    grads = [np.zeros_like(p) for p in params]
    for x_n, y_n, h_n, p_n in zip(x, y, hidden, y_pred):
        d2 = p_n - y_n
        d1 = (params[2] @ d2) * h_n * (1 - h_n)
        for grad, share in zip(grads, (np.outer(x_n, d1), d1, np.outer(h_n, d2), d2)):
            grad += share
    return grads

# %% 6c.4 where, on a column
def predicted_class(y_pred):
    return np.where(y_pred[:, 0] > 0.5, 1, 0)

# %% 6c.4 a list
def predicted_class(y_pred):
    return [1 if p > 0.5 else 0 for (p,) in y_pred]

# %% 6c.5 the stable form by signs
def bce_and_delta(z, y):
    each = np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))
    return each.sum() / len(z), (sigmoid(z) - y) / z.shape[0]

# %% 6c.5 lists
def bce_and_delta(z, y):
    n = len(z)
    loss = sum(np.logaddexp(0, s) - t * s for s, t in zip(z[:, 0], y[:, 0])) / n
    return loss, [[(sigmoid(s) - t) / n] for s, t in zip(z[:, 0], y[:, 0])]

# %% 6c.6a replaces the arrays in the list
def train_step(params, X, y, rate):
    W1, b1, W2, b2 = params
    hidden, p = forward_keeping(X, W1, b1, W2, b2)
    loss = np.mean(np.logaddexp(0, hidden @ W2 + b2) - y * (hidden @ W2 + b2))
    for i, grad in enumerate(backward_shaped(params, X, y, hidden, p)):
        params[i] = params[i] - rate * grad / len(X)
    return loss

# %% 6c.6a with the pieces built before, in place
def train_step(params, X, y, rate):
    hidden, p = forward_keeping(X, *params)
    loss, _ = bce_and_delta(hidden @ params[2] + params[3], y)
    descend(params, [g / len(X) for g in backward_shaped(params, X, y, hidden, p)], rate)
    return loss

# %% 6c.6b signs, scaled random numbers
def xor_data(n, rng):
    X = 2 * rng.random((n, 2)) - 1
    return X, np.array([[1.0 if a * b < 0 else 0.0] for a, b in X])

# %% 6c.6b coordinate by coordinate
def xor_data(n, rng):
    first, second = rng.uniform(-1, 1, n), rng.uniform(-1, 1, n)
    return np.stack([first, second], axis=1), np.not_equal(first < 0, second < 0)[:, None] * 1.0

# %% 6c.1 example by example, a list
def forward_keeping(x, W1, b1, W2, b2):
    hidden = np.array([sigmoid(row @ W1 + b1) for row in x])
    return [hidden, [sigmoid(row @ W2 + b2) for row in hidden]]

# %% 6c.1 the plain sigmoid, in float32
def forward_keeping(x, W1, b1, W2, b2):
    hidden = 1 / (1 + np.exp(-(x @ W1 + b1).astype(np.float32)))
    return hidden, 1 / (1 + np.exp(-(hidden @ W2 + b2)))

# %% 6c.2 a new axis, and a loop for the loss
def as_column(labels):
    return np.array(labels, dtype=float)[:, None]


def strict_loss(y, y_pred):
    if np.shape(y) != np.shape(y_pred):
        raise ValueError(f"{np.shape(y)} is not {np.shape(y_pred)}")
    return sum((a - b) ** 2 for a, b in zip(y.ravel(), y_pred.ravel())) / (2 * y.size)

# %% 6c.2 nested lists, in place
def as_column(labels):
    return [[float(label)] for label in labels]


def strict_loss(y, y_pred):
    if not y.shape == y_pred.shape:
        raise ValueError("labels and predictions must have equal shapes")
    y -= y_pred
    y **= 2
    return y.mean() / 2

# %% 6c.3 a column of ones sums the batch
def backward_shaped(params, x, y, hidden, y_pred):
    d_W1, d_z1, d_W2, d_z2 = gradients_2(params, x, y, hidden, y_pred)
    ones = np.ones(len(x))
    return [d_W1, ones @ d_z1, d_W2, ones @ d_z2]

# %% 6c.3 in place
def backward_shaped(params, x, y, hidden, y_pred):
    W1, b1, W2, b2 = params
    y_pred -= y
    d_z1 = hidden * (1 - hidden)
    d_z1 *= y_pred @ W2.T
    return np.dot(x.T, d_z1), np.sum(d_z1, 0), np.dot(hidden.T, y_pred), np.sum(y_pred, 0)

# %% 6c.4 a list
def predicted_class(y_pred):
    return [1 if row[0] > 0.5 else 0 for row in y_pred]

# %% 6c.4 np.where
def predicted_class(y_pred):
    return np.where(y_pred[:, 0] <= 0.5, 0, 1)

# %% 6c.5 the probability of the truth, without overflow
def bce_and_delta(z, y):
    loss = np.where(y == 1, np.logaddexp(0, -z), np.logaddexp(0, z)).mean()
    return loss, (np.exp(-np.logaddexp(0, -z)) - y) / y.size

# %% 6c.5 row by row, in place
def bce_and_delta(z, y):
    loss = 0.0
    for n in range(len(z)):
        loss += max(z[n, 0], 0) - z[n, 0] * y[n, 0] + np.log1p(np.exp(-abs(z[n, 0])))
        z[n] = sigmoid(z[n]) - y[n]
    z /= len(z)
    return loss / len(z), z

# %% 6c.6b one number at a time
def xor_data(n, rng):
    X = np.array([[2 * rng.random() - 1, 2 * rng.random() - 1] for _ in range(n)])
    return X, np.array([[1.0 if (a < 0) != (b < 0) else 0.0] for a, b in X])

# %% 6c.6b column by column
def xor_data(n, rng):
    first, second = rng.uniform(-1, 1, n), rng.uniform(-1, 1, n)
    differ = np.sign(first) != np.sign(second)
    return np.column_stack([first, second]), differ.reshape(n, 1).astype(np.float64)
