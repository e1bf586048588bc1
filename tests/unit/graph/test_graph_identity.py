"""Tokens come from files, OAuth servers and clouds, are renewed before they end, and never end up in an error."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from aeterna.graph.adapters.identity import TokenSource, token_source
from aeterna.graph.domain.catalogs import AwsLogin, AzureLogin, ExchangeLogin, FileLogin, GoogleLogin, Login, NoLogin
from aeterna.graph.errors import StorageError
from fixtures.fix_graph import ManualStopwatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(slots=True)
class TokenServer:
    """Gives tokens that are numbered; notes what was asked."""

    address: str = ""
    status: int = 200
    answer: bytes | None = None
    asked: list[tuple[str, dict[str, list[str]], str]] = field(
        default_factory=list[tuple[str, dict[str, list[str]], str]]
    )


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    state = TokenServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
            state.asked.append((self.path, form, self.headers.get("Metadata-Flavor", "")))
            numbered = {"access_token": f"token-{len(state.asked)}", "expires_in": 3600, "token_type": "Bearer"}
            body = state.answer if state.answer is not None else json.dumps(numbered).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the standard library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def _source(
    login: Login, environment: Mapping[str, str] = MappingProxyType({}), stopwatch: ManualStopwatch | None = None
) -> TokenSource:
    source = token_source(login, environment=environment, stopwatch=stopwatch or ManualStopwatch())
    assert source is not None
    return source


def _metadata(address: str) -> Mapping[str, str]:
    return {"GCE_METADATA_HOST": address.removeprefix("http://")}


@pytest.mark.parametrize("login", [NoLogin(), AwsLogin(region="r")])
def test_some_logins_have_no_token(login: Login) -> None:
    assert token_source(login, environment={}, stopwatch=ManualStopwatch()) is None


def test_a_file_is_read_each_time_so_that_a_renewed_token_is_used_at_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    source = _source(FileLogin(path=file))
    assert source() == "first"

    file.write_text("second")

    assert source() == "second"


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_without_a_token_in_the_file_nobody_logs_in(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content)

    with pytest.raises(StorageError):
        _source(FileLogin(path=tmp_path / "token"))()


def test_a_workloads_token_is_exchanged_for_an_access_token(tmp_path: Path, tokens: TokenServer) -> None:
    (tmp_path / "token").write_text("workload")

    got = _source(ExchangeLogin(path=tmp_path / "token", token_uri=f"{tokens.address}/oauth", scope="lake"))()

    path, form, _ = tokens.asked[0]
    assert (got, path) == ("token-1", "/oauth")
    assert form == {
        "grant_type": ["urn:ietf:params:oauth:grant-type:token-exchange"],
        "subject_token": ["workload"],
        "subject_token_type": ["urn:ietf:params:oauth:token-type:jwt"],
        "requested_token_type": ["urn:ietf:params:oauth:token-type:access_token"],
        "scope": ["lake"],
    }


def test_google_gives_a_token_to_who_runs_there(tokens: TokenServer) -> None:
    got = _source(GoogleLogin(), _metadata(tokens.address))()

    assert got == "token-1"
    assert tokens.asked == [("/computeMetadata/v1/instance/service-accounts/default/token", {}, "Google")]


def test_azure_gives_a_token_for_the_federated_one(tmp_path: Path, tokens: TokenServer) -> None:
    (tmp_path / "federated").write_text("of-the-pod")
    environment = {
        "AZURE_TENANT_ID": "tenant",
        "AZURE_CLIENT_ID": "client",
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "federated"),
        "AZURE_AUTHORITY_HOST": f"{tokens.address}/",
    }

    got = _source(AzureLogin(scope="https://storage.azure.com/.default"), environment)()

    path, form, _ = tokens.asked[0]
    assert (got, path) == ("token-1", "/tenant/oauth2/v2.0/token")
    assert (form["client_id"], form["client_assertion"]) == (["client"], ["of-the-pod"])
    assert form["scope"] == ["https://storage.azure.com/.default"]
    assert "client_secret" not in form


def test_on_azure_without_an_identity_what_is_missing_is_named() -> None:
    with pytest.raises(StorageError) as raised:
        _source(AzureLogin(scope="s"), {"AZURE_TENANT_ID": "t"})()

    assert "AZURE_CLIENT_ID" in raised.value.reason


def test_a_token_is_kept_until_shortly_before_its_end(tokens: TokenServer) -> None:
    stopwatch = ManualStopwatch()
    source = _source(GoogleLogin(), _metadata(tokens.address), stopwatch)
    assert [source(), source()] == ["token-1", "token-1"]

    stopwatch.seconds = 3479
    assert source() == "token-1"
    stopwatch.seconds = 3480
    assert source() == "token-2"


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, b"s3cret"),
        (200, b"s3cret"),
        (200, b'{"token":"s3cret"}'),
        (200, b'{"access_token":"s3cret"}'),
        (200, b"[]"),
    ],
)
def test_an_answer_that_is_no_token_is_refused_and_not_shown(tokens: TokenServer, status: int, answer: bytes) -> None:
    tokens.status, tokens.answer = status, answer

    with pytest.raises(StorageError) as raised:
        _source(GoogleLogin(), _metadata(tokens.address))()

    assert "s3cret" not in str(raised.value) + raised.value.reason


def test_a_server_that_is_away_is_storage_that_is_away() -> None:
    with pytest.raises(StorageError):
        _source(GoogleLogin(), _metadata("http://127.0.0.1:1"))()
