"""The HTTP status of each of the graph's errors: the only place where the two meet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aeterna.graph import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.contracts.errors import AeternaError

STATUSES: Final[Mapping[type[AeternaError], int]] = MappingProxyType(
    {
        errors.InvalidSessionError: 422,
        errors.SessionTooLargeError: 413,
        errors.InvalidQueryError: 422,
        errors.UnknownNodeError: 422,
        errors.SessionConflictError: 409,
        errors.NodeNotFoundError: 404,
        errors.NoPathError: 404,
        errors.SnapshotNotFoundError: 404,
        errors.NotYetVisibleError: 404,
        # Asking the same again would take as long again: the caller has to narrow it, so it is no 503 or 504.
        errors.QueryTimeoutError: 422,
        errors.QueryTooLargeError: 422,
        errors.AnswerTooLargeError: 422,
        errors.InvalidErasureError: 422,
        errors.ErasureNotFoundError: 404,
        errors.HoldNotFoundError: 404,
        errors.LegalHoldError: 409,
        errors.TagNotFoundError: 404,
        errors.TagConflictError: 409,
        errors.ChangesExpiredError: 410,
        errors.FeedsExhaustedError: 503,
        errors.UpkeepBusyError: 409,
        errors.CompactionOvertakenError: 409,
        errors.GraphBusyError: 429,
        errors.GraphClosedError: 503,
        errors.StorageFullError: 507,
        # Another replica, or this one after its upgrade, can.
        errors.LayoutUnsupportedError: 503,
        errors.CommitConflictError: 503,
        errors.WriterFencedError: 503,
        errors.CommitUncertainError: 503,
        errors.StorageError: 503,
        errors.GraphError: 500,
    }
)
