# Plausible mistakes for each exercise of notebook 09. The exercise's check must refuse each.

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


# %% 9.2 correlates, so that the kernel is turned: f[i, j] → f[-1 - i, -1 - j]
# %% 9.2 the last copy wins where copies overlap: += f[i, j] → = f[i, j]
# %% 9.4 forgets that the floor lets several sizes through: list(range(s * (m - 1) + k, s * m + k)) → [s * (m - 1) + k]
# %% 9.4 one size too many: s * m + k → s * m + k + 1
# %% 9.4 takes the kernel for the stride
def inputs_of(m, k, s):
    return list(range(k * (m - 1) + s, k * m + s))


# %% 9.5 forgets the stride in the slices: moved = X[:, i:i + stride * h:stride, j:j + stride * w:stride] → moved = X[:, i:i + h, j:j + w]
# %% 9.5 adds the bias once per kernel entry: Z += moved @ K[i, j] → Z += moved @ K[i, j] + b / 2
# %% 9.5 forgets the bias: np.zeros((B, h, w, O)) + b → np.zeros((B, h, w, O))
# %% 9.5 turns the kernel, as a mathematician would: @ K[i, j] → @ K[kh - 1 - i, kw - 1 - j]
# %% 9.5 takes height for width: for i, j in np.ndindex(kh, kw) → for i, j in np.ndindex(kw, kh)
# %% 9.6 averages the kernel's gradient over the batch: * delta).sum(axis=(0, 1, 2)) → * delta).sum(axis=(1, 2)).mean(axis=0)
# %% 9.6 overlapping windows overwrite each other: += delta * K[i, j] → = delta * K[i, j]
# %% 9.6 mixes the channels in the bias: delta.sum(axis=(0, 1, 2)) → delta.sum()
# %% 9.6 mirrors the kernel on the way back: += delta * K[i, j] → += delta * K[-1 - i, -1 - j]
# %% 9.8 multiplies by the jump after this layer's stride
def receptive_field(layers):
    size, jump = 1, 1
    for kernel, stride, dilation in layers:
        jump *= stride
        size += (kernel - 1) * dilation * jump
    return size, jump


# %% 9.8 forgets the jump: (kernel - 1) * dilation * jump → (kernel - 1) * dilation
# %% 9.8 forgets the dilation: (kernel - 1) * dilation * jump → (kernel - 1) * jump
# %% 9.8 dilation stretches the whole kernel: (kernel - 1) * dilation → (kernel * dilation - 1)
# %% 9.11 forgets that the bias is scaled too: (b - mean) * scale + beta → b - mean * scale + beta
# %% 9.11 takes the variance for the standard deviation: np.sqrt(var + eps) → (var + eps)
# %% 9.11 adds epsilon after the root: np.sqrt(var + eps) → (np.sqrt(var) + eps)
# %% 9.11 forgets epsilon, so that a constant channel divides by zero: np.sqrt(var + eps) → np.sqrt(var)
# %% 9.11 scales input channels in place of kernels: K * scale → K * scale[:3, None]
