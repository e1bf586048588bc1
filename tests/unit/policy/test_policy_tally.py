"""Counting for many: rows of numbers in memory that several processes share."""

from __future__ import annotations

import subprocess
import sys

from prometheus_client import CollectorRegistry, generate_latest

from aeterna.policy.adapters.shared_tallies import SharedTallies
from aeterna.policy.api.metrics import DecisionMetrics
from aeterna.policy.domain.tally import DECISIONS, DOUBTS, PROCESS, Tally

DIGEST = f"sha256:{'0123456789abcdef' * 4}"


def shown(*tallies: Tally, now: float = 100.0) -> list[str]:
    """Return the samples that a scrape shows."""
    registry = CollectorRegistry()
    DecisionMetrics(registry, tallies, steady=lambda: now)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_a_scrape_shows_the_sum_over_all_workers() -> None:
    tallies = Tally(), Tally()
    tallies[0].words[DECISIONS["allow", "cache"]] += 3
    tallies[1].words[DECISIONS["allow", "cache"]] += 4
    tallies[1].words[DOUBTS] += 1

    lines = shown(*tallies)

    assert 'aeterna_policy_decisions_total{decision="allow",source="cache"} 7.0' in lines
    assert "aeterna_policy_doubts_total 1.0" in lines


def test_the_time_of_evaluations_is_a_histogram_over_all_workers() -> None:
    tallies = Tally(), Tally()
    tallies[0].evaluated(0.00003)
    tallies[1].evaluated(0.0002)
    tallies[1].evaluated(7.0)

    lines = shown(*tallies)

    counts = [line.split(" ")[1] for line in lines if line.startswith("aeterna_policy_evaluation_seconds_bucket")]
    assert counts == [*("0.0", "1.0", "1.0", "2.0", "2.0", "2.0", "2.0", "2.0", "2.0", "2.0", "3.0")]
    assert "aeterna_policy_evaluation_seconds_count 3.0" in lines
    assert "aeterna_policy_evaluation_seconds_sum 7.00023" in lines


def test_each_worker_shows_what_it_uses_and_one_that_never_began_does_not() -> None:
    used, never = Tally(), Tally()
    used.in_use(epoch=7, digest=DIGEST, confirmed=90.0, cached=5)

    lines = shown(used, never)

    assert (used.epoch, used.digest, used.cached) == (7, DIGEST, 5)
    assert [line for line in lines if "worker=" in line] == [
        f'aeterna_policy_edition_epoch{{digest="{DIGEST}",worker="0"}} 7.0',
        'aeterna_policy_edition_age_seconds{worker="0"} 10.0',
        'aeterna_policy_cache_entries{worker="0"} 5.0',
    ]


def test_what_one_process_counts_another_sees() -> None:
    shared = SharedTallies.created(2)
    program = (
        "import sys; from aeterna.policy.adapters.shared_tallies import SharedTallies; "
        "SharedTallies(int(sys.argv[1]), 2).tallies[1].words[0] += 41"
    )
    shared.tallies[1].words[0] += 1
    command = [sys.executable, "-P", "-c", program, str(shared.descriptor)]
    subprocess.run(command, pass_fds=[shared.descriptor], check=True)

    assert [tally.words[0] for tally in shared.tallies] == [0, 42]
    assert [tally.words[PROCESS] for tally in shared.tallies] == [0, 0]
