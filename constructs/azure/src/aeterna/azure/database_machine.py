"""What a database spec means to Flexible Server: machine, disk, connections, and what is refused because none fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.database import Weekday
from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from aeterna.contracts.database import DatabaseSpec

VCPUS = (2, 4, 8, 16, 32, 48, 64, 96)
MIB = 1024

BURSTABLE = {(1, 2): "B_Standard_B1ms", (2, 4): "B_Standard_B2s"}
"""For development: these machines have no standby."""

MACHINES = {
    **BURSTABLE,
    **{(vcpus, vcpus * 4): f"GP_Standard_D{vcpus}ds_v5" for vcpus in VCPUS},
    **{(vcpus, vcpus * 8): f"MO_Standard_E{vcpus}ds_v5" for vcpus in VCPUS},
}
"""The machine of each number of vCPUs and GiB (Azure Database for PostgreSQL documentation, "Compute options")."""

DISKS_MIB = (
    32_768,
    65_536,
    131_072,
    262_144,
    524_288,
    1_048_576,
    2_097_152,
    4_193_280,
    8_388_608,
    16_777_216,
    33_553_408,
)
"""The only sizes that a disk has. The one of 4 TiB is a megabyte short of it, because larger ones lose the cache of
the host (Terraform's documentation of ``azurerm_postgresql_flexible_server``)."""

FEWEST_BACKUP_DAYS = 7

CONNECTIONS = {2: 50, 4: 429, 8: 859, 16: 1718, 32: 3437}
MOST_CONNECTIONS = 5000
"""``max_connections`` by GiB, as the service sets it ("Limits in Azure Database for PostgreSQL")."""

DAYS = (
    Weekday.SUNDAY,
    Weekday.MONDAY,
    Weekday.TUESDAY,
    Weekday.WEDNESDAY,
    Weekday.THURSDAY,
    Weekday.FRIDAY,
    Weekday.SATURDAY,
)
"""Weekdays by the number that the service gives them."""


def machine(spec: DatabaseSpec) -> str:
    """Return the machine for the spec. Raises `InvalidSpecError` and names the nearest ones where there is none."""
    wanted = (spec.vcpus, spec.memory_gib)
    if wanted in BURSTABLE and spec.highly_available:
        problem = f"{spec.vcpus} vCPUs with {spec.memory_gib} GiB are a burstable machine, which has no standby"
        raise InvalidSpecError("DatabaseSpec", "highly_available", problem, "use 2 vCPUs and 8 GiB, or switch it off")
    if wanted in MACHINES:
        return MACHINES[wanted]
    same = sorted(memory for vcpus, memory in MACHINES if vcpus == spec.vcpus)
    if same:
        remedy = f"with {spec.vcpus} vCPUs, use {' or '.join(str(memory) for memory in same)} GiB"
        raise InvalidSpecError("DatabaseSpec", "memory_gib", f"Azure has no machine with {spec.memory_gib} GiB", remedy)
    remedy = f"use one of {', '.join(str(vcpus) for vcpus in VCPUS)}"
    raise InvalidSpecError("DatabaseSpec", "vcpus", f"Azure has no machine with {spec.vcpus} vCPUs", remedy)


def disk_mib(spec: DatabaseSpec) -> int:
    """Return the smallest disk that holds the spec's storage, in MiB. Raises `InvalidSpecError` beyond the largest."""
    for size in DISKS_MIB:
        if size // MIB >= spec.storage_gib:
            return size
    problem = f"no disk has {spec.storage_gib} GiB"
    raise InvalidSpecError("DatabaseSpec", "storage_gib", problem, f"use at most {DISKS_MIB[-1] // MIB} GiB")


def require_backup_days(spec: DatabaseSpec) -> int:
    """Return how far back a point in time can be restored, or refuse less than the service keeps."""
    if spec.backup_days < FEWEST_BACKUP_DAYS:
        problem = f"Azure keeps {FEWEST_BACKUP_DAYS} days or more, and {spec.backup_days} are asked for"
        raise InvalidSpecError("DatabaseSpec", "backup_days", problem, f"use {FEWEST_BACKUP_DAYS} to 35 days")
    return spec.backup_days


def connections(spec: DatabaseSpec) -> int:
    """Return how many connections the server takes at most."""
    return CONNECTIONS.get(spec.memory_gib, MOST_CONNECTIONS)
