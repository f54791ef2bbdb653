"""screen: what can be seen before anything runs."""

from __future__ import annotations

from collections.abc import Sequence

from ..protocols import Check
from ..values.errors import PatchError
from ..values.notebook import Notebook
from ..values.patch import apply, locked
from ..values.request import Request
from ..values.trial import Candidate, Finding


def screen(
    candidate: Candidate, request: Request, notebook: Notebook, checks: Sequence[Check]
) -> tuple[Notebook | None, tuple[Finding, ...]]:
    """The patched notebook (None where the patch does not apply) and what the checks found."""
    try:
        after = apply(candidate.patch, notebook)
    except PatchError as e:
        return None, (Finding("patch", str(e), "block"),)
    if reason := locked(candidate.patch, notebook):
        return None, (Finding("locked", reason, "block"),)
    findings: list[Finding] = []
    for check in checks:
        findings += check.screen(candidate, request, notebook, after)
    return after, tuple(findings)
