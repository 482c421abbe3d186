"""The build: what it derives, what it executes again, what it says; on a made-up course."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import toy_course
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from PIL import Image
from toy_course import SLUG, edit

from tools import build, links, notebook, tables
from tools.outputs import WIDGET, sanitized, smaller
from tools.source import ROOT, SourceError, read_source


@pytest.fixture(scope="module")
def built_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two notebooks, built."""
    root = toy_course.make(tmp_path_factory.mktemp("toy") / "course")
    assert build.main([], root) == 0
    return root


@pytest.fixture
def course(built_course: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(built_course, tmp_path / "course"))


def load(root: Path, name: str = "04_alpha") -> NotebookNode:
    found = notebook.read_ipynb(root / "notebooks" / f"{name}.ipynb")
    assert found is not None
    return found


def cell_of(built: NotebookNode, text: str) -> NotebookNode:
    return next(cell for cell in built.cells if text in cell.source)


def outputs_of(root: Path, name: str = "04_alpha") -> list[NotebookNode]:
    return [output for cell in load(root, name).cells for output in cell.get("outputs", [])]


def checked(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What --check says; empty if all is up to date."""
    capsys.readouterr()
    code = build.main(["--check"], root)
    said = capsys.readouterr().out
    assert (code == 0) == ("up to date" in said)
    return said if code else ""


# --- what is derived --------------------------------------------------------------------------


def test_the_bars_say_where_it_leads_and_what_it_costs(built_course: Path) -> None:
    built = load(built_course)
    top, title = built.cells[0].source, built.cells[1].source
    assert title.startswith("# 04 · Alpha\n")
    assert "[06 · Beta →](06_beta.ipynb)" in top and "←" not in top
    assert f"colab.research.google.com/github/{SLUG}/blob/main/notebooks/04_alpha.ipynb" in top
    assert f"mybinder.org/v2/gh/{SLUG}/main?labpath=notebooks/04_alpha.ipynb" in top
    facts = r"\n\*5 min · standard profile ran in \d+ s · \d+ MB · data: 8×8 digits \(inside scikit-learn\)\*"
    assert re.search(facts + "$", top)
    assert built.cells[-1].source == "**Next:** [06 · Beta](06_beta.ipynb)"
    course = built.metadata.course
    assert (course.number, course.title, course.part) == ("04", "Alpha", "Part 2 · Made up")
    assert (course.data_source, course.datasets) == ("real", ["digits"])
    assert course.versions.python.count(".") == 2 and "numpy" in course.versions
    assert course.peak_memory_mb > 30 and course.seconds > 0.2
    assert any("[temporary]/x standard 1297" in o.get("text", "") for o in outputs_of(built_course))


def test_references_become_links_where_the_notebook_exists(built_course: Path) -> None:
    assert "It goes on in 07." in load(built_course).cells[1].source
    assert "Of [04](04_alpha.ipynb)." in cell_of(load(built_course, "06_beta"), "## Recall").source
    assert "prerequisites: [04](04_alpha.ipynb), 05*" in load(built_course, "06_beta").cells[0].source


def test_cells_are_folded_by_their_role(built_course: Path) -> None:
    built = load(built_course)
    folded = {cell.source.partition("\n")[0] for cell in built.cells if "jupyter" in cell.metadata}
    assert folded == {
        "#@title Figure: A line goes up",
        "#@title Figure: Another line",
        "#@title Solution 4.2 · runs only while yours does not pass",
        "#@title Evidence: twice is a sum",
    }
    for cell in built.cells:
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert hidden == (cell.metadata.get("cellView") == "form")
        assert hidden == ("hide-input" in cell.metadata.get("tags", []))


def test_a_deeper_section_is_folded_and_its_heading_stands_alone(built_course: Path) -> None:
    built = load(built_course)
    collapsed = [cell for cell in built.cells if cell.metadata.get("jp-MarkdownHeadingCollapsed")]
    assert [cell.source for cell in collapsed] == ["## 4.3 Deeper ◇"]
    assert built.metadata.colab.collapsed_sections == [collapsed[0].id]
    assert cell_of(built, "Folded away.").source == "Folded away."


def test_the_setup_cell_is_completed_and_moves_nothing(built_course: Path) -> None:
    setup = cell_of(load(built_course), "import tempfile").source
    assert setup.startswith("try:\n    import course_utils\nexcept ModuleNotFoundError:")
    assert f'"install -q --no-deps git+https://github.com/{SLUG}"' in setup
    compile(setup, "setup", "exec")


def test_every_figure_has_an_alternative_text(built_course: Path) -> None:
    pictures = [o for o in outputs_of(built_course) if "image/png" in o.get("data", {})]
    assert [picture.metadata["image/png"]["alt"] for picture in pictures] == [
        "A line goes up. From left to right it rises by one.",
        "Another line.",  # a heading follows, no sentence
    ]


@pytest.mark.parametrize(
    ("prose", "sentence"),
    [
        ("It *rises* to 0.5 at $x = 1$. Then not.", "It rises to 0.5 at x = 1."),
        ("See [06](06_b.ipynb), e.g. there. Next", "See 06, e.g. there."),
        ("## A heading\nText.", ""),
        ("| a | table |", ""),
        ("- a list", ""),
        ("without an end\n\nNext paragraph.", "without an end"),
    ],
)
def test_the_first_sentence(prose: str, sentence: str) -> None:
    assert notebook.first_sentence(prose) == sentence


def test_exercise_cells_carry_their_number(built_course: Path) -> None:
    built = load(built_course)
    ids = [(cell.id, cell.metadata.exercise) for cell in built.cells if "exercise" in cell.metadata]
    assert ids == [(f"{role}-4-2", "4.2") for role in ("exercise", "check", "solution")]


def test_course_tables(built_course: Path) -> None:
    whole = (built_course / "notebooks" / "README.md").read_text(encoding="utf8")
    row = "| 04 | [Alpha](04_alpha.ipynb) | what Alpha \\| shows | 5 min | 5 min | "
    row += "8×8 digits (inside scikit-learn) |"
    lines = whole.splitlines()
    assert lines.index(row) == lines.index("| | **Part 2 · Made up** | | | | |") + 1
    parts = (built_course / "README.md").read_text(encoding="utf8")
    links_ = "[04 · Alpha](notebooks/04_alpha.ipynb) · [06 · Beta](notebooks/06_beta.ipynb)"
    assert f"| **Part 2 · Made up** | {links_} | 10 min | 10 min |" in parts
    for text in (whole, parts):
        assert "old" not in text and text.endswith(f"{tables.MARKERS[1]}\nend\n")


def test_lessons_hold_what_is_kept(built_course: Path) -> None:
    text = (built_course / "course_utils" / "lessons" / "lesson_4.py").read_text(encoding="utf8")
    names: dict = {}
    exec(text, names)
    assert names["double"](21) == 42 and "solved" not in text and "04_alpha" in names["__doc__"]


# --- freshness --------------------------------------------------------------------------------

ERROR = new_output("error", ename="ValueError", evalue="no", traceback=[])


def _ipynb(change: Callable[[NotebookNode], object]) -> Callable[[Path], None]:
    def broken(root: Path) -> None:
        path = root / "notebooks" / "04_alpha.ipynb"
        made = load(root)
        change(made)
        path.write_text(json.dumps(made), encoding="utf8")

    return broken


def _code(built: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in built.cells if cell.cell_type == "code"]


def _file(name: str, text: str) -> Callable[[Path], None]:
    return lambda root: (root / name).write_text(text, encoding="utf8") and None


def _results(root: Path) -> None:
    (root / "notebooks" / "results").mkdir()
    (root / "notebooks" / "results" / "04.json").write_text("{}")


ALPHA = "04 · Alpha: "
DERIVED = "notebooks/04_alpha.ipynb: not what sources and headers give"
COMPLAINTS: list[tuple[str, Callable[[Path], None], str]] = [
    ("no notebook", lambda root: (root / "notebooks" / "04_alpha.ipynb").unlink(), ALPHA + "not built yet"),
    ("merge conflict", _file("notebooks/04_alpha.ipynb", "<<<<<<< HEAD"), ALPHA + "not built yet"),
    ("code changed in the source", edit("time_ns()", "time()"), ALPHA + "its code changed"),
    ("code changed in the notebook", _ipynb(lambda m: _code(m)[1].update(source="1")), ALPHA + "a code cell"),
    ("code cell removed", _ipynb(lambda m: m.cells.remove(_code(m)[1])), ALPHA + "a code cell"),
    ("output added", _ipynb(lambda m: _code(m)[-1].outputs.append(ERROR)), ALPHA + "its outputs are not"),
    ("saved without outputs", _ipynb(lambda m: _code(m)[1].update(outputs=[])), ALPHA + "its outputs"),
    ("no metadata", _ipynb(lambda m: m.metadata.pop("course")), ALPHA + "its code changed"),
    ("results file", _results, ALPHA + "changed: results/04.json"),
    ("comment changed in the source", edit("print(time", "# why\nprint(time"), DERIVED),
    ("prose changed in the source", edit("The tool.", "A tool."), DERIVED),
    ("header changed", edit("ledger: []", "ledger: [D1]"), DERIVED),
    ("tag changed", edit('tags=["evidence"]', 'tags=["plumbing"]'), DERIVED),
    ("prose changed in the notebook", _ipynb(lambda m: m.cells[1].update(source="# X")), DERIVED),
    ("cell added", _ipynb(lambda m: m.cells.append(new_markdown_cell("more"))), DERIVED),
    ("alternative text lost", _ipynb(lambda m: _code(m)[2].outputs[0].metadata.pop("image/png")), DERIVED),
    ("unfolded", _ipynb(lambda m: _code(m)[2].metadata.pop("jupyter")), DERIVED),
    ("neighbor removed", lambda root: (root / "notebooks" / "06_beta.ipynb").unlink(), DERIVED),
    ("table changed", _file("README.md", "# C\n{}\n{}\n".format(*tables.MARKERS)), "README.md: not what"),
    ("no markers", _file("notebooks/README.md", "no"), "notebooks/README.md lacks"),
    ("orphan", _file("notebooks/08_orphan.ipynb", "{}"), "notebooks/08_orphan.ipynb has no source"),
    ("lesson edited", _file("course_utils/lessons/lesson_4.py", ""), "lessons/lesson_4.py: not what"),
    ("lesson left over", _file("course_utils/lessons/old.py", ""), "course_utils/lessons/old.py: not what"),
    ("unreadable source", _file("notebooks/py/05_middle.py", "# %%\n1\n"), "05_middle"),
    ("rule broken", edit(" (3 min)", ""), "04_alpha: exercise 4.2: its heading says no minutes"),
]


@pytest.mark.parametrize(
    ("break_it", "says"), [pytest.param(case, says, id=name) for name, case, says in COMPLAINTS]
)
def test_check_complains(
    break_it: Callable[[Path], None], says: str, course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(course, capsys) == ""
    break_it(course)
    assert says in checked(course, capsys)


def test_file_times_decide_nothing(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in course.rglob("*.*"):  # a clone's are arbitrary
        os.utime(path, (0, 0) if path.suffix == ".ipynb" else None)
    assert checked(course, capsys) == ""


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("plotting/style.py", 'GREEN, RED = "#0072B2"', 'GREEN, RED = "#0000FF"', "04"),
        ("plotting/course.mplstyle", "font.size: 10", "font.size: 11", "04 06"),
        ("data/images.py", "RandomState(0)", "RandomState(1)", "04 06"),
        ("bundled/registry.toml", "[digits]", "[digits]\nnew = 1", "04 06"),
        ("bundled/registry.toml", "[mnist]", "[mnist]\nnew = 1", ""),
        ("data/images.py", "255 / 16", "250 / 16", ""),
        ("doctor.py", "import json", "import json as json", ""),
        ("exercises.py", 'print(f"✓ {line}")', 'print(f"+ {line}")', "04 06"),
        ("exercises.py", '"""Compare a measured number', '"""Compare any number', ""),
    ],
)
def test_a_change_in_the_package_names_exactly_the_notebooks_that_use_it(
    file: str, old: str, new: str, stale: str, course: Path, tmp_path: Path
) -> None:
    """06 does not use the color; neither reads MNIST, its stand-in or the doctor."""
    edit("ax.plot([0, 1], color=plotting.BLUE)", "ax.plot([0, 1])", "06_beta")(course)
    package = Path(shutil.copytree(ROOT / "course_utils", tmp_path / "package", ignore=_no_lessons))
    before, after = build.Course(course), build.Course(course)
    before.package = build.Package(package)
    kept = {source.number: before.fingerprint(source) for source in before.sources}
    path = package / file
    text = path.read_text(encoding="utf8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf8")
    after.package = build.Package(package)
    changed = [source.number for source in after.sources if after.fingerprint(source) != kept[source.number]]
    if stale == "04":  # a group of colors is assigned in one statement: whoever takes one is named
        assert "04" in changed
    else:
        assert changed == stale.split()


def _no_lessons(folder: str, names: list[str]) -> set[str]:
    return {"lessons", "__pycache__"} & set(names)


def test_versions_are_compared_with_the_lock(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (course / "requirements.lock").write_text("numpy==0.1 ; python_version > '3'\nnumpy==0.2\n")
    assert "it ran with numpy " in checked(course, capsys)


# --- executing --------------------------------------------------------------------------------


def test_what_changes_no_output_is_renewed_without_executing(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = outputs_of(course)
    edit("The tool.", "A tool.")(course)
    edit("print(time", "# why\nprint(time")(course)
    toy_course.add_notebook(course, "05", "Middle")
    assert build.main([], course) == 0
    built = load(course)
    assert "A tool." in built.cells[1].source and "[05 · Middle →]" in built.cells[0].source
    assert "# why" in cell_of(built, "print(time").source
    assert "[Middle](05_middle.ipynb)" in (course / "notebooks" / "README.md").read_text(encoding="utf8")
    assert outputs_of(course) == before  # they hold the time of their run
    assert checked(course, capsys) == ""


def test_a_failing_notebook_keeps_its_file(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = (course / "notebooks" / "04_alpha.ipynb").read_bytes()
    before = outputs_of(course, "06_beta")
    edit("at_least=0.4", "at_least=0.6")(course)
    assert build.main(["--force"], course) == 1
    said = capsys.readouterr().out
    for words in (
        "04 · Alpha FAILED",
        "notebooks/py/04_alpha.py, cell ",
        '  | claim("accuracy"',
        "AssertionError: accuracy: 0.5 (promised ≥ 0.6)",
    ):
        assert words in said
    assert (course / "notebooks" / "04_alpha.ipynb").read_bytes() == kept
    assert outputs_of(course, "06_beta") != before  # the other one went on
    names = {path.name for path in (course / "notebooks").iterdir()}
    assert names == {"04_alpha.ipynb", "06_beta.ipynb", "README.md", "course.toml", "py"}


def test_full_writes_a_results_file(course: Path) -> None:
    kept = (course / "notebooks" / "06_beta.ipynb").read_bytes()
    assert build.main(["--full", "6"], course) == 0
    record = json.loads((course / "notebooks" / "results" / "06.json").read_text(encoding="utf8"))
    assert record["results"] == {"accuracy": 0.5}
    assert (record["profile"], record["data"], record["command"]) == (
        "full", {"digits": "real"}, "make full NN=06",
    )  # fmt: skip
    assert re.fullmatch(r"\d+ × .+, \d+ GB, .+", record["machine"])
    assert {"seconds", "peak_memory_mb", "versions", "date"} <= set(record)
    assert (course / "notebooks" / "06_beta.ipynb").read_bytes() == kept


def test_full_wants_real_data(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "is_here", lambda name: False)
    with pytest.raises(SystemExit):
        build.main(["--full", "6"], course)
    assert "data fetch digits" in capsys.readouterr().err


def test_a_quick_look_leaves_the_notebook_as_it_is(course: Path) -> None:
    kept = (course / "notebooks" / "04_alpha.ipynb").read_bytes()
    assert build.main(["4", "--profile", "quick"], course) == 0
    quick = notebook.read_ipynb(course / "build" / "quick" / "04_alpha.ipynb")
    assert quick is not None and quick.metadata.course.profile == "quick"
    assert (course / "notebooks" / "04_alpha.ipynb").read_bytes() == kept


def test_unknown_number_and_full_without_one(course: Path) -> None:
    for arguments in (["77"], ["--full"]):
        with pytest.raises(SystemExit):
            build.main(arguments, course)


def test_a_lesson_that_cannot_stand_alone_stops_the_build(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit("return 2 * x", "return FACTOR * x")(course)
    assert build.main([], course) == 1
    assert "lesson 'lesson_4' uses FACTOR, neither imported" in capsys.readouterr().out


def test_a_name_has_one_lesson(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit('tags=["solution"]', 'tags=["solution", "keep"] lesson="lesson_6"', "06_beta")(course)
    assert build.main([], course) == 1
    assert "'double' is kept in two lessons, lesson_4 and lesson_6" in capsys.readouterr().out


def test_two_lessons_may_import_the_same(course: Path) -> None:
    edit("return 2 * x", "import json\n        return 2 * x")(course)
    edit('tags=["solution"]', 'tags=["solution", "keep"] lesson="lesson_6"', "06_beta")(course)
    edit("return 2 * x", "import json\n        return 2 * x", "06_beta")(course)
    beta = course / "notebooks" / "py" / "06_beta.py"
    beta.write_text(beta.read_text("utf8").replace("double", "twice"), "utf8")
    assert build.main([], course) == 0


# --- sources ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# # Alpha", "# Alpha", "begin with `# Title`"),
        ("# # Alpha", "# # 04 Alpha", "without a number"),
        ("#     datasets: [digits]\n", "", "`datasets`"),
        ("datasets: [digits]", "datasets: digits", "`datasets`"),
        ("ledger: []", "ledger: [", "jupytext can't read it"),
    ],
)
def test_a_source_that_breaks_the_contract_is_refused(course: Path, old: str, new: str, says: str) -> None:
    edit(old, new)(course)
    with pytest.raises(SourceError, match=re.escape(says)):
        read_source(course / "notebooks" / "py" / "04_alpha.py")


def test_editing_a_cell_changes_only_its_own_id(course: Path) -> None:
    path = course / "notebooks" / "py" / "04_alpha.py"
    before = [cell.id for cell in read_source(path).cells]
    edit("time_ns()", "time()")(course)
    after = [cell.id for cell in read_source(path).cells]
    assert len(set(before)) == len(before)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_another_address_leaves_everything_fresh(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "-q"], cwd=course, check=True)
    assert links.main(["new-owner/other.name"], course) == 0
    assert notebook.repository(course) == "new-owner/other.name"
    for path in (course / "notebooks").rglob("*.*"):
        if path.is_file():
            assert SLUG not in path.read_text(encoding="utf8")
    assert checked(course, capsys) == ""


# --- outputs ----------------------------------------------------------------------------------


def test_drawings_are_packed_and_photographs_are_not() -> None:
    def as_png(picture: np.ndarray) -> str:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        return base64.b64encode(file.getvalue()).decode()

    figure, ax = plt.subplots()
    ax.plot([0, 1, 0])
    figure.canvas.draw()
    drawing = np.asarray(figure.canvas.buffer_rgba())  # type: ignore[attr-defined]
    plt.close(figure)
    packed = smaller(as_png(drawing))
    assert len(packed) < 0.8 * len(as_png(drawing)) and smaller(packed) == packed
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(packed))).convert("RGB"), int)
    assert shown.shape == (*drawing.shape[:2], 3) and np.abs(shown - drawing[..., :3]).max() <= 32
    photograph = as_png(np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8))
    assert smaller(photograph) == photograph


def test_of_sliders_a_saved_file_keeps_the_text() -> None:
    slider = new_output("display_data", data={WIDGET: {"model_id": "1"}, "text/plain": "Run this cell."})
    text = new_output("stream", name="stdout", text="/some/where/x")
    first, second = sanitized([slider, text], {"/some/where": "here"})
    assert first.data == {"text/plain": "Run this cell."} and second == {**text, "text": "here/x"}
