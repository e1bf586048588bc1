"""How much of a table's history may go: what says which sessions a snapshot has must outlive that snapshot.

Spark's own snapshots bear no summary of ours, because they may be put on top of sessions that were committed while
Spark worked. They inherit the summary of their nearest ancestor that has one, so that ancestor has to stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSnapshot:
    """A snapshot of a table, whoever wrote it."""

    id: int
    parent: int | None
    committed_ms: int  # since 1970, as Iceberg keeps it
    stamped: bool  # whether it has a summary of ours


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
