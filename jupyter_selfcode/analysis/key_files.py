"""Secrets that lie on this machine, so that they can be told in a text wherever they turn up: variables, key files, `.env`.

Read to be taken out of texts, never to be used or kept. Files are read whole only where they are small, and whatever is
wrong with one (no right to read it, another form) hides none of the others.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

MINIMUM = 8
"""Shorter values are too likely to be ordinary words."""

FILE_BYTES = 256 * 2**10
VALUES = 1_000

SECRET_NAME = re.compile(
    r"(?i)(?:^|_)(?:api_?key|key|token|secret|pass|passwd|password|pwd|credentials?|auth|dsn|pat)(?:_?\d*)(?:$|_)|"
    r"(?:secret|password|passwd|apikey|token)"
)
NOT_SECRET_NAME = re.compile(
    r"(?i)(?:_path|_file|_dir|_name|_url_scheme|max_tokens?|_sock|_type|_uri|_url)$|^(?:pwd|oldpwd|.*tokeni[sz]er.*)$"
)

IN_HOME = (
    ".netrc", "_netrc", ".authinfo", ".git-credentials", ".config/git/credentials", ".pypirc", ".npmrc", ".yarnrc.yml",
    ".aws/credentials", ".aws/config", ".config/gh/hosts.yml", ".config/hub", ".config/glab-cli/config.yml",
    ".kaggle/kaggle.json", ".config/kaggle/kaggle.json", ".docker/config.json", ".kube/config", ".pgpass", ".my.cnf",
    ".mylogin.cnf", ".s3cfg", ".boto", ".config/rclone/rclone.conf", ".databrickscfg", ".dbt/profiles.yml",
    ".snowflake/config.toml", ".snowsql/config", ".config/gcloud/application_default_credentials.json",
    ".azure/msal_token_cache.json", ".azure/accessTokens.json", ".config/wandb/settings", ".cargo/credentials.toml",
    ".cargo/credentials", ".config/pip/pip.conf", ".pip/pip.conf", ".condarc", ".terraform.d/credentials.tfrc.json",
    ".terraformrc", ".streamlit/secrets.toml", ".config/openai/auth.json", ".codex/auth.json", ".claude/.credentials.json",
    ".config/io.datasette.llm/keys.json", ".gem/credentials", ".m2/settings.xml", ".cache/huggingface/stored_tokens",
)  # fmt: skip
"""Files whose entries with secret-looking names are secrets."""

WHOLE = (
    ".huggingface/token", ".cache/huggingface/token", ".vault-token", ".config/anthropic/api_key", ".openai_api_key",
    ".ssh/id_rsa", ".ssh/id_ed25519", ".ssh/id_ecdsa", ".ssh/id_dsa",
)  # fmt: skip
"""Files that are one secret."""

IN_FOLDER = (".env", ".env.local", ".envrc", ".streamlit/secrets.toml")

NAMED_BY = ("GOOGLE_APPLICATION_CREDENTIALS", "AWS_SHARED_CREDENTIALS_FILE", "HF_TOKEN_PATH", "NETRC", "KUBECONFIG",
            "PGPASSFILE", "NPM_CONFIG_USERCONFIG", "PIP_CONFIG_FILE")  # fmt: skip
"""Variables that name a key file."""

_ENTRY = re.compile(r"^\s*(?:export\s+|set\s+|-\s+)*[\"']?([^\s\"'=]*[\w-])[\"']?\s*(?:=|:\s)\s*(.*?),?\s*$")
_NETRC = re.compile(r"\b(?:password|passwd)\s+(\S+)")
_USERINFO = re.compile(r"\b[a-zA-Z][\w+.-]*://[^\s/@\"'«»]*?:([^\s@\"'«»]+)@")
_TAGGED = re.compile(r"<(?:password|passphrase)>([^<]+)</")


def looks_secret(name: str) -> bool:
    """Whether a variable of this name is likely to hold a secret."""
    name = name.replace("-", "_")
    return bool(SECRET_NAME.search(name)) and not NOT_SECRET_NAME.search(name)


def secrets_of(environ: Mapping[str, str], home: Path | None = None, folder: Path | None = None) -> tuple[str, ...]:
    """Values that must not leave: of variables, of the key files in a home folder, of `.env` in a notebook's folder.

    Longest first, so that a value that contains another is replaced whole. Never raises.
    """
    found = dict.fromkeys(_plausible(_of_variables(environ)))
    files = [os.path.join(folder, name) for name in IN_FOLDER] if folder else []  # noqa: PTH118
    files += [os.path.join(home, name) for name in (*IN_HOME, *WHOLE)] if home else []  # noqa: PTH118
    files += [os.path.expanduser(environ[name]) for name in NAMED_BY if environ.get(name)]  # noqa: PTH111
    for file in files:
        if text := _read(file):
            found |= dict.fromkeys(_plausible(_of_text(text)))
    return tuple(sorted(list(found)[:VALUES], key=lambda v: (-len(v), v)))


def _read(file: str) -> str:
    """The text of a small regular file; of anything else nothing (a pipe would block). By name, for nearly none exists, and
    to make a `Path` of each takes as long as to look."""
    try:
        found = os.stat(file)  # noqa: PTH116
        if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_BYTES:
            return ""
        with open(file, "rb") as opened:  # noqa: PTH123
            return opened.read(FILE_BYTES).decode("utf-8", "ignore")
    except (OSError, ValueError):
        return ""


def _plausible(values: Iterable[str]) -> Iterator[str]:
    """Values long enough, that are no reference to another one, no address and no file."""
    for value in values:
        value = value.strip().strip("\"'")
        if len(value) < MINIMUM or value.startswith(("$", "{{", "<", "http://", "https://")):
            continue
        if value.startswith(("/", "~", "./")) and len(value) < 4_096 and _exists(value):
            continue
        yield value


def _exists(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _of_variables(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        if looks_secret(name):
            yield value
        if "://" in value:
            yield from _USERINFO.findall(value)


def _of_text(text: str) -> Iterator[str]:
    """The secrets in the text of a key file, whatever its form: one word, JSON, INI, TOML, YAML, netrc, pgpass, URLs, PEM."""
    if len(text.split()) == 1 and not re.search(r"[=:{<]", text):
        yield text.strip()
        return
    if "PRIVATE KEY-----" in text:
        yield from (line for line in text.split() if len(line) >= 32 and not line.startswith("-"))
        return
    if text.lstrip().startswith(("{", "[{")):
        try:
            yield from _of_json(json.loads(text))
        except (ValueError, RecursionError):
            pass
        else:
            return
    yield from _NETRC.findall(text)
    yield from _USERINFO.findall(text)
    yield from _TAGGED.findall(text)
    for line in text.splitlines():
        entry = _ENTRY.match(line)
        if entry and looks_secret(re.split(r"[/:.]", entry[1])[-1]):
            yield entry[2].partition(" #")[0]
        elif line.count(":") == 4 and " " not in line:  # .pgpass: host:port:database:user:password
            yield line.rpartition(":")[2]


def _of_json(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _of_json(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _of_json(item, name)
    elif isinstance(value, str) and looks_secret(name):
        yield value
        if name == "auth":  # Docker: user:password in base64
            try:
                yield base64.b64decode(value, validate=True).decode("utf-8", "ignore").partition(":")[2]
            except (binascii.Error, ValueError):
                return
