"""What a check says of the stub, of half an answer, of a right and a wrong one; and claims."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

from course_utils import check, claim, exercises, solved

STUB = "def f(x):\n    '''Twice x.'''\n    raise NotImplementedError('your turn')\n"
ANSWER = "def f(x):\n    return 2 * x\n"
CHECK = "with check('1.1', 'twice'):\n    assert f(2) == 4, f'{f(2)}, not 4'\n"
SOLUTION = "if not solved('1.1'):\n    def f(x):\n        return x + x\n    whose = 'course'\n"


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    monkeypatch.setattr(exercises, "results", {})
    monkeypatch.setattr(exercises, "_solution_files", {})
    monkeypatch.setattr(exercises, "_asked", {})
    monkeypatch.setattr(exercises, "_stubs", {})
    return exercises.results


@pytest.fixture
def run(results: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Any:
    """Run cells as a kernel does, each under a file name made of its text; returns what they print."""
    names: dict[str, Any] = {"__name__": "__main__", "check": check, "solved": solved, "np": np}

    def cells(*sources: str) -> str:
        for source in sources:
            exec(compile(source, f"cell {hash(source)}", "exec"), names)
        return capsys.readouterr().out

    cells.names = names  # type: ignore[attr-defined]
    return cells


NAME = "Exercise 1.1 · twice"


@pytest.mark.parametrize(
    ("answer", "state", "printed"),
    [
        (ANSWER, "correct", f"✓ {NAME}: correct\n"),
        (STUB, "not attempted", f"○ {NAME}: not attempted yet\n"),
        ("def f(x):\n    return x", "wrong", f"✗ {NAME}: not yet\n  2, not 4\n"),
        ("def f(x):\n    return 1 / 0", "wrong", f"✗ {NAME}: not yet\n  ZeroDivisionError: div"),
        ("def f(x):\n    assert False", "wrong", f"✗ {NAME}: not yet\n  the check's assertion does not hold"),
        # another library's error of the same kind is no stub
        ("def f(x):\n    raise NotImplementedError('no `call`')", "wrong", f"✗ {NAME}: not yet\n  NotImpl"),
        ("def f(x):\n    y = x\n    raise NotImplementedError('your turn')", "partly done", f"◐ {NAME}"),
        (f"{STUB}\ndef g(x):\n    return 2 * x", "partly done", f"◐ {NAME}: partly done; `f` is still"),
        (f"{STUB}\n{STUB.replace('f(x)', 'g(x)')}", "not attempted", f"○ {NAME}: not attempted yet\n"),
        ("def f(x):\n    return factor * x", "wrong", f"✗ {NAME}: not yet\n  NameError: name 'factor'"),
    ],
)  # fmt: skip
def test_a_check_says_how_it_stands_and_goes_on(
    run: Any, results: dict[str, str], answer: str, state: str, printed: str
) -> None:
    assert run(answer, CHECK).startswith(printed)
    assert results == {"1.1": state}


def test_a_class_with_half_its_methods_is_partly_done(run: Any, results: dict[str, str]) -> None:
    stub = "class F:\n    def fit(self): raise NotImplementedError('your turn')\n"
    stub += "    def use(self): raise NotImplementedError('your turn')\n"
    test = "with check('1.1', 'twice'):\n    F().fit()\n    F().use()\n"
    assert "not attempted" in run(stub, test)
    assert "◐" in run(stub.replace("raise NotImplementedError('your turn')", "return 1", 1), test)


def test_an_answer_in_another_cell_than_its_stub_is_partly_done(run: Any, results: dict[str, str]) -> None:
    stubs = f"{STUB}def g(x):\n    raise NotImplementedError('your turn')\n"
    test = "with check('1.1', 'twice'):\n    assert f(2) == 4\n    g(1)\n"
    assert "not attempted" in run(stubs, test)
    assert "◐" in run("def f(x):\n    return 2 * x", test)


def test_after_a_restart_the_cells_above_are_missing_not_the_answer(
    run: Any, results: dict[str, str]
) -> None:
    said = run(ANSWER, CHECK.replace("f(2) == 4", "f(two) == 4"))
    assert said.startswith(f"○ {NAME}: `two` is not defined here. Run the cells above first")
    assert "`f` is not defined" in run("del f", CHECK)
    assert results == {"1.1": "not ready"}
    assert "If a cell above defines `helper`" in run("def f(x):\n    return helper(x)", CHECK)


def test_a_check_says_by_how_much_and_stays_short(run: Any) -> None:
    test = "with check('1.1', 'a'):\n    np.testing.assert_allclose(np.arange(1e3), np.arange(1e3) + 1e-3)\n"
    said = run(test)
    assert "Mismatched elements: 1000 / 1000" in said and "Max absolute difference" in said
    assert "0.001" in said  # the arrays themselves look the same
    assert len(said.splitlines()) <= 9


def test_a_check_shows_rows_of_both_arrays(run: Any) -> None:
    compared = "a = np.ones((9, 3))\n    np.testing.assert_allclose(a / 4, a, err_msg='dL/dz')\n"
    said = run("with check('1.1', 'a'):\n    " + compared)
    assert said.splitlines()[1].strip() == "dL/dz"
    assert said.count("0.25, 0.25, 0.25") == said.count("1., 1., 1.") == 2


def test_a_check_lets_the_reader_interrupt(run: Any, results: dict[str, str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        run("def f(x):\n    raise KeyboardInterrupt", CHECK)
    assert results == {}


@pytest.mark.parametrize("answer", [ANSWER, STUB, "def f(x):\n    return x", f"{STUB}def g(): return 1"])
def test_a_strict_check_raises_what_is_attempted_and_not_right(
    run: Any, results: dict[str, str], monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setenv("COURSE_STRICT", "1")
    if answer in (ANSWER, STUB):
        run(answer, CHECK)
        assert results["1.1"] in ("correct", "not attempted")
    else:
        with pytest.raises((AssertionError, NotImplementedError)):
            run(answer, CHECK)
        assert results["1.1"] in ("wrong", "partly done")


# --- the course's solution --------------------------------------------------------------------


def test_the_notebook_goes_on_with_the_reader_s_function_once_it_passes(run: Any) -> None:
    run(STUB, CHECK, SOLUTION)
    assert run.names["f"](2) == 4 and run.names.pop("whose") == "course"
    run(ANSWER, CHECK, SOLUTION)
    assert "whose" not in run.names and run.names["f"]("a") == "aa"
    run("def f(x):\n    return x", CHECK, SOLUTION)  # spoiled again
    assert run.names["whose"] == "course" and run.names["f"](2) == 4


def test_the_course_s_solution_is_not_taken_for_the_reader_s(run: Any, results: dict[str, str]) -> None:
    run(STUB, CHECK, SOLUTION)
    assert "this was the course's solution" in run(CHECK)
    assert results == {"1.1": "not attempted"}
    assert "correct" in run(ANSWER, CHECK)


@pytest.mark.parametrize("packed", [False, True])
def test_helpers_and_other_names_of_the_solution_do_not_stand_for_the_answer(run: Any, packed: bool) -> None:
    """They outlive the solution cell; the reader's own answer must still be taken for the reader's."""
    body = "def helper(x):\n    return x + x\ndef f(x):\n    return helper(x)\n"
    cell = "if not solved('1.1'):\n    " + body.replace("\n", "\n    ").rstrip() + "\n"
    if packed:
        run.names["course_utils"] = types.SimpleNamespace(exercises=exercises)
        cell = f"if not solved('1.1'):\n    course_utils.exercises.unpack({exercises.pack(body)!r})\n"
    for _ in range(2):  # Run All, and again
        run(STUB, CHECK, cell, "again = f")
    assert "this was the course's solution" in run(CHECK)
    assert "✓" in run(ANSWER, CHECK)


def test_a_packed_solution_works_as_an_open_one(run: Any, results: dict[str, str]) -> None:
    run.names["course_utils"] = types.SimpleNamespace(exercises=exercises)
    text = exercises.pack("def f(x):\n    return x + x\n")
    cell = f"if not solved('1.1'):\n    course_utils.exercises.unpack({text!r})\n"
    assert "x + x" not in text
    run(STUB, CHECK, cell)
    assert run.names["f"](2) == 4
    assert "this was the course's solution" in run(CHECK)


# --- claims -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "line"),
    [
        ({"at_most": 1}, "✓ error: 0.5 (promised ≤ 1)\n"),
        ({"at_least": 0.5}, "✓ error: 0.5 (promised ≥ 0.5)\n"),
        ({"at_least": 0.6}, "✗ error: 0.5 (promised ≥ 0.6): FAILS\n"),
        ({"at_most": 0.1, "applies": False}, "· error: 0.5 (promised ≤ 0.1): not judged with this data and"),
    ],
)
def test_a_claim_is_printed_with_its_promise(
    bounds: dict[str, Any], line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    claim("error", 0.5, **bounds)
    assert capsys.readouterr().out.startswith(line)


def test_a_strict_claim_raises_only_where_it_applies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_STRICT", "1")
    claim("error", 2, at_most=1, applies=False)
    with pytest.raises(AssertionError, match="error: 2"):
        claim("error", 2, at_most=1)
    with pytest.raises(AssertionError, match="nan"):
        claim("error", float("nan"), at_most=1)


def test_a_claim_needs_one_bound() -> None:
    for bounds in ({}, {"at_least": 0, "at_most": 1}):
        with pytest.raises(TypeError, match="exactly one"):
            claim("error", 0.5, **bounds)
