"""A column that has another name in the data now, and is used in several cells: it gets its old name back where it is read.

One change in the cell that reads the data, instead of one in every cell that uses the column: what is not changed cannot
be changed wrongly, and promises further down are reached by the first trial. A guess from names, like `columns`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from ....analysis import near
from ....analysis.magics import parse
from ....values.notebook import Cell
from .broken import Broken, Step
from .columns import column_meant, columns_named, columns_of, frames_meant, missing_columns
from .spans import Edit, edited

READERS = ("read_csv", "read_table", "read_excel", "read_json", "read_parquet", "read_feather", "read_fwf", "read_sql", "read_stata")
FEWEST = 2
"""Cells that must use a column for this to be the smaller change."""


def renamed_in_the_data(broken: Broken) -> Iterator[tuple[str, Step]]:
    """The cell that reads the data, and its new source."""
    mapping = _meant(broken)
    trees = [t for c in broken.notebook.cells if mapping and c.runs and (t := parse(c.source)) is not None]
    named = [columns_named(t) for t in trees]
    uses = [n | {a.attr for a in ast.walk(t) if isinstance(a, ast.Attribute)} for n, t in zip(named, trees, strict=True)]
    if sum(not used.isdisjoint(mapping.values()) for used in uses) < FEWEST:
        return
    cells = {c.id for c, _, frame in readings(broken) if _had(broken, frame, mapping)}
    if len(cells) != 1:
        return  # which of them gave the column its name cannot be told
    columns, everything = set[str]().union(*named), set[str]().union(*uses)
    edits, said = list[Edit](), list[str]()
    there = replace(broken, cell=broken.notebook.cell(cells.pop()), line=None)
    for cell, call, frame in readings(broken):
        names = _had(broken, frame, mapping) | _alike(broken, frame, columns)
        if cell.id != there.cell.id or not names:
            continue
        if not everything.isdisjoint(names):
            return  # somewhere the new name is in use: for what, cannot be told
        end = there.text.span(call)[1]
        edits.append(Edit(end, end, f".rename(columns={{{', '.join(f'{new!r}: {old!r}' for new, old in names.items())}}})"))
        said += [f"{old!r} of {frame} is {new!r}" for new, old in names.items()]
    told = f"In the data {' and '.join(said)} by now, so it is named as before where it is read. This is a guess from the names."
    if step := there.step(edited(there.text.text, edits), told):
        yield there.cell.id, step


def _meant(broken: Broken) -> dict[str, str]:
    """The columns that there are instead of the missing ones, and what they were called; empty where one cannot be told."""
    missing = missing_columns(broken.failure.ename.rpartition(".")[2], broken.failure.evalue)
    if broken.text.tree is None:
        return {}
    frames, mapping = frames_meant(broken, broken.text.tree), dict[str, str]()
    for name in missing:
        shared = _joined_on(broken, name)  # then all of them are to have it, else which is meant cannot be told
        new = column_meant(broken, name, {k: c for k, c in frames.items() if not shared or name not in c})
        if new is None:
            return {}
        mapping[new] = name
    return mapping


def readings(broken: Broken) -> Iterator[tuple[Cell, ast.Call, str]]:
    """Where a reader of pandas gives a frame its name, in the cells that had run: cell, call, name."""
    types = {v.name: v.type for v in broken.variables}
    for cell in (*broken.cells, broken.cell):
        tree = parse(cell.source)
        for s in tree.body if tree is not None else ():
            if not isinstance(s, ast.Assign) or not isinstance(s.value, ast.Call) or called(s.value) not in READERS:
                continue
            names = [t.id for t in s.targets if isinstance(t, ast.Name)]
            if len(names) == len(s.targets) == 1 and types.get(names[0], "").startswith("pandas."):
                yield cell, s.value, names[0]


def called(call: ast.Call) -> str:
    """The last part of the name that is called; empty where it has none."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""


def _joined_on(broken: Broken, name: str) -> bool:
    """Whether the failing statement joins tables on this column."""
    calls = (n for n in broken.text.nodes if isinstance(n, ast.Call) and broken.focused(n))
    return any(
        k.arg == "on" and any(isinstance(c, ast.Constant) and c.value == name for c in ast.walk(k.value))
        for n in calls
        for k in n.keywords
    )


def _had(broken: Broken, frame: str, mapping: dict[str, str]) -> dict[str, str]:
    """What of the mapping is of this frame."""
    columns = columns_of(broken).get(frame, ())
    return {new: old for new, old in mapping.items() if new in columns and old not in columns}


def _alike(broken: Broken, frame: str, used: set[str]) -> dict[str, str]:
    """Other columns of this frame that the notebook names with the same letters in another spelling, and no frame has."""
    known = columns_of(broken)
    everywhere = {c for columns in known.values() for c in columns}
    columns, found = known.get(frame, ()), dict[str, str]()
    for name in sorted(used - everywhere):
        same = [c for c in columns if near.plain(c) and near.plain(c) == near.plain(name)]
        if len(same) == 1 and same[0] not in used and same[0] not in found:
            found[same[0]] = name
    return found
