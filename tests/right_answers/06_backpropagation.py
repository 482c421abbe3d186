# Right answers in another style than the solutions'; the exercise's check must accept them.

# %% 6.1 with the width named
def nudged_slope(f, w, h=1e-5):
    left, right = w - h, w + h
    return (f(right) - f(left)) / (right - left)

# %% 6.1 the mean of both sides
def nudged_slope(f, w, h=1e-5):
    here = f(w)
    return 0.5 * ((f(w + h) - here) / h + (here - f(w - h)) / h)

# %% 6.2 lists, computed
def by_hand():
    answers = []
    for w in (2.0, -2.0):
        h = max(3 * w, 0)
        miss = 0.5 * h - 1
        answers.append([miss * h, miss * 0.5 * (h > 0) * 3])
    return answers

# %% 6.3 with one-hot labels
def loss_gradient(z, y):
    return (softmax(z) - np.eye(z.shape[1])[y]) / len(z)

# %% 6.3 a loop over rows and classes, in float32
def loss_gradient(z, y):
    rows = []
    for scores_n, true in zip(z, y):
        e = np.exp(scores_n - np.max(scores_n))
        rows.append([np.float32((p - (j == true)) / len(y)) for j, p in enumerate(e / e.sum())])
    return np.array(rows)

# %% 6.4 loops
def dense_backward(X, W, delta):
    grad_X, grad_W, grad_b = np.zeros(X.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    for n in range(len(X)):
        for j in range(W.shape[1]):
            grad_b[j] += delta[n, j]
            for i in range(W.shape[0]):
                grad_W[i, j] += X[n, i] * delta[n, j]
                grad_X[n, i] += delta[n, j] * W[i, j]
    return grad_X, grad_W, grad_b

# %% 6.4 einsum, in a list, in float32
def dense_backward(X, W, delta):
    X, W, delta = (a.astype(np.float32) for a in (X, W, delta))
    return [np.einsum("nj,ij->ni", delta, W), np.einsum("ni,nj->ij", X, delta), np.sum(delta, 0)]

# %% 6.5 with the functions built before
def backward(layers, inputs, delta):
    gradients = []
    for i in range(len(layers) - 1, -1, -1):
        grad_X, grad_W, grad_b = dense_backward(inputs[i], layers[i][0], delta)
        gradients.insert(0, [grad_W, grad_b])
        delta = relu_backward(grad_X, inputs[i])
    return gradients

# %% 6.5 in place, filled from the end
def backward(layers, inputs, delta):
    gradients = [None] * len(layers)
    for i in range(1, len(layers) + 1):
        gradients[-i] = (inputs[-i].T.dot(delta), np.add.reduce(delta))
        delta = delta @ layers[-i][0].T
        delta[inputs[-i] <= 0] = 0
    return tuple(gradients)

# %% 6.7 loops
def mended_gradients(a, y_hat, y):
    delta = [(p - t) * p * (1 - p) for p, t in zip(y_hat, y)]
    return delta, [[x * d for d in delta] for x in a], delta

# %% 6.7 float32, outer
def mended_gradients(a, y_hat, y):
    delta = ((y_hat - y) * (y_hat - y_hat**2)).astype(np.float32)
    return delta, np.outer(a, delta), delta.copy()

# %% 6.8 in place, restored; the step as a number
def one_sided_gradient(f, z, h):
    base, z = f(z), np.array(z, dtype=float)
    grad = np.zeros(z.shape)
    for i in np.ndindex(z.shape):
        before = z[i]
        z[i] = before + h
        grad[i] = (f(z) - base) / h
        z[i] = before
    return grad


def best_one_sided_step():
    return 1e-8

# %% 6.8 z is nudged in place and put back; the step as a number
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

# %% 6.8 all steps as rows of a matrix, a list of differences
def one_sided_gradient(f, z, h):
    base, steps = f(z), h * np.eye(z.size)
    return np.reshape([(f(z + step.reshape(z.shape)) - base) / h for step in steps], z.shape)


def best_one_sided_step():
    return 2e-8


# %% 6.2 the chain as a function, an array
def by_hand():
    def slopes(w, x=3.0, v=0.5, y=1.0):
        h = np.maximum(w * x, 0)
        delta = (v * h - y) * v if w * x > 0 else 0.0
        return (v * h - y) * h, delta * x

    return np.array([slopes(2.0), slopes(-2.0)])
