"""Secrets that tests put wherever people keep theirs, and the ways in which one may turn up again."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

AWS = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYcanary001"
DOCKER = "docker-canary-pass-0002"

IN_HOME = {
    ".netrc": ("machine example.com login ada password netrc-canary-0003\n", "netrc-canary-0003"),
    ".aws/credentials": (f"[default]\naws_access_key_id = none\naws_secret_access_key = {AWS}\n", AWS),
    ".config/gh/hosts.yml": ("github.com:\n    user: ada\n    oauth_token: gh-canary-token-0004\n", "gh-canary-token-0004"),
    ".pypirc": ("[pypi]\nusername = __token__\npassword = pypirc-canary-0005\n", "pypirc-canary-0005"),
    ".npmrc": ("//registry.example.com/:_authToken=npmrc-canary-0006\n", "npmrc-canary-0006"),
    ".git-credentials": ("https://ada:git%2Fcanary-0007@example.com\n", "git%2Fcanary-0007"),
    ".huggingface/token": ("hugging-canary-0008\n", "hugging-canary-0008"),
    ".cache/huggingface/token": ("hugging-canary-0009", "hugging-canary-0009"),
    ".kaggle/kaggle.json": (json.dumps({"username": "ada", "key": "kaggle-canary-0010"}), "kaggle-canary-0010"),
    ".docker/config.json": (
        json.dumps({"auths": {"example.com": {"auth": base64.b64encode(f"ada:{DOCKER}".encode()).decode()}}}), DOCKER,
    ),
    ".pgpass": ("db.example.com:5432:sales:ada:pgpass-canary-0011\n", "pgpass-canary-0011"),
    ".my.cnf": ("[client]\npassword=mysql-canary-0012\n", "mysql-canary-0012"),
    ".kube/config": ("users:\n- name: ada\n  user:\n    token: kube-canary-0013\n", "kube-canary-0013"),
    ".streamlit/secrets.toml": ('db_password = "toml-canary-0014"  # local\n', "toml-canary-0014"),
    ".condarc": ("channels:\n  - https://ada:conda-canary-0015@conda.example.com\n", "conda-canary-0015"),
    ".m2/settings.xml": ("<server><password>maven-canary-0016</password></server>", "maven-canary-0016"),
    ".ssh/id_ed25519": (
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAcanary0017\n-----END OPENSSH PRIVATE KEY-----\n",
        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAcanary0017",
    ),
}  # fmt: skip
"""By file: what is in it, and the secret."""


def put(home: Path) -> list[str]:
    """The files, written below a home folder; their secrets."""
    for name, (text, _) in IN_HOME.items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return [secret for _, secret in IN_HOME.values()]


def written(secret: str) -> dict[str, str]:
    """Texts in which a secret is spelled in one way or another, by the names of `spellings`."""
    raw = secret.encode()
    longer = {
        "base64 after a user's name": base64.b64encode(b"ada:" + raw + b":more").decode(),
        "base64 after one byte": base64.b64encode(b"x" + raw + b"more").decode(),
    }
    return spellings(secret) | longer


def spellings(secret: str) -> dict[str, str]:
    """The ways in which a secret may turn up, by name; of those inside of a longer text what is the secret's alone."""
    raw = secret.encode()
    return {
        "as it is": secret,
        "base64": base64.b64encode(raw).decode().rstrip("="),
        "base64 after a user's name": base64.b64encode(b"ada:" + raw).decode().rstrip("=")[6:-4],
        "base64 after one byte": base64.b64encode(b"x" + raw).decode().rstrip("=")[2:-4],
        "hexadecimal": raw.hex(),
        "URL": quote(secret, safe=""),
        "JSON": json.dumps(secret)[1:-1],
    }


def found_in(text: str, secrets: list[str]) -> list[tuple[str, str]]:
    """Which secrets a text holds, and how they are spelled."""
    return [(s, how) for s in secrets for how, spelled in spellings(s).items() if spelled in text]
