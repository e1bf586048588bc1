"""The HTTP status of each error of the graph and of knowledge: the only place where the two meet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aeterna.api.errors import KnowledgeNotConfiguredError
from aeterna.graph import errors
from aeterna.knowledge import errors as knowledge

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
        KnowledgeNotConfiguredError: 503,
        knowledge.DocumentRefusedError: 422,
        knowledge.DocumentNotFoundError: 404,
        knowledge.IngestionNotFoundError: 404,
        knowledge.IngestionTakenError: 409,
        knowledge.QuestionRefusedError: 422,
        knowledge.StoreBusyError: 503,
        knowledge.StoreUnavailableError: 503,
        knowledge.LoginFailedError: 503,
        knowledge.StoreDefectError: 500,
        # What a model cannot do is done without it; should one of these reach a caller, it is our fault.
        knowledge.ModelError: 500,
        knowledge.ModelUnavailableError: 500,
        knowledge.ModelRejectedError: 500,
        knowledge.ModelAnswerError: 500,
        # A process that cannot start answers nobody; likewise.
        knowledge.DatabaseUnfitError: 500,
        knowledge.SchemaOutdatedError: 500,
        knowledge.SchemaMissingError: 500,
        knowledge.RoleUnavailableError: 500,
        knowledge.RoleUnboundError: 500,
        knowledge.ConnectionInsecureError: 500,
        knowledge.RevisionUnknownError: 500,
        knowledge.DatabaseUnreachableError: 500,
        knowledge.KnowledgeError: 500,
    }
)
