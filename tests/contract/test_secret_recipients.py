"""What whoever is handed secrets owes the sidecar: the files of a pod, and the fake that is shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from aeterna.secrets.domain.handed import Handed
from aeterna.secrets.domain.rendition import FileSpec
from aeterna.secrets.domain.secret import Fields, Secret
from aeterna.secrets.errors import FolderRefusedError, SecretsError
from aeterna.secrets.ports import Recipient, Wiping
from aeterna.secrets.testing import FakeMessenger, FakeRecipient, FakeTemplates, FakeVolume
from aeterna.secrets.usecases.changes import Changes
from aeterna.secrets.usecases.rendering import Rendering

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.secrets.domain.handed import Refusal

pytestmark = pytest.mark.anyio

NAMES = ("api", "database")
# No variable can hold it, so that no file can be made of it.
UNMAKEABLE = "\0"


class Taking(Recipient, Wiping, Protocol):
    """Who takes secrets, and leaves nothing of them at the end."""


class Taker(Protocol):
    """Whoever takes secrets, what the application has of them, and a way to break it."""

    @property
    def recipient(self) -> Taking:
        """Who is handed them."""
        ...

    def has(self) -> Mapping[str, str]:
        """Return the values by the secret's name."""
        ...

    def break_(self) -> None:
        """Have nothing taken any more."""
        ...


class TakingFake:
    """The fake."""

    def __init__(self) -> None:
        self.recipient = FakeRecipient()

    def has(self) -> Mapping[str, str]:
        """See `Taker`."""
        return {name: str(secret.fields["value"]) for name, secret in self.recipient.has.items()}

    def break_(self) -> None:
        """See `Taker`."""
        self.recipient.trouble = FolderRefusedError("/files", "is full")


class TakingFiles:
    """The files of a pod, one for each secret."""

    def __init__(self) -> None:
        self._volume = FakeVolume()
        self.recipient = Rendering(
            [FileSpec(file=name, shape="env", secret=name) for name in NAMES],
            declared=frozenset(NAMES),
            templates=FakeTemplates(),
            volume=self._volume,
            messenger=FakeMessenger(),
            changes=Changes(life="00000000"),
            counts=Handed(),
        )

    def has(self) -> Mapping[str, str]:
        """See `Taker`."""
        return {name: content.decode().split("'")[1] for name, content in self._volume.contents.items()}

    def break_(self) -> None:
        """See `Taker`."""
        self._volume.trouble = FolderRefusedError("/files", "is full")


@pytest.fixture(params=[TakingFake, TakingFiles], ids=["fake", "files"])
async def taker(request: pytest.FixtureRequest) -> Taker:
    """Return each of them."""
    made: Taker = request.param()
    return made


async def hand_over(taker: Taker, *changed: str, **values: str) -> Refusal | None:
    """Hand over secrets with a value each; the fake is told of what cannot be made, which files find themselves."""
    if isinstance(taker, TakingFake):
        taker.recipient.behind = {name for name, value in values.items() if value == UNMAKEABLE}
    held = {name: Secret(fields=Fields({"value": value}), version=value) for name, value in values.items()}
    return await taker.recipient.hand_over(held, frozenset(changed))


async def test_what_was_handed_over_is_what_the_application_has(taker: Taker) -> None:
    first = await hand_over(taker, "database", database="p")

    second = await hand_over(taker, "api", "database", api="k", database="p2")

    assert (first, second) == (None, None)
    assert taker.has() == {"api": "k", "database": "p2"}


async def test_what_cannot_be_taken_is_named_and_its_former_value_stays_and_holds_no_other_up(taker: Taker) -> None:
    await hand_over(taker, "api", "database", api="k", database="p")

    refusal = await hand_over(taker, "api", "database", api=UNMAKEABLE, database="p2")

    assert refusal is not None
    assert isinstance(refusal.reason, SecretsError)
    assert refusal.untaken == refusal.stale == {"api"}
    assert taker.has() == {"api": "k", "database": "p2"}


async def test_what_could_not_be_taken_is_taken_once_it_can(taker: Taker) -> None:
    await hand_over(taker, "api", api=UNMAKEABLE)
    before = taker.has()

    refusal = await hand_over(taker, "api", api="k2")

    assert (before, refusal, taker.has()) == ({}, None, {"api": "k2"})


async def test_whoever_is_in_trouble_says_so_and_keeps_what_was_before(taker: Taker) -> None:
    await hand_over(taker, "database", database="p")
    taker.break_()

    with pytest.raises(SecretsError):
        await hand_over(taker, "database", database="p2")
    assert taker.has() == {"database": "p"}


async def test_what_is_withdrawn_is_gone_and_nothing_else(taker: Taker) -> None:
    await hand_over(taker, "api", "database", api="k", database="p")

    await taker.recipient.withdraw(frozenset({"database"}))

    assert taker.has() == {"api": "k"}


async def test_the_end_leaves_the_application_nothing(taker: Taker) -> None:
    await hand_over(taker, "api", "database", api="k", database="p")

    await taker.recipient.end()

    assert taker.has() == {}
