"""The ledger of a notebook: what was tried unasked, what is on probation, and what its last good run was like.

Small documents in the history, so that the next run knows of this one and every host of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .analysis.fingerprint import fingerprint
from .analysis.options import rolled_back
from .codec import from_json, to_json
from .engine import Engine
from .protocols import Deployer, Store
from .stages import watch
from .stages.record import now
from .values.canonical import digest
from .values.decision import Accept, Ask
from .values.events import Decided
from .values.ledger import Ended, Heal, Rails, WentWell
from .values.notebook import Notebook
from .values.request import Failure, Variable
from .values.version import Recorded, Version, in_force
from .watching import CLOSED

if TYPE_CHECKING:
    from .config import SelfCode

HEAL, WELL, PROBATION = "heal", "well", "probation"
KEPT = 200
"""Attempts that are remembered; the oldest are forgotten first."""
REASON = 300
"""Characters of a reason that is kept."""


@dataclass(frozen=True)
class Ledger:
    """What the history holds of one notebook besides its versions. Raises `StoreError`."""

    store: Store
    path: str
    rails: Rails = field(default_factory=Rails)

    # ---- attempts --------------------------------------------------------------------------------------------------

    def heals(self) -> Sequence[Heal]:
        """The attempts, oldest first."""
        return [from_json(Heal, body) for body in self.store.notes(self.path, HEAL).values()]

    def add(self, heal: Heal) -> None:
        """Enter an attempt."""
        notes = self.store.notes(self.path, HEAL)
        for key in list(notes)[: max(0, len(notes) + 1 - KEPT)]:
            self.store.drop_note(self.path, HEAL, key)
        self.store.put_note(self.path, HEAL, f"{heal.at} {heal.fingerprint[:8]}", to_json(heal))

    def enter(self, failure: Failure, notebook: Notebook, fingerprint: str, decided: Decided, name: str) -> Heal | None:
        """Enter what an attempt came to; `name` is the version or the proposal that it made. None, and no entry, for
        trouble of the environment, such as a model out of reach: that is no attempt."""
        decision = decided.decision
        match decision:
            case Accept():
                ended: Ended = "deployed"
            case Ask():
                ended = "waits"
            case _ if decision.status in ("failed", "budget"):
                ended = "budget" if decision.status == "budget" else "failed"
            case _:
                return None
        trial = decision.trial if isinstance(decision, (Accept, Ask)) else None
        heal = Heal(
            now(), failure.cell_id, fingerprint, code_of(notebook, failure.cell_id), failure.ename, ended, name,
            decision.reason[:REASON], trial.candidate.proposer if trial else "", decided.cost, decided.seconds,
        )  # fmt: skip
        self.add(heal)
        return heal

    def refusal(self, failure: Failure, notebook: Notebook, fingerprint: str) -> tuple[str, Heal | None]:
        """Why this failure is not to be tried unasked (empty: it may be), and the attempt that speaks against it."""
        heals = self.heals()
        if last := watch.tried(heals, fingerprint):
            came = {
                "deployed": f"version {self._number_of(last.name)} mended it, and was taken back since",
                "waits": "a change was proposed for it and not accepted",
                "rolled back": "the change that mended it was rolled back on probation",
                "budget": "the budget was spent on it",
            }.get(last.ended, "nothing that was tried passed")
            return f"This very failure was tried on {_day(last.at)}: {came}. It is not tried again unasked.", last
        code = code_of(notebook, failure.cell_id)
        if rest := watch.resting(heals, failure.cell_id, code, now(), self.rails):
            return f"This code was tried in vain a moment ago; it is left alone for {rest:.0f} s more.", None
        return "", None

    def breaker_open(self) -> str:
        """Why no model is to be asked; empty where one may be."""
        closed = self.store.notes(self.path, CLOSED).get(CLOSED, "")
        heals = [h for h in self.heals() if h.at > closed]
        if not watch.breaker_open(heals, self.well(), self.rails):
            return ""
        count = watch.in_vain(heals, self.well())
        return (
            f"{count} changes in a row came to nothing, so no model is asked until the notebook runs well again, or a person "
            "says: watch on."
        )

    def spared(self, engine: Engine) -> tuple[Engine, str]:
        """The engine without what costs money, where too much came to nothing, and why."""
        free = [p for p in engine.proposers if not p.price]
        if len(free) == len(engine.proposers) or not (said := self.breaker_open()):
            return engine, ""
        return replace(engine, proposers=free), said

    def _number_of(self, version_id: str) -> int | str:
        """The number of a version, for people."""
        found = (r.number for r in self.store.lineage(self.path) if r.version.id == version_id)
        return next(found, version_id[:12])

    # ---- runs that went well ---------------------------------------------------------------------------------------

    def well(self) -> WentWell | None:
        """The last run that went well."""
        body = self.store.notes(self.path, WELL).get(WELL)
        return from_json(WentWell, body) if body else None

    def went_well(self, libraries: Mapping[str, str], besides: Sequence[str] = ()) -> None:
        """A run has gone well: what is on probation has passed once more, but for versions that it deployed itself."""
        self.store.put_note(self.path, WELL, WELL, to_json(WentWell(now(), libraries)))
        for recorded in self.on_probation():
            if recorded.version.id not in besides:
                self.passed(recorded.version.id)

    # ---- probation -------------------------------------------------------------------------------------------------

    def _counts(self) -> dict[str, int]:
        return {k: int(body) for k, body in self.store.notes(self.path, PROBATION).items()}

    def on_probation(self) -> tuple[Recorded, ...]:
        """The versions that have not gone well in enough runs yet, newest first."""
        return watch.on_probation(self.store.lineage(self.path), self._counts(), self.rails)

    def passed(self, version_id: str) -> None:
        """What a version made has gone well once more."""
        self.store.put_note(self.path, PROBATION, version_id, str(self._counts().get(version_id, 0) + 1))

    def blamed(
        self, failure: Failure, notebook: Notebook, besides: Sequence[str] = (), *, from_the_top: bool = False
    ) -> Recorded | None:
        """The newest version on probation that this failure comes from; None where it comes from none.

        In a run `from_the_top` it comes from none either, where a cell further down fails and no run has gone well with the
        version yet: the failure that it mended may have hidden this one, and taking it back would only bring that again."""
        counts, well = self._counts(), self.well()
        by_id = {r.version.id: r.version for r in self.store.lineage(self.path)}
        for recorded in self.on_probation():
            v = recorded.version
            parent = next((by_id[p] for p in v.parents if p in by_id), None)
            if parent is None or v.id in besides:
                continue
            proven = not from_the_top or counts.get(v.id, 0) > 0 or (well is not None and well.at >= v.at)
            if failure.cell_id not in v.patch.cells and not proven:
                continue
            old, made = self.store.notebook(parent.notebook), self.store.notebook(v.notebook)
            if watch.to_blame(failure, old, made, notebook, v.patch.cells):
                return recorded
        return None

    def take_back(
        self, engine: Engine, surfaces: Sequence[Deployer], blamed: Recorded, failure: Failure
    ) -> tuple[Version, Recorded] | None:
        """Bring back what was there before a version on probation: the rollback, and the version that is in force again.
        None where a person changed something since. Raises as `Engine.restore` does."""
        lineage = self.store.lineage(self.path)
        target = watch.take_back_to(lineage, blamed)
        if target is None:
            return None
        leaving = next((r.version for r in lineage if r.version.id == in_force(lineage)), None)
        words = f"version {blamed.number} was on probation and failed: {failure.ename} in {failure.cell_id}"
        version = engine.restore(target.version, "rollback", surfaces, self.path, "policy", words, leaving=leaving,
                                 options=rolled_back(f"{words}; probation takes it back"))
        self._taken_back(blamed.version.id)
        return version, target

    def _taken_back(self, version_id: str) -> None:
        """The attempt that made it was in vain."""
        for key, body in self.store.notes(self.path, HEAL).items():
            heal = from_json(Heal, body)
            if heal.ended == "deployed" and heal.name == version_id:
                self.store.drop_note(self.path, HEAL, key)
                self.store.put_note(self.path, HEAL, key, to_json(replace(heal, at=now(), ended="rolled back")))


def mark(failure: Failure, notebook: Notebook, variables: Sequence[Variable], settings: SelfCode, engine: Engine, path: str) -> str:
    """By what a failure is known again, and who would mend it by these settings."""
    s = settings
    budget = (s.budget_usd, s.budget_tokens, s.budget_attempts, s.budget_seconds)
    by = (s.policy, sorted(s.proposers), s.model, s.api_base, budget, engine.lessons(path))
    return fingerprint(failure, notebook, variables, by)


def code_of(notebook: Notebook, cell_id: str) -> str:
    """Digest of a cell's source; empty where there is no such cell."""
    return digest(notebook.cell(cell_id).source) if cell_id in notebook else ""


def _day(at: str) -> str:
    return f"{at[:10]} at {at[11:16]} UTC"
