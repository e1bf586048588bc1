"""The command asks before it erases, and says what is unclear before it asks anybody else."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from aeterna.cli.commands.graph import graph


@pytest.mark.parametrize(
    "arguments",
    [["erase"], ["erase", "--tenant", "--subject", "ada"], ["erase", "--tenant", "--node", "n"]],
    ids=["nothing", "everything and a subject", "everything and a node"],
)
def test_an_unclear_target_is_a_usage_error(arguments: list[str]) -> None:
    assert CliRunner().invoke(graph, arguments).exit_code == 2


@pytest.mark.parametrize("arguments", [["erase", "--subject", "ada"], ["release", "case-7"]])
def test_nothing_is_asked_of_the_service_without_a_yes(arguments: list[str]) -> None:
    """No service is there: going on would fail in another way than by an abort."""
    result = CliRunner().invoke(graph, arguments, input="n\n")

    assert (result.exit_code, "Aborted" in result.output) == (1, True)


def test_a_verification_needs_to_know_of_what() -> None:
    assert CliRunner().invoke(graph, ["erasure", "--verify"]).exit_code == 2


def test_names_without_a_verification_are_not_ignored() -> None:
    assert CliRunner().invoke(graph, ["erasure", "6f1c", "--node", "patient:17"]).exit_code == 2
