"""The cells format: tolerant of form, strict about meaning, and never a way to touch a contract."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jupyter_selfcode.analysis import contract
from jupyter_selfcode.plugins.formats.cells import CellsFormat, new_id, render, tidy
from jupyter_selfcode.values.errors import Declined, FormatError
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import CellOp, DeleteCell, InsertCell, MoveCell, ReplaceSource, apply_ops

INTENT = "%%selfcode\nLoad the sales and keep the index unique.\n\n>>> sales.index.is_unique\nTrue"
KEPT = '%%selfcode\n"""Sum the sales.\n\n>>> total\n6\n"""\ntotal = 5\n'
NOTEBOOK = Notebook(
    (
        Cell("load", "code", "import pandas as pd\nsales = pd.read_csv('s.csv')"),
        Cell("words", "markdown", "# Sales"),
        Cell("intent", "code", INTENT),
        Cell("sum", "code", KEPT),
    )
)
FORMAT = CellsFormat()


def parse(text: str, notebook: Notebook = NOTEBOOK) -> tuple[CellOp, ...]:
    return FORMAT.parse(text, notebook)[0]


def cell(body: str, attributes: str = 'id="load" action="replace"') -> str:
    return f"<rationale>\nwhy\n</rationale>\n<cell {attributes}>\n{body}\n</cell>"


# ---- the law -------------------------------------------------------------------------------------------------------

TRICKY = st.sampled_from(
    ["</cell>", '<cell id="a" action="replace">', "```", "```python", "~~~", "</cell-2>", "<rationale>x</rationale>", "x = 1",
     "  y", "", "<decline>no</decline>", "é\u2028ß", "'''", '"""', "<think>", "```markdown", "%%selfcode", "<contract>"]
)  # fmt: skip
SOURCES = (
    st.lists(st.one_of(TRICKY, st.text(max_size=12)), min_size=1, max_size=8).map("\n".join).map(tidy).filter(bool)
)
IDS = st.text("abcdefghijkl-_0123456789", min_size=1, max_size=10)


@st.composite
def answers(draw: st.DrawFn) -> tuple[Notebook, tuple[CellOp, ...]]:
    """A notebook of ordinary cells, and operations in the order that the parser gives them in."""
    ids = draw(st.lists(IDS, min_size=1, max_size=5, unique=True).filter(lambda i: "top" not in i and "start" not in i))
    kinds = {i: draw(st.sampled_from(["code", "markdown"])) for i in ids}
    notebook = Notebook(tuple(Cell(i, kinds[i], "old") for i in ids))
    replaced = draw(st.lists(st.sampled_from(ids), unique=True))
    deleted = [i for i in draw(st.lists(st.sampled_from(ids), unique=True)) if i not in replaced]
    moved = [i for i in draw(st.lists(st.sampled_from(ids), unique=True)) if i not in deleted]
    ops: list[CellOp] = []
    for cell_id in replaced:
        source = draw(SOURCES)
        form = contract.read(source)
        assume(source != "old" and not form.magic and form.docstring is None)
        ops.append(ReplaceSource(cell_id, source))
    below: dict[str | None, str] = {}
    taken = list(ids)
    for anchor in draw(st.lists(st.sampled_from([*ids, None]), max_size=3)):
        kind, source = draw(st.sampled_from(["code", "markdown"])), draw(SOURCES.filter(lambda s: s != "old"))
        made = new_id(anchor, source, taken)
        ops.append(InsertCell(Cell(made, kind, source), below.get(anchor, anchor)))
        below[anchor] = made
        taken.append(made)
    ops += [MoveCell(i, draw(st.sampled_from([a for a in [*ids, None] if a != i]))) for i in moved]
    ops += [DeleteCell(i) for i in deleted]
    assume(ops)
    return notebook, tuple(ops)


@given(answers())
def test_what_is_rendered_is_parsed_to_the_same(made: tuple[Notebook, tuple[CellOp, ...]]):
    notebook, ops = made
    text = render(ops, notebook, "because")
    parsed, rationale = FORMAT.parse(text, notebook)
    assert parsed == ops
    assert rationale == "because"
    apply_ops(parsed, notebook)


@given(st.one_of(st.text(), st.lists(st.one_of(TRICKY, st.text(max_size=9)), max_size=9).map("\n".join)))
def test_any_text_is_edits_or_one_clear_line(text: str):
    said, ops = "", ()
    try:
        ops, _ = FORMAT.parse(text, NOTEBOOK)
    except (FormatError, Declined) as e:
        said = str(e)
    assert bool(said) != bool(ops)
    assert "\n" not in said
    apply_ops(ops, NOTEBOOK)


@given(answers(), st.integers(1, 400))
def test_half_an_answer_never_holds_half_a_cell(made: tuple[Notebook, tuple[CellOp, ...]], cut: int):
    notebook, ops = made
    text = render(ops, notebook, "because")
    assume(cut < len(text))
    try:
        parsed, _ = FORMAT.parse(text[:cut], notebook)
    except FormatError:
        return
    assert set(map(repr, parsed)) <= set(map(repr, ops))


# ---- tolerant of form ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        cell("x = 1"),
        "Sure! Here is the fix.\n\n" + cell("x = 1") + "\n\nHope that helps!",
        "```xml\n" + cell("x = 1") + "\n```",
        cell("```python\nx = 1\n```"),
        cell("```\nx = 1\n```"),
        cell("\n\nx = 1\n\n\n"),
        cell("x = 1", "action='replace'  id='load'"),
        cell("x = 1", 'id="load"'),
        cell("x = 1", 'id="load" action="Replace" type="code"'),
        '  <cell id="load" action="replace">x = 1</cell>',
        cell("x = 1").replace("\n", "\r\n"),
        "<think>\nFirst I thought of\n" + cell("x = 0") + "\n</think>\n" + cell("x = 1"),
        cell("x = 1") + "\n" + '<cell id="load" action="replace">\nx = 1\n</cell>',
    ],
)
def test_what_models_write_around_an_edit_is_passed_over(text: str):
    assert parse(text) == (ReplaceSource("load", "x = 1"),)


def test_the_rationale_may_stand_after_the_edits():
    text = '<cell id="load" action="replace">\nx = 1\n</cell>\n<rationale>it  was\nwrong</rationale>'
    assert FORMAT.parse(text, NOTEBOOK)[1] == "it was wrong"


def test_a_rationale_may_speak_of_tags():
    text = (
        '<rationale>\nI write\n<cell id="nope" action="replace">\nand so on\n</rationale>\n'
        + cell("x = 1").split("</rationale>\n")[1]
    )
    assert parse(text) == (ReplaceSource("load", "x = 1"),)


def test_code_that_holds_a_closing_tag_inside_of_a_line_is_whole():
    body = "html = '<cell>1</cell>'\nprint('</cell>')"
    assert parse(cell(body)) == (ReplaceSource("load", body),)


def test_cells_inserted_after_the_same_cell_keep_their_order():
    text = cell("a = 1", 'after="load" action="insert"') + cell("b = 1", 'after="load" action="insert" type="code"')
    after = apply_ops(parse(text.replace("</cell><", "</cell>\n<")), NOTEBOOK)
    assert [c.source for c in after.cells[1:3]] == ["a = 1", "b = 1"]


def test_a_cell_may_be_inserted_at_the_top():
    after = apply_ops(parse(cell("# Hello", 'after="top" action="insert" type="markdown"')), NOTEBOOK)
    assert (after.cells[0].type, after.cells[0].source) == ("markdown", "# Hello")


def test_ids_of_new_cells_are_the_same_for_the_same_answer():
    text = cell("a = 1", 'after="load" action="insert"')
    assert parse(text) == parse(text)


def test_a_cell_may_be_inserted_below_one_that_is_deleted():
    text = cell("", 'id="load" action="delete"') + "\n" + cell("a = 1", 'after="load" action="insert"')
    after = apply_ops(parse(text), NOTEBOOK)
    assert after.cells[0].source == "a = 1"
    assert "load" not in after


def test_a_cell_is_moved_and_keeps_its_id_and_its_contract():
    notebook = Notebook((Cell("a", "code", '%%selfcode\n"""x.\n\n>>> x\n1\n"""\nx = y'), Cell("b", "code", "y = 1")))
    (moved,) = ops = FORMAT.parse(cell("", 'id="a" action="move" after="b"'), notebook)[0]
    assert moved == MoveCell("a", "b")
    assert [c.source for c in apply_ops(ops, notebook).cells] == ["y = 1", notebook.cells[0].source]
    told = render(ops, notebook, "why")
    assert FORMAT.parse(told, notebook)[0] == ops
    again = cell("", 'id="a" action="delete"') + "\n" + cell("x = y", 'after="b" action="insert"')
    assert FORMAT.parse(again, notebook)[0] == ops


def test_a_cell_of_words_that_is_deleted_is_no_obstacle_to_what_is_inserted():
    text = cell("", 'id="sum" action="delete"') + "\n" + cell("# nothing but words", 'after="load" action="insert"')
    inserted, deleted = parse(text)
    assert isinstance(inserted, InsertCell)
    assert deleted == DeleteCell("sum")


def test_a_cell_may_be_moved_and_changed():
    text = cell("", 'id="load" action="move" after="top"') + "\n" + cell("a = 1")
    assert parse(text) == (MoveCell("load", None), ReplaceSource("load", "a = 1"))


def test_cells_that_are_inserted_below_a_moved_one_follow_it():
    source = NOTEBOOK.cell("load").source
    text = "\n".join(
        [cell("", 'id="load" action="delete"'), cell(source, 'after="sum" action="insert"'), cell("a = 1", 'after="sum" action="insert"')]
    )
    ids = [c.id for c in apply_ops(parse(text), NOTEBOOK).cells]
    assert ids.index("load") == ids.index("sum") + 1
    assert ids.index("load") + 1 == ids.index(next(i for i in ids if i not in NOTEBOOK))


def test_markdown_keeps_its_fences():
    body = "```python\nx = 1\n```"
    assert parse(cell(body, 'id="words" action="replace"')) == (ReplaceSource("words", body),)


# ---- strict about meaning ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("I am sorry, I cannot.", "no edit"),
        ("```python\nx = 1\n```", "no edit"),
        ("<rationale>r</rationale>", "no edit"),
        (cell("x = 1", 'id="nope" action="replace"'), "no cell 'nope'"),
        (cell("x = 1", 'after="nope" action="insert"'), "no cell 'nope'"),
        (cell("x = 1", 'id="load" action="rewrite"'), 'no action "rewrite"'),
        (cell("x = 1", 'action="replace"'), "no id"),
        (cell("x = 1", 'after="load" action="insert" type="sql"'), 'no cell type "sql"'),
        (cell("", 'after="load" action="insert"'), "new cell is empty"),
        (cell(""), "is empty"),
        (cell(NOTEBOOK.cell("load").source), "change nothing"),
        (cell("x = 1").removesuffix("</cell>"), "not closed"),
        (cell("x = 1").removesuffix("</cell>") + '<cell id="sum" action="replace">\ny\n</cell>', "not closed"),
        (cell("x = 1") + "\n" + cell("x = 2"), "edited twice"),
        (cell("x = 1") + "\n" + cell("", 'id="load" action="delete"'), "edited twice"),
        (cell("", 'id="load" action="move"'), "names two cells"),
        (cell("", 'id="load" action="move" after="nope"'), "no cell 'nope'"),
        (cell("", 'id="load" action="move" after="load"'), "below itself"),
        (cell("x = 1", 'id="load" action="move" after="sum"'), "has no source"),
        (cell("", 'id="load" action="move" after="sum"') + "\n" + cell("", 'id="load" action="delete"'), "moved and deleted"),
        ("<think>still thinking", "no edit"),
    ],
)
def test_an_answer_without_a_clear_meaning_says_what_was_wrong(text: str, said: str):
    with pytest.raises(FormatError, match=said):
        parse(text)


def test_a_model_may_decline_and_say_why():
    with pytest.raises(Declined, match="the file does not hold it"):
        parse("<decline>the file does not hold it</decline>")


# ---- the contract --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "total = 6",
        "%%selfcode\ntotal = 6",
        '%%selfcode\n"""Sum the sales.\n\n>>> total\n6\n"""\ntotal = 6',
        '"""Anything goes.\n\n>>> True\nTrue\n"""\ntotal = 6',
        '%%selfcode\n"""Sum the sales, roughly."""\ntotal = 6',
    ],
)
def test_a_contract_is_put_back_whatever_the_model_wrote(body: str):
    [op] = parse(cell(body, 'id="sum" action="replace"'))
    assert isinstance(op, ReplaceSource)
    assert op.source == '%%selfcode\n"""Sum the sales.\n\n>>> total\n6\n"""\ntotal = 6'


def test_an_intent_becomes_a_docstring_with_its_examples_above_the_code():
    [op] = parse(cell("sales = sales.reset_index()", 'id="intent" action="replace"'))
    assert isinstance(op, ReplaceSource)
    assert contract.intent_of(op.source) == contract.intent_of(INTENT)
    assert [(e.source, e.want) for e in contract.examples_of(op.source)] == [("sales.index.is_unique\n", "True\n")]
    assert contract.read(op.source).code == "sales = sales.reset_index()"


def test_a_docstring_alone_is_no_code():
    with pytest.raises(FormatError, match="no code"):
        parse(cell('"""Sum the sales."""', 'id="sum" action="replace"'))


@given(SOURCES)
def test_no_answer_changes_a_contract(body: str):
    for cell_id in ("sum", "intent"):
        try:
            [op] = parse(render([ReplaceSource(cell_id, body)], NOTEBOOK))
        except FormatError:
            continue
        assert isinstance(op, ReplaceSource)
        old = NOTEBOOK.cell(cell_id).source
        assert contract.intent_of(op.source).split() == contract.intent_of(old).split()
        assert [(e.source, e.want) for e in contract.examples_of(op.source)] == [
            (e.source, e.want) for e in contract.examples_of(old)
        ]
