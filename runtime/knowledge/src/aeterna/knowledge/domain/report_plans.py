"""Decides which reports stay, which move along, which are made anew and which go, without making any."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import Span, UnitId
from aeterna.knowledge.domain.extractive import in_order
from aeterna.knowledge.domain.report_digests import basis_of, joined_digest
from aeterna.knowledge.domain.reports import EXTRACTIVE, Evidence, Instead, Report

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from aeterna.knowledge.domain.reports import Citation, MaterialDigest, Sentence

Starts: TypeAlias = "Mapping[UnitId, int]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What is to be known of a community in order to plan: ``own`` is the `own_digest` of its material.

    ``places`` has for each of its passages where it begins; empty above the finest level, where ``children`` are.
    """

    community: CommunityId
    level: int
    own: str
    children: tuple[CommunityId, ...] = ()
    places: Starts = field(default_factory=dict[UnitId, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done so that there is one report for each community, and it is of the present.

    ``moved`` are carried over: the same is said, by another name or of passages that stand elsewhere now. ``made`` has
    the communities whose report is made anew, level by level from the finest.
    """

    kept: tuple[CommunityId, ...]
    moved: tuple[Report, ...]
    made: tuple[tuple[CommunityId, ...], ...]
    gone: tuple[CommunityId, ...]


def planned(old: Iterable[Report], present: Iterable[Outline], *, made_by: str = EXTRACTIVE) -> Plan:
    """Return what is to be done with the reports there are, given the communities of now.

    A report stays if its material has the same digest and what it stands on is worded as it was. A report that was made
    by a model does not go for an extractive one; an extractive one does for a model's, if there is text to ask about.
    """
    reports = tuple(old)
    outlines = {one.community: one for one in present}
    starts = {unit: start for one in outlines.values() for unit, start in one.places.items()}
    by_digest = _by_digest(reports)
    digests: dict[CommunityId, MaterialDigest] = {}
    carried: dict[CommunityId, Report] = {}
    made: dict[int, list[CommunityId]] = defaultdict(list)
    heights: dict[CommunityId, int] = {}
    for outline in from_the_finest(outlines.values()):
        digest = joined_digest(outline.own, (digests[child] for child in outline.children))
        digests[outline.community] = digest
        heights[outline.community] = 1 + max((heights[child] for child in outline.children), default=-1)
        report = _of(outline, by_digest.get(digest, ()))
        below = [carried[child] for child in outline.children if child in carried]
        if report is None or len(below) < len(outline.children) or not stands(report, digest, below, made_by=made_by):
            made[heights[outline.community]].append(outline.community)
        else:
            carried[outline.community] = relocated(report, outline, starts)
    known = {report.community: report for report in reports}
    kept = tuple(community for community, report in carried.items() if known.get(community) == report)
    return Plan(
        kept=kept,
        moved=tuple(report for community, report in carried.items() if known.get(community) != report),
        made=tuple(tuple(made[height]) for height in sorted(made)),
        gone=tuple(sorted(community for community in known if community not in outlines)),
    )


def stands(report: Report, digest: MaterialDigest, children: Sequence[Report], *, made_by: str) -> bool:
    """Say whether a report may stay as it is worded, for a material of this digest above these reports."""
    if report.digest != digest or report.basis != basis_of(children):
        return False
    if made_by in {EXTRACTIVE, report.made_by}:
        return True
    # What one model refused another may write; that it was asked before is the cache's to know, and costs no call.
    return report.instead is Instead.NOTHING


def relocated(report: Report, outline: Outline, starts: Starts) -> Report:
    """Return the report as it is of this community now, and with citations of where its passages stand now."""
    shifts = {one.unit: starts[one.unit] - one.start for one in report.evidence}
    if not any(shifts.values()):
        return replace(report, community=outline.community, level=outline.level)
    sentences = tuple(_shifted(one, shifts) for one in report.sentences)
    return replace(
        report,
        community=outline.community,
        level=outline.level,
        sentences=in_order(sentences) if report.made_by == EXTRACTIVE else sentences,
        evidence=tuple(
            Evidence(unit=one.unit, document=one.document, start=starts[one.unit]) for one in report.evidence
        ),
        suspicious=tuple(_moved(one, shifts) for one in report.suspicious),
    )


def standing_on(reports: Iterable[Report], units: Collection[UnitId]) -> frozenset[CommunityId]:
    """Return the communities whose reports stand on one of these units, by themselves or by a report below them."""
    gone = frozenset(units)
    every = tuple(reports)
    fallen = {report.digest for report in every if any(one.unit in gone for one in report.evidence)}
    grown = True
    while grown:
        above = {one.digest for one in every if one.digest not in fallen and not fallen.isdisjoint(one.children)}
        fallen |= above
        grown = bool(above)
    return frozenset(report.community for report in every if report.digest in fallen)


def from_the_finest(outlines: Iterable[Outline]) -> list[Outline]:
    """Return outlines so that each comes after its children: levels are counted from the coarsest."""
    return sorted(outlines, key=lambda one: (-one.level, one.community))


def _by_digest(reports: Iterable[Report]) -> dict[MaterialDigest, list[Report]]:
    found: dict[MaterialDigest, list[Report]] = defaultdict(list)
    for report in reports:
        found[report.digest].append(report)
    return found


def _of(outline: Outline, candidates: Sequence[Report]) -> Report | None:
    """Return the report on this content: the community's own one if it is among them."""
    own = (one for one in candidates if one.community == outline.community)
    return next(own, None) or min(candidates, key=lambda one: one.community, default=None)


def _shifted(sentence: Sentence, shifts: Mapping[UnitId, int]) -> Sentence:
    return replace(sentence, citations=tuple(_moved(one, shifts) for one in sentence.citations))


def _moved(citation: Citation, shifts: Mapping[UnitId, int]) -> Citation:
    by = shifts[citation.unit]
    return replace(citation, span=Span(start=citation.span.start + by, end=citation.span.end + by))
