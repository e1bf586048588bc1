"""Digests of what a report is made of and of how it is worded, by which reports are known again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.reports import MaterialDigest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aeterna.knowledge.domain.reports import Material, Report

METHOD: Final = 1
"""Counts the changes of how reports are made of a material: each makes all of them anew."""


def own_digest(material: Material) -> str:
    """Return the digest of a community's own material, its children left out.

    It is of content: neither the community's id and level nor the order of discovery is in it. Nor are spans, for a
    passage that moved says what it said, and a report's citations move with it; only the order of the passages counts.
    """
    passages = sorted(material.passages, key=lambda one: (one.document, one.span, one.unit))
    return _digest(
        [
            METHOD,
            sorted([one.id, one.kind, one.name, one.weight] for one in material.members),
            sorted([one.source, one.type, one.target, one.weight] for one in material.relations),
            [[one.unit, one.document, list(one.heading), one.text, one.suspicious] for one in passages],
        ]
    )


def joined_digest(own: str, children: Iterable[MaterialDigest]) -> MaterialDigest:
    """Return the digest of a community's whole material: what changes at the bottom changes it, up to the top."""
    return MaterialDigest(_digest([own, sorted(children)]))


def digest_of(material: Material) -> MaterialDigest:
    """Return the digest of a material, as a report on it carries."""
    return joined_digest(own_digest(material), (child.digest for child in material.children))


def wording_of(report: Report) -> str:
    """Return the digest of what a report says, wherever it stands."""
    return _digest([report.digest, report.made_by, report.title, [one.text for one in report.sentences]])


def basis_of(children: Iterable[Report]) -> str:
    """Return the digest of how the reports below are worded; empty where there are none."""
    wordings = sorted(wording_of(child) for child in children)
    return _digest(wordings) if wordings else ""


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Lone surrogates occur in names that agents write.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
