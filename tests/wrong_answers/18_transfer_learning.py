# Wrong answers that the checks of 18_transfer_learning must refuse: each cell replaces an exercise cell.

# %% 18.1 kind after kind, not round after round: .T.ravel() → .ravel()

# %% 18.1 the first rows of each kind
def balanced_order(y, each, rng):
    return np.stack([np.flatnonzero(y == kind)[:each] for kind in np.unique(y)]).T.ravel()

# %% 18.1 any rows at all
def balanced_order(y, each, rng):
    return rng.permutation(len(y))[: each * len(np.unique(y))]

# %% 18.1 draws with repetition
def balanced_order(y, each, rng):
    return np.stack([rng.choice(np.flatnonzero(y == kind), each) for kind in np.unique(y)]).T.ravel()

# %% 18.1 takes the largest label for the number of kinds
def balanced_order(y, each, rng):
    return np.stack([rng.permutation(np.flatnonzero(y == kind))[:each] for kind in range(y.max() + 1)]).T.ravel()

# %% 18.1 a generator of its own: rng.permutation( → np.random.default_rng(0).permutation(

# %% 18.1 the labels instead of the rows
def balanced_order(y, each, rng):
    return np.tile(np.unique(y), each)

# %% 18.1 one permutation of everything, then sorted by kind
def balanced_order(y, each, rng):
    rows = rng.permutation(len(y))
    rows = rows[np.argsort(y[rows], kind="stable")]
    return rows[: each * len(np.unique(y))]

# %% 18.1 another each, another draw: rng.permutation(np.flatnonzero(y == kind))[:each] → rng.choice(np.flatnonzero(y == kind), each, replace=False)

# %% 18.1 takes the labels for sorted, and for equally many
def balanced_order(y, each, rng):
    kinds = len(np.unique(y))
    table = np.arange(len(y) // kinds * kinds).reshape(kinds, -1)
    return rng.permuted(table, axis=1)[:, :each].T.ravel()

# %% 18.2 no copy: the given encoder learns
def with_head(encoder, kinds, frozen):
    encoder.trainable = not frozen
    return keras.Sequential([encoder, layers.Dense(kinds, kernel_initializer="zeros")])

# %% 18.2 another model around the same weights
def with_head(encoder, kinds, frozen):
    same = keras.Model(encoder.input, encoder.output)
    head = layers.Dense(kinds, kernel_initializer="zeros")
    model = keras.Sequential([same, head])
    same.trainable = not frozen
    return model

# %% 18.2 weights carried over after a first training step's worth of noise
def with_head(encoder, kinds, frozen):
    copy = keras.models.clone_model(encoder)
    copy.set_weights([w * 1.01 for w in encoder.get_weights()])
    copy.trainable = not frozen
    return keras.Sequential([copy, layers.Dense(kinds, kernel_initializer="zeros")])

# %% 18.2 freezes the last layer of the copy only
def with_head(encoder, kinds, frozen):
    copy = keras.models.clone_model(encoder)
    copy.set_weights(encoder.get_weights())
    copy.layers[-1].trainable = not frozen
    return keras.Sequential([copy, layers.Dense(kinds, kernel_initializer="zeros")])

# %% 18.2 freezes the encoder given, too: copy = keras.models.clone_model(encoder) → encoder.trainable = not frozen; copy = keras.models.clone_model(encoder)

# %% 18.2 a head without a bias: kernel_initializer="zeros" → kernel_initializer="zeros", use_bias=False

# %% 18.2 a copy with new weights: copy.set_weights(encoder.get_weights()) → pass

# %% 18.2 never frozen: copy.trainable = not frozen → pass

# %% 18.2 always frozen: not frozen → False

# %% 18.2 the wrong way round: not frozen → frozen

# %% 18.2 a head that starts at random: , kernel_initializer="zeros" → 

# %% 18.2 freezes the head as well
def with_head(encoder, kinds, frozen):
    copy = keras.models.clone_model(encoder)
    copy.set_weights(encoder.get_weights())
    model = keras.Sequential([copy, layers.Dense(kinds, kernel_initializer="zeros")])
    model.trainable = not frozen
    return model

# %% 18.2 probabilities: kernel_initializer="zeros" → kernel_initializer="zeros", activation="softmax"

# %% 18.2 frozen, but for the batch normalization
def with_head(encoder, kinds, frozen):
    copy = keras.models.clone_model(encoder)
    copy.set_weights(encoder.get_weights())
    for layer in copy.layers:
        layer.trainable = not frozen or isinstance(layer, layers.BatchNormalization)
    return keras.Sequential([copy, layers.Dense(kinds, kernel_initializer="zeros")])

# %% 18.2 calls the encoder in training mode
def with_head(encoder, kinds, frozen):
    copy = keras.models.clone_model(encoder)
    copy.set_weights(encoder.get_weights())
    images = keras.Input(encoder.input_shape[1:])
    copy.trainable = not frozen
    x = copy(images, training=True)
    return keras.Model(images, layers.Dense(kinds, kernel_initializer="zeros")(x))

# %% 18.4a the single best trial
def best_rate(trial, rates, seeds):
    return max(sorted(rates), key=lambda rate: max(trial(rate, seed) for seed in seeds))

# %% 18.4a the first seed decides
def best_rate(trial, rates, seeds):
    return max(sorted(rates), key=lambda rate: trial(rate, seeds[0]))

# %% 18.4a the worst: max(sorted → min(sorted

# %% 18.4a the larger of equal ones: sorted(means) → sorted(means, reverse=True)

# %% 18.4a the first given of equal ones: sorted(means) → means

# %% 18.4a the accuracy instead of the rate: return max(sorted(means), key=means.get) → return max(means.values())

# %% 18.4a the worst seed counts: np.mean → np.min

# %% 18.4a the median: np.mean → np.median

# %% 18.4a the rates swapped with the seeds: trial(rate, seed) for seed → trial(seed, rate) for seed

# %% 18.4a tries again for every comparison
def best_rate(trial, rates, seeds):
    best = sorted(rates)[0]
    for rate in sorted(rates):
        if np.mean([trial(rate, s) for s in seeds]) > np.mean([trial(best, s) for s in seeds]):
            best = rate
    return best

# %% 18.4b 1.96: stats.t.ppf(0.975, len(d) - 1) → 1.96

# %% 18.4b divides by m: d.std(ddof=1) → d.std()

# %% 18.4b a minus b: np.subtract(b, a) → np.subtract(a, b)

# %% 18.4b forgets the root: / np.sqrt(len(d)) → 

# %% 18.4b m degrees of freedom: len(d) - 1) * → len(d)) *

# %% 18.4b one-sided: 0.975 → 0.95

# %% 18.4b not paired
def seed_interval(a, b):
    a, b = np.array(a), np.array(b)
    s = np.sqrt(a.var(ddof=1) + b.var(ddof=1))
    half = stats.t.ppf(0.975, len(a) - 1) * s / np.sqrt(len(a))
    return b.mean() - a.mean() - half, b.mean() - a.mean() + half

# %% 18.4b the half width only: return d.mean() - half, d.mean() + half → return -half, half

# %% 18.9 a view may guess itself: scores = scores - 1e9 * ops.eye(2 * B) → pass

# %% 18.9 the diagonal set to 0 instead of excluded: scores - 1e9 * ops.eye(2 * B) → scores * (1 - ops.eye(2 * B))

# %% 18.9 subtracts too little on the diagonal: 1e9 → 1

# %% 18.9 distances instead of cosines
def contrastive_loss(first, second, temperature):
    B = first.shape[0]
    z = ops.normalize(ops.concatenate([first, second]), axis=-1)
    scores = -ops.sum((z[:, None] - z[None]) ** 2, axis=-1) / temperature
    scores = scores - 1e9 * ops.eye(2 * B)
    partner = np.roll(np.arange(2 * B), B)
    return ops.mean(ops.sparse_categorical_crossentropy(partner, scores, from_logits=True))

# %% 18.9 the partner counts as an other only, not below the line
def contrastive_loss(first, second, temperature):
    a, b = ops.normalize(first, axis=-1), ops.normalize(second, axis=-1)
    z = ops.concatenate([a, b])
    scores = ops.matmul(z, ops.transpose(z)) / temperature
    n = z.shape[0]
    own = np.eye(n, dtype=bool) | np.roll(np.eye(n, dtype=bool), n // 2, axis=1)
    scores = ops.where(own, -1e9, scores)
    return ops.mean(ops.logsumexp(scores, axis=1)) - ops.mean(ops.sum(a * b, axis=1)) / temperature

# %% 18.9 the half of the mean: views of the first side only
def contrastive_loss(first, second, temperature):
    B = first.shape[0]
    z = ops.normalize(ops.concatenate([first, second]), axis=-1)
    scores = ops.matmul(z, ops.transpose(z)) / temperature - 1e9 * ops.eye(2 * B)
    partner = np.roll(np.arange(2 * B), B)
    losses = ops.sparse_categorical_crossentropy(partner, scores, from_logits=True)
    return ops.mean(losses[:B])

# %% 18.9 no unit vectors: ops.normalize(ops.concatenate([first, second]), axis=-1) → ops.concatenate([first, second])

# %% 18.9 unit columns: axis=-1 → axis=0

# %% 18.9 times the temperature: / temperature → * temperature

# %% 18.9 the sum: ops.mean( → ops.sum(

# %% 18.9 the partner next to it
def contrastive_loss(first, second, temperature):
    B = first.shape[0]
    z = ops.normalize(ops.concatenate([first, second]), axis=-1)
    scores = ops.matmul(z, ops.transpose(z)) / temperature - 1e9 * ops.eye(2 * B)
    partner = np.arange(2 * B) ^ 1
    return ops.mean(ops.sparse_categorical_crossentropy(partner, scores, from_logits=True))

# %% 18.9 itself as partner: np.roll(np.arange(2 * B), B) → np.arange(2 * B)

# %% 18.9 scores taken for probabilities: from_logits=True → from_logits=False

# %% 18.9 only one direction, among the other side
def contrastive_loss(first, second, temperature):
    B = first.shape[0]
    a, b = ops.normalize(first, axis=-1), ops.normalize(second, axis=-1)
    scores = ops.matmul(a, ops.transpose(b)) / temperature
    return ops.mean(ops.sparse_categorical_crossentropy(np.arange(B), scores, from_logits=True))

# %% 18.9 one loss per view: return ops.mean(ops.sparse → return (ops.sparse

# %% 18.9 NumPy, which Keras can't differentiate
def contrastive_loss(first, second, temperature):
    z = np.concatenate([np.asarray(first), np.asarray(second)])
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    power = np.exp(z @ z.T / temperature)
    np.fill_diagonal(power, 0)
    partner = np.roll(np.arange(len(z)), len(z) // 2)
    return -np.mean(np.log(power[np.arange(len(z)), partner] / power.sum(axis=1)))

# %% 18.8 frozen, so nothing moves: copy.set_weights(model.get_weights()) → copy.set_weights(model.get_weights()); copy.trainable = False

# %% 18.8 the layers of a flat model only
def with_new_averages(model, images, rounds=5, batch=250):
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for _ in range(rounds):
        for start in range(0, len(images), batch):
            x = images[start : start + batch]
            for layer in copy.layers:
                x = layer(x, training=True) if isinstance(layer, layers.BatchNormalization) else layer(x)
    return copy

# %% 18.8 in use, not in training: training=True → training=False

# %% 18.8 the first part only: range(0, len(images), batch) → range(0, 1)

# %% 18.8 no copy
def with_new_averages(model, images, rounds=5, batch=250):
    model.trainable = True
    for _ in range(rounds):
        for start in range(0, len(images), batch):
            model(images[start : start + batch], training=True)
    return model

# %% 18.8 the averages of one big batch, written in
def with_new_averages(model, images, rounds=5, batch=250):
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for _ in range(rounds):
        copy(images[:batch], training=True)
    return copy

# %% 18.8 learns too
def with_new_averages(model, images, rounds=5, batch=250):
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile("sgd", "mse")
    for _ in range(rounds):
        for start in range(0, len(images), batch):
            part = images[start : start + batch]
            copy.train_on_batch(part, copy(part))
    return copy

# %% 18.8 one round: in range(rounds) → in range(1)

# %% 18.8 all at once: images[start : start + batch] → images

# %% 18.8 new weights: copy.set_weights(model.get_weights()) → pass
