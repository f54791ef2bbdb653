"""Ears of the host: TCP, UDP, Unix stream and datagram by path and by abstract name. They note whoever comes."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from pathlib import Path
from typing import Any

ANSWER = b"HTTP/1.0 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 8\r\n\r\na,b\n1,2\n"

LOOK, END = b"l", b"e"
"""What the thread that listens is told: to take in what has come, or to end."""


class Listeners:
    """Listen until closed. `hits` are the names of those that were reached, each as often as it was."""

    def __init__(self, folder: Path, name: str) -> None:
        self.hits: list[str] = []
        self._all: dict[socket.socket, str] = {}
        # abstract names are no secret, but the canary's token is
        abstract = f"\0selfcode-{abs(hash(name))}"
        inet, unix = socket.AF_INET, socket.AF_UNIX
        stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
        tcp = self._listen("tcp", inet, stream, ("127.0.0.1", 0))
        udp = self._listen("udp", inet, datagram, ("127.0.0.1", 0))
        paths = {"stream": folder / "stream", "dgram": folder / "dgram"}
        self._listen("stream", unix, stream, str(paths["stream"]))
        self._listen("dgram", unix, datagram, str(paths["dgram"]))
        self._listen("abstract", unix, stream, abstract)
        self._listen("abstract-dgram", unix, datagram, abstract + "-d")
        for path in paths.values():
            path.chmod(0o777)
        self.facts: dict[str, Any] = {
            "tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1], "stream": str(paths["stream"]),
            "dgram": str(paths["dgram"]), "abstract": abstract[1:],
        }  # fmt: skip
        self._looked = threading.Event()
        self._stop, self._wake = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _listen(self, name: str, family: int, kind: int, address: Any) -> socket.socket:
        made = socket.socket(family, kind)
        made.bind(address)
        if kind == socket.SOCK_STREAM:
            made.listen(64)
        made.setblocking(False)
        self._all[made] = name
        return made

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for one in (*self._all, self._stop):
                selector.register(one, selectors.EVENT_READ)
            while True:
                asked = False
                for key, _ in selector.select():
                    if key.fileobj is self._stop:
                        asked = True
                        continue
                    assert isinstance(key.fileobj, socket.socket)
                    with contextlib.suppress(OSError):
                        self._take(key.fileobj)
                if not asked:
                    continue
                if self._stop.recv(1) != LOOK:
                    return
                # what had come before it was asked is in a socket by now
                for key, _ in selector.select(0):
                    if key.fileobj is not self._stop:
                        with contextlib.suppress(OSError):
                            self._take(key.fileobj)  # type: ignore[arg-type]
                self._looked.set()

    def _take(self, one: socket.socket) -> None:
        name = self._all[one]
        if one.type == socket.SOCK_DGRAM:
            one.recv(65536)
            self.hits.append(name)
            return
        came, _ = one.accept()
        self.hits.append(name)
        with came:
            came.settimeout(0.3)
            with contextlib.suppress(OSError):
                came.recv(65536)
                came.sendall(ANSWER)

    def take(self) -> list[str]:
        """Whoever came since the last time: all that had come when it is asked."""
        self._looked.clear()
        self._wake.send(LOOK)
        self._looked.wait(10)
        hits, self.hits = self.hits, []
        return hits

    def close(self) -> None:
        """Stop listening."""
        self._wake.send(END)
        self._thread.join()
        for one in (*self._all, self._stop, self._wake):
            one.close()
