"""Every rule of the house passes a good notebook and catches what it is there for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import toy_course
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from toy_course import edit

from tools import minutes, new, rules, run_rules
from tools.names import needed, stored
from tools.source import SourceError, read_plan, read_source

PNG = {"image/png": "iVBORw0KGgo="}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return toy_course.make(tmp_path / "course")


def broken_rules(root: Path) -> dict[str, list[str]]:
    """Rule -> what the first notebook breaks of it."""
    source = read_source(root / "notebooks" / "py" / "04_alpha.py")
    found = {rule.__name__: rule(source, read_plan(root)) for rule in rules.RULES}
    return {name: problems for name, problems in found.items() if problems}


def test_a_good_notebook_breaks_no_rule(course: Path) -> None:
    assert broken_rules(course) == {}


IDEA = "digits = data.digits()\n"
LONG = IDEA + "".join(f"a{i} = {i}\n" for i in range(15))
CATCHES: list[tuple[str, str, str, str]] = [
    # rule, text, what takes its place, what is said
    ("header_names_what_exists", "datasets: [digits]", "datasets: [digit]", "no dataset 'digit'"),
    ("header_names_what_exists", "prerequisites: []", "prerequisites: [gamma]", "'gamma' is no notebook"),
    ("setup_only_imports", '# %% tags=["setup"]', "# %%", "the first code cell"),
    ("setup_only_imports", "import tempfile", "import course_utils", "only imports"),
    ("no_address", "The tool.", "pip install git+https://x.y", "'git+https'"),
    ("no_address", "The tool.", "your_org/large-models-course", "'your_org/large-models-course'"),
    ("names_no_machine", "The tool.", "Look in /home/" + "me/course.", "/home/" + "me"),
    ("headings_are_numbered", "## 4.2 Second", "## 4.4 Second", "should be 4.2"),
    ("headings_are_numbered", "## 4.3 Deeper ◇", "# Deeper", "second title"),
    ("headings_are_numbered", "## Recall", "## A\n\n# %% [markdown]\n# ## 4.4 Late", "before all unnumbered"),
    ("headings_are_numbered", "## Recall", "Text.\n# ## Recall", "must begin its cell"),
    ("headings_are_numbered", "### Exercise 4.2", "### Exercise 4.1", "'Exercise 4.2 · …'"),
    ("headings_are_numbered", "## 4.1 First", "Text", "should be 4.1"),
    ("references_resolve", "[[planned]]", "[[backpropagatoin]]", "[[backpropagatoin]] is no notebook"),
    ("references_resolve", "in [[planned]]", "in notebook 07", "name it by its stem"),
    ("answers_are_folded_in_one_cell", "# Think.\n# </details>", "# Think.", "opens and closes"),
    ("answers_are_folded_in_one_cell", "Hint</summary>\n#\n", "Hint</summary>\n", "blank line"),
    ("answers_are_folded_in_one_cell", "# Think.", "# ### Think", "no heading"),
    ("cells_have_their_role", "#@title Figure: Another line\n", "", "begin with a line #@title"),
    ("cells_have_their_role", IDEA, "#@title An idea\n" + IDEA, "begin with a line #@title"),
    ("cells_have_their_role", "nbval-ignore-output", "nbval-ignore", "unknown tag 'nbval-ignore'"),
    ("cells_have_their_role", '["evidence"]', '["evidence", "figure"]', "one role"),
    ("cells_have_their_role", IDEA, "# NBVAL_SKIP\n" + IDEA, "tags, not comments"),
    ("lines_are_short", IDEA, IDEA + "x = 1" + "1" * 88 + "\n", "93 columns"),
    ("lines_are_short", IDEA, IDEA + "\n" * 39 + "a = 1\n", "42 lines in one cell"),
    ("ideas_are_short", IDEA, LONG, "17 lines of idea"),
    ("figures_define_nothing", "results = {", "ax.figure\nresults = {", "defines ax, used later"),
    ("ideas_draw_nothing", IDEA, IDEA + "plt.show()\n", "draws"),
    ("ideas_draw_nothing", IDEA, IDEA + 'plotting.training_plot(title="A")\n', "draws"),
    ("exercises_are_whole", " (3 min)", "", "no minutes"),
    ("exercises_are_whole", '("your turn")', '("later")', "the stub raises"),
    ("exercises_are_whole", 'with check("4.2", ', 'with check("4.1", ', "the check begins"),
    ("exercises_are_whole", 'if not solved("4.2")', 'if not solved("4.1")', "the solution begins"),
    ("exercises_are_whole", '# %% tags=["check"]', "# %%", "follow the stub"),
    ("exercises_are_whole", '    np.testing', "    results, time = 1, 2\n    np.testing", "defines time"),
    ("core_path_is_one_sitting", "The tool.", "word " * 2600, "words, more than 2500"),
    ("core_path_is_one_sitting", " (3 min)", " (66 min)", "minutes, more than 60"),
    ("core_path_is_one_sitting", IDEA, "\n# %%\n".join(f"a{i} = 1\n" for i in range(31)), "open code cells"),
    ("core_path_is_one_sitting", IDEA, "".join(f"a{i} = {i}\n" for i in range(15)), "over 8 lines"),
    ("reader_writes", IDEA, "".join(f"a{i} = {i}\n" for i in range(9)), "the reader writes"),
    ("predicts_before_it_shows", "**Predict.** How", "How", "1 of 2 core sections"),
    ("ends_with_recall", "## Recall", "## Questions", "no section"),
    ("ends_with_recall", "<details><summary>5.", "5.", "4 questions"),
]


@pytest.mark.parametrize(
    ("rule", "old", "replacement", "says"),
    [pytest.param(*case, id=f"{case[0]}-{case[3]}") for case in CATCHES],
)
def test_a_rule_catches(course: Path, rule: str, old: str, replacement: str, says: str) -> None:
    edit(old, replacement)(course)
    found = broken_rules(course)
    assert any(says in problem for problem in found.get(rule, [])), found


def test_a_notebook_off_the_plan_is_told(course: Path) -> None:
    toy_course.add_notebook(course, "09", "Gamma")
    source = read_source(course / "notebooks" / "py" / "09_gamma.py")
    assert "not on the plan" in rules.header_names_what_exists(source, read_plan(course))[0]


def test_every_rule_has_a_case() -> None:
    assert {rule for rule, *_ in CATCHES} == {rule.__name__ for rule in rules.RULES}


def test_a_heavy_notebook_is_free_of_the_dose_only(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "HEAVY", {"04_alpha"})
    edit("The tool.", "word " * 2600)(course)
    assert broken_rules(course) == {}
    edit("## 4.2 Second", "## 4.9 Second")(course)
    assert set(broken_rules(course)) == {"headings_are_numbered"}


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "defines", "needs"),
    [
        ("a = b + c", {"a"}, {"b", "c"}),
        ("a = 1\nprint(a)", {"a"}, {"print"}),
        ("a = a + 1", {"a"}, {"a"}),
        ("for i in range(n):\n    t = i", {"i", "t"}, {"range", "n"}),
        ("s = [x for x in xs]", {"s"}, {"xs"}),
        ("def f(x):\n    y = x + g\n    return y", {"f"}, {"g"}),
        ("import numpy as np\nfrom a.b import c", {"np", "c"}, set()),
        ("h = lambda v: v * k", {"h"}, {"k"}),
        ("x[0] = y", set(), {"x", "y"}),
    ],
)
def test_what_a_cell_defines_and_needs(code: str, defines: set[str], needs: set[str]) -> None:
    assert stored(code) == defines
    assert needed(code) == needs


# --- minutes ----------------------------------------------------------------------------------


def test_minutes_are_counted_from_what_a_reader_meets(course: Path) -> None:
    source = read_source(course / "notebooks" / "py" / "04_alpha.py")
    core, whole = minutes.core(source), minutes.whole(source)
    assert (core.figures, core.predictions, core.exercises, core.formulas) == (2, 2, 3, 0)
    # two idea cells, of two lines and one; figures, evidence, solution, stub and check are not read as code
    assert (core.cells, core.lines) == (2, 3)
    assert whole.words == core.words + 5  # "4.3 Deeper ◇" and "Folded away." lie deeper
    assert core.questions == 5  # of its recall
    edit("The tool.", "word " * 752)(course)
    later = minutes.core(read_source(course / "notebooks" / "py" / "04_alpha.py"))
    assert later.words == core.words + 750
    assert later.minutes == core.minutes + 5  # at 150 words a minute


def test_a_question_is_told_from_a_hint() -> None:
    summaries = ("What comes <code>first</code>?", "Name two reasons.", "Hint", "References", "More on this")
    folded = "".join(f"<details><summary>{text}</summary>\n\nanswer\n</details>\n" for text in summaries)
    assert len(minutes.QUESTION.findall(folded)) == 2


@pytest.mark.parametrize(
    ("prose", "count"),
    [
        ("two words", 2),
        ("a formula $x + y$ and\n$$\na = b\n$$\nmore", 4),
        ("```python\nx = 1\n```\ncode", 1),
        ("<details><summary>Hint</summary>\n\nmany words\n</details> seen", 1),
        ("a [link](https://x.y/z)", 2),
    ],
)
def test_words_that_are_read(prose: str, count: int) -> None:
    assert minutes.words(prose) == count


# --- a new notebook ---------------------------------------------------------------------------


def test_a_new_notebook_obeys_the_rules_but_for_its_plan(course: Path, capsys: Any) -> None:
    plan = course / "notebooks" / "course.toml"
    plan.write_text(plan.read_text() + '\n[[part]]\ntitle = "P"\nnotebooks = ["00_start_here"]\n')
    assert new.main(["7", "planned"], course) == 0
    source = read_source(course / "notebooks" / "py" / "07_planned.py")
    found = {rule.__name__: rule(source, read_plan(course)) for rule in rules.RULES}
    assert {name for name, problems in found.items() if problems} == {"ends_with_recall"}
    assert [exercise.id for exercise in source.exercises] == ["7.1"]
    for folder in ("wrong_answers", "right_answers"):
        assert "# %% 7.1 " in (course / "tests" / folder / "07_planned.py").read_text()
    before = source.path.read_bytes()
    with pytest.raises(SystemExit):
        new.main(["7", "planned"], course)
    with pytest.raises(SystemExit):
        new.main(["8", "unheard_of"], course)
    assert source.path.read_bytes() == before


def test_a_source_without_a_plan_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("# %%\n1\n")
    with pytest.raises(SourceError, match="named NN_stem"):
        read_source(tmp_path / "x.py")


# --- what a run left --------------------------------------------------------------------------


def run_notebook() -> NotebookNode:
    figure = new_output("display_data", data=PNG, metadata={"image/png": {"alt": "A line rises to one."}})
    said = new_output("stream", name="stdout", text="✓ a: 1 (promised ≥ 0)\n")
    cells = [
        new_code_cell("plt.show()", execution_count=1, outputs=[figure, figure]),
        new_code_cell("claim('a', 1, at_least=0)", execution_count=2, outputs=[said]),
    ]
    course = {"number": "04", "profile": "standard", "data_source": "real", "seconds": 10}
    course["peak_memory_mb"] = 100
    return new_notebook(cells=cells, metadata={"course": course})


def _facts(**facts: object) -> Callable[[NotebookNode], object]:
    return lambda built: built.metadata.course.update(facts)


def _print(text: str) -> Callable[[NotebookNode], object]:
    return lambda built: built.cells[1].outputs.append(new_output("stream", name="stdout", text=text))


def _error(built: NotebookNode) -> None:
    built.cells[1].outputs.append(new_output("error", ename="ValueError", evalue="no", traceback=[]))


def _clear(built: NotebookNode) -> None:
    for cell in built.cells:
        cell.outputs = []


RUN_CATCHES: list[tuple[str, Callable[[NotebookNode], object], str]] = [
    ("ran_from_top_to_bottom", lambda built: built.cells[1].update(execution_count=None), "None"),
    ("ran_from_top_to_bottom", lambda built: built.cells[1].update(execution_count=7), "7"),
    ("ran_from_top_to_bottom", _error, "ValueError"),
    ("ran_from_top_to_bottom", _clear, "no outputs"),
    ("ran_standard_on_real_data", _facts(profile="quick"), "quick"),
    ("ran_standard_on_real_data", _facts(data_source="bundled"), "bundled"),
    ("fits_a_small_machine", _facts(seconds=241), "241 s"),
    ("fits_a_small_machine", _facts(peak_memory_mb=1501), "1501 MB"),
    ("fits_a_small_machine", _facts(number="17", peak_memory_mb=2001), "2001 MB"),
    ("outputs_name_no_machine", _print("saved in /home/" + "me/course"), "/home/"),
    ("outputs_name_no_machine", _print("C:" + "\\Users\\me"), "C:"),
    ("outputs_name_no_machine", _print("/tmp/" + "ipykernel_12/3.py:1: UserWarning"), "ipykernel"),
    ("has_figures", lambda built: built.cells[0].update(outputs=[]), "0 figures"),
    ("figures_can_be_heard", lambda built: built.cells[0].outputs[0].metadata.clear(), "the text ''"),
    ("prints_little", _print("epoch\n" * 2501), "characters"),
    ("file_is_small", _print("x" * 1_500_000), "MB"),
    ("claims_hold", _print("✗ a: 0.1 (promised ≥ 0.9): FAILS\n"), "FAILS"),
    ("claims_hold", lambda built: built.cells[1].update(outputs=[]), "nothing is printed"),
]


def test_a_good_run_breaks_no_rule() -> None:
    assert [problem for rule in run_rules.RULES for problem in rule(run_notebook())] == []


@pytest.mark.parametrize(("rule", "break_it", "says"), RUN_CATCHES)
def test_a_rule_on_runs_catches(rule: str, break_it: Callable[[NotebookNode], object], says: str) -> None:
    built = run_notebook()
    break_it(built)
    found = next(one for one in run_rules.RULES if one.__name__ == rule)(json_copy(built))
    assert any(says in problem for problem in found), found


def json_copy(built: NotebookNode) -> NotebookNode:
    import nbformat

    return nbformat.from_dict(json.loads(json.dumps(built)))


def test_every_rule_on_runs_has_a_case() -> None:
    assert {rule for rule, *_ in RUN_CATCHES} == {rule.__name__ for rule in run_rules.RULES}
