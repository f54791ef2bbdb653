"""Fake fixes by control: an exception swallowed, code skipped, commented out or left early, warnings silenced."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator

from ..values.trial import Finding, Severity
from .edits import REMOVE, SILENCE, TOLERATE, Edit, Marked, brief, constant, finding, written
from .magics import mask
from .trees import dotted

BROAD = ("", "Exception", "BaseException")
SAYING = ("print", "display", "warn", "warning", "info", "debug", "error", "exception", "log", "write", "print_exc")


def call_name(node: ast.AST) -> str:
    """The last name of what is called; empty for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _types(handler: ast.ExceptHandler) -> list[str]:
    if handler.type is None:
        return [""]
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [dotted(p) or written(p) for p in parts]


def gives_up(statement: ast.stmt) -> bool:
    """Whether a handler's statement only passes, speaks, or sets a default."""
    match statement:
        case ast.Pass() | ast.Continue() | ast.Break():
            return True
        case ast.Expr(ast.Constant()):
            return True
        case ast.Expr(ast.Call() as call):
            return call_name(call) in SAYING
        case ast.Return(value):
            return value is None or constant(value)
        case ast.Assign(value=value) | ast.AnnAssign(value=value):
            return value is None or constant(value)
    return False


def _handlers(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Try, ast.TryStar)):
            for handler in node.handlers:
                yield f"{_types(handler)} {[written(s) for s in handler.body]}", handler


def _suppressions(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if (
            call_name(node) in ("suppress", "ignore_warnings")
            and isinstance(node, ast.Call)
            and "suppress" in written(node.func)
        ):
            yield written(node), node


def swallowed(edit: Edit) -> Iterator[Finding]:
    """A new handler that passes, prints or sets a default; a new `suppress`."""
    for node in edit.added(_suppressions):
        yield from finding("swallowed", edit.weigh(TOLERATE, "ask"), f"{brief(node)} swallows exceptions.")
    for handler in edit.added(_handlers):
        assert isinstance(handler, ast.ExceptHandler)
        body = [s for s in handler.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        types = _types(handler)
        shown = f"except {', '.join(types)}".strip()
        if any(isinstance(n, ast.Raise) for s in body for n in ast.walk(s)):
            continue
        if any("Import" in t or "ModuleNotFound" in t for t in types) and any(
            isinstance(n, (ast.Import, ast.ImportFrom)) for s in body for n in ast.walk(s)
        ):
            continue
        broad = any(t in BROAD for t in types)
        if all(gives_up(s) for s in body):
            severity = edit.weigh(TOLERATE, "ask" if broad else None)
            if severity is None and broad and not edit.fresh:
                severity = "ask"
            yield from finding("swallowed", severity, f"'{shown}' swallows the exception and goes on.")
        elif edit.repair or (broad and not TOLERATE.search(edit.words)):
            yield from finding(
                "swallowed", "ask", f"'{shown}' goes another way when the code fails; is that way right?"
            )


def widened(edit: Edit) -> Iterator[Finding]:
    """A `try` that was there and now covers more of what was outside of it."""
    inside_before = {
        written(s) for t in ast.walk(edit.before) if isinstance(t, ast.Try) and t.handlers for part in t.body for s in ast.walk(part)
        if isinstance(s, ast.stmt)
    }  # fmt: skip
    known = {key for key, _ in _handlers(edit.before)}
    for node in ast.walk(edit.after):
        if not isinstance(node, ast.Try) or not node.handlers:
            continue
        kept = [h for h in node.handlers if f"{_types(h)} {[written(s) for s in h.body]}" in known]
        gained = [s for s in node.body if written(s) in edit.old_statements and written(s) not in inside_before]
        if kept and gained:
            yield from finding("swallowed", edit.weigh(TOLERATE), f"The try was widened over {brief(gained[0])}.")


def _lenient(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for k in node.keywords:
            value = k.value.value if isinstance(k.value, ast.Constant) else None
            if (
                (k.arg in ("errors", "encoding_errors") and value in ("ignore", "coerce", "replace"))
                or (k.arg == "on_bad_lines" and value in ("skip", "warn"))
                or (
                    k.arg in ("error_bad_lines", "check", "verify", "raise_on_error", "raise_errors") and value is False
                )
                or (k.arg in ("ignore_errors", "skip_errors") and value is True)
                or (k.arg in ("error_score",) and value is not None)
            ):
                yield f"{k.arg}={value!r}", k


def lenient(edit: Edit) -> Iterator[Finding]:
    """A new option that makes a library swallow what is wrong."""
    for node in edit.added(_lenient):
        assert isinstance(node, ast.keyword)
        if node.arg == "on_bad_lines" and "error_bad_lines" in edit.old:  # the documented successor
            continue
        yield from finding(
            "lenient", edit.weigh(TOLERATE), f"{node.arg}={written(node.value)} passes over what cannot be read."
        )


def _exits(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (
            dotted(node.func) in ("sys.exit", "os._exit", "os.abort", "exit", "quit") or call_name(node) == "_exit"
        ):
            yield written(node.func), node
        elif isinstance(node, ast.Raise) and node.exc is not None:
            name = dotted(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
            if name in ("SystemExit", "KeyboardInterrupt", "StopExecution", "StopIteration"):
                yield name, node


def _dead(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.While)) and isinstance(node.test, ast.Constant):
            body = node.orelse if node.test.value else node.body
            if body:
                yield "dead " + written(body[0]), node


def left_early(edit: Edit) -> Iterator[Finding]:
    """A new exit, or code that can no longer be reached."""
    for node in edit.added(_exits):
        yield from finding("exit", "block", f"{brief(node)} ends the cell instead of mending it.")
    for node in edit.added(_dead):
        yield from finding("dead-code", "block", f"{brief(node, 40)} makes code that never runs.")


def _mentions(test: ast.expr, subjects: frozenset[str]) -> bool:
    held = {n.value for n in ast.walk(test) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    held |= {n.id for n in ast.walk(test) if isinstance(n, ast.Name)}
    held |= {n.attr for n in ast.walk(test) if isinstance(n, ast.Attribute)}
    return bool(held & subjects)


def _guards(test: ast.expr) -> bool:
    """Whether a test asks if something is there at all."""
    for n in ast.walk(test):
        if isinstance(n, ast.Compare) and isinstance(n.ops[0], (ast.In, ast.NotIn, ast.Is, ast.IsNot)):
            return True
        if call_name(n) in ("hasattr", "exists", "is_file", "isinstance", "any", "all"):
            return True
        if isinstance(n, ast.Attribute) and n.attr == "empty":
            return True
    return isinstance(test, ast.Name) or (isinstance(test, ast.UnaryOp) and isinstance(test.operand, ast.Name))


def _ifs(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.IfExp)):
            yield written(node.test), node


def _body(node: ast.If | ast.IfExp) -> str:
    return "\n".join(map(written, [*node.body, *node.orelse])) if isinstance(node, ast.If) else ""


def skipped(edit: Edit) -> Iterator[Finding]:
    """A new condition under which what failed is not done, or gives a constant."""
    if not edit.repair:
        return
    bodies_before = {_body(n) for n in ast.walk(edit.before) if isinstance(n, ast.If)}
    for node in edit.added(_ifs):
        assert isinstance(node, (ast.If, ast.IfExp))
        if _body(node) in bodies_before:  # the condition alone is another one
            continue
        if not _guards(node.test):
            if isinstance(node, ast.If) and not (node.orelse or edit.fresh or all(isinstance(n, ast.Raise) for n in node.body)):
                shown = f"{brief(node.test, 40)}: {brief(node.body[0])}"
                yield from finding("skipped", "ask", f"if {shown} leaves out what does not meet the condition.")
            continue
        about = _mentions(node.test, edit.subjects)
        if isinstance(node, ast.IfExp):
            if constant(node.orelse) or constant(node.body):
                yield from finding(
                    "skipped", _severity(edit, about), f"{brief(node)} puts a constant where data is missing."
                )
            continue
        if all(isinstance(n, (ast.Raise, ast.Assert)) for n in node.body) and not node.orelse:
            continue
        bodies = [node.body, node.orelse] if node.orelse else [node.body]
        moved = [s for body in bodies for s in body if written(s) in edit.old_statements]
        trivial = [body for body in bodies if all(gives_up(s) for s in body)]
        if trivial:
            severity: Severity = "ask" if TOLERATE.search(edit.words) else "block"
            yield from finding("skipped", severity, f"if {brief(node.test)}: gives up instead of computing.")
        elif moved and not node.orelse:
            yield from finding(
                "skipped", _severity(edit, True), f"{brief(moved[0])} now runs only if {brief(node.test, 40)}."
            )


def _severity(edit: Edit, about: bool) -> Severity:
    return "block" if about and not TOLERATE.search(edit.words) else "ask"


def commented_out(edit: Edit) -> Iterator[Finding]:
    """Code of the old cell that stands in the new one as a comment, with nothing in its place."""
    comments = [m.group(1).strip() for m in re.finditer(r"(?m)^[ \t]*#+[ \t]*(.+)$", edit.new)]
    had = {m.group(1).strip() for m in re.finditer(r"(?m)^[ \t]*#+[ \t]*(.+)$", edit.old)}
    code = {line.strip() for line in edit.old.split("\n") if line.strip() and not line.strip().startswith("#")}
    now = {line.strip() for line in edit.new.split("\n")}
    came = [line for line in now - code if line and not line.startswith("#")]
    for comment in comments:
        if comment in had or comment not in code or comment in now:
            continue
        bound = re.match(r"[\w.\[\]'\", ]+=(?!=)", comment)
        if bound and any(line.startswith(bound.group()) for line in came):
            continue
        if not any(difflib.SequenceMatcher(None, comment, line).ratio() > 0.5 for line in came):
            yield from finding("commented-out", edit.weigh(REMOVE), f"{brief(comment)} was commented out.")


def made_opaque(edit: Edit) -> Iterator[Finding]:
    """Python that another interpreter, or none, would read now (`%%script false`, `%%bash`)."""
    if mask(edit.new).opaque and not mask(edit.old).opaque:
        yield from finding("opaque", "block", f"{edit.new.lstrip().splitlines()[0]} takes the cell away from Python.")


def _silenced(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        text = written(node) if isinstance(node, (ast.Call, ast.Assign)) else ""
        if (
            isinstance(node, ast.Call)
            and (
                (call_name(node) in ("filterwarnings", "simplefilter") and "ignore" in text)
                or (call_name(node) in ("seterr", "errstate") and "ignore" in text)
                or dotted(node.func) in ("logging.disable", "contextlib.redirect_stderr", "redirect_stderr")
                or (call_name(node) == "catch_warnings" and not node.keywords)
            )
        ) or (isinstance(node, ast.Assign) and ("chained_assignment" in text or "PYTHONWARNINGS" in text)):
            yield text, node


def silenced(edit: Edit) -> Iterator[Finding]:
    """Warnings that are no longer seen."""
    warned = edit.failure is not None and edit.failure.ename.endswith("Warning")
    for node in edit.added(_silenced):
        severity: Severity | None = "block" if warned else edit.weigh(SILENCE)
        yield from finding(
            "silenced", "ask" if severity == "block" and not warned else severity, f"{brief(node)} hides warnings."
        )


def _shrugs(tree: ast.Module) -> Marked:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
            if len(body) <= 1 and all(gives_up(s) for s in body):
                yield node.name, node


def emptied_functions(edit: Edit) -> Iterator[Finding]:
    """A function that computed and now only passes or gives a constant; an `__eq__` that is always true."""
    computed = {n.name for n in ast.walk(edit.before) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
    for node in edit.added(_shrugs):
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if node.name in ("__eq__", "__ne__", "__bool__", "__contains__"):
            yield from finding("shadowed", "block", f"{node.name} always gives the same answer.")
        elif node.name in computed:
            yield from finding("emptied", edit.weigh(REMOVE), f"{node.name} no longer computes anything.")


RULES = (
    swallowed, widened, lenient, left_early, skipped, commented_out, made_opaque, silenced, emptied_functions,
)  # fmt: skip
