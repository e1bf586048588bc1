"""Asking for upkeep: what is sent, what is read of the stream, and that nothing is asked for twice."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from aeterna.client import Aeterna, ClientError, FixedToken, UpkeepBusyError, UpkeepProgress
from fixtures.fix_runtime import GRAPH_URL, THREADS_URL

STREAM = (
    ": waiting\n\n"
    'event: progress\ndata: {"task":"expire","done":0,"total":0,"unit":"snapshots"}\n\n'
    'event: report\ndata: {"tasks":[{"task":"expire","dry_run":true,"seconds":0.1,"error":null,'
    '"result":{"expired":3,"kept":20}}]}\n\n'
)


class Server:
    """Answers every request alike, and remembers them."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answer

    def client(self) -> Aeterna:
        """Return a client of it."""
        return Aeterna(
            graph_url=GRAPH_URL,
            threads_url=THREADS_URL,
            token=FixedToken("token"),
            timeout=timedelta(seconds=5),
            transport=httpx.MockTransport(self),
        )


def _events(text: str) -> Server:
    return Server(httpx.Response(200, text=text, headers={"content-type": "text/event-stream"}))


def test_progress_is_watched_and_the_report_returned() -> None:
    server, seen = _events(STREAM), list[UpkeepProgress]()

    report = server.client().graph.maintain("expire", dry_run=True, watch=seen.append)

    (request,) = server.asked
    assert (request.method, request.url.path) == ("POST", "/api/v1/graph/maintenance")
    assert request.read() == b'{"task":"expire","full":false,"dry_run":true}'
    assert seen == [UpkeepProgress(task="expire", done=0, total=0, unit="snapshots")]
    (task,) = report.tasks
    assert (task.task, task.dry_run, task.error, task.result) == ("expire", True, None, {"expired": 3, "kept": 20})
    assert report.failed == ()


def test_a_stream_that_breaks_off_is_not_asked_for_again() -> None:
    """The round goes on without us; another request would begin another round."""
    server = _events(STREAM[:100])

    with pytest.raises(ClientError, match="the round goes on"):
        server.client().graph.maintain("expire")
    assert len(server.asked) == 1


def test_a_refusal_has_its_own_class() -> None:
    problem = {"title": "busy", "status": 409, "code": "graph.upkeep_busy", "detail": "another round"}
    server = Server(httpx.Response(409, json=problem, headers={"content-type": "application/problem+json"}))

    with pytest.raises(UpkeepBusyError):
        server.client().graph.maintain()
    assert len(server.asked) == 1
