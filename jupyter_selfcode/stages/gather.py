"""gather: what a proposer may know, ranked, and without what looks secret.

How much of the data's shape leaves is the `level`: `schema` names, types and shapes; `summary` also exception texts and
the end of what was printed (no rows of results); `samples` also the first lines of results; `full` all text outputs.
Never the environment, and never the contents of files that the notebook did not print.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ..analysis import effects
from ..analysis.secrets import Redactor
from ..protocols import Retriever
from ..values.notebook import Cell, Notebook
from ..values.request import Context, Passage, Request, Variable
from ..values.trial import Run

Level = Literal["schema", "summary", "samples", "full"]
LEVELS: tuple[Level, ...] = ("schema", "summary", "samples", "full")

RETRIEVER_SECONDS = 30.0
OUTPUT_CHARACTERS = 8_000
PRINTED_CHARACTERS = 2_000
SAMPLE_LINES = 8
SAMPLE_WIDTH = 160
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


def told(outputs: Sequence[Mapping[str, Any]], level: Level) -> str:
    """What may be told of a cell's outputs at a level, as text."""
    if level == "schema":
        return ""
    printed: list[str] = []
    results: list[str] = []
    for output in outputs:
        if output.get("output_type") == "stream":
            printed.append(_joined(output.get("text", "")))
        elif output.get("output_type") in ("execute_result", "display_data"):
            data = output.get("data")
            if isinstance(data, Mapping) and "text/plain" in data:
                results.append(_joined(data["text/plain"]))
    stdout = "".join(printed)
    if level == "full":
        return "\n".join([stdout, *results]).strip()[-OUTPUT_CHARACTERS:]
    parts = [stdout[-PRINTED_CHARACTERS:]]
    if level == "samples":
        parts += ["\n".join(line[:SAMPLE_WIDTH] for line in r.split("\n")[:SAMPLE_LINES]) for r in results]
    return "\n".join(p for p in parts if p.strip()).strip()


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
) -> Context:
    """The context of a request: ranked cells, variables, and passages (of retrievers, lessons, outputs), redacted."""
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
    return Context(
        cells,
        tuple(
            Variable(v.name, v.type, redactor.text(v.summary))
            for v in ranked_variables(request, notebook, before.variables)
        ),
        tuple(Passage(p.kind, p.title, redactor.text(p.text)) for p in passages),
        allowed,
    )
