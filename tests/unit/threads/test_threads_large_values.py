"""Large parts go to the object store and come back, and the log holds what names them."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from aeterna.service.caller import TenantId
from aeterna.threads.domain.conversation import MessageId, Role, ThreadId
from aeterna.threads.domain.task import Kind, Row
from aeterna.threads.errors import MessageTooLargeError, ObjectsUnavailableError, PartLostError
from aeterna.threads.testing import FakeObjectLedger, FakeObjectStore
from aeterna.threads.usecases.large_values import MAX_LARGE_MESSAGE_BYTES, LargeValues

pytestmark = pytest.mark.anyio

ACME, OTHER, TASK = TenantId("acme"), TenantId("other"), ThreadId("task-1")
THRESHOLD: Final = 100
LARGE: Final = "ö" * 51


class Bench:
    """Large values over fakes."""

    def __init__(self, *, store: bool = True) -> None:
        self.objects = FakeObjectStore()
        self.ledger = FakeObjectLedger()
        self.values = LargeValues(self.objects if store else None, self.ledger, threshold=THRESHOLD)

    async def kept(self, row: Row) -> Row:
        """Return the row as it would be stored."""
        (kept,) = await self.values.keep_rows(ACME, TASK, (row,))
        return kept

    async def restored(self, row: Row, *, tenant: TenantId = ACME, thread_id: ThreadId = TASK) -> dict[str, Any]:
        """Return the columns of a stored row as a reader gets them."""
        columns: dict[str, Any] = json.loads(json.dumps({"parts": row.parts, "payload": row.payload}))
        await self.values.restore(tenant, thread_id, [columns])
        return columns


def message(*parts: dict[str, Any]) -> Row:
    """Return a message of the user."""
    return Row(
        kind=Kind.MESSAGE, streamed=False, author="ada", message_id=MessageId("m-1"), role=Role.USER, parts=tuple(parts)
    )


def artifact(**payload: Any) -> Row:  # noqa: ANN401 - any JSON
    """Return an artifact."""
    return Row(kind=Kind.ARTIFACT, streamed=True, author="agent", payload=payload)


@pytest.mark.parametrize(
    "part",
    [
        {"kind": "text", "text": LARGE, "filename": "notes"},
        {"kind": "data", "data": {"numbers": list(range(100))}},
        {"kind": "data", "data": LARGE},
        {"kind": "raw", "raw": "AAAA" * 30, "media_type": "image/png"},
    ],
    ids=["text", "data", "data that is a text", "raw"],
)
async def test_a_large_part_comes_back_as_it_was_sent(part: dict[str, Any]) -> None:
    bench = Bench()

    kept = await bench.kept(message({"kind": "text", "text": "small"}, part))

    assert len(json.dumps(kept.parts)) < 300
    assert (await bench.restored(kept))["parts"] == [{"kind": "text", "text": "small"}, part]


async def test_the_same_large_content_twice_in_a_write_is_moved_twice() -> None:
    bench = Bench()
    rows = (artifact(text=LARGE), artifact(text=LARGE))

    kept = await bench.values.keep_rows(ACME, TASK, rows)

    assert kept[0] == kept[1] != rows[1]
    assert (await bench.restored(kept[1]))["payload"] == rows[1].payload


async def test_a_large_payload_comes_back_as_it_was_sent() -> None:
    bench = Bench()
    row = artifact(artifact={"artifactId": "a", "parts": [{"text": LARGE}]}, append=True)

    kept = await bench.kept(row)

    assert set(kept.payload or {}) == {"$object"}
    assert (await bench.restored(kept))["payload"] == row.payload


async def test_what_is_small_stays_in_the_log() -> None:
    bench = Bench()
    row = message({"kind": "text", "text": "a" * THRESHOLD})

    assert await bench.kept(row) is row
    assert bench.objects.kept == {}


async def test_a_message_is_known_again_wherever_its_parts_are() -> None:
    """A retry after the threshold was changed is still a retry."""
    row = message({"kind": "text", "text": LARGE})

    assert (await Bench().kept(row)).digest() == row.digest()


async def test_the_ledger_knows_of_an_object_before_it_exists() -> None:
    """A process that is killed in between leaves nothing that cleanup does not find."""
    bench = Bench()
    bench.objects.available = False

    with pytest.raises(ObjectsUnavailableError):
        await bench.kept(message({"kind": "text", "text": LARGE}))

    assert [key.size for key in bench.ledger.noted] == [len(LARGE.encode())]


async def test_the_same_content_twice_in_a_message_is_one_object() -> None:
    bench = Bench()

    await bench.kept(message({"kind": "text", "text": LARGE}, {"kind": "text", "text": LARGE}))

    assert len(bench.objects.kept) == 1


@pytest.mark.parametrize("elsewhere", [{"tenant": OTHER}, {"thread_id": ThreadId("task-2")}])
async def test_an_object_of_somebody_else_cannot_be_named(elsewhere: dict[str, Any]) -> None:
    """Whatever a row says, it is looked for below the reader's own tenant and thread."""
    bench = Bench()
    kept = await bench.kept(message({"kind": "text", "text": LARGE}))

    with pytest.raises(PartLostError):
        await bench.restored(kept, **elsewhere)


async def test_a_payload_that_claims_to_be_an_object_is_kept_as_what_it_is() -> None:
    bench = Bench()
    forged = artifact(**{"$object": {"sha256": "0" * 64, "size": 1}})

    kept = await bench.kept(forged)

    assert (await bench.restored(kept))["payload"] == forged.payload


async def test_a_missing_object_is_named() -> None:
    bench = Bench()
    kept = await bench.kept(message({"kind": "text", "text": LARGE}))
    bench.objects.kept.clear()

    with pytest.raises(PartLostError) as caught:
        await bench.restored(kept)

    assert caught.value.facts == {"thread_id": TASK, "sha256": bench.ledger.noted[0].sha256, "damaged": False}


async def test_a_damaged_object_is_refused() -> None:
    bench = Bench()
    kept = await bench.kept(message({"kind": "text", "text": LARGE}))
    (path,) = bench.objects.kept
    bench.objects.kept[path] = LARGE.encode()[:-2] + b"!!"

    with pytest.raises(PartLostError) as caught:
        await bench.restored(kept)

    assert caught.value.facts["damaged"] is True


async def test_without_a_store_everything_stays_in_the_log() -> None:
    bench = Bench(store=False)
    row = message({"kind": "text", "text": LARGE})

    assert await bench.kept(row) is row


async def test_a_store_that_was_taken_away_is_not_passed_over_in_silence() -> None:
    kept = await Bench().kept(message({"kind": "text", "text": LARGE}))

    with pytest.raises(PartLostError):
        await Bench(store=False).restored(kept)


async def test_what_is_larger_than_a_message_may_be_is_refused_before_anything_is_written() -> None:
    bench = Bench()

    with pytest.raises(MessageTooLargeError):
        await bench.kept(message({"kind": "text", "text": "a" * (MAX_LARGE_MESSAGE_BYTES + 1)}))

    assert (bench.objects.kept, bench.ledger.noted) == ({}, [])
