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

    def send(self, source, cell_id=None):
        """Ask for a cell to be run; the id of the request."""
        content = {
            "code": source, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True,
        }  # fmt: skip
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell_id} if cell_id else {})
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
