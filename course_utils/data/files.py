"""The files of the data sets: which there are, where they lie, whether intact, and how they come here."""

import contextlib
import hashlib
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from course_utils.bundled import FOLDER
from course_utils.data import archives, download
from course_utils.data.download import DataError, File

T = TypeVar("T")
Read = Callable[[str], bytes]  # a file's name -> its checked content

# registry name -> "real" or "bundled": what this process has loaded; the build asks at the end of a run
used: dict[str, str] = {}


@dataclass(frozen=True)
class Dataset:
    """What is known of a data set before any of it is here: an entry of bundled/registry.toml."""

    title: str
    short: str  # a few words for a table
    license: str
    citation: str
    inside: str = ""  # the installed library that holds it: no files, nothing to fetch, no stand-in
    folder: str = ""  # below COURSE_DATA_DIR and below the cache
    files: Sequence[File] = ()  # what the loader reads
    mirrors: Sequence[str] = ()  # the address is mirror + name of the file (or archive)
    stand_in: str = ""  # what the bundled substitute is, and how it differs
    stand_in_short: str = ""
    classes: Sequence[str] = ()
    archive: File | None = None  # the tar.gz or zip in which `files` are published
    members: Sequence[str] = ()  # patterns of its members, which are joined to the one file (see `archives`)


def _dataset(files: Sequence[list] = (), archive: list | None = None, **about: Any) -> Dataset:
    return Dataset(files=[File(*f) for f in files], archive=File(*archive) if archive else None, **about)


_entries = tomllib.loads((FOLDER / "registry.toml").read_text("utf-8")).items()
registry: dict[str, Dataset] = {name: _dataset(**entry) for name, entry in _entries}


def _named(names: Iterable[str] | None) -> list[Dataset]:
    return [registry[name] for name in (registry if names is None else names)]


# fetched only by name: 550 MB; portraits of people; posts of people (or by the notebook that reads them)
ON_DEMAND = {"gpt2", "orl_faces", "weibo_ner"}


def usual() -> list[str]:
    """All data sets but those that come on demand only."""
    return [name for name in registry if name not in ON_DEMAND]


def download_mb(names: Iterable[str] | None = None) -> float:
    """Megabytes (10⁶ bytes) that these data sets, or all of them, are to download."""
    files = [file for d in _named(names) for file in ([d.archive] if d.archive else d.files)]
    return sum(file.bytes for file in files) / 1e6


def disk_mb(names: Iterable[str] | None = None) -> float:
    """Megabytes (10⁶ bytes) that these data sets, or all of them, take on the disk."""
    return sum(file.bytes for dataset in _named(names) for file in dataset.files) / 1e6


def describe(names: Iterable[str]) -> str:
    """A table's cell: "MNIST (without network: 8×8 digits), wines, tumors (inside scikit-learn)"."""
    shorts: dict[str, list[str]] = {}
    for dataset in _named(names):
        where = f"inside {dataset.inside}" if dataset.inside else f"without network: {dataset.stand_in_short}"
        shorts.setdefault(where, []).append(dataset.short)
    described = ", ".join(f"{', '.join(together)} ({where})" for where, together in shorts.items())
    return described or "made in the notebook"


def obtain(name: str, parse: Callable[[Dataset, Read], T], stand_in: Callable[[Dataset], T]) -> T:
    """The data set from the first source that has it intact; `used` notes which kind.

    parse: makes the data from the files, whose bytes it reads by name.
    stand_in: makes data of the same form from what comes with the course.
    Prints a line on a mistaken COURSE_DATA_DIR, on each damaged file, on a download that failed, and
    on the stand-in.
    """
    dataset = registry[name]
    if mistake := data_dir_mistake():
        print(mistake)
    network: list[tuple[str, None]] = [] if _offline() else [("network", None)]
    for where, folder in [*_folders(dataset), *network]:
        try:
            found = parse(dataset, partial(_read, dataset, folder or fetch(name)))
        except FileNotFoundError as error:
            if where == "COURSE_DATA_DIR":
                print(f"COURSE_DATA_DIR: {error.filename} is missing, looking elsewhere")
        except DataError as error:
            print(error)
        else:
            used[name] = "real"
            return found
    why = "could not be fetched" if network else "offline (COURSE_OFFLINE=1)"
    print(
        f"{dataset.title}: {why}, so this is the bundled stand-in: {dataset.stand_in}. "
        f"For the real one: python -m course_utils data fetch {name}"
    )
    used[name] = "bundled"
    return stand_in(dataset)


def fetch(name: str) -> Path:
    """Download what the cache lacks; returns its folder. Raises DataError: file, cause and remedy."""
    dataset = registry[name]
    if dataset.inside:
        raise DataError(f"{dataset.title}: inside {dataset.inside}, so there is nothing to fetch.")
    folder = cache_folder() / dataset.folder
    if not _problems(dataset, folder):
        return folder
    if _offline():
        raise DataError(f"{dataset.title} is not fetched while COURSE_OFFLINE=1: unset it, try again.")
    with download.locked(folder):
        # asked again, because another process, for which we waited, may have fetched them
        if missing := list(_problems(dataset, folder)):
            if missing := _from_own_mirror(dataset, folder, missing):
                _from_mirrors(dataset, folder, missing)
            print(f"{dataset.title}: fetched into {folder}")
    return folder


def status(name: str, hashed: bool = True) -> str:
    """Where a data set would be read from: "COURSE_DATA_DIR, verified", "cache, verified", "inside
    scikit-learn", "not here", or "damaged: " and the details.

    hashed: check every byte; otherwise only names and sizes, in milliseconds, and "complete" stands for
    "verified".
    """
    dataset = registry[name]
    if dataset.inside:
        return f"inside {dataset.inside}"
    result = "not here"
    for where, folder in _folders(dataset):
        if not (problems := _problems(dataset, folder, hashed)):
            return f"{where}, {'verified' if hashed else 'complete'}"
        result = next((f"damaged: {e}" for e in problems.values() if isinstance(e, DataError)), result)
    return result


def is_here(name: str) -> bool:
    """Whether a loader finds the data set without a download: by names and sizes, in milliseconds."""
    dataset = registry[name]
    return bool(dataset.inside) or any(
        not _problems(dataset, folder, hashed=False) for _, folder in _folders(dataset)
    )


def checkout() -> Path | None:
    """The repository's folder, where the package lies in a checkout of it; None where it was installed."""
    root = Path(__file__).parents[2]
    return root if (root / "requirements.lock").is_file() else None


def cache_folder() -> Path:
    """Where downloads are kept: data/cache of a checkout, or the user's cache folder."""
    if root := checkout():
        return root / "data" / "cache"
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(base) / "large-models-course"


def data_dir_mistake() -> str:
    """What is wrong with COURSE_DATA_DIR, with the remedy; "" if nothing is, or if it is not set."""
    if not (given := _data_dir()):
        return ""
    if not given.is_dir():
        return f"COURSE_DATA_DIR is {given}, but there is no such folder: correct or unset it."
    folders = [dataset.folder for dataset in registry.values() if dataset.folder]
    if not any((given / folder).is_dir() for folder in folders):
        return (
            f"COURSE_DATA_DIR is {given}, which holds none of the course's folders ({folders[0]} "
            "and so on): name the folder that they lie in, or unset it."
        )
    return ""


def _data_dir() -> Path | None:
    given = os.environ.get("COURSE_DATA_DIR")
    # not Path.expanduser, which raises where the home is not known
    return Path(os.path.expanduser(given)) if given else None


def _folders(dataset: Dataset) -> Iterator[tuple[str, Path]]:
    if (given := _data_dir()) and not data_dir_mistake():
        yield "COURSE_DATA_DIR", given / dataset.folder
    yield "cache", cache_folder() / dataset.folder


def _offline() -> bool:
    return os.environ.get("COURSE_OFFLINE", "") not in ("", "0")


def _from_own_mirror(dataset: Dataset, folder: Path, missing: list[File]) -> list[File]:
    """Fetch from COURSE_MIRROR, a server of the reader's own; returns what it did not deliver."""
    if not (base := os.environ.get("COURSE_MIRROR", "").rstrip("/")):
        return missing
    for i, file in enumerate(missing):
        try:
            download.fetch_from(f"{base}/{dataset.folder}/{file.name}", folder, file)
        except download.MirrorFailed as failure:
            print(
                f"COURSE_MIRROR: {base}/{dataset.folder}/{file.name} could not be had ({failure}). "
                "The published mirrors follow."
            )
            return missing[i:]
    return []


def _from_mirrors(dataset: Dataset, folder: Path, missing: list[File]) -> None:
    if archive := dataset.archive:
        unpack = partial(archives.unpack, folder / archive.name, missing, dataset.members)
        download.fetch_file([m + archive.name for m in dataset.mirrors], folder, archive, unpack)
    else:
        for file in missing:
            download.fetch_file([m + file.name for m in dataset.mirrors], folder, file)


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


def _problems(dataset: Dataset, folder: Path, hashed: bool = True) -> dict[File, Exception]:
    """The files that are not there (FileNotFoundError) or not as published (DataError)."""
    problems: dict[File, Exception] = {}
    for file in dataset.files:
        with contextlib.suppress(OSError):
            if not hashed and (folder / file.name).stat().st_size == file.bytes:
                continue
        try:
            _read(dataset, folder, file.name)
        except (FileNotFoundError, DataError) as error:
            problems[file] = error
    return problems
