"""A connection string over which nobody else is the server, or it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict

from aeterna.postgres.address import secured
from aeterna.threads.errors import FAMILY, ConnectionInsecureError

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.postgres.login import Provider


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let libpq's own variables say nothing."""
    for name in ("PGHOST", "PGHOSTADDR", "PGSSLMODE", "PGUSER"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "dsn",
    [
        "dbname=threads",
        "host=/run/postgresql dbname=threads",
        "host=localhost sslmode=disable",
        "postgresql://ada:pw@127.0.0.1:5432/threads",
        "host=::1",
        "host=/run/postgresql,127.0.0.2",
    ],
)
def test_a_password_or_a_socket_on_this_machine_is_as_it_was(dsn: str) -> None:
    assert secured(dsn, "password", None, FAMILY) == dsn


@pytest.mark.parametrize(
    ("provider", "dsn"),
    [
        ("password", "host=db.example.com user=ada password=pw"),
        ("password", "host=localhost,db.example.com user=ada"),
        ("password", "hostaddr=10.0.0.5 host=localhost user=ada"),
        ("password", "service=threads"),
        ("password", "host=db.example.com user=ada sslmode=verify-full"),
        ("aws", "host=localhost user=ada"),
        ("gcp", "host=/run/postgresql user=ada"),
    ],
)
def test_everything_else_is_verified_in_full(provider: Provider, dsn: str) -> None:
    """The roots are the machine's: libpq's own default lies in the home of a user that a container does not have."""
    verified = conninfo_to_dict(secured(dsn, provider, None, FAMILY))

    assert (verified["sslmode"], verified["sslrootcert"]) == ("verify-full", "system")


def test_a_host_from_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example.com")
    monkeypatch.setenv("PGSSLMODE", "disable")

    assert conninfo_to_dict(secured("dbname=threads", "password", None, FAMILY))["sslmode"] == "verify-full"


def test_the_bundle_of_the_setting_is_believed(tmp_path: Path) -> None:
    verified = secured("host=db.example.com user=ada", "azure", tmp_path / "roots.pem", FAMILY)

    assert conninfo_to_dict(verified)["sslrootcert"] == str(tmp_path / "roots.pem")


@pytest.mark.parametrize(
    ("provider", "dsn", "said"),
    [
        ("password", "host=db.example.com sslmode=require", "sslmode=require lets a stranger be the server"),
        ("password", "host=db.example.com sslmode=verify-ca", "sslmode=verify-ca lets"),
        ("aws", "host=localhost user=ada sslmode=prefer", "sslmode=prefer lets"),
        ("gcp", "host=db.example.com user=ada password=canary", "it holds a password"),
        ("azure", "host=db.example.com", "it names no user"),
    ],
)
def test_what_could_be_read_or_answered_by_a_stranger_is_refused(provider: Provider, dsn: str, said: str) -> None:
    with pytest.raises(ConnectionInsecureError, match=said) as refused:
        secured(dsn, provider, None, FAMILY)

    assert str(refused.value).startswith("AETERNA_THREADS_DSN cannot be used")
    assert "canary" not in str(refused.value)
