"""What keeps a table fast and small: which files are merged, which snapshots may go, and what came of it.

The choice of files is size-tiered ("universal compaction" in RocksDB): what a few commits wrote is merged often, the
whole table rarely. So the cost of a row is spread over the commits that come after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aeterna.graph.domain.identifiers import SnapshotId

if TYPE_CHECKING:
    from collections.abc import Sequence

Task: TypeAlias = Literal["compact", "expire", "collect", "backup"]
Unit: TypeAlias = Literal["rows", "files", "snapshots", "tags"]
Reason: TypeAlias = Literal["tiered", "full", "asked"]

TASKS: Final[tuple[Task, ...]] = ("backup", "compact", "expire", "collect")  # in the order in which they make sense
_MIN_RUNS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionPolicy:
    """When files are merged, and how the merged ones look.

    Nothing happens below ``merge_runs`` runs. Then the newest runs are merged, with every older one that is at most
    ``size_ratio`` times as large as what is merged already. Everything is merged once what came behind the oldest run
    is ``full_ratio`` as large as that run: only then do superseded rows and removals leave the base.

    ``forget_after`` is how long history lives in rows: what was replaced or removed longer ago is left out by a merge.
    Every moment since then can be read, however few snapshots are kept.
    """

    merge_runs: int = 16
    size_ratio: float = 2.0
    full_ratio: float = 0.5
    forget_after: timedelta = timedelta(hours=24)
    memory_bytes: int = 512 << 20
    attempts: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """Which snapshots stay readable.

    The ``keep_least`` newest always do, and those younger than ``keep_age``, but never more than ``keep_most``: a
    commit writes the list of all snapshots, so its time grows with their number. What a tag names stays besides.
    """

    keep_least: int = 20
    keep_age: timedelta = timedelta(hours=24)
    keep_most: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionPolicy:
    """Which files are garbage: nothing names them, and they are older than any commit could take.

    ``batch_files`` are deleted between two looks at the table.
    """

    grace: timedelta = timedelta(hours=24)
    batch_files: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepPolicy:
    """All of a tenant's upkeep; a backup is a tag that is made every ``backup_every`` and kept for ``backup_keep``."""

    compaction: CompactionPolicy = CompactionPolicy()
    retention: RetentionPolicy = RetentionPolicy()
    collection: CollectionPolicy = CollectionPolicy()
    backup_every: timedelta = timedelta(hours=6)
    backup_keep: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The files that one snapshot added: rows of a stretch of history."""

    snapshot_id: SnapshotId | None
    last_seq: int
    files: int
    rows: int
    bytes: int
    compacted: bool  # written by a compaction: sorted, without what had become old enough to be forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which of the runs are merged: all from position ``first`` on."""

    first: int
    reason: Reason


def selected(runs: Sequence[Run], policy: CompactionPolicy) -> Selection | None:
    """Choose what to merge of the runs (oldest first), or None when nothing is worth it yet."""
    if len(runs) < max(policy.merge_runs, _MIN_RUNS):
        return None
    behind = sum(run.bytes for run in runs[1:])
    if not runs[0].compacted or behind >= policy.full_ratio * runs[0].bytes:
        return Selection(first=0, reason="full")
    first = len(runs) - 1
    merged = runs[first].bytes
    while first > 0 and runs[first - 1].bytes <= policy.size_ratio * merged:
        first -= 1
        merged += runs[first].bytes
    # Sizes that fall fast leave nothing to merge by ratio; the number of files has to fall all the same.
    first = min(first, len(runs) - max(policy.merge_runs // 2, _MIN_RUNS))
    return Selection(first=first, reason="tiered" if first else "full")


def everything(runs: Sequence[Run]) -> Selection | None:
    """Choose all of it: even of one compacted run, history may have become old enough to be forgotten."""
    return Selection(first=0, reason="asked") if runs else None


def expiry_cutoff(times: Sequence[datetime], policy: RetentionPolicy, now: datetime) -> datetime:
    """Return the time before which snapshots go; ``times`` are those of the history, newest first."""
    cutoff = min([now - policy.keep_age, *times[: policy.keep_least]])
    return max(cutoff, times[policy.keep_most - 1]) if len(times) >= policy.keep_most else cutoff


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a task is; ``total`` is 0 while nobody knows."""

    task: Task
    done: int
    total: int
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """Files that were written and are in no snapshot yet."""

    id: str
    full: bool
    files_before: int
    files_after: int
    rows_before: int
    rows_after: int
    bytes_before: int
    bytes_after: int
    floor: int  # from this seq on, every state can be rebuilt from what was kept; 0 when nothing was left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What a compaction did, or would have read when it was a dry run."""

    reason: Reason | None  # None: nothing was worth it
    runs: int = 0
    files_before: int = 0
    files_after: int = 0
    rows_before: int = 0
    rows_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    retries: int = 0
    snapshot_id: SnapshotId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What an expiry did, or would have done."""

    expired: int
    kept: int
    cutoff: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """A file that nothing names."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a collection deleted, or would have deleted.

    ``waiting`` are unreachable files within the grace period: leftovers of a crash, or of a commit in flight.
    """

    files: int
    bytes: int
    reachable: int
    waiting: int
    waiting_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """Which backup tags were made and dropped."""

    made: tuple[str, ...]
    dropped: tuple[str, ...]


Outcome: TypeAlias = Compacted | Expired | Collected | BackedUp


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReport:
    """One task of a round of upkeep: what came of it, or the code of the error that stopped it."""

    task: Task
    dry_run: bool
    seconds: float
    outcome: Outcome | None = None
    error: str | None = None
