"""Hypothesis strategies for the values that flow: cells, notebooks, patches, lineages."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from jupyter_selfcode.values.notebook import POINTER, Cell, Notebook
from jupyter_selfcode.values.patch import Patch, diff
from jupyter_selfcode.values.version import Kind, Recorded, head, make_version, redo_target, undo_target

# surrogates are JSON too: a notebook may hold half an emoji as an escape
TEXTS = st.one_of(
    st.sampled_from(["", "x = 1\n", "y = x + 1", "é – 數\n\nprint('{x}')", "a\r\nb\u2028c\x0bd", "\ud800", "\x00"]),
    st.text(max_size=12),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from([0, 1, 1.0, True, -0.0, 1e300]), st.floats(allow_nan=False, allow_infinity=False), TEXTS
)  # fmt: skip
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
OURS = st.fixed_dictionaries({"version": st.sampled_from(["a" * 64, "b" * 64]), "by": st.just("policy")})
WRITTEN = st.fixed_dictionaries(  # what front ends write by themselves, as nbformat's schema has it
    {},
    optional={
        "execution": st.dictionaries(st.sampled_from(["iopub.status.busy", "shell.execute_reply"]), TEXTS, max_size=2),
        "ExecuteTime": JSON,
        "trusted": st.booleans(),
        "kernelspec": st.fixed_dictionaries({"name": st.sampled_from("pq"), "display_name": st.sampled_from("PQ")}),
        # an empty `jupyter` says nothing, and is not told from none once something was in it
        "jupyter": st.dictionaries(st.sampled_from(["source_hidden", "outputs_hidden"]), st.booleans(), min_size=1)
        | st.fixed_dictionaries({"source_hidden": st.booleans(), "k": JSON}),
    },
)
MEANT = st.dictionaries(st.sampled_from(["k", "Folded", "été", "z"]), JSON, max_size=3)
METADATA = st.tuples(MEANT, WRITTEN | st.just({}), OURS.map(lambda ours: {POINTER: ours}) | st.just({})).map(
    lambda parts: {**parts[0], **parts[1], **parts[2]}
)
IDS = st.sampled_from(["a", "b", "c", "d", "e", "f-1", "g_2", "0123abcd"])
ATTACHMENTS = st.sampled_from([{}, {}, {}, {"i.png": {"image/png": "aGk="}}, {"j.svg": {"image/svg+xml": "<svg/>"}}])


@st.composite
def cells(draw: Any, cell_id: str | None = None) -> Cell:
    """A cell; attachments in markdown alone, as nbformat has it."""
    kind = draw(st.sampled_from(["code", "code", "markdown", "raw"]))
    attachments = draw(ATTACHMENTS) if kind == "markdown" else {}
    return Cell(cell_id or draw(IDS), kind, draw(TEXTS), draw(METADATA), attachments)


@st.composite
def notebooks(draw: Any, min_cells: int = 0) -> Notebook:
    """A notebook of up to eight cells; two of them share ids often, so that they differ in every way."""
    ids = draw(st.lists(IDS, unique=True, min_size=min_cells))
    return Notebook(tuple(draw(cells(i)) for i in ids), draw(METADATA))


@st.composite
def edits(draw: Any, min_cells: int = 0) -> tuple[Notebook, Patch]:
    """A notebook and a patch for it."""
    before = draw(notebooks(min_cells))
    return before, diff(before, draw(notebooks()))


@st.composite
def lineages(draw: Any) -> list[Recorded]:
    """A history as a person makes one: changes, undo, redo, rollbacks, failures, an interruption here and there."""
    lineage: list[Recorded] = []
    for i in range(draw(st.integers(0, 14))):
        kind: Kind = draw(st.sampled_from(["adapt", "edit", "rollback", "undo", "undo", "redo"])) if i else "initial"
        deployed = [r.version.id for r in lineage if r.outcome == "deployed"]
        restores: str | None = None
        if kind == "undo":
            restores = undo_target(lineage)
        elif kind == "redo":
            restores = redo_target(lineage)
        elif kind == "rollback" and deployed:
            chosen = draw(st.sampled_from(deployed))
            restores = next(r.version.state for r in lineage if r.version.id == chosen)
        if kind in ("undo", "redo", "rollback") and restores is None:
            continue
        outcome = draw(st.sampled_from(["deployed", "deployed", "deployed", "undone", None])) if i else "deployed"
        lineage.append(recorded(lineage, kind, restores, outcome))
    return lineage


def recorded(lineage: list[Recorded], kind: Kind, restores: str | None = None, outcome: Any = "deployed") -> Recorded:
    """The next entry of a lineage; the notebook of a restored state is the one it had."""
    number = len(lineage) + 1
    newest = head(lineage)
    state = next((r.version.notebook for r in lineage if r.version.id == restores), f"{number:064x}")
    version = make_version(
        parents=(newest.version.id,) if newest else (), patch=Patch(state), notebook=state, kind=kind, by="person",
        at=f"2026-01-01T00:00:{number:02}+00:00", restores=restores,
    )  # fmt: skip
    return Recorded(version, outcome, number)
