"""`aeterna threads search`: what the conversations of the token's tenant say."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.timestamp import Timestamp

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@click.command("search")
@click.argument("text")
@click.option("--thread", "within", help="Only in this conversation.")
@click.option("--since", type=Timestamp(), help="Only what was said at or after this time.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@json_option
@state_dir_option
def search(
    *, text: str, within: str | None, since: datetime | None, limit: int, as_json: bool, state_dir: Path | None
) -> None:
    """Find messages that hold all words of TEXT, newest first: "a phrase", this or that, -not this."""
    with connect(state_dir) as aeterna:
        hits = list(islice(aeterna.threads.search(text, within=within, since=since, page=min(limit, 100)), limit))
    output.answer(
        {"hits": hits},
        as_json=as_json,
        human=lambda: output.table(
            ("thread", "message", "said", "by", "text"),
            [
                (hit.thread_id, str(hit.seq), hit.created_at.isoformat(timespec="seconds"), hit.author, hit.snippet)
                for hit in hits
            ],
        ),
    )
