"""ruff's NumPy migrations (NPY001, NPY003, NPY201), applied to one cell.

Only these rules: they rewrite what NumPy has removed. ruff sees one cell, so the imports of NumPy from the cells above
are set before it; what it says is read as JSON and its edits are applied here, so that nothing else changes.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .introspect import names_in
from .spans import Edit, Text

RULES = "NPY001,NPY003,NPY201"
SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Fixed:
    """One fix: edits of the cell, import lines that it needs, and what it was about. `gone`: NumPy here lacks it."""

    edits: tuple[Edit, ...]
    said: str
    link: str
    gone: bool
    imports: tuple[str, ...] = field(default=())

    @property
    def warrant(self) -> str:
        """The source, in the words of `Candidate.warrant`: ruff's page on the rule, which follows NumPy's own guide."""
        return f"documented replacement: numpy ({self.link})"


def _check(source: str) -> list[dict[str, Any]]:
    from ruff import find_ruff_bin  # type: ignore[import-untyped]

    try:
        done = subprocess.run(
            [find_ruff_bin(), "check", "--isolated", "--no-cache", "--select", RULES, "--output-format", "json", "-"],
            input=source.encode(), capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    return found if isinstance(found, list) else []


def _header(known: Mapping[str, str]) -> list[str]:
    lines = []
    for name, full in known.items():
        if full == "numpy":
            lines.append(f"import numpy as {name}")
        elif full.startswith("numpy."):
            module, _, last = full.rpartition(".")
            lines.append(f"from {module} import {last} as {name}")
    return lines


def numpy_fixes(text: str, known: Mapping[str, str]) -> Iterator[Fixed]:
    """Fixes that ruff offers for a masked cell; `known` are the names of imports there with their full names."""
    header = "".join(line + "\n" for line in _header(known))
    shift = len(header)
    whole = Text(header + text)
    lines = re.split(r"(?<=\n)", whole.text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def at(place: Mapping[str, int]) -> int:
        return starts[place["row"] - 1] + place["column"] - 1

    seen: set[tuple[int, int]] = set()
    for found in _check(whole.text):
        fix = found.get("fix")
        name = re.search(r"`np\.(\w+)`", found.get("message", ""))
        if not fix or not name:
            continue
        edits: list[Edit] = []
        imports: list[str] = []
        for edit in fix["edits"]:
            start, end, content = at(edit["location"]), at(edit["end_location"]), edit["content"]
            if start == end and re.match(r"(from|import) ", content):
                imports += content.strip().splitlines()
            elif whole.text[start:end] != content and start >= shift:
                if content.startswith("-") and re.match(r"\s*(\*\*|[.(\[])", whole.text[end:]):
                    content = f"({content})"  # -inf ** 2 is -(inf ** 2)
                edits.append(Edit(start - shift, end - shift, content))
        spans = {(e.start, e.end) for e in edits}
        if not edits or spans & seen:  # NPY003 and NPY201 say the same of some names
            continue
        seen |= spans
        gone = name.group(1) not in names_in("numpy")
        said = f"{found['message'].replace('will be removed', 'was removed').rstrip('.')}."
        yield Fixed(tuple(edits), said, found["url"], gone, tuple(imports))


def numpy_name(name: str) -> tuple[str, str] | None:
    """What a name that was imported from NumPy is called now, by ruff: the new full name and the source."""
    for fixed in numpy_fixes(f"np.{name}\n", {"np": "numpy"}):
        new = fixed.edits[0].new
        if fixed.gone and not fixed.imports and re.fullmatch(r"[\w.]+", new):
            return re.sub(r"^np\.", "numpy.", new), fixed.link
    return None
