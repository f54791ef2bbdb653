"""The sandbox without kernels takes what a cell writes, and nothing of what others write meanwhile."""

from __future__ import annotations

import sys
import threading

from jupyter_selfcode.plugins.sandboxes.scripted import Heard


def test_a_person_on_another_thread_is_heard_where_they_were(capsys):
    heard = Heard(sys.stdout)
    heard.write("a cell's")
    other = threading.Thread(target=heard.write, args=("a person's",))
    other.start()
    other.join()
    assert (heard.getvalue(), capsys.readouterr().out) == ("a cell's", "a person's")
