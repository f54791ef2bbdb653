"""What would change, what did, and the evidence for it."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.capabilities import PROMISE
from ..analysis.changes import CellChange, ChangeKind, cell_changes
from ..analysis.outputs import same_outputs
from ..analysis.printable import amount
from ..analysis.size import size_of
from ..values.decision import Accept, Ask, Reject
from ..values.effect import EffectKind
from ..values.events import Decided
from ..values.notebook import Notebook
from ..values.patch import apply_ops, patch_id
from ..values.size import told
from ..values.strength import Strength, summary, survives
from ..values.trial import Candidate, Example, Trial
from ..values.version import Recorded, Version
from .blocks import (
    Block,
    Change,
    Facts,
    Fold,
    Listing,
    Paragraph,
    Source,
    Span,
    Spans,
    Steps,
    Title,
    View,
    code,
    dim,
    first_line,
    say,
)
from .levels import left_open, level_name
from .words import Speak, count, duration, findings, in_magic, output_text, spent, when

SHOWN_OUTPUTS = 6
"""How many changed outputs are shown; the rest are counted."""


def _asked(decided: Decided, candidate: Candidate | None = None) -> Facts:
    r, rows = decided.request, list[tuple[str, Spans]]()
    if r.text.strip():
        rows.append(("asked", say(r.text.strip())))
    if r.failure:
        rows.append(
            (
                "failed",
                say(
                    code(r.failure.ename), f": {first_line(r.failure.evalue, 300)}", dim(f"  cell {r.failure.cell_id}")
                ),
            )
        )
    rows.append(("triage", say(f"{decided.triage.kind}: {decided.triage.reason}")))
    if candidate is not None and candidate.rationale.strip():
        rows.append(("change", say(candidate.rationale.strip())))
    return Facts(tuple(rows))


def _examples(examples: Sequence[Example]) -> list[Block]:
    def told(e: Example) -> Spans:
        if e.passed:
            return say("holds  ", code(e.source.strip()))
        return say(
            "broken  ",
            code(e.source.strip()),
            f"  gave {e.got.strip() or 'nothing'}, wanted {e.want.strip() or 'nothing'}",
        )

    held = sum(e.passed for e in examples)
    title = f"contract: {held} of {count(len(examples), 'example')} hold" if examples else ""
    return [Fold(title, (Listing(tuple(map(told, examples))),), shown=held < len(examples))] if examples else []


def _outputs(trial: Trial, after: Notebook) -> list[Block]:
    if trial.run is None:
        return []
    touched, changed = set(trial.candidate.patch.cells), list[Block]()
    places = {cell.id: place for place, cell in enumerate(after.cells, 1)}
    for result in trial.run.results:
        was = trial.before.result(result.cell_id) if trial.before else None
        if was is not None and same_outputs(was.outputs, result.outputs):
            continue
        old, new = output_text(was.outputs) if was else "", output_text(result.outputs)
        if old == new:
            continue
        edited = "" if result.cell_id in touched else " (not edited)"
        title = f"Output of cell {places.get(result.cell_id, '?')}{edited}"
        # of type output: so that it is not coloured as code
        kind: ChangeKind = "changed" if old else "inserted"
        changed.append(Change(CellChange(result.cell_id, kind, "output", 0, old, new), title))
    if not changed:
        return []
    shown = changed[:SHOWN_OUTPUTS]
    if more := len(changed) - len(shown):
        shown.append(Paragraph(say(dim(f"and {count(more, 'more output')}"))))
    return [Fold(f"outputs that change: {len(changed)}", tuple(shown), shown=True)]


DID: tuple[tuple[EffectKind, str], ...] = (
    ("network", "used the network"), ("process", "started"), ("native", "loaded compiled code"),
    ("environment", "set in the environment"), ("deletes", "deleted"), ("changes", "changed"), ("creates", "created"),
    ("reads", "read"),
)  # fmt: skip
"""Kinds of effect in the words of this view, what a person should see first before the rest."""

NAMED = 8
"""How many things of one kind a line names."""


def _did(trial: Trial, after: Notebook) -> list[Block]:
    """What was done outside of names, a line for each kind and cell; what was only read comes last."""
    effects = trial.run.effects if trial.run else ()
    places = {cell.id: place for place, cell in enumerate(after.cells, 1)}
    lines: list[Spans] = []
    for kind, verb in DID:
        for refused in (False, True):
            mine = [e for e in effects if e.kind == kind and e.refused is refused]
            for cell_id in dict.fromkeys(e.cell_id for e in mine):
                named = [e.what for e in mine if e.cell_id == cell_id]
                more = f", and {len(named) - NAMED:,} more" if len(named) > NAMED else ""
                lines.append(
                    say(
                        "tried and was refused: " if refused else "",
                        f"{verb} ",
                        code(", ".join(named[:NAMED])),
                        more,
                        dim(f"  cell {places[cell_id]}" if cell_id in places else "  found in the folder"),
                    )
                )
    if trial.run and trial.run.unseen:
        lines.insert(0, say(Span("more than could be observed", "warning")))
    loud = any(e.kind != "reads" for e in effects) or bool(trial.run and trial.run.unseen)
    return [Fold("what it did while it was tried", (Listing(tuple(lines)),), shown=loud)] if lines else []


def _tried(decided: Decided, chosen: Trial | None) -> list[Block]:
    lines = []
    for t in decided.trials:
        if chosen is not None and t.candidate.patch == chosen.candidate.patch:
            continue
        c = t.candidate
        why = t.blocks[0].message if t.blocks else "it passed and was not preferred" if t.passed else "it did not run"
        lines.append(
            say(
                f"{c.proposer}{f' ({c.model})' if c.model else ''}: ",
                first_line(c.rationale) or "no words",
                dim(" — "),
                first_line(why, 240),
            )
        )
    title = f"also tried: {count(len(lines), 'candidate')}"
    return [Fold(title, (Listing(tuple(lines)),), shown=chosen is None)] if lines else []


def strength_of(strength: Strength | None) -> list[tuple[str, Spans]]:
    """What a contract is worth against small mistakes, as labelled lines; none where it was not measured."""
    if strength is None:
        return []
    rows = [("its contract", say(summary(strength)))]
    rows += [("", say(dim(text))) for text in (survives(strength), strength.said if strength.counted else "") if text]
    if strength.idle:
        lines = ", ".join(f"line {m.line}" for m in strength.idle[:3])
        rows.append(("", say(dim(f"nothing changes where it is left out: {lines}"))))
    return rows


def _evidence(trial: Trial, promise: str) -> list[Block]:
    c = trial.candidate
    rows: list[tuple[str, Spans]] = [
        ("not checked", say(left_open(trial.level))),
        ("checked", say(level_name(trial.level))),
        *(("", say(dim(a))) for a in trial.assumptions),
        *strength_of(trial.strength),
    ]
    rows.append(("by", say(c.proposer, f" · {c.model}" if c.model else "", f" · {c.warrant}" if c.warrant else "")))
    if trial.run is not None:
        held = f" · {amount(trial.run.peak)} of memory at most" if trial.run.peak else ""
        rows.append(("tried", say(f"{trial.kind} · {duration(trial.seconds)}{held}")))
    if promise:
        rows.append(("sandbox", say(promise)))
    found = findings(trial.findings)
    if trial.size is not None:
        rows.append(("size", say(told(trial.size))))
    blocks: list[Block] = [Facts(tuple(rows))]
    if found:
        blocks.append(Listing(found))
    if any(f.code.startswith("capability:") for f in trial.findings):
        blocks.append(Paragraph(say(dim(PROMISE))))
    return blocks


def proposal(decided: Decided, before: Notebook, *, promise: str = "", speak: Speak = in_magic) -> View:
    """What a request came to, for the notebook `before`: a change that waits, one that is accepted, or why none."""
    decision = decided.decision
    footer = Paragraph(say(dim(spent(decided.cost, decided.seconds))))
    if isinstance(decision, Reject):
        return _rejected(decided, decision, footer, speak)
    trial = decision.trial
    c = trial.candidate
    after = apply_ops(c.patch.ops, before)
    cells = cell_changes(before, after)
    name = patch_id(c.patch)
    if cells:
        title = Title(
            f"Proposed: {count(len(cells), 'cell')} would change", "warning", f"{name} · nothing has changed yet"
        )
    else:
        title = Title(f"Proposed: run {count(len(c.rerun), 'cell')} again, no code changes", "warning", name)
    blocks: list[Block] = [title, _asked(decided, c), *map(Change, cells)]
    if c.rerun:
        blocks.append(Paragraph(say("Runs again in the live kernel: ", code(", ".join(c.rerun)))))
    blocks += [*_evidence(trial, promise), *_examples(trial.run.examples if trial.run else ()), *_outputs(trial, after)]
    blocks += [*_did(trial, after), *_tried(decided, trial), footer]
    if isinstance(decision, Ask):
        blocks.append(Paragraph(say("Waits for you: ", decision.reason)))
        blocks.append(
            Steps(
                (
                    (speak("accept"), "deploy it"),
                    (speak("reject why"), "forget it; the reason is kept for later proposals"),
                )
            )
        )
    elif isinstance(decision, Accept):
        blocks.append(Paragraph(say("Accepted by the policy: ", decision.reason)))
    return View(tuple(blocks))


_STATUS = {
    "failed": "No change passed, so nothing was changed",
    "environment": "Not a fault of the code, so no code was changed",
    "transient": "A passing trouble, so no code was changed",
    "budget": "The budget is spent; nothing was changed",
    "reported": "Reported only; nothing was changed",
    "cancelled": "Stopped; nothing was changed",
}


def _rejected(decided: Decided, decision: Reject, footer: Block, speak: Speak) -> View:
    kind = "warning" if decision.status in ("reported", "transient", "cancelled") else "error"
    asked = _asked(decided)
    if decision.reason == decided.triage.reason:  # said once is enough
        asked = Facts(tuple(row for row in asked.rows if row[0] != "triage"))
    options = tuple(say(o.name, dim(" — "), o.reason) for o in decided.triage.options)
    title = _STATUS[decision.status]
    if decision.status == "environment" and decided.triage.kind != "environment":
        title = "No model could be asked, so nothing was changed"
    blocks: list[Block] = [Title(title, kind), Paragraph(say(decision.reason)), asked]  # type: ignore[arg-type]
    if options:
        blocks.append(Fold(f"weighed: {count(len(options), 'option')}", (Listing(options),), aside=True))
    return View((*blocks, *_tried(decided, None), footer))


_DONE = {
    "initial": "Recorded as it was found",
    "adapt": "Deployed",
    "edit": "Recorded your edit",
    "check": "Added to the contract",
    "rollback": "Rolled back",
    "undo": "Undone",
    "redo": "Redone",
}


def deployed(
    version: Version, number: int, before: Notebook, after: Notebook, reports: Sequence[str], *, speak: Speak = in_magic
) -> View:
    """A change that was made: what, where it reached, and how to undo it."""
    cells = cell_changes(before, after)
    remark = f"version {number} · {count(len(cells), 'cell')} changed · by {version.by}"
    blocks: list[Block] = [Title(_DONE[version.kind], "ok", remark)]
    if version.kind == "adapt":
        rows = [("not checked", say(left_open(version.level))), ("checked", say(level_name(version.level)))]
        rows += [("", say(dim(a))) for a in version.assumptions[:1]]  # what was gained, or what no gate covered
        blocks.append(Facts(tuple(rows)))
    # of an adaptation the diff was shown when it was proposed; it may be long, so it is folded here
    diffs: tuple[Block, ...] = tuple(map(Change, cells))
    if diffs:
        blocks += [Fold("what changed", diffs)] if version.kind == "adapt" and len(diffs) > 2 else diffs
    if reports:
        blocks.append(Listing(tuple(say(r) for r in reports)))
    if version.kind == "adapt":
        blocks.append(Paragraph(say(dim(spent(version.cost, version.seconds)))))
    step = ("redo", "bring it back") if version.kind == "undo" else ("undo", "take it back")
    return View((*blocks, Steps(((speak(step[0]), step[1]),))))


def diff(a: Notebook, b: Notebook, title: str) -> View:
    """Two states of a notebook side by side."""
    cells = cell_changes(a, b)
    if not cells:
        return View((Title(f"{title}: no difference", "plain"),))
    return View(
        (
            Title(title, "plain", f"{count(len(cells), 'cell')} differ" if len(cells) != 1 else "1 cell differs"),
            *map(Change, cells),
        )
    )


def facts_of(v: Version) -> list[tuple[str, Spans]]:
    """What a version says of itself, as labelled lines."""
    rows: list[tuple[str, Spans]] = [("id", say(code(v.id))), ("when", say(when(v.at))), ("by", say(v.by))]
    if v.words:
        rows.append(("asked", say(v.words)))
    if v.triage:
        rows.append(("triage", say(v.triage)))
    if v.restores:
        rows.append(("restores", say(code(v.restores[:12]))))
    if v.proposer:
        rows.append(("proposer", say(v.proposer, f" · {v.model}" if v.model else "")))
    if v.rationale.strip():
        rows.append(("rationale", say(v.rationale.strip())))
    if v.level is not None:
        rows += [("not checked", say(left_open(v.level))), ("checked", say(level_name(v.level)))]
        rows += [("", say(dim(a))) for a in v.assumptions]
        rows += strength_of(v.mutants)
    if v.kind == "adapt":
        rows.append(("took", say(spent(v.cost, v.seconds))))
    return rows


def version(recorded: Recorded, before: Notebook, after: Notebook) -> View:
    """One version, whole: what it says of itself and its diff. The first one has no diff: its cells are shown."""
    v = recorded.version
    outcome = {"deployed": "ok", "undone": "warning", "failed": "error", None: "warning"}[recorded.outcome]
    title = Title(f"Version {recorded.number}: {v.kind}", outcome, recorded.outcome or "interrupted")  # type: ignore[arg-type]
    size = [("size", say(told(size_of(before, after))))] if v.kind == "adapt" else []
    blocks: list[Block] = [title, Facts((*facts_of(v), *size))]
    if v.kind == "initial":
        sources: tuple[Block, ...] = tuple(
            Source(c.source, "python" if c.type == "code" else "") for c in after.cells if c.source.strip()
        )
        blocks.append(Fold(count(len(after.cells), "cell"), sources, shown=len(after.cells) <= 5))
    else:
        blocks += map(Change, cell_changes(before, after))
    if v.findings:
        blocks.append(Listing(findings(v.findings)))
    return View(tuple(blocks))
