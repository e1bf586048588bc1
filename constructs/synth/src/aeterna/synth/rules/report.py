"""Writes a report for people and for programs: as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from aeterna.synth.rules.rule import Severity

if TYPE_CHECKING:
    from aeterna.synth.rules.evaluation import Report


def as_text(report: Report) -> str:
    """Return the findings by place, and a last line that counts."""
    titles = {rule.id: rule.title for rule in report.rules}
    lines: list[str] = []
    place = None
    for finding in report.findings:
        if (finding.stack, finding.path) != place:
            place = (finding.stack, finding.path)
            lines.append(
                f"{finding.path}{f' ({finding.address})' if finding.address not in ('', finding.path) else ''}"
            )
        lines.append(f"  {finding.severity.value} {finding.rule}: {finding.message}")
        lines.append(f"      {titles[finding.rule]}")
    counted = Counter(finding.severity for finding in report.findings)
    parts = [
        f"{report.resources} resources",
        f"{len(report.rules)} rules",
        f"{counted[Severity.ERROR]} errors",
        f"{counted[Severity.WARNING]} warnings",
        f"{len(report.suppressed)} suppressed",
    ]
    return "\n".join([*lines, ", ".join(parts)])


def as_json(report: Report) -> str:
    """Return the report as JSON; the keys are a public contract."""
    return json.dumps(
        {
            "version": 1,
            "stacks": report.stacks,
            "resources": report.resources,
            "rules": [rule.id for rule in report.rules],
            "findings": [asdict(finding) for finding in report.findings],
            "suppressed": [
                {**asdict(finding), "reason": by.reason, "until": by.until.isoformat()}
                for finding, by in report.suppressed
            ],
        },
        indent=2,
    )
