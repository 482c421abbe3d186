"""Fetch one file: checked, whole or not at all, and never for hours."""

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

TIMEOUT = 20.0  # seconds that a server may stay silent, at the start or in between
MIN_SPEED = 50_000  # bytes per second on average; a slower server is given up
LOCK_TIMEOUT = 900.0  # seconds to wait for another process that fetches the same
PIECE = 1 << 16  # bytes taken at a time
BY_HAND = "Or copy it from another machine and name its folder in COURSE_DATA_DIR (see data/README.md)."


class File(NamedTuple):
    """One published file. sha256: hexadecimal; "" for an archive that its host packs anew now and then,
    whose members alone are then checked, and whose size is an estimate."""

    name: str
    bytes: int
    sha256: str = ""


class DataError(Exception):
    """A file is damaged or can't be had or kept: the message names file, cause and remedy."""


class MirrorFailed(Exception):
    """One mirror did not deliver, and why; the next may."""


def fetch_file(
    urls: Sequence[str], folder: Path, file: File, unpack: Callable[[], None] | None = None
) -> None:
    """Download `file` into `folder` from the first of `urls` that delivers it intact, inside `locked`.

    unpack: what is to be done with the file; if it raises MirrorFailed, the next mirror is asked.
    Raises DataError when every mirror fails or the file can't be written; a file of that name that was
    there before is then as it was.
    """
    failures = []
    for url in urls:
        try:
            fetch_from(url, folder, file)
            if unpack:
                unpack()
            return
        except MirrorFailed as failure:
            failures.append(f"{urlsplit(url).netloc}: {failure}")
    raise DataError(
        f"{file.name} could not be downloaded ({'; '.join(failures)}). Check the network (does a login page "
        f"answer instead, or is a proxy set wrongly?) and try again. {BY_HAND}"
    )


def fetch_from(url: str, folder: Path, file: File) -> None:
    """Download `file` from one address, inside `locked`: size and sha256 are checked before it gets its
    name. Raises MirrorFailed, or DataError if it can't be written."""
    try:
        with replacing(folder / file.name) as out:
            _receive(url, out, file)
    finally:
        _show("")


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `target` only if the block ends without error."""
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as out:
            yield out
        os.replace(part, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make `folder` and be its only writer; sweep up what a killed writer left there.

    The system frees a dead process's lock. Raises DataError if `folder` can't be written or had in time.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(f"{folder}.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0.5)
        except Timeout:
            print(f"Another process is fetching {folder.name}: waiting for it.", flush=True)
            lock.acquire(timeout=LOCK_TIMEOUT)
        for left_over in folder.glob("*.part"):
            left_over.unlink()
        yield
    except Timeout as error:
        cause = f"{lock.lock_file} has been held by another process for {LOCK_TIMEOUT:.0f} s"
        raise DataError(f"{cause}. Shut down the course's other kernels and try again.") from error
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        raise _unwritable(folder, error) from error
    finally:
        lock.release()


def _unwritable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} could not be written ({getattr(error, 'strerror', None) or error}). "
        f"Free disk space or make the folder writable. {BY_HAND}"
    )


def _receive(url: str, out: BinaryIO, file: File) -> None:
    """Write the body of `url` to `out`; raise MirrorFailed unless it is the expected one."""
    digest, received, start = hashlib.sha256(), 0, time.monotonic()
    most = file.bytes if file.sha256 else 2 * file.bytes
    for piece in _pieces(url):
        if not received:  # until then the time-out of the connection counts
            start = time.monotonic()
        out.write(piece)
        digest.update(piece)
        received += len(piece)
        seconds = time.monotonic() - start
        if received > most:
            raise MirrorFailed(f"sends more than the expected {file.bytes:,} bytes")
        if seconds > TIMEOUT + received / MIN_SPEED:
            raise MirrorFailed(f"too slow, {received:,} of {file.bytes:,} bytes in {seconds:.0f} s")
        _show(f"{file.name}: {received / 1e6:.1f} of {file.bytes / 1e6:.1f} MB in {seconds:.0f} s")
    if not file.sha256:
        return
    if received < file.bytes:
        raise MirrorFailed(f"ended after {received:,} of {file.bytes:,} bytes")
    if digest.hexdigest() != file.sha256:
        raise MirrorFailed(f"sha256 is {digest.hexdigest()[:12]}…, expected {file.sha256[:12]}…")


def _pieces(url: str) -> Iterator[bytes]:
    """The body of `url` as it comes in; raises MirrorFailed with the network's own words."""
    import ssl
    from http.client import HTTPException
    from urllib.request import urlopen

    import certifi

    try:
        context = ssl.create_default_context()  # fails where Windows keeps a broken certificate
        context.load_verify_locations(certifi.where())  # python.org's Python finds none on macOS
        with urlopen(url, timeout=TIMEOUT, context=context) as response:
            while piece := response.read1(PIECE):  # what has come; read() would wait for more
                yield piece
    # a time-out is an OSError too; a mistyped proxy or address is a ValueError
    except (OSError, HTTPException, ValueError) as error:
        silent = f"silent for {TIMEOUT:g} s" if isinstance(error, TimeoutError) else ""
        raise MirrorFailed(silent or str(error).strip("<>") or type(error).__name__) from None


_shown = 0.0  # when the progress line was last drawn


def _show(line: str) -> None:
    """Redraw the progress line, or erase it with "": only where a line can be redrawn."""
    global _shown
    now = time.monotonic()
    redrawable = sys.stdout.isatty() or type(sys.stdout).__module__ == "ipykernel.iostream"
    if redrawable and (not line or now - _shown > 0.2):
        _shown = now
        print(f"\r{line:<78}", end="" if line else "\r", flush=True)
