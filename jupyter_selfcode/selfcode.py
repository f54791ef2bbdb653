"""What a host holds: one notebook, its history, an engine for it, and what waits for a decision."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from .analysis import contract
from .bridge import Bridge
from .codec import from_json, to_json
from .config import SelfCode, plugin, plugins
from .engine import Engine, settle
from .protocols import Deployer, Model, Proposer, Store
from .stages.validate import validate
from .values.decision import Accept, Ask
from .values.errors import BadInput, Locked, StalePatch
from .values.events import Decided, Event
from .values.notebook import Cell, Notebook
from .values.patch import patch_id
from .values.request import Failure, Request
from .values.trial import Run, Trial
from .values.version import Kind, Lineage, Recorded, Version, redo_target, undo_target

WAITING = "waiting"
LESSON = "lesson"
OUTPUT_KEPT = 100_000
"""Characters of outputs that a waiting proposal keeps; larger outputs are left out, the verdict stays."""


def open_store(settings: SelfCode, folder: Path) -> Store:
    """The history for notebooks in this folder. Nothing is created until the first write."""
    url = settings.store_url or f"sqlite:///{(folder / '.selfcode' / 'history.sqlite').resolve()}"
    return plugin("stores", "sql")(url)  # type: ignore[no-any-return]


def name_in_history(settings: SelfCode, file: Path) -> str:
    """How the history names a notebook file: by its name where the history lies beside it, else by its whole path."""
    return file.resolve().as_posix() if settings.store_url else file.name


def keep_waiting(store: Store, path: str, decided: Decided) -> str:
    """Keep a proposal until a person decides; its name."""
    name = proposal_id(decided)
    store.put_note(path, WAITING, name, to_json(lighter(decided)))
    return name


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
    from .plugins.sandboxes.local import LocalSandbox

    model = model or make_model(settings)
    proposers: list[Proposer] = []
    for name in settings.proposers:
        kind = plugin("proposers", name)
        if name == "llm":
            if model is not None:
                proposers.append(kind(model, plugin("formats", "cells")()))
        else:
            proposers.append(kind())
    return Engine(
        proposers=proposers,
        sandbox=LocalSandbox(),
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
    typed: str = ""
    """The notebook as it was named on a command line, for lines that are to be typed next."""

    def __post_init__(self) -> None:
        self.notices = settle(self.store, self.path, self.notebook()) if self.store.lineage(self.path) else []

    # ---- what is ---------------------------------------------------------------------------------------------------

    def notebook(self) -> Notebook:
        """What the notebook is now."""
        return self.surfaces[0].read()

    def lineage(self) -> Lineage:
        """Its versions, oldest first."""
        return self.store.lineage(self.path)

    def find(self, name: str) -> Recorded:
        """A version by number (`3`, `v3`), by the start of its id, or `head`. Raises `BadInput`."""
        lineage = [r for r in self.lineage() if r.outcome == "deployed"]
        if not lineage:
            raise BadInput("This notebook has no history yet.")
        if name in ("head", ""):
            return lineage[-1]
        number = name.removeprefix("v")
        if number.isdigit() and len(number) < 8:
            found = [r for r in lineage if r.number == int(number)]
        else:
            found = [r for r in lineage if r.version.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise BadInput(f"There is no version {name}; the versions are 1 to {lineage[-1].number}.")
        raise BadInput(f"{name} is the start of {len(found)} versions; give more of the id.")

    def cell(self, name: str | None) -> Cell | None:
        """A cell by id, by the start of its id, or by its place among the code cells from 1. Raises `BadInput`."""
        if name is None:
            return None
        notebook = self.notebook()
        found = [c for c in notebook.cells if c.id == name] or [c for c in notebook.cells if c.id.startswith(name)]
        if not found and name.isdigit() and 0 < int(name) <= len(notebook.code_cells):
            found = [notebook.code_cells[int(name) - 1]]
        if len(found) != 1:
            raise BadInput(
                f"{'No' if not found else 'More than one'} cell is named {name!r}; give a cell id, or its place among the "
                f"code cells, 1 to {len(notebook.code_cells)}."
            )
        return found[0]

    def last_cell(self) -> Cell | None:
        """The cell that ran last in a live session."""
        cell_id = self.session.cell_id() if self.session else None
        notebook = self.notebook()
        return notebook.cell(cell_id) if cell_id and cell_id in notebook else None

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
                keep_waiting(self.store, self.path, event)
            yield event

    def waiting(self) -> dict[str, Decided]:
        """What waits for a decision, by name, oldest first."""
        return {k: from_json(Decided, body) for k, body in self.store.notes(self.path, WAITING).items()}

    def pick(self, name: str | None) -> tuple[str, Decided]:
        """What waits under this name (None: the newest). Raises `BadInput`."""
        waiting = self.waiting()
        if not waiting:
            raise BadInput("Nothing waits for a decision.")
        if name is None:
            return list(waiting.items())[-1]
        found = [(k, v) for k, v in waiting.items() if k.startswith(name)]
        if len(found) != 1:
            raise BadInput(f"Nothing waits under the name {name!r}; waiting: {', '.join(waiting)}.")
        return found[0]

    def accept(self, decided: Decided, by: str = "person") -> Version | None:
        """Deploy what was decided. None where it only ran cells again. Raises `StalePatch`, `Locked`, `DeployError`."""
        if not isinstance(decided.decision, (Accept, Ask)):
            raise BadInput("There is nothing to accept: " + decided.decision.reason)
        trial = decided.decision.trial
        name = proposal_id(decided)
        try:
            version = None
            if trial.candidate.patch:
                version = self.engine.accept(decided, trial, self.surfaces, self.path, by)
            if trial.candidate.rerun and self.rerun is not None:
                self.rerun(trial.candidate.rerun)
        except (StalePatch, Locked):
            self.store.drop_note(self.path, WAITING, name)
            raise
        self.store.drop_note(self.path, WAITING, name)
        return version

    def reject(self, name: str | None, why: str) -> str:
        """Forget what waits; the reason becomes a lesson for later proposals. Returns its name."""
        key, decided = self.pick(name)
        if why:
            trial = decided.decision.trial  # type: ignore[union-attr]
            lesson = f"Asked for: {decided.request.text or decided.request.trigger}. Rejected change: {trial.candidate.rationale}. Reason given: {why}"
            self.store.put_note(self.path, LESSON, key, lesson)
        self.store.drop_note(self.path, WAITING, key)
        return key

    def restore(self, kind: Kind, name: str = "", by: str = "person") -> Version:
        """Roll back to a version (`rollback`; no name: the one before the newest), or undo, or redo."""
        lineage = self.lineage()
        if kind == "rollback" and name:
            target = self.find(name).version
        else:
            wanted = redo_target(lineage) if kind == "redo" else undo_target(lineage)
            if wanted is None:
                raise BadInput(f"There is nothing to {'redo' if kind == 'redo' else 'undo'}.")
            target = next(r.version for r in lineage if r.version.id == wanted)
        return self.engine.restore(target, kind, self.surfaces, self.path, by)

    def add_check(self, cell: Cell, expression: str, by: str = "person") -> Version:
        """Add an expression that must stay true to the contract of a cell."""
        notebook = self.notebook()
        source = contract.with_example(cell.source, expression)
        cells = tuple(replace(c, source=source) if c.id == cell.id else c for c in notebook.cells)
        return self.engine.amend(
            Notebook(cells, notebook.metadata), self.surfaces, self.path, by, f"check {expression}"
        )

    def close(self) -> None:
        """Stop the loop and close the history."""
        self.bridge.close()
        with contextlib.suppress(Exception):
            self.store.close()


def open_notebook(file: Path, settings: SelfCode) -> Workspace:
    """The workspace of a notebook on disk, without a live session. Raises `BadInput`, `StoreError`."""
    surface = plugin("deployers", "file")(file)
    settings = settings.tightened(surface.read().metadata)
    store = open_store(settings, file.parent)
    return Workspace(
        settings, file.parent, name_in_history(settings, file), [surface], store, make_engine(settings, store),
        outputs=surface.outputs, typed=str(file),
    )


def proposal_id(decided: Decided) -> str:
    """A short name for a proposal, made of what it would change."""
    trial: Trial = decided.decision.trial  # type: ignore[union-attr]
    return patch_id(trial.candidate.patch)


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
