"""Keeps the certificates of the platform's services in their Secrets, and this replica's own in its listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from aeterna.contracts.injection.rights import serving_secret
from aeterna.injector.domain.serving import Served, kept, read_served
from aeterna.injector.errors import ClusterConflictError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aeterna.injector.domain.authority import Authority, Terms
    from aeterna.injector.ports import Presenter, Secrets, UpkeepObserver

log = structlog.stdlib.get_logger(__name__)


class ServingCertificates:
    """One Secret for each service: its certificate, its key, and what vouches for the others."""

    def __init__(self, secrets: Secrets, services: Sequence[str], *, terms: Terms, observer: UpkeepObserver) -> None:
        self._secrets = secrets
        self._services = tuple(services)
        self._terms = terms
        self._observer = observer

    async def read(self) -> tuple[Served, ...]:
        """Return what every service is given now."""
        return tuple(
            [read_served(service, await self._secrets.read(serving_secret(service))) for service in self._services]
        )

    async def keep(self, served: Sequence[Served], authority: Authority, *, now: datetime) -> None:
        """Write what is to be replaced; whatever was written in between by another replica is left to the next pass."""
        for before in served:
            after = kept(before, authority, now=now, terms=self._terms)
            if after is not before:
                try:
                    await self._secrets.write(serving_secret(after.service), after.stored, tls=True)
                except ClusterConflictError:
                    log.info("certificate.raced", service=after.service)
                    continue
                self._observer.wrote("certificate")
                log.info("certificate.written", service=after.service)
            if after.pair is not None:
                self._observer.served(after.service, after.pair.certificate.ends.timestamp())


class OwnCertificate:
    """The certificate that this replica itself shows: the newest good one that its Secret held."""

    def __init__(self, secrets: Secrets, service: str, presenter: Presenter) -> None:
        self._secrets = secrets
        self._service = service
        self._presenter = presenter
        self._shown: str | None = None

    @property
    def is_shown(self) -> bool:
        """Whether there is one; without it no handshake succeeds."""
        return self._shown is not None

    async def refresh(self, now: datetime) -> None:
        """Show what the Secret holds, if that is any good; otherwise go on with what there is."""
        served = read_served(self._service, await self._secrets.read(serving_secret(self._service)))
        if served.pair is None or not served.pair.certificate.valid_at(now):
            return
        fingerprint = served.pair.certificate.fingerprint
        if fingerprint != self._shown:
            self._presenter.present(served.pair)
            self._shown = fingerprint
            log.info("certificate.shown", fingerprint=fingerprint, ends=served.pair.certificate.ends.isoformat())
