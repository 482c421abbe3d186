"""Curves that grow while a model trains."""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from course_utils.plotting.kernel import kernel_shell


class LiveCurves(AbstractContextManager["LiveCurves"]):
    """Curves that grow while a loop runs, with elapsed and remaining time.

    total: steps (usually epochs) expected.
    panels: names drawn, one panel each; "val_" + name joins its panel as a dashed line.
    keep: whether the figure stays, static, in the saved file. If not, a line with the time takes its
    place at the end: for a cell whose curves the next one draws, with a title that says what they show.
    In a notebook one figure is updated in place (at most once a second, and never for more than
    a tenth of the time); elsewhere each update prints a line.
    Use it as a context manager, or call `finish` at the end.
    """

    def __init__(self, total: int, panels: Sequence[str] = ("loss",), title: str = "Training",
                 keep: bool = True) -> None:  # fmt: skip
        self.total, self.panels, self.title, self.keep = total, tuple(panels), title, keep
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
        if not kernel_shell():
            print(status, {name: round(float(v), 4) for name, v in values.items()})
        elif now >= self._next_drawing:
            self._draw(status)
            drawn = time.perf_counter()
            self._next_drawing = drawn + max(1.0, 9 * (drawn - now))

    def finish(self) -> None:
        """Draw the last state; nothing more is updated afterwards."""
        if not kernel_shell() or not self.steps:
            return
        took = f"{self.title}: {self.steps[-1]} of {self.total} in {time.perf_counter() - self._start:.0f} s"
        if self.keep:
            self._draw(took)
        else:
            self._show({"text/plain": took}, raw=True)

    def _draw(self, heading: str) -> None:
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
        self._show(figure)
        plt.close(figure)

    def _show(self, what: Any, **options: Any) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(what, display_id=True, **options)
        else:
            self._handle.update(what, **options)


class LiveSteps(LiveCurves):
    """LiveCurves of a loop that counts training steps, not epochs."""

    def _show(self, what: Any, **options: Any) -> None:
        for ax in getattr(what, "axes", ()):  # of a figure; text has none
            ax.set_xlabel("step")
        super()._show(what, **options)


def training_plot(panels: Sequence[str] = ("loss", "accuracy"), title: str = "Training",
                  keep: bool = True) -> Any:  # fmt: skip
    """A Keras callback that draws LiveCurves: `fit(..., verbose=0, callbacks=[training_plot()])`."""
    import keras

    class TrainingPlot(keras.callbacks.Callback):
        def on_train_begin(self, logs: dict | None = None) -> None:
            self.curves = LiveCurves(self.params["epochs"], panels, title, keep)

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self.curves.update(epoch + 1, logs or {})

        def on_train_end(self, logs: dict | None = None) -> None:
            self.curves.finish()

    return TrainingPlot()
