# %% 22.2 the start mark is to be said, too: says[: n + 1] = [*tokens, FINISH] → says[: n + 2] = [START, *tokens, FINISH][:T]

# %% 22.2 no end mark: says[: n + 1] = [*tokens, FINISH] → says[:n] = tokens

# %% 22.2 the start mark is forgotten: reads[: n + 1] = [START, *tokens] → reads[:n] = tokens

# %% 22.2 not shifted: reads[: n + 1] = [START, *tokens] → reads[: n + 1] = [*tokens, FINISH]

# %% 22.2 padding counts: says != PAD → np.ones(T)

# %% 22.2 the end does not count: says != PAD → (says != PAD) & (says != FINISH)

# %% 22.2 counts where it reads a token: says != PAD → reads > START

# %% 22.2 padded with the end mark: reads, says = np.zeros(T, int), np.zeros(T, int) → reads, says = np.full(T, FINISH), np.full(T, FINISH)

# %% 22.2 padding on the left
def teaching_row(tokens, T):
    n = len(tokens)
    reads, says = np.zeros(T, int), np.zeros(T, int)
    reads[T - n - 1 :], says[T - n - 1 :] = [START, *tokens], [*tokens, FINISH]
    return reads, says, says != PAD

# %% 22.2 two rows: return reads, says, says != PAD → return reads, says

# %% 22.3 all from the decoder: layer.key(memory) → layer.key(x)

# %% 22.3 queries from the memory: layer.query(x) → layer.query(memory)

# %% 22.3 keys as values: layer.value(memory) → layer.key(memory)

# %% 22.3 not scaled: / layer.d ** 0.5 → * 1.0

# %% 22.3 scaled by the whole width: / layer.d ** 0.5 → / (layer.h * layer.d) ** 0.5

# %% 22.3 the mask the wrong way round: ops.where(allowed[:, None], scores, -1e9) → ops.where(allowed[:, None], -1e9, scores)

# %% 22.3 hidden scores become 0: scores, -1e9) → scores, 0.0)

# %% 22.3 the mask is forgotten: scores = ops.where(allowed[:, None], scores, -1e9) → pass

# %% 22.3 the mask after softmax: weights = ops.softmax(scores)  # (B, heads, T, S) → weights = ops.softmax(ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / layer.d ** 0.5) * ops.cast(allowed[:, None], "float32")

# %% 22.3 softmax over the queries: ops.softmax(scores) → ops.softmax(scores, axis=2)

# %% 22.3 scores instead of weights are given back: layer.join(ops.matmul(weights, v)), weights → layer.join(ops.matmul(weights, v)), scores

# %% 22.3 nothing is joined: layer.join(ops.matmul(weights, v)) → ops.matmul(weights, v)

# %% 22.4 greedy
def beam_search(next_log_p, k, longest, alpha=0.0):
    return greedy(next_log_p, longest)

# %% 22.4 the best k of each beginning
def beam_search(next_log_p, k, longest, alpha=0.0):
    alive, done = [(0.0, [])], []
    for _ in range(longest):
        log_p = next_log_p([tokens for _, tokens in alive]) if alive else []
        best = [(score + row[t], [*tokens, int(t)]) for (score, tokens), row in zip(alive, log_p) for t in np.argsort(-row)[:k]]
        done += [option for option in best if option[1][-1] == FINISH]
        alive = [option for option in best if option[1][-1] != FINISH]
    tokens = max(done + alive, key=lambda o: o[0] / len(o[1]) ** alpha)[1]
    return [token for token in tokens if token != FINISH]

# %% 22.4 only the last log-probability: score + row[token] → row[token]

# %% 22.4 the sum, without the length: o[0] / len(o[1]) ** alpha → o[0]

# %% 22.4 multiplied by the length: / len(o[1]) ** alpha → * len(o[1]) ** alpha

# %% 22.4 the end mark is not counted: / len(o[1]) ** alpha → / max(1, len(o[1]) - (o[1][-1] == FINISH)) ** alpha

# %% 22.4 the worst come first: key=lambda option: -option[0] → key=lambda option: option[0]

# %% 22.4 those alive at the end are dropped: max(done + alive → max(done or alive

# %% 22.4 the first that is done wins
def beam_search(next_log_p, k, longest, alpha=0.0):
    alive = [(0.0, [])]
    for _ in range(longest):
        log_p = next_log_p([tokens for _, tokens in alive])
        options = [(score + row[t], [*tokens, int(t)]) for (score, tokens), row in zip(alive, log_p) for t in range(len(row))]
        best = sorted(options, key=lambda option: -option[0])[:k]
        done = [option for option in best if option[1][-1] == FINISH]
        if done:
            return done[0][1][:-1]
        alive = best
    return alive[0][1]

# %% 22.4 the beam stays full
def beam_search(next_log_p, k, longest, alpha=0.0):
    alive, done = [(0.0, [])], []
    for _ in range(longest):
        log_p = next_log_p([tokens for _, tokens in alive])
        options = sorted([(score + row[t], [*tokens, int(t)]) for (score, tokens), row in zip(alive, log_p) for t in range(len(row))], key=lambda option: -option[0])
        done += [option for option in options if option[1][-1] == FINISH]
        alive = [option for option in options if option[1][-1] != FINISH][:k]
    tokens = max(done + alive, key=lambda o: o[0] / len(o[1]) ** alpha)[1]
    return [t for t in tokens if t != FINISH]

# %% 22.4 the end mark stays: [token for token in tokens if token != FINISH] → tokens

# %% 22.4 a step too many: while alive and longest > 0 → while alive and longest >= 0

# %% 22.4 goes on for one token only: longest -= 1 → longest = 0

# %% 22.5 not clipped: (own & most).total() → sum(own[g] for g in own if g in most)

# %% 22.5 each n-gram counts once: (own & most).total() → len(own & most)

# %% 22.5 references added up: most |= grams(one, n) → most += grams(one, n)

# %% 22.5 only the first reference: for one in those: → for one in those[:1]:

# %% 22.5 the longest reference: min(those, key=lambda one: (abs(len(one) - len(text)), len(one))) → max(those, key=len)

# %% 22.5 the shortest reference: min(those, key=lambda one: (abs(len(one) - len(text)), len(one))) → min(those, key=len)

# %% 22.5 of two equally close, the longer: abs(len(one) - len(text)), len(one) → abs(len(one) - len(text)), -len(one)

# %% 22.5 no brevity penalty: short = min(1.0, math.exp(1 - r / c)) → short = 1.0

# %% 22.5 long ones gain: min(1.0, math.exp(1 - r / c)) → math.exp(1 - r / c)

# %% 22.5 the penalty upside down: 1 - r / c → 1 - c / r

# %% 22.5 the penalty as a ratio: math.exp(1 - r / c) → c / r

# %% 22.5 a share, not of 100: float(100 * short → float(short

# %% 22.5 the mean of the four: np.prod(shared / total) ** 0.25 → np.mean(shared / total)

# %% 22.5 n up to 3: range(1, 5) → range(1, 4)

# %% 22.5 recall: total[n - 1] += own.total() → total[n - 1] += grams(those[0], n).total()

# %% 22.5 the mean over sentences
def bleu(hypotheses, references):
    scores = []
    for text, those in zip(hypotheses, references):
        r = len(min(those, key=lambda one: (abs(len(one) - len(text)), len(one))))
        product = 1.0
        for n in range(1, 5):
            own, most = grams(text, n), Counter()
            for one in those:
                most |= grams(one, n)
            product *= (own & most).total() / max(1, own.total())
        scores.append(100 * min(1.0, math.exp(1 - r / max(1, len(text)))) * product ** 0.25)
    return float(np.mean(scores))
