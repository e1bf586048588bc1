"""This process as one of several: open graphs follow what others commit, and it is known how far they are behind."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

    from aeterna.graph.ports import Notices, Stopwatch

log = logging.getLogger(__name__)

_THREADS: Final = 2  # a graph that loads for seconds must not keep the others from a refresh of milliseconds
_WAITING: Final = "waiting"


class Follower(Protocol):
    """A graph that can be brought forward."""

    @property
    def shown_seq(self) -> int:
        """The newest seq that readers see."""
        ...

    @property
    def known_seq(self) -> int:
        """The newest seq that the catalog told of."""
        ...

    def refresh(self, seq: int | None = None) -> None:
        """Look at the catalog, unless readers see ``seq`` already; raise `GraphError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """A graph that is behind: since how long, and the code of what last kept it from following."""

    tenant: TenantId
    behind_for: timedelta
    missing: int  # sessions
    reason: str


@dataclass(slots=True)
class _Behind:
    since: float
    seq: int
    reason: str


class Replica:
    """Brings open graphs forward when a notice says so and by itself every ``poll_every``.

    A graph is behind from the moment this process learns of a session that its readers do not see until they see it.
    """

    def __init__(
        self, *, opened: Callable[[], Mapping[TenantId, Follower]], notices: Notices, stopwatch: Stopwatch
    ) -> None:
        """Take what returns the graphs that are open now."""
        self._opened = opened
        self._notices = notices
        self._stopwatch = stopwatch
        self._behind: dict[TenantId, _Behind] = {}
        self._turn = threading.Lock()
        self._under_way: set[TenantId] = set()
        self._stopped = threading.Event()
        self._executor: Executor | None = None
        self._poller: threading.Thread | None = None

    def start(self, poll_every: timedelta, executor: Executor | None = None) -> None:
        """Begin to follow, in threads of its own or in the given executor."""
        self._executor = executor or ThreadPoolExecutor(_THREADS, thread_name_prefix="graph-replica")
        self._notices.subscribe(self._told)
        self._poller = threading.Thread(target=self._poll, args=(poll_every,), name="graph-poll", daemon=True)
        self._poller.start()

    def close(self) -> None:
        """Follow no longer; returns when nothing is being brought forward any more."""
        self._stopped.set()
        self._notices.close()
        if self._poller is not None:
            self._poller.join()
        if self._executor is not None:
            self._executor.shutdown()

    def look(self) -> None:
        """Have every open graph look at the catalog."""
        for tenant in self._opened():
            self._bring_forward(tenant)

    def lag(self) -> Lag | None:
        """Return the open graph that has been behind for the longest; None when all show what is known."""
        opened, now = self._opened(), self._stopwatch()
        with self._turn:
            for tenant in self._behind.keys() - opened.keys():
                del self._behind[tenant]
            found = [
                (each.since, tenant, each)
                for tenant, each in self._behind.items()
                if each.seq > opened[tenant].shown_seq
            ]
        if not found:
            return None
        since, tenant, worst = min(found, key=lambda each: each[:2])
        return Lag(
            tenant=tenant,
            behind_for=timedelta(seconds=now - since),
            missing=worst.seq - opened[tenant].shown_seq,
            reason=worst.reason,
        )

    def _told(self, tenant: TenantId, seq: int) -> None:
        graph = self._opened().get(tenant)
        if graph is not None and graph.shown_seq < seq:
            self._note(tenant, seq, _WAITING)
            self._bring_forward(tenant)

    def _note(self, tenant: TenantId, seq: int, reason: str) -> None:
        with self._turn:
            known = self._behind.get(tenant)
            if known is None:
                self._behind[tenant] = _Behind(self._stopwatch(), seq, reason)
            else:
                known.seq, known.reason = max(known.seq, seq), reason

    def _bring_forward(self, tenant: TenantId) -> None:
        with self._turn:
            if self._executor is None or self._stopped.is_set() or tenant in self._under_way:
                return
            self._under_way.add(tenant)
            self._executor.submit(self._follow, tenant)

    def _follow(self, tenant: TenantId) -> None:
        graph = self._opened().get(tenant)
        with self._turn:
            behind = self._behind.get(tenant)
            heard = behind.seq if behind else 0
        failure: str | None = None
        try:
            if graph is not None:
                graph.refresh()
        except GraphError as refusal:
            failure = refusal.code
            log.warning("graph.follow_failed", extra={"code": failure})
        finally:
            with self._turn:
                self._under_way.discard(tenant)
        if graph is not None:
            self._settle(tenant, graph, heard, failure)

    def _settle(self, tenant: TenantId, graph: Follower, heard: int, failure: str | None) -> None:
        """Note how a look went that began when a notice of the seq ``heard`` had arrived."""
        if graph.shown_seq < graph.known_seq:
            self._note(tenant, graph.known_seq, failure or _WAITING)
        elif failure is not None:
            with self._turn:
                if (behind := self._behind.get(tenant)) is not None:
                    behind.reason = failure
        else:
            with self._turn:
                late = tenant in self._behind and self._behind[tenant].seq > max(heard, graph.shown_seq)
                if not late:
                    # A seq that a later look at the catalog does not find was never committed, whoever told of it.
                    self._behind.pop(tenant, None)
            if late:
                self._bring_forward(tenant)

    def _poll(self, every: timedelta) -> None:
        while not self._stopped.wait(every.total_seconds()):
            self.look()
