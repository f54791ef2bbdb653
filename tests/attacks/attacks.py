"""The table of attacks, as `table/*.toml` has it. A row is code for one or more cells, and who can tell that it got through."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("table")


@dataclass(frozen=True, slots=True)
class Attack:
    """One row. `row` is its number in the corpus of the design notes.

    `oracle` tells that the control got through; in a cage every oracle is looked at, whichever the row names:
    `canary` was printed · `mark`: the attacker says so, where only it can know · `listener` was reached · `changed` files ·
    `victim` was hurt · `left` a process · `terminal` was written to · `parent` grew · `disk` was filled · `state`: the kernel
    ended.

    The control is `cells` on a plain kernel, or `control` where these would harm the machine, or nothing for the reason in
    `bare` (`bare_as_root`: where it is root's). `absent` says why it may fail on some machines, `needs_root` that only
    root can do it on a plain kernel. With `closes` it
    is looked who is left when the kernel has ended, `later` seconds after. `ends` are states that the contained kernel must be in afterwards; with `never_ok`
    the last cell must not pass. `stated` quotes, by tier, the words of its promise that leave this open.
    """

    id: str
    row: int
    tries: str
    oracle: str
    cells: Sequence[str]
    control: Sequence[str] = ()
    bare: str = ""
    bare_as_root: str = ""
    absent: str = ""
    needs_root: bool = False
    as_user: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)
    fresh: bool = False
    closes: bool = False
    later: float = 0.0
    slow: bool = False
    ends: Sequence[str] = ()
    never_ok: bool = False
    stated: Mapping[str, str] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Whether it needs a kernel of its own."""
        return self.fresh or self.closes or bool(self.limits)


ATTACKS = [
    Attack(**row) for path in sorted(TABLE.glob("*.toml")) for row in tomllib.loads(path.read_text("utf-8"))["attack"]
]
