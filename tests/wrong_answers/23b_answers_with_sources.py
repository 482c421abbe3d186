# Wrong answers that the checks of 23b_answers_with_sources must refuse: each cell replaces an exercise cell.

# %% 23b.1 the number of shared words: rarity(holds.sum(), len(lists)) * holds → holds

# %% 23b.1 repeated words count again: sorted(set(asked)) → asked

# %% 23b.1 the last of equals
def best_sentence(asked, lists):
    scores = np.zeros(len(lists))
    for word in set(asked):
        holds = np.array([word in part for part in lists])
        scores += rarity(holds.sum(), len(lists)) * holds
    return len(lists) - 1 - int(np.argmax(scores[::-1]))

# %% 23b.1 how often a sentence says a word: [word in part for part in lists] → [part.count(word) for part in lists]

# %% 23b.1 the sentence, not its place: return int(np.argmax(scores)) → return lists[int(np.argmax(scores))]

# %% 23b.1 the worst: np.argmax → np.argmin

# %% 23b.1 the longest
def best_sentence(asked, lists):
    return int(np.argmax([len(part) for part in lists]))

# %% 23b.1 divided by the sentence's length
def best_sentence(asked, lists):
    scores = np.zeros(len(lists))
    for word in set(asked):
        holds = np.array([word in part for part in lists])
        scores += rarity(holds.sum(), len(lists)) * holds
    return int(np.argmax(scores / np.array([1 + len(part) ** 2 for part in lists])))

# %% 23b.2 words as a set
def em_and_f1(given, answers):
    def f1(wanted):
        agreeing = len(set(given) & set(wanted))
        return 2 * agreeing / max(1, len(set(given)) + len(set(wanted)))
    return float(given in answers), max(map(f1, answers))

# %% 23b.2 order does not count: given) in [list(a) for a in answers] → sorted(given)) in [sorted(a) for a in answers]

# %% 23b.2 only the first answer: max(map(f1, answers)) → f1(answers[0])

# %% 23b.2 the worst answer: max(map → min(map

# %% 23b.2 without the 2: 2 * agreeing → agreeing

# %% 23b.2 recall: 2 * agreeing / both → agreeing / max(1, len(wanted))

# %% 23b.2 two empty lists: else 1.0 → else 0.0

# %% 23b.2 fails on empty lists
def em_and_f1(given, answers):
    def f1(wanted):
        agreeing = (Counter(given) & Counter(wanted)).total()
        p, r = agreeing / len(given), agreeing / len(wanted)
        return 2 * p * r / (p + r) if p + r else 0.0
    return float(given in answers), max(map(f1, answers))

# %% 23b.2 the mean over the answers: max(map(f1, answers)) → np.mean(list(map(f1, answers)))

# %% 23b.4a numbers from 0: start=1 → start=0

# %% 23b.4a line breaks stay: {' '.join(text.split())} → {text}

# %% 23b.4a the question first: [*orders, *numbered, f"Question: {question}"] → [f"Question: {question}", *orders, *numbered]

# %% 23b.4a without the way out: "If they do not hold the answer, say exactly: I don't know" → "Be brief."

# %% 23b.4a without the order to name passages: "After each statement, name its passage by number, as [2]." → "Be brief."

# %% 23b.4a from anywhere: passages below only → passages below

# %% 23b.4a a list of lines: "\n".join([*orders, *numbered, f"Question: {question}"]) → [*orders, *numbered, f"Question: {question}"]

# %% 23b.4a the orders after the passages: [*orders, *numbered, → [*numbered, *orders,

# %% 23b.4a only the first three passages: enumerate(passages, → enumerate(list(passages)[:3],

# %% 23b.4b no passage need be named: not named or not all → not all

# %% 23b.4b any number exists: 1 <= number <= len(passages) → True

# %% 23b.4b passages counted from 0: passages[i - 1] → passages[i % len(passages)]

# %% 23b.4b zero exists: 1 <= number → 0 <= number

# %% 23b.4b the numbers of all passages: for i in named for → for i in range(1, len(passages) + 1) for

# %% 23b.4b the marks are numbers, too: re.sub(r"\[\d+\]", " ", text) → text

# %% 23b.4b parts of numbers
def has_sources(text, passages):
    if text.strip(" .!。").lower() == "i don't know":
        return True
    named = [int(number) for number in re.findall(r"\[(\d+)\]", text)]
    if not named or not all(1 <= number <= len(passages) for number in named):
        return False
    held = " ".join(passages[i - 1] for i in named)
    return all(x in held for x in re.findall(r"\d+", re.sub(r"\[\d+\]", " ", text)))

# %% 23b.4b I don't know and more: text.strip(" .!。").lower() == "i don't know" → "i don't know" in text.lower()

# %% 23b.4b I don't know without a dot: text.strip(" .!。").lower() → text.lower()

# %% 23b.4b I don't know is refused
def has_sources(text, passages):
    named = [int(number) for number in re.findall(r"\[(\d+)\]", text)]
    if not named or not all(1 <= number <= len(passages) for number in named):
        return False
    held = {x for i in named for x in re.findall(r"\d+", passages[i - 1])}
    return set(re.findall(r"\d+", re.sub(r"\[\d+\]", " ", text))) <= held

# %% 23b.4b the other way round: <= held → >= held

# %% 23b.4b only the first passage named: for i in named for → for i in named[:1] for

# %% 23b.1 counted over all words of all sentences
def best_sentence(asked, lists):
    counts = Counter(word for part in lists for word in part)
    scores = [sum(rarity(counts[word], len(lists)) for word in set(asked) if word in part) for part in lists]
    return int(np.argmax(scores))

# %% 23b.1 divided by the length of the sentence
def best_sentence(asked, lists):
    scores = np.zeros(len(lists))
    for word in sorted(set(asked)):
        holds = np.array([word in part for part in lists])
        scores += rarity(holds.sum(), len(lists)) * holds
    return int(np.argmax(scores / np.maximum(1, [len(part) for part in lists])))

# %% 23b.1 parts of words, too
def best_sentence(asked, lists):
    scores = np.zeros(len(lists))
    for word in sorted(set(asked)):
        holds = np.array([word in " ".join(part) for part in lists])
        scores += rarity(holds.sum(), len(lists)) * holds
    return int(np.argmax(scores))

# %% 23b.2 words run together: float(list(given) in [list(a) for a in answers]) → float("".join(given) in ["".join(a) for a in answers])

# %% 23b.4b one digit only: re.findall(r"\[(\d+)\]", text) → re.findall(r"\[(\d)\]", text)
