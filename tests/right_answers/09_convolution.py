# Right answers in another style than the solution's. The exercise's check must accept each.

# %% 9.2 the formula itself, entry by entry, with an explicit border
def convolve_full(f, g):
    rows, columns = f.shape[0] + g.shape[0] - 1, f.shape[1] + g.shape[1] - 1
    out = [[0.0] * columns for _ in range(rows)]
    for x in range(rows):
        for y in range(columns):
            for i in range(f.shape[0]):
                for j in range(f.shape[1]):
                    if 0 <= x - i < g.shape[0] and 0 <= y - j < g.shape[1]:
                        out[x][y] += f[i, j] * g[x - i, y - j]
    return out


# %% 9.2 padding and correlation with the mirrored kernel, in float32
def convolve_full(f, g):
    (kh, kw), f = f.shape, f.astype(np.float32)
    wide = np.pad(g.astype(np.float32), ((kh - 1, kh - 1), (kw - 1, kw - 1)))
    view = np.lib.stride_tricks.sliding_window_view(wide, (kh, kw))
    return np.einsum("xyij,ij->xy", view, f[::-1, ::-1])


# %% 9.2 the other way round: the image stamps the kernel
def convolve_full(f, g):
    out = np.zeros(np.add(f.shape, g.shape) - 1)
    for i, j in np.ndindex(g.shape):
        out[i:i + f.shape[0], j:j + f.shape[1]] += g[i, j] * f
    return out


# %% 9.4 searches
def inputs_of(m, k, s):
    return [n for n in range(k, k + s * (m + 1)) if (n - k) // s + 1 == m]


# %% 9.4 an array
def inputs_of(m, k, s):
    return k + s * (m - 1) + np.arange(s)


# %% 9.5 in another order of operations: bias last, einsum for the channels
def conv_shifted(X, K, b, stride=1):
    kh, kw = K.shape[:2]
    h, w = (X.shape[1] - kh) // stride + 1, (X.shape[2] - kw) // stride + 1
    parts = []
    for j in reversed(range(kw)):
        for i in reversed(range(kh)):
            moved = X[:, i:][:, ::stride][:, :h][:, :, j:][:, :, ::stride][:, :, :w]
            parts.append(np.einsum("nuvc,co->nuvo", moved, K[i, j]))
    return sum(parts) + b


# %% 9.5 float32
def conv_shifted(X, K, b, stride=1):
    X, K = X.astype(np.float32), K.astype(np.float32)
    (B, H, W, _), (kh, kw, _, O) = X.shape, K.shape
    h, w = (H - kh) // stride + 1, (W - kw) // stride + 1
    Z = np.tile(b.astype(np.float32), (B, h, w, 1))
    for i in range(kh):
        for j in range(kw):
            Z += X[:, i:i + stride * h:stride, j:j + stride * w:stride] @ K[i, j]
    return Z


# %% 9.6 one product over a view of all windows for the kernel, loops over places for the image
def depthwise_backward(X, K, delta):
    kh, kw, _ = K.shape
    view = np.lib.stride_tricks.sliding_window_view(X, (kh, kw), axis=(1, 2))
    grad_K = np.einsum("nuvcij,nuvc->ijc", view, delta)
    grad_X = np.zeros(X.shape)
    for u in range(delta.shape[1]):
        for v in range(delta.shape[2]):
            grad_X[:, u:u + kh, v:v + kw] += delta[:, u, v][:, None, None] * K
    return [grad_X, grad_K, np.einsum("nuvc->c", delta)]


# %% 9.6 a true convolution for the image, written into the array that was given
def depthwise_backward(X, K, delta):
    (kh, kw, _), (h, w) = K.shape, delta.shape[1:3]
    grad_K = np.stack([np.stack([(X[:, i:i + h, j:j + w] * delta).sum((0, 1, 2))
                                 for j in range(kw)]) for i in range(kh)])
    wide = np.pad(delta, ((0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1), (0, 0)))
    grad_b = delta.sum(axis=(0, 1, 2))
    H, W = X.shape[1:3]
    X[...] = 0
    for i in range(kh):
        for j in range(kw):
            X += wide[:, kh - 1 - i:kh - 1 - i + H, kw - 1 - j:kw - 1 - j + W] * K[i, j]
    return X, grad_K, grad_b


# %% 9.8 all jumps first
def receptive_field(layers):
    jumps = np.cumprod([1] + [stride for _, stride, _ in layers])
    wider = [(k - 1) * d * j for (k, _, d), j in zip(layers, jumps)]
    return [1 + sum(wider), jumps[-1]]


# %% 9.8 backward: the size of what a unit needs, layer by layer, consuming the list
def receptive_field(layers):
    size, jump = 1, 1
    while layers:
        kernel, stride, dilation = layers.pop()
        size = (size - 1) * stride + (kernel - 1) * dilation + 1
        jump *= stride
    return size, jump


# %% 9.11 kernel by kernel, lists
def fold(K, b, gamma, beta, mean, var, eps=1e-3):
    kernels, biases = [], []
    for o in range(len(b)):
        sigma = (var[o] + eps) ** 0.5
        kernels.append(K[..., o] * gamma[o] / sigma)
        biases.append(beta[o] + gamma[o] * (b[o] - mean[o]) / sigma)
    return np.stack(kernels, axis=-1), biases


# %% 9.11 in place, in float32
def fold(K, b, gamma, beta, mean, var, eps=1e-3):
    K, b = K.astype(np.float32), b.astype(np.float32)
    scale = (gamma * (var + eps) ** -0.5).astype(np.float32)
    K *= scale
    b -= mean
    b *= scale
    b += beta
    return K, b
