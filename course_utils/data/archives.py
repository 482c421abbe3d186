"""Take the wanted files out of a downloaded tar.gz or zip.

Members are found by name and checked by their content; no path and no link in an archive is followed,
and no file gets its name before all are known to be as published. An archive may therefore come without
a checksum of its own, as those do that GitHub packs on demand.

Where the wanted members are too many to list, `joined` makes one file of them: a plain tar, sorted by
name, without times or owners, so that its sha256 is a digest over the members' names and contents.
"""

import contextlib
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from course_utils.data.download import File, MirrorFailed, replacing

MOST_INFLATION = 100  # times the archive's own size: text inflates up to tenfold, a bomb a thousandfold
LONGEST_READ = 1 << 26  # bytes that tarfile may ask for at once: the archive says how long a name is
PIECE = 1 << 20


class _Member(NamedTuple):
    path: str
    size: int  # bytes, as the archive states it
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, files: Sequence[File], members: Sequence[str] = ()) -> None:
    """Write `files` beside the archive, none unless it holds them all, and delete it in any case.

    members: patterns (as in `fnmatch`) of paths below the archive's top folder; those that match are
    joined to the only one of `files`. Without patterns, each file is a member, in whatever folder.
    Raises MirrorFailed if the archive does not hold them as published, DataError if they can't be written.
    """
    try:
        contents = _joined_file(archive, files[0], members) if members else _listed_files(archive, files)
        with contextlib.ExitStack() as written:
            for file, content in contents:
                written.enter_context(replacing(archive.parent / file.name)).write(content)
    finally:
        archive.unlink(missing_ok=True)


def joined(members: Mapping[str, bytes]) -> bytes:
    """One plain tar of these members (path -> content): the same bytes for the same names and contents."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT, encoding="utf-8") as tar:
        for path in sorted(members):
            member = tarfile.TarInfo(path)
            member.size = len(members[path])
            tar.addfile(member, io.BytesIO(members[path]))
    return content.getvalue()


def split(content: bytes) -> dict[str, bytes]:
    """The members (path -> content) of what `joined` made."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:", encoding="utf-8") as tar:
        return {member.name: source.read() for member in tar if (source := tar.extractfile(member))}


def _listed_files(archive: Path, files: Sequence[File]) -> Iterator[tuple[File, bytes]]:
    missing = list(files)
    for member in _members(archive):
        name = member.path.rpartition("/")[2]
        for file in [file for file in missing if (file.name, file.bytes) == (name, member.size)]:
            content = _content(archive, member)
            if hashlib.sha256(content).hexdigest() == file.sha256:
                missing.remove(file)
                yield file, content
    if missing:
        names = ", ".join(file.name for file in missing)
        raise MirrorFailed(f"{archive.name} does not hold {names} as published")


def _joined_file(archive: Path, file: File, patterns: Sequence[str]) -> Iterator[tuple[File, bytes]]:
    found: dict[str, bytes] = {}
    room = file.bytes
    for member in _members(archive):
        path = member.path.partition("/")[2]  # the top folder often bears the version
        if any(fnmatchcase(path, pattern) for pattern in patterns):
            room -= tarfile.BLOCKSIZE + member.size
            if room < 0:
                raise MirrorFailed(f"{archive.name} holds more than was published")
            found[path] = _content(archive, member)
    with _broken(archive):  # a path may be longer than a tar can hold
        content = joined(found)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise MirrorFailed(f"{archive.name} holds {len(found):,} members, not those that were published")
    yield file, content


def _members(archive: Path) -> Iterator[_Member]:
    """The archive's regular files. Raises MirrorFailed if it is broken or inflates beyond measure."""
    with _broken(archive):
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as zipped:
                for info in zipped.infolist():
                    if not info.is_dir():
                        yield _Member(info.filename, info.file_size, partial(zipped.open, info))
        else:
            with gzip.open(archive) as stream:
                inflated: Any = _Gauge(stream, MOST_INFLATION * archive.stat().st_size)
                with tarfile.open(fileobj=inflated, mode="r:") as tar:
                    for entry in tar:
                        if entry.isfile():
                            yield _Member(entry.name, entry.size, partial(tar.extractfile, entry))


def _content(archive: Path, member: _Member) -> bytes:
    with _broken(archive):
        source = member.open()
        content = b"".join(iter(partial(source.read, PIECE), b"")) if source else b""
        if len(content) != member.size:
            raise EOFError(f"{member.path} ends after {len(content):,} of {member.size:,} bytes")
    return content


class _Gauge:
    """What tarfile reads from: a stream of at most `most` bytes, from its begin to its end."""

    def __init__(self, stream: gzip.GzipFile, most: int) -> None:
        self.stream, self.most, self.tell = stream, most, stream.tell

    def read(self, size: int) -> bytes:
        if size > LONGEST_READ:
            raise EOFError(f"it asks for {size:,} bytes of memory")
        self._check(self.tell() + size)
        return self.stream.read(size)

    def seek(self, position: int) -> int:
        if position < self.tell() - 1:  # tarfile tries the last byte of what it skips, never more
            raise EOFError("it leads back to where it came from")
        self._check(position)
        return self.stream.seek(position)

    def _check(self, position: int) -> None:
        if position > self.most:
            raise EOFError(f"it inflates to more than {MOST_INFLATION} times its size")


@contextlib.contextmanager
def _broken(archive: Path) -> Iterator[None]:
    """Turn what the libraries raise on a broken or hostile archive into MirrorFailed."""
    try:
        yield
    except (
        tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
        RuntimeError,  # zipfile, of encryption and of a compression that it lacks
    ) as error:  # fmt: skip
        raise MirrorFailed(f"{archive.name} could not be unpacked: {error}") from None
