"""Makes the folder stand_in_bpe: a small tokenizer in the two files of GPT-2's, for work without the network.

    python -m course_utils.bundled.stand_in_bpe

Trained as in notebook 11, on the documentation inside NumPy, scikit-learn and matplotlib. The result is
committed, so it does not change with their versions; it holds pieces of words, no text.
"""

import json
import re
from collections import Counter, defaultdict
from importlib.util import find_spec
from pathlib import Path

MERGES = 1_000
PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
OTHERS = [byte for byte in range(256) if byte not in PRINTABLE]


def pieces() -> Counter[str]:
    """Words of the documentation with the space before them, and how often each occurs (over twice)."""
    found: Counter[str] = Counter()
    for library in ("numpy", "sklearn", "matplotlib"):
        spec = find_spec(library)
        assert spec and spec.origin, f"{library} is not installed"
        for file in sorted(Path(spec.origin).parent.rglob("*.py")):
            if "tests" not in file.parts:
                docs = re.findall(r'"""(.*?)"""', file.read_text("utf8"), re.DOTALL)
                found.update(re.findall(r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+", " ".join(docs)))
    return Counter({piece: n for piece, n in found.items() if n > 2})


def train(counts: Counter[str], merges: int) -> list[tuple[bytes, bytes]]:
    """The most frequent neighbors, again and again; of equally frequent ones the larger bytes."""
    words = [[bytes([byte]) for byte in piece.encode()] for piece in counts]
    times = list(counts.values())
    total: Counter[tuple[bytes, bytes]] = Counter()
    where: defaultdict[tuple[bytes, bytes], set[int]] = defaultdict(set)

    def add(i: int, sign: int) -> None:
        for pair in zip(words[i], words[i][1:], strict=False):
            total[pair] += sign * times[i]
            where[pair].add(i)

    for i in range(len(words)):
        add(i, 1)
    learned = []
    for _ in range(merges):
        best = max(total, key=lambda pair: (total[pair], pair))
        learned.append(best)
        for i in where.pop(best):
            add(i, -1)
            words[i] = merged(words[i], best)
            add(i, 1)
        del total[best]
    return learned


def merged(word: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """The word with each such pair made one token, from the left."""
    made: list[bytes] = []
    for token in word:
        if made and (made[-1], token) == pair:
            made[-1] += token
        else:
            made.append(token)
    return made


def spelled(token: bytes) -> str:
    """GPT-2's way to print bytes: printable ones as they are, the other 68 from character 256 on."""
    return "".join(chr(byte) if byte in PRINTABLE else chr(256 + OTHERS.index(byte)) for byte in token)


if __name__ == "__main__":
    lines = [f"{spelled(left)} {spelled(right)}" for left, right in train(pieces(), MERGES)]
    # numbered as GPT-2 does: the bytes, those that print first, then the merges, then one mark
    bytes_ = [spelled(bytes([byte])) for byte in PRINTABLE + OTHERS]
    tokens = [*bytes_, *(line.replace(" ", "") for line in lines), "<|endoftext|>"]
    folder = Path(__file__).with_suffix("")
    folder.mkdir(exist_ok=True)
    merges = "\n".join(["#version: course stand-in", *lines, ""])
    (folder / "vocab.bpe").write_text(merges, "utf8", newline="\n")
    (folder / "encoder.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}), "utf8")
    print(f"{folder.name}: {len(lines)} merges, {len(tokens)} tokens")
