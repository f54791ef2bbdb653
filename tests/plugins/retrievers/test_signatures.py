"""Signatures come from what is installed, without running code of the user."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from jupyter_selfcode.analysis.magics import parse
from jupyter_selfcode.analysis.trees import imported
from jupyter_selfcode.plugins.retrievers.signatures import SignatureRetriever, methods, named, used
from jupyter_selfcode.protocols import Retriever
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Failure, Passage, Request

HEAD = Cell("head", "code", "import traitlets as tr\nfrom traitlets.config import Configurable\nimport local_module")


async def ask(source: str, failure: Failure | None = None, folder: Path = Path()) -> dict[str, Passage]:
    notebook = Notebook((HEAD, Cell("cell", "code", source)))
    found = await SignatureRetriever().retrieve(Request("", "exception", "cell", failure=failure), notebook, folder)
    return {p.kind: p for p in found}


def test_it_has_the_agreed_shape():
    assert isinstance(SignatureRetriever(), Retriever)


async def test_versions_of_what_is_imported_are_told():
    import traitlets

    versions = (await ask("x = 1"))["versions"].text
    assert f"traitlets {traitlets.__version__}" in versions
    assert "Python 3." in versions
    assert "local_module: a module of the notebook's folder, or not installed" in versions


async def test_signatures_of_what_a_cell_uses_are_told_as_they_are_installed():
    text = (await ask("tr.link((a, 'x'), (b, 'y'))\nConfigurable(config=None)"))["signature"].text
    assert "traitlets.link(source" in text
    assert "traitlets.config.Configurable(" in text


async def test_a_name_that_is_gone_is_told_with_names_that_are_near():
    text = (await ask("tr.Unicodee()"))["signature"].text
    assert "traitlets has no Unicodee in the installed version; near names: Unicode" in text


async def test_what_a_failure_names_is_looked_up():
    failure = Failure("cell", "AttributeError", "'HasTraits' object has no attribute 'trait_name'")
    text = (await ask("x.trait_name()", failure))["signature"].text
    assert "traitlets.HasTraits has no trait_name" in text
    assert "trait_names" in text


async def test_modules_of_the_notebooks_folder_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "local_module.py").write_text("import pathlib; pathlib.Path('ran').touch()\n")
    monkeypatch.chdir(tmp_path)
    await ask("local_module.run()", folder=tmp_path)
    assert not (tmp_path / "ran").exists()


async def test_libraries_that_do_not_answer_in_time_bring_nothing():
    assert await SignatureRetriever(seconds=0.0).retrieve(Request("x"), Notebook((HEAD,)), Path()) == []


async def test_code_that_does_not_parse_brings_versions_at_least():
    assert "traitlets" in (await ask("def ("))["versions"].text


def test_names_are_followed_through_imports():
    tree = parse(
        "import numpy as np, os.path\nfrom pandas import read_csv as r\nnp.linalg.norm(r('x').append(1))\nos.getcwd()"
    )
    assert tree is not None
    names = imported(ast.walk(tree))
    assert names == {"np": "numpy", "os": "os", "r": "pandas.read_csv"}
    assert set(used(tree, names)) == {"numpy.linalg.norm", "pandas.read_csv", "os.getcwd"}
    assert methods(tree, names) == ("append",)


@pytest.mark.parametrize(
    ("message", "owner"),
    [
        ("'DataFrame' object has no attribute 'append'", ("DataFrame", "append")),
        ("module 'numpy' has no attribute 'float'", ("numpy", "float")),
        ("cannot import name 'joblib' from 'sklearn.externals' (/x.py)", ("sklearn.externals", "joblib")),
        ("DataFrame.drop() got an unexpected keyword argument 'axes'", ("DataFrame", "drop")),
        ("LinearRegression.__init__() got an unexpected keyword argument 'normalize'", ("LinearRegression", "")),
    ],
)
def test_a_failure_says_what_is_missing(message: str, owner: tuple[str, str]):
    assert owner in named(Failure("c", "E", message))
