# Plausible mistakes for each exercise of notebook 02. Each cell replaces the exercise cell whole;
# the exercise's check must reject it.

# %% 2.2a scales the new rows by their own statistics
def standardize(train, new):
    def scaled(rows):
        std = rows.std(axis=0)
        return (rows - rows.mean(axis=0)) / np.where(std == 0, 1, std)

    return scaled(train), scaled(new)

# %% 2.2a learns the statistics from both parts
def standardize(train, new):
    both = np.concatenate([train, new])
    mean, std = both.mean(axis=0), both.std(axis=0)
    std = np.where(std == 0, 1, std)
    return (train - mean) / std, (new - mean) / std

# %% 2.2a believes that the std of a constant feature is 0
def standardize(train, new):
    mean, std = train.mean(axis=0), train.std(axis=0)
    std = np.where(std == 0, 1, std)
    return (train - mean) / std, (new - mean) / std

# %% 2.2a divides by zero
def standardize(train, new):
    mean, std = train.mean(axis=0), train.std(axis=0)
    return (train - mean) / std, (new - mean) / std

# %% 2.2a one mean for all features
def standardize(train, new):
    return (train - train.mean()) / train.std(), (new - train.mean()) / train.std()

# %% 2.2a changes the given array
def standardize(train, new):
    mean, std = train.mean(axis=0), train.std(axis=0)
    std = np.where(std == 0, 1, std)
    train -= mean
    train /= std
    return train, (new - mean) / std

# %% 2.2b climbs instead of descending
def one_step(X, y, w, b, rate):
    delta = (sigmoid(X @ w + b) - y) / len(y)
    return w + rate * (X.T @ delta), b + rate * delta.sum(), neuron_loss(X, y, w, b)

# %% 2.2b forgets to divide by the number of rows
def one_step(X, y, w, b, rate):
    delta = sigmoid(X @ w + b) - y
    return w - rate * (X.T @ delta), b - rate * delta.sum(), neuron_loss(X, y, w, b)

# %% 2.2b returns the loss after the step
def one_step(X, y, w, b, rate):
    delta = (sigmoid(X @ w + b) - y) / len(y)
    w, b = w - rate * (X.T @ delta), b - rate * delta.sum()
    return w, b, neuron_loss(X, y, w, b)

# %% 2.2b changes w in place
def one_step(X, y, w, b, rate):
    before = neuron_loss(X, y, w, b)
    delta = (sigmoid(X @ w + b) - y) / len(y)
    w -= rate * (X.T @ delta)
    return w, b - rate * delta.sum(), before

# %% 2.2b leaves the bias where it was
def one_step(X, y, w, b, rate):
    before = neuron_loss(X, y, w, b)
    delta = (sigmoid(X @ w + b) - y) / len(y)
    return w - rate * (X.T @ delta), b, before

# %% 2.2b updates the bias with the new weights
def one_step(X, y, w, b, rate):
    before = neuron_loss(X, y, w, b)
    w = w - rate * (X.T @ (sigmoid(X @ w + b) - y)) / len(y)
    return w, b - rate * np.mean(sigmoid(X @ w + b) - y), before

# %% 2.4 finds only boxes without arrows
def dead_ends(edges, goal):
    return sorted(box for box in edges if box != goal and not edges[box])

# %% 2.4 counts the goal as well
def dead_ends(edges, goal):
    return sorted(box for box in edges if goal not in reachable(edges, box))

# %% 2.4 looks one arrow far
def dead_ends(edges, goal):
    return sorted(box for box in edges if box != goal and goal not in edges[box])

# %% 2.4 looks from the goal instead of to it
def dead_ends(edges, goal):
    return sorted(box for box in edges if box != goal and box not in reachable(edges, goal))

# %% 2.4 does not sort
def dead_ends(edges, goal):
    return [box for box in edges if box != goal and goal not in reachable(edges, box)]

# %% 2.8 drops the last, smaller batch
def batches(n, size, rng):
    order = rng.permutation(n)
    return [order[i:i + size] for i in range(0, n - size + 1, size)]

# %% 2.8 does not shuffle
def batches(n, size, rng):
    order = np.arange(n)
    return [order[i:i + size] for i in range(0, n, size)]

# %% 2.8 only moves the rows along, all by the same number
def batches(n, size, rng):
    order = np.roll(np.arange(n), rng.integers(1, n) if n > 1 else 0)
    return [order[i:i + size] for i in range(0, n, size)]

# %% 2.8 cuts first, then shuffles the batches
def batches(n, size, rng):
    cut = [np.arange(i, min(i + size, n)) for i in range(0, n, size)]
    return [cut[i] for i in rng.permutation(len(cut) - 1)] + cut[-1:]

# %% 2.8 draws with replacement
def batches(n, size, rng):
    order = rng.integers(0, n, n)
    return [order[i:i + size] for i in range(0, n, size)]

# %% 2.8 shuffles with a generator of its own
def batches(n, size, rng):
    order = np.random.default_rng().permutation(n)
    return [order[i:i + size] for i in range(0, n, size)]

# %% 2.8 the same order in every epoch
def batches(n, size, rng):
    order = np.random.default_rng(0).permutation(n)
    return [order[i:i + size] for i in range(0, n, size)]

# %% 2.8 evens out the batches
def batches(n, size, rng):
    return np.array_split(rng.permutation(n), -(-n // size))

# %% 2.11 rounds down
def images_needed(p, margin):
    return int(1.96**2 * p * (1 - p) / margin**2)

# %% 2.11 forgets the square
def images_needed(p, margin):
    return int(np.ceil(1.96 * np.sqrt(p * (1 - p)) / margin))

# %% 2.11 takes one standard deviation
def images_needed(p, margin):
    return int(np.ceil(p * (1 - p) / margin**2))

# %% 2.11 assumes the worst p
def images_needed(p, margin):
    return int(np.ceil(1.96**2 * 0.25 / margin**2))

# %% 2.11 returns a float
def images_needed(p, margin):
    return np.ceil(1.96**2 * p * (1 - p) / margin**2)

# %% 2.13 lets nan through: no comparison with it is true
def read_form(form):
    for key in ("visits", "yuan"):
        value = form.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise ValueError(key)
    if form["visits"] != form["visits"] // 1:
        raise ValueError("visits")
    return np.array([form["visits"], form["yuan"]], float)

# %% 2.13 stops with an OverflowError where an integer is too large
def read_form(form):
    for key in ("visits", "yuan"):
        value = form.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{key} must be a number")
        if not 0 <= value < float("inf"):
            raise ValueError(f"{key} must be finite and not negative")
    if form["visits"] % 1 != 0:
        raise ValueError("visits must be a whole number")
    return np.array([form["visits"], form["yuan"]], dtype=float)

# %% 2.13 takes True for 1
def read_form(form):
    for key in ("visits", "yuan"):
        value = form.get(key)
        if not isinstance(value, (int, float)) or not np.isfinite(value) or value < 0:
            raise ValueError(key)
    if form["visits"] % 1:
        raise ValueError("visits")
    return np.array([form["visits"], form["yuan"]], float)

# %% 2.13 converts text
def read_form(form):
    try:
        values = np.array([float(form["visits"]), float(form["yuan"])])
    except (KeyError, TypeError) as error:
        raise ValueError("bad form") from error
    if not np.isfinite(values).all() or (values < 0).any() or values[0] % 1:
        raise ValueError("bad form")
    return values

# %% 2.13 raises KeyError where a field is missing
def read_form(form):
    for key in ("visits", "yuan"):
        value = form[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(key)
        if not np.isfinite(value) or value < 0:
            raise ValueError(key)
    if form["visits"] % 1:
        raise ValueError("visits")
    return np.array([form["visits"], form["yuan"]], float)

# %% 2.13 refuses zero
def read_form(form):
    for key in ("visits", "yuan"):
        value = form.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(key)
        if not np.isfinite(value) or value <= 0:
            raise ValueError(key)
    if form["visits"] % 1:
        raise ValueError("visits")
    return np.array([form["visits"], form["yuan"]], float)

# %% 2.13 rounds visits instead of refusing
def read_form(form):
    for key in ("visits", "yuan"):
        value = form.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(key)
        if not np.isfinite(value) or value < 0:
            raise ValueError(key)
    return np.array([round(form["visits"]), form["yuan"]], float)

# %% 2.13 takes the values in the order of the form
def read_form(form):
    for key in ("visits", "yuan"):
        value = form.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(key)
        if not np.isfinite(value) or value < 0:
            raise ValueError(key)
    if form["visits"] % 1:
        raise ValueError("visits")
    return np.array([v for k, v in form.items() if k in ("visits", "yuan")], float)

# %% 2.14 forgets the last day
def first_alarm(values, center, width, wait):
    in_a_row = 0
    for day, value in enumerate(values[:-1], 1):
        in_a_row = in_a_row + 1 if abs(value - center) > width else 0
        if in_a_row == wait:
            return day
    return None

# %% 2.14 counts days outside, not days in a row
def first_alarm(values, center, width, wait):
    outside = np.flatnonzero(np.abs(values - center) > width)
    return int(outside[wait - 1]) + 1 if len(outside) >= wait else None

# %% 2.14 looks only upward
def first_alarm(values, center, width, wait):
    in_a_row = 0
    for day, value in enumerate(values, 1):
        in_a_row = in_a_row + 1 if value > center + width else 0
        if in_a_row == wait:
            return day
    return None

# %% 2.14 counts days from 0
def first_alarm(values, center, width, wait):
    in_a_row = 0
    for day, value in enumerate(values):
        in_a_row = in_a_row + 1 if abs(value - center) > width else 0
        if in_a_row == wait:
            return day
    return None

# %% 2.14 returns the first day of the row
def first_alarm(values, center, width, wait):
    in_a_row = 0
    for day, value in enumerate(values, 1):
        in_a_row = in_a_row + 1 if abs(value - center) > width else 0
        if in_a_row == wait:
            return day - wait + 1
    return None

# %% 2.14 counts the edge as outside
def first_alarm(values, center, width, wait):
    in_a_row = 0
    for day, value in enumerate(values, 1):
        in_a_row = in_a_row + 1 if abs(value - center) >= width else 0
        if in_a_row == wait:
            return day
    return None
