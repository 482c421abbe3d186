"""What every test shares, the notebooks' too: the quick profile, strict claims, no network.

The variables are set when pytest loads this file, so that the kernels that nbval starts inherit them.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # so that tests can import tools.build and the like

os.environ["COURSE_PROFILE"] = "quick"
os.environ["COURSE_STRICT"] = "1"
os.environ["COURSE_OFFLINE"] = "1"
# the few tests that look at real files still find them, the others must not
if folder := os.environ.pop("COURSE_DATA_DIR", None):
    os.environ["COURSE_TEST_DATA_DIR"] = folder
# COURSE_OFFLINE only binds our own loaders; a dead proxy catches whatever else tries
for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
    os.environ[name] = "http://127.0.0.1:9"
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"
# notebooks run side by side: without this each takes every core for itself
os.environ.setdefault("OMP_NUM_THREADS", "1")

# what takes longest goes first, so that no worker is left with it at the end
SLOW_FIRST = (
    "test_jupyterlab", "test_twice", "test_exercises", ".ipynb", "test_build", "test_handout",
    "test_plotting", "test_doctor", "test_notebooks",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next((i for i, name in enumerate(SLOW_FIRST) if name in item.nodeid), len(SLOW_FIRST))

    items.sort(key=rank)


def scope(nodeid: str) -> str:
    """What must stay on one worker: a notebook's cells, which share a kernel, or a file of quick tests.
    The audits, and whatever else runs a notebook by itself, spread."""
    file = nodeid.partition("::")[0]
    if re.search(r"test_(exercises|twice)\.py$", file):
        return nodeid
    return file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByScope(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope(nodeid)

    return ByScope(config, log) if config.getoption("dist") == "loadscope" else None
