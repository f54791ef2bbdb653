"""The history in a database: it only grows, knows when it was touched, and says clearly why it cannot be used."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, make_url, text

from jupyter_selfcode.plugins.stores.connections import told
from jupyter_selfcode.plugins.stores.migrations import MIGRATIONS, migrate, version_of
from jupyter_selfcode.plugins.stores.sql import SqlStore, beside
from jupyter_selfcode.values.canonical import plain
from jupyter_selfcode.values.errors import StoreError
from jupyter_selfcode.values.notebook import Notebook
from jupyter_selfcode.values.version import Version, identity
from tests.histories import NB, adaptation, extend, first


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return beside(tmp_path)


@pytest.fixture
def store(file: Path) -> Iterator[SqlStore]:
    opened = SqlStore(file, timeout=0.3)
    yield opened
    opened.close()


def test_reading_where_there_is_no_history_creates_nothing(store: SqlStore, tmp_path: Path):
    assert store.lineage(NB) == []
    assert store.notes(NB, "waiting") == {}
    assert store.verify() == []
    store.drop_note(NB, "waiting", "x")
    with pytest.raises(StoreError, match="no history yet"):
        store.notebook("0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_reading_of_somebody_elses_database_leaves_it_alone(tmp_path: Path):
    file = tmp_path / "theirs.sqlite"
    with sqlite3.connect(file) as theirs:
        theirs.execute("CREATE TABLE mine (x)")
    before = file.read_bytes()
    assert SqlStore(file).lineage(NB) == []
    assert file.read_bytes() == before


def test_what_comes_back_was_put_in_though_it_is_decoded_late(store: SqlStore):
    versions = extend(store, 3)
    kept = [r.version for r in store.lineage(NB)]
    assert kept == versions
    assert versions == kept
    assert [identity(v) for v in kept] == [v.id for v in versions]
    assert plain(kept) == plain(versions)
    again = store.lineage(NB)[1].version
    assert again.tried[0].findings[0].code == "outputs"
    assert again.cost.tokens == 15
    assert replace(again, words="other").words == "other"
    assert replace(again) == versions[1]
    assert pickle.loads(pickle.dumps(again)) == versions[1]
    assert kept[0] != versions[1]
    assert kept[0] != "a version"
    assert not hasattr(again, "unknown")
    assert {f.name for f in fields(again)} == {f.name for f in fields(Version)}


def test_whole_numbers_stay_whole_numbers(store: SqlStore):
    version = adaptation((), first(), seconds=3)
    store.begin(NB, version, first())
    assert repr(store.lineage(NB)[0].version.seconds) == "3"
    assert store.verify() == []


def test_a_history_written_by_one_store_is_read_by_another(store: SqlStore, file: Path):
    extend(store, 2)
    store.close()
    other = SqlStore(f"sqlite:///{file}")
    assert len(other.lineage(NB)) == 2
    other.close()


def test_a_relative_url_stays_where_it_was_when_the_folder_changes(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = SqlStore("sqlite:///history.sqlite")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    extend(store, 1)
    store.close()
    assert (tmp_path / "history.sqlite").exists()


@pytest.mark.parametrize("name", ["a folder", "é %20 # ?x=1", "per%cent"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str):
    (tmp_path / name).mkdir()
    store = SqlStore(beside(tmp_path / name))
    extend(store, 1)
    store.close()
    assert beside(tmp_path / name).exists()


def test_many_versions_of_a_notebook_keep_each_source_once(store: SqlStore, file: Path):
    extend(store, 40, cells=30)
    store.close()
    with sqlite3.connect(file) as database:
        (sources,) = database.execute("SELECT count(*) FROM selfcode_blobs").fetchone()
        (cells,) = database.execute("SELECT count(*) FROM selfcode_cells").fetchone()
    assert (sources, cells) == (30 + 39, 30 + 39)


# ---- what can be wrong with it -------------------------------------------------------------------------------------


def test_an_sqlite_history_writes_ahead_and_to_the_disk(store: SqlStore, file: Path):
    extend(store, 1)
    with store._open().connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 300}


def test_a_history_of_a_newer_package_is_refused_and_left_alone(store: SqlStore, file: Path):
    extend(store, 1)
    store.close()
    with sqlite3.connect(file) as database:
        database.execute("UPDATE selfcode_schema SET version = 99")
    newer = SqlStore(file)
    for work in (lambda: newer.lineage(NB), lambda: extend(newer, 1), lambda: newer.put_note(NB, "k", "k", "b")):
        with pytest.raises(StoreError, match=r"newer jupyter_selfcode \(form 99.*pip install -U"):
            work()
    newer.close()


@pytest.mark.parametrize("damage", ["not a database", "cut short", "overwritten"])
def test_a_damaged_file_is_named_with_what_to_do(store: SqlStore, file: Path, damage: str):
    extend(store, 30)
    store.close()
    whole = file.read_bytes()
    file.write_bytes(
        {
            "not a database": b"x" * 5000,
            "cut short": whole[:8192],
            "overwritten": whole[:4096] + b"\xff" * (len(whole) - 4096),
        }[damage]
    )
    with pytest.raises(StoreError, match=r"history\.sqlite is damaged .* move it aside \(mv .*\.damaged\)"):
        SqlStore(file).lineage(NB)
    with pytest.raises(StoreError, match="is damaged"):
        extend(SqlStore(file), 1)


def test_a_file_that_was_moved_aside_is_begun_anew_by_the_same_store(store: SqlStore, file: Path):
    extend(store, 2)
    for old in file.parent.glob("history.sqlite*"):
        old.rename(old.with_name(f"old-{old.name}"))
    assert store.lineage(NB) == []
    extend(store, 1)
    assert len(store.lineage(NB)) == 1
    assert file.exists()


def test_a_locked_history_is_told_after_the_wait_and_reading_goes_on(store: SqlStore, file: Path):
    extend(store, 1)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"locked by another process \(waited 0.3 s\); try again"):
        store.put_note(NB, "k", "k", "b")
    assert len(store.lineage(NB)) == 1
    holder.execute("ROLLBACK")
    holder.close()
    store.put_note(NB, "k", "k", "b")
    assert store.notes(NB, "k") == {"k": "b"}


def test_a_full_database_is_told_and_nothing_is_half_written(store: SqlStore):
    versions = extend(store, 1)
    with store._open().connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match=r"full.*Free some space"):
        extend(store, 1, parents=(versions[0].id,), source="x" * 100_000)
    assert len(store.lineage(NB)) == 1
    assert store.verify() == []


def test_a_disk_that_gives_an_error_is_told_with_what_to_do():
    with pytest.raises(StoreError, match=r"could not be used: disk I/O error\. Free some space if"), told(make_url("sqlite:///h"), 1):
        raise sqlite3.OperationalError("disk I/O error")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / ".selfcode").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="set store_url"):
        extend(SqlStore(beside(tmp_path)), 1)


@pytest.mark.parametrize("url", ["nonsense", "nosuchdatabase://x/y", "sqlite:///"])
def test_a_url_is_refused_where_it_cannot_be_used(url: str):
    if url == "sqlite:///":
        extend(SqlStore(url), 1)  # memory
        return
    with pytest.raises(StoreError, match="not a database URL"):
        SqlStore(url)


def test_a_password_is_never_said():
    with pytest.raises(StoreError) as e:
        SqlStore("postgresql+psycopg2://me:sesame@localhost:1/none").lineage(NB)
    assert "sesame" not in str(e.value)


def test_a_version_that_does_not_name_its_notebook_is_refused(store: SqlStore):
    version = adaptation((), first())
    with pytest.raises(StoreError, match="does not name the notebook"):
        store.begin(NB, version, Notebook())
    with pytest.raises(StoreError, match="does not name"):
        store.begin(NB, replace(version, words="forged"), first())
    store.begin(NB, version, first())
    with pytest.raises(StoreError, match="in the history already"):
        store.begin(NB, version, first())
    assert len(store.lineage(NB)) == 1


# ---- what was touched ----------------------------------------------------------------------------------------------

TOUCHED = {
    "its id is not its digest": "UPDATE selfcode_versions SET \"by\" = 'person' WHERE number = 2",
    "version 2: it is not the one": "UPDATE selfcode_versions SET why = replace(why, 'fresh', 'none') WHERE number = 2",
    "version 3: it cannot be read": "UPDATE selfcode_versions SET patch = '{' WHERE number = 3",
    "its text is not the one": "UPDATE selfcode_blobs SET body = 'import os' WHERE id = 2",
    "cell cell-0 (row 1)": "UPDATE selfcode_cells SET metadata = '{\"editable\": true}' WHERE id = 1",
    "notebook": "UPDATE selfcode_notebooks SET metadata = '{\"a\": 1}'",
    "it cannot be read": "UPDATE selfcode_notebooks SET cells = 'x'",
    "its cell in row 1 is not there": "UPDATE selfcode_notebooks SET cells = '[1,99]'; DELETE FROM selfcode_cells WHERE id = 1",
    "version 2 is not there": "DELETE FROM selfcode_versions WHERE number = 2",
    "is not there": "DELETE FROM selfcode_notebooks",
    "names a row of selfcode_versions": "INSERT INTO selfcode_outcomes VALUES (77, 'deployed', '')",
    "there is no such outcome": "UPDATE selfcode_outcomes SET outcome = 'fine' WHERE version = 1",
}


@pytest.mark.parametrize("said", TOUCHED)
def test_verify_says_what_was_touched(store: SqlStore, file: Path, said: str):
    extend(store, 4)
    assert store.verify() == []
    with sqlite3.connect(file) as database:
        database.executescript(TOUCHED[said])
    assert any(said in line for line in store.verify()), store.verify()


def test_a_row_that_cannot_be_read_is_a_store_error(store: SqlStore, file: Path):
    versions = extend(store, 2)
    with sqlite3.connect(file) as database:
        database.executescript(
            "UPDATE selfcode_versions SET listing = '{}'; UPDATE selfcode_notebooks SET cells = '[77]'"
        )
    with pytest.raises(StoreError, match=r"Version \w{12} of the history is damaged"):
        _ = store.lineage(NB)[0].version.words
    with pytest.raises(StoreError, match="has lost 1 cells"):
        store.notebook(versions[0].notebook)


def test_a_field_that_a_later_package_adds_does_not_break_an_old_chain(store: SqlStore, file: Path):
    """The ids are recomputed from the names that were kept, not from the fields that `Version` has today."""
    extend(store, 1)
    with sqlite3.connect(file) as database:
        (why,) = database.execute("SELECT why FROM selfcode_versions").fetchone()
    assert '"trial_kind"' in why
    assert '"assumptions"' in why


# ---- migrations ----------------------------------------------------------------------------------------------------


def test_each_step_runs_once_and_a_failing_one_changes_nothing(file: Path):
    extend(SqlStore(file), 2)

    def grow(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE selfcode_notes ADD COLUMN added TEXT"))

    def fail(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (x)"))
        raise RuntimeError("power cut")

    engine = create_engine(f"sqlite:///{file}")
    for _ in range(2):
        with engine.begin() as connection:
            migrate(connection, "history", [*MIGRATIONS, grow])
            assert version_of(connection) == len(MIGRATIONS) + 1
    store = SqlStore(file)
    with pytest.raises(RuntimeError), store._open().begin() as connection:
        migrate(connection, "history", [*MIGRATIONS, grow, fail])
    with engine.begin() as connection:
        assert version_of(connection) == len(MIGRATIONS) + 1
        assert "half" not in {n for (n,) in connection.execute(text("SELECT name FROM sqlite_master"))}
        assert connection.scalar(text("SELECT count(*) FROM selfcode_versions")) == 2


# ---- two at once ---------------------------------------------------------------------------------------------------


def _grow(file: Path, path: str, count: int) -> None:
    store = SqlStore(file, timeout=30)
    extend(store, count, path=path, salt=str(os.getpid()))
    store.close()


def test_two_processes_may_begin_one_history_at_once(file: Path):
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_grow, args=(file, NB, 15)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]
    store = SqlStore(file)
    assert [r.number for r in store.lineage(NB)] == list(range(1, 46))
    assert store.verify() == []


@pytest.mark.parametrize("where", ["file", "memory"])
def test_many_threads_may_use_one_store(file: Path, where: str):
    store = SqlStore(file if where == "file" else "sqlite://", timeout=30)
    errors: list[BaseException] = []

    def work(n: int) -> None:
        try:
            extend(store, 10, path=f"{n % 2}.ipynb", salt=str(n))
            store.lineage(f"{n % 2}.ipynb")
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [r.number for r in store.lineage("0.ipynb")] == list(range(1, 21))
    assert store.verify() == []
    store.close()


def test_a_copy_of_the_folder_is_a_whole_history(store: SqlStore, file: Path, tmp_path: Path):
    extend(store, 3)
    shutil.copytree(file.parent, tmp_path / "copy" / ".selfcode")
    other = SqlStore(beside(tmp_path / "copy"))
    assert len(other.lineage(NB)) == 3
    assert other.verify() == []
    other.close()
