"""A sidecar as a process, fed with signed bundles by a server that comes, changes, lies and goes."""

from __future__ import annotations

import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx

from aeterna.cedar.adapters import signing
from aeterna.cedar.domain.signed_bundle import encode
from aeterna.policy.settings import SHIPPED
from fixtures.api_processes import PATIENCE, service_process
from fixtures.fix_policy import document
from fixtures.serving_pair import TestAuthority

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHIPPED_FILES = {file.name: file.read_text() for file in SHIPPED.iterdir() if file.is_file()}
NOBODY_READS = '@id("nobody-reads") forbid(principal, action == Aeterna::Action::"graph.read", resource);'


class Server(ThreadingHTTPServer):
    """Serves one signed bundle at a time."""

    daemon_threads = True

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Bundle)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.body = self.signature = ""

    def deploy(self, private: bytes, version: int, **files: str) -> None:
        """Serve the shipped policies with these beside them."""
        body = encode(SHIPPED_FILES | {f"{name}.cedar": text for name, text in files.items()}, version, NOON)
        self.signature, self.body = signing.sign(signing.private_key(private), body), body.decode()


class _Bundle(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with the bundle."""
        assert isinstance(self.server, Server)
        body = self.server.body.encode()
        self.send_response_only(200)
        self.send_header("ETag", f'"{hash(body)}"')
        self.send_header("Aeterna-Signature", self.server.signature)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(server: Server) -> Generator[Server]:
    """Serve until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(url: str) -> dict[str, Any]:
    """Return the answer to what the shipped policies allow."""
    answer = httpx.post(f"{url}/access/v1/evaluation", json=document(), trust_env=False)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def until(url: str, condition: Callable[[dict[str, Any], str], bool]) -> dict[str, Any]:
    """Ask until an answer, or the metrics beside it, are as expected."""
    latest = time.monotonic() + PATIENCE
    while True:
        answer, metrics = asked(url), httpx.get(f"{url}/metrics", trust_env=False).text
        if condition(answer, metrics):
            return answer
        assert time.monotonic() < latest, (answer, [line for line in metrics.splitlines() if "feed" in line])
        time.sleep(0.05)  # the pace of looking


def test_signed_bundles_are_taken_on_and_survive_whoever_serves_them(tmp_path: Path) -> None:
    private, public = signing.new_key()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "first.pem").write_bytes(public)
    server = Server()
    port = server.server_port
    environment = {
        "BUNDLE_URL": f"http://127.0.0.1:{port}/bundle",
        "BUNDLE_KEYS": str(tmp_path / "keys"),
        "STATE": str(tmp_path / "state"),
        "REFRESH_INTERVAL": "0.1",
        "BUNDLE_TIMEOUT": "5",
    }
    server.deploy(private, 1, nobody=NOBODY_READS)
    with service_process("aeterna.policy", environment, tmp_path) as sidecar:
        with serving(server):
            denied = until(sidecar.url, lambda answer, _: answer["decision"] is False)
            server.deploy(signing.new_key()[0], 2)
            refused = until(sidecar.url, lambda _, metrics: 'code="policy.bundle_signature"' in metrics)
            server.deploy(private, 3)
            allowed = until(sidecar.url, lambda answer, _: answer["decision"] is True)
            server.deploy(private, 2, nobody=NOBODY_READS)
            replayed = until(sidecar.url, lambda _, metrics: 'code="policy.bundle_outdated"' in metrics)
        alone = until(sidecar.url, lambda _, metrics: 'code="policy.bundle_unreadable"' in metrics)
        health = httpx.get(f"{sidecar.url}/health", trust_env=False)
    with service_process("aeterna.policy", environment, tmp_path) as sidecar:
        restarted = asked(sidecar.url)

    assert (health.status_code, health.json()["notes"]) == (200, {"feed": "policy.bundle_unreadable"})
    assert denied["context"]["policies"] == ["nobody-reads"]
    assert refused["context"]["epoch"] == denied["context"]["epoch"]
    digests = {answer["context"]["digest"] for answer in (allowed, replayed, alone, restarted)}
    assert len(digests) == 1
    assert restarted["context"]["epoch"] == allowed["context"]["epoch"] == denied["context"]["epoch"] + 1
    assert restarted["decision"] is True


def test_an_authority_of_ones_own_proves_who_serves_bundles_and_may_be_replaced(tmp_path: Path) -> None:
    first, second = TestAuthority("first"), TestAuthority("second")
    private, public = signing.new_key()
    (tmp_path / "key.pem").write_bytes(public)
    authorities = tmp_path / "ca.crt"
    authorities.write_bytes(first.pem())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = tmp_path / "pair.pem"
    pair.write_bytes(b"".join(second.pair()))
    tls.load_cert_chain(pair)
    server = Server(tls=tls)
    server.deploy(private, 1, nobody=NOBODY_READS)
    environment = {
        "BUNDLE_URL": f"https://localhost:{server.server_port}/bundle",
        "BUNDLE_KEYS": str(tmp_path / "key.pem"),
        "BUNDLE_CA_FILE": str(authorities),
        "REFRESH_INTERVAL": "0.1",
    }
    with serving(server), service_process("aeterna.policy", environment, tmp_path) as sidecar:
        unproven = until(sidecar.url, lambda _, metrics: 'code="policy.bundle_unreadable"' in metrics)
        authorities.write_bytes(first.pem() + second.pem())
        proven = until(sidecar.url, lambda answer, _: answer["decision"] is False)

    assert unproven["decision"] is True
    assert proven["context"]["policies"] == ["nobody-reads"]


def test_without_a_seed_nothing_is_permitted_until_somebody_says_what_is_deployed(tmp_path: Path) -> None:
    """As an agent's pod begins: what is shipped may permit what the deployed policies forbid."""
    private, public = signing.new_key()
    (tmp_path / "keys.pem").write_bytes(public)
    server = Server()
    environment = {
        "SEEDED": "false",
        "BUNDLE_URL": f"http://127.0.0.1:{server.server_port}/bundle",
        "BUNDLE_KEYS": str(tmp_path / "keys.pem"),
        "STATE": str(tmp_path / "state"),
        "REFRESH_INTERVAL": "0.1",
        "BUNDLE_TIMEOUT": "0.2",
    }
    server.deploy(private, 1)
    with service_process("aeterna.policy", environment, tmp_path) as sidecar:
        begun = asked(sidecar.url), httpx.get(f"{sidecar.url}/ready", trust_env=False).status_code
        with serving(server):
            until(sidecar.url, lambda answer, _: answer["decision"] is True)
            ready = httpx.get(f"{sidecar.url}/ready", trust_env=False).status_code

    assert (begun[0]["decision"], begun[0]["context"]["errors"]) == (False, ["there are no policies yet"])
    assert (begun[1], ready) == (503, 200)
