"""The gates, on small notebooks: what they refuse, ask about, note and let pass."""

from __future__ import annotations

import pytest

from jupyter_selfcode.plugins.checks.bandit import BanditCheck
from jupyter_selfcode.plugins.checks.capabilities import CapabilitiesCheck
from jupyter_selfcode.plugins.checks.contract import ContractCheck
from jupyter_selfcode.plugins.checks.fake_fixes import FakeFixCheck
from jupyter_selfcode.plugins.checks.imports import ImportsCheck
from jupyter_selfcode.plugins.checks.outputs import OutputsCheck
from jupyter_selfcode.plugins.checks.runs import RunsCheck
from jupyter_selfcode.plugins.checks.scope import ScopeCheck
from jupyter_selfcode.protocols import Check
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import DeleteCell, InsertCell, Patch, ReplaceSource, SetMetadata, apply
from jupyter_selfcode.values.request import Failure, Request
from jupyter_selfcode.values.trial import Candidate, CellResult, Example, Run, Trial

CHECKS = (
    RunsCheck, ScopeCheck, CapabilitiesCheck, ImportsCheck, ContractCheck, OutputsCheck, FakeFixCheck, BanditCheck,
)  # fmt: skip


def book(*sources: str) -> Notebook:
    return Notebook(tuple(Cell(f"c{i}", "code", s) for i, s in enumerate(sources)))


def candidate(nb: Notebook, *ops) -> Candidate:
    return Candidate(Patch(nb.digest, ops), "because", "test")


def screened(check: Check, nb: Notebook, request: Request, *ops) -> list[tuple[str, str]]:
    c = candidate(nb, *ops)
    return [(f.severity, f.code) for f in check.screen(c, request, nb, apply(c.patch, nb))]


def out(text: str) -> tuple[dict, ...]:
    return ({"output_type": "stream", "name": "stdout", "text": text},)


def ran(*results: tuple, state: str = "complete", detail: str = "", examples: tuple = ()) -> Run:
    """A run of (cell, output) or (cell, exception name, message)."""
    made = [
        CellResult(r[0], "ok", out(r[1])) if len(r) == 2 else CellResult(r[0], "error", (), failure=Failure(*r))
        for r in results
    ]
    return Run(tuple(made), state, detail, examples=examples)  # type: ignore[arg-type]


def judged(
    check: Check, nb: Notebook, request: Request, before: Run | None, run: Run, *ops
) -> list[tuple[str, str, str | None]]:
    c = candidate(nb, *ops)
    trial = Trial(c, run, before)
    return [(f.severity, f.code, f.cell_id) for f in check.judge(trial, request, nb, apply(c.patch, nb))]


FIX = Request("", "exception", "c1", failure=Failure("c1", "KeyError", "'x'"))
WORDS = Request("plot it", "words")


@pytest.mark.parametrize("kind", CHECKS)
def test_every_check_has_the_agreed_shape_and_lets_an_ordinary_change_pass(kind):
    check = kind()
    assert isinstance(check, Check)
    nb = book("a = 1", "print(a)")
    request = Request("print two", "words")
    op = ReplaceSource("c1", "print(a + 1)")
    assert screened(check, nb, request, op) == []
    before, run = ran(("c0", ""), ("c1", "1")), ran(("c0", ""), ("c1", "2"))
    assert judged(check, nb, request, before, run, op) == []


# ---- runs ----------------------------------------------------------------------------------------------------------


def test_a_target_that_still_fails_is_refused():
    run = ran(("c0", ""), ("c1", "KeyError", "'y'"), state="error")
    assert judged(RunsCheck(), book("a", "b"), FIX, None, run, ReplaceSource("c1", "c")) == [
        ("block", "runs:fails", "c1")
    ]


def test_an_untouched_cell_that_failed_before_in_the_same_way_is_a_note():
    nb = book("a", "b", "c")
    request = Request("mend", "words", "c0")
    before, run = (ran(("c0", ""), ("c1", "KeyError", "'x'"), state="error") for _ in range(2))
    assert judged(RunsCheck(), nb, request, before, run, ReplaceSource("c0", "z")) == [
        ("note", "runs:failed-before", "c1")
    ]


def test_an_untouched_cell_that_fails_in_a_new_way_is_refused():
    nb = book("a", "b")
    request = Request("mend", "words", "c0")
    before = ran(("c0", ""), ("c1", "KeyError", "'x'"), state="error")
    run = ran(("c0", ""), ("c1", "TypeError", "no"), state="error")
    assert judged(RunsCheck(), nb, request, before, run, ReplaceSource("c0", "z")) == [("block", "runs:fails", "c1")]


def test_a_failure_before_the_changed_cell_is_reached_is_refused():
    nb = book("a", "b", "c")
    request = Request("mend", "words", "c2")
    before, run = (ran(("c0", "KeyError", "'x'"), state="error") for _ in range(2))
    assert judged(RunsCheck(), nb, request, before, run, ReplaceSource("c2", "z")) == [("block", "runs:fails", "c0")]


@pytest.mark.parametrize("state", ["timeout", "memory", "output", "died", "stdin", "cancelled"])
def test_a_run_that_was_stopped_is_refused_with_its_own_line(state):
    run = ran(("c0", ""), state=state, detail="Cell c0 took more than 120 s and was stopped.")
    c = candidate(book("a"), ReplaceSource("c0", "b"))
    [found] = RunsCheck().judge(Trial(c, run), WORDS, book("a"), book("b"))
    assert (found.severity, found.message) == ("block", "Cell c0 took more than 120 s and was stopped.")


def test_a_trial_that_does_not_reach_its_target_is_refused():
    nb = book("a", "b")
    assert judged(RunsCheck(), nb, FIX, None, ran(("c0", "")), ReplaceSource("c0", "z")) == [
        ("block", "runs:not-reached", "c1")
    ]


# ---- scope ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("print(", "scope:syntax"),
        ("return 1", "scope:syntax"),
        ("x = 'a\u202eb'", "scope:hidden"),
        ("x\u200b = 1", "scope:hidden"),
    ],
)
def test_sources_that_may_not_come_in_are_refused(new, code):
    found = screened(ScopeCheck(), book("a = 1", "print(a)"), WORDS, ReplaceSource("c1", new))
    assert ("block", code) in found


def test_a_syntax_error_is_told_with_its_line():
    nb = book("a = 1")
    c = candidate(nb, ReplaceSource("c0", "a = 1\nb = = 2"))
    [found] = ScopeCheck().screen(c, WORDS, nb, apply(c.patch, nb))
    assert "Line 2" in found.message
    assert "b = = 2" in found.message


def test_cells_outside_of_the_scope_may_not_change():
    nb = book("a", "b", "c")
    request = Request("x", "words", scope=("c1",))
    assert screened(ScopeCheck(), nb, request, ReplaceSource("c1", "z")) == []
    assert screened(ScopeCheck(), nb, request, ReplaceSource("c2", "z")) == [("block", "scope:outside")]
    assert screened(ScopeCheck(), nb, request, DeleteCell("c0")) == [("block", "scope:outside")]
    assert screened(ScopeCheck(), nb, request, InsertCell(Cell("new", "code", "z"))) == [("block", "scope:outside")]


def test_an_intent_changes_its_own_cell_and_no_other():
    nb = book("a", "%%selfcode\nplot it")
    request = Request("plot it", "intent", "c1")
    assert screened(ScopeCheck(), nb, request, ReplaceSource("c1", '%%selfcode\n"""plot it"""\nx = 1')) == []
    assert screened(ScopeCheck(), nb, request, ReplaceSource("c0", "z")) == [("block", "scope:outside")]


def test_a_repair_may_change_another_cell_but_not_its_contract():
    nb = book('"""\n>>> a\n1\n"""\na = 2', "print(a.b)")
    assert screened(ScopeCheck(), nb, FIX, ReplaceSource("c0", '"""\n>>> a\n1\n"""\na = 1')) == []
    assert ("block", "scope:contract") in screened(
        ScopeCheck(), nb, FIX, ReplaceSource("c0", '"""\n>>> a\n2\n"""\na = 2')
    )


def test_a_change_that_nobody_can_review_is_refused():
    assert ("block", "scope:size") in screened(ScopeCheck(), book("a"), WORDS, ReplaceSource("c0", "x = 1\n" * 20_000))


def test_a_repair_that_rewrites_the_notebook_is_asked_about():
    nb = book("a", "b", "c", "d", "e")
    ops = [ReplaceSource(f"c{i}", f"x{i} = 1") for i in (0, 2, 3)]
    assert screened(ScopeCheck(), nb, FIX, *ops) == [("ask", "scope:wide")]


def test_tags_and_locks_may_not_be_used_to_get_round_the_gates():
    nb = book("a", "b")
    assert screened(ScopeCheck(), nb, FIX, SetMetadata("c1", {"tags": ["skip-execution"]})) == [
        ("block", "fake-fix:skipped")
    ]
    assert screened(ScopeCheck(), nb, FIX, SetMetadata("c1", {"editable": False})) == [("block", "scope:metadata")]
    assert screened(ScopeCheck(), nb, FIX, SetMetadata(None, {"kernelspec": {}})) == [("block", "scope:metadata")]


# ---- imports -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("import nump", "near: numpy"),
        ("import reqeusts_pro", "It needs package 'reqeusts_pro', not installed"),
        ("import sklearn.cross_validation", "no module 'sklearn.cross_validation'"),
        ("from sklearn.preprocessing import Imputer", "no 'Imputer'"),
        ("from scipy.integrate import simps", "near: simpson"),
        ("from collections import Mapping", "no 'Mapping'"),
        ("from pandas import Panel", "no 'Panel'"),
        ("def f():\n    import no_such_module_here", "no_such_module_here"),
    ],
)
def test_imports_that_do_not_exist_here_are_refused(new, said):
    nb = book("a = 1")
    c = candidate(nb, ReplaceSource("c0", new))
    [found] = ImportsCheck().screen(c, WORDS, nb, apply(c.patch, nb))
    assert found.severity == "block"
    assert said in found.message


@pytest.mark.parametrize(
    "new",
    [
        "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt", "from sklearn.model_selection import train_test_split",
        "import os.path\nfrom os.path import join", "from collections.abc import Mapping", "from IPython.display import display",
        "from sklearn import linear_model", "from pathlib import Path", "from math import sqrt", "from scipy import stats",
        "try:\n    import tomllib\nexcept ImportError:\n    import tomli as tomllib", "from numpy.random import default_rng",
        "from pandas.tseries.offsets import MonthEnd", "import xml.etree.ElementTree as ET", "from matplotlib import pyplot",
        "from sklearn.linear_model import LinearRegression", "import sys, re, json", "from concurrent.futures import ThreadPoolExecutor",
        "from pandas.api.types import is_numeric_dtype", "import numpy.linalg as la", "from datetime import datetime, timedelta",
        "from matplotlib.ticker import FuncFormatter", "from sklearn.metrics import r2_score", "from numpy import nan, isclose",
    ],
)  # fmt: skip
def test_imports_that_exist_pass(new):
    found = screened(ImportsCheck(), book("a = 1"), WORDS, ReplaceSource("c0", new))
    assert found == [] or "tomli" in new


def test_imports_that_were_there_before_are_not_held_against_a_change():
    nb = book("import fancylib", "a = 1")
    assert screened(ImportsCheck(), nb, WORDS, ReplaceSource("c1", "import fancylib\nimport fancylib.more")) == []


def test_looking_for_an_import_runs_no_code(tmp_path, monkeypatch):
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / "__init__.py").write_text("raise SystemExit('the module was run')")
    (tmp_path / "trap" / "inner.py").write_text("raise SystemExit('the module was run')\nname = 1")
    monkeypatch.syspath_prepend(tmp_path)
    assert (
        screened(
            ImportsCheck(), book("a"), WORDS, ReplaceSource("c0", "import trap.inner\nfrom trap.inner import name")
        )
        == []
    )


# ---- contract ------------------------------------------------------------------------------------------------------

KEPT = '"""\n>>> a\n1\n"""\na = 1'


def example(cell_id: str, passed: bool, got: str = "2\n") -> Example:
    return Example(cell_id, "a\n", "1\n", got, passed)


def test_a_broken_example_of_a_changed_cell_is_refused():
    run = ran(("c0", ""), examples=(example("c0", False),))
    assert judged(ContractCheck(), book(KEPT), WORDS, None, run, ReplaceSource("c0", KEPT + "\n")) == [
        ("block", "contract:broken", "c0")
    ]


def test_an_example_of_another_cell_that_held_before_must_hold():
    nb, op = book(KEPT, "b"), ReplaceSource("c1", "z")
    held, lost = ran(examples=(example("c0", True),)), ran(examples=(example("c0", False),))
    assert judged(ContractCheck(), nb, WORDS, held, lost, op) == [("block", "contract:broken", "c0")]
    assert judged(ContractCheck(), nb, WORDS, lost, lost, op) == [("note", "contract:broken-before", "c0")]


def test_an_example_that_was_not_run_does_not_hold():
    assert judged(ContractCheck(), book(KEPT), WORDS, None, ran(("c0", "")), ReplaceSource("c0", KEPT + "\n")) == [
        ("block", "contract:not-run", "c0")
    ]


def test_the_words_of_an_intent_stay():
    nb = book("%%selfcode\nplot revenue per month")
    request = Request("plot revenue per month", "intent", "c0")
    kept = '%%selfcode\n"""plot revenue\nper month"""\nx = 1'
    assert screened(ContractCheck(), nb, request, ReplaceSource("c0", kept)) == []
    for other in ("x = 1", '%%selfcode\n"""plot units"""\nx = 1', "%%selfcode\nx = 1"):
        assert screened(ContractCheck(), nb, request, ReplaceSource("c0", other)) == [("block", "contract:words")]


# ---- outputs -------------------------------------------------------------------------------------------------------

BOOK = ("a = 1", "b = 2", "print(a)", "print(b)")


def runs(third: str, fourth: str) -> Run:
    return ran(("c0", ""), ("c1", ""), ("c2", third), ("c3", fourth))


def test_a_cell_that_the_change_cannot_reach_must_give_the_same():
    op = ReplaceSource("c0", "a = 5")
    assert judged(OutputsCheck(), book(*BOOK), FIX, runs("1", "2"), runs("5", "9"), op) == [
        ("note", "outputs:changed", "c2"),
        ("block", "outputs:unreached", "c3"),
    ]


def test_for_a_request_in_words_a_changed_output_below_is_asked_about():
    op = ReplaceSource("c0", "a = 5")
    assert judged(OutputsCheck(), book(*BOOK), WORDS, runs("1", "2"), runs("5", "2"), op) == [
        ("ask", "outputs:changed", "c2")
    ]


def test_a_difference_above_the_change_says_that_the_notebook_is_not_reproducible():
    op = ReplaceSource("c3", "print(b + 1)")
    assert judged(OutputsCheck(), book(*BOOK), FIX, runs("1", "2"), runs("7", "3"), op) == [
        ("note", "outputs:varies", "c2")
    ]


def test_random_numbers_are_not_held_against_a_change():
    nb = book("a = 1", "print(np.random.rand(3))")
    op = ReplaceSource("c0", "a = 5")
    before, run = ran(("c0", ""), ("c1", "0.1")), ran(("c0", ""), ("c1", "0.7"))
    assert judged(OutputsCheck(), nb, FIX, before, run, op) == [("note", "outputs:varies", "c1")]


def test_images_are_noted_as_not_compared():
    nb, op = book("a = 1", "plot(b)"), ReplaceSource("c0", "a = 2")

    def shows(bytes_: str) -> Run:
        data = {"output_type": "display_data", "data": {"image/png": bytes_}, "metadata": {}}
        return Run((CellResult("c1", "ok", (data,)),))

    assert judged(OutputsCheck(), nb, FIX, shows("abc"), shows("abd"), op) == [("note", "outputs:image", "c1")]


# ---- fake fixes ----------------------------------------------------------------------------------------------------


def test_a_swallowed_exception_is_refused_with_its_cell():
    nb = book("df = load()", "print(df['x'])")
    c = candidate(nb, ReplaceSource("c1", "try:\n    print(df['x'])\nexcept KeyError:\n    pass"))
    [found] = FakeFixCheck().screen(c, FIX, nb, apply(c.patch, nb))
    assert (found.severity, found.code, found.cell_id) == ("block", "fake-fix:swallowed", "c1")


def test_a_cell_that_others_need_may_not_be_deleted():
    nb = book("a = 1", "b = a.x", "print(a)")
    assert ("block", "fake-fix:emptied") in screened(FakeFixCheck(), nb, FIX, DeleteCell("c0"))


def test_a_name_may_move_to_another_changed_cell():
    nb = book("a = 1\nb = 2", "c = a.x", "print(b)")
    ops = (ReplaceSource("c0", "b = 2"), ReplaceSource("c1", "a = 1\nc = a"))
    assert ("block", "fake-fix:emptied") not in screened(FakeFixCheck(), nb, FIX, *ops)


def test_a_recorded_output_written_into_the_code_is_seen_after_the_trial_and_told_once():
    nb = book("df = load()", "print(df['x'].sum())")
    op = ReplaceSource("c1", "print(48213.5)")
    before = ran(("c0", ""), ("c1", "48213.5"))
    request = Request("make it faster", "words")
    found = judged(FakeFixCheck(), nb, request, before, before, op)
    assert ("block", "fake-fix:hard-coded", "c1") in found
    assert screened(FakeFixCheck(), nb, request, op) == []


def test_words_of_the_cell_count_as_asked_for():
    intent = '%%selfcode\n"""Count visits; missing days count as zero."""\nn = days.astype(int)'
    new = intent.replace("days", "days.fillna(0)")
    failure = Failure("c0", "ValueError", "cannot convert NA to integer")
    request = Request("", "exception", "c0", failure=failure)
    assert screened(FakeFixCheck(), book(intent), request, ReplaceSource("c0", new)) == [("ask", "fake-fix:filled")]


def test_markdown_is_no_code():
    nb = Notebook((Cell("m", "markdown", "# try it"),))
    assert screened(FakeFixCheck(), nb, FIX, ReplaceSource("m", "try: pass")) == []
