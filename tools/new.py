"""Begin a notebook: its source, with every role of a cell once, and its files of wrong and right answers.

    python tools/new.py 14 project_cifar10

The number and stem must be on the plan, notebooks/course.toml. Nothing that exists is overwritten.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from course_utils.console import use_any_encoding
from tools.build import padded
from tools.files import write
from tools.source import ROOT, read_plan

SOURCE = '''\
# ---
# jupyter:
#   course:
#     datasets: [digits]
#     covers: "What it derives and builds, in one line."
#     prerequisites: [start_here]
#     ledger: []
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # {title}
#
# The reader's question, and what the reader will have built.
#
# **You will be able to**
# - three to five verbs, each practised by an exercise.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from course_utils import check, claim, data, plotting, solved

plotting.use_style()

# %% [markdown]
# ## {n}.1 A question?
#
# One example that a pencil can do.
#
# **Predict.** A number, or two to four choices?

# %%
VALUE = 2                                      # try others
print(VALUE**2)

# %% [markdown]
# What came out, and why a sensible reader may have guessed otherwise.
#
# ### Exercise {n}.1 · the square (3 min)
#
# Everything after this section uses your function.

# %% tags=["exercise"]
def square(x: np.ndarray) -> np.ndarray:
    """Entry by entry. x: any shape -> that shape"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("{n}.1", "the square"):
    for x_t in (np.array([-3.0, 0.0, 2.0]), np.array([[0.1]])):
        np.testing.assert_allclose(square(x_t.copy()), x_t * x_t)

# %% [markdown]
# <details><summary>Hint</summary>
#
# One multiplication.
# </details>

# %% tags=["solution"]
#@title Solution {n}.1 · runs only while yours does not pass
if not solved("{n}.1"):
    def square(x: np.ndarray) -> np.ndarray:
        return x**2


# %% tags=["evidence"]
#@title Evidence: equal to NumPy's
x = np.linspace(-1, 1, 5)
difference = np.abs(square(x) - np.square(x)).max()
claim("largest difference from np.square", difference, at_most=1e-15)

# %% [markdown]
# ## {n}.2 Another question?
#
# **Predict.** …

# %% tags=["figure"]
#@title Figure: The message
fig, ax = plt.subplots()
ax.plot([-1, 0, 1], square(np.array([-1.0, 0.0, 1.0])))
ax.set(title="The message", xlabel="x", ylabel="x²")
plt.show()

# %% [markdown]
# The trend in words and numbers.

# %% [markdown]
# ## {n}.3 What lies deeper ◇
#
# Folded until the reader opens it.

# %% [markdown]
# ## Where it breaks
#
# Limits, costs, what a product team should ask.

# %% [markdown]
# ## Recall
#
# Five questions.
#
# <details><summary>1. …?</summary>
#
# …
# </details>

# %% [markdown]
# ## References
'''
ANSWERS = {
    "wrong_answers": '# %% {n}.1 the cube: x**2 → x**3\n\n# %% {n}.1 only doubles: x**2 → 2 * x\n',
    "right_answers": "# %% {n}.1 a product: x**2 → x * x\n",
}


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    use_any_encoding()
    parser = argparse.ArgumentParser(
        prog="python tools/new.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("number")
    parser.add_argument("stem")
    options = parser.parse_args(arguments)
    name = f"{padded(options.number)}_{options.stem}"
    if name not in read_plan(root).names:
        parser.error(f"{name} is not on the plan, notebooks/course.toml: write it there first")
    number, title = options.number.removeprefix("0"), options.stem.replace("_", " ").capitalize()
    source = SOURCE.replace("{title}", title).replace("{n}", number)
    files = {root / "notebooks" / "py" / f"{name}.py": source}
    for folder, text in ANSWERS.items():
        files[root / "tests" / folder / f"{name}.py"] = text.replace("{n}", number)
    if there := [path for path in files if path.exists()]:
        parser.error(f"{there[0].relative_to(root)} exists already; nothing was written")
    for path, text in files.items():
        write(path, text)
        print(path.relative_to(root).as_posix())
    return 0


if __name__ == "__main__":
    sys.exit(main())
