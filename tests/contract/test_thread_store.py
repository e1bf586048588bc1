"""What every `ThreadStore` does, the fake and the real one alike."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import psycopg
import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.service.clock import system_clock
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres import PostgresThreadStore
from aeterna.threads.domain.conversation import (
    MAX_MESSAGE_BYTES,
    PAGE_BYTES,
    DataPart,
    MessageDraft,
    MessageId,
    Position,
    Role,
    TextPart,
    ThreadDraft,
    ThreadId,
)
from aeterna.threads.errors import (
    MessageConflictError,
    MessageTooLargeError,
    PositionAheadError,
    SequenceConflictError,
    ThreadConflictError,
    ThreadNotFoundError,
)
from aeterna.threads.testing import FakeThreadStore
from aeterna.threads.usecases.batching import BatchedThreadStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from aeterna.threads.ports import ThreadStore

pytestmark = pytest.mark.anyio

ACME, OTHER = TenantId("acme"), TenantId("other")
THREAD, NOWHERE = ThreadId("incident-7"), ThreadId("nowhere")


class Opener(Protocol):
    """Opens a thread of a tenant and returns its id."""

    async def __call__(self, tenant: TenantId = ACME, thread_id: ThreadId = THREAD) -> ThreadId: ...


def said(message_id: str, text: str = "hello", role: Role = Role.USER) -> MessageDraft:
    """Return a message with one part of text."""
    return MessageDraft(message_id=MessageId(message_id), role=role, parts=(TextPart(text=text),))


class Wound:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return system_clock() + self.ahead


@pytest.fixture
def clock() -> Wound:
    """Return the clock of the fake."""
    return Wound()


@pytest.fixture(params=["fake", "batched fake", "postgres"])
async def store(request: pytest.FixtureRequest, clock: Wound) -> AsyncGenerator[ThreadStore]:
    """Return each store in turn."""
    if request.param.endswith("fake"):
        fake = FakeThreadStore(clock=clock)
        yield BatchedThreadStore(fake) if request.param == "batched fake" else fake
        return
    async with connection_pool(request.getfixturevalue("database"), Limits(), DATABASE.names) as pool:
        yield PostgresThreadStore(pool)


@pytest.fixture
def expire(request: pytest.FixtureRequest, clock: Wound, store: ThreadStore) -> Callable[[], None]:
    """Return what lets every thread that may expire have expired by now."""

    def put_forward() -> None:
        clock.ahead += timedelta(days=400).total_seconds()

    def put_back() -> None:
        with psycopg.connect(request.getfixturevalue("database")) as connection:
            connection.execute("UPDATE threads.threads SET expires_at = now() WHERE ttl IS NOT NULL")

    return put_back if isinstance(store, PostgresThreadStore) else put_forward


@pytest.fixture
def opened(store: ThreadStore) -> Opener:
    """Return what opens a thread."""

    async def opener(tenant: TenantId = ACME, thread_id: ThreadId = THREAD) -> ThreadId:
        await store.open(tenant, ThreadDraft(thread_id=thread_id), by="ada")
        return thread_id

    return opener


async def test_an_opened_thread_is_what_was_asked_for(store: ThreadStore) -> None:
    draft = ThreadDraft(thread_id=THREAD, title="Ledger down", metadata={"severity": 2, "who": ["ada"]})

    opened = await store.open(ACME, draft, by="ada")

    assert opened.created
    assert opened.thread == await store.thread(ACME, THREAD)
    assert (opened.thread.title, opened.thread.metadata) == (draft.title, draft.metadata)
    assert (opened.thread.last_seq, opened.thread.created_by) == (0, "ada")


async def test_opening_a_thread_again_returns_the_first(store: ThreadStore) -> None:
    draft = ThreadDraft(thread_id=THREAD, metadata={"a": 1, "b": 2})
    first = await store.open(ACME, draft, by="ada")

    again = await store.open(ACME, ThreadDraft(thread_id=THREAD, metadata={"b": 2, "a": 1}), by="bob")

    assert (again.created, again.thread) == (False, first.thread)


async def test_a_thread_is_not_opened_over_another(store: ThreadStore, opened: Opener) -> None:
    await opened()

    with pytest.raises(ThreadConflictError):
        await store.open(ACME, ThreadDraft(thread_id=THREAD, title="mine now"), by="mallory")


async def test_an_unknown_thread_is_not_found(store: ThreadStore) -> None:
    with pytest.raises(ThreadNotFoundError):
        await store.thread(ACME, NOWHERE)


async def test_messages_of_an_unknown_thread_are_not_found(store: ThreadStore) -> None:
    with pytest.raises(ThreadNotFoundError):
        await store.messages(ACME, NOWHERE, after_seq=0, limit=10)


async def test_nothing_is_appended_to_an_unknown_thread(store: ThreadStore) -> None:
    with pytest.raises(ThreadNotFoundError):
        await store.append(ACME, NOWHERE, said("m-1"), by="ada")


async def test_messages_are_numbered_from_one_without_a_gap(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()

    receipts = [await store.append(ACME, thread, said(f"m-{n}"), by="ada") for n in range(5)]

    assert [receipt.seq for receipt in receipts] == [1, 2, 3, 4, 5]
    assert all(receipt.created for receipt in receipts)


async def test_a_message_is_read_as_it_was_written(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()
    data = {"z": [1, 1.0, 1e300, -0.0, 2**80, None, True], "a": {"ключ": "значение 🙂", "": '\u2028 \\ " \n'}}
    draft = MessageDraft(
        message_id=MessageId("m-1"),
        role=Role.AGENT,
        parts=(TextPart(text="Rolled back ledger.\r\n"), DataPart(data=data), DataPart(data=None)),
        metadata={"model": "x", "tokens": 12},
    )

    receipt = await store.append(ACME, thread, draft, by="agent-1")

    (message,) = (await store.messages(ACME, thread, after_seq=0, limit=10)).messages
    assert (message.parts, message.metadata, message.role) == (draft.parts, draft.metadata, draft.role)
    assert (message.seq, message.author, message.created_at) == (1, "agent-1", receipt.created_at)


async def test_the_same_message_again_is_the_same_receipt(store: ThreadStore, opened: Opener) -> None:
    """A client that lost the answer repeats itself; the conversation must not."""
    thread = await opened()
    first = await store.append(ACME, thread, said("m-1"), by="ada")
    await store.append(ACME, thread, said("m-2"), by="ada")

    again = await store.append(ACME, thread, said("m-1"), by="ada")

    assert (again.created, again.seq, again.created_at) == (False, first.seq, first.created_at)
    assert (await store.thread(ACME, thread)).last_seq == 2


async def test_a_repeated_message_is_known_whatever_sequence_was_expected(store: ThreadStore, opened: Opener) -> None:
    """The first append moved the sequence on: the repetition must not be refused for that."""
    thread = await opened()
    first = await store.append(ACME, thread, said("m-1"), by="ada", expected_seq=0)

    again = await store.append(ACME, thread, said("m-1"), by="ada", expected_seq=0)

    assert (again.created, again.seq) == (False, first.seq)


@pytest.mark.parametrize(
    "other",
    [
        said("m-1", "other text"),
        said("m-1", role=Role.AGENT),
        MessageDraft(message_id=MessageId("m-1"), role=Role.USER, parts=(DataPart(data="hello"),)),
        MessageDraft(
            message_id=MessageId("m-1"), role=Role.USER, parts=(TextPart(text="hello"),), metadata={"edited": True}
        ),
    ],
    ids=["text", "role", "kind of part", "metadata"],
)
async def test_a_message_id_is_never_given_other_content(
    store: ThreadStore, opened: Opener, other: MessageDraft
) -> None:
    thread = await opened()
    await store.append(ACME, thread, said("m-1"), by="ada")

    with pytest.raises(MessageConflictError) as refused:
        await store.append(ACME, thread, other, by="ada")

    assert refused.value.facts == {"seq": 1}
    assert (await store.thread(ACME, thread)).last_seq == 1


async def test_an_append_at_the_expected_place_is_written(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()
    await store.append(ACME, thread, said("m-1"), by="ada")

    receipt = await store.append(ACME, thread, said("m-2"), by="ada", expected_seq=1)

    assert receipt.seq == 2


@pytest.mark.parametrize("expected", [0, 2, 2**62])
async def test_an_append_at_another_place_than_expected_is_refused(
    store: ThreadStore, opened: Opener, expected: int
) -> None:
    thread = await opened()
    await store.append(ACME, thread, said("m-1"), by="ada")

    with pytest.raises(SequenceConflictError) as refused:
        await store.append(ACME, thread, said("m-2"), by="ada", expected_seq=expected)

    assert refused.value.facts == {"expected_seq": expected, "last_seq": 1}
    assert (await store.thread(ACME, thread)).last_seq == 1


async def test_a_hundred_concurrent_appenders_get_a_gapless_sequence(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()

    receipts = await asyncio.gather(*(store.append(ACME, thread, said(f"m-{n}"), by=f"agent-{n}") for n in range(100)))

    assert sorted(receipt.seq for receipt in receipts) == list(range(1, 101))
    page = await store.messages(ACME, thread, after_seq=0, limit=200)
    assert {message.message_id: message.seq for message in page.messages} == {
        receipt.message_id: receipt.seq for receipt in receipts
    }


async def test_a_hundred_copies_of_one_message_are_one_message(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()

    receipts = await asyncio.gather(*(store.append(ACME, thread, said("m-1"), by="ada") for _ in range(100)))

    assert {receipt.seq for receipt in receipts} == {1}
    assert [receipt.created for receipt in receipts].count(True) == 1


async def test_of_many_who_expect_the_same_end_one_wins(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()

    outcomes = await asyncio.gather(
        *(store.append(ACME, thread, said(f"m-{n}"), by="ada", expected_seq=0) for n in range(20)),
        return_exceptions=True,
    )

    assert [isinstance(outcome, SequenceConflictError) for outcome in outcomes].count(False) == 1


async def test_a_page_of_messages_ends_where_its_bytes_are_used_up(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()
    text = "long " * (MAX_MESSAGE_BYTES // 6)
    for n in range(12):
        await store.append(ACME, thread, said(f"m-{n}", text), by="ada")

    page = await store.messages(ACME, thread, after_seq=0, limit=500)
    rest = await store.messages(ACME, thread, after_seq=page.messages[-1].seq, limit=500)

    assert PAGE_BYTES <= len(text) * len(page.messages) < PAGE_BYTES + MAX_MESSAGE_BYTES
    assert page.last_seq == 12
    assert [message.seq for message in (*page.messages, *rest.messages)] == list(range(1, 13))


async def test_messages_are_paged_in_order(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()
    for n in range(5):
        await store.append(ACME, thread, said(f"m-{n}"), by="ada")

    page = await store.messages(ACME, thread, after_seq=1, limit=3)

    assert ([message.seq for message in page.messages], page.last_seq) == ([2, 3, 4], 5)


async def test_nothing_follows_the_last_message(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()
    await store.append(ACME, thread, said("m-1"), by="ada")

    page = await store.messages(ACME, thread, after_seq=1, limit=3)

    assert (page.messages, page.last_seq) == ((), 1)


async def test_a_reader_ahead_of_the_thread_is_told(store: ThreadStore, opened: Opener) -> None:
    """After a restore to an earlier time, silence would make the reader miss what is written next."""
    thread = await opened()

    with pytest.raises(PositionAheadError):
        await store.messages(ACME, thread, after_seq=1, limit=3)


async def test_time_never_runs_backward_in_a_thread(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()

    receipts = [await store.append(ACME, thread, said(f"m-{n}"), by="ada") for n in range(20)]

    moments = [receipt.created_at for receipt in receipts]
    assert moments == sorted(moments)
    assert (await store.thread(ACME, thread)).updated_at == moments[-1]


async def test_every_append_changes_the_version(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()
    before = await store.thread(ACME, thread)

    await store.append(ACME, thread, said("m-1"), by="ada")

    assert (await store.thread(ACME, thread)).version == before.version + 1


async def test_threads_are_listed_newest_first(store: ThreadStore, opened: Opener) -> None:
    ids = [await opened(thread_id=ThreadId(f"t-{n}")) for n in range(5)]

    listed = await store.threads(ACME, after=None, limit=10)

    assert [thread.thread_id for thread in listed] == ids[::-1]


async def test_a_listing_goes_on_where_it_stopped(store: ThreadStore, opened: Opener) -> None:
    ids = [await opened(thread_id=ThreadId(f"t-{n}")) for n in range(5)]
    first = await store.threads(ACME, after=None, limit=2)
    await opened(thread_id=ThreadId("t-new"))

    last = first[-1]
    rest = await store.threads(ACME, after=Position(created_at=last.created_at, thread_id=last.thread_id), limit=10)

    assert [thread.thread_id for thread in (*first, *rest)] == ids[::-1]


async def test_two_tenants_have_threads_of_the_same_id(store: ThreadStore, opened: Opener) -> None:
    """Taking a thread over by naming its id is what other stores allow."""
    thread = await opened(ACME)
    await store.append(ACME, thread, said("m-1"), by="ada")

    await opened(OTHER)

    assert (await store.thread(OTHER, thread)).last_seq == 0
    assert (await store.thread(ACME, thread)).last_seq == 1


async def test_another_tenants_thread_is_as_if_it_were_not(store: ThreadStore, opened: Opener) -> None:
    thread = await opened(ACME)

    with pytest.raises(ThreadNotFoundError):
        await store.append(OTHER, thread, said("m-1"), by="mallory")

    assert await store.threads(OTHER, after=None, limit=10) == ()


async def test_a_message_above_the_limit_is_refused(store: ThreadStore, opened: Opener) -> None:
    thread = await opened()

    with pytest.raises(MessageTooLargeError):
        await store.append(ACME, thread, said("m-1", "x" * MAX_MESSAGE_BYTES), by="ada")

    assert (await store.thread(ACME, thread)).last_seq == 0


async def test_a_thread_with_a_time_to_live_says_when_it_ends(store: ThreadStore) -> None:
    opened = await store.open(ACME, ThreadDraft(thread_id=THREAD, ttl=timedelta(hours=1)), by="ada")

    assert opened.thread.expires_at is not None
    assert opened.thread.expires_at - opened.thread.created_at >= timedelta(hours=1)
    assert (await store.open(ACME, ThreadDraft(thread_id=ThreadId("kept")), by="ada")).thread.expires_at is None


async def test_an_append_puts_the_end_of_a_thread_off(store: ThreadStore) -> None:
    ttl = timedelta(hours=1)
    await store.open(ACME, ThreadDraft(thread_id=THREAD, ttl=ttl), by="ada")

    receipt = await store.append(ACME, THREAD, said("m-1"), by="ada")

    expires_at = (await store.thread(ACME, THREAD)).expires_at
    assert expires_at is not None
    assert expires_at >= receipt.created_at + ttl


@pytest.fixture
async def expired(store: ThreadStore, expire: Callable[[], None]) -> ThreadId:
    """Return the id of a thread with one message that has expired; another one of the tenant lives."""
    await store.open(ACME, ThreadDraft(thread_id=THREAD, ttl=timedelta(hours=1)), by="ada")
    await store.append(ACME, THREAD, said("m-1"), by="ada")
    expire()
    await store.open(ACME, ThreadDraft(thread_id=ThreadId("lives")), by="ada")
    return THREAD


async def test_an_expired_thread_is_as_if_it_had_never_been(store: ThreadStore, expired: ThreadId) -> None:
    with pytest.raises(ThreadNotFoundError):
        await store.thread(ACME, expired)
    with pytest.raises(ThreadNotFoundError):
        await store.messages(ACME, expired, after_seq=0, limit=10)
    with pytest.raises(ThreadNotFoundError):
        await store.append(ACME, expired, said("m-2"), by="ada")
    assert [thread.thread_id for thread in await store.threads(ACME, after=None, limit=10)] == ["lives"]


async def test_the_id_of_an_expired_thread_is_free(store: ThreadStore, expired: ThreadId) -> None:
    again = await store.open(ACME, ThreadDraft(thread_id=expired, title="Another"), by="bea")

    receipt = await store.append(ACME, expired, said("m-9"), by="bea")
    page = await store.messages(ACME, expired, after_seq=0, limit=10)
    assert (again.created, receipt.seq) == (True, 1)
    assert [message.message_id for message in page.messages] == ["m-9"]


async def test_a_thread_is_not_opened_again_with_another_time_to_live(store: ThreadStore, opened: Opener) -> None:
    await opened()

    with pytest.raises(ThreadConflictError):
        await store.open(ACME, ThreadDraft(thread_id=THREAD, ttl=timedelta(hours=1)), by="ada")
