"""Which decisions are written down, what of them, and what is answered when there is no room."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
import pytest

from aeterna.policy.domain.audit import Entry, record_of
from aeterna.policy.domain.decision import Decision
from aeterna.policy.domain.question import Entity, Question
from aeterna.policy.domain.tally import AUDITED, UNAUDITED, Tally
from aeterna.policy.main import build
from aeterna.policy.settings import PolicySettings
from aeterna.policy.testing import FakeDecisionLog
from aeterna.policy.usecases.auditing import NOT_AUDITED, UNWRITTEN, Auditor
from fixtures.fix_policy import document, question

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

PERMIT = Decision(
    allowed=True, policies=("p",), errors=(), epoch=3, digest="sha256:d", age=0.5, cached=False, tenant="acme"
)
DENY = replace(PERMIT, allowed=False, policies=())


def auditor(
    log: FakeDecisionLog,
    *,
    sample: float = 1.0,
    denies: bool = True,
    full: Literal["drop", "deny"] = "drop",
    drawn: float = 0.5,
    tally: Tally | None = None,
) -> Auditor:
    """Return an auditor whose chance is what the test draws."""
    return Auditor(
        log, sample=sample, denies=denies, full=full, clock=lambda: 1_700_000_000.0, random=lambda: drawn, tally=tally
    )


def test_every_decision_is_written_down_and_answered_as_it_was() -> None:
    log, tally = FakeDecisionLog(), Tally()
    auditing = auditor(log, tally=tally)

    answered = [auditing.audited(question(), decision, "t") for decision in (PERMIT, DENY)]

    assert answered == [PERMIT, DENY]
    assert [entry.decision for entry in log.entries] == [PERMIT, DENY]
    assert (tally.words[AUDITED], tally.words[UNAUDITED]) == (2, 0)


@pytest.mark.parametrize(
    ("sample", "denies", "drawn", "written"),
    [
        (0.0, False, 0.0, []),
        (0.0, True, 0.0, [DENY]),
        (0.5, True, 0.4, [PERMIT, DENY]),
        (0.5, True, 0.5, [DENY]),
        (0.5, False, 0.5, []),
        (1.0, False, 0.999, [PERMIT, DENY]),
    ],
)
def test_denies_and_a_share_of_the_others_may_be_enough(
    sample: float, denies: bool, drawn: float, written: list[Decision]
) -> None:
    log = FakeDecisionLog()
    auditing = auditor(log, sample=sample, denies=denies, drawn=drawn)

    for decision in (PERMIT, DENY):
        auditing.audited(question(), decision, None)

    assert [entry.decision for entry in log.entries] == written


def test_without_room_a_decision_is_given_all_the_same_and_counted() -> None:
    tally = Tally()

    answered = auditor(FakeDecisionLog(full=True), tally=tally).audited(question(), PERMIT, None)

    assert (answered, tally.words[UNAUDITED]) == (PERMIT, 1)


def test_without_room_nothing_is_permitted_where_a_record_is_a_must() -> None:
    answered = auditor(FakeDecisionLog(full=True), full="deny").audited(question(), PERMIT, None)

    assert (answered.allowed, answered.policies, answered.errors) == (False, (), (UNWRITTEN,))


def test_what_is_not_sampled_needs_no_room() -> None:
    answered = auditor(FakeDecisionLog(full=True), sample=0.0, full="deny").audited(question(), PERMIT, None)

    assert answered == PERMIT


def test_without_a_log_decisions_are_given_as_they_are() -> None:
    NOT_AUDITED.close()

    assert NOT_AUDITED.audited(question(), PERMIT, None) is PERMIT


def test_a_permit_that_is_remembered_is_none_either_where_a_record_is_a_must(tmp_path: Path) -> None:
    """The answer to equal bytes is kept; that it was a permit must not carry it past a full log."""
    settings = PolicySettings(
        state=tmp_path / "state", audit_log=tmp_path / "log", audit_queue=1, audit_full="deny", ttl=timedelta(minutes=1)
    )
    app = build(settings)
    body, headers = orjson.dumps(document()), [(b"content-type", b"application/json")]

    answers = [app.direct(b"/access/v1/evaluation", headers, body) for _ in range(50)]

    decided = [orjson.loads(answer[1]) for answer in answers if answer is not None]
    assert len(decided) == 50
    assert decided[0]["decision"] is True
    denied = [answer["context"]["errors"] for answer in decided if answer["decision"] is False]
    assert denied
    assert all(errors == [UNWRITTEN] for errors in denied)


def test_a_record_says_who_asked_for_what_and_was_answered_by_which_policies() -> None:
    entry = Entry(1_700_000_000.25, question("graph.write"), PERMIT, "4bf92f3577b34da6a3ce929d0e0e4736")

    assert record_of(entry, values=False) == {
        "kind": "decision",
        "time": "2023-11-14T22:13:20.250000Z",
        "tenant": "acme",
        "principal": {"type": "User", "id": "ada", "properties": ["roles", "tenant"]},
        "action": "graph.write",
        "resource": {"type": "Graph", "id": "main", "properties": ["tenant"]},
        "described": [],
        "context": [],
        "decision": "permit",
        "policies": ["p"],
        "errors": 0,
        "epoch": 3,
        "digest": "sha256:d",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }


def test_values_are_written_only_if_asked_for() -> None:
    asked = Question(
        subject=Entity(type="User", id="ada", properties={"phone": "canary-1"}),
        action="a",
        resource=Entity(type="Graph", id="main", properties={"title": "canary-2"}),
        context={"token": "canary-3"},
    )
    entry = Entry(0.0, asked, replace(DENY, errors=("got canary-4",)), None)

    without, written = (str(record_of(entry, values=values)) for values in (False, True))

    assert "canary" not in without
    assert [f"canary-{number}" in written for number in (1, 2, 3, 4)] == [True] * 4
