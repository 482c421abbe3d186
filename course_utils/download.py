"""Fetch one file: checked, whole or not at all, and never for hours."""

import contextlib
import hashlib
import os
import queue
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

TIMEOUT = 20.0  # seconds until the first byte, and between two pieces
MIN_SPEED = 32_000  # bytes per second on average; slower servers are given up
LOCK_TIMEOUT = 900.0  # seconds to wait for another process that fetches the same
PIECE = 1 << 16  # bytes read at a time


class DataError(Exception):
    """A file is missing, damaged or can't be had; the message names file, cause and remedy."""


class _MirrorFailed(Exception):
    """One mirror didn't deliver; the next may."""


def fetch_file(urls: Sequence[str], target: Path, size: int, sha256: str) -> None:
    """Download `target` from the first of `urls` that delivers it intact.

    size in bytes and sha256 (hexadecimal) are checked before the file gets its name; until
    then, and after any failure, `target` is as it was. Call it inside `locked`.
    Raises DataError when every mirror fails or the disk refuses.
    """
    failures = []
    for url in urls:
        try:
            with replacing(target) as out:
                _receive(url, out, size, sha256)
            return
        except _MirrorFailed as failure:
            failures.append(f"{urlsplit(url).netloc}: {failure}")
    raise DataError(
        f"{target.name} could not be downloaded ({'; '.join(failures)}). Check the network and "
        "try again, or copy the file from someone who has it: data/README.md, COURSE_DATA_DIR."
    )


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `target` only if the block ends without error."""
    part = target.with_name(target.name + ".part")
    try:
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
    """Make `folder` and be its only writer among all processes; sweep up what a killed one left.

    The system frees the lock when its holder dies. Raises DataError.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder.with_name(folder.name + ".lock"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0.5)
        except Timeout:
            print(f"Another process is fetching {folder.name}: waiting for it.", flush=True)
            lock.acquire(timeout=LOCK_TIMEOUT)
        for left_over in folder.glob("*.part"):
            left_over.unlink()
    except Timeout as error:
        raise DataError(
            f"{lock.lock_file} has been held by another process for {LOCK_TIMEOUT:.0f} s. "
            "Shut down the other kernels of the course and try again."
        ) from error
    except OSError as error:
        lock.release()
        raise _unwritable(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path} could not be written ({error.strerror or error}). Free disk space or make the folder "
        "writable, or use a copy of the files elsewhere: data/README.md, COURSE_DATA_DIR."
    )


def _receive(url: str, out: BinaryIO, size: int, sha256: str) -> None:
    """Write the body of `url` to `out`; raise _MirrorFailed unless it is the expected one."""
    pieces: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
    stop = threading.Event()
    # A thread, because no time-out of the standard library covers name look-up, several
    # addresses, TLS and headers together; here the queue's does.
    threading.Thread(target=_pump, args=(url, pieces, stop), daemon=True).start()
    digest, received, start = hashlib.sha256(), 0, time.monotonic()
    try:
        while True:
            try:
                piece = pieces.get(timeout=TIMEOUT)
            except queue.Empty:
                raise _MirrorFailed(f"silent for {TIMEOUT:g} s after {received:,} of {size:,} bytes") from None
            if isinstance(piece, Exception):
                raise _MirrorFailed(str(piece).strip("<>") or type(piece).__name__)
            if not piece:
                break
            out.write(piece)
            digest.update(piece)
            received += len(piece)
            if received > size:
                raise _MirrorFailed(f"sends more than the expected {size:,} bytes")
            seconds = time.monotonic() - start
            if seconds > TIMEOUT + received / MIN_SPEED:
                raise _MirrorFailed(f"too slow, {received:,} of {size:,} bytes in {seconds:.0f} s")
            _show(out.name, received, size, seconds)
    finally:
        stop.set()
    if received < size:
        raise _MirrorFailed(f"ended after {received:,} of {size:,} bytes")
    if digest.hexdigest() != sha256:
        raise _MirrorFailed(f"sha256 is {digest.hexdigest()[:12]}…, expected {sha256[:12]}…")


def _pump(url: str, pieces: "queue.SimpleQueue[bytes | Exception]", stop: threading.Event) -> None:
    """Put the body of `url` into `pieces`, then b""; or the exception."""
    try:
        import certifi

        context = ssl.create_default_context()
        # python.org's Python for macOS comes without certificates
        context.load_verify_locations(certifi.where())
        with urlopen(url, timeout=TIMEOUT, context=context) as response:
            while not stop.is_set():
                # read1 returns what has come; read would wait for a full piece
                piece = response.read1(PIECE)
                pieces.put(piece)
                if not piece:
                    break
    except (Exception, HTTPError) as error:
        pieces.put(error)


def _show(name: str, received: int, size: int, seconds: float) -> None:
    """Redraw the progress line, where lines can be redrawn."""
    if sys.stdout.isatty() or "ipykernel" in sys.modules:
        file = Path(name).name.removesuffix(".part")
        print(f"\r{file}: {received / 1e6:.1f} of {size / 1e6:.1f} MB, {seconds:.0f} s   ", end="", flush=True)
