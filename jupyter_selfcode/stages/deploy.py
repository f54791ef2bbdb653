"""deploy: everywhere or nowhere.

Every surface prepares (all that can fail), then all commit; where one fails, those that had committed revert. Law, held
by tests: all surfaces hold the new notebook or all hold the old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..protocols import Deployer, Staged
from ..values.canonical import digest
from ..values.errors import DeployError, SelfcodeError
from ..values.notebook import POINTER, Notebook
from ..values.version import Version


def with_pointers(after: Notebook, version: Version, intents: dict[str, str]) -> Notebook:
    """The notebook with this version named in its metadata and in that of the cells it changed (`intents`: their words)."""
    changed = set(version.patch.cells)

    def point(cell_id: str, metadata: Any) -> dict[str, Any]:
        intent = intents.get(cell_id, "")
        pointer: dict[str, Any] = {"version": version.id, "level": version.level, "by": version.by}
        if intent:
            pointer["intent_hash"] = digest(intent)
        return {**metadata, POINTER: pointer}

    restored = version.restores is not None  # a restored cell keeps the pointer that it had in the restored state
    cells = tuple(
        replace(c, metadata=point(c.id, c.metadata)) if c.id in changed and not restored else c for c in after.cells
    )
    kept = after.metadata.get(POINTER)
    own = {**(kept if isinstance(kept, dict) else {}), "version": version.id}
    return Notebook(cells, {**after.metadata, POINTER: own})


def deploy(surfaces: Sequence[Deployer], before: Notebook, after: Notebook, version: Version) -> None:
    """Bring `after` to every surface, or to none. Raises `StalePatch`, `DeployError` or what a surface raised."""
    ready: list[Staged] = []
    try:
        for surface in surfaces:
            ready.append(surface.prepare(before, after, version))
    except BaseException:
        for staged in ready:
            staged.discard()
        raise
    done: list[Staged] = []
    try:
        for staged in ready:
            staged.commit()
            done.append(staged)
    except BaseException as e:
        for staged in reversed(done):
            staged.revert()
        for staged in ready[len(done) :]:
            staged.discard()
        if isinstance(e, (SelfcodeError, KeyboardInterrupt)):
            raise
        raise DeployError(f"The change could not be deployed and nothing was changed: {e}") from e
