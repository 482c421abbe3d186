"""Drawn stand-ins for CIFAR-10 and Fashion-MNIST: pictures made by this program, nothing downloaded.

Why: the notebooks and their tests must run without the network, with images that ask for the
same skills as the real ones. A scene's class shows in its shape alone: place, size, direction,
colors and background vary and are shared between classes, so that a linear model stays poor
and a small convolutional network does well. The garments fill the frame and overlap
(shirt, coat, pullover), so that a linear model already does well, as on Fashion-MNIST.

How: each drawing is a list of ellipses, capsules and convex polygons, given as signed distances
(negative inside) on the pixel grid and painted one over the other, for many images at once.
Images are drawn in blocks with a seed of their own, so the first k of n images never depend on n.

Made by this project, no photograph or data set went into it; free to use under its license.
Needs NumPy alone. `python drawn_images.py` writes nothing; import `scenes` and `garments`.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

# float32 (n, 1, 1), one number per image; (n, height, width), one per pixel; or the same for all
Number: TypeAlias = np.ndarray | float
Point: TypeAlias = tuple[Number, Number]

PER_CLASS = 50  # images of a class in one block: arrays of 200 KB, which stay in the processor's cache


class Pen:
    """Paints the same shapes into n images at once, each in a frame of its own.

    Lengths are in units of the frame (`frame` sets how many pixels a unit has), v points down.
    Corners wander a little from image to image, like a hand-drawn line.
    canvas: float32 (channels, n, size, size), values 0 to 255.
    """

    def __init__(self, rng: np.random.Generator, n: int, size: int, channels: int, wobble: float) -> None:
        self.rng, self.n, self.size, self.wobble = rng, n, size, wobble
        self.canvas = np.zeros((channels, n, size, size), np.float32)
        self.frame(0.0, 0.0, 1.0, 1.0)

    def uniform(self, low: float, high: float) -> np.ndarray:
        """One random number per image, float32 (n, 1, 1)."""
        return self.rng.uniform(low, high, (self.n, 1, 1)).astype(np.float32)

    def chance(self, p: float) -> np.ndarray:
        """1 with probability p, else 0, per image: float32 (n, 1, 1)."""
        return (self.uniform(0, 1) < p).astype(np.float32)

    def color(self, palette: np.ndarray, avoid: tuple[np.ndarray, ...] = ()) -> np.ndarray:
        """A color per image, (channels, n, 1, 1): of four drawn from the palette (k, channels), the
        one that differs most from the colors to avoid."""
        drawn = palette[self.rng.integers(len(palette), size=(4 if avoid else 1, self.n))]
        drawn = np.clip(drawn + self.rng.normal(0, 18, drawn.shape), 5, 250)
        drawn = np.moveaxis(drawn, -1, 1)[..., None, None].astype(np.float32)  # (drawn, channels, n, 1, 1)
        if not avoid:
            return drawn[0]
        gap = np.min([np.abs(drawn - other).sum(axis=1) for other in avoid], axis=0)[..., 0, 0]
        return drawn[gap.argmax(axis=0), :, np.arange(self.n)].swapaxes(0, 1)

    def frame(self, x: Number, y: Number, unit: Number, flip: Number, angle: Number = 0.0) -> None:
        """Put the origin at pixel (x, y); unit: pixels; flip: ±1; angle: radians."""
        rows, columns = np.mgrid[: self.size, : self.size].astype(np.float32)
        cos, sin = (np.asarray(f(angle), np.float32) / unit for f in (np.cos, np.sin))
        right, down = columns - x, rows - y
        self.u, self.v = (right * cos + down * sin) * flip, down * cos - right * sin
        self.unit = unit

    def wander(self, point: Point) -> Point:
        """The point moved a little, differently in each image."""
        du, dv = self.rng.normal(0, self.wobble, (2, self.n, 1, 1)).astype(np.float32)
        return point[0] + du, point[1] + dv

    def ellipse(self, center: Point, width: Number, height: Number) -> np.ndarray:
        """Signed distance (nearly) to an ellipse with these half axes: (n, size, size)."""
        cu, cv = self.wander(center)
        radius = np.sqrt(((self.u - cu) / width) ** 2 + ((self.v - cv) / height) ** 2)
        return (radius - 1) * np.minimum(width, height)

    def capsule(self, start: Point, end: Point, radius: Number, end_radius: Number | None = None) -> np.ndarray:
        """Signed distance to a thick line with round ends, tapered if the radii differ."""
        (au, av), (bu, bv) = self.wander(start), self.wander(end)
        du, dv = bu - au, bv - av
        u, v = self.u - au, self.v - av
        along = np.clip((u * du + v * dv) / (du * du + dv * dv + 1e-6), 0, 1)
        thick = radius if end_radius is None else radius + along * (end_radius - radius)
        return np.sqrt((u - along * du) ** 2 + (v - along * dv) ** 2) - thick

    def polygon(self, *corners: Point) -> np.ndarray:
        """Signed distance (nearly) to a convex polygon, its corners in clockwise order as seen."""
        points = [self.wander(corner) for corner in corners]
        distance = None
        for (au, av), (bu, bv) in zip(points, points[1:] + points[:1], strict=True):
            du, dv = bu - au, bv - av
            length = np.sqrt(du * du + dv * dv) + 1e-6
            side = self.u * (dv / length) - self.v * (du / length) - (au * dv - av * du) / length
            distance = side if distance is None else np.maximum(distance, side)
        assert distance is not None, "a polygon needs corners"
        return distance

    def box(self, left: Number, top: Number, right: Number, bottom: Number) -> np.ndarray:
        """Signed distance (nearly) to an upright box."""
        return self.polygon((left, top), (right, top), (right, bottom), (left, bottom))

    def fill(self, color: np.ndarray, *shapes: np.ndarray, rim: float = 0.35, alpha: Number = 1.0) -> None:
        """Paint the union of shapes with soft edges; rim: how much darker the outermost pixel is."""
        pixels = np.minimum.reduce(shapes) * self.unit
        cover = np.clip(0.5 - pixels, 0, 1) * alpha
        tone = 1 - rim * np.clip(pixels + 1.5, 0, 1) if rim else 1.0
        for plane, value in zip(self.canvas, color, strict=True):
            plane += cover * (value * tone - plane)

    def clouds(self, cells: int) -> np.ndarray:
        """Smooth random blotches between -1 and 1, (n, size, size): a coarse grid, interpolated."""
        coarse = self.rng.uniform(-1, 1, (self.n, cells + 1, cells + 1)).astype(np.float32)
        place = np.linspace(0, cells, self.size, endpoint=False, dtype=np.float32)
        cell = place.astype(int)
        part = place - cell
        rows = coarse[:, cell] + part[:, None] * (coarse[:, cell + 1] - coarse[:, cell])
        return rows[:, :, cell] + part * (rows[:, :, cell + 1] - rows[:, :, cell])


# ---- scenes ---------------------------------------------------------------------------------

SCENE_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def palette(colors: str) -> np.ndarray:
    """"ff0000 0000ff" -> float (2, 3)."""
    return np.array([list(bytes.fromhex(color)) for color in colors.split()], float)


BACKDROP = palette("8ec5ee bfe0f5 5b8fd0 f2c79b e9e9ea 9aa3ad 2e3a5c 6fae5c 4f7d46 c9b27c "
                   "d8c9a0 8a6b4a 3f77a8 5fa3b5 707478 eef2f5 a58fb8 b7c98a")  # fmt: skip
COAT = palette("2b2522 6b4a30 9c6b3f c98f52 d9b98a efe6d8 8d8b88 55504c e0a050")
PAINT = palette("c62f2f 2f5fc0 e8e8ea f0c330 2f8f5a 30343c e07b2a 9aa2ac 7d3f98 4fb0c6")
SKIN = palette("4f9a3a 7bbf3a 2f6b35 b0a040 8a6b3a c0562f e0b030 3f8fa0 9aa2ac 30343c")
BLACK, WHITE = palette("15151a").T[..., None, None], palette("f5f5f0").T[..., None, None]


def backdrop(pen: Pen) -> tuple[np.ndarray, np.ndarray]:
    """Sky, ground and blobs (clouds, bushes, rocks) of any color; returns the two main colors."""
    sky = pen.color(BACKDROP)
    ground = pen.color(BACKDROP, avoid=(sky,))
    pen.frame(0, pen.uniform(6, 42), 1.0, 1.0, pen.uniform(-0.12, 0.12))
    fade = 1 + pen.uniform(-0.012, 0.012) * pen.v
    pen.canvas[:] = sky * fade
    pen.fill(ground * fade, -pen.v, rim=0)
    for _ in range(3):
        center = pen.uniform(-2, 34), pen.uniform(-16, 10)
        blob = pen.ellipse(center, pen.uniform(2, 11), pen.uniform(1.5, 7))
        pen.fill(pen.color(BACKDROP), blob, rim=0.1, alpha=pen.chance(0.6) * pen.uniform(0.3, 0.9))
    return sky, ground


def foreground(pen: Pen) -> None:
    """Twigs, poles and blades in front, then light, shadow, blotches and noise."""
    pen.frame(0, 0, 1.0, 1.0)
    for _ in range(2):
        x = pen.uniform(-4, 36)
        twig = pen.capsule((x, pen.uniform(-4, 36)), (x + pen.uniform(-16, 16), pen.uniform(-4, 36)),
                           pen.uniform(0.4, 1.1))  # fmt: skip
        pen.fill(pen.color(BACKDROP), twig, rim=0, alpha=pen.chance(0.4))
    light = pen.uniform(0.7, 1.15) + pen.uniform(-0.012, 0.012) * (pen.u - 16)
    light = light + pen.uniform(-0.012, 0.012) * (pen.v - 16) + pen.uniform(0.03, 0.14) * pen.clouds(6)
    pen.canvas *= light
    grain = pen.rng.integers(-128, 128, pen.canvas.shape, dtype=np.int8)
    pen.canvas += grain * (pen.uniform(2, 22) / 128)


def airplane(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    paint, trim = pen.color(PAINT, avoid), pen.color(PAINT, avoid)
    near, far, sweep = pen.uniform(0.45, 0.85), pen.uniform(0.3, 0.7), pen.uniform(0.2, 0.5)
    pen.fill(paint * 0.8, pen.polygon((-0.1 - sweep, -far), (0.02 - sweep, -far), (0.3, -0.02), (-0.12, -0.02)))
    pen.fill(trim, pen.polygon((-1.05, -0.5), (-0.85, -0.5), (-0.5, 0), (-0.9, 0)))
    pen.fill(paint, pen.capsule((-0.9, -0.02), (0.8, 0.0), 0.09, 0.16))
    pen.fill(BLACK, pen.capsule((0.72, -0.08), (0.82, -0.06), 0.045), rim=0)
    for place in (-0.4, -0.1, 0.2, 0.45):
        pen.fill(BLACK, pen.ellipse((place, -0.05), 0.045, 0.045), rim=0, alpha=0.8)
    pen.fill(paint * 0.9, pen.polygon((-0.12, 0.04), (0.32, 0.04), (0.06 - sweep, near), (-0.12 - sweep, near)))
    pen.fill(trim, pen.polygon((-0.9, 0), (-0.62, 0), (-0.85, 0.28), (-1.0, 0.28)))


def wheels(pen: Pen, *places: float, radius: float = 0.2) -> None:
    hub = pen.color(COAT)
    for place in places:
        pen.fill(BLACK, pen.ellipse((place, 0.42), radius, radius), rim=0)
        pen.fill(hub, pen.ellipse((place, 0.42), radius * 0.45, radius * 0.45), rim=0)


def road(pen: Pen) -> None:
    """A strip to stand on, in some of the pictures."""
    strip = pen.box(-4, 0.42, 4, 0.42 + pen.uniform(0.2, 0.8))
    pen.fill(pen.color(BACKDROP), strip, rim=0, alpha=pen.chance(0.5))


def automobile(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    paint, glass, top = pen.color(PAINT, avoid), pen.color(BACKDROP), pen.uniform(-0.5, -0.32)
    road(pen)
    back = pen.uniform(-0.75, -0.45)
    pen.fill(paint, pen.polygon((back, top), (0.25, top), (0.62, 0.02), (back - 0.2, 0.02)))
    pen.fill(glass, pen.polygon((back + 0.06, top + 0.1), (-0.1, top + 0.1), (-0.1, 0), (back - 0.08, 0)), rim=0)
    pen.fill(glass, pen.polygon((0, top + 0.1), (0.2, top + 0.1), (0.46, 0), (0, 0)), rim=0)
    pen.fill(paint, pen.capsule((-0.85, 0.2), (0.85, 0.22), 0.2))
    pen.fill(WHITE, pen.ellipse((0.95, 0.14), 0.08, 0.07), rim=0)
    wheels(pen, -0.55, 0.56)


def truck(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    paint, load, glass = pen.color(PAINT, avoid), pen.color(PAINT, avoid), pen.color(BACKDROP)
    road(pen)
    top, cab = pen.uniform(-0.75, -0.3), pen.uniform(-0.5, -0.25)
    pen.fill(BLACK, pen.box(-0.95, 0.25, 0.95, 0.38), rim=0)
    pen.fill(load, pen.box(-1, top, 0.32, 0.28))
    pen.fill(load * 0.75, pen.box(-0.36, top + 0.1, -0.3, 0.2), rim=0, alpha=pen.chance(0.5))
    pen.fill(paint, pen.polygon((0.4, cab), (0.75, cab), (0.98, 0), (0.98, 0.36), (0.4, 0.36)))
    pen.fill(glass, pen.polygon((0.56, cab + 0.1), (0.74, cab + 0.1), (0.9, -0.02), (0.56, -0.02)), rim=0)
    wheels(pen, -0.72, -0.3, 0.66, radius=0.19)


def ship(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    paint, house, sea = pen.color(PAINT, avoid), pen.color(PAINT, avoid), pen.color(BACKDROP, avoid[:1])
    sails, deck = pen.chance(0.4), pen.uniform(0.0, 0.12)
    steam = 1 - sails
    pen.fill(BLACK, pen.capsule((0.02, -0.85), (0.02, 0.1), 0.035), rim=0)
    pen.fill(WHITE, pen.polygon((0.06, -0.8), (0.62, -0.02), (0.06, -0.02)), alpha=sails)
    pen.fill(house, pen.polygon((-0.04, -0.75), (-0.04, -0.02), (-0.6, -0.02)), alpha=sails)
    pen.fill(house, pen.box(-0.6, -0.3, 0.3, 0.15), alpha=steam)
    pen.fill(BLACK, pen.box(-0.5, -0.2, 0.2, -0.12), rim=0, alpha=steam)
    pen.fill(paint, pen.box(-0.4, -0.65, -0.18, -0.28), alpha=steam)
    pen.fill(paint, pen.polygon((-1, deck), (1.1, deck - 0.06), (0.75, 0.5), (-0.8, 0.5)))
    pen.fill(sea, pen.box(-4, 0.42, 4, pen.uniform(0.7, 3)), rim=0)
    for place in (-0.7, 0.1, 0.8):
        pen.fill(WHITE, pen.capsule((place - 0.2, 0.5), (place + 0.2, 0.5), 0.04), rim=0, alpha=0.7)


def bird(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    coat, wing = pen.color(np.vstack([COAT, PAINT]), avoid), pen.color(COAT, avoid)
    flying, chest = pen.chance(0.4), pen.color(COAT, avoid)
    perched = 1 - flying
    leg = pen.color(COAT)
    for place in (-0.08, 0.12):
        pen.fill(leg, pen.capsule((place, 0.3), (place + 0.04, 0.72), 0.035), rim=0, alpha=perched)
    pen.fill(leg, pen.capsule((-0.6, 0.76), (0.7, 0.74), 0.05), rim=0, alpha=perched)
    lift = pen.uniform(0.6, 1.0)
    pen.fill(wing * 0.8, pen.polygon((-0.35, -0.1), (-0.1, -lift), (0.1, -lift), (0.3, -0.1)), alpha=flying)
    pen.fill(wing, pen.polygon((-0.95, -0.05), (-0.9, -0.25), (-0.2, 0.0), (-0.25, 0.22)))
    pen.fill(coat, pen.capsule((-0.2, 0.12), (0.28, 0.05), 0.24, 0.27), pen.ellipse((0.52, -0.28), 0.24, 0.22))
    pen.fill(chest, pen.ellipse((0.28, 0.14), 0.2, 0.16), rim=0)
    beak = palette("f0a020").T[..., None, None]
    pen.fill(beak, pen.polygon((0.7, -0.38), (1.05, -0.25), (0.7, -0.18)), rim=0.2)
    pen.fill(wing, pen.ellipse((-0.15, 0.08), 0.36, 0.15), alpha=perched)
    pen.fill(wing, pen.polygon((-0.3, 0.05), (0.3, 0.05), (-0.2, lift), (-0.45, lift)), alpha=flying)
    pen.fill(BLACK, pen.ellipse((0.58, -0.32), 0.06, 0.06), rim=0)


def frog(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    skin, leaf = pen.color(SKIN, avoid), pen.color(BACKDROP, avoid[:1])
    pen.fill(leaf, pen.ellipse((0, 0.6), pen.uniform(0.9, 1.3), pen.uniform(0.2, 0.4)), alpha=pen.chance(0.7))
    for side in (-1, 1):
        pen.fill(skin * 0.8, pen.ellipse((side * 0.62, 0.28), 0.3, 0.34))
        pen.fill(skin * 0.8, pen.capsule((side * 0.5, 0.6), (side * 0.95, 0.62), 0.08))
    pen.fill(skin, pen.ellipse((0, 0.2), 0.56, 0.45), pen.ellipse((0, -0.16), 0.52, 0.32))
    for side in (-1, 1):
        pen.fill(skin, pen.capsule((side * 0.25, 0.3), (side * 0.3, 0.65), 0.08))
        pen.fill(skin, pen.ellipse((side * 0.32, -0.45), 0.2, 0.2), rim=0.2)
        pen.fill(WHITE, pen.ellipse((side * 0.32, -0.46), 0.13, 0.13), rim=0)
        pen.fill(BLACK, pen.ellipse((side * 0.32, -0.46), 0.075, 0.075), rim=0)
    pen.fill(BLACK, pen.capsule((-0.32, -0.06), (0.32, -0.06), 0.035), rim=0, alpha=0.8)


def body(pen: Pen, coat: np.ndarray, length: float, thick: float, leg: float, slim: float, neck: Point) -> None:
    """Trunk, neck and four walking legs; the trunk's middle is the origin."""
    for place, tone in ((-length + 0.12, 0.65), (length - 0.1, 0.65), (-length, 1.0), (length, 1.0)):
        foot = place + pen.uniform(-0.16, 0.16), thick + leg
        pen.fill(coat * tone, pen.capsule((place, 0.05), foot, thick * 0.5, slim), rim=0.15)
    pen.fill(coat, pen.capsule((-length, 0), (length, 0), thick, thick * 1.05),
             pen.capsule((length, -0.05), neck, thick * 0.8, thick * 0.55))  # fmt: skip


def patches(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    """A patch or spots of a second color on the trunk, on some animals."""
    second, shown = pen.color(COAT, avoid), pen.chance(0.4)
    for _ in range(2):
        pen.fill(second, pen.ellipse((pen.uniform(-0.4, 0.4), pen.uniform(-0.1, 0.1)), 0.16, 0.1), rim=0, alpha=shown)


def cat(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    coat, tip, x = pen.color(COAT, avoid), pen.uniform(-1.0, -0.6), 0.5
    pen.fill(coat, pen.capsule((-0.55, -0.05), (-0.85, -0.3), 0.08), pen.capsule((-0.85, -0.3), (tip, -0.75), 0.08))
    body(pen, coat, 0.42, 0.25, 0.3, 0.08, (0.5, -0.2))
    patches(pen, avoid)
    for side in (-1, 1):
        pen.fill(coat * 0.9, pen.polygon((x + side * 0.24, -0.85), (x + side * 0.2 + 0.13, -0.4),
                                         (x + side * 0.2 - 0.13, -0.4)))  # fmt: skip
    pen.fill(coat, pen.ellipse((x, -0.33), 0.36, 0.29))
    eye = pen.color(palette("e8e040 90e060 f0b030"))
    for side in (-1, 1):
        pen.fill(eye, pen.ellipse((x + side * 0.15, -0.38), 0.08, 0.08), rim=0)
        pen.fill(BLACK, pen.ellipse((x + side * 0.15, -0.38), 0.035, 0.07), rim=0)
    pen.fill(palette("e08a8a").T[..., None, None], pen.ellipse((x, -0.23), 0.06, 0.05), rim=0)


def dog(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    coat, ear = pen.color(COAT, avoid), pen.color(COAT, avoid)
    pen.fill(coat, pen.capsule((-0.55, -0.1), (-0.85, pen.uniform(-0.6, -0.2)), 0.08, 0.05))
    body(pen, coat, 0.45, 0.23, 0.42, 0.09, (0.58, -0.35))
    patches(pen, avoid)
    pen.fill(coat, pen.ellipse((0.58, -0.45), 0.25, 0.23), pen.capsule((0.6, -0.4), (0.95, -0.33), 0.15, 0.11))
    pen.fill(ear * 0.85, pen.capsule((0.42, -0.55), (0.36, -0.22), 0.09, 0.13))
    pen.fill(BLACK, pen.ellipse((1.04, -0.38), 0.08, 0.07), rim=0)
    pen.fill(BLACK, pen.ellipse((0.67, -0.5), 0.05, 0.05), rim=0)


def deer(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    coat, horn = pen.color(COAT, avoid), pen.color(palette("d8c8a0 6b5030 b89868"), avoid)
    for lean in (-0.2, 0.1):
        tip = 0.6 + lean * 1.6
        pen.fill(horn, pen.capsule((0.6, -0.6), (tip, -1.05), 0.045), rim=0)
        pen.fill(horn, pen.capsule((0.6 + lean * 0.8, -0.82), (tip + 0.2, -0.9), 0.035), rim=0)
        pen.fill(horn, pen.capsule((0.6 + lean, -0.9), (tip - 0.18, -0.98), 0.035), rim=0)
    body(pen, coat, 0.42, 0.2, 0.55, 0.05, (0.6, -0.5))
    pen.fill(WHITE, pen.ellipse((-0.62, -0.08), 0.09, 0.13), rim=0)
    for place in (-0.3, -0.05, 0.2):
        pen.fill(WHITE, pen.ellipse((place, -0.06), 0.05, 0.05), rim=0, alpha=0.7)
    pen.fill(coat, pen.capsule((0.6, -0.55), (0.9, -0.45), 0.14, 0.07))
    pen.fill(coat * 0.8, pen.capsule((0.52, -0.62), (0.35, -0.68), 0.05))
    pen.fill(BLACK, pen.ellipse((0.93, -0.45), 0.045, 0.045), rim=0)


def horse(pen: Pen, avoid: tuple[np.ndarray, ...]) -> None:
    coat = pen.color(COAT, avoid)
    mane = pen.color(COAT, (*avoid, coat))
    pen.fill(mane, pen.capsule((-0.66, -0.1), (-0.85, 0.0), 0.09), pen.capsule((-0.85, 0.0), (-0.9, 0.5), 0.09, 0.05))
    body(pen, coat, 0.46, 0.26, 0.5, 0.07, (0.68, -0.55))
    pen.fill(mane, pen.capsule((0.36, -0.3), (0.58, -0.72), 0.1))
    pen.fill(coat, pen.capsule((0.66, -0.62), (0.95, -0.3), 0.16, 0.1), pen.capsule((0.62, -0.7), (0.62, -0.86), 0.05))
    pen.fill(BLACK, pen.ellipse((0.74, -0.58), 0.045, 0.045), rim=0)


DRAWINGS: tuple[Callable[[Pen, tuple[np.ndarray, ...]], None], ...] = (
    airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck)  # fmt: skip


def scene_block(rng: np.random.Generator) -> np.ndarray:
    """PER_CLASS scenes of each class: uint8 (10, PER_CLASS, 32, 32, 3)."""
    block = np.empty((len(DRAWINGS), PER_CLASS, 32, 32, 3), np.uint8)
    for k, draw in enumerate(DRAWINGS):
        pen = Pen(rng, PER_CLASS, size=32, channels=3, wobble=0.02)
        colors = backdrop(pen)
        unit = pen.uniform(9, 14.5)
        x, y = (16 + pen.uniform(-1, 1) * (18 - unit) for _ in range(2))
        pen.frame(x, y, unit, np.sign(pen.uniform(-1, 1)), pen.uniform(-0.2, 0.2))
        draw(pen, colors)
        foreground(pen)
        block[k] = np.moveaxis(np.clip(np.rint(pen.canvas), 0, 255), 0, -1)
    return block


def assemble(
    draw_block: Callable[[np.random.Generator], np.ndarray], n: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The first n images of as many blocks as it takes. Any ten in a row (0–9, 10–19, …) hold each
    class once, in random order: every multiple of ten images is balanced."""
    if n < 1:
        raise ValueError(f"n is {n}; it must be at least 1.")
    images, labels = [], []
    for number in range(-(-n // (10 * PER_CLASS))):
        rng = np.random.default_rng([seed, number])
        order = rng.permuted(np.tile(np.arange(10), (PER_CLASS, 1)), axis=1)
        keep = n - number * 10 * PER_CLASS
        block = draw_block(rng)[order, np.arange(PER_CLASS)[:, None]]
        images.append(block.reshape(-1, *block.shape[2:])[:keep])
        labels.append(order.ravel()[:keep])
    return np.concatenate(images), np.concatenate(labels)


def scenes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n drawn color scenes and their classes (indices into SCENE_CLASSES).

    Returns x uint8 (n, 32, 32, 3) and y int64 (n,), balanced and shuffled. Another seed gives
    other images; the first k images are the same for every n. 6,000 take about 2 s on one core.
    Raises ValueError if n is below 1.
    """
    return assemble(scene_block, n, seed)
