"""What is asked for, what triage made of it, and what is known when code is proposed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Trigger = Literal["words", "intent", "exception", "contract", "drift", "slow", "translate"]
TriageKind = Literal["transient", "environment", "stale", "code"]
Level = Literal["schema", "summary", "samples", "full"]
LEVELS: tuple[Level, ...] = ("schema", "summary", "samples", "full")
"""How much of the data may leave the machine, the least first. Names, types, shapes and exception types; also what
exceptions say, the end of what was printed, counts and rounded limits of columns; also a few masked rows; all text outputs."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Hard limits of one request. None means no limit of that kind. Seconds are wall time, usd is US dollars."""

    usd: float | None = 1.0
    tokens: int | None = 200_000
    attempts: int | None = 6
    seconds: float | None = 900.0


_FILE = re.compile(r" \((?:<[^()]*>|[^(),]*\.py|[^(),]*ipython-input[^(),]*), line (\d+)\)$")


def without_file(evalue: str) -> str:
    """What a syntax error says, without the file name that a kernel gave the cell: it is another in every session."""
    return _FILE.sub(r" (line \1)", evalue)


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception as a run reported it; the traceback is plain text without ANSI codes, `line` counts from 1."""

    cell_id: str
    ename: str
    evalue: str
    traceback: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One wish. `target` is the cell it is about, `scope` the cells that may change (empty: any, and new ones).

    For an intent or a broken contract `text` is the cell's own words; for an exception it may be empty. `since`: what has
    changed since the notebook last ran well (a library, the data), a line each. `language`: what a cell
    is written in that is to be translated.
    """

    text: str
    trigger: Trigger = "words"
    target: str | None = None
    scope: tuple[str, ...] = ()
    failure: Failure | None = None
    budget: Budget = Budget()
    since: tuple[str, ...] = ()
    language: str = ""


Benefit = Literal["", "nothing", "may mend it", "mends it"]


@dataclass(frozen=True, slots=True)
class Option:
    """A course of action that was weighed: do nothing, re-run, roll back, ask, rules, model … `brings` says whether it can
    mend this trouble, `seconds` (None: not known) and `calls` of a model what it takes at most, `risk` what it may do."""

    name: str
    chosen: bool
    reason: str
    brings: Benefit = ""
    seconds: float | None = None
    calls: int = 0
    risk: str = ""


@dataclass(frozen=True, slots=True)
class Triage:
    """What kind of trouble it is, why, the options weighed, and (stale) the cells to run again, in order."""

    kind: TriageKind
    reason: str
    options: tuple[Option, ...] = ()
    rerun: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """What is known of a live variable: its name, type, and a summary (shape, schema, module; never values).

    `statistics` are counts of nulls and rounded limits, `rows` the column names and then at most five rows, as text: these
    leave the machine only at the levels that allow it (`stages.gather`).
    """

    name: str
    type: str
    summary: str = ""
    statistics: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of knowledge for the prompt: `kind` is signature, lesson, document, output …"""

    kind: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a proposer may use, ranked: cells on the dataflow slice first. `level` says how much may leave the machine,
    `redacted` what was taken out of it, by kind."""

    cells: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()
    passages: tuple[Passage, ...] = ()
    level: Level = "summary"
    redacted: tuple[tuple[str, int], ...] = ()
