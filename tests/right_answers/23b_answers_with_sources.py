# Right answers in another style, which the checks of 23b_answers_with_sources must accept.

# %% 23b.1 loops
def best_sentence(asked, lists):
    best, place = -1.0, 0
    having = {word: sum(word in part for part in lists) for word in asked}
    for i, part in enumerate(lists):
        score = sum(rarity(having[word], len(lists)) for word in sorted(set(asked) & set(part)))
        if score > best + 1e-12:
            best, place = score, i
    return place

# %% 23b.1 a table
def best_sentence(asked, lists):
    asked = sorted(set(asked))
    table = np.array([[word in part for word in asked] for part in lists], float).reshape(len(lists), len(asked))
    return np.argmax((table * rarity(table.sum(axis=0), len(lists))).sum(axis=1))

# %% 23b.2 striking out
def em_and_f1(given, answers):
    best, exact = 0, 0
    for wanted in answers:
        left, agreeing = list(wanted), 0
        for word in given:
            if word in left:
                left.remove(word)
                agreeing += 1
        if not given and not wanted:
            f1 = 1
        elif agreeing == 0:
            f1 = 0
        else:
            p, r = agreeing / len(given), agreeing / len(wanted)
            f1 = 2 * p * r / (p + r)
        best, exact = max(best, f1), max(exact, int(given == wanted))
    return exact, best

# %% 23b.2 an array, booleans
def em_and_f1(given, answers):
    def f1(wanted):
        same = sum(min(given.count(word), wanted.count(word)) for word in set(given))
        return 2 * same / (len(given) + len(wanted)) if given or wanted else 1
    return np.array([any(given == wanted for wanted in answers), max(f1(wanted) for wanted in answers)], np.float32)

# %% 23b.4a one text
def build_prompt(question, passages):
    text = """You serve customers. Use only what the passages say, nothing else.
Write the number of the passage, such as [1], behind what you took from it.
If the passages don't tell, answer: I don't know

Passages:
"""
    for i, passage in enumerate(passages):
        text += f"[{i + 1}] " + " ".join(passage.split()) + "\n"
    return text + "\nNow answer this: " + question + "\n"

# %% 23b.4a lists joined
def build_prompt(question, passages):
    lines = ["Answer ONLY from these passages and cite them, [1]. Otherwise say: I don't know"]
    for passage in passages:
        lines += [f"[{len(lines)}] {re.sub(chr(92) + 's+', ' ', passage).strip()}"]
    return "\n".join(lines + [question])

# %% 23b.4b step by step
def has_sources(text, passages):
    plain = text.lower()
    for mark in ".!。":
        plain = plain.replace(mark, "")
    if plain.strip() == "i don't know":
        return True
    named = set(re.findall(r"\[(\d+)\]", text))
    if len(named) == 0:
        return False
    numbers = []
    for number in named:
        if int(number) < 1 or int(number) > len(passages):
            return False
        numbers += re.findall(r"\d+", passages[int(number) - 1])
    for number in re.findall(r"\d+", re.sub(r"\[\d+\]", " ", text)):
        if number not in numbers:
            return False
    return True

# %% 23b.4b all()
def has_sources(text, passages):
    if re.fullmatch(r"\s*i don't know[.!。\s]*", text, re.IGNORECASE):
        return True
    at = [int(x) - 1 for x in re.findall(r"\[(\d+)\]", text)]
    if not at or min(at) < 0 or max(at) >= len(passages):
        return False
    held = re.findall(r"\d+", " ".join(passages[i] for i in at))
    return all(x in held for x in re.findall(r"\d+", re.sub(r"\[\d+\]", " ", text)))
