"""A sandbox without kernels, for tests of what uses one: an honest little interpreter, or a script of results.

The interpreter runs plain Python in this process: no magics, no figures, no limits of time or memory. It means the same
by a result as the real sandbox; `tests/every/test_sandbox.py` holds both to one suite.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import json
import linecache
import sys
import tempfile
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from ...analysis.contract import executable
from ...protocols import Limits
from ...values.effect import Effect
from ...values.notebook import Cell, Notebook
from ...values.request import Failure
from ...values.trial import CellResult, RunState, Served, Tier
from .observed import difference, look
from .reply import REPLY_LIMIT, answer
from .scratch import copy_folder

Script = Callable[[str], CellResult | None]
"""The result for a source (its `cell_id` is set right afterwards); None where the interpreter shall run it."""

NO_INPUT = "the cell asks for keyboard input, which there is none of here: use a variable instead"


class StdinNotImplementedError(Exception):
    """Named as in IPython."""


def no_input(*_: object) -> str:
    """What `input` is here."""
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")


class Heard(io.StringIO):
    """What this thread writes: a person at work on another one goes on to be heard where they were."""

    def __init__(self, others: TextIO) -> None:
        super().__init__()
        self._others, self._thread = others, threading.get_ident()

    def write(self, text: str) -> int:
        """Keep it, or pass on what another thread writes."""
        return super().write(text) if threading.get_ident() == self._thread else self._others.write(text)


class ScriptedKernel:
    """Runs cells in one dictionary, in a folder of their own."""

    def __init__(self, folder: Path, script: Script | None = None) -> None:
        self.folder = folder
        self.namespace: dict[str, Any] = {
            "__name__": "__main__", "__builtins__": {**vars(builtins), "input": no_input},
        }  # fmt: skip
        self.state: RunState = "complete"
        self.detail = ""
        self.peak: int | None = None
        self.served = Served()
        self._script = script
        self._count = 0
        self._before, _ = look(folder)

    async def execute(self, cell: Cell) -> CellResult:
        """Run a cell."""
        if self.state != "complete":
            return CellResult(cell.id, "stopped", failure=Failure(cell.id, "DeadKernelError", self.detail))
        source = executable(cell.source)
        told = self._script(cell.source) if self._script else None
        if told is not None:
            return CellResult(cell.id, told.status, told.outputs, told.execution_count, told.seconds, told.failure)
        if not source.strip():
            return CellResult(cell.id, "ok")
        self._count += 1
        out, err, results, raised = self._run(source, f"Cell In[{self._count}]")
        outputs: list[dict[str, Any]] = [
            {"output_type": "stream", "name": name, "text": stream.getvalue()}
            for name, stream in (("stdout", out), ("stderr", err))
            if stream.getvalue()
        ]
        outputs += [
            {"output_type": "execute_result", "metadata": {}, "data": {"text/plain": r}, "execution_count": self._count}
            for r in results
        ]
        if raised is None:
            return CellResult(cell.id, "ok", tuple(outputs), self._count)
        failure = self._failure(cell.id, raised)
        shown = {"ename": failure.ename, "evalue": failure.evalue, "traceback": failure.traceback.splitlines()}
        outputs.append({"output_type": "error", **shown})
        if isinstance(raised, StdinNotImplementedError) and "raises-exception" not in cell.tags:
            self.state, self.detail = "stdin", NO_INPUT
            failure = Failure(cell.id, failure.ename, NO_INPUT, failure.traceback, failure.line)
            return CellResult(cell.id, "stopped", tuple(outputs), self._count, failure=failure)
        return CellResult(cell.id, "error", tuple(outputs), self._count, failure=failure)

    async def evaluate(self, code: str, *, seconds: float = 30.0) -> Mapping[str, Any]:
        """Run our own code; what it hands to `_selfcode_reply(...)`. `seconds` is not kept."""
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(Heard(sys.stdout)):
            text = answer(code, self.namespace, REPLY_LIMIT) if self.state == "complete" else None
        value = json.loads(text) if text else {}
        return value if isinstance(value, dict) else {}

    async def effects(self) -> tuple[Sequence[Effect], int]:
        """What has changed in the folder. There is no witness in this very process."""
        return difference(self._before, look(self.folder)[0]), 0

    def _run(self, source: str, name: str) -> tuple[io.StringIO, io.StringIO, list[str], BaseException | None]:
        out, err, results = Heard(sys.stdout), Heard(sys.stderr), list[str]()
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        kept, sys.displayhook = sys.displayhook, lambda value: None if value is None else results.append(repr(value))
        raised: BaseException | None = None
        try:
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                tree = ast.parse(source, name)
                last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
                exec(compile(tree, name, "exec"), self.namespace)
                if last is not None and not source.rstrip().endswith(";"):
                    exec(compile(ast.Interactive([last]), name, "single"), self.namespace)
        except BaseException as e:
            if isinstance(e, KeyboardInterrupt):
                raise
            raised = e
        finally:
            sys.displayhook = kept
        return out, err, results, raised

    def _failure(self, cell_id: str, raised: BaseException) -> Failure:
        name = f"Cell In[{self._count}]"
        frames = traceback.extract_tb(raised.__traceback__)
        mine = [f.lineno for f in frames if f.filename == name]
        line = raised.lineno if isinstance(raised, SyntaxError) and raised.filename == name else None
        text = "".join(traceback.format_exception(raised))
        return Failure(cell_id, type(raised).__name__, str(raised), text, mine[-1] if mine else line)


class ScriptedSandbox:
    """Opens `ScriptedKernel`s. `opened` counts them, `closed` those whose context has ended."""

    name = "scripted"
    tier: Tier | None = "A"  # so that what uses it can be tested as if it had been contained
    promise = "Cells run in this very process, with your rights: for tests of the engine, nothing is contained."

    def __init__(self, script: Script | None = None) -> None:
        self.opened = self.closed = 0
        self._script = script

    @contextlib.asynccontextmanager
    async def open(self, notebook: Notebook, folder: Path, limits: Limits) -> AsyncIterator[ScriptedKernel]:
        """A clean namespace in a throw-away copy of `folder`; `limits` are not kept."""
        with tempfile.TemporaryDirectory(prefix="selfcode-scripted-") as made:
            work = Path(made).resolve() / (folder.resolve().name or "root")
            copy_folder(folder, work)
            self.opened += 1
            try:
                yield ScriptedKernel(work, self._script)
            finally:
                self.closed += 1


class ScriptedForks(ScriptedSandbox):
    """Makes copies too, in which cells give what `copies` says; or none, where there is a `hazard`. `copied` counts them.

    The cells above run in each copy anew: the engine is told the same.
    """

    def __init__(self, copies: Script | None = None, script: Script | None = None, hazard: str = "") -> None:
        super().__init__(script)
        self.copied = 0
        self._copies, self._hazard = copies, hazard

    @contextlib.asynccontextmanager
    async def open_from(
        self, base: Notebook, notebook: Notebook, folder: Path, limits: Limits
    ) -> AsyncIterator[ScriptedKernel]:
        """A clean namespace, called a copy where the notebook differs from `base`."""
        async with self.open(notebook, folder, limits) as kernel:
            if self._hazard:
                kernel.served = Served("fresh", self._hazard)
            elif notebook != base:
                self.copied += 1
                kernel._script = self._copies
                kernel.served = Served("forked", "replayed")
            yield kernel

    @property
    def at_once(self) -> int:
        """One, since the interpreter changes this process's folder."""
        return 1

    def stop(self) -> None:
        """Nothing is kept."""
