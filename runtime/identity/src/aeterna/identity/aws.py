"""Signatures of AWS by the pod's own role, made here, which a server checks with IAM in the place of a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore import awsrequest, session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from aeterna.identity.errors import TokenUnavailableError
from aeterna.identity.login import Provider, Token

if TYPE_CHECKING:
    from collections.abc import Callable

# A signature is good for 15 minutes and never longer than the keys that made it, which botocore renews when less than
# ten minutes of them are left.
_LIFE: Final = 600.0
_SIGNED_FOR: Final = 900
_CALLS: Final = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
_SCHEME: Final = "https://"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """The request that is signed, and never sent: ``service`` is IAM's name for who is asked, ``place`` its host.

    Without ``region`` it is the pod's own.
    """

    service: str
    place: str
    parameters: Mapping[str, str]
    region: str | None = None


class AwsTokenSource:
    """Signs one request again and again.

    The keys come from the usual chain, of which a pod has one: the role of its service account (IRSA) or of its pod
    identity association.
    """

    provider: Provider = "aws"

    def __init__(self, request: SignedRequest, clock: Callable[[], float]) -> None:
        self._asked = request
        self._clock = clock
        # Any, as everything that follows from it: botocore says nothing of its types.
        library: Any = session
        self._session = library.get_session()
        self._session.set_default_client_config(_CALLS)

    def fetch(self) -> Token:
        """See `TokenSource.fetch`; only the keys are fetched, and only when the kept ones end."""
        now = self._clock()
        try:
            return Token(value=self._signed(), expires_at=now + _LIFE)
        except ClientError as exc:
            answer: Any = exc.response
            raise TokenUnavailableError(self.provider, str(answer["Error"].get("Code"))) from None
        except BotoCoreError as exc:
            raise TokenUnavailableError(self.provider, type(exc).__name__) from None

    def _signed(self) -> str:
        region = self._region()
        credentials = self._session.get_credentials()
        if credentials is None:
            raise TokenUnavailableError(self.provider, "the pod has no role")
        events = self._session.get_component("event_emitter")
        service = self._asked.service
        signer: Any = RequestSigner(ServiceId(service), region, service, "v4", credentials, events)
        request: dict[str, object] = {
            "url_path": "/",
            "query_string": "",
            "headers": {},
            "body": dict(self._asked.parameters),
            "method": "GET",
        }
        preparing: Any = awsrequest
        preparing.prepare_request_dict(request, _SCHEME + self._asked.place)
        url = signer.generate_presigned_url(
            request, operation_name="connect", region_name=region, expires_in=_SIGNED_FOR, signing_name=service
        )
        return str(url).removeprefix(_SCHEME)

    def _region(self) -> str:
        """Return the region that the request names, else the pod's own."""
        region = self._asked.region or self._session.get_config_variable("region")
        if not region:
            raise TokenUnavailableError(self.provider, "no region: set AWS_DEFAULT_REGION")
        # For STS as well, which is asked in the same region.
        self._session.set_config_variable("region", region)
        return str(region)
