"""A reader of the change feed, through everything that happens to a service: kills, other replicas, and a way back."""

from __future__ import annotations

import itertools
import socket
import threading
from contextlib import closing, contextmanager
from datetime import timedelta
from queue import Queue
from typing import TYPE_CHECKING

import pytest

from aeterna.client import Aeterna, RetryPolicy, TagNotFoundError
from fixtures.api_processes import PATIENCE, Replicas, ServiceProcess, replicas_on

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from aeterna.client import SessionChanges
    from aeterna.service.testing import SigningKey

PATIENT = RetryPolicy(attempts=200, first=timedelta(milliseconds=20), longest=timedelta(milliseconds=200))
QUICK = {"REFRESH_EVERY": "0.05", "FEED_HEARTBEAT": "1"}


@pytest.fixture
def replicas(signing_key: SigningKey, tmp_path: Path) -> Iterator[Replicas]:
    """Return what starts replicas on a catalog in a file, which several processes may share."""
    place = {"CATALOG_URI": f"sqlite:///{tmp_path}/catalog.db", "WAREHOUSE": str(tmp_path / "warehouse")}
    with replicas_on(place, signing_key, tmp_path / "run") as running:
        yield running


@pytest.fixture
def free_port() -> int:
    """Return a port that a service may come back to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _client(url: str, key: SigningKey) -> Aeterna:
    token = key.token(tenant="acme", roles=["admin"])
    return Aeterna(graph_url=url, threads_url=url, token=token, retries=PATIENT)


def _commit(aeterna: Aeterna, id_: str) -> None:
    with aeterna.graph.session(id_) as session:
        session.node(f"n:{id_}", kind="Thing")


def _told(aeterna: Aeterna, *, after: int, count: int) -> Iterator[SessionChanges]:
    """Follow until so much was told, and leave."""
    with closing(aeterna.graph.changes(after=after)) as changes:
        yield from itertools.islice(changes, count)


@contextmanager
def _followed(url: str, key: SigningKey, *, count: int) -> Generator[Queue[SessionChanges]]:
    """Follow from the beginning in a thread of its own, as a consumer does."""
    told: Queue[SessionChanges] = Queue()

    def follow() -> None:
        with _client(url, key) as aeterna:
            for changes in _told(aeterna, after=0, count=count):
                told.put(changes)

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    yield told
    reader.join(PATIENCE)


def _next(told: Queue[SessionChanges], count: int) -> list[tuple[int, str]]:
    found = [told.get(timeout=PATIENCE) for _ in range(count)]
    return [(changes.seq, changes.session_id) for changes in found]


def _killed(replica: ServiceProcess) -> None:
    replica.process.kill()
    replica.process.wait(PATIENCE)


def test_a_reader_misses_nothing_and_gets_nothing_twice_when_its_service_is_killed(
    replicas: Replicas, signing_key: SigningKey, free_port: int
) -> None:
    """The same address comes back, and what others committed meanwhile comes first."""
    names = [f"s{number}" for number in range(9)]
    address = f"http://127.0.0.1:{free_port}"
    with (
        replicas.start(**QUICK) as other,
        _client(other.url, signing_key) as writer,
        _followed(address, signing_key, count=len(names)) as told,
    ):
        with replicas.start(PORT=str(free_port), **QUICK) as one:
            for name in names[:3]:
                _commit(writer, name)
            before = _next(told, 3)
            _killed(one)
        for name in names[3:6]:
            _commit(writer, name)
        with replicas.start(PORT=str(free_port), **QUICK):
            for name in names[6:]:
                _commit(writer, name)
            after = _next(told, 6)

    assert before + after == list(zip(itertools.count(1), names, strict=False))
    assert told.empty()


def test_a_history_is_named_compared_brought_back_and_followed_through_the_client(
    replicas: Replicas, signing_key: SigningKey
) -> None:
    with (
        replicas.start(**QUICK) as one,
        replicas.start(**QUICK) as other,
        _client(one.url, signing_key) as near,
        _client(other.url, signing_key) as far,
    ):
        here, there = near.graph, far.graph
        with here.session("a") as session:
            session.node("n:1", kind="Thing", v=1)
        tag = here.tag("before", keep=timedelta(days=1))
        with here.session("b") as session:
            session.node("n:1", kind="Thing", v=2)
            session.node("n:2", kind="Thing")
            session.edge("n:1", "knows", "n:2")

        found = here.diff("before")
        planned = there.restore("before", dry_run=True)
        done = there.restore("before", session_id="back")
        again = here.restore("before", session_id="back")
        told = list(_told(far, after=1, count=2))

        assert [each.name for each in there.tags()] == ["before"]
        assert tag.expires_at is not None
        assert [(each.change, each.after.id if each.after else None) for each in found.nodes] == [
            ("changed", "n:1"),
            ("added", "n:2"),
        ]
        assert [(each.change, each.before) for each in found.edges] == [("added", None)]
        assert (planned.nodes, planned.edges, planned.dry_run) == (done.nodes, done.edges, True)
        assert (done.seq, again.seq, again.repeated) == (3, 3, True)
        assert here.node("n:1").node.properties == {"v": 1}
        assert [changes.session_id for changes in told] == ["b", "back"]
        assert told[1].removed_nodes == ("n:2",)
        assert [key.target for key in told[1].removed_edges] == ["n:2"]
        here.untag("before")
        with pytest.raises(TagNotFoundError):
            here.node("n:1", as_of="before")
