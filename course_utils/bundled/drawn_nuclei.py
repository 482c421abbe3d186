"""Drawn stand-ins for images of cell nuclei: bright ovals on black, many of them touching, each pixel's
nucleus known exactly.

Made by this project from nothing but these lines; the project's license holds. Needs NumPy alone.
"""

import numpy as np

SIDE = 256


def nuclei(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n images (n, 256, 256) uint8, and labels (n, 256, 256) int32: 0, or the number of the nucleus.

    The first k of n never depend on n.
    """
    drawn = [_image(np.random.default_rng([seed, i])) for i in range(n)]
    images, labels = zip(*drawn, strict=True)
    return np.stack(images), np.stack(labels)


def _image(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Nuclei of about one size; half of them begin beside one that is there already."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    radius = rng.uniform(6, 14)
    light, labels = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.int32)
    centers: list[tuple[float, float]] = []
    for _ in range(int(rng.integers(8, 45))):
        if centers and rng.random() < 0.5:
            angle, base = rng.uniform(0, 2 * np.pi), centers[int(rng.integers(len(centers)))]
            apart = radius * rng.uniform(1.6, 2.1)
            at = base[0] + apart * np.sin(angle), base[1] + apart * np.cos(angle)
        else:
            at = tuple(rng.uniform(0, SIDE, 2))
        turn, a, b = rng.uniform(0, np.pi), radius * rng.uniform(0.9, 1.3), radius * rng.uniform(0.7, 1)
        dy, dx = y - at[0], x - at[1]
        along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        inside = ((along / a) ** 2 + (across / b) ** 2 < 1) & (labels == 0)
        if inside.sum() < 40 or 2 * inside.sum() < np.pi * a * b:  # mostly hidden, or mostly outside
            continue
        centers.append((float(at[0]), float(at[1])))
        labels[inside] = len(centers)
        rim = np.clip(1.6 * (1 - (along / a) ** 2 - (across / b) ** 2), 0.25, 1)
        light[inside] = (rng.uniform(0.3, 1) * rim)[inside]
    if not centers:  # never an empty image
        labels[100:120, 100:120], light[100:120, 100:120] = 1, 0.8
    blurred = _blurred(light) * rng.uniform(90, 220) + rng.uniform(4, 14)
    grain = rng.normal(0, 2.5, (SIDE, SIDE))
    return np.clip(np.rint(blurred + grain), 0, 255).astype(np.uint8), labels


def _blurred(light: np.ndarray, times: int = 2) -> np.ndarray:
    """Each time a mean over 3×3 pixels, as an optic blurs."""
    for _ in range(times):
        edged = np.pad(light, 1, mode="edge")
        rows = edged[:-2] + edged[1:-1] + edged[2:]
        light = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9
    return light
