"""What the exit code of a kernel says, in words: which limit it passed, or how it died."""

from __future__ import annotations

import signal

from ...analysis.printable import amount
from ...protocols import Limits
from ...values.trial import RunState
from . import launcher


def ended(code: int, limits: Limits) -> tuple[RunState, str]:
    """The state of the run, and the line for a person. `code` as `Popen.returncode` gives it, or one of the launcher's."""
    if code == launcher.MEMORY:
        return "memory", f"stopped: it took more memory than your limit of {amount(limits.memory)}"
    if code == launcher.DISK:
        return "disk", f"stopped: it wrote more than your limit of {amount(limits.disk)}"
    if code == launcher.PROCESSES:
        return "died", "stopped: it started too many processes"
    if code == launcher.CALLER_GONE:
        return "died", "stopped: the kernel has closed its connection, and its process goes on"
    if code < 0:
        why = ", as the system does where memory ends" if -code == signal.SIGKILL else ""
        return "died", f"the kernel died ({signal.strsignal(-code)}, signal {-code}{why})"
    return "died", f"the kernel died (it ended itself with exit code {code})"
