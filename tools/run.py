"""Executing notebooks: one kernel each, side by side, with progress, and what each used."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

# a virtual environment's own kernel, not one of the same name in the home directory
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"

import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tools.notebook import Result
from tools.outputs import sanitized
from tools.source import ROOT, Source

CELL_SECONDS = 1800  # in the standard profile: a cell that takes longer hangs
# Runs in the notebook's own kernel after its last cell and is not kept.
PROBE = """
def _probe():
    import json, platform, sys
    from importlib.metadata import PackageNotFoundError, version
    from course_utils import devices, profile

    versions = {"python": platform.python_version()}
    for name in ("numpy", "matplotlib", "tensorflow", "keras", "scikit-learn"):
        for distribution in (name, f"{name}-cpu"):
            try:
                versions[name] = version(distribution)
                break
            except PackageNotFoundError:
                pass
    files = sys.modules.get("course_utils.data.files")
    results = globals().get("results")
    print(json.dumps({
        "profile": profile(),
        "versions": versions,
        "data": dict(files.used) if files else {},
        "gpus": devices.gpu_names() if "tensorflow" in sys.modules else [],
        "results": results if isinstance(results, dict) and profile() == "full" else None,
    }, default=lambda value: value.tolist() if hasattr(value, "tolist") else str(value)))
_probe()
"""


class Failed(Exception):
    """A notebook did not run to its end; the message says where and why."""


class Run:
    """One notebook, executed in a kernel of its own."""

    def __init__(self, source: Source, profile: str) -> None:
        self.source, self.profile = source, profile
        self.started = 0.0  # time.monotonic()
        self.seconds = 0.0
        self.peak_mb = 0.0
        self.cell = 0
        self.client: NotebookClient | None = None
        self.results: list[Result] = []
        self.facts: dict[str, Any] = {}

    def execute(self) -> None:
        """Run every cell; afterwards `results`, `facts` and `seconds` are set. Raises Failed."""
        cells = copy.deepcopy(list(self.source.cells))
        code = [cell for cell in cells if cell.cell_type == "code"]
        probe = new_code_cell(PROBE)
        environment = {**os.environ, "COURSE_PROFILE": self.profile, "COURSE_STRICT": "1"}
        environment.pop("MPLBACKEND", None)  # it would keep the figures out of the notebook
        client = NotebookClient(
            new_notebook(cells=[*cells, probe]),
            kernel_name="python3",
            timeout=CELL_SECONDS if self.profile == "standard" else None,
            resources={"metadata": {"path": str(self.source.ipynb.parent)}},
            record_timing=False,
            coalesce_streams=True,
            store_widget_state=False,
            on_cell_execute=self._at_cell,
        )
        self.client = client
        self.started = time.monotonic()
        with tempfile.TemporaryFile() as log:  # what a kernel says outside of any cell
            try:
                client.execute(env=environment, stderr=log)
            except CellExecutionError as error:
                raise Failed(self._report(cells, _traceback(cells) or str(error))) from error
            except CellTimeoutError as error:
                raise Failed(self._report(cells, f"the cell took longer than {CELL_SECONDS} s")) from error
            except DeadKernelError as error:
                log.seek(0)
                last = log.read()[-2000:].decode(errors="replace")
                raise Failed(self._report(cells, f"the kernel died; did memory run out?\n{last}")) from error
        self.seconds = round(time.monotonic() - self.started, 1)
        self.facts = json.loads(probe.outputs[0].text.splitlines()[-1])
        self.results = [(cell.execution_count, sanitized(cell.outputs, _places())) for cell in code]

    def _at_cell(self, cell: NotebookNode, cell_index: int) -> None:
        self.cell = cell_index

    def _report(self, cells: Sequence[NotebookNode], reason: str) -> str:
        number = min(self.cell, len(cells) - 1)
        source = "\n".join(f"  | {line}" for line in cells[number].source.splitlines())
        return f"notebooks/py/{self.source.path.name}, cell {number + 1}:\n{source}\n{reason}"

    @property
    def _pid(self) -> int | None:
        manager = getattr(self.client, "km", None)
        return getattr(getattr(manager, "provisioner", None), "pid", None)

    def sample_memory(self) -> None:
        """Note how much memory the kernel and its children hold now."""
        with contextlib.suppress(psutil.Error):
            if self._pid:
                kernel = psutil.Process(self._pid)
                family = [kernel, *kernel.children(recursive=True)]
                self.peak_mb = max(self.peak_mb, sum(member.memory_info().rss for member in family) / 1e6)

    def kill(self) -> None:
        with contextlib.suppress(psutil.Error):
            if self._pid:
                psutil.Process(self._pid).kill()

    def __str__(self) -> str:
        cells = len(self.source.cells)
        elapsed = time.monotonic() - self.started
        cell = f"{self.source.number} cell {min(self.cell + 1, cells)}/{cells}"
        return f"{cell}, {elapsed:.0f} s, {self.peak_mb:.0f} MB"


def execute_all(runs: Sequence[Run], workers: int, finish: Callable[[Run], None]) -> list[str]:
    """Execute side by side, showing progress. finish(run) takes each that succeeded.

    Returns the reports of those that failed.
    """
    terminal = sys.stdout.isatty()
    failures: list[str] = []
    announced: set[int] = set()

    def say(line: str) -> None:
        print(("\r\x1b[K" if terminal else "") + line, flush=True)

    with ThreadPoolExecutor(workers) as pool:
        futures = {pool.submit(run.execute): run for run in runs}
        pending = set(futures)
        try:
            while pending:
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                active = [run for future, run in futures.items() if future in pending and run.started]
                for run in [*active, *(futures[future] for future in done)]:
                    if id(run) not in announced:
                        announced.add(id(run))
                        say(f"{run.source.label}: started")
                for run in active:
                    run.sample_memory()
                for future in done:
                    run = futures[future]
                    try:
                        future.result()
                        finish(run)
                        say(f"{run.source.label}: {run.seconds:.0f} s, {run.peak_mb:.0f} MB")
                    except Exception as error:  # whatever one notebook does, the others go on
                        kind = "" if isinstance(error, Failed) else f"{type(error).__name__}: "
                        failures.append(f"{run.source.label} FAILED\n{kind}{error}")
                        say(f"\n{failures[-1]}\n")
                if terminal and active:
                    line = " | ".join(map(str, active))
                    print("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1], end="", flush=True)
        except KeyboardInterrupt:
            for run in runs:
                run.kill()
            say("stopped; unfinished notebooks keep their old files")
            os._exit(130)  # with the kernels gone, waiting for their threads only prints errors
    return failures


def _traceback(cells: Sequence[NotebookNode]) -> str:
    """Traceback of the first error among the outputs, without its colors."""
    errors = [o for cell in cells for o in cell.get("outputs", []) if o.output_type == "error"]
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(errors[0].traceback)) if errors else ""


def _places() -> dict[str, str]:
    """Paths of this machine that may turn up in outputs, and what to write instead."""
    places = {
        str(ROOT): ".",
        sys.prefix: "[environment]",
        str(Path.home()): "~",
        tempfile.gettempdir(): "[temporary]",
    }
    if folder := os.environ.get("COURSE_DATA_DIR"):
        places |= {folder.rstrip("/\\"): "[data]", str(Path(folder).expanduser().resolve()): "[data]"}
    return {path: name for path, name in places.items() if len(path) > 3}
