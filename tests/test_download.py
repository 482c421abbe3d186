"""Faults on the way of a file, provoked on a local server: nothing half-written is ever used,
and the message names the file, the cause and the remedy."""

import contextlib
import errno
import gzip
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
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from course_utils import data
from course_utils.data import archives, download, files
from course_utils.data.download import File
from course_utils.data.files import Dataset

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


def published(name: str, content: bytes) -> File:
    return File(name, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def tiny(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A registered data set of two files with two mirrors, an empty cache, a network that is wanted."""
    dataset = Dataset(
        "Tiny", "tiny", "", "", folder="tiny", files=[published("one", ONE), published("two", TWO)],
        mirrors=[server.address("a"), server.address("b")], stand_in="nothing much",
    )  # fmt: skip
    for mirror in "ab":
        server.answers |= {f"/{mirror}/one": ONE, f"/{mirror}/two": TWO}
    monkeypatch.setitem(data.registry, "tiny", dataset)
    monkeypatch.setattr(files, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(download, "TIMEOUT", 10.0)
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    return dataset


def load() -> list[bytes] | str:
    """What a loader does, with the plainest of parsers and stand-ins."""
    return data.files.obtain(
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
    register(monkeypatch, tiny, mirrors=[f"http://{address}/"])
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
    monkeypatch.setattr(files, "cache_folder", lambda: Path("/proc/cache"))
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
from course_utils.data import files
from course_utils.data.download import File
from course_utils.data.files import Dataset
{before}
data.registry["tiny"] = {dataset!r}
files.cache_folder = lambda: Path({str(cache)!r})
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
    patience = "from course_utils.data import download; download.TIMEOUT = 30"
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
    process = child(tiny, tmp_path / "cache", "from course_utils.data import download; download.TIMEOUT = 30")
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


# A server of the reader's own


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of Python's own server on that folder, started as data/README.md says."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("slash", ["", "/"])
def test_own_mirror_is_asked_first(tiny, server, tmp_path, monkeypatch, capsys, slash):
    data.fetch("tiny")
    (tmp_path / "cache").rename(tmp_path / "classroom")
    server.requests.clear()
    capsys.readouterr()
    with served(tmp_path / "classroom") as address:
        monkeypatch.setenv("COURSE_MIRROR", address + slash)
        assert load() == [ONE, TWO]
    assert server.requests == []
    assert capsys.readouterr().out == f"Tiny: fetched into {tmp_path / 'cache' / 'tiny'}\n"


def test_own_mirror_serves_the_files_of_an_archive(tiny, server, tmp_path, monkeypatch):
    """What lies in a cache are files, never the archive."""
    register(monkeypatch, tiny, archive=published("tiny.zip", b"elsewhere"))
    server.answers |= {"/own/tiny/one": ONE, "/own/tiny/two": TWO}
    monkeypatch.setenv("COURSE_MIRROR", server.address("own"))
    assert load() == [ONE, TWO]
    assert server.requests == ["/own/tiny/one", "/own/tiny/two"]


OWN_FAULTS = {
    "altered": (ONE[:-1] + b"?", "sha256 is"),
    "not there": (None, "HTTP Error 404"),
    "another page": (b"<html>", "ended after 6 of 100,000 bytes"),
}


@pytest.mark.parametrize("fault", OWN_FAULTS)
def test_a_failing_own_mirror_is_named_and_the_published_ones_follow(
    tiny, server, tmp_path, monkeypatch, capsys, fault
):
    answer, cause = OWN_FAULTS[fault]
    server.answers["/own/tiny/one"] = answer
    monkeypatch.setenv("COURSE_MIRROR", server.address("own"))
    assert load() == [ONE, TWO]
    assert server.requests == ["/own/tiny/one", "/a/one", "/a/two"]
    (line, _) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"COURSE_MIRROR: {server.address('own')}tiny/one could not be had ({cause}")
    assert line.endswith("The published mirrors follow.")


def test_what_the_own_mirror_has_is_kept(tiny, server, monkeypatch):
    server.answers["/own/tiny/one"] = ONE
    monkeypatch.setenv("COURSE_MIRROR", server.address("own"))
    assert load() == [ONE, TWO]
    assert server.requests == ["/own/tiny/one", "/own/tiny/two", "/a/two"]


@pytest.mark.parametrize(
    "base", ["192.168.1.20:8000", "http:/127.0.0.1", "http://127.0.0.1:port", "数据", " "]
)
def test_a_mistyped_own_mirror_is_named(tiny, server, monkeypatch, capsys, base):
    monkeypatch.setenv("COURSE_MIRROR", base)
    assert load() == [ONE, TWO]
    assert server.requests == ["/a/one", "/a/two"]
    assert capsys.readouterr().out.startswith(f"COURSE_MIRROR: {base}/tiny/one could not be had (")


def test_offline_asks_no_own_mirror_either(tiny, server, monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", server.address("own"))
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    assert load() == STAND_IN and server.requests == []


PROXIES = [
    "http:/127.0.0.1:7890",
    "http//127.0.0.1:7890",
    "127.0.0.1:port",
    "http://127.0.0.1:99999",
    "http://user:p@ss@127.0.0.1:9",
    "http://用户:密码@127.0.0.1:9",
    "socks5://127.0.0.1:9 ",
    "http://[127.0.0.1:9",
]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("proxy", PROXIES)
def test_a_mistyped_proxy_ends_in_the_stand_in(tiny, monkeypatch, capsys, proxy, scheme):
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv(f"{scheme}_proxy", proxy)
    register(monkeypatch, tiny, mirrors=[f"{scheme}://127.0.0.1:9/"])  # nobody listens there
    assert load() == STAND_IN
    output = capsys.readouterr().out
    assert explains(output, "one could not be downloaded (127.0.0.1:9: ", "is a proxy set wrongly?")


# Archives


def register(monkeypatch: pytest.MonkeyPatch, tiny: Dataset, **changed: Any) -> None:
    monkeypatch.setitem(data.registry, "tiny", replace(tiny, **changed))


def tar_gz(members: dict[str, bytes]) -> bytes:
    """With a symbolic and a hard link besides, which bear the name of a wanted file."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = tarfile.TarInfo("tiny/two")
            link.type, link.linkname, link.size = kind, "/etc/passwd", len(TWO)
            tar.addfile(link)
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return content.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return content.getvalue()


PACK = {"tiny.tar.gz": tar_gz, "tiny.zip": zipped}
HOSTILE = {"tiny/../../../two": TWO, "/one": ONE, "../evil": b"evil", "._one": b"?", "other/one": b"another"}
packed = pytest.mark.parametrize("name", PACK)


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.rglob("*"))


@packed
@pytest.mark.parametrize("hashed", [True, False])
def test_an_archive_is_unpacked_without_following_its_paths(
    tiny, server, tmp_path, monkeypatch, name, hashed
):
    body = PACK[name](HOSTILE)
    archive = published(name, body) if hashed else File(name, len(body) * 2 // 3)
    register(monkeypatch, tiny, archive=archive)
    server.answers[f"/b/{name}"] = body
    assert load() == [ONE, TWO]
    assert server.requests == [f"/a/{name}", f"/b/{name}"]
    assert left(tmp_path) == ["cache", "one", "tiny", "tiny.lock", "two"]


def flipped(body: bytes) -> bytes:
    """With another byte in the middle of the compressed data."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 255]) + body[middle + 1 :]


BAD = {
    "altered": lambda name: PACK[name](HOSTILE | {"/one": ONE[:-1] + b"?"}),
    "one missing": lambda name: PACK[name]({"one": ONE}),
    "empty": lambda name: PACK[name]({}),
    "cut off": lambda name: PACK[name](HOSTILE)[:-30_000],
    "a bit of it": lambda name: flipped(PACK[name](HOSTILE)),
    "login page": lambda name: b"<html>please log in</html>",
    "nothing": lambda name: b"",
}


@packed
@pytest.mark.parametrize("fault", BAD)
def test_a_bad_archive_without_a_checksum_is_refused_and_the_next_mirror_asked(
    tiny, server, tmp_path, monkeypatch, capsys, name, fault
):
    good, bad = PACK[name](HOSTILE), BAD[fault](name)
    register(monkeypatch, tiny, archive=File(name, len(good)))
    server.answers |= {f"/a/{name}": bad, f"/b/{name}": bad}
    assert load() == STAND_IN
    assert left(tmp_path) == ["cache", "tiny", "tiny.lock"]
    assert explains(capsys.readouterr().out, f"{name} could not be downloaded (", f"{name} ")
    server.answers[f"/b/{name}"] = good
    assert load() == [ONE, TWO]


def bomb(name: str) -> bytes:
    """A wanted file that is 200 MB of zeros, in 200 kB."""
    return PACK[name]({"one": bytes(200_000_000), "two": TWO})


def tar_of_long_names(name: str) -> bytes:
    """A tar that makes its reader take 200 MB into memory as the name of a file."""
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 200_000_000
    return gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(200_000_000), 1)


def tar_in_a_circle(name: str) -> bytes:
    """A tar whose member has a negative size, so that the next one is the same again."""
    header = bytearray(tarfile.TarInfo("v2/one").tobuf())
    header[124:136] = (256**12 - 512).to_bytes(12, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzip.compress(tarfile.TarInfo("v2/first").tobuf() + bytes(header) + bytes(10_240))


@pytest.mark.parametrize(
    ("name", "make", "members", "cause"),
    [
        ("tiny.tar.gz", bomb, (), "inflates to more than 100 times its size"),
        ("tiny.tar.gz", bomb, ("*",), "holds more than was published"),
        ("tiny.zip", bomb, (), "does not hold one as published"),
        ("tiny.zip", bomb, ("*",), "holds more than was published"),
        ("tiny.tar.gz", tar_of_long_names, (), "asks for 200,000,"),
        ("tiny.tar.gz", tar_in_a_circle, (), "leads back to where it came from"),
    ],
)
def test_a_bomb_does_not_go_off(tiny, server, tmp_path, monkeypatch, capsys, name, make, members, cause):
    body = make(name)
    changed = {"files": [published("one", ONE)], "members": members} if members else {}
    register(monkeypatch, tiny, archive=File(name, len(body)), mirrors=[server.address("a")], **changed)
    server.answers[f"/a/{name}"] = body
    tracemalloc.start()
    try:
        assert load() == STAND_IN
        assert tracemalloc.get_traced_memory()[1] < 20e6  # bytes at the peak
    finally:
        tracemalloc.stop()
    assert explains(capsys.readouterr().out, f"{name} could not be downloaded", cause)
    assert left(tmp_path) == ["cache", "tiny", "tiny.lock"]


def test_an_archive_without_a_checksum_may_not_be_endless(tiny, server, tmp_path, monkeypatch, capsys):
    body = tar_gz(HOSTILE)
    register(monkeypatch, tiny, archive=File("tiny.tar.gz", len(body) // 3), mirrors=[server.address("a")])
    server.answers["/a/tiny.tar.gz"] = body
    assert load() == STAND_IN
    assert "sends more than the expected" in capsys.readouterr().out
    assert left(tmp_path) == ["cache", "tiny", "tiny.lock"]


REVIEWS = {f"train/{i % 2}/{i}_7.txt": f"review {i}, très bien 好".encode() for i in range(50)}
JOINED = archives.joined(REVIEWS)


def test_joined_members_are_the_same_bytes_in_any_order_and_everywhere():
    turned = dict(reversed(REVIEWS.items()))
    assert archives.joined(turned) == JOINED and archives.split(JOINED) == REVIEWS
    # taken once, so that a Python that writes its tars otherwise is noticed
    assert hashlib.sha256(JOINED).hexdigest()[:16] == "595be85418f72cb0"


def below(top: str, members: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{top}/{path}": content for path, content in members.items()}


@packed
def test_many_members_are_joined_to_one_file(tiny, server, tmp_path, monkeypatch, name):
    """Whatever the top folder is called, in whatever order they come, whatever else is there."""
    body = PACK[name](below("v2", dict(reversed(REVIEWS.items())) | {"test/0.txt": b"?", "README": b"?"}))
    register(
        monkeypatch, tiny, files=[published("tiny.tar", JOINED)], archive=File(name, len(body)),
        members=["train/0/*.txt", "train/1/*.txt"],
    )  # fmt: skip
    server.answers[f"/a/{name}"] = body
    (content,) = load()
    assert archives.split(content) == REVIEWS
    assert left(tmp_path) == ["cache", "tiny", "tiny.lock", "tiny.tar"]
    assert data.status("tiny") == "cache, verified"


UNLIKE = {
    "altered": REVIEWS | {"train/0/0_7.txt": b"review 1, tres bien"},
    "renamed": {path.replace("0_7", "0_8"): content for path, content in REVIEWS.items()},
    "one less": dict(list(REVIEWS.items())[1:]),
    "one more": REVIEWS | {"train/2/x.txt": b""},
    "many more": REVIEWS | {f"train/2/{i}.txt": bytes(1000) for i in range(100)},
    "out of the folder": REVIEWS | {"train/../../../evil": b"?"},
    "a long name": REVIEWS | {f"train/{'x' * 300}": b"?"},
}


@packed
@pytest.mark.parametrize("fault", UNLIKE)
def test_other_members_than_those_published_are_refused(
    tiny, server, tmp_path, monkeypatch, capsys, name, fault
):
    body = PACK[name](below("v2", UNLIKE[fault]))
    register(
        monkeypatch, tiny, files=[published("tiny.tar", JOINED)], archive=File(name, len(body)),
        members=["train/*"], mirrors=[server.address("a")],
    )  # fmt: skip
    server.answers[f"/a/{name}"] = body
    assert load() == STAND_IN
    assert left(tmp_path) == ["cache", "tiny", "tiny.lock"]
    assert explains(capsys.readouterr().out, f"{name} could not be downloaded", f": {name} ")


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
