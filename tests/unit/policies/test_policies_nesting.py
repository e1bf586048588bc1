"""Policies that are nested too deep for a parser's stack, or for ours, are findings like other mistakes."""

from __future__ import annotations

import pytest

from aeterna.cedar.domain.bundle import Bundle
from aeterna.policies.adapters.analyser import SmtAnalyser
from aeterna.policies.domain.findings import Kind, Place

SCHEMA = "entity User = { level: Long };\naction read appliesTo { principal: User, resource: User };\n"


@pytest.mark.parametrize(
    ("condition", "reason"),
    [("(" * 20_000 + "true", "has more than 100 brackets"), ("||".join(["1 == 1"] * 600), "chains too many operators")],
    ids=["brackets", "a chain"],
)
def test_a_policy_that_is_nested_too_deep_is_a_finding_with_its_line(condition: str, reason: str) -> None:
    """Neither the parser's stack nor ours may end the analysis."""
    deep = f'\n@id("deep")\npermit (principal, action, resource) when {{ {condition} }};'

    report = SmtAnalyser().analyse(Bundle.of({"a.cedar": deep, "a.cedarschema": SCHEMA}))

    assert [(found.kind, found.place) for found in report.findings] == [(Kind.INVALID, Place(file="a.cedar", line=2))]
    assert reason in report.findings[0].message


def test_a_schema_that_is_nested_too_deep_is_a_finding() -> None:
    schema = f"type Deep = {'Set<' * 20_000}Long{'>' * 20_000};\n{SCHEMA}"

    report = SmtAnalyser().analyse(Bundle.of({"a.cedar": "", "a.cedarschema": schema}))

    assert [(found.kind, found.place) for found in report.findings] == [(Kind.INVALID, Place(file="a.cedarschema"))]
