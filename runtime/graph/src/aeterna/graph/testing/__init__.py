"""For tests of whatever uses a graph: its ports in plain Python, obviously right and slow."""

from __future__ import annotations

import contextlib
import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

from aeterna.graph.domain.arrow import pa, pc
from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.parts import parts_of
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import (
    CommitConflictError,
    CommitUncertainError,
    SnapshotNotFoundError,
    StorageError,
    WriterFencedError,
)
from aeterna.graph.ports import Batch, CommitTrace, Upkeep
from aeterna.graph.testing.erasing import MemoryEraser
from aeterna.graph.testing.history import MemoryTagStore
from aeterna.graph.testing.lens import MemoryLens
from aeterna.graph.testing.upkeep import MemoryUpkeep, RecordingUpkeepObserver

if TYPE_CHECKING:
    from collections.abc import Generator

    from aeterna.graph.domain.identifiers import TagName, TenantId
    from aeterna.graph.domain.parts import Parts
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.domain.tags import Tag

__all__ = [
    "MemoryEraser",
    "MemoryGraphStore",
    "MemoryGraphStores",
    "MemoryLens",
    "MemoryTagStore",
    "RecordingCommitObserver",
    "RecordingUpkeepObserver",
]


class MemoryGraphStores:
    """`GraphStores` in memory. `lose_answers` and `refuse` make the next appends fail as real storage does."""

    def __init__(self) -> None:
        self._histories: dict[TenantId, list[tuple[Snapshot, Batch]]] = defaultdict(list)
        self._ids = itertools.count(1)
        self._failures: list[StorageError] = []
        self._tags: dict[TenantId, dict[TagName, Tag]] = defaultdict(dict)
        self.tag_failures: list[StorageError] = []

    def refs(self, tenant: TenantId) -> MemoryTagStore:
        """Give access to one tenant's tags."""
        return MemoryTagStore(self._histories[tenant], self._tags[tenant], self.tag_failures)

    def eraser(self, tenant: TenantId) -> MemoryEraser:
        """Give what takes rows out of one tenant's history."""
        return MemoryEraser(self._histories[tenant], self._tags[tenant], self._ids, self._failures)

    def upkeep(self, tenant: TenantId) -> Upkeep:
        """Give what keeps one tenant's history short."""
        kept = MemoryUpkeep(self._histories[tenant], self._tags[tenant], self._ids)
        return Upkeep(compactor=kept, expirer=kept, collector=kept)

    def tenants(self) -> tuple[TenantId, ...]:
        """Return every tenant that has a history."""
        return tuple(sorted(tenant for tenant, history in self._histories.items() if history))

    def open(self, tenant: TenantId) -> MemoryGraphStore:
        """Give access to one tenant's history."""
        return MemoryGraphStore(self._histories[tenant], self._ids, self._failures)

    def probe(self) -> None:
        """Return: memory can always be reached."""

    def close(self) -> None:
        """Release nothing."""

    def lose_answers(self, count: int = 1) -> None:
        """Let the next appends happen, and say that nobody knows."""
        otherwise = StorageError("commit", "a test said so")
        self._failures.extend(CommitUncertainError("commit", "a test said so", otherwise) for _ in range(count))

    def refuse(self, failure: StorageError) -> None:
        """Let the next append fail, and nothing be written."""
        self._failures.append(failure)


class MemoryGraphStore:
    """A `GraphStore` on a list."""

    def __init__(
        self, history: list[tuple[Snapshot, Batch]], ids: itertools.count[int], failures: list[StorageError]
    ) -> None:
        self._history = history
        self._ids = ids
        self._failures = failures

    def head(self) -> Snapshot | None:
        """Return the newest snapshot."""
        return self._history[-1][0] if self._history else None

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return every snapshot, oldest first."""
        return tuple(snapshot for snapshot, _ in self._history)

    def append(self, batch: Batch, *, parent: SnapshotId | None) -> Snapshot:
        """Append the batch, unless ``parent`` is no longer the head or a test wanted a failure."""
        head = self.head()
        if (head.id if head else None) != parent:
            raise CommitConflictError("commit", f"the head is no longer {parent}")
        if head is not None and head.epoch > batch.epoch:
            raise WriterFencedError(batch.epoch, head.epoch)
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None and not isinstance(failure, CommitUncertainError):
            raise failure
        snapshot = Snapshot(
            id=SnapshotId(next(self._ids)),
            first_seq=batch.first_seq,
            last_seq=batch.last_seq,
            committed_at=batch.committed_at,
            floor=batch.floor,
            epoch=batch.epoch,
        )
        self._history.append((snapshot, batch))
        if failure is not None:
            raise failure
        return snapshot

    def settled(self, batch_id: str) -> Snapshot | None:
        """Look for a batch."""
        return next((snapshot for snapshot, batch in self._history if batch.id == batch_id), None)

    def rows(self, to: SnapshotId, *, after: int = 0, up_to: int | None = None) -> Rows:
        """Return what was appended up to ``to`` with a seq behind ``after`` and not behind ``up_to``."""
        ids = [snapshot.id for snapshot, _ in self._history]
        if to not in ids:
            raise SnapshotNotFoundError(str(to))
        batches = [batch.rows for _, batch in self._history[: ids.index(to) + 1]]
        rows = pa.concat_tables(batches).filter(pc.field("seq") > after)
        return rows if up_to is None else rows.filter(pc.field("seq") <= up_to)

    def parts(self, to: SnapshotId, *, up_to: int | None = None) -> Parts:
        """Return the same rows, taken apart."""
        return parts_of(self.rows(to, up_to=up_to))


class RecordingCommitObserver:
    """A `CommitObserver` that remembers every trace, and who was turned away."""

    def __init__(self) -> None:
        self.traces: list[tuple[TenantId, CommitTrace]] = []
        self.turned: list[tuple[TenantId, str]] = []

    @contextlib.contextmanager
    def commit(self, tenant: TenantId) -> Generator[CommitTrace]:
        """Watch one commit."""
        trace = CommitTrace()
        self.traces.append((tenant, trace))
        yield trace

    def turned_away(self, tenant: TenantId, code: str) -> None:
        """Note a session that was not queued."""
        self.turned.append((tenant, code))
