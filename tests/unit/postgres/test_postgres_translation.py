"""Every error that the driver can raise means something to a caller, also those that a later driver adds."""

from __future__ import annotations

import inspect

import psycopg
import psycopg_pool
import pytest
from psycopg import errors as driver

from aeterna.postgres.errors import PostgresError
from aeterna.postgres.translation import BY_CLASS, BY_STATE, DEFECTS, connection_lost, error_of, translated
from aeterna.threads.errors import FAMILY, StoreBusyError, StoreDefectError, StoreUnavailableError


def driver_errors() -> list[type[psycopg.Error]]:
    """Return every error class of psycopg and its pool."""
    found = {
        kind
        for module in (psycopg, driver, psycopg_pool)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, psycopg.Error)
    }
    return sorted(found, key=lambda kind: kind.__name__)


def test_every_class_of_sqlstate_has_a_meaning() -> None:
    """Fails when psycopg grows a class of SQLSTATE that nobody has thought about."""
    known = {kind.sqlstate[:2] for kind in driver_errors() if kind.sqlstate is not None}

    assert known - set(BY_CLASS) - DEFECTS == set()


def test_no_class_has_two_meanings() -> None:
    assert DEFECTS & set(BY_CLASS) == set()


def test_every_exception_to_a_class_is_a_state_that_exists() -> None:
    assert {state for state in BY_STATE if not issubclass(driver.lookup(state), psycopg.Error)} == set()


@pytest.mark.parametrize("kind", driver_errors(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_driver_is_translated(kind: type[psycopg.Error]) -> None:
    with pytest.raises(PostgresError) as raised, translated(FAMILY):
        raise kind

    assert isinstance(raised.value.__cause__, kind)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (driver.LockNotAvailable(), StoreBusyError),
        (driver.QueryCanceled(), StoreBusyError),
        (driver.DeadlockDetected(), StoreBusyError),
        (driver.SerializationFailure(), StoreBusyError),
        (driver.TooManyConnections(), StoreBusyError),
        (psycopg_pool.PoolTimeout(), StoreBusyError),
        (driver.DiskFull(), StoreUnavailableError),
        (driver.AdminShutdown(), StoreUnavailableError),
        (driver.CannotConnectNow(), StoreUnavailableError),
        (driver.ReadOnlySqlTransaction(), StoreUnavailableError),
        (driver.DataCorrupted(), StoreUnavailableError),
        (psycopg.OperationalError("server closed the connection unexpectedly"), StoreUnavailableError),
        (driver.UniqueViolation(), StoreDefectError),
        (driver.InsufficientPrivilege(), StoreDefectError),
        (psycopg.InterfaceError(), StoreDefectError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_means_what_a_caller_can_do_about_it(error: psycopg.Error, meaning: type[PostgresError]) -> None:
    assert type(error_of(error, FAMILY)) is meaning


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (psycopg.OperationalError("server closed the connection unexpectedly"), True),
        (driver.AdminShutdown(), True),
        (driver.ConnectionFailure(), True),
        (driver.QueryCanceled(), False),
        (driver.DiskFull(), False),
        (driver.LockNotAvailable(), False),
        (psycopg_pool.PoolTimeout(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_a_dead_connection_is_worth_another_one(error: psycopg.OperationalError, lost: bool) -> None:
    assert connection_lost(error) is lost
