"""The course's notebooks: fresh, as their sources give them, within the rules of the house."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from nbformat import NotebookNode

from tools import build, notebook, rules, run_rules
from tools.source import ROOT, Source

COURSE = build.Course(ROOT)
SOURCES = {source.name: source for source in COURSE.sources}


@cache
def built(name: str) -> NotebookNode:
    found = notebook.read_ipynb(SOURCES[name].ipynb)
    assert found is not None, "not built yet: run `make notebooks`"
    return found


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_source(rule: Any, name: str) -> None:
    assert rule(SOURCES[name], COURSE.plan) == []


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("rule", run_rules.RULES, ids=lambda rule: rule.__name__)
def test_run(rule: Any, name: str) -> None:
    assert rule(built(name)) == []


@pytest.mark.parametrize("name", SOURCES)
def test_is_fresh(name: str) -> None:
    assert COURSE.stale(SOURCES[name]) == "", "run `make notebooks`"


@pytest.mark.parametrize("name", SOURCES)
def test_is_what_its_source_gives(name: str) -> None:
    """Prose, bars, folding, cell ids and metadata."""
    source: Source = SOURCES[name]
    recorded = notebook.recorded(built(name))
    again = notebook.assemble(source, *recorded, COURSE.plan, COURSE.present, COURSE.slug)
    pairs = zip(again.cells, built(name).cells, strict=False)
    different = [old.source[:80] for new, old in pairs if new != old]
    assert different == [], "run `make notebooks`"
    assert again == built(name), "metadata or number of cells; run `make notebooks`"


def test_everything_derived_is_up_to_date() -> None:
    """Sources and notebooks one to one, lessons, course tables."""
    assert COURSE.errors + build.check(COURSE, COURSE.sources) == []


def test_only_notebooks_of_the_course_are_free_of_the_dose() -> None:
    assert set(SOURCES) >= rules.HEAVY
