"""Bring the course up to date and keep your answers.

    python tools/update.py                    (make update)
    python tools/update.py --from OLD_FOLDER  take your answers over from another copy of the course

Your notebooks are copied to my/<date-time>/. Then the course is updated with git, and what you wrote goes
into the new notebooks. It can be interrupted at any point and called again.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from course_utils.console import use_any_encoding
from tools.carry import as_if_original, carry, read, text_of
from tools.files import write

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
UNFINISHED = "unfinished"  # file in a backup whose answers may be nowhere else; holds the commit merged
TAKE_OVER = f'run there:\n  python tools/update.py --from "{ROOT}"'


class Stop(Exception):
    """The update can't go on; the message says why and what to do."""


def git(*arguments: str, folder: Path = ROOT) -> bytes:
    """What git prints. Raises Stop with git's own words."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True)
    except FileNotFoundError as error:
        raise Stop("git is not installed (git-scm.com)") from error
    if done.returncode:
        raise Stop(f"git {arguments[0]} says: {done.stderr.decode('utf8', 'replace').strip()}")
    return done.stdout


def answers(*arguments: str, folder: Path = ROOT) -> str:
    """What git prints, as text; empty where it fails, and so says no."""
    try:
        return git(*arguments, folder=folder).decode("utf8").strip()
    except Stop:
        return ""


def committed(name: str, commit: str = "HEAD", folder: Path = ROOT) -> bytes | None:
    """A notebook's bytes in a commit; None where it has no such notebook."""
    try:
        return git("show", f"{commit}:./notebooks/{name}", folder=folder)
    except Stop:
        return None


def changed_since(commit: str) -> set[str]:
    """Names of the notebooks that are here and differ from a commit's."""
    listed = git("diff", "--name-only", "-z", "--diff-filter=M", commit, "--", ":(glob)notebooks/*.ipynb")
    return {Path(path).name for path in listed.decode("utf8").split("\0") if path}


def update() -> None:
    """Merge what the upstream branch has, around the reader's answers. Raises Stop; nothing is lost then."""
    if not (ROOT / ".git").exists():
        raise Stop(f"{ROOT} is no clone of git. Unpack the new ZIP file beside it, and {TAKE_OVER}")
    for marker in sorted((ROOT / "my").glob(f"*/{UNFINISHED}")):
        print(f"an update was interrupted: answers come back from {shown(marker.parent)}")
        bring_back(marker.parent)
    if git("ls-files", "--unmerged"):
        raise Stop("a merge waits to be finished (git status) or undone (git merge --abort).")
    if not answers("rev-parse", "@{upstream}"):
        raise Stop("this branch follows no other that updates could come from. Try: git switch main")
    print("asking for updates ...", flush=True)
    try:
        git("fetch")
    except Stop as error:
        raise Stop(f"there is no way to the server now, so nothing was changed. {error}") from error
    here, there = (answers("rev-parse", name) for name in ("HEAD", "@{upstream}"))
    common = answers("merge-base", here, there)
    if common == there:
        print("this is the newest version")
        return
    if common != here:
        raise Stop(f"this copy has commits of its own. Clone the course beside it, and {TAKE_OVER}")
    mine = changed_since("HEAD")
    backup = save(mine, there) if mine else None
    try:
        if backup:
            git("checkout", "HEAD", "--", *(f"notebooks/{name}" for name in sorted(mine)))
        git("merge", "--ff-only", there)
    finally:
        if backup:
            bring_back(backup)
            print(f"your notebooks as they were, with their outputs: {shown(backup)}")
    print("up to date; in JupyterLab, close the notebooks and open them again")
    if git("diff", "--name-only", here, there, "--", "requirements.lock", "pyproject.toml"):
        print("the packages changed too: `make lab` (Windows: py tools/setup_env.py) installs them")


def save(names: set[str], commit: str) -> Path:
    """The reader's notebooks and git's, in a new folder my/<date-time>; marked once all of them are there."""
    backup = new_backup()
    (backup / "original").mkdir()
    for name in sorted(names):
        shutil.copy2(NOTEBOOKS / name, backup / name)
        (backup / "original" / name).write_bytes(committed(name) or b"")
    write(backup / UNFINISHED, commit.encode())
    return backup


def new_backup() -> Path:
    folder = ROOT / "my" / time.strftime("%Y-%m-%d_%H-%M-%S")
    while folder.exists():
        folder = folder.with_name(f"{folder.name}+")
    folder.mkdir(parents=True)
    return folder


def bring_back(backup: Path) -> None:
    """A backup's answers into the notebooks; whole files, with their outputs, where nothing new came."""
    # what differs from the commit before and from the one after holds answers: a reader's, or carried ones
    filled = changed_since("HEAD") & changed_since((backup / UNFINISHED).read_text())
    for saved in sorted(backup.glob("*.ipynb")):
        if saved.name in filled:
            continue
        mine, original = saved.read_bytes(), (backup / "original" / saved.name).read_bytes()
        if committed(saved.name) == original:
            write(NOTEBOOKS / saved.name, mine)
        else:
            carry_file(saved, original)
    (backup / UNFINISHED).unlink()


def carry_file(saved: Path, original: bytes | None, keep: Path | None = None) -> None:
    """Carry a notebook's answers into the one of its name, whatever its number; say what came of it.
    original: what `saved` was, None if unknown. keep: a folder to copy the target to before it changes."""
    target = NOTEBOOKS / saved.name
    if not target.exists():
        target = next(iter(NOTEBOOKS.glob(f"[0-9]*_{saved.name.partition('_')[2]}")), target)
    try:
        mine, new = read(saved.read_bytes()), read(target.read_bytes())
        carried, left = carry(mine, read(original) if original else as_if_original(mine, new), new)
    except FileNotFoundError:
        print(f"{saved.name}: the course has no such notebook any more; yours is {shown(saved)}")
        return
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"{saved.name}: can't be read ({error}), so nothing was carried; yours is {shown(saved)}")
        return
    if carried:
        if keep:
            shutil.copy2(target, keep)
        write(target, text_of(new))
        print(f"{target.name}: carried {', '.join(carried)}")
    if left:
        print(f"{target.name}: no place for {', '.join(left)}; yours is {shown(saved)}")


def take_over(folder: Path) -> None:
    """Answers from another copy of the course into this one. Raises Stop."""
    theirs = sorted(folder.glob("notebooks/*.ipynb"))
    if not theirs or folder.samefile(ROOT):
        raise Stop(f"{folder} is no other copy of the course: its folder notebooks/ should hold your answers")
    # committed answers are answers too: what came from the course is what both branches have
    base = answers("merge-base", "HEAD", "@{upstream}", folder=folder) or "HEAD"
    backup = new_backup()
    for path in theirs:
        original = committed(path.name, base, folder)
        if original != path.read_bytes():
            carry_file(path, original, keep=backup)
    if any(backup.iterdir()):
        print(f"this folder's notebooks as they were: {shown(backup)}")
    else:
        backup.rmdir()
        print("nothing was carried")


def shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def main(arguments: list[str] | None = None) -> int:
    use_any_encoding()
    parser = argparse.ArgumentParser(
        prog="python tools/update.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--from", dest="folder", type=Path, help="another copy of the course, with answers")
    options = parser.parse_args(arguments)
    try:
        take_over(options.folder) if options.folder else update()
    except Stop as stop:
        print(f"update stopped: {stop}")
    except KeyboardInterrupt:
        print("update interrupted; call it again, it goes on from here")
    except OSError as error:  # a full disk, a file that another program holds
        print(f"update stopped: {error}. What was saved is in my/; mend it, then call the update again.")
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
