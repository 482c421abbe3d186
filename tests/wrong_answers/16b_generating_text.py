# Wrong answers that the checks of 16b_generating_text must refuse: each cell replaces an exercise cell.

# %% 16b.2 loses the token that passes p: ops.cumsum(q, axis=-1) - q < p → ops.cumsum(q, axis=-1) < p

# %% 16b.2 keeps what has probability p or more itself
def keep_top_p(logits, p):
    return ops.where(ops.softmax(logits) >= p, logits, -np.inf)

# %% 16b.2 one threshold for the whole batch: axis=-1, keepdims=True → keepdims=True

# %% 16b.2 gives the sorted logits back: logits >= least, logits, → ordered >= least, ordered,

# %% 16b.2 gives probabilities: ops.where(logits >= least, logits, -np.inf) → ops.softmax(ops.where(logits >= least, logits, -np.inf))

# %% 16b.2 sums the logits: q = ops.softmax(ordered) → q = ordered

# %% 16b.2 NumPy, which can't be compiled
def keep_top_p(logits, p):
    kept = np.full(logits.shape, -np.inf)
    for row, out in zip(np.asarray(logits), kept):
        q = np.exp(row - row.max())
        q /= q.sum()
        total = 0.0
        for i in np.argsort(-row):
            if total >= p:
                break
            out[i], total = row[i], total + q[i]
    return kept

# %% 16b.3 still greedy: np.asarray(pick(next_logits(rows), rng.random(5))) → np.argmax(next_logits(rows), axis=-1)

# %% 16b.3 one number for all five: rng.random(5) → np.repeat(rng.random(1), 5)

# %% 16b.3 counts the prompt as well: range(new) → range(new - len(prompt))

# %% 16b.3 gives only what is new: return rows → return rows[:, len(prompt):]

# %% 16b.3 draws all tokens alike
def different_texts(next_logits, prompt, new, rng):
    rows = np.repeat(prompt[None], 5, axis=0)
    for _ in range(new):
        drawn = rng.integers(0, next_logits(rows).shape[1], 5)
        rows = np.concatenate([rows, drawn[:, None]], axis=1)
    return rows

# %% 16b.3 the same numbers for every character
def different_texts(next_logits, prompt, new, rng):
    rows, u = np.repeat(prompt[None], 5, axis=0), rng.random(5)
    for _ in range(new):
        drawn = np.asarray(pick(next_logits(rows), u))
        rows = np.concatenate([rows, drawn[:, None]], axis=1)
    return rows

# %% 16b.4 puts them at the beginning: put(pair[0], k, position) → put(pair[0], k, 0)

# %% 16b.4 behind the last token: put(pair[1], v, position) → put(pair[1], v, position + 1)

# %% 16b.4 values for keys: put(pair[0], k, position), put(pair[1], v, position) → put(pair[0], v, position), put(pair[1], k, position)

# %% 16b.4 keeps the old pair: return x + block.feed_forward(block.norm2(x)), pair → return x + block.feed_forward(block.norm2(x)), (k, v)

# %% 16b.4 the places begin at 0: position + ops.arange(x.shape[1]) → ops.arange(x.shape[1])

# %% 16b.4 looks at the new tokens alone: attend_groups(q, keys, values, places) → attend_groups(q, k, v, places)

# %% 16b.4 sees all that is there, also what is empty
def cached_block(block, x, pair, position):
    q, k, v = block.attention.project(block.norm1(x))
    pair = remember(pair, k, v, position)
    last = pair[0].shape[2] - 1 + 0 * ops.arange(x.shape[1])
    x = x + block.attention.join(attend_groups(q, *pair, last))
    return x + block.feed_forward(block.norm2(x)), pair

# %% 16b.4 all of a portion see the last of it
def cached_block(block, x, pair, position):
    q, k, v = block.attention.project(block.norm1(x))
    pair = remember(pair, k, v, position)
    last = position + x.shape[1] - 1 + 0 * ops.arange(x.shape[1])
    x = x + block.attention.join(attend_groups(q, *pair, last))
    return x + block.feed_forward(block.norm2(x)), pair

# %% 16b.4 forgets the first norm: block.attention.project(block.norm1(x)) → block.attention.project(x)

# %% 16b.4 forgets to add what came in: x = x + block.attention.join → x = block.attention.join

# %% 16b.4 forgets the second norm: block.feed_forward(block.norm2(x)) → block.feed_forward(x)

# %% 16b.4 gives only what the feed-forward adds: return x + block.feed_forward(block.norm2(x)), pair → return block.feed_forward(block.norm2(x)), pair

# %% 16b.4 a range that begins at a tensor: position + ops.arange(x.shape[1]) → ops.arange(position, position + x.shape[1])

# %% 16b.4 remembers nothing: pair = keys, values = remember(pair, k, v, position) → keys, values = remember(pair, k, v, position)

# %% 16b.4 puts them behind what is there
def remember(pair, k, v, position):
    return tuple(ops.concatenate([old, new], axis=2) for old, new in zip(pair, (k, v)))

# %% 16b.4 adds to what stands there
def remember(pair, k, v, position):
    out = []
    for old, new in zip(pair, (k, v)):
        room = ops.zeros_like(old)
        out.append(old + ops.slice_update(room, (0, 0, position, 0), new))
    return tuple(out)
