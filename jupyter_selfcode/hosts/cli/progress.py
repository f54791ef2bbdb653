"""What is at work, on standard error: one live line in a terminal, nothing else where standard error is no terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

from ...values.decision import Ask, Reject
from ...values.events import (
    Asked,
    CellRan,
    CellStarted,
    Decided,
    Deployed,
    Event,
    Resumed,
    Retrying,
    RunStarted,
    Said,
    Spent,
    StageStarted,
    Streamed,
    Triaged,
    Tried,
)  # fmt: skip
from ...values.strength import summary
from ...values.trial import CellResult
from ...views.blocks import visible
from ...views.words import count

if TYPE_CHECKING:
    from rich.live import Live
    from rich.spinner import Spinner

QUIET_SECONDS = 0.3
"""What ends sooner shows no live line, and does not load what draws it."""


class Progress:
    """Told of events; draws them. Used as a context, so that the terminal is whole again however the work ends."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.shown = sys.stderr.isatty()
        self.deployed: list[Deployed] = []
        self._live: Live | None = None
        self._spinner: Spinner | None = None
        self._start = time.monotonic()
        self._cell = self._stage = self._attempt = self._money = ""
        self._trial = self._ename = ""
        self._held: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.tick()
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted(_, total, again):
                self._cell = count(total, "cell")
                if again:
                    self._line("again from the top, with the change in place", "dim")
            case CellStarted(cell_id, index, total):
                self._cell, self._stage, self._trial, self._attempt = f"cell {index}/{total} {cell_id}", "", "", ""
            case CellRan(CellResult() as result, index, total) if self._stage:
                self._trial = f"cell {index}/{total} {result.cell_id}"
            case CellRan(CellResult(failure=failure) as result) if result.status in ("error", "stopped") and failure:
                self._ename = failure.ename
                self._line(f"✗ {result.cell_id}: {failure.ename}: {failure.evalue}", "red")
            case Triaged(triage):
                reason, cut, _ = triage.reason.partition(f": {self._ename}: ")  # the line above has told the rest
                self._line(f"  {triage.kind}: {reason}{'.' if cut else ''}", "dim")
            case StageStarted(stage, detail):
                self._stage, self._trial = f"{stage} {detail}".strip(), ""
            case Asked(attempt, model, tokens):
                self._attempt = f"attempt {attempt}, {model}, about {tokens:,} tokens"
            case Streamed(characters):
                self._trial = f"{characters:,} characters"
            case Spent(cost):
                self._money = "" if not cost.calls else "price not known" if cost.usd is None else f"${cost.usd:.4f}"
            case Tried(trial):
                refused = trial.blocks[0].message if trial.blocks else ""
                ran = f"contract: {summary(trial.strength)}" if trial.strength else f"ran, level {trial.level}"
                self._line(f"  tried {trial.candidate.proposer}: {refused or ran}", "dim")
            case Retrying(_, attempt, seconds, _):
                self._line(f"  again in {seconds:g} s, try {attempt}", "yellow")
            case Decided(_, decision):
                self._stage = self._trial = ""
                if isinstance(decision, (Ask, Reject)):
                    self._line(f"  {decision.reason}", "yellow")
            case Deployed(version, number):
                self.deployed.append(event)
                self._line(f"✓ version {number}: {version.rationale or version.words}", "green")
            case Resumed(cell_id):
                self._line(f"  goes on at {cell_id}, in the same kernel", "dim")
            case Said(text):
                self._line(f"  {text}", "dim")
            case _:
                pass
        self.tick()

    def tick(self) -> None:
        """Called a few times a second while waiting."""
        if not self.shown or (self._live is None and time.monotonic() - self._start < QUIET_SECONDS):
            return
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True, highlight=False, markup=False, emoji=False)
            self._live = Live(self, console=console, transient=True, refresh_per_second=8)
            self._live.start()
        for text, style in self._held:
            self._live.console.print(text, style=style)
        self._held.clear()

    def _line(self, text: str, style: str) -> None:
        self._held.append((visible(" ".join(text.splitlines())), style))

    def __rich__(self) -> Any:
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        if self._spinner is None:
            self._spinner = Spinner("dots")
        seconds = f"{time.monotonic() - self._start:.0f} s"
        parts = (self.label, self._cell, seconds, self._money, self._stage, self._trial, self._attempt)
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_column(width=1)
        line.add_column(no_wrap=True, overflow="ellipsis")
        line.add_row(self._spinner, Text(visible(" · ".join(p for p in parts if p))))
        return line
