"""What looks secret leaves no text, and comes back into code."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.secrets import Redactor, looks_secret, redact

SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=8, max_size=40).filter(
    lambda s: len(s.strip()) >= 8 and len(set(s)) > 4 and "secret" not in s
)

FAKES = [
    "sk-proj-abcDEF123456ghiJKL7890mnoPQR",
    "sk-ant-api03-abcdefghijklm123456789-_AAA",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl_mnop",
    "glpat-abcdefghij1234567890",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
    "xoxb-123456789012-abcdefghijkl",
    "sk_live_abcdefghijklmnop1234",
    "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMA",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz",
]


@given(SECRETS, st.text(), st.text())
def test_a_known_value_never_stays_in_a_text(secret: str, before: str, after: str):
    assert secret not in redact(before + secret + after, [secret]).replace("«secret»", "\0")


@given(SECRETS, st.text(max_size=5))
def test_a_known_value_is_found_in_its_usual_encodings(secret: str, around: str):
    raw = secret.encode()
    for spelled in (base64.b64encode(raw).decode(), raw.hex(), quote(secret, safe=""), repr(secret)[1:-1]):
        assert spelled not in redact(f"{around} {spelled} {around}", [secret]).replace("«secret»", "\0")


@given(SECRETS, st.text(), st.text())
def test_code_that_comes_back_holds_the_authors_own_words(secret: str, before: str, after: str):
    redactor = Redactor([secret])
    source = before + secret + after
    shown = redactor.source(source)
    assert secret not in shown.replace("«secret-", "\0")
    if "«secret-" not in source:
        assert redactor.restore(shown) == source


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str):
    redactor = Redactor(["a-known-value"])
    once = redactor.source(text + " a-known-value token='abcdefgh12345'" + FAKES[0])
    assert redactor.source(once) == once


@pytest.mark.parametrize("fake", FAKES)
def test_keys_of_well_known_providers_are_found_by_their_form(fake: str):
    assert fake not in redact(f"key = {fake}\nprint(1)")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgresql://me:hunter2@db.example.com/x", "hunter2"),
        ('password = "correct-horse"', "correct-horse"),
        ("{'api_key': 'abcdefgh1234'}", "abcdefgh1234"),
        ("Authorization: Bearer abcdefghijklmnop.qrstuv", "abcdefghijklmnop"),
        ("AccountKey=" + "a" * 60 + "==", "a" * 60),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----", "MIIE"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut off here", "MIIE"),
        ("aws_secret_access_key = " + "aB3/" * 10, "aB3/" * 10),
    ],
)
def test_secrets_in_context_are_found(text: str, secret: str):
    assert secret not in redact(text)


@pytest.mark.parametrize(
    "ordinary",
    [
        "max_tokens = 4000",
        'pad_token = "<|endoftext|>"',
        "tokens = text.split()",
        "df['key'].str.lower()",
        'api_key = os.environ["OPENAI_API_KEY"]',
        "url = 'https://example.com/data.csv?page=2'",
        "sk_learn_model = make_pipeline(StandardScaler(), Ridge())",
        "password = getpass.getpass()",
        "risk-adjusted-returns-by-month-2024",
    ],
)
def test_ordinary_code_is_left_as_it_is(ordinary: str):
    assert redact(ordinary) == ordinary


def test_the_home_folder_is_shown_as_a_tilde_in_text_and_kept_in_sources():
    redactor = Redactor((), "/home/ada")
    assert redactor.text("File /home/ada/x.py, /home/adam") == "File ~/x.py, /home/adam"
    assert redactor.source("open('/home/ada/x')") == "open('/home/ada/x')"


def test_secrets_are_told_by_the_names_of_variables():
    assert all(
        map(looks_secret, ["OPENAI_API_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "MYSQL_PWD"])
    )
    assert not any(map(looks_secret, ["PATH", "PWD", "HOME", "SSH_AUTH_SOCK", "TOKENIZERS_PARALLELISM", "KEYBOARD"]))


def test_a_dotenv_beside_the_notebook_is_known(tmp_path: Path):
    (tmp_path / ".env").write_text("SERVICE_PASSWORD=very-much-hidden\n")
    assert "very-much-hidden" not in Redactor.for_folder(tmp_path).text("it said very-much-hidden")
