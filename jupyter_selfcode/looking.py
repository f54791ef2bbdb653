"""The words of the grammar that look: what the history, this machine and the notebook say. None changes the notebook."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from . import reading, sending, views
from .analysis.staleness import told
from .codec import to_json
from .reply import Reply, spoken
from .selfcode import Workspace
from .values.canonical import plain
from .values.events import Event
from .watching import Watching

Tell = Callable[[Event], None]
NEWEST = 50
"""How many versions `history` shows where not all are asked for."""
RECENT = 5
"""How many a notebook shows at first."""


def panel(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """The first look."""
    lineage, waiting = workspace.lineage(), workspace.waiting.all()
    stale = reading.stale(workspace)
    data = {"notebook": workspace.path, "versions": len(lineage), "waiting": list(waiting), "stale": plain(stale),
            "cost": plain(reading.costs(workspace, lineage)), "settings": reading.settings_of(workspace)}
    rows = [reading.row(r) for r in lineage[-RECENT:]] if workspace.session is not None else []
    return Reply(data, views.panel(workspace.path, lineage, waiting, data["cost"], data["settings"], rows=rows,
                                   speak=spoken(workspace), stale=told(stale, workspace.notebook())))


def history(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """The versions, the newest last."""
    lineage, waiting = workspace.lineage(None if args.all else NEWEST), workspace.waiting.all()
    rows = [reading.row(r) for r in lineage]
    total = rows[-1]["number"] if rows else 0
    return Reply({"notebook": workspace.path, "total": total, "versions": rows, "waiting": list(waiting)},
                 views.history(workspace.path, rows, waiting, graph=args.graph, total=total, speak=spoken(workspace)))


def show(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """One version, whole."""
    recorded = reading.find(workspace, args.version)
    a, b = reading.around(workspace, recorded)
    return Reply({"version": plain(recorded.version), "number": recorded.number, "outcome": recorded.outcome},
                 views.version(recorded, a, b))


def diff(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """Two versions, or a version and now."""
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


def blame(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """Which version made each line of a cell."""
    cell = reading.cell(workspace, args.cell)
    rows = reading.blame(workspace, cell)
    return Reply({"cell": cell.id, "lines": rows}, views.blame(cell, rows))


def why(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """Why a cell is as it is."""
    cell = reading.cell(workspace, args.cell)
    stale = told([s for s in reading.stale(workspace) if s.cell_id == cell.id], workspace.notebook())
    found, newest = reading.last_change(workspace, cell)
    back = f"brought back by version {newest.number}, {newest.version.kind}" if newest and newest is not found else ""
    if found is None:
        said = f"Cell {cell.id} is as it was found" if back else f"No version has changed cell {cell.id}"
        said = " ".join([f"{said}{f', {back}' if back else ''}.", *stale])
        view = views.why(newest, said, stale) if newest else views.message(said, "warning" if stale else "ok")
        by = newest.number if newest else None
        return Reply({"cell": cell.id, "version": None, "stale": stale, "brought_back_by": by}, view)
    return Reply({"cell": cell.id, "version": plain(found.version), "number": found.number,
                  "brought_back_by": newest.number if newest and back else None, "stale": stale}, views.why(found, back, stale))


def watch(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """What is watched; `on` and `off` turn it."""
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


def cost(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """What was spent."""
    data = reading.costs(workspace, workspace.lineage()) | {"sent": sending.log(workspace)}
    data |= {"unasked": reading.unasked(workspace)}
    return Reply(data, views.cost(data))


def model(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """Which models are reachable; a name is used from now on."""
    if args.name:
        workspace.use_model(args.name)
    data = reading.models(workspace)
    if args.name and workspace.session is None:
        data["note"] = (
            f"A command keeps no settings. Name it to each: --model {args.name}, or for good in "
            f"jupyter_selfcode_config.py: c.SelfCode.model = {args.name!r}"
        )
    return Reply(data, views.models(data))


def doctor(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """What was found here, and what to do."""
    data = reading.doctor(workspace)
    return Reply(data, views.doctor(data), 0 if data["ok"] else 21)


def verify(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """Every hash of the history, computed again."""
    problems = list(workspace.store.verify())
    count = len(workspace.lineage())
    return Reply({"ok": not problems, "versions": count, "problems": problems}, views.verified(count, problems),
                 20 if problems else 0)


def export(workspace: Workspace, args: argparse.Namespace, tell: Tell) -> Reply:
    """The lineage."""
    data = {"notebook": workspace.path, "versions": [plain(r) for r in workspace.lineage()]}
    return Reply(data, views.message(to_json(data, indent=1), "plain"))
