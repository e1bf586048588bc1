"""The audit: who changed what and when, each record chained to the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from aeterna.service.hash_chain import GENESIS, link
from aeterna.service.json_value import JsonValue


class Act(StrEnum):
    """What was done; the words are of the public contract."""

    PROPOSED = "version.proposed"
    DEPLOYED = "version.deployed"
    RESTORED = "version.restored"
    CUT = "audit.cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that was done, before it has a place in the chain; ``facts`` say more of it."""

    act: Act
    tenant: str
    actor: str
    at: datetime
    facts: Mapping[str, JsonValue]

    def record(self, seq: int) -> dict[str, JsonValue]:
        """Return the record that is hashed."""
        return {
            "seq": seq,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "act": self.act.value,
            "tenant": self.tenant,
            "actor": self.actor,
            "facts": dict(self.facts),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A record as it is kept. ``seq``, ``tenant`` and ``at`` repeat what is in the record, to be searched by."""

    seq: int
    at: datetime
    tenant: str
    record: Mapping[str, JsonValue]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a chain: its last sequence number, and that record's hash."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What the retention removed: so many records, up to and with ``through``."""

    records: int
    through: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a look at the whole chain has found; ``broken_at`` is the first record that is not as it was written."""

    records: int
    first: int
    head: Head
    broken_at: int | None = None
    reason: str | None = None


class Verifier:
    """Follows a chain record by record, so that it need not fit into memory.

    The newest `Act.CUT` record says what the chain begins after: how it was shortened is part of what it proves.
    """

    def __init__(self, after: Head) -> None:
        self._first = after.seq + 1
        self._at = after
        self._records = 0

    def look(self, links: Iterable[Link]) -> Verification | None:
        """Take the next records; return the verdict as soon as one is broken, else None."""
        for found in links:
            if found.seq != self._at.seq + 1:
                return self._broken(self._at.seq + 1, "is missing")
            if link(self._at.hash, found.record) != found.hash:
                return self._broken(found.seq, "does not have the hash that it was written with")
            if not _agrees(found):
                return self._broken(found.seq, "is kept under another number, time or tenant than it was written with")
            self._at = Head(seq=found.seq, hash=found.hash)
            self._records += 1
        return None

    def end(self, head: Head) -> Verification:
        """Return the verdict at the end of the chain, of which ``head`` is kept apart."""
        if head.seq > self._at.seq:
            return self._broken(self._at.seq + 1, "is missing")
        if head != self._at:
            return self._broken(self._at.seq, "is not what the chain is known to end with")
        return Verification(records=self._records, first=self._first, head=self._at)

    def _broken(self, seq: int, reason: str) -> Verification:
        return Verification(records=self._records, first=self._first, head=self._at, broken_at=seq, reason=reason)


def cut_of(record: Mapping[str, JsonValue]) -> Head:
    """Return what a `Act.CUT` record says was cut last; the genesis when it says nothing of it that can be read."""
    facts = record.get("facts")
    if not isinstance(facts, Mapping):
        return Head()
    seq, digest = facts.get("through_seq"), facts.get("through_hash")
    return Head(seq=seq, hash=digest) if isinstance(seq, int) and isinstance(digest, str) else Head()


def _agrees(found: Link) -> bool:
    at = found.at.astimezone(UTC).isoformat(timespec="microseconds")
    record = found.record
    return (record.get("seq"), record.get("at"), record.get("tenant")) == (found.seq, at, found.tenant)
