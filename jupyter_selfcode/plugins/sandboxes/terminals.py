"""`!command` in a kernel that may open no terminal: tiers B and M, where the user's other terminals are in the same folder.

IPython runs such commands in a pseudo-terminal of their own; here they run with a pipe, as they do on Windows.
"""

from __future__ import annotations

import inspect
from pathlib import Path


def without_terminal() -> None:
    """Replace IPython's way to run a command in this kernel. Sent as text, so it imports what it needs itself."""
    import subprocess
    import sys
    from importlib import import_module

    def system(command: str) -> int:
        with subprocess.Popen(
            command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace"
        ) as running:
            assert running.stdout is not None
            for line in running.stdout:
                sys.stdout.write(line)
        return running.returncode

    vars(import_module("ipykernel.zmqshell"))["system"] = system


def write_without_terminal(ipython: Path) -> None:
    """Write the start-up file into an IPython folder."""
    startup = ipython / "profile_default" / "startup"
    startup.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = "from __future__ import annotations\n" + inspect.getsource(without_terminal) + "\nwithout_terminal()\n"
    startup.joinpath("01-selfcode.py").write_text(f"exec({text!r}, {{'__name__': '_selfcode'}})\n", encoding="utf-8")
