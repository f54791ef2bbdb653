"""Near names, and names that only look near."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.near import distance, nearest, similar

WORDS = st.text("abcd_1", max_size=8)


@pytest.mark.parametrize(
    ("a", "b", "far"), [("", "abc", 3), ("ab", "ba", 1), ("region", "reigon", 1), ("abc", "abd", 1)]
)
def test_a_swap_of_neighbours_is_one_step(a, b, far):
    assert distance(a, b) == far


@given(WORDS, WORDS)
def test_distance_is_the_same_both_ways_and_zero_only_for_the_same(a, b):
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) <= max(len(a), len(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("x1", "x2"),
        ("df_a", "df_b"),
        ("x_train", "y_train"),
        ("min_rate", "max_rate"),
        ("q1_2023", "q1_2024"),
        ("ab", "ac"),
    ],
)
def test_names_that_differ_on_purpose_are_not_similar(a, b):
    assert not similar(a, b)


@pytest.mark.parametrize(
    ("a", "b"), [("Total", "total"), ("unit_price", "Unit Price"), ("totls", "totals"), ("gropuby", "groupby")]
)
def test_slips_of_the_finger_are_similar(a, b):
    assert similar(a, b)


@given(WORDS, st.lists(WORDS, max_size=6))
def test_the_nearest_is_another_known_name_or_none_in_any_order(name, known):
    meant = nearest(name, known)
    assert meant is None or (meant in known and meant != name)
    assert nearest(name, reversed(known)) == meant
