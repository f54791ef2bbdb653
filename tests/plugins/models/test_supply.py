"""Only a litellm that may be called is called, and what runs at every start of Python is told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from jupyter_selfcode.plugins.models import litellm, supply
from jupyter_selfcode.plugins.models.litellm import LitellmModel
from jupyter_selfcode.values.errors import ModelError
from jupyter_selfcode.values.prompt import Message, Prompt

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8", "1.82.8.post1", "1.82.7+local"])
def test_a_compromised_release_is_refused_and_what_to_do_is_said(version: str):
    why = supply.refusal(version)
    assert version in why
    assert "renew every key" in why
    assert "\n" not in why


@pytest.mark.parametrize("version", ["1.34.0", "1.82.6", "1.83.9", "2.0.0", "not a version"])
def test_a_version_outside_of_the_range_is_refused(version: str):
    assert supply.INSTALL in supply.refusal(version)
    assert "compromised" not in supply.refusal(version)


@pytest.mark.parametrize("version", ["1.84.0", "1.106.2", "1.109.1", "1.110.0rc1"])
def test_a_version_of_the_range_is_not(version: str):
    assert supply.refusal(version) == ""


def test_what_is_refused_here_is_what_the_package_does_not_ask_for():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["litellm"]
    assert asked == [f"litellm{supply.SUPPORTED}"]
    assert all(f"!={v}" in supply.SUPPORTED for v in supply.COMPROMISED)


@pytest.mark.parametrize("version", ["1.82.8", None])
async def test_a_refused_litellm_is_not_even_started(version: str | None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(litellm, "installed", lambda: version)
    monkeypatch.setattr(litellm, "SIDE", ROOT / "there is no such program")
    with pytest.raises(ModelError) as refused:
        async for _ in LitellmModel("openai/x").complete(Prompt((Message("user", "x"),))):
            pass
    assert str(refused.value) == supply.refusal(version)


def test_the_doctor_tells_of_a_litellm_that_may_not_be_called(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supply, "installed", lambda: "1.82.7")
    assert supply.problems() == [supply.refusal("1.82.7")]
    monkeypatch.setattr(supply, "installed", lambda: None)
    assert supply.problems() == []


def test_a_start_file_that_runs_code_is_told_and_known_ones_are_not(tmp_path: Path):
    for name, text in {
        "litellm_init.pth": "import os, subprocess; subprocess.Popen(['x'])\n",
        "distutils-precedence.pth": "import os; exec('...')\n",
        "__editable__.jupyter_selfcode-0.1.0.pth": "import __editable___jupyter_selfcode_finder\n",
        "mpl-nspkg.pth": "import sys, types\n",
        "paths.pth": "/some/folder\n# import nothing\n",
    }.items():
        (tmp_path / name).write_text(text)
    [line] = supply.start_files([str(tmp_path)])
    assert "litellm_init.pth" in line
    assert "no installed package says that it is its own" in line


def test_a_start_file_is_told_with_the_package_that_it_belongs_to(tmp_path: Path):
    (tmp_path / "odd.pth").write_text("import odd\n")
    info = tmp_path / "odd_thing-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-thing\nVersion: 1.2\n")
    (info / "RECORD").write_text("odd.pth,,\nodd_thing-1.2.dist-info/METADATA,,\n")
    [line] = supply.start_files([str(tmp_path), str(tmp_path / "no such folder")])
    assert line.endswith("it belongs to odd-thing 1.2.")
