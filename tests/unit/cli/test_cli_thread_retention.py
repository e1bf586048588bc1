"""The commands that make the thread store forget ask first, and want one clear target."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from aeterna.cli.commands.threads import threads

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def answering(document: object) -> Generator[dict[str, str]]:
    """Serve one document as the answer to every question, and give out the environment that leads there."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            del format, args

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield {
            "AETERNA_GRAPH_URL": url,
            "AETERNA_THREADS_URL": url,
            "AETERNA_POLICIES_URL": url,
            "AETERNA_TOKEN": "acme",
        }
        server.shutdown()


def test_a_quota_of_zero_is_not_shown_as_none() -> None:
    quotas = {"threads": 0, "bytes": None, "open_tasks": 7, "writes_per_second": None}
    usage = {"threads": 3, "bytes": 9, "open_tasks": 1, "measured_at": None, "quotas": quotas}
    with answering(usage) as environment:
        shown = CliRunner().invoke(threads, ["usage"], env=environment).output

    assert shown.splitlines()[:3] == ["threads\t3\t0", "bytes\t9\t-", "open_tasks\t1\t7"]


def test_an_erasure_says_of_what_by_whom_and_when_it_was_done() -> None:
    erasure = {
        "erasure_id": "6f1c",
        "state": "done",
        "scope": "subject",
        "target_digest": "a8e8",
        "ordered_by": "root",
        "ordered_at": "2026-11-23T06:00:00Z",
        "done_at": "2026-11-23T06:00:01Z",
        "held_by": None,
        "removed": {"rows": 2},
    }
    with answering(erasure) as environment:
        shown = CliRunner().invoke(threads, ["erasure", "6f1c"], env=environment).output

    assert shown.splitlines() == [
        "erasure 6f1c of a subject: done",
        "target digest a8e8",
        "ordered by root at 2026-11-23T06:00:00+00:00",
        "  rows: 2",
        "done at 2026-11-23T06:00:01+00:00; --json has the whole certificate",
    ]


@pytest.mark.parametrize("arguments", [["erase", "--subject", "ada"], ["holds", "release", "case-1"]])
def test_nothing_is_done_without_a_yes(arguments: list[str]) -> None:
    """No service is there: going on would fail in another way than by an abort."""
    result = CliRunner().invoke(threads, arguments, input="n\n")

    assert (result.exit_code, "Aborted" in result.output) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["erase", "--yes"],
        ["erase", "--yes", "--subject", "ada", "--tenant"],
        ["erase", "--yes", "--subject", "ada", "--thread", "t"],
        ["holds", "place", "case-1"],
        ["holds", "place", "case-1", "--reason", "r", "--subject", "ada", "--thread", "t"],
    ],
)
def test_what_is_not_clear_is_refused_before_anything_is_asked(arguments: list[str]) -> None:
    assert CliRunner().invoke(threads, arguments).exit_code == 2
