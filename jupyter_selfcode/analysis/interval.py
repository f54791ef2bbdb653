"""How sure a ratio of two measurements is that were taken in pairs.

Each pair is one run before and one run after the change, one right after the other, so that what else the machine does weighs on
both. The ratio of the two is one observation; their median is told, with the percentile bootstrap interval over the pairs (Efron
and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). An interval in place of a best or mean time is what Georges,
Buytaert and Eeckhout ask for (Statistically Rigorous Java Performance Evaluation, OOPSLA 2007). Below `FEWEST` pairs nothing is said.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median

FEWEST = 5
RESAMPLES = 4_000
INSIDE = 0.95


def ratio_interval(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """The median ratio of before to after, and the ends of its 95 % interval. The same measurements give the same interval.

    Raises `ValueError` where there are fewer than `FEWEST` pairs, or where one took no time.
    """
    if len(before) != len(after) or len(before) < FEWEST or min(*before, *after) <= 0:
        raise ValueError(f"needs {FEWEST} pairs of positive numbers")
    ratios = [b / a for b, a in zip(before, after, strict=True)]
    drawn = random.Random(0)
    found = sorted(median(drawn.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    outside = int(RESAMPLES * (1 - INSIDE) / 2)
    return median(ratios), found[outside], found[-1 - outside]
