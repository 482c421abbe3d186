"""What a classifier gets right, and where it draws its borders."""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from course_utils.plotting.style import INK, PALETTE


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
        text = f"{matrix[i, j]:d}"
        ax.text(j, i, text, ha="center", va="center", fontsize=8, fontweight=weight, color=INK)
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
