"""What the parts of the graph's benchmark share: a clock, a shape, and a graph of that shape as rows."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from aeterna.graph.domain.arrow import Table, pa, pc
from aeterna.graph.domain.identifiers import SessionId, TenantId
from aeterna.graph.domain.rows import CHANGE_COLUMNS, change_rows
from aeterna.graph.domain.snapshots import Stamp
from aeterna.graph.ports import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aeterna.graph.adapters.lens.adjacency import Ints

Figures: TypeAlias = dict[str, float]
TENANT: Final = TenantId("bench")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large a graph is."""

    nodes: int
    edges: int


def say(text: str) -> None:
    """Tell the terminal what is going on."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def median_ms(seconds: Sequence[float]) -> float:
    """Return the median in milliseconds."""
    return statistics.median(seconds) * 1000


def rounded(figures: Figures) -> Figures:
    """Return figures with as many digits as they deserve."""
    return {name: float(f"{value:.4g}") for name, value in figures.items()}


def power_law(shape: Shape) -> tuple[Ints, Ints]:
    """Return the ends of the edges of a graph in which few nodes have most of them."""
    generator = np.random.default_rng(7)
    source = (shape.nodes * generator.random(shape.edges) ** 3).astype(np.int32)
    target = (shape.nodes * generator.random(shape.edges) ** 2).astype(np.int32)
    pairs = np.unique((source.astype(np.int64) << 32) | target)
    return (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)


def name_of(node: int) -> str:
    """Return the id of a node."""
    return f"node:{node}"


def _names(numbers: Ints) -> object:
    return pc.binary_join_element_wise(name_of(0)[:-1], pc.cast(pa.array(numbers), pa.string()), "")


def changes_of(nodes: int, source: Ints, target: Ints) -> Table:
    """Write nodes from 0 on and edges between any as changes."""
    edges, text = len(source), pa.string()

    def column(node: object, edge: object) -> object:
        return pa.concat_arrays([node, edge])

    columns = {
        "record": column(pa.repeat("node", nodes), pa.repeat("edge", edges)),
        "op": pa.repeat("upsert", nodes + edges),
        "id": column(_names(np.arange(nodes, dtype=np.int32)), pa.nulls(edges, text)),
        "kind": column(pa.repeat("Thing", nodes), pa.nulls(edges, text)),
        "source": column(pa.nulls(nodes, text), _names(source)),
        "type": column(pa.nulls(nodes, text), pa.repeat("knows", edges)),
        "target": column(pa.nulls(nodes, text), _names(target)),
        "properties": column(pa.repeat('{"a":1}', nodes), pa.repeat("{}", edges)),
    }
    return pa.table({name: columns[name] for name in CHANGE_COLUMNS})


def batch_of(changes: Table, seq: int) -> Batch:
    """Make changes one session and one batch."""
    session, now = SessionId(f"bulk-{seq}"), datetime.now(UTC)
    rows = change_rows(
        changes, session=session, subject="bench", stamp=Stamp(seq=seq, committed_at=now), digest=f"{seq:064x}"
    )
    return Batch(id=session, rows=rows, sessions=(session,), first_seq=seq, last_seq=seq, committed_at=now)
