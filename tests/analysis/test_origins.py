"""The cells that made what a failing statement reads."""

from __future__ import annotations

from jupyter_selfcode.analysis.origins import makers, needed
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Failure


def notebook(**sources):
    return Notebook(tuple(Cell(i, "code", s) for i, s in sources.items()))


BOOK = notebook(
    load="import pandas as pd\ndf = pd.read_csv('d.csv')",
    rates="rate = '2'",
    other="unused = 1",
    change="df['net'] = 1",
    use="part = df[df.net > 0]\nlimit = 3\ntotal = part.net.sum() * rate\nprint(limit)",
)


def test_the_nearest_cell_that_makes_each_name_is_found_and_no_other():
    assert makers(Failure("use", "TypeError", "", line=3), BOOK) == {"change": ("df",), "rates": ("rate",), "load": ("df",)}


def test_only_what_the_failing_line_needs_counts():
    assert needed(BOOK.cell("use").source, 3) == {"df", "rate"}
    assert needed(BOOK.cell("use").source, 4) == {"print"} - {"print"}
    assert makers(Failure("use", "NameError", "", line=4), BOOK) == {}


def test_without_a_line_all_that_the_cell_reads_counts():
    assert needed(BOOK.cell("use").source, None) == {"df", "rate"}


def test_a_cell_that_is_not_there_or_is_no_python_has_no_origins():
    assert makers(Failure("gone", "KeyError", ""), BOOK) == {}
    assert makers(Failure("x", "SyntaxError", "", line=1), notebook(a="y = 1", x="y = = 1")) == {}
