"""The course's style, figures, live curves and live pictures, and the font of their Chinese text."""

import asyncio
import hashlib
import io
import threading
from pathlib import Path
from typing import Any

import ipywidgets
import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib.colors import to_hex, to_rgba
from matplotlib.patches import FancyBboxPatch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from course_utils import plotting
from course_utils.plotting import live, sliders
from course_utils.plotting.descriptions import description
from tools import font

SEEDS = range(5)

# a figure that warns has something cut off or left out; sockets that other tests left open are
# none of its business, and are collected at any moment
drawing = pytest.mark.filterwarnings(
    "error", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True)
def course_style():
    """The course's style for the test, matplotlib's own afterwards."""
    with plt.rc_context():
        plt.switch_backend("Agg")
        plotting.use_style()
        yield
    plt.close("all")


@pytest.fixture
def displayed(monkeypatch):
    """Figures that LiveCurves shows, as if in a notebook; an update replaces the one before."""
    shown = []

    class Handle:
        def update(self, figure):
            shown[-1] = figure

    def display(figure, display_id):
        shown.append(figure)
        return Handle()

    monkeypatch.setattr(live, "kernel_shell", lambda: True)
    monkeypatch.setattr("IPython.display.display", display)
    return shown


def overhang(figure) -> float:
    """How far what is drawn reaches over the figure's edge, in inches."""
    figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.bbox_inches
    return max(page.x0 - drawn.x0, page.y0 - drawn.y0, drawn.x1 - page.x1, drawn.y1 - page.y1)


# --- style ----------------------------------------------------------------------------------------


def drawn(monkeypatch, displayed) -> dict[str, bytes]:
    """One picture, as PNG, of everything that the course draws with."""
    rng = np.random.default_rng(0)
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)
    with plotting.LiveCurves(1) as curves:
        curves.update(1, {"loss": 1.0, "val_loss": 2.0})
    plain, axes = plt.subplots(1, 3)
    axes[0].errorbar([1, 2], [3, 4], yerr=1, color="black", capsize=3, label="measured")
    axes[0].legend()
    axes[0].set(title="Error bars", xlabel="x", ylabel="y")
    axes[1].boxplot(rng.normal(size=(20, 2)))
    axes[1].annotate("black", (1, 0), (1.5, 1), color="black", arrowprops={"arrowstyle": "->"})
    axes[2].imshow(rng.random((3, 3)))
    figures = {
        "live curves": displayed[-1],
        "plain axes": plain,
        "images": plotting.image_grid(rng.random((3, 4, 4)), range(3), columns=3, wrong=[True, False, False]),
        "matrix": plotting.confusion_matrix(np.diag([5, 7]), ["a", "b"], title="Who is who").figure,
        "flow": plotting.flow({"a": (0, 0), "b": (1, 0)}, [("a", "b", "label")], title="Forward"),
        "regions": plotting.decision_regions(
            lambda p: (p[:, 0] > 0.5).astype(int), np.eye(2), np.array([0, 1])
        ).figure,
    }
    pictures = {}
    for name, figure in figures.items():
        figure.savefig(png := io.BytesIO(), format="png")
        pictures[name] = png.getvalue()
    plt.close("all")
    return pictures


@pytest.mark.parametrize(
    "style",
    ["dark_background", "ggplot", "Solarize_Light2", "grayscale", "fivethirtyeight", "seaborn-v0_8-darkgrid"],
)
def test_figures_look_the_same_whatever_style_was_active(style, monkeypatch, displayed):
    expected = drawn(monkeypatch, displayed)
    plt.style.use(style)
    plotting.use_style()
    found = drawn(monkeypatch, displayed)
    assert [name for name in expected if found[name] != expected[name]] == []
    assert matplotlib.get_backend() == "Agg"


def test_texts_can_be_read_in_a_dark_style_chosen_later():
    with plt.style.context("dark_background"):
        diagram = plotting.flow({"a": (0, 0)}, [])
        matrix = plotting.confusion_matrix(np.diag([5, 7]), ["a", "b"])
        images = plotting.image_grid(np.zeros((1, 2, 2)), ["title"])
    on_light = [*diagram.axes[0].texts, *matrix.texts]
    assert {to_hex(text.get_color()) for text in on_light} == {"#000000"}
    assert to_hex(images.axes[0].title.get_color()) == "#ffffff"


# --- Chinese text -----------------------------------------------------------------------------------


@drawing
@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_chinese_text_needs_no_installed_font(weight):
    figure, ax = plt.subplots()
    ax.set_title("反向传播（backpropagation），梯度 ∂L/∂z", fontweight=weight)
    for kind in ("png", "svg", "pdf"):
        figure.savefig(io.BytesIO(), format=kind)


def test_the_font_has_the_characters_that_code_draws():
    assert font.lacking() == "", "make the font again: tools/font.py says how"


@pytest.fixture
def course(tmp_path) -> Path:
    """A course of one notebook, which writes 梯度."""
    (tmp_path / "notebooks" / "py").mkdir(parents=True)
    (tmp_path / "notebooks" / "py" / "00_start.py").write_text("# 梯度", encoding="utf8")
    return tmp_path


def test_a_character_that_the_font_lacks_is_named(course):
    (course / "README.md").write_text("靐", encoding="utf8")
    source = course / "notebooks" / "py" / "00_start.py"
    source.write_text('# 靐 is prose\nplt.title("梯度, 龘 and é")', encoding="utf8")
    assert font.lacking(root=course) == "龘"


@pytest.fixture
def any_full_font(monkeypatch):
    """Take the course's own font for the full one."""
    monkeypatch.setattr(font, "FULL_FONT_SHA256", hashlib.sha256(font.FONT.read_bytes()).hexdigest())


def test_a_font_is_made_the_same_every_time_under_its_own_name(any_full_font, monkeypatch, course):
    monkeypatch.setattr(font, "COMMON", "学习")
    made = [course / "first.otf", course / "second.otf"]
    sizes = [font.make(font.FONT, path, course) for path in made]
    assert made[0].read_bytes() == made[1].read_bytes() and sizes[0] == made[0].stat().st_size < 20_000
    with TTFont(made[0]) as opened:
        assert {*"梯度学习，"} <= set(map(chr, opened.getBestCmap())) and len(opened.getBestCmap()) < 40
        names = opened["name"]
        assert all(names.getDebugName(i).startswith("Large Models Han") for i in (1, 3, 4))
        assert "Adobe" in names.getDebugName(0) and "Open Font License" in names.getDebugName(13)


@pytest.mark.parametrize("fault", ["another font", "too large", "a character that it lacks"])
def test_a_font_that_cannot_be_made_leaves_the_old_one(fault, any_full_font, monkeypatch, course):
    if fault == "another font":
        monkeypatch.undo()
    elif fault == "too large":
        monkeypatch.setattr(font, "MAX_BYTES", 1000)
    else:
        (course / "README.md").write_text("龘", encoding="utf8")
    output = course / "han.otf"
    output.write_bytes(b"old")
    with pytest.raises(ValueError, match=r"not the font|more than|lacks 龘"):
        font.make(font.FONT, output, course)
    assert output.read_bytes() == b"old" and not list(course.glob("*.tmp"))


# --- descriptions -----------------------------------------------------------------------------------


def test_a_figure_is_described_by_its_titles():
    figure, axes = plt.subplots(1, 3)
    figure.suptitle("Adam needs\nhalf the steps")
    for ax, title in zip(axes, ["rate $\\eta$", "momentum", "momentum"], strict=True):
        ax.set(title=title, xlabel="step")
    assert description(figure) == "Adam needs half the steps; rate \\eta; momentum"


def test_a_figure_without_titles_is_described_by_its_labels_or_texts():
    figure, ax = plt.subplots()
    assert description(figure) == ""
    ax.text(0, 0, "here")
    assert description(figure) == "here"
    ax.set_ylabel("loss [nats]")
    assert description(figure) == "loss [nats]"
    ax.set_xlabel("epoch")
    assert description(figure) == "loss [nats] against epoch"


def test_a_description_is_short():
    figure = plotting.image_grid(np.zeros((40, 2, 2)), [f"image number {i}" for i in range(40)])
    assert description(figure).startswith("image number 0; image number 1;")
    assert description(figure).endswith(" …") and len(description(figure)) <= 250


CELLS = {
    "set-up": """
import matplotlib.pyplot as plt
import numpy as np
from course_utils import plotting
for _ in range(2):
    plotting.use_style()
""",
    "shown": "plt.subplots()[1].set(title='Shown 梯度')\nplt.show()",
    "left open": "plt.subplots()[1].set_title('Left open');",
    "last expression": "figure = plotting.flow({'a': (0, 0)}, [], title='Last')\nplt.close(figure)\nfigure",
    "displayed": "display(figure)",
    "live curves": """
import time
with plotting.LiveCurves(4, title="Curves") as curves:
    for step in range(1, 5):
        curves.update(step, {"loss": 1 / step})
        time.sleep(0.4)  # long enough for several updates
""",
    "live curves, not kept": """
with plotting.LiveCurves(2, title="Gone", keep=False) as curves:
    for step in (1, 2):
        curves.update(step, {"loss": 1 / step})
""",
    "explored": """
def draw(rate, steps):
    plt.subplots()[1].plot(rate ** np.arange(steps))
    plt.title(f"Rate {rate}, {steps} steps")

plotting.explore(draw, rate=(0.1, 1.0, 0.5), steps=[10, 100])
""",
    "explored without ipywidgets": """
import sys
sys.modules["ipywidgets"] = None
plotting.explore(draw, rate=(0.1, 1.0, 0.5), steps=[10, 100])
""",
    "retina": "%config InlineBackend.figure_format = 'retina'\nplt.subplots()[1].set_title('Sharp');",
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> dict[str, list[Any]]:
    """The outputs of CELLS, saved by a kernel as the build does it."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS.values()])
    folder = tmp_path_factory.mktemp("saved")
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    nbformat.validate(notebook)
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("shown", "Shown 梯度"),
        ("left open", "Left open"),
        ("last expression", "Last"),
        ("displayed", "Last"),
        ("explored", "Rate 0.5, 10 steps"),
        ("explored without ipywidgets", "Rate 0.5, 10 steps"),
    ],
)
def test_a_saved_figure_carries_its_description(outputs, cell, words):
    (output,) = [output for output in outputs[cell] if "image/png" in output.get("data", {})]
    assert output.metadata == {"title": words, "image/png": {"alt": words}}
    assert output.data["text/plain"] == words


def test_drawing_prints_nothing(outputs):
    """Such as matplotlib's red line on a font without a bold face, once in a kernel."""
    printed = {name: [o.text for o in each if o.output_type == "stream"] for name, each in outputs.items()}
    assert not any(printed.values()), printed


def test_live_curves_leave_one_static_figure_as_they_ended(outputs):
    (output,) = outputs["live curves"]
    assert output.output_type == "display_data" and "image/png" in output.data
    assert output.metadata.title.startswith("Curves: 4 of 4 in ") and output.metadata.title.endswith("; loss")


def test_live_curves_that_are_not_kept_leave_a_line(outputs):
    (output,) = outputs["live curves, not kept"]
    assert "image/png" not in output["data"]
    assert output["data"]["text/plain"].startswith("Gone: 2 of 2 in")


def test_a_sharp_figure_keeps_its_size(outputs):
    (output,) = outputs["retina"]
    assert output.metadata.title == "Sharp"
    assert output.metadata["image/png"].width > 300 and output.metadata["image/png"].height > 200


# --- live pictures ----------------------------------------------------------------------------------


def test_a_live_picture_is_saved_as_a_picture_beside_its_sliders(outputs):
    panel, picture = outputs["explored"]
    assert set(panel.data) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert panel.data["text/plain"] == "Run this cell to get its sliders."
    assert set(picture.data) == {"image/png", "text/plain"}


def test_a_live_picture_without_ipywidgets_is_a_picture(outputs):
    (picture,) = outputs["explored without ipywidgets"]
    assert set(picture.data) == {"image/png", "text/plain"}


def test_a_live_picture_outside_a_notebook_is_drawn_once():
    calls = []
    plotting.explore(lambda **values: calls.append(values), rate=(0.0, 1.0, 0.5), kind=["sine", "cosine"])
    assert calls == [{"rate": 0.5, "kind": "sine"}]


@pytest.mark.parametrize(
    "control", [(0, 1), (0, 1, 2), (1, 0, 0.5), (0, 1, 0.5, 0), ("a", "b", "c"), [], 3, np.arange(3)]
)
def test_a_control_of_another_form_is_refused_before_anything_is_drawn(control):
    with pytest.raises(ValueError, match=r"rate=.*write \(low, high, start\)"):
        plotting.explore(lambda rate: pytest.fail("drawn"), rate=control)


@pytest.mark.parametrize(
    ("control", "kind", "step"),
    [
        ((1, 9, 3), ipywidgets.IntSlider, 1),
        ((0, 100, 50, 10), ipywidgets.IntSlider, 10),
        ((0, 1, 0.5), ipywidgets.FloatSlider, 0.01),
        ((0.0, 4.0, 1.0, 0.5), ipywidgets.FloatSlider, 0.5),
    ],
)
def test_numbers_get_sliders(control, kind, step):
    slider = sliders._slider("learning_rate", control, "9ch")
    assert type(slider) is kind and slider.description == "learning rate"
    assert (slider.min, slider.max, slider.value, slider.step) == (*control[:3], step)


class Pictures(list):
    """A display handle that keeps the figures it is given."""

    update = list.append


def test_moves_become_one_drawing_where_cells_run():
    """JupyterLab sends them from a thread of their own; while a cell runs, none can be drawn."""
    slider, message, pictures = ipywidgets.IntSlider(max=200), ipywidgets.HTML(), Pictures()
    drawings = []

    def draw(steps):
        drawings.append((steps, threading.current_thread()))
        return plt.figure()

    async def scenario():
        sliders._redraw_on_change(draw, {"steps": slider}, message, pictures)
        for value in range(1, 100):  # a cell that moves the slider itself
            slider.value = value
        await asyncio.sleep(0)
        await asyncio.to_thread(setattr, slider, "value", 150)
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert drawings == [(99, threading.current_thread()), (150, threading.current_thread())]
    assert len(pictures) == 2 and not plt.get_fignums()


def test_an_error_while_drawing_is_shown_until_a_value_works_again():
    slider, message, pictures = ipywidgets.IntSlider(), ipywidgets.HTML(), Pictures()

    def draw(steps):
        figure = plt.figure()
        if steps == 1:
            raise ValueError("one < two")
        return figure

    async def scenario():
        sliders._redraw_on_change(draw, {"steps": slider}, message, pictures)
        slider.value = 1
        await asyncio.sleep(0)
        assert "ValueError: one &lt; two" in message.value and "in draw" in message.value
        assert not pictures and not plt.get_fignums()
        slider.value = 2
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert message.value == "" and len(pictures) == 1


@pytest.mark.parametrize("returns", ["figure", "axes", "subfigure's axes", "nothing"])
def test_a_drawing_may_return_its_figure_its_axes_or_nothing(returns):
    figure = plt.figure()
    ax = (figure.subfigures() if returns == "subfigure's axes" else figure).subplots()
    assert sliders._figure({"figure": figure, "nothing": None}.get(returns, ax)) is figure


# --- figures ---------------------------------------------------------------------------------------


@drawing
@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (3, 4, 3)])
def test_image_grid_draws_every_image(shape):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, *shape), dtype=np.uint8)
    wrong = [True, False, False, True, False, False, False]
    figure = plotting.image_grid(images, range(7), columns=3, wrong=wrong)
    assert len(figure.axes) == 9 and not any(ax.axison for ax in figure.axes)
    assert [len(ax.images) for ax in figure.axes] == [1] * 7 + [0] * 2
    for i, ax in enumerate(figure.axes[:7]):
        np.testing.assert_array_equal(ax.images[0].get_array(), images[i].squeeze())
        assert ax.get_title() == str(i)
        assert to_hex(ax.title.get_color()).upper() == (plotting.RED if wrong[i] else "#000000")
    assert overhang(figure) < 0.05


@drawing
def test_image_grid_shows_one_gray_on_one_scale():
    """A pale image must look pale: a per-image scale would stretch it to black."""
    images = np.stack([np.full((2, 2), 10), np.full((2, 2), 250)]).astype(np.uint8)
    figure = plotting.image_grid(images)
    limits = {ax.images[0].get_clim() for ax in figure.axes if ax.images}
    assert len(limits) == 1


@drawing
@pytest.mark.parametrize("seed", SEEDS)
def test_confusion_matrix_draws_the_given_counts(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 12))
    matrix = rng.integers(0, 300, (k, k)) * rng.integers(0, 2, (k, k))
    matrix[rng.integers(k)] = 0  # a class without examples
    names = [f"class {i}" for i in range(k)]
    ax: Any = plotting.confusion_matrix(matrix, names, title="Who is taken for whom")
    written = np.zeros_like(matrix)
    for text in ax.texts:
        j, i = text.get_position()
        written[i, j] = int(text.get_text())
        assert (text.get_fontweight() == "bold") == (i == j)
    np.testing.assert_array_equal(written, matrix)
    shares = np.asarray(ax.images[0].get_array())
    for i in range(k):
        for j in range(k):
            share = 0 if i == j or not matrix[i].sum() else matrix[i, j] / matrix[i].sum()
            assert shares[i, j] == pytest.approx(share)
    assert [label.get_text() for label in ax.get_yticklabels()] == names
    assert overhang(ax.figure) < 0.05


@drawing
def test_confusion_matrix_of_a_perfect_model():
    ax = plotting.confusion_matrix(np.diag([5, 7]), ["a", "b"])
    assert not np.asarray(ax.images[0].get_array()).any()
    assert [text.get_text() for text in ax.texts] == ["5", "7"]


@drawing
@pytest.mark.parametrize("seed", SEEDS)
def test_decision_regions_color_what_was_predicted(seed):
    rng = np.random.default_rng(seed)
    X, direction = rng.normal(size=(40, 2)) * [1, 30], rng.normal(size=2) / [1, 30]
    y = rng.integers(0, 3, 40)

    def predict(points):
        assert points.ndim == 2 and points.shape[1] == 2
        return np.digitize(points @ direction, [-0.5, 0.5])

    ax: Any = plotting.decision_regions(predict, X, y, title="Three bands", points=50)
    regions, (left, right, bottom, top) = ax.images[0].get_array(), ax.images[0].get_extent()
    assert left < X[:, 0].min() < X[:, 0].max() < right and bottom < X[:, 1].min() < X[:, 1].max() < top
    columns, rows = np.linspace(left, right, 50), np.linspace(bottom, top, 50)
    for i, j in rng.integers(0, 50, (20, 2)):
        assert regions[i, j] == predict(np.array([[columns[j], rows[i]]]))[0]
    (points,) = ax.collections
    np.testing.assert_allclose(points.get_offsets(), X)
    ax.figure.canvas.draw()
    colors = points.get_facecolors()
    assert all(
        to_hex(color).upper() == plotting.PALETTE[label] for color, label in zip(colors, y, strict=True)
    )
    assert overhang(ax.figure) < 0.05


def test_decision_regions_use_the_given_axes():
    figure, axes = plt.subplots(1, 2)
    ax = plotting.decision_regions(lambda p: np.zeros(len(p), int), np.eye(2), np.array([0, 1]), axes[1])
    assert ax is axes[1] and not axes[0].images and plt.get_fignums() == [figure.number]


FLOWS = {
    "row": ({"data": (0, 0), "model": (1, 0), "loss": (2, 0)}, [("data", "model"), ("model", "loss", "ŷ")]),
    "loop": ({"data": (0, 0), "model": (1, 0), "loss": (2, 0)}, [("loss", "data", "gradient")]),
    "column": ({"a": (0, 0), "b": (0, 1.5)}, [("a", "b", "down"), ("b", "a")]),
    "slanted": ({"a": (0, 0), "b": (1, 1), "two\nlines": (2, 0)}, [("a", "b"), ("b", "two\nlines")]),
    "single": ({"alone": (0, 0)}, []),
}


@drawing
@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("title", ["", "Forward"])
def test_flow_draws_boxes_arrows_and_labels(name, title):
    boxes, arrows = FLOWS[name]
    first = next(iter(boxes))
    figure = plotting.flow(boxes, arrows, highlight=[first], title=title)
    (ax,) = figure.axes
    texts = [text.get_text() for text in ax.texts]
    labels = [arrow[2] for arrow in arrows if len(arrow) == 3]
    assert sorted(filter(None, texts)) == sorted([*boxes, *labels])
    assert sum(getattr(text, "arrow_patch", None) is not None for text in ax.texts) == len(arrows)
    patches = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    edges = [patch.get_edgecolor() for patch in patches]
    assert edges == [to_rgba(plotting.ORANGE)] + [to_rgba(plotting.BLUE)] * (len(boxes) - 1)
    assert ax.get_title() == title
    assert overhang(figure) < 0.05


def test_flow_refuses_an_arrow_to_nowhere():
    with pytest.raises(KeyError, match="nowhere"):
        plotting.flow({"a": (0, 0)}, [("a", "nowhere")])


# --- live curves ----------------------------------------------------------------------------------


@drawing
def test_live_curves_draw_the_given_numbers(displayed):
    with plotting.LiveCurves(3, ("loss", "accuracy"), "Training") as live:
        for step in (1, 2, 3):
            live.update(step, {"loss": 1 / step, "val_loss": 2 / step, "accuracy": step / 4})
    (figure,) = displayed
    loss, accuracy = figure.axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[1, 1 / 2, 1 / 3], [2, 1, 2 / 3]]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[1 / 4, 2 / 4, 3 / 4]]
    assert list(loss.lines[0].get_xdata()) == [1, 2, 3]
    assert figure.get_suptitle().startswith("Training: 3 of 3")
    assert not plt.get_fignums(), "the figure would be drawn once more below the cell"
    assert overhang(figure) < 0.05


@drawing
@pytest.mark.parametrize("kind, counted", [(plotting.LiveCurves, "epoch"), (plotting.LiveSteps, "step")])
def test_live_curves_say_what_they_count(displayed, kind, counted):
    with kind(1) as live:
        live.update(1, {"loss": 1.0})
    assert displayed[-1].axes[0].get_xlabel() == counted


@drawing
def test_live_curves_accept_values_that_come_now_and_then(displayed):
    """Validation every second epoch is usual: the other steps are gaps."""
    with plotting.LiveCurves(4) as live:
        for step in (1, 2, 3, 4):
            live.update(step, {"loss": 1.0, **({"val_loss": 2.0} if step % 2 == 0 else {})})
    nan = float("nan")
    np.testing.assert_array_equal(displayed[-1].axes[0].lines[1].get_ydata(), [nan, 2, nan, 2])


@drawing
def test_live_curves_leave_a_panel_without_values_empty(displayed):
    with plotting.LiveCurves(1, ("loss", "accuracy")) as live:
        live.update(1, {"loss": 1.0})
    assert not displayed[-1].axes[1].lines


def test_live_curves_print_where_there_is_no_notebook(capsys):
    with plotting.LiveCurves(2) as live:
        live.update(1, {"loss": 0.5})
        live.update(2, {"loss": 0.25})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and "1 of 2" in lines[0] and lines[1].endswith("{'loss': 0.25}")
