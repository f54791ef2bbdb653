"""CrossHair, asked in a process of its own: what it proves, what it finds, and what it leaves open."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_selfcode.analysis.provable import questions
from jupyter_selfcode.plugins.provers.crosshair import CrossHairProver, read
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.scripted import ScriptedSandbox
from jupyter_selfcode.protocols import Limits, Prover
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.proof import Proof, Question

EMPTY = Notebook(())


def changed(old: str, new: str) -> list[Question]:
    one, other = (Notebook((Cell("c0", "code", s),)) for s in (old, new))
    return list(questions(one, other, ["c0"]))


async def answer(asked: list[Question], folder: Path, seconds: float = 6.0, sandbox: object = None) -> list[Proof]:
    async with (sandbox or ScriptedSandbox()).open(EMPTY, folder, Limits()) as kernel:  # type: ignore[attr-defined]
        return list(await CrossHairProver(seconds).prove(asked, kernel))


def whole(parameters: str, returned: str, was: str, now: str) -> list[Question]:
    head = f"def f({parameters}) -> {returned}:\n    "
    return changed(head + was, head + now)


DIVIDED = whole("a: int, b: int", "int", "return a // b", "if b == 0:\n        return 0\n    return a // b")


def test_it_is_a_prover():
    assert isinstance(CrossHairProver(), Prover)
    assert CrossHairProver().missing == ""


async def test_a_function_that_gives_what_it_gave_is_proved_to_wherever_it_gave_a_value(tmp_path):
    cases = [
        *DIVIDED,
        *whole("x: int | None", "int", "return x + 1", "return 0 if x is None else x + 1"),
        *whole("a: bool, b: bool", "bool", "return not (a and b)", "return not a or not b"),
        *whole("m: int", "int", "return (m - 1) // 3 + 1", "return (m + 2) // 3"),
        *whole("s: str", "str", "return s[0]", "return s[0] if s else 'none'"),
        *whole("p: tuple[int, int]", "int", "a, b = p\n    return a * b", "return p[1] * p[0]"),
    ]
    found = await answer(cases, tmp_path, 20.0)
    assert [(p.outcome, p.said) for p in found] == [("proved", "")] * 6
    assert all("exactly of the annotated types" in p.told for p in found)


async def test_a_difference_is_told_by_the_call_that_shows_it(tmp_path):
    cases = [
        *whole("x: int", "int", "return x + 1", "return x + 1 if x != 7919 else 0"),
        *whole("x: int", "bool", "return x > 0", "return 1 if x > 0 else 0"),
        *whole("xs: list[int]", "int", "return len(xs)", "xs.append(1)\n    return len(xs) - 1"),
    ]
    one, kind, changes = await answer(cases, tmp_path, 20.0)
    assert (one.outcome, one.said) == ("differs", "f(7919): it gives 0, the old one gives 7920")
    assert kind.outcome == changes.outcome == "differs"
    assert "leaves" in changes.said


async def test_assertions_are_proved_or_broken(tmp_path):
    old = "assert a > 0\n    r = a // 2\n    assert r < a\n    return r"
    kept, asserted = await answer(whole("a: int", "int", old, old.replace("a // 2", "a >> 1")), tmp_path, 15.0)
    assert kept.outcome == asserted.outcome == "proved"
    _, asserted = await answer(whole("a: int", "int", old, old.replace("a // 2", "(a + 1) // 2")), tmp_path, 15.0)
    assert (asserted.outcome, asserted.said) == ("differs", "f(1) fails an assertion")


async def test_equal_but_with_paths_without_end_is_not_claimed(tmp_path):
    summed = whole("xs: list[int]", "int", "t = 0\n    for x in xs:\n        t += x\n    return t", "return sum(xs)")
    (found,) = await answer(summed, tmp_path, 1.0)
    assert (found.outcome, found.said, found.assumed) == ("open", "not all of its paths could be explored in the time", "")


@pytest.mark.slow
async def test_a_function_that_does_not_end_is_not_claimed(tmp_path):
    (found,) = await answer(whole("x: int", "int", "return x", "while True:\n        x += 1"), tmp_path, 1.0)
    assert found.outcome == "open"


@pytest.mark.parametrize(("was", "now"), [("return x / 3 * 3", "return x * 3 / 3"), ("return x * 1.0", "return 1.0 * x")])
async def test_floats_are_taken_for_real_numbers_so_nothing_is_proved_of_them(was, now, tmp_path):
    for parameter in ("float", "int"):
        (found,) = await answer(whole(f"x: {parameter}", "float", was, now), tmp_path, 1.0)
        assert found.outcome != "proved"


async def test_a_proof_needs_a_mistake_that_is_found(tmp_path):
    (never,) = await answer(whole("a: int", "int", "raise ValueError('no')", "return a"), tmp_path)
    assert (never.outcome, never.said) == ("open", "no path differs, but no mistake that was put in for a test was found either")


def by_hand(after: str) -> Question:
    """A question that `questions` would not ask."""
    return Question("f", "c0", "kept", (("x", "int"),), "def f(x):\n    return x", after, ("def f(x):\n    return [x]",), True)


async def test_what_ends_the_prover_leaves_the_rest_open(tmp_path):
    ends = by_hand("import os\n\ndef f(x):\n    os._exit(3)")
    first, second, third = await answer([*DIVIDED, ends, *DIVIDED], tmp_path)
    assert first.outcome == "proved"
    assert (second.outcome, second.said) == (third.outcome, third.said) == ("open", "the process that was to prove it ended early")


@pytest.mark.slow
async def test_what_hangs_in_it_is_ended(tmp_path):
    hangs = by_hand("import time\nwhile True:\n    time.sleep(1)")
    (found,) = await answer([hangs], tmp_path, 0.1)
    assert (found.outcome, found.said) == ("open", "it took longer than it may")


async def test_it_runs_inside_the_cage(tmp_path):
    outside = tmp_path.parent / "the prover was here"
    reaches = by_hand(
        "import pathlib\nimport socket\n\nreached = []\n"
        f"try:\n    pathlib.Path({str(outside)!r}).write_text('x')\nexcept OSError:\n    pass\n"
        "try:\n    socket.create_connection(('127.0.0.1', 9), 1)\nexcept ConnectionRefusedError:\n    reached.append('the network')\n"
        "except OSError:\n    pass\n"
        "\n\ndef f(x):\n    return reached"
    )
    (found,) = await answer([reaches], tmp_path, sandbox=ContainedSandbox())
    assert found.outcome == "differs"
    assert found.said.startswith("f(0): it gives [], ")
    assert not outside.exists()


def test_without_crosshair_nothing_is_claimed():
    class Elsewhere(CrossHairProver):
        distribution = "crosshair-tool-that-nobody-has"

    assert Elsewhere().missing == "CrossHair is not installed; pip install 'jupyter_selfcode[proof]' brings it"
    assert "proof_seconds is 0" in CrossHairProver(0.0).missing
    (found,) = read(DIVIDED, {"lines": [], "missing": True})
    assert (found.outcome, found.said) == ("open", "CrossHair is not installed where the notebook runs")


@pytest.mark.parametrize("reply", [{}, {"lines": 3}, {"lines": ["{"]}, {"lines": ['["proved", 1, 2]']}, {"lines": ['["sure", "", 2]']}])
def test_an_answer_that_cannot_be_read_proves_nothing(reply):
    (found,) = read(DIVIDED, reply)
    assert found.outcome == "open"


# ---- nothing that is proved differs ------------------------------------------------------------------------------------

_LEAVES = ("x", "y", "z", "0", "1", "2", "-3", "7")


def expression(draw: random.Random, depth: int) -> str:
    if depth == 0:
        return draw.choice(_LEAVES)
    a, b = expression(draw, depth - 1), expression(draw, depth - 1)
    form = draw.choice(["({} + {})", "({} - {})", "({} * {})", "({} // {})", "({} % {})", "max({}, {})", "min({}, {})", "abs({}) + {}",
                        "({} if {} > 2 else x)", "(({} and {}) or z)", "int({} == {})", "len(str(bool({}))) + {}", "divmod({}, {})[1]"])  # fmt: skip
    return form.format(a, b)


def rewritten(draw: random.Random, text: str) -> str:
    """The same expression with one thing put otherwise: sometimes it means the same."""
    was, now = draw.choice([("x + y", "y + x"), ("> 2", ">= 3"), ("> 2", ">= 2"), ("max(", "min("), ("- 1", "+ -1"), ("x", "(x + 0)"), ("1", "True"),
                            ("2", "(1 + 1)"), ("//", "%"), ("y", "y * 1"), ("abs(", "(0 + "), ("z", "--z"), ("7", "7 if x != 12 else 8")])  # fmt: skip
    return text.replace(was, now, 1)


def drawn_pairs(count: int) -> list[Question]:
    draw, found = random.Random(20), list[Question]()
    while len(found) < count:
        text = expression(draw, 2)
        found += whole("x: int, y: int, z: int", "int", f"return {text}", f"return {rewritten(draw, text)}")
    return found


@pytest.fixture(scope="module")
def proved() -> list[Question]:
    import asyncio
    import tempfile

    asked = drawn_pairs(60)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(answer(asked, Path(folder), 30.0))
    assert "differs" in {p.outcome for p in found}
    those = [q for q, p in zip(asked, found, strict=True) if p.outcome == "proved"]
    assert len(those) >= 20
    return those


def called(text: str, given: tuple[int, ...]) -> tuple[str, object]:
    names: dict[str, object] = {}
    exec(text, names)
    try:
        value = names["f"](*given)  # type: ignore[operator]
    except ArithmeticError:
        return "raised", None
    return type(value).__name__, value


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(given_=st.tuples(*[st.one_of(st.integers(-12, 12), st.integers())] * 3))
def test_nothing_that_is_proved_differs_on_any_input(proved, given_):
    for question in proved:
        was = called(question.before, given_)
        assert was[0] == "raised" or called(question.after, given_) == was, question
