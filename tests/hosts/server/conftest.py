"""A real Jupyter server with our extension, over a folder with a notebook that has a history."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
import requests

TOKEN = "a-token-of-the-tests"
PREFIX = "/base/jupyter-selfcode/"
PATH = "sub/it's 100 %.ipynb"
HOSTILE = "<img src=x onerror=alert(1)>"


@dataclass
class Client:
    """Someone who asks the server."""

    root: Path
    base: str

    def get(self, route: str, /, **query: Any) -> requests.Response:
        return requests.get(self.base + route, params=query, headers={"Authorization": f"token {TOKEN}"}, timeout=60)

    def post(self, name: str, body: Any) -> requests.Response:
        headers = {"Authorization": f"token {TOKEN}"}
        return requests.post(self.base + name, data=json.dumps(body), headers=headers, timeout=120)

    def command(self, line: str, path: str = PATH) -> Any:
        """The answer to a line of the grammar, which must be one."""
        found = self.post("command", {"path": path, "line": line})
        assert found.status_code == 200, found.text
        return found.json()


def write_notebook(file: Path, *sources: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    cells = [nbformat.v4.new_code_cell(s, id=f"c{i}") for i, s in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), file)


@pytest.fixture(scope="session")
def client(tmp_path_factory):
    home = tmp_path_factory.mktemp("server")
    root = home / "root"
    write_notebook(root / PATH, "x = 1", "y = x + 1", f"# {HOSTILE}\nz = y")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    environment = {**os.environ, "IPYTHONDIR": str(home / "ipython")}
    environment |= {f"JUPYTER_{n}_DIR": str(home / n) for n in ("CONFIG", "DATA", "RUNTIME")}
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}",
        "--allow-root", "--ServerApp.base_url=/base/", "--ServerApp.allow_unauthenticated_access=False",
        "--ServerApp.jpserver_extensions={'jupyter_selfcode': True}",
    ]  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=log, stderr=log, start_new_session=True)
    try:
        made = Client(root, f"http://127.0.0.1:{port}{PREFIX}")
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(requests.ConnectionError):
                made.get("grammar")
                break
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < end, (home / "log").read_text()
            time.sleep(0.1)
        made.command("check x == 1 --cell c0")
        made.command("check y == 2 --cell c1")
        made.command("rollback 2")
        yield made
        said = (home / "log").read_text()
        unguarded = said.partition("JupyterServerAuthWarning")[2].partition("[I ")[0]
        assert "selfcode" not in unguarded
        assert "Traceback" not in said, said
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
