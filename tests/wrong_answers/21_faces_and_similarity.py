# Wrong answers that the checks of 21_faces_and_similarity must refuse: each cell replaces an exercise cell.

# %% 21.1 squares, no root: return np.sqrt(np.maximum(squares, 0)) → return np.maximum(squares, 0)

# %% 21.1 the sign of the product: - 2 * A → + 2 * A

# %% 21.1 the factor 2 is missing: - 2 * A @ B.T → - A @ B.T

# %% 21.1 a root of what is below 0: np.maximum(squares, 0) → squares

# %% 21.1 the squares of B are missing:  + (B**2).sum(axis=1) → 

# %% 21.1 all differences at once, 9 GB later
def distances(A, B):
    return np.sqrt(((A[:, None] - B[None]) ** 2).sum(axis=2))

# %% 21.1 row to row only
def distances(A, B):
    n = min(len(A), len(B))
    return np.linalg.norm(A[:n] - B[:n], axis=1)

# %% 21.1 the mean instead of the sum
def distances(A, B):
    return np.array([np.sqrt(((B - a) ** 2).mean(axis=1)) for a in A])

# %% 21.1 absolute differences
def distances(A, B):
    return np.array([np.abs(B - a).sum(axis=1) for a in A])

# %% 21.1 from B to A
def distances(A, B):
    return np.array([np.linalg.norm(A - b, axis=1) for b in B])

# %% 21.2 the sign: 2 * np.minimum → -2 * np.minimum

# %% 21.2 no end at the margin: 2 * np.minimum(0, d - margin) → 2 * (d - margin)

# %% 21.2 the inner derivative is forgotten: np.minimum(0, d - margin) → np.maximum(0, margin - d)

# %% 21.2 the factor 2 is forgotten: 2 * d, 2 * np → d, np

# %% 21.2 the loss itself: 2 * d, 2 * np.minimum(0, d - margin) → d**2, np.minimum(0, d - margin) ** 2

# %% 21.2 same and different mixed up: same, 2 * d, 2 * np.minimum(0, d - margin) → same, 2 * np.minimum(0, d - margin), 2 * d

# %% 21.2 a margin of 1 always: d - margin → d - 1

# %% 21.3 the nearest same: ops.max(ops.where(same, d, -np.inf), axis=1) → ops.min(ops.where(same, d, np.inf), axis=1)

# %% 21.3 the farthest different: ops.min(ops.where(same, np.inf, d), axis=1) → ops.max(ops.where(same, -np.inf, d), axis=1)

# %% 21.3 the gap the wrong way round: farthest - nearest → nearest - farthest

# %% 21.3 no zero: ops.mean(ops.maximum(0.0, farthest - nearest + margin)) → ops.mean(farthest - nearest + margin)

# %% 21.3 the margin is taken away: + margin → - margin

# %% 21.3 a margin of its own: + margin → + 0.3

# %% 21.3 the sum: ops.mean(ops.maximum → ops.sum(ops.maximum

# %% 21.3 the mean first, then the zero: ops.mean(ops.maximum(0.0, farthest - nearest + margin)) → ops.maximum(0.0, ops.mean(farthest - nearest + margin))

# %% 21.3 the nearest is always the image itself: ops.where(same, np.inf, d) → ops.where(same, d, d)

# %% 21.3 the farthest of all, whoever it is: ops.where(same, d, -np.inf) → d

# %% 21.3 one loss for each anchor: return ops.mean( → return (

# %% 21.3 squared distances: d = all_distances(z) → d = all_distances(z) ** 2

# %% 21.3 neighbors in the batch instead of labels
def triplet_loss(labels, z, margin=0.3):
    d = all_distances(z)
    half = z.shape[0] // 2
    place = np.arange(z.shape[0]) // max(1, half)
    same = place[:, None] == place[None]
    farthest = ops.max(ops.where(same, d, -1.0), axis=1)
    nearest = ops.min(ops.where(same, 1e9, d), axis=1)
    return ops.mean(ops.maximum(0.0, farthest - nearest + margin))

# %% 21.3 NumPy, which Keras can't differentiate
def triplet_loss(labels, z, margin=0.3):
    z, labels = np.asarray(z), np.asarray(labels)
    d = np.sqrt(((z[:, None] - z[None]) ** 2).sum(-1))
    same = labels[:, None] == labels[None]
    farthest = np.where(same, d, -1).max(axis=1)
    nearest = np.where(same, 1e9, d).min(axis=1)
    return np.mean(np.maximum(0, farthest - nearest + margin))

# %% 21.3 a mean over those with a loss only
def triplet_loss(labels, z, margin=0.3):
    d = all_distances(z)
    same = labels[:, None] == labels[None]
    farthest = ops.max(ops.where(same, d, -1.0), axis=1)
    nearest = ops.min(ops.where(same, 1e9, d), axis=1)
    losses = ops.maximum(0.0, farthest - nearest + margin)
    return ops.sum(losses) / (ops.sum(ops.cast(losses > 0, "float32")) + 1e-9)

# %% 21.5 ties are rejected: side="right" → side="left"

# %% 21.5 the two mixed up: return accepted[0], 1 - accepted[1] → return 1 - accepted[1], accepted[0]

# %% 21.5 true accepts instead of false rejects: 1 - accepted[1] → accepted[1]

# %% 21.5 a share of all pairs: / len(part) → / len(d)

# %% 21.5 the same pairs counted as different: d[~same], d[same] → d[same], d[~same]

# %% 21.5 accepts what is far
def rates(d, same, thresholds):
    accepts = [np.mean(d[~same] >= t) for t in thresholds]
    rejects = [np.mean(d[same] < t) for t in thresholds]
    return np.array(accepts), np.array(rejects)

# %% 21.5 the thresholds are sorted first
def rates(d, same, thresholds):
    thresholds = np.sort(thresholds)
    return (np.array([np.mean(d[~same] <= t) for t in thresholds]),
            np.array([np.mean(d[same] > t) for t in thresholds]))

# %% 21.5 a share of the accepted pairs
def rates(d, same, thresholds):
    accepts = [np.mean(~same[d <= t]) if (d <= t).any() else 0.0 for t in thresholds]
    rejects = [np.mean(d[same] > t) for t in thresholds]
    return np.array(accepts), np.array(rejects)

# %% 21.6 the first example only: support.mean(axis=1) → support[:, 0]

# %% 21.6 the mean over the characters: support.mean(axis=1) → support.mean(axis=0)

# %% 21.6 the farthest: np.argmin → np.argmax

# %% 21.6 the nearest query of each character: axis=1)), axis=1) → axis=1)), axis=0)

# %% 21.6 the nearest single example
def nearest_prototype(support, queries):
    ways, shots, d = support.shape
    return np.argmin(distances(queries, support.reshape(-1, d)), axis=1) // shots

# %% 21.6 the largest product
def nearest_prototype(support, queries):
    return np.argmax(queries @ support.mean(axis=1).T, axis=1)

# %% 21.6 the distance instead of the character: np.argmin(distances( → np.min(distances(
