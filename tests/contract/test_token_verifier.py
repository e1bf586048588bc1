"""What every verifier of tokens owes its callers: the fake's and the real one's behaviour is the same."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from aeterna.service.adapters.jwt import JwksTokenVerifier
from aeterna.service.caller import Caller, TenantId
from aeterna.service.errors import AuthenticationError, KeysUnavailableError
from aeterna.service.ports import TokenVerifier
from aeterna.service.testing import FakeTokenVerifier, SigningKey
from fixtures.cluster_tokens import Cluster
from fixtures.fix_tokens import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADA = Caller(tenant=TenantId("acme"), subject="ada", kind="User", roles=frozenset({"admin"}), token_id=None)

BOT = Caller(
    tenant=TenantId("acme"),
    subject="system:serviceaccount:acme-agents:bot",
    kind="Agent",
    roles=frozenset({"runner"}),
    token_id=None,
)


@dataclass(frozen=True)
class Subject:
    """A verifier under test, and a token that proves a caller to it."""

    verifier: TokenVerifier
    token: str
    proves: Caller = ADA


def publishing(body: bytes, status: int = 200) -> ThreadingHTTPServer:
    """Return a running server on loopback that answers every request with the body."""

    class Publisher(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


def verifier_at(server: ThreadingHTTPServer, key: SigningKey) -> JwksTokenVerifier:
    """Return a verifier that fetches its keys from the server."""
    address = f"http://127.0.0.1:{server.server_port}/jwks.json"
    return JwksTokenVerifier(address, issuer=key.issuer, audience="aeterna", clock=lambda: NOW)


@pytest.fixture(params=["fake", "keys in a file", "keys at an address", "people beside a cluster", "a pod's"])
def subject(
    request: pytest.FixtureRequest, signing_key: SigningKey, jwks_file: Path, tmp_path: Path
) -> Iterator[Subject]:
    """Return each implementation in turn."""
    token = signing_key.token(now=NOW)
    cluster = Cluster(signing_key, tmp_path / "workloads.json")
    cluster.write()
    if request.param == "fake":
        yield Subject(FakeTokenVerifier({token: ADA}), token)
    elif request.param == "keys in a file":
        verifier = JwksTokenVerifier(str(jwks_file), issuer=signing_key.issuer, audience="aeterna", clock=lambda: NOW)
        yield Subject(verifier, token)
    elif request.param == "people beside a cluster":
        yield Subject(cluster.verifier(), token)
    elif request.param == "a pod's":
        yield Subject(cluster.verifier(), cluster.issuer.token(changed={"jti": None}), BOT)
    else:
        server = publishing(signing_key.jwks())
        yield Subject(verifier_at(server, signing_key), token)
        server.shutdown()
        server.server_close()


def test_a_good_token_proves_its_caller(subject: Subject) -> None:
    assert subject.verifier.verify(subject.token) == subject.proves


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü" * 100, "eyJhbGciOiJub25lIn0.e30."])
def test_any_other_text_proves_nobody(token: str, subject: Subject) -> None:
    with pytest.raises(AuthenticationError):
        subject.verifier.verify(token)


def test_the_refusal_repeats_nothing_of_the_token(subject: Subject) -> None:
    touched = subject.token[:-4] + "AAAA"

    with pytest.raises(AuthenticationError) as refusal:
        subject.verifier.verify(touched)

    assert not any(part in str(refusal.value) for part in touched.split("."))


def test_many_threads_may_verify_at_once(subject: Subject) -> None:
    results: list[Caller] = []
    threads = [
        threading.Thread(target=lambda: results.append(subject.verifier.verify(subject.token))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [subject.proves] * 8


@pytest.mark.parametrize(("body", "status"), [(b"", 500), (b"", 302), (b"x" * 300_000, 200), (b"no keys", 200)])
def test_an_address_without_keys_leaves_nothing_proven(body: bytes, status: int, signing_key: SigningKey) -> None:
    """Redirects are not followed: whoever answers there would decide whom we trust."""
    server = publishing(body, status)
    try:
        with pytest.raises(KeysUnavailableError):
            verifier_at(server, signing_key).verify(signing_key.token(now=NOW))
    finally:
        server.shutdown()
        server.server_close()
