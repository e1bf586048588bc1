"""Every error of the graph and of knowledge has its HTTP status."""

from __future__ import annotations

from aeterna.api.api.problem import STATUSES
from aeterna.service.problem import without_status


def test_every_error_of_the_graph_has_a_status() -> None:
    assert without_status("aeterna.graph", STATUSES) == set()
    assert without_status("aeterna.api", STATUSES) == set()


def test_every_error_of_knowledge_has_a_status() -> None:
    assert without_status("aeterna.knowledge", STATUSES) == set()
