"""Two versions of a cell run again and again from the very same state."""

from __future__ import annotations

import random

import numpy as np
import pytest

from jupyter_selfcode.analysis.pacing import compare


def ran(old: str, new: str, changes: tuple[str, ...] = (), seconds: float = 0.5, **namespace: object) -> dict:
    return compare((old, new), changes, seconds, 5, namespace, lambda: {n: repr(v) for n, v in namespace.items() if n != "__builtins__"})


def test_every_run_begins_from_the_same_state_whatever_the_last_one_did():
    items = [1]
    seen: list[tuple[list[int], bool]] = []
    got = ran(
        "seen.append((list(items), 'extra' in globals()))\nitems.append(2)\nextra = 1\nn = n + 1",
        "seen.append((list(items), 'extra' in globals()))\nitems.append(3)",
        ("items",), items=items, seen=seen, n=0,
    )  # fmt: skip
    assert set(map(repr, seen)) == {repr(([1], False))}
    assert [(t["items"], t["n"]) for t in got["told"]] == [("[1, 2]", "1"), ("[1, 3]", "0")]
    assert len(got["times"][0]) == len(got["times"][1]) >= 5
    assert items == [1], "the object itself was never handed to them"


def test_random_numbers_begin_where_they_began():
    random.seed(3)
    np.random.seed(3)
    got = ran("x = (random.random(), np.random.rand())", "x = (random.random(), np.random.rand())", random=random, np=np, x=0)
    assert got["told"][0]["x"] == got["told"][1]["x"]


def test_nothing_is_shown(capsys):
    ran("print('loud')", "import sys\nprint('loud', file=sys.stderr)")
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_peak_memory_tells_a_version_that_needs_less():
    got = ran("x = sum([i for i in range(200_000)])", "x = sum(i for i in range(200_000))", seconds=5.0, x=0)
    old, new = got["memory"]
    assert old
    assert min(old) > 10 * max(new)


def test_what_cannot_run_again_says_so_and_leaves_the_state_as_it_was():
    assert "fails when it runs again: ZeroDivisionError" in ran("n = 2", "1 / 0", n=1)["failed"]
    assert "cannot be copied" in ran("next(it)", "next(it)", ("it",), it=(i for i in range(3)))["failed"]
    assert "compiled" in ran("x = (", "x = 1")["failed"]
    assert "too long" in compare(("import time; time.sleep(0.02)",) * 2, (), 0.05, 5, {}, dict)["failed"]
