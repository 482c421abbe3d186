"""Sentences with a tag for every word or character, in Chinese and English, each with its stand-in."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from course_utils.bundled import made_tags
from course_utils.data.files import Dataset, obtain

Part = Literal["train", "dev", "test"]


@dataclass(frozen=True)
class Tagged:
    """Sentences of tokens, each with its tag. source: "bundled" for the course's stand-in.

    A tag is the part of speech, or for named entities B-kind where one begins, I-kind where it goes on and
    O where there is none.
    """

    name: str
    tokens: list[list[str]]
    tags: list[list[str]]
    source: Literal["real", "bundled"]
    license: str
    citation: str


def ud_chinese(part: Literal["dev", "test"] = "dev") -> Tagged:
    """500 Chinese sentences cut into words, with parts of speech (stand-in: 200). The treebank's larger part
    to train on is not among the course's files: learn from "dev"."""
    place = ("dev", "test").index(part)
    return _tagged("ud_chinese", place, _conllu, lambda: made_tags.treebank(200, seed=place))


def weibo_ner(part: Part = "train") -> Tagged:
    """Chinese posts, a token for each character, with entities of persons (PER), organizations (ORG), places
    (LOC) and places with a government (GPE): .NAM a name, .NOM another mention ("mother"). 1,350, 270 and 270
    posts (stand-in: 300, 100, 100).

    The posts stay under the terms of Weibo: fetched where they are needed, passed on nowhere.
    """
    place = ("train", "dev", "test").index(part)
    size = 100 if place else 300
    return _tagged("weibo_ner", place, _characters, lambda: made_tags.posts(size, seed=10 + place))


def wnut17(part: Part = "train") -> Tagged:
    """English posts with entities of six kinds, which are new in each part: 3,394, 1,009 and 1,287 (stand-in:
    300, 100, 100). Of a token's several tags, the one that goes on with its entity is taken, or else the
    first."""
    place = ("train", "dev", "test").index(part)
    size = 100 if place else 300
    return _tagged("wnut17", place, _conll, lambda: made_tags.tweets(size, seed=20 + place))


Pairs = list[list[tuple[str, str]]]


def _tagged(name: str, place: int, parse: Callable[[str], Pairs], made: Callable[[], Pairs]) -> Tagged:
    def found(dataset: Dataset, pairs: Pairs, source: Literal["real", "bundled"], *about: str) -> Tagged:
        tokens = [[token for token, _ in sentence] for sentence in pairs]
        tags = [[tag for _, tag in sentence] for sentence in pairs]
        return Tagged(dataset.title, tokens, tags, source, *about)

    return obtain(
        name,
        lambda dataset, read: found(
            dataset, parse(read(dataset.files[place].name).decode("utf8")), "real",
            dataset.license, dataset.citation,
        ),
        lambda dataset: found(
            dataset, made(), "bundled", "Apache-2.0", "course_utils/bundled/made_tags.py"
        ),
    )  # fmt: skip


def _blocks(lines: Iterable[str]) -> Iterable[list[list[str]]]:
    """Runs of lines that are not empty, each line as its fields."""
    block: list[list[str]] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line.rstrip("\r").split("\t"))
        elif block:
            yield block
            block = []


def _conllu(text: str) -> Pairs:
    """Words (second field) with parts of speech (fourth); lines that begin with # tell of the sentence."""
    lines = (line for line in text.split("\n") if not line.startswith("#"))
    return [[(row[1], row[3]) for row in block if row[0].isdigit()] for block in _blocks(lines)]


def _conll(text: str) -> Pairs:
    """A token and its tag, or several with commas between them."""
    return [_one_tag_each(block) for block in _blocks(text.split("\n"))]


def _one_tag_each(rows: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    chosen: list[tuple[str, str]] = []
    for token, given in rows:
        tags = given.split(",")
        before = chosen[-1][1][2:] if chosen else ""
        chosen.append((token, next((tag for tag in tags if tag == f"I-{before}"), tags[0])))
    return chosen


def _characters(text: str) -> Pairs:
    """A field holds a character, then its place in a word that a program had cut: the place is dropped."""
    return [[(token[0], tag) for token, tag in sentence] for sentence in _conll(text)]
