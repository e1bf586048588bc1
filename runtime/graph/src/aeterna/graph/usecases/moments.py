"""Which snapshot is meant by a moment: an id, a time, a tag, or now."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import TYPE_CHECKING

from aeterna.graph.errors import SnapshotNotFoundError, TagNotFoundError

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import SnapshotId, TagName, TenantId
    from aeterna.graph.domain.snapshots import AsOf, Snapshot
    from aeterna.graph.domain.tags import Tag
    from aeterna.graph.ports import GraphStores
    from aeterna.graph.usecases.present import Present


class Moments:
    """The moments of one tenant's history."""

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
        """Return the snapshot; raise `SnapshotNotFoundError` or `TagNotFoundError` when there is none."""
        if isinstance(as_of, datetime):
            return self._at(as_of, at_least)
        if isinstance(as_of, str):
            return self.tag(as_of).snapshot
        return self._of_id(as_of, at_least)

    def tag(self, name: TagName) -> Tag:
        """Return the tag as the catalog has it now; raise `TagNotFoundError`."""
        for tag in self._stores.refs(self._tenant).tags():
            if tag.name == name:
                return tag
        raise TagNotFoundError(name)

    def _at(self, time: datetime, at_least: int) -> Snapshot:
        # Only where no snapshot is missing: one that a tag keeps beyond that is not what was current then.
        snapshots = self._present.snapshots(at_least)
        place = bisect_right(snapshots, time, key=lambda snapshot: snapshot.committed_at)
        if place == 0:
            raise SnapshotNotFoundError(time.isoformat())
        return snapshots[place - 1]

    def _of_id(self, id_: SnapshotId, at_least: int) -> Snapshot:
        for look in (self._present.snapshots, self._present.looked):
            # Asking for it by id is also asking for a state that contains it.
            for snapshot in look(at_least):
                if snapshot.id == id_:
                    return snapshot
        for tag in self._stores.refs(self._tenant).tags():
            if tag.snapshot.id == id_:
                return tag.snapshot
        raise SnapshotNotFoundError(str(id_))
