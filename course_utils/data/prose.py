"""The course's own text: the prose of its notebooks, section by section."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from course_utils.bundled import FOLDER
from course_utils.data.files import checkout, registry, used

BEFORE = "20"  # the notebooks on application scenarios, which ask about the others, are left out
HEADING = re.compile(r"^## +(.+?) *◇?$")
NOT_PROSE = re.compile(
    r"<details>|</details>|</?summary>|^>+ ?|\*\*|\]\([^)]*\)|(?<=\s)\[(?=\d\d)", re.MULTILINE
)


class Section(NamedTuple):
    notebook: str  # 08_evaluation_metrics
    heading: str
    text: str


class CourseText(NamedTuple):
    """Sections of notebooks 00 to 19. source: "bundled" where only the summaries are at hand."""

    sections: list[Section]
    source: Literal["real", "bundled"]
    license: str
    citation: str


def course_text() -> CourseText:
    """What the notebooks say, where they lie beside the package; else their summaries as bundled."""
    root = checkout()
    paths = sorted((root / "notebooks").glob("[0-9][0-9]*_*.ipynb")) if root else []
    sections = [section for path in paths if path.name < BEFORE for section in _sections(path)]
    source: Literal["real", "bundled"] = "real" if sections else "bundled"
    if not sections:
        lines = (FOLDER / "course_summaries.txt").read_text("utf8").splitlines()
        sections = [Section(*line.split("\t")) for line in lines]
    used["course_text"] = source
    about = registry["course_text"]
    return CourseText(sections, source, about.license, about.citation)


def _sections(path: Path) -> Iterator[Section]:
    """The prose of a notebook from its first "## …" on, in one line a section."""
    cells = json.loads(path.read_text("utf8"))["cells"]
    prose = [
        "".join(cell["source"]) for cell in cells[:-1] if cell["cell_type"] == "markdown"
    ]  # without the bar
    heading, texts = "", list[str]()
    for text in [*prose, "## end"]:
        first, _, rest = text.partition("\n")
        if found := HEADING.match(first):
            if heading and texts:
                yield Section(path.stem, heading, " ".join(" ".join(texts).split()))
            heading, texts = found[1], [NOT_PROSE.sub("", rest)]
        else:
            texts.append(NOT_PROSE.sub("", re.sub(r"^#+ .*$", "", text, flags=re.MULTILINE)))
