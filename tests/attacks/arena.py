"""Where attacker and sandbox meet: orders to a driver that runs as some user, and what the oracles saw meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.attacks.attacks import Attack
from tests.attacks.users import ROOT, User
from tests.attacks.world import IN_FOLDER, World, wait_until

DRIVER = Path(__file__).with_name("driver.py")

GROWTH = 50 * 2**20
"""Bytes by which the parent may grow in an attack."""

DISK = 400 * 2**20
"""Bytes that may lie on the host's disks, or in its memory as files, during an attack."""

PATIENCE = 120.0
"""Seconds after which a driver that does not answer is taken for broken by the attack."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of an attack did, as seen from outside. `through` has the evidence, by oracle."""

    through: Mapping[str, Any]
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The state of the kernel after it."""
        return str(self.answer.get("state", ""))

    @property
    def refused(self) -> str:
        """Why no kernel was opened; empty where one was."""
        return str(self.answer.get("refused", ""))


class Driven:
    """A driver that runs as a user, in their environment."""

    def __init__(self, world: World, kind: str, before: tuple[str, ...] = ()) -> None:
        self.kind = kind
        argv = [*before, *world.user.command(sys.executable, str(DRIVER), kind)]
        repository = Path(__file__).parents[2]
        self.said = (world.base / f"driver-{kind}").open("w+b")
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True, cwd=world.base,
            env=world.environment | {"PYTHONPATH": str(repository)}, start_new_session=True,
        )  # fmt: skip

    def order(self, **order: Any) -> dict[str, Any]:
        """Send an order and wait for its answer. Raises `RuntimeError` where the driver broke."""
        assert self.process.stdin
        assert self.process.stdout
        too_long = threading.Timer(PATIENCE, self.process.kill)
        too_long.start()
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            too_long.cancel()
        if not line:
            self.process.wait()
            self.said.seek(0)
            raise RuntimeError(f"the driver ended with {self.process.returncode}: {self.said.read().decode()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it, and so its kernel."""
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()
        self.said.close()


class Arena:
    """A user's world, and a driver for each kind of kernel in it."""

    def __init__(self, user: User) -> None:
        self.world = World(user)
        self._drivers: dict[str, Driven] = {}
        self._controls: dict[str, Outcome | None] = {}
        self._reasons: dict[str, str] = {}

    def __enter__(self) -> Arena:
        self.world.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for driver in self._drivers.values():
            driver.close()
        self.world.__exit__()

    def driver(self, kind: str) -> Driven:
        """The running driver of this kind."""
        if kind not in self._drivers or self._drivers[kind].process.poll() is not None:
            self._drivers[kind] = Driven(self.world, kind)
        return self._drivers[kind]

    def rest(self) -> None:
        """Close the kernels of all drivers."""
        for driver in self._drivers.values():
            if driver.process.poll() is None:
                driver.order(close=True)

    def why_no_cage(self, tier: str) -> str:
        """Why this user is given no cage of this tier, in one line; empty where they are."""
        if tier not in self._reasons:
            answer = self.driver(tier).order(cells=[], folder=str(self.world.folder), facts=self.world.facts)
            self._reasons[tier] = str(answer.get("refused", ""))
        return self._reasons[tier]

    def control(self, attack: Attack, other: Arena | None) -> Outcome | None:
        """The attack on a plain kernel, once. None where there is no control; `other` is root's arena, if there is one."""
        if attack.bare or (attack.bare_as_root and self.world.user == ROOT):
            return None
        if attack.needs_root and self.world.user != ROOT:
            return other.control(attack, None) if other else None
        if attack.as_user and self.world.user.name != attack.as_user:
            return None
        if attack.id not in self._controls:
            self._controls[attack.id] = self.run(attack, "plain", attack.control or attack.cells)
        return self._controls[attack.id]

    def run(self, attack: Attack, kind: str, cells: Sequence[str]) -> Outcome:
        """Run cells, and look at every oracle."""
        world, driver = self.world, self.driver(kind)
        world.revive()
        facts = world.facts | {
            "driver": driver.process.pid, "bare": kind == "plain", "net": os.readlink("/proc/self/ns/net"),  # noqa: PTH115
            "memory": attack.limits.get("memory", 0),
        }  # fmt: skip
        order = {"cells": list(cells), "folder": str(world.folder), "facts": facts, "limits": dict(attack.limits)}
        opened = driver.order(**order | {"cells": [], "fresh": attack.alone})
        if "refused" in opened:
            return Outcome({}, opened)
        before = world.snapshot()
        world.listeners.take()
        world.typed()
        try:
            with Filled((world.base,), world.mark) as filled:
                answer = driver.order(**order)
            if attack.alone or answer["state"] != "complete":
                driver.order(close=True)
        except RuntimeError as e:
            return Outcome({"parent": str(e)})
        if attack.closes:
            time.sleep(attack.later)
            wait_until(lambda: not world.left(), 1.0)
        after = world.snapshot()
        hits = world.listeners.take()
        found = {
            "canary": sorted(world.read_in(answer["text"])), "mark": "GOT THROUGH" in answer["printed"],
            "listener": hits, "changed": world.changed(before, after), "victim": world.hurt(),
            "left": world.left() if attack.closes else [], "terminal": world.typed().decode(errors="replace"),
            "parent": answer["grown"] if answer["grown"] > GROWTH else 0,
            "disk": filled.bytes if filled.bytes > DISK else 0,
        }  # fmt: skip
        if attack.oracle == "state" and kind == "plain":
            found["state"] = answer["state"] if answer["state"] != "complete" else ""
        world.end_left()
        if found["changed"]:
            world.repair(before, after)
        return Outcome({k: v for k, v in found.items() if v}, answer)


class Filled:
    """How many bytes lie in folders, and under a mark in the places for everybody, at the most during something."""

    def __init__(self, folders: Iterable[Path], mark: str) -> None:
        self._folders, self._mark, self.bytes = list(folders), mark, 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Filled:
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._end.wait(0.1):
            self.bytes = max(self.bytes, sum(_sizes(self._files())))

    def _files(self) -> Iterator[Path]:
        for folder in self._folders:
            for place, _, names in os.walk(folder):
                yield from (Path(place, name) for name in names)
        for place in ("/tmp", "/var/tmp", "/dev/shm", "/run"):
            yield from Path(place).glob(f"{self._mark}-*")

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        for path in self._files():
            if path.name.startswith(f"{self._mark}-") and path.parent in map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/run")):
                with contextlib.suppress(OSError):
                    path.unlink()


def _sizes(files: Iterable[Path]) -> Iterator[int]:
    for path in files:
        with contextlib.suppress(OSError):
            yield path.lstat().st_blocks * 512


def beyond(outcome: Outcome, attack: Attack, tier: str) -> dict[str, Any]:
    """What got through and is not left open by the tier's promise."""
    through = dict(outcome.through)
    if tier in attack.stated:
        return {}
    if tier == "B" and "canary" in through:
        # The notebook's own folder can be read there, as its promise says; a row of its own quotes it.
        through["canary"] = [name for name in through["canary"] if name not in IN_FOLDER]
    return {k: v for k, v in through.items() if v}
