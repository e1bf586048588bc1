"""After an erasure nothing of the person is left in any byte, and nobody but an administrator may order one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.graph.adapters.iceberg.opened_bytes import opened
from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import EVE, graph_client

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.service.caller import Caller
    from aeterna.service.decision import Resource
    from fixtures.fix_graph_api import GraphClient

GRAPH = "/api/v1/graph"
AS_EVE = {"Authorization": "Bearer eve"}
THEIRS = {"Authorization": "Bearer umbrella"}
CANARIES = [EVE.encode(), b"canary-session", b"canary:node", b"canary in a property", b"canary_type"]
ID = "0d3a1e5c-6a5c-4f0e-9a3f-5f3c1b9f2f11"


def _session(id_: str, node: str, text: str, kind: str = "Note") -> dict[str, Any]:
    return {
        "session_id": id_,
        "nodes": [{"id": node, "kind": kind, "properties": {"text": text}}, {"id": f"{node}:2", "kind": kind}],
        "edges": [{"source": node, "type": "canary_type" if "canary" in id_ else "next", "target": f"{node}:2"}],
    }


def _write(api: GraphClient) -> None:
    """Give acme work of ada, then of eve, then of ada; ada also leans on what eve wrote."""
    api.post(f"{GRAPH}/sessions", json=_session("first", "shared", "ada's words"))
    for number in range(3):
        session = _session(f"canary-session-{number}", f"canary:node:{number}", "canary in a property")
        api.post(f"{GRAPH}/sessions", json=session, headers=AS_EVE)
    edge = {"source": "shared", "type": "cites", "target": "canary:node:1"}
    api.post(f"{GRAPH}/sessions", json={"session_id": "leaning", "edges": [edge]})


def _erase(api: GraphClient, target: dict[str, Any]) -> dict[str, Any]:
    ordered = api.post(f"{GRAPH}/erasures", json={**target, "erasure_id": ID})
    assert ordered.status_code == 202, ordered.text
    deadline = time.monotonic() + 30
    while (erasure := api.get(f"{GRAPH}/erasures/{ID}").json())["state"] != "done":
        assert time.monotonic() < deadline, erasure
    return erasure


def _left(folder: Path, needle: bytes) -> list[str]:
    """Return every file with the needle, decompressed where it is compressed; the catalog and its WAL included."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name.startswith("catalog.db") for path in files)
    return [str(path) for path in files if any(needle in part for part in opened(path.read_bytes()))]


def test_nothing_of_a_subject_is_left_in_any_byte(graph_api: GraphClient, tmp_path: Path) -> None:
    _write(graph_api)
    assert all(_left(tmp_path, canary) for canary in CANARIES if canary != b"canary-session")

    certificate = _erase(graph_api, {"subject": EVE})

    assert {canary: found for canary in CANARIES if (found := _left(tmp_path, canary))} == {}
    assert certificate["verification"]["clean"]
    assert graph_api.get(f"{GRAPH}/nodes/shared").json()["properties"] == {"text": "ada's words"}


def test_the_certificate_names_no_person_and_every_file_that_went(graph_api: GraphClient, tmp_path: Path) -> None:
    _write(graph_api)
    before = {path.name for path in (tmp_path / "warehouse").rglob("*.parquet")}

    certificate = _erase(graph_api, {"subject": EVE, "nodes": ["canary:node:1"]})

    left = {path.name for path in (tmp_path / "warehouse").rglob("*.parquet")}
    told = {file["path"].rsplit("/", 1)[-1] for file in certificate["files"]}
    assert before - left <= told
    assert not left & told
    assert before - left
    assert "canary" not in graph_api.get(f"{GRAPH}/erasures/{ID}").text
    assert certificate["removed"]["rows"]["session"] == 3


def test_a_whole_tenant_goes_and_the_neighbour_stays(graph_api: GraphClient, tmp_path: Path) -> None:
    _write(graph_api)
    graph_api.post(f"{GRAPH}/sessions", json=_session("theirs", "their:node", "their words"), headers=THEIRS)
    seq = graph_api.get(f"{GRAPH}/statistics").json()["seq"]

    _erase(graph_api, {"tenant": True})

    assert not any(_left(tmp_path, canary) for canary in [*CANARIES, b"ada's words", b"shared"])
    assert graph_api.get(f"{GRAPH}/nodes/their:node", headers=THEIRS).status_code == 200
    after = graph_api.post(f"{GRAPH}/sessions", json=_session("anew", "new:node", "new words")).json()
    assert after["seq"] > seq
    assert graph_api.get(f"{GRAPH}/statistics").json()["nodes"] == 2


def test_one_tenants_erasure_does_not_reach_the_same_subject_elsewhere(graph_api: GraphClient) -> None:
    """Both tenants have an ada."""
    _write(graph_api)
    graph_api.post(f"{GRAPH}/sessions", json=_session("theirs", "their:node", "their words"), headers=THEIRS)

    _erase(graph_api, {"subject": "ada"})

    assert graph_api.get(f"{GRAPH}/nodes/shared").status_code == 404
    assert graph_api.get(f"{GRAPH}/nodes/their:node", headers=THEIRS).status_code == 200
    assert graph_api.get(f"{GRAPH}/erasures/{ID}", headers=THEIRS).json()["code"] == "graph.erasure_not_found"
    assert graph_api.get(f"{GRAPH}/erasures", headers=THEIRS).json() == {"erasures": []}


ROUTES: list[tuple[str, str, dict[str, Any]]] = [
    ("post", "erasures", {"json": {"subject": "ada"}}),
    ("get", "erasures", {}),
    ("get", f"erasures/{ID}", {}),
    ("post", f"erasures/{ID}/verify", {"json": {"subject": "ada"}}),
    ("get", "holds", {}),
    ("get", "holds/case", {}),
    ("put", "holds/case", {"json": {"reason": "because"}}),
    ("delete", "holds/case", {}),
]


@pytest.mark.parametrize(("method", "path", "details"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES])
def test_only_who_may_erase_gets_past_the_door(tmp_path: Path, method: str, path: str, details: dict[str, Any]) -> None:
    def writers_only(_caller: Caller, action: str, _resource: Resource) -> bool:
        return action in {"graph.read", "graph.write", "graph.manage"}

    with graph_client(tmp_path, FakeDecisionPoint(allow=writers_only)) as api:
        refused = getattr(api, method)(f"{GRAPH}/{path}", **details)
        anonymous = getattr(api, method)(f"{GRAPH}/{path}", headers={"Authorization": ""}, **details)

    assert (refused.status_code, anonymous.status_code) == (403, 401)
