"""The README's command, in a real JupyterLab in a real Chromium: open a notebook, Run All, look.

It works on a copy of the repository, since JupyterLab saves what it runs. Environment variables:
COURSE_CHROMIUM          the browser, where it is not on PATH under a usual name
COURSE_REQUIRE_BROWSER=1 a missing browser fails instead of skipping
COURSE_BROWSER_ALL=1     every notebook instead of the first
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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
if os.environ.get("COURSE_BROWSER_ALL") != "1":
    NOTEBOOKS = NOTEBOOKS[:1]

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
    for name, values in SETTINGS.items():
        file = folder / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
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
            info = json.loads(file.read_text())
            return Lab(info["url"], info["token"], Path(info["root_dir"]), notebooks)
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


def run_all(browser: Any, lab: Lab, path: Path, least_figures: int) -> list[str]:
    """Open one of the copy's notebooks, run all its cells and look; returns what is wrong with it."""
    cells = nbformat.read(path, as_version=4).cells
    programs = [c for c in cells if c.cell_type == "code" and c.source.strip()]
    asked: set[str] = set()
    page = browser.new_page()
    for event in ("request", "websocket"):
        page.on(event, lambda request: asked.add(request.url))
    page.goto(f"{lab.url}lab/tree/{path.relative_to(lab.served).as_posix()}?reset&token={lab.token}")
    # the notebook's own indicator says idle before there is a kernel, the status bar does not
    idle = page.locator("#jp-main-statusbar").get_by_text(re.compile(r"(?<!No Kernel) \| Idle"))
    idle.wait_for(timeout=1000 * START_SECONDS)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    end = time.monotonic() + RUN_SECONDS
    ran = 0
    while time.monotonic() < end:
        page.wait_for_timeout(500)
        prompts = page.evaluate(LOOK)["prompts"]
        ran = sum(prompt.strip("[]:").isdigit() for prompt in prompts)
        if ran and "[*]:" not in prompts:  # all have run, or an error has called off the rest
            break
    idle.wait_for(timeout=1000 * RUN_SECONDS)
    page.wait_for_timeout(500)  # until the last output is drawn
    seen = page.evaluate(LOOK)
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
        "requests to other machines": sorted(url for url in asked if not is_local(url)),
    }
    return [f"{what}: {found}" for what, found in complaints.items() if found]


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
