"""Which rows of a table survive an erasure, and in what words: decided once for a state, then file by file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aeterna.graph.domain.arrow import Arrow, pa, pc, untyped
from aeterna.graph.domain.certificates import ERASED, ERASURE, Erasure
from aeterna.graph.domain.erasure import Hidden, Target, hidden_by
from aeterna.graph.domain.holds import HOLD


@dataclass(frozen=True, slots=True)
class Reach:
    """What an erasure reaches in one state of a table; texts of ``names`` are the table's names of our columns."""

    erasure: Erasure
    names: Mapping[str, str]
    hidden: Hidden
    released: frozenset[str]  # holds that were released and named the subject
    sessions: Arrow  # an array, of the sessions that lose rows and stay
    subjects: frozenset[str]  # who committed what is reached
    rows: Mapping[str, int]  # how many are reached, by record

    def reaches(self, stored: Arrow) -> Arrow:
        """Say for each stored row whether it goes."""
        rows = ours(stored, self.names)
        return pc.or_(self.hidden.hits(rows), self._is_order(rows))

    def surviving(self, stored: Arrow) -> Arrow | None:
        """Return the stored rows that stay, with no trace of the others; None when all stay as they are."""
        kept = stored.filter(pc.invert(self.reaches(stored)))
        rows = ours(kept, self.names)
        digest = pc.if_else(
            pc.and_(pc.equal(rows["record"], "session"), pc.is_in(rows["session"], value_set=self.sessions)),
            ERASED,
            rows["digest"],
        )
        kept = _with(kept, self.names["digest"], digest)
        kept = self._without_name(kept)
        return None if kept.num_rows == stored.num_rows and kept.equals(stored) else kept

    def _is_order(self, rows: Arrow) -> Arrow:
        """Say which rows are the order of this erasure itself, which names its subject, or a hold that is over."""
        order = pc.and_(pc.equal(rows["record"], ERASURE), pc.is_in(rows["id"], value_set=pa.array([self.erasure.id])))
        over = pa.array(sorted(self.released), pa.string())
        return pc.or_(order, pc.and_(pc.equal(rows["record"], HOLD), pc.is_in(rows["id"], value_set=over)))

    def _without_name(self, kept: Arrow) -> Arrow:
        """Put a word for the subject where a hold or another erasure names it as who ordered it."""
        subject = self.erasure.target.subject if self.erasure.target else None
        rows = ours(kept, self.names)
        on_record = pc.is_in(rows["record"], value_set=pa.array([HOLD, ERASURE]))
        if subject is None or not pc.any(on_record).as_py():
            return kept
        theirs = pc.and_(on_record, pc.equal(rows["subject"], subject))
        kept = _with(kept, self.names["subject"], pc.if_else(theirs, ERASED, rows["subject"]))
        texts = [
            _anonymous(text, subject) if law and text is not None else text
            for text, law in zip(rows["properties"].to_pylist(), on_record.to_pylist(), strict=True)
        ]
        return _with(kept, self.names["properties"], pa.array(texts, pa.string()))


def reach_of(erasure: Erasure, state: Arrow, names: Mapping[str, str]) -> Reach:
    """Find what a pending erasure reaches in a state: all of its rows, with the table's names of the columns."""
    target = erasure.target
    if target is None:
        raise ValueError(f"erasure {erasure.id} is no longer pending")
    rows = ours(state, names)
    # What is the subject's is decided before the removals, which somebody else ordered; they go with it.
    hidden = replace(hidden_by(target, rows, up_to=erasure.seq - 1), up_to=erasure.seq)
    reached = untyped(rows).filter(hidden.hits(rows))
    kept_sessions = pc.unique(
        rows.filter(pc.and_(pc.equal(rows["record"], "session"), pc.invert(hidden.hits(rows))))["session"]
    )
    touched = pc.unique(reached["session"])
    own = pc.equal(touched, pc.fill_null(_session_of(rows, erasure.seq), ""))
    return Reach(
        erasure=erasure,
        names=names,
        hidden=hidden,
        released=_released(rows, target.subject, all_of_them=target.tenant),
        sessions=_array(touched.filter(pc.and_(pc.is_in(touched, value_set=_array(kept_sessions)), pc.invert(own)))),
        subjects=frozenset(pc.unique(reached.filter(pc.less(reached["seq"], erasure.seq))["subject"]).to_pylist()),
        rows=_counted(reached["record"].to_pylist()),
    )


def ours(stored: Arrow, names: Mapping[str, str]) -> Arrow:
    """Return the stored rows under our names of the columns, in our types."""
    texts = {name: stored[theirs] for name, theirs in names.items() if theirs in stored.column_names}
    return pa.table(
        {name: column.cast(pa.string()) if _is_text(column.type) else column for name, column in texts.items()}
    )


def reached_again(rows: Arrow, target: Target, seq: int) -> Arrow:
    """Say which rows an erasure up to a seq should not have left."""
    law = pc.is_in(rows["record"], value_set=pa.array([HOLD, ERASURE]))
    covered = pc.and_(pc.less_equal(rows["seq"], seq), pc.invert(law))
    if target.tenant:
        return covered
    nodes = pa.array(sorted(target.nodes), pa.string())
    found = pc.equal(rows["subject"], target.subject or "")
    for name in ("id", "source", "target"):
        found = pc.or_(found, pc.is_in(rows[name], value_set=nodes))
    return pc.and_(covered, found)


def _counted(records: list[str]) -> dict[str, int]:
    return dict(sorted(Counter(records).items()))


def _session_of(rows: Arrow, seq: int) -> Arrow:
    found = rows.filter(pc.and_(pc.equal(rows["record"], "session"), pc.equal(rows["seq"], seq)))["session"]
    return found[0] if len(found) else pa.scalar(None, pa.string())


def _released(rows: Arrow, subject: str | None, *, all_of_them: bool) -> frozenset[str]:
    holds = rows.filter(pc.equal(rows["record"], HOLD)).sort_by("seq").to_pylist()
    latest = {row["id"]: row["op"] for row in holds}
    naming = {row["id"] for row in holds if row["properties"] and json.loads(row["properties"])["subject"] == subject}
    return frozenset(id_ for id_, op in latest.items() if op == "delete" and (all_of_them or id_ in naming))


def _anonymous(text: str, subject: str) -> str:
    kept: dict[str, object] = json.loads(text)
    if kept.get("by") != subject:
        return text
    return json.dumps(kept | {"by": ERASED}, sort_keys=True, separators=(",", ":"))


def _with(table: Arrow, name: str, column: Arrow) -> Arrow:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(place), column.cast(table.schema.field(place).type))


def _array(column: Arrow) -> Arrow:
    return column.combine_chunks() if isinstance(column, untyped(pa).ChunkedArray) else column


def _is_text(kind: Arrow) -> bool:
    return pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)
