"""The one grammar: every word of `%selfcode` and of `jupyter selfcode`, what it takes and what it does.

A host parses with `parse_line` (magics: free text is words, whatever braces, quotes, `%` or `$` it holds) or with
`grammar.add_arguments` on its own argparse parser (command line: the shell has split the words already), then calls `run`.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import reading, revising, sending, suggesting, views
from .analysis import contract
from .analysis.staleness import told
from .codec import to_json
from .grammar import Argument, argument, read, unquoted
from .selfcode import Workspace
from .values.canonical import plain
from .values.decision import Accept, Ask
from .values.errors import BadInput
from .values.events import Decided, Event, Said
from .values.notebook import Cell, Notebook
from .values.request import Failure, Request
from .values.strength import Strength, summary
from .values.version import Version
from .waiting import proposal_id
from .watching import Watching

Tell = Callable[[Event], None]
NEWEST = 50
"""How many versions `history` shows where not all are asked for."""
RECENT = 5
"""How many a notebook shows at first."""


@dataclass(frozen=True)
class Reply:
    """What a command answers: data for `--json`, a view for people, an exit code for the shell."""

    data: Mapping[str, Any]
    view: views.View
    exit_code: int = 0


@dataclass(frozen=True)
class Command:
    """A word of the grammar."""

    name: str
    help: str
    run: Callable[[Workspace, argparse.Namespace, Tell], Reply]
    arguments: tuple[Argument, ...] = ()


def spoken(workspace: Workspace) -> Callable[[str], str]:
    """How a word of the grammar is typed here: as a magic in a live session, else as a shell command."""
    if workspace.session is not None:
        return views.in_magic

    def in_shell(line: str) -> str:
        word, _, rest = line.partition(" ")
        return " ".join(p for p in ("jupyter selfcode", word, shlex.quote(workspace.typed or workspace.path), rest) if p)

    return in_shell


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


def _panel(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    lineage, waiting = workspace.lineage(), workspace.waiting.all()
    stale = reading.stale(workspace)
    data = {"notebook": workspace.path, "versions": len(lineage), "waiting": list(waiting), "stale": plain(stale),
            "cost": plain(reading.costs(lineage, workspace.notebook())), "settings": reading.settings_of(workspace)}
    rows = [reading.row(r) for r in lineage[-RECENT:]] if workspace.session is not None else []
    return Reply(data, views.panel(workspace.path, lineage, waiting, data["cost"], data["settings"], rows=rows,
                                   speak=spoken(workspace), stale=told(stale, workspace.notebook())))


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


def _history(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    lineage, waiting = workspace.lineage(None if args.all else NEWEST), workspace.waiting.all()
    rows = [reading.row(r) for r in lineage]
    total = rows[-1]["number"] if rows else 0
    return Reply({"notebook": workspace.path, "total": total, "versions": rows, "waiting": list(waiting)},
                 views.history(workspace.path, rows, waiting, graph=args.graph, total=total, speak=spoken(workspace)))


def _show(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    recorded = reading.find(workspace, args.version)
    a, b = reading.around(workspace, recorded)
    return Reply({"version": plain(recorded.version), "number": recorded.number, "outcome": recorded.outcome},
                 views.version(recorded, a, b))


def _diff(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    if args.version is None:
        first, a, second, b = "head", reading.head_notebook(workspace), "now", workspace.notebook()
    else:
        one = reading.find(workspace, args.version)
        first, a = f"v{one.number}", workspace.store.notebook(one.version.notebook)
        if args.other is None:
            second, b = "now", workspace.notebook()
        else:
            two = reading.find(workspace, args.other)
            second, b = f"v{two.number}", workspace.store.notebook(two.version.notebook)
    return Reply({"from": first, "to": second, "cells": reading.changes(a, b)}, views.diff(a, b, f"{first} → {second}"))


def _blame(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    cell = reading.cell(workspace, args.cell)
    rows = reading.blame(workspace, cell)
    return Reply({"cell": cell.id, "lines": rows}, views.blame(cell, rows))


def _why(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    cell = reading.cell(workspace, args.cell)
    stale = told([s for s in reading.stale(workspace) if s.cell_id == cell.id], workspace.notebook())
    found, newest = reading.last_change(workspace, cell)
    back = f"brought back by version {newest.number}, {newest.version.kind}" if newest and newest is not found else ""
    if found is None:
        said = f"Cell {cell.id} is as it was found" if back else f"No version has changed cell {cell.id}"
        said = " ".join([f"{said}{f', {back}' if back else ''}.", *stale])
        return Reply({"cell": cell.id, "version": None, "stale": stale}, views.message(said, "warning" if stale else "ok"))
    return Reply({"cell": cell.id, "version": plain(found.version), "number": found.number,
                  "brought_back_by": newest.number if newest and back else None, "stale": stale}, views.why(found, back, stale))


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


def _watch(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    if args.turn:
        Watching(workspace.store, workspace.path).turn(args.turn == "on")
    data = reading.watched(workspace)
    if data["since"] is None:
        return Reply(data, views.message(f"Nothing is watched. To begin: {spoken(workspace)('watch on')}", "plain"))
    kept = f"compared with the run of {data['record'][:10]}" if data["record"] else "the next run that goes well is what later ones are compared with"
    said = [f"Watched since {data['since'][:10]}: {kept}.", *data["told"]]
    if numbers := data["probation"]:
        said.append(f"On probation: version {', '.join(map(str, numbers))}.")
    return Reply(data, views.message(" ".join(said), "warning" if data["told"] else "ok"))


def _cost(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    data = reading.costs(workspace.lineage(), workspace.notebook()) | {"sent": sending.log(workspace)}
    data |= {"unasked": reading.unasked(workspace)}
    return Reply(data, views.cost(data))


def _model(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    if args.name:
        workspace.use_model(args.name)
    data = reading.models(workspace)
    if args.name and workspace.session is None:
        data["note"] = (
            f"A command keeps no settings. Name it to each: --model {args.name}, or for good in "
            f"jupyter_selfcode_config.py: c.SelfCode.model = {args.name!r}"
        )
    return Reply(data, views.models(data))


def _doctor(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    data = reading.doctor(workspace)
    return Reply(data, views.doctor(data), 0 if data["ok"] else 21)


def _verify(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    problems = list(workspace.store.verify())
    count = len(workspace.lineage())
    return Reply({"ok": not problems, "versions": count, "problems": problems}, views.verified(count, problems),
                 20 if problems else 0)


def _export(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    data = {"notebook": workspace.path, "versions": [plain(r) for r in workspace.lineage()]}
    return Reply(data, views.message(to_json(data, indent=1), "plain"))


_CELL = argument("--cell", metavar="CELL", help="cell id, or place among the code cells from 1")
_CELLS = argument("--cell", metavar="CELL", action="append", help="a cell that may change (again for more); none: any")
_PART = argument("--cell", metavar="CELL", action="append", help="only what it does to this cell, by its id (again for more)")
_VERSION = "number, start of an id, or head"

COMMANDS: dict[str, Command] = {
    c.name: c
    for c in (
        Command("", "versions, what waits for a decision, cost, settings", _panel),
        Command("adapt", "change the notebook as the words say", _adapt, (argument("words", free=True, nargs="*", help="what to change"), _CELLS)),
        Command("fix", "repair the last error at its root cause", _fix, (argument("words", free=True, nargs="*", help="a hint"),)),
        Command("send", "show the very request that adapt (words) or fix (none) would send to the model; send nothing", _send, (argument("words", free=True, nargs="*", help="a request (none: the last error)"), _CELLS)),
        Command("check", "add an expression to a cell's contract, or suggest some", _check, (argument("expression", free=True, nargs="*"), argument("--suggest", action="store_true", help="show expressions that an observed run makes likely; add none"), argument("--take", metavar="N,…", help="add these of the suggestions, by their numbers"), _CELL)),
        Command("accept", "accept what waits, or a part of it", _accept, (argument("name", nargs="?", help="which (none: the newest)"), _PART)),
        Command("reject", "reject what waits, with a reason", _reject, (argument("why", free=True, nargs="*", help="the reason"), argument("--name", help="which (none: the newest)"))),
        Command("revise", "edit what waits; it is tried again, and waits as you wrote it", _revise, (argument("sources", free=True, nargs="*", help='JSON: {"CELL ID": "new source"}'), argument("--name", help="which (none: the newest)"))),
        Command("history", "the versions", _history, (argument("--graph", action="store_true", help="with lanes"), argument("--all", action="store_true", help=f"not only the newest {NEWEST}"))),
        Command("show", "one version, whole", _show, (argument("version", nargs="?", default="head", help=_VERSION),)),
        Command("diff", "two versions, or a version and now", _diff, (argument("version", nargs="?", help=_VERSION), argument("other", nargs="?", help=_VERSION))),
        Command("blame", "which version made each line of a cell", _blame, (argument("cell", nargs="?"),)),
        Command("why", "why a cell is as it is", _why, (argument("cell", nargs="?"),)),
        Command("rollback", "a new version that restores an old one", _rollback, (argument("version", nargs="?", help=_VERSION),)),
        Command("undo", "take the last change back", _undo),
        Command("redo", "bring back what undo took", _redo),
        Command("cost", "tokens, money, seconds; per change still alive", _cost),
        Command("model", "which models are reachable; name one to use it", _model, (argument("name", nargs="?"),)),
        Command("watch", "adapt unasked where something fails, and tell of data that drifts: on, off; none: what is watched", _watch, (argument("turn", nargs="?", choices=("on", "off")),)),
        Command("doctor", "what was found here, and what to do", _doctor),
        Command("verify", "recompute every hash of the history", _verify),
        Command("export", "the lineage as JSON", _export, (argument("--json", action="store_true", dest="as_json", help="as JSON (the only form so far)"),)),
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
