"""`%selfcode …` and `%%selfcode` over words: parse, work, show.

Errors of ours are IPython's `UsageError` in kind: one red line without a traceback, and the cell has failed. Failing
matters where nobody looks: nbclient, papermill and "Run All" stop there, instead of running cells that need what was not
made. A proposal that waits for a decision stops them too, but quietly, for nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ... import views
from ...analysis.forms import intent_of, is_intent, read
from ...commands import COMMANDS, follow, parse_line
from ...reply import Reply
from ...values.errors import BadInput, SelfcodeError
from ...values.request import Request
from ...views import View
from ...views.blocks import Fold, Source, Steps, Title
from .namespace import awaits
from .progress import Progress, Shown
from .session import Executed
from .stops import CommandError, WaitsForDecision
from .workspace import LiveWorkspace

if TYPE_CHECKING:
    from .extension import Extension

STOPPED = "Stopped; nothing was changed."
Work = Callable[[LiveWorkspace, Progress], Reply]


def carry_out(
    extension: Extension, work: Work, progress: Progress | None = None, dressed: Callable[[View], Shown] | None = None
) -> Reply | None:
    """Do it, with progress on the screen and the answer in its place, as `dressed` would have it. None where a person
    stopped it.

    Raises `CommandError` for every `SelfcodeError`.
    """
    extension.leave_off()
    channel = extension.session.channel
    progress = progress or Progress(extension.shell, channel)
    try:
        with extension.session.working():
            reply = work(extension.workspace(), progress)
    except KeyboardInterrupt as e:
        progress.finish(views.message(STOPPED, "warning"))
        extension.session.stopping = e
        return None
    except SelfcodeError as e:
        progress.finish(None)
        raise CommandError(str(e)) from None
    except BaseException:
        progress.finish(None)
        raise
    view = with_sources(extension.workspace(), reply.view)
    asked = channel is not None and channel.asking() is not None
    answer = {"data": reply.data, "view": view.data(), "exit_code": reply.exit_code}
    progress.finish(dressed(view) if dressed else view, answer if asked else None)
    extension.workspace().tell_changed()
    extension.look_again()
    return reply


def with_sources(workspace: LiveWorkspace, view: View) -> View:
    """The view with the sources that the person has to bring into the notebook."""
    pasted = tuple(
        Fold(f"cell {c.place} ({c.cell_id}), to paste", (Source(c.after),), shown=True)
        for c in workspace.front_end.to_paste
    )
    workspace.front_end.to_paste = []
    if not pasted:
        return view
    ends = [b for b in view.blocks[-1:] if isinstance(b, Steps)]
    return View((*view.blocks[: len(view.blocks) - len(ends)], *pasted, *ends))


def known_words() -> View:
    """The words that `%selfcode` knows and what each does."""
    rows = [(views.in_magic(c.name), c.help) for c in COMMANDS.values()]
    rows.append(("%selfcode WORD --help", "the arguments of a word"))
    rows.append(("%%selfcode", "a cell of words, or of a docstring and the code that keeps its promise"))
    return View((Title("What %selfcode knows"), Steps(tuple(rows))))


def line_work(extension: Extension, line: str) -> Work:
    """What a line of the grammar asks for. Raises `BadInput` when it is done."""

    def work(workspace: LiveWorkspace, progress: Progress) -> Reply:
        if line.strip() in ("help", "-h", "--help"):
            return Reply({}, known_words())
        command, args = parse_line(line)
        reply = command.run(workspace, args, progress)
        if command.name == "model" and workspace.settings.model != extension.settings.model:
            extension.settings.model = workspace.settings.model
        return reply

    return work


def run_line(extension: Extension, line: str) -> None:
    """`%selfcode line`. Alone, in a notebook, it is the panel."""
    if line.strip():
        carry_out(extension, line_work(extension, line))
    else:
        from .panel import show

        show(extension)


def run_words(extension: Extension, line: str, body: str) -> None:
    """`%%selfcode` over words: generate the code that does what they say."""
    running = extension.session.running
    source = running.source if running else f"%%selfcode {line}".rstrip() + f"\n{body}"
    words = intent_of(source)

    def work(workspace: LiveWorkspace, progress: Progress) -> Reply:
        if running is not None and (now := workspace.document.source_for(running)) is not None:
            return take(extension, workspace, now)
        if not words.strip() and not read(source).docstring:
            raise BadInput("Say below %%selfcode what this cell should do; or a docstring and code that does it.")
        if running is None:
            raise BadInput("Words become code only in a cell of their own: run %%selfcode as a cell.")
        cell_id = workspace.document.id_of(running.cell_id)
        request = Request(words, "intent", cell_id, (cell_id,), budget=workspace.settings.budget())
        return follow(workspace, request, progress)

    reply = carry_out(extension, work)
    if reply is None:
        return
    if reply.data.get("status") == "proposed":
        extension.session.stopping = WaitsForDecision(
            "The code of this cell waits for your decision: %selfcode accept, or reject."
        )
    elif reply.exit_code:
        extension.session.stopping = CommandError(f"This cell has no code: {reply.data.get('decision', '')}")


def take(extension: Extension, workspace: LiveWorkspace, source: str) -> Reply:
    """Bring into the running cell what the notebook holds of it, and run that; words are not run."""
    shell: Any = extension.shell
    session = extension.session
    cell_id = session.running.cell_id if session.running else ""
    if session.kernel:
        shell.set_next_input(source, replace=True)
        said = "This cell showed what it was before it was changed: its content was replaced by what it is now."
    else:
        said = "These words were answered before: this is the code that was accepted."
    error: BaseException | None = None
    session.running = None  # nothing of the cell has run that could be held to a contract
    if is_intent(source):
        said += " Run it once more to have code for these words."
    elif awaits(shell, source):
        said += " It awaits, and nothing can await while this works: run it once more."
    else:
        session.running = Executed(cell_id, source, False)
        result = shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        session.mark(cell_id, error is None, source)
    if error is not None:
        session.stopping = error  # a front end takes new content only from a cell that went well
    elif session.kernel:
        workspace.document.shown_now(cell_id)
    view = views.message(said, "ok")
    if error is not None or not session.kernel:
        view = replace(view, blocks=(*view.blocks, Source(source)))
    return Reply({"status": "taken"}, view)
