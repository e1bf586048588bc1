"""`aeterna threads leases`: tasks that nobody runs, or that were tried again, and taking one from who has it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.options import json_option, state_dir_option

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.client import StuckTask


@click.group("leases", short_help="Who runs which task.")
def leases() -> None:
    """Look at tasks that are stuck, and take one from the process that has it."""


@leases.command("stuck")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@json_option
@state_dir_option
def stuck(*, limit: int, as_json: bool, state_dir: Path | None) -> None:
    """List tasks that wait without a process that lives, and those tried more than once, the oldest first."""
    with connect(state_dir) as aeterna:
        found = list(islice(aeterna.threads.leases.stuck(), limit))
    output.answer(
        {"tasks": found},
        as_json=as_json,
        human=lambda: output.table(
            ("task", "agent", "owner", "runner", "epoch", "attempts", "waiting since"),
            [
                (
                    one.task_id,
                    one.agent,
                    one.owner,
                    _runner(one),
                    str(one.epoch),
                    str(one.attempts),
                    one.waiting_since.isoformat(timespec="seconds"),
                )
                for one in found
            ],
        ),
    )


@leases.command("free")
@click.argument("task_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@state_dir_option
def free(*, task_id: str, yes: bool, as_json: bool, state_dir: Path | None) -> None:
    """Take a task from the process that has it.

    What that process still writes is refused, and another one resumes the task from its last durable row.
    """
    if not yes:
        click.confirm(f"Take {task_id} from whoever runs it?", abort=True, err=True)
    with connect(state_dir) as aeterna:
        freed = aeterna.threads.leases.free(task_id)
    told = f"task {freed.task_id} of {freed.agent} is free; its epoch is {freed.epoch}"
    output.answer(freed, as_json=as_json, human=lambda: click.echo(told))


def _runner(task: StuckTask) -> str:
    if task.runner is None:
        return "none"
    return task.runner if task.runner_alive else f"{task.runner} (dead)"
