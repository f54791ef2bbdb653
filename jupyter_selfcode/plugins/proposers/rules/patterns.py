"""Patterns and templates: Python expressions in which capitals stand for parts, as `analysis.removed` describes them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from ....analysis.trees import dotted
from .spans import Edit, Text

_KINDS: Mapping[str, type[ast.expr]] = {"DICT": ast.Dict, "LIST": ast.List}
_ATOMS = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant, ast.List, ast.Dict, ast.Set, ast.JoinedStr)
Refer = Callable[[str], str | None]


@dataclass
class Match:
    """What the capitals of a pattern stand for. `rest`: the call that `**REST` belongs to, and the arguments taken."""

    node: ast.expr
    parts: dict[str, ast.expr] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    rest: tuple[ast.Call, list[ast.AST]] | None = None


@dataclass(frozen=True)
class Matcher:
    """Matches patterns under what is known of names: `resolve` gives full names of imports (and builtins), `module` says
    what is an imported module, `kind` gives types."""

    resolve: Callable[[ast.expr], str]
    module: Callable[[ast.expr], bool]
    kind: Callable[[ast.expr], str]

    def match(self, pattern: ast.expr, node: ast.expr, where: Mapping[str, str]) -> Match | None:
        """The match of a pattern at this node, or None."""
        found = Match(node)
        return found if self._fits(pattern, node, where, found) else None

    def _fits(self, p: ast.AST, n: ast.AST, where: Mapping[str, str], found: Match) -> bool:
        if literal := literal_name(p):
            return isinstance(n, (ast.Name, ast.Attribute)) and self.resolve(n) == literal
        if isinstance(p, ast.Name):
            return isinstance(n, ast.expr) and self._part(p.id, n, where, found)
        if type(p) is not type(n):
            return False
        if isinstance(p, ast.Attribute) and isinstance(n, ast.Attribute):
            if p.attr == "M":
                found.names["M"] = n.attr
            elif p.attr != n.attr:
                return False
            if isinstance(p.value, ast.Name) and p.value.id != "AX" and self.module(n.value):
                return False  # np.append is not a method of something
            return self._fits(p.value, n.value, where, found)
        if isinstance(p, ast.Call) and isinstance(n, ast.Call):
            return self._fits(p.func, n.func, where, found) and self._arguments(p, n, where, found)
        if isinstance(p, ast.Constant) and isinstance(n, ast.Constant):
            return type(p.value) is type(n.value) and p.value == n.value
        if isinstance(p, ast.Subscript) and isinstance(n, ast.Subscript):
            return self._fits(p.value, n.value, where, found) and self._fits(p.slice, n.slice, where, found)
        return ast.dump(p) == ast.dump(n)

    def _part(self, name: str, n: ast.expr, where: Mapping[str, str], found: Match) -> bool:
        if name in _KINDS and not isinstance(n, _KINDS[name]):
            return False
        if name in where and self.kind(n) != where[name]:
            return False
        if name in found.parts:
            return ast.dump(found.parts[name]) == ast.dump(n)
        found.parts[name] = n
        return True

    def _arguments(self, p: ast.Call, n: ast.Call, where: Mapping[str, str], found: Match) -> bool:
        rest = any(k.arg is None for k in p.keywords)
        if len(n.args) < len(p.args) or any(isinstance(a, ast.Starred) for a in n.args[: len(p.args)]):
            return False
        taken: list[ast.AST] = []
        for want, given in zip(p.args, n.args, strict=False):
            if not self._fits(want, given, where, found):
                return False
            taken.append(given)
        by_name = {k.arg: k for k in n.keywords if k.arg}
        for k in p.keywords:
            if k.arg is None:
                continue
            if k.arg not in by_name or not self._fits(k.value, by_name[k.arg].value, where, found):
                return False
            taken.append(by_name[k.arg])
        if rest:
            found.rest = (n, taken)
            return True
        return len(taken) == len(n.args) + len(n.keywords)


def literal_name(p: ast.AST) -> str:
    """The full name that a part of a pattern means, or empty where it has capitals of its own."""
    name = dotted(p)
    return "" if name.partition(".")[0].isupper() else name


@cache
def expression(source: str) -> ast.expr | None:
    """A pattern or template as a tree; None where it is a statement."""
    try:
        return ast.parse(source, mode="eval").body
    except SyntaxError:
        return None


# ---- rewriting ------------------------------------------------------------------------------------------------------


def _arguments(call: ast.Call) -> list[ast.expr | ast.keyword]:
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    return sorted(given, key=lambda a: (a.lineno, a.col_offset))


def _without(text: Text, call: ast.Call, gone: ast.expr | ast.keyword) -> Edit:
    """The edit that takes an argument out of a call, with the comma that belongs to it."""
    given = _arguments(call)
    i = given.index(gone)
    start, end = text.span(gone)
    if i + 1 < len(given):
        following = text.span(given[i + 1])[0]
        between = text.text[end:following]
        if "#" in between:
            comma = between.index(",") + 1
            following = end + comma + len(between[comma:]) - len(between[comma:].lstrip(" \t"))
        return Edit(start, following, "")
    if i > 0:
        previous = text.span(given[i - 1])[1]
        return Edit(text.text.rfind(",", previous, start), end, "")
    tail = re.match(r"\s*,", text.text[end:])
    return Edit(start, end + (tail.end() if tail else 0), "")


def _rest(text: Text, match: Match) -> str:
    """The text of all other arguments of the call, as they stand there."""
    if match.rest is None:
        return ""
    call, taken = match.rest
    if not (given := _arguments(call)):
        return ""
    starts = [text.span(a)[0] for a in given]
    ends = [*starts[1:], text.span(call)[1] - 1]
    kept = [text.text[s:e] for a, s, e in zip(given, starts, ends, strict=True) if a not in taken]
    return "".join(kept).rstrip().removesuffix(",").rstrip()


def render(template: str, match: Match, text: Text, refer: Refer) -> str | None:
    """The template with its capitals filled in and its full names as the notebook says them.

    None where a part would be evaluated twice and is more than a name, or where a full name cannot be referred to.
    """
    tokens = [
        t for t in tokenize.generate_tokens(io.StringIO(template).readline) if t.string and t.type != tokenize.COMMENT
    ]
    used = [t.string for t in tokens if t.type == tokenize.NAME and t.string in match.parts]
    if any(used.count(name) > 1 and not dotted(match.parts[name]) for name in used):
        return None
    out, at, i = "", 0, 0
    while i < len(tokens):
        token = tokens[i]
        start, end = token.start[1], token.end[1]
        out += template[at:start]
        previous = tokens[i - 1].string if i else ""
        following = tokens[i + 1].string if i + 1 < len(tokens) else ""
        if token.string == "**" and following == "REST":
            rest = _rest(text, match)
            out = out + rest if rest else out.rstrip().removesuffix(",")
            end, i = tokens[i + 1].end[1], i + 1
        elif token.type == tokenize.NAME and token.string in match.parts:
            part = match.parts[token.string]
            piece = text.of(part)
            bare = isinstance(part, _ATOMS) or (previous in ("(", ",", "[", "=") and following in (")", ",", "]", ""))
            out += piece if bare and not isinstance(part, ast.GeneratorExp) else f"({piece})"
        elif token.type == tokenize.NAME and previous == "." and token.string in match.names:
            out += match.names[token.string]
        elif token.type == tokenize.NAME and previous != "." and following != "=":
            j = i
            while j + 2 < len(tokens) and tokens[j + 1].string == "." and tokens[j + 2].type == tokenize.NAME:
                j += 2
            said = refer(template[start : tokens[j].end[1]])
            if said is None:
                return None
            out += said
            end, i = tokens[j].end[1], j
        else:
            out += token.string
        at, i = end, i + 1
    return out


def _narrow(
    old: ast.AST, new: ast.AST, node: ast.AST, text: Text, refer: Refer, said_as: Callable[[ast.AST], str]
) -> list[Edit] | None:
    """Edits of only the tokens in which a template differs from its pattern; None where it differs in shape."""
    if ast.dump(old) == ast.dump(new):
        return []
    if literal_name(old) and literal_name(new):
        said = refer(literal_name(new))
        return None if said is None else [Edit(*text.span(node), said)]
    if isinstance(old, ast.Attribute) and isinstance(new, ast.Attribute) and isinstance(node, ast.Attribute):
        inner = _narrow(old.value, new.value, node.value, text, refer, said_as)
        end = text.span(node)[1]
        return None if inner is None else [*inner, Edit(end - len(node.attr), end, new.attr)]
    if isinstance(old, ast.Constant) and isinstance(new, ast.Constant):
        return [Edit(*text.span(node), said_as(new))]
    if not (isinstance(old, ast.Call) and isinstance(new, ast.Call) and isinstance(node, ast.Call)):
        return None
    if len(old.args) != len(new.args):
        return None
    parts = zip([old.func, *old.args], [new.func, *new.args], [node.func, *node.args], strict=False)
    found = [_narrow(a, b, c, text, refer, said_as) for a, b, c in parts]
    if any(f is None for f in found):
        return None
    edits = [e for f in found for e in f or ()]
    given = {k.arg: k for k in node.keywords if k.arg}
    before = {k.arg: k.value for k in old.keywords if k.arg}
    after = {k.arg: k.value for k in new.keywords if k.arg}
    if any(name in given for name in after if name not in before):
        return None
    for name in before.keys() & after.keys():
        if ast.dump(before[name]) != ast.dump(after[name]):
            edits.append(Edit(*text.span(given[name].value), said_as(after[name])))
    gone = [name for name in before if name not in after]
    come = [name for name in after if name not in before]
    for name in gone:
        if not come:
            edits.append(_without(text, node, given[name]))
            continue
        to = come.pop(0)
        start, end = text.span(given[name])
        same = ast.dump(before[name]) == ast.dump(after[to])
        edits.append(Edit(start, start + len(name), to) if same else Edit(start, end, f"{to}={said_as(after[to])}"))
    if come:
        said = ", ".join(f"{name}={said_as(after[name])}" for name in come)
        last = text.span(_arguments(node)[-1])[1] if _arguments(node) else text.span(node)[1] - 1
        edits.append(Edit(last, last, f", {said}" if _arguments(node) else said))
    return edits


def rewrite(old: str, new: str, match: Match, text: Text, refer: Refer) -> list[Edit] | None:
    """The edits that make `new` of what matched `old`; None where it cannot be done without loss."""
    if text.text.count('"') > text.text.count("'"):
        new = new.replace("'", '"')  # as the cell quotes
    pattern, template = expression(old), expression(new)
    if pattern is not None and template is not None:
        edits = _narrow(
            pattern, template, match.node, text, refer, lambda n: ast.get_source_segment(new, n) or ast.unparse(n)
        )
        if edits is not None:
            return edits or None
        if isinstance(template, ast.Call) and match.rest:
            given = {k.arg for k in match.rest[0].keywords if k not in match.rest[1]}
            if given & {k.arg for k in template.keywords if k.arg}:
                return None
    said = render(new, match, text, refer)
    span = text.span(match.node)
    if said is None or text.text[slice(*span)].count("#") != said.count("#"):
        return None  # a comment inside would be lost
    return [Edit(*span, said)]
