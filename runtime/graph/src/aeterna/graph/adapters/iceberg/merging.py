"""Rows of many files as one stream: sorted by what they are about, without the history that may be forgotten.

DuckDB sorts, and spills to the disk what does not fit in the memory that it may use, so a table may be larger than
memory. The rows of a thing then stand together, the latest first: all that are young stay, and of the others the first.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
import numpy as np

from aeterna.graph.domain.arrow import Arrow, pa, pc, untyped

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    import numpy.typing as npt

BATCH_ROWS: Final = 1 << 16
# A session is known by its id; every other record by its own id or, for an edge, by its three parts.
_SESSION_KEY: Final = "aeterna session key"  # no column of a table: an added one
_KEY: Final = ("record", "id", "source", "type", "target")


@dataclass(frozen=True, slots=True)
class _Last:
    """The last row of the batch before."""

    key: tuple[object, ...]
    old: bool
    seq: int


@dataclass(slots=True, kw_only=True)
class Merge:
    """One merge: what it may forget, and afterwards what it did.

    ``names`` are the table's names of our columns. History is forgotten before the time ``forget_before``: of the
    rows that are older only the latest of each thing stays, and not even that when it is a removal and ``whole`` says
    that nothing older is left elsewhere for it to hide.
    """

    names: Mapping[str, str]
    memory_bytes: int
    forget_before: datetime
    whole: bool
    scratch: Path | None = None
    rows_read: int = 0
    rows_kept: int = 0
    floor: int = 0  # from this seq on, every state can be rebuilt from what was kept
    _last: _Last | None = field(default=None, init=False)

    def merged(self, batches: Iterable[Arrow], schema: object) -> Generator[Arrow]:
        """Yield record batches of the schema, sorted by record and identity."""
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
                ordered: Iterable[Arrow] = untyped(connection.execute(self._sorted())).to_arrow_reader(BATCH_ROWS)
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

    def _counted(self, batches: Iterable[Arrow]) -> Generator[Arrow]:
        for batch in batches:
            self.rows_read += batch.num_rows
            yield batch

    def _kept(self, batch: Arrow) -> Arrow:
        key, last = self._key_of(batch), self._last
        seq = batch[self.names["seq"]].to_numpy()
        old = _mask(pc.less(batch[self.names["committed_at"]], pa.scalar(self.forget_before)))
        same = np.zeros(batch.num_rows, dtype=np.bool_)  # about the same thing as the row before
        same[1:] = np.logical_and.reduce([_mask(pc.equal(part[1:], part[:-1])) for part in key])
        same[0] = last is not None and last.key == tuple(part[0].as_py() for part in key)
        old_before = np.append(last.old if last else False, old[:-1])
        superseded = old & same & old_before
        removals = _mask(pc.equal(batch[self.names["op"]], "delete"))
        # A removal with nothing left to hide; what it hid is superseded by it, and goes as well.
        spent = old & ~superseded & removals & self.whole
        replacing = np.append(last.seq if last else 0, seq[:-1])[superseded]
        self.floor = max(self.floor, *replacing.tolist(), *seq[spent].tolist(), 0)
        self._last = _Last(tuple(part[-1].as_py() for part in key), bool(old[-1]), int(seq[-1]))
        return batch.filter(pa.array(~superseded & ~spent))

    def _key_of(self, batch: Arrow) -> list[Arrow]:
        # An id is never empty, so an empty text may stand for "none" and compare as itself.
        return [pc.fill_null(batch[name], "") for name in (*(self.names[each] for each in _KEY), _SESSION_KEY)]


def _mask(values: Arrow) -> npt.NDArray[np.bool_]:
    return values.to_numpy(zero_copy_only=False)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
