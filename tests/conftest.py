"""What all tests share: the quick profile, strict claims, and no network.

The variables are set when pytest loads this file, so that the kernels that nbval starts
inherit them.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
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
