"""What must hold when snapshots are removed: a catalog applies the removal to whatever is newest by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.update import AssertRefSnapshotId
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot


def removable(head: Snapshot, snapshots: Iterable[int], refs: Iterable[str]) -> AssertRefSnapshotId:
    """Demand that snapshots, and the refs that go with them, can still be removed from under a head.

    To be staged before anything else: of two requirements of one class a transaction keeps the first, and moves on
    from the head that it is about. It is refused as any other commit that came second.
    """
    return _Removable.model_validate(
        {"snapshot-id": head.snapshot_id, "ref": MAIN_BRANCH, "going": frozenset(snapshots), "refs": frozenset(refs)}
    )


class _Removable(AssertRefSnapshotId):
    """The head is still the same, what goes is there, and no ref but those that go as well names any of it.

    Whoever removes a snapshot removes its tags with it, and neither a tag nor another expiry moves the head. pyiceberg
    checks all of it on the newest metadata wherever it commits by itself; a REST server is told only of the head.
    """

    going: frozenset[int] = Field(exclude=True)
    refs: frozenset[str] = Field(exclude=True)  # that go as well

    @override
    def validate(self, base_metadata: TableMetadata | None) -> None:
        super().validate(base_metadata)
        if base_metadata is None:
            return
        if not self.going <= {snapshot.snapshot_id for snapshot in base_metadata.snapshots}:
            raise CommitFailedException("another expiry was first")
        for name, ref in base_metadata.refs.items():
            # An erasure takes the head too, with its own on top.
            if name != MAIN_BRANCH and ref.snapshot_id in self.going and name not in self.refs:
                raise CommitFailedException(f"{name} names a snapshot that was about to expire")
