# Right answers in another style for each exercise of notebook 06; the exercise's check must accept them.

# %% 6.2 in place
def relu_backward(grad_a, z):
    grad_a[z <= 0] = 0
    return grad_a

# %% 6.2 np.where, in float32
def relu_backward(grad_a, z):
    return np.where(z > 0, grad_a, 0).astype(np.float32)

# %% 6.3 loops over examples and features
def scale_backward(X, g, delta):
    grad_X, grad_g, grad_b = np.zeros_like(X), np.zeros_like(g), np.zeros_like(g)
    for n in range(X.shape[0]):
        for j in range(X.shape[1]):
            grad_X[n, j] = delta[n, j] * g[j]
            grad_g[j] += delta[n, j] * X[n, j]
            grad_b[j] += delta[n, j]
    return [grad_X, grad_g, grad_b]

# %% 6.3 matrix products, in float32
def scale_backward(X, g, delta):
    X, delta = X.astype(np.float32), delta.astype(np.float32)
    return delta @ np.diag(g), np.diag(X.T @ delta), np.ones(len(X)) @ delta

# %% 6.4 the plain sigmoid, example by example, as a list
def binary_delta(z, y):
    return [(1 / (1 + np.exp(-z_n)) - y_n) / len(z) for z_n, y_n in zip(z, y)]

# %% 6.4 by the chain rule through p, in place
def binary_delta(z, y):
    p = sigmoid(z)
    z[:] = p * (1 - p)
    z *= -(y / p) + (1 - y) / (1 - p)
    z /= z.size
    return z

# %% 6.5 z is nudged in place and put back; the step as a number
def one_sided_gradient(f, z, h):
    base, grad = f(z), np.zeros(z.shape)
    for i in np.ndindex(z.shape):
        before = z[i]
        z[i] = before + h
        grad[i] = (f(z) - base) / h
        z[i] = before
    return grad


def best_one_sided_step():
    return 1e-7

# %% 6.5 all steps as rows of a matrix, a list of differences
def one_sided_gradient(f, z, h):
    base, steps = f(z), h * np.eye(z.size)
    return np.reshape([(f(z + step.reshape(z.shape)) - base) / h for step in steps], z.shape)


def best_one_sided_step():
    return 2e-8

# %% 6.6 example by example
def residual_backward(X, W, b, grad_H):
    grad_X, grad_W, grad_b = grad_H.copy(), np.zeros_like(W), np.zeros_like(b)
    for n in range(len(X)):
        delta = np.where(X[n] @ W + b > 0, grad_H[n], 0)
        grad_X[n] += W @ delta
        grad_W += np.outer(X[n], delta)
        grad_b += delta
    return grad_X, grad_W, grad_b

# %% 6.6 with the functions of the notebook, the answer in place
def residual_backward(X, W, b, grad_H):
    through, grad_W, grad_b = dense_backward(X, W, relu_backward(grad_H, X @ W + b))
    grad_H += through
    return grad_H, grad_W, grad_b

# %% 6.8a from exponentials
def tanh(z):
    a = 2 * sigmoid(2 * z.value) - 1

    def vjp(g):
        return g - g * a * a

    return Tensor(a, [(z, vjp)])

# %% 6.8a out of operations that exist
def tanh(z):
    return (z * 2).sigmoid() * 2 + (-1.0)

# %% 6.8b the Jacobian of every row
def layer_norm(x):
    B, d = x.value.shape
    mu = x.value.mean(axis=1, keepdims=True)
    s = np.sqrt(x.value.var(axis=1, keepdims=True) + 1e-5)
    u = (x.value - mu) / s

    def vjp(g):
        rows = []
        for n in range(B):
            J = (np.eye(d) - 1 / d - np.outer(u[n], u[n]) / d) / s[n]
            rows.append(J.T @ g[n])
        return np.array(rows)

    return Tensor(u, [(x, vjp)], "layer_norm")

# %% 6.9 through p, with einsum
def half_square_gradients(X, Y, W1, b1, W2, b2):
    B = X.shape[0]
    a = 1 / (1 + np.exp(-(X @ W1 + b1)))
    y_hat = 1 / (1 + np.exp(-(a @ W2 + b2)))
    delta2 = (y_hat - Y) * (y_hat - y_hat**2)
    delta1 = np.einsum("nk,hk->nh", delta2, W2) * (a - a**2)
    grads = [np.einsum("nd,nh->dh", X, delta1), delta1.sum(0),
             np.einsum("nh,nk->hk", a, delta2), delta2.sum(0)]
    return [grad / B for grad in grads]

# %% 6.9 example by example, in place
def half_square_gradients(X, Y, W1, b1, W2, b2):
    grads = [np.zeros_like(p) for p in (W1, b1, W2, b2)]
    for x, y in zip(X, Y):
        a = sigmoid(x @ W1 + b1)
        out = sigmoid(a @ W2 + b2)
        d2 = (out - y) * out * (1 - out)
        d1 = (W2 @ d2) * a * (1 - a)
        for grad, part in zip(grads, (np.outer(x, d1), d1, np.outer(a, d2), d2)):
            grad += part / len(X)
    return tuple(grads)

# %% 6.10a example by example, a list
def forward_keeping(x, W1, b1, W2, b2):
    hidden = np.array([sigmoid(row @ W1 + b1) for row in x])
    return [hidden, [sigmoid(row @ W2 + b2) for row in hidden]]

# %% 6.10a the plain sigmoid, in float32
def forward_keeping(x, W1, b1, W2, b2):
    hidden = 1 / (1 + np.exp(-(x @ W1 + b1).astype(np.float32)))
    return hidden, 1 / (1 + np.exp(-(hidden @ W2 + b2)))

# %% 6.10b a new axis, and a loop for the loss
def as_column(labels):
    return np.array(labels, dtype=float)[:, None]


def strict_loss(y, y_pred):
    if np.shape(y) != np.shape(y_pred):
        raise ValueError(f"{np.shape(y)} is not {np.shape(y_pred)}")
    return sum((a - b) ** 2 for a, b in zip(y.ravel(), y_pred.ravel())) / (2 * y.size)

# %% 6.10b nested lists, in place
def as_column(labels):
    return [[float(label)] for label in labels]


def strict_loss(y, y_pred):
    if not y.shape == y_pred.shape:
        raise ValueError("labels and predictions must have equal shapes")
    y -= y_pred
    y **= 2
    return y.mean() / 2

# %% 6.10c a column of ones sums the batch
def backward_shaped(params, x, y, hidden, y_pred):
    d_W1, d_z1, d_W2, d_z2 = run_backward(params, x, y, hidden, y_pred)
    ones = np.ones(len(x))
    return [d_W1, ones @ d_z1, d_W2, ones @ d_z2]

# %% 6.10c in place
def backward_shaped(params, x, y, hidden, y_pred):
    W1, b1, W2, b2 = params
    y_pred -= y
    d_z1 = hidden * (1 - hidden)
    d_z1 *= y_pred @ W2.T
    return np.dot(x.T, d_z1), np.sum(d_z1, 0), np.dot(hidden.T, y_pred), np.sum(y_pred, 0)

# %% 6.10d a list
def predicted_class(y_pred):
    return [1 if row[0] > 0.5 else 0 for row in y_pred]

# %% 6.10d np.where
def predicted_class(y_pred):
    return np.where(y_pred[:, 0] <= 0.5, 0, 1)

# %% 6.10e the probability of the truth, without overflow
def bce_and_delta(z, y):
    loss = np.where(y == 1, np.logaddexp(0, -z), np.logaddexp(0, z)).mean()
    return loss, (np.exp(-np.logaddexp(0, -z)) - y) / y.size

# %% 6.10e row by row, in place
def bce_and_delta(z, y):
    loss = 0.0
    for n in range(len(z)):
        loss += max(z[n, 0], 0) - z[n, 0] * y[n, 0] + np.log1p(np.exp(-abs(z[n, 0])))
        z[n] = sigmoid(z[n]) - y[n]
    z /= len(z)
    return loss / len(z), z

# %% 6.10f one number at a time
def xor_data(n, rng):
    X = np.array([[2 * rng.random() - 1, 2 * rng.random() - 1] for _ in range(n)])
    return X, np.array([[1.0 if (a < 0) != (b < 0) else 0.0] for a, b in X])

# %% 6.10f column by column
def xor_data(n, rng):
    first, second = rng.uniform(-1, 1, n), rng.uniform(-1, 1, n)
    differ = np.sign(first) != np.sign(second)
    return np.column_stack([first, second]), differ.reshape(n, 1).astype(np.float64)
