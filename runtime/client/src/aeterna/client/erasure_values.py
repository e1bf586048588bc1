"""What the graph answers about erasures and legal holds, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aeterna.client.json_value import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A place in which the text of something erased stands; ``what`` is rows, bytes or unreadable."""

    path: str
    what: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a look at every byte that is left has found.

    ``findings`` are remains; ``mentions`` are rows that the erasure does not reach, of others or committed later.
    """

    clean: bool
    files: int
    bytes: int
    at: datetime
    findings: tuple[Finding, ...]
    mentions: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedFile:
    """A file that was deleted."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """An erasure: ``pending`` (no read shows it), ``rewritten``, or ``done``, and then it is the certificate."""

    erasure_id: str
    state: str
    seq: int
    tenant: bool
    subject_digest: str | None
    ordered_by: str
    ordered_at: datetime
    done_at: datetime | None
    rows: Mapping[str, JsonValue]
    """How many rows went, by record; empty until the rewrite."""
    files: tuple[ErasedFile, ...]
    verification: Verification | None
    facts: Mapping[str, JsonValue]
    """Whatever else the certificate says, such as snapshots and tags."""

    @property
    def done(self) -> bool:
        """Whether everything is gone for ever."""
        return self.state == "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A legal hold in force; without a subject it holds everything."""

    hold_id: str
    subject: str | None
    reason: str
    placed_by: str
    placed_at: datetime
