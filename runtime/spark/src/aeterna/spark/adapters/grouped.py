"""The grouped map: the rows of one tenant's graph in, its communities out, as Arrow tables on a worker of Spark."""

from __future__ import annotations

from typing import Any, Final

import pyarrow  # noqa: ICN001 - `pa` is the typed name below

from aeterna.spark.adapters.leiden import communities

# Any: pyarrow ships no types.
pa: Any = pyarrow
_OUT: Final = pa.schema(
    [
        ("tenant", pa.string()),
        ("node", pa.string()),
        ("community", pa.int64()),
        ("modularity", pa.float64()),
        ("seq", pa.int64()),
    ]
)


def partitioned(graph: Any) -> Any:  # noqa: ANN401 - an Arrow table, and pyarrow ships no types
    """Return the communities of the tenant whose rows these are; a row without a target is a node."""
    rows: list[dict[str, Any]] = graph.to_pylist()
    found = communities(
        (row["source"] for row in rows if row["target"] is None),
        ((row["source"], row["target"], row["weight"]) for row in rows if row["target"] is not None),
    )
    size = len(found.of)
    return pa.table(
        {
            "tenant": [rows[0]["tenant"]] * size,
            "node": list(found.of),
            "community": list(found.of.values()),
            "modularity": [found.modularity] * size,
            "seq": [rows[0]["seq"]] * size,
        },
        schema=_OUT,
    )
