"""What every `ObjectStore` does: the fake, a folder and S3 alike."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import pytest

from aeterna.service.caller import TenantId
from aeterna.threads.adapters.object_store import object_store
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.removal import ObjectKey
from aeterna.threads.errors import ObjectsUnavailableError
from aeterna.threads.testing import FakeObjectStore
from fixtures.fix_catalogs import BUCKET, REGION

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.threads.ports import ObjectStore

pytestmark = pytest.mark.anyio

CONTENT: Final = b"a large part" * 10_000
KINDS: Final = ("fake", "folder", "s3")


def key_of(content: bytes = CONTENT, *, tenant: str = "acme", thread: str = "incident-7") -> ObjectKey:
    """Return the key of a content."""
    digest = hashlib.sha256(content).hexdigest()
    return ObjectKey(tenant=TenantId(tenant), thread_id=ThreadId(thread), sha256=digest, size=len(content))


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """Return each store in turn, empty."""
    if request.param == "fake":
        return FakeObjectStore()
    if request.param == "folder":
        return object_store((tmp_path / "objects").as_uri())
    request.getfixturevalue("aws")
    monkeypatch.setenv("AWS_REGION", REGION)
    return object_store(f"s3://{BUCKET}/threads", allow_http=True)


async def test_an_object_is_read_as_it_was_written(store: ObjectStore) -> None:
    await store.put(key_of(), CONTENT)

    assert await store.get(key_of()) == CONTENT


async def test_what_was_never_written_is_none(store: ObjectStore) -> None:
    assert await store.get(key_of()) is None


async def test_writing_twice_is_writing_once(store: ObjectStore) -> None:
    await store.put(key_of(), CONTENT)

    await store.put(key_of(), CONTENT)

    assert await store.get(key_of()) == CONTENT


@pytest.mark.parametrize("other", [key_of(tenant="other"), key_of(thread="incident-8"), key_of(thread="Incident-7")])
async def test_neither_tenants_nor_threads_share_an_object(store: ObjectStore, other: ObjectKey) -> None:
    await store.put(key_of(), CONTENT)

    assert await store.get(other) is None


async def test_a_deleted_object_is_gone_and_its_neighbour_is_not(store: ObjectStore) -> None:
    neighbour = key_of(tenant="other")
    await store.put(key_of(), CONTENT)
    await store.put(neighbour, CONTENT)

    await store.delete([key_of()])

    assert (await store.get(key_of()), await store.get(neighbour)) == (None, CONTENT)


async def test_deleting_what_is_gone_does_no_harm(store: ObjectStore) -> None:
    await store.delete([key_of(), key_of(b"another")])

    assert await store.get(key_of()) is None


async def test_a_store_out_of_reach_says_so_in_our_words(tmp_path: Path) -> None:
    """A file stands where the tenant's folder should be: the file system refuses, whoever we are."""
    folder = tmp_path / "objects"
    folder.mkdir()
    (folder / "acme").write_text("not a folder")

    with pytest.raises(ObjectsUnavailableError):
        await object_store(folder.as_uri()).put(key_of(), CONTENT)
