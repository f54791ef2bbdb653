"""What looks secret in a text, and is taken out before the text goes to a model.

By value first, which is certain: the values of environment variables whose names look secret, as they are and as base64,
hexadecimal and URL encoding. Then by form: a small table of expressions for the keys of well-known providers (entropy
scanners were measured: they flag most ordinary cells and miss several of these). No list of forms is complete.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

MINIMUM = 8
"""Shorter values are too likely to be ordinary words."""

MARK = "«secret»"

SECRET_NAME = re.compile(
    r"(?i)(?:^|_)(?:api_?key|key|token|secret|pass|passwd|password|pwd|credentials?|auth|dsn|pat)(?:_?\d*)(?:$|_)|"
    r"(?:secret|password|passwd|apikey|token)"
)
NOT_SECRET_NAME = re.compile(
    r"(?i)(?:_path|_file|_dir|_name|_url_scheme|max_tokens?|_sock)$|^(?:pwd|oldpwd|.*tokeni[sz]er.*)$"
)

FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(form))
    for name, form in (
        (
            "private key",
            r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
        ),
        ("OpenAI, Anthropic and alike", r"\b(?:sk-|xai-|gsk_|[srp]k_(?:live|test)_)(?=[\w-]*\d)[A-Za-z0-9_-]{16,}"),
        ("AWS key id", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        ("AWS secret", r"(?i)aws.{0,20}secret.{0,20}[=:]\s*[\"']?(?P<value>[A-Za-z0-9/+=]{40})"),
        ("GitHub", r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})"),
        ("GitLab", r"\bglpat-[\w-]{20,}"),
        ("Google", r"\b(?:AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,})"),
        ("Hugging Face", r"\bhf_[A-Za-z0-9]{30,}"),
        ("Slack", r"\bxox[abeprs]-[\w-]{10,}|hooks\.slack\.com/services/(?P<value>[\w/]{20,})"),
        (
            "Azure",
            r"(?i)(?:AccountKey|SharedAccessKey)=(?P<value>[A-Za-z0-9+/=]{40,})|[?&]sig=(?P<value2>[\w%+/=-]{30,})",
        ),
        ("PyPI, npm, SendGrid", r"\bpypi-[\w-]{50,}|\bnpm_[A-Za-z0-9]{36}\b|\bSG\.[\w-]{16,}\.[\w-]{16,}"),
        ("JWT", r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
        ("password in a URL", r"\b[a-zA-Z][\w+.-]*://[^\s:/@\"']*:(?P<value>[^\s@\"'«»]+)@"),
        ("bearer header", r"(?i)\bbearer\s+(?P<value>[\w.~+/-]{16,}=*)"),
        (
            "assignment",
            r"(?i)\b(?:\w*(?:password|passwd|api_?key|secret(?:_?key)?|(?:access|auth|refresh|bearer|api)_?token))"
            r"[\"']?\]?\s*[=:]\s*[rbf]?[\"'](?P<value>[^\"'\s«»]{8,})[\"']",
        ),
    )
)


def looks_secret(name: str) -> bool:
    """Whether a variable of this name is likely to hold a secret."""
    return bool(SECRET_NAME.search(name)) and not NOT_SECRET_NAME.search(name)


def secret_values(environ: Mapping[str, str], dotenv: str = "") -> tuple[str, ...]:
    """Values that must not leave: of variables with secret-looking names, in the environment and in a `.env` text.

    Longest first, so that a value that contains another is replaced whole.
    """
    named = dict(environ)
    for line in dotenv.splitlines():
        name, eq, value = line.strip().removeprefix("export ").partition("=")
        if eq:
            named[f"dotenv:{name}"] = value.strip().strip("\"'")
    found = {v for n, v in named.items() if len(v) >= MINIMUM and looks_secret(n.rpartition(":")[2])}
    return tuple(sorted(found, key=lambda v: (-len(v), v)))


def _spellings(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    spelled = {
        value,
        quote(value, safe="", errors="replace"),
        quote_plus(value, errors="replace"),
        raw.hex(),
        raw.hex().upper(),
    }
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        spelled |= {whole, whole.rstrip("=")}
    escaped = value.encode("unicode_escape").decode()
    return spelled | {escaped, repr(value)[1:-1]}


class Redactor:
    """Takes secrets out of texts, and puts them back into code that a model returned.

    `values` are known secrets; `home` is the home folder, shown as `~` in text. In sources every secret has a mark of its
    own (`«secret-1»`), so that a cell which came back with the mark gets the author's own words again.
    """

    def __init__(self, values: Iterable[str] = (), home: str = "") -> None:
        spelled = {s for v in values if len(v) >= MINIMUM for s in _spellings(v) if len(s) >= MINIMUM}
        known = sorted(spelled, key=lambda s: (-len(s), s))
        self._known = re.compile("|".join(map(re.escape, known))) if known else None
        self._home = re.compile(re.escape(home.rstrip("/")) + r"(?=/|\b)") if len(home.rstrip("/")) > 1 else None
        self._marks: dict[str, str] = {}

    @classmethod
    def for_folder(cls, folder: Path) -> Redactor:
        """One that knows the secrets of this process's environment and of a `.env` in the notebook's folder."""
        try:
            dotenv = (folder / ".env").read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            dotenv = ""
        return cls(secret_values(os.environ, dotenv), str(Path.home()))

    def text(self, text: str) -> str:
        """Outputs, tracebacks, documents: secrets become one mark, the home folder `~`."""
        text = self._replaced(text, lambda _: MARK)
        return self._home.sub("~", text) if self._home else text

    def source(self, text: str) -> str:
        """Cell sources: every secret becomes a mark of its own, which `restore` undoes."""
        return self._replaced(text, self._mark)

    def restore(self, text: str) -> str:
        """Code that came back, with the author's own words in place of the marks."""
        for value, mark in self._marks.items():
            text = text.replace(mark, value)
        return text

    def _mark(self, value: str) -> str:
        return self._marks.setdefault(value, f"«secret-{len(self._marks) + 1}»")

    def _replaced(self, text: str, mark: Callable[[str], str]) -> str:
        if self._known:
            text = self._known.sub(lambda m: mark(m[0]), text)
        for _, form in FORMS:
            text = form.sub(lambda m: _inside(m, mark), text)
        return text


def _inside(match: re.Match[str], mark: Callable[[str], str]) -> str:
    """The match with its secret part (the group that took part, else all of it) replaced."""
    whole = match[0]
    for name, value in match.groupdict().items():
        if value is not None:
            at = match.start(name) - match.start()
            return whole if value.startswith("«secret") else whole[:at] + mark(value) + whole[at + len(value) :]
    return mark(whole)


def redact(text: str, values: Iterable[str] = (), home: str = "") -> str:
    """The text without secrets: known `values` (however encoded), what has the form of a key, and the home folder."""
    return Redactor(values, home).text(text)
