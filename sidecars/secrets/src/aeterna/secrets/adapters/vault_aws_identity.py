"""Signs ``sts:GetCallerIdentity`` by the pod's AWS identity, for a Vault to ask AWS who that is."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

from aeterna.secrets.adapters.aws_calls import AWS_CALLS, AWS_IDENTITIES
from aeterna.secrets.errors import AccessDeniedError

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

    from aeterna.secrets.adapters.vault_client import Answer
    from aeterna.secrets.domain.configuration import AwsLogin

_BODY: Final = b"Action=GetCallerIdentity&Version=2011-06-15"
_GLOBAL_REGION: Final = "us-east-1"
# Where Any stands below: botocore says nothing of its types.


def signed_identity(login: AwsLogin) -> Answer:
    """Return what Vault's AWS login takes: the signed question, which only AWS can answer, and never a key.

    Source: Vault's API documentation, "AWS auth method, login". Raise `AccessDeniedError` when the pod has no identity.
    """
    try:
        frozen = _credentials(login.region)
    except (BotoCoreError, ClientError, OSError, RuntimeError) as exc:
        raise AccessDeniedError(f"a login without an AWS identity: {type(exc).__name__}") from None
    request = AWSRequest(method="POST", url=_endpoint(login.region), data=_BODY)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    if login.server_id is not None:
        request.headers["X-Vault-AWS-IAM-Server-ID"] = login.server_id
    signer: Any = SigV4Auth(frozen, "sts", login.region)
    signer.add_auth(request)
    headers = {name: [value] for name, value in request.headers.items()}
    return {
        "role": login.role,
        "iam_http_request_method": "POST",
        "iam_request_url": _base64(_endpoint(login.region).encode()),
        "iam_request_body": _base64(_BODY),
        "iam_request_headers": _base64(json.dumps(headers).encode()),
    }


def _credentials(region: str) -> ReadOnlyCredentials:
    """Return the keys of the moment, of the pod's own role; raise `AccessDeniedError` when it has none."""
    library: Any = botocore.session
    opened = library.get_session()
    # IRSA has its keys from an STS as well, in this region.
    opened.set_config_variable("region", region)
    opened.set_default_client_config(AWS_CALLS)
    resolver = opened.get_component("credential_provider")
    resolver.providers = [each for each in resolver.providers if each.METHOD in AWS_IDENTITIES]
    found: Credentials | None = opened.get_credentials()
    if found is None:
        raise AccessDeniedError("a login without an AWS identity: the pod has no role, and static keys are not taken")
    return found.get_frozen_credentials()


def _endpoint(region: str) -> str:
    if region == _GLOBAL_REGION:
        return "https://sts.amazonaws.com/"
    return f"https://sts.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}/"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
