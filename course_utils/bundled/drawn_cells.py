"""Drawn stand-in for blood under the microscope: cells of three kinds, with the exact box of each.

Red cells are pale red disks with a lighter middle, and overlap now and then; a white cell is large, with a
purple nucleus of a few lobes; platelets are small purple specks. Size, place, color, light and noise vary.
"""

import numpy as np

HEIGHT, WIDTH = 240, 320
RED, WHITE, PLATELET = range(3)  # in the order of the registry's classes
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)


def inside(x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> np.ndarray:
    """How far each pixel lies inside an ellipse, soft at its edge: (HEIGHT, WIDTH), 0 to 1."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    right, down = COLUMNS - np.float32(x), ROWS - np.float32(y)
    u, v = (right * cos + down * sin) / rx, (down * cos - right * sin) / ry
    return np.clip((1 - np.sqrt(u * u + v * v)) * min(rx, ry) + 0.5, 0, 1)


def paint(canvas: np.ndarray, cover: np.ndarray, color: np.ndarray) -> None:
    canvas += cover[..., None] * (color - canvas)


def box(x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> list[float]:
    """The exact box of an ellipse, as far as it lies in the image."""
    half_w = float(np.hypot(rx * np.cos(angle), ry * np.sin(angle)))
    half_h = float(np.hypot(rx * np.sin(angle), ry * np.cos(angle)))
    left, right = np.clip([x - half_w, x + half_w], 0, WIDTH)
    top, bottom = np.clip([y - half_h, y + half_h], 0, HEIGHT)
    return [float(left), float(top), float(right), float(bottom)]


def free_place(
    rng: np.random.Generator, taken: list[tuple[float, float, float]], radius: float, overlap: float
) -> tuple[float, float] | None:
    """A center that keeps away from others: (x, y, radius) each; None if a hundred tries find none."""
    for _ in range(100):
        x, y = (rng.uniform(0.4 * radius, side - 0.4 * radius) for side in (WIDTH, HEIGHT))
        if all(np.hypot(x - a, y - b) > (1 - overlap) * (radius + r) for a, b, r in taken):
            return float(x), float(y)
    return None


def scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One image uint8 (HEIGHT, WIDTH, 3), its boxes float32 (k, 4), their kinds int64 (k,)."""
    tint = rng.normal(0, 6, 3)
    canvas = np.empty((HEIGHT, WIDTH, 3), np.float32)
    canvas[:] = np.array([222, 214, 210]) + tint
    skin = np.array([205, 160, 158]) + tint + rng.normal(0, 5, 3)
    purple = np.array([128, 92, 160]) + tint + rng.normal(0, 8, 3)
    taken: list[tuple[float, float, float]] = []
    marked: list[tuple[list[float], int]] = []
    for kind, count, low, high, overlap in (
        (WHITE, rng.choice([0, 1, 1, 2]), 36, 52, 0.0),
        (RED, rng.integers(4, 16), 22, 29, 0.15),
        (PLATELET, rng.integers(0, 4), 7, 11, 0.0),
    ):
        for _ in range(int(count)):
            radius = float(rng.uniform(low, high))
            if place := free_place(rng, taken, radius, overlap):
                shape = (*place, radius, radius * float(rng.uniform(0.85, 1)), float(rng.uniform(0, np.pi)))
                taken.append((*place, radius))
                marked.append((box(*shape), kind))
                draw(canvas, kind, shape, skin, purple, rng)
    light = 1 + rng.uniform(-0.08, 0.08) * (COLUMNS / WIDTH - 0.5)
    light = light + rng.uniform(-0.08, 0.08) * (ROWS / HEIGHT - 0.5)
    canvas = canvas * light[..., None] + rng.normal(0, 3, canvas.shape)
    boxes = np.array([b for b, _ in marked], np.float32).reshape(-1, 4)
    kinds = np.array([k for _, k in marked], np.int64)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8), boxes, kinds


def draw(
    canvas: np.ndarray,
    kind: int,
    shape: tuple[float, float, float, float, float],
    skin: np.ndarray,
    purple: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Paint one cell; the ellipse is x, y, two radii, angle."""
    x, y, rx, ry, angle = shape
    if kind == RED:
        paint(canvas, inside(*shape) * 0.9, skin * rng.uniform(0.96, 1.03))
        paint(canvas, inside(x, y, rx * 0.45, ry * 0.45, angle) * 0.4, np.array(222.0))
    elif kind == PLATELET:
        paint(canvas, inside(*shape) * 0.85, purple * 1.1)
    else:
        paint(canvas, inside(*shape) * 0.8, (skin + 2 * purple) / 3 * 1.2)
        for turn in range(int(rng.integers(2, 5))):
            away = 0.4 * rx * np.array([np.cos(2.1 * turn + angle), np.sin(2.1 * turn + angle)])
            paint(canvas, inside(x + away[0], y + away[1], 0.42 * rx, 0.36 * rx, angle), purple)


def blood(n: int, seed: int) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """n images uint8 (n, 240, 320, 3), for each its boxes float32 (k, 4) and kinds int64 (k,).

    Another seed gives other images; the first k of n never depend on n. Raises ValueError if n < 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}; it must be at least 1.")
    drawn = [scene(np.random.default_rng([seed, i])) for i in range(n)]
    return np.stack([x for x, _, _ in drawn]), [b for _, b, _ in drawn], [k for _, _, k in drawn]
