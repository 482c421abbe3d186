"""Command line of the companion package.

`python -m course_utils doctor` checks this machine; `python -m course_utils data list` shows which data are
here, `… data fetch 13` brings what notebook 13 needs, `… data verify` compares every byte with what was
published.
"""

# The doctor must run where nothing is installed, with any Python from 3.8 on: no newer syntax here, and
# `data`, which needs NumPy, is imported by the command that needs it.
from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from course_utils.console import use_any_encoding


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 1 if the course can't run, or data are missing."""
    use_any_encoding()
    parser = argparse.ArgumentParser(
        prog="python -m course_utils",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    doctor_parser = commands.add_parser("doctor", help="check this machine")
    doctor_parser.add_argument("--json", type=Path, metavar="FILE", help="also write the report to FILE")
    data_parser = commands.add_parser("data", help="list, fetch or verify the real data sets")
    data_parser.add_argument("action", choices=["list", "fetch", "verify"])
    data_parser.add_argument(
        "name",
        nargs="*",
        help="data sets, or numbers of notebooks; default: all but gpt2, orl_faces and weibo_ner",
    )
    options = parser.parse_args(arguments)
    if options.command == "doctor":
        from course_utils import doctor

        return 0 if doctor.report(options.json) else 1
    try:
        from course_utils import data
    except (ImportError, TypeError) as error:  # the latter: a Python too old for the annotations
        print(
            f"This Python ({sys.executable}) lacks what data need ({error}). Run the command with the Python "
            "of the course's environment, such as .venv/bin/python, which `make lab` creates."
        )
        return 1
    try:
        usual = list(data.registry) if options.action == "list" else data.usual()
        names = _names(options.name) if options.name else usual
    except ValueError as error:
        parser.error(str(error))
    if not names:
        print("no data sets are used there")
    failed = [name for name in names if not _act(options.action, name)]
    if len(names) > 1:
        print(f"{'':<14} {data.download_mb(names):6.1f} MB  in all, {data.disk_mb(names):.1f} MB on the disk")
    mistake = data.data_dir_mistake()
    if mistake:
        print(mistake)
    return int(options.action != "list" and bool(failed or mistake))


def _act(action: str, name: str) -> bool:
    """Fetch a data set if that is the action, print where it is, tell whether it is there intact."""
    from course_utils import data

    try:
        if action == "fetch" and not data.registry[name].inside:
            data.fetch(name)
        status = data.status(name, hashed=action != "list")
    except data.DataError as error:
        status = f"not here: {error}"
    size = "" if data.registry[name].inside else f"{data.download_mb([name]):.1f} MB"
    print(f"{name:<14} {size:>9}  {status}", flush=True)
    return not status.startswith(("not here", "damaged"))


def _names(given: list[str]) -> list[str]:
    """The data sets that these names and numbers of notebooks stand for, each once, in the order given.
    Raises ValueError, with what there is, for a name or number that stands for nothing."""
    from course_utils import data

    names: list[str] = []
    for word in given:
        names += _of_notebook(word) if re.fullmatch(r"\d\d?[a-z]?", word) else [word]
    unknown = [name for name in names if name not in data.registry]
    if unknown:
        raise ValueError(f"no data set is named {', '.join(unknown)}; there are {', '.join(data.registry)}")
    return list(dict.fromkeys(names))


def _of_notebook(number: str) -> list[str]:
    """The data sets that a notebook names in its metadata, which the build writes."""
    from course_utils import data

    root = data.checkout()
    if not root:
        raise ValueError(f"this installation has no notebooks: name the data sets instead of {number}")
    padded = number if number[1:2].isdigit() else f"0{number}"
    found = sorted((root / "notebooks").glob(f"{padded}_*.ipynb"))
    if not found:
        names = (path.name for path in (root / "notebooks").glob("[0-9][0-9]*_*.ipynb"))
        there = sorted(name.partition("_")[0] for name in names)
        raise ValueError(f"there is no notebook {number}; there are {', '.join(there)}")
    try:
        return json.loads(found[0].read_text("utf8"))["metadata"]["course"]["datasets"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{found[0].name} does not say which data sets it uses: name them instead of its number"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
