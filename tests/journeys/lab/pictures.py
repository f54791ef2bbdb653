"""Takes the pictures of the README, and others of what the sidebar looks like, for people to look at. Run from the root:

    python -m tests.journeys.lab.pictures FOLDER [readme]

It needs Chromium and the packages of the extra `test`. The answers of the model are the recorded ones of the examples; what
is shown is otherwise real. `proposal.png` and `sidebar.png` go into .github.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, sync_playwright

from .conftest import FLAGS, Lab, Server, edit, recorded, serving

ROOT = Path(__file__).parents[3]
EXAMPLE = "described_analysis.ipynb"
DARK = "window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
LONG = "Rename everything " + "at-once-and-everywhere-without-a-single-space-in-it-" * 5 + " and say so. " * 20


def page_of(browser: Browser, server: Server, name: str, width: int = 1400, height: int = 900) -> Lab:
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(180_000)
    lab = Lab(page, server)
    page.goto(server.address(name, reset=""))
    lab.at_rest()
    return lab


def write(server: Server, name: str, *cells: str) -> None:
    made = [nbformat.v4.new_code_cell(s, id=f"c{i}") for i, s in enumerate(cells, 1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), server.root / name)


def example(browser: Browser, server: Server, folder: Path) -> None:
    """The described analysis, at its second cell: the pictures of the README."""
    shutil.copy(ROOT / "example_notebooks" / EXAMPLE, server.root / EXAMPLE)
    answers = server.root / "answers.jsonl"
    shutil.copy(ROOT / "example_notebooks/recorded/described_analysis.jsonl", answers)
    notebook = nbformat.read(server.root / EXAMPLE, 4)
    notebook.cells = notebook.cells[1:4]  # the extension, the data, the ranking
    nbformat.write(notebook, server.root / EXAMPLE)
    lab = page_of(browser, server, EXAMPLE, 1340, 900)
    lab.page.keyboard.press("Control+b")  # no file browser
    lab.run(1)
    lab.page.evaluate(
        "code => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code}).done",
        f"%config SelfCode.model = 'replay:{answers}'",
    )
    lab.reveal()
    lab.run(2)
    lab.button("Accept").click()
    lab.panel.locator(".jp-Selfcode-version").first.wait_for()
    lab.at_rest()
    lab.run(3)
    lab.panel.locator(".jp-Selfcode-card .jp-Selfcode-added").first.wait_for()
    lab.js("(w.content.activeCellIndex = 0, w.content.mode = 'command', 0)")
    lab.page.set_viewport_size({"width": 1340, "height": 1800})
    lab.page.wait_for_timeout(2000)
    lab.cell(3).screenshot(path=folder / "proposal.png")
    lab.page.set_viewport_size({"width": 1340, "height": 900})
    if lab.panel.get_by_role("button", name="Close").count():
        lab.panel.get_by_role("button", name="Close").click()
    lab.js("(w.content.widgets[2].model.sharedModel.setOutputs([]), w.content.scrollToItem(0), 0)")
    lab.js("(app.shell['_hsplitPanel'].setRelativeSizes([0, 0.62, 0.38]), 0)")  # as one who drags the border
    lab.page.wait_for_timeout(1000)
    lab.page.screenshot(path=folder / "sidebar.png")
    lab.page.evaluate(DARK)
    lab.page.wait_for_timeout(1500)
    lab.page.screenshot(path=folder / "dark.png")
    lab.page.set_viewport_size({"width": 760, "height": 900})
    lab.page.wait_for_timeout(500)
    lab.page.screenshot(path=folder / "narrow.png")
    lab.page.close()


def states(browser: Browser, server: Server, folder: Path, model: str) -> None:
    """Empty, working, long words, an error, and a long history."""
    loaded = f"%load_ext jupyter_selfcode\n%config SelfCode.model = {model!r}\n%config SelfCode.proposers = ['llm']"
    write(server, "states.ipynb", loaded, "import time\ntime.sleep(2)\nstock = [1, 2, 3]")
    lab = page_of(browser, server, "states.ipynb")
    lab.reveal()
    lab.page.screenshot(path=folder / "empty.png")
    lab.run(1)
    lab.run(2)
    lab.panel.get_by_label("What should change, in words").fill(LONG)
    lab.button("Adapt").click()
    lab.panel.locator(".jp-Selfcode-now").wait_for()
    lab.page.wait_for_timeout(1500)
    lab.page.screenshot(path=folder / "working.png")
    lab.panel.locator(".jp-Selfcode-card .jp-Selfcode-added").first.wait_for()
    lab.page.screenshot(path=folder / "long-words.png")
    lab.button("Reject…").click()
    lab.button("Reject").click()
    lab.panel.get_by_label("What should change, in words").fill("Nobody has recorded an answer to this.")
    lab.button("Adapt").click()
    lab.panel.get_by_role("alert").first.wait_for()
    lab.page.screenshot(path=folder / "error.png")
    lab.page.close()
    many(server)
    lab = page_of(browser, server, "many.ipynb")
    lab.reveal()
    lab.panel.locator(".jp-Selfcode-version").nth(20).wait_for()
    lab.panel.locator("summary").filter(has_text="Cost").click()
    lab.page.wait_for_timeout(1000)
    lab.page.screenshot(path=folder / "many.png")
    lab.page.close()


def many(server: Server, versions: int = 500) -> None:
    """A notebook with a long history."""
    from jupyter_selfcode.config import SelfCode
    from jupyter_selfcode.selfcode import open_store
    from tests.histories import extend

    write(server, "many.ipynb", "x = 0", "y = 0")
    store = open_store(SelfCode(), server.root)
    extend(store, versions, path="many.ipynb")
    store.close()


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, serving(Path(home) / "lab") as server, sync_playwright() as playwright:
        model = recorded(Path(home) / "answers.jsonl", {LONG.strip(): edit(c2="stock = [1, 2, 3]  # renamed")})
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS), headless=True)
        if "readme" not in sys.argv[2:]:
            states(browser, server, folder, model)
        example(browser, server, folder)
        browser.close()


if __name__ == "__main__":
    main()
