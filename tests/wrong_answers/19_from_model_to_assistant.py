# Wrong answers that the checks of 19_from_model_to_assistant must refuse: each cell replaces an exercise cell.

# %% 19.2a everything but the padding counts: [0, 0, 0, 0, 0, 1, 1] → [1, 1, 1, 1, 1, 1, 1]

# %% 19.2a the end does not count: [0, 0, 0, 0, 0, 1, 1] → [0, 0, 0, 0, 0, 1, 0]

# %% 19.2a one early, at the mark <say>: [0, 0, 0, 0, 0, 1, 1] → [0, 0, 0, 0, 1, 1, 0]

# %% 19.2a eight tokens, not seven guesses: [0, 0, 0, 0, 0, 1, 1] → [0, 0, 0, 0, 0, 0, 1, 1]

# %% 19.2a the mark <say> is guessed, too: [0, 0, 0, 0, 0, 1, 1] → [0, 0, 0, 0, 1, 1, 1]

# %% 19.2b the place of the token, not of its guess: counts[first - 1 : len(tokens) - 1] → counts[first : len(tokens)]

# %% 19.2b the end does not count: counts[first - 1 : len(tokens) - 1] → counts[first - 1 : len(tokens) - 2]

# %% 19.2b the first guess is left out: counts[first - 1 : len(tokens) - 1] → counts[first : len(tokens) - 1]

# %% 19.2b the padding counts: counts[first - 1 : len(tokens) - 1] → counts[first - 1 :]

# %% 19.2b the question counts: counts[first - 1 : len(tokens) - 1] → counts[: len(tokens) - 1]

# %% 19.2b all but the end marks counts
def padded(tokens, first):
    ids = np.full(T + 1, TOKENS.special[END], int)
    ids[: len(tokens)] = tokens
    counts = (ids[1:] != TOKENS.special[END]).astype(float)
    counts[: first - 1] = 0
    return ids, counts

# %% 19.2b padded with 0: TOKENS.special[END] → 0

# %% 19.2b rows of T tokens
def padded(tokens, first):
    ids = np.full(T, TOKENS.special[END], int)
    ids[: len(tokens)] = tokens[:T]
    counts = np.zeros(T)
    counts[first - 1 : len(tokens) - 1] = 1
    return ids, counts

# %% 19.2b cuts off what is too long
def padded(tokens, first):
    tokens = tokens[: T + 1]
    ids = np.full(T + 1, TOKENS.special[END], int)
    ids[: len(tokens)] = tokens
    counts = np.zeros(T)
    counts[first - 1 : len(tokens) - 1] = 1
    return ids, counts

# %% 19.2b padded in front
def padded(tokens, first):
    room = T + 1 - len(tokens)
    ids = np.array([TOKENS.special[END]] * room + list(tokens))
    counts = np.zeros(T)
    counts[room + first - 1 :] = 1
    return ids, counts

# %% 19.2b floats: np.int32 → np.float32

# %% 19.2b counts of T + 1 places: counts = np.zeros(T → counts = np.zeros(T + 1

# %% 19.3 the number anywhere
def right(question, answer):
    a, b = question.split("+")
    return str(int(a) + int(b)) in answer

# %% 19.3 behind any #: answer.rpartition("#")[2] == str(int(a) + int(b)) → f"#{int(a) + int(b)}" in answer

# %% 19.3 the first #: answer.rpartition("#")[2] → answer.partition("#")[2]

# %% 19.3 no # is needed: "#" in answer and  → 

# %% 19.3 ends with the number: answer.rpartition("#")[2] == str(int(a) + int(b)) → answer.endswith(str(int(a) + int(b)))

# %% 19.3 begins with the number: answer.rpartition("#")[2] == str(int(a) + int(b)) → answer.rpartition("#")[2].startswith(str(int(a) + int(b)))

# %% 19.3 blanks do not matter: answer.rpartition("#")[2] == → answer.rpartition("#")[2].strip() ==

# %% 19.3 compares numbers
def right(question, answer):
    a, b = question.split("+")
    behind = answer.rpartition("#")[2]
    return "#" in answer and behind.strip().lstrip("+").isdigit() and int(behind) == int(a) + int(b)

# %% 19.3 stumbles over what is no number
def right(question, answer):
    a, b = question.split("+")
    return "#" in answer and int(answer.rpartition("#")[2]) == int(a) + int(b)

# %% 19.3 a number instead of a bool: return "#" in answer and answer.rpartition("#")[2] == str(int(a) + int(b)) → return 1.0 * ("#" in answer and answer.rpartition("#")[2] == str(int(a) + int(b)))

# %% 19.3 the texts side by side: str(int(a) + int(b)) → a + b

# %% 19.4 the wrong ones: if right(q, a) → if not right(q, a)

# %% 19.4 keeps all: if right(q, a) → if True

# %% 19.4 repetitions stay: dict.fromkeys(zip(questions, answers)) → list(zip(questions, answers))

# %% 19.4 one per question
def kept_answers(questions, answers):
    return list({q: (q, a) for q, a in zip(questions, answers) if right(q, a)}.values())

# %% 19.4 a set, in any order
def kept_answers(questions, answers):
    return set((q, a) for q, a in zip(questions, answers) if right(q, a))

# %% 19.4 sorted by length
def kept_answers(questions, answers):
    return sorted({(q, a) for q, a in zip(questions, answers) if right(q, a)}, key=lambda chat: -len(chat[1]))

# %% 19.4 the answers alone: [(q, a) for q, a → [a for q, a

# %% 19.4 the answer first: [(q, a) for q, a → [(a, q) for q, a

# %% 19.4 repetitions of an answer to another question are dropped
def kept_answers(questions, answers):
    kept, seen = [], set()
    for q, a in zip(questions, answers):
        if right(q, a) and a not in seen:
            seen.add(a)
            kept.append((q, a))
    return kept

# %% 19.5a everything counts: log_p * counts → log_p

# %% 19.5a the mean, so that long answers are not dear: ops.sum(log_p * counts, axis=1) → ops.sum(log_p * counts, axis=1) / ops.sum(counts, axis=1)

# %% 19.5a one number for all rows: , axis=1) → )

# %% 19.5a over the rows: axis=1 → axis=0

# %% 19.5a no softmax: ops.log_softmax(logits) → logits

# %% 19.5a probabilities: ops.log_softmax(logits) → ops.softmax(logits)

# %% 19.5a softmax over the places: ops.log_softmax(logits) → ops.log_softmax(logits, axis=1)

# %% 19.5a the cost, not the log-probability: return ops.sum( → return -ops.sum(

# %% 19.5a the likeliest token instead of the one that came
def answer_log_probability(logits, targets, counts):
    return ops.sum(ops.max(ops.log_softmax(logits), axis=2) * counts, axis=1)

# %% 19.5a NumPy, which Keras can't differentiate
def answer_log_probability(logits, targets, counts):
    logits = np.asarray(logits)
    log_p = logits - np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(-1, keepdims=True)) - logits.max(-1, keepdims=True)
    chosen = np.take_along_axis(log_p, np.asarray(targets)[..., None], axis=2)[..., 0]
    return (chosen * np.asarray(counts)).sum(axis=1)

# %% 19.5b worse minus better: (chosen - ref_chosen) - (rejected - ref_rejected) → (rejected - ref_rejected) - (chosen - ref_chosen)

# %% 19.5b without ref: (chosen - ref_chosen) - (rejected - ref_rejected) → chosen - rejected

# %% 19.5b ref added: (chosen - ref_chosen) - (rejected - ref_rejected) → (chosen - ref_chosen) - (rejected + ref_rejected)

# %% 19.5b both raised: (chosen - ref_chosen) - (rejected - ref_rejected) → (chosen - ref_chosen) + (rejected - ref_rejected)

# %% 19.5b the sign of the loss: -ops.mean( → ops.mean(

# %% 19.5b the sum: ops.mean( → ops.sum(

# %% 19.5b divided by beta: margin = beta * (( → margin = 1 / beta * ((

# %% 19.5b beta outside of the sigmoid
def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta):
    return -beta * ops.mean(ops.log_sigmoid((chosen - ref_chosen) - (rejected - ref_rejected)))

# %% 19.5b the mean inside of the sigmoid: -ops.mean(ops.log_sigmoid(margin)) → -ops.log_sigmoid(ops.mean(margin))

# %% 19.5b overflows: ops.log_sigmoid(margin) → ops.log(ops.sigmoid(margin))

# %% 19.5b the sigmoid, not its logarithm: ops.log_sigmoid(margin) → ops.sigmoid(margin)

# %% 19.5b one loss per pair: -ops.mean(ops.log_sigmoid(margin)) → -ops.log_sigmoid(margin)

# %% 19.5b NumPy's mean, which Keras can't compile: -ops.mean( → -np.mean(

# %% 19.5b a loop over the pairs
def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta):
    four = zip(chosen, rejected, ref_chosen, ref_rejected)
    losses = [-ops.log_sigmoid(beta * ((c - old_c) - (r - old_r))) for c, r, old_c, old_r in four]
    return sum(losses) / len(losses)

# %% 19.8 the digits side by side, where the last one decides
def stays_out(a, b, tenths=1):
    low, high = sorted((int(a), int(b)))
    return int(f"{low}{high}") % 10 < tenths

# %% 19.8 the last digit of the smaller number
def stays_out(a, b, tenths=1):
    return min(a, b) % 10 < tenths

# %% 19.8 of the total's text, so that equal totals go together: f"{low}+{high}" → f"{low + high}"

# %% 19.8 the colleague's function
def stays_out(a, b, tenths=1):
    return (7919 * a + 104729 * b) % 10 < tenths

# %% 19.8 twins apart: low, high = sorted((int(a), int(b))) → low, high = int(a), int(b)

# %% 19.8 twins together, by the last digit of the sum
def stays_out(a, b, tenths=1):
    return (a + b) % 10 < tenths

# %% 19.8 by the last digit of the product
def stays_out(a, b, tenths=1):
    return (a * b) % 10 < tenths

# %% 19.8 by chance, another one at each call
def stays_out(a, b, tenths=1):
    return np.random.default_rng().random() < tenths / 10

# %% 19.8 always a tenth: < tenths → == 0

# %% 19.8 one tenth too many: < tenths → <= tenths

# %% 19.8 what is learned, not what is held out: < tenths → >= tenths

# %% 19.8 of the sum's text, so that equal sums go together
def stays_out(a, b, tenths=1):
    return zlib.crc32(f"{a - b}".encode()) % 10 < tenths

# %% 19.8 the large sums
def stays_out(a, b, tenths=1):
    return a + b > 198 - 16 * tenths
