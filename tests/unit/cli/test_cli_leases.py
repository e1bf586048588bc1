"""The command asks before it takes a task from who runs it."""

from __future__ import annotations

from click.testing import CliRunner

from aeterna.cli.commands.threads import threads


def test_nothing_is_freed_without_a_yes() -> None:
    """No service is there: going on would fail in another way than by an abort."""
    result = CliRunner().invoke(threads, ["leases", "free", "task-1"], input="n\n")

    assert (result.exit_code, "Aborted" in result.output) == (1, True)


def test_a_task_must_be_named() -> None:
    assert CliRunner().invoke(threads, ["leases", "free", "--yes"]).exit_code == 2
