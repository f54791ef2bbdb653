"""A docstring that describes what a change took away is told; all others are left alone."""

from __future__ import annotations

import pytest

from jupyter_selfcode.plugins.checks.docstrings import DocstringCheck, described
from jupyter_selfcode.protocols import Check
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource, apply
from jupyter_selfcode.values.request import Request
from jupyter_selfcode.values.trial import Candidate

SPHINX = "Sum.\n\n:param frame: the table\n:param str column: which one\n:returns: a number"
NUMPY = "Sum.\n\nParameters\n----------\nframe : DataFrame\n    The table: all of it.\ncolumn, other : str\n\nReturns\n-------\ntotal : float"
GOOGLE = "Sum.\n\nArgs:\n    frame (DataFrame): The table.\n        note: not a parameter\n    column: Which one.\n\nReturns:\n    total: A number."


def found(before: str, after: str) -> list[tuple[str, str]]:
    nb = Notebook((Cell("a", "code", before),))
    patch = Patch(nb.digest, (ReplaceSource("a", after),))
    check = DocstringCheck()
    assert isinstance(check, Check)
    return [(f.severity, f.message) for f in check.screen(Candidate(patch, "", "llm"), Request(""), nb, apply(patch, nb))]


def function(parameters: str, text: str) -> str:
    body = text.replace("\n", "\n    ")
    return f'def total({parameters}):\n    """{body}\n    """\n    return 1'


@pytest.mark.parametrize(
    ("text", "names"),
    [(SPHINX, {"frame", "column"}), (NUMPY, {"frame", "column", "other"}), (GOOGLE, {"frame", "column"}), ("Sum of column: all.", set())],
)
def test_parameters_are_read_in_the_three_styles(text, names):
    assert described(text) == names


@pytest.mark.parametrize("text", [SPHINX, NUMPY, GOOGLE])
def test_a_parameter_that_is_gone_and_still_described_is_noted(text):
    said = "The docstring of total still describes column, which it no longer takes."
    assert found(function("frame, column", text), function("frame, name", text)) == [("note", said)]
    assert found(function("frame, column", text), function("frame, column, more=1", text)) == []
    assert found(function("frame, column", text), function("frame, name", text.replace("column", "name"))) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (function("frame", NUMPY), function("frame", NUMPY).replace("return 1", "return 2")),  # it was stale before
        ("x = 1", function("frame", NUMPY)),
        (function("frame, column", "Sum of column."), function("frame", "Sum of column.")),
        ("def total(:", "x = 1"),
    ],
)
def test_what_the_change_did_not_do_is_not_told(before, after):
    assert found(before, after) == []
