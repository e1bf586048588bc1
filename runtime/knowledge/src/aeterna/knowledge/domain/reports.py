"""Reports on communities: the material that one is made of, its sentences, and the evidence that each stands on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import DocumentId, Span, UnitId

MaterialDigest = NewType("MaterialDigest", str)
EXTRACTIVE: Final = "extractive"


class Instead(StrEnum):
    """Why a report is extractive although a model was to make it."""

    BUDGET = "budget"
    """The tenant's tokens were used up; it is asked for again."""
    UNAVAILABLE = "unavailable"
    """The model did not answer; it is asked for again."""
    REFUSED = "refused"
    """The model would not; it is not asked the same twice."""
    NOTHING = "nothing"
    """There is no text to ask about."""
    UNVERIFIED = "unverified"
    """Nothing of its answers stood on the evidence; it is not asked the same twice."""

    @property
    def passing(self) -> bool:
        """Whether asking again may help."""
        return self in {Instead.BUDGET, Instead.UNAVAILABLE}


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
    """A unit as the reports see it; a ``suspicious`` one speaks to models, and is cited and never quoted."""

    unit: UnitId
    document: DocumentId
    span: Span
    heading: tuple[str, ...]
    text: str
    suspicious: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Evidence:
    """A unit that a report stands on, and where in its document the unit began when the report was made."""

    unit: UnitId
    document: DocumentId
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is said of a community. ``digest`` is of its material: the same material is never reported on twice.

    ``made_by`` is ``extractive``, or ``model:`` and the model's name; ``instead`` says why it is not a model's.
    ``tokens`` is how many it has, as counted for budgets. ``evidence`` is every unit that the report was made of, and
    above the finest level those that it cites; there it stands on its ``children`` too, whose wording is ``basis``.
    ``suspicious`` cites passages that speak to models.
    """

    community: CommunityId
    level: int
    digest: MaterialDigest
    title: str
    sentences: tuple[Sentence, ...]
    made_by: str
    tokens: int
    evidence: tuple[Evidence, ...] = ()
    children: tuple[MaterialDigest, ...] = ()
    basis: str = ""
    instead: Instead | None = None
    suspicious: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All that a report may be made of; its order means nothing.

    The finest level has ``passages``, the levels above the ``children``'s reports, and only what relates those.
    """

    community: CommunityId
    level: int
    members: tuple[Member, ...]
    relations: tuple[Relation, ...]
    passages: tuple[Passage, ...]
    children: tuple[Report, ...] = ()
