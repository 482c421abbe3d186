"""Write copies of the notebooks without solutions, for a workshop.

    python tools/handout.py [folder] [--clear]      (make handout)

Hints stay. The copies' badges are dropped, because Colab and Binder would open the notebook
with its solutions.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nbformat import NotebookNode

from tools import notebook
from tools.notebook import ROOT

SOLUTION = re.compile(r"<details[^>]*>\s*<summary>\s*Solution[^<]*</summary>.*?</details>\s*", re.DOTALL)


def without_solutions(built: NotebookNode) -> tuple[NotebookNode, int]:
    """A notebook's cells without solutions, and how many were removed. Changes `built`."""
    removed = 0
    for cell in built.cells:
        if cell.cell_type == "markdown":
            cell.source, count = SOLUTION.subn("", cell.source)
            removed += count
    built.cells = [cell for cell in built.cells if cell.source.strip()]
    return built, removed


def clear(built: NotebookNode) -> None:
    """Drop outputs and execution counts."""
    for cell in built.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
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

    folder.mkdir(parents=True, exist_ok=True)
    slug = notebook.repository(root)
    sources, errors = notebook.read_sources(root, slug)
    present = [source for source in sources if source.ipynb.exists()]
    for source in present:
        built = notebook.read_ipynb(source.ipynb)
        if built is None or notebook.stale(source, built, slug):
            errors.append(f"{source.label} is not built from its source: run `make notebooks` first")
            continue
        results, run = notebook.recorded(built)
        built = notebook.assemble(source, results, run, present, slug=None)
        copy, removed = without_solutions(built)
        if options.clear:
            clear(copy)
        notebook.write(folder / source.ipynb.name, notebook.ipynb_text(copy))
        print(f"{folder / source.ipynb.name}: {removed} solutions removed")
    if (figures := root / "notebooks" / "results").exists():  # notebooks show them beside their own
        shutil.copytree(figures, folder / "results", dirs_exist_ok=True)
    print(*errors, sep="\n", end="\n" if errors else "")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
