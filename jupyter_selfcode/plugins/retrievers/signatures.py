"""What the installed libraries really have: versions, and signatures of what a cell uses or a failure names.

Models remember other versions than the ones installed here, which is how removed APIs come back. Libraries are asked in a
short process of its own, without keys in its environment and without the notebook's folder on its path, so that no code
of the user runs and nothing heavy enters the kernel.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...analysis.magics import parse
from ...analysis.secrets import looks_secret
from ...analysis.trees import imported
from ...values.notebook import Notebook
from ...values.request import Failure, Passage, Request

SIDE = Path(__file__).with_name("signatures_side.py")
SECONDS = 20.0
NAMES = 40


def _dotted(node: ast.AST) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def used(tree: ast.Module, names: dict[str, str]) -> tuple[str, ...]:
    """Full names of what a cell uses of its imports: `pandas.read_csv`."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Name)) and (dotted := _dotted(node)):
            first, _, rest = dotted.partition(".")
            if first in names and (rest or "." in names[first]):
                found[f"{names[first]}.{rest}" if rest else names[first]] = None
    longest = [n for n in found if not any(o.startswith(n + ".") for o in found)]
    return tuple(longest)


def methods(tree: ast.Module, names: dict[str, str]) -> tuple[str, ...]:
    """Names of methods called on what is no import: `append` of `frame.append(…)`."""
    calls = (n.func for n in ast.walk(tree) if isinstance(n, ast.Call))
    attributes = (f for f in calls if isinstance(f, ast.Attribute))
    return tuple(dict.fromkeys(f.attr for f in attributes if (_dotted(f) or "?").partition(".")[0] not in names))


def named(failure: Failure) -> list[tuple[str, str]]:
    """What a failure says is missing or was called wrongly, as (owner, attribute): `("DataFrame", "append")`."""
    text = failure.evalue
    found = re.findall(r"'([\w.]+)' object has no attribute '(\w+)'", text)
    found += re.findall(r"module '([\w.]+)' has no attribute '(\w+)'", text)
    found += re.findall(r"type object '([\w.]+)' has no attribute '(\w+)'", text)
    found += [(owner, name) for name, owner in re.findall(r"cannot import name '(\w+)' from '([\w.]+)'", text)]
    found += [
        (owner.rstrip("."), name)
        for owner, name in re.findall(r"\b((?:\w+\.)*)(\w+)\(\) (?:got|takes|missing)", text)
        if name != "__init__"
    ]
    found += [(owner, "") for owner in re.findall(r"\b(\w+)\.__init__\(\) (?:got|takes|missing)", text)]
    return list(dict.fromkeys(found))


class SignatureRetriever:
    """Versions of the libraries that a notebook imports, and signatures of what matters for a request."""

    name = "signatures"

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds

    async def retrieve(self, request: Request, notebook: Notebook, folder: Path) -> Sequence[Passage]:
        """Two passages at most: `versions` and `signature`. Empty where the libraries cannot be asked in time."""
        trees = {c.id: t for c in notebook.code_cells if (t := parse(c.source)) is not None}
        names = imported(node for tree in trees.values() for node in ast.walk(tree))
        target = request.failure.cell_id if request.failure else request.target
        asked = [trees[target]] if target in trees else list(trees.values())[-3:]
        tops = tuple(dict.fromkeys(n.partition(".")[0] for n in names.values()))
        question = {
            "modules": [t for t in tops if t not in sys.stdlib_module_names][:30],
            "names": [n for tree in asked for n in used(tree, names)][:NAMES],
            "methods": [m for tree in asked for m in methods(tree, names)][:NAMES],
            "failed": named(request.failure) if request.failure else [],
        }
        reply = await self._ask(question)
        passages = []
        if versions := reply.get("versions"):
            passages.append(Passage("versions", "installed versions", "\n".join(versions)))
        if lines := reply.get("lines"):
            passages.append(Passage("signature", "signatures of what is installed", "\n".join(lines)))
        return passages

    async def _ask(self, question: dict[str, Any]) -> dict[str, list[str]]:
        environment = {k: v for k, v in os.environ.items() if not looks_secret(k)} | {"MPLBACKEND": "Agg"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(SIDE),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            cwd=SIDE.parent, env=environment,
        )  # fmt: skip
        try:
            said, _ = await asyncio.wait_for(process.communicate(json.dumps(question).encode()), self._seconds)
            reply = json.loads(said)
        except (TimeoutError, ValueError):
            return {}
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return reply if isinstance(reply, dict) else {}
