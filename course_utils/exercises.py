"""Exercise checks and claims: what a notebook asks of the reader, and of itself."""

from __future__ import annotations

import base64
import os
import sys
import zlib
from collections.abc import Iterable
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any

NOT_ATTEMPTED, PARTIAL, CORRECT, WRONG = "not attempted", "partly done", "correct", "wrong"
UNREADY = "not ready"  # the kernel lacks what the cells above define
TODO = "your turn"  # a stub raises NotImplementedError(TODO); the same error from a library is a mistake
MOST_LINES, MOST_ROWS = 8, 2  # of an explanation, and of each array in it

# exercise id -> its state, in the order of the checks
results: dict[str, str] = {}
# exercise id -> the file name under which its solution cell was compiled, once that cell has run
_solution_files: dict[str, str] = {}
# exercise id -> the names of its stubs, as far as a check has met them untouched
_stubs: dict[str, set[str]] = {}
# exercise id -> the names that its stub had defined when the solution cell first ran
_asked: dict[str, set[str]] = {}


class check:
    """Run the assertions of one exercise and say how it stands.

        with check("6.4", "gradient of ReLU"):
            np.testing.assert_allclose(relu_gradient(z), [0, 1])

    Prints *not attempted yet* (the stub is as it was), *partly done*, *correct*, or what differs, and keeps
    the state in `results[exercise]`. The error is swallowed, so that "Run All" goes on; with COURSE_STRICT=1
    (the tests, a grader) everything but *correct* and *not attempted* is raised.
    """

    def __init__(self, exercise: str, title: str) -> None:
        self.exercise, self.name = exercise, f"Exercise {exercise} · {title}"

    def __enter__(self) -> None:
        self.names = sys._getframe(1).f_globals

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None and not isinstance(error, Exception):
            return False  # the reader interrupts
        if self._ran_the_course_s_solution():
            print(f"○ {self.name}: this was the course's solution; run the cell with your own first")
            return error is None
        state, line = self._verdict(error, trace)
        results[self.exercise] = state
        print(line)
        strict = os.environ.get("COURSE_STRICT") == "1"
        return not (strict and state not in (CORRECT, NOT_ATTEMPTED))

    def _ran_the_course_s_solution(self) -> bool:
        """True where the names still stand for what the solution cell defined."""
        file = _solution_files.get(self.exercise)
        # not its helpers, which outlive it, nor other names of the same function
        asked = _asked.get(self.exercise) or self.names
        return any(code.co_filename == file for code in _codes(self.names, asked))

    def _verdict(self, error: Exception | None, trace: TracebackType | None) -> tuple[str, str]:
        if error is None:
            return CORRECT, f"✓ {self.name}: correct"
        frames = _frames(trace)
        if isinstance(error, NotImplementedError) and error.args == (TODO,):
            stub = frames[-1].f_code
            if self._untouched(stub.co_filename):
                return NOT_ATTEMPTED, f"○ {self.name}: not attempted yet"
            return PARTIAL, f"◐ {self.name}: partly done; `{stub.co_name}` is still to be written"
        missing = getattr(error, "name", None) if type(error) is NameError else None
        if missing and len(frames) == 1:  # the check itself lacks it, not a function that it calls
            line = f"○ {self.name}: `{missing}` is not defined here. Run the cells above first, your answer"
            return UNREADY, f"{line} too (in JupyterLab: Run › Run All Above Selected Cell)"
        line = f"✗ {self.name}: not yet\n  {_explain(error)}"
        if missing:
            line += f"\n  If a cell above defines `{missing}`, run that cell first."
        return WRONG, line

    def _untouched(self, file: str) -> bool:
        """True where the cell of this file name, and the stubs met before, hold nothing but stubs."""
        codes = {name: _codes(self.names, [name]) for name in self.names}
        cell = {name for name, own in codes.items() if any(code.co_filename == file for code in own)}
        stubs = {name for name in cell if all(map(_is_stub, codes[name]))}
        known = _stubs.setdefault(self.exercise, set())  # an answer may stand in another cell than its stub
        known |= stubs
        return stubs == cell | known


def solved(exercise: str) -> bool:
    """True once the reader's answer has passed; until then the solution cell defines the course's.

    Says so where an answer was tried and has not passed: what follows would not run on it.
    """
    if results.get(exercise) == CORRECT:
        return True
    if results.get(exercise) in (PARTIAL, WRONG):
        print(f"· From here on the course's solution of {exercise}. When yours passes, go on with yours.")
    cell = sys._getframe(1)
    _solution_files[exercise] = cell.f_code.co_filename
    _note_asked(exercise, cell.f_code, cell.f_globals)
    return False


def _note_asked(exercise: str, solution: CodeType, names: dict[str, Any]) -> None:
    """Note which of the names that a solution is about to define are there already: the stub's."""
    found = {name for name in solution.co_names if any(_codes(names, [name]))}
    if found:
        _asked.setdefault(exercise, found)


def unpack(solution: str) -> None:
    """Run a solution that a handout carries in packed form (`pack`), in the cell that calls this."""
    cell = sys._getframe(1)
    source = zlib.decompress(base64.b85decode(solution)).decode("utf8")
    code = compile(source, cell.f_code.co_filename, "exec")
    for exercise, file in _solution_files.items():
        if file == code.co_filename:
            _note_asked(exercise, code, cell.f_globals)
    exec(code, cell.f_globals)


def pack(source: str) -> str:
    """A solution's source as text that nobody reads by accident; `unpack` runs it."""
    return base64.b85encode(zlib.compress(source.encode("utf8"), 9)).decode("ascii")


def claim(text: str, value: float, *, at_least: float | None = None, at_most: float | None = None,
          applies: bool = True) -> None:  # fmt: skip
    """Compare a measured number with the one promised, and print both.

    `applies=False` says that the promise was made for other data or another profile: the
    number is printed and judged by nobody. Where it applies and fails, the line says so;
    with COURSE_STRICT=1 (the build and the tests) it raises AssertionError.
    """
    if at_least is not None and at_most is None:
        bound, holds = f"≥ {at_least:g}", value >= at_least
    elif at_most is not None and at_least is None:
        bound, holds = f"≤ {at_most:g}", value <= at_most
    else:
        raise TypeError("claim() needs exactly one of at_least and at_most")
    line = f"{text}: {value:.4g} (promised {bound})"
    if not applies:
        print(f"· {line}: not judged with this data and profile")
    elif holds:
        print(f"✓ {line}")
    else:
        print(f"✗ {line}: FAILS")
        if os.environ.get("COURSE_STRICT") == "1":
            raise AssertionError(line)


def _frames(trace: TracebackType | None) -> list[FrameType]:
    frames = []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    return frames


def _codes(names: dict[str, Any], which: Iterable[str]) -> list[CodeType]:
    """The code of the notebook's own functions of these names, and of the methods of its classes."""
    values = [names.get(name) for name in list(which)]
    functions = [value for value in values if isinstance(value, (FunctionType, type))]
    own = [value for value in functions if value.__module__ == names.get("__name__")]
    members = [vars(value).values() if isinstance(value, type) else [value] for value in own]
    return [member.__code__ for group in members for member in group if isinstance(member, FunctionType)]


def _is_stub(code: CodeType) -> bool:
    """True for a function that does nothing but raise NotImplementedError(TODO)."""
    lines = {line for _, _, line in code.co_lines() if line}
    return TODO in code.co_consts and len(lines) <= 2  # `def` and `raise`; a docstring leaves no code


def _explain(error: Exception) -> str:
    """The error in a few lines; its type only where the message alone says too little."""
    # of NumPy; what counts is how much differs, and some rows of both arrays
    noise = ("Not equal to tolerance", "Mismatch at", "First 5", "Max relative", " [")
    lines = [line.rstrip() for line in str(error).splitlines() if line.strip() and not line.startswith(noise)]
    for name in (" ACTUAL:", " DESIRED:"):
        first = next((i for i, line in enumerate(lines) if line.startswith(name)), len(lines))
        after = (i for i, line in enumerate(lines) if i > first and not line.startswith("   "))
        last = next(after, len(lines))
        del lines[first + MOST_ROWS : last]
    if not isinstance(error, AssertionError):
        lines[:1] = [f"{type(error).__name__}: {lines[0] if lines else ''}"]
    return "\n  ".join(lines[:MOST_LINES]) or "the check's assertion does not hold: read the check cell"
