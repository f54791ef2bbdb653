"""How quick the front end is, and how large: `python -m tests.benchmarks.bench_lab [--install]`.

A real JupyterLab in headless Chromium, drawn in software, over histories of 10, 500 and 5,000 versions. First paint is from
the command that opens the sidebar to the frame after its first versions are in the page, its requests to the server included;
an update is from the moment the page hears that the history has changed. Goal: 500 versions open in 300 ms. `--install` also
times `pip install .` from a clean clone with and without Node.js.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import nbformat
from playwright.sync_api import Page, sync_playwright

from jupyter_selfcode.plugins.stores.sql import SqlStore, beside
from tests.benchmarks.bench_store import build
from tests.histories import extend
from tests.journeys.lab.conftest import FLAGS, READY, Lab, Server, serving

ROOT = Path(__file__).parents[2]
SIZES = (10, 500, 5_000)
ROUNDS = 15
FIRST_PAINT = """async () => {
  const {commands, shell} = window.jupyterapp, start = performance.now();
  await commands.execute('jupyter-selfcode:open');
  while (!document.querySelector('.jp-Selfcode-version')) {
    if (performance.now() - start > 60000) throw new Error('no version is shown after a minute');
    await new Promise(done => requestAnimationFrame(done));
  }
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""
UPDATE = """async number => {
  const model = [...window.jupyterapp.shell.widgets('right')].find(w => w.id === 'jupyter-selfcode-sidebar').model;
  const start = performance.now();
  model.refresh();
  while (document.querySelector('.jp-Selfcode-version')?.dataset.number !== String(number)) {
    if (performance.now() - start > 60000) throw new Error('the new version is not shown after a minute');
    await new Promise(done => requestAnimationFrame(done));
  }
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""
SCROLL = """async wanted => {
  const pane = document.querySelector('#jupyter-selfcode-sidebar .jp-Selfcode');
  let scrolled = pane;
  while (scrolled && scrolled.scrollHeight <= scrolled.clientHeight + 1) scrolled = scrolled.parentElement;
  const gaps = [];
  let last = performance.now(), still = 0;
  while (still < 60) {
    scrolled.scrollTop += 60;
    await new Promise(done => requestAnimationFrame(done));
    const now = performance.now(), rows = document.querySelectorAll('.jp-Selfcode-version').length;
    gaps.push(now - last);
    last = now;
    const end = scrolled.scrollTop + scrolled.clientHeight >= scrolled.scrollHeight - 2;
    still = end ? still + 1 : 0; // older versions come when the end is reached
    if (rows >= wanted && end) {
      break;
    }
  }
  return [document.querySelectorAll('.jp-Selfcode-version').length, gaps];
}"""
IDLE = """async () => {
  const gaps = [];
  let last = performance.now();
  for (let i = 0; i < 120; i++) {
    await new Promise(done => requestAnimationFrame(done));
    gaps.push(performance.now() - last);
    last = performance.now();
  }
  return gaps;
}"""
ROUND_TRIPS = """
import time
from jupyter_selfcode.hosts.ipython import extension
from jupyter_selfcode.values.messages import SourceEdit
channel = extension._loaded[get_ipython()].session.channel
sent, took = {}, []
hear = channel._heard
def heard(message):
    data = message['content']['data']
    if data.get('type') == 'applied' and data['ok']:
        took.append(time.perf_counter() - sent.pop(data['id']))
    hear(message)
channel._comm.on_msg(heard)
class Made:
    id, kind = '0', 'edit'
def send(i):
    edit = channel.edit(channel.client(), Made, (SourceEdit('target', f'x = {i}', f'x = {i + 1}'),))
    sent[edit.id] = time.perf_counter()
"""


def notebook(file: Path, *sources: str) -> None:
    """A notebook file of code cells, the first of them with the id `target`."""
    ids = ["target", *(f"c{i}" for i in range(1, len(sources)))]
    cells = [nbformat.v4.new_code_cell(s, id=i) for s, i in zip(sources, ids, strict=True)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), file)


@contextmanager
def page_of(server: Server) -> Iterator[Page]:
    """A page of a browser of its own."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS), headless=True)
        yield browser.new_page(viewport={"width": 1400, "height": 900})
        browser.close()


def opened(page: Page, server: Server, name: str) -> Lab:
    """A notebook in the page, its kernel at rest."""
    page.goto(server.address(name, reset=""))
    page.wait_for_function(READY, timeout=120_000)
    return Lab(page, server)


def told(times: list[float]) -> str:
    """Median and spread of times in milliseconds."""
    return f"{median(times):.0f} ms (from {min(times):.0f} to {max(times):.0f}, {len(times)} times)"


def comm(page: Page, server: Server) -> None:
    """From the kernel's edit of the open notebook to the kernel's hearing that it was made."""
    notebook(server.root / "edits.ipynb", "x = 0", "%load_ext jupyter_selfcode", ROUND_TRIPS, "send(0)", "print(took)")
    lab = opened(page, server, "edits.ipynb")
    for place in (2, 3):
        lab.run(place)
    for i in range(ROUNDS):
        lab.js("(m.cells[3].setSource(arg), 0)", f"send({i})")
        lab.run(4)
        lab.until("m.cells[0].getSource() === arg", f"x = {i + 1}")
    lab.run(5)
    print("edit by comm, there and back:", told([1e3 * float(t) for t in lab.output(5).inner_text().strip(" []\n").split(",")]))


def sidebar(page: Page, server: Server, count: int) -> None:
    """First paint, update and scrolling with so many versions."""
    name = f"{count}.ipynb"
    notebook(server.root / name, "x = 0")
    opened(page, server, name)
    painted = []
    for i in range(3):
        if i:
            opened(page, server, name)
        painted.append(page.evaluate(FIRST_PAINT))
    print(f"{count:>5,} versions: first paint {told(painted)}")
    store = SqlStore(beside(server.root))
    parents: tuple[str, ...] = (store.lineage(name, 1)[0].version.id,)
    updated = []
    for i in range(3):
        (version,) = extend(store, 1, path=name, salt=f"{count} {i}", parents=parents)
        parents = (version.id,)
        updated.append(page.evaluate(UPDATE, count + i + 1))
    store.close()
    print(f"{count:>5,} versions: update {told(updated)}")
    if count >= 500:
        idle = sorted(page.evaluate(IDLE))
        rows, gaps = page.evaluate(SCROLL, min(count, 500))
        gaps.sort()
        late = sum(g > 50 for g in gaps) / len(gaps)
        print(
            f"{count:>5,} versions: scrolled through {rows} rows, a frame takes {median(gaps):.1f} ms (median; at rest "
            f"{median(idle):.1f}), 95 % under {gaps[int(0.95 * len(gaps))]:.0f} ms, longest {gaps[-1]:.0f} ms, {late:.1%} over 50 ms"
        )


def sizes() -> None:
    """The bundles as they are installed."""
    for folder in ("labextension/static", "static"):
        for file in sorted((ROOT / "jupyter_selfcode" / folder).glob("*.*s*")):
            if file.suffix in (".js", ".css"):
                print(f"{folder}/{file.name}: {file.stat().st_size / 1000:.1f} kB")


def install() -> None:
    """`pip install .` from a clean clone, with the Node.js of this machine and with none."""
    for said, keep in (("with Node.js", True), ("without Node.js", False)):
        with tempfile.TemporaryDirectory() as home:
            subprocess.run(["git", "clone", "-q", ROOT, f"{home}/clone"], check=True)
            venv.create(f"{home}/env", with_pip=True)
            environment = {**os.environ} if keep else {**os.environ, "PATH": home}
            start = time.perf_counter()
            subprocess.run([f"{home}/env/bin/pip", "install", "-q", "."], cwd=f"{home}/clone", env=environment, check=True)
            spent = time.perf_counter() - start
            built = Path(home, "env/share/jupyter/labextensions/jupyter-selfcode/static/style.js").exists()
            print(f"pip install . {said}: {spent:.0f} s, front end {'there' if built else 'MISSING'}")


def main(*words: str) -> None:
    """Print one line for each figure."""
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    sizes()
    with tempfile.TemporaryDirectory() as home, serving(Path(home) / "lab") as server:
        store = SqlStore(beside(server.root))
        for count in SIZES:
            build(store, count, f"{count}.ipynb")
        store.close()
        with page_of(server) as page:
            comm(page, server)
            for count in SIZES:
                sidebar(page, server, count)
    if "--install" in words:
        install()


if __name__ == "__main__":
    main(*sys.argv[1:])
