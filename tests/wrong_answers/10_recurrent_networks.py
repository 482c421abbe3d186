# Plausible mistakes for each exercise of notebook 10. Each cell replaces the exercise cell whole;
# the exercise's check must reject it.

# %% 10.2 stacks in Keras' order instead of the bracket's
def one_matrix(W, U):
    return np.vstack([W, U]).T


def parameter_count(d, m):
    return m * (m + d + 1)

# %% 10.2 leaves rows where columns are wanted
def one_matrix(W, U):
    return np.vstack([U, W])


def parameter_count(d, m):
    return m * (m + d + 1)

# %% 10.2 transposes the two blocks before it stacks them
def one_matrix(W, U):
    return np.hstack([U, W.T])


def parameter_count(d, m):
    return m * (m + d + 1)

# %% 10.2 forgets the bias
def one_matrix(W, U):
    return np.vstack([U, W]).T


def parameter_count(d, m):
    return m * (m + d)

# %% 10.2 counts one bias per input
def one_matrix(W, U):
    return np.vstack([U, W]).T


def parameter_count(d, m):
    return (m + 1) * (m + d)

# %% 10.3 carries nothing back through time
def leaky_backward(G, H, lam):
    return G, (G[:, 1:] * H[:, :-1]).sum(axis=(0, 1))

# %% 10.3 multiplies the gradient by the state of the same step
def leaky_backward(G, H, lam):
    grad_X, carried = np.empty_like(G), 0.0
    for t in reversed(range(G.shape[1])):
        carried = G[:, t] + lam * carried
        grad_X[:, t] = carried
    return grad_X, (grad_X * H).sum(axis=(0, 1))

# %% 10.3 decays the read-out's gradient, too
def leaky_backward(G, H, lam):
    grad_X, carried = np.empty_like(G), 0.0
    for t in reversed(range(G.shape[1])):
        carried = lam * (G[:, t] + carried)
        grad_X[:, t] = carried
    return grad_X, (grad_X[:, 1:] * H[:, :-1]).sum(axis=(0, 1))

# %% 10.3 walks forward in time
def leaky_backward(G, H, lam):
    grad_X, carried = np.empty_like(G), 0.0
    for t in range(G.shape[1]):
        carried = G[:, t] + lam * carried
        grad_X[:, t] = carried
    return grad_X, (grad_X[:, 1:] * H[:, :-1]).sum(axis=(0, 1))

# %% 10.3 keeps the batch axis of lambda's gradient
def leaky_backward(G, H, lam):
    grad_X, carried = np.empty_like(G), 0.0
    for t in reversed(range(G.shape[1])):
        carried = G[:, t] + lam * carried
        grad_X[:, t] = carried
    return grad_X, (grad_X[:, 1:] * H[:, :-1]).sum(axis=1)

# %% 10.5 clips every array by its own norm
def clip_by_global_norm(grads, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    return [g * min(1, limit / np.linalg.norm(g)) for g in grads], norm

# %% 10.5 clips every entry
def clip_by_global_norm(grads, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    return [np.clip(g, -limit, limit) for g in grads], norm

# %% 10.5 stretches short gradients to the limit
def clip_by_global_norm(grads, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    return [g * limit / norm for g in grads], norm

# %% 10.5 adds the norms instead of their squares
def clip_by_global_norm(grads, limit):
    norm = sum(np.linalg.norm(g) for g in grads)
    return [g * limit / max(norm, limit) for g in grads], norm

# %% 10.5 returns the norm after clipping
def clip_by_global_norm(grads, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    return [g * limit / max(norm, limit) for g in grads], min(norm, limit)

# %% 10.5 divides zero by zero
def clip_by_global_norm(grads, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    return [g / norm * min(norm, limit) for g in grads], norm

# %% 10.5 shortens the arrays in place
def clip_by_global_norm(grads, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    for g in grads:
        g *= limit / max(norm, limit)
    return grads, norm

# %% 10.7 forgets the sigmoid
def half_life(bias):
    return np.log(0.5) / np.log(bias)


def forget_bias_for(n):
    return 0.5 ** (1 / n)

# %% 10.7 returns the gate, not its bias
def half_life(bias):
    return np.log(0.5) / np.log(sigmoid(bias))


def forget_bias_for(n):
    return 0.5 ** (1 / n)

# %% 10.7 takes 1/e for one half
def half_life(bias):
    return -1 / np.log(sigmoid(bias))


def forget_bias_for(n):
    f = np.exp(-1 / n)
    return np.log(f / (1 - f))

# %% 10.7 uses the approximation for long memories
def half_life(bias):
    return np.log(2) * (1 + np.exp(bias))


def forget_bias_for(n):
    return np.log(n / np.log(2))

# %% 10.7 swaps keeping and forgetting
def half_life(bias):
    return np.log(0.5) / np.log(1 - sigmoid(bias))


def forget_bias_for(n):
    f = 0.5 ** (1 / n)
    return np.log((1 - f) / f)

# %% 10.8 forgets the path through the reset state
def early_reset_backward(grad_new, h, U, gates):
    z, r, g = gates
    U_z, U_r, U_g = np.split(U, 3, axis=1)
    d_g = grad_new * (1 - z) * (1 - g**2)
    d_z = grad_new * (h - g) * z * (1 - z)
    d_r = (d_g @ U_g.T) * h * r * (1 - r)
    grad_h = grad_new * z + d_z @ U_z.T + d_r @ U_r.T
    return grad_h, np.hstack([h.T @ d_z, h.T @ d_r, (r * h).T @ d_g])

# %% 10.8 resets after the product, as in the text
def early_reset_backward(grad_new, h, U, gates):
    z, r, g = gates
    m = h.shape[1]
    d_g = grad_new * (1 - z) * (1 - g**2)
    d_z = grad_new * (h - g) * z * (1 - z)
    d_r = d_g * (h @ U[:, 2 * m:]) * r * (1 - r)
    d_a = np.hstack([d_z, d_r, d_g * r])
    return grad_new * z + d_a @ U.T, h.T @ d_a

# %% 10.8 reads h instead of r * h in the last block
def early_reset_backward(grad_new, h, U, gates):
    z, r, g = gates
    U_z, U_r, U_g = np.split(U, 3, axis=1)
    d_g = grad_new * (1 - z) * (1 - g**2)
    d_z = grad_new * (h - g) * z * (1 - z)
    e = d_g @ U_g.T
    d_r = e * h * r * (1 - r)
    grad_h = grad_new * z + e * r + d_z @ U_z.T + d_r @ U_r.T
    return grad_h, h.T @ np.hstack([d_z, d_r, d_g])

# %% 10.8 has the update gate's sign reversed
def early_reset_backward(grad_new, h, U, gates):
    z, r, g = gates
    U_z, U_r, U_g = np.split(U, 3, axis=1)
    d_g = grad_new * (1 - z) * (1 - g**2)
    d_z = grad_new * (g - h) * z * (1 - z)
    e = d_g @ U_g.T
    d_r = e * h * r * (1 - r)
    grad_h = grad_new * z + e * r + d_z @ U_z.T + d_r @ U_r.T
    return grad_h, np.hstack([h.T @ d_z, h.T @ d_r, (r * h).T @ d_g])

# %% 10.8 takes the gates in the order r, z, g
def early_reset_backward(grad_new, h, U, gates):
    r, z, g = gates
    U_z, U_r, U_g = np.split(U, 3, axis=1)
    d_g = grad_new * (1 - z) * (1 - g**2)
    d_z = grad_new * (h - g) * z * (1 - z)
    e = d_g @ U_g.T
    d_r = e * h * r * (1 - r)
    grad_h = grad_new * z + e * r + d_z @ U_z.T + d_r @ U_r.T
    return grad_h, np.hstack([h.T @ d_z, h.T @ d_r, (r * h).T @ d_g])
