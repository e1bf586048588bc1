"""Has a model find entities and relations in a document's passages, and adds them to what the document contributes."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aeterna.graph.domain.changes import EdgeKey
from aeterna.graph.domain.identifiers import Label, NodeId
from aeterna.knowledge.domain.contributing import MENTIONS, TERM, term_node
from aeterna.knowledge.domain.contributions import EdgePart, NodePart
from aeterna.knowledge.domain.extraction import MAX_PLACES
from aeterna.knowledge.domain.model_extraction import (
    VERSION,
    Found,
    FoundEntity,
    FoundRelation,
    Vocabulary,
    extraction_batches,
    extraction_question,
    verified_extraction,
)
from aeterna.knowledge.domain.reports import Instead

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.graph.domain.changes import JsonValue
    from aeterna.knowledge.domain.contributions import Contribution
    from aeterna.knowledge.domain.documents import DocumentId, Span, Unit
    from aeterna.knowledge.domain.verified import Verified
    from aeterna.knowledge.usecases.asking import Asking


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What a model found in a document. ``lacking`` says why some passages were not read; asking again may help."""

    found: Found
    lacking: Instead | None = None


class ModelExtraction:
    """Finds by a model what the deterministic extraction cannot: kinds of entities, and how they relate."""

    def __init__(self, asking: Asking, vocabulary: Vocabulary | None = None) -> None:
        self._asking = asking
        self._vocabulary = vocabulary or Vocabulary()

    async def extract(self, units: Sequence[Unit]) -> Extraction:
        """Return what the passages of one document hold; what the model did not answer for is left out."""
        entities, relations = list[FoundEntity](), list[FoundRelation]()
        lacking: Instead | None = None
        for batch in extraction_batches(units):
            outcome = await self._asked(batch)
            if isinstance(outcome, Instead):
                lacking = outcome if outcome.passing else lacking
            else:
                entities += outcome.entities
                relations += outcome.relations
        return Extraction(found=Found(entities=tuple(entities), relations=tuple(relations)), lacking=lacking)

    async def _asked(self, batch: tuple[Unit, ...]) -> Found | Instead:
        def verify(text: str) -> Verified[Found]:
            return verified_extraction(text, batch, self._vocabulary)

        question = extraction_question(batch, self._vocabulary)
        return await self._asking.ask(question, frozenset(unit.id for unit in batch), verify)

    def extended(self, contribution: Contribution, extraction: Extraction) -> Contribution:
        """Return the contribution with what was found in it.

        Its digest says which model read all of it; one that is not complete keeps its own, and so is read again.
        """
        nodes = {node.id: node for node in contribution.nodes}
        edges = {edge.key: edge for edge in contribution.edges}
        for entity in extraction.found.entities:
            term = term_node(entity.name)
            nodes.setdefault(term, NodePart(id=term, kind=TERM, properties={"name": entity.name}))
        for key, (places, properties) in _ties(extraction.found, contribution.document).items():
            there = edges.get(key)
            edges[key] = _edge(key, places, properties) if there is None else _with(there, properties)
        digest = contribution.digest if extraction.lacking else self.digest_of(contribution.digest)
        return replace(contribution, digest=digest, nodes=tuple(nodes.values()), edges=tuple(edges.values()))

    def digest_of(self, digest: str) -> str:
        """Return the digest of a document that this model reads, from the one that it has without."""
        told = "\0".join(
            [digest, self._asking.model, str(VERSION), *self._vocabulary.kinds, "", *self._vocabulary.types]
        )
        return hashlib.sha256(told.encode()).hexdigest()


def _ties(found: Found, document: DocumentId) -> Mapping[EdgeKey, tuple[list[Span], dict[str, JsonValue]]]:
    ties: dict[EdgeKey, tuple[list[Span], dict[str, JsonValue]]] = defaultdict(lambda: ([], {}))
    kinds: dict[EdgeKey, set[str]] = defaultdict(set)
    for entity in found.entities:
        key = EdgeKey(NodeId(f"unit:{entity.unit}"), Label(MENTIONS), NodeId(term_node(entity.name)))
        ties[key][0].append(entity.span)
        kinds[key].add(entity.kind)
        ties[key][1]["kinds"] = [*sorted(kinds[key])]
    for relation in found.relations:
        source, target = NodeId(term_node(relation.source)), NodeId(term_node(relation.target))
        places, properties = ties[EdgeKey(source, Label(relation.type), target)]
        places.append(relation.span)
        # Several documents may say the same: the places are of the one that is named.
        properties["document"] = document
    return ties


def _edge(key: EdgeKey, spans: Sequence[Span], properties: Mapping[str, JsonValue]) -> EdgePart:
    places: list[JsonValue] = [[span.start, span.end] for span in sorted(set(spans))[:MAX_PLACES]]
    # Damped, as the deterministic extraction does: the tenth time says less than the first.
    return EdgePart(key=key, weight=1.0 + math.log(len(spans)), properties={**properties, "places": places})


def _with(edge: EdgePart, properties: Mapping[str, JsonValue]) -> EdgePart:
    return replace(edge, properties={**edge.properties, **properties})
