"""Which HTTP status each error of the injector is; the only place where the two meet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aeterna.injector import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.contracts.errors import AeternaError

STATUSES: Final[Mapping[type[AeternaError], int]] = MappingProxyType(
    {
        errors.ReviewMalformedError: 400,
        # The others are met at start, in the background or within a review, and never answer a request themselves.
        errors.AdmissionFailedError: 500,
        errors.DefinitionUnreadableError: 500,
        errors.CertificateUnreadableError: 500,
        errors.AuthorityTooNewError: 500,
        errors.ClusterUnavailableError: 503,
        errors.ClusterConflictError: 409,
        errors.ClusterRefusedError: 500,
        errors.ClusterError: 500,
        errors.InjectorError: 500,
    }
)
"""Why a pod cannot be injected is no status: it is told in the review, whose answer is 200."""
