"""What is remembered of every session, however many there were: sorted runs that are searched by session id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from aeterna.graph.adapters.lens.sorted_texts import SortedTexts, is_sorted
from aeterna.graph.domain.arrow import Arrow, pa, pc, untyped
from aeterna.graph.domain.snapshots import Stamp
from aeterna.graph.ports import Committed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.graph.domain.arrow import Table
    from aeterna.graph.domain.identifiers import SessionId

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT: Final = pa.timestamp("us", tz="UTC")
_GROWTH: Final = 4
_FIELDS: Final = ["digest", "seq", "committed_at", "properties"]


@dataclass(frozen=True, slots=True)
class _Run:
    ids: SortedTexts
    rows: Arrow  # a table: one row for each id


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of one state, in few runs of which each is several times smaller than the one before."""

    runs: tuple[_Run, ...] = ()

    def with_rows(self, rows: Table) -> Sessions:
        """Return the sessions with those of more rows."""
        if rows.num_rows == 0:
            return self
        added: Arrow = untyped(rows.select(["session", *_FIELDS]))
        runs = list(self.runs)
        while runs and len(runs[-1].ids) < _GROWTH * added.num_rows:
            run = runs.pop()
            added = pa.concat_tables([run.rows.cast(added.schema), added])
        return Sessions((*runs, _run(added)))

    def find(self, sessions: Sequence[SessionId]) -> dict[SessionId, Committed]:
        """Return what is remembered of those that were committed."""
        found: dict[SessionId, Committed] = {}
        for run in self.runs:
            for session, place in zip(sessions, run.ids.find_all(sessions).tolist(), strict=True):
                if place >= 0:
                    found[session] = _committed(run.rows, place)
        return found

    def newest(self, by: datetime | int) -> Stamp | None:
        """Return the newest session that was committed by a time, or of a seq that is not higher."""
        column, most = ("seq", pa.scalar(by)) if isinstance(by, int) else ("committed_at", pa.scalar(by, _MOMENT))
        stamps = [_newest(run.rows.filter(pc.less_equal(run.rows[column], most))) for run in self.runs]
        return max((stamp for stamp in stamps if stamp), key=lambda stamp: stamp.seq, default=None)


def _run(rows: Arrow) -> _Run:
    ids = _combined(rows["session"])
    if not is_sorted(ids):
        rows = rows.take(pc.sort_indices(ids))
        ids = _combined(rows["session"])
    return _Run(SortedTexts(ids), rows)


def _combined(column: Arrow) -> Arrow:
    return pa.concat_arrays(column.cast(pa.large_string()).chunks)


def _newest(rows: Arrow) -> Stamp | None:
    if rows.num_rows == 0:
        return None
    # Both rise together, so the highest of each belong to one session.
    microseconds = pc.max(rows["committed_at"]).cast(pa.int64()).as_py()
    return Stamp(seq=pc.max(rows["seq"]).as_py(), committed_at=_EPOCH + timedelta(microseconds=microseconds))


def _committed(rows: Arrow, place: int) -> Committed:
    row = {name: rows[name][place] for name in _FIELDS}
    microseconds = row["committed_at"].cast(pa.int64()).as_py()
    return Committed(
        digest=row["digest"].as_py(),
        seq=row["seq"].as_py(),
        committed_at=_EPOCH + timedelta(microseconds=microseconds),
        **json.loads(row["properties"].as_py()),
    )
