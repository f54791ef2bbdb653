"""An OpenAI-compatible endpoint on loopback that answers well, badly, or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

ANSWER = "<rationale>\nr\n</rationale>\n" + "x = 1\n" * 40


class Endpoint:
    """`behaviours` are used up one a call, the last one stays; `keys` are the authorizations that were sent."""

    def __init__(self) -> None:
        self.answer = ANSWER
        self.behaviours: list[str] = ["well"]
        self.keys: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def will(self, *behaviours: str) -> None:
        self.behaviours = list(behaviours)
        self.requests.clear()
        self.keys.clear()

    def next(self) -> str:
        return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                pass

            def body(self, status: int, body: bytes, **headers: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                if endpoint.behaviours[0] == "401":
                    return self.body(401, b"{}")
                self.body(200, json.dumps({"data": [{"id": "one"}, {"id": "two"}]}).encode())

            def chunk(self, delta: dict[str, str], finish: str | None = None, **more: Any) -> None:
                choice = {"index": 0, "delta": delta, "finish_reason": finish}
                chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
                self.wfile.write(b"data: " + json.dumps(chunk | more).encode() + b"\n\n")
                self.wfile.flush()

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append(request)
                key = self.headers.get("Authorization", "")
                endpoint.keys.append(key)
                match endpoint.next():
                    case "401":
                        said = f"Incorrect API key provided: {key.removeprefix('Bearer ')}."
                        return self.body(
                            401, json.dumps({"error": {"message": said, "code": "invalid_api_key"}}).encode()
                        )
                    case "404":
                        return self.body(404, b'{"error": {"message": "no such model"}}')
                    case "429":
                        return self.body(429, b'{"error": {"message": "slow down"}}', retry_after="7")
                    case "500":
                        return self.body(500, json.dumps({"error": {"message": f"it broke for {key}"}}).encode())
                    case "never":
                        endpoint.released.wait()
                        return None
                    case "nonsense":
                        return self.body(200, b"<html>welcome to the hotel wifi</html>")
                    case behaviour:
                        self.stream(behaviour)
                return None

            def stream(self, behaviour: str) -> None:
                self.close_connection = True
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                if behaviour == "broken":
                    self.send_header("Content-Length", "100000")
                self.send_header("Connection", "close")
                self.end_headers()
                self.chunk({"role": "assistant", "content": ""})
                text = "" if behaviour == "nothing" else endpoint.answer
                for start in range(0, len(text), 50):
                    if behaviour in ("half", "broken") and start > 100:
                        return
                    self.chunk({"content": text[start : start + 50]})
                usage = {"prompt_tokens": 11, "completion_tokens": 22, "total_tokens": 33}
                more = {} if behaviour == "uncounted" else {"usage": usage}
                self.chunk({}, "length" if behaviour == "long" else "stop", **more)
                self.wfile.write(b"data: [DONE]\n\n")

        return Handler


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()
