"""What the client takes from its environment."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from aeterna.client import (
    NEVER,
    Aeterna,
    ClientError,
    ConfigurationError,
    Settings,
    TokenMissingError,
    UnreachableError,
)
from aeterna.contracts.trust import FileTrust
from fixtures.serving_pair import TestAuthority

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from aeterna.client.operation import Service

COMPLETE = {
    "AETERNA_GRAPH_URL": "http://127.0.0.1:1",
    "AETERNA_THREADS_URL": "http://127.0.0.1:2",
    "AETERNA_TOKEN": "t",
}


def test_a_token_in_the_environment_goes_before_a_file() -> None:
    settings = Settings.from_env({**COMPLETE, "AETERNA_TOKEN_FILE": "/nowhere"})

    assert settings.token.token() == "t"


ADDRESSES: tuple[tuple[Service, str], ...] = (
    ("graph", "AETERNA_GRAPH_URL"),
    ("threads", "AETERNA_THREADS_URL"),
    ("policies", "AETERNA_POLICIES_URL"),
)


@pytest.mark.parametrize(("service", "name"), ADDRESSES)
def test_the_address_of_one_service_is_enough_for_it(service: Service, name: str) -> None:
    settings = Settings.from_env({name: "http://127.0.0.1:1", "AETERNA_TOKEN": "t"})

    assert settings.url(service) == "http://127.0.0.1:1"


@pytest.mark.parametrize(("service", "name"), ADDRESSES)
def test_a_missing_address_is_named_once_it_is_needed(service: Service, name: str) -> None:
    others = {other: "http://127.0.0.1:1" for _, other in ADDRESSES if other != name}
    settings = Settings.from_env({**others, "AETERNA_TOKEN": "t"})

    with pytest.raises(ConfigurationError, match=f"{name} is not set"):
        settings.url(service)


def test_an_environment_without_any_address_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="AETERNA_GRAPH_URL, AETERNA_THREADS_URL or AETERNA_POLICIES_URL"):
        Settings.from_env({"AETERNA_TOKEN": "t"})


def test_a_missing_token_is_named() -> None:
    with pytest.raises(ConfigurationError, match="AETERNA_TOKEN_FILE"):
        Settings.from_env({key: value for key, value in COMPLETE.items() if key != "AETERNA_TOKEN"})


@pytest.mark.parametrize("url", ["localhost:80", "ftp://x", "http://", "http://x?y=1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not the address"):
        Settings.from_env({**COMPLETE, "AETERNA_GRAPH_URL": url})


def test_a_token_file_that_is_missing_is_named() -> None:
    environment = {key: value for key, value in COMPLETE.items() if key != "AETERNA_TOKEN"}
    settings = Settings.from_env({**environment, "AETERNA_TOKEN_FILE": "/nowhere/token"})

    with pytest.raises(ConfigurationError, match="/nowhere/token"):
        settings.token.token()


def test_authorities_of_ones_own_are_named_by_the_environment(tmp_path: Path) -> None:
    authorities = tmp_path / "ca.crt"
    authorities.write_bytes(TestAuthority().pem())

    settings = Settings.from_env(
        {"AETERNA_GRAPH_URL": "https://graph", "AETERNA_TOKEN": "t", "AETERNA_CA_FILE": str(authorities)}
    )

    assert settings.ca_file == authorities
    assert isinstance(settings.trusted(), FileTrust)


def test_without_authorities_of_ones_own_those_of_the_system_count() -> None:
    assert Settings.from_env({"AETERNA_GRAPH_URL": "https://graph", "AETERNA_TOKEN": "t"}).trusted() is True


@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_a_file_without_authorities_is_named(text: str | None, tmp_path: Path) -> None:
    authorities = tmp_path / "ca.crt"
    if text is not None:
        authorities.write_text(text, encoding="ascii")

    with pytest.raises(ConfigurationError, match="AETERNA_CA_FILE"):
        Aeterna(graph_url="https://graph", token="t", ca_file=authorities)


def test_only_a_service_of_an_authority_of_the_file_is_sent_the_token(tmp_path: Path) -> None:
    mine, strangers = TestAuthority("mine"), TestAuthority("stranger")
    authorities = tmp_path / "ca.crt"
    authorities.write_bytes(mine.pem())
    seen: list[str] = []
    outcomes: list[type[Exception]] = []
    for authority in (strangers, mine):
        with (
            refusing_over_tls(authority, tmp_path, seen) as url,
            Aeterna(graph_url=url, token="the-token", ca_file=authorities, retries=NEVER) as aeterna,
            pytest.raises(ClientError) as refused,
        ):
            aeterna.graph.node("x")
        outcomes.append(refused.type)

    assert outcomes == [UnreachableError, TokenMissingError]
    assert seen == ["Bearer the-token"]


@contextmanager
def refusing_over_tls(authority: TestAuthority, folder: Path, seen: list[str]) -> Generator[str]:
    """Serve a refusal with a certificate of an authority, note the tokens that are shown, and yield the address."""

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            body = json.dumps({"type": "urn:aeterna:problem:token.missing", "code": "token.missing"}).encode()
            self.send_response(401)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            del format, args

    pair = folder / f"{authority.name}.pem"
    pair.write_bytes(b"".join(authority.pair()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"https://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
