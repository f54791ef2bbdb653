"""What is suggested was true of the data, is few, says why, and tells no value of what is about people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis import evidence
from jupyter_selfcode.analysis.contract import with_example
from jupyter_selfcode.analysis.noticing import notice
from jupyter_selfcode.analysis.promising import FEW, FOR_DATA, chosen, facts_of, suggestions
from jupyter_selfcode.values.suggestion import Suggestion


def suggested(namespace: dict[str, Any], made: str, words: str = "", masked: tuple[str, ...] = ()) -> tuple[Suggestion, ...]:
    facts = facts_of(notice(sorted(namespace), namespace))
    names = made.split()
    return suggestions({n: facts[n] for n in names if n in facts}, facts, words, masked)


def texts(found: tuple[Suggestion, ...]) -> dict[str, Suggestion]:
    return {s.expression: s for s in found}


SALES = pd.DataFrame(
    {"order_id": [7, 8, 9, 10], "store": ["a", "b", "a", "b"], "price": [1.5, 2.0, 57.3, 4.0], "note": ["x", None, "y", "z"]}
)
COLUMNS = st.sampled_from(["order_id", "price", "day", "größe", "it's", "a b"])
VALUES = st.one_of(
    st.lists(st.integers(-1000, 10**9), min_size=3, max_size=3),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=3, max_size=3),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.lists(st.sampled_from(["a", "b", None]), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.datetimes(min_value=pd.Timestamp("1990-01-01"), max_value=pd.Timestamp("2030-01-01")), min_size=3, max_size=3),
)
FRAMES = st.dictionaries(COLUMNS, VALUES, min_size=1, max_size=4).map(pd.DataFrame)
THINGS = st.one_of(
    FRAMES, VALUES.map(pd.Series), VALUES.map(lambda v: np.array(v)), st.integers(), st.floats(), st.text(max_size=8),
    st.lists(st.integers() | st.text(max_size=4), max_size=8), st.sets(st.integers(), max_size=4), st.none(), st.booleans(),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3), FRAMES.map(lambda f: f.set_index(f.columns[0])),
)  # fmt: skip


@given(THINGS, THINGS)
def test_whatever_is_suggested_is_true_of_the_data_and_fits_into_a_contract(made, other):
    namespace = {"made": made, "other": other}
    for s in suggested(namespace, "made"):
        assert bool(eval(s.expression, dict(namespace))) is True, s
        assert s.expression in with_example("made = 1", s.expression)
        assert s.reason


@given(THINGS)
def test_a_suggestion_says_itself_whether_it_tells_which_result_is_right(made):
    for s in suggested({"made": made}, "made"):
        assert s.tells == evidence.pins(s.expression, "True")


def test_rows_and_sums_that_are_kept_are_suggested_with_the_reason():
    by_store = SALES.groupby("store")["price"].sum()
    found = texts(suggested({"sales": SALES, "by_store": by_store}, "by_store"))
    assert found["abs(by_store.sum() - sales['price'].sum()) < 6e-05"].reason == "the total of price in sales is kept"
    assert found["len(by_store) == sales['store'].nunique()"].reason == "one row for each store of sales"
    assert not found["len(by_store) == sales['store'].nunique()"].tells


def test_keys_order_missing_values_and_ranges_are_suggested():
    found = texts(suggested({"sales": SALES}, "sales"))
    assert found["sales['order_id'].is_unique"].kind == "key"
    assert found["sales['order_id'].is_monotonic_increasing"].kind == "order"
    assert found["list(sales.columns[sales.isna().any()]) == ['note']"].kind == "missing"
    assert found["sales['price'].between(0, 60).all()"].reason == "price was from 1.5 to 57.3, rounded outwards"
    assert not any("order_id'].between" in e for e in found), "the limits of a key say nothing"


def test_shares_add_up():
    found = texts(suggested({"share": pd.Series([0.25, 0.75])}, "share", "The share of each store."))
    assert found["abs(share.sum() - 1) < 1e-09"].tells
    assert found["share.between(0, 1).all()"].reason == "share was a share, from 0 to 1; the words say “share”"


def test_what_the_words_name_comes_first():
    plain = [s.kind for s in suggested({"sales": SALES}, "sales")]
    asked = [s.kind for s in suggested({"sales": SALES}, "sales", "Sales without duplicates.")]
    assert plain[0] != "key"
    assert asked[0] == "key"


@pytest.mark.parametrize(("column", "masked"), [("email", ()), ("salary", ()), ("points", ("points",))])
def test_no_value_of_what_is_about_people_is_told(column, masked):
    frame = pd.DataFrame({column: [1200.5, 3400.25, 999.0]})
    for s in suggested({"frame": frame}, "frame", masked=masked):
        assert not any(digit in s.expression for digit in ("1200", "3400", "999", "4000", "5599")), s


def test_a_column_that_came_as_it_is_is_not_promised_again():
    kept = texts(suggested({"sales": SALES, "big": SALES[SALES.price > 3]}, "big"))
    assert not any("big['price'].between" in e for e in kept)


def suggestion(name: str, kind: str = "range") -> Suggestion:
    return Suggestion(name, kind, "because", True)  # type: ignore[arg-type]


def test_few_are_chosen_each_for_what_nothing_before_it_catches():
    found = [suggestion(n) for n in "abcdefgh"]
    picked = chosen(found, [{"a", "b"}, {"b"}, {"b", "c"}, {"d"}, ()], ())
    assert [(s.expression, s.catches) for s in picked[:2]] == [("b", 3), ("d", 1)]
    assert [s.catches for s in picked[2:]] == [0] * FOR_DATA


def test_what_the_contract_catches_already_counts_for_nobody():
    picked = chosen([suggestion("a")], [{"a", "old"}], {"old"})
    assert [(s.expression, s.catches) for s in picked] == [("a", 0)]


def test_what_only_this_run_says_comes_last():
    found = [suggestion("total == 12", "value"), suggestion("total kept", "relation")]
    picked = chosen(found, [{"total == 12", "total kept"}, {"total == 12"}], ())
    assert [(s.expression, s.catches) for s in picked] == [("total kept", 1), ("total == 12", 1)]


@given(st.lists(st.sets(st.sampled_from("abcdefghij")), max_size=12))
def test_never_more_than_a_few_and_none_twice(caught):
    picked = chosen([suggestion(n) for n in "abcdefghij"], caught, ())
    assert len(picked) <= FEW
    assert len({s.expression for s in picked}) == len(picked)
    covered = {s.expression for s in picked if s.catches}
    assert len(covered) == FEW or all(by & covered for by in caught if by)


def test_where_nothing_was_measured_little_of_one_run_is_shown():
    picked = chosen([suggestion(f"v{i}", "value") for i in range(9)], None)
    assert len(picked) == 2
