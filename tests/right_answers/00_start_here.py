# Right answers to the exercises of notebook 00 in another style than the solution's: each check must accept them.

# %% 0.4 a loop over positions
def count_parameters(widths):
    total = 0
    for i in range(1, len(widths)):
        total += (widths[i - 1] + 1) * widths[i]
    return total

# %% 0.4 with arrays
def count_parameters(widths: list[int]) -> int:
    w = np.array(widths)
    return np.dot(w[:-1] + 1, w[1:])

# %% 0.6a counts instead of a loop
def accuracy_by_class(predicted, y, classes):
    right = np.bincount(y[predicted == y], minlength=classes)
    return right / np.bincount(y, minlength=classes)

# %% 0.6a a list of Python numbers
def accuracy_by_class(predicted, y, classes):
    shares = []
    for k in range(classes):
        of_k = [p for p, label in zip(predicted, y) if label == k]
        shares.append(sum(p == k for p in of_k) / len(of_k))
    return shares

# %% 0.6a in single precision
def accuracy_by_class(predicted, y, classes):
    right = (predicted == y).astype(np.float32)
    return np.array([right[y == k].mean() for k in range(classes)], dtype=np.float32)

# %% 0.6b fills one array
def with_shifts(x, y):
    n, width = len(x), x.shape[2]
    out = np.zeros((3 * n, *x.shape[1:]), dtype=x.dtype)
    out[:n] = x
    out[n:2 * n, :, :width - 1] = x[:, :, 1:]
    out[2 * n:, :, 1:] = x[:, :, :width - 1]
    return out, np.tile(y, 3)

# %% 0.6b rolls, then clears the column that came round
def with_shifts(x, y):
    left, right = np.roll(x, -1, axis=2), np.roll(x, 1, axis=2)
    left[..., -1] = 0
    right[..., 0] = 0
    return np.vstack([x, left, right]), list(y) * 3

# %% 0.6b pads with a column of zeros
def with_shifts(x, y):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    return np.concatenate([x, padded[:, :, 2:], padded[:, :, :-2]]), np.concatenate([y] * 3)
