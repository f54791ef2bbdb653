"""What a kernel and a front end say to each other over the comm `jupyter_selfcode`.

A kernel cannot ask and wait: while a cell runs, what front ends say is heard late or not at all. So an edit goes out with
all that is needed to refuse it (`expect`), and its answer is taken whenever it comes. It is addressed to one client, for
every tab that shows the notebook hears it, and two that edit one shared document would double its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .canonical import same
from .events import Stage
from .notebook import Notebook
from .patch import DeleteCell, InsertCell, MoveCell, ReplaceSource, SetMetadata, diff
from .version import Kind

TARGET = "jupyter_selfcode"
"""Name of the comm target, and of our key in the metadata of an execute request."""

REPLY = "application/vnd.jupyter-selfcode+json"
"""MIME type of a command's answer for the front end that asked for it: `data`, `view`, `exit_code`."""


# ---- from the kernel -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceEdit:
    """The source of a cell becomes `source`, where it is still `expect`."""

    cell_id: str
    expect: str
    source: str
    op: Literal["replace"] = "replace"


@dataclass(frozen=True, slots=True)
class Removal:
    """A cell goes, where its source is still `expect`."""

    cell_id: str
    expect: str
    op: Literal["delete"] = "delete"


@dataclass(frozen=True, slots=True)
class MetadataEdit:
    """Keys of a cell's metadata (None: the notebook's) are set and removed; the others stay as they are."""

    cell_id: str | None
    set: Mapping[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    op: Literal["metadata"] = "metadata"


EditOp = SourceEdit | InsertCell | Removal | MoveCell | MetadataEdit


@dataclass(frozen=True, slots=True)
class Edit:
    """Operations in order for the document of one client, all of them or none. Answered by `Applied` with the same id,
    and applied once, however often it is heard."""

    id: str
    client: str
    version: str
    kind: Kind
    ops: tuple[EditOp, ...]
    type: Literal["edit"] = "edit"


@dataclass(frozen=True, slots=True)
class Working:
    """What is at work now. `detail` says in words what the stage works on and `line` all of it; `started` is in seconds
    since 1970; `usd` is None where no price is known; `said` are the last lines that were told."""

    line: str = ""
    stage: Stage | None = None
    detail: str = ""
    cell: str = ""
    attempt: int = 0
    model: str = ""
    tokens: int = 0
    characters: int = 0
    usd: float | None = 0.0
    calls: int = 0
    estimated: bool = False
    started: float = 0.0
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AtWork:
    """Something is being worked on. For every client."""

    working: Working
    client: None = None
    type: Literal["working"] = "working"


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is being worked on any more. For every client."""

    client: None = None
    type: Literal["rest"] = "rest"


@dataclass(frozen=True, slots=True)
class Running:
    """A cell runs again within a command, and what is printed until `Ran` is that cell's output. For every client."""

    cell_id: str
    client: None = None
    type: Literal["running"] = "running"


@dataclass(frozen=True, slots=True)
class Ran:
    """It has run. For every client."""

    cell_id: str
    client: None = None
    type: Literal["ran"] = "ran"


@dataclass(frozen=True, slots=True)
class Changed:
    """The history or what waits has changed: the newest version and the names of what waits. For every client."""

    head: str | None
    waiting: tuple[str, ...]
    client: None = None
    type: Literal["changed"] = "changed"


@dataclass(frozen=True, slots=True)
class Welcome:
    """Answer to `Hello`: the version of the package, and the settings of the session by name."""

    client: str
    version: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    type: Literal["welcome"] = "welcome"


FromKernel = Edit | AtWork | Rest | Running | Ran | Changed | Welcome


# ---- from a front end ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    """A client shows this notebook. `path` is the server's name of its file, `version` that of the front end's package."""

    client: str
    path: str = ""
    version: str = ""
    seen: str | None = None
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True)
class Told:
    """What a client shows now. `seen` is the id of the last edit that it answered: a notebook from before the newest edit
    is not what it will show."""

    client: str
    notebook: Notebook
    seen: str | None = None
    type: Literal["document"] = "document"


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an edit. Where it was refused, nothing of it was applied and `notebook` is what the client shows."""

    client: str
    id: str
    ok: bool
    error: Literal["", "changed", "missing", "read-only", "failed"] = ""
    cell_id: str | None = None
    message: str = ""
    notebook: Notebook | None = None
    type: Literal["applied"] = "applied"


FromFrontEnd = Hello | Told | Applied


@dataclass(frozen=True, slots=True)
class Asking:
    """Our key in the metadata of an execute request: which client asks, and what it shows."""

    client: str
    notebook: Notebook | None = None
    seen: str | None = None


# ---- from one notebook to another ----------------------------------------------------------------------------------


def edit_ops(before: Notebook, after: Notebook) -> tuple[EditOp, ...]:
    """The operations that make `after` of a document that holds `before`; metadata key by key, ours among them."""
    old, new = ({c.id: c for c in n.cells} for n in (before, after))
    ops: list[EditOp] = []
    anew: set[str] = set()
    for op in diff(before, after).ops:
        match op:
            case ReplaceSource(cell_id, source):
                ops.append(SourceEdit(cell_id, old[cell_id].source, source))
            case DeleteCell(cell_id):
                ops.append(Removal(cell_id, old[cell_id].source))
            case InsertCell() | MoveCell():
                ops.append(op)
                if isinstance(op, InsertCell):
                    anew.add(op.cell.id)
            case SetMetadata():
                pass
    for cell in after.cells:
        if cell.id in old and cell.id not in anew:
            ops += _keys(cell.id, old[cell.id].metadata, new[cell.id].metadata)
    return (*ops, *_keys(None, before.metadata, after.metadata))


def _keys(cell_id: str | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[EditOp]:
    added = {k: v for k, v in new.items() if k not in old or not same(old[k], v)}
    gone = tuple(k for k in old if k not in new)
    return [MetadataEdit(cell_id, added, gone)] if added or gone else []
