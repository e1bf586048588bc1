"""Erasures, legal holds and their audit as JSON. No body that we send names whom an erasure was about."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from aeterna.threads.api.bodies import Identifier, Text
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.erasure import KEPT, AuditRecord, Erasure, Target, target_of
from aeterna.threads.domain.holds import MAX_REASON_CHARS, MAX_SUBJECT_CHARS, Hold

Subject = Annotated[
    Text | None,
    Field(max_length=MAX_SUBJECT_CHARS, description="As in the tokens of whoever wrote: the claim `sub`."),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ErasureInput(_Body):
    """What shall be erased: one of the three."""

    subject: Subject = None
    thread_id: Identifier | None = None
    tenant: Annotated[bool, Field(description="Everything of the tenant.")] = False
    erasure_id: Annotated[
        UUID | None, Field(description="Your own UUID makes it safe to send the order again; drawn if missing.")
    ] = None

    def target(self) -> Target:
        """Return the domain's target."""
        thread_id = None if self.thread_id is None else ThreadId(self.thread_id)
        return target_of(subject=self.subject, thread_id=thread_id, tenant=self.tenant)


class LinkBody(_Body):
    """Where the certificate stands in the tenant's audit chain."""

    number: int
    hash: str


class ErasureBody(_Body):
    """An erasure; when it is done, this is its certificate."""

    erasure_id: str
    state: Literal["pending", "done"]
    scope: Literal["subject", "thread", "tenant"]
    target_digest: Annotated[
        str | None,
        Field(description="scrypt (N 16384, r 8, p 1, 32 bytes) of the subject or thread, salted with the erasure id."),
    ]
    ordered_by: Annotated[str, Field(description="`erased` in the place of a subject that erased itself.")]
    ordered_at: datetime
    done_at: datetime | None
    held_by: Annotated[str | None, Field(description="The legal hold that came after the order and stops it.")]
    removed: Annotated[dict[str, int], Field(description="By kind of thing, so far.")]
    remains: Annotated[
        dict[str, int] | None, Field(description="What a look after the work still found, by table: nothing.")
    ]
    kept: Annotated[dict[str, str], Field(description="What no erasure removes, and why.")]
    audit: LinkBody | None

    @classmethod
    def of(cls, erasure: Erasure) -> "ErasureBody":
        """Return the body of an erasure."""
        link = erasure.link
        return cls.model_validate(
            {
                "erasure_id": str(erasure.erasure_id),
                "state": erasure.state.value,
                "scope": erasure.scope,
                "target_digest": erasure.target_digest,
                "ordered_by": erasure.ordered_by,
                "ordered_at": erasure.ordered_at,
                "done_at": erasure.done_at,
                "held_by": erasure.held_by,
                "removed": dict(erasure.removed),
                "remains": None if erasure.remains is None else dict(erasure.remains),
                "kept": dict(KEPT),
                "audit": None if link is None else LinkBody(number=link.number, hash=link.hash),
            }
        )


class ErasuresBody(_Body):
    """Erasures, the newest first."""

    erasures: list[ErasureBody]


class HoldInput(_Body):
    """What must not be removed, and why; without thread and subject it is everything of the tenant."""

    thread_id: Identifier | None = None
    subject: Subject = None
    reason: Annotated[Text, Field(min_length=1, max_length=MAX_REASON_CHARS, examples=["case 2026-114"])]


class HoldBody(_Body):
    """A legal hold in force."""

    hold_id: str
    thread_id: str | None
    subject: str | None
    reason: str
    placed_by: str
    placed_at: datetime

    @classmethod
    def of(cls, hold: Hold) -> "HoldBody":
        """Return the body of a hold."""
        return cls(
            hold_id=hold.hold_id,
            thread_id=hold.thread_id,
            subject=hold.subject,
            reason=hold.reason,
            placed_by=hold.placed_by,
            placed_at=hold.placed_at,
        )


class HoldsBody(_Body):
    """The legal holds in force, by id."""

    holds: list[HoldBody]


class AuditRecordBody(_Body):
    """One record of the chain; its hash is SHA-256 over the hash before it and the record's canonical JSON."""

    number: int
    record: dict[str, Any]
    hash: str

    @classmethod
    def of(cls, record: AuditRecord) -> "AuditRecordBody":
        """Return the body of a record."""
        return cls(number=record.number, record=dict(record.record), hash=record.hash)


class AuditBody(_Body):
    """Records in the order of the chain; ``next_after`` is null on the last page."""

    records: list[AuditRecordBody]
    next_after: int | None
