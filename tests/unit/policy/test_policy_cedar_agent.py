"""cedar-agent's ``/v1/is_authorized``: its request and its answer, and what it would let a caller do and we do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cedarpy
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.cedar.domain.request import Uid
from aeterna.policy.api.entity_uid import parse_uid

if TYPE_CHECKING:
    import httpx

URL = "/v1/is_authorized"
ADA: dict[str, object] = {
    "uid": {"type": "Aeterna::User", "id": "ada"},
    "attrs": {"tenant": "acme"},
    "parents": [{"__entity": {"type": "Aeterna::Role", "id": "reader"}}],
}
GRAPH: dict[str, object] = {"uid": {"type": "Aeterna::Graph", "id": "main"}, "attrs": {"tenant": "acme"}, "parents": []}


def body(**changed: object) -> dict[str, object]:
    """Return a request that the shipped policies allow, with some of its members replaced."""
    return {
        "principal": 'Aeterna::User::"ada"',
        "action": 'Aeterna::Action::"graph.read"',
        "resource": 'Aeterna::Graph::"main"',
        "context": {},
        "additional_entities": [ADA, GRAPH],
        **changed,
    }


@pytest.mark.anyio
async def test_the_answer_has_cedar_agents_members_and_ours(sidecar: httpx.AsyncClient) -> None:
    answers = [(await sidecar.post(URL, json=body())).json() for _ in range(2)]

    assert answers[0]["decision"] == answers[1]["decision"] == "Allow"
    assert answers[0]["diagnostics"] == {"reason": ["readers-read"], "errors": []}
    assert (answers[0]["epoch"], answers[0]["tenant"]) == (1, "acme")
    assert answers[0]["digest"].startswith("sha256:")
    assert answers[0]["age"] >= 0


DENIED: list[dict[str, object]] = [
    {"action": 'Aeterna::Action::"graph.write"'},
    {"principal": 'User::"ada"'},
    {"action": 'Action::"graph.read"'},
    {"additional_entities": [GRAPH]},
    {"additional_entities": None},
    {"context": {"x": 1}},
    {"additional_entities": [ADA, {**GRAPH, "attrs": {"tenant": "globex"}}]},
]


@pytest.mark.anyio
@pytest.mark.parametrize("changed", DENIED, ids=range(len(DENIED)))
async def test_what_is_not_permitted_is_a_deny(changed: dict[str, object], sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.post(URL, json=body(**changed))

    assert (answer.status_code, answer.json()["decision"]) == (200, "Deny")


@pytest.mark.anyio
async def test_a_stored_entity_cannot_be_described_anew(sidecar: httpx.AsyncClient) -> None:
    """Otherwise whoever asks could put the role reader into the role admin."""
    reader: dict[str, object] = {
        "uid": {"type": "Aeterna::Role", "id": "reader"},
        "attrs": {},
        "parents": [{"type": "Aeterna::Role", "id": "admin"}],
    }
    asked = body(action='Aeterna::Action::"graph.write"', additional_entities=[ADA, GRAPH, reader])

    answer = (await sidecar.post(URL, json=asked)).json()

    assert answer["decision"] == "Deny"
    assert answer["diagnostics"]["errors"]


MALFORMED: list[dict[str, object]] = [
    {"entities": []},
    {"entities": [ADA, GRAPH]},
    {"policies": "permit(principal, action, resource);"},
    {"principal": None},
    {"principal": "ada"},
    {"principal": {"type": "User", "id": "ada"}},
    {"resource": 'Graph::"main'},
    {"context": []},
    {"additional_entities": {}},
    {"additional_entities": [7]},
    {"additional_entities": [{"attrs": {}}]},
    {"additional_entities": [{"uid": "User::1"}]},
    {"additional_entities": [{**ADA, "parents": "x"}]},
    {"additional_entities": [{**ADA, "attrs": []}]},
    {"additional_entities": [ADA, ADA]},
    {"additional_entities": [{**ADA, "uid": {"type": "T", "id": str(number)}} for number in range(101)]},
]


@pytest.mark.anyio
@pytest.mark.parametrize("changed", MALFORMED, ids=range(len(MALFORMED)))
async def test_what_is_no_request_is_a_400(changed: dict[str, object], sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.post(URL, json=body(**changed))

    assert (answer.status_code, answer.json()["code"]) == (400, "policy.question_malformed")


UIDS: list[tuple[str, Uid | None]] = [
    ('User::"alice"', Uid("User", "alice")),
    ('A::B_1::_c::"x"', Uid("A::B_1::_c", "x")),
    ('User::""', Uid("User", "")),
    ('User::"a\\"b\\\\c"', Uid("User", 'a"b\\c')),
    ('User::"\\n\\t\\r\\0\\\'"', Uid("User", "\n\t\r\0'")),
    ('User::"\\x41\\u{1F600}\\u{e9}"', Uid("User", "A\U0001f600é")),
    ('User::"ж::\\"x\\""', Uid("User", 'ж::"x"')),
    ('User::"a" ', None),
    ("User::alice", None),
    ('::"a"', None),
    ('User"a"', None),
    ('User::"a"b"', None),
    ('User::"a\\"', None),
    ('1User::"a"', None),
    ('in::"a"', None),
    ('A::if::"a"', None),
    ('User::"\\x80"', None),
    ('User::"\\u{d800}"', None),
    ('User::"\\u{110000}"', None),
    ('User::"\\u{}"', None),
    ('User::"\\q"', None),
    ('User::"\\*"', None),
    ("", None),
]


@pytest.mark.parametrize(("text", "uid"), UIDS, ids=[row[0] for row in UIDS])
def test_uids_are_read_as_cedar_writes_them(text: str, uid: Uid | None) -> None:
    if uid is None:
        with pytest.raises(ValueError, match=r"must|has"):
            parse_uid(text)
    else:
        assert parse_uid(text) == uid


def cedars_own(text: str) -> Uid | None:
    """Return what Cedar's parser makes of a uid in a policy, or None where it refuses it."""
    try:
        parsed = orjson.loads(cedarpy.policies_to_json_str(f"permit(principal == {text}, action, resource);"))
    except ValueError:
        return None
    entity = parsed["staticPolicies"]["policy0"]["principal"]["entity"]
    return Uid(entity["type"], entity["id"])


@given(
    st.lists(
        st.sampled_from(["User", "A::", "in", "::", '"', "\\", "n", "x4", "1", "u{", "e9", "}", "é", "'", "*", "_"])
    )
    .map("".join)
    .map(lambda text: f'User::"{text}"')
    | st.from_regex(r'([A-Za-z_]{1,3}::){1,2}"([^"\\\r\n]|\\[nrt0\\"\'])*"', fullmatch=True)
)
def test_no_uid_is_read_otherwise_than_cedar_reads_it(text: str) -> None:
    """What we take, Cedar takes, and as the same; what Cedar takes beyond that is white space and comments."""
    try:
        ours = parse_uid(text)
    except ValueError:
        return
    assert cedars_own(text) == ours
