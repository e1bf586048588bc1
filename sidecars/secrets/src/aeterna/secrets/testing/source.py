"""A source of secrets in memory, whoever is handed them, and a time that a test moves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.secrets.domain.handed import Refusal
from aeterna.secrets.domain.moment import Moment
from aeterna.secrets.domain.secret import Fields, Grant, Lease, Secret
from aeterna.secrets.errors import (
    AccessDeniedError,
    LeaseLostError,
    RenderError,
    SecretAbsentError,
    SourceFaultError,
    SourceUnavailableError,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from aeterna.secrets.domain.secret import JsonValue, Reference
    from aeterna.secrets.errors import SecretsError, SourceError


class FakeTime:
    """Both clocks of a machine; ``set_wall`` moves the one that people can set."""

    def __init__(self) -> None:
        self.steady = 1000.0
        self.wall = 1_700_000_000.0

    def __call__(self) -> Moment:
        """Return the present moment."""
        return Moment(steady=self.steady, wall=self.wall)

    def pass_(self, seconds: float) -> None:
        """Let time go by on both clocks."""
        self.steady += seconds
        self.wall += seconds

    def set_wall(self, seconds: float) -> None:
        """Set the machine's time forward, or back."""
        self.wall += seconds


@dataclass(slots=True, kw_only=True)
class _Lent:
    ends: float
    last: float
    login: int
    uses: int = 0


class FakeSource:
    """A source in memory: ``values`` are polled, ``leased`` has how long (ttl, max_ttl) what a path lends lasts.

    Also its own `Entrance`. ``trouble`` is raised by everything until a test takes it away, ``unrenewed`` by every
    renewal, ``login_trouble`` by every login; ``denied`` are paths that no login may read, ``faulty`` those that the
    source fails at, ``unanswered`` those that time out. A login ends with its term, by ``forget_logins`` or when it was
    used ``login_uses`` times, and everything lent by it ends with it.
    """

    def __init__(self, *, now: FakeTime, login: Grant | None = None) -> None:
        self._now = now
        self._numbers = itertools.count(1)
        self._logins: dict[int, _Lent] = {}
        self._lent: dict[str, _Lent] = {}
        self.login = login or Grant(ttl=3600, renewable=True)
        self.login_max_ttl = 86_400.0
        self.login_uses: int | None = None
        self.values: dict[str, Mapping[str, JsonValue]] = {}
        self.leased: dict[str, tuple[float, float]] = {}
        self.renewable = True
        self.trouble: SourceError | None = None
        self.denied: set[str] = set()
        self.faulty: set[str] = set()
        self.unanswered: set[str] = set()
        self.unrenewed: SourceError | None = None
        self.login_trouble: SourceError | None = None
        self.calls: list[str] = []
        self._until: threading.Event | None = None
        self._held_up = ""
        self.revoked: list[str] = []

    def log_in(self) -> FakeSession:
        """Return a new login."""
        self._called("log_in")
        if self.login_trouble is not None:
            raise self.login_trouble
        number, now = next(self._numbers), self._now.steady
        self._logins[number] = _Lent(ends=now + self.login.ttl, last=now + self.login_max_ttl, login=number)
        return FakeSession(self, number, self.login)

    def hold_up(self, until: threading.Event, *, call: str = "") -> None:
        """Answer no call that begins like this until then."""
        self._until, self._held_up = until, call

    def lent(self) -> set[str]:
        """Return the ids of the leases that there are now."""
        self._expire()
        return set(self._lent)

    def logins(self) -> int:
        """Return how many logins there are now."""
        self._expire()
        return len(self._logins)

    def forget_logins(self) -> None:
        """End every login, and what was lent by it."""
        for login in list(self._logins):
            self.end_login(login)

    def end_login(self, login: int) -> None:
        """End one login, and what was lent by it."""
        self._logins.pop(login, None)
        for id_ in [id_ for id_, lent in self._lent.items() if lent.login == login]:
            self.end_lease(id_)

    def end_lease(self, id_: str) -> None:
        """Take a lease back."""
        if self._lent.pop(id_, None) is not None:
            self.revoked.append(id_)

    def fetch(self, login: int, reference: Reference) -> Secret:
        """Return what is at a path now, a new lease where it lends."""
        self._believe(login, f"fetch {reference.path}")
        if reference.path in self.denied:
            raise AccessDeniedError(reference.path)
        if reference.path in self.unanswered:
            raise SourceUnavailableError("is out of reach: ReadTimeout")
        if reference.path in self.faulty:
            raise SourceFaultError(500)
        if reference.path in self.leased:
            ttl, max_ttl = self.leased[reference.path]
            number, now = next(self._numbers), self._now.steady
            id_ = f"{reference.path}/{number}"
            self._lent[id_] = _Lent(ends=now + min(ttl, max_ttl), last=now + max_ttl, login=login)
            grant = Grant(ttl=min(ttl, max_ttl), renewable=self.renewable)
            return Secret(fields=Fields({"username": id_}), version=f"lease {number}", lease=Lease(id=id_, grant=grant))
        if reference.path not in self.values:
            raise SecretAbsentError(reference.path)
        values = self.values[reference.path]
        return Secret(fields=Fields(values), version=str(hash(frozenset(values.items()))))

    def prolong(self, login: int, id_: str, ttl: float) -> Grant:
        """Prolong a lease, not beyond its last moment."""
        self._believe(login, f"renew {id_}")
        self._prolonging()
        lent = self._lent.get(id_)
        if lent is None:
            raise LeaseLostError
        lent.ends = min(self._now.steady + ttl, lent.last)
        return Grant(ttl=lent.ends - self._now.steady, renewable=True)

    def prolong_login(self, login: int, ttl: float) -> Grant:
        """Prolong a login, not beyond its last moment."""
        self._believe(login, "renew login")
        self._prolonging()
        lent = self._logins[login]
        lent.ends = min(self._now.steady + ttl, lent.last)
        return Grant(ttl=lent.ends - self._now.steady, renewable=True)

    def take_back(self, login: int, id_: str) -> None:
        """Revoke a lease."""
        self._believe(login, f"revoke {id_}")
        self.end_lease(id_)

    def knows(self, login: int) -> bool:
        """Say whether a login is one still."""
        try:
            self._called("alive")
        except AccessDeniedError:
            return False
        self._expire()
        return login in self._logins

    def log_out(self, login: int) -> None:
        """End a login."""
        self._believe(login, "log_out")
        self.end_login(login)

    def _called(self, call: str) -> None:
        self.calls.append(call)
        if self._until is not None and call.startswith(self._held_up):
            self._until.wait()
        if self.trouble is not None:
            raise self.trouble

    def _prolonging(self) -> None:
        if self.unrenewed is not None:
            raise self.unrenewed

    def _believe(self, login: int, call: str) -> None:
        self._called(call)
        self._expire()
        if login not in self._logins:
            raise AccessDeniedError(call)
        self._logins[login].uses += 1
        if self.login_uses is not None and self._logins[login].uses > self.login_uses:
            self.end_login(login)
            raise AccessDeniedError(call)

    def _expire(self) -> None:
        now = self._now.steady
        for login in [login for login, lent in self._logins.items() if lent.ends <= now]:
            del self._logins[login]
        for id_ in [id_ for id_, lent in self._lent.items() if lent.ends <= now or lent.login not in self._logins]:
            del self._lent[id_]


class FakeSession:
    """A login at a `FakeSource`, and the `SecretSource` that it opens."""

    def __init__(self, source: FakeSource, number: int, grant: Grant) -> None:
        self._source = source
        self._number = number
        self.grant: Grant | None = grant
        self.source = FakeLoggedIn(source, number)

    def renew(self, *, ttl: float) -> Grant:
        """See `Session.renew`."""
        return self._source.prolong_login(self._number, ttl)

    def alive(self) -> bool:
        """See `Session.alive`."""
        return self._source.knows(self._number)

    def revoke(self) -> None:
        """See `Session.revoke`."""
        self._source.log_out(self._number)


class FakeLoggedIn:
    """What can be had of a `FakeSource` by one login."""

    def __init__(self, source: FakeSource, number: int) -> None:
        self._source = source
        self._number = number

    def fetch(self, reference: Reference) -> Secret:
        """See `SecretSource.fetch`."""
        return self._source.fetch(self._number, reference)

    def renew(self, lease: Lease, *, ttl: float) -> Grant:
        """See `SecretSource.renew`."""
        return self._source.prolong(self._number, lease.id, ttl)

    def revoke(self, lease: Lease) -> None:
        """See `SecretSource.revoke`."""
        self._source.take_back(self._number, lease.id)


class FakeRecipient:
    """Has what it was handed, until it is taken away; refuses while a test has ``trouble`` for it.

    Of the secrets in ``behind`` it keeps what it had, as files do that cannot be made anew.
    """

    def __init__(self) -> None:
        self.has: dict[str, Secret] = {}
        self.handed: list[frozenset[str]] = []
        self.trouble: SecretsError | None = None
        self.behind: set[str] = set()
        self.ended = False

    async def hand_over(self, held: Mapping[str, Secret], changed: frozenset[str]) -> Refusal | None:
        """See `Recipient.hand_over`."""
        if self.trouble is not None:
            raise self.trouble
        kept = {name: secret for name, secret in self.has.items() if name in self.behind}
        self.has = {name: secret for name, secret in held.items() if name not in self.behind} | kept
        self.handed.append(changed - self.behind)
        untaken = changed & self.behind
        reason = RenderError(", ".join(sorted(untaken)), "is wrong")
        return Refusal(reason=reason, untaken=untaken, stale=untaken) if untaken else None

    async def withdraw(self, names: frozenset[str]) -> None:
        """See `Recipient.withdraw`."""
        self.has = {name: secret for name, secret in self.has.items() if name not in names}

    async def end(self) -> None:
        """See `Wiping.end`."""
        self.has = {}
        self.ended = True
