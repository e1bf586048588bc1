"""What everybody who watches the graph keeps to: to be watched changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

from aeterna.api.adapters.feed_metrics import PrometheusFeedObserver
from aeterna.api.adapters.metrics import PrometheusCommitObserver
from aeterna.api.adapters.upkeep_metrics import PrometheusUpkeepObserver
from aeterna.api.api.feeds import FeedLimits, Feeds
from aeterna.api.testing import RecordingFeedObserver
from aeterna.graph.adapters.telemetry import OpenTelemetryCommitObserver
from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import SnapshotId, TenantId
from aeterna.graph.domain.upkeep import TASKS, UpkeepPolicy
from aeterna.graph.errors import ChangesExpiredError, StorageError, StorageFullError
from aeterna.graph.main import maintenance_of
from aeterna.graph.ports import CommitTrace
from aeterna.graph.testing import MemoryGraphStores, RecordingCommitObserver, RecordingUpkeepObserver
from aeterna.graph.usecases.upkeep import Order
from fixtures.fix_graph import ACME, GraphBench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aeterna.api.ports import FeedObserver
    from aeterna.graph.ports import CommitObserver, UpkeepObserver
    from aeterna.graph.usecases.following import Following, SessionPart

OTHER: Final = TenantId("other")
SESSION: Final = session_of("a", subject="ada", nodes=[node_of("n", "Thing")])


def spans() -> OpenTelemetryCommitObserver:
    """Return the observer whose spans nobody collects."""
    return OpenTelemetryCommitObserver(TracerProvider(shutdown_on_exit=False).get_tracer("test"))


COMMITS: Final[dict[str, Callable[[], CommitObserver]]] = {
    "recording": RecordingCommitObserver,
    "opentelemetry": spans,
    "prometheus": lambda: PrometheusCommitObserver(spans(), CollectorRegistry()),
}
UPKEEP: Final[dict[str, Callable[[], UpkeepObserver]]] = {
    "recording": RecordingUpkeepObserver,
    "prometheus": lambda: PrometheusUpkeepObserver(CollectorRegistry()),
}
FEEDS: Final[dict[str, Callable[[], FeedObserver]]] = {
    "recording": RecordingFeedObserver,
    "prometheus": lambda: PrometheusFeedObserver(CollectorRegistry()),
}


class Expiring:
    """What a feed follows until its position is no longer kept."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self.newest = following.newest
        self.check = following.check

    def after(self, after: int) -> Iterator[SessionPart]:
        """Read on behind the beginning only."""
        if after:
            raise ChangesExpiredError(after, after + 1)
        return self._following.after(after)


@pytest.fixture(params=COMMITS.values(), ids=list(COMMITS))
def commits(request: pytest.FixtureRequest) -> CommitObserver:
    observer: CommitObserver = request.param()
    return observer


def test_each_commit_gets_a_trace_of_its_own(commits: CommitObserver) -> None:
    """Two tenants commit at once; what is noted of one must not reach the other."""
    with commits.commit(ACME) as one, commits.commit(OTHER) as two:
        one.sessions, one.snapshot_id = 3, SnapshotId(7)

        assert two == CommitTrace()
    with commits.commit(ACME) as later:
        assert later == CommitTrace()


def test_what_fails_in_a_watched_commit_fails_as_if_nobody_watched(commits: CommitObserver) -> None:
    failure = StorageFullError("commit", "a test said so")

    def fail() -> None:
        with commits.commit(ACME) as trace:
            trace.error = failure.code
            raise failure

    with pytest.raises(StorageFullError) as met:
        fail()
    assert met.value is failure


def test_who_was_turned_away_has_no_commit(commits: CommitObserver) -> None:
    with commits.commit(ACME) as trace:
        commits.turned_away(ACME, "graph.busy")

        assert trace == CommitTrace()


@pytest.mark.parametrize("new", UPKEEP.values(), ids=list(UPKEEP))
@pytest.mark.parametrize("dry_run", [False, True], ids=["done", "dry run"])
def test_a_round_of_upkeep_goes_on_to_its_end_whoever_watches(new: Callable[[], UpkeepObserver], dry_run: bool) -> None:
    """Every kind of report is among them, that of a failure too."""
    stores = MemoryGraphStores()
    graphs = GraphBench(stores=stores).graphs()
    graphs.of(ACME).commit(SESSION)
    if not dry_run:
        stores.tag_failures.append(StorageError("name the snapshot", "a test said so"))

    reports = maintenance_of(graphs, UpkeepPolicy(), new()).run(ACME, Order(tasks=TASKS, full=True, dry_run=dry_run))

    failed = None if dry_run else "graph.storage_unavailable"
    assert [(report.task, report.error) for report in reports] == [
        ("backup", failed),
        ("compact", None),
        ("expire", None),
        ("collect", None),
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("new", FEEDS.values(), ids=list(FEEDS))
async def test_a_feed_says_what_there_is_and_why_it_ends_whoever_watches(new: Callable[[], FeedObserver]) -> None:
    graph = GraphBench(stores=MemoryGraphStores()).graphs().of(ACME)
    graph.commit(SESSION)
    following = Expiring(graph.history.following)

    feed = await Feeds(FeedLimits(), new()).open(ACME, following, after=0, draining=lambda: False)
    said = b"".join([part async for part in feed]).decode()

    assert [line for line in said.splitlines() if line.startswith("event: ")] == ["event: changes", "event: problem"]
