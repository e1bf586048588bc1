"""What is merged and what expires: the policies alone, and what they cost over thousands of commits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from aeterna.graph.domain.upkeep import (
    CompactionPolicy,
    RetentionPolicy,
    Run,
    Selection,
    everything,
    expiry_cutoff,
    selected,
)

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY: Final = CompactionPolicy()


def _runs(*sizes: int, compacted: bool = True) -> list[Run]:
    """Return runs of these sizes, oldest first; the oldest is compacted or not."""
    return [
        Run(snapshot_id=None, last_seq=seq, files=1, rows=size, bytes=size, compacted=compacted and seq == 0)
        for seq, size in enumerate(sizes)
    ]


def test_few_runs_are_left_alone() -> None:
    assert selected(_runs(*[1] * 15, compacted=False), POLICY) is None


def test_a_table_that_was_never_compacted_is_merged_whole() -> None:
    assert selected(_runs(*[1] * 16, compacted=False), POLICY) == Selection(first=0, reason="full")


def test_small_runs_behind_a_large_one_are_merged_without_it() -> None:
    assert selected(_runs(10_000, *[1] * 15), POLICY) == Selection(first=1, reason="tiered")


def test_a_merged_run_joins_when_it_is_not_much_larger_than_what_is_merged() -> None:
    assert selected(_runs(10_000, 300, 20, *[1] * 14), POLICY) == Selection(first=2, reason="tiered")
    assert selected(_runs(10_000, 60, 20, *[1] * 14), POLICY) == Selection(first=1, reason="tiered")


def test_everything_is_merged_once_half_as_much_came_behind_the_base() -> None:
    assert selected(_runs(29, *[1] * 15), POLICY) == Selection(first=0, reason="full")


def test_sizes_that_fall_fast_are_merged_all_the_same() -> None:
    sizes = [10**9, *(3**power for power in range(15, 0, -1))]

    assert selected(_runs(*sizes), POLICY) == Selection(first=8, reason="tiered")


def test_who_asks_for_everything_gets_it() -> None:
    assert everything(_runs(10, 1)) == Selection(first=0, reason="asked")
    assert everything(_runs(10, compacted=False)) == Selection(first=0, reason="asked")
    assert everything(_runs(10)) == Selection(first=0, reason="asked")
    assert everything([]) is None


def _amplification(commits: int, *, base: int, policy: CompactionPolicy = POLICY) -> tuple[float, int]:
    """Return bytes written for each byte committed, and the most runs there ever were, when nothing is superseded."""
    runs = _runs(base) if base else []
    written = most = 0
    for number in range(commits):
        runs = [*runs, Run(snapshot_id=None, last_seq=number, files=1, rows=1, bytes=1, compacted=False)]
        written += 1
        if number % 50 == 49 and (selection := selected(runs, policy)) is not None:
            most = max(most, len(runs))
            size = sum(run.bytes for run in runs[selection.first :])
            written += size
            merged = Run(snapshot_id=None, last_seq=number, files=1, rows=size, bytes=size, compacted=True)
            runs = [*runs[: selection.first], merged]
    return written / commits, most


@pytest.mark.parametrize(
    ("commits", "base", "bound"),
    [(1_000, 0, 5), (20_000, 0, 7.5), (20_000, 1_000_000, 7.5)],
    ids=["a new table", "a grown table", "small commits on a large table"],
)
def test_what_is_written_again_stays_within_bounds(commits: int, base: int, bound: float) -> None:
    """The guide names these figures: bytes written for each byte that is committed, its own first write included."""
    amplification, most = _amplification(commits, base=base)

    assert amplification <= bound
    assert most <= 50 + POLICY.merge_runs


def _times(count: int, step: timedelta) -> list[datetime]:
    return [NOW - number * step for number in range(count)]


@pytest.mark.parametrize(
    ("count", "step", "kept"),
    [
        (5, timedelta(days=2), 5),
        (30, timedelta(days=2), 20),
        (60, timedelta(hours=1), 25),
        (500, timedelta(seconds=1), 100),
        (99, timedelta(seconds=1), 99),
    ],
    ids=["few and old", "many and old", "by age", "many and young", "just below the most"],
)
def test_snapshots_are_kept_by_number_and_by_age(count: int, step: timedelta, kept: int) -> None:
    times = _times(count, step)

    cutoff = expiry_cutoff(times, RetentionPolicy(), NOW)

    assert sum(time >= cutoff for time in times) == kept


def test_where_the_numbers_disagree_fewer_snapshots_stay() -> None:
    """Otherwise a setting could make every commit slow."""
    times = _times(50, timedelta(seconds=1))

    cutoff = expiry_cutoff(times, RetentionPolicy(keep_least=40, keep_most=10), NOW)

    assert sum(time >= cutoff for time in times) == 10
