"""Versions as rows and back.

What is hashed is what is kept: the JSON columns hold the fields by their names as they were when the version was made,
so its id can be recomputed from the row alone, and a field that a later package adds does not break an old chain.

Reading is lazy, for speed. Ten thousand versions are about 30 MB of JSON, and to decode them takes 0.4 s with `json`, and
as long with pydantic; a list of versions needs a tenth of it. So a `KeptVersion` starts with the plain columns and decodes
`listing`, `patch` or `why` when a field of it is first read. It is a `Version` in every other respect.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from ...values.canonical import digest, plain
from ...values.errors import StoreError
from ...values.notebook import Cell
from ...values.patch import CellOp, DeleteCell, InsertCell, MoveCell, Patch, ReplaceSource, SetMetadata
from ...values.prompt import Cost
from ...values.request import Option
from ...values.strength import Mutant, Strength
from ...values.trial import Finding
from ...values.version import Attempt, Recorded, Version

PLAIN = ("notebook", "kind", "by", "at", "level", "restores")
LISTING = ("words", "trigger", "proposer", "model", "rationale", "cost", "seconds")
WHY = ("triage", "options", "prompt_hash", "context_hash", "assumptions", "findings", "tried", "trial_kind", "mutants")
LATER: Mapping[str, Mapping[str, Any]] = {"why": {"mutants": None}}
"""Fields that rows of older histories do not hold, by column, and what they are then."""
COLUMN = {**dict.fromkeys(LISTING, "listing"), "patch": "patch", **dict.fromkeys(WHY, "why")}

_OPS: dict[str, type[Any]] = {
    "replace": ReplaceSource, "insert": InsertCell, "delete": DeleteCell, "move": MoveCell, "metadata": SetMetadata,
}  # fmt: skip
_NAMES = tuple(f.name for f in fields(Version))
_SET = {name: getattr(Version, name).__set__ for name in _NAMES}


def text_of(value: Any) -> str:
    """JSON as it is kept: ASCII, keys in the order in which they came."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def row_of(version: Version) -> dict[str, Any]:
    """The columns of a version, but for its path and its number."""
    held: dict[str, Any] = plain(version)
    return {
        "id": held["id"],
        "parents": " ".join(held["parents"]),
        **{name: held[name] for name in PLAIN},
        "listing": text_of({name: held[name] for name in LISTING}),
        "patch": text_of(held["patch"]),
        "why": text_of({name: held[name] for name in WHY}),
    }


def identity_of(row: Mapping[str, Any]) -> str:
    """What the id of a row must be, recomputed from what it holds."""
    return digest(
        {
            "parents": row["parents"].split(),
            **{name: row[name] for name in PLAIN},
            **json.loads(row["listing"]),
            "patch": json.loads(row["patch"]),
            **json.loads(row["why"]),
        }
    )


def _op(held: dict[str, Any]) -> CellOp:
    if held["op"] == "insert":
        held = {**held, "cell": Cell(**held["cell"])}
    return _OPS[held["op"]](**held)  # type: ignore[no-any-return]


def _patch(held: dict[str, Any]) -> Patch:
    return Patch(held["base"], tuple(_op(op) for op in held["ops"]))


def _findings(held: Iterable[dict[str, Any]]) -> tuple[Finding, ...]:
    return tuple(Finding(**f) for f in held)


def _attempt(held: dict[str, Any]) -> Attempt:
    return Attempt(**{**held, "findings": _findings(held["findings"])})


def _strength(held: dict[str, Any] | None) -> Strength | None:
    if held is None:
        return None
    mutants = (Mutant(**{**m, "by": tuple(m["by"]), "differs": tuple(m["differs"])}) for m in held["mutants"])
    return Strength(**{**held, "mutants": tuple(mutants)})


_DECODE: dict[str, Any] = {
    "cost": lambda held: Cost(**held),
    "options": lambda held: tuple(Option(**o) for o in held),
    "assumptions": tuple,
    "findings": _findings,
    "tried": lambda held: tuple(_attempt(t) for t in held),
    "mutants": _strength,
}


class KeptVersion(Version):
    """A version out of the store; equal to the `Version` that was put in."""

    __slots__ = ("_texts",)

    def __getattr__(self, name: str) -> Any:
        """Called where a slot is still empty: fill all the fields of its column."""
        column = COLUMN.get(name)
        if column is None:
            raise AttributeError(name)
        try:
            held = json.loads(_TEXTS.__get__(self)[column])
            found = {"patch": _patch(held)} if column == "patch" else {
                key: _DECODE[key](value) if key in _DECODE else value for key, value in held.items()
            }  # fmt: skip
            found = {**LATER.get(column, {}), **found}
            value = found[name]
        except (ValueError, KeyError, TypeError) as e:
            raise StoreError(
                f"Version {self.id[:12]} of the history is damaged ({column}: {e}); `verify` lists what is wrong."
            ) from e
        for key, known in found.items():
            _SET[key](self, known)
        return value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _NAMES)

    __hash__ = Version.__hash__


_TEXTS: Any = KeptVersion.__dict__["_texts"]
"""The slot itself: a frozen dataclass is not written by attribute."""


def recorded(row: Any) -> Recorded:
    """A row of versions with its outcome, as `SqlStore.lineage` selects it."""
    seq = tuple(row)
    version = object.__new__(KeptVersion)
    version_id, parents, notebook, kind, by, at, level, restores, listing, patch, why, number, outcome = seq
    _SET["id"](version, version_id)
    _SET["parents"](version, tuple(parents.split()))
    _SET["notebook"](version, notebook)
    _SET["kind"](version, kind)
    _SET["by"](version, by)
    _SET["at"](version, at)
    _SET["level"](version, level)
    _SET["restores"](version, restores)
    _TEXTS.__set__(version, {"listing": listing, "patch": patch, "why": why})
    return Recorded(version, outcome, number)
