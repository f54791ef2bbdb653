"""Progress says what is at work and how it goes; where standard error is no terminal it is silent."""

from __future__ import annotations

import pytest
from rich.console import Console

from jupyter_selfcode.hosts.cli.progress import Progress
from jupyter_selfcode.values.events import (
    Asked,
    CellRan,
    CellStarted,
    RunStarted,
    Spent,
    StageStarted,
    Streamed,
    Triaged,
)
from jupyter_selfcode.values.prompt import Cost
from jupyter_selfcode.values.request import Failure, Triage
from jupyter_selfcode.values.trial import CellResult


def drawn(progress: Progress, width: int = 200) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(progress)
    return captured.get()


@pytest.fixture
def progress():
    return Progress("run nb.ipynb")


def test_the_line_names_cell_stage_attempt_and_money(progress):
    for event in (
        RunStarted("nb.ipynb", 3), CellStarted("load", 1, 3), StageStarted("propose", "llm"), Asked(2, "some/model", 4321),
        Streamed(77), Spent(Cost(0.0123, 10, 20, 1)),
    ):  # fmt: skip
        progress(event)
    line = drawn(progress)
    for said in (
        "run nb.ipynb",
        "cell 1/3 load",
        "propose llm",
        "attempt 2, some/model",
        "4,321 tokens",
        "77",
        "$0.0123",
        " s",
    ):
        assert said in line


def test_a_price_that_nobody_knows_is_not_zero(progress):
    progress(Spent(Cost(None, 1, 1, 1)))
    assert "price not known" in drawn(progress)


def test_the_line_stays_one_line_however_long_its_parts_are(progress):
    progress(CellStarted("x" * 500, 1, 1))
    assert drawn(progress, width=60).count("\n") == 1


def test_terminal_control_in_names_and_messages_is_spelled_out(progress, capsys):
    progress(CellStarted("a\x1b[2Jb", 1, 1))
    assert "\x1b" not in drawn(progress)
    progress(CellRan(CellResult("c", "error", failure=Failure("c", "E", "\x1b]0;title\x07")), 1, 1))
    with progress:
        pass
    assert "\x1b" not in "".join(capsys.readouterr())


def test_it_is_silent_where_standard_error_is_no_terminal(progress, capsys):
    with progress:
        progress(RunStarted("nb.ipynb", 3))
        progress(CellRan(CellResult("c", "error", failure=Failure("c", "E", "e")), 1, 1))
    assert capsys.readouterr() == ("", "")


def test_triage_does_not_say_an_error_again_that_was_just_told(progress):
    failure = Failure("a", "KeyError", "'Region'")
    progress(CellRan(CellResult("a", "error", failure=failure), 1, 1))
    progress(Triaged(Triage("code", "The code and its data do not fit: KeyError: 'Region'")))
    progress(Triaged(Triage("environment", "There is no file a.csv.")))
    assert [text for text, _ in progress._held] == [
        "✗ a: KeyError: 'Region'",
        "  code: The code and its data do not fit.",
        "  environment: There is no file a.csv.",
    ]
