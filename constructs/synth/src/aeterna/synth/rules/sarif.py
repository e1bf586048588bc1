"""Writes a report as SARIF 2.1.0, which code scanners and their dashboards read (OASIS, 2020, errata 01)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote

from aeterna.synth.rules.rule import Severity

if TYPE_CHECKING:
    from aeterna.synth.rules.evaluation import Report
    from aeterna.synth.rules.rule import Finding, Rule
    from aeterna.synth.rules.suppression import Suppression

Json: TypeAlias = dict[str, Any]

Lines: TypeAlias = Mapping[str, Mapping[str, int]]
"""By document and address, the line on which it begins."""
NOWHERE: Final[Lines] = {}

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
TOOL: Final = "aeterna-rules"
LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning"}
SECURITY: Final = {Severity.ERROR: "8.0", Severity.WARNING: "4.0"}
"""How dashboards sort findings: a score as of CVSS."""


def as_sarif(report: Report, lines: Lines = NOWHERE) -> str:
    """Return the report. What is suppressed is in it too, with its reason; ``lines`` says where in a document it is."""
    index = {rule.id: number for number, rule in enumerate(report.rules)}
    told = [*((finding, None) for finding in report.findings), *report.suppressed]
    results = [{**_result(finding, index, by), "locations": [_location(finding, lines)]} for finding, by in told]
    run = {
        "tool": {"driver": {"name": TOOL, "rules": [_descriptor(rule) for rule in report.rules]}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _descriptor(rule: Rule) -> Json:
    controls = rule.controls
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason},
        "help": {"text": f"{rule.title}. {rule.reason}"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "security-severity": SECURITY[rule.severity],
            "tags": [
                "security",
                *(f"CIS {safeguard}" for safeguard in controls.cis),
                *(f"NIST {control}" for control in controls.nist),
                *(f"SOC2 {criterion}" for criterion in controls.soc2),
            ],
        },
    }


def _result(finding: Finding, index: dict[str, int], by: Suppression | None) -> Json:
    result: Json = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.path}: {finding.message}"},
        "partialFingerprints": {"resource/v1": _fingerprint(finding)},
    }
    if by is not None:
        justification = f"{by.reason} (until {by.until.isoformat()})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": justification}]
    return result


def _location(finding: Finding, lines: Lines) -> Json:
    logical = {"fullyQualifiedName": finding.path, "kind": "resource"}
    if finding.address:
        logical["name"] = finding.address
    if not finding.stack:
        return {"logicalLocations": [logical]}
    line = lines.get(finding.stack, {}).get(finding.address, 1)
    return {
        "physicalLocation": {"artifactLocation": {"uri": quote(finding.stack)}, "region": {"startLine": line}},
        "logicalLocations": [logical],
    }


def _fingerprint(finding: Finding) -> str:
    """Return what stays the same while a finding moves in the document."""
    return hashlib.sha256(f"{finding.rule}\0{finding.path}\0{finding.message}".encode()).hexdigest()[:32]
