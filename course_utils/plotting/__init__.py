"""House style and shared figures: functions return the figure or axes, for a cell to go on changing."""

from course_utils.plotting.classifiers import confusion_matrix, decision_regions
from course_utils.plotting.diagrams import flow
from course_utils.plotting.images import image_grid
from course_utils.plotting.live import LiveCurves, LiveSteps, training_plot
from course_utils.plotting.sliders import explore
from course_utils.plotting.style import (
    BLUE,
    GRAY,
    GREEN,
    ORANGE,
    PALETTE,
    PURPLE,
    RED,
    SKY,
    YELLOW,
    use_style,
)

__all__ = [
    "BLUE", "GRAY", "GREEN", "ORANGE", "PALETTE", "PURPLE", "RED", "SKY", "YELLOW",
    "LiveCurves", "LiveSteps", "confusion_matrix", "decision_regions", "explore", "flow", "image_grid",
    "training_plot", "use_style",
]  # fmt: skip
