"""What notebooks teach and later ones use: cells tagged `keep` become course_utils/lessons/<lesson>.py.

A kept cell names its lesson: `# %% tags=["keep"] lesson="tokens"`. Of a kept solution the body is taken.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode

from tools.names import imported, stored
from tools.source import ROOT, Source, SourceError, role, solution_body

FOLDER = "course_utils/lessons"
INIT = '''\
"""What the notebooks teach and later ones use, taken from the notebooks' own cells. Never edited here."""
'''
HEAD = '''\
"""{title}: taught in notebooks/{notebooks}.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""
'''


def kept(source: Source) -> dict[str, list[NotebookNode]]:
    """lesson -> the kept cells of a notebook. Raises SourceError for one without a lesson."""
    lessons: dict[str, list[NotebookNode]] = {}
    for cell in source.code:
        if "keep" in cell.metadata.get("tags", []):
            lesson = cell.metadata.get("lesson", "")
            if not lesson.isidentifier():
                first = cell.source.partition("\n")[0]
                raise SourceError(f"{source.name}: a kept cell names no lesson (lesson=\"…\"): {first}")
            lessons.setdefault(lesson, []).append(cell)
    return lessons


def render(sources: Sequence[Source], root: Path = ROOT) -> dict[Path, str]:
    """The files of course_utils/lessons and their content. Raises SourceError where one can't stand alone."""
    homes: dict[str, tuple[Source, list[NotebookNode]]] = {}
    for source in sources:
        for lesson, cells in kept(source).items():
            if lesson in homes:
                other = homes[lesson][0].name
                raise SourceError(f"lesson {lesson!r} is kept in {other} and in {source.name}: name one home")
            homes[lesson] = (source, cells)
    taught: dict[str, str] = {}
    for lesson, (_, cells) in homes.items():
        for name in {name for cell in cells for name in stored(cell.source) - imported(cell.source)}:
            if name in taught:
                raise SourceError(f"{name!r} is kept in two lessons, {taught[name]} and {lesson}: import it")
            taught[name] = lesson
    folder = root / FOLDER
    texts = {folder / f"{lesson}.py": module(lesson, *home) for lesson, home in sorted(homes.items())}
    return {folder / "__init__.py": INIT, **texts} if texts else {}


def module(lesson: str, source: Source, cells: Sequence[NotebookNode]) -> str:
    """The text of one lesson: the imports that it needs from the set-up cell, then the cells."""
    bodies = [solution_body(cell.source) if role(cell) == "solution" else cell.source for cell in cells]
    code = "\n\n\n".join(_without_caption(body).strip("\n") for body in bodies) + "\n"
    tree = ast.parse(code)
    lacking = _lacking(tree)
    imports = []
    for cell in source.code:
        if role(cell) == "setup":
            for statement in ast.parse(cell.source).body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    wanted = [a for a in statement.names if (a.asname or a.name.partition(".")[0]) in lacking]
                    if wanted:
                        lacking -= {a.asname or a.name.partition(".")[0] for a in wanted}
                        statement.names = wanted
                        imports.append(ast.unparse(statement))
    if lacking:
        names = ", ".join(sorted(lacking))
        raise SourceError(
            f"{source.name}: lesson {lesson!r} uses {names}, neither imported in its set-up cell nor kept"
        )
    head = HEAD.format(title=lesson.replace("_", " ").capitalize(), notebooks=source.ipynb.name)
    return "\n".join([head, "from __future__ import annotations", "", *_sorted(imports), "", "", code])


def _without_caption(code: str) -> str:
    return "\n".join(line for line in code.splitlines() if not line.startswith("#@title"))


def _sorted(imports: list[str]) -> list[str]:
    """Standard order: plain imports of libraries, then of this package."""
    own = [line for line in imports if "course_utils" in line]
    others = [line for line in imports if line not in own]
    return [*sorted(others), *([""] if own and others else []), *sorted(own)]


def _lacking(tree: ast.Module) -> set[str]:
    """Names that the code uses and neither defines nor gets from Python."""
    loaded, stored = set(), set(dir(builtins))
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                loaded.add(name)
            case ast.Name(id=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                stored.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                stored.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                stored |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
    return loaded - stored
