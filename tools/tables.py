"""What is derived from titles, headers and the plan: links, bars above and below, course tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from course_utils import data
from tools import minutes
from tools.source import Plan, Source, SourceError, number_of

BRANCH = "main"
MARKERS = ("<!-- course table: begin -->", "<!-- course table: end -->")
REFERENCE = re.compile(r"\[\[([a-z0-9_]+)\]\]")


def with_links(prose: str, plan: Plan, present: Sequence[Source], where: str = "") -> str:
    """[[backpropagation]] -> [06](06_backpropagation.ipynb), or "06" while it is not written.
    Raises SourceError for a stem that is not on the plan."""
    written = {source.name for source in present}

    def link(found: re.Match[str]) -> str:
        name = plan.by_stem.get(found[1])
        if name is None:
            raise SourceError(f"{where}: [[{found[1]}]] is no notebook of notebooks/course.toml")
        number = number_of(name)
        return f"[{number}]({name}.ipynb)" if name in written else number

    return REFERENCE.sub(link, prose)


def badges(name: str, slug: str) -> str:
    """Links that open notebooks/<name> on Colab and Binder.

    In words: a badge's picture comes from the network, and without it the page looks broken.
    """
    colab = f"https://colab.research.google.com/github/{slug}/blob/{BRANCH}/notebooks/{name}"
    binder = f"https://mybinder.org/v2/gh/{slug}/{BRANCH}?labpath=notebooks/{name}"
    return f"[Open in Colab]({colab}) · [Launch Binder]({binder})"


def times(source: Source) -> str:
    """core 50 min · all 130 min"""
    core, whole = minutes.core(source).minutes, minutes.whole(source).minutes
    return f"core {core} min · all {whole} min" if whole > core else f"{whole} min"


def top_bar(
    source: Source, run: Mapping[str, Any], plan: Plan, present: Sequence[Source], slug: str | None
) -> NotebookNode:
    """The first cell: previous and next, badges (none without a slug), and what the notebook costs."""
    before, after = _neighbors(source, present)
    row = [_link(before, f"← {before.label}")] if before else []
    row += [_link(after, f"{after.label} →")] if after else []
    row += [badges(source.ipynb.name, slug)] if slug else []
    facts = [
        times(source),
        f"{run['profile']} profile ran in {run['seconds']:.0f} s",
        f"{run['peak_memory_mb']:.0f} MB",
        f"data: {data.describe(source.header['datasets'])}",
    ]
    if source.header["prerequisites"]:
        needed = with_links(
            ", ".join(f"[[{stem}]]" for stem in source.header["prerequisites"]), plan, present, source.name
        )
        facts.append(f"prerequisites: {needed}")
    lines = [" · ".join(row), f"*{' · '.join(facts)}*"]
    return new_markdown_cell("\n\n".join(filter(None, lines)), id="course-top")


def bottom_bar(source: Source, present: Sequence[Source]) -> NotebookNode | None:
    """The last cell: where to go on. None for the only notebook."""
    before, after = _neighbors(source, present)
    row = [_link(before, f"← {before.label}")] if before else []
    row += [f"**Next:** {_link(after, after.label)}"] if after else []
    return new_markdown_cell(" · ".join(row), id="course-bottom") if row else None


def course_table(plan: Plan, present: Sequence[Source]) -> str:
    """notebooks/README.md's table: every notebook by part, with links beside it."""
    rows = ["| | Notebook | What it covers | Core | All | Data |", "|---|---|---|---|---|---|"]
    for title, part in _by_part(plan, present):
        rows.append(f"| | **{title}** | | | | |")
        for source in part:
            core, whole = minutes.core(source).minutes, minutes.whole(source).minutes
            facts = (
                source.number, _link(source, source.title), source.header["covers"], f"{core} min",
                f"{whole} min", data.describe(source.header["datasets"]),
            )  # fmt: skip
            rows.append(f"| {' | '.join(map(_cell, facts))} |")
    return "\n".join(rows)


def part_table(plan: Plan, present: Sequence[Source]) -> str:
    """The README's table: a row for each part of which a notebook is written."""
    rows = ["| Part | Notebooks | Core path | All |", "|---|---|---|---|"]
    for title, part in _by_part(plan, present):
        links = " · ".join(_cell(f"[{source.label}](notebooks/{source.ipynb.name})") for source in part)
        core, whole = (sum(of(source).minutes for source in part) for of in (minutes.core, minutes.whole))
        rows.append(f"| **{title}** | {links} | {_hours(core)} | {_hours(whole)} |")
    return "\n".join(rows)


def with_table(text: str, table: str) -> str | None:
    """A README's text with what stands between its markers renewed; None where it lacks them."""
    before, begin, rest = text.partition(MARKERS[0])
    _, end, after = rest.partition(MARKERS[1])
    return f"{before}{begin}\n{table}\n{end}{after}" if begin and end else None


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _hours(minutes: int) -> str:
    return f"{minutes / 60:.0f} h" if minutes >= 90 else f"{minutes} min"


def _by_part(plan: Plan, present: Sequence[Source]) -> list[tuple[str, list[Source]]]:
    parts = [(title, [s for s in present if s.name in names]) for title, names in plan.parts.items()]
    return [(title, part) for title, part in parts if part]


def _link(source: Source, text: str) -> str:
    return f"[{text}]({source.ipynb.name})"


def _neighbors(source: Source, present: Sequence[Source]) -> tuple[Source | None, Source | None]:
    before = [other for other in present if other.number < source.number]
    after = [other for other in present if other.number > source.number]
    return (before[-1] if before else None), (after[0] if after else None)
