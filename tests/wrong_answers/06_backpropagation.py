# Plausible mistakes for each exercise of notebook 06; the exercise's check must reject them.

# %% 6.1 from one side
def nudged_slope(f, w, h=1e-5):
    return (f(w + h) - f(w)) / h

# %% 6.1 divides by h
def nudged_slope(f, w, h=1e-5):
    return (f(w + h) - f(w - h)) / h

# %% 6.1 the wrong way around
def nudged_slope(f, w, h=1e-5):
    return (f(w - h) - f(w + h)) / (2 * h)

# %% 6.1 its own step
def nudged_slope(f, w, h=1e-5):
    return (f(w + 1e-5) - f(w - 1e-5)) / 2e-5

# %% 6.3 one-hot only up to the largest class present
def loss_gradient(z, y):
    p = softmax(z)
    p[:, : y.max() + 1] -= np.eye(y.max() + 1)[y]
    return (p if y.max() + 1 == z.shape[1] else p[:, : y.max() + 1]) / len(y)

# %% 6.3 works in place on the scores
def loss_gradient(z, y):
    z -= z.max(axis=1, keepdims=True)
    p = softmax(z)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)

# %% 6.2 forgets that the unit is off at w = -2
def by_hand():
    return (12, 3), (0, -1.5)

# %% 6.2 blames v by w instead of h
def by_hand():
    return (4, 3), (0, 0)

# %% 6.2 stops at the hidden activation
def by_hand():
    return (12, 1), (0, 0)

# %% 6.2 gives the values instead of the slopes
def by_hand():
    return (0.5, 2), (0.5, -2)

# %% 6.3 forgets to divide by the batch size: p / len(y) → p

# %% 6.3 divides by the number of classes: len(y)   → z.shape[1]

# %% 6.3 has the sign reversed: return p / len(y) → return -p / len(y)

# %% 6.3 takes the first column for the truth: np.arange(len(y)), y] → np.arange(len(y)), 0]

# %% 6.3 takes 1 away in every row: p[np.arange(len(y)), y] → p[:, y]

# %% 6.3 overflows for large scores
def loss_gradient(z, y):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)

# %% 6.3 lists that the layers below can't use
def loss_gradient(z, y):
    p = softmax(z)
    p[np.arange(len(y)), y] -= 1
    return (p / len(y)).tolist()

# %% 6.4 takes means over the batch: .sum(axis=0) → .mean(axis=0)

# %% 6.4 keeps the batch axis of the bias: delta.sum(axis=0) → delta

# %% 6.4 leaves W untransposed
def dense_backward(X, W, delta):
    return delta @ W if W.shape[0] == W.shape[1] else delta @ W.T, X.T @ delta, delta.sum(axis=0)

# %% 6.4 uses only the first example
def dense_backward(X, W, delta):
    return delta @ W.T, np.outer(X[0], delta[0]), delta[0]

# %% 6.4 divides by the batch size
def dense_backward(X, W, delta):
    return delta @ W.T, X.T @ delta / len(X), delta.sum(axis=0) / len(X)

# %% 6.5 forgets ReLU's step: * (inputs[i] > 0) → * 1

# %% 6.5 multiplies by the activation instead of its slope: (inputs[i] > 0) → inputs[i]

# %% 6.5 lets pass what belongs to a positive gradient
def backward(layers, inputs, delta):
    gradients = []
    for i in reversed(range(len(layers))):
        gradients.append((inputs[i].T @ delta, delta.sum(axis=0)))
        if i > 0:
            below = delta @ layers[i][0].T
            delta = below * (below > 0)
    return gradients[::-1]

# %% 6.5 returns the last layer first: gradients[::-1] → gradients

# %% 6.5 gives the earlier layers nothing
def backward(layers, inputs, delta):
    gradients = [(np.zeros_like(W), np.zeros_like(b)) for W, b in layers]
    gradients[-1] = inputs[-1].T @ delta, delta.sum(axis=0)
    return gradients

# %% 6.5 uses the same delta for every layer's bias
def backward(layers, inputs, delta):
    gradients, top = [], delta
    for i in reversed(range(len(layers))):
        gradients.append((inputs[i].T @ delta, np.resize(top.sum(axis=0), layers[i][1].shape)))
        if i > 0:
            delta = (delta @ layers[i][0].T) * (inputs[i] > 0)
    return gradients[::-1]

# %% 6.7 is the copied version without the 2
def mended_gradients(a, y_hat, y):
    delta = y_hat - y
    return delta, a[:, None] * delta, delta

# %% 6.7 keeps the 2
def mended_gradients(a, y_hat, y):
    delta = 2 * (y_hat - y) * y_hat * (1 - y_hat)
    return delta, a[:, None] * delta, delta

# %% 6.7 takes the slope of the input's side
def mended_gradients(a, y_hat, y):
    delta = (y_hat - y) * y * (1 - y)
    return delta, a[:, None] * delta, delta

# %% 6.7 has W the other way round: a[:, None] * delta → np.outer(delta, a)

# %% 6.8 nudges both ways
def one_sided_gradient(f, z, h):
    return numerical_gradient(f, z, h)


def best_one_sided_step():
    return 1.5e-8

# %% 6.8 evaluates f(z) again for every entry: - base → - f(z)

# %% 6.8 nudges z in place and never undoes it
def one_sided_gradient(f, z, h):
    base, grad = f(z), np.empty_like(z)
    for i in np.ndindex(z.shape):
        z[i] += h
        grad[i] = (f(z) - base) / h
    return grad


def best_one_sided_step():
    return np.finfo(float).eps ** 0.5

# %% 6.8 takes the best step of the central difference: ** 0.5 → ** (1 / 3)

# %% 6.8 thinks that the smallest step is the best: .eps ** 0.5 → .eps

