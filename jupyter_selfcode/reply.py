"""What a command answers, and how it names another command to whoever reads the answer."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import views
from .selfcode import Workspace


@dataclass(frozen=True)
class Reply:
    """What a command answers: data for `--json`, a view for people, an exit code for the shell."""

    data: Mapping[str, Any]
    view: views.View
    exit_code: int = 0


def spoken(workspace: Workspace) -> Callable[[str], str]:
    """How a word of the grammar is typed here: as a magic in a live session, else as a shell command."""
    if workspace.session is not None:
        return views.in_magic

    def in_shell(line: str) -> str:
        word, _, rest = line.partition(" ")
        return " ".join(p for p in ("jupyter selfcode", word, shlex.quote(workspace.typed or workspace.path), rest) if p)

    return in_shell
