"""What each construct asks to be told of, as data: `aeterna.gcp.alerts` makes the policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Node

    from aeterna.contracts.alerts import AlertsSpec

LASTING = "900s"
SHORT = "300s"
PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One condition on one metric of one thing.

    ``resource`` is the rest of the filter: what the metric is of. The alarm goes off when the metric, aligned over five
    minutes, is above (or with ``below`` under) the threshold for ``lasting``.
    """

    name: str
    says: str
    metric: str
    resource: str
    threshold: float
    below: bool = False
    lasting: str = LASTING
    aligner: str = "ALIGN_MEAN"
    reducer: str = "REDUCE_NONE"
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An entry of a log that people have to see as soon as it is written; ``entries`` is the filter that finds it."""

    name: str
    says: str
    entries: str


class Watchable(Protocol):
    """A construct that knows when people have to be told of it."""

    @property
    def node(self) -> Node:
        """Its place in the tree, whose id tells it from another of the same name."""
        ...

    @property
    def name(self) -> str:
        """Its name in the spec."""
        ...

    def alarms(self, spec: AlertsSpec) -> Sequence[Alarm | LoggedEvent]:
        """Return what people are told of."""
        ...


def share(percent: int) -> float:
    """Return a percentage as most of Google's metrics count it: 1 is all there is."""
    return percent / PERCENT
