"""A state from all the rows of a snapshot: sorted, numbered and indexed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aeterna.graph.adapters.lens.encoding import encoded
from aeterna.graph.adapters.lens.identifiers import Identifiers
from aeterna.graph.adapters.lens.labels import Labels
from aeterna.graph.adapters.lens.latest import latest_edges, latest_nodes
from aeterna.graph.adapters.lens.properties import Properties
from aeterna.graph.adapters.lens.sessions import Sessions
from aeterna.graph.adapters.lens.sorted_texts import SortedTexts, is_sorted
from aeterna.graph.adapters.lens.state import LensState, Names
from aeterna.graph.adapters.lens.topology import GONE, Topology
from aeterna.graph.domain.arrow import Arrow, Column, Table, mask, pa, pc, untyped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.graph.adapters.lens.adjacency import Bools, Ints
    from aeterna.graph.domain.identifiers import Json
    from aeterna.graph.domain.parts import Parts
    from aeterna.graph.domain.snapshots import Snapshot


def loaded(parts: Parts, snapshot: Snapshot) -> LensState:
    """Make the state of a snapshot from all of its rows."""
    names = Names(ids=Identifiers(), kinds=Labels(), types=Labels())
    ids, kinds, nodes = _nodes(parts.nodes, names.kinds)
    names = Names(ids=ids, kinds=names.kinds, types=names.types)
    topology, edges = _edges(parts.edges, names, kinds)
    return LensState(
        snapshot=snapshot,
        names=names,
        topology=topology,
        nodes=nodes,
        edges=edges,
        sessions=Sessions().with_rows(parts.sessions),
        records=with_records({}, parts.others),
    )


def _nodes(rows: Table, kinds: Labels) -> tuple[Identifiers, Ints, Properties]:
    if rows.num_rows == 0:
        return Identifiers(), np.empty(0, dtype=np.int32), Properties.none()
    ids = _one(rows["id"])
    alive = written(rows)
    properties = Properties.read(rows["properties"])
    of_row = kinds_of(rows, alive, kinds)
    if not is_sorted(ids):
        # Equal ids are neighbours in the order of ids, and so get the same place among the distinct ones.
        order = pc.sort_indices(ids).to_numpy()
        ids = ids.take(pa.array(order))
        begins = np.append(True, pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False))
        place = (np.cumsum(begins) - 1).astype(np.int32)
        last = latest_nodes(place, rows["seq"].to_numpy()[order])
        ids = ids.filter(mask(begins))
        of_row = of_row[order[last]]
        properties = Properties(texts=properties.texts, rows=properties.rows[order[last]])
    return Identifiers(SortedTexts(ids)), of_row, properties


def _edges(rows: Table, names: Names, kinds: Ints) -> tuple[Topology, Properties]:
    source, target = names.ids.numbered(rows["source"], rows["target"])
    type_ = names.types.numbered(rows["type"])
    # An edge may name a node that is not there: its id then has a number all the same, and is no node.
    kinds = np.append(kinds, np.full(len(names.ids) - len(kinds), GONE, dtype=np.int32))
    alive = written(rows)
    properties = Properties.read(rows["properties"])
    last = latest_edges(source, type_, target, rows["seq"].to_numpy())
    if last is None and not alive.all():
        last = np.arange(len(alive))
    if last is not None:
        last = last[alive[last]]
        source, type_, target = source[last], type_[last], target[last]
        properties = Properties(texts=properties.texts, rows=properties.rows[last])
    everything = np.ones(len(source), dtype=np.bool_)
    topology = Topology(kinds=kinds, source=source, target=target, type=type_, alive=everything)
    return topology.indexed(), properties


def written(rows: Table) -> Bools:
    """Tell of each row whether it writes rather than removes."""
    return np.concatenate(
        [
            np.empty(0, dtype=np.bool_),
            *(pc.equal(ops, "upsert").to_numpy(zero_copy_only=False)[places] for ops, places in encoded(rows["op"])),
        ]
    )


def kinds_of(rows: Table, alive: Bools, kinds: Labels) -> Ints:
    """Return the number of each node's kind; those that are removed have none."""
    if alive.all():
        return kinds.numbered(rows["kind"])
    numbers = np.full(len(alive), GONE, dtype=np.int32)
    numbers[alive] = kinds.numbered(rows["kind"].filter(mask(alive)))
    return numbers


def with_records(before: Mapping[str, Mapping[str, Json]], rows: Table) -> Mapping[str, Mapping[str, Json]]:
    """Return what else is on record, by record and id, after more rows."""
    if rows.num_rows == 0:
        return before
    after = {record: dict(known) for record, known in before.items()}
    for row in sorted(untyped(rows).to_pylist(), key=lambda row: row["seq"]):
        known = after.setdefault(row["record"], {})
        known.pop(row["id"], None)
        if row["op"] == "upsert":
            known[row["id"]] = row["properties"]
    return after


def _one(column: Column) -> Arrow:
    return pa.concat_arrays(untyped(column).cast(pa.large_string()).chunks)
