"""Every exercise of every notebook: stub, solution, right and wrong answers, mutants, judged by its check.

These audits are slow truths: `make test NN=06` for one notebook, `make test-slow` for all.
The second half lets the audit loose on a made-up notebook, broken in one way at a time.
"""

import ast
import inspect
from pathlib import Path

import pytest
from audit import RIGHT_ANSWERS, ROOT, SOURCES, WRONG_ANSWERS, Namespace, Report, audit
from mutants import mutants


@pytest.fixture(autouse=True)
def in_notebooks_folder(monkeypatch):
    """The working directory of a kernel, and figures drawn nowhere."""
    monkeypatch.chdir(ROOT / "notebooks")
    monkeypatch.setenv("MPLBACKEND", "Agg")


@pytest.mark.slow
@pytest.mark.parametrize("stem", sorted(path.stem for path in SOURCES.glob("*.py")))
def test_exercises(stem, record_property):
    report = audit(*(folder / f"{stem}.py" for folder in (SOURCES, WRONG_ANSWERS, RIGHT_ANSWERS)))
    record_property("exercises", str(report))
    print(report)
    assert not report.problems, "\n".join(["", *report.problems, str(report)])


def test_every_file_of_answers_has_its_notebook():
    for folder in (WRONG_ANSWERS, RIGHT_ANSWERS):
        assert {p.stem for p in folder.glob("*.py")} <= {p.stem for p in SOURCES.glob("*.py")}


# --- can the audit fail? --------------------------------------------------------------------------

SETUP = """\
# ---
# jupyter:
#   course:
#     datasets: []
#     covers: "x"
#     prerequisites: []
#     ledger: []
# ---

# %% [markdown]
# # Made up

# %% tags=["setup"]
import numpy as np

from course_utils import check, solved

# %%

rng = np.random.default_rng(0)
data = rng.normal(size=(5, 3))


class Box:
    pass


box = Box()
box.count = 0
"""

EXERCISE = """
# %% [markdown]
# ### Exercise 1.{i} · center the columns (3 min)

# %% tags=["exercise"]
def center{i}(x):
    '''Subtract each column's mean. x: (n, d) -> (n, d)'''
    raise NotImplementedError("your turn")

# %% tags=["check"]
with check("1.{i}", "center the columns"):
    x = rng.normal(2, 1, size=(4, 3))
    np.testing.assert_allclose(center{i}(x.copy()), x - x.sum(axis=0) / 4)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Which axis holds the rows?
# </details>

# %% tags=["solution"]
#@title Solution 1.{i} · runs only while yours does not pass
if not solved("1.{i}"):
    def center{i}(x):
        return x - x.mean(axis=0)
"""

BETWEEN = """
# %%
assert data.any() and box.count == 0 and not hasattr(Box, "extra")
rng = rng  # the checks need it, so this cell runs
"""

WRONG = """
# %% 1.{i} subtracts the mean of everything
def center{i}(x):
    return x - x.mean()

# %% 1.{i} rows for columns
def center{i}(x):
    return x - x.mean(axis=1, keepdims=True)
"""

RIGHT = """
# %% 1.{i} in place
def center{i}(x):
    x -= x.mean(axis=0)
    return x
"""

NOTEBOOK = SETUP + BETWEEN.join(EXERCISE.format(i=i) for i in (1, 2, 3))
ANSWERS = "".join(WRONG.format(i=i) for i in (1, 2, 3))
GOOD = "".join(RIGHT.format(i=i) for i in (1, 2, 3))


def audit_text(folder: Path, notebook: str, answers: str, good: str = GOOD) -> Report:
    paths = [folder / "01_made_up.py", folder / "wrong.py", folder / "right.py"]
    for path, text in zip(paths, (notebook, answers, good), strict=True):
        path.write_text(text, encoding="utf8")
    return audit(*paths)


def test_a_sound_notebook_passes(tmp_path):
    report = audit_text(tmp_path, NOTEBOOK, ANSWERS)
    assert report.problems == []
    assert [(o.id, o.wrong_answers, o.right_answers, o.survivors) for o in report.outcomes] == [
        (f"1.{i}", 2, 1, []) for i in (1, 2, 3)
    ]
    assert all(o.mutants >= 4 for o in report.outcomes)
    assert "1.3" in str(report) and "15 of 15 mutants caught" in str(report)


def test_only_what_the_exercises_depend_on_runs(tmp_path):
    idle = "\n# %%\nraise SystemError('nobody needs this cell')\n"
    used = "\n# %%\nthree = 3\n"  # by a wrong answer alone
    answers = ANSWERS + "\n# %% 1.2 adds something\ndef center2(x):\n    return x - x.mean(axis=0) + three\n"
    assert audit_text(tmp_path, SETUP + idle + used + NOTEBOOK[len(SETUP) :], answers).problems == []


CHECK = "np.testing.assert_allclose(center1(x.copy()), x - x.sum(axis=0) / 4)"
WEAK = "assert center1(x).shape == (4, 3)"
DRAWN = "rng.normal(2, 1, size=(4, 3))"
STUB = 'raise NotImplementedError("your turn")'


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (CHECK, WEAK, "1.1: only 1 of 5 mutants caught"),
        (CHECK, WEAK, "all exercises: only 11 of 15 mutants caught"),
        (CHECK, WEAK, "1.1: “rows for columns” is judged correct, not partly"),
        (DRAWN, f"{DRAWN} * (rng.random() < 0.5)", "is judged correct or wrong, not"),
        ("return x - x.mean(axis=0)", "return x - x.mean()", "1.1: the solution is judged wrong"),
        (STUB, "return x", "1.1: the stub is judged wrong, not not attempted"),
        ('check("1.1", ', 'check("1.9", ', "1.1: the stub is judged nothing under the id 1.1"),
        ('tags=["check"]', "", "exercise 1.1: a check and a solution cell follow the stub"),
        ("center1(x.copy())", "center1(x)", "1.1: an answer that overwrites its arguments is refused"),
        ("    x = rng", "    data[:] = 0\n    x = rng", "code cell 6 raises AssertionError"),
        ('tags=["exercise"]', "", "2 exercises, fewer than 3"),
        ("rng.normal(size", "rng.nomral(size", "code cell 2 raises AttributeError"),
        ("# %% 1.1 rows", "# rows", "1.1: 1 wrong answers, fewer than 2"),
        ("# %% 1.1 rows", "# %% 1.7 rows", "1.7: a wrong answer (rows for columns) to no such exercise"),
        ("x - x.mean()", "x - mean(x)", "“subtracts the mean of everything” does not even run"),
        ("def center1(x):\n    return x - x.mean()", "center = 1", "is judged not attempted, not"),
        ("1.1 in place", "1.7 in place", "1.7: a right answer (in place) to no such exercise"),
        ("# %% 1.1 in place\ndef", "def", "1.1: no right answer in another style"),
    ],
)
def test_the_audit_complains(tmp_path, old, new, complaint):
    assert old in NOTEBOOK + ANSWERS + GOOD
    notebook = NOTEBOOK.replace(old, new, 1)
    answers = ANSWERS if notebook != NOTEBOOK else ANSWERS.replace(old, new, 1)
    good = GOOD if answers != ANSWERS or notebook != NOTEBOOK else GOOD.replace(old, new, 1)
    problems = audit_text(tmp_path, notebook, answers, good).problems
    assert any(complaint in problem for problem in problems), problems


def test_a_wrong_answer_can_be_one_replacement(tmp_path):
    line = "# %% 1.1 a mean over the rows: axis=0 → axis=1\n"
    assert audit_text(tmp_path, NOTEBOOK, line + ANSWERS).outcomes[0].wrong_answers == 3
    gone = "# %% 1.1 a typo: axis=2 → axis=1\n"
    assert "'axis=2' does not occur" in audit_text(tmp_path, NOTEBOOK, gone + ANSWERS).problems[0]


def test_a_check_may_forbid_to_overwrite_and_says_so(tmp_path):
    strict = "kept = x.copy()\n    got = center1(x)\n"
    strict += "    np.testing.assert_array_equal(x, kept, 'x must stay as it was')\n"
    strict += "    np.testing.assert_allclose(got, x - x.sum(axis=0) / 4)"
    notebook = NOTEBOOK.replace(CHECK, strict)
    good = GOOD.replace("x -= x.mean(axis=0)", "x = x - x.mean(0)")
    assert audit_text(tmp_path, notebook, ANSWERS, good).problems == []


def test_an_answer_leaves_no_trace(tmp_path):
    """What an answer did to arrays, instances and classes is undone before the next cell runs."""
    meddling = "def center1(x):\n    data[:] = 0; box.count += 1; Box.extra = 1\n    return x\n"
    assert audit_text(tmp_path, NOTEBOOK, f"# %% 1.1 meddles\n{meddling}{ANSWERS}").problems == []


def test_an_endless_answer_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("audit.SECONDS", 0.5)
    endless = "def center1(x):\n    while True:\n        pass\n"
    problems = audit_text(tmp_path, NOTEBOOK, f"# %% 1.1 loops\n{endless}{ANSWERS}").problems
    assert len(problems) == 1 and "“loops” is judged too slow" in problems[0]


def test_a_snapshot_keeps_aliases():
    namespace = Namespace("aliases")
    namespace.run("import numpy as np\na = np.zeros(2)\nholds = [a, {'a': a}]", "cell 1")
    restore = namespace.snapshot()
    namespace.run("a += 1", "cell 2")
    restore()
    namespace.run("assert not a.any() and holds[0] is a and holds[1]['a'] is a", "cell 3")


# --- mutants --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("y = a + b", {"y = a - b", "y = a", "y = b", "pass"}),
        ("y = a @ b.T", {"y = b.T @ a", "y = a @ b", "pass"}),
        (
            "y = x.sum(axis=0, keepdims=True)",
            {
                "y = x.mean(axis=0, keepdims=True)",
                "y = x.sum(axis=1, keepdims=True)",
                "y = x.sum(axis=0, keepdims=False)",
                "pass",
            },
        ),
        ("f(np.argmax(x, axis=-1))", {"f(np.argmin(x, axis=-1))", "f(np.argmax(x, axis=0))", "pass"}),
        ("y += np.sqrt(x)", {"y -= np.sqrt(x)", "y = np.sqrt(x)", "y += x", "pass"}),
        (
            "y = -x if a < 0 and b else x",
            {
                "y = x if a < 0 and b else x",
                "y = -x if a < 0 or b else x",
                "y = -x if a <= 0 and b else x",
                "y = -x if a > 0 and b else x",
                "y = -x if a < 1 and b else x",
                "y = -x if a < -1 and b else x",
                "pass",
            },
        ),
        ("y = list(range(n))", {"y = list(range(n + 1))", "y = list(range(n - 1))", "pass"}),
        (
            "def f(x, h=1):\n    return (x, h)",
            {
                "def f(x, h=2):\n    return (x, h)",
                "def f(x, h=0):\n    return (x, h)",
                "def f(x, h=1):\n    return (h, x)",
            },
        ),
        ("def f(x, y):\n    return g(y)", {f"def f(x, y):\n    return {name}" for name in "xy"}),
        ("def f(x: 'a' = None) -> 1:\n    'Doc 1'\n    raise ValueError('a' + 1)", set()),
    ],
)
def test_the_mutants_of_a_statement(source, expected):
    assert {mutant for _, mutant in mutants(source)} == expected


def test_mutants_are_distinct_valid_and_the_same_every_time():
    source = inspect.getsource(test_the_audit_complains)
    found = mutants(source, most=10)
    assert found == mutants(source, most=10)
    assert len({mutant for _, mutant in found}) == len(found) == 10 < len(mutants(source))
    original = ast.unparse(ast.parse(source))
    for text, mutant in found:
        assert ast.unparse(ast.parse(mutant)) != original
        assert "→" in text
