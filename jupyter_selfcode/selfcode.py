"""What a host holds: one notebook, its history, an engine for it, and what waits for a decision."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from .analysis.censoring import censored
from .analysis.marks import is_command
from .analysis.secrets import Redactor
from .bridge import Bridge
from .config import SelfCode, plugin, plugins
from .engine import Engine, settle
from .protocols import Deployer, ForkingSandbox, Model, Proposer, Sandbox, Store
from .stages.validate import validate
from .values.decision import Accept, Ask
from .values.errors import BadInput, Locked, StalePatch
from .values.events import Decided, Event
from .values.notebook import POINTER, Notebook
from .values.patch import rebase
from .values.request import Failure, Request
from .values.trial import Run, Trial
from .values.version import Kind, Lineage, Version, in_force, redo_target, undo_target
from .waiting import Waiting, proposal_id


def open_store(settings: SelfCode, folder: Path) -> Store:
    """The history for notebooks in this folder. Nothing is created until the first write."""
    where = settings.store_url or (folder / ".selfcode" / "history.sqlite").resolve()  # a path, for folders named a?b
    return plugin("stores", "sql")(where)  # type: ignore[no-any-return]


def name_in_history(settings: SelfCode, file: Path) -> str:
    """How the history names a notebook file: by its name where the history lies beside it, else by its whole path."""
    return file.resolve().as_posix() if settings.store_url else file.name


def history_of(settings: SelfCode, store: Store, file: Path, notebook: Notebook) -> str:
    """How the history names the notebook in this file, once a rename has been followed. Raises `StoreError`.

    The notebook's metadata names its newest version. Where that is in the history of a file that is gone, the notebook was
    renamed and its history with it. Where that file is there, this one is a copy, and so it is where a history under its own
    name begins with what the other had: it has a history of its own. A folder that is not there either was moved or belongs
    to another machine; nothing is concluded from it.
    """
    name = name_in_history(settings, file)
    holder = _holder(store, notebook)
    if holder is None or holder == name or (file.parent / holder).exists() or not (file.parent / holder).parent.is_dir():
        return name
    own = store.lineage(name)
    if own and _holder(store, store.notebook(own[0].version.notebook)) == holder:
        return name
    store.move(holder, name)
    return name


def _holder(store: Store, notebook: Notebook) -> str | None:
    """Under which name the history has the version that the notebook's metadata names."""
    pointer = notebook.metadata.get(POINTER)
    version = pointer.get("version") if isinstance(pointer, Mapping) else None
    return store.holder(version) if isinstance(version, str) else None


def make_model(settings: SelfCode) -> Model | None:
    """The model that the settings name, or None. Nothing is imported or called yet."""
    if not settings.model:
        return None
    if settings.model.startswith("replay:"):
        return plugin("models", "replay")(Path(settings.model.removeprefix("replay:")).expanduser())  # type: ignore[no-any-return]
    return plugin("models", "litellm")(  # type: ignore[no-any-return]
        settings.model, api_base=settings.api_base or None, api_key_name=settings.api_key_name or None
    )


def make_engine(settings: SelfCode, store: Store, model: Model | None = None, *, live: bool = False) -> Engine:
    """An engine with the plug-ins that the settings name; `live`: for a session, in which the next request comes soon."""
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
        settings.sandbox, tuple(settings.sandbox_read), network=settings.sandbox_network, as_root=settings.sandbox_as_root,
        warm=settings.warm_kernels, warm_seconds=settings.warm_seconds,
    )
    sandbox: Sandbox = fresh
    if settings.forked == "always" or (live and settings.forked == "auto"):
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
        level=settings.level(),
        masked=settings.masked_columns,
        record=settings.record,
        mutant_seconds=settings.mutant_seconds,
        prover=plugin("provers", "crosshair")(settings.proof_seconds) if settings.proof_seconds else None,
    )


class Session(Protocol):
    """What only a live host knows."""

    def failure(self) -> Failure | None:
        """The last error of the session."""

    def cell_id(self) -> str | None:
        """The cell that ran last (before the one that holds the command)."""

    def ran(self) -> Sequence[str]:
        """Ids of the cells that have run in this session."""

    def runs(self) -> Sequence[tuple[str, str, bool]]:
        """Every run of a cell, oldest first: its id, its source then, whether it went well."""


def tried(notebook: Notebook, trial: Trial) -> tuple[tuple[str, str], ...]:
    """Ids and sources of the code cells through the last one that the trial ran or touched; commands are no part of it."""
    concerned = {r.cell_id for r in trial.run.results} if trial.run else set()
    concerned |= {op.cell_id for op in trial.candidate.patch.ops if op.op == "replace"}
    code = [c for c in notebook.code_cells if not is_command(c.source)]
    last = max((i for i, c in enumerate(code) if c.id in concerned), default=-1)
    return tuple((c.id, c.source) for c in code[: last + 1])


def part_of(trial: Trial, cells: Sequence[str]) -> Trial:
    """What a trial does to these cells. Its evidence is about the whole, so a part reaches no level."""
    patch = trial.candidate.patch
    ops = tuple(op for op in patch.ops if (op.cell.id if op.op == "insert" else op.cell_id) in cells)
    if len(ops) == len(patch.ops):
        return trial
    part = replace(trial.candidate, patch=replace(patch, ops=ops))
    return replace(trial, candidate=part, level=None, assumptions=("a part of what was tried: the evidence is about the whole",))


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
        self.waiting = Waiting(self.store, self.path, self.folder)
        self.bases: dict[str, Notebook] = {}
        """The notebooks that proposals were made for, by the name of the proposal; the history has those that wait."""
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
        notebook, redactor = self.notebook(), Redactor.for_folder(self.folder)
        for event in self.bridge.iterate(
            lambda: validate(
                notebook, len(notebook.cells), self.engine.sandbox, self.folder, self.engine.limits, runs
            ),
            tick=getattr(tell, "tick", None),
        ):
            tell(censored(event, redactor))
        return runs[0].failure, runs[0]

    def use_model(self, name: str) -> None:
        """Use this model from now on."""
        self.settings.model = name
        self.engine = replace(make_engine(self.settings, self.store), sandbox=self.engine.sandbox)

    # ---- what is proposed, waits, is decided -----------------------------------------------------------------------

    def work(
        self, request: Request, before: Run | None = None, notebook: Notebook | None = None
    ) -> Callable[[], AsyncGenerator[Event, None]]:
        """The engine at work on a request about the notebook (None: as it is now), not begun yet."""
        base = notebook or self.notebook()
        return lambda: self.engine.propose(
            request, base, self.folder, self.path, before=before, recorded=self.outputs(),
            ran=self.session.ran() if self.session else None,
        )

    def propose(
        self, request: Request, *, before: Run | None = None, tick: Callable[[], None] | None = None
    ) -> Iterator[Event]:
        """The engine's events for a request; what must be asked is kept as waiting. Nothing else changes."""
        notebook = self.notebook()
        for event in self.bridge.iterate(self.work(request, before, notebook), tick=tick):
            if isinstance(event, Decided) and isinstance(event.decision, (Accept, Ask)):
                self.bases[proposal_id(event)] = notebook
                if isinstance(event.decision, Ask):
                    self.waiting.keep(event, notebook)
            yield event

    def accept(self, decided: Decided, by: str = "person", cells: Sequence[str] = ()) -> Version | None:
        """Deploy what was decided, or (`cells`) only what it does to these. None where it only ran cells again. Raises
        `StalePatch`, `Locked`, `DeployError`, and `PatchError` where such a part cannot stand alone.

        It holds as long as the cells that its trial ran, or that it touches, are what they were: others may have changed.
        """
        if not isinstance(decided.decision, (Accept, Ask)):
            raise BadInput("There is nothing to accept: " + decided.decision.reason)
        name = proposal_id(decided)
        try:
            version = None
            decided, trial = self._for_now(decided, name, decided.decision.trial)
            trial = part_of(trial, cells) if cells else trial
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

    def _for_now(self, decided: Decided, name: str, trial: Trial) -> tuple[Decided, Trial]:
        """The proposal for the notebook as it is now. Raises `StalePatch` where that has changed what the evidence is about."""
        now, patch = self.notebook(), trial.candidate.patch
        base = self.bases.get(name) or self.waiting.base(name)
        if base is None or not patch or patch.base == now.digest:
            return decided, trial
        if tried(base, trial) != tried(now, trial):
            raise StalePatch(
                "A cell that this change was tried with has changed since, so it was not applied. Ask again."
            )
        rebased = replace(trial, candidate=replace(trial.candidate, patch=rebase(patch, now)))
        return replace(decided, decision=replace(decided.decision, trial=rebased)), rebased  # type: ignore[arg-type]

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
        words = Redactor.for_folder(self.folder).text(words)
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
    notebook = surface.read()
    settings = settings.tightened(notebook.metadata)
    store = open_store(settings, file.parent)
    return Workspace(
        settings, file.parent, history_of(settings, store, file, notebook), [surface], store, make_engine(settings, store),
        outputs=surface.outputs, held=lambda: lock(file), typed=str(file),
    )
