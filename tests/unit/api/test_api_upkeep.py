"""Upkeep over HTTP: what is streamed, what the report says, and who may ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import graph_client

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.fix_graph_api import GraphClient

MAINTENANCE = "/api/v1/graph/maintenance"
SESSIONS = "/api/v1/graph/sessions"


def _commit(client: GraphClient, number: int) -> None:
    nodes = [{"id": "n", "kind": "Thing", "properties": {"number": number}}]
    assert client.post(SESSIONS, json={"session_id": f"s{number}", "nodes": nodes}).status_code == 201


def _events(text: str) -> list[tuple[str, dict[str, Any]]]:
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("event")]
    return [(block[0].removeprefix("event: "), json.loads(block[1].removeprefix("data: "))) for block in blocks]


def _report(client: GraphClient, **order: object) -> dict[str, dict[str, Any]]:
    name, report = _events(client.post(MAINTENANCE, json=order).text)[-1]
    assert name == "report"
    return {task["task"]: task for task in report["tasks"]}


def test_a_round_does_every_task_in_order_and_reports_each(graph_api: GraphClient) -> None:
    for number in range(3):
        _commit(graph_api, number)

    report = _report(graph_api, task="all", full=True)

    assert list(report) == ["backup", "compact", "expire", "collect"]
    assert [task["error"] for task in report.values()] == [None] * 4
    assert len(report["backup"]["result"]["made"]) == 1
    compacted = report["compact"]["result"]
    assert (compacted["reason"], compacted["rows_before"], compacted["files_before"]) == ("asked", 6, 3)
    assert report["expire"]["result"]["expired"] == 0
    assert report["collect"]["result"]["files"] == 0


def test_what_a_graph_holds_is_the_same_afterwards(graph_api: GraphClient) -> None:
    for number in range(3):
        _commit(graph_api, number)
    before = graph_api.get("/api/v1/graph/nodes/n").json()

    _report(graph_api, task="compact", full=True)
    _commit(graph_api, 3)

    assert before["properties"] == {"number": 2}
    assert graph_api.get("/api/v1/graph/nodes/n").json()["properties"] == {"number": 3}
    assert graph_api.get("/api/v1/graph/statistics").json()["seq"] == 4


def test_a_dry_run_says_what_would_be_done_and_does_nothing(graph_api: GraphClient) -> None:
    for number in range(3):
        _commit(graph_api, number)

    first = _report(graph_api, task="all", full=True, dry_run=True)
    second = _report(graph_api, task="all", full=True, dry_run=True)

    assert first["compact"]["result"]["files_before"] == 3
    assert first["compact"]["result"]["snapshot_id"] is None
    assert [task["result"] | {"cutoff": 0} for task in first.values()] == [
        task["result"] | {"cutoff": 0} for task in second.values()
    ]


def test_progress_comes_before_the_report(graph_api: GraphClient) -> None:
    _commit(graph_api, 1)

    answer = graph_api.post(MAINTENANCE, json={"task": "collect"})

    assert answer.headers["content-type"].startswith("text/event-stream")
    names = [name for name, _ in _events(answer.text)]
    assert (names[0], names[-1], names.count("report")) == ("progress", "report", 1)


def test_an_empty_graph_is_kept_without_a_word(graph_api: GraphClient) -> None:
    report = _report(graph_api, task="all")

    assert [task["error"] for task in report.values()] == [None] * 4


@pytest.mark.parametrize("body", [{}, {"task": "vacuum"}, {"task": "all", "grace": 0}])
def test_an_unclear_order_is_refused(graph_api: GraphClient, body: dict[str, object]) -> None:
    """Nobody outside may choose the grace period: it is what keeps commits in flight safe."""
    assert graph_api.post(MAINTENANCE, json=body).status_code == 422


def test_upkeep_is_asked_of_policy_as_managing_the_graph(graph_api: GraphClient, decisions: FakeDecisionPoint) -> None:
    graph_api.post(MAINTENANCE, json={"task": "expire"})

    assert decisions.asked[-1][1] == "graph.manage"


def test_each_task_is_counted(tmp_path: Path) -> None:
    with graph_client(tmp_path, FakeDecisionPoint()) as client:
        _commit(client, 1)
        _report(client, task="all")

        metrics = client.get("/metrics").text

    for task in ("backup", "compact", "expire", "collect"):
        assert f'aeterna_graph_upkeep_tasks_total{{outcome="done",task="{task}"}} 1.0' in metrics
