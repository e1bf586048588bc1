"""The generations of the authority, and the order in which one follows another: trusted first, then issuing, then gone.

A certificate may be shown once every client has known its authority for the ``overlap``, and an authority is forgotten
once nothing has been shown of it for the ``overlap``: longer than it takes for a changed ConfigMap or Secret to reach
what reads it, plus what the clocks of two replicas differ. Every step follows from what is seen in the cluster and
from the moments written down beside each generation, so any replica may take it, and take it twice.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from aeterna.injector.domain.certificates import Certificate, KeyPair, new_authority

MOST: Final = 6
"""Generations that are kept at once: a bundle has to fit wherever it is read."""
_RENEW_AFTER: Final = 0.6
_RENEW_SPREAD: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long things last. ``overlap`` must be longer than anything takes to reach all who read it."""

    namespace: str
    authority_life: timedelta = timedelta(days=365)
    serving_life: timedelta = timedelta(days=30)
    overlap: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One authority.

    - ``key`` is absent when it was lost: it is trusted still and issues nothing.
    - ``published`` is since when all clients have been given it; nothing is issued by it before that and the overlap.
    - ``superseded`` is since when no service has been given a certificate of it, and a younger one issues.
    """

    certificate: Certificate
    key: str | None = None
    published: datetime | None = None
    superseded: datetime | None = None

    @property
    def pair(self) -> KeyPair | None:
        """The authority as what can issue, if it can."""
        return None if self.key is None else KeyPair(certificate=self.certificate, key=self.key)

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"Generation({self.certificate.fingerprint[:16]}, {self.published}, {self.superseded})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the cluster showed when it was looked at: fingerprints of authorities.

    - ``trusted`` by every client: those in each bundle that is read.
    - ``shown`` by some service: those that issued a certificate which is handed out.
    """

    trusted: AbstractSet[str]
    shown: AbstractSet[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The generations that are trusted, the oldest first. Empty before the first."""

    generations: tuple[Generation, ...] = ()

    @property
    def bundle(self) -> str:
        """What clients trust: the certificates of all generations, the youngest first."""
        return "".join(each.certificate.pem for each in reversed(self.generations))

    def issuer(self, now: datetime, terms: Terms) -> Generation | None:
        """Return who issues now: the youngest that all clients have known for long enough.

        When there is none, because there never was another or its key is lost or it has expired, the oldest that can:
        a service without a certificate is no better than one that a client cannot trust yet.
        """
        able = [each for each in self.generations if each.key is not None and each.certificate.valid_at(now)]
        known = [each for each in able if each.published is not None and now >= each.published + terms.overlap]
        if known:
            return known[-1]
        return able[0] if able else None

    def settled(self, now: datetime, terms: Terms) -> bool:
        """Whether the issuer is one that all clients have had time to know."""
        issuer = self.issuer(now, terms)
        return issuer is not None and issuer.published is not None and now >= issuer.published + terms.overlap

    def advanced(self, seen: Seen, *, now: datetime, terms: Terms) -> Authority:
        """Return the authority after every step that is due; the same one when none is."""
        kept = tuple(each for each in self.generations if now < each.certificate.ends)
        kept = tuple(_published(each, seen, now) for each in kept)
        if not any(each.key is not None and now < renewal(each.certificate) for each in kept):
            pair = new_authority(terms.namespace, now=now, life=terms.authority_life)
            kept = (*kept, Generation(certificate=pair.certificate, key=pair.key))
        return Authority(generations=_retired(Authority(generations=kept), seen, now, terms)[-MOST:])

    def recovered(self, certificates: tuple[Certificate, ...], now: datetime) -> Authority:
        """Return the authority with generations whose keys are lost and whose certificates are still shown.

        A client has to go on trusting what a service shows after the keeper's own Secret was lost or spoiled.
        """
        known = {each.certificate.fingerprint for each in self.generations}
        lost = {each.fingerprint: each for each in certificates if each.fingerprint not in known and now < each.ends}
        older = tuple(Generation(certificate=each, published=now) for each in lost.values())
        return Authority(generations=(*older, *self.generations)) if older else self


def renewal(certificate: Certificate) -> datetime:
    """Return when a certificate is to be replaced: after 60 to 70 % of its life, by a share that is its own.

    Every replica finds the same moment, and services whose certificates were made together do not renew together.
    """
    share = _RENEW_AFTER + _RENEW_SPREAD * (certificate.serial % 1000) / 1000
    return certificate.begins + (certificate.ends - certificate.begins) * share


def _published(generation: Generation, seen: Seen, now: datetime) -> Generation:
    if generation.published is not None or generation.certificate.fingerprint not in seen.trusted:
        return generation
    return replace(generation, published=now)


def _retired(authority: Authority, seen: Seen, now: datetime, terms: Terms) -> tuple[Generation, ...]:
    """Note which of the older generations nobody shows, and leave out what nobody has shown for long enough."""
    issuer = authority.issuer(now, terms)
    if issuer is None or not authority.settled(now, terms):
        return authority.generations
    place = authority.generations.index(issuer)
    kept: list[Generation] = []
    for each in authority.generations[:place]:
        if each.certificate.fingerprint in seen.shown:
            kept.append(replace(each, superseded=None))
        elif each.superseded is None:
            kept.append(replace(each, superseded=now))
        elif now < each.superseded + terms.overlap:
            kept.append(each)
    return (*kept, *authority.generations[place:])
