"""Does a docstring still say what its function takes: a parameter that a change renames or drops is told where the text that
describes it stayed. Sphinx, NumPy and Google style are read; a docstring that describes no parameter promises nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from ...analysis.contract import executable
from ...analysis.magics import parse
from ...values.notebook import Notebook
from ...values.request import Request
from ...values.trial import Candidate, Finding, Trial

_SPHINX = re.compile(r":param(?:eter)?\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:")
_NUMPY = re.compile(r"(?m)^Parameters\n-{3,}\n((?:.*\n?)*?)(?=\n?^\w[^\n]*\n-{3,}|\Z)")
_GOOGLE = re.compile(r"(?m)^(?:Args|Arguments|Parameters):\n((?:[ \t]+.*\n?|\n)*)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def described(text: str) -> frozenset[str]:
    """The parameters that a docstring describes; `text` is without its indentation (`inspect.cleandoc`)."""
    found = set(_SPHINX.findall(text))
    for block in _NUMPY.findall(text):
        for line in block.split("\n"):
            if line[:1].strip() and (names := line.partition(":")[0]):
                found |= {n.strip().lstrip("*") for n in names.split(",")}
    for block in _GOOGLE.findall(text):
        first = re.match(r"[ \t]+", block)
        if first:
            found |= set(re.findall(rf"(?m)^{first[0]}\*{{0,2}}(\w+)[ \t]*(?:\([^\n]*\))?:", block))
    return frozenset(n for n in found if n.isidentifier())


def _parameters(function: Function) -> frozenset[str]:
    a = function.args
    named = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
    return frozenset(x.arg for x in named)


def _functions(source: str) -> Mapping[str, Function]:
    tree = parse(executable(source))
    return {n.name: n for n in ast.walk(tree) if isinstance(n, Function)} if tree else {}


class DocstringCheck:
    """Notes what a docstring describes and its function no longer takes."""

    name = "docstrings"

    def screen(self, candidate: Candidate, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """Functions of the cells that the change touches, against the same functions before."""
        findings = []
        for cell_id in candidate.patch.cells:
            if cell_id not in before or cell_id not in after:
                continue
            old = _functions(before.cell(cell_id).source)
            for name, function in _functions(after.cell(cell_id).source).items():
                if name not in old:
                    continue
                gone = _parameters(old[name]) - _parameters(function)
                stale = sorted(gone & described(ast.get_docstring(function) or ""))
                if stale:
                    said = f"The docstring of {name} still describes {', '.join(stale)}, which it no longer takes."
                    findings.append(Finding("docstring:stale", said, "note", cell_id))
        return tuple(findings)

    def judge(self, trial: Trial, request: Request, before: Notebook, after: Notebook) -> Sequence[Finding]:
        """A docstring's examples are held by the contract; nothing else of it runs."""
        return ()
