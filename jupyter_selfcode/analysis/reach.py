"""The reader behind `effects`: walks a cell's tree once, in order of execution, and notes what each part may reach."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from . import known_calls as known
from .magics import parse
from .trees import dotted, root, stored

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Reader(ast.NodeVisitor):
    """Notes reads, writes, mutations, aliases and carried names of module-level code."""

    def __init__(self, magics: Mapping[str, str]) -> None:
        self.magics = magics
        self.reads = set[str]()
        self.writes = set[str]()
        self.mutates = set[str]()
        self.aliases = set[tuple[str, str]]()
        self.carries = dict[str, set[str]]()
        self.does = dict[str, set[str]]()
        self.invokes = set[str]()
        self.calls = False
        self.unknown = False
        self._bound = set[str]()
        self._local: list[set[str]] = []
        self._function: list[set[str]] = []
        self._doing: list[set[str]] = []
        self._modules = dict[str, str](known.ALIASES)

    def read(self, body: list[ast.stmt]) -> None:
        """Read statements in order."""
        self._defined = {s.name for s in body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
        self._block(body)

    def _block(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self.visit(statement)

    def _branches(self, *bodies: Iterable[ast.stmt]) -> None:
        """Bodies of which one runs: bound for certain is only what all of them bind."""
        before, ends = set(self._bound), list[set[str]]()
        for body in bodies:
            self._bound = set(before)
            self._block(body)
            ends.append(self._bound)
        self._bound = set.intersection(*ends)

    # ---- names -----------------------------------------------------------------------------------------------------

    def _is_local(self, name: str) -> bool:
        return any(name in scope for scope in self._local)

    def _use(self, name: str) -> None:
        if self._is_local(name):
            return
        for carried in self._function:
            carried.add(name)
        if name not in self._bound and not (self._function and name in self._defined):
            self.reads.add(name)

    def _bind(self, name: str) -> None:
        if self._local and self._is_local(name):
            return
        if self._function:  # a `global` statement: bound when the function is called
            for noted in [*self._function, *self._doing]:
                noted.add(name)
        else:
            self._bound.add(name)
        self.writes.add(name)

    def _mutate(self, name: str | None) -> None:
        if name is None or self._is_local(name) or name in self._modules:
            return
        self._use(name)
        for done in self._doing:
            done.add(name)
        self.mutates.add(name)

    def _touch(self, resource: str, *, write: bool) -> None:
        for carried in self._function:
            carried.add(resource)
        self.reads.add(resource)
        if write:
            for done in self._doing:
                done.add(resource)
            self.mutates.add(resource)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in self.magics:
            self._magic(self.magics[node.id])
        elif isinstance(node.ctx, ast.Load):
            self._use(node.id)
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id)
        else:
            self._mutate(node.id)
            self._bind(node.id)
            self._bound.discard(node.id)

    def _magic(self, text: str) -> None:
        name = text.lstrip("%").split(None, 1)[0] if text.lstrip("%").strip() else ""
        if text.startswith("!"):
            self._touch("@fs", write=True)
            self.calls = True
        elif "?" in text and not text.startswith("%"):
            return
        elif text.startswith("%") and name in known.TIMED:
            self._timed(text.lstrip("%").partition(name)[2])
        elif name == "cd":
            self._touch("@cwd", write=True)
        elif name in ("env", "set_env"):
            self._touch("@env", write=True)
        elif not (text.startswith("%%") or name in known.QUIET_MAGICS):
            self.unknown = True

    def _timed(self, rest: str) -> None:
        tree = parse(rest.strip())
        if tree is None:
            self.unknown = bool(rest.strip())
        else:
            self._block(tree.body)

    # ---- statements ------------------------------------------------------------------------------------------------

    def _target(self, target: ast.expr) -> None:
        if isinstance(target, (ast.Attribute, ast.Subscript)):
            if dotted(target.value) in ("os.environ",):
                self._touch("@env", write=True)
            if self._modules.get(root(target) or "", "") in known.PLOTS:
                self._touch("@plt", write=True)
            self._mutate(root(target))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self._target(part)
        elif isinstance(target, ast.Starred):
            self._target(target.value)
        self.visit(target)

    def _alias(self, target: ast.expr, value: ast.expr) -> None:
        names = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
        for source in self._shares(value):
            self.aliases |= {(source, name) for name in names if name != source}

    def _shares(self, node: ast.AST | None) -> set[str]:
        """Names whose object the value may be, or may hold."""
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Starred)):
            name = root(node)
            known_name = name and name not in self._modules and name not in self.magics
            return {name} if name and known_name and not self._is_local(name) else set()
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return set().union(*(self._shares(e) for e in node.elts))
        if isinstance(node, ast.Dict):
            return set().union(*(self._shares(e) for e in node.values))
        if isinstance(node, (ast.IfExp, ast.BoolOp, ast.NamedExpr, ast.Await)):
            return set().union(*(self._shares(e) for e in ast.iter_child_nodes(node)))
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            return set().union(*(self._shares(g.iter) for g in node.generators))
        if isinstance(node, ast.Call) and not self._quiet(node):
            found = self._shares(node.func) if isinstance(node.func, ast.Attribute) else set[str]()
            return found.union(*(self._shares(a) for a in [*node.args, *(k.value for k in node.keywords)]))
        return set()

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._alias(target, node.value)
            self._target(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self._alias(node.target, node.value)
            self._target(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._alias(node.target, node.value)
        self._target(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        name = root(node.target)
        if name:
            self._use(name)
            self._mutate(name)
        self._target(node.target)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._target(target)

    def visit_Import(self, node: ast.Import) -> None:
        for a in node.names:
            name = a.asname or a.name.partition(".")[0]
            self._modules[name] = a.name if a.asname else name
            self._bind(name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for a in node.names:
            if a.name == "*":
                self.unknown = True
            else:
                self._bind(a.asname or a.name)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._branches(node.body, node.orelse)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        before = set(self._bound)
        self._alias(node.target, node.iter)
        self._target(node.target)
        self._block([*node.body, *node.orelse])
        self._bound = before

    visit_For = visit_AsyncFor = _loop  # noqa: N815

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._branches([*node.body, *node.orelse], [])

    def visit_Try(self, node: ast.Try) -> None:
        before = set(self._bound)
        self._block([*node.body, *node.orelse])
        ends = [set(self._bound)]
        for handler in node.handlers:
            self._bound = set(before)
            if handler.type:
                self.visit(handler.type)
            if handler.name:
                self._bind(handler.name)
            self._block(handler.body)
            ends.append(self._bound)
        self._bound = set.intersection(*ends)
        self._block(node.finalbody)

    visit_TryStar = visit_Try  # type: ignore[assignment]  # noqa: N815

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before = set(self._bound)
        for case in node.cases:
            self._bound = set(before)
            for name in stored([case.pattern]):
                self._bind(name)
            if case.guard:
                self.visit(case.guard)
            self._block(case.body)
        self._bound = before  # perhaps none matches

    # ---- scopes ----------------------------------------------------------------------------------------------------

    def _definition(self, node: Function) -> None:
        for part in [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
            self.visit(part)
        arguments = node.args
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        parameters += [a for a in (arguments.vararg, arguments.kwarg) if a]
        freed = {n for s in ast.walk(node) if isinstance(s, (ast.Global, ast.Nonlocal)) for n in s.names}
        carried, done = set[str](), set[str]()
        self._function.append(carried)
        self._doing.append(done)
        self._local.append(({a.arg for a in parameters} | set(stored(node.body))) - freed)
        self._block(node.body)
        self._local.pop()
        self._function.pop()
        self._doing.pop()
        self._bind(node.name)
        self.carries.setdefault(node.name, set()).update(carried - {node.name})
        self.does.setdefault(node.name, set()).update(done)

    visit_FunctionDef = visit_AsyncFunctionDef = _definition  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]:
            self.visit(part)
        carried = set[str]()
        self._function.append(carried)
        self._local.append(set(stored(node.body)))
        self._block(node.body)
        self._local.pop()
        self._function.pop()
        self._bind(node.name)
        self.carries.setdefault(node.name, set()).update(carried - {node.name})

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
            self.visit(default)
        self._local.append({a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)})
        self.visit(node.body)
        self._local.pop()

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self.visit(node.generators[0].iter)
        targets = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        self._local.append(targets)
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.comprehension):
                for inner in [*([part.iter] if part is not node.generators[0] else []), *part.ifs]:
                    self.visit(inner)
            else:
                self.visit(part)
        self._local.pop()

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension  # noqa: N815

    # ---- calls -----------------------------------------------------------------------------------------------------

    def _module_of(self, func: ast.expr) -> tuple[str, str]:
        """Module and function of `pd.io.read_csv`; two empty texts where the root is no module."""
        name = dotted(func)
        first, _, rest = name.partition(".")
        if not rest or first not in self._modules or self._is_local(first):
            return "", ""
        return self._modules[first], rest

    def _quiet(self, node: ast.Call) -> bool:
        """Whether the call is known to change nothing that existed and to give something of its own."""
        func = node.func
        if isinstance(func, ast.Name):
            return func.id in known.PURE_FUNCTIONS and not self._is_local(func.id)
        if not isinstance(func, ast.Attribute):
            return False
        module, rest = self._module_of(func)
        if module:
            last = rest.rpartition(".")[2]
            return module.partition(".")[0] in known.PURE_MODULES and last not in known.CHANGES_FIRST_ARGUMENT
        inplace = next((k.value for k in node.keywords if k.arg == "inplace"), None)
        return func.attr in known.READING_METHODS and (
            inplace is None or (isinstance(inplace, ast.Constant) and inplace.value is False)
        )

    def visit_Call(self, node: ast.Call) -> None:
        func = node.func
        arguments = [*node.args, *(k.value for k in node.keywords)]
        attr = func.attr if isinstance(func, ast.Attribute) else ""
        name = func.id if isinstance(func, ast.Name) else ""
        module, rest = self._module_of(func)
        if not self._function:
            self.invokes |= {n.id for n in [func, *arguments] if isinstance(n, ast.Name) and not self._is_local(n.id)}
        if name in known.DYNAMIC or attr in ("import_module", "run_line_magic", "run_cell", "eval_js"):
            self.unknown = True
        elif name == "open" or (module == "io" and attr == "open") or attr == "open":
            mode = next((a.value for a in arguments[:2][(1 if name else 0) :] if isinstance(a, ast.Constant)), "r")
            self._touch("@fs", write=not isinstance(mode, str) or any(c in mode for c in "wax+"))
        elif name in ("setattr", "delattr", "next") and arguments:
            self._mutate(root(arguments[0]))
        elif module == "random" or (module == "numpy" and rest.startswith("random.")):
            self._touch("@rng", write=True)
            if attr in known.CHANGES_FIRST_ARGUMENT and arguments:
                self._mutate(root(arguments[0]))
        elif module in known.PLOTS:
            settings = attr in (
                "use",
                "rc",
                "set_theme",
                "set_style",
                "set_palette",
                "rcParams",
                "update",
                "set_context",
            )
            self._touch("@plt", write=settings)
            for keyword in node.keywords:
                if keyword.arg == "ax":
                    self._mutate(root(keyword.value))
            if attr == "savefig":
                self._touch("@fs", write=True)
        elif module.partition(".")[0] in known.NETWORK:
            self._touch("@net", write=True)
        elif rest == "chdir" and module == "os":
            self._touch("@cwd", write=True)
        elif module == "os" and rest.startswith(("environ", "getenv", "putenv")):
            self._touch("@env", write=attr not in ("get", "getenv", "items", "keys"))
        elif attr in known.FILE_WRITES and (node.args or node.keywords or not attr.startswith("to_")):
            self._touch("@fs", write=True)
            if attr in ("write", "writelines"):
                self._mutate(root(func))
        elif attr in known.FILE_READS or attr.startswith("read_") or module.partition(".")[0] in known.FILES:
            self._touch("@fs", write=module == "shutil")
            if module.partition(".")[0] in ("os", "subprocess") and attr in ("system", "popen", "run"):
                self.unknown = True
        elif attr in known.OWN_METHODS and not module:
            self._mutate(root(func))
        elif not self._quiet(node):
            self.calls = True
            if attr and not module:
                self._mutate(root(func))
            for argument in arguments:
                for shared in self._shares(argument):
                    self._mutate(shared)
        self.generic_visit(node)
