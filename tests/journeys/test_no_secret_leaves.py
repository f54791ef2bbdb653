"""Secrets lie in variables, key files and `.env`, and the notebook prints and raises all of them: none is in anything that is
sent, stored, written or shown, however it is spelled. Only the executed notebook holds what its cells printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import canaries
from tests.plugins.models.conftest import Endpoint

pytestmark = pytest.mark.timeout(300)

KEY = "provider-canary-0101-Qq"
"""Of no known form: only its value tells that it is a key."""
TOKEN, DOTENV = "variable-canary-0102", "dotenv/canary+0103"
READS = """
import base64, json, os, pathlib
home = pathlib.Path.home()
texts = [p.read_text() for p in sorted(home.rglob("*")) if p.is_file()] + [pathlib.Path(".env").read_text()]
texts += [v for n, v in os.environ.items() if n in ("OPENAI_API_KEY", "SALES_TOKEN")]
print("variables:", [n for n in os.environ if n in ("OPENAI_API_KEY", "SALES_TOKEN")])
print(*texts)
""".strip()
SPELLS = """
held = json.loads(pathlib.Path("held.json").read_text())
for spelled in held:
    print("\\x1b[1m" + spelled + "\\x1b]0;" + spelled + "\\x07")
print(base64.b64encode(("ada:" + held[0] + ":more").encode()).decode())
table = {spelled: len(spelled) for spelled in held}
held
""".strip()
RAISES = "totals = {}\ntotal = totals[' '.join(texts) + ' '.join(held)]"
MENDED = '<rationale>WHY</rationale>\n<cell id="c2" action="replace">\ntotals = {}\ntotal = len(held)\n</cell>'


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


@pytest.fixture
def secrets(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What must be nowhere, put everywhere."""
    home = tmp_path_factory.mktemp("home")
    found = [*canaries.put(home), KEY, TOKEN, DOTENV]
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("SALES_TOKEN", TOKEN)
    (tmp_path / ".env").write_text(f"DB_PASSWORD={DOTENV}\n")
    (tmp_path / "held.json").write_text(json.dumps([s for f in found for s in canaries.written(f).values()]))
    return found


EXACT = {".env", "held.json", "out.ipynb"}
"""Files that hold secrets by their own nature: two that the test made, and the executed notebook."""


def test_no_secret_is_sent_stored_written_or_shown(
    cli: Any, notebook: Any, tmp_path: Path, endpoint: Endpoint, secrets: list[str]
):
    path = notebook(READS, SPELLS, RAISES)
    model = ["--model", "openai/some-model", "--api-base", endpoint.base]
    shown: list[str] = []
    written: dict[str, str] = {}

    def say(*words: str) -> Any:
        answer = cli(*words)
        shown.append(f"{words[0]}: {answer.out}{answer.err}")
        for file in tmp_path.rglob("*"):
            if file.is_file() and file.name not in EXACT:
                written[f"{file.relative_to(tmp_path)} after {words[0]}"] = file.read_bytes().decode("utf-8", "replace")
        return answer

    echoed = " ".join(secrets)
    endpoint.answer = MENDED.replace("WHY", f"it was {echoed}")
    for policy in ("report", "propose"):
        ended = say("run", path.name, "out.ipynb", "--policy", policy, *model, "--json")
    assert ended.code == 11, ended.err
    assert ended.json["patch_file"]
    proposal = ended.json["waiting"]
    for words in (
        ["send", path.name, *model], ["send", path.name, f"use {TOKEN}", "--json", *model], ["adapt", path.name, f"use {KEY}", *model],
        [path.name], ["reject", path.name, f"because of {DOTENV}", "--name", proposal],
        ["run", path.name, "--policy", "propose", *model], ["accept", path.name], ["cost", path.name], ["diff", path.name, "1"],
        ["check", path.name, "total > 1", "--cell", "c2"],
        *([word, path.name, *more] for word in ("history", "show", "verify", "export") for more in ([], ["--json"])),
        ["why", path.name, "c2"], ["blame", path.name, "c2", "--json"], ["why", path.name, "c2", "--json"], ["undo", path.name],
        ["doctor", path.name, *model], ["doctor", path.name, "--json", *model, "--store-url", f"postgresql://ada:{TOKEN}@db/x"],
        ["model", path.name, "--json", *model],
    ):  # fmt: skip
        say(*words)
    for behaviour in ("401", "500"):
        endpoint.behaviours = [behaviour]
        say("adapt", path.name, "plot it", *model, "--budget-seconds", "20")
    say("adapt", path.name, "plot it", *model, "--api-key-name", KEY)

    executed = (tmp_path / "out.ipynb").read_text("utf-8")
    assert len({s for s, _ in canaries.found_in(executed, secrets)}) == len(secrets), "the notebook did print them all"
    sent = [json.dumps(r, ensure_ascii=False) for r in endpoint.requests]
    assert any(name.endswith(".patch after run") for name in written)
    assert any(name.startswith(".selfcode/history.sqlite") for name in written)
    assert endpoint.keys[0] == f"Bearer {KEY}", "the key is where the model is called"
    for text in (*shown, *sent, *(f"{name}: {text}" for name, text in written.items())):
        assert canaries.found_in(text, secrets) == [], text[:3_000]
        assert "\x1b]" not in text
    assert "variables: []" in "".join(sent), "no key is in a trial kernel"
