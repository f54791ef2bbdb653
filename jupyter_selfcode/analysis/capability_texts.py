"""What text constants give away: addresses, places where keys lie, names that lead into the interpreter, blobs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..values.capability import Kind
from .capability_tables import INSIDES

_ADDRESS = re.compile(
    r"(?i)\b(?:https?|ftps?|sftp|s3a?|gs|gcs|abfss?|wasbs?|hf|wss?|ssh|git|hdfs|smb|ldap|postgres(?:ql)?(?:\+\w+)?|"
    r"mysql(?:\+\w+)?|mssql(?:\+\w+)?|oracle(?:\+\w+)?|mongodb(?:\+srv)?|redis|snowflake|bigquery)://[^\s/\"'<>\\]*"
    r"|(?:(?<=\]\()|(?<=src=)|(?<=src=['\"]))//[\w.-]+"
)
_SECRET = re.compile(
    r"(?i)(?:^|[/\\~\s'\"=])\.(?:ssh|aws|azure|kube|gnupg|docker|config|local|netrc|npmrc|pypirc|pgpass|git|gitconfig|env|"
    r"envrc|bashrc|bash_profile|bash_history|profile|zshrc|zsh_history|python_history|ipython|jupyter|mozilla|vscode|"
    r"selfcode|password-store|my\.cnf|s3cfg|boto|huggingface|kaggle)(?:$|[/\\.\s'\"*])"
    r"|\bid_(?:rsa|dsa|ecdsa|ed25519)\b|\bauthorized_keys\b|\.(?:pem|pfx|p12|kdbx|keystore|pth)$"
    r"|(?:^|[\s'\"=])/(?:etc|proc|sys|root|boot|dev|run|var|home|Users|Library)(?:/(?!null$)|$)|\bdocker\.sock\b"
    r"|\b(?:credentials?|secrets?)\.(?:json|ya?ml|toml|ini|csv|txt)\b|/credentials$|\bcookies\.sqlite\b|\bLogin Data\b"
    r"|\bsite-packages\b|\b(?:site|user)customize\b|\bkernel-[\w*-]+\.json$|\bapplication_default_credentials\b"
    r"|^~(?:[/\\]|\w*$)|(?:^|/)\.\.(?:/\.\.){2,}"
)
_INSIDE = re.compile(rf"(?<![\w])(?:{'|'.join(sorted(n for n in INSIDES if '_' in n))})(?![\w])")
_HIDDEN_CODE = re.compile(
    r"\b__import__\b|\bget_ipython\b|\b_selfcode|\b(?:os|posix)\s*\.\s*(?:system|popen|remove|unlink|exec|spawn|fork|kill|environ)"
    r"|\bsubprocess\s*\.|\b(?:eval|exec|compile)\s*\(|\bimportlib\b|\bctypes\b"
)
_SQL: tuple[tuple[Kind, str, re.Pattern[str]], ...] = (
    ("write", "write files by SQL", re.compile(
        r"(?is)\bATTACH\s+(?:DATABASE\s+)?['\"?:]|\bCOPY\b.+?\bTO\s+['\"(]|\bVACUUM\s+INTO\b|\bINTO\s+(?:OUT|DUMP)FILE\b|\bEXPORT\s+DATABASE\b")),
    ("load", "load extensions or run programs by SQL", re.compile(
        r"(?is)^\s*(?:FORCE\s+)?(?:INSTALL|LOAD)\s+['\w]+\s*;?\s*$|\bload_extension\s*\(|\bxp_cmdshell\b|\bCOPY\b.+?\bPROGRAM\b")),
    ("alter", "change or delete what is in a database", re.compile(
        r"(?is)^\s*(?:DROP\s+(?:TABLE|DATABASE|VIEW|SCHEMA)|DELETE\s+FROM|TRUNCATE\s+(?:TABLE\s+)?\w|UPDATE\s+\w+\s+SET|ALTER\s+TABLE)\b")),
)  # fmt: skip
_BLOB = re.compile(r"[A-Za-z0-9+/=_-]{160,}|(?:\\x[0-9a-f]{2}){40,}|[0-9a-fA-F]{120,}")

ACTIVE = re.compile(r"(?i)<\s*(?:script|iframe|object|embed|form|link|meta|svg)\b|\bjavascript:|\son\w+\s*=")


def folded(node: ast.AST) -> str | None:
    """The text that an expression of constants makes: `'a' + 'b'`, f-strings, `''.join([…])`, `Path('/etc') / 'x'`."""
    match node:
        case ast.Constant(str() as text):
            return text
        case ast.Constant(bytes() as raw):
            return raw.decode("latin-1")
        case ast.JoinedStr(parts):
            return "".join(folded(p) or "" for p in parts)
        case ast.BinOp(left, ast.Add() | ast.Div() as op, right):
            a, b = folded(left), folded(right)
            if a is None or b is None:
                return None
            return a + b if isinstance(op, ast.Add) else f"{a}/{b}"
        case ast.Call(ast.Attribute(ast.Constant(str() as between), "join"), [ast.List(parts) | ast.Tuple(parts)]):
            texts = [folded(p) for p in parts]
            return None if None in texts else between.join(t for t in texts if t is not None)
        case ast.Call(ast.Name("Path") | ast.Attribute(attr="Path" | "join"), [_, *_] as parts, []):
            texts = [folded(p) for p in parts]
            return None if None in texts else "/".join(t for t in texts if t is not None)
        case ast.Subscript(
            ast.Constant(str() as text), ast.Slice(None, None, ast.UnaryOp(ast.USub(), ast.Constant(1)))
        ):
            return text[::-1]
        case _:
            return None


def read_text(text: str) -> Iterator[tuple[Kind, str, str]]:
    """Kind, what and reason of everything that a constant text gives away."""
    if len(text) < 3:
        return
    if found := _ADDRESS.search(text):
        yield "network", found[0].lower(), f"reach {found[0][:80]}"
    if found := _INSIDE.search(text):
        yield "objects", found[0], f"reach the interpreter by the text {found[0]!r}"
    if found := _HIDDEN_CODE.search(text):
        yield "text", found[0], f"hold code in a text ({found[0]!r})"
    if len(text) < 500 and (found := _SECRET.search(text)):
        yield "secret", text, f"reach {text[:80]!r}, where settings, keys or the system's own files lie"
    if "usetex" in text or "text.latex" in text or "pgf.preamble" in text:
        yield "text", text[:80], "let plots run LaTeX, which can read files and run programs"
    for kind, reason, form in _SQL:
        if found := form.search(text):
            yield kind, text, f"{reason} ({' '.join(found[0].split())[:60]!r})"
    if len(text) >= 120 and (found := _BLOB.search(text)):
        yield "obscure", f"{found[0][:40]}…", "hold a long text that no reader can read"
    if found := ACTIVE.search(text):
        yield "browser", found[0], f"show HTML with {found[0].strip()!r}, which is active where the notebook is read"
