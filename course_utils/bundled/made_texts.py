"""Texts made by rule, stand-ins for Tiny Shakespeare and the Tang poems where there is no network.

`plays`: speeches in verse under the speakers' names, like the real file; three plays, and the last one
has a cast of its own. `poems`: four or eight lines of five or seven Chinese characters, like the real ones.
The sentences are correct and mean little: enough to run a program, nothing to learn a language from.

Made by this project from nothing but these lines; the project's license holds. `random.Random` gives
the same numbers in every version of Python.
"""

import random
from collections.abc import Sequence

CASTS = (
    ("KING ALDRED", "QUEEN MAUD", "LORD HAVEL", "First Guard", "Messenger"),
    ("DUKE ORLAN", "VIOLANTE", "BASSO", "Clown", "Nurse"),
    ("CAPTAIN ROOK", "SELENE", "GASPAR", "Second Sailor", "Hermit"),
)
WORDS = {
    "my": "my, thy, his, her, our, your, this, that, the",
    "noun": "lord, love, heart, crown, hand, sword, night, brother, father, daughter, sorrow, honour, "
    "friend, tongue, house, grave, fortune, master, soldier, ship, sea, letter, kingdom, eye, mother",
    "old": "sweet, gentle, noble, bitter, gracious, false, poor, proud, silent, weary, faithful, ancient",
    "verb": "speak, weep, stand, fall, come, wait, live, die, swear, sleep, ride, return",
    "do": "love, fear, serve, hate, praise, forget, pardon, follow, seek, bury",
    "when": "to-night, to-morrow, now, again, no more, before the morning, in this hour",
    "where": "in France, upon the shore, within these walls, beneath the moon, at court",
}
LINES = (
    "{my} {old} {noun} shall {verb} {when}",
    "I {do} {my} {noun}, and {my} {noun} too",
    "what, will {my} {noun} {verb} {where}?",
    "if {my} {noun} {verb}, then let {my} {noun} {verb}",
    "the {noun} that I {do} is {old} and {old}",
    "O {old} {noun}, thou canst not {verb} {where}",
    "go, tell {my} {noun} to {verb} {when}",
    "and {my} {old} {noun} will {do} {my} {noun}",
    "we {verb} {where}, and {verb} {when}",
    "nay, do not {do} the {old} {noun} {when}",
)

# characters of a poem by what they can be: two of "scene" follow one of "light", "deed" joins two scenes
LIGHT = "明白清寒春秋孤青空遠夜曉高斜殘新"
SCENE = "山月水雲風花雨雪江天林煙草樹星露"
DEED = "照入過隔連生滿落歸來開下起對臨送"
PEOPLE = "客人僧翁君子友王"
WHERE = "上中前外裏邊"


def plays(characters: int = 60_000, seed: int = 0) -> str:
    """About so many characters of speeches; the last seventh of them with the last cast."""
    rng = random.Random(seed)
    parts: list[str] = []
    for cast, share in zip(CASTS, (0.45, 0.4, 0.15), strict=True):
        length = 0
        while length < share * characters:
            parts.append(f"{rng.choice(cast)}:\n{_speech(rng)}\n")
            length += len(parts[-1]) + 1
    return "\n".join(parts)


def _speech(rng: random.Random) -> str:
    lines = []
    for _ in range(rng.choice((1, 1, 2, 3, 4))):
        line = rng.choice(LINES)
        while "{" in line:  # each place is filled anew
            kind = line[line.index("{") + 1 : line.index("}")]
            line = line.replace("{" + kind + "}", rng.choice(WORDS[kind].split(", ")), 1)
        lines.append(line[0].upper() + line[1:] + ("" if line[-1] == "?" else rng.choice(",;.")))
    lines[-1] = lines[-1].rstrip(",;.?") + rng.choice("..!?")
    return "\n".join(lines)


def poems(n: int = 600, seed: int = 0) -> list[list[str]]:
    """n poems: each a list of couplets "…，…。" of five or seven characters a line."""
    rng = random.Random(seed)
    return [
        [f"{_line(rng, length)}，{_line(rng, length)}。" for _ in range(lines // 2)]
        for length, lines in (_form(rng) for _ in range(n))
    ]


def _form(rng: random.Random) -> tuple[int, int]:
    return rng.choice((5, 7)), rng.choice((4, 8, 8))


def _line(rng: random.Random, length: int) -> str:
    first, second = _picture(rng), _picture(rng)
    core = rng.choice((first + rng.choice(DEED) + second, first + second + rng.choice(DEED)))
    return core if length == 5 else rng.choice(PEOPLE) + rng.choice(WHERE) + core


def _picture(rng: random.Random) -> str:
    return _one(rng, LIGHT) + _one(rng, SCENE)


def _one(rng: random.Random, characters: Sequence[str]) -> str:
    return characters[min(int(rng.expovariate(0.25)), len(characters) - 1)]  # a few are frequent
