"""The one grammar: every word of `%selfcode` and of `jupyter selfcode`, what it takes and what it does.

A host parses with `parse_line` (magics: free text is words, whatever braces, quotes, `%` or `$` it holds) or with
`grammar.add_arguments` on its own argparse parser (command line: the shell has split the words already), then calls `run`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import looking, reading, revising, sending, suggesting, views
from .analysis import contract
from .analysis.staleness import told
from .grammar import Argument, argument, read, unquoted
from .looking import NEWEST, Tell
from .reply import Reply, spoken
from .selfcode import Workspace
from .values.canonical import plain
from .values.decision import Accept, Ask
from .values.errors import BadInput
from .values.events import Decided, Said
from .values.notebook import Cell, Notebook
from .values.request import Failure, Request
from .values.strength import Strength, summary
from .values.version import Version
from .waiting import proposal_id

LANGUAGES = ("sql", "r", "julia", "pandas", "polars")


@dataclass(frozen=True)
class Command:
    """A word of the grammar."""

    name: str
    help: str
    run: Callable[[Workspace, argparse.Namespace, Tell], Reply]
    arguments: tuple[Argument, ...] = ()


# ---- what the words do ---------------------------------------------------------------------------------------------


def follow(workspace: Workspace, request: Request, tell: Tell, **given: Any) -> Reply:
    """Propose, and deploy where the policy accepts. The way of every request that a person or a failure makes."""
    before = workspace.notebook()
    for line in told(reading.stale(workspace), before):
        tell(Said(line))
    decided: Decided | None = None
    for event in workspace.propose(request, tick=getattr(tell, "tick", None), **given):
        tell(event)
        if isinstance(event, Decided):
            decided = event
    if decided is None:
        raise BadInput("The request ended without a decision; ask again.")
    return settle_decision(workspace, decided, before)


def settle_decision(workspace: Workspace, decided: Decided, before: Any) -> Reply:
    """What follows from a decision: Accept is deployed by the policy, Ask waits, Reject is told."""
    decision = decided.decision
    if isinstance(decision, Accept):
        version = workspace.accept(decided, by="policy")
        return deployed(workspace, version, before, decided)
    data = {"status": "proposed" if isinstance(decision, Ask) else decision.status, "decision": plain(decision.reason)}
    if isinstance(decision, Ask):
        name = proposal_id(decided)
        data |= {"proposal": name, "level": decision.trial.level, "findings": plain(decision.trial.findings)}
        data |= {"strength": _strength(decision.trial.strength), "size": plain(decision.trial.size)}
        data |= {"patch": plain(decision.trial.candidate.patch), "rationale": decision.trial.candidate.rationale}
    data |= {"triage": plain(decided.triage), "cost": plain(decided.cost), "seconds": decided.seconds}
    codes = {"environment": 21, "transient": 21, "budget": 30, "failed": 20, "reported": 20, "cancelled": 20}
    code = 11 if isinstance(decision, Ask) else codes[decision.status]
    view = views.proposal(decided, before, promise=workspace.engine.sandbox.promise, speak=spoken(workspace))
    return Reply(data, view, code)


def deployed(workspace: Workspace, version: Version | None, before: Any, decided: Decided | None = None) -> Reply:
    """The reply to a change that was made."""
    reports = [line for s in workspace.surfaces if (line := s.report())]
    if version is None:
        return Reply({"status": "rerun"}, views.message("Ran the cells again; no code was changed.", "ok"))
    number = workspace.lineage()[-1].number
    data = {"status": "deployed", "version": version.id, "number": number, "kind": version.kind, "by": version.by,
            "level": version.level, "cells": list(version.patch.cells), "reports": reports, "cost": plain(version.cost),
            "strength": _strength(version.mutants)}
    view = views.deployed(version, number, before, workspace.notebook(), reports, speak=spoken(workspace))
    return Reply(data, view)


def _strength(strength: Strength | None) -> Mapping[str, Any] | None:
    """What a contract is worth against small mistakes, with the counts that people are shown."""
    if strength is None:
        return None
    return {**plain(strength), "caught": strength.caught, "counted": strength.counted, "summary": summary(strength)}


def _adapt(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    words = unquoted(args.words)
    if not words:
        raise BadInput('Say in words what to change: adapt "plot revenue per month".')
    if not _asks_a_model(workspace):
        raise BadInput(_no_model(workspace))
    cells = [reading.cell(workspace, name) for name in args.cell or ()]
    return follow(workspace, _words_request(workspace, words, cells), tell)


def _asks_a_model(workspace: Workspace) -> bool:
    return any(p.name != "rules" for p in workspace.engine.proposers)


def _words_request(workspace: Workspace, words: str, cells: Sequence[Cell]) -> Request:
    """The request that a person's words make; `cells` are all that may change (none: any)."""
    scope = tuple(c.id for c in cells)
    return Request(words, "words", scope[0] if len(scope) == 1 else None, scope, budget=workspace.settings.budget())


def _no_model(workspace: Workspace) -> str:
    if workspace.settings.model:
        return f"Words are for the proposer llm, and the proposers are {', '.join(workspace.settings.proposers) or 'none'}."
    how = "--model NAME" if workspace.session is None else "%selfcode model NAME"
    return f"Words need a model, and none is set: {how}. Which ones can be reached is told by: {spoken(workspace)('model')}"


def _fix(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    failure, before = workspace.last_failure(tell)
    if failure is None:
        return Reply({"status": "ok"}, views.message("Nothing has failed.", "ok"))
    return follow(workspace, fix_request(workspace, failure, unquoted(args.words)), tell, before=before)


def _optimize(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    cell = reading.cell(workspace, args.cell).id if args.cell else None
    scope = (cell,) if cell else ()
    return follow(workspace, Request(unquoted(args.words), "slow", cell, scope, budget=workspace.settings.budget()), tell)


def _translate(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    if not args.language:
        raise BadInput(f"Say what the cell is written in: translate --from {'|'.join(LANGUAGES)} --cell CELL.")
    if not _asks_a_model(workspace):
        raise BadInput(_no_model(workspace))
    cell = reading.cell(workspace, args.cell).id
    request = Request(unquoted(args.words), "translate", cell, (cell,), budget=workspace.settings.budget(), language=args.language)
    return follow(workspace, request, tell)


def fix_request(workspace: Workspace, failure: Failure, words: str = "") -> Request:
    """The request that a failure makes."""
    trigger = "contract" if failure.ename == "ContractBroken" else "exception"
    since = told(reading.stale(workspace), workspace.notebook())
    return Request(words, trigger, failure.cell_id, (), failure, workspace.settings.budget(), since)  # type: ignore[arg-type]


def _send(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    if not _asks_a_model(workspace):
        raise BadInput(f"Nothing is sent anywhere. {_no_model(workspace)}")
    words, cells = unquoted(args.words), [reading.cell(workspace, name) for name in args.cell or ()]
    failure, before = (None, None) if words else workspace.last_failure(tell)
    if not words and failure is None:
        raise BadInput('Nothing has failed. Give the words of a request: send "plot revenue per month".')
    request = fix_request(workspace, failure) if failure else _words_request(workspace, words, cells)
    data = sending.would_send(workspace, request, tell, before)
    return Reply(data, views.would_send(data))


def _check(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    expression = unquoted(args.expression)
    if args.suggest or args.take:
        if expression:
            raise BadInput("Say one of both: an expression to add, or --suggest (--take), which finds expressions.")
        return _suggest(workspace, args, tell)
    try:
        compile(expression, "<check>", "eval")
    except (SyntaxError, ValueError) as e:
        raise BadInput(f"Not an expression that can be checked: {expression!r} ({e.__class__.__name__}).") from None
    cell = reading.cell(workspace, args.cell)
    before = workspace.notebook()
    source = contract.with_example(cell.source, expression)
    cells = tuple(replace(c, source=source) if c.id == cell.id else c for c in before.cells)
    version = workspace.amend(Notebook(cells, before.metadata), f"check {expression}")
    return deployed(workspace, version, before)


def _suggest(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    cell = reading.cell(workspace, args.cell)
    if args.take:
        version, before = suggesting.take(workspace, cell, args.take)
        return deployed(workspace, version, before)
    found = suggesting.suggest(workspace, cell, tell)
    return Reply(suggesting.told(found), views.suggested(found.cell.id, suggesting.told(found), speak=spoken(workspace)))


def _accept(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    _, decided = workspace.waiting.pick(args.name)
    before = workspace.notebook()
    cells = _touched(decided, getattr(args, "cell", None) or ())
    return deployed(workspace, workspace.accept(decided, cells=cells), before, decided)


def _touched(decided: Decided, names: Sequence[str]) -> tuple[str, ...]:
    """Of the cells that a proposal changes those with these ids, or starts of ids. Raises `BadInput`."""
    trial = decided.decision.trial if isinstance(decided.decision, (Accept, Ask)) else None
    cells = trial.candidate.patch.cells if trial else ()
    if strange := [n for n in names if not any(c.startswith(n) for c in cells)]:
        raise BadInput(f"This proposal changes no cell {strange[0]!r}; it changes {', '.join(cells) or 'none'}.")
    return tuple(c for c in cells if any(c.startswith(n) for n in names))


def _reject(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    why = unquoted(args.why)
    name = workspace.waiting.reject(args.name, why)
    said = f"Rejected {name}." + (" The reason is kept for later proposals." if why else "")
    return Reply({"status": "rejected", "proposal": name}, views.message(said, "ok"))


def _revise(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    sources = revising.sources_in(args.sources if isinstance(args.sources, str) else " ".join(args.sources))
    name, decided = workspace.waiting.pick(args.name)
    return settle_decision(workspace, revising.revise(workspace, name, decided, sources, tell), workspace.notebook())


def _rollback(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    before = workspace.notebook()
    target = reading.find(workspace, args.version).version if args.version else None
    return deployed(workspace, workspace.restore("rollback", target), before)


def _undo(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    before = workspace.notebook()
    return deployed(workspace, workspace.restore("undo"), before)


def _redo(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    before = workspace.notebook()
    return deployed(workspace, workspace.restore("redo"), before)


_CELL = argument("--cell", metavar="CELL", help="cell id, or place among the code cells from 1")
_FROM = argument("--from", dest="language", choices=LANGUAGES, help="what the cell is written in (pandas becomes polars)")
_SLOW = argument("--cell", metavar="CELL", help="the cell to make faster (none: the slowest)")
_CELLS = argument("--cell", metavar="CELL", action="append", help="a cell that may change (again for more); none: any")
_PART = argument("--cell", metavar="CELL", action="append", help="only what it does to this cell, by its id (again for more)")
_VERSION = "number, start of an id, or head"

COMMANDS: dict[str, Command] = {
    c.name: c
    for c in (
        Command("", "versions, what waits for a decision, cost, settings", looking.panel),
        Command("adapt", "change the notebook as the words say", _adapt, (argument("words", free=True, nargs="*", help="what to change"), _CELLS)),
        Command("fix", "repair the last error at its root cause", _fix, (argument("words", free=True, nargs="*", help="a hint"),)),
        Command("send", "show the very request that adapt (words) or fix (none) would send to the model; send nothing", _send, (argument("words", free=True, nargs="*", help="a request (none: the last error)"), _CELLS)),
        Command("check", "add an expression to a cell's contract, or suggest some", _check, (argument("expression", free=True, nargs="*"), argument("--suggest", action="store_true", help="show expressions that an observed run makes likely; add none"), argument("--take", metavar="N,…", help="add these of the suggestions, by their numbers"), _CELL)),
        Command("optimize", "same results, measurably faster or smaller; refused if not both", _optimize, (argument("words", free=True, nargs="*", help="a hint"), _SLOW)),
        Command("translate", "put a cell of another language into Python, shown to give the same", _translate, (argument("words", free=True, nargs="*", help="a hint"), _FROM, _CELL)),
        Command("accept", "accept what waits, or a part of it", _accept, (argument("name", nargs="?", help="which (none: the newest)"), _PART)),
        Command("reject", "reject what waits, with a reason", _reject, (argument("why", free=True, nargs="*", help="the reason"), argument("--name", help="which (none: the newest)"))),
        Command("revise", "edit what waits; it is tried again, and waits as you wrote it", _revise, (argument("sources", free=True, nargs="*", help='JSON: {"CELL ID": "new source"}'), argument("--name", help="which (none: the newest)"))),
        Command("history", "the versions", looking.history, (argument("--graph", action="store_true", help="with lanes"), argument("--all", action="store_true", help=f"not only the newest {NEWEST}"))),
        Command("show", "one version, whole", looking.show, (argument("version", nargs="?", default="head", help=_VERSION),)),
        Command("diff", "two versions, or a version and now", looking.diff, (argument("version", nargs="?", help=_VERSION), argument("other", nargs="?", help=_VERSION))),
        Command("blame", "which version made each line of a cell", looking.blame, (argument("cell", nargs="?"),)),
        Command("why", "why a cell is as it is", looking.why, (argument("cell", nargs="?"),)),
        Command("rollback", "a new version that restores an old one", _rollback, (argument("version", nargs="?", help=_VERSION),)),
        Command("undo", "take the last change back", _undo),
        Command("redo", "bring back what undo took", _redo),
        Command("cost", "tokens, money, seconds; per change still alive", looking.cost),
        Command("model", "which models are reachable; name one to use it", looking.model, (argument("name", nargs="?"),)),
        Command("watch", "adapt unasked where something fails, and tell of data that drifts: on, off; none: what is watched", looking.watch, (argument("turn", nargs="?", choices=("on", "off")),)),
        Command("doctor", "what was found here, and what to do", looking.doctor),
        Command("verify", "recompute every hash of the history", looking.verify),
        Command("export", "the lineage as JSON", looking.export, (argument("--json", action="store_true", dest="as_json", help="as JSON (the only form so far)"),)),
    )
}


def parse_line(line: str, default: str = "") -> tuple[Command, argparse.Namespace]:
    """A magic's line: the command and its arguments. Free text is taken as it stands. Raises `BadInput`."""
    name, _, rest = line.strip().partition(" ")
    if name not in COMMANDS:
        near = ", ".join(n for n in COMMANDS if n)
        raise BadInput(f"%selfcode does not know the word {name!r}. It knows: {near}.")
    command = COMMANDS[name or default]
    return command, read(f"%selfcode {name}".strip(), command.arguments, rest)
