"""Keeps honest code under trial from writing into the real folder by mistake: by an absolute path or a linked file.

An audit hook (PEP 578) in the trial kernel, installed by a start-up file in its throw-away IPython folder. It sees what
Python code opens, renames and removes, in the kernel's own process; compiled libraries and child processes pass it by.
It is a railing and not a cage.
"""

# ruff: noqa: PTH100, PTH118, PTH119, PTH120 (the hook runs at every event: no objects are made for paths)

from __future__ import annotations

import inspect
from pathlib import Path

from .scratch import LEFT_OUT


def guard(root: str, own: str, exempt: frozenset[str]) -> None:
    """Refuse writes below `root`, those below `own` (the trial's folders) and in hidden or `exempt` folders aside.

    Sent to the kernel as text, so it imports what it needs itself.
    """
    import os
    import sys

    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    paths = {
        "open": (0,), "os.truncate": (0,), "os.remove": (0,), "os.rename": (0, 1), "os.rmdir": (0,), "os.mkdir": (0,),
        "os.link": (1,), "os.symlink": (1,), "shutil.rmtree": (0,),
    }  # fmt: skip

    def hook(event: str, args: tuple[object, ...]) -> None:
        places = paths.get(event)
        if places is None or (event == "open" and not (isinstance(args[2], int) and args[2] & writing)):
            return
        for place in places:
            path = args[place]
            if not isinstance(path, (str, bytes, os.PathLike)):
                continue
            text = os.path.abspath(os.fsdecode(path))
            if event in ("open", "os.truncate"):
                text = os.path.realpath(text)
            else:  # these act on a link itself
                text = os.path.join(os.path.realpath(os.path.dirname(text)), os.path.basename(text))
            if (text + "/").startswith(root + "/") and not (text + "/").startswith(own + "/"):
                parts = text[len(root) + 1 :].split("/")
                if not any(p.startswith(".") or p in exempt for p in parts):
                    sys.audit("jupyter_selfcode.refused")  # for the witness, which has just told of it
                    raise PermissionError(13, "This is the real folder; a trial writes only into its copy", text)

    sys.addaudithook(hook)


def write_guard(ipython: Path, folder: Path, own: Path) -> None:
    """Write the start-up file into an IPython folder that is to be used by a trial in `folder`."""
    startup = ipython / "profile_default" / "startup"
    startup.mkdir(mode=0o700, parents=True)
    call = f"guard({str(folder)!r}, {str(own.resolve())!r}, {sorted(LEFT_OUT)!r})\n"
    text = "from __future__ import annotations\n" + inspect.getsource(guard) + "\n" + call
    startup.joinpath("00-selfcode.py").write_text(f"exec({text!r}, {{'__name__': '_selfcode'}})\n", encoding="utf-8")
