"""The history over HTTP: tags, differences, restores, and the feed, on real storage in this process."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import graph_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from fixtures.fix_graph_api import GraphClient

ROOT = "/api/v1/graph"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[GraphClient]:
    """Yield a client of tenant acme; feeds end as soon as they have said what there is."""
    with graph_client(tmp_path, FakeDecisionPoint(), feed_lifetime=timedelta(milliseconds=1)) as client:
        yield client


def _commit(api: GraphClient, session: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    answer = api.post(f"{ROOT}/sessions", json={"session_id": session, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


def _thing(id_: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"id": id_, "kind": "Thing", "properties": properties}


def _events(answer: httpx.Response) -> list[dict[str, str]]:
    events: list[dict[str, str]] = []
    for block in answer.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[1:])
        if "data" in fields:
            events.append(fields)
    return events


def _followed(api: GraphClient, after: int) -> list[dict[str, str]]:
    """Follow from a position as a client does whose connection breaks all the time, until there is no more."""
    events: list[dict[str, str]] = []
    while found := _events(api.get(f"{ROOT}/changes", headers={"Last-Event-ID": str(after)})):
        events.extend(found)
        after = int(found[-1]["id"])
    return events


def test_a_tag_is_made_once_listed_read_as_of_and_deleted(api: GraphClient) -> None:
    _commit(api, "a", nodes=[_thing("n:1", v=1)])

    made = api.put(f"{ROOT}/tags/first", json={"keep_seconds": 3600})
    again = api.put(f"{ROOT}/tags/first")
    _commit(api, "b", nodes=[_thing("n:1", v=2)])
    listed = api.get(f"{ROOT}/tags").json()["tags"]
    then = api.get(f"{ROOT}/nodes/n:1", params={"as_of": "first"})
    deleted = api.delete(f"{ROOT}/tags/first")

    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    assert made.json()["seq"] == 1
    assert [tag["name"] for tag in listed] == ["first"]
    assert then.json()["properties"] == {"v": 1}
    assert deleted.status_code == 204
    gone = api.get(f"{ROOT}/nodes/n:1", params={"as_of": "first"})
    assert (gone.status_code, gone.json()["code"]) == (404, "graph.tag_not_found")


def test_a_tag_never_moves(api: GraphClient) -> None:
    _commit(api, "a", nodes=[_thing("n:1")])
    api.put(f"{ROOT}/tags/first")
    later = _commit(api, "b", nodes=[_thing("n:2")])

    moved = api.put(f"{ROOT}/tags/first", json={"as_of": later["snapshot_id"]})

    assert (moved.status_code, moved.json()["code"]) == (409, "graph.tag_conflict")


@pytest.mark.parametrize("name", ["1234", "main", "-x", "a b"])
def test_what_could_be_taken_for_something_else_is_no_tag(api: GraphClient, name: str) -> None:
    _commit(api, "a", nodes=[_thing("n:1")])

    assert api.put(f"{ROOT}/tags/{name}").status_code == 422


def test_a_diff_comes_in_pages_that_compare_the_same_two_moments(api: GraphClient) -> None:
    _commit(api, "a", nodes=[_thing("n:1", v=1), _thing("n:2"), _thing("n:3")])
    api.put(f"{ROOT}/tags/before")
    after = _commit(
        api,
        "b",
        nodes=[_thing("n:1", v=2), _thing("n:4")],
        edges=[{"source": "n:1", "type": "KNOWS", "target": "n:4"}],
        remove={"nodes": ["n:2"]},
    )

    pages = [api.get(f"{ROOT}/diff", params={"from": "before", "limit": 3}).json()]
    _commit(api, "c", nodes=[_thing("n:9")])
    pages.append(
        api.get(f"{ROOT}/diff", params={"from": "before", "limit": 3, "cursor": pages[0]["next_cursor"]}).json()
    )

    assert [page["seq"] for page in pages] == [after["seq"]] * 2
    nodes = [(each["change"], (each["after"] or each["before"])["id"]) for page in pages for each in page["nodes"]]
    assert nodes == [("changed", "n:1"), ("removed", "n:2"), ("added", "n:4")]
    assert [each["after"]["target"] for page in pages for each in page["edges"]] == ["n:4"]
    assert pages[0]["node_counts"] == {"added": 1, "changed": 1, "removed": 1}
    assert pages[1]["next_cursor"] is None


def test_a_restore_is_a_new_session_that_can_be_repeated_and_tried_dry(api: GraphClient) -> None:
    first = _commit(api, "a", nodes=[_thing("n:1", v=1)])
    _commit(api, "b", nodes=[_thing("n:1", v=2), _thing("n:2")])
    wanted = {"to": first["snapshot_id"], "session_id": "back"}

    dry = api.post(f"{ROOT}/restore", json={**wanted, "dry_run": True})
    done = api.post(f"{ROOT}/restore", json=wanted)
    repeated = api.post(f"{ROOT}/restore", json=wanted)

    assert dry.json()["nodes"] == {"added": 0, "changed": 1, "removed": 1}
    assert (dry.status_code, done.status_code, repeated.status_code) == (200, 201, 200)
    assert (done.json()["seq"], repeated.json()["seq"]) == (3, 3)
    assert repeated.json()["repeated"] is True
    assert api.get(f"{ROOT}/nodes/n:1").json()["properties"] == {"v": 1}
    assert api.get(f"{ROOT}/nodes/n:2").status_code == 404
    assert len(api.get(f"{ROOT}/snapshots").json()["snapshots"]) == 3


def test_the_feed_tells_each_session_once_from_any_position(api: GraphClient) -> None:
    _commit(
        api, "a", nodes=[_thing("n:1", v=1), _thing("n:2")], edges=[{"source": "n:1", "type": "T", "target": "n:2"}]
    )
    _commit(api, "b", remove={"nodes": ["n:2"]})

    whole = _followed(api, 0)
    resumed = _events(api.get(f"{ROOT}/changes", params={"after": 1}))

    assert [(event["id"], event["event"]) for event in whole] == [("1", "changes"), ("2", "changes")]
    first, second = (json.loads(event["data"]) for event in whole)
    assert first["nodes"] == [_thing("n:1", v=1), _thing("n:2")]
    assert first["edges"] == [{"source": "n:1", "type": "T", "target": "n:2", "properties": {}}]
    assert second["removed"] == {"nodes": ["n:2"], "edges": [{"source": "n:1", "type": "T", "target": "n:2"}]}
    assert (first["session_id"], first["part"], first["last"]) == ("a", 0, True)
    assert resumed == whole[1:]


def test_a_feed_without_a_position_begins_now_and_says_where_that_is(api: GraphClient) -> None:
    _commit(api, "a", nodes=[_thing("n:1")])

    answer = api.get(f"{ROOT}/changes")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith("retry: 1000\nid: 1\n\n")
    assert _events(answer) == []


def test_a_position_that_was_never_given_out_is_refused(api: GraphClient) -> None:
    _commit(api, "a", nodes=[_thing("n:1")])

    answer = api.get(f"{ROOT}/changes", params={"after": 7})

    assert (answer.status_code, answer.json()["code"]) == (422, "graph.invalid_query")


def test_snapshots_come_in_pages_newest_first(api: GraphClient) -> None:
    for number in range(5):
        _commit(api, f"s{number}", nodes=[_thing(f"n:{number}")])

    first = api.get(f"{ROOT}/snapshots", params={"limit": 3}).json()
    second = api.get(f"{ROOT}/snapshots", params={"limit": 3, "cursor": first["next_cursor"]}).json()

    assert [each["last_seq"] for each in first["snapshots"]] == [5, 4, 3]
    assert [each["last_seq"] for each in second["snapshots"]] == [2, 1]
    assert second["next_cursor"] is None


def test_managing_a_history_needs_its_own_permission(tmp_path: Path) -> None:
    decisions = FakeDecisionPoint()
    with graph_client(tmp_path, decisions) as api:
        api.put(f"{ROOT}/tags/first")
        api.delete(f"{ROOT}/tags/first")
        api.post(f"{ROOT}/restore", json={"to": "first"})

    assert [action for _, action, _ in decisions.asked if action != "graph.read"] == [
        "graph.manage",
        "graph.manage",
        "graph.manage",
    ]
