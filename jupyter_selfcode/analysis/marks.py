"""Which cells are ours, told by their first lines. Imports nothing: it is asked of every cell that runs."""

from __future__ import annotations

MAGIC = "%%selfcode"
LINE = "%selfcode"


def is_marked(source: str) -> bool:
    """Whether the cell begins with `%%selfcode`."""
    first = source.lstrip()[: len(MAGIC) + 1]
    return first.startswith(MAGIC) and not first[len(MAGIC) :].strip()


def is_command(source: str) -> bool:
    """Whether the cell holds nothing but `%selfcode …` lines (and comments): it steers, and is no part of the notebook."""
    if LINE not in source:
        return False
    lines = [line.strip() for line in source.splitlines()]
    told = [line for line in lines if line and not line.startswith("#")]
    return bool(told) and all(line == LINE or line.startswith(LINE + " ") for line in told)
