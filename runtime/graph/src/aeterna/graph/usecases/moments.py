"""Which state is meant by a moment: a time, a seq, a snapshot, a tag, or now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from aeterna.graph.domain.snapshots import AtSeq
from aeterna.graph.errors import SnapshotNotFoundError, TagNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aeterna.graph.domain.identifiers import SnapshotId, TagName, TenantId
    from aeterna.graph.domain.snapshots import AsOf, Snapshot, Stamp
    from aeterna.graph.domain.tags import Tag
    from aeterna.graph.ports import GraphStores
    from aeterna.graph.usecases.present import Present


class Moments:
    """The moments of one tenant's history.

    A moment is given as the snapshot that it can be read from, *narrowed* to it: of its rows those up to its
    ``last_seq`` are the state. History is as long as the rows go back, whatever snapshots there still are.
    """

    def __init__(self, tenant: TenantId, stores: GraphStores, present: Present) -> None:
        self._tenant = tenant
        self._stores = stores
        self._present = present

    def newest(self, at_least: int = 0) -> Snapshot:
        """Return the newest snapshot; raise `SnapshotNotFoundError` before the first."""
        snapshots = self._present.snapshots(at_least)
        if not snapshots:
            raise SnapshotNotFoundError("now: the graph is empty")
        return snapshots[-1]

    def resolved(self, as_of: AsOf, at_least: int = 0) -> Snapshot:
        """Return the snapshot, narrowed; raise `SnapshotNotFoundError` or `TagNotFoundError` when there is none."""
        match as_of:
            case datetime():
                return self._narrowed(self._newest_session(as_of, at_least, as_of.isoformat()))
            case AtSeq(seq):
                return self._narrowed(self._newest_session(seq, max(at_least, seq), f"seq {seq}"))
            case str():
                return self.tag(as_of).snapshot
            case _:
                return self._of_id(as_of, at_least)

    def again(self, moment: Snapshot) -> Snapshot:
        """Return the same moment after a look at the catalog: its snapshot may have expired since the last one."""
        self._present.refresh()
        return self.resolved(AtSeq(moment.last_seq))

    def ending_at(self, as_of: AsOf, at_least: int = 0) -> Snapshot:
        """Return the snapshot whose last session is that of the moment: what a tag can name."""
        seq = self.resolved(as_of, at_least).last_seq
        for snapshot in reversed(self._present.snapshots()):
            if snapshot.last_seq == seq:
                return snapshot
        raise SnapshotNotFoundError(f"seq {seq}: no snapshot ends there any more, and a tag can only name one")

    def tag(self, name: TagName) -> Tag:
        """Return the tag as the catalog has it now; raise `TagNotFoundError`."""
        for tag in self._tags():
            if tag.name == name:
                return tag
        raise TagNotFoundError(name)

    def _newest_session(self, by: datetime | int, at_least: int, asked: str) -> Stamp:
        with self._present.view(at_least) as view:
            stamp = view.newest(by)
        if stamp is None:
            raise SnapshotNotFoundError(f"{asked}: that is before the first session")
        return stamp

    def _narrowed(self, stamp: Stamp) -> Snapshot:
        # The oldest that has it has the fewest rows behind it, and the same id whenever somebody asks.
        readable = self._readable(self._present.snapshots(), stamp.seq)
        # A tag keeps a state beyond what the newest rows go back to.
        found = readable or self._readable((tag.snapshot for tag in self._tags()), stamp.seq)
        if found is None:
            oldest = self.newest().floor
            raise SnapshotNotFoundError(f"seq {stamp.seq}: history goes back to seq {oldest}, and to the tags before")
        first = min(found.first_seq, stamp.seq)
        return replace(found, first_seq=first, last_seq=stamp.seq, committed_at=stamp.committed_at)

    @staticmethod
    def _readable(snapshots: Iterable[Snapshot], seq: int) -> Snapshot | None:
        return next((each for each in snapshots if each.floor <= seq <= each.last_seq), None)

    def _tags(self) -> tuple[Tag, ...]:
        return self._stores.refs(self._tenant).tags()

    def _of_id(self, id_: SnapshotId, at_least: int) -> Snapshot:
        for look in (self._present.snapshots, self._present.looked):
            # Asking for it by id is also asking for a state that contains it.
            for snapshot in look(at_least):
                if snapshot.id == id_:
                    return snapshot
        for tag in self._tags():
            if tag.snapshot.id == id_:
                return tag.snapshot
        raise SnapshotNotFoundError(str(id_))
