"""Whole trips through the command line, with real kernels."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_selfcode.hosts.cli.main import main

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "example_notebooks"
OUTPUTS = ("node_modules", "lib", ".venv", ".git", ".yarn", "__pycache__", ".selfcode", "*.tsbuildinfo")


@dataclass(frozen=True)
class Answer:
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def cli(tmp_path, monkeypatch, capfd):
    """Types a command line in the test's folder, in this process; nobody is at the keyboard."""
    monkeypatch.chdir(tmp_path)

    def type_line(*words: object) -> Answer:
        capfd.readouterr()
        code = main([str(w) for w in words])
        out, err = capfd.readouterr()
        return Answer(code, out, err)

    return type_line


@pytest.fixture
def shell(tmp_path):
    """Starts a command line as a process of its own."""

    def start(*words: object, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "jupyter_selfcode", *map(str, words)],
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )

    return start


@pytest.fixture
def notebook(tmp_path):
    """Writes a notebook of code cells c0, c1 … into the test's folder."""

    def write(*cells: str, name: str = "nb.ipynb", tags: dict[int, list[str]] | None = None, **metadata: Any) -> Path:
        made = [nbformat.v4.new_code_cell(s, id=f"c{i}") for i, s in enumerate(cells)]
        for i, given in (tags or {}).items():
            made[i].metadata["tags"] = given
        path = tmp_path / name
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=metadata), path)
        return path

    return write


@pytest.fixture
def example(tmp_path):
    """Copies an example notebook with the data that ships with it into the test's folder."""

    def copy(name: str) -> Path:
        shutil.copytree(EXAMPLES / "data", tmp_path / "data")
        return Path(shutil.copy(EXAMPLES / name, tmp_path / name))

    return copy


def sources(path: Path) -> dict[str, str]:
    """Sources of a notebook's cells by id."""
    return {c.id: c.source for c in nbformat.read(path, 4).cells}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel of this package, built from its sources on a machine without Node.js; or the one that `SELFCODE_WHEEL` names."""
    if built := os.environ.get("SELFCODE_WHEEL"):
        return Path(built)
    home = tmp_path_factory.mktemp("wheel")
    sources = home / "sources"
    shutil.copytree(ROOT, sources, ignore=shutil.ignore_patterns(*OUTPUTS))
    for folder in ("labextension", "static"):
        shutil.rmtree(sources / "jupyter_selfcode" / folder, ignore_errors=True)
    environment = {**os.environ, "PATH": str(home)}  # pip adds the build's own tools, and nothing else is there
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", home, "."]
    done = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (made,) = home.glob("*.whl")
    return made
