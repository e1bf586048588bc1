"""Cleanup removes what has expired, and nothing else, however often it is cut off."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from aeterna.postgres.pool import Limits, connection_pool
from aeterna.service.caller import TenantId
from aeterna.threads.adapters import removing
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_cleanup import ROLE, PostgresCleanup
from aeterna.threads.adapters.postgres_usage import PostgresAccounts
from aeterna.threads.domain.conversation import MessageDraft, MessageId, Role, TextPart, ThreadDraft, ThreadId
from aeterna.threads.domain.usage import Quotas
from aeterna.threads.errors import PartLostError, StoreUnavailableError, ThreadConflictError, ThreadNotFoundError
from aeterna.threads.usecases.cleanup import Cleanup, CleanupLimits
from fixtures.fix_thread_retention import ACME, AGENT

if TYPE_CHECKING:
    from fixtures.fix_thread_retention import Retained

pytestmark = pytest.mark.anyio

OTHER = TenantId("other")
JOB = (sys.executable, "-P", "-m", "aeterna.threads", "cleanup")
SAID = (("ada", "hello"), ("bob", "hi"))


async def test_what_has_expired_is_gone_and_what_has_not_stays(retained: Retained) -> None:
    living = await retained.thread("living", *SAID)
    forever = await retained.thread("forever", *SAID, ttl=None)
    retained.expire(await retained.thread("expired", *SAID), await retained.task("expired-task", "work"))

    report = await retained.cleanup.round()

    assert retained.kept() == {living: 2, forever: 2}
    assert (report.counts["threads"], report.counts["rows"]) == (2, 4)


async def test_an_expired_thread_is_not_found_before_anybody_cleaned_up(retained: Retained) -> None:
    thread = await retained.thread("t", *SAID)

    retained.expire(thread)

    with pytest.raises(ThreadNotFoundError):
        await retained.store.thread(ACME, thread)


async def test_the_id_of_an_expired_thread_is_free_at_once(retained: Retained) -> None:
    retained.expire(await retained.thread("t", *SAID))

    opened = await retained.store.open(ACME, ThreadDraft(thread_id=ThreadId("t"), title="another"), by="bob")

    assert (opened.created, retained.kept()) == (True, {"t": 0})


async def test_what_a_hold_keeps_does_not_expire_away_and_stays_hidden(retained: Retained) -> None:
    held, free = await retained.thread("held", *SAID), await retained.thread("free", *SAID)
    await retained.hold(thread_id=held)
    retained.expire(held, free)

    await retained.cleanup.round()

    assert retained.kept() == {held: 2}
    with pytest.raises(ThreadNotFoundError):
        await retained.store.thread(ACME, held)


async def test_the_id_of_a_held_thread_is_not_free(retained: Retained) -> None:
    held = await retained.thread("held", *SAID)
    await retained.hold(thread_id=held)
    retained.expire(held)

    with pytest.raises(ThreadConflictError):
        await retained.store.open(ACME, ThreadDraft(thread_id=held, title="another"), by="bob")

    assert retained.kept() == {held: 2}


@pytest.mark.parametrize(
    "about", [{"subject": "ada"}, {"subject": "bob"}, {}], ids=["its owner", "who wrote in it", "the tenant"]
)
async def test_a_hold_keeps_what_its_subject_owns_and_where_it_wrote(retained: Retained, about: dict[str, Any]) -> None:
    held, elsewhere = await retained.thread("t", *SAID), await retained.thread("t", *SAID, tenant=OTHER)
    await retained.hold(**about)
    retained.expire(held, elsewhere)

    await retained.cleanup.round()

    assert retained.execute("SELECT tenant FROM threads.threads") == [(ACME,)]


async def test_a_released_hold_lets_expiry_go_on(retained: Retained) -> None:
    held = await retained.thread("held", *SAID)
    await retained.hold(thread_id=held)
    retained.expire(held)
    await retained.cleanup.round()

    await retained.retention.release(ACME, "case-1", by="counsel")
    await retained.cleanup.round()

    assert retained.kept() == {}


async def test_a_day_of_which_nobody_lives_goes_as_a_whole(retained: Retained) -> None:
    """Its rows are not deleted one by one: the partition is dropped."""
    retained.age(9, await retained.thread("t1", *SAID), await retained.thread("t2", *SAID))

    report = await retained.cleanup.round()
    report_after = await retained.cleanup.round()

    assert retained.kept() == {}
    dropped = report.counts["partitions_dropped"] + report_after.counts["partitions_dropped"]
    assert (report.counts["threads"], report.counts["rows"], dropped) == (2, 0, 1)


async def test_a_held_thread_keeps_its_day_and_its_neighbours_go(retained: Retained) -> None:
    held, free = await retained.thread("held", *SAID), await retained.thread("free", *SAID)
    await retained.hold(thread_id=held)
    retained.age(9, held, free)

    await retained.cleanup.round()

    assert retained.kept() == {held: 2}


async def test_a_log_longer_than_a_batch_goes_piece_by_piece(
    retained: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "ROWS_AT_ONCE", 3)
    threads = [await retained.thread(f"t{n}", *[("ada", f"text {k}") for k in range(n)]) for n in (8, 1, 2, 7)]
    retained.expire(*threads)

    report = await retained.cleanup.round()

    assert (retained.kept(), report.counts["rows"], report.counts["threads"]) == ({}, 18, 4)


async def test_cleanup_waits_for_nobody_who_writes(retained: Retained) -> None:
    """A write that began before the thread expired has its row locked: it is left for the next round."""
    busy, free = await retained.thread("busy", *SAID), await retained.thread("free", *SAID)
    retained.expire(busy, free)
    with psycopg.connect(retained.dsn) as writer:
        writer.execute("SELECT FROM threads.threads WHERE thread_id = 'busy' FOR NO KEY UPDATE")

        await retained.cleanup.round()

        assert retained.kept() == {busy: 2}


async def test_one_process_cleans_up_at_a_time(retained: Retained) -> None:
    retained.expire(await retained.thread("t", *SAID))
    async with retained.work.exclusively() as alone:
        second = await retained.cleanup.round()

    assert (alone, second.alone, retained.kept()) == (True, False, {"t": 2})


async def test_the_next_process_takes_over_from_one_that_was_killed(retained: Retained) -> None:
    retained.expire(await retained.thread("t", *SAID))
    async with retained.work.exclusively():
        retained.execute(
            "SELECT pg_terminate_backend(pid, 20000) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )

        report = await retained.cleanup.round()

    assert (report.alone, retained.kept()) == (True, {})


@pytest.mark.parametrize("table", ["threads.objects", "threads.steps", "threads.outbox", "threads.usage"])
async def test_a_job_that_is_killed_anywhere_is_made_good_by_the_next(retained: Retained, table: str) -> None:
    """SIGKILL while the job waits for a table in the middle of its work: what it had begun is as if it had not."""
    retained.expire(await retained.thread("t", *SAID), await retained.task("task", "x" * 5000))
    with psycopg.connect(retained.dsn) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        job = await asyncio.create_subprocess_exec(
            *JOB, env={"AETERNA_THREADS_DSN": retained.dsn}, stdout=DEVNULL, stderr=DEVNULL
        )
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        while not await asyncio.to_thread(retained.execute, waiting):
            assert job.returncode is None
        job.kill()
        await job.wait()

    await retained.cleanup.round()

    assert (retained.kept(), [path for path in retained.folder.rglob("*") if path.is_file()]) == ({}, [])


async def test_an_expired_thread_takes_its_objects_with_it(retained: Retained) -> None:
    gone, stays = await retained.task("gone", "x" * 5000), await retained.task("stays", "x" * 5000)
    retained.expire(gone)

    await retained.cleanup.round()

    (view,) = [await retained.tasks.task(ACME, AGENT, stays, owner="ada", history_length=None, artifacts=True)]
    assert view.rows[0].row.parts == ({"kind": "text", "text": "x" * 5000},)
    assert len([path for path in retained.folder.rglob("*") if path.is_file()]) == 2


async def test_an_object_whose_row_was_never_written_is_collected_after_a_grace(retained: Retained) -> None:
    stays = await retained.task("stays", "x" * 5000)
    orphan = retained.folder / "acme" / ("0" * 64) / ("0" * 64)
    orphan.parent.mkdir()
    orphan.write_bytes(b"half a write")
    retained.execute(
        "INSERT INTO threads.objects (tenant, thread_id, sha256, bytes) VALUES ('acme', 'stays', repeat('0', 64), 12)"
    )
    retained.execute("UPDATE threads.objects SET noted_at = now() - interval '1 hour'")

    await retained.cleanup.round()

    states = retained.execute("SELECT state, count(*) FROM threads.objects GROUP BY 1")
    assert (stays, states) == ("stays", [("kept", 2)])


async def test_an_object_that_was_just_written_is_left_alone(retained: Retained) -> None:
    retained.execute(
        "INSERT INTO threads.objects (tenant, thread_id, sha256, bytes) VALUES ('acme', 'soon', repeat('0', 64), 12)"
    )

    await retained.cleanup.round()

    assert retained.execute("SELECT state FROM threads.objects") == [("written",)]


async def test_the_job_prints_what_it_did_as_json(retained: Retained) -> None:
    retained.expire(await retained.thread("t", *SAID))

    job = await asyncio.create_subprocess_exec(
        *JOB, env={"AETERNA_THREADS_DSN": retained.dsn}, stdout=PIPE, stderr=DEVNULL
    )
    printed, _ = await job.communicate()

    report = json.loads(printed)
    assert (job.returncode, report["alone"], report["counts"]["threads"]) == (0, True, 1)


async def test_a_service_cleans_up_by_itself(retained: Retained) -> None:
    often = Cleanup(retained.work, retained.objects, CleanupLimits(interval=timedelta(milliseconds=10)))
    retained.expire(await retained.thread("t", *SAID))

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(often.run())
        while await asyncio.to_thread(retained.kept):
            pass
        running.cancel()


async def test_a_large_message_of_a_plain_thread_comes_back_and_a_retry_is_known(retained: Retained) -> None:
    text = "large " * 200_000
    thread = await retained.thread("t", ("ada", text))

    page = await retained.store.messages(ACME, thread, after_seq=0, limit=10)
    draft = MessageDraft(message_id=MessageId("m-1-ada"), role=Role.USER, parts=(TextPart(text=text),))
    again = await retained.store.append(ACME, thread, draft, by="ada")

    assert (page.messages[0].parts, again.created) == ((TextPart(text=text),), False)
    assert retained.execute("SELECT max(octet_length(parts::text)) < 200 FROM threads.events") == [(True,)]


async def test_a_lost_part_is_named_to_its_reader(retained: Retained) -> None:
    thread = await retained.thread("t", ("ada", "large " * 1000))
    (file,) = [path for path in retained.folder.rglob("*") if path.is_file()]
    file.unlink()

    with pytest.raises(PartLostError, match=file.name):
        await retained.store.messages(ACME, thread, after_seq=0, limit=10)


async def test_what_a_tenant_holds_is_counted_and_its_own_quota_comes_before_the_default(retained: Retained) -> None:
    await retained.thread("t", *SAID)
    await retained.task("task", "x" * 5000)
    retained.expire(await retained.thread("expired", *SAID))
    retained.execute("INSERT INTO threads.quotas (tenant, threads) VALUES ('acme', 7)")
    await retained.cleanup.round()

    accounts = PostgresAccounts(retained.pool, Quotas(threads=3, bytes=9))
    mine, theirs = await accounts.account(ACME), await accounts.account(OTHER)

    assert (mine.usage.threads, mine.usage.open_tasks, mine.usage.bytes > 10_000) == (2, 1, True)
    assert (mine.quotas, theirs.usage.threads) == (Quotas(threads=7, bytes=9), 0)


async def test_a_database_that_is_away_is_an_error_that_the_service_survives(retained: Retained) -> None:
    """It waits for the next round rather than end the process, whose other parts come back by themselves."""
    closed = connection_pool(retained.dsn, Limits(), DATABASE.names, role=ROLE)
    away = Cleanup(PostgresCleanup(closed), None, CleanupLimits(interval=timedelta(milliseconds=1)))

    with pytest.raises(StoreUnavailableError):
        await away.round()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await away.run()
