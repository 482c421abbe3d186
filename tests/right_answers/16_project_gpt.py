# Right answers in another style that the checks of 16_project_gpt must accept.

# %% 16.1 bit by bit, in a loop
def price(p):
    total = 0.0
    for one in p:
        total -= math.log2(one)
    bits = total / len(p)
    return [bits * math.log(2), bits, 2**bits]

# %% 16.3 a loop over rows, lists stacked
def batch(ids, B, T, rng):
    x, y = [], []
    for start in rng.integers(len(ids) - T, size=B):
        x.append(ids[start : start + T])
        y.append(ids[start + 1 : start + T + 1])
    return np.stack(x), np.stack(y)

# %% 16.3 draws with choice
def batch(ids, B, T, rng):
    starts = rng.choice(len(ids) - T, B)
    place = np.add.outer(starts, np.arange(T))
    return ids[place], ids[place + 1]

# %% 16.4 with einsum
def all_logits(model, ids):
    places = np.arange(np.shape(ids)[1])
    x = model.drop(model.places(places)[None] + model.tokens(ids))
    for i in range(len(model.blocks)):
        x = model.blocks[i](x)
    return ops.einsum("bsd,vd->bsv", model.norm(x), model.tokens.embeddings)


# %% 16.2 block by block
def hold_back(ids, size):
    learn, held = [], []
    for number, start in enumerate(range(0, len(ids), size)):
        (held if number % 20 == 10 else learn).extend(ids[start : start + size])
    return np.array(learn), np.array(held)

# %% 16.2 by deleting
def hold_back(ids, size):
    out = [i for i in range(len(ids)) if (i // size - 10) % 20 == 0]
    return np.delete(ids, out), ids[out]

# %% 16.6 piece by piece
def over_pieces(a, b, size):
    d = [float(np.mean(a[i : i + size])) - float(np.mean(b[i : i + size]))
         for i in range(0, len(a) // size * size, size)]
    mean = sum(d) / len(d)
    spread = math.sqrt(sum((x - mean) ** 2 for x in d) / (len(d) - 1))
    return [mean, 1.96 * spread / math.sqrt(len(d))]

# %% 16.6 with split
def over_pieces(a, b, size):
    pieces = [part.mean() for part in np.split(a - b, range(size, len(a), size))
              if len(part) == size]
    return np.mean(pieces), 1.96 * np.std(pieces, ddof=1) / len(pieces) ** 0.5
