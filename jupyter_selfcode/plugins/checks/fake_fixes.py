"""Is it a fake fix: `analysis.fake_fixes` over every cell that a change replaces, inserts or deletes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...analysis.contract import intent_of
from ...analysis.edits import written
from ...analysis.effects import effects_of
from ...analysis.fake_fixes import find
from ...analysis.magics import parse
from ...values.notebook import Cell, Notebook
from ...values.patch import InsertCell
from ...values.request import Request
from ...values.trial import Candidate, CellResult, Finding, Trial


def printed(result: CellResult | None) -> str:
    """The text of a cell's outputs, for finding its numbers in new code."""
    parts = []
    for output in result.outputs if result and result.status == "ok" else ():
        data = output.get("data")
        text = output.get("text") or (data.get("text/plain") if isinstance(data, dict) else "") or ""
        parts.append("".join(text) if isinstance(text, (list, tuple)) else str(text))
    return "\n".join(parts)[:100_000]


class FakeFixCheck:
    """Screens by the trees alone; after the trial, what untouched runs had printed is looked for in the new code."""

    name = "fake_fixes"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Every changed cell."""
        return self._find(candidate, request, before, after, None)

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """The same with recorded outputs; what the screen has told is not told again."""
        known = {(f.code, f.message, f.cell_id) for f in trial.findings}
        found = self._find(trial.candidate, request, before, after, trial)
        return tuple(f for f in found if (f.code, f.message, f.cell_id) not in known)

    def _find(
        self, candidate: Candidate, request: Request, before: Notebook, after: Notebook, trial: Trial | None
    ) -> tuple[Finding, ...]:
        if candidate.warrant:  # what a library documents as the same is judged by its table, row by row
            return ()
        findings: list[Finding] = []
        touched = set(candidate.patch.cells)
        inserted = {op.cell.id for op in candidate.patch.ops if isinstance(op, InsertCell)}
        made = frozenset[str]().union(*(effects_of(c.source).writes for c in after.code_cells if c.id in touched))
        around = "\n".join(written(tree) for c in before.code_cells if (tree := parse(c.source)))
        repair = request.trigger in ("exception", "contract", "drift") or request.failure is not None
        for cell_id in sorted(touched, key=lambda i: (i not in after, after.index(i) if i in after else 0)):
            old = before.cell(cell_id) if cell_id in before else None
            new = after.cell(cell_id) if cell_id in after else None
            if not any(c and c.type == "code" for c in (old, new)):
                continue
            was, now = (c.source if c and c.type == "code" else "" for c in (old, new))
            if was == now:
                continue
            others = [c for c in after.code_cells if c.id != cell_id]
            failure = request.failure
            mending = repair and (cell_id not in inserted or failure is not None)
            found = find(
                was,
                now,
                failure,
                printed(trial.before.result(cell_id)) if trial and trial.before else "",
                words=f"{request.text}\n{intent_of(was)}" if request.text != intent_of(was) else request.text,
                repair=mending,
                needed=self._needed(others, made),
                defined=self._defined(before, cell_id),
                moved=self._moved(touched - {cell_id}, before, after),
                around=around,
            )
            findings += [replace(f, cell_id=cell_id) for f in found]
        return tuple(findings)

    def _needed(self, others: Sequence[Cell], made: frozenset[str]) -> frozenset[str]:
        """Names that other cells read and that no changed cell makes any more."""
        read = frozenset[str]().union(*(effects_of(c.source).reads for c in others))
        return read - made

    def _moved(self, cells: Iterable[str], before: Notebook, after: Notebook) -> frozenset[str]:
        """Statements that other changed cells have now and had not before."""

        def statements(notebook: Notebook, cell_id: str) -> set[str]:
            tree = parse(notebook.cell(cell_id).source) if cell_id in notebook else None
            return {written(s) for s in ast.walk(tree) if isinstance(s, ast.stmt)} if tree else set()

        return frozenset().union(*(statements(after, c) - statements(before, c) for c in cells))

    def _defined(self, before: Notebook, cell_id: str) -> frozenset[str]:
        return frozenset(name for c in before.code_cells if c.id != cell_id for name in effects_of(c.source).carries)
