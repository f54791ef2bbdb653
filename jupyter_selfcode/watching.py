"""What is watched of a notebook: whether it is, what it was like when it last ran well, and what was told already.

What was told once is not told again as long as nothing else comes up, and the record that data is compared with stays the
one that it was: data that drifts a little each night drifts in the end. `watch on` takes a new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .analysis.drift import drifted, slower
from .analysis.effects import effects_of
from .codec import from_json, to_json
from .protocols import Store
from .stages.record import now
from .values.notebook import Notebook
from .values.record import Profile, Record

WATCH, RECORD, TOLD, CLOSED = "watch", "record", "drift", "breaker"


@dataclass(frozen=True)
class Watching:
    """The watch over one notebook, as its history keeps it. Raises `StoreError`."""

    store: Store
    path: str

    @property
    def since(self) -> str | None:
        """When the watch began (UTC, ISO 8601); None where nothing is watched."""
        return self.store.notes(self.path, WATCH).get("on")

    def turn(self, on: bool) -> None:
        """Begin, with a new record at the next good run and the breaker closed; or end."""
        for kind, key in ((WATCH, "on"), (RECORD, RECORD), (TOLD, TOLD)):
            self.store.drop_note(self.path, kind, key)
        if on:
            self.store.put_note(self.path, WATCH, "on", now())
            self.store.put_note(self.path, CLOSED, CLOSED, now())

    def record(self) -> Record | None:
        """What the notebook was like when the watch began."""
        body = self.store.notes(self.path, RECORD).get(RECORD)
        return from_json(Record, body) if body else None

    def compare(self, profiles: Mapping[str, Profile], seconds: Mapping[str, float]) -> tuple[str, ...]:
        """What is no longer as it was; empty where that is known, or is what was told last. What was not there when the
        record was made becomes part of it."""
        was = self.record() or Record(now())
        lines = (*drifted(was.profiles, profiles), *slower(was.seconds, seconds))
        grown = replace(was, profiles={**profiles, **was.profiles}, seconds={**seconds, **was.seconds})
        if grown != was:
            self.store.put_note(self.path, RECORD, RECORD, to_json(grown))
        before = self.told()
        if lines != before:
            self.store.put_note(self.path, TOLD, TOLD, json.dumps(lines))
        return tuple(line for line in lines if line not in before)

    def told(self) -> tuple[str, ...]:
        """What was told last."""
        body = self.store.notes(self.path, TOLD).get(TOLD)
        return tuple(json.loads(body)) if body else ()


def settled(names: Sequence[str], notebook: Notebook, ran: Sequence[str]) -> list[str]:
    """Of these names those that no cell changes that has not run: they are what they are at the end of a run."""
    left = {n for c in notebook.cells if c.runs and c.id not in ran for n in effects_of(c.source).changes}
    return [name for name in names if name not in left]
