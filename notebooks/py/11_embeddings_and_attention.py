# ---
# jupyter:
#   course:
#     datasets: [library_docs, gpt2_bpe]
#     covers: "Byte-pair encoding, word vectors, scaled dot-product attention, masks, positional encodings, the Transformer block."
#     prerequisites: [loss_functions, backpropagation]
#     ledger: [D1-2-b, D1-2-c, D1-3.1-c, D2-6.1-b, D3-1-c, D5-3.3-a, D5-3.3-c, D5-4.3-a, D5-4.3-d, D5-7.3-a]
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Embeddings and attention
#
# How does a network, which can only multiply numbers, come to know that in *the keys to the cabinet are lost* the
# word *are* belongs to *keys*, although *cabinet* is nearer? This notebook follows a text all the way: tokens,
# vectors, attention, Transformer block.
#
# **You will be able to**
#
# - train a byte-pair encoder, and cut any text exactly as GPT-2 does;
# - learn word vectors from raw text, and derive the gradient that does it;
# - write scaled dot-product attention forward and backward, and say why it divides by √d;
# - write a test that finds out whether a mask leaks;
# - build a Transformer block whose outputs and gradients equal Keras' to 1e-5.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from course_utils import (
    by_profile, check, claim, data, devices, numerical_gradient, plotting, profile,
    solved,
)

plotting.use_style()
rng = np.random.default_rng(0)

# %% [markdown]
# ## 11.1 Which pieces of a text get a number?
#
# The obvious answer is *words*: write a list of all words, number them. Is such a list ever complete? To find out we need text.
# Every machine that runs this course holds some: the course's own notebooks where they lie beside this one,
# and the documentation inside matplotlib, NumPy and scikit-learn.

# %%
import inspect
import json
import re
from collections import Counter, defaultdict
from importlib.util import find_spec
from pathlib import Path


HOW_MANY = by_profile(quick=1, standard=3, full=3)
LIBRARIES = ("matplotlib", "numpy", "sklearn")[:HOW_MANY]


def read_paragraphs() -> list[str]:
    """Prose of the course's notebooks beside this one, and libraries' docstrings."""
    texts = []
    for file in sorted(Path.cwd().glob("[0-9][0-9]_*.ipynb")):
        cells = json.loads(file.read_text("utf8"))["cells"]
        texts += ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
    for library in LIBRARIES:
        folder = Path(find_spec(library).origin).parent
        for file in sorted(folder.rglob("*.py")):
            if "tests" not in file.parts:
                texts += re.findall(r'"""(.*?)"""', file.read_text("utf8"), re.DOTALL)
    return [p for text in texts for p in re.split(r"\n\s*\n", inspect.cleandoc(text))]


everything = read_paragraphs()
unique = list(dict.fromkeys(everything))
held_out, paragraphs = unique[::10], [p for i, p in enumerate(unique) if i % 10]
repeats = 1 - len(unique) / len(everything)
print(f"{len(everything):,} paragraphs, {repeats:.0%} of them repeats")
print(f"{sum(map(len, paragraphs)):,} characters to learn from; a tenth is held out")


# %% [markdown]
# Dropping repeats belongs to the preparation of every large corpus. A widely copied recipe for "massive text" doesn't mention it and lists cleaning, word
# segmentation (分词) and entity recognition (实体识别) instead. Today's recipe is: remove duplicates, filter for quality, cut into *sub-word*
# pieces. Entity recognition is a task one solves with a model, not a step before it. Why sub-word?

# %%
def words_of(texts: list[str]) -> list[str]:
    return re.findall(r"[a-z]+", " ".join(texts).lower())


counts, new = Counter(words_of(paragraphs)), words_of(held_out)
place = {word: i for i, (word, _) in enumerate(counts.most_common())}
places = np.array([place.get(word, len(place)) for word in new])
distinct = np.array([place.get(word, len(place)) for word in set(new)])
sizes = np.unique(np.geomspace(10, len(place), 40).astype(int))

fig, ax = plt.subplots()
ax.semilogx(sizes, [(distinct >= n).mean() for n in sizes], label="different words")
ax.semilogx(sizes, [(places >= n).mean() for n in sizes], "--", label="running words")
ax.set(title="A list of words is never complete", ylim=(0, 1),
       xlabel="length of the word list", ylabel="share unknown in new text")
ax.legend()
plt.show()
missing = [(p >= len(place)).mean() for p in (places, distinct)]
print(f"with all {len(place):,} words on the list, still unknown: "
      f"{missing[0]:.1%} of the running words, {missing[1]:.0%} of the different ones")

# %% [markdown]
# Even with every word of nine tenths of the text on the list, the last tenth brings words that are not on it. A list that long is also expensive: every word needs its own vector. The other
# extreme never meets an unknown: text is stored as *bytes* (字节), of which there are 256. But then a sentence becomes very long:

# %% tags=["nbval-check-output"]
for text in ("keys", "naïve", "词元", "🙂"):
    code = text.encode()  # UTF-8
    print(f"{text}: {len(text)} characters, {len(code)} bytes: {code.hex(' ')}")


# %% [markdown]
# ## 11.2 Byte-pair encoding, trained here
#
# *Byte-pair encoding* (BPE, 字节对编码) starts from the bytes and lets the text decide: find the pair of
# neighbors that occurs most often, make it a new piece, repeat. The pieces are called *tokens* (词元). A trick keeps the code short: write
# token number $n$ as the single character `chr(n)`. A text is then an ordinary string, and a merge is `str.replace`.

# %%
def pairs_in(symbols: str) -> list[str]:
    """Neighboring pairs, as two-character strings."""
    return [symbols[i : i + 2] for i in range(len(symbols) - 1)]


def train_bpe(pieces: dict[str, int], merges: int) -> list[str]:
    """Learn merges from pieces of text and their counts.

    Returns pairs of symbols; pair number i becomes the symbol chr(256 + i).
    """
    words = [piece.encode().decode("latin-1") for piece in pieces]  # chr per byte
    times = list(pieces.values())
    total, where = Counter(), defaultdict(set)  # how often a pair occurs, and where
    for i, word in enumerate(words):
        for pair in pairs_in(word):
            total[pair] += times[i]
            where[pair].add(i)
    learned = []
    for new in range(256, 256 + merges):
        best = max(total, key=total.get)
        learned.append(best)
        for i in where.pop(best):  # only these words change
            before, words[i] = words[i], words[i].replace(best, chr(new))
            for pair in pairs_in(before):
                total[pair] -= times[i]
            for pair in pairs_in(words[i]):
                total[pair] += times[i]
                where[pair].add(i)
        del total[best]
    return learned


# %% [markdown]
# Small enough to follow by eye: five words with their counts, five merges. The second column shows what has become
# of *arrows*, which the encoder has never seen.

# %% tags=["nbval-check-output"]
def token_bytes(merges: list[str]) -> list[bytes]:
    """The bytes behind each token number."""
    known = [bytes([i]) for i in range(256)]
    for left, right in merges:
        known.append(known[ord(left)] + known[ord(right)])
    return known


toy = {" row": 6, " rows": 4, " arrow": 2, " column": 5, " columns": 3}
merges = train_bpe(toy, 5)
known, word = token_bytes(merges), " arrows"
for i, pair in enumerate(merges):
    word = word.replace(pair, chr(256 + i))
    tokens = [known[ord(c)].decode() for c in word]
    print(f"merge {i + 1}: {known[256 + i].decode()!r:7}", tokens)

# %% [markdown]
# *row* appears as a piece because it is frequent, not because anybody knows grammar. Merges 3 to 5 leave *arrows* as it is: no ' row', ' c' or 'ol' occurs in it (its *row* has no space before it). A rare word falls apart into known pieces, in
# the worst case into bytes, so nothing is ever unknown.
#
# On real text one rule is added: merges must not run across words, or *of the* would become a token. GPT-2 first cuts the text with a regular
# expression: contractions, then runs of letters, of digits, of anything else, each with the space before it.
# Python's `re` has no "any letter of any alphabet" (and its `\w` takes ² and ½ for letters), so we build the
# classes from the Unicode table.

# %%
import sys
import unicodedata


def characters(category: str) -> str:
    """Ranges, for a regex, of all characters whose Unicode category starts so."""
    ranges = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == category:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


LETTER, NUMBER = characters("L"), characters("N")
SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
PIECE = re.compile(
    f"'s|'t|'re|'ve|'m|'ll|'d| ?[{LETTER}]+| ?[{NUMBER}]+| ?[^{SPACE}{LETTER}{NUMBER}]+"
    f"|[{SPACE}]+(?![^{SPACE}])|[{SPACE}]+"  # spaces, the last left to the next word
)
print(PIECE.findall("It's 2 rows,\n   词元 too"))

# %% [markdown]
# Now the real text. A piece that occurs once or twice teaches little, so we train on the others.

# %%
MERGES = by_profile(quick=200, standard=1_000, full=5_000)
pieces = Counter(piece for text in paragraphs for piece in PIECE.findall(text))
ours = train_bpe({piece: n for piece, n in pieces.items() if n > 2}, MERGES)
known = token_bytes(ours)
print(f"{len(pieces):,} different pieces; merges 1 to 12:", known[256:268])
print("the longest tokens:", sorted(known, key=len)[-8:])

words = {piece: n for piece, n in pieces.most_common(500) if piece.isascii()}
wrong = 0  # the same by the definition: count everything afresh after each merge
for i, pair in enumerate(train_bpe(words, 50)):
    total = Counter()
    for word, n in words.items():
        for other in pairs_in(word):
            total[other] += n
    wrong += total[pair] < max(total.values())
    words = {word.replace(pair, chr(256 + i)): n for word, n in words.items()}
claim("merges of 50 that were not the most frequent pair", wrong, at_most=0)


# %% [markdown]
# Encoding replays the merges in the order in which they were learned. Inside one piece: take the pair with the lowest number,
# merge it, look again.

# %%
class BPE:
    """A byte-pair encoder. merges: pairs of symbols, in the order learned."""

    def __init__(self, merges: list[str]):
        self.rank = {pair: i for i, pair in enumerate(merges)}
        self.bytes = token_bytes(merges)
        self.seen = {}  # piece -> symbols: most pieces come again

    def merge(self, symbols: str) -> str:
        """Apply the merges to one piece, a character per token."""
        while len(symbols) > 1:
            first = min(pairs_in(symbols), key=lambda pair: self.rank.get(pair, np.inf))
            if first not in self.rank:
                break
            symbols = symbols.replace(first, chr(256 + self.rank[first]))
        return symbols

    def encode(self, text: str) -> list[int]:
        """Text -> token numbers."""
        ids = []
        for piece in PIECE.findall(text):
            if piece not in self.seen:
                self.seen[piece] = self.merge(piece.encode().decode("latin-1"))
            ids += map(ord, self.seen[piece])
        return ids

    def decode(self, ids: list[int]) -> str:
        """Token numbers -> text. A cut character becomes �."""
        return b"".join(self.bytes[i] for i in ids).decode(errors="replace")


# %%
sample = "\n".join(held_out[:: by_profile(quick=40, standard=8, full=1)])
assert BPE(ours).decode(BPE(ours).encode(sample)) == sample
steps = [n for n in (0, 10, 30, 100, 300, 1_000, 3_000, 5_000) if n <= MERGES]
size = len(sample.encode())
length = [size / len(BPE(ours[:n]).encode(sample)) for n in steps]

fig, ax = plt.subplots()
ax.semilogx([256 + n for n in steps], length, marker="o", label="byte-pair encoding")
whole = size / len(PIECE.findall(sample))
ax.plot(len(pieces), whole, "s", label="whole words (incomplete)")
ax.set(title="Each merge buys less than the one before", ylim=(0, None),
       xlabel="vocabulary, tokens", ylabel="bytes per token, held-out text")
ax.legend(loc="lower right")
plt.show()
print(f"{MERGES:,} merges: {length[-1]:.2f} bytes per token; whole words: {whole:.2f}")


# %% [markdown]
# The axis is logarithmic: the first merges shorten the text fastest, and each further gain takes several times as many. BPE
# slides from bytes (left) toward words (right) and stops where you say. What you buy is length, which section 11.9 prices;
# what you pay is one vector per token.

# %% [markdown]
# ### Exercise 11.2 · how BERT cuts (16 min)
# BERT's *WordPiece* keeps no merges, only a vocabulary. It cuts a word from the left, always taking the longest piece that is in the
# vocabulary; a piece that doesn't start the word is written with `##` before it. If at some point nothing fits, the
# whole word becomes `["[UNK]"]`.

# %% tags=["exercise"]
def wordpiece(word: str, vocabulary: set[str]) -> list[str]:
    """Cut one word, longest match first; the empty word gives [].

    With "ar", "##row", "##rows", "##s" known: arrows -> ["ar", "##rows"]
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("11.2", "how BERT cuts"):
    small = {"row", "r", "ar", "column", "c"} | {"##row", "##rows", "##s", "##r", "##o"}
    assert wordpiece("row", small) == ["row"]
    assert wordpiece("rows", small) == ["row", "##s"]
    assert wordpiece("arrows", small) == ["ar", "##rows"], "longest first"
    assert wordpiece("arrowss", small) == ["ar", "##rows", "##s"]
    assert wordpiece("columnr", small) == ["column", "##r"]
    assert wordpiece("rowx", small) == ["[UNK]"], "the whole word is unknown"
    assert wordpiece("srow", small) == ["[UNK]"], "##s may not start a word"
    assert wordpiece("rro", small) == ["r", "##r", "##o"]
    assert wordpiece("abc", {"a", "ab", "##bc"}) == ["[UNK]"], "never goes back"
    assert wordpiece("", small) == []

# %% [markdown]
# <details><summary>Hint</summary>
#
# Keep the position `start`. Try `end` from the end of the word downward; the first hit moves `start` to `end`.
# </details>

# %% tags=["solution"]
#@title Solution 11.2 · runs only while yours does not pass
if not solved("11.2"):
    def wordpiece(word, vocabulary):
        pieces, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = "##" + word[start:end] if start else word[:end]
                if piece in vocabulary:
                    pieces.append(piece)
                    start = end
                    break
            else:
                return ["[UNK]"]
        return pieces

# %% [markdown]
# ## 11.3 GPT-2's tokenizer, exactly
#
# GPT-2 was trained with 50,000 merges. Its file writes every byte as a printable character: bytes that print keep their
# own, the other 68 get the characters from 256 on. The token numbers follow the same order: first the 256 bytes, printable ones first, then
# the merges, last the mark `<|endoftext|>`. So the published table of 50,257 numbers holds no news; we derive it and compare.

# %%
gpt2 = data.gpt2_bpe()
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
byte_order = printable + [b for b in range(256) if b not in printable]
spelling = [chr(b) for b in printable] + [chr(256 + i) for i in range(68)]

symbol = {spelled: chr(b) for spelled, b in zip(spelling, byte_order)}  # theirs -> ours
for i, (left, right) in enumerate(gpt2.merges):
    symbol[left + right] = chr(256 + i)
gpt2_bpe = BPE([symbol[left] + symbol[right] for left, right in gpt2.merges])

number = np.arange(256 + len(gpt2.merges))  # our token number -> GPT-2's
number[byte_order] = np.arange(256)
wrong = [s for s, c in symbol.items() if number[ord(c)] != gpt2.vocabulary[s]]
print(f"{gpt2.source}: {len(gpt2.merges):,} merges, {len(gpt2.vocabulary):,} numbers")
claim("numbers that differ from the published table", len(wrong), at_most=0)


# %% [markdown]
# Cut some text with it. A bar marks the borders; bytes that are not a whole character show as �.

# %%
def show(text: str) -> None:
    ids = gpt2_bpe.encode(text)
    print(f"{len(ids):3} tokens: " + "|".join(gpt2_bpe.decode([i]) for i in ids))


show("Attention attention attention, tokenization!")
show("1234567 + 7654321")
show("词元化 means tokenization 🙂")

# %% [markdown]
# With and without capital, with and without a leading space: different tokens, different numbers, and what they have in common must be learned. Digits
# are cut where frequency says, not by units, tens and hundreds. And the Chinese characters fall
# apart into bytes. What does that cost?

# %% tags=["figure"]
#@title Figure: Cheap for the text it was trained on, dear for the rest
texts = {
    "English": "A large model reads tokens, and every token costs time and money.",
    "the same\nin Chinese": "大模型读的是词元，每个词元都要花费时间和金钱。",
    "Python": "for i in range(10):\n    print(i ** 2, end=' ')\n",
    "numbers": "3.14159265 2.71828183 1.41421356 1.61803399",
    "emoji": "🙂🚀🎉🙃🧪📚🔑🗄️",
}
rates = [len(gpt2_bpe.encode(t)) / len(t) for t in texts.values()]
fig, ax = plt.subplots()
colors = [plotting.BLUE, plotting.ORANGE] + [plotting.SKY] * 3
bars = ax.bar(list(texts), rates, color=colors)
ax.bar_label(bars, [f"{r:.2f}" for r in rates])
ax.margins(y=0.1)
ax.set(title="Cheap for the text it was trained on, dear for the rest",
       ylabel="tokens per character")
plt.show()
english, chinese = (len(gpt2_bpe.encode(t)) for t in list(texts.values())[:2])
theirs = size / len(gpt2_bpe.encode(sample))
print(f"the same sentence: {english} tokens in English, {chinese} in Chinese")
print(f"the held-out text of 11.2: {theirs:.2f} bytes per token, ours {length[-1]:.2f}")


# %% [markdown]
# A character of English costs a fraction of a token, a Chinese one (three bytes in UTF-8) one to three. The same message
# takes more than twice the tokens, and so the time, the money and the room in the context. GPT-2 was
# trained on English pages; notebook [[project_pretrained_gpt2]] shows what it makes of a Chinese prompt.
#
# Does it lose anything? Random strings of all alphabets, with spaces and emoji, must survive the round trip. (The last section
# compares every number with OpenAI's own tokenizer.)

# %%
def random_texts(n: int) -> list[str]:
    """Strings of mixed English, Chinese, emoji, numbers and odd characters."""
    mix = np.random.default_rng(1)
    assigned = [c for c in map(chr, range(1, 0x20000))
                if unicodedata.category(c) not in ("Cn", "Cs", "Co")]
    parts = ["the", " keys", "don't", "'ll", "'S", "  ", "\n\n", "\t", "注意力", "，", "🙂",
             "👩‍🔬", "½", "x²", "Ⅷ", "12", " 345", "é", "e\u0301", "\x1c", "\u3000", "_"]
    both = np.array(parts * 200 + list(mix.choice(assigned, 5_000)))
    chosen = (mix.integers(0, len(both), mix.integers(1, 12)) for _ in range(n))
    return ["".join(both[i]) for i in chosen]


mixed = random_texts(by_profile(quick=300, standard=3_000, full=20_000))
lost = sum(gpt2_bpe.decode(gpt2_bpe.encode(text)) != text for text in mixed)
claim(f"texts of {len(mixed):,} that do not survive the round trip", lost, at_most=0)

# %% [markdown]
# ## 11.4 From numbers to vectors
#
# A token's number says nothing: 300 is not "more" than 299. The first layer therefore replaces it by a vector, an *embedding* (嵌入). With $V$ tokens and width
# $d$, the layer is one matrix $E$ of shape $(V, d)$, and
#
# $$v_w = \text{row } w \text{ of } E \;=\; \text{onehot}(w)\, E \in \mathbb{R}^d .$$
#
# The product with a *one-hot* row (all 0, one 1) is the mathematics; nobody computes it, because it only picks a row.

# %%
V, d = 50_257, 768  # GPT-2 small
E_small = rng.normal(size=(6, 3))
ids = np.array([[4, 1, 4], [0, 4, 5]])
product = np.eye(6)[ids] @ E_small  # (2, 3, 6) @ (6, 3)
print("one-hot product equals lookup:", np.array_equal(product, E_small[ids]))
print(f"GPT-2: {V:,} numbers per one-hot row become {d}, by {V * d:,} parameters")


# %% [markdown]
# A widely copied sentence says that embedding maps words to *high*-dimensional vectors. It is the other way round: the one-hot row
# is the high-dimensional one, sparse and with every two words equally far apart. The embedding is low-dimensional and dense,
# so that words can be *near* each other.

# %% [markdown]
# ### Exercise 11.4 · the gradient of a lookup (6 min)
# Forward: `out = E[ids]`, with `ids` of shape (B, T) and `out` of shape (B, T, d). Given $G = \partial L / \partial\,\text{out}$, return $\partial L / \partial E$, shape
# $(V, d)$. Mind tokens that occur more than once, as the 4 above.

# %% tags=["exercise"]
def embedding_gradient(ids: np.ndarray, G: np.ndarray, vocabulary: int) -> np.ndarray:
    """Gradient of the table. ids: (B, T) integers, G: (B, T, d) -> (vocabulary, d)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("11.4", "the gradient of a lookup"):
    for seed, shape in enumerate([(2, 3, 4), (3, 5, 2), (1, 1, 3)]):  # (B, T, d)
        draw = np.random.default_rng(seed)
        ids1, G1 = draw.integers(0, 5, shape[:2]), draw.normal(size=shape)
        got = embedding_gradient(ids1.copy(), G1.copy(), 7)
        assert got.shape == (7, shape[2]), f"shape {got.shape}"
        expected = np.einsum("btv,btd->vd", np.eye(7)[ids1], G1)
        np.testing.assert_allclose(got, expected, atol=1e-12)

# %% [markdown]
# <details><summary>Hint</summary>
#
# From $\text{out} = \text{onehot} \cdot E$ follows $\partial L/\partial E = \text{onehot}^\top G$: row $w$ collects $G$ from all places where $w$ stands. `table[ids] += G` looks right
# and keeps only one of several equal ids; `np.add.at` adds them all.
# </details>

# %% tags=["solution"]
#@title Solution 11.4 · runs only while yours does not pass
if not solved("11.4"):
    def embedding_gradient(ids, G, vocabulary):
        gradient = np.zeros((vocabulary, G.shape[-1]))
        np.add.at(gradient, ids, G)
        return gradient


# %% [markdown]
# ## 11.5 Words known by the company they keep
#
# Where does a *good* table come from? From a guessing game on raw text, *skip-gram with negative sampling* (SGNS, one of the forms of word2vec).
# Take a word $w$ and a word $c$ that stands one or two places from it; then draw $k$ words $n_1 \dots n_k$ at random. Each word has
# a vector $u$ as center (its row of a table $U$) and a vector $v$ as company (its row of a table $C$). The product $u_w \cdot v_c$ is the logit of "these two were really neighbors":
#
# $$L = -\log \sigma(u_w \cdot v_c) - \sum_{j=1}^{k} \log \sigma(-u_w \cdot v_{n_j}) .$$
#
# That is $k + 1$ binary cross-entropies (notebook [[loss_functions]]), whose gradient at a logit is $\sigma(\text{logit}) - y$, with $y = 1$ for the true neighbor and 0 for the random words. With $g_c = \sigma(u_w \cdot v_c) - 1$ and $g_j = \sigma(u_w \cdot v_{n_j})$, the chain rule gives
#
# $$\frac{\partial L}{\partial u_w} = g_c\, v_c + \sum_j g_j\, v_{n_j}, \qquad
# \frac{\partial L}{\partial v_c} = g_c\, u_w, \qquad \frac{\partial L}{\partial v_{n_j}} = g_j\, u_w .$$

# %%
def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def sgns_gradients(u, v):
    """u: (d,), v: (1 + k, d), the true neighbor first -> dL/du, dL/dv"""
    g = sigmoid(v @ u) - (np.arange(len(v)) == 0)
    return g @ v, np.outer(g, u)


u, v, sign = rng.normal(size=4), rng.normal(size=(6, 4)), np.array([1] + [-1] * 5)
loss = lambda u, v: np.logaddexp(0, -sign * (v @ u)).sum()
du, dv = sgns_gradients(u, v)
difference = max(np.abs(du - numerical_gradient(lambda u: loss(u, v), u)).max(),
                 np.abs(dv - numerical_gradient(lambda v: loss(u, v), v)).max())
claim("SGNS, largest difference from the numerical gradient", difference, at_most=1e-8)

# %% [markdown]
# Now the text: words that occur at least 25 times, neighbors up to two places away. word2vec adds two tricks. Very frequent words are dropped at random
# (*the* says little about its neighbors), and the random words are drawn with probability proportional to count$^{3/4}$.

# %%
prose = [re.findall(r"[a-z]+", p.lower()) for p in paragraphs if ">>>" not in p]
prose = prose[:: by_profile(quick=8, standard=1, full=1)]
frequent = Counter(word for p in prose for word in p).most_common()
vocabulary = [word for word, n in frequent if n >= 25]
index = {word: i for i, word in enumerate(vocabulary)}
count = np.array([n for _, n in frequent[: len(vocabulary)]])
keep = np.sqrt(1e-3 * count.sum() / count)  # probability, where below 1

left, right = [], []
for p in prose:
    ids = np.array([index[word] for word in p if word in index], dtype=int)
    ids = ids[rng.random(len(ids)) < keep[ids]]
    for distance in (1, 2):
        left.append(ids[:-distance])
        right.append(ids[distance:])
left, right = np.concatenate(left), np.concatenate(right)
center, company = np.concatenate([left, right]), np.concatenate([right, left])
print(f"{len(vocabulary):,} words, {len(center):,} pairs of neighbors")

# %% [markdown]
# Per batch we draw one pool of 64 random words for all pairs, each weighted by 5/64, so that every pair counts $k = 5$: the same
# expectation as fresh draws, and the sums become matrix products. The step is AdaGrad's (notebook [[optimizers]]) with one rate per
# word: a row's gradient is divided by the root of the sum of its squared gradients so far (per word their mean over the 48 entries). Rare words, with few gradients behind them, take larger steps.

# %%
WIDTH, BATCH, POOL, NEGATIVES = 48, 1_024, 64, 5
STEPS = by_profile(quick=100, standard=2_000, full=8_000)
probability = count**0.75 / (count**0.75).sum()  # of being drawn at random


def adagrad(table, squares, rows, G):
    """One step on the rows used; equal rows add up. squares: (V,) sums so far"""
    gradient = np.zeros_like(table)
    flat = rows[:, None] * WIDTH + np.arange(WIDTH)  # NumPy adds fastest in 1-D
    np.add.at(gradient.ravel(), flat.ravel(), G.ravel())
    squares += (gradient**2).mean(axis=1)
    table -= 0.3 * gradient / np.sqrt(squares)[:, None]


def train_vectors(seed: int):
    """-> U, C: (V, WIDTH) center and company vectors, the loss every 50 steps"""
    rng, losses = np.random.default_rng(seed), []
    U = rng.normal(0, 0.1, (len(count), WIDTH)).astype(np.float32)
    C = np.zeros_like(U)
    squares_U, squares_C = np.full((2, len(U)), 1e-8, np.float32)
    for step in range(STEPS):
        pick = rng.integers(0, len(center), BATCH)
        w, c, n = center[pick], company[pick], rng.choice(len(U), POOL, p=probability)
        u, v, v_n = U[w], C[c], C[n]  # (BATCH, WIDTH) twice, (POOL, WIDTH)
        true, random = (u * v).sum(axis=1), u @ v_n.T  # logits
        g, g_n = sigmoid(true) - 1, sigmoid(random) * (NEGATIVES / POOL)
        if step % 50 == 0:
            losses.append(np.logaddexp(0, -true).mean()
                          + NEGATIVES * np.logaddexp(0, random).mean())
        adagrad(U, squares_U, w, g[:, None] * v + g_n @ v_n)
        adagrad(C, squares_C, np.append(c, n),
                np.concatenate([g[:, None] * u, g_n.T @ u]))
    return U, C, losses


# %%
seeds = [train_vectors(seed) for seed in range(3)]  # three tables from three starts
U, C, losses = seeds[0]
print(f"loss {losses[0]:.2f} at the start, {np.mean(losses[-5:]):.2f} at the end; "
      f"all logits 0 cost 6 log 2 = {6 * np.log(2):.2f}, the best single logit "
      f"for all pairs, log(1/5), {np.log(1.2) * 5 + np.log(6):.2f}")


# %% [markdown]
# Nobody told it what a word means. Which vectors point in the same direction (largest cosine)?

# %%
def unit(table: np.ndarray) -> np.ndarray:
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def neighbors(table: np.ndarray, word: str, n: int = 6) -> list[str]:
    """The n words with the largest cosine to the given one, nearest first."""
    directions = unit(table)
    cosine = directions @ directions[index[word]]
    return [vocabulary[i] for i in np.argsort(-cosine)[1 : n + 1]]


for word in "row mean train left probability kernel cluster string".split():
    if word in index:
        print(f"{word:12}", ", ".join(neighbors(U, word)))

# %% [markdown]
# Judge by number, not by looking at the nice ones: of some 40 pairs that a reader would call related, how many find the partner among the first word's
# ten nearest? Three rivals need no gradient steps. *Counts*: describe word $w$ by its whole row of counts $N_{wc}$, how often $c$ stands near $w$. *Surprises*: with the sums $N_w$ of the row, $N_c$ of the column and $N$ of the table, a pair mixed at random
# would be expected $N_w N_c / N$ times; take $\max\big(0, \log \frac{N_{wc}}{N_w N_c / N}\big)$ instead of the count (positive pointwise mutual information, PPMI). A pair that is frequent only because both words are gets 0.
# *Surprises, SVD*: to have as few numbers as SGNS, keep of each row of surprises only its coordinates along the 48 directions in which the table is widest (singular value decomposition, cut off).

# %%
RELATED = """row column, rows columns, mean median, train test, true false, left right,
old new, minimum maximum, min max, int float, image pixel, tree forest, figure axes,
matrix vector, width height, upper lower, first second, horizontal vertical, list tuple,
bottom top, classification regression, sparse dense, real imaginary, mean variance,
precision recall, positive negative, start stop, begin end, load save, read write,
two three, greater less, cluster centroid, before after, high low, open close,
mean average, inf nan, training testing, increasing decreasing, largest smallest"""
related = [pair.split() for pair in RELATED.split(",")]
related = [(a, b) for a, b in related if a in index and b in index]


def share_found(table: np.ndarray) -> float:
    return float(np.mean([b in neighbors(table, a, 10) for a, b in related]))


together = np.zeros((len(vocabulary), len(vocabulary)), np.float32)
np.add.at(together, (center, company), 1)
row_sums = together.sum(axis=1, keepdims=True)
by_chance = row_sums * together.sum(axis=0) / together.sum()
surprise = np.log(np.maximum(together / by_chance, 1))

from scipy.sparse.linalg import svds

thin, stretch, _ = svds(surprise, WIDTH)  # the 48 widest directions of the table

# %%
wide = f"{len(vocabulary):,} numbers"
scores = [share_found(table) for table, _, _ in seeds]
found = {f"counts\n{wide}": share_found(together),
         f"surprises\n{wide}": share_found(surprise),
         f"surprises, SVD\n{WIDTH} numbers": share_found(thin * stretch),
         f"SGNS\n{WIDTH} numbers": np.mean(scores)}
fig, ax = plt.subplots()
colors = [plotting.GRAY] * 3 + [plotting.BLUE]
bars = ax.bar(list(found), found.values(), 0.6, color=colors)
ax.bar_label(bars, fmt="{:.0%}")
ax.set(title=f"{WIDTH} numbers stand in for a row of the table", ylim=(0, 1),
       ylabel=f"share of {len(related)} related pairs found")
plt.show()
print(f"SGNS, three starts: {np.mean(scores):.0%} ± {np.std(scores, ddof=1):.0%} "
      f"(mean ± s.d.); by chance {10 / len(vocabulary):.1%}")
error = np.sqrt(np.mean(scores) * (1 - np.mean(scores)) / len(related))
print(f"standard error from having only {len(related)} pairs: {error:.0%}")
claim(f"related pairs found by {WIDTH} numbers per word", np.mean(scores),
      at_least=0.6, applies=profile() != "quick")

# %% [markdown]
# Counting is a strong rival. The bars lie within about two standard errors, so these few pairs cannot rank the four safely; what they show is that
# 48 numbers do about as well as a whole row, learned or squeezed. The two have more in common than that. What does the game want the logit $x = u_w \cdot v_c$ of one
# pair to be? In the whole text the pair counts $N_{wc}$ times as true, and is drawn at random about $k N_w p_c$ times, where $p_c$ is the probability of drawing $c$. Its share of the loss, and where that is smallest:
#
# $$N_{wc} \log(1 + e^{-x}) + k N_w p_c \log(1 + e^{x}), \qquad
# -N_{wc}\,\sigma(-x) + k N_w p_c\, \sigma(x) = 0 \;\Rightarrow\; x^\ast = \log \frac{N_{wc}}{k N_w p_c},$$
#
# because $\sigma(x)/\sigma(-x) = e^x$: once more the logarithm of a count over what chance would give. So the game should squeeze a table of surprises into two thin ones, $U$ and $C$. Does it? Compare the logits with $x^\ast$.

# %%
w, c = np.nonzero(together >= 10)  # of rarer pairs the count itself is mostly noise
wanted = np.log(together[w, c] / (NEGATIVES * row_sums[w, 0] * probability[c]))
logits = (U[w] * C[c]).sum(axis=1)
fit = np.corrcoef(wanted, logits)[0, 1]

fig, ax = plt.subplots(figsize=(5.2, 4))
ax.hexbin(wanted, logits, gridsize=45, bins="log", cmap="Blues")
ax.axline((0, 0), slope=1, color=plotting.ORANGE, label="$u_w · v_c = x^*$")
ax.set(title="The vectors learn how surprising a pair is",
       xlabel="$x^*$, from the counts", ylabel="$u_w · v_c$, learned")
ax.legend()
plt.show()
claim(f"correlation over {len(w):,} pairs", fit, at_least=0.6,
      applies=profile() != "quick")

# %% [markdown]
# The cloud follows the line, somewhat flatter: a sum of 48 products stands in for the logarithm of a count. Vectors can also be looked at, two directions at a time:

# %%
groups = {
    "place": "left right top bottom upper lower",
    "type": "int float str bool list tuple dict",
    "statistics": "mean median variance std deviation quantile",
    "data": "train test training validation split",
    "figure": "figure axes subplot legend title colorbar",
}
groups = {name: [w for w in words.split() if w in index]
          for name, words in groups.items()}
chosen = [w for words in groups.values() for w in words]
points = unit(U)[[index[w] for w in chosen]]
points = points - points.mean(axis=0)
flat = points @ np.linalg.svd(points)[2][:2].T  # (n, 2): the two widest directions

distance = np.linalg.norm(flat[:, None] - flat, axis=-1) + 9 * np.eye(len(flat))
nearest = distance.argmin(axis=1)

fig, ax = plt.subplots(figsize=(8, 5.4))
for color, (name, words) in zip(plotting.PALETTE, groups.items()):
    rows = [chosen.index(w) for w in words]
    ax.scatter(*flat[rows].T, color=color, label=name, s=18)
    for word, row in zip(words, rows):  # labels point away from the nearest dot
        right = flat[row, 0] > flat[nearest[row], 0]
        shift, side = ((4, 0), "left") if right else ((-4, 0), "right")
        ax.annotate(word, flat[row], shift, textcoords="offset points", color=color,
                    size=8, ha=side, va="center")
ax.set(title="Words used alike lie together, though nobody said what they mean",
       xlabel="first principal direction", ylabel="second principal direction")
ax.margins(x=0.12)
fig.legend(loc="outside right center")
plt.show()


# %% [markdown]
# The colors are the groups a person would make; the positions come from the text alone, and most words keep to their group. Note what the
# vectors do *not* know: *left* and *right* are close, because they stand in the same places. Near means "used alike", not "means the same". And each word has one vector, whatever the sentence: the *left* of
# "left over" is the *left* of "left border". A Transformer starts from such a table too, one row per token, and learns it
# by the same kind of gradient, together with everything above it; telling the two *left* apart is the work of the layers above.

# %% [markdown]
# ## 11.6 Attention: a lookup that can be learned
#
# Back to *the keys to the cabinet are lost*. To fill in *are*, the model must fetch one property, plural, from one word, *keys*, and the rule
# "take the nearest noun" fails. Think of a lookup table: a *query* (查询) is compared with *keys* (键), and the *value* (值) of the
# matching key is returned. Make it soft: compare with *all* keys, turn the scores into weights by softmax, return the weighted mean of the values. From $X$
# of shape $(T, d)$, one row per token, three learned matrices make the queries $Q = X W_Q$, the keys $K = X W_K$ and the values $V = X W_V$ (from here on $V$ is this, no longer the vocabulary's size).
# $W_Q$ and $W_K$ are $(d, d_\text{head})$, where $d_\text{head}$, the length of one query or key, is ours to choose; $W_V$ is $(d, d_v)$. Then
#
# $$\text{Attention}(Q, K, V) = \underbrace{\text{softmax}\!\left(\frac{Q K^\top}{\sqrt{d_\text{head}}}\right)}_{A,\ (T, T),\ \text{rows sum to }1} V .$$
#
# A widely copied text says attention (注意力) "focuses on the important parts" and gives no formula. This is the formula: row $t$ of $A$ says from
# where token $t$ fetches, and it depends on both ends. Nothing is important in itself.

# %%
def softmax(scores: np.ndarray) -> np.ndarray:
    """Softmax over the last axis; a score of -inf gets weight 0."""
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention(Q, K, V, mask=None):
    """Scaled dot-product attention; leading axes (batch, heads) go along.

    Q: (..., T, d_head), K: (..., S, d_head), V: (..., S, d_v)
    mask: (T, S) or (..., T, S), True where token t may look at s
    -> output (..., T, d_v), weights (..., T, S)
    """
    scores = Q @ K.swapaxes(-1, -2) * Q.shape[-1] ** -0.5
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    A = softmax(scores)
    return A @ V, A


rng = np.random.default_rng(0)  # from here on nothing depends on the text read above

# %% [markdown]
# A worked sentence, with matrices set by hand so that every number can be followed. Four features describe a word: noun, verb, plural,
# singular. A verb asks for a noun of its own number; every word offers what it is; the value is the number.

# %% tags=["nbval-check-output"]
#                    noun verb plur sing
features = {"keys": [1, 0, 1, 0], "key": [1, 0, 0, 1], "cabinet": [1, 0, 0, 1],
            "cabinets": [1, 0, 1, 0], "are": [0, 1, 1, 0], "is": [0, 1, 0, 1]}
W_Q = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [0, 0, 3]])  # verb -> wants a noun
W_K = np.array([[2, 0, 0], [0, 0, 0], [0, 2, 0], [0, 0, 2]])  # noun -> is a noun
W_V = np.array([[0, 0], [0, 0], [1, 0], [0, 1]])  # the number: (plural, singular)

sentences = ["the keys to the cabinet are lost", "the key to the cabinets is lost",
             "the keys to the cabinets are lost"]
weights = []
for sentence in sentences:
    words = sentence.split()
    X = np.array([features.get(word, [0, 0, 0, 0]) for word in words])  # (7, 4)
    out, A = attention(X @ W_Q, X @ W_K, X @ W_V)
    weights.append(A)
    print(f"{words[5]:3} looks at", dict(zip(words, A[5].round(2).tolist())))
    print(f"    and fetches plural {out[5, 0]:.2f}, singular {out[5, 1]:.2f}")

# %% tags=["figure"]
#@title Figure: The verb finds the noun that agrees with it
fig, axes = plt.subplots(1, 2, figsize=(9, 4.2))
for ax, A, sentence in zip(axes, weights, sentences):
    image = ax.imshow(A, vmin=0, vmax=1, cmap="Blues")
    for (t, s), weight in np.ndenumerate(A):
        if weight > 0.1:
            color = "white" if weight > 0.5 else "black"
            ax.text(s, t, f"{weight:.2f}", ha="center", va="center", size=7, c=color)
    ax.set_xticks(range(7), sentence.split(), rotation=50, ha="right",
                  rotation_mode="anchor")
    ax.set_yticks(range(7), sentence.split())
    ax.set(xlabel="looked at", ylabel="looking")
    ax.grid(False)
fig.suptitle("The verb finds the noun that agrees with it", fontweight="bold")
fig.colorbar(image, ax=axes, label="attention weight", shrink=0.7)
plt.show()

# %% [markdown]
# Follow *are* by hand. The columns of queries and keys mean noun, plural, singular. The query of *are* is (3, 3, 0); the key of *keys* is (2, 2, 0), of *cabinet* (2, 0, 2),
# of *are* itself (0, 2, 0), of the four other words (0, 0, 0). The products 12, 6, 6 and four times 0, divided by $\sqrt 3$, are 6.93, 3.46, 3.46, 0; softmax
# compares $e^{6.93} \approx 1021$ with twice $e^{3.46} \approx 32$ and four times 1: *keys* gets $1021/(1021 + 64 + 4) = 0.94$. (The printed line shows the two *the* as one.)
#
# In the first two sentences the verb's row puts over nine tenths on the subject, four places back, past the nearer noun, with the same
# three matrices. But it looks for *a noun of its own number*, not for a subject: in the third, where both nouns are plural, each gets
# half. And the number asked for comes from the verb's own form; to *fill in* the verb, a model has to ask from the place before it, and to find subjects it
# needs more features: of place, and of what earlier layers have found. A noun asks for its number only, and so finds itself and whatever shares it. The words without features ask for nothing and get the even mixture, 1/7 each. In a trained model
# nobody sets the matrices: the gradient does, and it is derived next.
#
# Is the picture an *explanation*? Swap the weights that *are* gives to *keys* and to itself. Both have the
# value "plural", so the output cannot change:

# %% tags=["nbval-check-output"]
X = np.array([features.get(word, [0, 0, 0, 0]) for word in sentences[0].split()])
row = weights[0][5]
swapped = row.copy()
swapped[[1, 5]] = row[[5, 1]]
print("weight on keys:", row[1].round(2), "or", swapped[1].round(2))
print("same output:", np.allclose(row @ (X @ W_V), swapped @ (X @ W_V)))

# %% [markdown]
# Very different weights, one output. Attention maps are a look into the machine, not a proof of why it answered; notebook [[interpretability_and_fairness]] returns to that.

# %% [markdown]
# ## 11.7 Why divide by √d?
#
# In this section $d$ is short for $d_\text{head}$. Let the $d$ entries of a query and a key be independent with mean 0 and variance 1. Then the terms of $q \cdot k = \sum_{i=1}^{d} q_i k_i$ are
# independent too, with mean 0 and variance $\mathrm{E}[q_i^2]\,\mathrm{E}[k_i^2] = 1$, and variances add:
#
# $$\mathrm{Var}(q \cdot k) = d, \qquad \mathrm{Var}\!\left(q \cdot k / \sqrt d\right) = 1 .$$
#
# Without the division, the scores grow with the width and softmax turns into "winner takes all". Then its derivative dies: for scores $s$ and weights $A = \text{softmax}(s)$,
# $\partial A_j / \partial s_i = A_j([i = j] - A_i)$ is 0 wherever the weights are 0 or 1. Measured, for 500 queries with 16 keys each. To be fair, both
# ways are differentiated with respect to the undivided product $q \cdot k$, which costs the divided one a factor $1/\sqrt d$; the *size* of the $16 \times 16$ derivatives of one query is the root of the sum of their squares:

# %%
draw = np.random.default_rng(0)
widths = 2 ** np.arange(2, 11)
variance = []
decided, median = ({"÷ √d": [], "as it is": []} for _ in range(2))
for d in widths:
    q, k = draw.normal(size=(500, d, 1)), draw.normal(size=(500, 16, d))
    products = (k @ q)[..., 0]  # (500, 16)
    variance.append(products.var())
    for label, scale in (("÷ √d", np.sqrt(d)), ("as it is", 1)):
        A = softmax(products / scale)
        jacobian = A[:, :, None] * (np.eye(16) - A[:, None, :]) / scale
        size = np.sqrt((jacobian**2).sum(axis=(1, 2)))
        decided[label].append((A.max(axis=1) > 0.99).mean())
        median[label].append(np.median(size))
claim("largest relative distance of the variance from d",
      np.abs(np.array(variance) / widths - 1).max(), at_most=0.1)

# %% tags=["figure"]
#@title Figure: A score's variance is d
fig, axes = plt.subplots(1, 3, figsize=(10, 3.2))
axes[0].loglog(widths, variance, "o", base=2, color=plotting.PURPLE, label="measured")
axes[0].loglog(widths, widths, base=2, color=plotting.GRAY, label="d")
axes[0].set(title="A score's variance is d", ylabel="variance of q · k")
for label, style in (("÷ √d", "o-"), ("as it is", "s--")):
    axes[1].semilogx(widths, decided[label], style, base=2, label=label)
    axes[2].loglog(widths, median[label], style, label=label)
axes[1].set(title="Undivided: one winner", ylabel="share with a weight > 0.99")
axes[2].set(title="In wide heads: no gradient", ylabel="median size of ∂A / ∂(q · k)")
axes[2].set_xscale("log", base=2)
for ax in axes:
    ax.set_xlabel("width d")
    ax.legend(loc="best")
plt.show()
for i in (4, 8):
    share, size = decided["as it is"][i], median["as it is"][i]
    print(f"width {widths[i]:5,}, undivided: {share:.0%} decided, "
          f"median gradient {size:.0e}; divided {median['÷ √d'][i]:.0e}")


# %% [markdown]
# Left, the dots lie on the line. Middle: undivided, before anything is learned, a third of the queries at width 64 (GPT-2's heads) and
# three quarters at width 1,024 have given nearly all their weight to one key; divided, none. Right: divided, the gradient shrinks no faster than
# $1/\sqrt d$, the factor itself. Undivided it is larger in narrow heads, then collapses: half of the queries at width 1,024 can
# hardly be told that they chose the wrong key.
#
# That gradient is what sets $W_Q$ and $W_K$. Step by step, with $S = QK^\top/\sqrt d$, $A = \text{softmax}(S)$, $O = AV$, and $G = \partial L/\partial O$ given (and $\partial V$ short for $\partial L/\partial V$):
#
# - $O = AV$ is a matrix product (notebook [[backpropagation]]): $\;\partial V = A^\top G, \quad \partial A = G V^\top$;
# - softmax, row by row: $\partial S_{tj} = \sum_m \partial A_{tm} \, A_{tm} ([m = j] - A_{tj})$, that is $\;\partial S = A \odot (\partial A - \text{rowsum}(\partial A \odot A))$;
# - $S$ is a product again: $\;\partial Q = \partial S\, K / \sqrt d, \quad \partial K = \partial S^\top Q / \sqrt d$.

# %%
def attention_backward(G, Q, K, V, A):
    """G: gradient of the output, A: the weights -> gradients of Q, K, V"""
    dV = A.swapaxes(-1, -2) @ G
    dA = G @ V.swapaxes(-1, -2)
    dS = A * (dA - (dA * A).sum(axis=-1, keepdims=True)) * Q.shape[-1] ** -0.5
    return dS @ K, dS.swapaxes(-1, -2) @ Q, dV


def largest(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference; the shapes must agree."""
    assert a.shape == b.shape, (a.shape, b.shape)
    return float(np.abs(a - b).max())


inputs = [rng.normal(size=shape) for shape in ((4, 3), (5, 3), (5, 2))]  # Q, K, V
mask, G = rng.random((4, 5)) < 0.7, rng.normal(size=(4, 2))
mask[:, 0] = True  # every row sees something
analytic = attention_backward(G, *inputs, attention(*inputs, mask)[1])
differences = []
for i in range(3):
    loss = lambda x: (attention(*inputs[:i], x, *inputs[i + 1 :], mask)[0] * G).sum()
    differences.append(largest(analytic[i], numerical_gradient(loss, inputs[i])))
claim("attention, largest difference from the numerical gradient", max(differences),
      at_most=1e-8)

# %% [markdown]
# Masked places need no extra line: their weight is 0, so $\partial S$ is 0 there.
#
# ## 11.8 Masks: who may look at whom
#
# Two families of models use the same layer with different masks (掩码):
#
# - **GPT** writes text, one token after the other. In training it sees the whole text at once, so token $t$ must be kept from looking at
#   what it is to predict: the *causal* mask lets $t$ see $s \le t$ only.
# - **BERT** reads text. Its encoder has no causal mask: every token sees both sides, and training hides some tokens and asks for them
#   (masked language modeling). A widely copied text says that GPT-3 *and BERT* brought *generation* to a new level. BERT doesn't
#   generate: it has never learned to continue a text whose right side does not exist yet.
#
# Does a mask do what it says? Don't read the code, test it: change one input and see which outputs move. The third mask
# below is a popular mistake, setting the weights to zero *after* softmax.

# %%
T, d = 8, 6
X = rng.normal(size=(T, d))
W = [rng.normal(size=(d, d)) for _ in range(3)]
causal = np.tril(np.ones((T, T), dtype=bool))


def influence(layer) -> np.ndarray:
    """(T, T): how far output t moves when input s is changed."""
    moved = np.zeros((T, T))
    for s in range(T):
        changed = X.copy()
        changed[s] += 1
        moved[:, s] = np.abs(layer(changed) - layer(X)).max(axis=1)
    return moved


def masked_late(x):
    _, A = attention(*(x @ w for w in W))
    return (A * causal) @ x @ W[2]


tested = {"no mask (BERT)": lambda x: attention(*(x @ w for w in W))[0],
          "causal (GPT)": lambda x: attention(*(x @ w for w in W), causal)[0],
          "zeroed after softmax": masked_late}
tested = {name: influence(layer) for name, layer in tested.items()}
fig, axes = plt.subplots(1, 3, figsize=(9, 3.6))
for ax, (name, moved) in zip(axes, tested.items()):
    ax.imshow(moved > 0, cmap="Blues", vmin=0, vmax=1.4)
    ax.set(title=name, xlabel="input s changed", ylabel="output t moves (blue)")
    ax.grid(False)
fig.suptitle("Weights zeroed after softmax let the future in", fontweight="bold")
plt.show()
late = [moved[~causal].max() for moved in tested.values()]
claim("causal mask, largest influence of a later token", late[1], at_most=0)
print(f"no mask {late[0]:.2f}, zeroed after softmax {late[2]:.2f}")
Q, K, V = (X @ w for w in W)
rest = attention(Q, K, V)[1] * causal
repaired = rest / rest.sum(axis=1, keepdims=True) @ V
claim("zeroed and divided by the rest of each row, against the causal mask",
      largest(repaired, attention(Q, K, V, causal)[0]), at_most=1e-12)


# %% [markdown]
# The causal mask passes: nothing right of the diagonal, exactly 0. Zeroing afterwards *leaks*: later tokens
# have already gone into the denominators of softmax. What a model computes from such a leak in training is gone
# when it must write, because then the later tokens do not exist. Dividing each row by what is left of its sum repairs it (the last claim); simpler is to mask the scores, with $-\infty$, before softmax.

# %% [markdown]
# Two masks more, in words. *Padding* (填充): sentences of different lengths in one batch are filled up on the right, and BERT's mask lets nobody look at $s \ge$ length.
# GPT in training needs no mask for that, because its real tokens never look to the right; only the loss must skip the filling. (When it writes several texts at once, they are filled up on the *left*,
# and then it needs one.) *Packing*: to waste no room, training rows are filled with one document
# after another. GPT-3 put only the mark `<|endoftext|>` between them; Llama 3 keeps them apart with a mask.
#
# ### Exercise 11.8 · packed documents, sliding window (7 min)
# A token may look only at itself and earlier tokens *of its own document*; and, because long contexts are dear, only at itself and the $w - 1$ tokens before
# it. Write the mask.

# %% tags=["exercise"]
def packed_mask(documents: np.ndarray, w: int) -> np.ndarray:
    """True where token t may look at token s of the same row.

    documents: (B, T) integers; tokens of one document have the same number
    w: how many tokens a token sees at most, itself included -> (B, T, T) bool
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("11.8", "packed documents, sliding window"):
    rows1 = [[3, 3, 3, 1, 1, 2], [0, 0, 0, 0, 0, 0], [5, 4, 4, 4, 4, 6]]
    for w1, some in ((1, rows1), (2, rows1), (3, rows1[:1]), (9, rows1[:2])):
        got = packed_mask(np.array(some), w1)
        assert got.shape == (len(some), 6, 6), f"shape {got.shape}"
        assert got.dtype == bool, f"dtype {got.dtype}, expected bool"
        for b, t, s in np.ndindex(got.shape):
            may = t - w1 < s <= t and some[b][t] == some[b][s]
            where1 = f"documents {some[b]}, w={w1}: may {t} look at {s}? {may}"
            assert got[b, t, s] == may, where1

# %% [markdown]
# <details><summary>Hint</summary>
#
# `t = np.arange(T)[:, None]` and `s = np.arange(T)` compare to a (T, T) table; `documents[:, :, None]` and `documents[:, None, :]` compare to (B, T, T).
# </details>
# To explore: with $N$ such layers on top of each other, how far back does information reach? Guess, then test it with `influence`.

# %% tags=["solution"]
#@title Solution 11.8 · runs only while yours does not pass
if not solved("11.8"):
    def packed_mask(documents, w):
        T = documents.shape[1]
        t, s = np.arange(T)[:, None], np.arange(T)
        same = documents[:, :, None] == documents[:, None, :]
        return same & (s <= t) & (t - s < w)


# %% [markdown]
# ## 11.9 Several heads, and what they cost
#
# One head returns one weighted mean. A word may need several things at once (its subject, its object, the sentence's
# tense), so the width is divided: $h$ *heads* (多头) of $d_\text{head} = d_\text{model} / h$ look independently, their results are joined and mixed by $W_O$. All four matrices
# are $(d_\text{model}, d_\text{model})$ whatever $h$ is: $4 d_\text{model}^2 + 4 d_\text{model}$ parameters with biases.

# %%
def split_heads(X: np.ndarray, h: int) -> np.ndarray:
    """(B, T, d_model) -> (B, h, T, d_head)"""
    B, T, d = X.shape
    return X.reshape(B, T, h, d // h).swapaxes(1, 2)


def join_heads(X: np.ndarray) -> np.ndarray:
    """(B, h, T, d_head) -> (B, T, d_model)"""
    B, h, T, d = X.shape
    return X.swapaxes(1, 2).reshape(B, T, h * d)


def linear_backward(G, X, p, name):
    """Gradients of X @ W + b, where W is p["W" + name]: dX and a dict of dW, db."""
    rows, G_rows = (x.reshape(-1, x.shape[-1]) for x in (X, G))  # B · T examples
    gradients = {"W" + name: rows.T @ G_rows, "b" + name: G_rows.sum(axis=0)}
    return G @ p["W" + name].T, gradients


def multi_head(X, p, h, mask=None):
    """X: (B, T, d_model); p: WQ, bQ, WK, bK, WV, bV, WO, bO -> same shape, cache"""
    Q, K, V = (split_heads(X @ p["W" + n] + p["b" + n], h) for n in "QKV")
    O, A = attention(Q, K, V, mask)
    joined = join_heads(O)
    return joined @ p["WO"] + p["bO"], (X, Q, K, V, A, joined)


def multi_head_backward(G, p, h, cache):
    """G: gradient of the output -> gradient of X, dict of the parameters' gradients"""
    X, Q, K, V, A, joined = cache
    d_joined, gradients = linear_backward(G, joined, p, "O")
    upstream, dX = split_heads(d_joined, h), np.zeros_like(X)
    for name, dY in zip("QKV", attention_backward(upstream, Q, K, V, A)):
        d_input, more = linear_backward(join_heads(dY), X, p, name)
        dX += d_input
        gradients |= more
    return dX, gradients


# %% [markdown]
# What does it cost? A product of shapes $(a, b)$ and $(b, c)$ takes $2abc$ floating-point operations: $abc$ multiplications, as many additions. So the four products with $W_Q, W_K, W_V, W_O$ take $4 \cdot 2\,T d^2 = 8\,T d^2$;
# $QK^\top$ and $AV$ take $2\,T^2 d_\text{head}$ each in each of $h$ heads, together $4\,T^2 d$. The first grows with $T$, the second with $T^2$: for twice the text, twice the one and four times the other, and a table $A$ of $h T^2$ numbers.
# Measured with one head of width 64, and with the four matrices side by side as one `W` of shape $(d, 4d)$:

# %%
import time

lengths = 2 ** np.arange(6, by_profile(quick=10, standard=12, full=14))
width = 64
W = rng.normal(size=(width, 4 * width)).astype(np.float32)


def milliseconds(f) -> float:
    """Of the fastest of at least three calls, for at least a tenth of a second."""
    seconds, start = [], time.perf_counter()
    while len(seconds) < 3 or time.perf_counter() - start < 0.1:
        before = time.perf_counter()
        f()
        seconds.append(time.perf_counter() - before)
    return 1e3 * min(seconds)


taken = {"weights: ∝ T": [], "attention: ∝ T²": [], "its softmax alone": []}
for T in lengths:
    X = rng.normal(size=(T, width)).astype(np.float32)
    scores = X @ X.T
    for label, f in zip(taken, (lambda: X @ W, lambda: attention(X, X, X),
                                lambda: softmax(scores))):
        taken[label].append(milliseconds(f))

fig, ax = plt.subplots()
for (label, values), style in zip(taken.items(), ("o-", "s--", "^:")):
    ax.loglog(lengths, values, style, base=2, label=label)
ax.axvline(2 * width, color=plotting.GRAY, lw=1)
ax.text(2 * width, 0.9 * max(taken["attention: ∝ T²"]), " T = 2d", va="top")
ax.set(title="The price of looking everywhere is quadratic", xlabel="sequence length T",
       ylabel="milliseconds (d = 64)", yscale="log")
ax.legend(loc="lower right")
plt.show()
for label, values in taken.items():
    print(f"{label:18} last doubling of T: × {values[-1] / values[-2]:.1f}")
for T in (1_024, 131_072):
    print(f"T = {T:,}: all A of GPT-2 small, 12 layers × 12 heads in float16, "
          f"{144 * T**2 * 2 / 1e9:,.1f} GB")

# %% [markdown]
# The dashed line is twice as steep: doubling $T$ doubles the one price and about quadruples the other. At $T = 2d$ the counts of operations are equal, but attention is already dearer
# there; the dotted line shows where much of its time goes: into softmax, little arithmetic but several passes over $T^2$ numbers. The last two lines are for training, where the backward pass needs the $A$ of every layer (writing needs
# one layer's at a time): terabytes for one long text. That is why today's kernels
# (FlashAttention) compute the same result block by block without ever storing $A$: the time stays quadratic, the memory doesn't.

# %% [markdown]
# ## 11.10 Where am I? Sinusoidal against rotary
#
# Attention without a mask has no sense of order. Shuffle the tokens, and the outputs are shuffled in the same way, nothing else:

# %%
X, W = rng.normal(size=(6, 8)), [rng.normal(size=(8, 8)) for _ in range(3)]
shuffle = rng.permutation(6)
plain = lambda X: attention(*(X @ w for w in W))[0]
claim("shuffled input against shuffled output, largest difference",
      largest(plain(X[shuffle]), plain(X)[shuffle]), at_most=1e-12)
past = np.tril(np.ones((6, 6), dtype=bool))
masked = lambda X: attention(*(X @ w for w in W), past)[0]
print(f"with a causal mask: {largest(masked(X[shuffle]), masked(X)[shuffle]):.2f}")


# %% [markdown]
# To such a layer *dog bites man* is *man bites dog*. A causal mask lets some order through, because every token has another past; but to one
# layer that past is an unordered heap. So nearly every model puts the position in.
#
# **Sinusoidal** (正弦位置编码; the original Transformer): *add* to $x_t$ a vector $P_t$ made of pairs $(\sin \omega_i t, \cos \omega_i t)$ with $\omega_i = 10000^{-2i/d}$, $i = 0 \dots d/2 - 1$, clock hands that turn fast for small $i$ and slowly for large. Since $\sin a \sin b + \cos a \cos b = \cos(a - b)$,
#
# $$P_s \cdot P_t = \sum_i \cos\big(\omega_i (s - t)\big)$$
#
# depends on the distance alone. But attention never forms that product: it forms $(x_s + P_s) W_Q \cdot (x_t + P_t) W_K$, and there the distance gets mixed
# with content and absolute place. (GPT-2 and BERT learn the table $P$ instead; it ends where training ended, at 1,024 and 512.)
#
# **Rotary** (RoPE, 旋转位置编码; LLaMA and most models since): *turn* queries and keys instead, pair number $i$ of their entries by the angle $\omega_i t$. Take one pair, drop the index of $\omega$, and read the pair $(a, b)$ as the complex number
# $a + b\,\mathrm{j}$ with $\mathrm{j}^2 = -1$. Multiplying by $e^{\mathrm{j}\alpha} = \cos\alpha + \mathrm{j} \sin\alpha$ turns it by $\alpha$. The bar flips the sign of $\mathrm{j}$, so $\overline{e^{\mathrm{j}\alpha}} = e^{-\mathrm{j}\alpha}$, and the real part of
# $(a + b\,\mathrm{j})\,\overline{(a' + b'\,\mathrm{j})}$ is $aa' + bb'$, the inner product of the pairs. The turned query $q e^{\mathrm{j}\omega s}$ and key $k e^{\mathrm{j}\omega t}$ then have the inner product
#
# $$\mathrm{Re}\big(q e^{\mathrm{j}\omega s}\; \overline{k e^{\mathrm{j}\omega t}}\big) = \mathrm{Re}\big(q \bar k\, e^{\mathrm{j}\omega (s - t)}\big) :$$
#
# of the two places only the difference $s - t$ is left, whatever the content $q$, $k$. Its sign stays too: three places before is not three places after, while the
# cosines of $P_s \cdot P_t$ are the same for both.

# %%
def angles(positions: np.ndarray, d: int, base: float = 10_000) -> np.ndarray:
    """(T,) positions -> (T, d/2) angles"""
    return positions[:, None] * base ** (-np.arange(0, d, 2) / d)


def sinusoidal(T: int, d: int) -> np.ndarray:
    """Sine in even, cosine in odd columns, (T, d)"""
    P, angle = np.empty((T, d)), angles(np.arange(T), d)
    P[:, 0::2], P[:, 1::2] = np.sin(angle), np.cos(angle)
    return P


def rotary(X: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Turn the pairs (0, 1), (2, 3), … of the last axis. X: (..., T, d_head)"""
    angle = angles(positions, X.shape[-1])
    turned, even, odd = np.empty_like(X), X[..., 0::2], X[..., 1::2]
    turned[..., 0::2] = even * np.cos(angle) - odd * np.sin(angle)
    turned[..., 1::2] = even * np.sin(angle) + odd * np.cos(angle)
    return turned


T, d = 128, 32
P, omega = sinusoidal(T, d), angles(np.array([1]), d)[0]
distance = np.arange(T)[:, None] - np.arange(T)
formula = np.cos(distance[..., None] * omega).sum(axis=-1)
claim("P Pᵀ against the formula, largest difference", largest(P @ P.T, formula),
      at_most=1e-10)
(Q, K), place = rng.normal(size=(2, T, d)), np.arange(T)
here, later = (rotary(Q, t) @ rotary(K, t).T for t in (place, place + 1_000))
claim("rotary scores, all tokens moved by 1,000 places, largest difference",
      largest(here, later), at_most=1e-9)

# %% [markdown]
# The test that matters: put the same two words, three places apart, ever later in the text, and watch their score.

# %% tags=["figure"]
#@title Figure: Sinusoidal: fast and slow hands
W_Q, W_K = rng.normal(size=(2, d, d)) / np.sqrt(d)
query, key = rng.normal(size=(2, d))
place = np.arange(3, T)
added = (((query + P[place]) @ W_Q) * ((key + P[place - 3]) @ W_K)).sum(axis=1)
turned = (rotary(np.tile(query @ W_Q, (len(place), 1)), place)
          * rotary(np.tile(key @ W_K, (len(place), 1)), place - 3)).sum(axis=1)

fig, axes = plt.subplots(1, 2, figsize=(9, 3.5), width_ratios=(1, 1.2))
image = axes[0].imshow(P[:64], cmap="RdBu", aspect="auto")
axes[0].set(title="Sinusoidal: fast and slow hands", xlabel="column of P",
            ylabel="position t")
axes[0].grid(False)
fig.colorbar(image, ax=axes[0])
axes[1].plot(place, added, label="sinusoidal, added")
axes[1].plot(place, turned, "--", label="rotary")
axes[1].set(title="The same two words, later in the text",
            xlabel="position of the query", ylabel="score")
axes[1].legend()
plt.show()
spread = np.ptp(added), np.ptp(turned)
print(f"spread of the score: sinusoidal {spread[0]:.1f}, rotary {spread[1]:.0e}")


# %% [markdown]
# The dashed line is flat: under rotary, "three places before me" is the same everywhere. The solid line wanders with
# the absolute place: the weights here are random, and to make the score depend on the distance a model with added positions would first have to learn
# weights that cancel the rest. (Neither is a cure-all for long texts: places or distances beyond the training length have never
# been seen. And mind whose rotary it is: some models pair entry 0 with 1, as here, others 0 with $d/2$, and weights
# trained with one do not fit the other.)

# %% [markdown]
# ## 11.11 Layer normalization, forward and backward
#
# Nothing so far holds the size of a token's vector. *Layer normalization* (层归一化) does, token by token: over the $d$ features of one token, not over the batch as
# batch normalization does (notebook [[convolution]]), so it is the same in training and use and for any length. For one row $x \in \mathbb{R}^d$:
#
# $$\mu = \tfrac1d \sum_i x_i, \quad s = \sqrt{\tfrac1d \sum_i (x_i - \mu)^2 + \epsilon}, \quad \hat x = \frac{x - \mu}{s}, \quad y = \gamma \odot \hat x + \beta .$$
#
# $\gamma$ and $\beta$, of shape $(d,)$, are learned; the small constant $\epsilon$ keeps $s$ away from 0. (Exercise 6.8b was $\hat x$ alone, there called $u$.)
#
# Backward, let $g = G \odot \gamma$ be the gradient at $\hat x$; we need $\partial L / \partial x_j = \sum_i g_i\, \partial \hat x_i / \partial x_j$. How does $\hat x_i$ react to $x_j$? With $\partial \mu/\partial x_j = 1/d$ and
# $\partial s / \partial x_j = (x_j - \mu)/(d s) = \hat x_j / d$ (the contribution through $\mu$ vanishes, because $\sum_i (x_i - \mu) = 0$):
#
# $$\frac{\partial \hat x_i}{\partial x_j} = \frac{[i = j] - \frac1d}{s} - \frac{x_i - \mu}{s^2}\,\frac{\hat x_j}{d}
# = \frac1s\Big([i=j] - \frac1d - \frac{\hat x_i \hat x_j}{d}\Big)
# \;\Rightarrow\;
# \frac{\partial L}{\partial x} = \frac1s\Big(g - \overline{g} - \hat x\; \overline{g \odot \hat x}\Big),$$
#
# where the bar is the mean over the features. In words: take away from $g$ what would shift all features together, and what would stretch them
# together, for layer norm undoes both.

# %%
def layer_norm(X, gamma, beta, epsilon=1e-5):
    """X: (..., d) -> same shape, cache"""
    centered = X - X.mean(axis=-1, keepdims=True)
    s = np.sqrt((centered**2).mean(axis=-1, keepdims=True) + epsilon)
    X_hat = centered / s
    return gamma * X_hat + beta, (X_hat, s)


def layer_norm_backward(G, gamma, cache):
    """-> gradients of X, gamma, beta"""
    X_hat, s = cache
    g, rows = G * gamma, tuple(range(G.ndim - 1))
    stretch = (g * X_hat).mean(axis=-1, keepdims=True)
    dX = (g - g.mean(axis=-1, keepdims=True) - X_hat * stretch) / s
    return dX, (G * X_hat).sum(axis=rows), G.sum(axis=rows)


inputs = [rng.normal(2, 3, size=(2, 4, 5)), rng.normal(size=5), rng.normal(size=5)]
G, (out, cache) = rng.normal(size=(2, 4, 5)), layer_norm(*inputs)
analytic, differences = layer_norm_backward(G, inputs[1], cache), []
for i in range(3):
    loss = lambda x: (layer_norm(*inputs[:i], x, *inputs[i + 1 :])[0] * G).sum()
    differences.append(largest(analytic[i], numerical_gradient(loss, inputs[i])))
claim("layer norm, largest difference from the numerical gradient", max(differences),
      at_most=1e-8)
dX, X_hat = analytic[0], cache[0]
print(f"part of dX along (1, …, 1): {np.abs(dX.sum(axis=-1)).max():.0e}, "
      f"along x̂: {np.abs((dX * X_hat).sum(axis=-1)).max():.0e}")


# %% [markdown]
# The last line confirms the words: the gradient has no part along either direction (along $\hat x$ only $\epsilon$ is left).

# %% [markdown]
# ### Exercise 11.11 · RMSNorm (7 min)
# LLaMA and others leave the mean alone: $r = \sqrt{\tfrac1d \sum_i x_i^2 + \epsilon}$, $\hat x = x / r$, $y = \gamma \odot \hat x$. Derive its backward pass.

# %% tags=["exercise"]
def rms_norm(X, gamma, epsilon=1e-5):
    """X: (B, T, d), gamma: (d,) -> (B, T, d)"""
    return gamma * X / np.sqrt((X**2).mean(axis=-1, keepdims=True) + epsilon)


def rms_norm_backward(G, X, gamma, epsilon=1e-5):
    """G: (B, T, d) -> gradient of X (B, T, d), gradient of gamma (d,)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("11.11", "RMSNorm backward"):
    for seed, (shape, epsilon1) in enumerate([((2, 3, 4), 1e-5), ((1, 2, 5), 0.5)]):
        draw = np.random.default_rng(seed)
        X1, gamma1 = draw.normal(1, 2, size=shape), draw.normal(size=shape[-1])
        G1 = draw.normal(size=shape)
        loss_of = lambda X, gamma: (rms_norm(X, gamma, epsilon1) * G1).sum()
        dX1, dgamma1 = rms_norm_backward(G1, X1, gamma1, epsilon1)
        assert dX1.shape == shape and dgamma1.shape == shape[-1:], "shapes"
        expected = numerical_gradient(lambda X: loss_of(X, gamma1), X1)
        np.testing.assert_allclose(dX1, expected, rtol=1e-6, atol=1e-8)
        expected = numerical_gradient(lambda gamma: loss_of(X1, gamma), gamma1)
        np.testing.assert_allclose(dgamma1, expected, rtol=1e-6, atol=1e-8)
    one = np.ones((1, 1, 2))
    tiny, _ = rms_norm_backward(one, 1e-3 * one, one[0, 0])
    np.testing.assert_allclose(tiny, 1e-5 / 1.1e-5**1.5, rtol=1e-9, err_msg="epsilon")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\partial r / \partial x_j = x_j / (d\, r) = \hat x_j / d$. The rest goes as for layer norm, without the term of the mean.
# </details>

# %% tags=["solution"]
#@title Solution 11.11 · runs only while yours does not pass
if not solved("11.11"):
    def rms_norm_backward(G, X, gamma, epsilon=1e-5):
        r = np.sqrt((X**2).mean(axis=-1, keepdims=True) + epsilon)
        X_hat, g = X / r, G * gamma
        dX = (g - X_hat * (g * X_hat).mean(axis=-1, keepdims=True)) / r
        return dX, (G * X_hat).sum(axis=(0, 1))

# %% [markdown]
# ## 11.12 The Transformer block
#
# Nearly every large language model is a stack of one block, the *Transformer* (变换器). A widely copied chart of it runs: input → embedding →
# *Transformer layer* → attention → feed-forward → output → loss. Drawn so, the layer is an empty box, with attention and feed-forward
# standing once, behind it. They are what the layer *consists* of. What really happens, in the form that GPT-2 and most later models use:

# %% tags=["figure"]
#@title Figure: Attention and feed-forward are inside each layer
stream = ["tokens", "embedding\n+ position", "x", "+", "+ ", "layer norm",
          "logits,\nsoftmax"]
layer = ["layer norm,\nattention", "layer norm,\nfeed-forward"]
boxes = {box: (column, 1) for column, box in enumerate(stream)}
boxes |= {layer[0]: (2.5, 0), layer[1]: (3.5, 0)}
inside = [("x", layer[0]), (layer[0], "+"), ("+", layer[1]), (layer[1], "+ ")]
again = ("+ ", "x", "N layers, each with its own weights")
plotting.flow(boxes, [*zip(stream, stream[1:]), *inside, again], highlight=layer,
              title="Attention and feed-forward are inside each layer", box_width=1.1)
plt.show()


# %% [markdown]
# Read it as one stream of vectors, one per token, from left to right; the box x is the stream as it enters a layer ($X$ in the formula), and at each + what a branch has made of the stream is added to it. So each layer *adds* to it twice (residual connections, 残差连接; notebook [[training_deep_networks]] shows why they make depth
# trainable): first what attention fetched from other tokens, then what a small network, the same for every token, makes of it.
#
# $$X' = X + \text{MultiHead}(\text{LN}_1(X)), \qquad X'' = X' + \max(0, \text{LN}_2(X') W_1 + b_1)\, W_2 + b_2 .$$
#
# $W_1$ is $(d, 4d)$, $W_2$ is $(4d, d)$. The loss is no stage of the model: it is there in training only. The original Transformer and BERT
# put the norm after the sum; GPT-2 has GELU (notebook [[neurons_and_layers]]) where we write ReLU.

# %%
def new_block(d: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Parameters of one block of width d, all of them random to test all gradients."""
    shapes = {"W" + n: (d, d) for n in "QKVO"} | {"W1": (d, 4 * d), "W2": (4 * d, d)}
    shapes |= {"b" + n[1:]: (shape[1],) for n, shape in shapes.items()}
    p = {n: rng.normal(0, shape[0] ** -0.5, shape) for n, shape in shapes.items()}
    for n in "12":
        p |= {"gamma" + n: rng.normal(1, 0.2, d), "beta" + n: rng.normal(0, 0.2, d)}
    return p


def block(X, p, h, mask=None):
    """One Transformer block, norm first. X: (B, T, d) -> same shape, cache"""
    N1, cache1 = layer_norm(X, p["gamma1"], p["beta1"])
    fetched, cache_heads = multi_head(N1, p, h, mask)
    X1 = X + fetched
    N2, cache2 = layer_norm(X1, p["gamma2"], p["beta2"])
    H = np.maximum(N2 @ p["W1"] + p["b1"], 0)
    return X1 + H @ p["W2"] + p["b2"], (cache1, cache_heads, cache2, N2, H)


def block_backward(G, p, h, cache):
    """G: gradient of the output -> gradient of X, dict of the parameters' gradients"""
    cache1, cache_heads, cache2, N2, H = cache
    dH, gradients = linear_backward(G, H, p, "2")
    dN2, more = linear_backward(dH * (H > 0), N2, p, "1")
    gradients |= more
    dX1, dgamma, dbeta = layer_norm_backward(dN2, p["gamma2"], cache2)
    gradients |= {"gamma2": dgamma, "beta2": dbeta}
    dX1 += G  # a sum passes the gradient on to both of its terms
    dN1, more = multi_head_backward(dX1, p, h, cache_heads)
    dX, dgamma, dbeta = layer_norm_backward(dN1, p["gamma1"], cache1)
    gradients |= more | {"gamma1": dgamma, "beta1": dbeta}
    return dX + dX1, gradients


# %%
B, T, d, h = 2, 5, 8, 2
p, X, G = new_block(d, rng), rng.normal(size=(B, T, d)), rng.normal(size=(B, T, d))
causal = np.tril(np.ones((T, T), dtype=bool))
out, cache = block(X, p, h, causal)
dX, gradients = block_backward(G, p, h, cache)

loss = lambda X: (block(X, p, h, causal)[0] * G).sum()
differences = [largest(dX, numerical_gradient(loss, X))]
for name in p:
    loss = lambda w: (block(X, p | {name: w}, h, causal)[0] * G).sum()
    differences.append(largest(gradients[name], numerical_gradient(loss, p[name])))
claim(f"block, {len(differences)} arrays, largest difference from numerical gradients",
      max(differences), at_most=1e-7)

total = sum(w.size for w in p.values())
gpt2_small = 12 * (12 * 768**2 + 13 * 768) + (50_257 + 1_024 + 2) * 768
print(f"one block: {total:,} parameters, 12 d² + 13 d = {12 * d**2 + 13 * d:,}")
print(f"GPT-2 small, 12 blocks of d = 768, both tables, last norm: {gpt2_small:,}")


# %% [markdown]
# Everything is now derived: 16 parameter arrays, forward and backward. The count is $4d^2 + 4d$ for attention, $8d^2 + 5d$ for the feed-forward network and $4d$ for two norms;
# GPT-2 small, with its two tables and a last norm, has 124 million; the logits cost nothing more, because they are products with the rows of the token table once again
# (*tied* weights). The paper says 117 million: a mistake, which OpenAI corrected later.

# %% [markdown]
# ### Exercise 11.12 · Spot the bug: the chart as a program (7 min)
# Someone has programmed the widely copied chart as drawn. Attention and the feed-forward network come once, after loops over empty layers; nothing
# says where a token stands; nothing is normalized at the end. It runs without an error. But does it tell who bites whom?

# %%
def encode_as_drawn(ids, E, P, layers, h, gamma, beta):
    X = E[ids]
    for p in layers:
        pass  # the chart's "Transformer layer": a box with nothing in it
    X, _ = multi_head(X, layers[0], h)
    return np.maximum(X @ layers[0]["W1"], 0) @ layers[0]["W2"]


E, P = rng.normal(size=(3, d)), sinusoidal(9, d)  # dog, bites, man
layers = [new_block(d, rng) for _ in range(3)]
for ids in ([[0, 1, 2]], [[2, 1, 0]]):
    out = encode_as_drawn(np.array(ids), E, P, layers, h, np.ones(d), np.zeros(d))
    print("dog bites man:" if ids[0][0] == 0 else "man bites dog:",
          "“bites” becomes", out[0, 1, :4].round(3))


# %% [markdown]
# The same vector for both. Repair it: `encode` adds the rows of `P` that are needed, runs *every* layer as a `block` with its own
# parameters and the mask, and ends with a layer norm.

# %% tags=["exercise"]
def encode(ids, E, P, layers, h, gamma, beta, mask=None):
    """Tokens to vectors, by a stack of Transformer blocks.

    ids: (B, T), E: (V, d), P: (longest, d), layers: one parameter dict per block,
    gamma, beta: (d,) of the last layer norm -> (B, T, d)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("11.12", "the chart as a program"):
    draw = np.random.default_rng(5)
    E1, P1 = draw.normal(size=(7, 6)), draw.normal(size=(9, 6))
    layers1 = [new_block(6, draw) for _ in range(3)]
    last = draw.normal(size=(2, 6))
    ids1, mask1 = draw.integers(0, 7, (2, 4)), np.tril(np.ones((4, 4), dtype=bool))
    got = encode(ids1, E1, P1, layers1, 3, *last, mask1)
    assert got.shape == (2, 4, 6), f"shape {got.shape}"
    x = np.stack([[E1[i] + P1[t] for t, i in enumerate(row)] for row in ids1])
    for p1 in layers1:
        x = block(x, p1, 3, mask1)[0]
    np.testing.assert_allclose(got, layer_norm(x, *last)[0], atol=1e-9)
    later = ids1.copy()
    later[:, -1] = (later[:, -1] + 1) % 7
    moved1 = encode(later, E1, P1, layers1, 3, *last, mask1)
    same = dict(atol=1e-12, err_msg="the mask leaks")
    np.testing.assert_allclose(moved1[:, :-1], got[:, :-1], **same)
    both = [encode(i, E1, P1, layers1, 3, *last) for i in (ids1, later)]
    assert np.abs(both[0] - both[1]).min() > 0, "without a mask, all see the change"

# %% [markdown]
# <details><summary>Hint</summary>
#
# `P[: ids.shape[1]]` are the rows needed; `block` returns the vectors and a cache, of which only the first is used here.
# </details>

# %% tags=["solution"]
#@title Solution 11.12 · runs only while yours does not pass
if not solved("11.12"):
    def encode(ids, E, P, layers, h, gamma, beta, mask=None):
        X = E[ids] + P[: ids.shape[1]]
        for p in layers:
            X, _ = block(X, p, h, mask)
        return layer_norm(X, gamma, beta)[0]

# %% [markdown]
# ## 11.13 The independent witness: Keras and tiktoken
#
# Our checks so far compare our code with our own formulas. Now libraries that know nothing of them: Keras' layers with our weights, in float64, and the
# gradients by TensorFlow's automatic differentiation.

# %%
tf = devices.setup(seed=0)
import keras

B, T, d, h = 3, 7, 12, 3
p, X, G = new_block(d, rng), rng.normal(size=(B, T, d)), rng.normal(size=(B, T, d))
causal = np.tril(np.ones((T, T), dtype=bool))
heads = keras.layers.MultiHeadAttention(h, d // h, dtype="float64")
heads.build((B, T, d), (B, T, d), (B, T, d))
order = ["WQ", "bQ", "WK", "bK", "WV", "bV", "WO", "bO"]
heads.set_weights([p[n].reshape(w.shape) for n, w in zip(order, heads.get_weights())])

theirs, their_A = heads(X, X, use_causal_mask=True, return_attention_scores=True)
out, cache = multi_head(X, p, h, causal)
claim("multi-head attention against Keras, largest difference",
      largest(out, theirs.numpy()), at_most=1e-5)
claim("its weights A, largest difference", largest(cache[4], their_A.numpy()),
      at_most=1e-5)

# %%
norms = [keras.layers.LayerNormalization(epsilon=1e-5, dtype="float64") for _ in "12"]
dense = [keras.layers.Dense(4 * d, activation="relu", dtype="float64"),
         keras.layers.Dense(d, dtype="float64")]
for layer, size in zip(norms + dense, (d, d, d, 4 * d)):
    layer.build((B, T, size))
parts = norms + dense
names = [["gamma1", "beta1"], ["gamma2", "beta2"], ["W1", "b1"], ["W2", "b2"]]
for layer, pair in zip(parts, names):
    layer.set_weights([p[n] for n in pair])

x = tf.Variable(X)
with tf.GradientTape() as tape:
    n1 = norms[0](x)
    x1 = x + heads(n1, n1, use_causal_mask=True)
    theirs = x1 + dense[1](dense[0](norms[1](x1)))
    loss = tf.reduce_sum(theirs * G)
variables = [v for layer in [heads, *parts] for v in layer.trainable_variables]
their_dX, *their_gradients = tape.gradient(loss, [x, *(v.value for v in variables)])

out, cache = block(X, p, h, causal)
dX, gradients = block_backward(G, p, h, cache)
claim("block against Keras, largest difference", largest(out, theirs.numpy()),
      at_most=1e-5)
differences = [largest(dX, their_dX.numpy())]
for name, theirs in zip(order + sum(names, []), their_gradients):
    mine = gradients[name]
    differences.append(largest(mine, theirs.numpy().reshape(mine.shape)))
claim(f"its {len(differences)} gradients, largest difference", max(differences),
      at_most=1e-5)

# %% [markdown]
# All agree to rounding. One trap on the way: Keras' layer norm has $\epsilon = 10^{-3}$ unless told otherwise, PyTorch's $10^{-5}$, GPT-2's checkpoint
# $10^{-5}$, BERT's $10^{-12}$: weights carried over with the wrong one give slightly wrong answers everywhere.
#
# Last, the tokenizer. *tiktoken* is OpenAI's own, written in Rust, with another algorithm and a real Unicode regex.

# %%
try:
    import tiktoken
except ModuleNotFoundError:
    print("tiktoken is not installed, the comparison is skipped: pip install tiktoken")
else:
    reference = tiktoken.Encoding(
        "gpt2",
        pat_str=r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+"
                r"|\s+(?!\S)|\s+",
        mergeable_ranks={gpt2_bpe.bytes[i]: int(n) for i, n in enumerate(number)},
        special_tokens={})
    texts = mixed + held_out[:: by_profile(quick=40, standard=4, full=1)]
    wrong = [text for text in texts
             if number[gpt2_bpe.encode(text)].tolist() != reference.encode(text)]
    claim(f"of {len(texts):,} texts cut differently by tiktoken", len(wrong), at_most=0)

# %% [markdown]
# ## 11.14 Where it breaks
#
# - **Tokens.** A tokenizer is frozen with its model: other languages, new words and code pay more tokens per character (11.3). Ask a supplier
#   for tokens per *your* text, not per English word. Our character classes follow Python's Unicode table, which
#   is a year or more behind: letters assigned since may be cut differently.
# - **Word vectors.** One vector per word, opposites close together, and the prejudices of the text included. Small claims need a
#   test written before looking and not used for anything else. Ours helped to choose width and steps of SGNS, so its score is a little flattered.
# - **Attention** costs $T^2$. A context twice as long is four times the attention work, for text that may not help.
# - **Positions.** Rotary makes scores relative; it does not make a model good at lengths that it never saw.
# - **Attention maps** are not explanations (11.6), and a mask is only as good as its leak test (11.8).

# %% [markdown]
# ## Summary
#
# 1. Byte-pair encoding merges the most frequent neighbors, starting from bytes: nothing is unknown, and frequent things are short.
# 2. An embedding is a row of a table, a one-hot product; SGNS fills the table by telling real neighbors from random ones.
# 3. Attention is a soft lookup; dividing by √d starts its scores at variance 1, whatever the width, and so its gradient alive.
# 4. A mask goes on the scores before softmax; the leak test changes one input and watches the outputs.
# 5. A block adds attention, then a feed-forward network, to the stream, each behind a layer norm, N times over.
#
# **Key formulas**
#
# $$\text{softmax}\Big(\frac{QK^\top}{\sqrt{d_\text{head}}} + \text{mask}\Big) V \qquad
# \partial S = A \odot (\partial A - \text{rowsum}(\partial A \odot A)) \qquad
# \frac{\partial L}{\partial x} = \frac1s\big(g - \overline g - \hat x\,\overline{g \odot \hat x}\big)$$
#
# **Further reading**
#
# - P. Gage, *A new algorithm for data compression*, C Users Journal, 1994: byte-pair encoding. R. Sennrich, B. Haddow, A. Birch, *Neural machine translation of rare words with subword units*,
#   ACL 2016, arXiv:1508.07909: BPE for language models, from characters; from bytes it is GPT-2's (below).
# - T. Mikolov et al., *Distributed representations of words and phrases and their compositionality*, NeurIPS 2013, arXiv:1310.4546: SGNS.
#   O. Levy, Y. Goldberg, *Neural word embedding as implicit matrix factorization*, NeurIPS 2014: what it converges to.
# - D. Bahdanau, K. Cho, Y. Bengio, *Neural machine translation by jointly learning to align and translate*, ICLR 2015, arXiv:1409.0473: attention.
# - A. Vaswani et al., *Attention is all you need*, NeurIPS 2017, arXiv:1706.03762: the Transformer; attention itself is Bahdanau's.
# - J. Devlin et al., *BERT*, NAACL 2019, arXiv:1810.04805. A. Radford et al., *Language models are unsupervised multitask learners*, OpenAI 2019: GPT-2.
# - J. Su et al., *RoFormer: enhanced Transformer with rotary position embedding*, arXiv:2104.09864. T. Dao et al., *FlashAttention*, NeurIPS 2022, arXiv:2205.14135.
# - J. L. Ba, J. R. Kiros, G. Hinton, *Layer normalization*, arXiv:1607.06450. B. Zhang, R. Sennrich, *Root mean square layer normalization*, NeurIPS 2019, arXiv:1910.07467.
# - S. Jain, B. Wallace, *Attention is not explanation*, NAACL 2019, arXiv:1902.10186.
