"""Which HTTP status each error of the secrets sidecar is; the only place where the two meet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aeterna.secrets import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.contracts.errors import AeternaError

STATUSES: Final[Mapping[type[AeternaError], int]] = MappingProxyType(
    {
        errors.PeerRefusedError: 403,
        errors.SecretUnknownError: 404,
        # It was here and is not any more; another may be had later, under the same address.
        errors.SecretWithdrawnError: 410,
        errors.SecretNotReadyError: 503,
        # The rest happens in the background, and never in answer to a request.
        errors.ConfigurationInvalidError: 500,
        errors.SourceUnavailableError: 503,
        errors.AccessDeniedError: 500,
        errors.SecretAbsentError: 500,
        errors.LeaseLostError: 500,
        errors.SourceAnswerError: 500,
        errors.SourceFaultError: 500,
        errors.BadRequestError: 500,
        errors.RequestFailedError: 500,
        errors.SourceError: 500,
        errors.RenderError: 500,
        errors.FolderRefusedError: 500,
        errors.NoticeFailedError: 500,
        errors.SecretsError: 500,
    }
)
