"""Rounds of upkeep: backup, compaction, expiry and collection of one tenant, one round at a time."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from aeterna.graph.domain.upkeep import Progress, Task, TaskReport, Unit, UpkeepPolicy
from aeterna.graph.errors import CommitConflictError, GraphError, StorageError, UpkeepBusyError
from aeterna.graph.usecases.compacting import compact

if TYPE_CHECKING:
    from collections.abc import Generator

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.upkeep import BackedUp, Expired, Outcome
    from aeterna.graph.ports import CommitObserver, GraphStores, Upkeep, UpkeepObserver, Watch
    from aeterna.graph.usecases.engine import World

log = logging.getLogger(__name__)

_UNITS: Final[Mapping[Task, Unit]] = {"backup": "tags", "compact": "rows", "expire": "snapshots", "collect": "files"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What shall be done: with ``full`` a compaction merges everything, with ``dry_run`` nothing is changed."""

    tasks: Sequence[Task]
    full: bool = False
    dry_run: bool = False


class BackUp(Protocol):
    """How a backup is made."""

    def __call__(self, tenant: TenantId, *, dry_run: bool) -> BackedUp:
        """Make the backup tag that is due, if one is; a dry run only says which."""
        ...


def unwatched(_progress: Progress) -> None:
    """Watch nothing."""


class Maintenance:
    """Keeps tenants' tables fast and small, beside their writers and readers."""

    def __init__(
        self,
        stores: GraphStores,
        *,
        commits: CommitObserver,
        observer: UpkeepObserver,
        world: World,
        policy: UpkeepPolicy,
        back_up: BackUp,
    ) -> None:
        self._stores = stores
        self._commits = commits
        self._observer = observer
        self._world = world
        self._policy = policy
        self._back_up = back_up
        self._busy: set[TenantId] = set()
        self._turn = threading.Lock()

    def tenants(self) -> tuple[TenantId, ...]:
        """Return every tenant that has a table."""
        return self._stores.tenants()

    def run(self, tenant: TenantId, order: Order, watch: Watch = unwatched) -> tuple[TaskReport, ...]:
        """Do the tasks in their order; one that fails says so in its report and does not stop the next.

        Raise `UpkeepBusyError` while another round of this process works on the tenant. A round of another process
        does no harm: of two compactions the second is refused.
        """
        with self._alone(tenant):
            upkeep = self._stores.upkeep(tenant)
            return tuple(self._report(tenant, task, order, upkeep, watch) for task in order.tasks)

    @contextlib.contextmanager
    def _alone(self, tenant: TenantId) -> Generator[None]:
        with self._turn:
            if tenant in self._busy:
                raise UpkeepBusyError
            self._busy.add(tenant)
        try:
            yield
        finally:
            with self._turn:
                self._busy.discard(tenant)

    def _report(self, tenant: TenantId, task: Task, order: Order, upkeep: Upkeep, watch: Watch) -> TaskReport:
        begun = self._world.stopwatch()
        watch(Progress(task=task, done=0, total=0, unit=_UNITS[task]))
        outcome: Outcome | None = None
        error: str | None = None
        try:
            outcome = self._outcome(tenant, task, order, upkeep, watch)
        except GraphError as failure:
            error = failure.code
            reason = failure.reason if isinstance(failure, StorageError) else str(failure)
            log.warning("graph.upkeep_failed", extra={"task": task, "code": error, "reason": reason})
        seconds = self._world.stopwatch() - begun
        report = TaskReport(task=task, dry_run=order.dry_run, seconds=seconds, outcome=outcome, error=error)
        self._observer.done(tenant, report)
        return report

    def _outcome(self, tenant: TenantId, task: Task, order: Order, upkeep: Upkeep, watch: Watch) -> Outcome:
        match task:
            case "backup":
                return self._back_up(tenant, dry_run=order.dry_run)
            case "compact":
                with self._commits.commit(tenant) as trace:
                    try:
                        return compact(
                            upkeep.compactor,
                            self._policy.compaction,
                            self._world,
                            trace=trace,
                            watch=watch,
                            full=order.full,
                            dry_run=order.dry_run,
                        )
                    except GraphError as failure:
                        trace.error = failure.code
                        raise
            case "expire":
                return self._expired(upkeep, dry_run=order.dry_run)
            case "collect":
                now = self._world.clock()
                return upkeep.collector.collect(self._policy.collection, now=now, dry_run=order.dry_run, watch=watch)

    def _expired(self, upkeep: Upkeep, *, dry_run: bool) -> Expired:
        """Expire as often as other writers are first: nothing is lost by looking again."""
        attempts = self._policy.compaction.attempts
        for attempt in range(attempts):
            if attempt:
                self._world.step_aside()
            try:
                return upkeep.expirer.expire(self._policy.retention, now=self._world.clock(), dry_run=dry_run)
            except CommitConflictError:
                continue
        raise CommitConflictError("commit the expiry", f"other writers won {attempts} times")
