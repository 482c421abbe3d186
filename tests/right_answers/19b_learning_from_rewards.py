# Right answers in another style, which the checks of 19b_learning_from_rewards must accept.

# %% 19b.2 draw by draw
def sampled_gradient(z, choices, grades):
    p, total = softmax(z), np.zeros(len(z))
    for choice, grade in zip(choices, grades):
        push = -p
        push[choice] += 1
        total += grade * push
    return total / len(choices)

# %% 19b.2 a matrix product
def sampled_gradient(z, choices, grades):
    hot = np.zeros((len(choices), len(z)))
    hot[np.arange(len(choices)), choices] = 1
    return grades @ (hot - softmax(z)) / len(grades)

# %% 19b.3 group by group, a list
def advantages(grades, groups):
    found = []
    for group in np.split(np.asarray(grades, float), groups):
        found.extend((group - np.mean(group)) / (np.std(group) + 1e-4))
    return np.array(found)

# %% 19b.3 in place, in float32
def advantages(grades, groups):
    table = np.asarray(grades, np.float32).reshape(groups, -1)
    spread = table.std(axis=1, keepdims=True)
    table -= table.mean(axis=1, keepdims=True)
    return (table / (spread + np.float32(1e-4))).reshape(-1)

# %% 19b.3 repeated means
def advantages(grades, groups):
    size = len(grades) // groups
    table = np.asarray(grades, np.float64).reshape(groups, size)
    mean, spread = (np.repeat(x, size) for x in (table.mean(1), table.std(1)))
    return (grades - mean) / (spread + 1e-4)

# %% 19b.4 two cases by the sign of the advantage
def policy_loss(log_p, old, reference, A, counts, kl_weight, clip=0.2):
    ratio = ops.exp(log_p - old)
    up = ops.minimum(ratio, 1 + clip) * A
    down = ops.maximum(ratio, 1 - clip) * A
    gain = ops.where(A >= 0, up, down)
    back = ops.exp(reference - log_p)
    distance = back - 1 - ops.log(back)
    return ops.sum((kl_weight * distance - gain) * counts) / ops.sum(counts)

# %% 19b.4 weights that sum to 1
def policy_loss(log_p, old, reference, A, counts, kl_weight, clip=0.2):
    weights = counts / ops.sum(counts)
    ratio = ops.exp(log_p) / ops.exp(old)
    clipped = ops.minimum(ops.maximum(ratio, 1 - clip), 1 + clip)
    gain = ops.where(ratio * A < clipped * A, ratio * A, clipped * A)
    d = reference - log_p
    return ops.sum(weights * kl_weight * (ops.expm1(d) - d)) - ops.sum(weights * gain)

# %% 19b.5 one equation again and again
def cheat(question):
    return " ".join(["1+1=2"] * 4)

# %% 19b.5 with a number at the end that is never right
def cheat(question):
    return "0+0=0#0+1=1#1+0=1#1+1=2"

# %% 19b.6 digit by digit
def careful(question, text):
    a, b = question.split("+")
    if not right(question, text):
        return 0
    ones = int(a[1]) + int(b[1])
    carry = "+1" if ones >= 10 else ""
    tens = int(a[0]) + int(b[0]) + (ones >= 10)
    words = set(text.split())
    grade = 0.5
    if f"{a[1]}+{b[1]}={ones}" in words:
        grade += 0.25
    if f"{a[0]}+{b[0]}{carry}={tens}" in words:
        grade += 0.25
    return grade
