"""A command, enclosed: what is laid out and started so that it runs in a cage. Kernels and the self-test of the tiers take
the same way, so what the test has seen holds for what is tried."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import bubblewrap, cage, seatbelt
from .plan import POLICY, PROGRAM, Cage
from .scratch import own


@dataclass(frozen=True, slots=True)
class Enclosed:
    """The command for the launcher, what its policy says besides, and descriptors that the process must inherit."""

    command: tuple[str, ...]
    policy: dict[str, Any]
    descriptors: tuple[int, ...]


@contextmanager
def enclosed(plan: Cage, python: str, inner: Sequence[str], *, live: bool = False) -> Iterator[Enclosed]:
    """`python`, with `inner` as its arguments, in the cage; to be started before the context ends.

    `inner` holds `-m MODULE …`, which runs in the process that closes the cage, or starts with `--` and is executed.
    """
    if plan.tier == "M":
        inside = inner[1:] if inner[0] == "--" else [python, *inner]
        yield Enclosed((seatbelt.PROGRAM, "-p", seatbelt.profile(plan), *inside), {}, ())
        return
    for name, lines in bubblewrap.nobody(plan).items():
        plan.control.joinpath(name).write_text(lines, "utf-8")
    plan.lay_out(Path(cage.__file__).read_text("utf-8"))
    if plan.user is not None:
        for path in (plan.control, plan.private, *(() if live else (plan.content,))):
            own(path, plan.user)
    at = 0 if inner[0] == "--" else inner.index("-m")
    command = [python, *inner[:at], str(plan.seen_control / PROGRAM), str(plan.seen_control / POLICY), *inner[at:]]
    reached = (*plan.readable, *plan.writable, *(plan.folder / o for o in plan.originals))
    reached = reached if plan.tier == "A" else (*reached, plan.folder)
    policy = {
        "user": plan.user, "cage": "namespaces" if plan.tier == "A" else "alone",
        "needed": [str(p) for p in (*reached, plan.control, plan.content, plan.private)],
        "mapped": [str(plan.content), *plan.writable] if live and plan.user is not None else [],
    }  # fmt: skip
    if plan.tier != "A":
        yield Enclosed(tuple(command), policy, ())
        return
    fd = os.memfd_create("arguments", 0)  # a command line could be read from inside
    try:
        os.write(fd, b"\0".join(a.encode() for a in bubblewrap.arguments(plan)))
        os.lseek(fd, 0, os.SEEK_SET)
        yield Enclosed((bubblewrap.find()[0], "--args", str(fd), "--", *command), policy, (fd,))
    finally:
        os.close(fd)
