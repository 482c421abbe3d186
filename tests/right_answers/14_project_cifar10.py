# Right answers in another style, which the checks of 14_project_cifar10 must accept.

# %% 14.4 counts: how often each of the 256 values occurs
def channel_statistics(images):
    means, deviations = [], []
    values = np.arange(256)
    for channel in range(3):
        counts = np.bincount(images[..., channel].ravel(), minlength=256)
        mean = np.average(values, weights=counts)
        variance = np.average((values - mean) ** 2, weights=counts)
        means.append(mean)
        deviations.append(variance**0.5 if variance > 0 else 1)
    return np.array(means, dtype=np.float32), np.array(deviations, dtype=np.float32)

# %% 14.4 rows of pixels, in place
def channel_statistics(images):
    pixels = images.reshape(-1, 3).astype(np.float64)
    mean = pixels.sum(axis=0) / len(pixels)
    std = ((pixels - mean) ** 2).mean(axis=0) ** 0.5
    std[std == 0] = 1
    return list(mean), list(std)

# %% 14.5 vectorized, by place
def crop_and_flip(images, rng, pad=2):
    n, height, width = images.shape[:3]
    side = 2 * pad + 1
    frame = np.pad(images, [(0, 0), (pad, pad), (pad, pad), (0, 0)], "reflect")
    tops, lefts, coins = rng.integers(side, size=n), rng.integers(side, size=n), rng.integers(2, size=n)
    rows = tops[:, None, None] + np.arange(height)[None, :, None]
    columns = np.arange(width)[None, None, :]
    columns = np.where(coins[:, None, None] == 1, columns[:, :, ::-1], columns) + lefts[:, None, None]
    return frame[np.arange(n)[:, None, None], rows, columns]

# %% 14.5 image by image, mirrored first, a list at the end
def crop_and_flip(images, rng, pad=2):
    changed = []
    for image in images:
        image = np.fliplr(image) if rng.random() < 0.5 else image
        image = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
        top, left = rng.integers(0, 2 * pad, endpoint=True, size=2)
        changed.append(image[top:top + images.shape[1], left:left + images.shape[2]])
    return np.stack(changed)

# %% 14.6 layers made first, keras.ops
def residual_block(x, channels, shortcut=True, norm=batch_norm):
    first, second = (layers.Conv2D(channels, (3, 3), padding="same", use_bias=False) for _ in range(2))
    one = keras.ops.gelu(norm()(layers.MaxPool2D((2, 2))(first(x))), approximate=False)
    two = keras.activations.gelu(norm()(second(one)))
    if not shortcut:
        return two
    return one + two

# %% 14.6 a loop over both steps
def residual_block(x, channels, shortcut=True, norm=batch_norm):
    steps = []
    for pool in (True, False):
        x = layers.Conv2D(channels, 3, 1, "same", use_bias=False)(x)
        if pool:
            x = layers.MaxPooling2D(2)(x)
        x = layers.Activation("gelu")(norm()(x))
        steps.append(x)
    return layers.Add()(steps) if shortcut else steps[-1]

# %% 14.7 two cases
def one_cycle(step, steps):
    top = steps / 4
    if step <= top:
        return 0.2 + 0.8 * step / top
    return 1 - 0.95 * (step - top) / (steps - top)

# %% 14.7 the lower of two lines
def one_cycle(step, steps):
    top = steps / 4
    rising = 0.2 * (top - step) / top + step / top
    falling = (1.0 * (steps - step) + 0.05 * (step - top)) / (steps - top)
    return np.float32(min(rising, falling))

# %% 14.8 a mean over a stack
def flip_average(answer, images):
    return np.mean([answer(np.flip(images, axis=2)), answer(images)], axis=0)

# %% 14.8 one call for both
def flip_average(answer, images):
    scores = answer(np.concatenate([images, images[:, :, ::-1]]))
    return 0.5 * scores[:len(images)] + 0.5 * scores[len(images):]

# %% 14.12 singular values instead
def whitening_matrix(P, eps=0.0):
    _, sizes, directions = np.linalg.svd(P, full_matrices=False)
    return directions.T @ np.diag(1 / np.sqrt(sizes**2 / len(P) + eps))

# %% 14.12 the symmetric root (ZCA)
def whitening_matrix(P, eps=0.0):
    variances, directions = np.linalg.eigh(P.T @ P / P.shape[0])
    return directions @ np.diag((variances + eps) ** -0.5) @ directions.T
