"""Fetch one file: checked, whole or not at all, and never for hours."""

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

TIMEOUT = 20.0  # seconds that a server may stay silent, at the start or in between
MIN_SPEED = 50_000  # bytes per second on average; a slower server is given up
LOCK_TIMEOUT = 900.0  # seconds to wait for another process that fetches the same
PIECE = 1 << 16  # bytes taken at a time
BY_HAND = "Or copy it from another machine and name its folder in COURSE_DATA_DIR (see data/README.md)."


class DataError(Exception):
    """A file is damaged or can't be had or kept: the message names file, cause and remedy."""


class _MirrorFailed(Exception):
    """One mirror did not deliver; the next may."""


def fetch_file(urls: Sequence[str], target: Path, size: int, sha256: str) -> None:
    """Download `target` from the first of `urls` that delivers it intact, inside `locked`.

    size (bytes) and sha256 (hexadecimal) are checked before the file gets its name. Raises
    DataError when every mirror fails or the file can't be written; `target` is then as it was.
    """
    failures = []
    for url in urls:
        try:
            with replacing(target) as out:
                _receive(url, out, target.name, size, sha256)
            return
        except _MirrorFailed as failure:
            failures.append(f"{urlsplit(url).netloc}: {failure}")
        finally:
            _show("")
    raise DataError(
        f"{target.name} could not be downloaded ({'; '.join(failures)}). Check the network (does a login "
        f"page answer instead?) and try again. {BY_HAND}"
    )


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


def _receive(url: str, out: BinaryIO, name: str, size: int, sha256: str) -> None:
    """Write the body of `url` to `out`; raise _MirrorFailed unless it is the expected one."""
    digest, received, start = hashlib.sha256(), 0, time.monotonic()
    for piece in _pieces(url):
        if not received:  # until then the time-out of the connection counts
            start = time.monotonic()
        out.write(piece)
        digest.update(piece)
        received += len(piece)
        seconds = time.monotonic() - start
        if received > size:
            raise _MirrorFailed(f"sends more than the expected {size:,} bytes")
        if seconds > TIMEOUT + received / MIN_SPEED:
            raise _MirrorFailed(f"too slow, {received:,} of {size:,} bytes in {seconds:.0f} s")
        _show(f"{name}: {received / 1e6:.1f} of {size / 1e6:.1f} MB in {seconds:.0f} s")
    if received < size:
        raise _MirrorFailed(f"ended after {received:,} of {size:,} bytes")
    if digest.hexdigest() != sha256:
        raise _MirrorFailed(f"sha256 is {digest.hexdigest()[:12]}…, expected {sha256[:12]}…")


def _pieces(url: str) -> Iterator[bytes]:
    """The body of `url` as it comes in; raises _MirrorFailed with the network's own words."""
    import ssl
    from http.client import HTTPException
    from urllib.request import urlopen

    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # python.org's Python finds none on macOS
    try:
        with urlopen(url, timeout=TIMEOUT, context=context) as response:
            while piece := response.read1(PIECE):  # what has come; read() would wait for more
                yield piece
    except (OSError, HTTPException) as error:  # a time-out is an OSError too
        silent = f"silent for {TIMEOUT:g} s" if isinstance(error, TimeoutError) else ""
        raise _MirrorFailed(silent or str(error).strip("<>") or type(error).__name__) from None


_shown = 0.0  # when the progress line was last drawn


def _show(line: str) -> None:
    """Redraw the progress line, or erase it with "": only where a line can be redrawn."""
    global _shown
    now = time.monotonic()
    redrawable = sys.stdout.isatty() or type(sys.stdout).__module__ == "ipykernel.iostream"
    if redrawable and (not line or now - _shown > 0.2):
        _shown = now
        print(f"\r{line:<78}", end="" if line else "\r", flush=True)
