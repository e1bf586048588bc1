"""An exception to a rule is for one place, has a reason, and ends."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.sizes import Size
from aeterna.synth.rules.evaluation import Evaluation, Report
from aeterna.synth.rules.neutral import PACK
from aeterna.synth.rules.suppression import Suppression, parse
from fixtures.rule_documents import document

TODAY = date(2026, 11, 22)
OPEN = document(mars_gate={"ingress": "0.0.0.0/0"})
REASON = "the gate is for visitors"


def suppression(
    rule: str = "open-ingress", path: str = "mars_gate.x", reason: str = REASON, until: date = TODAY
) -> Suppression:
    return Suppression(rule=rule, path=path, reason=reason, until=until)


def report(*suppressions: Suppression, size: Size = Size.STANDARD, stack: str = "main") -> Report:
    evaluation = Evaluation(packs=(PACK,), today=TODAY, size=size, suppressions=suppressions)
    return evaluation.of_documents({stack: OPEN})


def rules(found: Report) -> list[str]:
    return [finding.rule for finding in found.findings]


def test_what_is_suppressed_does_not_count_and_is_still_told() -> None:
    found = report(suppression())

    assert found.findings == ()
    assert [(finding.rule, by.reason) for finding, by in found.suppressed] == [("open-ingress", REASON)]


def test_a_suppression_speaks_of_its_rule_and_its_place_alone() -> None:
    assert "open-ingress" in rules(report(suppression(rule="plain-secret")))
    assert "open-ingress" in rules(report(suppression(path="mars_gate.y")))


def test_a_star_stands_for_any_text() -> None:
    assert rules(report(suppression(path="mars_gate.*"))) == []


def test_the_last_day_counts() -> None:
    assert rules(report(suppression(until=TODAY))) == []


def test_a_suppression_that_has_ended_is_a_finding_and_suppresses_nothing() -> None:
    found = report(suppression(until=TODAY - timedelta(days=1)))

    assert sorted(rules(found)) == ["open-ingress", "suppression-expired"]
    assert len(found.errors) == 2


def test_a_suppression_that_matches_nothing_is_a_warning() -> None:
    """What it was for is mended; left there, it would hide what comes to stand at its path."""
    found = report(suppression(path="mars_gate.x", rule="plain-secret"), suppression())

    assert rules(found) == ["suppression-unused"]
    assert found.errors == ()


def test_a_suppression_of_another_stack_is_not_said_to_match_nothing() -> None:
    """Stacks of one app share the list of their exceptions."""
    assert "suppression-unused" not in rules(report(suppression(path="other/Gate/Resource"), suppression()))


def test_a_suppression_for_a_path_of_this_stack_that_is_gone_is_said_to_match_nothing() -> None:
    assert "suppression-unused" in rules(report(suppression(path="main/Gate/Resource"), suppression()))


def test_a_suppression_of_a_rule_that_this_size_need_not_keep_is_no_warning() -> None:
    assert rules(report(suppression(rule="backups-kept"), suppression(), size=Size.DEV)) == []


def test_the_finding_about_a_suppression_cannot_be_suppressed() -> None:
    with pytest.raises(InvalidSpecError, match="no rule 'suppression-expired'"):
        report(suppression(rule="suppression-expired"))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (lambda: suppression(reason="  "), r"Suppression\.reason: open-ingress at mars_gate\.x has none"),
        (lambda: suppression(path=""), r"Suppression\.path: open-ingress names no place"),
        (lambda: suppression(path="*"), r"\* is every place; name one, or leave open-ingress out altogether"),
        (lambda: report(suppression(until=TODAY + timedelta(days=401))), "is more than 400 days ahead; use 2027-12-27"),
        (lambda: report(suppression(rule="open")), "there is no rule 'open'; name one of audit-logs, "),
        (lambda: parse("{"), "no JSON"),
        (lambda: parse('{"rule": "open-ingress"}'), "no list"),
        (lambda: parse('[{"rule": "open-ingress"}]'), "is no suppression; give path, reason, rule, until"),
        (lambda: parse('["open-ingress"]'), "is no suppression"),
        (
            lambda: parse(json.dumps([{"rule": "a", "path": "b", "reason": "c", "until": "soon"}])),
            "'soon' is no day; write it as 2027-01-31",
        ),
    ],
)
def test_a_suppression_that_cannot_hold_is_refused(wrong: object, problem: str) -> None:
    assert callable(wrong)
    with pytest.raises(InvalidSpecError, match=problem):
        wrong()


def test_a_file_of_suppressions_is_read() -> None:
    text = json.dumps([{"rule": "a", "path": "b", "reason": "c", "until": "2027-01-31"}])

    assert parse(text) == (Suppression(rule="a", path="b", reason="c", until=date(2027, 1, 31)),)
