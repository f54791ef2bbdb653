"""decide: trials and policy give Accept, Ask or Reject.

Levels, in the words of the README: 0 well-formed (it parses, imports exist here, it stays in its scope, and it ran) ·
1 framed (every other cell cannot be affected, or showed the same again) · 2 contract (the promises that this change can
affect hold, and cells that it does not touch gave the same outputs again) · 3 behaviour (what it rewrote gives what it gave, on
inputs that were tried: `stages.behave`, `pace`, `translate`). Level 4 comes after the choice (`stages.prove`).

A promise that held before the change holds after a change that does nothing, so it says nothing for what was asked. Only
what did *not* hold before and holds now is decisive, and only that lets a change be deployed unasked. (Tests that pass
before and after a patch are the known weakness of test-based repair: Qi et al., ISSTA 2015, found most patches of
GenProg that passed all tests to be wrong.) For the same reason a promise counts only where it reads, along the flow of
names, something that the changed statements make (`analysis.bearing`), and is decisive only where it says which result is
right (`analysis.evidence`), or gave a wrong answer before, where others were merely not reached, and says more than how much there
is: ten others are ten as well.

Where it was measured what a contract catches of small mistakes (`stages.mutate`), a low share is a reason to ask, and a high
one no reason to deploy: who writes the code could forge it. On half of the faults of `tests/benchmarks/bench_mutants.py`
two wrong candidates passed everything else; their contracts caught 0 of 2 and 0 of 9. A bound of 0.1 stops such ones and asked
about two of fifteen right ones there. It was chosen on the very cases that it is measured by.

Level 1 needs every other cell to be accounted for: proved from the code to be out of reach (`analysis.framing`), or
observed to give the same when it ran again. It says nothing for what was asked.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import replace
from typing import Any

from ..analysis.bearing import Flow, flows, looks
from ..analysis.contract import examples_of
from ..analysis.effects import slice_below
from ..analysis.evidence import asserted, counting, foregone, pins, tells
from ..analysis.forging import gained
from ..analysis.framing import ASSUMED, Frame, framed
from ..analysis.likeness import TOLERANCES
from ..analysis.outputs import same_outputs
from ..analysis.paces import gain_of, paced
from ..analysis.size import size_of
from ..values.decision import Accept, Ask, Decision, Policy, Reject
from ..values.notebook import Notebook
from ..values.policy import EffectClass
from ..values.size import Size
from ..values.strength import summary
from ..values.trial import CAGES, Example, Finding, Trial

_RAISED = re.compile(r"(?m)^[\w.]*(Error|Exception|Warning|Interrupt)\b")
HALF = 0.5
"""Share of small mistakes that a promise must catch where it alone was broken."""

FEW = 2
"""Small mistakes that must have been counted before their share says anything."""
DISAGREES = "runs:fork"
"""The finding that a copy and a clean kernel gave different results."""

Recorded = Mapping[str, tuple[Any, ...]]
"""Outputs that a notebook file carries, by cell id."""


def weighed(trial: Trial, before: Notebook, after: Notebook, recorded: Recorded) -> Trial:
    """The trial with the level that it reached, what that assumes, and how much of it is decisive."""
    trial = replace(trial, size=size_of(before, after))
    if trial.run is None or not trial.passed:
        return trial
    touched = {i for i in trial.candidate.patch.cells if i in after}
    affected = touched.union(*(slice_below(after, i) for i in touched))
    was_well = {r.cell_id for r in trial.before.results if r.status == "ok"} if trial.before else set()
    old_examples = trial.before.examples if trial.before else ()
    held_before = {(e.cell_id, e.source) for e in old_examples if e.passed}
    wrong_before = {(e.cell_id, e.source) for e in old_examples if not e.passed and not _RAISED.search(e.got)}
    ran = {r.cell_id: r for r in trial.run.results if r.status == "ok"}
    asserting = {i: found for i in ran if i in affected and (found := asserted(after.cell(i).source))}
    reached = flows(before, after, touched, touched | asserting.keys() | {e.cell_id for e in trial.run.examples})

    # what a candidate brings itself is no promise: neither its examples nor its assertions
    written = {(c.id, e.source) for c in before.code_cells for e in examples_of(c.source)}
    promised = {a for c in before.code_cells for a in asserted(c.source)}
    held = [e for e in trial.run.examples if e.passed and e.cell_id in affected]
    own = [e for e in held if (e.cell_id, e.source) not in written]
    looking = _looking(trial.run.examples, reached)
    examples = [e for e in held if e not in own and e in looking]
    new = [e for e in examples if (e.cell_id, e.source) not in held_before]
    reach = gained(before, after, touched)
    confirmed = {(j.cell_id, j.source) for j in trial.judged if j.verdict == "confirmed"}

    def stands(cell_id: str, source: str) -> bool:
        """Whether an answer is more than the candidate's word: judged outside, or by code that cannot reach the judge."""
        return not reach or (cell_id, source) in confirmed

    decisive = sum(
        (pins(e.source, e.want) or ((e.cell_id, e.source) in wrong_before and not counting(e.source)))
        and stands(e.cell_id, e.source)
        for e in new
    )
    asserts = [
        (i, a)
        for i, found in asserting.items()
        for a in found & promised
        if reached[i].bears(ast.parse(a)) and not foregone(ast.parse(a))
    ]
    refused = (
        {r.cell_id for r in trial.before.results if r.failure and r.failure.ename == "AssertionError"}
        if trial.before
        else set()
    )
    decisive += sum(
        i not in was_well and (pins(a) or (i in refused and not counting(a))) and stands(i, f"assert {a}\n") for i, a in asserts
    )
    again = [
        i
        for i in ran
        if i in touched and recorded.get(i) and reached[i].shown and same_outputs(recorded[i], ran[i].outputs)
    ]
    decisive += sum(i not in was_well and tells(recorded[i]) and not reach for i in again)

    where, why, bare = trial.run.sandbox, trial.run.served.reason, list[str]()
    if trial.kind == "forked":
        made = "that was given the variables of yours" if why.startswith("copied") else "that had run the cells above"
        said = [f"ran in a copy of a kernel {made} ({where}; {why}), {_count(ran, 'cell')}"]
    else:
        said = [f"ran from the top in a clean kernel ({where}), {_count(ran, 'cell')}"]
        if why:
            said.append(f"not in a copy: {why}")
    if unchanged := len((was_well & (ran.keys() - (_above(after, touched) if trial.kind == "forked" else set()))) - touched):
        said.append(f"{unchanged} untouched ran again; differing outputs are listed as findings")
    if examples:
        said.append(
            f"{_count(examples, 'example')} of the contract held; what the contract does not say is not checked"
        )
    if own:
        said.append("examples that the change brought itself held too, which says nothing")
    if len(held) > len(examples) + len(own):
        said.append("examples that do not look at what was changed held too, which says nothing")
    if asserts:
        said.append(f"{_count(asserts, 'assertion')} of the notebook held")
    if again:
        said.append(f"the changed cell gave the output that the notebook had recorded ({', '.join(again)})")
    said += _where([*((e.cell_id, e.source) for e in examples), *((i, f"assert {a}\n") for i, a in asserts)], trial, reach)
    if not (examples or asserts or again):
        bare.append("no contract covers the changed cells: that it ran is all that is known")
    elif not decisive and reach and (new or any(i not in was_well for i in (*(c for c, _ in asserts), *again))):
        bare.append("what holds now was judged in the candidate's own process or says too little to decide")
    elif not decisive and (new or any(i not in was_well for i in (*(c for c, _ in asserts), *again))):
        bare.append("what holds now would hold for nearly any result, so it does not say that this one is right")
    elif not decisive:
        bare.append("all that holds now held before the change too, so none of it says that the wish is met")
    if trial.differential:
        bare = ["gives the same as the cell that it translates, from the same tables; other data were not tried"]
    if gain := gain_of(trial):  # the wish was speed: that it is met, and that nothing else has changed, is what was measured
        bare = paced(trial)
    decisive += bool(gain or trial.differential)
    said += _alike(trial, touched)
    frames = frames_of(trial, before, after)
    said = [*bare, *said, *_framed(frames)]  # what no gate covered goes first
    if trial.run.spared:
        said.append(f"not run again, being out of its reach and needed by nothing that ran: {_named(trial.run.spared)}")
    framed_all = bool(frames) and "unknown" not in frames.values()
    level = 2 if examples or asserts or again else 1 if framed_all else 0
    said += [b.said for b in trial.behaviour]
    if gain or trial.differential or (level == 2 and _behaves(trial, touched)):
        level = 3
    return replace(trial, level=level, assumptions=tuple(said), decisive=decisive)


def confirmed(forked: Trial, fresh: Trial, after: Notebook) -> Trial:
    """The fresh trial of a change that passed in a copy; a question where the two disagree on a cell that the change can
    affect, or on whether a cell runs at all."""
    affected = {i for cell_id in forked.candidate.patch.cells if cell_id in after for i in slice_below(after, cell_id)}
    affected |= set(forked.candidate.patch.cells)
    results = {r.cell_id: r for r in fresh.run.results} if fresh.run else {}
    over = _above(after, [i for i in forked.candidate.patch.cells if i in after])
    failed = next((i for i, r in results.items() if r.status in ("error", "stopped") and i in over), None)
    if failed is not None:  # it says nothing of the change: the network is refused there, say
        said = f"It could not be confirmed: from the top cell {failed}, above the change, does not run in a clean kernel."
        return replace(forked, findings=(*forked.findings, Finding("runs:unconfirmed", said, "ask", failed)))
    for r in forked.run.results if forked.run else ():
        other = results.get(r.cell_id)
        if other is None:  # what stopped it before is a finding of its own, or shows above
            continue
        if other.status != r.status or (r.cell_id in affected and not same_outputs(other.outputs, r.outputs)):
            said = f"Cell {r.cell_id} gave one result in a copy of a running kernel, and another from the top."
            return replace(fresh, findings=(*fresh.findings, Finding(DISAGREES, said, "ask", r.cell_id)))
    return replace(fresh, assumptions=(*fresh.assumptions, "tried in a copy first, which agreed"))


def _above(notebook: Notebook, touched: Collection[str]) -> set[str]:
    """The cells above the first of these."""
    first = min((notebook.index(i) for i in touched), default=0)
    return {c.id for c in notebook.cells[:first]}


def _where(promises: Sequence[tuple[str, str]], trial: Trial, reach: Sequence[str]) -> list[str]:
    """Where the promises were judged, and what of it the candidate could have forged."""
    judged = {(j.cell_id, j.source): j for j in trial.judged}
    found = [judged[p] for p in promises if p in judged]
    outside = [j for j in found if j.verdict == "confirmed"]
    inside = [j for j in found if j.verdict == "inside"]
    said = [f"{len(outside)} of {len(promises)} judged again on the values, outside of the candidate's process"] if outside else []
    if inside:
        said.append(f"{len(inside)} judged in the candidate's own process, which can forge it ({inside[0].said})")
    if reach and promises:
        said.append(f"the change gains what could reach the judge: it {reach[0]}" + (", …" if len(reach) > 1 else ""))
    return said


def frames_of(trial: Trial, before: Notebook, after: Notebook) -> dict[str, Frame]:
    """For every other code cell, whether this change can affect it. A cell of which neither outputs nor variables were seen
    was not observed."""
    found = framed(before, after, trial.candidate.patch.cells)
    for cell_id, frame in found.items():
        was = trial.before.result(cell_id) if trial.before else None
        now = trial.run.result(cell_id) if trial.run else None
        well = was is not None and now is not None and was.status == now.status == "ok"
        variables = [v.equal for v in trial.alike if v.cell_id == cell_id]
        looked = all(variables) and bool((was and was.outputs) or variables)
        if frame == "unknown" and was and now and well and looked and same_outputs(was.outputs, now.outputs):
            found[cell_id] = "observed"
    return found


def _behaves(trial: Trial, touched: Collection[str]) -> bool:
    """Whether all that was changed are functions that give what they gave."""
    done = {b.cell_id for b in trial.behaviour if b.whole}
    return set(touched) <= done and all(b.tried and not b.differs for b in trial.behaviour)


def _alike(trial: Trial, touched: Collection[str]) -> list[str]:
    """How many variables are what they were, in the cells that were not touched and in those that were."""
    said = []
    for where, mine in (("untouched", [v for v in trial.alike if v.cell_id not in touched]), ("changed", [v for v in trial.alike if v.cell_id in touched])):
        if not mine:
            continue
        equal, unknown = sum(v.equal for v in mine), sum(v.verdict == "unknown" for v in mine)
        sampled = sum(v.sampled and v.equal for v in mine)
        line = f"{equal} of {_count(mine, 'variable')} of {where} cells equal, compared outside ({TOLERANCES})"
        line += f", {sampled} of them by spread rows and sums" if sampled else ""
        said.append(line + (f"; {unknown} could not be compared" if unknown else ""))
    return said


def _framed(frames: Mapping[str, Frame]) -> list[str]:
    """How far the change can reach, in one line for each label; what is not known is named first."""
    by = {label: [i for i, frame in frames.items() if frame == label] for label in ("unknown", "observed", "proved")}
    lines = []
    if by["unknown"]:
        lines.append(f"may be affected, unknown: {_named(by['unknown'])}")
    if by["observed"]:
        lines.append(f"observed to give the same again: {_named(by['observed'])}")
    if by["proved"]:
        lines.append(f"proved from the code to be out of its reach, if {ASSUMED}: {_named(by['proved'])}")
    return lines


def _named(cells: Sequence[str], most: int = 8) -> str:
    """How many cells, and which."""
    more = f" and {len(cells) - most} more" if len(cells) > most else ""
    return f"{_count(cells, 'cell')} ({', '.join(cells[:most])}{more})"


def _looking(examples: Iterable[Example], reached: Mapping[str, Flow]) -> list[Example]:
    """The examples that look at what was changed."""
    found, after_cell = list[Example](), dict[str, Flow]()
    for e in examples:
        if e.cell_id in reached:
            flow = after_cell.setdefault(e.cell_id, reached[e.cell_id].copy())
            found += [e] * looks(flow, e.source)
    return found


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _rank(trial: Trial) -> tuple[int, int, int, int, int, float]:
    """Contract first, then fewer questions, smaller change, code that branches less, faster."""
    size = trial.size or Size()
    return (-(trial.level or 0), len(trial.asks), size.lines, size.branches, size.characters, trial.seconds)


_SAID: dict[EffectClass, str] = {
    "reads": "reads", "writes": "writes files or settings", "network": "uses the network",
    "deletes": "deletes, or starts what is not seen",
}  # fmt: skip


def _did(trial: Trial) -> set[str]:
    """Kinds of effect of the changed cells, and of what no cell can be told for."""
    touched = {*trial.candidate.patch.cells, None}
    return {e.kind for e in trial.run.effects if e.cell_id in touched} if trial.run else set()


def decide(trials: Sequence[Trial], policy: Policy) -> Decision | None:
    """The decision on one round of candidates; None where none passed and the next round may try.

    Candidates of one round that passed are told apart by what they gave: where their outputs disagree, a person is
    asked, because nothing says which of them is right.
    """
    passed = sorted((t for t in trials if t.passed), key=_rank)
    if not passed:
        return None
    best = passed[0]
    if len(passed) > 1 and best.level is not None and best.level < 2:
        touched = {c for t in passed for c in t.candidate.patch.cells}
        for other in passed[1:]:
            for cell_id in touched:
                a = best.run.result(cell_id) if best.run else None
                b = other.run.result(cell_id) if other.run else None
                if a and b and not same_outputs(a.outputs, b.outputs):
                    return Ask(best, f"{len(passed)} different candidates ran and gave different results.")
    mode, because = policy.for_effects(_did(best))
    if because and mode == "report":
        return Reject(f"Its code {_SAID[because]}, and the policy for that is report: it is not proposed.", "reported")
    if best.asks:
        return Ask(best, best.asks[0].message)
    if mode != "deploy":
        return Ask(best, f"A person decides (policy {mode}{f', for its code {_SAID[because]}' if because else ''}).")
    if best.candidate.patch and (best.run is None or best.run.tier not in CAGES):
        return Ask(best, "It was tried without a cage (tier C), so a person decides.")
    if not best.candidate.warrant:
        if (best.level or 0) < policy.min_level:
            return Ask(best, "It ran, but no contract says that it is right.")
        if policy.min_level > 0 and not best.decisive:
            return Ask(best, "No promise that says which result is right was broken before and holds now.")
        if policy.min_level > 0 and not best.pace and (weak := _weak(best, policy.min_strength)):
            return Ask(best, weak)
    return Accept(best, gain_of(best) or best.candidate.warrant or f"Level {best.level} reached with no question left open.")


def _weak(trial: Trial, least: float) -> str:
    """Why a contract says too little to deploy what it covers unasked, or empty: also where it was not measured.

    Where nothing raised and only a promise was broken, the change was made to keep that promise, and whatever keeps it
    passes (overfitting, as in the repair of programs by tests: Smith et al., "Is the cure worse than the disease?",
    ESEC/FSE 2015). Then it has to catch half of the mistakes.
    """
    strength, failure = trial.strength, trial.before.failure if trial.before else None
    if strength is None or not least:
        return ""
    if failure is not None and failure.ename == "ContractBroken":
        least = max(least, HALF)
        enough = strength.counted >= FEW and (strength.share or 0.0) >= least
    else:
        enough = strength.counted < FEW or (strength.share or 0.0) >= least
    if enough:
        return ""
    if not strength.counted:
        return f"What its contract is worth cannot be told: {summary(strength)}."
    missing = f"; {strength.missing}" if strength.missing else ""
    return f"Its contract {summary(strength)}, too few to decide by{missing}."


def nothing_passed(trials: Sequence[Trial], said: str = "", *, model: bool = True) -> Reject:
    """The honest end of a request: how many were tried and what stopped the last, or what a proposer `said` instead of
    proposing; where no `model` could be asked, how to name one."""
    if not trials and not model:
        return Reject("The free rules have no change to offer, and no model is named (SelfCode.model, --model; see doctor).")
    if not trials:
        return Reject(said or "No proposer had a change to offer.")
    blocks = trials[-1].blocks  # where a cell failed, what did not run after it only follows
    last = next((f for f in blocks if f.code.startswith("runs:")), next(iter(blocks), None))
    tried = "The one candidate did not pass" if len(trials) == 1 else f"None of {len(trials)} candidates passed. The last"
    return Reject(f"{tried}: {last.message if last else 'it did not run'}")
