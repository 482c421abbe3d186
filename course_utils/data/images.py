"""Image data sets as arrays, each with its stand-in."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from course_utils.bundled import drawn_images
from course_utils.data.files import Dataset, Read, obtain, registry, used


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


def mnist() -> ImageData:
    """Handwritten digits, gray 28×28: 60,000 to train, 10,000 to test (stand-in: 1,297 and 500)."""
    return obtain("mnist", _idx_images, _enlarged_digits)


def fashion_mnist() -> ImageData:
    """Clothing, ten classes, gray 28×28: 60,000 to train, 10,000 to test (stand-in: 5,000 and 1,000)."""
    return obtain("fashion_mnist", _idx_images, lambda dataset: _drawn(dataset, drawn_images.garments))


def cifar10() -> ImageData:
    """Photographs, ten classes, color 32×32: 50,000 to train, 10,000 to test (stand-in: 5,000 and 1,000)."""
    return obtain("cifar10", _cifar_images, lambda dataset: _drawn(dataset, drawn_images.scenes))


def digits() -> ImageData:
    """Handwritten digits, gray 8×8, values 0 to 16 as published: 1,297 to train, 500 to test.
    They come inside scikit-learn, as one set: the split is the course's own, random and fixed."""
    used["digits"] = "real"
    return _digits()


def _digits() -> ImageData:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    # a Generator's numbers may change with NumPy's version, RandomState's never do
    order = np.random.RandomState(0).permutation(len(x))
    x, y = x[order].reshape(-1, 8, 8).astype(np.uint8), y[order]
    return _images(registry["digits"], x[:-500], y[:-500], x[-500:], y[-500:])


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


def _enlarged_digits(dataset: Dataset) -> ImageData:
    small = _digits()
    x = np.rint(np.concatenate([small.x_train, small.x_test]) * (255 / 16)).astype(np.uint8)
    x = np.pad(x.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))
    return replace(small, name=dataset.title, x_train=x[:-500], x_test=x[-500:], source="bundled")


def _drawn(dataset: Dataset, draw: Callable[..., tuple[np.ndarray, np.ndarray]]) -> ImageData:
    images = _images(dataset, *draw(5000, seed=0), *draw(1000, seed=1))
    citation = "course_utils/bundled/drawn_images.py"
    return replace(images, source="bundled", license="Apache-2.0", citation=citation)
