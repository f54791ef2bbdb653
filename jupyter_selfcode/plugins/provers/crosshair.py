"""CrossHair (github.com/pschanely/CrossHair): symbolic execution of Python by the Z3 solver, as a prover.

It runs the functions it is asked about, so it runs where trials run: a process that a fresh kernel of the sandbox starts, and which
ends with it. `crosshair_side` is that process, and says what counts as a proof.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ...analysis.contract import in_kernel
from ...protocols import Kernel
from ...values.canonical import plain
from ...values.proof import Proof, Question
from . import crosshair_side

STARTING = 5.0
"""Seconds that its process may take beside those it explores for: to start, and for a path that ends late."""

SAID = 300
"""Characters of an answer that are taken."""

LEFT_OPEN = (
    "arguments are exactly of the annotated types and share no objects, nothing changes Python's builtins, values are compared by == and "
    "by their outermost type, sizes, memory, recursion and time have no bounds, and the solver is right"
)


def asked(text: str, sent: str, seconds: float) -> dict[str, Any]:
    """Run in the kernel: the lines that the process answered, and how it ended. CrossHair reads the source of what it runs, so
    the process has a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "asking.py")  # noqa: PTH118  (a kernel may have any Python)
        with open(file, "w", encoding="utf-8") as f:  # noqa: PTH123
            f.write(text)
        began = subprocess.Popen(
            [sys.executable, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
        )
        late = False
        try:
            out, err = began.communicate(sent, timeout=seconds)
        except subprocess.TimeoutExpired:
            began.kill()
            out, err = began.communicate()
            late = True
    missing = "No module named 'crosshair" in err or "No module named 'z3" in err
    return {"lines": out.splitlines(), "late": late, "missing": missing, "code": began.returncode}


class CrossHairProver:
    """Asks for at most so many seconds for each change."""

    name = "crosshair"
    distribution = "crosshair-tool"

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds

    @property
    def missing(self) -> str:
        """Why it cannot be asked."""
        if not self._seconds:
            return "it is turned off (SelfCode.proof_seconds is 0)"
        try:
            version(self.distribution)
        except PackageNotFoundError:
            return "CrossHair is not installed; pip install 'jupyter_selfcode[proof]' brings it"
        return ""

    async def prove(self, questions: Sequence[Question], kernel: Kernel) -> Sequence[Proof]:
        """An answer to each question."""
        sent = json.dumps({"seconds": self._seconds, "questions": [plain(q) for q in questions]})
        text, bound = inspect.getsource(crosshair_side), self._seconds + STARTING
        lines = "import os\nimport subprocess\nimport sys\nimport tempfile\nfrom typing import Any\n\n" + inspect.getsource(asked)
        reply = await kernel.evaluate(in_kernel(lines, f"asked({text!r}, {sent!r}, {bound!r})"), seconds=bound + STARTING)
        return read(questions, reply)


def read(questions: Sequence[Question], reply: Mapping[str, Any]) -> tuple[Proof, ...]:
    """The answers in a kernel's reply. What is not of the agreed form answers nothing."""
    lines = reply.get("lines")
    given = lines if isinstance(lines, (list, tuple)) else ()
    assumed = f"CrossHair {_version()} is right that it explored every path: {LEFT_OPEN}"
    why = "CrossHair is not installed where the notebook runs" if reply.get("missing") is True else (
        "it took longer than it may" if reply.get("late") is True else "the process that was to prove it ended early"
    )  # fmt: skip
    found = []
    for i, q in enumerate(questions):
        outcome, said, seconds = _answer(given[i]) if i < len(given) else ("open", why, 0.0)
        found.append(Proof(q.name, q.cell_id, q.asked, outcome, said, seconds, q.whole, assumed if outcome == "proved" else ""))  # type: ignore[arg-type]
    return tuple(found)


def _answer(line: object) -> tuple[str, str, float]:
    try:
        outcome, said, seconds = json.loads(str(line))
        if outcome in ("proved", "differs", "open") and isinstance(said, str):
            return outcome, " ".join(said.split())[:SAID], float(seconds)
    except (ValueError, TypeError):
        pass
    return "open", "its answer cannot be read", 0.0


def _version() -> str:
    try:
        return version("crosshair-tool")
    except PackageNotFoundError:
        return "of the notebook's own environment"
