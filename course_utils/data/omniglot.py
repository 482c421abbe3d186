"""What one example must be enough for: characters of many alphabets, and, on demand, portraits."""

import io
import zipfile
from dataclasses import dataclass
from typing import Literal

import numpy as np

from course_utils.bundled import drawn_glyphs
from course_utils.data.files import Dataset, Read, is_here, obtain, registry, used

SIDE = 28  # of a character's image, pixels
Source = Literal["real", "bundled"]


@dataclass(frozen=True)
class Characters:
    """Handwritten characters, each drawn once by each of 20 people. No alphabet is in both parts.

    x_train, x_test: (characters, 20, 28, 28) uint8, 0 is paper and 255 ink. alphabets_train,
    alphabets_test: the name of each character's alphabet. source: "bundled" for the stand-in.
    """

    name: str
    x_train: np.ndarray
    alphabets_train: tuple[str, ...]
    x_test: np.ndarray
    alphabets_test: tuple[str, ...]
    source: Source
    license: str
    citation: str


@dataclass(frozen=True)
class Portraits:
    """Portraits: x (people, 10, 112, 92) gray, uint8. source: "bundled" for the stand-in."""

    name: str
    x: np.ndarray
    source: Source
    license: str
    citation: str


def omniglot() -> Characters:
    """Characters to learn from (156 of 5 alphabets) and of 3 other alphabets (86); stand-in: 60 and 36."""
    return obtain("omniglot", _characters, _drawn_characters)


def orl_faces() -> Portraits:
    """40 people, 10 portraits each (stand-in: drawings of 40 characters).

    Portraits of people are fetched by name, `python -m course_utils data fetch orl_faces`, never by the
    way: until then this returns the stand-in.
    """
    if is_here("orl_faces"):
        return obtain("orl_faces", _portraits, _drawn_portraits)
    print("ORL faces are portraits of people and not here, so these are drawings of 40 characters, 10 each.")
    used["orl_faces"] = "bundled"
    return _drawn_portraits(registry["orl_faces"])


def shrink(ink: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Square images (n, m, m) of 0 and 1 -> (n, side, side) uint8: the share of ink in each new pixel."""
    m = ink.shape[1]
    edges = np.linspace(0, m, side + 1)
    left, right = np.maximum(edges[:-1, None], np.arange(m)), np.minimum(edges[1:, None], np.arange(1, m + 1))
    weights = np.maximum(right - left, 0) * (side / m)  # (side, m), rows add up to 1
    return np.rint(255 * (weights @ ink @ weights.T)).astype(np.uint8)


def _archive(content: bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    """Images (characters, 20, 28, 28) and their alphabets, from ALPHABET/CHARACTER/NUMBER_DRAWER.png."""
    from PIL import Image

    drawn: dict[tuple[str, str], list[np.ndarray]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in sorted(name for name in archive.namelist() if name.endswith(".png")):
            alphabet, character = name.split("/")[1:3]
            with Image.open(io.BytesIO(archive.read(name))) as image:
                drawn.setdefault((alphabet, character), []).append(~np.asarray(image, bool))
    x = np.stack([shrink(np.array(images, np.float32)) for images in drawn.values()])
    return x, tuple(alphabet.strip("_").replace("_", " ") for alphabet, _ in drawn)


def _characters(dataset: Dataset, read: Read) -> Characters:
    (x_test, test), (x_train, train) = (_archive(read(file.name)) for file in dataset.files)
    new = [i for i, alphabet in enumerate(test) if alphabet not in train]  # Greek and Latin are in both
    test = tuple(test[i] for i in new)
    terms = dataset.license, dataset.citation
    return Characters(dataset.title, x_train, train, x_test[new], test, "real", *terms)


def _drawn_characters(dataset: Dataset) -> Characters:
    (x_train, train), (x_test, test) = drawn_glyphs.characters(5, 12, 0), drawn_glyphs.characters(3, 12, 1)
    return Characters(dataset.title, x_train, train, x_test, test, "bundled", *drawn_glyphs.TERMS)


def _portraits(dataset: Dataset, read: Read) -> Portraits:
    """PGM as the archive holds it: a header of three lines, then 112 rows of 92 bytes."""
    with zipfile.ZipFile(io.BytesIO(read(dataset.files[0].name))) as archive:
        names = [[f"att_faces/s{person}/{i}.pgm" for i in range(1, 11)] for person in range(1, 41)]
        bytes_of = [[archive.read(name)[-112 * 92 :] for name in own] for own in names]
    x = np.array([[np.frombuffer(content, np.uint8) for content in own] for own in bytes_of])
    return Portraits(dataset.title, x.reshape(40, 10, 112, 92), "real", dataset.license, dataset.citation)


def _drawn_portraits(dataset: Dataset) -> Portraits:
    x, _ = drawn_glyphs.characters(4, 10, 2, drawers=10)
    large = x.repeat(4, axis=2).repeat(4, axis=3)[..., 10:102]
    return Portraits(dataset.title, np.ascontiguousarray(large), "bundled", *drawn_glyphs.TERMS)
