"""AWS Secrets Manager, asked as the role of the pod: of its service account (IRSA) or its pod identity association.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from botocore import session
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from aeterna.secrets.adapters import cloud_rest
from aeterna.secrets.adapters.aws_calls import AWS_CALLS, AWS_IDENTITIES
from aeterna.secrets.adapters.quiet_libraries import quieten
from aeterna.secrets.domain.secret import Secret
from aeterna.secrets.errors import (
    AccessDeniedError,
    LeaseLostError,
    SecretAbsentError,
    SecretsError,
    SourceAnswerError,
    SourceUnavailableError,
)

if TYPE_CHECKING:
    from aeterna.secrets.domain.configuration import AwsSource
    from aeterna.secrets.domain.secret import Grant, Lease, Reference

# A stage is a label such as AWSCURRENT; an id is a UUID.
_VERSION_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CODE: Final = re.compile(r"[A-Za-z.]{1,64}")
_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidIdentityToken",
        "IncompleteSignature",
        "MissingAuthenticationTokenException",
        # The role may not use the key that the secret is encrypted with.
        "DecryptionFailure",
    }
)
# InvalidRequestException is what a secret that is marked for deletion gives.
_ABSENT: Final = frozenset({"ResourceNotFoundException", "InvalidRequestException", "ValidationException"})
_THROTTLED: Final = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
_SERVER_ERRORS: Final = 500
_READING: Final = "GetSecretValue"


class AwsSecretsManager:
    """A `SecretSource` without leases; rotation is Secrets Manager's own, and is seen by polling."""

    def __init__(self, source: AwsSource) -> None:
        quieten()
        self._region = source.region
        named = source.endpoint
        self._endpoint = None if named is None else cloud_rest.trusted_endpoint("endpoint", named)
        # Any, as everything that follows from it: botocore says nothing of its types.
        self._client: Any = None

    def fetch(self, reference: Reference) -> Secret:
        """See `SecretSource.fetch`; ``version`` is a stage or an id, and the stage is ``AWSCURRENT`` by default."""
        asked = {"SecretId": reference.path}
        if reference.version is not None:
            asked["VersionId" if _VERSION_ID.fullmatch(reference.version) else "VersionStage"] = reference.version
        try:
            answer = self._connected().get_secret_value(**asked)
        except ClientError as exc:
            raise _refusal(exc, reference) from None
        except NoCredentialsError:
            raise AccessDeniedError("a login: the pod has no role, and static keys are not taken") from None
        except BotoCoreError as exc:
            raise SourceUnavailableError(f"cannot be asked ({type(exc).__name__})") from None
        except RuntimeError:
            # botocore's word for keys that have ended when they come, by a clock that is ahead.
            raise AccessDeniedError("a login: AWS gives keys that have ended by this machine's clock") from None
        except OSError:
            # The projected token is not there.
            raise AccessDeniedError("a login: the pod's own token cannot be read") from None
        text = answer.get("SecretString")
        content = text.encode() if isinstance(text, str) else answer.get("SecretBinary")
        if not isinstance(content, bytes):
            raise SourceAnswerError("lacks a part of a secret")
        version = cloud_rest.text_of(answer.get("VersionId"))
        return Secret(fields=cloud_rest.fields_of(content, reference), version=version)

    def renew(self, lease: Lease, *, ttl: float) -> Grant:
        """See `SecretSource.renew`; no lease comes from here."""
        del lease, ttl
        raise LeaseLostError

    def revoke(self, lease: Lease) -> None:
        """See `SecretSource.revoke`; no lease comes from here."""

    def _connected(self) -> Any:  # noqa: ANN401 - see the constructor
        """Return the client, made at the first use: its description is read from files, which takes a while."""
        if self._client is None:
            library: Any = session
            opened = library.get_session()
            # For STS as well, which is asked in the region of the secrets.
            opened.set_config_variable("region", self._region)
            opened.set_default_client_config(AWS_CALLS)
            resolver = opened.get_component("credential_provider")
            resolver.providers = [each for each in resolver.providers if each.METHOD in AWS_IDENTITIES]
            # A session that found no identity remembers that, so a client is kept only once there is one.
            if opened.get_credentials() is None:
                raise NoCredentialsError
            self._client = opened.create_client("secretsmanager", endpoint_url=self._endpoint)
        return self._client


def _refusal(exc: ClientError, reference: Reference) -> SecretsError:
    """Return what AWS's code means; its message may repeat what was sent."""
    answer: Any = exc.response
    code = str(answer.get("Error", {}).get("Code", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _DENIED:
        denied = (
            f"reading {reference.path!r}" if exc.operation_name == _READING else "a login: STS refuses the pod its role"
        )
        return AccessDeniedError(denied)
    if code in _ABSENT:
        return SecretAbsentError(reference.path)
    if code in _THROTTLED:
        return SourceUnavailableError("asks for fewer requests")
    named = code if _CODE.fullmatch(code) else "an unknown error"
    if status >= _SERVER_ERRORS:
        return SourceUnavailableError(f"answers {status} ({named})")
    return SourceAnswerError(f"is {named}")
