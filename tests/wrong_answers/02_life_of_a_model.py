# Plausible mistakes for each exercise of notebook 02. Each cell replaces the exercise cell whole;
# the exercise's check must reject it.

# %% 2.2 forgets the scale
def to_rows(images):
    return images.reshape(len(images), -1).astype(float)

# %% 2.2 the scale of another data set
def to_rows(images):
    return images.reshape(len(images), -1) / 255

# %% 2.2 column after column
def to_rows(images):
    return images.transpose(0, 2, 1).reshape(len(images), -1) / 16

# %% 2.2 always 64 pixels
def to_rows(images):
    return images.reshape(-1, 64) / 16

# %% 2.2 divides by the largest value that happens to be there
def to_rows(images):
    return images.reshape(len(images), -1) / images.max()

# %% 2.2 whole numbers only
def to_rows(images):
    return images.reshape(len(images), -1) // 16

# %% 2.2 one long row
def to_rows(images):
    return images.reshape(1, -1) / 16

# %% 2.2 pixels down, images across
def to_rows(images):
    return images.reshape(len(images), -1).T / 16

# %% 2.3 returns the scores
def predict(X, W, b):
    return X @ W + b

# %% 2.3 divides the scores themselves
def predict(X, W, b):
    Z = X @ W + b
    return Z / Z.sum(axis=1, keepdims=True)

# %% 2.3 one sum for the whole batch
def predict(X, W, b):
    E = np.exp(X @ W + b)
    return E / E.sum()

# %% 2.3 sums down the batch
def predict(X, W, b):
    E = np.exp(X @ W + b)
    return E / E.sum(axis=0)

# %% 2.3 overflows
def predict(X, W, b):
    E = np.exp(X @ W + b)
    return E / E.sum(axis=1, keepdims=True)

# %% 2.3 forgets the bias
def predict(X, W, b):
    Z = X @ W
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)

# %% 2.3 a sigmoid for each digit
def predict(X, W, b):
    return 1 / (1 + np.exp(-(X @ W + b)))

# %% 2.3 changes the bias
def predict(X, W, b):
    b -= b.max()
    Z = X @ W + b
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)

# %% 2.3 the largest score of the batch instead of the row
def predict(X, W, b):
    Z = X @ W + b
    E = np.exp(Z - Z.max())
    return E / E.sum(axis=1, keepdims=True)

# %% 2.5 forgets the mean
def gradient(X, y, W, b):
    delta = predict(X, W, b)
    delta[np.arange(len(y)), y] -= 1
    return X.T @ delta, delta.sum(axis=0)

# %% 2.5 truth minus probabilities
def gradient(X, y, W, b):
    delta = -predict(X, W, b)
    delta[np.arange(len(y)), y] += 1
    delta /= len(y)
    return X.T @ delta, delta.sum(axis=0)

# %% 2.5 forgets the truth
def gradient(X, y, W, b):
    delta = predict(X, W, b) / len(y)
    return X.T @ delta, delta.sum(axis=0)

# %% 2.5 takes the truth off everywhere in its column
def gradient(X, y, W, b):
    delta = predict(X, W, b)
    delta[:, y] -= 1
    delta /= len(y)
    return X.T @ delta, delta.sum(axis=0)

# %% 2.5 the mean twice for the bias
def gradient(X, y, W, b):
    delta = predict(X, W, b)
    delta[np.arange(len(y)), y] -= 1
    delta /= len(y)
    return X.T @ delta, delta.mean(axis=0)

# %% 2.5 divides by the classes
def gradient(X, y, W, b):
    delta = predict(X, W, b)
    delta[np.arange(len(y)), y] -= 1
    delta /= delta.shape[1]
    return X.T @ delta, delta.sum(axis=0)

# %% 2.5 gradient of the bias per row
def gradient(X, y, W, b):
    delta = predict(X, W, b)
    delta[np.arange(len(y)), y] -= 1
    delta /= len(y)
    return X.T @ delta, delta

# %% 2.5 transposed
def gradient(X, y, W, b):
    delta = predict(X, W, b)
    delta[np.arange(len(y)), y] -= 1
    delta /= len(y)
    return delta.T @ X, delta.sum(axis=0)

# %% 2.5 updates as well
def gradient(X, y, W, b):
    delta = predict(X, W, b)
    delta[np.arange(len(y)), y] -= 1
    delta /= len(y)
    W -= X.T @ delta
    return X.T @ delta, delta.sum(axis=0)

# %% 2.6 climbs
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    for _ in range(epochs):
        for rows in batches(len(y), 32, rng):
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
            W += rate * grad_W
            b += rate * grad_b
        watch(W, b)
    return W, b

# %% 2.6 changes the arrays that it was given
def train(X, y, W, b, rate, epochs, rng, watch):
    for _ in range(epochs):
        for rows in batches(len(y), 32, rng):
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
            W -= rate * grad_W
            b -= rate * grad_b
        watch(W, b)
    return W, b

# %% 2.6 the whole pile in every step
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    for _ in range(epochs):
        for rows in batches(len(y), 32, rng):
            grad_W, grad_b = gradient(X, y, W, b)
            W -= rate * grad_W
            b -= rate * grad_b
        watch(W, b)
    return W, b

# %% 2.6 the same batches in every epoch
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    dealt = batches(len(y), 32, rng)
    for _ in range(epochs):
        for rows in dealt:
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
            W -= rate * grad_W
            b -= rate * grad_b
        watch(W, b)
    return W, b

# %% 2.6 one update per epoch
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    for _ in range(epochs):
        for rows in batches(len(y), 32, rng):
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
        W -= rate * grad_W
        b -= rate * grad_b
        watch(W, b)
    return W, b

# %% 2.6 watches after every batch
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    for _ in range(epochs):
        for rows in batches(len(y), 32, rng):
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
            W -= rate * grad_W
            b -= rate * grad_b
            watch(W, b)
    return W, b

# %% 2.6 never watches
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    for _ in range(epochs):
        for rows in batches(len(y), 32, rng):
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
            W -= rate * grad_W
            b -= rate * grad_b
    return W, b

# %% 2.6 forgets the bias
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    for _ in range(epochs):
        for rows in batches(len(y), 32, rng):
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
            W -= rate * grad_W
        watch(W, b)
    return W, b

# %% 2.6 the gradient of the bias at the new weights
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    for _ in range(epochs):
        for rows in batches(len(y), 32, rng):
            W -= rate * gradient(X[rows], y[rows], W, b)[0]
            b -= rate * gradient(X[rows], y[rows], W, b)[1]
        watch(W, b)
    return W, b

# %% 2.6 stops after the first epoch
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    for _ in range(epochs):
        for rows in batches(len(y), 32, rng):
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
            W -= rate * grad_W
            b -= rate * grad_b
        watch(W, b)
        return W, b

# %% 2.6 leaves the small last batch out
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    for _ in range(epochs):
        for rows in batches(len(y), 32, rng):
            if len(rows) < 32:
                continue
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
            W -= rate * grad_W
            b -= rate * grad_b
        watch(W, b)
    return W, b

# %% 2.6 rolls the rows instead of shuffling them
def train(X, y, W, b, rate, epochs, rng, watch):
    W, b = W.copy(), b.copy()
    for _ in range(epochs):
        order = np.roll(np.arange(len(y)), rng.integers(1, len(y)))
        for start in range(0, len(y), 32):
            rows = order[start:start + 32]
            grad_W, grad_b = gradient(X[rows], y[rows], W, b)
            W -= rate * grad_W
            b -= rate * grad_b
        watch(W, b)
    return W, b

# %% 2.9 asks for nothing
def read_digit(image, stored):
    p = predict(image.reshape(1, -1) / stored["scale"], stored["W"], stored["b"])[0]
    return int(p.argmax()), float(p.max())

# %% 2.9 lets a hole pass
def read_digit(image, stored):
    if image.shape != tuple(stored["shape"]):
        raise ValueError("shape")
    if image.min() < 0 or image.max() > stored["scale"]:
        raise ValueError("range")
    p = predict(image.reshape(1, -1) / stored["scale"], stored["W"], stored["b"])[0]
    return int(p.argmax()), float(p.max())

# %% 2.9 only the number of pixels must fit
def read_digit(image, stored):
    if image.size != len(stored["W"]) or not np.isfinite(image).all():
        raise ValueError("size")
    if image.min() < 0 or image.max() > stored["scale"]:
        raise ValueError("range")
    p = predict(image.reshape(1, -1) / stored["scale"], stored["W"], stored["b"])[0]
    return int(p.argmax()), float(p.max())

# %% 2.9 the scale of this notebook, not of the file
def read_digit(image, stored):
    if image.shape != tuple(stored["shape"]) or not np.isfinite(image).all():
        raise ValueError("shape")
    if image.min() < 0 or image.max() > 16:
        raise ValueError("range")
    p = predict(image.reshape(1, -1) / 16, stored["W"], stored["b"])[0]
    return int(p.argmax()), float(p.max())

# %% 2.9 the weights in memory, not those of the file
def read_digit(image, stored):
    if image.shape != tuple(stored["shape"]) or not np.isfinite(image).all():
        raise ValueError("shape")
    if image.min() < 0 or image.max() > stored["scale"]:
        raise ValueError("range")
    p = predict(image.reshape(1, -1) / stored["scale"], W, b)[0]
    return int(p.argmax()), float(p.max())

# %% 2.9 forgets to divide
def read_digit(image, stored):
    if image.shape != tuple(stored["shape"]) or not np.isfinite(image).all():
        raise ValueError("shape")
    if image.min() < 0 or image.max() > stored["scale"]:
        raise ValueError("range")
    p = predict(image.reshape(1, -1), stored["W"], stored["b"])[0]
    return int(p.argmax()), float(p.max())

# %% 2.9 returns None instead of raising
def read_digit(image, stored):
    if image.shape != tuple(stored["shape"]) or not np.isfinite(image).all():
        return None
    if image.min() < 0 or image.max() > stored["scale"]:
        return None
    p = predict(image.reshape(1, -1) / stored["scale"], stored["W"], stored["b"])[0]
    return int(p.argmax()), float(p.max())

# %% 2.9 clips instead of refusing
def read_digit(image, stored):
    if image.shape != tuple(stored["shape"]) or not np.isfinite(image).all():
        raise ValueError("shape")
    image = np.clip(image, 0, stored["scale"])
    p = predict(image.reshape(1, -1) / stored["scale"], stored["W"], stored["b"])[0]
    return int(p.argmax()), float(p.max())

# %% 2.9 full ink is refused
def read_digit(image, stored):
    if image.shape != tuple(stored["shape"]) or not np.isfinite(image).all():
        raise ValueError("shape")
    if image.min() < 0 or image.max() >= stored["scale"]:
        raise ValueError("range")
    p = predict(image.reshape(1, -1) / stored["scale"], stored["W"], stored["b"])[0]
    return int(p.argmax()), float(p.max())

# %% 2.9 all probabilities instead of one
def read_digit(image, stored):
    if image.shape != tuple(stored["shape"]) or not np.isfinite(image).all():
        raise ValueError("shape")
    if image.min() < 0 or image.max() > stored["scale"]:
        raise ValueError("range")
    p = predict(image.reshape(1, -1) / stored["scale"], stored["W"], stored["b"])[0]
    return int(p.argmax()), p

# %% 2.12 finds only boxes without arrows
def dead_ends(edges, goal):
    return sorted(box for box in edges if box != goal and not edges[box])

# %% 2.12 counts the goal as well
def dead_ends(edges, goal):
    return sorted(box for box in edges if goal not in reachable(edges, box))

# %% 2.12 looks one arrow far
def dead_ends(edges, goal):
    return sorted(box for box in edges if box != goal and goal not in edges[box])

# %% 2.12 looks from the goal instead of to it
def dead_ends(edges, goal):
    return sorted(box for box in edges if box != goal and box not in reachable(edges, goal))

# %% 2.12 does not sort
def dead_ends(edges, goal):
    return [box for box in edges if box != goal and goal not in reachable(edges, box)]

# %% 2.18 forgets the last day
def first_alarm(values, center, width, wait):
    in_a_row = 0
    for day, value in enumerate(values[:-1], 1):
        in_a_row = in_a_row + 1 if abs(value - center) > width else 0
        if in_a_row == wait:
            return day
    return None

# %% 2.18 counts days outside, not days in a row
def first_alarm(values, center, width, wait):
    outside = np.flatnonzero(np.abs(values - center) > width)
    return int(outside[wait - 1]) + 1 if len(outside) >= wait else None

# %% 2.18 looks only upward
def first_alarm(values, center, width, wait):
    in_a_row = 0
    for day, value in enumerate(values, 1):
        in_a_row = in_a_row + 1 if value > center + width else 0
        if in_a_row == wait:
            return day
    return None

# %% 2.18 counts days from 0
def first_alarm(values, center, width, wait):
    in_a_row = 0
    for day, value in enumerate(values):
        in_a_row = in_a_row + 1 if abs(value - center) > width else 0
        if in_a_row == wait:
            return day
    return None

# %% 2.18 returns the first day of the row
def first_alarm(values, center, width, wait):
    in_a_row = 0
    for day, value in enumerate(values, 1):
        in_a_row = in_a_row + 1 if abs(value - center) > width else 0
        if in_a_row == wait:
            return day - wait + 1
    return None

# %% 2.18 counts the edge as outside
def first_alarm(values, center, width, wait):
    in_a_row = 0
    for day, value in enumerate(values, 1):
        in_a_row = in_a_row + 1 if abs(value - center) >= width else 0
        if in_a_row == wait:
            return day
    return None
