"""Reports on communities: the material that one is made of, its sentences, and the evidence that each stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import DocumentId, Span, UnitId

MaterialDigest = NewType("MaterialDigest", str)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Citation:
    """The raw text that a sentence stands on: a place in a document, within one of its units."""

    document: DocumentId
    unit: UnitId
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence of a report or an answer, with at least one citation."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A unit as the reports see it."""

    unit: UnitId
    document: DocumentId
    span: Span
    heading: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A node of a community; ``weight`` is that of its edges within the community."""

    id: str
    kind: str
    name: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """An edge within a community."""

    source: str
    type: str
    target: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is said of a community. ``digest`` is of its material: the same material is never reported on twice.

    ``made_by`` is ``extractive``, or ``model:`` and the model's name. ``tokens`` is how many it has, as counted for
    budgets.
    """

    community: CommunityId
    level: int
    digest: MaterialDigest
    title: str
    sentences: tuple[Sentence, ...]
    made_by: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All that a report may be made of, in a fixed order. Levels above the finest have the ``children``'s reports."""

    community: CommunityId
    level: int
    members: tuple[Member, ...]
    relations: tuple[Relation, ...]
    passages: tuple[Passage, ...]
    children: tuple[Report, ...] = ()
