"""`aeterna graph`: writes and queries the graph."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

import click

from aeterna.cli import output
from aeterna.cli.commands.graph_erasures import ERASURES
from aeterna.cli.commands.graph_history import HISTORY
from aeterna.cli.commands.graph_questions import QUESTIONS
from aeterna.cli.commands.graph_upkeep import UPKEEP
from aeterna.cli.commands.point import Point, direction_option, kinds_option, pass_point, types_option, where_option
from aeterna.cli.commands.session_file import session_of
from aeterna.cli.connection import connect
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.when import point_in_history

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.client import Commit, Direction


@click.group(short_help="Write and query the graph.")
@click.pass_context
def graph(ctx: click.Context) -> None:
    """Write and query the graph of the token's tenant.

    \b
    aeterna graph commit session.json
    aeterna graph search checkout
    aeterna graph as-of yesterday neighbors svc:checkout --depth 2
    """
    ctx.obj = Point(None)


@graph.command("commit", short_help="Commit a session from a file or stdin.")
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
@click.option("--session-id", help="Makes repeating the command harmless; by default the file's own, or a new one.")
@json_option
@state_dir_option
def commit(*, file: TextIO, session_id: str | None, as_json: bool, state_dir: Path | None) -> None:
    """Commit the session in FILE (or stdin) as one snapshot.

    The file is a JSON object with "nodes", "edges" and "remove", as the HTTP API takes it.

    \b
    echo '{"nodes": [{"id": "svc:checkout", "kind": "Service"}]}' | aeterna graph commit
    """
    session = session_of(file.read(), file.name, session_id)
    with connect(state_dir) as aeterna:
        committed = aeterna.graph.commit(session)
    output.answer(committed, as_json=as_json, human=lambda: _tell_commit(committed))


@graph.command("node")
@click.argument("node_id")
@json_option
@state_dir_option
@pass_point
def node(point: Point, *, node_id: str, as_json: bool, state_dir: Path | None) -> None:
    """Show one node."""
    with connect(state_dir) as aeterna:
        found = aeterna.graph.node(node_id, as_of=point.as_of)

    def tell() -> None:
        click.echo(f"{found.node.id}  ({found.node.kind})")
        output.table(
            ("property", "value"),
            [(name, _text(value)) for name, value in sorted(found.node.properties.items())],
        )

    output.answer({"snapshot_id": found.snapshot_id, "node": found.node}, as_json=as_json, human=tell)


@graph.command("neighbors", short_help="Show the nodes around a node.")
@click.argument("node_id")
@click.option("--depth", type=click.IntRange(1, 10), default=1, show_default=True, help="How many hops to go.")
@direction_option
@types_option
@kinds_option
@where_option
@click.option("--limit", type=click.IntRange(min=1), help="Nodes on one page.")
@click.option("--cursor", help="The page to show: what the page before called next_cursor.")
@json_option
@state_dir_option
@pass_point
def neighbors(  # noqa: PLR0913 - one argument for each option
    point: Point,
    *,
    node_id: str,
    depth: int,
    direction: Direction,
    types: tuple[str, ...],
    kinds: tuple[str, ...],
    where: tuple[str, ...],
    limit: int | None,
    cursor: str | None,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Show the nodes around a node.

    \b
    aeterna graph neighbors svc:checkout --depth 2 --type depends_on
    aeterna graph neighbors team:payments --direction in --where 'tier<=2' --where '!retired'
    """
    with connect(state_dir) as aeterna:
        found = aeterna.graph.neighbors(
            node_id,
            depth=depth,
            direction=direction,
            types=types,
            kinds=kinds,
            where=where,
            as_of=point.as_of,
            limit=limit,
            cursor=cursor,
        )

    def tell() -> None:
        output.table(
            ("node", "kind", "hops"), [(near.node.id, near.node.kind, str(near.depth)) for near in found.nodes]
        )
        if found.next_cursor:
            click.echo(f"more with: --cursor {found.next_cursor}", err=True)

    output.answer(found, as_json=as_json, human=tell)


@graph.command("path", short_help="Show one shortest path.")
@click.argument("source")
@click.argument("target")
@click.option("--max-hops", type=click.IntRange(min=1), help="Give up beyond so many hops.")
@direction_option
@types_option
@json_option
@state_dir_option
@pass_point
def path(
    point: Point,
    *,
    source: str,
    target: str,
    max_hops: int | None,
    direction: Direction,
    types: tuple[str, ...],
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Show one shortest path; the exit status is 1 when there is none.

    \b
    aeterna graph path svc:checkout team:payments --max-hops 4
    """
    with connect(state_dir) as aeterna:
        found = aeterna.graph.shortest_path(
            source, target, max_hops=max_hops, direction=direction, types=types, as_of=point.as_of
        )

    def tell() -> None:
        click.echo(found.nodes[0])
        for edge, reached in zip(found.edges, found.nodes[1:], strict=True):
            arrow = f"-[{edge.type}]->" if edge.target == reached else f"<-[{edge.type}]-"
            click.echo(f"  {arrow} {reached}")

    output.answer(found, as_json=as_json, human=tell)


@graph.command("snapshots")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@json_option
@state_dir_option
def snapshots(*, limit: int, as_json: bool, state_dir: Path | None) -> None:
    """List the snapshots that can be read with as-of."""
    with connect(state_dir) as aeterna:
        listed = aeterna.graph.snapshots(limit=limit)
    output.answer(
        {"snapshots": listed},
        as_json=as_json,
        human=lambda: output.table(
            ("snapshot", "committed"), [(one.snapshot_id, one.committed_at.isoformat()) for one in listed]
        ),
    )


@graph.command("statistics")
@json_option
@state_dir_option
@pass_point
def statistics(point: Point, *, as_json: bool, state_dir: Path | None) -> None:
    """Show how large the graph is."""
    with connect(state_dir) as aeterna:
        counted = aeterna.graph.statistics(as_of=point.as_of)
    output.answer(
        counted,
        as_json=as_json,
        human=lambda: click.echo(f"{counted.nodes} nodes, {counted.edges} edges as of snapshot {counted.snapshot_id}"),
    )


@graph.group("as-of", short_help="Ask about an earlier moment.")
@click.argument("when")
@click.pass_context
def as_of(ctx: click.Context, *, when: str) -> None:
    """Read the graph as it was WHEN: a time, a date, yesterday, "3 hours ago", a tag, seq:42, a snapshot id.

    \b
    aeterna graph as-of yesterday neighbors svc:checkout
    aeterna graph as-of 2026-11-01T12:00:00Z path svc:checkout svc:ledger
    """
    ctx.obj = Point(point_in_history(when, datetime.now().astimezone()))


for command in (*QUESTIONS, *HISTORY, *ERASURES, *UPKEEP):
    graph.add_command(command)
for command in (node, neighbors, path, statistics, *QUESTIONS):
    as_of.add_command(command)


def _tell_commit(committed: Commit) -> None:
    happened = "was committed before" if committed.repeated else "committed"
    click.echo(
        f"session {committed.session_id} {happened}: snapshot {committed.snapshot_id}, "
        f"{committed.nodes} nodes, {committed.edges} edges"
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
