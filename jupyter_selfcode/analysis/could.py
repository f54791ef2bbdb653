"""Which kinds of effect a cell's source could have, by its capabilities: generous to what was there before.

It is asked of code that a notebook already had, so that an effect which the old code could have had as well is no news,
though it was never observed (the cell failed before it got there, or ran where nobody watched).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..values.effect import EffectKind
from .capabilities import capabilities, names_bound
from .effects import effects_of

CHILDREN: frozenset[EffectKind] = frozenset(("reads", "creates", "changes", "deletes", "network"))
"""What another program may do; nothing in the cell says which of it."""


def could(source: str, sources: Iterable[str] = ()) -> frozenset[EffectKind]:
    """The kinds of effect that a source could have, by itself and by the functions of other cells (`sources`) that it calls."""
    others = list(sources)
    names = names_bound([source, *others])
    defining = {name: other for other in others for name in effects_of(other).carries}
    found, left, done = set[EffectKind](), [source], set[str]()
    while left:
        text = left.pop()
        found.update(e for c in capabilities(text, names) for e in c.effects)
        called = effects_of(text).reads & defining.keys() - done
        done |= called
        left += [defining[name] for name in sorted(called)]
    return frozenset(found | CHILDREN if "process" in found else found)
