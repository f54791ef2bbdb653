"""Trouble that a cage makes is told as that, and nothing else is."""

from __future__ import annotations

import pytest

from jupyter_selfcode.analysis.out_of_reach import out_of_reach


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sales.csv").write_text("a\n1\n")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / ".env").write_text("KEY=1")
    return tmp_path / "notebooks"


@pytest.mark.parametrize("error", ["FileNotFoundError", "PermissionError"])
def test_a_file_outside_of_the_folder_that_is_there_can_be_allowed(folder, error):
    relative = out_of_reach(error, "[Errno 2] No such file or directory: '../data/sales.csv'", folder)
    whole = out_of_reach(error, f"[Errno 13] Permission denied: '{folder.parent / 'data' / 'sales.csv'}'", folder)
    for said in (relative, whole):
        assert f"--sandbox-read {folder.parent / 'data' / 'sales.csv'}" in said


def test_a_file_that_is_nowhere_is_no_doing_of_the_cage(folder):
    assert out_of_reach("FileNotFoundError", "[Errno 2] No such file or directory: '../data/gone.csv'", folder) is None


def test_a_file_of_the_folder_that_looks_secret_is_said_to_be_kept_back(folder):
    assert "secret or hidden" in out_of_reach("FileNotFoundError", "No such file or directory: '.env'", folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("OSError", "[Errno 97] Address family not supported by protocol"),
        ("URLError", "<urlopen error [Errno -3] Temporary failure in name resolution>"),
        ("ConnectionError", "Failed to resolve 'example.org' ([Errno -2] Name or service not known)"),
        ("PermissionError", "[Errno 1] Operation not permitted"),
    ],
)
def test_a_network_that_is_not_there_can_be_allowed(folder, name, said):
    assert "--sandbox-network" in out_of_reach(name, said, folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [("KeyError", "'region'"), ("ValueError", "could not convert string to float: 'data'"), ("TypeError", "bad 'x'"), ("OSError", "")],
)
def test_what_code_and_data_say_is_left_to_others(folder, name, said):
    assert out_of_reach(name, said, folder) is None
