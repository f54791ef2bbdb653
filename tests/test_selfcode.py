"""What a host holds: under which name the history has a notebook, through renames and copies; and which sandbox it tries in."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from jupyter_selfcode.config import SelfCode
from jupyter_selfcode.plugins.deployers.file import FileDeployer
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.forked import ForkedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore, beside
from jupyter_selfcode.selfcode import history_of, make_engine, open_notebook
from tests.notebook_files import jupyter, raw_notebook


def write(file: Path) -> None:
    file.write_bytes(jupyter(raw_notebook()))


def words_of(workspace) -> list[str]:
    return [r.version.words for r in workspace.lineage()]


def amended(workspace, words: str):
    """A version by a person."""
    notebook = workspace.notebook()
    cell = notebook.cell("use")
    after = replace(notebook, cells=tuple(replace(c, source=f"{c.source} # {words}") if c is cell else c for c in notebook.cells))
    return workspace.amend(after, words)


@pytest.fixture
def opened(tmp_path):
    """Opens a notebook of the folder; all are closed at the end."""
    made = []

    def open_it(name: str):
        made.append(open_notebook(tmp_path / name, SelfCode()))
        return made[-1]

    yield open_it
    for workspace in made:
        workspace.close()


@pytest.fixture
def nb(tmp_path, opened):
    """A notebook file with two versions."""
    write(tmp_path / "nb.ipynb")
    amended(opened("nb.ipynb"), "one")
    return tmp_path / "nb.ipynb"


def test_a_renamed_notebook_keeps_its_history_and_grows_it(nb, opened):
    nb.rename(nb.with_name("other.ipynb"))
    other = opened("other.ipynb")
    assert words_of(other) == ["as it was found", "one"]
    amended(other, "two")
    assert [r.number for r in other.lineage()] == [1, 2, 3]
    assert other.store.verify() == []


def test_a_copy_begins_a_history_of_its_own(nb, opened):
    shutil.copy(nb, nb.with_name("copy.ipynb"))
    copy = opened("copy.ipynb")
    assert words_of(copy) == []
    amended(copy, "two")
    assert words_of(copy) == ["as it was found", "two"]
    assert words_of(opened("nb.ipynb")) == ["as it was found", "one"]


def test_a_copy_with_a_history_keeps_it_when_the_original_goes(nb, opened):
    shutil.copy(nb, nb.with_name("copy.ipynb"))
    before = nb.with_name("copy.ipynb").read_bytes()
    amended(opened("copy.ipynb"), "two")
    nb.unlink()
    nb.with_name("copy.ipynb").write_bytes(before)  # as it was copied: a checkout
    assert words_of(opened("copy.ipynb")) == ["as it was found", "two"]


def test_what_waits_goes_along_with_a_rename(nb, opened):
    opened("nb.ipynb").store.put_note("nb.ipynb", "lesson", "k", "body")
    nb.rename(nb.with_name("other.ipynb"))
    other = opened("other.ipynb")
    assert other.store.notes("other.ipynb", "lesson") == {"k": "body"}
    assert other.store.notes("nb.ipynb", "lesson") == {}


def test_the_history_of_a_notebook_that_is_overwritten_is_kept_and_found_again(nb, opened):
    other = nb.with_name("other.ipynb")
    write(other)
    amended(opened("other.ipynb"), "of the other")
    old = other.read_bytes()
    nb.replace(other)
    assert words_of(opened("other.ipynb")) == ["as it was found", "one"]
    nb.with_name("back.ipynb").write_bytes(old)  # a checkout of what was overwritten
    assert words_of(opened("back.ipynb")) == ["as it was found", "of the other"]
    assert opened("back.ipynb").store.verify() == []


def test_a_folder_that_is_not_on_this_machine_says_nothing_of_a_rename(tmp_path):
    store = SqlStore(beside(tmp_path))
    team = SelfCode(store_url="sqlite://")
    elsewhere, here = "/nowhere/that/is/nb.ipynb", tmp_path / "nb.ipynb"
    write(here)
    surface = FileDeployer(here)
    made = make_engine(team, store).amend(surface.read(), [surface], elsewhere, "person", "one")
    assert history_of(team, store, here, surface.read()) == str(here)
    assert store.holder(made.id) == elsewhere
    store.close()


class Folder(RuleBasedStateMachine):
    """People make, change, copy and rename notebooks, and look at each when they have done so."""

    files = Bundle("files")

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.store = SqlStore("sqlite://")
        self.settings = SelfCode()
        self.engine = make_engine(self.settings, self.store)
        self.known: dict[str, list[str]] = {}
        self.count = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.home)

    def name(self, file: str) -> str:
        return history_of(self.settings, self.store, self.home / file, FileDeployer(self.home / file).read())

    def free(self, number: int) -> str:
        return next(f for i in range(99) if not (self.home / (f := f"{number + i}.ipynb")).exists())

    @rule(target=files, number=st.integers(0, 3))
    def make(self, number: int) -> str:
        file = self.free(number)
        write(self.home / file)
        self.known[file] = []
        return file

    @rule(file=files)
    def change(self, file: str) -> None:
        self.count += 1
        surface = FileDeployer(self.home / file)
        now = surface.read()
        cells = tuple(replace(c, source=f"x + {self.count}") if c.id == "use" else c for c in now.cells)
        self.engine.amend(replace(now, cells=cells), [surface], self.name(file), "person", str(self.count))
        self.known[file] += ([] if self.known[file] else ["as it was found"]) + [str(self.count)]

    @rule(target=files, file=files, number=st.integers(0, 3))
    def copy(self, file: str, number: int) -> str:
        other = self.free(number)
        shutil.copy(self.home / file, self.home / other)
        self.known[other] = []
        return other

    @rule(target=files, file=consumes(files), number=st.integers(0, 3))
    def rename(self, file: str, number: int) -> str:
        other = self.free(number)
        (self.home / file).rename(self.home / other)
        self.known[other] = self.known.pop(file)
        self.name(other)
        return other

    @invariant()
    def every_notebook_has_its_own_history(self) -> None:
        for file, words in self.known.items():
            assert [r.version.words for r in self.store.lineage(self.name(file))] == words
        assert self.store.verify() == []


TestFolder = Folder.TestCase
TestFolder.settings = settings(max_examples=8, stateful_step_count=10, deadline=None)


@pytest.mark.parametrize(
    ("forked", "live", "kind"),
    [
        ("auto", True, ForkedSandbox), ("auto", False, ContainedSandbox), ("always", False, ForkedSandbox),
        ("never", True, ContainedSandbox),
    ],
)  # fmt: skip
def test_a_live_session_tries_in_copies_and_others_where_they_are_told_to(tmp_path, forked, live, kind):
    store = SqlStore(f"sqlite:///{tmp_path / 'history.sqlite'}")
    try:
        assert type(make_engine(SelfCode(forked=forked), store, live=live).sandbox) is kind
    finally:
        store.close()
