"""Guard rails as readings of the ledger, and whom a failure is laid to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.stages.watch import in_vain, resting, to_blame, upgraded
from jupyter_selfcode.values.ledger import VAIN, Heal, Rails, WentWell
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Failure

ENDS = ("deployed", "waits", "failed", "budget", "rolled back")


def at(minute):
    return f"2026-01-01T00:{minute:02d}:00+00:00"


def heals(*ends):
    return [Heal(at(i), "c", f"f{i}", "code", "KeyError", end) for i, end in enumerate(ends)]


def notebook(*sources):
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def failed(cell, line=1, ename="TypeError", evalue=""):
    return Failure(cell, ename, evalue, line=line)


@given(st.lists(st.sampled_from(ENDS)), st.lists(st.sampled_from(ENDS)))
def test_what_was_before_a_deployed_change_does_not_count(before, after):
    assert in_vain(heals(*before, "deployed", *after), None) == in_vain(heals("deployed", *after), None)
    if "deployed" not in after:
        assert in_vain(heals("deployed", *after), None) == sum(e in VAIN for e in after)


def test_a_good_run_ends_the_row_and_what_comes_after_it_counts():
    vain = heals("failed", "failed", "failed")
    assert in_vain(vain, WentWell("2026-01-01T00:01:30+00:00")) == 1
    assert in_vain(vain, WentWell(at(9))) == 0


def test_code_rests_for_as_long_as_is_set_and_other_code_does_not():
    tried, rails = heals("failed"), Rails(cool_down=300)
    assert resting(tried, "c", "code", at(1), rails) == 240
    assert resting(tried, "c", "code", at(6), rails) == 0
    assert resting(tried, "c", "edited", at(1), rails) == 0
    assert resting(heals("deployed"), "c", "code", at(1), rails) == 0


def test_a_library_is_told_of_only_where_both_versions_are_known_and_differ():
    well = WentWell("2026-01-02T03:04:05+00:00", {"pandas": "1.5.3", "numpy": "2.0", "gone": "1"})
    (line,) = upgraded(well, {"pandas": "2.2.0", "numpy": "2.0", "new": "1"})
    assert line == "pandas was 1.5.3 when this notebook last ran well (2026-01-02) and is 2.2.0 now."
    assert upgraded(None, {"pandas": "2"}) == ()


OLD = notebook("a = f(1)", "b = a + 1\nc = 2", "d = c", "e = 1")
NEW = notebook("a = g(1)", "b = a + 1\nc = 2", "d = c", "e = 1")


def test_the_changed_statement_and_what_reads_it_are_to_blame():
    assert to_blame(failed("c0"), OLD, NEW, NEW, ["c0"])
    assert to_blame(failed("c1", 1), OLD, NEW, NEW, ["c0"])


def test_a_statement_that_reads_nothing_of_the_change_is_not_laid_to_it():
    assert not to_blame(failed("c1", 2), OLD, NEW, NEW, ["c0"])
    assert not to_blame(failed("c2"), OLD, NEW, NEW, ["c0"])
    assert not to_blame(failed("gone"), OLD, NEW, NEW, ["c0"])


def test_an_old_statement_in_the_changed_cell_is_not_laid_to_the_change():
    old, new = notebook("x = 1\ny = z"), notebook("x = 2\ny = z")
    assert not to_blame(failed("c0", 2), old, new, new, ["c0"])
    assert to_blame(failed("c0", 1), old, new, new, ["c0"])


def test_a_cell_that_a_person_has_rewritten_since_is_theirs():
    assert not to_blame(failed("c0"), OLD, NEW, notebook("a = h(1)", *(c.source for c in NEW.cells[1:])), ["c0"])


def test_where_the_statement_is_not_known_the_reach_of_the_change_decides():
    assert to_blame(failed("c1", None), OLD, NEW, NEW, ["c0"])
    assert not to_blame(failed("c3", None), OLD, NEW, NEW, ["c0"])


def test_a_broken_example_is_laid_to_what_it_reads():
    said = "{} gave 1, the contract says 2"
    assert to_blame(failed("c1", None, "ContractBroken", said.format("b")), OLD, NEW, NEW, ["c0"])
    assert not to_blame(failed("c1", None, "ContractBroken", said.format("c")), OLD, NEW, NEW, ["c0"])
