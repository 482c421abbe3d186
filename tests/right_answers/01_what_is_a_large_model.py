# Right answers to the exercises of notebook 01 in another style than the solution's: each check must accept them.

# %% 1.2 tries one width after the other
def smallest_width(target):
    h = 1
    while 784 * h + h + 10 * h + 10 < target:
        h += 1
    return h

# %% 1.2 rounds up with math.ceil
import math

def smallest_width(target: int) -> int:
    return math.ceil((target - 10) / 795)

# %% 1.3 adds numbers instead of shapes
def convnet_parameters(channels, side, classes):
    total = 0
    for i in range(1, len(channels)):
        total += (9 * channels[i - 1] + 1) * channels[i]
    inputs = (side / 2 ** (len(channels) - 1)) ** 2 * channels[-1]
    return total + (inputs + 1) * classes

# %% 1.4 the formula of the hint
def llama_parameters(layers, d, d_ff, vocabulary):
    return 2 * vocabulary * d + d + layers * (4 * d**2 + 3 * d * d_ff + 2 * d)

# %% 1.5 searches all vocabularies at once
def vocabulary_range(layers, d, printed):
    totals = count(gpt(layers, d, vocabulary=0)) + np.arange(1_600_000) * d
    fits = np.flatnonzero(np.abs(totals - printed * 1_000_000) <= 500_000)
    return fits[0], fits[-1]

# %% 1.5 rounds with floor and ceil
def vocabulary_range(layers, d, printed):
    import math

    fixed = count(gpt(layers, d, vocabulary=0))
    return [math.ceil((printed * 10**6 - 500_000 - fixed) / d),
            math.floor((printed * 10**6 + 500_000 - fixed) / d)]

# %% 1.6 asks first whether the weights fit
def tokens_that_fit(memory, weights, layers, kv_heads, d_head, size):
    if weights >= memory:
        return 0
    tokens, _ = divmod(memory - weights, cache_per_token(layers, kv_heads, d_head, size))
    return int(tokens)

# %% 1.7 layer by layer
def mlp_training_flops(widths, batch):
    total = 0
    for i in range(len(widths) - 1):
        products = 2 if i == 0 else 3
        total += products * 2 * batch * widths[i] * widths[i + 1]
    return total

# %% 1.7 with arrays
def mlp_training_flops(widths, batch):
    w = np.array(widths)
    weights = w[:-1] * w[1:]
    return 6 * batch * weights.sum() - 2 * batch * weights[0]

# %% 1.9 N and D as powers of C, as the paper prints them
def compute_optimal(C, A, B, alpha, beta):
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    return G * (C / 6) ** (beta / (alpha + beta)), (C / 6) ** (alpha / (alpha + beta)) / G
