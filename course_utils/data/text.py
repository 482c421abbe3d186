"""Texts and tokenizers, each with its stand-in."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from course_utils.bundled import FOLDER, made_texts, written_reviews
from course_utils.data.archives import split
from course_utils.data.files import Dataset, Read, obtain


@dataclass(frozen=True)
class TextData:
    """Labeled texts, split into training and test.

    x: lists of texts. y: (n,) int64, positions in class_names. source: "bundled" for the course's stand-in.
    """

    name: str
    x_train: list[str]
    y_train: np.ndarray
    x_test: list[str]
    y_test: np.ndarray
    class_names: tuple[str, ...]
    source: Literal["real", "bundled"]
    license: str
    citation: str


def imdb() -> TextData:
    """Film reviews in English, half of them praise: 25,000 to train, 25,000 to test, films apart as
    published (stand-in: 2,000 and 1,000)."""
    return obtain("imdb", _imdb_reviews, lambda dataset: _written(dataset, written_reviews.films, 2000, 1000))


def chnsenticorp() -> TextData:
    """Hotel reviews in Chinese, two thirds praise: 5,766 to train, 2,000 to test (stand-in: 1,000 and 400).
    They are published as one set: the split is the course's own, random and fixed."""
    return obtain("chnsenticorp", _hotel_reviews, lambda d: _written(d, written_reviews.hotels, 1000, 400))


class BpeTables(NamedTuple):
    """A byte-pair tokenizer as published. source: "bundled" for the course's stand-in."""

    merges: list[tuple[str, str]]  # in the order learned
    vocabulary: dict[str, int]  # spelled token -> its number
    source: Literal["real", "bundled"]


class Text(NamedTuple):
    """One long text. source: "bundled" for the course's stand-in."""

    text: str
    source: Literal["real", "bundled"]
    license: str
    citation: str


class Poem(NamedTuple):
    author: str
    title: str
    lines: list[str]  # as printed, with punctuation: a couplet each, usually


class Poems(NamedTuple):
    """Poems, each with author and title. source: "bundled" for the course's stand-in."""

    poems: list[Poem]
    source: Literal["real", "bundled"]
    license: str
    citation: str


def tiny_shakespeare() -> Text:
    """Speeches from Shakespeare's plays, 1,115,394 characters (stand-in: 60,118 made by rule)."""
    return obtain("tiny_shakespeare", _whole_text, _made_plays)


def tang_poems() -> Poems:
    """12,003 poems of the Tang dynasty, in traditional characters (stand-in: 600 made by rule)."""
    return obtain("tang_poems", _poems, _made_poems)


def gpt2_bpe() -> BpeTables:
    """GPT-2's tokenizer: 50,000 merges and 50,257 tokens (stand-in: 1,000 and 1,257)."""
    return obtain("gpt2_bpe", _bpe_tables, _small_bpe)


def _texts(dataset: Dataset, texts: Sequence[str], y: np.ndarray, n: int) -> TextData:
    """The first n to train, the others to test, with what the registry says of them."""
    y, names = y.astype(np.int64), tuple(dataset.classes)
    parts = (list(texts[:n]), y[:n], list(texts[n:]), y[n:])
    return TextData(dataset.title, *parts, names, "real", dataset.license, dataset.citation)


def _imdb_reviews(dataset: Dataset, read: Read) -> TextData:
    """One member a review, "train/pos/127_8.txt": its number within the folder, its stars. In random order,
    because as published one half of each part is negative; with spaces for HTML's line breaks."""
    members = split(read(dataset.files[0].name))
    order = np.random.RandomState(0)
    paths = [path for part in ("train/", "test/") for path in _shuffled(members, part, order)]
    y = np.array(["/pos/" in path for path in paths])
    n = sum(path.startswith("train/") for path in paths)
    texts = [members[path].decode("utf8").replace("<br />", " ") for path in paths]
    return _texts(dataset, texts, y, n)


def _shuffled(members: dict[str, bytes], part: str, order: np.random.RandomState) -> list[str]:
    paths = sorted(path for path in members if path.startswith(part))
    return [paths[i] for i in order.permutation(len(paths))]


def _hotel_reviews(dataset: Dataset, read: Read) -> TextData:
    """A CSV file with a header: label 0 or 1, review."""
    content = read(dataset.files[0].name).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content, newline="")))[1:]
    rows = [rows[i] for i in np.random.RandomState(0).permutation(len(rows))]
    texts, y = [row[1] for row in rows], np.array([int(row[0]) for row in rows])
    return _texts(dataset, texts, y, len(rows) - 2000)


def _written(
    dataset: Dataset, write: Callable[[int, int], tuple[list[str], np.ndarray]], train: int, test: int
) -> TextData:
    (x_train, y_train), (x_test, y_test) = write(train, 0), write(test, 1)
    written = _texts(dataset, x_train + x_test, np.concatenate([y_train, y_test]), train)
    citation = "course_utils/bundled/written_reviews.py"
    return replace(written, source="bundled", license="Apache-2.0", citation=citation)


def _bpe_tables(dataset: Dataset, read: Read) -> BpeTables:
    vocabulary, merges = (read(file.name).decode("utf8") for file in dataset.files)
    pairs = [(left, right) for left, right in map(str.split, merges.splitlines()[1:])]  # after the version
    return BpeTables(pairs, json.loads(vocabulary), "real")


def _small_bpe(dataset: Dataset) -> BpeTables:
    small = _bpe_tables(dataset, lambda name: (FOLDER / "stand_in_bpe" / name).read_bytes())
    return small._replace(source="bundled")


def _whole_text(dataset: Dataset, read: Read) -> Text:
    return Text(read(dataset.files[0].name).decode("utf8"), "real", dataset.license, dataset.citation)


def _made_plays(dataset: Dataset) -> Text:
    return Text(made_texts.plays(), "bundled", "Apache-2.0", "made by this project")


def _poems(dataset: Dataset, read: Read) -> Poems:
    entries = [entry for file in dataset.files for entry in json.loads(read(file.name))]
    poems = [Poem(entry["author"], entry["title"], entry["paragraphs"]) for entry in entries]
    return Poems(poems, "real", dataset.license, dataset.citation)


def _made_poems(dataset: Dataset) -> Poems:
    poems = [Poem("", f"{i}", lines) for i, lines in enumerate(made_texts.poems(), start=1)]
    return Poems(poems, "bundled", "Apache-2.0", "made by this project")
