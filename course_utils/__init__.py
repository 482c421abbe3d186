"""Companion package of the course "Large Models: from derivation to product".

It holds only what would distract in a notebook: run profiles, exercise checks, data
loading, plotting and device set-up. What the course teaches is written in the notebooks.
Importing it takes milliseconds: NumPy, matplotlib, scikit-learn and TensorFlow are loaded
by the submodules (`data`, `plotting`, `devices`) or functions that need them.
"""

from __future__ import annotations

from course_utils.exercises import check, claim, solved
from course_utils.profiles import by_profile, full_results, profile

__all__ = ["by_profile", "check", "claim", "full_results", "profile", "solved"]
__version__ = "0.1.0"
