"""Many processes write the same tenants at once: every session is there once, and numbered without a gap.

``AETERNA_TEST_WRITER_SESSIONS`` makes it last: 400 sessions a process take minutes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from aeterna.graph.domain.identifiers import NodeId, TenantId
from fixtures.fix_graph import GraphBench, arrow_lens, iceberg_stores
from fixtures.graph_writer import NODES

PROGRAM: Final = Path(__file__).parents[1] / "fixtures" / "graph_writer.py"
PROCESSES: Final = 8
TENANTS: Final = ("acme", "umbrella", "stark", "wayne")
SESSIONS: Final = int(os.environ.get("AETERNA_TEST_WRITER_SESSIONS", "8"))


class Acknowledged(NamedTuple):
    """One line of a writer."""

    session: str
    seq: int
    tenant: str


def _writer(folder: Path, name: str, sessions: int, *tenants: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-P", str(PROGRAM), str(folder), name, "4", str(sessions), *tenants]
    return subprocess.Popen(program, stdout=subprocess.PIPE, text=True)


def _read(line: str) -> Acknowledged:
    session, seq, _, tenant = line.split()
    return Acknowledged(session, int(seq), tenant)


def _finished(writer: subprocess.Popen[str]) -> list[Acknowledged]:
    """Read to the end of the stream itself: ``communicate`` loses what an earlier ``readline`` has buffered."""
    assert writer.stdout is not None
    with writer:
        acknowledged = [_read(line) for line in writer.stdout]
    assert writer.returncode == 0
    return acknowledged


def _assert_every_session_once(folder: Path, acknowledged: list[Acknowledged]) -> None:
    stores = iceberg_stores(folder)
    graphs = GraphBench(stores=stores, new_lens=arrow_lens).graphs()
    assert set(Counter(each.session for each in acknowledged).values()) == {1}
    for tenant in {each.tenant for each in acknowledged}:
        of_tenant = [each for each in acknowledged if each.tenant == tenant]
        assert sorted(each.seq for each in of_tenant) == list(range(1, len(of_tenant) + 1))
        graph = graphs.of(TenantId(tenant))
        statistics = graph.statistics()
        assert (statistics.seq, statistics.nodes) == (len(of_tenant), NODES * len(of_tenant))
        assert all(graph.node(NodeId(f"{each.session}:4")) for each in of_tenant)
        snapshots = graph.snapshots(10_000)[::-1]
        assert [each.first_seq for each in snapshots[1:]] == [each.last_seq + 1 for each in snapshots[:-1]]
        epochs = [each.epoch for each in snapshots]
        assert epochs == sorted(epochs)
    graphs.close()


@pytest.mark.slow
def test_eight_processes_write_four_tenants(tmp_path: Path) -> None:
    writers = [_writer(tmp_path, f"p{number}", SESSIONS, *TENANTS) for number in range(PROCESSES)]

    acknowledged = [each for writer in writers for each in _finished(writer)]

    assert len(acknowledged) == PROCESSES * SESSIONS
    _assert_every_session_once(tmp_path, acknowledged)


@pytest.mark.slow
def test_a_process_that_sleeps_through_its_lease_and_wakes_writes_everything_once(tmp_path: Path) -> None:
    """A machine that is paused, or swaps: by the time it goes on, others have written under a newer lease."""
    sleeper = _writer(tmp_path, "sleeper", 60)
    assert sleeper.stdout is not None
    before = [_read(sleeper.stdout.readline()) for _ in range(2)]
    sleeper.send_signal(signal.SIGSTOP)
    others = _finished(_writer(tmp_path, "other", 8))
    sleeper.send_signal(signal.SIGCONT)

    acknowledged = [*before, *others, *_finished(sleeper)]

    assert len(acknowledged) == 68
    assert max(each.seq for each in others) < 68
    _assert_every_session_once(tmp_path, acknowledged)
