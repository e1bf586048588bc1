"""What knowledge needs from the world: somebody who reads documents, and somebody who finds communities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aeterna.knowledge.domain.communities import Hierarchy, Ints, Parameters, Topology
    from aeterna.knowledge.domain.documents import Parsed, Upload


class DocumentReader(Protocol):
    """Reads documents of every kind that is known. Kept by ``adapters.documents``."""

    def read(self, upload: Upload) -> Parsed:
        """Read the document, in bounded time and memory whatever it holds; raise `DocumentRefusedError`."""
        ...


class CommunityDetector(Protocol):
    """Finds communities. Kept by ``adapters.communities``."""

    def detect(self, topology: Topology, parameters: Parameters, *, start: Ints | None = None) -> Hierarchy:
        """Return the hierarchy of a graph.

        ``start`` is the coarsest community of each node in an earlier run (-1 for a new one), from which a graph that
        changed little is done sooner.
        """
        ...
