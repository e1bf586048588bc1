"""Logins that are not the pod's own: an account that it may act as, and an administrator's password that AWS keeps."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from aeterna.identity.aws_secret import AwsSecretSource
from aeterna.identity.errors import TokenUnavailableError
from aeterna.identity.gcp import CLOUD_SQL, GcpTokenSource

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:administrator-Ab12Cd"
OWN = "prod-migrate@acme.iam.gserviceaccount.com"
ADMINISTRATOR = "prod-admin@acme.iam.gserviceaccount.com"
LATER = "2999-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the library reads of an answer."""

    status: int
    data: bytes
    headers: Mapping[str, str] = field(
        default_factory=lambda: {"metadata-flavor": "Google", "content-type": "text/plain"}
    )


class Google:
    """The metadata server of a pod, and the service that lends the tokens of other accounts, where it may."""

    def __init__(self, *, may_act: bool = True) -> None:
        self.may_act = may_act
        self.acted_as: list[str] = []

    def __call__(self, url: str, *_: object, body: bytes | None = None, **__: object) -> Answer:
        """Answer a call."""
        path = urlsplit(url).path
        if path.endswith(":generateAccessToken"):
            return self._lend(path.rpartition("/")[2].partition(":")[0], body or b"")
        if "/service-accounts/default/token" in path:
            return self._json({"access_token": f"of {OWN}", "expires_in": 3599, "token_type": "Bearer"})
        if "/service-accounts/" in path:
            return self._json({"email": OWN, "scopes": [], "aliases": ["default"]})
        return Answer(200, b"acme")

    def _lend(self, account: str, body: bytes) -> Answer:
        assert json.loads(body)["scope"] == [CLOUD_SQL]
        if not self.may_act:
            return Answer(403, b'{"error": {"status": "PERMISSION_DENIED"}}')
        self.acted_as.append(account)
        return self._json({"accessToken": f"of {account}", "expireTime": LATER})

    def _json(self, document: object) -> Answer:
        return Answer(
            200, json.dumps(document).encode(), {"metadata-flavor": "Google", "content-type": "application/json"}
        )


def _universe(_: object) -> str:
    return "googleapis.com"


@pytest.fixture(autouse=True)
def _a_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have none of the machine's own credentials, as a pod has none."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    # The library asks for this one by a way of its own, which nobody can give it.
    monkeypatch.setattr("google.auth.compute_engine._metadata.get_universe_domain", _universe)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-a-test")


def test_a_migration_acts_as_the_administrators_account() -> None:
    """Cloud SQL takes a token of the user itself, and a pod of Google's is never the administrator."""
    google = Google()

    token = GcpTokenSource(CLOUD_SQL, ADMINISTRATOR, google).fetch()

    assert (token.value, google.acted_as) == (f"of {ADMINISTRATOR}", [ADMINISTRATOR])


@pytest.mark.parametrize("account", [OWN, None])
def test_a_service_shows_its_own_token_and_asks_nobody_for_another(account: str | None) -> None:
    google = Google()

    token = GcpTokenSource(CLOUD_SQL, account, google).fetch()

    assert (token.value, google.acted_as) == (f"of {OWN}", [])


def test_who_may_not_act_as_the_account_gets_no_token() -> None:
    with pytest.raises(TokenUnavailableError, match="RefreshError"):
        GcpTokenSource(CLOUD_SQL, ADMINISTRATOR, Google(may_act=False)).fetch()


@contextmanager
def secrets_manager(answer: Mapping[str, object], status: int = 200) -> Generator[tuple[str, list[object]]]:
    """Serve one answer to all; return the address, and what was asked for."""
    asked: list[object] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            assert self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
            assert "/eu-west-1/secretsmanager/" in self.headers["Authorization"]
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the library
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_the_administrators_password_is_read_in_the_region_of_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """RDS's administrator is no user of IAM, and a pod may be told no region."""
    secret = json.dumps({"username": "aeterna_admin", "password": "kept"})
    with secrets_manager({"ARN": ARN, "SecretString": secret}) as (url, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)

        token = AwsSecretSource(ARN, lambda: 1000.0).fetch()

    assert (token.value, asked) == ("kept", [{"SecretId": ARN}])
    assert token.expires_at > 1000.0


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (400, {"__type": "AccessDeniedException"}, "AccessDeniedException"),
        (200, {"SecretString": "canary"}, "not in the form"),
        (200, {"SecretString": json.dumps({"username": "canary"})}, "not in the form"),
        (200, {"SecretString": json.dumps({"password": ""})}, "not in the form"),
    ],
    ids=["refused", "no JSON", "no password", "an empty one"],
)
def test_a_secret_that_cannot_be_used_is_no_password_and_is_not_repeated(
    status: int, answer: Mapping[str, object], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secrets_manager(answer, status) as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)

        with pytest.raises(TokenUnavailableError, match=reason) as caught:
            AwsSecretSource(ARN, lambda: 1000.0).fetch()

    assert "canary" not in str(caught.value)


def test_a_secret_is_named_by_its_arn() -> None:
    with pytest.raises(TokenUnavailableError, match="ARN"):
        AwsSecretSource("administrator", lambda: 1000.0).fetch()
