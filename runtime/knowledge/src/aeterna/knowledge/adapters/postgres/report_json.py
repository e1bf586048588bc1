"""Reports as the JSON text that a row holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TypedDict

from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import DocumentId, Span, UnitId
from aeterna.knowledge.domain.reports import Citation, Evidence, Instead, MaterialDigest, Report, Sentence


class _Span(TypedDict):
    start: int
    end: int


class _Citation(TypedDict):
    document: str
    unit: str
    span: _Span


class _Sentence(TypedDict):
    text: str
    citations: list[_Citation]


class _Evidence(TypedDict):
    unit: str
    document: str
    start: int


class _Report(TypedDict):
    community: str
    level: int
    digest: str
    title: str
    sentences: list[_Sentence]
    made_by: str
    tokens: int
    evidence: list[_Evidence]
    children: list[str]
    basis: str
    instead: str | None
    suspicious: list[_Citation]


def text_of(report: Report) -> str:
    """Return the report as JSON, in which whatever a model may have said is ASCII."""
    return json.dumps(asdict(report), separators=(",", ":"))


def report_of(text: str) -> Report:
    """Return what `text_of` wrote."""
    read: _Report = json.loads(text)
    return Report(
        community=CommunityId(read["community"]),
        level=read["level"],
        digest=MaterialDigest(read["digest"]),
        title=read["title"],
        sentences=tuple(
            Sentence(text=one["text"], citations=tuple(map(_citation, one["citations"]))) for one in read["sentences"]
        ),
        made_by=read["made_by"],
        tokens=read["tokens"],
        evidence=tuple(
            Evidence(unit=UnitId(one["unit"]), document=DocumentId(one["document"]), start=one["start"])
            for one in read["evidence"]
        ),
        children=tuple(map(MaterialDigest, read["children"])),
        basis=read["basis"],
        instead=None if read["instead"] is None else Instead(read["instead"]),
        suspicious=tuple(map(_citation, read["suspicious"])),
    )


def _citation(read: _Citation) -> Citation:
    return Citation(
        document=DocumentId(read["document"]),
        unit=UnitId(read["unit"]),
        span=Span(start=read["span"]["start"], end=read["span"]["end"]),
    )
