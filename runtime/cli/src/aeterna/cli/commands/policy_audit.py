"""`aeterna policy audit`: who changed which policies when, and whether that was tampered with."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.errors import DONE, FAILED
from aeterna.cli.options import json_option, state_dir_option

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.client import AuditVerification

_SHOWN: Final = ("version", "base", "previous", "restores", "records", "message")


@click.command("audit", short_help="Show or verify who changed what.")
@click.option("--verify", is_flag=True, help="Follow the chain of hashes; exit status 1 where it is broken.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many records.")
@json_option
@state_dir_option
def audit(*, verify: bool, limit: int, as_json: bool, state_dir: Path | None) -> int:
    """Show who changed what, newest first.

    With --verify the whole chain is followed. Keep its last hash elsewhere: a chain that was forged as a whole holds
    as well, but never ends in a hash that you know.
    """
    with connect(state_dir) as aeterna:
        if verify:
            found = aeterna.policies.verify_audit()
            output.answer(found, as_json=as_json, human=lambda: _tell(found))
            return DONE if found.holds else FAILED
        records = list(islice(aeterna.policies.audit(), limit))
    output.answer(
        {"records": records},
        as_json=as_json,
        human=lambda: output.table(
            ("record", "at", "act", "actor", "facts"),
            [
                (
                    str(one.seq),
                    one.at.isoformat(timespec="seconds"),
                    one.act,
                    one.actor,
                    json.dumps({name: one.facts[name] for name in _SHOWN if one.facts.get(name) is not None}),
                )
                for one in records
            ],
        ),
    )
    return DONE


def _tell(found: AuditVerification) -> None:
    if found.holds:
        click.echo(
            f"{found.records} records from {found.first_seq} to {found.last_seq} hold, ending in {found.last_hash}"
        )
    else:
        click.echo(f"record {found.broken_at} {found.reason}; the {found.records} records before it hold")
