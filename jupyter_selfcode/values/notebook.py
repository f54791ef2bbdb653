"""A notebook as a value: cells in order, without outputs.

Outputs are what a run made, so they live in `trial.Run`. What belongs to the author (ids, sources, metadata,
attachments, order) is here, and all of it is restored by a rollback.

Front ends write metadata of their own whenever a cell runs or is folded. Nobody means anything by it, so it makes no
other notebook: it is left out of digests and differences, and stays as it is found where a change is deployed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .canonical import digest
from .errors import BadInput

POINTER = "jupyter_selfcode"
"""The only metadata key this package writes, in cells and in notebooks. It is left out of digests: it names a version,
and a version is named by the digest of the notebook."""

BY_FRONT_ENDS = frozenset(
    {
        *(
            "execution",
            "ExecuteTime",
            "executionInfo",
            "execution_event_id",
            "papermill",
        ),  # when it ran, and for how long
        *("collapsed", "scrolled", "hidden", "heading_collapsed", "jp-MarkdownHeadingCollapsed"),  # what is folded
        *("vscode", "pycharm", "colab", "outputId"),
        *("trusted", "signature", "language_info", "widgets", "interpreter", "orig_nbformat"),  # of the whole notebook
    }
)
"""Metadata keys that Jupyter, Colab, VS Code, PyCharm and papermill write by themselves."""

FOLDED = frozenset({"source_hidden", "outputs_hidden"})
"""The same within `metadata.jupyter`."""

CellType = Literal["code", "markdown", "raw"]


def without_pointer(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata without this package's own key."""
    return {k: v for k, v in metadata.items() if k != POINTER}


def _parted(metadata: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What lasts, and what front ends wrote by themselves."""
    kept, written = dict[str, Any](), dict[str, Any]()
    for key, value in metadata.items():
        if key == "jupyter" and isinstance(value, Mapping):
            rest = {k: v for k, v in value.items() if k not in FOLDED}
            if rest:
                kept[key] = rest
            if not rest or len(rest) < len(value):
                written[key] = {k: v for k, v in value.items() if k in FOLDED}
        else:
            (written if key in BY_FRONT_ENDS else kept)[key] = value
    return kept, written


def lasting(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata without what front ends write by themselves."""
    return _parted(metadata)[0]


def meant(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What makes metadata the same: what lasts, and of a kernel its name alone (the rest is what is installed here)."""
    kept = lasting(metadata)
    return {**kept, "kernelspec": name} if (name := _kernel(kept)) is not None else kept


def _kernel(metadata: Mapping[str, Any]) -> str | None:
    spec = metadata.get("kernelspec")
    name = spec.get("name") if isinstance(spec, Mapping) else None
    return name if isinstance(name, str) else None


def carried(metadata: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """This metadata, with what front ends wrote by themselves into the metadata `found`, and nothing else of that kind."""
    kept, written = lasting(metadata), _parted(found)[1]
    if "jupyter" in kept and "jupyter" in written:
        written["jupyter"] = {**kept["jupyter"], **written["jupyter"]}
    if _kernel(kept) is not None and _kernel(kept) == _kernel(found):
        written["kernelspec"] = found["kernelspec"]
    return {**kept, **written}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its nbformat id, type, source text, metadata and (markdown) attachments."""

    id: str
    type: CellType
    source: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tags(self) -> frozenset[str]:
        """Cell tags, as the front ends write them under `metadata.tags`."""
        tags = self.metadata.get("tags")
        return frozenset(t for t in tags if isinstance(t, str)) if isinstance(tags, (list, tuple)) else frozenset()

    @property
    def editable(self) -> bool:
        """False where the author has locked the source (`metadata.editable: false`)."""
        return self.metadata.get("editable", True) is not False

    @property
    def deletable(self) -> bool:
        """False where the author has forbidden deletion (`metadata.deletable: false`)."""
        return self.metadata.get("deletable", True) is not False

    @property
    def runs(self) -> bool:
        """Whether a run executes this cell: code, not blank, not tagged `skip-execution`."""
        return self.type == "code" and bool(self.source.strip()) and "skip-execution" not in self.tags


@dataclass(frozen=True, slots=True)
class Notebook:
    """Cells in order and the notebook's own metadata. Cell ids are unique; `BadInput` otherwise."""

    cells: tuple[Cell, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len({c.id for c in self.cells}) != len(self.cells):
            raise BadInput("Two cells of this notebook have the same id; save it once in Jupyter, which gives new ids.")

    @property
    def digest(self) -> str:
        """Identity of what the author wrote: everything but outputs, this package's pointer metadata, and what front
        ends write by themselves."""
        return digest(
            {
                "cells": [
                    [c.id, c.type, c.source, meant(without_pointer(c.metadata)), c.attachments] for c in self.cells
                ],
                "metadata": meant(without_pointer(self.metadata)),
            }
        )

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The code cells, in order."""
        return tuple(c for c in self.cells if c.type == "code")

    def __contains__(self, cell_id: object) -> bool:
        return any(c.id == cell_id for c in self.cells)

    def index(self, cell_id: str) -> int:
        """Position of a cell, from 0. Raises `BadInput` where there is none."""
        for i, c in enumerate(self.cells):
            if c.id == cell_id:
                return i
        raise BadInput(f"There is no cell {cell_id!r} in this notebook.")

    def cell(self, cell_id: str) -> Cell:
        """The cell with this id. Raises `BadInput` where there is none."""
        return self.cells[self.index(cell_id)]

    def bare(self) -> Notebook:
        """The same notebook without this package's pointer metadata."""
        cells = tuple(replace(c, metadata=without_pointer(c.metadata)) for c in self.cells)
        return Notebook(cells, without_pointer(self.metadata))

    def over(self, found: Notebook) -> Notebook:
        """This notebook in the place of `found`: what front ends wrote there by themselves stays as it is."""
        old = {c.id: c.metadata for c in found.cells}
        cells = tuple(replace(c, metadata=carried(c.metadata, old[c.id])) if c.id in old else c for c in self.cells)
        return Notebook(cells, carried(self.metadata, found.metadata))

    def up_to(self, cell_id: str) -> Notebook:
        """The notebook's cells from the top through this one."""
        return Notebook(self.cells[: self.index(cell_id) + 1], self.metadata)
