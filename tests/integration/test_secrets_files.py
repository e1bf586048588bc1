"""Files of secrets as an application meets them: written by a real sidecar, changed by it, and gone with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from fixtures.fix_vault_sidecar import SecretsProcess

API = {"kv": "app/api", "interval": 1}
FILES = [
    {"file": "app/key.env", "env": "api"},
    {"file": "app/config.ini", "template": "[api]\nkey = {{ api.KEY }}\n"},
]


@pytest.fixture
def sidecar(secrets_process: SecretsProcess) -> SecretsProcess:
    """Return a sidecar that has written two files."""
    secrets_process.keep("app/api", {"KEY": "one"})
    secrets_process.configure({"api": API}, FILES)
    secrets_process.start()
    secrets_process.wait_ready()
    return secrets_process


def test_an_application_finds_its_files_when_the_sidecar_is_ready(sidecar: SecretsProcess) -> None:
    assert sidecar.read("app/key.env") == "KEY='one'\n"
    assert sidecar.read("app/config.ini") == "[api]\nkey = one\n"
    assert (sidecar.files / "app/key.env").stat().st_mode & 0o777 == 0o440


def test_a_new_version_is_in_the_files_and_on_the_socket_and_whoever_waits_is_told(sidecar: SecretsProcess) -> None:
    cursor = sidecar.get("/v1/changes").json()["cursor"]

    sidecar.keep("app/api", {"KEY": "two"})

    told = sidecar.get("/v1/changes", after=cursor, wait="30").json()
    assert told["changes"] == [{"name": "api", "kind": "handed_over"}]
    assert sidecar.read("app/key.env") == "KEY='two'\n"
    assert sidecar.get("/v1/secrets/api").json()["fields"] == {"KEY": "two"}


def test_a_process_is_signalled_once_its_file_has_changed(secrets_process: SecretsProcess, tmp_path: Path) -> None:
    """The program reads its file anew at the signal, and writes down what it read."""
    pid_file, seen = tmp_path / "app.pid", tmp_path / "seen"
    program = (
        "import os, pathlib, signal, sys\n"
        f"read = lambda *_: pathlib.Path({str(seen)!r}).write_text(pathlib.Path(sys.argv[1]).read_text())\n"
        "signal.signal(signal.SIGHUP, read)\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))\n"
        "while True: signal.pause()\n"
    )
    secrets_process.keep("app/api", {"KEY": "one"})
    on_change = [{"signal": "HUP", "pid_file": str(pid_file)}]
    secrets_process.configure({"api": API}, [{"file": "key", "value": "api.KEY", "on_change": on_change}])
    secrets_process.start()
    secrets_process.wait_ready()
    with subprocess.Popen([sys.executable, "-c", program, str(secrets_process.files / "key")]) as application:
        wait_until(pid_file.exists)

        secrets_process.keep("app/api", {"KEY": "two"})

        wait_until(lambda: seen.exists() and seen.read_text() == "two")
        application.kill()


def test_an_application_is_called_once_its_file_has_changed(secrets_process: SecretsProcess) -> None:
    called: list[tuple[str, bytes]] = []

    class Application(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            called.append((self.path, self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the library
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Application) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        on_change = [{"url": f"http://127.0.0.1:{server.server_port}/reload"}]
        secrets_process.keep("app/api", {"KEY": "one"})
        secrets_process.configure({"api": API}, [{"file": "key", "value": "api.KEY", "on_change": on_change}])
        secrets_process.start()
        wait_until(lambda: called)

        secrets_process.keep("app/api", {"KEY": "two"})

        wait_until(lambda: len(called) == 2)
        server.shutdown()
    assert called == [("/reload", b"")] * 2


def test_nothing_is_left_when_the_sidecar_is_told_to_stop(sidecar: SecretsProcess) -> None:
    assert sidecar.process is not None

    status = sidecar.process.terminate()

    assert status == 0
    assert sidecar.left() == []
    assert not sidecar.socket.exists()


def test_what_a_killed_sidecar_left_is_gone_before_the_next_one_has_anything(sidecar: SecretsProcess) -> None:
    """Its successor knows no secret yet: the Vault is sealed."""
    sidecar.kill()
    assert sidecar.left()
    sidecar.vault.seal()

    sidecar.start()

    assert sidecar.left() == []
    sidecar.vault.unseal()
    wait_until(lambda: sidecar.read("app/key.env") == "KEY='one'\n")


def test_a_lease_that_ended_takes_its_files_along(secrets_process: SecretsProcess) -> None:
    secrets_process.lend("database/creds/app", ttl=2)
    secrets_process.configure({"database": {"dynamic": "database/creds/app"}}, [{"file": "db", "json": "database"}])
    secrets_process.start()
    wait_until(lambda: secrets_process.read("db") is not None)

    secrets_process.vault.seal()

    wait_until(lambda: not [path for path in secrets_process.files.rglob("*") if path.is_file()])
    assert secrets_process.get("/v1/secrets/database").status_code == 410


def test_secrets_are_not_written_to_a_disk(secrets_process: SecretsProcess, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    secrets_process.keep("app/api", {"KEY": "one"})
    secrets_process.configure({"api": API}, FILES)
    secrets_process.environment["AETERNA_SECRETS_FILES"] = str(disk)

    with pytest.raises(AssertionError, match=r"memory alone \(tmpfs\)"):
        secrets_process.start()

    assert list(disk.iterdir()) == []


def test_only_users_that_are_named_are_answered(secrets_process: SecretsProcess) -> None:
    secrets_process.keep("app/api", {"KEY": "one"})
    secrets_process.configure({"api": API})
    secrets_process.environment["AETERNA_SECRETS_PEERS"] = f"[{os.getuid() + 1}]"
    secrets_process.start()
    secrets_process.wait_ready()

    refused = secrets_process.get("/v1/secrets/api")

    assert (refused.status_code, refused.json()["code"]) == (403, "secrets.peer_refused")
    assert "one" not in refused.text


def test_a_user_that_is_named_is_answered(secrets_process: SecretsProcess) -> None:
    secrets_process.keep("app/api", {"KEY": "one"})
    secrets_process.configure({"api": API})
    secrets_process.environment["AETERNA_SECRETS_PEERS"] = f"[{os.getuid()}]"
    secrets_process.start()
    secrets_process.wait_ready()

    assert secrets_process.get("/v1/secrets/api").json()["fields"] == {"KEY": "one"}


def test_whoever_waits_is_let_go_when_the_sidecar_stops(sidecar: SecretsProcess) -> None:
    assert sidecar.process is not None
    cursor = sidecar.get("/v1/changes").json()["cursor"]
    answers: list[int] = []
    waiting = threading.Thread(
        target=lambda: answers.append(sidecar.get("/v1/changes", after=cursor, wait="60").status_code)
    )
    waiting.start()
    wait_until(lambda: "ESTAB" in _connections(sidecar) or answers)

    sidecar.process.process.send_signal(signal.SIGTERM)

    waiting.join(timeout=20)
    assert not waiting.is_alive()


def _connections(sidecar: SecretsProcess) -> str:
    """Say whether somebody is connected to the socket (proc(5), net/unix: state 03)."""
    sockets = Path("/proc/net/unix").read_text("utf-8").splitlines()
    lines = [line.split() for line in sockets if line.endswith(str(sidecar.socket))]
    return "ESTAB" if any(line[5] == "03" for line in lines) else ""
