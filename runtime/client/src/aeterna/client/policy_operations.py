"""The calls of the administration of policies: how each is asked and how its answer is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client.operation import Operation, Reply, query
from aeterna.client.policy_values import (
    AuditPage,
    AuditRecord,
    AuditVerification,
    DeployedPolicies,
    PolicyContent,
    PolicyDiff,
    PolicyDifference,
    PolicyFileDiff,
    PolicyFinding,
    PolicyVersion,
    PolicyVersionPage,
)
from aeterna.client.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.client.json_value import JsonObject, JsonValue

ROOT = "/api/v1/policies"


def propose(files: Mapping[str, str], *, base: int, message: str, request_id: str) -> Operation[PolicyVersion]:
    """Propose files; the id of the request is the key by which a repetition is recognised."""
    body: dict[str, JsonValue] = {"request_id": request_id, "base": base, "message": message, "files": dict(files)}
    path = f"{ROOT}/versions"
    return Operation(service="policies", method="POST", path=path, body=body, key=request_id, parse=_version_reply)


def versions(*, limit: int | None, cursor: str | None) -> Operation[PolicyVersionPage]:
    """Read one page of versions."""
    parameters = query(limit=limit, cursor=cursor)
    return Operation(service="policies", method="GET", path=f"{ROOT}/versions", query=parameters, parse=_version_page)


def version(number: int) -> Operation[PolicyContent]:
    """Read a version with its content."""
    return Operation(service="policies", method="GET", path=f"{ROOT}/versions/{number}", parse=_content)


def diff(number: int, *, against: int | None, effects: bool) -> Operation[PolicyDiff]:
    """Read what differs between two versions."""
    parameters = query(against=against, effects="true" if effects else None)
    path = f"{ROOT}/versions/{number}/diff"
    return Operation(service="policies", method="GET", path=path, query=parameters, parse=_diff)


def deploy(number: int, *, accept_undecided: bool) -> Operation[PolicyVersion]:
    """Deploy a version; its number is the key, since a version is deployed once."""
    parameters = query(accept_undecided="true" if accept_undecided else None)
    path = f"{ROOT}/versions/{number}/deploy"
    return Operation(
        service="policies", method="POST", path=path, query=parameters, key=str(number), parse=_version_reply
    )


def roll_back(to: int, *, base: int, message: str, request_id: str, accept_undecided: bool) -> Operation[PolicyVersion]:
    """Deploy the files of an earlier version as a new one; the id of the request is the key of a repetition."""
    body: dict[str, JsonValue] = {"request_id": request_id, "base": base, "message": message, "to": to}
    if accept_undecided:
        body["accept_undecided"] = True
    path = f"{ROOT}/rollback"
    return Operation(service="policies", method="POST", path=path, body=body, key=request_id, parse=_version_reply)


def deployed() -> Operation[DeployedPolicies]:
    """Read what decides now."""
    return Operation(service="policies", method="GET", path=f"{ROOT}/deployed", parse=_deployed)


def audit(*, limit: int | None, cursor: str | None) -> Operation[AuditPage]:
    """Read one page of the audit."""
    parameters = query(limit=limit, cursor=cursor)
    return Operation(service="policies", method="GET", path=f"{ROOT}/audit", query=parameters, parse=_audit_page)


def verify_audit() -> Operation[AuditVerification]:
    """Have the audit's chain followed."""
    return Operation(service="policies", method="GET", path=f"{ROOT}/audit/verification", parse=_verification)


def finding(fields: Reader) -> PolicyFinding:
    """Read a finding, of a version or of a refusal."""
    return PolicyFinding(
        kind=fields.text("kind"),
        policies=fields.texts("policies"),
        message=fields.text("message"),
        file=fields.text("file"),
        line=fields.optional_integer("line"),
        tenant=fields.optional_text("tenant"),
        example=fields.object("example") if fields.has("example") else None,
        intended=fields.optional_text("intended"),
        refuses=fields.flag("refuses"),
    )


def _version_reply(reply: Reply) -> PolicyVersion:
    return _version(Reader.of(reply.body, "version"))


def _version(fields: Reader) -> PolicyVersion:
    return PolicyVersion(
        version=fields.integer("version"),
        state=fields.text("state"),
        tenant=fields.text("tenant"),
        author=fields.text("author"),
        message=fields.text("message"),
        created_at=fields.time("created_at"),
        digest=fields.text("digest"),
        base=fields.integer("base"),
        restores=fields.optional_integer("restores"),
        undecided=fields.flag("undecided"),
        deployed_at=fields.time("deployed_at") if fields.has("deployed_at") else None,
        deployed_by=fields.optional_text("deployed_by"),
    )


def _version_page(reply: Reply) -> PolicyVersionPage:
    fields = Reader.of(reply.body, "versions")
    return PolicyVersionPage(
        versions=tuple(_version(item) for item in fields.readers("versions")),
        next_cursor=fields.optional_text("next_cursor"),
    )


def _content(reply: Reply) -> PolicyContent:
    fields = Reader.of(reply.body, "version")
    return PolicyContent(
        version=_version(fields),
        files=_texts(fields, "files"),
        findings=tuple(finding(item) for item in fields.readers("findings")),
    )


def _deployed(reply: Reply) -> DeployedPolicies:
    fields = Reader.of(reply.body, "deployed")
    return DeployedPolicies(
        version=fields.integer("version"), digest=fields.optional_text("digest"), files=_texts(fields, "files")
    )


def _diff(reply: Reply) -> PolicyDiff:
    fields = Reader.of(reply.body, "diff")
    return PolicyDiff(
        before=fields.integer("before"),
        after=fields.integer("after"),
        files=tuple(
            PolicyFileDiff(path=item.text("path"), change=item.text("change"), diff=item.text("diff"))
            for item in fields.readers("files")
        ),
        differences=tuple(_difference(item) for item in fields.readers("differences"))
        if fields.has("differences")
        else None,
    )


def _difference(fields: Reader) -> PolicyDifference:
    return PolicyDifference(
        principal_type=fields.text("principal_type"),
        action=fields.text("action"),
        resource_type=fields.text("resource_type"),
        tenant=fields.optional_text("tenant"),
        gained=_examples(fields, "gained"),
        lost=_examples(fields, "lost"),
        undecided=fields.optional_text("undecided"),
    )


def _examples(fields: Reader, name: str) -> tuple[JsonObject, ...]:
    return tuple(item.rest() for item in fields.readers(name))


def _audit_page(reply: Reply) -> AuditPage:
    fields = Reader.of(reply.body, "audit")
    return AuditPage(
        records=tuple(_record(item) for item in fields.readers("records")),
        next_cursor=fields.optional_text("next_cursor"),
    )


def _record(fields: Reader) -> AuditRecord:
    record = Reader(fields.object("record"), "audit.record")
    return AuditRecord(
        seq=record.integer("seq"),
        at=record.time("at"),
        act=record.text("act"),
        tenant=record.text("tenant"),
        actor=record.text("actor"),
        facts=record.object("facts"),
        hash=fields.text("hash"),
    )


def _verification(reply: Reply) -> AuditVerification:
    fields = Reader.of(reply.body, "verification")
    return AuditVerification(
        holds=fields.flag("holds"),
        records=fields.integer("records"),
        first_seq=fields.integer("first_seq"),
        last_seq=fields.integer("last_seq"),
        last_hash=fields.text("last_hash"),
        broken_at=fields.optional_integer("broken_at"),
        reason=fields.optional_text("reason"),
    )


def _texts(fields: Reader, name: str) -> dict[str, str]:
    inner = Reader(fields.object(name), name)
    return {path: inner.text(path) for path in inner.rest()}
