"""What a source that lends owes the sidecar: the fake obeys as Vault's own API does, over the real client."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from aeterna.secrets.adapters.vault_client import VaultClient
from aeterna.secrets.adapters.vault_login import VaultEntrance
from aeterna.secrets.domain.configuration import JwtLogin, VaultSource
from aeterna.secrets.domain.secret import Grant, Lease, Reference
from aeterna.secrets.errors import AccessDeniedError, LeaseLostError, SecretAbsentError, SourceUnavailableError
from aeterna.secrets.ports import Entrance
from aeterna.secrets.testing import FakeSource, FakeTime
from fixtures.vault_server import FakeVault
from fixtures.vault_state import Role, VaultState

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from aeterna.secrets.ports import Session

USERS = Reference(path="database/creds/app", engine="dynamic")
KEY = Reference(path="app/api", engine="kv", mount="secret")


class Lender(Protocol):
    """A source as a test sees it: leases last an hour and end after two, logins an hour and end after ten."""

    @property
    def entrance(self) -> Entrance:
        """The way in."""
        ...

    def lent(self) -> set[str]:
        """Return the ids of the leases that there are."""
        ...

    def put(self, value: str) -> None:
        """Have another value at `KEY`."""
        ...

    def delete(self) -> None:
        """Have no value at `KEY`."""
        ...

    def pass_(self, seconds: float) -> None:
        """Let time go by."""
        ...

    def seal(self) -> None:
        """Answer nothing any more."""
        ...

    def forbid(self) -> None:
        """Have no policy that allows `USERS`."""
        ...


class FakeLender:
    """The shipped fake."""

    def __init__(self) -> None:
        self.time = FakeTime()
        self.entrance = FakeSource(now=self.time)
        self.entrance.login_max_ttl = 36_000
        self.entrance.leased["database/creds/app"] = (3600, 7200)
        self.entrance.values["app/api"] = {"key": "one"}
        self.lent = self.entrance.lent
        self.pass_ = self.time.pass_

    def put(self, value: str) -> None:
        """See `Lender`."""
        self.entrance.values["app/api"] = {"key": value}

    def delete(self) -> None:
        """See `Lender`."""
        del self.entrance.values["app/api"]

    def seal(self) -> None:
        """See `Lender`."""
        self.entrance.trouble = SourceUnavailableError("is sealed")

    def forbid(self) -> None:
        """See `Lender`."""
        self.entrance.denied.add("database/creds/app")


@dataclass(slots=True, kw_only=True)
class VaultLender:
    """The real client, and a server that speaks Vault's API."""

    vault: FakeVault
    entrance: Entrance

    def lent(self) -> set[str]:
        """See `Lender`."""
        self.vault.state.expire()
        return set(self.vault.state.leases)

    def put(self, value: str) -> None:
        """See `Lender`."""
        self.vault.state.kv["team", "secret/app/api"].append({"key": value})

    def delete(self) -> None:
        """See `Lender`."""
        self.vault.state.kv["team", "secret/app/api"].append(None)

    def pass_(self, seconds: float) -> None:
        """See `Lender`."""
        self.vault.state.ahead += seconds

    def seal(self) -> None:
        """See `Lender`."""
        self.vault.seal()

    def forbid(self) -> None:
        """See `Lender`."""
        self.vault.denied.add("database/creds/app")


@contextmanager
def fake(folder: Path) -> Generator[Lender]:
    """Lend by the fake."""
    del folder
    yield FakeLender()


@contextmanager
def vault(folder: Path) -> Generator[Lender]:
    """Lend by Vault's API."""
    token = folder / "token"
    token.write_text("jwt-of-the-pod\n", "utf-8")
    state = VaultState(
        clock=lambda: 1000.0, logins={"jwt-of-the-pod": "app"}, login_role=Role(ttl=3600, max_ttl=36_000)
    )
    state.dynamic["database/creds/app"] = Role(ttl=3600, max_ttl=7200)
    state.kv["team", "secret/app/api"] = [{"key": "one"}]
    with FakeVault(state) as server:
        login = JwtLogin(role="app", token_file=token)
        source = VaultSource(address=server.url, login=login, namespace="team")
        client = VaultClient(source, timeout=timedelta(seconds=5))
        yield VaultLender(vault=server, entrance=VaultEntrance(client, login, signed=lambda _: {}))


@pytest.fixture(params=[fake, vault], ids=["fake", "vault"])
def lender(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Lender]:
    """Return each of them."""
    opened: Callable[[Path], AbstractContextManager[Lender]] = request.param
    with opened(tmp_path) as found:
        yield found


@pytest.fixture
def session(lender: Lender) -> Generator[Session]:
    """Return a login."""
    found = lender.entrance.log_in()
    yield found
    with_suppressed_end(found)


def with_suppressed_end(session: Session) -> None:
    """Close what a test did not."""
    try:
        session.revoke()
    except (AccessDeniedError, SourceUnavailableError):
        return


def lease_of(session: Session) -> Lease:
    """Return a lease that was had."""
    lease = session.source.fetch(USERS).lease
    assert lease is not None
    return lease


def test_a_login_says_how_long_it_lasts(session: Session) -> None:
    assert session.grant == Grant(ttl=3600, renewable=True)


def test_a_login_is_prolonged_up_to_its_last_moment(lender: Lender, session: Session) -> None:
    granted = [session.renew(ttl=3600).ttl]
    for _ in range(12):
        lender.pass_(2850)
        granted.append(session.renew(ttl=3600).ttl)

    assert granted[0] == 3600
    assert granted[-1] == pytest.approx(36_000 - 12 * 2850, abs=1)


def test_a_login_that_has_ended_is_neither_alive_nor_prolonged(lender: Lender, session: Session) -> None:
    before = session.alive()
    lender.pass_(3601)

    assert (before, session.alive()) == (True, False)
    with pytest.raises(AccessDeniedError):
        session.renew(ttl=3600)


def test_each_fetch_of_what_is_lent_is_a_lease_of_its_own(lender: Lender, session: Session) -> None:
    first, second = session.source.fetch(USERS), session.source.fetch(USERS)

    assert first.fields["username"] != second.fields["username"]
    assert first.version != second.version
    assert len(lender.lent()) == 2


def test_a_lease_is_prolonged_up_to_its_last_moment(lender: Lender, session: Session) -> None:
    lease = lease_of(session)
    lender.pass_(3000)
    session.renew(ttl=36_000)
    whole = session.source.renew(lease, ttl=3600)
    lender.pass_(3400)
    last = session.source.renew(lease, ttl=3600)

    assert whole == Grant(ttl=3600, renewable=True)
    assert last.ttl == pytest.approx(800, abs=1)


def test_a_lease_that_has_ended_is_lost(lender: Lender, session: Session) -> None:
    lease = lease_of(session)
    session.renew(ttl=36_000)
    lender.pass_(3601)

    with pytest.raises(LeaseLostError):
        session.source.renew(lease, ttl=3600)


def test_a_lease_can_be_given_back_twice(lender: Lender, session: Session) -> None:
    lease = lease_of(session)
    session.source.revoke(lease)
    session.source.revoke(lease)

    assert lender.lent() == set()


def test_with_a_login_ends_what_was_had_by_it(lender: Lender, session: Session) -> None:
    lease_of(session)
    other = lender.entrance.log_in()
    kept = lease_of(other)
    session.revoke()

    assert lender.lent() == {kept.id}
    with_suppressed_end(other)


def test_a_value_is_of_another_version_once_it_changed(lender: Lender, session: Session) -> None:
    first, again = session.source.fetch(KEY), session.source.fetch(KEY)
    lender.put("two")
    second = session.source.fetch(KEY)

    assert first.version == again.version != second.version
    assert (first.fields["key"], second.fields["key"]) == ("one", "two")
    assert first.lease is None


def test_a_value_that_was_deleted_is_absent(lender: Lender, session: Session) -> None:
    lender.delete()

    with pytest.raises(SecretAbsentError):
        session.source.fetch(KEY)


def test_what_never_was_is_absent(session: Session) -> None:
    with pytest.raises(SecretAbsentError):
        session.source.fetch(Reference(path="nothing", engine="kv", mount="secret"))


def test_what_no_policy_allows_is_denied_by_a_login_that_is_alive(lender: Lender, session: Session) -> None:
    lender.forbid()

    with pytest.raises(AccessDeniedError):
        session.source.fetch(USERS)
    assert session.alive()


def test_of_a_sealed_source_nothing_can_be_had(lender: Lender, session: Session) -> None:
    lease = lease_of(session)
    lender.seal()

    for call in (
        lender.entrance.log_in,
        session.alive,
        lambda: session.renew(ttl=60),
        lambda: session.source.fetch(USERS),
        lambda: session.source.renew(lease, ttl=60),
        lambda: session.source.revoke(lease),
    ):
        with pytest.raises(SourceUnavailableError):
            call()


def test_no_value_shows_in_what_was_had(session: Session) -> None:
    """Neither of a secret, nor of its lease, nor of the login."""
    had = session.source.fetch(USERS)

    shown = f"{had!r} {had.fields!r} {had.lease!r} {session!r} {session.source!r}"
    assert had.lease is not None
    assert not [value for value in (*had.fields.values(), had.lease.id) if str(value) in shown]
