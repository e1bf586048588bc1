"""Which HTTP status each error of the policy sidecar is; the only place where the two meet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aeterna.cedar.errors import (
    BundleError,
    BundleInvalidError,
    BundleOutdatedError,
    BundleSignatureError,
    BundleUnreadableError,
)
from aeterna.policy import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.contracts.errors import AeternaError

STATUSES: Final[Mapping[type[AeternaError], int]] = MappingProxyType(
    {
        errors.QuestionMalformedError: 400,
        errors.TooManyEvaluationsError: 400,
        # AuthZEN's certification asks for 400 here, where HTTP would have 415.
        errors.MediaTypeError: 400,
        # Bundles are refused at start or in the background, never in answer to a request.
        BundleUnreadableError: 500,
        BundleInvalidError: 500,
        BundleSignatureError: 500,
        BundleOutdatedError: 500,
        BundleError: 500,
        errors.StateLockedError: 500,
        errors.AddressRefusedError: 500,
        errors.FeedUnreachableError: 503,
        # OPAL's client takes a 400 for an answer and goes on; the set stays unpublished until it is mended.
        errors.PushRefusedError: 400,
        errors.AuditUnwritableError: 500,
        errors.PolicyError: 500,
    }
)
