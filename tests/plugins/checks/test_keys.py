"""A key in a cell is told once, where it is; one that a change would write there is asked about."""

from __future__ import annotations

from jupyter_selfcode.plugins.checks.keys import KeysCheck
from jupyter_selfcode.protocols import Check
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import CellOp, DeleteCell, Patch, ReplaceSource, apply
from jupyter_selfcode.values.request import Request
from jupyter_selfcode.values.trial import Candidate

KEY = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
NOTEBOOK = Notebook((Cell("a", "code", f"token = '{KEY}'\nx = 1"), Cell("b", "code", "y = 2")))


def found(*ops: CellOp) -> list[tuple[str, str, str | None]]:
    patch = Patch(NOTEBOOK.digest, ops)
    findings = KeysCheck().screen(Candidate(patch, "", "llm"), Request(""), NOTEBOOK, apply(patch, NOTEBOOK))
    assert all(KEY not in f.message for f in findings)
    return [(f.code, f.severity, f.cell_id) for f in findings]


def test_a_key_that_stood_there_is_noted_where_its_cell_is_changed():
    assert isinstance(KeysCheck(), Check)
    assert found(ReplaceSource("a", f"token = '{KEY}'\nx = 2")) == [("keys:there", "note", "a")]
    assert found(ReplaceSource("b", "y = 3")) == []


def test_a_key_that_a_change_writes_is_asked_about():
    assert found(ReplaceSource("b", "api_key = 'sk-proj-abcDEF123456ghiJKL7890mnoPQR'")) == [("keys:written", "ask", "b")]


def test_taking_a_key_out_is_no_finding():
    assert found(ReplaceSource("a", "x = 1")) == found(DeleteCell("a")) == []
