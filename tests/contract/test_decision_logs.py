"""What every decision log owes the auditor: the fake and the chain on disk obey alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.policy.adapters.decision_log import ChainedDecisionLog
from aeterna.policy.adapters.decision_log_chain import ChainWriter, SegmentLimits, segments_of
from aeterna.policy.domain.audit import Entry
from aeterna.policy.domain.decision import Decision
from aeterna.policy.testing import FakeDecisionLog
from fixtures.fix_policy import question

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aeterna.policy.ports import DecisionLog

DENY = Decision(allowed=False, policies=(), errors=(), epoch=1, digest="sha256:d", age=0.0, cached=False)


def entries(count: int) -> list[Entry]:
    """Return entries that can be told apart."""
    return [Entry(float(number), question(f"a{number}"), DENY, None) for number in range(count)]


def of_fake(_folder: Path, *, full: bool) -> tuple[DecisionLog, Callable[[], list[str]]]:
    """Return the fake, and what says which actions it took."""
    log = FakeDecisionLog(full=full)
    return log, lambda: [entry.question.action for entry in log.entries]


def of_chain(folder: Path, *, full: bool) -> tuple[DecisionLog, Callable[[], list[str]]]:
    """Return the log on disk, and what reads the actions in it."""
    chain = ChainWriter(folder, SegmentLimits(), clock=lambda: 1_700_000_000.0)
    log = ChainedDecisionLog(chain, capacity=0 if full else 100, values=False, clock=lambda: 1_700_000_000.0)

    def actions() -> list[str]:
        lines = [line for path in segments_of(chain.folder) for line in path.read_text().splitlines()]
        records = [json.loads(line)["record"] for line in lines]
        return [record["action"] for record in records if record["kind"] == "decision"]

    return log, actions


LOGS = pytest.mark.parametrize("made", [of_fake, of_chain])


@LOGS
def test_what_is_offered_is_there_after_the_close_in_its_order(
    made: Callable[..., tuple[DecisionLog, Callable[[], list[str]]]], tmp_path: Path
) -> None:
    log, actions = made(tmp_path, full=False)

    taken = [log.offer(entry) for entry in entries(80)]
    log.close()

    assert all(taken)
    assert actions() == [f"a{number}" for number in range(80)]


@LOGS
def test_a_full_log_says_so_and_takes_nothing(
    made: Callable[..., tuple[DecisionLog, Callable[[], list[str]]]], tmp_path: Path
) -> None:
    log, actions = made(tmp_path, full=True)

    taken = [log.offer(entry) for entry in entries(3)]
    log.close()

    assert (taken, actions()) == ([False] * 3, [])
