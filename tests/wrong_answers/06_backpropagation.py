# Plausible mistakes for each exercise of notebook 06. Each cell replaces the exercise cell whole, or is one
# replacement in the solution; the exercise's check must reject it.

# %% 6.2 passes everything on, also where z is negative
def relu_backward(grad_a, z):
    return grad_a

# %% 6.2 differentiates to the value instead of the slope
def relu_backward(grad_a, z):
    return grad_a * np.maximum(z, 0)

# %% 6.2 takes 1 at the kink
def relu_backward(grad_a, z):
    return grad_a * (z >= 0)

# %% 6.2 looks at the sign of the gradient instead of z
def relu_backward(grad_a, z):
    return grad_a * (grad_a > 0)

# %% 6.2 forgets the gradient from above
def relu_backward(grad_a, z):
    return (z > 0).astype(float)

# %% 6.3 keeps the batch axis of the gain and the bias
def scale_backward(X, g, delta):
    return delta * g, delta * X, delta

# %% 6.3 takes means over the batch
def scale_backward(X, g, delta):
    return delta * g, (delta * X).mean(axis=0), delta.mean(axis=0)

# %% 6.3 swaps input and gain
def scale_backward(X, g, delta):
    return delta * X, (delta * g).sum(axis=0), delta.sum(axis=0)

# %% 6.3 sums over the features
def scale_backward(X, g, delta):
    return delta * g, (delta * X).sum(axis=1), delta.sum(axis=1)

# %% 6.4 forgets to divide by the batch size
def binary_delta(z, y):
    return sigmoid(z) - y

# %% 6.4 has the sign reversed
def binary_delta(z, y):
    return (y - sigmoid(z)) / len(y)

# %% 6.4 adds the slope of the sigmoid, as for the squared error
def binary_delta(z, y):
    p = sigmoid(z)
    return (p - y) * p * (1 - p) / len(y)

# %% 6.4 forgets the sigmoid
def binary_delta(z, y):
    return (z - y) / len(y)

# %% 6.5 nudges both ways
def one_sided_gradient(f, z, h):
    return numerical_gradient(f, z, h)


def best_one_sided_step():
    return 1.5e-8

# %% 6.5 evaluates f(z) again for every entry
def one_sided_gradient(f, z, h):
    grad = np.empty_like(z)
    for i in np.ndindex(z.shape):
        up = z.copy()
        up[i] += h
        grad[i] = (f(up) - f(z)) / h
    return grad


def best_one_sided_step():
    return np.finfo(float).eps ** 0.5

# %% 6.5 nudges z in place and never undoes it
def one_sided_gradient(f, z, h):
    base, grad = f(z), np.empty_like(z)
    for i in np.ndindex(z.shape):
        z[i] += h
        grad[i] = (f(z) - base) / h
    return grad


def best_one_sided_step():
    return np.finfo(float).eps ** 0.5

# %% 6.5 takes the best step of the central difference
def one_sided_gradient(f, z, h):
    base, grad = f(z), np.empty_like(z)
    for i in np.ndindex(z.shape):
        up = z.copy()
        up[i] += h
        grad[i] = (f(up) - base) / h
    return grad


def best_one_sided_step():
    return np.finfo(float).eps ** (1 / 3)

# %% 6.5 thinks that the smallest step is the best
def one_sided_gradient(f, z, h):
    base, grad = f(z), np.empty_like(z)
    for i in np.ndindex(z.shape):
        up = z.copy()
        up[i] += h
        grad[i] = (f(up) - base) / h
    return grad


def best_one_sided_step():
    return np.finfo(float).eps

# %% 6.5 gives a step twelve times too small: np.finfo(float).eps ** 0.5 → 1.2e-9

# %% 6.5 leaves the second function unwritten
def one_sided_gradient(f, z, h):
    base, grad = f(z), np.empty_like(z)
    for i in np.ndindex(z.shape):
        up = z.copy()
        up[i] += h
        grad[i] = (f(up) - base) / h
    return grad


def best_one_sided_step():
    raise NotImplementedError("your turn")

# %% 6.6 forgets the bypass
def residual_backward(X, W, b, grad_H):
    delta = grad_H * (X @ W + b > 0)
    return delta @ W.T, X.T @ delta, delta.sum(axis=0)

# %% 6.6 forgets ReLU's slope
def residual_backward(X, W, b, grad_H):
    return grad_H + grad_H @ W.T, X.T @ grad_H, grad_H.sum(axis=0)

# %% 6.6 leaves W untransposed
def residual_backward(X, W, b, grad_H):
    delta = grad_H * (X @ W + b > 0)
    return grad_H + delta @ W, X.T @ delta, delta.sum(axis=0)

# %% 6.6 leaves the bias out of the pre-activation
def residual_backward(X, W, b, grad_H):
    delta = grad_H * (X @ W > 0)
    return grad_H + delta @ W.T, X.T @ delta, delta.sum(axis=0)

# %% 6.6 adds the bypass to the weights as well
def residual_backward(X, W, b, grad_H):
    delta = grad_H * (X @ W + b > 0)
    return grad_H + delta @ W.T, X.T @ (delta + grad_H), (delta + grad_H).sum(axis=0)

# %% 6.6 passes the gradient on where the layer's output is 0: b > 0 → b >= 0

# %% 6.8a takes the sigmoid's slope
def tanh(z):
    a = np.tanh(z.value)
    return Tensor(a, [(z, lambda g: g * a * (1 - a))], "tanh")

# %% 6.8a forgets the gradient from above
def tanh(z):
    a = np.tanh(z.value)
    return Tensor(a, [(z, lambda g: 1 - a**2)], "tanh")

# %% 6.8a is not connected to its parent
def tanh(z):
    return Tensor(np.tanh(z.value))

# %% 6.8a squares the input instead of the output
def tanh(z):
    return Tensor(np.tanh(z.value), [(z, lambda g: g * (1 - z.value**2))], "tanh")

# %% 6.8b treats the mean and the spread as constants
def layer_norm(x):
    centered = x.value - x.value.mean(axis=1, keepdims=True)
    s = np.sqrt((centered**2).mean(axis=1, keepdims=True) + 1e-5)
    return Tensor(centered / s, [(x, lambda g: g / s)], "layer_norm")

# %% 6.8b forgets the path through the spread
def layer_norm(x):
    centered = x.value - x.value.mean(axis=1, keepdims=True)
    s = np.sqrt((centered**2).mean(axis=1, keepdims=True) + 1e-5)
    return Tensor(centered / s, [(x, lambda g: (g - g.mean(axis=1, keepdims=True)) / s)])

# %% 6.8b normalizes columns, as batch normalization does
def layer_norm(x):
    def mean(v):
        return v.mean(axis=0, keepdims=True)

    centered = x.value - mean(x.value)
    s = np.sqrt(mean(centered**2) + 1e-5)
    y = centered / s
    return Tensor(y, [(x, lambda g: (g - mean(g) - y * mean(g * y)) / s)])

# %% 6.8b leaves epsilon out
def layer_norm(x):
    def mean(v):
        return v.mean(axis=1, keepdims=True)

    centered = x.value - mean(x.value)
    s = np.sqrt(mean(centered**2))
    y = centered / s
    return Tensor(y, [(x, lambda g: (g - mean(g) - y * mean(g * y)) / s)])

# %% 6.8b adds epsilon to the deviation: np.sqrt(row_mean(centered**2) + 1e-5) → np.sqrt(row_mean(centered**2)) + 1e-5

# %% 6.9 is the widely copied version: no slope of the sigmoid at the output
def half_square_gradients(X, Y, W1, b1, W2, b2):
    hidden = sigmoid(X @ W1 + b1)
    out = sigmoid(hidden @ W2 + b2)
    delta2 = (out - Y) / len(X)
    delta1 = (delta2 @ W2.T) * hidden * (1 - hidden)
    return X.T @ delta1, delta1.sum(axis=0), hidden.T @ delta2, delta2.sum(axis=0)

# %% 6.9 forgets the slope in the hidden layer
def half_square_gradients(X, Y, W1, b1, W2, b2):
    hidden = sigmoid(X @ W1 + b1)
    out = sigmoid(hidden @ W2 + b2)
    delta2 = (out - Y) * out * (1 - out) / len(X)
    delta1 = delta2 @ W2.T
    return X.T @ delta1, delta1.sum(axis=0), hidden.T @ delta2, delta2.sum(axis=0)

# %% 6.9 keeps the factor 2 that the one half cancels
def half_square_gradients(X, Y, W1, b1, W2, b2):
    hidden = sigmoid(X @ W1 + b1)
    out = sigmoid(hidden @ W2 + b2)
    delta2 = 2 * (out - Y) * out * (1 - out) / len(X)
    delta1 = (delta2 @ W2.T) * hidden * (1 - hidden)
    return X.T @ delta1, delta1.sum(axis=0), hidden.T @ delta2, delta2.sum(axis=0)

# %% 6.9 averages over the outputs as well
def half_square_gradients(X, Y, W1, b1, W2, b2):
    hidden = sigmoid(X @ W1 + b1)
    out = sigmoid(hidden @ W2 + b2)
    delta2 = (out - Y) * out * (1 - out) / out.size
    delta1 = (delta2 @ W2.T) * hidden * (1 - hidden)
    return X.T @ delta1, delta1.sum(axis=0), hidden.T @ delta2, delta2.sum(axis=0)

# %% 6.9 gives the earlier layer nothing
def half_square_gradients(X, Y, W1, b1, W2, b2):
    hidden = sigmoid(X @ W1 + b1)
    out = sigmoid(hidden @ W2 + b2)
    delta2 = (out - Y) * out * (1 - out) / len(X)
    return np.zeros_like(W1), np.zeros_like(b1), hidden.T @ delta2, delta2.sum(axis=0)

# %% 6.10a returns only the predictions
def forward_keeping(x, W1, b1, W2, b2):
    hidden = sigmoid(x @ W1 + b1)
    return sigmoid(hidden @ W2 + b2)

# %% 6.10a returns the pre-activation as the activation
def forward_keeping(x, W1, b1, W2, b2):
    z1 = x @ W1 + b1
    return z1, sigmoid(sigmoid(z1) @ W2 + b2)

# %% 6.10a applies the sigmoid twice
def forward_keeping(x, W1, b1, W2, b2):
    hidden = sigmoid(sigmoid(x @ W1 + b1))
    return hidden, sigmoid(sigmoid(hidden @ W2 + b2))

# %% 6.10b leaves the labels integers
def as_column(labels):
    return labels.reshape(-1, 1)


def strict_loss(y, y_pred):
    if y.shape != y_pred.shape:
        raise ValueError("shapes differ")
    return 0.5 * np.mean((y - y_pred) ** 2)

# %% 6.10b makes a row
def as_column(labels):
    return labels.reshape(1, -1).astype(np.float64)


def strict_loss(y, y_pred):
    if y.shape != y_pred.shape:
        raise ValueError("shapes differ")
    return 0.5 * np.mean((y - y_pred) ** 2)

# %% 6.10b lets the loss broadcast
def as_column(labels):
    return labels.reshape(-1, 1).astype(np.float64)


def strict_loss(y, y_pred):
    return 0.5 * np.mean((y - y_pred) ** 2)

# %% 6.10b compares only the number of rows
def as_column(labels):
    return labels.reshape(-1, 1).astype(np.float64)


def strict_loss(y, y_pred):
    if len(y) != len(y_pred):
        raise ValueError("lengths differ")
    return 0.5 * np.mean((y - y_pred) ** 2)

# %% 6.10b forgets the one half
def as_column(labels):
    return labels.reshape(-1, 1).astype(np.float64)


def strict_loss(y, y_pred):
    if y.shape != y_pred.shape:
        raise ValueError("shapes differ")
    return np.mean((y - y_pred) ** 2)

# %% 6.10b leaves the second function unwritten
def as_column(labels):
    return labels.reshape(-1, 1).astype(np.float64)


def strict_loss(y, y_pred):
    raise NotImplementedError("your turn")

# %% 6.10b sums instead of averaging: 0.5 * np.mean( → 0.5 * np.sum(

# %% 6.10c still keeps the batch axis
def backward_shaped(params, x, y, hidden, y_pred):
    return run_backward(params, x, y, hidden, y_pred)

# %% 6.10c takes means for the biases
def backward_shaped(params, x, y, hidden, y_pred):
    d_z2 = y_pred - y
    d_z1 = (d_z2 @ params[2].T) * hidden * (1 - hidden)
    return x.T @ d_z1, d_z1.mean(axis=0), hidden.T @ d_z2, d_z2.mean(axis=0)

# %% 6.10c sums everything
def backward_shaped(params, x, y, hidden, y_pred):
    d_z2 = y_pred - y
    d_z1 = (d_z2 @ params[2].T) * hidden * (1 - hidden)
    return x.T @ d_z1, d_z1.sum(), hidden.T @ d_z2, d_z2.sum()

# %% 6.10c takes the first example's bias gradient
def backward_shaped(params, x, y, hidden, y_pred):
    d_z2 = y_pred - y
    d_z1 = (d_z2 @ params[2].T) * hidden * (1 - hidden)
    return x.T @ d_z1, d_z1[0], hidden.T @ d_z2, d_z2[0]

# %% 6.10d keeps the column
def predicted_class(y_pred):
    return (y_pred > 0.5).astype(int)

# %% 6.10d truncates instead of thresholding
def predicted_class(y_pred):
    return y_pred[:, 0].astype(int)

# %% 6.10d takes the largest of one column
def predicted_class(y_pred):
    return y_pred.argmax(axis=1)

# %% 6.10d returns floats
def predicted_class(y_pred):
    return (y_pred[:, 0] > 0.5).astype(float)

# %% 6.10d counts one half as class 1
def predicted_class(y_pred):
    return (y_pred[:, 0] >= 0.5).astype(int)

# %% 6.10e sums the gradient and averages the loss
def bce_and_delta(z, y):
    return np.mean(np.logaddexp(0, z) - y * z), sigmoid(z) - y

# %% 6.10e overflows for large logits
def bce_and_delta(z, y):
    p = sigmoid(z)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)), (p - y) / len(z)

# %% 6.10e returns the squared error's gradient
def bce_and_delta(z, y):
    p = sigmoid(z)
    return np.mean(np.logaddexp(0, z) - y * z), (p - y) * p * (1 - p) / len(z)

# %% 6.10e sums the loss
def bce_and_delta(z, y):
    return np.sum(np.logaddexp(0, z) - y * z), (sigmoid(z) - y) / len(z)

# %% 6.10f labels equal signs 1
def xor_data(n, rng):
    X = rng.uniform(-1, 1, (n, 2))
    return X, (X[:, :1] * X[:, 1:] > 0).astype(float)

# %% 6.10f uses only the positive quadrant
def xor_data(n, rng):
    X = rng.random((n, 2))
    return X, (X[:, :1] * X[:, 1:] < 0).astype(float)

# %% 6.10f ignores the given generator
def xor_data(n, rng):
    X = np.random.default_rng().uniform(-1, 1, (n, 2))
    return X, (X[:, :1] * X[:, 1:] < 0).astype(float)

# %% 6.10f returns labels of shape (n,)
def xor_data(n, rng):
    X = rng.uniform(-1, 1, (n, 2))
    return X, (X[:, 0] * X[:, 1] < 0).astype(float)

# %% 6.10f draws normal points
def xor_data(n, rng):
    X = np.clip(rng.normal(size=(n, 2)), -1, 0.999)
    return X, (X[:, :1] * X[:, 1:] < 0).astype(float)
