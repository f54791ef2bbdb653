"""The guard rails of a run: what an earlier run tried is not tried again, and what it deployed has to prove itself.

    a failure ─▶ of what a version on probation made: that version is taken back, and the run begins anew without it
              ─▶ known, or of code that has just been tried in vain: left alone, and said
              ─▶ else it is tried, without a model where too much came to nothing, and entered in the ledger

A notebook without a history has no ledger, and a run in which nothing fails makes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocols import Kernel
from ..stages.watch import upgraded
from ..values.errors import SelfcodeError
from ..values.events import Decided
from ..values.ledger import Heal
from ..values.notebook import Notebook
from ..values.request import Failure
from ..values.trial import CellResult, Run
from ..values.version import Recorded, Version
from .confirming import Confirming
from .job import Bench

if TYPE_CHECKING:
    from ..config import SelfCode
    from ..engine import Engine
    from ..ledger import Ledger

LONG = 2.0
"""Seconds that the cells of a run take, from which on it is worth it to keep what functions gave: that takes some 0.03 s, which
is to stay below a fiftieth of the run."""


class RunRails:
    """What the history says about unasked changes of this notebook, and what this run adds to it."""

    def __init__(self, source: Path, settings: SelfCode, resources: ExitStack) -> None:
        self._source, self._settings, self._resources = source, settings, resources
        self._ledger: Ledger | None = None
        self.heals: list[Heal] = []
        """The attempts of this run."""
        self.notices: tuple[str, ...] = ()
        """What is watched and is no longer as it was, though nothing failed."""
        self.made: list[str] = []
        """Ids of the versions that this run has deployed: their probation begins with the next one."""

    def ledger(self, bench: Bench | None = None) -> Ledger | None:
        """The ledger, where there is a history. Raises `StoreError`, `BadInput`."""
        from ..ledger import Ledger

        if self._ledger is None or bench is not None:
            if bench is not None:
                self._ledger = Ledger(bench.store, bench.path, self._settings.rails())
            elif self._settings.store_url or (self._source.parent / ".selfcode" / "history.sqlite").is_file():
                from ..selfcode import name_in_history, open_store

                store = self._resources.enter_context(closing(open_store(self._settings, self._source.parent)))
                self._ledger = Ledger(store, name_in_history(self._settings, self._source), self._settings.rails())
        return self._ledger

    async def since(self, kernel: Kernel, notebook: Notebook, ran: Sequence[str]) -> tuple[str, ...]:
        """What is another library than in the last run that went well, and which data is no longer as it was, a line
        each. `ran`: the cells that have run well so far."""
        from ..analysis.drift import drifted, profiles_probe, read_profiles, taken_in
        from ..analysis.libraries import libraries_probe, read_libraries
        from ..watching import Watching, settled

        ledger = self.ledger()
        if ledger is None or kernel.state != "complete":
            return ()
        found: tuple[str, ...] = ()
        if well := ledger.well():
            found = upgraded(well, read_libraries(await kernel.evaluate(libraries_probe(notebook))))
        if record := Watching(ledger.store, ledger.path).record():
            names = settled(taken_in(notebook), notebook, ran)
            reply = await kernel.evaluate(profiles_probe(names))
            found += drifted(record.profiles, read_profiles(reply, self._settings.masked_columns))
        return found

    async def went_well(self, kernel: Kernel, notebook: Notebook, results: Iterable[CellResult]) -> str:
        """All cells have run: what is on probation has passed once more, what functions gave is kept, and what is watched is
        compared. Where that cannot be kept, why."""
        from ..analysis.drift import profiles_probe, read_profiles, taken_in
        from ..analysis.extension import read_calls
        from ..analysis.kept_calls import reading
        from ..analysis.libraries import libraries_probe, read_libraries
        from ..analysis.secrets import Redactor
        from ..stages.behave import keep
        from ..watching import Watching

        try:
            if ledger := self.ledger():
                ledger.went_well(read_libraries(await kernel.evaluate(libraries_probe(notebook))), self.made)
                ran = [r for r in results if r.status == "ok"]
                long = sum(r.seconds for r in ran) >= LONG
                if self._settings.record and long and (code := reading(notebook)):
                    calls = read_calls(await kernel.evaluate(code))
                    keep(ledger.store, ledger.path, calls, Redactor.for_folder(self._source.parent))
                watching = Watching(ledger.store, ledger.path)
                if watching.since:
                    reply = await kernel.evaluate(profiles_probe(taken_in(notebook)))
                    seconds = {r.cell_id: round(r.seconds, 3) for r in ran}
                    self.notices = watching.compare(read_profiles(reply, self._settings.masked_columns), seconds)
        except SelfcodeError as e:  # the notebook has run: that the history cannot be written takes nothing from it
            return f"That this run went well could not be entered in the history: {e}"
        return ""

    def probation(self) -> tuple[int, ...]:
        """Numbers of the versions that have yet to prove themselves, oldest first; none where nothing was opened."""
        if self._ledger is None:
            return ()
        return tuple(reversed([r.number for r in self._ledger.on_probation()]))

    # ---- before something is tried ---------------------------------------------------------------------------------

    def blamed(self, failure: Failure, notebook: Notebook) -> Recorded | None:
        """The version on probation that a failure comes from."""
        assert self._ledger is not None
        return self._ledger.blamed(failure, notebook, self.made, from_the_top=True)

    def take_back(self, bench: Bench, blamed: Recorded, failure: Failure) -> tuple[Version, Recorded] | None:
        """Take back a version on probation, as `Ledger.take_back` does."""
        assert self._ledger is not None
        taken = self._ledger.take_back(bench.engine, [bench.file], blamed, failure)
        if taken is not None:
            self.made.append(taken[0].id)
        return taken

    def disagrees(
        self, bench: Bench, unconfirmed: Confirming, result: CellResult, said: str
    ) -> tuple[int, tuple[Version, Recorded] | None]:
        """Note that a copy of the run was wrong about this state, and take back what was deployed on its word: the number of
        that version, and what `take_back` gives."""
        from ..engine import DISAGREED

        bench.store.put_note(bench.path, DISAGREED, unconfirmed.state, said)
        made = next(r for r in bench.store.lineage(bench.path) if r.version.id == unconfirmed.version)
        failure = result.failure or Failure(result.cell_id, "Disagreement", said)
        return made.number, self.take_back(bench, made, failure)

    def fingerprint(self, bench: Bench, failure: Failure, notebook: Notebook, before: Run) -> str:
        """By what this failure is known again."""
        from ..ledger import mark

        return mark(failure, notebook, before.variables, self._settings, bench.engine, bench.path)

    def refusal(self, failure: Failure, notebook: Notebook, fingerprint: str) -> tuple[str, str]:
        """Why this failure is left alone (empty: it may be tried), and the name of the proposal that still waits for it."""
        assert self._ledger is not None
        from ..waiting import WAITING

        said, last = self._ledger.refusal(failure, notebook, fingerprint)
        if last is None or last.ended != "waits":
            return said, ""
        waits = last.name in self._ledger.store.notes(self._ledger.path, WAITING)
        return said, last.name if waits else ""

    def spared(self, engine: Engine) -> tuple[Engine, str]:
        """The engine that may be used now, and why it is without models where it is."""
        assert self._ledger is not None
        return self._ledger.spared(engine)

    def enter(self, failure: Failure, notebook: Notebook, fingerprint: str, decided: Decided, name: str) -> None:
        """Enter what an attempt came to."""
        assert self._ledger is not None
        heal = self._ledger.enter(failure, notebook, fingerprint, decided, name)
        if heal is not None:
            self.heals.append(heal)
        if heal is not None and heal.ended == "deployed":
            self.made.append(name)
