"""translate: whether a cell that was put into another language gives the same, by a differential test.

The cells above run once; then the old cell and the new one start from that state, and the tables that come of both are compared
(`analysis.tables`). SQL is run by DuckDB over the notebook's own tables, pandas and polars by themselves. Where there is no engine
for the old language here nothing is compared: that is said, and a person decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..analysis.alike import bound
from ..analysis.contract import is_intent
from ..analysis.tables import binding, ordered, querying, same_table, sql_of, told
from ..protocols import Limits, Sandbox
from ..values.behaviour import Likeness
from ..values.notebook import Notebook
from ..values.request import Request
from ..values.trial import Finding, Trial

SECONDS = 60.0


async def translated(
    trial: Trial, request: Request, before: Notebook, after: Notebook, sandbox: Sandbox, folder: Path, limits: Limits
) -> Trial:
    """The trial with what the differential test came to."""
    cell_id = request.target
    if cell_id is None or cell_id not in before or cell_id not in after:
        return trial
    old, new = before.cell(cell_id).source, after.cell(cell_id).source
    query = sql_of(old) if request.language == "sql" else None
    if request.language in ("r", "julia") or (request.language == "sql" and query is None):
        why = "there is no engine for it here" if query is None and request.language != "sql" else "no query was found in the cell"
        return _with(trial, (_untested(request.language, why, cell_id),))
    async with sandbox.open(after, folder, limits) as kernel:
        for cell in after.cells[: after.index(cell_id)]:
            if cell.runs and not is_intent(cell.source):
                await kernel.execute(cell)
        names = bound(after, cell_id)
        if query is not None:
            one = await kernel.evaluate(querying(query[0]), seconds=SECONDS)
        else:
            names = tuple(n for n in names if n in bound(before, cell_id))
            one = await kernel.evaluate(binding(old, names), seconds=SECONDS)
        other = await kernel.evaluate(binding(new, names), seconds=SECONDS)
    if said := one.get("missing"):
        return _with(trial, (_untested(request.language, f"{said} is not installed", cell_id),))
    if said := one.get("failed"):
        return _with(trial, (_untested(request.language, f"the old cell does not run: {said}", cell_id),))
    if query is not None:
        pairs = list(_for_query(told(one), told(other), query[1]))
        by_order = ordered(query[0])
    else:
        pairs, by_order = [(n, told(one).get(n), told(other).get(n)) for n in names], True
    alike = tuple(_likeness(cell_id, name, a, b, by_order) for name, a, b in pairs)
    return _with(trial, tuple(_findings(alike, request.language, cell_id)), alike)


def _for_query(one: Mapping[str, list[Any]], other: Mapping[str, list[Any]], name: str) -> Iterator[tuple[str, list[Any] | None, list[Any] | None]]:
    """The query's result, with the name of the new cell that holds it: the same name, else the only table there."""
    tables = [n for n, t in other.items() if t[0] == "table"]
    chosen = name if name in other else tables[0] if len(tables) == 1 else ""
    yield chosen or name or "the result", one.get(""), other.get(chosen)


def _likeness(cell_id: str, name: str, a: list[Any] | None, b: list[Any] | None, by_order: bool) -> Likeness:
    if a is None or b is None:
        why = "which table of the new cell it is cannot be told" if b is None and a is not None else "it is too large, or no data"
        return Likeness(name, cell_id, "unknown", why)
    equal, said = same_table(a, b, by_order=by_order)
    order = "" if by_order or not equal else "rows in any order: the query has no ORDER BY"
    return Likeness(name, cell_id, "close" if equal else "differs", said or order)


def _findings(alike: tuple[Likeness, ...], language: str, cell_id: str) -> Iterator[Finding]:
    for v in alike:
        if v.verdict == "differs":
            yield Finding("translate:differs", f"From the same tables it gives another {v.name}: {v.said}", "block", cell_id)
        elif v.verdict == "unknown":
            yield Finding("translate:unknown", f"Whether {v.name} is the same was not compared: {v.said}.", "ask", cell_id)
    if not alike:
        yield _untested(language, "both cells bind nothing of the same name", cell_id)


def _untested(language: str, why: str, cell_id: str) -> Finding:
    said = f"The old cell ({language}) could not be run beside the new one ({why}): nothing says that both give the same."
    return Finding("translate:untested", said, "ask", cell_id)


def _with(trial: Trial, findings: tuple[Finding, ...], alike: tuple[Likeness, ...] = ()) -> Trial:
    kept = tuple(v for v in trial.alike if v.cell_id not in {a.cell_id for a in alike})
    return replace(trial, alike=(*kept, *alike), findings=trial.findings + findings, differential=bool(alike) and all(v.equal for v in alike))
