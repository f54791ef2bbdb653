"""Slots, and the throw-away copy of a folder."""

from __future__ import annotations

import os
import threading

import pytest

from jupyter_selfcode.plugins.sandboxes.scratch import copy_folder, slot, temp_root


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "project"
    for name in (
        ".git/config",
        ".venv/x",
        "env/pyvenv.cfg",
        "env/lib/big",
        "data/deep/a.csv",
        "b.txt",
        "__pycache__/x",
    ):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    return made


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


def test_the_copy_has_the_files_and_their_times_but_no_history_and_no_environments(folder, tmp_path):
    os.utime(folder / "b.txt", (1_000_000, 1_000_000))
    (folder / "b.txt").chmod(0o640)
    done = copy_folder(folder, tmp_path / "copy")
    assert names(tmp_path / "copy") == ["b.txt", "data/deep/a.csv"]
    assert (tmp_path / "copy" / "data/deep/a.csv").read_text() == "data/deep/a.csv"
    assert (tmp_path / "copy" / "b.txt").stat().st_mtime == 1_000_000
    assert (tmp_path / "copy" / "b.txt").stat().st_mode & 0o777 == 0o640
    assert (done.files, done.linked, done.note) == (2, [], "")


def test_what_is_too_large_is_linked_and_said(folder, tmp_path):
    (folder / "big.bin").write_bytes(b"x" * 5000)
    done = copy_folder(folder, tmp_path / "copy", size=1000)
    big = tmp_path / "copy" / "big.bin"
    assert big.is_symlink()
    assert big.read_bytes() == b"x" * 5000
    assert not (tmp_path / "copy" / "b.txt").is_symlink()
    assert done.linked == ["big.bin"]
    assert "big.bin" in done.note
    assert "not copied, and must not be written" in done.note


def test_a_folder_with_very_many_files_is_linked_beyond_what_is_copied(folder, tmp_path):
    for i in range(30):
        (folder / "data" / f"{i}.txt").touch()
    done = copy_folder(folder, tmp_path / "copy", entries=20)
    assert (tmp_path / "copy" / "data" / "deep").is_symlink()
    assert "data/deep" in done.linked
    assert done.files <= 20
    assert (tmp_path / "copy" / "data" / "deep" / "a.csv").read_text() == "data/deep/a.csv"


def test_links_into_the_folder_lead_into_the_copy_and_others_where_they_led(folder, tmp_path):
    (tmp_path / "outside.txt").write_text("outside")
    (folder / "inner").symlink_to("b.txt")
    (folder / "absolute").symlink_to(folder / "b.txt")
    (folder / "outer").symlink_to("../outside.txt")
    (folder / "broken").symlink_to("nowhere")
    copy = tmp_path / "copy"
    copy_folder(folder, copy)
    for name in ("inner", "absolute"):
        assert (copy / name).resolve() == copy / "b.txt"
    assert (copy / "outer").read_text() == "outside"
    assert (copy / "broken").is_symlink()


def test_special_files_are_passed_over(folder, tmp_path):
    os.mkfifo(folder / "pipe")
    copy_folder(folder, tmp_path / "copy")
    assert names(tmp_path / "copy") == ["b.txt", "data/deep/a.csv"]


def test_a_copy_inside_of_what_is_copied_ends(folder):
    copy_folder(folder, folder / "data" / "copies" / "one")
    assert names(folder / "data" / "copies" / "one") == ["b.txt"]


def test_copying_can_be_stopped(folder, tmp_path):
    stop = threading.Event()
    stop.set()
    assert copy_folder(folder, tmp_path / "copy", stop=stop).files == 0


def test_slots_are_taken_from_the_lowest_and_given_back(root):
    with slot() as first, slot() as second:
        assert (first.number, second.number) == (1, 2)
        assert first.path.stat().st_mode & 0o777 == 0o700
    with slot() as again:
        assert again.path == first.path
        assert list(again.path.iterdir()) == [again.sockets]
    assert not first.path.exists()


def test_what_a_dead_process_left_is_swept_and_what_a_living_one_holds_is_not(root):
    (temp_root() / "7").mkdir()
    (temp_root() / "7" / "locked").mkdir(mode=0o500)
    with slot() as held:
        (held.path / "mine").touch()
        with slot():
            assert not (temp_root() / "7").exists()
            assert (held.path / "mine").exists()


def test_a_root_that_others_may_enter_is_not_used(root):
    (root / f"jupyter-selfcode-{os.getuid()}").mkdir()
    (root / f"jupyter-selfcode-{os.getuid()}").chmod(0o777)
    assert temp_root().name != f"jupyter-selfcode-{os.getuid()}"
    assert temp_root().stat().st_mode & 0o077 == 0
