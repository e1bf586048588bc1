"""Sees to the secrets of one source by a login: fetches, renews, replaces, and gives back what was replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from aeterna.secrets.domain.configuration import Declaration
from aeterna.secrets.domain.moment import Moment
from aeterna.secrets.domain.secret import Lease
from aeterna.secrets.domain.term import Term, look_after_rotation, pause_after, poll_after
from aeterna.secrets.errors import RequestFailedError, SecretAbsentError, SourceUnavailableError
from aeterna.secrets.usecases.calling import call
from aeterna.secrets.usecases.logins import Login

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aeterna.secrets.domain.counts import Counts
    from aeterna.secrets.domain.secret import Secret
    from aeterna.secrets.errors import SourceError
    from aeterna.secrets.usecases.handover import Handover
    from aeterna.secrets.usecases.holdings import Holdings

log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Entry:
    """A declared secret and what is known of the one that is held, without its values.

    ``login`` is the one by which it was had; ``term`` is that of its ``lease``, None for one that is polled.
    """

    name: str
    declaration: Declaration
    due: Moment
    version: str | None = None
    lease: Lease | None = None
    term: Term | None = None
    login: Login | None = None
    failures: int = 0

    def ends(self) -> Moment | None:
        """Return when its lease ends: by its own term, or with the login by which it was had."""
        return self.term.ends.earliest(self.login.ends if self.login is not None else None) if self.term else None


@dataclass(slots=True, kw_only=True, eq=False)
class Retired:
    """A lease that was replaced, to be revoked when whoever used it had time to let go.

    Until its successor was handed over it is ``due`` when it ends by itself.
    """

    lease: Lease
    login: Login
    due: Moment
    ends: Moment
    failures: int = 0


class Tending:
    """What is declared of one source, and what was replaced of it; a refusal is that of one secret alone."""

    def __init__(
        self,
        source: str,
        declared: Mapping[str, Declaration],
        *,
        holdings: Holdings,
        handover: Handover,
        counts: Counts,
        now: Callable[[], Moment],
        random: Callable[[], float],
    ) -> None:
        self._source = source
        self._holdings = holdings
        self._handover = handover
        self._counts = counts
        self._now = now
        self._random = random
        begun = now()
        self.entries = tuple(Entry(name=name, declaration=found, due=begun) for name, found in declared.items())
        self.retired: list[Retired] = []

    def uses(self, login: Login) -> bool:
        """Say whether any lease hangs on a login."""
        held = any(entry.login is login and entry.term is not None for entry in self.entries)
        return held or any(retired.login is login for retired in self.retired)

    def logged_in(self) -> None:
        """Have every lease replaced: what was had by another login ends with that one, whatever its own term says."""
        for entry in self.entries:
            if entry.term is not None:
                entry.due = self._now()

    def login_renewed(self, login: Login) -> None:
        """Hold what was had by a login for as long as it lasts now."""
        for entry in self.entries:
            if entry.login is login and entry.term is not None:
                self._holdings.extend(entry.name, ends=entry.ends())

    async def see_to(self, entry: Entry, login: Login) -> RequestFailedError | None:
        """Renew, replace or look for one secret anew; return why it was refused, `SourceUnavailableError` is raised.

        Whatever failed goes behind all that is due: one path that is never answered must not starve the others.
        """
        try:
            if self._renewable(entry, login):
                await self._renew(entry, login)
            else:
                await self._fetch(entry, login)
        except SourceUnavailableError:
            self._postpone(entry)
            raise
        except RequestFailedError as exc:
            self.failed(exc, self._postpone(entry), secret=entry.name)
            if isinstance(exc, SecretAbsentError) and entry.term is None:
                await self._deleted(entry)
            return exc
        entry.failures = 0
        return None

    def _postpone(self, one: Entry | Retired) -> float:
        one.failures += 1
        pause = pause_after(one.failures, self._random)
        one.due = self._now().after(pause)
        return pause

    def _renewable(self, entry: Entry, login: Login) -> bool:
        term = entry.term
        held = entry.login is login and entry.name in self._holdings.current()
        return held and term is not None and term.renewable and self._now().before(term.ends)

    async def _renew(self, entry: Entry, login: Login) -> None:
        asked = self._now()
        if entry.lease is None or entry.term is None:
            return
        try:
            grant = await call(login.session.source.renew, entry.lease, ttl=entry.term.ttl)
        except RequestFailedError as exc:
            # A lease that is forgotten, or that may not be prolonged, is replaced while it still works. Nobody can tell
            # which of both it is: Vault says 400 of either, as it does when it cannot reach the database.
            self.failed(exc, 0.0, secret=entry.name)
            await self._fetch(entry, login)
            return
        entry.term = entry.term.renewed(grant, asked=asked, random=self._random)
        entry.due = entry.term.due
        self._counts.done[self._source, "lease_renewal"] += 1
        self._holdings.extend(entry.name, ends=entry.ends())

    async def _fetch(self, entry: Entry, login: Login) -> None:
        asked = self._now()
        secret = await call(login.session.source.fetch, entry.declaration.reference)
        self._counts.done[self._source, "fetch"] += 1
        before, replaced = entry.ends(), self._replaced(entry)
        same = entry.version == secret.version and entry.name in self._holdings.current()
        ends = self._take(entry, login, secret, asked)
        if same:
            self._holdings.extend(entry.name, ends=ends)
            return
        self._holdings.hold(entry.name, secret, ends=ends)
        self.retired += [replaced] if replaced is not None else []
        log.info("secrets.fetched", source=self._source, name=entry.name, leased=secret.lease is not None)
        then = (lambda: self._retire(entry, replaced)) if replaced is not None else None
        self._handover.changed(entry.name, then, before=before)

    def _take(self, entry: Entry, login: Login, secret: Secret, asked: Moment) -> Moment | None:
        """Note what is held from now on; return until when."""
        declared = entry.declaration
        entry.version, entry.lease, entry.login = secret.version, secret.lease, login
        if secret.lease is not None:
            entry.term = Term.of(secret.lease.grant, asked=asked, random=self._random)
            entry.due = entry.term.due
            return entry.ends()
        entry.term = None
        poll = poll_after(declared.interval.total_seconds(), self._random)
        if secret.rotates_in is not None:
            poll = min(poll, look_after_rotation(secret.rotates_in, self._random))
        entry.due = asked.after(poll)
        return asked.after(declared.keep.total_seconds()) if declared.keep is not None else None

    def _replaced(self, entry: Entry) -> Retired | None:
        """Return the lease of what is about to be replaced, if the source still has it."""
        ends = entry.ends()
        if entry.lease is None or entry.login is None or ends is None or not self._now().before(ends):
            return None
        return Retired(lease=entry.lease, login=entry.login, due=ends, ends=ends)

    def _retire(self, entry: Entry, retired: Retired) -> None:
        """Begin the grace of a lease whose successor was handed over."""
        retired.due = self._now().after(entry.declaration.grace.total_seconds())

    async def _deleted(self, entry: Entry) -> None:
        """Take away what its source says is no more."""
        entry.version = None
        if entry.name in self._holdings.current():
            await self._handover.withdraw([entry.name])

    async def revoke(self, retired: Retired) -> None:
        """Give a replaced lease back; one that the login may not revoke ends by itself, or with the login."""
        self.retired.remove(retired)
        if not self._now().before(retired.ends):
            return
        try:
            await call(retired.login.session.source.revoke, retired.lease)
        except SourceUnavailableError:
            self._postpone(retired)
            self.retired.append(retired)
            raise
        except RequestFailedError as exc:
            self.failed(exc, 0.0)
            return
        self._counts.done[self._source, "revocation"] += 1

    def failed(self, exc: SourceError, pause: float, *, secret: str | None = None) -> None:
        """Count and write down a failure; no error of a source carries a value."""
        self._counts.failures[self._source, exc.code] += 1
        named = {"name": secret} if secret is not None else {}
        why = str(exc)
        log.warning(
            "secrets.source_failed", source=self._source, code=exc.code, reason=why, retry_in=round(pause, 1), **named
        )
