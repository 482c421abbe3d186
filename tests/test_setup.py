"""The set-up's failures: each ends in one line that says what to do."""

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from course_utils import doctor
from tools import setup_env

ROOT = Path(__file__).resolve().parent.parent


def message_of(call, *arguments) -> str:
    """The text a failing step stops with, checked to be short."""
    with pytest.raises(SystemExit) as stopped:
        call(*arguments)
    text = str(stopped.value)
    assert text.startswith("set-up stopped: ")
    return text


@pytest.mark.parametrize(
    ("version", "good"), [((3, 10, 9), False), ((3, 11, 0), True), ((3, 13, 2), True), ((3, 14, 0), False)]
)
def test_python_versions(version, good):
    assert setup_env.suitable(version) is good


def test_unsuitable_python_without_another(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 6))
    monkeypatch.setenv("PATH", "/nonexistent")
    text = message_of(setup_env.find_python)
    assert "Python 3.9" in text and "PYTHON=" in text and "\n" not in text


@pytest.mark.skipif(os.name == "nt", reason="uses a shell script as interpreter")
def test_unsuitable_python_finds_a_newer_one(monkeypatch, tmp_path):
    newer = script(tmp_path / "python3.12", "exit 0")
    script(tmp_path / "python3.13", "exit 127")  # a version manager's shim without a version behind it
    monkeypatch.setattr(sys, "version_info", (3, 9, 6))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert setup_env.find_python() == newer


@pytest.mark.skipif(os.name == "nt", reason="uses a shell script as interpreter")
def test_no_venv_module(tmp_path):
    python = script(tmp_path / "python3", "exit 1")
    text = message_of(setup_env.make_venv, python, str(tmp_path / "venv"))
    assert "apt install python3-venv" in text and "\n" not in text


def test_too_little_disk(monkeypatch):
    usage = namedtuple("usage", "total used free")(10e9, 9e9, 1e9)
    monkeypatch.setattr(setup_env.shutil, "disk_usage", lambda path: usage)
    text = message_of(setup_env.check_machine, doctor.FREE_GB)
    assert "1.0 GB are free" in text and "Make room" in text and "\n" not in text


def test_disk_full_while_installing():
    log = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    assert "the disk is full. Make room" in message_of(setup_env.explain, log, "installing")


def test_altered_package():
    log = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."
    assert "refused" in message_of(setup_env.explain, log, "installing")


def test_unknown_failure_shows_its_own_words():
    text = message_of(setup_env.explain, "line one\nsomething odd happened\n", "installing")
    assert "installing failed" in text and "something odd happened" in text


def test_a_path_too_long_for_windows():
    log = "ERROR: [Errno 2] No such file\nHINT: ... does not have Windows Long Path support enabled."
    assert "Move the course" in message_of(setup_env.explain, log, "installing")


def set_up(folder, **environment):
    """The whole program, in a process that reaches no package index."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
    }
    return subprocess.run(
        [sys.executable, ROOT / "tools" / "setup_env.py", folder],
        env=kept | nowhere | environment,
        capture_output=True,
        text=True,
    )


def test_no_network_then_nothing_counts_as_ready(tmp_path):
    """The real thing: a venv is made, pip finds no index, and no stamp says it is ready."""
    folder = tmp_path / "环境"  # whose name this output can't show
    done = set_up(folder, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert done.stderr.strip().startswith("set-up stopped: the package index can't be reached.")
    assert "\n" not in done.stderr.strip()
    assert folder.exists() and not (folder / ".ready").exists()


def test_a_python_without_sqlite_is_refused_before_anything_is_fetched(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['_sqlite3'] = None")
    done = set_up(tmp_path / "venv", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1 and not (tmp_path / "venv").exists()
    assert "was built without sqlite3" in done.stderr and "PYTHON=" in done.stderr
    assert "\n" not in done.stderr.strip()


@pytest.mark.skipif(os.name == "nt", reason="uses a shell script as interpreter")
def test_an_unsuitable_python_hands_over(monkeypatch, tmp_path):
    newer = script(tmp_path / "python3.12", f'echo "$@" > {tmp_path}/called; exit 7')
    monkeypatch.setattr(setup_env, "find_python", lambda: newer)
    monkeypatch.setattr(sys, "argv", ["tools/setup_env.py", "my folder"])
    assert setup_env.main() == 7
    assert (tmp_path / "called").read_text().endswith("setup_env.py my folder\n")


def test_the_readme_names_the_same_sizes():
    text = (ROOT / "README.md").read_text(encoding="utf8")
    for size in (f"{doctor.FREE_GB:.0f} GB of disk", f"{doctor.DOWNLOAD_GB} GB", f"{doctor.INSTALLED_GB} GB"):
        assert size in text


# --- a folder whose name is not ASCII ---------------------------------------------------------------


def path_file(venv: Path, line: str) -> Path:
    """The file that an editable installation leaves in an environment: UTF-8, whatever the system."""
    packages = venv / ("Lib" if os.name == "nt" else f"lib/python3.{sys.version_info[1]}") / "site-packages"
    packages.mkdir(parents=True, exist_ok=True)
    path = packages / "_editable_impl_large_models_course.pth"
    path.write_bytes(line.encode("utf8"))
    return path


@pytest.mark.parametrize("encoding", ["gbk", "cp932", "cp949", "cp950", "cp1252", "utf8"])
@pytest.mark.parametrize("line", ["/home/张三/it's 大模型", r"C:\Users\张三\new course"])
def test_the_path_file_reads_the_same_in_every_encoding(monkeypatch, tmp_path, encoding, line):
    path = path_file(tmp_path, line)
    setup_env.spell_paths_in_ascii(str(tmp_path))
    content = path.read_bytes().decode(encoding)
    assert content.startswith("import ") and content.count("\n") == 1, "site executes such a line"
    monkeypatch.setattr(sys, "path", [])
    exec(content)
    assert sys.path == [line]
    setup_env.spell_paths_in_ascii(str(tmp_path))
    assert path.read_bytes().decode(encoding) == content


def test_an_ascii_path_file_is_left_as_it_is(tmp_path):
    path = path_file(tmp_path, "/home/me/course")
    setup_env.spell_paths_in_ascii(str(tmp_path))
    assert path.read_bytes() == b"/home/me/course"


@pytest.mark.skipif(not shutil.which("localedef") or sys.platform != "linux", reason="makes a Chinese locale")
def test_python_finds_the_course_in_a_chinese_locale(tmp_path):
    """As on a Chinese Windows: names, and the files that Python reads at its start, are GBK."""
    made = subprocess.run(
        ["localedef", "-f", "GBK", "-i", "zh_CN", tmp_path / "zh_CN.GBK"], capture_output=True
    )
    if not (tmp_path / "zh_CN.GBK").exists():
        pytest.skip(f"no sources of locales here: {made.stderr!r}")
    chinese = {"LOCPATH": str(tmp_path), "LC_ALL": "zh_CN.GBK", "PYTHONUTF8": "0"}
    course = os.path.join(os.fsencode(tmp_path), "大模型".encode("gbk"))
    os.mkdir(course)
    Path(os.fsdecode(course), "found_it.py").touch()
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    path_file(venv, f"{tmp_path}/大模型")

    def imports():
        command = [setup_env.venv_python(str(venv)), "-c", "import found_it"]
        return (
            subprocess.run(command, env=os.environ | chinese, capture_output=True, text=True).returncode == 0
        )

    assert sys.version_info >= (3, 13) or not imports(), "as the installation leaves it"
    setup_env.spell_paths_in_ascii(str(venv))
    assert imports()


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)
