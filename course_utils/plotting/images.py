"""Many images at once."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from course_utils.plotting.style import RED


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
            title = ax.set_title(str(titles[i]), fontsize=8, fontweight="normal", pad=2)
            if wrong is not None and wrong[i]:
                title.set_color(RED)
    return figure
