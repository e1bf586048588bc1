"""Tags in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.graph.domain.tags import Tag
from aeterna.graph.errors import SnapshotNotFoundError, StorageError, TagConflictError, TagNotFoundError

if TYPE_CHECKING:
    from datetime import datetime

    from aeterna.graph.domain.identifiers import SnapshotId, TagName
    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.ports import Batch


class MemoryTagStore:
    """A `TagStore` on a dictionary. What is in ``failures`` is raised by the next changes, one by one."""

    def __init__(
        self, history: list[tuple[Snapshot, Batch]], tags: dict[TagName, Tag], failures: list[StorageError]
    ) -> None:
        self._history = history
        self._tags = tags
        self._failures = failures

    def tags(self) -> tuple[Tag, ...]:
        """Return every tag, in order of their names."""
        return tuple(self._tags[name] for name in sorted(self._tags))

    def create(self, name: TagName, snapshot: SnapshotId, *, expires_at: datetime | None) -> Tag:
        """Name a snapshot."""
        self._fail()
        named = next((each for each, _ in self._history if each.id == snapshot), None)
        if named is None:
            raise SnapshotNotFoundError(str(snapshot))
        tag = self._tags.setdefault(name, Tag(name=name, snapshot=named, expires_at=expires_at))
        if tag.snapshot.id != snapshot:
            raise TagConflictError(name, tag.snapshot.id)
        return tag

    def delete(self, name: TagName) -> None:
        """Forget the name."""
        self._fail()
        if name not in self._tags:
            raise TagNotFoundError(name)
        del self._tags[name]

    def _fail(self) -> None:
        if self._failures:
            raise self._failures.pop(0)
