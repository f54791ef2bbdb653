"""The comm of a kernel: who is known, and what is done for a front end that is not."""

from __future__ import annotations

from types import SimpleNamespace

import comm
import pytest
from comm.base_comm import BaseComm

from jupyter_selfcode.hosts.ipython.channel import TARGET, Channel


@pytest.fixture
def sent(monkeypatch):
    """What goes out, as pairs of the kind of a message and the id of its comm."""
    made = []

    class Comm(BaseComm):
        def publish_msg(self, msg_type, **_):
            made.append((msg_type, self.comm_id))

    monkeypatch.setattr(comm, "create_comm", Comm)
    return made


@pytest.fixture
def channel(sent):
    kernel = SimpleNamespace(parent={})
    kernel.get_parent = lambda: kernel.parent
    made = Channel(kernel)
    made.open()
    yield made
    made.close()


def asks(channel, **metadata):
    channel._kernel.parent = {"metadata": metadata}
    channel.meet()


def hello(channel, client):
    channel._comm.handle_msg({"content": {"data": {"type": "hello", "client": client, "path": "a.ipynb", "version": "1"}}})


def test_a_front_end_that_asks_and_has_not_said_hello_is_told_of_us_once_more(channel, sent):
    first = channel._comm.comm_id
    asks(channel, **{TARGET: {"client": "a"}})
    assert sent[1:] == [("comm_close", first), ("comm_open", channel._comm.comm_id)]
    assert channel._comm.comm_id != first


def test_one_that_is_known_keeps_its_comm(channel, sent):
    hello(channel, "a")
    del sent[:]
    asks(channel, **{TARGET: {"client": "a"}})
    assert sent == []
    asks(channel, **{TARGET: {"client": "b"}})
    assert [kind for kind, _ in sent] == ["comm_close", "comm_open"]


def test_cells_of_other_front_ends_open_nothing(channel, sent):
    asks(channel)
    asks(channel, **{TARGET: "no mapping"})
    channel.close()
    del sent[:]
    asks(channel, **{TARGET: {"client": "a"}})
    assert sent == []
