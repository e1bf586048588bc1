"""The topologies of graphs that are open in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.graph.domain.snapshots import AtSeq
from aeterna.graph.errors import SnapshotNotFoundError

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.topologies import Topology
    from aeterna.graph.usecases.graphs import Graphs


class OpenTopologies:
    """A `Topologies` of graphs that are open in this process."""

    def __init__(self, graphs: Graphs) -> None:
        self._graphs = graphs

    def now(self, tenant: TenantId) -> tuple[int, Topology]:
        """See `Topologies.now`."""
        return self._graphs.of(tenant).topology()

    def then(self, tenant: TenantId, seq: int) -> Topology | None:
        """See `Topologies.then`."""
        try:
            return self._graphs.of(tenant).topology(as_of=AtSeq(seq))[1]
        except SnapshotNotFoundError:
            return None
