# Plausible mistakes for each exercise of notebook 12. Each cell replaces the exercise cell whole;
# the exercise's check must reject it.

# %% 12.4 forgets to divide by n
def effective_parameters(X, gamma):
    lams = np.linalg.eigvalsh(X.T @ X)
    return np.sum(lams / (lams + gamma))


def gamma_for(X, k):
    low, high = np.log(1e-9), np.log(1e9)
    for _ in range(100):
        middle = (low + high) / 2
        if effective_parameters(X, np.exp(middle)) > k:
            low = middle
        else:
            high = middle
    return np.exp(middle)

# %% 12.4 moves the wrong end
def effective_parameters(X, gamma):
    lams = np.linalg.eigvalsh(X.T @ X / len(X))
    return np.sum(lams / (lams + gamma))


def gamma_for(X, k):
    low, high = np.log(1e-9), np.log(1e9)
    for _ in range(100):
        middle = (low + high) / 2
        if effective_parameters(X, np.exp(middle)) < k:
            low = middle
        else:
            high = middle
    return np.exp(middle)

# %% 12.4 centers the columns, and returns the logarithm
def effective_parameters(X, gamma):
    lams = np.linalg.eigvalsh(np.cov(X.T, bias=True))
    return np.sum(lams / (lams + gamma))


def gamma_for(X, k):
    low, high = np.log(1e-9), np.log(1e9)
    for _ in range(100):
        middle = (low + high) / 2
        if effective_parameters(X, np.exp(middle)) > k:
            low = middle
        else:
            high = middle
    return middle

# %% 12.5 forgets the scaling
def dropout(a, grad_out, p, u, training=True):
    gate = (u >= p) if training else np.ones(a.shape)
    return a * gate, grad_out * gate

# %% 12.5 scales in evaluation, the older way
def dropout(a, grad_out, p, u, training=True):
    gate = (u >= p) * 1.0 if training else np.full(a.shape, 1 - p)
    return a * gate, grad_out * gate

# %% 12.5 keeps with probability p
def dropout(a, grad_out, p, u, training=True):
    gate = (u < p) / p if training else np.ones(a.shape)
    return a * gate, grad_out * gate

# %% 12.5 passes every gradient
def dropout(a, grad_out, p, u, training=True):
    gate = (u >= p) / (1 - p) if training else np.ones(a.shape)
    return a * gate, grad_out

# %% 12.7 counts an equal loss as a record
def early_stop(losses, patience):
    best = 0
    for epoch in range(len(losses)):
        if losses[epoch] <= losses[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return epoch, best

# %% 12.7 one epoch too late
def early_stop(losses, patience):
    best = 0
    for epoch in range(len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        if epoch - best > patience:
            break
    return epoch, best

# %% 12.7 compares with the epoch before
def early_stop(losses, patience):
    best = wait = 0
    for epoch in range(1, len(losses)):
        wait = 0 if losses[epoch] < losses[epoch - 1] else wait + 1
        best = epoch if losses[epoch] < losses[best] else best
        if wait >= patience:
            break
    return epoch, best

# %% 12.7 takes the best of all epochs, also of those never run
def early_stop(losses, patience):
    best = 0
    for epoch in range(len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return epoch, int(np.argmin(losses))

# %% 12.11 draws with replacement
import math


def expected_best(scores, k):
    N = len(scores)
    ranks = np.arange(1, N + 1) / N
    return np.sort(scores) @ np.diff(ranks**k, prepend=0)

# %% 12.11 the best of the first k
import math


def expected_best(scores, k):
    return np.max(scores[:k])

# %% 12.11 forgets to sort
import math


def expected_best(scores, k):
    ways = [math.comb(i, k - 1) for i in range(len(scores))]
    return scores @ np.array(ways, dtype=float) / math.comb(len(scores), k)

# %% 12.11 counts the minimum
import math


def expected_best(scores, k):
    ways = [math.comb(i, k - 1) for i in range(len(scores))][::-1]
    return np.sort(scores) @ np.array(ways, dtype=float) / math.comb(len(scores), k)

# %% 12.12 takes the swinging one for the high rate
def diagnoses():
    return {"A": 6, "B": 8, "C": 1, "D": 7, "E": 4, "F": 2, "G": 5, "H": 3}

# %% 12.12 confuses softmax twice with a low rate
def diagnoses():
    return {"A": 6, "B": 8, "C": 5, "D": 2, "E": 4, "F": 7, "G": 1, "H": 3}

# %% 12.12 gives one cause twice
def diagnoses():
    return {"A": 6, "B": 8, "C": 1, "D": 7, "E": 4, "F": 2, "G": 1, "H": 3}

# %% 12.13 turns the sign
def three_checks(loss, gradient, w, X, y):
    before, g = loss(w, X, y), gradient(w, X, y)
    doubled = gradient(w, np.concatenate([X, X]), np.concatenate([y, y]))
    return loss(w, X, y) == before, np.allclose(doubled, g), loss(w + 1e-4 * g, X, y) < before

# %% 12.13 doubles the inputs instead of the batch
def three_checks(loss, gradient, w, X, y):
    before, g = loss(w, X, y), gradient(w, X, y)
    return (loss(w, X, y) == before, np.allclose(gradient(w, 2 * X, y), g),
            loss(w - 1e-4 * g, X, y) < before)

# %% 12.13 takes a step of 1
def three_checks(loss, gradient, w, X, y):
    before, g = loss(w, X, y), gradient(w, X, y)
    doubled = gradient(w, np.concatenate([X, X]), np.concatenate([y, y]))
    return loss(w, X, y) == before, np.allclose(doubled, g), loss(w - g, X, y) < before
