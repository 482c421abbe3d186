"""Resolve pyproject.toml into requirements.lock, and that into environment.yml (`make lock`).

The lock is universal (Python 3.11 to 3.13, every system, by markers), hashed, and names no
package index. Conda gets the same versions without hashes, because pip refuses `-e .` in one
call with hashed requirements and Binder needs `-e .` to install the course's own package.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("cpu", "lab", "dev")
# conda's pip also installs what its packages ask for, here the full TensorFlow beside tensorflow-cpu;
# without KerasHub the comparisons with it say that they were left out
NOT_FOR_CONDA = {"keras-hub", "tensorflow-text"}

CONDA_HEAD = """\
# Made from requirements.lock by `make lock`: don't edit. For conda and Binder.
name: large-models
channels: [conda-forge]
dependencies:
  - python=3.12
  - pip
  - pip:
"""


def dependency_hash(pyproject: str) -> str:
    """Hash of what the lock is made from: Python range, dependencies, locked extras."""
    project = tomllib.loads(pyproject)["project"]
    extras = {name: project["optional-dependencies"][name] for name in EXTRAS}
    content = json.dumps([project["requires-python"], project["dependencies"], extras])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def lock_head(pyproject: str) -> str:
    """The comment lines on top of requirements.lock."""
    return (
        "# Made from pyproject.toml by `make lock`: don't edit. Install with\n"
        "#   pip install --require-hashes --no-deps -r requirements.lock && pip install --no-deps -e .\n"
        f"# dependencies: {dependency_hash(pyproject)}\n"
    )


def conda_environment(lock: str) -> str:
    """environment.yml for the text of a lock: the same pins and markers, and the package itself."""
    pins = re.findall(r"^([\w.-]+==[^\s\\]+(?: ; [^\\\n]+?)?) *\\?$", lock, flags=re.MULTILINE)
    pins = [pin for pin in pins if pin.partition("==")[0] not in NOT_FOR_CONDA]
    lines = [f'      - "{pin}"' for pin in pins]
    return CONDA_HEAD + "\n".join(lines) + "\n      - -e .\n"


def locked_versions(lock: str) -> dict[str, list[str]]:
    """Package -> the versions in the lock, by Python or system; tensorflow stands for its CPU build too."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s\\;]+)", lock, flags=re.MULTILINE):
        found.setdefault(name.removesuffix("-cpu"), []).append(version)
    return found


def main() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf8")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "requirements.lock"
        command = [
            "uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes",
            "--no-emit-index-url", "--no-header", "--no-annotate", "--quiet",
            *(word for extra in EXTRAS for word in ("--extra", extra)),
            "pyproject.toml", "--output-file", str(output),
        ]  # fmt: skip
        done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT)
        if done.returncode != 0:
            sys.exit("uv could not resolve the dependencies; nothing was changed")
        lock = lock_head(pyproject) + output.read_text(encoding="utf8")
    (ROOT / "requirements.lock").write_text(lock, encoding="utf8")
    (ROOT / "environment.yml").write_text(conda_environment(lock), encoding="utf8")
    print("requirements.lock and environment.yml are up to date")


if __name__ == "__main__":
    main()
