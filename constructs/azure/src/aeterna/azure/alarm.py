"""What a store or a cluster can be watched for: one alarm on one metric of Azure Monitor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aeterna.contracts.alerts import AlertsSpec


class Severity(IntEnum):
    """How urgent Azure Monitor calls an alarm."""

    CRITICAL = 0
    ERROR = 1
    WARNING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm that sounds while a metric, taken over a quarter of an hour, is beyond its threshold."""

    name: str
    namespace: str
    metric: str
    threshold: float
    aggregation: str = "Average"
    operator: str = "GreaterThan"
    severity: Severity = Severity.WARNING
    dimensions: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Only these values of these dimensions count."""


class Watchable(Protocol):
    """Something that Azure Monitor measures."""

    @property
    def watched_name(self) -> str:
        """Its name, which is part of the alarms' names."""
        ...

    @property
    def watched_id(self) -> str:
        """Its resource identifier."""
        ...

    def alarms(self, spec: AlertsSpec) -> tuple[Alarm, ...]:
        """Return what it should be watched for."""
        ...
