"""Data sets. A loader takes the real files from COURSE_DATA_DIR, the cache or the network, whichever
has them intact; failing all, it returns a small stand-in that comes with the course, and says so.

To add a data set: describe its files in data/registry.toml; write one function that turns the
files into data and one that makes the stand-in; join them with `obtain`, as `mnist` does.
"""

import gzip
import hashlib
import json
import os
import runpy
import tarfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from course_utils import download
from course_utils.download import DataError

T = TypeVar("T")
Read = Callable[[str], bytes]  # a file's name -> its checked content

# an installed package holds the repository's data/ folder
_BUNDLED = Path(__file__).parent / "bundled"
_DATA = _BUNDLED if _BUNDLED.is_dir() else Path(__file__).parents[1] / "data"


class File(NamedTuple):
    """One published file: name, size, sha256 in hexadecimal."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """What is known of a data set before any of it is here: an entry of data/registry.toml."""

    title: str
    folder: str  # below COURSE_DATA_DIR and below the cache
    files: Sequence[File]  # what the loader reads
    mirrors: Sequence[str]  # the address is mirror + name of the file (or archive)
    license: str
    citation: str
    stand_in: str  # what the bundled substitute is, and how it differs
    classes: Sequence[str] = ()
    archive: File | None = None  # where one tar file is published that holds `files`


def _dataset(files: list[list], archive: list | None = None, **about: Any) -> Dataset:
    return Dataset(files=[File(*f) for f in files], archive=File(*archive) if archive else None, **about)


_entries = tomllib.loads((_DATA / "registry.toml").read_text("utf-8")).items()
registry: dict[str, Dataset] = {name: _dataset(**entry) for name, entry in _entries}


@dataclass(frozen=True)
class ImageData:
    """Labeled images, split into training and test as published.

    x: (n, height, width) gray or (n, height, width, 3) color, uint8.
    y: (n,) int64, positions in class_names. source: "bundled" for the course's stand-in.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    source: Literal["real", "bundled"]
    license: str
    citation: str


class BpeTables(NamedTuple):
    """A byte-pair tokenizer as published. source: "bundled" for the course's stand-in."""

    merges: list[tuple[str, str]]  # in the order learned
    vocabulary: dict[str, int]  # spelled token -> its number
    source: Literal["real", "bundled"]


def mnist() -> ImageData:
    """Handwritten digits, gray 28×28: 60,000 to train, 10,000 to test (stand-in: 1,297 and 500)."""
    return obtain("mnist", _idx_images, _enlarged_digits)


def fashion_mnist() -> ImageData:
    """Clothing, ten classes, gray 28×28: 60,000 to train, 10,000 to test (stand-in: 5,000 and 1,000)."""
    return obtain("fashion_mnist", _idx_images, lambda dataset: _drawn(dataset, drawings().garments))


def cifar10() -> ImageData:
    """Photographs, ten classes, color 32×32: 50,000 to train, 10,000 to test (stand-in: 5,000 and 1,000)."""
    return obtain("cifar10", _cifar_images, lambda dataset: _drawn(dataset, drawings().scenes))


def digits() -> ImageData:
    """Handwritten digits, gray 8×8, values 0 to 16 as published: 1,297 to train, 500 to test.
    They come inside scikit-learn, as one set: the split is the course's own, random and fixed."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    # a Generator's numbers may change with NumPy's version, RandomState's never do
    order = np.random.RandomState(0).permutation(len(x))
    x, y = x[order].reshape(-1, 8, 8).astype(np.uint8), y[order].astype(np.int64)
    citation = "Alpaydin, Kaynak: Optical recognition of handwritten digits. UCI, 1998. doi:10.24432/C50P49"
    split, names = (x[:-500], y[:-500], x[-500:], y[-500:]), tuple("0123456789")
    return ImageData("Digits", *split, names, "real", "CC BY 4.0", citation)


def gpt2_bpe() -> BpeTables:
    """GPT-2's tokenizer: 50,000 merges and 50,257 tokens (stand-in: 1,000 and 1,257)."""
    return obtain("gpt2_bpe", _bpe_tables, _small_bpe)


def obtain(name: str, parse: Callable[[Dataset, Read], T], stand_in: Callable[[Dataset], T]) -> T:
    """The data set from the first source that has it intact.

    parse: makes the data from the files, whose bytes it reads by name.
    stand_in: makes data of the same form from what comes with the course.
    Prints a line on each damaged file, on a download that failed, and on the stand-in.
    """
    dataset = registry[name]
    network: list[tuple[str, None]] = [] if _offline() else [("network", None)]
    for where, folder in [*_folders(dataset), *network]:
        try:
            return parse(dataset, partial(_read, dataset, folder or fetch(name)))
        except FileNotFoundError as error:
            if where == "COURSE_DATA_DIR":
                print(f"COURSE_DATA_DIR: {error.filename} is missing, looking elsewhere")
        except DataError as error:
            print(error)
    why = "could not be fetched" if network else "offline (COURSE_OFFLINE=1)"
    print(
        f"{dataset.title}: {why}, so this is the bundled stand-in: {dataset.stand_in}. "
        f"For the real one: python -m course_utils data fetch {name}"
    )
    return stand_in(dataset)


def fetch(name: str) -> Path:
    """Download what the cache lacks; returns its folder. Raises DataError: file, cause and remedy."""
    dataset = registry[name]
    folder = cache_folder() / dataset.folder
    if not _problems(dataset, folder):
        return folder
    if _offline():
        raise DataError(f"{dataset.title} is not fetched while COURSE_OFFLINE=1: unset it, try again.")
    with download.locked(folder):
        # asked again, because another process, for which we waited, may have fetched them
        if missing := _problems(dataset, folder):
            for file in [dataset.archive] if dataset.archive else missing:
                urls = [mirror + file.name for mirror in dataset.mirrors]
                download.fetch_file(urls, folder / file.name, file.bytes, file.sha256)
            if dataset.archive:
                _unpack(folder / dataset.archive.name, dataset.files)
            print(f"{dataset.title}: fetched into {folder}")
    return folder


def status(name: str) -> str:
    """Where a data set would be read from, every byte checked: "COURSE_DATA_DIR, verified",
    "cache, verified", "not here", or "damaged: " and the details."""
    result = "not here"
    for where, folder in _folders(registry[name]):
        if not (problems := _problems(registry[name], folder)):
            return f"{where}, verified"
        result = next((f"damaged: {e}" for e in problems.values() if isinstance(e, DataError)), result)
    return result


def cache_folder() -> Path:
    """Where downloads are kept: data/cache of the repository, or the user's cache directory."""
    if _DATA != _BUNDLED:
        return _DATA / "cache"
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(base) / "large-models-course"


def _offline() -> bool:
    return os.environ.get("COURSE_OFFLINE", "") not in ("", "0")


def _folders(dataset: Dataset) -> Iterator[tuple[str, Path]]:
    if given := os.environ.get("COURSE_DATA_DIR"):
        yield "COURSE_DATA_DIR", Path(given).expanduser() / dataset.folder
    yield "cache", cache_folder() / dataset.folder


def _read(dataset: Dataset, folder: Path, name: str) -> bytes:
    """A file's content. Raises FileNotFoundError, or DataError if it is not as published."""
    file = {file.name: file for file in dataset.files}[name]
    path = folder / name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(f"{path} could not be read ({error.strerror}): copy or fetch it again.") from error
    if (found := hashlib.sha256(content).hexdigest()) != file.sha256:
        raise DataError(
            f"{path} is damaged and not used ({len(content):,} of {file.bytes:,} bytes, "
            f"sha256 {found[:12]}…, expected {file.sha256[:12]}…): copy or fetch it again."
        )
    return content


def _problems(dataset: Dataset, folder: Path) -> dict[File, Exception]:
    """The files that are not there (FileNotFoundError) or not as published (DataError)."""
    problems: dict[File, Exception] = {}
    for file in dataset.files:
        try:
            _read(dataset, folder, file.name)
        except (FileNotFoundError, DataError) as error:
            problems[file] = error
    return problems


def _unpack(archive: Path, files: Sequence[File]) -> None:
    """Write a tar's files, found by name, beside it, then delete it: no path or link in it is followed."""
    wanted = {file.name for file in files}
    with tarfile.open(archive) as tar:
        for member in tar:
            name = PurePosixPath(member.name).name
            if member.isfile() and name in wanted and (content := tar.extractfile(member)):
                with download.replacing(archive.parent / name) as out:
                    out.write(content.read())
    archive.unlink()


def parse_idx(content: bytes) -> np.ndarray:
    """The array in an IDX file of unsigned bytes (the format of MNIST): uint8, the file's shape.
    Header: two zero bytes, the type (8), the number of axes; each axis' length, four bytes, big-endian."""
    start = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:start], ">u4")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def _images(dataset: Dataset, *arrays: np.ndarray) -> ImageData:
    """x and y for training, x and y for testing, with what the registry says of them."""
    x_train, y_train, x_test, y_test = (a if a.ndim > 1 else a.astype(np.int64) for a in arrays)
    names, terms = tuple(dataset.classes), (dataset.license, dataset.citation)
    return ImageData(dataset.title, x_train, y_train, x_test, y_test, names, "real", *terms)


def _idx_images(dataset: Dataset, read: Read) -> ImageData:
    return _images(dataset, *(parse_idx(gzip.decompress(read(file.name))) for file in dataset.files))


def _cifar_images(dataset: Dataset, read: Read) -> ImageData:
    """A record of bytes per image: the label, then 1,024 each of red, green and blue, row by row."""
    files = [np.frombuffer(read(file.name), np.uint8).reshape(-1, 1 + 3 * 32 * 32) for file in dataset.files]
    records, n = np.concatenate(files), sum(map(len, files[:-1]))  # n: to train
    x, y = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).copy(), records[:, 0]
    return _images(dataset, x[:n], y[:n], x[n:], y[n:])


def _bpe_tables(dataset: Dataset, read: Read) -> BpeTables:
    vocabulary, merges = (read(file.name).decode("utf8") for file in dataset.files)
    pairs = [(left, right) for left, right in map(str.split, merges.splitlines()[1:])]  # after the version
    return BpeTables(pairs, json.loads(vocabulary), "real")


def _small_bpe(dataset: Dataset) -> BpeTables:
    small = _bpe_tables(dataset, lambda name: (_DATA / "stand_in_bpe" / name).read_bytes())
    return small._replace(source="bundled")


def _enlarged_digits(dataset: Dataset) -> ImageData:
    small = digits()
    x = np.rint(np.concatenate([small.x_train, small.x_test]) * (255 / 16)).astype(np.uint8)
    x = np.pad(x.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))
    return replace(small, name=dataset.title, x_train=x[:-500], x_test=x[-500:], source="bundled")


def _drawn(dataset: Dataset, draw: Callable[..., tuple[np.ndarray, np.ndarray]]) -> ImageData:
    images = _images(dataset, *draw(5000, seed=0), *draw(1000, seed=1))
    return replace(images, source="bundled", license="Apache-2.0", citation="data/drawn_images.py")


def drawings() -> SimpleNamespace:
    """What data/drawn_images.py defines; in the repository it lies outside the package."""
    return SimpleNamespace(**runpy.run_path(str(_DATA / "drawn_images.py")))
