"""Which names a cell defines and which it needs from the cells before."""

from __future__ import annotations

import ast
from functools import cache


@cache
def stored(code: str) -> set[str]:
    """Names that a cell defines at its top level."""
    tree = ast.parse(code)
    inner = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.ClassDef | ast.Lambda)
             for n in ast.walk(f) if n is not f}  # fmt: skip
    inner |= {id(n) for c in ast.walk(tree) if isinstance(c, ast.comprehension) for n in ast.walk(c.target)}
    names = set()
    for node in ast.walk(tree):
        if id(node) not in inner:
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                names.add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
    return names | imported(code)


@cache
def imported(code: str) -> set[str]:
    """Names that a cell imports, in a function or not."""
    imports = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names}


@cache
def needed(code: str) -> set[str]:
    """Names that a cell uses before it defines them itself."""
    own: set[str] = set()
    wanted: set[str] = set()
    for statement in ast.parse(code).body:
        text = ast.unparse(statement)
        names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        loaded = {name.id for name in names if isinstance(name.ctx, ast.Load)}
        loops = isinstance(statement, ast.For | ast.With | ast.FunctionDef | ast.ClassDef | ast.If | ast.Try)
        wanted |= loaded - own - (stored(text) if loops else set()) - _local(statement)
        own |= stored(text)
    return wanted


def _local(statement: ast.stmt) -> set[str]:
    """Names bound inside functions, lambdas and comprehensions of a statement."""
    names = {arg.arg for node in ast.walk(statement) if isinstance(node, ast.arg) for arg in [node]}
    for node in ast.walk(statement):
        if isinstance(node, ast.comprehension):
            names |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        if isinstance(node, ast.FunctionDef):
            inner = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
            names |= {name.id for name in inner if isinstance(name.ctx, ast.Store)}
    return names
