"""What a database spec means to Cloud SQL: the edition, the machine with its processors and memory, and its flags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.contracts.database import Weekday
from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from aeterna.contracts.database import DatabaseSpec

ENTERPRISE = "ENTERPRISE"
ENTERPRISE_PLUS = "ENTERPRISE_PLUS"
LONGEST_LOG_OF_ENTERPRISE = 7
"""Days. A point in time further back needs the larger edition (Cloud SQL documentation, "Point-in-time recovery")."""

PLUS_VCPUS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 128)
PLUS_GIB_A_VCPU = 8
PLUS_MOST_GIB = 864
"""The last machines have less memory a processor (Cloud SQL documentation, "Instance settings")."""

MOST_VCPUS = 96
LEAST_MIB = 3840
LEAST_MIB_A_VCPU, MOST_MIB_A_VCPU = 922, 6656
MIB_A_GIB = 1024

CONNECTIONS = {120: 1000, 60: 800, 30: 600, 15: 500, 7: 400, 0: 100}
"""By the least GiB (Cloud SQL documentation, "Quotas and limits": ``max_connections``)."""

DAYS = tuple(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """An edition and a tier of it, which Cloud SQL takes only together."""

    edition: str
    tier: str


def machine(spec: DatabaseSpec) -> Machine:
    """Return the smallest machine of the edition that can restore as far back as the spec wants.

    Raises `InvalidSpecError` where there is none.
    """
    if spec.backup_days > LONGEST_LOG_OF_ENTERPRISE:
        return _optimized(spec)
    return _custom(spec)


def maintenance_day(spec: DatabaseSpec) -> int:
    """Return the day of the week as Cloud SQL counts it, from Monday, which is 1."""
    return DAYS.index(spec.maintenance_day) + 1


def flags(spec: DatabaseSpec) -> dict[str, str]:
    """Return the server's settings: logins by IAM, and logs of what a reader of logs will ask for."""
    return {
        "cloudsql.iam_authentication": "on",
        "max_connections": str(connections(spec)),
        "log_connections": "on",
        "log_disconnections": "on",
        "log_lock_waits": "on",
        "log_statement": "ddl",
        "log_min_duration_statement": str(spec.slow_query_ms),
    }


def connections(spec: DatabaseSpec) -> int:
    """Return how many connections the server takes: what Cloud SQL gives a machine of this memory, said once here."""
    return next(most for memory, most in CONNECTIONS.items() if spec.memory_gib >= memory)


def _optimized(spec: DatabaseSpec) -> Machine:
    for vcpus in PLUS_VCPUS:
        if vcpus >= spec.vcpus and min(vcpus * PLUS_GIB_A_VCPU, PLUS_MOST_GIB) >= spec.memory_gib:
            return Machine(edition=ENTERPRISE_PLUS, tier=f"db-perf-optimized-N-{vcpus}")
    problem = f"Cloud SQL has no machine with {spec.vcpus} vCPUs and {spec.memory_gib} GiB"
    remedy = f"use at most {PLUS_VCPUS[-1]} vCPUs and {PLUS_MOST_GIB} GiB"
    raise InvalidSpecError("DatabaseSpec", "vcpus", problem, remedy)


def _custom(spec: DatabaseSpec) -> Machine:
    if spec.vcpus > MOST_VCPUS or (spec.vcpus > 1 and spec.vcpus % 2):
        problem = f"Cloud SQL has no machine with {spec.vcpus} vCPUs"
        raise InvalidSpecError("DatabaseSpec", "vcpus", problem, f"use 1 or an even number up to {MOST_VCPUS}")
    least = -(-max(LEAST_MIB, LEAST_MIB_A_VCPU * spec.vcpus) // MIB_A_GIB)
    most = MOST_MIB_A_VCPU * spec.vcpus // MIB_A_GIB
    if not least <= spec.memory_gib <= most:
        problem = f"Cloud SQL has no machine with {spec.vcpus} vCPUs and {spec.memory_gib} GiB"
        remedy = f"with {spec.vcpus} vCPUs, use {least} to {most} GiB"
        raise InvalidSpecError("DatabaseSpec", "memory_gib", problem, remedy)
    return Machine(edition=ENTERPRISE, tier=f"db-custom-{spec.vcpus}-{spec.memory_gib * MIB_A_GIB}")
