"""prove: whether all paths of the functions that a change made another can be explored (level 4, `analysis.provable`).

Asked of the one change that was chosen, since it takes seconds. The functions run in a kernel of the same sandbox in which
nothing else has run; where the trial had no cage nothing is asked. An answer that is no proof takes nothing away, and a call
that differs is for a person: it was made up, as the generated inputs of level 3 are.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ..analysis.provable import questions
from ..protocols import Limits, Prover, Sandbox
from ..values.decision import Decision, Reject
from ..values.errors import SelfcodeError
from ..values.events import Event, StageStarted, Tried
from ..values.notebook import Notebook
from ..values.patch import apply_ops
from ..values.proof import Proof
from ..values.request import Request
from ..values.trial import CAGES, Finding, Trial


async def proved(
    decision: Decision, before: Notebook, sandbox: Sandbox, folder: Path, limits: Limits, prover: Prover | None, request: Request
) -> AsyncGenerator[Event, None]:
    """What can be proved of what was chosen. The last event is `Tried`; none where there is nothing to ask, or nobody."""
    trial = None if isinstance(decision, Reject) else decision.trial
    if prover is None or prover.missing or trial is None or trial.run is None or trial.run.tier not in CAGES or trial.proofs:
        return
    if trial.candidate.warrant:
        return
    after = apply_ops(trial.candidate.patch.ops, before)
    todo = questions(before, after, [i for i in trial.candidate.patch.cells if i in after])
    if not todo:
        return
    yield StageStarted("validate", f"every path of {', '.join(dict.fromkeys(q.name for q in todo))}, as far as it can be explored")
    start = time.monotonic()
    try:
        async with sandbox.open(replace(after, cells=()), folder, limits) as kernel:
            proofs = await prover.prove(todo, kernel)
    except SelfcodeError:  # no second kernel: nothing more is known
        return
    seconds = trial.seconds + time.monotonic() - start
    yield Tried(weighed(replace(trial, proofs=tuple(proofs), seconds=seconds), request))


def weighed(trial: Trial, request: Request) -> Trial:
    """The trial with what its proofs say: level 4 where a contract holds, as for level 3, and all that was changed is proved."""
    said = (*trial.assumptions, *(p.told for p in trial.proofs if p.outcome != "differs"))
    found = trial.findings + tuple(_findings(trial.proofs, request))
    level = 4 if (trial.level or 0) >= 2 and _all_proved(trial, trial.proofs) else trial.level
    return replace(trial, assumptions=said, findings=found, level=level)


def _all_proved(trial: Trial, proofs: Sequence[Proof]) -> bool:
    """Whether nothing was changed but functions, and each of them is proved to keep what it gave."""
    done = {p.cell_id for p in proofs if p.whole and p.asked == "kept"}
    return bool(proofs) and set(trial.candidate.patch.cells) <= done and all(p.outcome == "proved" for p in proofs)


def _findings(proofs: Iterable[Proof], request: Request) -> Iterable[Finding]:
    """What was wished in words may well be another value; a repair, the same faster or the same in another language is not."""
    same = request.failure is not None or request.trigger in ("slow", "translate")
    for p in proofs:
        if p.outcome == "differs":
            asks = same or p.asked == "asserted"
            said = "The change breaks a promise" if p.asked == "asserted" else "The change gives another value where the old code gave one"
            yield Finding("proof:differs", f"{said}: {p.said}.", "ask" if asks else "note", p.cell_id)
