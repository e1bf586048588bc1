"""Keeps the authority in its Secret: takes the steps that are due, and recovers from its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from aeterna.contracts.injection.rights import AUTHORITY_SECRET
from aeterna.injector.domain.authority import Authority, Seen, Terms
from aeterna.injector.domain.authority_document import KEY, read, written
from aeterna.injector.domain.stored import Stored
from aeterna.injector.errors import ClusterConflictError

if TYPE_CHECKING:
    from datetime import datetime

    from aeterna.injector.domain.certificates import Certificate
    from aeterna.injector.ports import Secrets, UpkeepObserver

_TRIES: Final = 3

log = structlog.stdlib.get_logger(__name__)


class AuthorityKeeper:
    """The one authority of an installation, in one Secret that any replica may write."""

    def __init__(self, secrets: Secrets, *, terms: Terms, observer: UpkeepObserver) -> None:
        self._secrets = secrets
        self._terms = terms
        self._observer = observer
        self._last = Authority()

    async def keep(self, seen: Seen, *, shown: tuple[Certificate, ...], now: datetime) -> Authority:
        """Return the authority as it is from now on; ``shown`` are the issuers of what services are given.

        Raises `AuthorityTooNewError`, and `ClusterConflictError` when others are faster again and again.
        """
        for _ in range(_TRIES):
            stored = await self._secrets.read(AUTHORITY_SECRET)
            found, unreadable = read(None if stored is None else stored.entries.get(KEY))
            lost = unreadable > 0 or not found.generations
            known = found
            if lost:
                # Only then: whoever may write a service's Secret must not be able to add an authority at any time.
                known = found.recovered((*(each.certificate for each in self._last.generations), *shown), now)
                log.warning("authority.lost", unreadable=unreadable, recovered=len(known.generations))
            advanced = known.advanced(seen, now=now, terms=self._terms)
            if advanced == found and not unreadable:
                return self._remembered(found, now)
            try:
                await self._secrets.write(
                    AUTHORITY_SECRET, (stored or Stored()).holding({KEY: written(advanced)}), tls=False
                )
            except ClusterConflictError:
                continue
            self._observer.wrote("authority")
            log.info("authority.written", generations=[each.certificate.fingerprint for each in advanced.generations])
            return self._remembered(advanced, now)
        raise ClusterConflictError(f"write the Secret {AUTHORITY_SECRET}", f"others were faster {_TRIES} times")

    def _remembered(self, authority: Authority, now: datetime) -> Authority:
        self._last = authority
        issuer = authority.issuer(now, self._terms)
        if issuer is not None:
            self._observer.authority(len(authority.generations), issuer.certificate.ends.timestamp())
        return authority
