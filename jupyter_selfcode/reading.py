"""Reading the history and the machine: rows, blame, costs, models, findings. Plain data, drawn by `views`, sent by `--json`."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .analysis.censoring import censored
from .analysis.changes import cell_changes
from .analysis.secrets import Redactor, forms_in, redact
from .analysis.staleness import Ran, Stale, stale_cells
from .analysis.surviving import alive
from .config import plugins
from .ledger import Ledger
from .plugins.models import supply
from .selfcode import Workspace
from .values.canonical import plain
from .values.errors import BadInput
from .values.notebook import Cell, Notebook
from .values.patch import InsertCell, ReplaceSource
from .values.prompt import Cost
from .values.version import Lineage, Recorded, Version, head, total_cost
from .watching import Watching


def find(workspace: Workspace, name: str) -> Recorded:
    """A version by number (`3`, `v3`), by the start of its id, or `head`. Raises `BadInput`."""
    lineage = [r for r in workspace.lineage() if r.outcome == "deployed"]
    if not lineage:
        raise BadInput("This notebook has no history yet.")
    if name in ("head", ""):
        return lineage[-1]
    number = name.removeprefix("v")
    if number.isdigit() and len(number) < 8:
        found = [r for r in lineage if r.number == int(number)]
    else:
        found = [r for r in lineage if r.version.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise BadInput(f"There is no version {name}; the versions are 1 to {lineage[-1].number}.")
    raise BadInput(f"{name} is the start of {len(found)} versions; give more of the id.")


def cell(workspace: Workspace, name: str | None) -> Cell:
    """A cell by id, by the start of its id, or by its place among the code cells from 1; None: the one that ran last in
    a live session. Raises `BadInput`."""
    notebook = workspace.notebook()
    if name is None:
        last = workspace.session.cell_id() if workspace.session else None
        if last is None or last not in notebook:
            raise BadInput("Say which cell: its id, or its place among the code cells from 1.")
        return notebook.cell(last)
    found = [c for c in notebook.cells if c.id == name] or [c for c in notebook.cells if c.id.startswith(name)]
    if not found and name.isdigit() and 0 < int(name) <= len(notebook.code_cells):
        found = [notebook.code_cells[int(name) - 1]]
    if len(found) != 1:
        raise BadInput(
            f"{'No' if not found else 'More than one'} cell is named {name!r}; give a cell id, or its place among the "
            f"code cells, 1 to {len(notebook.code_cells)}."
        )
    return found[0]


def row(r: Recorded) -> dict[str, Any]:
    """A version as one row of a table."""
    v = r.version
    return {
        "number": r.number, "id": v.id, "kind": v.kind, "outcome": r.outcome, "by": v.by, "at": v.at, "words": v.words,
        "trigger": v.trigger, "proposer": v.proposer, "model": v.model, "level": v.level, "cells": list(v.patch.cells),
        "parents": list(v.parents), "restores": v.restores, "usd": v.cost.usd, "tokens": v.cost.tokens,
        "calls": v.cost.calls, "seconds": v.seconds, "replayed": v.cost.replayed, "rationale": v.rationale,
    }


def stale(workspace: Workspace) -> tuple[Stale, ...]:
    """The cells of a live session that do not hold what a run from the top would give; none for a notebook on disk."""
    if workspace.session is None:
        return ()
    return stale_cells(workspace.notebook(), [Ran(*run) for run in workspace.session.runs()])


def around(workspace: Workspace, r: Recorded) -> tuple[Notebook, Notebook]:
    """The notebook before and after a version."""
    after = workspace.store.notebook(r.version.notebook)
    parent = next((p.version for p in workspace.lineage() if p.version.id in r.version.parents), None)
    return (workspace.store.notebook(parent.notebook) if parent else Notebook((), after.metadata)), after


def head_notebook(workspace: Workspace) -> Notebook:
    """The notebook of the newest version; the notebook as it is where there is no history."""
    newest = head(workspace.lineage())
    return workspace.store.notebook(newest.version.notebook) if newest else workspace.notebook()


def changes(a: Notebook, b: Notebook) -> list[dict[str, Any]]:
    """Cells that differ, in the order of `b` (deleted ones last), each with a unified diff of its source."""
    return [{"cell": c.cell_id, "change": c.change, "type": c.type, "diff": c.unified()} for c in cell_changes(a, b)]


def _sources(workspace: Workspace, cell_id: str) -> list[tuple[str, Recorded]]:
    """What the source of a cell was in turn, and the versions that made it so: out of the changes alone, so that a long
    history is not loaded notebook by notebook. Only the first version is no change of another."""
    found: list[tuple[str, Recorded]] = []
    for r in workspace.lineage():
        if r.outcome != "deployed":
            continue
        if not r.version.parents:
            notebook = workspace.store.notebook(r.version.notebook)
            found += [(c.source, r) for c in notebook.cells if c.id == cell_id]
        for op in r.version.patch.ops:
            match op:
                case ReplaceSource(touched, source) if touched == cell_id:
                    found.append((source, r))
                case InsertCell(Cell() as inserted) if inserted.id == cell_id:
                    found.append((inserted.source, r))
    return found


def blame(workspace: Workspace, cell: Cell) -> list[dict[str, Any]]:
    """For each line of a cell: the number of the version that brought it (None: not recorded yet), by whom and when."""
    lines: list[tuple[str, Recorded | None]] = []
    history: list[tuple[str, Recorded | None]] = [*_sources(workspace, cell.id)]
    for source, r in [*history, (cell.source, None)]:
        new = source.splitlines()
        matcher = difflib.SequenceMatcher(None, [t for t, _ in lines], new, autojunk=False)
        merged: list[tuple[str, Recorded | None]] = [(t, r) for t in new]
        for block in matcher.get_matching_blocks():
            merged[block.b : block.b + block.size] = lines[block.a : block.a + block.size]
        lines = merged
    return [
        {"line": text, "version": r.number if r else None, "by": r.version.by if r else "", "at": r.version.at if r else "",
         "kind": r.version.kind if r else "not recorded"}
        for text, r in lines
    ]


def last_change(workspace: Workspace, cell: Cell) -> tuple[Recorded | None, Recorded | None]:
    """The version that made a cell what it is, and the newest one that touched it: another one where that brought an
    earlier state back."""
    lineage = [r for r in workspace.lineage() if r.outcome == "deployed"]
    newest: Recorded | None = None
    while lineage:
        found = next((r for r in reversed(lineage) if cell.id in r.version.patch.cells), None)
        newest = newest or found
        if found is None or found.version.restores is None:
            return found, newest
        restored = next((i for i, r in enumerate(lineage) if r.version.id == found.version.restores), -1)
        lineage = lineage[: restored + 1]
    return None, newest


def costs(workspace: Workspace, lineage: Lineage) -> dict[str, Any]:
    """What was spent, in all, per version (and whether it is still alive) and per day."""
    made, living = [r for r in lineage if r.version.kind == "adapt"], _living(workspace, lineage)
    rows = [row(r) | {"alive": r.version.id in living} for r in made]
    return _spending(lineage, living) | {"by_version": rows, "by_day": _by_day([r.version for r in made])}


def _living(workspace: Workspace, lineage: Lineage) -> frozenset[str]:
    first = next((r.version for r in lineage if r.outcome == "deployed"), None)
    return alive(lineage, workspace.store.notebook(first.notebook), workspace.notebook()) if first else frozenset()


def watched(workspace: Workspace) -> dict[str, Any]:
    """Whether the notebook is watched, since when, with what it is compared, what was told, what is on probation."""
    watching = Watching(workspace.store, workspace.path)
    record = watching.record()
    probation = Ledger(workspace.store, workspace.path, workspace.settings.rails()).on_probation()
    return {"since": watching.since, "record": record.at if record else None, "names": sorted(record.profiles) if record else [],
            "told": list(watching.told()), "probation": [r.number for r in reversed(probation)]}


def unasked(workspace: Workspace) -> list[dict[str, Any]]:
    """The attempts to mend something that nobody asked for, oldest first: also those that came to nothing."""
    return [plain(heal) | {"tokens": heal.cost.tokens} for heal in Ledger(workspace.store, workspace.path).heals()]


def spending(workspace: Workspace, lineage: Lineage) -> dict[str, Any]:
    """What was spent in all, and per change still alive (a line that an adaptation made and that still stands)."""
    return _spending(lineage, _living(workspace, lineage))


def _spending(lineage: Lineage, living: frozenset[str]) -> dict[str, Any]:
    made = [r.version for r in lineage if r.version.kind == "adapt"]
    left = sum(v.id in living for v in made)
    total: Cost = total_cost(made)
    return {
        "versions": len(made), "alive": left, "calls": total.calls, "prompt_tokens": total.prompt_tokens,
        "completion_tokens": total.completion_tokens, "usd": total.usd, "seconds": sum(v.seconds for v in made),
        "estimated": total.estimated, "replayed": total.replayed,
        "usd_per_change_alive": None if total.usd is None or not left else total.usd / left,
        "tokens_per_change_alive": None if not left else total.tokens / left,
    }


def _by_day(made: Sequence[Version]) -> list[dict[str, Any]]:
    """What was spent on each day (UTC) on which something was, oldest first."""
    days: dict[str, list[Version]] = {}
    for v in made:
        days.setdefault(v.at[:10], []).append(v)
    return [
        {"day": day, "usd": cost.usd, "tokens": cost.tokens, "calls": cost.calls, "seconds": sum(v.seconds for v in versions)}
        for day, versions in sorted(days.items())
        for cost in [total_cost(versions)]
    ]


def settings_of(workspace: Workspace) -> dict[str, Any]:
    """The settings in force, by name; a password in an address is not told."""
    s = workspace.settings
    named = {name: plain(getattr(s, name)) for name in sorted(s.trait_names(config=True))}
    return {name: redact(value) if isinstance(value, str) else value for name, value in named.items()}


def models(workspace: Workspace) -> dict[str, Any]:
    """The model in use and what was found to be reachable; keys by the NAME of their variable only."""
    from .plugins.models.discover import discover

    redactor = Redactor.for_folder(workspace.folder)
    found = discover(workspace.settings.api_base, workspace.settings.api_key_name or None)
    return {"model": workspace.settings.model, "api_base": redactor.text(workspace.settings.api_base),
            "level": workspace.settings.level(), "found": [plain(censored(f, redactor)) for f in found]}


def keys_in_cells(notebook: Notebook) -> list[str]:
    """A line where cells hold what has the form of a key: it is in the notebook, so it is in its history too."""
    found = [(c.id, forms_in(c.source)) for c in notebook.cells]
    cells = [f"{cell_id} ({', '.join(forms)})" for cell_id, forms in found if forms]
    if not cells:
        return []
    return [
        f"Something like a key stands in {'cell' if len(cells) == 1 else 'cells'} {', '.join(cells)}. It is taken out of "
        "prompts, and it is in the notebook and in its history, exactly: read it from a variable instead, and renew it."
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def sandbox_of(workspace: Workspace) -> dict[str, Any]:
    """The cage that trials get: its tier, its promise, and why a stronger one is not there."""
    from .plugins.sandboxes import tiers

    sandbox, given = workspace.engine.sandbox, tiers.probe()
    return {
        "name": sandbox.name, "tier": sandbox.tier, "promise": sandbox.promise, "always": tiers.ALWAYS,
        "missing": {tier: reason for tier, reason in given.reasons.items() if reason},
    }


def unproved(workspace: Workspace) -> list[str]:
    """Why nothing is proved here (level 4), where nothing is."""
    prover = workspace.engine.prover
    why = prover.missing if prover else "no prover is asked (SelfCode.proof_seconds is 0)"
    return [f"Level 4 is never claimed: {why}."] if why else []


def doctor(workspace: Workspace) -> dict[str, Any]:
    """What this machine gives: versions, sandbox with its promise, models, kernel, store, plug-ins, settings."""
    problems: list[str] = []
    problems += list(workspace.store.verify()) if workspace.lineage() else []
    found = models(workspace)
    problems += supply.problems()
    if not workspace.settings.model:
        problems_note = "No model is set: the free rules work alone. Set one: SelfCode.model, --model, or %selfcode model NAME."
    else:
        problems_note = f"Model in use: {workspace.settings.model}."
    sandbox = sandbox_of(workspace)
    if sandbox["tier"] is None:
        problems.append(sandbox["promise"])
    return {
        "ok": not problems,
        "problems": problems,
        "notes": [problems_note, *unproved(workspace), *supply.start_files(), *keys_in_cells(workspace.notebook()), *workspace.notices],
        "python": sys.version.split()[0],
        "versions": {n: _version(n) for n in ("jupyter_selfcode", "ipython", "ipykernel", "nbclient", "nbformat", "SQLAlchemy", "ruff", "litellm", "crosshair-tool")},
        "sandbox": sandbox,
        "models": found,
        "plugins": {g: list(plugins(g)) for g in ("proposers", "models", "formats", "retrievers", "checks", "stores", "deployers", "panels", "provers")},
        "settings": settings_of(workspace),
    }
