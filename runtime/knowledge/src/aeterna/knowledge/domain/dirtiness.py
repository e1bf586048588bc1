"""When communities are found anew: after enough has changed, and from nothing after much has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Recomputation: TypeAlias = Literal["none", "changed", "everything"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """How many edges may change before communities are found anew.

    It takes at least ``edges``, and at least ``share`` of all edges: a small graph is not done again for each session,
    nor a large one for each document. ``whole_share``, counted since everything was last done, is where beginning with
    what was known ends: what it only carries along has become old by then.
    """

    edges: int = 100
    share: float = 0.001
    whole_share: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What changed: edges added, removed or weighted anew ``since_run``, and ``since_whole``, a run from nothing.

    ``edges`` is how many there are now; ``found`` whether communities were ever found.
    """

    since_run: int
    since_whole: int
    edges: int
    found: bool


def recomputation(drift: Drift, thresholds: Thresholds) -> Recomputation:
    """Tell what is to be done now."""
    if not drift.found:
        return "everything" if drift.edges else "none"
    if drift.since_run == 0:
        return "none"
    # Nothing is left to wait for when most of a graph is gone, however few edges that were.
    if drift.since_whole > thresholds.whole_share * drift.edges and drift.since_run >= min(
        thresholds.edges, max(1, drift.edges)
    ):
        return "everything"
    if drift.since_run >= max(thresholds.edges, thresholds.share * drift.edges):
        return "changed"
    return "none"
