"""Who is told of a change: a process of the pod, or an address of its loopback, and nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from aeterna.secrets.adapters.messenger import PodMessenger
from aeterna.secrets.domain.rendition import LoopbackCall, ProcessSignal
from aeterna.secrets.errors import NoticeFailedError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.anyio


class Application:
    """Answers every request with a status, and a redirect to itself."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[tuple[str, str]] = []
        application = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                application.asked.append((self.command, self.path))
                self.send_response(application.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - the standard library's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the library
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/reload"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Answer no more; a second time is none."""
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def application() -> Generator[Application]:
    """Return an application that is called."""
    found = Application()
    yield found
    found.stop()


@pytest.fixture
def messenger() -> PodMessenger:
    """Return a messenger in this process."""
    return PodMessenger(own_pid=os.getpid())


@pytest.fixture
def waiting_for_a_signal() -> Generator[subprocess.Popen[str]]:
    """Return a process that says a line when it waits for SIGUSR1, and another one when it got it."""
    program = "print(flush=True); print(signal.sigwait([signal.SIGUSR1]).name, flush=True)"
    start = f"import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]); {program}"
    with subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def ended() -> int:
    """Return the number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


async def test_a_process_gets_the_signal_that_is_asked_for(
    messenger: PodMessenger, waiting_for_a_signal: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert waiting_for_a_signal.stdout is not None
    waiting_for_a_signal.stdout.readline()
    (tmp_path / "pid").write_text(f"{waiting_for_a_signal.pid}\n")

    await messenger.tell(ProcessSignal(signal="USR1", pid_file=str(tmp_path / "pid")))

    assert waiting_for_a_signal.stdout.readline() == "SIGUSR1\n"


@pytest.mark.parametrize("content", ["", "-1", "0", "1", "4294967296", "12 13", "$(id)", "x" * 100, "\0"])
async def test_a_file_without_a_process_of_the_application_signals_nobody(
    messenger: PodMessenger, tmp_path: Path, content: str
) -> None:
    """-1 would be every process, 0 one's own group."""
    (tmp_path / "pid").write_text(content)

    with pytest.raises(NoticeFailedError):
        await messenger.tell(ProcessSignal(signal="TERM", pid_file=str(tmp_path / "pid")))


async def test_the_sidecar_does_not_signal_itself(messenger: PodMessenger, tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(str(os.getpid()))

    with pytest.raises(NoticeFailedError, match="not the application's"):
        await messenger.tell(ProcessSignal(signal="TERM", pid_file=str(tmp_path / "pid")))


@pytest.mark.parametrize("kind", ["none", "link", "pipe", "folder"])
async def test_a_file_that_is_none_signals_nobody(messenger: PodMessenger, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "pid"
    if kind == "link":
        (tmp_path / "real").write_text("123456")
        place.symlink_to(tmp_path / "real")
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()

    with pytest.raises(NoticeFailedError):
        await messenger.tell(ProcessSignal(signal="HUP", pid_file=str(place)))


async def test_a_process_that_ended_is_said_not_to_be_there(
    messenger: PodMessenger, ended: int, tmp_path: Path
) -> None:
    (tmp_path / "pid").write_text(str(ended))

    with pytest.raises(NoticeFailedError, match="share the pod's process namespace"):
        await messenger.tell(ProcessSignal(signal="HUP", pid_file=str(tmp_path / "pid")))


async def test_an_address_is_called_with_nothing_in_it(messenger: PodMessenger, application: Application) -> None:
    await messenger.tell(LoopbackCall(url=application.url))

    assert application.asked == [("POST", "/reload")]


@pytest.mark.parametrize("status", [301, 307, 308, 404, 500])
async def test_anything_but_success_is_a_failure_and_no_redirect_is_followed(
    messenger: PodMessenger, application: Application, status: int
) -> None:
    application.status = status

    with pytest.raises(NoticeFailedError, match=f"it answered {status}"):
        await messenger.tell(LoopbackCall(url=application.url))

    assert application.asked == [("POST", "/reload")]


async def test_an_address_where_nobody_answers_is_a_failure(messenger: PodMessenger, application: Application) -> None:
    application.stop()

    with pytest.raises(NoticeFailedError, match="ConnectError"):
        await messenger.tell(LoopbackCall(url=application.url))


async def test_no_proxy_hears_of_it(
    messenger: PodMessenger, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    await messenger.tell(LoopbackCall(url=application.url))

    assert application.asked == [("POST", "/reload")]
