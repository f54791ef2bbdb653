"""What to run, and what a run opens: a kernel at once, engine and history only when something fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..protocols import Kernel, Limits
from ..values.notebook import Notebook

if TYPE_CHECKING:
    from ..config import SelfCode
    from ..engine import Engine
    from ..plugins.deployers.file import FileDeployer
    from ..protocols import Store

UNLIMITED = Limits(cell_seconds=None, seconds=None, memory=None, output=None)


@dataclass(frozen=True, slots=True)
class Job:
    """What to run. `output` None: the executed notebook is not kept. `retries` of passing trouble per cell, `heals` per
    run. `limits` are those of the run's own kernel: no time limit unless one is given, as papermill has it."""

    source: Path
    output: Path | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    retries: int = 3
    heals: int = 8
    limits: Limits = UNLIMITED


@dataclass(frozen=True, slots=True)
class Bench:
    """What is opened when something fails for the first time. `path` names the notebook in the history."""

    engine: Engine
    store: Store
    file: FileDeployer
    path: str


OpenKernel = Callable[[Notebook, Path, Limits], AbstractAsyncContextManager[Kernel]]
OpenBench = Callable[[Path, "SelfCode"], AbstractContextManager[Bench]]


@contextmanager
def open_bench(source: Path, settings: SelfCode) -> Iterator[Bench]:
    """Engine, history and file of a notebook, closed at the end; no other run heals it meanwhile. Raises `StoreError`,
    `BadInput`."""
    from ..engine import settle
    from ..plugins.deployers.file import FileDeployer
    from ..plugins.deployers.lock import lock
    from ..selfcode import make_engine, name_in_history, open_store

    with lock(source), closing(open_store(settings, source.parent)) as store:
        file, path = FileDeployer(source), name_in_history(settings, source)
        if store.lineage(path):
            settle(store, path, file.read())
        yield Bench(make_engine(settings, store), store, file, path)


def live_kernel(notebook: Notebook, folder: Path, limits: Limits) -> AbstractAsyncContextManager[Kernel]:
    """The run's own kernel: the notebook's, in its own folder."""
    from ..plugins.sandboxes.live import open_live

    return open_live(notebook, folder, limits)
