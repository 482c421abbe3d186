"""Boxes and arrows."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.patches import FancyBboxPatch

from course_utils.plotting.style import BLUE, GRAY, INK, ORANGE


def flow(boxes: Mapping[str, tuple[float, float]],
         arrows: Sequence[tuple[str, str] | tuple[str, str, str]], *,
         highlight: Sequence[str] = (), title: str = "", box_width: float = 1.5) -> Figure:  # fmt: skip
    """A flow diagram that renders wherever a picture does.

    boxes: text -> (column, row), row 0 on top; fractions are fine. A text may hold newlines.
    arrows: (from, to) or (from, to, label), by the boxes' texts. One that runs back over other
    boxes of its row passes below them. highlight: boxes in orange. box_width: inches.
    """
    half = np.array([box_width / 2, 0.29])  # of a box, inches
    at = {text: np.array([x * (box_width + 0.55), -1.0 * y]) for text, (x, y) in boxes.items()}
    centers = np.array(list(at.values()))
    low, high = centers.min(axis=0) - half - [0.06, 0.21], centers.max(axis=0) + half + [0.06, 0.21]
    loops = [  # arrows that would cross other boxes on their way back along a row
        any(y == boxes[a][1] == boxes[b][1] and boxes[b][0] < x < boxes[a][0] for x, y in boxes.values())
        for a, b, *_ in arrows
    ]
    low[1] -= 0.55 * any(loops)
    # after layout="none", matplotlib's first savefig leaves the style's layout behind, which warns
    figure = plt.figure(figsize=tuple(high - low), layout=PlaceHolderLayoutEngine(True, True))
    ax = figure.add_axes((0, 0, 1, 1 - (0.3 / (high - low)[1] if title else 0)))
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", title=title)
    ax.axis("off")
    for text, center in at.items():
        face, edge = ("#FCE8C5", ORANGE) if text in highlight else ("#E3EFF7", BLUE)
        (x, y), (width, height) = center - half + 0.05, 2 * half - 0.1
        ax.add_patch(FancyBboxPatch((x, y), width, height, "round,pad=0.05", fc=face, ec=edge, lw=1.2))
        ax.text(center[0], center[1], text, ha="center", va="center", fontsize=9, color=INK)
    for (start, stop, *label), loop in zip(arrows, loops, strict=True):
        _arrow(ax, at[start], at[stop], "".join(label), half, loop)
    return figure


def _arrow(ax: Axes, start: np.ndarray, stop: np.ndarray, label: str, half: np.ndarray, loop: bool) -> None:
    """One arrow from the edge of a box to the edge of another."""
    dx, dy = stop - start
    if loop:
        below = start[1] - half[1] - 0.4
        ax.plot([start[0], start[0], stop[0]], [start[1] - half[1], below, below], color=GRAY, lw=1.3)
        tail, head = np.array([stop[0], below]), stop - [0, half[1]]
        middle = np.array([(start[0] + stop[0]) / 2, below - 0.13])
    else:
        sideways = abs(dx) >= abs(dy)
        edge = half * [np.sign(dx) * sideways, np.sign(dy) * (not sideways)]
        tail, head = start + edge, stop - edge
        middle = (tail + head) / 2 + ([0, 0.14] if sideways else [0.08 + 0.035 * len(label), 0])
    style = {"arrowstyle": "-|>", "color": GRAY, "lw": 1.3, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", tuple(head), tuple(tail), arrowprops=style)
    ax.text(middle[0], middle[1], label, ha="center", va="center", fontsize=8, color=GRAY)
