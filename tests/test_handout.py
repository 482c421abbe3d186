"""Copies for a workshop: solutions packed, "Run All" works, nobody's work is overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
import toy_course
from nbclient import NotebookClient
from nbformat import NotebookNode

from tools import build, handout


@pytest.fixture(scope="module")
def built_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = toy_course.make(tmp_path_factory.mktemp("toy") / "course")
    assert build.main([], root) == 0
    return root


@pytest.fixture
def course(built_course: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built_course, tmp_path / "course"))


def run(path: Path) -> NotebookNode:
    built = nbformat.read(path, as_version=4)
    NotebookClient(built, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    return built


def said(built: NotebookNode) -> str:
    return "".join(output.get("text", "") for cell in built.cells for output in cell.get("outputs", []))


def test_solutions_are_packed_and_the_notebook_still_runs(course: Path, tmp_path: Path) -> None:
    assert handout.main([str(tmp_path / "out")], course) == 0
    copy = tmp_path / "out" / "04_alpha.ipynb"
    text = copy.read_text(encoding="utf8")
    assert "2 * x" not in text and "A secret" not in text and "Open in Colab" not in text
    assert "Think." in text and "image/png" in text
    printed = said(run(copy))
    assert "○ Exercise 4.2 · the double: not attempted yet" in printed
    assert "✓ difference: 0" in printed  # computed with the packed solution


def test_an_answer_replaces_the_packed_solution(course: Path, tmp_path: Path) -> None:
    handout.main([str(tmp_path / "out")], course)
    copy = tmp_path / "out" / "04_alpha.ipynb"
    built = nbformat.read(copy, as_version=4)
    stub = next(cell for cell in built.cells if "exercise" in cell.metadata.get("tags", []))
    stub.source = "class Mine(float): pass\n\ndef double(x):\n    return x + x\n"
    last = next(cell for cell in built.cells if "claim(" in cell.source and "difference" in cell.source)
    last.source += "\nprint(double.__code__.co_name, double('ab'))"
    nbformat.write(built, copy)
    printed = said(run(copy))
    assert "✓ Exercise 4.2 · the double: correct" in printed and "double abab" in printed


def test_figures_can_be_left_out(course: Path, tmp_path: Path) -> None:
    assert handout.main([str(tmp_path / "out"), "--clear"], course) == 0
    assert "image/png" not in (tmp_path / "out" / "04_alpha.ipynb").read_text(encoding="utf8")


@pytest.mark.parametrize("working", ["answer", "run", "broken"])
def test_somebody_s_work_is_kept(
    course: Path, tmp_path: Path, working: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    handout.main([str(folder)], course)
    copy = folder / "04_alpha.ipynb"
    if working == "run":  # outputs alone are nobody's work
        nbformat.write(run(copy), copy)
        assert handout.main([str(folder)], course) == 0
        return
    if working == "answer":
        copy.write_text(copy.read_text(encoding="utf8").replace("your turn", "2 * x"), encoding="utf8")
    else:
        copy.write_text("half a file", encoding="utf8")
    before, beta = copy.read_bytes(), folder / "06_beta.ipynb"
    beta.unlink()
    assert handout.main([str(folder)], course) == 1
    assert copy.read_bytes() == before and beta.exists()
    assert "04_alpha.ipynb: kept" in capsys.readouterr().out


def test_the_notebooks_own_folder_is_refused(course: Path) -> None:
    with pytest.raises(SystemExit):
        handout.main([str(course / "notebooks")], course)


def test_what_is_not_fresh_is_not_handed_out(course: Path, tmp_path: Path) -> None:
    toy_course.edit("time_ns()", "time()")(course)
    assert handout.main([str(tmp_path / "out")], course) == 1
    assert not (tmp_path / "out" / "04_alpha.ipynb").exists()
