"""The commands that make the thread store forget ask first, and want one clear target."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from aeterna.cli.commands.threads import threads


@pytest.mark.parametrize("arguments", [["erase", "--subject", "ada"], ["holds", "release", "case-1"]])
def test_nothing_is_done_without_a_yes(arguments: list[str]) -> None:
    """No service is there: going on would fail in another way than by an abort."""
    result = CliRunner().invoke(threads, arguments, input="n\n")

    assert (result.exit_code, "Aborted" in result.output) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["erase", "--yes"],
        ["erase", "--yes", "--subject", "ada", "--tenant"],
        ["erase", "--yes", "--subject", "ada", "--thread", "t"],
        ["holds", "place", "case-1"],
        ["holds", "place", "case-1", "--reason", "r", "--subject", "ada", "--thread", "t"],
    ],
)
def test_what_is_not_clear_is_refused_before_anything_is_asked(arguments: list[str]) -> None:
    assert CliRunner().invoke(threads, arguments).exit_code == 2
