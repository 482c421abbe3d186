"""Updating without losing answers, in real git repositories: a course that goes on, and a reader's clone."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.carry import as_if_original, carry

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ["course_utils/__init__.py", "course_utils/console.py", "course_utils/exercises.py"]
PROGRAM += ["course_utils/profiles.py", "tools/__init__.py", "tools/carry.py", "tools/files.py"]
PROGRAM += ["tools/update.py"]
STUB = "def relu(z):\n    raise NotImplementedError('your turn')"
ANSWER = "def relu(z):\n    return z * (z > 0)"


def cell(source, id, *, kind="code", outputs=(), **metadata):
    made = {"cell_type": kind, "id": id, "metadata": metadata, "source": source.splitlines(keepends=True)}
    return made | ({"outputs": list(outputs), "execution_count": None} if kind == "code" else {})


def stub(exercise, source=STUB):
    return cell(source, f"exercise-{exercise.replace('.', '-')}", tags=["exercise"], exercise=exercise)


def printed(text):
    return {"output_type": "stream", "name": "stdout", "text": [text]}


def book(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def course():
    """A notebook as published: prose, a cell that was executed, an exercise, the next link."""
    return book(
        cell("# 06 · Backpropagation", "aaaa1111", kind="markdown"),
        cell("EPOCHS = 30\nprint(EPOCHS)", "bbbb2222", outputs=[printed("30")]),
        stub("6.4"),
        cell("with check('6.4', 'relu'): ...", "check-6-4", tags=["check"], exercise="6.4"),
        cell("**Next:** 07", "course-bottom", kind="markdown"),
    )


def sources(notebook):
    return ["".join(c["source"]) for c in notebook["cells"]]


def put(notebook, id, source):
    (found,) = (c for c in notebook["cells"] if c["id"] == id)
    found["source"] = source.splitlines(keepends=True)
    return notebook


# --- what goes where: notebooks alone ---------------------------------------------------------------


def test_an_answer_goes_to_its_exercise_and_nothing_else_changes():
    mine, new = put(course(), "exercise-6-4", ANSWER), put(course(), "aaaa1111", "# 06 · Better prose")
    before = copy.deepcopy(new)
    assert carry(mine, course(), new) == (["6.4"], [])
    assert new == put(before, "exercise-6-4", ANSWER)
    assert carry(mine, course(), new) == ([], []), "again: nothing to do"


def test_outputs_stay_behind():
    mine, new = put(course(), "bbbb2222", "EPOCHS = 3\nprint(EPOCHS)"), course()
    mine["cells"][1]["outputs"] = [printed("3")]
    assert carry(mine, course(), new) == (["“EPOCHS = 3”"], [])
    assert new["cells"][1]["outputs"] == [] and sources(new)[1] == "EPOCHS = 3\nprint(EPOCHS)"


def test_only_outputs_changed():
    mine, new = course(), course()
    mine["cells"][1]["outputs"] = [printed("31")]
    assert carry(mine, course(), new) == ([], []) and new == course()


@pytest.mark.parametrize("number", ["6.4", "7.5"])
def test_a_changed_stub_gets_the_answer_and_a_word(number):
    renewed = stub(
        number, "def relu(z):\n    '''New docstring.'''\n    raise NotImplementedError('your turn')"
    )
    new = book(cell("new prose", "x", kind="markdown"), renewed)
    assert carry(put(course(), "exercise-6-4", ANSWER), course(), new) == (
        [f"{number} (its stub changed: compare)"], [],
    )  # fmt: skip
    assert sources(new)[1] == ANSWER


def test_a_number_that_another_exercise_took_gets_no_wrong_answer():
    """An exercise was put in before: 6.4 is now 6.5."""
    other = stub("6.4", "def tanh(z):\n    raise NotImplementedError('your turn')")
    new = book(other, stub("6.5"))
    assert carry(put(course(), "exercise-6-4", ANSWER), course(), new) == (["6.5"], [])
    assert sources(new) == [sources(book(other))[0], ANSWER]
    new = book(other)
    assert carry(put(course(), "exercise-6-4", ANSWER), course(), new) == ([], ["6.4"])
    assert new == book(other)


def test_own_cells_follow_the_cells_they_followed():
    mine = course()
    mine["cells"][3:3] = [cell("a = 1", "own-a"), cell("b = 2", "own-b", outputs=[printed("2")])]
    mine["cells"].append(cell("my notes", "own-c", kind="markdown"))
    new = put(put(course(), "course-bottom", "**Next:** 08"), "aaaa1111", "# 06 · New title")
    carried, left = carry(mine, course(), new)
    assert (carried, left) == (["your cell “a = 1”", "your cell “b = 2”", "your cell “my notes”"], [])
    assert sources(new)[2:] == [STUB, "a = 1", "b = 2", sources(course())[3], "**Next:** 08", "my notes"]
    assert all(not c["outputs"] for c in new["cells"] if c["id"].startswith("own-") and "outputs" in c)
    assert carry(mine, course(), new) == ([], []), "again: not twice"


def test_own_cell_whose_neighbors_are_gone():
    mine = course()
    mine["cells"].insert(2, cell("a = 1", "own-a"))
    only_the_end = book(course()["cells"][-1])
    assert carry(mine, course(), only_the_end) == ([], ["your cell “a = 1”"])
    before_the_stub = book(stub("6.4"))
    assert carry(mine, course(), before_the_stub)[0] == ["your cell “a = 1”"]
    assert sources(before_the_stub) == ["a = 1", STUB]


def test_an_edited_cell_that_was_rewritten_is_not_overwritten():
    new = put(course(), "check-6-4", "with check('6.4', 'relu', strict=True): ...")
    mine = put(course(), "check-6-4", "with check('6.4', 'relu'): pass")
    before = copy.deepcopy(new)
    assert carry(mine, course(), new) == ([], ["“with check('6.4', 'relu'): pass”"]) and new == before


def test_an_editor_that_drops_or_moves_the_ids():
    for form in ("dropped", "moved"):
        mine, new = put(course(), "exercise-6-4", ANSWER), course()
        for c in mine["cells"]:
            id = c.pop("id")
            if form == "moved":
                c["metadata"]["id"] = id
        assert carry(mine, course(), new) == (["6.4"], []) and sources(new)[2] == ANSWER


def test_answers_from_a_folder_without_its_originals():
    mine = put(course(), "exercise-6-4", ANSWER)
    new = put(course(), "aaaa1111", "# 06 · Better prose")
    assert carry(mine, as_if_original(mine, new), new) == (["6.4"], []) and sources(new)[2] == ANSWER
    answered_here = put(course(), "exercise-6-4", "def relu(z):\n    return max(z, 0)")
    before = copy.deepcopy(answered_here)
    assert carry(mine, as_if_original(mine, answered_here), answered_here) == ([], ["6.4"])
    assert answered_here == before
    assert carry(course(), as_if_original(course(), new), new) == ([], []), (
        "nothing answered, nothing carried"
    )


# --- with git ---------------------------------------------------------------------------------------


def git(folder, *arguments):
    names = ["-c", "user.name=Author", "-c", "user.email=author@example.org"]
    return subprocess.run(
        ["git", *names, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def save(folder, notebook, name="06_backpropagation.ipynb"):
    path = folder / "notebooks" / name
    path.write_text(
        json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf8"
    )


def load(folder, name="06_backpropagation.ipynb"):
    return json.loads((folder / "notebooks" / name).read_text(encoding="utf8"))


class Course:
    """A published course and a reader's clone of it."""

    def __init__(self, folder: Path):
        self.theirs, self.clone = folder / "published", folder / "我的 course"
        (self.theirs / "notebooks").mkdir(parents=True)
        for name in PROGRAM:
            (self.theirs / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, self.theirs / name)
        (self.theirs / "README.md").write_text("version 1\n")
        save(self.theirs, course())
        save(self.theirs, course(), "01_untouched.ipynb")
        git(self.theirs, "init", "--quiet", "--initial-branch=main")
        self.publish()
        git(folder, "clone", "--quiet", str(self.theirs), str(self.clone))

    def publish(self):
        git(self.theirs, "add", "--all")
        git(self.theirs, "commit", "--quiet", "--message=more")

    def publish_changes(self):
        new = put(course(), "bbbb2222", "EPOCHS = 40\nprint(EPOCHS)")
        new["cells"][1]["outputs"] = [printed("40")]
        save(self.theirs, new)
        (self.theirs / "README.md").write_text("version 2\n")
        self.publish()
        return new

    def work(self):
        """The reader answers, and executes: the second cell prints something else."""
        mine = put(course(), "exercise-6-4", ANSWER)
        mine["cells"][1] |= {"outputs": [printed("30 on my machine")], "execution_count": 7}
        save(self.clone, mine)
        return mine

    def update(self, *arguments, folder=None, **environment):
        return subprocess.run(
            [sys.executable, "tools/update.py", *arguments],
            cwd=folder or self.clone,
            env=os.environ | {"PYTHONIOENCODING": "utf8", "PYTHONDONTWRITEBYTECODE": "1"} | environment,
            capture_output=True,
            encoding="utf8",
        )

    def backups(self):
        return sorted((self.clone / "my").glob("*"))


@pytest.fixture
def both(tmp_path):
    return Course(tmp_path)


def test_answered_executed_and_changed_on_both_sides(both):
    new, mine = both.publish_changes(), both.work()
    done = both.update()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert load(both.clone) == put(new, "exercise-6-4", ANSWER)
    assert "06_backpropagation.ipynb: carried 6.4\n" in done.stdout and "01_untouched" not in done.stdout
    assert (both.clone / "README.md").read_text() == "version 2\n"
    (backup,) = both.backups()
    assert json.loads((backup / "06_backpropagation.ipynb").read_text(encoding="utf8")) == mine
    assert {path.name for path in backup.iterdir()} == {"06_backpropagation.ipynb", "original"}
    assert f"{Path('my') / backup.name}" in done.stdout

    again = both.update()
    assert again.returncode == 0 and "newest version" in again.stdout
    assert load(both.clone) == put(new, "exercise-6-4", ANSWER) and len(both.backups()) == 1


def test_where_the_notebook_stayed_as_it_was_its_outputs_stay_too(both):
    mine = both.work()
    (both.theirs / "README.md").write_text("version 2\n")
    both.publish()
    assert both.update().returncode == 0
    assert load(both.clone) == mine and (both.clone / "README.md").read_text() == "version 2\n"


def test_a_notebook_that_got_another_number(both):
    both.work()
    git(both.theirs, "mv", "notebooks/06_backpropagation.ipynb", "notebooks/07_backpropagation.ipynb")
    save(both.theirs, book(cell("rewritten", "x", kind="markdown"), stub("7.1")), "07_backpropagation.ipynb")
    both.publish()
    done = both.update()
    assert "07_backpropagation.ipynb: carried 7.1" in done.stdout
    assert sources(load(both.clone, "07_backpropagation.ipynb")) == ["rewritten", ANSWER]
    assert not (both.clone / "notebooks" / "06_backpropagation.ipynb").exists()


@pytest.mark.parametrize("what", ["exercise", "notebook"])
def test_what_was_deleted_stays_in_the_backup(both, what):
    mine = both.work()
    if what == "exercise":
        save(both.theirs, book(course()["cells"][0]))
    else:
        git(both.theirs, "rm", "--quiet", "notebooks/06_backpropagation.ipynb")
    both.publish()
    done = both.update()
    (backup,) = both.backups()
    says = {"exercise": "no place for 6.4; yours is", "notebook": "no such notebook any more; yours is"}[what]
    assert done.returncode == 0 and f"{says} {Path('my') / backup.name}" in done.stdout
    assert json.loads((backup / "06_backpropagation.ipynb").read_text(encoding="utf8")) == mine


def test_a_notebook_that_can_not_be_read(both):
    new = both.publish_changes()
    broken = "<<<<<<< Updated upstream\n{}"
    (both.clone / "notebooks" / "06_backpropagation.ipynb").write_text(broken)
    done = both.update()
    (backup,) = both.backups()
    assert "06_backpropagation.ipynb: can't be read" in done.stdout and load(both.clone) == new
    assert (backup / "06_backpropagation.ipynb").read_text() == broken


def test_another_changed_file_stops_it_and_all_is_as_before(both):
    both.publish_changes()
    mine = both.work()
    (both.clone / "README.md").write_text("my own words\n")
    done = both.update()
    assert done.returncode == 1 and "README.md" in done.stdout and "overwritten" in done.stdout
    assert load(both.clone) == mine and (both.clone / "README.md").read_text() == "my own words\n"


def test_no_network(both):
    both.publish_changes()
    mine = both.work()
    both.theirs.rename(both.theirs.with_name("away"))
    done = both.update()
    assert done.returncode == 1 and "nothing was changed" in done.stdout
    assert load(both.clone) == mine and not both.backups()


def test_a_full_disk_is_said_and_nothing_is_touched(both):
    both.publish_changes()
    mine = both.work()
    (both.clone / "my").write_text("where the folder should be")
    done = both.update()
    assert done.returncode == 1 and done.stdout.splitlines()[-1].startswith("update stopped: ")
    assert load(both.clone) == mine and not done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for git")
@pytest.mark.parametrize("command", ["checkout", "merge"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("published", [True, False], ids=["published", "only elsewhere"])
def test_killed_and_called_again(both, tmp_path, command, when, published):
    """kill -9 before or after git restored the notebooks, and before or after it merged."""
    new, mine = course(), both.work()
    if published:
        new = both.publish_changes()
    else:
        (both.theirs / "README.md").write_text("version 2\n")
        both.publish()
    real, fake = shutil.which("git"), tmp_path / "bin" / "git"
    fake.parent.mkdir()
    kill = "kill -9 $PPID; exit 1"
    then = f'"{real}" "$@"; {kill}' if when == "after" else kill
    fake.write_text(f'#!/bin/sh\nif [ "$1" = {command} ]; then {then}; fi\nexec "{real}" "$@"\n')
    fake.chmod(0o755)
    done = both.update(PATH=f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == -9
    assert len(both.backups()) == 1

    done = both.update()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "was interrupted" in done.stdout
    expected = put(new, "exercise-6-4", ANSWER) if published else mine
    assert load(both.clone) == expected
    assert not list((both.clone / "my").glob("*/unfinished"))


def interrupted(both, commit):
    """What an update that was killed leaves in my/."""
    backup = both.clone / "my" / "2026-01-01_00-00-00"
    (backup / "original").mkdir(parents=True)
    name = "06_backpropagation.ipynb"
    shutil.copy(both.clone / "notebooks" / name, backup)
    original = git(both.clone, "show", f"HEAD:notebooks/{name}")
    (backup / "original" / name).write_text(original, encoding="utf8", newline="\n")
    (backup / "unfinished").write_text(commit)


def test_work_after_an_interruption_is_not_overwritten(both):
    """Killed before anything was restored; the reader goes on before calling again."""
    both.work()
    interrupted(both, git(both.clone, "rev-parse", "HEAD").strip())
    later = put(course(), "exercise-6-4", "def relu(z):\n    return z.clip(0)")
    save(both.clone, later)
    assert both.update().returncode == 0
    assert load(both.clone) == later


def test_killed_while_git_wrote_the_new_notebooks(both):
    new = both.publish_changes()
    both.work()
    git(both.clone, "fetch", "--quiet")
    interrupted(both, git(both.clone, "rev-parse", "origin/main").strip())
    save(both.clone, new)  # and HEAD is still the commit before
    done = both.update()
    assert done.returncode == 0, done.stdout
    assert load(both.clone) == put(new, "exercise-6-4", ANSWER)


def test_commits_of_ones_own_and_a_clone_beside(both, tmp_path):
    both.publish_changes()
    both.work()
    git(both.clone, "commit", "--quiet", "--all", "--message=mine")
    done = both.update()
    assert done.returncode == 1 and f'tools/update.py --from "{both.clone}"' in done.stdout
    beside = tmp_path / "beside"
    git(tmp_path, "clone", "--quiet", str(both.theirs), str(beside))
    done = both.update("--from", str(both.clone), folder=beside)
    assert done.returncode == 0 and "carried 6.4" in done.stdout
    assert sources(load(beside))[1:3] == ["EPOCHS = 40\nprint(EPOCHS)", ANSWER]


def test_zip_files_without_git(both, tmp_path):
    new = both.publish_changes()
    both.work()
    (both.clone / ".git").rename(tmp_path / "no git")
    fresh = tmp_path / "fresh"
    shutil.copytree(both.theirs, fresh, ignore=shutil.ignore_patterns(".git"))
    done = both.update()
    assert done.returncode == 1 and f'tools/update.py --from "{both.clone}"' in done.stdout
    done = both.update("--from", str(both.clone), folder=fresh)
    assert done.returncode == 0 and "06_backpropagation.ipynb: carried 6.4\n" in done.stdout
    assert load(fresh) == put(new, "exercise-6-4", ANSWER)
    assert both.update("--from", str(fresh), folder=fresh).returncode == 1
    assert both.update("--from", str(tmp_path / "nowhere"), folder=fresh).returncode == 1


def test_its_words_survive_a_code_page(both):
    both.publish_changes()
    mine = both.work()
    save(both.clone, put(mine, "bbbb2222", "EPOCHS = 3  # ✓"))
    done = both.update(PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
