"""What the volume, the templates and the messenger of secrets owe, real ones and the fakes that are shipped."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from aeterna.secrets.adapters.jinja_templates import JinjaTemplates
from aeterna.secrets.adapters.memory_volume import MemoryVolume
from aeterna.secrets.adapters.messenger import PodMessenger
from aeterna.secrets.domain.rendition import FileSpec, LoopbackCall, RenderedFile
from aeterna.secrets.domain.secret import Fields, Secret
from aeterna.secrets.errors import ConfigurationInvalidError, FolderRefusedError, NoticeFailedError, RenderError
from aeterna.secrets.ports import Volume
from aeterna.secrets.testing import FakeMessenger, FakeTemplates, FakeVolume

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from aeterna.secrets.ports import Messenger, Templates

A, B = RenderedFile(content=b"1"), RenderedFile(content=b"2")
HELD = {"database": Secret(fields=Fields({"password": "canary", "port": 5432}), version="1")}


class Shown(Protocol):
    """A volume, what an application sees of it, and a way to break it."""

    @property
    def volume(self) -> Volume:
        """The volume."""
        ...

    def contents(self) -> Mapping[str, bytes]:
        """Return the files by name."""
        ...

    def break_(self) -> None:
        """Have every use of it fail."""
        ...


@dataclass
class ShownFolder:
    """The real one."""

    volume: Volume
    folder: Path

    def contents(self) -> Mapping[str, bytes]:
        """See `Shown`."""
        found: dict[str, bytes] = {}
        for name in (path.name for path in self.folder.iterdir() if not path.name.startswith("..")):
            top = self.folder / name
            below = [top] if top.is_file() else [path for path in top.iterdir() if path.is_file()]
            found |= {str(path.relative_to(self.folder)): path.read_bytes() for path in below}
        return found

    def break_(self) -> None:
        """See `Shown`."""
        self.volume = MemoryVolume(self.folder / "gone")


@dataclass
class ShownFake:
    """The fake."""

    volume: FakeVolume

    def contents(self) -> Mapping[str, bytes]:
        """See `Shown`."""
        return self.volume.contents

    def break_(self) -> None:
        """See `Shown`."""
        self.volume.trouble = FolderRefusedError("/files", "is broken")


@pytest.fixture(params=["fake", "memory"])
def shown(request: pytest.FixtureRequest, memory_folder: Path) -> Shown:
    """Return each volume."""
    if request.param == "fake":
        return ShownFake(FakeVolume())
    return ShownFolder(MemoryVolume(memory_folder), memory_folder)


def test_a_volume_has_exactly_the_files_that_it_was_switched_to(shown: Shown) -> None:
    shown.volume.switch({"a": A, "b/c": B})
    shown.volume.switch({"a": B, "d/e": A})

    assert shown.contents() == {"a": b"2", "d/e": b"1"}


def test_sweeping_takes_nothing_that_is_in_use(shown: Shown) -> None:
    shown.volume.switch({"a": A})
    shown.volume.switch({"a": B})

    shown.volume.sweep(overwrite=True)

    assert shown.contents() == {"a": b"2"}


def test_a_volume_that_was_cleared_has_nothing_and_can_be_used_again(shown: Shown) -> None:
    shown.volume.switch({"a": A})

    shown.volume.clear()

    assert shown.contents() == {}
    shown.volume.switch({"a": B})
    assert shown.contents() == {"a": b"2"}


def test_a_volume_that_is_broken_says_so_each_time(shown: Shown) -> None:
    shown.break_()

    with pytest.raises(FolderRefusedError):
        shown.volume.clear()
    with pytest.raises(FolderRefusedError):
        shown.volume.switch({"a": A})
    with pytest.raises(FolderRefusedError):
        shown.volume.sweep(overwrite=False)


@pytest.fixture(params=[FakeTemplates, JinjaTemplates])
def templates(request: pytest.FixtureRequest) -> Templates:
    """Return each kind of templates."""
    made: Templates = request.param()
    return made


def spec(template: str) -> FileSpec:
    """Return a file with a template."""
    return FileSpec(file="f", shape="template", template=template)


def test_templates_know_what_they_need_and_say_it(templates: Templates) -> None:
    asking = spec("{{ database.password }}:{{ database.port }}\n")

    assert templates.needs(asking) == {"database"}
    assert templates.render(asking, HELD) == b"canary:5432\n"


def test_a_template_that_is_none_is_refused(templates: Templates) -> None:
    with pytest.raises(ConfigurationInvalidError):
        templates.needs(spec("{{ database.password"))


def test_a_template_that_asks_for_what_is_not_there_shows_nothing(templates: Templates) -> None:
    with pytest.raises(RenderError) as failed:
        templates.render(spec("{{ database.password }}{{ database.nope }}"), HELD)

    assert "canary" not in f"{failed.value!r}{failed.value.__cause__!r}"


class Told(Protocol):
    """A messenger, and whether the application was told."""

    @property
    def messenger(self) -> Messenger:
        """The messenger."""
        ...

    @property
    def notice(self) -> LoopbackCall:
        """Whom it tells."""
        ...

    def times(self) -> int:
        """Return how often it was told."""
        ...

    def stop(self) -> None:
        """Have nobody there."""
        ...


class ToldFake:
    """The fake."""

    def __init__(self) -> None:
        self.messenger = FakeMessenger()
        self.notice = LoopbackCall(url="http://127.0.0.1:1/")

    def times(self) -> int:
        """See `Told`."""
        return len(self.messenger.told)

    def stop(self) -> None:
        """See `Told`."""
        self.messenger.trouble = NoticeFailedError("the application", "is away")


class ToldPod:
    """The real one, and an application."""

    def __init__(self) -> None:
        self.messenger = PodMessenger(own_pid=os.getpid())
        called: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                called.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the library
                """Say nothing."""

        self._called = called
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.notice = LoopbackCall(url=f"http://127.0.0.1:{self._server.server_port}/")
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def times(self) -> int:
        """See `Told`."""
        return len(self._called)

    def stop(self) -> None:
        """See `Told`; a second time is none."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


@pytest.fixture(params=[ToldFake, ToldPod])
def told(request: pytest.FixtureRequest) -> Generator[Told]:
    """Return each messenger."""
    made: Told = request.param()
    yield made
    made.stop()


@pytest.mark.anyio
async def test_an_application_is_told_once_for_each_time(told: Told) -> None:
    await told.messenger.tell(told.notice)
    await told.messenger.tell(told.notice)

    assert told.times() == 2


@pytest.mark.anyio
async def test_an_application_that_is_not_there_is_a_failure(told: Told) -> None:
    told.stop()

    with pytest.raises(NoticeFailedError):
        await told.messenger.tell(told.notice)
