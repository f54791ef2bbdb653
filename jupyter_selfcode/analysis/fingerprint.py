"""By what a failure is known again: the code that leads to it, its kind and place, and the form of the data it met.

What an exception says is left out, for it quotes values, addresses and times; so are numbers of rows. What decides what
an attempt may come to (proposers, model, budget, lessons) is part of it: with another model it is worth another try.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..values.canonical import digest
from ..values.notebook import Notebook
from ..values.request import Failure, Variable
from .effects import effects_of, slice_above

_COUNTS = re.compile(r"\d+ rows × |(?<=length )\d+|\d+(?=[,)])")


def form_of(variable: Variable) -> tuple[str, str]:
    """Type and schema of a variable, without how much of it there is."""
    return variable.type, _COUNTS.sub("", variable.summary)


def place_of(failure: Failure, notebook: Notebook) -> str:
    """Where in its cell it failed: the text of the line, or the example that did not hold."""
    if failure.ename == "ContractBroken":
        return failure.evalue.partition(" gave ")[0]
    lines = notebook.cell(failure.cell_id).source.split("\n") if failure.cell_id in notebook else []
    return lines[failure.line - 1].strip() if failure.line and failure.line <= len(lines) else ""


def fingerprint(
    failure: Failure, notebook: Notebook, variables: Iterable[Variable] = (), by: Sequence[object] = ()
) -> str:
    """64 hexadecimal digits, equal for failures that an attempt would meet in the same way. `by` is who would attempt it."""
    if failure.cell_id not in notebook:
        return digest([failure.cell_id, failure.ename, by])
    concerned = (*slice_above(notebook, failure.cell_id), failure.cell_id)
    effects = effects_of(notebook.cell(failure.cell_id).source)
    met = effects.reads | effects.writes
    return digest(
        {
            "code": [notebook.cell(i).source for i in concerned],
            "error": failure.ename.rpartition(".")[2],
            "place": place_of(failure, notebook),
            "data": sorted((v.name, *form_of(v)) for v in variables if v.name in met),
            "by": by,
        }
    )
