"""Drawn stand-ins for CIFAR-10 and Fashion-MNIST, so that the course runs without the network.

`scenes`: place, size, direction, colors and background vary and are shared by all classes; the
shape alone tells the class, which a small convolutional network finds and a linear model can't.
`garments`: centered, light on black and partly alike (T-shirt, pullover, coat, shirt), so that a
linear model does rather well and confuses what one expects.

How: a drawing is a text, strokes "color: shapes;" painted one over the other. A shape is a signed
distance (negative inside) on the pixel grid, computed for many images at once.
    oval x y rx ry · line x y x y r [r at its end] · poly x y x y … (convex, clockwise) · box x y x y
    &  joins shapes to one stroke          fur1*.8    a color of the palette "fur", here darker
    .2~.5  a random number in each image   black?.4:  shown in 40 % of the images
    s=.2~.5;  a name for a number          -s+.1      names and numbers can be added
    A and B are 1 and 0, or 0 and 1        fold;      from here on, the right half appears on the left too
One unit is about half the picture, y points down, the origin is the middle.

Made by this project from nothing but these lines; the project's license holds. Needs NumPy alone.
"""

from collections.abc import Callable
from functools import reduce
from typing import TypeAlias

import numpy as np

PER_CLASS = 50  # images of a class drawn at once: arrays of 200 KB stay in the processor's cache
Number: TypeAlias = np.ndarray | float  # one per image, float32 (n, 1, 1), or one for all

PALETTES = {
    "any": "8ec5ee bfe0f5 5b8fd0 f2c79b e9e9ea 9aa3ad 2e3a5c 6fae5c 4f7d46 c9b27c d8c9a0 8a6b4a 3f77a8",
    "fur": "2b2522 6b4a30 9c6b3f c98f52 d9b98a efe6d8 8d8b88 55504c e0a050",
    "paint": "c62f2f 2f5fc0 e8e8ea f0c330 2f8f5a 30343c e07b2a 9aa2ac 7d3f98 4fb0c6",
    "skin": "4f9a3a 7bbf3a 2f6b35 b0a040 8a6b3a c0562f e0b030 3f8fa0 9aa2ac 30343c",
    "horn": "d8c8a0 6b5030 b89868", "eye": "e8e040 90e060 f0b030", "beak": "f0a020", "pink": "e08a8a",
    "black": "15151a", "white": "f5f5f0",
}  # fmt: skip

SCENES = {
    "airplane": """
        s=.2~.5; n=.45~.85; f=.3~.7;
        paint1*.8: poly -s+-.1 -f -s+.02 -f .3 0 -.12 0;
        paint2: poly -1.05 -.5 -.85 -.5 -.5 0 -.9 0 & poly -.9 0 -.62 0 -.85 .28 -1 .28;
        paint1: line -.9 0 .8 0 .09 .16; black: line .72 -.08 .82 -.06 .045
            & oval -.4 -.05 .05 .05 & oval -.1 -.05 .05 .05 & oval .2 -.05 .05 .05;
        paint1*.9: poly -.12 .04 .32 .04 -s+.06 n -s+-.12 n""",
    "automobile": """
        t=-.5~-.32; b=-.75~-.45; any1?.5: box -4 .42 4 .6~1.2;
        paint1: poly b t .25 t .62 .02 b+-.2 .02;
        any2: poly b+.06 t+.1 -.1 t+.1 -.1 0 b+-.08 0 & poly 0 t+.1 .2 t+.1 .46 0 0 0;
        paint1: line -.85 .2 .85 .22 .2; white: oval .95 .14 .08 .07;
        black: oval -.55 .42 .2 .2 & oval .56 .42 .2 .2; fur1: oval -.55 .42 .1 .1 & oval .56 .42 .1 .1""",
    "bird": """
        horn1?A: line -.08 .3 -.04 .72 .035 & line .12 .3 .16 .72 .035 & line -.6 .76 .7 .74 .05;
        l=.6~1; fur2*.8?B: poly -.35 -.1 -.1 -l .1 -l .3 -.1; fur2: poly -.95 -.05 -.9 -.25 -.2 0 -.25 .22;
        skin1: line -.2 .12 .28 .05 .24 .27 & oval .52 -.28 .24 .22; fur1: oval .28 .14 .2 .16;
        beak: poly .7 -.38 1.05 -.25 .7 -.18; black: oval .58 -.32 .06 .06;
        fur2?A: oval -.15 .08 .36 .15; fur2?B: poly -.3 .05 .3 .05 -.2 l -.45 l""",
    "cat": """
        fur1: line -.55 -.05 -.85 -.3 .08 & line -.85 -.3 -1~-.6 -.75 .08;
        fur1*.7: line -.3 .05 -.5~-.1 .55 .13 .08 & line .3 .05 .1~.5 .55 .13 .08;
        fur1: line -.42 .05 -.6~-.2 .55 .13 .08 & line .42 .05 .2~.6 .55 .13 .08 & line -.42 0 .42 -.05 .25;
        fur2?.4: oval -.4~.4 -.1~.1 .16 .1 & oval -.4~.4 -.1~.1 .16 .1;
        fur1: poly .26 -.85 .43 -.4 .17 -.4 & poly .74 -.85 .83 -.4 .57 -.4 & oval .5 -.33 .36 .29;
        eye: oval .35 -.38 .08 .08 & oval .65 -.38 .08 .08;
        black: oval .35 -.38 .035 .07 & oval .65 -.38 .035 .07; pink: oval .5 -.23 .06 .05""",
    "deer": """
        horn1: line .6 -.6 .3 -1.05 .045 & line .44 -.82 .5 -.98 .035 & line .4 -.9 .12 -.95 .035
            & line .6 -.6 .76 -1.05 .045 & line .68 -.82 .96 -.92 .035;
        fur1*.7: line -.3 .05 -.5~-.1 .75 .1 .05 & line .32 .05 .12~.5 .75 .1 .05;
        fur1: line -.42 .05 -.6~-.2 .75 .1 .05 & line .42 .05 .2~.6 .75 .1 .05 & line -.42 0 .42 0 .2
            & line .42 -.05 .6 -.5 .16 .11 & line .6 -.55 .9 -.45 .14 .07 & line .52 -.62 .35 -.68 .05;
        white: oval -.62 -.08 .09 .13 & oval -.3 -.06 .05 .05 & oval -.05 -.06 .05 .05 & oval .2 -.06 .05 .05;
        black: oval .93 -.45 .045 .045""",
    "dog": """
        fur1: line -.55 -.1 -.85 -.6~-.2 .08 .05;
        fur1*.7: line -.33 .05 -.5~-.15 .65 .12 .09 & line .35 .05 .15~.5 .65 .12 .09;
        fur1: line -.45 .05 -.6~-.25 .65 .12 .09 & line .45 .05 .25~.6 .65 .12 .09 & line -.45 0 .45 0 .23
            & line .45 -.05 .58 -.35 .18 .13;
        fur2?.4: oval -.4~.4 -.1~.1 .16 .1 & oval -.4~.4 -.1~.1 .16 .1;
        fur1: oval .58 -.45 .25 .23 & line .6 -.4 .95 -.33 .15 .11;
        fur3*.85: line .42 -.55 .36 -.22 .09 .13; black: oval 1.04 -.38 .08 .07 & oval .67 -.5 .05 .05""",
    "frog": """
        any1?.7: oval 0 .6 .9~1.3 .2~.4; fold;
        skin1*.8: oval .62 .28 .3 .34 & line .5 .6 .95 .62 .08;
        skin1: oval 0 .2 .56 .45 & oval 0 -.16 .52 .32 & line .25 .3 .3 .65 .08 & oval .32 -.45 .2 .2;
        white: oval .32 -.46 .13 .13; black: oval .32 -.46 .075 .075 & line -.2 -.06 .32 -.08 .03""",
    "horse": """
        fur2: line -.66 -.1 -.85 0 .09 & line -.85 0 -.9 .5 .09 .05;
        fur1*.7: line -.34 .05 -.5~-.15 .76 .13 .07 & line .36 .05 .15~.5 .76 .13 .07;
        fur1: line -.46 .05 -.6~-.25 .76 .13 .07 & line .46 .05 .25~.6 .76 .13 .07 & line -.46 0 .46 0 .26
            & line .46 -.05 .68 -.55 .2 .14; fur2: line .36 -.3 .58 -.72 .1;
        fur1: line .66 -.62 .95 -.3 .16 .1 & line .62 -.7 .62 -.86 .05; black: oval .74 -.58 .045 .045""",
    "ship": """
        d=0~.12; black: line 0 -.85 0 .1 .035;
        white?A: poly .06 -.8 .62 -.02 .06 -.02; paint2?A: poly -.04 -.75 -.04 -.02 -.6 -.02;
        paint2?B: box -.6 -.3 .3 .15; black?B: box -.5 -.2 .2 -.12; paint1?B: box -.4 -.65 -.18 -.28;
        paint1: poly -1 d 1.1 d+-.06 .75 .5 -.8 .5; any1: box -4 .42 4 .7~3;
        white: line -.9 .5 -.5 .5 .03 & line -.1 .52 .3 .52 .03 & line .6 .5 1 .5 .03""",
    "truck": """
        t=-.75~-.3; c=-.5~-.25; any1?.5: box -4 .42 4 .6~1.2; black: box -.95 .25 .95 .38;
        paint2: box -1 t .32 .28; paint2*.75?.5: box -.36 t+.1 -.3 .2;
        paint1: poly .4 c .75 c .98 0 .98 .36 .4 .36; any2: poly .56 c+.1 .74 c+.1 .9 0 .56 0;
        black: oval -.72 .42 .19 .19 & oval -.3 .42 .19 .19 & oval .66 .42 .19 .19;
        fur1: oval -.72 .42 .09 .09 & oval -.3 .42 .09 .09 & oval .66 .42 .09 .09""",
}

BACKDROP = """any7: box -9 -9 9 9; h=-.6~1.6; any8: box -9 h 9 9; any9?.6: oval -1~1 h+-1~.5 .1~.7 .1~.4;
    any5?.5: oval -1~1 -1~1 .1~.7 .1~.4; any6?.4: oval -1~1 -1~1 .1~.5 .1~.4"""
CLUTTER = """any3?.4: line -1~1 -1~1 -1~1 -1~1 .03~.07; any4?.4: line -1~1 -1~1 -1~1 -1~1 .03~.07"""

TRUNK = """fold; h=.42~.54; cloth*.9: line h+-.12 -.68 .68~.88 s .17 .12;
    cloth: poly -.3 -.95 .2 -.95 h -.82 w l -.3 l; black: oval 0 -.98 .12~.22 n;"""
SHOE = """cloth: line -.7 .36 .1 .2 .2 .28 & box .1 .1 .88 .52 & poly .15 c .85 c .9 .4 -.3 .3;
    white*.1~.9: box -.92 .48 .92 .6 & box .45 .5 .92 h;"""
GARMENTS = {
    "T-shirt/top": "s=-.45~0; l=.7~.95; w=.4~.55; n=.08~.3;" + TRUNK,
    "Trouser": """fold; h=.24~.38; k=.2~.32; b=.1~.18;
        cloth: poly -.3 -.95 h -.95 h+.04 -.5 -.3 -.5 & poly 0 -.6 h+.04 -.6 k+b .97 k+-b .97""",
    "Pullover": "s=.5~.85; l=.7~.95; w=.4~.54; n=.05~.16;" + TRUNK + "cloth*.7?.6: box -.3 l+-.14 w l+-.06",
    "Dress": """fold; b=.24~.36; w=.18~.3; h=.25~.55; cloth*.9?.4: line .2 -.75 .36~.5 -.5~.3 .09;
        cloth: poly -.3 -.95 b -.95 w -.25 -.3 -.25 & poly -.3 -.3 w -.3 h .97 -.3 .97;
        black: oval 0 -.98 .1~.2 .1~.4""",
    "Coat": "s=.5~.9; l=.8~1; w=.44~.58; n=.05~.3;" + TRUNK + """
        cloth*.2~.6?.85: poly -.3 -.7 .02 -.7 .03~.07 1 -.3 1; cloth*.5?.6: line .2 .4 .34 .36 .04""",
    "Sandal": """b=-.1~.45; t=-.4~-.2; r=.09~.14;
        cloth*.6~1.3: line -.82 .56 t .53 .11 & line t .53 .75 b .13 & line .78 b .82 .55 .12 .08;
        cloth: line -.72 .45 t .12 r & line t .12 t+.2 .45 r; cloth?.5: line t .15 .3 b+-.3 r;
        cloth?.8: line .82 b+-.05 .8 b+-.45 r & line .25 b+-.3 .8 b+-.45 r""",
    "Shirt": "s=-.4~-.1+A; l=.7~.97; w=.4~.54; n=.05~.25;" + TRUNK + """
        cloth*1.2?.6: line .2 -.92 .06 -.68 .07;
        cloth*.1~.6?.7: oval 0 -.55 .05 .05 & oval 0 -.2 .05 .05 & oval 0 .15 .05 .05 & oval 0 .5 .05 .05""",
    "Sneaker": "c=-.35~0; h=.58~.65;" + SHOE + """white*.1~.9?.7: line -.1 .1 .25 .4 .06;
        white*.1~.9: line -.3 0 -.18 .14 .03 & line -.1 0 .02 .14 .03""",
    "Bag": """fold; w=.65~.95; t=-.4~.1; h=.25~.5; f=-.12~.12;
        cloth*.8?.85: line 0 t+-.45 h t+-.35 .06 & line h t+-.35 h+.1 t .06;
        cloth: poly -.3 t w t w+f .85 -.3 .85; cloth*.75?.5: box -.3 t w t+.15~.5;
        cloth*1.4?.5: oval 0 t+.35 .1 .08""",
    "Ankle boot": "c=-.95~-.4; h=.6~.95;" + SHOE + "cloth*.5?.4: box .45 c .6 .1",
}  # fmt: skip
SCENE_CLASSES, GARMENT_CLASSES = tuple(SCENES), tuple(GARMENTS)


class Pen:
    """Paints the same strokes into n images at once, each with numbers and colors of its own.

    canvas: float32 (channels, n, size, size), 0 to 255. u, v: where each pixel lies in the drawing.
    """

    def __init__(self, rng: np.random.Generator, size: int, channels: int) -> None:
        self.rng, self.n, self.size = rng, PER_CLASS, size
        self.canvas = np.zeros((channels, self.n, size, size), np.float32)
        self.colors: dict[str, np.ndarray] = {}
        side = (self.uniform(0, 1) < 0.5).astype(np.float32)
        self.names: dict[str, Number] = {"A": side, "B": 1 - side}

    def uniform(self, low: float, high: float) -> np.ndarray:
        """A number per image, float32 (n, 1, 1)."""
        return self.rng.uniform(low, high, (self.n, 1, 1)).astype(np.float32)

    def frame(self, x: Number, y: Number, unit: Number, angle: Number = 0.0, stretch: Number = 1.0) -> None:
        """Put the origin at pixel (x, y); unit: pixels; angle: radians; stretch below 0 mirrors."""
        rows, columns = np.mgrid[: self.size, : self.size].astype(np.float32)
        angle = np.asarray(angle, float)  # float64, then rounded: the same on every processor
        cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
        right, down = (columns - x) / unit, (rows - y) / unit
        self.u, self.v, self.unit = (right * cos + down * sin) * stretch, down * cos - right * sin, unit

    def number(self, text: str) -> Number:
        """The value of .2 or .2~.5 or s or -s or a sum of such, written with +."""
        total: Number = 0.0
        for part in text.split("+"):
            low, _, high = part.partition("~")
            name = low.removeprefix("-")
            if high:
                total = total + self.uniform(float(low), float(high))
            elif name in self.names:
                total = total + self.names[name] * (-1 if low[0] == "-" else 1)
            else:
                total = total + float(low)
        return total

    def color(self, name: str) -> np.ndarray:
        """(channels, n, 1, 1), drawn once for a name: of four tries the one most unlike the others in use."""
        if name not in self.colors:
            codes = PALETTES[name.rstrip("0123456789")].split()
            palette = np.array([list(bytes.fromhex(code)) for code in codes], float)
            tries = palette[self.rng.integers(len(palette), size=(4, self.n))]
            tries = np.clip(tries + self.rng.normal(0, 15, tries.shape), 5, 250).astype(np.float32)
            tries = np.moveaxis(tries, -1, 1)[..., None, None]  # (4, channels, n, 1, 1)
            others = np.stack(list(self.colors.values()) or [tries[0]])
            gap = np.abs(tries[:, None] - others).sum(axis=2).min(axis=1)[..., 0, 0]
            self.colors[name] = tries[gap.argmax(axis=0), :, np.arange(self.n)].swapaxes(0, 1)
        return self.colors[name]

    def shape(self, kind: str, *numbers: Number) -> np.ndarray:
        """Signed distance in units, (n, size, size), nearly exact; every corner wanders a little."""
        fixed = {"oval": 2, "line": 4, "box": 4, "poly": len(numbers)}[kind]
        wander = self.rng.normal(0, 0.02, (fixed, self.n, 1, 1)).astype(np.float32)
        p = [number + step for number, step in zip(numbers[:fixed], wander, strict=True)]
        if kind == "oval":
            rx, ry = numbers[2:]
            radius = np.sqrt(((self.u - p[0]) / rx) ** 2 + ((self.v - p[1]) / ry) ** 2)
            return (radius - 1) * np.minimum(rx, ry)
        if kind == "line":
            radius, end = numbers[4], numbers[-1]
            du, dv = p[2] - p[0], p[3] - p[1]
            square = du * du + dv * dv + 1e-6
            along = self.u * (du / square) + self.v * (dv / square) - (p[0] * du + p[1] * dv) / square
            np.clip(along, 0, 1, out=along)
            away = np.square(self.u - p[0] - along * du) + np.square(self.v - p[1] - along * dv)
            return np.sqrt(away) - (radius + along * (end - radius))
        if kind == "box":
            p = [p[0], p[1], p[2], p[1], p[2], p[3], p[0], p[3]]
        sides, corners = [], list(zip(p[::2], p[1::2], strict=True))
        for (au, av), (bu, bv) in zip(corners, corners[1:] + corners[:1], strict=True):
            du, dv = bu - au, bv - av
            length = np.sqrt(du * du + dv * dv) + 1e-6
            sides.append(self.u * (dv / length) - self.v * (du / length) - (au * dv - av * du) / length)
        return reduce(np.maximum, sides)

    def draw(self, program: str) -> None:
        """Paint the strokes of a text, written as this file's first lines say."""
        for stroke in program.split(";"):
            head, _, shapes = (text.strip() for text in stroke.partition(":"))
            if head == "fold":
                self.u = np.abs(self.u)
            elif "=" in head:
                name, _, text = head.partition("=")
                self.names[name] = self.number(text)
            elif head:
                name, _, share = head.partition("?")
                name, _, tone = name.partition("*")
                parts = [part.split() for part in shapes.split("&")]
                distance = reduce(np.minimum, [self.shape(p[0], *map(self.number, p[1:])) for p in parts])
                shown = self.uniform(0, 1) < self.number(share) if share else 1.0
                rim = 0.35 if name.startswith(("paint", "fur", "skin", "cloth")) else 0.0
                self.fill(self.color(name) * self.number(tone or "1"), distance * self.unit, shown, rim)

    def fill(self, color: np.ndarray, pixels: np.ndarray, shown: Number, rim: float) -> None:
        """Paint where the distance is negative, softly at the edge, whose last pixel is darker by rim."""
        cover = np.clip(0.5 - pixels, 0, 1) * shown
        tone = 1 - rim * np.clip(pixels + 1.5, 0, 1) if rim else 1.0
        for plane, value in zip(self.canvas, color, strict=True):
            change = value * tone - plane
            change *= cover
            plane += change


def draw_scenes(rng: np.random.Generator, program: str) -> np.ndarray:
    """PER_CLASS scenes around one drawing, uint8 (PER_CLASS, 32, 32, 3)."""
    pen = Pen(rng, size=32, channels=3)
    pen.frame(15.5, 15.5, 16, pen.uniform(-0.12, 0.12))
    pen.draw(BACKDROP)
    unit, side = pen.uniform(9, 14.5), np.sign(pen.uniform(-1, 1))
    x, y = (15.5 + pen.uniform(-1, 1) * (16.5 - unit) for _ in range(2))
    pen.frame(x, y, unit, pen.uniform(-0.2, 0.2), side * pen.uniform(0.9, 1.1))
    pen.draw(program)
    pen.frame(15.5, 15.5, 16)
    pen.draw(CLUTTER)
    light = pen.uniform(0.75, 1.15) + pen.uniform(-0.2, 0.2) * pen.u + pen.uniform(-0.2, 0.2) * pen.v
    grain = rng.integers(-128, 128, pen.canvas.shape, dtype=np.int8) * pen.uniform(0.02, 0.17)
    pen.canvas = pen.canvas * light + grain
    return np.moveaxis(np.clip(np.rint(pen.canvas), 0, 255).astype(np.uint8), 0, -1).copy()


def draw_garments(rng: np.random.Generator, program: str) -> np.ndarray:
    """PER_CLASS garments from one drawing, uint8 (PER_CLASS, 28, 28)."""
    pen = Pen(rng, size=28, channels=1)
    x, y = pen.uniform(11.3, 15.7), pen.uniform(11.5, 15.5)
    pen.frame(x, y, pen.uniform(10.5, 13.8), pen.uniform(-0.18, 0.18), pen.uniform(0.92, 1.25))
    stripe, cloth = pen.uniform(0.15, 0.4), 1 + pen.uniform(-0.2, 0.2) * pen.v
    for place in (pen.u, pen.v):  # one garment in five is striped along, one across: some are checked
        light = (place / stripe + pen.uniform(9, 10)) % 1 < 0.5
        cloth += (light - np.float32(0.5)) * pen.uniform(0.1, 0.6) * (pen.uniform(0, 1) < 0.2)
    pen.colors = {"cloth": (pen.uniform(70, 245) * cloth)[None], "black": np.zeros((1, 1, 1, 1), np.float32)}
    pen.colors["white"] = pen.colors["black"] + 250
    pen.draw(program)
    pen.canvas += (pen.canvas > 12) * rng.normal(0, 8, pen.canvas.shape)  # what is black stays black
    return np.clip(np.rint(pen.canvas[0]), 0, 255).astype(np.uint8)


def draw_set(
    draw: Callable[[np.random.Generator, str], np.ndarray], programs: dict[str, str], n: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels, drawn in blocks that have seeds of their own: the first k never depend on n."""
    if n < 1:
        raise ValueError(f"n is {n}; it must be at least 1.")
    images, labels = [], []
    for block in range(-(-n // (10 * PER_CLASS))):
        rng = np.random.default_rng([seed, block])
        order = rng.permuted(np.tile(np.arange(10), (PER_CLASS, 1)), axis=1)  # ten in a row: each class once
        drawn = np.stack([draw(rng, program) for program in programs.values()])
        images.append(drawn[order.ravel(), np.arange(PER_CLASS).repeat(10)])
        labels.append(order.ravel())
    return np.concatenate(images)[:n], np.concatenate(labels)[:n].astype(np.int64)


def scenes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n drawn color scenes and their classes (indices into SCENE_CLASSES).

    Returns x uint8 (n, 32, 32, 3) and y int64 (n,), shuffled; balanced if n is a multiple of ten.
    Another seed gives other images. 6,000 take about 2 s on one core. Raises ValueError if n < 1.
    """
    return draw_set(draw_scenes, SCENES, n, seed)


def garments(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n drawn garments and their classes (indices into GARMENT_CLASSES).

    Returns x uint8 (n, 28, 28), light on black, and y int64 (n,); otherwise like `scenes`.
    """
    return draw_set(draw_garments, GARMENTS, n, seed)
