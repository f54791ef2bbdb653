"""What a notebook was like when it last ran well: the data that its cells take in, and how long they took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Column:
    """A column (or an array, without a name): `nulls` is a share from 0 to 1. Of many numbers the eleven `deciles`, three
    digits each; of few different values their shares by a short hash of each. Neither, of columns about people and texts."""

    name: str
    dtype: str
    nulls: float = 0.0
    deciles: tuple[float, ...] = ()
    kinds: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """Data of one name: its type, how many rows it has, its columns."""

    type: str
    rows: int
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """`at` is UTC, ISO 8601; `profiles` by name; `seconds` by cell, wall time."""

    at: str
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
