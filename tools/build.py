"""Build the notebooks: notebooks/py/NN_stem.py -> notebooks/NN_stem.ipynb, executed.

Executes every notebook whose .ipynb is missing or does not belong to its source (hashes
decide, never file times), then renews what is derived from titles and headers: the bars on
top and bottom, the badges, the course table in README.md. A notebook that fails keeps its
old file; the others go on.
"""

import argparse
import contextlib
import copy
import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

# a virtual environment's own kernel, not one of the same name in the home directory
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from course_utils import devices
from tools import notebook
from tools.notebook import ROOT, Result, Source

GB_PER_NOTEBOOK = 2.5  # what a notebook may need beside the others
CELL_SECONDS = 1800  # in the standard profile: a cell that takes longer hangs
EPILOG = """\
examples:
  COURSE_DATA_DIR=~/data python tools/build.py     build what changed, on the real data in ~/data
  python tools/build.py --check                    only say what is out of date; exit code 1 if anything is
  python tools/build.py 06 13 --force              execute these two again
  python tools/build.py --full 13                  long run -> notebooks/results/13.json

environment: COURSE_DATA_DIR and COURSE_OFFLINE are handed to the notebooks. COURSE_PROFILE is
set here ("standard", with --full "full"), COURSE_STRICT=1 too: a claim that fails stops the build.
"""

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
    data = {}
    for value in list(globals().values()):
        fields = getattr(value, "__dict__", None)
        source = fields.get("source") if isinstance(fields, dict) else None
        if isinstance(source, str) and source in ("real", "bundled"):
            data[str(fields.get("name"))] = source
    results = globals().get("results")
    print(json.dumps({
        "profile": profile(),
        "versions": versions,
        "data": data,
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
        self.results = [(cell.execution_count, notebook.sanitized(cell.outputs, _places())) for cell in code]

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


def execute_all(runs: Sequence[Run], workers: int, finish: Any) -> list[str]:
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


def run_record(run: Run, slug: str) -> dict[str, Any]:
    """What a notebook's metadata says of its run (notebook.RUN_KEYS)."""
    sources = set(run.facts["data"].values())
    return {
        "source_sha256": run.source.sha256,
        "outputs_sha256": notebook.outputs_sha256(run.results, slug),
        "profile": run.facts["profile"],
        "data_source": "bundled" if "bundled" in sources else "real" if sources else "none",
        "versions": run.facts["versions"],
        "seconds": run.seconds,
        "peak_memory_mb": round(run.peak_mb),
        "executed": datetime.date.today().isoformat(),
    }


def full_record(run: Run) -> dict[str, Any]:
    """The content of notebooks/results/NN.json."""
    if run.facts["results"] is None:
        raise Failed("the notebook leaves no dict named `results`")
    return {
        "results": run.facts["results"],
        "profile": "full",
        "seconds": run.seconds,
        "peak_memory_mb": round(run.peak_mb),
        "machine": machine(run.facts["gpus"]),
        "versions": run.facts["versions"],
        "data": run.facts["data"],
        "command": f"make full NN={run.source.number}",
        "date": datetime.date.today().isoformat(),
    }


def machine(gpus: Sequence[str]) -> str:
    """This machine in a line: "2 × AMD EPYC 7B13, 24 GB, no GPU"."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf8"))
        name = found[1].strip() if found else name
    if sys.platform == "darwin":
        name = subprocess.check_output(["sysctl", "-n", "machdep.cpu.brand_string"], text=True)
    memory = psutil.virtual_memory().total / 1e9
    return f"{devices.cores()} × {name.strip()}, {memory:.0f} GB, {', '.join(gpus) or 'no GPU'}"


def refresh(root: Path, sources: Sequence[Source], slug: str, *, write: bool) -> tuple[list[str], list[str]]:
    """Renew bars, badges, prose and course table where outputs still hold; execute nothing.

    Returns the files that differed from their derivation (write=False only looks), and what
    only a person can mend.
    """
    built = {source: notebook.read_ipynb(source.ipynb) for source in sources}
    present = [source for source in sources if built[source] is not None]
    new_texts: dict[Path, str] = {}
    for source, old in built.items():
        if old is None or notebook.stale(source, old, slug):
            continue
        new = notebook.assemble(source, *notebook.recorded(old), present, slug)
        if new != old:
            new_texts[source.ipynb] = notebook.ipynb_text(new)
    problems = [
        f"notebooks/{path.name} has no source in notebooks/py"
        for path in sorted((root / "notebooks").glob("*.ipynb"))
        if not (path.parent / "py" / f"{path.stem}.py").exists()
    ]
    readme = root / "README.md"
    old_text = readme.read_text(encoding="utf8") if readme.exists() else ""
    new_text = notebook.with_course_table(old_text, present)
    if new_text is None:
        problems.append(
            f"README.md lacks the lines {notebook.TABLE_BEGIN} and {notebook.TABLE_END}: no course table"
        )
    elif new_text != old_text:
        new_texts[readme] = new_text
    if write:
        for path, text in new_texts.items():
            notebook.write(path, text)
    return [path.relative_to(root).as_posix() for path in new_texts], problems


def out_of_date(sources: Sequence[Source], slug: str) -> dict[Source, str]:
    """The notebooks to execute, each with the reason."""
    reasons = {}
    for source in sources:
        built = notebook.read_ipynb(source.ipynb)
        reason = notebook.stale(source, built, slug)
        if built and not reason and os.environ.get("COURSE_DATA_DIR"):
            _, run = notebook.recorded(built)
            reason = "it ran on bundled data" if run["data_source"] == "bundled" else ""
        if reason:
            reasons[source] = reason
    return reasons


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        prog="python tools/build.py",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("notebooks", nargs="*", metavar="NN", help="only these: 06, or 06_backpropagation")
    parser.add_argument("--force", action="store_true", help="execute them even if nothing changed")
    parser.add_argument(
        "--check", action="store_true", help="execute and write nothing: say what is out of date"
    )
    parser.add_argument(
        "--full", action="store_true", help="run NN in profile full and write notebooks/results/NN.json"
    )
    parser.add_argument(
        "--workers", type=int, help="notebooks side by side (default: as cores and memory allow)"
    )
    options = parser.parse_args(arguments)

    slug = notebook.repository(root)
    sources, errors = notebook.read_sources(root, slug)
    wanted = {name.partition("_")[0].zfill(2) for name in options.notebooks}
    if unknown := wanted - {source.number for source in sources}:
        parser.error(f"no readable notebooks/py source has the number {', '.join(sorted(unknown))}")
    if options.full and not wanted:
        parser.error("--full needs the numbers of the notebooks: it can take hours")
    chosen = [source for source in sources if not wanted or source.number in wanted]

    if options.check:
        complaints = [f"{s.label}: {reason}" for s, reason in out_of_date(chosen, slug).items()]
        differing, problems = refresh(root, sources, slug, write=False)
        complaints += [
            f"{name}: bars, prose or table are not what sources and headers give" for name in differing
        ]
        complaints += errors + problems
        print("\n".join(complaints) or f"{len(chosen)} notebooks are up to date")
        return 1 if complaints else 0

    for error in errors:
        print(error)
    if options.full or options.force:
        todo = chosen
    else:
        reasons = out_of_date(chosen, slug)
        for source, reason in reasons.items():
            print(f"{source.label}: {reason}")
        todo = list(reasons)
    runs = [Run(source, "full" if options.full else "standard") for source in todo]

    def finish(run: Run) -> None:
        if options.full:
            text = json.dumps(full_record(run), indent=1, ensure_ascii=False) + "\n"
            notebook.write(root / "notebooks" / "results" / f"{run.source.number}.json", text)
            return
        present = [source for source in sources if source.ipynb.exists() or source == run.source]
        built = notebook.assemble(run.source, run.results, run_record(run, slug), present, slug)
        notebook.write(run.source.ipynb, notebook.ipynb_text(built))

    failures = []
    if runs:
        room = psutil.virtual_memory().available / 1e9 // GB_PER_NOTEBOOK
        workers = options.workers or max(1, min(devices.cores(), int(room), len(runs)))
        print(f"executing {len(runs)} notebooks, {workers} at a time")
        failures = execute_all(runs, workers, finish)
    if not options.full:
        renewed, problems = refresh(root, sources, slug, write=True)
        if renewed:
            print(f"bars, prose or table renewed: {', '.join(renewed)}")
        print(*problems, sep="\n", end="\n" if problems else "")
        for run in runs:
            if "bundled" in run.facts.get("data", {}).values():
                print(f"{run.source.label} ran on bundled data: set COURSE_DATA_DIR, then build again")
    fresh = len(chosen) - len(runs)
    print(f"{len(runs) - len(failures)} built, {fresh} were up to date, {len(failures)} failed")
    return 1 if failures or errors else 0


if __name__ == "__main__":
    sys.exit(main())
