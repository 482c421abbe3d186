# Right answers in another style, which the checks of 20_object_detection must accept.

# %% 20.1 loops
def iou(a, b):
    table = np.zeros((len(a), len(b)))
    for i, one in enumerate(a):
        for j, two in enumerate(b):
            w = min(one[2], two[2]) - max(one[0], two[0])
            h = min(one[3], two[3]) - max(one[1], two[1])
            if w > 0 and h > 0:
                both = float(w) * float(h)
                areas = [float(x[2] - x[0]) * float(x[3] - x[1]) for x in (one, two)]
                table[i, j] = both / (sum(areas) - both)
    return table

# %% 20.1 four sides, float32
def iou(a, b):
    a, b = np.float32(a), np.float32(b)
    l1, t1, r1, b1 = a.T[:, :, None]
    l2, t2, r2, b2 = b.T[:, None, :]
    w = np.clip(np.minimum(r1, r2) - np.maximum(l1, l2), 0, None)
    h = np.clip(np.minimum(b1, b2) - np.maximum(t1, t2), 0, None)
    union = (r1 - l1) * (b1 - t1) + (r2 - l2) * (b2 - t2) - w * h
    return np.divide(w * h, union, out=np.zeros(union.shape, np.float32), where=union > 0)

# %% 20.3 float32, and indices counted in pixels
def targets(boxes, kinds, shape=(30, 40), stride=4):
    heat = np.zeros((*shape, 3), np.float32)
    numbers = np.zeros((*shape, 4), np.float32)
    here = np.zeros((*shape, 1), np.float32)
    for i in range(len(boxes)):
        left, top, right, bottom = [float(side) for side in boxes[i]]
        x, y = (left + right) / (2 * stride), (top + bottom) / (2 * stride)
        w, h = (right - left) / stride, (bottom - top) / stride
        column, row = int(np.clip(np.floor(x), 0, shape[1] - 1)), int(np.clip(np.floor(y), 0, shape[0] - 1))
        here[row, column, 0] = 1
        spot = bump(row, column, h, w, shape)
        higher = spot > heat[..., kinds[i]]
        heat[..., kinds[i]][higher] = spot[higher]
        numbers[row, column] = np.array([x - column, y - row, np.log(w), np.log(h)])
    return heat, numbers, here

# %% 20.3 a list of bumps per kind
def targets(boxes, kinds, shape=(30, 40), stride=4):
    bumps = [[np.zeros(shape)] for _ in range(3)]
    numbers, here = np.zeros(shape + (4,)), np.zeros(shape + (1,))
    for box, kind in zip(boxes, kinds):
        center = (box[:2] + box[2:]) / 2 / stride
        size = (box[2:] - box[:2]) / stride
        place = np.minimum(center.astype(int), [shape[1] - 1, shape[0] - 1])
        bumps[kind].append(bump(place[1], place[0], size[1], size[0], shape))
        numbers[place[1], place[0]] = [*(center - place), *np.log(size)]
        here[place[1], place[0]] = 1
    return np.stack([np.max(one, axis=0) for one in bumps], axis=-1), numbers, here

# %% 20.5a a loop
def boxes_at(rows, columns, numbers, stride=4):
    boxes = np.zeros((len(rows), 4))
    for i, (row, column, (dx, dy, log_w, log_h)) in enumerate(zip(rows, columns, numbers)):
        half_w, half_h = np.exp(log_w) / 2, np.exp(log_h) / 2
        boxes[i] = [column + dx - half_w, row + dy - half_h, column + dx + half_w, row + dy + half_h]
    return boxes * stride

# %% 20.5a centers and halves
def boxes_at(rows, columns, numbers, stride=4):
    centers = np.stack([columns, rows], axis=-1) + numbers[:, :2]
    halves = np.exp(numbers[:, 2:]) / 2
    return stride * np.concatenate([centers - halves, centers + halves], axis=-1)

# %% 20.5b a list of those that are left
def nms(boxes, scores, kinds, most=0.5):
    left = sorted(range(len(boxes)), key=lambda i: -scores[i])
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if kinds[i] != kinds[best] or iou(boxes[[best]], boxes[[i]])[0, 0] <= most]
    return kept

# %% 20.5b a mask and one table
def nms(boxes, scores, kinds, most=0.5):
    overlap = iou(boxes, boxes) * (np.asarray(kinds)[:, None] == np.asarray(kinds)[None])
    alive, kept = np.ones(len(boxes), bool), []
    for i in np.argsort(-scores, kind="stable"):
        if alive[i]:
            kept.append(int(i))
            alive &= overlap[i] <= most
    return np.array(kept, dtype=np.int64)

# %% 20.6a a set of free cells, a list
def hits(boxes, scores, marked, least=0.5):
    free, right = set(range(len(marked))), [False] * len(boxes)
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        best, most = None, -1.0
        for j in sorted(free):
            one = iou(boxes[i : i + 1], marked[j : j + 1])[0, 0]
            if one > most:
                best, most = j, one
        if best is not None and most >= least:
            right[i] = True
            free.remove(best)
    return right

# %% 20.6a where
def hits(boxes, scores, marked, least=0.5):
    free, right = np.ones(len(marked), bool), np.zeros(len(boxes))
    overlap = iou(boxes, marked)
    for i in np.argsort(-scores, kind="stable"):
        near = np.where(free, overlap[i], -1)
        if free.any() and near.max() >= least:
            free[near.argmax()] = False
            right[i] = 1
    return right.astype(bool)

# %% 20.6b as the formula says
def average_precision(scores, right, n):
    pairs = []
    for t in np.unique(scores):
        kept = scores >= t
        pairs.append((np.sum(right[kept]), np.mean(right[kept])))
    total = 0.0
    for m in range(1, n + 1):
        total += max([precision for got, precision in pairs if got >= m], default=0.0)
    return total / n

# %% 20.6b area under steps, from behind
def average_precision(scores, right, n):
    thresholds = np.unique(scores)  # rising
    area, best, above = 0.0, 0.0, None
    for t in thresholds:
        got = int(np.sum(right[scores >= t]))
        best = max(best, got / np.sum(scores >= t))
        fewer = int(np.sum(right[scores > t]))
        area += (got - fewer) * best
    return np.float32(area / n)
