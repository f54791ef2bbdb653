"""The panel that `%selfcode` shows: where it is to be had, and the door by which its buttons come back here.

A button sends the line that a magic would hold. It comes by a comm, maybe on another thread (a subshell's) and maybe while
a cell runs, so the line is carried out on the kernel's own loop as soon as nothing runs there.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...config import plugin
from ...selfcode import Workspace
from ...values.errors import BadInput
from ...values.messages import FromKernel, Rest
from ...views import View
from .channel import Channel
from .magics import STOPPED, carry_out, line_work
from .progress import Progress, Shown
from .stops import CommandError

if TYPE_CHECKING:
    from .extension import Extension

KIND = "anywidget"
"""The kind of panel, by the name of its entry point."""
AGAIN_SECONDS = 0.1


@dataclass(frozen=True)
class StandIn:
    """A view that is seen where the panel below it is not: on GitHub, in nbviewer, in a notebook that is opened again."""

    view: View

    def text(self, width: int = 80, color: bool = False) -> str:
        """The view as text."""
        return self.view.text(width, color)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, Any]:
        bundle = self.view._repr_mimebundle_()
        return {**bundle, "text/html": f'<div class="jp-SelfcodeStandIn">{bundle["text/html"]}</div>'}


def panel_of(extension: Extension) -> Any | None:
    """The panel of this session, made at the first look; None where none can be had."""
    if extension.panel is None and extension.session.channel is not None:
        with contextlib.suppress(BadInput, ImportError, OSError):  # no anywidget, or no front end built
            extension.panel = plugin("panels", KIND)(Door(extension, extension.session.channel))
    return extension.panel


def show(extension: Extension) -> None:
    """`%selfcode` alone: the first look, and below it the panel, which hides it where it is drawn."""
    from IPython.display import display

    channel = extension.session.channel
    panel = panel_of(extension) if channel is not None and channel.asking() is None else None
    reply = carry_out(extension, line_work(extension, ""), dressed=StandIn if panel is not None else None)
    if reply is not None and panel is not None:
        display(panel.bundle(), raw=True)  # type: ignore[no-untyped-call]


class Quiet(Progress):
    """Progress that is told to those who listen, and not shown in an output: the panel shows it. It ends at the next event
    once it was stopped."""

    stopped = False
    shown: Shown | None = None

    def tick(self) -> None:
        """Called a few times a second."""
        if self.stopped:
            raise KeyboardInterrupt

    def finish(self, view: Shown | None, answer: Mapping[str, Any] | None = None) -> None:
        """Keep the answer."""
        self.shown = view
        if self.channel is not None:
            self.channel.say(Rest())


class Door:
    """A live session, for a panel."""

    def __init__(self, extension: Extension, channel: Channel) -> None:
        self._extension = extension
        self._channel = channel
        self._working: Quiet | None = None

    def workspace(self) -> Workspace:
        """The notebook at work. Raises `SelfcodeError`."""
        return self._extension.workspace()

    def listen(self, heard: Callable[[FromKernel], None]) -> None:
        """Hear what is at work and what has changed; maybe on another thread."""
        self._channel.listeners.append(heard)

    def run(self, line: str, answered: Callable[[Mapping[str, Any] | None, str], None]) -> None:
        """Carry out a line of the grammar once no cell runs. `answered` gets data, view and exit code, or else why not."""
        self._loop.add_callback(self._when_free, line, answered)

    def stop(self) -> None:
        """Stop what `run` has begun."""
        if self._working is not None:
            self._working.stopped = True

    @property
    def _loop(self) -> Any:
        return self._extension.shell.kernel.io_loop

    def _when_free(self, line: str, answered: Callable[[Mapping[str, Any] | None, str], None]) -> None:
        session = self._extension.session
        if session.busy or session.running is not None:  # a cell that awaits lets the loop go on
            self._loop.call_later(AGAIN_SECONDS, self._when_free, line, answered)
            return
        self._working = working = Quiet(self._extension.shell, self._channel)
        reply, refusal = None, STOPPED
        try:
            with _interruptible():
                done = carry_out(self._extension, line_work(self._extension, line), working)
            if done is not None and isinstance(working.shown, View):
                reply = {"data": done.data, "view": working.shown.data(), "exit_code": done.exit_code}
        except CommandError as e:
            refusal = str(e)
        except Exception as e:  # whatever it is, the panel must not wait for ever
            refusal = f"selfcode could not do it: {type(e).__name__}: {' '.join(str(e).split())}"
        finally:
            self._working = None
        answered(reply, "" if reply else refusal)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let the kernel's interrupt stop this: ipykernel ignores the signal where it handles no message."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
