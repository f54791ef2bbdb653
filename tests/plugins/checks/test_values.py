"""Variables that a change does not reach are what they were; else a person looks."""

from __future__ import annotations

import pytest

from jupyter_selfcode.plugins.checks.values import ValuesCheck
from jupyter_selfcode.values.behaviour import Likeness
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource, apply
from jupyter_selfcode.values.request import Request
from jupyter_selfcode.values.trial import Candidate, Trial

BOOK = Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(("a = 1", "b = a + 1", "z = 3", "r = np.random.rand()"))))


@pytest.mark.parametrize(
    ("cell_id", "severity", "code"),
    [
        ("c0", "note", "values:changed"),
        ("c1", "note", "values:changed"),
        ("c2", "ask", "values:unreached"),
        ("c3", "note", "values:varies"),
    ],
)
def test_what_is_said_of_a_difference_depends_on_whether_the_change_reaches_it(cell_id, severity, code):
    patch = Patch(BOOK.digest, (ReplaceSource("c0", "a = 2"),))
    alike = (Likeness("v", cell_id, "differs", "was 1, is 2"), Likeness("w", cell_id, "close", "rounding"))
    trial = Trial(Candidate(patch, "", "test"), alike=alike)
    (found,) = ValuesCheck().judge(trial, Request("a is 2"), BOOK, apply(patch, BOOK))
    assert (found.severity, found.code, found.cell_id) == (severity, code, cell_id)
    assert "v: was 1, is 2" in found.message
    assert "rounding" not in found.message
