"""WHAT CAN BE SWAPPED. Exact shapes; a plug-in is any object that has them, found by its entry point.

Async only where we wait for others: models, retrievers, kernels, and so proposers. Checks, stores, deployers are plain.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from .values.effect import Effect
from .values.events import Event
from .values.notebook import Cell, Notebook
from .values.patch import CellOp
from .values.prompt import Completion, Cost, Prompt
from .values.proof import Proof, Question
from .values.request import Context, Passage, Request
from .values.trial import Candidate, CellResult, Finding, Run, Tier, Trial
from .values.version import Lineage, Outcome, Recorded, Version


class Meter(Protocol):
    """What a request has spent, against its budget."""

    @property
    def spent(self) -> Cost:
        """All calls so far."""

    @property
    def seconds_left(self) -> float | None:
        """Wall time that is left of the budget; None where it has no such limit."""

    def allow(self, estimate: Cost) -> None:
        """Call before a model call with what it may cost at most. Raises `BudgetSpent` where it would pass a limit."""

    def add(self, cost: Cost) -> None:
        """Call after it with what it did cost."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a proposer is given. `trials` is live: it grows while the proposer's candidates are tried."""

    request: Request
    notebook: Notebook
    before: Run
    context: Context
    trials: Sequence[Trial]
    meter: Meter
    folder: Path


@runtime_checkable
class Proposer(Protocol):
    """Yields events; every `Proposed` is a round of candidates, tried before the proposer is resumed."""

    name: str
    price: float
    """Order of trial: 0 for free, 1 for a model. Cheapest first."""

    def propose(self, situation: Situation) -> AsyncGenerator[Event, None]: ...


@runtime_checkable
class Model(Protocol):
    """A language model. Raises `ModelError`."""

    name: str

    def estimate(self, prompt: Prompt) -> Cost:
        """The most that this call may cost, before it is made."""

    def complete(self, prompt: Prompt) -> AsyncIterator[str | Completion]:
        """Pieces of the answer as they come, and the `Completion` last. Closing the iteration stops the call."""

    async def aclose(self) -> None:
        """Stop what is kept running between calls (a side process). The model may be used again after it."""


@runtime_checkable
class EditFormat(Protocol):
    """Instructions to the model and the parser of its answer, kept in one file."""

    name: str
    instructions: str

    def parse(self, text: str, notebook: Notebook) -> tuple[tuple[CellOp, ...], str]:
        """The operations and the rationale in an answer. Raises `FormatError` with what was wrong."""


@runtime_checkable
class Retriever(Protocol):
    """Brings passages for the prompt: signatures, lessons, documents."""

    name: str

    async def retrieve(self, request: Request, notebook: Notebook, folder: Path) -> Sequence[Passage]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one trial. Seconds are wall time (a cell; the whole); bytes are memory, output and what is written on disk;
    `processes` counts those of the kernel and of all that it starts."""

    cell_seconds: float | None = 120.0
    seconds: float | None = 600.0
    memory: int | None = 8 * 2**30
    output: int | None = 20 * 2**20
    startup_seconds: float = 60.0
    processes: int = 512
    disk: int | None = 2 * 2**30


class Kernel(Protocol):
    """An open kernel, driven through nbclient."""

    async def execute(self, cell: Cell) -> CellResult:
        """Run a cell. A failure is a result with `failure`, a limit that was passed has status `stopped`."""

    async def evaluate(self, code: str, *, seconds: float = 30.0) -> Mapping[str, Any]:
        """Run our own code silently and return the JSON object it hands to `_selfcode_reply(...)`; {} where it failed."""

    async def effects(self) -> tuple[Sequence[Effect], int]:
        """What the cells did so far outside of their names, and how many events are known to have gone untold."""

    @property
    def state(self) -> str:
        """`complete` while it is well, else a `RunState` with the reason in `detail`."""

    @property
    def detail(self) -> str: ...

    @property
    def peak(self) -> int | None:
        """Bytes of memory that it and all that it started have held at most; None where that is not known."""


@runtime_checkable
class Sandbox(Protocol):
    """Opens kernels for trials. `promise` is the one line about containment that people are shown, `tier` how strong it
    is: only what was tried in a cage (A, B, M) may be deployed unasked."""

    @property
    def name(self) -> str: ...

    @property
    def tier(self) -> Tier | None: ...

    @property
    def promise(self) -> str: ...

    def open(
        self, notebook: Notebook, folder: Path, limits: Limits
    ) -> AbstractAsyncContextManager[Kernel]:
        """A clean kernel in a throw-away copy of `folder`; closed, and its processes dead, when the context ends."""


@runtime_checkable
class ForkingSandbox(Sandbox, Protocol):
    """A sandbox that can go on from a state in which the cells above have run. `at_once` is how many kernels may be open
    at the same time."""

    @property
    def at_once(self) -> int: ...

    def open_from(
        self, base: Notebook, notebook: Notebook, folder: Path, limits: Limits
    ) -> AbstractAsyncContextManager[Kernel]:
        """A kernel for `notebook`, of which what begins as `base` does, the notebook as it is, need not run again. It says
        in `served` whether it was a copy, or why not."""

    def stop(self) -> None:
        """End what is kept between trials."""


@runtime_checkable
class CopiedKernel(Kernel, Protocol):
    """The kernel of a run, of which copies can be made for trials; `tier` is that of its cage."""

    @property
    def tier(self) -> Tier | None: ...

    def trials(self, fresh: Sandbox, base: Notebook, target: str, *, steady: bool) -> ForkingSandbox:
        """Trials of changes to the notebook as it is, in which the cell `target` has failed, and `fresh` ones where no copy
        serves. `steady`: that cell can run again here as if for the first time."""


@runtime_checkable
class Check(Protocol):
    """Reads a candidate before it runs, and judges its trial after."""

    name: str

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]: ...

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]: ...


@runtime_checkable
class Prover(Protocol):
    """Explores every path of small functions, inside a kernel of the sandbox that nothing else runs in."""

    name: str

    @property
    def missing(self) -> str:
        """Why it cannot be asked here, and what to do; empty where it can."""

    async def prove(self, questions: Sequence[Question], kernel: Kernel) -> Sequence[Proof]:
        """An answer to each question, in their order. What ends it, or takes too long, leaves the rest `open`."""


@runtime_checkable
class Store(Protocol):
    """The history. Keyed by notebook (`path`: as the workspace names it). Only grows. Raises `StoreError`."""

    def begin(self, path: str, version: Version, after: Notebook) -> Recorded:
        """Record the intent: the version and its whole notebook, before anything is deployed."""

    def finish(self, version_id: str, outcome: Outcome) -> None:
        """Record the outcome."""

    def lineage(self, path: str, limit: int | None = None) -> Lineage:
        """Versions of a notebook, oldest first (the newest `limit` of them)."""

    def notebook(self, digest: str) -> Notebook:
        """The notebook with this digest, with what no digest tells (our pointers, what front ends write) as first recorded."""

    def holder(self, version_id: str) -> str | None:
        """The path in whose history this version is; None where it is in none."""

    def move(self, path: str, to: str) -> None:
        """The notebook at `path` is called `to` from now on: versions and documents go with it. What was kept under `to`,
        of a notebook that is no more, stays under a name that tells until when."""

    def put_note(self, path: str, kind: str, key: str, body: str) -> None:
        """Keep a small JSON document beside the history (what waits, rejections, run ledger); a new one replaces it."""

    def notes(self, path: str, kind: str) -> Mapping[str, str]:
        """These documents by key, oldest first."""

    def drop_note(self, path: str, kind: str, key: str) -> None: ...

    def verify(self) -> Sequence[str]:
        """Recompute every digest; a line for each thing that is wrong."""

    def close(self) -> None: ...


class Staged(Protocol):
    """A surface that is ready to change. `commit` is quick and should not fail; `revert` undoes a commit, also one that
    failed half-way, and changes nothing where nothing was committed."""

    def commit(self) -> None: ...

    def revert(self) -> None: ...

    def discard(self) -> None:
        """Forget what was prepared; nothing was changed."""


@runtime_checkable
class Deployer(Protocol):
    """A surface that holds the notebook: a file, the live namespace, the front end's document.

    The first deployer of a host is the source of truth for what the notebook is now.
    """

    name: str

    def read(self) -> Notebook:
        """What the surface holds now."""

    def prepare(self, before: Notebook, after: Notebook, version: Version) -> Staged:
        """Do all that can fail. Raises `StalePatch` where the surface no longer holds `before`, `DeployError` else.

        What front ends wrote by themselves (`Notebook.over`) stays as the surface has it.
        """

    def report(self) -> str:
        """One line after a deployment: what happened here, or what the person has to do (paste, reload)."""
