"""AuthZEN's certification scenario: its questions alone and in batches, by identifiers and by properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

pytestmark = pytest.mark.anyio

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
ALICE = {"type": "user", "id": "alice"}
BOB = {"type": "user", "id": "bob"}
ADMIN = {**BOB, "properties": {"role": "admin"}}
ONE = {"type": "record", "id": "record-1"}
TWO = {"type": "record", "id": "record-2"}
ACTIVE = {**ONE, "properties": {"status": "active"}}
ARCHIVED = {**TWO, "properties": {"status": "archived"}}


def asked(
    subject: Mapping[str, object], action: str, resource: Mapping[str, object], **more: object
) -> dict[str, object]:
    """Return a request; ``properties`` are the action's."""
    properties = {"properties": more.pop("properties")} if "properties" in more else {}
    return {"subject": subject, "action": {"name": action, **properties}, "resource": resource, **more}


DECIDED = [
    (asked(ALICE, "read", ONE), True),
    (asked(ALICE, "write", ONE), True),
    (asked(BOB, "read", ONE), True),
    (asked(BOB, "write", ONE), False),
    (asked(ALICE, "read", ONE, context={"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}), True),
    (asked(ALICE, "write", ARCHIVED), False),
    (asked(ADMIN, "write", ARCHIVED), True),
    (asked(ALICE, "delete", ONE, properties={"soft": True}), True),
    (asked(ALICE, "delete", ONE, properties={"soft": False}), False),
    (
        asked(
            {**ALICE, "properties": {"department": "Sales", "role": "manager"}},
            "read",
            {**ONE, "properties": {"status": "active", "owner": "bob"}},
            properties={"method": "GET"},
        ),
        True,
    ),
    (asked(ALICE, "read", ONE, foo="bar", futureField={"nested": True}), True),
]


@pytest.mark.parametrize(("request_", "decision"), DECIDED, ids=range(len(DECIDED)))
async def test_the_scenarios_questions_are_answered(
    request_: dict[str, object], decision: bool, certified: httpx.AsyncClient
) -> None:
    answers = [(await certified.post(EVALUATION, json=request_)).json()["decision"] for _ in range(3)]

    assert answers == [decision] * 3


BATCHES: list[tuple[str, dict[str, object], list[bool]]] = [
    (
        "a default action",
        {"subject": ALICE, "action": {"name": "read"}, "evaluations": [{"resource": ONE}, {"resource": TWO}]},
        [True, True],
    ),
    (
        "a default resource",
        {
            "subject": BOB,
            "resource": ONE,
            "evaluations": [{"action": {"name": "read"}}, {"action": {"name": "write"}}],
        },
        [True, False],
    ),
    (
        "properties of resources",
        {"subject": ALICE, "action": {"name": "write"}, "evaluations": [{"resource": ACTIVE}, {"resource": ARCHIVED}]},
        [True, False],
    ),
    (
        "properties of subjects",
        {"action": {"name": "write"}, "resource": ARCHIVED, "evaluations": [{"subject": ALICE}, {"subject": ADMIN}]},
        [False, True],
    ),
    ("no defaults", {"evaluations": [asked(ALICE, "read", ONE), asked(BOB, "write", ONE)]}, [True, False]),
    (
        "a context for all but one",
        {
            "subject": ALICE,
            "action": {"name": "read"},
            "context": {"unheard-of": 1},
            "evaluations": [{"resource": ONE}, {"resource": TWO, "context": {"source": "batch-override"}}],
        },
        [False, True],
    ),
    (
        "a type by default",
        {
            "subject": ALICE,
            "action": {"name": "write"},
            "resource": {"type": "record", "properties": {"status": "archived"}},
            "evaluations": [{"resource": {"id": "record-1"}}, {"resource": ARCHIVED}],
        },
        [True, False],
    ),
    (
        "one that is none",
        {"subject": ALICE, "action": {"name": "read"}, "evaluations": [{"resource": ONE}, {}, 7, {"resource": TWO}]},
        [True, False, False, True],
    ),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in BATCHES], ids=[row[0] for row in BATCHES])
async def test_evaluations_are_answered_in_their_order(
    body: dict[str, object], expected: list[bool], certified: httpx.AsyncClient
) -> None:
    answer = (await certified.post(EVALUATIONS, json=body)).json()

    assert [evaluation["decision"] for evaluation in answer["evaluations"]] == expected
    assert "decision" not in answer


THREE = {
    "subject": BOB,
    "resource": ONE,
    "evaluations": [{"action": {"name": name}} for name in ("read", "write", "read")],
}


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
async def test_the_semantic_says_after_which_decision_to_stop(
    semantic: str, expected: list[bool], certified: httpx.AsyncClient
) -> None:
    answer = await certified.post(EVALUATIONS, json={**THREE, "options": {"evaluations_semantic": semantic, "x": 1}})

    assert [evaluation["decision"] for evaluation in answer.json()["evaluations"]] == expected


async def test_one_that_is_none_stops_those_that_stop_at_a_deny(certified: httpx.AsyncClient) -> None:
    options = {"evaluations_semantic": "deny_on_first_deny"}
    body = {"subject": ALICE, "action": {"name": "read"}, "options": options, "evaluations": [{}, {"resource": ONE}]}

    answer = (await certified.post(EVALUATIONS, json=body)).json()["evaluations"]

    assert [evaluation["decision"] for evaluation in answer] == [False]
    assert answer[0]["context"]["error"] == {"status": 400, "message": "'resource' must be an object"}


@pytest.mark.parametrize("evaluations", [{}, {"evaluations": []}], ids=["absent", "empty"])
async def test_without_evaluations_it_is_a_single_one(
    evaluations: dict[str, object], certified: httpx.AsyncClient
) -> None:
    answer = await certified.post(EVALUATIONS, json={**asked(ALICE, "read", ONE), **evaluations})

    assert answer.json()["decision"] is True
    assert "evaluations" not in answer.json()


WRONG: list[tuple[dict[str, object], str]] = [
    ({"evaluations": {}}, "policy.question_malformed"),
    ({"evaluations": None}, "policy.question_malformed"),
    ({**THREE, "options": []}, "policy.question_malformed"),
    ({**THREE, "options": {"evaluations_semantic": "all"}}, "policy.question_malformed"),
    ({**THREE, "options": {"evaluations_semantic": ["execute_all"]}}, "policy.question_malformed"),
    ({"evaluations": [{}] * 51}, "policy.too_many_evaluations"),
    ({}, "policy.question_malformed"),
]


@pytest.mark.parametrize(("body", "code"), WRONG, ids=range(len(WRONG)))
async def test_what_is_wrong_with_the_whole_is_a_400(
    body: dict[str, object], code: str, certified: httpx.AsyncClient
) -> None:
    answer = await certified.post(EVALUATIONS, json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_each_answer_of_a_batch_says_by_what_it_was_decided(certified: httpx.AsyncClient) -> None:
    first, second, _ = (await certified.post(EVALUATIONS, json=THREE)).json()["evaluations"]

    assert first["context"]["policies"] == ["everybody-reads"]
    assert (second["context"]["policies"], second["context"]["epoch"]) == ([], 1)
    assert first["context"]["digest"] == second["context"]["digest"]
