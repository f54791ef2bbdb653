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
from ...analysis.forms import intent_of, read
from ...commands import Reply, follow, parse_line
from ...values.errors import SelfcodeError
from ...values.request import Request
from ...views import View
from ...views.blocks import Fold, Source, Steps
from .progress import Progress
from .stops import CommandError, WaitsForDecision
from .workspace import LiveWorkspace

if TYPE_CHECKING:
    from .extension import Extension

STOPPED = "Stopped; nothing was changed."
Work = Callable[[LiveWorkspace, Progress], Reply]


def carry_out(extension: Extension, work: Work) -> Reply | None:
    """Do it, with progress on the screen and the answer in its place. None where a person stopped it.

    Raises `CommandError` for every `SelfcodeError`.
    """
    progress = Progress(extension.shell)
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
    progress.finish(with_sources(extension.workspace(), reply.view))
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


def run_line(extension: Extension, line: str) -> None:
    """`%selfcode line`."""

    def work(workspace: LiveWorkspace, progress: Progress) -> Reply:
        command, args = parse_line(line)
        reply = command.run(workspace, args, progress)
        if command.name == "model" and workspace.settings.model != extension.settings.model:
            extension.settings.model = workspace.settings.model
        return reply

    carry_out(extension, work)


def run_words(extension: Extension, line: str, body: str) -> None:
    """`%%selfcode` over words: generate the code that does what they say."""
    running = extension.session.running
    source = running.source if running else f"%%selfcode {line}".rstrip() + f"\n{body}"
    words = intent_of(source)
    if not words.strip() and not read(source).docstring:
        raise CommandError("Say below %%selfcode what this cell should do; or a docstring and code that does it.")
    if running is None:
        raise CommandError("Words become code only in a cell of their own: run %%selfcode as a cell.")

    def work(workspace: LiveWorkspace, progress: Progress) -> Reply:
        if (code := workspace.document.code_for(running)) is not None:
            return take(extension, workspace, code)
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


def take(extension: Extension, workspace: LiveWorkspace, code: str) -> Reply:
    """Bring into the cell what was accepted for its words, and run it here."""
    shell: Any = extension.shell
    if extension.session.kernel:
        shell.set_next_input(code, replace=True)
        said = "This cell's words were answered before: its content was replaced by the code that you accepted."
    else:
        said = "These words were answered before: this is the code that you accepted."
    result = shell.run_cell(code, store_history=False)
    error = result.error_before_exec or result.error_in_exec
    if error is not None:
        extension.session.stopping = error
    view = views.message(said, "ok")
    if not extension.session.kernel:
        view = replace(view, blocks=(*view.blocks, Source(code)))
    return Reply({"status": "taken"}, view)
