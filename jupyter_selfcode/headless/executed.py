"""The executed notebook: the source as it is now, with what the run gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..analysis.parameters import INJECTED
from ..values.notebook import Notebook
from ..values.trial import CellResult


def write(
    file: Path, output: Path, source: Notebook, ran: Notebook, metadata: Mapping[str, Any], results: Iterable[CellResult]
) -> None:
    """Write it beside or elsewhere, with the metadata of the source's cells. Raises `SelfcodeError` where that cannot be."""
    from ..plugins.deployers.file import write_executed

    own = {c.id: c.metadata for c in source.cells}
    cells = tuple(
        replace(c, metadata=own.get(c.id, {"tags": [INJECTED]} if INJECTED in c.tags else c.metadata)) for c in ran.cells
    )
    write_executed(file, output, Notebook(cells, {**source.metadata, **metadata}), tuple(results))
