"""Is it a change that may be made here: inside its scope, readable, and of a sane size."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence

from ...analysis.contract import examples_of, read
from ...analysis.magics import mask
from ...values.notebook import Cell, Notebook
from ...values.patch import DeleteCell, InsertCell, ReplaceSource, SetMetadata
from ...values.request import Request
from ...values.trial import Candidate, Finding, Severity, Trial

CAP = 100_000
"""Characters that one change may write."""

HIDDEN = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]")  # fmt: skip
"""Characters that are not seen or that turn the direction of text (CVE-2021-42574); the emoji selector is let be."""

SKIPPING_TAGS = ("skip-execution", "raises-exception", "remove-cell")


def _syntax(cell: Cell) -> Finding | None:
    """A finding where the cell is no Python, with the line."""
    if read(cell.source).kind == "intent":
        return None
    masked = mask(cell.source)
    if masked.opaque:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(masked.text, "<cell>", "exec", flags=0x2000, dont_inherit=True)  # PyCF_ALLOW_TOP_LEVEL_AWAIT
    except SyntaxError as e:
        lines = cell.source.splitlines()
        line = lines[e.lineno - 1].strip() if e.lineno and e.lineno <= len(lines) else ""
        return Finding("scope:syntax", f"Line {e.lineno} is no Python ({e.msg}): {line[:120]}", "block", cell.id)
    except (ValueError, RecursionError, MemoryError) as e:
        return Finding("scope:syntax", f"The cell cannot be read as Python: {e}", "block", cell.id)
    return None


class ScopeCheck:
    """Blocks changes outside of what was asked for, and sources that nobody could review."""

    name = "scope"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Everything here is seen without running."""
        return (
            *self._cells(candidate, request, before, after),
            *self._sources(candidate, before, after),
            *self._metadata(candidate, before),
            *self._size(candidate, request, before),
        )

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Nothing more to see."""
        return ()

    def _cells(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Iterator[Finding]:
        allowed = set(request.scope)
        if not allowed and request.target and request.trigger == "intent":
            allowed = {request.target}
        for op in candidate.patch.ops:
            cell_id = op.cell.id if isinstance(op, InsertCell) else op.cell_id
            if allowed and isinstance(op, InsertCell):
                severity: Severity = "block" if request.scope else "ask"
                yield Finding("scope:outside", "It adds a cell, and only given cells may change.", severity, cell_id)
            elif allowed and cell_id is not None and cell_id not in allowed:
                yield Finding("scope:outside", f"Cell {cell_id} is outside of what may change.", "block", cell_id)
            if isinstance(op, SetMetadata) and cell_id is None:
                yield Finding("scope:metadata", "The notebook's own metadata would change.", "block")
        for cell in before.cells:
            if cell.type != "code" or cell.id not in after or cell.id == request.target:
                continue
            now = after.cell(cell.id)
            if now.source != cell.source and _contract(cell.source) != _contract(now.source):
                yield Finding("scope:contract", f"The contract of cell {cell.id} would change.", "block", cell.id)

    def _sources(self, candidate: Candidate, before: Notebook, after: Notebook) -> Iterator[Finding]:
        for op in candidate.patch.ops:
            if not isinstance(op, (ReplaceSource, InsertCell)):
                continue
            cell_id = op.cell.id if isinstance(op, InsertCell) else op.cell_id
            if cell_id not in after:
                continue
            cell = after.cell(cell_id)
            old = before.cell(cell_id).source if cell_id in before else ""
            if hidden := sorted(
                {f"U+{ord(c):04X}" for c in HIDDEN.findall(cell.source)} - {f"U+{ord(c):04X}" for c in old}
            ):
                yield Finding(
                    "scope:hidden", f"It holds characters that are not seen: {', '.join(hidden)}.", "block", cell_id
                )
            if cell.type != "code":
                continue
            if found := _syntax(cell):
                yield found

    def _metadata(self, candidate: Candidate, before: Notebook) -> Iterator[Finding]:
        for op in candidate.patch.ops:
            if isinstance(op, SetMetadata) and op.cell_id is not None:
                cell = Cell(op.cell_id, "code", "", op.metadata)
                had = before.cell(op.cell_id) if op.cell_id in before else cell
            elif isinstance(op, InsertCell):
                cell, had = op.cell, Cell(op.cell.id, "code", "")
            else:
                continue
            for tag in sorted((cell.tags - had.tags) & set(SKIPPING_TAGS)):
                yield Finding(
                    "fake-fix:skipped",
                    f"The tag {tag!r} would keep cell {cell.id} from being run or judged.",
                    "block",
                    cell.id,
                )
            if (had.editable, had.deletable) != (cell.editable, cell.deletable) and isinstance(op, SetMetadata):
                yield Finding("scope:metadata", f"The author's locks on cell {cell.id} would change.", "block", cell.id)

    def _size(self, candidate: Candidate, request: Request, before: Notebook) -> Iterator[Finding]:
        ops = candidate.patch.ops
        written = sum(len(op.cell.source if isinstance(op, InsertCell) else getattr(op, "source", "")) for op in ops)
        if written > CAP:
            yield Finding("scope:size", f"It writes {written:,} characters; at most {CAP:,} can be reviewed.", "block")
        others = {c.id for c in before.code_cells if c.runs} - {request.target}
        rewritten = others & {op.cell_id for op in ops if isinstance(op, (ReplaceSource, DeleteCell))}
        if request.failure is not None and len(rewritten) > 2 and len(rewritten) > 0.6 * len(others):
            yield Finding(
                "scope:wide", f"To mend one failure it changes {len(rewritten)} of {len(others)} other cells.", "ask"
            )


def _contract(source: str) -> list[tuple[str, str]]:
    return [(e.source, e.want) for e in examples_of(source)]
