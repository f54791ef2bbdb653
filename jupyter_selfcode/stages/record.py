"""record: what becomes part of the history, and how a version is described.

Changes are told without our own pointer metadata: a cell whose pointer alone differs was changed by nobody.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ..analysis.options import settled
from ..values.events import Decided
from ..values.notebook import Notebook
from ..values.patch import Patch, diff, patch_id
from ..values.request import Option
from ..values.trial import Trial
from ..values.version import Attempt, Kind, Lineage, Version, head, make_version


def now() -> str:
    """UTC, ISO 8601, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _parents(lineage: Lineage) -> tuple[str, ...]:
    newest = head(lineage)
    return (newest.version.id,) if newest else ()


def first(notebook: Notebook) -> Version:
    """The version that a history begins with: the notebook as it was found."""
    return make_version(
        parents=(), patch=Patch(notebook.digest), notebook=notebook.digest, kind="initial", by="person", at=now(),
        words="as it was found",
    )


def by_hand(lineage: Lineage, known: Notebook, found: Notebook) -> Version:
    """A version for what a person changed since the last one, so that nothing is attributed to the wrong author."""
    return make_version(
        parents=_parents(lineage), patch=diff(known.bare(), found.bare()), notebook=found.digest, kind="edit", by="person", at=now(),
        words="edited by hand",
    )


def adapted(lineage: Lineage, decided: Decided, trial: Trial, after: Notebook, by: str) -> Version:
    """The version of an accepted candidate, with all that `why` shows."""
    c = trial.candidate
    return make_version(
        parents=_parents(lineage),
        patch=c.patch,
        notebook=after.digest,
        kind="adapt",
        by=by,
        at=now(),
        words=decided.request.text,
        trigger=decided.request.trigger,
        triage=f"{decided.triage.kind}: {decided.triage.reason}",
        options=settled(decided.triage.options, c.proposer, by != "policy"),
        proposer=c.proposer,
        model=c.model,
        prompt_hash=c.prompt_hash,
        context_hash=decided.context_hash,
        rationale=c.rationale,
        level=trial.level,
        assumptions=trial.assumptions,
        findings=trial.findings,
        tried=tuple(
            Attempt(t.candidate.proposer, patch_id(t.candidate.patch), t.passed, t.findings) for t in decided.trials
        ),
        trial_kind=trial.kind,
        cost=decided.cost,
        seconds=decided.seconds,
        mutants=trial.strength,
    )


def restored(
    lineage: Lineage, kind: Kind, target: Version, before: Notebook, after: Notebook, by: str, words: str = "",
    options: tuple[Option, ...] = (),
) -> Version:
    """The version of a rollback, undo or redo to `target`."""
    return make_version(
        parents=_parents(lineage), patch=diff(before.bare(), after.bare()), notebook=after.digest, kind=kind, by=by, at=now(),
        words=words, options=options, restores=target.state,
        level=target.level if after.digest == target.notebook else None,
    )


def contracted(lineage: Lineage, before: Notebook, after: Notebook, by: str, words: str) -> Version:
    """The version of a contract that a person added to a cell."""
    return make_version(
        parents=_parents(lineage), patch=diff(before.bare(), after.bare()), notebook=after.digest, kind="check", by=by, at=now(),
        words=words,
    )
