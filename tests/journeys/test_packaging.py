"""One wheel carries all: built from the sources on a machine without Node.js, and found by JupyterLab where it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
FRONT_END = "data/share/jupyter/labextensions/jupyter-selfcode"
ENABLED = "data/etc/jupyter/jupyter_server_config.d/jupyter_selfcode.json"


def test_the_front_end_has_the_version_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert json.loads((ROOT / "labextension/package.json").read_text(encoding="utf-8"))["version"] == project["version"]


def test_the_lock_of_the_front_end_names_no_address():
    assert "://" not in (ROOT / "labextension/yarn.lock").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_wheel_holds_the_front_end_and_what_enables_the_server_extension(wheel):
    names = ZipFile(wheel).namelist()
    for end in (f"{FRONT_END}/package.json", f"{FRONT_END}/install.json", f"{FRONT_END}/static/style.js", ENABLED):
        assert [n for n in names if n.endswith(end)], end
    assert [n for n in names if f"{FRONT_END}/static/remoteEntry." in n]
    sizes = {i.filename: i.file_size for i in ZipFile(wheel).infolist()}
    assert 0 < sizes["jupyter_selfcode/static/widget.js"] < 40_000
    assert sizes["jupyter_selfcode/static/widget.css"]
    assert not [n for n in names if n.startswith("jupyter_selfcode/labextension/") or n.endswith(".map")]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_where_it_is_installed_lab_lists_both_extensions(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = tmp_path / "bare/bin/python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel]
    subprocess.run(install, check=True)
    environment = {
        **os.environ,
        "JUPYTER_PATH": str(tmp_path / "bare/share/jupyter"),
        "JUPYTER_CONFIG_PATH": str(tmp_path / "bare/etc/jupyter"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
    }
    listed = [
        subprocess.run([sys.executable, "-m", *words], env=environment, capture_output=True, text=True, check=True)
        for words in (("jupyterlab.labextensions", "list"), ("jupyter_server.extension.serverextension", "list"))
    ]
    front_end, server = (done.stdout + done.stderr for done in listed)
    assert "jupyter-selfcode v0.1.0" in front_end, front_end
    assert "jupyter_selfcode" in server, server
