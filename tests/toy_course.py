"""A small made-up course: two notebooks that use every role of a cell, for the tests of the tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

SLUG = "some-body/a-course"
PLAN = """
[[part]]
title = "Part 2 · Made up"
notebooks = ["04_alpha", "05_middle", "06_beta", "07_planned"]
"""
NOTEBOOK = """# ---
# jupyter:
#   course:
#     datasets: [digits]
#     covers: "what {title} | shows"
#     prerequisites: [{needs}]
#     ledger: []
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # {title}
#
# What does {title} show? The tool. It goes on in [[planned]].

# %% tags=["setup"]
import tempfile
import time

import matplotlib.pyplot as plt
import numpy as np

from course_utils import check, claim, data, plotting, profile, solved

plotting.use_style()

# %% [markdown]
# ## {n}.1 First
#
# **Predict.** How many?

# %%
digits = data.digits()
print(tempfile.gettempdir() + "/x", profile(), len(digits.x_train))

# %% tags=["figure"]
#@title Figure: A line goes up
fig, ax = plt.subplots()
ax.plot([0, 1], color=plotting.BLUE)
ax.set(title="A line goes up")
plt.show()

# %% [markdown]
# From left to right it rises by *one*. And so on.

# %% tags=["figure"]
#@title Figure: Another line
fig, ax = plt.subplots()
ax.plot([1, 0])
ax.set(title="Another line")
plt.show()

# %% [markdown]
# ## {n}.2 Second
#
# **Predict.** What is twice 21?
#
# ### Exercise {n}.2 · the double (3 min)
#
# Write it.

# %% tags=["exercise"]
def double(x: np.ndarray) -> np.ndarray:
    \"\"\"Twice x. x: any shape -> that shape\"\"\"
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("{n}.2", "the double"):
    np.testing.assert_allclose(double(np.array([1.0, 0.1])), [2, 0.2])

# %% [markdown]
# <details><summary>Hint</summary>
#
# Think.
# </details>

# %% tags=["solution"{keep}
#@title Solution {n}.2 · runs only while yours does not pass
if not solved("{n}.2"):
    def double(x: np.ndarray) -> np.ndarray:
        return 2 * x


# %% [markdown]
# <details><summary>About the solution</summary>
#
# A secret.
# </details>

# %% tags=["nbval-ignore-output"]
print(time.time_ns())

# %% [markdown]
# ## {n}.3 Deeper ◇
#
# Folded away.

# %% tags=["evidence"]
#@title Evidence: twice is a sum
results = {{"accuracy": 0.5}}
claim("accuracy", results["accuracy"], at_least=0.4)
claim("difference", abs(double(3) - 6), at_most=0)

# %% [markdown]
# ## Recall
#
# Of [[alpha]].
#
# <details><summary>1. One?</summary>
#
# Two.
# </details>
# <details><summary>2. Two?</summary>
#
# Two.
# </details>
# <details><summary>3. Three?</summary>
#
# Two.
# </details>
# <details><summary>4. Four?</summary>
#
# Two.
# </details>
# <details><summary>5. Five?</summary>
#
# Two.
# </details>
"""


def add_notebook(root: Path, number: str, title: str, needs: str = "") -> Path:
    path = root / "notebooks" / "py" / f"{number}_{title.lower()}.py"
    keep = ', "keep"] lesson="lesson_4"' if number == "04" else "]"  # one name, one lesson
    path.write_text(NOTEBOOK.format(title=title, n=int(number), needs=needs, keep=keep), encoding="utf8")
    return path


def make(root: Path) -> Path:
    """The course in `root`, not built."""
    (root / "notebooks" / "py").mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "a-course"\n[project.urls]\nRepository = "https://github.com/{SLUG}"\n',
        encoding="utf8",
    )
    (root / "notebooks" / "course.toml").write_text(PLAN, encoding="utf8")
    for readme in (root / "README.md", root / "notebooks" / "README.md"):
        readme.write_text(
            "# C\n<!-- course table: begin -->\nold\n<!-- course table: end -->\nend\n", encoding="utf8"
        )
    add_notebook(root, "04", "Alpha")
    add_notebook(root, "06", "Beta", needs="alpha, middle")
    return root


def edit(old: str, new: str, name: str = "04_alpha") -> Callable[[Path], None]:
    """A change of a source."""

    def change(root: Path) -> None:
        path = root / "notebooks" / "py" / f"{name}.py"
        text = path.read_text(encoding="utf8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf8")

    return change
