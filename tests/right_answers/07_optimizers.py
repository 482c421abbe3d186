"""Right answers to the exercises of notebook 07 in another style: each must pass its check."""

# %% 7.2 by the condition number, counting the steps
def best_descent(H):
    eigenvalues = sorted(float(value) for value in np.linalg.eigvals(H).real)
    kappa = eigenvalues[-1] / eigenvalues[0]
    factor, steps, left = (kappa - 1) / (kappa + 1), 0, 1.0
    while left > 1e-3:
        left *= factor
        steps += 1
    return 2 / (eigenvalues[0] + eigenvalues[-1]), factor, steps

# %% 7.2 the number of steps from np.ceil, as a float
def best_descent(H):
    curved = np.linalg.eigvalsh(H)
    eta = 2 / (curved.min() + curved.max())
    factor = np.abs(1 - eta * curved).max()
    with np.errstate(divide="ignore"):
        return eta, factor, max(np.ceil(np.log(1e-3) / np.log(factor)), 1.0)

# %% 7.3 as two linear equations
def noise_scale_from_norms(small, norm2_small, large, norm2_large):
    g2, trace = np.linalg.solve([[1, 1 / small], [1, 1 / large]], [norm2_small, norm2_large])
    return [trace, trace / g2]

# %% 7.3 without fractions of fractions
def noise_scale_from_norms(small, norm2_small, large, norm2_large):
    g2 = (large * norm2_large - small * norm2_small) / (large - small)
    trace = small * (norm2_small - g2)
    return np.float32(trace), np.float32(trace / g2)

# %% 7.4 all curvatures at once, stacked matrices
def nesterov_factor(eta, beta, spectrum):
    keep = beta * (1 - eta * spectrum)
    matrices = np.empty((len(spectrum), 2, 2))
    matrices[:, :, 0] = keep[:, None]
    matrices[:, 0, 1], matrices[:, 1, 1] = -eta * spectrum, 1 - eta * spectrum
    return np.abs(np.linalg.eigvals(matrices)).max()

# %% 7.4 the quadratic equation in closed form
def nesterov_factor(eta, beta, spectrum):
    keep = 1 - eta * np.asarray(spectrum)
    half = (1 + beta) * keep / 2
    root = np.sqrt(half**2 - beta * keep + 0j)
    return float(np.maximum(abs(half + root), abs(half - root)).max())

# %% 7.4 pair of error and velocity, in this order
def nesterov_factor(eta, beta, spectrum):
    largest = 0.0
    for lam in spectrum:
        step = [[1 - eta * lam, beta * (1 - eta * lam)], [-eta * lam, beta * (1 - eta * lam)]]
        largest = max(largest, max(abs(np.linalg.eigvals(step))))
    return largest

# %% 7.7 both corrections in the rate, entry by entry
def adam_step(w, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps=1e-7):
    new_w, new_m, new_v = w.copy(), m.copy(), v.copy()
    for i in range(len(w)):
        new_m[i] += (1 - beta1) * (g[i] - m[i])
        new_v[i] += (1 - beta2) * (g[i] ** 2 - v[i])
        root = (new_v[i] / (1 - beta2**t)) ** 0.5
        new_w[i] -= eta / (1 - beta1**t) * new_m[i] / (root + eps)
    return new_w, new_m, new_v

# %% 7.7 in place on copies, a list back
def adam_step(w, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps=1e-7):
    w, m, v = np.copy(w), np.copy(m), np.copy(v)
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * np.square(g)
    w -= eta * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return [w, m, v]

# %% 7.8 decays first, by a factor for each weight
def adamw_step(w, g, m, v, t, eta, gamma, decays, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    w = np.where(decays, w * (1 - eta * gamma), w)
    return w - eta * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v

# %% 7.8 everything in place
def adamw_step(w, g, m, v, t, eta, gamma, decays, beta1=0.9, beta2=0.999, eps=1e-7):
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g * g - v)
    w[decays] *= 1 - eta * gamma
    w -= eta / (1 - beta1**t) * m / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w, m, v

# %% 7.8 adam_step does the rest
def adamw_step(w, g, m, v, t, eta, gamma, decays, beta1=0.9, beta2=0.999, eps=1e-7):
    new, m, v = adam_step(w, g, m, v, t, eta, beta1, beta2, eps)
    new[decays] -= eta * gamma * w[decays]
    return new, m, v

# %% 7.9 step by step
def warm_stable_decay(t, peak, total, warm, decay):
    rates = []
    for step in t:
        if step >= total:
            rates.append(0.0)
        elif step < warm:
            rates.append(peak * (step + 1) / warm)
        elif step > total - decay:
            rates.append(peak * (total - step) / decay)
        else:
            rates.append(peak)
    return rates

# %% 7.9 by interpolation between the corners
def warm_stable_decay(t, peak, total, warm, decay):
    corners = [-1, warm - 1, total - decay, total]
    return np.interp(t, corners, [0, peak, peak, 0]).astype("float32")
