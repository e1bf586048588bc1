"""Tags as Iceberg's own references: every engine sees them, and expiry keeps what they name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pyiceberg.table.refs import SnapshotRefType
from pyiceberg.table.update.snapshot import ManageSnapshots

from aeterna.graph.adapters.iceberg.summaries import snapshot_of
from aeterna.graph.adapters.iceberg.transaction import transaction
from aeterna.graph.adapters.iceberg.translation import translated, translated_commit
from aeterna.graph.domain.identifiers import TagName
from aeterna.graph.domain.tags import Tag
from aeterna.graph.errors import CommitConflictError, SnapshotNotFoundError, TagConflictError, TagNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyiceberg.table import Table
    from pyiceberg.table.refs import SnapshotRef
    from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot

    from aeterna.graph.domain.identifiers import SnapshotId

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class IcebergTagStore:
    """A `TagStore` on the references of a tenant's table."""

    def __init__(self, *, load: Callable[[], Table | None]) -> None:
        self._load = load

    def tags(self) -> tuple[Tag, ...]:
        """Return every tag, in order of their names."""
        table = self._loaded()
        if table is None:
            return ()
        found = (_tag(table, name, ref) for name, ref in sorted(table.metadata.refs.items()))
        return tuple(tag for tag in found if tag is not None)

    def create(self, name: TagName, snapshot: SnapshotId, *, expires_at: datetime | None) -> Tag:
        """Name a snapshot that is still readable, for a time or for ever."""
        table = self._loaded()
        named = table.snapshot_by_id(snapshot) if table else None
        if table is None or named is None:
            raise SnapshotNotFoundError(str(snapshot))
        taken = table.metadata.refs.get(name)
        if taken is not None and taken.snapshot_id != snapshot:
            raise TagConflictError(name, taken.snapshot_id)
        if taken is not None:
            return Tag(
                name=name,
                snapshot=snapshot_of(table.metadata, named),
                expires_at=_expiry(named, taken.max_ref_age_ms),
            )
        age = None if expires_at is None else _age(named, expires_at)
        _commit(table, lambda manage: manage.create_tag(snapshot, name, max_ref_age_ms=age))
        return Tag(name=name, snapshot=snapshot_of(table.metadata, named), expires_at=_expiry(named, age))

    def delete(self, name: TagName) -> None:
        """Forget the name, and leave its snapshot to maintenance."""
        table = self._loaded()
        ref = table.metadata.refs.get(name) if table else None
        if table is None or ref is None or ref.snapshot_ref_type is not SnapshotRefType.TAG:
            raise TagNotFoundError(name)
        _commit(table, lambda manage: manage.remove_tag(name))

    def _loaded(self) -> Table | None:
        with translated("read the catalog"):
            return self._load()


def _commit(table: Table, change: Callable[[ManageSnapshots], ManageSnapshots]) -> None:
    with translated("name the snapshot"):
        changes = transaction(table)
        change(ManageSnapshots(changes)).commit()
    with translated_commit("name the snapshot"):
        try:
            changes.commit_transaction()
        except ValueError as gone:
            # How pyiceberg says that the snapshot was expired since the look; the next look will say so too.
            raise CommitConflictError("name the snapshot", str(gone)) from gone


def _tag(table: Table, name: str, ref: SnapshotRef) -> Tag | None:
    """Read a reference; branches are none, and neither are tags whose snapshot somebody removed regardless."""
    named = table.snapshot_by_id(ref.snapshot_id)
    if ref.snapshot_ref_type is not SnapshotRefType.TAG or named is None:
        return None
    return Tag(
        name=TagName(name),
        snapshot=snapshot_of(table.metadata, named),
        expires_at=_expiry(named, ref.max_ref_age_ms),
    )


def _age(named: IcebergSnapshot, expires_at: datetime) -> int:
    """Return what Iceberg calls the age of a reference: it counts from the snapshot, not from the naming."""
    return max(1, (expires_at - _EPOCH) // _MILLISECOND - named.timestamp_ms)


def _expiry(named: IcebergSnapshot, age: int | None) -> datetime | None:
    return None if age is None else _EPOCH + (named.timestamp_ms + age) * _MILLISECOND
