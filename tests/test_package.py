"""Sizes and use of the package, profiles, devices."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from course_utils import by_profile, devices, full_results, plotting, profile
from course_utils.profiles import PROFILES
from tools.source import ROOT

PACKAGE = ROOT / "course_utils"


# --- the package ----------------------------------------------------------------------------------


def test_importing_takes_milliseconds():
    """Best of several fresh interpreters: what else this machine is doing must not decide."""
    program = (
        "import sys, time; start = time.perf_counter(); import course_utils\n"
        "print(1000 * (time.perf_counter() - start))\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    best = np.inf
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        milliseconds, modules = done.stdout.splitlines()
        assert {"numpy", "matplotlib", "sklearn", "tensorflow", "keras"}.isdisjoint(modules.split())
        best = min(best, float(milliseconds))
    assert best < 60


def modules() -> list[Path]:
    """The package's files but those that are made, or that draw and hold the stand-ins."""
    made = ("lessons", "bundled")
    return [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in made]


def test_modules_are_short():
    lines = {path.name: len(path.read_text(encoding="utf8").splitlines()) for path in modules()}
    assert {name: count for name, count in lines.items() if count > 300} == {}


def public_names() -> dict[str, str]:
    """What a notebook can ask the package for: name -> the text by which it would be used."""
    import course_utils
    from course_utils import data

    names = {name: rf"\b{name}\b" for name in course_utils.__all__}
    for module in (data, devices, plotting):
        short = module.__name__.rpartition(".")[2]
        own = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", "").startswith(module.__name__)
        ]
        names |= {f"{short}.{name}": rf"\b{short}\.{name}\b" for name in own}
    return names


def users(pattern: str) -> list[str]:
    """Notebooks, tools and modules of the package with a place that matches."""
    files = [*(ROOT / "notebooks" / "py").glob("*.py"), *(ROOT / "tools").glob("*.py"), *modules()]
    return [path.name for path in files if re.search(pattern, path.read_text(encoding="utf8"))]


# A data set may serve one notebook alone. These wait for the notebooks of the plan that will use them.
ONE_IS_ENOUGH = {
    "data.gpt2", "data.gpt2_bpe", "data.imdb", "data.chnsenticorp", "data.movielens", "data.small_gpt2",
    "data.tang_poems", "data.tiny_shakespeare",
    "data.ud_chinese", "data.weibo_ner", "data.wnut17",
    "data.nuclei", "data.cmn_eng", "data.course_text", "data.blood_cells", "data.orl_faces",
}  # fmt: skip
EARLY = {"data.fashion_mnist", "devices.memory_mb"}


def test_every_public_name_is_used():
    """By two notebooks, or by the command line and the tools."""
    lonely = {}
    for name, pattern in public_names().items():
        found = users(pattern)
        tools = [user for user in found if not re.match(r"\d\d[a-z]?_", user)]
        least = 1 if name in ONE_IS_ENOUGH else 2
        if len(found) - len(tools) < least and not tools:
            lonely[name] = found
    assert set(lonely) - EARLY == set(), lonely
    assert set(lonely) >= EARLY, "take what is used now off the list"


# --- profiles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROFILES)
def test_the_profile_comes_from_the_environment(monkeypatch, name):
    monkeypatch.setenv("COURSE_PROFILE", name)
    assert profile() == name
    assert by_profile(quick="quick", standard="standard", full="full") == name


def test_the_profile_is_standard_unless_set(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "")
    assert profile() == "standard"
    monkeypatch.delenv("COURSE_PROFILE")
    assert profile() == "standard"


@pytest.mark.parametrize("folder", ["results", "notebooks/results"])
def test_full_results_are_found_beside_the_notebooks(tmp_path, monkeypatch, capsys, folder):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_PROFILE", "standard")
    assert full_results("77") is None and "not used" in capsys.readouterr().out
    (tmp_path / folder).mkdir(parents=True)
    record = {"command": "make full NN=77", "date": "2030-01-02", "machine": "two cores"}
    record |= {"results": {"score": [0.5]}}
    (tmp_path / folder / "77.json").write_text(json.dumps(record), encoding="utf8")
    assert full_results("77") == {"score": [0.5]}
    assert capsys.readouterr().out == "results/77.json: make full NN=77, 2030-01-02, on two cores\n"
    monkeypatch.setenv("COURSE_PROFILE", "full")  # it measures anew
    assert full_results("77") is None


def test_an_unknown_profile_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    with pytest.raises(ValueError, match=r"'fast'.*quick, standard, full.*Unset"):
        by_profile(quick=1, standard=2, full=3)


# --- devices --------------------------------------------------------------------------------------


def test_noise_of_libraries_is_dropped(capfd):
    with devices._quiet_stderr():
        os.write(2, b"a warning from C++\n")
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "later\n"


def test_noise_is_shown_when_something_fails(capfd):
    with pytest.raises(ImportError), devices._quiet_stderr():
        os.write(2, b"the reason\n")
        raise ImportError
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "the reason\nlater\n"


def test_memory_is_that_of_this_process():
    before = devices.memory_mb()
    block = np.ones(8_000_000)  # 64 MB
    assert 60 < devices.memory_mb() - before < 90
    assert devices.memory_mb() * 1e6 == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)
    del block


def test_cores_are_those_we_may_use():
    assert 1 <= devices.cores() <= (os.cpu_count() or 1)


def test_setup_without_tensorflow_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs TensorFlow: run `make lab`.*pip install"):
        devices.setup()


def test_setup_is_quiet_and_seeds_everything():
    program = """
import random
import numpy as np
from course_utils import devices
drawn = []
for seed in (1, 1, 2):
    tf = devices.setup(seed)
    drawn.append((random.random(), np.random.rand(), float(tf.random.normal(()))))
assert drawn[0] == drawn[1], drawn
assert all(a != b for a, b in zip(drawn[1], drawn[2])), drawn
assert isinstance(devices.gpu_names(), list)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and len(set(lines)) == 1
    assert lines[0].startswith("TensorFlow 2.") and "Keras 3." in lines[0]
