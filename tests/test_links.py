"""Every link to this repository has the one address, and every relative link leads somewhere."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

import pytest

from tools import links, notebook
from tools.notebook import ROOT

# Repositories of others that the course cites or fetches data from. A link to any other one is
# taken for a copy of this repository under a wrong address.
CITED = {
    "keras-team/keras", "pytorch/vision", "rasbt/LLMs-from-scratch", "zalandoresearch/fashion-mnist",
    "karpathy/char-rnn", "chinese-poetry/chinese-poetry", "SophonPlus/ChineseNlpCorpus",
}  # fmt: skip

ADDRESS = re.compile(
    r"(?:colab\.research\.google\.com/github|mybinder\.org/v2/gh|nbviewer\.org/github"
    r"|(?:www\.|raw\.)?github(?:usercontent)?\.com)/([\w-]+/[\w.-]+)"
)
SITE = re.compile(r"\b([\w-]+)\.github\.io/([\w.-]+)")
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|(?:href|src)=[\"']([^\"']+)[\"']")
# code and mathematics may look like links: f[i](x)
NO_LINKS = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$", re.DOTALL | re.MULTILINE)


REGISTRY = (ROOT / "course_utils/bundled/registry.toml").read_text(encoding="utf8")
HOST = r"github(?:usercontent)?\.com/"
DATA_FROM = {name.removesuffix(".git") for name in re.findall(HOST + r"([\w-]+/[\w.-]+)", REGISTRY)}
DATA_FROM |= set(re.findall(HOST + r"repos/([\w-]+/[\w.-]+)", REGISTRY))


def other_addresses(text: str, slug: str) -> list[str]:
    """Repositories named by links in a text that are neither this one nor cited."""
    named = [found.removesuffix(".git").rstrip(".") for found in ADDRESS.findall(text)]
    named += ["/".join(site) for site in SITE.findall(text)]
    return [name for name in named if name != slug and name not in CITED | DATA_FROM]


def dead_links(markdown: str, folder: Path, root: Path) -> list[str]:
    """Relative links that lead to no file of the repository. folder: where the text lies."""
    dead = []
    for pair in LINK.findall(NO_LINKS.sub("", markdown)):
        target = unquote("".join(pair))
        if re.match(r"[a-z]+:|#", target):
            continue
        path = (folder / target.partition("#")[0]).resolve()
        if not path.exists() or not path.is_relative_to(root.resolve()):
            dead.append(target)
    return dead


def markdown_texts(texts: dict[Path, str]) -> Iterable[tuple[Path, str]]:
    """Markdown of the .md files and the notebooks' cells, with the file it is in."""
    for path, text in texts.items():
        if path.suffix == ".md":
            yield path, text
        elif path.suffix == ".ipynb" and (made := notebook.read_ipynb(path)):
            for cell in made.cells:
                if cell.cell_type == "markdown":
                    yield path, cell.source


@pytest.fixture(scope="module")
def texts() -> dict[Path, str]:
    """The repository's text files."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so the repository's own files can't be told from others")
    return links.text_files(ROOT)


def test_no_other_address(texts: dict[Path, str]) -> None:
    slug = notebook.repository()
    assert links.problem(slug) == ""
    found = {str(path.relative_to(ROOT)): other_addresses(text, slug) for path, text in texts.items()}
    wrong = {name: addresses for name, addresses in found.items() if addresses}
    assert wrong == {}, "run `make links REPO=owner/name`, or add another project's repository to CITED"


def test_relative_links_lead_somewhere(texts: dict[Path, str]) -> None:
    dead = [
        (str(path.relative_to(ROOT)), dead)
        for path, text in markdown_texts(texts)
        for dead in dead_links(text, path.parent, ROOT)
    ]
    assert dead == [], "a notebook that is not written yet is named in plain text"


def test_the_address_stands_where_readers_need_it() -> None:
    slug = notebook.repository()
    for name in ("README.md", "CITATION.cff"):
        assert slug in (ROOT / name).read_text(encoding="utf8"), f"{name} does not name the repository"


# --- the guards catch what they are there for -----------------------------------------------------

SLUG, WRONG = "some-body/a-course", "some-body/a-curse"


@pytest.mark.parametrize(
    "link",
    [
        "https://colab.research.google.com/github/{}/blob/main/notebooks/06.ipynb",
        "https://mybinder.org/v2/gh/{}/main?labpath=notebooks/06.ipynb",
        "pip install git+https://github.com/{}",
        "https://github.com/{}.git",
        "See https://github.com/{}.",
        "https://raw.githubusercontent.com/{}/main/README.md",
    ],
)
def test_a_wrong_address_is_found(link: str) -> None:
    assert other_addresses(link.format(SLUG), SLUG) == []
    assert other_addresses(link.format(WRONG), SLUG) == [WRONG]


def test_a_wrong_site_is_found() -> None:
    assert other_addresses("https://some-body.github.io/{}/".format("a-course"), SLUG) == []
    assert other_addresses("https://some-body.github.io/{}/".format("b-course"), SLUG) == [
        "some-body/b-course"
    ]


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("[06](06.ipynb) [up](../README.md#data) [x](https://a.org) [y](#here) ![f](06.ipynb)", []),
        ("[07](07_not_written.ipynb)", ["07_not_written.ipynb"]),
        ("![figure](figure.png 'title')", []),  # not a link in Markdown either
        ('[a](gone.md "title") <img src="gone.png">', ["gone.md", "gone.png"]),
        ("[outside](../../other.md)", ["../../other.md"]),
        ("`f[i](x)` and $f[i](x)$ and\n```\nf[i](x)\n```", []),
    ],
)
def test_a_dead_link_is_found(text: str, dead: list[str], tmp_path: Path) -> None:
    root = tmp_path / "course"
    (root / "notebooks").mkdir(parents=True)
    for path in (root / "notebooks" / "06.ipynb", root / "README.md", tmp_path / "other.md"):
        path.write_text("")
    assert dead_links(text, root / "notebooks", root) == dead


# --- tools/links.py ---------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "a-course"\n[project.urls]\nRepository = "https://github.com/{SLUG}"\n'
    )
    (tmp_path / "README.md").write_text(f"https://github.com/{SLUG}, {WRONG}, {SLUG}-2, a-course, {SLUG}.\n")
    (tmp_path / "site.md").write_text(f"https://{SLUG.replace('/', '.github.io/')}/intro\n")
    (tmp_path / "picture.png").write_bytes(b"\0" + SLUG.encode())
    (tmp_path / ".gitignore").write_text("cache/\n")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "page.md").write_text(SLUG)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def test_links_are_rewritten(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert links.main(["New-Owner/other.name_2"], checkout) == 0
    new = "New-Owner/other.name_2"
    assert notebook.repository(checkout) == new
    assert 'name = "a-course"' in (checkout / "pyproject.toml").read_text()
    readme = (checkout / "README.md").read_text()
    assert readme == f"https://github.com/{new}, {WRONG}, {SLUG}-2, a-course, {new}.\n"
    assert (checkout / "site.md").read_text() == f"https://{new.replace('/', '.github.io/')}/intro\n"
    assert SLUG.encode() in (checkout / "picture.png").read_bytes()
    assert SLUG in (checkout / "cache" / "page.md").read_text()
    said = capsys.readouterr().out
    assert "README.md: 2" in said and said.endswith(f"4 links in 3 files now name {new}\n")
    # and back, to the same bytes
    assert links.main([SLUG], checkout) == 0
    assert SLUG in (checkout / "README.md").read_text()


@pytest.mark.parametrize(
    "nonsense",
    ["", "owner", "owner/", "/name", "a/b/c", "https://some.org/a/b", "git@github.com:a/b", "a/b.git",
     "-a/b", "a--b/c", "a_b/c", "a" * 40 + "/b", "a/..", "a/b c", "a/b;c", "a/" + "b" * 101, "größe/b"],
)  # fmt: skip
def test_nonsense_is_refused(nonsense: str, checkout: Path) -> None:
    before = (checkout / "README.md").read_bytes()
    with pytest.raises(SystemExit):
        links.main(["--", nonsense], checkout)
    assert (checkout / "README.md").read_bytes() == before
    assert notebook.repository(checkout) == SLUG


def test_the_placeholder_can_be_restored(checkout: Path) -> None:
    assert links.main([links.PLACEHOLDER], checkout) == 0


def test_without_git_nothing_changes(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / ".git").rename(checkout / "git")
    with pytest.raises(SystemExit):
        links.main(["a/b"], checkout)
    assert "needs git" in capsys.readouterr().err
