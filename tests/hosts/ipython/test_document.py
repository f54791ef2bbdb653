"""What the kernel takes the notebook for: the file, and the cells as they were run."""

from __future__ import annotations

import os
from dataclasses import replace

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.hosts.ipython.document import SessionDocument
from jupyter_selfcode.values.errors import StalePatch
from jupyter_selfcode.values.merge import merged
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import apply, diff
from jupyter_selfcode.values.version import make_version


def cells_of(notebook):
    return [(c.id, c.source) for c in notebook.cells]


@pytest.fixture
def saved(person, tmp_path, monkeypatch):
    """Save a notebook file behind the session; returns how."""
    file = tmp_path / "nb.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(file))
    count = iter(range(1, 1000))

    def save(*cells):
        notebook = nbformat.v4.new_notebook()
        notebook.cells = [nbformat.v4.new_code_cell(source, id=cell_id) for cell_id, source in cells]
        nbformat.write(notebook, file)
        later = file.stat().st_mtime_ns + next(count) * 1_000_000
        os.utime(file, ns=(later, later))

    return save


def test_without_ids_the_cells_that_ran_are_the_notebook_and_the_same_text_is_the_same_cell(person):
    for source in ("a = 1", "b = a", "a = 1", "%selfcode history", "c = 3"):
        person.run(source)
    assert cells_of(person.notebook()) == [("in-1", "a = 1"), ("in-2", "b = a"), ("in-5", "c = 3")]


def test_a_cell_run_again_keeps_its_place(person):
    person.run("a = 1", "a")
    person.run("b = 1", "b")
    person.run("a = 2", "a")
    person.run("between = 1", "n")
    assert cells_of(person.notebook()) == [("a", "a = 2"), ("n", "between = 1"), ("b", "b = 1")]


def test_the_file_gives_order_and_cells_that_never_ran_and_a_run_gives_the_newer_source(person, saved):
    saved(("a", "a = 1"), ("b", "b = 1"), ("c", "never"))
    person.run("b = 2", "b")
    person.run("new = 1", "n")
    assert cells_of(person.notebook()) == [("a", "a = 1"), ("b", "b = 2"), ("n", "new = 1"), ("c", "never")]


def test_what_is_saved_later_is_newer_than_what_ran(person, saved):
    saved(("a", "a = 1"), ("b", "b = 1"))
    person.run("a = 2", "a")
    assert cells_of(person.notebook())[0] == ("a", "a = 2")
    saved(("b", "b = 1"), ("a", "a = 3"), ("x", "%selfcode accept"))
    assert cells_of(person.notebook()) == [("b", "b = 1"), ("a", "a = 3")]


def test_a_change_that_is_not_saved_yet_outlives_a_save_of_other_cells(person, saved):
    saved(("a", "a = 1"), ("b", "b = 1"))
    person.run("a = 1", "a")
    document = person.extension.workspace().document
    before = document.read()
    after = Notebook((Cell("a", "code", "a = 10", before.cells[0].metadata), before.cells[1]), before.metadata)
    document.prepare(before, after, version(before, after)).commit()
    saved(("a", "a = 1"), ("b", "b = 2"))
    assert cells_of(document.read()) == [("a", "a = 10"), ("b", "b = 2")]


def test_a_file_that_cannot_be_read_now_leaves_what_is_known(person, saved, tmp_path):
    saved(("a", "a = 1"), ("b", "b = 1"))
    person.run("a = 1", "a")
    known = cells_of(person.notebook())
    (tmp_path / "nb.ipynb").write_text("{half of")
    assert cells_of(person.notebook()) == known
    (tmp_path / "nb.ipynb").unlink()
    assert cells_of(person.notebook()) == known


def test_a_front_end_with_ids_of_its_own_is_followed_by_the_text_of_its_cells(person, saved):
    saved(("a", "a = 1"), ("b", "b = 1"))
    person.run("b = 1", "vscode-cell-7")
    person.run("b = 2", "vscode-cell-7")
    assert cells_of(person.notebook()) == [("a", "a = 1"), ("b", "b = 2")]
    assert person.extension.session.ran() == ("b",)


def test_a_notebook_that_is_renamed_is_still_known(person, saved, tmp_path):
    saved(("a", "a = 1"), ("b", "b = 1"))
    person.run("b = 2", "b")
    assert person.extension.workspace().path == "nb.ipynb"
    (tmp_path / "another.ipynb").write_text("{}")
    (tmp_path / "nb.ipynb").rename(tmp_path / "new name.ipynb")
    assert person.extension.workspace().path == "new name.ipynb"
    assert cells_of(person.notebook()) == [("a", "a = 1"), ("b", "b = 2")]
    (tmp_path / "new name.ipynb").unlink()
    assert person.extension.session.file() is None


def test_without_ids_an_inherited_file_name_is_not_believed(person, saved):
    saved(("a", "a = 1"))
    person.run("b = 1")
    assert cells_of(person.notebook()) == [("in-1", "b = 1")]


def version(before, after):
    return make_version(
        parents=(),
        patch=diff(before, after),
        notebook=after.digest,
        kind="adapt",
        by="person",
        at="2026-01-01T00:00:00+00:00",
    )


def test_a_marked_cell_that_changed_is_shown_as_it_was_until_something_else_is_run_in_it(person):
    document = SessionDocument(person.extension.session)
    old, new = "%%selfcode\nn = 1\n", "%%selfcode\nn = 2"
    person.run(old, "a")
    person.run("plain = 1", "p")
    known = document.read()

    def held(a, p="plain = 1"):
        document.hold(Notebook((replace(known.cell("a"), source=a), replace(known.cell("p"), source=p))))

    held(new, p="plain = 2")
    assert document.shows_old("a", old)
    assert not document.shows_old("p", "plain = 1"), "a cell without the magic is run as it stands"
    held(old)
    assert document.is_shown("a"), "it was taken back before the front end heard of it"
    held(new)
    held("%%selfcode\nn = 3")
    assert document.shows_old("a", old), "what is shown is still the first"
    person.run("%%selfcode\nn = 4", "a")
    assert document.read().cell("a").source == "%%selfcode\nn = 4"
    assert not document.shows_old("a", old)


def test_a_change_for_another_notebook_is_refused_and_a_change_can_be_reverted(person):
    person.run("a = 1", "a")
    document = SessionDocument(person.extension.session)
    before = document.read()
    after = Notebook((Cell("a", "code", "a = 2"),))
    staged = document.prepare(before, after, version(before, after))
    staged.commit()
    assert document.read() == after
    with pytest.raises(StalePatch):
        document.prepare(before, after, version(before, after))
    staged.revert()
    assert document.read() == before


IDS = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)
NOTEBOOKS = IDS.flatmap(
    lambda ids: st.tuples(*[st.sampled_from(["x", "y"]) for _ in ids]).map(
        lambda sources: Notebook(tuple(Cell(i, "code", s) for i, s in zip(ids, sources, strict=True)))
    )
)


@given(NOTEBOOKS, NOTEBOOKS)
def test_following_a_file_alone_is_the_file(a, b):
    assert merged(a, diff(a, b).ops, b) == b == apply(diff(a, b), a)


@given(NOTEBOOKS, NOTEBOOKS, NOTEBOOKS)
def test_following_a_file_never_fails_and_brings_every_cell_of_it_that_changed(known, a, b):
    result = merged(known, diff(a, b).ops, b)
    old = {c.id: c.source for c in a.cells}
    for c in b.cells:
        if old.get(c.id) != c.source and (c.id not in old or c.id in known):
            assert result.cell(c.id).source == c.source
    for c in a.cells:
        if c.id not in b:
            assert c.id not in result
