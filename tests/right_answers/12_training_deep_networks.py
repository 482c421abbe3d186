# Right answers in another style than the solutions; the checks must accept them.

# %% 12.4 singular values, and bisection from the other side
def effective_parameters(X, gamma):
    squares = np.linalg.svd(X, compute_uv=False) ** 2 / X.shape[0]
    return float((squares / (squares + gamma)).sum())


def gamma_for(X, k):
    small, large = 1e-9, 1e9
    while large / small > 1 + 1e-8:
        middle = (small * large) ** 0.5
        if effective_parameters(X, middle) < k:
            large = middle
        else:
            small = middle
    return small

# %% 12.4 a loop over the directions, in float32; a fine grid and a line between its points
def effective_parameters(X, gamma):
    df = 0
    for squared in np.linalg.eigvalsh((X @ X.T / len(X)).astype(np.float32)):
        df += squared / (squared + np.float32(gamma))
    return df


def gamma_for(X, k):
    grid = np.linspace(np.log(1e-9), np.log(1e9), 20_000)
    squares = np.linalg.svd(X, compute_uv=False)[:, None] ** 2 / len(X)
    df = np.sum(squares / (squares + np.exp(grid)), axis=0)
    return np.exp(np.interp(-k, -df, grid))

# %% 12.5 in place
def dropout(a, grad_out, p, u, training=True):
    if training:
        a[u < p] = 0
        a /= 1 - p
        grad_out[u < p] = 0
        grad_out /= 1 - p
    return a, grad_out

# %% 12.5 unit by unit, in float32, as lists
def dropout(a, grad_out, p, u, training=True):
    if not training:
        return a, grad_out
    out = np.zeros(a.shape, np.float32)
    grad = np.zeros(a.shape, np.float32)
    for i, j in np.ndindex(a.shape):
        if not u[i, j] < p:
            out[i, j] = a[i, j] / (1 - p)
            grad[i, j] = grad_out[i, j] / (1 - p)
    return out.tolist(), grad.tolist()

# %% 12.7 counts the epochs without a record, and returns a list
def early_stop(losses, patience):
    record, best, wait, last = float("inf"), 0, 0, 0
    for last, loss in enumerate(losses):
        if loss < record:
            record, best, wait = loss, last, 0
        else:
            wait += 1
        if wait == patience:
            break
    return [last, best]

# %% 12.7 vectorized
def early_stop(losses, patience):
    best_so_far = np.minimum.accumulate(losses)
    record = np.r_[True, losses[1:] < best_so_far[:-1]]
    epochs = np.arange(len(losses))
    latest = np.maximum.accumulate(np.where(record, epochs, 0))
    late = np.nonzero(epochs - latest >= patience)[0]
    last = late[0] if len(late) else len(losses) - 1
    return last, latest[last]

# %% 12.11 probabilities step by step, from the largest down, in place
def expected_best(scores, k):
    scores.sort()
    mean, left = 0.0, 1.0                   # left: that none of the larger ones is picked
    for above, score in enumerate(scores[::-1]):
        chance = left * min(1.0, k / (len(scores) - above))
        mean += chance * score
        left -= chance
    return mean

# %% 12.11 whole numbers and fractions
def expected_best(scores, k):
    from fractions import Fraction

    ordered, N = sorted(map(float, scores)), len(scores)
    return float(sum(Fraction(math.comb(i, k - 1), math.comb(N, k)) * Fraction(ordered[i])
                     for i in range(k - 1, N)))

# %% 12.12 zipped
def diagnoses():
    return dict(zip("ABCDEFGH", np.array([6, 8, 5, 7, 4, 2, 1, 3])))

# %% 12.13 twice the evaluation, a batch repeated row by row, a relative comparison
def three_checks(loss, gradient, w, X, y):
    repeatable = loss(w, X, y) - loss(w, X, y) == 0
    g = gradient(w, X, y)
    twice = gradient(w, np.repeat(X, 2, axis=0), np.repeat(y, 2))
    is_mean = np.linalg.norm(twice - g) <= 1e-6 * np.linalg.norm(g)
    w -= 1e-4 * g
    after = loss(w, X, y)
    w += 1e-4 * g
    return [repeatable, is_mean, after < loss(w, X, y)]
