"""What a page of restored parts costs is bound by their real size, and no page is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.service.caller import TenantId
from aeterna.threads.domain.conversation import (
    PAGE_BYTES,
    MessageDraft,
    MessageId,
    Role,
    TextPart,
    ThreadDraft,
    ThreadId,
    filling,
)
from aeterna.threads.domain.task import AgentId, Creation, Kind, Row, Write
from aeterna.threads.testing import FakeObjectLedger, FakeObjectStore, FakeTaskLog, FakeThreadStore
from aeterna.threads.usecases.large_parts import LargePartsTaskLog, LargePartsThreadStore
from aeterna.threads.usecases.large_values import LargeValues

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.anyio

ACME, AGENT, TASK = TenantId("acme"), AgentId("agent"), ThreadId("t-1")
SIZES = (PAGE_BYTES // 2, 10, PAGE_BYTES // 2, 10, PAGE_BYTES * 2, 10)
PAGES = [[1, 2, 3], [4, 5], [6]]


@pytest.fixture
def large() -> LargeValues:
    """Return what moves everything that is not tiny."""
    return LargeValues(FakeObjectStore(), FakeObjectLedger(), threshold=100)


def artifact(size: int) -> Row:
    """Return a piece of an artifact."""
    payload = {"text": "x" * (size - len('{"text":""}')) if size > 100 else "x"}
    return Row(kind=Kind.ARTIFACT, streamed=True, author="agent", payload=payload)


async def test_large_rows_fill_a_page_with_their_real_size(large: LargeValues) -> None:
    log = LargePartsTaskLog(FakeTaskLog(), large)
    rows = tuple(artifact(size) for size in SIZES)
    creation = Creation(context_id="c-1")
    await log.write(ACME, AGENT, [Write(task_id=TASK, owner="ada", write_id="w", rows=rows, creation=creation)])
    pages: list[Sequence[int]] = []
    read: list[Row] = []
    while len(read) < len(SIZES):
        page = await log.rows(ACME, AGENT, TASK, owner="ada", after=len(read), limit=1000)
        pages.append([stored.seq for stored in page.rows])
        read += [stored.row for stored in page.rows]

    assert pages == PAGES
    assert tuple(read) == rows


async def test_large_messages_fill_a_page_with_their_real_size(large: LargeValues) -> None:
    store = LargePartsThreadStore(FakeThreadStore(), large)
    await store.open(ACME, ThreadDraft(thread_id=TASK), by="ada")
    for n, size in enumerate(SIZES):
        draft = MessageDraft(message_id=MessageId(f"m-{n}"), role=Role.USER, parts=(TextPart(text="x" * size),))
        await store.append(ACME, TASK, draft, by="ada")
    pages: list[Sequence[int]] = []
    after = 0
    while after < len(SIZES):
        page = await store.messages(ACME, TASK, after_seq=after, limit=500)
        pages.append([message.seq for message in page.messages])
        after = page.messages[-1].seq

    assert pages == PAGES


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ((), 0),
        ((PAGE_BYTES * 9, 1), 1),
        ((PAGE_BYTES, 1), 1),
        ((PAGE_BYTES - 1, 1, 1), 2),
        ((0,) * 1000, 1000),
    ],
    ids=["nothing", "one too large", "one that fits", "the one that uses it up", "nothing large"],
)
def test_a_page_ends_with_what_uses_it_up(sizes: tuple[int, ...], count: int) -> None:
    assert filling(sizes) == count
