"""One way to write a value as bytes, so that equal values have equal digests.

Canonical form: JSON with sorted keys, no white space, UTF-8 kept as it is, NaN refused. Dataclasses are written as
their fields, tuples as lists, enumerations by their value. This is RFC 8785 in spirit, not to the letter: numbers are
written as Python writes them, because every reader of these digests is this package.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any


def plain(value: Any) -> Any:
    """The value as dicts, lists, strings, numbers, booleans and None, ready for `json.dumps`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(v) for v in value)
    if isinstance(value, Enum):
        return value.value
    return value


def canonical_json(value: Any) -> str:
    """The canonical text of a value. Raises ValueError where it holds NaN or infinity."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def same(a: Any, b: Any) -> bool:
    """Whether two values are written the same. Stricter than `==`, to which 1, 1.0 and true are one."""
    return a is b or (a == b and canonical_json(a) == canonical_json(b))


def digest(value: Any) -> str:
    """SHA-256 of the canonical text, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()
