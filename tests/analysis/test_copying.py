"""Whether what a live kernel holds is what the cells above a change give, told from the runs and the code."""

from __future__ import annotations

import pytest

from jupyter_selfcode.analysis.copying import (
    Failed,
    above,
    asked,
    bound,
    lacking,
    modules_of,
    rest,
    steps,
    unfaithful,
    unheard_of,
    unsettles,
    wanted,
    worth,
)
from jupyter_selfcode.analysis.staleness import Ran
from jupyter_selfcode.values.notebook import Cell, Notebook


def notebook(*sources):
    return Notebook(tuple(Cell("abcdefgh"[i], "code", s) for i, s in enumerate(sources)))


def said(cells, runs, *, fixed=(), unsteady=(), failed=None):
    """Why the names of these cells are not taken for what the cells give; empty where they are."""
    way = steps(cells, runs)
    if isinstance(way, str):
        return way
    found = unfaithful(cells, way, runs, bound(cells), fixed=lambda n: n in fixed, unsteady=unsteady, failed=failed)
    return found if isinstance(found, str) else ", ".join(f"cell {by} may have changed {n}" for n, by in sorted(found.items()))


LOAD = "rows = load()"
ABOVE = above(notebook("import pandas as pd", LOAD, "total = rows['x'].sum()"), 3)
IN_ORDER = tuple(Ran(c.id, c.source) for c in ABOVE)


def test_cells_that_ran_once_and_in_order_gave_what_is_there():
    assert said(ABOVE, IN_ORDER) == ""


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        (IN_ORDER[:2], "cell c has not run as it is now"),
        ((IN_ORDER[0], Ran("b", "rows = other()"), IN_ORDER[2]), "cell b has not run as it is now"),
        ((*IN_ORDER, Ran("b", LOAD)), "cell c ran last before a cell above it did"),
        ((*IN_ORDER[:2], Ran("c", ABOVE[2].source, ok=False)), "cell c has failed"),
        ((*IN_ORDER, Ran("d", "rows['y'] = 1")), "cell d may have changed rows"),
        ((*IN_ORDER, Ran("d", "rows = rows.dropna()")), "cell d may have changed rows"),
        ((*IN_ORDER, Ran("d", "clean(rows)")), "cell d may have changed rows"),
        ((*IN_ORDER, Ran("d", "exec(code)")), "may have changed"),
        ((*IN_ORDER, Ran("d", "del total")), "cell d may have changed total"),
        ((*IN_ORDER, Ran("d", "import rows")), "cell d may have changed rows"),
        ((*IN_ORDER, Ran("d", "pd.set_option('display.precision', 2)")), "may have changed settings"),
        ((*IN_ORDER, Ran("d", "pd.DataFrame.sum = None")), "may have changed settings"),
        ((*IN_ORDER, Ran("gone", "rows['y'] = 1")), "cell gone may have changed rows"),
    ],
)
def test_what_may_have_changed_a_name_since_speaks_against_it(runs, why):
    assert why in said(ABOVE, runs)


@pytest.mark.parametrize(
    "runs",
    [
        (*IN_ORDER, Ran("d", "shown = rows.groupby('x').sum()")),
        (*IN_ORDER, Ran("d", "other = 3")),
        (*IN_ORDER, *IN_ORDER),
        (*IN_ORDER, Ran("d", "rows['y'] = 1"), *IN_ORDER),
        (IN_ORDER[0], Ran("b", "rows = broken(", ok=False), *IN_ORDER),
    ],
)
def test_what_cannot_have_changed_one_and_what_was_made_anew_since_do_not(runs):
    assert said(ABOVE, runs) == ""


def test_what_was_made_of_something_spoiled_is_spoiled_though_that_is_made_anew_below():
    cells = above(notebook("rows = load()", "total = len(rows)", "rows = load()"), 3)
    runs = [Ran("a", "rows = load()"), Ran("x", "rows.pop()"), Ran("b", "total = len(rows)"), Ran("c", "rows = load()")]
    assert said(cells, runs) == "cell x may have changed total"


def test_a_cell_that_failed_has_done_only_what_stands_above_its_line():
    source = "top = rows.head()\nrows['y'] = top.nothing"
    runs = (*IN_ORDER, Ran("d", source, ok=False))
    assert said(ABOVE, runs, failed=Failed("d", 1)) == ""
    assert "rows" in said(ABOVE, runs)
    assert "rows" in said(ABOVE, (*IN_ORDER, Ran("d", "rows.update(x)\nnothing", ok=False)), failed=Failed("d", 2))


def test_a_value_that_nothing_changes_in_place_is_not_changed_by_a_call_but_by_a_binding():
    assert "total" in said(ABOVE, (*IN_ORDER, Ran("d", "use(total)")))
    assert said(ABOVE, (*IN_ORDER, Ran("d", "use(total)")), fixed={"total"}) == ""
    assert "total" in said(ABOVE, (*IN_ORDER, Ran("d", "total = 3")), fixed={"total"})


def test_reading_changes_what_is_used_up_by_it():
    run = Ran("d", "first = max(rows)")
    assert said(ABOVE, (*IN_ORDER, run)) == ""
    assert "rows" in said(ABOVE, (*IN_ORDER, run), unsteady={"rows"})


def test_another_name_of_the_same_object_and_a_function_that_changes_a_global_one_count():
    cells = above(notebook("rows = load()", "same = rows", "def clear():\n    rows.clear()"), 3)
    runs = [Ran(c.id, c.source) for c in cells]
    assert "rows" in said(cells, [*runs, Ran("x", "same.append(1)")])
    assert "rows" in said(cells, [*runs, Ran("x", "clear()")])


@pytest.mark.parametrize("source", ["from os.path import *", "exec('x = 1')", "%%custom\nx", "%sql select 1", "np.nothing = 3", "pd.DataFrame.total = total",
    "import bokeh.io\nbokeh.io.output_notebook()", "from sympy import init_printing\ninit_printing()", "plt.ioff()", "import mine\ndef begin():\n    mine.setup()",
    "@pd.api.extensions.register_series_accessor('x')\nclass X: pass"])  # fmt: skip

def test_a_cell_above_whose_doing_is_in_no_variable_speaks_against_it(source):
    cells = (*ABOVE, Cell("h", "code", source))
    assert said(cells, [Ran(c.id, c.source) for c in cells])


@pytest.mark.parametrize("source", ["%matplotlib inline", "!ls", "%load_ext jupyter_selfcode", "%config SelfCode.policy = 'deploy'", "plt.rcParams['x'] = 1", "pd.options.display.precision = 3",
    "plt.plot([1])\nplt.show()", "np.random.seed(1)", "import warnings\nwarnings.filterwarnings('ignore')", "rows = mine.load()", "rows.sort()"])  # fmt: skip

def test_what_is_carried_or_does_nothing_in_a_trial_does_not(source):
    assert unheard_of(Cell("h", "code", source)) == ""


def test_only_names_that_cells_above_bind_go_along():
    book = notebook("x = 1\nimport os", "y = x", "z = y")
    assert bound(above(book, 1)) == {"x", "os"}
    assert asked(rest(book, 1)) == {"x", "y"}
    assert asked(rest(notebook("x = 1", "exec(x)"), 1)) is None


def test_a_name_of_pythons_that_a_cell_above_has_bound_is_needed_too():
    cells = above(notebook("len = max", ""), 1)
    assert wanted(bound(cells), cells, rest(notebook("", "len([1])"), 1)) == {"len"}


def test_a_function_above_needs_what_it_uses():
    cells = above(notebook("x = 1\ny = 2\nz = 3", "def f(): return g()\ndef g(): return y"), 2)
    below = rest(notebook("", "", "f() + z"), 2)
    assert wanted(bound(cells), cells, below) == {"f", "g", "y", "z"}
    assert lacking(cells, below, {"x": "large"}) == ""
    assert lacking(cells, below, {"y": "large"}) == "`y` (large)"


def test_what_a_change_reads_and_was_not_copied_is_named():
    left_out = {"con": "sqlite3.Connection"}
    assert lacking((), rest(notebook("x = 1", "x"), 1), left_out) == ""
    assert lacking((), rest(notebook("x = 1", "con.execute('x')"), 1), left_out) == "`con` (sqlite3.Connection)"
    assert lacking((), rest(notebook("x = 1", "eval('x')"), 1), left_out)
    assert "_" in lacking((), rest(notebook("x = 1", "_ + 1"), 1), {})
    assert lacking((), rest(notebook("x = 1", "for _ in range(3): pass"), 1), {}) == ""


def test_it_is_worth_it_where_the_cells_took_long_or_are_refused_in_a_cage():
    cells = above(notebook("rows = load()"), 1)
    assert worth(cells, {"a": 6.0}, 5.0)
    assert not worth(cells, {"a": 4.0}, 5.0)
    assert worth(above(notebook("import requests\nrequests.get('http://x')"), 1), {}, 5.0)
    assert worth(above(notebook("open('/var/x', 'w').write('x')"), 1), {}, 5.0)
    assert not worth(above(notebook("open('x', 'w').write('x')"), 1), {}, 5.0)


def test_the_modules_of_import_statements_are_told_in_order():
    cells = above(notebook("import b.c as d, a", "try:\n    from x import y\nexcept ImportError:\n    pass"), 2)
    assert modules_of(cells) == ("b.c", "a", "x", "x.y")


@pytest.mark.parametrize("source", ["np.random.seed(1)", "import locale\nlocale.setlocale(0, 'C')", "%autoreload 2", "os.environ['X'] = '1'", "plt.style.use('dark')"])
def test_code_that_changes_settings_is_told(source):
    assert unsettles(source)
    assert not unsettles("x = [1]\nx[0] = 2\ny.z = 3\nprint(np.sqrt(2))\ndf.set_index('a')\nax.set_title('b')\nuse(x)")
