"""Fake fixes: changes after which a cell runs and no longer does what it is for.

Published studies of automated repair find that most wrong repairs that "pass" are of these few kinds: the exception
swallowed, the check removed, the data made up, the answer written down. Each rule reads the two trees, says what it saw
in one line, and weighs it: `block` where it is plain, `ask` where an honest change may look alike. What was in the cell
before is never held against a change. The rules are triage and explanation, not a boundary; what they miss is measured
by `tests/benchmarks/bench_fake_fixes.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from ..values.request import Failure
from ..values.trial import Finding
from . import (
    fakes_checks,
    fakes_columns,
    fakes_control,
    fakes_data,
    fakes_flow,
    fakes_judge,
    fakes_rows,
    fakes_values,
    fakes_ways_round,
)
from .contract import examples_of
from .edits import Edit

RULES: tuple[Callable[[Edit], Iterator[Finding]], ...] = (
    *fakes_control.RULES,
    *fakes_checks.RULES,
    *fakes_columns.RULES,
    *fakes_data.RULES,
    *fakes_ways_round.RULES,
    *fakes_flow.RULES,
    *fakes_values.RULES,
    *fakes_rows.RULES,
    *fakes_judge.RULES,
)


def find(
    old: str,
    new: str,
    failure: Failure | None = None,
    recorded_outputs: str = "",
    *,
    words: str = "",
    repair: bool | None = None,
    needed: Collection[str] = (),
    defined: Collection[str] = (),
    moved: Collection[str] = (),
    around: str = "",
) -> tuple[Finding, ...]:
    """What is suspicious in the change of one cell from `old` to `new` ("" where it is inserted or deleted).

    `words` are the request's and the cell's own; `repair` (None: whether there is a failure) says that nothing new was
    asked for. `needed`: names that other cells read; `defined`: functions that other cells define;
    `moved`: statements (as `edits.written` writes them) that the same change puts into other cells; `around`: the code of
    the whole notebook before.
    """
    wants = "\n".join(e.want for e in (*examples_of(old), *examples_of(new)))
    mending = failure is not None if repair is None else repair
    edit = Edit(old, new, failure, mending, words, recorded_outputs, wants, needed, defined, moved, around)
    found: dict[tuple[str, str], Finding] = {}
    for rule in RULES:
        for f in rule(edit):
            found.setdefault((f.code, f.message), f)
    return tuple(found.values())
