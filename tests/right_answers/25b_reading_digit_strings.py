# Right answers in another style, which the checks of 25b_reading_digit_strings must accept.

# %% 25b.1a itertools
def collapse(path):
    return [int(label) for label, _ in itertools.groupby(list(path)) if label != 0]

# %% 25b.1a NumPy, an array
def collapse(path):
    path = np.asarray(path, int)
    first = np.ones(len(path), bool)
    first[1:] = path[1:] != path[:-1]
    return path[first & (path != 0)]

# %% 25b.1b an array
def by_pencil():
    return np.array([6, 5])

# %% 25b.1b counted
def by_pencil():
    paths = lambda T: itertools.product((0, 1), repeat=T)
    return [sum(collapse(p) == [1] for p in paths(3)), sum(collapse(p) == [1, 1] for p in paths(4))]

# %% 25b.2 place by place, in Python
def log_probability(log_p, labels):
    places = [0]
    for label in labels:
        places += [int(label), 0]
    S, T = len(places), len(log_p)
    alpha = [[-math.inf] * S for _ in range(T)]
    for s in range(min(2, S)):
        alpha[0][s] = log_p[0][places[s]]
    for t in range(1, T):
        for s in range(S):
            total = alpha[t - 1][s]
            if s > 0:
                total = np.logaddexp(total, alpha[t - 1][s - 1])
            if s > 1 and places[s] != 0 and places[s] != places[s - 2]:
                total = np.logaddexp(total, alpha[t - 1][s - 2])
            alpha[t][s] = total + log_p[t][places[s]]
    return float(np.logaddexp.reduce(alpha[-1][-2:]))

# %% 25b.2 from the end, with memory
def log_probability(log_p, labels):
    import functools, sys
    places = [0] + [k for label in labels for k in (int(label), 0)]
    ends = {len(places) - 1, len(places) - 2}
    beta = np.array([0.0 if s in ends else -np.inf for s in range(len(places))])
    for step in log_p[:0:-1]:
        inside = beta + step[np.array(places)]
        new = inside.copy()
        for s in range(len(places)):
            if s + 1 < len(places):
                new[s] = np.logaddexp(new[s], inside[s + 1])
            if s + 2 < len(places) and places[s + 2] not in (0, places[s]):
                new[s] = np.logaddexp(new[s], inside[s + 2])
        beta = new
    first = [log_p[0][places[s]] + beta[s] for s in range(min(2, len(places)))]
    return np.logaddexp.reduce(first)

# %% 25b.2 probabilities with a scale at each step
def log_probability(log_p, labels):
    places = np.array([0] + [k for label in labels for k in (int(label), 0)])
    p = np.exp(np.asarray(log_p, np.float64))
    jump = np.zeros(len(places))
    jump[2:] = (places[2:] != 0) & (places[2:] != places[:-2])
    alpha = np.zeros(len(places))
    alpha[:2] = p[0][places[:2]]
    total = 0.0
    for t in range(len(p)):
        if t:
            new = alpha.copy()
            new[1:] += alpha[:-1]
            new[2:] += alpha[:-2] * jump[2:]
            alpha = new * p[t][places]
        scale = alpha.sum()
        if scale == 0:
            return -np.inf
        total += math.log(scale)
        alpha = alpha / scale
    last = alpha[-2:].sum()
    return total + math.log(last) if last > 0 else -np.inf

# %% 25b.4 one row at a time
def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        new = [i + 1]
        for j, y in enumerate(b):
            new.append(min(row[j] + (x != y), row[j + 1] + 1, new[j] + 1))
        row = new
    return row[-1]

# %% 25b.4 recursion with memory
def edits(a, b):
    import functools
    @functools.cache
    def distance(i, j):
        if i == 0 or j == 0:
            return i + j
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1,
                   distance(i - 1, j - 1) + (a[i - 1] != b[j - 1]))
    return distance(len(a), len(b))

# %% 25b.3 lists
def targets(said, width):
    return [[d + 1 for d in row] + [0] * (width - len(row)) for row in said]

# %% 25b.3 32-bit numbers, entry by entry
def targets(said, width):
    table = np.zeros((len(said), width), np.int32)
    for i, row in enumerate(said):
        for j, digit in enumerate(row):
            table[i, j] = digit + 1
    return table
