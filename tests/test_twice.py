"""Every notebook as readers run it: each cell twice in a row, and the whole notebook twice in one kernel.

Slow truths: `make test-slow`.
"""

import copy
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tools.source import ROOT, read_source

os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
# "(solved)": an exercise solved before the reader's eyes, first wrongly, as in notebook 00
BROKEN = re.compile(r"^✗(?!.*\(solved\))|: FAILS$")
SOURCES = sorted((ROOT / "notebooks" / "py").glob("*.py"))


def each_twice(cells: Sequence[NotebookNode]) -> list[NotebookNode]:
    return [cell for cell in cells for _ in range(2)]


def all_twice(cells: Sequence[NotebookNode]) -> list[NotebookNode]:
    return [*cells, *cells]


def faults(cells: Sequence[NotebookNode], folder: Path = ROOT / "notebooks") -> list[str]:
    """Run copies of the cells in one kernel; returns the error that stopped it and the promises broken."""
    copies = [copy.deepcopy(cell) for cell in cells]
    for number, cell in enumerate(copies):
        cell.id = f"run-{number}"
    client = NotebookClient(
        new_notebook(cells=copies), kernel_name="python3", timeout=600,
        resources={"metadata": {"path": str(folder)}}, coalesce_streams=True,
    )  # fmt: skip
    found = []
    try:
        client.execute()
    except CellExecutionError as error:
        found.append(str(error)[-3000:])
    printed = "\n".join(output.get("text", "") for cell in copies for output in cell.get("outputs", []))
    return found + [line for line in printed.splitlines() if BROKEN.search(line)]


@pytest.mark.slow
@pytest.mark.parametrize("order", [each_twice, all_twice], ids=lambda order: order.__name__)
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_runs_again(
    path: Path, order: Callable[[Sequence[NotebookNode]], list[NotebookNode]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MPLBACKEND", raising=False)
    assert faults(order(read_source(path).code)) == []


def test_what_does_not_run_again_is_found(tmp_path: Path) -> None:
    def cells(*sources: str) -> list[NotebookNode]:
        return [new_code_cell(source) for source in sources]

    popping = cells("left = [1]", "left.pop()")
    assert "IndexError" in faults(each_twice(popping), tmp_path)[0]
    assert faults(all_twice(popping), tmp_path) == []
    rebound = cells("size = globals().get('size', 3)", "size + 1", "size = 'x'")
    assert faults(each_twice(rebound), tmp_path) == []
    assert "TypeError" in faults(all_twice(rebound), tmp_path)[0]
    training = cells("from course_utils import claim\nloss = 0", "loss += 1\nclaim('loss', loss, at_most=1)")
    assert "AssertionError" in faults(each_twice(training), tmp_path)[0]
