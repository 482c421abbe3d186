# Right answers in another style for each exercise of notebook 05; the exercise's check must accept them.

# %% 5.2 a loop over the examples, lists for the gradients
def gaussian_nll(y, y_hat, s):
    n, loss, grad_y_hat, grad_s = len(y), 0.0, [], []
    for target, mean, log_width in zip(y, y_hat, s):
        error, variance = mean - target, np.exp(log_width) ** 2
        loss += error**2 / (2 * variance) + log_width + np.log(2 * np.pi) / 2
        grad_y_hat.append(error / variance / n)
        grad_s.append((1 - error**2 / variance) / n)
    return loss / n, grad_y_hat, grad_s

# %% 5.2 minus the log of the density, in place
def gaussian_nll(y, y_hat, s):
    loss = -np.mean(np.log(gaussian_density(y, y_hat, np.exp(s))))
    y_hat -= y
    s[:] = np.exp(-2 * s)
    slope = (1 - y_hat**2 * s) / len(y)
    y_hat *= s / len(y)
    return loss, y_hat, slope

# %% 5.3 two branches, in float32
def pinball(y, y_hat, tau):
    y, y_hat = y.astype(np.float32), y_hat.astype(np.float32)
    loss = np.where(y > y_hat, tau * (y - y_hat), (1 - tau) * (y_hat - y)).mean()
    slope = np.where(y > y_hat, -tau, np.where(y < y_hat, 1 - tau, 0))
    return loss, slope / np.float32(len(y))

# %% 5.3 a loop and a list
def pinball(y, y_hat, tau):
    loss, slopes = 0, []
    for target, answer in zip(y, y_hat):
        if answer < target:
            loss, slope = loss + tau * (target - answer), -tau
        elif answer > target:
            loss, slope = loss + (1 - tau) * (answer - target), 1 - tau
        else:
            slope = 0
        slopes.append(slope / len(y))
    return loss / len(y), slopes

# %% 5.5 the probability of the truth, in a loop
def binary_cross_entropy(y, p):
    return sum(-np.log(p_i if y_i == 1 else 1 - p_i) for y_i, p_i in zip(y, p)) / len(y)

# %% 5.5 the probability of the truth, as an array in float32
def binary_cross_entropy(y, p):
    return -np.log(np.where(y, p, 1 - p).astype(np.float32)).mean()

# %% 5.6 with the constant that may be left out
def poisson_loss(y, z):
    constant = np.mean([sum(np.log(i) for i in range(1, int(count) + 1)) for count in y])
    mean = np.exp(z)
    return mean.mean() - (y * z).mean() + constant, (mean - y) / y.size

# %% 5.6 in place, in float32
def poisson_loss(y, z):
    slope = np.exp(z.astype(np.float32))
    loss = np.mean(slope - y * z)
    slope -= y
    slope /= len(y)
    return loss, slope

# %% 5.8 the log-sum-exp of the section
def bce_from_logits(y, z):
    u = np.where(y == 1, -z, z)
    return log_sum_exp(np.stack([np.zeros(len(u)), u], axis=1))

# %% 5.8 logaddexp, example by example
def bce_from_logits(y, z):
    return [np.logaddexp(0, -z_i if y_i else z_i) for y_i, z_i in zip(y, z)]

# %% 5.8 as TensorFlow writes it
def bce_from_logits(y, z):
    return np.where((z > 0) == (y == 1), 0, np.abs(z)) + np.log1p(np.exp(-np.abs(z)))

# %% 5.10 log-softmax, with 0 times anything left out
def smoothed_cross_entropy(z, c, epsilon):
    n, k = z.shape
    q = np.full((n, k), epsilon / k)
    q[np.arange(n), c] += 1 - epsilon
    log_p = z - log_sum_exp(z)[:, None]
    terms = np.zeros((n, k))
    np.multiply(q, log_p, out=terms, where=q > 0)
    return -terms.sum() / n, (np.exp(log_p) - q) / n

# %% 5.10 a loop over the examples
def smoothed_cross_entropy(z, c, epsilon):
    loss, gradient = 0.0, np.empty_like(z)
    for i, row in enumerate(z):
        q = [epsilon / len(row) + (1 - epsilon) * (j == c[i]) for j in range(len(row))]
        loss += log_sum_exp(row) - sum(q_j * z_j for q_j, z_j in zip(q, row) if q_j > 0)
        gradient[i] = softmax(row) - q
    return loss / len(z), gradient / len(z)

# %% 5.12 a loop, with the losses in a list
def focal_loss(y, z, gamma):
    losses = []
    for label, logit in zip(y, z):
        miss = np.logaddexp(0, -logit if label == 1 else logit)  # -log p_c
        losses.append((-np.expm1(-miss)) ** gamma * miss)
    return losses

# %% 5.12 in place, in float32
def focal_loss(y, z, gamma):
    z[y == 1] *= -1
    z = z.astype(np.float32)
    return np.exp(-gamma * np.logaddexp(0, -z)) * np.logaddexp(0, z)
