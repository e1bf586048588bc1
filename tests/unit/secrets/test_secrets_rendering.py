"""Handing secrets over: files first, then whoever waits, then whoever is told; and what if one of it fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aeterna.secrets.adapters.jinja_templates import JinjaTemplates
from aeterna.secrets.domain.handed import Handed, Refusal
from aeterna.secrets.domain.rendition import FileSpec, LoopbackCall, ProcessSignal, RenderedFile
from aeterna.secrets.domain.secret import Fields, Secret
from aeterna.secrets.errors import (
    ConfigurationInvalidError,
    FolderRefusedError,
    NoticeFailedError,
    RenderError,
)
from aeterna.secrets.testing import FakeMessenger, FakeVolume
from aeterna.secrets.usecases.changes import Changes
from aeterna.secrets.usecases.rendering import Rendering

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.anyio

CALL = LoopbackCall(url="http://127.0.0.1:8080/reload")
SIGNAL = ProcessSignal(signal="HUP", pid_file="/run/app.pid")
DATABASE = FileSpec(file="db", shape="value", secret="database", member="password", on_change=(CALL,))
KEY = FileSpec(file="key", shape="value", secret="api", member="key", on_change=(CALL, SIGNAL))
BOTH = FileSpec(file="both", shape="template", template="{{ database.password }} {{ api.key }}")


class World:
    """A rendering of some files, with everything around it faked and no time that passes by itself."""

    def __init__(self, *files: FileSpec, volume: FakeVolume | None = None) -> None:
        self.volume = volume or FakeVolume()
        self.messenger = FakeMessenger()
        self.changes = Changes(life="00000000")
        self.counts = Handed()
        self.slept: list[float] = []
        self.now: float | None = None
        """The time, where a test lets it pass; nobody waits for anything otherwise."""
        self.rendering = Rendering(
            files,
            declared=frozenset({"database", "api"}),
            templates=JinjaTemplates(),
            volume=self.volume,
            messenger=self.messenger,
            changes=self.changes,
            counts=self.counts,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        due = self.now + seconds if self.now is not None else 0
        await asyncio.sleep(0)
        while self.now is not None and self.now < due:  # noqa: ASYNC110 - this is the clock
            await asyncio.sleep(0)

    async def hand_over(self, *changed: str, **held: str) -> Refusal | None:
        """Hand over secrets with one field each; return what was not taken."""
        names = {"database": "password", "api": "key"}
        secrets: Mapping[str, Secret] = {
            name: Secret(fields=Fields({names[name]: value}), version=value) for name, value in held.items()
        }
        return await self.rendering.hand_over(secrets, frozenset(changed))


async def test_a_file_is_there_as_soon_as_all_that_it_needs_is() -> None:
    world = World(DATABASE, BOTH)
    await world.hand_over("database", database="p")
    assert world.volume.contents == {"db": b"p"}

    await world.hand_over("api", database="p", api="k")

    assert world.volume.contents == {"db": b"p", "both": b"p k"}


async def test_whoever_waits_is_woken_after_the_files_have_switched() -> None:
    world = World(DATABASE)
    seen: list[Mapping[str, bytes]] = []

    async def wait() -> None:
        await world.changes.wait(world.changes.cursor)
        seen.append(dict(world.volume.contents))

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)

    await world.hand_over("database", database="p")

    await waiting
    assert seen == [{"db": b"p"}]


async def test_only_those_whose_files_changed_are_told_and_each_once() -> None:
    world = World(DATABASE, KEY)
    await world.hand_over("database", "api", database="p", api="k")
    assert world.messenger.told == [CALL, SIGNAL]

    await world.hand_over("database", database="p2", api="k")

    assert world.messenger.told == [CALL, SIGNAL, CALL]


async def test_new_secrets_that_make_the_same_files_disturb_nobody() -> None:
    world = World(DATABASE)
    await world.hand_over("database", database="p")

    await world.hand_over("database", database="p")

    assert world.counts.switches == 1
    assert world.messenger.told == [CALL]


async def test_a_first_start_does_not_wait_for_an_application_that_cannot_run_yet() -> None:
    world = World(DATABASE)
    world.messenger.trouble = NoticeFailedError("the application", "ConnectError")

    await world.hand_over("database", database="p")

    assert world.volume.contents == {"db": b"p"}
    assert world.counts.notice_failures == 0


async def test_an_application_that_ran_before_is_told_until_it_has_heard() -> None:
    world = World(DATABASE)
    await world.hand_over("database", database="p")
    world.messenger.trouble = NoticeFailedError("the application", "ConnectError")
    refusal = await world.hand_over("database", "api", database="p2", api="k2")
    assert refusal is not None
    assert isinstance(refusal.reason, NoticeFailedError)
    # The file is new: it is not to be taken away when what it replaced ends.
    assert (refusal.untaken, refusal.stale) == ({"database"}, set())
    assert world.messenger.tried == 4
    assert [seconds for seconds in world.slept if seconds < 1] == [0.2, 0.6]
    world.messenger.trouble = None

    await world.hand_over("database", database="p2")

    assert world.messenger.told == [CALL, CALL]
    assert world.volume.contents == {"db": b"p2"}


async def test_a_file_that_cannot_be_made_keeps_its_content_and_holds_no_other_one_up() -> None:
    world = World(DATABASE, BOTH, FileSpec(file="pw", shape="pgpass", secret="database"))
    await world.hand_over("database", "api", database="p", api="k")

    refusal = await world.hand_over("database", "api", database="two\nlines", api="k2")

    assert refusal is not None
    assert isinstance(refusal.reason, RenderError)
    assert refusal.untaken == refusal.stale == {"database"}
    assert world.volume.contents == {"db": b"two\nlines", "both": b"two\nlines k2", "pw": b"*:*:*:*:p\n"}
    assert world.counts.render_failures == 1


async def test_a_folder_in_trouble_changes_nothing_and_tells_nobody() -> None:
    world = World(DATABASE)
    await world.hand_over("database", database="p")
    world.volume.trouble = FolderRefusedError("/files", "No space left on device")
    cursor = world.changes.cursor
    with pytest.raises(FolderRefusedError):
        await world.hand_over("database", database="p2")
    assert world.changes.cursor == cursor
    assert world.messenger.told == [CALL]
    world.volume.trouble = None

    await world.hand_over("database", database="p2")

    assert world.volume.contents == {"db": b"p2"}


async def test_what_is_withdrawn_is_gone_from_all_files_that_had_it_and_only_those() -> None:
    world = World(DATABASE, KEY, BOTH)
    await world.hand_over("database", "api", database="p", api="k")
    cursor = world.changes.cursor

    await world.rendering.withdraw(frozenset({"database"}))

    assert world.volume.contents == {"key": b"k"}
    assert world.volume.swept[-1] is True
    assert [(change.name, change.kind) for change in world.changes.since(cursor)] == [("database", "withdrawn")]


async def test_what_is_withdrawn_is_gone_even_from_a_volume_that_is_full() -> None:
    class Narrow(FakeVolume):
        """Has room for two generations."""

        generations = 0

        def switch(self, files: Mapping[str, RenderedFile]) -> None:
            """See `Volume.switch`."""
            if self.generations > 1:
                raise FolderRefusedError("/files", "No space left on device")
            self.generations += 1
            super().switch(files)

        def sweep(self, *, overwrite: bool) -> None:
            """See `Volume.sweep`."""
            self.generations = min(self.generations, 1)
            super().sweep(overwrite=overwrite)

    world = World(DATABASE, KEY, volume=Narrow())
    await world.hand_over("database", database="p")
    await world.hand_over("database", "api", database="p", api="k")

    await world.rendering.withdraw(frozenset({"database"}))

    assert world.volume.contents == {"key": b"k"}


async def test_what_was_switched_away_from_stays_a_while_for_whoever_is_reading() -> None:
    world = World(DATABASE)
    await world.hand_over("database", database="p")
    await world.hand_over("database", database="p2")
    assert world.volume.swept == []

    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert world.volume.swept == [False]
    assert world.slept[-1] == 5.0


async def test_what_was_switched_away_from_goes_even_if_something_is_switched_all_the_time() -> None:
    """A value that is another at each look would fill the volume otherwise, with everything that it ever was."""
    world = World(DATABASE)
    world.now = 0.0
    for number in range(20):
        await world.hand_over("database", database=f"p{number}")
        world.now += 1
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    assert False in world.volume.swept


async def test_the_end_leaves_nothing() -> None:
    world = World(DATABASE)
    await world.hand_over("database", database="p")

    await world.rendering.end()

    assert world.volume.contents == {}


async def test_the_end_ends_even_when_the_folder_is_in_trouble() -> None:
    world = World(DATABASE)
    await world.hand_over("database", database="p")
    world.volume.trouble = FolderRefusedError("/files", "Input/output error")

    await world.rendering.end()


async def test_a_sidecar_without_files_needs_no_folder() -> None:
    world = World()
    world.volume.trouble = FolderRefusedError("/files", "No such file or directory")
    world.rendering.begin()

    await world.hand_over("database", database="p")

    await world.rendering.end()


@pytest.mark.parametrize(
    "spec",
    [
        FileSpec(file="a", shape="json", secret="other"),
        FileSpec(file="a", shape="template", template="{{ other.password }}"),
    ],
)
async def test_a_file_of_a_secret_that_nobody_declared_is_refused_at_the_start(spec: FileSpec) -> None:
    with pytest.raises(ConfigurationInvalidError, match="'other'"):
        World(spec)
