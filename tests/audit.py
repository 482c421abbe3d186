"""The exercise audit: does every check accept what is right and refuse everything else?

The code cells on which a notebook's exercises depend run in order, in this process. At each exercise the
check judges the stub, the solution, right answers in another style, the solution with its arguments
overwritten afterwards, written-down wrong answers and automatic mutants of the solution, each from the same
state, which is put back afterwards.
`python tests/audit.py 06` prints the verdicts for an author.
"""

import ast
import builtins
import contextlib
import copy
import io
import linecache
import os
import random
import re
import signal
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mutants import mutants
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from course_utils import exercises  # noqa: E402
from tools.names import needed, stored  # noqa: E402
from tools.source import Exercise, read_source, role  # noqa: E402

SOURCES = ROOT / "notebooks" / "py"
WRONG_ANSWERS = ROOT / "tests" / "wrong_answers"
RIGHT_ANSWERS = ROOT / "tests" / "right_answers"

LEAST_CAUGHT = 0.9  # share of the mutants of a notebook
LEAST_CAUGHT_EACH = 0.8  # share of the mutants of one exercise
LEAST_WRONG_ANSWERS = 2  # per exercise
LEAST_RIGHT_ANSWERS = 1  # per exercise, in another style than the solution's
LEAST_EXERCISES = 3  # per notebook
REPEATS = 3  # a verdict must not hang on what the generator draws
SECONDS = 30.0  # for a stub, a solution or a wrong answer


# --- the notebook ---------------------------------------------------------------------------------


@dataclass
class Case:
    """An exercise, and the answers to it that are known to be wrong or right: description -> source."""

    exercise: Exercise
    wrong: dict[str, str] = field(default_factory=dict)
    right: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.exercise.id


def read_answers(path: Path) -> list[tuple[str, str, str]]:
    """(exercise, description, source) of the cells of a file of answers.

    `# %% 6.4 forgets to divide by the batch size`, then the source; or in one line, for the solution with one
    piece of its text replaced: `# %% 6.4 a mean over the batch: .sum( → .mean(`, without a source.
    """
    text = path.read_text(encoding="utf8") if path.exists() else ""
    _, *parts = re.split(r"^# %% (\S+) +(.+)$", text, flags=re.MULTILINE)
    return list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))


def answer_source(exercise: Exercise, description: str, source: str) -> str:
    """The source of an answer that is perhaps given as one replacement in the solution."""
    if source.strip():
        return source
    old, _, new = description.partition(": ")[2].partition(" → ")
    if not old or exercise.answer.count(old.strip()) == 0:
        raise ValueError(f"{exercise.id}: {old.strip()!r} does not occur in the solution ({description})")
    return exercise.answer.replace(old.strip(), new.strip(), 1)


# --- running --------------------------------------------------------------------------------------


class TooSlow(BaseException):
    """Outside Exception, so that neither a check nor an answer swallows it."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow in the block after `seconds`, where the system has interval timers."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def expired(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # again each second, should a library drop the first
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Namespace:
    """The kernel that a notebook sees, in this process: one module that its cells run in."""

    def __init__(self, name: str) -> None:
        self.module = types.ModuleType(f"notebook_{name}")
        self.names = self.module.__dict__
        # pickle and dataclasses look classes up by their module
        sys.modules[self.module.__name__] = self.module
        self.names.update(__builtins__=builtins, get_ipython=lambda: None, display=lambda *_, **__: None)

    def run(self, source: str, label: str) -> str:
        """Execute a cell's source; returns what it printed."""
        filename = f"<{self.module.__name__} {label}>"
        # tracebacks, inspect and tf.function read the source here
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        printed = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            warnings.simplefilter("ignore")
            exec(compile(source, filename, "exec"), self.names)
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close("all")
        return printed.getvalue()

    def snapshot(self) -> Callable[[], None]:
        """Remember the state; the function returned puts a fresh copy of it back.

        Copied are arrays, generators, containers and instances of the notebook's own classes, and those
        classes' attributes; models, modules and figures are shared.
        """
        own = self.module.__name__
        kept = _copy(self.names, own, {})
        classes = [c for c in self.names.values() if isinstance(c, type) and c.__module__ == own]
        attributes = [(c, dict(vars(c))) for c in classes]
        generators = (random.getstate(), np.random.get_state())

        def restore() -> None:
            self.names.clear()
            self.names.update(_copy(kept, own, {}))
            for owner, before in attributes:
                for name in set(vars(owner)) - set(before):
                    delattr(owner, name)
                for name, value in before.items():
                    if vars(owner).get(name) is not value:
                        setattr(owner, name, value)
            random.setstate(generators[0])
            np.random.set_state(generators[1])

        return restore


def _copy(value: Any, own: str, memo: dict[int, Any]) -> Any:
    """A copy of what code could change in place; aliases stay aliases."""
    if id(value) in memo:
        return memo[id(value)]
    kind = type(value)
    if kind is np.ndarray and value.dtype != object:  # plt.subplots returns an array of axes
        made = memo[id(value)] = value.copy()
    elif kind is np.random.Generator:
        made = memo[id(value)] = copy.deepcopy(value)
    elif kind is list:
        made = memo[id(value)] = []
        made.extend(_copy(item, own, memo) for item in value)
    elif kind is dict:
        made = memo[id(value)] = {}
        made.update((key, _copy(item, own, memo)) for key, item in value.items())
    elif kind is tuple:
        made = memo[id(value)] = tuple(_copy(item, own, memo) for item in value)
    elif kind is set:
        made = memo[id(value)] = {_copy(item, own, memo) for item in value}
    elif kind.__module__ == own and hasattr(value, "__dict__"):
        made = memo[id(value)] = object.__new__(kind)
        made.__dict__.update(_copy(vars(value), own, memo))
    else:
        return value
    return made


@dataclass
class Outcome:
    """What the check of one exercise said."""

    id: str
    wrong_answers: int = 0
    right_answers: int = 0
    mutants: int = 0
    survivors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def caught(self) -> int:
        return self.mutants - len(self.survivors)


@dataclass
class Report:
    """The audit of one notebook; it passes when there are no problems."""

    name: str
    outcomes: list[Outcome] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.name:<30} wrong  right  mutants  caught  seconds"]
        for o in self.outcomes:
            numbers = f"{o.wrong_answers:>5}  {o.right_answers:>5}  {o.mutants:>7}  {o.caught:>6}"
            numbers += f"  {o.seconds:>7.1f}"
            lines.append(f"  exercise {o.id:<19} {numbers}")
            lines += [f"    survives: {text}" for text in o.survivors]
        mutants, caught = self.totals()
        return "\n".join([*lines, f"  {caught} of {mutants} mutants caught"])

    def totals(self) -> tuple[int, int]:
        """Mutants made and caught over the whole notebook."""
        return sum(o.mutants for o in self.outcomes), sum(o.caught for o in self.outcomes)


def audit(notebook: Path, wrong_answers: Path, right_answers: Path) -> Report:
    """Run a notebook's source and judge each exercise. Set COURSE_PROFILE and the like beforehand."""
    source = read_source(notebook)
    report = Report(notebook.stem, problems=list(source.problems))
    cases = {exercise.id: Case(exercise) for exercise in source.exercises}
    for path, kind in ((wrong_answers, "wrong"), (right_answers, "right")):
        for exercise_id, description, text in read_answers(path):
            if exercise_id not in cases:
                report.problems.append(f"{exercise_id}: a {kind} answer ({description}) to no such exercise")
                continue
            try:
                answer = answer_source(cases[exercise_id].exercise, description, text)
            except ValueError as error:
                report.problems.append(str(error))
                continue
            getattr(cases[exercise_id], kind)[description] = answer
    namespace = Namespace(notebook.stem)
    # a kernel never compiles two cells under one name; several audits in one process do
    for noted in (exercises.results, exercises._solution_files, exercises._asked, exercises._stubs):
        noted.clear()
    for number, cell in depended_on(source.code, cases):  # the others are nbval's to run
        if role(cell) == "exercise" and cell.metadata.get("exercise") in cases:
            report.outcomes.append(_judge(namespace, cases[cell.metadata["exercise"]], report.problems))
        try:
            namespace.run(cell.source, f"cell {number}")
        except Exception as error:
            if "raises-exception" not in cell.metadata.get("tags", []):
                report.problems.append(f"code cell {number} raises {type(error).__name__}: {error}")
                break
    _weigh(report)
    return report


def depended_on(code: Sequence[NotebookNode], cases: Mapping[str, Case]) -> list[tuple[int, NotebookNode]]:
    """The exercises' cells and those that define a name which they, or such a cell, need; numbered."""
    names: set[str] = set()
    found: list[tuple[int, NotebookNode]] = []
    for number, cell in reversed(list(enumerate(code, 1))):
        case = cases.get(cell.metadata.get("exercise", ""))
        if case or role(cell) == "setup" or (role(cell) != "figure" and names & stored(cell.source)):
            found.append((number, cell))
            answers = [*case.wrong.values(), *case.right.values()] if case else []
            for text in (cell.source, *answers):
                names |= _needed(text)
    return found[::-1]


def _needed(code: str) -> set[str]:
    try:
        return needed(code)
    except SyntaxError:  # an answer's own problem, told when it runs
        return set()


# Runs after an answer: what its functions were given is overwritten once they have returned, as by a reader
# who works in place. (A check that forbids it must say so.)
SPOIL = """
def _spoil_arguments(function):
    import contextlib, copy, functools
    import numpy as np

    def overwrite(value):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.flags.writeable:
            value[...] = -7.25
        elif isinstance(value, (list, tuple)):
            for item in value:
                overwrite(item)
        elif isinstance(value, dict):
            overwrite(list(value.values()))

    @functools.wraps(function)
    def spoiling(*arguments, **options):
        answer = function(*arguments, **options)
        kept = answer
        if isinstance(answer, (np.ndarray, tuple, list, dict, float)):
            with contextlib.suppress(TypeError):  # tensors of a program that is being compiled have no copy
                kept = copy.deepcopy(answer)
        overwrite([*arguments, *options.values()])
        return kept

    return spoiling
"""
FORBIDS = re.compile(r"as it was|as they were|unchanged|must not change|leave|in place|stay", re.IGNORECASE)


def spoiled(answer: str) -> str:
    """An answer whose functions leave nothing of the float arrays that they were given."""
    names = [node.name for node in ast.parse(answer).body if isinstance(node, ast.FunctionDef)]
    return answer + SPOIL + "".join(f"\n{name} = _spoil_arguments({name})" for name in names)


def _judge(namespace: Namespace, case: Case, problems: list[str]) -> Outcome:
    """Let the check judge the stub, the solution, right and wrong answers and the mutants."""
    start = time.perf_counter()
    exercise = case.exercise
    strict = os.environ.pop("COURSE_STRICT", None)  # a failed check would raise instead of saying why
    outcome = Outcome(case.id, len(case.wrong), len(case.right))
    restore = namespace.snapshot()
    original = dict(namespace.names)

    def verdicts(answer: str, repeats: int, seconds: float) -> tuple[set[str], str]:
        """The check's verdicts on an answer given after the stub, and the last thing it printed."""
        restore()
        said, printed = set(), ""
        exercises.results.pop(exercise.id, None)
        for repeat in range(repeats):
            try:
                with time_limit(seconds):
                    if repeat == 0:
                        namespace.run(exercise.stub, f"stub {exercise.id}")
                        namespace.run(answer, f"answer {exercise.id}")
                    printed = namespace.run(exercise.check, f"check {exercise.id}")
            except TooSlow:
                said.add("too slow")
                break
            except Exception as error:
                said.add(f"{type(error).__name__}: {error}")
                break
            said.add(exercises.results.get(exercise.id, f"nothing under the id {exercise.id}"))
        return said, printed.strip()

    def expect(wanted: set[str], answer: str, what: str) -> str:
        said, printed = verdicts(answer, REPEATS, SECONDS)
        if len(said) != 1 or not said <= wanted:
            got, right = " or ".join(sorted(said)), " or ".join(sorted(wanted))
            problems.append(f"{exercise.id}: {what} is judged {got}, not {right}\n    {printed}")
        return printed

    expect({"not attempted"}, "", "the stub")
    before = time.perf_counter()
    expect({"correct"}, exercise.answer, "the solution")
    patience = 1 + 10 * (time.perf_counter() - before)
    for description, answer in case.right.items():
        expect({"correct"}, answer, f"“{description}”")
    said, printed = verdicts(spoiled(exercise.answer), 1, SECONDS)
    if said != {"correct"} and not FORBIDS.search(printed + exercise.stub):
        problems.append(f"{exercise.id}: an answer that overwrites its arguments is refused:\n    {printed}")
    for description, answer in case.wrong.items():
        printed = expect({"wrong", "partly done"}, answer, f"“{description}”")
        if re.search(r"NameError|SyntaxError", printed):
            problems.append(f"{exercise.id}: “{description}” does not even run\n    {printed}")
    if hasattr(signal, "setitimer"):  # a mutant may loop for ever
        for text, mutant in mutants(exercise.answer):
            outcome.mutants += 1
            if verdicts(mutant, 1, patience)[0] == {"correct"}:
                outcome.survivors.append(text)
    restore()
    namespace.names.clear()
    namespace.names.update(original)
    exercises.results.pop(exercise.id, None)
    if strict is not None:
        os.environ["COURSE_STRICT"] = strict
    outcome.seconds = time.perf_counter() - start
    return outcome


def _weigh(report: Report) -> None:
    """Add a problem for every bound that the outcomes miss."""
    if len(report.outcomes) < LEAST_EXERCISES:
        report.problems.append(f"{len(report.outcomes)} exercises, fewer than {LEAST_EXERCISES}")
    for outcome in report.outcomes:
        if outcome.wrong_answers < LEAST_WRONG_ANSWERS:
            few = f"{outcome.wrong_answers} wrong answers, fewer than {LEAST_WRONG_ANSWERS}"
            report.problems.append(f"{outcome.id}: {few}")
        if outcome.right_answers < LEAST_RIGHT_ANSWERS:
            report.problems.append(f"{outcome.id}: no right answer in another style")
        if outcome.caught < LEAST_CAUGHT_EACH * outcome.mutants:
            report.problems.append(f"{outcome.id}: only {outcome.caught} of {outcome.mutants} mutants caught")
    total, caught = report.totals()
    if caught < LEAST_CAUGHT * total:
        report.problems.append(f"all exercises: only {caught} of {total} mutants caught")


def main() -> int:
    """Audit the notebooks whose names begin with the arguments, as the tests do."""
    os.environ.update(COURSE_PROFILE="quick", COURSE_OFFLINE="1", MPLBACKEND="Agg")
    os.environ.pop("COURSE_DATA_DIR", None)
    os.chdir(ROOT / "notebooks")
    failed = False
    for path in sorted(SOURCES.glob("*.py")):
        if any(path.name.startswith(wanted) for wanted in sys.argv[1:] or [""]):
            report = audit(path, WRONG_ANSWERS / path.name, RIGHT_ANSWERS / path.name)
            print(report, *report.problems, sep="\n")
            failed |= bool(report.problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
