"""Small mistakes in a solution, made by rule: what a check must refuse."""

import ast
from collections.abc import Iterator

MOST_MUTANTS = 60  # per exercise

OTHER_OPERATOR: dict[type, list[ast.operator]] = {
    ast.Add: [ast.Sub()], ast.Sub: [ast.Add()], ast.Mult: [ast.Div()], ast.Div: [ast.Mult()],
    ast.FloorDiv: [ast.Mult()], ast.Mod: [ast.FloorDiv()], ast.Pow: [ast.Mult()],
}  # fmt: skip
OTHER_COMPARISON: dict[type, list[ast.cmpop]] = {
    ast.Lt: [ast.LtE(), ast.Gt()], ast.LtE: [ast.Lt(), ast.GtE()], ast.Gt: [ast.GtE(), ast.Lt()],
    ast.GtE: [ast.Gt(), ast.LtE()], ast.Eq: [ast.NotEq()], ast.NotEq: [ast.Eq()],
    ast.In: [ast.NotIn()], ast.NotIn: [ast.In()], ast.Is: [ast.IsNot()], ast.IsNot: [ast.Is()],
}  # fmt: skip
PAIRS = [
    ("sum", "mean"), ("max", "min"), ("argmax", "argmin"), ("maximum", "minimum"), ("zeros", "ones"),
    ("zeros_like", "ones_like"), ("reduce_sum", "reduce_mean"), ("reduce_max", "reduce_min"),
]  # fmt: skip
OTHER_NAME = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
DROPPED_CALLS = {"sqrt", "exp", "log", "abs", "square"}
NOT_MUTATED = {"annotation", "returns", "decorator_list"}  # fields that do not change what is computed


def mutants(source: str, most: int = MOST_MUTANTS) -> list[tuple[str, str]]:
    """Sources with one small mistake each, after the line that changed; the same ones every time.

    Docstrings, annotations, messages and raised errors are left alone. Of more than `most` an evenly
    spaced selection is kept.
    """
    tree = ast.parse(source)
    original = ast.unparse(tree)
    found: dict[str, str] = {}  # mutated source -> what changed
    for holder, name, index, neighbors in list(_places(tree)):
        node = getattr(holder, name) if index is None else getattr(holder, name)[index]
        for variant in _variants(node, neighbors):
            _put(holder, name, index, variant)
            mutant = ast.unparse(ast.fix_missing_locations(tree))
            if mutant != original and mutant not in found:
                found[mutant] = _difference(original, mutant)
        _put(holder, name, index, node)
    every = [(text, mutant) for mutant, text in found.items()]
    return every if len(every) <= most else [every[i * len(every) // most] for i in range(most)]


def _put(holder: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(holder, name, node)
    else:
        getattr(holder, name)[index] = node


Place = tuple[ast.AST, str, int | None, tuple[str, ...]]


def _places(node: ast.AST, neighbors: tuple[str, ...] = ()) -> Iterator[Place]:
    """Every place that holds a node: its holder, field and index, and the local names in scope."""
    if isinstance(node, ast.FunctionDef):
        names = [a.arg for a in node.args.args if a.arg != "self"]
        names += [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        neighbors = tuple(dict.fromkeys(names))
    for name, value in ast.iter_fields(node):
        if name in NOT_MUTATED or isinstance(node, ast.Raise | ast.JoinedStr):
            continue
        if isinstance(node, ast.keyword) and node.arg == "axis":
            continue  # changed as a whole: axis=-1 and axis=1 are often the same
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield node, name, index, neighbors
                yield from _places(child, neighbors)


def _variants(node: ast.AST, neighbors: tuple[str, ...]) -> Iterator[ast.AST]:
    """What a slip could have put in the place of `node`."""
    match node:
        case ast.BinOp(left, ast.MatMult() as operator, right):
            yield ast.BinOp(right, operator, left)
        case ast.BinOp(left, operator, right):
            for other in OTHER_OPERATOR.get(type(operator), []):
                yield ast.BinOp(left, other, right)
            yield left  # the other factor or term was forgotten
            if isinstance(operator, ast.Mult | ast.Add):
                yield right
            if isinstance(operator, ast.Sub):
                yield ast.BinOp(right, operator, left)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.Compare(left, [operator], right):
            for flipped in OTHER_COMPARISON[type(operator)]:
                yield ast.Compare(left, [flipped], right)
        case ast.keyword("axis", axis):
            yield ast.keyword("axis", ast.Constant(1 if ast.unparse(axis) == "0" else 0))
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Attribute(value, "T"):
            yield value
        case ast.Attribute(value, name, context) if name in OTHER_NAME:
            yield ast.Attribute(value, OTHER_NAME[name], context)
        case ast.Name(name, ast.Load() as context) if name in OTHER_NAME:
            yield ast.Name(OTHER_NAME[name], context)
        case ast.Call(ast.Attribute(_, name), [argument, *_]) if name in DROPPED_CALLS:
            yield argument
        case ast.Call(ast.Name("range") as function, arguments):
            for i, bound in enumerate(arguments):
                for operator in (ast.Add(), ast.Sub()) if not isinstance(bound, ast.Constant) else ():
                    moved = ast.BinOp(bound, operator, ast.Constant(1))
                    yield ast.Call(function, [*arguments[:i], moved, *arguments[i + 1 :]], [])
        case ast.Call(ast.Name("reversed"), [argument]):
            yield argument
        case ast.Return(ast.Tuple([first, second, *rest], context)):
            yield ast.Return(ast.Tuple([second, first, *rest], context))
        case ast.Return(ast.AST() as value):
            others = [name for name in neighbors if name != ast.unparse(value)]
            for name in dict.fromkeys(others[:1] + others[-1:]):
                yield ast.Return(ast.Name(name, ast.Load()))
        case ast.AugAssign(target, operator, value):
            yield ast.Pass()
            yield ast.Assign([target], value)  # overwrites instead of accumulating
            for other in OTHER_OPERATOR.get(type(operator), []):
                yield ast.AugAssign(target, other, value)
        case ast.Expr(ast.Constant()):
            return  # a docstring or an ellipsis
        case ast.Assign() | ast.Expr():
            yield ast.Pass()


def _difference(original: str, mutant: str) -> str:
    """The first line that differs, before and after."""
    for before, after in zip(original.splitlines(), mutant.splitlines(), strict=False):
        if before != after:
            return f"{before.strip()}  →  {after.strip()}"
    return "a line more or less"
