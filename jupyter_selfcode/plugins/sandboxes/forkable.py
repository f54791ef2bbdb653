"""A kernel without threads, which can be copied between two cells. Runs in the cage, by the kernel's own Python.

IPython's kernel as it is, but for what would start a thread: its messages go over one Unix stream socket to the caller
instead of ZeroMQ, what is printed is sent when it is printed, and what other programs print is read from a file after.
A thread does not live through a fork, and a lock that one held stays locked, so the one thread there is may be copied.

Frames are a channel (one byte), a length (four), and the parts of a message. Channels: SHELL and IOPUB carry Jupyter's
messages, CONTROL carries JSON of ours: `fork`, `adopt`, `interrupt`,
`kill`, `end`.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib.util
import io
import json
import os
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from traitlets import Bool, Int

SHELL, IOPUB, CONTROL = 0, 1, 2
FLUSH_SECONDS, BUFFER = 0.2, 2**16

def beside(name: str) -> ModuleType:
    """A module that was laid out beside this one."""
    spec = importlib.util.spec_from_file_location("selfcode_" + name, Path(__file__).with_name(name + ".py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Line:
    """The connection to the caller."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket, self.lock = connection, threading.RLock()
        self.shell, self.iopub = Way(self, SHELL), Way(self, IOPUB)

    def send(self, channel: int, parts: list[bytes]) -> None:
        """Send one frame."""
        body = b"".join(struct.pack(">I", len(p)) + p for p in parts)
        with self.lock:
            self.socket.sendall(struct.pack(">BI", channel, len(body)) + body)

    def receive(self) -> tuple[int, list[bytes]]:
        """The next frame. Ends this process where the caller is gone."""
        channel, size = struct.unpack(">BI", self._exactly(5))
        body, parts, at = self._exactly(size), list[bytes](), 0
        while at < size:
            (length,) = struct.unpack_from(">I", body, at)
            parts.append(body[at + 4 : at + 4 + length])
            at += 4 + length
        return channel, parts

    def _exactly(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            try:
                came = self.socket.recv(min(size - len(found), 2**20))
            except OSError:
                came = b""
            if not came:
                os._exit(0)
            found += came
        return bytes(found)


class Way:
    """What Jupyter's session sends into, in place of a ZeroMQ socket."""

    def __init__(self, line: Line, channel: int) -> None:
        self.line, self.channel = line, channel

    def send_multipart(self, parts: list[Any], *_: Any, **__: Any) -> None:
        """One message."""
        self.line.send(self.channel, [bytes(p) for p in parts])


class Printed(io.TextIOBase):
    """`sys.stdout` or `sys.stderr`: sent when it is long, old, or the cell shows something or ends, as ipykernel does.

    What is written to the descriptor itself, by other programs and compiled libraries, is found in a file.
    """

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, app: Threadless, name: str, descriptor: int) -> None:
        super().__init__()
        self.app, self.name, self.descriptor = app, name, descriptor
        self.held, self.size, self.since = list[str](), 0, 0.0
        self.renew()

    def renew(self) -> None:
        """A file of this process's own, empty, for the descriptor."""
        self.held, self.size, self.read_to = [], 0, 0
        with tempfile.TemporaryFile(buffering=0) as f:
            os.dup2(f.fileno(), self.descriptor)

    def fileno(self) -> int:
        """The descriptor that other programs are given."""
        return self.descriptor

    def isatty(self) -> bool:
        """No."""
        return False

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Hold it, and send what is held where it is time."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._others()
        now = time.monotonic()
        if self.held and (self.size > BUFFER or now - self.since > FLUSH_SECONDS):
            self._send()
        if not self.held:
            self.since = now
        self.held.append(text)
        self.size += len(text)
        return len(text)

    def flush(self) -> None:
        """Send what is held."""
        self._others()
        self._send()

    def _others(self) -> None:
        size = os.fstat(self.descriptor).st_size
        if size > self.read_to:
            came = os.pread(self.descriptor, size - self.read_to, self.read_to)
            self.read_to += len(came)
            self.held.append(came.decode("utf-8", "replace"))

    def _send(self) -> None:
        text, self.held, self.size = "".join(self.held), [], 0
        kernel = self.app.kernel
        if text and kernel is not None:
            content = {"name": self.name, "text": text}
            kernel.session.send(kernel.iopub_socket, "stream", content, parent=kernel.get_parent("shell"), ident=b"stream")


class _Loop:
    """What the kernel asks of an event loop or a thread of its own."""

    parent_thread = threading.main_thread()

    def add_callback(self, call: Any) -> None:
        """From a signal handler."""
        asyncio.get_event_loop().call_soon_threadsafe(call)

    def call_later(self, seconds: float, call: Any) -> None:
        """After `quit()`: the reply says that the cell wants an end, and the caller ends this process."""

    def stop(self) -> None:
        """What would be called then."""


class ThreadlessKernel(IPythonKernel):
    """IPython's kernel, which hears one request after the other."""

    io_loop: Any = _Loop()
    _supports_kernel_subshells = False

    banner = ""
    """IPython's own draws a tip by chance, from the very numbers that the notebook draws from."""

    def _abort_queues(self, *_: Any, **__: Any) -> None:
        """There is no queue."""

    async def take(self, parts: list[bytes], stream: Way) -> None:
        """One request on the shell channel."""
        own: Any = self
        idents, rest = own.session.feed_identities(parts)
        request = own.session.deserialize(rest)
        own.set_parent(idents, request, channel="shell")
        own._publish_status("busy", "shell")
        handler = self.shell_handlers.get(request["msg_type"])
        own.pre_handler_hook()
        try:
            if handler is not None:
                answer = handler(stream, idents, request)
                if asyncio.iscoroutine(answer):
                    await answer
        except KeyboardInterrupt:
            self.log.error("interrupted")
        finally:
            own.post_handler_hook()
        sys.stdout.flush()
        sys.stderr.flush()
        own._publish_status("idle", "shell")


class Threadless(IPKernelApp):
    """ipykernel's application without sockets and threads of its own."""

    witness = Int(-1, help="The descriptor that the witness tells on.").tag(config=True)
    run = Bool(False, help="Whether it is the run itself: in the real folder, unobserved, with copies for trials.").tag(config=True)
    kernel_class = ThreadlessKernel
    line: Line
    kernel: Any = None

    def init_poller(self) -> None:
        """The launcher watches."""

    def init_heartbeat(self) -> None:
        """A process that does not answer is ended."""

    def write_connection_file(self, **_: Any) -> None:
        """The caller wrote it."""

    def log_connection_info(self) -> None:
        """Nobody connects by hand."""

    def init_signal(self) -> None:
        """An interrupt between two cells does nothing."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def init_sockets(self) -> None:
        """Wait for the caller."""
        self.line = Line(beside("copies").listen(f"{self.ip}-{self.shell_port}").accept()[0])
        self.iopub_socket = self.line.iopub

    def init_io(self) -> None:
        """What is printed goes to the caller."""
        from ipykernel import displayhook

        own: Any = self
        sys.stdout, sys.stderr = Printed(self, "stdout", 1), Printed(self, "stderr", 2)
        hook: Any = vars(displayhook)["ZMQDisplayHook"](self.session, self.iopub_socket)
        self.displayhook = sys.displayhook = hook
        own.patch_io()

    def init_kernel(self) -> None:
        """The kernel itself."""
        self.kernel = self.kernel_class.instance(
            parent=self, session=self.session, iopub_socket=self.iopub_socket, log=self.log,
            profile_dir=self.profile_dir, user_ns=self.user_ns, shell_channel_thread=_Loop(),
        )  # fmt: skip
        self.kernel.shell_channel_thread = _Loop()
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count

    def start(self) -> None:
        """Hear requests until the caller is gone. A copy goes on from where it was made."""
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        forks = beside("copies").Forks(self, loop, beside("hazards"), beside("cage"))
        context = contextvars.copy_context()
        kept: dict[str, Any] = {"context": context} if sys.version_info >= (3, 11) else {}
        while True:
            loop.run_until_complete(self._readable(loop))
            channel, parts = self.line.receive()
            if channel == SHELL:  # in one context, so that what a cell sets there (NumPy's way to print) is set for the next
                loop.run_until_complete(loop.create_task(self.kernel.take(parts, self.line.shell), **kept))
                forks.note()
            elif (asked := json.loads(parts[0]))["do"] == "end":
                return  # what is registered for the end of the interpreter runs now
            else:
                self.line.send(CONTROL, [json.dumps(forks.answer(asked)).encode()])

    async def _readable(self, loop: asyncio.AbstractEventLoop) -> None:
        """The user's own tasks go on meanwhile."""
        there = loop.create_future()
        loop.add_reader(self.line.socket, there.set_result, None)
        try:
            await there
        finally:
            loop.remove_reader(self.line.socket)


if __name__ == "__main__":
    Threadless.launch_instance()
