"""Give the repository another address: rewrite it in every text file of the checkout.

    python tools/links.py owner/name        (make links REPO=owner/name)

pyproject.toml, [project.urls] Repository, says the address; every Colab, Binder, install and
site link repeats it. Notebooks stay fresh: their hashes don't depend on the address.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import notebook
from tools.files import write
from tools.notebook import ROOT

PLACEHOLDER = "your_org/large-models-course"  # no account can have an underscore


def problem(slug: str) -> str:
    """Why this can't be a repository on GitHub; empty if it can."""
    if "://" in slug or slug.startswith(("git@", "github.com")) or slug.endswith(".git"):
        return "give owner/name, not an address"
    if slug == PLACEHOLDER:
        return ""
    owner, slash, name = slug.partition("/")
    if not slash or "/" in name:
        return "give owner/name, with one slash"
    if len(owner) > 39 or not re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", owner):
        return f"{owner!r} can't be an account: letters, digits and single hyphens inside, at most 39"
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) or name in (".", ".."):
        return f"{name!r} can't be a repository: letters, digits, '.', '-' and '_', at most 100"
    return ""


def text_files(root: Path) -> dict[Path, str]:
    """Every text file that git tracks or would track, with its content."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        command, cwd=root, capture_output=True, text=True, encoding="utf8", check=True
    ).stdout
    texts = {}
    for name in filter(None, sorted(set(listed.split("\0")))):
        path = root / name
        if path.is_file() and not path.is_symlink() and b"\0" not in (content := path.read_bytes()):
            try:
                texts[path] = content.decode("utf8")
            except UnicodeDecodeError:
                continue
    return texts


def rewrite(root: Path, slug: str) -> dict[Path, int]:
    """Put `slug` in the place of the present address. Returns the number of places per file."""
    old = notebook.repository(root)
    texts = text_files(root)
    settings = root / "pyproject.toml"
    changed = {}
    # the setting goes last: an interrupted call can simply be repeated
    for path in sorted(texts, key=lambda path: path == settings):
        text, count = notebook.readdress(texts[path], old, slug)
        if count and old != slug:
            write(path, text)
            changed[path] = count
    return changed


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        prog="python tools/links.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("repository", help="owner/name on GitHub")
    slug = parser.parse_args(arguments).repository.strip()
    if reason := problem(slug):
        parser.error(f"{reason}; nothing was changed")
    try:
        changed = rewrite(root, slug)
    except (subprocess.CalledProcessError, FileNotFoundError):
        parser.error("this needs git and a checkout of the repository; nothing was changed")
    for path, count in changed.items():
        print(f"{path.relative_to(root)}: {count}")
    print(f"{sum(changed.values())} links in {len(changed)} files now name {slug}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
