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
    begun = 0
    try:
        for staged in ready:
            begun += 1
            staged.commit()
    except BaseException as e:
        kept = _back(ready, begun)
        if kept:
            raise DeployError(f"The change could not be deployed ({e}), and not all could be put back: {kept}") from e
        if isinstance(e, SelfcodeError) or not isinstance(e, Exception):
            raise
        raise DeployError(f"The change could not be deployed and nothing was changed: {e}") from e


def _back(ready: Sequence[Staged], begun: int) -> str:
    """Revert what was begun, the one that failed first (it may have failed half-way), and discard the rest. One that cannot
    be put back does not keep the others from it; what they said is returned."""
    said: list[str] = []
    for i in reversed(range(len(ready))):
        try:
            ready[i].revert() if i < begun else ready[i].discard()
        except Exception as e:
            said.append(str(e))
    return " ".join(said)
