"""The course's colors, and matplotlib's settings for a kernel."""

from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.font_manager import fontManager

from course_utils.plotting.descriptions import describe_figures

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, GRAY = "#CC79A7", "#56B4E9", "#F0E442", "#6B6B6B"
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GRAY)
INK = "black"  # text on a light ground that a figure brings along, whatever the style says


def use_style() -> None:
    """Set the course's matplotlib defaults for this kernel.

    Figures look the same whatever style was active before (the reader's matplotlibrc, a dark one
    that an editor set), Chinese text needs no installed font, and each figure carries its
    description. Only the backend and its like stay as they were.
    """
    folder = Path(__file__).parent
    _add_font(folder / "han.otf")
    plt.style.use(["default", folder / "course.mplstyle"])
    describe_figures()


def _add_font(path: Path) -> None:
    """Make a font known to matplotlib, once, in its own weight and for bold text."""
    if any(font.fname == str(path) for font in fontManager.ttflist):
        return
    fontManager.addfont(path)
    added = [font for font in fontManager.ttflist if font.fname == str(path)]
    # without an entry of that weight matplotlib would take the same file, but complain in red
    fontManager.ttflist += [replace(font, weight=700) for font in added]
