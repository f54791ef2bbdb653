"""What the engine and a run say while they work. Hosts draw these; `Decided` is always the last of a proposal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .decision import Decision
from .prompt import Cost, Prompt
from .report import RunReport
from .request import Request, Triage
from .trial import Candidate, CellResult, Trial
from .version import Version

Stage = Literal["describe", "gather", "propose", "screen", "validate", "decide", "deploy", "record"]


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage began; `detail` says with what, in words for people."""

    stage: Stage
    detail: str = ""
    kind: Literal["stage"] = "stage"


@dataclass(frozen=True, slots=True)
class Triaged:
    """What kind of trouble it is, before any model is asked."""

    triage: Triage
    kind: Literal["triaged"] = "triaged"


@dataclass(frozen=True, slots=True)
class Asked:
    """A model is about to be called: the attempt, from 1, the model, and an estimate of prompt tokens.

    `prompt` is the very request, `level` how much of the data it may hold, `prompt_hash` the digest of its messages, and
    `redacted` how much was taken out, by kind. The call is made when the iteration goes on.
    """

    attempt: int
    model: str
    tokens: int
    prompt: Prompt | None = None
    level: str = ""
    prompt_hash: str = ""
    redacted: tuple[tuple[str, int], ...] = ()
    kind: Literal["asked"] = "asked"


@dataclass(frozen=True, slots=True)
class Streamed:
    """Characters of the answer so far."""

    characters: int
    kind: Literal["streamed"] = "streamed"


@dataclass(frozen=True, slots=True)
class Spent:
    """What the request has cost so far."""

    cost: Cost
    kind: Literal["spent"] = "spent"


@dataclass(frozen=True, slots=True)
class Proposed:
    """One round of candidates. More than one: they are told apart by execution."""

    candidates: tuple[Candidate, ...]
    kind: Literal["proposed"] = "proposed"


@dataclass(frozen=True, slots=True)
class CellRan:
    """A cell of a trial (or of a run) has run: `index` of `total`, from 1."""

    result: CellResult
    index: int
    total: int
    kind: Literal["cell"] = "cell"


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate was screened and, where it passed, run."""

    trial: Trial
    kind: Literal["tried"] = "tried"


@dataclass(frozen=True, slots=True)
class Said:
    """A line for the person: a proposer that has nothing, a call that failed, a limit that was reached."""

    text: str
    kind: Literal["said"] = "said"


@dataclass(frozen=True, slots=True)
class Decided:
    """The end of a proposal, with all that `Engine.accept` needs."""

    request: Request
    decision: Decision
    triage: Triage
    trials: tuple[Trial, ...] = ()
    cost: Cost = Cost()
    context_hash: str = ""
    seconds: float = 0.0
    kind: Literal["decided"] = "decided"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run of a notebook began in a clean kernel; again where a change needs the cells above to run anew."""

    notebook: str
    total: int
    again: bool = False
    kind: Literal["run"] = "run"


@dataclass(frozen=True, slots=True)
class CellStarted:
    """A cell of a run is at work: `index` of `total`, from 1."""

    cell_id: str
    index: int
    total: int
    kind: Literal["cell_started"] = "cell_started"


@dataclass(frozen=True, slots=True)
class Retrying:
    """Passing trouble: the cell runs again, unedited, after `seconds`. `attempt` counts from 1."""

    cell_id: str
    attempt: int
    seconds: float
    reason: str
    kind: Literal["retrying"] = "retrying"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A change was deployed and recorded. `number` is its place in the history, `reports` what the surfaces say."""

    version: Version
    number: int
    reports: tuple[str, ...] = ()
    kind: Literal["deployed"] = "deployed"


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run goes on at this cell, in the same kernel, with the change in place."""

    cell_id: str
    kind: Literal["resumed"] = "resumed"


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The end of a run; always its last event."""

    report: RunReport
    kind: Literal["run_ended"] = "run_ended"


Event = (
    StageStarted | Triaged | Asked | Streamed | Spent | Proposed | CellRan | Tried | Said | Decided
    | RunStarted | CellStarted | Retrying | Deployed | Resumed | RunEnded
)  # fmt: skip
