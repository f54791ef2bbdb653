"""judge: hold a trial's evidence against the values themselves, in a process that never ran the candidate.

What the candidate's own process reports it can forge: an exception reported as success, an `equals` that always agrees. So
the values that a promise reads come out as data, and the promise is asked again in a clean kernel of the same sandbox. Where
both agree it is confirmed; where they do not, the change is refused. What cannot be carried stays where it was judged, and
is said to. (The data come out of the candidate's process too: it can still lie about what it computed.)
"""

from __future__ import annotations

import doctest
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..analysis.claims import Claim, Claims
from ..analysis.contract import judge_examples
from ..analysis.outputs import same_outputs
from ..protocols import ForkingSandbox, Kernel, Limits, Sandbox
from ..values.errors import SelfcodeError
from ..values.notebook import Notebook
from ..values.trial import Finding, Judgement, Run

Carried = Mapping[str, Mapping[str, Any]]
"""By cell, what came out of the candidate's kernel."""


async def judge(
    run: Run, claims: Mapping[str, Claims], carried: Carried, sandbox: Sandbox, notebook: Notebook, folder: Path,
    limits: Limits,
) -> tuple[tuple[Judgement, ...], tuple[Finding, ...]]:
    """What each promise that held came to, and a finding for each that does not hold outside. `notebook` is the one whose
    kernel is meant. Starts a kernel only where there is something to judge."""
    ran = {r.cell_id for r in run.results if r.status == "ok"}
    opened = {i: (c, c.open(carried.get(i, {}))) for i, c in claims.items() if i in ran and c.claims}
    if not any(not claim.inside for _, found in opened.values() for claim in found):
        return tuple(j for i, (_, found) in opened.items() for j in _stay(i, found)), ()
    judged: list[Judgement] = []
    findings: list[Finding] = []
    try:
        empty = replace(notebook, cells=())  # a copy of a kernel in which nothing has run is a clean one
        async with (
            sandbox.open_from(empty, empty, folder, limits)
            if isinstance(sandbox, ForkingSandbox)
            else sandbox.open(notebook, folder, limits)
        ) as kernel:
            for cell_id, (own, found) in opened.items():
                got = await _asked(kernel, own, found, carried.get(cell_id, {}))
                for verdict in _verdicts(run, cell_id, found, got):
                    judged.append(verdict)
                    if verdict.verdict == "contradicted":
                        severity = "block" if own.plain else "ask"
                        findings.append(Finding("evidence:contradicted", verdict.said, severity, cell_id))  # type: ignore[arg-type]
    except SelfcodeError as e:  # no second kernel
        said = f"no process to judge in: {e}"[:200]
        return tuple(Judgement(i, c.source, "inside", said) for i, (_, found) in opened.items() for c in found), ()
    return tuple(judged), tuple(findings)


def _stay(cell_id: str, claims: Sequence[Claim]) -> Sequence[Judgement]:
    return [Judgement(cell_id, c.source, "inside", c.inside) for c in claims]


async def _asked(kernel: Kernel, own: Claims, claims: Sequence[Claim], carried: Mapping[str, Any]) -> Mapping[str, Any]:
    sources = [c.source for c in claims if not c.inside]
    return await kernel.evaluate(own.trial(carried, sources)) if sources else {}


def _verdicts(run: Run, cell_id: str, claims: Sequence[Claim], reply: Mapping[str, Any]) -> Sequence[Judgement]:
    """What was judged of one cell, in the order of its claims."""
    rows = reply.get("got")
    asked = [c for c in claims if not c.inside]
    if not isinstance(rows, (list, tuple)) or len(rows) != len(asked):
        why = " ".join(str(reply.get("failed", "it gave no answer")).split())[:120]
        return [Judgement(cell_id, c.source, "inside", c.inside or f"outside it could not be asked: {why}") for c in claims]
    left = iter(rows)
    inside = {e.source: e.got for e in run.examples if e.cell_id == cell_id and e.passed}
    found = []
    for claim in claims:
        if claim.inside:
            found.append(Judgement(cell_id, claim.source, "inside", claim.inside))
            continue
        (outside,) = judge_examples(
            cell_id, [doctest.Example(claim.source, claim.want or "")], {"got": [next(left)]}
        )
        own = inside.get(claim.source, claim.want or "")
        if outside.passed or (claim.want is not None and same_outputs(_printed(own), _printed(outside.got))):
            found.append(Judgement(cell_id, claim.source, "confirmed"))
        elif "{" in own and sorted(own) == sorted(outside.got):
            found.append(Judgement(cell_id, claim.source, "inside", "it shows a set, whose order is another in every process"))
        else:
            found.append(Judgement(cell_id, claim.source, "contradicted", _said(claim, own, outside.got)))
    return found


def _printed(text: str) -> Sequence[Mapping[str, str]]:
    return [{"output_type": "stream", "name": "stdout", "text": text}]


def _said(claim: Claim, inside: str, outside: str) -> str:
    source, a, b = (" ".join(t.split())[:80] or "nothing" for t in (claim.source, inside, outside))
    if claim.want is None:
        return f"The cell ran past '{source}'; judged outside on its own values it gives {b}."
    return f"{source}: the candidate's own process said {a}; judged outside it is {b}."
