"""One state of a graph: everything that a question needs, frozen at one snapshot."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aeterna.graph.adapters.lens.identifiers import Identifiers
from aeterna.graph.adapters.lens.labels import Labels
from aeterna.graph.adapters.lens.properties import Properties
from aeterna.graph.adapters.lens.relations import Relations, relations_of
from aeterna.graph.adapters.lens.sessions import Sessions
from aeterna.graph.adapters.lens.topology import Topology
from aeterna.graph.domain.changes import EdgeKey
from aeterna.graph.domain.identifiers import Json, Label, NodeId
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import NodeNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aeterna.graph.adapters.lens.adjacency import Bools, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The texts behind the numbers."""

    ids: Identifiers
    kinds: Labels
    types: Labels


@dataclass(slots=True)
class _Derived:
    """What is made of a state when somebody first asks for it."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    relations: Relations | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LensState:
    """A graph at one snapshot. Numbers of nodes and edges mean something within one state only."""

    snapshot: Snapshot | None
    names: Names
    topology: Topology
    nodes: Properties
    edges: Properties
    sessions: Sessions
    records: Mapping[str, Mapping[str, Json]]
    _derived: _Derived = field(default_factory=_Derived, compare=False, repr=False)

    @classmethod
    def empty(cls) -> LensState:
        """Return the state before the first snapshot."""
        return cls(
            snapshot=None,
            names=Names(ids=Identifiers(), kinds=Labels(), types=Labels()),
            topology=Topology.empty(),
            nodes=Properties.none(),
            edges=Properties.none(),
            sessions=Sessions(),
            records={},
        )

    def number(self, node: NodeId) -> int:
        """Return the number of a node; raise `NodeNotFoundError`."""
        number = self.names.ids.number(node)
        if number < 0 or not self.topology.is_node(number):
            raise NodeNotFoundError(node)
        return number

    def numbers(self, nodes: Sequence[str]) -> Ints:
        """Return the number of each node, -1 for those that are none."""
        numbers = self.names.ids.numbers(nodes)
        # A later state may have given numbers that this one does not know.
        numbers[numbers >= len(self.topology.kinds)] = -1
        known = numbers >= 0
        numbers[known] = [number if self.topology.kinds[number] >= 0 else -1 for number in numbers[known].tolist()]
        return numbers

    def id(self, number: int) -> NodeId:
        """Return the id of a number."""
        return NodeId(self.names.ids[number])

    def ids(self, numbers: Ints) -> list[NodeId]:
        """Return the id of each number."""
        return self.names.ids.texts(numbers).to_pylist()

    def in_order(self, numbers: Ints) -> Ints:
        """Return the numbers in the order of their ids."""
        return self.names.ids.in_order(numbers)

    def kind(self, number: int) -> Label:
        """Return the kind of a node."""
        return Label(self.names.kinds.texts[int(self.topology.kinds[number])])

    def kinds_of(self, numbers: Ints) -> list[Label]:
        """Return the kind of each node."""
        texts = self.names.kinds.texts
        kinds: list[int] = self.topology.kinds[numbers].tolist()
        return [Label(texts[kind]) for kind in kinds]

    def node_properties(self, numbers: Ints) -> list[Json]:
        """Return the properties of each node."""
        return self.nodes.at(numbers)

    def edge_properties(self, edges: Ints) -> list[Json]:
        """Return the properties of each edge."""
        return self.edges.at(edges)

    def key(self, edge: int) -> EdgeKey:
        """Return what makes an edge itself."""
        topology = self.topology
        return EdgeKey(
            self.id(int(topology.source[edge])),
            Label(self.names.types.texts[int(topology.type[edge])]),
            self.id(int(topology.target[edge])),
        )

    def keys(self, edges: Ints) -> list[EdgeKey]:
        """Return what makes each edge itself."""
        topology, texts = self.topology, self.names.types.texts
        numbers: list[int] = topology.type[edges].tolist()
        types = (Label(texts[number]) for number in numbers)
        sources, targets = self.ids(topology.source[edges]), self.ids(topology.target[edges])
        return [EdgeKey(*ends) for ends in zip(sources, types, targets, strict=True)]

    def wanted_types(self, labels: Iterable[str]) -> Bools | None:
        """Return by number which types are meant; None, which is what no labels mean, is all of them."""
        return self.names.types.wanted(labels)

    def wanted_kinds(self, labels: Iterable[str]) -> Bools | None:
        """Return by number which kinds are meant; None, which is what no labels mean, is all of them."""
        return self.names.kinds.wanted(labels)

    def replaced(self, **changes: Any) -> LensState:  # noqa: ANN401 - as `dataclasses.replace` has it
        """Return another state of the changed fields, with nothing derived yet."""
        return replace(self, _derived=_Derived(), **changes)

    @property
    def relations(self) -> Relations:
        """The living nodes and edges as tables, made when they are first asked for."""
        with self._derived.turn:
            if self._derived.relations is None:
                self._derived.relations = relations_of(self.names, self.topology, self.nodes, self.edges)
            return self._derived.relations
