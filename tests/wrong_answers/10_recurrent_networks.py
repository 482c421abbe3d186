# Plausible mistakes for each exercise of notebook 10. The exercise's check must refuse each.

# %% 10.2 stacks in Keras' order instead of the bracket's: np.vstack([U, W]).T → np.vstack([W, U]).T
# %% 10.2 leaves rows where columns are wanted: np.vstack([U, W]).T → np.vstack([U, W])
# %% 10.2 transposes the two blocks before it stacks them: np.vstack([U, W]).T → np.hstack([U, W.T])
# %% 10.2 forgets the bias: m * (m + d + 1) → m * (m + d)
# %% 10.2 counts one bias per input: m * (m + d + 1) → (m + 1) * (m + d)
# %% 10.3 carries nothing back through time: carried = G[:, t] + lam * carried → carried = G[:, t]
# %% 10.3 multiplies the gradient by the state of the same step: (grad_X[:, 1:] * H[:, :-1]) → (grad_X * H)
# %% 10.3 decays the read-out's gradient, too: G[:, t] + lam * carried → lam * (G[:, t] + carried)
# %% 10.3 walks forward in time: reversed(range(G.shape[1])) → range(G.shape[1])
# %% 10.3 keeps the batch axis of lambda's gradient: .sum(axis=(0, 1)) → .sum(axis=1)
# %% 10.5 clips every array by its own norm
def clip_by_global_norm(grads, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    return [g * min(1, limit / max(np.linalg.norm(g), 1e-9)) for g in grads], norm


# %% 10.5 clips every entry: [scale * g for g in grads] → [np.clip(g, -limit, limit) for g in grads]
# %% 10.5 stretches short gradients to the limit: limit / norm if norm > limit else 1.0 → limit / max(norm, 1e-9)
# %% 10.5 adds the norms instead of their squares: np.sqrt(sum(np.sum(g**2) for g in grads)) → sum(np.sqrt(np.sum(g**2)) for g in grads)
# %% 10.5 returns the norm after clipping: for g in grads], norm → for g in grads], min(norm, limit)
# %% 10.5 divides zero by zero: limit / norm if norm > limit else 1.0 → min(norm, limit) / norm
# %% 10.5 an infinite limit gives NaN, and so does limit 0 on zeros: limit / norm if norm > limit else 1.0 → limit / max(norm, limit)
# %% 10.5 shortens the arrays in place
def clip_by_global_norm(grads, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    for g in grads:
        g *= limit / norm if norm > limit else 1.0
    return grads, norm


# %% 10.7 forgets the sigmoid
def half_life(bias):
    return np.log(0.5) / np.log(np.abs(bias) + 1e-9)


def forget_bias_for(n):
    return 0.5 ** (1 / n)


# %% 10.7 returns the gate, not its bias: return np.log(f / (1 - f)) → return f
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


# %% 10.7 the approximation in the second function only: np.log(f / (1 - f)) → np.log(n / np.log(2))
# %% 10.7 swaps keeping and forgetting
def half_life(bias):
    return np.log(0.5) / np.log(1 - sigmoid(bias))


def forget_bias_for(n):
    f = 0.5 ** (1 / n)
    return np.log((1 - f) / f)


# %% 10.8 forgets the path through the reset state: grad_new * z + e * r + → grad_new * z +
# %% 10.8 resets after the product, as in the text
def early_reset_backward(grad_new, h, U, gates):
    z, r, g = gates
    m = h.shape[1]
    d_g = grad_new * (1 - z) * (1 - g**2)
    d_z = grad_new * (h - g) * z * (1 - z)
    d_r = d_g * (h @ U[:, 2 * m:]) * r * (1 - r)
    d_a = np.hstack([d_z, d_r, d_g * r])
    return grad_new * z + d_a @ U.T, h.T @ d_a


# %% 10.8 reads h instead of r * h in the last block: (r * h).T @ d_g → h.T @ d_g
# %% 10.8 has the update gate's sign reversed: grad_new * (h - g) → grad_new * (g - h)
# %% 10.8 takes the gates in the order r, z, g: z, r, g = gates → r, z, g = gates
