"""What the administration of policies answers, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aeterna.client.json_value import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """A version of the policies; ``state`` is proposed, deployed, superseded or outdated.

    ``base`` is the version that it was proposed on, and ``restores`` the one whose files it brings back.
    ``undecided`` says that its analysis left questions open: it is not known to be clean.
    """

    version: int
    state: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFinding:
    """What the analysis says of one or two policies; ``example`` is a request that shows it, in Cedar's JSON.

    A finding that ``refuses`` keeps its bundle from being a version.
    """

    kind: str
    policies: tuple[str, ...]
    message: str
    file: str
    line: int | None
    tenant: str | None
    example: Mapping[str, JsonValue] | None
    intended: str | None
    refuses: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyContent:
    """A version with the files that you may see, by path, and what its analysis found."""

    version: PolicyVersion
    files: Mapping[str, str]
    findings: tuple[PolicyFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedPolicies:
    """What decides now: the version, 0 when none was ever deployed, and the files that you may see."""

    version: int
    digest: str | None
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFileDiff:
    """What became of one file (added, removed or changed), as a unified diff."""

    path: str
    change: str
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDifference:
    """Requests of one shape that two versions decide differently, as examples in Cedar's JSON.

    ``gained`` are allowed by the later one alone, ``lost`` by the earlier one alone. ``undecided`` says why it could
    not be known, if it could not.
    """

    principal_type: str
    action: str
    resource_type: str
    tenant: str | None
    gained: tuple[Mapping[str, JsonValue], ...]
    lost: tuple[Mapping[str, JsonValue], ...]
    undecided: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDiff:
    """What differs between two versions; ``differences`` is None where it was not asked for."""

    before: int
    after: int
    files: tuple[PolicyFileDiff, ...]
    differences: tuple[PolicyDifference, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """Who did what and when; ``facts`` say more, and ``hash`` chains the record to the one before it."""

    seq: int
    at: datetime
    act: str
    tenant: str
    actor: str
    facts: Mapping[str, JsonValue]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerification:
    """Whether the audit's chain holds; if not, ``broken_at`` is the first record that is not as it was written."""

    holds: bool
    records: int
    first_seq: int
    last_seq: int
    last_hash: str
    broken_at: int | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersionPage:
    """A page of versions, newest first."""

    versions: tuple[PolicyVersion, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """A page of the audit, newest first."""

    records: tuple[AuditRecord, ...]
    next_cursor: str | None
