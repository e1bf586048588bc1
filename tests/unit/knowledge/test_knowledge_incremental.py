"""A graph that changed often is the one of a fresh ingest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.graph.testing import MemoryGraphStores
from aeterna.knowledge.testing import FakeLedger
from fixtures.fix_graph import GraphBench
from fixtures.fix_knowledge import ACME
from fixtures.knowledge_histories import HISTORIES, fresh, live

if TYPE_CHECKING:
    from fixtures.knowledge_histories import Act

pytestmark = pytest.mark.anyio


@settings(max_examples=60, deadline=None)
@given(history=HISTORIES, changes=st.sampled_from([1, 3, 1000]))
async def test_any_history_with_crashes_ends_in_the_graph_of_a_fresh_ingest(history: list[Act], changes: int) -> None:
    """Whatever the slices: nodes and edges of one document may be shown by different sessions."""
    graphs = GraphBench(stores=MemoryGraphStores()).graphs()

    said = await live(history, ACME, FakeLedger(), graphs, changes=changes)

    assert graphs.of(ACME).fingerprint().digest == await fresh(said)
    graphs.close()
