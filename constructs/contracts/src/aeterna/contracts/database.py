"""A PostgreSQL database that survives the loss of a zone: its spec, and what a deployed one tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between, require_distinct, require_name

ROLE = re.compile(r"[a-z][a-z0-9_]{0,62}")
MAJORS = ("16", "17", "18")
RESERVED = frozenset({"postgres", "template0", "template1", "public", "rdsadmin", "cloudsqladmin", "azuresu"})
MOST_BACKUP_DAYS = 35


class Weekday(StrEnum):
    """The day on which the service may restart the database for maintenance."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSpec:
    """A PostgreSQL server reachable only inside the network, over TLS, by identities rather than passwords.

    - ``name`` is the server's. Changing it replaces the server and everything in it.
    - ``database`` is the first database on it. Default: "aeterna". Changing it replaces the server.
    - ``users`` are the roles that workloads log in as, each with the token of its own identity. The server does not
      make them: a migration does. Default: "aeterna".
    - ``major`` is PostgreSQL's major version; minor versions are taken in the maintenance window. Default: "17".
    - ``vcpus`` and ``memory_gib`` are the machine's. Default: 2 and 8. Changing them fails over once.
    - ``storage_gib`` is the disk at the start, and ``most_storage_gib`` what it may grow to without anyone's doing;
      a disk never shrinks. Default: 100 growing to 1000.
    - ``highly_available`` keeps a synchronous standby in a second zone: a commit is acknowledged when both have it,
      and losing a zone costs a minute or two and no acknowledged commit. Default: on.
    - ``backup_days`` is how far back a point in time can be restored, to the second, up to about five minutes ago.
      Default: 14. At least 1: a database that cannot be restored is refused.
    - ``backup_hour``, ``maintenance_day`` and ``maintenance_hour`` are when (UTC) the daily backup and the week's
      maintenance begin. Default: 02:00, and Sunday 04:00.
    - ``log_days`` is how long the server's logs are kept, encrypted. Default: 90.
    - ``slow_query_ms`` logs every statement that takes longer. Default: 1000.
    - ``protected`` refuses to delete the server; deleting it without protection still leaves a final snapshot.
      Default: on.
    """

    name: str
    database: str = "aeterna"
    users: tuple[str, ...] = ("aeterna",)
    major: str = "17"
    vcpus: int = 2
    memory_gib: int = 8
    storage_gib: int = 100
    most_storage_gib: int = 1000
    highly_available: bool = True
    backup_days: int = 14
    backup_hour: int = 2
    maintenance_day: Weekday = Weekday.SUNDAY
    maintenance_hour: int = 4
    log_days: int = 90
    slow_query_ms: int = 1000
    protected: bool = True

    def __post_init__(self) -> None:
        """Refuse what no cloud could deploy."""
        kind = type(self).__name__
        require_name(kind, "name", self.name)
        require_role(kind, "database", self.database)
        require_distinct(kind, "users", self.users)
        for user in self.users:
            require_role(kind, "users", user)
        if self.major not in MAJORS:
            remedy = f"use one of {', '.join(MAJORS)}"
            raise InvalidSpecError(kind, "major", f"{self.major!r} is not a supported major version", remedy)
        require_between(kind, "vcpus", self.vcpus, (1, 192), "vCPUs")
        require_between(kind, "memory_gib", self.memory_gib, (2, 1536), "GiB")
        require_between(kind, "log_days", self.log_days, (1, 3653), "days")
        require_between(kind, "slow_query_ms", self.slow_query_ms, (0, 3_600_000), "ms")
        self._check_storage(kind)
        self._check_windows(kind)

    def _check_storage(self, kind: str) -> None:
        require_between(kind, "storage_gib", self.storage_gib, (20, 59_000), "GiB")
        require_between(kind, "most_storage_gib", self.most_storage_gib, (20, 65_536), "GiB")
        least = -(-self.storage_gib * 11 // 10)  # the services grow a disk by a tenth or more; rounded up
        if self.most_storage_gib < least:
            raise InvalidSpecError(
                kind,
                "most_storage_gib",
                f"{self.most_storage_gib} GiB leaves a disk of {self.storage_gib} GiB no room to grow",
                f"use at least {least} GiB",
            )

    def _check_windows(self, kind: str) -> None:
        require_between(kind, "backup_days", self.backup_days, (1, MOST_BACKUP_DAYS), "days")
        require_between(kind, "backup_hour", self.backup_hour, (0, 23), "o'clock")
        require_between(kind, "maintenance_hour", self.maintenance_hour, (0, 23), "o'clock")
        if self.backup_hour == self.maintenance_hour:
            raise InvalidSpecError(
                kind,
                "maintenance_hour",
                f"maintenance and the backup would both begin at {self.backup_hour:02}:00",
                "give them different hours",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseOutputs:
    """A deployed database: where it is and how to trust it. There is no password in it.

    A client connects to ``host``:``port`` with ``sslmode=verify-full`` against ``certificate_authority``, and logs in
    with a token that its own identity is given.
    """

    endpoint: Late
    """``host:port`` in one string."""
    host: Late
    port: Late
    database: Late
    certificate_authority: Late
    """What signs the server's certificate: certificates in PEM, or the https address of a bundle of them."""
    administrator: Late
    """The administrator's login, for migrations that create roles and extensions."""
    administrator_secret: Late | None = None
    """The identifier of the secret that holds the administrator's password: a reference, never the value. None where
    the administrator logs in with a token as well."""


def require_role(spec: str, field: str, value: str) -> None:
    """Refuse a database or role name that would need quoting, or that PostgreSQL or a service keeps for itself."""
    if not ROLE.fullmatch(value):
        remedy = "use lower-case letters, digits and underscores, at most 63, beginning with a letter"
        raise InvalidSpecError(spec, field, f"{value!r} is not a plain PostgreSQL identifier", remedy)
    if value in RESERVED or value.startswith("pg_"):
        raise InvalidSpecError(spec, field, f"{value!r} is reserved", "choose another name")
