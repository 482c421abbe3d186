# Plausible mistakes for each exercise; the checks must reject them.

# %% 12.4 forgets to divide by n: X.T @ X / len(X) → X.T @ X
# %% 12.4 centers the columns: X.T @ X / len(X) → np.cov(X.T, bias=True)
# %% 12.4 divides by the number of columns: X.T @ X / len(X) → X.T @ X / X.shape[1]
# %% 12.4 moves the wrong end: np.exp(middle)) > k → np.exp(middle)) < k
# %% 12.4 returns the logarithm: return np.exp(middle) → return middle
# %% 12.4 stops after ten halvings: range(100) → range(10)

# %% 12.4 counts the directions above gamma
def effective_parameters(X, gamma):
    return np.sum(np.linalg.eigvalsh(X.T @ X / len(X)) > gamma)


def gamma_for(X, k):
    return np.sort(np.linalg.eigvalsh(X.T @ X / len(X)))[-int(k)]

# %% 12.4 inverts the matrix, so that fewer examples than columns fail
def effective_parameters(X, gamma):
    H = X.T @ X / len(X)
    return np.trace(np.linalg.inv(np.eye(len(H)) + gamma * np.linalg.inv(H)))


def gamma_for(X, k):
    low, high = np.log(1e-9), np.log(1e9)
    for _ in range(100):
        middle = (low + high) / 2
        if effective_parameters(X, np.exp(middle)) > k:
            low = middle
        else:
            high = middle
    return np.exp(middle)

# %% 12.5 forgets the scaling: (u >= p) / (1 - p) → (u >= p) * 1.0
# %% 12.5 scales in evaluation, the older way: (u >= p) / (1 - p) if training else np.ones(a.shape) → (u >= p) * 1.0 if training else np.full(a.shape, 1 - p)
# %% 12.5 keeps with probability p: (u >= p) / (1 - p) → (u < p) / p
# %% 12.5 passes every gradient: grad_out * gate → grad_out
# %% 12.5 drops at u = p too: u >= p → u > p
# %% 12.5 is switched off unless asked for: training=True → training=False

# %% 12.7 counts an equal loss as a record: losses[epoch] < losses[best] → losses[epoch] <= losses[best]
# %% 12.7 one epoch too late: >= patience → > patience

# %% 12.7 compares with the epoch before
def early_stop(losses, patience):
    best = wait = 0
    for epoch in range(1, len(losses)):
        wait = 0 if losses[epoch] < losses[epoch - 1] else wait + 1
        best = epoch if losses[epoch] < losses[best] else best
        if wait >= patience:
            break
    return epoch, best

# %% 12.7 takes the best of all epochs, also of those never run: return epoch, best → return epoch, int(np.argmin(losses))

# %% 12.11 the best of the first k
def expected_best(scores, k):
    return np.max(scores[:k])

# %% 12.11 draws with replacement
def expected_best(scores, k):
    N = len(scores)
    ranks = np.arange(1, N + 1) / N
    return np.sort(scores) @ np.diff(ranks**k, prepend=0)

# %% 12.11 forgets to sort: np.sort(scores) → scores
# %% 12.11 counts the minimum: for i in range(len(scores))] → for i in range(len(scores))][::-1]

# %% 12.11 random draws instead of all picks
def expected_best(scores, k):
    draw = np.random.default_rng(0)
    return np.mean([draw.choice(scores, k, replace=False).max() for _ in range(2000)])

# %% 12.12 takes the swinging one for the high rate
def diagnoses():
    return {"A": 6, "B": 8, "C": 1, "D": 7, "E": 4, "F": 2, "G": 5, "H": 3}

# %% 12.12 confuses softmax twice with a low rate
def diagnoses():
    return {"A": 6, "B": 8, "C": 5, "D": 2, "E": 4, "F": 7, "G": 1, "H": 3}

# %% 12.12 gives one cause twice
def diagnoses():
    return {"A": 6, "B": 8, "C": 1, "D": 7, "E": 4, "F": 2, "G": 1, "H": 3}

# %% 12.13 turns the sign: loss(w - 1e-4 * g, X, y) → loss(w + 1e-4 * g, X, y)
# %% 12.13 takes a step of 1: w - 1e-4 * g → w - g
# %% 12.13 calls a loss that stays lowered: X, y) < before → X, y) <= before
# %% 12.13 doubles the inputs instead of the batch: gradient(w, np.concatenate([X, X]), np.concatenate([y, y])) → gradient(w, 2 * X, y)
# %% 12.13 asks twice for the gradient, not for the loss: loss(w, X, y) == before → np.array_equal(gradient(w, X, y), g)
