"""Drives a kernel through nbclient, cell by cell, for trials and for headless runs.

What was found by trying, and shaped this: `async_execute` replaces the SIGINT handler of the loop, so only
`async_execute_cell` is called and the kernel's life is ours; a `NotebookClient` that is given a kernel does not end it;
nbclient turns a cancellation into `DeadKernelError`, so it runs in a task of its own, that is waited for and never
awaited; every limit is ours as well, kept while waiting for that task.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from queue import Empty
from typing import Any, TypeVar, cast

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from nbclient.exceptions import CellTimeoutError

from ...analysis.contract import executable
from ...analysis.printable import amount
from ...protocols import Limits
from ...values.canonical import plain
from ...values.effect import Effect
from ...values.errors import KernelUnavailable
from ...values.notebook import Cell
from ...values.request import Failure
from ...values.trial import CellResult, RunState
from .bounded import BoundedChannel, CellClient
from .cells import Cells, TooManyError, failure_of
from .endings import ended
from .memory import Peak
from .observed import Observed
from .reply import asking, told

T = TypeVar("T")

LOG = logging.getLogger("jupyter_selfcode.sandbox")
LOG.addHandler(logging.NullHandler())

MESSAGES = 50_000
"""Messages of one run under an output limit: honest progress bars stay far below, a flood of tiny displays does not."""

GRACE_SECONDS = 2.0
"""How long an interrupted cell may take to end before its kernel is killed; its traceback says where it was."""

IDLE_SECONDS = 10.0
"""How long outputs may follow the reply. One that never comes was larger than a message may be."""

LOOK_SECONDS = 0.1
"""How often it is looked whether the kernel's process lives."""

ENAMES: dict[str, str] = {
    "timeout": "CellTimeoutError", "memory": "MemoryError", "output": "OutputLimitError", "died": "DeadKernelError", "disk": "DiskLimitError",
    "stdin": "StdinNotImplementedError",
}  # fmt: skip
"""The exception that a stopped cell is given, by the state of the run: the field's names where there are any."""


class NbclientKernel:
    """A kernel with its limits. Made by `kernels.driven`, which also ends it."""

    def __init__(
        self, kernels: AsyncKernelManager, limits: Limits, log: Path, *, trial: bool, observed: Observed | None = None
    ) -> None:
        self._kernels = kernels
        self._limits = limits
        self._log = log
        self._trial = trial
        self._observed = observed
        self._begun = time.monotonic()
        self._received = self._messages = 0
        self._stop: asyncio.Future[tuple[RunState, str]] = asyncio.get_running_loop().create_future()
        self._watchers: list[asyncio.Task[None]] = []
        self._connected: CellClient | None = None
        self._info: Mapping[str, Any] = {}
        self._note, self._peak = "", Peak()
        self.printed = 0  # messages of what our own code printed or showed, which were forgotten
        self._broken = False
        self._cells = Cells(
            trial, km=kernels, timeout=None, allow_errors=True, record_timing=False, store_widget_state=not trial,
            raise_on_iopub_timeout=trial, iopub_timeout=IDLE_SECONDS, log=LOG,
        )  # fmt: skip

    # ---- what a caller sees ----------------------------------------------------------------------------------------

    @property
    def state(self) -> RunState:
        """`complete` while it is well, else why not."""
        return self._stop.result()[0] if self._stop.done() else "complete"

    @property
    def detail(self) -> str:
        """The clear line for a state that is not `complete`; else a note about how it was opened, or empty."""
        return self._stop.result()[1] if self._stop.done() else self._note

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What nbclient writes into a notebook's metadata after a run: `language_info`, and `widgets` if there are any."""
        self._cells.set_widgets_metadata()
        return {"language_info": plain(self._info.get("language_info", {})), **plain(self._cells.nb.metadata)}

    async def execute(self, cell: Cell) -> CellResult:
        """Run a cell. A failure is a result with `failure`; where a limit was passed the status is `stopped`."""
        if self._stop.done():
            return CellResult(cell.id, "stopped", failure=self._stopped_failure(cell.id))
        cells = self._cells
        node, index = cells.add(executable(cell.source))
        self._client.cell_id = cell.id
        if self._observed:
            self._observed.begin(cell.id)
        start = time.monotonic()
        try:
            await self._within(cells.async_execute_cell(node, index), self._limits.cell_seconds)
        except CellTimeoutError:
            self._halt("output", f"stopped: {self._too_large}")
        except Exception as e:  # whatever a kernel sends must not end the caller
            self._halt("output", f"stopped: the kernel sent what cannot be read ({type(e).__name__}: {e})"[:300])
        if self._broken:
            await asyncio.wait({self._stop})
        seconds = time.monotonic() - start
        result = self._result(cell, node.execution_count, cells.outputs(index), seconds)
        if self._observed:
            self._observed.settle(result.failure)
        return result

    async def evaluate(self, code: str, *, seconds: float = 30.0) -> Mapping[str, Any]:
        """Run our own code silently; the JSON object it hands to `_selfcode_reply(...)`, {} where it failed.

        Nothing of it stays: it has names of its own, no number, no history. What is printed is not read.
        """
        if self._stop.done():
            return {}
        token = secrets.token_hex(16)
        client = self._client
        client.cell_id = ""
        request = client.execute(asking(code, token), silent=True, store_history=False, stop_on_error=False)
        try:
            content = await self._within(self._reply_to(request), seconds, keep=True)
        except Exception:
            return {}
        return told(content, token)

    async def effects(self) -> tuple[Sequence[Effect], int]:
        """What the cells did so far outside of their names, and how many events are known to have gone untold."""
        return await asyncio.to_thread(self._observed.told) if self._observed else ((), 0)

    @property
    def peak(self) -> int | None:
        """Bytes of memory that the kernel and all that it started have held at most; None where that is not known."""
        return self._looked(now=True) or None

    def _looked(self, *, now: bool = False) -> int:
        process = getattr(self._kernels.provisioner, "process", None)
        return self._peak.look(process.pid, now=now) if self._trial and process is not None else self._peak.held

    # ---- life ------------------------------------------------------------------------------------------------------

    async def start(self, *, cwd: Path, note: str = "", **options: Any) -> None:
        """Start the process and wait until it answers. Raises `KernelUnavailable`."""
        kernels = self._kernels
        argv = kernels.kernel_spec.argv if kernels.kernel_spec else []
        arguments = ["--HistoryManager.hist_file=:memory:"] if any("ipykernel" in a for a in argv) else []
        self._note = note
        try:
            with self._log.open("wb") as log:
                if self._observed:
                    options["pass_fds"] = (self._observed.given,)
                await kernels.start_kernel(cwd=str(cwd), extra_arguments=arguments, stdout=log, stderr=log, **options)
            await self._connect()
            if self._observed:
                await self._observed.listen()
            self._begun = time.monotonic()
        except (OSError, RuntimeError, TimeoutError) as e:
            said = self._last_words() or (str(e) or f"no answer in {self._limits.startup_seconds:g} s")
            raise KernelUnavailable(
                f"The kernel {kernels.kernel_name!r} did not start ({said}). Check it with: jupyter console --kernel "
                f"{kernels.kernel_name}"
            ) from e

    async def go_on(self, kernels: AsyncKernelManager) -> None:
        """From now on cells run in another process, which has started. Raises `RuntimeError`, `OSError`, `TimeoutError`."""
        await self.leave()
        self._kernels = self._cells.km = kernels
        await self._connect()

    async def _connect(self) -> None:
        output = self._limits.output if self._trial else None
        bounded = {"shell_channel_class": BoundedChannel, "iopub_channel_class": BoundedChannel}
        options = {"largest": output + 2**20, **bounded} if output is not None else {}
        client = self._connected = cast("CellClient", self._kernels.client(**options))
        client.start_channels(stdin=False, hb=False, control=False)
        self._cells.kc = client
        if self._trial:
            self._cells.refuse = self._refuse
        channels = (client.shell_channel, client.iopub_channel) if output is not None else ()
        for channel in channels:
            channel.gate, channel.refuse = self._let_in, self._refuse
        self._info = await asyncio.wait_for(self._ready(client), self._limits.startup_seconds)
        self._broken = False
        watches = [self._watch(), *(self._watch_size(channel) for channel in channels)]
        self._watchers = [asyncio.ensure_future(watch) for watch in watches]

    def renew(self, note: str) -> None:
        """The kernel has waited for the trial that begins now, and with it what is limited. `note`: how it was opened."""
        self._begun, self._note = time.monotonic(), note
        self._received = self._messages = 0

    async def leave(self) -> None:
        """End every task of ours; the process goes on."""
        for task in self._watchers:
            task.cancel()
        if self._watchers:
            await asyncio.wait(self._watchers)

    async def close(self, *, now: bool) -> None:
        """End the process (`now`: at once, else asking it first), the sockets and every task of ours."""
        await self.leave()
        try:
            if self._kernels.has_kernel and not now:
                # As `shutdown_kernel`, without its interrupt (the kernel is idle) and its tenth of a second a look.
                self._kernels.shutting_down = True
                await self._kernels.request_shutdown()
                await self._kernels.finish_shutdown(pollinterval=0.01)
        finally:
            if self._kernels.has_kernel:  # nothing is asked politely any more
                await self._process.kill()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), GRACE_SECONDS)
            if self._connected is not None:
                self._connected.stop_channels()
            await self._kernels.cleanup_resources()

    @property
    def _client(self) -> CellClient:
        assert self._connected is not None
        return self._connected

    @property
    def _process(self) -> KernelProvisionerBase:
        assert self._kernels.provisioner is not None
        return self._kernels.provisioner

    async def _ready(self, client: CellClient) -> Mapping[str, Any]:
        """The kernel's description, once both channels work.

        The outputs of our own question show that the second one does, so nothing has to be drained on a fixed wait.
        """
        asked = set[str]()
        while True:
            asked.add(client.kernel_info())
            reply = await self._first(client.get_shell_msg, lambda m: m["msg_type"] == "kernel_info_reply")
            with contextlib.suppress(Empty):  # not connected when the outputs were sent: ask again
                while True:
                    status = await client.get_iopub_msg(timeout=0.2)
                    known = status["parent_header"].get("msg_id") in asked
                    if known and status["content"].get("execution_state") == "idle":
                        return cast("Mapping[str, Any]", reply["content"])

    async def _first(self, get: Callable[..., Any], wanted: Callable[[Any], bool]) -> Mapping[str, Any]:
        """The first message that is wanted. Raises `RuntimeError` where the process ends before."""
        while True:
            try:
                message = await get(timeout=LOOK_SECONDS)
                if wanted(message):
                    return cast("Mapping[str, Any]", message)
            except Empty:
                if not await self._kernels.is_alive():
                    raise RuntimeError("it ended at once") from None

    async def _watch(self) -> None:
        while (code := await self._process.poll()) is None:
            self._looked()
            await asyncio.sleep(LOOK_SECONDS)
        self._halt(*ended(code, self._limits))

    async def _watch_size(self, channel: BoundedChannel) -> None:
        if await channel.broken():
            self._halt("output", f"stopped: {self._too_large}")
            return
        self._broken = True
        await asyncio.wait({self._stop}, timeout=GRACE_SECONDS)
        if not self._stop.done():  # the end is slow, or there is none; either way the launcher says why
            await self._process.kill()

    @property
    def _too_large(self) -> str:
        return f"it gave an output larger than your limit of {amount(self._limits.output)}"

    # ---- limits ----------------------------------------------------------------------------------------------------

    def _halt(self, state: RunState, detail: str) -> None:
        """Note why the kernel is not well any more. The first reason is the true one; later ones follow from it."""
        if not self._stop.done():
            self._stop.set_result((state, detail))

    def _let_in(self, received: int) -> bool:
        self._received += received
        self._messages += 1
        limit = self._limits.output
        if limit is not None and self._received > limit:
            self._halt("output", f"stopped: it gave more output than your limit of {amount(limit)}")
        elif self._messages > MESSAGES:
            self._halt("output", f"stopped: it sent more than {MESSAGES:,} messages")
        return not self._stop.done() or self._stop.result()[0] != "output"

    def _refuse(self, error: BaseException) -> None:
        unread = f"it sent a message that cannot be read ({type(error).__name__})"
        self._halt("output", f"stopped: {error if isinstance(error, TooManyError) else unread}")

    async def _within(self, work: Coroutine[Any, Any, T], seconds: float | None, *, keep: bool = False) -> T | None:
        """What the work gives, or None where a limit was passed first: then the kernel is halted, and killed.

        Past its time it is interrupted and may still end by itself; with `keep` that is no reason to halt.
        """
        whole = self._limits.seconds
        left = None if whole is None else max(0.0, self._begun + whole - time.monotonic())
        last = left is not None and (seconds is None or left < seconds)
        task = asyncio.ensure_future(work)
        both: set[asyncio.Future[Any]] = {task, self._stop}
        try:
            await asyncio.wait(both, timeout=left if last else seconds, return_when="FIRST_COMPLETED")
            if not task.done() and not self._stop.done():
                await self._kernels.interrupt_kernel()
                await asyncio.wait(both, timeout=GRACE_SECONDS, return_when="FIRST_COMPLETED")
                if last:
                    self._halt("timeout", f"stopped after {whole:g} s of your {whole:g} s limit for the whole run")
                elif not (keep and task.done()):
                    self._halt("timeout", f"stopped after {seconds:g} s of your {seconds:g} s limit")
            if not task.done():
                await self._process.kill()
                return None
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # it was looked at

    async def _reply_to(self, request: str) -> Mapping[str, Any]:
        """The content of the reply; outputs that come with it are read and forgotten, so that they cannot pile up."""
        client = self._client

        async def drain() -> None:
            while True:
                message = await client.get_iopub_msg(timeout=None)
                self.printed += message["msg_type"] not in ("status", "execute_input")
                idle = message["content"].get("execution_state") == "idle"
                if idle and message["parent_header"].get("msg_id") == request:
                    return

        drained = asyncio.ensure_future(drain())
        try:
            while True:
                reply = await client.get_shell_msg(timeout=None)
                if reply["parent_header"].get("msg_id") == request:
                    await asyncio.wait({drained}, timeout=1)
                    return cast("Mapping[str, Any]", reply["content"])
        finally:
            drained.cancel()
            await asyncio.wait({drained})
            if not drained.cancelled():
                drained.exception()

    # ---- results ---------------------------------------------------------------------------------------------------

    def _result(self, cell: Cell, count: int | None, outputs: tuple[dict[str, Any], ...], seconds: float) -> CellResult:
        reply = self._cells.reply
        failure = failure_of(cell.id, reply, count) if reply.get("status") == "error" else None
        if any(p.get("source") == "ask_exit" for p in reply.get("payload", ()) if isinstance(p, dict)):
            self._halt("died", "the cell ends the kernel (exit, quit): what comes after it cannot run")
        elif failure and failure.ename == ENAMES["stdin"] and "raises-exception" not in cell.tags:
            self._halt("stdin", "the cell asks for keyboard input, which there is none of here: use a variable instead")
        if self._stop.done():
            return CellResult(cell.id, "stopped", outputs, count, seconds, self._stopped_failure(cell.id, failure))
        return CellResult(cell.id, "error" if failure else "ok", outputs, count, seconds, failure)

    def _stopped_failure(self, cell_id: str, seen: Failure | None = None) -> Failure:
        """Why it was stopped; with the traceback of where it was, if an interrupt brought one."""
        return Failure(
            cell_id, ENAMES.get(self.state, "DeadKernelError"), self.detail, seen.traceback if seen else "",
            seen.line if seen else None,
        )  # fmt: skip

    def _last_words(self) -> str:
        """The last line that the process wrote to its own standard error."""
        try:
            with self._log.open("rb") as f:
                f.seek(max(0, self._log.stat().st_size - 4096))
                lines = f.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1].strip()[:300] if lines else ""
