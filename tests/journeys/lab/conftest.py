"""A person in a real JupyterLab, in a real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

TOKEN = "a-token-of-the-tests"
SECONDS = 60
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
READY = """() => {
  const w = window.jupyterapp?.shell.currentWidget, s = w?.context?.sessionContext;
  return !!(w?.context?.isReady && s?.isReady && s.session?.kernel?.connectionStatus === 'connected'
    && s.session.kernel.status === 'idle');
}"""
expect.set_options(timeout=SECONDS * 1000)
NOISE = ("reading 'schema'", "filebrowser:open-path", "reading 'last_modified'")
"""What Notebook 7 throws by itself."""


@dataclass(frozen=True)
class Server:
    """A Jupyter server in a folder."""

    root: Path
    port: int
    home: Path

    def address(self, name: str, app: str = "lab/tree", **query: str) -> str:
        more = "".join(f"&{k}={v}" for k, v in query.items())
        return f"http://127.0.0.1:{self.port}/{app}/{name}?token={TOKEN}{more}"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextlib.contextmanager
def serving(
    home: Path, *options: str, module: str = "jupyterlab", python: str | Path = sys.executable, enabled: bool = True,
    port: int = 0,
) -> Iterator[Server]:  # fmt: skip
    """A server of its own: no settings, kernels or workspaces of anybody else's. `python` is that of its environment,
    `enabled` whether it has our extension."""
    root = home / "root"
    root.mkdir(parents=True, exist_ok=True)
    folders = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    environment = {**os.environ, "IPYTHONDIR": str(home / "ipython"), "PYTHONWARNINGS": "ignore"}
    environment |= {f"JUPYTER_{name}": str(home / name.lower()) for name in folders}
    environment |= {f"JUPYTERLAB_{n}_DIR": str(home / n.lower()) for n in ("SETTINGS", "WORKSPACES")}
    news = home / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    news.parent.mkdir(parents=True, exist_ok=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}), encoding="utf-8")
    port = port or free_port()
    command = [
        python, "-m", module, "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}", "--allow-root",
        f"--ServerApp.jpserver_extensions={{'jupyter_selfcode': {enabled}}}",
        "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True", *options,
    ]  # fmt: skip
    log = (home / "server.log").open("wb")
    process = subprocess.Popen(command, env=environment, cwd=home, stdout=log, stderr=log, start_new_session=True)
    try:
        end = time.monotonic() + SECONDS
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token={TOKEN}", timeout=5).close()
                break
            assert process.poll() is None, (home / "server.log").read_text("utf-8")[-3000:]
            assert time.monotonic() < end, (home / "server.log").read_text("utf-8")[-3000:]
            time.sleep(0.1)
        yield Server(root, port, home)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def installed(wheel: Path, home: Path, *packages: str) -> Path:
    """The Python of a new environment that has the wheel and these packages."""
    environment = {**os.environ, "UV_LINK_MODE": "hardlink", "VIRTUAL_ENV": ""}
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "-p", sys.executable, home], env=environment, check=True)
    python = home / "bin/python"
    subprocess.run([*uv, "pip", "install", "-q", "-p", python, *packages, wheel], env=environment, check=True)
    return python


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("lab")) as made:
        yield made


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    assert chromium, "The tests in a browser need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS), headless=True)
        yield made
        made.close()


@dataclass
class Lab:
    """One page with one notebook, and what a person does there."""

    page: Page
    server: Server
    errors: list[str] = field(default_factory=list)

    # ---- where -----------------------------------------------------------------------------------------------------

    @property
    def panel(self) -> Locator:
        """The sidebar."""
        return self.page.locator("#jupyter-selfcode-sidebar .jp-Selfcode")

    def cell(self, place: int) -> Locator:
        """A cell by its place, from 1."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell").nth(place - 1)

    def button(self, name: str) -> Locator:
        """A button of the sidebar by its words."""
        return self.panel.get_by_role("button", name=name, exact=True)

    # ---- what is ---------------------------------------------------------------------------------------------------

    def js(self, expression: str, argument: Any = None) -> Any:
        """A value in the page; `w` is the notebook in front, `m` its shared model, `app` the application."""
        body = f"arg => {{ const app = window.jupyterapp, w = app.shell.currentWidget, m = w.context?.model?.sharedModel; return ({expression}); }}"
        return self.page.evaluate(body, argument)

    def source(self, place: int) -> str:
        return self.js("m.cells[arg].getSource()", place - 1)

    def pointer(self, place: int) -> Any:
        """Our metadata of a cell."""
        return self.js("m.cells[arg].getMetadata('jupyter_selfcode')", place - 1)

    def output(self, place: int) -> Locator:
        return self.cell(place).locator(".jp-OutputArea")

    def until(self, expression: str, argument: Any = None) -> None:
        """Wait until an expression (as in `js`) is true."""
        body = f"arg => {{ const app = window.jupyterapp, w = app.shell.currentWidget, m = w?.context?.model?.sharedModel; return !!({expression}); }}"
        self.page.wait_for_function(body, arg=argument)

    def at_rest(self) -> None:
        """Wait until the kernel is connected and idle."""
        self.page.wait_for_function(READY)

    # ---- what a person does ----------------------------------------------------------------------------------------

    def reveal(self) -> None:
        """Open the sidebar."""
        if not self.panel.is_visible():
            self.page.evaluate("window.jupyterapp.commands.execute('jupyter-selfcode:open')")
        self.panel.wait_for()

    def run(self, place: int) -> None:
        """Run a cell as Ctrl+Enter does; its end is waited for."""
        self.at_rest()
        before = self.js("w.content.widgets[arg].model.executionCount", place - 1)
        self.js("(w.content.activeCellIndex = arg, w.content.mode = 'command', app.commands.execute('notebook:run-cell'), 0)", place - 1)
        self.until("![null, arg[1]].includes(w.content.widgets[arg[0]].model.executionCount)", [place - 1, before])
        self.at_rest()

    def write(self, place: int, text: str) -> None:
        """Put the cursor into a cell, clear it and type."""
        self.cell(place).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(text)

    def save(self) -> None:
        self.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")

    def picture(self, name: str) -> None:
        """A screenshot, where a folder for them is named (for people to look at)."""
        if folder := os.environ.get("SELFCODE_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture
def opened(server: Server, browser: Browser) -> Iterator[Any]:
    """Opens a notebook of code cells in a page of its own."""
    contexts: list[BrowserContext] = []
    labs: list[Lab] = []

    def open_it(
        name: str, *cells: str, model: str = "", at: Server = server, app: str = "lab/tree", same: Lab | None = None,
        loaded: bool = True, width: int = 1400, height: int = 900, **more: Any,
    ) -> Lab:  # fmt: skip
        file = at.root / name
        if cells:
            file.parent.mkdir(parents=True, exist_ok=True)
            made = [nbformat.v4.new_code_cell(s, id=f"c{i}") for i, s in enumerate(cells, 1)]
            if loaded:
                config = f"\n%config SelfCode.model = {model!r}\n%config SelfCode.proposers = ['llm']" if model else ""
                made.insert(0, nbformat.v4.new_code_cell(f"%load_ext jupyter_selfcode{config}", id="load"))
            kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
            nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), file)
        if same is None:
            contexts.append(browser.new_context(viewport={"width": width, "height": height}, **more))
        page = contexts[-1].new_page()
        page.set_default_timeout(SECONDS * 1000)
        lab = Lab(page, at)
        page.on("pageerror", lambda error: lab.errors.append(str(error)))
        page.goto(at.address(name, app, **({"reset": ""} if same is None else {})))
        lab.at_rest()
        labs.append(lab)
        return lab

    yield open_it
    for context in contexts:
        context.close()
    thrown = [e for lab in labs for e in lab.errors if not any(n in e for n in NOISE)]
    assert not thrown


def recorded(path: Path, answers: dict[str, str]) -> str:
    """Write completions for `replay:`, by the words that ask for them."""
    lines = [
        json.dumps({"request": words, "attempt": 1, "answer": answer, "kind": "scripted"})
        for words, answer in answers.items()
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"replay:{path}"


def edit(**cells: str) -> str:
    """A model's answer that replaces cells."""
    parts = (f'<cell id="{name}" action="replace">\n{code}\n</cell>' for name, code in cells.items())
    return "This does it.\n" + "\n".join(parts) + "\n"
