"""What is at work, while it works: one line that updates in place, and becomes the answer.

In a notebook a display that is updated (no widget: comm messages wait while a magic runs), and the same for the front ends
that listen; in a terminal rich's live line; elsewhere nothing. What ends sooner than `QUIET_SECONDS` shows no line at all.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

from ...values.canonical import plain
from ...values.events import Event
from ...values.messages import REPLY, AtWork, Rest, Working
from ...views import View
from ...views.blocks import Block, Paragraph, Title, dim, say
from ...views.words import duration
from ...views.work import told
from .channel import Channel

QUIET_SECONDS = 0.4
REDRAW_SECONDS = 0.5
SEND_SECONDS = 0.2


class Shown(Protocol):
    """What takes the place of the line: a view, or a view with more to it."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, Any]: ...

    def text(self, width: int = 80, color: bool = False) -> str:
        """As text of at most `width` columns."""


class Progress:
    """Told of events; `tick` is called a few times a second. `finish` shows the answer in place of the line."""

    def __init__(self, shell: Any, channel: Channel | None = None) -> None:
        self.shell = shell
        self.kernel = hasattr(shell, "kernel")
        self.channel = channel
        self.working = Working("", started=time.time())
        self._start = time.monotonic()
        self._drawn = self._sent = 0.0
        self._display: Any = None
        self._live: Any = None
        if channel is not None:
            channel.say(AtWork(self.working))

    def __call__(self, event: Event) -> None:
        before, self.working = self.working, told(self.working, event)
        now = time.monotonic()
        news = (before.stage, before.said) != (self.working.stage, self.working.said)
        if self.channel is not None and (news or now - self._sent > SEND_SECONDS):
            self._sent = now
            self.channel.say(AtWork(self.working))
        self.tick()

    @property
    def view(self) -> View:
        """The line, and the last things that were said."""
        line = " · ".join(p for p in (self.working.line, duration(time.monotonic() - self._start)) if p)
        blocks: list[Block] = [Title("Working", "plain", line)]
        blocks += [Paragraph(say(dim(text))) for text in self.working.said]
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

    def finish(self, view: Shown | None, answer: Mapping[str, Any] | None = None) -> None:
        """Show the answer in place of the line; None: take the line away. `answer` is the same as data, for a front end that
        asked for it."""
        self.pause()
        if self.channel is not None:
            self.channel.say(Rest())
        if not self.kernel:
            if view is not None:
                print_view(view)
            return
        from IPython.display import display

        if self._display is not None:
            self._display.update(view if view is not None else View())
        elif view is not None:
            display(view)  # type: ignore[no-untyped-call]
        if answer is not None:
            display({REPLY: plain(answer)}, raw=True)  # type: ignore[no-untyped-call]


def print_view(view: Shown) -> None:
    """Print for a terminal of whatever width, coloured where it shows colours."""
    import os
    import shutil

    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(view.text(min(120, shutil.get_terminal_size((80, 24)).columns), color))
