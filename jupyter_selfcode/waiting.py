"""What waits for a person's decision, kept in the history, so that it is there after a restart and for every host."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .analysis.secrets import Redactor
from .codec import from_json, to_json
from .protocols import Store
from .values.decision import Accept, Ask
from .values.errors import BadInput
from .values.events import Decided
from .values.notebook import Notebook
from .values.patch import patch_id
from .values.trial import Run, Trial

WAITING = "waiting"
BASE = "waiting_base"
LESSON = "lesson"
OUTPUT_KEPT = 100_000
"""Characters of outputs that a waiting proposal keeps; larger outputs are left out, the verdict stays."""


def proposal_id(decided: Decided) -> str:
    """A short name for a proposal, made of what it would change."""
    trial: Trial = decided.decision.trial  # type: ignore[union-attr]
    return patch_id(trial.candidate.patch)


@dataclass(frozen=True)
class Waiting:
    """The proposals that wait for one notebook."""

    store: Store
    path: str
    folder: Path = Path()
    """Where the notebook is: what a `.env` there holds is in no reason that is kept."""

    def all(self) -> dict[str, Decided]:
        """By name, oldest first."""
        return {k: from_json(Decided, body) for k, body in self.store.notes(self.path, WAITING).items()}

    def pick(self, name: str | None = None) -> tuple[str, Decided]:
        """The one with this name, or the start of it (None: the newest). Raises `BadInput`."""
        waiting = self.all()
        if not waiting:
            raise BadInput("Nothing waits for a decision.")
        if name is None:
            return list(waiting.items())[-1]
        found = [(k, v) for k, v in waiting.items() if k.startswith(name)]
        if len(found) != 1:
            raise BadInput(f"Nothing waits under the name {name!r}; waiting: {', '.join(waiting)}.")
        return found[0]

    def keep(self, decided: Decided, base: Notebook | None = None) -> str:
        """Keep a proposal until a person decides, and the notebook that it was made for; its name."""
        name = proposal_id(decided)
        if base is not None:
            self.store.put_note(self.path, BASE, name, to_json(base))
        self.store.put_note(self.path, WAITING, name, to_json(lighter(decided)))
        return name

    def base(self, name: str) -> Notebook | None:
        """The notebook that a proposal was made for, where that was kept."""
        body = self.store.notes(self.path, BASE).get(name)
        return from_json(Notebook, body) if body is not None else None

    def drop(self, name: str) -> None:
        """It was decided."""
        self.store.drop_note(self.path, WAITING, name)
        self.store.drop_note(self.path, BASE, name)

    def reject(self, name: str | None, why: str) -> str:
        """Forget a proposal; the reason becomes a lesson for later ones. Returns its name. Raises `BadInput`."""
        key, decided = self.pick(name)
        if why:
            rationale = decided.decision.trial.candidate.rationale  # type: ignore[union-attr]
            asked = decided.request.text or decided.request.trigger
            lesson = f"Asked for: {asked}. Rejected change: {rationale} Reason given: {why}"
            self.store.put_note(self.path, LESSON, key, Redactor.for_folder(self.folder).text(lesson))
        self.drop(key)
        return key


def lighter(decided: Decided) -> Decided:
    """The proposal without what is large and not needed to decide: outputs of cells that were not touched, baselines."""
    if not isinstance(decided.decision, (Accept, Ask)):
        return replace(decided, trials=())

    def slim(trial: Trial) -> Trial:
        touched = set(trial.candidate.patch.cells)

        def keep(run: Run | None) -> Run | None:
            if run is None:
                return None
            results = tuple(
                r if r.cell_id in touched and sum(len(str(o)) for o in r.outputs) < OUTPUT_KEPT else replace(r, outputs=())
                for r in run.results
            )
            return replace(run, results=results, variables=())

        return replace(trial, run=keep(trial.run), before=keep(trial.before))

    return replace(
        decided,
        decision=replace(decided.decision, trial=slim(decided.decision.trial)),
        trials=tuple(slim(t) for t in decided.trials),
    )
