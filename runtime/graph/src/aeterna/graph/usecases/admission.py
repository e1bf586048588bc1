"""Which waiting sessions may be written: the referential checks, in the order in which the sessions came."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aeterna.graph.domain.changes import EdgeKey
from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.domain.rows import Accepted
from aeterna.graph.domain.snapshots import Receipt, Stamp
from aeterna.graph.errors import GraphError, SessionConflictError, UnknownNodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.identifiers import SessionId, SnapshotId
    from aeterna.graph.ports import Committed, LensView


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What becomes of each waiting session, by its position: written, known already, or refused."""

    accepted: dict[int, Accepted]
    repeated: dict[int, Receipt]
    refused: dict[int, GraphError]
    twins: dict[int, int]  # positions whose session is the same as the accepted one at another position


class _Overlay:
    """The state that the next session meets: the view, and what the accepted sessions before it change."""

    def __init__(self, view: LensView) -> None:
        self._view = view
        self._nodes: dict[NodeId, bool] = {}  # created or removed
        self._edges: dict[EdgeKey, bool] = {}

    def unknown(self, nodes: Sequence[NodeId]) -> tuple[NodeId, ...]:
        """Return those of the ids that are no nodes."""
        asked = [node for node in nodes if node not in self._nodes]
        known = self._view.known(asked) if asked else frozenset[NodeId]()
        return tuple(node for node in nodes if not self._nodes.get(node, node in known))

    def existing(self, edges: Sequence[EdgeKey]) -> set[EdgeKey]:
        """Return those of the keys that are edges."""
        asked = [edge for edge in edges if edge not in self._edges]
        known = self._view.existing(asked) if asked else frozenset[EdgeKey]()
        return {edge for edge in edges if self._edges.get(edge, edge in known)}

    def incident(self, nodes: frozenset[NodeId]) -> set[EdgeKey]:
        """Return every edge that touches one of the nodes."""
        touching = {edge for edge in self._view.incident(list(nodes)) if self._edges.get(edge, True)}
        created = (edge for edge, exists in self._edges.items() if exists)
        return touching.union(edge for edge in created if edge.source in nodes or edge.target in nodes)

    def apply(self, accepted: Accepted) -> None:
        self._nodes.update((node.id, True) for node in accepted.session.nodes)
        self._nodes.update((node, False) for node in accepted.removed_nodes)
        self._edges.update((edge.key, True) for edge in accepted.session.edges)
        self._edges.update((edge, False) for edge in accepted.removed_edges)


def admit(
    sessions: Sequence[Session], view: LensView, *, now: datetime, containing: Callable[[int], SnapshotId]
) -> Admission:
    """Decide about the sessions against one state.

    Each accepted session gets the next seq and a time later than that of every session before it, so that the
    moment on a receipt names exactly the history up to it. ``containing`` finds a snapshot that shows a given seq.
    """
    earlier = view.committed([session.id for session in sessions])
    admission = Admission(accepted={}, repeated={}, refused={}, twins={})
    overlay = _Overlay(view)
    first_of: dict[SessionId, int] = {}
    seq, last = view.last_seq, view.committed_at
    for position, session in enumerate(sessions):
        try:
            if (known := earlier.get(session.id)) is not None:
                admission.repeated[position] = _repeated(session, known, containing)
            elif (twin := first_of.get(session.id)) is not None:
                _require_same(session, admission.accepted[twin].session.digest, admission.accepted[twin].seq)
                admission.twins[position] = twin
            else:
                stamp = Stamp.behind(seq, last, now=now)
                last = stamp.committed_at
                accepted = _accepted(session, overlay, stamp)
                overlay.apply(accepted)
                admission.accepted[position] = accepted
                first_of[session.id] = position
                seq = stamp.seq
        except GraphError as refusal:
            admission.refused[position] = refusal
    return admission


def _accepted(session: Session, overlay: _Overlay, stamp: Stamp) -> Accepted:
    created = {node.id for node in session.nodes}
    named = {node for edge in session.edges for node in (edge.key.source, edge.key.target)}
    if unknown := overlay.unknown(sorted(named - created)):
        raise UnknownNodeError(unknown)
    missing = set(overlay.unknown(session.removed_nodes))
    removed_nodes = tuple(node for node in session.removed_nodes if node not in missing)
    removed_edges = overlay.existing(session.removed_edges)
    if removed_nodes:
        removed_edges |= overlay.incident(frozenset(removed_nodes))
    return Accepted(
        session=session,
        seq=stamp.seq,
        committed_at=stamp.committed_at,
        removed_nodes=removed_nodes,
        removed_edges=tuple(sorted(removed_edges)),
    )


def _repeated(session: Session, known: Committed, containing: Callable[[int], SnapshotId]) -> Receipt:
    _require_same(session, known.digest, known.seq)
    return Receipt(
        session_id=session.id,
        snapshot_id=containing(known.seq),
        seq=known.seq,
        committed_at=known.committed_at,
        nodes=known.nodes,
        edges=known.edges,
        repeated=True,
    )


def _require_same(session: Session, digest: str, seq: int) -> None:
    if session.digest != digest:
        raise SessionConflictError(session.id, seq)


def receipt_of(accepted: Accepted, snapshot: SnapshotId) -> Receipt:
    """Return the proof for a session that is in the snapshot."""
    return Receipt(
        session_id=accepted.session.id,
        snapshot_id=snapshot,
        seq=accepted.seq,
        committed_at=accepted.committed_at,
        nodes=accepted.nodes,
        edges=accepted.edges,
    )


def as_repeated(receipt: Receipt) -> Receipt:
    """Return the proof for whoever asked for the same session a second time."""
    return replace(receipt, repeated=True)
