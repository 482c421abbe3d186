"""The rules of the house for notebooks, as code: applied by the build in seconds, and again by the tests.

Each rule takes a source and the plan and returns what breaks it. Rules on what a run left (time, figures,
claims) are in tools/run_rules.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from nbformat import NotebookNode

from course_utils import data
from course_utils.exercises import TODO
from tools import minutes, tables
from tools.names import imported, needed, stored
from tools.source import FOLDED, ROLES, Plan, Source, SourceError, is_deeper, role, sections

COLUMNS, LINES, LINES_AT_MOST = 88, 15, 40  # of an idea; of any cell, blank ones counted
CORE_MINUTES, CORE_WORDS, CORE_CELLS, MEDIAN_LINES = 60, 2500, 30, 8
READERS_SHARE = 0.25  # of the code lines on the core path
PREDICTED = 2 / 3  # of the core sections ask before they show
QUESTIONS = 5  # of the recall section
TAGS = {*ROLES, "keep", "nbval-check-output", "nbval-ignore-output", "nbval-skip", "raises-exception"}
# Written before there was a core path: free of the rules marked @dose until they are recast.
HEAVY = {
    "00_start_here", "01_what_is_a_large_model", "03_preparing_data", "04_neurons_and_layers",
    "05_loss_functions", "07_optimizers", "08_evaluation_metrics", "09_convolution", "10_recurrent_networks",
    "11_embeddings_and_attention", "12_training_deep_networks",
}  # fmt: skip
MACHINE = re.compile(
    r"(?<![\w.~:/-])/(?:home|root|Users|tmp|private|var|mnt|srv|work|workspace|build|builds)/[\w.-]+"
    r"|[A-Z]:\\\\?Users|ipykernel_\d+"
)

Rule = Callable[[Source, Plan], list[str]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function


def dose(function: Rule) -> Rule:
    """A rule on how much a reader meets, from which notebooks in HEAVY are free."""

    def checked(source: Source, plan: Plan) -> list[str]:
        return [] if source.name in HEAVY else function(source, plan)

    checked.__name__, checked.__doc__ = function.__name__, function.__doc__
    return rule(checked)


def violations(sources: Sequence[Source], plan: Plan) -> list[str]:
    """What breaks a rule, a line each, with the notebook's name."""
    return [
        f"{source.name}: {problem}" for source in sources for one in RULES for problem in one(source, plan)
    ]


# --- form -----------------------------------------------------------------------------------


@rule
def header_names_what_exists(source: Source, plan: Plan) -> list[str]:
    problems = [] if source.name in plan.names else ["it is not on the plan, notebooks/course.toml"]
    datasets, needed_before = source.header["datasets"], source.header["prerequisites"]
    problems += [f"no dataset {name!r} in the registry" for name in datasets if name not in data.registry]
    return problems + [f"prerequisite {s!r} is no notebook" for s in needed_before if s not in plan.by_stem]


@rule
def setup_only_imports(source: Source, plan: Plan) -> list[str]:
    """The first code cell, tag setup; the build puts the installation in front."""
    first = source.code[0] if source.code else None
    if first is None or role(first) != "setup" or sum(role(cell) == "setup" for cell in source.code) != 1:
        return ["the first code cell, and no other, is tagged setup"]
    if re.search(r"pip|import course_utils$", first.source, re.MULTILINE):
        return ["the set-up cell only imports: the build adds the installation"]
    return []


@rule
def no_address(source: Source, plan: Plan) -> list[str]:
    from tools.notebook import repository

    text = "\n".join(cell.source for cell in source.cells)
    return [f"{w!r}: sources hold no repository address" for w in (repository(), "git+https") if w in text]


@rule
def names_no_machine(source: Source, plan: Plan) -> list[str]:
    text = "\n".join(cell.source for cell in source.cells)
    return [f"a path of some machine: {found[0]}" for found in MACHINE.finditer(text)]


@rule
def headings_are_numbered(source: Source, plan: Plan) -> list[str]:
    """## 6.1, 6.2, …, then unnumbered ones (summary); exercises carry their section's number."""
    prose = "\n\n".join(cell.source for cell in source.cells if cell.cell_type == "markdown")
    prose = re.sub(r"^(```|~~~).*?^\1", "", prose, flags=re.DOTALL | re.MULTILINE)
    problems: list[str] = []
    section, numbers, ended = "", 0, False
    for level, text in re.findall(r"^(#{1,6}) +(.+)$", prose, flags=re.MULTILINE)[1:]:
        if level == "#":
            problems.append(f"a second title: {text}")
        elif level == "##" and text[0].isdigit():
            numbers += 1
            section = f"{source.number.removeprefix('0')}.{numbers}"
            if ended or text.split()[0] != section:
                problems.append(f"'{text}' should be {section}, before all unnumbered sections")
        elif level == "##":
            ended = True
        elif text.startswith("Exercise") and not re.match(rf"Exercise {re.escape(section)}[a-z]? · .", text):
            problems.append(f"'{text}' should be 'Exercise {section} · …'")
    for cell in source.cells:
        if cell.cell_type == "markdown":
            late = re.findall(r"(?<=\n)## .+", re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL))
            problems += [f"'{heading}' must begin its cell, so that it can be folded" for heading in late]
    return problems + ([] if numbers >= 3 else [f"{numbers} numbered sections"])


@rule
def references_resolve(source: Source, plan: Plan) -> list[str]:
    problems = []
    for cell in source.cells:
        if cell.cell_type == "markdown":
            try:
                tables.with_links(cell.source, plan, [], source.name)
            except SourceError as error:
                problems.append(str(error).partition(": ")[2])
            plain = re.findall(r"[Nn]otebooks? \d\d\b", minutes.UNREAD.sub(" ", cell.source))
            problems += [f"'{found}': name it by its stem, [[backpropagation]]" for found in plain]
    return problems


@rule
def answers_are_folded_in_one_cell(source: Source, plan: Plan) -> list[str]:
    problems = []
    for cell in source.cells:
        if cell.cell_type == "markdown":
            if cell.source.count("<details") != cell.source.count("</details>"):
                problems.append(f"<details> opens and closes in one cell: {cell.source[:40]!r}")
            if re.search(r"</summary>(?!\n\n)", cell.source):
                problems.append(f"a blank line follows </summary>: {cell.source[:40]!r}")
            if re.search(r"<details>(?:(?!</details>).)*^#+ ", cell.source, re.DOTALL | re.MULTILINE):
                problems.append(f"no heading inside <details>: {cell.source[:40]!r}")
    return problems


# --- cells ----------------------------------------------------------------------------------


@rule
def cells_have_their_role(source: Source, plan: Plan) -> list[str]:
    problems = []
    for cell in source.code:
        first = cell.source.partition("\n")[0]
        tags = cell.metadata.get("tags", [])
        problems += [f"unknown tag {tag!r}: {first}" for tag in tags if tag not in TAGS]
        if sum(tag in ROLES for tag in tags) > 1:
            problems.append(f"a cell has one role, not {tags}: {first}")
        if (role(cell) in FOLDED) != first.startswith("#@title "):
            problems.append(f"folded cells, and no others, begin with a line #@title: {first}")
        if "NBVAL_" in cell.source:
            problems.append(f"nbval's marks are tags, not comments: {first}")
    return problems


@rule
def lines_are_short(source: Source, plan: Plan) -> list[str]:
    lines = [line for cell in source.code for line in cell.source.splitlines()]
    wide = [line for line in lines if len(line) > COLUMNS and not line.startswith("#@title")]
    problems = [f"{len(line)} columns: {line}" for line in wide]
    for cell in source.code:
        if (count := len(cell.source.splitlines())) > LINES_AT_MOST:
            problems.append(f"{count} lines in one cell: {_first(cell)}")
    return problems


@dose
def ideas_are_short(source: Source, plan: Plan) -> list[str]:
    ideas = [cell for cell in source.code if role(cell) == "idea"]
    return [f"{_count(cell)} lines of idea: {_first(cell)}" for cell in ideas if _count(cell) > LINES]


@rule
def figures_define_nothing(source: Source, plan: Plan) -> list[str]:
    """A cell that only draws may be skipped: no later cell takes a name from it."""
    problems = []
    for i, cell in enumerate(source.code):
        if role(cell) == "figure":
            left = stored(cell.source)
            for later in source.code[i + 1 :]:
                if taken := left & needed(later.source):
                    names = ", ".join(sorted(taken))
                    problems.append(f"{_first(cell)} defines {names}, used later")
                left = left - stored(later.source)
    return problems


@dose
def ideas_draw_nothing(source: Source, plan: Plan) -> list[str]:
    return [
        f"draws, and is no figure cell: {_first(cell)}"
        for cell in source.code
        if role(cell) == "idea" and minutes.DRAWS.search(cell.source)
    ]


# --- exercises ------------------------------------------------------------------------------


@rule
def exercises_are_whole(source: Source, plan: Plan) -> list[str]:
    """Task with minutes, stub, check, hint, solution."""
    problems = list(source.problems)
    for exercise in source.exercises:
        if not exercise.minutes:
            problems.append(f"exercise {exercise.id}: its heading says no minutes, (5 min)")
        if f'NotImplementedError("{TODO}")' not in exercise.stub:
            problems.append(f'exercise {exercise.id}: the stub raises NotImplementedError("{TODO}")')
        if f'with check("{exercise.id}", ' not in exercise.check:
            problems.append(f'exercise {exercise.id}: the check begins with check("{exercise.id}", …)')
        head = f"#@title Solution {exercise.id} · runs only while yours does not pass\n"
        head += f'if not solved("{exercise.id}"):\n'
        if not exercise.solution.startswith(head):
            problems.append(f"exercise {exercise.id}: the solution begins with {head!r}")
        defined = stored(exercise.check) - imported(exercise.check)
        if taken := defined & _needed_after(source, exercise.id):
            names = ", ".join(sorted(taken))
            problems.append(f"exercise {exercise.id}: the check defines {names}, used later")
    return problems


def _needed_after(source: Source, exercise: str) -> set[str]:
    """Names that the cells after an exercise take from before it."""
    at = max(i for i, cell in enumerate(source.code) if cell.metadata.get("exercise") == exercise)
    before = {name for cell in source.code[: at - 2] for name in stored(cell.source)}
    wanted: set[str] = set()
    fresh: set[str] = set()
    for cell in source.code[at + 1 :]:
        wanted |= needed(cell.source) - fresh
        fresh |= stored(cell.source)
    return wanted & before


# --- dose -----------------------------------------------------------------------------------


@dose
def core_path_is_one_sitting(source: Source, plan: Plan) -> list[str]:
    core = minutes.core(source)
    bounds = ((core.minutes, CORE_MINUTES, "minutes"), (core.words, CORE_WORDS, "words"),
              (core.cells, CORE_CELLS, "open code cells"))  # fmt: skip
    problems = [f"core path of {n} {what}, more than {most}" for n, most, what in bounds if n > most]
    lines = [_count(cell) for cell in _core(source) if cell.cell_type == "code" and role(cell) == "idea"]
    if lines and median(lines) > MEDIAN_LINES:
        problems.append(f"half of the core path's idea cells have over {MEDIAN_LINES} lines")
    return problems


@dose
def reader_writes(source: Source, plan: Plan) -> list[str]:
    code = [cell for cell in _core(source) if cell.cell_type == "code"]
    own = sum(_count(cell) - 2 for cell in code if role(cell) == "solution")
    shown = sum(_count(cell) for cell in code if role(cell) == "idea")
    share = own / max(1, own + shown)
    return [] if share >= READERS_SHARE else [f"the reader writes {share:.0%} of the core path's code"]


@dose
def predicts_before_it_shows(source: Source, plan: Plan) -> list[str]:
    numbered = [(heading, cells) for heading, cells in sections(source.cells) if heading[:1].isdigit()]
    core = [cells for heading, cells in numbered if not is_deeper(heading)]
    asking = sum(any("**Predict" in cell.source for cell in cells) for cells in core)
    return [] if asking >= PREDICTED * len(core) else [f"{asking} of {len(core)} core sections ask first"]


@dose
def ends_with_recall(source: Source, plan: Plan) -> list[str]:
    for heading, cells in sections(source.cells):
        if heading == "Recall":
            answers = sum(cell.source.count("<details") for cell in cells)
            return [] if answers >= QUESTIONS else [f"{answers} questions with folded answers under Recall"]
    return ["no section `## Recall`"]


def _core(source: Source) -> Iterator[NotebookNode]:
    return (cell for heading, cells in sections(source.cells) if not is_deeper(heading) for cell in cells)


def _first(cell: NotebookNode) -> str:
    return cell.source.partition("\n")[0]


def _count(cell: NotebookNode) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())
