"""What a database spec means to RDS: the machine that has its processors and memory, and its windows of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.database import Weekday
from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from aeterna.contracts.database import DatabaseSpec

SIZES = {
    2: "large",
    4: "xlarge",
    8: "2xlarge",
    16: "4xlarge",
    32: "8xlarge",
    48: "12xlarge",
    64: "16xlarge",
}
"""The machine size of each number of vCPUs (RDS User Guide, "Hardware specifications for DB instance classes")."""

FAMILIES = {4: "m7g", 8: "r7g"}
"""The family of each number of GiB a vCPU. Both are offered where PostgreSQL 16 and newer are."""

CLASSES = {
    # The smallest burstable machine that Performance Insights runs on; for development.
    (2, 4): "db.t4g.medium",
    **{
        (vcpus, vcpus * gib): f"db.{family}.{size}" for vcpus, size in SIZES.items() for gib, family in FAMILIES.items()
    },
}


def instance_class(spec: DatabaseSpec) -> str:
    """Return the machine for the spec. Raises `InvalidSpecError` and names the nearest ones where there is none."""
    wanted = (spec.vcpus, spec.memory_gib)
    if wanted in CLASSES:
        return CLASSES[wanted]
    same = sorted(memory for vcpus, memory in CLASSES if vcpus == spec.vcpus)
    if same:
        remedy = f"with {spec.vcpus} vCPUs, use {' or '.join(str(memory) for memory in same)} GiB"
        raise InvalidSpecError("DatabaseSpec", "memory_gib", f"RDS has no machine with {spec.memory_gib} GiB", remedy)
    remedy = f"use one of {', '.join(str(vcpus) for vcpus in SIZES)}"
    raise InvalidSpecError("DatabaseSpec", "vcpus", f"RDS has no machine with {spec.vcpus} vCPUs", remedy)


def one_hour(hour: int) -> str:
    """Return the hour of a day that begins at ``hour``, in RDS's notation: ``23:00-00:00``."""
    return f"{hour:02}:00-{(hour + 1) % 24:02}:00"


def maintenance_window(spec: DatabaseSpec) -> str:
    """Return the hour of a week in RDS's notation; the last hour of a day ends on the next: ``sun:23:00-mon:00:00``."""
    days = tuple(Weekday)
    tomorrow = days[(days.index(spec.maintenance_day) + 1) % len(days)]
    begin, end = one_hour(spec.maintenance_hour).split("-")
    last = tomorrow if end == "00:00" else spec.maintenance_day
    return f"{spec.maintenance_day}:{begin}-{last}:{end}"


def busy_hours(spec: DatabaseSpec) -> frozenset[int]:
    """Return the hours in which no backup can be started from outside: those of the windows, and each hour before."""
    windows = (spec.backup_hour, spec.maintenance_hour)
    return frozenset((hour - before) % 24 for hour in windows for before in (0, 1))
