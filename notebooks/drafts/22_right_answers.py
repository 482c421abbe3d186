# %% 22.2 lists
def teaching_row(tokens, T):
    reads, says = [START] + list(tokens), list(tokens) + [FINISH]
    fill = [PAD] * (T - len(says))
    return reads + fill, says + fill, [1.0] * len(says) + [0.0] * len(fill)

# %% 22.2 with np.pad
def teaching_row(tokens, T):
    row = np.array([START, *tokens, FINISH])
    both = np.pad(row, (0, T + 1 - len(row)))
    reads = np.where(both[:-1] == FINISH, PAD, both[:-1])
    return reads, both[1:], (both[1:] > 0).astype("float32")

# %% 22.3 with einsum, and a mask that is added
def look_up(layer, x, memory, allowed):
    queries = layer.split(layer.query(x)) * layer.d ** -0.5
    scores = ops.einsum("bhtd,bhsd->bhts", queries, layer.split(layer.key(memory)))
    scores = scores + (1 - ops.cast(ops.expand_dims(allowed, 1), "float32")) * -1e9
    weights = ops.softmax(scores, axis=-1)
    return layer.join(ops.einsum("bhts,bhsd->bhtd", weights, layer.split(layer.value(memory)))), weights

# %% 22.3 exponentials by hand
def look_up(layer, x, memory, allowed):
    q, k, v = layer.split(layer.query(x)), layer.split(layer.key(memory)), layer.split(layer.value(memory))
    scores = ops.sum(q[:, :, :, None] * k[:, :, None], axis=-1) / np.sqrt(float(layer.d)).astype("float32")
    scores = ops.where(allowed[:, None], scores, -1e9)
    e = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
    weights = e / ops.sum(e, axis=-1, keepdims=True)
    return layer.join(ops.sum(weights[..., None] * v[:, :, None], axis=3)), weights

# %% 22.4 loops over all tokens
def beam_search(next_log_p, k, longest, alpha=0.0):
    alive, done = [(0.0, [])], []
    for _ in range(longest):
        if not alive:
            break
        rows = next_log_p([tokens for _, tokens in alive])
        options = []
        for i in range(len(alive)):
            for token in range(len(rows[i])):
                options.append((alive[i][0] + float(rows[i][token]), alive[i][1] + [token]))
        options.sort(key=lambda option: option[0], reverse=True)
        alive = []
        for option in options[:k]:
            (done if option[1][-1] == FINISH else alive).append(option)
    best = None
    for score, tokens in done + alive:
        value = score / len(tokens) ** alpha
        if best is None or value > best[0]:
            best = value, tokens
    return [t for t in best[1] if t != FINISH]

# %% 22.4 one flat table
def beam_search(next_log_p, k, longest, alpha=0.0):
    sums, beginnings, ended = np.zeros(1), [[]], []
    while beginnings and longest:
        table = sums[:, None] + np.asarray(next_log_p(beginnings))
        best = np.argsort(-table.ravel(), kind="stable")[:k]
        grown = [(table.ravel()[b], beginnings[b // table.shape[1]] + [int(b % table.shape[1])]) for b in best]
        ended += [(s, t[:-1], len(t)) for s, t in grown if t[-1] == FINISH]
        going = [(s, t) for s, t in grown if t[-1] != FINISH]
        sums, beginnings = np.array([s for s, _ in going]), [t for _, t in going]
        longest -= 1
    ended += [(s, t, len(t)) for s, t in zip(sums, beginnings)]
    return max(ended, key=lambda option: option[0] / option[2] ** alpha)[1]

# %% 22.5 loops and dicts
def bleu(hypotheses, references):
    matched, all_of, c, r = [0] * 4, [0] * 4, 0, 0
    for text, those in zip(hypotheses, references):
        c += len(text)
        r += sorted((abs(len(one) - len(text)), len(one)) for one in those)[0][1]
        for n in (1, 2, 3, 4):
            own = grams(text, n)
            for gram in own:
                matched[n - 1] += min(own[gram], max(grams(one, n)[gram] for one in those))
                all_of[n - 1] += own[gram]
    if 0 in matched:
        return 0
    log_p = sum(math.log(m / a) for m, a in zip(matched, all_of)) / 4
    return 100 * math.exp(log_p + min(0, 1 - r / c))

# %% 22.5 precision by precision
def bleu(hypotheses, references):
    product = 1.0
    for n in range(1, 5):
        shared = total = 0
        for text, those in zip(hypotheses, references):
            most = Counter()
            for one in those:
                most = most | grams(one, n)
            shared += sum((grams(text, n) & most).values())
            total += max(0, len(text) - n + 1)
        product *= shared / total if total else 0
    c = sum(map(len, hypotheses))
    r = sum(min((abs(len(one) - len(h)), len(one)) for one in those)[1] for h, those in zip(hypotheses, references))
    if product == 0:
        return 0.0
    return 100 * product ** 0.25 * (1 if c >= r else math.exp(1 - r / c))
