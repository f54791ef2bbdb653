"""gather: ranked, redacted, and no more than the level allows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from jupyter_selfcode.protocols import Retriever
from jupyter_selfcode.stages.gather import gather, told
from jupyter_selfcode.values.canonical import digest
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.request import Context, Failure, Passage, Request, Variable
from jupyter_selfcode.values.trial import CellResult, Run

SECRET = "a-value-that-nobody-may-see"
FILLER = [Cell(f"f{i}", "code", f"filler_{i} = {i}\n" + "# long\n" * 1000) for i in range(6)]
NOTEBOOK = Notebook(
    (
        Cell("load", "code", "sales = [1, 2, 3]"),
        *FILLER[:3],
        Cell("sum", "code", "total = sum(sales)"),
        Cell("show", "code", "print(total, rate)"),
        Cell("below", "code", "report = str(total)"),
        *FILLER[3:],
        Cell("rate", "code", "currency = 'exchange rate'"),
    )
)
OUTPUTS = (
    {"output_type": "stream", "name": "stdout", "text": "printed " + SECRET},
    {"output_type": "execute_result", "data": {"text/plain": "\n".join(f"row {i}" for i in range(50))}},
)


class Known:
    """A retriever that brings what it was given."""

    name = "known"

    def __init__(self, *passages: Passage) -> None:
        self.passages = passages

    async def retrieve(self, request: Request, notebook: Notebook, folder: Path) -> Sequence[Passage]:
        return self.passages


class Failing:
    """A retriever that fails."""

    name = "failing"

    async def retrieve(self, request: Request, notebook: Notebook, folder: Path) -> Sequence[Passage]:
        raise OSError("no network")


async def of(
    request: Request, notebook: Notebook = NOTEBOOK, before: Run = Run(), retrievers: Sequence[Retriever] = (),  # noqa: B008
    lessons: Sequence[str] = (), level: str = "summary", folder: Path = Path(),
) -> Context:  # fmt: skip
    return await gather(request, notebook, before, folder, retrievers, lessons, level)


async def test_the_target_comes_first_then_what_it_depends_on_then_what_depends_on_it():
    cells = (await of(Request("", "exception", "sum"))).cells
    assert cells[:3] == ("sum", "load", "show")
    assert cells.index("below") < len(cells)
    assert "f0" not in cells


async def test_a_failure_without_a_target_is_ranked_by_its_cell():
    cells = (await of(Request("", "exception", failure=Failure("sum", "E", "")))).cells
    assert cells[:2] == ("sum", "load")


async def test_words_without_a_target_rank_the_cells_that_share_them():
    cells = (await of(Request("use another exchange currency"))).cells
    assert cells[0] == "rate"
    assert set(cells) == {c.id for c in NOTEBOOK.cells}


async def test_a_small_notebook_is_told_whole():
    small = Notebook(
        (Cell("a", "code", "x = 1"), Cell("b", "code", "y = 2"), *(Cell(f"m{i}", "markdown", "t") for i in range(9)))
    )
    assert set((await of(Request("", "exception", "a"), small)).cells) == {c.id for c in small.cells}


async def test_variables_that_the_target_uses_come_first():
    before = Run(variables=tuple(Variable(n, "int") for n in ("a", "b", "sales", "total")))
    context = await of(Request("with b", "words", "sum"), before=before)
    assert [v.name for v in context.variables] == ["total", "sales", "b", "a"]


async def test_lessons_and_what_retrievers_bring_become_passages():
    context = await of(Request("x"), retrievers=[Known(Passage("document", "d", "text"))], lessons=["too slow"])
    assert [(p.kind, p.text) for p in context.passages] == [("document", "text"), ("lesson", "too slow")]


async def test_a_retriever_that_fails_brings_nothing_and_stops_nothing():
    context = await of(Request("x"), retrievers=[Failing(), Known(Passage("document", "d", "text"))])
    assert [p.kind for p in context.passages] == ["document"]


async def test_secrets_of_the_environment_are_in_no_part_of_the_context(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    (tmp_path / ".env").write_text("DB_PASSWORD=another-hidden-value\n")
    before = Run((CellResult("sum", "ok", OUTPUTS),), variables=(Variable("v", "str", SECRET),))
    hidden = Passage("document", "d", f"{SECRET} another-hidden-value")
    context = await of(
        Request("x", target="sum"),
        before=before,
        retrievers=[Known(hidden)],
        lessons=[SECRET],
        level="full",
        folder=tmp_path,
    )
    assert any(p.kind == "output" for p in context.passages)
    assert SECRET not in repr(context)
    assert "another-hidden-value" not in repr(context)


@pytest.mark.parametrize(
    ("level", "printed", "rows"), [("schema", False, 0), ("summary", True, 0), ("samples", True, 0), ("full", True, 50)]
)
async def test_outputs_leave_as_far_as_the_level_allows(level: str, printed: bool, rows: int):
    context = await of(Request("x", target="sum"), before=Run((CellResult("sum", "ok", OUTPUTS),)), level=level)
    text = "\n".join(p.text for p in context.passages if p.kind == "output")
    assert ("printed" in text) == printed
    assert text.count("row ") == rows


TABLE = Variable(
    "people", "pandas.DataFrame", "2 rows × 3 columns; email: object, file_name: object, paid: int64", "paid: 1 null, 2 … 40",
    (("email", "file_name", "paid"), ("ada@example.com", "a.csv", "2"), ("bob@example.com", "b.csv", "41")),
)  # fmt: skip
FIGURE = {"output_type": "execute_result", "data": {"text/plain": "6.28"}}
WARNING = {"output_type": "stream", "name": "stderr", "text": "a warning that quotes row 7"}


@pytest.mark.parametrize(
    ("level", "statistics", "rows", "result", "warning"),
    [("schema", "", 0, False, False), ("summary", TABLE.statistics, 0, False, False),
     ("samples", TABLE.statistics, 3, True, False), ("full", TABLE.statistics, 3, True, True)],
)  # fmt: skip
async def test_what_is_told_of_a_table_and_of_results_at_each_level(level, statistics, rows, result, warning):
    before = Run((CellResult("sum", "ok", (FIGURE, WARNING)),), variables=(TABLE,))
    context = await of(Request("x", target="sum"), before=before, level=level)
    [told] = context.variables
    assert (told.statistics, len(told.rows)) == (statistics, rows)
    assert told.summary == TABLE.summary
    assert "ada@example.com" not in repr(context)
    assert ("6.28" in repr(context), "a warning" in repr(context)) == (result, warning)
    if rows:
        assert told.rows[1] == ("▒▒▒", "a.csv", "2")


async def test_a_column_that_a_person_has_named_is_masked_too():
    context = await gather(
        Request("x"), NOTEBOOK, Run(variables=(TABLE,)), Path(), (), (), "samples", ("paid",)
    )
    assert [row[2] for row in context.variables[0].rows] == ["paid", "▒▒▒", "▒▒▒"]


async def test_what_was_taken_out_is_counted_by_kind_and_never_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    before = Run((CellResult("sum", "ok", OUTPUTS),))
    context = await of(Request("x", target="sum"), before=before)
    assert dict(context.redacted)["known value"] == 1


async def test_an_unknown_level_is_the_strictest():
    assert (await of(Request("x"), level="everything")).level == "schema"


def test_of_long_output_the_end_is_told():
    outputs = ({"output_type": "stream", "name": "stdout", "text": ["a" * 100_000, "the end"]},)
    assert told(outputs, "summary").endswith("the end")
    assert len(told(outputs, "summary")) == 2_000
    assert len(told(outputs, "full")) == 8_000


async def test_the_context_is_the_same_for_the_same_request():
    request = Request("mend the sum", "exception", "sum")
    assert digest(await of(request)) == digest(await of(request))


@pytest.mark.parametrize("level", ["summary", "full"])
def test_the_head_of_a_printed_table_stands_above_its_columns(level: str):
    outputs = [{"output_type": "stream", "name": "stdout", "text": "\n  state  area\n0    AL   5.0\n\n"}]
    assert told(outputs, level) == "  state  area\n0    AL   5.0"
