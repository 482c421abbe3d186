"""What made a notebook's outputs: its code, the package functions it uses with what they call, the registry's
entries of its data sets, its results file.

A function is known by its syntax tree without docstrings, so that comments and prose change nothing. What can
change an output without being seen here: a package file that no string constant names, code reached through
getattr or a method's dynamic dispatch outside its class.
"""

from __future__ import annotations

import ast
import hashlib
import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from tools.source import ROOT, Source

PACKAGE = "course_utils"
# What no output depends on: of a registry entry, how it is told and fetched (its files are known by sha256) …
UNSEEN = {"mirrors", "archive", "short", "stand_in_short"}
# … the code that fetches, since every byte is checked; the font, which is made anew for each new character.
UNSEEN_MODULES = {"course_utils.data.download", "course_utils.data.archives"}
UNSEEN_FILES = {"registry.toml", "han.otf"}

Name = tuple[str, str]  # module, top-level name; ("course_utils.data", "") is the module as a whole


def fingerprint(source: Source, package: Package, root: Path = ROOT) -> dict[str, str]:
    """Each part of what made the outputs, and its hash: "code", "course_utils.plotting.style.PALETTE", …"""
    code = "\n".join(cell.source for cell in source.code)
    parts = {"code": _hash("\n".join(normalized(cell.source) for cell in source.code))}
    for name in package.used(code):
        parts[".".join(filter(None, name))] = package.hash(name)
        parts |= {f"file {file}": _hash(package.files[file].read_bytes()) for file in package.files_of(name)}
    registry = tomllib.loads((package.folder / "bundled" / "registry.toml").read_text(encoding="utf8"))
    for dataset in source.header["datasets"]:
        entry = {key: value for key, value in registry.get(dataset, {}).items() if key not in UNSEEN}
        parts[f"data {dataset}"] = _hash(json.dumps(entry, sort_keys=True))
    results = root / "notebooks" / "results" / f"{source.number}.json"
    if results.exists():
        parts[f"results/{source.number}.json"] = _hash(results.read_text(encoding="utf8"))
    return dict(sorted(parts.items()))


def normalized(code: str) -> str:
    """A cell's code without comments and layout, which no output depends on."""
    return ast.unparse(ast.parse(code))


def differences(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """The parts that changed, came or went."""
    return sorted(part for part in {*old, *new} if old.get(part) != new.get(part))


@dataclass
class Module:
    """The top level of one file of the package."""

    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Name] = field(default_factory=dict)  # local name -> where it comes from


class Package:
    """Which definitions of the package a piece of code rests on."""

    def __init__(self, folder: Path = ROOT / PACKAGE) -> None:
        self.folder = folder

    @cached_property
    def modules(self) -> dict[str, Module]:
        modules = {}
        for path in sorted(self.folder.rglob("*.py")):
            parts = path.relative_to(self.folder).with_suffix("").parts
            dotted = ".".join((PACKAGE, *(part for part in parts if part != "__init__")))
            modules[dotted] = _read_module(ast.parse(path.read_text(encoding="utf8")))
        return modules

    @cached_property
    def files(self) -> dict[str, Path]:
        """Other files of the package by their name."""
        paths = [path for path in sorted(self.folder.rglob("*")) if path.suffix not in (".py", ".pyc")]
        return {path.name: path for path in paths if path.is_file() and path.name not in UNSEEN_FILES}

    def used(self, code: str) -> list[Name]:
        """Every definition that the code uses, directly or through others."""
        scope = _read_module(ast.parse(code))
        todo = list(self._references(scope, [ast.parse(code)]))
        seen: set[Name] = set()
        while todo:
            name = todo.pop()
            if name not in seen and name[0] not in UNSEEN_MODULES:
                seen.add(name)
                todo += self.references(name)
        return sorted(seen)

    @cache  # noqa: B019  (a few packages live as long as the program)
    def references(self, name: Name) -> list[Name]:
        """What a definition refers to."""
        return list(self._references(self.modules[name[0]], self._statements(name)))

    @cache  # noqa: B019
    def hash(self, name: Name) -> str:
        return _hash("\n".join(_dump(statement) for statement in self._statements(name)))

    @cache  # noqa: B019
    def files_of(self, name: Name) -> list[str]:
        """Files of the package that a definition names by a string."""
        nodes = [node for statement in self._statements(name) for node in ast.walk(statement)]
        return [n.value for n in nodes if isinstance(n, ast.Constant) and n.value in self.files]

    def _statements(self, name: Name) -> list[ast.stmt]:
        module, definition = name
        definitions = self.modules[module].definitions
        if definition:
            return definitions[definition]
        return [statement for statements in definitions.values() for statement in statements]

    def _references(self, scope: Module, trees: Sequence[ast.AST]) -> Iterator[Name]:
        """What the statements refer to, each name looked up in the scope they stand in."""
        for tree in trees:
            local = {**scope.imports, **_read_module(tree).imports}  # imports inside a function too
            for chain in _chains(tree):
                yield from self._resolve(scope, local, chain)

    def _resolve(self, scope: Module, local: dict[str, Name], chain: list[str]) -> Iterator[Name]:
        first, *rest = chain
        if first in scope.definitions and first not in local:
            own = next((name for name, module in self.modules.items() if module is scope), None)
            if own:
                yield own, first
            return
        if first not in local:
            return
        module, name = local[first]
        yield from self._follow(module, name, rest)

    def _follow(self, module: str, name: str, rest: list[str]) -> Iterator[Name]:
        """From a module and a name in it ("" for the module itself) along attributes to a definition."""
        while True:
            inside = f"{module}.{name}" if name else module
            own = self.modules.get(module, Module()).definitions
            if inside in self.modules and not (name and name in own):
                module, name = inside, rest.pop(0) if rest else ""
                if not name:
                    yield module, ""  # the module is handed on as a whole
                    return
                continue
            if module not in self.modules:
                return
            here = self.modules[module]
            if name in here.definitions:
                yield module, name
                return
            if name not in here.imports:
                return
            module, name = here.imports[name]


def _read_module(tree: ast.AST) -> Module:
    """Top-level definitions, and imports from the package anywhere in the tree."""
    module = Module()
    for statement in getattr(tree, "body", []) if isinstance(tree, ast.Module) else []:
        for name in _defined(statement):
            module.definitions.setdefault(name, []).append(statement)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            for alias in node.names:
                module.imports[alias.asname or alias.name] = (node.module or "", alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == PACKAGE:
                    module.imports[alias.asname or PACKAGE] = (alias.name if alias.asname else PACKAGE, "")
    return module


def _defined(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        case ast.If() | ast.Try() | ast.With():
            return [name for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt)
                    for name in _defined(child)]  # fmt: skip
    return []


def _chains(node: ast.AST) -> Iterator[list[str]]:
    """The names in a tree, each with its attributes: a.b.c -> ["a", "b", "c"]."""
    names: list[str] = []
    inner = node
    while isinstance(inner, ast.Attribute):
        names.insert(0, inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Name):
        yield [inner.id, *names]
        return
    for child in ast.iter_child_nodes(inner):
        yield from _chains(child)


def _dump(statement: ast.stmt) -> str:
    """A statement's syntax tree as text, without docstrings and places."""
    tree = ast.parse(ast.unparse(statement))
    for node in ast.walk(tree):
        documented = isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node)
        if documented and isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def _hash(content: str | bytes) -> str:
    raw = content.replace("\r\n", "\n").encode() if isinstance(content, str) else content
    return hashlib.sha256(raw).hexdigest()[:12]
