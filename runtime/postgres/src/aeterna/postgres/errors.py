"""What can be wrong with a database, in words that each service makes its own: it derives, and gives its own codes.

AeternaError
└── PostgresError
    ├── BusyError                  a lock or a connection was not free in time; try again
    ├── UnavailableError           the database is not there; try again
    │   └── LoginFailedError       the login's cloud gives no token for it; try again
    ├── DefectError                the database refused what it should accept: a defect of ours
    └── UnfitError                 the process cannot start on this database; never seen by a caller
        ├── OutdatedError          it has not been migrated to what this release needs
        │   └── MissingError       it has never been migrated
        ├── RoleRefusedError       the login may not act as the service's role
        ├── RoleFreeError          row-level security would not bind the service
        ├── InsecureError          a stranger could be the server, or read what is said to it
        ├── UnknownRevisionError   it was asked to become what no release knows
        └── NotReachedError        it does not answer, or does not let the login in
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from aeterna.contracts.errors import AeternaError

if TYPE_CHECKING:
    from aeterna.postgres.names import Names

# A lock is held for milliseconds and a restart of PostgreSQL takes about a second: sooner is a hammer, later is idle.
RETRY_AFTER: Final = timedelta(seconds=1)


class PostgresError(AeternaError):
    """Something is wrong with the database of a service."""

    code = "postgres.error"
    names: ClassVar[Names]
    """Given by the service's own root of errors, from which each of its errors derives first."""


class BusyError(PostgresError):
    """A lock, a connection or a statement took longer than allowed; nothing is half-written, try again."""

    code = "postgres.busy"
    retry_after = RETRY_AFTER
    again: ClassVar[str] = "try again"

    def __init__(self) -> None:
        super().__init__(f"{self.names.title} is busy, or its database is just coming back; {self.again}")


class UnavailableError(PostgresError):
    """The database cannot be reached or cannot write; nothing is half-written, try again."""

    code = "postgres.unavailable"
    retry_after = RETRY_AFTER
    again: ClassVar[str] = "try again"

    def __init__(self) -> None:
        super().__init__(f"{self.names.title} cannot reach its database; {self.again}")


class LoginFailedError(UnavailableError):
    """The cloud that vouches for the login gives no token for it; nothing was written, try again."""

    code = "postgres.login_failed"

    def __init__(self, provider: str, reason: str) -> None:
        """Take the cloud, and a reason that holds nothing of what the cloud said."""
        PostgresError.__init__(self, f"{self.names.title} gets no token for its database from {provider}; {self.again}")
        self.provider = provider
        self.reason = reason


class DefectError(PostgresError):
    """The database refused a statement that it should accept; nothing was written."""

    code = "postgres.defect"

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(f"the database refused a statement of {self.names.title} (SQLSTATE {sqlstate or 'none'})")
        self.sqlstate = sqlstate


class UnfitError(PostgresError):
    """The process cannot start on this database as it is."""

    code = "postgres.unfit"


class OutdatedError(UnfitError):
    """The database's schema is older than this release needs."""

    code = "postgres.outdated"

    def __init__(self, found: str, needed: str) -> None:
        super().__init__(
            f"the database is at schema {found} and this release needs {needed}: "
            f"run `python -m {self.names.module} migrate`, or set {self.names.variables}MIGRATE=true"
        )
        self.found = found
        self.needed = needed


class MissingError(OutdatedError):
    """The database has no schema of the service."""

    code = "postgres.missing"

    def __init__(self, needed: str) -> None:
        super().__init__("none", needed)


class RoleRefusedError(UnfitError):
    """The login may not act as the role that the service acts as."""

    code = "postgres.role_refused"

    def __init__(self, login: str) -> None:
        role = self.names.role
        super().__init__(
            f"the login {login!r} may not act as the role {role}: "
            f'run `GRANT {role} TO "{login}" WITH INHERIT FALSE, SET TRUE` as the role that migrates'
        )
        self.login = login


class RoleFreeError(UnfitError):
    """The role that the service acts as may bypass row-level security, so tenants would not be apart."""

    code = "postgres.role_free"

    def __init__(self) -> None:
        super().__init__(f"the role {self.names.role} must be neither a superuser nor have BYPASSRLS")


class InsecureError(UnfitError):
    """A stranger could be the database, or read what is said to it."""

    code = "postgres.insecure"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{self.names.variables}DSN cannot be used: {reason}")
        self.reason = reason


class UnknownRevisionError(UnfitError):
    """No release of the service has a schema of this revision."""

    code = "postgres.unknown_revision"

    def __init__(self, revision: str) -> None:
        super().__init__(f"no schema revision {revision!r}; use a number such as 0001, or head, or base")
        self.revision = revision


class NotReachedError(UnfitError):
    """The database does not answer, or does not let the login in."""

    code = "postgres.not_reached"

    def __init__(self, reason: str) -> None:
        """Take the client library's reason, which names address and login and never a password."""
        super().__init__(f"cannot connect to the database: {' '.join(reason.split())}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A service's own errors, one for each kind."""

    busy: type[BusyError]
    unavailable: type[UnavailableError]
    login_failed: type[LoginFailedError]
    defect: type[DefectError]
    outdated: type[OutdatedError]
    missing: type[MissingError]
    role_refused: type[RoleRefusedError]
    role_free: type[RoleFreeError]
    insecure: type[InsecureError]
    unknown_revision: type[UnknownRevisionError]
    not_reached: type[NotReachedError]
