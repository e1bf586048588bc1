"""`aeterna graph erase`, `erasure`, `holds`, `hold` and `release`: what must be forgotten, and what must not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.options import json_option, state_dir_option

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.client import Aeterna, Erasure, Verification

_LOOK_SECONDS: Final = 1.0
_UNCLEAN: Final = 1  # exit status when something is left


@click.command("erase", short_help="Erase a subject, nodes or everything, for ever.")
@click.option("--subject", help="Whose commits: the `sub` of their tokens.")
@click.option("--node", "nodes", multiple=True, help="A node about a person; may be given several times.")
@click.option("--tenant", is_flag=True, help="Everything.")
@click.option("--erasure-id", help="Your own UUID: makes repeating the command harmless.")
@click.option("--wait", is_flag=True, help="Come back when everything is gone for ever.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@state_dir_option
def erase(
    *,
    subject: str | None,
    nodes: tuple[str, ...],
    tenant: bool,
    erasure_id: str | None,
    wait: bool,
    yes: bool,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Erase a subject, nodes about a person, or everything, for ever.

    No read shows it when the command comes back; the files go soon after, with every snapshot and tag that holds it.

    \b
    aeterna graph erase --subject ada@example.org
    aeterna graph erase --node patient:17 --node patient:18 --wait
    """
    if tenant == bool(subject or nodes):
        raise click.UsageError("say either --tenant, or --subject and --node")
    what = "everything of the tenant" if tenant else " and ".join([*([subject] if subject else []), *nodes])
    if not yes:
        click.confirm(f"Erase {what}, with its history? There is no way back", abort=True, err=True)
    with connect(state_dir) as aeterna:
        erasure = aeterna.graph.erase(subject, nodes=nodes, tenant=tenant, erasure_id=erasure_id)
        if wait:
            erasure = _awaited(aeterna, erasure)
    if not erasure.done:
        click.echo(f"follow it with: aeterna graph erasure {erasure.erasure_id}", err=True)
    output.answer(erasure, as_json=as_json, human=lambda: _tell(erasure))


@click.command("erasure", short_help="Show or verify an erasure, or list all.")
@click.argument("erasure_id", required=False)
@click.option("--verify", is_flag=True, help="Look for it in every byte that is left; exit status 1 when it is found.")
@click.option("--subject", help="With --verify: whom it was about, which the certificate does not know.")
@click.option("--node", "nodes", multiple=True, help="With --verify: the nodes that were named.")
@json_option
@state_dir_option
def erasure(
    *,
    erasure_id: str | None,
    verify: bool,
    subject: str | None,
    nodes: tuple[str, ...],
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Show an erasure and its certificate, or list all of them.

    \b
    aeterna graph erasure
    aeterna graph erasure ERASURE_ID --verify --subject ada@example.org
    """
    if verify and erasure_id is None:
        raise click.UsageError("--verify needs the id of an erasure")
    if not verify and (subject or nodes):
        raise click.UsageError("--subject and --node go with --verify")
    with connect(state_dir) as aeterna:
        if erasure_id is None:
            listed = aeterna.graph.erasures()
            output.answer({"erasures": listed}, as_json=as_json, human=lambda: _table(listed))
            return
        if not verify:
            found = aeterna.graph.erasure(erasure_id)
            output.answer(found, as_json=as_json, human=lambda: _tell(found))
            return
        verified = aeterna.graph.verify_erasure(erasure_id, subject=subject, nodes=nodes)
    output.answer(verified, as_json=as_json, human=lambda: _tell_verification(verified))
    if not verified.clean:
        raise SystemExit(_UNCLEAN)


@click.command("holds")
@json_option
@state_dir_option
def holds(*, as_json: bool, state_dir: Path | None) -> None:
    """List the legal holds in force."""
    with connect(state_dir) as aeterna:
        listed = aeterna.graph.holds()
    output.answer(
        {"holds": listed},
        as_json=as_json,
        human=lambda: output.table(
            ("hold", "of", "by", "since", "reason"),
            [
                (each.hold_id, each.subject or "everything", each.placed_by, each.placed_at.isoformat(), each.reason)
                for each in listed
            ],
        ),
    )


@click.command("hold", short_help="Forbid to erase, until the hold is released.")
@click.argument("hold_id")
@click.option("--reason", required=True, help="Why; it is kept with the hold.")
@click.option("--subject", help="Whose commits must stay; by default everything.")
@json_option
@state_dir_option
def hold(*, hold_id: str, reason: str, subject: str | None, as_json: bool, state_dir: Path | None) -> None:
    """Forbid to erase what a subject committed, or anything, until the hold is released.

    \b
    aeterna graph hold case-2026-114 --reason discovery --subject ada@example.org
    """
    with connect(state_dir) as aeterna:
        placed = aeterna.graph.hold(hold_id, reason=reason, subject=subject)
    output.answer(
        placed,
        as_json=as_json,
        human=lambda: click.echo(f"hold {placed.hold_id} keeps {placed.subject or 'everything'}"),
    )


@click.command("release", short_help="End a legal hold.")
@click.argument("hold_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@state_dir_option
def release(*, hold_id: str, yes: bool, as_json: bool, state_dir: Path | None) -> None:
    """End a legal hold; an erasure that it stopped goes on."""
    if not yes:
        click.confirm(f"Release the hold {hold_id}?", abort=True, err=True)
    with connect(state_dir) as aeterna:
        aeterna.graph.release(hold_id)
    output.answer(
        {"hold_id": hold_id, "released": True}, as_json=as_json, human=lambda: click.echo(f"released hold {hold_id}")
    )


def _awaited(aeterna: Aeterna, erasure: Erasure) -> Erasure:
    while not erasure.done:
        time.sleep(_LOOK_SECONDS)
        erasure = aeterna.graph.erasure(erasure.erasure_id)
    return erasure


def _tell(erasure: Erasure) -> None:
    click.echo(f"erasure {erasure.erasure_id}: {erasure.state}, ordered {erasure.ordered_at.isoformat()}")
    if erasure.rows:
        click.echo("  rows that went: " + ", ".join(f"{count} {record}" for record, count in erasure.rows.items()))
    if erasure.files:
        click.echo(f"  files that went: {len(erasure.files)}, {sum(file.bytes for file in erasure.files)} bytes")
    if erasure.verification:
        _tell_verification(erasure.verification)


def _tell_verification(found: Verification) -> None:
    verdict = "clean" if found.clean else "NOT clean"
    click.echo(f"  {verdict}: looked at {found.files} files, {found.bytes} bytes, at {found.at.isoformat()}")
    for finding in found.findings:
        click.echo(f"    left in {finding.path}: {finding.count} {finding.what}")
    if found.mentions:
        rows = sum(mention.count for mention in found.mentions)
        click.echo(f"    the same text stands in {rows} rows of others, which are not part of it")


def _table(listed: tuple[Erasure, ...]) -> None:
    output.table(
        ("erasure", "state", "ordered", "by"),
        [(each.erasure_id, each.state, each.ordered_at.isoformat(), each.ordered_by) for each in listed],
    )


ERASURES: Final = (erase, erasure, holds, hold, release)
