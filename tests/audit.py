"""The exercise audit: does every check accept the solution and refuse everything else?

A notebook's code cells run in order, in this process. At each exercise the check judges the stub, the
printed solution, the written-down wrong answers and automatic mutants of the solution, each from the same
state, which is put back afterwards. `python tests/audit.py 06` prints the verdicts for an author.
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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import numpy as np

from course_utils import exercises

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "notebooks" / "py"
WRONG_ANSWERS = ROOT / "tests" / "wrong_answers"

MOST_MUTANTS = 60  # per exercise
LEAST_CAUGHT = 0.9  # share of the mutants of a notebook
LEAST_CAUGHT_EACH = 0.8  # share of the mutants of one exercise
LEAST_WRONG_ANSWERS = 2  # per exercise
LEAST_EXERCISES = 3  # per notebook
REPEATS = 3  # a verdict must not hang on what the generator draws
SECONDS = 30.0  # for a stub, a solution or a wrong answer


# --- the notebook ---------------------------------------------------------------------------------


@dataclass
class Exercise:
    """One exercise: the sources of its three cells, and the answers known to be wrong."""

    id: str
    stub: str
    check: str
    solution: str
    wrong: dict[str, str] = field(default_factory=dict)  # description -> source


@dataclass
class Cell:
    """A code cell; `exercise` is set on a stub, whose check is the next code cell."""

    source: str
    may_raise: bool = False
    exercise: Exercise | None = None


def read_notebook(path: Path) -> tuple[list[Cell], list[str]]:
    """The code cells of a percent-format source, and what is wrong with its exercises."""
    cells = jupytext.reads(path.read_text(encoding="utf8"), fmt="py:percent").cells
    code: list[Cell] = []
    problems: list[str] = []
    heading = ""
    for i, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            titles = re.findall(r"^### Exercise (\S+)", cell.source, re.MULTILINE)
            heading = titles[-1] if titles else heading
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        tags = cell.metadata.get("tags", [])
        code.append(Cell(cell.source, "raises-exception" in tags or "NBVAL_RAISES_EXCEPTION" in cell.source))
        if "exercise" not in tags:
            continue
        after = cells[i + 1 :]
        check = next((c for c in after if c.cell_type == "code"), None)
        if check is None or "check" not in check.metadata.get("tags", []):
            problems.append(f"{heading}: the code cell after the stub is not tagged check")
        elif not (solution := _solution(after[after.index(check) + 1 :])):
            problems.append(f"{heading}: no ```python block under a <summary>Solution</summary>")
        else:
            code[-1].exercise = Exercise(heading, cell.source, check.source, solution)
    return code, problems


def _solution(cells: Iterable[Any]) -> str:
    """The first python block of the collapsed solution in the markdown that follows a check."""
    text = ""
    for cell in cells:
        if cell.cell_type == "code":
            break
        text += cell.source + "\n"
    found = re.search(r"<summary>Solution.*?</summary>.*?```python\n(.*?)```", text, re.DOTALL)
    return found[1] if found else ""


def read_wrong_answers(path: Path) -> list[tuple[str, str, str]]:
    """(exercise, description, source) of the cells `# %% 6.4 forgets to divide by the batch size`."""
    text = path.read_text(encoding="utf8") if path.exists() else ""
    _, *parts = re.split(r"^# %% (\S+) +(.+)$", text, flags=re.MULTILINE)
    return list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))


# --- mutants --------------------------------------------------------------------------------------

OTHER_OPERATOR: dict[type, list[ast.operator]] = {
    ast.Add: [ast.Sub()], ast.Sub: [ast.Add()], ast.Mult: [ast.Div()], ast.Div: [ast.Mult()],
    ast.FloorDiv: [ast.Mult()], ast.Mod: [ast.FloorDiv()], ast.Pow: [ast.Mult()],
}  # fmt: skip
OTHER_COMPARISON: dict[type, list[ast.cmpop]] = {
    ast.Lt: [ast.LtE(), ast.Gt()], ast.LtE: [ast.Lt(), ast.GtE()], ast.Gt: [ast.GtE(), ast.Lt()],
    ast.GtE: [ast.Gt(), ast.LtE()], ast.Eq: [ast.NotEq()], ast.NotEq: [ast.Eq()],
    ast.In: [ast.NotIn()], ast.NotIn: [ast.In()], ast.Is: [ast.IsNot()], ast.IsNot: [ast.Is()],
}  # fmt: skip
PAIRS = [
    ("sum", "mean"), ("max", "min"), ("argmax", "argmin"), ("maximum", "minimum"), ("zeros", "ones"),
    ("zeros_like", "ones_like"), ("reduce_sum", "reduce_mean"), ("reduce_max", "reduce_min"),
]  # fmt: skip
OTHER_NAME = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
DROPPED_CALLS = {"sqrt", "exp", "log", "abs", "square"}
NOT_MUTATED = {"annotation", "returns", "decorator_list"}  # fields that do not change what is computed


def mutants(source: str, most: int = MOST_MUTANTS) -> list[tuple[str, str]]:
    """Sources with one small mistake each, after the line that changed; the same ones every time.

    Docstrings, annotations, messages and raised errors are left alone. Of more than `most` an evenly
    spaced selection is kept.
    """
    tree = ast.parse(source)
    original = ast.unparse(tree)
    found: dict[str, str] = {}  # mutated source -> what changed
    for holder, name, index, neighbors in list(_places(tree)):
        node = getattr(holder, name) if index is None else getattr(holder, name)[index]
        for variant in _variants(node, neighbors):
            _put(holder, name, index, variant)
            mutant = ast.unparse(ast.fix_missing_locations(tree))
            if mutant != original and mutant not in found:
                found[mutant] = _difference(original, mutant)
        _put(holder, name, index, node)
    every = [(text, mutant) for mutant, text in found.items()]
    return every if len(every) <= most else [every[i * len(every) // most] for i in range(most)]


def _put(holder: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(holder, name, node)
    else:
        getattr(holder, name)[index] = node


Place = tuple[ast.AST, str, int | None, tuple[str, ...]]


def _places(node: ast.AST, neighbors: tuple[str, ...] = ()) -> Iterator[Place]:
    """Every place that holds a node: its holder, field and index, and the local names in scope."""
    if isinstance(node, ast.FunctionDef):
        names = [a.arg for a in node.args.args if a.arg != "self"]
        names += [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        neighbors = tuple(dict.fromkeys(names))
    for name, value in ast.iter_fields(node):
        if name in NOT_MUTATED or isinstance(node, ast.Raise | ast.JoinedStr):
            continue
        if isinstance(node, ast.keyword) and node.arg == "axis":
            continue  # changed as a whole: axis=-1 and axis=1 are often the same
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield node, name, index, neighbors
                yield from _places(child, neighbors)


def _variants(node: ast.AST, neighbors: tuple[str, ...]) -> Iterator[ast.AST]:
    """What a slip could have put in the place of `node`."""
    match node:
        case ast.BinOp(left, ast.MatMult() as operator, right):
            yield ast.BinOp(right, operator, left)
        case ast.BinOp(left, operator, right):
            for other in OTHER_OPERATOR.get(type(operator), []):
                yield ast.BinOp(left, other, right)
            yield left  # the other factor or term was forgotten
            if isinstance(operator, ast.Mult | ast.Add):
                yield right
            if isinstance(operator, ast.Sub):
                yield ast.BinOp(right, operator, left)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.Compare(left, [operator], right):
            for flipped in OTHER_COMPARISON[type(operator)]:
                yield ast.Compare(left, [flipped], right)
        case ast.keyword("axis", axis):
            yield ast.keyword("axis", ast.Constant(1 if ast.unparse(axis) == "0" else 0))
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Attribute(value, "T"):
            yield value
        case ast.Attribute(value, name, context) if name in OTHER_NAME:
            yield ast.Attribute(value, OTHER_NAME[name], context)
        case ast.Name(name, ast.Load() as context) if name in OTHER_NAME:
            yield ast.Name(OTHER_NAME[name], context)
        case ast.Call(ast.Attribute(_, name), [argument, *_]) if name in DROPPED_CALLS:
            yield argument
        case ast.Call(ast.Name("range") as function, arguments):
            for i, bound in enumerate(arguments):
                for operator in (ast.Add(), ast.Sub()) if not isinstance(bound, ast.Constant) else ():
                    moved = ast.BinOp(bound, operator, ast.Constant(1))
                    yield ast.Call(function, [*arguments[:i], moved, *arguments[i + 1 :]], [])
        case ast.Call(ast.Name("reversed"), [argument]):
            yield argument
        case ast.Return(ast.Tuple([first, second, *rest], context)):
            yield ast.Return(ast.Tuple([second, first, *rest], context))
        case ast.Return(ast.AST() as value):
            others = [name for name in neighbors if name != ast.unparse(value)]
            for name in dict.fromkeys(others[:1] + others[-1:]):
                yield ast.Return(ast.Name(name, ast.Load()))
        case ast.AugAssign(target, operator, value):
            yield ast.Pass()
            yield ast.Assign([target], value)  # overwrites instead of accumulating
            for other in OTHER_OPERATOR.get(type(operator), []):
                yield ast.AugAssign(target, other, value)
        case ast.Expr(ast.Constant()):
            return  # a docstring or an ellipsis
        case ast.Assign() | ast.Expr():
            yield ast.Pass()


def _difference(original: str, mutant: str) -> str:
    """The first line that differs, before and after."""
    for before, after in zip(original.splitlines(), mutant.splitlines(), strict=False):
        if before != after:
            return f"{before.strip()}  →  {after.strip()}"
    return "a line more or less"


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
        lines = [f"{self.name:<30} wrong answers  mutants  caught  seconds"]
        for o in self.outcomes:
            numbers = f"{o.wrong_answers:>13}  {o.mutants:>7}  {o.caught:>6}  {o.seconds:>7.1f}"
            lines.append(f"  exercise {o.id:<19} {numbers}")
            lines += [f"    survives: {text}" for text in o.survivors]
        mutants, caught = self.totals()
        return "\n".join([*lines, f"  {caught} of {mutants} mutants caught"])

    def totals(self) -> tuple[int, int]:
        """Mutants made and caught over the whole notebook."""
        return sum(o.mutants for o in self.outcomes), sum(o.caught for o in self.outcomes)


def audit(notebook: Path, wrong_answers: Path) -> Report:
    """Run a notebook's source and judge each exercise. Set COURSE_PROFILE and the like beforehand."""
    cells, problems = read_notebook(notebook)
    report = Report(notebook.stem, problems=problems)
    by_id = {cell.exercise.id: cell.exercise for cell in cells if cell.exercise}
    for exercise_id, description, source in read_wrong_answers(wrong_answers):
        if exercise_id in by_id:
            by_id[exercise_id].wrong[description] = source
        else:
            report.problems.append(f"{exercise_id}: a wrong answer ({description}) to no such exercise")
    namespace = Namespace(notebook.stem)
    exercises.results.clear()
    last = max((number for number, cell in enumerate(cells, 1) if cell.exercise), default=0)
    for number, cell in enumerate(cells[:last], 1):  # what follows is nbval's to run
        if cell.exercise:
            report.outcomes.append(_judge(namespace, cell.exercise, report.problems))
        try:
            namespace.run(cell.source, f"cell {number}")
        except Exception as error:
            if not cell.may_raise:
                report.problems.append(f"code cell {number} raises {type(error).__name__}: {error}")
                break
    _weigh(report)
    return report


def _judge(namespace: Namespace, exercise: Exercise, problems: list[str]) -> Outcome:
    """Let the check judge the stub, the solution, each wrong answer and each mutant."""
    start = time.perf_counter()
    outcome = Outcome(exercise.id, wrong_answers=len(exercise.wrong))
    restore = namespace.snapshot()
    original = dict(namespace.names)

    def verdicts(answer: str, repeats: int, seconds: float) -> tuple[set[str], str]:
        """The check's verdicts on an answer given after the stub, and the last thing it printed."""
        restore()
        said, printed = set(), ""
        for repeat in range(repeats):
            exercises.results.pop(exercise.id, None)
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

    def expect(wanted: str, answer: str, what: str) -> str:
        said, printed = verdicts(answer, REPEATS, SECONDS)
        if said != {wanted}:
            got = " or ".join(sorted(said))
            problems.append(f"{exercise.id}: {what} is judged {got}, not {wanted}\n    {printed}")
        return printed

    expect("not attempted", "", "the stub")
    before = time.perf_counter()
    expect("correct", exercise.solution, "the solution")
    patience = 1 + 10 * (time.perf_counter() - before)
    for description, answer in exercise.wrong.items():
        printed = expect("wrong", answer, f"“{description}”")
        if re.search(r"NameError|SyntaxError", printed):
            problems.append(f"{exercise.id}: “{description}” does not even run\n    {printed}")
    if hasattr(signal, "setitimer"):  # a mutant may loop for ever
        for text, mutant in mutants(exercise.solution):
            outcome.mutants += 1
            if verdicts(mutant, 1, patience)[0] == {"correct"}:
                outcome.survivors.append(text)
    restore()
    namespace.names.clear()
    namespace.names.update(original)
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
            report = audit(path, WRONG_ANSWERS / path.name)
            print(report, *report.problems, sep="\n")
            failed |= bool(report.problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
