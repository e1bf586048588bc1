"""Which HTTP status each error of the thread store is: the only place where the two meet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aeterna.threads import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.contracts.errors import AeternaError

STATUSES: Final[Mapping[type[AeternaError], int]] = MappingProxyType(
    {
        errors.ThreadNotFoundError: 404,
        errors.ThreadConflictError: 409,
        errors.MessageConflictError: 409,
        errors.SequenceConflictError: 409,
        errors.PositionAheadError: 409,
        errors.CursorInvalidError: 400,
        errors.MessageTooLargeError: 413,
        errors.SearchInvalidError: 422,
        errors.TaskNotFoundError: 404,
        errors.InvalidWriteError: 422,
        errors.TaskEndedError: 409,
        errors.VersionConflictError: 409,
        errors.LeaseLostError: 409,
        errors.StepNotFoundError: 404,
        errors.StepConflictError: 409,
        errors.StepTooLargeError: 413,
        errors.PushUrlRefusedError: 422,
        errors.PushUnavailableError: 501,
        errors.SecretsUnreadableError: 500,
        errors.DeadLetterNotFoundError: 404,
        errors.QuotaExceededError: 429,
        errors.LifetimeError: 422,
        errors.LegalHoldError: 409,
        errors.InvalidErasureError: 422,
        errors.ErasureConflictError: 409,
        errors.ErasureNotFoundError: 404,
        errors.HoldNotFoundError: 404,
        # The server's own loss: a client can do nothing about it but tell an operator what the message names.
        errors.PartLostError: 500,
        errors.ObjectsUnavailableError: 503,
        errors.StreamsExhaustedError: 503,
        errors.StoreBusyError: 503,
        errors.StoreUnavailableError: 503,
        errors.LoginFailedError: 503,
        errors.StoreDefectError: 500,
        # A process that cannot start answers nobody; should one of these ever be raised in a request, it is our fault.
        errors.DatabaseUnfitError: 500,
        errors.SchemaOutdatedError: 500,
        errors.SchemaMissingError: 500,
        errors.RoleUnavailableError: 500,
        errors.RoleUnboundError: 500,
        errors.ConnectionInsecureError: 500,
        errors.RevisionUnknownError: 500,
        errors.DatabaseUnreachableError: 500,
        errors.ThreadsError: 500,
    }
)
