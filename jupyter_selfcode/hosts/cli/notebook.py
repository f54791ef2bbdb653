"""The notebook that a command is about, or none (`doctor`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...config import SelfCode
from ...plugins.deployers.memory import MemoryDeployer
from ...selfcode import Workspace, make_engine, open_notebook, open_store
from ...values.notebook import Notebook


@contextmanager
def opened(file: Path | None, settings: SelfCode) -> Iterator[Workspace]:
    """The workspace of a notebook file, closed at the end. None: one without a notebook, in the current folder."""
    if file is not None:
        workspace = open_notebook(file, settings)
    else:
        store = open_store(settings, Path())
        surface = MemoryDeployer(Notebook())
        workspace = Workspace(settings, Path(), "", [surface], store, make_engine(settings, store))
    try:
        yield workspace
    finally:
        workspace.close()
