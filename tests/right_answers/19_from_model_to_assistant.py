# Right answers in another style, which the checks of 19_from_model_to_assistant must accept.

# %% 19.2a an array of floats
def by_pencil():
    counts = np.zeros(7)
    counts[5:] = 1
    return counts

# %% 19.2a booleans
def by_pencil():
    return [False] * 5 + [True, True]

# %% 19.2b lists
def padded(tokens, first):
    if len(tokens) > T + 1:
        raise ValueError("too long")
    room = T + 1 - len(tokens)
    ids = list(tokens) + [TOKENS.special[END]] * room
    counts = [0] * (first - 1) + [1] * (len(tokens) - first) + [0] * room
    return ids, counts

# %% 19.2b a mask of places
def padded(tokens, first):
    tokens = np.asarray(tokens)
    ids = np.pad(tokens, (0, T + 1 - len(tokens)), constant_values=TOKENS.special[END])
    guessed = np.arange(1, T + 1)
    return ids, (guessed >= first) & (guessed < len(tokens))

# %% 19.3 split, and a list's last
def right(question, answer):
    parts = answer.split("#")
    return len(parts) > 1 and parts[-1] == str(sum(int(x) for x in question.split("+")))

# %% 19.3 a pattern
def right(question, answer):
    found = re.search(r"#([^#]*)\Z", answer)
    return bool(found) and found[1] == f"{sum(map(int, question.split('+')))}"

# %% 19.3 endswith
def right(question, answer):
    a, b = map(int, question.split("+"))
    return answer.endswith(f"#{a + b}")

# %% 19.4 a loop
def kept_answers(questions, answers):
    kept = []
    for i in range(len(questions)):
        chat = (questions[i], answers[i])
        if chat not in kept and right(*chat):
            kept.append(chat)
    return kept

# %% 19.4 filtered first
def kept_answers(questions, answers):
    return list(dict.fromkeys(chat for chat in zip(questions, answers) if right(*chat)))

# %% 19.5a one-hot
def answer_log_probability(logits, targets, counts):
    chosen = ops.one_hot(targets, logits.shape[-1])
    log_p = logits - ops.logsumexp(logits, axis=-1, keepdims=True)
    return ops.sum(ops.sum(log_p * chosen, axis=-1) * counts, axis=-1)

# %% 19.5a Keras' own cross-entropy
def answer_log_probability(logits, targets, counts):
    costs = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    return -ops.sum(costs * counts, axis=1)

# %% 19.5b softplus
def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta):
    better, worse = chosen - ref_chosen, rejected - ref_rejected
    return ops.mean(ops.softplus(beta * (worse - better)))

# %% 19.5b two logits of a softmax
def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta):
    two = beta * ops.stack([chosen - ref_chosen, rejected - ref_rejected], axis=1)
    return -ops.mean(ops.log_softmax(two, axis=1)[:, 0])

# %% 19.8 the larger first, other rests
def stays_out(a, b, tenths=1):
    return zlib.crc32(f"{max(a, b)} and {min(a, b)}".encode()) % 10 >= 10 - tenths

# %% 19.8 a generator with the pair as its seed
def stays_out(a, b, tenths=1):
    return np.random.default_rng(sorted([int(a), int(b)])).random() < tenths / 10
