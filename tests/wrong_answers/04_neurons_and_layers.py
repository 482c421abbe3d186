# Plausible mistakes for each exercise of notebook 04. Each cell replaces the exercise cell whole;
# the exercise's check must reject it.

# %% 4.2 forgets to divide by the length of w
def signed_distance(X, w, b):
    return X @ w + b

# %% 4.2 returns unsigned distances
def signed_distance(X, w, b):
    return np.abs(X @ w + b) / np.linalg.norm(w)

# %% 4.2 divides by the squared length
def signed_distance(X, w, b):
    return (X @ w + b) / (w @ w)

# %% 4.2 divides only the weighted sum
def signed_distance(X, w, b):
    return X @ w / np.linalg.norm(w) + b

# %% 4.3 stops after the second bend, right up to two ones
def parity_network():
    W1 = np.ones((3, 2))
    return W1, np.array([0.0, -1.0]), np.array([[1.0], [-2.0]]), np.zeros(1)

# %% 4.3 changes the slope by one instead of two
def parity_network():
    W1 = np.ones((3, 3))
    b1 = np.array([0.0, -1.0, -2.0])
    return W1, b1, np.array([[1.0], [-1.0], [1.0]]), np.zeros(1)

# %% 4.3 one unit for every odd corner
def parity_network():
    W1 = np.array([[1.0, -1, -1, 1], [-1, 1, -1, 1], [-1, -1, 1, 1]])
    return W1, np.array([0.0, 0, 0, -2]), np.ones((4, 1)), np.zeros(1)

# %% 4.3 returns the output weights as a row
def parity_network():
    W1 = np.ones((3, 3))
    return W1, np.array([0.0, -1.0, -2.0]), np.array([1.0, -2.0, 2.0]), np.zeros(1)

# %% 4.5 adds the biases without carrying them through the next weights
def collapse(layers):
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W = W @ W_next
        b = b_next
    return W, b

# %% 4.5 merges only the first two layers
def collapse(layers):
    (W1, b1), (W2, b2) = layers[:2]
    return W1 @ W2, b1 @ W2 + b2

# %% 4.5 multiplies from the wrong side
def collapse(layers):
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W, b = W_next @ W, b @ W_next + b_next
    return W, b

# %% 4.5 carries the bias through the merged weights
def collapse(layers):
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W = W @ W_next
        b = b @ W + b_next
    return W, b

# %% 4.7 applies the sigmoid twice, as copied
def repaired_network(x, layers):
    a = x
    for V, c in layers[:-1]:
        z = sigmoid(V @ a + c)
        a = sigmoid(z)
    V, c = layers[-1]
    e = np.exp(V @ a + c)
    return e / e.sum()


def parameter_count(sizes):
    return sum((i + 1) * o for i, o in zip(sizes[:-1], sizes[1:]))

# %% 4.7 sigmoid at the output too
def repaired_network(x, layers):
    a = x
    for V, c in layers:
        a = sigmoid(V @ a + c)
    return a / a.sum()


def parameter_count(sizes):
    return sum((i + 1) * o for i, o in zip(sizes[:-1], sizes[1:]))

# %% 4.7 no activation in the hidden layers
def repaired_network(x, layers):
    a = x
    for V, c in layers:
        a = V @ a + c
    return np.exp(a) / np.exp(a).sum()


def parameter_count(sizes):
    return sum((i + 1) * o for i, o in zip(sizes[:-1], sizes[1:]))

# %% 4.7 uses this course's orientation of the weights
def repaired_network(x, layers):
    a = x
    for V, c in layers[:-1]:
        a = sigmoid(a @ V + c)
    V, c = layers[-1]
    e = np.exp(a @ V + c)
    return e / e.sum()


def parameter_count(sizes):
    return sum((i + 1) * o for i, o in zip(sizes[:-1], sizes[1:]))

# %% 4.7 only the network yet
def repaired_network(x, layers):
    a = x
    for V, c in layers[:-1]:
        a = sigmoid(V @ a + c)
    V, c = layers[-1]
    e = np.exp(V @ a + c)
    return e / e.sum()


def parameter_count(sizes):
    raise NotImplementedError("your turn")

# %% 4.7 counts no biases
def repaired_network(x, layers):
    a = x
    for V, c in layers[:-1]:
        a = sigmoid(V @ a + c)
    V, c = layers[-1]
    e = np.exp(V @ a + c)
    return e / e.sum()


def parameter_count(sizes):
    return sum(i * o for i, o in zip(sizes[:-1], sizes[1:]))

# %% 4.7 gives the input layer biases as well
def repaired_network(x, layers):
    a = x
    for V, c in layers[:-1]:
        a = sigmoid(V @ a + c)
    V, c = layers[-1]
    e = np.exp(V @ a + c)
    return e / e.sum()


def parameter_count(sizes):
    return sum(sizes) + sum(i * o for i, o in zip(sizes[:-1], sizes[1:]))

# %% 4.8 uses the slopes instead of their changes
def interpolating_network(knots, heights):
    slopes = np.diff(heights) / np.diff(knots)
    return np.ones((1, len(slopes))), -knots[:-1], slopes[:, None], heights[:1]

# %% 4.8 assumes evenly spaced knots
def interpolating_network(knots, heights):
    slopes = np.diff(heights) / (knots[1] - knots[0])
    changes = np.diff(slopes, prepend=0)
    return np.ones((1, len(slopes))), -knots[:-1], changes[:, None], heights[:1]

# %% 4.8 forgets where the curve starts
def interpolating_network(knots, heights):
    slopes = np.diff(heights) / np.diff(knots)
    changes = np.diff(slopes, prepend=0)
    return np.ones((1, len(slopes))), -knots[:-1], changes[:, None], np.zeros(1)

# %% 4.8 counts the changes from 1: prepend=0 → prepend=1

# %% 4.8 switches each unit on one knot late
def interpolating_network(knots, heights):
    slopes = np.diff(heights) / np.diff(knots)
    changes = np.diff(slopes, prepend=0)
    return np.ones((1, len(slopes))), -knots[1:], changes[:, None], heights[:1]

# %% 4.9 the slope is the exponential without alpha
def elu(z, alpha):
    decay = np.exp(np.minimum(z, 0))
    return np.where(z > 0, z, alpha * (decay - 1)), np.where(z > 0, 1, decay)

# %% 4.9 overflows in the branch that is thrown away
def elu(z, alpha):
    return np.where(z > 0, z, alpha * (np.exp(z) - 1)), np.where(z > 0, 1, alpha * np.exp(z))

# %% 4.9 the value where the slope should be
def elu(z, alpha):
    decay = alpha * np.exp(np.minimum(z, 0))
    return np.where(z > 0, z, decay - alpha), np.where(z > 0, 1, decay - alpha)

# %% 4.9 takes the right slope at 0
def elu(z, alpha):
    decay = alpha * np.exp(np.minimum(z, 0))
    return np.where(z > 0, z, decay - alpha), np.where(z >= 0, 1, decay)

# %% 4.10 keeps only the diagonal of the Jacobian
def softmax_backward(p, grad_p):
    return p * (1 - p) * grad_p

# %% 4.10 forgets p in the sum
def softmax_backward(p, grad_p):
    return p * (grad_p - grad_p.sum(axis=1, keepdims=True))

# %% 4.10 sums over the batch
def softmax_backward(p, grad_p):
    return p * (grad_p - (grad_p * p).sum(axis=0, keepdims=True))

# %% 4.10 takes the mean over the classes
def softmax_backward(p, grad_p):
    return p * (grad_p - (grad_p * p).mean(axis=1, keepdims=True))

# %% 4.10 stores every Jacobian
def softmax_backward(p, grad_p):
    J = np.eye(p.shape[1]) * p[:, None, :] - p[:, :, None] * p[:, None, :]
    return np.einsum("ni,nij->nj", grad_p, J)

# %% 4.13 copied: uniform and all positive
def leaky_layers(sizes, alpha, rng):
    return [(rng.random((i, o)), np.zeros(o)) for i, o in zip(sizes[:-1], sizes[1:])]

# %% 4.13 He whatever the slope
def leaky_layers(sizes, alpha, rng):
    return [(rng.normal(size=(i, o)) * np.sqrt(2 / i), np.zeros(o))
            for i, o in zip(sizes[:-1], sizes[1:])]

# %% 4.13 does not square the slope
def leaky_layers(sizes, alpha, rng):
    return [(rng.normal(size=(i, o)) * np.sqrt(2 / ((1 + alpha) * i)), np.zeros(o))
            for i, o in zip(sizes[:-1], sizes[1:])]

# %% 4.13 divides by the number of outputs
def leaky_layers(sizes, alpha, rng):
    return [(rng.normal(size=(i, o)) * np.sqrt(2 / ((1 + alpha**2) * o)), np.zeros(o))
            for i, o in zip(sizes[:-1], sizes[1:])]

# %% 4.13 random biases
def leaky_layers(sizes, alpha, rng):
    return [(rng.normal(size=(i, o)) * np.sqrt(2 / ((1 + alpha**2) * i)), rng.normal(size=o))
            for i, o in zip(sizes[:-1], sizes[1:])]

# %% 4.13 takes the variance for the standard deviation
def leaky_layers(sizes, alpha, rng):
    return [(rng.normal(0, 2 / ((1 + alpha**2) * i), (i, o)), np.zeros(o))
            for i, o in zip(sizes[:-1], sizes[1:])]

# %% 4.13 every unit of a layer the same
def leaky_layers(sizes, alpha, rng):
    return [(np.repeat(rng.normal(size=(i, 1)) * np.sqrt(2 / ((1 + alpha**2) * i)), o, axis=1),
             np.zeros(o)) for i, o in zip(sizes[:-1], sizes[1:])]
