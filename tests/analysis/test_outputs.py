"""What may differ between two runs, and what may not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.outputs import difference, same_outputs, uncompared


def out(text: str, name: str = "stdout") -> dict:
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data: str) -> dict:
    data = {k.replace("_", "/", 1): v for k, v in data.items()}
    return {"output_type": "execute_result", "execution_count": 3, "metadata": {}, "data": data}


NOW = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
SAME = [
    ("a  b\n", "a b"), ("x 1.0", "x 1.0000000000001"), ("0.1", "0.10000000000000001"),
    ("<A object at 0x7f1234567890>", "<A object at 0x7f0987654321>"),
    ("CPU times: user 3 ms, sys: 1 ms, total: 4 ms\nWall time: 5 ms", "CPU times: user 9 ms, sys: 0 ns, total: 1 s\nWall time: 5 µs"),
    ("1.2 µs ± 3 ns per loop (mean ± std. dev. of 7 runs, 1,000 loops each)", "9 ms ± 1 µs per loop (mean ± std. dev. of 7 runs, 100 loops each)"),
    ("100%|####| 3/3 [00:00<00:00, 3.1it/s]\ndone", "done"), ("\x1b[31mred\x1b[0m", "red"), ("5%\r50%\rready", "ready"),
    ("wrote /tmp/abc123/out.csv", "wrote /tmp/xyz/out.csv"), ("took 0.53 seconds", "took 12 seconds"),
    ("id 1b4e28ba-2fa1-11d2-883f-0016d3cca427", "id 6fa459ea-ee8a-3ca4-894e-db77e160355e"),
    ("run at 2023-05-01 10:00:00", f"run at {NOW}"), ("pid: 41", "pid: 77"),
    ("<Figure size 640x480 with 1 Axes>", "<Figure size 1280x960 with 1 Axes>"),
]  # fmt: skip
DIFFERENT = [
    ("total 5", "total 6"), ("a", "a\nb"), ("{1, 2}", "{2, 1}"), ("2024-01-01 5", "2024-02-01 5"), ("1.0", "1.001"),
    ("north 10\nsouth 5", "south 5\nnorth 10"), ("lap 5 s", "lap 6 s"), ("opens 08:30:00", "opens 09:30:00"), ("x", ""),
    ("12345678901234567", "12345678901234568"), ("Oslo", "Rome"), ("True", "False"), ("1e3", "1e4"),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), SAME, ids=[a for a, _ in SAME])  # the other one holds the time
def test_what_varies_between_runs_is_the_same(a, b):
    assert difference([out(a)], [out(b)]) == ""


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_what_is_data_is_not_the_same(a, b):
    said = difference([out(a)], [out(b)])
    assert said
    assert "\n" not in said


def test_streams_are_merged_and_standard_error_is_ignored():
    assert same_outputs([out("a\n"), out("warning", "stderr"), out("b\n")], [out("a\nb\n")])


def test_tables_are_compared_as_text_without_style_and_ids():
    a = shown(text_html="<style>#T1{}</style><table id='T1'><tr><td>1.0</td><td>x</td></tr></table>", text_plain="1 x")
    b = shown(text_html="<table id='T2'><tr><td>1.0</td><td>x</td></tr></table>", text_plain="1 x")
    c = shown(text_html="<table id='T2'><tr><td>1.5</td><td>x</td></tr></table>", text_plain="1 x")
    assert same_outputs([a], [b])
    assert not same_outputs([a], [c])


def test_images_are_compared_by_presence_and_size_and_that_is_said():
    a, b, big = (shown(image_png=c * n, text_plain="<Figure>") for c, n in (("a", 900), ("b", 1000), ("c", 90_000)))
    assert same_outputs([a], [b])
    assert uncompared([a], [b])
    assert not uncompared([a], [a])
    assert "size" in difference([a], [big])
    assert not same_outputs([a], [])


def test_an_error_is_compared_by_kind_and_message():
    a = {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["1"]}
    assert same_outputs([a], [{**a, "traceback": ["2"]}])
    assert not same_outputs([a], [{**a, "evalue": "'y'"}])


texts = st.one_of(st.text(max_size=60), st.sampled_from([t for pair in SAME + DIFFERENT for t in pair]))
outputs = st.lists(
    st.one_of(
        st.builds(out, texts, st.sampled_from(["stdout", "stderr"])),
        st.builds(lambda t: shown(text_plain=t), texts),
        st.builds(lambda t: shown(text_html=t, text_plain=t), texts),
        st.builds(lambda t: shown(image_png=t, text_plain="x"), texts),
    ),
    max_size=4,
)


@given(outputs)
def test_every_output_is_the_same_as_itself(a):
    assert same_outputs(a, a)


@given(outputs, outputs)
def test_being_the_same_has_no_direction(a, b):
    assert same_outputs(a, b) == same_outputs(b, a)
