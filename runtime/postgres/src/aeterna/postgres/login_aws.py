"""Tokens of RDS and Aurora: a signature by the pod's own role, made here, which the database checks with IAM.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from botocore import awsrequest, session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from aeterna.postgres.login import Provider, Token, TokenUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

# A signature is good for 15 minutes and never longer than the keys that made it, which botocore renews when less than
# ten minutes of them are left.
_LIFE: Final = 600.0
_SIGNED_FOR: Final = 900
_REGION: Final = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com(?:\.cn)?$")
_CALLS: Final = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
_SCHEME: Final = "https://"


class AwsTokenSource:
    """Signs for one login of one database.

    The keys come from the usual chain, of which a pod has one: the role of its service account (IRSA) or of its pod
    identity association.
    """

    provider: Provider = "aws"

    def __init__(self, host: str, port: int, user: str, clock: Callable[[], float]) -> None:
        self._host = host
        self._endpoint = f"{_SCHEME}{host}:{port}"
        self._user = user
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
        signer: Any = RequestSigner(ServiceId("rds"), region, "rds-db", "v4", credentials, events)
        request: dict[str, object] = {
            "url_path": "/",
            "query_string": "",
            "headers": {},
            "body": {"Action": "connect", "DBUser": self._user},
            "method": "GET",
        }
        preparing: Any = awsrequest
        preparing.prepare_request_dict(request, self._endpoint)
        url = signer.generate_presigned_url(
            request, operation_name="connect", region_name=region, expires_in=_SIGNED_FOR, signing_name="rds-db"
        )
        return str(url).removeprefix(_SCHEME)

    def _region(self) -> str:
        """Return the region that the host's name says, else the pod's own."""
        named = _REGION.search(self._host)
        region = named[1] if named else self._session.get_config_variable("region")
        if not region:
            raise TokenUnavailableError(self.provider, "no region: set AWS_DEFAULT_REGION")
        # For STS as well, which is asked in the region of the database.
        self._session.set_config_variable("region", region)
        return str(region)
