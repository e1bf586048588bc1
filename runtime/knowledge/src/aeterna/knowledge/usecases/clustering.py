"""Keeps the communities of a tenant's graph: finds them anew when enough has changed, and records who is where."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from aeterna.knowledge.domain.communities import Parameters
from aeterna.knowledge.domain.dirtiness import Drift, Recomputation, Thresholds, recomputation
from aeterna.knowledge.domain.hierarchies import differing, earlier_of
from aeterna.knowledge.domain.memberships import Run
from aeterna.knowledge.domain.naming import Membership, changes, named

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.ports import CommunityDetector, Memberships, Topologies

Outcome: TypeAlias = "Recomputation | Literal['busy', 'overtaken']"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustered:
    """What a run did: ``none`` when too little had changed, ``busy`` when another run of the tenant was at it.

    ``overtaken`` is a run that a later one was recorded before. ``seq`` is that of the state that was looked at,
    ``edges_changed`` since the last run, and ``moved`` how often a node's community is another at some level.
    """

    outcome: Outcome
    seq: int = 0
    edges_changed: int = 0
    quality: float = 0.0
    moved: int = 0


class Clustering:
    """Finds communities. Two runs of one tenant never overlap, and a run sees and writes nothing of another tenant."""

    def __init__(
        self,
        *,
        topologies: Topologies,
        memberships: Memberships,
        detector: CommunityDetector,
        clock: Callable[[], datetime],
        parameters: Parameters | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        """``clock`` gives the time that a run is recorded with."""
        self._topologies = topologies
        self._memberships = memberships
        self._detector = detector
        self._clock = clock
        self._parameters = parameters or Parameters()
        self._thresholds = thresholds or Thresholds()

    async def run(self, tenant: TenantId, *, whole: bool = False) -> Clustered:
        """Find the communities of a tenant anew if that is due; ``whole`` is as soon as there is any newer state."""
        async with self._memberships.running(tenant) as alone:
            if not alone:
                return Clustered(outcome="busy")
            last = await self._memberships.run(tenant)
            run, done = await asyncio.to_thread(self._found, tenant, last, whole=whole)
            if run is not None and not await self._memberships.record(tenant, run):
                return Clustered(outcome="overtaken", seq=done.seq)
            return done

    def _found(self, tenant: TenantId, last: Run | None, *, whole: bool) -> tuple[Run | None, Clustered]:
        seq, now = self._topologies.now(tenant)
        if last is not None and seq <= last.seq:
            return None, Clustered(outcome="none", seq=seq)
        before = None if last is None else self._topologies.then(tenant, last.seq)
        changed = len(now.weights) if before is None else len(differing(before, now)[0])
        drift = changed if last is None or before is None else last.drift + changed
        due = self._due(changed, drift, edges=len(now.weights), found=last is not None)
        # Of a state that nobody can read any more, nobody can say how much changed since.
        if whole or (last is not None and before is None):
            due = "everything"
        if due == "none":
            return None, Clustered(outcome=due, seq=seq, edges_changed=changed)
        previous = None if last is None else _membership(last)
        earlier = None
        # A record is of every node of its graph, unless some were erased from its history since.
        if due == "changed" and before is not None and previous is not None and previous.ids == before.ids:
            earlier = earlier_of(before, [level.community for level in previous.levels], now)
        else:
            due = "everything"
        hierarchy = self._detector.detect(now, self._parameters, earlier=earlier)
        membership = named(hierarchy, now.ids, previous, seq=seq)
        moved = len(changes(previous, membership).begun)
        run = Run(
            seq=seq,
            at=self._clock(),
            levels=membership.mappings(),
            drift=0 if due == "everything" else drift,
        )
        return run, Clustered(outcome=due, seq=seq, edges_changed=changed, quality=hierarchy.quality, moved=moved)

    def _due(self, changed: int, drift: int, *, edges: int, found: bool) -> Recomputation:
        return recomputation(Drift(since_run=changed, since_whole=drift, edges=edges, found=found), self._thresholds)


def _membership(run: Run) -> Membership:
    """Return what a run found as arrays, its nodes in order."""
    return Membership.of(tuple(sorted(run.levels[0])) if run.levels else (), run.levels)
