"""`aeterna graph tag`, `tags`, `diff`, `changes` and `restore`: the graph's history."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from aeterna.cli import output
from aeterna.cli.commands.point import kinds_option
from aeterna.cli.connection import connect
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.when import point_in_history

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.client import Counts, EdgeChange, NodeChange, SessionChanges

_SIGNS: Final = {"added": "+", "changed": "~", "removed": "-"}


@click.command("tag", short_help="Name a moment, so that it stays readable.")
@click.argument("name")
@click.option(
    "--as-of", "when", help="The moment to name: a time, yesterday, a tag, seq:42, a snapshot id; by default now."
)
@click.option("--keep-days", type=click.FloatRange(min=0, min_open=True), help="For how long; by default for ever.")
@click.option("--delete", is_flag=True, help="Forget the tag instead.")
@json_option
@state_dir_option
def tag(
    *, name: str, when: str | None, keep_days: float | None, delete: bool, as_json: bool, state_dir: Path | None
) -> None:
    """Name a moment, so that it stays readable. A tag never moves.

    \b
    aeterna graph tag before-the-import
    aeterna graph tag end-of-october --as-of 2026-10-31 --keep-days 90
    aeterna graph tag before-the-import --delete
    """
    if delete:
        if when is not None or keep_days is not None:
            raise click.UsageError("--delete goes with neither --as-of nor --keep-days")
        with connect(state_dir) as aeterna:
            aeterna.graph.untag(name)
        output.answer({"name": name, "deleted": True}, as_json=as_json, human=lambda: click.echo(f"forgot tag {name}"))
        return
    keep = None if keep_days is None else timedelta(days=keep_days)
    with connect(state_dir) as aeterna:
        made = aeterna.graph.tag(name, as_of=_point(when), keep=keep)
    output.answer(
        made,
        as_json=as_json,
        human=lambda: click.echo(
            f"tag {made.name}: snapshot {made.snapshot_id}, seq {made.seq}, of {made.committed_at.isoformat()}"
        ),
    )


@click.command("tags")
@json_option
@state_dir_option
def tags(*, as_json: bool, state_dir: Path | None) -> None:
    """List the tags, backups included."""
    with connect(state_dir) as aeterna:
        found = aeterna.graph.tags()
    output.answer(
        {"tags": found},
        as_json=as_json,
        human=lambda: output.table(
            ("tag", "snapshot", "seq", "of", "until"),
            [
                (
                    one.name,
                    one.snapshot_id,
                    str(one.seq),
                    one.committed_at.isoformat(),
                    one.expires_at.isoformat() if one.expires_at else "",
                )
                for one in found
            ],
        ),
    )


@click.command("diff", short_help="Show what differs between two moments.")
@click.argument("start")
@click.argument("end", required=False)
@kinds_option
@click.option("--type", "types", multiple=True, help="Show only edges of this type; may be given several times.")
@click.option("--limit", type=click.IntRange(1, 1000), help="How many on one page.")
@click.option("--cursor", help="The page to show: what the page before called next_cursor.")
@json_option
@state_dir_option
def diff(
    *,
    start: str,
    end: str | None,
    kinds: tuple[str, ...],
    types: tuple[str, ...],
    limit: int | None,
    cursor: str | None,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Show what differs between START and END, or now: times, words like yesterday, tags, seq:42, snapshot ids.

    \b
    aeterna graph diff before-the-import
    aeterna graph diff 2026-10-01T00:00:00Z 2026-11-01T00:00:00Z --kind Service
    """
    with connect(state_dir) as aeterna:
        found = aeterna.graph.diff(
            _point(start) or start, _point(end), kinds=kinds, types=types, limit=limit, cursor=cursor
        )

    def tell() -> None:
        click.echo(f"nodes: {_counted(found.node_counts)}; edges: {_counted(found.edge_counts)}", err=True)
        for node in found.nodes:
            click.echo(_told_node(node))
        for edge in found.edges:
            click.echo(_told_edge(edge))
        if found.next_cursor:
            click.echo(f"more with: --cursor {found.next_cursor}", err=True)

    output.answer(found, as_json=as_json, human=tell)


@click.command("changes", short_help="Follow the sessions as they come.")
@click.option("--after", type=click.IntRange(min=0), help="The seq to go on from; by default only what is new.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many; by default go on until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document a line.")
@state_dir_option
def changes(*, after: int | None, count: int | None, as_json: bool, state_dir: Path | None) -> None:
    """Follow the graph: what each session changed, as it comes.

    \b
    aeterna graph changes
    aeterna graph changes --after 0 --count 10 --json
    """
    with connect(state_dir) as aeterna, suppress(KeyboardInterrupt):
        for session in islice(aeterna.graph.changes(after=after), count):
            output.answer(session, as_json=as_json, human=lambda one=session: _tell_session(one))


@click.command("restore", short_help="Bring the graph back to a moment.")
@click.argument("to")
@click.option("--session-id", help="Makes repeating the command harmless; by default a new one.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@json_option
@state_dir_option
def restore(*, to: str, session_id: str | None, dry_run: bool, as_json: bool, state_dir: Path | None) -> None:
    """Bring the graph back to TO: a time, a tag, seq:42, a snapshot id. What was committed since stays in the history.

    \b
    aeterna graph restore before-the-import --dry-run
    aeterna graph restore backup-20261101T060000Z
    """
    with connect(state_dir) as aeterna:
        done = aeterna.graph.restore(_point(to) or to, session_id=session_id, dry_run=dry_run)

    def tell() -> None:
        if done.nodes is None or done.edges is None:
            click.echo(f"session {done.session_id} was restored before: seq {done.seq}, snapshot {done.snapshot_id}")
            return
        happened = "would change" if done.dry_run else f"restored as seq {done.seq}, snapshot {done.snapshot_id}"
        click.echo(f"{happened}: nodes {_counted(done.nodes)}; edges {_counted(done.edges)}")

    output.answer(done, as_json=as_json, human=tell)


HISTORY: Final[tuple[click.Command, ...]] = (tag, tags, diff, changes, restore)


def _point(words: str | None) -> str | None:
    return None if words is None else point_in_history(words, datetime.now().astimezone())


def _counted(counts: Counts) -> str:
    return f"+{counts.added} ~{counts.changed} -{counts.removed}"


def _told_node(change: NodeChange) -> str:
    node = change.after or change.before
    return f"{_SIGNS[change.change]} {node.id}  ({node.kind})" if node else ""


def _told_edge(change: EdgeChange) -> str:
    edge = change.after or change.before
    return f"{_SIGNS[change.change]} {edge.source} -[{edge.type}]-> {edge.target}" if edge else ""


def _tell_session(one: SessionChanges) -> None:
    click.echo(click.style(f"{one.seq:>6} {one.session_id}  {one.committed_at.isoformat()}", bold=True))
    for node in one.nodes:
        click.echo(f"       + {node.id}  ({node.kind})")
    for edge in one.edges:
        click.echo(f"       + {edge.source} -[{edge.type}]-> {edge.target}")
    for node_id in one.removed_nodes:
        click.echo(f"       - {node_id}")
    for key in one.removed_edges:
        click.echo(f"       - {key.source} -[{key.type}]-> {key.target}")
