"""Images of cells with what was marked in them, each with its stand-in."""

import io
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from course_utils.bundled import drawn_cells, drawn_nuclei
from course_utils.data.archives import split
from course_utils.data.files import Dataset, Read, obtain

TEST_IMAGES = 80  # the last ones by name; a name is a hash, so this is as good as drawn


@dataclass(frozen=True)
class BoxedImages:
    """Images and the boxes marked in them, image by image.

    x: (n, height, width, 3) uint8. boxes: for each image (k, 4) float32, left, top, right, bottom in its
    pixels. kinds: for each image (k,) int64, positions in class_names. names: of the images.
    """

    x: np.ndarray
    boxes: list[np.ndarray]
    kinds: list[np.ndarray]
    names: list[str]

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class BoxData:
    """Images with boxes in the published parts. source: "bundled" for the course's stand-in."""

    name: str
    train: BoxedImages
    validation: BoxedImages
    test: BoxedImages
    class_names: tuple[str, ...]
    source: Literal["real", "bundled"]
    license: str
    citation: str


def blood_cells() -> BoxData:
    """Blood under the microscope, color 320×240 (half of the published size), with a box around each cell:
    205 images to train, 87 to validate, 72 to test (stand-in: 60, 20, 20). Boxes are as published: two have
    no area, and not every cell has one."""
    return obtain("blood_cells", _marked_blood, _drawn_blood)


def _marked_blood(dataset: Dataset, read: Read) -> BoxData:
    """Members: ImageSets/Main/train.txt names the images, Annotations/NAME.xml holds their boxes."""
    members = split(read(dataset.files[0].name))

    def part(name: str) -> BoxedImages:
        names = members[f"BCCD/ImageSets/Main/{name}.txt"].decode().split()
        x = np.stack([_halved(members[f"BCCD/JPEGImages/{name}.jpg"]) for name in names])
        marked = [_marks(members[f"BCCD/Annotations/{name}.xml"], dataset.classes) for name in names]
        return BoxedImages(x, [boxes for boxes, _ in marked], [kinds for _, kinds in marked], names)

    terms = (dataset.license, dataset.citation)
    parts = part("train"), part("val"), part("test")
    return BoxData(dataset.title, *parts, tuple(dataset.classes), "real", *terms)


def _halved(content: bytes) -> np.ndarray:
    """A JPEG at half its size, each pixel the mean of four."""
    from PIL import Image  # comes with matplotlib

    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB").reduce(2))


def _marks(content: bytes, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The boxes of a file in the form of PASCAL VOC, halved, and their kinds."""
    sides = ("xmin", "ymin", "xmax", "ymax")
    objects = ElementTree.fromstring(content).findall("object")
    boxes = [[float(one.findtext(f"bndbox/{side}", "nan")) / 2 for side in sides] for one in objects]
    kinds = [list(classes).index(one.findtext("name", "")) for one in objects]
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(kinds, np.int64)


def _drawn_blood(dataset: Dataset) -> BoxData:
    def part(n: int, seed: int) -> BoxedImages:
        return BoxedImages(*drawn_cells.blood(n, seed), [f"{seed}-{i}" for i in range(n)])

    parts = part(60, 0), part(20, 1), part(20, 2)
    origin = "course_utils/bundled/drawn_cells.py"
    return BoxData(dataset.title, *parts, tuple(dataset.classes), "bundled", "Apache-2.0", origin)


@dataclass(frozen=True)
class NucleusData:
    """Images of cell nuclei, and which pixel belongs to which nucleus.

    x: (n, height, width) uint8, nuclei bright on dark. labels: (n, height, width) int32, 0 where there is no
    nucleus, else the number of the nucleus in its image, from 1. source: "bundled" for the stand-in.
    """

    name: str
    x_train: np.ndarray
    labels_train: np.ndarray
    x_test: np.ndarray
    labels_test: np.ndarray
    source: Literal["real", "bundled"]
    license: str
    citation: str


def nuclei() -> NucleusData:
    """Stained cell nuclei under a fluorescence microscope, gray 256×256, each nucleus marked by hand: 254
    images to train, 80 to test (stand-in: 60 and 20). Of the published images these are the gray ones of
    that size; the split is the course's own."""
    return obtain("nuclei", _marked_nuclei, _drawn_nuclei)


def _marked_nuclei(dataset: Dataset, read: Read) -> NucleusData:
    """Members: stage1_train/NAME/images/NAME.png, and masks/….png beside it, one for each nucleus."""
    members = split(read(dataset.files[0].name))
    masks: dict[str, list[str]] = defaultdict(list)
    for path in sorted(members):
        folder, kind, _ = path.rsplit("/", 2)
        if kind == "masks":
            masks[folder].append(path)
    images, labels = [], []
    for folder in sorted(masks):
        content = members[f"{folder}/images/{folder.rpartition('/')[2]}.png"]
        if content[16:24] != bytes([0, 0, 1, 0, 0, 0, 1, 0]):  # a PNG's width and height: 256 each
            continue
        colors = _pixels(content, "RGB")
        if (colors == colors[..., :1]).all():
            numbered = np.zeros(colors.shape[:2], np.int32)
            for i, path in enumerate(masks[folder], start=1):
                numbered[_pixels(members[path], "L") > 0] = i
            images.append(colors[..., 0])
            labels.append(numbered)
    x, y, n = np.stack(images), np.stack(labels), -TEST_IMAGES
    terms = (dataset.license, dataset.citation)
    return NucleusData(dataset.title, x[:n], y[:n], x[n:], y[n:], "real", *terms)


def _pixels(content: bytes, mode: str) -> np.ndarray:
    from PIL import Image  # comes with matplotlib

    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert(mode))


def _drawn_nuclei(dataset: Dataset) -> NucleusData:
    train, test = drawn_nuclei.nuclei(60, seed=0), drawn_nuclei.nuclei(20, seed=1)
    origin = "course_utils/bundled/drawn_nuclei.py"
    return NucleusData(dataset.title, *train, *test, "bundled", "Apache-2.0", origin)
