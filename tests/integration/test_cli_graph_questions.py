"""The command line asks long questions of a served graph."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aeterna.client import Aeterna
from fixtures.served_graph import served_graph

if TYPE_CHECKING:
    from collections.abc import Iterator


class Command:
    """The command `aeterna graph`, as a process that knows where the graph is served."""

    def __init__(self, url: str) -> None:
        told = {"AETERNA_GRAPH_URL": url, "AETERNA_THREADS_URL": url, "AETERNA_TOKEN": "acme"}
        self._environment = {**os.environ, **told}

    def __call__(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command line."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "aeterna.cli", "graph", *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Serve two services of one team."""
    with served_graph(tmp_path_factory.mktemp("graph")) as url:
        with Aeterna(graph_url=url, threads_url=url, token="acme") as aeterna, aeterna.graph.session("1") as session:
            session.node("svc:checkout", kind="Service", tier=1, name="Checkout API")
            session.node("svc:ledger", kind="Service", tier=2)
            session.node("team:payments", kind="Team")
            session.edge("svc:checkout", "owned_by", "team:payments")
            session.edge("svc:ledger", "owned_by", "team:payments")
        yield Command(url)


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["search", "checkout", "api"], "svc:checkout\tService\tproperties.name\tCheckout API\n"),
        (["related", "svc:checkout"], "svc:ledger\tService\t1.443\t1\tteam:payments\n"),
        (["subgraph", "svc:ledger"], "svc:ledger\towned_by\tteam:payments\n"),
        (["subgraph", "svc:ledger", "--depth", "0"], "svc:ledger\n"),
        (["neighbors", "team:payments", "--direction", "in", "--where", "tier>1"], "svc:ledger\tService\t1\n"),
        (["path", "svc:ledger", "team:payments", "--type", "owned_by"], "svc:ledger\n  -[owned_by]-> team:payments\n"),
    ],
)
def test_an_answer_is_a_line_for_each_thing(command: Command, arguments: list[str], printed: str) -> None:
    done = command(*arguments)

    assert (done.returncode, done.stdout) == (0, printed), done.stderr


def test_a_pattern_is_read_from_stdin_and_paged_by_a_cursor(command: Command) -> None:
    pattern = json.dumps({"nodes": {"s": {"kind": "Service"}}, "return": ["s", "s.properties.tier"], "limit": 1})
    first = command("query", stdin=pattern)
    cursor = first.stderr.split()[-1]
    second = command("query", "--json", "--cursor", cursor, stdin=pattern)

    assert first.stdout == "svc:checkout\t1\n"
    assert json.loads(second.stdout)["rows"] == [
        [{"id": "svc:ledger", "kind": "Service", "properties": {"tier": 2}}, 2]
    ]


def test_what_cannot_be_asked_is_told_as_an_error(command: Command) -> None:
    done = command("query", stdin='{"nodes": {"a": {}, "b": {}}}')

    assert done.returncode == 1
    assert "nothing joins b to a" in done.stderr


def test_each_wrong_part_of_a_request_is_named(command: Command) -> None:
    done = command("neighbors", "svc:ledger", "--limit", "99999")

    assert done.returncode == 1
    assert "error: /query/limit: " in done.stderr
