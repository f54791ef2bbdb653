"""What of a cell may be rewritten, and what is put back around it: the intent and the contract are not the model's.

`split` and `rewrite` are each other's inverse where a cell has code: `rewrite(s, split(s)[1])` reads as `s` does.
"""

from __future__ import annotations

from ..values.errors import FormatError
from . import contract
from .magics import parse


def split(source: str) -> tuple[str, str]:
    """What stays (the `%%selfcode` line, the words, the docstring; empty for an ordinary cell) and the code below it."""
    form = contract.read(source)
    if not form.magic and form.docstring is None:
        return "", source
    if form.kind == "intent" or not form.code:
        return source.strip("\n"), ""
    whole = source.rstrip("\n")
    if whole.endswith(form.code):
        kept = whole[: len(whole) - len(form.code)]
        return kept.rstrip("; \t\n" if form.docstring is not None else "\n"), form.code
    kept = contract.compose(form.docstring or "", "", "").rstrip("\n")  # a nested cell magic stands above the docstring
    return kept, form.code


def _examples_text(source: str) -> str:
    blocks = []
    for example in contract.examples_of(source):
        first, *more = example.source.rstrip("\n").split("\n")
        blocks.append("\n".join([f">>> {first}", *(f"... {line}" for line in more)]) + "\n" + example.want)
    return "".join(blocks)


def rewrite(source: str, code: str) -> str:
    """The cell with `code` below what stays; an intent that was bare words becomes a docstring.

    `code` may repeat the magic line and a docstring: they are left out, because the cell keeps its own. Raises
    `FormatError` where no code is left, or where the code would change how the contract reads.
    """
    form = contract.read(source)
    if not form.magic and form.docstring is None:
        return code
    given = contract.read(code)
    if given.magic or given.docstring is not None:
        code = given.code
    code = code.strip("\n")
    if not code.strip():
        raise FormatError("There is no code below the contract: write the code that keeps it.")
    if form.kind == "intent" and form.docstring is None:
        new = contract.compose(form.words, _examples_text(source), code)
    elif contract.read(code).code != code or code.startswith("%%") or form.code.startswith("%%"):
        new = _with_magic(source, form, code)
    else:
        kept, _ = split(source)
        new = f"{kept}\n{code}"
    if parse(new) is not None and _promise(new) != _promise(source):
        raise FormatError(
            "This code would change how the cell's contract reads: begin it with a statement, not with text."
        )
    return new


def _with_magic(source: str, form: contract.CellForm, code: str) -> str:
    """Code with a cell magic of its own (`%%time`): the magic must come above the docstring."""
    composed = contract.compose(form.docstring or "", "", code)
    first, _, rest = composed.partition("\n")
    return f"{source.lstrip().partition(chr(10))[0] if form.magic else first}\n{rest}" if form.magic else rest


def _promise(source: str) -> tuple[str, list[tuple[str, str]]]:
    words = " ".join(contract.intent_of(source).split())
    return words, [(e.source, e.want) for e in contract.examples_of(source)]
