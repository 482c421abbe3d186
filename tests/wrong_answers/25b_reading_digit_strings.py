# Wrong answers that the checks of 25b_reading_digit_strings must refuse: each cell replaces an exercise cell.

# %% 25b.1a drops the blanks first, then joins
def collapse(path):
    kept = [int(k) for k in path if k != 0]
    return [k for i, k in enumerate(kept) if i == 0 or k != kept[i - 1]]

# %% 25b.1a joins only: if number not in (0, before): → if number != before:

# %% 25b.1a drops the blanks only: if number not in (0, before): → if number != 0:

# %% 25b.1a every label once: if number not in (0, before): → if number and number not in read:

# %% 25b.1a remembers the last label, not the last number: before = number → before = number or before

# %% 25b.1a back to digits: read.append(int(number)) → read.append(int(number) - 1)

# %% 25b.1a the blank is the last class: (0, before) → (10, before)

# %% 25b.1b one 7 at one step only: return 6, 5 → return 3, 5

# %% 25b.1b all but one path: return 6, 5 → return 7, 5

# %% 25b.1b the sevens side by side: return 6, 5 → return 6, 3

# %% 25b.1b any two sevens: return 6, 5 → return 6, 6

# %% 25b.1b the path of four steps with two blanks between is forgotten: return 6, 5 → return 6, 4

# %% 25b.2 jumps always: jump[3::2] = np.where(places[3::2] != places[1:-2:2], 0, -np.inf) → jump[2:] = 0

# %% 25b.2 jumps onto labels, also equal ones: np.where(places[3::2] != places[1:-2:2], 0, -np.inf) → 0

# %% 25b.2 never jumps: np.where(places[3::2] != places[1:-2:2], 0, -np.inf) → -np.inf

# %% 25b.2 begins with a blank: alpha[:2] = log_p[0][places[:2]] → alpha[:1] = log_p[0][places[:1]]

# %% 25b.2 begins with a label: alpha[:2] = log_p[0][places[:2]] → alpha[1:2] = log_p[0][places[1:2]]

# %% 25b.2 ends with a blank: np.logaddexp.reduce(alpha[-2:]) → alpha[-1]

# %% 25b.2 ends anywhere: np.logaddexp.reduce(alpha[-2:]) → np.logaddexp.reduce(alpha)

# %% 25b.2 the best path only: np.logaddexp → np.maximum

# %% 25b.2 probabilities added as logarithms: np.logaddexp(new[1:], alpha[:-1]) → new[1:] + alpha[:-1]

# %% 25b.2 the first step counted twice: for step in log_p[1:]: → for step in log_p:

# %% 25b.2 the loss, not log P: return np.logaddexp → return -np.logaddexp

# %% 25b.2 no blanks between: places[1::2] = labels → places[1::2] = labels; places[2::2] = labels

# %% 25b.2 products of probabilities, too small for a computer
def log_probability(log_p, labels):
    p = np.exp(log_p)
    places = np.zeros(2 * len(labels) + 1, int)
    places[1::2] = labels
    alpha = np.zeros(len(places))
    alpha[:2] = p[0][places[:2]]
    for step in p[1:]:
        new = alpha.copy()
        new[1:] += alpha[:-1]
        for s in range(3, len(places), 2):
            if places[s] != places[s - 2]:
                new[s] += alpha[s - 2]
        alpha = new * step[places]
    with np.errstate(divide="ignore"):
        return np.log(alpha[-2:].sum())

# %% 25b.4 replacements only
def edits(a, b):
    return sum(x != y for x, y in zip(a, b)) + abs(len(a) - len(b))

# %% 25b.4 no replacements: + (a[i - 1] != b[j - 1]) → + 2 * (a[i - 1] != b[j - 1])

# %% 25b.4 replacements cost nothing: + (a[i - 1] != b[j - 1]) → + 0

# %% 25b.4 every step on the diagonal costs: + (a[i - 1] != b[j - 1]) → + 1

# %% 25b.4 the first row is zero: table[0] = np.arange(len(a) + 1), np.arange(len(b) + 1) → table[0] = np.arange(len(a) + 1), 0

# %% 25b.4 insertions cost nothing: table[i, j - 1] + 1 → table[i, j - 1]

# %% 25b.4 deletions only
def edits(a, b):
    return abs(len(a) - len(b))

# %% 25b.4 compares sets
def edits(a, b):
    return len(set(a) ^ set(b))

# %% 25b.3 the digit is its number: np.array(row, int) + 1 → np.array(row, int)

# %% 25b.3 the padding becomes 1, too
def targets(said, width):
    table = np.zeros((len(said), width), int)
    for i, row in enumerate(said):
        table[i, : len(row)] = row
    return table + 1

# %% 25b.3 filled up with -1: np.zeros((len(said), width), int) → np.full((len(said), width), -1)

# %% 25b.3 filled up in front: table[i, : len(row)] → table[i, width - len(row) :]

# %% 25b.3 the zero alone gets another number
def targets(said, width):
    return np.array([[d if d else 10 for d in row] + [0] * (width - len(row)) for row in said])

# %% 25b.3 decimals: width), int) → width))

# %% 25b.3 as wide as the longest: (len(said), width) → (len(said), max(map(len, said)))

# %% 25b.2 a small number in place of log 0
def log_probability(log_p, labels):
    places = np.zeros(2 * len(labels) + 1, int)
    places[1::2] = labels
    jump = np.full(len(places), -100.0)
    jump[3::2] = np.where(places[3::2] != places[1:-2:2], 0, -100.0)
    alpha = np.full(len(places), -100.0)
    alpha[:2] = log_p[0][places[:2]]
    for step in log_p[1:]:
        new = alpha.copy()
        new[1:] = np.logaddexp(new[1:], alpha[:-1])
        new[2:] = np.logaddexp(new[2:], alpha[:-2] + jump[2:])
        alpha = new + step[places]
    return np.logaddexp.reduce(alpha[-2:])

# %% 25b.4 what a text comparison finds, not the fewest
def edits(a, b):
    import difflib

    codes = difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in codes if tag != "equal")
