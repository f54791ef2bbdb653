"""A proposal as a patch file beside the notebook: a unified diff that `git apply` and `patch -p1` take, evidence above it.

Both tools skip text before the first file header, so the evidence travels with the change; its lines begin with `# `, so
that none of them can be taken for a header. The diff is of the notebook file as it is written, so applying it does what
accepting does, but for the history: a change that is applied by hand is recorded as a person's.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator
from pathlib import Path

from ...values.decision import Accept, Ask
from ...values.events import Decided
from ...values.patch import apply
from .notebook_file import parse, render

CONTEXT = 3


def file_diff(old: str, new: str, name: str) -> str:
    """The unified diff of two texts, in git's form. Lines end at newline characters only, as both tools have it."""
    a, b = _lines(old), _lines(new)
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    skip = max(0, start - CONTEXT)  # equal lines at the top are many and need no comparison
    told: list[str] = [f"diff --git a/{name} b/{name}\n"]
    for n, line in enumerate(difflib.unified_diff(a[skip:], b[skip:], f"a/{name}", f"b/{name}", n=CONTEXT)):
        if n > 1 and line.startswith("@@ "):
            line = _shifted(line, skip)
        told.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(told)


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [p + "\n" for p in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _shifted(header: str, by: int) -> str:
    """A hunk header for texts that have `by` more lines at the top."""
    _, old, new, *_ = header.split()

    def shift(span: str) -> str:
        sign, (first, *count) = span[0], span[1:].split(",")
        return sign + ",".join([str(int(first) + by), *count])

    return f"@@ {shift(old)} {shift(new)} @@\n"


def evidence(decided: Decided, name: str, accept: str) -> Iterator[str]:
    """What a person needs to decide, line by line. `accept` is the command that accepts it."""
    if not isinstance(decided.decision, (Accept, Ask)):
        raise ValueError("a proposal that was rejected has nothing to decide")
    trial, request = decided.decision.trial, decided.request
    yield f"jupyter_selfcode proposes this change ({name}) and waits for a decision: {decided.decision.reason}"
    if request.text:
        yield f"asked for: {request.text}"
    if request.failure:
        yield f"failure: {request.failure.ename}: {request.failure.evalue} (cell {request.failure.cell_id})"
    yield f"triage: {decided.triage.kind}: {decided.triage.reason}"
    yield f"proposed by: {trial.candidate.proposer} {trial.candidate.model}".rstrip()
    yield f"why: {trial.candidate.rationale}"
    yield f"level reached: {'none' if trial.level is None else trial.level}"
    yield from (f"assumes: {a}" for a in trial.assumptions)
    yield from (f"{f.severity}: {f.message}" for f in trial.findings)
    yield f"accept, so that it is recorded and can be undone: {accept}"
    yield "or apply it by hand, in this folder: patch -p1 < this file, or git apply this file"


def patch_path(source: Path, name: str) -> Path:
    """Where the patch file of a proposal is."""
    return source.with_name(f"{source.stem}.selfcode-{name}.patch")


def write_patch(source: Path, decided: Decided, name: str) -> Path:
    """Write the patch file of a proposal beside its notebook. Raises `StalePatch`, `OSError`."""
    file = parse(source.read_bytes(), source.name)
    if not isinstance(decided.decision, (Accept, Ask)):
        raise ValueError("a proposal that was rejected has no patch")
    after = apply(decided.decision.trial.candidate.patch, file.notebook)
    new = render(file, after, name=source.name).decode("utf-8")
    told = [
        f"# {line}".rstrip()
        for text in evidence(decided, name, f"jupyter selfcode accept {source.name} {name}")
        for line in text.splitlines() or [""]
    ]
    path = patch_path(source, name)
    try:
        path.write_text("\n".join(told) + "\n\n" + file_diff(file.text, new, source.name), encoding="utf-8", newline="")
    except OSError:
        with contextlib.suppress(OSError):  # half a patch is worse than none
            path.unlink(missing_ok=True)
        raise
    return path
