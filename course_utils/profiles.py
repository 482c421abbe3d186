"""Run profiles: the same notebook in seconds (tests), minutes (learners) or longer."""

from __future__ import annotations

import os
from typing import TypeVar

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
