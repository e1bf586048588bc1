"""The one place where an error of psycopg becomes one of a service's own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import psycopg
import psycopg_pool

from aeterna.postgres.login import TokenUnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from aeterna.postgres.errors import Family, PostgresError

Kind: TypeAlias = Literal["busy", "unavailable"]
BUSY: Final = "busy"
UNAVAILABLE: Final = "unavailable"

# By SQLSTATE (PostgreSQL documentation, appendix A): what is different from the rest of its class.
BY_STATE: Final[Mapping[str, Kind]] = {
    "25006": UNAVAILABLE,  # read_only_sql_transaction: we still talk to a primary that was demoted
    "25P03": BUSY,  # idle_in_transaction_session_timeout
    "25P04": BUSY,  # transaction_timeout
    "53300": BUSY,  # too_many_connections
    "55P03": BUSY,  # lock_not_available, which is what lock_timeout raises
    "57014": BUSY,  # query_canceled, which is what statement_timeout raises
    "57P05": BUSY,  # idle_session_timeout
}
# By the class of the SQLSTATE, its first two characters. A test fails when psycopg knows a class that is not here.
BY_CLASS: Final[Mapping[str, Kind]] = {
    "08": UNAVAILABLE,  # connection exception
    "28": UNAVAILABLE,  # invalid authorization: a password or certificate that was rotated
    "3D": UNAVAILABLE,  # the database is not there
    "40": BUSY,  # serialization failure, deadlock
    "53": UNAVAILABLE,  # insufficient resources: disk full, out of memory
    "57": UNAVAILABLE,  # operator intervention: shutdown, crash, recovery
    "58": UNAVAILABLE,  # system error: I/O
    "XX": UNAVAILABLE,  # internal error, corruption: not for us to interpret, and never a success
}
# What no statement of ours should ever meet: `DefectError`. Listed so that a test sees a class that is new.
DEFECTS: Final = frozenset(
    [
        "02",
        "03",
        "09",
        "0A",
        "0B",
        "0F",
        "0L",
        "0P",
        "0Z",
        "10",
        "20",
        "21",
        "22",
        "23",
        "24",
        "25",
        "26",
        "27",
        "2B",
        "2D",
        "2F",
        "34",
        "38",
        "39",
        "3B",
        "3F",
        "42",
        "44",
        "54",
        "55",
        "72",
        "F0",
        "HV",
        "P0",
    ]
)


def error_of(error: psycopg.Error, family: Family) -> PostgresError:
    """Return what the driver's error means to a caller of the service."""
    if isinstance(error, TokenUnavailableError):
        return family.login_failed(error.provider, error.reason)
    state = error.sqlstate
    if isinstance(error, psycopg_pool.PoolTimeout | psycopg_pool.TooManyRequests):
        return family.busy()
    if state is None:
        # Raised by the client itself: the server was not reached or went away, or psycopg was misused.
        return family.unavailable() if isinstance(error, psycopg.OperationalError) else family.defect(None)
    kind = BY_STATE.get(state) or BY_CLASS.get(state[:2])
    if kind is None:
        return family.defect(state)
    return family.busy() if kind == BUSY else family.unavailable()


def connection_lost(error: psycopg.OperationalError) -> bool:
    """Return whether the error means that this connection is gone, which says nothing of the next one."""
    if isinstance(
        error,
        psycopg_pool.PoolTimeout | psycopg_pool.PoolClosed | psycopg_pool.TooManyRequests | TokenUnavailableError,
    ):
        return False
    return error.sqlstate is None or (error.sqlstate[:2] in {"08", "57"} and error.sqlstate not in BY_STATE)


@contextmanager
def translated(family: Family) -> Generator[None]:
    """Raise an error of the driver as one of the family."""
    try:
        yield
    except psycopg.Error as exc:
        raise error_of(exc, family) from exc
