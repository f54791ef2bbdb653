"""What code did to the world outside of its names, as a trial observed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EffectKind = Literal["reads", "creates", "changes", "deletes", "network", "process", "environment", "native"]


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that was tried. `what` is a path (relative below the notebook's folder, else absolute or from `~`), an
    address, a command or a name: text from the candidate, cleaned, cut and redacted. `cell_id` is the cell that was at
    work, None where only the folder's content afterwards tells. `refused`: it is known that it did not succeed.
    """

    kind: EffectKind
    what: str
    cell_id: str | None = None
    refused: bool = False

    @property
    def outside(self) -> bool:
        """Whether a path lies outside of the notebook's folder."""
        return self.what.startswith(("/", "~"))
