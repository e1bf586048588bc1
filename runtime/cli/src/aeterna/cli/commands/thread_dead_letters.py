"""`aeterna threads dead-letters`: what could not be told to a receiver, to look at, to send again or to discard."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.options import json_option, state_dir_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aeterna.client import SyncThreads


@click.group("dead-letters", short_help="Notifications that were given up.")
def dead_letters() -> None:
    """Look at notifications that were given up, have them sent again, or discard them."""


@dead_letters.command("list")
@click.option("--task", "task_id", help="Only those of a task.")
@click.option("--config", "config_id", help="Only those of one receiver of the task.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@json_option
@state_dir_option
def list_(*, task_id: str | None, config_id: str | None, limit: int, as_json: bool, state_dir: Path | None) -> None:
    """List dead letters, newest first."""
    _require_task(task_id, config_id)
    with connect(state_dir) as aeterna:
        found = list(islice(aeterna.threads.dead_letters.list(task_id=task_id, config_id=config_id), limit))
    output.answer(
        {"letters": found},
        as_json=as_json,
        human=lambda: output.table(
            ("letter", "task", "config", "seq", "reason", "attempts", "died", "error"),
            [
                (
                    one.letter_id,
                    one.task_id,
                    one.config_id,
                    str(one.seq),
                    one.reason,
                    str(one.attempts),
                    one.died_at.isoformat(timespec="seconds"),
                    one.error,
                )
                for one in found
            ],
        ),
    )


@dead_letters.command("show")
@click.argument("letter_id")
@json_option
@state_dir_option
def show(*, letter_id: str, as_json: bool, state_dir: Path | None) -> None:
    """Show one dead letter."""
    with connect(state_dir) as aeterna:
        letter = aeterna.threads.dead_letters.get(letter_id)

    def tell() -> None:
        click.echo(f"{letter.letter_id}  {letter.reason}: {letter.error}")
        click.echo(f"task {letter.task_id}, row {letter.seq}, receiver {letter.config_id} at {letter.url}")
        click.echo(f"attempts: {letter.attempts}, from {letter.created_at.isoformat()} to {letter.died_at.isoformat()}")

    output.answer(letter, as_json=as_json, human=tell)


@dead_letters.command("replay", short_help="Have dead letters sent again.")
@click.argument("letter_id", required=False)
@click.option("--task", "task_id", help="Those of a task.")
@click.option("--config", "config_id", help="Those of one receiver of the task.")
@click.option("--all", "everything", is_flag=True, help="All of the tenant's.")
@json_option
@state_dir_option
def replay(
    *,
    letter_id: str | None,
    task_id: str | None,
    config_id: str | None,
    everything: bool,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Have dead letters sent again, each at its old place among those of its receiver.

    \b
    aeterna threads dead-letters replay 17
    aeterna threads dead-letters replay --task task-1 --config phone
    """
    _require_choice(letter_id, task_id, config_id, everything=everything)

    def change(threads: SyncThreads) -> int:
        if letter_id is not None:
            return threads.dead_letters.replay(letter_id)
        return threads.dead_letters.replay_all(task_id=task_id, config_id=config_id)

    _change(change, "to be sent again", as_json=as_json, state_dir=state_dir)


@dead_letters.command("discard", short_help="Forget dead letters for good.")
@click.argument("letter_id", required=False)
@click.option("--task", "task_id", help="Those of a task.")
@click.option("--config", "config_id", help="Those of one receiver of the task.")
@click.option("--all", "everything", is_flag=True, help="All of the tenant's.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@state_dir_option
def discard(
    *,
    letter_id: str | None,
    task_id: str | None,
    config_id: str | None,
    everything: bool,
    yes: bool,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Forget dead letters for good: their receivers are never told.

    \b
    aeterna threads dead-letters discard 17
    aeterna threads dead-letters discard --task task-1 --yes
    """
    _require_choice(letter_id, task_id, config_id, everything=everything)
    if letter_id is None and not yes:
        click.confirm("Discard them? Their receivers are never told", abort=True, err=True)

    def change(threads: SyncThreads) -> int:
        if letter_id is not None:
            return threads.dead_letters.discard(letter_id)
        return threads.dead_letters.discard_all(task_id=task_id, config_id=config_id)

    _change(change, "discarded", as_json=as_json, state_dir=state_dir)


def _change(change: Callable[[SyncThreads], int], done: str, *, as_json: bool, state_dir: Path | None) -> None:
    with connect(state_dir) as aeterna:
        count = change(aeterna.threads)
    output.answer({"letters": count}, as_json=as_json, human=lambda: click.echo(f"{count} {done}"))


def _require_choice(letter_id: str | None, task_id: str | None, config_id: str | None, *, everything: bool) -> None:
    if [letter_id is not None, task_id is not None, everything].count(True) != 1:
        raise click.UsageError("name one letter, or --task, or --all")
    _require_task(task_id, config_id)


def _require_task(task_id: str | None, config_id: str | None) -> None:
    if config_id is not None and task_id is None:
        raise click.UsageError("--config goes with --task")
