"""A pod that does not run as its author asked: as it is seen, and as a report names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """Why a pod is reported."""

    MISSING = "SidecarsMissing"
    """It asked for sidecars, and was admitted without."""

    OUTDATED = "SidecarsOutdated"
    """It was injected by another definition than the one in force, and gets that one with its next start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSeen:
    """A pod that runs or will run. ``manifest`` is its JSON as the API has it; ``uid`` is of this one alone."""

    namespace: str
    name: str
    uid: str
    manifest: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedPod:
    """A pod and why it is reported; ``uid`` tells it from a later one of the same name."""

    namespace: str
    name: str
    uid: str
    reason: Reason
