"""A surface that holds the notebook in memory, and fails where it is told to: for tests, and for a host without a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ...values.errors import DeployError, StalePatch
from ...values.notebook import Notebook
from ...values.version import Version

Step = Literal["prepare", "commit", "after commit", "revert"]


@dataclass
class MemoryDeployer:
    """Holds `notebook`. Raises `error` at the step `fails_at`; `after commit` is a commit that fails half-way."""

    notebook: Notebook
    fails_at: Step | None = None
    error: BaseException = field(default_factory=lambda: DeployError("This surface fails, as it was told to."))
    name: str = "memory"
    steps: list[str] = field(default_factory=list)
    """What was asked of it, in order."""

    def read(self) -> Notebook:
        """What it holds now."""
        return self.notebook

    def prepare(self, before: Notebook, after: Notebook, version: Version) -> StagedInMemory:
        """Raises `StalePatch` where it does not hold `before`."""
        self.reach("prepare")
        if self.notebook.digest != before.digest:
            raise StalePatch("The notebook has changed since this change was prepared.")
        return StagedInMemory(self, self.notebook, after.over(self.notebook))

    def report(self) -> str:
        """One line for the person."""
        return "The notebook in memory was changed."

    def reach(self, step: str) -> None:
        """Note a step, and fail there where it was told to."""
        self.steps.append(step)
        if self.fails_at == step:
            raise self.error


@dataclass
class StagedInMemory:
    """A change of a `MemoryDeployer` that is ready."""

    surface: MemoryDeployer
    old: Notebook
    new: Notebook

    def commit(self) -> None:
        """Hold the new notebook."""
        self.surface.reach("commit")
        self.surface.notebook = self.new
        self.surface.reach("after commit")

    def revert(self) -> None:
        """Hold the old notebook again; no change where it was never let go."""
        self.surface.reach("revert")
        self.surface.notebook = self.old

    def discard(self) -> None:
        """Forget the new notebook."""
        self.surface.reach("discard")
