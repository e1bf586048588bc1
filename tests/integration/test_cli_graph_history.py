"""The command line names moments of a served graph, compares them, goes back to them, and keeps its table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from structlog.testing import capture_logs

from aeterna.cli.main import run
from aeterna.client import Aeterna
from fixtures.served_graph import served_graph

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLE_TASKS: Final = ["backup", "compact", "expire", "collect"]


@pytest.fixture(autouse=True)
def _graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve one service as session 1, and a second one that it calls as session 2."""
    with capture_logs(), served_graph(tmp_path) as url:  # they would go to the command's own stdout
        for name, value in {"GRAPH_URL": url, "THREADS_URL": url, "TOKEN": "acme"}.items():
            monkeypatch.setenv(f"AETERNA_{name}", value)
        with Aeterna(graph_url=url, threads_url=url, token="acme") as aeterna:
            with aeterna.graph.session("first") as session:
                session.node("svc:checkout", kind="Service")
            with aeterna.graph.session("second") as session:
                session.node("svc:ledger", kind="Service")
                session.edge("svc:checkout", "calls", "svc:ledger")
        yield


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """Run one command line and return what it printed."""
    capsys.readouterr()
    ended = run(["graph", *arguments])
    shown = capsys.readouterr()
    assert ended == status, shown.err
    return shown.out if status == 0 else shown.err


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:  # noqa: ANN401 - a JSON document
    """Run one command line and read its JSON document."""
    return json.loads(told(capsys, *arguments, "--json"))


def test_a_tag_names_a_moment_until_it_is_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    made = told(capsys, "tag", "before-ledger", "--as-of", "seq:1", "--keep-days", "90")
    listed = answered(capsys, "tags")["tags"]
    then = answered(capsys, "as-of", "before-ledger", "statistics")
    forgotten = told(capsys, "tag", "before-ledger", "--delete")

    assert made.startswith("tag before-ledger: snapshot ")
    assert [(one["name"], one["seq"], one["expires_at"] is None) for one in listed] == [("before-ledger", 1, False)]
    assert then["nodes"] == 1
    assert forgotten == "forgot tag before-ledger\n"
    assert "hint: list them with: aeterna graph tags" in told(capsys, "as-of", "before-ledger", "statistics", status=1)


def test_a_difference_is_a_line_for_each_thing(capsys: pytest.CaptureFixture[str]) -> None:
    forward = told(capsys, "diff", "seq:1")
    back = told(capsys, "diff", "seq:2", "seq:1", "--type", "calls", "--kind", "Team")

    assert forward == "+ svc:ledger  (Service)\n+ svc:checkout -[calls]-> svc:ledger\n"
    assert back == "- svc:checkout -[calls]-> svc:ledger\n"


def test_changes_go_on_behind_a_seq(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "changes", "--after", "0", "--count", "2", "--json").splitlines()
    person = told(capsys, "changes", "--after", "1", "--count", "1")

    assert [(json.loads(line)["seq"], json.loads(line)["session_id"]) for line in lines] == [
        (1, "first"),
        (2, "second"),
    ]
    assert "+ svc:ledger  (Service)" in person


def test_a_position_ahead_of_the_graph_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "is ahead of the graph, which ends at seq 2" in told(capsys, "changes", "--after", "9", status=1)


def test_a_restore_is_tried_and_then_done_once(capsys: pytest.CaptureFixture[str]) -> None:
    would = told(capsys, "restore", "seq:1", "--dry-run")
    done = answered(capsys, "restore", "seq:1", "--session-id", "back")
    again = told(capsys, "restore", "seq:1", "--session-id", "back")
    other = told(capsys, "restore", "seq:2", "--session-id", "back", status=1)

    assert would == "would change: nodes +0 ~0 -1; edges +0 ~0 -1\n"
    assert (done["seq"], done["nodes"]["removed"], done["repeated"]) == (3, 1, False)
    assert again.startswith("session back was restored before: seq 3,")
    assert "409 graph.session_conflict" in other


def test_a_round_of_upkeep_tells_what_it_would_do_and_then_does_it(capsys: pytest.CaptureFixture[str]) -> None:
    would = told(capsys, "maintain", "--full", "--dry-run")
    untouched = answered(capsys, "tags")["tags"]
    done = answered(capsys, "maintain", "--full")["tasks"]

    assert [line.split(":")[0] for line in would.splitlines()] == TABLE_TASKS
    assert "would have merged 2 files" in would
    assert untouched == []
    assert [(task["task"], task["error"]) for task in done] == [(name, None) for name in TABLE_TASKS]
    assert (done[0]["result"]["made"], done[1]["result"]["files_before"]) == (
        [answered(capsys, "tags")["tags"][0]["name"]],
        2,
    )


def test_one_task_of_upkeep_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "compact") == "compact: merged nothing: not worth it yet (runs of files: 2)\n"
    assert told(capsys, "collect").startswith("collect: deleted 0 files (0 bytes); ")


def test_an_erasure_says_how_to_follow_it(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("erase", "--node", "svc:ledger", "--yes")

    assert run(["graph", *asked]) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith("follow it with: aeterna graph erasure ")
    assert ": pending, ordered " in shown.out
