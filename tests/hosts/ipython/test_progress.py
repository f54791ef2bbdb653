"""What is shown while it works, and that nothing of it stays."""

from __future__ import annotations

from jupyter_selfcode.hosts.ipython.progress import Progress
from jupyter_selfcode.values.events import Asked, CellRan, Said, Spent, StageStarted, Streamed, Triaged
from jupyter_selfcode.values.prompt import Cost
from jupyter_selfcode.values.request import Triage
from jupyter_selfcode.values.trial import CellResult
from jupyter_selfcode.views import message


def test_stage_attempt_cell_seconds_and_money_are_told(bare):
    progress = Progress(bare.shell)
    for event in (
        StageStarted("validate", "in a clean kernel"), CellRan(CellResult("a", "ok"), 3, 12), Asked(2, "openai/x", 1500),
        Spent(Cost(0.0123, 100, 20, 1)), Triaged(Triage("code", "it <b>fails</b>")), Said("a provider is busy"),
    ):  # fmt: skip
        progress(event)
    text = " ".join(progress.view.text(300).split())
    for said in (
        "trying in a clean kernel",
        "cell 3 of 12",
        "attempt 2, openai/x, about 1,500 tokens",
        "$0.0123",
        "ms",
        "a provider is busy",
    ):
        assert said in text
    assert "<b>" not in progress.view.html()
    progress(Streamed(4_200))
    assert "4,200 characters" in progress.view.text(300)


def test_where_nobody_looks_only_the_answer_is_printed(bare):
    progress = Progress(bare.shell)
    progress._start -= 10
    progress(StageStarted("gather", "cells"))
    progress.tick()
    progress.finish(message("Done.", "ok"))
    assert bare.told() == "✓ Done.\n"


class Kernel(Progress):
    """Progress in a shell that has a kernel."""

    def __init__(self, shell):
        super().__init__(shell)
        self.kernel = True
        self._start -= 10


def test_in_a_notebook_one_display_is_updated_and_becomes_the_answer(bare):
    from IPython.utils.io import capture_output

    with capture_output() as captured:
        progress = Kernel(bare.shell)
        progress(StageStarted("gather", "cells"))
        progress._drawn = 0
        progress(StageStarted("decide"))
        progress.finish(message("Done.", "ok"))
    ids = {o.transient["display_id"] for o in captured.outputs}
    assert len(ids) == 1
    assert [o.update for o in captured.outputs] == [False, True, True]
    assert "Done." in captured.outputs[-1].data["text/plain"]


def test_what_is_quick_shows_no_line(bare):
    from IPython.utils.io import capture_output

    with capture_output() as captured:
        progress = Progress(bare.shell)
        progress.kernel = True
        progress(StageStarted("gather", "cells"))
        progress.finish(message("Done.", "ok"))
    assert len(captured.outputs) == 1
