"""The digest of a state, as `domain.digests` defines it, computed in columns."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.graph.domain.arrow import Arrow, pa, pc
from aeterna.graph.domain.digests import END, SEPARATOR

if TYPE_CHECKING:
    from aeterna.graph.adapters.lens.adjacency import Ints
    from aeterna.graph.adapters.lens.asking import Check
    from aeterna.graph.adapters.lens.labels import Labels
    from aeterna.graph.adapters.lens.state import LensState

_AT_ONCE: Final = 65_536


def digest_of(state: LensState, check: Check) -> str:
    """Return the SHA-256 of all nodes and edges of the state; ``check`` is called now and then."""
    digest = hashlib.sha256()
    nodes = state.in_order(np.flatnonzero(state.topology.kinds >= 0).astype(np.int32))
    for part in _parts(nodes):
        check()
        kinds = _labelled(state.topology.kinds[part], state.names.kinds)
        digest.update(_lines(state.names.ids.texts(part), kinds, _plain(state.nodes.column(part))))
    digest.update(END.encode())
    for part in _parts(_ordered_edges(state, nodes)):
        check()
        topology, ids = state.topology, state.names.ids
        source, target = ids.texts(topology.source[part]), ids.texts(topology.target[part])
        types = _labelled(topology.type[part], state.names.types)
        digest.update(_lines(source, types, target, _plain(state.edges.column(part))))
    return digest.hexdigest()


def _ordered_edges(state: LensState, nodes: Ints) -> Ints:
    """Return the living edges in the order of source, type and target."""
    topology = state.topology
    alive = np.flatnonzero(topology.alive).astype(np.int32)
    everyone = state.in_order(np.arange(len(topology.kinds), dtype=np.int32)) if len(alive) else nodes
    rank = np.empty(len(topology.kinds), dtype=np.int32)
    rank[everyone] = np.arange(len(everyone), dtype=np.int32)
    texts = state.names.types.texts
    by_text = sorted(range(len(texts)), key=texts.__getitem__)
    type_rank = np.empty(len(texts), dtype=np.int32)
    type_rank[by_text] = np.arange(len(texts), dtype=np.int32)
    source, type_, target = topology.source[alive], topology.type[alive], topology.target[alive]
    return alive[np.lexsort((rank[target], type_rank[type_], rank[source]))]


def _parts(numbers: Ints) -> list[Ints]:
    return [numbers[begin : begin + _AT_ONCE] for begin in range(0, len(numbers), _AT_ONCE)]


def _labelled(numbers: Ints, labels: Labels) -> Arrow:
    return pa.array(labels.texts, pa.large_string()).take(pa.array(numbers))


def _plain(column: Arrow) -> Arrow:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _lines(*columns: Arrow) -> memoryview:
    nothing, separator, end = (pa.scalar(text, pa.large_string()) for text in ("", SEPARATOR, END))
    fields: list[Arrow] = [columns[0]]
    for column in columns[1:]:
        fields += [separator, column]
    lines = pc.binary_join_element_wise(*fields, end, nothing)
    offsets, values = np.frombuffer(lines.buffers()[1], dtype=np.int64), lines.buffers()[2]
    return memoryview(values)[int(offsets[lines.offset]) : int(offsets[lines.offset + len(lines)])]
