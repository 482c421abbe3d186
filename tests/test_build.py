"""Committed notebooks are fresh and as agreed; and every guard catches what it is there for.

A guard is a function that takes a notebook and returns what is wrong with it. Each runs on
every notebook of the course, and on a small made-up one, once as built and once broken.
"""

import base64
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from PIL import Image

from tools import build, handout, links, notebook
from tools.notebook import ROOT, Source

LINES, COLUMNS, PRINTED, BYTES, FIGURES = 40, 88, 15_000, 1_500_000, 2
SECONDS, MEMORY_MB = 240, 1500
SETUP = """\
try:
    import course_utils
except ModuleNotFoundError:  # Colab, Kaggle: add the companion package, leave TensorFlow as it is
    get_ipython().run_line_magic("pip", "install -q git+https://github.com/{slug}")
"""
MACHINE = re.compile(
    r"(?<![\w.~:/-])/(?:home|root|Users|tmp|private|var|mnt|srv|work|workspace|build|builds)/[\w.-]+"
    r"|[A-Z]:\\\\?Users|ipykernel_\d+"
)


@dataclass
class Built:
    """A notebook and its source."""

    source: Source
    notebook: NotebookNode | None
    slug: str
    present: list[Source]

    @property
    def cells(self) -> list[NotebookNode]:
        return self.notebook.cells if self.notebook else []

    @property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @property
    def outputs(self) -> list[NotebookNode]:
        return [output for cell in self.code for output in cell.outputs]

    @property
    def printed(self) -> str:
        texts = [o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in self.outputs]
        return "\n".join(texts)


def load_all(root: Path) -> dict[str, Built]:
    """Every notebook whose source can be read, by its file's stem."""
    slug = notebook.repository(root)
    sources, _ = notebook.read_sources(root, slug)
    present = [source for source in sources if source.ipynb.exists()]
    return {s.path.stem: Built(s, notebook.read_ipynb(s.ipynb), slug, present) for s in sources}


def load(root: Path, stem: str) -> Built:
    return load_all(root)[stem]


# --- the guards ---------------------------------------------------------------------------


def is_fresh(built: Built) -> list[str]:
    reason = notebook.stale(built.source, built.notebook, built.slug)
    return [f"{reason}: run `make notebooks`"] if reason else []


def is_derived(built: Built) -> list[str]:
    """Prose, bars, badges, cell ids and metadata are what source and headers give."""
    if built.notebook is None or notebook.stale(built.source, built.notebook, built.slug):
        return ["not fresh"]
    again = notebook.assemble(built.source, *notebook.recorded(built.notebook), built.present, built.slug)
    if again == built.notebook:
        return []
    pairs = zip(again.cells, built.cells, strict=False)
    different = [old.source[:80] for new, old in pairs if new != old]
    return [f"not what its source gives: {different or 'metadata or number of cells'}; run `make notebooks`"]


def ran_from_top_to_bottom(built: Built) -> list[str]:
    counts = [cell.execution_count for cell in built.code]
    problems = [] if counts == list(range(1, len(counts) + 1)) else [f"execution counts are {counts}"]
    problems += [] if built.outputs else ["no outputs"]
    return problems + [f"an error: {o.ename}" for o in built.outputs if o.output_type == "error"]


def ran_standard_on_real_data(built: Built) -> list[str]:
    assert built.notebook is not None
    course = built.notebook.metadata.course
    problems = [] if course.profile == "standard" else [f"profile {course.profile}"]
    return problems + (
        ["bundled data: build with COURSE_DATA_DIR"] if course.data_source == "bundled" else []
    )


def fits_a_small_machine(built: Built) -> list[str]:
    assert built.notebook is not None
    course = built.notebook.metadata.course
    problems = [f"{course.seconds} s"] if course.seconds > SECONDS else []
    return problems + ([f"{course.peak_memory_mb} MB"] if course.peak_memory_mb > MEMORY_MB else [])


def cells_are_short(built: Built) -> list[str]:
    problems = []
    for cell in built.code:
        lines = cell.source.splitlines()
        if "setup" in cell.metadata.get("tags", []):  # its long lines are the same everywhere
            lines = [line for line in lines if line not in SETUP.format(slug=built.slug).splitlines()]
        problems += [f"{len(lines)} lines: {lines[0]}"] if len(lines) > LINES else []
        problems += [f"{len(line)} columns: {line}" for line in lines if len(line) > COLUMNS]
    return problems


def setup_is_the_same(built: Built) -> list[str]:
    setup = built.code[0]
    good = setup.source.startswith(SETUP.format(slug=built.slug)) and setup.metadata.get("tags") == ["setup"]
    return [] if good else ['the first code cell must have tags=["setup"] and begin like every setup cell']


def headings_are_numbered(built: Built) -> list[str]:
    """## 6.1, 6.2, …, then unnumbered ones (summary); exercises carry their section's number."""
    prose = "\n\n".join(cell.source for cell in built.cells if cell.cell_type == "markdown")
    prose = re.sub(r"^(```|~~~).*?^\1", "", prose, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^(#{1,6}) +(.+)$", prose, flags=re.MULTILINE)
    problems = [] if headings[0] == ("#", built.source.label) else [f"the title is {headings[0]}"]
    section, numbers, ended = "", 0, False
    for level, text in headings[1:]:
        if level == "#":
            problems.append(f"a second title: {text}")
        elif level == "##" and text[0].isdigit():
            numbers += 1
            section = f"{int(built.source.number)}.{numbers}"
            if ended or text.split()[0] != section:
                problems.append(f"'{text}' should be {section}, before all unnumbered sections")
        elif level == "##":
            ended = True
        elif text.startswith("Exercise") and not re.match(rf"Exercise {re.escape(section)}[a-z]? · .", text):
            problems.append(f"'{text}' should be 'Exercise {section} · …'")
    return problems + ([] if numbers >= 3 else [f"{numbers} numbered sections"])


def names_no_machine(built: Built) -> list[str]:
    texts = [cell.source for cell in built.cells] + [json.dumps(output) for output in built.outputs]
    return [f"a path of some machine: {found[0]}" for text in texts for found in MACHINE.finditer(text)]


def has_figures(built: Built) -> list[str]:
    figures = sum("image/png" in output.get("data", {}) for output in built.outputs)
    return [] if figures >= FIGURES else [f"{figures} figures"]


def prints_little(built: Built) -> list[str]:
    return [f"{len(built.printed)} characters printed"] if len(built.printed) > PRINTED else []


def file_is_small(built: Built) -> list[str]:
    assert built.notebook is not None
    size = len(notebook.ipynb_text(built.notebook).encode())
    return [f"{size / 1e6:.1f} MB"] if size > BYTES else []


def claims_hold(built: Built) -> list[str]:
    lines = [line for line in built.printed.splitlines() if line.startswith("claim · ")]
    fine = (": holds", ": not judged with this data and profile")
    problems = [line for line in lines if not line.endswith(fine)]
    silent = not lines and any(re.search(r"^\s*claim\(", cell.source, re.MULTILINE) for cell in built.code)
    return problems + (["claim() is called and nothing is printed"] if silent else [])


GUARDS: list[Callable[[Built], list[str]]] = [
    is_fresh, is_derived, ran_from_top_to_bottom, ran_standard_on_real_data, fits_a_small_machine,
    cells_are_short, setup_is_the_same, headings_are_numbered, names_no_machine, has_figures,
    prints_little, file_is_small, claims_hold,
]  # fmt: skip
COURSE = load_all(ROOT)


@pytest.mark.parametrize("stem", COURSE)
@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_notebook(guard: Callable[[Built], list[str]], stem: str) -> None:
    built = COURSE[stem]
    assert built.notebook is not None, "not built yet: run `make notebooks`"
    assert guard(built) == []


def test_everything_derived_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """Sources and notebooks one to one, bars, badges, the README's course table."""
    assert build.main(["--check"]) == 0, capsys.readouterr().out


# --- a small made-up course -----------------------------------------------------------------

SLUG = "some-body/a-course"
TOY = """# ---
# jupyter:
#   course:
#     part: 2
#     minutes: 5
#     data: "made up | drawn"
#     covers: "what {title} shows"
#     prerequisites: [{needs}]
#     ledger: []
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # {title}
#
# What does {title} show? The tool.

# %% tags=["setup"]
{setup}
import base64
import time
from types import SimpleNamespace

from IPython.display import Image, display

from course_utils import claim, profile

# %% [markdown]
# ## {n}.1 First

# %%
toy = SimpleNamespace(name="toy", source="real")
png = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
display(Image(png))

# %%
display(Image(png))

# %% [markdown]
# ## {n}.2 Second
#
# ### Exercise {n}.2 · one
#
# <details><summary>Hint</summary>
#
# Think.
# </details>
# <details><summary>Solution</summary>
#
# ```python
# # a comment, no heading
# answer = 42
# ```
# </details>

# %%
import tempfile

print(tempfile.gettempdir() + "/x", "course_utils" in dir(), profile())
print(time.time_ns())

# %% [markdown]
# ## {n}.3 Third

# %%
results = {{"accuracy": 0.5}}
claim("accuracy", results["accuracy"], at_least=0.4)

# %% [markdown]
# ## Summary
"""


def add_toy(root: Path, number: str, title: str, needs: str = "") -> None:
    setup = SETUP.format(slug=notebook.repository(root))
    text = TOY.format(title=title, n=int(number), setup=setup, needs=needs)
    (root / "notebooks" / "py" / f"{number}_{title.lower()}.py").write_text(text, encoding="utf8")


@pytest.fixture(scope="module")
def built_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two notebooks, built."""
    root = tmp_path_factory.mktemp("course")
    (root / "notebooks" / "py").mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "a-course"\n[project.urls]\nRepository = "https://github.com/{SLUG}"\n',
        encoding="utf8",
    )
    (root / "README.md").write_text(
        f"# C\n{notebook.TABLE_BEGIN}\nold\n{notebook.TABLE_END}\nend\n", encoding="utf8"
    )
    add_toy(root, "04", "Alpha")
    add_toy(root, "06", "Beta", needs="04_alpha, 05_not_yet")
    assert build.main([], root) == 0
    return root


@pytest.fixture
def course(built_course: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(built_course, tmp_path / "course"))


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_a_good_notebook_passes(guard: Callable[[Built], list[str]], built_course: Path) -> None:
    assert guard(load(built_course, "04_alpha")) == []


def _edit_source(old: str, new: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        path = root / "notebooks" / "py" / "04_alpha.py"
        text = path.read_text(encoding="utf8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf8")

    return edit


def _edit(change: Callable[[NotebookNode, list[NotebookNode]], object]) -> Callable[[Path], None]:
    """A case that changes the .ipynb; `change` gets the notebook and its code cells."""

    def edit(root: Path) -> None:
        path = root / "notebooks" / "04_alpha.ipynb"
        made = notebook.read_ipynb(path)
        assert made is not None
        change(made, [cell for cell in made.cells if cell.cell_type == "code"])
        path.write_text(json.dumps(made), encoding="utf8")

    return edit


def _cell(index: int, **changes: object) -> Callable[[Path], None]:
    return _edit(lambda made, code: code[index].update(changes))


def _facts(**facts: object) -> Callable[[Path], None]:
    return _edit(lambda made, code: made.metadata.course.update(facts))


def _prose(text: str) -> Callable[[Path], None]:
    return _edit(lambda made, code: made.cells.append(new_markdown_cell(text)))


def _print(text: str) -> Callable[[Path], None]:
    return _edit(lambda made, code: code[-1].outputs.append(new_output("stream", name="stdout", text=text)))


def _without_figures(made: NotebookNode, code: list[NotebookNode]) -> None:
    code[1].outputs = code[2].outputs = []


def _remove(stem: str) -> Callable[[Path], None]:
    return lambda root: (root / "notebooks" / f"{stem}.ipynb").unlink()


def _only_the_start(made: NotebookNode, code: list[NotebookNode]) -> None:
    del made.cells[5:]


def _wide_setup(made: NotebookNode, code: list[NotebookNode]) -> None:
    code[0].source += "#" * 89


def _merge_conflict(root: Path) -> None:
    (root / "notebooks" / "04_alpha.ipynb").write_text("<<<<<<< HEAD")


ERROR = new_output("error", ename="ValueError", evalue="no", traceback=[])
CATCHES: list[tuple[Callable[[Built], list[str]], str, Callable[[Path], None], str]] = [
    (is_fresh, "no notebook", _remove("04_alpha"), "not built yet"),
    (is_fresh, "merge conflict", _merge_conflict, "not built yet"),
    (is_fresh, "code changed in the source", _edit_source("time_ns()", "time()"), "code changed"),
    (is_fresh, "code changed in the notebook", _cell(1, source="1"), "code cell"),
    (is_fresh, "code cell removed", _edit(lambda m, c: m.cells.remove(c[1])), "code cell"),
    (is_fresh, "output changed", _print("99 %"), "outputs are not"),
    (is_fresh, "saved without outputs", _cell(1, outputs=[]), "outputs are not"),
    (is_fresh, "no metadata", _edit(lambda m, c: m.metadata.pop("course")), "code changed"),
    (is_derived, "prose changed in the source", _edit_source("The tool.", "A tool."), "its source gives"),
    (is_derived, "header changed", _edit_source("minutes: 5", "minutes: 6"), "its source gives"),
    (is_derived, "prose changed in the notebook", _edit(lambda m, c: m.cells[1].update(source="# X")), "# X"),
    (is_derived, "cell added", _prose("more"), "number of cells"),
    (is_derived, "bar changed", _edit(lambda m, c: m.cells[0].update(source="no links")), "no links"),
    (is_derived, "metadata changed", _facts(minutes=1), "metadata"),
    (is_derived, "tag lost", _edit(lambda m, c: c[0].metadata.clear()), "try:"),
    (is_derived, "id changed", _cell(1, id="abc"), "toy ="),
    (is_derived, "neighbor removed", _remove("06_beta"), "Beta"),
    (ran_from_top_to_bottom, "no count", _cell(2, execution_count=None), "None"),
    (ran_from_top_to_bottom, "order", _cell(2, execution_count=9), "9"),
    (ran_from_top_to_bottom, "error", _edit(lambda m, c: c[1].outputs.append(ERROR)), "ValueError"),
    (ran_from_top_to_bottom, "empty", _edit(lambda m, c: [x.update(outputs=[]) for x in c]), "no outputs"),
    (ran_standard_on_real_data, "quick", _facts(profile="quick"), "quick"),
    (ran_standard_on_real_data, "stand-in", _facts(data_source="bundled"), "b"),
    (fits_a_small_machine, "slow", _facts(seconds=241), "241 s"),
    (fits_a_small_machine, "large", _facts(peak_memory_mb=1501), "1501 MB"),
    (cells_are_short, "long cell", _cell(1, source="1\n" * 41), "41 lines"),
    (cells_are_short, "wide cell", _cell(1, source="1" * 89), "89 columns"),
    (cells_are_short, "wide setup", _edit(_wide_setup), "columns"),
    (setup_is_the_same, "other guard", _cell(0, source="import course_utils"), "setup"),
    (setup_is_the_same, "other address", _cell(0, source=SETUP.format(slug="a/b")), "setup"),
    (setup_is_the_same, "no tag", _edit(lambda m, c: c[0].metadata.clear()), "setup"),
    (headings_are_numbered, "gap", _prose("## 4.5 Fifth"), "should be 4.4"),
    (headings_are_numbered, "other notebook", _prose("## 6.4 Fourth"), "should be 4.4"),
    (headings_are_numbered, "after the summary", _prose("## 4.4 Late"), "before all unnumbered"),
    (headings_are_numbered, "second title", _prose("# Another"), "second title"),
    (headings_are_numbered, "exercise of elsewhere", _prose("### Exercise 4.1 · x"), "Exercise 4.3"),
    (headings_are_numbered, "no title", _edit(lambda m, c: m.cells.pop(1)), "title"),
    (headings_are_numbered, "few", _edit(_only_the_start), "numbered sections"),
    (names_no_machine, "printed path", _print("saved in /home/" + "me/course"), "/home/"),
    (names_no_machine, "printed folder of Windows", _print("C:" + "\\Users\\me"), "C:"),
    (names_no_machine, "warning", _print("/tmp/" + "ipykernel_12/3.py:1: UserWarning"), "ipykernel"),
    (names_no_machine, "path in prose", _prose("look in /Users/" + "me/data"), "/Users/"),
    (has_figures, "none", _edit(_without_figures), "0 figures"),
    (prints_little, "raw log", _print("epoch\n" * 2501), "characters"),
    (file_is_small, "big", _print("x" * 1_500_000), "MB"),
    (claims_hold, "failed claim", _print("claim · a: 0.1 (promised ≥ 0.9): FAILS\n"), "FAILS"),
    (claims_hold, "silent claim", _cell(-1, outputs=[]), "nothing is printed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("guard", "break_it", "says"),
    [pytest.param(guard, case, says, id=f"{guard.__name__}-{name}") for guard, name, case, says in CATCHES],
)
def test_guard_catches(
    guard: Callable[[Built], list[str]], break_it: Callable[[Path], None], says: str, course: Path
) -> None:
    break_it(course)
    found = guard(load(course, "04_alpha"))
    assert found
    assert any(says in problem for problem in found), found


def test_every_guard_has_a_case() -> None:
    assert {guard for guard, *_ in CATCHES} == set(GUARDS)


# --- the tool ---------------------------------------------------------------------------------


def outputs_of(root: Path, stem: str) -> list[NotebookNode]:
    return load(root, stem).outputs


def test_built_notebook(built_course: Path) -> None:
    built = load(built_course, "04_alpha")
    assert built.notebook is not None
    top, title = built.cells[0].source, built.cells[1].source
    assert title.startswith("# 04 · Alpha\n")
    assert "[06 · Beta →](06_beta.ipynb)" in top and "←" not in top
    assert f"colab.research.google.com/github/{SLUG}/blob/main/notebooks/04_alpha.ipynb" in top
    assert f"mybinder.org/v2/gh/{SLUG}/main?labpath=notebooks/04_alpha.ipynb" in top
    assert re.search(
        r"\n\*5 minutes · standard profile ran in \d+ s · \d+ MB · data: made up \| drawn\*$", top
    )
    assert built.cells[-1].source == "**Next:** [06 · Beta](06_beta.ipynb)"
    course = built.notebook.metadata.course
    assert (course.number, course.title, course.data_source) == ("04", "Alpha", "real")
    assert course.versions.python.count(".") == 2 and "numpy" in course.versions
    assert course.peak_memory_mb > 30 and course.seconds > 0.2
    assert "[temporary]/x True standard" in built.printed
    # prerequisites are links where the notebook exists
    assert (
        "prerequisites: [04 · Alpha](04_alpha.ipynb), 05 not yet*"
        in load(built_course, "06_beta").cells[0].source
    )


def test_course_table(built_course: Path) -> None:
    readme = (built_course / "README.md").read_text(encoding="utf8")
    row = "| 04 | [Alpha](notebooks/04_alpha.ipynb) | what Alpha shows | 5 | made up \\| drawn |"
    part = "| | **Part 2 · Algorithms and their mathematics** | | | |"
    lines = readme.splitlines()
    assert lines.index(row) == lines.index(part) + 1 and lines.count(part) == 1
    assert "old" not in readme and readme.endswith(f"{notebook.TABLE_END}\nend\n")


def test_check_names_what_is_out_of_date(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--check"], course) == 0
    for path in course.rglob("*.*"):  # a clone's file times are arbitrary
        os.utime(path, (0, 0) if path.suffix == ".ipynb" else None)
    assert build.main(["--check"], course) == 0
    _edit_source("time_ns()", "time()")(course)
    (course / "notebooks" / "08_orphan.ipynb").write_text("{}")
    (course / "notebooks" / "py" / "09_broken.py").write_text("# %%\n1\n")
    (course / "README.md").write_text("no markers")
    capsys.readouterr()
    assert build.main(["--check"], course) == 1
    said = capsys.readouterr().out
    for words in (
        "04 · Alpha: its code changed",
        "08_orphan.ipynb has no source",
        "09_broken",
        "course table",
    ):
        assert words in said


def test_a_changed_table_is_noticed(course: Path) -> None:
    readme = course / "README.md"
    readme.write_text(readme.read_text(encoding="utf8").replace("Beta", "Gamma"), encoding="utf8")
    assert build.main(["--check"], course) == 1
    assert build.main([], course) == 0
    assert "Beta" in readme.read_text(encoding="utf8")


def test_changed_prose_is_renewed_without_executing(course: Path) -> None:
    before = outputs_of(course, "04_alpha")
    _edit_source("The tool.", "A tool.")(course)
    assert build.main(["--check"], course) == 1
    assert build.main([], course) == 0
    assert any("A tool." in cell.source for cell in load(course, "04_alpha").cells)
    assert outputs_of(course, "04_alpha") == before  # they hold the time of their run


def test_a_new_neighbor_changes_bars_without_executing(course: Path) -> None:
    before = outputs_of(course, "04_alpha")
    add_toy(course, "05", "Middle")
    assert build.main([], course) == 0
    assert "[05 · Middle →]" in load(course, "04_alpha").cells[0].source
    assert "[05 · Middle]" in (course / "README.md").read_text(encoding="utf8").replace(
        "Middle](", "05 · Middle]("
    )
    assert outputs_of(course, "04_alpha") == before  # they hold the time of their run


def test_a_failing_notebook_keeps_its_file(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = (course / "notebooks" / "04_alpha.ipynb").read_bytes()
    before = outputs_of(course, "06_beta")
    _edit_source("at_least=0.4", "at_least=0.6")(course)
    assert build.main(["--force"], course) == 1
    said = capsys.readouterr().out
    for words in (
        "04 · Alpha FAILED",
        "notebooks/py/04_alpha.py, cell 9:",
        '  | claim("accuracy"',
        "AssertionError: claim · accuracy: 0.5 (promised ≥ 0.6)",
    ):
        assert words in said
    assert (course / "notebooks" / "04_alpha.ipynb").read_bytes() == kept
    assert outputs_of(course, "06_beta") != before  # the other one went on
    assert sorted(path.name for path in (course / "notebooks").iterdir()) == [
        "04_alpha.ipynb",
        "06_beta.ipynb",
        "py",
    ]


def test_full_writes_a_results_file(course: Path) -> None:
    kept = (course / "notebooks" / "06_beta.ipynb").read_bytes()
    assert build.main(["--full", "6"], course) == 0
    record = json.loads((course / "notebooks" / "results" / "06.json").read_text(encoding="utf8"))
    assert record["results"] == {"accuracy": 0.5}
    assert (record["profile"], record["data"], record["command"]) == (
        "full",
        {"toy": "real"},
        "make full NN=06",
    )
    assert re.fullmatch(r"\d+ × .+, \d+ GB, .+", record["machine"])
    assert {"seconds", "peak_memory_mb", "versions", "date"} <= set(record)
    assert (course / "notebooks" / "06_beta.ipynb").read_bytes() == kept


def test_unknown_number_and_full_without_one(course: Path) -> None:
    for arguments in (["77"], ["--full"]):
        with pytest.raises(SystemExit):
            build.main(arguments, course)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# # Alpha", "# Alpha", "begin with `# Title`"),
        ("# # Alpha", "# # 04 Alpha", "without a number"),
        ("#     minutes: 5\n", "", "`minutes`"),
        ("minutes: 5", "minutes: five", "`minutes`"),
        ("part: 2", "part: 8", "`part` is one of 1, 2"),
        ("ledger: []", "ledger: [", "jupytext can't read it"),
    ],
)
def test_a_source_that_breaks_the_contract_is_refused(course: Path, old: str, new: str, says: str) -> None:
    _edit_source(old, new)(course)
    with pytest.raises(notebook.SourceError, match=re.escape(says)):
        notebook.read_source(course / "notebooks" / "py" / "04_alpha.py", SLUG)


def test_editing_a_cell_changes_only_its_own_id(course: Path) -> None:
    before = [cell.id for cell in load(course, "04_alpha").source.cells]
    _edit_source("time_ns()", "time()")(course)
    after = [cell.id for cell in load(course, "04_alpha").source.cells]
    assert len(set(before)) == len(before)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_another_address_leaves_everything_fresh(course: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=course, check=True)
    assert links.main(["new-owner/other.name"], course) == 0
    assert notebook.repository(course) == "new-owner/other.name"
    for path in (course / "notebooks").rglob("*.*"):
        if path.is_file():
            assert SLUG not in path.read_text(encoding="utf8")
    assert build.main(["--check"], course) == 0


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
    packed = notebook.smaller(as_png(drawing))
    assert len(packed) < 0.8 * len(as_png(drawing)) and notebook.smaller(packed) == packed
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(packed))).convert("RGB"), int)
    assert shown.shape == (*drawing.shape[:2], 3) and np.abs(shown - drawing[..., :3]).max() <= 32
    photograph = as_png(np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8))
    assert notebook.smaller(photograph) == photograph


def test_handout_has_hints_but_no_solutions(course: Path, tmp_path: Path) -> None:
    assert handout.main([str(tmp_path / "out")], course) == 0
    text = (tmp_path / "out" / "04_alpha.ipynb").read_text(encoding="utf8")
    assert "answer = 42" not in text and "Solution" not in text and "colab" not in text
    assert "Hint" in text and "image/png" in text
    assert handout.main([str(tmp_path / "out"), "--clear"], course) == 0
    assert "image/png" not in (tmp_path / "out" / "04_alpha.ipynb").read_text(encoding="utf8")
    with pytest.raises(SystemExit):
        handout.main([str(course / "notebooks")], course)
