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

# %% 7.2 rounds the number of steps down: np.ceil( → np.floor(

# %% 7.2 needs no step at all on a round surface: 1 if factor < 1e-3 → 0 if factor < 1e-3

# %% 7.2 takes the logarithm of a factor of 0: 1 if factor < 1e-3 else np.ceil → np.ceil

# %% 7.2 unpacks at least two eigenvalues: smallest, largest = spectrum[0], spectrum[-1] → smallest, *_, largest = spectrum

# %% 7.2 uses the rule of thumb for the number of steps
def best_descent(H):
    smallest, *_, largest = np.linalg.eigvalsh(H)
    kappa = largest / smallest
    return 2 / (smallest + largest), (kappa - 1) / (kappa + 1), round(kappa / 2 * np.log(1000))

# %% 7.3 takes the small batch's norm for the noise
def noise_scale_from_norms(small, norm2_small, large, norm2_large):
    trace = small * norm2_small
    return trace, trace / norm2_large

# %% 7.3 forgets that the large batch is noisy too: norm2_large - trace / large → norm2_large

# %% 7.3 lets the noise shrink with the root of the batch
def noise_scale_from_norms(small, norm2_small, large, norm2_large):
    trace = (norm2_small - norm2_large) / (small**-0.5 - large**-0.5)
    g2 = norm2_large - trace / large**0.5
    return trace, trace / g2

# %% 7.4 gives the factor of plain momentum
def nesterov_factor(eta, beta, spectrum):
    matrices = [momentum_matrix(eta, beta, lam) for lam in spectrum]
    return np.abs(np.linalg.eigvals(matrices)).max()

# %% 7.4 adds the old velocity to the error, not the new one: [keep, 1 - eta * lam]] → [1, 1]]

# %% 7.4 assumes complex eigenvalues everywhere
def nesterov_factor(eta, beta, spectrum):
    return max(np.sqrt(np.abs(beta * (1 - eta * lam))) for lam in spectrum)

# %% 7.4 returns the fastest direction: return max( → return min(

# %% 7.7 forgets the root: (np.sqrt(v_hat) + eps) → (v_hat + eps)

# %% 7.7 forgets the correction of the mean: m / (1 - beta1**t) → m

# %% 7.7 forgets the correction of the mean square: v / (1 - beta2**t) → v

# %% 7.7 averages the absolute gradient instead of its square: g**2 → np.abs(g)

# %% 7.7 puts epsilon inside the root: (np.sqrt(v_hat) + eps) → np.sqrt(v_hat + eps)

# %% 7.7 counts the steps from 0: 1 - beta1**t → 1 - beta1**(t + 1)

# %% 7.7 makes float64 of float32: eta * m_hat → np.float64(eta) * m_hat

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

# %% 7.8 decays the biases as well: (decays * w) → w

# %% 7.8 decays without the learning rate: eta * gamma * → gamma *

# %% 7.8 makes float64 of float32: (decays * w) → decays * w

# %% 7.8 decays after the step instead of beside it
def adamw_step(w, g, m, v, t, eta, gamma, decays, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    w = w - eta * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w * (1 - eta * gamma * decays), m, v

# %% 7.9 starts the warm-up at zero: (t + 1) / warm → t / warm

# %% 7.9 reaches zero one step early: (total - t) → (total - 1 - t)

# %% 7.9 multiplies rise and fall: np.minimum(rising, falling) → rising * falling

# %% 7.9 never caps the rate: np.clip(np.minimum(rising, falling), 0, 1) → np.maximum(np.minimum(rising, falling), 0)

# %% 7.9 goes below zero after the last step: np.clip(np.minimum(rising, falling), 0, 1) → np.minimum(np.minimum(rising, falling), 1)
