"""The one place where errors of pyiceberg, SQLAlchemy, AWS, Arrow and the file system become the graph's."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from pyiceberg import exceptions as iceberg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from aeterna.graph.domain.arrow import pa
from aeterna.graph.errors import CommitConflictError, CommitUncertainError, StorageError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Generator

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What a driver raises when it fails; anything else is a defect of ours and must not be dressed up as bad storage.
FAILURES: Final[tuple[type[Exception], ...]] = (
    OSError,
    pa.ArrowException,
    SQLAlchemyError,
    BotoCoreError,
    ClientError,
    ValidationError,  # a metadata file or an answer that was cut off
    iceberg.RESTError,
    iceberg.CommitFailedException,
    iceberg.NoSuchTableError,
    iceberg.NoSuchNamespaceError,
    iceberg.ValidationError,  # as the other one, of a whole metadata file
    iceberg.ValidationException,
    iceberg.WaitingForLockException,
)
# After these the commit did not happen: the catalog said so itself.
_REFUSED: Final = (iceberg.CommitFailedException, iceberg.ValidationException, iceberg.WaitingForLockException)


def translated_failure(operation: str, failure: BaseException) -> StorageError:
    """Say in the graph's words what a failed driver means for a read or for files written before a commit."""
    if isinstance(failure, _REFUSED):
        return CommitConflictError(operation, str(failure))
    if _is_full(failure):
        return StorageFullError(operation, str(failure))
    return StorageError(operation, str(failure))


@contextlib.contextmanager
def translated(operation: str) -> Generator[None]:
    """Raise a driver's failure as a `StorageError`."""
    try:
        yield
    except FAILURES as failure:
        raise translated_failure(operation, failure) from failure


@contextlib.contextmanager
def translated_commit(operation: str) -> Generator[None]:
    """Raise a failure of the catalog's own step: whether it happened is open unless the catalog refused it."""
    try:
        yield
    except FAILURES as failure:
        if isinstance(failure, _REFUSED):
            raise CommitConflictError(operation, str(failure)) from failure
        raise CommitUncertainError(operation, str(failure), translated_failure(operation, failure)) from failure


def _is_full(failure: BaseException) -> bool:
    if isinstance(failure, OSError):
        return failure.errno in _NO_ROOM
    if isinstance(failure, DBAPIError) and isinstance(failure.orig, sqlite3.Error):
        # The attribute is missing on errors that the driver raises without asking SQLite.
        return getattr(failure.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return False
