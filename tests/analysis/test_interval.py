"""An interval says how sure a gain is; where there is none it seldom claims one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.interval import FEWEST, ratio_interval
from jupyter_selfcode.values.behaviour import Pace

TIMES = st.lists(st.tuples(st.floats(1e-4, 1e3), st.floats(1e-4, 1e3)), min_size=FEWEST, max_size=25)


@given(TIMES)
def test_the_median_lies_in_its_interval_which_lies_among_the_ratios(pairs):
    before, after = zip(*pairs, strict=True)
    ratio, low, high = ratio_interval(before, after)
    ratios = [b / a for b, a in pairs]
    assert min(ratios) <= low <= ratio <= high <= max(ratios)


@given(TIMES, st.floats(0.5, 2.0))
def test_what_slows_the_whole_machine_down_changes_nothing(pairs, factor):
    before, after = zip(*pairs, strict=True)
    slowed = [b * factor for b in before], [a * factor for a in after]
    assert ratio_interval(*slowed) == pytest.approx(ratio_interval(before, after))


@pytest.mark.parametrize("count", [5, 10, 25])
def test_where_nothing_was_won_chance_is_rarely_taken_for_a_gain(count):
    drawn = random.Random(1)
    wrong = 0
    for _ in range(200):
        before, after = ([drawn.lognormvariate(0, 0.3) for _ in range(count)] for _ in range(2))
        wrong += ratio_interval(before, after)[1] > 1.0
    assert wrong <= 14, "2.5 % of one side, and what small samples add"


def test_a_gain_is_found_and_told_with_its_interval():
    drawn = random.Random(1)
    before = [3 * drawn.lognormvariate(0, 0.1) for _ in range(20)]
    after = [drawn.lognormvariate(0, 0.1) for _ in range(20)]
    pace = Pace("time", 3.0, 1.0, *ratio_interval(before, after), 20)
    assert pace.better
    assert not pace.worse
    assert pace.said.startswith(f"{pace.ratio:.1f}× (95 % interval ")


@pytest.mark.parametrize(("before", "after"), [([1.0] * 4, [1.0] * 4), ([1.0] * 5, [1.0] * 6), ([1.0] * 5, [0.0] * 5)])
def test_too_few_pairs_or_no_time_at_all_say_nothing(before, after):
    with pytest.raises(ValueError, match="pairs"):
        ratio_interval(before, after)
