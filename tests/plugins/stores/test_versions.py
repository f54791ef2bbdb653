"""A version is what it was, whatever fields later packages add."""

from __future__ import annotations

import json

from jupyter_selfcode.plugins.stores.versions import identity_of, recorded, row_of
from jupyter_selfcode.values.canonical import digest
from jupyter_selfcode.values.patch import Patch
from jupyter_selfcode.values.strength import Mutant, Strength
from jupyter_selfcode.values.version import make_version

STRENGTH = Strength((Mutant("c", 3, "aggregate", "sum → mean", "survived", True, (), ("x",)),), 1.5, "", "no promise looks at x")
VERSION = make_version(
    parents=(), patch=Patch("n"), notebook="n", kind="adapt", by="person", at="2026-01-01T00:00:00Z", mutants=STRENGTH
)
ORDER = ("id", "parents", "notebook", "kind", "by", "at", "level", "restores", "listing", "patch", "why")


def kept(row: dict) -> tuple:
    return (*(row[name] for name in ORDER), 1, "deployed")


def test_what_a_contract_was_worth_comes_back_as_it_was():
    row = row_of(VERSION)
    assert identity_of(row) == VERSION.id
    assert recorded(kept(row)).version == VERSION


def test_a_row_from_before_a_field_was_added_is_read_and_its_id_stays():
    row = row_of(VERSION)
    why = json.loads(row["why"])
    del why["mutants"]
    row["why"] = json.dumps(why)
    held = {"parents": [], **{n: row[n] for n in ("notebook", "kind", "by", "at", "level", "restores")}}
    row["id"] = digest({**held, **json.loads(row["listing"]), "patch": json.loads(row["patch"]), **why})
    assert identity_of(row) == row["id"]
    assert recorded(kept(row)).version.mutants is None
