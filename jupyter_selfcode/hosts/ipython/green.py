"""A `%%selfcode` cell that holds code runs as that code.

Not as a nested magic: the cell's text is rewritten before IPython compiles it, so the code runs at full speed, may await,
may use magics, displays its last expression, and has the right line numbers in tracebacks and the right history.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ...analysis.marks import LINE, MAGIC, is_marked


def plain_lines(lines: list[str], names: Collection[str]) -> list[str]:
    """The lines of a cell as IPython is to read them. `names` are the live names (a bare live name is code, not words).

    Pure: IPython calls it several times for one cell. Costs a comparison for other cells.
    """
    if not lines or not (lines[0].startswith((LINE, MAGIC)) or not lines[0].strip()):
        return lines
    start = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if start:
        return ["\n"] * start + plain_lines(lines[start:], names) if lines[start].startswith(MAGIC) else lines
    if lines[0].startswith(LINE + " ") and lines[0].rstrip().endswith("?"):
        # IPython would take a question at the end of the line for a call for help
        words = lines[0].rstrip()[len(LINE) + 1 :]
        return [f"get_ipython().run_line_magic('selfcode', {words!r})\n", *lines[1:]]
    source = "".join(lines)
    if not is_marked(source):
        return lines
    from ...analysis.forms import executable, read

    form = read(source, names)
    if form.kind == "intent":
        return _words(lines)
    if not form.code.strip() and form.docstring is None:
        return _words(lines)  # nothing at all below the magic: it will say so
    code = executable(source) if read(source).kind == "code" else "#\n" + source.partition("\n")[2]
    return code.lstrip("\n").splitlines(keepends=True)


def _words(lines: list[str]) -> list[str]:
    # the call that IPython would make of it, made here: its own transformers would strip `>>>` from the contract as if it
    # were a pasted prompt, and refuse a cell magic without a body, where words on the line are enough
    words, body = lines[0].strip()[len(MAGIC) :].strip(), "".join(lines[1:]) or "\n"
    return [f"get_ipython().run_cell_magic('selfcode', {words!r}, {body!r})\n"]


class Transformer:
    """`plain_lines` as one of `shell.input_transformers_cleanup`."""

    # `check_complete` must not see the rewritten cell, else a terminal would run it after its first line
    has_side_effects = True

    def __init__(self, shell: Any, is_old: Callable[[str], bool] = lambda source: False) -> None:
        self._shell = shell
        self._is_old = is_old

    def __call__(self, lines: list[str]) -> list[str]:
        """The lines that IPython goes on with; for a cell that is not what the notebook holds now, the magic's own call,
        which brings that."""
        if lines and is_marked(source := "".join(lines)) and self._is_old(source):
            return _words(source.lstrip("\n").splitlines(keepends=True))
        return plain_lines(lines, self._shell.user_ns)
