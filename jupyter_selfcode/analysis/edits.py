"""One cell's code before and after a change, with what was asked for: what every rule of `fake_fixes` reads.

A rule looks for what the change ADDED or took away, never at what was there already, and weighs it by why the change
is made: a repair that nobody asked to tolerate anything is refused where words that ask for it would only be asked about.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ..values.request import Failure
from ..values.trial import Finding, Severity
from .magics import parse

Marked = Iterator[tuple[str, ast.AST]]
"""What an extractor yields: a key that says what it is, and where it stands."""

TOLERATE = re.compile(
    r"(?i)tolerat|missing|absent|optional|\bskip|ignor|fall ?back|default|robust|handl|invalid|malformed|\bbad\b|coerc|"
    r"lenient|\berrors?\b|except|\bfail|unreadable|corrupt|may not|might not|if (there|it|any)"
)
FILL = re.compile(
    r"(?i)missing|fill|\bnan\b|\bnull|\bna\b|drop|imput|interpolat|empty|clean|blank|default|tolerat|absent|gaps?\b"
)
RANDOM = re.compile(
    r"(?i)random|sampl|simulat|synthetic|nois[ey]|bootstrap|monte|shuffl|permut|generat|dummy|\btoy|example data|jitter|split|"
    r"cluster|train|walk|dice|coin"
)
REMOVE = re.compile(
    r"(?i)remov|delet|\bdrop|\bclear|empty|without|clean|no longer|get rid|simplif|replac|merge|split|instead"
)
CHECKS = re.compile(r"(?i)assert|\bchecks?\b|\btests?\b|validat|\brais|verif|contract")
CONTAINERS = (ast.Dict, ast.List, ast.Tuple)
SILENCE = re.compile(r"(?i)warn|silenc|quiet|suppress|nois")


@dataclass(frozen=True)
class Edit:
    """`repair`: something failed and this is to mend it. `needed`: names that other cells read. `defined`: functions
    that other cells define, `moved`: statements that the same change puts into other cells. `recorded`: the text of outputs
    that the notebook carries for this cell. `around`: the code of the whole notebook before, as `written` writes it."""

    old: str
    new: str
    failure: Failure | None = None
    repair: bool = False
    words: str = ""
    recorded: str = ""
    wants: str = ""
    needed: Collection[str] = field(default=())
    defined: Collection[str] = field(default=())
    moved: Collection[str] = field(default=())
    around: str = ""

    @cached_property
    def before(self) -> ast.Module:
        """The old tree; an empty one where it does not parse."""
        return parse(self.old) or ast.Module([], [])

    @cached_property
    def after(self) -> ast.Module:
        """The new tree; an empty one where it does not parse."""
        return parse(self.new) or ast.Module([], [])

    @property
    def fresh(self) -> bool:
        """Whether there was no code before: a generated cell."""
        return not self.before.body

    @cached_property
    def subjects(self) -> frozenset[str]:
        """What the failure is about: quoted names of its message, and a bare KeyError's key."""
        if self.failure is None:
            return frozenset()
        text = self.failure.evalue
        found = {m.group(2) for m in re.finditer(r"(['\"`])([^'\"`]{1,80})\1", text)}
        if self.failure.ename == "KeyError":
            found.add(text.strip("'\" "))
        return frozenset(found)

    def weigh(self, asked: re.Pattern[str], fresh: Severity | None = None) -> Severity | None:
        """How grave something is that the words may have asked for."""
        wanted = bool(asked.search(self.words))
        if self.repair:
            return "ask" if wanted else "block"
        if self.fresh:
            return None if wanted else fresh
        return None if wanted else "ask"

    def added(self, extract: Callable[[ast.Module], Marked]) -> list[ast.AST]:
        """What the new tree has more of than the old."""
        return surplus(extract(self.after), extract(self.before))

    def removed(self, extract: Callable[[ast.Module], Marked]) -> list[ast.AST]:
        """What the old tree had more of than the new."""
        return surplus(extract(self.before), extract(self.after))

    @cached_property
    def _held(self) -> frozenset[str]:
        return frozenset(written(n) for n in ast.walk(self.before) if isinstance(n, CONTAINERS))

    def stood(self, data: ast.expr) -> bool:
        """Whether a literal was in the code before, whole or row by row: `append({…})` that is now `DataFrame([{…}])`."""
        rows = data.elts if isinstance(data, (ast.List, ast.Tuple)) else []
        return written(data) in self._held or (
            bool(rows) and all(isinstance(r, CONTAINERS) and written(r) in self._held for r in rows)
        )

    @cached_property
    def old_statements(self) -> Counter[str]:
        """Every statement of the old cell, written one way."""
        return Counter(written(s) for s in ast.walk(self.before) if isinstance(s, ast.stmt))

    @cached_property
    def new_statements(self) -> Counter[str]:
        """Every statement of the new cell, written one way."""
        return Counter(written(s) for s in ast.walk(self.after) if isinstance(s, ast.stmt))


def surplus(more: Marked, less: Marked) -> list[ast.AST]:
    """The marks of `more` that `less` does not have, each as often as it is new."""
    left = Counter(key for key, _ in less)
    found = []
    for key, node in more:
        if left[key]:
            left[key] -= 1
        else:
            found.append(node)
    return found


def written(node: ast.AST) -> str:
    """The code of a node, written one way."""
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return ast.dump(node)


def brief(node: ast.AST | str, width: int = 70) -> str:
    """A node as people are shown it, on one line."""
    text = " ".join((node if isinstance(node, str) else written(node)).split())
    return text if len(text) <= width else text[: width - 1] + "…"


def finding(kind: str, severity: Severity | None, message: str) -> Iterator[Finding]:
    """A finding, or nothing where the severity is None."""
    if severity is not None:
        yield Finding(f"fake-fix:{kind}", message, severity)


def alike(a: str, b: str) -> bool:
    """Whether two names look like one that was renamed: same letters but for case and marks, a shared word, or near."""
    x, y = (re.sub(r"[^a-z0-9]", "", s.lower()) for s in (a, b))
    if not x or not y:
        return False
    words = [
        {w for w in re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", s).lower()) if len(w) > 2}
        for s in (a, b)
    ]
    return x in y or y in x or bool(words[0] & words[1]) or difflib.SequenceMatcher(None, x, y).ratio() >= 0.6


def constant(node: ast.AST | None) -> bool:
    """Whether an expression holds no computation on data: literals, containers of literals, NaN, zeros and the like."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(constant(e) for e in node.elts)
    if isinstance(node, ast.Dict):
        return all(constant(e) for e in [*(k for k in node.keys if k), *node.values])
    if isinstance(node, ast.UnaryOp):
        return constant(node.operand)
    if isinstance(node, ast.BinOp):
        return constant(node.left) and constant(node.right)
    if isinstance(node, ast.Attribute):
        return node.attr in ("nan", "NaN", "NA", "NaT", "inf", "NAN")
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("zeros", "ones", "full", "empty", "zeros_like", "ones_like", "full_like"):
            return True
        made = ("float", "int", "str", "dict", "list", "set", "tuple", "DataFrame", "Series", "array", "repeat")
        return name in made and all(constant(a) for a in [*node.args, *(k.value for k in node.keywords)])
    return False
