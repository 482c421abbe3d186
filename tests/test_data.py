"""Loaders and stand-ins: shapes, types, sources, and the files as published.

Tests of the real data need it: `COURSE_TEST_DATA_DIR=/folder pytest tests/test_data.py`.
"""

import gzip
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from course_utils import data
from course_utils.data import Dataset, File, ImageData

LOADERS = {"mnist": data.mnist, "fashion_mnist": data.fashion_mnist, "cifar10": data.cifar10}
rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No files at hand, no network: each test adds what it needs."""
    monkeypatch.setattr(data, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)


def check_form(images: ImageData, shape: tuple[int, ...], train: int, test: int) -> None:
    assert images.x_train.shape == (train, *shape) and images.x_test.shape == (test, *shape)
    assert images.y_train.shape == (train,) and images.y_test.shape == (test,)
    assert images.x_train.dtype == images.x_test.dtype == np.uint8
    assert images.y_train.dtype == images.y_test.dtype == np.int64
    assert images.x_train.flags.c_contiguous and images.x_train.flags.writeable
    assert len(images.class_names) == 10 and isinstance(images.class_names, tuple)
    for y in (images.y_train, images.y_test):
        assert set(y) == set(range(10))
    assert images.license and images.citation


# Stand-ins


STAND_INS = {
    "mnist": ((28, 28), 1297, 500),
    "fashion_mnist": ((28, 28), 5000, 1000),
    "cifar10": ((32, 32, 3), 5000, 1000),
}


@pytest.mark.parametrize("name", STAND_INS)
def test_stand_ins(name: str, capsys: pytest.CaptureFixture[str]):
    shape, train, test = STAND_INS[name]
    images = LOADERS[name]()
    check_form(images, shape, train, test)
    dataset = data.registry[name]
    assert images.source == "bundled"
    assert images.license != dataset.license and images.class_names == tuple(dataset.classes)
    assert images.x_train.min() < 10 and images.x_train.max() > 200
    output = capsys.readouterr().out
    assert output.count("\n") == 1 and output.startswith(dataset.title)
    assert f"{train:,} + {test:,}" in output and f"data fetch {name}" in output
    # no image is in both parts
    assert not {x.tobytes() for x in images.x_train} & {x.tobytes() for x in images.x_test}


def check_tokenizer(tables: data.BpeTables, merges: int) -> None:
    """Every merge joins two known tokens into a third; numbers run from 0 without a gap."""
    assert len(tables.merges) == merges and len(tables.vocabulary) == merges + 257
    assert sorted(tables.vocabulary.values()) == list(range(merges + 257))
    for i, (left, right) in enumerate(tables.merges):
        assert left in tables.vocabulary and right in tables.vocabulary
        assert tables.vocabulary[left + right] == 256 + i
    assert tables.vocabulary["<|endoftext|>"] == merges + 256


def test_stand_in_tokenizer(capsys: pytest.CaptureFixture[str]):
    tables = data.gpt2_bpe()
    assert tables.source == "bundled"
    check_tokenizer(tables, 1000)
    assert "1,000 merges" in capsys.readouterr().out


@pytest.mark.parametrize("draw", ["scenes", "garments"])
def test_drawings_are_the_same_every_time(draw: str):
    """Checked on few, because the first k of n never depend on n."""
    draw_some = getattr(data.drawings(), draw)
    x, y = draw_some(30, seed=1)
    x_more, y_more = draw_some(60, seed=1)
    assert np.array_equal(x, x_more[:30]) and np.array_equal(y, y_more[:30])
    assert not np.array_equal(x, draw_some(30, seed=2)[0])


def test_digits():
    images = data.digits()
    check_form(images, (8, 8), 1297, 500)
    assert images.source == "real" and images.x_train.max() == 16 and images.x_train.min() == 0
    # the split is the same everywhere: the labels' digest was taken once
    digest = hashlib.sha256(np.concatenate([images.y_train, images.y_test]).astype(np.uint8).tobytes())
    assert digest.hexdigest()[:16] == "0f9ffd7948cafb39"


def test_mnist_stand_in_is_the_digits_enlarged():
    small, large = data.digits(), data.mnist()
    assert np.array_equal(large.y_test, small.y_test)
    inside = large.x_train[:, 2:26, 2:26].reshape(-1, 8, 3, 8, 3)
    assert (inside == inside[:, :, :1, :, :1]).all()  # each pixel 3×3
    assert np.array_equal(np.rint(inside[:, :, 1, :, 1] * (16 / 255)), small.x_train)
    assert large.x_train.sum() == inside.sum(dtype=int)  # and a black border


# The path of the real files, with small ones made here


def idx(array: np.ndarray) -> bytes:
    """An array of bytes as an IDX file, gzipped."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes())


def cifar(x: np.ndarray, y: np.ndarray) -> bytes:
    """Images (n, 32, 32, 3) and labels as a CIFAR-10 batch, written record by record."""
    records = [bytes([label]) + image.transpose(2, 0, 1).tobytes() for image, label in zip(x, y, strict=True)]
    return b"".join(records)


@pytest.fixture
def fabricate(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, list[bytes], Path], None]:
    """Puts contents into a folder as the published files of a data set, and registers their hashes."""

    def put(name: str, contents: list[bytes], base: Path) -> None:
        known = data.registry[name]
        files = []
        (base / known.folder).mkdir(parents=True)
        for file, content in zip(known.files, contents, strict=True):
            (base / known.folder / file.name).write_bytes(content)
            files.append(File(file.name, len(content), hashlib.sha256(content).hexdigest()))
        monkeypatch.setitem(data.registry, name, Dataset(**{**vars(known), "files": tuple(files)}))

    return put


def small_mnist() -> tuple[list[np.ndarray], list[bytes]]:
    arrays = [rng.integers(0, 256, shape, np.uint8) for shape in [(20, 28, 28), 20, (10, 28, 28), 10]]
    return arrays, [idx(array) for array in arrays]


@pytest.mark.parametrize("where", ["cache", "COURSE_DATA_DIR"])
def test_idx_files(where, fabricate, tmp_path, monkeypatch, capsys):
    arrays, contents = small_mnist()
    fabricate("mnist", contents, tmp_path / where)
    if where == "COURSE_DATA_DIR":
        monkeypatch.setenv(where, str(tmp_path / where))
    images = data.mnist()
    assert images.source == "real"
    for found, expected in zip(
        [images.x_train, images.y_train, images.x_test, images.y_test], arrays, strict=True
    ):
        assert np.array_equal(found, expected)
    assert images.y_train.dtype == np.int64 and images.x_train.flags.writeable
    assert data.status("mnist") == f"{where}, verified"
    assert capsys.readouterr().out == ""


def test_cifar_files(fabricate, tmp_path):
    x = rng.integers(0, 256, (12, 32, 32, 3), np.uint8)
    y = np.arange(12) % 10
    fabricate("cifar10", [cifar(x[i : i + 2], y[i : i + 2]) for i in range(0, 12, 2)], tmp_path / "cache")
    images = data.cifar10()
    assert images.source == "real" and images.x_train.flags.c_contiguous
    assert np.array_equal(images.x_train, x[:10]) and np.array_equal(images.x_test, x[10:])
    assert np.array_equal(images.y_train, y[:10]) and np.array_equal(images.y_test, y[10:])
    assert images.y_train.dtype == np.int64


def test_damaged_files_in_data_dir_are_named_and_not_used(fabricate, tmp_path, monkeypatch, capsys):
    contents = small_mnist()[1]
    fabricate("mnist", contents, tmp_path / "stick")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "stick"))
    path = tmp_path / "stick/mnist" / data.registry["mnist"].files[2].name
    path.write_bytes(contents[2][:-1] + b"?")
    assert data.mnist().source == "bundled"
    output = capsys.readouterr().out
    assert f"{path} is damaged and not used" in output and "copy or fetch it again" in output
    assert data.status("mnist").startswith(f"damaged: {path}")
    # an intact copy in the cache serves
    (tmp_path / "cache/mnist").mkdir(parents=True)
    for file, content in zip(data.registry["mnist"].files, contents, strict=True):
        (tmp_path / "cache/mnist" / file.name).write_bytes(content)
    assert data.mnist().source == "real"
    assert data.status("mnist") == "cache, verified"


def test_missing_files_in_data_dir_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "typing eror"))
    assert data.mnist().source == "bundled"
    assert str(tmp_path / "typing eror/mnist") in capsys.readouterr().out
    assert data.status("mnist") == "not here"


def test_unreadable_data_dir(tmp_path, monkeypatch, capsys):
    (tmp_path / "stick").write_text("a file where a folder should be")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "stick"))
    assert data.mnist().source == "bundled"
    why = (
        "is missing"
        if sys.platform == "win32"
        else "could not be read (Not a directory): copy or fetch it again"
    )
    assert why in capsys.readouterr().out


@pytest.mark.parametrize("shape", [(5,), (2, 3), (4, 28, 28), (0, 28, 28)])
def test_parse_idx(shape: tuple[int, ...]):
    array = rng.integers(0, 256, shape, np.uint8)
    content = gzip.decompress(idx(array))
    found = data.parse_idx(content)
    assert found.dtype == np.uint8 and found.shape == shape and np.array_equal(found, array)
    with pytest.raises(ValueError, match="reshape"):
        data.parse_idx(content + b"?")


# The package around it


def test_registry_is_complete():
    for name, dataset in data.registry.items():
        assert (
            hasattr(data, name)
            and dataset.folder
            and dataset.license
            and dataset.citation
            and dataset.stand_in
        )
        assert len(dataset.mirrors) >= 2 and all(
            m.startswith("https://") and m.endswith("/") for m in dataset.mirrors
        )
        for file in [*dataset.files, *([dataset.archive] if dataset.archive else [])]:
            assert file.bytes > 0 and len(bytes.fromhex(file.sha256)) == 32 and "/" not in file.name
    assert sum(file.bytes for file in data.registry["mnist"].files) == 11_594_722


def test_cache_folder_of_an_installed_package(tmp_path):
    """A copy of the package with the data inside, as a wheel has it, keeps off its own folder."""
    package = tmp_path / "site-packages" / "course_utils"
    source = Path(data.__file__).parent
    package.mkdir(parents=True)
    for module in source.glob("*.py"):
        (package / module.name).write_bytes(module.read_bytes())
    (package / "bundled").mkdir()
    for file in ("registry.toml", "drawn_images.py"):
        (package / "bundled" / file).write_bytes((source.parent / "data" / file).read_bytes())
    code = "from course_utils import data; print(data.cache_folder()); print(data.drawings().__file__)"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONUTF8": "1"}
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=package.parent, env=environment, capture_output=True, text=True,
        encoding="utf-8", check=True,
    ).stdout.splitlines()  # fmt: skip
    assert output[0] == str(tmp_path / "cache" / "large-models-course")
    assert output[1] == str(package / "bundled" / "drawn_images.py")


def test_import_is_light():
    heavy = {"sklearn", "ssl", "urllib.request", "filelock", "matplotlib", "tensorflow"}
    code = f"import sys; from course_utils import data; print({heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found == "set()\n"


# The real data, where it is at hand


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.environ.get("COURSE_TEST_DATA_DIR")
    if not folder:
        pytest.skip("COURSE_TEST_DATA_DIR names no folder with the real data")
    monkeypatch.setenv("COURSE_DATA_DIR", folder)


def test_real_mnist(real):
    images = data.mnist()
    assert images.source == "real"
    check_form(images, (28, 28), 60_000, 10_000)
    assert np.bincount(images.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert images.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert images.x_train.mean() == pytest.approx(33.318, abs=1e-3)


def test_real_fashion_mnist(real):
    images = data.fashion_mnist()
    assert images.source == "real"
    check_form(images, (28, 28), 60_000, 10_000)
    assert np.bincount(images.y_train).tolist() == [6000] * 10
    assert images.x_train.mean() == pytest.approx(72.940, abs=1e-3)


def test_real_tokenizer(real):
    tables = data.gpt2_bpe()
    assert tables.source == "real" and tables.vocabulary["hello"] == 31373
    check_tokenizer(tables, 50_000)


def test_real_cifar10(real):
    images = data.cifar10()
    assert images.source == "real"
    check_form(images, (32, 32, 3), 50_000, 10_000)
    assert np.bincount(images.y_test).tolist() == [1000] * 10
    means = images.x_train.mean(axis=(0, 1, 2)) / 255
    assert means == pytest.approx([0.49139968, 0.48215841, 0.44653091], abs=1e-6)
