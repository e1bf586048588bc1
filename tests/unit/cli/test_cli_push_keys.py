"""The local thread store's keys for notifications: made once, read by the store itself, and nobody else's to read."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import jwt
import pytest

from aeterna.cli.local.parts import services
from aeterna.cli.local.push_keys import make_push_keys
from aeterna.cli.local.record import Record
from aeterna.cli.local.state_dir import StateDir
from aeterna.cli.local.tokens import Signer
from aeterna.cli.main import run
from aeterna.threads.adapters.push_secrets import AesGcmSecretBox
from aeterna.threads.adapters.push_signature import NotificationSigner

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """Return a folder with keys."""
    folder = StateDir(tmp_path / "state")
    folder.make()
    make_push_keys(folder)
    return folder


def test_the_store_reads_the_keys_that_were_made(state: StateDir) -> None:
    AesGcmSecretBox.parse(state.push_secrets_key.read_text())
    NotificationSigner.parse(state.push_signing_key.read_text(), issuer="urn:test")


def test_the_keys_stay_the_same_and_are_their_owners_alone(state: StateDir) -> None:
    """What was sealed under a lost key cannot be read again."""
    files = (state.push_secrets_key, state.push_signing_key)
    before = [file.read_text() for file in files]

    make_push_keys(state)

    assert [file.read_text() for file in files] == before
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_local_store_is_given_its_keys_and_a_place_for_large_parts(state: StateDir) -> None:
    record = Record.read(state)
    record.base_port = 8180

    given = services(state, record, "dbname=threads", {})["threads"].environment

    assert given["AETERNA_THREADS_OBJECTS"] == f"file://{state.objects}"
    assert given["AETERNA_THREADS_PUSH_SECRETS_KEY_FILE"] == str(state.push_secrets_key)
    assert given["AETERNA_THREADS_PUSH_SIGNING_KEY_FILE"] == str(state.push_signing_key)


def test_a_token_of_an_agent_is_one_option(state: StateDir, capsys: pytest.CaptureFixture[str]) -> None:
    Signer.of(state)

    assert run(["token", "--agent", "helper", "--json", "--state-dir", str(state.root)]) == 0

    claims = jwt.decode(json.loads(capsys.readouterr().out)["token"], options={"verify_signature": False})
    assert (claims["sub"], claims["kind"], claims["roles"]) == ("helper", "agent", ["runner"])
