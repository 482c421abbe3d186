"""A live picture: sliders that redraw a figure where it stands."""

import asyncio
import html
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_utils.plotting.kernel import kernel_shell


def explore(draw: Callable[..., Figure | Axes | None], **controls: tuple | list) -> None:
    """Draw a figure, with a slider for each value that it depends on.

    draw: called with one keyword argument per control. Returns the figure or axes, or draws with pyplot.
    controls: name=(low, high, start) or (low, high, start, step), of whole numbers or floats;
    or a list of choices, beginning with the one to start with.

    In a notebook the figure is an ordinary output: a saved file keeps it as it was last, and a reader
    without ipywidgets sees it at the start values. A slider redraws it in place; what `draw` raises
    then stands under the sliders. Outside a notebook the figure is drawn once, for plt.show().

    Raises ValueError for a control of another form, and what `draw` raises at the start values.
    """
    start = {name: _start(name, control) for name, control in controls.items()}
    if not kernel_shell():
        draw(**start)
        return
    from IPython.display import display

    with _closing_figures():
        figure = _figure(draw(**start))
        sliders, message = _show_sliders(controls)
        handle: Any = display(figure, display_id=True)
    if sliders:
        _redraw_on_change(draw, sliders, message, handle)


def _start(name: str, control: tuple | list) -> Any:
    """The value that a control starts with. Raises ValueError where it isn't written as agreed."""
    if isinstance(control, list) and control:
        return control[0]
    if isinstance(control, tuple) and len(control) in (3, 4) and all(isinstance(x, Real) for x in control):
        low, high, start, *step = control
        if low < high and low <= start <= high and all(size > 0 for size in step):
            return start
    raise ValueError(
        f"{name}={control!r}: write (low, high, start) or (low, high, start, step) with the start "
        "between low and high, or a list of choices"
    )


def _figure(drawn: Figure | Axes | None) -> Figure:
    if drawn is None:
        return plt.gcf()
    return drawn if isinstance(drawn, Figure) else drawn.figure.get_figure(root=True)


@contextmanager
def _closing_figures() -> Iterator[None]:
    """Close the figures opened within: pyplot would show them once more below a cell."""
    others = plt.get_fignums()
    try:
        yield
    finally:
        for number in set(plt.get_fignums()).difference(others):
            plt.close(number)


def _show_sliders(controls: Mapping[str, tuple | list]) -> tuple[dict[str, Any], Any]:
    """Display a widget per control, and below them one for messages; ({}, None) without ipywidgets."""
    try:
        import ipywidgets
    except ImportError:
        return {}, None
    from IPython.display import display

    width = f"{max(map(len, controls), default=0) + 1}ch"
    sliders = {name: _slider(name, control, width) for name, control in controls.items()}
    message = ipywidgets.HTML()
    panel = ipywidgets.VBox([*sliders.values(), message])
    view = {"version_major": 2, "version_minor": 0, "model_id": panel.model_id}
    # a saved file keeps no widget: the text stands where there is no kernel to answer
    display(
        {"application/vnd.jupyter.widget-view+json": view, "text/plain": "Run this cell to get its sliders."},
        raw=True,
    )
    return sliders, message


def _slider(name: str, control: tuple | list, width: str) -> Any:
    """The widget of one control. width: of its name, in CSS."""
    import ipywidgets

    label = {"description": name.replace("_", " "), "style": {"description_width": width}}
    if isinstance(control, list):
        return ipywidgets.Dropdown(options=control, **label)
    low, high, start, *step = control
    if all(isinstance(x, Integral) for x in control):
        return ipywidgets.IntSlider(start, low, high, *step, **label)
    size = step[0] if step else (high - low) / 100
    return ipywidgets.FloatSlider(start, min=low, max=high, step=size, readout_format=".3g", **label)


def _redraw_on_change(draw: Callable, sliders: Mapping[str, Any], message: Any, handle: Any) -> None:
    """Update the figure behind `handle` when a slider moves; while it is drawn, moves become one."""
    # JupyterLab reports moves in a thread of their own, but pyplot has one current figure: draw
    # where cells run, after the one that is running
    cells = asyncio.get_running_loop()
    waiting = False

    def redraw() -> None:
        nonlocal waiting
        waiting = False
        try:
            with _closing_figures():
                figure = _figure(draw(**{name: slider.value for name, slider in sliders.items()}))
                handle.update(figure)
                message.value = ""
        except Exception as error:
            here = error.__traceback__
            lines = traceback.format_exception(type(error), error, here and here.tb_next)
            message.value = f"<pre>{html.escape(''.join(lines))}</pre>"

    def changed(_: Any) -> None:
        nonlocal waiting
        if not waiting:
            waiting = True
            cells.call_soon_threadsafe(redraw)

    for slider in sliders.values():
        slider.observe(changed, names="value")
