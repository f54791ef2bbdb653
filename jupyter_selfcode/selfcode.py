"""What a host holds: one notebook, its history, an engine for it, and what waits for a decision."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .bridge import Bridge
from .config import SelfCode, plugin, plugins
from .engine import Engine, settle
from .protocols import Deployer, ForkingSandbox, Model, Proposer, Sandbox, Store
from .stages.validate import validate
from .values.decision import Accept, Ask
from .values.errors import BadInput, Locked, StalePatch
from .values.events import Decided, Event
from .values.notebook import Notebook
from .values.request import Failure, Request
from .values.trial import Run
from .values.version import Kind, Lineage, Version, in_force, redo_target, undo_target
from .waiting import Waiting, proposal_id


def open_store(settings: SelfCode, folder: Path) -> Store:
    """The history for notebooks in this folder. Nothing is created until the first write."""
    where = settings.store_url or (folder / ".selfcode" / "history.sqlite").resolve()  # a path, for folders named a?b
    return plugin("stores", "sql")(where)  # type: ignore[no-any-return]


def name_in_history(settings: SelfCode, file: Path) -> str:
    """How the history names a notebook file: by its name where the history lies beside it, else by its whole path."""
    return file.resolve().as_posix() if settings.store_url else file.name


def make_model(settings: SelfCode) -> Model | None:
    """The model that the settings name, or None. Nothing is imported or called yet."""
    if not settings.model:
        return None
    if settings.model.startswith("replay:"):
        return plugin("models", "replay")(Path(settings.model.removeprefix("replay:")).expanduser())  # type: ignore[no-any-return]
    return plugin("models", "litellm")(  # type: ignore[no-any-return]
        settings.model, api_base=settings.api_base or None, api_key_name=settings.api_key_name or None
    )


def make_engine(settings: SelfCode, store: Store, model: Model | None = None) -> Engine:
    """An engine with the plug-ins that the settings name."""
    from .plugins.sandboxes.contained import ContainedSandbox

    model = model or make_model(settings)
    proposers: list[Proposer] = []
    for name in settings.proposers:
        kind = plugin("proposers", name)
        if name == "llm":
            if model is not None:
                proposers.append(kind(model, plugin("formats", "cells")()))
        else:
            proposers.append(kind())
    fresh = ContainedSandbox(
        settings.sandbox, tuple(settings.sandbox_read), network=settings.sandbox_network, as_root=settings.sandbox_as_root
    )
    sandbox: Sandbox = fresh
    if settings.forked:
        from .plugins.sandboxes.forked import ForkedSandbox

        sandbox = ForkedSandbox(fresh)
    return Engine(
        proposers=proposers,
        sandbox=sandbox,
        checks=[plugin("checks", name)() for name in plugins("checks")],
        retrievers=[plugin("retrievers", name)() for name in plugins("retrievers")],
        store=store,
        policy=settings.decisions(),
        limits=settings.limits(),
        level=settings.context_level,
    )


class Session(Protocol):
    """What only a live host knows."""

    def failure(self) -> Failure | None:
        """The last error of the session."""

    def cell_id(self) -> str | None:
        """The cell that ran last (before the one that holds the command)."""

    def ran(self) -> Sequence[str]:
        """Ids of the cells that have run in this session."""


@dataclass
class Workspace:
    """One notebook at work. `surfaces[0]` is the truth of what the notebook is now; `path` names it in the store."""

    settings: SelfCode
    folder: Path
    path: str
    surfaces: Sequence[Deployer]
    store: Store
    engine: Engine
    bridge: Bridge = field(default_factory=Bridge)
    outputs: Callable[[], dict[str, tuple[object, ...]]] = dict
    """Outputs that the notebook carries, by cell id."""
    rerun: Callable[[Sequence[str]], None] | None = None
    """Run cells again in the live kernel; None where there is none."""
    session: Session | None = None
    """What a live host knows of its session; None for a notebook on disk."""
    held: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
    """Keeps other processes from changing the notebook meanwhile; raises `BadInput` where one is at it."""
    typed: str = ""
    """The notebook as it was named on a command line, for lines that are to be typed next."""

    def __post_init__(self) -> None:
        self.waiting = Waiting(self.store, self.path)
        self.notices: list[str] = []
        if any(r.outcome is None for r in self.store.lineage(self.path, 1)):
            with contextlib.suppress(BadInput), self.held():  # another process may be in the middle of it
                self.notices = settle(self.store, self.path, self.notebook())

    # ---- what is ---------------------------------------------------------------------------------------------------

    def notebook(self) -> Notebook:
        """What the notebook is now."""
        return self.surfaces[0].read()

    def lineage(self, limit: int | None = None) -> Lineage:
        """Its versions, oldest first (the newest `limit` of them)."""
        return self.store.lineage(self.path, limit)

    def last_failure(self, tell: Callable[[Event], None]) -> tuple[Failure | None, Run | None]:
        """The last error: of the live session, or of a trial run of the notebook as it is (with that run)."""
        if self.session is not None:
            return self.session.failure(), None
        runs: list[Run] = []
        notebook = self.notebook()
        for event in self.bridge.iterate(
            lambda: validate(
                notebook, len(notebook.cells), self.engine.sandbox, self.folder, self.engine.limits, runs
            )
        ):
            tell(event)
        return runs[0].failure, runs[0]

    def use_model(self, name: str) -> None:
        """Use this model from now on."""
        self.settings.model = name
        self.engine = make_engine(self.settings, self.store)

    # ---- what is proposed, waits, is decided -----------------------------------------------------------------------

    def propose(
        self, request: Request, *, before: Run | None = None, tick: Callable[[], None] | None = None
    ) -> Iterator[Event]:
        """The engine's events for a request; what must be asked is kept as waiting. Nothing else changes."""
        notebook = self.notebook()

        def work() -> AsyncIterator[Event]:
            return self.engine.propose(
                request, notebook, self.folder, self.path, before=before, recorded=self.outputs(),
                ran=self.session.ran() if self.session else None,
            )

        for event in self.bridge.iterate(work, tick=tick):
            if isinstance(event, Decided) and isinstance(event.decision, Ask):
                self.waiting.keep(event)
            yield event

    def accept(self, decided: Decided, by: str = "person") -> Version | None:
        """Deploy what was decided. None where it only ran cells again. Raises `StalePatch`, `Locked`, `DeployError`."""
        if not isinstance(decided.decision, (Accept, Ask)):
            raise BadInput("There is nothing to accept: " + decided.decision.reason)
        trial = decided.decision.trial
        name = proposal_id(decided)
        try:
            version = None
            if trial.candidate.patch:
                with self.held():
                    version = self.engine.accept(decided, trial, self.surfaces, self.path, by)
            if trial.candidate.rerun and self.rerun is not None:
                self.rerun(trial.candidate.rerun)
        except (StalePatch, Locked):
            self.waiting.drop(name)
            raise
        self.waiting.drop(name)
        return version

    def restore(self, kind: Kind, target: Version | None = None, by: str = "person") -> Version:
        """Roll back to a version (None: the one before the newest), or undo, or redo. Raises as `accept` does.

        A rollback brings the whole notebook back as it was; undo and redo leave alone what was edited since by hand.
        """
        lineage, leaving = self.lineage(), None
        by_id = {r.version.id: r.version for r in lineage}
        if target is None:
            wanted = redo_target(lineage) if kind == "redo" else undo_target(lineage)
            if wanted is None:
                raise BadInput(f"There is nothing to {'redo' if kind == 'redo' else 'undo'}.")
            target = by_id[wanted]
        if kind in ("undo", "redo"):
            leaving = by_id.get(in_force(lineage) or "")
        with self.held():
            return self.engine.restore(target, kind, self.surfaces, self.path, by, leaving=leaving)

    def amend(self, after: Notebook, words: str, by: str = "person") -> Version:
        """Deploy a change that a person makes through us, without a trial. Raises as `accept` does."""
        with self.held():
            return self.engine.amend(after, self.surfaces, self.path, by, words)

    def close(self) -> None:
        """Stop the loop and close the history."""
        if isinstance(self.engine.sandbox, ForkingSandbox):
            self.engine.sandbox.stop()
        self.bridge.close()
        with contextlib.suppress(Exception):
            self.store.close()


def open_notebook(file: Path, settings: SelfCode) -> Workspace:
    """The workspace of a notebook on disk, without a live session. Raises `BadInput`, `StoreError`."""
    from .plugins.deployers.lock import lock

    surface = plugin("deployers", "file")(file)
    settings = settings.tightened(surface.read().metadata)
    store = open_store(settings, file.parent)
    return Workspace(
        settings, file.parent, name_in_history(settings, file), [surface], store, make_engine(settings, store),
        outputs=surface.outputs, held=lambda: lock(file), typed=str(file),
    )
