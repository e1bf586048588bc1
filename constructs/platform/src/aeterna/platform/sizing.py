"""What each size of the platform runs, in one table that the guide is written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aeterna.contracts.sizes import Size
from aeterna.platform.names import GRAPH_API, INJECTOR, OPAL_SERVER, POLICIES, THREADS


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a container is given. ``cpu`` and ``memory`` are Kubernetes' quantities.

    Memory is the limit as well: a process that is given less than it may take is killed when its node is full. The
    limit of the CPU is there for the neighbours, far above the request.
    """

    cpu: str
    most_cpu: str
    memory: str

    def document(self) -> dict[str, object]:
        """Return the container's ``resources``."""
        return {
            "requests": {"cpu": self.cpu, "memory": self.memory},
            "limits": {"cpu": self.most_cpu, "memory": self.memory},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many pods a part has, and how large they are. With ``most`` above ``fewest`` it grows with its load."""

    fewest: int
    most: int
    resources: Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSizing:
    """What one size turns on."""

    parts: Mapping[str, Scale]
    zones_required: bool
    """Whether a pod waits rather than unbalance the zones."""
    webhook_seconds: int
    """How long the API server waits for the injector."""
    quota_pods: int
    quota_cpu: str
    quota_memory: str
    """What the pods of one tenant's namespace may ask for together."""


def _scale(fewest: int, most: int, cpu: str, most_cpu: str, memory: str) -> Scale:
    return Scale(fewest=fewest, most=most, resources=Resources(cpu=cpu, most_cpu=most_cpu, memory=memory))


PLATFORM_SIZES: Final[Mapping[Size, PlatformSizing]] = MappingProxyType(
    {
        Size.DEV: PlatformSizing(
            parts={
                GRAPH_API: _scale(1, 1, "250m", "2", "1Gi"),
                THREADS: _scale(1, 1, "100m", "1", "384Mi"),
                POLICIES: _scale(1, 1, "100m", "2", "1Gi"),
                INJECTOR: _scale(1, 1, "50m", "500m", "192Mi"),
                OPAL_SERVER: _scale(1, 1, "100m", "1", "512Mi"),
            },
            zones_required=False,
            webhook_seconds=5,
            quota_pods=50,
            quota_cpu="10",
            quota_memory="20Gi",
        ),
        Size.STANDARD: PlatformSizing(
            parts={
                GRAPH_API: _scale(3, 9, "500m", "4", "2Gi"),
                THREADS: _scale(3, 9, "250m", "2", "512Mi"),
                POLICIES: _scale(3, 3, "100m", "2", "1Gi"),
                INJECTOR: _scale(3, 3, "100m", "1", "256Mi"),
                OPAL_SERVER: _scale(3, 3, "100m", "1", "512Mi"),
            },
            zones_required=True,
            webhook_seconds=5,
            quota_pods=200,
            quota_cpu="100",
            quota_memory="200Gi",
        ),
        Size.CRITICAL: PlatformSizing(
            parts={
                GRAPH_API: _scale(6, 24, "1", "4", "4Gi"),
                THREADS: _scale(6, 24, "500m", "2", "768Mi"),
                POLICIES: _scale(3, 6, "250m", "4", "2Gi"),
                INJECTOR: _scale(3, 6, "250m", "2", "384Mi"),
                OPAL_SERVER: _scale(3, 3, "250m", "2", "1Gi"),
            },
            zones_required=True,
            webhook_seconds=5,
            quota_pods=1000,
            quota_cpu="500",
            quota_memory="1000Gi",
        ),
    }
)
