"""The rules of the house for what a run left in a notebook: outputs, time, memory, figures, claims."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from nbformat import NotebookNode

from tools.notebook import ipynb_text
from tools.rules import MACHINE

PRINTED, BYTES, FIGURES, ALT = 15_000, 1_500_000, 2, 15
SECONDS, MEMORY_MB = 240, 1500
MORE_MEMORY_MB = {"17": 2000}  # a dozen writers, each a compiled program of 40 to 75 MB

RULES: list[Callable[[NotebookNode], list[str]]] = []


def rule(function: Callable[[NotebookNode], list[str]]) -> Callable[[NotebookNode], list[str]]:
    RULES.append(function)
    return function


def code(built: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in built.cells if cell.cell_type == "code"]


def outputs(built: NotebookNode) -> list[NotebookNode]:
    return [output for cell in code(built) for output in cell.outputs]


def printed(built: NotebookNode) -> str:
    texts = [o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs(built)]
    return "\n".join(texts)


@rule
def ran_from_top_to_bottom(built: NotebookNode) -> list[str]:
    counts = [cell.execution_count for cell in code(built)]
    problems = [] if counts == list(range(1, len(counts) + 1)) else [f"execution counts are {counts}"]
    problems += [] if outputs(built) else ["no outputs"]
    return problems + [f"an error: {o.ename}" for o in outputs(built) if o.output_type == "error"]


@rule
def ran_standard_on_real_data(built: NotebookNode) -> list[str]:
    course = built.metadata.course
    problems = [] if course.profile == "standard" else [f"profile {course.profile}"]
    return problems + (
        ["bundled data: build with COURSE_DATA_DIR"] if course.data_source == "bundled" else []
    )


@rule
def fits_a_small_machine(built: NotebookNode) -> list[str]:
    course = built.metadata.course
    problems = [f"{course.seconds} s"] if course.seconds > SECONDS else []
    most = MORE_MEMORY_MB.get(course.number, MEMORY_MB)
    return problems + ([f"{course.peak_memory_mb} MB"] if course.peak_memory_mb > most else [])


@rule
def outputs_name_no_machine(built: NotebookNode) -> list[str]:
    texts = (json.dumps(output) for output in outputs(built))
    return [f"a path of some machine: {found[0]}" for text in texts for found in MACHINE.finditer(text)]


@rule
def has_figures(built: NotebookNode) -> list[str]:
    figures = sum("image/png" in output.get("data", {}) for output in outputs(built))
    return [] if figures >= FIGURES else [f"{figures} figures"]


@rule
def figures_can_be_heard(built: NotebookNode) -> list[str]:
    """Each figure has an alternative text for those who don't see it."""
    problems = []
    for cell in code(built):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                alt = output.metadata.get("image/png", {}).get("alt", "")
                if len(alt) < ALT:
                    problems.append(f"a figure of {cell.source.partition(chr(10))[0]!r} has the text {alt!r}")
    return problems


@rule
def prints_little(built: NotebookNode) -> list[str]:
    size = len(printed(built))
    return [f"{size} characters printed"] if size > PRINTED else []


@rule
def file_is_small(built: NotebookNode) -> list[str]:
    size = len(ipynb_text(built).encode())
    return [f"{size / 1e6:.1f} MB"] if size > BYTES else []


@rule
def claims_hold(built: NotebookNode) -> list[str]:
    problems = [line for line in printed(built).splitlines() if line.endswith(": FAILS")]
    said = len(re.findall(r"^[✓·] .+ \(promised [≥≤] ", printed(built), re.MULTILINE))
    asked = any(re.search(r"^\s*claim\(", cell.source, re.MULTILINE) for cell in code(built))
    return problems + (["claim() is called and nothing is printed"] if asked and not said else [])
