"""Pre-flight check of a machine. Each check gives a verdict and one line; only a "fail" stops a learner."""

import json
import platform
import shutil
import socket
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from course_utils import data, devices, profile

OK, NOTE, FAIL = "ok", "note", "fail"  # a note works, but is worth knowing
MARKS = {OK: "✓", NOTE: "·", FAIL: "✗"}
Finding = tuple[str, str]  # verdict and text


def versions() -> Finding:
    names = ("numpy", "matplotlib", "scikit-learn", "keras", "ipykernel")
    try:
        found = ", ".join(f"{name} {version(name)}" for name in names)
    except PackageNotFoundError as error:
        return FAIL, f"{error.name} is missing; run `make lab` again"
    return OK, f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {found}"


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
    folder = data.cache_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        return NOTE, f"{existing} is not writable ({error.strerror}): downloads can't be kept"
    return (OK if free > 1 else NOTE), f"{free:.0f} GB free; all the datasets take 0.4 GB"


def datasets() -> Finding:
    found = {name: data.status(name) for name in data.registry}
    text = ", ".join(f"{name}: {where}" for name, where in found.items())
    if not all(where.endswith("verified") for where in found.values()):
        return NOTE, f"{text}; stand-ins serve until `python -m course_utils data fetch`"
    return OK, text


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


CHECKS = (versions, kernel, memory, disk, datasets, port, hardware, training)


def report(json_file: Path | None = None) -> bool:
    """Run and print every check; True when none is a "fail". A check that raises counts as one.
    json_file: also write the findings there, for an instructor to collect."""
    print(f"course check-up, profile {profile()}")
    findings = {}
    for check in CHECKS:
        try:
            verdict, text = check()
        except Exception as error:  # a broken installation can fail in any way; report it
            verdict, text = FAIL, f"{type(error).__name__}: {error}".splitlines()[0]
        findings[check.__name__] = {"verdict": verdict, "text": text}
        print(f"{MARKS[verdict]} {check.__name__:<9} {text}", flush=True)
    ready = all(finding["verdict"] != FAIL for finding in findings.values())
    print("ready: the course runs here" if ready else "not ready: mend the lines marked ✗")
    if json_file:
        content = {"host": platform.node(), "ready": ready, "findings": findings}
        json_file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf8")
    return ready
