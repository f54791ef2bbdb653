"""Data is compared with what it was; chance is not drift, and nothing about people is kept."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.drift import drifted, read_profiles, slower, stability, taken_in
from jupyter_selfcode.analysis.profiling import profiles
from jupyter_selfcode.values.notebook import Cell, Notebook


def seen(hidden=(), **names):
    return read_profiles(json.loads(json.dumps(profiles(list(names), names))), hidden)


def table(seed=0, rows=1000, **more):
    rng = np.random.default_rng(seed)
    data = {"amount": rng.normal(10, 2, rows), "region": rng.choice(list("abc"), rows), "n": rng.integers(0, 5, rows)}
    return pd.DataFrame(data | more)


def test_the_same_data_and_other_data_of_the_same_kind_have_not_drifted():
    was = seen(df=table())
    for seed in range(5):
        assert drifted(was, seen(df=table(seed))) == ()
        assert drifted(was, seen(df=table(seed, rows=200))) == ()


def test_little_data_differs_by_chance_and_is_not_called_drift():
    was = seen(df=table(rows=12))
    for seed in range(20):
        assert drifted(was, seen(df=table(seed, rows=12))) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.drop(columns="region"), "df no longer has the column region."),
        (lambda d: d.assign(fresh=1), "df has the new column fresh."),
        (lambda d: d.astype({"n": str}), "df['n'] was int64 and is"),
        (lambda d: d.assign(amount=d.amount * 100), "The distribution of df['amount'] has shifted: its median was"),
        (lambda d: d.assign(region="z"), "of df['region'] has shifted: 100% are values that were not there"),
        (lambda d: d.assign(amount=d.amount.where(d.amount > 8)), "df['amount'] had 0% missing and has"),
        (lambda d: d.head(20), "df had 1,000 rows and has 20."),
        (lambda d: d.amount, "df was a DataFrame and is a Series."),
    ],
    ids=["column gone", "column new", "type", "unit", "values", "missing", "rows", "kind"],
)
def test_what_is_no_longer_as_it_was_is_told(change, said):
    lines = drifted(seen(df=table()), seen(df=change(table())))
    assert any(said in line for line in lines), lines


def test_of_columns_about_people_no_value_is_kept_in_any_form():
    frame = table(email="a@b.example", salary=3, note="x")
    kept = {c.name: c for c in seen(("note",), df=frame)["df"].columns}
    for name in ("email", "salary", "note"):
        assert (kept[name].deciles, kept[name].kinds) == ((), ())
        assert kept[name].dtype
    assert "a@b.example" not in repr(kept)
    assert "'a'" not in repr(kept["region"].kinds)


def test_arrays_are_data_and_other_objects_are_not():
    found = seen(a=np.arange(100.0), s=pd.Series([1, 2]), m=np.zeros((2, 2)), x=[1], gone=object())
    assert sorted(found) == ["a", "s"]


def test_an_answer_of_another_form_is_left_out():
    assert read_profiles({"profiles": {"df": {"type": "x"}, "e": 3}}) == {}
    assert read_profiles({"profiles": None}) == {}


@given(st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=200))
def test_the_index_of_a_column_with_itself_is_nothing_and_of_two_never_negative(values):
    frame = pd.DataFrame({"a": values, "b": values[::-1], "c": [v * 2 + 1 for v in values]})
    a, b, c = seen(df=frame)["df"].columns
    assert stability(a, a) == pytest.approx(0, abs=1e-9)
    assert stability(a, b) == pytest.approx(0, abs=1e-9)
    assert stability(a, c) >= 0


def test_a_cell_is_slower_where_it_is_by_much():
    assert slower({"a": 1.0, "b": 1.0, "c": 0.01}, {"a": 10.0, "b": 2.0, "c": 1.0}) == ("Cell a took 1.0 s and takes 10.0 s.",)


def test_what_is_taken_in_is_what_cells_read():
    book = Notebook((Cell("a", "code", "df = load()"), Cell("b", "code", "y = df.sum() + rate"), Cell("c", "code", "open('f')")))
    assert {"df", "rate"} <= set(taken_in(book))
    assert not [n for n in taken_in(book) if n.startswith("@")]
