# Wrong answers that the checks of 14_project_cifar10 must refuse: each cell replaces an exercise cell.

# %% 14.4 one mean for all colors: .mean(axis=(0, 1, 2)) → .mean().repeat(3)

# %% 14.4 a mean per pixel
def channel_statistics(images):
    return images.mean(axis=0), np.where(images.std(axis=0) == 0, 1.0, images.std(axis=0))

# %% 14.4 divides by zero later: np.where(std == 0, 1.0, std) → std

# %% 14.4 the variance: images.std( → images.var(

# %% 14.4 at least 1, also where there is some spread: np.where(std == 0, 1.0, std) → np.maximum(std, 1.0)

# %% 14.4 one image only
def channel_statistics(images):
    mean, std = images[0].mean(axis=(0, 1)), images[0].std(axis=(0, 1))
    return mean, np.where(std == 0, 1.0, std)

# %% 14.4 adds up in uint8
def channel_statistics(images):
    pixels = images.reshape(-1, 3)
    mean = pixels.sum(axis=0, dtype=np.uint8) / len(pixels)
    std = np.sqrt((images.reshape(-1, 3) ** 2).mean(axis=0) - mean**2)
    return mean, np.where(std == 0, 1.0, std)

# %% 14.5 one place for all images
def crop_and_flip(images, rng, pad=2):
    n, height, width, _ = images.shape
    sides = ((0, 0), (pad, pad), (pad, pad), (0, 0))
    padded = np.pad(images, sides, mode="reflect")
    top, left = rng.integers(0, 2 * pad + 1, 2)
    changed = padded[:, top:top + height, left:left + width].copy()
    mirrored = rng.random(n) < 0.5
    changed[mirrored] = changed[mirrored][:, :, ::-1]
    return changed

# %% 14.5 all mirrored or none: rng.random(n) < 0.5 → np.full(n, rng.random() < 0.5)

# %% 14.5 upside down: [:, :, ::-1] → [:, ::-1]

# %% 14.5 swaps the colors: [:, :, ::-1] → [..., ::-1]

# %% 14.5 never reaches the last place: 2 * pad + 1, (n, 2) → 2 * pad, (n, 2)

# %% 14.5 black borders: mode="reflect" → mode="constant"

# %% 14.5 repeats the border itself: mode="reflect" → mode="symmetric"

# %% 14.5 always two pixels
def crop_and_flip(images, rng, pad=2):
    n, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    changed = np.empty_like(images)
    for i, (top, left) in enumerate(rng.integers(0, 5, (n, 2))):
        changed[i] = padded[i, top:top + height, left:left + width]
    mirrored = rng.random(n) < 0.5
    changed[mirrored] = changed[mirrored][:, :, ::-1]
    return changed

# %% 14.5 takes the images for square: left : left + width → left : left + height

# %% 14.5 mirrors the given images
def crop_and_flip(images, rng, pad=2):
    n, height, width, _ = images.shape
    mirrored = rng.random(n) < 0.5
    images[mirrored] = images[mirrored][:, :, ::-1]
    padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="reflect")
    changed = np.empty_like(images)
    for i, (top, left) in enumerate(rng.integers(0, 2 * pad + 1, (n, 2))):
        changed[i] = padded[i, top:top + height, left:left + width]
    return changed

# %% 14.5 floats
def crop_and_flip(images, rng, pad=2):
    n, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="reflect")
    changed = np.zeros(images.shape)
    for i, (top, left) in enumerate(rng.integers(0, 2 * pad + 1, (n, 2))):
        cut = padded[i, top:top + height, left:left + width]
        changed[i] = cut[:, ::-1] if rng.random() < 0.5 else cut
    return changed

# %% 14.5 a generator of its own
def crop_and_flip(images, rng, pad=2):
    rng = np.random.default_rng(0)
    n, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="reflect")
    changed = np.empty_like(images)
    for i, (top, left) in enumerate(rng.integers(0, 2 * pad + 1, (n, 2))):
        cut = padded[i, top:top + height, left:left + width]
        changed[i] = cut[:, ::-1] if rng.random() < 0.5 else cut
    return changed

# %% 14.6 no normalization in the second step
def residual_block(x, channels, shortcut=True, norm=batch_norm):
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Activation("gelu")(norm()(x))
    y = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    y = layers.Activation("gelu")(y)
    return layers.add([x, y]) if shortcut else y

# %% 14.6 the shortcut inside the last GELU, as in the paper of 2015
def residual_block(x, channels, shortcut=True, norm=batch_norm):
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Activation("gelu")(norm()(x))
    y = norm()(layers.Conv2D(channels, 3, padding="same", use_bias=False)(x))
    return layers.Activation("gelu")(layers.add([x, y]) if shortcut else y)

# %% 14.6 the shortcut always: layers.add([x, y]) if shortcut else y → layers.add([x, y])

# %% 14.6 joins the channels instead of adding: layers.add([x, y]) → layers.concatenate([x, y])

# %% 14.6 pools after the GELU
def residual_block(x, channels, shortcut=True, norm=batch_norm):
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    x = layers.Activation("gelu")(norm()(x))
    x = layers.MaxPooling2D()(x)
    y = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    y = layers.Activation("gelu")(norm()(y))
    return layers.add([x, y]) if shortcut else y

# %% 14.6 one kernel for both convolutions
def residual_block(x, channels, shortcut=True, norm=batch_norm):
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Activation("gelu")(norm()(x))
    again = layers.Conv2D(channels, 3, padding="same", use_bias=False)
    y = layers.Activation("gelu")(norm()(again(again(x))))
    return layers.add([x, y]) if shortcut else y

# %% 14.6 ReLU: layers.Activation("gelu")(norm()(x)) → layers.Activation("relu")(norm()(x))

# %% 14.6 keeps the bias: layers.Conv2D(channels, 3, padding="same", use_bias=False)(x) → layers.Conv2D(channels, 3, padding="same")(x)

# %% 14.6 average pooling: layers.MaxPooling2D() → layers.AveragePooling2D()

# %% 14.6 no padding in the first convolution
def residual_block(x, channels, shortcut=True, norm=batch_norm):
    x = layers.Conv2D(channels, 3, use_bias=False)(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Activation("gelu")(norm()(x))
    y = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    y = layers.Activation("gelu")(norm()(y))
    return layers.add([x, y]) if shortcut else y

# %% 14.6 ignores the norm it is given: norm()(y) → batch_norm()(y)

# %% 14.7 falls to zero: [0.2, 1, 0.05] → [0.2, 1, 0]

# %% 14.7 starts at zero: [0.2, 1, 0.05] → [0, 1, 0.05]

# %% 14.7 peaks in the middle: [0, 0.25, 1] → [0, 0.5, 1]

# %% 14.7 a triangle back to its start: [0.2, 1, 0.05] → [0.2, 1, 0.2]

# %% 14.7 a cosine after the peak
def one_cycle(step, steps):
    if step < steps / 4:
        return 0.2 + 0.8 * step / (steps / 4)
    return 0.05 + 0.95 * (1 + np.cos(np.pi * (step - steps / 4) / (steps * 3 / 4))) / 2

# %% 14.7 counts from 1: step / steps → (step + 1) / steps

# %% 14.7 a whole number for the top
def one_cycle(step, steps):
    return np.interp(step, [0, steps // 4, steps], [0.2, 1, 0.05])

# %% 14.8 the sum: / 2 → / 1

# %% 14.8 upside down: [:, :, ::-1] → [:, ::-1]

# %% 14.8 other colors: [:, :, ::-1] → [..., ::-1]

# %% 14.8 averages the images instead of the answers
def flip_average(answer, images):
    return answer((images + images[:, :, ::-1]) / 2)

# %% 14.8 averages the images, with room
def flip_average(answer, images):
    return answer((images.astype(float) + images[:, :, ::-1]) / 2)

# %% 14.8 averages without room for the sum
def flip_average(answer, images):
    return answer((images // 2 + images[:, :, ::-1] // 2))

# %% 14.8 the larger of the two
def flip_average(answer, images):
    return np.maximum(answer(images), answer(images[:, :, ::-1]))

# %% 14.8 mirrors the given images
def flip_average(answer, images):
    first = answer(images)
    images[:] = images[:, :, ::-1].copy()
    return (first + answer(images)) / 2

# %% 14.12 the directions as rows: directions / np.sqrt( → directions.T / np.sqrt(

# %% 14.12 divides by the variance: np.sqrt(variances + eps) → (variances + eps)

# %% 14.12 subtracts the mean: P.T @ P / len(P) → np.cov(P.T, bias=True)

# %% 14.12 forgets the number of rows: P.T @ P / len(P) → P.T @ P

# %% 14.12 eps after the root: np.sqrt(variances + eps) → (np.sqrt(variances) + eps)

# %% 14.12 only divides each column
def whitening_matrix(P, eps=0.0):
    return np.diag(1 / np.sqrt((P**2).mean(axis=0) + eps))
