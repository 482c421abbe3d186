"""pyproject.toml, requirements.lock and environment.yml say the same, checked without network."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tools import lock as lock_tool

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf8")
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf8")
# What Colab's runtime held in autumn 2026: the course must install beside it, not over it.
COLAB = {
    "numpy": "2.0.2", "matplotlib": "3.10.0", "scikit-learn": "1.6.1", "filelock": "3.18.0",
    "psutil": "5.9.5", "certifi": "2025.8.3", "scipy": "1.14.1", "threadpoolctl": "3.6.0",
}  # fmt: skip


def pins(lock: str) -> dict[str, list[tuple[Version, str]]]:
    """Package -> its (version, marker) entries in a lock."""
    found: dict[str, list[tuple[Version, str]]] = {}
    for name, version, marker in re.findall(
        r"^([\w.-]+)==([^\s;\\]+)(?: ; ([^\\\n]+?))? *\\?$", lock, flags=re.MULTILINE
    ):
        found.setdefault(name, []).append((Version(version), marker))
    return found


def unsatisfied(pyproject: str, lock: str) -> list[str]:
    """Requirements of pyproject.toml that no entry of the lock satisfies."""
    project = tomllib.loads(pyproject)["project"]
    extras = [line for name in lock_tool.EXTRAS for line in project["optional-dependencies"][name]]
    missing = []
    for line in project["dependencies"] + extras:
        wanted = Requirement(line)
        if not any(version in wanted.specifier for version, _ in pins(lock).get(wanted.name, [])):
            missing.append(line)
    return missing


def unhashed(lock: str) -> list[str]:
    """Entries of a lock without a checksum."""
    entries = re.split(r"\n(?=\S)", lock)
    return [entry.split()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry]


def test_lock_is_made_from_this_pyproject():
    assert LOCK.startswith(lock_tool.lock_head(PYPROJECT)), "dependencies changed: run `make lock`"
    assert unsatisfied(PYPROJECT, LOCK) == []


def test_lock_guard_catches_a_changed_dependency():
    changed = PYPROJECT.replace('"numpy>=2.0"', '"numpy>=99"')
    assert not LOCK.startswith(lock_tool.lock_head(changed))
    assert unsatisfied(changed, LOCK) == ["numpy>=99"]


def test_every_entry_is_hashed():
    assert len(pins(LOCK)) > 100
    assert unhashed(LOCK) == []
    assert unhashed("six==1.17.0\nabc==1.0 \\\n    --hash=sha256:00\n") == ["six==1.17.0"]


@pytest.mark.parametrize("name", ["requirements.lock", "environment.yml", "pyproject.toml"])
def test_no_index_address(name):
    text = (ROOT / name).read_text(encoding="utf8")
    addresses = set(re.findall(r"https?://([^/\s\"]+)", text))
    assert addresses <= {"github.com"}
    assert "index-url" not in text


def test_conda_environment_is_derived_from_the_lock():
    written = (ROOT / "environment.yml").read_text(encoding="utf8")
    assert written == lock_tool.conda_environment(LOCK), "run `make lock`"
    left_out = lock_tool.NOT_FOR_CONDA
    assert written.count('\n      - "') == sum(len(pins(LOCK)[name]) for name in set(pins(LOCK)) - left_out)
    assert left_out <= set(pins(LOCK)) and not any(f'"{name}==' in written for name in left_out)
    assert "--hash" not in written and written.rstrip().endswith("- -e .")
    assert written != lock_tool.conda_environment(LOCK.replace("keras==", "keras==0"))


def test_colab_keeps_what_it_has():
    requirements = [Requirement(line) for line in tomllib.loads(PYPROJECT)["project"]["dependencies"]]
    assert {r.name for r in requirements} <= set(COLAB)
    moved = [str(r) for r in requirements if Version(COLAB[r.name]) not in r.specifier]
    assert moved == []


def test_python_range_is_the_same_everywhere():
    from tools.setup_env import suitable

    wanted = Requirement(f"python{tomllib.loads(PYPROJECT)['project']['requires-python']}").specifier
    for minor in range(8, 17):
        assert suitable((3, minor)) is (Version(f"3.{minor}.0") in wanted)
