"""Erasures and legal holds over HTTP, asked by the client that is shipped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.client import (
    Aeterna,
    ErasureNotFoundError,
    HoldNotFoundError,
    InvalidErasureError,
    LegalHoldError,
    Node,
)
from fixtures.fix_graph_api import EVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.client import Erasure
    from fixtures.fix_graph_api import GraphClient

GRAPH = "/api/v1/graph"
ID = "0d3a1e5c-6a5c-4f0e-9a3f-5f3c1b9f2f11"


@pytest.fixture
def client(graph_api: GraphClient) -> Iterator[Aeterna]:
    """Yield the blocking client of an administrator of acme, on the application in this process."""

    def forwarded(request: httpx.Request) -> httpx.Response:
        details = {"content": request.content} if request.method in {"POST", "PUT"} else {}
        headers = {name: request.headers[name] for name in ("content-type",) if name in request.headers}
        ask = getattr(graph_api, request.method.lower())
        answer: httpx.Response = ask(request.url.raw_path.decode(), headers=headers, **details)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    with Aeterna(
        graph_url="http://graph.test",
        threads_url="http://threads.test",
        token="acme",
        transport=httpx.MockTransport(forwarded),
    ) as opened:
        yield opened


@pytest.fixture
def eves(graph_api: GraphClient) -> None:
    """Let eve write a node."""
    nodes = [{"id": "eve's", "kind": "Note"}]
    graph_api.post(
        f"{GRAPH}/sessions", json={"session_id": "s", "nodes": nodes}, headers={"Authorization": "Bearer eve"}
    )


def _awaited(client: Aeterna, id_: str) -> Erasure:
    deadline = time.monotonic() + 30
    while not (erasure := client.graph.erasure(id_)).done:
        assert time.monotonic() < deadline, erasure
    return erasure


@pytest.mark.usefixtures("eves")
def test_an_order_is_answered_at_once_and_becomes_a_certificate(client: Aeterna) -> None:
    ordered = client.graph.erase(EVE, erasure_id=ID)

    certificate = _awaited(client, ID)

    assert (ordered.erasure_id, ordered.ordered_by, ordered.seq) == (ID, "ada", 2)
    assert certificate.rows == {"node": 2, "session": 1}
    assert certificate.files
    assert certificate.verification is not None
    assert certificate.verification.clean
    assert client.graph.erasures() == (certificate,)


@pytest.mark.usefixtures("eves")
def test_a_certificate_is_verified_again_by_whoever_knows_the_name(client: Aeterna) -> None:
    client.graph.erase(EVE, erasure_id=ID)
    _awaited(client, ID)

    assert client.graph.verify_erasure(ID, subject=EVE).clean
    with pytest.raises(InvalidErasureError):
        client.graph.verify_erasure(ID, subject="somebody else")
    with pytest.raises(InvalidErasureError):
        client.graph.verify_erasure(ID)


@pytest.mark.usefixtures("eves")
def test_a_hold_refuses_with_its_name_and_is_listed_until_it_is_released(client: Aeterna) -> None:
    placed = client.graph.hold("case-7.b", reason="discovery", subject=EVE)

    with pytest.raises(LegalHoldError, match=r"case-7\.b") as refused:
        client.graph.erase(EVE)

    assert refused.value.problem.status == 409
    assert client.graph.holds() == (placed,)
    client.graph.release("case-7.b")
    assert client.graph.holds() == ()


def test_what_is_not_there_is_said_so(client: Aeterna) -> None:
    client.graph.ingest("x", [Node(id="a", kind="T")])

    with pytest.raises(ErasureNotFoundError):
        client.graph.erasure(ID)
    with pytest.raises(HoldNotFoundError):
        client.graph.release("none")


@pytest.mark.parametrize(
    "body",
    [{}, {"tenant": True, "subject": "ada"}, {"subject": ""}, {"subject": "ada", "erasure_id": "x"}, {"all": True}],
    ids=["nothing", "everything and a subject", "an empty subject", "an id that is no UUID", "an unknown field"],
)
def test_an_order_that_is_not_clear_is_refused(graph_api: GraphClient, body: dict[str, object]) -> None:
    assert graph_api.post(f"{GRAPH}/erasures", json=body).status_code == 422


def test_what_waits_to_be_erased_is_measured(graph_api: GraphClient, client: Aeterna) -> None:
    client.graph.erase("nobody", erasure_id=ID)
    _awaited(client, ID)

    metrics = graph_api.get("/metrics").text

    assert "aeterna_graph_erasures_pending" in metrics
    assert "aeterna_graph_erasure_oldest_seconds" in metrics
