"""The relay's login to ElastiCache: a request to connect, signed by the pod's role as IAM would check it."""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

import pytest

from aeterna.contracts.trust import FileTrust
from aeterna.identity.errors import TokenUnavailableError
from aeterna.identity.login import TokenLogin
from aeterna.relay.adapters.logins import login_of
from aeterna.relay.adapters.tls_upstream import TlsUpstream
from aeterna.relay.errors import LoginRefusedError
from aeterna.relay.settings import RelaySettings
from aeterna.service.errors import SettingsInvalidError
from fixtures.opal import free_port
from fixtures.relayed_cache import CANARY
from fixtures.secured_redis import SecuredRedis
from fixtures.token_issuers import ROLE, Issuer, running

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = [pytest.mark.anyio]

USER = "orders-opal"
GROUP = "master.orders.abc123.euc1.cache.amazonaws.com"
SERVERLESS = "orders-abc123.serverless.euc1.cache.amazonaws.com"


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Issuer]:
    """Return AWS's STS, and be a pod with a role (IRSA)."""
    with running(Issuer(assertion=CANARY)) as sts:
        assertion = tmp_path / "assertion"
        assertion.write_text(sts.assertion)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        pod = {
            "AWS_ROLE_ARN": ROLE,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(assertion),
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL_STS": sts.url,
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        }
        for name, value in pod.items():
            monkeypatch.setenv(name, value)
        yield sts


def settings(cache_host: str, /, **changed: object) -> RelaySettings:
    """Return the settings of a relay to a cache of AWS."""
    told: dict[str, object] = {"cache_host": cache_host, "cache_login": "aws", "cache_user": USER, **changed}
    return RelaySettings.model_validate(told)


@pytest.mark.parametrize(
    ("host", "more"), [(GROUP, {}), (SERVERLESS, {"ResourceType": "ServerlessCache"})], ids=["group", "serverless"]
)
def test_the_signature_is_for_the_caches_name_and_the_user(host: str, more: dict[str, str], issuer: Issuer) -> None:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html, checked from the specification alone."""
    token = login_of(settings(host))[1].fetch().value

    place, _, query = token.partition("/?")
    fields = dict(parse_qsl(query))
    signature = fields.pop("X-Amz-Signature")
    day, region, service, end = fields["X-Amz-Credential"].split("/")[1:]
    canonical = urlencode(sorted(fields.items()), quote_via=quote, safe="-_.~")
    request = f"GET\n/\n{canonical}\nhost:{place}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{fields['X-Amz-Date']}\n{day}/{region}/{service}/{end}\n{digest}"
    key = b"AWS4aws-secret"
    for part in (day, region, service, end, text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert (place, region, service, end) == ("orders", "eu-central-1", "elasticache", "aws4_request")
    asked = {name: value for name, value in fields.items() if not name.startswith("X-Amz-")}
    assert asked == {"Action": "connect", "User": USER, **more}
    assert (fields["X-Amz-Expires"], fields["X-Amz-Security-Token"]) == ("900", issuer.issued[0])
    assert key.hex() == signature


@pytest.mark.needs("redis")
async def test_a_redis_takes_the_signature_for_a_password_and_the_login_holds_for_half_a_day(
    issuer: Issuer, tmp_path: Path
) -> None:
    redis = SecuredRedis(free_port(), tmp_path)
    redis.start()
    try:
        told = settings("localhost", cache_port=redis.port, cache_name="orders")
        login, source = login_of(told)
        tokens = TokenLogin(source, clock=time.time, random=random.random)
        upstream = TlsUpstream(
            told.cache_host,
            told.cache_port,
            trust=FileTrust(redis.ca_file),
            login=login,
            tokens=tokens,
            timeout=timedelta(seconds=10),
        )
        redis.accept(USER, "another password")
        with pytest.raises(LoginRefusedError, match="WRONGPASS"):
            await upstream.open()
        redis.accept(USER, (await tokens.token()).value)

        opened = await upstream.open()
        await opened.connection.send(b"PING\r\n")
        answer = await opened.connection.receive()
        opened.connection.close()
    finally:
        redis.stop()

    assert answer == b"+PONG\r\n"
    assert 11.9 * 3600 < opened.ends - time.time() <= 12 * 3600
    assert len(issuer.issued) == 1


def test_without_a_role_there_is_no_login_and_nothing_of_the_issuer_is_told(issuer: Issuer) -> None:
    issuer.out_of_order = True

    with pytest.raises(TokenUnavailableError) as refused:
        login_of(settings(GROUP))[1].fetch()

    assert refused.value.reason == "InvalidIdentityToken"
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("changed", [{"cache_host": "10.0.0.7"}, {"cache_user": None}])
def test_what_cannot_be_signed_for_is_refused_at_the_start(changed: dict[str, object]) -> None:
    with pytest.raises(SettingsInvalidError, match="CACHE_NAME"):
        login_of(settings(GROUP).model_copy(update=changed))


@pytest.mark.parametrize("host", ["10.0.0.7", "relay.example", "::"])
def test_a_relay_listens_on_the_loopback_alone(host: str) -> None:
    """Whoever reaches it acts as the workload."""
    with pytest.raises(ValueError, match="loopback"):
        settings(GROUP, host=host)
