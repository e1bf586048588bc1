"""The JSON of the administration's API: parsed strictly on the way in, written from the domain on the way out."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from aeterna.policies.domain.audit import Link, Verification
from aeterna.policies.domain.diffs import FileDiff
from aeterna.policies.domain.versions import Content, Proposal, Return, State, Version
from aeterna.policies.usecases.administering import Deployed

# The largest bigint of PostgreSQL: a number above it cannot exist, and would fail as a parameter.
MAX_NUMBER: Final = 2**63 - 1
MAX_MESSAGE: Final = 2000


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain U+0000 or half of a character")
    return text


Number = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
Base = Annotated[
    int, Field(ge=0, le=MAX_NUMBER, description="The version that you saw deployed; 0 when none was.", examples=[0])
]
Message = Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE), AfterValidator(_storable)]
AcceptUndecided = Annotated[bool, Field(description="Deploy it although the analysis left questions open.")]
RequestId = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._:-]{1,255}$",
        description="Your own id of this request: repeating it with the same content returns what it made.",
        examples=["8f1c2a"],
    ),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProposalInput(_Body):
    """What is proposed: every file that is yours to change, by its path within the bundle."""

    request_id: RequestId
    base: Base
    message: Message
    files: dict[str, str]

    def proposal(self) -> Proposal:
        """Return the domain's proposal."""
        return Proposal(files=self.files, base=self.base, message=self.message, key=self.request_id)


class RollbackInput(_Body):
    """The version whose files shall be back, as a new version."""

    request_id: RequestId
    base: Base
    message: Message
    to: Number
    accept_undecided: AcceptUndecided = False

    def wish(self) -> Return:
        """Return the domain's wish."""
        return Return(
            to=self.to,
            base=self.base,
            message=self.message,
            key=self.request_id,
            accept_undecided=self.accept_undecided,
        )


class VersionBody(_Body):
    """A version of the policies."""

    version: int
    state: State
    tenant: str
    author: str
    message: str
    created_at: datetime
    digest: str
    base: int
    restores: int | None
    undecided: bool
    deployed_at: datetime | None
    deployed_by: str | None

    @classmethod
    def of(cls, version: Version) -> "VersionBody":
        """Return the body of a version."""
        return cls(
            version=version.number,
            state=version.state,
            tenant=version.tenant,
            author=version.author,
            message=version.message,
            created_at=version.created_at,
            digest=version.digest,
            base=version.base,
            restores=version.restores,
            undecided=version.undecided,
            deployed_at=version.deployed_at,
            deployed_by=version.deployed_by,
        )


class ContentBody(VersionBody):
    """A version with its files, as far as they are yours to see, and what its analysis found."""

    files: dict[str, str]
    findings: list[dict[str, object]]

    @classmethod
    def with_content(cls, content: Content) -> "ContentBody":
        """Return the body of a version and its content."""
        report: dict[str, list[dict[str, object]]] = json.loads(content.report)
        return cls(
            **VersionBody.of(content.version).model_dump(),
            files=dict(content.files),
            findings=report.get("findings", []),
        )


class VersionsBody(_Body):
    """A page of versions, newest first; ``next_cursor`` is null on the last."""

    versions: list[VersionBody]
    next_cursor: str | None


class DeployedBody(_Body):
    """What decides now: the version, 0 when none was ever deployed, and the files that are yours to see."""

    version: int
    digest: str | None
    files: dict[str, str]

    @classmethod
    def of(cls, deployed: Deployed) -> "DeployedBody":
        """Return the body of what is deployed."""
        return cls(version=deployed.number, digest=deployed.digest, files=dict(deployed.files))


class FileDiffBody(_Body):
    """What became of one file, as a unified diff."""

    path: str
    change: Literal["added", "removed", "changed"]
    diff: str


class DiffBody(_Body):
    """What differs between two versions; ``differences`` says who gains and who loses, where that was asked for."""

    before: int
    after: int
    files: list[FileDiffBody]
    differences: list[dict[str, object]] | None

    @classmethod
    def of(
        cls, before: int, after: int, files: Sequence[FileDiff], differences: Sequence[Mapping[str, object]] | None
    ) -> "DiffBody":
        """Return the body of a difference."""
        return cls(
            before=before,
            after=after,
            files=[FileDiffBody(path=file.path, change=file.change, diff=file.text) for file in files],
            differences=None if differences is None else [dict(difference) for difference in differences],
        )


class RecordBody(_Body):
    """A record of the audit; ``hash`` is SHA-256 over the hash of the record before and this one's canonical JSON."""

    record: dict[str, object]
    hash: str

    @classmethod
    def of(cls, found: Link) -> "RecordBody":
        """Return the body of a record."""
        return cls(record=dict(found.record), hash=found.hash)


class RecordsBody(_Body):
    """A page of the audit, newest first; ``next_cursor`` is null on the last."""

    records: list[RecordBody]
    next_cursor: str | None


class VerificationBody(_Body):
    """Whether the audit's chain holds; if not, ``broken_at`` is the first record that is not as it was written."""

    holds: bool
    records: int
    first_seq: int
    last_seq: int
    last_hash: str
    broken_at: int | None
    reason: str | None

    @classmethod
    def of(cls, found: Verification) -> "VerificationBody":
        """Return the body of a verification."""
        return cls(
            holds=found.broken_at is None,
            records=found.records,
            first_seq=found.first,
            last_seq=found.head.seq,
            last_hash=found.head.hash,
            broken_at=found.broken_at,
            reason=found.reason,
        )


class ReplicasBody(_Body):
    """Which replica was lately heard with which bundle, by this process; ``none`` is a replica without one of ours."""

    replicas: dict[str, str]
    digests: dict[str, int]
