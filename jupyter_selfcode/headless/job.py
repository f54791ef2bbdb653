"""What to run, and what a run opens: a kernel at once, engine and history only when something fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..protocols import Kernel, Limits
from ..values.errors import KernelUnavailable
from ..values.notebook import Notebook

if TYPE_CHECKING:
    from ..config import SelfCode
    from ..engine import Engine
    from ..plugins.deployers.file import FileDeployer
    from ..plugins.sandboxes.live import LiveCage
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
    from ..protocols import ForkingSandbox
    from ..selfcode import history_of, make_engine, open_store

    with lock(source), closing(open_store(settings, source.parent)) as store:
        file = FileDeployer(source)
        notebook = file.read()
        path = history_of(settings, store, source, notebook)
        if store.lineage(path):
            settle(store, path, notebook)
        engine = make_engine(settings, store)
        try:
            yield Bench(engine, store, file, path)
        finally:
            if isinstance(engine.sandbox, ForkingSandbox):
                engine.sandbox.stop()


def containment(settings: SelfCode) -> tuple[LiveCage | None, str]:
    """The cage of a run's own kernel (None: none), and a line to say where one was wished for and is not to be had.

    It is the default where the policy may deploy: what was changed unasked goes on to run there. Raises
    `KernelUnavailable` where a cage was asked for by name and is not to be had.
    """
    if settings.contain == "never" or (settings.contain == "auto" and settings.policy != "deploy"):
        return None, ""
    from ..plugins.sandboxes import tiers
    from ..plugins.sandboxes.live import LiveCage

    wanted = "auto" if settings.sandbox == "C" else settings.sandbox
    try:
        tier = tiers.choose(wanted, as_root=settings.sandbox_as_root, network=settings.sandbox_network)
    except RuntimeError as e:
        said = f"this machine gives no cage for it ({e})"
        if settings.contain == "always":
            raise KernelUnavailable(f"The run was to be contained, and {said}. See doctor, or say --contain never.") from e
        return None, f"The run is not contained: {said}."
    grants = tuple(settings.sandbox_read), tuple(settings.sandbox_write)
    copied = settings.forked != "never"
    return LiveCage(tier, *grants, settings.sandbox_network, settings.sandbox_as_root, copied), ""


def live_kernel(
    notebook: Notebook, folder: Path, limits: Limits, cage: LiveCage | None = None
) -> AbstractAsyncContextManager[Kernel]:
    """The run's own kernel: the notebook's, in its own folder, in a cage or not."""
    from ..plugins.sandboxes.live import open_live

    return open_live(notebook, folder, limits, cage)
