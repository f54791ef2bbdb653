"""New code in the style of the notebook: formatted by ruff where all that the notebook holds is so formatted, else as it came.

Settings are those that ruff finds for the notebook's folder, as the person's own editor does. What stands above the code of a
cell (magic, docstring with words and contract) is not touched, and what Python reads stays the same, or nothing is done.
"""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...analysis.forms import docstring_of, span, split
from ...analysis.magics import mask, parse, parse_masked
from ...values.notebook import Notebook
from ...values.patch import CellOp, InsertCell, ReplaceSource

SECONDS = 20.0
LEAST = 3
"""Cells with code that a notebook must have before it is said to have a style."""


def in_style(ops: tuple[CellOp, ...], notebook: Notebook, folder: Path) -> tuple[CellOp, ...]:
    """The operations, their code formatted where the notebook's is."""
    new = [_source(op) for op in ops]
    known = [_code(c.source)[1] for c in notebook.code_cells]
    known = [code for code in known if code.strip()]
    if len(known) < LEAST or not any(new):
        return ops
    heads_and_code = [_code(source) for source in new]
    formatted = _formatted([*known, *(code for _, code in heads_and_code)], folder)
    if formatted is None or formatted[: len(known)] != [code.rstrip("\n") for code in known]:
        return ops
    made = zip(ops, heads_and_code, formatted[len(known) :], strict=True)
    return tuple(_with(op, head, code, text) for op, (head, code), text in made)


def _source(op: CellOp) -> str:
    if isinstance(op, ReplaceSource):
        return op.source
    return op.cell.source if isinstance(op, InsertCell) and op.cell.type == "code" else ""


def _with(op: CellOp, head: str, code: str, text: str) -> CellOp:
    if not code.strip() or not _same(code, text):
        return op
    if isinstance(op, ReplaceSource):
        return replace(op, source=head + text)
    return replace(op, cell=replace(op.cell, source=head + text)) if isinstance(op, InsertCell) else op


def _same(a: str, b: str) -> bool:
    old, new = parse(a), parse(b)
    return old is not None and new is not None and ast.dump(old) == ast.dump(new)


def _code(source: str) -> tuple[str, str]:
    """What stands above the code of a cell, and the code; no code where it is none that is formatted."""
    magic, _, body = split(source)
    masked = mask(body)
    tree = None if masked.opaque or (masked.head and not magic) else parse_masked(masked)
    if tree is None or masked.head:
        return source, ""
    end = 0
    if found := docstring_of(masked, tree):
        end = span(body, found[0])[1]
        end += len(body[end:]) - len(body[end:].lstrip("\r\n"))
    above = source[: len(source) - len(body)] + body[:end]
    return above, body[end:]


def _formatted(sources: Sequence[str], folder: Path) -> list[str] | None:
    """The sources as ruff formats the cells of a notebook; None where it cannot."""
    from ruff import find_ruff_bin  # type: ignore[import-untyped]

    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
        for i, source in enumerate(sources)
    ]
    document = {"cells": cells, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    try:
        done = subprocess.run(
            [find_ruff_bin(), "format", "--no-cache", "--stdin-filename", str(folder / "notebook.ipynb"), "-"],
            input=json.dumps(document).encode(), capture_output=True, timeout=SECONDS, check=False, cwd=folder,
        )  # fmt: skip
        told = json.loads(done.stdout)["cells"] if done.returncode == 0 else None
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(told, list) or len(told) != len(sources):
        return None
    return ["".join(cell["source"]).rstrip("\n") for cell in told]
