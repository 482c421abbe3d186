"""House style and shared figures: functions return the figure or axes, for a cell to go on changing."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, GRAY = "#CC79A7", "#56B4E9", "#F0E442", "#6B6B6B"
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GRAY)


def use_style() -> None:
    """Set the course's matplotlib defaults for this kernel."""
    plt.style.use(Path(__file__).with_name("course.mplstyle"))


class LiveCurves(AbstractContextManager["LiveCurves"]):
    """Curves that grow while a loop runs, with elapsed and remaining time.

    total: steps (usually epochs) expected.
    panels: names drawn, one panel each; "val_" + name joins its panel as a dashed line.
    In a notebook one figure is updated in place (at most once a second, and never for more than
    a tenth of the time) and stays, static, in the saved file; elsewhere each update prints a line.
    Use it as a context manager, or call `finish` at the end.
    """

    def __init__(self, total: int, panels: Sequence[str] = ("loss",), title: str = "Training") -> None:
        self.total, self.panels, self.title = total, tuple(panels), title
        self.steps: list[int] = []
        self.history: dict[str, list[float]] = {}
        self._start = self._next_drawing = time.perf_counter()
        self._handle: Any = None

    def __exit__(self, *_: object) -> None:
        self.finish()

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Add the values of one step. step: counted from 1."""
        self.steps.append(step)
        for name in {*values, *self.history}:  # a metric may come late, or not at every step
            past = self.history.setdefault(name, [np.nan] * (len(self.steps) - 1))
            past.append(float(values.get(name, np.nan)))
        now = time.perf_counter()
        elapsed = now - self._start
        left = elapsed / step * (self.total - step)
        status = f"{self.title}: {step} of {self.total} · {elapsed:.0f} s, about {left:.0f} s left"
        if not _in_notebook():
            print(status, {name: round(float(v), 4) for name, v in values.items()})
        elif now >= self._next_drawing:
            self._draw(status)
            drawn = time.perf_counter()
            self._next_drawing = drawn + max(1.0, 9 * (drawn - now))

    def finish(self) -> None:
        """Draw the last state; nothing more is updated afterwards."""
        if _in_notebook() and self.steps:
            took = time.perf_counter() - self._start
            self._draw(f"{self.title}: {self.steps[-1]} of {self.total} in {took:.0f} s")

    def _draw(self, heading: str) -> None:
        from IPython.display import display

        figure, axes = plt.subplots(1, len(self.panels), figsize=(4.2 * len(self.panels), 3), squeeze=False)
        for ax, name in zip(axes[0], self.panels, strict=True):
            for key, style, label in ((name, "-", "training"), (f"val_{name}", "--", "validation")):
                if key in self.history:
                    ax.plot(self.steps, self.history[key], style, marker="o", ms=3, label=label)
            ax.set(title=name, xlabel="epoch", ylabel=name)
            ax.xaxis.get_major_locator().set_params(integer=True)
            if ax.lines:
                ax.legend()
        figure.suptitle(heading, fontsize=10)
        if self._handle is None:
            self._handle = display(figure, display_id=True)
        else:
            self._handle.update(figure)
        plt.close(figure)


def _in_notebook() -> bool:
    """True inside a Jupyter kernel (JupyterLab, Colab, nbclient), False in a script."""
    shell = sys.modules.get("IPython")
    return getattr(shell and shell.get_ipython(), "kernel", None) is not None


def training_plot(panels: Sequence[str] = ("loss", "accuracy"), title: str = "Training") -> Any:
    """A Keras callback that draws LiveCurves: `fit(..., verbose=0, callbacks=[training_plot()])`."""
    import keras

    class TrainingPlot(keras.callbacks.Callback):
        def on_train_begin(self, logs: dict | None = None) -> None:
            self.curves = LiveCurves(self.params["epochs"], panels, title)

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self.curves.update(epoch + 1, logs or {})

        def on_train_end(self, logs: dict | None = None) -> None:
            self.curves.finish()

    return TrainingPlot()


def image_grid(images: np.ndarray, titles: Sequence[object] | None = None, *, columns: int = 10,
               wrong: Sequence[bool] | None = None, size: float = 0.9) -> Figure:  # fmt: skip
    """Draw images in rows. images: (n, height, width) or (n, height, width, channels).

    titles: one per image. wrong: one per image; the title is red where True.
    size: inches per image. Gray images share one scale, dark on white, as ink on paper.
    """
    rows = -(-len(images) // columns)
    height = size * (1.28 if titles is not None else 1.05)
    figure, axes = plt.subplots(rows, columns, figsize=(size * columns, height * rows), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for i, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        ax.imshow(image.squeeze(), vmin=images.min(), vmax=images.max())
        if titles is not None:
            color = RED if wrong is not None and wrong[i] else "black"
            ax.set_title(str(titles[i]), fontsize=8, fontweight="normal", color=color, pad=2)
    return figure


def confusion_matrix(matrix: np.ndarray, class_names: Sequence[str], title: str = "") -> Axes:
    """Draw counts; rows are the true classes, columns the predicted ones.
    Color: errors only, as a share of each row; on one scale with the diagonal all would look white."""
    matrix = np.asarray(matrix)
    errors = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(errors, 0)
    side = max(3.4, 0.52 * len(matrix))
    ax = plt.subplots(figsize=(side + 0.6, side))[1]
    ax.imshow(errors, cmap="Oranges", vmin=0, vmax=max(errors.max(), 1e-9) * 1.3)
    for i, j in np.argwhere(matrix):
        weight = "bold" if i == j else "normal"
        ax.text(j, i, f"{matrix[i, j]:d}", ha="center", va="center", fontsize=8, fontweight=weight)
    upright = all(len(str(name)) <= 2 for name in class_names)
    ax.set_xticks(range(len(matrix)), class_names, rotation=0 if upright else 60)
    ax.set_yticks(range(len(matrix)), class_names)
    ax.set(xlabel="predicted", ylabel="true", title=title)
    ax.grid(False)
    return ax


def decision_regions(predict: Callable[[np.ndarray], np.ndarray], X: np.ndarray, y: np.ndarray,
                     ax: Axes | None = None, title: str = "", points: int = 200) -> Axes:  # fmt: skip
    """Color the plane by predicted class, with the examples on top.

    predict: (n, 2) points -> (n,) class indices. X: (n, 2). y: (n,) indices. points: grid, per axis.
    """
    ax = ax or plt.subplots(figsize=(4, 3.6))[1]
    low, high = X.min(axis=0), X.max(axis=0)
    low, high = low - 0.1 * (high - low), high + 0.1 * (high - low)
    grid = np.stack(np.meshgrid(*np.linspace(low, high, points).T), axis=-1)
    regions = np.asarray(predict(grid.reshape(-1, 2))).reshape(points, points)
    colors: dict[str, Any] = {"cmap": ListedColormap(PALETTE), "vmin": 0, "vmax": len(PALETTE) - 1}
    box = (low[0], high[0], low[1], high[1])
    ax.imshow(regions, origin="lower", extent=box, aspect="auto", alpha=0.3, **colors)
    ax.scatter(X[:, 0], X[:, 1], c=y, s=14, edgecolor="white", linewidth=0.4, **colors)
    ax.set(title=title, xlabel="$x_1$", ylabel="$x_2$")
    ax.grid(False)
    return ax


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
    figure = plt.figure(figsize=tuple(high - low), layout="none")
    ax = figure.add_axes((0, 0, 1, 1 - (0.3 / (high - low)[1] if title else 0)))
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", title=title)
    ax.axis("off")
    for text, center in at.items():
        face, edge = ("#FCE8C5", ORANGE) if text in highlight else ("#E3EFF7", BLUE)
        (x, y), (width, height) = center - half + 0.05, 2 * half - 0.1
        ax.add_patch(FancyBboxPatch((x, y), width, height, "round,pad=0.05", fc=face, ec=edge, lw=1.2))
        ax.text(center[0], center[1], text, ha="center", va="center", fontsize=9)
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
