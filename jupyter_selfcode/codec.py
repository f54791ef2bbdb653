"""Values to JSON and back, and their JSON Schemas: one codec for store, wire, `--json` and the sidebar.

pydantic reads the frozen dataclasses as they are, so no value knows of JSON. Writing does not need it, so it is imported
when something is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from .values.canonical import plain
from .values.errors import BadInput

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
_HALVES = re.compile("[\ud800-\udfff]")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON text, keys in the order of the fields. Half characters, which a cell may print and no reader of
    JSON takes, are replaced."""
    return _HALVES.sub("\ufffd", json.dumps(plain(value), ensure_ascii=False, indent=indent))


def from_json(kind: type[T], text: str | bytes) -> T:
    """The value of this kind in a JSON text. Raises `BadInput` where it does not fit."""
    return _checked(kind, lambda adapter: adapter.validate_json(text))  # type: ignore[no-any-return]


def from_data(kind: type[T], data: Any) -> T:
    """The value of this kind in JSON that was read already. Raises `BadInput` where it does not fit."""
    return _checked(kind, lambda adapter: adapter.validate_python(data))  # type: ignore[no-any-return]


def _checked(kind: Any, validate: Callable[[TypeAdapter[Any]], Any]) -> Any:
    from pydantic import ValidationError

    try:
        return validate(_adapter(kind))
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise BadInput(f"Not a {getattr(kind, '__name__', kind)}: {where}: {first['msg']}") from None


def schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind of value."""
    return _adapter(kind).json_schema()


def schemas(kinds: Iterable[Any], ref: str, *, given: bool = False) -> dict[str, Any]:
    """The JSON Schemas of kinds and of all that they hold, by name; `ref` comes before a name where one is referred to.

    As they are written, where every field is there; `given`: as they are read, where what has a default may be left out.
    """
    from pydantic import TypeAdapter

    mode: Literal["validation", "serialization"] = "validation" if given else "serialization"
    made = TypeAdapter.json_schemas([(k, mode, _adapter(k)) for k in kinds], ref_template=ref + "{model}")
    return dict(sorted(made[1].get("$defs", {}).items()))
