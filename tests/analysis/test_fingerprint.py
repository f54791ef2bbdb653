"""A failure is known again by its code, its kind, its place and the form of its data; not by what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_selfcode.analysis.fingerprint import fingerprint
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Failure, Variable

FRAME = "pandas.core.frame.DataFrame"


def notebook(*sources):
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


BOOK = notebook("df = load()", "other = 1", "y = df['a']\nz = y + 1")
FAILED = Failure("c2", "KeyError", "'a'", line=1)
TABLE = Variable("df", FRAME, "10 rows × 2 columns; a: int64, b: object")
ASKED = ("rules", "model")


def mark(failure=FAILED, book=BOOK, variables=(TABLE,), by=ASKED):
    return fingerprint(failure, book, variables, by)


def test_what_it_says_and_how_many_rows_there_are_make_no_other_failure():
    assert mark() == mark(replace(FAILED, evalue="'a' at 0x7f12", traceback="another"))
    assert mark() == mark(variables=(replace(TABLE, summary=TABLE.summary.replace("10", "99999")),))
    assert mark() == mark(variables=(TABLE, Variable("other", "int")))


@pytest.mark.parametrize(
    "changed",
    [
        {"failure": replace(FAILED, ename="TypeError")},
        {"failure": replace(FAILED, line=2)},
        {"book": notebook("df = load()", "other = 1", "y = df['a']\nz = y + 2")},
        {"book": notebook("df = load(1)", "other = 1", "y = df['a']\nz = y + 1")},
        {"variables": (replace(TABLE, summary="10 rows × 2 columns; a: float64, b: object"),)},
        {"by": ("rules",)},
    ],
    ids=["kind", "place", "code", "code above", "schema", "who tries"],
)
def test_another_kind_place_code_schema_or_model_is_another_failure(changed):
    assert mark() != mark(**changed)


def test_code_that_it_does_not_depend_on_makes_no_other_failure():
    assert mark() == mark(book=notebook("df = load()", "other = 2", "y = df['a']\nz = y + 1"))


def test_a_broken_contract_is_known_by_its_example():
    a = Failure("c2", "ContractBroken", "len(y) gave 3, the contract says 4")
    assert mark(a) == mark(replace(a, evalue="len(y) gave 5, the contract says 4"))
    assert mark(a) != mark(replace(a, evalue="sum(y) gave 3, the contract says 4"))
