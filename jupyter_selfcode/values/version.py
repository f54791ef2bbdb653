"""What was done: versions, each naming its parents by digest, and where undo and redo lead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from .canonical import digest
from .patch import Patch
from .prompt import Cost
from .request import Option
from .strength import Strength
from .trial import Finding

Kind = Literal["initial", "adapt", "edit", "check", "rollback", "undo", "redo"]
Outcome = Literal["deployed", "undone", "failed"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One candidate of a request, kept with the version for `why`: who proposed it and what was found."""

    proposer: str
    patch: str
    passed: bool
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One state of one notebook and how it came about.

    `notebook` is the digest of the whole notebook after the change, `patch` the change against the parent's.
    `by` is `person`, `policy` or `agent:NAME`; `restores` (rollback, undo, redo) the version whose state it restores.
    `mutants`: what its contract was worth against small mistakes. `at` is UTC, ISO 8601. `id` is the digest of all other fields, so the history is a hash chain.
    """

    id: str
    parents: tuple[str, ...]
    patch: Patch
    notebook: str
    kind: Kind
    by: str
    at: str
    words: str = ""
    trigger: str = ""
    triage: str = ""
    options: tuple[Option, ...] = ()
    proposer: str = ""
    model: str = ""
    prompt_hash: str = ""
    context_hash: str = ""
    rationale: str = ""
    level: int | None = None
    assumptions: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    tried: tuple[Attempt, ...] = ()
    trial_kind: str = ""
    cost: Cost = Cost()
    seconds: float = 0.0
    restores: str | None = None
    mutants: Strength | None = None

    @property
    def state(self) -> str:
        """Id of the version whose notebook this one holds: itself, or the one it restores."""
        return self.restores or self.id


def identity(version: Version) -> str:
    """What the id of a version must be: the digest of every other field."""
    return digest({f.name: getattr(version, f.name) for f in fields(version) if f.name != "id"})


def make_version(**given: Any) -> Version:
    """A version with its id computed. Takes every field of `Version` but `id`."""
    unnamed = Version(id="", **given)
    return Version(id=identity(unnamed), **given)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A version as the store holds it. `outcome` None: begun and never finished (interrupted)."""

    version: Version
    outcome: Outcome | None
    number: int
    """1 for a notebook's first version; people say `rollback 3`."""


Lineage = Sequence[Recorded]
"""The versions of one notebook, oldest first."""


def _stacks(lineage: Lineage) -> tuple[list[str], list[str]]:
    done: list[str] = []
    undone: list[str] = []
    for r in lineage:
        if r.outcome != "deployed":
            continue
        v = r.version
        if v.kind == "undo" and len(done) > 1:
            while done[-2] != v.restores and v.restores in done[:-1]:
                done.pop()  # hand edits that were found when the change below them was undone: they were kept
            undone.append(done.pop())
        elif v.kind == "redo" and undone:
            done.append(undone.pop())
        else:
            done.append(v.state)
            undone.clear()
    return done, undone


def in_force(lineage: Lineage) -> str | None:
    """The version whose state the notebook is in, a person's edits since left aside; None where there is none."""
    done, _ = _stacks(lineage)
    return done[-1] if done else None


def undo_target(lineage: Lineage) -> str | None:
    """The version that undo would restore, or None where there is nothing to undo."""
    done, _ = _stacks(lineage)
    return done[-2] if len(done) > 1 else None


def redo_target(lineage: Lineage) -> str | None:
    """The version that redo would restore, or None where nothing was undone."""
    _, undone = _stacks(lineage)
    return undone[-1] if undone else None


def left_behind(steps: Iterable[tuple[str, str | None, str]]) -> frozenset[str]:
    """Of versions that were deployed, told oldest first as (id, what it restores, kind): those that a later one left behind
    by bringing back an older state. One that restores what is older than all of them leaves all before it behind."""
    ids: list[str] = []
    places: dict[str, int] = {}
    behind: set[str] = set()
    for name, restores, kind in steps:
        if restores:
            behind.update(ids[places.get(restores, -1) + 1 :])
            if kind == "redo":
                behind.discard(restores)
        places[name] = len(ids)
        ids.append(name)
    return frozenset(behind)


def head(lineage: Lineage) -> Recorded | None:
    """The newest version that was deployed."""
    return next((r for r in reversed(lineage) if r.outcome == "deployed"), None)


def total_cost(versions: Iterable[Version]) -> Cost:
    """The sum of what they cost."""
    total = Cost()
    for v in versions:
        total = total + v.cost
    return total
