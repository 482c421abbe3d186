"""Tokens: taught in notebooks/11_embeddings_and_attention.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
import re
import sys
import unicodedata


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


def merged(piece: str, rank: Mapping[Pair, int]) -> list[bytes]:
    """A piece's tokens: always the earliest merge first, until none fits."""
    word = [bytes([byte]) for byte in piece.encode()]
    while len(word) > 1:
        first = min(pairwise(word), key=lambda pair: rank.get(pair, len(rank)))
        if first not in rank:
            break
        word = merge(word, first)
    return word


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
