# %% 9.2 keeps only the pixels of g
def convolve_full(f, g):
    out = np.zeros(g.shape)
    for x, y in np.ndindex(g.shape):
        for i, j in np.ndindex(f.shape):
            if x >= i and y >= j:
                out[x, y] += f[i, j] * g[x - i, y - j]
    return out


# %% 9.2 the right size, but Python's negative indices still wrap around
def convolve_full(f, g):
    out = np.zeros(np.add(f.shape, g.shape) - 1)
    wide = np.zeros(out.shape)
    wide[-g.shape[0]:, -g.shape[1]:] = g
    for x, y in np.ndindex(out.shape):
        for i, j in np.ndindex(f.shape):
            out[x, y] += f[i, j] * wide[x - i, y - j]
    return out


# %% 9.2 correlates: the kernel is turned
def convolve_full(f, g):
    f = f[::-1, ::-1]
    out = np.zeros(np.add(f.shape, g.shape) - 1)
    for i, j in np.ndindex(f.shape):
        out[i:i + g.shape[0], j:j + g.shape[1]] += f[i, j] * g
    return out


# %% 9.4 forgets that the floor lets several sizes through
def inputs_of(m, k, s):
    return [s * (m - 1) + k]


# %% 9.4 one size too many
def inputs_of(m, k, s):
    return list(range(s * (m - 1) + k, s * m + k + 1))


# %% 9.4 takes the kernel for the stride
def inputs_of(m, k, s):
    return list(range(k * (m - 1) + s, k * m + s))


# %% 9.5 forgets the stride in the slices
def conv_shifted(X, K, b, stride=1):
    (B, H, W, _), (kh, kw, _, O) = X.shape, K.shape
    h, w = (H - kh) // stride + 1, (W - kw) // stride + 1
    Z = np.zeros((B, h, w, O)) + b
    for i, j in np.ndindex(kh, kw):
        Z += X[:, i:i + h, j:j + w] @ K[i, j]
    return Z


# %% 9.5 adds the bias once per kernel entry
def conv_shifted(X, K, b, stride=1):
    (B, H, W, _), (kh, kw, _, O) = X.shape, K.shape
    h, w = (H - kh) // stride + 1, (W - kw) // stride + 1
    Z = np.zeros((B, h, w, O))
    for i, j in np.ndindex(kh, kw):
        Z += X[:, i:i + stride * h:stride, j:j + stride * w:stride] @ K[i, j] + b
    return Z


# %% 9.5 turns the kernel, as a mathematician would
def conv_shifted(X, K, b, stride=1):
    (B, H, W, _), (kh, kw, _, O) = X.shape, K.shape
    h, w = (H - kh) // stride + 1, (W - kw) // stride + 1
    Z = np.zeros((B, h, w, O)) + b
    for i, j in np.ndindex(kh, kw):
        moved = X[:, i:i + stride * h:stride, j:j + stride * w:stride]
        Z += moved @ K[kh - 1 - i, kw - 1 - j]
    return Z


# %% 9.6 averages over the batch
def depthwise_backward(X, K, delta):
    h, w = delta.shape[1:3]
    grad_X, grad_K = np.zeros_like(X), np.zeros_like(K)
    for i, j in np.ndindex(K.shape[:2]):
        grad_K[i, j] = (X[:, i:i + h, j:j + w] * delta).sum(axis=(1, 2)).mean(axis=0)
        grad_X[:, i:i + h, j:j + w] += delta * K[i, j]
    return grad_X, grad_K, delta.sum(axis=(1, 2)).mean(axis=0)


# %% 9.6 overlapping windows overwrite each other
def depthwise_backward(X, K, delta):
    h, w = delta.shape[1:3]
    grad_X, grad_K = np.zeros_like(X), np.zeros_like(K)
    for i, j in np.ndindex(K.shape[:2]):
        grad_K[i, j] = (X[:, i:i + h, j:j + w] * delta).sum(axis=(0, 1, 2))
        grad_X[:, i:i + h, j:j + w] = delta * K[i, j]
    return grad_X, grad_K, delta.sum(axis=(0, 1, 2))


# %% 9.6 mixes the channels in the bias
def depthwise_backward(X, K, delta):
    h, w = delta.shape[1:3]
    grad_X, grad_K = np.zeros_like(X), np.zeros_like(K)
    for i, j in np.ndindex(K.shape[:2]):
        grad_K[i, j] = (X[:, i:i + h, j:j + w] * delta).sum(axis=(0, 1, 2))
        grad_X[:, i:i + h, j:j + w] += delta * K[i, j]
    return grad_X, grad_K, delta.sum()


# %% 9.8 multiplies by the jump after this layer's stride
def receptive_field(layers):
    size, jump = 1, 1
    for kernel, stride, dilation in layers:
        jump *= stride
        size += (kernel - 1) * dilation * jump
    return size, jump


# %% 9.8 forgets the jump
def receptive_field(layers):
    size, jump = 1, 1
    for kernel, stride, dilation in layers:
        size += (kernel - 1) * dilation
        jump *= stride
    return size, jump


# %% 9.8 dilation stretches the whole kernel
def receptive_field(layers):
    size, jump = 1, 1
    for kernel, stride, dilation in layers:
        size += (kernel * dilation - 1) * jump
        jump *= stride
    return size, jump


# %% 9.11 forgets that the bias is scaled too
def fold(K, b, gamma, beta, mean, var, eps=1e-3):
    scale = gamma / np.sqrt(var + eps)
    return K * scale, b - mean * scale + beta


# %% 9.11 takes the variance for the standard deviation
def fold(K, b, gamma, beta, mean, var, eps=1e-3):
    scale = gamma / (var + eps)
    return K * scale, (b - mean) * scale + beta


# %% 9.11 adds epsilon after the root
def fold(K, b, gamma, beta, mean, var, eps=1e-3):
    scale = gamma / (np.sqrt(var) + eps)
    return K * scale, (b - mean) * scale + beta
