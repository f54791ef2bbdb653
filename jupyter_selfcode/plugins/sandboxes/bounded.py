"""A kernel client that what a hostile or runaway kernel sends cannot hurt: the parent is a target too.

Sizes are counted as frames arrive, before anything is parsed, on every channel; a message beyond the limit is refused by
ZeroMQ itself and never held in memory. Found by trying: a print flood took a plain client from 39 to 2,200 MiB.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from traitlets import Int
from zmq.utils.monitor import parse_monitor_message

Gate = Callable[[int], bool]
"""Told the bytes of each message; False where it must not be read any more."""

QUEUE = 10_000
"""Messages that ZeroMQ keeps for us in a trial. With its usual 1,000, kernels drop displays of honest cells as soon as
this process is slow (tried: 3,000 displays on a busy machine); 20,000 short ones held 65 MB when it was. A run has no limit."""


RECONNECT = 10
"""Milliseconds between two attempts to connect: a kernel listens a while after it was started."""

RETRIED_SECONDS = 0.5
"""How long ZeroMQ may take from the one to the other: they are two steps of one thread in this process."""


class BoundedChannel(AsyncZMQSocketChannel):
    """A channel that reads a message only when the gate lets it through, and survives one that cannot be read."""

    gate: Gate | None = None
    refuse: Callable[[BaseException], None] | None = None

    async def _recv(self, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        if self.gate is None or self.refuse is None:
            return await super()._recv(**kwargs)
        assert self.socket is not None
        frames = await self.socket.recv_multipart(**kwargs)
        if self.gate(sum(map(len, frames))):
            try:
                _, parts = self.session.feed_identities(frames)
                return self.session.deserialize(parts)
            except (ValueError, TypeError, KeyError, RecursionError) as e:  # unsigned, not JSON, nested too deep
                self.refuse(e)
        # The driver has been told and is about to cancel whoever waits here; there is nothing to answer.
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def broken(self) -> bool:
        """Wait until the connection breaks. Whether ZeroMQ has refused a message for its size: such a connection it gives up,
        while it at once sets out to connect anew where the other end is gone."""
        assert self.socket is not None
        monitor = self.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED)
        try:
            await _told(monitor, zmq.EVENT_DISCONNECTED)
            await asyncio.wait_for(_told(monitor, zmq.EVENT_CONNECT_RETRIED), RETRIED_SECONDS)
        except TimeoutError:
            return True
        else:
            return False
        finally:
            self.socket.disable_monitor()
            monitor.close(linger=0)


async def _told(monitor: zmq.asyncio.Socket, event: int) -> None:
    """Wait until a socket's monitor tells of this event."""
    while parse_monitor_message(await monitor.recv_multipart())["event"] != event:
        pass


class CellClient(AsyncKernelClient):
    """A client that says which cell it executes, as JupyterLab does, and has a largest message."""

    largest = Int(0, help="Bytes of the largest message that is taken; 0: any.")
    cell_id = ""

    def _context_default(self) -> zmq.asyncio.Context:
        self._created_context = True
        context = zmq.asyncio.Context()
        # Defaults of sockets made from this context: they must be set before a socket connects.
        context.setsockopt(zmq.RCVHWM, QUEUE if self.largest else 0)
        if self.largest:
            context.setsockopt(zmq.MAXMSGSIZE, self.largest)
        context.setsockopt(zmq.RECONNECT_IVL, RECONNECT)
        return context

    def execute(  # type: ignore[override]
        self, code: str, silent: bool = False, store_history: bool = True, stop_on_error: bool = True, **_: Any
    ) -> str:
        """Send an execute request that names the cell in its metadata, and allows no input. Returns its id."""
        content = {
            "code": code, "silent": silent, "store_history": store_history, "user_expressions": {},
            "allow_stdin": False, "stop_on_error": stop_on_error,
        }  # fmt: skip
        metadata = {"cellId": self.cell_id} if self.cell_id else {}
        message = self.session.msg("execute_request", content, metadata=metadata)
        self.shell_channel.send(message)
        return str(message["header"]["msg_id"])
