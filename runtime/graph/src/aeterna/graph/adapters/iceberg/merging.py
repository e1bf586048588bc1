"""Rows of many files as one stream: sorted by what they are about, and of each thing only the latest row.

DuckDB sorts, and spills to the disk what does not fit in the memory that it may use, so a table may be larger than
memory. The latest row of each thing is then simply the first of its group.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np

from aeterna.graph.domain.arrow import pa, pc, untyped

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    import numpy.typing as npt

BATCH_ROWS: Final = 1 << 16
# A session is known by its id; every other record by its own id or, for an edge, by its three parts.
_SESSION_KEY: Final = "aeterna session key"  # no column of a table: an added one
_KEY: Final = ("record", "id", "source", "type", "target")


@dataclass(slots=True, kw_only=True)
class Merge:
    """One merge: what it may forget, and afterwards what it did.

    ``names`` are the table's names of our columns. With ``forget_before`` removals older than that are left out;
    None keeps every removal.
    """

    names: Mapping[str, str]
    memory_bytes: int
    forget_before: datetime | None
    scratch: Path | None = None
    rows_read: int = 0
    rows_kept: int = 0
    floor: int = 0  # the highest seq of a removal that was left out
    _last_key: tuple[object, ...] | None = field(default=None, init=False)

    def latest(self, batches: Iterable[Any], schema: object) -> Generator[Any]:
        """Yield record batches of the schema, sorted by record and identity. Any: Arrow's own types."""
        folder = Path(tempfile.mkdtemp(prefix="aeterna-merge-", dir=self.scratch))
        try:
            connection = duckdb.connect(
                config={
                    "memory_limit": f"{self.memory_bytes >> 20}MiB",
                    "temp_directory": str(folder),
                    "threads": "2",
                    "preserve_insertion_order": "false",
                }
            )
            try:
                connection.register("unsorted", pa.RecordBatchReader.from_batches(schema, self._counted(batches)))
                ordered: Iterable[Any] = untyped(connection.execute(self._sorted())).to_arrow_reader(BATCH_ROWS)
                for batch in ordered:
                    kept = self._kept(batch)
                    if kept.num_rows:
                        self.rows_kept += kept.num_rows
                        yield kept.drop_columns([_SESSION_KEY])
            finally:
                connection.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _sorted(self) -> str:
        name = {ours: _quoted(theirs) for ours, theirs in self.names.items()}
        key = ", ".join([*(name[each] for each in _KEY), _quoted(_SESSION_KEY)])
        return (
            f"SELECT *, CASE WHEN {name['record']} = 'session' THEN {name['session']} END AS {_quoted(_SESSION_KEY)} "  # noqa: S608 - names are quoted
            f"FROM unsorted ORDER BY {key}, {name['seq']} DESC"
        )

    def _counted(self, batches: Iterable[Any]) -> Generator[Any]:
        for batch in batches:
            self.rows_read += batch.num_rows
            yield batch

    def _kept(self, batch: Any) -> Any:  # noqa: ANN401 - Arrow's own types
        first = self._first_of_groups(batch)
        if self.forget_before is None:
            return batch.filter(pa.array(first))
        removals = pc.equal(batch[self.names["op"]], "delete").to_numpy(zero_copy_only=False)
        old = pc.less(batch[self.names["committed_at"]], pa.scalar(self.forget_before)).to_numpy(zero_copy_only=False)
        forgotten = first & removals & old
        if forgotten.any():
            self.floor = max(self.floor, int(batch[self.names["seq"]].to_numpy()[forgotten].max()))
        return batch.filter(pa.array(first & ~forgotten))

    def _first_of_groups(self, batch: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401 - as above
        """Tell which rows are about something else than the row before them."""
        # An id is never empty, so an empty text may stand for "none" and compare as itself.
        columns = [*(self.names[name] for name in _KEY), _SESSION_KEY]
        keys = [pc.fill_null(batch[name], "") for name in columns]
        first = np.zeros(batch.num_rows, dtype=np.bool_)
        for key in keys:
            first[1:] |= pc.not_equal(key[1:], key[:-1]).to_numpy(zero_copy_only=False)
        first[0] = tuple(key[0].as_py() for key in keys) != self._last_key
        self._last_key = tuple(key[-1].as_py() for key in keys)
        return first


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
