"""How long a notebook takes: a model, not a stopwatch. All rates stand here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nbformat import NotebookNode

from tools.source import EXERCISE, FOLDED, Source, is_deeper, role, sections

WORDS_PER_MINUTE = 150  # of explanatory prose, English often being the reader's second language
SECONDS_PER_LINE = 5  # of code that is shown open
SECONDS_PER_FIGURE = 20
SECONDS_PER_FORMULA = 15  # set apart ($$ … $$)
SECONDS_PER_PREDICTION = 30  # for the guess
SECONDS_PER_QUESTION = 20  # to answer a folded question: its summary is a sentence, not just "Hint"
ROUNDED_TO = 5  # minutes
# an exercise takes the minutes in its heading, its stub and check included

FORMULA = re.compile(r"\$\$.*?\$\$", re.DOTALL)
QUESTION = re.compile(r"<summary>[^<]*(?:<(?!/summary>)[^<]*)*[.?]</summary>")
UNREAD = re.compile(r"<details>.*?</details>|```.*?```|\$[^$]*\$|\]\([^)]*\)", re.DOTALL)
DRAWS = re.compile(
    r"plt\.show\(|plotting\.(?:image_grid|confusion_matrix|decision_regions|flow|explore)"
    r"|plotting\.(?:LiveCurves|training_plot)\((?!.*keep=False)"  # not kept, it is a progress bar
)


@dataclass(frozen=True)
class Dose:
    """What a reader meets in some cells."""

    words: int
    lines: int  # of open code
    cells: int  # of open code
    figures: int
    formulas: int
    predictions: int
    questions: int
    exercises: int  # minutes

    @property
    def minutes(self) -> int:
        """Rounded to ROUNDED_TO, at least that much."""
        seconds = (
            self.lines * SECONDS_PER_LINE
            + self.figures * SECONDS_PER_FIGURE
            + self.formulas * SECONDS_PER_FORMULA
            + self.predictions * SECONDS_PER_PREDICTION
            + self.questions * SECONDS_PER_QUESTION
        )
        exact = self.words / WORDS_PER_MINUTE + seconds / 60 + self.exercises
        return max(ROUNDED_TO, round(exact / ROUNDED_TO) * ROUNDED_TO)


def words(prose: str) -> int:
    """Words of Markdown that a reader reads: without formulas, code blocks, folded answers, addresses."""
    return len(re.findall(r"[\w’'-]+", UNREAD.sub(" ", FORMULA.sub(" ", prose))))


def dose(cells: Iterable[NotebookNode]) -> Dose:
    cells = list(cells)
    prose = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = [cell for cell in cells if cell.cell_type == "code"]
    # stub and check belong to the exercise's own minutes
    shown = [cell for cell in code if role(cell) not in (*FOLDED, "setup", "exercise", "check")]
    ideas = [cell for cell in code if role(cell) == "idea"]
    figures = sum(role(cell) == "figure" for cell in code) + sum(bool(DRAWS.search(c.source)) for c in ideas)
    return Dose(
        words=words(prose),
        lines=sum(bool(line.strip()) for cell in shown for line in cell.source.splitlines()),
        cells=len(shown),
        figures=figures,
        formulas=len(FORMULA.findall(prose)),
        predictions=prose.count("**Predict"),
        questions=len(QUESTION.findall(prose)),
        exercises=sum(int(minutes or 0) for _, _, minutes in EXERCISE.findall(prose)),
    )


def core(source: Source) -> Dose:
    """The core path: every section but the deeper ones."""
    return dose(cell for heading, cells in sections(source.cells) if not is_deeper(heading) for cell in cells)


def whole(source: Source) -> Dose:
    return dose(source.cells)
