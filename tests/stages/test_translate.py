"""A cell that was put into another language gives the same, or is refused; where nobody can tell, that is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.tables import ordered, same_table, sql_of
from jupyter_selfcode.analysis.tabling import table
from jupyter_selfcode.config import plugin, plugins
from jupyter_selfcode.engine import Engine
from jupyter_selfcode.plugins.formats.cells import CellsFormat
from jupyter_selfcode.plugins.models.scripted import ScriptedModel
from jupyter_selfcode.plugins.proposers.llm import LlmProposer
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.values.decision import Accept, Ask, Policy, Reject
from jupyter_selfcode.values.events import Decided
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Request
from tests.test_engine import replacing

LOAD = "import pandas as pd\nsales = pd.DataFrame({'city': list('abca'), 'price': [1.5, None, 4.0, 2.5], 'n': [1, 2, 3, 4]})"
SQL = "%%sql per_city <<\nSELECT city, sum(n) AS n, avg(price) AS price FROM sales GROUP BY city ORDER BY city"
PANDAS = "per_city = sales.groupby('city', as_index=False).agg(n=('n', 'sum'), price=('price', 'mean'))"
POLARS = "import polars as pl\nbig = pl.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y', None]}).filter(pl.col('a') > 1)\ncount = big.height"


async def asked(folder: Path, language: str, old: str, new: str, sandbox: object = None) -> Decided:
    store = SqlStore(f"sqlite:///{folder / 'history.sqlite'}")
    proposer = LlmProposer(ScriptedModel([replacing("c1", new)], usd=0.0), CellsFormat(), waits=(), repairs=0, fresh=0)
    checks = [plugin("checks", name)() for name in plugins("checks")]
    engine = Engine([proposer], sandbox or ScriptedSandbox(), checks, store, policy=Policy("deploy"))  # type: ignore[arg-type]
    notebook = Notebook((Cell("c0", "code", LOAD), Cell("c1", "code", old)))
    last = None
    async for event in engine.propose(Request("", "translate", "c1", ("c1",), language=language), notebook, folder, "case.ipynb"):
        last = event
    store.close()
    assert isinstance(last, Decided)
    return last


def findings(decided: Decided, severity: str) -> dict[str, str]:
    return {f.code: f.message for t in decided.trials for f in t.findings if f.severity == severity}


@pytest.mark.parametrize("sandbox", [ScriptedSandbox, pytest.param(ContainedSandbox, marks=pytest.mark.slow)])
async def test_a_query_becomes_pandas_that_gives_the_same_table(tmp_path, sandbox):
    decided = await asked(tmp_path, "sql", SQL, PANDAS, sandbox())
    assert isinstance(decided.decision, Accept), (decided.decision, findings(decided, "block"))
    assert decided.decision.trial.level == 3
    assert decided.decision.trial.assumptions[0].startswith("gives the same as the cell that it translates")


@pytest.mark.parametrize(
    ("new", "where"),
    [
        (PANDAS.replace("'mean'", "'sum'"), "row 0, column price: was 2.0, is 4.0"),
        (PANDAS.replace("as_index=False", "as_index=True"), "columns were city, n, price; are n, price"),
        (PANDAS + ".sort_values('n')", "row 0"),
        (PANDAS + ".head(2)", "had 3 rows, has 2"),
    ],
)
async def test_another_table_is_refused_and_the_first_difference_named(tmp_path, new, where):
    decided = await asked(tmp_path, "sql", SQL, new)
    assert isinstance(decided.decision, Reject)
    assert where in findings(decided, "block")["translate:differs"]


async def test_polars_and_pandas_are_compared_by_what_their_tables_hold(tmp_path):
    new = "big = pd.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y', None]}).query('a > 1')\ncount = len(big)"
    decided = await asked(tmp_path, "polars", POLARS, new)
    assert isinstance(decided.decision, Accept), (decided.decision, findings(decided, "block"))
    decided = await asked(tmp_path, "polars", POLARS, new.replace("len(big)", "3"))
    assert "another count" in findings(decided, "block").get("translate:differs", "") or findings(decided, "block")


@pytest.mark.parametrize(("language", "old"), [("r", "per_city <- aggregate(n ~ city, sales, sum)"), ("sql", "per_city = run_query(7)")])
async def test_where_there_is_no_engine_that_is_said_and_a_person_decides(tmp_path, language, old):
    decided = await asked(tmp_path, language, old, PANDAS)
    assert isinstance(decided.decision, Ask)
    assert "nothing says that both give the same" in findings(decided, "ask")["translate:untested"]
    assert decided.decision.trial.level in (0, 1)


async def test_without_duckdb_a_query_is_not_compared(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    decided = await asked(tmp_path, "sql", SQL, PANDAS)
    assert isinstance(decided.decision, Ask)
    assert "duckdb is not installed" in findings(decided, "ask")["translate:untested"]


# ---- reading ---------------------------------------------------------------------------------------------------------


def test_a_query_is_found_where_it_is_written_out():
    assert sql_of("%%sql\nSELECT 1;\n") == ("SELECT 1", "")
    assert sql_of("%%sql out << sqlite://\nSELECT 1") == ("SELECT 1", "out")
    assert sql_of('out = pd.read_sql("""\n  SELECT *\n  FROM t""", con)') == ("SELECT *\n  FROM t", "out")
    assert sql_of("out = duckdb.sql('DROP TABLE t')") is None
    assert sql_of("x = 1") is None


def test_only_an_order_by_outside_of_all_parentheses_orders_the_rows():
    assert ordered("SELECT * FROM t ORDER BY a")
    assert not ordered("SELECT row_number() OVER (ORDER BY a) FROM (SELECT * FROM t ORDER BY b)")
    assert not ordered("SELECT 'order by' FROM t -- order by a")


ROWS = st.lists(st.tuples(st.none() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=3)), min_size=1, max_size=8)


@given(ROWS, st.randoms())
def test_rows_in_another_order_are_the_same_only_where_no_order_is_promised(rows, chance):
    a = ["table", ["x", "y"], [list(r) for r in rows]]
    mixed = [list(r) for r in rows]
    chance.shuffle(mixed)
    b = ["table", ["x", "y"], mixed]
    assert same_table(a, b, by_order=False) == (True, "")
    assert same_table(a, a)[0]
    assert not same_table(a, ["table", ["x", "y"], [*a[2], ["z", "z"]]], by_order=False)[0]


def test_missing_is_missing_and_whole_numbers_are_numbers_whatever_the_library():
    import polars as pl

    one = table(pd.DataFrame({"a": [1.0, None], "b": [pd.Timestamp("2024-01-02"), pd.NaT]}))
    other = table(pl.DataFrame({"a": [1, None], "b": ["2024-01-02", None]}))
    assert one is not None
    assert other is not None
    assert same_table(one, other) == (True, "")
