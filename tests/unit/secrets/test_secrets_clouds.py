"""What is particular about each cloud: whom a pod is there, and whom its token is shown to."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from aeterna.secrets.adapters import cloud_rest
from aeterna.secrets.adapters.aws_secrets_manager import AwsSecretsManager
from aeterna.secrets.adapters.azure_key_vault import AzureKeyVault
from aeterna.secrets.adapters.gcp_secret_manager import GcpSecretManager, endpoint_of
from aeterna.secrets.adapters.vault_aws_identity import signed_identity
from aeterna.secrets.domain.configuration import AwsLogin, AwsSource, AzureSource, GcpSource
from aeterna.secrets.domain.secret import Reference
from aeterna.secrets.errors import (
    AccessDeniedError,
    ConfigurationInvalidError,
    SecretsError,
    SourceAnswerError,
    SourceUnavailableError,
)
from fixtures.secret_managers import Faults, moto_served

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

CREDENTIALS = {
    "AccessKeyId": "ASIAPOD",
    "SecretAccessKey": "pod-secret",
    "Token": "pod-session-token",
    "Expiration": "2099-01-01T00:00:00Z",
}
REFERENCE = Reference(path="app")


class Answering:
    """Answers every request alike, and notes what was asked with which authorization."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b"{}"
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        answering = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answering.asked.append((self.path, self.headers.get("Authorization", "")))
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(answering.status)
                for name, value in answering.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answering.body)))
                self.end_headers()
                self.wfile.write(answering.body)

            do_PUT = do_POST = do_GET  # noqa: N815 - the standard library's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the library
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def answering() -> Generator[Answering]:
    """Return a server."""
    found = Answering()
    yield found
    found.stop()


@pytest.fixture
def no_identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Take every identity that this machine may have from the process."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    return monkeypatch


def test_a_pod_identity_of_eks_is_the_pods_identity(
    no_identity: pytest.MonkeyPatch, answering: Answering, tmp_path: Path
) -> None:
    """The agent of the node gives keys for the token that is projected into the pod."""
    (tmp_path / "token").write_text("projected-token")
    no_identity.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{answering.url}/v1/credentials")
    no_identity.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    answering.body = json.dumps(CREDENTIALS).encode()
    faults = Faults(status=403)

    with moto_served(faults) as url, pytest.raises(AccessDeniedError):
        AwsSecretsManager(AwsSource(region="eu-central-1", endpoint=url)).fetch(REFERENCE)

    assert answering.asked == [("/v1/credentials", "projected-token")]
    assert faults.tokens == ["pod-session-token"]


@pytest.fixture
def irsa(no_identity: pytest.MonkeyPatch, answering: Answering, tmp_path: Path) -> Answering:
    """Make this process a pod with the role of a service account; return its STS."""
    (tmp_path / "token").write_text("projected-token")
    no_identity.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", raising=False)
    no_identity.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/app")
    no_identity.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    no_identity.setenv("AWS_ENDPOINT_URL_STS", answering.url)
    return answering


def test_a_role_that_a_pod_may_not_take_is_told_apart_from_a_secret_that_it_may_not_read(irsa: Answering) -> None:
    irsa.status, irsa.headers = 403, {"Content-Type": "text/xml"}
    irsa.body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>sts</Message></Error></ErrorResponse>"

    with pytest.raises(AccessDeniedError, match="a login: STS refuses the pod its role"):
        AwsSecretsManager(AwsSource(region="eu-central-1", endpoint=irsa.url)).fetch(REFERENCE)


def test_an_sts_in_trouble_is_asked_twice_and_not_for_minutes(irsa: Answering) -> None:
    irsa.status, irsa.body = 500, b""

    with pytest.raises(AccessDeniedError):
        signed_identity(AwsLogin(role="app", region="eu-central-1"))

    assert len(irsa.asked) == 2


def test_keys_that_have_ended_when_they_come_are_a_login_denied(
    no_identity: pytest.MonkeyPatch, answering: Answering
) -> None:
    """As where a machine's clock is ahead; it must not end the process."""
    no_identity.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{answering.url}/v1/credentials")
    answering.body = json.dumps(CREDENTIALS | {"Expiration": "2001-01-01T00:00:00Z"}).encode()

    with pytest.raises(AccessDeniedError, match="clock"):
        AwsSecretsManager(AwsSource(region="eu-central-1", endpoint=answering.url)).fetch(REFERENCE)


def test_the_role_of_the_machine_is_not_the_pods(no_identity: pytest.MonkeyPatch, answering: Answering) -> None:
    no_identity.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", answering.url)

    with pytest.raises(AccessDeniedError, match="the pod has no role"):
        AwsSecretsManager(AwsSource(region="eu-central-1", endpoint=answering.url)).fetch(REFERENCE)

    assert answering.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://secretmanager.googleapis.com",
        "http://10.0.0.1:8080",
        "http://localhost:8080",
        "https://user@host",
        "https://host?x=1",
        "ftp://host",
        "https://",
    ],
)
def test_a_token_goes_only_where_nobody_listens_on_the_way(url: str) -> None:
    with pytest.raises(ConfigurationInvalidError):
        cloud_rest.trusted_endpoint("endpoint", url)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AwsSecretsManager(AwsSource(region="eu-central-1", endpoint="http://localhost:4566")),
        lambda: GcpSecretManager(
            GcpSource(project="p", endpoint="http://localhost:4566"), environment={}, steady=lambda: 0.0
        ),
        lambda: AzureKeyVault(AzureSource(vault_url="http://localhost:4566")),
    ],
    ids=["aws", "gcp", "azure"],
)
def test_a_source_that_a_token_must_not_go_to_is_refused_before_the_sidecar_starts(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationInvalidError):
        make()


@pytest.mark.parametrize(
    "url", ["https://vault.azure.net.evil.example", "https://evil.example", "https://myvault.azure.net"]
)
def test_a_token_of_azure_goes_to_key_vaults_alone(url: str) -> None:
    with pytest.raises(ConfigurationInvalidError, match="vault_url"):
        AzureKeyVault(AzureSource(vault_url=url))


@pytest.mark.parametrize(
    "url", ["https://a.vault.azure.net", "https://a.vault.azure.cn/", "https://a.vault.usgovcloudapi.net"]
)
def test_every_cloud_of_azure_has_its_own_key_vaults(url: str) -> None:
    AzureKeyVault(AzureSource(vault_url=url))


def gcp(manager: Answering, metadata: Answering) -> GcpSecretManager:
    """Return a source whose metadata server and manager are these."""
    host = metadata.url.removeprefix("http://")
    return GcpSecretManager(
        GcpSource(project="project-1", endpoint=manager.url),
        environment={"GCE_METADATA_HOST": host},
        steady=lambda: 0.0,
    )


@pytest.fixture
def metadata() -> Generator[Answering]:
    """Return a metadata server that gives a token."""
    found = Answering()
    found.body = b'{"access_token": "ya29.canary", "expires_in": 3599, "token_type": "Bearer"}'
    yield found
    found.stop()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"not json", SourceAnswerError),
        (200, b"[]", SourceAnswerError),
        (200, b"{}", SourceAnswerError),
        (200, b'{"name": "x", "payload": {"data": "%%%"}}', SourceAnswerError),
        (200, b'{"name": 7, "payload": {"data": "e30="}}', SourceAnswerError),
        (200, b'{"a": "' + b"x" * 600_000 + b'"}', SourceAnswerError),
        (302, b"", SourceAnswerError),
        (204, b"", SourceAnswerError),
        (502, b"<html>", SourceUnavailableError),
        # What would have a secret taken away has to be the manager's own word.
        (404, b"<html>", SourceUnavailableError),
        (400, b"<html>", SourceUnavailableError),
    ],
    ids=[
        "no JSON",
        "no object",
        "nothing",
        "no base64",
        "no name",
        "endless",
        "elsewhere",
        "empty",
        "a proxy",
        "a proxy that lost it",
        "a proxy that refuses",
    ],
)
def test_an_answer_that_is_none_is_told_as_that_and_shows_nothing(
    answering: Answering, metadata: Answering, status: int, body: bytes, expected: type[SecretsError]
) -> None:
    answering.status, answering.body = status, body
    answering.headers = {"Location": f"{metadata.url}/elsewhere"} if status == 302 else {}

    with pytest.raises(expected) as told:
        gcp(answering, metadata).fetch(REFERENCE)

    assert "ya29.canary" not in repr(told.value)
    assert len(metadata.asked) == 1  # for the token, and not as the place that it was sent to


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b"", AccessDeniedError),
        (200, b"not json", AccessDeniedError),
        (200, b'{"access_token": "", "expires_in": 1}', AccessDeniedError),
        (200, b'{"access_token": "x"}', AccessDeniedError),
        (500, b"", SourceUnavailableError),
    ],
)
def test_without_a_token_nobody_is_asked_for_a_secret(
    answering: Answering, metadata: Answering, status: int, body: bytes, expected: type[SecretsError]
) -> None:
    metadata.status, metadata.body = status, body

    with pytest.raises(expected):
        gcp(answering, metadata).fetch(REFERENCE)

    assert answering.asked == []


def test_a_token_is_renewed_a_minute_before_it_ends(answering: Answering, metadata: Answering) -> None:
    now = [0.0]
    host = metadata.url.removeprefix("http://")
    source = GcpSecretManager(
        GcpSource(project="project-1", endpoint=answering.url),
        environment={"GCE_METADATA_HOST": host},
        steady=lambda: now[0],
    )
    answering.body = b'{"name": "p/versions/1", "payload": {"data": "e30="}}'
    source.fetch(REFERENCE)
    now[0] = 3538.0
    source.fetch(REFERENCE)
    assert len(metadata.asked) == 1

    now[0] = 3539.0
    source.fetch(REFERENCE)

    assert len(metadata.asked) == 2


@pytest.mark.parametrize(
    ("location", "address"),
    [
        (None, "https://secretmanager.googleapis.com"),
        ("europe-west3", "https://secretmanager.europe-west3.rep.googleapis.com"),
    ],
)
def test_google_is_asked_for_a_secret_of_a_location_at_that_location(location: str | None, address: str) -> None:
    assert endpoint_of(location) == address


def test_a_wait_that_is_a_mistake_is_not_kept_to(answering: Answering, metadata: Answering) -> None:
    answering.status, answering.headers = 503, {"Retry-After": "86400"}

    with pytest.raises(SourceUnavailableError) as told:
        gcp(answering, metadata).fetch(REFERENCE)

    assert told.value.retry_after == 600
