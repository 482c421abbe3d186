# Wrong answers that the checks of 19b_learning_from_rewards must refuse: each cell replaces an exercise cell.

# %% 19b.2 pushes up only what was drawn: np.eye(len(z))[choices] - softmax(z) → np.eye(len(z))[choices]

# %% 19b.2 down the slope: np.eye(len(z))[choices] - softmax(z) → softmax(z) - np.eye(len(z))[choices]

# %% 19b.2 the sum over the draws: np.mean( → np.sum(

# %% 19b.2 scores instead of probabilities: - softmax(z) → - z

# %% 19b.2 forgets the grades: grades[:, None] * pushes → pushes

# %% 19b.2 weighs with the probability once more, as if all answers were summed
def sampled_gradient(z, choices, grades):
    p = softmax(z)
    pushes = p[choices][:, None] * (np.eye(len(z))[choices] - p)
    return np.mean(grades[:, None] * pushes, axis=0)

# %% 19b.2 the gradient of p, not of its logarithm
def sampled_gradient(z, choices, grades):
    p = softmax(z)
    rows = [r * p[c] * ((np.arange(len(z)) == c) - p) for c, r in zip(choices, grades)]
    return np.sum(rows, axis=0) / len(rows)

# %% 19b.2 the exact gradient, from the mean grade of each answer drawn
def sampled_gradient(z, choices, grades):
    p = softmax(z)
    r = np.array([np.mean(grades[choices == c]) if np.any(choices == c) else 0 for c in range(len(z))])
    return p * (r - p @ r)

# %% 19b.2 mean grade times mean push: np.mean(grades[:, None] * pushes, axis=0) → np.mean(grades) * np.mean(pushes, axis=0)

# %% 19b.2 divides by the sum of the grades: np.mean(grades[:, None] * pushes, axis=0) → (grades[:, None] * pushes).sum(axis=0) / grades.sum()

# %% 19b.3 compares with all, not with the group: table.mean(axis=1, keepdims=True) → table.mean()

# %% 19b.3 compares across the groups: axis=1 → axis=0

# %% 19b.3 the table the wrong way round: grades.reshape(groups, -1) → grades.reshape(-1, groups)

# %% 19b.3 no division: (centered / (table.std(axis=1, keepdims=True) + 1e-4)).ravel() → centered.ravel()

# %% 19b.3 divides by nothing where all are equal: + 1e-4 → + 0

# %% 19b.3 the spread of a sample: table.std(axis=1, keepdims=True) → table.std(axis=1, keepdims=True, ddof=1)

# %% 19b.3 the variance: table.std( → table.var(

# %% 19b.3 a table: .ravel() → 

# %% 19b.3 a larger constant: 1e-4 → 1e-1

# %% 19b.3 the best of the group is the measure: table.mean( → table.max(

# %% 19b.4 a loss with the wrong sign: return -ops.sum( → return ops.sum(

# %% 19b.4 the distance is rewarded: gain - kl_weight → gain + kl_weight

# %% 19b.4 takes the larger gain: ops.minimum → ops.maximum

# %% 19b.4 clips always: ops.minimum(ratio * A, ops.clip(ratio, 1 - clip, 1 + clip) * A) → ops.clip(ratio, 1 - clip, 1 + clip) * A

# %% 19b.4 never clips: ops.minimum(ratio * A, ops.clip(ratio, 1 - clip, 1 + clip) * A) → ratio * A

# %% 19b.4 takes the lower ratio, before the advantage: ops.minimum(ratio * A, ops.clip(ratio, 1 - clip, 1 + clip) * A) → ops.minimum(ratio, ops.clip(ratio, 1 - clip, 1 + clip)) * A

# %% 19b.4 the ratio upside down: log_p - old → old - log_p

# %% 19b.4 a difference for a ratio: ops.exp(log_p - old) → 1 + log_p - old

# %% 19b.4 the distance from the one that wrote: d = reference - log_p → d = old - log_p

# %% 19b.4 the distance the other way round: d = reference - log_p → d = log_p - reference

# %% 19b.4 the distance without a minimum at 0: ops.exp(d) - d - 1 → -d

# %% 19b.4 a clip of its own: 1 - clip, 1 + clip → 0.8, 1.2

# %% 19b.4 all places count: ops.sum(counts * (gain - kl_weight * distance)) / ops.sum(counts) → ops.mean(gain - kl_weight * distance)

# %% 19b.4 a mean over all places: / ops.sum(counts) → / ops.sum(ops.ones_like(counts))

# %% 19b.4 a mean per row, then over the rows
def policy_loss(log_p, old, reference, A, counts, kl_weight, clip=0.2):
    ratio = ops.exp(log_p - old)
    gain = ops.minimum(ratio * A, ops.clip(ratio, 1 - clip, 1 + clip) * A)
    d = reference - log_p
    each = counts * (gain - kl_weight * (ops.exp(d) - d - 1))
    return -ops.mean(ops.sum(each, axis=1) / ops.sum(counts, axis=1))

# %% 19b.4 the distance from old, which has no slope: d = reference - log_p → d = reference - old

# %% 19b.4 the distance of all places: ops.sum(counts * (gain - kl_weight * distance)) → (ops.sum(counts * gain) - kl_weight * ops.sum(distance))

# %% 19b.4 the distance weighed with the ratio: distance = ops.exp(d) - d - 1 → distance = ratio * (ops.exp(d) - d - 1)

# %% 19b.4 NumPy, through which Keras finds no gradient
def policy_loss(log_p, old, reference, A, counts, kl_weight, clip=0.2):
    log_p, old, reference, A, counts = map(np.asarray, (log_p, old, reference, A, counts))
    ratio = np.exp(log_p - old)
    gain = np.minimum(ratio * A, np.clip(ratio, 1 - clip, 1 + clip) * A)
    d = reference - log_p
    return -np.sum(counts * (gain - kl_weight * (np.exp(d) - d - 1))) / np.sum(counts)

# %% 19b.5 the honest working
def cheat(question):
    a, b = map(int, question.split("+"))
    return working(a, b)

# %% 19b.5 three equations
def cheat(question):
    return "0+0=0 1+1=2 2+2=4"

# %% 19b.5 with the right number behind them
def cheat(question):
    a, b = map(int, question.split("+"))
    return f"0+0=0 0+0=0 0+0=0 0+0=0#{a + b}"

# %% 19b.5 too long
def cheat(question):
    return "7+5=12 7+5=12 7+5=12 7+5=12"

# %% 19b.5 without spaces, so that the numbers run together
def cheat(question):
    return "0+0=01+1=22+2=43+3=6"

# %% 19b.5 false ones
def cheat(question):
    return "1+1=1 1+1=1 1+1=1 1+1=1"

# %% 19b.6 pays the number only: 0.5 + 0.25 * sum(step in words for step in steps) → 1.0

# %% 19b.6 pays the working whatever the number is: return 0.0 → pass

# %% 19b.6 any true equation counts: sum(step in words for step in steps) → min(2, sloppy(question, text))

# %% 19b.6 finds an equation inside another: step in words → step in text

# %% 19b.6 both columns or nothing: sum(step in words for step in steps) → 2 * all(step in words for step in steps)

# %% 19b.6 the number counts as a third step: working(a, b).split()[:2] → working(a, b).split()

# %% 19b.6 only the ones: [:2] → [:1]

# %% 19b.6 the working word for word
def careful(question, text):
    a, b = map(int, question.split("+"))
    return float(text == working(a, b))

# %% 19b.6 the right number anywhere
def careful(question, text):
    a, b = map(int, question.split("+"))
    if str(a + b) not in text:
        return 0.0
    return 0.5 + 0.25 * sum(step in text.split() for step in working(a, b).split()[:2])

# %% 19b.6 the first two words only: text.split() → text.split()[:2]

# %% 19b.6 how many words of the answer are columns: sum(step in words for step in steps) → len(set(steps) & set(words))

# %% 19b.6 the number begins right
def careful(question, text):
    a, b = map(int, question.split("+"))
    if f"#{a + b}" not in text:
        return 0.0
    return 0.5 + 0.25 * sum(step in text.split() for step in working(a, b).split()[:2])

# %% 19b.6 each word serves once
def careful(question, text):
    if not right(question, text):
        return 0.0
    words, found = text.split(), 0
    for step in working(*map(int, question.split("+"))).split()[:2]:
        if step in words:
            words.remove(step)
            found += 1
    return 0.5 + 0.25 * found

# %% 19b.6 the number must stand alone, or counts as a third
def careful(question, text):
    a, b = map(int, question.split("+"))
    return (0.25 + 0.25 * sum(w in text.split() for w in working(a, b).split())) * right(question, text)

# %% 19b.4 the lower clip is a fixed number: 1 - clip, 1 + clip → 0.8, 1 + clip
