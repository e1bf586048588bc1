"""The one text of a graph whose SHA-256 says whether two states are the same, whatever history led to them.

First every node, a line each in the order of ids: ``id TAB kind TAB properties``. Then, after a line that is empty,
every edge in the order of source, type and target: ``source TAB type TAB target TAB properties``. Lines end with a
line feed, the order is that of UTF-8 bytes, and properties are canonical JSON. None of the parts can hold a tab or a
line feed, so two graphs have the same text only if they are the same graph.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aeterna.graph.domain.changes import Edge, Node

SEPARATOR: Final = "\t"
END: Final = "\n"


def digest_of_graph(nodes: Iterable[Node], edges: Iterable[Edge]) -> str:
    """Return the digest by the definition, for graphs of any order and of a size that Python can walk."""
    digest = hashlib.sha256()
    for node in sorted(nodes, key=lambda node: node.id):
        digest.update(_line(node.id, node.kind, node.properties))
    digest.update(END.encode())
    for edge in sorted(edges, key=lambda edge: edge.key):
        digest.update(_line(*edge.key, edge.properties))
    return digest.hexdigest()


def _line(*fields: str) -> bytes:
    return (SEPARATOR.join(fields) + END).encode()
