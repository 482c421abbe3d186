# Right answers in another style than the solution's. The exercise's check must accept each.

# %% 10.2 transposed first, joined by columns
def one_matrix(W, U):
    return np.concatenate([U.T, W.T], axis=1)


def parameter_count(d, m):
    return m * m + m * d + m


# %% 10.2 entry by entry, nested lists, counted on an example
def one_matrix(W, U):
    m, d = len(U), len(W)
    return [[U[j, i] for j in range(m)] + [W[j, i] for j in range(d)] for i in range(m)]


def parameter_count(d, m):
    return np.zeros((m, m + d)).size + np.zeros(m).size


# %% 10.3 in place, the walk back written into G
def leaky_backward(G, H, lam):
    for t in range(G.shape[1] - 2, -1, -1):
        G[:, t] += lam * G[:, t + 1]
    grad_lam = 0 * lam
    for t in range(1, G.shape[1]):
        grad_lam += np.sum(G[:, t] * H[:, t - 1], axis=0)
    return [G, grad_lam]


# %% 10.3 no loop over time: every step sees all later ones, float32
def leaky_backward(G, H, lam):
    G, H = G.astype(np.float32), H.astype(np.float32)
    T = G.shape[1]
    later = np.arange(T)[None, :] - np.arange(T)[:, None]  # s - t
    power = np.where(later >= 0, 1, 0)[..., None] * lam ** np.maximum(later, 0)[..., None]
    grad_X = np.einsum("tsm,bsm->btm", power.astype(np.float32), G)
    before = np.concatenate([np.zeros_like(H[:, :1]), H[:, :-1]], axis=1)
    return grad_X, np.einsum("btm,btm->m", grad_X, before)


# %% 10.5 as PyTorch does it, with a millionth in the denominator
def clip_by_global_norm(grads, limit):
    norm = np.linalg.norm([np.linalg.norm(g) for g in grads])
    scale = min(1.0, limit / (norm + 1e-6))
    return [g * scale for g in grads], norm


# %% 10.5 one long vector, float32
def clip_by_global_norm(grads, limit):
    flat = np.concatenate([np.ravel(g) for g in grads]).astype(np.float32)
    norm = float(np.sqrt(flat @ flat))
    if norm <= limit:
        return tuple(g.copy() for g in grads), norm
    return tuple((g / norm * limit).astype(np.float32) for g in grads), norm


# %% 10.7 through the gate
def half_life(bias):
    f = sigmoid(bias)
    return np.log(0.5) / np.log(f)


def forget_bias_for(n):
    return -np.log(np.exp2(1 / n) - 1)


# %% 10.7 in place, with base-2 logarithms
def half_life(bias):
    return 1 / np.log2(1 + np.exp(-bias))


def forget_bias_for(n):
    odds = np.asarray(-1 / n)
    f = np.exp2(odds)
    return np.log(f) - np.log1p(-f)


# %% 10.8 block by block, in place where it can be
def early_reset_backward(grad_new, h, U, gates):
    z, r, g = gates
    m = h.shape[1]
    grad_U = np.zeros_like(U)
    a_g = grad_new * (1 - z) * (1 - g * g)
    a_z = grad_new * (h - g) * z * (1 - z)
    reset = a_g @ U[:, 2 * m:].T  # the gradient at r * h
    a_r = reset * h * r * (1 - r)
    grad_U[:, :m] = h.T @ a_z
    grad_U[:, m:2 * m] = h.T @ a_r
    grad_U[:, 2 * m:] = (r * h).T @ a_g
    grad_new *= z
    grad_new += reset * r + a_z @ U[:, :m].T + a_r @ U[:, m:2 * m].T
    return grad_new, grad_U


# %% 10.8 example by example, float32
def early_reset_backward(grad_new, h, U, gates):
    grad_new, h, U = (a.astype(np.float32) for a in (grad_new, h, U))
    z, r, g = (a.astype(np.float32) for a in gates)
    U_z, U_r, U_g = np.hsplit(U, 3)
    grad_h, grad_U = [], np.zeros(U.shape, np.float32)
    for n in range(len(h)):
        a_g = grad_new[n] * (1 - z[n]) * (1 - g[n] ** 2)
        a_z = grad_new[n] * (h[n] - g[n]) * z[n] * (1 - z[n])
        e = U_g @ a_g
        a_r = e * h[n] * r[n] * (1 - r[n])
        grad_h.append(grad_new[n] * z[n] + e * r[n] + U_z @ a_z + U_r @ a_r)
        columns = [np.outer(h[n], a_z), np.outer(h[n], a_r), np.outer(r[n] * h[n], a_g)]
        grad_U += np.concatenate(columns, axis=1)
    return np.array(grad_h), grad_U
