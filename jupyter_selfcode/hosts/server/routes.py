"""What can be asked of the server: one table, from which the handlers and the OpenAPI document are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ... import overview, reading
from ...analysis.changes import CellChange, cell_changes
from ...commands import COMMANDS
from ...reply import Reply
from ...selfcode import Workspace
from ...values.canonical import plain
from ...values.errors import BadInput
from ...values.notebook import Notebook
from ...values.shown import Versions
from ...views.drawn import Drawn

MOST = 1_000
"""Versions in one answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A command's answer: data, the same as a view, the exit code that a shell would have, and (of changes) the cells that
    differ, whole."""

    data: Mapping[str, Any]
    view: Drawn
    exit_code: int = 0
    cells: tuple[CellChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the grammar."""

    name: str
    help: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grammar:
    """All words."""

    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of the grammar for the notebook at `path`, as it would be typed after `%selfcode`. `settings` are those of the
    person who asks, by name: where there is no session, nobody else knows them."""

    path: str
    line: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Which:
    """The notebook at `path`, relative to the server's root."""

    path: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Whether something was at work that was told to stop."""

    stopped: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of a reading route."""

    name: str
    help: str
    required: bool = False
    integer: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A route that reads one notebook: its name, what it says, its parameters, the kind of its answer."""

    name: str
    help: str
    answer: Any
    read: Callable[[Workspace, Mapping[str, str]], Any]
    parameters: tuple[Query, ...] = ()


def answer(reply: Reply, cells: tuple[CellChange, ...] = ()) -> dict[str, Any]:
    """A reply in the form of `Answer`."""
    return {
        "data": plain(reply.data),
        "view": reply.view.data(),
        "exit_code": reply.exit_code,
        "cells": plain(cells),
    }


def number(given: Mapping[str, str], name: str) -> int | None:
    """A whole number among the parameters. Raises `BadInput`."""
    text = given.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput(f"{name} must be a whole number, not {text!r}.")
    return int(text) if text else None


def _ask(workspace: Workspace, word: str, **arguments: Any) -> Reply:
    from argparse import Namespace

    return COMMANDS[word].run(workspace, Namespace(**arguments), lambda event: None)


def _versions(workspace: Workspace, given: Mapping[str, str]) -> Any:
    limit = number(given, "limit")
    return plain(
        overview.timeline(
            workspace.lineage(), limit=min(MOST, 100 if limit is None else limit), before=number(given, "before")
        )
    )


def _version(workspace: Workspace, given: Mapping[str, str]) -> Any:
    found = reading.find(workspace, given.get("name", ""))
    view, cells = overview.version_seen(workspace, found)
    data = {"version": found.version, "number": found.number, "outcome": found.outcome, "row": reading.row(found)}
    return answer(Reply(data, view), cells)


def _state_of(workspace: Workspace, name: str) -> Notebook:
    if name == "now":
        return workspace.notebook()
    return workspace.store.notebook(reading.find(workspace, name).version.notebook)


def _diff(workspace: Workspace, given: Mapping[str, str]) -> Any:
    one, other = given.get("from") or "head", given.get("to") or "now"
    if one == "now":
        raise BadInput("from must be a version: a number, the start of an id, or head.")
    reply = _ask(workspace, "diff", version=one, other=None if other == "now" else other)
    return answer(reply, cell_changes(_state_of(workspace, one), _state_of(workspace, other)))


def _waiting(workspace: Workspace, given: Mapping[str, str]) -> Any:
    name, decided = workspace.waiting.pick(given.get("name") or None)
    view, cells = overview.proposal_seen(workspace, name, decided)
    data = {"name": name, "decided": plain(decided), "waits": plain(overview.waits(name, decided))}
    return answer(Reply(data, view), cells)


def _blame(workspace: Workspace, given: Mapping[str, str]) -> Any:
    return answer(_ask(workspace, "blame", cell=given.get("cell")))


def _why(workspace: Workspace, given: Mapping[str, str]) -> Any:
    return answer(_ask(workspace, "why", cell=given.get("cell")))


def _word(word: str, **arguments: Any) -> Callable[[Workspace, Mapping[str, str]], Any]:
    return lambda workspace, given: answer(_ask(workspace, word, **arguments))


_NAMED = "number of a version, start of its id, or head"
_CELL = Query("cell", "cell id, or its place among the code cells from 1", required=True)

READING: tuple[Reading, ...] = (
    Reading(
        "versions", "The versions with their lanes, newest first", Versions, _versions,
        (Query("limit", f"how many, at most {MOST}; 100 where it is not given", integer=True),
         Query("before", "only versions with a smaller number", integer=True)),
    ),
    Reading("version", "One version, whole", Answer, _version, (Query("name", _NAMED),)),
    Reading(
        "diff", "What differs between two versions, or a version and now", Answer, _diff,
        (Query("from", _NAMED), Query("to", f"{_NAMED}, or now")),
    ),
    Reading("waiting", "A proposal that waits", Answer, _waiting, (Query("name", "its name, or the start of it; the newest where it is not given"),)),
    Reading("blame", "Which version made each line of a cell", Answer, _blame, (_CELL,)),
    Reading("why", "Why a cell is as it is", Answer, _why, (_CELL,)),
    Reading("cost", "What was spent: in all, per version, per day, per change still alive", Answer, _word("cost")),
    Reading("models", "Which models can be reached", Answer, _word("model", name=None)),
    Reading("doctor", "What was found on this machine, and what to do", Answer, _word("doctor")),
    Reading("export", "The lineage as JSON", Answer, _word("export")),
)  # fmt: skip


def grammar() -> Grammar:
    """All words that `command` takes."""
    return Grammar(
        tuple(Word(c.name, c.help, tuple(a.flags[0] for a in c.arguments)) for c in COMMANDS.values())
    )

