"""Profiles, exercise checks, claims, devices and plotting: the small parts of course_utils."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import psutil
import pytest
from matplotlib.colors import to_hex, to_rgba
from matplotlib.patches import FancyBboxPatch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from course_utils import (
    by_profile,
    check,
    claim,
    devices,
    exercises,
    numerical_gradient,
    plotting,
    profile,
)
from course_utils.profiles import PROFILES

PACKAGE = Path(plotting.__file__).parent
SEEDS = range(5)


# --- the package ----------------------------------------------------------------------------------


def test_importing_takes_milliseconds():
    """Best of several fresh interpreters: what else this machine is doing must not decide."""
    program = (
        "import sys, time; start = time.perf_counter(); import course_utils\n"
        "print(1000 * (time.perf_counter() - start))\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    best = np.inf
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        milliseconds, modules = done.stdout.splitlines()
        assert {"numpy", "matplotlib", "sklearn", "tensorflow", "keras"}.isdisjoint(modules.split())
        best = min(best, float(milliseconds))
    assert best < 60


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_numerical_gradient(shape: tuple[int, ...]):
    z = np.random.default_rng(0).normal(size=shape)
    kept = z.copy()
    np.testing.assert_allclose(numerical_gradient(lambda z: float(np.sum(z**3)), z), 3 * z**2, rtol=1e-7)
    np.testing.assert_array_equal(z, kept)


def test_the_package_stays_small():
    lines = {path.name: len(path.read_text(encoding="utf8").splitlines()) for path in PACKAGE.glob("*.py")}
    assert sum(lines.values()) < 1000, lines


# --- profiles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROFILES)
def test_the_profile_comes_from_the_environment(monkeypatch, name):
    monkeypatch.setenv("COURSE_PROFILE", name)
    assert profile() == name
    assert by_profile(quick="quick", standard="standard", full="full") == name


def test_the_profile_is_standard_unless_set(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "")
    assert profile() == "standard"
    monkeypatch.delenv("COURSE_PROFILE")
    assert profile() == "standard"


def test_an_unknown_profile_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    with pytest.raises(ValueError, match=r"'fast'.*quick, standard, full.*Unset"):
        by_profile(quick=1, standard=2, full=3)


# --- checks ---------------------------------------------------------------------------------------


@pytest.fixture
def results(monkeypatch):
    monkeypatch.setattr(exercises, "results", {})
    return exercises.results


@pytest.mark.parametrize(
    ("error", "state", "printed"),
    [
        (None, "correct", "✓ Exercise 1.1 · sum: correct"),
        (NotImplementedError("your turn"), "not attempted", "○ Exercise 1.1 · sum: not attempted yet"),
        (AssertionError("3, not 4"), "wrong", "✗ Exercise 1.1 · sum: not yet\n  3, not 4"),
        (AssertionError(), "wrong", "✗ Exercise 1.1 · sum: not yet\n  the check's assertion does not hold"),
        (ValueError("bad shape"), "wrong", "✗ Exercise 1.1 · sum: not yet\n  ValueError: bad shape"),
        (ZeroDivisionError(), "wrong", "✗ Exercise 1.1 · sum: not yet\n  ZeroDivisionError"),
    ],
)
def test_a_check_says_how_it_stands_and_goes_on(results, capsys, error, state, printed):
    with check("1.1", "sum"):
        if error:
            raise error
    assert results == {"1.1": state}
    assert capsys.readouterr().out.startswith(printed)


def test_a_check_says_what_differs_in_a_few_lines(results, capsys):
    with check("1.1", "a"):
        np.testing.assert_allclose(np.arange(1000.0), np.arange(1000.0) + 1)
    printed = capsys.readouterr().out
    assert "Mismatched elements: 1000 / 1000" in printed
    assert len(printed.splitlines()) <= 9


def test_a_check_lets_the_reader_interrupt(results):
    with pytest.raises(KeyboardInterrupt), check("1.1", "endless"):
        raise KeyboardInterrupt
    assert results == {}


# --- claims ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", ["0", "1"])
@pytest.mark.parametrize(
    ("value", "bound", "holds"),
    [
        (0.99, {"at_least": 0.98}, True),
        (0.98, {"at_least": 0.98}, True),
        (0.97, {"at_least": 0.98}, False),
        (2.0, {"at_most": 3}, True),
        (3.5, {"at_most": 3}, False),
        (float("nan"), {"at_least": 0}, False),
        (float("nan"), {"at_most": 0}, False),
        (np.float32(0.5), {"at_least": 0.4}, True),
    ],
)
def test_a_claim_is_compared_and_binding_when_strict(monkeypatch, capsys, strict, value, bound, holds):
    monkeypatch.setenv("COURSE_STRICT", strict)
    must_raise = strict == "1" and not holds
    with pytest.raises(AssertionError, match="accuracy") if must_raise else contextlib.nullcontext():
        claim("accuracy", value, **bound)
    assert capsys.readouterr().out.endswith("holds\n" if holds else "FAILS\n")


def test_a_claim_made_for_other_data_is_not_judged(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_STRICT", "1")
    claim("accuracy", 0.1, at_least=0.98, applies=False)
    assert "0.1 (promised ≥ 0.98): not judged" in capsys.readouterr().out


@pytest.mark.parametrize("bounds", [{}, {"at_least": 1, "at_most": 2}])
def test_a_claim_has_one_bound(bounds):
    with pytest.raises(TypeError, match="exactly one"):
        claim("accuracy", 1.5, **bounds)


# --- devices --------------------------------------------------------------------------------------


def test_noise_of_libraries_is_dropped(capfd):
    with devices.quiet_stderr():
        os.write(2, b"a warning from C++\n")
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "later\n"


def test_noise_is_shown_when_something_fails(capfd):
    with pytest.raises(ImportError), devices.quiet_stderr():
        os.write(2, b"the reason\n")
        raise ImportError
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "the reason\nlater\n"


def test_memory_is_that_of_this_process():
    before = devices.memory_mb()
    block = np.ones(8_000_000)  # 64 MB
    assert 60 < devices.memory_mb() - before < 90
    assert devices.memory_mb() * 1e6 == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)
    del block


def test_cores_are_those_we_may_use():
    assert 1 <= devices.cores() <= (os.cpu_count() or 1)


def test_setup_without_tensorflow_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs TensorFlow: run `make lab`.*pip install"):
        devices.setup()


def test_setup_is_quiet_and_seeds_everything():
    program = """
import random
import numpy as np
from course_utils import devices
drawn = []
for seed in (1, 1, 2):
    tf = devices.setup(seed)
    drawn.append((random.random(), np.random.rand(), float(tf.random.normal(()))))
assert drawn[0] == drawn[1], drawn
assert all(a != b for a, b in zip(drawn[1], drawn[2])), drawn
assert isinstance(devices.gpu_names(), list)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and len(set(lines)) == 1
    assert lines[0].startswith("TensorFlow 2.") and "Keras 3." in lines[0]


# --- plotting -------------------------------------------------------------------------------------

# a figure that warns has something cut off or left out; sockets that other tests left open are
# none of its business, and are collected at any moment
drawing = pytest.mark.filterwarnings(
    "error", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True)
def style():
    """The course's style for the test, matplotlib's own afterwards."""
    with plt.rc_context():
        plt.switch_backend("Agg")
        plotting.use_style()
        yield
    plt.close("all")


def overhang(figure) -> float:
    """How far what is drawn reaches over the figure's edge, in inches."""
    figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.bbox_inches
    return max(page.x0 - drawn.x0, page.y0 - drawn.y0, drawn.x1 - page.x1, drawn.y1 - page.y1)


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

    monkeypatch.setattr(plotting, "_in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", display)
    return shown


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


def test_live_curves_leave_one_static_figure_in_a_saved_notebook(tmp_path):
    """Executed as the build does, with pauses long enough for several updates."""
    program = """
import time
from course_utils import plotting

with plotting.LiveCurves(4) as live:
    for step in range(1, 5):
        live.update(step, {"loss": 1 / step})
        time.sleep(0.4)
"""
    notebook = new_notebook(cells=[new_code_cell(program)])
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data" and "image/png" in output.data
    nbformat.validate(notebook)
