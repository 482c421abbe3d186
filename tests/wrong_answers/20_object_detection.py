# Wrong answers that the checks of 20_object_detection must refuse: each cell replaces an exercise cell.

# %% 20.1 boxes apart both ways share a positive product: np.prod(np.maximum(0, high - low), axis=2) → np.prod(high - low, axis=2)

# %% 20.1 negative products cut off, after the product: np.prod(np.maximum(0, high - low), axis=2) → np.maximum(0, np.prod(high - low, axis=2))

# %% 20.1 absolute values: np.maximum(0, high - low) → np.abs(high - low)

# %% 20.1 the shared part counts twice: area_a[:, None] + area_b[None] - shared → area_a[:, None] + area_b[None]

# %% 20.1 over the smaller area: union = area_a[:, None] + area_b[None] - shared → union = np.minimum(area_a[:, None], area_b[None])

# %% 20.1 pixels that are counted at both ends: high - low) → high - low + 1)

# %% 20.1 the box around both: low = np.maximum( → low = np.minimum(

# %% 20.1 divides by zero: np.where(union > 0, union, 1) → union

# %% 20.1 the transpose: return shared / np.where(union > 0, union, 1) → return (shared / np.where(union > 0, union, 1)).T

# %% 20.1 row by row, not all pairs
def iou(a, b):
    n = min(len(a), len(b))
    low, high = np.maximum(a[:n, :2], b[:n, :2]), np.minimum(a[:n, 2:], b[:n, 2:])
    shared = np.prod(np.maximum(0, high - low), axis=1)
    areas = [np.prod(x[:n, 2:] - x[:n, :2], axis=1) for x in (a, b)]
    return shared / np.maximum(areas[0] + areas[1] - shared, 1e-9)

# %% 20.1 takes the boxes for left, top, width, height
def iou(a, b):
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
    shared = np.prod(np.maximum(0, high - low), axis=2)
    union = np.prod(a[:, 2:], axis=1)[:, None] + np.prod(b[:, 2:], axis=1)[None] - shared
    return shared / np.where(union > 0, union, 1)

# %% 20.3 bumps are added: np.maximum(heat[:, :, kind], spot) → heat[:, :, kind] + spot

# %% 20.3 the later bump covers the earlier: np.maximum(heat[:, :, kind], spot) → spot

# %% 20.3 one map for all kinds: heat[:, :, kind] = np.maximum(heat[:, :, kind], spot) → heat[:] = np.maximum(heat, spot[..., None])

# %% 20.3 rounds, instead of cutting off: row, column = min(int(y), shape[0] - 1), min(int(x), shape[1] - 1) → row, column = min(round(y), shape[0] - 1), min(round(x), shape[1] - 1)

# %% 20.3 row and column exchanged: row, column = min(int(y), shape[0] - 1), min(int(x), shape[1] - 1) → row, column = min(int(x), shape[0] - 1), min(int(y), shape[1] - 1)

# %% 20.3 a center on the edge falls out: row, column = min(int(y), shape[0] - 1), min(int(x), shape[1] - 1) → row, column = int(y), int(x)

# %% 20.3 the corner, not the center: x, y = (left + right) / 2, (top + bottom) / 2 → x, y = left, top

# %% 20.3 x and y exchanged in the numbers: x - column, y - row → y - row, x - column

# %% 20.3 sizes without logarithm: np.log(w), np.log(h) → w, h

# %% 20.3 sizes in pixels: np.log(w), np.log(h) → np.log(w * stride), np.log(h * stride)

# %% 20.3 height before width: np.log(w), np.log(h) → np.log(h), np.log(w)

# %% 20.3 the bump's height and width exchanged: bump(row, column, h, w, shape) → bump(row, column, w, h, shape)

# %% 20.3 counts the centers: here[row, column] = 1 → here[row, column] += 1

# %% 20.3 the earlier box keeps the place
def targets(boxes, kinds, shape=(30, 40), stride=4):
    heat, numbers = np.zeros((*shape, 3)), np.zeros((*shape, 4))
    here = np.zeros((*shape, 1))
    for (left, top, right, bottom), kind in zip(np.asarray(boxes) / stride, kinds):
        x, y, w, h = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
        row, column = min(int(y), shape[0] - 1), min(int(x), shape[1] - 1)
        heat[:, :, kind] = np.maximum(heat[:, :, kind], bump(row, column, h, w, shape))
        if not here[row, column]:
            numbers[row, column] = x - column, y - row, np.log(w), np.log(h)
        here[row, column] = 1
    return heat, numbers, here

# %% 20.3 a stride of 4, whatever is given: np.asarray(boxes) / stride → np.asarray(boxes) / 4

# %% 20.3 without its last axis: here = np.zeros((*shape, 1)) → here = np.zeros(shape)

# %% 20.5a forgets the logarithm: w, h = np.exp(numbers[:, 2]) * stride, np.exp(numbers[:, 3]) * stride → w, h = numbers[:, 2] * stride, numbers[:, 3] * stride

# %% 20.5a sizes in places: w, h = np.exp(numbers[:, 2]) * stride, np.exp(numbers[:, 3]) * stride → w, h = np.exp(numbers[:, 2]), np.exp(numbers[:, 3])

# %% 20.5a the middle of the place: (columns + numbers[:, 0]) * stride, (rows + numbers[:, 1]) * stride → (columns + 0.5) * stride, (rows + 0.5) * stride

# %% 20.5a rows for x: (columns + numbers[:, 0]) * stride, (rows + numbers[:, 1]) * stride → (rows + numbers[:, 0]) * stride, (columns + numbers[:, 1]) * stride

# %% 20.5a what is inside in pixels: (columns + numbers[:, 0]) * stride → columns * stride + numbers[:, 0]

# %% 20.5a the center is the corner: [x - w / 2, y - h / 2, x + w / 2, y + h / 2] → [x, y, x + w, y + h]

# %% 20.5a half sizes: [x - w / 2, y - h / 2, x + w / 2, y + h / 2] → [x - w, y - h, x + w, y + h]

# %% 20.5a center and size: [x - w / 2, y - h / 2, x + w / 2, y + h / 2] → [x, y, w, h]

# %% 20.5a a column per box: axis=1) → axis=0)

# %% 20.5a a stride of 4, whatever is given: x, y = (columns + numbers[:, 0]) * stride → x, y = (columns + numbers[:, 0]) * 4

# %% 20.5b from the lowest score: np.argsort(-scores, kind="stable") → np.argsort(scores, kind="stable")

# %% 20.5b in the order given: for i in np.argsort(-scores, kind="stable") → for i in range(len(scores))

# %% 20.5b equal scores from behind: np.argsort(-scores, kind="stable") → np.argsort(scores, kind="stable")[::-1]

# %% 20.5b all kinds together: if kinds[j] == kinds[i]] → ]

# %% 20.5b only the other kinds: kinds[j] == kinds[i] → kinds[j] != kinds[i]

# %% 20.5b an overlap of exactly `most` goes, too: <= most → < most

# %% 20.5b half, whatever is asked for: <= most → <= 0.5

# %% 20.5b compares with boxes that went
def nms(boxes, scores, kinds, most=0.5):
    order, kept = np.argsort(-scores, kind="stable"), []
    for place, i in enumerate(order):
        better = np.array([j for j in order[:place] if kinds[j] == kinds[i]], int)
        if iou(boxes[[i]], boxes[better]).max(initial=0) <= most:
            kept.append(i)
    return np.array(kept, int)

# %% 20.5b the boxes, not their rows: return np.array(kept, int) → return boxes[np.array(kept, int)]

# %% 20.5b a mask: return np.array(kept, int) → return np.isin(np.arange(len(scores)), kept)

# %% 20.5b sorted by row: return np.array(kept, int) → return np.sort(np.array(kept, int))

# %% 20.5b overwrites the scores
def nms(boxes, scores, kinds, most=0.5):
    kept = []
    while len(scores) and scores.max() > -1:
        i = int(scores.argmax())
        kept.append(i)
        near = (iou(boxes[[i]], boxes)[0] > most) & (kinds == kinds[i])
        scores[near] = -1
        scores[i] = -1
    return np.array(kept, int)

# %% 20.6a no cell is ever taken: overlap[:, j] = -1  # taken → pass

# %% 20.6a in the order of the rows: np.argsort(-scores, kind="stable") → range(len(boxes))

# %% 20.6a from the lowest score: np.argsort(-scores, kind="stable") → np.argsort(scores, kind="stable")

# %% 20.6a equal scores from behind: np.argsort(-scores, kind="stable") → np.argsort(scores, kind="stable")[::-1]

# %% 20.6a more than, not from: overlap[i, j] >= least → overlap[i, j] > least

# %% 20.6a half, whatever is asked for: >= least → >= 0.5

# %% 20.6a the box is taken, not the cell: overlap[:, j] = -1 → overlap[i, :] = -1

# %% 20.6a the cell is taken by any box, near or not
def hits(boxes, scores, marked, least=0.5):
    right = np.zeros(len(boxes), bool)
    overlap = iou(boxes, marked)
    for i in np.argsort(-scores, kind="stable"):
        if len(marked):
            j = overlap[i].argmax()
            right[i] = overlap[i, j] >= least
            overlap[:, j] = -1
    return right

# %% 20.6a gives up where the best cell is taken
def hits(boxes, scores, marked, least=0.5):
    right, taken = np.zeros(len(boxes), bool), set()
    if len(marked) == 0:
        return right
    overlap = iou(boxes, marked)
    for i in np.argsort(-scores, kind="stable"):
        j = int(overlap[i].argmax())
        if overlap[i, j] >= least and j not in taken:
            right[i] = True
            taken.add(j)
    return right

# %% 20.6a the first cell that is near enough
def hits(boxes, scores, marked, least=0.5):
    right, free = np.zeros(len(boxes), bool), list(range(len(marked)))
    overlap = iou(boxes, marked)
    for i in np.argsort(-scores, kind="stable"):
        near = [j for j in free if overlap[i, j] > 0]
        if near and overlap[i, near[0]] >= least:
            right[i] = True
            free.remove(near[0])
    return right

# %% 20.6a best first, not as given
def hits(boxes, scores, marked, least=0.5):
    right, free = [], list(range(len(marked)))
    overlap = iou(boxes, marked)
    for i in np.argsort(-scores, kind="stable"):
        best = max(free, key=lambda j: overlap[i, j], default=None)
        right.append(best is not None and overlap[i, best] >= least)
        if right[-1]:
            free.remove(best)
    return np.array(right, bool)

# %% 20.6a each cell looks for its best box
def hits(boxes, scores, marked, least=0.5):
    right = np.zeros(len(boxes), bool)
    for column in iou(boxes, marked).T:
        if len(column) and column.max() >= least:
            right[column.argmax()] = True
    return right

# %% 20.6b sorted from the lowest score: np.argsort(-scores, kind="stable") → np.argsort(scores, kind="stable")

# %% 20.6b not sorted: order = np.argsort(-scores, kind="stable") → order = np.arange(len(scores))

# %% 20.6b equal scores one by one: np.append(scores[1:] != scores[:-1], True)[: len(scores)] → np.ones(len(scores), bool)

# %% 20.6b the first of equal scores: np.append(scores[1:] != scores[:-1], True)[: len(scores)] → np.append(True, scores[1:] != scores[:-1])[: len(scores)]

# %% 20.6b the precision there, not the best from there on: np.maximum.accumulate(precision[::-1])[::-1] → precision

# %% 20.6b the best so far: np.maximum.accumulate(precision[::-1])[::-1] → np.maximum.accumulate(precision)

# %% 20.6b over the cells found: * best) / n → * best) / max(1, right.sum())

# %% 20.6b the mean over the boxes: return np.sum(np.diff(got, prepend=0) * best) / n → return np.mean(best) if len(best) else 0.0

# %% 20.6b not divided: * best) / n → * best)

# %% 20.6b the first hit is lost: np.diff(got, prepend=0) * best → np.diff(got) * best[1:]

# %% 20.6b precision of all boxes together
def average_precision(scores, right, n):
    return np.mean(right) if len(right) else 0.0

# %% 20.6b recall
def average_precision(scores, right, n):
    return np.sum(right) / n
