# Wrong answers that the checks of 16_project_gpt must refuse: each cell replaces an exercise cell.

# %% 16.1 the product of the probabilities: np.log(p).mean() → np.log(np.prod(p))

# %% 16.1 takes the logarithm of the mean: np.log(p).mean() → np.log(np.mean(p))

# %% 16.1 bits by multiplying: nats / np.log(2) → nats * np.log(2)

# %% 16.1 perplexity of the bits: np.exp(nats) → np.exp(nats / np.log(2))

# %% 16.1 adds something so that the logarithm is never taken of 0
def price(p):
    nats = -np.log(np.asarray(p) + 1e-8).mean()
    return nats, nats / np.log(2), np.exp(nats)

# %% 16.3 never draws the last start: len(ids) - T → len(ids) - T - 1

# %% 16.3 draws starts that do not fit: len(ids) - T → len(ids) - T + 1

# %% 16.3 targets are the inputs: windows[:, 1:] → windows[:, :-1]

# %% 16.3 windows side by side, none drawn
def batch(ids, B, T, rng):
    windows = ids[np.arange(B)[:, None] + np.arange(T + 1)]
    return windows[:, :-1], windows[:, 1:]

# %% 16.3 a generator of its own: rng.integers → np.random.default_rng().integers

# %% 16.3 one start for all rows: rng.integers(0, len(ids) - T, B) → np.repeat(rng.integers(0, len(ids) - T), B)

# %% 16.3 draws characters, not windows
def batch(ids, B, T, rng):
    x = rng.choice(ids[:-1], (B, T))
    return x, x + 1

# %% 16.3 the first and the last start half as often
def batch(ids, B, T, rng):
    starts = np.rint(rng.random(B) * (len(ids) - T - 1)).astype(int)
    windows = ids[starts[:, None] + np.arange(T + 1)]
    return windows[:, :-1], windows[:, 1:]

# %% 16.4 forgets the places: model.tokens(ids) + model.places(ops.arange(ids.shape[1])) → model.tokens(ids)

# %% 16.4 takes the token's number for its place: model.places(ops.arange(ids.shape[1])) → model.places(ids)

# %% 16.4 forgets the last norm: ops.matmul(model.norm(x), → ops.matmul(x,

# %% 16.4 drops before the places are added
def all_logits(model, ids):
    x = model.drop(model.tokens(ids)) + model.places(ops.arange(ids.shape[1]))
    for block in model.blocks:
        x = block(x)
    return ops.matmul(model.norm(x), ops.transpose(model.tokens.embeddings))

# %% 16.4 the last block first: in model.blocks → in reversed(model.blocks)

# %% 16.4 only the last block's output: x = block(x) → y = block(x)

# %% 16.4 forgets the dropout: x = model.drop(x) → pass

# %% 16.4 turns the logits into probabilities
def all_logits(model, ids):
    x = model.drop(model.tokens(ids) + model.places(ops.arange(ids.shape[1])))
    for block in model.blocks:
        x = block(x)
    return ops.softmax(ops.matmul(model.norm(x), ops.transpose(model.tokens.embeddings)))

# %% 16.4 asks for the length of something that has none when it is compiled
def all_logits(model, ids):
    x = model.drop(model.tokens(ids) + model.places(np.arange(len(ids[0]))))
    for block in model.blocks:
        x = block(x)
    return ops.matmul(model.norm(x), ops.transpose(model.tokens.embeddings))


# %% 16.2 every tenth block: % 20 == 10 → % 10 == 5

# %% 16.2 the first block counts as number 1: % 20 == 10 → % 20 == 9

# %% 16.2 the two texts exchanged: return ids[~stays_out], ids[stays_out] → return ids[stays_out], ids[~stays_out]

# %% 16.2 characters, not blocks: np.arange(len(ids)) // size % 20 == 10 → np.arange(len(ids)) % 20 == 10

# %% 16.2 loses a block that is shorter
def hold_back(ids, size):
    whole = ids[: len(ids) // size * size].reshape(-1, size)
    out = np.arange(len(whole)) % 20 == 10
    return whole[~out].ravel(), whole[out].ravel()

# %% 16.2 learns from everything: return ids[~stays_out], ids[stays_out] → return ids, ids[stays_out]

# %% 16.2 blocks, not a text
def hold_back(ids, size):
    blocks = [ids[i : i + size] for i in range(0, len(ids), size)]
    return [b for i, b in enumerate(blocks) if i % 20 != 10], blocks[10::20]

# %% 16.2 holds back by the number itself: np.arange(len(ids)) → np.asarray(ids)

# %% 16.6 over characters: len(difference) // size * size → len(difference)

# %% 16.6 spread of characters: means = whole.reshape(-1, size).mean(axis=1) → means = whole

# %% 16.6 divides by the number, less one missing: ddof=1 → ddof=0

# %% 16.6 forgets the root: np.sqrt(len(means)) → len(means)

# %% 16.6 the spread, not the error of the mean: / np.sqrt(len(means)) → / 1

# %% 16.6 the other way round: difference = a - b → difference = b - a

# %% 16.6 not in pairs
def over_pieces(a, b, size):
    n = len(a) // size * size
    x, y = (np.asarray(v)[:n].reshape(-1, size).mean(axis=1) for v in (a, b))
    return (x - y).mean(), 1.96 * np.sqrt((x.var(ddof=1) + y.var(ddof=1)) / len(x))

# %% 16.6 pieces across: reshape(-1, size).mean(axis=1) → reshape(size, -1).mean(axis=0)

# %% 16.6 the ends of the interval
def over_pieces(a, b, size):
    d = (a - b)[: len(a) // size * size].reshape(-1, size).mean(axis=1)
    half = 1.96 * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean() - half, d.mean() + half
