"""Wrong answers to the exercises of notebook 07: each must fail its check."""

# %% 7.2 takes the largest stable rate for the best
def best_descent(H):
    spread = np.linalg.eigvalsh(H)
    eta = 2 / spread[-1]
    factor = np.abs(1 - eta * spread).max()
    return eta, factor, int(np.ceil(np.log(1e-3) / np.log(factor)))

# %% 7.2 kills the steepest direction at once and waits for the rest
def best_descent(H):
    spread = np.linalg.eigvalsh(H)
    eta = 1 / spread[-1]
    factor = 1 - spread[0] / spread[-1]
    return eta, factor, int(np.ceil(np.log(1e-3) / np.log(factor)))

# %% 7.2 rounds the number of steps down
def best_descent(H):
    smallest, *_, largest = np.linalg.eigvalsh(H)
    factor = (largest - smallest) / (largest + smallest)
    return 2 / (smallest + largest), factor, int(np.log(1e-3) / np.log(factor))

# %% 7.2 uses the rule of thumb for the number of steps
def best_descent(H):
    smallest, *_, largest = np.linalg.eigvalsh(H)
    kappa = largest / smallest
    return 2 / (smallest + largest), (kappa - 1) / (kappa + 1), round(kappa / 2 * np.log(1000))

# %% 7.3 takes the small batch's norm for the noise
def noise_scale_from_norms(small, norm2_small, large, norm2_large):
    trace = small * norm2_small
    return trace, trace / norm2_large

# %% 7.3 forgets that the large batch is noisy too
def noise_scale_from_norms(small, norm2_small, large, norm2_large):
    trace = (norm2_small - norm2_large) / (1 / small - 1 / large)
    return trace, trace / norm2_large

# %% 7.3 lets the noise shrink with the root of the batch
def noise_scale_from_norms(small, norm2_small, large, norm2_large):
    trace = (norm2_small - norm2_large) / (small**-0.5 - large**-0.5)
    g2 = norm2_large - trace / large**0.5
    return trace, trace / g2

# %% 7.4 gives the factor of plain momentum
def nesterov_factor(eta, beta, spectrum):
    matrices = [momentum_matrix(eta, beta, lam) for lam in spectrum]
    return np.abs(np.linalg.eigvals(matrices)).max()

# %% 7.4 adds the old velocity to the error, not the new one
def nesterov_factor(eta, beta, spectrum):
    factors = []
    for lam in spectrum:
        keep = beta * (1 - eta * lam)
        matrix = np.array([[keep, -eta * lam], [1, 1]])
        factors.append(np.abs(np.linalg.eigvals(matrix)).max())
    return max(factors)

# %% 7.4 assumes complex eigenvalues everywhere
def nesterov_factor(eta, beta, spectrum):
    return max(np.sqrt(np.abs(beta * (1 - eta * lam))) for lam in spectrum)

# %% 7.4 returns the fastest direction
def nesterov_factor(eta, beta, spectrum):
    factors = []
    for lam in spectrum:
        keep = beta * (1 - eta * lam)
        matrix = np.array([[keep, -eta * lam], [keep, 1 - eta * lam]])
        factors.append(np.abs(np.linalg.eigvals(matrix)).max())
    return min(factors)

# %% 7.7 forgets the root
def adam_step(w, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return w - eta * (m / (1 - beta1**t)) / (v / (1 - beta2**t) + eps), m, v

# %% 7.7 forgets the bias correction
def adam_step(w, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return w - eta * m / (np.sqrt(v) + eps), m, v

# %% 7.7 averages g instead of its square
def adam_step(w, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * np.abs(g)
    return w - eta * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v

# %% 7.7 puts epsilon inside the root
def adam_step(w, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return w - eta * (m / (1 - beta1**t)) / np.sqrt(v / (1 - beta2**t) + eps), m, v

# %% 7.7 returns the corrected averages, which then get corrected again
def adam_step(w, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps=1e-7):
    m = (beta1 * m + (1 - beta1) * g) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * g**2) / (1 - beta2**t)
    return w - eta * m / (np.sqrt(v) + eps), m, v

# %% 7.7 changes the arrays it was given
def adam_step(w, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps=1e-7):
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g**2
    w -= eta * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w, m, v

# %% 7.8 is Adam with L2: the decay goes through the gradient
def adamw_step(w, g, m, v, t, eta, gamma, decays, beta1=0.9, beta2=0.999, eps=1e-7):
    g = g + gamma * decays * w
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return w - eta * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v

# %% 7.8 decays the biases as well
def adamw_step(w, g, m, v, t, eta, gamma, decays, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    update = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w - eta * update - eta * gamma * w, m, v

# %% 7.8 decays without the learning rate
def adamw_step(w, g, m, v, t, eta, gamma, decays, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    update = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w - eta * update - gamma * decays * w, m, v

# %% 7.8 decays after the step instead of beside it
def adamw_step(w, g, m, v, t, eta, gamma, decays, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    w = w - eta * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w * (1 - eta * gamma * decays), m, v

# %% 7.9 starts the warm-up at zero
def warm_stable_decay(t, peak, total, warm, decay):
    return peak * np.minimum(1, np.minimum(t / warm, (total - t) / decay))

# %% 7.9 reaches zero one step early
def warm_stable_decay(t, peak, total, warm, decay):
    return peak * np.minimum(1, np.minimum((t + 1) / warm, (total - 1 - t) / decay))

# %% 7.9 multiplies rise and fall
def warm_stable_decay(t, peak, total, warm, decay):
    rising, falling = (t + 1) / warm, (total - t) / decay
    return peak * np.minimum(1, rising * falling)

# %% 7.9 never caps the rate
def warm_stable_decay(t, peak, total, warm, decay):
    return peak * np.minimum((t + 1) / warm, (total - t) / decay)
