# Plausible mistakes for each exercise of notebook 01. Each cell replaces the exercise cell whole;
# the exercise's check must reject it.

# %% 1.2 forgets the biases
def smallest_width(target):
    return -(-target // 794)

# %% 1.2 rounds down
def smallest_width(target):
    return (target - 10) // 795

# %% 1.2 always adds one
def smallest_width(target):
    return (target - 10) // 795 + 1

# %% 1.2 forgets the output's biases
def smallest_width(target):
    return -(-target // 795)

# %% 1.2 counts the inputs only
def smallest_width(target):
    return -(-target // 785)

# %% 1.3 forgets that the image shrinks
def convnet_parameters(channels, side, classes):
    shapes = []
    for c_in, c_out in zip(channels, channels[1:]):
        shapes += conv(3, c_in, c_out)
    return count(shapes + dense(side * side * channels[-1], classes))

# %% 1.3 leaves the biases of the convolutions out
def convnet_parameters(channels, side, classes):
    shapes = []
    for c_in, c_out in zip(channels, channels[1:]):
        shapes += conv(3, c_in, c_out, bias=False)
        side //= 2
    return count(shapes + dense(side * side * channels[-1], classes))

# %% 1.3 averages over the pixels before the dense layer
def convnet_parameters(channels, side, classes):
    shapes = []
    for c_in, c_out in zip(channels, channels[1:]):
        shapes += conv(3, c_in, c_out)
    return count(shapes + dense(channels[-1], classes))

# %% 1.3 gives every pixel its own window
def convnet_parameters(channels, side, classes):
    total = 0
    for c_in, c_out in zip(channels, channels[1:]):
        total += count(conv(3, c_in, c_out)) * side * side
        side //= 2
    return total + count(dense(side * side * channels[-1], classes))

# %% 1.4 takes two arrays in the feed-forward part
def llama_parameters(layers, d, d_ff, vocabulary):
    one = dense(d, d, bias=False) * 4 + dense(d, d_ff, bias=False) * 2 + [(d,)] * 2
    return count(one * layers + [(vocabulary, d)] * 2 + [(d,)])

# %% 1.4 counts the tokens' array once
def llama_parameters(layers, d, d_ff, vocabulary):
    one = dense(d, d, bias=False) * 4 + dense(d, d_ff, bias=False) * 3 + [(d,)] * 2
    return count(one * layers + [(vocabulary, d)] + [(d,)])

# %% 1.4 keeps the biases
def llama_parameters(layers, d, d_ff, vocabulary):
    one = dense(d, d) * 4 + dense(d, d_ff) * 2 + dense(d_ff, d) + [(d,)] * 2
    return count(one * layers + [(vocabulary, d)] * 2 + [(d,)])

# %% 1.4 gives the normalizations a shift as well
def llama_parameters(layers, d, d_ff, vocabulary):
    one = dense(d, d, bias=False) * 4 + dense(d, d_ff, bias=False) * 3 + norm(d) * 2
    return count(one * layers + [(vocabulary, d)] * 2 + norm(d))

# %% 1.4 forgets the last normalization
def llama_parameters(layers, d, d_ff, vocabulary):
    one = dense(d, d, bias=False) * 4 + dense(d, d_ff, bias=False) * 3 + [(d,)] * 2
    return count(one * layers + [(vocabulary, d)] * 2)

# %% 1.5 solves for the printed number itself
def vocabulary_range(layers, d, printed):
    exact = (printed * 10**6 - count(gpt(layers, d, vocabulary=0))) // d
    return exact, exact

# %% 1.5 allows a whole million on both sides
def vocabulary_range(layers, d, printed):
    fixed = count(gpt(layers, d, vocabulary=0))
    return (printed * 10**6 - 10**6 - fixed) // d, (printed * 10**6 + 10**6 - fixed) // d

# %% 1.5 rounds both ends down
def vocabulary_range(layers, d, printed):
    fixed = count(gpt(layers, d, vocabulary=0))
    low, high = printed * 10**6 - 500_000 - fixed, printed * 10**6 + 500_000 - fixed
    return low // d, high // d

# %% 1.5 leaves out the blocks' biases and normalizations
def vocabulary_range(layers, d, printed):
    fixed = 12 * layers * d * d + 1024 * d
    low, high = printed * 10**6 - 500_000 - fixed, printed * 10**6 + 500_000 - fixed
    return -(-low // d), high // d

# %% 1.5 a bound one parameter too tight: 500_000 - fixed → 499_999 - fixed

# %% 1.6 keeps the keys only
def tokens_that_fit(memory, weights, layers, kv_heads, d_head, size):
    return max(0, (memory - weights) // (layers * kv_heads * d_head * size))

# %% 1.6 forgets the weights
def tokens_that_fit(memory, weights, layers, kv_heads, d_head, size):
    return memory // (2 * layers * kv_heads * d_head * size)

# %% 1.6 gives a negative number where the weights don't fit
def tokens_that_fit(memory, weights, layers, kv_heads, d_head, size):
    return (memory - weights) // (2 * layers * kv_heads * d_head * size)

# %% 1.6 doesn't round down
def tokens_that_fit(memory, weights, layers, kv_heads, d_head, size):
    return max(0, (memory - weights) / (2 * layers * kv_heads * d_head * size))

# %% 1.6 always takes two bytes
def tokens_that_fit(memory, weights, layers, kv_heads, d_head, size):
    return max(0, (memory - weights) // (2 * layers * kv_heads * d_head * 2))

# %% 1.7 uses the rule of six
def mlp_training_flops(widths, batch):
    return 6 * batch * sum(a * b for a, b in zip(widths, widths[1:]))

# %% 1.7 forgets the additions
def mlp_training_flops(widths, batch):
    all_weights = sum(a * b for a, b in zip(widths, widths[1:]))
    return batch * (3 * all_weights - widths[0] * widths[1])

# %% 1.7 gives the discount to the last layer
def mlp_training_flops(widths, batch):
    all_weights = sum(a * b for a, b in zip(widths, widths[1:]))
    return batch * (6 * all_weights - 2 * widths[-2] * widths[-1])

# %% 1.7 counts the biases as well
def mlp_training_flops(widths, batch):
    all_weights = sum(a * b + b for a, b in zip(widths, widths[1:]))
    return batch * (6 * all_weights - 2 * widths[0] * widths[1])

# %% 1.7 forgets the batch
def mlp_training_flops(widths, batch):
    all_weights = sum(a * b for a, b in zip(widths, widths[1:]))
    return 6 * all_weights - 2 * widths[0] * widths[1]

# %% 1.9 takes twenty tokens per parameter
def compute_optimal(C, A, B, alpha, beta):
    N = (C / 120) ** 0.5
    return N, 20 * N

# %% 1.9 has alpha in the exponent
def compute_optimal(C, A, B, alpha, beta):
    N = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (C / 6) ** (alpha / (alpha + beta))
    return N, C / (6 * N)

# %% 1.9 forgets the six
def compute_optimal(C, A, B, alpha, beta):
    N = (alpha * A / (beta * B) * C**beta) ** (1 / (alpha + beta))
    return N, C / N

# %% 1.9 makes the two terms equal
def compute_optimal(C, A, B, alpha, beta):
    N = (A / B * (C / 6) ** beta) ** (1 / (alpha + beta))
    return N, C / (6 * N)

# %% 1.9 returns tokens first
def compute_optimal(C, A, B, alpha, beta):
    N = (alpha * A / (beta * B) * (C / 6) ** beta) ** (1 / (alpha + beta))
    return C / (6 * N), N
