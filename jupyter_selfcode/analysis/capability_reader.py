"""The reader behind `capabilities`: walks a cell's tree once and notes what each part could do.

It judges references, not only calls, so that `map(exec, …)`, `@exec` and `run = os.system` say as much as `exec(…)`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from ..values.capability import MEANINGS, Capability, Kind
from . import capability_tables as known
from .capability_names import Meanings, Names, chain, entry_of, true_name
from .capability_texts import folded, read_text

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def short(text: str, width: int = 80) -> str:
    """A text on one line, cut."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"


class Reader:
    """Reads trees, with what names mean in the whole notebook; `found` holds each capability once, at its first line.

    With `line`, everything is told at that line.
    """

    def __init__(self, names: Names, line: int | None = None) -> None:
        self.found: dict[tuple[Kind, str], Capability] = {}
        self._line = line
        self._meanings = Meanings(names)
        self._outer: dict[int, ast.expr] = {}

    def read(self, tree: ast.AST) -> None:
        """Note everything below a tree. Raises RecursionError where it is nested too deeply."""
        calls, done = dict[int, ast.Call](), set[int]()
        self._outer.clear()  # the nodes of an earlier tree are gone, and their ids may be used again
        for node in ast.walk(tree):
            if id(node) in done:
                continue
            match node:
                case ast.Expr(ast.Constant(str()) as words):
                    done.add(id(words))
                case ast.Call():
                    calls[id(node.func)] = node
                    self._outer[id(node.func)] = self._outer.get(id(node), node)
                    self._call(node, done)
                case ast.Attribute():
                    inner = node.value
                    self._outer[id(inner)] = self._outer.get(id(node), node)
                    while isinstance(inner, ast.Attribute):
                        self._inside(inner, node)
                        done.add(id(inner))
                        inner = inner.value
                        self._outer[id(inner)] = self._outer.get(id(node), node)
                    if isinstance(inner, ast.Name) and not inner.id.startswith("_selfcode"):
                        done.add(id(inner))
                    self._reference(node, calls.get(id(node)))
                case ast.Name(ctx=ast.Load()):
                    self._reference(node, calls.get(id(node)))
                case ast.Import() | ast.ImportFrom():
                    self._import(node)
                case ast.While(ast.Constant(value)) if value:
                    self._endless(node)
                case ast.For(iter=ast.Call() as source):
                    if self._has_no_end(source):
                        self._endless(node)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self._definition(node)
                case ast.Raise(ast.Name(name) | ast.Call(ast.Name(name))) if name in known.ENDINGS:
                    self._add("interpreter", f"raise {name}", node, f"end before its last line (raise {name})")
                case ast.Constant() | ast.BinOp() | ast.JoinedStr() | ast.Subscript():
                    self._text(node, done)
                case ast.MatchClass(cls, _, attributes):
                    self._class_pattern(node, cls, attributes)
                case _:
                    pass

    # ---- noting ----------------------------------------------------------------------------------------------------

    def _add(self, kind: Kind, what: str, node: ast.AST, reason: str) -> None:
        line = self._line or int(getattr(node, "lineno", 0) or 1)
        self.found.setdefault((kind, what), Capability(kind, what, line, reason))

    def _reference(self, node: ast.Name | ast.Attribute, call: ast.Call | None) -> None:
        opened = False
        told = self._method(node, call) if isinstance(node, ast.Attribute) else None
        for dotted in sorted(self._meanings.of(node)):
            if call and self._opens(dotted, call):
                opened = True
            elif found := entry_of(dotted):
                if found[1] and found[1][0] != told:
                    self._named(*found[1], found[0], node, call)
            elif dotted in known.CARRIED and isinstance(node.ctx, ast.Load):
                self._add("lookup", dotted, node, f"hand the module {dotted} about, by which all of it is reached")
        if isinstance(node, ast.Attribute):
            self._inside(node, None)
            if not isinstance(node.ctx, ast.Load):
                self._patched(node)
            elif call and node.attr == "open" and not opened:
                self._opened_by_method(call)
        elif node.id.startswith("_selfcode") and not node.id.startswith("_selfcode_magic_"):
            self._add("kernel", node.id, node, f"reach what judges this notebook ({node.id})")
        elif call is None and node.id in ("getattr", "setattr", "delattr", "open"):
            self._add("lookup", node.id, node, f"hand {node.id} about, to look up what is only known when it runs")

    def _named(self, kind: Kind, reason: str, name: str, node: ast.expr, call: ast.Call | None) -> None:
        if name == "yaml.load" and call and any("SafeLoader" in ast.unparse(a) for a in [*call.args, *call.keywords]):
            return
        written = ast.unparse(call or node)
        what = name
        if MEANINGS[kind].severity == "block":
            what = written = ast.unparse(self._outer.get(id(call or node), call or node))
        elif kind in ("write", "load", "alter", "network") and call and call.args:
            what = folded(call.args[0]) or name
        self._add(kind, what, node, f"{reason} ({short(written)})")

    def _inside(self, node: ast.Attribute, outer: ast.Attribute | None) -> None:
        if node.attr in known.INSIDES and not (node.attr == "__class__" and outer and outer.attr == "__name__"):
            self._add("objects", node.attr, node, f"reach the interpreter through an object's insides ({node.attr})")
        elif node.attr.startswith("_selfcode"):
            self._add("kernel", node.attr, node, f"reach what judges this notebook ({node.attr})")

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and (node.level or not node.module):
            self._add("import", "import .", node, "run a module that lies beside the notebook (a relative import)")
            return
        for alias in node.names:
            module = alias.name if isinstance(node, ast.Import) else node.module or ""
            member = "" if isinstance(node, ast.Import) else alias.name
            if member == "*" and true_name(module) in known.CARRIED:
                self._add("lookup", f"import {module}", node, f"take all names of {module}, by which all of it is reached")
            elif member and (found := entry_of(true_name(f"{module}.{member}"))):
                if found[1]:
                    kind, reason = found[1]
                    self._add(kind, f"import {module}.{member}", node, f"{reason} (from {module} import {member})")
                continue
            self._module(node, module)

    def _module(self, node: ast.AST, module: str) -> None:
        top, parts = module.partition(".")[0], true_name(module).split(".")
        plain = top in known.PLAIN_MODULES
        for k in range(len(parts), 1 if plain else 0, -1):
            if entry := known.NAMES.get(".".join([*parts[:k], "*"])):
                self._add(entry[0], f"import {module}", node, f"{entry[1]} (import {module})")
                return
        if not plain:
            said = f"use the module {top}, which is not among the ordinary ones: importing it runs its code"
            self._add("import", f"import {top}", node, said)

    # ---- calls -----------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, done: set[int]) -> None:
        self._text(node, done)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        attr = node.func.attr if isinstance(node.func, ast.Attribute) else name
        if name in ("getattr", "setattr", "delattr") and node.args:
            self._attribute_by_name(node, name)
        elif name in ("vars", "globals", "locals"):
            self._add("lookup", ast.unparse(node), node, f"look names up that are only known when it runs ({name}())")
        elif attr in ("attrgetter", "methodcaller") and node.args and folded(node.args[0]) is None:
            self._add("lookup", attr, node, f"look up what is only known when it runs ({attr})")
        meanings = self._meanings.of(node.func)
        if attr in ("query", "eval") and isinstance(node.func, ast.Attribute):
            self._runs_text(node, certain=attr == "eval")
        elif meanings & known.TEXT_RUNNERS or any(m.startswith(known.FORMULA_RUNNERS) for m in meanings):
            self._runs_text(node, certain=True)
        if (attr == "join" or name in ("bytes", "bytearray")) and _numbered(node):
            self._add("obscure", ast.unparse(node), node, "make a text of the numbers of its letters")
        for value in [*node.args, *(k.value for k in node.keywords if k.arg)]:
            text = folded(value) if isinstance(value, ast.Constant) else None
            if text and "~" in text and "\n" not in text:
                self._as_code(node, text.replace("~", "+").lstrip("+ "), formula=True)
        for keyword in node.keywords:
            said = folded(keyword.value) if keyword.arg in ("mmap_mode", "mode") else None
            if keyword.arg == "allow_pickle" and not _is(keyword.value, False):
                self._add("load", "allow_pickle", node, f"load a format that may carry code ({short(ast.unparse(node))})")
            elif keyword.arg == "url" and attr in known.PICTURES:
                self._add("network", attr, node, f"have the reader's browser fetch something ({short(ast.unparse(node))})")
            elif keyword.arg == "mmap_mode" and said not in ("r", "c"):
                self._add("write", attr, node, f"write files ({short(ast.unparse(node))})")

    def _attribute_by_name(self, node: ast.Call, name: str) -> None:
        attr = folded(node.args[1]) if len(node.args) > 1 else None
        if attr is None:
            self._add("lookup", ast.unparse(node), node, f"look up what is only known when it runs ({short(ast.unparse(node))})")
            return
        context: ast.expr_context = ast.Load() if name == "getattr" else ast.Store()
        self._reference(ast.copy_location(ast.Attribute(node.args[0], attr, context), node), None)

    def _opens(self, dotted: str, call: ast.Call) -> bool:
        """Whether a call opens a file, which is noted."""
        if dotted == "sqlite3.connect":
            place = folded(call.args[0]) if call.args else None
            if place != ":memory:":
                self._add("write", place or dotted, call, f"write a database file ({short(ast.unparse(call))})")
            return True
        if dotted not in known.OPENERS:
            return False
        at, default = known.OPENERS[dotted]
        self._opened(call, at, default, folded(call.args[0]) if call.args else None)
        return True

    def _opened(self, call: ast.Call, at: int, default: str, place: str | None) -> None:
        given = next((k.value for k in call.keywords if k.arg == "mode"), call.args[at] if len(call.args) > at else None)
        unsure = any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)
        mode = default if given is None and not unsure else folded(given) if given else None
        plain = mode in ("readonly", "copyonwrite") or (mode is not None and not set(mode) & set("wax+"))
        kind: Kind = "read" if plain else "write"
        self._add(kind, place or ast.unparse(call.func), call, f"{kind} files ({short(ast.unparse(call))})")

    def _runs_text(self, node: ast.Call, *, certain: bool) -> None:
        """Read the texts that a call runs; where it is `certain` to run its first argument, that must be readable."""
        values = [*node.args, *(k.value for k in node.keywords if k.arg in ("expr", "stmt", "setup", "formula"))]
        for place, value in enumerate(values):
            text = folded(value)
            if text is not None:
                self._as_code(node, text)
                if isinstance(value, ast.JoinedStr) and re.search(r"@(?!\w)", text):
                    text = None
            made = (certain and place == 0) or isinstance(value, ast.JoinedStr)
            if text is None and made and not isinstance(value, (ast.Lambda, ast.Constant)):
                written = short(ast.unparse(node))
                self._add("text", written, node, f"run as code a text that is made when it runs ({written})")

    def _as_code(self, node: ast.Call, text: str, *, formula: bool = False) -> None:
        """Read a text that a library runs as the code that it is; calls and reach through `@` in it are told as well."""
        try:
            tree = ast.parse(text.replace("@", "_at_.").replace("`", "").strip())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        inner = Reader(self._meanings.names, getattr(node, "lineno", 1))
        inner.read(tree)
        self.found = inner.found | self.found
        for part in ast.walk(tree):
            called = isinstance(part, ast.Call) and formula and ast.unparse(part.func) not in known.PLAIN_IN_FORMULAS
            base, rest = chain(part) if isinstance(part, ast.Attribute) else (None, [])
            if called or (isinstance(base, ast.Name) and base.id == "_at_" and len(rest) > 1):
                self._add("text", text, node, f"hand a library the text {short(text, 60)!r}, which it runs as code")
                return

    def _opened_by_method(self, call: ast.Call) -> None:
        """`path.open("w")`: told by what stands where the mode stands."""
        first = folded(call.args[0]) if call.args else None
        if (first and set(first) <= set("rwaxbt+")) or any(k.arg == "mode" for k in call.keywords):
            self._opened(call, 0, "r", None)

    def _method(self, node: ast.Attribute, call: ast.Call | None) -> Kind | None:
        """A method told by its name alone, whatever it is a method of; the kind that was told."""
        if not isinstance(node.ctx, ast.Load):
            return None
        attr = node.attr
        kind: Kind | None = next((k for k, names in _METHODS.items() if attr in names), None)
        if call is not None and attr in known.TEXT_WRITERS:
            given = {k.arg for k in call.keywords if not _is(k.value, None)}
            positional = call.args and not _is(call.args[0], None)
            kind = "write" if positional or given & known.PLACES or None in given else None
        elif attr in known.TEXT_WRITERS or (call is not None and attr == "save" and (call.args or call.keywords)):
            kind = "write"
        if kind is None:
            return None
        written = ast.unparse(call or node)
        places = [*call.args[:1], *(k.value for k in call.keywords if k.arg in known.PLACES)] if call else []
        place = next((text for value in places if (text := folded(value))), None)
        what = written if MEANINGS[kind].severity == "block" else place or attr
        self._add(kind, what, node, f"{_SAID[kind]} ({short(written)})")
        return kind

    # ---- the rest --------------------------------------------------------------------------------------------------

    def _patched(self, node: ast.Attribute) -> None:
        base, rest = chain(node)
        if not isinstance(base, ast.Name):
            return
        for dotted in sorted(self._meanings.bound(base.id)):
            if not known.SETTINGS & {*dotted.split("."), *rest}:
                written = ast.unparse(node)
                self._add("patch", written, node, f"replace {short(written)} for every cell")

    def _class_pattern(self, node: ast.MatchClass, cls: ast.expr, attributes: Iterable[str]) -> None:
        for attr in attributes:
            self._reference(ast.copy_location(ast.Attribute(cls, attr, ast.Load()), node), None)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.name in known.SHOWN:
            self._add("browser", node.name, node, f"decide what the notebook shows for an object ({node.name})")
        elif node.name in known.BY_ITSELF:
            self._add("interpreter", node.name, node, f"define {node.name}, which Python calls by itself")
        elif node.name in known.COMPARING:
            returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
            if returned and all(isinstance(v, ast.Constant) and v.value for v in returned):
                self._add("patch", node.name, node, f"answer that all is equal ({node.name} gives the same for everything)")

    def _has_no_end(self, source: ast.Call) -> bool:
        match source:
            case ast.Call(ast.Name("iter"), [ast.Name(kind), _]) if kind in ("int", "float", "list", "dict", "bool", "str"):
                return True
            case _:
                return any(m in known.WITHOUT_END for m in self._meanings.of(source.func)) and len(source.args) < 2

    def _endless(self, node: ast.While | ast.For) -> None:
        for part in _same_loop(node.body):
            if isinstance(part, (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)):
                return
        self._add("endless", ast.unparse(node), node, "go on without end (a loop with no way out)")

    def _text(self, node: ast.AST, done: set[int]) -> None:
        text = folded(node)
        if text is None:
            return
        done.update(id(inner) for inner in ast.walk(node))
        for kind, what, reason in read_text(text):
            self._add(kind, what, node, reason)


_METHODS: Mapping[Kind, frozenset[str]] = {
    **{"write": known.WRITERS, "alter": known.ALTERERS, "delete": known.DELETERS},
    **{"native": known.EXTENDERS, "network": known.FETCHERS, "load": known.LOADERS, "read": known.READERS},
}
_SAID: Mapping[Kind, str] = {
    **{"write": "write files", "alter": "move, link or re-permission files", "delete": "delete files"},
    **{"native": "call native code, which no check of Python sees", "network": "reach the network"},
    **{"load": "load a format that may carry code", "read": "read files"},
}


def _is(node: ast.expr, value: Literal[False] | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _numbered(node: ast.Call) -> bool:
    """Whether a call makes a text of numbers that are written out."""
    letters = not isinstance(node.func, ast.Attribute) or any(isinstance(n, ast.Name) and n.id == "chr" for n in ast.walk(node))
    return letters and any(
        isinstance(n, (ast.List, ast.Tuple)) and len(n.elts) > 3 and all(_is_letter(e) for e in n.elts) for n in ast.walk(node)
    )


def _is_letter(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and 9 <= node.value < 127


def _same_loop(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Statements and expressions that may end this loop: not the inside of functions, nor the `break` of inner loops."""
    left = list(body)
    while left:
        node = left.pop()
        if isinstance(node, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
            continue
        yield node
        inner = isinstance(node, (ast.While, ast.For, ast.AsyncFor))
        left += [n for n in ast.iter_child_nodes(node) if not (inner and isinstance(n, ast.Break))]
