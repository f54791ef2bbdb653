"""Triage: real exceptions, with their chains, and what is made of them."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.stages.describe import chain, triage
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Failure, Request
from jupyter_selfcode.values.trial import CellResult, Run

NOTEBOOK = Notebook(
    (
        Cell("a", "code", "import pandas as pd\nx = 1"),
        Cell("b", "code", "unrelated = 2"),
        Cell("c", "code", "y = x + 1"),
    )
)


def raised(source: str, cell_id: str = "c") -> Failure:
    """What really comes of running a cell."""
    try:
        exec(compile(source, "<cell>", "exec"), {})
    except BaseException as e:
        return Failure(cell_id, type(e).__name__, str(e), traceback.format_exc())
    raise AssertionError("this does not fail: " + source)


def told(failure: Failure, folder, before: Run | None = None, notebook: Notebook = NOTEBOOK):
    return triage(Request("", "exception", failure.cell_id, failure=failure), notebook, before, folder)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sales_2026.csv").write_text("region\nN\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("open('data/sale_2026.csv')", "data/sales_2026.csv does exist"),
        ("open('sales_2026.csv')", "data/sales_2026.csv does exist"),
        ("open('dat/sales_2026.csv')", "there is data"),
        ("open('data/sales_2026.parquet')", "data/sales_2026.csv does exist"),
        ("open('elsewhere.csv')", "No file with a name like it"),
        ("import pandas as pd; pd.read_csv('data/sale_2026.csv')", "data/sales_2026.csv does exist"),
        ("import a_package_that_nobody_has", "not installed here"),
        ("import pandas as pd; pd.DataFrame({'a': [1]}).to_excel('x.xlsx')", "openpyxl"),
        (
            "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')",
            "shared library",
        ),
        ("from urllib.request import urlopen; urlopen('http://127.0.0.1:9/x', timeout=2)", "cannot be reached"),
        (
            "from urllib.error import URLError; raise URLError('[Errno -3] Temporary failure in name resolution')",
            "reached",
        ),
        ("import os; os.environ['NO_SUCH_API_KEY']", "NO_SUCH_API_KEY"),
        ("class AuthenticationError(Exception): pass\nraise AuthenticationError('Error code: 401')", "sign-in"),
        ("raise MemoryError", "not enough memory"),
        ("raise PermissionError(13, 'Permission denied')", "does not allow"),
        ("raise OSError(28, 'No space left on device')", "disk is full"),
        ("raise SystemExit(3)", "asked to stop"),
        ("raise KeyboardInterrupt", "interrupted"),
        (
            "try:\n    open('gone.csv')\nexcept OSError as e:\n    raise RuntimeError('no data') from e",
            "gone.csv does not exist",
        ),
        ("try:\n    open('gone.csv')\nexcept OSError:\n    raise RuntimeError('no data')", "gone.csv does not exist"),
    ],
)
def test_what_no_edit_can_mend_is_the_environments(folder, source, says):
    found = told(raised(source), folder)
    assert (found.kind, found.rerun) == ("environment", ())
    assert says in found.reason
    assert "\n" not in found.reason


@pytest.mark.parametrize(
    "source",
    [
        "raise TimeoutError('timed out')",
        "raise ConnectionResetError(104, 'Connection reset by peer')",
        "import sqlite3; raise sqlite3.OperationalError('database is locked')",
        "from urllib.error import HTTPError; raise HTTPError('http://x', 503, 'Service Unavailable', {}, None)",
        "from urllib.error import HTTPError; raise HTTPError('http://x', 429, 'Too Many Requests', {}, None)",
        "import requests; raise requests.exceptions.ReadTimeout('Read timed out.')",
        "import http.client; raise http.client.RemoteDisconnected('Remote end closed connection without response')",
        "raise BlockingIOError(11, 'Resource temporarily unavailable')",
        "try:\n    raise TimeoutError('x')\nexcept Exception as e:\n    raise RuntimeError('could not fetch') from e",
    ],
)
def test_what_may_pass_by_itself_is_tried_again(folder, source):
    found = told(raised(source), folder)
    assert found.kind == "transient"
    assert [o.name for o in found.options if o.chosen] == ["re-run"]


@pytest.mark.parametrize(
    "source",
    [
        "{}['region']",
        "import pandas as pd; pd.DataFrame({'Region': [1]})['region']",
        "import pandas as pd; pd.DataFrame({'a': [1]}).append(1)",
        "import numpy as np; np.product([1])",
        "from sklearn.externals import joblib",
        "from sklearn.cross_validation import train_test_split",
        "from collections import Mapping",
        "import urllib2",
        "import StringIO",
        "import numpyy",
        "import matplotlib.finance",
        "from pandas.io.json import no_such_name",
        "open(timeout=3)",  # words of trouble in a message about code
        "raise TypeError('connect() got an unexpected keyword argument: connection refused')",
        "raise ValueError('cannot reshape array of size 500 into shape (503,)')",
        "int('rate limit')",
        "undefined_name",
        "print 'x'",
        "1 / 0",
        "try:\n    import a_package_that_nobody_has\nexcept ImportError:\n    1 + 'a'",
        "try:\n    open('gone.csv')\nexcept OSError:\n    {}['fallback']",
    ],
)
def test_what_the_code_or_the_data_must_answer_for_is_code(folder, source):
    found = told(raised(source), folder)
    assert found.kind == "code", found.reason
    assert [o.name for o in found.options if o.chosen] == ["rules"]


def test_a_removed_api_is_named_with_the_version_it_went(folder):
    assert (
        "sklearn.externals.joblib (since 0.23)" in told(raised("from sklearn.externals import joblib"), folder).reason
    )


def test_a_broken_contract_is_code(folder):
    found = told(Failure("c", "ContractBroken", "len(y) gave 3, the contract says 4"), folder)
    assert (found.kind, "contract" in found.reason) == ("code", True)


@pytest.mark.parametrize(
    ("ename", "detail"),
    [
        ("CellTimeoutError", "stopped after 120 s of your 120 s limit"),
        ("OutputLimitError", "stopped: it gave more output than your limit of 20 MB"),
        ("DeadKernelError", "the kernel died (SIGKILL: Killed)"),
        ("StdinNotImplementedError", "the cell asks for keyboard input"),
        ("MemoryError", "stopped: it took more memory than your limit of 8 GB"),
    ],
)
def test_a_cell_that_was_stopped_is_told_as_it_was_stopped(folder, ename, detail):
    found = told(Failure("c", ename, detail), folder)
    assert (found.kind, detail in found.reason) == ("environment", True)


def ran(*statuses: str) -> Run:
    results = tuple(
        CellResult(i, s, failure=Failure(i, "ZeroDivisionError", "division by zero") if s == "error" else None)
        for i, s in zip("abc", statuses, strict=False)
    )
    return Run(results, "error" if "error" in statuses else "complete")


def test_a_failure_that_does_not_come_again_from_the_top_is_stale(folder):
    found = told(Failure("c", "NameError", "name 'x' is not defined"), folder, ran("ok", "ok", "ok"))
    assert (found.kind, found.rerun) == ("stale", ("a", "c"))
    assert [o.name for o in found.options if o.chosen] == ["re-run"]


def test_a_missing_file_that_is_there_again_is_stale(folder):
    assert told(raised("open('data/late.csv')"), folder, ran("ok", "ok", "ok")).kind == "stale"


def test_a_name_that_a_cell_above_defines_is_stale_before_anything_was_run(folder):
    found = told(Failure("c", "NameError", "name 'x' is not defined"), folder)
    assert (found.kind, found.rerun) == ("stale", ("a", "c"))


def test_the_same_name_is_code_where_a_run_from_the_top_fails_too(folder):
    before = ran("ok", "ok", "error")
    assert told(Failure("c", "NameError", "name 'x' is not defined"), folder, before).kind == "code"


def test_an_earlier_cell_that_fails_first_is_named(folder):
    found = told(raised("1 + 'a'"), folder, ran("ok", "error"))
    assert (found.kind, "cell 2" in found.reason) == ("code", True)


@pytest.mark.parametrize(("trigger", "text"), [("words", "plot it"), ("intent", "load the data"), ("slow", "")])
def test_a_wish_is_code_for_a_model(folder, trigger, text):
    found = triage(Request(text, trigger, "c"), NOTEBOOK, None, folder)
    assert (found.kind, [o.name for o in found.options if o.chosen]) == ("code", ["model"])


@given(st.text(), st.text(), st.text())
def test_every_failure_is_weighed_with_a_reason_for_every_option(ename, evalue, text):
    import pathlib

    found = triage(
        Request("", "exception", "c", failure=Failure("c", ename, evalue, text)), NOTEBOOK, None, pathlib.Path()
    )
    assert [o.name for o in found.options] == ["do nothing", "re-run", "roll back", "ask", "rules", "model"]
    assert sum(o.chosen for o in found.options) == 1
    assert all(o.reason for o in found.options)
    assert "\n" not in found.reason


def test_a_chain_is_read_from_the_last_to_the_first():
    failure = raised("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise RuntimeError('b') from e")
    assert chain(failure) == (("RuntimeError", "b"), ("ZeroDivisionError", "division by zero"))


def test_a_style_that_matplotlib_has_renamed_is_no_missing_file(tmp_path):
    failure = raised("from matplotlib import style\nstyle.use('seaborn-whitegrid')")
    assert "FileNotFoundError" in failure.traceback
    assert triage(Request("", "exception", "c", failure=failure), NOTEBOOK, None, tmp_path).kind == "code"
