"""Calls, as a proof reads them: what no table names may do anything."""

# ruff: noqa: N802  (the names are ast.NodeVisitor's)
from __future__ import annotations

import ast
from collections.abc import Sequence

from . import trusted
from .known_calls import FILE_READS
from .strict_values import GIVEN, LOCAL, ValueReader
from .trees import dotted

_CALLED = ("key", "func", "aggfunc", "repl", "converters", "default")
"""Keywords whose value a function calls."""


class CallReader(ValueReader):
    """Reads calls."""

    def visit_Call(self, node: ast.Call) -> None:
        """A function of the notebook, a builtin, a module's function, a method; else a doubt."""
        func, given = node.func, [*node.args, *(k.value for k in node.keywords)]
        if isinstance(func, ast.Name):
            self._named(node, func.id, given)
        elif isinstance(func, ast.Attribute) and (full := self._full(func)):
            self._use(dotted(func).partition(".")[0])
            if full.count(".") > 1:
                self._touch("@modules", write=False)
            self._of_module(node, full, given)
        elif isinstance(func, ast.Attribute):
            self._method(node, func, given)
            self.visit(func.value)
        else:
            self.doubt("it calls what an expression gives")
            self.visit(func)
        for argument in given:
            self.visit(argument)

    # ---- functions -------------------------------------------------------------------------------------------------

    def _named(self, node: ast.Call, name: str, given: Sequence[ast.expr]) -> None:
        if self._is_local(name):
            self.doubt(f"it calls {name}, which it was given")
            return
        self._use(name)
        if name in self.names.functions:
            self._invoke(name, given)
        elif name in self.names.imports:
            self._of_module(node, self.names.imports[name], given)
        elif not self._builtin(name):
            self.doubt(f"it calls {name}")
        elif name == "open":
            mode = next((a.value for a in given[1:2] if isinstance(a, ast.Constant)), "r")
            plain = len(given) < 2 or (len(node.args) > 1 and isinstance(node.args[1], ast.Constant))
            reads = plain and isinstance(mode, str) and not set(mode) & set("wax+")
            if not reads and id(node) not in self._direct:
                self.doubt("a file that is written to is closed by whatever lets go of it")
            self._file(node.args[0] if node.args else None, write=not reads)
        elif name == "next" and given:
            self._change(given[0])
        elif name in ("setattr", "delattr") and given:
            self.doubt(name)
        elif name not in trusted.PURE_BUILTINS or (name == "print" and any(k.arg == "file" for k in node.keywords)):
            self.doubt(f"it calls {name}")
        else:
            self._pure_builtin(node, name, given)

    def _pure_builtin(self, node: ast.Call, name: str, given: Sequence[ast.expr]) -> None:
        direct = id(node) in self._direct
        if name in trusted.CONSUMING and (name not in trusted.LAZY or direct):
            for argument in node.args:
                self._consume(argument)
                self._through(argument)
        if name in trusted.LAZY and not direct:
            for body in self._here:
                body.pours = True
        if name in ("map", "filter"):
            if not direct and not (node.args and self._plain_function(node.args[0])):
                self.doubt(f"{name} calls its function later, when what that uses may be another")
            self._hand(node.args[:1], given[1:])
        if name == "iter" and len(given) > 1:
            self.doubt("iter calls what it is given")
        if name == "filter" and not node.args:
            self.doubt("filter")
        self._keywords(node, given)

    def _through(self, node: ast.expr) -> None:
        """Gone through at once, with what lazy calls inside are given."""
        self._direct.add(id(node))
        if isinstance(node, ast.Call):
            for argument in node.args:
                self._consume(argument)
                self._through(argument)

    def _plain_function(self, node: ast.expr) -> bool:
        """A builtin or a listed function of a module: calling it later is the same as calling it now."""
        if isinstance(node, ast.Name):
            return self._builtin(node.id) and node.id in trusted.FRESH and node.id not in ("print", "display")
        return isinstance(node, ast.Attribute) and trusted.allowed(self._full(node))

    def _keywords(self, node: ast.Call, given: Sequence[ast.expr]) -> None:
        called = [k.value for k in node.keywords if k.arg in _CALLED]
        if any(k.arg is None for k in node.keywords):
            self.doubt("it passes on arguments by names that are not written out")
        self._hand(called, given)

    def _invoke(self, name: str, given: Sequence[ast.expr]) -> None:
        """A function of the notebook runs with these arguments, which it may change and keep."""
        shared = set[str]().union(*map(self._shares, given))
        for body in self._here:
            body.invokes.add(name)
            body.reads.add(name)
            body.handed |= {(name, s) for s in shared if s != LOCAL}
        for s in shared:
            self._mutate(s)
        kinds = set[str]().union(*map(self._kind, given)) | {name + GIVEN}
        named = sorted(shared - {LOCAL})
        self.aliases |= {(named[0], other) for other in named[1:]}
        for s in named:
            self.kinds.setdefault(s, set()).update(kinds - {s})

    def _hand(self, called: Sequence[ast.expr], given: Sequence[ast.expr]) -> None:
        """Values that a trusted function may call, with the rest of what it is given."""
        for value in called:
            if isinstance(value, (ast.Constant, ast.Lambda)):
                continue
            if isinstance(value, ast.Name):
                self._hand_name(value.id, given)
            elif isinstance(value, ast.Attribute):
                full = self._full(value)
                if full:
                    if not trusted.allowed(full):
                        self.doubt(f"it hands on {full}")
                elif value.attr not in trusted.READING:
                    self.doubt(f"it hands on {value.attr}, which may be a method")
            elif isinstance(value, (ast.List, ast.Tuple)):
                self._hand(value.elts, given)
            elif isinstance(value, ast.Dict):
                self._hand(value.values, given)
            else:
                self.doubt("it hands on what an expression gives")

    def _hand_name(self, name: str, given: Sequence[ast.expr]) -> None:
        if self._is_local(name):
            self.doubt(f"it hands on {name}, which it was given")
        elif name in self.names.functions:
            self._invoke(name, given)
        elif name in self.names.imports:
            if not trusted.allowed(self.names.imports[name]):
                self.doubt(f"it hands on {name}")
        elif self._builtin(name):
            if name not in trusted.PURE_BUILTINS or name == "iter":
                self.doubt(f"it hands on {name}")
        else:
            for body in self._here:
                body.held.add(name)

    # ---- modules ---------------------------------------------------------------------------------------------------

    def _of_module(self, node: ast.Call, full: str, given: Sequence[ast.expr]) -> None:
        module, _, name = full.rpartition(".")
        self._keywords(node, given)
        for keyword in node.keywords:
            if keyword.arg in ("out", "ax", "inplace"):
                self._change(keyword.value)
        if module in trusted.RANDOM:
            self._touch("@rng", write=True)
            for argument in given[:1] if name in trusted.CHANGES_FIRST else ():
                self._change(argument)
            if name not in trusted.RANDOM_CALLS:
                self.doubt(f"it calls {full}")
        elif module == "pandas" and name in trusted.READS_FILES:
            self._file(node.args[0] if node.args else None, write=False)
        elif module in ("matplotlib.pyplot", "seaborn"):
            self._touch("@plt", write=name not in trusted.PLOT_CALLS)
            if module == "seaborn":
                self._touch("@rng", write=True)
            if name == "savefig":
                self._file(node.args[0] if node.args else None, write=True)
            elif name not in (*trusted.PLOT_CALLS, "rc", "set_theme", "set_style", "set_palette", "set_context"):
                self.doubt(f"it calls {full}")
        elif full in ("pandas.set_option", "pandas.reset_option", "numpy.set_printoptions"):
            self._touch("@display", write=True)
        elif full in ("warnings.filterwarnings", "warnings.simplefilter", "warnings.resetwarnings"):
            self._touch("@warnings", write=True)
        elif full == "os.chdir":
            self._touch("@cwd", write=True)
        elif full in ("os.getcwd", "os.path.abspath"):
            self._touch("@cwd", write=False)
        elif full in ("os.getenv", "os.environ.get"):
            self._touch("@env", write=False)
        elif full in ("os.environ.update", "os.environ.setdefault", "os.environ.pop", "os.putenv"):
            self._touch("@env", write=True)
        elif full in (
            "os.listdir",
            "os.path.exists",
            "os.path.isfile",
            "os.path.isdir",
            "os.path.getsize",
            "glob.glob",
        ):
            self._file(None, write=False)
        elif full in (
            "os.makedirs",
            "os.mkdir",
            "os.remove",
            "os.rename",
            "os.replace",
            "shutil.rmtree",
            "shutil.copy",
        ):
            self._file(None, write=True)
        elif module.partition(".")[0] == "sklearn" and not any(
            k.arg and k.arg.startswith("copy") for k in node.keywords
        ):
            self._touch("@rng", write=True)
        elif full == "functools.reduce":
            self._hand(node.args[:1], given[1:])
            self._consume(node.args[1] if len(node.args) > 1 else ast.Constant(None))
        elif full in ("re.sub", "re.subn") and len(node.args) > 1:
            self._hand(node.args[1:2], given)
        elif not trusted.allowed(full):
            self.doubt(f"it calls {full}")
        else:
            for argument in node.args:
                self._consume(argument)
                self._through(argument)

    # ---- methods ---------------------------------------------------------------------------------------------------

    def _method(self, node: ast.Call, func: ast.Attribute, given: Sequence[ast.expr]) -> None:
        name, owner = func.attr, func.value
        self._keywords(node, given)
        inplace = next((k.value for k in node.keywords if k.arg == "inplace"), None)
        if inplace is not None and not (isinstance(inplace, ast.Constant) and inplace.value is False):
            self._change(owner)
        if any(k.arg == "ax" for k in node.keywords):
            self._change(next(k.value for k in node.keywords if k.arg == "ax"))
        if name in trusted.TAKES_ITERABLE:
            for argument in node.args:
                self._consume(argument)
                self._through(argument)
        if name in ("query", "eval"):
            self._query(given)
        elif name in trusted.HIGHER:
            self._hand(given, [owner, *given])
        elif name in trusted.LAZY_METHODS:
            for body in self._here:
                body.pours |= id(node) not in self._direct
        elif name in ("write", "writelines", "read", "readlines") and self._opened_here(owner):
            self._change(owner)
        elif name in trusted.WRITING_METHODS:
            self._file(node.args[0] if node.args and name.startswith("to_") else None, write=True)
            self._change(owner)
            for argument in node.args[:1]:
                self._change(argument)
        elif name in FILE_READS:
            self._file(None, write=False)
            self._change(owner)
        elif name == "plot" or "plot" in dotted(owner).split("."):
            self._touch("@plt", write=False)
        elif name in trusted.LEARNING:
            self._touch("@rng", write=True)
            self._own(owner, given)
        elif name in trusted.OWN:
            self._own(owner, given)
        elif name == "open":
            self._file(None, write=True)
        elif name not in trusted.READING and name not in trusted.FRESH_METHODS:
            self.doubt(f"it calls the method {name}")

    def _opened_here(self, owner: ast.expr) -> bool:
        """Whether a file was opened by this very statement, or by a `with` around it, where its path was noted."""
        if isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "open":
            self._direct.add(id(owner))
            return True
        return isinstance(owner, ast.Name) and owner.id in self._open

    def _own(self, owner: ast.expr, given: Sequence[ast.expr]) -> None:
        """The object of the method is changed, and may hold what was given."""
        self._change(owner)
        inner = set[str]().union(*map(self._shares, given))
        kinds = set[str]().union(*map(self._kind, given))
        for name in self._shares(owner) - {LOCAL}:
            self.kinds.setdefault(name, set()).update(kinds)
            self.aliases |= {(name, other) for other in inner - {LOCAL, name}}
            if LOCAL in inner:
                for body in self._bodies:
                    body.own = True

    def _query(self, given: Sequence[ast.expr]) -> None:
        """`query("a > @limit")` reads `limit`."""
        for argument in given:
            if not isinstance(argument, ast.Constant) or "=" in str(argument.value).replace("==", "").replace(
                "<=", ""
            ).replace(">=", "").replace("!=", ""):
                self.doubt("a query that is not written out, or that assigns")
            elif "@" in str(argument.value):
                self.doubt("a query that reads variables")
