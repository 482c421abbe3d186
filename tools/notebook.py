"""The derived notebook, notebooks/NN_stem.ipynb: from its source, what its run recorded, and its neighbors.

Nothing here executes anything: tools/run.py does, and the tests derive again and compare.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from tools import tables
from tools.fingerprint import differences, normalized
from tools.source import FOLDED, ROOT, Plan, Source, is_deeper, role

# what a run records in the notebook's metadata, beside what the source says
RUN_KEYS = (
    "fingerprint", "outputs_sha256", "profile", "data_source", "versions",
    "seconds", "peak_memory_mb", "executed",
)  # fmt: skip
# the kernel reports its exact version here, which would change every notebook at every upgrade
LANGUAGE = {
    "name": "python",
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "pygments_lexer": "ipython3",
}
# What the build puts in front of a notebook's own imports. Nothing that is installed is moved: only the
# package itself is added, and what is missing or too old for it is said.
SETUP = """\
try:
    import course_utils
except ModuleNotFoundError:  # Colab, Kaggle: adds the companion package and changes nothing else
    get_ipython().run_line_magic("pip", "install -q --no-deps git+https://github.com/{slug}")
    import course_utils.doctor

    course_utils.doctor.say_requirements()

"""
NEUTRAL = "OWNER/NAME"

# one code cell's execution count and outputs
Result = tuple[int | None, list[NotebookNode]]


# --- the repository's address ---------------------------------------------------------------


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


# --- putting it together --------------------------------------------------------------------


def assemble(
    source: Source,
    results: Sequence[Result],
    run: Mapping[str, Any],
    plan: Plan,
    present: Sequence[Source],
    slug: str,
    *,
    badges: bool = True,
) -> NotebookNode:
    """The whole notebook: the source's cells, the run's results, folding, links, bars and metadata.

    results: one per code cell, in order. run: RUN_KEYS. slug: owner/name.
    """
    cells = [derived(cell, source, plan, present, slug) for cell in source.cells]
    code = [cell for cell in cells if cell.cell_type == "code"]
    for cell, (count, outputs) in zip(code, results, strict=True):
        cell.execution_count, cell.outputs = count, copy.deepcopy(list(outputs))
    _describe_figures(cells)
    cells.insert(0, tables.top_bar(source, run, plan, present, slug if badges else None))
    if bottom := tables.bottom_bar(source, present):
        cells.append(bottom)
    course = {
        **source.header,
        "number": source.number,
        "title": source.title,
        "part": plan.part_of(source.name),
        **{key: run[key] for key in RUN_KEYS},
    }
    folded = [cell.id for cell in cells if cell.metadata.get("jp-MarkdownHeadingCollapsed")]
    metadata = {
        "course": course,
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": LANGUAGE,
        "colab": {"collapsed_sections": folded, "toc_visible": True},
    }
    return new_notebook(cells=cells, metadata=metadata)


def derived(
    cell: NotebookNode, source: Source, plan: Plan, present: Sequence[Source], slug: str
) -> NotebookNode:
    """One cell as a reader gets it: linked, folded by its role, the set-up cell completed."""
    cell = copy.deepcopy(cell)
    if cell.cell_type == "markdown":
        cell.source = tables.with_links(cell.source, plan, present, source.name)
        heading = cell.source.partition("\n")[0]
        if heading.startswith("## ") and is_deeper(heading):
            cell.metadata["jp-MarkdownHeadingCollapsed"] = True
        return cell
    if role(cell) == "setup":
        cell.source = SETUP.format(slug=slug) + cell.source
    if role(cell) in FOLDED:
        cell.metadata["jupyter"] = {"source_hidden": True}  # JupyterLab shows the first line, the caption
        cell.metadata["cellView"] = "form"  # Colab shows the #@title
        cell.metadata["tags"] = [*cell.metadata.tags, "hide-input"]  # myst-nb
    cell.metadata.pop("lesson", None)
    return cell


def _describe_figures(cells: Sequence[NotebookNode]) -> None:
    """Alternative text for each figure: its title, and for a cell's last one the sentence that follows."""
    for i, cell in enumerate(cells):
        outputs = cell.get("outputs", [])
        pictures = [output for output in outputs if "image/png" in output.get("data", {})]
        after = cells[i + 1] if i + 1 < len(cells) else None
        sentence = first_sentence(after.source) if after is not None and after.cell_type == "markdown" else ""
        for number, output in enumerate(pictures, 1):
            title = output.metadata.get("title") or caption(cell.source)
            told = sentence if number == len(pictures) else ""
            alt = " ".join(filter(None, [title if title[-1:] in ".?!" or not title else f"{title}.", told]))
            if alt:
                png = output.metadata.get("image/png", {})
                output.metadata["image/png"] = {**png, "alt": alt}


def caption(code: str) -> str:
    """The text after #@title Figure: of a folded cell; empty without."""
    found = re.match(r"#@title (?:Figure: )?(.+)", code)
    return found[1] if found else ""


def first_sentence(prose: str) -> str:
    """The first sentence of Markdown as plain text; empty where a heading, table or list comes first."""
    text = prose.strip()
    if re.match(r"[#|<\-]|\d+\. |\$\$", text):
        return ""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text.partition("\n\n")[0])
    text = re.sub(r"(?<!\\)[*`]|\$", "", text).replace("\n", " ")
    found = re.match(r".+?[.!?:](?= [^a-z]|$)", text)
    return (found[0] if found else text)[:400]


# --- a built notebook and whether it is fresh -------------------------------------------------


def recorded(notebook: NotebookNode) -> tuple[list[Result], dict[str, Any]]:
    """A notebook's results and what its run recorded, as `assemble` takes them."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    course = notebook.metadata.get("course", {})
    results = [(cell.execution_count, [_undescribed(output) for output in cell.outputs]) for cell in code]
    return results, {key: course.get(key) for key in RUN_KEYS}


def _undescribed(output: NotebookNode) -> NotebookNode:
    """An output without the alternative text, which is derived."""
    output = copy.deepcopy(output)
    for png in (output.get("metadata", {}).get("image/png", {}),):
        png.pop("alt", None)
    if output.get("metadata", {}).get("image/png") == {}:
        output.metadata.pop("image/png")
    return output


def outputs_sha256(results: Sequence[Result], slug: str) -> str:
    text = json.dumps([(n, [_undescribed(o) for o in outputs]) for n, outputs in results],
                      sort_keys=True, ensure_ascii=False)  # fmt: skip
    neutral, _ = readdress(text, slug, NEUTRAL)
    return hashlib.sha256(neutral.encode()).hexdigest()


def stale(source: Source, fingerprint: Mapping[str, str], notebook: NotebookNode | None, slug: str) -> str:
    """Why a notebook must be executed again, in a few words; empty if its outputs still hold."""
    if notebook is None:
        return "not built yet"
    results, run = recorded(notebook)
    changed = differences(run["fingerprint"] or {}, dict(fingerprint))
    if "code" in changed:
        return "its code changed"
    if changed:
        return f"changed: {', '.join(changed[:5])}{' …' if len(changed) > 5 else ''}"
    setup = SETUP.format(slug=slug)
    code = [cell.source.removeprefix(setup) for cell in notebook.cells if cell.cell_type == "code"]
    if not _same_code(code, [cell.source for cell in source.code]):
        return "a code cell of the .ipynb was edited; edit the source instead"
    if run["outputs_sha256"] != outputs_sha256(results, slug):
        return "its outputs are not those of the build"
    return ""


def _same_code(built: Sequence[str], code: Sequence[str]) -> bool:
    try:
        return [normalized(text) for text in built] == [normalized(text) for text in code]
    except SyntaxError:
        return False


# --- files ------------------------------------------------------------------------------------


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
