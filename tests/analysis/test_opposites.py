"""Names that differ on purpose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.near import nearest, similar
from jupyter_selfcode.analysis.opposites import opposed, qualified

ON_PURPOSE = [
    *(("weight_kg", "weight_g"), ("min_rate", "max_rate"), ("usdPrice", "eurPrice"), ("net_total", "gross_total")),
    *(
        ("start_date", "end_date"),
        ("pos_x", "pos_y"),
        ("lat", "lon"),
        ("X_train", "X_test"),
        ("mean_age", "median_age"),
    ),
    *(
        ("sales_2025", "sales_2026"),
        ("sensor_1", "sensor_2"),
        ("q1", "q2"),
        ("latitude", "altitude"),
        ("xtrain", "xtest"),
    ),
    *(("maximum", "minimum"), ("cummax", "cummin"), ("y_true", "y_pred"), ("amount (USD)", "amount (EUR)")),
]


@pytest.mark.parametrize(("a", "b"), ON_PURPOSE)
def test_names_of_other_units_ends_samples_and_numbers_are_never_near(a, b):
    assert opposed(a, b)
    assert opposed(b, a)
    assert not similar(a, b)
    assert nearest(a, {b, "something_else"}) is None


@pytest.mark.parametrize(
    ("a", "b"),
    [("OrderDate", "order_date"), ("region", "reigon"), ("months", "month"), ("price", "unit_price"), ("x_1", "x1")],
)
def test_names_of_one_thing_are_not_opposed(a, b):
    assert not opposed(a, b)
    assert not qualified(a, b)


@pytest.mark.parametrize(
    ("a", "b"), [("weight", "weight_kg"), ("net_price", "price"), ("sales", "sales_2026"), ("mean_age", "age")]
)
def test_a_word_that_says_more_is_told(a, b):
    assert qualified(a, b)
    assert qualified(b, a)
    assert not opposed(a, b) or any(c.isdigit() for c in a + b)


def test_a_matrix_is_not_taken_for_a_vector():
    assert nearest("X", {"x", "data"}) is None
    assert nearest("Totals", {"totals", "data"}) == "totals"


@given(st.text("abxy_1290 kg", max_size=12), st.text("abxy_1290 kg", max_size=12))
def test_opposition_is_the_same_both_ways_and_never_with_itself(a, b):
    assert opposed(a, b) == opposed(b, a)
    assert not opposed(a, a)
