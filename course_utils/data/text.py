"""Texts and tokenizers, each with its stand-in."""

import json
from typing import Literal, NamedTuple

from course_utils.bundled import FOLDER
from course_utils.data.files import Dataset, Read, obtain


class BpeTables(NamedTuple):
    """A byte-pair tokenizer as published. source: "bundled" for the course's stand-in."""

    merges: list[tuple[str, str]]  # in the order learned
    vocabulary: dict[str, int]  # spelled token -> its number
    source: Literal["real", "bundled"]


def gpt2_bpe() -> BpeTables:
    """GPT-2's tokenizer: 50,000 merges and 50,257 tokens (stand-in: 1,000 and 1,257)."""
    return obtain("gpt2_bpe", _bpe_tables, _small_bpe)


def _bpe_tables(dataset: Dataset, read: Read) -> BpeTables:
    vocabulary, merges = (read(file.name).decode("utf8") for file in dataset.files)
    pairs = [(left, right) for left, right in map(str.split, merges.splitlines()[1:])]  # after the version
    return BpeTables(pairs, json.loads(vocabulary), "real")


def _small_bpe(dataset: Dataset) -> BpeTables:
    small = _bpe_tables(dataset, lambda name: (FOLDER / "stand_in_bpe" / name).read_bytes())
    return small._replace(source="bundled")
