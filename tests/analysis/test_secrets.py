"""What looks secret leaves no text, and comes back into code."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.secrets import Redactor, forms_in, redact
from tests.canaries import found_in, put, spellings, written

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
    "gsk_abcdefghijklmnop1234567890",
    "xai-abcdefghijklmnop1234567890",
    "ya29.a0AfH6SMBabcdefghijklmnop",
    "dapi0123456789abcdef0123456789abcdef",
    "dop_v1_" + "0123456789abcdef" * 4,
    "r8_abcdefghijklmnopqrstuvwxyz0123456789",
    "pplx-abcdefghijklmnopqrstuvwxyz0123456789",
    "shpat_0123456789abcdef0123456789abcdef",
    "hvs.CAESIabcdefghijklmnop",
    "dckr_pat_abcdefghijklmnopqrst",
    "npm_abcdefghijklmnopqrstuvwxyz0123456789",
    "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
    "SK0123456789abcdef0123456789abcdef",
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
        ("Authorization: Basic YWRhOmh1bnRlcjI=", "YWRhOmh1bnRlcjI"),
        ("https://hooks.slack.com/services/T0000/B0000/abcdefghijkl", "B0000/abcdefghijkl"),
        ("https://x.blob.core.windows.net/c?sv=1&sig=abcdefghijklmnopqrstuvwxyz%2B0123", "abcdefghijklmnopqrstuvwxyz%2B0123"),
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


@pytest.mark.parametrize("how", spellings("a-known-value/of+length"))
def test_a_known_value_is_found_however_it_is_spelled(how: str):
    secret = "a-known-value/of+length"
    text = f"it was {written(secret)[how]} and on"
    assert spellings(secret)[how] in text
    assert found_in(redact(text, [secret]), [secret]) == []


def test_an_escape_in_the_middle_of_a_secret_hides_nothing():
    assert "hidden" not in redact("a-\x1b[31mhidden\x1b[0m-value and a-hid\u200bden-value", ["a-hidden-value"])


def test_folder_home_user_and_machine_are_not_told_in_text_and_stay_in_sources():
    redactor = Redactor((), "/home/adalove", "/home/adalove/work", {"adalove": "«user»", "thinkpad": "«machine»"})
    text = "File /home/adalove/work/x.py, /home/adalove/work-2, /home/adalove; adalove@thinkpad, thinkpads, /data/adalove/y"
    assert redactor.text(text) == "File ./x.py, ~/work-2, ~; «user»@«machine», thinkpads, /data/«user»/y"
    assert redactor.source(text) == text


def test_a_folder_below_the_root_and_no_home_are_no_reason_to_replace_anything():
    assert Redactor((), "", "/").text("/a/b") == "/a/b"


def test_only_marks_that_were_made_here_are_restored():
    redactor = Redactor(["a-known-value"])
    assert redactor.source("k = 'a-known-value'") == "k = '«secret-1»'"
    assert redactor.restore("f('«secret-1»', '«secret-2»', '«secret»')") == "f('a-known-value', '«secret-2»', '«secret»')"


def test_a_mark_in_the_authors_own_source_is_not_taken_for_one_of_ours():
    redactor = Redactor(["a-known-value"])
    source = "a = '«secret-1»'; b = 'a-known-value'"
    assert redactor.restore(redactor.source(source)) == source


def test_data_that_pretends_to_be_a_mark_brings_no_secret_into_code():
    redactor = Redactor(["a-known-value"])
    redactor.source("k = 'a-known-value'")
    assert redactor.restore(redactor.text("header «secret-1»")) == "header ‹secret-1»"


def test_what_was_taken_out_is_counted_by_kind():
    redactor = Redactor(["a-known-value"], "/home/adalove")
    redactor.text(f"a-known-value a-known-value {FAKES[3]} /home/adalove/x")
    assert +redactor.taken == {"known value": 2, "GitHub": 1, "folder, user or machine": 1}


def test_the_forms_in_a_text_are_named():
    assert forms_in(f"token = '{FAKES[3]}'\nAWS = '{FAKES[2]}'") == ("AWS key id", "GitHub")
    assert forms_in("nothing of the kind") == ()
    assert forms_in(redact(f"key {FAKES[0]}")) == ()


def test_key_files_and_a_dotenv_are_known_to_the_redactor_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    secrets = put(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SOME_TOKEN", "token-of-the-environment")
    text = " ".join([*secrets, "token-of-the-environment"])
    assert found_in(Redactor.for_folder(tmp_path).text(text), [*secrets, "token-of-the-environment"]) == []


def test_a_dotenv_beside_the_notebook_is_known(tmp_path: Path):
    (tmp_path / ".env").write_text("SERVICE_PASSWORD=very-much-hidden\n")
    assert "very-much-hidden" not in Redactor.for_folder(tmp_path).text("it said very-much-hidden")
