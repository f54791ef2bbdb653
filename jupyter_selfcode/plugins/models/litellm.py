"""Any model that litellm knows, called in a side process (`litellm_side`), so that the kernel never imports litellm.

One side process serves the calls of a request, one after another, and is stopped by `aclose`. Cancelling a call kills
its process group. Keys are read there, by the name of their variable; nothing that comes back holds one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
import urllib.parse
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from ...analysis.secrets import Redactor, redact
from ...values.errors import ModelError
from ...values.prompt import Completion, Cost, Prompt
from .discover import key_variable, private
from .prices import price_of, prompt_tokens
from .supply import installed, refusal

SIDE = Path(__file__).with_name("litellm_side.py")
SILENCE_SECONDS = 180.0
"""How long a model may say nothing, not even that it thinks."""
LINE_BYTES = 16 * 2**20


class LitellmModel:
    """A model by litellm's name for it (`openai/…`, `anthropic/…`, `ollama_chat/…`).

    `api_base` is the address of an OpenAI-compatible endpoint, `api_key_name` the NAME of the variable with its key.
    """

    def __init__(
        self,
        name: str,
        api_base: str | None = None,
        api_key_name: str | None = None,
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self.name = name
        self.api_base = api_base
        self.api_key_name = api_key_name
        self.silence_seconds = silence_seconds
        self._idle: tuple[asyncio.AbstractEventLoop, asyncio.subprocess.Process] | None = None

    def estimate(self, prompt: Prompt) -> Cost:
        """The most that this call may cost: all of `max_tokens` is used; `usd` None where the price is not known."""
        return self._cost(prompt_tokens(prompt), prompt.max_tokens, 0.0, estimated=True)

    def _cost(self, asked: int, answered: int, seconds: float, *, estimated: bool, usd: float | None = None) -> Cost:
        price = price_of(self.name, self.api_base, asked)
        if price is not None and (usd is None or price.prompt == price.completion == 0):
            usd = price.prompt * asked + price.completion * answered
        return Cost(usd, asked, answered, 1, seconds, estimated)

    async def complete(self, prompt: Prompt) -> AsyncIterator[str | Completion]:
        """Pieces as they stream in, the `Completion` last. Raises `ModelError`, with what a broken stream has cost."""
        if why := refusal(installed()):
            raise ModelError(why)
        start, pieces, process = time.monotonic(), list[str](), await self._side()
        kept = False
        try:
            await self._ask(process, prompt)
            async for reply in self._replies(process, prompt, start):
                if isinstance(piece := reply.get("delta"), str):
                    pieces.append(piece)
                    yield piece
                elif "error" in reply:
                    kept = reply["error"]["class"] != "NoLitellm" and self._keep(process)
                    raise self._error(reply["error"])
                elif "done" in reply:
                    # handed back before the last item: whoever has it may leave without closing the iteration
                    kept = self._keep(process)
                    yield self._completion(reply["done"], "".join(pieces), prompt, time.monotonic() - start)
                    return
        except ModelError as e:
            if pieces:
                e.cost = self._estimated("".join(pieces), prompt, time.monotonic() - start)
            raise
        finally:
            if not kept:
                await _kill(process)

    async def aclose(self) -> None:
        """End the side process. The next call starts another."""
        idle, self._idle = self._idle, None
        if idle is not None:
            await _kill(idle[1])

    # ---- the side process ------------------------------------------------------------------------------------------

    def _keep(self, process: asyncio.subprocess.Process) -> bool:
        """Keep a side process for the next call; False where one is kept already."""
        if self._idle is not None:
            return False
        self._idle = (asyncio.get_running_loop(), process)
        return True

    async def _side(self) -> asyncio.subprocess.Process:
        idle, self._idle = self._idle, None
        if idle is not None:
            loop, process = idle
            if loop is asyncio.get_running_loop() and process.returncode is None:
                return process
            await _kill(process)
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(SIDE), str(os.getpid()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True, limit=LINE_BYTES, env=self._environment(os.environ),
        )  # fmt: skip

    def _environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment with litellm's network accesses, log and `.env` reading off; proxies stay as they are."""
        given = {k: v for k, v in environ.items() if not k.startswith(("LITELLM_LOG", "LITELLM_MODEL_COST_MAP_URL"))}
        given |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION", "PYTHONUTF8": "1"}
        host = urllib.parse.urlsplit(self.api_base).hostname if self.api_base and private(self.api_base) else None
        for name in ("NO_PROXY", "no_proxy"):  # what is for this machine is not to be seen by a proxy
            given[name] = ",".join(filter(None, (given.get(name), host, "localhost", "127.0.0.1", "::1")))
        return given

    async def _ask(self, process: asyncio.subprocess.Process, prompt: Prompt) -> None:
        assert process.stdin is not None
        request = {
            "model": self.name,
            "messages": [{"role": m.role, "content": _unicode(m.content)} for m in prompt.messages],
            "max_tokens": prompt.max_tokens,
            "temperature": prompt.temperature,
            "api_base": self.api_base,
            "api_key_name": self.api_key_name,
            "timeout": min(self.silence_seconds, prompt.seconds or self.silence_seconds),
        }
        with contextlib.suppress(ConnectionError):  # a side process that ended is told of by the end of its output
            process.stdin.write(json.dumps(request).encode() + b"\n")
            await process.stdin.drain()

    async def _replies(
        self, process: asyncio.subprocess.Process, prompt: Prompt, start: float
    ) -> AsyncIterator[Mapping[str, Any]]:
        assert process.stdout is not None
        while True:
            left = float("inf") if prompt.seconds is None else prompt.seconds - (time.monotonic() - start)
            try:
                line = await asyncio.wait_for(process.stdout.readline(), min(self.silence_seconds, max(left, 0.0)))
            except TimeoutError:
                raise self._silent(left <= self.silence_seconds, prompt) from None
            if not line:
                raise ModelError(
                    f"The process that calls {self.name} ended before its answer (exit code {await process.wait()}).",
                    transient=True,
                )
            yield json.loads(line)

    # ---- what it means ---------------------------------------------------------------------------------------------

    @property
    def _place(self) -> str:
        return f"{self.name} at {redact(self.api_base)}" if self.api_base else self.name

    def _silent(self, by_budget: bool, prompt: Prompt) -> ModelError:
        if by_budget and prompt.seconds is not None:
            return ModelError(
                f"{self._place} had not answered after {prompt.seconds:.0f} s, all that the budget had left."
            )
        return ModelError(
            f"{self._place} said nothing for {self.silence_seconds:.0f} s; the call was stopped.", transient=True
        )

    def _completion(self, done: Mapping[str, Any], text: str, prompt: Prompt, seconds: float) -> Completion:
        asked, answered = done["prompt_tokens"], done["completion_tokens"]
        if asked is None or answered is None:
            cost = self._estimated(text, prompt, seconds)
        else:
            cost = self._cost(asked, answered, seconds, estimated=False, usd=done["usd"])
        return Completion(text, self.name, cost, done["finish_reason"])

    def _estimated(self, text: str, prompt: Prompt, seconds: float) -> Cost:
        return self._cost(prompt_tokens(prompt), len(text) // 4 + 1, seconds, estimated=True)

    def _error(self, error: Mapping[str, Any]) -> ModelError:
        """One clear line that says what to do next."""
        kind, status, wait = error["class"], error["status"], error["retry_after"]
        detail = Redactor.for_folder(Path()).text(str(error["detail"]))
        variable = self.api_key_name or key_variable(self.name)
        said = f": {detail}" if detail else ""
        where = "set it in the environment that Jupyter is started from, or name another with api_key_name"
        if kind == "NoLitellm":
            return ModelError(
                f'litellm does not import here ({detail}); pip install "jupyter_selfcode[litellm]" mends it.'
            )
        if kind == "KeyNotSet":
            return ModelError(f"The variable {detail}, which api_key_name names, is not set; {where}.")
        if kind == "AuthenticationError" or status in (401, 403):
            if variable is None:
                read = "The variable with its key is not known here; name it with api_key_name"
            elif os.environ.get(variable):
                read = f"The key was read from {variable}; {where}"
            else:
                read = f"The variable {variable} is not set; {where}"
            return ModelError(f"{self._place} refused the key ({status or 401}). {read}.")
        if kind == "RateLimitError" or status == 429:
            again = f"; it asks to wait {wait:.0f} s" if wait else ""
            return ModelError(
                f"{self._place} has had too many requests (429){again}{said}", transient=True, retry_after=wait
            )
        if kind == "HalfStream" or error.get("partial"):
            return ModelError(f"The connection to {self._place} ended in the middle of an answer{said}", transient=True)
        if kind == "NoStream":
            return ModelError(f"{self._place} sent no answer as a model does; check api_base{said}", transient=True)
        if kind == "NotFoundError" or status == 404:
            return ModelError(f"{self._place} was not found (404); check the model's name and api_base{said}")
        if kind == "ContextWindowExceededError":
            return ModelError(
                f"The prompt is longer than {self.name} takes; lower context_level or name cells with --cell."
            )
        if "LLM Provider NOT provided" in detail:
            return ModelError(
                f"litellm does not know who serves {self.name!r}; write PROVIDER/MODEL, as in openai/{self.name}."
            )
        if kind == "Timeout":
            return ModelError(f"{self._place} did not answer in time{said}", transient=True, retry_after=wait)
        if kind == "Unreachable":
            return ModelError(
                f"{self._place} cannot be reached; check api_base, the network and the proxies{said}", transient=True
            )
        if kind == "APIConnectionError" or (isinstance(status, int) and status >= 500):
            return ModelError(f"{self._place} failed ({status or kind}){said}", transient=True, retry_after=wait)
        return ModelError(f"{self._place} refused the request ({status or kind}){said}")


def _unicode(text: str) -> str:
    """Text that can be sent: a notebook may hold half a surrogate pair."""
    return text.encode("utf-8", "replace").decode("utf-8")


async def _kill(process: asyncio.subprocess.Process) -> None:
    """The whole process group, and its end awaited. A process of a loop that is gone is only killed."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(RuntimeError):
        await process.wait()
