"""The state folder: what it remembers, who may look, and one command at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aeterna.api.settings import ApiSettings
from aeterna.cli.errors import DatabaseSetupError, StateUnusableError
from aeterna.cli.local.parts import PREFIXES, services
from aeterna.cli.local.postgres import LONGEST_SOCKET, SOCKET, EmbeddedPostgres
from aeterna.cli.local.processes import ProcessRecord
from aeterna.cli.local.record import Record
from aeterna.cli.local.state_dir import StateDir
from aeterna.cli.settings import CommandSettings
from aeterna.policies.settings import PoliciesSettings
from aeterna.policy.settings import PolicySettings
from aeterna.threads.settings import ThreadsSettings


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    record = Record(base_port=18_000, processes={"graph": ProcessRecord(pid=7, mark="boot:1")})
    record.write(state)

    assert Record.read(state) == record


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1, "base_port": "x"}'])
def test_a_record_that_cannot_be_read_is_no_record(tmp_path: Path, text: str) -> None:
    """As after a crash, or of another version: the runtime is started anew."""
    state = StateDir(tmp_path)
    state.record.write_text(text)

    assert Record.read(state) == Record()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateUnusableError, match="cannot use"):
        StateDir(tmp_path / "file" / "state").make()


WAITER = """
import pathlib, sys
from aeterna.cli.local.state_dir import StateDir
with StateDir(pathlib.Path(sys.argv[1])).locked(lambda: print("waiting", flush=True)):
    print("held", flush=True)
"""


def test_whoever_waits_for_the_lock_says_so(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state")

    with state.locked(lambda: None):
        waiter = subprocess.Popen([sys.executable, "-P", "-c", WAITER, state.root], stdout=subprocess.PIPE, text=True)
        assert waiter.stdout is not None
        assert waiter.stdout.readline() == "waiting\n"
    said, _ = waiter.communicate(timeout=20)

    assert said == "held\n"


def test_the_socket_of_a_deep_checkout_still_fits(tmp_path: Path) -> None:
    deep = StateDir(Path("/", *["d" * 50] * 4))
    shallow = StateDir(Path("/x/.aeterna"))

    folders = [EmbeddedPostgres.of(state, temporary=Path("/tmp")).sockets for state in (deep, shallow)]  # noqa: S108 - a name, nothing is written

    assert all(len(os.fsencode(folder / SOCKET)) <= LONGEST_SOCKET for folder in folders)
    assert folders[1] == shallow.root / "sockets"


def test_two_deep_checkouts_have_two_sockets() -> None:
    first, second = (
        EmbeddedPostgres.of(StateDir(Path("/", *[name * 50] * 4)), temporary=Path("/run")) for name in "ab"
    )

    assert first.sockets != second.sockets


def test_the_database_needs_no_password(tmp_path: Path) -> None:
    """What is not there cannot leak: the socket lies in a folder that only its owner can enter."""
    dsn = EmbeddedPostgres.of(StateDir(tmp_path)).dsn

    assert dsn.startswith("postgresql://aeterna@/threads?host=/")


def test_a_failing_program_of_the_database_is_a_clear_error(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres.of(StateDir(tmp_path / "missing"))
    tmp_path.joinpath("missing").mkdir()
    postgres.data.mkdir()

    with pytest.raises(DatabaseSetupError, match="psql failed"):
        postgres.set_up({})


def test_children_get_no_secret_of_ours(tmp_path: Path) -> None:
    environment = {"PATH": "/bin", "AETERNA_TOKEN": "secret", "AWS_SECRET_ACCESS_KEY": "secret", "HOME": "/h"}

    made = services(StateDir(tmp_path), Record(base_port=18_000), "postgresql:///", environment)

    assert [name for name, service in made.items() if "secret" in service.environment.values()] == []


def test_settings_of_a_service_are_handed_to_it_alone(tmp_path: Path) -> None:
    environment = {"AETERNA_API_LOG_LEVEL": "debug", "AETERNA_API_PORT": "1"}

    made = services(StateDir(tmp_path), Record(base_port=18_000), "postgresql:///", environment)

    assert made["graph"].environment["AETERNA_API_LOG_LEVEL"] == "debug"
    assert made["graph"].environment["AETERNA_API_PORT"] == "18000"
    assert "AETERNA_API_LOG_LEVEL" not in made["threads"].environment


def test_every_setting_that_we_set_is_one_that_the_service_reads(tmp_path: Path) -> None:
    made = services(StateDir(tmp_path), Record(base_port=18_000), "postgresql:///", {})
    read = {
        "graph": ApiSettings.model_fields,
        "threads": ThreadsSettings.model_fields,
        "policy": PolicySettings.model_fields,
        "policies": PoliciesSettings.model_fields,
    }

    unread = {
        name: [
            key
            for key in service.environment
            if key.startswith("AETERNA_") and key.removeprefix(PREFIXES[name]).lower() not in read[name]
        ]
        for name, service in made.items()
    }

    assert unread == {"graph": [], "threads": [], "policy": [], "policies": []}


def test_an_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AETERNA_STATE_DIR", str(tmp_path / "environment"))

    assert CommandSettings.read(tmp_path / "option").state_dir == tmp_path / "option"
    assert CommandSettings.read(None).state_dir == tmp_path / "environment"
