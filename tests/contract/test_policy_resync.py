"""What asking for everything again owes the sidecar: the fake obeys as OPAL's client does."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Protocol

import pytest

from aeterna.policy.adapters.opal_client import OpalClient
from aeterna.policy.errors import AddressRefusedError, FeedUnreachableError
from aeterna.policy.testing import FakeResync

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from aeterna.policy.ports import Resync

SOON = timedelta(seconds=5)


class Pusher(Protocol):
    """Whoever pushes, as a test sees it."""

    @property
    def resync(self) -> Resync:
        """Whom to ask."""
        ...

    def leave(self) -> None:
        """Be able to push no more."""
        ...

    def whole_pushes(self) -> int:
        """Return how often everything was asked for."""
        ...


class FakePusher:
    """Pushes nothing; counts."""

    def __init__(self) -> None:
        self.resync = FakeResync()

    def leave(self) -> None:
        """Be able to push no more."""
        self.resync.trouble = FeedUnreachableError("the pusher", "is gone")

    def whole_pushes(self) -> int:
        """Return how often it was asked."""
        return self.resync.asked


class OpalInterface(ThreadingHTTPServer):
    """The two routes of OPAL's client; data is answered with an error when the server behind it is away."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Triggers)
        self.asked: list[str] = []
        self.status = self.data = 200
        self.resync = OpalClient(f"http://127.0.0.1:{self.server_port}", timeout=SOON)

    def leave(self) -> None:
        """Answer as OPAL's client without a server does."""
        self.status = self.data = 500

    def whole_pushes(self) -> int:
        """Return how often both parts were asked for."""
        return min(self.asked.count(f"/{part}-updater/trigger") for part in ("policy", "data"))


class _Triggers(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Note what was asked for."""
        assert isinstance(self.server, OpalInterface)
        self.server.asked.append(self.path)
        self.send_response_only(self.server.data if self.path.startswith("/data") else self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def fake_pusher() -> Generator[Pusher]:
    """Yield the fake."""
    yield FakePusher()


@contextmanager
def opal_interface() -> Generator[Pusher]:
    """Yield a client of OPAL's as far as it can be asked."""
    with OpalInterface() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


PUSHERS: dict[str, Callable[[], AbstractContextManager[Pusher]]] = {"fake": fake_pusher, "opal": opal_interface}


@pytest.fixture(params=PUSHERS)
def pusher(request: pytest.FixtureRequest) -> Generator[Pusher]:
    """Return each in turn."""
    with PUSHERS[request.param]() as found:
        yield found


def test_everything_is_asked_for_once(pusher: Pusher) -> None:
    entities = pusher.resync.ask()

    assert (entities, pusher.whole_pushes()) == (True, 1)


def test_whoever_cannot_push_says_so(pusher: Pusher) -> None:
    pusher.leave()

    with pytest.raises(FeedUnreachableError):
        pusher.resync.ask()


def test_a_client_without_a_server_is_not_asked_for_policies() -> None:
    """It would keep every such wish and fetch everything as often when the server returns."""
    with opal_interface() as opal:
        assert isinstance(opal, OpalInterface)
        opal.leave()

        with pytest.raises(FeedUnreachableError):
            opal.resync.ask()

        assert opal.asked == ["/data-updater/trigger"]


def test_a_client_whose_data_are_switched_off_says_that_none_will_come() -> None:
    with opal_interface() as opal:
        assert isinstance(opal, OpalInterface)
        opal.data = 503

        entities = opal.resync.ask()

        assert (entities, opal.whole_pushes()) == (False, 1)


def test_a_client_that_is_not_there_is_unreachable() -> None:
    with opal_interface() as opal:
        resync = opal.resync

    with pytest.raises(FeedUnreachableError, match="does not answer"):
        resync.ask()


@pytest.mark.parametrize("url", ["https://127.0.0.1:7000", "127.0.0.1:7000", "http://127.0.0.1:7000/v1", "http://"])
def test_an_address_that_is_no_client_is_refused(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        OpalClient(url, timeout=SOON)
