"""A report can be read by people, by programs and by the dashboards that read SARIF."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, TypeAlias

import jsonschema
import pytest

from aeterna.synth.rules.evaluation import Evaluation, Report
from aeterna.synth.rules.packs import installed
from aeterna.synth.rules.report import as_json, as_text
from aeterna.synth.rules.sarif import as_sarif
from aeterna.synth.rules.suppression import Suppression
from fixtures.rule_documents import document

Json: TypeAlias = Any  # a report is JSON
TODAY = date(2026, 11, 22)
STACK = "cdktf.out/stacks/main stack/cdk.tf.json"
METADATA = {"//": {"metadata": {"path": "main/Gate/Resource"}}}
SUPPRESSION = Suppression(rule="ignored-changes", path="main/Gate/*", reason="a trial", until=date(2027, 1, 31))


def an_object(required: list[str], **properties: Json) -> Json:
    """Return the schema of an object of SARIF: it has no other members than its own."""
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def a_list(of: Json) -> Json:
    return {"type": "array", "items": of}


TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer", "minimum": 0}
MESSAGE = an_object(["text"], text=TEXT)
LEVEL: Json = {"enum": ["none", "note", "warning", "error"]}
PROPERTIES: Json = {"type": "object", "properties": {"tags": {"type": "array", "uniqueItems": True, "items": TEXT}}}
LOCATION = an_object(
    [],
    physicalLocation=an_object(
        [],
        artifactLocation=an_object([], uri={"type": "string", "pattern": r"^[^\s\\]*$"}),
        region=an_object([], startLine={"type": "integer", "minimum": 1}),
    ),
    logicalLocations=a_list(an_object([], name=TEXT, fullyQualifiedName=TEXT, kind=TEXT)),
)
RESULT = an_object(
    ["message"],
    ruleId=TEXT,
    ruleIndex=NUMBER,
    level=LEVEL,
    message=MESSAGE,
    locations=a_list(LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    suppressions=a_list(
        an_object(
            ["kind"],
            kind={"enum": ["inSource", "external"]},
            status={"enum": ["accepted", "underReview", "rejected"]},
            justification=TEXT,
        )
    ),
)
RULE = an_object(
    ["id"],
    id=TEXT,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    defaultConfiguration=an_object([], level=LEVEL),
    properties=PROPERTIES,
)
SARIF = an_object(
    ["version", "runs"],
    **{"$schema": TEXT},
    version={"enum": ["2.1.0"]},
    runs=a_list(
        an_object(
            ["tool"],
            tool=an_object(["driver"], driver=an_object(["name"], name=TEXT, rules=a_list(RULE))),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            results=a_list(RESULT),
        )
    ),
)
"""What SARIF 2.1.0 demands of the members that are written here (section 3; the names are the standard's)."""


@pytest.fixture(scope="module")
def report() -> Report:
    gate = {**METADATA, "ingress": "0.0.0.0/0", "lifecycle": {"ignore_changes": "all"}}
    wanted = Evaluation(packs=installed(), today=TODAY, suppressions=(SUPPRESSION,))
    return wanted.of_documents({STACK: document(mars_gate=gate)})


@pytest.fixture(scope="module")
def run(report: Report) -> Json:
    return json.loads(as_sarif(report))["runs"][0]


def test_people_read_the_place_the_rule_what_to_change_and_the_sum(report: Report) -> None:
    assert as_text(report).splitlines() == [
        "main/Gate/Resource (mars_gate.x)",
        "  error open-ingress: ingress lets everybody in (0.0.0.0/0); name the clients",
        "      Nothing lets everybody in",
        f"1 resources, {len(report.rules)} rules, 1 errors, 0 warnings, 1 suppressed",
    ]


def test_programs_read_findings_and_suppressions(report: Report) -> None:
    read = json.loads(as_json(report))

    assert read["findings"] == [
        {
            "rule": "open-ingress",
            "severity": "error",
            "stack": STACK,
            "address": "mars_gate.x",
            "path": "main/Gate/Resource",
            "message": "ingress lets everybody in (0.0.0.0/0); name the clients",
        }
    ]
    assert [(each["rule"], each["reason"], each["until"]) for each in read["suppressed"]] == [
        ("ignored-changes", "a trial", "2027-01-31")
    ]


def test_sarif_keeps_the_standard(report: Report) -> None:
    jsonschema.validate(json.loads(as_sarif(report)), SARIF, cls=jsonschema.Draft7Validator)


def test_every_result_of_sarif_names_its_rule_and_where_it_is(run: Json) -> None:
    rules = run["tool"]["driver"]["rules"]

    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["open-ingress", "ignored-changes"]
    place = run["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "cdktf.out/stacks/main%20stack/cdk.tf.json"
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "main/Gate/Resource"


def test_what_is_suppressed_is_in_sarif_with_its_reason(run: Json) -> None:
    (suppression,) = run["results"][1]["suppressions"]

    assert suppression["justification"] == "a trial (until 2027-01-31)"
    assert "suppressions" not in run["results"][0]


def test_every_rule_of_sarif_names_its_controls(run: Json) -> None:
    tags = {rule["id"]: rule["properties"]["tags"] for rule in run["tool"]["driver"]["rules"]}

    assert {"CIS 4.4", "NIST SC-7", "SOC2 CC6.6"} <= set(tags["open-ingress"])


def test_a_finding_has_the_same_fingerprint_wherever_it_moves(report: Report, run: Json) -> None:
    elsewhere = Evaluation(packs=installed(), today=TODAY).of_documents(
        {"other.json": document(mars_gate={**METADATA, "ingress": "0.0.0.0/0"})}
    )

    moved = json.loads(as_sarif(elsewhere))["runs"][0]["results"][0]
    assert moved["partialFingerprints"] == run["results"][0]["partialFingerprints"]
