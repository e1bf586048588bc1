"""Reports and differences as plain JSON, the one form in which they are kept, answered and read by clients."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from aeterna.policies.domain.findings import Kind, Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.cedar.domain.request import Request
    from aeterna.policies.domain.findings import Difference, Finding
    from aeterna.policies.domain.scope import Scope
    from aeterna.service.json_value import JsonValue


def shown(report: Report, scope: Scope) -> Report:
    """Return the report without what it says of tenants that are not the reader's to see.

    What is wrong with others' files was so before: whoever changes nothing there is not refused for it.
    """
    if scope.platform:
        return report
    return replace(report, findings=tuple(found for found in report.findings if found.tenant in {None, scope.tenant}))


def report_json(report: Report) -> dict[str, JsonValue]:
    """Return the report as JSON."""
    return {
        "digest": report.digest,
        "policies": report.policies,
        "pairs": report.pairs,
        "undecided": report.undecided,
        "findings": [finding_json(found) for found in report.findings],
    }


def report_text(report: Report) -> str:
    """Return the report as a JSON text."""
    return json.dumps(report_json(report), ensure_ascii=True)


def refusing(report: Report) -> tuple[Finding, ...]:
    """Return the findings, those that refuse the bundle first."""
    return tuple(sorted(report.findings, key=lambda found: not refuses(found)))


def undecided(report: Report) -> tuple[Finding, ...]:
    """Return what was left open."""
    return tuple(found for found in report.findings if found.kind is Kind.UNDECIDED)


def refuses(found: Finding) -> bool:
    """Return whether this finding alone refuses a bundle."""
    return Report(digest="", findings=(found,), policies=0, pairs=0).refused


def finding_json(found: Finding) -> dict[str, JsonValue]:
    """Return a finding as JSON."""
    return {
        "kind": found.kind.value,
        "policies": list(found.policies),
        "message": found.message,
        "file": found.place.file,
        "line": found.place.line,
        "tenant": found.tenant,
        "example": None if found.example is None else request_json(found.example),
        "intended": found.intended,
        "refuses": refuses(found),
    }


def differences_json(differences: Sequence[Difference], scope: Scope) -> list[dict[str, JsonValue]]:
    """Return the differences that are the reader's to see as JSON."""
    return [
        {
            "principal_type": one.principal_type,
            "action": one.action,
            "resource_type": one.resource_type,
            "tenant": one.tenant,
            "gained": [request_json(example) for example in one.gained],
            "lost": [request_json(example) for example in one.lost],
            "undecided": one.undecided,
        }
        for one in differences
        if scope.platform or one.tenant in {None, scope.tenant}
    ]


def request_json(request: Request) -> dict[str, JsonValue]:
    """Return a request in the form of Cedar's JSON, with the entities that it brings."""
    # Attributes and contexts are values of Cedar's JSON by the domain's word; the types there do not say so.
    plain: dict[str, JsonValue] = json.loads(
        json.dumps(
            {
                "principal": request.principal._asdict(),
                "action": request.action._asdict(),
                "resource": request.resource._asdict(),
                "context": dict(request.context),
                "tenant": request.tenant,
                "entities": [
                    {
                        "uid": entity.uid._asdict(),
                        "attrs": dict(entity.attributes),
                        "parents": [parent._asdict() for parent in entity.parents],
                        "tags": dict(entity.tags),
                    }
                    for entity in request.brought
                ],
            }
        )
    )
    return plain


def one_line(found: Finding) -> str:
    """Return a finding as one line: where, what, and of which policies."""
    where = found.place.file if found.place.line is None else f"{found.place.file}:{found.place.line}"
    kind = "" if found.kind is Kind.INVALID else f"{found.kind.value}: "
    return f"{where}: {kind}{found.message}"
