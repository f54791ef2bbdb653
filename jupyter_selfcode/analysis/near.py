"""Which known name a person most likely meant, when exactly one is near.

The distance is optimal string alignment (Damerau 1964: insertions, deletions, substitutions, swaps of neighbours). The
rest of this module, and `opposites`, say what is *not* a slip of the finger: `df_a` for `df_b`, `x1` for `x2`, `min_rate`
for `max_rate` are different names on purpose, and taking one for the other would run and be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .opposites import opposed


def distance(a: str, b: str) -> int:
    """Optimal string alignment distance of two words."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return row[-1]


def plain(name: str) -> str:
    """A name without case, spaces, underscores, hyphens, dots and parentheses around units."""
    return re.sub(r"[\W_]+", "", name.casefold())


def _words(name: str) -> list[str]:
    return [w for w in re.split(r"[\W_]+|(?<=[a-z])(?=[A-Z])", name) if w]


def _slip(a: str, b: str) -> bool:
    """Whether two different words may be one word and a slip of the finger."""
    if re.findall(r"\d+", a) != re.findall(r"\d+", b):
        return False
    if a[:1] != b[:1] and a[:2] != b[1::-1]:  # first letters are seldom wrong, and often the meaning (x_test, y_test)
        return False
    shorter = min(len(a), len(b))
    return shorter >= 3 and distance(a, b) <= (1 if shorter <= 5 else 2)


def similar(a: str, b: str) -> bool:
    """Whether one may be a misspelling of the other: the same but for case and separators, or a slip in its words."""
    if a == b or opposed(a, b):
        return False
    if plain(a) == plain(b):
        return True
    one, two = _words(a.casefold()), _words(b.casefold())
    if len(one) == len(two):
        return all(x == y or _slip(x, y) for x, y in zip(one, two, strict=True)) and _slip(plain(a), plain(b))
    return _slip(plain(a), plain(b))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one known name that `name` may be a misspelling of; None where there is none, or more than one.

    Names that differ only in case and separators go before names that differ in letters.
    """
    names = {k for k in known if k != name and plain(k)}
    same = [k for k in names if plain(k) == plain(name) and not opposed(k, name)]
    if same and len(plain(name)) == 1:  # `X` and `x`: a matrix and a vector
        return None
    if same:
        return same[0] if len(same) == 1 else None
    found = [k for k in names if similar(name, k)]
    return found[0] if len(found) == 1 else None
