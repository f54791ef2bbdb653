"""What looks secret in a text, and is taken out before the text goes to a model, is stored or is shown.

In this order. By value, which is certain: what stands in secret-looking variables and in key files (`key_files`), as it is
and as base64 (also inside of a longer text), hexadecimal, URL encoding and as Python writes it. By form: a small table of
expressions for the keys of well-known providers, JWT, PEM, passwords in URLs (entropy scanners were measured: they flag most
ordinary cells and miss several of these). Then where and who this is: the notebook's folder becomes `.`, the home folder `~`,
the names of user and machine marks. No list of forms is complete.
"""

from __future__ import annotations

import base64
import getpass
import os
import platform
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from .key_files import MINIMUM, looks_secret, secrets_of
from .printable import printable

__all__ = ["FORMS", "MARK", "Redactor", "forms_in", "looks_secret", "redact"]

MARK = "«secret»"
KNOWN = "known value"
PLACE = "folder, user or machine"

GENERIC = frozenset((
    "root", "user", "users", "admin", "administrator", "jovyan", "ubuntu", "debian", "runner", "vscode", "codespace", "guest",
    "test", "data", "home", "work", "jupyter", "python", "docker", "localhost", "default", "nobody", "main", "name", "code",
))  # fmt: skip
"""Names of users and machines that say nothing of anybody, and stand in ordinary text."""

class Form(NamedTuple):
    """The form of a key. It is looked for only where one of `hints` stands in the text (in lower case where the expression
    ignores case): to find a word takes a fiftieth of the time of an expression."""

    name: str
    hints: tuple[str, ...]
    expression: re.Pattern[str]


def _form(name: str, hints: str, expression: str) -> Form:
    return Form(name, tuple(hints.split()), re.compile(expression))


FORMS: tuple[Form, ...] = (
    _form(
        "private key",
        "-----BEGIN",
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
    _form(
        "OpenAI, Anthropic and alike",
        "sk- xai- gsk_ k_live_ k_test_",
        r"\b(?:sk-|xai-|gsk_|[srp]k_(?:live|test)_)(?=[\w-]*\d)[A-Za-z0-9_-]{16,}",
    ),
    _form("AWS key id", "AKIA ASIA", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    _form("AWS secret", "aws", r"(?i)aws.{0,20}secret.{0,20}[=:]\s*[\"']?(?P<value>[A-Za-z0-9/+=]{40})"),
    _form(
        "GitHub",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})",
    ),
    _form("GitLab", "glpat-", r"\bglpat-[\w-]{20,}"),
    _form("Google", "AIza ya29. GOCSPX-", r"\b(?:AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,})"),
    _form("Hugging Face", "hf_", r"\bhf_[A-Za-z0-9]{30,}"),
    _form("Slack", "xox hooks.slack", r"\bxox[abeprs]-[\w-]{10,}|hooks\.slack\.com/services/(?P<value>[\w/]{20,})"),
    _form(
        "Azure",
        "accountkey= sharedaccesskey= sig=",
        r"(?i)(?:AccountKey|SharedAccessKey)=(?P<value>[A-Za-z0-9+/=]{40,})|[?&]sig=(?P<value2>[\w%+/=-]{30,})",
    ),
    _form(
        "PyPI, npm, SendGrid",
        "pypi- npm_ SG.",
        r"\bpypi-[\w-]{50,}|\bnpm_[A-Za-z0-9]{36}\b|\bSG\.[\w-]{16,}\.[\w-]{16,}",
    ),
    _form(
        "other providers",
        "dapi _v1_ r8_ pplx- tvly- lsv2_ shpat_ shpss_ shpca_ shppa_ lin_api_ ntn_ hvs. dckr_pat_ ATATT3 NRAK- glsa_ AGE- SK :AA",
        r"\b(?:dapi[0-9a-f]{32}|do[opr]_v1_[0-9a-f]{64}|r8_[A-Za-z0-9]{30,}|pplx-[A-Za-z0-9]{30,}|tvly-[\w-]{20,}|"
        r"lsv2_[ps]t_\w{20,}|shp(?:at|ss|ca|pa)_[0-9a-f]{32}|lin_api_\w{30,}|ntn_\w{30,}|hvs\.[\w-]{20,}|"
        r"dckr_pat_[\w-]{20,}|ATATT3[\w=-]{30,}|NRAK-[A-Z0-9]{20,}|glsa_\w{30,}|AGE-SECRET-KEY-1[A-Z0-9]{50,}|"
        r"SK[0-9a-f]{32}|\d{8,10}:AA[\w-]{32,})",
    ),
    _form("JWT", "eyJ", r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
    _form(
        "password in a URL", "://", r"\b[a-zA-Z][\w+.-]*://[^\s:/@\"']*:(?P<value>[^\s@\"'«»]+)@"
    ),
    _form("bearer header", "bearer", r"(?i)\bbearer\s+(?P<value>[\w.~+/-]{16,}=*)"),
    _form(
        "basic header",
        "basic",
        r"(?i)\bauthorization[\"']?\s*[:=]\s*[\"']?basic\s+(?P<value>[A-Za-z0-9+/_-]{12,}=*)",
    ),
    _form(
        "assignment",
        "password passwd api_key apikey secret token",
        r"(?i)(?:password|passwd|api_?key|secret(?:_?key)?|(?:access|auth|refresh|bearer|api)_?token)"
        r"[\"']?\]?\s*[=:]\s*[rbf]?[\"'](?P<value>[^\"'\s«»]{8,})[\"']",
    ),
)


def _present(text: str) -> Iterator[Form]:
    """Forms that may be in a text."""
    lowered = text.lower()
    for form in FORMS:
        where = lowered if form.expression.flags & re.IGNORECASE else text
        if any(hint in where for hint in form.hints):
            yield form


def forms_in(text: str) -> tuple[str, ...]:
    """Names of the forms of keys that a text holds."""
    return tuple(f.name for f in _present(text) if f.expression.search(text))


def _spellings(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    spelled = {
        value,
        printable(value),
        quote(value, safe="", errors="replace"),
        quote_plus(value, errors="replace"),
        raw.hex(),
        raw.hex().upper(),
        value.encode("unicode_escape").decode(),
        repr(value)[1:-1],
    }
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        spelled |= {whole, whole.rstrip("=")}
        for shift in (0, 1, 2):  # inside of a longer text (`user:password`) it begins at any of three places
            inner = encode(b"\0" * shift + raw).decode().rstrip("=")
            spelled.add(inner[(8 * shift + 5) // 6 : (8 * (shift + len(raw))) // 6])
    return spelled


class Redactor:
    """Takes secrets out of texts, and puts them back into code that a model returned.

    `values` are known secrets; `folder` and `home` are shown as `.` and `~`, `names` (name to mark) as their marks, in text
    only. In sources every secret has a mark of its own (`«secret-1»`), so that a cell which came back with the mark gets the
    author's own words again; paths and names stay there, for code runs with them. `taken` counts what was taken out, by kind.
    """

    def __init__(
        self, values: Iterable[str] = (), home: str = "", folder: str = "", names: Mapping[str, str] | None = None
    ) -> None:
        spelled = {s for v in values if len(v) >= MINIMUM for s in _spellings(v) if len(s) >= MINIMUM}
        self._known = sorted(spelled, key=lambda s: (-len(s), s))
        places = [(folder.rstrip("/"), "."), (home.rstrip("/"), "~")]
        self._places = [(_path(place), mark) for place, mark in places if len(place) > 1]
        self._names = [(re.compile(rf"(?<!\w){re.escape(n)}(?!\w)"), m) for n, m in (names or {}).items()]
        self._marks: dict[str, str] = {}
        self._foreign: set[str] = set()
        self.taken: Counter[str] = Counter()

    @classmethod
    def for_folder(cls, folder: Path) -> Redactor:
        """One that knows the secrets of this process's environment, of the user's key files and of a `.env` in the
        notebook's folder, and the names of folder, user and machine."""
        home = Path.home()
        return cls(secrets_of(os.environ, home, folder), str(home), str(folder.resolve()), names_here())

    def text(self, text: str) -> str:
        """Text of programs and people: printable, every secret one mark, places and names their marks."""
        text = _NUMBERED.sub("‹", printable(text))  # a mark that we did not make must not be one of ours when it comes back
        text = self._replaced(text, lambda _: MARK)
        for pattern, mark in (*self._places, *self._names):
            text, count = pattern.subn(mark, text)
            self.taken[PLACE] += count
        return text

    def source(self, text: str) -> str:
        """Cell sources: every secret becomes a mark of its own, which `restore` undoes."""
        self._foreign |= set(_MARKED.findall(text)).difference(self._marks.values())
        return self._replaced(text, self._mark)

    def restore(self, text: str) -> str:
        """Code that came back, with the author's own words in place of the marks that were made here; no others."""
        own = {mark: value for value, mark in self._marks.items()}
        return _MARKED.sub(lambda m: own.get(m[0], m[0]), text)

    def _mark(self, value: str) -> str:
        if value not in self._marks:
            number = len(self._marks) + 1
            while (mark := f"«secret-{number}»") in self._foreign or mark in self._marks.values():
                number += 1
            self._marks[value] = mark
        return self._marks[value]

    def _replaced(self, text: str, mark: Callable[[str], str]) -> str:
        if here := [s for s in self._known if s in text]:
            text, count = re.subn("|".join(map(re.escape, here)), lambda m: mark(m[0]), text)
            self.taken[KNOWN] += count
        for form in _present(text):
            text = form.expression.sub(partial(self._inside, mark, form.name), text)
        return text

    def _inside(self, mark: Callable[[str], str], form: str, match: re.Match[str]) -> str:
        """The match with its secret part (the group that took part, else all of it) replaced."""
        whole = match[0]
        for name, value in match.groupdict().items():
            if value is not None:
                at = match.start(name) - match.start()
                if value.startswith("«secret"):
                    return whole
                self.taken[form] += 1
                return whole[:at] + mark(value) + whole[at + len(value) :]
        self.taken[form] += 1
        return mark(whole)


_MARKED = re.compile(r"«secret-\d+»")
_NUMBERED = re.compile(r"«(?=secret-\d)")


def _path(place: str) -> re.Pattern[str]:
    return re.compile(re.escape(place) + r"(?![\w.-])")


def names_here() -> dict[str, str]:
    """Names of the user and of the machine with their marks; without those that stand in any text."""
    try:
        user = getpass.getuser()
    except Exception:  # no such user in the password file: containers
        user = ""
    node = platform.node()
    wanted = {node: "«machine»", node.partition(".")[0]: "«machine»", user: "«user»"}
    return {name: mark for name, mark in wanted.items() if len(name) > 3 and name.lower() not in GENERIC}


def redact(text: str, values: Iterable[str] = (), home: str = "") -> str:
    """The text without secrets: known `values` (however encoded), what has the form of a key, and the home folder."""
    return Redactor(values, home).text(text)
