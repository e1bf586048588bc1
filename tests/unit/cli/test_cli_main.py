"""The command line itself: help, exit statuses, and errors that say what to do."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from aeterna.cli.local import parts
from aeterna.cli.main import COMMANDS, aeterna, run
from aeterna.cli.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("rich", "httpx", "httpx2", "jwt", "markdown_it", "mcp", "cryptography", "packaging")


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AETERNA_STATE_DIR", str(tmp_path / "none"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_imported_and_says_what_help_says(name: str) -> None:
    command = aeterna.get_command(click.Context(aeterna), name)

    assert command is not None
    assert command.short_help == COMMANDS[name].summary


def test_every_line_of_the_graphs_help_is_whole() -> None:
    """What is longer than a line ends in dots, and says nothing."""
    shown = CliRunner().invoke(aeterna, ["graph", "--help"]).output

    assert "..." not in shown.partition("Commands:")[2]


def test_help_imports_nothing_heavy() -> None:
    """So that it comes at once: what a command needs is imported when the command runs."""
    code = "import sys; from aeterna.cli.main import run; run(['--help']); print(sorted(sys.modules), file=sys.stderr)"

    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)

    assert [module for module in HEAVY if f"'{module}'" in done.stderr] == []


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--version"], 0, ""),
        (["nonsense"], 2, "error: No such command 'nonsense'."),
        (["grph"], 2, "Did you mean 'graph'?"),
        (["graph", "neighbours"], 2, "Did you mean 'neighbors'?"),
        (["graph", "neighbors"], 2, "hint: run: aeterna graph neighbors --help"),
        (["graph", "as-of", "next month", "node", "a"], 2, "error: 'next month' is not a time"),
        (["token", "--ttl", "forever"], 2, "is not a duration"),
        (["token"], 3, "error: no runtime is running"),
        (["graph", "statistics"], 3, "hint: run: aeterna up --detach"),
        (["policy", "versions"], 3, "AETERNA_POLICIES_URL"),
        (["policy", "validate", "nowhere"], 2, "hint: run: aeterna policy validate --help"),
        (["status"], 3, ""),
    ],
)
def test_the_exit_status_says_what_happened(
    arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str], nothing_runs: None
) -> None:
    assert run(arguments) == status
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("group", ["graph", "threads", "ingest"])
def test_a_group_without_a_command_shows_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, because a script that forgot the command must not take the help for an answer."""
    assert run([group]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"Usage: aeterna {group}")


def test_a_reader_that_has_heard_enough_is_no_failure() -> None:
    """As in ``aeterna graph snapshots | head``: under ``pipefail`` the pipe must not fail."""
    reader, writer = os.pipe()
    os.close(reader)

    ended = subprocess.run(
        [sys.executable, "-P", "-m", "aeterna.cli", "--help"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)

    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize(("told", "colored"), [(None, True), ("", True), ("1", False)])
def test_a_terminal_gets_colors_unless_they_are_unwanted(told: str | None, colored: bool) -> None:
    """As https://no-color.org asks: an empty NO_COLOR switches nothing off."""
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    terminal, screen = os.openpty()

    subprocess.run(
        [sys.executable, "-P", "-m", "aeterna.cli", "nonsense"],
        env=environment if told is None else {**environment, "NO_COLOR": told},
        stderr=screen,
        check=False,
    )
    shown = os.read(terminal, 4096)
    os.close(screen)
    os.close(terminal)

    assert (b"\x1b[" in shown) is colored


def test_nothing_at_the_address_is_told_apart(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AETERNA_GRAPH_URL", "AETERNA_THREADS_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AETERNA_TOKEN", "secret-token")

    assert run(["graph", "statistics"]) == 3
    said = capsys.readouterr().err
    assert "error: cannot connect to http://127.0.0.1:9" in said
    assert "secret-token" not in said


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("AETERNA_GRAPH_URL", ["graph", "statistics"]),
        ("AETERNA_THREADS_URL", ["threads", "list"]),
        ("AETERNA_POLICIES_URL", ["policy", "versions"]),
    ],
)
def test_a_command_needs_the_address_of_its_own_service_only(
    name: str, arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = ("AETERNA_GRAPH_URL", "AETERNA_THREADS_URL", "AETERNA_POLICIES_URL")
    monkeypatch.setenv("AETERNA_TOKEN", "acme")
    for address in addresses:
        monkeypatch.delenv(address, raising=False)
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    run(arguments)
    enough = capsys.readouterr().err
    for address in addresses:
        monkeypatch.setenv(address, "http://127.0.0.1:9")
    monkeypatch.delenv(name)

    assert run(arguments) != 0
    assert "cannot connect to http://127.0.0.1:9" in enough
    assert f"{name} is not set" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_the_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert f"_AETERNA_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_a_session_file_of_the_wrong_shape_names_the_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "session.json"
    file.write_text('{"nodes": [{"id": "a"}]}')

    assert run(["graph", "commit", str(file)]) == 1
    assert "nodes[0].kind is not a string" in capsys.readouterr().err


def test_progress_is_plain_lines_where_nobody_watches() -> None:
    shown = io.StringIO()
    progress = Progress(shown)
    progress.start("PostgreSQL")
    progress.done("PostgreSQL", "ready")

    assert shown.getvalue().startswith("  PostgreSQL: ready (")
    assert "\x1b" not in shown.getvalue()


def test_every_part_has_a_title_and_an_order() -> None:
    assert set(parts.ORDER) == set(parts.TITLES) == {parts.POSTGRES, *parts.MODULES}


class _Forbidding(BaseHTTPRequestHandler):
    """Forbids a file to whoever asks for policies, and everything else by the policy."""

    def do_GET(self) -> None:
        code = b"policies.file_forbidden" if self.path.startswith("/api/v1/policies") else b"policy.denied"
        body = b'{"status": 403, "code": "' + code + b'", "title": "No.", "detail": "not below tenants/acme/"}'
        self.send_response(403)
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        del format, args


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["policy", "versions"], "hint: leave the file out"),
        (["threads", "tasks", "list", "--owner", "ada"], "--agent for tasks"),
        (["threads", "usage"], "admin to manage"),
    ],
)
def test_who_is_refused_is_told_whose_token_it_takes(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with HTTPServer(("127.0.0.1", 0), _Forbidding) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("AETERNA_GRAPH_URL", "AETERNA_THREADS_URL", "AETERNA_POLICIES_URL"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AETERNA_TOKEN", "acme")

        status = run(arguments)
        server.shutdown()

    assert status == 4
    assert hint in capsys.readouterr().err
