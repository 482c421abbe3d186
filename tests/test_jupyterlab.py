"""The README's command, in a real JupyterLab in a real Chromium: open a notebook, Run All, look.

Opened are the first notebook of each part, and a made-up one that uses every role of a cell.

It works on a copy of the repository, since JupyterLab saves what it runs. Environment variables:
COURSE_CHROMIUM          the browser, where it is not on PATH under a usual name
COURSE_REQUIRE_BROWSER=1 a missing browser fails instead of skipping
COURSE_BROWSER_ALL=1     every notebook instead of one of each part
COURSE_SCREENSHOTS       a folder for pictures of each notebook, from top to bottom
"""

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
import toy_course
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import build
from tools.source import ROOT, read_plan

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
if os.environ.get("COURSE_BROWSER_ALL") != "1":  # the first of each part
    parts = [[path for path in NOTEBOOKS if path.stem in names] for names in read_plan().parts.values()]
    NOTEBOOKS = [part[0] for part in parts if part]

START_SECONDS, RUN_SECONDS = 120, 400
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    # no other machine can be reached: a page that needs one shows it here
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]  # fmt: skip
SETTINGS = {
    # keep every cell in the page, for LOOK; by default JupyterLab drops those out of sight
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

# What the notebook on the page holds. Raw mathematics is text with a $$ or a command such as \frac,
# outside code and outside what MathJax made.
LOOK = r"""() => {
  const all = selector => [...document.querySelectorAll('.jp-Notebook ' + selector)];
  const raw = [];
  for (const block of all('.jp-RenderedMarkdown')) {
    const texts = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const {data, parentElement} = texts.currentNode;
      const exempt = parentElement.closest('code, pre, mjx-container');
      if (!exempt && /\$\$|\\[a-zA-Z]{2}/.test(data)) raw.push(data);
    }
  }
  return {
    // tracebacks and warnings alike
    errors: all('[data-mime-type="application/vnd.jupyter.stderr"]').map(node => node.innerText),
    prompts: all('.jp-CodeCell .jp-InputPrompt').map(node => node.innerText.trim()),
    math: all('mjx-container').length,
    // MathJax shows what it can't parse as an error, and a command that it doesn't know as red text
    badMath: all('mjx-assistive-mml mtext')
      .filter(node => node.closest('merror') || /^\\/.test(node.textContent)).map(node => node.textContent),
    rawMath: raw,
    images: all('.jp-OutputArea img').map(image => image.naturalWidth * image.naturalHeight),
  };
}"""


@dataclass
class Lab:
    """A running JupyterLab on a copy of the repository."""

    url: str  # with a final slash
    token: str
    served: Path  # the folder that its file browser shows
    notebooks: Path  # the copy's
    settings: Path  # of the user


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The README's command, started in a copy whose notebooks have no outputs yet."""
    folder = tmp_path_factory.mktemp("lab")
    copy = folder / "course"
    left_out = shutil.ignore_patterns(
        ".git", ".venv", "cache", "__pycache__", ".*_cache", ".ipynb_checkpoints"
    )
    shutil.copytree(ROOT, copy, ignore=left_out)
    for path in (copy / "notebooks").glob("*.ipynb"):
        clear_outputs(path)
    choose(folder / "settings", SETTINGS)
    environment = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            lab_command(copy), cwd=copy, env=environment, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield wait_for_server(server, folder / "runtime", log, copy / "notebooks")
    finally:
        if os.name == "posix":
            # the whole group, since make stands between us and JupyterLab; that ends its own kernels
            os.killpg(server.pid, signal.SIGTERM)
        else:
            server.terminate()
        server.wait(30)


def choose(folder: Path, settings: dict[str, dict]) -> None:
    """Write a user's settings."""
    for name, values in settings.items():
        file = folder / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))


def lab_command(folder: Path) -> list[str]:
    """`make lab` where make calls this environment set up (it must not install here), else its last line."""
    arguments = "--no-browser --ServerApp.allow_root=True"  # continuous integration often runs as root
    make, stamp = shutil.which("make"), Path(sys.prefix) / ".ready"
    variables = [f"VENV={sys.prefix}", f"COURSE_LAB_ARGS={arguments}"]
    if (
        make
        and stamp.exists()
        and subprocess.run([make, "-q", *variables, stamp], cwd=folder).returncode == 0
    ):
        return [make, "lab", *variables]
    return [sys.executable, "-m", "jupyterlab", *arguments.split(), "notebooks/00_start_here.ipynb"]


def wait_for_server(server: subprocess.Popen, runtime: Path, log: Path, notebooks: Path) -> Lab:
    """JupyterLab writes its address into the runtime folder when it listens."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                info = json.loads(file.read_text())
            except json.JSONDecodeError:  # the server is still writing it
                continue
            settings = runtime.parent / "settings"
            return Lab(info["url"], info["token"], Path(info["root_dir"]), notebooks, settings)
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium with a new profile (a Playwright browser context)."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("COURSE_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        tell = pytest.fail if os.environ.get("COURSE_REQUIRE_BROWSER") == "1" else pytest.skip
        tell(f"none of {', '.join(BROWSERS)} is on PATH, and COURSE_CHROMIUM is not set")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"), executable_path=found, args=FLAGS,
            viewport={"width": 1280, "height": 1400},
        )  # fmt: skip


def opened(browser: Any, lab: Lab, path: Path, asked: set[str] | None = None) -> Any:
    """The page of one of the copy's notebooks, its kernel ready. asked: gets the addresses it asks for."""
    page = browser.new_page()
    for event in ("request", "websocket"):
        page.on(event, lambda request: asked.add(request.url) if asked is not None else None)
    page.goto(f"{lab.url}lab/tree/{path.relative_to(lab.served).as_posix()}?reset&token={lab.token}")
    idle(page).wait_for(timeout=1000 * START_SECONDS)
    return page


def idle(page: Any) -> Any:
    # the notebook's own indicator says idle before there is a kernel, the status bar does not
    return page.locator("#jp-main-statusbar").get_by_text(re.compile(r"(?<!No Kernel) \| Idle"))


def run_all(browser: Any, lab: Lab, path: Path, least_figures: int, wanted: Sequence[str] = ()) -> list[str]:
    """Open one of the copy's notebooks, run all its cells and look; returns what is wrong with it.
    wanted: texts that its outputs must hold."""
    cells = nbformat.read(path, as_version=4).cells
    programs = [c for c in cells if c.cell_type == "code" and c.source.strip()]
    asked: set[str] = set()
    page = opened(browser, lab, path, asked)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    end = time.monotonic() + RUN_SECONDS
    ran, still = 0, 0
    while time.monotonic() < end and ran < len(programs) and still < 3:
        page.wait_for_timeout(700)
        running = "[*]:" in page.evaluate(LOOK)["prompts"] or not idle(page).is_visible()
        # a folded cell shows no count: the saved file has them all
        page.keyboard.press("Control+s")
        page.wait_for_timeout(300)
        before, ran = ran, executed(path)
        still = still + 1 if ran == before and not running else 0  # an error has called off the rest
    idle(page).wait_for(timeout=1000 * RUN_SECONDS)
    page.wait_for_timeout(500)  # until the last output is drawn
    seen = page.evaluate(LOOK)
    texts = "\n".join(page.locator(".jp-OutputArea-output").all_inner_texts())
    if folder := os.environ.get("COURSE_SCREENSHOTS"):
        take_screenshots(page, Path(folder), path.stem)
    page.close()
    sessions = f"{lab.url}api/sessions"
    for session in browser.request.get(sessions, params={"token": lab.token}).json():
        # a kernel holds its memory until it is shut down
        browser.request.delete(f"{sessions}/{session['id']}", params={"token": lab.token})

    figures = sum(pixels > 0 for pixels in seen["images"])
    needs_math = any(c.cell_type == "markdown" and "$" in c.source for c in cells)
    complaints = {
        "red output": seen["errors"],
        "cells that did not run": [len(programs) - ran] if ran < len(programs) else [],
        "raw mathematics": seen["rawMath"],
        "mathematics that MathJax refuses": seen["badMath"],
        "no mathematics": [""] if needs_math and not seen["math"] else [],
        "too few figures": [f"{figures} of {least_figures}"] if figures < least_figures else [],
        "broken pictures": [pixels for pixels in seen["images"] if not pixels],
        "texts that are missing": [text for text in wanted if text not in texts],
        "requests to other machines": sorted(url for url in asked if not is_local(url)),
    }
    return [f"{what}: {found}" for what, found in complaints.items() if found]


def executed(path: Path) -> int:
    """Code cells of a saved notebook that have run."""
    try:
        cells = nbformat.read(path, as_version=4).cells
    except (ValueError, nbformat.reader.NotJSONError):  # being written
        return 0
    return sum(bool(cell.get("execution_count")) for cell in cells)


def is_local(url: str) -> bool:
    address = urlsplit(url)
    return address.scheme in ("data", "blob") or address.hostname in ("127.0.0.1", "localhost")


def take_screenshots(page: Any, folder: Path, stem: str) -> None:
    """One picture per screenful, from top to bottom."""
    folder.mkdir(parents=True, exist_ok=True)
    panel = page.locator(".jp-NotebookPanel-notebook .jp-WindowedPanel-outer")
    height, screen = panel.evaluate("panel => [panel.scrollHeight, panel.clientHeight]")
    for number in range(math.ceil(height / screen)):
        panel.evaluate("(panel, top) => { panel.scrollTop = top }", number * screen)
        page.wait_for_timeout(100)
        page.screenshot(path=folder / f"{stem}-{number:02}.png")


def clear_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, path)


def saved_figures(path: Path) -> int:
    """Pictures among the outputs that are committed."""
    cells = nbformat.read(path, as_version=4).cells
    return sum("image/png" in o.get("data", {}) for cell in cells for o in cell.get("outputs", []))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_run_all(path, browser, lab):
    complaints = run_all(browser, lab, lab.notebooks / path.name, max(1, saved_figures(path)))
    assert not complaints, "\n".join(complaints)


def test_a_broken_notebook_is_seen(browser, lab):
    """A cell that fails, one that never runs, broken formulas, a picture from elsewhere, no figure."""
    formulas = r"$\frac{1}$ lacks something, $\unheardof$ is unknown and $$\frac{1}{2} never ends."
    notebook = new_notebook(
        cells=[
            new_markdown_cell(f"# Broken\n\n{formulas}\n\n![picture](https://course.invalid/picture.png)"),
            new_code_cell("1 / 0"),
            new_code_cell("print('not reached')"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}},
    )
    nbformat.write(notebook, lab.notebooks / "broken.ipynb")
    complaints = run_all(browser, lab, lab.notebooks / "broken.ipynb", least_figures=1)
    for wanted in (
        "red output: ", "ZeroDivisionError", "cells that did not run: [1]", "raw mathematics: ", "never ends",
        r"mathematics that MathJax refuses: ['\\frac{1}', '\\unheardof']", "too few figures: ['0 of 1']",
        "requests to other machines: ['https://course.invalid/picture.png']",
    ):  # fmt: skip
        assert any(wanted in complaint for complaint in complaints), (wanted, complaints)


# --- roles of cells -----------------------------------------------------------------------------

# What a reader sees of a cell, by its first line: is the code open, is there a picture?
FOLDED = """() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')].map(cell => ({
  text: cell.querySelector('.jp-Cell-inputWrapper').innerText,
  open: [...cell.querySelectorAll('.jp-InputArea-editor')].some(editor => editor.offsetHeight > 0),
  picture: [...cell.querySelectorAll('.jp-OutputArea img')].some(image => image.offsetHeight > 0),
  shown: cell.offsetHeight > 0,
}))"""
ANSWER = "def double(x):\n    return x + x"


@pytest.fixture(scope="module")
def roles(lab, tmp_path_factory):
    """The made-up notebook, built, in the folder that JupyterLab serves."""
    root = toy_course.make(tmp_path_factory.mktemp("toy") / "course")
    assert build.main(["4"], root) == 0
    return Path(shutil.copy(root / "notebooks" / "04_alpha.ipynb", lab.notebooks / "04_alpha.ipynb"))


def look(page: Any, name: str) -> dict[str, dict]:
    """FOLDED, by what the code says; a picture of the page where pictures are wanted."""
    if folder := os.environ.get("COURSE_SCREENSHOTS"):
        take_screenshots(page, Path(folder), name)
    return {cell["text"]: cell for cell in page.evaluate(FOLDED)}


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_cells_are_folded_by_their_role(theme, browser, lab, roles):
    choose(lab.settings, {"@jupyterlab/apputils-extension/themes": {"theme": theme}})
    page = opened(browser, lab, roles)
    page.locator(f'body[data-jp-theme-name="{theme}"]').wait_for(state="attached")
    cells = look(page, f"roles-{theme[-5:].strip().lower()}")
    figure = next(cell for text, cell in cells.items() if "Figure: A line goes up" in text)
    assert figure["picture"] and not figure["open"]
    solution = next(cell for text, cell in cells.items() if "Solution 4.2" in text)
    assert solution["shown"] and not solution["open"]
    assert next(cell for text, cell in cells.items() if "raise NotImplementedError" in text)["open"]
    assert not any("twice is a sum" in text and cell["shown"] for text, cell in cells.items())
    assert page.get_by_text(re.compile(r"\d+ cells? hidden")).count() == 1
    page.close()


def test_run_all_runs_what_is_folded(browser, lab, roles):
    clear_outputs(roles)
    assert run_all(browser, lab, roles, least_figures=2) == []


def test_an_answer_is_what_the_notebook_goes_on_with(browser, lab, roles):
    """The reader types an answer over the stub and runs all: the check passes, the solution stays out."""
    notebook = nbformat.read(roles, as_version=4)
    stub = next(cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", []))
    notebook.cells.append(new_code_cell("print('goes on with', double('ab'))"))
    stub.source = ANSWER
    answered = roles.with_name("04_answered.ipynb")
    nbformat.write(notebook, answered)
    wanted = ["✓ Exercise 4.2 · the double: correct", "goes on with abab"]
    assert run_all(browser, lab, answered, 2, wanted) == []


# --- live pictures ------------------------------------------------------------------------------

LIVE = """
import matplotlib.pyplot as plt
from course_utils import plotting

def draw(waves):
    plt.subplots()[1].set(title=f"{waves} waves")

plotting.use_style()
plotting.explore(draw, waves=(1, 5, 2))
"""


def test_a_slider_redraws_its_picture(browser, lab):
    path = lab.notebooks / "live.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(new_notebook(cells=[new_code_cell(LIVE)], metadata={"kernelspec": kernel}), path)
    page = opened(browser, lab, path)
    page.locator(".jp-CodeCell .cm-content").click()
    page.keyboard.press("Shift+Enter")
    before = page.locator(".jp-OutputArea img").get_attribute("src", timeout=30_000)
    page.locator(".widget-slider [role=slider]").press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector('.jp-OutputArea img').src !== before", arg=before, timeout=30_000
    )
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1000)
    page.close()
    pictures = [o for o in nbformat.read(path, as_version=4).cells[0].outputs if "image/png" in o.data]
    assert [picture.metadata.title for picture in pictures] == ["3 waves"]
