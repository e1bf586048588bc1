"""A round of upkeep over every tenant that the catalog knows, whether anybody has its graph open or not."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.identifiers import TenantId, tenant_hash
from aeterna.graph.domain.upkeep import BackedUp, Collected, Compacted, Expired
from aeterna.graph.errors import CompactionOvertakenError, GraphClosedError, UpkeepBusyError
from aeterna.graph.usecases.upkeep import Order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from aeterna.graph.domain.upkeep import Outcome, Task
    from aeterna.graph.ports import Watch
    from aeterna.graph.usecases.engine import World
    from aeterna.graph.usecases.upkeep import Maintenance

log = logging.getLogger(__name__)

BROKEN: Final = "graph.upkeep_broken"
"""What stands for a failure that has no code: a defect of ours, whose trace is in the log."""
_ELSEWHERE: Final = frozenset({UpkeepBusyError.code, CompactionOvertakenError.code})
"""What says that somebody else does the same just now: nothing is wrong, and the next round does what is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What came of a round: ``problems`` by tenant and task, and how many tenants were not reached in time."""

    tenants: int
    problems: Mapping[TenantId, Mapping[str, str]]
    unreached: int
    figures: Mapping[str, int]
    seconds: float

    @property
    def whole(self) -> bool:
        """Whether every task of every tenant was done, here or by somebody else."""
        return not self.problems and not self.unreached


class Rounds:
    """Does tasks for all tenants, one after the other; each in the memory that one takes."""

    def __init__(self, maintenance: Maintenance, world: World, *, within: timedelta) -> None:
        """Give up the task in hand when a round takes longer than ``within``, and say what was not reached."""
        self._maintenance = maintenance
        self._world = world
        self._within = within.total_seconds()
        self._stopping = False

    def stop(self) -> None:
        """End the round at the next step; every task may be ended at any."""
        self._stopping = True

    def run(self, tasks: Sequence[Task]) -> Round:
        """Do the tasks for every tenant, whatever comes of the others; raise `StorageError` when nobody knows them."""
        begun = self._world.stopwatch()
        end = begun + self._within
        tenants = self._maintenance.tenants()
        problems: dict[TenantId, Mapping[str, str]] = {}
        figures: Counter[str] = Counter()
        reached = 0
        # Each round begins with another tenant: where the time is never enough, it is not always the same that wait.
        for tenant in _turned(tenants, self._world.chance()):
            if self._over(end):
                break
            try:
                found = self._kept(tenant, tasks, self._watch(end), figures)
            except GraphClosedError:
                break
            reached += 1
            if found:
                problems[tenant] = found
        return Round(
            tenants=len(tenants),
            problems=problems,
            unreached=len(tenants) - reached,
            figures=dict(figures),
            seconds=self._world.stopwatch() - begun,
        )

    def _kept(self, tenant: TenantId, tasks: Sequence[Task], watch: Watch, figures: Counter[str]) -> Mapping[str, str]:
        """Do the tasks for one tenant; return what was wrong by task, and raise `GraphClosedError` when told to end."""
        try:
            reports = self._maintenance.run(tenant, Order(tasks=tasks), watch)
        except GraphClosedError:
            raise
        except UpkeepBusyError:
            return {}
        except Exception:
            # Whatever one tenant's table brings about must not keep the others from their backups.
            log.exception("graph.upkeep_broken", extra={"tenant_hash": tenant_hash(tenant)})
            return {"round": BROKEN}
        for report in reports:
            if report.error == GraphClosedError.code:
                raise GraphClosedError
            figures.update(_figures(report.outcome))
        return {report.task: report.error for report in reports if report.error and report.error not in _ELSEWHERE}

    def _watch(self, end: float) -> Watch:
        def watch(_progress: object) -> None:
            if self._over(end):
                raise GraphClosedError

        return watch

    def _over(self, end: float) -> bool:
        return self._stopping or self._world.stopwatch() >= end


def _turned(tenants: Sequence[TenantId], chance: float) -> Sequence[TenantId]:
    first = int(chance * len(tenants))
    return (*tenants[first:], *tenants[:first])


def _figures(outcome: Outcome | None) -> Mapping[str, int]:
    match outcome:
        case BackedUp(made=made, dropped=dropped):
            return {"backups_made": len(made), "backups_dropped": len(dropped)}
        case Compacted(reason=reason):
            return {"compactions": int(reason is not None)}
        case Expired(expired=expired):
            return {"snapshots_expired": expired}
        case Collected(files=files, bytes=size):
            return {"files_collected": files, "bytes_collected": size}
        case None:
            return {}
