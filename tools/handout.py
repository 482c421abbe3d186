"""Write copies of the notebooks with packed solutions, for a workshop.

    python tools/handout.py [folder] [--clear]      (make handout)

Hints stay. A solution is packed so that nobody reads it by accident and "Run All" still works. The copies
have no links to Colab and Binder, which would open the notebook with its solutions. A copy in which
somebody has worked is left as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nbformat import NotebookNode

from course_utils.console import use_any_encoding
from course_utils.exercises import pack
from tools import notebook
from tools.build import Course
from tools.files import write
from tools.source import ROOT, role, solution_body

ABOUT = re.compile(
    r"<details[^>]*>\s*<summary>\s*(?:About the solution|Solution)[^<]*</summary>.*?</details>\s*", re.DOTALL
)


def packed(built: NotebookNode) -> int:
    """Pack the solutions of a notebook, in place. Returns how many there were."""
    count = 0
    for cell in built.cells:
        if cell.cell_type == "markdown":
            cell.source = ABOUT.sub("", cell.source)
        elif role(cell) == "solution":
            exercise, count = cell.metadata["exercise"], count + 1
            cell.source = (
                f"#@title Solution {exercise} · packed; runs only while yours does not pass\n"
                f'if not solved("{exercise}"):\n'
                f"    course_utils.exercises.unpack({pack(solution_body(cell.source))!r})"
            )
    built.cells = [cell for cell in built.cells if cell.source.strip()]
    return count


def clear(built: NotebookNode) -> None:
    """Drop outputs and execution counts."""
    for cell in built.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def seal(built: NotebookNode) -> str:
    """Hash of the sources, by which a copy that somebody has worked in is known."""
    text = "\0".join(cell.source for cell in built.cells)
    return hashlib.sha256(text.encode()).hexdigest()


def worked_in(path: Path) -> bool:
    """True for a file that is not as this tool wrote it."""
    there = notebook.read_ipynb(path)
    return path.exists() and (there is None or there.metadata.get("handout") != seal(there))


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    use_any_encoding()
    parser = argparse.ArgumentParser(
        prog="python tools/handout.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=root / "build" / "handout", help="default: build/handout"
    )
    parser.add_argument("--clear", action="store_true", help="leave out outputs too")
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    if folder.is_relative_to(root / "notebooks"):
        parser.error("choose a folder outside notebooks/: the copies have the notebooks' names")

    course = Course(root)
    errors = list(course.errors)
    for source in course.present:
        target = folder / source.ipynb.name
        built = notebook.read_ipynb(source.ipynb)
        if built is None or notebook.stale(source, course.fingerprint(source), built, course.slug):
            errors.append(f"{source.label} is not built from its source: run `make notebooks` first")
            continue
        if worked_in(target):
            errors.append(f"{target}: kept, because it holds somebody's work; move it away to get a new copy")
            continue
        recorded = notebook.recorded(built)
        copy = notebook.assemble(source, *recorded, course.plan, course.present, course.slug, badges=False)
        count = packed(copy)
        if options.clear:
            clear(copy)
        copy.metadata["handout"] = seal(copy)
        write(target, notebook.ipynb_text(copy))
        print(f"{target}: {count} solutions packed")
    if (figures := root / "notebooks" / "results").exists():  # notebooks show them beside their own
        shutil.copytree(figures, folder / "results", dirs_exist_ok=True)
    print(*errors, sep="\n", end="\n" if errors else "")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
