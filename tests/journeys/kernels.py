"""A person at a notebook front end, talking to a real ipykernel by Jupyter's protocol."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass, field
from queue import Empty

import psutil
from jupyter_client.manager import KernelManager

from jupyter_selfcode.values.messages import REPLY

SECONDS = 120


@dataclass
class Answer:
    """What a cell gave: the reply, and the outputs as a front end shows them in the end."""

    status: str = ""
    ename: str = ""
    evalue: str = ""
    payload: list = field(default_factory=list)
    outputs: list = field(default_factory=list)

    @property
    def text(self):
        """All outputs as text."""
        return "\n".join(self._text(o) for o in self.outputs)

    @property
    def html(self):
        """The HTML of all outputs."""
        return "\n".join(o.get("data", {}).get("text/html", "") for o in self.outputs)

    @property
    def replaced(self):
        """What `set_next_input(replace=True)` put into this cell; None where it did not."""
        found = [p["text"] for p in self.payload if p["source"] == "set_next_input" and p["replace"]]
        return found[-1] if found else None

    @property
    def data(self):
        """What a command answered as data."""
        found = [o["data"][REPLY] for o in self.outputs if REPLY in o.get("data", {})]
        return found[-1] if found else None

    @staticmethod
    def _text(output):
        if "text" in output:
            return output["text"]
        if "ename" in output:
            return "\n".join(output["traceback"])
        return output.get("data", {}).get("text/plain", "")


class FrontEnd:
    """A kernel in a folder, and cells that are run in it with their ids."""

    def __init__(self, folder, **environment):
        self.manager = KernelManager(kernel_name="python3")
        environment = {**os.environ, "PYTHON_COLORS": "0", **environment}
        self.manager.start_kernel(cwd=str(folder), env=environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def hear(self, message):
        """Whatever the kernel says to all."""

    def send(self, source, cell_id=None, **metadata):
        """Ask for a cell to be run; the id of the request."""
        content = {
            "code": source, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True,
        }  # fmt: skip
        message = self.client.session.msg("execute_request", content, metadata=metadata | ({"cellId": cell_id} if cell_id else {}))
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def receive(self, request):
        """What came of it."""
        answer, displays, clear, idle, end = Answer(), {}, False, False, time.monotonic() + SECONDS
        while not idle and time.monotonic() < end:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            self.hear(message)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status":
                idle = content["execution_state"] == "idle"
            elif kind == "clear_output":
                if content["wait"]:
                    clear = True
                else:
                    answer.outputs.clear()
            elif kind == "update_display_data":
                for shown in displays.get(content["transient"]["display_id"], []):
                    shown["data"] = content["data"]
            elif kind in ("stream", "display_data", "execute_result", "error"):
                if clear:
                    answer.outputs.clear()
                    clear = False
                answer.outputs.append(dict(content))
                if name := content.get("transient", {}).get("display_id"):
                    displays.setdefault(name, []).append(answer.outputs[-1])
        while True:
            reply = self.client.get_shell_msg(timeout=SECONDS)
            if reply["parent_header"].get("msg_id") == request:
                break
        answer.status = reply["content"]["status"]
        answer.ename, answer.evalue = reply["content"].get("ename", ""), reply["content"].get("evalue", "")
        answer.payload = reply["content"].get("payload", [])
        return answer

    def run(self, source, cell_id=None):
        """Run a cell to its end."""
        return self.receive(self.send(source, cell_id))

    def value(self, expression):
        """The repr of an expression in the kernel."""
        reply = self.client.execute("", user_expressions={"v": expression}, reply=True, timeout=SECONDS)
        return reply["content"]["user_expressions"]["v"].get("data", {}).get("text/plain")

    def children(self):
        """Processes below the kernel."""
        return psutil.Process(self.manager.provisioner.pid).children(recursive=True)

    def interrupt(self):
        """As the stop button does."""
        os.kill(self.manager.provisioner.pid, signal.SIGINT)

    def close(self):
        """End the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Lab(FrontEnd):
    """One that carries our extension: it shows a document, tells it, and takes edits as the protocol says."""

    def __init__(self, folder, *cells, **environment):
        super().__init__(folder, **environment)
        self.cells = {i: {"id": i, "type": "code", "source": s, "metadata": {}, "attachments": {}} for i, s in cells}
        self.name = self.client.session.session
        self.comm = None
        self.seen = None
        self.heard = []
        self.answers = True

    @property
    def document(self):
        return {"cells": list(self.cells.values()), "metadata": {}}

    def hear(self, message):
        if message["msg_type"] == "comm_open":
            self.comm = message["content"]["comm_id"]
            self.say(type="hello", path="nb.ipynb", version="0.1.0", seen=self.seen)
        elif message["msg_type"] == "comm_msg":
            said = message["content"]["data"]
            self.heard.append(said)
            if said["type"] == "edit" and said["client"] == self.name and self.answers:
                self.take(said)

    def say(self, **data):
        content = {"comm_id": self.comm, "data": {"client": self.name, **data}}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))

    def take(self, edit):
        self.seen = edit["id"]
        for op in edit["ops"]:
            if op["op"] in ("replace", "delete") and self.cells[op["cell_id"]]["source"] != op["expect"]:
                self.say(type="applied", id=edit["id"], ok=False, error="changed", cell_id=op["cell_id"], notebook=self.document)
                return
        for op in edit["ops"]:
            if op["op"] == "replace":
                self.cells[op["cell_id"]]["source"] = op["source"]
            elif op["op"] == "metadata" and op["cell_id"]:
                held = self.cells[op["cell_id"]]["metadata"]
                held.update(op["set"])
                for key in op["remove"]:
                    held.pop(key, None)
        self.say(type="applied", id=edit["id"], ok=True)

    def type_in(self, cell_id, source):
        """A person types; the extension tells it a little later."""
        self.cells[cell_id]["source"] = source

    def tell(self):
        self.say(type="document", notebook=self.document, seen=self.seen)

    def click(self, line):
        """A button of the sidebar: a command that carries what is shown; its answer as data."""
        asking = {"client": self.name, "notebook": self.document, "seen": self.seen}
        return self.receive(self.send(f"%selfcode {line}", jupyter_selfcode=asking))

    def run_cell(self, cell_id):
        """Run a cell of the document, as Ctrl+Enter does."""
        self.tell()
        return self.run(self.cells[cell_id]["source"], cell_id)


def recorded(path, *answers):
    """Write completions for `replay:`; (request, answer) or (request, attempt, answer)."""
    lines = []
    for answer in answers:
        request, attempt, text = answer if len(answer) == 3 else (answer[0], 1, answer[1])
        lines.append(json.dumps({"request": request, "attempt": attempt, "answer": text, "kind": "scripted"}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"replay:{path}"


def edit(cell_id, code):
    """A model's answer that replaces one cell."""
    return f'This does it.\n<cell id="{cell_id}" action="replace">\n{code}\n</cell>\n'
