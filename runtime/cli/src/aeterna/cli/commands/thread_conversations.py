"""`aeterna threads`: the commands that write and read conversations."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.lifetime import Lifetime
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.timestamp import Timestamp
from aeterna.client import DataPart

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path

    from aeterna.client import Message, Role, ThreadInfo


@click.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@click.option("--by", help="Only those that this subject opened.")
@click.option("--since", type=Timestamp(), help="Only those opened at or after this time.")
@click.option("--before", type=Timestamp(), help="Only those opened before this time.")
@click.option("--updated-since", type=Timestamp(), help="Only those that changed at or after this time.")
@click.option("--title", help="Only those whose title contains this.")
@json_option
@state_dir_option
def list_(
    *,
    limit: int,
    by: str | None,
    since: datetime | None,
    before: datetime | None,
    updated_since: datetime | None,
    title: str | None,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """List the conversations, newest first."""
    with connect(state_dir) as aeterna:
        threads = aeterna.threads.list(
            created_by=by, created_since=since, created_before=before, updated_since=updated_since, title=title
        )
        found = list(islice(threads, limit))
    output.answer(
        {"threads": found},
        as_json=as_json,
        human=lambda: output.table(
            ("thread", "messages", "created", "expires", "title"),
            [
                (one.thread_id, str(one.last_seq), one.created_at.isoformat(), _end(one), one.title or "")
                for one in found
            ],
        ),
    )


@click.command("show")
@click.argument("thread_id")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only the messages after this number.")
@json_option
@state_dir_option
def show(*, thread_id: str, after: int, as_json: bool, state_dir: Path | None) -> None:
    """Show the messages of a conversation."""
    with connect(state_dir) as aeterna:
        messages = list(aeterna.threads.get(thread_id).messages(after_seq=after))

    def tell() -> None:
        for message in messages:
            _tell(message)

    output.answer({"thread_id": thread_id, "messages": messages}, as_json=as_json, human=tell)


@click.command("append")
@click.argument("thread_id")
@click.argument("text", required=False)
@click.option("--role", type=click.Choice(["user", "agent"]), default="user", show_default=True, help="Who speaks.")
@click.option("--message-id", help="Makes repeating the command harmless; by default a new one.")
@click.option("--ttl", type=Lifetime(), help="For a new conversation: how long after its last message it goes.")
@click.option("--expected-seq", type=click.IntRange(min=0), help="Refuse when the conversation has gone on since.")
@json_option
@state_dir_option
def append(
    *,
    thread_id: str,
    text: str | None,
    role: Role,
    message_id: str | None,
    ttl: timedelta | None,
    expected_seq: int | None,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Append TEXT (or stdin) to a conversation, which is made if it is not there yet."""
    said = sys.stdin.read().rstrip("\n") if text is None else text
    with connect(state_dir) as aeterna:
        thread = aeterna.threads.open(thread_id, ttl=ttl)
        appended = thread.append(role, [said], message_id=message_id, expected_seq=expected_seq)
    happened = "was appended before" if appended.repeated else "appended"
    told = f"message {appended.seq} {happened} ({appended.message_id})"
    output.answer(appended, as_json=as_json, human=lambda: click.echo(told))


@click.command("tail")
@click.argument("thread_id")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only the messages after this number.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many messages; by default go on until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document a line.")
@state_dir_option
def tail(*, thread_id: str, after: int, count: int | None, as_json: bool, state_dir: Path | None) -> None:
    """Follow a conversation: every message so far, then each new one as it comes."""
    with connect(state_dir) as aeterna, suppress(KeyboardInterrupt):
        for message in islice(aeterna.threads.get(thread_id).events(after_seq=after), count):
            output.answer(message, as_json=as_json, human=lambda said=message: _tell(said))


def _end(thread: ThreadInfo) -> str:
    return "" if thread.expires_at is None else thread.expires_at.isoformat(timespec="seconds")


def _tell(message: Message) -> None:
    """Print one message; what programs said to each other is shown as JSON."""
    data = [json.dumps(part.data, ensure_ascii=False) for part in message.parts if isinstance(part, DataPart)]
    said = "\n".join([*([message.text] if message.text else []), *data]).replace("\n", "\n        ")
    click.echo(f"{message.seq:>4} {click.style(message.role, bold=True)}: {said}")
