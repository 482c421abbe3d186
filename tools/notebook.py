"""Notebooks as files: reading a source, deriving the .ipynb from it, telling whether it is fresh.

Nothing here executes anything: tools/build.py does, and the tests re-derive with these
functions and compare. A notebook is derived from its source, from what its run recorded,
and from which neighbors exist; never from file times.
"""

import base64
import contextlib
import copy
import hashlib
import io
import json
import os
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "main"
TABLE_BEGIN, TABLE_END = "<!-- course table: begin -->", "<!-- course table: end -->"
# what a run records in the notebook's metadata, beside what the source says
RUN_KEYS = (
    "source_sha256", "outputs_sha256", "profile", "data_source", "versions",
    "seconds", "peak_memory_mb", "executed",
)  # fmt: skip
HEADER = {"part": int, "minutes": int, "data": str, "covers": str, "prerequisites": list, "ledger": list}
PARTS = {
    1: "Part 1 · Background and core concepts",
    2: "Part 2 · Algorithms and their mathematics",
    3: "Part 3 · Projects in Keras",
    4: "Part 4 · Application scenarios",
    5: "Part 5 · Making large models practical",
    6: "Part 6 · From model to product",
    7: "Appendices",
}
# the kernel reports its exact version here, which would change every notebook at every upgrade
LANGUAGE = {
    "name": "python",
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "pygments_lexer": "ipython3",
}

# one code cell's execution count and outputs
Result = tuple[int | None, list[NotebookNode]]


class SourceError(Exception):
    """A notebook's source breaks the contract; the message names the file and the remedy."""


# --- the repository's address ---------------------------------------------------------


def repository(root: Path = ROOT) -> str:
    """owner/name, from the one place that says it: pyproject.toml, [project.urls] Repository."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf8"))["project"]
    return "/".join(project["urls"]["Repository"].rstrip("/").split("/")[-2:])


def readdress(text: str, old: str, new: str) -> tuple[str, int]:
    """Replace one repository's address by another's. Returns the text and the number of places.

    old, new: owner/name. A site's address, owner.github.io followed by /name, is replaced too.
    """
    total = 0
    for form in ("{}/{}", "{}.github.io/{}"):
        before, after = form.format(*old.split("/")), form.format(*new.split("/"))
        text, count = re.subn(rf"(?<![\w.-]){re.escape(before)}(?![\w-])", after, text)
        total += count
    return text, total


def _sha256(text: str, slug: str) -> str:
    """Hash that neither the repository's address nor the system's line ends change."""
    neutral, _ = readdress(text.replace("\r\n", "\n"), slug, "OWNER/NAME")
    return hashlib.sha256(neutral.encode()).hexdigest()


# --- sources --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Source:
    """One notebooks/py/NN_stem.py, read and checked."""

    path: Path
    title: str  # without its number
    header: Mapping[str, Any]  # part, minutes, data, covers, prerequisites, ledger
    cells: tuple[NotebookNode, ...]  # with stable ids, the title numbered; no bars
    sha256: str  # of the code: prose can change without a new run

    @property
    def number(self) -> str:
        return self.path.stem[:2]

    @property
    def label(self) -> str:
        return f"{self.number} · {self.title}"

    @property
    def ipynb(self) -> Path:
        return self.path.parent.parent / f"{self.path.stem}.ipynb"


def read_source(path: Path, slug: str) -> Source:
    """Read a source. Raises SourceError where its name, header or title is not as agreed."""
    where = f"notebooks/py/{path.name}"
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem):
        raise SourceError(f"{where}: a source is named NN_stem.py, in lower case")
    text = path.read_text(encoding="utf8")
    try:
        notebook = jupytext.reads(text, fmt="py:percent")
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
    if header["part"] not in PARTS:
        raise SourceError(f"{where}: `part` is one of {', '.join(map(str, PARTS))}")
    title = found[1].strip()
    cells[0].source = f"# {path.stem[:2]} · {first[2:]}"
    return Source(
        path=path,
        title=title,
        header={key: header[key] for key in HEADER},
        cells=tuple(_with_ids(cells, slug)),
        sha256=_sha256("\n".join(cell.source for cell in cells if cell.cell_type == "code"), slug),
    )


def read_sources(root: Path, slug: str) -> tuple[list[Source], list[str]]:
    """Every source of the course in its order, and what is wrong with those that can't be read."""
    sources, errors = [], []
    for path in sorted((root / "notebooks" / "py").glob("*.py")):
        try:
            sources.append(read_source(path, slug))
        except SourceError as error:
            errors.append(str(error))
    for number, count in Counter(source.number for source in sources).items():
        if count > 1:
            errors.append(f"{count} sources have the number {number}")
    return sources, errors


def _with_ids(cells: Sequence[NotebookNode], slug: str) -> list[NotebookNode]:
    """Fresh cells whose ids come from their content, so that editing one changes no other's."""
    seen: Counter[str] = Counter()
    made = []
    for cell in cells:
        source = cell.source.strip("\n").rstrip()
        digest = _sha256(f"{cell.cell_type}\n{source}", slug)[:8]
        seen[digest] += 1
        name = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        new = new_markdown_cell if cell.cell_type == "markdown" else new_code_cell
        tags = {"tags": list(cell.metadata.tags)} if cell.metadata.get("tags") else {}
        made.append(new(source, id=name, metadata=tags))
    return made


# --- what is derived from the headers: bars, badges, course table -----------------------


def _link(source: Source, text: str) -> str:
    return f"[{text}]({source.ipynb.name})"


def _neighbors(source: Source, present: Sequence[Source]) -> tuple[Source | None, Source | None]:
    before = [other for other in present if other.number < source.number]
    after = [other for other in present if other.number > source.number]
    return (before[-1] if before else None), (after[0] if after else None)


def badges(name: str, slug: str) -> str:
    """Links that open notebooks/<name> on Colab and Binder.

    In words: a badge's picture comes from the network, and without it the page looks broken.
    """
    colab = f"https://colab.research.google.com/github/{slug}/blob/{BRANCH}/notebooks/{name}"
    binder = f"https://mybinder.org/v2/gh/{slug}/{BRANCH}?labpath=notebooks/{name}"
    return f"[Open in Colab]({colab}) · [Launch Binder]({binder})"


def top_bar(
    source: Source, run: Mapping[str, Any], present: Sequence[Source], slug: str | None
) -> NotebookNode:
    """The first cell: previous and next, badges (none without a slug), and what the notebook costs."""
    before, after = _neighbors(source, present)
    row = [_link(before, f"← {before.label}")] if before else []
    row += [_link(after, f"{after.label} →")] if after else []
    row += [badges(source.ipynb.name, slug)] if slug else []
    facts = [
        f"{source.header['minutes']} minutes",
        f"{run['profile']} profile ran in {run['seconds']:.0f} s",
        f"{run['peak_memory_mb']:.0f} MB",
        f"data: {source.header['data']}",
    ]
    if source.header["prerequisites"]:
        by_stem = {other.path.stem: other for other in present}
        needed = [
            _link(by_stem[stem], by_stem[stem].label) if stem in by_stem else stem.replace("_", " ")
            for stem in source.header["prerequisites"]
        ]
        facts.append(f"prerequisites: {', '.join(needed)}")
    lines = [" · ".join(row), f"*{' · '.join(facts)}*"]
    return new_markdown_cell("\n\n".join(filter(None, lines)), id="course-top")


def bottom_bar(source: Source, present: Sequence[Source]) -> NotebookNode | None:
    """The last cell: where to go on. None for the only notebook."""
    before, after = _neighbors(source, present)
    row = [_link(before, f"← {before.label}")] if before else []
    row += [f"**Next:** {_link(after, after.label)}"] if after else []
    return new_markdown_cell(" · ".join(row), id="course-bottom") if row else None


def course_table(present: Sequence[Source]) -> str:
    """The README's table of notebooks by part, in Markdown."""
    rows = ["| | Notebook | What it covers | Minutes | Data |", "|---|---|---|---|---|"]
    for part, sources in groupby(present, key=lambda source: source.header["part"]):
        rows.append(f"| | **{PARTS[part]}** | | | |")
        for source in sources:
            link = f"[{source.title}](notebooks/{source.ipynb.name})"
            facts = (source.header[key] for key in ("covers", "minutes", "data"))
            cells = (str(cell).replace("|", "\\|") for cell in (source.number, link, *facts))
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def with_course_table(readme: str, present: Sequence[Source]) -> str | None:
    """The README's text with its table renewed; None where it lacks the two markers."""
    before, begin, rest = readme.partition(TABLE_BEGIN)
    _, end, after = rest.partition(TABLE_END)
    if not (begin and end):
        return None
    return f"{before}{begin}\n{course_table(present)}\n{end}{after}"


# --- the derived notebook ---------------------------------------------------------------


def assemble(
    source: Source,
    results: Sequence[Result],
    run: Mapping[str, Any],
    present: Sequence[Source],
    slug: str | None,
) -> NotebookNode:
    """The whole notebook: the source's cells, the run's results, bars and metadata.

    results: one per code cell, in order. run: RUN_KEYS. slug: None leaves out the badges.
    """
    cells = copy.deepcopy(list(source.cells))
    code = [cell for cell in cells if cell.cell_type == "code"]
    for cell, (count, outputs) in zip(code, results, strict=True):
        cell.execution_count, cell.outputs = count, list(outputs)
    cells.insert(0, top_bar(source, run, present, slug))
    if bottom := bottom_bar(source, present):
        cells.append(bottom)
    course = {
        **source.header,
        "number": source.number,
        "title": source.title,
        **{key: run[key] for key in RUN_KEYS},
    }
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(
        cells=cells, metadata={"course": course, "kernelspec": kernel, "language_info": LANGUAGE}
    )


def recorded(notebook: NotebookNode) -> tuple[list[Result], dict[str, Any]]:
    """A notebook's results and what its run recorded, as `assemble` takes them."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    course = notebook.metadata.get("course", {})
    return [(cell.execution_count, cell.outputs) for cell in code], {key: course.get(key) for key in RUN_KEYS}


def outputs_sha256(results: Sequence[Result], slug: str) -> str:
    return _sha256(json.dumps(results, sort_keys=True, ensure_ascii=False), slug)


def stale(source: Source, notebook: NotebookNode | None, slug: str) -> str:
    """Why a notebook must be executed again, in a few words; empty if its outputs still hold."""
    if notebook is None:
        return "not built yet"
    results, run = recorded(notebook)
    if run["source_sha256"] != source.sha256:
        return "its code changed"
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    if code != [cell.source for cell in source.cells if cell.cell_type == "code"]:
        return "a code cell of the .ipynb was edited; edit the source instead"
    if run["outputs_sha256"] != outputs_sha256(results, slug):
        return "its outputs are not those of the build"
    return ""


def read_ipynb(path: Path) -> NotebookNode | None:
    """A notebook, or None where there is none that can be read."""
    try:
        return nbformat.reads(path.read_text(encoding="utf8"), as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError, nbformat.ValidationError):
        return None


def ipynb_text(notebook: NotebookNode) -> str:
    """A notebook as its file's text. Raises nbformat.ValidationError for an invalid one."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf8", newline="\n")
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


# --- outputs ------------------------------------------------------------------------------


def sanitized(outputs: Sequence[NotebookNode], places: Mapping[str, str]) -> list[NotebookNode]:
    """Outputs without paths of the machine that made them, their figures as `smaller` makes them.

    places: path -> what stands in its stead, e.g. {"/home/me": "~"}.
    """

    def clean(value: Any) -> Any:
        if isinstance(value, list):
            return [clean(item) for item in value]
        if not isinstance(value, str):
            return value
        value = re.sub(r"[^\s\"'(]*ipykernel_\d+[/\\]\d+\.py", "[cell]", value)
        for place in sorted(places, key=len, reverse=True):
            value = re.sub(rf"(?<![\w.-]){re.escape(place)}(?![\w-])", places[place], value)
        return value

    cleaned = []
    for output in outputs:
        output = NotebookNode(output)
        if "text" in output:
            output.text = clean(output.text)
        if "data" in output:
            data = output.data.items()
            output.data = NotebookNode({k: clean(v) if k.startswith("text/") else v for k, v in data})
            if "image/png" in output.data:
                output.data["image/png"] = smaller(output.data["image/png"])
        cleaned.append(output)
    return cleaned


def smaller(png: str) -> str:
    """A figure in 256 colors, a third of the bytes, as far as that changes hardly a pixel; else as it was.

    png: base64. A photograph loses too much and is kept.
    """
    opened = Image.open(io.BytesIO(base64.b64decode(png)))
    if opened.mode not in ("RGB", "RGBA"):
        return png
    picture = opened.convert("RGB")
    drawn = picture.quantize(256, dither=Image.Dither.NONE)
    error = np.abs(np.asarray(picture, int) - np.asarray(drawn.convert("RGB"), int))
    packed = io.BytesIO()
    drawn.save(packed, "PNG", optimize=True)
    found = base64.b64encode(packed.getvalue()).decode()
    return found if np.quantile(error, 0.999) <= 16 and len(found) < len(png) else png
