"""What a cell's source could do: files, network, processes, environment, native code, the interpreter itself.

The screen explains what the new cell could do that the old one did not, and refuses some things outright. It will be
evaded by code written to evade it. It is triage and explanation for the person who decides; the boundary is the cage that
a candidate runs in. What it misses is measured by `tests/benchmarks/bench_screen.py`.

Comments count for nothing here, so that `# nosec` and `# noqa` change no verdict.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ..values.capability import Capability
from ..values.trial import Severity
from .capability_magics import read_magic
from .capability_names import Names, bindings
from .capability_reader import Reader
from .contract import examples_of
from .effects import bound_names
from .magics import Masked, mask, parse, parse_masked

PROMISE = (
    "The screen explains what the new cell could do that the old one did not, and refuses some things outright. "
    "It will be evaded by code written to evade it."
)

_ROUNDS = 30
"""Lines that are passed over, at most, in a source that is no Python."""


def capabilities(source: str, names: Names = frozenset()) -> tuple[Capability, ...]:
    """Everything that a cell could do, each once, in the order of its lines. Any text is read, nothing is raised.

    `names` are those that the rest of the notebook binds (`names_bound`). The examples of its contract are read as well,
    since they run in the kernel. What is no Python is read as far as it is.
    """
    return _capabilities(source, names)


def names_bound(sources: Iterable[str]) -> Names:
    """What the imports of cells bind, for reading other cells with it; left out are names that cells also bind to values."""
    bound, values = set[tuple[str, str]](), set[str]()
    for source in sources:
        found = _bound(source)
        bound |= found
        values |= bound_names(source) - {name for name, _ in found}
    return frozenset((name, meaning) for name, meaning in bound if name not in values)


def gains(
    old: str, new: str, names: Names = frozenset(), had: Iterable[Capability] = ()
) -> tuple[tuple[Capability, Severity], ...]:
    """What `new` could do that neither `old` nor `had` could, with how much it weighs.

    A call that is refused outright where it is new is only asked about where the old cell made the same call with other
    arguments. Code that is added to `old` never adds to this.
    """
    before = [*capabilities(old, names), *had]
    known, calls = {(c.kind, c.what) for c in before}, {_callee(c) for c in before if c.severity == "block"}
    found = list[tuple[Capability, Severity]]()
    for c in capabilities(new, names):
        if c.severity is None or (c.kind, c.what) in known:
            continue
        again = c.severity == "block" and "(" in c.what and _callee(c) in calls
        found.append((c, "ask" if again else c.severity))
    return tuple(found)


def _callee(capability: Capability) -> tuple[str, str]:
    """The kind and the calls, without what is handed to them: `subprocess.run(['ls'])` is `subprocess.run()`."""
    depth, kept = 0, list[str]()
    for c in capability.what:
        depth -= c == ")"
        if depth <= 0:
            kept.append(c)
        depth += c == "("
    return capability.kind, "".join(kept)


def forget() -> None:
    """Drop what is remembered of sources: for measuring."""
    _bound.cache_clear()
    _capabilities.cache_clear()


@lru_cache(maxsize=4096)
def _bound(source: str) -> Names:
    try:
        return frozenset[tuple[str, str]]().union(*(bindings(tree) for tree in _trees(mask(source))))
    except RecursionError:
        return frozenset()


@lru_cache(maxsize=4096)
def _capabilities(source: str, names: Names) -> tuple[Capability, ...]:
    masked = mask(source)
    found = list[Capability]()
    reader = Reader(names | _bound(source))
    try:
        for tree in _trees(masked):
            reader.read(tree)
        for magic in masked.magics:
            for could in read_magic(magic):
                if isinstance(could, Capability):
                    found.append(could)
                else:
                    _read_at(reader, could, magic.line)
        for line, text in _examples(source):
            _read_at(reader, text, line)
    except RecursionError:
        found.append(Capability("obscure", "nested", 1, "do what nobody sees: it is nested too deeply to be read"))
    once: dict[tuple[str, str], Capability] = {}
    for c in sorted([*found, *reader.found.values()], key=lambda c: (c.line, c.kind, c.what)):
        once.setdefault((c.kind, c.what), c)
    return tuple(once.values())


def _read_at(reader: Reader, text: str, line: int) -> None:
    tree = parse(text.strip())
    if tree is not None:
        reader.read(ast.increment_lineno(tree, line - 1))


def _examples(source: str) -> Iterator[tuple[int, str]]:
    if ">>>" not in source:
        return
    lines = [line.strip() for line in source.splitlines()]
    for example in examples_of(source):
        first = f">>> {example.source.splitlines()[0].strip()}"
        yield lines.index(first) + 1 if first in lines else 1, example.source


def _trees(masked: Masked) -> list[ast.Module]:
    """The tree of a source; of one that is no Python, what is left when the lines that Python minds are passed over.

    A `print x` of Python 2 is read as its arguments, so that a cell which is translated from it gains nothing.
    """
    if masked.opaque:
        return []
    tree = parse_masked(masked)
    if tree is not None:
        return [tree]
    lines = masked.text.split("\n")
    for _ in range(_ROUNDS):
        try:
            return [ast.parse("\n".join(lines))]
        except SyntaxError as e:
            at = (e.lineno or 1) - 1
            if not 0 <= at < len(lines) or lines[at].strip() == "pass":
                return []
            printed = re.match(r"(\s*)(?:print|exec|raise)\b(?!\s*\()\s*(?:>>\s*[\w.]+\s*,)?(.*?),?\s*$", lines[at])
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            lines[at] = f"{printed[1]}({printed[2]})" if printed else f"{indent}pass"
        except (ValueError, RecursionError, MemoryError):
            return []
    return []
