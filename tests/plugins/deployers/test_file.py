"""The notebook file is written whole or not at all, byte for byte."""

from __future__ import annotations

import errno
import json
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.plugins.deployers.file import FileDeployer, read_notebook
from jupyter_selfcode.plugins.deployers.notebook_file import parse, render
from jupyter_selfcode.values.canonical import same
from jupyter_selfcode.values.errors import DeployError, StalePatch
from jupyter_selfcode.values.notebook import POINTER, Cell, Notebook
from tests.notebook_files import VERSION, deploy, jupyter, raw_notebook, with_source
from tests.strategies import notebooks


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "nb.ipynb"
    file.write_bytes(jupyter(raw_notebook()))
    return file


FORMS = {
    "as Jupyter writes": {},
    "four blanks": {"indent": 4},
    "tabs": {"indent": "\t"},
    "one line": {"indent": None, "separators": (", ", ": ")},
    "packed": {"indent": None, "separators": (",", ":")},
    "escaped": {"ensure_ascii": True},
    "keys as they came": {"sort_keys": False},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_change_of_one_source_changes_nothing_else_in_the_text(path: Path, form: str):
    raw = raw_notebook()
    raw["cells"][1] = dict(reversed(raw["cells"][1].items())) if form == "keys as they came" else raw["cells"][1]
    path.write_bytes(jupyter(raw, **FORMS[form]))
    deploy(path, with_source(read_notebook(path), "use", "x + 2\nx # ü"))
    raw["cells"][2] |= {"source": ["x + 2\n", "x # ü"], "execution_count": None}
    assert path.read_bytes() == jupyter(raw, **FORMS[form])


def test_what_another_program_wrote_in_its_own_way_survives_as_it_stands(path: Path):
    text = (
        '{ "nbformat":4,"metadata" : {"n": 1.50E+2, "e": "\\u00e9é\\/"} ,\r\n"cells":[\r\n'
        '{"id":"a","cell_type":"code","metadata":{},"outputs":[{"output_type":"display_data","metadata":{},'
        '"data":{"application/json": {"x": 1.10, "nan": NaN}}}],"execution_count":1,"source":"a = 1"}  ,'
        '\r\n {"id":"b","cell_type":"code","metadata":{},"outputs":[],"execution_count":2,"source":"b"}\r\n\r\n],'
        '"nbformat_minor":5, "extra": {"b":1,"a":2}}'
    )
    path.write_bytes(text.encode())
    deploy(path, with_source(read_notebook(path), "b", "b\nc"))
    start, end = text.index(' {"id":"b"'), text.index('\r\n\r\n],"nbformat_minor"')
    written = path.read_bytes().decode()
    assert written.startswith(text[:start])
    assert written.endswith(text[end:])
    assert json.loads(written[start : len(written) - len(text[end:])])["source"] == "b\nc"


def test_outputs_of_a_replaced_cell_are_cleared_and_those_of_others_kept(path: Path):
    deploy(path, with_source(read_notebook(path), "load", "x = 2\nx"))
    cell = json.loads(path.read_bytes())["cells"][1]
    assert cell["outputs"] == []
    assert cell["execution_count"] is None
    assert cell["metadata"] == raw_notebook()["cells"][1]["metadata"]


def test_metadata_alone_may_change_and_the_outputs_stay(path: Path):
    before = read_notebook(path)
    cells = tuple(replace(c, metadata={**c.metadata, POINTER: {"version": "v"}}) for c in before.cells)
    deploy(path, Notebook(cells, {**before.metadata, POINTER: {"version": "v"}}))
    raw = raw_notebook()
    for held in (raw, *raw["cells"]):
        held["metadata"][POINTER] = {"version": "v"}
    assert path.read_bytes() == jupyter(raw)


def test_cells_come_go_move_and_change_their_type(path: Path):
    before = read_notebook(path)
    top, load, use, _ = before.cells
    new = Cell("new", "code", "import a\nb", {"tags": ["t"]})
    deploy(
        path, Notebook((new, load, replace(top, attachments={}), Cell("use", "markdown", use.source)), before.metadata)
    )
    raw = raw_notebook()
    made = {"cell_type": "code", "execution_count": None, "id": "new", "metadata": {"tags": ["t"]}, "outputs": []}
    first = {**raw["cells"][0]}
    del first["attachments"]
    raw["cells"] = [
        {**made, "source": ["import a\n", "b"]},
        raw["cells"][1],
        first,
        {"cell_type": "markdown", "id": "use", "metadata": {}, "source": ["x + 1"]},
    ]
    assert path.read_bytes() == jupyter(raw)


def test_all_cells_may_go_and_come_back(path: Path):
    before = read_notebook(path)
    deploy(path, Notebook((), before.metadata))
    assert path.read_bytes() == jupyter({**raw_notebook(), "cells": []})
    deploy(path, before)
    assert same(read_notebook(path), before)


FILE_NOTEBOOKS = notebooks().map(
    lambda n: Notebook(tuple(replace(c, metadata={k: v for k, v in c.metadata.items() if k != "tags"}) for c in n.cells), n.metadata)
)  # fmt: skip


@given(FILE_NOTEBOOKS, FILE_NOTEBOOKS, st.sampled_from(sorted(FORMS)))
def test_every_notebook_can_be_written_over_every_other(a: Notebook, b: Notebook, form: str):
    empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    held = parse(jupyter(empty, **FORMS[form]), "nb")
    for notebook in (a, b, a):
        held = parse(render(held, notebook), "nb")
        assert same(held.notebook, notebook)
        nbformat.validate(json.loads(held.text))


def test_a_file_that_no_longer_holds_the_base_is_refused(path: Path):
    surface = FileDeployer(path)
    before = surface.read()
    after = with_source(before, "use", "2")
    path.write_bytes(path.read_bytes().replace(b"x + 1", b"x + 9"))
    now = path.read_bytes()
    with pytest.raises(StalePatch, match="changed on disk"):
        surface.prepare(before, after, VERSION)
    path.write_bytes(b"{}")
    with pytest.raises(StalePatch, match="can no longer be read"):
        surface.prepare(before, after, VERSION)
    assert b"x + 9" in now


def test_a_file_that_is_saved_between_prepare_and_commit_is_refused(path: Path):
    surface = FileDeployer(path)
    before = surface.read()
    staged = surface.prepare(before, with_source(before, "use", "2"), VERSION)
    saved = path.read_bytes().replace(b"x + 1", b"x + 10")
    path.write_bytes(saved)
    with pytest.raises(StalePatch, match="saved by another program"):
        staged.commit()
    assert path.read_bytes() == saved
    assert only(path)


def only(path: Path) -> bool:
    return [p for p in path.parent.iterdir() if p.name != ".selfcode"] == [path]


def test_discard_leaves_nothing_and_revert_puts_the_old_bytes_back(path: Path):
    surface = FileDeployer(path)
    old, before = path.read_bytes(), surface.read()
    after = with_source(before, "load", "2")
    surface.prepare(before, after, VERSION).discard()
    assert only(path)
    staged = surface.prepare(before, after, VERSION)
    staged.commit()
    assert surface.read().cell("load").source == "2"
    staged.revert()
    assert path.read_bytes() == old
    staged.revert()
    assert path.read_bytes() == old
    assert only(path)


def test_revert_does_not_overwrite_what_another_program_saved_since(path: Path):
    surface = FileDeployer(path)
    before = surface.read()
    staged = surface.prepare(before, with_source(before, "use", "2"), VERSION)
    staged.commit()
    path.write_bytes(b"theirs")
    with pytest.raises(DeployError, match="saved by another program"):
        staged.revert()
    assert path.read_bytes() == b"theirs"


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """The system refuses to write larger files: a disk that fills up while writing, without a disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_up_while_writing_leaves_the_old_file_whole(path: Path):
    surface, old = FileDeployer(path), path.read_bytes()
    before = surface.read()
    with files_up_to(100), pytest.raises(DeployError, match=r"could not be written .*old file is whole") as e:
        surface.prepare(before, with_source(before, "use", "2"), VERSION)
    assert "\n" not in str(e.value)
    assert path.read_bytes() == old
    assert only(path)


def test_a_disk_that_is_full_when_it_is_synced_leaves_the_old_file_whole(path: Path, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    surface, old = FileDeployer(path), path.read_bytes()
    before = surface.read()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeployError, match="No space left on device"):
        surface.prepare(before, with_source(before, "use", "2"), VERSION)
    assert path.read_bytes() == old
    assert only(path)


@pytest.fixture
def nobody(tmp_path: Path) -> Iterator[None]:
    """Root may write anywhere, so as root the test goes on as another user."""
    if os.geteuid():
        yield
        return
    for folder in [tmp_path, *tmp_path.parents]:
        if "pytest-of-" in str(folder):  # the folders of pytest's own, one more where several processes run the tests
            folder.chmod(0o755)
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_a_folder_that_cannot_be_written_is_told(path: Path, nobody: None):
    if os.geteuid() == path.stat().st_uid:
        path.parent.chmod(0o555)
    surface, old = FileDeployer(path), path.read_bytes()
    before = surface.read()
    with pytest.raises(DeployError, match=r"read-only|could not be written \(Permission denied\)"):
        surface.prepare(before, with_source(before, "use", "2"), VERSION)
    assert path.read_bytes() == old
    if os.geteuid() == path.stat().st_uid:
        path.parent.chmod(0o755)


def test_mode_and_attributes_are_kept_and_a_link_stays_a_link(path: Path, tmp_path: Path):
    path.chmod(0o640)
    try:
        os.setxattr(path, "user.note", b"mine")
        noted = True
    except OSError:
        noted = False
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "link.ipynb"
    link.symlink_to("../nb.ipynb")
    deploy(link, with_source(read_notebook(link), "use", "2"))
    assert link.is_symlink()
    assert read_notebook(path).cell("use").source == "2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not noted or os.getxattr(path, "user.note") == b"mine"


def test_what_a_killed_process_left_beside_the_notebook_is_swept(path: Path):
    dead, alive = (path.parent / f".nb.ipynb.{pid}.xyz.selfcode~" for pid in (2**22 + 1, os.getpid()))
    dead.write_text("half")
    alive.write_text("half")
    deploy(path, with_source(read_notebook(path), "use", "2"))
    assert not dead.exists() or alive.exists()
    assert not dead.exists()
    assert alive.exists()
