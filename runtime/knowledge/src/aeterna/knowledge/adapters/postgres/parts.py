"""What documents contribute, in PostgreSQL: replaced within a transaction that holds the tenant's ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from aeterna.graph.domain.changes import EdgeKey
from aeterna.knowledge.domain.elements import EdgeRow, NodeRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aeterna.knowledge.adapters.postgres.transactions import Statements
    from aeterna.knowledge.domain.elements import ElementId
    from aeterna.knowledge.domain.entries import Record

T = TypeVar("T")
_STATEMENT_ROWS: Final = 20_000
_GONE_SIZE: Final = 64
"""About what a removal is in a session, in bytes."""


class Touched(NamedTuple):
    """A node or an edge that the graph is to show anew; ``type`` is None for a node, whose id is ``source``."""

    element: bytes
    source: str
    type: str | None = None
    target: str | None = None
    size: int = _GONE_SIZE


@dataclass(slots=True, kw_only=True)
class Difference:
    """What a document says now and did not, and what it said and does not any more."""

    number: int
    new_nodes: list[NodeRow] = field(default_factory=list[NodeRow])
    new_edges: list[EdgeRow] = field(default_factory=list[EdgeRow])
    gone_nodes: list[tuple[bytes, bytes, str]] = field(default_factory=list[tuple[bytes, bytes, str]])
    gone_edges: list[tuple[bytes, bytes, EdgeKey]] = field(default_factory=list[tuple[bytes, bytes, EdgeKey]])


def pieces(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Divide rows so that no statement takes long, however many a document has."""
    return (rows[at : at + _STATEMENT_ROWS] for at in range(0, len(rows), _STATEMENT_ROWS))


async def differences(
    statements: Statements, said: Mapping[int, Record | None], known: Sequence[int]
) -> dict[int, Difference]:
    """Compare what documents say, by their numbers, with what those that are ``known`` said before.

    None is a document that is removed.
    """
    found = {number: Difference(number=number) for number in said}
    new_nodes: dict[tuple[int, bytes], NodeRow] = {}
    new_edges: dict[tuple[int, bytes], EdgeRow] = {}
    for number, record in said.items():
        if record is not None:
            new_nodes |= {(number, row.element): row for row in record.nodes}
            new_edges |= {(number, row.element): row for row in record.edges}
    if known:
        numbers = list(known)
        for number, element, digest, id_ in await statements.rows("node_parts_of", numbers=numbers):
            if _same(new_nodes.get((number, element)), digest):
                del new_nodes[number, element]
            else:
                found[number].gone_nodes.append((element, digest, id_))
        for number, element, digest, *key in await statements.rows("edge_parts_of", numbers=numbers):
            if _same(new_edges.get((number, element)), digest):
                del new_edges[number, element]
            else:
                found[number].gone_edges.append((element, digest, EdgeKey(*key)))
    for (number, _), node in new_nodes.items():
        found[number].new_nodes.append(node)
    for (number, _), edge in new_edges.items():
        found[number].new_edges.append(edge)
    return found


async def write(statements: Statements, changes: Sequence[Difference]) -> list[list[Touched]]:
    """Write the differences, and return for each what the graph is to show anew, each thing once in all of them.

    A node of which others say the very same is shown already, or goes on being shown: it is left out.
    """
    new = [(change.number, row) for change in changes for row in change.new_nodes]
    gone = [(element, digest) for change in changes for element, digest, _ in change.gone_nodes]
    settled_before = await _settled(statements, [(row.element, row.digest) for _, row in new])
    await _remove(statements, changes)
    await _write_nodes(statements, new)
    await _write_edges(statements, [(change.number, row) for change in changes for row in change.new_edges])
    settled_after = await _settled(statements, gone)
    kept: set[bytes] = set()
    for _, row in new:
        if row.element not in settled_before:
            kept.add(row.element)
    kept.update(element for element, _ in gone if element not in settled_after)
    return _touched(changes, kept)


async def _settled(statements: Statements, asked: Sequence[tuple[bytes, bytes]]) -> set[bytes]:
    """Return the elements of which every document says this; where two different things are asked, none does."""
    by_element = dict(asked)
    differing = {element for element, digest in asked if by_element[element] != digest}
    settled: set[bytes] = set()
    for piece in pieces(list(by_element.items())):
        elements, digests = [element for element, _ in piece], [digest for _, digest in piece]
        rows = await statements.rows("settled_nodes", elements=elements, digests=digests)
        settled.update(element for (element,) in rows)
    return settled - differing


async def _remove(statements: Statements, changes: Sequence[Difference]) -> None:
    nodes = [(element, digest, change.number) for change in changes for element, digest, _ in change.gone_nodes]
    edges = [(element, digest, change.number) for change in changes for element, digest, _ in change.gone_edges]
    for name, gone in (("remove_node_parts", nodes), ("remove_edge_parts", edges)):
        for piece in pieces(gone):
            elements, digests, documents = (list(column) for column in zip(*piece, strict=True))
            await statements.do(name, elements=elements, digests=digests, documents=documents)


async def _write_nodes(statements: Statements, every: Sequence[tuple[int, NodeRow]]) -> None:
    for rows in pieces(every):
        await statements.do(
            "write_node_parts",
            documents=[number for number, _ in rows],
            elements=[row.element for _, row in rows],
            digests=[row.digest for _, row in rows],
            ids=[row.id for _, row in rows],
            kinds=[row.kind for _, row in rows],
            properties=[row.properties for _, row in rows],
        )


async def _write_edges(statements: Statements, every: Sequence[tuple[int, EdgeRow]]) -> None:
    for rows in pieces(every):
        await statements.do(
            "write_edge_parts",
            documents=[number for number, _ in rows],
            elements=[row.element for _, row in rows],
            digests=[row.digest for _, row in rows],
            sources=[row.key.source for _, row in rows],
            types=[row.key.type for _, row in rows],
            targets=[row.key.target for _, row in rows],
            weights=[row.weight for _, row in rows],
            properties=[row.properties for _, row in rows],
        )


def _touched(changes: Sequence[Difference], nodes: set[bytes]) -> list[list[Touched]]:
    seen: set[ElementId | bytes] = set()
    found: list[list[Touched]] = []
    for change in changes:
        mine: list[Touched] = []
        candidates = [
            *(
                Touched(element=row.element, source=row.id, size=len(row.id) + len(row.properties))
                for row in change.new_nodes
                if row.element in nodes
            ),
            *(Touched(element=element, source=id_) for element, _, id_ in change.gone_nodes if element in nodes),
            *(
                Touched(element=row.element, size=len(row.properties) + _GONE_SIZE, **row.key._asdict())
                for row in change.new_edges
            ),
            *(Touched(element=element, **key._asdict()) for element, _, key in change.gone_edges),
        ]
        for one in candidates:
            if one.element not in seen:
                seen.add(one.element)
                mine.append(one)
        found.append(mine)
    return found


def _same(row: NodeRow | EdgeRow | None, digest: bytes) -> bool:
    return row is not None and row.digest == digest
