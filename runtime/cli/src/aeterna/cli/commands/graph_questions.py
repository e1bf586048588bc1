"""`aeterna graph subgraph`, `related`, `query` and `search`: questions about more than one node's surroundings."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Final, TextIO, cast

import click

from aeterna.cli import output
from aeterna.cli.commands.point import Point, kinds_option, pass_point, types_option, where_option
from aeterna.cli.connection import connect
from aeterna.cli.options import json_option, state_dir_option

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aeterna.client import Direction, Hit, JsonValue


@click.command("subgraph", short_help="Show a piece of the graph around some nodes.")
@click.argument("seeds", nargs=-1, required=True)
@click.option("--depth", type=click.IntRange(0, 10), default=1, show_default=True, help="How many hops from a seed.")
@click.option(
    "--direction",
    type=click.Choice(["out", "in", "both"]),
    default="both",
    show_default=True,
    help="Along which edges.",
)
@types_option
@kinds_option
@where_option
@click.option("--max-nodes", type=click.IntRange(min=1), help="Leave out the nodes farthest from the seeds.")
@click.option("--max-edges", type=click.IntRange(min=0), help="Leave out edges beyond so many.")
@json_option
@state_dir_option
@pass_point
def subgraph(  # noqa: PLR0913 - one argument for each option
    point: Point,
    *,
    seeds: tuple[str, ...],
    depth: int,
    direction: Direction,
    types: tuple[str, ...],
    kinds: tuple[str, ...],
    where: tuple[str, ...],
    max_nodes: int | None,
    max_edges: int | None,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Show the nodes around SEEDS, and every edge between them.

    \b
    aeterna graph subgraph svc:checkout svc:ledger --depth 2
    aeterna graph subgraph team:payments --kind Service --json
    """
    with connect(state_dir) as aeterna:
        found = aeterna.graph.subgraph(
            seeds,
            depth=depth,
            direction=direction,
            types=types,
            kinds=kinds,
            where=where,
            max_nodes=max_nodes,
            max_edges=max_edges,
            as_of=point.as_of,
        )

    def tell() -> None:
        output.table(("source", "type", "target"), [(edge.source, edge.type, edge.target) for edge in found.edges])
        joined = {end for edge in found.edges for end in (edge.source, edge.target)}
        for lone in (node for node in found.ids if node not in joined):
            click.echo(lone)
        if found.more_nodes or found.more_edges:
            left_out = " and ".join(["nodes"] * found.more_nodes + ["edges"] * found.more_edges)
            click.echo(f"a limit left out {left_out}: raise --max-nodes or --max-edges, or narrow it", err=True)

    output.answer(found, as_json=as_json, human=tell)


@click.command("related", short_help="Show the nodes that are most like a node.")
@click.argument("node_id")
@types_option
@kinds_option
@click.option("--limit", type=click.IntRange(min=1), help="How many nodes.")
@json_option
@state_dir_option
@pass_point
def related(
    point: Point,
    *,
    node_id: str,
    types: tuple[str, ...],
    kinds: tuple[str, ...],
    limit: int | None,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Show the nodes that are most like a node by what they are joined to.

    \b
    aeterna graph related svc:checkout --kind Service
    """
    with connect(state_dir) as aeterna:
        found = aeterna.graph.related(node_id, types=types, kinds=kinds, limit=limit, as_of=point.as_of)
    output.answer(
        found,
        as_json=as_json,
        human=lambda: output.table(
            ("node", "kind", "score", "shared", "because"),
            [
                (each.node.id, each.node.kind, f"{each.score:.3f}", str(each.shared), ", ".join(each.because))
                for each in found.nodes
            ],
        ),
    )


@click.command("query", short_help="Show where a pattern fits.")
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
@click.option("--cursor", help="The page to show: what the page before called next_cursor.")
@json_option
@state_dir_option
@pass_point
def query(point: Point, *, file: TextIO, cursor: str | None, as_json: bool, state_dir: Path | None) -> None:
    """Show what fits the pattern in FILE (or stdin), which is JSON as the HTTP API takes it.

    \b
    echo '{"nodes": {"s": {"kind": "Service"}, "t": {"kind": "Team"}},
           "edges": [{"from": "s", "to": "t", "type": "owned_by"}],
           "return": ["s.id", "t.id"]}' | aeterna graph query
    """
    pattern = _pattern(file)
    with connect(state_dir) as aeterna:
        found = aeterna.graph.query(pattern, cursor=cursor, as_of=point.as_of)

    def tell() -> None:
        if found.count is not None:
            click.echo(str(found.count))
            return
        output.table(found.columns, [[_cell(value) for value in row] for row in found.rows])
        if found.next_cursor:
            click.echo(f"more with: --cursor {found.next_cursor}", err=True)

    output.answer(found, as_json=as_json, human=tell)


@click.command("search", short_help="Show the nodes that hold some words.")
@click.argument("words", nargs=-1, required=True)
@kinds_option
@click.option("--limit", type=click.IntRange(min=1), help="How many nodes.")
@json_option
@state_dir_option
@pass_point
def search(
    point: Point,
    *,
    words: tuple[str, ...],
    kinds: tuple[str, ...],
    limit: int | None,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Show the nodes that hold all WORDS in their id or their properties, the best first.

    \b
    aeterna graph search checkout api
    aeterna graph search '"order items"' 'pay*' --kind Table
    """
    with connect(state_dir) as aeterna:
        found = aeterna.graph.search(" ".join(words), kinds=kinds, limit=limit, as_of=point.as_of)
    output.answer(
        found,
        as_json=as_json,
        human=lambda: output.table(
            ("node", "kind", "found in", "text"), [(hit.id, hit.kind, *_best(hit)) for hit in found.hits]
        ),
    )


QUESTIONS: Final = (subgraph, related, query, search)


def _pattern(file: TextIO) -> Mapping[str, JsonValue]:
    try:
        pattern = json.load(file)
    except ValueError as malformed:
        raise click.UsageError(f"{file.name} is not JSON: {malformed}") from malformed
    if not isinstance(pattern, dict):
        raise click.UsageError(f"{file.name} is not a JSON object")
    return cast("Mapping[str, JsonValue]", pattern)  # json.load makes only such values


def _best(hit: Hit) -> tuple[str, str]:
    """Return the field to show: a text before the id, which is shown anyway."""
    told = sorted(hit.matched, key=lambda each: each.field == "id")[:1]
    return (told[0].field, " ".join(told[0].snippet.split())) if told else ("", "")


def _cell(value: object) -> str:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = ("id",) if hasattr(value, "id") else ("source", "type", "target")
        return " ".join(str(getattr(value, name)) for name in names)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
