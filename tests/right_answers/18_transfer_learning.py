# Right answers in another style, which the checks of 18_transfer_learning must accept.

# %% 18.1 round by round, a list
def balanced_order(y, each, rng):
    rows = rng.permutation(len(y))
    by_kind = {kind: [row for row in rows if y[row] == kind] for kind in sorted(set(y.tolist()))}
    return [int(by_kind[kind][k]) for k in range(each) for kind in by_kind]

# %% 18.1 shuffled anew within every round
def balanced_order(y, each, rng):
    rows = {kind: list(rng.permutation(np.flatnonzero(y == kind))) for kind in np.unique(y)}
    order = []
    for _ in range(each):
        order += [rows[kind].pop() for kind in rng.permutation(list(rows))]
    return np.array(order)

# %% 18.1 sorted by the place within the kind
def balanced_order(y, each, rng):
    rows = rng.permutation(len(y))
    place = np.empty(len(y), int)
    for kind in np.unique(y):
        mine = rows[y[rows] == kind]
        place[mine] = np.arange(len(mine))
    chosen = rows[place[rows] < each]
    return chosen[np.argsort(place[chosen], kind="stable")]

# %% 18.2 a functional model, each layer frozen
def with_head(encoder, kinds, frozen):
    copy = keras.models.clone_model(encoder)
    for new, old in zip(copy.weights, encoder.weights):
        new.assign(old)
    if frozen:
        for layer in copy.layers:
            layer.trainable = False
    images = keras.Input(encoder.input_shape[1:])
    scores = layers.Dense(kinds, kernel_initializer=keras.initializers.Zeros())(copy(images))
    return keras.Model(images, scores)

# %% 18.2 the head on the copy's own output
def with_head(encoder, kinds, frozen):
    copy = keras.models.clone_model(encoder)
    copy.set_weights(encoder.get_weights())
    copy.trainable = not frozen
    return keras.Model(copy.input, layers.Dense(kinds, kernel_initializer="zeros")(copy.output))

# %% 18.4a a loop
def best_rate(trial, rates, seeds):
    best, best_mean = None, -1.0
    for rate in sorted(rates):
        mean = sum(trial(rate, seed) for seed in seeds) / len(seeds)
        if mean > best_mean:
            best, best_mean = rate, mean
    return best

# %% 18.4a argmax of a table
def best_rate(trial, rates, seeds):
    rates = np.sort(np.array(rates))
    table = np.array([[trial(float(rate), seed) for seed in seeds] for rate in rates])
    return float(rates[table.mean(axis=1).argmax()])

# %% 18.4b by SciPy, a list
def seed_interval(a, b):
    d = [y - x for x, y in zip(a, b)]
    m = sum(d) / len(d)
    s = (sum((x - m) ** 2 for x in d) / (len(d) - 1)) ** 0.5
    half = float(stats.t.ppf(0.975, len(d) - 1)) * s / len(d) ** 0.5
    return [m - half, m + half]

# %% 18.4b SciPy's interval
def seed_interval(a, b):
    d = np.subtract(b, a)
    return stats.t.interval(0.95, len(d) - 1, loc=d.mean(), scale=stats.sem(d))

# %% 18.4b NumPy's own spread, an array
def seed_interval(a, b):
    d = np.asarray(b, float) - np.asarray(a, float)
    m = len(d)
    error = np.sqrt(np.var(d, ddof=1) / m)
    return np.array(stats.t.interval(0.95, m - 1)) * error + np.mean(d)

# %% 18.9 one-hot targets, the mask by multiplication
def contrastive_loss(first, second, temperature):
    B = ops.shape(first)[0]
    views = ops.concatenate([first, second], axis=0)
    views = views / ops.norm(views, axis=1, keepdims=True)
    scores = ops.einsum("id,jd->ij", views, views) / temperature
    eye = ops.eye(2 * B)
    power = ops.exp(scores - ops.max(scores)) * (1.0 - eye)
    share = power / ops.sum(power, axis=1, keepdims=True)
    partner = ops.roll(eye, B, axis=1)
    return -ops.mean(ops.log(ops.sum(share * partner, axis=1)))

# %% 18.9 view by view, in a loop
def contrastive_loss(first, second, temperature):
    B = first.shape[0]
    z = ops.normalize(ops.concatenate([first, second]), axis=-1)
    total = 0.0
    for i in range(2 * B):
        scores = ops.sum(z * z[i], axis=-1) / temperature
        others = [scores[j] for j in range(2 * B) if j != i]
        total = total - scores[(i + B) % (2 * B)] + ops.logsumexp(ops.stack(others))
    return total / (2 * B)

# %% 18.9 logsumexp
def contrastive_loss(first, second, temperature):
    a = first / ops.sqrt(ops.sum(first**2, axis=1, keepdims=True))
    b = second / ops.sqrt(ops.sum(second**2, axis=1, keepdims=True))
    z = ops.concatenate([a, b], axis=0)
    scores = z @ ops.transpose(z) / temperature
    n = scores.shape[0]
    scores = ops.where(np.eye(n, dtype=bool), -1e9, scores)
    together = ops.sum(a * b, axis=1) / temperature
    return ops.mean(ops.logsumexp(scores, axis=1)) - ops.mean(together)

# %% 18.8 averages over rounds in float64, parts by split
def with_new_averages(model, images, rounds=5, batch=250):
    other = keras.models.clone_model(model)
    for new, old in zip(other.weights, model.weights):
        new.assign(old)
    parts = np.split(np.asarray(images), range(batch, len(images), batch))
    for part in parts * rounds:
        other(part, training=True)
    return other
