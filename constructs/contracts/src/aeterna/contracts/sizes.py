"""Sizes of an environment: what each turns on, in one table that the guide is written from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from aeterna.contracts.network import Egress

if TYPE_CHECKING:
    from collections.abc import Mapping


class Size(StrEnum):
    """How much an environment may cost, and what it survives."""

    DEV = "dev"
    """For trying out: one zone may take it down, and it can be destroyed at once."""

    STANDARD = "standard"
    """Survives the loss of a zone without anyone's doing. The default."""

    CRITICAL = "critical"
    """Survives the loss of a region: copies of everything that holds data stand in a second one."""


class Part(StrEnum):
    """What a foundation can do without, so that it can be switched on or off."""

    REGISTRY = "registry"
    """A registry of its own for container images."""

    BACKUP = "backup"
    """A locked vault for backups, beside what each store keeps of itself."""

    ALERTS = "alerts"
    """Alarms on the cluster and the stores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What one size turns on. Every number is only a default: the spec of a part replaces it."""

    zones: int
    egress: Egress
    private_endpoints: bool
    fewest_nodes: int
    most_nodes: int
    vcpus: int
    memory_gib: int
    storage_gib: int
    highly_available: bool
    point_in_time_days: int
    cache_gib: int
    cache_replicas: int
    cache_backup_days: int
    noncurrent_days: int
    log_days: int
    parts: frozenset[Part]
    second_region: bool
    protected: bool


EVERY_PART = frozenset(Part)

SIZES: Mapping[Size, Sizing] = MappingProxyType(
    {
        Size.DEV: Sizing(
            zones=2,
            egress=Egress.SHARED,
            private_endpoints=False,
            fewest_nodes=1,
            most_nodes=3,
            vcpus=2,
            memory_gib=8,
            storage_gib=50,
            highly_available=False,
            point_in_time_days=7,
            cache_gib=1,
            cache_replicas=0,
            cache_backup_days=0,
            noncurrent_days=7,
            log_days=30,
            parts=frozenset(),
            second_region=False,
            protected=False,
        ),
        Size.STANDARD: Sizing(
            zones=3,
            egress=Egress.PER_ZONE,
            private_endpoints=True,
            fewest_nodes=3,
            most_nodes=9,
            vcpus=2,
            memory_gib=8,
            storage_gib=100,
            highly_available=True,
            point_in_time_days=14,
            cache_gib=2,
            cache_replicas=1,
            cache_backup_days=7,
            noncurrent_days=30,
            log_days=90,
            parts=EVERY_PART,
            second_region=False,
            protected=True,
        ),
        Size.CRITICAL: Sizing(
            zones=3,
            egress=Egress.PER_ZONE,
            private_endpoints=True,
            fewest_nodes=3,
            most_nodes=24,
            vcpus=8,
            memory_gib=32,
            storage_gib=500,
            highly_available=True,
            point_in_time_days=35,
            cache_gib=12,
            cache_replicas=2,
            cache_backup_days=14,
            noncurrent_days=90,
            log_days=365,
            parts=EVERY_PART,
            second_region=True,
            protected=True,
        ),
    }
)
