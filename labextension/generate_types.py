"""TypeScript types of what crosses the wire, from the JSON Schemas of the Python values.

    python labextension/generate_types.py

writes `src/shared/types.ts`. A test holds that the file is current, so the two sides cannot drift apart unseen.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyter_selfcode.codec import schemas
from jupyter_selfcode.hosts.server.routes import Answer, Asked, Grammar, Stop, Which
from jupyter_selfcode.values.messages import (
    Applied,
    Asking,
    AtWork,
    Changed,
    Edit,
    Hello,
    Ran,
    Rest,
    Running,
    Told,
    Welcome,
)
from jupyter_selfcode.values.shown import State, Versions

FILE = Path(__file__).parent / "src" / "shared" / "types.ts"
KINDS = (
    Answer, Asked, Grammar, State, Stop, Versions, Which,
    Applied, Asking, AtWork, Changed, Edit, Hello, Ran, Rest, Running, Told, Welcome,
)  # fmt: skip
UNIONS = {
    "FromKernel": (Edit, AtWork, Rest, Running, Ran, Changed, Welcome),
    "FromFrontEnd": (Hello, Told, Applied),
}
HEAD = """/**
 * What crosses the wire between Python and here.
 * Generated from the schemas of the Python values by `python labextension/generate_types.py`; not to be edited.
 */
"""


def type_of(schema: dict[str, Any]) -> str:
    """A schema as a TypeScript type."""
    match schema:
        case {"$ref": str(ref)}:
            return "I" + ref.rpartition("/")[2]
        case {"const": value}:
            return _literal(value)
        case {"enum": list(values)}:
            return " | ".join(map(_literal, values))
        case {"anyOf": list(kinds)} | {"oneOf": list(kinds)}:
            return " | ".join(dict.fromkeys(map(type_of, kinds)))
        case {"prefixItems": list(items)}:
            return f"[{', '.join(map(type_of, items))}]"
        case {"type": "array", "items": dict(items)}:
            inner = type_of(items)
            return f"({inner})[]" if {"anyOf", "oneOf", "enum"} & items.keys() else f"{inner}[]"
        case {"type": "object"}:
            held = schema.get("additionalProperties")
            return f"Record<string, {type_of(held) if isinstance(held, dict) and held else 'any'}>"
        case {"type": str(kind)}:
            return {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}[kind]
        case _:
            return "any"


def _literal(value: Any) -> str:
    return "'" + value.replace("'", "\\'") + "'" if isinstance(value, str) else json.dumps(value)


def interface(name: str, schema: dict[str, Any]) -> str:
    """The schema of a value as an interface, with its docstring."""
    lines = []
    if said := " ".join(schema.get("description", "").split()):
        lines.append(f"/** {said} */")
    lines.append(f"export interface I{name} {{")
    lines += [f"  {field}: {type_of(held)};" for field, held in schema["properties"].items()]
    return "\n".join([*lines, "}"])


def generated() -> str:
    """The whole file."""
    parts = [interface(name, schema) for name, schema in schemas(KINDS, "").items()]
    parts += [f"export type {name} = {' | '.join(f'I{k.__name__}' for k in kinds)};" for name, kinds in UNIONS.items()]
    return HEAD + "\n" + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    FILE.write_text(generated(), encoding="utf-8")
