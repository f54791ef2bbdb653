"""An engine without proposers, and changes for it to deploy: for tests of what happens after the verdict."""

from __future__ import annotations

from jupyter_selfcode.engine import Engine
from jupyter_selfcode.protocols import Deployer, Store
from jupyter_selfcode.values.decision import Accept
from jupyter_selfcode.values.events import Decided
from jupyter_selfcode.values.notebook import Notebook
from jupyter_selfcode.values.patch import CellOp, Patch
from jupyter_selfcode.values.request import Request, Triage
from jupyter_selfcode.values.trial import Candidate, Run, Trial
from jupyter_selfcode.values.version import Version
from tests.histories import NB


def engine_with(store: Store) -> Engine:
    """It can accept and restore; there is nothing to propose or to try with."""
    return Engine(proposers=(), sandbox=None, checks=(), store=store)  # type: ignore[arg-type]


def proposal(notebook: Notebook, *ops: CellOp, words: str = "do it") -> Decided:
    """A change that was tried and accepted."""
    trial = Trial(Candidate(Patch(notebook.digest, ops), "because", "rules"), Run(), kind="fresh", level=2)
    return Decided(Request(words), Accept(trial, "it passed"), Triage("code", "a wish"), (trial,))


def accept(engine: Engine, surface: Deployer, *ops: CellOp, words: str = "do it") -> Version:
    """Accept a change of what the surface holds now."""
    decided = proposal(surface.read(), *ops, words=words)
    return engine.accept(decided, decided.decision.trial, [surface], NB, "person")  # type: ignore[union-attr]
