"""Every row of the table is executed: what it replaces fails with the versions installed here, what it makes runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_selfcode.analysis.removed import Api, here, table

ROWS = [row for row in table() if here(row)]
EXAMPLES = [row for row in ROWS if row.example]
NAMES = [row for row in ROWS if not row.example and re.fullmatch(r"[A-Za-z_][\w.]*", row.old)]
ABSENT = {"joblib", "tkinter"}


def example_of(row: Api) -> str:
    """A cell that uses a full name: by an import of it, or as the builtin or module that it was."""
    module, _, name = row.old.rpartition(".")
    if module:
        return f"from {module} import {name}\n{name}"
    builtin = row.new.rpartition(".")[2] if row.new.count(".") else row.new
    is_module = builtin not in dir(__builtins__) and builtin not in ("reduce", "reload") and builtin not in __builtins__
    return f"import {row.old}\n{row.old}" if is_module else row.old


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda r: f"{r.library}:{r.old}->{r.new}")
async def test_an_example_of_the_table_fails_as_it_is_and_runs_when_mended(row, mend):
    for module in re.findall(r"(?m)^(?:import|from) (\w+)", row.example):
        pytest.importorskip(module)  # `cgi` itself left Python 3.13
    mending = await mend(row.example)
    assert mending.before.failure is not None, "the example does not fail: the row is about nothing"
    assert mending.notebook is not None
    if row.same:
        assert f"({row.link})" in mending.candidates[-1].warrant


@pytest.mark.parametrize("row", NAMES, ids=lambda r: f"{r.library}:{r.old}->{r.new}")
async def test_a_name_that_is_gone_is_found_under_its_new_name(row, mend):
    if row.new.partition(".")[0] in ABSENT:
        pytest.importorskip(row.new.partition(".")[0])
    mending = await mend(example_of(row))
    assert mending.before.failure is not None
    assert mending.notebook is not None
    assert bool(mending.candidates[-1].warrant) == row.same


@pytest.mark.parametrize("row", table(), ids=lambda r: f"{r.library}:{r.old}->{r.new}")
def test_a_row_says_where_it_is_documented_and_where_the_meaning_may_differ(row):
    assert row.link.startswith("https://")
    assert row.same or row.note
    assert not row.old[:1].isupper() or row.error or re.fullmatch(r"[\w.]+", row.old)
    assert re.fullmatch(r"\d+(\.\d+)+", row.gone)


async def test_three_removed_apis_of_one_cell_are_mended_in_one_go(mend):
    mending = await mend(
        "import numpy as np\nimport pandas as pd",
        "df = pd.DataFrame({'x': [1.0, None]})\n"
        "df = df.append(df)            # twice\n"
        "df = df.fillna(method='ffill')\n"
        "total = np.product(df.x)\n",
    )
    assert mending.sources[1] == (
        "df = pd.DataFrame({'x': [1.0, None]})\n"
        "df = pd.concat([df, df])            # twice\n"
        "df = df.ffill()\n"
        "total = np.prod(df.x)\n"
    )
    assert len(mending.trials) == 2  # numpy.product is known to be gone without being tried
    assert mending.candidates[-1].warrant.count("documented replacement") == 3


async def test_a_chain_goes_on_from_what_the_first_fix_reveals(mend):
    mending = await mend(
        "import pandas as pd\ndf = pd.DataFrame({'when': pd.date_range('2024-01-31', periods=3, freq='ME'), 'Units': [1, 2, 3]})",
        "by_month = df.set_index('when')['units'].resample('M').sum()\nfor when, units in by_month.iteritems():\n    print(when, units)",
    )
    assert "['Units'].resample('ME')" in mending.sources[1]
    assert "by_month.items()" in mending.sources[1]
    assert mending.candidates[-1].warrant == ""  # one step of it was a guess


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("df = df.append(other, ignore_index=True)", "df = pd.concat([df, other], ignore_index=True)"),
        ("df = df.append([other, other])", "df = pd.concat([df, *[other, other]])"),
        ("df = df.append(other).append(other)", "df = pd.concat([pd.concat([df, other]), other])"),
        (
            "df = df.append(\n    other,\n    ignore_index=True,  # count anew\n)",
            None,  # the comment would have no place: nothing is offered
        ),
        ("df = (df\n  .iteritems())", "df = (df\n  .items())"),
        ('x = df.to_csv(sep=";",  line_terminator="x")', 'x = df.to_csv(sep=";",  lineterminator="x")'),
    ],
)
async def test_only_what_must_change_changes(mend, given, wanted):
    first = "import pandas as pd\ndf = pd.DataFrame({'x': [1]})\nother = df"
    mending = await mend(first, given)
    assert (mending.notebook.cells[1].source if mending.notebook else None) == wanted


async def test_the_alias_of_another_cell_is_used_and_no_import_is_added(mend):
    mending = await mend("import pandas\ndf = pandas.DataFrame({'x': [1]})", "df.append(df)")
    assert mending.sources[1] == "pandas.concat([df, df])"


async def test_a_library_that_is_needed_anew_is_imported_below_the_docstring(mend):
    mending = await mend(
        "from pandas import DataFrame\ndf = DataFrame({'x': [1]})",
        '"""All of it, twice."""\ndf.append(df)',
    )
    assert mending.sources[1] == '"""All of it, twice."""\nimport pandas as pd\npd.concat([df, df])'


async def test_no_import_takes_a_name_that_means_something_else(mend):
    mending = await mend("from pandas import DataFrame\npd = 3\ndf = DataFrame({'x': [1]})", "df.append(df)")
    assert mending.notebook is None


async def test_an_imported_name_is_kept_for_other_cells(mend):
    mending = await mend(
        "from time import clock\nfrom collections import OrderedDict, Mapping", "start = clock()\nMapping"
    )
    assert mending.sources[0] == (
        "from time import perf_counter as clock\nfrom collections import OrderedDict\nfrom collections.abc import Mapping"
    )


async def test_a_list_with_the_same_method_is_left_alone(mend):
    mending = await mend(
        "import pandas as pd\ndf = pd.DataFrame({'x': [1]})",
        "rows = []\nrows.append(1)\ndf = df.append(df)\nrows.append(2)",
    )
    assert mending.sources[1] == "rows = []\nrows.append(1)\ndf = pd.concat([df, df])\nrows.append(2)"


async def test_a_letter_that_is_no_frequency_is_left_alone(mend):
    mending = await mend(
        "import pandas as pd\nt = pd.DataFrame({'sex': ['M', 'F'], 'n': [1, 2]}, index=pd.date_range('2024', periods=2))",
        "t[t.sex == 'M'].n.resample('M').sum()",
    )
    assert mending.sources[1] == "t[t.sex == 'M'].n.resample('ME').sum()"


async def test_a_row_of_unknown_kind_is_no_documented_replacement(mend):
    """`concat` with a Series would run and be wrong, so a person is asked."""
    mending = await mend(
        "import pandas as pd\ndf = pd.DataFrame({'x': [1]})\nrows = [df]", "df = df.append(rows[0], ignore_index=True)"
    )
    assert mending.candidates[-1].warrant == ""
    assert "taken to be" in mending.candidates[-1].rationale


async def test_a_series_is_added_as_a_row(mend):
    mending = await mend(
        "import pandas as pd\ndf = pd.DataFrame({'x': [1]})\nrow = pd.Series({'x': 2})",
        "df = df.append(row, ignore_index=True)\nassert df.x.tolist() == [1, 2]",
    )
    assert "row.to_frame().T" in mending.sources[1]


async def test_an_api_without_replacement_is_not_replaced(mend):
    mending = await mend("from sklearn.datasets import load_boston")
    assert mending.trials == []


async def test_the_cause_in_a_function_of_a_cell_above_is_mended_there(mend):
    mending = await mend(
        "import pandas as pd\ndef twice(df):\n    return df.append(df)",
        "frame = pd.DataFrame({'x': [1]})\ntwice(frame)",
    )
    assert mending.sources == [
        "import pandas as pd\ndef twice(df):\n    return pd.concat([df, df])",
        "frame = pd.DataFrame({'x': [1]})\ntwice(frame)",
    ]


async def test_an_import_that_is_guarded_is_left_alone(mend):
    source = (
        "try:\n    import cPickle as pickle\nexcept ImportError:\n    import pickle\nfrom collections import Mapping"
    )
    mending = await mend(source)
    assert mending.sources[0] == source.replace("collections import", "collections.abc import")


async def test_a_module_of_the_notebooks_folder_is_not_taken_for_an_old_one(mend):
    Path("commands.py").write_text("import nothing_of_the_kind")
    mending = await mend("import urllib2\nimport commands")
    assert all("subprocess" not in op.source for c in mending.candidates for op in c.patch.ops)


async def test_numpy_names_are_migrated_by_ruff_wherever_numpy_was_imported(mend):
    mending = await mend("import numpy as np", "a = np.array([np.Inf], dtype=np.float_)\nb = np.float(1)  # so")
    assert mending.sources[1] == "a = np.array([np.inf], dtype=np.float64)\nb = float(1)  # so"
    assert "numpy" in mending.candidates[-1].warrant


@pytest.mark.parametrize(
    "statement",
    ["df['x'].fillna(method='ffill', inplace=True)", "df.x.fillna(method='ffill', inplace=True)", "c = df['x']\nc.fillna(method='ffill', inplace=True)"],
)
async def test_a_column_changed_in_place_is_no_documented_replacement(mend, statement):
    mending = await mend("import pandas as pd\ndf = pd.DataFrame({'x': [1.0, None]})", statement)
    assert "ffill(inplace=True)" in mending.sources[1]
    assert mending.candidates[-1].warrant == ""  # since pandas 3 the frame would stay as it was


async def test_a_frame_changed_in_place_is_a_documented_replacement(mend):
    mending = await mend("import pandas as pd\ndf = pd.DataFrame({'x': [1.0, None]})", "df.fillna(method='ffill', inplace=True)")
    assert mending.candidates[-1].warrant


async def test_what_is_added_to_a_frame_of_columns_without_rows_is_no_documented_replacement(mend):
    load = "import pandas as pd\nmore = pd.DataFrame({'x': [1.5]})\n"
    empty = await mend(load + "df = pd.DataFrame(columns=['x'])", "df = df.append(more)")
    assert empty.candidates[-1].warrant == ""
    full = await mend(load + "df = pd.DataFrame({'x': [2.5]})", "df = df.append(more)")
    assert full.candidates[-1].warrant


async def test_a_power_of_minus_infinity_keeps_its_sign(mend):
    mending = await mend("import numpy as np\nz = [np.NINF**2, 2.0**np.NINF, np.NINF]\nassert z == [np.inf, 0.0, -np.inf]")
    assert mending.notebook is not None


async def test_elements_of_an_old_tree_can_be_gone_through_twice(mend):
    mending = await mend(
        "import xml.etree.ElementTree as ET\ne = ET.fromstring('<a><b/><b/></a>')",
        "found = e.getiterator('b')\nassert len([b for b in found]) == len([b for b in found]) == 2",
    )
    assert mending.notebook is not None
