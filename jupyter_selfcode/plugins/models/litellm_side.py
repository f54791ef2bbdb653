"""The side process in which litellm runs. A program, not a module: it imports nothing of this package.

litellm takes 2.8 s and 169 MB to import, keeps threads and reads keys, so it stays out of the user's kernel: cancelling
a call is killing this process, and a key is read here, from the environment variable whose NAME was given.

JSON lines. In, one call at a time: `{"model", "messages", "max_tokens", "temperature", "api_base", "api_key_name",
"timeout"}`. Out: `{"ready": true}` once litellm is imported, `{"delta": text}` for every piece, `{"thinking": true}`
while a reasoning model has not begun to answer, and at the end `{"done": {…}}` or `{"error": {…}}`.
It ends when its standard input closes, when its parent dies, or after five idle minutes.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import sys
import threading
from typing import Any, TextIO

IDLE_SECONDS = 300.0
SECRET_NAME = re.compile(r"(?i)key|token|secret|passw|credential")


def die_with_parent(parent: int) -> None:
    """On Linux the kernel kills this process with its parent; elsewhere the end of standard input does."""
    with contextlib.suppress(Exception):
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def read_lines(lines: queue.SimpleQueue[str]) -> None:
    """Standard input as it comes. Its end is the end: the parent is gone or wants no more."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def without_keys(text: str, key: str | None) -> str:
    """One line of at most 400 characters, without the value of any variable whose name looks secret."""
    values = {v for n, v in os.environ.items() if SECRET_NAME.search(n) and len(v) >= 6}
    for value in sorted(values | ({key} if key else set()), key=len, reverse=True):
        text = text.replace(value, "«key»")
    text = re.sub(r"\b(sk|pk|gsk|hf|xai|AIza|key)[-_][\w*.-]{6,}", "«key»", text)
    return " ".join(text.split())[:400]


def described(error: Exception, key: str | None) -> dict[str, Any]:
    """An exception of litellm as data: its class, HTTP status, what the provider asked to wait, and its words."""
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and cause not in chain:
        chain.append(cause)
    wait = None
    for link in chain:
        headers = [
            getattr(getattr(link, "response", None), "headers", None),
            getattr(link, "litellm_response_headers", None),
        ]
        for found in filter(None, headers):
            with contextlib.suppress(TypeError, ValueError):
                wait = wait or float(found.get("retry-after"))
    unreachable = any(type(link).__name__ in ("ConnectError", "ConnectionRefusedError", "gaierror") for link in chain)
    status = getattr(error, "status_code", None)
    words = str(getattr(error, "message", "") or error)
    return {
        "class": "Unreachable" if unreachable else type(error).__name__,
        "status": status if isinstance(status, int) else None,
        "retry_after": wait,
        "detail": re.sub(r"^(?:(?:litellm\.)?\w+(?:Error|Exception)\s*[:-]\s*)+", "", without_keys(words, key)),
    }


def price(litellm: Any, model: str, usage: Any) -> float | None:
    """US dollars by litellm's own price list, None where it has no price for the model."""
    try:
        return float(sum(litellm.cost_per_token(model=model, usage_object=usage)))
    except Exception:
        return None


def usage_of(stream: Any) -> Any:
    """Token counts that the provider itself reported in the stream, or None."""
    for chunk in reversed(getattr(stream, "chunks", None) or []):
        usage = getattr(chunk, "usage", None)
        if usage is not None and getattr(usage, "prompt_tokens", None):
            return usage
    return None


def call(litellm: Any, request: dict[str, Any], say: Any) -> None:
    """One call, streamed."""
    key_name = request.get("api_key_name")
    key = os.environ.get(key_name) if key_name else None
    if key_name and not key:
        say({"error": {"class": "KeyNotSet", "status": None, "retry_after": None, "detail": key_name}})
        return
    if not key and request.get("api_base") and not os.environ.get("OPENAI_API_KEY"):
        key = "none"  # the OpenAI client refuses to start without one; a self-hosted endpoint wants none
    given = {
        "model": request["model"], "messages": request["messages"], "max_tokens": request["max_tokens"],
        "stream": True, "stream_options": {"include_usage": True}, "timeout": request["timeout"],
        "num_retries": 0, "max_retries": 0,
    }  # fmt: skip
    optional = {"temperature": request.get("temperature"), "api_base": request.get("api_base"), "api_key": key}
    given |= {k: v for k, v in optional.items() if v is not None}
    pieces = 0
    try:
        stream = litellm.completion(**given)
        for chunk in stream:
            delta = chunk.choices[0].delta if chunk.choices else None
            if text := getattr(delta, "content", None):
                pieces += 1
                say({"delta": text})
            elif getattr(delta, "reasoning_content", None):
                say({"thinking": True})
    except Exception as e:
        say({"error": described(e, key) | {"partial": pieces > 0}})
        return
    # litellm makes up a "stop" where a connection ends without one, so the provider's own word is looked for
    reason = getattr(stream, "received_finish_reason", "stop") or getattr(stream, "intermittent_finish_reason", None)
    if reason is None:
        detail = "the stream ended without a finish reason"
        kind = "HalfStream" if pieces else "NoStream"
        say({"error": {"class": kind, "status": None, "retry_after": None, "detail": detail, "partial": pieces > 0}})
        return
    usage = usage_of(stream)
    say(
        {
            "done": {
                "finish_reason": str(reason),
                "prompt_tokens": usage.prompt_tokens if usage else None,
                "completion_tokens": usage.completion_tokens if usage else None,
                "usd": price(litellm, request["model"], usage) if usage else None,
            }
        }
    )


def quiet(litellm: Any) -> None:
    """Nothing of a call goes anywhere but to its provider."""
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.drop_params = True
    litellm.disable_hf_tokenizer_download = True
    for name in ("callbacks", "success_callback", "failure_callback", "input_callback", "service_callback"):
        setattr(litellm, name, [])


def main(parent: int) -> None:
    """Answer calls until the parent wants no more."""
    out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    die_with_parent(parent)
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=read_lines, args=(lines,), daemon=True).start()

    def say(value: dict[str, Any]) -> None:
        out.write(json.dumps(value) + "\n")
        out.flush()

    try:
        import litellm

        quiet(litellm)
    except Exception as e:
        detail = without_keys(f"{type(e).__name__}: {e}", None)
        say({"error": {"class": "NoLitellm", "status": None, "retry_after": None, "detail": detail}})
        os._exit(1)
    say({"ready": True})
    while True:
        try:
            line = lines.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            os._exit(0)
        call(litellm, json.loads(line), say)


if __name__ == "__main__":
    main(int(sys.argv[1]))
