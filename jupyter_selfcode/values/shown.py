"""What a sidebar or a panel shows of one notebook, worked out here once: hosts only draw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Spending:
    """What the adaptations of a notebook took in all, and for each of those that are still alive (None: none is)."""

    versions: int
    alive: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    seconds: float
    estimated: bool
    replayed: bool
    usd_per_change_alive: float | None
    tokens_per_change_alive: float | None


@dataclass(frozen=True, slots=True)
class Waits:
    """A proposal that waits for a decision, in short. `title` is its first line in words, `words` what was asked for."""

    name: str
    title: str
    words: str
    trigger: str
    reason: str
    level: int | None
    level_name: str
    cells: tuple[str, ...]
    proposer: str
    model: str
    usd: float | None
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class State:
    """The first look at a notebook. `head` is the newest version, `in_force` the one whose state the notebook is in, `undo` and
    `redo` what these would bring back; ids, None where there is none. `store` says whether the history can be read.
    `watched`: since when it is watched (UTC, ISO 8601; None: it is not), `told`: what was no longer as it had been."""

    notebook: str
    version: str
    store: Literal["ok", "none", "broken"]
    message: str = ""
    total: int = 0
    head: str | None = None
    in_force: str | None = None
    undo: str | None = None
    redo: str | None = None
    waiting: tuple[Waits, ...] = ()
    cost: Spending | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    watched: str | None = None
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A version in a timeline. `lane` is 0, or 1 for what was left behind or did not come about; `edges` are the lines from
    this row down to the next older one, each from a lane to a lane. `at` is UTC, ISO 8601."""

    number: int
    id: str
    kind: str
    outcome: str | None
    by: str
    at: str
    words: str
    trigger: str
    proposer: str
    model: str
    level: int | None
    cells: tuple[str, ...]
    parents: tuple[str, ...]
    restores: str | None
    usd: float | None
    tokens: int
    calls: int
    seconds: float
    replayed: bool
    rationale: str
    level_name: str
    current: bool
    behind: bool
    lane: int
    edges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """Some of the versions of a notebook, newest first, and how many there are in all."""

    total: int
    versions: tuple[Row, ...]
