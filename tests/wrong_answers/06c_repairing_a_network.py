# Plausible mistakes for each exercise of notebook 06c; the exercise's check must reject them.

# %% 6c.1 returns only the predictions
def forward_keeping(x, W1, b1, W2, b2):
    hidden = sigmoid(x @ W1 + b1)
    return sigmoid(hidden @ W2 + b2)

# %% 6c.1 returns the pre-activation as the activation
def forward_keeping(x, W1, b1, W2, b2):
    z1 = x @ W1 + b1
    return z1, sigmoid(sigmoid(z1) @ W2 + b2)

# %% 6c.1 applies the sigmoid twice: sigmoid(x @ W1 + b1) → sigmoid(sigmoid(x @ W1 + b1))

# %% 6c.2 leaves the labels integers: .astype(np.float64) → .astype(int)

# %% 6c.2 makes a row: reshape(-1, 1) → reshape(1, -1)

# %% 6c.2 lets the loss broadcast: y.shape != y_pred.shape → y.size > 10**6

# %% 6c.2 compares only the number of rows: y.shape != y_pred.shape → len(y) != len(y_pred)

# %% 6c.2 forgets the one half: 0.5 * np.mean → np.mean

# %% 6c.2 asserts instead of raising ValueError
def as_column(labels):
    return labels.reshape(-1, 1).astype(np.float64)


def strict_loss(y, y_pred):
    assert y.shape == y_pred.shape
    return 0.5 * np.mean((y - y_pred) ** 2)

# %% 6c.3 still keeps the batch axis
def backward_shaped(params, x, y, hidden, y_pred):
    return gradients_2(params, x, y, hidden, y_pred)

# %% 6c.3 takes means for the biases
def backward_shaped(params, x, y, hidden, y_pred):
    d_W1, d_z1, d_W2, d_z2 = gradients_2(params, x, y, hidden, y_pred)
    return d_W1, d_z1.mean(axis=0), d_W2, d_z2.mean(axis=0)

# %% 6c.3 sums everything: d_z1.sum(axis=0) → d_z1.sum()

# %% 6c.3 takes the first example's bias gradient: d_z1.sum(axis=0) → d_z1[0]

# %% 6c.4 keeps the column: y_pred.ravel() → y_pred

# %% 6c.4 truncates instead of thresholding
def predicted_class(y_pred):
    return y_pred[:, 0].astype(int)

# %% 6c.4 takes the largest of one column
def predicted_class(y_pred):
    return y_pred.argmax(axis=1)

# %% 6c.4 returns floats: astype(int) → astype(float)

# %% 6c.4 counts one half as class 1: > 0.5 → >= 0.5

# %% 6c.5 sums the gradient and averages the loss: / len(z) → * 1

# %% 6c.5 overflows for large scores
def bce_and_delta(z, y):
    p = sigmoid(z)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)), (p - y) / len(z)

# %% 6c.5 returns the squared error's gradient
def bce_and_delta(z, y):
    p = sigmoid(z)
    return np.mean(np.logaddexp(0, z) - y * z), (p - y) * p * (1 - p) / len(z)

# %% 6c.5 sums the loss: np.mean( → np.sum(

# %% 6c.6a never updates: param -= rate * slope → pass

# %% 6c.6a climbs: param -= rate → param += rate

# %% 6c.6a forgets the slope of the hidden sigmoid: * hidden * (1 - hidden) → * 1

# %% 6c.6a goes back through weights that it has already changed
def train_step(params, X, y, rate):
    W1, b1, W2, b2 = params
    hidden = sigmoid(X @ W1 + b1)
    loss, delta = bce_and_delta(hidden @ W2 + b2, y)
    W2 -= rate * hidden.T @ delta
    b2 -= rate * delta.sum(axis=0)
    delta_1 = (delta @ W2.T) * hidden * (1 - hidden)
    W1 -= rate * X.T @ delta_1
    b1 -= rate * delta_1.sum(axis=0)
    return loss

# %% 6c.6a rebinds names instead of changing the arrays
def train_step(params, X, y, rate):
    W1, b1, W2, b2 = params
    hidden = sigmoid(X @ W1 + b1)
    loss, delta = bce_and_delta(hidden @ W2 + b2, y)
    delta_1 = (delta @ W2.T) * hidden * (1 - hidden)
    W1, b1 = W1 - rate * X.T @ delta_1, b1 - rate * delta_1.sum(axis=0)
    W2, b2 = W2 - rate * hidden.T @ delta, b2 - rate * delta.sum(axis=0)
    return loss

# %% 6c.6a updates only the output layer, as the derivation without a way back
def train_step(params, X, y, rate):
    W1, b1, W2, b2 = params
    hidden = sigmoid(X @ W1 + b1)
    loss, delta = bce_and_delta(hidden @ W2 + b2, y)
    W2 -= rate * hidden.T @ delta
    b2 -= rate * delta.sum(axis=0)
    return loss

# %% 6c.6b labels equal signs 1: < 0 → > 0

# %% 6c.6b uses only the positive quadrant
def xor_data(n, rng):
    X = rng.random((n, 2))
    return X, (X[:, :1] * X[:, 1:] < 0).astype(float)

# %% 6c.6b ignores the given generator: rng.uniform → np.random.default_rng().uniform

# %% 6c.6b returns labels of shape (n,): X[:, :1] * X[:, 1:] < 0 → X[:, 0] * X[:, 1] < 0

# %% 6c.6b draws normal points: rng.uniform(-1, 1, (n, 2)) → np.clip(rng.normal(size=(n, 2)), -1, 0.999)
