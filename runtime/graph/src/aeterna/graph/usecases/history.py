"""What a tenant's history is for, beside questions: tags, differences, restores and the changes one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.opaque import foreign, opened, sealed
from aeterna.graph.usecases.comparing import Comparing
from aeterna.graph.usecases.following import Following
from aeterna.graph.usecases.moments import Moments
from aeterna.graph.usecases.restoring import Restoring
from aeterna.graph.usecases.tagging import Tags

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.usecases.engine import Engine
    from aeterna.graph.usecases.present import Present


class History:
    """One tenant's history. Everything blocks."""

    def __init__(self, tenant: TenantId, engine: Engine, present: Present) -> None:
        self._present = present
        self.moments = Moments(tenant, engine.stores, present)
        self.tags = Tags(tenant, engine, self.moments)
        self.comparing = Comparing(tenant, engine, present, self.moments)
        self.restoring = Restoring(tenant, engine, present, self.moments)
        self.following = Following(tenant, engine, present)

    def snapshots(
        self, limit: int, *, cursor: str | None = None, at_least: int = 0
    ) -> tuple[tuple[Snapshot, ...], str | None]:
        """Return a page of the readable snapshots, newest first, and the cursor of the next one."""
        found = self._present.snapshots(at_least)[::-1]
        if cursor is not None:
            found = _behind(found, cursor)
        page = found[:limit]
        if len(page) == len(found):
            return page, None
        return page, sealed([str(page[-1].id), page[-1].last_seq])


def _behind(snapshots: tuple[Snapshot, ...], cursor: str) -> tuple[Snapshot, ...]:
    match opened(cursor):
        case [str(id_), int(seq)] if id_.isdecimal():
            known = SnapshotId(int(id_))
        case _:
            raise foreign()
    for place, snapshot in enumerate(snapshots):
        if snapshot.id == known:
            return snapshots[place + 1 :]
    # It expired between two pages, and so did all that were older; or history was begun anew.
    return tuple(snapshot for snapshot in snapshots if snapshot.last_seq < seq)
