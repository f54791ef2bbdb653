"""Which models can be reached from here: keys by the NAME of their variable, Ollama on its port, an address given.

Values of keys are never read beyond "is it set", and never returned.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

TIMEOUT_SECONDS = 1.5

PROVIDERS: Mapping[str, tuple[str, str]] = {
    "openai": ("OPENAI_API_KEY", "openai/gpt-4o"),
    "anthropic": ("ANTHROPIC_API_KEY", "anthropic/claude-sonnet-4-5"),
    "gemini": ("GEMINI_API_KEY", "gemini/gemini-2.5-pro"),
    "mistral": ("MISTRAL_API_KEY", "mistral/mistral-large-latest"),
    "azure": ("AZURE_API_KEY", "azure/<your deployment>"),
    "groq": ("GROQ_API_KEY", "groq/llama-3.3-70b-versatile"),
    "deepseek": ("DEEPSEEK_API_KEY", "deepseek/deepseek-chat"),
    "openrouter": ("OPENROUTER_API_KEY", "openrouter/openai/gpt-4o"),
    "together_ai": ("TOGETHERAI_API_KEY", "together_ai/<model>"),
    "fireworks_ai": ("FIREWORKS_AI_API_KEY", "fireworks_ai/<model>"),
    "cohere": ("COHERE_API_KEY", "cohere/command-r-plus"),
    "xai": ("XAI_API_KEY", "xai/grok-4"),
    "huggingface": ("HF_TOKEN", "huggingface/<model>"),
    "bedrock": ("AWS_ACCESS_KEY_ID", "bedrock/<model id>"),
}
"""By litellm's provider prefix: the variable that it reads, and a name to show as an example."""

SELF_HOSTED = ("ollama", "ollama_chat", "lm_studio", "hosted_vllm", "llamafile")
"""Provider prefixes that mean a server of one's own, which costs no money a token."""


@dataclass(frozen=True, slots=True)
class Found:
    """One way to a model. `models` are names for the setting `model` (empty: the provider cannot be asked without a
    call that uses the key); `how` says how to use it, or how to make it reachable."""

    provider: str
    reachable: bool
    models: tuple[str, ...] = ()
    how: str = ""


def provider_of(model: str) -> str:
    """litellm's provider prefix of a model name; names without one that everybody writes are told by their start."""
    prefix, slash, _ = model.partition("/")
    if slash:
        return prefix
    starts = {
        "gpt": "openai",
        "o1": "openai",
        "o3": "openai",
        "o4": "openai",
        "claude": "anthropic",
        "gemini": "gemini",
    }
    return next((p for start, p in starts.items() if model.startswith(start)), "")


def key_variable(model: str) -> str | None:
    """NAME of the variable that litellm reads for this model, where it is known."""
    known = PROVIDERS.get(provider_of(model))
    return known[0] if known else None


def private(url: str) -> bool:
    """Whether an address is on this machine or its own network: a server of one's own, reached without a proxy."""
    host = urllib.parse.urlsplit(url if "://" in url else f"//{url}").hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host
    return address.is_private or address.is_loopback or address.is_link_local


def loopback(url: str) -> bool:
    """Whether an address is on this very machine."""
    host = urllib.parse.urlsplit(url if "://" in url else f"//{url}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


USUAL_ADDRESS: Mapping[str, tuple[str, str]] = {
    "ollama": ("OLLAMA_API_BASE", "http://localhost:11434"),
    "ollama_chat": ("OLLAMA_API_BASE", "http://localhost:11434"),
    "llamafile": ("LLAMAFILE_API_BASE", "http://127.0.0.1:8080"),
    "lm_studio": ("LM_STUDIO_API_BASE", ""),
    "hosted_vllm": ("HOSTED_VLLM_API_BASE", ""),
}
"""For servers of one's own: the variable by which litellm is told their address, and where it looks without it."""


def on_this_machine(model: str, api_base: str = "", environ: Mapping[str, str] | None = None) -> bool:
    """Whether what is sent to this model stays on this machine, as far as its address tells.

    Ollama passes models named `…-cloud` on to its makers' servers, so these do not.
    """
    environ = os.environ if environ is None else environ
    variable, usual = USUAL_ADDRESS.get(provider_of(model), ("", ""))
    if re.search(r"[:-]cloud$", model):
        return False
    return loopback(api_base or environ.get(variable) or usual)


def _get(url: str, key: str | None = None) -> object:
    if not url.startswith(("http://", "https://")):
        raise ValueError("an address starts with http:// or https://")
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    proxies = [urllib.request.ProxyHandler({})] if private(url) else []
    with urllib.request.build_opener(*proxies).open(request, timeout=TIMEOUT_SECONDS) as reply:
        return json.loads(reply.read(4_000_000))


def _names(reply: object, rows: str, field: str) -> tuple[str, ...]:
    found = reply.get(rows) if isinstance(reply, dict) else None
    if not isinstance(found, list):
        return ()
    return tuple(str(r[field]) for r in found if isinstance(r, dict) and field in r)


def ollama_address(environ: Mapping[str, str]) -> str:
    """Where Ollama listens: `OLLAMA_HOST` as Ollama itself reads it, or its usual port."""
    host = environ.get("OLLAMA_HOST", "").strip().rstrip("/") or "127.0.0.1:11434"
    scheme, _, rest = host.rpartition("://")
    rest = rest.replace("0.0.0.0", "127.0.0.1")
    return f"{scheme or 'http'}://{rest if ':' in rest or scheme == 'https' else rest + ':11434'}"


def _ollama(environ: Mapping[str, str]) -> Found:
    address = ollama_address(environ)
    try:
        names = _names(_get(f"{address}/api/tags"), "models", "name")
    except (OSError, ValueError):
        how = f"Ollama does not answer at {address}; start it with `ollama serve`, or set OLLAMA_HOST."
        return Found("ollama", False, (), how)
    if not names:
        return Found(
            "ollama", False, (), f"Ollama answers at {address} and has no model; get one with `ollama pull MODEL`."
        )
    models = tuple(f"ollama_chat/{n}" for n in names)
    base = "" if address == "http://127.0.0.1:11434" else f" and --api-base {address}"
    return Found("ollama", True, models, f"Use it with --model {models[0]}{base}.")


def _endpoint(api_base: str, api_key_name: str | None, environ: Mapping[str, str]) -> Found:
    base = api_base.rstrip("/")
    if api_key_name and not environ.get(api_key_name):
        return Found(base, False, (), f"The variable {api_key_name} is not set; set it where Jupyter is started.")
    try:
        names = _names(_get(f"{base}/models", environ.get(api_key_name) if api_key_name else None), "data", "id")
    except urllib.error.HTTPError as e:
        asked = (
            "name the variable that holds its key with --api-key-name" if e.code in (401, 403) else "check the address"
        )
        return Found(base, False, (), f"{base} answers {e.code}; {asked}.")
    except (OSError, ValueError) as e:
        why = getattr(e, "reason", e)
        return Found(
            base, False, (), f"{base} does not answer as an OpenAI-compatible endpoint ({why}); check --api-base."
        )
    models = tuple(f"openai/{n}" for n in names)
    return Found(base, True, models, f"Use it with --model {models[0] if models else 'openai/NAME'} --api-base {base}.")


def discover(
    api_base: str | None = None, api_key_name: str | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Found, ...]:
    """What is reachable, reachable first: the endpoint given, Ollama, and every provider whose variable is set.

    Providers whose variable is not set are one last line that says which ones could be set. Takes at most 3 s.
    """
    environ = os.environ if environ is None else environ
    found = [_endpoint(api_base, api_key_name, environ)] if api_base else []
    found.append(_ollama(environ))
    unset = []
    for provider, (variable, example) in PROVIDERS.items():
        if environ.get(variable):
            found.append(Found(provider, True, (), f"{variable} is set. Use it with --model {example}."))
        else:
            unset.append(variable)
    if unset:
        how = f"Set one of {', '.join(unset)} in the environment that Jupyter is started from, and name a --model."
        found.append(Found("keys", False, (), how))
    return tuple(sorted(found, key=lambda f: not f.reachable))
