"""Parameters of a run, as papermill has made people know them.

The cell tagged `parameters` holds defaults; the values of a run go into a cell tagged `injected-parameters` right after
it (at the top where there is none), which replaces an earlier one.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..values.notebook import Cell, Notebook
from ..values.patch import InsertCell, MoveCell, Patch

INJECTED = "injected-parameters"
"""Tag of the cell that holds a run's values, and the id it gets."""


def parse_value(text: str) -> Any:
    """A value from the command line: True, False, None, an integer, a float, a list, tuple or dict; else the text."""
    constants = {"True": True, "False": False, "None": None}
    if text in constants:
        return constants[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if text[:1] in ("[", "{", "("):
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return text
    return text


def _literal(value: Any) -> str:
    """Python source of a value; NaN and infinity have no literal of their own."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, tuple):
        return "(" + "".join(_literal(v) + ", " for v in value).rstrip() + ")"
    return repr(value)


def _defaults(source: str) -> set[str] | None:
    """Names that a parameters cell assigns; None where it cannot be read as Python."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    targets: list[ast.expr] = []
    for node in body:
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AnnAssign):
            targets.append(node.target)
    return {t.id for t in targets if isinstance(t, ast.Name)}


def inject(notebook: Notebook, parameters: Mapping[str, Any]) -> tuple[Notebook, tuple[str, ...]]:
    """The notebook with these values in place, and a line for whatever a person should know.

    The injected cell is marked `editable: false`: its values come from outside, so no adaptation may change them.
    """
    if not parameters:
        return notebook, ()
    source = "\n".join(["# Parameters", *(f"{name} = {_literal(value)}" for name, value in parameters.items())])
    cells = list(notebook.cells)
    tagged = next((i for i, c in enumerate(cells) if c.type == "code" and "parameters" in c.tags), None)
    earlier = next((i for i, c in enumerate(cells) if c.type == "code" and INJECTED in c.tags), None)
    told: list[str] = []
    if tagged is None:
        told.append("No cell of the notebook is tagged parameters, so the values were put at its top.")
    elif (known := _defaults(cells[tagged].source)) is not None:
        told += [f"Passed unknown parameter: {name}" for name in parameters if name not in known]
    cell_id = INJECTED
    if earlier is not None:
        cell_id = cells.pop(earlier).id
    else:
        taken = {c.id for c in cells}
        cell_id = next(i for i in (INJECTED, *(f"{INJECTED}-{n}" for n in range(2, len(cells) + 3))) if i not in taken)
    place = earlier if earlier is not None else 0 if tagged is None else tagged + 1
    cells.insert(place, Cell(cell_id, "code", source, {"tags": [INJECTED], "editable": False, "deletable": False}))
    return Notebook(tuple(cells), notebook.metadata), tuple(told)


def for_source(patch: Patch, ran: Notebook, source: Notebook) -> Patch:
    """A patch for the notebook that ran, as a patch for its source, which may lack the injected cell.

    That cell is locked, so the patch does not touch it; what comes after it comes after the cell above it.
    """
    ids = [c.id for c in ran.cells]

    def anchor(after: str | None) -> str | None:
        if after is None or after in source or after not in ids or INJECTED not in ran.cell(after).tags:
            return after
        place = ids.index(after)
        return ids[place - 1] if place else None

    ops = tuple(
        replace(op, after=anchor(op.after)) if isinstance(op, (InsertCell, MoveCell)) else op for op in patch.ops
    )
    return Patch(source.digest, ops)
