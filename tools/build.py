"""Build the notebooks: notebooks/py/NN_stem.py -> notebooks/NN_stem.ipynb, executed.

First the rules of the house are applied (tools/rules.py), and course_utils/lessons is written from
the cells that notebooks keep. Then every notebook whose .ipynb is missing or not fresh is executed:
its fingerprint decides (code, package functions, data, results), never file times. At last all that is
derived without running is renewed: prose, links, folding, bars, times, course tables. A notebook
that fails keeps its old file; the others go on.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil

from course_utils import devices
from course_utils.data import is_here
from tools import files, lessons, notebook, rules, tables
from tools.fingerprint import Package, fingerprint
from tools.lock import locked_versions
from tools.run import Failed, Run, execute_all
from tools.source import ROOT, Plan, Source, SourceError, read_plan, read_sources

GB_PER_NOTEBOOK = 2.5  # what a notebook may need beside the others
EPILOG = """\
examples:
  COURSE_DATA_DIR=~/data python tools/build.py     build what changed, on the real data in ~/data
  python tools/build.py --check                    only say what is out of date; exit code 1 if anything is
  python tools/build.py 06 13 --force              execute these two again
  python tools/build.py 06 --profile quick         a quick look, written to build/quick/
  python tools/build.py --full 13                  long run -> notebooks/results/13.json

environment: COURSE_DATA_DIR and COURSE_OFFLINE are handed to the notebooks. COURSE_PROFILE is
set here, COURSE_STRICT=1 too: a claim that fails stops the build.
"""


class Course:
    """What a build works on: sources, plan, address and package of one checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.plan: Plan = read_plan(root)
        self.slug = notebook.repository(root)
        self.sources, self.errors = read_sources(root)
        own = root / "course_utils"  # a made-up course of the tests has none
        lock = root / "requirements.lock"
        self.locked = locked_versions(lock.read_text(encoding="utf8")) if lock.exists() else {}
        self.package = Package(own if (own / "__init__.py").exists() else ROOT / "course_utils")
        self._fingerprints: dict[str, dict[str, str]] = {}  # half a second each, asked for several times

    @property
    def present(self) -> list[Source]:
        return [source for source in self.sources if source.ipynb.exists()]

    def fingerprint(self, source: Source) -> dict[str, str]:
        if source.name not in self._fingerprints:
            self._fingerprints[source.name] = fingerprint(source, self.package, self.root)
        return self._fingerprints[source.name]

    def stale(self, source: Source) -> str:
        """Why this notebook must be executed again; empty if it is fresh."""
        built = notebook.read_ipynb(source.ipynb)
        reason = notebook.stale(source, self.fingerprint(source), built, self.slug)
        if built and not reason:
            _, run = notebook.recorded(built)
            if os.environ.get("COURSE_DATA_DIR") and run["data_source"] == "bundled":
                return "it ran on bundled data"
            for name, version in run["versions"].items():
                if version not in self.locked.get(name, {version}):
                    return f"it ran with {name} {version}, the lock has {', '.join(self.locked[name])}"
        return reason

    def refresh(self, *, write: bool) -> tuple[list[str], list[str]]:
        """Renew all that is derived without executing.

        Returns the files that differed from their derivation (write=False only looks), and what
        only a person can mend.
        """
        texts: dict[Path, str] = {}
        present = self.present
        for source in present:
            old = notebook.read_ipynb(source.ipynb)
            if old is None or notebook.stale(source, self.fingerprint(source), old, self.slug):
                continue
            new = notebook.assemble(source, *notebook.recorded(old), self.plan, present, self.slug)
            if new != old:
                texts[source.ipynb] = notebook.ipynb_text(new)
        problems = [
            f"notebooks/{path.name} has no source in notebooks/py"
            for path in sorted((self.root / "notebooks").glob("*.ipynb"))
            if not (path.parent / "py" / f"{path.stem}.py").exists()
        ]
        for path, table in (
            (self.root / "README.md", tables.part_table),
            (self.root / "notebooks" / "README.md", tables.course_table),
        ):
            old_text = path.read_text(encoding="utf8") if path.exists() else ""
            new_text = tables.with_table(old_text, table(self.plan, present))
            if new_text is None:
                lines = " and ".join(tables.MARKERS)
                problems.append(f"{path.relative_to(self.root).as_posix()} lacks {lines}: no course table")
            elif new_text != old_text:
                texts[path] = new_text
        if write:
            for path, text in texts.items():
                files.write(path, text)
        return [path.relative_to(self.root).as_posix() for path in texts], problems

    def lessons(self, *, write: bool) -> list[str]:
        """Renew course_utils/lessons; returns the files that differ. Raises SourceError."""
        texts = lessons.render(self.sources, self.root)
        folder = self.root / lessons.FOLDER
        gone = {path for path in folder.glob("*.py")} - set(texts)
        changed = [
            path for path, text in texts.items()
            if not path.exists() or path.read_text(encoding="utf8") != text
        ]  # fmt: skip
        if write:
            for path in changed:
                files.write(path, texts[path])
            for path in gone:
                path.unlink()
            self.package = Package(self.package.folder)  # read again
            self._fingerprints.clear()
        return sorted(path.relative_to(self.root).as_posix() for path in {*changed, *gone})


def run_record(run: Run, course: Course) -> dict[str, Any]:
    """What a notebook's metadata says of its run (notebook.RUN_KEYS)."""
    return {
        "fingerprint": course.fingerprint(run.source),
        "outputs_sha256": notebook.outputs_sha256(run.results, course.slug),
        "profile": run.facts["profile"],
        # what is inside an installed library never comes through a stand-in
        "data_source": "bundled" if "bundled" in run.facts["data"].values() else "real",
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


def padded(number: str) -> str:
    """6b -> 06b"""
    return number if number[1:2].isdigit() else f"0{number}"


def check(course: Course, chosen: Sequence[Source]) -> list[str]:
    """Everything that is out of date or against the rules, a line each."""
    complaints = [f"{s.label}: {reason}" for s in chosen if (reason := course.stale(s))]
    differing, problems = course.refresh(write=False)
    complaints += [f"{name}: not what sources and headers give" for name in differing]
    complaints += [f"{name}: not what the kept cells give" for name in course.lessons(write=False)]
    return complaints + problems


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        prog="python tools/build.py",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("notebooks", nargs="*", metavar="NN", help="only these: 06, or 06_backpropagation")
    add("--force", action="store_true", help="execute them even if nothing changed")
    add("--check", action="store_true", help="execute and write nothing: say what is out of date")
    add("--full", action="store_true", help="run NN in profile full and write notebooks/results/NN.json")
    add("--profile", choices=["quick", "standard"], default="standard", help="quick: into build/quick/")
    add("--workers", type=int, help="notebooks side by side (default: as cores and memory allow)")
    options = parser.parse_args(arguments)

    course = Course(root)
    wanted = {padded(name.partition("_")[0]) for name in options.notebooks}
    if unknown := wanted - {source.number for source in course.sources}:
        parser.error(f"no readable notebooks/py source has the number {', '.join(sorted(unknown))}")
    if options.full and not wanted:
        parser.error("--full needs the numbers of the notebooks: it can take hours")
    chosen = [source for source in course.sources if not wanted or source.number in wanted]
    if options.full:  # hours on a stand-in would be for nothing
        absent = {name for source in chosen for name in source.header["datasets"] if not is_here(name)}
        if absent:
            names = " ".join(sorted(absent))
            parser.error(f"--full wants real data: python -m course_utils data fetch {names}")

    try:
        broken = course.errors + rules.violations(chosen, course.plan)
        if options.check:
            complaints = broken + check(course, chosen)
            print("\n".join(complaints) or f"{len(chosen)} notebooks are up to date")
            return 1 if complaints else 0
        if renewed := course.lessons(write=True):
            print(f"lessons renewed: {', '.join(renewed)}")
    except SourceError as error:
        print(error)
        return 1
    print(*broken, sep="\n", end="\n" if broken else "")
    quick = options.profile == "quick"
    todo = chosen if options.full or options.force or quick else []
    for source in [] if todo else chosen:
        if reason := course.stale(source):
            print(f"{source.label}: {reason}")
            todo.append(source)
    runs = [Run(source, "full" if options.full else options.profile) for source in todo]

    def finish(run: Run) -> None:
        if options.full:
            text = json.dumps(full_record(run), indent=1, ensure_ascii=False) + "\n"
            files.write(root / "notebooks" / "results" / f"{run.source.number}.json", text)
            return
        present = [source for source in course.sources if source.ipynb.exists() or source == run.source]
        record = run_record(run, course)
        built = notebook.assemble(run.source, run.results, record, course.plan, present, course.slug)
        target = root / "build" / "quick" / run.source.ipynb.name if quick else run.source.ipynb
        files.write(target, notebook.ipynb_text(built))
        if record["data_source"] == "bundled" and not quick:
            print(f"{run.source.label} ran on bundled data: set COURSE_DATA_DIR, then build again")

    failures = []
    if runs:
        room = psutil.virtual_memory().available / 1e9 // GB_PER_NOTEBOOK
        workers = options.workers or max(1, min(devices.cores(), int(room), len(runs)))
        print(f"executing {len(runs)} notebooks, {workers} at a time")
        failures = execute_all(runs, workers, finish)
    if not (options.full or quick):
        renewed, problems = course.refresh(write=True)
        if renewed:
            print(f"prose, bars or tables renewed: {', '.join(renewed)}")
        print(*problems, sep="\n", end="\n" if problems else "")
    fresh, failed = len(chosen) - len(runs), len(failures)
    print(f"{len(runs) - failed} built, {fresh} were up to date, {failed} failed")
    return 1 if failures or broken else 0


if __name__ == "__main__":
    sys.exit(main())
