"""Faults on the way of a file, provoked on a local server: nothing half-written is ever used,
and the message names the file, the cause and the remedy."""

import errno
import hashlib
import io
import os
import random
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from course_utils import data, download
from course_utils.data import Dataset, File

ONE = random.Random(1).randbytes(100_000)
TWO = b"short"
STAND_IN = "the stand-in"


class Server(ThreadingHTTPServer):
    """Answers on 127.0.0.1: `answers` maps a path to a body, or to what to do with the handler."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, bytes | Callable[[Handler], None]] = {}
        self.requests: list[str] = []
        self.closing = threading.Event()

    def address(self, folder: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{folder}/"


class Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
        elif isinstance(answer, bytes):
            self.start(len(answer))
            self.wfile.write(answer)
        else:
            answer(self)

    def start(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.closing.set()
        running.shutdown()


@pytest.fixture
def tiny(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A registered data set of two files with two mirrors, an empty cache, a network that is wanted."""
    files = tuple(File(n, len(b), hashlib.sha256(b).hexdigest()) for n, b in [("one", ONE), ("two", TWO)])
    dataset = Dataset(
        "Tiny", "tiny", files, [server.address("a"), server.address("b")], "", "", "nothing much"
    )
    for mirror in "ab":
        server.answers |= {f"/{mirror}/one": ONE, f"/{mirror}/two": TWO}
    monkeypatch.setitem(data.registry, "tiny", dataset)
    monkeypatch.setattr(data, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(download, "TIMEOUT", 10.0)
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    return dataset


def load() -> list[bytes] | str:
    """What a loader does, with the plainest of parsers and stand-ins."""
    return data.obtain(
        "tiny", lambda dataset, read: [read(f.name) for f in dataset.files], lambda _: STAND_IN
    )


def kept(tmp_path: Path) -> list[str]:
    """Names of what lies in the data set's cache folder."""
    return sorted(path.name for path in (tmp_path / "cache" / "tiny").glob("*"))


def explains(output: str, file: str, cause: str) -> bool:
    """Whether one line names the file and the cause and says what to do, and one announces the stand-in."""
    lines = output.splitlines()
    return (
        any(file in line and cause in line and "COURSE_DATA_DIR" in line for line in lines)
        and sum("stand-in: nothing much" in line and "data fetch tiny" in line for line in lines) == 1
    )


def test_fetches_once_and_then_reads_the_cache(tiny, server, tmp_path, capsys):
    assert load() == [ONE, TWO]
    assert kept(tmp_path) == ["one", "two"]
    assert load() == [ONE, TWO]
    assert data.fetch("tiny") == tmp_path / "cache" / "tiny"
    assert server.requests == ["/a/one", "/a/two"]
    assert capsys.readouterr().out == f"Tiny: fetched into {tmp_path / 'cache' / 'tiny'}\n"


def truncated(handler: Handler) -> None:
    handler.start(len(ONE))
    handler.wfile.write(ONE[:60_000])


def stalls(handler: Handler) -> None:
    truncated(handler)
    handler.server.closing.wait(10)


def silent(handler: Handler) -> None:
    handler.server.closing.wait(10)


def trickles(handler: Handler) -> None:
    handler.start(len(ONE))
    for byte in ONE:
        if handler.server.closing.wait(0.05):
            break
        handler.wfile.write(bytes([byte]))


FAULTS = {
    "wrong hash": (ONE[:-1] + b"?", "sha256 is"),
    "login page": (b"<html>please log in</html>", "ended after 26 of 100,000 bytes"),
    "too long": (ONE + b"?", "more than the expected 100,000 bytes"),
    "truncated": (truncated, "ended after 60,000 of 100,000 bytes"),
    "404": (None, "HTTP Error 404: Not Found"),
    "stalls": (stalls, "silent for 1 s"),
    "never answers": (silent, "silent for 1 s"),
    "trickles": (trickles, "too slow"),
}


SLOW = ["stalls", "never answers", "trickles"]


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in SLOW[1:]])
def test_a_bad_mirror_is_replaced_by_the_next(tiny, server, tmp_path, monkeypatch, fault):
    if fault in SLOW:
        monkeypatch.setattr(download, "TIMEOUT", 1.0)
    server.answers["/a/one"] = FAULTS[fault][0]
    assert load() == [ONE, TWO]
    assert server.requests == ["/a/one", "/b/one", "/a/two"]
    assert kept(tmp_path) == ["one", "two"]


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_mirrors_leave_nothing_behind(tiny, server, tmp_path, monkeypatch, capsys, fault):
    answer, cause = FAULTS[fault]
    if fault in SLOW:
        monkeypatch.setattr(download, "TIMEOUT", 1.0)
    server.answers |= {"/a/one": answer, "/b/one": b"wrong too"}
    start = time.monotonic()
    assert load() == STAND_IN
    assert time.monotonic() - start < 9  # far less than the body would have taken
    assert server.requests == ["/a/one", "/b/one"]
    assert kept(tmp_path) == []
    output = capsys.readouterr().out
    assert explains(output, "one could not be downloaded", cause), output
    assert "ended after 9 of 100,000 bytes" in output  # each mirror with its own reason


def test_a_dead_host_is_named(tiny, server, tmp_path, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setitem(data.registry, "tiny", Dataset(**{**vars(tiny), "mirrors": [f"http://{address}/"]}))
    assert load() == STAND_IN
    assert explains(capsys.readouterr().out, f"one could not be downloaded ({address}", "refused")


def test_offline_asks_nobody(tiny, server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    assert load() == STAND_IN
    output = capsys.readouterr().out
    assert "COURSE_OFFLINE=1" in output and "data fetch tiny" in output and output.count("\n") == 1
    with pytest.raises(data.DataError, match="Tiny is not fetched while COURSE_OFFLINE=1: unset it"):
        data.fetch("tiny")
    assert server.requests == [] and not (tmp_path / "cache").exists()


def test_a_damaged_cache_file_is_refused_and_fetched_again(tiny, server, tmp_path, capsys):
    load()
    (tmp_path / "cache/tiny/one").write_bytes(ONE[:-1] + b"?")
    assert data.status("tiny").startswith("damaged: ")
    server.requests.clear()
    assert load() == [ONE, TWO]
    assert server.requests == ["/a/one"]
    assert f"{tmp_path / 'cache' / 'tiny' / 'one'} is damaged and not used" in capsys.readouterr().out


# What the disk can refuse. Tests may run as root, whom permissions don't stop: hence real refusals
# of other kinds, and the kernel's own error numbers for the rest.


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    def refusing(*args: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, name, refusing)


def below_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "cache").write_text("not a folder")
    return "Not a directory" if sys.platform != "win32" else "could not be written"


def in_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(data, "cache_folder", lambda: Path("/proc/cache"))
    return "could not be written"


def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    refuse(monkeypatch, "mkdir", errno.EROFS)
    return "Read-only file system"


@pytest.mark.parametrize("target", [below_a_file, in_proc, read_only])
def test_a_cache_that_cannot_be_made(tiny, server, tmp_path, monkeypatch, capsys, target):
    if target is in_proc and not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    cause = target(tmp_path, monkeypatch)
    assert load() == STAND_IN
    output = capsys.readouterr().out
    assert explains(output, str(Path("cache/tiny")), cause) and "make the folder writable" in output, output
    assert server.requests == []


def test_full_disk(tiny, server, tmp_path, monkeypatch, capsys):
    """The part file is /dev/full: the kernel itself says ENOSPC, when the buffer is flushed."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    opened = Path.open

    def full(path: Path, *args: Any, **options: Any) -> Any:
        return opened(Path("/dev/full") if path.suffix == ".part" else path, *args, **options)

    monkeypatch.setattr(Path, "open", full)
    assert load() == STAND_IN
    assert server.requests == ["/a/one"]  # another mirror would not help
    assert explains(capsys.readouterr().out, "cache/tiny/one could not be written", "No space left on device")


def child(dataset: Dataset, cache: Path, before: str = "") -> subprocess.Popen[str]:
    """Another process that fetches the data set."""
    code = f"""
from pathlib import Path
from course_utils import data
from course_utils.data import Dataset, File
{before}
data.registry["tiny"] = {dataset!r}
data.cache_folder = lambda: Path({str(cache)!r})
try:
    data.fetch("tiny")
except data.DataError as error:
    print(error)
"""
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"}, cwd=Path(__file__).parent.parent,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on Windows")
def test_file_size_limit(tiny, server, tmp_path):
    """A real refusal in the middle of writing (EFBIG)."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    output, _ = child(tiny, tmp_path / "cache", limit).communicate(timeout=60)
    assert "cache/tiny/one could not be written (File too large)" in output and "COURSE_DATA_DIR" in output
    assert kept(tmp_path) == []


def test_two_processes_fetch_once(tiny, server, tmp_path):
    go_on = threading.Event()

    def held_back(handler: Handler) -> None:
        go_on.wait(30)
        handler.start(len(ONE))
        handler.wfile.write(ONE)

    server.answers["/a/one"] = held_back
    patience = "from course_utils import download; download.TIMEOUT = 30"
    first, second = (child(tiny, tmp_path / "cache", patience) for _ in range(2))
    # whoever comes second says so: only then may the first go on
    streams = [process.stdout for process in (first, second) if process.stdout]
    waiting = threading.Event()
    lines: list[str] = []

    def listen(stream: io.TextIOBase) -> None:
        for line in stream:
            lines.append(line)
            if "Another process is fetching tiny" in line:
                waiting.set()

    listeners = [threading.Thread(target=listen, args=(stream,)) for stream in streams]
    for listener in listeners:
        listener.start()
    assert waiting.wait(60), lines
    go_on.set()
    assert [process.wait(60) for process in (first, second)] == [0, 0]
    for listener in listeners:
        listener.join()
    assert server.requests == ["/a/one", "/a/two"]
    assert kept(tmp_path) == ["one", "two"]
    assert sum("fetched into" in line for line in lines) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_killed_half_way(tiny, server, tmp_path, capsys):
    server.answers["/a/one"] = stalls
    process = child(tiny, tmp_path / "cache", "from course_utils import download; download.TIMEOUT = 30")
    part = tmp_path / "cache/tiny/one.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 0) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert kept(tmp_path) == ["one.part"]
    assert data.status("tiny") == "not here"

    (tmp_path / "cache/tiny/three.part").write_bytes(b"left by another")
    server.answers["/a/one"] = ONE
    assert load() == [ONE, TWO]
    assert kept(tmp_path) == ["one", "two"]
    assert "Another process" not in capsys.readouterr().out  # the lock died with its holder


def test_a_lock_that_is_never_freed(tiny, server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(download, "LOCK_TIMEOUT", 0.1)
    (tmp_path / "cache").mkdir()
    with FileLock(tmp_path / "cache/tiny.lock"):
        assert load() == STAND_IN
    output = capsys.readouterr().out
    assert f"{tmp_path / 'cache' / 'tiny.lock'} has been held by another process" in output
    assert "Shut down the course's other kernels" in output
    assert server.requests == []


def test_interrupted_by_the_reader(tiny, server, tmp_path, monkeypatch):
    def interrupt(line: str) -> None:
        if line:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(download, "_show", interrupt)
        load()
    assert kept(tmp_path) == []
    assert load() == [ONE, TWO]


def tar_gz(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
        link = tarfile.TarInfo("tiny/two")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return content.getvalue()


@pytest.mark.parametrize("intact", [True, False])
def test_an_archive_is_unpacked_without_following_its_paths(
    tiny, server, tmp_path, monkeypatch, capsys, intact
):
    body = tar_gz(
        {"tiny/../../../two": TWO, "/one": ONE if intact else b"?", "../evil": b"evil", "._one": b"?"}
    )
    archive = File("tiny.tar.gz", len(body), hashlib.sha256(body).hexdigest())
    monkeypatch.setitem(data.registry, "tiny", Dataset(**{**vars(tiny), "archive": archive}))
    server.answers["/b/tiny.tar.gz"] = body
    assert load() == ([ONE, TWO] if intact else STAND_IN)
    assert server.requests == ["/a/tiny.tar.gz", "/b/tiny.tar.gz"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["cache", "one", "tiny", "tiny.lock", "two"]
    assert ("one is damaged and not used" in capsys.readouterr().out) is not intact


def test_progress_is_one_line(tiny, server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(download, "_shown", 0.0)
    data.fetch("tiny")
    output = capsys.readouterr().out
    assert "\rone: 0." in output and " of 0.1 MB in 0 s" in output
    # what stays on the screen: each carriage return goes back to the line's start
    assert (
        output.count("\n") == 1
        and output.split("\r")[-1] == f"Tiny: fetched into {tmp_path / 'cache' / 'tiny'}\n"
    )
