"""A candidate and what happened when it was tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .behaviour import Behaviour, Likeness, Pace
from .effect import Effect
from .patch import Patch
from .prompt import Cost
from .proof import Proof
from .request import Failure, Variable
from .size import Size
from .strength import Strength

Severity = Literal["block", "ask", "note"]
CellStatus = Literal["ok", "error", "skipped", "stopped"]
RunState = Literal["complete", "error", "timeout", "memory", "output", "disk", "died", "stdin", "cancelled"]

Tier = Literal["A", "B", "M", "C"]
"""How strong the cage of a trial was: namespaces and rules, rules alone, macOS's own; C is none."""
CAGES: tuple[Tier, ...] = ("A", "B", "M")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposed change. `rerun` names cells to run again in the live kernel with no change of code (stale state).

    `warrant` is set by a rule whose replacement is documented as equivalent, and names that source: such a change may
    be deployed without a contract of its own.
    """

    patch: Patch
    rationale: str
    proposer: str
    cost: Cost = Cost()
    model: str = ""
    prompt_hash: str = ""
    rerun: tuple[str, ...] = ()
    warrant: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a check saw. `block` refuses, `ask` needs a person, `note` is only told."""

    code: str
    message: str
    severity: Severity
    cell_id: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One doctest example of a contract and what it gave: `got` is the printed text, `passed` judged outside the kernel."""

    cell_id: str
    source: str
    want: str
    got: str
    passed: bool


@dataclass(frozen=True, slots=True)
class CellResult:
    """One cell's run. `outputs` are nbformat output dictionaries; seconds are wall time in the kernel."""

    cell_id: str
    status: CellStatus
    outputs: tuple[Mapping[str, Any], ...] = ()
    execution_count: int | None = None
    seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """How a run was served: in a fresh kernel from the top, or in a copy of one that had run the cells above, or had their variables; and the
    reason, or the way by which that state came. `goes_on`: what it was copied from goes on with the change in place, and so is
    the run from the top that confirms it."""

    kind: Literal["fresh", "forked"] = "fresh"
    reason: str = ""
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """The cells that ran, in order, and how the run ended. `detail` is the clear line for a run that was stopped.

    `effects`: what the cells did outside of their names, where that was observed; `unseen`: how many events are known
    to have gone untold (none is known of a run that nobody observed). `peak`: bytes of memory that the kernel and all that it
    started held at most, where that was looked at. `spared`: cells that were not run, since they could not differ.
    """

    results: tuple[CellResult, ...] = ()
    state: RunState = "complete"
    detail: str = ""
    seconds: float = 0.0
    examples: tuple[Example, ...] = ()
    variables: tuple[Variable, ...] = ()
    sandbox: str = ""
    tier: Tier | None = None
    effects: tuple[Effect, ...] = ()
    unseen: int = 0
    served: Served = Served()
    peak: int | None = None
    spared: tuple[str, ...] = ()

    def result(self, cell_id: str) -> CellResult | None:
        """The result of a cell, or None where it did not run."""
        return next((r for r in self.results if r.cell_id == cell_id), None)

    @property
    def failure(self) -> Failure | None:
        """The first failure, or None."""
        return next((r.failure for r in self.results if r.failure and r.status in ("error", "stopped")), None)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a promise came to in a process that never ran the candidate. `source` is the example's, or `assert …`. `said`:
    why it had to stay inside the candidate's own process, which can forge it, or how the two differ."""

    cell_id: str
    source: str
    verdict: Literal["confirmed", "contradicted", "inside"]
    said: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate, the run it is compared with, its own run and the findings.

    `run` is None where the screen refused it before anything ran. `level` is what was proved (see `stages.decide`); None
    where it is not even well-formed. `assumptions` are printed with the level. `decisive` counts the promises that hold
    now and did not hold before: only these speak for the change itself. `judged`: the promises, as they were judged
    outside of the candidate's process. `strength`: what they are worth against small mistakes, where that was measured.
    `alike`: the variables that were compared with those of `before`; `pace`: what the change did to time and memory, where
    that was measured; `behaviour`: the functions it rewrote, called as before; `differential`:
    it gave the same as the cell that it translates, from one state; `proofs`: what a prover said of these functions.
    """

    candidate: Candidate
    run: Run | None = None
    before: Run | None = None
    findings: tuple[Finding, ...] = ()
    kind: Literal["fresh", "forked", "none"] = "none"
    level: int | None = None
    assumptions: tuple[str, ...] = field(default=())
    decisive: int = 0
    seconds: float = 0.0
    judged: tuple[Judgement, ...] = ()
    strength: Strength | None = None
    size: Size | None = None
    alike: tuple[Likeness, ...] = ()
    pace: tuple[Pace, ...] = ()
    behaviour: tuple[Behaviour, ...] = ()
    differential: bool = False
    proofs: tuple[Proof, ...] = ()

    @property
    def passed(self) -> bool:
        """It ran and nothing blocks it. It may still have to be asked about."""
        return self.run is not None and not any(f.severity == "block" for f in self.findings)

    @property
    def asks(self) -> tuple[Finding, ...]:
        """The findings that need a person."""
        return tuple(f for f in self.findings if f.severity == "ask")

    @property
    def blocks(self) -> tuple[Finding, ...]:
        """The findings that refuse it."""
        return tuple(f for f in self.findings if f.severity == "block")
