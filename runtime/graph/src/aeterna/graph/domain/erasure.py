"""What an erasure is about, and which rows of a graph it hides: first from every read, then for ever.

An erasure names a subject (whoever committed the rows), nodes that are about a person, or the whole tenant. It reaches
the rows up to its own seq; what is committed later is not part of it. A node or an edge whose latest row is the
subject's is hidden with all of its older rows, whoever wrote them: otherwise what the subject had replaced or removed
would come back. A hidden node hides its edges.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.arrow import Column, Table, pa, pc, untyped
from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.errors import InvalidErasureError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aeterna.graph.domain.identifiers import Json
    from aeterna.graph.domain.rows import Rows

MAX_NODES: Final = 10_000
PENDING: Final = "pending"
STATE_COLUMNS: Final = ("record", "seq", "subject", "id", "source", "type", "target")  # what decides about rows
_BETWEEN: Final = "\x00"  # no id and no label may hold it
_KEPT_RECORDS: Final = ("hold", "erasure")  # of law, not of people: they are handled one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom or what an erasure is about. Build it with `target_of`."""

    subject: str | None = None
    nodes: frozenset[NodeId] = frozenset()
    tenant: bool = False


def target_of(*, subject: str | None, nodes: Iterable[NodeId], tenant: bool) -> Target:
    """Check and make a target; raise `InvalidErasureError`."""
    named = frozenset(nodes)
    if tenant and (subject is not None or named):
        raise InvalidErasureError("tenant", "is everything: leave subject and nodes away")
    if not tenant and subject is None and not named:
        raise InvalidErasureError("subject", "is missing: name a subject, nodes, or the tenant")
    if subject == "":
        raise InvalidErasureError("subject", "is empty")
    if len(named) > MAX_NODES:
        raise InvalidErasureError("nodes", f"names {len(named)} nodes, at most {MAX_NODES}: make it several erasures")
    return Target(subject=subject, nodes=named, tenant=tenant)


@dataclass(frozen=True, slots=True)
class Hidden:
    """The things that an erasure reaches in one state; ``up_to`` is the last seq that it reaches."""

    target: Target
    up_to: int
    nodes: Column
    edges: Column  # source, type and target in one text

    def hits(self, rows: Rows) -> Column:
        """Say for each row whether the erasure reaches it. Rows on record about holds and erasures it never does."""
        covered = pc.and_(pc.less_equal(rows["seq"], self.up_to), _is_none_of(rows["record"], _KEPT_RECORDS))
        if self.target.tenant:
            return covered
        found = self.is_thing(rows)
        if self.target.subject is not None:
            found = pc.or_(found, pc.equal(rows["subject"], self.target.subject))
        return pc.and_(covered, found)

    def is_thing(self, rows: Rows) -> Column:
        """Say for each row whether its node or edge is hidden as such, and not only in the subject's words."""
        if self.target.tenant:
            return pc.is_in(rows["record"], value_set=pa.array(["node", "edge"]))
        found = pc.or_(_is_in(rows["id"], self.nodes), _is_in(rows["source"], self.nodes))
        found = pc.or_(found, _is_in(rows["target"], self.nodes))
        return pc.or_(found, _is_in(_edge_keys(rows), self.edges))


def hidden_by(target: Target, state: Table, *, up_to: int) -> Hidden:
    """Find what the erasure reaches in a state: all of its rows, of which a few columns are enough.

    ``state`` needs `STATE_COLUMNS`.
    """
    rows = state.filter(pc.less_equal(state["seq"], up_to))
    nodes, edges = rows.filter(pc.equal(rows["record"], "node")), rows.filter(pc.equal(rows["record"], "edge"))
    named = pa.array(sorted(target.nodes), pa.string())
    if target.subject is None or target.tenant:
        return Hidden(target, up_to, named, pa.array([], pa.string()))
    last_nodes = _last_by(target.subject, nodes["id"], nodes)
    last_edges = _last_by(target.subject, _edge_keys(edges), edges)
    return Hidden(target, up_to, pa.concat_arrays([named, last_nodes]), last_edges)


def without_erased(rows: Rows, erasures: Mapping[str, Json]) -> Rows:
    """Return the rows without what the pending erasures on record hide; their own removals stay.

    It is exact on all rows of a state. On a part of them, what the subject replaced before that part may show again
    in the words of others, never in those of the subject.
    """
    for text in erasures.values():
        record = json.loads(text)
        if record["state"] == PENDING:
            hidden = hidden_by(target_in(record), rows, up_to=record["seq"] - 1)
            rows = rows.filter(pc.invert(hidden.hits(rows)))
    return rows


def hiding(erasures: Mapping[str, Json]) -> frozenset[str]:
    """Return the ids of the erasures that hide something: what was loaded under others must not be shown."""
    return frozenset(id_ for id_, text in erasures.items() if json.loads(text)["state"] == PENDING)


def target_in(record: Mapping[str, object]) -> Target:
    """Read the target of a pending erasure from its record."""
    known = untyped(record)
    return Target(subject=known["subject"], nodes=frozenset(known["nodes"]), tenant=known["tenant"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """The changes that take out of a state what an erasure reaches, and who had committed it."""

    changes: Table
    subjects: frozenset[str]


def removals(target: Target, state: Table) -> Removals:
    """Find what no read shall show from now on: a removal for each node and edge that there still is.

    ``state`` needs ``op`` beside `STATE_COLUMNS`.
    """
    hidden = hidden_by(target, state, up_to=pc.max(state["seq"]).as_py() or 0)
    reached = untyped(state).filter(hidden.hits(untyped(state)))
    living = _latest(reached)  # every row of a thing that is hidden is reached, so its last one is here
    gone = living.filter(pc.equal(living["op"], "upsert"))
    gone = gone.filter(hidden.is_thing(gone))
    size = gone.num_rows
    changes = {name: gone[name] for name in ("record", "id", "source", "type", "target")}
    nothing = pa.nulls(size, pa.string())
    changes |= {"op": pa.repeat("delete", size), "kind": nothing, "properties": nothing}
    return Removals(changes=pa.table(changes), subjects=frozenset(pc.unique(reached["subject"]).to_pylist()))


def credited(rows: Rows, state: Table) -> Rows:
    """Return rows that bring back a state under the subjects who had written it, whoever brings it back.

    Otherwise an erasure of those subjects would not reach what somebody else restored. ``state`` needs
    `STATE_COLUMNS`.
    """
    # Only what is brought back is asked about: the whole state may be a hundred times as much.
    keys = untyped(_thing_keys(rows)).combine_chunks()
    latest = _latest(state.filter(_is_in(_thing_keys(state), keys)))
    known = pc.index_in(_thing_keys(rows), value_set=untyped(_thing_keys(latest)).combine_chunks())
    written = pc.and_(pc.equal(rows["op"], "upsert"), pc.is_valid(known))
    subjects = pc.if_else(written, untyped(latest["subject"]).take(known), rows["subject"])
    place = untyped(rows).schema.get_field_index("subject")
    return untyped(rows).set_column(place, untyped(rows).schema.field(place), subjects)


def _latest(state: Table) -> Table:
    things = untyped(state).filter(pc.is_in(state["record"], pa.array(["node", "edge"])))
    keys = _thing_keys(things)
    numbered = pa.table({"key": keys, "seq": things["seq"], "row": pa.array(range(things.num_rows), pa.int64())})
    last = numbered.sort_by("seq").group_by("key", use_threads=False).aggregate([("row", "last")])
    return things.take(last["row_last"])


def _thing_keys(rows: Table) -> Column:
    """Return what makes a node or an edge itself, in one text; no two sorts of rows share one."""
    return pc.binary_join_element_wise(
        rows["record"], pc.fill_null(rows["id"], ""), pc.fill_null(_edge_keys(rows), ""), _BETWEEN
    )


def _last_by(subject: str, keys: Column, rows: Table) -> Column:
    """Return those of the keys whose last row is the subject's."""
    theirs = pc.unique(keys.filter(pc.equal(rows["subject"], subject)))
    known = pa.table({"key": keys, "seq": rows["seq"], "subject": rows["subject"]}).filter(_is_in(keys, theirs))
    last = known.sort_by("seq").group_by("key", use_threads=False).aggregate([("subject", "last")])
    return last["key"].filter(pc.equal(last["subject_last"], subject)).combine_chunks()


def _edge_keys(rows: Table) -> Column:
    return pc.binary_join_element_wise(rows["source"], rows["type"], rows["target"], _BETWEEN)


def _is_in(values: Column, wanted: Column) -> Column:
    return pc.is_in(values, value_set=wanted)  # null is in nothing that we look for


def _is_none_of(values: Column, others: tuple[str, ...]) -> Column:
    return pc.invert(pc.is_in(values, value_set=pa.array(others)))
