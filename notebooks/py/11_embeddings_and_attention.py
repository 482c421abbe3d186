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
# vectors, attention, Transformer block. In 11.10 a single attention head learns just this, from examples alone.
#
# **So far** a network has read images at one glance (notebook [[convolution]]) and sequences step by step (notebook [[recurrent_networks]]), and what was read early had to survive every later step. This notebook adds a way to look back directly, at any distance, and the vectors that words need for it.
#
# **You will be able to**
#
# - train a byte-pair encoder, and cut any text exactly as GPT-2 does;
# - learn word vectors from raw text, and derive the gradient that does it;
# - write scaled dot-product attention forward and backward, and say why it divides by √d;
# - write a test that finds out whether a mask leaks;
# - build a Transformer block whose outputs and gradients equal Keras' to 1e-5.
#
# ("Document 5, 3.3" and the like are the articles that this course checks; notebook [[start_here]] names them.)

# %% tags=["setup"]
import copy
import inspect
import re
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from course_utils import (
    by_profile, check, claim, data, devices, plotting, profile, solved,
)
from course_utils.lessons.backpropagation import numerical_gradient, sigmoid

plotting.use_style()
rng = np.random.default_rng(0)

# %% [markdown]
# ## 11.1 Which pieces of a text get a number?
#
# The obvious answer is *words*: write a list of all words, number them. Is such a list ever complete? To find out we need text.
# Every machine that runs this course holds some: the documentation inside matplotlib, NumPy and scikit-learn.

# %% tags=["plumbing"]
#@title Plumbing: paragraphs of the documentation inside installed libraries
HOW_MANY = by_profile(quick=1, standard=3, full=3)
LIBRARIES = ("matplotlib", "numpy", "sklearn")[:HOW_MANY]


def read_paragraphs() -> list[str]:
    """The paragraphs of the libraries' docstrings."""
    texts = []
    for library in LIBRARIES:
        folder = Path(find_spec(library).origin).parent
        for file in sorted(folder.rglob("*.py")):
            if "tests" not in file.parts:
                texts += re.findall(r'"""(.*?)"""', file.read_text("utf8"), re.DOTALL)
    return [p for text in texts for p in re.split(r"\n\s*\n", inspect.cleandoc(text))]


# %%
everything = read_paragraphs()
unique = list(dict.fromkeys(everything))
held_out, paragraphs = unique[::10], [p for i, p in enumerate(unique) if i % 10]
repeats = 1 - len(unique) / len(everything)
print(f"{len(everything):,} paragraphs, {repeats:.0%} of them repeats")
print(f"{sum(map(len, paragraphs)):,} characters to learn from; a tenth is held out")


# %% [markdown]
# Dropping repeats belongs to the preparation of every large corpus. For "massive text" Document 2, 6.1 doesn't mention it and lists cleaning, word
# segmentation (分词) and entity recognition (实体识别) instead. Today's recipe is: remove duplicates, filter for quality, cut into *sub-word*
# pieces. Entity recognition is a task that one solves with a model, not a step before it. Why sub-word?

# %%
def words_of(texts: list[str]) -> list[str]:
    return re.findall(r"[a-z]+", " ".join(texts).lower())


word_counts, new_words = Counter(words_of(paragraphs)), words_of(held_out)
place = {word: i for i, (word, _) in enumerate(word_counts.most_common())}
running = np.array([place.get(word, len(place)) for word in new_words])
different = np.array([place.get(word, len(place)) for word in set(new_words)])

missing = [(places >= len(place)).mean() for places in (running, different)]
print(f"with all {len(place):,} words on the list, still unknown: "
      f"{missing[0]:.1%} of the running words, {missing[1]:.0%} of the different ones")

# %% tags=["figure"]
#@title Figure: A list of words is never complete
lengths = np.unique(np.geomspace(10, len(place), 40).astype(int))
fig, ax = plt.subplots()
ax.semilogx(lengths, [(different >= n).mean() for n in lengths],
            label="different words")
ax.semilogx(lengths, [(running >= n).mean() for n in lengths], "--",
            label="running words")
ax.set(title="A list of words is never complete", ylim=(0, 1),
       xlabel="length of the word list", ylabel="share unknown in new text")
ax.legend()
plt.show()

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
# neighbors that occurs most often, make it one piece, repeat. The pieces are called *tokens* (词元). Here a token is a short string of bytes,
# like `b" row"`, and its number is its place in the list of all tokens.
#
# If two pairs occur equally often, take the one whose bytes are larger. Any rule would do; without one,
# the result would depend on the order in which the text was read.

# %% tags=["keep"] lesson="tokens"
Pair = tuple[bytes, bytes]


def merge(word: list[bytes], pair: Pair) -> list[bytes]:
    """The tokens of a word, with each such pair made one token, from left to right."""
    merged: list[bytes] = []
    for token in word:
        if merged and (merged[-1], token) == pair:
            merged[-1] += token
        else:
            merged.append(token)
    return merged


# %% tags=["keep"] lesson="tokens"
def train_bpe(pieces: Mapping[str, int], merges: int) -> list[Pair]:
    """Learn merges from pieces of text and how often each occurs.

    Returns pairs in the order learned: at most so many, fewer when no pair is left
    because every piece is one token. Of equally frequent pairs the larger comes first.
    """
    words = [[bytes([byte]) for byte in piece.encode()] for piece in pieces]
    times = list(pieces.values())
    total: Counter[Pair] = Counter()  # how often a pair occurs
    where: defaultdict[Pair, set[int]] = defaultdict(set)  # in which words

    def add(i: int, sign: int) -> None:
        for pair in pairwise(words[i]):
            total[pair] += sign * times[i]
            where[pair].add(i)

    for i in range(len(words)):
        add(i, +1)
    learned: list[Pair] = []
    while len(learned) < merges and (most := max(total.values(), default=0)) > 0:
        best = max(pair for pair, n in total.items() if n == most)
        learned.append(best)
        for i in where.pop(best):  # only these words change
            add(i, -1)
            words[i] = merge(words[i], best)
            add(i, +1)
    return learned


# %% [markdown]
# Small enough to follow by eye: five words with their counts, five merges. The second column shows what has become
# of *arrows*, which the encoder has never seen.

# %% tags=["nbval-check-output"]
toy = {" row": 6, " rows": 4, " arrow": 2, " column": 5, " columns": 3}
arrows = [bytes([byte]) for byte in b" arrows"]
for i, pair in enumerate(train_bpe(toy, 5)):
    arrows = merge(arrows, pair)
    print(f"merge {i + 1}: {b''.join(pair).decode()!r:7}", [t.decode() for t in arrows])
print("pairs to merge until none is left:", len(train_bpe(toy, 1_000)))

# %% [markdown]
# *row* appears as a piece because it is frequent, not because anybody knows grammar. Merges 3 to 5 leave *arrows* as it is: no ' row', 'um' or 'umn' occurs in it (its *row* has no space before it). A rare word falls apart into known pieces, in
# the worst case into bytes, so nothing is ever unknown. The toy text has 14 merges in it and no more; then every word is one token, and training stops.
#
# On real text two rules are added. First, merges must not run across words, or *of the* would become a token. GPT-2 cuts the text with a regular
# expression: contractions, then runs of letters, of digits, of anything else, each with the space before it.
# Second, a mark such as `<|endoftext|>` between two texts must be cut out before training, or pieces of it, like `<|`, are learned as if they were text.

# %% tags=["plumbing", "keep"] lesson="tokens"
#@title Plumbing: GPT-2's rule for cutting a text, without "any letter" in Python's re
def characters(category: str) -> str:
    """Ranges, for a regex, of all characters whose Unicode category starts so."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == category:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


LETTER, NUMBER = characters("L"), characters("N")  # \w would take ² and ½ for letters
SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
PIECE = re.compile(
    f"'s|'t|'re|'ve|'m|'ll|'d| ?[{LETTER}]+| ?[{NUMBER}]+| ?[^{SPACE}{LETTER}{NUMBER}]+"
    f"|[{SPACE}]+(?![^{SPACE}])|[{SPACE}]+"  # spaces, the last left to the next word
)


def cut_at(text: str, marks: Iterable[str]) -> list[str]:
    """The text cut before and after each mark; the marks themselves stay whole."""
    longest_first = sorted(marks, key=len, reverse=True)
    pattern = "|".join(map(re.escape, longest_first))
    return re.split(f"({pattern})", text) if pattern else [text]


def count_pieces(texts: Iterable[str], special: Sequence[str] = ()) -> Counter[str]:
    """How often each piece occurs, which merges may not leave; without the marks."""
    pieces: Counter[str] = Counter()
    for text in texts:
        for part in cut_at(text, special):
            if part not in special:
                pieces.update(PIECE.findall(part))
    return pieces


# %% tags=["nbval-check-output"]
print(PIECE.findall("It's 2 rows,\n   词元 too"))
print(dict(count_pieces(["one row<|endoftext|>two rows"], ["<|endoftext|>"])))

# %% [markdown]
# Now the real text. A piece that occurs once or twice teaches little, so we train on the others.

# %%
MERGES = by_profile(quick=200, standard=1_000, full=5_000)
pieces = count_pieces(paragraphs)
ours = train_bpe({piece: n for piece, n in pieces.items() if n > 2}, MERGES)
made = [left + right for left, right in ours]
print(f"{len(pieces):,} different pieces; merges 1 to 12:", made[:12])
print("the longest tokens:", sorted(made, key=len)[-8:])

# %% tags=["evidence"]
#@title Evidence: by the definition, all pairs counted afresh before each merge
few = {piece: n for piece, n in pieces.most_common(500) if piece.isascii()}
split = [[bytes([byte]) for byte in piece.encode()] for piece in few]
wrong = 0
for pair in train_bpe(few, 50):
    afresh = Counter()
    for word, n in zip(split, few.values()):
        for other in pairwise(word):
            afresh[other] += n
    most = max(afresh.values())
    wrong += pair != max(p for p, n in afresh.items() if n == most)
    split = [merge(word, pair) for word in split]
claim("merges of 50 that were not the most frequent pair", wrong, at_most=0)
alone = train_bpe({"aaaa": 3, "b": 1}, 1_000)
claim("merges learned where only two are possible", len(alone), at_most=2)


# %% [markdown]
# Encoding replays the merges in the order in which they were learned. Inside one piece: take the pair with the earliest merge,
# merge it, look again.

# %% tags=["keep"] lesson="tokens"
def merged(piece: str, rank: Mapping[Pair, int]) -> list[bytes]:
    """A piece's tokens: always the earliest merge first, until none fits."""
    word = [bytes([byte]) for byte in piece.encode()]
    while len(word) > 1:
        first = min(pairwise(word), key=lambda pair: rank.get(pair, len(rank)))
        if first not in rank:
            break
        word = merge(word, first)
    return word


# %% tags=["keep"] lesson="tokens"
class BPE:
    """A byte-pair encoder: text -> token numbers -> text.

    Numbers: the 256 bytes in byte_order, what the merges make in their order, the
    special marks. tokens[i]: bytes of number i; number: bytes -> i, without the marks.
    """

    def __init__(self, merges: Sequence[Pair], special: Sequence[str] = (),
                 byte_order: Iterable[int] = range(256)) -> None:
        made = [left + right for left, right in merges]
        singles = [bytes([byte]) for byte in byte_order]
        self.tokens = list(dict.fromkeys(singles + made))  # two merges may agree
        self.number = {token: i for i, token in enumerate(self.tokens)}
        self.rank = {pair: i for i, pair in enumerate(merges)}
        self.special = {mark: len(self.tokens) + i for i, mark in enumerate(special)}
        self.tokens += [mark.encode() for mark in special]
        self.known: dict[str, list[int]] = {}  # most pieces come again

    def encode(self, text: str, allow_special: bool = False) -> list[int]:
        """Marks are tokens only if allowed: what a user typed is plain text."""
        ids: list[int] = []
        for part in cut_at(text, self.special if allow_special else ()):
            if allow_special and part in self.special:
                ids.append(self.special[part])
                continue
            for piece in PIECE.findall(part):
                if piece not in self.known:
                    word = merged(piece, self.rank)
                    self.known[piece] = [self.number[token] for token in word]
                ids += self.known[piece]
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Token numbers -> text. A cut character becomes �."""
        return b"".join(self.tokens[i] for i in ids).decode(errors="replace")


# %%
sample = "\n".join(held_out[:: by_profile(quick=40, standard=8, full=1)])
assert BPE(ours).decode(BPE(ours).encode(sample)) == sample
merged_so_far = [*(n for n in (0, 10, 30, 100, 300, 1_000) if n < MERGES), MERGES]
sample_bytes = len(sample.encode())
bytes_per_token = [sample_bytes / len(BPE(ours[:n]).encode(sample))
                   for n in merged_so_far]
bytes_per_word = sample_bytes / len(PIECE.findall(sample))
print(f"{MERGES:,} merges: {bytes_per_token[-1]:.2f} bytes per token; "
      f"whole words: {bytes_per_word:.2f}")
gains = 1_000 * np.diff(bytes_per_token) / np.diff(merged_so_far)
print("gain in bytes per token, for a thousand merges at this pace:", gains.round(1))
claim("largest gain per merge of a stretch, relative to the stretch before",
      (gains[1:] / gains[:-1]).max(), at_most=1)

# %% tags=["figure"]
#@title Figure: The first merges shorten the text most
fig, ax = plt.subplots()
ax.semilogx([256 + n for n in merged_so_far], bytes_per_token, marker="o",
            label="byte-pair encoding")
ax.plot(len(pieces), bytes_per_word, "s", label="whole words (incomplete)")
ax.set(title="The first merges shorten the text most", ylim=(0, None),
       xlabel="vocabulary, tokens", ylabel="bytes per token, held-out text")
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# BPE slides from bytes (left) toward words (right) and stops where you say. From point to point a merge buys less (printed above, per merge).
# What you buy is length, which section 11.9 prices; what you pay is one vector per token.
#
# A mark is a token only where the program allows it. If text typed by a user could become `<|endoftext|>`, a user could end the conversation that the model sees:

# %% tags=["nbval-check-output"]
marked = BPE(train_bpe(toy, 5), special=["<|endoftext|>"])
for allowed in (False, True):
    ids = marked.encode(" row<|endoftext|>", allow_special=allowed)
    print(f"marks allowed: {allowed!s:5} {len(ids):2} tokens:", ids)

# %% [markdown]
# ### Exercise 11.2 · how BERT cuts (12 min)
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
    known_t = {"row", "r", "ar", "column", "c", "##row", "##rows", "##s", "##r", "##o"}

    def cut_t(word, right, vocabulary=known_t, why=""):
        got = list(wordpiece(word, set(vocabulary)))
        assert got == right, f"{word!r} gives {got}, not {right}. {why}"

    cut_t("row", ["row"])
    cut_t("rows", ["row", "##s"])
    cut_t("arrows", ["ar", "##rows"], why="longest first")
    cut_t("arrowss", ["ar", "##rows", "##s"])
    cut_t("columnr", ["column", "##r"])
    cut_t("rro", ["r", "##r", "##o"])
    cut_t("c", ["c"], why="a word of one letter")
    cut_t("rowx", ["[UNK]"], why="the whole word is unknown")
    cut_t("srow", ["[UNK]"], why="##s may not start a word")
    cut_t("abc", ["[UNK]"], {"a", "ab", "##bc"}, why="it never goes back")
    cut_t("", [])

# %% [markdown]
# <details><summary>Hint</summary>
#
# Keep the position `start`. Try `end` from the end of the word downward; the first hit moves `start` to `end`.
# </details>

# %% tags=["solution"]
#@title Solution 11.2 · runs only while yours does not pass
if not solved("11.2"):
    def wordpiece(word, vocabulary):
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = "##" + word[start:end] if start else word[:end]
                if piece in vocabulary:
                    found.append(piece)
                    start = end
                    break
            else:
                return ["[UNK]"]
        return found

# %% [markdown]
# ## 11.3 GPT-2's tokenizer, exactly
#
# GPT-2 was trained with 50,000 merges. Its file writes every byte as a printable character: bytes that print keep their
# own, the other 68 get the characters from 256 on. The token numbers follow the same order: first the 256 bytes, printable ones first, then
# the merges, last the mark `<|endoftext|>`. So the published table of 50,257 numbers holds no news; we derive it and compare.

# %% tags=["plumbing", "keep"] lesson="tokens"
#@title Plumbing: GPT-2's spelling of bytes, and its encoder from the published merges
PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTE_ORDER = PRINTABLE + [byte for byte in range(256) if byte not in PRINTABLE]
SPELLED = {chr(byte): byte for byte in PRINTABLE}
SPELLED |= {chr(256 + i): byte for i, byte in enumerate(BYTE_ORDER[len(PRINTABLE):])}


def spelled_bytes(token: str) -> bytes:
    """The bytes behind a token as GPT-2's files write it: "Ġthe" -> b" the"."""
    return bytes(SPELLED[character] for character in token)


def gpt2_encoder(merges: Iterable[tuple[str, str]]) -> BPE:
    """GPT-2's tokenizer, with its own numbers, from its merges as published."""
    pairs = [(spelled_bytes(left), spelled_bytes(right)) for left, right in merges]
    return BPE(pairs, ["<|endoftext|>"], BYTE_ORDER)


# %%
gpt2 = data.gpt2_bpe()
gpt2_bpe = gpt2_encoder(gpt2.merges)
number_of = {token: i for i, token in enumerate(gpt2_bpe.tokens)}
wrong = [token for token, number in gpt2.vocabulary.items()
         if number_of[spelled_bytes(token)] != number]
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

# %%
texts = {
    "English": "A large model reads tokens, and every token costs time and money.",
    "the same\nin Chinese": "大模型读的是词元，每个词元都要花费时间和金钱。",
    "Python": "for i in range(10):\n    print(i ** 2, end=' ')\n",
    "numbers": "3.14159265 2.71828183 1.41421356 1.61803399",
    "emoji": "🙂🚀🎉🙃🧪📚🔑🗄️",
}
english, chinese = (len(gpt2_bpe.encode(t)) for t in list(texts.values())[:2])
print(f"the same sentence: {english} tokens in English, {chinese} in Chinese, "
      f"{chinese / english:.1f} times as many")
theirs = sample_bytes / len(gpt2_bpe.encode(sample))
print(f"the held-out text of 11.2: {theirs:.2f} bytes per token, "
      f"ours {bytes_per_token[-1]:.2f}")

# %% tags=["figure"]
#@title Figure: Cheap for the text it was trained on, expensive for the rest
rates = [len(gpt2_bpe.encode(t)) / len(t) for t in texts.values()]
fig, ax = plt.subplots()
colors = [plotting.BLUE, plotting.ORANGE] + [plotting.SKY] * 3
bars = ax.bar(list(texts), rates, color=colors)
ax.bar_label(bars, [f"{r:.2f}" for r in rates])
ax.margins(y=0.1)
ax.set(title="Cheap for the text it was trained on, expensive for the rest",
       ylabel="tokens per character")
plt.show()

# %% [markdown]
# A character of English costs a fraction of a token, a Chinese one (three bytes in UTF-8) one to three. This sentence
# takes 3.5 times the tokens in Chinese, and so the time, the money and the room in the context. GPT-2 was
# trained on English pages; notebook [[project_pretrained_gpt2]] shows what it makes of a Chinese prompt.
#
# Does it lose anything? Random strings of all alphabets, with spaces and emoji, must survive the round trip. (The last section
# compares every number with OpenAI's own tokenizer.)

# %% tags=["evidence"]
#@title Evidence: texts of all alphabets survive the round trip
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
TOKENS, WIDE = 50_257, 768  # GPT-2 small
small_table = rng.normal(size=(6, 3))
rows = np.array([[4, 1, 4], [0, 4, 5]])
product = np.eye(6)[rows] @ small_table  # (2, 3, 6) @ (6, 3)
print("one-hot product equals lookup:", np.array_equal(product, small_table[rows]))
print(f"GPT-2: {TOKENS:,} numbers per one-hot row become {WIDE}, "
      f"by {TOKENS * WIDE:,} parameters")


# %% [markdown]
# Document 5, 3.3 says that embedding maps words to *high*-dimensional vectors. It is the other way round: the one-hot row
# is the high-dimensional one, sparse and with every two words equally far apart. The embedding is low-dimensional and dense,
# so that words can be *near* each other.

# %% [markdown]
# ### Exercise 11.4 · the gradient of a lookup (8 min)
# Forward: `out = E[ids]`, with `ids` of shape (B, T) and `out` of shape (B, T, d). Given $G = \partial L / \partial\,\text{out}$, return $\partial L / \partial E$, shape
# $(V, d)$. Mind tokens that occur more than once, as the 4 above.

# %% tags=["exercise"]
def embedding_gradient(ids: np.ndarray, G: np.ndarray, vocabulary: int) -> np.ndarray:
    """Gradient of the table. ids: (B, T) integers, G: (B, T, d) -> (vocabulary, d)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("11.4", "the gradient of a lookup"):
    for seed_t, shape_t in enumerate([(2, 3, 4), (3, 5, 2), (1, 1, 3)]):  # (B, T, d)
        draw_t = np.random.default_rng(seed_t)
        ids_t, G_t = draw_t.integers(0, 5, shape_t[:2]), draw_t.normal(size=shape_t)
        got_t = np.asarray(embedding_gradient(ids_t.copy(), G_t.copy(), 7))
        assert got_t.shape == (7, shape_t[2]), f"shape {got_t.shape}"
        right_t = np.einsum("btv,btd->vd", np.eye(7)[ids_t], G_t)
        np.testing.assert_allclose(got_t, right_t, rtol=1e-5, atol=1e-6)

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
def sgns_gradients(u, v):
    """u: (d,), v: (1 + k, d), the true neighbor first -> dL/du, dL/dv"""
    g = sigmoid(v @ u) - (np.arange(len(v)) == 0)
    return g @ v, np.outer(g, u)


# %% tags=["evidence"]
#@title Evidence: equal to central differences
u, v, sign = rng.normal(size=4), rng.normal(size=(6, 4)), np.array([1] + [-1] * 5)
sgns_loss = lambda u, v: np.logaddexp(0, -sign * (v @ u)).sum()
du, dv = sgns_gradients(u, v)
difference = max(
    np.abs(du - numerical_gradient(lambda u: sgns_loss(u, v), u)).max(),
    np.abs(dv - numerical_gradient(lambda v: sgns_loss(u, v), v)).max())
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
stays = np.sqrt(1e-3 * count.sum() / count)  # probability, where below 1

draw = np.random.default_rng(11)
left, right = [], []
for sentence in prose:
    kept = np.array([index[word] for word in sentence if word in index], dtype=int)
    kept = kept[draw.random(len(kept)) < stays[kept]]
    for distance in (1, 2):
        left.append(kept[:-distance])
        right.append(kept[distance:])
left, right = np.concatenate(left), np.concatenate(right)
center, company = np.concatenate([left, right]), np.concatenate([right, left])
print(f"{len(vocabulary):,} words, {len(center):,} pairs of neighbors")

# %% [markdown]
# A step takes 1,024 pairs and draws five random words for each. It divides each entry of the gradient by the root of the sum of its squares so far
# (AdaGrad, notebook [[optimizers]]): entries of rare words, with few gradients behind them, take larger steps.

# %%
WIDTH, BATCH, NEGATIVES = 48, 1_024, 5
STEPS = by_profile(quick=100, standard=2_000, full=8_000)
probability = count**0.75 / (count**0.75).sum()  # of being drawn at random


def adagrad(table, squares, rows, G, eta=0.2):
    """One step on a table (V, WIDTH); G[i] is added to the gradient of row rows[i]."""
    gradient = np.zeros_like(table)
    entries = rows[..., None] * WIDTH + np.arange(WIDTH)  # NumPy adds fastest in 1-D
    np.add.at(gradient.ravel(), entries.ravel(), G.ravel())
    squares += gradient**2
    table -= eta * gradient / np.sqrt(squares)


def train_vectors(seed: int):
    """-> U, C: (V, WIDTH) center and company vectors, the loss every 50 steps"""
    rng, losses = np.random.default_rng(seed), []
    U = rng.normal(0, 0.1, (len(count), WIDTH)).astype(np.float32)
    C = np.zeros_like(U)
    squares_U, squares_C = np.full((2, *U.shape), 1e-8, np.float32)
    for step in range(STEPS):
        pick = rng.integers(0, len(center), BATCH)
        random = rng.choice(len(U), (BATCH, NEGATIVES), p=probability)
        w, c = center[pick], np.column_stack([company[pick], random])
        u, v = U[w], C[c]                                # (BATCH, d), (BATCH, 1 + k, d)
        logits = np.einsum("bd,bkd->bk", u, v)
        g = sigmoid(logits)
        g[:, 0] -= 1                                     # the true neighbor
        if step % 50 == 0:
            signed = np.where(np.arange(NEGATIVES + 1) == 0, -logits, logits)
            losses.append(np.logaddexp(0, signed).sum(axis=1).mean())
        adagrad(U, squares_U, w, np.einsum("bk,bkd->bd", g, v))
        adagrad(C, squares_C, c, g[:, :, None] * u[:, None])
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
# ten nearest? Three rivals need no gradient steps.
#
# - *Counts*: describe word $w$ by its whole row of counts $N_{wc}$, how often $c$ stands near $w$.
# - *Surprises*: with the sums $N_w$ of the row, $N_c$ of the column and $N$ of the table, a pair mixed at random would be expected $N_w N_c / N$ times. Take $\max\big(0, \log \frac{N_{wc}}{N_w N_c / N}\big)$ instead of the count (positive pointwise mutual information, PPMI). A pair that is frequent only because both words are gets 0.
# - *Surprises, SVD*: to have as few numbers as SGNS, keep of each row of surprises only its coordinates along the 48 directions in which the table is widest (singular value decomposition, cut off).

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
thin, stretch, _ = svds(surprise, WIDTH)  # the 48 widest directions of the table

wide = f"{len(vocabulary):,} numbers"
scores = [share_found(table) for table, _, _ in seeds]
found = {f"counts\n{wide}": share_found(together),
         f"surprises\n{wide}": share_found(surprise),
         f"surprises, SVD\n{WIDTH} numbers": share_found(thin * stretch),
         f"SGNS\n{WIDTH} numbers": np.mean(scores)}
print(f"SGNS, three starts: {np.mean(scores):.0%} ± {np.std(scores, ddof=1):.0%} "
      f"(mean ± s.d.); by chance {10 / len(vocabulary):.1%}")
error = np.sqrt(np.mean(scores) * (1 - np.mean(scores)) / len(related))
print(f"standard error from having only {len(related)} pairs: {error:.0%}")
claim(f"related pairs found by {WIDTH} numbers per word", np.mean(scores),
      at_least=0.6, applies=profile() != "quick")

# %% tags=["figure"]
#@title Figure: 48 numbers stand in for a row of the table
fig, ax = plt.subplots()
colors = [plotting.GRAY] * 3 + [plotting.BLUE]
bars = ax.bar(list(found), found.values(), 0.6, color=colors)
ax.bar_label(bars, fmt="{:.0%}")
ax.set(title="48 numbers stand in for a row of the table", ylim=(0, 1),
       ylabel=f"share of {len(related)} related pairs found")
plt.show()

# %% [markdown]
# Counting is a strong rival. No two bars differ by more than two standard errors of a difference, 10 points each, so these few pairs cannot rank the four safely; what they show is that
# 48 numbers do about as well as a whole row, learned or squeezed. The two have more in common than that. What does the game want the logit $x = u_w \cdot v_c$ of one
# pair to be? In the whole text the pair counts $N_{wc}$ times as true, and is drawn at random about $k N_w p_c$ times, where $p_c$ is the probability of drawing $c$. Its share of the loss, and where that is smallest:
#
# $$N_{wc} \log(1 + e^{-x}) + k N_w p_c \log(1 + e^{x}), \qquad
# -N_{wc}\,\sigma(-x) + k N_w p_c\, \sigma(x) = 0 \;\Rightarrow\; x^\ast = \log \frac{N_{wc}}{k N_w p_c},$$
#
# because $\sigma(x)/\sigma(-x) = e^x$: once more the logarithm of a count over what chance would give. So the game should squeeze a table of surprises into two thin ones, $U$ and $C$. Does it? Compare the logits with $x^\ast$.

# %%
often_w, often_c = np.nonzero(together >= 10)  # rarer pairs: counts mostly noise
wanted = np.log(together[often_w, often_c]
                / (NEGATIVES * row_sums[often_w, 0] * probability[often_c]))
learned_logits = (U[often_w] * C[often_c]).sum(axis=1)
claim(f"correlation over {len(wanted):,} pairs",
      np.corrcoef(wanted, learned_logits)[0, 1], at_least=0.6,
      applies=profile() != "quick")

# %% tags=["figure"]
#@title Figure: The vectors learn how surprising a pair is
fig, ax = plt.subplots(figsize=(5.2, 4))
ax.hexbin(wanted, learned_logits, gridsize=45, bins="log", cmap="Blues")
ax.axline((0, 0), slope=1, color=plotting.ORANGE, label="$u_w · v_c = x^*$")
ax.set(title="The vectors learn how surprising a pair is",
       xlabel="$x^*$, from the counts", ylabel="$u_w · v_c$, learned")
ax.legend()
plt.show()

# %% [markdown]
# The cloud follows the line, somewhat flatter: a sum of 48 products stands in for the logarithm of a count. Vectors can also be looked at, two directions at a time:

# %% tags=["figure"]
#@title Figure: Words used alike lie together, though nobody said what they mean
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
apart = np.linalg.norm(flat[:, None] - flat, axis=-1) + 9 * np.eye(len(flat))
nearest = apart.argmin(axis=1)

fig, ax = plt.subplots(figsize=(8, 5.4))
for color, (name, words) in zip(plotting.PALETTE, groups.items()):
    members = [chosen.index(w) for w in words]
    ax.scatter(*flat[members].T, color=color, label=name, s=18)
    for word, row in zip(words, members):  # labels point away from the nearest dot
        to_right = flat[row, 0] > flat[nearest[row], 0]
        shift, side = ((4, 0), "left") if to_right else ((-4, 0), "right")
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
# Document 1, 3.1 and Document 5, 3.3 say that attention (注意力) "focuses on the important parts", and give no formula. This is the formula: row $t$ of $A$ says from
# where token $t$ fetches, and it depends on both ends. Nothing is important in itself.

# %% tags=["keep"] lesson="attention"
def masked_softmax(scores: np.ndarray) -> np.ndarray:
    """Softmax over the last axis. A score of -inf gets weight 0; a row of nothing else
    has nothing to choose from and gets zeros, not 0/0."""
    highest = scores.max(axis=-1, keepdims=True)
    e = np.exp(scores - np.where(highest == -np.inf, 0, highest))
    total = e.sum(axis=-1, keepdims=True)
    return e / np.where(total == 0, 1, total)


def attention(Q: np.ndarray, K: np.ndarray, V: np.ndarray,
              mask: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Scaled dot-product attention; leading axes (batch, heads) go along.

    Q: (..., T, d_head), K: (..., S, d_head), V: (..., S, d_v)
    mask: (T, S) or (..., T, S), True where token t may look at s
    -> output (..., T, d_v), weights (..., T, S); zeros where t may look at nothing
    """
    scores = Q @ K.swapaxes(-1, -2) * Q.shape[-1] ** -0.5
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    A = masked_softmax(scores)
    return A @ V, A


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
    described = np.array([features.get(word, [0, 0, 0, 0]) for word in words])  # (7, 4)
    fetched, looks = attention(described @ W_Q, described @ W_K, described @ W_V)
    weights.append(looks)
    print(f"{words[5]:3} looks at", dict(zip(words, looks[5].round(2).tolist())))
    print(f"    and fetches plural {fetched[5, 0]:.2f}, singular {fetched[5, 1]:.2f}")

# %% tags=["figure"]
#@title Figure: The verb finds the noun that agrees with it
fig, axes = plt.subplots(1, 2, figsize=(9, 4.2))
for ax, table, sentence in zip(axes, weights, sentences):
    image = ax.imshow(table, vmin=0, vmax=1, cmap="Blues")
    for (t, s), weight in np.ndenumerate(table):
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
# half. And the number asked for comes from the verb's own form. To *fill in* the verb, a model has to ask from the place before it, and to find the subject it
# needs more features, of place above all. A noun asks for its number only, and so finds itself and whatever shares it. The words without features ask for nothing and get the even mixture, 1/7 each.
#
# In a trained model nobody sets the matrices: the gradient does, and it is derived next. Section 11.10, where words get their places, trains a head on this very task, and
# asks whether its attention weights *explain* its answers.

# %% [markdown]
# ## 11.7 Why divide by √d?
#
# In this section $d$ is short for $d_\text{head}$. Let the $d$ entries of a query and a key be independent with mean 0 and variance 1. Then the terms of $q \cdot k = \sum_{i=1}^{d} q_i k_i$ are
# independent too, with mean 0 and variance $\mathrm{E}[q_i^2]\,\mathrm{E}[k_i^2] = 1$, and variances add:
#
# $$\mathrm{Var}(q \cdot k) = d, \qquad \mathrm{Var}\!\left(q \cdot k / \sqrt d\right) = 1 .$$
#
# Without the division, the scores grow with the width and softmax turns into "winner takes all". Then its derivative dies: for scores $s$ and weights $A = \text{softmax}(s)$,
# $\partial A_j / \partial s_i = A_j([i = j] - A_i)$ is 0 wherever the weights are 0 or 1. Measured, for 500 queries with 2, 16 or 64 keys each. To be fair, both
# ways are differentiated with respect to the undivided product $q \cdot k$, which costs the divided one a factor $1/\sqrt d$. The *size* of one query's
# table of derivatives is the root of the sum of their squares; below 0.001 we call its gradient *dead*.

# %%
draw = np.random.default_rng(0)
widths, key_counts = 2 ** np.arange(2, 11), (2, 16, 64)
score_variance = []
decided, dead, mean_size = ({} for _ in range(3))  # (keys, divided?) -> one per width
for width in widths:
    queries = draw.standard_normal((500, width, 1), dtype=np.float32)
    for n in key_counts:
        keys = draw.standard_normal((500, n, width), dtype=np.float32)
        products = (keys @ queries)[..., 0].astype(float)                # (500, n)
        if n == 64:
            score_variance.append(products.var())
        for divided, scale in ((True, np.sqrt(width)), (False, 1)):
            A = masked_softmax(products / scale)
            jacobian = A[:, :, None] * (np.eye(n) - A[:, None, :]) / scale
            sizes = np.sqrt((jacobian**2).sum(axis=(1, 2)))
            for table, value in ((decided, (A.max(axis=1) > 0.99).mean()),
                                 (dead, (sizes < 1e-3).mean()),
                                 (mean_size, sizes.mean())):
                table.setdefault((n, divided), []).append(value)
claim("largest relative distance of the variance from d",
      np.abs(np.array(score_variance) / widths - 1).max(), at_most=0.1)
claim("largest share of dead gradients, divided",
      max(max(dead[n, True]) for n in key_counts), at_most=0.01)
for i in (4, 8):
    shares = ", ".join(f"{dead[n, False][i]:.0%}" for n in key_counts)
    print(f"width {widths[i]:,}, undivided, 16 keys: {decided[16, False][i]:.0%}"
          " decided,"
          f"\n  with 2, 16, 64 keys {shares} dead; mean size (16 keys)"
          f" {mean_size[16, False][i]:.3f}, divided {mean_size[16, True][i]:.3f}")

# %% tags=["figure"]
#@title Figure: Undivided, wide heads pick one key and many can no longer learn
fig, axes = plt.subplots(1, 3, figsize=(10, 3.4))
axes[0].loglog(widths, score_variance, "o", base=2, color=plotting.PURPLE,
               label="measured")
axes[0].loglog(widths, widths, base=2, color=plotting.GRAY, label="d")
axes[0].set(title="A score's variance is d", ylabel="variance of q · k")
axes[1].semilogx(widths, decided[16, True], "o-", base=2, label="÷ √d")
axes[1].semilogx(widths, decided[16, False], "s--", base=2, label="as it is")
axes[1].set(title="One winner (16 keys)", ylabel="share with a weight > 0.99")
axes[2].semilogx(widths, dead[16, True], "o-", base=2, label="÷ √d, 16 keys")
for n, style in zip(key_counts, ("s--", "v--", "^--")):
    axes[2].semilogx(widths, dead[n, False], style, base=2, label=f"as it is, {n} keys")
axes[2].set(title="No gradient", ylabel="share of queries, dead")
for ax in axes:
    ax.set_xlabel("width d")
    ax.legend(fontsize=8)
fig.suptitle("Undivided, wide heads pick one key and many can no longer learn",
             fontweight="bold")
plt.show()


# %% [markdown]
# Left, the dots lie on the line. Middle: undivided, before anything is learned, about a third of the queries at width 64 (GPT-2's heads) and
# three quarters at width 1,024 have given nearly all their weight to one key; divided, none. Right: divided, under 1 % of the gradients are dead at any width. Undivided, at width 64 it is
# 5 to 50 %, the more the fewer keys there are, and at width 1,024 more than half: those queries can hardly be told that they chose the wrong key.
#
# On *average* the undivided gradient is the larger one, at every width (mean size, last line): the queries that are still undecided feel a stronger pull. What the division buys is that at the start none is lost.
#
# That gradient is what sets $W_Q$ and $W_K$. Step by step, with $S = QK^\top/\sqrt d$, $A = \text{softmax}(S)$, $O = AV$, and $G = \partial L/\partial O$ given (and $\partial V$ short for $\partial L/\partial V$):
#
# - $O = AV$ is a matrix product (notebook [[backpropagation]]): $\;\partial V = A^\top G, \quad \partial A = G V^\top$;
# - softmax, row by row: $\partial S_{tj} = \sum_m \partial A_{tm} \, A_{tm} ([m = j] - A_{tj})$, that is $\;\partial S = A \odot (\partial A - \text{rowsum}(\partial A \odot A))$;
# - $S$ is a product again: $\;\partial Q = \partial S\, K / \sqrt d, \quad \partial K = \partial S^\top Q / \sqrt d$.

# %% tags=["keep"] lesson="attention"
def attention_backward(
    G: np.ndarray, Q: np.ndarray, K: np.ndarray, V: np.ndarray, A: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """G: gradient of the output, A: the weights -> gradients of Q, K, V"""
    dV = A.swapaxes(-1, -2) @ G
    dA = G @ V.swapaxes(-1, -2)
    dS = A * (dA - (dA * A).sum(axis=-1, keepdims=True)) * Q.shape[-1] ** -0.5
    return dS @ K, dS.swapaxes(-1, -2) @ Q, dV


# %%
def largest(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference; the shapes must agree."""
    assert a.shape == b.shape, (a.shape, b.shape)
    return float(np.abs(a - b).max())


# %% tags=["evidence"]
#@title Evidence: attention's gradients equal central differences, one row seeing nothing
inputs = [rng.normal(size=shape) for shape in ((4, 3), (5, 3), (5, 2))]  # Q, K, V
mask, G = rng.random((4, 5)) < 0.7, rng.normal(size=(4, 2))
mask[:, 0], mask[2] = True, False  # every row but one sees something
analytic = attention_backward(G, *inputs, attention(*inputs, mask)[1])
differences = []
for i in range(3):
    loss = lambda x: (attention(*inputs[:i], x, *inputs[i + 1 :], mask)[0] * G).sum()
    differences.append(largest(analytic[i], numerical_gradient(loss, inputs[i])))
claim("attention, largest difference from the numerical gradient", max(differences),
      at_most=1e-8)

# %% [markdown]
# Masked places need no extra line: their weight is 0, so $\partial S$ is 0 there.

# %% [markdown]
# ## 11.8 Masks: who may look at whom
#
# Two families of models use the same layer with different masks (掩码):
#
# - **GPT** writes text, one token after the other. In training it sees the whole text at once, so token $t$ must be kept from looking at
#   what it is to predict: the *causal* mask lets $t$ see $s \le t$ only.
# - **BERT** reads text. Its encoder has no causal mask: every token sees both sides, and training hides some tokens and asks for them
#   (masked language modeling). Document 3, 1 says that GPT-3 *and BERT* brought *generation* to a new level. BERT doesn't
#   generate: it has never learned to continue a text whose right side does not exist yet.
#
# Does a mask do what it says? Don't read the code, test it: change one input and see which outputs move. The third mask
# below is a popular mistake, setting the weights to zero *after* softmax.

# %% tags=["keep"] lesson="attention"
def causal_mask(T: int) -> np.ndarray:
    """(T, T) bool, True where token t may look at s: at itself and what came before."""
    return np.tril(np.ones((T, T), dtype=bool))


# %%
mask_rng = np.random.default_rng(8)
eight = mask_rng.normal(size=(8, 6))                        # 8 tokens of width 6
projections = mask_rng.normal(size=(3, 6, 6))               # W_Q, W_K, W_V
causal = causal_mask(8)


def influence(layer) -> np.ndarray:
    """(T, T): how far output t moves when input s is changed."""
    moved = np.zeros((8, 8))
    for s in range(8):
        changed = eight.copy()
        changed[s] += 1
        moved[:, s] = np.abs(layer(changed) - layer(eight)).max(axis=1)
    return moved


def masked_late(x):
    _, A = attention(*(x @ W for W in projections))
    return (A * causal) @ x @ projections[2]


layers = {"no mask (BERT)": lambda x: attention(*(x @ W for W in projections))[0],
          "causal (GPT)": lambda x: attention(*(x @ W for W in projections), causal)[0],
          "zeroed after softmax": masked_late}
influences = {name: influence(layer) for name, layer in layers.items()}
leaks = [moved[~causal].max() for moved in influences.values()]
claim("causal mask, largest influence of a later token", leaks[1], at_most=0)
print(f"no mask {leaks[0]:.2f}, zeroed after softmax {leaks[2]:.2f}")

# %% tags=["figure"]
#@title Figure: Weights zeroed after softmax let the future in
fig, axes = plt.subplots(1, 3, figsize=(9, 3.6))
for ax, (name, moved) in zip(axes, influences.items()):
    ax.imshow(moved > 0, cmap="Blues", vmin=0, vmax=1.4)
    ax.set(title=name, xlabel="input s changed", ylabel="output t moves (blue)")
    ax.grid(False)
fig.suptitle("Weights zeroed after softmax let the future in", fontweight="bold")
plt.show()

# %% tags=["evidence"]
#@title Evidence: zeroed weights, divided by what is left of each row, equal the causal mask
Q, K, V = (eight @ W for W in projections)
rest = attention(Q, K, V)[1] * causal
repaired = rest / rest.sum(axis=1, keepdims=True) @ V
claim("zeroed and divided by the rest of each row, against the causal mask",
      largest(repaired, attention(Q, K, V, causal)[0]), at_most=1e-12)


# %% [markdown]
# The causal mask passes: nothing right of the diagonal, exactly 0. Zeroing afterwards *leaks*: later tokens
# have already gone into the denominators of softmax. What a model computes from such a leak in training is gone
# when it must write, because then the later tokens do not exist. Dividing each row by what is left of its sum repairs it (the claim above); simpler is to mask the scores, with $-\infty$, before softmax.
#
# Two masks more, in words. *Padding* (填充): sentences of different lengths in one batch are filled up on the right, and BERT's mask lets nobody look at $s \ge$ length.
# GPT in training needs no mask for that, because its real tokens never look to the right; only the loss must skip the filling. (When it writes several texts at once, they are filled up on the *left*,
# and then it needs one.) *Packing*: to waste no room, training rows are filled with one document
# after another. GPT-3 put only the mark `<|endoftext|>` between them; Llama 3 keeps them apart with a mask.
#
# **Nothing allowed.** A token of the filling that may look at no one: softmax of $-\infty$ only is $0/0$, and one NaN is enough to spoil a whole model's gradient. So `masked_softmax`
# says what is meant: no weights, output 0, gradient 0.

# %% tags=["nbval-check-output"]
nobody = causal.copy()
nobody[3] = False                                           # token 3: nothing
output, looks = attention(*(eight @ W for W in projections), nobody)
print("weights of token 3:", looks[3], "output:", output[3])

# %% [markdown]
# Libraries differ here: 11.13 asks two of Keras' functions.

# %% [markdown]
# ### Exercise 11.8 · packed documents, sliding window (8 min)
# A token may look only at itself and earlier tokens *of its own document*; and, because long contexts are expensive, only at itself and the $w - 1$ tokens before
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
    rows_t = [[3, 3, 3, 1, 1, 2], [0, 0, 0, 0, 0, 0], [5, 4, 4, 4, 4, 6]]
    for w_t, some_t in ((1, rows_t), (2, rows_t), (3, rows_t[:1]), (9, rows_t[:2]),
                        (2, [[7]])):
        got_t = np.asarray(packed_mask(np.array(some_t), w_t))
        long_t = len(some_t[0])
        assert got_t.shape == (len(some_t), long_t, long_t), f"shape {got_t.shape}"
        assert got_t.dtype == bool, f"dtype {got_t.dtype}, expected bool"
        for b_t, t_t, s_t in np.ndindex(got_t.shape):
            may_t = t_t - w_t < s_t <= t_t and some_t[b_t][t_t] == some_t[b_t][s_t]
            where_t = f"row {some_t[b_t]}, w={w_t}: may {t_t} look at {s_t}? {may_t}"
            assert got_t[b_t, t_t, s_t] == may_t, where_t

# %% [markdown]
# <details><summary>Hint</summary>
#
# `t = np.arange(T)[:, None]` and `s = np.arange(T)` compare to a (T, T) table; `documents[:, :, None]` and `documents[:, None, :]` compare to (B, T, T).
# </details>
# To explore: with $N$ such layers on top of each other, how far back does information reach? Guess, then test it with `influence`.

# %% tags=["solution", "keep"] lesson="attention"
#@title Solution 11.8 · runs only while yours does not pass
if not solved("11.8"):
    def packed_mask(documents: np.ndarray, w: int) -> np.ndarray:
        """Causal masks for rows that hold several documents, with a window.

        documents: (B, T) integers; tokens of one document have the same number
        w: how many tokens one sees at most, itself included -> (B, T, T) bool
        """
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

# %% tags=["keep"] lesson="attention"
def split_heads(X: np.ndarray, h: int) -> np.ndarray:
    """(B, T, d_model) -> (B, h, T, d_head)"""
    B, T, d = X.shape
    return X.reshape(B, T, h, d // h).swapaxes(1, 2)


def join_heads(X: np.ndarray) -> np.ndarray:
    """(B, h, T, d_head) -> (B, T, d_model)"""
    B, h, T, d = X.shape
    return X.swapaxes(1, 2).reshape(B, T, h * d)


Parameters = dict[str, np.ndarray]


def linear_backward(G: np.ndarray, X: np.ndarray, p: Parameters,
                    name: str) -> tuple[np.ndarray, Parameters]:
    """Gradients of X @ W + b, where W is p["W" + name], b is p["b" + name].

    G: (..., d_out), X: (..., d_in) -> gradient of X, dict of the gradients of W, b
    """
    rows, G_rows = (x.reshape(-1, x.shape[-1]) for x in (X, G))  # B · T examples
    gradients = {"W" + name: rows.T @ G_rows, "b" + name: G_rows.sum(axis=0)}
    return G @ p["W" + name].T, gradients


# %% tags=["keep"] lesson="attention"
def multi_head(X: np.ndarray, p: Parameters, h: int,
               mask: np.ndarray | None = None) -> tuple[np.ndarray, tuple]:
    """Multi-head self-attention with h heads.

    X: (B, T, d_model); mask: (T, T) or (B, 1, T, T), True where t may look at s
    p: WQ, WK, WV, WO (d_model, d_model), bQ, bK, bV, bO (d_model,)
    -> (B, T, d_model), what the backward pass needs
    """
    Q, K, V = (split_heads(X @ p["W" + n] + p["b" + n], h) for n in "QKV")
    O, A = attention(Q, K, V, mask)                         # A: (B, h, T, T)
    joined = join_heads(O)
    return joined @ p["WO"] + p["bO"], (X, Q, K, V, A, joined)


def multi_head_backward(G: np.ndarray, p: Parameters, h: int,
                        cache: tuple) -> tuple[np.ndarray, Parameters]:
    """G: gradient of the output (B, T, d_model) -> gradient of X, of the parameters"""
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
# Measured with one head of width 64, and with the four matrices side by side as one of shape $(d, 4d)$:

# %% tags=["plumbing"]
#@title Plumbing: a stopwatch
def milliseconds(f) -> float:
    """Of the fastest of at least three calls, for at least a tenth of a second.

    On one core: small products on several spend their time waiting for each other.
    """
    seconds, begin = [], time.perf_counter()
    with threadpool_limits(1, user_api="blas"):
        while len(seconds) < 3 or time.perf_counter() - begin < 0.1:
            before = time.perf_counter()
            f()
            seconds.append(time.perf_counter() - before)
    return 1e3 * min(seconds)


# %%
timed = 2 ** np.arange(6, by_profile(quick=10, standard=12, full=14))   # lengths T
four_matrices = rng.normal(size=(64, 4 * 64)).astype(np.float32)
taken = {"weights: ∝ T": [], "attention: ∝ T²": [], "its softmax alone": []}
for T in timed:
    tokens = rng.normal(size=(T, 64)).astype(np.float32)
    scores_t = tokens @ tokens.T
    for label, f in zip(taken, (lambda: tokens @ four_matrices,
                                lambda: attention(tokens, tokens, tokens),
                                lambda: masked_softmax(scores_t))):
        taken[label].append(milliseconds(f))
for label, values in taken.items():
    print(f"{label:18} last doubling of T: × {values[-1] / values[-2]:.1f}")
for T in (1_024, 131_072):
    print(f"T = {T:,}: all A of GPT-2 small, 12 layers × 12 heads in float16, "
          f"{144 * T**2 * 2 / 1e9:,.1f} GB")

# %% tags=["figure"]
#@title Figure: The price of looking everywhere is quadratic
fig, ax = plt.subplots()
for (label, values), style in zip(taken.items(), ("o-", "s--", "^:")):
    ax.loglog(timed, values, style, base=2, label=label)
ax.axvline(2 * 64, color=plotting.GRAY, lw=1)
ax.text(2 * 64, 0.9 * max(taken["attention: ∝ T²"]), " T = 2d", va="top")
ax.set(title="The price of looking everywhere is quadratic", xlabel="sequence length T",
       ylabel="milliseconds on one core (d = 64)", yscale="log")
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# The dashed line is twice as steep. By the count of operations, doubling $T$ doubles the one price and quadruples the other; by the clock it can be more (printed), because from $T \approx 1{,}000$ on the table of
# $T^2$ numbers, 4 MB and more, no longer fits into a processor's small fast memory. At $T = 2d$ the counts are equal, but attention is already slower
# there; the dotted line shows where much of its time goes: into softmax, little arithmetic but several passes over $T^2$ numbers. The last two lines are for training, where the backward pass needs the $A$ of every layer (writing needs
# one layer's at a time): terabytes for one long text. That is why today's kernels
# (FlashAttention) compute the same result block by block without ever storing $A$: the time stays quadratic, the memory doesn't.

# %% [markdown]
# ## 11.10 Where am I? Sinusoidal against rotary
#
# Attention without a mask has no sense of order. Shuffle the tokens, and the outputs are shuffled in the same way, nothing else:

# %%
order_rng = np.random.default_rng(10)
six, matrices = order_rng.normal(size=(6, 8)), order_rng.normal(size=(3, 8, 8))
shuffle = order_rng.permutation(6)
plain = lambda x: attention(*(x @ W for W in matrices))[0]
claim("shuffled input against shuffled output, largest difference",
      largest(plain(six[shuffle]), plain(six)[shuffle]), at_most=1e-12)
masked = lambda x: attention(*(x @ W for W in matrices), causal_mask(6))[0]
print(f"with a causal mask: {largest(masked(six[shuffle]), masked(six)[shuffle]):.2f}")


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

# %% tags=["keep"] lesson="attention"
def angles(positions: np.ndarray, d: int, base: float = 10_000) -> np.ndarray:
    """(T,) positions -> (T, d/2) angles"""
    return positions[:, None] * base ** (-np.arange(0, d, 2) / d)


def sinusoidal(T: int, d: int) -> np.ndarray:
    """Sine in even, cosine in odd columns, (T, d)"""
    P, angle = np.empty((T, d)), angles(np.arange(T), d)
    P[:, 0::2], P[:, 1::2] = np.sin(angle), np.cos(angle)
    return P


def rotary(X: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Turn the pairs (0, 1), (2, 3), … of the last axis; floats keep their type.

    X: (..., T, d_head), positions: (T,) -> (..., T, d_head)
    """
    turned = np.empty(X.shape, X.dtype if X.dtype.kind == "f" else float)
    angle, even, odd = angles(positions, X.shape[-1]), X[..., 0::2], X[..., 1::2]
    turned[..., 0::2] = even * np.cos(angle) - odd * np.sin(angle)
    turned[..., 1::2] = even * np.sin(angle) + odd * np.cos(angle)
    return turned


# %% tags=["evidence"]
#@title Evidence: both depend on distances only, as derived
T, d = 128, 32
waves, omega, place_of = sinusoidal(T, d), angles(np.array([1]), d)[0], np.arange(T)
distances = place_of[:, None] - place_of
by_formula = np.cos(distances[..., None] * omega).sum(axis=-1)
claim("P Pᵀ against the formula, largest difference",
      largest(waves @ waves.T, by_formula), at_most=1e-10)
asking, asked = rng.normal(size=(2, T, d))
here, later = (rotary(asking, t) @ rotary(asked, t).T
               for t in (place_of, place_of + 1_000))
claim("rotary scores, all tokens moved by 1,000 places, largest difference",
      largest(here, later), at_most=1e-9)
counts = np.arange(8).reshape(2, 4)
claim("an array of integers turned like the same floats, largest difference",
      largest(rotary(counts, np.arange(2)), rotary(1.0 * counts, np.arange(2))),
      at_most=0)

# %% [markdown]
# The test that matters: put the same two words, three places apart, ever later in the text, and watch their score.

# %%
later_rng = np.random.default_rng(3)
P = sinusoidal(128, 32)
to_query, to_key = later_rng.normal(size=(2, 32, 32)) / np.sqrt(32)
query_word, key_word = later_rng.normal(size=(2, 32))
at = np.arange(3, 128)                                      # places of the query
added = (((query_word + P[at]) @ to_query)
         * ((key_word + P[at - 3]) @ to_key)).sum(axis=1)
turned = (rotary(np.tile(query_word @ to_query, (len(at), 1)), at)
          * rotary(np.tile(key_word @ to_key, (len(at), 1)), at - 3)).sum(axis=1)
print(f"spread: sinusoidal {np.ptp(added):.1f}, rotary {np.ptp(turned):.0e}")

# %% tags=["figure"]
#@title Figure: Under rotary the score of two words depends on their distance only
fig, axes = plt.subplots(1, 2, figsize=(9, 3.7), width_ratios=(1, 1.2))
image = axes[0].imshow(P[:64], cmap="RdBu", aspect="auto")
axes[0].set(title="Sinusoidal: fast and slow hands", xlabel="column of P",
            ylabel="position t")
axes[0].grid(False)
fig.colorbar(image, ax=axes[0])
axes[1].plot(at, added, label="sinusoidal, added")
axes[1].plot(at, turned, "--", label="rotary")
axes[1].set(title="The same two words, later in the text",
            xlabel="position of the query", ylabel="score")
axes[1].legend()
fig.suptitle("Under rotary the score of two words depends on their distance only",
             fontweight="bold")
plt.show()


# %% [markdown]
# The dashed line is flat: under rotary, "three places before me" is the same everywhere. The solid line wanders with
# the absolute place: the weights here are random, and to make the score depend on the distance a model with added positions would first have to learn
# weights that cancel the rest. (Neither is a cure-all for long texts: places or distances beyond the training length have never
# been seen. And mind whose rotary it is: some models pair entry 0 with 1, as here, others 0 with $d/2$, and weights
# trained with one do not fit the other.)

# %% [markdown]
# ### A head that learns to find the subject
#
# Now the question of the first page. Sentences made by rule hold two or three nouns: *the old keys near the door with the red lamp*. The answer wanted is one bit, *is* or *are*: the number
# of the *first* noun. Nobody tells the head which noun that is. The last word asks; a mask hides the filling of shorter sentences.
#
# "Take the nearest noun" is right half of the time, because the numbers are drawn independently. **Predict.** How often is a trained head right without positions? With them?

# %% tags=["plumbing"]
#@title Plumbing: sentences made by rule
NOUNS = "key cabinet lamp dog door letter stone garden window road".split()
ADJECTIVES, PREPOSITIONS = ["old", "small", "red"], ["to", "near", "with"]
DICTIONARY = ["(filling)", "the", *ADJECTIVES, *PREPOSITIONS, *NOUNS,
              *(noun + "s" for noun in NOUNS)]
NUMBER_OF_WORD = {word: i for i, word in enumerate(DICTIONARY)}
LONGEST = 11


def make_sentences(n: int, seed: int):
    """-> words of each sentence, token numbers (n, LONGEST) with 0 = filling,
    is the first noun plural? (n,), is the last one? (n,), place of the first (n,)"""
    rng, spoken, numbers = np.random.default_rng(seed), [], []
    for _ in range(n):
        words, plural, at = [], [], []
        for i in range(rng.integers(2, 4)):
            plural.append(int(rng.integers(2)))
            words += [PREPOSITIONS[rng.integers(3)]] if i else []
            words += ["the", *ADJECTIVES[rng.integers(3):][: rng.integers(2)]]
            at.append(len(words))
            words.append(NOUNS[rng.integers(len(NOUNS))] + "s" * plural[-1])
        spoken.append(words)
        numbers.append((plural[0], plural[-1], at[0]))
    ids = np.array([[NUMBER_OF_WORD[w] for w in words] + [0] * (LONGEST - len(words))
                    for words in spoken])
    return spoken, ids, *np.array(numbers).T


_, train_ids, train_plural, *_ = make_sentences(4_000, seed=0)
drawn = make_sentences(3_000, seed=1)
seen = set(map(tuple, train_ids))
fresh = [i for i, row in enumerate(drawn[1]) if tuple(row) not in seen]
spoken = [drawn[0][i] for i in fresh]
new_ids, new_plural, nearest_plural, subject_at = (part[fresh] for part in drawn[1:])


# %%
def subject_head(p: Parameters, ids: np.ndarray, P: np.ndarray):
    """One head; the last word of each sentence asks. ids: (B, T), P: (T, d)

    -> scores of "is" and "are" (B, 2), what the backward pass needs
    """
    real = ids > 0
    rows, ends = np.arange(len(ids)), real.sum(axis=1) - 1
    X = p["E"][ids] + P                                     # (B, T, d)
    last = X[rows, ends][:, None]                           # (B, 1, d)
    Q, K, V = last @ p["WQ"], X @ p["WK"], X @ p["WV"]
    O, A = attention(Q, K, V, real[:, None])                # (B, 1, d), (B, 1, T)
    return O[:, 0] @ p["WO"], (X, last, rows, ends, Q, K, V, O, A)


def subject_gradients(p: Parameters, ids, plural, P) -> Parameters:
    """Gradients of the mean cross-entropy. plural: (B,) of 0, 1"""
    scores, (X, last, rows, ends, Q, K, V, O, A) = subject_head(p, ids, P)
    delta = masked_softmax(scores)
    delta[rows, plural] -= 1
    delta /= len(ids)                                       # (B, 2)
    dQ, dK, dV = attention_backward((delta @ p["WO"].T)[:, None], Q, K, V, A)
    dX = dK @ p["WK"].T + dV @ p["WV"].T
    dX[rows, ends] += (dQ @ p["WQ"].T)[:, 0]
    product = lambda x, g: np.einsum("btd,bte->de", x, g)
    return {"E": embedding_gradient(ids, dX, len(DICTIONARY)), "WQ": product(last, dQ),
            "WK": product(X, dK), "WV": product(X, dV), "WO": O[:, 0].T @ delta}


# %%
def train_head(seed: int, P: np.ndarray, steps: int = 600, d: int = 16) -> Parameters:
    """AdaGrad with batches of 64 sentences."""
    rng = np.random.default_rng(seed)
    p = {n: rng.normal(0, d**-0.5, (d, d)) for n in ("WQ", "WK", "WV")}
    p |= {"WO": rng.normal(0, d**-0.5, (d, 2)),
          "E": rng.normal(0, 0.3, (len(DICTIONARY), d))}
    squares = {name: np.full(w.shape, 1e-8) for name, w in p.items()}
    for _ in range(steps):
        pick = rng.integers(0, len(train_ids), 64)
        gradients = subject_gradients(p, train_ids[pick], train_plural[pick], P)
        for name, g in gradients.items():
            squares[name] += g**2
            p[name] -= 0.1 * g / np.sqrt(squares[name])
    return p


HEADS = range(by_profile(quick=2, standard=10, full=20))
with_places, without_places = sinusoidal(LONGEST, 16), np.zeros((LONGEST, 16))
heads = [train_head(seed, with_places) for seed in HEADS]


def answers(p, P):
    """On the new sentences: 1 for "are" (n,), the weights of the last word (n, T)"""
    scores, (*_, A) = subject_head(p, new_ids, P)
    return scores.argmax(axis=1), A[:, 0]


right_with = [(answers(p, with_places)[0] == new_plural).mean() for p in heads]
right_without = [(answers(train_head(seed, without_places), without_places)[0]
                  == new_plural).mean() for seed in HEADS]
print(f"{len(new_ids):,} new sentences; the nearest noun gives the right number in "
      f"{np.mean(nearest_plural == new_plural):.0%}")
for kind, right in (("without", right_without), ("with", right_with)):
    print(f"{len(heads)} heads {kind} positions: {min(right):.1%} to {max(right):.1%}")
claim("worst head with positions, share of right answers", min(right_with),
      at_least=0.99)

# %% tags=["evidence"]
#@title Evidence: the head's gradients equal central differences
tiny = train_head(0, with_places, steps=2, d=16)
some, wanted_t = train_ids[:3], train_plural[:3]
gradients, differences = subject_gradients(tiny, some, wanted_t, with_places), []
for name in tiny:
    def loss(w, name=name):
        p = masked_softmax(subject_head(tiny | {name: w}, some, with_places)[0])
        return -np.log(p[np.arange(3), wanted_t]).mean()
    differences.append(largest(gradients[name], numerical_gradient(loss, tiny[name])))
claim("head, largest difference from the numerical gradient", max(differences),
      at_most=1e-7)

# %% [markdown]
# With positions a head learns it in 600 steps of 64 sentences: all ten are right in every sentence, none of which they have seen before. Without positions about 86 %: the word that asks
# is the last noun, so a head can leave *that* one out. With two nouns this decides; with three it must choose between the other two, and is right in three of four, 7 of 8 in all.
#
# Does it work by looking at the subject? And if we print its weights beside an answer, do they *explain* it?

# %%
on_subject = []
for p in heads:
    said, looks = answers(p, with_places)
    hits = looks.argmax(axis=1) == subject_at
    on_subject.append(hits.mean())
    print(f"right in {(said == new_plural).mean():.1%}; largest weight on the subject: "
          f"{hits[new_plural == 1].mean():4.0%} if it is plural, "
          f"{hits[new_plural == 0].mean():4.0%} if singular")
odd = int(np.argmin(on_subject))
looks = answers(heads[odd], with_places)[1]
elsewhere = [words[i] for words, i, at in zip(spoken, looks.argmax(axis=1), subject_at)
             if i != at]
print(f"head {odd + 1}, where not on the subject:", Counter(elsewhere).most_common(3))

# %% tags=["figure"]
#@title Figure: Two heads, the same right answers, other maps
maps = [answers(heads[i], with_places) for i in (int(np.argmax(on_subject)), odd)]
agree = (maps[0][0] == new_plural) & (maps[1][0] == new_plural)
apart = np.abs(maps[0][1] - maps[1][1]).sum(axis=1) * agree
fig, axes = plt.subplots(2, 1, figsize=(8, 4.6), sharey=True)
for ax, i in zip(axes, (int(np.argmax(apart)), int(np.argmin(apart + 9 * ~agree)))):
    for shift, (_, looks), name in ((-0.2, maps[0], "one head"),
                                    (0.2, maps[1], "another")):
        ax.bar(np.arange(len(spoken[i])) + shift, looks[i, : len(spoken[i])], 0.4,
               label=name)
    ax.set_xticks(range(len(spoken[i])), spoken[i])
    ax.set(title=f"both say “{'are' if new_plural[i] else 'is'}”", ylabel="weight",
           ylim=(0, 1.05))
axes[0].legend()
fig.suptitle("Two heads, the same right answers, other maps", fontweight="bold")
plt.show()

# %% [markdown]
# Every head has found the subject's *number*; not every one looks at the subject. Seven of the ten look there whatever the number is. Three look for a *plural* subject only: where they find none, the weight often goes
# to another word, *the* or *to*, whose value they have learned to mean "singular". The upper map shows a weight of nearly 1 on an article, and the answer is right. Both maps are true records of where the numbers came from, and the second doesn't say *why*:
# its reason ("no plural noun in first place") is a weight that is *missing*. Attention maps are a look into the machine, not a proof of why it answered; notebook [[interpretability_and_fairness]] returns to that.

# %% [markdown]
# ## 11.11 Layer normalization, forward and backward
#
# Nothing so far holds the size of a token's vector. *Layer normalization* (层归一化) does, token by token: over the $d$ features of one token, not over the batch as
# batch normalization does (notebook [[convolution]]), so it is the same in training and use and for any length. For one row $x \in \mathbb{R}^d$:
#
# $$\mu = \tfrac1d \sum_i x_i, \quad s = \sqrt{\tfrac1d \sum_i (x_i - \mu)^2 + \epsilon}, \quad \hat x = \frac{x - \mu}{s}, \quad y = \gamma \odot \hat x + \beta .$$
#
# $\gamma$ and $\beta$, of shape $(d,)$, are learned; the small constant $\epsilon$ keeps $s$ away from 0. (Notebook [[backpropagation]] has an exercise on $\hat x$ alone, there called $u$.)
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

# %% tags=["keep"] lesson="attention"
def layer_norm(X: np.ndarray, gamma: np.ndarray, beta: np.ndarray,
               epsilon: float = 1e-5) -> tuple[np.ndarray, tuple]:
    """Over the last axis. X: (..., d), gamma, beta: (d,) -> same shape as X, cache"""
    centered = X - X.mean(axis=-1, keepdims=True)
    s = np.sqrt((centered**2).mean(axis=-1, keepdims=True) + epsilon)
    X_hat = centered / s
    return gamma * X_hat + beta, (X_hat, s)


def layer_norm_backward(G: np.ndarray, gamma: np.ndarray,
                        cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """G: gradient of the output (..., d) -> gradients of X, gamma (d,), beta (d,)"""
    X_hat, s = cache
    g, rows = G * gamma, tuple(range(G.ndim - 1))
    stretch = (g * X_hat).mean(axis=-1, keepdims=True)
    dX = (g - g.mean(axis=-1, keepdims=True) - X_hat * stretch) / s
    return dX, (G * X_hat).sum(axis=rows), G.sum(axis=rows)


# %% tags=["evidence"]
#@title Evidence: layer norm's gradients equal central differences; no part along two directions
inputs = [rng.normal(2, 3, size=(2, 4, 5)), rng.normal(size=5), rng.normal(size=5)]
G, (_, cache) = rng.normal(size=(2, 4, 5)), layer_norm(*inputs)
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
# ### Exercise 11.11 · RMSNorm (20 min)
# LLaMA and others leave the mean alone: $r = \sqrt{\tfrac1d \sum_i x_i^2 + \epsilon}$, $\hat x = x / r$, $y = \gamma \odot \hat x$, below as `rms_norm`. Derive its backward pass on paper, then write it.

# %%
def rms_norm(X, gamma, epsilon=1e-5):
    """X: (B, T, d), gamma: (d,) -> (B, T, d)"""
    return gamma * X / np.sqrt((X**2).mean(axis=-1, keepdims=True) + epsilon)


# %% tags=["exercise"]
def rms_norm_backward(G, X, gamma, epsilon=1e-5):
    """G: (B, T, d) -> gradient of X (B, T, d), gradient of gamma (d,)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("11.11", "RMSNorm backward"):
    for shape_t, epsilon_t in [((2, 3, 4), 1e-5), ((1, 2, 5), 0.5), ((1, 1, 1), 0.1)]:
        draw_t = np.random.default_rng(sum(shape_t))
        X_t, G_t = draw_t.normal(1, 2, size=shape_t), draw_t.normal(size=shape_t)
        gamma_t = draw_t.normal(size=shape_t[-1])
        loss_t = lambda X, gamma: (rms_norm(X, gamma, epsilon_t) * G_t).sum()
        got_t = rms_norm_backward(G_t.copy(), X_t.copy(), gamma_t.copy(), epsilon_t)
        dX_t, dgamma_t = map(np.asarray, got_t)
        assert dX_t.shape == shape_t, f"gradient of X: shape {dX_t.shape}"
        assert dgamma_t.shape == shape_t[-1:], f"gradient of gamma: {dgamma_t.shape}"
        close_t = dict(rtol=1e-4, atol=1e-5)
        right_t = numerical_gradient(lambda X: loss_t(X, gamma_t), X_t)
        np.testing.assert_allclose(dX_t, right_t, **close_t, err_msg="gradient of X")
        right_t = numerical_gradient(lambda gamma: loss_t(X_t, gamma), gamma_t)
        np.testing.assert_allclose(dgamma_t, right_t, **close_t, err_msg="of gamma")
    ones_t = np.ones((1, 1, 2))
    tiny_t, _ = rms_norm_backward(ones_t.copy(), 1e-3 * ones_t, np.ones(2))
    np.testing.assert_allclose(tiny_t, 1e-5 / 1.1e-5**1.5, rtol=1e-4, err_msg="epsilon")

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
# Nearly every large language model is a stack of one block, the *Transformer* (变换器). The chart in Document 1, 2 runs: input → embedding →
# *Transformer layer* → attention → feed-forward → output → loss. Drawn so, the layer is an empty box, with attention and feed-forward
# standing once, behind it. They are what the layer *consists* of. What really happens, in the form that GPT-2 and most later models use:

# %% tags=["figure"]
#@title Figure: Attention and feed-forward are inside each layer
stream = ["tokens", "embedding\n+ position", "x", "+", "+ ", "layer norm",
          "logits,\nsoftmax"]
branches = ["layer norm,\nattention", "layer norm,\nfeed-forward"]
boxes = {box: (column, 1) for column, box in enumerate(stream)}
boxes |= {branches[0]: (2.5, 0), branches[1]: (3.5, 0)}
inside = [("x", branches[0]), (branches[0], "+"), ("+", branches[1]),
          (branches[1], "+ ")]
again = ("+ ", "x", "N layers, each with its own weights")
plotting.flow(boxes, [*zip(stream, stream[1:]), *inside, again], highlight=branches,
              title="Attention and feed-forward are inside each layer", box_width=1.1)
plt.show()


# %% [markdown]
# Read it as one stream of vectors, one per token, from left to right; the box x is the stream as it enters a layer ($X$ in the formula), and at each + what a branch has made of the stream is added to it. So each layer *adds* to it twice (residual connections, 残差连接; notebook [[training_deep_networks]] shows why they make depth
# trainable): first what attention fetched from other tokens, then what a small network, the same for every token, makes of it.
#
# $$X' = X + \text{MultiHead}(\text{LN}_1(X)), \qquad X'' = X' + \max(0, \text{LN}_2(X') W_1 + b_1)\, W_2 + b_2 .$$
#
# $W_1$ is $(d, 4d)$, $W_2$ is $(4d, d)$. The loss is no stage of the model: it is there in training only. The original Transformer and BERT
# put the norm after the sum; GPT-2 has GELU (notebook [[neurons_and_layers]]) where we write ReLU. (Document 5, 4.3 gives mathematics for its GPT-2 project without any of these formulas.)

# %% tags=["keep"] lesson="attention"
def new_block(d: int, rng: np.random.Generator) -> Parameters:
    """Parameters of one block of width d, all of them random to test all gradients:
    WQ, WK, WV, WO (d, d), W1 (d, 4d), W2 (4d, d), a bias each, gamma1, beta1, gamma2,
    beta2 (d,)."""
    shapes = {"W" + n: (d, d) for n in "QKVO"} | {"W1": (d, 4 * d), "W2": (4 * d, d)}
    p = {name: rng.normal(0, shape[0] ** -0.5, shape) for name, shape in shapes.items()}
    p |= {"b" + name[1:]: rng.normal(0, shape[1] ** -0.5, shape[1])
          for name, shape in shapes.items()}
    for n in "12":
        p |= {"gamma" + n: rng.normal(1, 0.2, d), "beta" + n: rng.normal(0, 0.2, d)}
    return p


# %% tags=["keep"] lesson="attention"
def block(X: np.ndarray, p: Parameters, h: int,
          mask: np.ndarray | None = None) -> tuple[np.ndarray, tuple]:
    """One Transformer block with h heads, norm first.

    X: (B, T, d), mask as for multi_head -> same shape, what the backward pass needs
    """
    N1, cache1 = layer_norm(X, p["gamma1"], p["beta1"])
    fetched, cache_heads = multi_head(N1, p, h, mask)
    X1 = X + fetched
    N2, cache2 = layer_norm(X1, p["gamma2"], p["beta2"])
    H = np.maximum(N2 @ p["W1"] + p["b1"], 0)               # (B, T, 4d)
    return X1 + H @ p["W2"] + p["b2"], (cache1, cache_heads, cache2, N2, H)


def block_backward(G: np.ndarray, p: Parameters, h: int,
                   cache: tuple) -> tuple[np.ndarray, Parameters]:
    """G: gradient of the output (B, T, d) -> gradient of X, of the parameters"""
    cache1, cache_heads, cache2, N2, H = cache
    dH, gradients = linear_backward(G, H, p, "2")
    dN2, more = linear_backward(dH * (H > 0), N2, p, "1")
    gradients |= more
    dX1, dgamma, dbeta = layer_norm_backward(dN2, p["gamma2"], cache2)
    gradients |= {"gamma2": dgamma, "beta2": dbeta}
    dX1 = dX1 + G  # a sum passes the gradient on to both of its terms
    dN1, more = multi_head_backward(dX1, p, h, cache_heads)
    dX, dgamma, dbeta = layer_norm_backward(dN1, p["gamma1"], cache1)
    gradients |= more | {"gamma1": dgamma, "beta1": dbeta}
    return dX + dX1, gradients


# %% tags=["evidence"]
#@title Evidence: all 17 gradients of a block equal central differences
block_p, block_X = new_block(8, rng), rng.normal(size=(2, 5, 8))        # width 8, T = 5
block_G, past = rng.normal(size=(2, 5, 8)), causal_mask(5)
_, cache = block(block_X, block_p, 2, past)
dX, gradients = block_backward(block_G, block_p, 2, cache)

loss = lambda X: (block(X, block_p, 2, past)[0] * block_G).sum()
differences = [largest(dX, numerical_gradient(loss, block_X))]
for name in block_p:
    loss = lambda w: (block(block_X, block_p | {name: w}, 2, past)[0] * block_G).sum()
    by_nudging = numerical_gradient(loss, block_p[name])
    differences.append(largest(gradients[name], by_nudging))
claim(f"block, {len(differences)} arrays, largest difference from numerical gradients",
      max(differences), at_most=1e-7)

# %%
one_block = new_block(8, np.random.default_rng(0))
total = sum(w.size for w in one_block.values())
gpt2_small = 12 * (12 * 768**2 + 13 * 768) + (50_257 + 1_024 + 2) * 768
print(f"one block: {total:,} parameters, 12 d² + 13 d = {12 * 8**2 + 13 * 8:,}")
print(f"GPT-2 small, 12 blocks of d = 768, both tables, last norm: {gpt2_small:,}")


# %% [markdown]
# Everything is now derived: 16 parameter arrays, forward and backward. The count is $4d^2 + 4d$ for attention, $8d^2 + 5d$ for the feed-forward network and $4d$ for two norms;
# GPT-2 small, with its two tables and a last norm, has 124 million; the logits cost nothing more, because they are products with the rows of the token table once again
# (*tied* weights). The paper says 117 million: a mistake, which OpenAI corrected later.

# %% [markdown]
# ### Exercise 11.12 · Spot the bug: the chart as a program (8 min)
# Here is the chart of Document 1, 2 as a program, just as drawn. Attention and the feed-forward network come once, after loops over empty layers; nothing
# says where a token stands; nothing is normalized at the end. It runs without an error. But does it tell who bites whom?

# %%
def encode_as_drawn(ids, E, P, layers, h, gamma, beta):
    X = E[ids]
    for p in layers:
        pass  # the chart's "Transformer layer": a box with nothing in it
    X, _ = multi_head(X, layers[0], h)
    return np.maximum(X @ layers[0]["W1"], 0) @ layers[0]["W2"]


bite_rng = np.random.default_rng(12)
dog_bites_man = bite_rng.normal(size=(3, 8))                # a table of three words
three_layers = [new_block(8, bite_rng) for _ in range(3)]
for ids in ([[0, 1, 2]], [[2, 1, 0]]):
    drawn_output = encode_as_drawn(np.array(ids), dog_bites_man, sinusoidal(9, 8),
                                   three_layers, 2, np.ones(8), np.zeros(8))
    print("dog bites man:" if ids[0][0] == 0 else "man bites dog:",
          "“bites” becomes", drawn_output[0, 1, :4].round(3))


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
    draw_t = np.random.default_rng(5)
    E_t, P_t = draw_t.normal(size=(7, 6)), draw_t.normal(size=(9, 6))
    layers_t = [new_block(6, draw_t) for _ in range(3)]
    last_t = draw_t.normal(size=(2, 6))                     # gamma, beta
    ids_t, mask_t = draw_t.integers(0, 7, (2, 4)), causal_mask(4)

    def encode_t(ids, *mask):
        given = copy.deepcopy((ids, E_t, P_t, layers_t, 3, *last_t, *mask))
        return np.asarray(encode(*given))

    got_t = encode_t(ids_t, mask_t)
    assert got_t.shape == (2, 4, 6), f"shape {got_t.shape}"
    x_t = np.stack([[E_t[i] + P_t[t] for t, i in enumerate(row)] for row in ids_t])
    for p_t in layers_t:
        x_t = block(x_t, p_t, 3, mask_t)[0]
    right_t = layer_norm(x_t, *last_t)[0]
    np.testing.assert_allclose(got_t, right_t, rtol=1e-4, atol=1e-5)
    later_t = ids_t.copy()
    later_t[:, -1] = (later_t[:, -1] + 1) % 7
    moved_t = encode_t(later_t, mask_t)
    np.testing.assert_allclose(moved_t[:, :-1], got_t[:, :-1], atol=1e-6,
                               err_msg="the mask leaks")
    free_t = [encode_t(ids) for ids in (ids_t, later_t)]
    assert np.abs(free_t[0] - free_t[1]).min() > 0, "without a mask, all see the change"
    one_t = encode_t(ids_t[:1, :1], mask_t[:1, :1])
    np.testing.assert_allclose(one_t, right_t[:1, :1], rtol=1e-4, atol=1e-5,
                               err_msg="one token alone")

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

wide_p, wide_X = new_block(12, rng), rng.normal(size=(3, 7, 12))        # B = 3, T = 7
wide_G = rng.normal(size=(3, 7, 12))
HEADS_HERE = 3
keras_heads = keras.layers.MultiHeadAttention(HEADS_HERE, 12 // HEADS_HERE,
                                              dtype="float64")
keras_heads.build((3, 7, 12), (3, 7, 12), (3, 7, 12))
ORDER = ["WQ", "bQ", "WK", "bK", "WV", "bV", "WO", "bO"]
keras_heads.set_weights([wide_p[n].reshape(w.shape)
                         for n, w in zip(ORDER, keras_heads.get_weights())])

theirs, their_A = keras_heads(wide_X, wide_X, use_causal_mask=True,
                              return_attention_scores=True)
out, cache = multi_head(wide_X, wide_p, HEADS_HERE, causal_mask(7))
claim("multi-head attention against Keras, largest difference",
      largest(out, theirs.numpy()), at_most=1e-5)
claim("its weights A, largest difference", largest(cache[4], their_A.numpy()),
      at_most=1e-5)

# %% tags=["evidence"]
#@title Evidence: the whole block and its 17 gradients equal Keras'
norms = [keras.layers.LayerNormalization(epsilon=1e-5, dtype="float64") for _ in "12"]
dense = [keras.layers.Dense(4 * 12, activation="relu", dtype="float64"),
         keras.layers.Dense(12, dtype="float64")]
parts = norms + dense
for layer, size in zip(parts, (12, 12, 12, 4 * 12)):
    layer.build((3, 7, size))
names = [["gamma1", "beta1"], ["gamma2", "beta2"], ["W1", "b1"], ["W2", "b2"]]
for layer, pair in zip(parts, names):
    layer.set_weights([wide_p[n] for n in pair])

x = tf.Variable(wide_X)
with tf.GradientTape() as tape:
    n1 = norms[0](x)
    x1 = x + keras_heads(n1, n1, use_causal_mask=True)
    theirs = x1 + dense[1](dense[0](norms[1](x1)))
    keras_loss = tf.reduce_sum(theirs * wide_G)
variables = [v for layer in [keras_heads, *parts] for v in layer.trainable_variables]
their_dX, *their_gradients = tape.gradient(keras_loss,
                                           [x, *(v.value for v in variables)])

out, cache = block(wide_X, wide_p, HEADS_HERE, causal_mask(7))
dX, gradients = block_backward(wide_G, wide_p, HEADS_HERE, cache)
claim("block against Keras, largest difference", largest(out, theirs.numpy()),
      at_most=1e-5)
differences = [largest(dX, their_dX.numpy())]
for name, theirs in zip(ORDER + sum(names, []), their_gradients):
    mine = gradients[name]
    differences.append(largest(mine, theirs.numpy().reshape(mine.shape)))
claim(f"its {len(differences)} gradients, largest difference", max(differences),
      at_most=1e-5)

# %% [markdown]
# All agree to rounding. One trap on the way: Keras' layer norm has $\epsilon = 10^{-3}$ unless told otherwise, PyTorch's $10^{-5}$, GPT-2's checkpoint
# $10^{-5}$, BERT's $10^{-12}$: weights carried over with the wrong one give slightly wrong answers everywhere.
#
# And the question of 11.8: what do they do when a token may look at nothing? Two functions of one library:

# %%
nothing = np.tril(np.ones((3, 7, 7), dtype=bool))
nothing[:, 4] = False                                       # token 4 sees nobody
_, A = keras_heads(wide_X, wide_X, attention_mask=nothing, return_attention_scores=True)
print("MultiHeadAttention, weights of token 4:", A.numpy()[0, 0, 4].round(3))
heads_last = wide_X[:, :, None]                             # (B, T, 1 head, 12)
product = keras.ops.dot_product_attention(heads_last, heads_last, heads_last,
                                          mask=nothing[:, None]).numpy()
print("dot_product_attention: output of token 4 is the mean of all seven,",
      "the forbidden ones too:",
      np.allclose(product[:, 4, 0], wide_X.mean(axis=1)))

# %% [markdown]
# The layer gives zeros, as ours does; the function one level below takes the mean of all values, those of later tokens and of the filling included. (A softmax written plainly gives NaN.) Neither warns.
#
# Last, the tokenizer. *tiktoken* is OpenAI's own, written in Rust, with another algorithm and a real Unicode regex.

# %% tags=["evidence"]
#@title Evidence: every text is cut as OpenAI's own tokenizer cuts it
try:
    import tiktoken
except ModuleNotFoundError:
    print("tiktoken is not installed, the comparison is skipped: pip install tiktoken")
else:
    reference = tiktoken.Encoding(
        "gpt2",
        pat_str=r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+"
                r"|\s+(?!\S)|\s+",
        mergeable_ranks=gpt2_bpe.number, special_tokens=gpt2_bpe.special)
    tested = mixed + held_out[:: by_profile(quick=40, standard=4, full=1)]
    wrong = [text for text in tested
             if gpt2_bpe.encode(text) != reference.encode(text, disallowed_special=())]
    claim(f"of {len(tested):,} texts cut differently by tiktoken", len(wrong),
          at_most=0)
    marked_text = "<|endoftext|>".join(mixed[:50])
    claim("the same with marks allowed, numbers that differ",
          gpt2_bpe.encode(marked_text, allow_special=True)
          != reference.encode(marked_text, allowed_special="all"), at_most=0)

# %% [markdown]
# ## 11.14 Where it breaks
#
# - **Tokens.** A tokenizer is frozen with its model: other languages, new words and code pay more tokens per character (11.3). Ask a supplier
#   for tokens per *your* text, not per English word. Our character classes follow Python's Unicode table, which
#   is a year or more behind: letters assigned since may be cut differently.
# - **Word vectors.** One vector per word, opposites close together, and the prejudices of the text included. Small claims need a
#   test written before looking and not used for anything else. Ours helped to choose the width, the rate and the steps of SGNS, so its score is a little flattered.
# - **Attention** costs $T^2$. A context twice as long is four times the attention work, for text that may not help.
# - **Positions.** Rotary makes scores relative; it does not make a model good at lengths that it never saw.
# - **Attention maps** are not explanations (11.10), and a mask is only as good as its leak test (11.8).

# %% [markdown]
# ## Summary
#
# 1. Byte-pair encoding merges the most frequent neighbors, starting from bytes: nothing is unknown, and frequent things are short.
# 2. An embedding is a row of a table, a one-hot product; SGNS fills the table by telling real neighbors from random ones.
# 3. Attention is a soft lookup; dividing by √d starts its scores at variance 1 whatever the width, so that hardly any query starts with a dead gradient.
# 4. A mask goes on the scores before softmax; the leak test changes one input and watches the outputs. Say what happens where nothing is allowed.
# 5. A block adds attention, then a feed-forward network, to the stream, each behind a layer norm, N times over.
#
# **Key formulas**
#
# $$\text{softmax}\Big(\frac{QK^\top}{\sqrt{d_\text{head}}} + \text{mask}\Big) V \qquad
# \partial S = A \odot (\partial A - \text{rowsum}(\partial A \odot A)) \qquad
# \frac{\partial L}{\partial x} = \frac1s\big(g - \overline g - \hat x\,\overline{g \odot \hat x}\big)$$
#
# **Further reading** (read the first one next)
#
# - A. Vaswani et al., *Attention is all you need*, NeurIPS 2017, arXiv:1706.03762: the Transformer. Document 5, 7.3 names it for attention itself, which is Bahdanau's (below).
# - P. Gage, *A new algorithm for data compression*, C Users Journal, 1994: byte-pair encoding. R. Sennrich, B. Haddow, A. Birch, *Neural machine translation of rare words with subword units*,
#   ACL 2016, arXiv:1508.07909: BPE for language models, from characters; from bytes it is GPT-2's (below).
# - T. Mikolov et al., *Distributed representations of words and phrases and their compositionality*, NeurIPS 2013, arXiv:1310.4546: SGNS.
#   O. Levy, Y. Goldberg, *Neural word embedding as implicit matrix factorization*, NeurIPS 2014: what it converges to.
# - D. Bahdanau, K. Cho, Y. Bengio, *Neural machine translation by jointly learning to align and translate*, ICLR 2015, arXiv:1409.0473: attention.
# - J. Devlin et al., *BERT*, NAACL 2019, arXiv:1810.04805. A. Radford et al., *Language models are unsupervised multitask learners*, OpenAI 2019: GPT-2.
# - J. Su et al., *RoFormer: enhanced Transformer with rotary position embedding*, arXiv:2104.09864. T. Dao et al., *FlashAttention*, NeurIPS 2022, arXiv:2205.14135.
# - J. L. Ba, J. R. Kiros, G. Hinton, *Layer normalization*, arXiv:1607.06450. B. Zhang, R. Sennrich, *Root mean square layer normalization*, NeurIPS 2019, arXiv:1910.07467.
# - S. Jain, B. Wallace, *Attention is not explanation*, NAACL 2019, arXiv:1902.10186.
