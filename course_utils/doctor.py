"""Pre-flight check of a machine: `python -m course_utils doctor`.

Each check returns one line and a verdict; only a "fail" stops a learner. An instructor
collects the reports of a class with `--json FILE`.
"""

import contextlib
import importlib.metadata
import json
import platform
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from course_utils import data, devices, profile

PACKAGES = ("numpy", "matplotlib", "scikit-learn", "keras", "jupyterlab", "ipykernel")
OK, NOTE, FAIL = "ok", "note", "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the report. verdict: "ok", "note" (works, but worth knowing) or "fail"."""

    check: str
    verdict: str
    text: str


def python() -> Finding:
    version = platform.python_version()
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    remedy = "" if good else "; the course needs 3.11, 3.12 or 3.13"
    where = f"{platform.system()} {platform.machine()}"
    return Finding("Python", OK if good else FAIL, f"{version} on {where}{remedy}")


def packages() -> Finding:
    versions, missing = [], []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("packages", FAIL, f"missing: {', '.join(missing)}; run `make lab` again")
    return Finding("packages", OK, ", ".join(versions))


def kernel() -> Finding:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return Finding("kernel", FAIL, "no kernel named python3; run `python -m ipykernel install --sys-prefix`")
    # a bare name ("python") is replaced by the running interpreter when the kernel starts
    found = shutil.which(command) or command
    if Path(command).is_absolute() and Path(found).parent != Path(sys.executable).parent:
        return Finding("kernel", NOTE, f"python3 starts {command}, not this environment's {sys.executable}")
    return Finding("kernel", OK, "python3 runs in this environment")


def memory() -> Finding:
    import psutil

    total, free = (value / 1e9 for value in psutil.virtual_memory()[:2])
    text = f"{free:.1f} GB free of {total:.1f} GB"
    if free < 1.5:
        return Finding("memory", NOTE, f"{text}; a notebook takes up to 1.5 GB: close other programs")
    return Finding("memory", OK, text)


def disk() -> Finding:
    folder = data.cache_folder()
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(existing).free / 1e9
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return Finding("disk", NOTE, f"{existing} is not writable ({error.strerror}): downloads can't be kept")
    if free < 1:
        return Finding("disk", NOTE, f"{free:.1f} GB free; all the datasets take 0.4 GB")
    return Finding("disk", OK, f"{free:.0f} GB free")


def datasets() -> Finding:
    here = {name: data.status(name) for name in data.registry}
    missing = [name for name, where in here.items() if where == "not here"]
    text = ", ".join(f"{name}: {where}" for name, where in here.items())
    if missing:
        return Finding("data", NOTE, f"{text}; bundled stand-ins serve until `python -m course_utils data fetch`")
    return Finding("data", OK, text)


def port() -> Finding:
    with contextlib.closing(socket.socket()) as probe:
        try:
            probe.bind(("127.0.0.1", 8888))
        except OSError:
            return Finding("port", NOTE, "8888 is in use, perhaps by JupyterLab itself; a second one takes the next")
    return Finding("port", OK, "8888 is free for JupyterLab")


def hardware() -> Finding:
    devices.setup(quiet=True)
    return Finding("hardware", OK, devices.describe())


def training_step() -> Finding:
    import keras
    import numpy as np

    x, y = np.ones((32, 8), "float32"), np.zeros(32, "int64")
    model = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    start = time.perf_counter()
    before = float(model.evaluate(x, y, verbose=0))
    model.fit(x, y, epochs=3, verbose=0)
    after = float(model.evaluate(x, y, verbose=0))
    took = time.perf_counter() - start
    good = after < before
    return Finding("training", OK if good else FAIL, f"loss {before:.3f} -> {after:.3f} in {took:.1f} s")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python, packages, kernel, memory, disk, datasets, port, hardware, training_step,
)  # fmt: skip


def examine() -> list[Finding]:
    """Run every check; one that raises becomes a "fail" with its error."""
    findings = []
    for check in CHECKS:
        try:
            findings.append(check())
        except Exception as error:  # a broken installation can fail in any way; report it
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            findings.append(Finding(check.__name__.replace("_", " "), FAIL, text))
    return findings


def report(json_file: Path | None = None) -> bool:
    """Print the findings; True when none is a "fail".

    json_file: also write them there, for an instructor to collect.
    """
    marks = {OK: "✓", NOTE: "·", FAIL: "✗"}
    print(f"course check-up, profile {profile()}")
    findings = examine()
    for finding in findings:
        print(f"{marks[finding.verdict]} {finding.check:<9} {finding.text}")
    good = all(finding.verdict != FAIL for finding in findings)
    print("ready: open notebooks/00_start_here.ipynb" if good else "not ready: mend the lines marked ✗")
    if json_file:
        content = {"host": platform.node(), "ready": good, "findings": [asdict(f) for f in findings]}
        json_file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf8")
    return good
