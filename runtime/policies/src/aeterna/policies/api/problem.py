"""Which HTTP status each error of the administration is: the only place where the two meet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aeterna.cedar import errors as cedar
from aeterna.policies import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.contracts.errors import AeternaError

STATUSES: Final[Mapping[type[AeternaError], int]] = MappingProxyType(
    {
        errors.VersionNotFoundError: 404,
        errors.NothingDeployedError: 404,
        errors.VersionConflictError: 409,
        errors.UnchangedError: 409,
        errors.RequestConflictError: 409,
        errors.FileForbiddenError: 403,
        errors.ProposalTooLargeError: 413,
        errors.ProposalRefusedError: 422,
        errors.AcceptanceRequiredError: 409,
        # Asking the same again would take as long again.
        errors.AnalysisTimeoutError: 422,
        errors.AnalysisFailedError: 500,
        errors.SigningKeyMissingError: 503,
        errors.BundleTokenError: 401,
        errors.StoreBusyError: 503,
        errors.StoreUnavailableError: 503,
        errors.LoginFailedError: 503,
        errors.StoreDefectError: 500,
        # What Cedar says of a bundle is answered as `ProposalRefusedError`; where it is not, a kept bundle went bad.
        cedar.BundleError: 500,
        # A process that cannot start answers nobody; should one of these ever be raised in a request, it is our fault.
        errors.DatabaseUnfitError: 500,
        errors.SchemaOutdatedError: 500,
        errors.SchemaMissingError: 500,
        errors.RoleUnavailableError: 500,
        errors.RoleUnboundError: 500,
        errors.ConnectionInsecureError: 500,
        errors.RevisionUnknownError: 500,
        errors.DatabaseUnreachableError: 500,
        # The analysis makes a finding of it.
        errors.UndecidedError: 500,
        errors.PoliciesError: 500,
    }
)
