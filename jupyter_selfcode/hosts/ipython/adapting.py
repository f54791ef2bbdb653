"""After a `%%selfcode` cell that holds code: it raised, or its contract broke, so it adapts. Or all is well.

By the policy `propose` the error stays and the proposal stands under it; by `deploy` a change that was accepted takes the
error away, runs as this cell's result, and the cell has succeeded.
"""

from __future__ import annotations

import doctest
from typing import TYPE_CHECKING, Any

from ...analysis.contract import examples_of, judge_examples
from ...analysis.forms import intent_of
from ...analysis.probing import run_examples
from ...stages.validate import broken
from ...values.request import Failure
from ...values.trial import Example
from .session import Executed
from .stops import CommandError

if TYPE_CHECKING:
    from .extension import Extension


class ContractBroken(AssertionError):
    """An example in the cell's docstring does not hold."""

    def _render_traceback_(self) -> list[str]:
        return [f"\x1b[31mContractBroken:\x1b[0m {self}"]


def examples_held(cell: Executed, namespace: dict[str, Any]) -> tuple[Example, ...]:
    """Run the examples of a cell's contract here, in a shallow copy of the namespace."""
    examples = examples_of(cell.source)
    if not examples:
        return ()
    sources = [None if e.options.get(doctest.SKIP) else e.source for e in examples]
    reply = run_examples(sources, namespace)
    if any(raised and raised.startswith("KeyboardInterrupt") for _, raised in reply["got"]):
        raise KeyboardInterrupt  # a person wants it to end: nothing is known of the contract then
    return judge_examples(cell.cell_id, examples, reply)


def after_marked_cell(extension: Extension, cell: Executed, result: Any) -> None:
    """Hold a cell that succeeded to its contract; adapt one that did not, or whose contract broke."""
    if result.success:
        failure = broken(examples_held(cell, extension.shell.user_ns))
        if failure is None:
            return
        _show_broken(extension, failure, result)
    elif isinstance(result.error_before_exec or result.error_in_exec, (KeyboardInterrupt, SystemExit)):
        return
    found = extension.session.failure()
    if found is not None:
        adapt(extension, cell, found, result)


def _show_broken(extension: Extension, failure: Failure, result: Any) -> None:
    error = ContractBroken(failure.evalue)
    shell = extension.shell
    shell._showtraceback(ContractBroken, error, error._render_traceback_())
    result.error_in_exec = error
    shell.last_execution_succeeded = False
    extension.session.fail(failure)


def take_back(extension: Extension, failure: Failure) -> bool:
    """Whether the failure was of what a version on probation made, and that was taken back; it is said."""
    from ... import views
    from .progress import print_view
    from .rails import on_failure

    with extension.session.working():
        said, taken = on_failure(extension.workspace(), failure)
    extension.look_again()
    if said and extension.session.kernel:
        from IPython.display import display

        display(views.message(said, "warning"))  # type: ignore[no-untyped-call]
    elif said:
        print_view(views.message(said, "warning"))
    return taken


def adapt(extension: Extension, cell: Executed, failure: Failure, result: Any) -> None:
    """Propose a repair; where the policy deploys it, it becomes this cell's result."""
    from ...reply import Reply
    from .magics import carry_out
    from .progress import Progress
    from .rails import mend_unasked
    from .workspace import LiveWorkspace

    def work(workspace: LiveWorkspace, progress: Progress) -> Reply:
        def clear() -> None:
            progress.pause()
            if extension.session.kernel:
                from IPython.display import clear_output

                clear_output(wait=True)  # type: ignore[no-untyped-call]
                progress.forget()

        workspace.namespace.clear = clear
        try:
            return mend_unasked(workspace, failure, intent_of(cell.source), progress, extension.shell.user_ns)
        finally:
            workspace.namespace.clear = None

    try:
        if take_back(extension, failure):
            return
        reply = carry_out(extension, work)
    except CommandError as e:
        print("\n".join(e._render_traceback_()))
        return
    if reply is None or reply.data.get("status") not in ("deployed", "rerun"):
        return
    namespace = extension.workspace().namespace
    again = namespace.results.get(failure.cell_id)
    if again is not None and again.success:
        # the very object that ipykernel reads for its reply
        result.error_in_exec = result.error_before_exec = None
        result.result = again.result
        extension.shell.last_execution_succeeded = True
        extension.session.mark(failure.cell_id, True)
