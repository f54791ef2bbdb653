"""What is at work, while it works: one line that updates in place, and becomes the answer.

In a notebook a display that is updated (no widget: comm messages wait while a magic runs); in a terminal rich's live line;
elsewhere nothing. What ends sooner than `QUIET_SECONDS` shows no line at all.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from ...values.decision import Reject
from ...values.events import (
    Asked,
    CellRan,
    Decided,
    Event,
    Proposed,
    Said,
    Spent,
    StageStarted,
    Streamed,
    Triaged,
    Tried,
)
from ...views import View
from ...views.blocks import Block, Paragraph, Title, dim, say
from ...views.words import duration, money

QUIET_SECONDS = 0.4
REDRAW_SECONDS = 0.5

_STAGES = {
    "describe": "looking at",
    "gather": "gathering",
    "propose": "asking",
    "screen": "reading the change of",
    "validate": "trying",
    "decide": "deciding",
    "deploy": "deploying",
    "record": "recording",
}


class Progress:
    """Told of events; `tick` is called a few times a second. `finish` shows the answer in place of the line."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.kernel = hasattr(shell, "kernel")
        self._start = time.monotonic()
        self._drawn = 0.0
        self._stage = self._cell = self._attempt = self._money = ""
        self._said: list[str] = []
        self._display: Any = None
        self._live: Any = None

    def __call__(self, event: Event) -> None:
        match event:
            case StageStarted(stage, detail):
                self._stage, self._cell = f"{_STAGES[stage]} {detail}".strip(), ""
            case CellRan(_, index, total):
                self._cell = f"cell {index} of {total}"
            case Triaged(triage):
                self._said.append(f"{triage.kind}: {triage.reason}")
            case Asked(attempt, model, tokens):
                self._attempt = f"attempt {attempt}, {model}, about {tokens:,} tokens"
            case Streamed(characters):
                self._cell = f"{characters:,} characters"
            case Spent(cost):
                self._money = money(cost.usd, cost.estimated) if cost.calls else ""
            case Proposed(candidates) if len(candidates) > 1:
                self._said.append(f"{len(candidates)} candidates, to be told apart by running them")
            case Tried(trial):
                refused = f"refused: {trial.blocks[0].message}" if trial.blocks else f"ran, level {trial.level}"
                self._said.append(f"{trial.candidate.proposer} {refused}")
            case Said(text):
                self._said.append(text)
            case Decided(_, decision):
                self._stage = decision.reason if isinstance(decision, Reject) else "decided"
            case _:
                pass
        self.tick()

    @property
    def view(self) -> View:
        """The line, and the last things that were said."""
        seconds = duration(time.monotonic() - self._start)
        line = " · ".join(p for p in (self._stage, self._cell, self._attempt, self._money, seconds) if p)
        blocks: list[Block] = [Title("Working", "plain", line)]
        blocks += [Paragraph(say(dim(text))) for text in self._said[-3:]]
        return View(tuple(blocks))

    def __rich__(self) -> Any:
        from rich.spinner import Spinner

        return Spinner("dots", self.view.__rich__())

    def tick(self) -> None:
        """Draw, where enough time has passed."""
        now = time.monotonic()
        if now - self._start < QUIET_SECONDS or now - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = now
        if self.kernel:
            from IPython.display import display

            if self._display is None:
                self._display = display(self.view, display_id=True)  # type: ignore[no-untyped-call]
            else:
                self._display.update(self.view)
        elif self._live is None and sys.stdout.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
            self._live = Live(self, console=console, transient=True, refresh_per_second=4)
            self._live.start()

    def pause(self) -> None:
        """Leave the screen to what cells print; the line comes back with the next event."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def forget(self) -> None:
        """The output area is being cleared, and the line with it."""
        self._display = None

    def finish(self, view: View | None) -> None:
        """Show the answer in place of the line; None: take the line away."""
        self.pause()
        if not self.kernel:
            if view is not None:
                print_view(view)
            return
        from IPython.display import display

        if self._display is not None:
            self._display.update(view if view is not None else View())
        elif view is not None:
            display(view)  # type: ignore[no-untyped-call]


def print_view(view: View) -> None:
    """Print for a terminal of whatever width, coloured where it shows colours."""
    import os
    import shutil

    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(view.text(min(120, shutil.get_terminal_size((80, 24)).columns), color))
