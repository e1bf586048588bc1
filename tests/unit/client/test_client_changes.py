"""Where a reader of the change feed is, line by line."""

from __future__ import annotations

import json

import pytest

from aeterna.client import RetryPolicy, UnreachableError
from aeterna.client.change_stream import ChangeStream

POLICY = RetryPolicy(attempts=3)


def _stream(after: int | None = 0) -> ChangeStream:
    return ChangeStream(after=after, policy=POLICY, random=lambda: 0.5)


def _event(seq: int, *, part: int = 0, last: bool = True) -> list[str]:
    data = {
        "seq": seq,
        "session_id": f"s{seq}",
        "committed_at": "2026-11-01T00:00:00+00:00",
        "part": part,
        "last": last,
        "nodes": [{"id": "n:1", "kind": "Thing", "properties": {"v": seq}}],
        "edges": [],
        "removed": {"nodes": ["n:9"], "edges": [{"source": "n:9", "type": "T", "target": "n:1"}]},
    }
    return [*([f"id: {seq}"] if last else []), "event: changes", f"data: {json.dumps(data)}", ""]


def _told(stream: ChangeStream, lines: list[str]) -> list[tuple[int, int]]:
    found = [stream.feed(line) for line in lines]
    return [(changes.seq, changes.part) for changes in found if changes is not None]


def test_an_event_is_read_whole() -> None:
    stream = _stream()

    *before, found = [stream.feed(line) for line in _event(4)]

    assert before == [None, None, None]
    assert found is not None
    assert (found.session_id, found.nodes[0].properties) == ("s4", {"v": 4})
    assert (found.removed_nodes, found.removed_edges[0].target) == (("n:9",), "n:1")


def test_a_new_connection_goes_on_behind_the_last_complete_session() -> None:
    stream = _stream()
    _told(stream, [*_event(1), *_event(2, part=0, last=False)])

    assert stream.headers()["Last-Event-ID"] == "1"
    assert _told(stream, [*_event(2, part=0, last=False), *_event(2, part=1)]) == [(2, 0), (2, 1)]
    assert stream.headers()["Last-Event-ID"] == "2"


def test_what_came_already_is_not_given_out_again() -> None:
    stream = _stream()

    assert _told(stream, [*_event(1), *_event(1), *_event(2)]) == [(1, 0), (2, 0)]


def test_an_event_that_broke_off_is_forgotten() -> None:
    stream = _stream()
    for line in _event(1)[:-1]:
        stream.feed(line)
    stream.headers()

    assert _told(stream, ["", *_event(2)]) == [(2, 0)]


def test_without_a_position_the_service_says_where_it_begins() -> None:
    stream = _stream(None)
    assert "Last-Event-ID" not in stream.headers()

    _told(stream, ["retry: 1000", "id: 41", ""])

    assert stream.headers()["Last-Event-ID"] == "41"


@pytest.mark.parametrize(
    "lines", [[": heartbeat", ""], ["event: problem", 'data: {"code":"graph.changes_expired"}', ""]]
)
def test_what_is_no_change_is_not_given_out(lines: list[str]) -> None:
    assert _told(_stream(), lines) == []


def test_patience_ends_with_failures_in_a_row_and_begins_anew_with_a_session() -> None:
    stream, away = _stream(), UnreachableError("http://graph", "refused")

    stream.pause(away)
    stream.pause(None)
    _told(stream, _event(1))
    stream.pause(away)
    stream.pause(away)

    with pytest.raises(UnreachableError):
        stream.pause(away)
