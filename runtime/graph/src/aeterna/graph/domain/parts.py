"""A snapshot's rows by what they are about, each with no more than the columns that a state is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.arrow import Table, pc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.graph.domain.rows import Rows

NODES: Final = ("op", "seq", "id", "kind", "properties")
EDGES: Final = ("op", "seq", "source", "type", "target", "properties")
SESSIONS: Final = ("seq", "session", "committed_at", "properties", "digest")
OTHERS: Final = ("record", "op", "seq", "id", "properties")
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {"node": NODES, "edge": EDGES, "session": SESSIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a state is made of. Columns of texts may be dictionaries, and rows are in no order."""

    nodes: Table
    edges: Table
    sessions: Table
    others: Table


def parts_of(rows: Rows) -> Parts:
    """Take rows apart."""
    of_graph = pc.field("record").isin(list(COLUMNS))
    tables = {name: rows.filter(pc.field("record") == name).select(columns) for name, columns in COLUMNS.items()}
    return Parts(
        nodes=tables["node"],
        edges=tables["edge"],
        sessions=tables["session"],
        others=rows.filter(~of_graph).select(OTHERS),
    )
