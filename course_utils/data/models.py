"""Models as others published them, each with its tokenizer."""

import json
from typing import Any, Literal, NamedTuple

from course_utils.bundled import FOLDER
from course_utils.data.files import Dataset, Read, obtain, registry

SMALL = FOLDER / "small_gpt2"


class Published(NamedTuple):
    """A GPT-2 in the four files in which Hugging Face keeps OpenAI's. source: "bundled" for the course's
    stand-in."""

    config: dict[str, Any]  # sizes: n_layer, n_head, n_embd, n_positions, vocab_size, …
    vocabulary: dict[str, int]  # spelled token -> its number
    merges: list[tuple[str, str]]  # in the order learned
    weights: bytes  # a safetensors file
    source: Literal["real", "bundled"]
    license: str
    citation: str


def gpt2() -> Published:
    """OpenAI's smallest GPT-2, 548 MB (stand-in: `small_gpt2`). The files stay in memory as they are read."""
    return obtain("gpt2", _published, lambda dataset: small_gpt2()._replace(source="bundled"))


def small_gpt2() -> Published:
    """The course's own small GPT-2 in the same files, trained on Tiny Shakespeare."""
    return _published(registry["small_gpt2"], lambda name: (SMALL / name).read_bytes())


def _published(dataset: Dataset, read: Read) -> Published:
    config, vocabulary = (json.loads(read(name)) for name in ("config.json", "vocab.json"))
    lines = read("merges.txt").decode("utf8").splitlines()[1:]  # after the version
    merges = [(left, right) for left, right in map(str.split, lines)]
    weights = read("model.safetensors")
    return Published(config, vocabulary, merges, weights, "real", dataset.license, dataset.citation)
