"""Topologies that a test puts there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.topologies import Topology


class InMemoryTopologies:
    """A `Topologies`: of each tenant, a state by its seq."""

    def __init__(self) -> None:
        self.states: dict[TenantId, dict[int, Topology]] = {}

    def now(self, tenant: TenantId) -> tuple[int, Topology]:
        """See `Topologies.now`."""
        seq = max(self.states[tenant])
        return seq, self.states[tenant][seq]

    def then(self, tenant: TenantId, seq: int) -> Topology | None:
        """See `Topologies.then`."""
        return self.states[tenant].get(seq)
