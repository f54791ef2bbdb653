"""A notebook file is read, or refused with one clear line; an executed one is written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_selfcode.plugins.deployers.file import FileDeployer, kernel_name, language, read_notebook, write_executed
from jupyter_selfcode.values.errors import BadInput
from jupyter_selfcode.values.notebook import POINTER, Cell, Notebook
from jupyter_selfcode.values.trial import CellResult
from tests.notebook_files import IMAGE, deploy, jupyter, raw_notebook, with_source


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "nb.ipynb"
    file.write_bytes(jupyter(raw_notebook()))
    return file


# ---- reading -------------------------------------------------------------------------------------------------------


def test_a_notebook_is_read_without_its_outputs_and_they_are_read_apart(path: Path):
    surface = FileDeployer(path)
    notebook = surface.read()
    assert [c.id for c in notebook.cells] == ["top", "load", "use", "raw"]
    assert notebook.cell("load").source == "x = 1\nx"
    assert notebook.cell("load").tags == {"parameters"}
    assert notebook.cell("top").attachments == {"a.png": IMAGE}
    assert list(surface.outputs()) == ["load"]
    stream, result = surface.outputs()["load"]
    assert stream["text"] == "one\ntwo"
    assert result["data"]["text/plain"] == "{'n':\n1}"
    assert kernel_name(notebook) == "py-env"
    assert language(notebook) == "python"


def test_a_notebook_that_names_no_kernel_is_python():
    assert kernel_name(Notebook()) == "python3"
    assert language(Notebook()) == "python"
    assert language(Notebook((), {"language_info": {"name": "R"}})) == "r"
    assert kernel_name(Notebook((), {"kernelspec": "odd"})) == "python3"


def broken(change: Any) -> bytes:
    raw = raw_notebook()
    change(raw)
    return jupyter(raw)


BAD = {
    "is empty": b" \n",
    r"not JSON \(line 1, column 12": b'{"cells": [}',
    "not UTF-8": b'{"cells": "\xff"}',
    "not an object": b"[1]",
    "no nbformat": b'{"cells": []}',
    "no cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "nested too deeply": b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    r"nbformat 3; upgrade it with: jupyter nbconvert --to notebook --nbformat 4 --inplace \S+nb.ipynb$": (
        b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}'
    ),
    "nbformat 5, and": b'{"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}',
    "no nbformat_minor": broken(lambda raw: raw.pop("nbformat_minor")),
    "a cell is not an object": broken(lambda raw: raw["cells"].append(1)),
    "two cells have the same id": broken(lambda raw: raw["cells"][1].update(id="top")),
    r"cells/1.*metadata": broken(lambda raw: raw["cells"][1].update(metadata=[])),
    "metadata: .* is not of type 'object'": broken(lambda raw: raw.update(metadata="x")),
    "NaN or infinity": broken(lambda raw: raw["metadata"].update(bad=float("nan"))),
    "cells/0": broken(lambda raw: raw["cells"][0].update(cell_type="heading")),
    r"cells/2.*source": broken(lambda raw: raw["cells"][2].update(source=[1])),
}


@pytest.mark.parametrize("said", BAD)
def test_what_is_not_a_notebook_is_refused_with_one_line(path: Path, said: str):
    path.write_bytes(BAD[said])
    with pytest.raises(BadInput, match=f"(?i){said}") as e:
        FileDeployer(path).read()
    assert "nb.ipynb" in str(e.value)
    assert "\n" not in str(e.value)
    assert path.read_bytes() == BAD[said]


def test_no_such_file_and_a_folder_are_told_apart(tmp_path: Path):
    with pytest.raises(BadInput, match="There is no notebook"):
        FileDeployer(tmp_path / "no.ipynb").read()
    with pytest.raises(BadInput, match="is a folder"):
        FileDeployer(tmp_path).read()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="not a regular file"):
        FileDeployer(tmp_path / "pipe").read()


def without_ids(minor: int = 2) -> dict[str, Any]:
    raw = raw_notebook()
    for cell in raw["cells"]:
        del cell["id"]
    return {**raw, "nbformat_minor": minor}


def test_cells_without_ids_get_the_same_ones_at_every_reading(path: Path):
    raw = without_ids()
    raw["cells"].append(dict(raw["cells"][2]))
    path.write_bytes(jupyter(raw))
    ids = [c.id for c in read_notebook(path).cells]
    assert ids == [c.id for c in read_notebook(path).cells]
    assert len(set(ids)) == 5
    raw["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": "above"})
    path.write_bytes(jupyter(raw))
    assert [c.id for c in read_notebook(path).cells][1:] == ids


def test_the_first_change_writes_the_ids_and_makes_it_nbformat_4_5(path: Path):
    path.write_bytes(jupyter(without_ids()))
    before = read_notebook(path)
    deploy(path, with_source(before, before.cells[2].id, "x + 2"))
    written = json.loads(path.read_bytes())
    nbformat.validate(written)
    assert (written["nbformat"], written["nbformat_minor"]) == (4, 5)
    assert [c["id"] for c in written["cells"]] == [c.id for c in before.cells]
    assert written["cells"][1]["outputs"] == raw_notebook()["cells"][1]["outputs"]
    assert path.read_bytes() == jupyter(written)


# ---- the output of a run -------------------------------------------------------------------------------------------


def test_an_executed_notebook_has_the_outputs_of_the_run_and_all_else_of_its_source(path: Path, tmp_path: Path):
    notebook = read_notebook(path)
    injected = Cell("injected", "code", "x = 5", {"tags": ["injected-parameters"]})
    notebook = Notebook((*notebook.cells[:2], injected, *notebook.cells[2:]), notebook.metadata)
    text = {"output_type": "stream", "name": "stdout", "text": "a\nb\n"}
    results = (CellResult("load", "ok", (text,), 1), CellResult("injected", "error", (), 2))
    out = tmp_path / "out.ipynb"
    old = path.read_bytes()
    write_executed(path, out, notebook, results, {"run": {"status": "failed"}})
    raw = raw_notebook()
    raw["metadata"][POINTER] = {"run": {"status": "failed"}}
    raw["cells"][1] |= {"outputs": [{**text, "text": ["a\n", "b\n"]}], "execution_count": 1}
    raw["cells"][2] |= {"outputs": [], "execution_count": None}
    made = {"cell_type": "code", "execution_count": 2, "id": "injected", "metadata": injected.metadata, "outputs": []}
    raw["cells"].insert(2, {**made, "source": ["x = 5"]})
    assert out.read_bytes() == jupyter(raw)
    assert path.read_bytes() == old


def test_a_skipped_cell_keeps_its_outputs_and_a_cell_not_reached_loses_them(path: Path):
    notebook = read_notebook(path)
    write_executed(path, path, notebook, (CellResult("load", "skipped"),))
    assert path.read_bytes().count(b'"stream"') == 1
    write_executed(path, path, notebook, ())
    assert path.read_bytes().count(b'"stream"') == 0


def test_an_output_folder_that_is_not_there_is_told(path: Path, tmp_path: Path):
    with pytest.raises(BadInput, match="There is no folder"):
        write_executed(path, tmp_path / "no" / "out.ipynb", read_notebook(path), ())
