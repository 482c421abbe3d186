"""Data sets: where their files are, whether they are intact, and loaders that give arrays.

`mnist()` and its like take the real files from COURSE_DATA_DIR, from the cache or from the
network; where none of these has them, a small stand-in that comes with the course, and say so.

To add a data set: describe its files in `registry`, write a function that turns them into
arrays and one that makes the stand-in, and join the three with `obtain`, as `mnist` does.
"""

import gzip
import hashlib
import importlib.util
import os
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Literal, TypeVar

import numpy as np

from course_utils import download
from course_utils.download import DataError

T = TypeVar("T")
Read = Callable[[str], bytes]  # a file's name -> its content, checked
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # x_train, y_train, x_test, y_test


@dataclass(frozen=True)
class File:
    """One published file: its name, size in bytes, and sha256 in hexadecimal."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """What is known of a data set before any of it is here."""

    title: str
    folder: str  # its folder below COURSE_DATA_DIR and below the cache
    files: tuple[File, ...]  # what the loader reads
    mirrors: tuple[str, ...]  # address = mirror + name of the file (or of the archive)
    license: str
    citation: str
    stand_in: str  # what the bundled substitute is and how it differs
    archive: File | None = None  # published as one tar file that holds `files`


@dataclass(frozen=True)
class Status:
    """Where a data set would come from, and whether all its files are there and intact."""

    where: Literal["COURSE_DATA_DIR", "cache", "not here"]
    verified: bool
    detail: str  # the folder, or what is wrong


@dataclass(frozen=True)
class ImageData:
    """Labeled images, split as published.

    x_train, x_test: (n, height, width) gray or (n, height, width, 3) color, uint8;
    y_train, y_test: (n,) int64, positions in class_names.
    source: "real", or "bundled" for the course's stand-in.
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
    note: str = ""


_IDX = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")  # fmt: skip

registry: dict[str, Dataset] = {
    "mnist": Dataset(
        title="MNIST",
        folder="mnist",
        files=(
            File(_IDX[0], 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            File(_IDX[1], 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            File(_IDX[2], 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            File(_IDX[3], 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
        mirrors=(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        license="CC BY-SA 3.0",
        citation="LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE 86(11), 1998.",
        stand_in="scikit-learn's 8×8 digits enlarged to 28×28; 1,297 + 500 images instead of "
        "60,000 + 10,000, coarser and easier",
    ),
    "fashion_mnist": Dataset(
        title="Fashion-MNIST",
        folder="fashion_mnist",
        files=(
            File(_IDX[0], 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            File(_IDX[1], 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            File(_IDX[2], 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            File(_IDX[3], 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
        mirrors=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        license="MIT",
        citation="Xiao, Rasul, Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking "
        "machine learning algorithms. arXiv:1708.07747, 2017.",
        stand_in="drawn garments of the same size; 5,000 + 1,000 images instead of 60,000 + 10,000",
    ),
    "cifar10": Dataset(
        title="CIFAR-10",
        folder="cifar-10-batches-bin",
        files=(
            File("data_batch_1.bin", 30_730_000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
            File("data_batch_2.bin", 30_730_000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
            File("data_batch_3.bin", 30_730_000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
            File("data_batch_4.bin", 30_730_000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
            File("data_batch_5.bin", 30_730_000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
            File("test_batch.bin", 30_730_000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
        ),
        archive=File(
            "cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
        ),
        mirrors=("https://www.cs.toronto.edu/~kriz/",),
        license="none stated; for research and teaching, with citation",
        citation="Krizhevsky: Learning multiple layers of features from tiny images. "
        "Technical report, University of Toronto, 2009.",
        stand_in="drawn color scenes of the same size in ten other classes; 5,000 + 1,000 images "
        "instead of 50,000 + 10,000",
    ),
}


def mnist() -> ImageData:
    """Handwritten digits 0 to 9, gray 28×28: 60,000 to train, 10,000 to test.

    Stand-in: `digits` with every pixel drawn 3×3 and a border of 2 pixels, 1,297 + 500.
    """
    return _images("mnist", _read_idx, _enlarged_digits, tuple("0123456789"))


def fashion_mnist() -> ImageData:
    """Clothing in ten classes, gray 28×28: 60,000 to train, 10,000 to test.

    Stand-in: drawn garments, 5,000 + 1,000.
    """
    names = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
             "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")  # fmt: skip
    return _images("fashion_mnist", _read_idx, lambda: _drawn("garments"), names, "GARMENT_CLASSES")


def cifar10() -> ImageData:
    """Photographs in ten classes, color 32×32: 50,000 to train, 10,000 to test.

    Stand-in: drawn scenes in ten other classes, 5,000 + 1,000.
    """
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    return _images("cifar10", _read_cifar, lambda: _drawn("scenes"), names, "SCENE_CLASSES")


def digits() -> ImageData:
    """Handwritten digits 0 to 9, gray 8×8, values 0 to 16 as published: 1,297 + 500.

    They come with scikit-learn, need no files, and were published as one set: the split is
    the course's own, random and fixed.
    """
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    # RandomState's numbers are promised never to change, a Generator's are not
    order = np.random.RandomState(0).permutation(len(x))
    x, y = x[order].reshape(-1, 8, 8).astype(np.uint8), y[order].astype(np.int64)
    return ImageData(
        "Digits", x[:-500], y[:-500], x[-500:], y[-500:], tuple("0123456789"), "real",
        license="CC BY 4.0",
        citation="Alpaydin, Kaynak: Optical recognition of handwritten digits. UCI Machine Learning "
        "Repository, 1998. doi:10.24432/C50P49",
    )  # fmt: skip


def obtain(name: str, parse: Callable[[Read], T], stand_in: Callable[[], T]) -> tuple[T, Literal["real", "bundled"]]:
    """The data set from the first source that has it intact, and "real" or "bundled".

    parse: turns the files into data; it gets a function from a file's name to its bytes.
    stand_in: makes the same kind of data from what comes with the course.
    Prints a line on each damaged file, on a failed download, and on the stand-in.
    """
    dataset = registry[name]
    for where, folder in _folders(dataset):
        try:
            return parse(_reader(dataset, folder)), "real"
        except FileNotFoundError as error:
            if where == "COURSE_DATA_DIR":
                print(f"{error.filename} is missing in COURSE_DATA_DIR. Looking further.")
        except DataError as error:
            print(error)
    if _offline():
        why = "COURSE_OFFLINE=1 and no files here"
    else:
        try:
            return parse(_reader(dataset, fetch(name))), "real"
        except DataError as error:
            why = "no files here"
            print(error)
    print(
        f"{dataset.title}: {why}, so this is the bundled stand-in: {dataset.stand_in}. "
        f"For the real one, with network: python -m course_utils data fetch {name}"
    )
    return stand_in(), "bundled"


def fetch(name: str) -> Path:
    """Make sure that the cache holds the data set intact; returns its folder.

    Raises DataError, which names the file, the cause and the remedy.
    """
    dataset = registry[name]
    folder = cache_dir() / dataset.folder
    with download.locked(folder):
        # only now: while we waited, another process may have done it
        missing = [file for file in dataset.files if not _intact(folder / file.name, file)]
        if not missing:
            return folder
        if _offline():
            raise DataError(f"{missing[0].name} was not downloaded, because COURSE_OFFLINE=1. Unset it and try again.")
        for file in [dataset.archive] if dataset.archive else missing:
            urls = [mirror + file.name for mirror in dataset.mirrors]
            download.fetch_file(urls, folder / file.name, file.bytes, file.sha256)
        if dataset.archive:
            _unpack(folder / dataset.archive.name, missing)
    print(f"{dataset.title}: fetched into {folder}")
    return folder


def verify(name: str) -> Path:
    """Check every byte of the data set where it would be read; returns that folder.

    Raises FileNotFoundError if it is not here, DataError if a file is damaged.
    """
    dataset = registry[name]
    raise NotImplementedError


def status(name: str) -> Status:
    """Where the data set would come from now, without the network."""
    dataset = registry[name]
    detail = "not downloaded"
    for where, folder in _folders(dataset):
        try:
            for file in dataset.files:
                _read(folder, file)
            return Status(where, True, str(folder))
        except FileNotFoundError:
            continue
        except DataError as error:
            detail = str(error)
    return Status("not here", False, detail)


def cache_dir() -> Path:
    """Where downloads are kept: the repository's data/cache, or the user's cache directory."""
    if not _BUNDLED.is_dir():
        return _DATA / "cache"
    home = Path.home()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or home / ".cache"
    return Path(base) / "large-models-course"


# an installed package has the repository's data/ folder inside it
_BUNDLED = Path(__file__).parent / "bundled"
_DATA = _BUNDLED if _BUNDLED.is_dir() else Path(__file__).parents[1] / "data"


def _offline() -> bool:
    return os.environ.get("COURSE_OFFLINE", "0") not in ("", "0")


def _folders(dataset: Dataset) -> list[tuple[Literal["COURSE_DATA_DIR", "cache"], Path]]:
    folders: list[tuple[Literal["COURSE_DATA_DIR", "cache"], Path]] = [("cache", cache_dir() / dataset.folder)]
    if given := os.environ.get("COURSE_DATA_DIR"):
        folders.insert(0, ("COURSE_DATA_DIR", Path(given).expanduser() / dataset.folder))
    return folders


def _read(folder: Path, file: File) -> bytes:
    """The file's content. Raises FileNotFoundError, or DataError if it is not as published."""
    path = folder / file.name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(f"{path} could not be read ({error.strerror or error}). Copy or fetch it again.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DataError(
            f"{path} is damaged ({len(content):,} bytes, sha256 {found[:12]}…; expected {file.bytes:,} bytes, "
            f"{file.sha256[:12]}…) and not used. Copy or fetch it again."
        )
    return content


def _reader(dataset: Dataset, folder: Path) -> Read:
    files = {file.name: file for file in dataset.files}
    return lambda name: _read(folder, files[name])


def _intact(path: Path, file: File) -> bool:
    try:
        _read(path.parent, file)
    except (FileNotFoundError, DataError):
        return False
    return True


def _unpack(archive: Path, files: list[File]) -> None:
    """Write the wanted members of a tar archive beside it, then delete it.

    Members are read by name and written under our own: no path in the archive is followed.
    """
    wanted = {file.name: file for file in files}
    with tarfile.open(archive) as tar:
        for member in tar:
            file = wanted.get(PurePosixPath(member.name).name)
            if file and (content := tar.extractfile(member)):
                with download.replacing(archive.parent / file.name) as out:
                    out.write(content.read())
    archive.unlink()


def _images(
    name: str, parse: Callable[[Read], Arrays], stand_in: Callable[[], Arrays], names: tuple[str, ...], other: str = ""
) -> ImageData:
    dataset = registry[name]
    arrays, source = obtain(name, parse, stand_in)
    if source == "real":
        return ImageData(dataset.title, *arrays, names, source, dataset.license, dataset.citation)
    if other:
        names = getattr(_drawings(), other)
        return ImageData(
            dataset.title, *arrays, names, source, "Apache-2.0", "Drawn by data/drawn_images.py", dataset.stand_in
        )
    made_of = digits()
    return ImageData(
        dataset.title, *arrays, names, source, made_of.license, made_of.citation, dataset.stand_in
    )


def _read_idx(read: Read) -> Arrays:
    x_train, y_train, x_test, y_test = (parse_idx(gzip.decompress(read(name))) for name in _IDX)
    return x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64)


def parse_idx(content: bytes) -> np.ndarray:
    """An IDX file of unsigned bytes (the format of MNIST) as a uint8 array of its own shape.

    Header, big-endian: two zero bytes, type 8, number of axes, then each axis' length in
    four bytes. Raises ValueError where that is not so.
    """
    axes = content[3] if len(content) > 3 else 0
    shape = tuple(np.frombuffer(content[4 : 4 + 4 * axes], ">u4").tolist())
    if content[:3] != b"\0\0\x08" or len(shape) != axes or len(content) != 4 + 4 * axes + int(np.prod(shape)):
        raise ValueError(f"not an IDX file of bytes: header {content[:4].hex()}, shape {shape}, {len(content)} bytes")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape).copy()


def _read_cifar(read: Read) -> Arrays:
    x, y = zip(*(parse_cifar(read(f"data_batch_{i}.bin")) for i in range(1, 6)), strict=True)
    return np.concatenate(x), np.concatenate(y), *parse_cifar(read("test_batch.bin"))


def parse_cifar(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """A CIFAR-10 batch: images (n, 32, 32, 3) uint8 and labels (n,) int64.

    Each record: one byte label, then 1,024 bytes each of red, green and blue, row by row.
    """
    records = np.frombuffer(content, np.uint8).reshape(-1, 1 + 3 * 32 * 32)
    x = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), records[:, 0].astype(np.int64)


def _enlarged_digits() -> Arrays:
    def enlarge(x: np.ndarray) -> np.ndarray:
        x = np.rint(x * (255 / 16)).astype(np.uint8).repeat(3, axis=1).repeat(3, axis=2)
        return np.pad(x, ((0, 0), (2, 2), (2, 2)))

    small = digits()
    return enlarge(small.x_train), small.y_train, enlarge(small.x_test), small.y_test


def _drawn(what: str) -> Arrays:
    draw = getattr(_drawings(), what)
    return *draw(5000, seed=0), *draw(1000, seed=1)


@cache
def _drawings() -> ModuleType:
    """data/drawn_images.py, which is no part of the package when run from the repository."""
    spec = importlib.util.spec_from_file_location("drawn_images", _DATA / "drawn_images.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
