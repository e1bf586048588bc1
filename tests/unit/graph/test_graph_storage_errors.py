"""Drivers' failures become the graph's errors in one place, and nothing escapes it."""

from __future__ import annotations

import errno
import inspect
import sqlite3
from typing import Final

import pytest
from pyiceberg import exceptions as iceberg
from sqlalchemy.exc import OperationalError

from aeterna.graph.adapters.iceberg.translation import FAILURES, translated, translated_commit
from aeterna.graph.errors import CommitConflictError, CommitUncertainError, StorageError, StorageFullError

# What pyiceberg raises for a wrong use of it, which would be a defect of ours and no trouble of the storage.
OUR_OWN_FAULT: Final = {
    iceberg.ConditionalCheckFailedException,  # DynamoDB's catalog, which we do not use
    iceberg.DynamoDbError,
    iceberg.GenericDynamoDbError,
    iceberg.NamespaceAlreadyExistsError,
    iceberg.NamespaceNotEmptyError,
    iceberg.NoSuchIdentifierError,
    iceberg.NoSuchPlanTaskError,
    iceberg.NoSuchPropertyException,
    iceberg.NoSuchViewError,
    iceberg.NotInstalledError,
    iceberg.ResolveError,
    iceberg.SignError,
    iceberg.TableAlreadyExistsError,
    iceberg.ValidationError,
    iceberg.ViewAlreadyExistsError,
}


def test_every_exception_of_the_driver_was_thought_of() -> None:
    """When pyiceberg grows one, somebody has to decide what it means."""
    known = [
        kind
        for _, kind in inspect.getmembers(iceberg, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == iceberg.__name__
    ]

    assert {kind for kind in known if kind not in OUR_OWN_FAULT and not issubclass(kind, FAILURES)} == set()


def _database_error(code: int) -> OperationalError:
    original = sqlite3.OperationalError("whatever it says")
    original.sqlite_errorcode = code
    return OperationalError("COMMIT", {}, original)


@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (OSError(errno.ENOSPC, "no space"), StorageFullError),
        (OSError(errno.EDQUOT, "quota"), StorageFullError),
        (OSError(errno.EFBIG, "too big"), StorageFullError),
        (OSError(errno.EIO, "broken"), StorageError),
        (_database_error(sqlite3.SQLITE_FULL), StorageFullError),
        (_database_error(sqlite3.SQLITE_BUSY), StorageError),
        (iceberg.ServerError("503"), StorageError),
    ],
)
def test_a_failure_before_the_commit_wrote_nothing(failure: Exception, meaning: type[StorageError]) -> None:
    with pytest.raises(StorageError) as raised, translated("write"):
        raise failure

    assert type(raised.value) is meaning


@pytest.mark.parametrize(
    ("failure", "otherwise"),
    [
        (OSError(errno.ENOSPC, "no space"), StorageFullError),
        (_database_error(sqlite3.SQLITE_BUSY), StorageError),
        (iceberg.CommitStateUnknownException("504"), StorageError),
    ],
)
def test_a_failure_of_the_commit_leaves_open_whether_it_happened(
    failure: Exception, otherwise: type[StorageError]
) -> None:
    with pytest.raises(CommitUncertainError) as raised, translated_commit("commit"):
        raise failure

    assert type(raised.value.otherwise) is otherwise


def test_a_refused_commit_did_not_happen() -> None:
    with pytest.raises(CommitConflictError), translated_commit("commit"):
        raise iceberg.CommitFailedException("another process was first")


def test_a_message_for_callers_holds_none_of_the_drivers_words() -> None:
    with pytest.raises(StorageError) as raised, translated("read the graph"):
        raise OSError(errno.EIO, "s3://secret-bucket/path")

    assert "secret" not in str(raised.value)
    assert "secret" in raised.value.reason


def test_a_defect_of_ours_is_not_dressed_up_as_bad_storage() -> None:
    with pytest.raises(KeyError), translated("read the graph"):
        raise KeyError("typo")
