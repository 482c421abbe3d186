# Wrong answers that the checks of 22b_tagging_words must refuse: each cell replaces an exercise cell.

# %% 22b.1a without the full stop: "SBEBMES" → "SBEBME"

# %% 22b.1a no M: "SBEBMES" → "SBEBEES"

# %% 22b.1a the full stop ends the word before: "SBEBMES" → "SBEBMME"

# %% 22b.1a the first one begins: "SBEBMES" → "BBEBMES"

# %% 22b.1b only at B: tag in "BS" → tag == "B"

# %% 22b.1b begins at E, too: tag in "BS" → tag in "BSE"

# %% 22b.1b fails on nonsense at the start: if tag in "BS" or not words: → if tag in "BS":

# %% 22b.1b loses what follows an end
def to_words(text, tags):
    words, inside = [], False
    for character, tag in zip(text, tags):
        if tag in "BS" or not words:
            words.append(character)
            inside = tag != "S"
        elif inside:
            words[-1] += character
            inside = tag != "E"
    return words

# %% 22b.1b a word begins after each end
def to_words(text, tags):
    words, ended = [], True
    for character, tag in zip(text, tags):
        if ended:
            words.append(character)
        else:
            words[-1] += character
        ended = tag in "ES"
    return words

# %% 22b.1b the tags are cut, not the text: words.append(character) → words.append(tag)

# %% 22b.2 a mean over the sentences
def span_f1(wanted, given):
    values = [2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0 for a, b in zip(wanted, given)]
    return sum(values) / len(values)

# %% 22b.2 all sentences thrown together
def span_f1(wanted, given):
    a, b = set().union(*wanted), set().union(*given)
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0

# %% 22b.2 without the 2: 2 * agreeing → agreeing

# %% 22b.2 recall: / both if both → / (2 * max(1, sum(map(len, wanted)))) if both

# %% 22b.2 precision: / both if both → / (2 * max(1, sum(map(len, given)))) if both

# %% 22b.2 empty is 0: else 1.0 → else 0.0

# %% 22b.2 the kind does not count
def span_f1(wanted, given):
    agreeing = sum(len({s[:2] for s in a} & {s[:2] for s in b}) for a, b in zip(wanted, given))
    both = sum(map(len, wanted)) + sum(map(len, given))
    return 2 * agreeing / both if both else 1.0

# %% 22b.2 divides by zero
def span_f1(wanted, given):
    agreeing = sum(len(a & b) for a, b in zip(wanted, given))
    p, r = agreeing / sum(map(len, given)), agreeing / sum(map(len, wanted))
    return 2 * p * r / (p + r)

# %% 22b.3 each tag alone
def best_path(S, A):
    return S.argmax(axis=1)

# %% 22b.3 greedy, from the left
def best_path(S, A):
    path = [int(S[0].argmax())]
    for scores in S[1:]:
        path.append(int((A[path[-1]] + scores).argmax()))
    return path

# %% 22b.3 from and to exchanged: V[:, None] + A → V[None, :] + A

# %% 22b.3 A turned round: V[:, None] + A  # (K, K): from j to k → V[:, None] + A.T

# %% 22b.3 the notes over the wrong axis: notes.append(through.argmax(axis=0)) → notes.append(through.argmax(axis=1))

# %% 22b.3 the path backwards: return path[::-1] → return path

# %% 22b.3 without the scores of the characters: through.max(axis=0) + scores → through.max(axis=0)

# %% 22b.3 the notes in the wrong order: reversed(notes) → notes

# %% 22b.3 best tag of each V, no notes followed
def best_path(S, A):
    V, path = S[0], [int(S[0].argmax())]
    for scores in S[1:]:
        V = (V[:, None] + A).max(axis=0) + scores
        path.append(int(V.argmax()))
    return path

# %% 22b.3 changes S
def best_path(S, A):
    notes = []
    for t in range(1, len(S)):
        through = S[t - 1][:, None] + A
        notes.append(through.argmax(axis=0))
        S[t] += through.max(axis=0)
    path = [int(S[-1].argmax())]
    for note in reversed(notes):
        path.append(int(note[path[-1]]))
    return path[::-1]

# %% 22b.4 pairs that occur twice count once: np.add.at(A, (tags[:-1], tags[1:]), change) → A[tags[:-1], tags[1:]] += change

# %% 22b.4 features that occur twice count once: np.add.at(W, (rows, tags[:, None]), change) → W[rows, tags[:, None]] += change

# %% 22b.4 the guess is not taken back
def step(W, A, rows, truth, guess, size=1.0):
    np.add.at(W, (rows, np.asarray(truth)[:, None]), size)
    np.add.at(A, (truth[:-1], truth[1:]), size)

# %% 22b.4 the wrong way: change in ((np.asarray(truth), size), (np.asarray(guess), -size)) → change in ((np.asarray(truth), -size), (np.asarray(guess), size))

# %% 22b.4 size is forgotten: np.add.at(A, (tags[:-1], tags[1:]), change) → np.add.at(A, (tags[:-1], tags[1:]), np.sign(change))

# %% 22b.4 from and to exchanged: (tags[:-1], tags[1:]) → (tags[1:], tags[:-1])

# %% 22b.4 without the pairs: np.add.at(A, (tags[:-1], tags[1:]), change) → pass

# %% 22b.4 changed copies, returned
def step(W, A, rows, truth, guess, size=1.0):
    W, A = W.copy(), A.copy()
    for tags, change in ((np.asarray(truth), size), (np.asarray(guess), -size)):
        np.add.at(W, (rows, tags[:, None]), change)
        np.add.at(A, (tags[:-1], tags[1:]), change)
    return W, A

# %% 22b.4 pairs only where the tag is wrong
def step(W, A, rows, truth, guess, size=1.0):
    for t in range(len(truth)):
        if truth[t] != guess[t]:
            for row in rows[t]:
                W[row, truth[t]] += size
                W[row, guess[t]] -= size
            if t:
                A[truth[t - 1], truth[t]] += size
                A[guess[t - 1], guess[t]] -= size

# %% 22b.5 I never begins: elif begin != "O" → elif begin == "B"

# %% 22b.5 the kind may change: found[-1][1:] == (i, kind) → found[-1][1] == i

# %% 22b.5 over a gap: found[-1][1:] == (i, kind) → found[-1][2] == kind

# %% 22b.5 B goes on, too: begin == "I" and found → begin != "O" and found

# %% 22b.5 the end is the last token
def entities(tags):
    found = []
    for i, tag in enumerate(tags):
        begin, _, kind = tag.partition("-")
        if begin == "I" and found and found[-1][1:] == (i - 1, kind):
            found[-1] = (found[-1][0], i, kind)
        elif begin != "O":
            found.append((i, i, kind))
    return set(found)

# %% 22b.5 a list: return set(found) → return found

# %% 22b.5 every token for itself
def entities(tags):
    return {(i, i + 1, tag[2:]) for i, tag in enumerate(tags) if tag != "O"}

# %% 22b.5 loses an entity at the end
def entities(tags):
    found, start = set(), None
    for i, tag in enumerate(tags):
        if start is not None and tag != "I-" + tags[start][2:]:
            found.add((start, i, tags[start][2:]))
            start = None
        if start is None and tag != "O":
            start = i
    return found

# %% 22b.3 a loop that begins at -100
def best_path(S, A):
    V, notes = list(S[0]), []
    for scores in S[1:]:
        new, note = [], []
        for k in range(len(V)):
            best, at = -100.0, 0
            for j in range(len(V)):
                if V[j] + A[j][k] > best:
                    best, at = V[j] + A[j][k], j
            new.append(best + scores[k])
            note.append(at)
        V = new
        notes.append(note)
    path = [int(np.argmax(V))]
    for note in reversed(notes):
        path.append(note[path[-1]])
    return path[::-1]
