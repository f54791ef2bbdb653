"""What a run of a notebook says at its end: one document, the same for people, `--json` and the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .effect import Effect
from .ledger import Heal
from .request import TriageKind
from .strength import Strength
from .trial import Finding, Tier
from .version import Kind

RunStatus = Literal["ok", "healed", "proposed", "failed", "environment", "transient", "budget"]
EXIT_CODES: dict[RunStatus, int] = {
    "ok": 0, "healed": 10, "proposed": 11, "failed": 20, "environment": 21, "transient": 21, "budget": 30,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FailedCell:
    """A cell that failed while the notebook ran, and what triage made of it. `healed`: a later version mended it."""

    cell_id: str
    ename: str
    evalue: str
    triage: TriageKind
    reason: str
    healed: bool = False


@dataclass(frozen=True, slots=True)
class DeployedVersion:
    """A version that the run deployed: id, number in the history, cells changed, level, by whom, which proposer. `kind` is
    `rollback` where an earlier version was taken back on probation, `restores` the number of the one that is back."""

    id: str
    number: int
    cells: tuple[str, ...]
    level: int | None
    by: str
    proposer: str
    kind: Kind = "adapt"
    restores: int | None = None


@dataclass(frozen=True, slots=True)
class TriedCandidate:
    """A candidate that was tried; seconds are wall time from screen to verdict. `effects`: what was observed of it,
    `unseen`: how many events are known to have gone untold; `strength`: what its contract is worth, where measured; `peak`:
    bytes of memory that it held at most."""

    kind: str
    seconds: float
    passed: bool
    proposer: str
    level: int | None = None
    findings: tuple[Finding, ...] = ()
    effects: tuple[Effect, ...] = ()
    unseen: int = 0
    strength: Strength | None = None
    peak: int | None = None


@dataclass(frozen=True, slots=True)
class RunReport:
    """The whole run. `output` is the executed notebook that was written (None: none was asked for); `waiting` names the
    proposal that a person decides on and `patch_file` where it was written; `executed` counts executions of cells in
    the run's own kernel, re-executions too; `cost_usd` is None where a price is not known; `tier` is the cage that the
    run's own kernel was in. `heals` are the attempts at mending it unasked, as the history keeps them; `probation` the
    numbers of the versions that have yet to prove themselves; `since` what has changed since it last ran well where it failed,
    `notices` the same of what is watched where nothing failed."""

    status: RunStatus
    exit_code: int
    notebook: str
    output: str | None = None
    failures: tuple[FailedCell, ...] = ()
    versions: tuple[DeployedVersion, ...] = ()
    trials: tuple[TriedCandidate, ...] = ()
    calls: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0
    replayed: bool = False
    seconds: float = 0.0
    executed: int = 0
    waiting: str | None = None
    patch_file: str | None = None
    message: str = ""
    warnings: tuple[str, ...] = ()
    tier: Tier | None = None
    heals: tuple[Heal, ...] = ()
    probation: tuple[int, ...] = ()
    since: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
