"""Renamed columns: guessed from names only where one column is near, and replaced only where the cell means a column."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.plugins.proposers.rules.columns import missing_columns, nearest_column

FRAME = (
    "import pandas as pd\n"
    "sales = pd.DataFrame({'region': ['N', 'S'], 'units': [1, 2], 'unit price': [2.0, 3.0], 'day': [1, 2]})"
)


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("sales['Region']", "sales['region']"),
        ("sales[['Region', 'units']]", "sales[['region', 'units']]"),
        ('sales[["Units"]]', 'sales[["units"]]'),
        ("sales.loc[:, 'Region']", "sales.loc[:, 'region']"),
        ("sales.loc[:, ['Region', 'units']]", "sales.loc[:, ['region', 'units']]"),
        ("sales.Region", "sales.region"),
        ("sales.unit_price", "sales['unit price']"),
        ("sales.groupby('Region').units.sum()", "sales.groupby('region').units.sum()"),
        ("sales.groupby('region')['Units'].sum()", "sales.groupby('region')['units'].sum()"),
        ("sales.groupby('region')[['Units']].sum()", "sales.groupby('region')[['units']].sum()"),
        ("sales.groupby('region').agg({'Units': 'sum'})", "sales.groupby('region').agg({'units': 'sum'})"),
        ("sales.groupby('region').agg(n=('Units', 'sum'))", "sales.groupby('region').agg(n=('units', 'sum'))"),
        ("sales.sort_values(by=['unit_price', 'Region'])", "sales.sort_values(by=['unit price', 'region'])"),
        ("sales.set_index('Region')", "sales.set_index('region')"),
        ("sales.drop(columns=['Region'])", "sales.drop(columns=['region'])"),
        ("sales.drop_duplicates(subset=['Region'])", "sales.drop_duplicates(subset=['region'])"),
        ("sales.dropna(subset=['Region'])", "sales.dropna(subset=['region'])"),
        ("sales.melt(id_vars='Region')", "sales.melt(id_vars='region')"),
        ("sales.pivot(index='Region', columns='day')", "sales.pivot(index='region', columns='day')"),
        ("sales.astype({'Units': float})", "sales.astype({'units': float})"),
        ("sales.query('Units > 1 and region == \"Units\"')", "sales.query('units > 1 and region == \"Units\"')"),
        ("sales.query('unit_price > 1')", "sales.query('unit price > 1')".replace("unit price", "`unit price`")),
        ("sales.plot(x='Region', y='units')", "sales.plot(x='region', y='units')"),
        (
            "sales.rename(columns={'Region': 'Area'}, errors='raise')",
            "sales.rename(columns={'region': 'Area'}, errors='raise')",
        ),
        ("sales['Day']\nother['Day']", "sales['day']\nother['Day']"),
        ("print('Region'); sales[sales['Region'] == 'Region']", "print('Region'); sales[sales['region'] == 'Region']"),
    ],
)
async def test_a_column_is_replaced_where_the_cell_names_it(mend, cell, wanted):
    mending = await mend(FRAME + "\nother = pd.DataFrame({'Day': [1]})", cell)
    assert mending.sources[1] == wanted
    candidate = mending.candidates[-1]
    assert candidate.warrant == ""
    assert "guess" in candidate.rationale


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("pd.read_csv('data.csv', usecols=['Region', 'day'])", "pd.read_csv('data.csv', usecols=['region', 'day'])"),
        ("pd.read_csv('data.csv', parse_dates=['Day'])", "pd.read_csv('data.csv', parse_dates=['day'])"),
        ("pd.read_csv('data.csv', index_col='Region')", "pd.read_csv('data.csv', index_col='region')"),
    ],
)
async def test_the_columns_of_a_file_that_is_being_read_are_those_of_its_first_line(mend, cell, wanted):
    Path("data.csv").write_text("region,day\nN,2024-01-01\n")
    mending = await mend("import pandas as pd", cell)
    assert mending.sources[1] == wanted


async def test_the_columns_of_polars_are_in_its_message(mend):
    pytest.importorskip("polars")
    mending = await mend("import polars as pl\ndf = pl.DataFrame({'region': [1]})", "df.select(pl.col('Region'))")
    assert mending.sources[1] == "df.select(pl.col('region'))"


@pytest.mark.parametrize(
    "cell",
    [
        "sales.merge(other, left_on='price', right_on='price')",  # present in one frame, near in the other
        "sales['weight']",  # near nothing
        "{'Region': 1}['region']",  # a dictionary, not a frame
        "options['Region']",
        "sales['unit_pric']; 1 / 0",  # mended, and then something else fails
    ],
)
async def test_nothing_is_offered_that_mends_the_wrong_thing(mend, cell):
    mending = await mend(
        FRAME
        + "\nother = pd.DataFrame({'price': [1]})\noptions = {'size': 1}\nsales['weight_kg'] = 1\nsales['weight_lb'] = 2",
        cell,
    )
    assert mending.notebook is None


async def test_two_near_columns_yield_nothing(mend):
    mending = await mend("import pandas as pd\ndf = pd.DataFrame({'Region': [1], 'REGION': [2]})", "df['region']")
    assert mending.trials == []


async def test_a_column_that_the_cell_makes_keeps_its_name(mend):
    mending = await mend(FRAME, "sales['Region'] = sales['Region'].str.lower()\nsales['Region'].unique()")
    assert mending.sources[1] == "sales['Region'] = sales['region'].str.lower()\nsales['Region'].unique()"


async def test_the_contract_in_the_docstring_is_not_touched(mend):
    docstring = '"""Regions.\n\n>>> sales[\'Region\'].nunique()\n2\n"""\n'
    mending = await mend(FRAME, docstring + "n = sales['Region'].nunique()")
    assert mending.sources[1] == docstring + "n = sales['region'].nunique()"


@pytest.mark.parametrize(
    ("name", "columns", "meant"),
    [
        ("Region", ["region", "units"], "region"),
        ("unit_price", ["Unit Price", "units"], "Unit Price"),
        ("region", ["regions", "units"], "regions"),
        ("country", ["countries"], "countries"),
        ("price", ["unit_price", "units"], "unit_price"),
        ("price", ["unit_price", "list_price"], None),
        ("reigon", ["region"], "region"),
        ("lat", ["lon"], None),
        ("min_temp", ["max_temp"], None),
        ("q1", ["q2"], None),
        ("score_2023", ["score_2024"], None),
        ("x", ["y"], None),
        ("Region", ["region", "REGION"], None),
    ],
)
def test_the_nearest_column_is_one_or_none(name, columns, meant):
    assert nearest_column(name, columns) == meant


@given(st.text(min_size=1), st.lists(st.text(), max_size=6))
def test_the_nearest_column_is_a_column_and_does_not_depend_on_their_order(name, columns):
    meant = nearest_column(name, columns)
    assert meant is None or meant in columns
    assert nearest_column(name, list(reversed(columns))) == meant or len(set(columns)) < len(columns)


@given(st.sampled_from(["KeyError", "ValueError", "AttributeError", "UndefinedVariableError"]), st.text())
def test_any_message_can_be_read(ename, evalue):
    assert all(isinstance(c, str) for c in missing_columns(ename, evalue))


@pytest.mark.parametrize(
    ("missing", "there"),
    [
        ("weight_kg", "weight_g"), ("price_usd", "price_eur"), ("min_temp", "max_temp"), ("start_date", "end_date"),
        ("sales_2025", "sales_2026"), ("net_amount", "gross_amount"), ("mean_score", "median_score"), ("reading_1", "reading_2"),
        ("latitude", "altitude"),
    ],
)  # fmt: skip
async def test_a_column_of_another_unit_end_year_or_statistic_is_not_offered(mend, missing, there):
    mending = await mend(f"import pandas as pd\ndf = pd.DataFrame({{{there!r}: [1], 'other': [2]}})", f"df[{missing!r}].sum()")
    assert mending.candidates == []


async def test_a_guess_from_names_carries_no_warrant(mend):
    mending = await mend("import pandas as pd\nsales = pd.DataFrame({'Region': ['a']})", "n = seles['region'].nunique()")
    assert mending.sources[1] == "n = sales['Region'].nunique()"
    assert {c.warrant for c in mending.candidates} == {""}
