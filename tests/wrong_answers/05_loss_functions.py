# Plausible mistakes for each exercise of notebook 05. Each cell replaces the exercise cell whole, or is one
# replacement in the solution; the exercise's check must reject it.

# %% 5.2 forgets that the width itself costs
def gaussian_nll(y, y_hat, s):
    squares = (y_hat - y) ** 2 * np.exp(-2 * s)
    loss = np.mean(0.5 * squares) + 0.5 * np.log(2 * np.pi)
    return loss, (y_hat - y) * np.exp(-2 * s) / len(y), -squares / len(y)

# %% 5.2 takes s for the logarithm of the variance
def gaussian_nll(y, y_hat, s):
    squares = (y_hat - y) ** 2 * np.exp(-s)
    loss = np.mean(0.5 * squares + 0.5 * s) + 0.5 * np.log(2 * np.pi)
    return loss, (y_hat - y) * np.exp(-s) / len(y), 0.5 * (1 - squares) / len(y)

# %% 5.2 forgets to divide the gradients by n
def gaussian_nll(y, y_hat, s):
    squares = (y_hat - y) ** 2 * np.exp(-2 * s)
    loss = np.mean(0.5 * squares + s) + 0.5 * np.log(2 * np.pi)
    return loss, (y_hat - y) * np.exp(-2 * s), 1 - squares

# %% 5.2 has the residual the wrong way round in the gradient
def gaussian_nll(y, y_hat, s):
    squares = (y_hat - y) ** 2 * np.exp(-2 * s)
    loss = np.mean(0.5 * squares + s) + 0.5 * np.log(2 * np.pi)
    return loss, (y - y_hat) * np.exp(-2 * s) / len(y), (1 - squares) / len(y)

# %% 5.2 drops the constant, as one may for training: + 0.5 * np.log(2 * np.pi) → + 0.0
# %% 5.2 sums over the examples: np.mean(0.5 * squares + s) → np.sum(0.5 * squares + s)

# %% 5.3 charges the two sides the wrong way round
def pinball(y, y_hat, tau):
    d = y_hat - y
    loss = np.mean(np.maximum(tau * d, (tau - 1) * d))
    return loss, (tau * (d > 0) - (1 - tau) * (d < 0)) / len(y)

# %% 5.3 returns the slope with respect to the residual
def pinball(y, y_hat, tau):
    d = y - y_hat
    loss = np.mean(np.maximum(tau * d, (tau - 1) * d))
    return loss, (tau * (d > 0) - (1 - tau) * (d < 0)) / len(y)

# %% 5.3 pulls where the answer is exact
def pinball(y, y_hat, tau):
    d = y - y_hat
    loss = np.mean(np.maximum(tau * d, (tau - 1) * d))
    return loss, np.where(d > 0, -tau, 1 - tau) / len(y)

# %% 5.3 is the absolute error
def pinball(y, y_hat, tau):
    return np.mean(np.abs(y - y_hat)), np.sign(y_hat - y) / len(y)

# %% 5.3 sums over the examples: np.mean(np.maximum → np.sum(np.maximum

# %% 5.5 leaves the formula as printed
def binary_cross_entropy(y, p):
    return -np.mean(y * np.log(p))

# %% 5.5 counts in bits
def binary_cross_entropy(y, p):
    return -np.mean(y * np.log2(p) + (1 - y) * np.log2(1 - p))

# %% 5.5 sums over the examples
def binary_cross_entropy(y, p):
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))

# %% 5.5 forgets to flip the probability
def binary_cross_entropy(y, p):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(p))

# %% 5.5 drops the minus
def binary_cross_entropy(y, p):
    return np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

# %% 5.5 returns one loss per example: -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) → -(y * np.log(p) + (1 - y) * np.log(1 - p))

# %% 5.6 takes z for the mean
def poisson_loss(y, z):
    return np.mean(z - y * np.log(np.abs(z))), (1 - y / z) / len(y)

# %% 5.6 differentiates with respect to the mean
def poisson_loss(y, z):
    return np.mean(np.exp(z) - y * z), (1 - y / np.exp(z)) / len(y)

# %% 5.6 is the squared error of the mean
def poisson_loss(y, z):
    mean = np.exp(z)
    return 0.5 * np.mean((mean - y) ** 2), (mean - y) / len(y)

# %% 5.6 forgets to divide the slope by n
def poisson_loss(y, z):
    return np.mean(np.exp(z) - y * z), np.exp(z) - y

# %% 5.8 goes through the probability
def bce_from_logits(y, z):
    p = sigmoid(z)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))

# %% 5.8 clips the probability
def bce_from_logits(y, z):
    p = np.clip(sigmoid(z), 1e-7, 1 - 1e-7)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))

# %% 5.8 adds 1 before it takes the log
def bce_from_logits(y, z):
    u = np.where(y == 1, -z, z)
    return np.maximum(u, 0) + np.log(1 + np.exp(-np.abs(u)))

# %% 5.8 lets the exponential overflow
def bce_from_logits(y, z):
    return np.log1p(np.exp(np.where(y == 1, -z, z)))

# %% 5.8 averages
def bce_from_logits(y, z):
    return np.mean(np.logaddexp(0, np.where(y == 1, -z, z)))

# %% 5.8 loses the digits of a small loss: np.log1p(np.exp(-np.abs(u))) → np.log(1 + np.exp(-np.abs(u)))

# %% 5.10 forgets that the true class gets its part of epsilon as well
def smoothed_cross_entropy(z, c, epsilon):
    k = z.shape[1]
    q = np.full(z.shape, epsilon / k)
    q[np.arange(len(z)), c] = 1 - epsilon
    return np.mean(log_sum_exp(z) - np.sum(q * z, axis=1)), (softmax(z) - q) / len(z)

# %% 5.10 spreads epsilon over the other classes only
def smoothed_cross_entropy(z, c, epsilon):
    k = z.shape[1]
    q = np.full(z.shape, epsilon / (k - 1))
    q[np.arange(len(z)), c] = 1 - epsilon
    return np.mean(log_sum_exp(z) - np.sum(q * z, axis=1)), (softmax(z) - q) / len(z)

# %% 5.10 keeps the gradient of the hard labels
def smoothed_cross_entropy(z, c, epsilon):
    hard = np.eye(z.shape[1])[c]
    q = (1 - epsilon) * hard + epsilon / z.shape[1]
    return np.mean(log_sum_exp(z) - np.sum(q * z, axis=1)), (softmax(z) - hard) / len(z)

# %% 5.10 takes the log of a probability
def smoothed_cross_entropy(z, c, epsilon):
    q = (1 - epsilon) * np.eye(z.shape[1])[c] + epsilon / z.shape[1]
    return -np.mean(np.sum(q * np.log(softmax(z)), axis=1)), (softmax(z) - q) / len(z)

# %% 5.10 ignores epsilon
def smoothed_cross_entropy(z, c, epsilon):
    q = np.eye(z.shape[1])[c]
    return np.mean(log_sum_exp(z) - np.sum(q * z, axis=1)), (softmax(z) - q) / len(z)

# %% 5.10 multiplies a masked class's zero by minus infinity: np.where(q > 0, z, 0) → z
# %% 5.10 ignores masked classes whatever their target: np.where(q > 0, z, 0) → np.where(np.isfinite(z), z, 0)

# %% 5.12 fades out the hard examples instead of the easy ones
def focal_loss(y, z, gamma):
    u = np.where(y == 1, -z, z)
    return sigmoid(-u) ** gamma * np.logaddexp(0, u)

# %% 5.12 goes through the probability
def focal_loss(y, z, gamma):
    p = np.where(y == 1, sigmoid(z), 1 - sigmoid(z))
    return -((1 - p) ** gamma) * np.log(p)

# %% 5.12 takes the probability of yes for every example
def focal_loss(y, z, gamma):
    u = np.where(y == 1, -z, z)
    return sigmoid(-z) ** gamma * np.logaddexp(0, u)

# %% 5.12 multiplies by gamma
def focal_loss(y, z, gamma):
    u = np.where(y == 1, -z, z)
    return gamma * sigmoid(u) * np.logaddexp(0, u)
