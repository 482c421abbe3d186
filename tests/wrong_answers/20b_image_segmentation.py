# Wrong answers that the checks of 20b_image_segmentation must refuse: each cell replaces an exercise cell.

# %% 20b.1 the sum of the shares instead of their product: w * (1 - w) * → (w + (1 - w)) *

# %% 20b.1 the distance of the means, not squared: gap**2 → gap

# %% 20b.1 above or equal: above = image > t → above = image >= t

# %% 20b.1 the smallest instead of the largest: apart.argmax() → apart.argmin()

# %% 20b.1 the middle between darkest and brightest
def otsu(image):
    return (int(image.min()) + int(image.max())) // 2

# %% 20b.1 the mean
def otsu(image):
    return int(image.mean())

# %% 20b.1 the value, not the threshold: int(apart.argmax()) → apart.max()

# %% 20b.1 an empty side makes nan, and nan is never larger than the best
def otsu(image):
    values = [np.mean(image > t) * np.mean(image <= t)
              * (image[image > t].mean() - image[image <= t].mean()) ** 2 for t in range(255)]
    return int(np.argmax(values))

# %% 20b.1 thresholds in steps of ten: range(255) → range(0, 255, 10)

# %% 20b.2a corners, too: (y, x + 1), (y, x - 1)] → (y, x + 1), (y, x - 1), (y + 1, x + 1), (y - 1, x - 1), (y + 1, x - 1), (y - 1, x + 1)]

# %% 20b.2a only to the right and down: [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)] → [(y + 1, x), (y, x + 1)]

# %% 20b.2a one pass with the neighbor above or left
def components(mask):
    numbers, n = np.zeros(mask.shape, int), 0
    for y, x in np.argwhere(mask):
        above = numbers[y - 1, x] if y else 0
        left = numbers[y, x - 1] if x else 0
        if above or left:
            numbers[y, x] = max(above, left)
        else:
            n += 1
            numbers[y, x] = n
    return numbers

# %% 20b.2a index -1 is the other edge
def components(mask):
    numbers, n = np.zeros(mask.shape, int), 0
    h, w = mask.shape
    for start in map(tuple, np.argwhere(mask)):
        if not numbers[start]:
            n += 1
            stack = [start]
            while stack:
                y, x = stack.pop()
                if mask[y, x] and not numbers[y, x]:
                    numbers[y, x] = n
                    stack += [((y + 1) % h, x), (y - 1, x), (y, (x + 1) % w), (y, x - 1)]
    return numbers

# %% 20b.2a recursion, too deep for a long one
def components(mask):
    numbers, h, w = np.zeros(mask.shape, int), *mask.shape
    def spread(y, x, n):
        if 0 <= y < h and 0 <= x < w and mask[y, x] and not numbers[y, x]:
            numbers[y, x] = n
            for place in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                spread(*place, n)
    for y, x in np.argwhere(mask):
        if not numbers[y, x]:
            spread(y, x, numbers.max() + 1)
    return numbers

# %% 20b.2a a number for every pixel: if free[start[0]][start[1]] → if mask[start[0] - 1, start[1] - 1]

# %% 20b.2a eats up the mask
def components(mask):
    numbers, n = np.zeros(mask.shape, int), 0
    h, w = mask.shape
    for start in map(tuple, np.argwhere(mask)):
        if mask[start]:
            n += 1
            stack = [start]
            while stack:
                y, x = stack.pop()
                if 0 <= y < h and 0 <= x < w and mask[y, x]:
                    mask[y, x] = False
                    numbers[y, x] = n
                    stack += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return numbers

# %% 20b.2a the numbers begin with 2: numbers, n = np.zeros((len(free), len(free[0])), int), 0 → numbers, n = np.zeros((len(free), len(free[0])), int), 1

# %% 20b.2a with the border: numbers[1:-1, 1:-1] → numbers

# %% 20b.2b one half is enough: (a & b).sum() > 0.5 → (a & b).sum() >= 0.5

# %% 20b.2b a share of the true object: 0.5 * (a | b).sum() → 0.5 * a.sum()

# %% 20b.2b a share of the found object: 0.5 * (a | b).sum() → 0.5 * b.sum()

# %% 20b.2b background counts as found: (np.setdiff1d(a, [0]) for a in (true, found)) → (np.setdiff1d(true, [0]), np.unique(found))

# %% 20b.2b background matches, too
def matches(true, found):
    hits = 0
    for i in np.unique(true):
        for j in np.unique(found):
            a, b = true == i, found == j
            hits += int((a & b).sum() > 0.5 * (a | b).sum())
    return hits, len(np.unique(true)), len(np.unique(found))

# %% 20b.2b the same number is the same object
def matches(true, found):
    ids = np.setdiff1d(true, [0])
    hits = sum((np.sum((true == i) & (found == i)) > 0.5 * np.sum((true == i) | (found == i))) for i in ids)
    return int(hits), len(ids), len(np.setdiff1d(found, [0]))

# %% 20b.2b the largest number is the count: len(true_ids), len(found_ids) → int(true.max()), int(found.max())

# %% 20b.2b true and found swapped: len(true_ids), len(found_ids) → len(found_ids), len(true_ids)

# %% 20b.2b Dice instead of IoU: > 0.5 * (a | b).sum() → > 0.25 * (a.sum() + b.sum())

# %% 20b.2b touching is enough: (a & b).sum() > 0.5 * (a | b).sum() → (a & b).any()

# %% 20b.4 keeps what comes in: return layers.MaxPooling2D()(kept), kept → return layers.MaxPooling2D()(kept), block(x, channels)

# %% 20b.4 keeps the halved map: return layers.MaxPooling2D()(kept), kept → return layers.MaxPooling2D()(kept), layers.MaxPooling2D()(kept)

# %% 20b.4 the wrong way round: return layers.MaxPooling2D()(kept), kept → return kept, layers.MaxPooling2D()(kept)

# %% 20b.4 pools first: kept = block(x, channels) → kept = block(layers.UpSampling2D()(layers.MaxPooling2D()(x)), channels)

# %% 20b.4 the mean instead of the largest: layers.MaxPooling2D()(kept) → layers.AveragePooling2D()(kept)

# %% 20b.4 forgets the kept map: layers.Concatenate()([x, kept]) → x

# %% 20b.4 forgets the small map: layers.Concatenate()([x, kept]) → layers.Concatenate()([kept, kept])

# %% 20b.4 adds: layers.Concatenate()([x, kept]) → layers.Add()([x, kept])

# %% 20b.4 a kernel of 3: (channels, 2, strides=2) → (channels, 3, strides=2, padding="same")

# %% 20b.4 grows by repeating
def down(x, channels):
    kept = block(x, channels)
    return layers.MaxPooling2D()(kept), kept

def up(x, kept, channels):
    x = layers.UpSampling2D()(x)
    return block(layers.Concatenate()([x, kept]), channels)

# %% 20b.4 no block at the end: return block(layers.Concatenate()([x, kept]), channels) → return layers.Conv2D(channels, 3, padding="same")(layers.Concatenate()([x, kept]))

# %% 20b.5 sums over all images: , axis=(1, 2)) → )

# %% 20b.5 a sum over the images: ops.mean(1 - → ops.sum(1 -

# %% 20b.5 the coefficient, not the loss: 1 - (2 * both → (2 * both

# %% 20b.5 without the ones: (2 * both + 1) / (total + 1) → 2 * both / total

# %% 20b.5 a one above only: (total + 1) → (total + 1e-7)

# %% 20b.5 no factor two: 2 * both → both

# %% 20b.5 IoU: (2 * both + 1) / (total + 1) → (both + 1) / (total - both + 1)

# %% 20b.5 one loss per image: ops.mean(1 - (2 * both + 1) / (total + 1)) → 1 - (2 * both + 1) / (total + 1)

# %% 20b.5 squares the truth's share away: ops.sum(y * p → ops.sum(p * p

# %% 20b.5 NumPy's mean, which Keras can't compile: return ops.mean( → return np.mean(

# %% 20b.5 hard answers: both = ops.sum(y * p → both = ops.sum(y * ops.cast(p > 0.5, "float32")

# %% 20b.9 what Keras does unless told otherwise
def halved_labels(labels):
    return np.asarray(ops.image.resize(labels[..., None], (labels.shape[1] // 2, labels.shape[2] // 2)))[..., 0]

# %% 20b.9 the mean, rounded
def halved_labels(labels):
    n, h, w = labels.shape
    return np.rint(labels.reshape(n, h // 2, 2, w // 2, 2).mean(axis=(2, 4))).astype(int)

# %% 20b.9 the largest of four: nuclei grow
def halved_labels(labels):
    n, h, w = labels.shape
    return labels.reshape(n, h // 2, 2, w // 2, 2).max(axis=(2, 4))

# %% 20b.9 the smallest of four: nuclei shrink
def halved_labels(labels):
    n, h, w = labels.shape
    return labels.reshape(n, h // 2, 2, w // 2, 2).min(axis=(2, 4))

# %% 20b.9 every second image, too: labels[:, ::2, ::2] → labels[::2, ::2, ::2]

# %% 20b.9 only the rows: labels[:, ::2, ::2] → labels[:, ::2]

# %% 20b.9 the upper left quarter: labels[:, ::2, ::2] → labels[:, : labels.shape[1] // 2, : labels.shape[2] // 2]

# %% 20b.9 a mask: labels[:, ::2, ::2] → (labels[:, ::2, ::2] > 0)

# %% 20b.1 no split at 0: for t in range(255) → for t in range(1, 255)
