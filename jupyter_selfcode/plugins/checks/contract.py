"""Is the contract kept: the examples hold that held before, those of changed cells hold, and intents keep their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...analysis.contract import examples_of, read
from ...values.notebook import Notebook
from ...values.request import Request
from ...values.trial import Candidate, Example, Finding, Trial


def _line(text: str, width: int = 120) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"


def _said(e: Example) -> str:
    return f">>> {_line(e.source)} gave {_line(e.got) or 'nothing'}, the contract says {_line(e.want) or 'nothing'}"


class ContractCheck:
    """Blocks where an example of a changed cell fails, or one that held before no longer does."""

    name = "contract"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """The intent's words stay."""
        return tuple(self._words(candidate, before, after))

    def _words(self, candidate: Candidate, before: Notebook, after: Notebook) -> Iterator[Finding]:
        for cell_id in candidate.patch.cells:
            if cell_id not in before or cell_id not in after:
                continue
            was, now = read(before.cell(cell_id).source), read(after.cell(cell_id).source)
            words = " ".join(was.words.split())
            if not was.magic or not words:
                continue
            if not now.magic or words not in " ".join(now.words.split()):
                message = f"The words of cell {cell_id} are its author's and must stay: {_line(words, 80)!r}."
                yield Finding("contract:words", message, "block", cell_id)

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Which examples fail, and whether every example of a changed cell was run."""
        if trial.run is None:
            return ()
        touched = {*trial.candidate.patch.cells, request.target}
        held = {(e.cell_id, e.source) for e in trial.before.examples if e.passed} if trial.before else set()
        findings = []
        for e in trial.run.examples:
            if e.passed:
                continue
            if e.cell_id in touched or (e.cell_id, e.source) in held:
                findings.append(Finding("contract:broken", _said(e), "block", e.cell_id))
            else:
                findings.append(Finding("contract:broken-before", _said(e), "note", e.cell_id))
        reported = {(e.cell_id, e.source) for e in trial.run.examples}
        for cell_id in sorted(c for c in touched if c and c in after and after.cell(c).runs):
            if read(after.cell(cell_id).source).kind == "intent":
                continue
            for example in examples_of(after.cell(cell_id).source):
                skipped = any(flag for flag, on in example.options.items() if on and flag == 16)  # doctest.SKIP
                if (cell_id, example.source) not in reported and not skipped and not findings:
                    message = f"The example >>> {_line(example.source)} was not run, so nothing says that it holds."
                    findings.append(Finding("contract:not-run", message, "block", cell_id))
        return tuple(findings)
