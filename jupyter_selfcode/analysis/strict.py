"""The reader behind `framing`: what code may touch at the most, or the reason why that cannot be told.

It goes through the tree as `reach` does, and trusts less: a call that no table names, dynamic code, a class of the
notebook's own (whose operators and properties may do anything), a value that is called: each leaves a doubt, and a cell
with a doubt is never part of a proof.
"""

# ruff: noqa: N802  (the names are ast.NodeVisitor's)
from __future__ import annotations

import ast
from collections.abc import Iterator

from . import trusted
from .known_calls import TIMED
from .magics import parse
from .reach import Function
from .standing import Body, named_lambda
from .strict_calls import CallReader
from .strict_values import LOCAL, OTHER
from .trees import root, stored

_DUNDERS = ("__name__", "__file__", "__doc__", "__version__")


class StrictReader(CallReader):
    """Reads the statements of one cell."""

    # ---- names and attributes ----------------------------------------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> None:
        """A module that is used as a value may be changed through another name."""
        if isinstance(node.ctx, ast.Load) and node.id in self._modules and not self._is_local(node.id):
            self.doubt(f"the module {node.id} is used as a value")
        if isinstance(node.ctx, ast.Del):
            self._use(node.id)
            self._bind(node.id)
            self._bound.discard(node.id)
            return
        super().visit_Name(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`module.name` reads what imports have made of the module; double underscores lead everywhere."""
        if node.attr.startswith("__") and node.attr not in _DUNDERS:
            self.doubt(f"it uses {node.attr}")
        full = self._full(node)
        if not full:
            self.visit(node.value)
            return
        self._use(root(node) or "")
        if full.startswith("os.environ"):
            self._touch("@env", write=False)
        elif full not in trusted.CONSTANTS and not trusted.allowed(full):
            self.doubt(f"what {full} holds may be changed through another name")
        if full.count(".") > 1:
            self._touch("@modules", write=False)

    def _magic(self, text: str) -> None:
        words = text.lstrip("%").split()
        name = words[0] if words else ""
        if text.startswith("%%"):
            if name not in ("time", "selfcode", "capture") or (name == "capture" and len(words) > 1):
                self.doubt(f"%%{name}")
        elif words == ["load_ext", "jupyter_selfcode"]:
            pass
        elif text.startswith("%") and name in TIMED:
            self._timed(text.lstrip("%").partition(name)[2])
        elif text.startswith("%") and name in ("matplotlib", "config", "precision"):
            self._touch("@plt", write=True)
            self._touch("@display", write=True)
        elif not (text.startswith("%") and name in ("pwd", "who", "whos", "lsmagic", "selfcode")) and not text.endswith(
            "?"
        ):
            self.doubt(text.split()[0] if text.split() else text)

    def _timed(self, rest: str) -> None:
        tree = parse(rest.strip())
        if tree is None or rest.strip().startswith("-"):
            self.doubt("%time")
        else:
            self._block(tree.body)

    # ---- statements ----------------------------------------------------------------------------------------------------

    def visit(self, node: ast.AST) -> None:
        """Each statement binds what it says, and nothing of the one before."""
        if isinstance(node, ast.stmt):
            self._binding = {OTHER}
        super().visit(node)

    def _alias(self, target: ast.expr, value: ast.expr) -> None:
        self._binding = self._kind(value)
        if isinstance(target, (ast.Tuple, ast.List)):
            self._consume(value)
        sources = self._shares(value)
        for name in self._shares(target):
            if name != LOCAL:
                self.aliases |= {(source, name) for source in sources if source not in (name, LOCAL)}
            if LOCAL in sources and name != LOCAL:
                for body in self._bodies:
                    body.own = True  # what it was given is now reached by a name of the notebook

    def _target(self, target: ast.expr) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self._target(part)
            return
        if isinstance(target, ast.Starred):
            self._target(target.value)
            return
        if isinstance(target, (ast.Attribute, ast.Subscript)):
            self._store(target)
        self.visit(target)

    def _store(self, target: ast.Attribute | ast.Subscript) -> None:
        if full := self._full(target) or self._full(target.value):
            if full.startswith("matplotlib.pyplot.rcParams"):
                self._touch("@plt", write=True)
            elif full.startswith("pandas.options"):
                self._touch("@display", write=True)
            elif full.startswith("os.environ"):
                self._touch("@env", write=True)
            else:
                self.doubt(f"it changes {full}")
            return
        base = target.value
        while isinstance(base, (ast.Attribute, ast.Subscript)):
            base = base.value
        if isinstance(target, ast.Attribute) and not isinstance(base, ast.Name):
            self.doubt("it sets an attribute of what a call gives")
        for name in self._shares(target.value):
            self._mutate(name)
            if isinstance(target, ast.Attribute):
                for body in self._here:
                    body.shaped.add(name)
            if name != LOCAL:
                self.kinds.setdefault(name, set()).update(self._binding)

    def visit_Assign(self, node: ast.Assign) -> None:
        """`name = lambda …` defines a function."""
        if (name := named_lambda(node)) and isinstance(node.value, ast.Lambda):
            made = ast.FunctionDef(name=name, args=node.value.args, body=[ast.Expr(node.value.body)], decorator_list=[])
            self._definition(ast.copy_location(made, node))
            return
        super().visit_Assign(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """`a += b` changes the object of `a`, or binds `a` anew."""
        self.visit(node.value)
        self._alias(node.target, node.value)
        name = node.target
        self._consume(node.value)
        if isinstance(name, ast.Name):
            self._use(name.id)
            self._change(name)
            self._binding = self._kind(node.value) | ({name.id} if not self._is_local(name.id) else set())
        self._target(name)
        if not isinstance(name, ast.Name):
            self.visit(name.value)

    def visit_Import(self, node: ast.Import) -> None:
        """Importing binds a name, and a submodule is then there for all."""
        for a in node.names:
            self._import(a.name)
            self._bind(a.asname or a.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """As `import`; stars and the notebook's own folder are in doubt."""
        self._import("." * node.level + (node.module or ""))
        for a in node.names:
            if a.name == "*":
                self.doubt("it imports all that a module has")
            self._bind(a.asname or a.name)

    def _import(self, module: str) -> None:
        self._touch("@modules", write=True)
        if not trusted.quiet_import(module):
            self.doubt(f"importing {module} may do anything")

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        if isinstance(node, ast.AsyncFor):
            self.doubt("it waits for others")
        self._consume(node.iter)
        self._direct_call(node.iter)
        super()._loop(node)

    visit_For = visit_AsyncFor = _loop  # noqa: N815

    def _direct_call(self, node: ast.expr) -> None:
        """`enumerate(xs)` and the like, gone through at once: what is inside is gone through, too."""
        if isinstance(node, ast.Call):
            self._direct.add(id(node))
            for argument in node.args:
                self._consume(argument)
                self._direct_call(argument)

    def visit_With(self, node: ast.With) -> None:
        """Only files are known to do nothing else where a block ends."""
        for item in node.items:
            call = item.context_expr
            opens = isinstance(call, ast.Call) and (
                (isinstance(call.func, ast.Name) and call.func.id == "open" and self._builtin("open"))
                or (isinstance(call.func, ast.Attribute) and call.func.attr == "open")
            )
            if not opens:
                self.doubt("what `with` enters may do anything")
            self._direct.add(id(call))
            self.visit(call)
            if item.optional_vars is not None:
                self._binding = {OTHER}
                self._target(item.optional_vars)
        names = {i.optional_vars.id for i in node.items if isinstance(i.optional_vars, ast.Name)}
        self._open |= names
        self._block(node.body)
        self._open -= names

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        """Others run meanwhile."""
        self.doubt("it waits for others")
        self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        """Others run meanwhile."""
        self.doubt("it waits for others")
        self.generic_visit(node)

    def visit_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        """Its body runs later, a piece at a time."""
        self.doubt("it is a generator")
        self.generic_visit(node)

    visit_YieldFrom = visit_Yield  # noqa: N815

    def visit_Starred(self, node: ast.Starred) -> None:
        """`*xs` goes through."""
        if isinstance(node.ctx, ast.Load):
            self._consume(node.value)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """`x in xs` goes through."""
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.In, ast.NotIn)):
                self._consume(right)
        self.generic_visit(node)

    # ---- scopes --------------------------------------------------------------------------------------------------------

    def _definition(self, node: Function) -> None:
        for decorator in node.decorator_list:
            self.doubt("a decorator may do anything")
            self.visit(decorator)
        arguments = node.args
        defaults = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
        for default in defaults:
            self.visit(default)
            self.aliases |= {(s, node.name) for s in self._shares(default) if s != LOCAL}
        nested, body = bool(self._bodies), Body()
        parameters = [a.arg for a in ast.walk(arguments) if isinstance(a, ast.arg)]
        freed = {n for s in ast.walk(node) if isinstance(s, (ast.Global, ast.Nonlocal)) for n in s.names}
        hidden = {p: self._sources.pop(p) for p in parameters if p in self._sources}
        self._bodies.append(body)
        self._local.append((set(parameters) | set(stored(node.body))) - freed)
        if isinstance(node, ast.AsyncFunctionDef) or nested:
            self.doubt("a function within a function keeps what it finds there" if nested else "it waits for others")
        self._block(node.body)
        self._local.pop()
        self._bodies.pop()
        self._sources |= hidden
        if any(not isinstance(d, ast.Constant) for d in defaults):
            body.reads.add(node.name)
            body.mutates |= {node.name} if body.own else set()
            body.pours = True
        self._binding = {OTHER}
        self._bind(node.name)
        self.functions.setdefault(node.name, Body()).take(body)

    visit_FunctionDef = visit_AsyncFunctionDef = _definition  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """What a class defines may run wherever an instance of it is touched, so a cell that has one is in doubt."""
        self.doubt(f"the class {node.name} may do anything where an instance is used")
        self._bind(node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Read where it stands: a call that may run it later is in doubt itself."""
        for default in [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
            self.visit(default)
        names = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
        hidden = {n: self._sources.pop(n) for n in names if n in self._sources}
        self._local.append(names)
        self.visit(node.body)
        self._local.pop()
        self._sources |= hidden

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        if isinstance(node, ast.GeneratorExp) and id(node) not in self._direct:
            self.doubt("a generator is read later, when what it uses may be another")
        for g in node.generators:
            if g.is_async:
                self.doubt("it waits for others")
        sources = dict(self._sources)
        first = node.generators[0].iter
        self._consume(first)
        self._direct_call(first)
        self.visit(first)
        self._enter(node.generators)
        for g in node.generators:
            if g.iter is not first:
                self._consume(g.iter)
                self._direct_call(g.iter)
                self.visit(g.iter)
            for condition in g.ifs:
                self.visit(condition)
        for part in _elements(node):
            self.visit(part)
        self._local.pop()
        self._sources = sources

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension  # noqa: N815


def _elements(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Iterator[ast.expr]:
    if isinstance(node, ast.DictComp):
        yield node.key
        yield node.value
    else:
        yield node.elt
