"""Run profiles: the same notebook in seconds (tests), minutes (learners) or longer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypeVar

PROFILES = ("quick", "standard", "full")
T = TypeVar("T")


def profile() -> str:
    """The run profile, from COURSE_PROFILE: "quick" (tests: seconds), "standard" (default: a two-core
    laptop, at most four minutes a notebook) or "full" (a GPU or patience). ValueError for other names."""
    name = os.environ.get("COURSE_PROFILE") or "standard"
    if name not in PROFILES:
        known = ", ".join(PROFILES)
        raise ValueError(f"COURSE_PROFILE is {name!r}, not one of {known}. Unset it to get 'standard'.")
    return name


def by_profile(*, quick: T, standard: T, full: T) -> T:
    """The value that belongs to the current profile: `by_profile(quick=1, standard=8, full=30)`."""
    return {"quick": quick, "standard": standard, "full": full}[profile()]


def full_results(number: str) -> dict[str, Any] | None:
    """What the full profile found in notebook `number`: the dict `results` in results/NN.json.

    The file lies beside the notebooks, wherever the kernel was started in the course. Prints whose
    figures they are. None, and a line that says so, where the file is missing (a notebook that came
    alone) and in the full profile itself, which measures them anew.
    """
    for folder in (Path("results"), Path("notebooks/results")):
        file = folder / f"{number}.json"
        if profile() != "full" and file.is_file():
            record = json.loads(file.read_text(encoding="utf8"))
            print(f"results/{number}.json: {record['command']}, {record['date']}, on {record['machine']}")
            found: dict[str, Any] = record["results"]
            return found
    print(f"results/{number}.json is not used: only this run is shown")
    return None
