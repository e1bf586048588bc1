"""The certificate that a service is given: as it lies in its Secret, and whether it is to be replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.injector.domain.authority import Authority, Generation, Terms, renewal
from aeterna.injector.domain.certificates import (
    Certificate,
    KeyPair,
    issued,
    names_of,
    read_certificates,
    read_pair,
    vouched_by,
)
from aeterna.injector.domain.stored import Stored
from aeterna.injector.errors import CertificateUnreadableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
BUNDLE: Final = "ca.crt"
_LAST_SHARE: Final = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a service's Secret holds. ``pair`` is absent when it holds no certificate with its key."""

    service: str
    stored: Stored
    pair: KeyPair | None = None

    @property
    def authorities(self) -> tuple[Certificate, ...]:
        """The authorities that stand beside the certificate and did issue it."""
        if self.pair is None:
            return ()
        try:
            beside = read_certificates(self.stored.entries.get(BUNDLE, ""))
        except CertificateUnreadableError:
            return ()
        return tuple(each for each in beside if vouched_by(self.pair.certificate, each))

    def generation(self, authority: Authority) -> Generation | None:
        """Return the generation that issued it, if one did."""
        if self.pair is None:
            return None
        leaf = self.pair.certificate
        return next((each for each in authority.generations if vouched_by(leaf, each.certificate)), None)

    def is_due(self, authority: Authority, *, now: datetime, terms: Terms) -> bool:
        """Whether another certificate is to take its place now.

        One that is due waits while nobody issues whom all clients know yet, unless it is about to end.
        """
        by = self.generation(authority)
        if self.pair is None or by is None:
            return True
        leaf = self.pair.certificate
        if set(leaf.names) != set(names_of(self.service, terms.namespace)) or not leaf.valid_at(now):
            return True
        issuer = authority.issuer(now, terms)
        same = issuer is not None and issuer.certificate.fingerprint == by.certificate.fingerprint
        if authority.settled(now, terms):
            return not same or now >= renewal(leaf)
        return now >= (renewal(leaf) if same else leaf.ends - (leaf.ends - leaf.begins) * _LAST_SHARE)


def read_served(service: str, stored: Stored | None) -> Served:
    """Return what a Secret holds; garbage is as good as nothing."""
    if stored is None:
        return Served(service=service, stored=Stored())
    entries = stored.entries
    try:
        pair = read_pair(entries.get(CERTIFICATE, ""), entries.get(KEY, ""))
    except CertificateUnreadableError:
        pair = None
    return Served(service=service, stored=stored, pair=pair)


def kept(served: Served, authority: Authority, *, now: datetime, terms: Terms) -> Served:
    """Return what the Secret is to hold: the same when nothing is to be written.

    Without anybody who could issue, it stays as it is.
    """
    pair = served.pair
    if pair is None or served.is_due(authority, now=now, terms=terms):
        issuer = authority.issuer(now, terms)
        if issuer is None or issuer.pair is None:
            return served
        names = names_of(served.service, terms.namespace)
        pair = issued(issuer.pair, names, now=now, life=terms.serving_life)
    entries: Mapping[str, str] = {CERTIFICATE: pair.certificate.pem, KEY: pair.key, BUNDLE: authority.bundle}
    if entries == served.stored.entries:
        return served
    return Served(service=served.service, stored=served.stored.holding(entries), pair=pair)
