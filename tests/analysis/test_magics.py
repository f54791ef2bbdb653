"""IPython's syntax masked and put back, judged by IPython's own transformer."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from jupyter_selfcode.analysis.magics import mask, parse

MAGIC = [
    "%matplotlib inline", "!ls -l", "files = !ls *.csv", "a, b = %sql select", "df?", "?df", "df.head??", "%time x = f(1)",
    "!!ls", "%pip install 'a", "!echo (", "!echo \\\n  two", "d['k'] = !ls", "*int*?",
]  # fmt: skip
PLAIN = [
    "x = 1", "x = 5 % 3", "x %= 3", "y = (x\n% 3)", "z = x \\\n  % 3", "s = '%time'", "s = '''\n%time\n!ls\n'''", "x != y",
    "print(f'{x}%')", "# %time is a comment", "# what?", "t = 'it\\'s # no comment'", "if x:\n    y = x % 2", "a = b'?'",
    'd = {\n  "k": 1,\n}', "s = 'a' \\\n  '!b'",
]  # fmt: skip


@pytest.mark.parametrize("line", MAGIC)
def test_a_magic_between_python_lines_is_masked_and_only_that(line):
    source = f"x = 1\n{line}\ny = 2\n"
    masked = mask(source)
    assert masked.magics
    assert masked.text.count("\n") == source.count("\n")
    assert masked.text.startswith("x = 1\n")
    assert masked.text.endswith("\ny = 2\n")
    assert ast.parse(masked.text)


@pytest.mark.parametrize("line", PLAIN)
def test_python_is_left_alone(line):
    assert mask(f"{line}\n").text == f"{line}\n"
    assert parse(line) is not None


@pytest.mark.parametrize("line", MAGIC + PLAIN)
def test_what_is_masked_is_what_ipython_transforms(line):
    source = f"{line}\n"
    assert (TransformerManager().transform_cell(source) != source) == bool(mask(source).magics)


@given(st.lists(st.sampled_from(MAGIC + PLAIN), max_size=6), st.booleans())
def test_masking_and_restoring_gives_the_same_cell(parts, timed):
    source = ("%%time\n" if timed else "") + "\n".join(parts)
    masked = mask(source)
    assert masked.restore(masked.text) == source
    assert masked.text.count("\n") == source.count("\n")
    assert parse(source) is not None


@given(st.text())
def test_any_text_comes_back_as_it_was(source):
    masked = mask(source)
    assert masked.restore(masked.text) == source


def test_an_edit_elsewhere_keeps_the_magics():
    masked = mask("%matplotlib inline\nx = np.float(1)\n  \nfiles = !ls \\g<0>\n")
    assert masked.restore(masked.text.replace("np.float", "float")) == (
        "%matplotlib inline\nx = float(1)\n  \nfiles = !ls \\g<0>\n"
    )


def test_an_edit_that_loses_a_magic_is_refused():
    masked = mask("%matplotlib inline\nx = 1\n")
    with pytest.raises(ValueError, match="matplotlib"):
        masked.restore("x = 1\n")


def test_a_doubled_magic_is_refused():
    masked = mask("!ls\n")
    with pytest.raises(ValueError, match="doubled"):
        masked.restore(masked.text + masked.text)


def test_the_body_of_a_timing_magic_is_python_and_that_of_another_is_not():
    assert not mask("%%time\nx = 1").opaque
    assert mask("%%bash\nx = 1").opaque
    assert mask("%%capture out\n%%time\nx = 1").head == 2
    assert mask("%%time\n%%bash\nls").opaque


def test_text_that_holds_our_placeholder_is_not_confused_with_it():
    source = "_selfcode_magic_0_ = 1\n!ls\n"
    masked = mask(source)
    assert masked.restore(masked.text) == source


def test_a_long_cell_is_read_in_linear_time():
    assert parse("x = [\n" + "    'a % b',\n" * 50_000 + "]\n!ls\n") is not None
