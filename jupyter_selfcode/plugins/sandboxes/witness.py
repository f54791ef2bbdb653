"""Tells, from inside a trial kernel, what its code does outside of its names: files, network, processes, environment.

An audit hook (PEP 578), installed by a start-up file in the kernel's throw-away IPython folder. It writes one line of JSON
for each thing to a pipe that the parent reads (`observed`). A witness and no boundary: it is called before the fact, so it
tells of what was tried; compiled libraries and child processes pass it by, and code that means to can blind it (`ctypes`,
the pipe's number). What it said before that is already out, and files that appear in the folder are found from outside.

What libraries do for themselves is left out: reading their own files, and what they load, start and set while they are
being imported. The hook runs at every import, open and compile, so it looks at the event's name first.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection
from pathlib import Path

REFUSED = "jupyter_selfcode.refused"
"""An audit event of our own: the guard is about to refuse what was just told of."""


def witness(fd: int, work: str, ours: Collection[str], refused: str) -> None:
    """Tell of events on the pipe `fd`. `work` is the trial's copy of the folder; what else lies below `ours` is thrown
    away with the trial and not told. `refused` is the name of the event that marks the last thing as refused.

    Sent to the kernel as text, so it imports what it needs itself.
    """
    import json
    import os
    import sys

    from IPython import get_ipython

    os.set_inheritable(fd, False)
    sys.dont_write_bytecode = True  # else every import of a module beside the notebook would create a file
    text_of, is_link, there, write, frame = os.fsdecode, os.path.islink, os.path.lexists, os.write, sys._getframe
    absolute, real, split, dumps = os.path.abspath, os.path.realpath, os.path.split, json.dumps

    standard = (split(os.__file__)[0] + "/",)
    packages = ("/site-packages/", "/dist-packages/")
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, *standard, *(p for p in sys.path if p.startswith("/"))}
    installed = tuple(p for p in ((real(p) + "/").replace("//", "/") for p in places) if not work.startswith(p))
    installed += tuple(p + "/" for p in places if not (work + "/").startswith(p) and p != "/")
    system = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib/", "/lib64/", "/run/")
    aside = tuple(p + "/" for p in ours)
    inside = work + "/"
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    files = {
        "os.remove": ("deletes", 0), "os.rmdir": ("deletes", 0), "shutil.rmtree": ("deletes", 0),
        "os.link": ("creates", 1), "os.symlink": ("creates", 1), "os.mkdir": ("creates", 0),
        "os.truncate": ("changes", 0), "os.chmod": ("changes", 0), "os.chown": ("changes", 0), "os.utime": ("changes", 0),
        "os.setxattr": ("changes", 0), "os.removexattr": ("changes", 0), "sqlite3.connect": ("", 0),
    }  # fmt: skip
    others = {
        "socket.connect": ("network", 1), "socket.bind": ("network", 1), "socket.sendto": ("network", 1),
        "socket.sendmsg": ("network", 1), "socket.getaddrinfo": ("network", 0), "socket.gethostbyname": ("network", 0),
        "socket.gethostbyaddr": ("network", 0), "urllib.Request": ("network", 0), "http.client.connect": ("network", 1),
        "ftplib.connect": ("network", 1), "smtplib.connect": ("network", 1), "imaplib.open": ("network", 1),
        "poplib.connect": ("network", 1), "webbrowser.open": ("network", 0),
        "subprocess.Popen": ("process", 1), "os.system": ("process", 0), "os.exec": ("process", 0),
        "os.posix_spawn": ("process", 0), "os.spawn": ("process", 1), "pty.spawn": ("process", 0),
        "os.fork": ("process", None), "os.forkpty": ("process", None), "os.kill": ("process", None),
        "os.putenv": ("environment", 0), "os.unsetenv": ("environment", 0),
        "ctypes.dlopen": ("native", 0),
    }  # fmt: skip
    spoken = {"os.fork": "a copy of itself", "os.forkpty": "a program in a terminal", "os.kill": "a signal to a process"}
    seen: set[object] = set()
    folders: dict[str, str] = {}
    reads = dropped = 0

    def fresh(*_: object) -> None:
        nonlocal reads
        reads = 0
        seen.clear()
        folders.clear()

    def send(*row: str) -> None:
        nonlocal dropped
        line = dumps([part[:300] for part in row]).encode("ascii") + b"\n"
        if dropped:
            line = dumps(["dropped", str(dropped)]).encode("ascii") + b"\n" + line
        try:
            write(fd, line)
            dropped = 0
        except OSError:  # full, or closed by the code that is watched
            dropped += 1

    def caller() -> tuple[bool, bool]:
        """Whether a library is at work, and whether it is just being imported."""
        at, importing = frame(3), False
        library: bool | None = None
        while at is not None:
            name = at.f_code.co_filename
            if name.startswith("<frozen importlib"):
                importing = True
            elif at.f_code.co_name == "_modified_open":  # what IPython gives a cell for `open`
                pass
            elif not name.startswith(("<frozen", *standard)) or any(p in name for p in packages):
                mine = not name.startswith(installed)
                library = library if library is not None else not mine
                if mine:
                    break
            at = at.f_back  # type: ignore[assignment]
        return library is not False, importing and library is not False

    def place(path: object) -> str:
        text = absolute(text_of(path))  # type: ignore[arg-type]
        folder, name = split(text)
        found = folders.get(folder)
        if found is None:
            if len(folders) > 2000:
                folders.clear()
            found = folders[folder] = real(folder)
        return real(text) if is_link(text) else (found + "/" + name).replace("//", "/")

    def file(kind: str, path: object) -> None:
        nonlocal reads
        if isinstance(path, int) or path in (None, b"", "", ":memory:") or (kind, path) in seen:
            return
        seen.add((kind, path))
        text = place(path)
        if not kind:  # written where it can be
            kind = "changes" if there(text) else "creates"
        if not text.startswith(inside):
            if (text + "/").startswith(aside) or text in ("/dev/null", "/dev/tty", "/dev/urandom"):
                return
            if kind == "reads":
                if text.startswith(installed):
                    return
                library, importing = caller()
                if importing or (library and text.startswith(system)):
                    return
        elif kind == "reads":
            reads += 1
            if reads > 100 or frame(2).f_code.co_filename.startswith("<frozen importlib"):  # no news after so many
                return
        send(kind, text)

    def hook(event: str, args: tuple[object, ...]) -> None:
        try:
            if event == "open":
                path, _, flags = args
                file("" if isinstance(flags, int) and flags & writing else "reads", path)
            elif event in files:
                kind, at = files[event]
                file(kind, args[at])
            elif event == "os.rename":
                file("deletes", args[0])
                file("", args[1])
            elif event in others:
                tell(*others[event], event, args)
            elif event == refused:
                send("refused")
        except Exception:  # what cannot be told must not hurt the code that is watched
            pass

    def tell(kind: str, at: int | None, event: str, args: tuple[object, ...]) -> None:
        library, importing = caller()
        if (library and kind in ("environment", "native")) or (importing and kind == "process"):
            return
        told = args[at] if at is not None else spoken[event]
        if kind == "process" and isinstance(told, (list, tuple)):
            said = " ".join(text_of(part) if isinstance(part, bytes) else str(part) for part in told[:20])
        elif isinstance(told, tuple):  # an address; what follows the port says nothing to a person
            said = ":".join(map(str, told[:2]))
        else:
            said = text_of(told) if isinstance(told, (str, bytes)) else "this process" if told is None else str(told)
        if kind == "network" and said.startswith(aside):
            return
        if event in ("http.client.connect", "socket.getaddrinfo", "smtplib.connect", "ftplib.connect") and len(args) > 1:
            port = args[2] if event != "socket.getaddrinfo" and len(args) > 2 else args[1]
            said += f":{port}" if isinstance(port, (int, str)) and str(port) != said else ""
        if said and (kind, said) not in seen:
            seen.add((kind, said))
            send(kind, said)

    get_ipython().events.register("pre_run_cell", fresh)
    get_ipython().events.register("post_run_cell", lambda *_: send("awake"))
    send("awake")
    sys.addaudithook(hook)


def write_witness(ipython: Path, fd: int, work: Path, ours: Collection[Path]) -> None:
    """Write the start-up file into the IPython folder of a kernel that is given the pipe `fd`. It must run before the
    guard's, which ends what it refuses; file names decide the order."""
    startup = ipython / "profile_default" / "startup"
    startup.mkdir(mode=0o700, parents=True, exist_ok=True)
    startup.joinpath("00-observed.py").write_text(witness_text(fd, work, ours), encoding="utf-8")


def witness_text(fd: int, work: Path, ours: Collection[Path]) -> str:
    """What a kernel runs to be observed. Nothing of it stays among the names of the notebook."""
    call = f"witness({fd}, {str(work.resolve())!r}, {[str(p.resolve()) for p in ours]!r}, {REFUSED!r})\n"
    text = "from __future__ import annotations\n" + inspect.getsource(witness) + "\n" + call
    return f"exec({text!r}, {{'__name__': '_selfcode'}})\n"
