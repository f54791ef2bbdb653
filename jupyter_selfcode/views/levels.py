"""The words of the levels, in one place: what each says, and first what it leaves open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """A level of proof: its number, its name, and what a change that reached it may still get wrong."""

    number: int
    name: str
    open: str


LEVELS: tuple[Level, ...] = (
    Level(0, "well-formed", "whether the results are right: it ran, and that is all that is known"),
    Level(1, "framed", "whether the results are right: only which cells cannot be affected is known"),
    Level(2, "contract", "inputs and properties that the contract does not name"),
    Level(3, "behaviour", "inputs that were neither recorded nor generated"),
    Level(4, "proved", "what lies outside of the function that was explored: its data, its callers, time and memory"),
)


def level_name(level: int | None) -> str:
    """`level 2, contract`; for None, that nothing was reached."""
    if level is None:
        return "no level"
    return f"level {level}, {LEVELS[level].name}"


def left_open(level: int | None) -> str:
    """What is not covered by this level, in words."""
    return "anything: it reached no level" if level is None else LEVELS[level].open
