"""What a trial sends is looked at, never acted upon: terminals, browsers, messages of odd shape, requests to the front end."""

from __future__ import annotations

import contextlib
import json
import re
from unittest.mock import patch

import pytest

from jupyter_selfcode import views
from jupyter_selfcode.codec import from_json, to_json
from jupyter_selfcode.plugins.deployers.file import FileDeployer
from jupyter_selfcode.plugins.sandboxes import cells, nbclient_kernel
from jupyter_selfcode.plugins.sandboxes.contained import ContainedSandbox
from jupyter_selfcode.plugins.sandboxes.kernels import kernel_of
from jupyter_selfcode.plugins.stores.sql import SqlStore
from jupyter_selfcode.protocols import Limits
from jupyter_selfcode.values.decision import Ask
from jupyter_selfcode.values.errors import KernelUnavailable
from jupyter_selfcode.values.events import Decided
from jupyter_selfcode.values.notebook import Cell, Notebook
from jupyter_selfcode.values.patch import Patch, ReplaceSource
from jupyter_selfcode.values.request import Request, Triage
from jupyter_selfcode.values.trial import Candidate, CellResult, Run, Trial
from jupyter_selfcode.waiting import Waiting
from tests.changes import engine_with

OSC52 = "\\x1b]52;c;ZXZpbA==\\x07"


async def run(folder, *sources: str, **limits) -> tuple[list[CellResult], str]:
    """The results of these cells, the last of which says that the kernel is well."""
    async with ContainedSandbox().open(Notebook(), folder, Limits(cell_seconds=20, **limits)) as kernel:
        results = [await kernel.execute(Cell(str(i), "code", s)) for i, s in enumerate(sources)]
        return results, kernel.state


def proposed(result: CellResult) -> Decided:
    """A change that waits, whose trial gave this result."""
    nb = Notebook((Cell(result.cell_id, "code", "old"),))
    trial = Trial(Candidate(Patch(nb.digest, (ReplaceSource(result.cell_id, "new"),)), "because", "test"), Run((result,)), Run(), level=0)
    return Decided(Request("do it"), Ask(trial, "A person decides."), Triage("code", "a wish"), (trial,))


def shown(result: CellResult) -> str:
    """All that a person is shown of it, as text and as HTML."""
    view = views.proposal(proposed(result), Notebook((Cell(result.cell_id, "code", "old"),)))
    return view.text(100, color=False) + view.html()


# ---- row 35: terminals ---------------------------------------------------------------------------------------------


async def test_control_sequences_reach_no_terminal(root, tmp_path):
    (printed, raised), _ = await run(
        tmp_path, f"import sys\nprint('{OSC52}\\x1b[2Jhi'); print('\\x9b31m', file=sys.stderr)", f"raise ValueError('{OSC52}\\x1b]0;owned\\x07bad')"
    )
    assert "hi" in str(printed.outputs)
    assert "\x1b" not in raised.failure.evalue + raised.failure.traceback
    for result in (printed, raised):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown(result))


# ---- row 36: connections ---------------------------------------------------------------------------------------------


async def test_a_kernel_that_drops_its_connections_has_died_for_all_that_is_known(root, tmp_path, monkeypatch):
    monkeypatch.setattr(nbclient_kernel, "GRACE_SECONDS", 0.2)
    drop = "import time\nget_ipython().kernel.iopub_thread.socket.close(linger=0)\ntime.sleep(15)"
    async with ContainedSandbox().open(Notebook(), tmp_path, Limits(cell_seconds=20)) as kernel:
        result = await kernel.execute(Cell("c", "code", drop))
        assert (result.status, kernel.state) == ("stopped", "died")
        assert kernel.detail == "stopped: the kernel has closed its connection, and its process goes on"


# ---- row 37: floods, besides those that the limits are tested with ---------------------------------------------------


async def test_a_cell_that_shows_more_than_is_kept_is_stopped_and_says_why(root, tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "OUTPUTS", 20)
    (enough, many), state = await run(tmp_path, "for n in range(20): display(n)", "for n in range(30): display(n)")
    assert (enough.status, len(enough.outputs)) == ("ok", 20)
    assert (many.status, many.failure.evalue, state) == ("stopped", "stopped: it gave more than 20 outputs", "output")


async def test_a_flood_of_clearings_is_stopped(root, tmp_path):
    flood = "from IPython.display import clear_output\nfor _ in range(20_000):\n    clear_output(); print(1)"
    with patch.object(nbclient_kernel, "MESSAGES", 2_000):
        (result,), state = await run(tmp_path, flood)
    assert (result.status, state) == ("stopped", "output")


# ---- row 38: messages of odd shape ----------------------------------------------------------------------------------

SEND = "def send(**content):\n    ip = get_ipython()\n    ip.kernel.send_response(ip.kernel.iopub_socket, 'display_data', content)\n"


@pytest.mark.parametrize(
    "content",
    [
        "data={'text/plain': ['a', 'b']}, metadata={}", "data={'text/plain': 7}, metadata={}", "data={'image/png': {'a': 1}}, metadata={}",
        "data={}, metadata={}", "data={'text/plain': float('nan')}, metadata={}", "data={'n': 10**4000}, metadata={}",
        "data={'text/plain': 'x'}, metadata={'text/plain': {'deep': [[[[1]]]]}}", "data=[1], metadata=[]", "data={'': ''}, metadata={}",
        "nothing=1", "data={'text/html': '<b>' * 1000}, metadata=None",
    ],
)  # fmt: skip
async def test_a_display_of_odd_shape_hurts_nobody_who_reads_it(root, tmp_path, content):
    (result, after), _ = await run(tmp_path, SEND + f"send({content})\nprint('seen')", "1")
    assert result.status in ("ok", "stopped")
    assert after.status in ("ok", "stopped")
    shown(result)
    json.loads(to_json(proposed(result)))


async def test_a_display_that_no_notebook_may_hold_ends_the_trial_at_once(root, tmp_path):
    """nbclient finds out when the cell has ended, and reads nothing until then (tried: 1.8 GB in 20 s)."""
    async with ContainedSandbox().open(Notebook(), tmp_path, Limits(cell_seconds=None, seconds=None)) as kernel:
        result = await kernel.execute(Cell("c", "code", SEND + "while True:\n    send(data={'n': 1}, metadata={})"))
    assert (result.status, kernel.state) == ("stopped", "output")
    assert "cannot be read" in kernel.detail


async def test_half_characters_are_shown_and_kept(root, tmp_path):
    (result,), _ = await run(tmp_path, "display({'text/plain': '\\udce9\\ud800'}, raw=True)")
    decided = proposed(CellResult(result.cell_id, "ok", ({"output_type": "stream", "name": "stdout", "text": "\ud800"}, *result.outputs)))
    shown(decided.decision.trial.run.results[0])
    store = SqlStore(f"sqlite:///{tmp_path / 'h.sqlite'}")
    name = Waiting(store, "nb").keep(decided)
    assert Waiting(store, "nb").pick(name)[1].request == decided.request
    store.close()


# ---- rows 41 and 43: browsers ----------------------------------------------------------------------------------------

ACTIVE = {
    "text/html": "<script>alert(1)</script><img src=https://evil.example/?d=1 onerror=alert(2)><a href='javascript:x'>y</a>",
    "application/javascript": "alert(1)",
    "text/markdown": "![d](https://evil.example/?d=1)",
    "image/svg+xml": "<svg onload='alert(1)'><image href='https://evil.example'/></svg>",
    "application/vnd.jupyter.widget-view+json": {"model_id": "x"},
    "text/latex": "\\\\input{/etc/passwd}",
}


@pytest.mark.parametrize("kind", ACTIVE)
async def test_active_content_is_named_and_never_drawn(root, tmp_path, kind):
    (result,), _ = await run(tmp_path, f"display({{{kind!r}: {ACTIVE[kind]!r}}}, raw=True)")
    assert result.status == "ok"
    page = shown(result)
    assert kind in page
    assert "evil.example" not in page
    assert "alert" not in page
    assert "<script" not in page
    assert "<img" not in page


async def test_text_beside_active_content_is_shown_as_text(root, tmp_path):
    (result,), _ = await run(tmp_path, "display({'text/html': '<b>x</b>', 'text/plain': '<script>alert(1)</script>'}, raw=True)")
    assert "<script" not in views.proposal(proposed(result), Notebook((Cell("0", "code", "old"),))).html()


async def test_a_picture_that_would_unpack_to_gigabytes_is_only_named(root, tmp_path):
    """Width and height of 60,000 in a few bytes: nothing of ours decodes it."""
    bomb = "import base64\nb = b'\\x89PNG\\r\\n\\x1a\\n' + b'\\x00\\x00\\x00\\rIHDR\\x00\\x00\\xea\\x60\\x00\\x00\\xea\\x60\\x08\\x06\\x00\\x00\\x00'\n"
    (result,), _ = await run(tmp_path, bomb + "display({'image/png': base64.b64encode(b).decode()}, raw=True)")
    assert "[image/png, 0 kB]" in shown(result)


async def test_outputs_of_a_trial_are_not_copied_into_the_notebook(root, tmp_path):
    path = tmp_path / "nb.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "id": "c0", "metadata": {}, "source": "x", "outputs": [], "execution_count": None}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    (result,), _ = await run(tmp_path, "display({'text/html': 'CANARY'}, raw=True)")
    store, surface = SqlStore(f"sqlite:///{tmp_path / 'h.sqlite'}"), FileDeployer(path)
    nb = surface.read()
    trial = Trial(Candidate(Patch(nb.digest, (ReplaceSource("c0", "y"),)), "", "test"), Run((result,)), Run(), level=0)
    decided = Decided(Request("do it"), Ask(trial, "?"), Triage("code", "a wish"), (trial,))
    engine_with(store).accept(decided, trial, [surface], "nb.ipynb", "person")
    store.close()
    assert json.loads(path.read_text())["cells"][0]["source"] in ("y", ["y"])
    assert "CANARY" not in path.read_text()


# ---- row 44: requests to the front end -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asking",
    [
        "get_ipython().set_next_input('!rm -rf /', replace=True)", "get_ipython().set_next_input('x')",
        "get_ipython().payload_manager.write_payload({'source': 'page', 'data': {'text/html': '<script>'}, 'start': 0})",
        "get_ipython().payload_manager.write_payload({'source': 'edit_magic', 'filename': '/etc/passwd', 'line_number': 1})",
        "from ipykernel.comm import Comm\nComm(target_name='jupyter.widget', data={'state': {}})\nComm(target_name='selfcode', data={'op': 'replace'})",
        "%pinfo print", "get_ipython().payload_manager.write_payload(dict(source=7, data=None))",
    ],
)  # fmt: skip
async def test_what_a_trial_asks_of_a_front_end_is_ignored(root, tmp_path, asking):
    (result, after), state = await run(tmp_path, asking + "\nprint('went on')", "x = 1\nx")
    assert (result.status, after.status, state) == ("ok", "ok", "complete")
    assert {o["output_type"] for o in result.outputs} == {"stream"}
    assert after.outputs[0]["data"]["text/plain"] == "1"


# ---- notebooks that bring a kernel along -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "evil; touch x", "python3\x00", ""])
def test_a_notebook_names_a_kernel_and_never_a_command(name):
    brought = {"kernelspec": {"name": name, "argv": ["/bin/sh", "-c", "touch x"], "env": {"A": "1"}, "language": "python"}, "argv": ["x"]}
    with contextlib.suppress(KernelUnavailable):  # there is no such kernel here
        _, spec = kernel_of(Notebook((), brought))
        assert "/bin/sh" not in spec.argv
        assert spec.env == {}


def test_what_waits_is_read_back_as_it_was():
    result = CellResult("0", "ok", ({"output_type": "stream", "name": "stdout", "text": "é\x1b"},))
    assert from_json(Decided, to_json(proposed(result))).decision.trial.run.results[0].outputs[0]["text"] == "é\x1b"
