"""Splits many nodes and edges into sessions that the service takes, with ids made from their content."""

from __future__ import annotations

import hashlib
import json
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from aeterna.client.graph_values import Edge, Node
from aeterna.client.session import Session, edge_document, node_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aeterna.client.json_value import JsonObject

LARGEST = 5_000
"""Changes in one session of a bulk ingestion."""
HEAVIEST = 4 * 1024 * 1024
"""Bytes of JSON in one session of a bulk ingestion: half of what the graph API takes by default."""

Change: TypeAlias = Node | Edge


def bulk_sessions(
    source: str, nodes: Iterable[Node], edges: Iterable[Edge], *, largest: int = LARGEST, heaviest: int = HEAVIEST
) -> Iterator[Session]:
    """Yield sessions that together hold everything, all nodes before the first edge.

    The same input gives the same sessions with the same ids; ``source`` names where the data come from and starts
    each id. One change that is heavier than ``heaviest`` gets a session of its own: the service judges it.
    """
    batch: list[Change] = []
    weight = 0
    digest = hashlib.sha256()
    for change in chain(nodes, edges):
        text = json.dumps(_document(change), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        if batch and (len(batch) == largest or weight + len(text) > heaviest):
            yield _session(source, digest.hexdigest(), batch)
            batch, weight, digest = [], 0, hashlib.sha256()
        batch.append(change)
        digest.update(text + b"\n")
        weight += len(text)
    if batch:
        yield _session(source, digest.hexdigest(), batch)


def _session(source: str, digest: str, batch: list[Change]) -> Session:
    session = Session(f"{source}:{digest[:32]}")
    for change in batch:
        if isinstance(change, Node):
            session.write(change)
        else:
            session.link(change)
    return session


def _document(change: Change) -> JsonObject:
    return node_document(change) if isinstance(change, Node) else edge_document(change)
