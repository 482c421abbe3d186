"""Sentences with their translations, with a stand-in."""

from typing import Literal, NamedTuple

from course_utils.bundled import made_pairs
from course_utils.data.files import Dataset, Read, obtain


class SentencePairs(NamedTuple):
    """English sentences and Chinese translations. source: "bundled" for the course's stand-in.

    A sentence may occur in several pairs: split by English sentence, and by Chinese.
    """

    english: list[str]
    chinese: list[str]
    authors: list[str]  # of each pair, whom the license wants named
    source: Literal["real", "bundled"]
    license: str
    citation: str


def cmn_eng() -> SentencePairs:
    """29,155 sentence pairs written by volunteers of Tatoeba, the shortest first (stand-in: 3,000)."""
    return obtain("cmn_eng", _published, _made)


def _published(dataset: Dataset, read: Read) -> SentencePairs:
    """A line: English, tab, Chinese, tab, license and authors."""
    lines = read(dataset.files[0].name).decode("utf8").rstrip("\n").split("\n")
    english, chinese, authors = zip(*(line.rstrip("\r").split("\t") for line in lines), strict=True)
    return SentencePairs(
        list(english), list(chinese), list(authors), "real", dataset.license, dataset.citation
    )


def _made(dataset: Dataset) -> SentencePairs:
    english, chinese = zip(*made_pairs.pairs(), strict=True)
    authors = ["made by this project"] * len(english)
    return SentencePairs(
        list(english), list(chinese), authors, "bundled", "Apache-2.0", "course_utils/bundled/made_pairs.py"
    )
