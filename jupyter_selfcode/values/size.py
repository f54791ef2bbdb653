"""How large a change is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Lines of code that come and go, by how many the decisions in the code become more (or fewer), and how many characters
    the lines have that come."""

    added: int = 0
    removed: int = 0
    branches: int = 0
    characters: int = 0

    @property
    def lines(self) -> int:
        """Lines that a person has to compare."""
        return self.added + self.removed


def told(size: Size) -> str:
    """In one line, in the words of people."""
    if not size.lines and not size.branches:
        return "no line of code changes"
    said = f"{size.added} {'line' if size.added == 1 else 'lines'} of code added, {size.removed} removed"
    if size.branches:
        count = abs(size.branches)
        said += f"; {count} {'more' if size.branches > 0 else 'fewer'} {'branch' if count == 1 else 'branches'}"
    return said
