"""A file that is written in another way than the notebook reads it: another separator, another encoding.

Told from what was seen, not from the file: a table of one column whose name holds the columns that are missing, and the
byte that could not be decoded.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from ....values.notebook import Cell
from .broken import Broken, Step
from .columns import columns_of, missing_columns
from .readings import called, readings
from .spans import Edit, edited

_SEPARATORS = ((";", "semicolons"), ("\t", "tabs"), ("|", "bars"), (",", "commas"))
_UNDECODED = re.compile(r"'utf-?8(?:-sig)?' codec can't decode bytes? (?:0x([0-9a-f]{2}) )?in position (\d+)", re.IGNORECASE)
_TEXT = ("read_csv", "read_table")


def another_separator(broken: Broken) -> Iterator[tuple[str, Step]]:
    """Where a missing column is one of several in the only column of a table: the cell that reads it, and its new source."""
    missing = set(missing_columns(broken.failure.ename.rpartition(".")[2], broken.failure.evalue))
    for frame, columns in columns_of(broken).items() if missing else ():
        for mark, said in _SEPARATORS:
            if len(columns) != 1 or not missing <= set(columns[0].split(mark)):
                continue
            found = [(cell, call) for cell, call, name in readings(broken) if name == frame and called(call) in _TEXT]
            if len(found) == 1:
                told = f"The columns of {frame} are divided by {said} by now."
                yield from _with_argument(broken, *found[0], f"sep={mark!r}", told)


def another_encoding(broken: Broken) -> Iterator[Step | None]:
    """Where a text could not be decoded as UTF-8: UTF-16 where its first byte is that of the mark for it, else Windows-1252,
    which covers what is printed of Latin-1."""
    found = _UNDECODED.search(broken.failure.evalue)
    if broken.failure.ename != "UnicodeDecodeError" or found is None or broken.text.tree is None:
        return
    first = found.group(2) == "0" and (found.group(1) or "").casefold() in ("ff", "fe")
    name, why = ("utf-16", "begins as UTF-16 does") if first else ("cp1252", "is no UTF-8; Windows-1252 is a guess, the likeliest")
    calls = [n for n in broken.text.nodes if isinstance(n, ast.Call) and broken.focused(n) and _decodes(n)]
    if len(calls) == 1:
        for _, step in _with_argument(broken, broken.cell, calls[0], f"encoding={name!r}", f"The file that it reads {why}."):
            yield step


def _decodes(call: ast.Call) -> bool:
    """Whether a call reads text without saying how it is encoded."""
    if any(k.arg in ("encoding", None) for k in call.keywords):
        return False
    if called(call) != "open":
        return called(call) in (*_TEXT, "read_text")
    modes = [k.value for k in call.keywords if k.arg == "mode"] or call.args[1:2]
    return isinstance(call.func, ast.Name) and all(isinstance(m, ast.Constant) and m.value in ("r", "rt") for m in modes)


def _with_argument(broken: Broken, cell: Cell, call: ast.Call, argument: str, said: str) -> Iterator[tuple[str, Step]]:
    """The cell with this argument in a call: in the place of one of that name, else as the last."""
    there = replace(broken, cell=cell, line=None)
    name, _, value = argument.partition("=")
    given = [k.value for k in call.keywords if k.arg == name or (name == "sep" and k.arg == "delimiter")]
    end = there.text.span(call)[1] - 1
    before = there.text.text[:end].rstrip()
    if given:
        edit = Edit(*there.text.span(given[0]), value)
    elif "#" in before.rpartition("\n")[2]:
        return  # a comment at its end would take it in
    else:
        edit = Edit(len(before), end, f"{'' if before.endswith('(') else ' ' if before.endswith(',') else ', '}{argument}")
    if step := there.step(edited(there.text.text, [edit]), said):
        yield cell.id, step
