"""`aeterna threads tasks`: what an agent does for somebody, as its log tells it; by the agent's own token."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.options import json_option, state_dir_option

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.client import AgentTask, TaskRow

STATES = (
    "submitted",
    "working",
    "input-required",
    "auth-required",
    "completed",
    "failed",
    "canceled",
    "rejected",
)
_PAUSE = 0.5
_SHOWN = 200

owner_option = click.option("--owner", required=True, help="Who asked for the task: the subject of their token.")


@click.group("tasks", short_help="The tasks of an agent.")
def tasks() -> None:
    """Look at the tasks of the agent whose token is used, and cancel them.

    \b
    export AETERNA_TOKEN=$(aeterna token --agent helper)
    aeterna threads tasks list --owner ada
    """


@tasks.command("list")
@owner_option
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--context", "context_id", help="Only those of this conversation.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@json_option
@state_dir_option
def list_(
    *, owner: str, state: str | None, context_id: str | None, limit: int, as_json: bool, state_dir: Path | None
) -> None:
    """List an owner's tasks, the one whose status changed last first."""
    with connect(state_dir) as aeterna:
        found = list(islice(aeterna.threads.tasks.list(owner, state=_word(state), context_id=context_id), limit))
    output.answer(
        {"tasks": found},
        as_json=as_json,
        human=lambda: output.table(
            ("task", "state", "rows", "runner", "attempts", "changed", "expires"), [_line(one) for one in found]
        ),
    )


@tasks.command("show")
@click.argument("task_id")
@owner_option
@click.option("--history", type=click.IntRange(min=0), help="Only so many of the last messages.")
@json_option
@state_dir_option
def show(*, task_id: str, owner: str, history: int | None, as_json: bool, state_dir: Path | None) -> None:
    """Show a task with what was said and its artifacts."""
    with connect(state_dir) as aeterna:
        view = aeterna.threads.tasks.get(task_id, owner, history_length=history)

    def tell() -> None:
        click.echo("  ".join(_line(view.task)))
        for row in view.rows:
            _tell(row)

    output.answer(view, as_json=as_json, human=tell)


@tasks.command("tail")
@click.argument("task_id")
@owner_option
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only the rows after this number.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document a line.")
@state_dir_option
def tail(*, task_id: str, owner: str, after: int, as_json: bool, state_dir: Path | None) -> None:
    """Follow the log of a task until it ends: every row so far, then each new one."""
    with connect(state_dir) as aeterna, suppress(KeyboardInterrupt):
        while True:
            page = aeterna.threads.tasks.rows(task_id, owner, after=after)
            for row in page.rows:
                output.answer(row, as_json=as_json, human=lambda told=row: _tell(told))
                after = row.seq
            if page.ended:
                return
            if not page.rows:
                time.sleep(_PAUSE)


@tasks.command("cancel")
@click.argument("task_id")
@owner_option
@json_option
@state_dir_option
def cancel(*, task_id: str, owner: str, as_json: bool, state_dir: Path | None) -> None:
    """End a task; the process that runs it can write nothing more."""
    with connect(state_dir) as aeterna:
        ended = aeterna.threads.tasks.cancel(task_id, owner)
    output.answer(ended, as_json=as_json, human=lambda: click.echo(f"task {task_id} is cancelled at {ended.version}"))


def _word(state: str | None) -> str | None:
    return None if state is None else f"TASK_STATE_{state.upper().replace('-', '_')}"


def _line(task: AgentTask) -> tuple[str, ...]:
    state = "" if task.state is None else task.state.removeprefix("TASK_STATE_").lower().replace("_", "-")
    return (
        task.task_id,
        state,
        str(task.version),
        task.runner or ("waits" if task.waiting else ""),
        str(task.attempts),
        task.status_at.isoformat(timespec="seconds"),
        "" if task.expires_at is None else task.expires_at.isoformat(timespec="seconds"),
    )


def _tell(row: TaskRow) -> None:
    """Print one row; what it holds is told as JSON, cut where it grows long."""
    content = json.dumps(row.content, ensure_ascii=False)
    told = content if len(content) <= _SHOWN else f"{content[:_SHOWN]}…"
    click.echo(f"{row.seq:>4} {click.style(row.kind, bold=True)} by {row.author}: {told}")
