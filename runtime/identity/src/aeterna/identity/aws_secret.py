"""A password that AWS Secrets Manager keeps, read as the pod's role: for an administrator who logs in with no token.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from botocore import session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from aeterna.identity.errors import TokenUnavailableError
from aeterna.identity.login import Provider, Token

if TYPE_CHECKING:
    from collections.abc import Callable

# It has no end of its own. It is read anew after minutes, since a rotation says nothing to whoever has the old one.
_LIFE: Final = 600.0
_CALLS: Final = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
_FORM: Final = "the secret is not in the form of RDS's own, an object with a password"


class AwsSecretSource:
    """Reads one secret, in the form that RDS gives its own: JSON with ``password``. Its ARN says the region."""

    provider: Provider = "aws"

    def __init__(self, arn: str, clock: Callable[[], float]) -> None:
        self._arn = arn
        self._clock = clock
        # Any, as everything that follows from it: botocore says nothing of its types.
        self._client: Any = None

    def fetch(self) -> Token:
        """See `TokenSource.fetch`."""
        now = self._clock()
        try:
            text = str(self._connected().get_secret_value(SecretId=self._arn).get("SecretString"))
        except ClientError as exc:
            answer: Any = exc.response
            raise TokenUnavailableError(self.provider, str(answer["Error"].get("Code"))) from None
        except BotoCoreError as exc:
            raise TokenUnavailableError(self.provider, type(exc).__name__) from None
        return Token(value=_password(text), expires_at=now + _LIFE)

    def _connected(self) -> Any:  # noqa: ANN401 - botocore makes its clients' classes as it reads their descriptions
        if self._client is None:
            # arn:partition:secretsmanager:region:account:secret:name
            _, _, service, region, *_ = [*self._arn.split(":"), "", "", "", ""]
            if service != "secretsmanager":
                raise TokenUnavailableError(self.provider, "the secret is not named by its ARN")
            library: Any = session
            made: Any = library.get_session()
            # For STS as well, which is asked in the same region.
            made.set_config_variable("region", region)
            self._client = made.create_client("secretsmanager", region_name=region, config=_CALLS)
        return self._client


def _password(text: str) -> str:
    """Return the password in a secret; no error repeats anything of it."""
    try:
        found: object = json.loads(text)
    except ValueError:
        raise TokenUnavailableError("aws", _FORM) from None
    match found:
        case {"password": str(password)} if password:
            return password
        case _:
            raise TokenUnavailableError("aws", _FORM)
