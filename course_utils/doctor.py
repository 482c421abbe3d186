"""Pre-flight check of a machine. Each check gives a verdict and one line; only a "fail" stops a learner.

It needs nothing but the standard library, and no new Python: who asks it is often who has nothing else yet.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import re
import shutil
import socket
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Tuple  # noqa: UP035 - Python 3.8 must read this

from course_utils import devices, profile
from course_utils.console import use_any_encoding

OLDEST, NEWEST = (3, 11), (3, 13)  # as in pyproject.toml
# the one place for these sizes; README.md repeats them, and a test compares
DOWNLOAD_GB, INSTALLED_GB = 0.5, 2.3
FREE_GB = 3.0  # what must be free before installing: both, and pip's own copies
# parts of Python that its builder can leave out, and without which the course doesn't start
PYTHON_PARTS = ("ctypes", "sqlite3", "ssl")
BESIDE_THE_BASE = ("keras", "tensorflow", "ipykernel")  # imported by notebooks; extras in pyproject.toml

OK, NOTE, FAIL = "ok", "note", "fail"  # a note works, but is worth knowing
MARKS = {OK: "✓", NOTE: "·", FAIL: "✗"}
Finding = Tuple[str, str]  # noqa: UP006 - verdict and text; evaluated, so in the way of Python 3.8
COURSE = Path(__file__).resolve().parents[1]  # of a checkout: the repository


class Need(NamedTuple):
    """A package of which `import course_utils` and its submodules need at least the version `floor`."""

    name: str
    floor: str
    found: str | None  # the installed version

    @property
    def met(self) -> bool:
        return self.found is not None and _numbers(self.found) >= _numbers(self.floor)

    def __str__(self) -> str:
        if self.found is None:
            return f"{self.name} is missing, the course needs {self.floor} or later"
        return f"{self.name} {self.found} is here, the course needs {self.floor} or later"


def requirements() -> list[str]:
    """One sentence for each package that is missing or too old for the course; empty if all is well."""
    return [str(need) for need in _needs() if not need.met]


def say_requirements() -> None:
    """Print `requirements()` and how to go on; nothing when all is well. It never installs anything."""
    unmet = [need for need in _needs() if not need.met]
    if not unmet:
        return
    wanted = " ".join(f'"{need.name}>={need.floor}"' for need in unmet)
    print(
        *("This Python lacks what the course needs:", *unmet),
        "Nothing was changed. Give the course an environment of its own: `make lab` in its folder, or\n"
        "`python tools/setup_env.py` on Windows. Or install into this one, if nothing else depends on it,\n"
        f"and restart the kernel:\n  {_command()} -m pip install {wanted}",
        sep="\n",
    )


def _needs() -> Iterator[Need]:
    for line in _base_requirements():
        name, *floor = re.findall(r"^[\w.-]+|(?<=>=)[\w.]+", line)
        try:
            found = version(name)
        except PackageNotFoundError:
            found = None
        yield Need(name, floor[0] if floor else "0", found)


def _base_requirements() -> list[str]:
    """Lines such as "numpy>=2.0": a checkout's from pyproject.toml, else those of the installed package."""
    if (COURSE / "pyproject.toml").exists():
        import tomllib

        with open(COURSE / "pyproject.toml", "rb") as file:
            return tomllib.load(file)["project"]["dependencies"]
    try:
        return [line for line in requires("large-models-course") or [] if "extra ==" not in line]
    except PackageNotFoundError:  # a copy of the folder alone
        return []


def _numbers(text: str) -> list[int]:
    """A version's numbers without the zeros at its end: "2.0.0rc1" -> [2]."""
    release = re.match(r"\d+(?:\.\d+)*", text)
    numbers = [int(part) for part in release[0].split(".")] if release else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers


def missing_python_parts() -> list[str]:
    """Which of PYTHON_PARTS this Python can't import."""
    missing = []
    for name in PYTHON_PARTS:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    return missing


def _command() -> str:
    return f'"{sys.executable}"' if " " in sys.executable else sys.executable


# --- the checks -----------------------------------------------------------------------------------


def python() -> Finding:
    here = ".".join(map(str, sys.version_info[:2]))
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        which = " to ".join(".".join(map(str, limit)) for limit in (OLDEST, NEWEST))
        return FAIL, f"this is Python {here}; the course needs {which}: install one, from python.org say"
    if missing := missing_python_parts():
        parts = ", ".join(missing)
        return FAIL, f"{sys.executable} was built without {parts}: take Python from python.org, uv or conda"
    return OK, f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"


def settings() -> Finding:
    text = f"profile {profile()}"
    if os.environ.get("COURSE_OFFLINE", "") not in ("", "0"):
        text += ", COURSE_OFFLINE: nothing is fetched"
    return OK, text


def packages() -> Finding:
    needs = list(_needs())
    missing = [need.name for need in needs if need.found is None]
    missing += [name for name in BESIDE_THE_BASE if find_spec(name) is None]
    faults = [str(need) for need in needs if need.found and not need.met]
    if missing:
        faults.append(f"{', '.join(missing)} missing")
    if faults:
        return FAIL, f"{'; '.join(faults)}; {_remedy()}"
    named = ("numpy", "matplotlib", "scikit-learn", "keras")
    return OK, ", ".join(f"{name} {version(name)}" for name in named)


def _remedy() -> str:
    inside = Path(*(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
    if (COURSE / ".venv" / ".ready").exists() and Path(sys.prefix) != COURSE / ".venv":
        return f"the course is installed, for another Python: {Path('.venv') / inside} -m course_utils doctor"
    return f"`make lab` installs all into .venv ({FREE_GB:.0f} GB; Windows: py tools/setup_env.py)"


def jupyterlab() -> Finding:
    if "ipykernel" in sys.modules:
        return OK, "a notebook is running this"
    importlib.import_module("jupyterlab.labapp")  # all that `python -m jupyterlab` imports to start
    return OK, f"JupyterLab {version('jupyterlab')} can start"


def kernel() -> Finding:
    from jupyter_client.kernelspec import KernelSpecManager

    command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    # a bare name ("python") is replaced by the running interpreter when the kernel starts
    if Path(command).is_absolute() and Path(command).parent != Path(sys.executable).parent:
        return NOTE, f"python3 starts {command}, not this environment's {sys.executable}"
    return OK, "python3 runs in this environment"


def memory() -> Finding:
    import psutil

    total, free = (value / 1e9 for value in psutil.virtual_memory()[:2])
    remedy = "" if free > 1.5 else "; a notebook takes up to 1.5 GB: close other programs"
    return (NOTE if remedy else OK), f"{free:.1f} GB free of {total:.1f} GB{remedy}"


def disk() -> Finding:
    try:
        from course_utils import data
    except ImportError:  # without the packages there are no data either: these come first
        folder, needed, what = COURSE, FREE_GB, "installing takes"
    else:
        folder, needed, what = data.cache_folder(), data.disk_mb(data.usual()) / 1e3, "all the data sets take"
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        return NOTE, f"{existing} is not writable ({error.strerror}): downloads can't be kept"
    return (OK if free > needed else NOTE), f"{free:.0f} GB free; {what} {needed:.1f} GB"


def datasets() -> Finding:
    """By their files' sizes, which takes no time; `data verify` reads every byte."""
    from course_utils import data

    wanted = data.usual()
    absent = [name for name in wanted if not data.is_here(name)]
    text = f"{len(wanted) - len(absent)} of {len(wanted)} are here"
    if mistake := data.data_dir_mistake():
        return NOTE, f"{text}; {mistake}"
    if not absent:
        return OK, text
    names = ", ".join(absent[:4]) + (" ..." if len(absent) > 4 else "")
    fetch = f"`python -m course_utils data fetch` ({data.download_mb(absent) / 1e3:.1f} GB)"
    return NOTE, f"{text}; stand-ins serve for {names} until {fetch}"


def port() -> Finding:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8888)) == 0:
            return NOTE, "8888 is in use, perhaps by JupyterLab itself; a second one takes the next"
    return OK, "8888 is free for JupyterLab"


def hardware() -> Finding:
    devices.setup(quiet=True)
    return OK, devices.describe()


def training() -> Finding:
    import keras
    import numpy as np

    x, y = np.ones((32, 8), "float32"), np.zeros(32, "int64")
    model = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    start = time.perf_counter()
    first, *_, last = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    text = f"loss {first:.3f} -> {last:.3f} in {time.perf_counter() - start:.1f} s"
    return (OK if last < first else FAIL), text


Check = Callable[[], Finding]
CHECKS: tuple[Check, ...] = (
    python, settings, packages, jupyterlab, kernel, memory, disk, datasets, port, hardware, training,
)  # fmt: skip


def report(json_file: Path | None = None) -> bool:
    """Run and print every check; True when none is a "fail". A check that raises counts as one.

    json_file: also write the findings there, for an instructor to collect; its folder is made where there is
    none. Where it can't be written, that is said before anything is checked, and the result is False.
    """
    use_any_encoding()
    print("course check-up")
    findings: dict[str, dict[str, str]] = {}
    try:
        for check in CHECKS:
            name = check.__name__
            # written before the check runs: a TensorFlow that kills the process leaves its trace
            findings[name] = {"verdict": FAIL, "text": "did not finish"}
            _save(json_file, findings)
            verdict, text = _finding(check, findings)
            findings[name] = {"verdict": verdict, "text": text}
            print(f"{MARKS[verdict]} {name:<10} {text}", flush=True)
            if check is python and verdict == FAIL:
                break  # nothing else can be judged with it
        ready = _save(json_file, findings)
    except OSError as error:
        print(f"{MARKS[FAIL]} the report can't be written: {error}. Name another file after --json.")
        return False
    print("ready: the course runs here" if ready else f"not ready: mend the lines marked {MARKS[FAIL]}")
    return ready


def _finding(check: Check, before: dict[str, dict[str, str]]) -> Finding:
    try:
        return check()
    except Exception as error:  # a broken installation can fail in any way; report it
        if isinstance(error, ImportError) and before.get("packages", {}).get("verdict") == FAIL:
            return NOTE, "not looked at, because packages are missing"
        return FAIL, f"{type(error).__name__}: {error}".splitlines()[0]


def _save(json_file: Path | None, findings: dict[str, dict[str, str]]) -> bool:
    """Write the report so far, if one is wanted; returns whether all is well. Raises OSError."""
    ready = all(finding["verdict"] != FAIL for finding in findings.values())
    if json_file:
        content = {"host": platform.node(), "ready": ready, "findings": findings}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        # a name that is no valid text, which Python keeps as half a character, is still written as JSON
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        json_file.write_text(text, encoding="utf8", errors="backslashreplace")
    return ready
