"""`aeterna graph maintain`, `compact`, `expire` and `collect`: the upkeep of the graph's table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.client import TaskDone, UpkeepProgress, UpkeepReport, UpkeepTask
    from aeterna.client.json_value import JsonValue

_FAILED: Final = 1
dry_run_option = click.option("--dry-run", is_flag=True, help="Change nothing, and say what would be done.")
full_option = click.option("--full", is_flag=True, help="Merge everything, whether or not it is worth it yet.")


@click.command("maintain", short_help="Do all of the upkeep: back up, compact, expire, collect.")
@full_option
@dry_run_option
@json_option
@state_dir_option
def maintain(*, full: bool, dry_run: bool, as_json: bool, state_dir: Path | None) -> None:
    """Do a whole round: the backup that is due, then compact, expire and collect.

    The service does it by itself; the exit status is 1 when a task failed.

    \b
    aeterna graph maintain --dry-run
    """
    _round("all", full=full, dry_run=dry_run, as_json=as_json, state_dir=state_dir)


@click.command("compact", short_help="Merge small files of the table.")
@full_option
@dry_run_option
@json_option
@state_dir_option
def compact(*, full: bool, dry_run: bool, as_json: bool, state_dir: Path | None) -> None:
    """Merge small files, without the history that is too old to be kept."""
    _round("compact", full=full, dry_run=dry_run, as_json=as_json, state_dir=state_dir)


@click.command("expire", short_help="Forget old snapshots that no tag names.")
@dry_run_option
@json_option
@state_dir_option
def expire(*, dry_run: bool, as_json: bool, state_dir: Path | None) -> None:
    """Forget old snapshots, as the service's settings say; what a tag names stays."""
    _round("expire", full=False, dry_run=dry_run, as_json=as_json, state_dir=state_dir)


@click.command("collect", short_help="Delete files that nothing names.")
@dry_run_option
@json_option
@state_dir_option
def collect(*, dry_run: bool, as_json: bool, state_dir: Path | None) -> None:
    """Delete files that nothing names and that are older than the grace period."""
    _round("collect", full=False, dry_run=dry_run, as_json=as_json, state_dir=state_dir)


UPKEEP: Final = (maintain, compact, expire, collect)


def _round(task: UpkeepTask, *, full: bool, dry_run: bool, as_json: bool, state_dir: Path | None) -> None:
    bar = _Bar()
    with connect(state_dir) as aeterna:
        report = aeterna.graph.maintain(task, full=full, dry_run=dry_run, watch=bar.show)
    bar.end()
    output.answer(report, as_json=as_json, human=lambda: _tell(report))
    if report.failed:
        raise SystemExit(_FAILED)


class _Bar:
    """Shows how far the round is, on stderr; the tasks that are done stay as lines."""

    def __init__(self) -> None:
        self._progress = Progress()
        self._task: str | None = None

    def show(self, progress: UpkeepProgress) -> None:
        if progress.task != self._task:
            self.end()
            self._task = progress.task
            self._progress.start(progress.task)
        if progress.total:
            share = min(100, 100 * progress.done // progress.total)
            self._progress.note(f"{progress.task}: {progress.done} of {progress.total} {progress.unit} ({share} %)")

    def end(self) -> None:
        if self._task is not None:
            self._progress.done(self._task)


def _tell(report: UpkeepReport) -> None:
    for task in report.tasks:
        would = "would have " if task.dry_run else ""
        click.echo(f"{task.task}: {would}{_sentence(task)}")


def _sentence(task: TaskDone) -> str:
    if task.error is not None:
        return f"failed ({task.error})"
    result = task.result
    match task.task:
        case "backup":
            return f"made {_names(result['made'])}, dropped {_names(result['dropped'])}"
        case "compact" if result["reason"] is None:
            return f"merged nothing: not worth it yet (runs of files: {result['runs']})"
        case "compact":
            merged = f"merged {result['files_before']} files of {result['bytes_before']} bytes ({result['reason']})"
            became = f", which became {result['files_after']} of {result['bytes_after']} bytes"
            return merged if task.dry_run else merged + became
        case "expire":
            return f"forgotten {result['expired']} snapshots, kept {result['kept']}"
        case _:
            return (
                f"deleted {result['files']} files ({result['bytes']} bytes); "
                f"{result['waiting']} more ({result['waiting_bytes']} bytes) are within the grace period"
            )


def _names(names: JsonValue) -> str:
    if not isinstance(names, Sequence) or isinstance(names, str):
        return str(names)
    return ", ".join(str(name) for name in names) or "none"
