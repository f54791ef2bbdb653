"""gather: what a proposer may know, ranked, and without what looks secret.

How much of the data leaves is the `level`, each with all of the one before:

* `schema` sources of the chosen cells, names, types, shapes; of an exception only its type.
* `summary` what exceptions say, the last 2 kB of standard output, null counts and limits (rounded), keys of dictionaries.
* `samples` at most five rows of a table, strings cut to 40 characters, columns about people masked; results of one line.
* `full` text outputs, 8 kB each. Pictures are sent at no level.

Never the environment, and never the contents of files that the notebook did not print. A source is sent as it is, but for
secrets: what a person wrote into a cell is not data of the notebook.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..analysis import effects
from ..analysis.personal import masked
from ..analysis.secrets import Redactor
from ..protocols import Retriever
from ..values.notebook import Cell, Notebook
from ..values.request import LEVELS, Context, Level, Passage, Request, Variable
from ..values.trial import Run

RETRIEVER_SECONDS = 30.0
OUTPUT_CHARACTERS = 8_000
PRINTED_CHARACTERS = 2_000
RESULT_WIDTH = 160
"""Characters of a result of one line, such as a number, at the level `samples`."""
OUTPUT_CELLS = 8
LESSONS = 10
SHARING_CELLS = 12
NEIGHBOURS = 2
SMALL_NOTEBOOK = 16_000
"""Characters up to which a notebook is small enough to be told whole."""

_WORD = re.compile(r"[^\W\d]\w*")


def ranked_cells(request: Request, notebook: Notebook) -> tuple[str, ...]:
    """Ids of the cells that matter: the target, what it depends on (nearest first), what depends on it, its neighbours,
    cells that share words with the request; of a small notebook, or without a target, then all the others."""
    target = request.target or (request.failure.cell_id if request.failure else None)
    ranked: list[str] = list(request.scope)
    if target is not None and target in notebook:
        at = notebook.index(target)
        order = {c.id: i for i, c in enumerate(notebook.cells)}
        above = sorted(effects.slice_above(notebook, target), key=lambda i: -order.get(i, 0))
        below = sorted(effects.slice_below(notebook, target), key=lambda i: order.get(i, 0))
        near = [c.id for c in notebook.cells[max(0, at - NEIGHBOURS) : at + NEIGHBOURS + 1]]
        ranked = [target, *above, *ranked, *below, *near, *_by_words(request.text, notebook)[:SHARING_CELLS]]
    else:
        ranked += [*_by_words(request.text, notebook), *(c.id for c in reversed(notebook.cells))]
    if sum(len(c.source) for c in notebook.cells) <= SMALL_NOTEBOOK:
        ranked += [c.id for c in notebook.cells]
    return tuple(dict.fromkeys(i for i in ranked if i in notebook))


def _by_words(words: str, notebook: Notebook) -> list[str]:
    """Cells that share words with the request, most first; later cells first among equals."""
    wanted = {w.lower() for w in _WORD.findall(words) if len(w) > 2}

    def shared(cell: Cell) -> int:
        return len(wanted & {w.lower() for w in _WORD.findall(cell.source[:20_000])})

    scored = [(shared(c), i, c.id) for i, c in enumerate(notebook.cells)]
    return [cell_id for count, _, cell_id in sorted(scored, key=lambda s: (-s[0], -s[1])) if count]


def ranked_variables(request: Request, notebook: Notebook, variables: Sequence[Variable]) -> tuple[Variable, ...]:
    """Variables that the target or the request names first, in the order of their use; the rest in their own order."""
    target = request.target or (request.failure.cell_id if request.failure else None)
    source = notebook.cell(target).source if target and target in notebook else ""
    use = {w: i for i, w in reversed(list(enumerate(_WORD.findall(f"{source}\n{request.text}"))))}
    return tuple(sorted(variables, key=lambda v: use.get(v.name, len(use) + len(source))))


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, (list, tuple)) else str(text)


def _trimmed(text: str) -> str:
    """A text without blank lines around it. The head of a printed table keeps its indent, so that it stands above its columns."""
    return re.sub(r"\A(?:[ \t]*\n)+", "", text.rstrip())


def told(outputs: Sequence[Mapping[str, Any]], level: Level) -> str:
    """What may be told of a cell's outputs at a level, as text."""
    if level == "schema":
        return ""
    printed: list[str] = []
    results: list[str] = []
    for output in outputs:
        if output.get("output_type") == "stream":
            if level == "full" or output.get("name", "stdout") == "stdout":
                printed.append(_joined(output.get("text", "")))
        elif output.get("output_type") in ("execute_result", "display_data"):
            data = output.get("data")
            if isinstance(data, Mapping) and "text/plain" in data:
                results.append(_joined(data["text/plain"]))
    stdout = "".join(printed)
    if level == "full":
        return _trimmed("\n".join([stdout, *results]))[-OUTPUT_CHARACTERS:]
    parts = [stdout[-PRINTED_CHARACTERS:]]
    if level == "samples":  # rows are told of variables, where their columns are known and can be masked
        parts += [r[:RESULT_WIDTH] for r in results if "\n" not in r.strip()]
    return _trimmed("\n".join(p for p in parts if p.strip()))


def known_of(variable: Variable, level: Level, redactor: Redactor, hidden: Sequence[str] = ()) -> Variable:
    """A variable as it may be told at a level."""
    statistics = "" if level == "schema" else redactor.text(variable.statistics)
    rows = masked(variable.rows, hidden) if level in ("samples", "full") else ()
    shown = tuple(tuple(redactor.text(item) for item in row) for row in rows)
    return Variable(redactor.text(variable.name), variable.type, redactor.text(variable.summary), statistics, shown)


async def _retrieved(retriever: Retriever, request: Request, notebook: Notebook, folder: Path) -> Sequence[Passage]:
    """What a retriever brings; one that fails or takes too long brings nothing, and the request goes on without it."""
    try:
        return await asyncio.wait_for(retriever.retrieve(request, notebook, folder), RETRIEVER_SECONDS)
    except Exception:
        return ()


async def gather(
    request: Request,
    notebook: Notebook,
    before: Run,
    folder: Path,
    retrievers: Sequence[Retriever],
    lessons: Sequence[str],
    level: str,
    hidden: Sequence[str] = (),
) -> Context:
    """The context of a request: ranked cells, variables, and passages (of retrievers, lessons, outputs), redacted. `hidden`
    are columns whose values are masked besides those that tell of people."""
    allowed: Level = next((known for known in LEVELS if known == level), "schema")
    found = await asyncio.gather(*(_retrieved(r, request, notebook, folder) for r in retrievers))
    redactor = Redactor.for_folder(folder)
    cells = ranked_cells(request, notebook)
    passages = [p for passages in found for p in passages]
    passages += [Passage("lesson", f"lesson {i}", said) for i, said in enumerate(lessons[-LESSONS:], 1)]
    for cell_id in cells[:OUTPUT_CELLS]:
        result = before.result(cell_id)
        if result and (text := told(result.outputs, allowed)):
            passages.append(Passage("output", f"output of cell {cell_id}", text))
    variables = ranked_variables(request, notebook, before.variables)
    return Context(
        cells,
        tuple(known_of(v, allowed, redactor, hidden) for v in variables),
        tuple(Passage(p.kind, redactor.text(p.title), redactor.text(p.text)) for p in passages),
        allowed,
        tuple(sorted((+redactor.taken).items())),
    )
