"""The set-up's failures: each ends in one line that says what to do."""

import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

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
    text = message_of(setup_env.check_machine)
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


def test_no_network_then_nothing_counts_as_ready(tmp_path):
    """The real thing: a venv is made, pip finds no index, and no stamp says it is ready."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
    }
    folder = tmp_path / "venv"
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "setup_env.py", folder],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.strip().startswith("set-up stopped: the package index can't be reached.")
    assert "\n" not in done.stderr.strip()
    assert not (folder / ".ready").exists()


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)
