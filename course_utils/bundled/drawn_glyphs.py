"""Drawn stand-ins for Omniglot: alphabets of characters that nobody writes.

An alphabet has a few strokes of its own; a character is two to four of them, placed somewhere. Each
drawer moves the ends of the strokes a little, leans and scales the whole, and has a pen of his own.
So images of one character differ, and characters of one alphabet are alike.

Made by this project from nothing but these lines; the project's license holds. Needs NumPy alone.
"""

import numpy as np

TERMS = ("Apache-2.0", "course_utils/bundled/drawn_glyphs.py")
SIDE = 28
BENDS = 4  # straight pieces of a curved stroke


def characters(alphabets: int, each: int, seed: int, drawers: int = 20) -> tuple[np.ndarray, tuple[str, ...]]:
    """Images (alphabets * each, drawers, 28, 28) uint8, 255 is ink, and the alphabet of each character.

    The same for the same seed. A stroke is a quadratic curve: three points, x and y from -1 to 1.
    """
    random = np.random.RandomState(seed)  # a Generator's numbers may change with NumPy's version
    images, names = [], []
    for alphabet in range(alphabets):
        parts = random.uniform(-0.55, 0.55, (5, 3, 2))
        parts[:, 2] = parts[:, 0] + np.clip(2.4 * (parts[:, 2] - parts[:, 0]), -1.3, 1.3)
        for _ in range(each):
            chosen = random.permutation(5)[: random.randint(2, 5)]
            places = random.uniform(-0.45, 0.45, (len(chosen), 1, 2))
            strokes = np.clip(parts[chosen] * random.choice([1, -1], (len(chosen), 1, 2)) + places, -0.9, 0.9)
            images.append(np.stack([_drawn(strokes, random) for _ in range(drawers)]))
            names.append(f"Alphabet {'ABCDEFGH'[alphabet]}{seed}")
    return np.stack(images), tuple(names)


def _drawn(strokes: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """One drawer's image (28, 28) of strokes (n, 3, 2)."""
    strokes = strokes + random.normal(0, 0.07, strokes.shape) + random.normal(0, 0.05, (len(strokes), 1, 2))
    lean = np.eye(2) * random.uniform(0.85, 1.1) + random.normal(0, 0.09, (2, 2))
    strokes = strokes @ lean + random.uniform(-0.1, 0.1, 2)
    strokes = strokes.astype(np.float32)
    t = np.linspace(0, 1, BENDS + 1, dtype=np.float32)[:, None, None]
    points = (1 - t) ** 2 * strokes[:, 0] + 2 * t * (1 - t) * strokes[:, 1] + t**2 * strokes[:, 2]
    start = points[:-1].reshape(-1, 2)  # (pieces, 2)
    along = points[1:].reshape(-1, 2) - start
    axis = (np.arange(SIDE, dtype=np.float32) + 0.5) / (SIDE / 2) - 1
    pixels = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 1, 2)  # (pixels, 1, 2)
    way = pixels - start  # (pixels, pieces, 2)
    part = np.clip((way * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9), 0, 1)
    distance = np.sqrt(((way - part[..., None] * along) ** 2).sum(-1)).min(axis=1)
    ink = np.clip((random.uniform(0.05, 0.09) - distance) * (SIDE / 2) + 0.5, 0, 1)
    return np.rint(255 * ink).astype(np.uint8).reshape(SIDE, SIDE)
