"""Which kinds of effect a cell's source could have, read from its text: modest, and generous to what was there before.

It is asked of code that a notebook already had, so that an effect which the old code could have had as well is no news,
though it was never observed (the cell failed before it got there, or ran where nobody watched).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import lru_cache

from ..values.effect import EffectKind
from .contract import executable
from .effects import effects_of
from .magics import mask, parse_masked

WRITERS = re.compile(
    r"^(?:to_(?:csv|excel|json|parquet|feather|hdf|pickle|stata|sql|html|latex|markdown|xml|orc|file|disk|netcdf|zarr|gbq)|"
    r"savefig|save|savetxt|savez\w*|write|write_\w+|writelines|writerows?|tofile|dump|imsave|imwrite|save_\w+|"
    r"copy\w*|copytree|move|mkdir|makedirs|touch|symlink\w*|link\w*|extract\w*|unpack_archive|make_archive|urlretrieve|"
    r"mkstemp|mkdtemp|NamedTemporaryFile|ExcelWriter|connect|memmap|fetch_\w+|download\w*)$"
)
"""Last names of calls that write files."""
CHANGERS = ("chmod", "chown", "utime", "truncate", "rename", "replace", "move")
DELETERS = ("remove", "unlink", "rmdir", "rmtree", "removedirs", "rename", "replace", "move")
READERS = re.compile(r"^(?:open|read\w*|load\w*|glob|iglob|imread|genfromtxt|fromfile|connect|memmap|parse|fetch_\w+|File)$")
NETWORK = frozenset((
    "requests", "urllib", "urllib3", "http", "httpx", "aiohttp", "socket", "ftplib", "smtplib", "imaplib", "poplib",
    "telnetlib", "paramiko", "boto3", "websocket", "websockets", "yfinance", "pandas_datareader", "openai", "anthropic",
    "huggingface_hub", "datasets", "kaggle", "gdown", "wget", "pymysql", "psycopg2", "psycopg", "sqlalchemy", "selenium",
))  # fmt: skip
"""Modules that are there for the network."""
PROCESS = frozenset(("subprocess", "multiprocessing", "pexpect", "pty", "joblib", "concurrent", "sh", "plumbum", "ray", "dask"))
NATIVE = frozenset(("ctypes", "cffi", "numba", "cython"))
_URL = re.compile(r"\b(?:https?|ftp|s3|gs)://", re.IGNORECASE)
_SPAWNS = re.compile(r"^(?:system|popen|exec[lv]\w*|spawn\w*|posix_spawn\w*|fork\w*|kill\w*|Popen|run|Pool)$")


def _names(node: ast.AST) -> list[str]:
    """`os.path.join` as its parts; what is called or indexed on the way is passed over."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, (ast.Call, ast.Subscript)):
            node = node.func if isinstance(node, ast.Call) else node.value
        else:
            return [*([node.id] if isinstance(node, ast.Name) else []), *reversed(parts)]


def _opens(call: ast.Call) -> Iterable[EffectKind]:
    """What `open` does, by its mode; all of it where that is computed."""
    given = [k.value for k in call.keywords if k.arg == "mode"] or call.args[1:2]
    if not given and isinstance(call.func, ast.Attribute):
        given = call.args[:1]  # Path.open(mode)
    mode = given[0].value if given and isinstance(given[0], ast.Constant) else "" if not given else None
    if mode is None or set(str(mode)) & set("wax+"):
        yield from ("creates", "changes")
    yield "reads"


def _calls(node: ast.Call) -> Iterable[EffectKind]:
    names = _names(node.func)
    last = names[-1] if names else ""
    if last == "open":
        yield from _opens(node)
    if WRITERS.match(last):
        yield from ("creates", "changes")
    if last in CHANGERS:
        yield from ("creates", "changes")
    if last in DELETERS:
        yield "deletes"
    if READERS.match(last):
        yield "reads"
    if last.startswith(("fetch_", "download", "urlopen", "urlretrieve")) or last == "load_dataset":
        yield "network"
    if _SPAWNS.match(last) or any(k.arg == "n_jobs" for k in node.keywords):
        yield "process"
    if last in ("putenv", "unsetenv", "load_dotenv"):
        yield "environment"
    if last in ("CDLL", "dlopen", "LoadLibrary", "load_library"):
        yield "native"


def _magic(text: str) -> Iterable[EffectKind]:
    text = text.strip()
    name = re.match(r"%{1,2}(\w+)", text)
    if text.startswith("!") or (name and name[1] in ("bash", "sh", "script", "system", "sx", "pip", "conda", "cmd", "perl", "ruby")):
        yield from ("process", "network", "reads", "creates", "changes", "deletes")
    elif name and name[1] in ("writefile", "file", "save", "store"):
        yield from ("creates", "changes")
    elif name and name[1] == "env":
        yield "environment"
    elif name and name[1] in ("run", "load"):
        yield "reads"


@lru_cache(maxsize=1024)
def could(source: str) -> frozenset[EffectKind]:
    """The kinds of effect that this source could have by itself. Empty where it is no Python."""
    masked = mask(executable(source))
    found = {kind for m in masked.magics for kind in _magic(m.text)}
    tree = None if masked.opaque else parse_masked(masked)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call):
            found.update(_calls(node))
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module]
        elif isinstance(node, ast.Name):
            modules = [node.id]
        roots = {m.partition(".")[0] for m in modules}
        if roots & NETWORK:
            found.add("network")
        if roots & PROCESS:
            found.add("process")
        if roots & NATIVE:
            found.add("native")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _URL.search(node.value):
            found.add("network")
        if isinstance(node, ast.Attribute) and node.attr == "environ":
            found.add("environment")
    return frozenset(found)


def could_with(source: str, sources: Iterable[str]) -> frozenset[EffectKind]:
    """The same with what it calls: functions that other cells (`sources`) define and that it reads, and those they read."""
    found, left, done = set(could(source)), [source], set[str]()
    defining = {name: other for other in sources for name in effects_of(other).carries}
    while left:
        for name in effects_of(left.pop()).reads & defining.keys() - done:
            done.add(name)
            found |= could(defining[name])
            left.append(defining[name])
    return frozenset(found)
