"""A state from the one before it and the rows committed since, sharing all that did not change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from aeterna.graph.adapters.lens.columns import Column
from aeterna.graph.adapters.lens.latest import latest_edges, latest_nodes
from aeterna.graph.adapters.lens.loading import kinds_of, with_records, written
from aeterna.graph.adapters.lens.topology import GONE

if TYPE_CHECKING:
    from aeterna.graph.adapters.lens.state import LensState
    from aeterna.graph.domain.arrow import Table
    from aeterna.graph.domain.parts import Parts
    from aeterna.graph.domain.snapshots import Snapshot

_NO_PROPERTIES = -1


def _ints(missing: int = 0) -> Column[np.int32]:
    return Column(np.int32, missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The memory that the states of one lens share; only the one thread that applies touches it."""

    kinds: Column[np.int32] = field(default_factory=lambda: _ints(GONE))
    source: Column[np.int32] = field(default_factory=_ints)
    target: Column[np.int32] = field(default_factory=_ints)
    type: Column[np.int32] = field(default_factory=_ints)
    alive: Column[np.bool_] = field(default_factory=lambda: Column(np.bool_, 0))
    nodes: Column[np.int32] = field(default_factory=lambda: _ints(_NO_PROPERTIES))
    edges: Column[np.int32] = field(default_factory=lambda: _ints(_NO_PROPERTIES))


def applied(state: LensState, parts: Parts, snapshot: Snapshot, growth: Growth) -> LensState:
    """Return the state after the rows; ``state`` stays what it was."""
    after = _with_edges(_with_nodes(state, parts.nodes, growth), parts.edges, growth)
    return after.replaced(
        snapshot=snapshot,
        names=replace(after.names, ids=after.names.ids.folded(len(after.topology.kinds))),
        sessions=after.sessions.with_rows(parts.sessions),
        records=with_records(after.records, parts.others),
    )


def _with_nodes(state: LensState, rows: Table, growth: Growth) -> LensState:
    if rows.num_rows == 0:
        return state
    (numbers,) = state.names.ids.numbered(rows["id"])
    last = latest_nodes(numbers, rows["seq"].to_numpy())
    rows, numbers = rows.take(last), numbers[last]
    alive = written(rows)
    size = len(state.names.ids)
    kinds = growth.kinds.changed(state.topology.kinds, size, numbers, kinds_of(rows, alive, state.names.kinds))
    properties = state.nodes.replaced(numbers, rows["properties"], size, growth.nodes)
    return replace(state, topology=replace(state.topology, kinds=kinds), nodes=properties)


def _with_edges(state: LensState, rows: Table, growth: Growth) -> LensState:
    if rows.num_rows == 0:
        return state
    ids, before = state.names.ids, state.topology
    source, target = ids.numbered(rows["source"], rows["target"])
    type_ = state.names.types.numbered(rows["type"])
    last = latest_edges(source, type_, target, rows["seq"].to_numpy())
    if last is not None:
        rows, source, type_, target = rows.take(last), source[last], type_[last], target[last]
    alive = written(rows)
    numbers = before.find(source, type_, target)
    new = np.flatnonzero((numbers < 0) & alive)
    size = len(before.source)
    numbers[new] = np.arange(size, size + len(new))
    known = np.flatnonzero(numbers >= 0)  # the others are tombstones of edges that never were
    changed, size = numbers[known].astype(np.int32), size + len(new)
    nobody = np.empty(0, dtype=np.int32)
    topology = replace(
        before,
        kinds=growth.kinds.changed(before.kinds, len(ids), nobody, nobody),
        source=growth.source.extended(before.source, source[new]),
        target=growth.target.extended(before.target, target[new]),
        type=growth.type.extended(before.type, type_[new]),
        alive=growth.alive.changed(before.alive, size, changed, alive[known]),
    )
    properties = state.edges.replaced(changed, rows.take(known)["properties"], size, growth.edges)
    nodes = state.nodes.replaced(nobody, rows["properties"], len(ids), growth.nodes)
    return replace(state, topology=topology.indexed(), nodes=nodes, edges=properties)
