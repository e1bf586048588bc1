"""What Spark's snapshots say of sessions, and how much of a table's history may go without that being lost.

Iceberg puts what Spark wrote on top of sessions that were committed meanwhile, so Spark cannot know the last session
of such a snapshot when it writes it. It bears no summary of ours and inherits that of its nearest ancestor that has
one. Afterwards an empty snapshot says it again, so that the ancestor and its files may go; where that was not possible,
the ancestor stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FLOOR: Final = "aeterna.floor"
LAST_SEQ: Final = "aeterna.last-seq"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSnapshot:
    """A snapshot of a table, whoever wrote it."""

    id: int
    parent: int | None
    committed_ms: int  # since 1970, as Iceberg keeps it
    operation: str
    summary: Mapping[str, str]

    @property
    def stamped(self) -> bool:
        """Whether it has a summary of ours."""
        return LAST_SEQ in self.summary


def restamp(snapshots: Sequence[TableSnapshot], head: int | None) -> dict[str, str] | None:
    """Return the summary for an empty snapshot on a head without one; None when there is nothing to say or inherit."""
    by_id = {snapshot.id: snapshot for snapshot in snapshots}
    source = _stamp_of(by_id, head) if head is not None else None
    if source is None:
        return None
    last_seq = int(source.summary[LAST_SEQ])
    floor, found = int(source.summary.get(FLOOR, "0")), by_id.get(head or 0)
    while found is not None and found is not source:
        floor = max(floor, _floor_of(found, last_seq))
        found = by_id.get(found.parent or 0)
    return {
        "aeterna.batch": f"spark-{head}",
        "aeterna.first-seq": str(last_seq + 1),
        LAST_SEQ: str(last_seq),
        "aeterna.committed-us": source.summary["aeterna.committed-us"],
        FLOOR: str(floor),
        "aeterna.epoch": source.summary.get("aeterna.epoch", "0"),
    }


def _floor_of(snapshot: TableSnapshot, last_seq: int) -> int:
    """Return from which seq on a snapshot without a summary of ours has every row, as far as it says so."""
    if FLOOR in snapshot.summary:
        return int(snapshot.summary[FLOOR])
    return 0 if snapshot.operation == "replace" else last_seq


def expirable_before(snapshots: Sequence[TableSnapshot], refs: Iterable[int], asked: datetime) -> datetime:
    """Return the time before which snapshots may be forgotten: ``asked``, or earlier where a summary has to stay.

    ``refs`` are the snapshots that branches and tags name.
    """
    by_id = {snapshot.id: snapshot for snapshot in snapshots}
    needed = (_stamp_of(by_id, ref) for ref in refs)
    limits = (_EPOCH + timedelta(milliseconds=found.committed_ms) for found in needed if found is not None)
    return min(asked, *limits) if (limits := tuple(limits)) else asked


def _stamp_of(by_id: dict[int, TableSnapshot], ref: int) -> TableSnapshot | None:
    """Return the ancestor whose summary the snapshot inherits; None when it has one itself, or nobody has."""
    found = by_id.get(ref)
    if found is None or found.stamped:
        return None
    while found is not None and not found.stamped:
        found = by_id.get(found.parent) if found.parent is not None else None
    return found
