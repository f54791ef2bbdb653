"""A column that the data has under another name, and that several cells use, is named again where the data is read."""

from __future__ import annotations

from pathlib import Path

import pytest

READ = "import pandas as pd\nsales = pd.read_csv('sales.csv')"


@pytest.fixture(autouse=True)
def _data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sales.csv").write_text("n_units,REGION,price\n1,N,2.5\n2,S,3.5\n")


async def test_it_is_one_change_in_the_cell_that_reads(mend):
    mending = await mend(READ, "sales['units'].sum()", "sales.units.max()", "sales.query('units > 1')")
    assert mending.sources == [READ + ".rename(columns={'n_units': 'units'})", "sales['units'].sum()", "sales.units.max()",
                               "sales.query('units > 1')"]  # fmt: skip
    (candidate,) = mending.candidates
    assert candidate.warrant == ""
    assert "'units' of sales is 'n_units' by now" in candidate.rationale
    assert "guess" in candidate.rationale


async def test_a_column_of_which_one_cell_speaks_is_changed_in_that_cell(mend):
    assert (await mend(READ, "sales['units'].sum()")).sources == [READ, "sales['n_units'].sum()"]


async def test_other_spellings_of_what_the_notebook_uses_go_with_it(mend):
    mending = await mend(READ, "sales['units'].sum()", "sales.groupby('region')['units'].sum()")
    assert mending.sources[0] == READ + ".rename(columns={'n_units': 'units', 'REGION': 'region'})"
    assert len(mending.candidates) == 1


async def test_attributes_that_only_look_like_a_column_do_not(mend):
    Path("sales.csv").write_text("n_units,Head\n1,N\n")
    mending = await mend(READ, "sales['units'].sum()", "sales['units'].head()")
    assert mending.sources[0] == READ + ".rename(columns={'n_units': 'units'})"


async def test_where_the_new_name_is_in_use_too_nothing_is_renamed(mend):
    mending = await mend(READ, "sales['units'].sum()", "sales['units'].max()", "sales['n_units'].max()")
    assert mending.sources[:2] == [READ, "sales['n_units'].sum()"]


async def test_of_two_tables_that_are_joined_the_one_that_has_lost_the_column_gets_it_back(mend):
    Path("areas.csv").write_text("Region,area\nN,1\nS,2\n")
    Path("sales.csv").write_text("units,region\n1,N\n2,S\n")
    both = READ + "\nareas = pd.read_csv('areas.csv')"
    mending = await mend(both, "sales['region'].unique()", "pd.merge(sales, areas, on='region')")
    assert mending.sources[0] == both + ".rename(columns={'Region': 'region'})"


async def test_where_two_cells_read_such_a_column_it_is_not_told_which_is_meant(mend):
    again = "more = pd.read_csv('sales.csv')"
    mending = await mend(READ, again, "pd.concat([sales, more])['units'].sum()", "sales['price'].sum()")
    assert mending.sources[:2] == [READ, again]


async def test_a_reading_with_a_magic_above_keeps_it(mend):
    first = "%matplotlib inline\n" + READ
    mending = await mend(first, "sales['units'].sum()", "sales['units'].max()")
    assert mending.sources[0] == first + ".rename(columns={'n_units': 'units'})"


async def test_the_cell_that_reads_may_be_out_of_the_scope(mend):
    mending = await mend(READ, "sales['units'].sum()", "sales['units'].max()", scope=("c1", "c2"))
    assert mending.sources == [READ, "sales['n_units'].sum()", "sales['n_units'].max()"]
