"""Erasures and legal holds as JSON. No body that we send names whom an erasure was about."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from aeterna.api.api.bodies import Body, Id
from aeterna.graph.domain.certificates import ErasedFile, Erasure, Finding, Verification
from aeterna.graph.domain.erasure import Target, target_of
from aeterna.graph.domain.holds import Hold
from aeterna.graph.domain.identifiers import NodeId

Subject = Annotated[
    str | None, Field(description="As in the tokens of whoever committed: the claim `sub`.", examples=["ada"])
]


class TargetBody(Body):
    """Whom or what an erasure is about."""

    subject: Subject = None
    nodes: Annotated[tuple[Id, ...], Field(description="Nodes about a person: they go with all of their edges.")] = ()
    tenant: Annotated[bool, Field(description="Everything; then leave the others away.")] = False

    def target(self) -> Target:
        """Return it in the graph's words."""
        return target_of(subject=self.subject, nodes=map(NodeId, self.nodes), tenant=self.tenant)


class ErasureOrderBody(TargetBody):
    """What shall be erased."""

    erasure_id: Annotated[
        UUID | None, Field(description="Your own UUID makes it safe to send the order again; drawn if missing.")
    ] = None


class ErasedFileBody(Body):
    """A file that was deleted."""

    path: Annotated[str, Field(description="Relative to where the tenant's table lies.")]
    bytes: int
    sha256: str

    @classmethod
    def of(cls, file: ErasedFile) -> Self:
        """Write the file."""
        return cls(path=file.path, bytes=file.bytes, sha256=file.sha256)


class FindingBody(Body):
    """A place in which something was found."""

    path: str
    what: Annotated[str, Field(description="`rows`, `bytes` (in no row), or `unreadable`.")]
    count: int

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Write the place."""
        return cls(path=finding.path, what=finding.what, count=finding.count)


class VerificationBody(Body):
    """What a look at every byte that is left has found."""

    clean: bool
    files: int
    bytes: int
    at: datetime
    findings: Annotated[list[FindingBody], Field(description="Remains. None when it is clean.")]
    mentions: Annotated[
        list[FindingBody],
        Field(description="The same text in rows that the erasure does not reach: of others, or committed later."),
    ]

    @classmethod
    def of(cls, found: Verification) -> Self:
        """Write what was found."""
        return cls(
            clean=found.clean,
            files=found.files,
            bytes=found.bytes,
            at=found.at,
            findings=[FindingBody.of(each) for each in found.findings],
            mentions=[FindingBody.of(each) for each in found.mentions],
        )


class RemovedBody(Body):
    """What the rewrite took out of the table."""

    rows: Annotated[Mapping[str, int], Field(description="By record: node, edge, session.")]
    snapshots: Annotated[list[str], Field(description="That held it, and are gone.")]
    kept_snapshots: Annotated[list[str], Field(description="Of tags that never held it.")]
    refs: Annotated[list[str], Field(description="Tags and branches that held it.")]
    rewritten_files: int


class ErasureBody(Body):
    """An erasure; when it is done, this is its certificate."""

    erasure_id: str
    state: Annotated[
        Literal["pending", "rewritten", "done"],
        Field(description="From `pending` on no read shows it; `done` is gone for ever, with every file."),
    ]
    tenant: bool
    subject_digest: Annotated[
        str | None,
        Field(description="scrypt (N 16384, r 8, p 1, 32 bytes) of the subject, salted with the erasure id."),
    ]
    nodes_digest: Annotated[str | None, Field(description="The same of the sorted node ids, a line each.")]
    node_count: Annotated[int, Field(description="How many nodes were named.")]
    seq: Annotated[int, Field(description="What was committed up to here is erased.")]
    ordered_by: Annotated[str, Field(description="`erased` in the place of a subject that erased itself.")]
    ordered_at: datetime
    layout: Annotated[int, Field(description="Of the table, when it was ordered.")]
    rewritten_at: datetime | None
    done_at: datetime | None
    removed: RemovedBody | None
    files: Annotated[list[ErasedFileBody], Field(description="On record before they were deleted.")]
    verification: Annotated[VerificationBody | None, Field(description="Of what is left; the newest one.")]

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """Write the erasure."""
        removed = erasure.removed
        return cls(
            erasure_id=erasure.id,
            state=erasure.state,
            tenant=erasure.tenant,
            subject_digest=erasure.subject_digest,
            nodes_digest=erasure.nodes_digest,
            node_count=erasure.node_count,
            seq=erasure.seq,
            ordered_by=erasure.by,
            ordered_at=erasure.at,
            layout=erasure.layout,
            rewritten_at=erasure.rewritten_at,
            done_at=erasure.done_at,
            removed=None
            if removed is None
            else RemovedBody(
                rows=removed.rows,
                snapshots=[str(snapshot) for snapshot in removed.snapshots],
                kept_snapshots=[str(snapshot) for snapshot in removed.kept_snapshots],
                refs=list(removed.refs),
                rewritten_files=removed.rewritten_files,
            ),
            files=[ErasedFileBody.of(file) for file in erasure.files],
            verification=None if erasure.verification is None else VerificationBody.of(erasure.verification),
        )


class ErasuresAnswer(Body):
    """Every erasure, oldest first."""

    erasures: list[ErasureBody]


class HoldOrderBody(Body):
    """What must not be erased, and why."""

    subject: Annotated[Subject, Field(description="Whose commits; leave it away to hold everything.")] = None
    reason: Annotated[str, Field(description="1 to 2000 characters.", examples=["case 2026-114"])]


class HoldBody(Body):
    """A legal hold in force."""

    hold_id: str
    subject: Subject
    reason: str
    placed_by: str
    placed_at: datetime

    @classmethod
    def of(cls, hold: Hold) -> Self:
        """Write the hold."""
        return cls(hold_id=hold.id, subject=hold.subject, reason=hold.reason, placed_by=hold.by, placed_at=hold.at)


class HoldsAnswer(Body):
    """Every hold in force, by id."""

    holds: list[HoldBody]
