"""The proposal of a run: for the notebook as it is on disk, in the history, and as a patch file beside the notebook."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..analysis.parameters import for_source
from ..values.events import Decided
from ..values.notebook import Notebook
from ..values.trial import Trial
from .job import Bench


def for_file(decided: Decided, trial: Trial, ran: Notebook, source: Notebook) -> Decided:
    """The decision on a notebook that ran, with a run's parameters in it, as one for its source."""
    patch = for_source(trial.candidate.patch, ran, source)
    own = replace(trial, candidate=replace(trial.candidate, patch=patch))
    trials = tuple(own if t is trial else t for t in decided.trials)
    return replace(decided, decision=replace(decided.decision, trial=own), trials=trials)  # type: ignore[arg-type]


def keep(bench: Bench, source: Path, decided: Decided, notebook: Notebook) -> str:
    """Keep a proposal that was made for this notebook until a person decides; its name."""
    from ..waiting import Waiting

    return Waiting(bench.store, bench.path, source.parent).keep(decided, notebook)


def patch_file(bench: Bench, source: Path, name: str) -> tuple[Path | None, tuple[str, ...]]:
    """The patch file of what waits under this name, written where it is not there; None, and why, where it cannot be."""
    from ..plugins.deployers.patch_file import patch_path, write_patch
    from ..waiting import Waiting

    if (path := patch_path(source, name)).is_file():
        return path, ()
    try:
        return write_patch(source, Waiting(bench.store, bench.path, source.parent).pick(name)[1], name), ()
    except OSError as e:
        return None, (f"No patch file could be written beside the notebook: {e.strerror}.",)
