"""Variables as pickles: what arrives is what was there, one object stays one object, and nothing that is raised on the way matters.

The pickles are loaded here only by these tests, in a process of their own making.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import types

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_selfcode.analysis import surroundings, unpickling
from jupyter_selfcode.plugins.sandboxes import pickled as module
from jupyter_selfcode.plugins.sandboxes.pickled import CannotCopy, take

pytestmark = pytest.mark.timeout(120, method="thread")
"""The time that copying may take is held by the very alarm that the other method uses."""

SETTINGS: dict = {"random": (), "recursion": 1000}


def notebook(code="", **names):
    """The names of a notebook, as IPython has them: `__main__` is where its functions and classes are from."""
    namespace = {"__name__": "__main__", **names}
    exec(textwrap.dedent(code), namespace)
    return namespace


def there(namespace, needed, others=(), **options):
    """What arrives of these names, and what was copied."""
    copied = take(namespace, list(needed), list(others), SETTINGS, seconds=options.pop("seconds", 20.0), **options)
    with contextlib.closing(copied):
        names: dict = {"__name__": "__main__"}
        reply = unpickling.load(copied.reader(), list(copied.names), [], 1, names, lambda found: None)
        assert reply["failed"] == ""
        return names, copied


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=8,
)


@settings(max_examples=40)
@given(st.lists(PLAIN, min_size=1, max_size=5), st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_values_arrive_as_they_were_and_what_is_one_object_stays_one(values, picks):
    chosen = [values[i % len(values)] for i in picks]
    names = {f"n{i}": [value, chosen[0]] for i, value in enumerate(chosen)}
    namespace = notebook(**names)
    got, _ = there(namespace, names)
    assert {n: got[n] for n in names} == names
    for a in names:
        for b in names:
            if isinstance(names[a][0], (list, dict)):
                assert (names[a][0] is names[b][0]) == (got[a][0] is got[b][0])


@settings(max_examples=40)
@given(
    st.integers(1, 30), st.booleans(), st.tuples(st.integers(0, 5), st.integers(6, 30), st.sampled_from((1, 2, 3, -1))), st.sampled_from(["<i4", "<f8", "u1"])
)
def test_an_array_that_looks_into_the_memory_of_another_goes_on_doing_so(rows, turned, cut, dtype):
    base = np.arange(rows * 4).reshape(rows, 4).astype(dtype)
    view = (base.T if turned else base)[slice(*cut)]
    got, _ = there(notebook(base=base, view=view), ["view", "base"])
    assert (got["base"].tolist(), got["view"].tolist()) == (base.tolist(), view.tolist())
    assert got["view"].dtype == view.dtype
    for names in (got, {"base": base, "view": view}):
        names["base"][...] = 7
        assert set(names["view"].ravel().tolist()) <= {7}


def test_a_view_that_may_not_be_written_may_not_be_there_either():
    base = np.arange(6.0)
    view = base[1:3]
    view.flags.writeable = False
    got, _ = there(notebook(base=base, view=view), ["base", "view"])
    assert not got["view"].flags.writeable
    got["base"][1] = 9
    assert got["view"].tolist() == [9.0, 2.0]


def test_objects_in_arrays_that_share_memory_are_not_copied():
    base = np.array([[1], "x", None], dtype=object)
    with pytest.raises(CannotCopy, match="shares memory"):
        take(notebook(base=base, part=base[:2]), ["base", "part"], [], SETTINGS, seconds=20.0)
    got, copied = there(notebook(x=1, base=base, part=base[:2]), ["x"], ["base", "part"])
    assert set(copied.left_out) == {"base", "part"}
    assert "base" not in got


def test_frames_arrive_and_pandas_keeps_writes_apart_there_as_well():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": list("xyz"), "d": pd.date_range("2024", periods=3)})
    got, _ = there(notebook(frame=frame, part=frame.iloc[:2], column=frame["a"]), ["frame", "part", "column"])
    pd.testing.assert_frame_equal(got["frame"], frame)
    pd.testing.assert_frame_equal(got["part"], frame.iloc[:2])
    got["column"].iloc[0] = 9
    assert got["frame"]["a"].tolist() == [1, 2, 3]


def test_functions_find_the_names_of_the_notebook_and_not_copies_of_them():
    namespace = notebook(
        """
        factor = 2
        def twice(x): return x * factor
        class Row:
            def __init__(self, x): self.x = x
            def scaled(self): return twice(self.x)
        row = Row(3)
        """
    )
    got, _ = there(namespace, ["row", "twice", "factor", "Row"])
    assert type(got["row"]) is got["Row"]
    got["factor"] = 10
    assert (got["twice"](1), got["row"].scaled()) == (10, 30)


def test_what_belongs_to_a_module_is_that_of_the_other_process():
    import random

    got, _ = there(notebook("from random import randint\nimport json, logging, os\nencoders = [os.environ, logging.root, randint]"), ["randint", "encoders", "json"])
    assert got["randint"] is random.randint
    assert got["encoders"][0] is os.environ


def test_a_function_with_a_cache_is_named():
    with pytest.raises(CannotCopy, match="a function with a cache"):
        take(notebook("import functools\n@functools.cache\ndef f(): pass"), ["f"], [], SETTINGS, seconds=20.0)


def test_what_a_function_uses_comes_only_under_its_own_name():
    namespace = notebook("later = 5\ndef use(): return later")
    got, _ = there(namespace, ["use"])
    assert "later" not in got


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import sqlite3\nx = sqlite3.connect(':memory:')", r"`x` \(sqlite3.Connection\)"),
        ("x = {'con': __import__('sqlite3').connect(':memory:')}", r"`x` \(dict: cannot pickle 'sqlite3.Connection'"),
        ("x = (i for i in range(3))", r"`x` \(generator\)"),
        ("import os\nx = open(os.devnull)", "TextIOWrapper"),
        ("x = memoryview(bytearray(3))", "memoryview"),
        ("x = iter({'a': 1})", "dict_keyiterator"),
        ("x = {'a': 1}.items()", "dict_items"),
        ("import itertools\nx = itertools.groupby([1])", "itertools.groupby"),
        ("class X:\n    def __reduce__(self): raise SystemExit\nx = X()", "says itself how it is pickled"),
        ("class X:\n    def __getstate__(self): return {}\nx = [X()]", "says itself how it is pickled"),
        ("import numpy as np, tempfile\nx = np.memmap(tempfile.TemporaryFile(), dtype='u1', mode='w+', shape=(3,))", "a view of a file"),
    ],
)
def test_what_cannot_be_copied_is_named(code, why):
    with pytest.raises(CannotCopy, match=why):
        take(notebook(code), ["x"], [], SETTINGS, seconds=20.0)
    got, copied = there(notebook(code + "\ny = [1]\nz = y"), ["y"], ["x", "z"])
    assert got["z"] is got["y"]
    assert list(copied.left_out) == ["x"]


class Hostile:
    """Of a library, as far as the notebook is concerned."""

    def __init__(self, how):
        self.how = how

    def __reduce__(self):
        if self.how == "loop":
            while True:
                with contextlib.suppress(Exception):
                    time.sleep(0.01)
        if self.how == "signal":
            signal.setitimer(signal.ITIMER_REAL, 0)
            time.sleep(0.3)
        raise {"exit": SystemExit, "stop": GeneratorExit, "memory": MemoryError, "error": ValueError}.get(self.how, TypeError)(self.how)


@pytest.mark.parametrize("how", ["exit", "stop", "memory", "error", "signal"])
def test_whatever_is_raised_in_the_middle_a_name_is_left_out_and_all_others_arrive(how):
    shared = [1]
    values = {"a": [shared, "text"], "x": [shared, {"new": shared}, Hostile(how)], "z": [shared, "text", {"more": 1}]}
    got, copied = there(notebook(**values), ["a"], ["x", "z"])
    assert (list(copied.left_out), copied.names) == (["x"], ("a", "z"))
    assert got["z"] == values["z"]
    assert got["z"][0] is got["a"][0]


def test_what_takes_too_long_ends_in_its_time_and_leaves_no_alarm():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(CannotCopy, match=r"takes longer than 0\.2 s"):
        take(notebook(x=Hostile("loop")), ["x"], [], SETTINGS, seconds=0.2)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_alarm_of_the_session_is_left_alone():
    signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with pytest.raises(CannotCopy, match="alarm of its own"):
            take(notebook(x=1), ["x"], [], SETTINGS, seconds=1.0)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 900
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_on_another_thread_nothing_is_copied():
    found = []

    def elsewhere():
        try:
            take(notebook(x=1), ["x"], [], SETTINGS, seconds=1.0)
        except CannotCopy as e:
            found.append(str(e))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "main thread" in found[0]


def test_what_is_too_large_is_named():
    with pytest.raises(CannotCopy, match=r"`x` .*too large"):
        take(notebook(x=b"x" * 10_000), ["x"], [], SETTINGS, seconds=20.0, most=5_000)
    _, copied = there(notebook(y=b"y" * 100, x=b"x" * 10_000), ["y"], ["x"], most=5_000)
    assert (copied.names, list(copied.left_out)) == (("y",), ["x"])
    assert copied.size < 5_000


def test_where_there_is_no_place_the_reason_is_said(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.File, "write", full)
    with pytest.raises(CannotCopy, match="No space left"):
        take(notebook(x=b"x" * 2**20), ["x"], [], SETTINGS, seconds=20.0)


def test_a_library_whose_state_is_elsewhere_speaks_against_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", types.ModuleType("pyspark"))
    with pytest.raises(CannotCopy, match="pyspark"):
        take(notebook(x=1), ["x"], [], SETTINGS, seconds=20.0)


def test_the_file_has_no_name_is_for_this_user_only_and_its_room_is_given_back_though_another_holds_it(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "temp_root", lambda: tmp_path)
    copied = take(notebook(x=b"x" * 10_000), ["x"], [], SETTINGS, seconds=20.0)
    assert list(tmp_path.iterdir()) == []
    reader = copied.reader()
    assert os.fstat(reader).st_size == copied.size
    assert os.fstat(reader).st_mode & 0o777 == 0o600
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(reader, b"x")
    copied.close()
    assert os.fstat(reader).st_size == 0
    os.close(reader)


def test_a_con_that_is_needed_by_a_function_leaves_the_function_out():
    con = sqlite3.connect(":memory:")
    namespace = notebook("def ask(): return con", con=con)
    with pytest.raises(CannotCopy, match=r"`ask` \(function: cannot pickle 'sqlite3.Connection'"):
        take(namespace, ["ask"], [], SETTINGS, seconds=20.0)


def test_settings_are_put_in_force_in_another_process_and_told_the_same():
    code = """
    import sys, json
    sys.path.insert(0, sys.argv[2])
    import random, warnings, decimal, numpy, pandas, matplotlib
    from jupyter_selfcode.analysis import surroundings as s, unpickling as u
    names = {"__name__": "__main__"}
    reply = u.load(int(sys.argv[1]), ["x"], [], 1, names, s.establish)
    print(json.dumps([reply, s.told(["pandas"], ".", s.settings()), random.random(), numpy.random.rand(), matplotlib.rcParams["figure.dpi"]]))
    """
    import json
    import random

    import matplotlib

    with pd.option_context("display.precision", 3, "display.float_format", lambda v: f"{v:.1f}"), np.printoptions(precision=2), matplotlib.rc_context({"figure.dpi": 77}):
        found = surroundings.settings()
        told = surroundings.told(["pandas"], ".", found)
        copied = take(notebook(x=1), ["x"], [], found, seconds=20.0)
        reader = copied.reader()
        root = str(next(p for p in module.Path(module.__file__).parents if p.name == "jupyter_selfcode").parent)
        out = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(reader), root], pass_fds=(reader,), capture_output=True, text=True, check=False)
        os.close(reader)
        copied.close()
    reply, other, drawn, drawn_by_numpy, dpi = json.loads(out.stdout or f'"{out.stderr[-1000:]}"')
    assert reply == {"failed": "", "came": []}
    same = {"random", "decimal", "recursion", "warnings", "numpy.random", "numpy", "matplotlib", "pandas"}
    assert {n for n in same if told[n] != other[n]} == set()
    assert dpi == 77
    state, numpy_state = random.getstate(), np.random.get_state()
    random.setstate(found["random"])
    np.random.set_state(found["numpy.random"])
    assert (drawn, drawn_by_numpy) == (random.random(), np.random.rand())
    random.setstate(state)
    np.random.set_state(numpy_state)
