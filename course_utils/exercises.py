"""Exercise checks, claims and gradient checks: what a notebook asks of the reader, and of itself."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# exercise id -> "not attempted", "correct" or "wrong", in the order of the checks
results: dict[str, str] = {}


@contextmanager
def check(exercise: str, title: str) -> Iterator[None]:
    """Run the assertions of one exercise and say how it stands.

    Prints *not attempted yet* (the stub still raises NotImplementedError), *correct*, or what differs.
    It swallows the error, so "Run All" goes on; the state is kept in `results[exercise]`.

        with check("6.4", "gradient of ReLU"):
            np.testing.assert_allclose(relu_gradient(z), [0, 1])
    """
    name = f"Exercise {exercise} · {title}"
    try:
        yield
        results[exercise], line = "correct", f"✓ {name}: correct"
    except NotImplementedError:
        results[exercise], line = "not attempted", f"○ {name}: not attempted yet"
    except Exception as error:  # any mistake in the reader's code must leave Run All alive
        results[exercise], line = "wrong", f"✗ {name}: not yet\n  {_explain(error)}"
    print(line)


def _explain(error: Exception) -> str:
    """The error in a few lines; its type only where the message alone says too little."""
    noise = ("Mismatch at", "Max ", " [")  # of NumPy; what counts comes after it: ACTUAL and DESIRED
    lines = [line.rstrip() for line in str(error).splitlines() if line.strip() and not line.startswith(noise)]
    if not isinstance(error, AssertionError):
        lines[:1] = [f"{type(error).__name__}: {lines[0] if lines else ''}"]
    return "\n  ".join(lines[:8]) or "the check's assertion does not hold: read the check cell"


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
    line = f"claim · {text}: {value:.4g} (promised {bound})"
    verdict = ("holds" if holds else "FAILS") if applies else "not judged with this data and profile"
    print(f"{line}: {verdict}")
    if verdict == "FAILS" and os.environ.get("COURSE_STRICT") == "1":
        raise AssertionError(line)


def numerical_gradient(f: Callable[[Any], float], z: Any, h: float = 1e-5) -> Any:
    """Central differences (f(z + h) - f(z - h)) / 2h, entry by entry, as derived in notebook 06.
    z: float64 array, any shape -> array of that shape. Calls f twice per entry, leaves z as it was."""
    import numpy as np  # here, so that importing the package stays fast

    shifts = (h * row.reshape(z.shape) for row in np.eye(z.size))
    return np.reshape([(f(z + shift) - f(z - shift)) / (2 * h) for shift in shifts], z.shape)
