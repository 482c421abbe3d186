"""What a reader wrote into a notebook, carried into a newer one. tools/update.py calls this.

Three notebooks take part: the reader's, the original that it was, and the new one. What differs between the
first two goes into the third: answers, cells that the reader added, other cells that the reader changed. Only
sources are carried: outputs belong to the code that printed them.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

Cell = dict[str, Any]
Notebook = dict[str, Any]


def read(content: bytes) -> Notebook:
    """A notebook's JSON. ValueError if it is none, such as a file with git's conflict marks."""
    notebook = json.loads(content.decode("utf8"))
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError("it is no notebook")
    return notebook


def text_of(notebook: Notebook) -> bytes:
    """A notebook's file, spelled as Jupyter does."""
    return (json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode("utf8")


def carry(mine: Notebook, original: Notebook, new: Notebook) -> tuple[list[str], list[str]]:
    """Put what the reader changed between `original` and `mine` into `new`.

    Returns what was carried and what found no place, as a reader knows them: "6.4", "your cell “x = 1”".
    Doing it again changes nothing.
    """
    carried: list[str] = []
    left: list[str] = []
    found = _counterparts(original, new)
    olds = [_original_of(cell, original) for cell in mine["cells"]]
    here = {_id(cell) for cell in new["cells"]}
    before: Cell | None = None  # the new cell after which one that was added belongs
    for i, (cell, old) in enumerate(zip(mine["cells"], olds, strict=True)):
        if old is not None:
            place = before = found.get(id(old))
            if _source(cell) == _source(old) or (place and _source(cell) == _source(place)):
                continue
            if place is None or not _fits(cell, old, place):
                left.append(_label(cell))
                continue
            moved = "" if _source(old) == _source(place) else " (its stub changed: compare)"
            carried.append(_label(place if _is_stub(place) else cell) + moved)
            place.update({key: cell[key] for key in ("source", "attachments") if key in cell})
            _forget_outputs(place)
        elif _source(cell).strip() and _id(cell) not in here:
            after = next((found.get(id(later)) for later in olds[i:] if later), None)
            if before is None and after is None:
                left.append(f"your cell {_label(cell)}")
                continue
            position = next(n for n, other in enumerate(new["cells"]) if other is (before or after))
            added = _forget_outputs(copy.deepcopy(cell))
            new["cells"].insert(position + (before is not None), added)
            before = added
            carried.append(f"your cell {_label(cell)}")
    return carried, left


def as_if_original(mine: Notebook, new: Notebook) -> Notebook:
    """`mine` as it was before its exercises were answered, for a folder where nothing kept that."""
    original = copy.deepcopy(mine)
    for cell in original["cells"]:
        if _is_stub(cell) and not _to_do(cell):
            stub = _stub_like(cell, new["cells"])
            cell["source"] = stub["source"] if stub and _to_do(stub) else f"{_source(cell)}\n{TO_DO}"
    return original


# --- cells ------------------------------------------------------------------------------------------

TO_DO = "raise NotImplementedError"  # in every stub


def _source(cell: Cell) -> str:
    return "".join(cell["source"])


def _id(cell: Cell) -> str | None:
    return cell.get("id") or cell["metadata"].get("id")  # Colab keeps it in the metadata


def _is_stub(cell: Cell) -> bool:
    return "exercise" in cell["metadata"].get("tags", [])


def _to_do(cell: Cell) -> bool:
    return TO_DO in _source(cell)


def _label(cell: Cell) -> str:
    """How a reader knows a cell: by its exercise's number, or by its first line."""
    if _is_stub(cell) and (exercise := cell["metadata"].get("exercise")):
        return exercise
    first = _source(cell).strip().partition("\n")[0]
    return f"“{first[:40]}{'…' if len(first) > 40 else ''}”"


def _forget_outputs(cell: Cell) -> Cell:
    if cell["cell_type"] == "code":
        cell.update(outputs=[], execution_count=None)
    return cell


def _fits(cell: Cell, old: Cell, place: Cell) -> bool:
    """Whether the reader's version of `old` may stand in `place`: not over what was rewritten or answered."""
    if cell["cell_type"] != place["cell_type"]:
        return False
    return _source(old) == _source(place) or (_is_stub(place) and _to_do(place))


def _stub_like(old: Cell, cells: list[Cell]) -> Cell | None:
    """The stub of the same exercise. Numbers move between editions, so the functions' names decide first."""

    def names(cell: Cell) -> set[str]:
        return set(re.findall(r"^(?:def|class) (\w+)", _source(cell), re.MULTILINE))

    alike = [c for c in cells if _is_stub(c) and (names(c) & names(old) or not names(c) | names(old))]
    same_number = [c for c in alike if c["metadata"].get("exercise") == old["metadata"].get("exercise")]
    if len(same_number) == 1:
        return same_number[0]
    return alike[0] if len(alike) == 1 and names(old) else None


def _counterparts(original: Notebook, new: Notebook) -> dict[int, Cell]:
    """The new cell for each original one, by the original's id(): of the same text, else of the same name."""
    same_text: dict[tuple[str, str], list[Cell]] = {}
    for cell in new["cells"]:
        same_text.setdefault((cell["cell_type"], _source(cell)), []).append(cell)
    same_id = {_id(cell): cell for cell in new["cells"]}
    found: dict[int, Cell | None] = {}
    for cell in original["cells"]:
        if pool := same_text.get((cell["cell_type"], _source(cell))):
            found[id(cell)] = pool.pop(0)
        else:
            found[id(cell)] = _stub_like(cell, new["cells"]) if _is_stub(cell) else same_id.get(_id(cell))
    return {key: cell for key, cell in found.items() if cell}


def _original_of(cell: Cell, original: Notebook) -> Cell | None:
    """What a reader's cell was before; None for one that the reader added."""
    if _id(cell):
        return next((old for old in original["cells"] if _id(old) == _id(cell)), None)
    same_text = (
        old for old in original["cells"] if _source(old) == _source(cell)
    )  # an editor dropped the ids
    return next(same_text, _stub_like(cell, original["cells"]) if _is_stub(cell) else None)
