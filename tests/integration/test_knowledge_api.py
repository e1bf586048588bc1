"""A user's way to knowledge over HTTP: put, ask, open the citation, replace, delete; with a real database and graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import EVE, graph_client

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from fixtures.fix_graph_api import GraphClient
    from fixtures.fix_postgres import Postgres

ROOT = "/api/v1/knowledge"
TIDES = """# Tides

## Neap tides

Neap tides follow the quarter moon, when the pull of the sun weakens that of the moon.

## Spring tides

Spring tides follow the full moon.
"""
QUESTION = "What follows the quarter moon?"


@pytest.fixture
def decisions() -> FakeDecisionPoint:
    """Return a policy that allows eve nothing."""
    return FakeDecisionPoint(allow=lambda caller, _action, _resource: caller.subject != EVE)


def put(api: GraphClient, document: str, text: str, **parameters: str) -> httpx.Response:
    """Put a text as a document."""
    return api.put(f"{ROOT}/documents/{document}", content=text.encode(), params=parameters)


def ask(
    api: GraphClient, question: str, *, seq: str = "0", tenant: str = "acme", **more: object
) -> list[dict[str, Any]]:
    """Return the evidence."""
    headers = {"Aeterna-Seq": seq, "Authorization": f"Bearer {tenant}"}
    answer = api.post(f"{ROOT}/query", json={"question": question, **more}, headers=headers)
    assert answer.status_code == 200, answer.text
    evidence: list[dict[str, Any]] = answer.json()["evidence"]
    return evidence


def test_a_question_finds_what_was_put_and_its_citation_opens_to_the_same_text(knowledge_api: GraphClient) -> None:
    seq = put(knowledge_api, "sea/tides.md", TIDES).headers["Aeterna-Seq"]

    best = ask(knowledge_api, QUESTION, seq=seq)[0]

    place = {"start": best["start"], "end": best["end"], "context": 0}
    opened = knowledge_api.get(f"{ROOT}/documents/{best['document']}", params=place).json()["opened"]
    assert best["document"] == "sea/tides.md"
    assert best["heading"] == ["Tides", "Neap tides"]
    assert "quarter moon" in best["text"]
    assert opened["text"] == best["text"] == TIDES[best["start"] : best["end"]]


def test_what_replaces_a_document_leaves_nothing_of_it(knowledge_api: GraphClient) -> None:
    put(knowledge_api, "tides.md", TIDES)
    seq = put(knowledge_api, "tides.md", "# Tides\n\nThey rise twice a day.\n").headers["Aeterna-Seq"]

    evidence = ask(knowledge_api, "quarter moon or twice a day", seq=seq)

    assert [each["text"] for each in evidence if "moon" in each["text"]] == []
    assert "twice a day" in evidence[0]["text"]


def test_nothing_is_left_of_what_was_deleted(knowledge_api: GraphClient) -> None:
    put(knowledge_api, "tides.md", TIDES)
    deleted = knowledge_api.delete(f"{ROOT}/documents/tides.md")

    evidence = ask(knowledge_api, QUESTION, seq=deleted.headers["Aeterna-Seq"])

    gone = knowledge_api.get(f"{ROOT}/documents/tides.md")
    statistics = knowledge_api.get("/api/v1/graph/statistics", headers={"Aeterna-Seq": deleted.headers["Aeterna-Seq"]})
    assert evidence == []
    assert (gone.status_code, gone.json()["code"]) == (404, "knowledge.document_not_found")
    assert (statistics.json()["nodes"], statistics.json()["edges"]) == (0, 0)


def test_the_past_still_answers(knowledge_api: GraphClient) -> None:
    seq = put(knowledge_api, "tides.md", TIDES).headers["Aeterna-Seq"]
    knowledge_api.delete(f"{ROOT}/documents/tides.md")

    answer = knowledge_api.post(f"{ROOT}/query", params={"as_of": f"seq:{seq}"}, json={"question": QUESTION})

    assert "quarter moon" in answer.json()["evidence"][0]["text"]


def test_the_same_document_again_changes_nothing(knowledge_api: GraphClient) -> None:
    first = put(knowledge_api, "tides.md", TIDES).json()

    second = put(knowledge_api, "tides.md", TIDES).json()

    assert (first["changed"], second["changed"], second["seq"]) == (True, False, first["seq"])


def test_a_document_tells_its_title_its_kind_and_its_passages(knowledge_api: GraphClient) -> None:
    put(knowledge_api, "sea/tides", TIDES, name="tides.md")

    document = knowledge_api.get(f"{ROOT}/documents/sea/tides").json()

    assert (document["title"], document["media_type"], document["put_by"]) == ("Tides", "text/markdown", "ada")
    assert document["characters"] == len(TIDES)
    assert [TIDES[unit["start"] : unit["end"]] for unit in document["units"] if "Neap tides" in unit["heading"]] != []
    assert document["opened"] is None


def test_documents_are_listed_by_prefix_a_page_at_a_time(knowledge_api: GraphClient) -> None:
    for name in ("land.md", "sea/a.md", "sea/b.md"):
        put(knowledge_api, name, TIDES)

    first = knowledge_api.get(f"{ROOT}/documents", params={"prefix": "sea/", "limit": 1}).json()
    second = knowledge_api.get(
        f"{ROOT}/documents", params={"prefix": "sea/", "limit": 1, "cursor": first["next_cursor"]}
    ).json()

    assert (first["documents"], second["documents"], second["next_cursor"]) == (["sea/a.md"], ["sea/b.md"], None)


def test_another_tenant_sees_nothing_of_it(knowledge_api: GraphClient) -> None:
    seq = put(knowledge_api, "tides.md", TIDES).headers["Aeterna-Seq"]
    other = {"Authorization": "Bearer umbrella"}

    evidence = ask(knowledge_api, QUESTION, tenant="umbrella")

    assert int(seq) > 0
    assert evidence == []
    assert knowledge_api.get(f"{ROOT}/documents", headers=other).json()["documents"] == []
    assert knowledge_api.get(f"{ROOT}/documents/tides.md", headers=other).status_code == 404
    assert knowledge_api.delete(f"{ROOT}/documents/tides.md", headers=other).json()["changed"] is False
    assert ask(knowledge_api, QUESTION) != []


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("PUT", "/documents/tides.md", "graph.write"),
        ("DELETE", "/documents/tides.md", "graph.write"),
        ("GET", "/documents/tides.md", "graph.read"),
        ("GET", "/documents", "graph.read"),
        ("POST", "/query", "graph.read"),
    ],
)
def test_nothing_is_done_for_whom_the_policy_denies(
    knowledge_api: GraphClient, decisions: FakeDecisionPoint, method: str, path: str, action: str
) -> None:
    put(knowledge_api, "tides.md", TIDES)
    eve = {"Authorization": "Bearer eve"}

    refused = knowledge_api.send(method, f"{ROOT}{path}", json={"question": QUESTION}, headers=eve)

    _, asked, resource = decisions.asked[-1]
    assert (refused.status_code, refused.json()["code"]) == (403, "policy.denied")
    assert (asked, resource.type, resource.id) == (action, "Graph", "acme")
    assert ask(knowledge_api, QUESTION) != []


def test_a_document_that_cannot_be_read_is_refused_with_the_reason_and_what_was_there_stays(
    knowledge_api: GraphClient,
) -> None:
    put(knowledge_api, "tides.md", TIDES)

    refused = knowledge_api.put(f"{ROOT}/documents/tides.md", content=b"PK\x03\x04\x00\x00\x00")

    assert (refused.status_code, refused.json()["code"]) == (422, "knowledge.document_refused")
    assert "tides.md" in refused.json()["detail"]
    assert ask(knowledge_api, QUESTION) != []


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/documents/a%00b", {}),
        ("/documents/" + "a" * 401, {}),
        ("/documents", {"prefix": "a\0"}),
        ("/documents", {"cursor": "a\0"}),
        ("/documents/tides.md", {"start": "9", "end": "3"}),
        ("/documents/tides.md", {"start": "9999"}),
    ],
)
def test_a_request_that_no_document_can_answer_is_told_what_to_change(
    knowledge_api: GraphClient, path: str, parameters: dict[str, str]
) -> None:
    put(knowledge_api, "tides.md", TIDES)

    refused = knowledge_api.get(f"{ROOT}{path}", params=parameters)

    assert (refused.status_code, refused.json()["code"]) == (422, "graph.invalid_query")


def test_a_question_without_a_word_is_refused(knowledge_api: GraphClient) -> None:
    refused = knowledge_api.post(f"{ROOT}/query", json={"question": "?!"})

    assert (refused.status_code, refused.json()["code"]) == (422, "knowledge.question_refused")


def test_a_process_with_knowledge_is_ready_when_its_database_answers(knowledge_api: GraphClient) -> None:
    assert knowledge_api.get("/ready").status_code == 200
    assert knowledge_api.get("/health").json()["checks"].keys() >= {"knowledge", "catalog"}


def test_while_the_database_is_away_nothing_is_ready_and_the_graph_still_answers(
    tmp_path: Path, decisions: FakeDecisionPoint, postgres: Postgres
) -> None:
    nowhere = {"knowledge_dsn": postgres.dsn("nowhere"), "knowledge_pool_timeout": 0.2}
    with graph_client(tmp_path, decisions, **nowhere) as api:
        listed = api.get(f"{ROOT}/documents")

        assert (listed.status_code, listed.json()["code"]) in {
            (503, "knowledge.busy"),
            (503, "knowledge.unavailable"),
        }
        assert api.get("/ready").status_code == 503
        assert api.get("/api/v1/graph/statistics").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/documents/a"), ("GET", "/documents"), ("DELETE", "/documents/a"), ("POST", "/query")]
)
def test_where_knowledge_is_off_its_routes_say_what_to_set(
    tmp_path: Path, decisions: FakeDecisionPoint, method: str, path: str
) -> None:
    with graph_client(tmp_path, decisions) as api:
        off = api.send(method, f"{ROOT}{path}", json={"question": QUESTION})

        assert (off.status_code, off.json()["code"]) == (503, "knowledge.not_configured")
        assert "AETERNA_API_KNOWLEDGE_DSN" in off.json()["detail"]
        assert "knowledge" not in api.get("/health").json()["checks"]
