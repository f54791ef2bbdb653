"""The form of cells and their contracts, judged by doctest itself and by real IPython."""

from __future__ import annotations

import contextlib
import doctest
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from jupyter_selfcode.analysis.contract import (
    compose,
    examples_of,
    executable,
    intent_of,
    is_intent,
    judge_examples,
    probe,
    read,
    with_example,
)
from jupyter_selfcode.values.errors import BadInput

INTENTS = [
    "Load every CSV in data/, and plot revenue per month.", "plot revenue", "revenue", "sales, costs", "Goal: profit", "why?",
    "Total (sum)\nof it", "# plot it\n# in red", '"""Plot revenue."""', "it's 50% of {all} $ things", "return prices",
    "Make a table:\n- one row per region\n- sorted", "what is x?", "Plot\n\n>>> Total(3)\n3",
]  # fmt: skip
CODE = [
    "x = 1", "import pandas", "plot(revenue)", '"""Words."""\nx = 1', "for x in y\n    print(x)", "plot(x\ny = 1", "def f(:\n  pass",
    "df.head()", "%%time\nx = 1", "%%bash\nls", "for x in rows:\n    x +", "'''Doc'''\nfor i in x\n   i", "x", "[1, 2]", "!ls",
]  # fmt: skip


@pytest.mark.parametrize("body", INTENTS)
def test_words_are_an_intent(body):
    source = f"%%selfcode\n{body}"
    assert is_intent(source)
    assert intent_of(source)
    assert read(source).code == ""


@pytest.mark.parametrize("body", CODE)
def test_code_is_code_also_where_it_is_broken(body):
    assert read(f"%%selfcode\n{body}", names=("x",)).kind == "code"


def test_a_cell_without_the_magic_is_code_and_may_have_an_intent():
    assert read("plot revenue").kind == "code"
    form = read('"""Words.\n\n>>> x\n1\n"""\nx = 1')
    assert (form.magic, form.words, form.code, form.kind) == (False, "Words.", "x = 1", "code")


def test_words_on_the_line_and_in_the_docstring_are_one_intent():
    assert intent_of('%%selfcode plot it\n"""In red."""\nx = 1') == "plot it\n\nIn red."


def test_a_magic_with_nothing_is_no_intent():
    assert not is_intent("%%selfcode")
    assert not is_intent("%%selfcode\n\n")
    assert is_intent("%%selfcode plot it")


@pytest.mark.parametrize(
    "source",
    ["%%selfcode\nx = 1\n1/0", '%%selfcode words\n"""Doc."""\n\n1/0', "%%selfcode\n%%time\n1/0", "\n%%selfcode\n1/0"],
)
def test_what_a_plain_kernel_runs_keeps_its_line_numbers(source):
    shell = InteractiveShell.instance()
    plain = executable(source)
    assert plain.count("\n") == source.count("\n")
    if "%%time" in plain:
        return  # a magic counts the lines of its own body
    with contextlib.redirect_stdout(io.StringIO()):
        result = shell.run_cell(plain)
    trace = result.error_in_exec.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    assert source.split("\n")[trace.tb_lineno - 1] == "1/0" if not source.startswith("\n") else trace.tb_lineno


def test_a_cell_without_the_magic_is_run_as_it_is():
    assert executable("%%time\nx = 1\n") == "%%time\nx = 1\n"


def test_words_without_code_are_not_run():
    assert executable("%%selfcode\nplot revenue\nin red").strip("#\n") == ""


# ---- examples ------------------------------------------------------------------------------------------------------

CONTRACT = r"""
>>> 1 == 1
True
>>> x
3
>>> y = 4; y + x
7
>>> y
4
>>> print("a\n\nb")
a
<BLANKLINE>
b
>>> None
>>> 1/0
Traceback (most recent call last):
ZeroDivisionError: division by zero
>>> [1,   2]  # doctest: +NORMALIZE_WHITESPACE
[1,
 2]
>>> list(range(30))  # doctest: +ELLIPSIS
[0, 1, ..., 29]
>>> int("a")  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
ValueError: whatever
>>> missing
3
>>> x + 1
5
>>> for i in range(2):
...     print(i)
0
1
>>> import json.nothing
Traceback (most recent call last):
ModuleNotFoundError: No module named 'json.nothing'; 'json' is not a package
>>> print("no newline", end="")
no newline
>>> "é" * 2
'éé'
>>> nothing_here  # doctest: +SKIP
1
"""


def by_doctest(text: str, namespace: dict) -> list[bool]:
    """What doctest says of each example."""

    class Noting(doctest.DocTestRunner):
        def report_success(self, out, test, example, got):
            held.append(True)

        def report_failure(self, out, test, example, got):
            held.append(False)

        def report_unexpected_exception(self, out, test, example, exc_info):
            held.append(False)

    held: list[bool] = []
    test = doctest.DocTestParser().get_doctest(text, dict(namespace), "t", None, 0)
    Noting().run(test, out=lambda s: None)
    return held


def in_ipython(code: str, namespace: dict) -> tuple[dict, dict]:
    """Run a probe as a kernel does; the reply, and what the namespace holds that was not there."""
    shell = InteractiveShell.instance()
    shell.reset(new_session=False)
    shell.user_ns.update(namespace)
    replies: list[dict] = []
    shell.user_ns["_selfcode_reply"] = lambda reply: replies.append(json.loads(json.dumps(reply)))
    before = dict(shell.user_ns)
    shell.run_cell(code, silent=True, store_history=False)
    after = {k: v for k, v in shell.user_ns.items() if k not in before or before[k] is not v}
    return (replies[0] if replies else {}), after


def test_examples_give_in_ipython_what_doctest_gives():
    examples = examples_of(f'"""{CONTRACT}"""'.replace("\\", "\\\\"))
    reply, left = in_ipython(probe(examples), {"x": 3})
    assert [e.passed for e in judge_examples("c", examples, reply)] == by_doctest(CONTRACT, {"x": 3})
    assert left == {}


def test_an_example_that_holds_gave_what_the_contract_says():
    examples = examples_of('"""\n>>> 1 == 1\nTrue\n"""')
    reply, _ = in_ipython(probe(examples), {})
    [example] = judge_examples("c", examples, reply)
    assert (example.got, example.passed) == ("True\n", True)


def test_examples_hold_where_builtins_are_shadowed():
    examples = examples_of('"""\n>>> total\n3\n"""')
    reply, _ = in_ipython(probe(examples), {"total": 3, "print": None, "repr": None, "exec": None, "dict": 1, "len": 2})
    assert judge_examples("c", examples, reply)[0].passed


@pytest.mark.parametrize("statement", ["raise SystemExit(3)", "import sys; sys.exit()", "raise BaseException('x')"])
def test_an_example_that_would_leave_is_reported_and_the_next_one_runs(statement):
    examples = examples_of(f'"""\n>>> {statement}\n>>> 1\n1\n"""')
    reply, _ = in_ipython(probe(examples), {})
    assert [e.passed for e in judge_examples("c", examples, reply)] == [False, True]


def test_an_interrupt_ends_the_examples_and_the_rest_do_not_hold():
    examples = examples_of('"""\n>>> raise KeyboardInterrupt\n>>> 1\n1\n"""')
    reply, _ = in_ipython(probe(examples), {})
    assert [e.passed for e in judge_examples("c", examples, reply)] == [False, False]


def test_endless_printing_is_cut():
    examples = examples_of('"""\n>>> print("x" * 10**6)\nx\n"""')
    reply, _ = in_ipython(probe(examples), {})
    [example] = judge_examples("c", examples, reply)
    assert not example.passed
    assert len(example.got) < 30_000


@pytest.mark.parametrize(
    "reply", [{}, {"got": None}, {"got": []}, {"got": [["True\n"]]}, {"got": [[1, None]]}, {"got": "True"}]
)
def test_what_was_not_reported_does_not_hold(reply):
    examples = examples_of('"""\n>>> 1 == 1\nTrue\n"""')
    assert [e.passed for e in judge_examples("c", examples, reply)] == [False]


def test_a_contract_that_cannot_be_read_fails_and_says_why():
    examples = examples_of('"""\n>>>x\n1\n"""')
    reply, _ = in_ipython(probe(examples), {"x": 1})
    [example] = judge_examples("c", examples, reply)
    assert not example.passed
    assert "cannot be read" in example.got


# ---- writing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "new"),
    [
        ("x = 1\n", '"""\n>>> x\n1\n"""\nx = 1\n'),
        ("%%selfcode plot it\nx = 1", '%%selfcode plot it\n"""\n>>> x\n1\n"""\nx = 1'),
        ('%%selfcode\n"""Words."""\nx = 1', '%%selfcode\n"""Words.\n\n>>> x\n1\n"""\nx = 1'),
        ("%%time\nx = 1", '%%time\n"""\n>>> x\n1\n"""\nx = 1'),
        ('"""W.\n\n>>> y\n2\n"""\nx = 1', '"""W.\n\n>>> y\n2\n>>> x\n1\n"""\nx = 1'),
        ("%%selfcode\nplot revenue", "%%selfcode\nplot revenue\n\n>>> x\n1\n"),
        ("%matplotlib inline\nx = 1", '"""\n>>> x\n1\n"""\n%matplotlib inline\nx = 1'),
        ("'''W.'''; x = 1", "'''W.\n\n>>> x\n1\n'''; x = 1"),
    ],
)
def test_an_example_is_added_where_it_belongs(source, new):
    assert with_example(source, "x", "1") == new


@pytest.mark.parametrize(("source", "expression"), [("x = 1", "x ="), ("%%bash\nls", "x"), ("x = (", "x")])
def test_an_example_that_cannot_be_added_is_refused(source, expression):
    with pytest.raises(BadInput):
        with_example(source, expression)


line = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=30)
words_ = st.lists(line, max_size=4).map("\n".join).map(str.strip).filter(lambda w: ">>>" not in w and "\n\n\n" not in w)
plain_words = words_.map(lambda w: "\n".join(part.rstrip() for part in w.split("\n"))).filter(
    lambda w: "\n\n\n" not in w
)
codes = st.sampled_from(
    ["", "x = 1", "x = 1\n\ny = 'é\\n'", "%%time\nx = 1", "!ls\nx = 1", "def f():\n    '''Doc.'''\n    return 1"]
)
contracts = st.sampled_from(
    ["", ">>> x\n1", ">>> print('a\\n\\nb')\na\n<BLANKLINE>\nb", ">>> x\n1\n\n>>> '\"' * 3\n'\"\"\"'"]
)


@given(plain_words, contracts, codes)
def test_what_is_composed_is_read_back(words, contract, code):
    form = read(compose(words, contract, code))
    assert form.magic
    assert form.words == words
    assert form.code == code
    wanted = [(e.source, e.want) for e in doctest.DocTestParser().get_examples(contract)]
    assert [(e.source, e.want) for e in examples_of(compose(words, contract, code))] == wanted
    if words or contract:
        assert form.kind == ("code" if code else "intent")


expressions = st.sampled_from(
    ["x == 1", "len(x)", '\'"""\' in x', "x == '\\n'", "'''a''' == x", "r'\\d'", "{'é': 1}['é']", "not x"]
)
cells = st.sampled_from(
    ["", "x = 1", "%%selfcode\nplot it", "%%selfcode plot\nx = 1", '"Doc"\nx = 1', "r'''D\\d'''\nx = 1", '%%selfcode\n"""D.\n"""\nx = 1',
     '("a"\n "b")\nx = 1', "%%time\n# é\nx = 1", "%%selfcode\n%%time\n'''W.\n\n>>> y\n2'''\nx=1", '"""é"""; x = "é"', "%matplotlib inline"]
)  # fmt: skip


@given(cells, st.lists(expressions, min_size=1, max_size=3))
def test_an_added_example_is_there_and_nothing_else_has_changed(source, added):
    new = source
    for expression in added:
        new = with_example(new, expression)
    assert [e.source.rstrip("\n") for e in examples_of(new)][-len(added) :] == added
    assert len(examples_of(new)) == len(examples_of(source)) + len(added)
    assert intent_of(new) == intent_of(source)
    assert read(new).code.strip() == read(source).code.strip()
    assert read(new).magic == read(source).magic


@pytest.mark.parametrize(
    ("want", "printed", "holds"),
    [
        ("True", "np.True_", True),
        ("np.False_", "False", True),
        ("1.5", "np.float64(1.5)", True),
        ("[1, 2]", "[np.int64(1), np.uint8(2)]", True),
        ("'a'", "np.str_('a')", True),
        ("True", "np.False_", False),
        ("1.5", "np.float64(1.25)", False),
        ("1", "np.int64(10)", False),
        ("'np.True_'", "'np.False_'", False),
    ],
)
def test_a_scalar_of_numpy_is_its_value_however_numpy_writes_it(want, printed, holds):
    source = f'"""A promise.\n\n>>> x\n{want}\n"""\nx = 1'
    [judged] = judge_examples("c", examples_of(source), {"got": [[printed + "\n", None]]})
    assert judged.passed is holds
    assert judged.got == printed + "\n"
