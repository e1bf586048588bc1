"""A tenant that has too much or is too fast is refused, and its neighbours do not notice."""

from __future__ import annotations

from typing import Any

import pytest

from aeterna.service.caller import TenantId
from aeterna.threads.domain.conversation import (
    Append,
    MessageDraft,
    MessageId,
    Receipt,
    Role,
    TextPart,
    ThreadDraft,
    ThreadId,
)
from aeterna.threads.domain.task import AgentId, Creation, Kind, Row, State, Write
from aeterna.threads.domain.usage import Account, Quotas, Usage
from aeterna.threads.errors import QuotaExceededError, ThreadsError
from aeterna.threads.testing import FakeAccounts, FakeTaskLog, FakeThreadStore
from aeterna.threads.usecases.limited import LimitedTaskLog, LimitedThreadStore
from aeterna.threads.usecases.quotas import REMEMBERED, QuotaKeeper

pytestmark = pytest.mark.anyio

NOISY, QUIET = TenantId("noisy"), TenantId("quiet")
THREAD = ThreadId("t-1")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Bench:
    """A limited store over fakes."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.accounts = FakeAccounts()
        self.store = LimitedThreadStore(FakeThreadStore(), QuotaKeeper(self.accounts, self.clock))

    def allow(self, quotas: Quotas, usage: Usage | None = None, *, tenant: TenantId = NOISY) -> None:
        """Give a tenant an account, and let what was known of it be forgotten."""
        self.accounts.kept[tenant] = Account(usage=usage or Usage(), quotas=quotas)
        self.clock.now += REMEMBERED.total_seconds()

    async def opened(self, tenant: TenantId = NOISY) -> None:
        """Open the thread of a tenant."""
        await self.store.open(tenant, ThreadDraft(thread_id=THREAD), by="ada")

    async def append(self, number: int, tenant: TenantId = NOISY) -> Receipt:
        """Append a message."""
        return await self.store.append(tenant, THREAD, draft(number), by="ada")


def draft(number: int) -> MessageDraft:
    """Return a message."""
    return MessageDraft(message_id=MessageId(f"m-{number}"), role=Role.USER, parts=(TextPart(text="hello"),))


async def refusals(bench: Bench, times: int) -> list[QuotaExceededError]:
    """Append so often, and return what was refused."""
    refused = list[QuotaExceededError]()
    for number in range(times):
        try:
            await bench.append(number)
        except QuotaExceededError as exc:
            refused.append(exc)
    return refused


async def test_a_tenant_without_quotas_is_not_limited() -> None:
    bench = Bench()
    await bench.opened()

    assert await refusals(bench, 1000) == []


async def test_who_writes_too_fast_is_told_when_to_come_back() -> None:
    """Twice the rate at once, then the rate."""
    bench = Bench()
    await bench.opened()
    bench.allow(Quotas(writes_per_second=10))

    refused = await refusals(bench, 25)
    assert refused[0].retry_after is not None
    bench.clock.now += refused[0].retry_after.total_seconds()

    assert (len(refused), refused[0].facts) == (5, {"quota": "writes_per_second", "limit": 10})
    assert (await bench.append(100)).created is True


async def test_a_noisy_tenant_takes_nothing_from_its_neighbour() -> None:
    bench = Bench()
    await bench.opened(NOISY)
    await bench.opened(QUIET)
    bench.allow(Quotas(writes_per_second=10))
    bench.allow(Quotas(writes_per_second=10), tenant=QUIET)

    refused = await refusals(bench, 1000)
    receipts = [await bench.append(number, QUIET) for number in range(20)]

    assert (len(refused), [receipt.seq for receipt in receipts]) == (980, list(range(1, 21)))


@pytest.mark.parametrize(
    ("quotas", "usage", "quota"),
    [
        (Quotas(threads=5), Usage(threads=5), "threads"),
        (Quotas(bytes=100), Usage(bytes=100), "bytes"),
    ],
)
async def test_who_holds_as_much_as_it_may_opens_nothing_more(quotas: Quotas, usage: Usage, quota: str) -> None:
    bench = Bench()
    bench.allow(quotas, usage)

    with pytest.raises(QuotaExceededError) as caught:
        await bench.opened()

    assert (caught.value.quota, caught.value.retry_after is None) == (quota, False)


async def test_who_holds_too_many_threads_still_writes_to_them() -> None:
    bench = Bench()
    await bench.opened()
    bench.allow(Quotas(threads=1), Usage(threads=1))

    assert (await bench.append(1)).created is True


async def test_reading_is_never_refused() -> None:
    bench = Bench()
    await bench.opened()
    await bench.append(1)
    bench.allow(Quotas(threads=0, bytes=0), Usage(threads=1, bytes=1))

    page = await bench.store.messages(NOISY, THREAD, after_seq=0, limit=10)

    assert len(page.messages) == 1


async def test_of_many_appends_those_above_the_rate_are_refused_alone() -> None:
    bench = Bench()
    await bench.opened()
    bench.allow(Quotas(writes_per_second=1))
    results = dict[int, Receipt | ThreadsError]()

    await bench.store.append_all(
        NOISY, [Append(thread_id=THREAD, draft=draft(number), by="ada") for number in range(4)], results.__setitem__
    )

    assert [isinstance(results[place], Receipt) for place in range(4)] == [True, True, False, False]


async def test_a_changed_quota_is_in_force_soon() -> None:
    bench = Bench()
    await bench.opened()
    bench.allow(Quotas(bytes=1), Usage(bytes=1))
    with pytest.raises(QuotaExceededError):
        await bench.append(1)

    bench.allow(Quotas())

    assert (await bench.append(1)).created is True


@pytest.mark.parametrize(
    ("proof", "refused"),
    [
        ({"epoch": 0}, True),
        ({"epoch": 1}, False),
        ({"expected_version": 3}, True),
        ({"expected_version": 3, "state": State.COMPLETED}, False),
        ({"creation": Creation(context_id="c"), "state": State.COMPLETED}, True),
    ],
    ids=["no lease", "a lease", "a version", "an end", "a task that is over at once"],
)
async def test_only_a_lease_or_an_end_is_written_beyond_the_quota(proof: dict[str, Any], *, refused: bool) -> None:
    """Before its first lease a task is at epoch 0, which anybody knows: to name it is no proof of a lease."""
    accounts = FakeAccounts()
    accounts.kept[NOISY] = Account(usage=Usage(bytes=10), quotas=Quotas(bytes=10))
    log = LimitedTaskLog(FakeTaskLog(), QuotaKeeper(accounts, Clock()))
    row = Row(kind=Kind.STATUS, streamed=True, author="bot", payload={"status": {}})
    write = Write(task_id=THREAD, owner="ada", write_id="w-1", rows=(row,), **proof)

    (result,) = await log.write(NOISY, AgentId("bot"), [write])

    assert isinstance(result, QuotaExceededError) == refused
