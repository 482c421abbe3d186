"""A notebook's source, notebooks/py/NN_stem.py, and the plan of the course, notebooks/course.toml.

Reading only: what a cell is for, which exercises there are, where the deeper sections lie.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

ROOT = Path(__file__).resolve().parent.parent
HEADER = {"datasets": list, "covers": str, "prerequisites": list, "ledger": list}
# what a code cell is for; without one of these tags it is an idea: the code that is being taught
ROLES = ("setup", "plumbing", "figure", "evidence", "exercise", "check", "solution")
FOLDED = ("plumbing", "figure", "evidence", "solution")
EXERCISE = re.compile(r"^### Exercise (\S+) · (.+?)(?: \((\d+) min\))?$", re.MULTILINE)
DEEPER = "◇"  # at the end of a section's heading
NAME = re.compile(r"(\d\d[a-z]?)_([a-z0-9_]+)")  # 06_backpropagation; 06b_… where one sitting can't hold it


class SourceError(Exception):
    """A notebook's source breaks the contract; the message names the file and the remedy."""


@dataclass(frozen=True)
class Plan:
    """The course in its order, written or not."""

    parts: Mapping[str, Sequence[str]]  # title -> NN_stem of its notebooks

    @property
    def names(self) -> list[str]:
        return [name for part in self.parts.values() for name in part]

    @property
    def by_stem(self) -> dict[str, str]:
        """backpropagation -> 06_backpropagation"""
        return {name.partition("_")[2]: name for name in self.names}

    def part_of(self, name: str) -> str:
        return next(title for title, names in self.parts.items() if name in names)


def read_plan(root: Path = ROOT) -> Plan:
    content = tomllib.loads((root / "notebooks" / "course.toml").read_text(encoding="utf8"))
    return Plan({part["title"]: part["notebooks"] for part in content["part"]})


@dataclass
class Exercise:
    """One exercise: its id, the minutes in its heading, the sources of its three code cells."""

    id: str
    minutes: int
    stub: str
    check: str
    solution: str  # as it stands in the cell, indented below `if not solved(…):`

    @property
    def answer(self) -> str:
        """The solution as a reader would have written it: without the line that asks whether it is needed."""
        return solution_body(self.solution)


@dataclass(frozen=True, eq=False)
class Source:
    """One notebooks/py/NN_stem.py, read and checked."""

    path: Path
    title: str  # without its number
    header: Mapping[str, Any]  # HEADER
    cells: tuple[NotebookNode, ...]  # with stable ids, the title numbered; links and set-up as written
    exercises: tuple[Exercise, ...] = ()
    problems: tuple[str, ...] = field(default=())  # with its exercises

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def number(self) -> str:
        return number_of(self.name)

    @property
    def label(self) -> str:
        return f"{self.number} · {self.title}"

    @property
    def ipynb(self) -> Path:
        return self.path.parent.parent / f"{self.name}.ipynb"

    @property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "code"]


def number_of(name: str) -> str:
    """06_backpropagation -> "06"."""
    return name.partition("_")[0]


def role(cell: NotebookNode) -> str:
    """What a code cell is for: one of ROLES, or "idea"."""
    tags = cell.metadata.get("tags", [])
    return next((name for name in ROLES if name in tags), "idea")


def sections(cells: Sequence[NotebookNode]) -> Iterator[tuple[str, list[NotebookNode]]]:
    """The heading of each section (`## …`; "" for what comes before the first) and its cells."""
    heading = ""
    inside: list[NotebookNode] = []
    for cell in cells:
        found = re.match(r"## (.+)", cell.source) if cell.cell_type == "markdown" else None
        if found:
            yield heading, inside
            heading, inside = found[1].strip(), []
        inside.append(cell)
    yield heading, inside


def is_deeper(heading: str) -> bool:
    return heading.endswith(DEEPER)


def solution_body(source: str) -> str:
    """What a solution cell defines: the lines below `if not solved("…"):`, dedented."""
    _, found, body = source.partition("):\n")
    return re.sub(r"^    ", "", body, flags=re.MULTILINE) if found else ""


def read_source(path: Path) -> Source:
    """Read a source. Raises SourceError where its name, header or title is not as agreed."""
    where = f"notebooks/py/{path.name}"
    if not NAME.fullmatch(path.stem):
        raise SourceError(f"{where}: a source is named NN_stem.py, in lower case")
    try:
        notebook = jupytext.reads(path.read_text(encoding="utf8"), fmt="py:percent")
    except Exception as error:  # jupytext passes on whatever its YAML parser raises
        raise SourceError(f"{where}: jupytext can't read it: {error}") from error
    header = notebook.metadata.get("course", {})
    for key, kind in HEADER.items():
        if not isinstance(header.get(key), kind):
            raise SourceError(f"{where}: the header needs `{key}` under `course:`, of type {kind.__name__}")
    cells = [cell for cell in notebook.cells if cell.source.strip()]
    first = cells[0].source.strip() if cells and cells[0].cell_type == "markdown" else ""
    found = re.match(r"# (?!\d)(\S.*)", first)
    if not found:
        raise SourceError(
            f"{where}: the first cell must be markdown and begin with `# Title`, without a number"
        )
    cells[0].source = f"# {number_of(path.stem)} · {first[2:]}"
    exercises, problems = _exercises(cells)
    title = found[1].strip()
    made = tuple(_with_ids(_deeper_headings_apart(cells)))
    return Source(path, title, {key: header[key] for key in HEADER}, made, tuple(exercises), tuple(problems))


def read_sources(root: Path = ROOT) -> tuple[list[Source], list[str]]:
    """Every source of the course in its order, and what is wrong with those that can't be read."""
    sources, errors = [], []
    for path in sorted((root / "notebooks" / "py").glob("*.py")):
        try:
            sources.append(read_source(path))
        except SourceError as error:
            errors.append(str(error))
    return sources, errors


def _exercises(cells: Sequence[NotebookNode]) -> tuple[list[Exercise], list[str]]:
    """The exercises, and what is wrong with them. Marks their cells with the exercise's id."""
    exercises, problems = [], []
    heading, minutes = "", 0
    code = [cell for cell in cells if cell.cell_type == "code"]
    for cell in cells:
        if cell.cell_type == "markdown":
            for number, _, stated in EXERCISE.findall(cell.source):
                heading, minutes = number, int(stated or 0)
            continue
        if role(cell) != "exercise":
            continue
        at = next(i for i, other in enumerate(code) if other is cell)
        three = code[at : at + 3]
        if [role(other) for other in three] != ["exercise", "check", "solution"]:
            problems.append(f"exercise {heading}: a check and a solution cell follow the stub")
            continue
        for other in three:
            other.metadata["exercise"] = heading
        exercises.append(Exercise(heading, minutes, *(other.source for other in three)))
    return exercises, problems


def _deeper_headings_apart(cells: Sequence[NotebookNode]) -> Iterator[NotebookNode]:
    """A deeper section's heading in a cell of its own: what shares its cell would not be folded away."""
    for cell in cells:
        heading, _, rest = cell.source.partition("\n")
        if cell.cell_type == "markdown" and heading.startswith("## ") and is_deeper(heading.strip()):
            yield new_markdown_cell(heading.strip())
            if rest.strip():
                yield new_markdown_cell(rest.strip("\n"))
        else:
            yield cell


def _with_ids(cells: Iterator[NotebookNode]) -> Iterator[NotebookNode]:
    """Fresh cells whose ids come from their content, so that editing one changes no other's."""
    seen: dict[str, int] = {}
    for cell in cells:
        source = cell.source.strip("\n").rstrip()
        metadata = {key: cell.metadata[key] for key in ("tags", "exercise", "lesson") if key in cell.metadata}
        if "exercise" in metadata:
            digest = f"{role(cell)}-{re.sub('[^0-9a-zA-Z]', '-', metadata['exercise'])}"
        else:
            digest = hashlib.sha256(f"{cell.cell_type}\n{source}".encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        name = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        new = new_markdown_cell if cell.cell_type == "markdown" else new_code_cell
        yield new(source, id=name, metadata=metadata)
