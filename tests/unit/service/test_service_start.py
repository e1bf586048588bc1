"""A process that cannot start says so in one line that names what to change."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from aeterna.contracts.errors import AeternaError
from aeterna.service.errors import AddressInUseError, SettingsInvalidError, StartError
from aeterna.service.lifecycle import one_line_refusals, serve
from aeterna.service.settings import ServiceSettings, load

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


class ShelfSettings(ServiceSettings):
    """Settings of a service that exists for these tests."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_SHELF_")

    port: int = Field(default=8000, ge=0, le=65535)


REQUIRED = {
    "AETERNA_SHELF_ISSUER": "urn:aeterna:test",
    "AETERNA_SHELF_JWKS": "/keys/jwks.json",
    "AETERNA_SHELF_POLICY_URL": "unix:/run/policy.sock",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return the environment with every required setting in it."""
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def serving(app: FastAPI, port: int) -> None:
    """Serve on loopback."""
    serve(app, host="127.0.0.1", port=port, drain_timeout=timedelta(seconds=1))


def test_settings_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AETERNA_SHELF_PORT", "9000")
    environment.setenv("AETERNA_SHELF_REQUEST_TIMEOUT", "2.5")
    environment.setenv("AETERNA_SHELF_DRAIN_TIMEOUT", "PT1M")

    settings = load(ShelfSettings)

    assert settings.port == 9000
    assert (settings.request_timeout, settings.drain_timeout) == (timedelta(seconds=2.5), timedelta(minutes=1))


def test_a_service_that_is_named_as_our_prefix_sets_no_port(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AETERNA_SHELF_PORT", "tcp://10.0.0.1:80")  # as Kubernetes tells of a Service aeterna-shelf

    assert load(ShelfSettings).port == 8000


def test_every_missing_setting_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SettingsInvalidError) as refusal:
        load(ShelfSettings)

    assert [problem.split(":")[0] for problem in refusal.value.problems] == list(REQUIRED)


def test_a_wrong_setting_is_named_and_its_value_is_not_repeated(environment: pytest.MonkeyPatch) -> None:
    """The value may be a secret that was put into the wrong variable."""
    environment.setenv("AETERNA_SHELF_PORT", "hunter2")

    with pytest.raises(SettingsInvalidError, match="AETERNA_SHELF_PORT") as refusal:
        load(ShelfSettings)

    assert "hunter2" not in str(refusal.value)


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(AddressInUseError, match=f"port {port} on 127.0.0.1 is in use"):
            serving(FastAPI(), port)


def test_a_socket_of_a_living_process_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(path))
        other.listen()

        with pytest.raises(AddressInUseError, match=str(path)):
            serve(FastAPI(), host="", port=0, drain_timeout=timedelta(seconds=1), uds=str(path))


def test_a_file_in_the_place_of_the_socket_is_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")

    with pytest.raises(StartError, match="is no socket"):
        serve(FastAPI(), host="", port=0, drain_timeout=timedelta(seconds=1), uds=str(path))

    assert path.read_text() == "data"


def test_a_lifespan_that_refuses_to_start_is_the_reason_given() -> None:
    class OldSchemaError(AeternaError):
        """The database has an old schema."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        raise OldSchemaError("run the migrations first")
        yield

    with pytest.raises(OldSchemaError, match="run the migrations first"):
        serving(FastAPI(lifespan=lifespan), 0)


def test_a_refusal_is_one_line_and_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, one_line_refusals("shelf"):
        raise AddressInUseError("port 7 on ::1", "choose another")

    assert ended.value.code == 1
    assert capsys.readouterr().err == "shelf: port 7 on ::1 is in use by another process; choose another\n"
