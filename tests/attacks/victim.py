"""A process that attacks are aimed at: it notes signals that it would otherwise ignore, and lets everybody trace it."""

from __future__ import annotations

import ctypes
import signal
import sys
from pathlib import Path

hit = Path(sys.argv[1])
ANY, SET_PTRACER = ctypes.c_ulong(-1), 0x59616D61
"""Of <linux/prctl.h>: where Yama restricts ptrace to descendants, this process may be traced all the same."""

ctypes.CDLL(None).prctl(SET_PTRACER, ANY, 0, 0, 0)
for number in (signal.SIGURG, signal.SIGWINCH, signal.SIGIO, signal.SIGHUP):
    signal.signal(number, lambda *_: hit.touch())
print("ready", flush=True)
while True:
    signal.pause()
