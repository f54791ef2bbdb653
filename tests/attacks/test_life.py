"""When it is over, however it ends, nothing is left: for each tier and each user, seen from outside."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_selfcode.plugins.sandboxes.plan import CONTAINED, Contained
from tests.attacks.arena import Arena, Driven
from tests.attacks.users import ROOT, User, why_not
from tests.attacks.world import wait_until

Arenas = Callable[[User], Arena]

STAY = ["for n in range(3):\n    subprocess.Popen(['sh', '-c', f\"setsid sleep {W['mark']} & sleep {W['mark']}\"])\ntime.sleep(0.2)"]
"""Starts processes that would stay."""


@pytest.fixture
def arena(arenas: Arenas, user: User, tier: Contained) -> Arena:
    """The user's arena, where they are given a cage of this tier."""
    made = arenas(user)
    if reason := made.why_no_cage(tier):
        pytest.skip(f"tier {tier} is not there for the {user.name} user: {reason}")
    made.rest()  # what attacks before have left open is not what is looked for
    return made


@pytest.fixture(params=CONTAINED)
def tier(request: pytest.FixtureRequest) -> Contained:
    """Each cage."""
    given: Contained = request.param
    return given


def mounts() -> set[str]:
    """Mounts of this process's namespace."""
    return set(Path("/proc/self/mounts").read_text("utf-8").splitlines())


def order(arena: Arena, cells: list[str]) -> dict[str, object]:
    """An order for these cells."""
    facts = arena.world.facts | {"bare": False}
    return {"cells": cells, "folder": str(arena.world.folder), "facts": facts, "limits": {"cell_seconds": 30}}


def trials(arena: Arena) -> list[Path]:
    """Folders of trials that are there."""
    return [p for p in arena.world.temp.glob("jupyter-selfcode-*/*") if p.name.isdigit()]


@pytest.mark.parametrize("cells", [STAY, [*STAY, "1 / 0"], [*STAY, "os._exit(0)"]], ids=["success", "failure", "death"])
def test_nothing_is_left_after(arena: Arena, tier: Contained, cells: list[str]):
    before = mounts()
    driver = arena.driver(tier)
    answer = driver.order(**order(arena, cells))
    assert answer["alive"]
    assert trials(arena) != []
    assert "os._exit" in cells[-1] or arena.world.left() != []
    driver.order(close=True)
    assert arena.world.left() == []
    assert trials(arena) == []
    assert mounts() == before


def test_nothing_runs_on_when_the_caller_is_killed_and_the_next_one_sweeps(arena: Arena, tier: Contained):
    killed = Driven(arena.world, tier)
    assert killed.order(**order(arena, STAY))["alive"]
    assert arena.world.left() != []
    killed.process.send_signal(signal.SIGKILL)
    killed.process.wait()
    killed.close()
    assert wait_until(lambda: arena.world.left() == [], 10)
    assert arena.driver(tier).order(**order(arena, ["1"]))["alive"]
    arena.driver(tier).order(close=True)
    assert trials(arena) == []


@pytest.mark.skipif(bool(os.getuid()), reason="only root can mount a small disk")
def test_a_full_disk_is_told_and_leaves_nothing(arena: Arena, tier: Contained, user: User):
    small = f"mount -t tmpfs -o size=5m,mode=1777 tmpfs {arena.world.temp} && exec \"$@\""
    driver = Driven(arena.world, tier, before=("unshare", "--mount", "--", "sh", "-c", small, "sh"))
    try:
        told = driver.order(**order(arena, ["open('big', 'wb').write(bytes(20 * 2**20))", "print('goes on')"]))
        assert told["statuses"] == ["error", "ok"]
        assert "No space left on device" in told["text"]
        assert driver.order(close=True)["trials"] == []
        driver.order(**order(arena, []) | {"fill": True})
        refused = driver.order(**order(arena, ["1"]) | {"fresh": True})
        assert "refused" in refused, "it was opened on a disk that is full"
        assert "space" in refused["refused"]
        assert driver.order(close=True)["trials"] == []
    finally:
        driver.close()
    assert arena.world.left() == []


def test_root_is_given_a_cage_or_a_reason(arenas: Arenas):
    if reason := why_not(ROOT):
        pytest.skip(reason)
    for tier in CONTAINED:
        answer = arenas(ROOT).driver(tier).order(**order(arenas(ROOT), ["print('as', os.getuid())"]))
        assert answer.get("refused") or ("as" in answer["printed"] and "as 0\n" not in answer["printed"])
