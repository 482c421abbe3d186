# Right answers in another style than the solutions: the checks must accept them.

# %% 4.2 a loop over the rows
def signed_distance(X, w, b):
    length = sum(weight**2 for weight in w) ** 0.5
    return [(sum(weight * x for weight, x in zip(w, row)) + b) / length for row in X]

# %% 4.2 a unit vector first, in float32
def signed_distance(X, w, b):
    X, w = X.astype("float32"), w.astype("float32")
    length = np.sqrt(w @ w)
    return X @ (w / length) + np.float32(b) / length

# %% 4.2 in place
def signed_distance(X, w, b):
    length = np.linalg.norm(w)
    w /= length
    X *= w
    return X.sum(axis=1) + b / length

# %% 4.3 lists, another zigzag from the right
def parity_network():
    return [[-1, -1, -1]] * 3, [3, 2, 1], [[-1], [2], [-2]], [1]

# %% 4.3 weights of different sizes
def parity_network():
    W1 = np.outer(np.ones(3), [2.0, 4.0, 1.0])
    return W1, np.array([0.0, -4.0, -2.0]), np.array([[0.5], [-0.5], [2.0]]), np.array([0.0])

# %% 4.5 pushes the corners through
def collapse(layers):
    d = np.shape(layers[0][0])[0]
    points = np.vstack([np.zeros(d), np.eye(d)])  # the origin, then the unit vectors
    for W, b in layers:
        points = points @ W + b
    return points[1:] - points[0], points[0]

# %% 4.5 from the last layer to the first, in float32
def collapse(layers):
    W, b = (part.astype("float32") for part in layers[-1])
    for W_before, b_before in layers[-2::-1]:
        b = b_before.astype("float32") @ W + b
        W = W_before.astype("float32") @ W
    return W, b

# %% 4.5 one matrix with the bias as a last row
def collapse(layers):
    def extended(W, b):
        return np.block([[W, np.zeros((len(W), 1))], [b, 1.0]])

    product = np.linalg.multi_dot([extended(*layer) for layer in layers] + [np.eye(len(layers[-1][1]) + 1)])
    return product[:-1, :-1], product[-1, :-1]

# %% 4.7 loops over units
def repaired_network(x, layers):
    a = list(x)
    for number, (V, c) in enumerate(layers):
        z = [sum(weight * value for weight, value in zip(row, a)) + bias for row, bias in zip(V, c)]
        if number < len(layers) - 1:
            a = [1 / (1 + math.exp(-value)) for value in z]
    largest = max(z)
    e = [math.exp(value - largest) for value in z]
    return [value / sum(e) for value in e]


def parameter_count(sizes):
    total = 0
    for l in range(1, len(sizes)):
        total += sizes[l - 1] * sizes[l] + sizes[l]
    return total

# %% 4.7 as one row, in float32
def repaired_network(x, layers):
    a = np.asarray(x, "float32")[None]
    *hidden, (V_last, c_last) = [(V.astype("float32"), c.astype("float32")) for V, c in layers]
    for V, c in hidden:
        a = sigmoid(a @ V.T + c)
    return softmax_of(a @ V_last.T + c_last)[0]


def softmax_of(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def parameter_count(sizes):
    sizes = np.array(sizes)
    return np.sum(sizes[:-1] * sizes[1:]) + np.sum(sizes[1:])

# %% 4.8 from the right end
def interpolating_network(knots, heights):
    slopes = np.diff(heights) / np.diff(knots)
    changes = np.diff(slopes[::-1], prepend=0)[::-1]
    return -np.ones((1, len(slopes))), knots[1:], -changes[:, None], heights[-1:]

# %% 4.8 a loop, units scaled to the gaps
def interpolating_network(knots, heights):
    W1, b1, W2, slope = [], [], [], 0.0
    for k in range(len(knots) - 1):
        gap = knots[k + 1] - knots[k]
        now = (heights[k + 1] - heights[k]) / gap
        W1.append(1 / gap)
        b1.append(-knots[k] / gap)
        W2.append([(now - slope) * gap])
        slope = now
    return [W1], b1, W2, [heights[0]]

# %% 4.8 the weights as the solution of linear equations
def interpolating_network(knots, heights):
    hidden = np.maximum(knots[1:, None] - knots[:-1], 0)  # row: at knot k + 1
    W2 = np.linalg.solve(hidden, heights[1:] - heights[0])
    return np.ones((1, len(W2))), -knots[:-1], W2.reshape(-1, 1), np.array([heights[0]])

# %% 4.9 in place, by a mask
def elu(z, alpha):
    slope, negative = np.ones_like(z), z <= 0
    slope[negative] = alpha * np.exp(z[negative])
    z[negative] = slope[negative] - alpha
    return z, slope

# %% 4.9 entry by entry
def elu(z, alpha):
    value = np.array([x if x > 0 else alpha * math.expm1(x) for x in z.flat]).reshape(z.shape)
    slope = np.array([1.0 if x > 0 else alpha * math.exp(x) for x in z.flat]).reshape(z.shape)
    return value, slope

# %% 4.9 a sum of two halves, float32
def elu(z, alpha):
    z = np.asarray(z, "float32")
    below = np.float32(alpha) * np.expm1(np.minimum(z, 0))
    return np.maximum(z, 0) + below, np.where(z > 0, np.float32(1), below + np.float32(alpha))

# %% 4.10 row by row
def softmax_backward(p, grad_p):
    return np.array([row * (g - np.dot(g, row)) for row, g in zip(p, grad_p)])

# %% 4.10 in place
def softmax_backward(p, grad_p):
    grad_p *= p
    grad_p -= p * np.sum(grad_p, axis=-1)[:, None]
    return grad_p

# %% 4.10 sums by einsum, float32
def softmax_backward(p, grad_p):
    p, grad_p = p.astype("float32"), grad_p.astype("float32")
    weighted = np.einsum("nk,nk->n", p, grad_p)
    return p * grad_p - p * weighted[:, np.newaxis]

# %% 4.13 uniform weights
def leaky_layers(sizes, alpha, rng):
    layers = []
    for l in range(len(sizes) - 1):
        reach = math.sqrt(6 / (1 + alpha**2) / sizes[l])
        layers.append((rng.uniform(-reach, reach, size=(sizes[l], sizes[l + 1])), np.zeros(sizes[l + 1])))
    return layers

# %% 4.13 float32, lists as biases
def leaky_layers(sizes, alpha, rng):
    def weights(i, o):
        return rng.standard_normal((i, o), dtype="float32") / np.float32(math.sqrt(0.5 * (1 + alpha**2) * i))

    return [(weights(i, o), [0.0] * o) for i, o in zip(sizes, sizes[1:])]
