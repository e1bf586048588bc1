"""A pod that is to be admitted, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aeterna.injector.domain.json_patch import Operation


class Result(StrEnum):
    """What became of a pod."""

    INJECTED = "injected"
    """It gets sidecars, or those that it has are brought up to date."""

    CURRENT = "current"
    """It has just what it would get: it was here before."""

    LEFT_ALONE = "left_alone"
    """It asks for nothing, or is none that anything is done to."""

    EXEMPT = "exempt"
    """It asks for sidecars and cannot have any; it is let in without, with a warning."""

    UNCHANGED = "unchanged"
    """It cannot be served, and is let in as it is, with a warning: the failure policy is ``Ignore``."""

    DENIED = "denied"
    """It cannot be served, and is refused: the failure policy is ``Fail``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodRequest:
    """A pod that is about to be created in a namespace."""

    namespace: str
    pod: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What becomes of a pod.

    - ``reason`` is a word for it: the code of an error, or why nothing was done.
    - ``message`` is for the pod's author. ``patch`` changes the pod.
    """

    result: Result
    reason: str
    message: str | None = None
    patch: Sequence[Operation] = ()

    @property
    def allowed(self) -> bool:
        """Tell whether the pod is let in."""
        return self.result is not Result.DENIED
