"""The contract of a cell: doctest examples in its docstring, which it keeps.

Examples run in the kernel (`probe`), and are compared outside of it (`judge_examples`), so that code under trial does
not judge itself. What a cell is made of is read by `forms`, whose names are offered here as well.
"""

from __future__ import annotations

import doctest
import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..values.errors import BadInput
from ..values.trial import Example
from . import probing
from .forms import (
    OPENING,
    CellForm,
    compose,
    docstring_of,
    executable,
    intent_of,
    is_intent,
    literal,
    read,
    span,
    split,
)
from .magics import mask, parse_masked

__all__ = [
    "CellForm",
    "compose",
    "examples_of",
    "executable",
    "in_kernel",
    "intent_of",
    "is_intent",
    "judge_examples",
    "probe",
    "read",
    "with_example",
]


def _contract_text(source: str) -> str:
    form = read(source)
    if form.docstring is not None:
        return form.docstring
    return split(source)[2] if form.kind == "intent" else ""


def examples_of(source: str) -> tuple[doctest.Example, ...]:
    """The examples of a cell's contract, in order.

    Examples that doctest cannot read become one example that fails and says why: a contract is never passed over.
    """
    text = _contract_text(source)
    if ">>>" not in text:
        return ()
    try:
        return tuple(doctest.DocTestParser().get_examples(text))
    except ValueError as e:
        said = f"This contract cannot be read: {e}. Write each example as '>>> expression' with its value below."
        return (doctest.Example(f"raise SyntaxError({said!r})\n", "a contract that can be read\n"),)


def probe(examples: Sequence[doctest.Example]) -> str:
    """Code for `Kernel.evaluate`: every example in order in one shallow copy of the namespace, as doctest does.

    It replies `{"got": [[printed, exception line or null], …]}` and leaves no name behind. See `probing`.
    """
    skip = doctest.SKIP
    sources = [None if e.options.get(skip) else e.source for e in examples]
    return in_kernel(inspect.getsource(probing), f"run_examples({sources!r}, namespace)")


def in_kernel(module: str, call: str) -> str:
    """Code that evaluates `call` beside the text of `module` in a namespace of its own, and replies with the value.

    `namespace` is the user's. Builtins are imported, because the user may have other things under these names.
    """
    text = module + f"\n\nreply({call})\n"
    return (
        "import builtins as _selfcode_builtins\n"
        "try:\n"
        f"    _selfcode_builtins.exec({text!r}, "
        "{'__name__': '_selfcode', 'namespace': _selfcode_builtins.globals(), 'reply': _selfcode_reply})\n"
        "finally:\n"
        "    del _selfcode_builtins\n"
    )


_SCALAR = re.compile(r"\bnp\.(?:(True|False)_(?!\w)|(?:u?int\d+|float\d+|u?longlong|longdouble|str_)\(([^()]*)\))")


def _bare(shown: str) -> str:
    """A text with NumPy's scalars as NumPy 1 shows them, and Python: `np.True_` and `True` are one value, and a contract
    that one NumPy keeps is not broken by how another one writes it (NEP 51)."""
    return _SCALAR.sub(lambda m: m[1] or m[2], shown)


def _holds(example: doctest.Example, printed: str, raised: str | None) -> bool:
    """doctest's own judgement (`DocTestRunner`), for what a kernel reported."""
    flags = sum(flag for flag, on in example.options.items() if on)
    check = doctest.OutputChecker().check_output
    if raised is None:
        return check(example.want, printed, flags) or check(_bare(example.want), _bare(printed), flags)
    if example.exc_msg is None:
        return False
    if check(example.exc_msg, raised, flags):
        return True
    if not flags & doctest.IGNORE_EXCEPTION_DETAIL:
        return False

    def kind(message: str) -> str:
        return re.split(r"[:\n]", message, maxsplit=1)[0].rpartition(".")[2].strip()

    return kind(example.exc_msg) == kind(raised)


def judge_examples(cell_id: str, examples: Sequence[doctest.Example], reply: Mapping[str, Any]) -> tuple[Example, ...]:
    """What each example gave and whether it held. What was not reported did not hold; `# doctest: +SKIP` is left out."""
    got = reply.get("got")
    rows = list(got) if isinstance(got, (list, tuple)) else []
    judged = []
    for i, example in enumerate(examples):
        if example.options.get(doctest.SKIP):
            continue
        row = rows[i] if i < len(rows) else None
        if not (isinstance(row, (list, tuple)) and len(row) == 2 and isinstance(row[0], str)):
            judged.append(Example(cell_id, example.source, example.want, "", False))
            continue
        printed, raised = row[0], row[1] if isinstance(row[1], str) else None
        held = _holds(example, printed, raised)
        judged.append(Example(cell_id, example.source, example.want, printed + (raised or ""), held))
    return tuple(judged)


def with_example(source: str, expression: str, want: str = "True") -> str:
    """The cell with one more example at the end of its contract; the docstring is made where there is none.

    Raises `BadInput` where the expression is no Python, or the cell cannot hold a contract.
    """
    expression = expression.strip()
    try:
        compile(expression, "<check>", "single")
    except (SyntaxError, ValueError) as e:
        raise BadInput(f"{expression!r} is no Python expression ({e}); give one that must stay true.") from e
    lines = expression.split("\n")
    shown = [">>> " + lines[0], *("... " + line for line in lines[1:])]
    wanted = [line if line.strip() else "<BLANKLINE>" for line in want.strip("\n").split("\n")] if want.strip() else []
    added = "\n".join([*shown, *wanted])
    new = _with_contract(source, added)
    examples = examples_of(new)
    if not examples or examples[-1].source.rstrip("\n") != expression:
        raise BadInput("This cell cannot hold that example; write it into the cell's docstring by hand.")
    return new


def _with_contract(source: str, added: str) -> str:
    _, _, body = split(source)
    above = source[: len(source) - len(body)]
    form = read(source)
    masked = mask(body)
    tree = None if masked.opaque else parse_masked(masked)

    def grown(text: str) -> str:
        gap = "\n" if _ends_with_example(text) else "\n\n"
        return (text.rstrip() + gap if text.strip() else "\n") + added + "\n"

    if form.kind == "intent" and form.docstring is None:
        start = above if above.endswith("\n") or not above else above + "\n"
        return start + (grown(body) if body.strip() else added + "\n")
    if tree is None:
        raise BadInput("This cell is not Python that can be read, so a contract cannot be added to it; mend it first.")
    if not (found := docstring_of(masked, tree)):
        lines = re.split(r"(?<=\n)", body)
        head = "".join(lines[: masked.head])
        start = above + head
        return (
            (start if start.endswith("\n") or not start else start + "\n")
            + literal(f"\n{added}\n")
            + "\n"
            + body[len(head) :]
        )
    node, value = found
    start_at, end_at = span(body, node)
    new = literal(grown(value))
    opening = OPENING.match(body[start_at:end_at])
    if opening and opening.group(2) == "'''" and "'''" not in value + added and new.startswith(('"""', 'r"""')):
        new = new.replace('"""', "'''") if new.count('"""') == 2 else new
    return above + body[:start_at] + new + body[end_at:]


def _ends_with_example(text: str) -> bool:
    """Whether a docstring ends with an example, so that the next may follow without a blank line."""
    block = re.split(r"\n[ \t]*\n", text.rstrip())[-1]
    return ">>> " in block and "\n" in block.strip().partition(">>> ")[2]
