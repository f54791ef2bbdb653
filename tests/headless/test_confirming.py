"""What the run has to give after a change was tried in a copy of it."""

from __future__ import annotations

import pytest

from jupyter_selfcode.headless.confirming import Confirming, confirming
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource, apply_ops
from jupyter_selfcode.values.request import Failure
from jupyter_selfcode.values.trial import Candidate, CellResult, Run, Served, Trial

BEFORE = Notebook(tuple(Cell(i, "code", s) for i, s in (("a", "x = 1"), ("b", "y = x / 0"), ("c", "print(y)"), ("d", "print('d')"))))
PATCH = Patch(BEFORE.digest, (ReplaceSource("b", "y = x"),))


def shows(cell_id, text, status="ok"):
    failure = Failure(cell_id, "ValueError", text) if status == "error" else None
    return CellResult(cell_id, status, ({"output_type": "stream", "name": "stdout", "text": text},), failure=failure)


@pytest.fixture
def expected():
    results = tuple(shows(i, i) for i in "abcd")
    trial = Trial(Candidate(PATCH, "", "test"), Run(results, served=Served("forked", "live", goes_on=True)))
    return confirming(trial, BEFORE, apply_ops(PATCH.ops, BEFORE), "b", "v2")


def test_the_same_result_confirms(expected):
    assert [expected.differs(shows(i, i)) for i in "bcd"] == ["", "", ""]


def test_a_cell_that_fails_in_the_run_only_is_a_disagreement(expected):
    assert expected.differs(shows("c", "lost", "error")) == (
        "Cell c ran well in a copy of this run, and not in the run itself (ValueError: lost)."
    )


def test_another_output_is_one_where_the_change_can_affect_it(expected):
    assert "and another in the run itself" in expected.differs(shows("b", "else"))
    assert "and another in the run itself" in expected.differs(shows("c", "else"))
    assert expected.differs(shows("d", "else")) == ""


def test_cells_above_the_change_ran_in_the_run_only(expected):
    assert expected.differs(shows("a", "else")) == ""


def test_what_a_run_from_the_top_has_confirmed_is_not_looked_at_again():
    trial = Trial(Candidate(PATCH, "", "test"), Run((shows("b", "b"),), served=Served("forked", "replayed")))
    assert confirming(trial, BEFORE, BEFORE, "b", "v2") == Confirming()
