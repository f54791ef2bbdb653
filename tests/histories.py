"""Versions as an ordinary adaptation makes them, and stores full of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jupyter_selfcode.protocols import Store
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource
from jupyter_selfcode.values.prompt import Cost
from jupyter_selfcode.values.request import Option
from jupyter_selfcode.values.trial import Finding
from jupyter_selfcode.values.version import Attempt, Version, make_version

NB = "nb.ipynb"
FINDING = Finding("outputs", "one line differs – in 'two' cells", "note", "cell-0")


def first(cells: int = 2, salt: str = "") -> Notebook:
    """A notebook of code cells."""
    made = tuple(Cell(f"cell-{i}", "code", f"x_{i} = {i}\n# é\ud800\x00{salt}", {"tags": ["t"]}) for i in range(cells))
    return Notebook(made, {"kernelspec": {"name": "python3"}, "z": 1, "a": [1.5, None]})


def adaptation(parents: tuple[str, ...], after: Notebook, patch: Patch | None = None, **given: Any) -> Version:
    """A version with something in every field."""
    return make_version(**({
        "parents": parents, "patch": patch or Patch(after.digest), "notebook": after.digest, "kind": "adapt",
        "by": "policy", "at": "2026-01-01T00:00:00.000000+00:00", "words": "plot 'revenue' – {per} month\nplease",
        "trigger": "exception", "triage": "code: AttributeError", "options": (Option("rules", True, "free"),),
        "proposer": "rules", "model": "m", "prompt_hash": "p" * 64, "context_hash": "c" * 64, "rationale": "why: \\n",
        "level": 2, "assumptions": ("ran from the top",), "findings": (FINDING,), "trial_kind": "fresh",
        "tried": (Attempt("rules", "abc", True, (FINDING,)), Attempt("llm", "def", False)),
        "cost": Cost(0.25, 10, 5, 1, 2.5, True), "seconds": 4.25, "restores": None,
    } | given))  # fmt: skip


def extend(
    store: Store, count: int, *, path: str = NB, cells: int = 2, salt: str = "", parents: tuple[str, ...] = (),
    source: str = "y = ",
) -> list[Version]:  # fmt: skip
    """Add versions, deployed, one cell changed in each but the first."""
    notebook, made = first(cells, salt), []
    for i in range(count):
        patch = Patch(notebook.digest)
        if i or parents:
            changed = replace(notebook.cells[i % cells], source=f"{source}{i} # {salt}")
            patch = Patch(notebook.digest, (ReplaceSource(changed.id, changed.source),))
            notebook = Notebook(tuple(changed if c.id == changed.id else c for c in notebook.cells), notebook.metadata)
        version = adaptation(parents, notebook, patch)
        store.begin(path, version, notebook)
        store.finish(version.id, "deployed")
        parents = (version.id,)
        made.append(version)
    return made
