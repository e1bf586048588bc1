"""`aeterna threads erase`, `erasure` and `holds`: which conversations must be forgotten, and which must not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.options import json_option, state_dir_option

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aeterna.client.retention_values import ThreadErasure, ThreadHold, ThreadUsage

_LOOK_SECONDS: Final = 1.0


@click.command("erase", short_help="Erase a subject, a thread or everything, for ever.")
@click.option("--subject", help="Whose conversations and messages: the `sub` of their tokens.")
@click.option("--thread", "thread_id", help="A conversation or a task.")
@click.option("--tenant", is_flag=True, help="Everything that the tenant has.")
@click.option("--erasure-id", help="Your own UUID: makes repeating the command harmless.")
@click.option("--wait", is_flag=True, help="Come back when everything is gone for ever.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@state_dir_option
def erase(
    *,
    subject: str | None,
    thread_id: str | None,
    tenant: bool,
    erasure_id: str | None,
    wait: bool,
    yes: bool,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Erase what a subject owns and wrote, a conversation, or everything, for ever.

    \b
    aeterna threads erase --subject ada@example.org --wait
    aeterna threads erase --thread incident-7
    """
    if [subject is not None, thread_id is not None, tenant].count(True) != 1:
        raise click.UsageError("say one of --subject, --thread and --tenant")
    if not yes:
        what = "everything of the tenant" if tenant else subject or thread_id
        click.confirm(f"Erase {what}? There is no way back", abort=True, err=True)
    with connect(state_dir) as aeterna:
        retention = aeterna.threads.retention
        found = retention.erase(subject, thread_id=thread_id, tenant=tenant, erasure_id=erasure_id)
        while wait and not found.done and found.held_by is None:
            time.sleep(_LOOK_SECONDS)
            found = retention.erasure(found.erasure_id)
    if not found.done:
        click.echo(f"follow it with: aeterna threads erasure {found.erasure_id}", err=True)
    output.answer(found, as_json=as_json, human=lambda: _tell(found))


@click.command("erasure", short_help="Show an erasure, or list them.")
@click.argument("erasure_id", required=False)
@json_option
@state_dir_option
def erasure(*, erasure_id: str | None, as_json: bool, state_dir: Path | None) -> None:
    """Show an erasure and its certificate, or list the newest."""
    with connect(state_dir) as aeterna:
        if erasure_id is None:
            listed = aeterna.threads.retention.erasures()
            output.answer({"erasures": listed}, as_json=as_json, human=lambda: _table(listed))
            return
        found = aeterna.threads.retention.erasure(erasure_id)
    output.answer(found, as_json=as_json, human=lambda: _tell(found))


@click.group("holds", short_help="Legal holds: what must not be removed.")
def holds() -> None:
    """List, place and release legal holds."""


@holds.command("list")
@json_option
@state_dir_option
def list_(*, as_json: bool, state_dir: Path | None) -> None:
    """List the legal holds in force."""
    with connect(state_dir) as aeterna:
        listed = aeterna.threads.retention.holds()
    output.answer(
        {"holds": listed},
        as_json=as_json,
        human=lambda: output.table(
            ("hold", "of", "by", "since", "reason"),
            [
                (each.hold_id, _held(each), each.placed_by, each.placed_at.isoformat(timespec="seconds"), each.reason)
                for each in listed
            ],
        ),
    )


@holds.command("place", short_help="Forbid to remove, until the hold is released.")
@click.argument("hold_id")
@click.option("--reason", required=True, help="Why; it stays in the audit, so put no names into it.")
@click.option("--thread", "thread_id", help="The conversation or task that must stay.")
@click.option("--subject", help="Whose conversations and messages must stay; by default everything.")
@json_option
@state_dir_option
def place(
    *, hold_id: str, reason: str, thread_id: str | None, subject: str | None, as_json: bool, state_dir: Path | None
) -> None:
    """Forbid to remove a conversation, what a subject owns and wrote, or anything, until the hold is released.

    \b
    aeterna threads holds place case-2026-114 --reason discovery --subject ada@example.org
    """
    if thread_id is not None and subject is not None:
        raise click.UsageError("--thread goes without --subject: make it two holds")
    with connect(state_dir) as aeterna:
        placed = aeterna.threads.retention.hold(hold_id, reason=reason, thread_id=thread_id, subject=subject)
    output.answer(placed, as_json=as_json, human=lambda: click.echo(f"hold {placed.hold_id} keeps {_held(placed)}"))


@holds.command("release", short_help="End a legal hold.")
@click.argument("hold_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@state_dir_option
def release(*, hold_id: str, yes: bool, as_json: bool, state_dir: Path | None) -> None:
    """End a legal hold; what has expired under it goes, and an erasure that it stopped goes on."""
    if not yes:
        click.confirm(f"Release the hold {hold_id}?", abort=True, err=True)
    with connect(state_dir) as aeterna:
        aeterna.threads.retention.release(hold_id)
    output.answer(
        {"hold_id": hold_id, "released": True}, as_json=as_json, human=lambda: click.echo(f"released hold {hold_id}")
    )


@click.command("usage")
@json_option
@state_dir_option
def usage(*, as_json: bool, state_dir: Path | None) -> None:
    """Show what the tenant holds and may hold."""
    with connect(state_dir) as aeterna:
        found = aeterna.threads.retention.usage()

    def tell() -> None:
        held = (("threads", found.threads), ("bytes", found.bytes), ("open_tasks", found.open_tasks))
        rows = [(what, str(count), _limit(found, what)) for what, count in held]
        output.table(("what", "held", "quota"), rows)
        when = "never" if found.measured_at is None else found.measured_at.isoformat(timespec="seconds")
        click.echo(f"counted {when}; writes a second: {_limit(found, 'writes_per_second')}")

    output.answer(found, as_json=as_json, human=tell)


def _limit(found: ThreadUsage, what: str) -> str:
    limit = found.quotas.get(what)
    return "-" if limit is None else str(limit)


def _held(hold: ThreadHold) -> str:
    return hold.thread_id or hold.subject or "everything"


def _table(listed: Sequence[ThreadErasure]) -> None:
    output.table(
        ("erasure", "of", "state", "by", "ordered"),
        [
            (each.erasure_id, each.scope, each.state, each.ordered_by, each.ordered_at.isoformat(timespec="seconds"))
            for each in listed
        ],
    )


def _tell(found: ThreadErasure) -> None:
    click.echo(f"erasure {found.erasure_id} of a {found.scope}: {found.state}")
    if found.target_digest is not None:
        click.echo(f"target digest {found.target_digest}")
    click.echo(f"ordered by {found.ordered_by} at {found.ordered_at.isoformat(timespec='seconds')}")
    if found.held_by is not None:
        click.echo(f"stopped by the legal hold {found.held_by}")
    for kind, count in sorted(found.removed.items()):
        click.echo(f"  {kind}: {count}")
    if found.done_at is not None:
        click.echo(f"done at {found.done_at.isoformat(timespec='seconds')}; --json has the whole certificate")
