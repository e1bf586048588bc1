"""A corpus: the nodes and edges of one source, under one root node that tells which version of it is loaded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aeterna.client import Edge, Node

if TYPE_CHECKING:
    from collections.abc import Mapping


DIGEST = "content_digest"
LOAD = "load"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """What one source holds now.

    Every node is within ``depth`` edges of the root. The types name the edges that this source writes and so may
    remove; edges of other types between its nodes belong to somebody else.
    """

    source: str
    root: Node
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    types: tuple[str, ...]
    depth: int

    def digest(self) -> str:
        """Return a digest of everything in the corpus, whatever the order."""
        lines = sorted(
            [_canonical([node.id, node.kind, node.properties]) for node in (self.root, *self.nodes)]
            + [_canonical([edge.source, edge.type, edge.target, edge.properties]) for edge in self.edges]
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def stamped(self, load: int) -> Node:
        """Return the root as it is written when load number ``load`` is complete."""
        facts: Mapping[str, str | int] = {DIGEST: self.digest(), LOAD: load}
        return replace(self.root, properties={**self.root.properties, **facts})


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
