"""States of a graph as columns, and what differs between two of them: in Arrow, whatever the size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.graph.domain.arrow import Arrow, Table, pa, pc, untyped, where

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt

    from aeterna.graph.domain.rows import Rows

NODE_KEY: Final = ("id",)
EDGE_KEY: Final = ("source", "type", "target")
_NODE_COLUMNS: Final = ("id", "kind", "properties")
_EDGE_COLUMNS: Final = ("source", "type", "target", "properties")
_NONE: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Nodes and edges, one row each, with the ``seq`` and ``op`` of the row that counts."""

    nodes: Table
    edges: Table


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Delta:
    """What differs between two states, in order of the keys.

    Both tables have a column ``change`` (added, changed, removed) and, of both states, ``properties_before`` and
    ``properties_after``; nodes also ``kind_before`` and ``kind_after``. What a state does not have is null.
    """

    nodes: Table
    edges: Table

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return int(untyped(self.nodes).nbytes + untyped(self.edges).nbytes)


def latest(rows: Rows) -> State:
    """Return the row that counts for each node and each edge, removals included."""
    return State(
        nodes=_latest(rows.filter(where("record", "node")), NODE_KEY, _NODE_COLUMNS),
        edges=_latest(rows.filter(where("record", "edge")), EDGE_KEY, _EDGE_COLUMNS),
    )


def living(state: State) -> State:
    """Return the state without what was removed, and without edges that lack an end.

    A whole state lacks none; one from which rows were left out may.
    """
    kept = upserts(state)
    ids = untyped(kept.nodes["id"]).combine_chunks()
    whole = pc.and_(pc.is_in(kept.edges["source"], value_set=ids), pc.is_in(kept.edges["target"], value_set=ids))
    return State(nodes=kept.nodes, edges=kept.edges.filter(whole))


def latest_of(rows: Rows, touched: State) -> State:
    """Return the row that counts for those nodes and edges that the other state speaks of, removals included."""
    nodes, edges = rows.filter(where("record", "node")), rows.filter(where("record", "edge"))
    return State(
        nodes=_latest(_semi(nodes, touched.nodes, NODE_KEY), NODE_KEY, _NODE_COLUMNS),
        edges=_latest(_semi(edges, touched.edges, EDGE_KEY), EDGE_KEY, _EDGE_COLUMNS),
    )


def upserts(state: State) -> State:
    """Return the state without what was removed."""
    return State(nodes=state.nodes.filter(where("op", "upsert")), edges=state.edges.filter(where("op", "upsert")))


def delta(before: State, after: State) -> Delta:
    """Compare two states of which every row lives."""
    return Delta(
        nodes=_compared(before.nodes, after.nodes, NODE_KEY, ("kind", "properties")),
        edges=_compared(before.edges, after.edges, EDGE_KEY, ("properties",)),
    )


def narrowed(found: Delta, kinds: Collection[str], types: Collection[str]) -> Delta:
    """Return the nodes that have one of the kinds in either state, and the edges of the types; empty means any."""
    nodes, edges = found.nodes, found.edges
    if kinds:
        wanted = pa.array(sorted(kinds), pa.string())
        nodes = nodes.filter(
            pc.or_(
                pc.is_in(nodes["kind_before"], value_set=wanted),
                pc.is_in(nodes["kind_after"], value_set=wanted),
            )
        )
    if types:
        edges = edges.filter(pc.is_in(edges["type"], value_set=pa.array(sorted(types), pa.string())))
    return Delta(nodes=nodes, edges=edges)


def behind(table: Table, key: Sequence[str], place: Sequence[str]) -> Table:
    """Return the rows of a sorted table whose key comes after a place."""
    later = pc.greater(table[key[-1]], place[-1])
    for name, value in zip(reversed(key[:-1]), reversed(place[:-1]), strict=True):
        later = pc.or_(pc.greater(table[name], value), pc.and_(pc.equal(table[name], value), later))
    return table.filter(later)


def _latest(rows: Rows, key: Sequence[str], columns: Sequence[str]) -> Table:
    rows = rows.select([*columns, "op", "seq"])
    if rows.num_rows == 0:
        return rows
    codes = [_codes(rows, name) for name in key]
    order = np.lexsort((rows["seq"].to_numpy(), *reversed(codes)))
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = np.logical_or.reduce([code[order][1:] != code[order][:-1] for code in codes])
    return rows.take(np.sort(order[last]))


def _codes(rows: Table, name: str) -> npt.NDArray[np.int32]:
    encoded = untyped(rows[name]).combine_chunks().dictionary_encode()
    codes: npt.NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
    return codes


def _semi(left: Table, right: Table, key: Sequence[str]) -> Table:
    if left.num_rows == 0 or right.num_rows == 0:
        return untyped(left).slice(0, 0)
    # Places instead of rows: the join then moves numbers and no properties.
    places = _places(left, key, "place").join(right.select(list(key)), list(key), join_type="left semi")
    return left.take(np.sort(places["place"].to_numpy()))


def _places(table: Table, key: Sequence[str], name: str) -> Arrow:
    return untyped(table.select(list(key))).append_column(name, pa.array(np.arange(table.num_rows)))


def _compared(before: Table, after: Table, key: Sequence[str], values: Sequence[str]) -> Table:
    joined = _places(before, key, "before").join(
        _places(after, key, "after"), list(key), join_type="full outer", coalesce_keys=True
    )
    old, new = (pc.fill_null(joined[side], _NONE).to_numpy() for side in ("before", "after"))
    differs = _differs(before, after, old, new, values)
    joined = joined.filter(pa.array(differs))
    old, new = old[differs], new[differs]
    changes = np.where(old == _NONE, "added", np.where(new == _NONE, "removed", "changed"))
    columns = {"change": pa.array(changes, pa.string()), **{name: joined[name] for name in key}}
    for name in values:
        columns[f"{name}_before"] = _taken(before, name, old)
        columns[f"{name}_after"] = _taken(after, name, new)
    found = pa.table(columns)
    return found.take(pc.sort_indices(found, sort_keys=[(name, "ascending") for name in key]))


def _differs(
    before: Table, after: Table, old: npt.NDArray[np.int64], new: npt.NDArray[np.int64], values: Sequence[str]
) -> npt.NDArray[np.bool_]:
    differs = (old == _NONE) | (new == _NONE)
    # The same row in both states is the same without a look at its properties.
    both = np.flatnonzero(~differs)
    both = both[before["seq"].to_numpy()[old[both]] != after["seq"].to_numpy()[new[both]]]
    for name in values:
        left, right = before[name], after[name]
        unequal = pc.not_equal(
            untyped(left).take(pa.array(old[both])), untyped(right).take(pa.array(new[both]))
        ).to_numpy()
        differs[both[unequal.astype(np.bool_)]] = True
    return differs


def _taken(table: Table, name: str, places: npt.NDArray[np.int64]) -> Arrow:
    return untyped(table[name]).take(pa.array(places, mask=places == _NONE))
