"""`aeterna mcp` when there is nothing to forward to: one line that says why, and the exit status that says so too."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from aeterna.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROBLEM = "application/problem+json"


class Refusing(BaseHTTPRequestHandler):
    """Answers as services do that refuse: the path says with what."""

    def do_POST(self) -> None:
        status, code, media = {
            "/expired/mcp": (401, "token.invalid", PROBLEM),
            "/homeless/mcp": (403, "tenant.missing", PROBLEM),
            "/old/mcp": (404, "http.not_found", PROBLEM),
            "/busy/mcp": (503, "policy.unavailable", PROBLEM),
            "/page/mcp": (200, "", "text/html"),
        }[self.path]
        body = f'{{"status": {status}, "code": "{code}", "detail": "because of {self.path}"}}'.encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("expired", 4, "token.invalid: because of /expired/mcp"),
        ("homeless", 4, "tenant.missing"),
        ("old", 1, "does not serve tools: http.not_found"),
        ("busy", 1, "policy.unavailable"),
        ("page", 1, "does not serve tools"),
    ],
)
def test_a_service_that_refuses_is_told_by_its_own_code(
    path: str,
    status: int,
    said: str,
    service: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AETERNA_GRAPH_URL", f"{service}/{path}")
    monkeypatch.setenv("AETERNA_TOKEN", "canary-7f3a9c")

    assert run(["mcp"]) == status

    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert "hint: " in shown.err
    assert "canary" not in shown.err


def test_where_nobody_listens_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AETERNA_GRAPH_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AETERNA_TOKEN", "canary")

    assert run(["mcp"]) == 3

    assert "error: http://127.0.0.1:9 cannot be reached" in capsys.readouterr().err


def test_a_token_file_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("AETERNA_GRAPH_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AETERNA_TOKEN_FILE", str(tmp_path / "none"))

    assert run(["mcp"]) == 4

    assert str(tmp_path / "none") in capsys.readouterr().err


@pytest.mark.parametrize("command", [["mcp"], ["graph", "statistics"]], ids=" ".join)
def test_authorities_of_the_environment_are_the_ones_that_are_believed(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("AETERNA_GRAPH_URL", "https://127.0.0.1:9")
    monkeypatch.setenv("AETERNA_TOKEN", "canary")
    monkeypatch.setenv("AETERNA_CA_FILE", str(tmp_path / "none"))

    assert run(command) == 3

    assert f"cannot read authorities in {tmp_path / 'none'}" in capsys.readouterr().err


def test_without_a_runtime_it_says_what_to_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("AETERNA_STATE_DIR", str(tmp_path))

    assert run(["mcp"]) == 3

    assert "hint: run: aeterna up" in capsys.readouterr().err
