"""A client reads its own writes from any replica by the seq of the receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import graph_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fixtures.fix_graph_api import GraphClient

SESSIONS: Final = "/api/v1/graph/sessions"
STATISTICS: Final = "/api/v1/graph/statistics"


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[tuple[GraphClient, GraphClient]]:
    """Return two that look at the catalog by themselves once in an hour."""
    hourly = {"refresh_every": "PT1H", "poll_every": "PT1H"}
    with (
        graph_client(tmp_path, FakeDecisionPoint(), **hourly) as one,
        graph_client(tmp_path, FakeDecisionPoint(), **hourly) as other,
    ):
        yield one, other


def _session(number: int) -> dict[str, object]:
    return {"session_id": f"s{number}", "nodes": [{"id": f"n{number}", "kind": "Thing"}]}


def test_a_seq_makes_another_replica_look(replicas: tuple[GraphClient, GraphClient]) -> None:
    writer, reader = replicas
    assert reader.get(STATISTICS).json()["nodes"] == 0
    receipt = writer.post(SESSIONS, json=_session(1))
    assert reader.get(STATISTICS).json()["nodes"] == 0

    answer = reader.get(STATISTICS, headers={"Aeterna-Seq": receipt.headers["Aeterna-Seq"]})

    assert answer.json()["nodes"] == 1
    assert answer.headers["Aeterna-Seq"] == "1"


def test_replicas_that_write_in_turn_number_their_sessions_in_one_row(
    replicas: tuple[GraphClient, GraphClient],
) -> None:
    seqs = [replicas[number % 2].post(SESSIONS, json=_session(number)).headers["Aeterna-Seq"] for number in range(4)]

    assert seqs == ["1", "2", "3", "4"]


def test_a_seq_that_nobody_has_given_is_refused_with_what_to_do(replicas: tuple[GraphClient, GraphClient]) -> None:
    writer, reader = replicas
    writer.post(SESSIONS, json=_session(1))

    answer = reader.get(STATISTICS, headers={"Aeterna-Seq": "9"})

    assert (answer.status_code, answer.json()["code"]) == (404, "graph.not_yet_visible")
    assert "newest session of this graph is 1" in answer.json()["detail"]
