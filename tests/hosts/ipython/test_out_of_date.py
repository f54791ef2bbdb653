"""What ran before and is out of date is said: before a change, in the panel, by `why`, and as the reason to run it again."""

from __future__ import annotations

import re
from dataclasses import replace

from jupyter_selfcode.commands import COMMANDS, parse_line
from jupyter_selfcode.plugins.proposers.rules import RulesProposer


def told(person):
    return re.sub(r"\s+", " ", person.told())


def test_the_panel_and_why_say_which_cells_are_out_of_date_and_why(person):
    person.run("x = 1", "a")
    person.run("y = x + 1", "b")
    person.run("x = 5", "a")
    person.told()
    person.run("%selfcode", "p")
    said = "Cell 2 (b) is out of date: cell 1 (a) has made x anew since it ran."
    assert said in told(person)
    person.run("%selfcode why b", "p")
    assert said in told(person)
    person.run("y = x + 1", "b")
    person.told()
    person.run("%selfcode", "p")
    assert "out of date" not in told(person)


def test_before_a_change_it_is_said(person):
    person.run("x = 1", "a")
    person.run("y = x + 1", "b")
    person.run("x = 5", "a")
    person.model_says(person.edit("b", "y = x + 2"))
    workspace = person.extension.workspace()
    heard = []
    _, args = parse_line("adapt two more")
    COMMANDS["adapt"].run(workspace, args, heard.append)
    assert any("Cell 2 (b) is out of date" in getattr(e, "text", "") for e in heard)


def test_a_failure_of_what_is_out_of_date_runs_it_again_and_leaves_the_code_alone(person):
    person.run("x = 1", "a")
    person.run("y = [x]", "b")
    person.run("x = '1'", "a")
    person.run("y = x + 1", "b")  # fails: x is text now
    person.run("x = 1", "a")
    person.model_says()
    workspace = person.extension.workspace()
    workspace.engine = replace(workspace.engine, proposers=[RulesProposer()])
    person.run("%selfcode fix", "f")
    said = told(person)
    assert "It does not fail when the notebook runs from the top" in said
    assert person.notebook().cell("b").source == "y = x + 1"
    person.run("%selfcode accept", "f")
    assert person.shell.user_ns["y"] == 2


def test_a_name_that_no_cell_makes_any_more_is_told(person):
    person.run("x = 1", "a")
    person.run("y = x + 1", "b")
    person.run("renamed = 1", "a")
    person.told()
    person.run("%selfcode", "p")
    assert "no cell above makes x any more" in told(person)


def test_what_a_deployed_change_ran_again_is_not_out_of_date(person):
    person.run("x = 1", "a")
    person.run("y = x + 1", "b")
    person.model_says(person.edit("a", "x = 2"))
    person.run("%selfcode adapt make it two", "w")
    person.run("%selfcode accept", "w")
    assert person.shell.user_ns["y"] == 3
    person.told()
    person.run("%selfcode", "p")
    assert "out of date" not in told(person)
