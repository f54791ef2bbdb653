"""The caller's side of a kernel that can be copied (`forkable`): how nbclient speaks to each copy, and who ends them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.session import Session

from .bounded import CellClient, Gate
from .kernels import OneSpec, surely
from .nbclient_kernel import LOG
from .place import Place
from .witness import witness_text

SHELL, IOPUB, CONTROL = 0, 1, 2
ASK_SECONDS, CONNECT_SECONDS, END_SECONDS, LOOK_SECONDS, LARGEST = 10.0, 60.0, 5.0, 0.1, 2**31
"""How long a process that only waits may take to answer, before all are ended; how long the first may take to start; how
long one may take to end that is asked to; how often it is looked whether it lives; bytes of a message where there is no smaller limit."""


PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE"}
"""For copies at work side by side: threads of OpenMP that wait for others by turning in a loop keep these from the cores (eight
candidates of `bench_forked.py` on two cores took 1.7 s, and take 1.3 s). What is computed is the same."""

LAID_OUT = {"selfcode_forkable.py": "forkable.py", "copies.py": "copies.py", "hazards.py": "hazards.py"}
"""What the inside runs; it cannot be imported there, for the kernel's Python may be another one."""


class HazardError(Exception):
    """Why no copy can be made, in words."""


class _Messages:
    """One of Jupyter's channels, over the connection."""

    def __init__(self, client: SocketClient, number: int) -> None:
        self.client, self.number = client, number
        self.waiting: asyncio.Queue[list[bytes]] = asyncio.Queue()
        self.gate: Gate | None = None
        self.refuse: Callable[[BaseException], None] | None = None

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self.client.send(self.number, self.client.session.serialize(message))

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message. Raises `queue.Empty`."""
        while True:
            try:
                parts = await asyncio.wait_for(self.waiting.get(), timeout)
            except TimeoutError:
                raise Empty from None
            try:
                _, rest = self.client.session.feed_identities(parts)
                return self.client.session.deserialize(rest)  # type: ignore[no-any-return]
            except (ValueError, TypeError, KeyError, RecursionError) as e:
                if self.refuse is None:
                    raise
                self.refuse(e)

    async def broken(self) -> None:
        """Wait until a message is larger than it may be. (That the process has ended is seen by who polls it.)"""
        await self.client.too_large.wait()

    def stop(self) -> None:
        """Nothing runs here."""


class SocketClient(CellClient):
    """A client of one process: both channels and our own requests over one socket."""

    path: Path
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter | None = None

    async def connect(self, path: Path, seconds: float = ASK_SECONDS) -> None:
        """Connect as soon as somebody listens. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while True:
                try:
                    self._reader, self._writer = await asyncio.open_unix_connection(path)
                    break
                except (FileNotFoundError, ConnectionRefusedError):
                    await asyncio.sleep(0.01)
        self.gone = asyncio.Event()
        self.too_large = asyncio.Event()
        self.answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._messages = (_Messages(self, SHELL), _Messages(self, IOPUB))
        self._asking = asyncio.Lock()
        self._hearing = asyncio.ensure_future(self._hear())

    @property
    def shell_channel(self) -> Any:
        """Requests and replies."""
        return self._messages[SHELL]

    @property
    def iopub_channel(self) -> Any:
        """Outputs."""
        return self._messages[IOPUB]

    def start_channels(self, **_: Any) -> None:  # type: ignore[override]
        """It is connected."""

    def stop_channels(self) -> None:
        """It stays connected until it is closed: a state that is kept hears requests later."""

    def close(self) -> None:
        """Close the connection, at which a process that waits ends."""
        if self._writer is not None:
            self._hearing.cancel()
            self._writer.close()
            self._writer = None

    async def is_alive(self) -> bool:
        """Whether the process still holds its end."""
        return self._writer is not None and not self.gone.is_set()

    def send(self, channel: int, parts: list[bytes]) -> None:
        """Send one frame."""
        body = b"".join(struct.pack(">I", len(p)) + p for p in parts)
        if self._writer is not None:
            self._writer.write(struct.pack(">BI", channel, len(body)) + body)

    async def ask(self, *, patience: float = ASK_SECONDS, **what: Any) -> dict[str, Any]:
        """A request of ours to a process that waits. Raises `TimeoutError`, `ConnectionError`."""
        async with self._asking:
            self.send(CONTROL, [json.dumps(what).encode()])
            return await self.answer(patience)

    async def answer(self, patience: float = ASK_SECONDS) -> dict[str, Any]:
        """What it says to us next. Raises `TimeoutError`, `ConnectionError`."""
        answer, gone = asyncio.ensure_future(self.answers.get()), asyncio.ensure_future(self.gone.wait())
        try:
            async with asyncio.timeout(patience):
                await asyncio.wait({answer, gone}, return_when="FIRST_COMPLETED")
            if not answer.done():
                raise ConnectionError("the process has ended")
            return answer.result()
        finally:
            answer.cancel()
            gone.cancel()

    async def _hear(self) -> None:
        try:
            while True:
                channel, size = struct.unpack(">BI", await self._reader.readexactly(5))
                if size > (self.largest or LARGEST):
                    self.too_large.set()
                    return
                body = await self._reader.readexactly(size)
                parts, at = list[bytes](), 0
                while at < size:
                    (length,) = struct.unpack_from(">I", body, at)
                    parts.append(body[at + 4 : at + 4 + length])
                    at += 4 + length
                if channel == CONTROL:
                    self.answers.put_nowait(json.loads(parts[0]))
                elif channel in (SHELL, IOPUB):
                    there = self._messages[channel]
                    if there.gate is None or there.gate(size):
                        there.waiting.put_nowait(parts)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError, struct.error, IndexError):
            pass
        finally:
            self.gone.set()


class Fork:
    """One process, as nbclient's driver asks of a kernel manager and a provisioner: the first one, or a copy.

    `maker` made it and waits, so it answers for it.
    """

    kernel_spec = None
    shutting_down = False

    def __init__(self, family: Family, client: SocketClient, pid: int = 0, maker: Fork | None = None) -> None:
        self.family, self._client, self.pid, self.maker = family, client, pid, maker
        self.kernel_name = family.kernels.kernel_name
        self.code: int | None = None
        self.leaves = 0
        """How many copies of it a candidate is at work in: they end with it."""
        self.waits = False
        """Whether it is a standby of a run, which goes on without it."""
        self.told = -1
        """The descriptor on which the witness of a leaf tells."""

    @property
    def provisioner(self) -> Fork:
        """This too."""
        return self

    @property
    def process(self) -> Any:
        """The launcher of the family, below which all of it runs."""
        return getattr(self.family.kernels.provisioner, "process", None)

    @property
    def has_kernel(self) -> bool:
        """Whether it may have to be ended."""
        return self.code is None

    def client(self, largest: int = 0, **_: Any) -> SocketClient:
        """The one there is."""
        self._client.largest = largest
        return self._client

    async def is_alive(self) -> bool:
        """Whether it runs."""
        return await self.poll() is None

    async def poll(self) -> int | None:
        """Its exit code: of the whole family, where that was stopped."""
        if self.code is None:
            whole = await self.family.ended()
            if whole is not None:
                self.code = whole
            elif not await self._client.is_alive():
                self.code = await self._of_maker("kill")
        return self.code

    async def _of_maker(self, what: str) -> int:
        try:
            if self.maker is None:
                raise ConnectionError
            return int((await self.maker._client.ask(do=what, pid=self.pid)).get("code") or 0)
        except (TimeoutError, ConnectionError):
            await self.family.end()
            return await self.family.ended() or -9

    async def interrupt_kernel(self) -> None:
        """Interrupt what it runs."""
        await self._of_maker("interrupt")

    async def kill(self, *, gently: bool = False) -> None:
        """End it, and what it has started. `gently`: it is asked to first, so that what it has registered for its end runs."""
        if gently and self.code is None:
            self._client.send(CONTROL, [json.dumps({"do": "end"}).encode()])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._client.gone.wait(), END_SECONDS)
                self.code = await self._of_maker("wait")
        if self.code is None:
            self.code = await self._of_maker("kill")
        self._client.close()
        if self.told >= 0 and self.maker is not None:
            self.maker.leaves, self.told = self.maker.leaves - 1, -1

    async def adopt(self, made: Fork) -> None:
        """Answer for a copy from now on, whose maker is about to end."""
        await self._client.ask(do="adopt", pid=made.pid)
        made.maker = self

    async def wait(self) -> None:
        """It has ended."""

    async def cleanup_resources(self) -> None:
        """Nothing is left."""

    async def fork(self, *, leaf: bool, memory: int | None = None, standby: bool = False) -> Fork:
        """A copy, connected. A leaf is for a candidate: it writes nowhere and dies with this, and where this is a run it may
        take so many bytes of `memory` more. A `standby` waits in a state that this goes on from. Raises `HazardError`."""
        name = f"f{next(self.family.numbers)}"
        try:
            patience = CONNECT_SECONDS if standby else ASK_SECONDS  # a run is not given up for it
            answer = await self._client.ask(patience=patience, do="fork", name=name, leaf=leaf, memory=memory, standby=standby)
            if "pid" not in answer:
                raise HazardError(str(answer.get("hazard") or "no copy could be made"))
            path = self.family.place.sockets / f"s-{name}"
            client = SocketClient(session=self.family.session())
            await client.connect(path)
            made = Fork(self.family, client, int(answer["pid"]), self)
            made.waits = standby
            if leaf:
                made.told = await _connected(path)
                self.leaves += 1
            said = await client.answer()
            if said.get("ready") is not True:
                raise HazardError(str(said.get("hazard")))
            path.unlink(missing_ok=True)
        except (TimeoutError, ConnectionError, OSError) as e:
            await (self.kill() if self.waits else self.family.end())
            raise HazardError(f"a copy did not answer ({type(e).__name__})") from e
        return made


async def _connected(path: Path) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connecting:
        connecting.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connecting, str(path))
        return connecting.detach()


class Family:
    """The first process and all its copies, below one launcher, which ends all of them."""

    def __init__(self, place: Place, kernels: AsyncKernelManager) -> None:
        self.place, self.kernels, self.numbers = place, kernels, itertools.count(1)

    def session(self) -> Session:
        """A session with the key that all share."""
        return Session(key=self.kernels.session.key)

    async def ended(self) -> int | None:
        """The exit code of all, or None while they run."""
        provisioner = self.kernels.provisioner
        return await provisioner.poll() if provisioner is not None else -9

    async def end(self) -> None:
        """End all at once."""
        if self.kernels.provisioner is not None:
            await self.kernels.provisioner.kill()


@contextlib.asynccontextmanager
async def family(place: Place, *, run: bool = False, given: Sequence[int] = (), **options: Any) -> AsyncIterator[Fork]:
    """The first process, in which nothing has run; all are dead when the context ends. `run`: for a run itself, in the real
    folder; only copies of it that are leaves are observed. `given` are open files that it has besides. `options` are for its start. Raises `OSError`, `RuntimeError`,
    `TimeoutError` where it does not start."""
    watched = place.observed.watched
    if run:
        text = witness_text(place.observed.given, watched.seen, watched.aside)
        place.sockets.joinpath("observed.py").write_text(text, "utf-8")
    for name, file in LAID_OUT.items():
        place.sockets.joinpath(name).write_text(Path(__file__).with_name(file).read_text("utf-8"), "utf-8")
    spec = place.spec
    python = spec.argv[0]
    spec.argv = [python, "-m", "selfcode_forkable", "-f", "{connection_file}"]
    if not run:
        spec.env = PASSIVE | spec.env
    kernels = AsyncKernelManager(
        kernel_name=place.name, kernel_spec_manager=OneSpec(spec), connection_file=str(place.sockets / "kernel.json"),
        transport="ipc", ip=str(place.sockets / "s"), log=LOG,
    )  # fmt: skip
    made = Family(place, kernels)
    client: SocketClient | None = None
    try:
        with (place.sockets / "log").open("wb") as log:
            arguments = ["--HistoryManager.hist_file=:memory:", f"--Threadless.witness={place.observed.given}"]
            arguments += ["--Threadless.run=True"] if run else []
            await kernels.start_kernel(
                cwd=str(place.work), extra_arguments=arguments, stdout=log, stderr=log, pass_fds=(place.observed.given, *given),
                **options,
            )
        if run:
            place.observed.close()
        else:
            await place.observed.listen()
        client = SocketClient(session=made.session())
        connecting = asyncio.ensure_future(client.connect(place.sockets / f"s-{kernels.shell_port}", CONNECT_SECONDS))
        while not connecting.done():
            await asyncio.wait({connecting}, timeout=LOOK_SECONDS)
            if not connecting.done() and await made.ended() is not None:
                connecting.cancel()
                raise RuntimeError("it ended at once")
        connecting.result()
        yield Fork(made, client)
    finally:
        if client is not None:
            client.close()
        await surely(made.end())
        await kernels.cleanup_resources()


