"""Secrets that lie on a machine are known by their values, wherever people keep them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.analysis.key_files import FILE_BYTES, IN_HOME, WHOLE, looks_secret, secrets_of
from tests import canaries


@pytest.mark.parametrize("name", canaries.IN_HOME)
def test_the_secret_in_a_key_file_is_known(name: str, tmp_path: Path):
    text, secret = canaries.IN_HOME[name]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert secret in secrets_of({}, tmp_path)


@pytest.mark.parametrize("name", [".env", ".env.local", ".envrc", ".streamlit/secrets.toml"])
def test_the_secrets_of_the_notebooks_folder_are_known(name: str, tmp_path: Path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("export DB_PASSWORD='a long one'\nNAME=harmless-value\n# SECRET=commented\n")
    assert secrets_of({}, None, tmp_path) == ("a long one",)


def test_a_key_file_that_a_variable_names_is_read_and_its_path_is_no_secret(tmp_path: Path):
    file = tmp_path / "account.json"
    file.write_text('{"type": "service_account", "private_key_id": "0123456789", "token_uri": "https://example.com/token"}')
    assert secrets_of({"GOOGLE_APPLICATION_CREDENTIALS": str(file)}) == ("0123456789",)


def test_of_variables_those_with_secret_names_and_passwords_in_addresses_count_longest_first():
    environ = {
        "A_KEY": "12345678", "C_SECRET": "123456789", "HOME": "/home/ada", "B_TOKEN": "short",
        "DATABASE_URL": "postgresql://ada:hunter2hunter2@db/x", "TOKEN_URL": "https://example.com/token",
        "OTHER_KEY": "$A_KEY",
    }  # fmt: skip
    assert secrets_of(environ) == ("hunter2hunter2", "123456789", "12345678")


def test_whatever_is_wrong_with_one_file_hides_no_other(tmp_path: Path):
    secrets = canaries.put(tmp_path)
    (tmp_path / ".netrc").unlink()
    os.mkfifo(tmp_path / ".netrc")  # nobody writes to it: to open it would wait for ever
    (tmp_path / ".pypirc").write_bytes(b"password = x" + b"y" * FILE_BYTES)
    (tmp_path / ".kaggle/kaggle.json").write_text("[" * 100_000)
    (tmp_path / ".npmrc").unlink()
    (tmp_path / ".npmrc").mkdir()
    (tmp_path / ".my.cnf").write_bytes(b"\xff\xfe[client]\npassword=after-bad-bytes\n")
    found = secrets_of({}, tmp_path)
    lost = {canaries.IN_HOME[n][1] for n in (".netrc", ".pypirc", ".kaggle/kaggle.json", ".npmrc", ".my.cnf")}
    assert set(secrets) - lost <= set(found)
    assert "after-bad-bytes" in found


@given(st.sampled_from([*IN_HOME, *WHOLE, ".env"]), st.one_of(st.text(), st.binary()))
def test_any_content_is_read_without_an_error(name: str, content: str | bytes):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        assert all(len(v) >= 8 for v in secrets_of({}, Path(folder), Path(folder)))


def test_secrets_are_told_by_the_names_of_variables():
    names = ["OPENAI_API_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "MYSQL_PWD", "client-key-data", "_authToken"]
    assert all(map(looks_secret, names))
    harmless = ["PATH", "PWD", "HOME", "SSH_AUTH_SOCK", "TOKENIZERS_PARALLELISM", "KEYBOARD", "TOKEN_URI", "AUTH_TYPE"]
    assert not any(map(looks_secret, harmless))
