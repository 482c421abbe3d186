# Right answers to the exercises of notebook 02 in another style than the solution's: each check must accept them.

# %% 2.2a feature by feature
def standardize(train, new):
    train_out, new_out = np.empty(train.shape), np.empty(new.shape)
    for j in range(train.shape[1]):
        column = train[:, j]
        constant = all(value == column[0] for value in column)
        m, s = sum(column) / len(column), 1.0 if constant else np.std(column)
        train_out[:, j], new_out[:, j] = (column - m) / s, (new[:, j] - m) / s
    return train_out, new_out

# %% 2.2a in single precision
def standardize(train, new):
    train32, new32 = train.astype(np.float32), new.astype(np.float32)
    mean, spread = train32.mean(axis=0), train32.std(axis=0)
    spread[np.ptp(train32, axis=0) == 0] = 1
    return (train32 - mean) / spread, (new32 - mean) / spread

# %% 2.2a works on copies in place, and calls a tiny spread none
def standardize(train, new):
    both = [train.copy(), new.copy()]
    mean, std = train.mean(axis=0), train.std(axis=0)
    std[std < 1e-12 * (1 + np.abs(mean))] = 1
    for rows in both:
        rows -= mean
        rows /= std
    return both

# %% 2.2b row by row
def one_step(X, y, w, b, rate):
    before, slope_w, slope_b = 0.0, np.zeros(len(w)), 0.0
    for row, label in zip(X, y):
        p = 1 / (1 + np.exp(-(row @ w + b)))
        before -= np.log(p if label else 1 - p) / len(y)
        slope_w += (p - label) * row / len(y)
        slope_b += (p - label) / len(y)
    return w - rate * slope_w, b - rate * slope_b, before

# %% 2.2b in single precision
def one_step(X, y, w, b, rate):
    X32, w32 = X.astype(np.float32), w.astype(np.float32)
    z = X32 @ w32 + np.float32(b)
    p = 1 / (1 + np.exp(-z))
    before = -np.mean(np.log(np.where(y == 1, p, 1 - p)))
    error = p - y.astype(np.float32)
    return w32 - np.float32(rate) * (error[:, None] * X32).mean(axis=0), b - rate * error.mean(), before

# %% 2.4 backward from the goal
def dead_ends(edges, goal):
    good = {goal}
    while True:
        more = {box for box, to in edges.items() if good.intersection(to)} - good
        if not more:
            return sorted(set(edges) - good)
        good |= more

# %% 2.8 shuffles a list in place
def batches(n, size, rng):
    rows = np.arange(n)
    rng.shuffle(rows)
    return np.split(rows, range(size, n, size))

# %% 2.8 sorts by random numbers
def batches(n, size, rng):
    rows = [int(row) for row in np.argsort(rng.random(n))]
    dealt = []
    while rows:
        dealt.append(np.array(rows[:size]))
        rows = rows[size:]
    return dealt

# %% 2.8 draws without replacement
def batches(n, size, rng):
    order = rng.choice(n, size=n, replace=False)
    return list(np.array_split(order, range(size, n, size)))

# %% 2.11 counts up
def images_needed(p, margin):
    n = 1
    while 1.96 * (p * (1 - p) / n) ** 0.5 > margin:
        n += 1
    return n

# %% 2.11 rounds up with math.ceil
def images_needed(p, margin):
    import math

    return math.ceil((1.96 / margin) ** 2 * (p - p * p))

# %% 2.13 asks for a number in another way
def read_form(form):
    import math
    import numbers

    values = []
    for key in ("visits", "yuan"):
        if key not in form:
            raise ValueError(f"{key} is missing")
        value = form[key]
        if type(value) is bool or not isinstance(value, numbers.Real):
            raise ValueError(f"{key} is no number")
        try:
            values.append(float(value))
        except OverflowError as error:
            raise ValueError(f"{key} is too large") from error
    if not all(math.isfinite(value) and value >= 0 for value in values):
        raise ValueError("finite and not negative, please")
    if not values[0].is_integer():
        raise ValueError("half a visit?")
    return np.array(values)

# %% 2.14 a window of days
def first_alarm(values, center, width, wait):
    outside = np.abs(values - center) > width
    for last in range(wait, len(values) + 1):
        if outside[last - wait:last].all():
            return last
    return None

# %% 2.14 with a convolution
def first_alarm(values, center, width, wait):
    if len(values) < wait:
        return None
    outside = (values > center + width) | (values < center - width)
    in_a_row = np.convolve(outside, np.ones(wait), "valid") > wait - 0.5
    return int(in_a_row.argmax()) + wait if in_a_row.any() else None
