"""Does a change do what the notebook did not do before: a new kind of effect is for a person, whatever the policy.

Compared is what was observed in the trial with what the same cell was observed to do before, or could have done by its old
source. New files that are code, notebooks or settings are always asked about: a trial with a changed module has not tried
the notebook that a person has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ...analysis.could import could
from ...values.effect import Effect, EffectKind
from ...values.notebook import Notebook
from ...values.request import Request
from ...values.trial import Candidate, Finding, Trial

ALWAYS = re.compile(r"\.(?:py|pyc|pyi|pth|ipynb|so|sh|toml|cfg)$|(?:^|/)\.[^/.]|(?:^|/)(?:sitecustomize|usercustomize)\b")
"""Paths that decide what runs next time: code, notebooks, settings, and all that begins with a dot."""

WRITES: tuple[EffectKind, ...] = ("creates", "changes", "deletes")
NAMED = 3
"""How many things one finding names."""

SAID: Mapping[EffectKind, tuple[str, str]] = {
    "reads": ("read", "read"),
    "creates": ("created", "create"),
    "changes": ("changed", "change"),
    "deletes": ("deleted", "delete"),
    "network": ("used the network", "use the network"),
    "process": ("started a process", "start a process"),
    "environment": ("set environment variables", "set environment variables"),
    "native": ("loaded compiled code", "load compiled code"),
}


class EffectsCheck:
    """Asks about new kinds of effect, about code and settings that are written, and about what went untold."""

    name = "effects"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Nothing has run yet."""
        return ()

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """What was observed, against what was, and what could have been."""
        if trial.run is None:
            return ()
        findings = [*self._always(trial), *self._new(trial, before, after)]
        if trial.run.unseen and not (trial.before and trial.before.unseen):
            message = "It did more than could be observed, or kept it from being observed."
            findings.append(Finding("effects:unseen", message, "ask"))
        return findings

    def _always(self, trial: Trial) -> Iterator[Finding]:
        assert trial.run is not None
        touched = set(trial.candidate.patch.cells)
        known = {(e.kind, e.what) for e in trial.before.effects if e.cell_id not in touched} if trial.before else set()
        written = [e for e in trial.run.effects if e.kind in WRITES and ALWAYS.search(e.what) and (e.kind, e.what) not in known]
        for effect in written[:NAMED]:
            verb = SAID[effect.kind][0] if not effect.refused else f"tried to {SAID[effect.kind][1]}"
            message = f"It {verb} {effect.what}, which decides what runs later: look at it before you accept."
            yield Finding("effects:code", message, "ask", effect.cell_id)

    def _new(self, trial: Trial, before: Notebook, after: Notebook) -> Iterator[Finding]:
        assert trial.run is not None
        had = Had(trial, before, after)
        news: dict[tuple[EffectKind, str | None], list[Effect]] = {}
        for effect in trial.run.effects:
            asked = effect.outside if effect.kind == "reads" else not (effect.kind in WRITES and ALWAYS.search(effect.what))
            if asked and not had(effect):
                news.setdefault((effect.kind, effect.cell_id), []).append(effect)
        for (kind, cell_id), effects in news.items():
            yield Finding(f"effects:{kind}", _message(kind, effects), "ask", cell_id)


class Had:
    """Whether an effect is of a kind that its cell had, or could have had, before the change."""

    def __init__(self, trial: Trial, before: Notebook, after: Notebook) -> None:
        self._before = before
        self._sources = [c.source for c in before.code_cells]
        touched = [i for i in trial.candidate.patch.cells if i in before and before.cell(i).type == "code"]
        # what the change takes from one cell it may do in another
        self._moved = frozenset[EffectKind]().union(
            *(could(before.cell(i).source) - (could(after.cell(i).source) if i in after else frozenset()) for i in touched)
        )
        self._seen: dict[str | None, set[EffectKind]] = {}
        for e in trial.before.effects if trial.before else ():
            self._seen.setdefault(e.cell_id, set()).add(e.kind)
        self._files = {(e.kind, e.what) for e in trial.before.effects} if trial.before else set()
        self._could: dict[str | None, frozenset[EffectKind]] = {}

    def __call__(self, effect: Effect) -> bool:
        cell_id = effect.cell_id
        if effect.kind in self._seen.get(cell_id, ()) or effect.kind in self._moved:
            return True
        if cell_id is None and (effect.kind, effect.what) in self._files:
            return True
        if cell_id not in self._could:
            if cell_id is None:  # found in the folder: any cell may have done it
                self._could[None] = frozenset[EffectKind]().union(*map(could, self._sources))
            else:
                source = self._before.cell(cell_id).source if cell_id in self._before else ""
                self._could[cell_id] = could(source, self._sources)
        return effect.kind in self._could[cell_id]


def _message(kind: EffectKind, effects: Sequence[Effect]) -> str:
    names = ", ".join(e.what for e in effects[:NAMED]) + (", …" if len(effects) > NAMED else "")
    did, do = SAID[kind]
    said = f"tried to {do}" if all(e.refused for e in effects) else did
    joined = f"{said} {names}" if kind in ("reads", *WRITES) else f"{said} ({names})"
    refused = ", and was refused" if all(e.refused for e in effects) else ""
    return f"It {joined}{refused}; the cell did not do that before."
