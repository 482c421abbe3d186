"""The doctor: on a good machine, on a bare or broken one, and wherever its report is sent."""

import ast
import io
import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from course_utils import console, doctor

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
# what a reader's Python reads before it can say that it is too old
FOR_OLD_PYTHONS = ["__init__", "__main__", "console", "devices", "doctor", "exercises", "profiles"]


def run(*arguments, bare=False, **environment):
    """The command line in a Python of its own; bare: one without packages (-S leaves out site-packages)."""
    return subprocess.run(
        [sys.executable, *["-S"] * bare, "-m", "course_utils", "doctor", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf8"} | environment,
        capture_output=True,
        timeout=300,
    )


def said(name, text):
    """What a report says about one check: mark and text."""
    found = re.search(rf"^(\S) {name} +(.*)$", text, re.MULTILINE)
    assert found, text
    return found.groups()


# --- whole reports --------------------------------------------------------------------------------


def test_a_good_machine_is_ready(tmp_path):
    """And a mistyped COURSE_DATA_DIR is named, which stops nobody."""
    report = tmp_path / "not yet there" / "张三.json"
    done = run("--json", report, COURSE_DATA_DIR=str(tmp_path / "dta"))
    text = done.stdout.decode("utf8")
    assert done.returncode == 0, text
    content = json.loads(report.read_text(encoding="utf8"))
    assert content["ready"] and list(content["findings"]) == [check.__name__ for check in doctor.CHECKS]
    assert {finding["verdict"] for finding in content["findings"].values()} <= {"ok", "note"}
    assert text.endswith("ready: the course runs here\n")
    mark, data = said("datasets", text)
    assert mark == "·" and str(tmp_path / "dta") in data and "no such folder" in data


@pytest.mark.parametrize("encoding", ["gbk", "cp1252", "cp932", "ascii", "utf8"])
def test_a_report_can_be_sent_to_a_file_in_any_encoding(tmp_path, encoding):
    report = tmp_path / "report.json"
    done = run("--json", report, bare=True, PYTHONIOENCODING=encoding)
    assert done.stderr == b""
    mark, _ = said("packages", done.stdout.decode(encoding))
    assert mark == ("✗" if encoding == "utf8" else "x")
    assert json.loads(report.read_text(encoding="utf8"))["findings"]["packages"]["verdict"] == "fail"


def test_a_python_without_packages_is_told_what_to_do(tmp_path):
    report = tmp_path / "report.json"
    done = run("--json", report, bare=True)
    text = done.stdout.decode("utf8")
    assert done.returncode == 1 and text.endswith("not ready: mend the lines marked ✗\n")
    mark, packages = said("packages", text)
    assert mark == "✗" and "numpy" in packages and "tensorflow" in packages
    assert "make lab" in packages or ".venv" in packages
    assert text.count("✗") == 2, "one fault, and the last line: what follows from it is no fault of its own"
    assert said("training", text) == ("·", "not looked at, because packages are missing")
    assert json.loads(report.read_text(encoding="utf8"))["findings"]["disk"]["verdict"] in ("ok", "note")


def test_a_python_without_sqlite_is_found(tmp_path):
    """JupyterLab doesn't start with it; everything else works."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['_sqlite3'] = None")
    done = run(PYTHONPATH=str(tmp_path))
    mark, text = said("python", done.stdout.decode("utf8"))
    assert done.returncode == 1 and mark == "✗" and "without sqlite3" in text and "python.org" in text


def test_a_python_that_is_too_old_gets_one_clear_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    assert not doctor.report(tmp_path / "report.json")
    assert "✗ python     this is Python 3.9; the course needs 3.11 to 3.13" in capsys.readouterr().out
    findings = json.loads((tmp_path / "report.json").read_text(encoding="utf8"))["findings"]
    assert list(findings) == ["python"]


@pytest.mark.parametrize("name", FOR_OLD_PYTHONS)
def test_old_pythons_can_read_what_says_so(name):
    """Python 3.8's grammar, and no tuple[…] or int | None but in annotations, which are never evaluated."""
    tree = ast.parse(
        (ROOT / "course_utils" / f"{name}.py").read_text(encoding="utf8"), feature_version=(3, 8)
    )
    assert any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if getattr(node, field, None):
                setattr(node, field, ast.Constant(None))
    evaluated = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    assert not [text for text in evaluated if re.match(r"(tuple|list|dict|set|type)\[", text)]


def test_a_process_that_dies_leaves_its_report(tmp_path):
    """TensorFlow ends a process where the processor lacks an instruction."""
    report = tmp_path / "report.json"
    program = f"""
import os
from pathlib import Path
from course_utils import doctor
def good(): return doctor.OK, "fine"
def hardware(): os._exit(132)
doctor.CHECKS = (good, hardware)
doctor.report(Path({str(report)!r}))
"""
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True).returncode == 132
    content = json.loads(report.read_text(encoding="utf8"))
    assert not content["ready"] and content["findings"]["good"]["verdict"] == "ok"
    assert content["findings"]["hardware"] == {"verdict": "fail", "text": "did not finish"}


@pytest.mark.parametrize("where", ["a file/report.json", "."])
def test_a_report_that_can_not_be_written_is_said_first(monkeypatch, capsys, tmp_path, where):
    (tmp_path / "a file").touch()
    ran = []
    monkeypatch.setattr(doctor, "CHECKS", (lambda: ran.append(1) or (doctor.OK, ""),))
    assert not doctor.report(tmp_path / where)
    out = capsys.readouterr().out
    assert not ran and "the report can't be written" in out and "--json" in out and "ready" not in out


@pytest.mark.parametrize("error", [ValueError("one line\nanother"), OSError("no"), ImportError("no module")])
def test_a_check_that_raises_is_a_fault_in_one_line(monkeypatch, capsys, error):
    def broken():
        raise error

    monkeypatch.setattr(doctor, "CHECKS", (broken,))
    assert not doctor.report()
    first = f"{type(error).__name__}: {error}".splitlines()[0]
    assert f"✗ broken     {first}\n" in capsys.readouterr().out


# --- single checks --------------------------------------------------------------------------------


def test_a_mistyped_profile_is_a_finding_not_a_traceback(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    monkeypatch.setattr(doctor, "CHECKS", (doctor.settings,))
    assert not doctor.report()
    assert said("settings", capsys.readouterr().out)[1].startswith("ValueError: COURSE_PROFILE is 'fast'")


def test_jupyterlab_is_started_as_far_as_it_can_be(monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    with pytest.raises(ImportError):
        doctor.jupyterlab()
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
    assert doctor.jupyterlab()[0] == doctor.OK, "a notebook needs no JupyterLab of its own: Colab, VS Code"


def test_little_memory_is_noted(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: (8e9, 1.4e9))
    assert doctor.memory() == (
        doctor.NOTE,
        "1.4 GB free of 8.0 GB; a notebook takes up to 1.5 GB: close other programs",
    )
    monkeypatch.setattr(psutil, "virtual_memory", lambda: (8e9, 1.6e9))
    assert doctor.memory() == (doctor.OK, "1.6 GB free of 8.0 GB")


def test_data_sets_are_looked_at_not_read(monkeypatch):
    """Hashing them all takes longer than everything else together."""
    from course_utils.data import files

    monkeypatch.setattr(files.hashlib, "sha256", lambda content: pytest.fail("a file was hashed"))
    monkeypatch.setenv("COURSE_DATA_DIR", os.environ.get("COURSE_TEST_DATA_DIR", ""))
    assert re.match(r"\d+ of \d+ are here", doctor.datasets()[1])


def test_a_port_in_use_is_noted():
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 8888))
            taken.listen()
        except OSError:
            pass  # by something else; as good
        assert doctor.port()[0] == doctor.NOTE


# --- what a reader's own environment lacks ----------------------------------------------------------


@pytest.fixture
def installed(monkeypatch):
    """What importlib.metadata finds; the test changes it."""
    versions = {re.match(r"[\w-]+", line)[0]: "9999.1" for line in PYPROJECT["dependencies"]}

    def version(name):
        if name not in versions:
            raise doctor.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(doctor, "version", version)
    return versions


@pytest.mark.parametrize("found", ["2.0", "2", "2.0.0", "2.0.2", "2.1.0rc1", "10.0"])
def test_new_enough(installed, capsys, found):
    installed["numpy"] = found
    assert doctor.requirements() == []
    doctor.say_requirements()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("found", ["1.26.4", "1.99", "0.9"])
def test_too_old(installed, found):
    installed["numpy"] = found
    assert doctor.requirements() == [f"numpy {found} is here, the course needs 2.0 or later"]


def test_what_is_missing_is_said_with_the_way_on(installed, capsys, monkeypatch):
    installed["matplotlib"] = "3.8.4"
    del installed["psutil"]
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("something was started"))
    sentences = doctor.requirements()
    assert sentences == [
        "matplotlib 3.8.4 is here, the course needs 3.10 or later",
        "psutil is missing, the course needs 5.9 or later",
    ]
    doctor.say_requirements()
    out = capsys.readouterr().out
    assert all(
        sentence in out for sentence in [*sentences, "Nothing was changed", "make lab", "restart the kernel"]
    )
    assert '-m pip install "matplotlib>=3.10" "psutil>=5.9"' in out


def test_an_installed_package_asks_its_own_metadata(installed, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "COURSE", tmp_path)  # no pyproject.toml beside it
    lines = ["numpy>=2.0", "scipy <2,>=1.13", 'keras<4,>=3.10; extra == "cpu"']
    monkeypatch.setattr(doctor, "requires", lambda name: lines)
    installed |= {"numpy": "1.26.4", "scipy": "1.12"}
    assert [sentence.split()[0] for sentence in doctor.requirements()] == ["numpy", "scipy"]
    assert "needs 1.13 or later" in doctor.requirements()[1]


def test_every_requirement_is_of_the_form_that_is_understood():
    assert [line for line in PYPROJECT["dependencies"] if not re.fullmatch(r"[\w-]+>=[\d.]+", line)] == []


def test_the_range_of_pythons_is_the_package_s():
    assert PYPROJECT["requires-python"] == f">=3.{doctor.OLDEST[1]},<3.{doctor.NEWEST[1] + 1}"


# --- any encoding ---------------------------------------------------------------------------------


def test_every_character_that_is_printed_has_a_plain_form():
    for path in ("course_utils/doctor.py", "tools/setup_env.py", "tools/update.py", "tools/carry.py"):
        tree = ast.parse((ROOT / path).read_text(encoding="utf8"))
        documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
        docs = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, documented) and ast.get_docstring(node)
        }
        texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in docs]
        unknown = {c for text in texts if isinstance(text, str) for c in text if not c.isascii()} - set(
            console.PLAIN
        )
        assert not unknown, (path, unknown)


def test_what_has_no_plain_form_becomes_a_question_mark(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp1252", newline=""))
    console.use_any_encoding()
    print("✓ 大 – é \udce5", flush=True)
    assert raw.getvalue() == "+ ? – é ?\n".encode("cp1252")


def test_a_notebook_s_stream_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    console.use_any_encoding()
    print("✓")
    assert sys.stdout.getvalue() == "✓\n"
